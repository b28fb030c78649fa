/* microcontroller.Pin and the register of claims */
#include "python/modules/pins.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    uint16_t number;
} pin_obj_t;

/* The machine has one set of pins, so there is one register. */
static enum { FREE, CLAIMED, KEPT } claims[PINS_MAX];

/* ---- names ---- */

static const char *board_name(uint16_t pin)
{
    const adder_mcu_t *mcu = py_mcu();
    for (size_t i = 0; i < mcu->alias_count; i++) {
        if (mcu->aliases[i].pin == pin)
            return mcu->aliases[i].name;
    }
    return NULL;
}

const char *pins_name(uint16_t pin)
{
    const char *name = board_name(pin);
    return name ? name : pin < py_mcu()->pin_count ? py_mcu()->pins[pin].name : "?";
}

/* ---- claims ---- */

bool pins_in_use(uint16_t pin)
{
    return pin < PINS_MAX && claims[pin] != FREE;
}

bool pins_claim(uint16_t pin)
{
    if (pin >= PINS_MAX || pin >= py_mcu()->pin_count)
        return py_fail(py_raise(PY_ValueError, "Invalid pin"));
    if (claims[pin] != FREE)
        return py_fail(py_raise(PY_ValueError, "%s in use", pins_name(pin)));
    claims[pin] = CLAIMED;
    return true;
}

bool pins_arg(py_t v, const char *name, uint16_t *out)
{
    pin_obj_t *p = py_struct_arg(v, &pins_class, name);
    if (p != NULL)
        *out = p->number;
    return p != NULL;
}

bool pins_claim_arg(py_t v, const char *name, uint16_t *out)
{
    uint16_t pin;
    if (!pins_arg(v, name, &pin) || !pins_claim(pin))
        return false;
    *out = pin;
    return true;
}

bool pins_claim_optional(const py_val_t *a, const char *name, uint16_t *out)
{
    *out = ADDER_PIN_NONE;
    return !a->given || py_is_none(a->obj) || pins_claim_arg(a->obj, name, out);
}

bool pins_can(uint16_t pin, uint16_t caps)
{
    if (pin < py_mcu()->pin_count && (py_mcu()->pins[pin].caps & caps) == caps)
        return true;
    return py_fail(py_raise(PY_ValueError, "Invalid pin"));
}

void pins_release(uint16_t pin)
{
    if (pin >= PINS_MAX || claims[pin] == FREE)
        return;
    claims[pin] = FREE;
    const adder_mcu_t *mcu = py_mcu();
    if (mcu != NULL)
        mcu->pin->pin_release(mcu->ctx, pin);
}

void pins_keep(uint16_t pin)
{
    if (pin < PINS_MAX)
        claims[pin] = KEPT;
}

void pins_reset(void)
{
    for (uint16_t pin = 0; pin < PINS_MAX; pin++) {
        if (claims[pin] == CLAIMED)
            pins_release(pin);
    }
}

/* ---- the class ---- */

static py_t repr(py_t self, void *s)
{
    (void)self;
    char text[64];
    uint16_t pin = ((pin_obj_t *)s)->number;
    snprintf(text, sizeof text, "%s.%s", board_name(pin) ? "board" : "microcontroller.pin", pins_name(pin));
    return py_str(text);
}

const py_class_t pins_class = {.module = "microcontroller",
                               .name = "Pin",
                               .doc =
                                   "A pin of the microcontroller, as board and microcontroller.pin name it.",
                               .size = sizeof(pin_obj_t),
                               .no_new = true,
                               .final = true,
                               .repr = repr};

py_t pins_object(uint16_t pin)
{
    py_t all = py_root(PY_ROOT_PINS);
    if (py_null(all)) {
        all = py_list(NULL, 0);
        for (uint16_t i = 0; i < py_mcu()->pin_count && !py_null(all); i++) {
            void *s;
            py_t p = py_new(&pins_class, &s);
            if (py_null(p) || !py_list_append(all, p))
                return PY_NULL;
            ((pin_obj_t *)s)->number = i;
        }
        py_root_set(PY_ROOT_PINS, all);
    }
    return py_item_at(all, pin);
}
