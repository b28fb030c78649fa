/* Classes from py_class_t tables: heap types, one per VM, made at first use. */
#include "python/layer/cpython_int.h"

#include <string.h>
#include <structmember.h> /* PyMemberDef, until CPython 3.12 */

static obj_t *objects; /* all live instances, newest first */

/* ---- life of an object ---- */

static PyObject *make(PyTypeObject *type, const class_info_t *info)
{
    PyObject *self = type->tp_alloc(type, 0); /* zeroed, tracked by the collector */
    if (self == NULL)
        return NULL;
    obj_t *o = (obj_t *)self;
    o->info = info;
    o->next = objects;
    if (objects != NULL)
        objects->prev = o;
    objects = o;
    return self;
}

static void run_fini(obj_t *o)
{
    for (const class_info_t *info = o->info; info != NULL; info = info->base) {
        if (info->cls->fini != NULL)
            info->cls->fini(obj_struct((PyObject *)o));
    }
}

static py_field_t *field_at(PyObject *self, const class_info_t *info, size_t i)
{
    return (py_field_t *)(void *)((char *)obj_struct(self) + info->fields[i]);
}

static void clear_fields(PyObject *self)
{
    const class_info_t *info = ((obj_t *)self)->info;
    for (size_t i = 0; i < info->n_fields; i++) {
        py_field_t *field = field_at(self, info, i);
        PyObject *old = field->word;
        field->word = NULL;
        Py_XDECREF(old);
    }
}

static int obj_clear(PyObject *self)
{
    clear_fields(self);
    return 0;
}

static int obj_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    const class_info_t *info = ((obj_t *)self)->info;
    for (size_t i = 0; info != NULL && i < info->n_fields; i++)
        Py_VISIT((PyObject *)field_at(self, info, i)->word);
    return 0;
}

static void unlink_object(obj_t *o)
{
    if (o->next != NULL)
        o->next->prev = o->prev;
    if (o->prev != NULL)
        o->prev->next = o->next;
    else
        objects = o->next;
}

static void obj_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    obj_t *o = (obj_t *)self;
    PyObject_GC_UnTrack(self);
    if (!o->dead)
        run_fini(o);
    unlink_object(o);
    clear_fields(self);
    type->tp_free(self);
    Py_DECREF(type);
}

void py_objects_finish(void)
{
    for (obj_t *o = objects; o != NULL; o = o->next) {
        if (!o->dead)
            run_fini(o);
        o->dead = true;
    }
}

size_t py_objects_live(void)
{
    size_t n = 0;
    for (obj_t *o = objects; o != NULL; o = o->next)
        n++;
    return n;
}

/* ---- checks ---- */

static bool alive(PyObject *self)
{
    const obj_t *o = (const obj_t *)self;
    return !o->dead && (o->info->flat.live == NULL || o->info->flat.live(obj_struct(self)));
}

static bool check_alive(PyObject *self, uint8_t flags)
{
    if ((flags & PY_M_ANYTIME) || alive(self))
        return true;
    return py_fail(py_raise(PY_ValueError, "Object has been deinitialized and can no longer be used. "
                                           "Create a new object."));
}

/* A result must come with no exception pending, and a failure with one. */
static PyObject *finish(size_t mark, py_t result)
{
    PyObject *r = give_back(mark, result);
    bool failed = PyErr_Occurred() != NULL;
    if (r == NULL && !failed)
        PyErr_SetString(PyExc_SystemError, "a native method failed without saying why");
    else if (r != NULL && failed) /* else it would surface at some later, innocent line */
        Py_CLEAR(r);
    return r;
}

static int finish_int(size_t mark, bool ok)
{
    py_handles_unwind(mark);
    if (!ok && !PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "a native method failed without saying why");
    return ok ? 0 : -1;
}

/* ---- making instances from Python ---- */

static const class_info_t *info_of_type(PyTypeObject *type);

static bool run_init(PyObject *self, const class_info_t *info, py_val_t *values)
{
    obj_t *o = (obj_t *)self;
    if (o->inited) { /* a second __init__: as if made anew */
        run_fini(o);
        clear_fields(self);
        memset(obj_struct(self), 0, info->flat.size);
    }
    o->inited = true;
    return info->flat.init == NULL || info->flat.init(borrowed(self), obj_struct(self), values);
}

