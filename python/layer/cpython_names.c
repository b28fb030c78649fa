/* Names of attributes and methods, as interned strings.
 *
 * A name in C is nearly always a literal, so it is found by its address; what lies there now is compared, for
 * an address may be used again. Only an interned string is found in a type's cache of attributes. */
#include "python/layer/cpython_int.h"

#include <string.h>

enum { NAMES = 256 }; /* a power of two; those that share a place take turns */

static struct {
    const char *at;
    PyObject *name;
} names[NAMES];
static bool open;

PyObject *py_name(const char *utf8)
{
    const uintptr_t mixed = (uintptr_t)utf8 * 2654435761u;
    const size_t i = (size_t)(mixed >> 16) & (NAMES - 1);
    if (names[i].at == utf8) {
        const char *text = PyUnicode_AsUTF8(names[i].name);
        if (text == NULL)
            return NULL;
        if (strcmp(text, utf8) == 0) {
            Py_INCREF(names[i].name);
            return names[i].name;
        }
    }
    PyObject *name = PyUnicode_InternFromString(utf8);
    if (name != NULL && open) {
        Py_INCREF(name);
        names[i].at = utf8;
        Py_XSETREF(names[i].name, name);
    }
    return name;
}

void py_names_start(void)
{
    open = true;
}

void py_names_stop(void)
{
    open = false;
    for (size_t i = 0; i < NAMES; i++) {
        names[i].at = NULL;
        Py_CLEAR(names[i].name);
    }
}
