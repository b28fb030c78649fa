/* `_adder_vm`: what python/lib/adder_vm stands on. The contract is in vm.h. */
#include <string.h>

#include "python/layer/cpython_int.h"

/* ---- the console ---- */

static py_t vm_console_write(const py_val_t *a)
{
    PyObject *o = obj(a[0].obj);
    if (PyUnicode_Check(o)) {
        Py_ssize_t len;
        const char *utf8 = PyUnicode_AsUTF8AndSize(o, &len);
        if (utf8 != NULL) {
            py_console_write(utf8, (size_t)len);
            return py_none();
        }
        PyErr_Clear(); /* lone surrogates: a terminal cannot show them */
        py_t bytes = owned(PyUnicode_AsEncodedString(o, "utf-8", "replace"));
        if (py_null(bytes))
            return PY_NULL;
        py_console_write(PyBytes_AS_STRING(obj(bytes)), (size_t)PyBytes_GET_SIZE(obj(bytes)));
        return py_none();
    }
    py_buf_t buf;
    if (!py_buffer_read(a[0].obj, &buf))
        return PY_NULL;
    py_console_write((const char *)buf.ptr, buf.len);
    return py_none();
}

static py_t vm_console_read(const py_val_t *a)
{
    const vm_config_t *config = py_config();
    char text[4096];
    size_t cap = (size_t)a[0].i < sizeof text ? (size_t)a[0].i : sizeof text;
    size_t n = config->console_read != NULL ? config->console_read(config->ctx, text, cap) : 0;
    return py_bytes(text, n);
}

static py_t vm_console_available(const py_val_t *a)
{
    (void)a;
    return py_int((int64_t)py_console_available());
}

static py_t vm_interrupt_char(const py_val_t *a)
{
    const vm_config_t *config = py_config();
    if (config->console_interrupt != NULL)
        config->console_interrupt(config->ctx, a[0].b);
    return py_none();
}

/* Before adder_vm has put its own stream in place, and for errors inside it. */
static py_t stream_write(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return vm_console_write(a);
}

static py_t stream_flush(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_none();
}

static const py_arg_t write_args[] = {PY_REQ_OBJ("text"), PY_END};
static const py_method_t stream_methods[] = {
    {"write", stream_write, write_args, 0, NULL}, {"flush", stream_flush, NULL, 0, NULL}, PY_END};
static const py_class_t stream_class = {
    .module = "_adder_vm", .name = "Stream", .no_new = true, .methods = stream_methods};

/* ---- waiting ---- */

static bool woken_by_input(void *ctx)
{
    return py_console_available() > *(const size_t *)ctx;
}

/* Ends early on new console input, which is what vm_wake() tells of. */
static py_t vm_wait(const py_val_t *a)
{
    if (a[0].f < 0)
        return py_raise(PY_ValueError, "seconds must be >= 0");
    size_t before = py_console_available();
    uint64_t us = a[0].f > 1e9 ? UINT64_MAX : (uint64_t)(a[0].f * 1e6);
    return py_wait_until(woken_by_input, &before, us, NULL) ? py_none() : PY_NULL;
}

static py_t vm_progress(const py_val_t *a)
{
    (void)a;
    return py_int(py_pump_progress());
}

typedef struct {
    size_t input;
    uint32_t progress;
} news_t;

static bool woken_by_news(void *ctx)
{
    const news_t *n = ctx;
    return py_pump_progress() != n->progress || py_console_available() > n->input;
}

static py_t vm_wait_news(const py_val_t *a)
{
    news_t n = {.input = py_console_available(), .progress = (uint32_t)a[1].i};
    if (!(a[0].f >= 0))
        return py_raise(PY_ValueError, "seconds must be >= 0");
    uint64_t us = a[0].f > 1e9 ? UINT64_MAX : (uint64_t)(a[0].f * 1e6);
    return py_pump_wait_news(woken_by_news, &n, us) ? py_none() : PY_NULL;
}

