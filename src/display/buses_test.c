/* The three display buses against pins and ports that write down what they see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/bus.h"

static char text[1024];
static bool locked_elsewhere;
static int locks;
static adder_err_t answer; /* of the next bus transfer */

static void say(const char *format, ...)
{
    va_list args;
    const size_t n = strlen(text);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
}

static void said(const char *want)
{
    assert_string_equal(text, want);
    text[0] = '\0';
}

static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    (void)ctx;
    say("%c%s%d ", (char)pin, mode == ADDER_PIN_OUT ? "=" : "?", level);
    return ADDER_OK;
}

static adder_err_t pin_write(void *ctx, uint16_t pin, bool level)
{
    (void)ctx;
    say("%c%d ", (char)pin, level);
    return ADDER_OK;
}

static const adder_pin_ops_t pin_ops = {.mode = pin_mode, .write = pin_write};
static adder_pin_t pin(char name)
{
    return (adder_pin_t){&pin_ops, NULL, (uint16_t)name};
}

static void say_bytes(const uint8_t *bytes, size_t len)
{
    say("<");
    for (size_t i = 0; i < len; i++)
        say("%02x", bytes[i]);
    say("> ");
}

static adder_err_t spi_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                                 uint32_t *hz_out)
{
    (void)ctx, (void)hz_out;
    say("%luHz,%d%d,%d ", (unsigned long)hz, polarity, phase, bits);
    return ADDER_OK;
}

static adder_err_t spi_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx, (void)fill;
    assert_null(rd);
    say_bytes(wr, len);
    return answer;
}

static adder_err_t par_write(void *ctx, const uint8_t *wr, size_t len)
{
    (void)ctx;
    say_bytes(wr, len);
    return answer;
}

static adder_err_t i2c_xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                            size_t rd_len, uint32_t timeout_ms)
{
    (void)ctx, (void)rd, (void)rd_len, (void)timeout_ms;
    say("%02x:", addr7);
    if (wr_len <= 8)
        say_bytes(wr, wr_len);
    else
        say("<%02x..%u> ", wr[0], (unsigned)wr_len);
    return answer;
}

static bool try_lock(void *ctx)
{
    (void)ctx;
    if (locked_elsewhere)
        return false;
    locks++;
    return true;
}

static void unlock(void *ctx)
{
    (void)ctx;
    locks--;
}

static const adder_spi_ops_t spi_ops = {spi_configure, spi_transfer};
static const adder_par8_ops_t par_ops = {par_write};
static const adder_i2c_ops_t i2c_ops = {i2c_xfer};
static const adder_bus_lock_t lock = {try_lock, unlock, NULL};

static int fresh(void **state)
{
    (void)state;
    text[0] = '\0';
    locked_elsewhere = false;
    locks = 0;
    answer = ADDER_OK;
    return 0;
}

static void fourwire(void **state)
{
    (void)state;
    adder_fourwire_t fw;
    adder_display_bus_t bus;
    assert_int_equal(adder_fourwire_init(&fw,
                                         &(adder_fourwire_config_t){.spi = {&spi_ops, NULL},
                                                                    .command = pin('d'),
                                                                    .chip_select = pin('c'),
                                                                    .reset = pin('r'),
                                                                    .phase = 1,
                                                                    .lock = lock},
                                         &bus),
                     ADDER_OK);
    said("c=1 r=1 d=1 ");
    const uint8_t data[] = {1, 2, 3};
    assert_int_equal(adder_display_bus_send(&bus, 0x2A, false, data, 3), ADDER_OK);
    said("24000000Hz,01,8 c0 d0 <2a> d1 <010203> c1 ");
    assert_int_equal(adder_display_bus_send(&bus, 0x2A, true, data, 2), ADDER_OK);
    said("24000000Hz,01,8 c0 d0 <2a> c1 c0 d1 <01> c1 c0 <02> c1 c0 c1 ");
    assert_int_equal(adder_display_bus_send(&bus, 0x29, false, NULL, 0), ADDER_OK);
    said("24000000Hz,01,8 c0 d0 <29> c1 ");
    locked_elsewhere = true;
    assert_int_equal(adder_display_bus_send(&bus, 0x29, false, NULL, 0), ADDER_ERR_AGAIN);
    said("");
    locked_elsewhere = false;
    answer = ADDER_ERR_IO;
    assert_int_equal(adder_display_bus_send(&bus, 0x29, false, data, 1), ADDER_ERR_IO);
    said("24000000Hz,01,8 c0 d0 <29> c1 "); /* released */
    assert_int_equal(locks, 0);
    assert_int_equal(bus.ops->reset(bus.ctx, false), ADDER_OK);
    said("r0 ");
}

