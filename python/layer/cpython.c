/* Values, containers, buffers and errors of py.h over CPython's C API. */
#include <string.h>

#include "python/layer/cpython_int.h"

/* ---- handles ---- */

handles_t py_handles;
static size_t peak;

void py_handles_grow(void)
{
    size_t cap = py_handles.cap ? py_handles.cap * 2 : 256;
    void **items = realloc(py_handles.items, cap * sizeof *items);
    if (items == NULL)
        Py_FatalError("no memory for handles");
    py_handles.items = items;
    py_handles.cap = cap;
}

static void release(void *item)
{
    uintptr_t word = (uintptr_t)item;
    if (word & 1) {
        Py_buffer *view = (Py_buffer *)(word & ~(uintptr_t)1);
        PyBuffer_Release(view);
        PyMem_Free(view);
    } else {
        Py_DECREF((PyObject *)item);
    }
}

/* A reference that goes may run user code (__del__), which may come back here: the top is lowered
 * before each release. */
void py_handles_unwind(size_t mark)
{
    if (py_handles.top > peak)
        peak = py_handles.top;
    while (py_handles.top > mark)
        release(py_handles.items[--py_handles.top]);
}

size_t py_handles_peak(void)
{
    return peak;
}

bool py_is(py_t a, py_t b)
{
    return a.word == b.word;
}

py_scope_t py_scope_open(void)
{
    return (py_scope_t){py_handles.top};
}

void py_scope_close(py_scope_t scope)
{
    py_handles_unwind(scope.mark);
}

py_t py_scope_close_keep(py_scope_t scope, py_t value)
{
    return owned(give_back(scope.mark, value));
}

/* ---- making values ---- */

py_t py_none(void)
{
    return borrowed(Py_None);
}

py_t py_bool(bool v)
{
    return borrowed(v ? Py_True : Py_False);
}

py_t py_int(int64_t v)
{
    return owned(PyLong_FromLongLong(v));
}

py_t py_uint(uint64_t v)
{
    return owned(PyLong_FromUnsignedLongLong(v));
}

py_t py_float(double v)
{
    return owned(PyFloat_FromDouble(v));
}

py_t py_str_n(const char *utf8, size_t len)
{
    return owned(PyUnicode_DecodeUTF8(utf8, (Py_ssize_t)len, "replace"));
}

py_t py_str(const char *utf8)
{
    return py_str_n(utf8, strlen(utf8));
}

py_t py_bytes(const void *bytes, size_t len)
{
    return owned(PyBytes_FromStringAndSize(bytes, (Py_ssize_t)len));
}

py_t py_bytes_new(size_t len, uint8_t **fill)
{
    PyObject *o = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    if (o != NULL)
        *fill = (uint8_t *)PyBytes_AS_STRING(o);
    return owned(o);
}

py_t py_bytearray(const void *bytes, size_t len)
{
    PyObject *o = PyByteArray_FromStringAndSize(bytes, (Py_ssize_t)len);
    if (o != NULL && bytes == NULL && len > 0)
        memset(PyByteArray_AS_STRING(o), 0, len);
    return owned(o);
}

py_t py_tuple(const py_t *items, size_t n)
{
    PyObject *o = PyTuple_New((Py_ssize_t)n);
    for (size_t i = 0; o != NULL && i < n; i++)
        PyTuple_SET_ITEM(o, (Py_ssize_t)i, Py_NewRef(obj(items[i])));
    return owned(o);
}

py_t py_list(const py_t *items, size_t n)
{
    PyObject *o = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; o != NULL && i < n; i++)
        PyList_SET_ITEM(o, (Py_ssize_t)i, Py_NewRef(obj(items[i])));
    return owned(o);
}

py_t py_dict(void)
{
    return owned(PyDict_New());
}

/* ---- looking at values ---- */

bool py_is_none(py_t v)
{
    return obj(v) == Py_None;
}

bool py_is_bool(py_t v)
{
    return PyBool_Check(obj(v));
}

bool py_is_int(py_t v)
{
    return PyLong_Check(obj(v));
}

