/* adafruit_bus_device.i2c_device.I2CDevice. The bus is called by its attributes, so that whatever has
 * busio.I2C's methods can stand in for it. */
#include <string.h>

#include "python/modules/bus_device.h"
#include "python/modules/busio.h"

typedef bus_device_i2c_t device_t;

static const py_arg_t init_args[] = {PY_REQ_OBJ("i2c"), PY_REQ_INT("device_address", 0, 127),
                                     PY_OPT_BOOL("probe", true), PY_END};

/* Spins with background work until the lock is had; Ctrl-C ends it. */
static bool lock(py_t bus)
{
    for (;;) {
        py_scope_t scope = py_scope_open();
        py_t got = py_call_method(bus, "try_lock", NULL, 0);
        bool locked = false, ok = !py_null(got) && py_to_bool(got, &locked);
        py_scope_close(scope);
        if (!ok)
            return false;
        if (locked)
            return true;
        if (!py_wait_us(100))
            return false;
    }
}

/* Runs with or without an exception pending, which it keeps. */
static bool unlock(py_t bus)
{
    py_t pending = py_error_take();
    bool ok = !py_null(py_call_method(bus, "unlock", NULL, 0));
    if (py_null(pending))
        return ok;
    py_error_clear();
    py_raise_again(pending);
    return false;
}

void bus_device_i2c_nobody(const bus_device_i2c_t *d)
{
    if (!py_error_is(PY_OSError))
        return;
    py_error_clear();
    py_raise(PY_ValueError, "No I2C device at address: 0x%x", (unsigned)d->address);
}

static bool probe(device_t *d, py_t bus)
{
    if (!lock(bus))
        return false;
    py_t args[] = {py_int(d->address), py_bytes("", 0)};
    bool answered = !py_null(py_call_method(bus, "writeto", args, 2));
    if (!answered && py_error_is(PY_OSError)) {
        /* Some devices do not like an empty write: a byte read tells as well. */
        py_error_clear();
        args[1] = py_bytearray(NULL, 1);
        answered = !py_null(py_call_method(bus, "readfrom_into", args, 2));
        if (!answered)
            bus_device_i2c_nobody(d);
    }
    return unlock(bus) && answered;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    device_t *d = s;
    py_field_set(self, &d->i2c, a[0].obj);
    d->address = (uint8_t)a[1].i;
    return !a[2].b || probe(d, a[0].obj);
}

static bool live(const void *s)
{
    return ((const device_t *)s)->i2c.word != NULL;
}

static py_t enter(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    return lock(py_field_get(&((device_t *)s)->i2c)) ? self : PY_NULL;
}

static const py_arg_t exit_args[] = {PY_REST("exc"), PY_END};

static py_t leave(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return unlock(py_field_get(&((device_t *)s)->i2c)) ? py_none() : PY_NULL;
}

/* `a` are the values of `table`: buffers, then slices, which are passed on as given: the bus knows the
 * buffer's item size. */
static py_t call(device_t *d, const char *method, const py_arg_t *table, size_t n_buffers, const py_val_t *a)
{
    py_t fn = py_attr(py_field_get(&d->i2c), method);
    if (py_null(fn))
        return PY_NULL;
    py_t args[3] = {py_int(d->address)}, values[4];
    const char *given[4];
    size_t n = 0;
    for (size_t i = 0; i < n_buffers; i++)
        args[1 + i] = a[i].obj;
    for (size_t i = n_buffers; table[i].name != NULL; i++) {
        if (a[i].given) {
            given[n] = table[i].name;
            values[n++] = a[i].obj;
        }
    }
    return py_null(py_call_kw(fn, args, 1 + n_buffers, given, values, n)) ? PY_NULL : py_none();
}

static const py_arg_t buffer_args[] = {PY_REQ_OBJ("buffer"), PY_KW_START_END, PY_END};

static py_t m_readinto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return call(s, "readfrom_into", buffer_args, 1, a);
}

