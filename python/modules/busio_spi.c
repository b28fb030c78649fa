/* busio.SPI */
#include "python/modules/busio.h"
#include "python/modules/pins.h"

enum { FIRST_HZ = 250000 };

const py_arg_t busio_spi_args[] = {PY_REQ_OBJ("clock"), PY_OPT_OBJ("MOSI"), PY_OPT_OBJ("MISO"),
                                   PY_OPT_BOOL("half_duplex", false), PY_END};

bool busio_spi_claim(busio_spi_obj_t *o, const py_val_t *a)
{
    o->clock = o->mosi = o->miso = ADDER_PIN_NONE;
    if (!a[1].given && !a[2].given)
        return py_fail(py_raise(PY_ValueError, "Must provide MISO or MOSI pin"));
    return pins_claim_arg(a[0].obj, "clock", &o->clock) && pins_claim_optional(&a[1], "MOSI", &o->mosi) &&
           pins_claim_optional(&a[2], "MISO", &o->miso);
}

void busio_spi_close(void *s)
{
    busio_spi_obj_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    if (o->open && !o->bitbang)
        mcu->bus->close(mcu->ctx, o->bus.ctx);
    if (o->clock != o->mosi || o->clock != o->miso) { /* all 0 in an object whose __init__ never ran */
        pins_release(o->clock);
        pins_release(o->mosi);
        pins_release(o->miso);
    }
    *o = (busio_spi_obj_t){.clock = ADDER_PIN_NONE, .mosi = ADDER_PIN_NONE, .miso = ADDER_PIN_NONE};
}

bool busio_spi_live(const void *s)
{
    return ((const busio_spi_obj_t *)s)->open;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    if (!busio_spi_claim(o, a))
        return false;
    adder_err_t err = mcu->bus->spi_open(mcu->ctx, o->clock, o->mosi, o->miso, &o->bus);
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pins"));
    if (err == ADDER_OK) {
        o->open = true;
        err = o->bus.ops->configure(o->bus.ctx, FIRST_HZ, 0, 0, 8, &o->hz);
    }
    return err == ADDER_OK || py_fail(py_raise_err(err, "SPI"));
}

_Static_assert(offsetof(busio_spi_obj_t, lock) == 0, "busio_lock.c finds it there");

/* ---- transfers ---- */

static const py_arg_t configure_args[] = {PY_KW_INT("baudrate", 100000, 1, UINT32_MAX),
                                          PY_KW_INT("polarity", 0, 0, 1), PY_KW_INT("phase", 0, 0, 1),
                                          PY_KW_INT("bits", 8, 8, 9), PY_END};

static py_t m_configure(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    if (!busio_needs_lock(&o->lock))
        return PY_NULL;
    adder_err_t err = o->bus.ops->configure(o->bus.ctx, (uint32_t)a[0].i, (uint8_t)a[1].i, (uint8_t)a[2].i,
                                            (uint8_t)a[3].i, &o->hz);
    return err == ADDER_OK ? py_none() : py_raise_err(ADDER_ERR_IO, NULL);
}

static py_t transfer(busio_spi_obj_t *o, const uint8_t *wr, uint8_t *rd, size_t n, uint8_t fill)
{
    if (n > 0 && o->bus.ops->transfer(o->bus.ctx, wr, rd, n, fill) != ADDER_OK)
        return py_raise_err(ADDER_ERR_IO, NULL);
    return py_none();
}

static const py_arg_t write_args[] = {PY_REQ_RBUF("buffer"), PY_KW_START_END, PY_END};

static py_t m_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    uint8_t *p;
    size_t n;
    if (!busio_needs_lock(&o->lock))
        return PY_NULL;
    py_buf_slice(&a[0].buf, a[1].i, a[2].i, &p, &n);
    if (n > 0 && o->mosi == ADDER_PIN_NONE)
        return py_raise(PY_ValueError, "No MOSI pin");
    return transfer(o, p, NULL, n, 0);
}

static const py_arg_t read_args[] = {PY_REQ_WBUF("buffer"), PY_KW_START_END,
                                     PY_KW_INT("write_value", 0, 0, 255), PY_END};

static py_t m_readinto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    uint8_t *p;
    size_t n;
    if (!busio_needs_lock(&o->lock))
        return PY_NULL;
    py_buf_slice(&a[0].buf, a[1].i, a[2].i, &p, &n);
    if (n > 0 && o->miso == ADDER_PIN_NONE)
        return py_raise(PY_ValueError, "No MISO pin");
    return transfer(o, NULL, p, n, (uint8_t)a[3].i);
}

static const py_arg_t both_args[] = {PY_REQ_RBUF("out_buffer"), PY_REQ_WBUF("in_buffer"), PY_KW_OUT_IN,
                                     PY_END};

static py_t m_write_readinto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    uint8_t *out, *in;
    size_t out_n, in_n;
    if (!busio_needs_lock(&o->lock))
        return PY_NULL;
    py_buf_slice(&a[0].buf, a[2].i, a[3].i, &out, &out_n);
    py_buf_slice(&a[1].buf, a[4].i, a[5].i, &in, &in_n);
    if (out_n != in_n)
        return py_raise(PY_ValueError, "buffer slices must be of equal length");
    if (out_n > 0 && (o->mosi == ADDER_PIN_NONE || o->miso == ADDER_PIN_NONE))
        return py_raise(PY_ValueError, "Missing MISO or MOSI pin");
    /* The same memory at another offset would be overwritten before it is sent. */
    if (in > out && in < out + out_n) {
        py_t copy = py_bytes(out, out_n);
        py_buf_t buf;
        if (py_null(copy) || !py_buffer_read(copy, &buf))
            return PY_NULL;
        return transfer(o, buf.ptr, in, in_n, 0);
    }
    return transfer(o, out, in, in_n, 0);
}

static py_t get_frequency(py_t self, void *s)
{
    (void)self;
    return py_int(((busio_spi_obj_t *)s)->hz);
}

const py_method_t busio_spi_methods[] = {PY_DEINIT,
                                         {"try_lock", busio_try_lock, NULL, 0, NULL},
                                         {"unlock", busio_unlock, NULL, 0, NULL},
                                         {"configure", m_configure, configure_args, 0, NULL},
                                         {"write", m_write, write_args, 0, NULL},
                                         {"readinto", m_readinto, read_args, 0, NULL},
                                         {"write_readinto", m_write_readinto, both_args, 0, NULL},
                                         PY_END};
static const py_prop_t props[] = {{"frequency", get_frequency, NULL, 0, NULL}, PY_END};
const py_class_t busio_spi_class = {.module = "busio",
                                    .name = "SPI",
                                    .doc = "SPI(clock, MOSI=None, MISO=None, half_duplex=False)",
                                    .size = sizeof(busio_spi_obj_t),
                                    .context = true,
                                    .init_args = busio_spi_args,
                                    .init = init,
                                    .fini = busio_spi_close,
                                    .live = busio_spi_live,
                                    .methods = busio_spi_methods,
                                    .props = props};

bool busio_spi_share(py_t v, const char *name, adder_spi_t *spi_out, adder_bus_lock_t *lock_out)
{
    const py_class_t *cls =
        py_struct(v, &bitbangio_spi_class) != NULL ? &bitbangio_spi_class : &busio_spi_class;
    busio_spi_obj_t *o = py_struct_arg(v, cls, name);
    if (o == NULL)
        return false;
    *spi_out = o->bus;
    *lock_out = busio_lock_share(&o->lock);
    return true;
}
