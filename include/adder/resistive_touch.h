/* A four-wire resistive touch panel on four pins: two resistive sheets that touch where a finger presses.
 *
 *     adder_resistive_touch_t t = {.x1 = xl, .x2 = xr, .y1 = yd, .y2 = yu, .adc_read = adc_read, .adc_ctx =
 * adc, .samples = 4, .z_threshold = 10000, .invert_pressure = true, .calibration = {{5200, 59000}, {5800,
 * 57000}}, .size = {320, 240}}; adder_touch_point_t point; bool touched; err = adder_resistive_touch_read(&t,
 * &touched, &point);
 *
 * How it measures (the usual method, as in Atmel's AVR341 and TI's SLAA384):
 *
 *     pressure: x2 low, y1 high;  z1 = voltage at x1, z2 = voltage at y2, both without current of their own
 *     x:        y2 high, y1 low;  voltage at x2
 *     y:        x2 high, x1 low;  voltage at y2
 *
 * Cost of a read: 2 conversions without a finger; 6 with one, at most 2 + 2 * samples: a coordinate is had as
 * soon as two conversions in a row are equal.
 *
 * Memory: the struct is the caller's and holds no state: two panels, two structs. Threading: that of the
 * pins. */
#ifndef ADDER_RESISTIVE_TOUCH_H
#define ADDER_RESISTIVE_TOUCH_H

#include "adder/bus.h"

enum { ADDER_RESISTIVE_TOUCH_CALIBRATION_MAX = 1 << 20, ADDER_RESISTIVE_TOUCH_SIZE_MAX = 1 << 16 };

typedef struct {
    adder_pin_t x1, x2, y1, y2; /* left, right, bottom, top; plain inputs before and after a read */
    /* One conversion of x1, x2 or y2 while it is an input: 0..65535 whatever the converter's width. */
    adder_err_t (*adc_read)(void *ctx, uint16_t pin, uint16_t *value_out);
    void *adc_ctx;
    uint16_t samples;          /* most conversions a coordinate, from 1 */
    int32_t z_threshold;       /* a finger has more pressure than that */
    bool invert_pressure;      /* pressure 65535 - (z2 - z1), else z2 + z1 */
    int32_t calibration[2][2]; /* of x and y: the readings at 0 and at size - 1, in either order; not equal */
    int32_t size[2];           /* pixels; a coordinate is 0..size - 1 */
} adder_resistive_touch_t;

typedef struct {
    int32_t x, y, z; /* z: pressure, 0..131070 */
} adder_touch_point_t;

/* Whether a panel can be read with these numbers: ADDER_ERR_ARG (samples 0, both ends of a calibration equal)
 * or ADDER_ERR_RANGE (a reading beyond +-CALIBRATION_MAX, a size outside 1..SIZE_MAX). */
adder_err_t adder_resistive_touch_check(const adder_resistive_touch_t *t) ADDER_MUST_USE;

/* Measure once. *out is set if *touched_out is true. Errors: adder_resistive_touch_check()'s; the pins' and
 * the converter's, unchanged. The pins are inputs again in every case in which they let themselves be made
 * so. */
adder_err_t adder_resistive_touch_read(const adder_resistive_touch_t *t, bool *touched_out,
                                       adder_touch_point_t *out) ADDER_MUST_USE;

#endif
