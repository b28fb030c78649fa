/* digitalio: DigitalInOut, Direction, Pull, DriveMode */
#include "python/modules/digitalio.h"
#include "python/modules/pins.h"

typedef struct {
    uint16_t pin;
    bool open, output, open_drain;
    int pull; /* -1, DIGITALIO_UP, DIGITALIO_DOWN */
} dio_t;

static const char *const directions[] = {"INPUT", "OUTPUT", NULL};
static const char *const pulls[] = {"UP", "DOWN", NULL};
static const char *const drive_modes[] = {"PUSH_PULL", "OPEN_DRAIN", NULL};
const py_enum_t digitalio_direction_enum = {"digitalio", "Direction", directions};
const py_enum_t digitalio_pull_enum = {"digitalio", "Pull", pulls};
static const py_enum_t drive_mode_enum = {"digitalio", "DriveMode", drive_modes};

static bool check(adder_err_t err)
{
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pin"));
    return err == ADDER_OK || py_fail(py_raise_err(err, NULL));
}

static bool to_input(dio_t *d, int pull)
{
    const adder_mcu_t *mcu = py_mcu();
    adder_pin_mode_t mode = pull == DIGITALIO_UP     ? ADDER_PIN_IN_PULL_UP
                            : pull == DIGITALIO_DOWN ? ADDER_PIN_IN_PULL_DOWN
                                                     : ADDER_PIN_IN;
    if (!check(mcu->gpio->mode(mcu->ctx, d->pin, mode, false)))
        return false;
    d->output = false;
    d->pull = pull;
    return true;
}

static bool to_output(dio_t *d, bool value, bool open_drain)
{
    const adder_mcu_t *mcu = py_mcu();
    if (mcu->pins[d->pin].caps & ADDER_CAP_INPUT_ONLY)
        return py_fail(py_raise(PY_ValueError, "Pin is input only"));
    adder_pin_mode_t mode = open_drain ? ADDER_PIN_OUT_OPEN_DRAIN : ADDER_PIN_OUT;
    if (!check(mcu->gpio->mode(mcu->ctx, d->pin, mode, value)))
        return false;
    d->output = true;
    d->open_drain = open_drain;
    return true;
}

static bool pull_of(py_t v, const char *name, int *out)
{
    *out = -1;
    return py_null(v) || py_is_none(v) || py_enum_arg(v, &digitalio_pull_enum, name, out);
}

bool digitalio_pull_arg(const py_val_t *a, const char *name, adder_pin_mode_t *out)
{
    int pull;
    if (!pull_of(a->obj, name, &pull))
        return false;
    *out = pull == DIGITALIO_UP     ? ADDER_PIN_IN_PULL_UP
           : pull == DIGITALIO_DOWN ? ADDER_PIN_IN_PULL_DOWN
                                    : ADDER_PIN_IN;
    return true;
}

/* ---- life ---- */

static const py_arg_t init_args[] = {PY_REQ_OBJ("pin"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    dio_t *d = s;
    if (!pins_claim_arg(a[0].obj, "pin", &d->pin))
        return false;
    d->open = true;
    return pins_can(d->pin, ADDER_CAP_DIGITAL) && to_input(d, -1);
}

static void fini(void *s)
{
    dio_t *d = s;
    if (d->open)
        pins_release(d->pin);
    d->open = false;
}

static bool live(const void *s)
{
    return ((const dio_t *)s)->open;
}

/* ---- methods ---- */

static const py_arg_t output_args[] = {PY_OPT_BOOL("value", false), PY_OPT_OBJ("drive_mode"), PY_END};

static py_t switch_to_output(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int mode = 0;
    if (a[1].given && !py_enum_arg(a[1].obj, &drive_mode_enum, "drive_mode", &mode))
        return PY_NULL;
    return to_output(s, a[0].b, mode == 1) ? py_none() : PY_NULL;
}

static const py_arg_t input_args[] = {PY_OPT_OBJ("pull"), PY_END};

static py_t switch_to_input(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int pull;
    return pull_of(a[0].obj, "pull", &pull) && to_input(s, pull) ? py_none() : PY_NULL;
}

/* ---- properties ---- */

static py_t get_direction(py_t self, void *s)
{
    (void)self;
    return py_enum_value(&digitalio_direction_enum, ((dio_t *)s)->output);
}

static bool set_direction(py_t self, void *s, py_t value)
{
    (void)self;
    int direction;
    if (!py_enum_arg(value, &digitalio_direction_enum, "direction", &direction))
        return false;
    return direction == 1 ? to_output(s, false, false) : to_input(s, -1);
}

static py_t get_value(py_t self, void *s)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    bool level;
    return check(mcu->gpio->read(mcu->ctx, ((dio_t *)s)->pin, &level)) ? py_bool(level) : PY_NULL;
}

