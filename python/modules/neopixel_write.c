/* neopixel_write: one frame of bytes to WS2812 pixels */
#include "python/modules/digitalio.h"

static const py_arg_t write_args[] = {PY_REQ_OBJ("digitalinout"), PY_REQ_RBUF("buf"), PY_END};

static py_t write_frame(const py_val_t *a)
{
    const adder_mcu_t *mcu = py_mcu();
    uint16_t pin;
    bool output;
    if (!digitalio_arg(a[0].obj, "digitalinout", &pin, &output))
        return PY_NULL;
    if (!output)
        return py_raise(PY_ValueError, "Pin must be an output");
    adder_err_t err = mcu->pin->neopixel_write(mcu->ctx, pin, a[1].buf.ptr, a[1].buf.len);
    return err == ADDER_OK ? py_none() : py_raise_err(err, "neopixel_write");
}

static const py_function_t functions[] = {{"neopixel_write", write_frame, write_args, NULL}, PY_END};
const py_module_t neopixel_write_module = {.name = "neopixel_write", .functions = functions};
