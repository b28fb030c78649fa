/* nvm.ByteArray */
#include "python/modules/nvm.h"

static bool len(py_t self, void *s, size_t *out)
{
    (void)self, (void)s;
    *out = py_mcu()->nvm_size;
    return true;
}

/* An index or a slice of step 1 as a window. */
static bool window(py_t key, size_t *at, size_t *n)
{
    size_t size = py_mcu()->nvm_size;
    int64_t start, step;
    if (py_is_slice(key)) {
        if (!py_slice(key, size, &start, &step, n))
            return false;
        if (step != 1)
            return py_fail(
                py_raise(PY_NotImplementedError, "only slices with step=1 (aka None) are supported"));
        *at = (size_t)start;
        return true;
    }
    if (!py_to_int(key, &start))
        return false;
    if (start < 0)
        start += (int64_t)size;
    if (start < 0 || start >= (int64_t)size)
        return py_fail(py_raise(PY_IndexError, "index out of range"));
    *at = (size_t)start;
    *n = 1;
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    (void)self, (void)s;
    const adder_mcu_t *mcu = py_mcu();
    size_t at, n;
    if (!window(key, &at, &n))
        return PY_NULL;
    if (!py_is_slice(key)) {
        uint8_t byte;
        return mcu->sys->nvm_read(mcu->ctx, at, &byte, 1) == ADDER_OK
                   ? py_int(byte)
                   : py_raise(PY_RuntimeError, "Unable to read from nvm.");
    }
    py_t bytes = py_bytearray(NULL, n);
    py_buf_t buf;
    if (py_null(bytes) || !py_buffer_write(bytes, &buf))
        return PY_NULL;
    if (n > 0 && mcu->sys->nvm_read(mcu->ctx, at, buf.ptr, n) != ADDER_OK)
        return py_raise(PY_RuntimeError, "Unable to read from nvm.");
    return bytes;
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    (void)self, (void)s;
    const adder_mcu_t *mcu = py_mcu();
    size_t at, n;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "nvm bytes cannot be deleted"));
    if (!window(key, &at, &n))
        return false;
    uint8_t byte;
    py_buf_t buf = {.ptr = &byte, .len = 1};
    if (py_is_slice(key)) {
        if (!py_is_buffer(value))
            return py_fail(py_raise(PY_NotImplementedError, "array/bytes required on right side"));
        if (!py_buffer_read(value, &buf))
            return false;
        if (buf.len != n)
            return py_fail(py_raise(PY_ValueError, "Slice and value different lengths."));
    } else {
        int64_t v;
        if (!py_to_int(value, &v))
            return false;
        if (v < 0 || v > 255)
            return py_fail(py_raise(PY_ValueError, "value must be 0-255"));
        byte = (uint8_t)v;
    }
    if (n > 0 && mcu->sys->nvm_write(mcu->ctx, at, buf.ptr, n) != ADDER_OK)
        return py_fail(py_raise(PY_RuntimeError, "Unable to write to nvm."));
    return true;
}

const py_class_t nvm_class = {.module = "nvm",
                              .name = "ByteArray",
                              .no_new = true,
                              .final = true,
                              .len = len,
                              .getitem = getitem,
                              .setitem = setitem};

py_t nvm_object(void)
{
    return py_mcu()->nvm_size > 0 ? py_new(&nvm_class, NULL) : py_none();
}

static const py_class_t *const classes[] = {&nvm_class, NULL};
const py_module_t nvm_module = {.name = "nvm", .classes = classes};
