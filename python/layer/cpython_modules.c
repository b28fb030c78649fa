/* Enums, named tuples, exceptions and modules from their tables, and the finder that imports them. */
#include "python/layer/cpython_int.h"

#include <marshal.h> /* not of Python.h, and not on its own */
#include <string.h>

#include "python/layer/frozen.h"

/* ---- enums ---- */

typedef struct {
    PyObject_HEAD const py_enum_t *e;
    int value;
} enum_t;

static PyObject *enum_repr(PyObject *self)
{
    const enum_t *v = (const enum_t *)self;
    return PyUnicode_FromFormat("%s.%s.%s", v->e->module, v->e->name, v->e->values[v->value]);
}

static void plain_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static char *dotted(const char *module, const char *name)
{
    size_t size = strlen(module) + strlen(name) + 2;
    char *text = py_arena(size);
    if (text != NULL)
        snprintf(text, size, "%s.%s", module, name);
    return text;
}

PyObject *py_enum_type(const py_enum_t *e)
{
    PyTypeObject *type = py_registry_get(e);
    if (type != NULL)
        return (PyObject *)type;
    PyType_Slot slots[] = {
        {Py_tp_repr, (void *)enum_repr}, {Py_tp_dealloc, (void *)plain_dealloc}, {0, NULL}};
    PyType_Spec spec = {.name = dotted(e->module, e->name),
                        .basicsize = sizeof(enum_t),
                        .flags =
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    if (spec.name == NULL || (type = (PyTypeObject *)PyType_FromSpec(&spec)) == NULL)
        return NULL;
    type->tp_name = e->name; /* as classes are: see make_type */
    if (!py_keep(type))
        return NULL;
    for (int i = 0; e->values[i] != NULL; i++) {
        enum_t *v = (enum_t *)type->tp_alloc(type, 0);
        if (v == NULL)
            return NULL;
        v->e = e;
        v->value = i;
        int bad = PyDict_SetItemString(type->tp_dict, e->values[i], (PyObject *)v);
        Py_DECREF(v);
        if (bad)
            return NULL;
    }
    PyType_Modified(type);
    return py_registry_put(e, type) ? (PyObject *)type : NULL;
}

py_t py_enum_value(const py_enum_t *e, int value)
{
    PyTypeObject *type = (PyTypeObject *)py_enum_type(e);
    if (type == NULL)
        return PY_NULL;
    return owned(Py_XNewRef(PyDict_GetItemString(type->tp_dict, e->values[value])));
}

bool py_enum_arg(py_t v, const py_enum_t *e, const char *arg_name, int *out)
{
    PyObject *type = py_enum_type(e);
    if (type == NULL)
        return false;
    if ((PyObject *)Py_TYPE(obj(v)) != type)
        return py_fail(
            py_raise(PY_TypeError, "%s must be of type %s, not %s", arg_name, e->name, py_type_name(v)));
    *out = ((enum_t *)v.word)->value;
    return true;
}

/* ---- named tuples ---- */

static size_t field_count(const py_namedtuple_t *t)
{
    size_t n = 0;
    while (t->fields[n] != NULL)
        n++;
    return n;
}

static PyObject *tuple_field(PyObject *self, void *closure)
{
    return Py_NewRef(PyTuple_GET_ITEM(self, (Py_ssize_t)(uintptr_t)closure));
}

static PyObject *tuple_make(PyTypeObject *type, size_t n)
{
    return type->tp_alloc(type, (Py_ssize_t)n);
}

static const py_namedtuple_t *tuple_decl(PyTypeObject *type)
{
    for (; type != NULL; type = type->tp_base) {
        const py_namedtuple_t *t = py_registry_get(type);
        if (t != NULL)
            return t;
    }
    Py_FatalError("not a named tuple");
}

static PyObject *from_sequence(PyTypeObject *type, const py_namedtuple_t *t, size_t n, PyObject *args)
{
    PyObject *items = PyTuple_GET_SIZE(args) == 1
                          ? PySequence_Fast(PyTuple_GET_ITEM(args, 0), "a sequence is required")
                          : NULL;
    if (items == NULL || PySequence_Fast_GET_SIZE(items) != (Py_ssize_t)n) {
        Py_XDECREF(items);
        PyErr_Format(PyExc_TypeError, "%s() takes a %zu-sequence", t->name, n);
        return NULL;
    }
    PyObject *self = tuple_make(type, n);
    for (size_t i = 0; self != NULL && i < n; i++)
        PyTuple_SET_ITEM(self, (Py_ssize_t)i, Py_NewRef(PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i)));
    Py_DECREF(items);
    return self;
}