static PyObject *class_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    const class_info_t *info = info_of_type(type);
    if (info->flat.make == NULL || type != info->type)
        return make(type, info);
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse_tuple(&info->init_sig, args, kwargs, values))
        r = info->flat.make(values);
    return finish(mark, r);
}

/* Not the flag that disallows it: a Python subclass would then get object's, and no obj_t. */
static PyObject *class_no_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
    return NULL;
}

static int class_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const class_info_t *info = ((obj_t *)self)->info;
    if (info->flat.make != NULL && Py_TYPE(self) == info->type)
        return 0;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    bool ok = py_parse_tuple(&info->init_sig, args, kwargs, values) && run_init(self, info, values);
    return finish_int(mark, ok);
}

/* Calling the class itself (no Python subclass): no tuple, no dict. */
static PyObject *class_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    const class_info_t *info = info_of_type((PyTypeObject *)type);
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    if (!py_parse(&info->init_sig, args, PyVectorcall_NARGS(nargsf), kwnames, values)) {
        py_handles_unwind(mark);
        return NULL;
    }
    if (info->flat.make != NULL)
        return finish(mark, info->flat.make(values));
    PyObject *self = make((PyTypeObject *)type, info);
    if (self == NULL || finish_int(mark, run_init(self, info, values)) < 0) {
        py_handles_unwind(mark);
        Py_XDECREF(self);
        return NULL;
    }
    return self;
}

/* ---- properties ---- */

static PyObject *prop_get(PyObject *self, void *closure)
{
    const py_prop_t *prop = closure;
    if (!check_alive(self, prop->flags))
        return NULL;
    size_t mark = py_handles.top;
    return finish(mark, prop->get(borrowed(self), obj_struct(self)));
}

static int prop_set(PyObject *self, PyObject *value, void *closure)
{
    const py_prop_t *prop = closure;
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "can't delete attribute '%s'", prop->name);
        return -1;
    }
    if (!check_alive(self, prop->flags))
        return -1;
    size_t mark = py_handles.top;
    return finish_int(mark, prop->set(borrowed(self), obj_struct(self), borrowed(value)));
}

/* ---- methods: a callable of our own, because a C function of CPython carries no data ---- */

typedef struct {
    PyObject_HEAD vectorcallfunc vectorcall;
    const py_method_t *method;
    const py_function_t *function;
    PyTypeObject *owner; /* borrowed: the owner's dict holds this */
    signature_t sig;
} callable_t;

static PyObject *method_call(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    callable_t *c = (callable_t *)callable;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n < 1 || !PyObject_TypeCheck(args[0], c->owner)) {
        PyErr_Format(PyExc_TypeError, "%s() needs a %s as first argument", c->sig.name, c->owner->tp_name);
        return NULL;
    }
    PyObject *self = args[0];
    if (!check_alive(self, c->method->flags))
        return NULL;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse(&c->sig, args + 1, n - 1, kwnames, values))
        r = c->method->fn(borrowed(self), obj_struct(self), values);
    return finish(mark, r);
}

static PyObject *static_call(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    callable_t *c = (callable_t *)callable;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse(&c->sig, args, PyVectorcall_NARGS(nargsf), kwnames, values))
        r = c->method != NULL ? c->method->fn(PY_NULL, NULL, values) : c->function->fn(values);
    return finish(mark, r);
}

static PyObject *method_bind(PyObject *callable, PyObject *instance, PyObject *type)
{
    (void)type;
    if (instance == NULL || instance == Py_None)
        return Py_NewRef(callable);
    return PyMethod_New(callable, instance);
}

static PyObject *callable_repr(PyObject *callable)
{
    (void)callable;
    return PyUnicode_FromString("<function>");
}

static PyObject *callable_name(PyObject *callable, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((callable_t *)callable)->sig.name);
}

static PyObject *callable_doc(PyObject *callable, void *closure)
{
    (void)closure;
    const callable_t *c = (const callable_t *)callable;
    const char *doc = c->method ? c->method->doc : c->function->doc;
    if (doc == NULL)
        Py_RETURN_NONE;
    return PyUnicode_FromString(doc);
}

static void callable_dealloc(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    type->tp_free(callable);
    Py_DECREF(type);
}

