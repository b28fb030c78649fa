/* A test bench: the PyPortal on a virtual clock, and short ways to use it. Tests only. */
#ifndef SIM_TESTING_H
#define SIM_TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sim/sim.h"

#define OK(expr) assert_int_equal(expr, ADDER_OK)

typedef struct {
    sim_board_t *board;
    const adder_mcu_t *mcu;
    adder_par8_t par8;
    bool bit_banged;
    sim_picture_t picture;
    char msg[SIM_MSG_CAP];
} bench_t;

static inline int bench_setup(void **state)
{
    bench_t *t = calloc(1, sizeof *t);
    cJSON *run = cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 1}");
    t->board = sim_board_open("boards/pyportal.json", run, t->msg, sizeof t->msg);
    cJSON_Delete(run);
    if (t->board == NULL) {
        print_error("%s\n", t->msg);
        free(t);
        return -1;
    }
    t->mcu = sim_board_mcu(t->board);
    *state = t;
    return 0;
}

/* A board of the test's own in `t`, run as `run` says; both JSON. */
static inline void bench_open_in(bench_t *t, const char *json, const char *run)
{
    cJSON *settings = cJSON_Parse(run);
    assert_non_null(settings);
    t->board = sim_board_open_text("test", json, strlen(json), settings, t->msg, sizeof t->msg);
    cJSON_Delete(settings);
    if (t->board == NULL)
        fail_msg("%s", t->msg);
    t->mcu = sim_board_mcu(t->board);
}

/* The same, virtual clock. */
static inline bench_t *bench_open(const char *json)
{
    bench_t *t = calloc(1, sizeof *t);
    bench_open_in(t, json, "{\"clock\": \"virtual\", \"seed\": 1}");
    return t;
}

static inline int bench_teardown(void **state)
{
    bench_t *t = *state;
    sim_picture_free(&t->picture);
    sim_board_close(t->board);
    free(t);
    return 0;
}

static inline uint64_t bench_real_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static inline uint16_t bench_pin(bench_t *t, const char *name)
{
    for (size_t i = 0; i < t->mcu->alias_count; i++)
        if (strcmp(t->mcu->aliases[i].name, name) == 0)
            return t->mcu->aliases[i].pin;
    for (size_t i = 0; i < t->mcu->pin_count; i++)
        if (strcmp(t->mcu->pins[i].name, name) == 0)
            return (uint16_t)i;
    fail_msg("no pin %s", name);
    return ADDER_PIN_NONE;
}

static inline double bench_number(bench_t *t, const char *chip, const char *group, const char *name)
{
    cJSON *s = sim_board_state(t->board, 0);
    const cJSON *part = cJSON_GetObjectItem(cJSON_GetObjectItem(s, "parts"), chip);
    const cJSON *v = cJSON_GetObjectItem(cJSON_GetObjectItem(part, group), name);
    if (v == NULL)
        fail_msg("%s has no %s %s", chip, group, name);
    const double value = cJSON_IsBool(v) ? cJSON_IsTrue(v) : v->valuedouble;
    cJSON_Delete(s);
    return value;
}

static inline double bench_state(bench_t *t, const char *chip, const char *name)
{
    return bench_number(t, chip, "state", name);
}

static inline uint64_t bench_counter(bench_t *t, const char *chip, const char *name)
{
    return (uint64_t)bench_number(t, chip, "counters", name);
}

static inline adder_err_t bench_control(bench_t *t, const char *chip, const char *knobs)
{
    cJSON *json = cJSON_Parse(knobs);
    assert_non_null(json);
    const adder_err_t err = sim_board_control(t->board, chip, json, t->msg, sizeof t->msg);
    cJSON_Delete(json);
    return err;
}

static inline void bench_knob(bench_t *t, const char *chip, const char *knobs)
{
    if (bench_control(t, chip, knobs) != ADDER_OK)
        fail_msg("%s", t->msg);
}

/* ---- display, as a driver talks to it ---- */

static inline void bench_send(bench_t *t, bool command, const uint8_t *bytes, size_t len)
{
    void *ctx = t->mcu->ctx;
    OK(t->mcu->gpio->write(ctx, t->mcu->display.command, !command));
    OK(t->mcu->gpio->write(ctx, t->mcu->display.chip_select, false));
    if (!t->bit_banged)
        OK(t->par8.ops->write(t->par8.ctx, bytes, len));
    for (size_t i = 0; t->bit_banged && i < len; i++) {
        OK(t->mcu->gpio->write(ctx, t->mcu->display.write, false));
        for (unsigned bit = 0; bit < 8; bit++)
            OK(t->mcu->gpio->write(ctx, t->mcu->display.data[bit], (bytes[i] >> bit & 1) != 0));
        OK(t->mcu->gpio->write(ctx, t->mcu->display.write, true));
    }
    OK(t->mcu->gpio->write(ctx, t->mcu->display.chip_select, true));
}

static inline void bench_command(bench_t *t, uint8_t command, const uint8_t *args, size_t len)
{
    bench_send(t, true, &command, 1);
    if (len > 0)
        bench_send(t, false, args, len);
}

