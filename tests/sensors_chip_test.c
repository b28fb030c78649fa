/* The portable sensor drivers on the chips of the simulated PyPortal: they say what the chips were set to,
 * cost what they should, and survive whatever transaction fails. */
#include "adder/adt7410.h"
#include "adder/resistive_touch.h"
#include "sim/testing.h"

/* ---- ADT7410 ---- */

typedef struct {
    bench_t *b;
    adder_i2c_t i2c;
    adder_adt7410_t t;
} adt_t;

static adt_t adt;

static int adt_setup(void **state)
{
    if (bench_setup(state) != 0)
        return -1;
    adt.b = *state;
    const adder_mcu_t *mcu = adt.b->mcu;
    OK(mcu->bus->i2c_open(mcu->ctx, bench_pin(adt.b, "SCL"), bench_pin(adt.b, "SDA"), 400000, &adt.i2c));
    OK(adder_adt7410_init(&adt.t, &adt.i2c, ADDER_ADT7410_ADDR7));
    return 0;
}

static uint64_t transfers(void)
{
    return bench_counter(adt.b, "temperature", "i2c_transfers");
}

static void pass_ms(unsigned ms)
{
    sim_board_advance(adt.b->board, (uint64_t)ms * 1000);
}

static int16_t celsius_128(void)
{
    int16_t c128 = 0x7FFF;
    OK(adder_adt7410_read_temperature(&adt.t, &c128));
    return c128;
}

static void it_tells_the_temperature(void **state)
{
    (void)state;
    bench_knob(adt.b, "temperature", "{\"celsius\": -12.34}");
    pass_ms(600);
    assert_int_equal(celsius_128(), -1576); /* 13 bits: -197/16 */
    OK(adder_adt7410_set_config(&adt.t, ADDER_ADT7410_RESOLUTION, ADDER_ADT7410_RESOLUTION));
    pass_ms(600);
    const uint64_t before = transfers(), bytes = bench_counter(adt.b, "temperature", "i2c_bytes");
    assert_int_equal(celsius_128(), -1580); /* 16 bits: -1580/128 */
    assert_int_equal(transfers(), before + 1);
    assert_int_equal(bench_counter(adt.b, "temperature", "i2c_bytes"), bytes + 3);
}

/* With 13 bits the chip has its flags in the low bits of the temperature. */
static void flags_are_not_degrees(void **state)
{
    (void)state;
    uint8_t status;
    bench_knob(adt.b, "temperature", "{\"celsius\": 148}");
    pass_ms(600);
    uint8_t raw[2];
    OK(adt.i2c.ops->xfer(adt.i2c.ctx, 0x48, (const uint8_t[]){ADDER_ADT7410_TEMP}, 1, raw, 2, 100));
    assert_int_equal(raw[1] & 7, 6);
    assert_int_equal(celsius_128(), 148 * 128);
    OK(adder_adt7410_read_status(&adt.t, &status));
    assert_int_equal(status & 0x70, ADDER_ADT7410_STATUS_T_HIGH | ADDER_ADT7410_STATUS_T_CRIT);
    OK(adder_adt7410_read_status(&adt.t, &status)); /* interrupt mode: the first read took them */
    assert_int_equal(status & 0x70, 0);
}

static void limits_and_hysteresis_act(void **state)
{
    (void)state;
    uint8_t status;
    OK(adder_adt7410_set_config(&adt.t, ADDER_ADT7410_INT_CT_MODE, ADDER_ADT7410_INT_CT_MODE));
    OK(adder_adt7410_write_setpoint(&adt.t, ADDER_ADT7410_T_HIGH, 30 * 128));
    OK(adder_adt7410_write_hyst(&adt.t, 2));
    static const struct {
        const char *knob;
        uint8_t flags;
    } steps[] = {{"{\"celsius\": 29}", 0},
                 {"{\"celsius\": 31}", ADDER_ADT7410_STATUS_T_HIGH},
                 {"{\"celsius\": 29}", ADDER_ADT7410_STATUS_T_HIGH},
                 {"{\"celsius\": 27.5}", 0}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bench_knob(adt.b, "temperature", steps[i].knob);
        pass_ms(600);
        OK(adder_adt7410_read_status(&adt.t, &status));
        assert_int_equal(status & 0x70, steps[i].flags);
    }
}

/* A change of another bit after a one-shot does not start a second one. */
static void one_shot_is_one(void **state)
{
    (void)state;
    OK(adder_adt7410_set_config(&adt.t, ADDER_ADT7410_OPERATION_MODE, ADDER_ADT7410_ONE_SHOT));
    pass_ms(300);
    const uint64_t before = bench_counter(adt.b, "temperature", "conversions");
    OK(adder_adt7410_set_config(&adt.t, ADDER_ADT7410_RESOLUTION, ADDER_ADT7410_RESOLUTION));
    pass_ms(1000);
    assert_int_equal(bench_counter(adt.b, "temperature", "conversions"), before);
}