static py_t vm_poll(const py_val_t *a)
{
    (void)a;
    return py_poll() ? py_none() : PY_NULL;
}

/* ---- state ---- */

static py_t vm_writable(const py_val_t *a)
{
    (void)a;
    return py_bool(vm_state()->drive_writable);
}

static py_t vm_set_traceback(const py_val_t *a)
{
    vm_state_t *state = vm_state();
    char *copy = NULL;
    if (a[0].given && (copy = strdup(a[0].str)) == NULL)
        return py_raise(PY_MemoryError, "memory allocation failed");
    free(state->previous_traceback);
    state->previous_traceback = copy;
    return py_none();
}

/* (objects of native classes, handles in use, handles at most): for leak tests. */
static py_t vm_stats(const py_val_t *a)
{
    (void)a;
    size_t handles = py_handles.top;
    const py_t items[] = {py_int((int64_t)py_objects_live()), py_int((int64_t)handles),
                          py_int((int64_t)py_handles_peak())};
    return py_tuple(items, 3);
}

static const py_arg_t read_args[] = {PY_REQ_INT("n", 0, INT32_MAX), PY_END};
static const py_arg_t on_args[] = {PY_REQ_BOOL("on"), PY_END};
static const py_arg_t wait_args[] = {PY_REQ_FLOAT("seconds"), PY_END};
static const py_arg_t news_args[] = {PY_REQ_FLOAT("seconds"), PY_REQ_INT("progress", 0, UINT32_MAX), PY_END};
static const py_arg_t text_args[] = {
    {.name = "text", .kind = PY_ARG_STR, .flags = PY_A_REQUIRED | PY_A_NONE_OK}, PY_END};
static const py_function_t functions[] = {{"console_write", vm_console_write, write_args, NULL},
                                          {"console_read", vm_console_read, read_args, NULL},
                                          {"console_available", vm_console_available, NULL, NULL},
                                          {"interrupt_char", vm_interrupt_char, on_args, NULL},
                                          {"wait", vm_wait, wait_args, NULL},
                                          {"progress", vm_progress, NULL, NULL},
                                          {"wait_news", vm_wait_news, news_args, NULL},
                                          {"poll", vm_poll, NULL, NULL},
                                          {"writable", vm_writable, NULL, NULL},
                                          {"set_traceback", vm_set_traceback, text_args, NULL},
                                          {"stats", vm_stats, NULL, NULL},
                                          PY_END};

static const py_exception_t reload_exception = {.module = "_adder_vm", .name = "Reload", .uncatchable = true};
static const py_exception_t reset_exception = {.module = "_adder_vm", .name = "Reset", .uncatchable = true};
static const py_exception_t stop_exception = {.module = "_adder_vm", .name = "Stop", .uncatchable = true};

PyObject *py_request_class(vm_request_t what)
{
    return obj(py_exception_class(what == VM_REQ_RELOAD  ? &reload_exception
                                  : what == VM_REQ_RESET ? &reset_exception
                                                         : &stop_exception));
}

static bool init(py_t module)
{
    const vm_config_t *config = py_config();
    const adder_mcu_t *mcu = config->mcu;
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    py_t stream = py_new(&stream_class, NULL);
    for (size_t i = 0; i < 3; i++) {
        if (py_null(stream) || PySys_SetObject(streams[i], obj(stream)) < 0)
            return false;
    }
    return py_attr_set(module, "drive", config->drive ? py_str(config->drive) : py_none()) &&
           py_attr_set(module, "native", py_bool(config->native)) &&
           py_attr_set(module, "board_id", py_str(mcu->board_id)) &&
           py_attr_set(module, "board_name", py_str(mcu->board_name)) &&
           py_attr_set(module, "chip_name", py_str(mcu->chip_name));
}

static const py_exception_t *const exceptions[] = {&reload_exception, &reset_exception, &stop_exception,
                                                   NULL};
const py_module_t py_layer_module = {
    .name = "_adder_vm", .functions = functions, .exceptions = exceptions, .init = init};
