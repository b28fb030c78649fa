/* displayio.Palette */
#include "python/modules/display_int.h"

static const py_arg_t init_args[] = {PY_REQ_INT("color_count", 1, 32767), PY_KW_BOOL("dither", false),
                                     PY_END};

static bool setup(palette_obj_t *p, uint16_t count, bool dither)
{
    p->colors = py_alloc(count * sizeof *p->colors);
    if (p->colors == NULL)
        return false;
    adder_palette_init(&p->own, p->colors, count, dither);
    p->palette = &p->own;
    return true;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return setup(s, (uint16_t)a[0].i, a[1].b);
}

py_t palette_make(uint16_t count, palette_obj_t **out)
{
    void *s;
    py_t self = py_new(&palette_class, &s);
    if (py_null(self) || !setup(s, count, false))
        return PY_NULL;
    *out = s;
    return self;
}

py_t palette_wrap(adder_palette_t *palette)
{
    void *s;
    py_t self = py_new(&palette_class, &s);
    if (!py_null(self))
        ((palette_obj_t *)s)->palette = palette;
    return self;
}

static void fini(void *s)
{
    palette_obj_t *p = s;
    py_free(p->colors);
    p->colors = NULL;
    p->own.count = 0; /* whoever still points here finds no colours */
    p->palette = NULL;
}

static bool live(const void *s)
{
    return ((const palette_obj_t *)s)->palette != NULL;
}

/* Three or four bytes, the fourth ignored. */
static bool color_bytes(py_t v, uint32_t *rgb_out)
{
    py_buf_t buf;
    if (!py_buffer_read(v, &buf))
        return false;
    if (buf.typecode != 'B' && buf.typecode != 'b')
        return py_fail(
            py_raise(PY_ValueError, "color buffer must be a bytearray or array of type 'b' or 'B'"));
    if (buf.len != 3 && buf.len != 4)
        return py_fail(
            py_raise(PY_ValueError, "color buffer must be 3 bytes (RGB) or 4 bytes (RGB + pad byte)"));
    *rgb_out = (uint32_t)buf.ptr[0] << 16 | (uint32_t)buf.ptr[1] << 8 | buf.ptr[2];
    return true;
}

static bool color_items(py_t v, uint32_t *rgb_out)
{
    size_t n;
    if (!py_len(v, &n))
        return false;
    if (n != 3 && n != 4)
        return py_fail(
            py_raise(PY_ValueError, "color buffer must be 3 bytes (RGB) or 4 bytes (RGB + pad byte)"));
    uint32_t rgb = 0;
    for (size_t i = 0; i < 3; i++) {
        int64_t channel;
        if (!display_int(py_item_at(v, i), "color", 0, 255, &channel))
            return false;
        rgb = rgb << 8 | (uint32_t)channel;
    }
    *rgb_out = rgb;
    return true;
}

bool color_value(py_t v, uint32_t *rgb_out)
{
    int64_t i;
    if (py_is_int(v)) {
        if (py_to_int(v, &i) && i >= 0 && i <= 0xFFFFFF) {
            *rgb_out = (uint32_t)i;
            return true;
        }
        py_error_clear();
        return py_fail(py_raise(PY_TypeError, "color must be between 0x000000 and 0xffffff"));
    }
    if (py_is_tuple(v) || py_is_list(v))
        return color_items(v, rgb_out);
    if (py_is_buffer(v))
        return color_bytes(v, rgb_out);
    return py_fail(
        py_raise(PY_TypeError, "color must be an int, a buffer or a tuple, not %s", py_type_name(v)));
}

static bool locate(const adder_palette_t *p, py_t key, uint32_t *index_out)
{
    int64_t i;
    if (py_is_slice(key))
        return py_fail(py_raise(PY_TypeError, "Palette indices must be integers, not slice"));
    if (!py_to_int(key, &i))
        return false;
    if (i < 0)
        i += p->count;
    if (i < 0 || i >= p->count)
        return py_fail(py_raise(PY_IndexError, "Palette index out of range"));
    *index_out = (uint32_t)i;
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    const adder_palette_t *p = ((palette_obj_t *)s)->palette;
    uint32_t i;
    (void)self;
    return locate(p, key, &i) ? py_int(adder_palette_get(p, i)) : PY_NULL;
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    adder_palette_t *p = ((palette_obj_t *)s)->palette;
    uint32_t i, rgb;
    (void)self;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "'Palette' object doesn't support item deletion"));
    if (!locate(p, key, &i) || !color_value(value, &rgb))
        return false;
    adder_palette_set(p, i, rgb);
    return true;
}

static bool len(py_t self, void *s, size_t *out)
{
    (void)self;
    *out = ((palette_obj_t *)s)->palette->count;
    return true;
}

static const py_arg_t index_args[] = {PY_REQ_OBJ("palette_index"), PY_END};

static py_t set_transparent(void *s, py_t key, bool transparent)
{
    adder_palette_t *p = ((palette_obj_t *)s)->palette;
    uint32_t i;
    if (!locate(p, key, &i))
        return PY_NULL;
    adder_palette_set_transparent(p, i, transparent);
    return py_none();
}

static py_t make_transparent(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return set_transparent(s, a[0].obj, true);
}

static py_t make_opaque(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return set_transparent(s, a[0].obj, false);
}

static py_t is_transparent(py_t self, void *s, const py_val_t *a)
{
    const adder_palette_t *p = ((palette_obj_t *)s)->palette;
    uint32_t i;
    (void)self;
    return locate(p, a[0].obj, &i) ? py_bool(adder_palette_is_transparent(p, i)) : PY_NULL;
}

static py_t get_dither(py_t self, void *s)
{
    (void)self;
    return py_bool(((palette_obj_t *)s)->palette->dither);
}

static bool set_dither(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_bool(value, &((palette_obj_t *)s)->palette->dither);
}

static const py_method_t methods[] = {
    {"make_transparent", make_transparent, index_args, 0, "Let what lies below show through an entry."},
    {"make_opaque", make_opaque, index_args, 0, "Undo make_transparent()."},
    {"is_transparent", is_transparent, index_args, 0, "Is the entry transparent?"},
    PY_END};

static const py_prop_t props[] = {{"dither", get_dither, set_dither, 0, "bool"}, PY_END};

const py_class_t palette_class = {
    .module = "displayio",
    .name = "Palette",
    .doc = "Palette(color_count, *, dither=False): colours for pixel values.",
    .size = sizeof(palette_obj_t),
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .methods = methods,
    .props = props,
    .len = len,
    .truth = display_truth,
    .getitem = getitem,
    .setitem = setitem,
};
