/* paralleldisplaybus.ParallelBus */
#include "python/modules/display_pool.h"
#include "python/modules/pins.h"

typedef struct {
    display_bus_obj_t base;
    adder_parallelbus_t wires;
} parallel_obj_t;

enum { ARG_COMMAND, ARG_SELECT, ARG_WRITE, ARG_READ, ARG_DATA0, ARG_DATA_PINS, ARG_RESET, ARG_HZ };

static const py_arg_t init_args[] = {[ARG_COMMAND] = PY_KWREQ_OBJ("command"),
                                     [ARG_SELECT] = PY_KWREQ_OBJ("chip_select"),
                                     [ARG_WRITE] = PY_KWREQ_OBJ("write"),
                                     [ARG_READ] = PY_KW_OBJ("read"),
                                     [ARG_DATA0] = PY_KW_OBJ("data0"),
                                     [ARG_DATA_PINS] = PY_KW_OBJ("data_pins"),
                                     [ARG_RESET] = PY_KW_OBJ("reset"),
                                     [ARG_HZ] = PY_KW_INT("frequency", 30000000, 1, 1000000000),
                                     PY_END};

/* data0 stands for eight pins in a row; data_pins names each. */
static bool data_pins(display_bus_obj_t *b, const py_val_t *a, uint16_t data[8])
{
    if (a[ARG_DATA0].given == a[ARG_DATA_PINS].given)
        return py_fail(py_raise(PY_ValueError, "Specify exactly one of data0 or data_pins"));
    uint16_t first = 0;
    size_t n;
    if (a[ARG_DATA0].given) {
        if (!pins_arg(a[ARG_DATA0].obj, "data0", &first))
            return false;
    } else if (!py_len(a[ARG_DATA_PINS].obj, &n)) {
        return false;
    } else if (n != 8) {
        return py_fail(py_raise(PY_ValueError, "data_pins must be 8 pins"));
    }
    for (unsigned i = 0; i < 8; i++) {
        bool ok;
        if (a[ARG_DATA0].given) {
            data[i] = (uint16_t)(first + i);
            ok = pins_claim(data[i]);
        } else {
            ok = display_claim_pin(py_item_at(a[ARG_DATA_PINS].obj, i), "data_pins", &data[i]);
        }
        if (!ok)
            return false;
        b->pins[b->pin_count++] = data[i];
    }
    return true;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    parallel_obj_t *p = s;
    display_bus_obj_t *b = &p->base;
    const adder_mcu_t *mcu = py_mcu();
    adder_parallelbus_config_t c = {0};
    adder_pin_t write;
    uint16_t data[8];
    (void)self;
    if (!data_pins(b, a, data) || !display_bus_pin(b, &a[ARG_COMMAND], "command", &c.command) ||
        !display_bus_pin(b, &a[ARG_SELECT], "chip_select", &c.chip_select) ||
        !display_bus_pin(b, &a[ARG_WRITE], "write", &write) ||
        !display_bus_pin(b, &a[ARG_READ], "read", &c.read) ||
        !display_bus_pin(b, &a[ARG_RESET], "reset", &c.reset))
        return false;
    adder_err_t err =
        mcu->bus->par8_open(mcu->ctx, data, write.pin, c.read.ops != NULL ? c.read.pin : ADDER_PIN_NONE,
                            (uint32_t)a[ARG_HZ].i, &c.port);
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pins"));
    if (err == ADDER_OK) {
        b->port = c.port.ctx;
        err = adder_parallelbus_init(&p->wires, &c, &b->bus);
    }
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "ParallelBus"));
    display_bus_opened(b);
    return !a[ARG_RESET].given || display_bus_pulse_reset(b);
}

const py_class_t parallelbus_class = {
    .module = "paralleldisplaybus",
    .name = "ParallelBus",
    .doc = "ParallelBus(*, command, chip_select, write, read, data0=None, data_pins=None, reset=None, "
           "frequency=30000000): a display on an 8-bit port.",
    .size = sizeof(parallel_obj_t),
    .base = &display_bus_class,
    .init_args = init_args,
    .init = init,
};

static const py_class_t *const classes[] = {&parallelbus_class, NULL};

const py_module_t paralleldisplaybus_module = {.name = "paralleldisplaybus", .classes = classes};
