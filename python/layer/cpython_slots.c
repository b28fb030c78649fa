/* Properties, and the operators of a class: len, [], iteration, ==, call, buffers. */
#include "python/layer/cpython_int.h"

#include <string.h>

/* ---- properties ---- */

static PyObject *prop_get(PyObject *self, void *closure)
{
    const py_prop_t *prop = closure;
    if (!py_check_alive(self, prop->flags))
        return NULL;
    size_t mark = py_handles.top;
    return py_finish(mark, prop->get(borrowed(self), obj_struct(self)));
}

static int prop_set(PyObject *self, PyObject *value, void *closure)
{
    const py_prop_t *prop = closure;
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "can't delete attribute '%s'", prop->name);
        return -1;
    }
    if (!py_check_alive(self, prop->flags))
        return -1;
    size_t mark = py_handles.top;
    return py_finish_int(mark, prop->set(borrowed(self), obj_struct(self), borrowed(value)));
}

/* ---- slots ---- */

static const py_class_t *flat_of(PyObject *self)
{
    return &((obj_t *)self)->info->flat;
}

static Py_ssize_t slot_len(PyObject *self)
{
    size_t n = 0, mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return -1;
    return py_finish_int(mark, flat_of(self)->len(borrowed(self), obj_struct(self), &n)) < 0 ? -1
                                                                                             : (Py_ssize_t)n;
}

static int slot_truth(PyObject *self)
{
    bool truth = false;
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return -1;
    return py_finish_int(mark, flat_of(self)->truth(borrowed(self), obj_struct(self), &truth)) < 0 ? -1
                                                                                                   : truth;
}

static PyObject *slot_getitem(PyObject *self, PyObject *key)
{
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return NULL;
    return py_finish(mark, flat_of(self)->getitem(borrowed(self), obj_struct(self), borrowed(key)));
}

static PyObject *slot_item(PyObject *self, Py_ssize_t i)
{
    PyObject *key = PyLong_FromSsize_t(i);
    if (key == NULL)
        return NULL;
    PyObject *r = slot_getitem(self, key);
    Py_DECREF(key);
    return r;
}

static int slot_setitem(PyObject *self, PyObject *key, PyObject *value)
{
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return -1;
    return py_finish_int(
        mark, flat_of(self)->setitem(borrowed(self), obj_struct(self), borrowed(key), borrowed(value)));
}

static int slot_contains(PyObject *self, PyObject *value)
{
    bool found = false;
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return -1;
    bool ok = flat_of(self)->contains(borrowed(self), obj_struct(self), borrowed(value), &found);
    return py_finish_int(mark, ok) < 0 ? -1 : found;
}

static PyObject *slot_iter(PyObject *self)
{
    const py_class_t *flat = flat_of(self);
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return NULL;
    if (flat->iter != NULL)
        return py_finish(mark, flat->iter(borrowed(self), obj_struct(self)));
    if (flat->next != NULL)
        return Py_NewRef(self);
    return PySeqIter_New(self);
}

static PyObject *slot_next(PyObject *self)
{
    size_t mark = py_handles.top;
    if (!py_check_alive(self, 0))
        return NULL;
    return give_back(mark, flat_of(self)->next(borrowed(self), obj_struct(self)));
}

