/* What the files of the CPython backend share:
 *
 *     cpython.c cpython_errors.c cpython_args.c       values, containers, buffers; exceptions; arguments
 *     cpython_types.c cpython_object.c                a class from its table; the life of its objects
 *     cpython_slots.c cpython_callable.c              properties and operators; methods and functions
 *     cpython_errno.c cpython_names.c                 OSError with the numbers of boards; names of attributes
 *     cpython_registry.c cpython_modules.c            what is made once a VM; modules, enums, tuples
 *     cpython_vm.c cpython_wait.c cpython_host.c      life and requests; waits and background; `_adder_vm`
 *     cpython_pump.c                                  engines beside the program
 *
 * Every object of a native class is laid out as
 *
 *     | PyObject head | obj_t: list links, class, state | the module's own struct ... | (subclass: __dict__)
 *
 * so one header serves every class and a derived struct starts with its base's. */
#ifndef ADDER_CPYTHON_INT_H
#define ADDER_CPYTHON_INT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "python/layer/py.h"
#include "python/layer/vm.h"

/* ---- handles: a stack of owned references, unwound when a call from Python returns ---- */

typedef struct {
    void **items; /* PyObject *, or a Py_buffer * with the low bit set */
    size_t top, cap;
} handles_t;

extern handles_t py_handles;

void py_handles_grow(void);
void py_handles_unwind(size_t mark);
size_t py_handles_peak(void);

static inline PyObject *obj(py_t v)
{
    return (PyObject *)v.word;
}

/* A handle of something that outlives the call by itself: an argument, a singleton. */
static inline py_t borrowed(PyObject *o)
{
    return (py_t){o};
}

/* Take over a new reference; NULL (with the exception set) gives the null handle. */
static inline py_t owned(PyObject *o)
{
    if (o != NULL) {
        if (py_handles.top == py_handles.cap)
            py_handles_grow();
        py_handles.items[py_handles.top++] = o;
    }
    return (py_t){o};
}

/* End of a trampoline: let go of everything made since `mark`, return `v` as a new reference. */
static inline PyObject *give_back(size_t mark, py_t v)
{
    PyObject *o = obj(v);
    if (o != NULL) {
        if (py_handles.top > mark && py_handles.items[py_handles.top - 1] == o)
            py_handles.top--;
        else
            Py_INCREF(o);
    }
    if (py_handles.top > mark)
        py_handles_unwind(mark);
    return o;
}

/* ---- names (cpython_names.c) ---- */

/* An interned string, a new reference; NULL with the exception set. */
PyObject *py_name(const char *utf8);
/* Between them names are kept. */
void py_names_start(void);
void py_names_stop(void);

/* ---- arguments ---- */

enum { PY_ARGS_MAX = 32 };

typedef struct {
    const py_arg_t *args;
    const char *name; /* of the function, for messages */
    uint8_t n;
    uint8_t n_pos;       /* how many may be given by position */
    int8_t rest, kwrest; /* index of *args, **kwargs; -1 = none */
} signature_t;

void py_signature(signature_t *sig, const char *name, const py_arg_t *args);
/* `kwnames` NULL or a tuple of str whose values follow the positional ones in `args`. */
bool py_parse(const signature_t *sig, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames,
              py_val_t *out);
/* The same from a tuple and a dict (or NULL). */
bool py_parse_tuple(const signature_t *sig, PyObject *args, PyObject *kwargs, py_val_t *out);

/* ---- classes ---- */

typedef struct class_info {
    py_class_t flat; /* the declaration, empty slots filled from the parents */
    const py_class_t *cls;
    const struct class_info *base;
    PyTypeObject *type;
    signature_t init_sig, call_sig;
    uint16_t *fields; /* all, the parents' too */
    size_t n_fields;
    size_t attributes_at; /* of the instance's dict in the object; 0 = it has none */
} class_info_t;

typedef struct obj {
    PyObject_HEAD struct obj *next, *prev; /* all live instances, newest first */
    const class_info_t *info;
    bool dead;   /* fini has run at the end of the VM */
    bool inited; /* init has run: a second __init__ first releases what the first one got */
} obj_t;

enum { OBJ_HEADER = (sizeof(obj_t) + 15) / 16 * 16 };