static py_t m_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return call(s, "writeto", buffer_args, 1, a);
}

static const py_arg_t both_args[] = {PY_REQ_OBJ("out_buffer"), PY_REQ_OBJ("in_buffer"), PY_KW_OUT_IN, PY_END};

static py_t m_write_then_readinto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return call(s, "writeto_then_readfrom", both_args, 2, a);
}

static py_t get_i2c(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((device_t *)s)->i2c);
}

static py_t get_address(py_t self, void *s)
{
    (void)self;
    return py_int(((device_t *)s)->address);
}

static const py_method_t methods[] = {{"__enter__", enter, NULL, 0, NULL},
                                      {"__exit__", leave, exit_args, 0, NULL},
                                      {"readinto", m_readinto, buffer_args, 0, NULL},
                                      {"write", m_write, buffer_args, 0, NULL},
                                      {"write_then_readinto", m_write_then_readinto, both_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {
    {"i2c", get_i2c, NULL, 0, NULL}, {"device_address", get_address, NULL, 0, NULL}, PY_END};
static const uint16_t fields[] = {offsetof(device_t, i2c), PY_FIELDS_END};
const py_class_t bus_device_i2c_class = {.module = "adafruit_bus_device.i2c_device",
                                         .name = "I2CDevice",
                                         .doc = "I2CDevice(i2c, device_address, probe=True)",
                                         .size = sizeof(device_t),
                                         .fields = fields,
                                         .init_args = init_args,
                                         .init = init,
                                         .live = live,
                                         .methods = methods,
                                         .props = props};

/* ---- for native drivers ---- */

py_t bus_device_i2c_make(py_t i2c, py_t address, bus_device_i2c_t **device_out)
{
    py_t args[] = {i2c, address, py_bool(false)};
    py_t device = py_call(py_class_of(&bus_device_i2c_class), args, 3);
    *device_out = py_null(device) ? NULL : py_struct(device, &bus_device_i2c_class);
    return device;
}

bool bus_device_i2c_lock(const bus_device_i2c_t *d)
{
    return lock(py_field_get(&d->i2c));
}

bool bus_device_i2c_unlock(const bus_device_i2c_t *d)
{
    return unlock(py_field_get(&d->i2c));
}

/* By the methods that Adafruit's drivers call: writeto(), writeto_then_readfrom(). */
static bool xfer_by_methods(py_t bus, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                            size_t rd_len)
{
    py_t args[] = {py_int(addr7), py_bytes(wr, wr_len), py_bytearray(NULL, rd_len)};
    py_buf_t in;
    if (rd_len == 0)
        return !py_null(py_call_method(bus, "writeto", args, 2));
    if (py_null(py_call_method(bus, "writeto_then_readfrom", args, 3)) || !py_buffer_read(args[2], &in))
        return false;
    memcpy(rd, in.ptr, in.len < rd_len ? in.len : rd_len);
    return true;
}

static adder_err_t wires_xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                              size_t rd_len, uint32_t timeout_ms)
{
    (void)timeout_ms; /* the bus has its own */
    py_scope_t scope = py_scope_open();
    py_t bus = py_field_get(&((const device_t *)ctx)->i2c);
    busio_i2c_obj_t *native = busio_i2c_find(bus);
    bool ok = native != NULL ? !py_null(busio_i2c_xfer(native, addr7, wr, wr_len, rd, rd_len))
                             : xfer_by_methods(bus, addr7, wr, wr_len, rd, rd_len);
    py_scope_close(scope);
    return ok ? ADDER_OK : ADDER_ERR_IO;
}

adder_i2c_t bus_device_i2c_wires(bus_device_i2c_t *d)
{
    static const adder_i2c_ops_t ops = {wires_xfer};
    return (adder_i2c_t){&ops, d};
}

static const py_class_t *const classes[] = {&bus_device_i2c_class, NULL};
const py_module_t bus_device_i2c_module = {.name = "adafruit_bus_device.i2c_device", .classes = classes};
