/* adafruit_touchscreen: Touchscreen over adder/resistive_touch.h. The pins are taken for the time of a read
 * only. */
#include <math.h>

#include "adder/resistive_touch.h"
#include "python/modules/pins.h"

enum { X1, X2, Y1, Y2, PINS };
enum { FULL_SCALE = 65535 };

typedef struct {
    py_field_t pins[PINS];
    adder_resistive_touch_t panel; /* its pins are filled in at each read */
} touch_t;

/* ---- making ---- */

/* A number of the program: whole, or rounded to whole. */
static bool whole(py_t v, int32_t *out)
{
    double d;
    if (!py_to_float(v, &d))
        return false;
    *out = !(d > INT32_MIN) ? INT32_MIN : d >= INT32_MAX ? INT32_MAX : (int32_t)lround(d);
    return true;
}

static bool two(py_t v, int32_t out[2])
{
    for (size_t i = 0; i < 2; i++) {
        py_t item = py_item_at(v, i);
        if (py_null(item) || !whole(item, &out[i]))
            return false;
    }
    return true;
}

/* None, () and the like mean "not given", as Python's `or` has it. */
static bool given(py_t v, bool *out)
{
    *out = false;
    return py_null(v) || py_to_bool(v, out);
}

static bool calibration_of(py_t v, adder_resistive_touch_t *panel)
{
    bool set;
    for (int axis = 0; axis < 2; axis++)
        panel->calibration[axis][1] = FULL_SCALE;
    if (!given(v, &set) || !set)
        return !py_error();
    for (size_t axis = 0; axis < 2; axis++) {
        py_t range = py_item_at(v, axis);
        if (py_null(range) || !two(range, panel->calibration[axis]))
            return false;
    }
    return true;
}

static bool size_of(py_t v, adder_resistive_touch_t *panel)
{
    bool set;
    panel->size[0] = panel->size[1] = FULL_SCALE;
    if (!given(v, &set) || !set)
        return !py_error();
    return two(v, panel->size);
}

enum { RESISTANCE = PINS, SAMPLES, THRESHOLD, CALIBRATION, SIZE, INVERT };
static const py_arg_t init_args[] = {[X1] = PY_REQ_OBJ("x1_pin"),
                                     [X2] = PY_REQ_OBJ("x2_pin"),
                                     [Y1] = PY_REQ_OBJ("y1_pin"),
                                     [Y2] = PY_REQ_OBJ("y2_pin"),
                                     [RESISTANCE] =
                                         PY_KW_OBJ("x_resistance"), /* taken; nothing depends on it */
                                     [SAMPLES] = PY_KW_INT("samples", 4, 1, UINT16_MAX),
                                     [THRESHOLD] = PY_KW_FLOAT("z_threshold", 10000),
                                     [CALIBRATION] = PY_KW_OBJ("calibration"),
                                     [SIZE] = PY_KW_OBJ("size"),
                                     [INVERT] = PY_KW_BOOL("invert_pressure", true),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    touch_t *t = s;
    adder_resistive_touch_t *panel = &t->panel;
    const double threshold = floor(a[THRESHOLD].f); /* pressures are whole */
    panel->samples = (uint16_t)a[SAMPLES].i;
    panel->invert_pressure = a[INVERT].b;
    panel->z_threshold = !(threshold > INT32_MIN) ? INT32_MIN
                         : threshold >= INT32_MAX ? INT32_MAX
                                                  : (int32_t)threshold;
    if (!calibration_of(a[CALIBRATION].obj, panel) || !size_of(a[SIZE].obj, panel))
        return false;
    const adder_err_t err = adder_resistive_touch_check(panel);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "calibration, size"));
    for (int i = 0; i < PINS; i++)
        py_field_set(self, &t->pins[i], a[i].obj);
    return true;
}

static bool live(const void *s)
{
    return ((const touch_t *)s)->pins[X1].word != NULL;
}

/* ---- reading ---- */

/* In the order in which Adafruit's library makes its DigitalInOut and AnalogIn: the first that cannot be had
 * is named. */
static const struct {
    uint8_t pin;
    uint16_t caps;
} needs[PINS] = {{X2, ADDER_CAP_DIGITAL | ADDER_CAP_ADC},
                 {Y1, ADDER_CAP_DIGITAL},
                 {X1, ADDER_CAP_DIGITAL | ADDER_CAP_ADC},
                 {Y2, ADDER_CAP_DIGITAL | ADDER_CAP_ADC}};