bool py_is_float(py_t v)
{
    return PyFloat_Check(obj(v));
}

bool py_is_str(py_t v)
{
    return PyUnicode_Check(obj(v));
}

bool py_is_bytes(py_t v)
{
    return PyBytes_Check(obj(v));
}

bool py_is_tuple(py_t v)
{
    return PyTuple_Check(obj(v));
}

bool py_is_list(py_t v)
{
    return PyList_Check(obj(v));
}

bool py_is_dict(py_t v)
{
    return PyDict_Check(obj(v));
}

bool py_is_callable(py_t v)
{
    return PyCallable_Check(obj(v));
}

bool py_to_int(py_t v, int64_t *out)
{
    PyObject *o = obj(v);
    int overflow = 0;
    long long value;
    if (PyLong_Check(o)) {
        value = PyLong_AsLongLongAndOverflow(o, &overflow);
    } else {
        /* __index__, but no float: 2.5 pixels is a mistake, not 2. */
        PyObject *index = PyNumber_Index(o);
        if (index == NULL)
            return false;
        value = PyLong_AsLongLongAndOverflow(index, &overflow);
        Py_DECREF(index);
    }
    if (overflow != 0)
        return py_fail(py_raise(PY_OverflowError, "overflow converting long int to machine word"));
    if (value == -1 && PyErr_Occurred())
        return false;
    *out = value;
    return true;
}

bool py_to_float(py_t v, double *out)
{
    PyObject *o = obj(v);
    if (PyFloat_Check(o)) {
        *out = PyFloat_AS_DOUBLE(o);
        return true;
    }
    double d = PyFloat_AsDouble(o);
    if (d == -1.0 && PyErr_Occurred())
        return false;
    *out = d;
    return true;
}

bool py_to_bool(py_t v, bool *out)
{
    int truth = PyObject_IsTrue(obj(v));
    if (truth < 0)
        return false;
    *out = truth != 0;
    return true;
}

bool py_to_str(py_t v, const char **utf8_out, size_t *len_out)
{
    if (!PyUnicode_Check(obj(v)))
        return py_fail(py_raise(PY_TypeError, "expected str, got %s", py_type_name(v)));
    Py_ssize_t len;
    const char *utf8 = PyUnicode_AsUTF8AndSize(obj(v), &len);
    if (utf8 == NULL)
        return false;
    *utf8_out = utf8;
    if (len_out != NULL)
        *len_out = (size_t)len;
    return true;
}

