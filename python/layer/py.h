/* The one API through which a module of Adder is written for both CPython and MicroPython.
 *
 * A module file declares tables (classes, methods, arguments) and small functions that check, call
 * the public C API and convert errors. The backend (cpython.c, micropython.c) makes types and modules
 * of the tables. Only the backends include a Python header.
 *
 *     typedef struct { adder_pin_t pin; bool open; } led_t;
 *
 *     static const py_arg_t init_args[] = { PY_REQ_OBJ("pin"), PY_KW_BOOL("on", false), PY_END };
 *     static bool led_init(py_t self, void *s, const py_val_t *a) { ... return true; }
 *     static py_t led_get_on(py_t self, void *s) { return py_bool(((led_t *)s)->...); }
 *     static bool led_set_on(py_t self, void *s, py_t value) { ... }
 *     static const py_prop_t led_props[] = { { "on", led_get_on, led_set_on }, PY_END };
 *     const py_class_t led_class = { .module = "demo", .name = "LED", .size = sizeof(led_t),
 *         .init_args = init_args, .init = led_init, .props = led_props };
 *
 * Handles (py_t). A function that returns a handle gives one that stays valid until the current call
 * from Python returns; nothing is ever closed by hand and nothing can leak. To keep a value longer,
 * store it in a py_field_t of the object's struct (py_field_set) or a root slot. A loop that makes
 * many temporaries wraps its body in py_scope_open/py_scope_close. A handle is not compared with ==
 * (py_is) and not kept in C statics.
 *
 * Errors. A failing call sets the pending exception and returns a null handle (py_null(v)) or false;
 * the caller returns at once with the same. No cleanup is skipped: C returns normally everywhere.
 *
 * Threads. Everything here runs on the interpreter's thread. C threads never call in; they use
 * py_background_post() and py_pump_poke() alone. */
#ifndef ADDER_PY_H
#define ADDER_PY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/mcu.h"
#include "adder/net.h"

/* The tables and one-line functions of this header read better in columns. */
/* clang-format off */

/* ---- handles ---- */

typedef struct {
    void *word; /* private */
} py_t;

typedef struct {
    void *word; /* private; zero = empty */
} py_field_t;

#define PY_NULL ((py_t){0})
static inline bool py_null(py_t v) { return v.word == NULL; }
bool py_is(py_t a, py_t b);

typedef struct {
    size_t mark;
} py_scope_t;
py_scope_t py_scope_open(void);
void py_scope_close(py_scope_t scope);                  /* everything made since open is let go */
py_t py_scope_close_keep(py_scope_t scope, py_t value); /* ... except this one */

/* ---- making values ---- */

py_t py_none(void);
py_t py_bool(bool v);
py_t py_int(int64_t v);
py_t py_uint(uint64_t v);
py_t py_float(double v);
py_t py_str(const char *utf8);
py_t py_str_n(const char *utf8, size_t len); /* malformed UTF-8: replaced by U+FFFD */
py_t py_bytes(const void *bytes, size_t len);
/* Bytes to be filled in through *fill before anybody else sees them; what is in them at first is not defined. */
py_t py_bytes_new(size_t len, uint8_t **fill);
py_t py_bytearray(const void *bytes, size_t len); /* bytes NULL = zeros */
py_t py_tuple(const py_t *items, size_t n);
py_t py_list(const py_t *items, size_t n);
py_t py_dict(void);

/* ---- looking at values ---- */

bool py_is_none(py_t v);
bool py_is_bool(py_t v);
bool py_is_int(py_t v); /* bool included, as in Python */
bool py_is_float(py_t v);
bool py_is_str(py_t v);
bool py_is_bytes(py_t v);
bool py_is_tuple(py_t v);
bool py_is_list(py_t v);
bool py_is_dict(py_t v);
bool py_is_callable(py_t v);
bool py_is_slice(py_t v);
bool py_is_buffer(py_t v);

/* On a wrong type or a value that does not fit: exception set, false. */
bool py_to_int(py_t v, int64_t *out);
bool py_to_float(py_t v, double *out); /* ints accepted */
bool py_to_bool(py_t v, bool *out);    /* truth value */
/* UTF-8, NUL at [len_out]; valid as long as the handle. len_out may be NULL. */
bool py_to_str(py_t v, const char **utf8_out, size_t *len_out);
const char *py_type_name(py_t v);
py_t py_repr(py_t v);
py_t py_str_of(py_t v);