/* Unplugged after n transactions of a scenario, for each n: the cause is told, and a chip that is back works.
 */
static void unplugged_at_each_transaction(void **state)
{
    (void)state;
    for (unsigned n = 0;; n++) {
        char knob[80];
        snprintf(knob, sizeof knob, "{\"fault\": {\"kind\": \"unplug\", \"after\": %u}}", n);
        bench_knob(adt.b, "temperature", knob);
        int16_t c128;
        uint8_t byte;
        adder_err_t err = adder_adt7410_init(&adt.t, &adt.i2c, ADDER_ADT7410_ADDR7);
        if (err == ADDER_OK)
            err = adder_adt7410_set_config(&adt.t, 0xFF, ADDER_ADT7410_RESOLUTION);
        if (err == ADDER_OK)
            err = adder_adt7410_write_setpoint(&adt.t, ADDER_ADT7410_T_LOW, 128);
        if (err == ADDER_OK)
            err = adder_adt7410_read_temperature(&adt.t, &c128);
        if (err == ADDER_OK)
            err = adder_adt7410_read_status(&adt.t, &byte);
        bench_knob(adt.b, "temperature", "{\"fault\": {\"kind\": \"none\"}}");
        OK(adder_adt7410_init(&adt.t, &adt.i2c, ADDER_ADT7410_ADDR7));
        if (n == 6) {
            OK(err);
            break;
        }
        assert_int_equal(err, ADDER_ERR_NOT_FOUND);
    }
}

/* ---- touch panel ---- */

static bench_t *bench;
static adder_resistive_touch_t panel;

static adder_pin_t pin_of(const char *name)
{
    return (adder_pin_t){bench->mcu->gpio, bench->mcu->ctx, bench_pin(bench, name)};
}

static int touch_setup(void **state)
{
    if (bench_setup(state) != 0)
        return -1;
    bench = *state;
    panel = (adder_resistive_touch_t){.x1 = pin_of("TOUCH_XL"),
                                      .x2 = pin_of("TOUCH_XR"),
                                      .y1 = pin_of("TOUCH_YD"),
                                      .y2 = pin_of("TOUCH_YU"),
                                      .adc_read = bench->mcu->pin->adc_read,
                                      .adc_ctx = bench->mcu->ctx,
                                      .samples = 4,
                                      .z_threshold = 10000,
                                      .invert_pressure = true,
                                      .calibration = {{5200, 59000}, {5800, 57000}},
                                      .size = {320, 240}};
    return 0;
}

static bool touched(adder_touch_point_t *out)
{
    bool is;
    OK(adder_resistive_touch_read(&panel, &is, out));
    return is;
}

static void every_place_of_the_screen(void **state)
{
    (void)state;
    adder_touch_point_t at;
    for (int x = 0; x < 320; x += 29) {
        for (int y = 0; y < 240; y += 17) {
            char knob[40];
            snprintf(knob, sizeof knob, "{\"touch\": [%d, %d]}", x, y);
            bench_knob(bench, "touch", knob);
            sim_board_advance(bench->board, 50000);
            const uint64_t before = bench_counter(bench, "touch", "samples");
            assert_true(touched(&at));
            assert_int_equal(at.x, x);
            assert_int_equal(at.y, y);
            assert_true(at.z > 10000 && at.z <= 65535);
            assert_int_equal(bench_counter(bench, "touch", "samples"), before + 6);
        }
    }
}

static void a_finger_comes_and_goes(void **state)
{
    (void)state;
    adder_touch_point_t at;
    uint64_t before = bench_counter(bench, "touch", "samples");
    assert_false(touched(&at));
    assert_int_equal(bench_counter(bench, "touch", "samples"), before + 2);
    bench_knob(bench, "touch", "{\"touch\": [160, 120]}");
    sim_board_advance(bench->board, 50000);
    assert_true(touched(&at));
    const int32_t hard = at.z;
    bench_knob(bench, "touch", "{\"pressure\": 0.3}");
    sim_board_advance(bench->board, 50000);
    assert_true(touched(&at));
    assert_true(at.z < hard);
    bench_knob(bench, "touch", "{\"touch\": null}");
    sim_board_advance(bench->board, 50000);
    assert_false(touched(&at));
}

#define ADT(f) cmocka_unit_test_setup_teardown(f, adt_setup, bench_teardown)
#define TOUCH(f) cmocka_unit_test_setup_teardown(f, touch_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADT(it_tells_the_temperature),  ADT(flags_are_not_degrees),         ADT(limits_and_hysteresis_act),
        ADT(one_shot_is_one),           ADT(unplugged_at_each_transaction), TOUCH(every_place_of_the_screen),
        TOUCH(a_finger_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