static inline void *obj_struct(PyObject *o)
{
    return (char *)o + OBJ_HEADER;
}

/* The class record of a declaration, its type made at the first call. NULL with the exception set. */
const class_info_t *py_class_info(const py_class_t *cls);
/* The same of a type, or of its nearest native parent. */
const class_info_t *py_info_of_type(PyTypeObject *type);

/* cpython_object.c: slots of every class */
void py_obj_dealloc(PyObject *self);
int py_obj_traverse(PyObject *self, visitproc visit, void *arg);
int py_obj_clear(PyObject *self);
PyObject *py_class_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *py_class_no_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int py_class_init(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *py_class_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* Not deinitialized; ValueError else. */
bool py_check_alive(PyObject *self, uint8_t flags);
/* The end of every trampoline: a result comes without an exception pending, a failure with one. */
PyObject *py_finish(size_t mark, py_t result);
int py_finish_int(size_t mark, bool ok); /* 0, -1 */

/* End of the VM: run fini of every object still there; then forget them. */
void py_objects_finish(void);
void py_objects_forget(void);
size_t py_objects_live(void);

/* cpython_slots.c */
enum { PY_OPERATOR_SLOTS = 20 };
PyGetSetDef *py_make_getset(const py_class_t *cls);
size_t py_operator_slots(const class_info_t *info, PyType_Slot *slots); /* how many */

/* ---- functions and the other declared things ---- */

/* What was made in this VM of a declaration, and back: types, records. Borrowed pointers. */
void *py_registry_get(const void *decl);
bool py_registry_put(const void *decl, void *value);
/* Take over a reference until the end of the VM. */
bool py_keep(void *object);
/* Memory that lives until after Py_FinalizeEx (type names, getset tables). Zeroed; NULL = MemoryError. */
void *py_arena(size_t size);

/* Callables. As a method: bound by attribute access, first argument an instance of `owner`. */
PyObject *py_make_method(const py_method_t *method, PyTypeObject *owner);
PyObject *py_make_function(const py_function_t *function);
/* A function that is bound as a method: the object is its first argument. */
PyObject *py_make_bound(const py_function_t *function);
extern const py_method_t py_with_methods[]; /* __enter__, __exit__ */
bool py_callables_start(void);
void py_callables_stop(void);
PyObject *py_enum_type(const py_enum_t *e);
PyObject *py_namedtuple_type(const py_namedtuple_t *t);

/* Start and end of the registry, the arena and the layer's own types. */
bool py_types_start(void);
void py_types_stop(void); /* before Py_FinalizeEx: references dropped */
void py_types_free(void); /* after it: memory */

bool py_modules_start(void); /* the finder in sys.meta_path */
void py_modules_reset(void); /* every imported module's reset() */
const py_module_t *py_module_find(const char *name);

extern const py_module_t py_layer_module; /* `_adder_vm`, also the finder of all the others */

/* ---- the machine ---- */

const vm_config_t *py_config(void);
PyObject *py_request_class(vm_request_t what); /* borrowed; Reload, Reset, Stop */
bool py_deliver(void);                         /* raise the strongest pending request; true = none */
bool py_deliver_timer(void);                   /* the same between byte codes: not too often */

/* cpython_wait.c */
void py_wait_start(void);
void py_wait_stop(void);
void py_repeat_requests(bool on);
void py_request_posted(void); /* from any thread: look soon, wake a wait */
/* For py_pump_wait: background work is the wait's now, not the ticker's; what the outer one was. */
bool py_wait_begin(void);
void py_wait_end(bool outer);
uint64_t py_wait_wakes(void); /* from any thread: counts what was posted to the interpreter's thread */
/* Do background work and deliver a request (false); when the next background work is due. */
bool py_wait_service(uint64_t *due_us_out);

/* cpython_pump.c */
void py_pump_wake(void); /* from any thread: end the sleep of a py_pump_wait */
/* Until news(ctx), which is looked at when an engine made progress, or the time is over. */
bool py_pump_wait_news(bool (*news)(void *ctx), void *ctx, uint64_t timeout_us);
void py_pump_stop(void);

/* ---- OSError ---- */

bool py_errno_start(void);

#endif
