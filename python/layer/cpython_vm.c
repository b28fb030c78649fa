/* The life of the interpreter: start, calls into adder_vm, requests from other threads, end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "python/layer/cpython_int.h"

static struct {
    vm_config_t config;
    bool running;
    PyObject *roots[PY_ROOT_COUNT];
    bool raised; /* the sticky request has been raised at raised_us */
    uint64_t raised_us;
} vm;

static atomic_uint requests; /* a bit for each vm_request_t */

enum { REPEAT_US = 100000 };

const vm_config_t *py_config(void)
{
    return &vm.config;
}

const adder_mcu_t *py_mcu(void)
{
    return vm.config.mcu;
}

vm_state_t *vm_state(void)
{
    static vm_state_t state; /* outlives the interpreters, as retained RAM does */
    return &state;
}

static char *previous_traceback;

const char *vm_previous_traceback(void)
{
    return previous_traceback;
}

/* ---- where CPython's own library is ---- */

/* Beside the shared library that this process has loaded: PATH, PYTHONHOME, a pyenv or a virtual
 * environment of the user's say nothing about it. */
static bool find_library(char *prefix, size_t cap)
{
    Dl_info info;
    char at[PATH_MAX], probe[PATH_MAX + 64];
    if (dladdr((void *)(uintptr_t)Py_GetVersion, &info) == 0 || realpath(info.dli_fname, at) == NULL)
        return false;
    for (char *slash; (slash = strrchr(at, '/')) != NULL;) {
        *slash = '\0';
        snprintf(probe, sizeof probe, "%s/lib/python%d.%d/os.py", at, PY_MAJOR_VERSION, PY_MINOR_VERSION);
        if (access(probe, R_OK) == 0)
            return (size_t)snprintf(prefix, cap, "%s", at) < cap;
    }
    return false;
}

static PyStatus set_path(PyConfig *config, const char *prefix)
{
    static const char *const parts[] = {"", "/lib-dynload"};
    PyStatus status = PyStatus_Ok();
    wchar_t *const *members[] = {&config->prefix, &config->base_prefix, &config->exec_prefix,
                                 &config->base_exec_prefix};
    for (size_t i = 0; i < 4 && !PyStatus_Exception(status); i++)
        status = PyConfig_SetBytesString(config, (wchar_t **)(uintptr_t)members[i], prefix);
    config->module_search_paths_set = 1;
    for (size_t i = 0; i < 2 && !PyStatus_Exception(status); i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s/lib/python%d.%d%s", prefix, PY_MAJOR_VERSION, PY_MINOR_VERSION,
                 parts[i]);
        wchar_t *wide = Py_DecodeLocale(path, NULL);
        if (wide == NULL)
            return PyStatus_NoMemory();
        status = PyWideStringList_Append(&config->module_search_paths, wide);
        if (i == 0 && !PyStatus_Exception(status))
            status = PyConfig_SetString(config, &config->stdlib_dir, wide);
        PyMem_RawFree(wide);
    }
    return status;
}

static PyStatus initialize(const char *prefix)
{
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&pre);
    if (PyStatus_Exception(status))
        return status;
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    config.code_debug_ranges = 0;
    config.pathconfig_warnings = 0;
    config.parse_argv = 0;
    config.use_hash_seed = 1; /* the same run twice gives the same counts */
    config.hash_seed = 0;
    status = PyConfig_SetString(&config, &config.program_name, L"adder");
    if (!PyStatus_Exception(status))
        status = PyConfig_SetString(&config, &config.executable, L"");
    if (!PyStatus_Exception(status))
        status = PyConfig_SetString(&config, &config.base_executable, L"");
    if (!PyStatus_Exception(status))
        status = set_path(&config, prefix);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

/* ---- start and stop ---- */

static void describe_error(char *msg, size_t cap)
{
    py_t e = py_error_take();
    const char *text = NULL;
    py_t shown = py_null(e) ? PY_NULL : py_repr(e);
    if (!py_null(shown) && py_to_str(shown, &text, NULL))
        snprintf(msg, cap, "Python: %s", text);
    else
        snprintf(msg, cap, "Python: it did not start");
    PyErr_Clear();
}

adder_err_t vm_start(const vm_config_t *config, char *msg, size_t msg_cap)
{
    if (vm.running) {
        snprintf(msg, msg_cap, "Python: one interpreter is already running");
        return ADDER_ERR_STATE;
    }
    char prefix[PATH_MAX];
    if (!find_library(prefix, sizeof prefix)) {
        snprintf(msg, msg_cap, "Python: its library (lib/python%d.%d) is not where libpython is installed",
                 PY_MAJOR_VERSION, PY_MINOR_VERSION);
        return ADDER_ERR_INTERNAL;
    }
    PyStatus status = initialize(prefix);
    if (PyStatus_Exception(status)) {
        snprintf(msg, msg_cap, "Python: %s", status.err_msg ? status.err_msg : "it did not start");
        return ADDER_ERR_INTERNAL;
    }
    memset(&vm, 0, sizeof vm);
    vm.config = *config;
    free(previous_traceback);
    previous_traceback = vm_state()->previous_traceback ? strdup(vm_state()->previous_traceback) : NULL;
    vm.running = true;
    py_names_start();
    if (!py_errno_start() || !py_types_start() || !py_modules_start()) {
        describe_error(msg, msg_cap);
        vm_stop();
        return ADDER_ERR_INTERNAL;
    }
    py_wait_start(); /* last: from here on requests break in */
    return ADDER_OK;
}