static PyObject *tuple_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    const py_namedtuple_t *t = tuple_decl(type);
    size_t n = field_count(t), given = (size_t)PyTuple_GET_SIZE(args);
    if (t->from_sequence)
        return from_sequence(type, t, n, args);
    if (given + (kwargs ? (size_t)PyDict_GET_SIZE(kwargs) : 0) != n) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zu arguments", t->name, n);
        return NULL;
    }
    PyObject *self = tuple_make(type, n);
    for (size_t i = 0; self != NULL && i < n; i++) {
        PyObject *v =
            i < given ? PyTuple_GET_ITEM(args, (Py_ssize_t)i) : PyDict_GetItemString(kwargs, t->fields[i]);
        if (v == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'", t->name, t->fields[i]);
            Py_CLEAR(self);
            break;
        }
        PyTuple_SET_ITEM(self, (Py_ssize_t)i, Py_NewRef(v));
    }
    return self;
}

static PyObject *tuple_repr(PyObject *self)
{
    const py_namedtuple_t *t = tuple_decl(Py_TYPE(self));
    PyObject *text = PyUnicode_FromFormat("%s(", t->name);
    for (size_t i = 0; text != NULL && t->fields[i] != NULL; i++) {
        PyObject *part = PyUnicode_FromFormat("%s%s=%R", i ? ", " : "", t->fields[i],
                                              PyTuple_GET_ITEM(self, (Py_ssize_t)i));
        PyUnicode_AppendAndDel(&text, part);
    }
    if (text != NULL)
        PyUnicode_AppendAndDel(&text, PyUnicode_FromString(")"));
    return text;
}

static int tuple_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = Py_SIZE(self); --i >= 0;)
        Py_VISIT(((PyTupleObject *)self)->ob_item[i]);
    return 0;
}

static void tuple_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t i = Py_SIZE(self); --i >= 0;)
        Py_XDECREF(((PyTupleObject *)self)->ob_item[i]);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *py_namedtuple_type(const py_namedtuple_t *t)
{
    PyTypeObject *type = py_registry_get(t);
    if (type != NULL)
        return (PyObject *)type;
    size_t n = field_count(t);
    PyGetSetDef *getset = py_arena((n + 1) * sizeof *getset);
    if (getset == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        getset[i] = (PyGetSetDef){.name = t->fields[i], .get = tuple_field, .closure = (void *)(uintptr_t)i};
    PyType_Slot slots[] = {{Py_tp_new, (void *)tuple_new},
                           {Py_tp_repr, (void *)tuple_repr},
                           {Py_tp_getset, getset},
                           {Py_tp_traverse, (void *)tuple_traverse},
                           {Py_tp_dealloc, (void *)tuple_dealloc},
                           {0, NULL}};
    PyType_Spec spec = {.name = dotted(t->module, t->name),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_IMMUTABLETYPE,
                        .slots = slots};
    PyObject *bases = PyTuple_Pack(1, &PyTuple_Type);
    if (spec.name != NULL && bases != NULL)
        type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, bases);
    Py_XDECREF(bases);
    if (type == NULL || !py_keep(type) || !py_registry_put(t, type) ||
        !py_registry_put(type, (void *)(uintptr_t)t))
        return NULL;
    return (PyObject *)type;
}

