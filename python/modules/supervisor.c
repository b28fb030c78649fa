/* supervisor: the run, the serial line, what comes next. Its state is vm_state(), which host/ reads. */
#include <stdio.h>
#include <string.h>

#include "python/layer/vm.h"
#include "python/modules/settings_file.h"
#include "python/modules/supervisor.h"

/* ---- enums ---- */

static const char *const run_reasons[] = {"STARTUP", "AUTO_RELOAD", "SUPERVISOR_RELOAD", "REPL_RELOAD", NULL};
static const py_enum_t run_reason_enum = {"supervisor", "RunReason", run_reasons};
static const char *const safe_mode_reasons[] = {"NONE",
                                                "BROWNOUT",
                                                "FLASH_WRITE_FAIL",
                                                "GC_ALLOC_OUTSIDE_VM",
                                                "HARD_FAULT",
                                                "INTERRUPT_ERROR",
                                                "NLR_JUMP_FAIL",
                                                "NO_CIRCUITPY",
                                                "NO_HEAP",
                                                "PROGRAMMATIC",
                                                "SAFEMODE_PY_ERROR",
                                                "SDK_FATAL_ERROR",
                                                "STACK_OVERFLOW",
                                                "USB_BOOT_DEVICE_NOT_INTERFACE_ZERO",
                                                "USB_TOO_MANY_ENDPOINTS",
                                                "USB_TOO_MANY_INTERFACE_NAMES",
                                                "USER",
                                                "WATCHDOG",
                                                NULL};
static const py_enum_t safe_mode_enum = {"supervisor", "SafeModeReason", safe_mode_reasons};

/* ---- runtime ---- */

typedef struct {
    uint8_t brightness;
} runtime_t;

static py_t get_true(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(true);
}

static py_t get_false(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(false);
}

static bool set_nothing(py_t self, void *s, py_t value)
{
    (void)self, (void)s, (void)value;
    return true;
}

static py_t get_serial_connected(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(vm_state()->serial_connected);
}

static py_t get_bytes_available(py_t self, void *s)
{
    (void)self, (void)s;
    return py_int((int64_t)py_console_available());
}

static py_t get_run_reason(py_t self, void *s)
{
    (void)self, (void)s;
    return py_enum_value(&run_reason_enum, (int)vm_state()->run_reason);
}

static py_t get_safe_mode_reason(py_t self, void *s)
{
    (void)self, (void)s;
    const char *name = vm_state()->safe_mode_reason;
    for (int i = 0; name != NULL && safe_mode_reasons[i] != NULL; i++) {
        if (strcmp(safe_mode_reasons[i], name) == 0)
            return py_enum_value(&safe_mode_enum, i);
    }
    return py_enum_value(&safe_mode_enum, 0);
}

static py_t get_autoreload(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(vm_state()->autoreload);
}

static bool set_autoreload(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    return py_to_bool(value, &vm_state()->autoreload);
}

static py_t get_brightness(py_t self, void *s)
{
    (void)self;
    return py_int(((runtime_t *)s)->brightness);
}

static bool set_brightness(py_t self, void *s, py_t value)
{
    (void)self;
    int64_t v;
    if (!py_to_int(value, &v))
        return false;
    if (v < 0 || v > 255)
        return py_fail(py_raise(PY_ValueError, "rgb_status_brightness must be 0-255"));
    ((runtime_t *)s)->brightness = (uint8_t)v;
    return true;
}

static py_t get_display(py_t self, void *s)
{
    (void)self, (void)s;
    py_t display = py_root(PY_ROOT_DISPLAY);
    if (!py_null(display))
        return display;
    py_t board = py_import("board");
    return py_null(board) ? PY_NULL : py_attr_try(board, "DISPLAY", &display) ? display : py_none();
}

static bool set_display(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    py_root_set(PY_ROOT_DISPLAY, value);
    return true;
}

