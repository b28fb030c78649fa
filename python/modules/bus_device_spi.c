/* adafruit_bus_device.spi_device.SPIDevice. Bus and chip select are called by their attributes. */
#include "python/layer/py.h"

typedef struct {
    py_field_t spi, chip_select;
    uint32_t baudrate;
    uint8_t polarity, phase, extra_bytes;
    bool active;
} device_t;

enum { SPI, CS, ACTIVE, BAUD, POLARITY, PHASE, EXTRA };
static const py_arg_t init_args[] = {[SPI] = PY_REQ_OBJ("spi"),
                                     [CS] = PY_OPT_OBJ("chip_select"),
                                     [ACTIVE] = PY_KW_BOOL("cs_active_value", false),
                                     [BAUD] = PY_KW_INT("baudrate", 100000, 1, UINT32_MAX),
                                     [POLARITY] = PY_KW_INT("polarity", 0, 0, 1),
                                     [PHASE] = PY_KW_INT("phase", 0, 0, 1),
                                     [EXTRA] = PY_KW_INT("extra_clocks", 0, 0, 2040),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    device_t *d = s;
    py_field_set(self, &d->spi, a[SPI].obj);
    d->active = a[ACTIVE].b;
    d->baudrate = (uint32_t)a[BAUD].i;
    d->polarity = (uint8_t)a[POLARITY].i;
    d->phase = (uint8_t)a[PHASE].i;
    d->extra_bytes = (uint8_t)((a[EXTRA].i + 7) / 8);
    if (!a[CS].given)
        return true;
    py_field_set(self, &d->chip_select, a[CS].obj);
    py_t switcher = py_attr(a[CS].obj, "switch_to_output"), inactive = py_bool(!d->active);
    static const char *const name[] = {"value"};
    return !py_null(switcher) && !py_null(py_call_kw(switcher, NULL, 0, name, &inactive, 1));
}

static bool live(const void *s)
{
    return ((const device_t *)s)->spi.word != NULL;
}

static bool select_chip(device_t *d, bool on)
{
    py_t cs = py_field_get(&d->chip_select);
    return py_null(cs) || py_attr_set(cs, "value", py_bool(on == d->active));
}

static py_t enter(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    device_t *d = s;
    py_t spi = py_field_get(&d->spi);
    for (bool locked = false; !locked;) {
        py_scope_t scope = py_scope_open();
        py_t got = py_call_method(spi, "try_lock", NULL, 0);
        bool ok = !py_null(got) && py_to_bool(got, &locked);
        py_scope_close(scope);
        if (!ok || (!locked && !py_wait_us(100)))
            return PY_NULL;
    }
    static const char *const names[] = {"baudrate", "polarity", "phase"};
    const py_t values[] = {py_int(d->baudrate), py_int(d->polarity), py_int(d->phase)};
    py_t configure = py_attr(spi, "configure");
    if (py_null(configure) || py_null(py_call_kw(configure, NULL, 0, names, values, 3)) ||
        !select_chip(d, true))
        return PY_NULL;
    return spi;
}

static const py_arg_t exit_args[] = {PY_REST("exc"), PY_END};

static py_t leave(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    device_t *d = s;
    py_t spi = py_field_get(&d->spi);
    bool ok = select_chip(d, false);
    if (ok && d->extra_bytes > 0) {
        uint8_t ones[255];
        for (size_t i = 0; i < sizeof ones; i++)
            ones[i] = 0xFF;
        py_t bytes = py_bytes(ones, d->extra_bytes);
        ok = !py_null(py_call_method(spi, "write", &bytes, 1));
    }
    /* Unlocked whatever went wrong: the next user must not wait for ever. */
    py_t pending = ok ? PY_NULL : py_error_take();
    ok = !py_null(py_call_method(spi, "unlock", NULL, 0)) && ok;
    if (!py_null(pending)) {
        py_error_clear();
        py_raise_again(pending);
    }
    return ok ? py_none() : PY_NULL;
}

static py_t get_field(py_t v)
{
    return py_null(v) ? py_none() : v;
}

static py_t get_spi(py_t self, void *s)
{
    (void)self;
    return get_field(py_field_get(&((device_t *)s)->spi));
}

static py_t get_chip_select(py_t self, void *s)
{
    (void)self;
    return get_field(py_field_get(&((device_t *)s)->chip_select));
}

static py_t get_baudrate(py_t self, void *s)
{
    (void)self;
    return py_int(((device_t *)s)->baudrate);
}

static const py_method_t methods[] = {
    {"__enter__", enter, NULL, 0, NULL}, {"__exit__", leave, exit_args, 0, NULL}, PY_END};
static const py_prop_t props[] = {{"spi", get_spi, NULL, 0, NULL},
                                  {"chip_select", get_chip_select, NULL, 0, NULL},
                                  {"baudrate", get_baudrate, NULL, 0, NULL},
                                  PY_END};
static const uint16_t fields[] = {offsetof(device_t, spi), offsetof(device_t, chip_select), PY_FIELDS_END};
static const py_class_t device_class = {.module = "adafruit_bus_device.spi_device",
                                        .name = "SPIDevice",
                                        .doc = "SPIDevice(spi, chip_select=None, *, cs_active_value=False, "
                                               "baudrate=100000, polarity=0, phase=0, extra_clocks=0)",
                                        .size = sizeof(device_t),
                                        .fields = fields,
                                        .init_args = init_args,
                                        .init = init,
                                        .live = live,
                                        .methods = methods,
                                        .props = props};

static const py_class_t *const classes[] = {&device_class, NULL};
const py_module_t bus_device_spi_module = {.name = "adafruit_bus_device.spi_device", .classes = classes};
