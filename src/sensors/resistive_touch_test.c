/* The touch panel's driver on a panel of the test's: which pins it drives when it measures, how often, what
 * comes out, and each operation failing. The network of resistors is in tests/sensors_chip_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/resistive_touch.h"

enum { X1, X2, Y1, Y2, PINS };

static struct {
    adder_pin_mode_t mode[PINS];
    bool level[PINS];
    uint16_t z1, z2, x, y;
    uint16_t noise[8]; /* added to the conversions of x and y, one after the other */
    unsigned noise_n, noise_at;
    unsigned conversions, operations, fail_at; /* fail_at: the operation that fails */
} panel;

static bool fails(void)
{
    return panel.operations++ == panel.fail_at;
}

static bool drives(int pin, bool level)
{
    return panel.mode[pin] == ADDER_PIN_OUT && panel.level[pin] == level;
}

static adder_err_t mode(void *ctx, uint16_t pin, adder_pin_mode_t to, bool level)
{
    (void)ctx;
    if (fails())
        return ADDER_ERR_PIN;
    panel.mode[pin] = to;
    panel.level[pin] = level;
    int driven = 0;
    for (int i = 0; i < PINS; i++)
        driven += panel.mode[i] == ADDER_PIN_OUT;
    assert_true(driven <= 2);
    return ADDER_OK;
}

static uint16_t noisy(uint16_t value)
{
    return (uint16_t)(value + (panel.noise_n == 0 ? 0 : panel.noise[panel.noise_at++ % panel.noise_n]));
}

static adder_err_t convert(void *ctx, uint16_t pin, uint16_t *out)
{
    (void)ctx;
    if (fails())
        return ADDER_ERR_IO;
    panel.conversions++;
    assert_int_equal(panel.mode[pin], ADDER_PIN_IN);
    if (drives(Y1, true) && drives(X2, false))
        *out = pin == X1 ? panel.z1 : panel.z2;
    else if (drives(Y2, true) && drives(Y1, false) && pin == X2)
        *out = noisy(panel.x);
    else if (drives(X2, true) && drives(X1, false) && pin == Y2)
        *out = noisy(panel.y);
    else
        fail_msg("pin %u is measured while nothing is driven that it could tell of", pin);
    return ADDER_OK;
}

static const adder_pin_ops_t ops = {.mode = mode};
static adder_resistive_touch_t t;
static adder_touch_point_t at;
static bool touched;

static int fresh(void **state)
{
    (void)state;
    memset(&panel, 0, sizeof panel);
    panel.fail_at = UINT32_MAX;
    panel.z1 = 20000;
    panel.z2 = 40000;
    t = (adder_resistive_touch_t){.x1 = {&ops, NULL, X1},
                                  .x2 = {&ops, NULL, X2},
                                  .y1 = {&ops, NULL, Y1},
                                  .y2 = {&ops, NULL, Y2},
                                  .adc_read = convert,
                                  .samples = 4,
                                  .z_threshold = 10000,
                                  .invert_pressure = true,
                                  .calibration = {{5000, 60000}, {60000, 5000}},
                                  .size = {320, 240}};
    at = (adder_touch_point_t){-1, -1, -1};
    return 0;
}

static adder_err_t read_panel(void)
{
    panel.conversions = 0;
    const adder_err_t err = adder_resistive_touch_read(&t, &touched, &at);
    if (err == ADDER_OK) {
        for (int i = 0; i < PINS; i++)
            assert_int_equal(panel.mode[i], ADDER_PIN_IN);
    }
    return err;
}

static void pressure(void **state)
{
    (void)state;
    panel.z1 = 0;
    panel.z2 = 65535;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_false(touched);
    assert_int_equal(panel.conversions, 2);
    assert_int_equal(at.z, -1); /* left alone */
    panel.z2 = 55535;           /* exactly the threshold: not yet */
    assert_int_equal(read_panel(), ADDER_OK);
    assert_false(touched);
    panel.z2--;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_true(touched);
    assert_int_equal(at.z, 10001);
    t.invert_pressure = false;
    panel.z1 = 65535;
    panel.z2 = 65535;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(at.z, 131070);
}

