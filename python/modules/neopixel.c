/* neopixel.NeoPixel: adafruit_pixelbuf.PixelBuf sent to WS2812 pixels, under the names of Adafruit's library.
 */
#include <string.h>

#include "python/modules/digitalio.h"
#include "python/modules/pins.h"
#include "python/modules/pixelbuf.h"

typedef struct {
    pixelbuf_t pixels; /* first: the parent's */
    py_field_t pin;    /* DigitalInOut */
    py_field_t power;  /* of a board that switches its own pixel; empty: none */
} neopixel_t;

/* ---- the board's switch in front of its pixel ---- */

static uint16_t board_pin(const char *name)
{
    const adder_mcu_t *mcu = py_mcu();
    for (size_t i = 0; i < mcu->alias_count; i++) {
        if (strcmp(mcu->aliases[i].name, name) == 0)
            return mcu->aliases[i].pin;
    }
    return ADDER_PIN_NONE;
}

static py_t output_on(py_t pin, bool level)
{
    py_t io = py_call(py_class_of(&digitalio_class), &pin, 1), value = py_bool(level);
    return py_null(io) || py_null(py_call_method(io, "switch_to_output", &value, 1)) ? PY_NULL : io;
}

/* Switched on, unless somebody else has the switch. */
static bool power_on(py_t self, neopixel_t *o, py_t pin)
{
    const uint16_t pixel = board_pin("NEOPIXEL"), inverted = board_pin("NEOPIXEL_POWER_INVERTED");
    const uint16_t power = inverted != ADDER_PIN_NONE ? inverted : board_pin("NEOPIXEL_POWER");
    if (pixel == ADDER_PIN_NONE || power == ADDER_PIN_NONE || !py_is(pin, pins_object(pixel)))
        return true;
    py_t io = output_on(pins_object(power), inverted == ADDER_PIN_NONE);
    if (py_null(io)) {
        if (!py_error_is(PY_ValueError))
            return false;
        py_error_clear();
        return true;
    }
    py_field_set(self, &o->power, io);
    return true;
}

/* ---- making ---- */

/* (1, 0, 2): "GRB". */
static py_t order_of_indices(py_t indices)
{
    char text[PIXELBUF_CHANNELS + 1]; /* one more than an order can have: refused as too long */
    size_t n;
    py_t channels = py_str("RGBW");
    if (py_null(channels) || !py_len(indices, &n))
        return PY_NULL;
    for (size_t i = 0; i < n; i++) {
        py_t index = py_item_at(indices, i), letter = py_null(index) ? PY_NULL : py_item(channels, index);
        const char *utf8;
        if (py_null(letter) || !py_to_str(letter, &utf8, NULL))
            return PY_NULL;
        if (i < sizeof text)
            text[i] = utf8[0];
    }
    return py_str_n(text, n < sizeof text ? n : sizeof text);
}

/* None or empty: by bpp. */
static bool order_of(py_t order, py_t bpp, pixelbuf_config_t *c)
{
    bool chosen = false, three = true;
    if (!py_null(order) && !py_to_bool(order, &chosen))
        return false;
    if (!chosen) {
        if (!py_null(bpp) && !py_equal(bpp, py_int(3), &three))
            return false;
        order = py_str(three ? "GRB" : "GRBW");
    } else if (py_is_tuple(order)) {
        order = order_of_indices(order);
        if (py_null(order))
            return false;
    }
    if (!py_is_str(order))
        return py_fail(py_raise(PY_TypeError, "byteorder must be of type str, not %s", py_type_name(order)));
    return py_to_str(order, &c->order, &c->order_len);
}

