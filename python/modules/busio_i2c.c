/* busio.I2C */
#include "python/modules/busio.h"
#include "python/modules/pins.h"

enum { TRANSFER_TIMEOUT_MS = 1000, FIRST_ADDRESS = 0x08, LAST_ADDRESS = 0x77 };

bool busio_i2c_claim(busio_i2c_obj_t *o, py_t scl, py_t sda)
{
    o->scl = o->sda = ADDER_PIN_NONE;
    o->timeout_ms = TRANSFER_TIMEOUT_MS;
    return pins_claim_arg(scl, "scl", &o->scl) && pins_claim_arg(sda, "sda", &o->sda);
}

void busio_i2c_close(void *s)
{
    busio_i2c_obj_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    if (o->open && !o->bitbang)
        mcu->bus->close(mcu->ctx, o->bus.ctx);
    if (o->scl != o->sda) { /* both 0 in an object whose __init__ never ran */
        pins_release(o->scl);
        pins_release(o->sda);
    }
    *o = (busio_i2c_obj_t){.scl = ADDER_PIN_NONE, .sda = ADDER_PIN_NONE};
}

bool busio_i2c_live(const void *s)
{
    return ((const busio_i2c_obj_t *)s)->open;
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("scl"), PY_REQ_OBJ("sda"),
                                     PY_KW_INT("frequency", 100000, 1, PY_INT_MAX),
                                     PY_KW_INT("timeout", 255, 0, PY_INT_MAX), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_i2c_obj_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    if (a[2].i > 1000000)
        return py_fail(py_raise(PY_ValueError, "frequency must be 1-1000000"));
    if (!busio_i2c_claim(o, a[0].obj, a[1].obj))
        return false;
    adder_err_t err = mcu->bus->i2c_open(mcu->ctx, o->scl, o->sda, (uint32_t)a[2].i, &o->bus);
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pins"));
    if (err == ADDER_ERR_STATE)
        return py_fail(py_raise(PY_RuntimeError, "No pull up found on SDA or SCL; check your wiring"));
    o->open = err == ADDER_OK;
    return o->open || py_fail(py_raise_err(err, "I2C"));
}

_Static_assert(offsetof(busio_i2c_obj_t, lock) == 0, "busio_lock.c finds it there");

/* ---- transfers ---- */

static adder_err_t xfer(busio_i2c_obj_t *o, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                        size_t rd_len)
{
    return o->bus.ops->xfer(o->bus.ctx, addr7, wr, wr_len, rd, rd_len, o->timeout_ms);
}

static py_t result(const busio_i2c_obj_t *o, adder_err_t err)
{
    if (err == ADDER_ERR_TIMEOUT && o->bitbang)
        return py_raise(PY_TimeoutError, "Clock stretch too long");
    if (err != ADDER_OK && err != ADDER_ERR_NOT_FOUND && err != ADDER_ERR_TIMEOUT)
        err = ADDER_ERR_IO;
    return err == ADDER_OK ? py_none() : py_raise_err(err, NULL);
}

static py_t m_scan(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    busio_i2c_obj_t *o = s;
    py_t found = busio_needs_lock(&o->lock) ? py_list(NULL, 0) : PY_NULL;
    for (uint8_t address = FIRST_ADDRESS; !py_null(found) && address <= LAST_ADDRESS; address++) {
        if (xfer(o, address, NULL, 0, NULL, 0) == ADDER_OK && !py_list_append(found, py_int(address)))
            return PY_NULL;
    }
    return found;
}

static const py_arg_t address_args[] = {PY_REQ_INT("address", 0, 127), PY_END};

static py_t m_probe(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_i2c_obj_t *o = s;
    return busio_needs_lock(&o->lock) ? py_bool(xfer(o, (uint8_t)a[0].i, NULL, 0, NULL, 0) == ADDER_OK)
                                      : PY_NULL;
}

