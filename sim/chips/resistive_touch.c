/* A four-wire resistive touch panel on four analog pins: two resistive sheets, touching where a
 * finger presses. What the pins see is the solved resistor network, so any way of driving it works:
 * Adafruit_Touchscreen's, its pressure measurement, or a wake-up through a pull-up.
 *
 *      yd o--[ sheet A ]--o yu        gradient along screen x, 0 at yd
 *                 |
 *              contact                (only while touched)
 *                 |
 *      xl o--[ sheet B ]--o xr        gradient along screen y, 0 at xl
 *
 * The electrodes of a sheet do not sit at its very edge: "calibration" gives the 16-bit readings at
 * the screen's edges, in the form programs pass to Touchscreen(calibration=...). */
#include <math.h>
#include <string.h>

#include "sim/chips/chips.h"

enum { XL, XR, YD, YU };
static const char *const touch_pins[] = {"xl", "xr", "yd", "yu", NULL};

/* A finger does not come and go at once: its pressure rises and falls, and the sheets still touch
 * when the pressure is already too low to count. A program that measures pressure first and position
 * afterwards relies on that; without it a release between the two gives a point at the edge. */
enum { RAMP_US = 8000, LINGER_US = 24000, RAMP_STEP_US = 500 };
static const double light_ohm = 20000;

typedef struct {
    sim_chip_t chip;
    double size[2], x_range[2], y_range[2];
    double sheet_a_ohm, sheet_b_ohm, contact_ohm;
    bool touched, turned; /* the finger; turned = since the last poll */
    double x, y, pressure;
    uint64_t since_us;     /* it came or went */
    bool lifting, contact; /* the sheets touch */
    double now_ohm;
    uint64_t touches, samples;
    sim_counter_t counters[2];
} touch_t;

static adder_err_t touch_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    touch_t *t = (touch_t *)c;
    const cJSON *calibration = cJSON_GetObjectItemCaseSensitive(config, "calibration");
    t->sheet_a_ohm = 300;
    t->sheet_b_ohm = 600;
    t->contact_ohm = 120;
    t->pressure = 1;
    adder_err_t err =
        chip_pair(cJSON_GetObjectItemCaseSensitive(config, "size"), "size", 1, 4096, t->size, msg, cap);
    if (err == ADDER_OK)
        err = chip_pair(cJSON_GetArrayItem(calibration, 0), "calibration[0]", 0, 65535, t->x_range, msg, cap);
    if (err == ADDER_OK)
        err = chip_pair(cJSON_GetArrayItem(calibration, 1), "calibration[1]", 0, 65535, t->y_range, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "sheet_a_ohm", 10, 10000, &t->sheet_a_ohm, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "sheet_b_ohm", 10, 10000, &t->sheet_b_ohm, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "contact_ohm", 1, 100000, &t->contact_ohm, msg, cap);
    return err;
}

static void touch_power_on(sim_chip_t *c, uint64_t now_us)
{
    touch_t *t = (touch_t *)c; /* a finger stays where it is */
    t->since_us = now_us > LINGER_US ? now_us - LINGER_US : 0;
    t->contact = t->touched;
    t->lifting = false;
    t->now_ohm = t->pressure > 0 ? t->contact_ohm / t->pressure : light_ohm;
}

/* ---- the network ---- */

enum { NODES = 6, NODE_A = 4, NODE_B = 5 }; /* 0..3 = the electrodes, by pin number */

typedef struct {
    double g[NODES][NODES + 1]; /* conductance matrix, right-hand side last */
} network_t;

static void join(network_t *n, int a, int b, double ohm)
{
    const double g = 1 / ohm;
    n->g[a][a] += g;
    n->g[b][b] += g;
    n->g[a][b] -= g;
    n->g[b][a] -= g;
}

static void source(network_t *n, int node, double volts, double ohm)
{
    n->g[node][node] += 1 / ohm;
    n->g[node][NODES] += volts / ohm;
}

/* Gauss elimination; the leaks keep the matrix regular. */
static void solve(network_t *n, double out[NODES])
{
    for (int k = 0; k < NODES; k++)
        for (int row = k + 1; row < NODES; row++) {
            const double f = n->g[row][k] / n->g[k][k];
            for (int col = k; col <= NODES; col++)
                n->g[row][col] -= f * n->g[k][col];
        }
    for (int k = NODES - 1; k >= 0; k--) {
        double v = n->g[k][NODES];
        for (int col = k + 1; col < NODES; col++)
            v -= n->g[k][col] * out[col];
        out[k] = v / n->g[k][k];
    }
}

/* Programs map the calibrated range to 0..size-1 and cut off the fraction (Touchscreen 1.3): a little
 * more than the pixel's number comes out as that number, rounding of the converter included. */