static PyGetSetDef callable_getset[] = {{"__name__", callable_name, NULL, NULL, NULL},
                                        {"__qualname__", callable_name, NULL, NULL, NULL},
                                        {"__doc__", callable_doc, NULL, NULL, NULL},
                                        {0}};

static PyMemberDef callable_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(callable_t, vectorcall), READONLY, NULL}, {0}};

static PyTypeObject *method_type, *function_type;

static PyTypeObject *make_callable_type(const char *name, bool binds)
{
    PyType_Slot slots[] = {{Py_tp_call, (void *)PyVectorcall_Call},
                           {Py_tp_repr, (void *)callable_repr},
                           {Py_tp_dealloc, (void *)callable_dealloc},
                           {Py_tp_getset, callable_getset},
                           {Py_tp_members, callable_members},
                           {binds ? Py_tp_descr_get : 0, (void *)method_bind},
                           {0, NULL}};
    unsigned long flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
                          Py_TPFLAGS_DISALLOW_INSTANTIATION | (binds ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0);
    PyType_Spec spec = {
        .name = name, .basicsize = sizeof(callable_t), .flags = (unsigned)flags, .slots = slots};
    return (PyTypeObject *)PyType_FromSpec(&spec);
}

static PyObject *make_callable(PyTypeObject *type, vectorcallfunc call, const char *name,
                               const py_arg_t *args, const py_method_t *method, const py_function_t *function,
                               PyTypeObject *owner)
{
    callable_t *c = (callable_t *)type->tp_alloc(type, 0);
    if (c == NULL)
        return NULL;
    c->vectorcall = call;
    c->method = method;
    c->function = function;
    c->owner = owner;
    py_signature(&c->sig, name, args);
    return (PyObject *)c;
}

PyObject *py_make_method(const py_method_t *method, PyTypeObject *owner)
{
    if (method->flags & PY_M_STATIC)
        return make_callable(function_type, static_call, method->name, method->args, method, NULL, NULL);
    return make_callable(method_type, method_call, method->name, method->args, method, NULL, owner);
}

PyObject *py_make_function(const py_function_t *function)
{
    return make_callable(function_type, static_call, function->name, function->args, NULL, function, NULL);
}

/* ---- `with` ---- */

static py_t with_enter(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    return self;
}

static py_t with_exit(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    return py_null(py_call_method(self, "deinit", NULL, 0)) ? PY_NULL : py_none();
}

static const py_arg_t with_exit_args[] = {PY_REST("exc"), PY_END};
static const py_method_t with_methods[] = {{"__enter__", with_enter, NULL, 0, NULL},
                                           {"__exit__", with_exit, with_exit_args, PY_M_ANYTIME, NULL},
                                           PY_END};

/* ---- slots ---- */

static const py_class_t *flat_of(PyObject *self)
{
    return &((obj_t *)self)->info->flat;
}

static Py_ssize_t slot_len(PyObject *self)
{
    size_t n = 0, mark = py_handles.top;
    if (!check_alive(self, 0))
        return -1;
    return finish_int(mark, flat_of(self)->len(borrowed(self), obj_struct(self), &n)) < 0 ? -1
                                                                                          : (Py_ssize_t)n;
}

static int slot_truth(PyObject *self)
{
    bool truth = false;
    size_t mark = py_handles.top;
    if (!check_alive(self, 0))
        return -1;
    return finish_int(mark, flat_of(self)->truth(borrowed(self), obj_struct(self), &truth)) < 0 ? -1 : truth;
}

static PyObject *slot_getitem(PyObject *self, PyObject *key)
{
    size_t mark = py_handles.top;
    if (!check_alive(self, 0))
        return NULL;
    return finish(mark, flat_of(self)->getitem(borrowed(self), obj_struct(self), borrowed(key)));
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
    if (!check_alive(self, 0))
        return -1;
    return finish_int(
        mark, flat_of(self)->setitem(borrowed(self), obj_struct(self), borrowed(key), borrowed(value)));
}

static int slot_contains(PyObject *self, PyObject *value)
{
    bool found = false;
    size_t mark = py_handles.top;
    if (!check_alive(self, 0))
        return -1;
    bool ok = flat_of(self)->contains(borrowed(self), obj_struct(self), borrowed(value), &found);
    return finish_int(mark, ok) < 0 ? -1 : found;
}