static const py_prop_t runtime_props[] = {{"usb_connected", get_true, NULL, 0, NULL},
                                          {"serial_connected", get_serial_connected, NULL, 0, NULL},
                                          {"serial_bytes_available", get_bytes_available, NULL, 0, NULL},
                                          {"run_reason", get_run_reason, NULL, 0, NULL},
                                          {"safe_mode_reason", get_safe_mode_reason, NULL, 0, NULL},
                                          {"autoreload", get_autoreload, set_autoreload, 0, NULL},
                                          {"ble_workflow", get_false, set_nothing, 0, NULL},
                                          {"rgb_status_brightness", get_brightness, set_brightness, 0, NULL},
                                          {"display", get_display, set_display, 0, NULL},
                                          PY_END};
static const py_class_t runtime_class = {.module = "supervisor",
                                         .name = "Runtime",
                                         .size = sizeof(runtime_t),
                                         .no_new = true,
                                         .final = true,
                                         .props = runtime_props};

/* ---- status bar ---- */

static py_t get_bar_console(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(vm_state()->status_bar_console);
}

static bool set_bar_console(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    return py_to_bool(value, &vm_state()->status_bar_console);
}

static py_t get_bar_display(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(vm_state()->status_bar_display);
}

static bool set_bar_display(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    return py_to_bool(value, &vm_state()->status_bar_display);
}

static const py_prop_t bar_props[] = {{"console", get_bar_console, set_bar_console, 0, NULL},
                                      {"display", get_bar_display, set_bar_display, 0, NULL},
                                      PY_END};
static const py_class_t bar_class = {
    .module = "supervisor", .name = "StatusBar", .no_new = true, .final = true, .props = bar_props};

/* ---- functions ---- */

int64_t supervisor_ticks_ms(void)
{
    const adder_mcu_t *mcu = py_mcu();
    enum { PERIOD = 1 << 29, FIRST_MS = 65000 };
    return (int64_t)((mcu->sys->now_us(mcu->ctx) / 1000u + PERIOD - FIRST_MS) % PERIOD);
}

static py_t ticks_ms(const py_val_t *a)
{
    (void)a;
    return py_int(supervisor_ticks_ms());
}

static py_t reload(const py_val_t *a)
{
    (void)a;
    vm_request(VM_REQ_RELOAD);
    return py_poll() ? py_none() : PY_NULL;
}

enum { FILENAME, DIRECTORY, RELOAD_SUCCESS, RELOAD_ERROR, STICKY_SUCCESS, STICKY_ERROR, STICKY_RELOAD };
static const py_arg_t next_args[] = {
    [FILENAME] = {.name = "filename", .kind = PY_ARG_STR, .flags = PY_A_REQUIRED | PY_A_NONE_OK},
    [DIRECTORY] = {.name = "working_directory", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY | PY_A_NONE_OK},
    [RELOAD_SUCCESS] = PY_KW_BOOL("reload_on_success", false),
    [RELOAD_ERROR] = PY_KW_BOOL("reload_on_error", false),
    [STICKY_SUCCESS] = PY_KW_BOOL("sticky_on_success", false),
    [STICKY_ERROR] = PY_KW_BOOL("sticky_on_error", false),
    [STICKY_RELOAD] = PY_KW_BOOL("sticky_on_reload", false),
    PY_END};

/* Asks the drive, which is Python's. */
static bool on_drive(const char *directory, const char *name)
{
    char path[600];
    bool absolute = directory == NULL || name[0] == '/';
    snprintf(path, sizeof path, "%s/%s", absolute ? "" : directory, name);
    py_t drive = py_import("adder_vm.drive"), arg = py_str(path);
    bool there = !py_null(drive) && !py_null(py_call_method(drive, "stat", &arg, 1));
    py_error_clear();
    return there;
}