static PyObject *slot_compare(PyObject *self, PyObject *other, int op)
{
    if (op != Py_EQ && op != Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    bool equal = false;
    size_t mark = py_handles.top;
    bool ok = flat_of(self)->equal(borrowed(self), obj_struct(self), borrowed(other), &equal);
    if (py_finish_int(mark, ok) < 0)
        return NULL;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t slot_hash(PyObject *self)
{
    int64_t hash = flat_of(self)->hash(obj_struct(self));
    return hash == -1 ? -2 : (Py_hash_t)hash;
}

static PyObject *slot_repr(PyObject *self)
{
    size_t mark = py_handles.top;
    return py_finish(mark, flat_of(self)->repr(borrowed(self), obj_struct(self)));
}

/* As MicroPython prints what has no form of its own. */
static PyObject *plain_repr(PyObject *self)
{
    if (Py_TYPE(self) == ((obj_t *)self)->info->type)
        return PyUnicode_FromFormat("<%s>", flat_of(self)->name);
    return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
}

static PyObject *slot_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const class_info_t *info = ((obj_t *)self)->info;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (!py_check_alive(self, 0))
        return NULL;
    if (py_parse_tuple(&info->call_sig, args, kwargs, values))
        r = info->flat.call(borrowed(self), obj_struct(self), values);
    return py_finish(mark, r);
}

static int slot_buffer(PyObject *self, Py_buffer *view, int flags)
{
    py_buf_t buf = {.item_size = 1, .typecode = 'B'};
    size_t mark = py_handles.top;
    view->obj = NULL;
    if (!py_check_alive(self, 0))
        return -1;
    /* A reader gets a writable view too when the class has one: memoryview() never asks for it. */
    bool write = flat_of(self)->buffer(borrowed(self), obj_struct(self), true, &buf);
    if (!write && (flags & PyBUF_WRITABLE) == 0) {
        PyErr_Clear();
        if (py_finish_int(mark, flat_of(self)->buffer(borrowed(self), obj_struct(self), false, &buf)) < 0)
            return -1;
    } else if (py_finish_int(mark, write) < 0) {
        return -1;
    }
    if (PyBuffer_FillInfo(view, self, buf.ptr, (Py_ssize_t)buf.len, !write, flags) < 0)
        return -1;
    static const char codes[] = "bBhHiIlLqQfd";
    const char *code = strchr(codes, buf.typecode);
    if (buf.item_size > 1 && code != NULL && (flags & PyBUF_FORMAT)) {
        static char formats[sizeof codes][2]; /* only ever written with the same bytes */
        char *format = formats[code - codes];
        format[0] = *code;
        /* The shape must be in items; `internal` carries it (freed in slot_buffer_release). */
        Py_ssize_t *dims = PyMem_Malloc(2 * sizeof *dims);
        if (dims == NULL) {
            PyBuffer_Release(view);
            PyErr_NoMemory();
            return -1;
        }
        dims[0] = (Py_ssize_t)(buf.len / buf.item_size);
        dims[1] = (Py_ssize_t)buf.item_size;
        view->itemsize = (Py_ssize_t)buf.item_size;
        view->format = format;
        if (view->shape != NULL)
            view->shape = dims;
        if (view->strides != NULL)
            view->strides = dims + 1;
        view->internal = dims;
    }
    return 0;
}

static void slot_buffer_release(PyObject *self, Py_buffer *view)
{
    (void)self;
    PyMem_Free(view->internal);
}

/* ---- what a class has of them ---- */

PyGetSetDef *py_make_getset(const py_class_t *cls)
{
    size_t n = 0;
    while (cls->props != NULL && cls->props[n].name != NULL)
        n++;
    PyGetSetDef *getset = py_arena((n + 1) * sizeof *getset);
    for (size_t i = 0; getset != NULL && i < n; i++) {
        const py_prop_t *prop = &cls->props[i];
        getset[i] = (PyGetSetDef){.name = prop->name,
                                  .get = prop->get ? prop_get : NULL,
                                  .set = prop->set ? prop_set : NULL,
                                  .doc = prop->doc,
                                  .closure = (void *)(uintptr_t)prop};
    }
    return getset;
}

size_t py_operator_slots(const class_info_t *info, PyType_Slot *slots)
{
    const py_class_t *flat = &info->flat;
    size_t n = 0;
#define SLOT(id, fn)                                                                                         \
    slots[n++] = (PyType_Slot)                                                                               \
    {                                                                                                        \
        id, (void *)(fn)                                                                                     \
    }
    if (flat->len != NULL) {
        SLOT(Py_mp_length, slot_len);
        SLOT(Py_sq_length, slot_len);
    }
    if (flat->truth != NULL)
        SLOT(Py_nb_bool, slot_truth);
    if (flat->getitem != NULL) {
        SLOT(Py_mp_subscript, slot_getitem);
        SLOT(Py_sq_item, slot_item);
    }
    if (flat->setitem != NULL)
        SLOT(Py_mp_ass_subscript, slot_setitem);
    if (flat->contains != NULL)
        SLOT(Py_sq_contains, slot_contains);
    if (flat->iter != NULL || flat->next != NULL || (flat->getitem != NULL && flat->len != NULL))
        SLOT(Py_tp_iter, slot_iter);
    if (flat->next != NULL) {
        SLOT(Py_tp_iternext, slot_next);
        SLOT(Py_am_await, slot_iter);
    }
    if (flat->equal != NULL)
        SLOT(Py_tp_richcompare, slot_compare);
    if (flat->hash != NULL)
        SLOT(Py_tp_hash, slot_hash);
    else if (flat->equal != NULL)
        SLOT(Py_tp_hash, PyObject_HashNotImplemented);
    SLOT(Py_tp_repr, flat->repr != NULL ? slot_repr : plain_repr);
    if (flat->call != NULL)
        SLOT(Py_tp_call, slot_call);
    if (flat->buffer != NULL) {
        SLOT(Py_bf_getbuffer, slot_buffer);
        SLOT(Py_bf_releasebuffer, slot_buffer_release);
    }
#undef SLOT
    return n;
}