static bool not_empty(size_t n)
{
    return n > 0 || py_fail(py_raise(PY_ValueError, "buffer length must be >= 1"));
}

static const py_arg_t read_args[] = {PY_REQ_INT("address", 0, 127), PY_REQ_WBUF("buffer"), PY_KW_START_END,
                                     PY_END};

static py_t m_readfrom_into(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uint8_t *p;
    size_t n;
    if (!busio_needs_lock(s))
        return PY_NULL;
    py_buf_slice(&a[1].buf, a[2].i, a[3].i, &p, &n);
    return not_empty(n) ? result(s, xfer(s, (uint8_t)a[0].i, NULL, 0, p, n)) : PY_NULL;
}

static const py_arg_t write_args[] = {PY_REQ_INT("address", 0, 127), PY_REQ_RBUF("buffer"), PY_KW_START_END,
                                      PY_END};

static py_t m_writeto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uint8_t *p;
    size_t n;
    if (!busio_needs_lock(s))
        return PY_NULL;
    py_buf_slice(&a[1].buf, a[2].i, a[3].i, &p, &n);
    return result(s, xfer(s, (uint8_t)a[0].i, p, n, NULL, 0));
}

static const py_arg_t both_args[] = {PY_REQ_INT("address", 0, 127), PY_REQ_RBUF("out_buffer"),
                                     PY_REQ_WBUF("in_buffer"), PY_KW_OUT_IN, PY_END};

static py_t m_writeto_then_readfrom(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uint8_t *out, *in;
    size_t out_n, in_n;
    if (!busio_needs_lock(s))
        return PY_NULL;
    py_buf_slice(&a[1].buf, a[3].i, a[4].i, &out, &out_n);
    py_buf_slice(&a[2].buf, a[5].i, a[6].i, &in, &in_n);
    return not_empty(in_n) ? result(s, xfer(s, (uint8_t)a[0].i, out, out_n, in, in_n)) : PY_NULL;
}

const py_method_t busio_i2c_methods[] = {
    PY_DEINIT,
    {"try_lock", busio_try_lock, NULL, 0, NULL},
    {"unlock", busio_unlock, NULL, 0, NULL},
    {"scan", m_scan, NULL, 0, NULL},
    {"probe", m_probe, address_args, 0, NULL},
    {"readfrom_into", m_readfrom_into, read_args, 0, NULL},
    {"writeto", m_writeto, write_args, 0, NULL},
    {"writeto_then_readfrom", m_writeto_then_readfrom, both_args, 0, NULL},
    PY_END};
const py_class_t busio_i2c_class = {.module = "busio",
                                    .name = "I2C",
                                    .doc = "I2C(scl, sda, *, frequency=100000, timeout=255)",
                                    .size = sizeof(busio_i2c_obj_t),
                                    .context = true,
                                    .init_args = init_args,
                                    .init = init,
                                    .fini = busio_i2c_close,
                                    .live = busio_i2c_live,
                                    .methods = busio_i2c_methods};

busio_i2c_obj_t *busio_i2c_find(py_t v)
{
    busio_i2c_obj_t *o = py_struct(v, &busio_i2c_class);
    return o != NULL ? o : py_struct(v, &bitbangio_i2c_class);
}

py_t busio_i2c_xfer(busio_i2c_obj_t *o, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                    size_t rd_len)
{
    return busio_needs_lock(&o->lock) ? result(o, xfer(o, addr7, wr, wr_len, rd, rd_len)) : PY_NULL;
}

bool busio_i2c_share(py_t v, const char *name, adder_i2c_t *i2c_out, adder_bus_lock_t *lock_out)
{
    const py_class_t *cls =
        py_struct(v, &bitbangio_i2c_class) != NULL ? &bitbangio_i2c_class : &busio_i2c_class;
    busio_i2c_obj_t *o = py_struct_arg(v, cls, name);
    if (o == NULL)
        return false;
    *i2c_out = o->bus;
    *lock_out = busio_lock_share(&o->lock);
    return true;
}
