/* Objects of native classes: made, alive, cleared, gone. */
#include "python/layer/cpython_int.h"

#include <string.h>

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

/* Where a class with `attributes` keeps them; NULL: it has none. A Python subclass finds it here too. */
static PyObject **attributes_of(PyObject *self, const class_info_t *info)
{
    return info != NULL && info->attributes_at != 0
               ? (PyObject **)(void *)((char *)self + info->attributes_at)
               : NULL;
}

static void clear_attributes(PyObject *self)
{
    PyObject **dict = attributes_of(self, ((obj_t *)self)->info);
    if (dict != NULL)
        Py_CLEAR(*dict);
}

int py_obj_clear(PyObject *self)
{
    clear_fields(self);
    clear_attributes(self);
    return 0;
}

int py_obj_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    const class_info_t *info = ((obj_t *)self)->info;
    for (size_t i = 0; info != NULL && i < info->n_fields; i++)
        Py_VISIT((PyObject *)field_at(self, info, i)->word);
    PyObject **dict = attributes_of(self, info);
    if (dict != NULL)
        Py_VISIT(*dict);
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

void py_obj_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    obj_t *o = (obj_t *)self;
    PyObject_GC_UnTrack(self);
    if (!o->dead)
        run_fini(o);
    unlink_object(o);
    clear_fields(self);
    clear_attributes(self);
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

/* What Py_FinalizeEx left behind stays as it is: nobody will touch it again. */
void py_objects_forget(void)
{
    objects = NULL;
}

size_t py_objects_live(void)
{
    size_t n = 0;
    for (obj_t *o = objects; o != NULL; o = o->next)
        n++;
    return n;
}

py_t py_deinit(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    run_fini((obj_t *)obj(self));
    return py_none();
}

/* ---- checks ---- */

static bool alive(PyObject *self)
{
    const obj_t *o = (const obj_t *)self;
    return !o->dead && (o->info->flat.live == NULL || o->info->flat.live(obj_struct(self)));
}

bool py_check_alive(PyObject *self, uint8_t flags)
{
    if ((flags & PY_M_ANYTIME) || alive(self))
        return true;
    return py_fail(py_raise(PY_ValueError, "Object has been deinitialized and can no longer be used. "
                                           "Create a new object."));
}

/* A result must come with no exception pending, and a failure with one. */
PyObject *py_finish(size_t mark, py_t result)
{
    PyObject *r = give_back(mark, result);
    bool failed = PyErr_Occurred() != NULL;
    if (r == NULL && !failed)
        PyErr_SetString(PyExc_SystemError, "a native method failed without saying why");
    else if (r != NULL && failed) /* else it would surface at some later, innocent line */
        Py_CLEAR(r);
    return r;
}

int py_finish_int(size_t mark, bool ok)
{
    py_handles_unwind(mark);
    if (!ok && !PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "a native method failed without saying why");
    return ok ? 0 : -1;
}

/* ---- making instances from Python ---- */

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

PyObject *py_class_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    const class_info_t *info = py_info_of_type(type);
    if (info->flat.make == NULL || type != info->type)
        return make(type, info);
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse_tuple(&info->init_sig, args, kwargs, values))
        r = info->flat.make(values);
    return py_finish(mark, r);
}

/* Not the flag that disallows it: a Python subclass would then get object's, and no obj_t. */
PyObject *py_class_no_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
    return NULL;
}

int py_class_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const class_info_t *info = ((obj_t *)self)->info;
    if (info->flat.make != NULL && Py_TYPE(self) == info->type)
        return 0;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    bool ok = py_parse_tuple(&info->init_sig, args, kwargs, values) && run_init(self, info, values);
    return py_finish_int(mark, ok);
}

/* Calling the class itself (no Python subclass): no tuple, no dict. */
PyObject *py_class_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    const class_info_t *info = py_info_of_type((PyTypeObject *)type);
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    if (!py_parse(&info->init_sig, args, PyVectorcall_NARGS(nargsf), kwnames, values)) {
        py_handles_unwind(mark);
        return NULL;
    }
    if (info->flat.make != NULL)
        return py_finish(mark, info->flat.make(values));
    PyObject *self = make((PyTypeObject *)type, info);
    if (self == NULL || py_finish_int(mark, run_init(self, info, values)) < 0) {
        py_handles_unwind(mark);
        Py_XDECREF(self);
        return NULL;
    }
    return self;
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
    return py_check_alive(obj(v), 0) ? s : NULL;
}

py_t py_class_of(const py_class_t *cls)
{
    const class_info_t *info = py_class_info(cls);
    return info ? borrowed((PyObject *)info->type) : PY_NULL;
}
