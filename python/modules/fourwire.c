/* fourwire.FourWire */
#include "python/modules/busio.h"
#include "python/modules/display_pool.h"

typedef struct {
    display_bus_obj_t base;
    adder_fourwire_t wires;
} fourwire_obj_t;

enum { ARG_SPI, ARG_COMMAND, ARG_SELECT, ARG_RESET, ARG_BAUD, ARG_POLARITY, ARG_PHASE };

static const py_arg_t init_args[] = {[ARG_SPI] = PY_REQ_OBJ("spi_bus"),
                                     [ARG_COMMAND] = PY_KW_OBJ("command"),
                                     [ARG_SELECT] = PY_KW_OBJ("chip_select"),
                                     [ARG_RESET] = PY_KW_OBJ("reset"),
                                     [ARG_BAUD] = PY_KW_INT("baudrate", 24000000, 1, 1000000000),
                                     [ARG_POLARITY] = PY_KW_INT("polarity", 0, 0, 1),
                                     [ARG_PHASE] = PY_KW_INT("phase", 0, 0, 1),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    fourwire_obj_t *f = s;
    display_bus_obj_t *b = &f->base;
    adder_fourwire_config_t c = {.hz = (uint32_t)a[ARG_BAUD].i,
                                 .polarity = (uint8_t)a[ARG_POLARITY].i,
                                 .phase = (uint8_t)a[ARG_PHASE].i};
    if (!busio_spi_share(a[ARG_SPI].obj, "spi_bus", &c.spi, &c.lock) ||
        !display_bus_pin(b, &a[ARG_COMMAND], "command", &c.command) ||
        !display_bus_pin(b, &a[ARG_SELECT], "chip_select", &c.chip_select) ||
        !display_bus_pin(b, &a[ARG_RESET], "reset", &c.reset))
        return false;
    adder_err_t err = adder_fourwire_init(&f->wires, &c, &b->bus);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "FourWire"));
    py_field_set(self, &b->shared, a[ARG_SPI].obj);
    display_bus_opened(b);
    return !a[ARG_RESET].given || display_bus_pulse_reset(b);
}

const py_class_t fourwire_class = {
    .module = "fourwire",
    .name = "FourWire",
    .doc = "FourWire(spi_bus, *, command=None, chip_select=None, reset=None, baudrate=24000000, polarity=0, "
           "phase=0): a display on SPI.",
    .size = sizeof(fourwire_obj_t),
    .base = &display_bus_class,
    .init_args = init_args,
    .init = init,
};

static const py_class_t *const classes[] = {&fourwire_class, NULL};

const py_module_t fourwire_module = {.name = "fourwire", .classes = classes};