static bool take_pins(const touch_t *t, uint16_t pins[PINS], int *taken_out)
{
    for (*taken_out = 0; *taken_out < PINS; ++*taken_out) {
        uint16_t pin;
        if (!pins_arg(py_field_get(&t->pins[needs[*taken_out].pin]), "pin", &pin) ||
            !pins_can(pin, needs[*taken_out].caps) || !pins_claim(pin))
            return false;
        pins[needs[*taken_out].pin] = pin;
    }
    return true;
}

static adder_err_t measure(touch_t *t, const uint16_t pins[PINS], bool *touched_out, adder_touch_point_t *out)
{
    const adder_mcu_t *mcu = py_mcu();
    adder_pin_t *const into[PINS] = {&t->panel.x1, &t->panel.x2, &t->panel.y1, &t->panel.y2};
    for (int i = 0; i < PINS; i++)
        *into[i] = (adder_pin_t){mcu->gpio, mcu->ctx, pins[i]};
    t->panel.adc_read = mcu->pin->adc_read;
    t->panel.adc_ctx = mcu->ctx;
    return adder_resistive_touch_read(&t->panel, touched_out, out);
}

static py_t get_touch_point(py_t self, void *s)
{
    (void)self;
    touch_t *t = s;
    uint16_t pins[PINS];
    int taken;
    bool touched = false;
    adder_touch_point_t at;
    adder_err_t err = ADDER_OK;
    const bool ok = take_pins(t, pins, &taken);
    if (ok)
        err = measure(t, pins, &touched, &at);
    while (taken-- > 0)
        pins_release(pins[needs[taken].pin]);
    if (!ok)
        return PY_NULL;
    if (err != ADDER_OK)
        return py_raise_err(err, "touch panel");
    if (!touched)
        return py_none();
    const py_t items[] = {py_int(at.x), py_int(at.y), py_int(at.z)};
    return py_tuple(items, 3);
}

static py_t get_invert(py_t self, void *s)
{
    (void)self;
    return py_bool(((touch_t *)s)->panel.invert_pressure);
}

static bool set_invert(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_bool(value, &((touch_t *)s)->panel.invert_pressure);
}

static const py_prop_t props[] = {{"touch_point", get_touch_point, NULL, 0, NULL},
                                  {"invert_pressure", get_invert, set_invert, 0, NULL},
                                  PY_END};
static const uint16_t fields[] = {offsetof(touch_t, pins[X1]), offsetof(touch_t, pins[X2]),
                                  offsetof(touch_t, pins[Y1]), offsetof(touch_t, pins[Y2]), PY_FIELDS_END};
static const py_class_t touch_class = {
    .module = "adafruit_touchscreen",
    .name = "Touchscreen",
    .doc = "Touchscreen(x1_pin, x2_pin, y1_pin, y2_pin, *, x_resistance=None, samples=4, z_threshold=10000, "
           "calibration=None, size=None, invert_pressure=True)",
    .size = sizeof(touch_t),
    .fields = fields,
    .attributes = true,
    .init_args = init_args,
    .init = init,
    .live = live,
    .props = props};

/* ---- map_range ---- */

static const py_arg_t map_args[] = {PY_REQ_FLOAT("x"),       PY_REQ_FLOAT("in_min"),  PY_REQ_FLOAT("in_max"),
                                    PY_REQ_FLOAT("out_min"), PY_REQ_FLOAT("out_max"), PY_END};

static py_t map_range(const py_val_t *a)
{
    if (a[2].f == a[1].f)
        return py_raise(PY_ZeroDivisionError, "division by zero");
    const double at = (a[0].f - a[1].f) * (a[4].f - a[3].f) / (a[2].f - a[1].f) + a[3].f;
    const bool rising = a[3].f <= a[4].f;
    const py_val_t *lo = rising ? &a[3] : &a[4], *hi = rising ? &a[4] : &a[3];
    return at < lo->f   ? lo->obj
           : at > hi->f ? hi->obj
                        : py_float(at); /* an end as it was given, int or float */
}

static const py_function_t functions[] = {{"map_range", map_range, map_args, NULL}, PY_END};
static const py_class_t *const classes[] = {&touch_class, NULL};
const py_module_t touchscreen_module = {
    .name = "adafruit_touchscreen", .functions = functions, .classes = classes};
