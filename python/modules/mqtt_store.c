/* adder._mqtt: the queue and the session in a file of the drive */
#include "python/modules/mqtt_int.h"

/* The file's name to the port; null with an exception: the program may not write there. */
static py_t name_of(py_t path)
{
    py_t drive = py_import("adder_vm.drive");
    if (py_null(drive) || py_null(py_call_method(drive, "require_writable", NULL, 0)))
        return PY_NULL;
    return py_call_method(drive, "host_path", &path, 1);
}

static bool failed(adder_err_t err, const char *path)
{
    switch (err) {
    case ADDER_ERR_ARG:
        return py_fail(py_raise(PY_ValueError, "store_size must be a multiple of 8192"));
    case ADDER_ERR_IN_USE:
        return py_fail(py_raise(PY_ValueError, "store: %s is in use", path));
    case ADDER_ERR_NO_FILE:
        return py_fail(py_raise_errno(2, "No such file/directory"));
    default:
        return py_fail(py_raise_err(err, "store"));
    }
}

bool mqtt_store_open(mqtt_core_t *k, py_t path, uint32_t size, adder_store_t *out)
{
    const adder_mcu_file_ops_t *files = k->mcu->files;
    const char *given, *name;
    if (files == NULL)
        return py_fail(py_raise(PY_NotImplementedError, "this board has no files for a store"));
    if (!py_to_str(path, &given, NULL))
        return false;
    py_t host = name_of(path);
    if (py_null(host) || !py_to_str(host, &name, NULL))
        return false;
    adder_err_t err = files->open_flash(k->mcu->ctx, name, size, &k->flash);
    if (err == ADDER_OK)
        err = adder_store_log_open(&k->log, k->flash);
    if (err != ADDER_OK)
        return failed(err, given);
    *out = adder_store_log(&k->log);
    return true;
}

void mqtt_store_close(mqtt_core_t *k)
{
    if (k->flash != NULL)
        k->mcu->files->close_flash(k->mcu->ctx, k->flash);
    k->flash = NULL;
}