static PyObject *slot_iter(PyObject *self)
{
    const py_class_t *flat = flat_of(self);
    size_t mark = py_handles.top;
    if (!check_alive(self, 0))
        return NULL;
    if (flat->iter != NULL)
        return finish(mark, flat->iter(borrowed(self), obj_struct(self)));
    if (flat->next != NULL)
        return Py_NewRef(self);
    return PySeqIter_New(self);
}

static PyObject *slot_next(PyObject *self)
{
    size_t mark = py_handles.top;
    if (!check_alive(self, 0))
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
    if (finish_int(mark, ok) < 0)
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
    return finish(mark, flat_of(self)->repr(borrowed(self), obj_struct(self)));
}

static PyObject *slot_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const class_info_t *info = ((obj_t *)self)->info;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (!check_alive(self, 0))
        return NULL;
    if (py_parse_tuple(&info->call_sig, args, kwargs, values))
        r = info->flat.call(borrowed(self), obj_struct(self), values);
    return finish(mark, r);
}

static int slot_buffer(PyObject *self, Py_buffer *view, int flags)
{
    py_buf_t buf = {.item_size = 1, .typecode = 'B'};
    size_t mark = py_handles.top;
    view->obj = NULL;
    if (!check_alive(self, 0))
        return -1;
    /* A reader gets a writable view too when the class has one: memoryview() never asks for it. */
    bool write = flat_of(self)->buffer(borrowed(self), obj_struct(self), true, &buf);
    if (!write && (flags & PyBUF_WRITABLE) == 0) {
        PyErr_Clear();
        if (finish_int(mark, flat_of(self)->buffer(borrowed(self), obj_struct(self), false, &buf)) < 0)
            return -1;
    } else if (finish_int(mark, write) < 0) {
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

/* ---- declaration to type ---- */

static void inherit(py_class_t *flat, const py_class_t *base)
{
#define INHERIT(slot)                                                                                        \
    if (flat->slot == NULL)                                                                                  \
    flat->slot = base->slot
    if (flat->init == NULL) {
        flat->init = base->init;
        flat->init_args = base->init_args;
    }
    INHERIT(live);
    INHERIT(len);
    INHERIT(truth);
    INHERIT(getitem);
    INHERIT(setitem);
    INHERIT(contains);
    INHERIT(iter);
    INHERIT(next);
    if (flat->equal == NULL) {
        flat->equal = base->equal;
        INHERIT(hash);
    }
    INHERIT(repr);
    INHERIT(call);
    INHERIT(buffer);
#undef INHERIT
}

static size_t count_fields(const uint16_t *fields)
{
    size_t n = 0;
    while (fields != NULL && fields[n] != PY_FIELDS_END)
        n++;
    return n;
}

/* size, not the base's, when the class adds nothing of its own */
static class_info_t *make_info(const py_class_t *cls, const class_info_t *base)
{
    class_info_t *info = py_arena(sizeof *info);
    if (info == NULL)
        return NULL;
    info->cls = cls;
    info->base = base;
    info->flat = *cls;
    if (base != NULL) {
        inherit(&info->flat, &base->flat);
        if (info->flat.size < base->flat.size)
            info->flat.size = base->flat.size;
    }
    size_t own = count_fields(cls->fields), parents = base ? base->n_fields : 0;
    info->n_fields = own + parents;
    info->fields = py_arena((info->n_fields + 1) * sizeof *info->fields);
    if (info->fields == NULL)
        return NULL;
    if (parents > 0)
        memcpy(info->fields, base->fields, parents * sizeof *info->fields);
    if (own > 0)
        memcpy(info->fields + parents, cls->fields, own * sizeof *info->fields);
    static const py_arg_t call_args[] = {PY_REST("args"), PY_KWREST("kwargs"), PY_END};
    py_signature(&info->init_sig, cls->name, info->flat.init_args);
    py_signature(&info->call_sig, cls->name, call_args);
    return info;
}

static PyGetSetDef *make_getset(const py_class_t *cls)
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

static bool add(PyObject *dict, const char *name, PyObject *value)
{
    bool ok = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return ok;
}

static bool fill_dict(PyTypeObject *type, const py_class_t *cls)
{
    PyObject *dict = type->tp_dict;
    for (const py_method_t *m = cls->methods; m != NULL && m->name != NULL; m++) {
        if (!add(dict, m->name, py_make_method(m, type)))
            return false;
    }
    for (const py_method_t *m = with_methods; cls->context && m->name != NULL; m++) {
        if (!add(dict, m->name, py_make_method(m, type)))
            return false;
    }
    for (const py_constant_t *c = cls->constants; c != NULL && c->name != NULL; c++) {
        if (!add(dict, c->name, PyLong_FromLongLong(c->value)))
            return false;
    }
    for (const py_enum_t *const *e = cls->enums; e != NULL && *e != NULL; e++) {
        if (!add(dict, (*e)->name, Py_XNewRef(py_enum_type(*e))))
            return false;
    }
    PyType_Modified(type);
    return true;
}

static PyTypeObject *make_type(const class_info_t *info)
{
    const py_class_t *cls = info->cls, *flat = &info->flat;
    PyType_Slot slots[32];
    size_t n = 0;
    /* ISO C has no conversion from function to object pointer; every platform with Python does. */
#define SLOT(id, fn) slots[n++] = (PyType_Slot){id, (void *)(fn)}
    PyGetSetDef *getset = make_getset(cls);
    if (getset == NULL)
        return NULL;
    SLOT(Py_tp_dealloc, obj_dealloc);
    SLOT(Py_tp_traverse, obj_traverse);
    SLOT(Py_tp_clear, obj_clear);
    SLOT(Py_tp_getset, getset);
    SLOT(Py_tp_new, cls->no_new ? class_no_new : class_new);
    if (!cls->no_new)
        SLOT(Py_tp_init, class_init);
    if (cls->doc != NULL)
        slots[n++] = (PyType_Slot){Py_tp_doc, (void *)(uintptr_t)cls->doc};
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
    if (flat->next != NULL)
        SLOT(Py_tp_iternext, slot_next);
    if (flat->equal != NULL)
        SLOT(Py_tp_richcompare, slot_compare);
    if (flat->hash != NULL)
        SLOT(Py_tp_hash, slot_hash);
    else if (flat->equal != NULL)
        SLOT(Py_tp_hash, PyObject_HashNotImplemented);
    if (flat->repr != NULL)
        SLOT(Py_tp_repr, slot_repr);
    if (flat->call != NULL)
        SLOT(Py_tp_call, slot_call);
    if (flat->buffer != NULL) {
        SLOT(Py_bf_getbuffer, slot_buffer);
        SLOT(Py_bf_releasebuffer, slot_buffer_release);
    }
    slots[n] = (PyType_Slot){0, NULL};
#undef SLOT
    size_t name_size = strlen(cls->module) + strlen(cls->name) + 2;
    char *name = py_arena(name_size);
    if (name == NULL)
        return NULL;
    snprintf(name, name_size, "%s.%s", cls->module, cls->name);
    unsigned long flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE;
    if (!cls->final)
        flags |= Py_TPFLAGS_BASETYPE;
    PyType_Spec spec = {
        .name = name, .basicsize = (int)(OBJ_HEADER + flat->size), .flags = (unsigned)flags, .slots = slots};
    PyObject *bases = NULL;
    if (info->base != NULL && (bases = PyTuple_Pack(1, info->base->type)) == NULL)
        return NULL;
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, bases);
    Py_XDECREF(bases);
    if (type != NULL && !fill_dict(type, cls))
        Py_CLEAR(type);
    if (type != NULL && !cls->no_new)
        type->tp_vectorcall = class_vectorcall;
    return type;
}

/* The record of a type or of its nearest native parent. */
static const class_info_t *info_of_type(PyTypeObject *type)
{
    for (; type != NULL; type = type->tp_base) {
        if (type->tp_dealloc == obj_dealloc) {
            const class_info_t *info = py_registry_get(type);
            if (info != NULL)
                return info;
        }
    }
    Py_FatalError("not a native class");
}

const class_info_t *py_class_info(const py_class_t *cls)
{
    class_info_t *info = py_registry_get(cls);
    if (info != NULL)
        return info;
    const class_info_t *base = NULL;
    if (cls->base != NULL && (base = py_class_info(cls->base)) == NULL)
        return NULL;
    info = make_info(cls, base);
    if (info == NULL || (info->type = make_type(info)) == NULL || !py_keep(info->type))
        return NULL;
    if (!py_registry_put(cls, info) || !py_registry_put(info->type, info))
        return NULL;
    return info;
}

/* ---- the registry and the arena ---- */

typedef struct {
    const void *decl;
    void *value;
} slot_t;

static slot_t *registry;
static size_t registry_cap, registry_n;

typedef struct block {
    struct block *next;
    max_align_t memory[];
} block_t;

static block_t *blocks;

void *py_arena(size_t size)
{
    block_t *b = calloc(1, sizeof *b + size);
    if (b == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    b->next = blocks;
    blocks = b;
    return b->memory;
}

static size_t slot_of(const void *decl)
{
    size_t i = (size_t)(((uintptr_t)decl >> 4) * 0x9E3779B97F4A7C15u >> 20) & (registry_cap - 1);
    while (registry[i].decl != NULL && registry[i].decl != decl)
        i = (i + 1) & (registry_cap - 1);
    return i;
}

void *py_registry_get(const void *decl)
{
    return registry_cap == 0 ? NULL : registry[slot_of(decl)].value;
}

bool py_registry_put(const void *decl, void *value)
{
    if (registry_n * 2 >= registry_cap) {
        slot_t *old = registry;
        size_t old_cap = registry_cap;
        registry_cap = old_cap ? old_cap * 2 : 512;
        registry = calloc(registry_cap, sizeof *registry);
        if (registry == NULL) {
            registry = old;
            registry_cap = old_cap;
            return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
        }
        for (size_t i = 0; i < old_cap; i++) {
            if (old[i].decl != NULL)
                registry[slot_of(old[i].decl)] = old[i];
        }
        free(old);
    }
    registry[slot_of(decl)] = (slot_t){decl, value};
    registry_n++;
    return true;
}

static PyObject **kept;
static size_t n_kept, kept_cap;

bool py_keep(void *o)
{
    if (n_kept == kept_cap) {
        size_t cap = kept_cap ? kept_cap * 2 : 128;
        PyObject **more = realloc(kept, cap * sizeof *more);
        if (more == NULL) {
            Py_DECREF((PyObject *)o);
            return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
        }
        kept = more;
        kept_cap = cap;
    }
    kept[n_kept++] = o;
    return true;
}

bool py_types_start(void)
{
    method_type = make_callable_type("adder.method", true);
    function_type = make_callable_type("adder.function", false);
    return method_type != NULL && function_type != NULL;
}

/* References go before Py_FinalizeEx, the registry stays until after it: objects die in between. */
void py_types_stop(void)
{
    while (n_kept > 0)
        Py_DECREF(kept[--n_kept]);
    Py_CLEAR(method_type);
    Py_CLEAR(function_type);
}

void py_types_free(void)
{
    free(kept);
    kept = NULL;
    kept_cap = 0;
    free(registry);
    registry = NULL;
    registry_cap = registry_n = 0;
    while (blocks != NULL) {
        block_t *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    objects = NULL;
}

/* ---- the public face ---- */

py_t py_new(const py_class_t *cls, void **s_out)
{
    const class_info_t *info = py_class_info(cls);
    PyObject *self = info ? make(info->type, info) : NULL;
    if (self != NULL && s_out != NULL)
        *s_out = obj_struct(self);
    return owned(self);
}

void *py_struct(py_t v, const py_class_t *cls)
{
    const class_info_t *info = py_registry_get(cls);
    if (info == NULL || py_null(v) || !PyObject_TypeCheck(obj(v), info->type))
        return NULL;
    return obj_struct(obj(v));
}

py_t py_owner(void *s)
{
    return borrowed((PyObject *)(void *)((char *)s - OBJ_HEADER));
}

void *py_struct_arg(py_t v, const py_class_t *cls, const char *arg_name)
{
    void *s = py_struct(v, cls);
    if (s == NULL) {
        py_raise(PY_TypeError, "%s must be of type %s, not %s", arg_name, cls->name, py_type_name(v));
        return NULL;
    }
    return check_alive(obj(v), 0) ? s : NULL;
}

py_t py_class_of(const py_class_t *cls)
{
    const class_info_t *info = py_class_info(cls);
    return info ? borrowed((PyObject *)info->type) : PY_NULL;
}