py_t py_namedtuple(const py_namedtuple_t *t, const py_t *values)
{
    PyTypeObject *type = (PyTypeObject *)py_namedtuple_type(t);
    size_t n = field_count(t);
    PyObject *self = type ? tuple_make(type, n) : NULL;
    for (size_t i = 0; self != NULL && i < n; i++)
        PyTuple_SET_ITEM(self, (Py_ssize_t)i, Py_NewRef(obj(values[i])));
    return owned(self);
}

py_t py_namedtuple_class(const py_namedtuple_t *t)
{
    return borrowed(py_namedtuple_type(t));
}

/* ---- exceptions ---- */

py_t py_exception_class(const py_exception_t *e)
{
    PyObject *cls = py_registry_get(e);
    if (cls != NULL)
        return borrowed(cls);
    py_t base = e->parent != NULL ? py_exception_class(e->parent) : py_exc_class(e->base);
    if (e->uncatchable)
        base = borrowed(PyExc_BaseException);
    char *name = dotted(e->module, e->name);
    if (name == NULL || py_null(base))
        return PY_NULL;
    PyObject *dict = e->init != NULL ? PyDict_New() : NULL, *init = NULL;
    if (e->init != NULL && (dict == NULL || (init = py_make_bound(e->init)) == NULL ||
                            PyDict_SetItemString(dict, "__init__", init) < 0)) {
        Py_XDECREF(init);
        Py_XDECREF(dict);
        return PY_NULL;
    }
    cls = PyErr_NewExceptionWithDoc(name, e->doc, obj(base), dict);
    Py_XDECREF(init);
    Py_XDECREF(dict);
    if (cls == NULL || !py_keep(cls) || !py_registry_put(e, cls))
        return PY_NULL;
    return borrowed(cls);
}

/* ---- modules ---- */

const py_module_t *py_module_find(const char *name)
{
    if (strcmp(name, py_layer_module.name) == 0)
        return &py_layer_module;
    for (const py_module_t *const *m = py_modules; *m != NULL; m++) {
        if (strcmp((*m)->name, name) == 0)
            return *m;
    }
    return NULL;
}