/* Without a command pin: nine bits a word, the data/command bit first. */
static void nine_bits(void **state)
{
    (void)state;
    adder_fourwire_t fw;
    adder_display_bus_t bus;
    assert_int_equal(
        adder_fourwire_init(
            &fw, &(adder_fourwire_config_t){.spi = {&spi_ops, NULL}, .chip_select = pin('c'), .hz = 1000},
            &bus),
        ADDER_OK);
    said("c=1 ");
    assert_int_equal(bus.ops->reset(bus.ctx, false), ADDER_ERR_UNSUPPORTED);
    const uint8_t data[] = {0xFF, 0x00, 0xAA};
    /* 0 10000001 | 1 11111111 1 00000000 1 10101010 and padding; select drops the padding */
    assert_int_equal(adder_display_bus_send(&bus, 0x81, false, data, 3), ADDER_OK);
    said("1000Hz,00,8 c0 <4080> c1 c0 <ffc03540> c1 c0 c1 ");
    uint8_t eight[8];
    memset(eight, 0xFF, sizeof eight);
    assert_int_equal(bus.ops->begin(bus.ctx), ADDER_OK);
    assert_int_equal(bus.ops->send(bus.ctx, ADDER_DISPLAY_DATA, false, eight, 8), ADDER_OK);
    bus.ops->end(bus.ctx);
    said("1000Hz,00,8 c0 <ffffffffffffffffff> c1 "); /* eight words are nine bytes: no padding */
}

static void parallel(void **state)
{
    (void)state;
    adder_parallelbus_t pb;
    adder_display_bus_t bus;
    assert_int_equal(adder_parallelbus_init(&pb,
                                            &(adder_parallelbus_config_t){.port = {&par_ops, NULL},
                                                                          .command = pin('d'),
                                                                          .chip_select = pin('c'),
                                                                          .read = pin('e')},
                                            &bus),
                     ADDER_OK);
    said("c=1 e=1 d=1 ");
    const uint8_t data[] = {1, 2, 3};
    assert_int_equal(adder_display_bus_send(&bus, 0x2C, true, data, 3), ADDER_OK);
    said("c0 d0 <2c> d1 <010203> c1 ");
    answer = ADDER_ERR_IO;
    assert_int_equal(adder_display_bus_send(&bus, 0x2C, false, data, 3), ADDER_ERR_IO);
    said("c0 d0 <2c> c1 ");
}

static void i2c(void **state)
{
    (void)state;
    adder_i2cdisplay_t id;
    adder_display_bus_t bus;
    assert_int_equal(
        adder_i2cdisplay_init(
            &id, &(adder_i2cdisplay_config_t){.i2c = {&i2c_ops, NULL}, .addr7 = 0x3C, .lock = lock}, &bus),
        ADDER_OK);
    said("");
    assert_int_equal(adder_i2cdisplay_probe(&id), ADDER_OK);
    said("3c:<> ");
    answer = ADDER_ERR_NOT_FOUND;
    assert_int_equal(adder_i2cdisplay_probe(&id), ADDER_ERR_NOT_FOUND);
    said("3c:<> ");
    assert_int_equal(locks, 0);
    answer = ADDER_OK;
    uint8_t data[300] = {7, 8, 9};
    const uint8_t commands[] = {0x21, 0, 127};
    assert_int_equal(bus.ops->begin(bus.ctx), ADDER_OK);
    assert_int_equal(bus.ops->send(bus.ctx, ADDER_DISPLAY_COMMAND, true, commands, 3), ADDER_OK);
    said("3c:<80218000807f> ");
    assert_int_equal(bus.ops->send(bus.ctx, ADDER_DISPLAY_DATA, false, data, 3), ADDER_OK);
    said("3c:<40070809> ");
    assert_int_equal(bus.ops->send(bus.ctx, ADDER_DISPLAY_DATA, false, data, 300), ADDER_OK);
    said("3c:<40..129> 3c:<40..129> 3c:<40..45> ");
    bus.ops->end(bus.ctx);
    assert_int_equal(locks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fourwire, fresh),
        cmocka_unit_test_setup(nine_bits, fresh),
        cmocka_unit_test_setup(parallel, fresh),
        cmocka_unit_test_setup(i2c, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
