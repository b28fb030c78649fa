/* The ADT7410's driver on a register file of the test's: bytes on the wire, and each transaction failing.
 * What the chip itself does is in tests/sensors_chip_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/adt7410.h"

static struct {
    uint8_t reg[16];
    uint8_t wrote[8];
    size_t wrote_len;
    unsigned transactions;
    unsigned fail_at; /* the transaction that fails, counted from 0 */
} wire;

static adder_err_t xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                        size_t rd_len, uint32_t timeout_ms)
{
    (void)ctx;
    assert_int_equal(addr7, 0x4A);
    assert_true(timeout_ms > 0 && wr_len > 0 && wr_len <= sizeof wire.wrote);
    if (wire.transactions++ == wire.fail_at)
        return ADDER_ERR_NOT_FOUND;
    memcpy(wire.wrote, wr, wire.wrote_len = wr_len);
    for (size_t i = 1; i < wr_len; i++)
        wire.reg[wr[0] + i - 1] = wr[i];
    for (size_t i = 0; i < rd_len; i++)
        rd[i] = wire.reg[wr[0] + i];
    return ADDER_OK;
}

static const adder_i2c_ops_t ops = {xfer};
static const adder_i2c_t i2c = {&ops, NULL};
static adder_adt7410_t t;

static int fresh(void **state)
{
    (void)state;
    memset(&wire, 0, sizeof wire);
    wire.fail_at = UINT32_MAX;
    wire.reg[ADDER_ADT7410_ID] = 0xCB;
    assert_int_equal(adder_adt7410_init(&t, &i2c, 0x4A), ADDER_OK);
    return 0;
}

static void set16(uint8_t reg, unsigned value)
{
    wire.reg[reg] = (uint8_t)(value >> 8);
    wire.reg[reg + 1] = (uint8_t)value;
}

static void knows_its_chip(void **state)
{
    (void)state;
    assert_int_equal(wire.transactions, 1);
    wire.reg[ADDER_ADT7410_ID] = 0xCA;
    assert_int_equal(adder_adt7410_init(&t, &i2c, 0x4A), ADDER_ERR_FORMAT);
    wire.fail_at = wire.transactions;
    assert_int_equal(adder_adt7410_init(&t, &i2c, 0x4A), ADDER_ERR_NOT_FOUND);
}

static void temperatures(void **state)
{
    static const struct {
        unsigned raw;
        uint8_t config;
        int16_t c128;
    } cases[] = {/* the data sheet's table of codes, 16 and 13 bits; then 13 bits with their flags */
                 {0x4B00, 0x80, 19200}, {0x0C80, 0x80, 3200},  {0x0001, 0x80, 1},     {0x0000, 0x80, 0},
                 {0xFFFF, 0x80, -1},    {0xE480, 0x80, -7040}, {0x4B00, 0x00, 19200}, {0x0008, 0x00, 8},
                 {0xFFF8, 0x00, -8},    {0xE480, 0x00, -7040}, {0x0C87, 0x00, 3200},  {0xFFFF, 0x00, -8}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int16_t c128 = 0x7FFF;
        set16(ADDER_ADT7410_TEMP, cases[i].raw);
        assert_int_equal(adder_adt7410_set_config(&t, ADDER_ADT7410_RESOLUTION, cases[i].config), ADDER_OK);
        const unsigned before = wire.transactions;
        assert_int_equal(adder_adt7410_read_temperature(&t, &c128), ADDER_OK);
        assert_int_equal(c128, cases[i].c128);
        assert_int_equal(wire.transactions, before + 1);
    }
}

static void the_width_is_asked_once(void **state)
{
    int16_t c128;
    (void)state;
    wire.reg[ADDER_ADT7410_CONFIG] = ADDER_ADT7410_RESOLUTION; /* by whoever had the chip before */
    set16(ADDER_ADT7410_TEMP, 0x0C87);
    wire.fail_at = 1; /* the question itself */
    assert_int_equal(adder_adt7410_read_temperature(&t, &c128), ADDER_ERR_NOT_FOUND);
    assert_int_equal(adder_adt7410_read_temperature(&t, &c128), ADDER_OK);
    assert_int_equal(c128, 3207);
    assert_int_equal(wire.transactions, 4);
    assert_int_equal(adder_adt7410_read_temperature(&t, &c128), ADDER_OK);
    assert_int_equal(wire.transactions, 5);
}

