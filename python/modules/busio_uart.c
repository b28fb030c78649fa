/* busio.UART */
#include "python/modules/busio.h"
#include "python/modules/pins.h"

typedef struct {
    adder_uart_t bus;
    uint16_t tx, rx;
    uint32_t baud;
    uint8_t bits, stop;
    char parity;
    double timeout_s;
    bool open;
} uart_t;

static const char *const parities[] = {"EVEN", "ODD", NULL};
static const py_enum_t parity_enum = {"busio", "Parity", parities};
static const py_enum_t *const uart_enums[] = {&parity_enum, NULL};

/* ---- life ---- */

static void close_uart(void *s)
{
    uart_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    if (o->open)
        mcu->bus->close(mcu->ctx, o->bus.ctx);
    if (o->tx != o->rx) { /* both 0 in an object whose __init__ never ran */
        pins_release(o->tx);
        pins_release(o->rx);
    }
    *o = (uart_t){.tx = ADDER_PIN_NONE, .rx = ADDER_PIN_NONE};
}

static bool live(const void *s)
{
    return ((const uart_t *)s)->open;
}

enum { TX, RX, RTS, CTS, RS485_DIR, RS485_INVERT, BAUD, BITS, PARITY, STOP, TIMEOUT, BUFFER };
static const py_arg_t init_args[] = {[TX] = PY_OPT_OBJ("tx"),
                                     [RX] = PY_OPT_OBJ("rx"),
                                     [RTS] = PY_KW_OBJ("rts"),
                                     [CTS] = PY_KW_OBJ("cts"),
                                     [RS485_DIR] = PY_KW_OBJ("rs485_dir"),
                                     [RS485_INVERT] = PY_KW_BOOL("rs485_invert", false),
                                     [BAUD] = PY_KW_INT("baudrate", 9600, 1, UINT32_MAX),
                                     [BITS] = PY_KW_INT("bits", 8, 5, 9),
                                     [PARITY] = PY_KW_OBJ("parity"),
                                     [STOP] = PY_KW_INT("stop", 1, 1, 2),
                                     [TIMEOUT] = PY_KW_FLOAT("timeout", 1),
                                     [BUFFER] = PY_KW_INT("receiver_buffer_size", 64, 1, 65535),
                                     PY_END};

static bool check_timeout(double s)
{
    return (s >= 0 && s <= 100) || py_fail(py_raise(PY_ValueError, "timeout must be 0.0-100.0"));
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uart_t *o = s;
    const adder_mcu_t *mcu = py_mcu();
    int parity = -1;
    o->tx = o->rx = ADDER_PIN_NONE;
    if (!a[TX].given && !a[RX].given)
        return py_fail(py_raise(PY_ValueError, "tx and rx cannot both be None"));
    if (a[TX].given && a[RX].given && py_is(a[TX].obj, a[RX].obj))
        return py_fail(py_raise(PY_ValueError, "Invalid pins"));
    if (a[RTS].given || a[CTS].given || a[RS485_DIR].given)
        return py_fail(py_raise(PY_NotImplementedError, "RTS, CTS and RS485 not supported"));
    if (a[PARITY].given && !py_enum_arg(a[PARITY].obj, &parity_enum, "parity", &parity))
        return false;
    if (!check_timeout(a[TIMEOUT].f) || !pins_claim_optional(&a[TX], "tx", &o->tx) ||
        !pins_claim_optional(&a[RX], "rx", &o->rx))
        return false;
    o->baud = (uint32_t)a[BAUD].i;
    o->bits = (uint8_t)a[BITS].i;
    o->stop = (uint8_t)a[STOP].i;
    o->parity = parity < 0 ? 'N' : parity == 0 ? 'E' : 'O';
    o->timeout_s = a[TIMEOUT].f;
    adder_err_t err = mcu->bus->uart_open(mcu->ctx, o->tx, o->rx, o->baud, &o->bus);
    if (err == ADDER_ERR_PIN)
        return py_fail(py_raise(PY_ValueError, "Invalid pins"));
    if (err == ADDER_OK) {
        o->open = true;
        err = o->bus.ops->configure(o->bus.ctx, o->baud, o->bits, o->parity, o->stop);
    }
    return err == ADDER_OK || py_fail(py_raise_err(err, "UART"));
}

