/* watchdog.WatchDogTimer: microcontroller.watchdog. */
#ifndef ADDER_PYTHON_WATCHDOG_H
#define ADDER_PYTHON_WATCHDOG_H

#include "python/layer/py.h"

py_t watchdog_object(void); /* None on a chip without */

#endif