/* ---- containers and objects ---- */

bool py_len(py_t v, size_t *out);
py_t py_item(py_t v, py_t key);
py_t py_item_at(py_t v, size_t i); /* sequence index */
bool py_item_set(py_t v, py_t key, py_t value);
bool py_list_append(py_t list, py_t value);
bool py_list_insert(py_t list, size_t i, py_t value);
bool py_list_delete(py_t list, size_t i);
py_t py_dict_get(py_t dict, const char *key); /* null handle without an exception when absent */
bool py_dict_set(py_t dict, const char *key, py_t value);
/* Each item of an iterable. false with *done = true at the end, *done = false on an exception. */
py_t py_iter(py_t v);
bool py_next(py_t iter, py_t *item_out, bool *done);
bool py_equal(py_t a, py_t b, bool *out);
/* A tuple or list of exactly two ints, as pixel subscripts are: no handles, no exception. */
bool py_int_pair(py_t v, int64_t out[2]);

py_t py_attr(py_t v, const char *name);
bool py_attr_set(py_t v, const char *name, py_t value);
/* false, no exception: no such attribute. */
bool py_attr_try(py_t v, const char *name, py_t *out);
py_t py_call(py_t fn, const py_t *args, size_t n);
py_t py_call_kw(py_t fn, const py_t *args, size_t n, const char *const *kw_names, const py_t *kw_values,
                size_t n_kw);
py_t py_call_method(py_t self, const char *name, const py_t *args, size_t n);
/* By the interpreter's own rules, not the program's: native modules and the firmware's Python. */
py_t py_import(const char *module);
/* By the program's rules: what the drive, its lib/ and the firmware hold. Runs user code. */
py_t py_import_program(const char *module);
/* A slice over `len` items, clamped: the first index, the step and how many. */
bool py_slice(py_t key, size_t len, int64_t *start_out, int64_t *step_out, size_t *count_out);

/* ---- buffers ---- */

typedef struct {
    uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;   /* bytes */
    size_t item_size;
    char typecode; /* struct style: 'B', 'b', 'H', 'h', 'I', 'i', 'f', ... */
    void *priv;
} py_buf_t;

/* Borrow a buffer; given back when the current call (or scope) ends. Any contiguous buffer object. */
bool py_buffer_read(py_t v, py_buf_t *out);
bool py_buffer_write(py_t v, py_buf_t *out);

/* start/end in elements, clamped as Python slices are; the byte window of the buffer. */
void py_buf_slice(const py_buf_t *buf, int64_t start, int64_t end, uint8_t **ptr_out, size_t *len_out);

/* ---- exceptions ---- */

typedef enum {
    PY_Exception, PY_ValueError, PY_TypeError, PY_IndexError, PY_KeyError, PY_AttributeError,
    PY_RuntimeError, PY_NotImplementedError, PY_OSError, PY_MemoryError, PY_EOFError, PY_OverflowError,
    PY_TimeoutError, PY_ConnectionError, PY_BrokenPipeError, PY_StopIteration, PY_KeyboardInterrupt,
    PY_ImportError, PY_ZeroDivisionError, PY_ArithmeticError, PY_UnicodeError,
    PY_EXC_COUNT
} py_exc_t;

