/* pwmio.PWMOut */
#include "python/modules/pins.h"

typedef struct {
    uint16_t pin, duty;
    uint32_t hz;
    bool open, variable;
} pwm_t;

static bool start(pwm_t *o, uint32_t hz)
{
    const adder_mcu_t *mcu = py_mcu();
    adder_err_t err = mcu->pin->pwm_start(mcu->ctx, o->pin, hz, o->duty, &o->hz);
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pin"));
    if (err == ADDER_ERR_RANGE || err == ADDER_ERR_ARG)
        return py_fail(py_raise(PY_ValueError, "Invalid PWM frequency"));
    if (err == ADDER_ERR_IN_USE)
        return py_fail(py_raise(PY_RuntimeError, "All timers in use"));
    return err == ADDER_OK || py_fail(py_raise_err(err, "PWM"));
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("pin"), PY_KW_INT("duty_cycle", 0, 0, 65535),
                                     PY_KW_INT("frequency", 500, 1, PY_INT_MAX),
                                     PY_KW_BOOL("variable_frequency", false), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    pwm_t *o = s;
    uint16_t pin;
    if (a[2].i > UINT32_MAX)
        return py_fail(py_raise(PY_ValueError, "Invalid PWM frequency"));
    if (!pins_arg(a[0].obj, "pin", &pin) || !pins_can(pin, ADDER_CAP_PWM) || !pins_claim(pin))
        return false;
    o->pin = pin;
    o->open = true;
    o->duty = (uint16_t)a[1].i;
    o->variable = a[3].b;
    return start(o, (uint32_t)a[2].i);
}

static void fini(void *s)
{
    pwm_t *o = s;
    if (o->open)
        pins_release(o->pin);
    o->open = false;
}

static bool live(const void *s)
{
    return ((const pwm_t *)s)->open;
}

static py_t get_duty(py_t self, void *s)
{
    (void)self;
    return py_int(((pwm_t *)s)->duty);
}

static bool set_duty(py_t self, void *s, py_t value)
{
    (void)self;
    pwm_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    int64_t v;
    if (!py_to_int(value, &v))
        return false;
    if (v < 0 || v > 65535)
        return py_fail(py_raise(PY_ValueError, "duty_cycle must be 0-65535"));
    adder_err_t err = mcu->pin->pwm_duty(mcu->ctx, o->pin, (uint16_t)v);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "PWM"));
    o->duty = (uint16_t)v;
    return true;
}

static py_t get_frequency(py_t self, void *s)
{
    (void)self;
    return py_int(((pwm_t *)s)->hz);
}

static bool set_frequency(py_t self, void *s, py_t value)
{
    (void)self;
    pwm_t *o = s;
    int64_t v;
    if (!o->variable)
        return py_fail(py_raise(PY_AttributeError,
                                "PWM frequency not writable when variable_frequency is False on "
                                "construction."));
    if (!py_to_int(value, &v))
        return false;
    if (v < 1 || v > UINT32_MAX)
        return py_fail(py_raise(PY_ValueError, "Invalid PWM frequency"));
    return start(o, (uint32_t)v);
}

static const py_method_t methods[] = {PY_DEINIT, PY_END};
static const py_prop_t props[] = {{"duty_cycle", get_duty, set_duty, 0, NULL},
                                  {"frequency", get_frequency, set_frequency, 0, NULL},
                                  PY_END};
static const py_class_t pwm_class = {
    .module = "pwmio",
    .name = "PWMOut",
    .doc = "PWMOut(pin, *, duty_cycle=0, frequency=500, variable_frequency=False)",
    .size = sizeof(pwm_t),
    .context = true,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .methods = methods,
    .props = props};

static const py_class_t *const classes[] = {&pwm_class, NULL};
const py_module_t pwmio_module = {.name = "pwmio", .classes = classes};
