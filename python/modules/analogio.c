/* analogio: AnalogIn, AnalogOut */
#include "python/modules/pins.h"

typedef struct {
    uint16_t pin;
    bool open;
} analog_t;

static const py_arg_t init_args[] = {PY_REQ_OBJ("pin"), PY_END};

static bool open_pin(void *s, const py_val_t *a, uint16_t caps)
{
    analog_t *o = s;
    uint16_t pin;
    if (!pins_arg(a[0].obj, "pin", &pin) || !pins_can(pin, caps) || !pins_claim(pin))
        return false;
    o->pin = pin;
    o->open = true;
    return true;
}

static bool in_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return open_pin(s, a, ADDER_CAP_ADC);
}

static bool out_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    bool any = false;
    for (size_t i = 0; i < mcu->pin_count; i++)
        any = any || (mcu->pins[i].caps & ADDER_CAP_DAC);
    if (!any)
        return py_fail(py_raise(PY_NotImplementedError, "AnalogOut functionality not supported"));
    return open_pin(s, a, ADDER_CAP_DAC);
}

static void fini(void *s)
{
    analog_t *o = s;
    if (o->open)
        pins_release(o->pin);
    o->open = false;
}

static bool live(const void *s)
{
    return ((const analog_t *)s)->open;
}

static py_t get_value(py_t self, void *s)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    uint16_t value;
    adder_err_t err = mcu->pin->adc_read(mcu->ctx, ((analog_t *)s)->pin, &value);
    return err == ADDER_OK ? py_int(value) : py_raise_err(err, "ADC");
}

static py_t get_reference(py_t self, void *s)
{
    (void)self, (void)s;
    return py_float((double)py_mcu()->adc_reference_v);
}

static bool set_value(py_t self, void *s, py_t value)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    int64_t v;
    if (!py_to_int(value, &v))
        return false;
    if (v < 0 || v > 65535)
        return py_fail(py_raise(PY_ValueError, "value must be 0-65535"));
    adder_err_t err = mcu->pin->dac_write(mcu->ctx, ((analog_t *)s)->pin, (uint16_t)v);
    return err == ADDER_OK || py_fail(py_raise_err(err, "DAC"));
}

static const py_method_t methods[] = {PY_DEINIT, PY_END};
static const py_prop_t in_props[] = {
    {"value", get_value, NULL, 0, NULL}, {"reference_voltage", get_reference, NULL, 0, NULL}, PY_END};
static const py_prop_t out_props[] = {{"value", NULL, set_value, 0, NULL}, PY_END};
static const py_class_t in_class = {.module = "analogio",
                                    .name = "AnalogIn",
                                    .size = sizeof(analog_t),
                                    .context = true,
                                    .init_args = init_args,
                                    .init = in_init,
                                    .fini = fini,
                                    .live = live,
                                    .methods = methods,
                                    .props = in_props};
static const py_class_t out_class = {.module = "analogio",
                                     .name = "AnalogOut",
                                     .size = sizeof(analog_t),
                                     .context = true,
                                     .init_args = init_args,
                                     .init = out_init,
                                     .fini = fini,
                                     .live = live,
                                     .methods = methods,
                                     .props = out_props};

static const py_class_t *const classes[] = {&in_class, &out_class, NULL};
const py_module_t analogio_module = {.name = "analogio", .classes = classes};
