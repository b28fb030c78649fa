/* The fuel gauge as Adafruit's MAX1704x library uses it, on the Feather that has one. */
#include "sim/testing.h"

static int setup(void **state)
{
    bench_t *t = calloc(1, sizeof *t);
    cJSON *run = cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 1}");
    t->board = sim_board_open("boards/adafruit_feather_esp32s3_tft.json", run, t->msg, sizeof t->msg);
    cJSON_Delete(run);
    if (t->board == NULL)
        fail_msg("%s", t->msg);
    t->mcu = sim_board_mcu(t->board);
    *state = t;
    return 0;
}

static adder_i2c_t bus(bench_t *t)
{
    adder_i2c_t i2c;
    OK(t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "SCL"), bench_pin(t, "SDA"), 100000, &i2c));
    return i2c;
}

static unsigned reg(const adder_i2c_t *i2c, uint8_t at)
{
    uint8_t v[2];
    OK(i2c->ops->xfer(i2c->ctx, 0x36, &at, 1, v, 2, 100));
    return (unsigned)v[0] << 8 | v[1];
}

static adder_err_t write_reg(const adder_i2c_t *i2c, uint8_t at, unsigned v)
{
    const uint8_t bytes[] = {at, (uint8_t)(v >> 8), (uint8_t)v};
    return i2c->ops->xfer(i2c->ctx, 0x36, bytes, sizeof bytes, NULL, 0, 100);
}

static void measures(void **state)
{
    bench_t *t = *state;
    const adder_i2c_t i2c = bus(t);
    assert_int_equal(reg(&i2c, 0x08) & 0xFFF0, 0x0010);
    bench_knob(t, "battery", "{\"percent\": 50, \"rate\": -20.8}");
    assert_int_equal(reg(&i2c, 0x04), 50 * 256);
    assert_int_equal(reg(&i2c, 0x02), 49152); /* 3.84 V of 78.125 uV */
    assert_int_equal((int16_t)reg(&i2c, 0x16), -100);
    bench_knob(t, "battery", "{\"percent\": 100}");
    assert_int_equal(reg(&i2c, 0x02), 53760); /* 4.2 V */
}

static void resets_without_acknowledge(void **state)
{
    bench_t *t = *state;
    const adder_i2c_t i2c = bus(t);
    assert_int_equal(reg(&i2c, 0x1A) >> 8 & 1, 1); /* RI after power-on */
    OK(write_reg(&i2c, 0x1A, 0));
    assert_int_equal(reg(&i2c, 0x1A) >> 8 & 1, 0);
    OK(write_reg(&i2c, 0x0A, 0xFFFF));
    assert_int_equal(reg(&i2c, 0x06) >> 12 & 1, 1); /* hibernates */
    assert_int_equal(write_reg(&i2c, 0xFE, 0x5400), ADDER_ERR_IO);
    assert_int_equal(reg(&i2c, 0x0A), 0x8030);
    assert_int_equal(reg(&i2c, 0x1A) >> 8 & 1, 1);
    OK(write_reg(&i2c, 0x08, 0x1234)); /* read-only */
    assert_int_equal(reg(&i2c, 0x08), 0x0012);
}

static void alerts_and_sleeps(void **state)
{
    bench_t *t = *state;
    const adder_i2c_t i2c = bus(t);
    bench_knob(t, "battery", "{\"percent\": 50}");
    OK(write_reg(&i2c, 0x1A, 0));
    OK(write_reg(&i2c, 0x14, 200 << 8 | 255)); /* below 4 V */
    assert_int_equal(reg(&i2c, 0x1A) >> 8, 4);
    assert_int_equal(reg(&i2c, 0x0C) & 0x20, 0x20);
    OK(write_reg(&i2c, 0x06, 0x2000)); /* EnSleep, then SLEEP */
    OK(write_reg(&i2c, 0x0C, 0x979C));
    bench_knob(t, "battery", "{\"percent\": 10}");
    assert_int_equal(reg(&i2c, 0x04), 50 * 256);
    OK(write_reg(&i2c, 0x0C, 0x971C));
    assert_int_equal(reg(&i2c, 0x04), 10 * 256);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
    const struct CMUnitTest tests[] = {T(measures), T(resets_without_acknowledge), T(alerts_and_sleeps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
