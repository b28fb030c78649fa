/* The table of all native modules. A module that others use stands after them: at the end of a VM the
 * resets run from the last to the first. */
#include "python/layer/py.h"

const py_module_t *const py_modules[] = {
    NULL,
};
