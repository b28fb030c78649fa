/* time.struct_time, and seconds since 1970 to and from it. */
#ifndef ADDER_PYTHON_TIME_STRUCT_H
#define ADDER_PYTHON_TIME_STRUCT_H

#include "python/layer/py.h"

extern const py_namedtuple_t time_struct;

py_t time_from_seconds(int64_t seconds);
/* A struct_time or a tuple of nine: TypeError; OverflowError before 2000. Month 13 and the like carry
 * over, as mktime's do. */
bool time_to_seconds(py_t v, int64_t *out);
/* Years as adder_mcu's clock is believed: before 2000 OverflowError. */
bool time_in_range(int64_t seconds);

#endif
