/* Memory for the structs of native objects, and the one shortcut that pixel loops need. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "python/layer/py.h"

void *py_alloc(size_t size)
{
    /* Not Python's allocator: large zeroed blocks come from the kernel without being written. */
    void *memory = size <= PTRDIFF_MAX ? calloc(1, size > 0 ? size : 1) : NULL;
    if (memory == NULL)
        py_raise(PY_MemoryError, "memory allocation failed, allocating %zu bytes", size);
    return memory;
}

void py_free(void *memory)
{
    free(memory);
}

static bool to_int(PyObject *o, int64_t *out)
{
    if (!PyLong_Check(o))
        return false;
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(o, &overflow);
    *out = overflow == 0 ? value : overflow < 0 ? INT64_MIN : INT64_MAX;
    return true;
}

bool py_int_pair(py_t v, int64_t out[2])
{
    PyObject *o = v.word;
    if (PyTuple_CheckExact(o))
        return PyTuple_GET_SIZE(o) == 2 && to_int(PyTuple_GET_ITEM(o, 0), &out[0]) &&
               to_int(PyTuple_GET_ITEM(o, 1), &out[1]);
    if (PyList_CheckExact(o))
        return PyList_GET_SIZE(o) == 2 && to_int(PyList_GET_ITEM(o, 0), &out[0]) &&
               to_int(PyList_GET_ITEM(o, 1), &out[1]);
    return false;
}