const char *py_type_name(py_t v)
{
    const char *name = Py_TYPE(obj(v))->tp_name;
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

py_t py_repr(py_t v)
{
    return owned(PyObject_Repr(obj(v)));
}

py_t py_str_of(py_t v)
{
    return owned(PyObject_Str(obj(v)));
}

/* ---- containers and objects ---- */

bool py_len(py_t v, size_t *out)
{
    Py_ssize_t n = PyObject_Size(obj(v));
    if (n < 0)
        return false;
    *out = (size_t)n;
    return true;
}

py_t py_item(py_t v, py_t key)
{
    return owned(PyObject_GetItem(obj(v), obj(key)));
}

py_t py_item_at(py_t v, size_t i)
{
    PyObject *o = obj(v);
    if (PyTuple_CheckExact(o) && i < (size_t)PyTuple_GET_SIZE(o))
        return owned(Py_NewRef(PyTuple_GET_ITEM(o, (Py_ssize_t)i)));
    if (PyList_CheckExact(o) && i < (size_t)PyList_GET_SIZE(o))
        return owned(Py_NewRef(PyList_GET_ITEM(o, (Py_ssize_t)i)));
    return owned(PySequence_GetItem(o, (Py_ssize_t)i));
}

bool py_item_set(py_t v, py_t key, py_t value)
{
    return PyObject_SetItem(obj(v), obj(key), obj(value)) == 0;
}

bool py_list_append(py_t list, py_t value)
{
    return PyList_Append(obj(list), obj(value)) == 0;
}

bool py_list_insert(py_t list, size_t i, py_t value)
{
    return PyList_Insert(obj(list), (Py_ssize_t)i, obj(value)) == 0;
}

bool py_list_delete(py_t list, size_t i)
{
    return PySequence_DelItem(obj(list), (Py_ssize_t)i) == 0;
}

py_t py_dict_get(py_t dict, const char *key)
{
    PyObject *o = PyDict_GetItemString(obj(dict), key);
    return owned(Py_XNewRef(o));
}

bool py_dict_set(py_t dict, const char *key, py_t value)
{
    return PyDict_SetItemString(obj(dict), key, obj(value)) == 0;
}

py_t py_iter(py_t v)
{
    return owned(PyObject_GetIter(obj(v)));
}

bool py_next(py_t iter, py_t *item_out, bool *done)
{
    PyObject *o = PyIter_Next(obj(iter));
    *done = o == NULL && !PyErr_Occurred();
    *item_out = owned(o);
    return o != NULL;
}

bool py_equal(py_t a, py_t b, bool *out)
{
    int equal = PyObject_RichCompareBool(obj(a), obj(b), Py_EQ);
    if (equal < 0)
        return false;
    *out = equal != 0;
    return true;
}

py_t py_attr(py_t v, const char *name)
{
    PyObject *key = py_name(name);
    PyObject *o = key != NULL ? PyObject_GetAttr(obj(v), key) : NULL;
    Py_XDECREF(key);
    return owned(o);
}

bool py_attr_set(py_t v, const char *name, py_t value)
{
    PyObject *key = py_name(name);
    bool ok = key != NULL && PyObject_SetAttr(obj(v), key, obj(value)) == 0;
    Py_XDECREF(key);
    return ok;
}

bool py_attr_try(py_t v, const char *name, py_t *out)
{
    PyObject *key = py_name(name);
    PyObject *o = NULL;
    if (key != NULL)
        _PyObject_LookupAttr(obj(v), key, &o);
    Py_XDECREF(key);
    /* A property that raises something else is an error to see, but this call has no way to say so:
     * it counts as absent. */
    if (o == NULL)
        PyErr_Clear();
    *out = owned(o);
    return o != NULL;
}

enum { CALL_MAX = 16 };

py_t py_call_kw(py_t fn, const py_t *args, size_t n, const char *const *kw_names, const py_t *kw_values,
                size_t n_kw)
{
    PyObject *stack[1 + CALL_MAX];
    if (n + n_kw > CALL_MAX)
        return py_raise(PY_RuntimeError, "too many arguments in a call from C");
    for (size_t i = 0; i < n; i++)
        stack[1 + i] = obj(args[i]);
    PyObject *names = NULL;
    if (n_kw > 0) {
        names = PyTuple_New((Py_ssize_t)n_kw);
        if (names == NULL)
            return PY_NULL;
        for (size_t i = 0; i < n_kw; i++) {
            PyObject *name = py_name(kw_names[i]);
            if (name == NULL) {
                Py_DECREF(names);
                return PY_NULL;
            }
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
            stack[1 + n + i] = obj(kw_values[i]);
        }
    }
    PyObject *r = PyObject_Vectorcall(obj(fn), stack + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    Py_XDECREF(names);
    return owned(r);
}

py_t py_call(py_t fn, const py_t *args, size_t n)
{
    return py_call_kw(fn, args, n, NULL, NULL, 0);
}

py_t py_call_method(py_t self, const char *name, const py_t *args, size_t n)
{
    PyObject *stack[1 + CALL_MAX];
    if (n > CALL_MAX)
        return py_raise(PY_RuntimeError, "too many arguments in a call from C");
    PyObject *key = py_name(name);
    if (key == NULL)
        return PY_NULL;
    stack[0] = obj(self);
    for (size_t i = 0; i < n; i++)
        stack[1 + i] = obj(args[i]);
    PyObject *r = PyObject_VectorcallMethod(key, stack, n + 1, NULL);
    Py_DECREF(key);
    return owned(r);
}

py_t py_import(const char *module)
{
    /* Not PyImport_Import: that asks the __import__ of whoever is running, which is the program's. */
    PyObject *last = Py_BuildValue("(s)", "");
    PyObject *m = last ? PyImport_ImportModuleLevel(module, NULL, NULL, last, 0) : NULL;
    Py_XDECREF(last);
    return owned(m);
}

py_t py_import_program(const char *module)
{
    py_t importer = py_import("adder_vm.importer"), name = py_str(module);
    return py_null(importer) || py_null(name) ? PY_NULL : py_call_method(importer, "load", &name, 1);
}

bool py_slice(py_t key, size_t len, int64_t *start, int64_t *step, size_t *count)
{
    Py_ssize_t from, to, by;
    if (PySlice_Unpack(obj(key), &from, &to, &by) < 0)
        return false;
    Py_ssize_t n = PySlice_AdjustIndices((Py_ssize_t)len, &from, &to, by);
    *start = from;
    *step = by;
    *count = (size_t)n;
    return true;
}

bool py_is_slice(py_t v)
{
    return PySlice_Check(obj(v));
}

/* ---- buffers ---- */

static bool buffer(py_t v, py_buf_t *out, bool write)
{
    PyObject *o = obj(v);
    memset(out, 0, sizeof *out);
    out->item_size = 1;
    out->typecode = 'B';
    if (!write && PyBytes_Check(o)) { /* cannot change or move: no export to hold */
        out->ptr = (uint8_t *)PyBytes_AS_STRING(o);
        out->len = (size_t)PyBytes_GET_SIZE(o);
        return true;
    }
    if (!PyObject_CheckBuffer(o))
        return py_fail(py_raise(PY_TypeError, "object with buffer protocol required"));
    Py_buffer *view = PyMem_Malloc(sizeof *view);
    if (view == NULL)
        return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
    if (PyObject_GetBuffer(o, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (write ? PyBUF_WRITABLE : 0)) < 0) {
        PyMem_Free(view);
        /* CPython says BufferError or TypeError by type; boards say TypeError. */
        PyErr_Clear();
        return py_fail(py_raise(PY_TypeError, write ? "a writable buffer is required"
                                                    : "object with buffer protocol required"));
    }
    ADDER_ASSERT(((uintptr_t)view & 1) == 0);
    if (py_handles.top == py_handles.cap)
        py_handles_grow();
    py_handles.items[py_handles.top++] = (void *)((uintptr_t)view | 1);
    out->ptr = view->buf;
    out->len = (size_t)view->len;
    out->item_size = view->itemsize > 0 ? (size_t)view->itemsize : 1;
    const char *format = view->format ? view->format : "B";
    if (*format == '<' || *format == '@' || *format == '=')
        format++;
    out->typecode = *format ? *format : 'B';
    out->priv = view;
    return true;
}

bool py_buffer_read(py_t v, py_buf_t *out)
{
    return buffer(v, out, false);
}

bool py_buffer_write(py_t v, py_buf_t *out)
{
    return buffer(v, out, true);
}

bool py_is_buffer(py_t v)
{
    return PyObject_CheckBuffer(obj(v));
}

void py_buf_slice(const py_buf_t *buf, int64_t start, int64_t end, uint8_t **ptr_out, size_t *len_out)
{
    int64_t n = (int64_t)(buf->len / buf->item_size);
    if (start < 0)
        start += n;
    if (end < 0)
        end += n;
    if (start < 0)
        start = 0;
    if (start > n)
        start = n;
    if (end > n)
        end = n;
    if (end < start)
        end = start;
    *ptr_out = buf->ptr == NULL ? NULL : buf->ptr + (size_t)start * buf->item_size;
    *len_out = (size_t)(end - start) * buf->item_size;
}

/* ---- fields ---- */

void py_field_set(py_t owner, py_field_t *field, py_t value)
{
    (void)owner; /* CPython's collector needs no write barrier; MicroPython's neither, today */
    PyObject *old = field->word;
    field->word = Py_XNewRef(obj(value));
    Py_XDECREF(old);
}

py_t py_field_get(const py_field_t *field)
{
    return owned(Py_XNewRef((PyObject *)field->word));
}