static const adder_frozen_t *frozen_find(const char *name)
{
    for (const adder_frozen_t *f = adder_frozen; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

/* "adafruit_bus_device" is a package because a module inside it is in the table. */
static bool is_native_package(const char *name)
{
    size_t len = strlen(name);
    for (const py_module_t *const *m = py_modules; *m != NULL; m++) {
        if (strncmp((*m)->name, name, len) == 0 && (*m)->name[len] == '.')
            return true;
    }
    for (const adder_frozen_t *f = adder_frozen; f->name != NULL; f++) {
        if (strncmp(f->name, name, len) == 0 && f->name[len] == '.')
            return true;
    }
    return false;
}

static bool set(PyObject *module, const char *name, PyObject *value_owned)
{
    bool ok = value_owned != NULL && PyObject_SetAttrString(module, name, value_owned) == 0;
    Py_XDECREF(value_owned);
    return ok;
}

static bool fill(PyObject *module, const py_module_t *m)
{
    for (const py_function_t *f = m->functions; f != NULL && f->name != NULL; f++) {
        if (!set(module, f->name, py_make_function(f)))
            return false;
    }
    for (const py_class_t *const *c = m->classes; c != NULL && *c != NULL; c++) {
        const class_info_t *info = py_class_info(*c);
        if (info == NULL || !set(module, (*c)->name, Py_NewRef((PyObject *)info->type)))
            return false;
    }
    for (const py_enum_t *const *e = m->enums; e != NULL && *e != NULL; e++) {
        if (!set(module, (*e)->name, Py_XNewRef(py_enum_type(*e))))
            return false;
    }
    for (const py_namedtuple_t *const *t = m->namedtuples; t != NULL && *t != NULL; t++) {
        if (!set(module, (*t)->name, Py_XNewRef(py_namedtuple_type(*t))))
            return false;
    }
    for (const py_exception_t *const *e = m->exceptions; e != NULL && *e != NULL; e++) {
        if (!set(module, (*e)->name, Py_XNewRef(obj(py_exception_class(*e)))))
            return false;
    }
    for (const py_constant_t *c = m->constants; c != NULL && c->name != NULL; c++) {
        if (!set(module, c->name, PyLong_FromLongLong(c->value)))
            return false;
    }
    if (m->doc != NULL && PyModule_SetDocString(module, m->doc) < 0)
        return false;
    size_t mark = py_handles.top;
    bool ok = m->init == NULL || m->init(borrowed(module));
    py_handles_unwind(mark);
    return ok;
}

void py_modules_reset(void)
{
    size_t n = 0;
    while (py_modules[n] != NULL)
        n++;
    while (n-- > 0) { /* users before what they use: the table is in that order */
        if (py_modules[n]->reset != NULL)
            py_modules[n]->reset();
    }
}

/* ---- the program's own Python, compiled once a process ---- */

/* A library of the firmware that is written in Python, as opposed to what makes the program run. */
static bool is_library(const adder_frozen_t *f)
{
    return strncmp(f->name, "adder_", 6) != 0;
}

/* What tracebacks say. A library is called by its file, as on a board. */
static void shown_name(const adder_frozen_t *f, char *out, size_t cap)
{
    if (!is_library(f)) {
        snprintf(out, cap, "<%s>", f->name);
        return;
    }
    snprintf(out, cap, "%s%s", f->name, f->is_package ? ".__init__" : "");
    for (char *c = out; *c != '\0'; c++) {
        if (*c == '.')
            *c = '/';
    }
    size_t len = strlen(out);
    snprintf(out + len, cap - len, ".py");
}

static struct {
    char *bytes;
    Py_ssize_t len;
} * compiled;

static PyObject *frozen_code(const adder_frozen_t *f)
{
    size_t at = (size_t)(f - adder_frozen), n = 0;
    if (compiled == NULL) {
        while (adder_frozen[n].name != NULL)
            n++;
        compiled = calloc(n, sizeof *compiled);
        if (compiled == NULL)
            return PyErr_NoMemory();
    }
    if (compiled[at].bytes != NULL)
        return PyMarshal_ReadObjectFromString(compiled[at].bytes, compiled[at].len);
    char file[128];
    shown_name(f, file, sizeof file);
    PyObject *code = Py_CompileStringExFlags((const char *)f->source, file, Py_file_input, NULL, 0);
    if (code == NULL)
        return NULL;
    PyObject *bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    if (bytes == NULL) {
        PyErr_Clear();
        return code;
    }
    Py_ssize_t len = PyBytes_GET_SIZE(bytes);
    if ((compiled[at].bytes = malloc((size_t)len)) != NULL) {
        memcpy(compiled[at].bytes, PyBytes_AS_STRING(bytes), (size_t)len);
        compiled[at].len = len;
    }
    Py_DECREF(bytes);
    return code;
}

/* ---- the finder and loader: `_adder_vm` itself, standing first in sys.meta_path ---- */

static py_t find_spec(const py_val_t *a)
{
    const char *name = a[0].str;
    const adder_frozen_t *f = frozen_find(name);
    bool package = f ? f->is_package : is_native_package(name);
    if (f == NULL && !package && py_module_find(name) == NULL)
        return py_none();
    py_t bootstrap = py_import("_frozen_importlib");
    if (py_null(bootstrap))
        return PY_NULL;
    py_t cls = py_attr(bootstrap, "ModuleSpec");
    py_t self = py_null(cls) ? PY_NULL : py_import(py_layer_module.name);
    if (py_null(self))
        return PY_NULL;
    const char *const names[] = {"origin", "is_package"};
    const py_t values[] = {py_str("built-in"), py_bool(package)};
    return py_call_kw(cls, (const py_t[]){a[0].obj, self}, 2, names, values, 2);
}

static py_t create_module(const py_val_t *a)
{
    (void)a;
    return py_none(); /* the import system's own kind of module */
}

static py_t exec_module(const py_val_t *a)
{
    PyObject *module = obj(a[0].obj);
    const char *name = PyModule_GetName(module);
    if (name == NULL)
        return PY_NULL;
    const adder_frozen_t *f = frozen_find(name);
    if (f == NULL) {
        const py_module_t *m = py_module_find(name);
        return m == NULL || fill(module, m) ? py_none() : PY_NULL;
    }
    PyObject *code = frozen_code(f);
    if (code == NULL)
        return PY_NULL;
    PyObject *dict = PyModule_GetDict(module);
    /* A module that the program's importer made brings the program's builtins, and so its import rules. */
    if (PyDict_GetItemString(dict, "__builtins__") == NULL)
        PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins());
    PyObject *r = PyEval_EvalCode(code, dict, dict);
    Py_DECREF(code);
    Py_XDECREF(r);
    return r ? py_none() : PY_NULL;
}

static const py_arg_t find_args[] = {PY_REQ_STR("fullname"), PY_OPT_OBJ("path"), PY_OPT_OBJ("target"),
                                     PY_END};
static const py_arg_t object_args[] = {PY_REQ_OBJ("spec"), PY_END};
static const py_function_t finder_functions[] = {
    {"find_spec", find_spec, find_args, NULL},
    {"create_module", create_module, object_args, NULL},
    {"exec_module", exec_module, object_args, NULL},
    PY_END,
};

/* Add a dotted name and the packages around it. */
static bool add_names(PyObject *names, const char *name)
{
    for (size_t len = 0;; len++) {
        if (name[len] != '.' && name[len] != '\0')
            continue;
        PyObject *part = PyUnicode_FromStringAndSize(name, (Py_ssize_t)len);
        bool ok = part != NULL && PySet_Add(names, part) == 0;
        Py_XDECREF(part);
        if (!ok || name[len] == '\0')
            return ok;
    }
}

/* sys.builtin_module_names tells what is compiled in: ours, the packages around them, CPython's.
 * _adder_vm.libraries tells which of them are written in Python. */
static bool name_builtins(PyObject *layer)
{
    PyObject *theirs = PySys_GetObject("builtin_module_names");
    PyObject *names = theirs ? PySet_New(theirs) : NULL, *libraries = PySet_New(NULL);
    bool ok = names != NULL && libraries != NULL;
    for (const py_module_t *const *m = py_modules; ok && *m != NULL; m++)
        ok = add_names(names, (*m)->name);
    for (const adder_frozen_t *f = adder_frozen; ok && f->name != NULL; f++) {
        if (!is_library(f))
            continue;
        PyObject *name = PyUnicode_FromString(f->name);
        ok = name != NULL && PySet_Add(libraries, name) == 0 && add_names(names, f->name);
        Py_XDECREF(name);
    }
    ok = ok && PyObject_SetAttrString(layer, "libraries", libraries) == 0;
    Py_XDECREF(libraries);
    PyObject *tuple = ok ? PySequence_Tuple(names) : NULL;
    ok = tuple != NULL && PySys_SetObject("builtin_module_names", tuple) == 0;
    Py_XDECREF(tuple);
    Py_XDECREF(names);
    return ok;
}

bool py_modules_start(void)
{
    PyObject *module = PyImport_AddModule(py_layer_module.name); /* borrowed, in sys.modules */
    PyObject *path = PySys_GetObject("meta_path");
    if (module == NULL || path == NULL || !fill(module, &py_layer_module))
        return false;
    for (const py_function_t *f = finder_functions; f->name != NULL; f++) {
        if (!set(module, f->name, py_make_function(f)))
            return false;
    }
    return PyList_Insert(path, 0, module) == 0 && name_builtins(module);
}
