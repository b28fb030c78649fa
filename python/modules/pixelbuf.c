/* adafruit_pixelbuf.PixelBuf: pixels in the order of the wire, with brightness. neopixel.NeoPixel and
 * adafruit_dotstar.DotStar are subclasses of it that send what _transmit() is given. */
#include <string.h>

#include "python/modules/pixelbuf.h"

enum { RED, GREEN, BLUE, WHITE, CHANNELS = PIXELBUF_CHANNELS, FULL = 256 };

typedef struct {
    uint8_t v[CHANNELS];
} color_t;

/* ---- making ---- */

static bool parse_order(pixelbuf_t *p, const char *order, size_t len)
{
    static const char names[] = "RGBW";
    memset(p->at, -1, sizeof p->at);
    p->bpp = (uint8_t)len;
    bool ok = len == 3 || len == 4;
    for (size_t i = 0; ok && i < len; i++) {
        if (order[i] == 'P' && i == 0 && len == 4) { /* DotStar: a byte of brightness first */
            p->dotstar = true;
            p->at[WHITE] = 0;
            continue;
        }
        const char *name = strchr(names, order[i]);
        ok = name != NULL && p->at[name - names] < 0;
        if (ok)
            p->at[name - names] = (int8_t)i;
    }
    ok = ok && p->at[RED] >= 0 && p->at[GREEN] >= 0 && p->at[BLUE] >= 0;
    if (!ok)
        return py_fail(py_raise(PY_ValueError, "Invalid byteorder string"));
    memcpy(p->order, order, len);
    return true;
}

static bool set_scale(pixelbuf_t *p, double brightness);

enum { SIZE, ORDER, BRIGHTNESS, AUTO, HEADER, TRAILER };
static const py_arg_t init_args[] = {
    [SIZE] = PY_REQ_INT("size", 0, PIXELBUF_SIZE_MAX),
    [ORDER] = {.name = "byteorder", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY, .sdef = "BGR"},
    [BRIGHTNESS] = PY_KW_FLOAT("brightness", 1),
    [AUTO] = PY_KW_BOOL("auto_write", false),
    [HEADER] = {.name = "header", .kind = PY_ARG_RBUF, .flags = PY_A_KW_ONLY | PY_A_NONE_OK},
    [TRAILER] = {.name = "trailer", .kind = PY_ARG_RBUF, .flags = PY_A_KW_ONLY | PY_A_NONE_OK},
    PY_END};

bool pixelbuf_make(pixelbuf_t *p, const pixelbuf_config_t *c)
{
    if (!parse_order(p, c->order, c->order_len))
        return false;
    p->n = c->n;
    p->header_len = c->header.len;
    p->trailer_len = c->trailer.len;
    p->total = p->header_len + p->n * p->bpp + p->trailer_len;
    p->auto_write = c->auto_write;
    p->wire = py_alloc(p->total);
    if (p->wire == NULL)
        return false;
    if (p->header_len > 0)
        memcpy(p->wire, c->header.ptr, p->header_len);
    if (p->trailer_len > 0)
        memcpy(p->wire + p->total - p->trailer_len, c->trailer.ptr, p->trailer_len);
    for (size_t i = 0; p->dotstar && i < p->n; i++)
        p->wire[p->header_len + i * 4] = 0xFF;
    p->scale = FULL;
    return set_scale(p, c->brightness);
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const pixelbuf_config_t c = {.n = (size_t)a[SIZE].i,
                                 .order = a[ORDER].str,
                                 .order_len = a[ORDER].str_len,
                                 .brightness = a[BRIGHTNESS].f,
                                 .auto_write = a[AUTO].b,
                                 .header = a[HEADER].buf,
                                 .trailer = a[TRAILER].buf};
    return pixelbuf_make(s, &c);
}

static void fini(void *s)
{
    pixelbuf_t *p = s;
    py_free(p->wire);
    py_free(p->plain);
    p->wire = p->plain = NULL;
}

static bool live(const void *s)
{
    return ((const pixelbuf_t *)s)->wire != NULL;
}

/* ---- colours ---- */

static bool channel(py_t v, uint8_t *out)
{
    double d;
    if (!py_to_float(v, &d))
        return false;
    *out = !(d > 0) ? 0 : d >= 255 ? 255 : (uint8_t)d;
    return true;
}

