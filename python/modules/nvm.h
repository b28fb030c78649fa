/* nvm.ByteArray: bytes that survive reload and power cycle. */
#ifndef ADDER_PYTHON_NVM_H
#define ADDER_PYTHON_NVM_H

#include "python/layer/py.h"

extern const py_class_t nvm_class;
py_t nvm_object(void); /* microcontroller.nvm; None on a chip without */

#endif