static void coordinates(void **state)
{
    static const struct {
        uint16_t x, y;
        int32_t px, py;
    } cases[] = {{5000, 60000, 0, 0},      {60000, 5000, 319, 239}, {0, 65535, 0, 0},   {65535, 0, 319, 239},
                 {32500, 32500, 159, 119}, {5172, 59770, 0, 0},     {5173, 59769, 1, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        panel.x = cases[i].x;
        panel.y = cases[i].y;
        assert_int_equal(read_panel(), ADDER_OK);
        assert_true(touched);
        assert_int_equal(at.x, cases[i].px);
        assert_int_equal(at.y, cases[i].py);
        assert_int_equal(at.z, 45535);
        assert_int_equal(panel.conversions, 6);
    }
    memcpy(t.calibration, (const int32_t[2][2]){{0, 65535}, {0, 65535}}, sizeof t.calibration);
    t.size[0] = t.size[1] = 65535;
    panel.x = 65535;
    panel.y = 12345;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(at.x, 65534);
    assert_int_equal(at.y, 12344); /* 12345 * 65534 / 65535, cut off */
}

/* Two in a row that agree are the answer; without such two it is the mean. */
static void noise(void **state)
{
    (void)state;
    t.size[0] = t.size[1] = 65535;
    memcpy(t.calibration, (const int32_t[2][2]){{0, 65534}, {0, 65534}}, sizeof t.calibration);
    panel.x = panel.y = 1000;
    panel.noise_n = 3;
    memcpy(panel.noise, (const uint16_t[]){100, 16, 16}, 6);
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(at.x, 1016);
    assert_int_equal(at.y, 1016);
    assert_int_equal(panel.conversions, 2 + 3 + 3);
    panel.noise_n = 4;
    panel.noise_at = 0;
    memcpy(panel.noise, (const uint16_t[]){0, 16, 0, 24}, 8);
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(at.x, 1010);
    assert_int_equal(panel.conversions, 2 + 4 + 4);
    t.samples = 1;
    panel.noise_at = 1;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(at.x, 1016);
    assert_int_equal(at.y, 1000);
    assert_int_equal(panel.conversions, 2 + 1 + 1);
}

static void the_largest_numbers_fit(void **state)
{
    (void)state;
    t.samples = UINT16_MAX;
    t.size[0] = t.size[1] = ADDER_RESISTIVE_TOUCH_SIZE_MAX;
    memcpy(t.calibration, (const int32_t[2][2]){{-(1 << 20), 1 << 20}, {1 << 20, -(1 << 20)}},
           sizeof t.calibration);
    panel.x = panel.y = 65000;
    panel.noise_n = 2;
    panel.noise[1] = 535;
    assert_int_equal(read_panel(), ADDER_OK);
    assert_int_equal(panel.conversions, 2 + 2 * UINT16_MAX);
    assert_int_equal(at.x, 34807); /* (65267.5 + 2^20) * 65535 / 2^21 */
    assert_int_equal(at.y, 30727);
}

static void numbers_that_cannot_be(void **state)
{
    (void)state;
    t.samples = 0;
    assert_int_equal(read_panel(), ADDER_ERR_ARG);
    fresh(NULL);
    t.calibration[1][0] = t.calibration[1][1];
    assert_int_equal(read_panel(), ADDER_ERR_ARG);
    fresh(NULL);
    t.calibration[0][1] = ADDER_RESISTIVE_TOUCH_CALIBRATION_MAX + 1;
    assert_int_equal(read_panel(), ADDER_ERR_RANGE);
    fresh(NULL);
    t.size[1] = 0;
    assert_int_equal(read_panel(), ADDER_ERR_RANGE);
    fresh(NULL);
    t.size[0] = ADDER_RESISTIVE_TOUCH_SIZE_MAX + 1;
    assert_int_equal(read_panel(), ADDER_ERR_RANGE);
    assert_int_equal(panel.operations, 0);
    assert_false(touched);
}

/* Whatever fails, its cause is told and no pin goes on driving, but for one that cannot be let go. */
static void each_operation_fails(void **state)
{
    (void)state;
    for (unsigned n = 0;; n++) {
        fresh(NULL);
        panel.fail_at = n;
        const adder_err_t err = adder_resistive_touch_read(&t, &touched, &at);
        if (panel.operations <= n) {
            assert_int_equal(err, ADDER_OK);
            assert_true(touched);
            assert_int_equal(n, 16 + 6);
            break;
        }
        assert_true(err == ADDER_ERR_PIN || err == ADDER_ERR_IO);
        assert_false(touched);
        assert_int_equal(at.x, -1);
        int driven = 0;
        for (int i = 0; i < PINS; i++)
            driven += panel.mode[i] == ADDER_PIN_OUT;
        assert_true(driven == 0 || (driven == 1 && n >= 18));
    }
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(pressure),
                                       TEST(coordinates),
                                       TEST(noise),
                                       TEST(the_largest_numbers_fit),
                                       TEST(numbers_that_cannot_be),
                                       TEST(each_operation_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