static void configuration_keeps_the_other_bits(void **state)
{
    uint8_t config;
    (void)state;
    wire.reg[ADDER_ADT7410_CONFIG] = ADDER_ADT7410_SHUTDOWN | 0x0F; /* after a one-shot */
    assert_int_equal(adder_adt7410_set_config(&t, ADDER_ADT7410_INT_CT_MODE, 0xFF), ADDER_OK);
    assert_int_equal(wire.reg[ADDER_ADT7410_CONFIG], ADDER_ADT7410_SHUTDOWN | 0x1F);
    assert_int_equal(wire.transactions, 3);
    assert_int_equal(adder_adt7410_set_config(&t, ADDER_ADT7410_OPERATION_MODE, ADDER_ADT7410_1_SPS),
                     ADDER_OK);
    assert_int_equal(adder_adt7410_read_config(&t, &config), ADDER_OK);
    assert_int_equal(config, ADDER_ADT7410_1_SPS | 0x1F);
    for (unsigned at = 0; at < 2; at++) { /* read or write fails: nothing is half done */
        wire.fail_at = wire.transactions + at;
        assert_int_equal(adder_adt7410_set_config(&t, 0xFF, 0), ADDER_ERR_NOT_FOUND);
        assert_int_equal(wire.reg[ADDER_ADT7410_CONFIG], ADDER_ADT7410_1_SPS | 0x1F);
    }
}

static void limits(void **state)
{
    static const uint8_t regs[] = {ADDER_ADT7410_T_HIGH, ADDER_ADT7410_T_LOW, ADDER_ADT7410_T_CRIT};
    int16_t c128;
    uint8_t degrees;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(adder_adt7410_write_setpoint(&t, regs[i], -55 * 128), ADDER_OK);
        assert_int_equal(wire.wrote_len, 3);
        assert_memory_equal(wire.wrote, ((const uint8_t[]){regs[i], 0xE4, 0x80}), 3);
        assert_int_equal(adder_adt7410_read_setpoint(&t, regs[i], &c128), ADDER_OK);
        assert_int_equal(c128, -55 * 128);
    }
    const unsigned before = wire.transactions;
    assert_int_equal(adder_adt7410_write_setpoint(&t, ADDER_ADT7410_CONFIG, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_adt7410_read_setpoint(&t, ADDER_ADT7410_TEMP, &c128), ADDER_ERR_ARG);
    assert_int_equal(adder_adt7410_write_hyst(&t, 16), ADDER_ERR_RANGE);
    assert_int_equal(wire.transactions, before);
    assert_int_equal(adder_adt7410_write_hyst(&t, 15), ADDER_OK);
    wire.reg[ADDER_ADT7410_T_HYST] |= 0xF0; /* not used, says the data sheet, and not that they are 0 */
    assert_int_equal(adder_adt7410_read_hyst(&t, &degrees), ADDER_OK);
    assert_int_equal(degrees, 15);
}

static void each_call_says_that_nobody_answers(void **state)
{
    int16_t c128;
    uint8_t byte;
    (void)state;
    assert_int_equal(adder_adt7410_read_config(&t, &byte), ADDER_OK);
#define FAILS(call)                                                                                          \
    wire.fail_at = wire.transactions;                                                                        \
    assert_int_equal(call, ADDER_ERR_NOT_FOUND)
    FAILS(adder_adt7410_read_temperature(&t, &c128));
    FAILS(adder_adt7410_read_status(&t, &byte));
    FAILS(adder_adt7410_read_config(&t, &byte));
    FAILS(adder_adt7410_read_setpoint(&t, ADDER_ADT7410_T_HIGH, &c128));
    FAILS(adder_adt7410_write_setpoint(&t, ADDER_ADT7410_T_HIGH, 0));
    FAILS(adder_adt7410_read_hyst(&t, &byte));
    FAILS(adder_adt7410_write_hyst(&t, 1));
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(knows_its_chip),
                                       TEST(temperatures),
                                       TEST(the_width_is_asked_once),
                                       TEST(configuration_keeps_the_other_bits),
                                       TEST(limits),
                                       TEST(each_call_says_that_nobody_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