static py_t set_next_code_file(const py_val_t *a)
{
    vm_state_t *state = vm_state();
    const char *directory = a[DIRECTORY].given ? a[DIRECTORY].str : NULL;
    const char *name = a[FILENAME].given ? a[FILENAME].str : "";
    if (strlen(name) >= sizeof state->next_file || (directory && strlen(directory) >= sizeof state->next_dir))
        return py_raise(PY_ValueError, "filename too long");
    if (directory != NULL && !on_drive(NULL, directory))
        return py_raise(PY_ValueError, "Invalid working_directory: %s", directory);
    if (name[0] != '\0' && !on_drive(directory, name))
        return py_raise(PY_ValueError, "File not found: %s", name);
    strcpy(state->next_file, name);
    strcpy(state->next_dir, directory ? directory : "");
    state->next_flags = (uint8_t)((a[RELOAD_SUCCESS].b ? VM_NEXT_RELOAD_ON_SUCCESS : 0) |
                                  (a[RELOAD_ERROR].b ? VM_NEXT_RELOAD_ON_ERROR : 0) |
                                  (a[STICKY_SUCCESS].b ? VM_NEXT_STICKY_ON_SUCCESS : 0) |
                                  (a[STICKY_ERROR].b ? VM_NEXT_STICKY_ON_ERROR : 0) |
                                  (a[STICKY_RELOAD].b ? VM_NEXT_STICKY_ON_RELOAD : 0));
    return py_none();
}

static py_t get_previous_traceback(const py_val_t *a)
{
    (void)a;
    const char *text = vm_previous_traceback();
    return text ? py_str(text) : py_none();
}

static const py_arg_t setting_args[] = {PY_REQ_STR("key"), PY_OPT_OBJ("default"), PY_END};

static py_t get_setting(const py_val_t *a)
{
    py_t value = settings_typed(a[0].str);
    if (!py_null(value) || py_error())
        return value;
    return a[1].given ? a[1].obj : py_none();
}

static const py_arg_t terminal_args[] = {PY_REQ_INT("x_pixels", 1, 65535), PY_REQ_INT("y_pixels", 1, 65535),
                                         PY_END};

/* The terminal takes the display's size by itself. */
static py_t reset_terminal(const py_val_t *a)
{
    (void)a;
    return py_none();
}

static const py_arg_t usb_args[] = {PY_KWREST("names"), PY_END};

static py_t set_usb_identification(const py_val_t *a)
{
    (void)a;
    if (!vm_state()->booting)
        return py_raise(PY_RuntimeError, "Only usable in boot.py");
    return py_none();
}

static py_t disable_autoreload(const py_val_t *a)
{
    (void)a;
    vm_state()->autoreload = false;
    return py_none();
}

static py_t enable_autoreload(const py_val_t *a)
{
    (void)a;
    vm_state()->autoreload = true;
    return py_none();
}

static const py_function_t functions[] = {{"ticks_ms", ticks_ms, NULL, NULL},
                                          {"reload", reload, NULL, NULL},
                                          {"set_next_code_file", set_next_code_file, next_args, NULL},
                                          {"get_previous_traceback", get_previous_traceback, NULL, NULL},
                                          {"get_setting", get_setting, setting_args, NULL},
                                          {"reset_terminal", reset_terminal, terminal_args, NULL},
                                          {"set_usb_identification", set_usb_identification, usb_args, NULL},
                                          {"disable_autoreload", disable_autoreload, NULL, NULL},
                                          {"enable_autoreload", enable_autoreload, NULL, NULL},
                                          PY_END};

static bool init(py_t module)
{
    void *s;
    py_t runtime = py_new(&runtime_class, &s), bar = py_new(&bar_class, NULL);
    if (py_null(runtime) || py_null(bar))
        return false;
    ((runtime_t *)s)->brightness = 100;
    return py_attr_set(module, "runtime", runtime) && py_attr_set(module, "status_bar", bar);
}

static const py_enum_t *const enums[] = {&run_reason_enum, &safe_mode_enum, NULL};
static const py_class_t *const classes[] = {&runtime_class, &bar_class, NULL};
const py_module_t supervisor_module = {
    .name = "supervisor", .functions = functions, .enums = enums, .classes = classes, .init = init};