void vm_stop(void)
{
    if (!vm.running)
        return;
    PyErr_Clear();
    py_modules_reset();
    PyErr_Clear();
    py_objects_finish();
    for (int i = 0; i < PY_ROOT_COUNT; i++)
        Py_CLEAR(vm.roots[i]);
    py_handles_unwind(0);
    py_wait_stop();
    py_types_stop();
    py_names_stop();
    vm.running = false;
    Py_FinalizeEx();
    py_types_free();
}

/* ---- calls ---- */

static vm_outcome_t request_outcome(unsigned bits)
{
    return bits & 1u << VM_REQ_STOP ? VM_STOPPED : bits & 1u << VM_REQ_RESET ? VM_RESET : VM_RELOAD;
}

enum { STICKY = 1u << VM_REQ_STOP | 1u << VM_REQ_RESET | 1u << VM_REQ_RELOAD };

/* adder_vm prints the program's exceptions in the board's form; what has no mark is its own. */
static bool already_printed(void)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    bool printed = value != NULL && PyObject_HasAttrString(value, "adder_printed");
    PyErr_Restore(type, value, trace);
    return printed;
}

static vm_outcome_t outcome_of_error(void)
{
    static const struct {
        vm_request_t what;
        vm_outcome_t outcome;
    } own[] = {{VM_REQ_RELOAD, VM_RELOAD}, {VM_REQ_RESET, VM_RESET}, {VM_REQ_STOP, VM_STOPPED}};
    for (size_t i = 0; i < 3; i++) {
        PyObject *cls = py_request_class(own[i].what);
        if (cls != NULL && PyErr_ExceptionMatches(cls)) {
            PyErr_Clear();
            return own[i].outcome;
        }
    }
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyErr_Clear();
        return VM_EXIT;
    }
    vm_outcome_t outcome = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) ? VM_INTERRUPTED : VM_EXCEPTION;
    if (outcome == VM_EXCEPTION && !already_printed())
        PyErr_Print();
    PyErr_Clear();
    return outcome;
}

vm_outcome_t vm_call(const char *function, const char *arg, int *value_out)
{
    if (value_out != NULL)
        *value_out = 0;
    if (!vm.running)
        return VM_EXCEPTION;
    size_t mark = py_handles.top;
    py_t module = py_import("adder_vm");
    py_t fn = py_null(module) ? PY_NULL : py_attr(module, function);
    py_t argument = arg ? py_str(arg) : PY_NULL;
    py_t r = py_null(fn) ? PY_NULL : py_call(fn, &argument, arg ? 1 : 0);
    vm_outcome_t outcome = VM_DONE;
    if (py_null(r))
        outcome = outcome_of_error();
    else if (value_out != NULL && py_is_int(r))
        *value_out = (int)PyLong_AsLong(obj(r));
    PyErr_Clear();
    if (vm.raised) { /* also when the program swallowed it and then came to its end */
        unsigned seen = atomic_fetch_and(&requests, ~(unsigned)STICKY) & STICKY;
        vm.raised = false;
        py_repeat_requests(false);
        if (seen != 0)
            outcome = request_outcome(seen);
    }
    py_handles_unwind(mark);
    return outcome;
}

/* ---- requests ---- */

void vm_request(vm_request_t what)
{
    atomic_fetch_or(&requests, 1u << what);
    py_request_posted();
}

void vm_clear(void)
{
    atomic_store(&requests, 0);
}

static void raise_watchdog(void)
{
    py_scope_t scope = py_scope_open();
    py_t module = py_import("watchdog");
    py_t cls = py_null(module) ? PY_NULL : py_attr(module, "WatchDogTimeout");
    if (!py_null(cls))
        py_raise_class(cls, "%s", "");
    py_scope_close(scope);
}

static bool deliver(bool from_timer)
{
    unsigned pending = atomic_load(&requests);
    if (pending == 0)
        return true;
    vm_request_t what = VM_REQ_STOP;
    while (!(pending & 1u << what))
        what--;
    if (what == VM_REQ_INTERRUPT || what == VM_REQ_WATCHDOG) {
        atomic_fetch_and(&requests, ~(1u << what));
        if (what == VM_REQ_WATCHDOG)
            raise_watchdog();
        else
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        return false;
    }
    /* A program may catch these too (`except:`): they come again until it has ended, but not so
     * fast that its own `finally` blocks cannot end. */
    const adder_mcu_t *mcu = py_mcu();
    uint64_t now_us = mcu->sys->now_us(mcu->ctx);
    if (from_timer && vm.raised && now_us - vm.raised_us < REPEAT_US)
        return true;
    vm.raised = true;
    vm.raised_us = now_us;
    py_repeat_requests(true);
    PyObject *cls = py_request_class(what);
    if (cls != NULL)
        PyErr_SetNone(cls);
    return false;
}

bool py_deliver(void)
{
    return deliver(false);
}

bool py_deliver_timer(void)
{
    return deliver(true);
}

/* ---- roots, console ---- */

void py_root_set(py_root_t slot, py_t value)
{
    PyObject *old = vm.roots[slot];
    vm.roots[slot] = Py_XNewRef(obj(value));
    Py_XDECREF(old);
}

py_t py_root(py_root_t slot)
{
    return owned(Py_XNewRef(vm.roots[slot]));
}

void py_console_write(const char *utf8, size_t len)
{
    if (vm.config.console_write != NULL)
        vm.config.console_write(vm.config.ctx, utf8, len);
}

size_t py_console_available(void)
{
    return vm.config.console_available != NULL ? vm.config.console_available(vm.config.ctx) : 0;
}