static double fraction_at(double position, double size, const double range[2])
{
    const double f =
        (range[0] + (position + 0.3) / (size > 1 ? size - 1 : 1) * (range[1] - range[0])) / 65535;
    return f < 0.001 ? 0.001 : f > 0.999 ? 0.999 : f;
}

/* ---- the finger ---- */

static double ramp(double from_ohm, double to_ohm, uint64_t us)
{
    return from_ohm * pow(to_ohm / from_ohm, us >= RAMP_US ? 1 : (double)us / RAMP_US);
}

static uint64_t touch_poll(sim_chip_t *c, uint64_t now_us)
{
    touch_t *t = (touch_t *)c;
    const double pressed_ohm = t->contact_ohm / t->pressure;
    if (t->turned) {
        t->turned = false;
        t->since_us = now_us;
    }
    const uint64_t us = now_us - t->since_us;
    t->lifting = t->lifting && !t->touched && us < LINGER_US;
    t->contact = t->touched || t->lifting;
    t->now_ohm = t->touched ? ramp(light_ohm, pressed_ohm, us) : ramp(pressed_ohm, light_ohm, us);
    return us < LINGER_US ? now_us + RAMP_STEP_US : UINT64_MAX;
}

static bool touch_analog(sim_chip_t *c, unsigned pin, float *fraction_out)
{
    touch_t *t = (touch_t *)c;
    network_t n = {0};
    double volts[NODES];
    const double a = t->contact ? fraction_at(t->x, t->size[0], t->x_range) : 0.5;
    const double b = t->contact ? fraction_at(t->y, t->size[1], t->y_range) : 0.5;
    join(&n, YD, NODE_A, t->sheet_a_ohm * a);
    join(&n, NODE_A, YU, t->sheet_a_ohm * (1 - a));
    join(&n, XL, NODE_B, t->sheet_b_ohm * b);
    join(&n, NODE_B, XR, t->sheet_b_ohm * (1 - b));
    if (t->contact)
        join(&n, NODE_A, NODE_B, t->now_ohm);
    for (unsigned i = 0; i < 4; i++) {
        const sim_wire_t wire = sim_chip_wire(c, i);
        source(&n, (int)i, 0, 1e8); /* the converter's leak */
        if (wire == SIM_WIRE_HIGH || wire == SIM_WIRE_LOW)
            source(&n, (int)i, wire == SIM_WIRE_HIGH, 0.01); /* a pin driver: next to nothing */
        else if (wire == SIM_WIRE_PULL_HIGH || wire == SIM_WIRE_PULL_LOW)
            source(&n, (int)i, wire == SIM_WIRE_PULL_HIGH, 40000);
    }
    solve(&n, volts);
    t->samples++;
    *fraction_out = (float)volts[pin];
    return true;
}

/* ---- outside ---- */

static adder_err_t touch_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    touch_t *t = (touch_t *)c;
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(knobs, "touch");
    double x, y;
    (void)msg, (void)cap; /* checked by the core against size and knobs */
    if (v != NULL) {
        const bool was = t->touched;
        t->touched = sim_knob_point(v, &x, &y);
        if (t->touched) {
            t->x = x;
            t->y = y;
            t->pressure = 1;
            t->touches += !was;
        }
        t->turned = t->turned || was != t->touched;
        t->lifting = t->lifting || (was && !t->touched);
    }
    chip_turn(knobs, "pressure", &t->pressure);
    sim_chip_changed(c);
    return ADDER_OK;
}

static void touch_describe(sim_chip_t *c, cJSON *into)
{
    const touch_t *t = (const touch_t *)c;
    if (!t->touched) {
        cJSON_AddNullToObject(into, "touch");
        return;
    }
    const double point[2] = {t->x, t->y};
    cJSON_AddItemToObject(into, "touch", cJSON_CreateDoubleArray(point, 2));
    cJSON_AddNumberToObject(into, "pressure", t->pressure);
}

static const sim_counter_t *touch_counters(sim_chip_t *c, size_t *n_out)
{
    touch_t *t = (touch_t *)c;
    t->counters[0] = (sim_counter_t){"touches", t->touches};
    t->counters[1] = (sim_counter_t){"samples", t->samples};
    *n_out = 2;
    return t->counters;
}

static const sim_knob_t touch_knobs[] = {
    {.name = "touch", .kind = SIM_KNOB_TOUCH, .label = "Touch"},
    {.name = "pressure", .kind = SIM_KNOB_NUMBER, .label = "Pressure", .min = 0.05, .max = 1, .step = 0.05},
    {0}};

const sim_chip_class_t sim_chip_resistive_touch = {
    .type = "resistive_touch",
    .title = "Resistive touch panel",
    .pins = touch_pins,
    .size = sizeof(touch_t),
    .create = touch_create,
    .power_on = touch_power_on,
    .analog = touch_analog,
    .poll = touch_poll,
    .control = touch_control,
    .describe = touch_describe,
    .counters = touch_counters,
    .knobs = touch_knobs,
};
