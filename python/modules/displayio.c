/* displayio: the module itself. Its classes: displayio_*.c */
#include "python/modules/display_pool.h"

static py_t release_displays(const py_val_t *a)
{
    (void)a;
    display_release_all();
    return py_none();
}

static const py_function_t functions[] = {
    {"release_displays", release_displays, NULL, "Free all displays and their buses and pins."}, PY_END};

/* Names of CircuitPython 8 and before, which old programs still use. */
static const struct {
    const char *name;
    const py_class_t *cls;
} aliases[] = {{"Display", &busdisplay_class},
               {"FourWire", &fourwire_class},
               {"I2CDisplay", &i2cdisplaybus_class},
               {"ParallelBus", &parallelbus_class}};

static bool init(py_t module)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        py_t cls = py_class_of(aliases[i].cls);
        if (py_null(cls) || !py_attr_set(module, aliases[i].name, cls))
            return false;
    }
    py_t terminal = terminal_group_object();
    return !py_null(terminal) && py_attr_set(module, "CIRCUITPYTHON_TERMINAL", terminal);
}

/* The end of a VM: displays that a program made go with it, the built-in one shows nothing of it. */
static void reset(void)
{
    for (size_t i = 0; i < DISPLAY_SLOTS; i++) {
        display_slot_t *slot = &display_slots[i];
        if (!slot->used)
            continue;
        if (!display_board_is(slot)) {
            display_slot_release(slot);
            continue;
        }
        if (slot->display.scene.root != terminal_group())
            ADDER_IGNORE(adder_busdisplay_set_root(&slot->display, NULL), "no root is always allowed");
        if (slot->owner != NULL)
            slot->owner->slot = NULL;
        slot->owner = NULL;
    }
    display_bus_close_all();
}

static const py_class_t *const classes[] = {&bitmap_class,  &converter_class, &group_class, &ondisk_class,
                                            &palette_class, &tilegrid_class,  NULL};
static const py_enum_t *const enums[] = {&colorspace_enum, NULL};

const py_module_t displayio_module = {.name = "displayio",
                                      .functions = functions,
                                      .classes = classes,
                                      .enums = enums,
                                      .init = init,
                                      .reset = reset};