/* ---- reading ---- */

static size_t waiting(const uart_t *o)
{
    size_t n = 0;
    ADDER_IGNORE(o->bus.ops->available(o->bus.ctx, &n), "a broken line has nothing to read");
    return n;
}

static bool has_input(void *ctx)
{
    return waiting(ctx) > 0;
}

/* Up to `cap` bytes; the time-out counts anew from each byte. Ends after '\n' when `line`. */
static bool receive(uart_t *o, uint8_t *out, size_t cap, bool line, size_t *n_out)
{
    *n_out = 0;
    if (o->rx == ADDER_PIN_NONE)
        return py_fail(py_raise(PY_ValueError, "No RX pin"));
    while (*n_out < cap) {
        bool timed_out;
        size_t n = 0;
        if (!py_wait_until(has_input, o, (uint64_t)(o->timeout_s * 1e6), &timed_out))
            return false;
        if (timed_out && !has_input(o))
            break;
        if (!o->open)
            break;
        adder_err_t err = o->bus.ops->read(o->bus.ctx, out + *n_out, line ? 1 : cap - *n_out, &n);
        if (err != ADDER_OK)
            return py_fail(py_raise_err(ADDER_ERR_IO, NULL));
        *n_out += n;
        if (line && n > 0 && out[*n_out - 1] == '\n')
            break;
    }
    return true;
}

enum { CHUNK = 1024, READ_MAX = 1 << 20 };

/* Until the time-out or the end of the line: the length is not known beforehand. */
static py_t receive_all(uart_t *o, bool line)
{
    uint8_t chunk[CHUNK];
    py_t all = PY_NULL;
    size_t total = 0;
    for (;;) {
        size_t n;
        if (!receive(o, chunk, sizeof chunk, line, &n))
            return PY_NULL;
        if (n == 0)
            break;
        py_t part = py_bytes(chunk, n);
        py_t args[] = {part};
        all = total == 0 ? part : py_call_method(all, "__add__", args, 1);
        if (py_null(all))
            return PY_NULL;
        total += n;
        if (n < sizeof chunk || total >= READ_MAX || (line && chunk[n - 1] == '\n'))
            break;
    }
    return total == 0 ? py_none() : all;
}

static const py_arg_t read_args[] = {
    {.name = "nbytes", .kind = PY_ARG_INT, .flags = PY_A_NONE_OK, .def = -1, .min = -1, .max = READ_MAX},
    PY_END};

static py_t m_read(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uart_t *o = s;
    if (a[0].i < 0)
        return receive_all(o, false);
    py_t bytes = py_bytearray(NULL, (size_t)a[0].i);
    py_buf_t buf;
    size_t n;
    if (py_null(bytes) || !py_buffer_write(bytes, &buf) || !receive(o, buf.ptr, buf.len, false, &n))
        return PY_NULL;
    return n == 0 && buf.len > 0 ? py_none() : py_bytes(buf.ptr, n);
}

static const py_arg_t readinto_args[] = {PY_REQ_WBUF("buf"), PY_END};

static py_t m_readinto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    size_t n;
    if (!receive(s, a[0].buf.ptr, a[0].buf.len, false, &n))
        return PY_NULL;
    return n == 0 ? py_none() : py_int((int64_t)n);
}

static py_t m_readline(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return receive_all(s, true);
}

/* ---- writing, state ---- */

static const py_arg_t write_args[] = {PY_REQ_RBUF("buf"), PY_END};

