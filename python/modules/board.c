/* board: the names of this board, its default buses, its display */
#include <string.h>

#include "python/modules/busio.h"
#include "python/modules/display_board.h"
#include "python/modules/pins.h"

/* ---- board.I2C() and the like ---- */

typedef struct {
    const char *name;           /* "I2C" */
    const adder_mcu_bus_t *bus; /* NULL = this board has none */
} maker_t;

static const py_class_t *class_of(char kind)
{
    return kind == 'i' ? &busio_i2c_class : kind == 's' ? &busio_spi_class : &busio_uart_class;
}

static bool in_use(const py_class_t *cls, py_t bus)
{
    void *s = py_struct(bus, cls);
    return s != NULL && cls->live(s);
}

/* One object for each set of pins: STEMMA_I2C() is I2C() where both are on the same wires. */
static const adder_mcu_bus_t *first_on_pins(const adder_mcu_bus_t *bus)
{
    const adder_mcu_t *mcu = py_mcu();
    for (size_t i = 0; i < mcu->bus_count; i++) {
        const adder_mcu_bus_t *b = &mcu->buses[i];
        if (b->kind == bus->kind && memcmp(b->pins, bus->pins, sizeof b->pins) == 0)
            return b;
    }
    return bus;
}

static py_t make(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const maker_t *m = s;
    if (a[0].given || a[1].given)
        return py_raise(PY_TypeError, "%s() takes no arguments", m->name);
    if (m->bus == NULL || m->bus->pins[0] == ADDER_PIN_NONE)
        return py_raise(PY_NotImplementedError, "No default %s bus", m->name);
    const adder_mcu_bus_t *bus = first_on_pins(m->bus);
    const py_class_t *cls = class_of(bus->kind);
    py_t all = py_root(PY_ROOT_BOARD);
    py_t made = py_null(all) ? PY_NULL : py_dict_get(all, bus->name);
    if (!py_null(made) && in_use(cls, made))
        return made;
    py_t pins[3];
    for (int i = 0; i < 3; i++)
        pins[i] = bus->pins[i] == ADDER_PIN_NONE ? py_none() : pins_object(bus->pins[i]);
    py_t type = py_class_of(cls);
    made = py_null(type) ? PY_NULL : py_call(type, pins, bus->kind == 's' ? 3 : 2);
    if (py_null(made) || (py_null(all) && py_null(all = py_dict())))
        return PY_NULL;
    py_root_set(PY_ROOT_BOARD, all);
    return py_dict_set(all, bus->name, made) ? made : PY_NULL;
}

static const py_class_t maker_class = {.module = "board",
                                       .name = "function",
                                       .size = sizeof(maker_t),
                                       .no_new = true,
                                       .final = true,
                                       .call = make};

static bool add_maker(py_t module, const char *name, const adder_mcu_bus_t *bus)
{
    void *s;
    py_t m = py_new(&maker_class, &s);
    if (py_null(m))
        return false;
    *(maker_t *)s = (maker_t){name, bus};
    return py_attr_set(module, name, m);
}

/* ---- the module ---- */

static bool init(py_t module)
{
    const adder_mcu_t *mcu = py_mcu();
    static const char *const everywhere[] = {"I2C", "SPI", "UART"};
    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++) {
        if (!add_maker(module, everywhere[i], NULL))
            return false;
    }
    for (size_t i = 0; i < mcu->bus_count; i++) {
        if (!add_maker(module, mcu->buses[i].name, &mcu->buses[i]))
            return false;
    }
    for (size_t i = 0; i < mcu->alias_count; i++) {
        py_t pin = pins_object(mcu->aliases[i].pin);
        if (py_null(pin) || !py_attr_set(module, mcu->aliases[i].name, pin))
            return false;
    }
    if (!py_attr_set(module, "board_id", py_str(mcu->board_id)))
        return false;
    py_t display = display_board_object();
    return py_null(display) ? !py_error() : py_attr_set(module, "DISPLAY", display);
}

const py_module_t board_module = {
    .name = "board", .doc = "What is on this board, by its printed names.", .init = init};
