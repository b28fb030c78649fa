/* The bit-banged buses against a shift register and an I2C device that see only edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/bitbang.h"

enum { CLOCK, DATA_OUT, DATA_IN, PINS };

typedef struct {
    bool level[PINS]; /* what the master drives */
    bool is_i2c, phase, polarity;
    /* the SPI device: takes what comes, shows `out` */
    unsigned bits, in, out;
    /* the I2C device at 0x48: a pointer, then registers */
    bool holds_sda, holds_scl, listening, reading, master_nacks;
    uint8_t pointer, registers[4];
    unsigned byte_index, starts, stops;
    int fail_in; /* operations until one fails; -1 = never */
} wire_t;

static bool sda_level(const wire_t *w)
{
    return w->level[DATA_OUT] && !w->holds_sda;
}

static void i2c_bit(wire_t *w, bool rising)
{
    if (!w->listening)
        return;
    if (rising) {
        if (w->bits < 8)
            w->in = w->in << 1 | sda_level(w);
        else
            w->master_nacks = sda_level(w);
        return;
    }
    w->bits++; /* SCL fell */
    bool drives = w->reading && w->byte_index > 0;
    if (w->bits == 8 && !drives) {
        uint8_t byte = (uint8_t)w->in;
        if (w->byte_index == 0) {
            w->reading = byte & 1;
            w->listening = byte >> 1 == 0x48;
        } else if (w->byte_index == 1) {
            w->pointer = byte;
        } else {
            w->registers[w->pointer++ & 3] = byte;
        }
        w->holds_sda = w->listening; /* acknowledge */
        return;
    }
    if (w->bits == 8) {
        w->holds_sda = false;
        return;
    }
    if (w->bits == 9) {
        w->bits = 0;
        w->in = 0;
        w->byte_index++;
        w->holds_sda = false;
        if (w->reading && (w->byte_index == 1 || !w->master_nacks))
            w->out = w->registers[w->pointer++ & 3];
        else if (w->reading)
            w->listening = false;
    }
    if (w->listening && w->reading && w->byte_index > 0)
        w->holds_sda = !(w->out >> (7 - w->bits) & 1);
}

static void i2c_edge(wire_t *w, uint16_t pin, bool level)
{
    if (pin == DATA_OUT && w->level[CLOCK]) { /* START or STOP */
        w->starts += !level;
        w->stops += level;
        w->listening = !level;
        w->bits = (unsigned)-1; /* the first falling edge of SCL begins bit 0 */
        w->in = w->byte_index = 0;
        w->reading = w->holds_sda = false;
    } else if (pin == CLOCK) {
        if (w->bits == (unsigned)-1 && !level)
            w->bits = 0;
        else
            i2c_bit(w, level);
    }
}

static void spi_edge(wire_t *w, uint16_t pin, bool level)
{
    if (pin != CLOCK)
        return;
    bool leading = level != w->polarity;
    if (leading != w->phase) { /* the edge that takes data */
        w->in = (w->in << 1 | w->level[DATA_OUT]) & 0xFF;
        w->bits++;
    }
}

static bool fails(wire_t *w)
{
    return w->fail_in >= 0 && w->fail_in-- == 0;
}

static adder_err_t mode(void *ctx, uint16_t pin, adder_pin_mode_t m, bool level)
{
    (void)m;
    ((wire_t *)ctx)->level[pin] = level;
    return fails(ctx) ? ADDER_ERR_PIN : ADDER_OK;
}

static adder_err_t write_pin(void *ctx, uint16_t pin, bool level)
{
    wire_t *w = ctx;
    if (fails(w))
        return ADDER_ERR_IO;
    bool changed = w->level[pin] != level;
    w->level[pin] = level;
    if (changed)
        (w->is_i2c ? i2c_edge : spi_edge)(w, pin, level);
    return ADDER_OK;
}

static adder_err_t read_pin(void *ctx, uint16_t pin, bool *out)
{
    wire_t *w = ctx;
    if (fails(w))
        return ADDER_ERR_IO;
    if (w->is_i2c)
        *out = pin == CLOCK ? w->level[CLOCK] && !w->holds_scl : sda_level(w);
    else
        *out = w->out >> (7 - (w->bits - 1) % 8) & 1;
    return ADDER_OK;
}

static const adder_pin_ops_t pin_ops = {mode, write_pin, read_pin};

static adder_pin_t pin(wire_t *w, uint16_t number)
{
    return (adder_pin_t){&pin_ops, w, number};
}