static py_t m_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uart_t *o = s;
    if (o->tx == ADDER_PIN_NONE)
        return py_raise(PY_ValueError, "No TX pin");
    adder_err_t err = a[0].buf.len > 0 ? o->bus.ops->write(o->bus.ctx, a[0].buf.ptr, a[0].buf.len) : ADDER_OK;
    return err == ADDER_OK ? py_int((int64_t)a[0].buf.len) : py_raise_err(ADDER_ERR_IO, NULL);
}

static py_t m_reset_input_buffer(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    uart_t *o = s;
    uint8_t chunk[CHUNK];
    size_t n = 1;
    while (n > 0 && o->bus.ops->read(o->bus.ctx, chunk, sizeof chunk, &n) == ADDER_OK)
        ;
    return py_none();
}

/* For select.poll: bits 1 = readable, 4 = writable. */
static const py_arg_t poll_args[] = {PY_REQ_INT("events", 0, INT32_MAX), PY_END};

static py_t m_poll_ready(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uart_t *o = s;
    int64_t ready = o->tx != ADDER_PIN_NONE ? 4 : 0;
    if (o->rx != ADDER_PIN_NONE && waiting(o) > 0)
        ready |= 1;
    return py_int(ready & a[0].i);
}

static py_t get_in_waiting(py_t self, void *s)
{
    (void)self;
    return py_int((int64_t)waiting(s));
}

static py_t get_baudrate(py_t self, void *s)
{
    (void)self;
    return py_int(((uart_t *)s)->baud);
}

static bool set_baudrate(py_t self, void *s, py_t value)
{
    (void)self;
    uart_t *o = s;
    int64_t baud;
    if (!py_to_int(value, &baud))
        return false;
    if (baud < 1 || baud > UINT32_MAX)
        return py_fail(py_raise(PY_ValueError, "baudrate must be >= 1"));
    o->baud = (uint32_t)baud;
    adder_err_t err = o->bus.ops->configure(o->bus.ctx, o->baud, o->bits, o->parity, o->stop);
    return err == ADDER_OK || py_fail(py_raise_err(err, "UART"));
}

static py_t get_timeout(py_t self, void *s)
{
    (void)self;
    return py_float(((uart_t *)s)->timeout_s);
}

static bool set_timeout(py_t self, void *s, py_t value)
{
    (void)self;
    double seconds;
    if (!py_to_float(value, &seconds) || !check_timeout(seconds))
        return false;
    ((uart_t *)s)->timeout_s = seconds;
    return true;
}

static const py_method_t methods[] = {PY_DEINIT,
                                      {"read", m_read, read_args, 0, NULL},
                                      {"readinto", m_readinto, readinto_args, 0, NULL},
                                      {"readline", m_readline, NULL, 0, NULL},
                                      {"write", m_write, write_args, 0, NULL},
                                      {"reset_input_buffer", m_reset_input_buffer, NULL, 0, NULL},
                                      {"poll_ready", m_poll_ready, poll_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"in_waiting", get_in_waiting, NULL, 0, NULL},
                                  {"baudrate", get_baudrate, set_baudrate, 0, NULL},
                                  {"timeout", get_timeout, set_timeout, 0, NULL},
                                  PY_END};
const py_class_t busio_uart_class = {
    .module = "busio",
    .name = "UART",
    .doc = "UART(tx=None, rx=None, *, baudrate=9600, bits=8, parity=None, stop=1, "
           "timeout=1, receiver_buffer_size=64)",
    .size = sizeof(uart_t),
    .context = true,
    .init_args = init_args,
    .init = init,
    .fini = close_uart,
    .live = live,
    .enums = uart_enums,
    .methods = methods,
    .props = props};

static const py_class_t *const classes[] = {&busio_i2c_class, &busio_spi_class, &busio_uart_class, NULL};
static const py_enum_t *const enums[] = {&parity_enum, NULL};
const py_module_t busio_module = {.name = "busio", .classes = classes, .enums = enums};
