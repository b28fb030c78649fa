/* OSError as MicroPython has it: OSError(116).errno is 116 and its text "[Errno 116] ETIMEDOUT". CPython
 * sets errno only for two arguments and more, and library code written for boards raises with one and
 * compares `error.errno`.
 *
 * A subclass would not do: `except OSError` must catch what CPython's own functions raise. So attribute
 * and text are replaced in the type itself, for the life of the interpreter. */
#include "python/layer/cpython_int.h"

static PyObject *get_errno(PyObject *self, void *closure)
{
    (void)closure;
    const PyOSErrorObject *e = (PyOSErrorObject *)self;
    PyObject *value = e->myerrno;
    if (value == NULL || value == Py_None) {
        value = Py_None;
        if (e->args != NULL && PyTuple_GET_SIZE(e->args) == 1 && PyLong_Check(PyTuple_GET_ITEM(e->args, 0)))
            value = PyTuple_GET_ITEM(e->args, 0);
    }
    return Py_NewRef(value);
}

static int set_errno(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    PyOSErrorObject *e = (PyOSErrorObject *)self;
    Py_XINCREF(value);
    Py_XSETREF(e->myerrno, value);
    return 0;
}

static reprfunc cpython_str;

/* Of OSError(number) alone; the words are adder_vm's, which prints tracebacks with them. */
static PyObject *get_str(PyObject *self)
{
    const PyOSErrorObject *e = (PyOSErrorObject *)self;
    if (e->args != NULL && PyTuple_GET_SIZE(e->args) == 1 && PyLong_Check(PyTuple_GET_ITEM(e->args, 0))) {
        PyObject *name = PyUnicode_FromString("adder_vm.errors");
        PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
        PyObject *text = module == NULL ? NULL : PyObject_CallMethod(module, "message", "O", self);
        Py_XDECREF(module);
        Py_XDECREF(name);
        if (text != NULL || PyErr_Occurred())
            return text;
    }
    return cpython_str(self);
}

bool py_errno_start(void)
{
    static PyGetSetDef errno_def = {"errno", get_errno, set_errno, "POSIX exception code", NULL};
    PyTypeObject *type = (PyTypeObject *)PyExc_OSError;
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *dict = PyType_GetDict(type);
#else
    PyObject *dict = Py_XNewRef(type->tp_dict);
#endif
    PyObject *descr = PyDescr_NewGetSet(type, &errno_def);
    if (type->tp_str != get_str) { /* the type is the process's: once */
        cpython_str = type->tp_str;
        type->tp_str = get_str;
    }
    bool ok = dict != NULL && descr != NULL && PyDict_SetItemString(dict, "errno", descr) == 0;
    PyType_Modified(type);
    Py_XDECREF(descr);
    Py_XDECREF(dict);
    return ok;
}