static void spi_modes(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        wire_t w = {.fail_in = -1, .polarity = m >> 1, .phase = m & 1};
        adder_bitbang_spi_t b = {.clock = pin(&w, CLOCK), .mosi = pin(&w, DATA_OUT)};
        adder_spi_t spi;
        assert_int_equal(adder_bitbang_spi_init(&b, &spi), ADDER_OK);
        assert_int_equal(spi.ops->configure(spi.ctx, 1000, w.polarity, w.phase, 8, NULL), ADDER_OK);
        w.bits = w.in = 0;
        static const uint8_t sent[] = {0xA5, 0x0F, 0x81};
        uint8_t got[3] = {1, 1, 1};
        for (size_t i = 0; i < sizeof sent; i++) {
            assert_int_equal(spi.ops->transfer(spi.ctx, &sent[i], &got[i], 1, 0), ADDER_OK);
            assert_int_equal(w.in, sent[i]);
            assert_int_equal(got[i], 0); /* no MISO */
        }
        assert_int_equal(w.level[CLOCK], w.polarity);
        assert_int_equal(spi.ops->transfer(spi.ctx, NULL, NULL, 1, 0x3C), ADDER_OK);
        assert_int_equal(w.in, 0x3C);
    }
}

static void spi_reads(void **state)
{
    (void)state;
    wire_t w = {.fail_in = -1};
    adder_bitbang_spi_t b = {.clock = pin(&w, CLOCK), .mosi = pin(&w, DATA_OUT), .miso = pin(&w, DATA_IN)};
    adder_spi_t spi;
    uint8_t bytes[] = {0x5A, 0x11};
    assert_int_equal(adder_bitbang_spi_init(&b, &spi), ADDER_OK);
    w.out = 0xC3;
    uint8_t first;
    assert_int_equal(spi.ops->transfer(spi.ctx, bytes, &first, 1, 0), ADDER_OK);
    assert_int_equal(first, 0xC3);
    assert_int_equal(spi.ops->configure(spi.ctx, 1, 0, 0, 9, NULL), ADDER_ERR_UNSUPPORTED);
}

static void i2c_registers(void **state)
{
    (void)state;
    wire_t w = {.is_i2c = true, .fail_in = -1, .registers = {1, 2, 3, 4}, .level = {true, true}};
    adder_bitbang_i2c_t b = {.scl = pin(&w, CLOCK), .sda = pin(&w, DATA_OUT)};
    adder_i2c_t i2c;
    uint8_t rd[3];
    assert_int_equal(adder_bitbang_i2c_init(&b, &i2c), ADDER_OK);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, NULL, 0, NULL, 0, 1), ADDER_OK);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x49, NULL, 0, NULL, 0, 1), ADDER_ERR_NOT_FOUND);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, (const uint8_t[]){1, 0xAA, 0x55}, 3, NULL, 0, 1), ADDER_OK);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, (const uint8_t[]){0}, 1, rd, 3, 1), ADDER_OK);
    assert_memory_equal(rd, ((const uint8_t[]){1, 0xAA, 0x55}), 3);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, NULL, 0, rd, 1, 1), ADDER_OK);
    assert_int_equal(rd[0], 4);
    assert_true(w.level[CLOCK] && w.level[DATA_OUT]);
    assert_int_equal(w.starts, 6);
    assert_int_equal(w.stops, 5);
    w.holds_scl = true; /* for ever */
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, NULL, 0, NULL, 0, 1), ADDER_ERR_TIMEOUT);
    assert_true(w.level[DATA_OUT]);
}

/* Every pin operation fails once: reported, or without effect on the result. */
static void i2c_faults(void **state)
{
    (void)state;
    for (int n = 0;; n++) {
        wire_t w = {.is_i2c = true, .fail_in = n, .registers = {9}, .level = {true, true}};
        adder_bitbang_i2c_t b = {.scl = pin(&w, CLOCK), .sda = pin(&w, DATA_OUT)};
        adder_i2c_t i2c;
        uint8_t rd = 0;
        adder_err_t err = adder_bitbang_i2c_init(&b, &i2c);
        if (err == ADDER_OK)
            err = i2c.ops->xfer(i2c.ctx, 0x48, (const uint8_t[]){0}, 1, &rd, 1, 1);
        if (w.fail_in >= 0) {
            assert_int_equal(err, ADDER_OK);
            assert_int_equal(rd, 9);
            break;
        }
        assert_int_not_equal(err, ADDER_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(spi_modes), cmocka_unit_test(spi_reads),
                                       cmocka_unit_test(i2c_registers), cmocka_unit_test(i2c_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
