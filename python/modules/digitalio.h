/* digitalio.DigitalInOut as other modules use it. */
#ifndef ADDER_PYTHON_DIGITALIO_H
#define ADDER_PYTHON_DIGITALIO_H

#include "python/layer/py.h"

extern const py_class_t digitalio_class;
extern const py_enum_t digitalio_pull_enum; /* NONE is None in Python: DIGITALIO_UP and _DOWN only */
enum { DIGITALIO_UP, DIGITALIO_DOWN };
extern const py_enum_t digitalio_direction_enum;
enum { DIGITALIO_INPUT, DIGITALIO_OUTPUT };

/* The pin number of a DigitalInOut argument; *output_out (may be NULL): it is an output. */
bool digitalio_arg(py_t v, const char *name, uint16_t *pin_out, bool *output_out);
/* None, Pull.UP or Pull.DOWN as the mode of an input. */
bool digitalio_pull_arg(const py_val_t *a, const char *name, adder_pin_mode_t *out);

#endif