/* Set the pending exception; always a null handle, so `return py_raise(...)` serves. */
py_t py_raise(py_exc_t exc, const char *format, ...) __attribute__((format(printf, 2, 3)));
py_t py_raise_errno(int number, const char *text); /* OSError(number, text); text NULL = strerror's */
/* By ADDER_ERRORS; `what` (may be NULL) goes in front of the text: "SPI: input/output error". */
py_t py_raise_err(adder_err_t err, const char *what);
py_t py_raise_class(py_t exc_class, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool py_fail(py_t ignored) { (void)ignored; return false; } /* return py_fail(py_raise(..)) */
bool py_error(void); /* is one pending? */
bool py_error_is(py_exc_t exc);
void py_error_clear(void);
py_t py_error_take(void); /* the exception instance, cleared */
void py_raise_again(py_t exception);
py_t py_exc_class(py_exc_t exc);

/* ---- arguments ---- */

typedef enum {
    PY_ARG_END,
    PY_ARG_OBJ,
    PY_ARG_BOOL,
    PY_ARG_INT,   /* min..max checked: ValueError "<name> must be <min>-<max>" (or ">= min") */
    PY_ARG_FLOAT,
    PY_ARG_STR,   /* .str, .str_len */
    PY_ARG_RBUF,  /* .buf, readable */
    PY_ARG_WBUF,  /* .buf, writable */
    PY_ARG_REST,  /* *args: .obj is a tuple */
    PY_ARG_KWREST /* **kwargs: .obj is a dict */
} py_arg_kind_t;

enum { PY_A_REQUIRED = 1, PY_A_KW_ONLY = 2, PY_A_NONE_OK = 4 /* None counts as absent */ };

typedef struct {
    const char *name;
    uint8_t kind, flags;
    int64_t def; /* BOOL, INT */
    int64_t min, max;
    double fdef;
    const char *sdef;
} py_arg_t;

/* One parsed argument. `given` false: the default stands (OBJ: null handle). */
typedef struct {
    bool given;
    py_t obj; /* the value itself, whatever the kind; null when not given */
    union {
        bool b;
        int64_t i;
        double f;
        struct { const char *str; size_t str_len; };
        py_buf_t buf;
    };
} py_val_t;

#define PY_END {0}
#define PY_INT_MAX INT64_MAX
#define PY_INT_MIN INT64_MIN
#define PY_REQ_OBJ(n)              { .name = n, .kind = PY_ARG_OBJ, .flags = PY_A_REQUIRED }
#define PY_OPT_OBJ(n)              { .name = n, .kind = PY_ARG_OBJ, .flags = PY_A_NONE_OK }
#define PY_KW_OBJ(n)               { .name = n, .kind = PY_ARG_OBJ, .flags = PY_A_KW_ONLY | PY_A_NONE_OK }
#define PY_KWREQ_OBJ(n)            { .name = n, .kind = PY_ARG_OBJ, .flags = PY_A_KW_ONLY | PY_A_REQUIRED }
#define PY_REQ_INT(n, lo, hi)      { .name = n, .kind = PY_ARG_INT, .flags = PY_A_REQUIRED, .min = lo, .max = hi }
#define PY_OPT_INT(n, d, lo, hi)   { .name = n, .kind = PY_ARG_INT, .def = d, .min = lo, .max = hi }
#define PY_KW_INT(n, d, lo, hi)    { .name = n, .kind = PY_ARG_INT, .flags = PY_A_KW_ONLY, .def = d, .min = lo, .max = hi }
#define PY_KWREQ_INT(n, lo, hi)    { .name = n, .kind = PY_ARG_INT, .flags = PY_A_KW_ONLY | PY_A_REQUIRED, .min = lo, .max = hi }
#define PY_REQ_BOOL(n)             { .name = n, .kind = PY_ARG_BOOL, .flags = PY_A_REQUIRED }
#define PY_OPT_BOOL(n, d)          { .name = n, .kind = PY_ARG_BOOL, .def = d }
#define PY_KW_BOOL(n, d)           { .name = n, .kind = PY_ARG_BOOL, .flags = PY_A_KW_ONLY, .def = d }
#define PY_REQ_FLOAT(n)            { .name = n, .kind = PY_ARG_FLOAT, .flags = PY_A_REQUIRED }
#define PY_OPT_FLOAT(n, d)         { .name = n, .kind = PY_ARG_FLOAT, .fdef = d }
#define PY_KW_FLOAT(n, d)          { .name = n, .kind = PY_ARG_FLOAT, .flags = PY_A_KW_ONLY, .fdef = d }
#define PY_REQ_STR(n)              { .name = n, .kind = PY_ARG_STR, .flags = PY_A_REQUIRED }
#define PY_OPT_STR(n, d)           { .name = n, .kind = PY_ARG_STR, .sdef = d }
#define PY_REQ_RBUF(n)             { .name = n, .kind = PY_ARG_RBUF, .flags = PY_A_REQUIRED }
#define PY_REQ_WBUF(n)             { .name = n, .kind = PY_ARG_WBUF, .flags = PY_A_REQUIRED }
#define PY_REST(n)                 { .name = n, .kind = PY_ARG_REST }
#define PY_KWREST(n)               { .name = n, .kind = PY_ARG_KWREST }
/* "*, start=0, end=MAX" of every buffer method */
#define PY_KW_SLICE(start, end)    PY_KW_INT(start, 0, INT32_MIN, INT32_MAX), PY_KW_INT(end, INT32_MAX, INT32_MIN, INT32_MAX)
#define PY_KW_START_END            PY_KW_SLICE("start", "end")
/* of both buffers of a transfer */
#define PY_KW_OUT_IN               PY_KW_SLICE("out_start", "out_end"), PY_KW_SLICE("in_start", "in_end")

/* ---- functions, classes, modules: all tables end in PY_END ---- */

typedef py_t (*py_method_fn)(py_t self, void *s, const py_val_t *a); /* s: the object's struct */
typedef py_t (*py_function_fn)(const py_val_t *a);

enum { PY_M_STATIC = 1, PY_M_ANYTIME = 2 /* allowed after deinit */ };

/* The method deinit() of a class whose `fini` gives everything back, and whose `live` then says false. */
#define PY_DEINIT                  { "deinit", py_deinit, NULL, PY_M_ANYTIME, NULL }
py_t py_deinit(py_t self, void *s, const py_val_t *a);

typedef struct {
    const char *name;
    py_method_fn fn;
    const py_arg_t *args; /* NULL = none */
    uint8_t flags;
    const char *doc;
} py_method_t;

typedef struct {
    const char *name;
    py_t (*get)(py_t self, void *s);               /* NULL = write-only: AttributeError on read */
    bool (*set)(py_t self, void *s, py_t value);   /* NULL = read-only */
    uint8_t flags;                                 /* PY_M_ANYTIME */
    const char *doc;
} py_prop_t;

typedef struct {
    const char *name;
    py_function_fn fn;
    const py_arg_t *args;
    const char *doc;
} py_function_t;

typedef struct {
    const char *name;
    int64_t value;
} py_constant_t;

/* Enum-like: attributes are singletons, compared with `is`, printed as "digitalio.Pull.UP". */
typedef struct {
    const char *module, *name;
    const char *const *values; /* NULL ends; position = number */
} py_enum_t;

typedef struct {
    const char *module, *name;
    const char *const *fields; /* NULL ends */
    bool from_sequence;        /* made of one sequence of exactly that many items, as struct_time */
} py_namedtuple_t;

/* An exception class of a module. */
typedef struct py_exception {
    const char *module, *name;
    py_exc_t base;
    const struct py_exception *parent; /* instead of base */
    bool uncatchable;                  /* a BaseException: `except Exception` lets it through */
    const char *doc;
    const py_function_t *init;         /* "__init__" of its own, whose first argument is the object */
} py_exception_t;

typedef struct py_class {
    const char *module, *name, *doc;
    size_t size; /* of the struct; zeroed on creation; a Python subclass that never calls
                    super().__init__() leaves it so: `live` must say false then */
    const struct py_class *base; /* native parent: its struct must come first in ours */
    bool final;                  /* may not be subclassed in Python */
    bool no_new;                 /* "cannot create instances" from Python */
    bool context;                /* with-statement: __exit__ calls `deinit` */
    bool attributes;             /* instances take any attribute, as those of a class of Python do; not inherited */

    const py_arg_t *init_args;
    bool (*init)(py_t self, void *s, const py_val_t *a);
    /* In place of a new object (a singleton, another class): whatever this returns. Not for
     * Python subclasses, which get a new object and init. */
    py_t (*make)(const py_val_t *a);
    /* The object dies, or its __init__ failed or runs again: release C resources; the struct may be
     * only partly set. No Python call, no handle. Also run for all objects at the end of the VM, newest
     * first, after the modules' reset(). A parent's runs after its child's. */
    void (*fini)(void *s);
    /* NULL = always alive. False: every method and property not PY_M_ANYTIME raises ValueError. */
    bool (*live)(const void *s);
    /* Byte offsets in the struct of its py_field_t members, then PY_FIELDS_END. */
    const uint16_t *fields;

    const py_method_t *methods;
    const py_prop_t *props;
    const py_constant_t *constants;
    const py_enum_t *const *enums; /* class attributes (UART.Parity); NULL ends */
    const py_exception_t *const *exceptions; /* class attributes too (SocketPool.gaierror); NULL ends */

    bool (*len)(py_t self, void *s, size_t *out);
    bool (*truth)(py_t self, void *s, bool *out);
    py_t (*getitem)(py_t self, void *s, py_t key);
    bool (*setitem)(py_t self, void *s, py_t key, py_t value_or_null); /* null = delete */
    bool (*contains)(py_t self, void *s, py_t value, bool *out);
    py_t (*iter)(py_t self, void *s); /* NULL with getitem and len: sequence iteration */
    /* null without exception = end. What has it can be awaited, too: it yields None until it is done; its
     * value is that of a StopIteration it raises. */
    py_t (*next)(py_t self, void *s);
    bool (*equal)(py_t self, void *s, py_t other, bool *out);
    int64_t (*hash)(void *s);
    py_t (*repr)(py_t self, void *s);
    py_t (*call)(py_t self, void *s, const py_val_t *a); /* one PY_REST, one PY_KWREST argument */
    bool (*buffer)(py_t self, void *s, bool write, py_buf_t *out);
} py_class_t;

#define PY_FIELDS_END ((uint16_t)0xFFFF)

typedef struct py_module {
    const char *name; /* dotted: "adafruit_bus_device.i2c_device" */
    const char *doc;
    const py_function_t *functions;
    const py_class_t *const *classes;         /* NULL ends */
    const py_enum_t *const *enums;            /* NULL ends */
    const py_namedtuple_t *const *namedtuples;
    const py_exception_t *const *exceptions;
    const py_constant_t *constants;
    /* Add what tables cannot say (py_attr_set on the module). Runs at the first import of each VM. */
    bool (*init)(py_t module);
    /* End of each VM, before its objects are gone: give back pins, detach displays. Called whether
     * or not this VM imported the module; last of the table first. */
    void (*reset)(void);
} py_module_t;

/* The table of all native modules, python/modules/modules.c. NULL ends. */
extern const py_module_t *const py_modules[];

/* ---- objects of native classes ---- */

/* An instance made from C, its struct zeroed (init not run). */
py_t py_new(const py_class_t *cls, void **s_out);
/* The struct of an instance of cls or of a subclass (Python subclasses too), else NULL, no exception. */
void *py_struct(py_t v, const py_class_t *cls);
/* The same, TypeError naming the argument when it is something else, ValueError when not live. */
void *py_struct_arg(py_t v, const py_class_t *cls, const char *arg_name);
py_t py_class_of(const py_class_t *cls); /* the type object */
py_t py_owner(void *s); /* the object of a struct that init, a method or a property was given */
py_t py_enum_value(const py_enum_t *e, int value);
bool py_enum_arg(py_t v, const py_enum_t *e, const char *arg_name, int *out);
py_t py_namedtuple(const py_namedtuple_t *t, const py_t *values);
py_t py_namedtuple_class(const py_namedtuple_t *t);
py_t py_exception_class(const py_exception_t *e);

void py_field_set(py_t owner, py_field_t *field, py_t value); /* null handle clears */
py_t py_field_get(const py_field_t *field);                   /* null handle when empty */

/* Memory of an object's struct beyond its size (pixels, cells): zeroed, 16-byte aligned, freed by its
 * fini. NULL with MemoryError set; freeing NULL does nothing. */
void *py_alloc(size_t size);
void py_free(void *memory);

/* Values that live as long as the VM and belong to no object (singletons). */
typedef enum {
    PY_ROOT_BOARD, PY_ROOT_DISPLAY, PY_ROOT_TERMINAL, PY_ROOT_RTC_SOURCE, PY_ROOT_RTC, PY_ROOT_RUNTIME, PY_ROOT_PINS,
    PY_ROOT_MISC, PY_ROOT_COUNT
} py_root_t;
void py_root_set(py_root_t slot, py_t value);
py_t py_root(py_root_t slot);

/* ---- time, waiting, background ---- */

const adder_mcu_t *py_mcu(void); /* the machine under this VM */

/* Wait up to `us`, running background work; false with the exception set on Ctrl-C, reload or a
 * watchdog. py_wait_until: until `done(ctx)` says true or the time is over (*timed_out). */
bool py_wait_us(uint64_t us);
bool py_wait_until(bool (*done)(void *ctx), void *ctx, uint64_t timeout_us, bool *timed_out);
/* Run what is due and deliver a pending Ctrl-C: for loops of C that may be long. */
bool py_poll(void);

/* A piece of background work (display refresh, keypad scan): `run` is called on the interpreter's
 * thread between byte codes, in waits and in the REPL; must not call user code; returns the time
 * (mcu now_us) it next wants to run. The struct is the caller's and stays until removed. */
typedef struct py_background {
    uint64_t (*run)(void *ctx, uint64_t now_us);
    void *ctx;
    uint64_t due_us;
    struct py_background *next;
} py_background_t;
void py_background_add(py_background_t *b);
void py_background_remove(py_background_t *b);
/* From any thread: look at the background list soon. */
void py_background_post(void);

/* Release the interpreter around a C wait that touches no Python object. */
void py_leave(void);
void py_enter(void);

/* ---- the pump: engines that run apart from the program (docs/architecture.md) ----
 *
 * A thread of its own drives network stacks and what stands on them while Python computes; whoever waits in
 * py_pump_wait drives them itself meanwhile, without the interpreter. One lock, the pump's, is held
 * whenever an engine is touched: in `run`, in `done`, and by a module between lock and unlock.
 *
 *     static bool connected(void *ctx) { o->err = net->ops->connect(...); return o->err != ADDER_ERR_AGAIN; }
 *     if (!py_pump_wait(connected, o, timeout_us, &timed_out)) return PY_NULL;       // Ctrl-C
 *
 * A round calls `run` of every item, in the order they were added: a stack first, then what stands on it.
 * The next one comes when the soonest wait_us is over, a signal fires or somebody pokes. So a run that has
 * nothing to do must be cheap, and a run that made something possible for another item or for a `done`
 * answers wait_us 0 (or its signal fires).
 * On MicroPython: a timer and the scheduler. */
typedef struct py_pump {
    /* Move things on; at most one bounded slice. With the pump's lock, without the interpreter: no py_
     * function but py_background_post() and py_pump_poke(). *wants_out: when to come again, as adder/net.h
     * says; it is preset to FOREVER and no signal. */
    void (*run)(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out);
    void *ctx;
    /* `run` may take a millisecond or more (a handshake, a chip behind a bus): who waits for news of any kind
     * leaves it to the pump's thread. May be changed with the lock. */
    bool heavy;
    uint32_t round; /* private from here on */
    struct py_pump *next;
} py_pump_t;
void py_pump_add(py_pump_t *p);    /* the struct is the caller's and stays until removed, in reset() or fini */
void py_pump_remove(py_pump_t *p); /* on return `run` is not under way and will not be called again */
/* For short calls into an engine from the interpreter's thread. lock() waits at most one slice (see `run`);
 * try_lock() waits 0.3 ms at most: false = an engine is busy, which non-blocking calls of Python report as
 * "not now". Not recursive; no py_ function in between but py_pump_poke(): a Python object may die in any other,
 * and its fini takes the lock. */
void py_pump_lock(void);
bool py_pump_try_lock(void);
void py_pump_unlock(void);
/* An engine was given something to do: have a round soon. With or without the lock, from any thread. Not
 * needed for what `done` does: a round follows it. */
void py_pump_poke(void);
/* Counts the runs that answered wait_us 0: a wait for "anything new" looks at it before it looks at anything
 * else, and waits until it has changed. */
uint32_t py_pump_progress(void);
/* Run the pump until done(ctx) is true or the time is over (*timed_out, may be NULL); UINT64_MAX = for ever.
 * `done` is called with the lock and without the interpreter, first at once and then after every round, also
 * with a timeout of 0. Background work of the program's thread goes on. False with the exception set on
 * Ctrl-C, reload or a watchdog. Buffers borrowed before stay pinned. */
bool py_pump_wait(bool (*done)(void *ctx), void *ctx, uint64_t timeout_us, bool *timed_out);

/* Text to the console (the serial port of the board). */
void py_console_write(const char *utf8, size_t len);
size_t py_console_available(void); /* bytes typed and not yet read */

/* clang-format on */

#endif