enum { PIN, COUNT, BPP, BRIGHTNESS, AUTO_WRITE, PIXEL_ORDER };
static const py_arg_t init_args[] = {[PIN] = PY_REQ_OBJ("pin"),
                                     [COUNT] = PY_REQ_INT("n", 0, PIXELBUF_SIZE_MAX),
                                     [BPP] = PY_KW_OBJ("bpp"),
                                     [BRIGHTNESS] = PY_KW_FLOAT("brightness", 1),
                                     [AUTO_WRITE] = PY_KW_BOOL("auto_write", true),
                                     [PIXEL_ORDER] = PY_KW_OBJ("pixel_order"),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    neopixel_t *o = s;
    pixelbuf_config_t c = {
        .n = (size_t)a[COUNT].i, .brightness = a[BRIGHTNESS].f, .auto_write = a[AUTO_WRITE].b};
    if (!order_of(a[PIXEL_ORDER].obj, a[BPP].obj, &c) || !power_on(self, o, a[PIN].obj) ||
        !pixelbuf_make(&o->pixels, &c))
        return false;
    py_t io = output_on(a[PIN].obj, false);
    if (py_null(io))
        return false;
    py_field_set(self, &o->pin, io);
    return true;
}

static bool live(const void *s)
{
    return ((const neopixel_t *)s)->pin.word != NULL;
}

/* ---- methods ---- */

static py_t m_show(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    return py_call_method(self, "show", NULL, 0);
}

static py_t m_deinit(py_t self, void *s, const py_val_t *a)
{
    const neopixel_t *o = s;
    py_t black = py_int(0), power = py_field_get(&o->power);
    if (py_null(py_call_method(self, "fill", &black, 1)) || py_null(m_show(self, s, a)) ||
        py_null(py_call_method(py_field_get(&o->pin), "deinit", NULL, 0)))
        return PY_NULL;
    return py_null(power) ? py_none() : py_call_method(power, "deinit", NULL, 0);
}

static const py_arg_t transmit_args[] = {PY_REQ_RBUF("buffer"), PY_END};

static py_t m_transmit(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const adder_mcu_t *mcu = py_mcu();
    uint16_t pin;
    bool output;
    if (!digitalio_arg(py_field_get(&((neopixel_t *)s)->pin), "digitalinout", &pin, &output))
        return PY_NULL;
    if (!output) /* the program may have turned its `pin` around */
        return py_raise(PY_ValueError, "Pin must be an output");
    const adder_err_t err = mcu->pin->neopixel_write(mcu->ctx, pin, a[0].buf.ptr, a[0].buf.len);
    return err == ADDER_OK ? py_none() : py_raise_err(err, "neopixel_write");
}

static py_t repr(py_t self, void *s)
{
    (void)s;
    size_t n;
    py_t list = py_list(NULL, 0);
    if (py_null(list) || !py_len(self, &n))
        return PY_NULL;
    for (size_t i = 0; i < n; i++) {
        if (!py_list_append(list, py_item_at(self, i)))
            return PY_NULL;
    }
    return py_repr(list);
}

/* ---- properties ---- */

static py_t get_n(py_t self, void *s)
{
    (void)s;
    size_t n;
    return py_len(self, &n) ? py_int((int64_t)n) : PY_NULL;
}

static py_t get_pin(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((neopixel_t *)s)->pin);
}

static const py_method_t methods[] = {{"deinit", m_deinit, NULL, 0, NULL},
                                      {"write", m_show, NULL, 0, NULL},
                                      {"_transmit", m_transmit, transmit_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"n", get_n, NULL, 0, NULL}, {"pin", get_pin, NULL, 0, NULL}, PY_END};
static const uint16_t fields[] = {offsetof(neopixel_t, pin), offsetof(neopixel_t, power), PY_FIELDS_END};
static const py_class_t neopixel_class = {
    .module = "neopixel",
    .name = "NeoPixel",
    .doc = "NeoPixel(pin, n, *, bpp=3, brightness=1.0, auto_write=True, pixel_order=None)",
    .size = sizeof(neopixel_t),
    .fields = fields,
    .base = &pixelbuf_class,
    .context = true,
    .attributes = true,
    .init_args = init_args,
    .init = init,
    .live = live,
    .methods = methods,
    .props = props,
    .repr = repr};

static bool module_init(py_t module)
{
    static const char *const orders[] = {"RGB", "GRB", "BGR", "RGBW", "GRBW"};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (!py_attr_set(module, orders[i], py_str(orders[i])))
            return false;
    }
    return true;
}

static const py_class_t *const classes[] = {&neopixel_class, NULL};
const py_module_t neopixel_module = {.name = "neopixel", .classes = classes, .init = module_init};
