/* Pins and who has them: the `Pin` class and the one register of claims ("D5 in use").
 *
 *     uint16_t pin;
 *     if (!pins_claim_arg(a[0].obj, "pin", &pin)) return false;     // TypeError, ValueError
 *     ...
 *     pins_release(pin);                                             // in deinit and fini
 *
 * A claim ends by pins_release() or with the VM; the pin is then a plain input again. Pins are named
 * in messages as the board names them. */
#ifndef ADDER_PYTHON_PINS_H
#define ADDER_PYTHON_PINS_H

#include "python/layer/py.h"

enum { PINS_MAX = 256 };

extern const py_class_t pins_class; /* microcontroller.Pin */

py_t pins_object(uint16_t pin);      /* the one object of a pin */
const char *pins_name(uint16_t pin); /* "D5"; silicon name when the board has none; "?" off the list */

/* The number of a Pin argument, not claimed. TypeError naming the argument. */
bool pins_arg(py_t v, const char *name, uint16_t *out);
bool pins_claim(uint16_t pin); /* ValueError "<name> in use" */
bool pins_claim_arg(py_t v, const char *name, uint16_t *out);
/* None or absent: *out is ADDER_PIN_NONE. */
bool pins_claim_optional(const py_val_t *a, const char *name, uint16_t *out);
/* Exactly these capabilities or more: ValueError "Invalid pin". */
bool pins_can(uint16_t pin, uint16_t caps);
bool pins_in_use(uint16_t pin);
/* Nothing for ADDER_PIN_NONE and for a pin that nobody has. */
void pins_release(uint16_t pin);
/* Claimed for the built-in display: stays so across VMs until pins_release(). No VM needed. */
void pins_keep(uint16_t pin);

/* End of a VM (microcontroller's reset): every claim not kept ends. */
void pins_reset(void);

#endif
