/* Methods and functions: a callable of our own, because a C function of CPython carries no data. */
#include "python/layer/cpython_int.h"

#include <structmember.h> /* PyMemberDef, until CPython 3.12 */

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
    if (!py_check_alive(self, c->method->flags))
        return NULL;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse(&c->sig, args + 1, n - 1, kwnames, values))
        r = c->method->fn(borrowed(self), obj_struct(self), values);
    return py_finish(mark, r);
}

static PyObject *static_call(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    callable_t *c = (callable_t *)callable;
    py_val_t values[PY_ARGS_MAX];
    size_t mark = py_handles.top;
    py_t r = PY_NULL;
    if (py_parse(&c->sig, args, PyVectorcall_NARGS(nargsf), kwnames, values))
        r = c->method != NULL ? c->method->fn(PY_NULL, NULL, values) : c->function->fn(values);
    return py_finish(mark, r);
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

PyObject *py_make_bound(const py_function_t *function)
{
    return make_callable(method_type, static_call, function->name, function->args, NULL, function, NULL);
}

bool py_callables_start(void)
{
    method_type = make_callable_type("adder.method", true);
    function_type = make_callable_type("adder.function", false);
    return method_type != NULL && function_type != NULL;
}

void py_callables_stop(void)
{
    Py_CLEAR(method_type);
    Py_CLEAR(function_type);
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
const py_method_t py_with_methods[] = {{"__enter__", with_enter, NULL, 0, NULL},
                                       {"__exit__", with_exit, with_exit_args, PY_M_ANYTIME, NULL},
                                       PY_END};
