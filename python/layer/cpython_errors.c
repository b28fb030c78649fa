/* Exceptions of py.h */
#include <string.h>

#include "python/layer/cpython_int.h"

static PyObject *exception_class(py_exc_t exc)
{
    PyObject *const classes[] = {
        [PY_Exception] = PyExc_Exception,
        [PY_ValueError] = PyExc_ValueError,
        [PY_TypeError] = PyExc_TypeError,
        [PY_IndexError] = PyExc_IndexError,
        [PY_KeyError] = PyExc_KeyError,
        [PY_AttributeError] = PyExc_AttributeError,
        [PY_RuntimeError] = PyExc_RuntimeError,
        [PY_NotImplementedError] = PyExc_NotImplementedError,
        [PY_OSError] = PyExc_OSError,
        [PY_MemoryError] = PyExc_MemoryError,
        [PY_EOFError] = PyExc_EOFError,
        [PY_OverflowError] = PyExc_OverflowError,
        [PY_TimeoutError] = PyExc_TimeoutError,
        [PY_ConnectionError] = PyExc_ConnectionError,
        [PY_BrokenPipeError] = PyExc_BrokenPipeError,
        [PY_StopIteration] = PyExc_StopIteration,
        [PY_KeyboardInterrupt] = PyExc_KeyboardInterrupt,
        [PY_ImportError] = PyExc_ImportError,
        [PY_ZeroDivisionError] = PyExc_ZeroDivisionError,
        [PY_ArithmeticError] = PyExc_ArithmeticError,
        [PY_UnicodeError] = PyExc_UnicodeError,
    };
    _Static_assert(sizeof classes / sizeof *classes == PY_EXC_COUNT, "every exception has a class");
    return classes[exc];
}

py_t py_exc_class(py_exc_t exc)
{
    return borrowed(exception_class(exc));
}

static void raise_text(PyObject *cls, const char *format, va_list list)
{
    char text[512];
    int n = vsnprintf(text, sizeof text, format, list);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    PyObject *value = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, "replace");
    if (value == NULL)
        return;
    PyErr_SetObject(cls, value);
    Py_DECREF(value);
}

py_t py_raise(py_exc_t exc, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    raise_text(exception_class(exc), format, list);
    va_end(list);
    return PY_NULL;
}

py_t py_raise_class(py_t exc_class, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    raise_text(obj(exc_class), format, list);
    va_end(list);
    return PY_NULL;
}

/* The board's numbers are not all the host's: newlib's ETIMEDOUT is 116. */
static const char *errno_text(int number)
{
    return number == 116 ? "ETIMEDOUT" : strerror(number);
}

py_t py_raise_errno(int number, const char *text)
{
    PyObject *args = Py_BuildValue("(is)", number, text ? text : errno_text(number));
    if (args != NULL)
        PyErr_SetObject(PyExc_OSError, args);
    Py_XDECREF(args);
    return PY_NULL;
}

py_t py_raise_err(adder_err_t err, const char *what)
{
    enum { PY_NONE = PY_RuntimeError };
    static const struct {
        py_exc_t exc;
        int number;
    } how[] = {
#define HOW(code, text, exception, number) {(py_exc_t)PY_##exception, number},
        ADDER_ERRORS(HOW)
#undef HOW
    };
    if ((unsigned)err >= ADDER_ERR_COUNT)
        err = ADDER_ERR_INTERNAL;
    char text[160];
    if (what != NULL)
        snprintf(text, sizeof text, "%s: %s", what, adder_err_str(err));
    if (how[err].exc == PY_OSError)
        return py_raise_errno(how[err].number, what ? text : NULL);
    return py_raise(how[err].exc, "%s", what ? text : adder_err_str(err));
}

bool py_error(void)
{
    return PyErr_Occurred() != NULL;
}

bool py_error_is(py_exc_t exc)
{
    return PyErr_Occurred() != NULL && PyErr_ExceptionMatches(exception_class(exc));
}

void py_error_clear(void)
{
    PyErr_Clear();
}

py_t py_error_take(void)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (type == NULL)
        return PY_NULL;
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != NULL)
        PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return owned(value);
}

void py_raise_again(py_t exception)
{
    PyErr_SetObject((PyObject *)Py_TYPE(obj(exception)), obj(exception));
}
