/* displayio.Bitmap */
#include "python/modules/bitmaptools_int.h"

static const py_arg_t init_args[] = {PY_REQ_INT("width", 0, 32767), PY_REQ_INT("height", 0, 32767),
                                     PY_REQ_INT("value_count", 1, 65536), PY_END};

static bool setup(bitmap_obj_t *b, uint16_t width, uint16_t height, uint32_t value_count)
{
    uint8_t bits = adder_bitmap_bits_for(value_count);
    size_t bytes = ADDER_BITMAP_BYTES(width, height, bits);
    b->pixels = py_alloc(bytes > 0 ? bytes : 4);
    if (b->pixels == NULL)
        return false;
    adder_err_t err = adder_bitmap_init(&b->bitmap, width, height, bits, b->pixels, bytes);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "Bitmap"));
    b->made = true;
    return true;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return setup(s, (uint16_t)a[0].i, (uint16_t)a[1].i, (uint32_t)a[2].i);
}

py_t bitmap_make(uint16_t width, uint16_t height, uint32_t value_count, bitmap_obj_t **out)
{
    void *s;
    py_t self = py_new(&bitmap_class, &s);
    if (py_null(self) || !setup(s, width, height, value_count))
        return PY_NULL;
    if (out != NULL)
        *out = s;
    return self;
}

static void fini(void *s)
{
    bitmap_obj_t *b = s;
    if (b->made)
        adder_bitmap_deinit(&b->bitmap);
    b->made = false;
    py_free(b->pixels);
    b->pixels = NULL;
}

static bool live(const void *s)
{
    return ((const bitmap_obj_t *)s)->made;
}

/* The pixels stay until the object goes: a memoryview may still look at them. */
static py_t deinit(py_t self, void *s, const py_val_t *a)
{
    bitmap_obj_t *b = s;
    (void)self, (void)a;
    if (b->made)
        adder_bitmap_deinit(&b->bitmap);
    b->made = false;
    return py_none();
}

/* b[x, y] or b[y * width + x] */
static bool locate(const adder_bitmap_t *b, py_t key, int32_t *x, int32_t *y)
{
    int64_t at[2];
    if (!py_int_pair(key, at)) {
        if (py_is_slice(key))
            return py_fail(py_raise(PY_NotImplementedError, "Slices not supported"));
        if (py_is_tuple(key) || py_is_list(key))
            return py_fail(py_raise(PY_TypeError, "x and y must be two ints"));
        if (!py_to_int(key, &at[0]))
            return false;
        if (!display_index(at[0], "index", (int64_t)b->width * b->height - 1))
            return false;
        *x = (int32_t)(at[0] % b->width);
        *y = (int32_t)(at[0] / b->width);
        return true;
    }
    if ((uint64_t)at[0] >= b->width || (uint64_t)at[1] >= b->height) {
        bool x_is_right = (uint64_t)at[0] < b->width;
        display_index(-1, x_is_right ? "y" : "x", (int64_t)(x_is_right ? b->height : b->width) - 1);
        return false;
    }
    *x = (int32_t)at[0];
    *y = (int32_t)at[1];
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    const adder_bitmap_t *b = &((bitmap_obj_t *)s)->bitmap;
    int32_t x, y;
    (void)self;
    return locate(b, key, &x, &y) ? py_int(adder_bitmap_get(b, x, y)) : PY_NULL;
}

static bool writable(const adder_bitmap_t *b)
{
    return adder_bitmap_writable(b) || py_fail(py_raise(PY_RuntimeError, "Read-only"));
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    adder_bitmap_t *b = &((bitmap_obj_t *)s)->bitmap;
    int32_t x, y;
    int64_t v;
    (void)self;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "'Bitmap' object doesn't support item deletion"));
    if (!locate(b, key, &x, &y) || !display_int(value, "value", 0, adder_bitmap_max(b), &v) || !writable(b))
        return false;
    adder_bitmap_set(b, x, y, (uint32_t)v);
    return true;
}

static const py_arg_t fill_args[] = {PY_REQ_OBJ("value"), PY_END};