static inline void bench_display_start(bench_t *t)
{
    const adder_mcu_display_t *d = &t->mcu->display;
    void *ctx = t->mcu->ctx;
    OK(t->mcu->gpio->mode(ctx, d->command, ADDER_PIN_OUT, true));
    OK(t->mcu->gpio->mode(ctx, d->chip_select, ADDER_PIN_OUT, true));
    OK(t->mcu->gpio->mode(ctx, d->backlight, ADDER_PIN_OUT, true));
    OK(t->mcu->gpio->mode(ctx, d->reset, ADDER_PIN_OUT, false));
    OK(t->mcu->gpio->write(ctx, d->reset, true));
    OK(t->mcu->bus->par8_open(ctx, d->data, d->write, d->read, d->hz, &t->par8));
    for (size_t i = 0; i < d->init_sequence_len;) {
        const uint8_t *record = d->init_sequence + i;
        const size_t n = record[1] & 0x7F;
        bench_command(t, record[0], record + 2, n);
        i += 2 + n + (record[1] >> 7);
    }
}

static inline void bench_window(bench_t *t, unsigned x0, unsigned y0, unsigned x1, unsigned y1,
                                const uint8_t *bytes, size_t len)
{
    const uint8_t columns[4] = {(uint8_t)(x0 >> 8), (uint8_t)x0, (uint8_t)(x1 >> 8), (uint8_t)x1};
    const uint8_t rows[4] = {(uint8_t)(y0 >> 8), (uint8_t)y0, (uint8_t)(y1 >> 8), (uint8_t)y1};
    bench_command(t, 0x2A, columns, 4);
    bench_command(t, 0x2B, rows, 4);
    bench_command(t, 0x2C, bytes, len);
}

static inline uint32_t bench_pixel(bench_t *t, unsigned x, unsigned y)
{
    const adder_err_t err = sim_board_picture(t->board, NULL, &t->picture);
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
    assert_true(x < t->picture.width && y < t->picture.height);
    return t->picture.pixels[y * t->picture.width + x];
}

/* ---- touch, measured as Adafruit_Touchscreen does ---- */

static inline double bench_measure(bench_t *t, const char *high, const char *low, const char *read)
{
    void *ctx = t->mcu->ctx;
    uint16_t value;
    OK(t->mcu->gpio->mode(ctx, bench_pin(t, high), ADDER_PIN_OUT, true));
    OK(t->mcu->gpio->mode(ctx, bench_pin(t, low), ADDER_PIN_OUT, false));
    OK(t->mcu->pin->adc_read(ctx, bench_pin(t, read), &value));
    t->mcu->pin->pin_release(ctx, bench_pin(t, high));
    t->mcu->pin->pin_release(ctx, bench_pin(t, low));
    t->mcu->pin->pin_release(ctx, bench_pin(t, read));
    return value;
}

static inline void bench_touch_read(bench_t *t, double *x, double *y, double *z)
{
    *x = bench_measure(t, "TOUCH_YU", "TOUCH_YD", "TOUCH_XR");
    *y = bench_measure(t, "TOUCH_XR", "TOUCH_XL", "TOUCH_YU");
    const double z1 = bench_measure(t, "TOUCH_YD", "TOUCH_XR", "TOUCH_XL");
    const double z2 = bench_measure(t, "TOUCH_YD", "TOUCH_XR", "TOUCH_YU");
    *z = 65535 - (z2 - z1);
}

/* ---- I2C by hand ---- */

static inline void bench_line(bench_t *t, const char *name, bool high)
{
    OK(t->mcu->gpio->write(t->mcu->ctx, bench_pin(t, name), high));
}

static inline void bench_i2c_begin(bench_t *t)
{
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "SCL"), ADDER_PIN_OUT_OPEN_DRAIN, true));
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "SDA"), ADDER_PIN_OUT_OPEN_DRAIN, true));
}

static inline void bench_i2c_start(bench_t *t)
{
    bench_line(t, "SDA", true);
    bench_line(t, "SCL", true);
    bench_line(t, "SDA", false);
    bench_line(t, "SCL", false);
}

static inline void bench_i2c_stop(bench_t *t)
{
    bench_line(t, "SDA", false);
    bench_line(t, "SCL", true);
    bench_line(t, "SDA", true);
}

static inline bool bench_i2c_bit(bench_t *t, bool out)
{
    bool in;
    bench_line(t, "SDA", out);
    bench_line(t, "SCL", true);
    OK(t->mcu->gpio->read(t->mcu->ctx, bench_pin(t, "SDA"), &in));
    bench_line(t, "SCL", false);
    return in;
}

static inline bool bench_i2c_write(bench_t *t, unsigned byte) /* true = acknowledged */
{
    for (int i = 7; i >= 0; i--)
        bench_i2c_bit(t, (byte >> i & 1) != 0);
    return !bench_i2c_bit(t, true);
}

static inline int bench_i2c_read(bench_t *t, bool more)
{
    int byte = 0;
    for (int i = 0; i < 8; i++)
        byte = byte << 1 | (bench_i2c_bit(t, true) ? 1 : 0);
    bench_i2c_bit(t, !more);
    return byte;
}

#endif
