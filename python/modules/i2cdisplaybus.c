/* i2cdisplaybus.I2CDisplayBus */
#include "python/modules/busio.h"
#include "python/modules/display_pool.h"

typedef struct {
    display_bus_obj_t base;
    adder_i2cdisplay_t wires;
} i2cdisplay_obj_t;

static const py_arg_t init_args[] = {PY_REQ_OBJ("i2c_bus"), PY_KWREQ_INT("device_address", 0, 0x7F),
                                     PY_KW_OBJ("reset"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    i2cdisplay_obj_t *d = s;
    display_bus_obj_t *b = &d->base;
    adder_i2cdisplay_config_t c = {.addr7 = (uint8_t)a[1].i};
    if (!busio_i2c_share(a[0].obj, "i2c_bus", &c.i2c, &c.lock) ||
        !display_bus_pin(b, &a[2], "reset", &c.reset))
        return false;
    adder_err_t err = adder_i2cdisplay_init(&d->wires, &c, &b->bus);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "I2CDisplayBus"));
    py_field_set(self, &b->shared, a[0].obj);
    display_bus_opened(b);
    if (a[2].given && !display_bus_pulse_reset(b))
        return false;
    if (adder_i2cdisplay_probe(&d->wires) != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "Unable to find I2C Display at %x", (unsigned)a[1].i));
    return true;
}

const py_class_t i2cdisplaybus_class = {
    .module = "i2cdisplaybus",
    .name = "I2CDisplayBus",
    .doc = "I2CDisplayBus(i2c_bus, *, device_address, reset=None): a display on I2C.",
    .size = sizeof(i2cdisplay_obj_t),
    .base = &display_bus_class,
    .init_args = init_args,
    .init = init,
};

static const py_class_t *const classes[] = {&i2cdisplaybus_class, NULL};

const py_module_t i2cdisplaybus_module = {.name = "i2cdisplaybus", .classes = classes};