static py_t fill(py_t self, void *s, const py_val_t *a)
{
    adder_bitmap_t *b = &((bitmap_obj_t *)s)->bitmap;
    int64_t v;
    (void)self;
    if (!display_int(a[0].obj, "value", 0, adder_bitmap_max(b), &v) || !writable(b))
        return PY_NULL;
    adder_bitmap_fill(b, (uint32_t)v);
    return py_none();
}

static const py_arg_t dirty_args[] = {
    PY_OPT_INT("x1", 0, INT32_MIN, INT32_MAX), PY_OPT_INT("y1", 0, INT32_MIN, INT32_MAX),
    PY_OPT_INT("x2", -1, INT32_MIN, INT32_MAX), PY_OPT_INT("y2", -1, INT32_MIN, INT32_MAX), PY_END};

static int16_t clamp(int64_t v, int64_t hi)
{
    return (int16_t)(v < 0 ? 0 : v > hi ? hi : v);
}

static py_t dirty(py_t self, void *s, const py_val_t *a)
{
    adder_bitmap_t *b = &((bitmap_obj_t *)s)->bitmap;
    (void)self;
    adder_area_t area = {clamp(a[0].i, b->width), clamp(a[1].i, b->height),
                         a[2].i == -1 ? (int16_t)b->width : clamp(a[2].i, b->width),
                         a[3].i == -1 ? (int16_t)b->height : clamp(a[3].i, b->height)};
    adder_bitmap_dirty(b, &area);
    return py_none();
}

static const py_arg_t blit_args[] = {PY_REQ_OBJ("x"), PY_REQ_OBJ("y"),         PY_REQ_OBJ("source_bitmap"),
                                     PY_KW_OBJ("x1"), PY_KW_OBJ("y1"),         PY_KW_OBJ("x2"),
                                     PY_KW_OBJ("y2"), PY_KW_OBJ("skip_index"), PY_END};

/* Gone in CircuitPython 9; libraries of today still call it. bitmaptools.blit() with self first. */
static py_t blit(py_t self, void *s, const py_val_t *a)
{
    py_val_t b[] = {{.given = true, .obj = self}, a[2], a[0], a[1], a[3], a[4], a[5], a[6], a[7], {0}};
    (void)s;
    return bitmaptools_blit(b);
}

static py_t get_width(py_t self, void *s)
{
    (void)self;
    return py_int(((bitmap_obj_t *)s)->bitmap.width);
}

static py_t get_height(py_t self, void *s)
{
    (void)self;
    return py_int(((bitmap_obj_t *)s)->bitmap.height);
}

static py_t get_bits(py_t self, void *s)
{
    (void)self;
    return py_int(((bitmap_obj_t *)s)->bitmap.bits);
}

static bool buffer(py_t self, void *s, bool write, py_buf_t *out)
{
    bitmap_obj_t *b = s;
    (void)self;
    if (write && !writable(&b->bitmap))
        return false;
    out->ptr = b->pixels ? b->pixels : (uint8_t *)(uintptr_t)b->bitmap.pixels;
    out->len = ADDER_BITMAP_BYTES(b->bitmap.width, b->bitmap.height, b->bitmap.bits);
    out->item_size = b->bitmap.bits > 8 ? 2 : 1;
    out->typecode = b->bitmap.bits > 8 ? 'H' : 'B';
    return true;
}

static const py_method_t methods[] = {
    {"fill", fill, fill_args, 0, "Set every pixel to one value."},
    {"blit", blit, blit_args, 0, "Copy a rectangle of another bitmap: bitmaptools.blit() is the newer name."},
    {"dirty", dirty, dirty_args, 0, "Tell of a change made through the buffer protocol."},
    {"deinit", deinit, NULL, PY_M_ANYTIME, "Let the pixels go."},
    PY_END};

static const py_prop_t props[] = {{"width", get_width, NULL, 0, "pixels"},
                                  {"height", get_height, NULL, 0, "pixels"},
                                  {"bits_per_value", get_bits, NULL, 0, "1, 2, 4, 8 or 16"},
                                  PY_END};

const py_class_t bitmap_class = {
    .module = "displayio",
    .name = "Bitmap",
    .doc = "Bitmap(width, height, value_count): pixel values in memory.",
    .size = sizeof(bitmap_obj_t),
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .methods = methods,
    .props = props,
    .truth = display_truth,
    .getitem = getitem,
    .setitem = setitem,
    .buffer = buffer,
};
