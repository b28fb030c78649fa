#include "adder/resistive_touch.h"

enum { FULL_SCALE = 65535 };

adder_err_t adder_resistive_touch_check(const adder_resistive_touch_t *t)
{
    if (t->samples == 0)
        return ADDER_ERR_ARG;
    for (int axis = 0; axis < 2; axis++) {
        const int32_t *range = t->calibration[axis];
        if (range[0] == range[1])
            return ADDER_ERR_ARG;
        for (int end = 0; end < 2; end++) {
            if (range[end] < -ADDER_RESISTIVE_TOUCH_CALIBRATION_MAX ||
                range[end] > ADDER_RESISTIVE_TOUCH_CALIBRATION_MAX)
                return ADDER_ERR_RANGE;
        }
        if (t->size[axis] < 1 || t->size[axis] > ADDER_RESISTIVE_TOUCH_SIZE_MAX)
            return ADDER_ERR_RANGE;
    }
    return ADDER_OK;
}

/* ---- pins ---- */

/* One pin of the four high, one low, the others without current. Those let go first: no two drivers meet.
 * NULL for both lets go of all. Each pin is set whatever became of the others; the first error. */
static adder_err_t drive(const adder_resistive_touch_t *t, const adder_pin_t *high, const adder_pin_t *low)
{
    const adder_pin_t *const pins[] = {&t->x1, &t->x2, &t->y1, &t->y2};
    adder_err_t first = ADDER_OK;
    for (int i = 0; i < 4; i++) {
        if (pins[i] == high || pins[i] == low)
            continue;
        const adder_err_t err = adder_pin_mode(pins[i], ADDER_PIN_IN, false);
        first = first == ADDER_OK ? err : first;
    }
    for (int i = 0; i < 4 && first == ADDER_OK; i++) {
        if (pins[i] == high || pins[i] == low)
            first = adder_pin_mode(pins[i], ADDER_PIN_OUT, pins[i] == high);
    }
    return first;
}

static adder_err_t convert(const adder_resistive_touch_t *t, const adder_pin_t *pin, uint16_t *out)
{
    return t->adc_read(t->adc_ctx, pin->pin, out);
}

/* ---- measuring ---- */

static adder_err_t measure_pressure(const adder_resistive_touch_t *t, int32_t *z_out)
{
    uint16_t z1 = 0, z2 = 0;
    adder_err_t err = drive(t, &t->y1, &t->x2);
    if (err == ADDER_OK)
        err = convert(t, &t->x1, &z1);
    if (err == ADDER_OK)
        err = convert(t, &t->y2, &z2);
    *z_out = t->invert_pressure ? FULL_SCALE - (z2 - z1) : z2 + z1;
    return err;
}

/* 0..size-1 of what `n` conversions sum up to. Limits as in check(): at most 2^16 * 2^21 * 2^16. */
static int32_t scale(int64_t sum, int32_t n, const int32_t range[2], int32_t size)
{
    const int64_t span = (int64_t)n * (range[1] - range[0]);
    const int64_t at = (sum - (int64_t)n * range[0]) * (size - 1) / span;
    return at < 0 ? 0 : at >= size ? size - 1 : (int32_t)at;
}

/* The mean of all samples; or sooner what two in a row agree on: then the sheet has settled and more of the
 * same would not change it. */
static adder_err_t measure_axis(const adder_resistive_touch_t *t, int axis, const adder_pin_t *high,
                                const adder_pin_t *low, const adder_pin_t *tap, int32_t *out)
{
    int64_t sum = 0;
    uint16_t value = 0;
    int32_t before = -1, n = 0;
    adder_err_t err = drive(t, high, low);
    while (err == ADDER_OK && n < t->samples) {
        err = convert(t, tap, &value);
        if (err == ADDER_OK && value == before) {
            sum = value;
            n = 1;
            break;
        }
        sum += value;
        before = value;
        n++;
    }
    if (err == ADDER_OK)
        *out = scale(sum, n, t->calibration[axis], t->size[axis]);
    return err;
}

adder_err_t adder_resistive_touch_read(const adder_resistive_touch_t *t, bool *touched_out,
                                       adder_touch_point_t *out)
{
    *touched_out = false;
    adder_err_t err = adder_resistive_touch_check(t);
    if (err != ADDER_OK)
        return err;
    adder_touch_point_t point = {0};
    err = measure_pressure(t, &point.z);
    const bool touched = err == ADDER_OK && point.z > t->z_threshold;
    if (touched)
        err = measure_axis(t, 0, &t->y2, &t->y1, &t->x2, &point.x);
    if (touched && err == ADDER_OK)
        err = measure_axis(t, 1, &t->x2, &t->x1, &t->y2, &point.y);
    const adder_err_t end = drive(t, NULL, NULL);
    if (err != ADDER_OK || end != ADDER_OK)
        return err != ADDER_OK ? err : end;
    *touched_out = touched;
    if (touched)
        *out = point;
    return ADDER_OK;
}
