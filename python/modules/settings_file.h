/* /settings.toml of the drive, read anew at each call as CircuitPython does. */
#ifndef ADDER_PYTHON_SETTINGS_FILE_H
#define ADDER_PYTHON_SETTINGS_FILE_H

#include "python/layer/py.h"

/* supervisor.get_setting(): the typed value; null without exception = no such key; ValueError = it is
 * there and not understood. */
py_t settings_typed(const char *key);

#endif