static bool set_value(py_t self, void *s, py_t value)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    bool level;
    if (!((dio_t *)s)->output)
        return py_fail(py_raise(PY_AttributeError, "Cannot set value when direction is input."));
    return py_to_bool(value, &level) && check(mcu->gpio->write(mcu->ctx, ((dio_t *)s)->pin, level));
}

static py_t get_drive_mode(py_t self, void *s)
{
    (void)self;
    dio_t *d = s;
    if (!d->output)
        return py_raise(PY_AttributeError, "Drive mode not used when direction is input.");
    return py_enum_value(&drive_mode_enum, d->open_drain);
}

static bool set_drive_mode(py_t self, void *s, py_t value)
{
    (void)self;
    dio_t *d = s;
    const adder_mcu_t *mcu = py_mcu();
    int mode;
    bool level;
    if (!d->output)
        return py_fail(py_raise(PY_AttributeError, "Drive mode not used when direction is input."));
    return py_enum_arg(value, &drive_mode_enum, "drive_mode", &mode) &&
           check(mcu->gpio->read(mcu->ctx, d->pin, &level)) && to_output(d, level, mode == 1);
}

static py_t get_pull(py_t self, void *s)
{
    (void)self;
    dio_t *d = s;
    if (d->output)
        return py_raise(PY_AttributeError, "Pull not used when direction is output.");
    return d->pull < 0 ? py_none() : py_enum_value(&digitalio_pull_enum, d->pull);
}

static bool set_pull(py_t self, void *s, py_t value)
{
    (void)self;
    int pull;
    if (((dio_t *)s)->output)
        return py_fail(py_raise(PY_AttributeError, "Pull not used when direction is output."));
    return pull_of(value, "pull", &pull) && to_input(s, pull);
}

static const py_method_t methods[] = {PY_DEINIT,
                                      {"switch_to_output", switch_to_output, output_args, 0, NULL},
                                      {"switch_to_input", switch_to_input, input_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"direction", get_direction, set_direction, 0, NULL},
                                  {"value", get_value, set_value, 0, NULL},
                                  {"drive_mode", get_drive_mode, set_drive_mode, 0, NULL},
                                  {"pull", get_pull, set_pull, 0, NULL},
                                  PY_END};
const py_class_t digitalio_class = {
    .module = "digitalio",
    .name = "DigitalInOut",
    .doc = "DigitalInOut(pin): an input without pull until it is told otherwise.",
    .size = sizeof(dio_t),
    .context = true,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .methods = methods,
    .props = props};

bool digitalio_arg(py_t v, const char *name, uint16_t *pin_out, bool *output_out)
{
    dio_t *d = py_struct_arg(v, &digitalio_class, name);
    if (d == NULL)
        return false;
    *pin_out = d->pin;
    if (output_out != NULL)
        *output_out = d->output;
    return true;
}

static const py_class_t *const classes[] = {&digitalio_class, NULL};
static const py_enum_t *const enums[] = {&digitalio_direction_enum, &digitalio_pull_enum, &drive_mode_enum,
                                         NULL};
const py_module_t digitalio_module = {.name = "digitalio", .classes = classes, .enums = enums};
