/* storage: who may write to the drive. The only file system is the drive itself: a folder of the PC. */
#include <string.h>

#include "python/layer/py.h"
#include "python/layer/vm.h"

/* ---- the file system object of "/" ---- */

static py_t get_label(py_t self, void *s)
{
    (void)self, (void)s;
    return py_str("CIRCUITPY");
}

static bool set_label(py_t self, void *s, py_t value)
{
    (void)self, (void)s, (void)value;
    return vm_state()->drive_writable || py_fail(py_raise_errno(30, "Read-only filesystem"));
}

static py_t get_readonly(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bool(!vm_state()->drive_writable);
}

static py_t on_drive(const char *function, const py_t *args, size_t n)
{
    py_t drive = py_import("adder_vm.drive");
    return py_null(drive) ? PY_NULL : py_call_method(drive, function, args, n);
}

static const py_arg_t path_args[] = {PY_REQ_OBJ("path"), PY_END};
static const py_arg_t open_args[] = {PY_REQ_OBJ("path"), PY_OPT_STR("mode", "r"), PY_END};

static py_t fs_open(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    py_t args[] = {a[0].obj, py_str(a[1].str)};
    return on_drive("open", args, 2);
}

static py_t fs_mkdir(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return on_drive("mkdir", &a[0].obj, 1);
}

static py_t fs_rmdir(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return on_drive("rmdir", &a[0].obj, 1);
}

static py_t fs_stat(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return on_drive("stat", &a[0].obj, 1);
}

static py_t fs_statvfs(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return on_drive("statvfs", &a[0].obj, 1);
}

static const py_method_t fs_methods[] = {
    {"open", fs_open, open_args, 0, NULL},       {"mkdir", fs_mkdir, path_args, 0, NULL},
    {"rmdir", fs_rmdir, path_args, 0, NULL},     {"stat", fs_stat, path_args, 0, NULL},
    {"statvfs", fs_statvfs, path_args, 0, NULL}, PY_END};
static const py_prop_t fs_props[] = {
    {"label", get_label, set_label, 0, NULL}, {"readonly", get_readonly, NULL, 0, NULL}, PY_END};

static const py_arg_t blockdev_args[] = {PY_REQ_OBJ("blockdev"), PY_END};

static bool fs_init(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_fail(py_raise(PY_NotImplementedError, "VfsFat: block devices are not simulated"));
}

static const py_class_t fs_class = {.module = "storage",
                                    .name = "VfsFat",
                                    .init_args = blockdev_args,
                                    .init = fs_init,
                                    .methods = fs_methods,
                                    .props = fs_props};

/* ---- functions ---- */

static bool is_root(const char *path)
{
    return strcmp(path, "/") == 0;
}

static const py_arg_t getmount_args[] = {PY_REQ_STR("mount_path"), PY_END};

static py_t getmount(const py_val_t *a)
{
    return is_root(a[0].str) ? py_new(&fs_class, NULL) : py_raise_errno(22, "Invalid argument");
}

static const py_arg_t mount_args[] = {PY_REQ_OBJ("filesystem"), PY_REQ_STR("mount_path"),
                                      PY_KW_BOOL("readonly", false), PY_END};

static py_t mount(const py_val_t *a)
{
    (void)a;
    return py_raise(PY_NotImplementedError, "storage.mount: only the CIRCUITPY drive is simulated");
}

static py_t umount(const py_val_t *a)
{
    if (py_is_str(a[0].obj))
        return py_raise_errno(22, "Invalid argument");
    return py_raise(PY_NotImplementedError, "storage.umount: only the CIRCUITPY drive is simulated");
}

static const py_arg_t remount_args[] = {PY_REQ_STR("mount_path"), PY_OPT_BOOL("readonly", false),
                                        PY_KW_BOOL("disable_concurrent_write_protection", false), PY_END};

/* In boot.py USB is not up yet; later the PC has the drive and the board may not take it. */
static py_t remount(const py_val_t *a)
{
    vm_state_t *state = vm_state();
    if (!is_root(a[0].str))
        return py_raise_errno(22, "Invalid argument");
    if (!state->booting && state->drive_writable == a[1].b)
        return py_raise(PY_RuntimeError, "Cannot remount path when visible via USB.");
    state->drive_writable = !a[1].b;
    return py_none();
}

static py_t usb_drive(const py_val_t *a)
{
    (void)a;
    if (!vm_state()->booting)
        return py_raise(PY_RuntimeError, "Cannot change USB devices now");
    return py_none();
}

static py_t disable_usb_drive(const py_val_t *a)
{
    py_t r = usb_drive(a);
    if (!py_null(r)) /* nobody else has it then: the program may write */
        vm_state()->drive_writable = true;
    return r;
}

static py_t unsafe_disable_usb_drive(const py_val_t *a)
{
    (void)a;
    vm_state()->drive_writable = true;
    return py_none();
}

static const py_arg_t erase_args[] = {PY_OPT_OBJ("extended"), PY_END};

static py_t erase_filesystem(const py_val_t *a)
{
    (void)a; /* it is the user's folder: nothing in a program may wipe it */
    return py_raise(PY_NotImplementedError, "storage.erase_filesystem: the drive is a folder of the PC");
}

static const py_function_t functions[] = {{"getmount", getmount, getmount_args, NULL},
                                          {"mount", mount, mount_args, NULL},
                                          {"umount", umount, path_args, NULL},
                                          {"remount", remount, remount_args, NULL},
                                          {"disable_usb_drive", disable_usb_drive, NULL, NULL},
                                          {"enable_usb_drive", usb_drive, NULL, NULL},
                                          {"unsafe_disable_usb_drive", unsafe_disable_usb_drive, NULL, NULL},
                                          {"erase_filesystem", erase_filesystem, erase_args, NULL},
                                          PY_END};
static const py_class_t *const classes[] = {&fs_class, NULL};
const py_module_t storage_module = {.name = "storage", .functions = functions, .classes = classes};