static bool parse_color(const pixelbuf_t *p, py_t value, color_t *out)
{
    *out = (color_t){.v = {[WHITE] = p->dotstar ? 255 : 0}};
    if (py_is_int(value) || py_is_float(value)) {
        int64_t rgb = 0;
        double d = 0;
        if (py_is_int(value) ? !py_to_int(value, &rgb) : !py_to_float(value, &d))
            return false;
        if (py_is_float(value))
            rgb = d >= 0 && d < 16777216.0 ? (int64_t)d : 0;
        for (int i = 0; i < 3; i++)
            out->v[i] = (uint8_t)(rgb >> (16 - 8 * i) & 0xFF);
        /* One number for a grey means the white of a pixel that has one. */
        if (!p->dotstar && p->at[WHITE] >= 0 && out->v[RED] == out->v[GREEN] && out->v[RED] == out->v[BLUE]) {
            out->v[WHITE] = out->v[RED];
            memset(out->v, 0, 3);
        }
        return true;
    }
    size_t n;
    if (!py_len(value, &n))
        return false;
    if (n < 3 || n > 4 || (n == 4 && p->bpp == 3))
        return py_fail(py_raise(PY_ValueError, "Expected tuple of length %u, got %zu", p->bpp, n));
    for (size_t i = 0; i < n; i++) {
        py_t item = py_item_at(value, i);
        if (py_null(item))
            return false;
        if (i == 3 && p->dotstar) {
            double part;
            if (!py_to_float(item, &part))
                return false;
            out->v[WHITE] = !(part > 0) ? 0 : part >= 1 ? 255 : (uint8_t)(part * 255);
        } else if (!channel(item, &out->v[i])) {
            return false;
        }
    }
    return true;
}

static uint8_t *pixel(const pixelbuf_t *p, uint8_t *from, size_t i)
{
    return from + (from == p->wire ? p->header_len : 0) + i * p->bpp;
}

static void to_wire(pixelbuf_t *p, size_t i)
{
    if (p->plain == NULL)
        return;
    const uint8_t *in = pixel(p, p->plain, i);
    uint8_t *out = pixel(p, p->wire, i);
    for (uint8_t k = 0; k < p->bpp; k++)
        out[k] = (uint8_t)(p->dotstar && k == 0 ? in[k] : in[k] * p->scale / FULL);
}

static void put(pixelbuf_t *p, size_t i, const color_t *c)
{
    uint8_t *to = pixel(p, p->plain ? p->plain : p->wire, i);
    for (int k = 0; k < CHANNELS; k++) {
        if (p->at[k] >= 0)
            to[p->at[k]] = k == WHITE && p->dotstar ? (uint8_t)(0xE0 | c->v[k] >> 3) : c->v[k];
    }
    to_wire(p, i);
}

static py_t get(pixelbuf_t *p, size_t i)
{
    const uint8_t *from = pixel(p, p->plain ? p->plain : p->wire, i);
    py_t items[CHANNELS];
    size_t n = 0;
    for (int k = 0; k < CHANNELS; k++) {
        if (p->at[k] >= 0)
            items[n++] =
                k == WHITE && p->dotstar ? py_float((from[0] & 0x1F) / 31.0) : py_int(from[p->at[k]]);
    }
    return py_tuple(items, n);
}

/* ---- brightness ---- */

static bool set_scale(pixelbuf_t *p, double brightness)
{
    p->brightness = !(brightness > 0) ? 0 : brightness > 1 ? 1 : brightness;
    uint16_t scale = (uint16_t)(p->brightness * FULL);
    if (scale == p->scale)
        return true;
    if (p->plain == NULL) {
        p->plain = py_alloc(p->n * p->bpp);
        if (p->plain == NULL)
            return false;
        memcpy(p->plain, p->wire + p->header_len, p->n * p->bpp);
    }
    p->scale = scale;
    for (size_t i = 0; i < p->n; i++)
        to_wire(p, i);
    return true;
}

/* ---- showing ---- */

static bool show(py_t self, pixelbuf_t *p)
{
    py_t bytes = py_bytearray(p->wire, p->total);
    return !py_null(bytes) && !py_null(py_call_method(self, "_transmit", &bytes, 1));
}

static py_t m_show(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    return show(self, s) ? py_none() : PY_NULL;
}

static const py_arg_t one_args[] = {PY_REQ_OBJ("value"), PY_END};

static py_t m_transmit(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_raise(PY_NotImplementedError, "_transmit");
}

static py_t m_fill(py_t self, void *s, const py_val_t *a)
{
    pixelbuf_t *p = s;
    color_t color;
    if (!parse_color(p, a[0].obj, &color))
        return PY_NULL;
    for (size_t i = 0; i < p->n; i++)
        put(p, i, &color);
    return !p->auto_write || show(self, p) ? py_none() : PY_NULL;
}

/* ---- items ---- */

static bool len(py_t self, void *s, size_t *out)
{
    (void)self;
    *out = ((pixelbuf_t *)s)->n;
    return true;
}

static bool index_of(const pixelbuf_t *p, py_t key, size_t *out)
{
    int64_t i;
    if (!py_to_int(key, &i))
        return false;
    if (i < 0)
        i += (int64_t)p->n;
    if (i < 0 || i >= (int64_t)p->n)
        return py_fail(py_raise(PY_IndexError, "PixelBuf index out of range"));
    *out = (size_t)i;
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    (void)self;
    pixelbuf_t *p = s;
    size_t i;
    if (!py_is_slice(key))
        return index_of(p, key, &i) ? get(p, i) : PY_NULL;
    int64_t at, step;
    size_t n;
    py_t list = py_slice(key, p->n, &at, &step, &n) ? py_list(NULL, 0) : PY_NULL;
    for (i = 0; !py_null(list) && i < n; i++, at += step) {
        if (!py_list_append(list, get(p, (size_t)at)))
            return PY_NULL;
    }
    return list;
}

static bool set_slice(pixelbuf_t *p, py_t key, py_t value)
{
    int64_t at, step;
    size_t n, have;
    if (!py_slice(key, p->n, &at, &step, &n) || !py_len(value, &have))
        return false;
    if (have != n)
        return py_fail(
            py_raise(PY_ValueError, "Unmatched number of items on RHS (expected %zu, got %zu).", n, have));
    for (size_t i = 0; i < n; i++, at += step) {
        color_t color;
        py_scope_t scope = py_scope_open();
        py_t item = py_item_at(value, i);
        bool ok = !py_null(item) && parse_color(p, item, &color);
        py_scope_close(scope);
        if (!ok)
            return false;
        put(p, (size_t)at, &color);
    }
    return true;
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    pixelbuf_t *p = s;
    color_t color;
    size_t i;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "pixels cannot be deleted"));
    if (py_is_slice(key)) {
        if (!set_slice(p, key, value))
            return false;
    } else {
        if (!index_of(p, key, &i) || !parse_color(p, value, &color))
            return false;
        put(p, i, &color);
    }
    return !p->auto_write || show(self, p);
}

/* ---- properties ---- */

static py_t get_brightness(py_t self, void *s)
{
    (void)self;
    return py_float(((pixelbuf_t *)s)->brightness);
}

static bool set_brightness(py_t self, void *s, py_t value)
{
    pixelbuf_t *p = s;
    double brightness;
    return py_to_float(value, &brightness) && set_scale(p, brightness) && (!p->auto_write || show(self, p));
}

static py_t get_auto_write(py_t self, void *s)
{
    (void)self;
    return py_bool(((pixelbuf_t *)s)->auto_write);
}

static bool set_auto_write(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_bool(value, &((pixelbuf_t *)s)->auto_write);
}

static py_t get_byteorder(py_t self, void *s)
{
    (void)self;
    return py_str(((pixelbuf_t *)s)->order);
}

static py_t get_bpp(py_t self, void *s)
{
    (void)self;
    return py_int(((pixelbuf_t *)s)->bpp);
}

static const py_method_t methods[] = {{"show", m_show, NULL, 0, NULL},
                                      {"fill", m_fill, one_args, 0, NULL},
                                      {"_transmit", m_transmit, one_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"brightness", get_brightness, set_brightness, 0, NULL},
                                  {"auto_write", get_auto_write, set_auto_write, 0, NULL},
                                  {"byteorder", get_byteorder, NULL, 0, NULL},
                                  {"bpp", get_bpp, NULL, 0, NULL},
                                  PY_END};
const py_class_t pixelbuf_class = {.module = "adafruit_pixelbuf",
                                   .name = "PixelBuf",
                                   .doc = "PixelBuf(size, *, byteorder=\"BGR\", brightness=1.0, "
                                          "auto_write=False, header=b\"\", trailer=b\"\")",
                                   .size = sizeof(pixelbuf_t),
                                   .init_args = init_args,
                                   .init = init,
                                   .fini = fini,
                                   .live = live,
                                   .methods = methods,
                                   .props = props,
                                   .len = len,
                                   .getitem = getitem,
                                   .setitem = setitem};

static const py_class_t *const classes[] = {&pixelbuf_class, NULL};
const py_module_t pixelbuf_module = {.name = "adafruit_pixelbuf", .classes = classes};
