/* bitmaptools: the calls that draw and copy. Blending, dithering and reading files: bitmaptools_more.c */
#include <math.h>
#include <string.h>

#include "python/modules/bitmaptools_int.h"

/* ---- checks ---- */

adder_bitmap_t *bitmaptools_bitmap(py_t v, const char *name)
{
    bitmap_obj_t *b = py_struct_arg(v, &bitmap_class, name);
    return b ? &b->bitmap : NULL;
}

adder_bitmap_t *bitmaptools_dest(py_t v, const char *name)
{
    adder_bitmap_t *b = bitmaptools_bitmap(v, name);
    if (b != NULL && !adder_bitmap_writable(b)) {
        py_raise(PY_RuntimeError, "Read-only");
        return NULL;
    }
    return b;
}

bool bitmaptools_index(const py_val_t *a, int32_t *out)
{
    int64_t v = ADDER_NO_INDEX;
    if (a->given && !py_to_int(a->obj, &v))
        return false;
    /* What no bitmap can hold is skipped nowhere. */
    *out = v < 0 || v > INT32_MAX ? ADDER_NO_INDEX : (int32_t)v;
    return true;
}

py_t bitmaptools_done(adder_err_t err, const char *what)
{
    if (err == ADDER_OK)
        return py_none();
    return err == ADDER_ERR_END ? py_raise(PY_IndexError, "not enough data") : py_raise_err(err, what);
}

static bool value_arg(py_t v, const adder_bitmap_t *b, const char *name, uint32_t *out)
{
    int64_t i;
    if (!display_int(v, name, 0, adder_bitmap_max(b), &i))
        return false;
    *out = (uint32_t)i;
    return true;
}

/* An end-exclusive side of a rectangle: 0 <= a1 <= a2 <= whole; None: the whole. */
static bool side(const py_val_t *a1, const py_val_t *a2, const char *name1, const char *name2, uint16_t whole,
                 int16_t *out1, int16_t *out2)
{
    int64_t v1 = 0, v2 = whole;
    if (a2->given && !display_int(a2->obj, name2, 0, whole, &v2))
        return false;
    if (a1->given && !display_int(a1->obj, name1, 0, v2, &v1))
        return false;
    *out1 = (int16_t)v1;
    *out2 = (int16_t)v2;
    return true;
}

bool bitmaptools_area(const py_val_t *x1, const py_val_t *y1, const py_val_t *x2, const py_val_t *y2,
                      const adder_bitmap_t *b, adder_area_t *out)
{
    return side(x1, x2, "x1", "x2", b->width, &out->x1, &out->x2) &&
           side(y1, y2, "y1", "y2", b->height, &out->y1, &out->y2);
}

/* ---- copies ---- */

static const py_arg_t blit_args[] = {PY_REQ_OBJ("dest_bitmap"),
                                     PY_REQ_OBJ("source_bitmap"),
                                     PY_REQ_OBJ("x"),
                                     PY_REQ_OBJ("y"),
                                     PY_KW_OBJ("x1"),
                                     PY_KW_OBJ("y1"),
                                     PY_KW_OBJ("x2"),
                                     PY_KW_OBJ("y2"),
                                     PY_KW_OBJ("skip_source_index"),
                                     PY_KW_OBJ("skip_dest_index"),
                                     PY_END};

py_t bitmaptools_blit(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    adder_bitmap_t *source = dest ? bitmaptools_bitmap(a[1].obj, "source_bitmap") : NULL;
    int64_t x, y;
    adder_area_t from;
    int32_t skip_source, skip_dest;
    if (source == NULL || !display_int(a[2].obj, "x", 0, dest->width, &x) ||
        !display_int(a[3].obj, "y", 0, dest->height, &y) ||
        !bitmaptools_area(&a[4], &a[5], &a[6], &a[7], source, &from) ||
        !bitmaptools_index(&a[8], &skip_source) || !bitmaptools_index(&a[9], &skip_dest))
        return PY_NULL;
    if (dest->bits < source->bits)
        return py_raise(PY_ValueError, "source palette too large");
    return bitmaptools_done(adder_blit(dest, source, (int16_t)x, (int16_t)y, from, skip_source, skip_dest),
                            "blit");
}

enum {
    RZ_OX = 2,
    RZ_OY,
    RZ_DEST0,
    RZ_DEST1,
    RZ_PX,
    RZ_PY,
    RZ_SOURCE0,
    RZ_SOURCE1,
    RZ_ANGLE,
    RZ_SCALE,
    RZ_SKIP
};

static const py_arg_t rotozoom_args[] = {PY_REQ_OBJ("dest_bitmap"), PY_REQ_OBJ("source_bitmap"),
                                         PY_KW_OBJ("ox"),           PY_KW_OBJ("oy"),
                                         PY_KW_OBJ("dest_clip0"),   PY_KW_OBJ("dest_clip1"),
                                         PY_KW_OBJ("px"),           PY_KW_OBJ("py"),
                                         PY_KW_OBJ("source_clip0"), PY_KW_OBJ("source_clip1"),
                                         PY_KW_OBJ("angle"),        PY_KW_OBJ("scale"),
                                         PY_KW_OBJ("skip_index"),   PY_END};

static bool place(const py_val_t *a, const char *name, int16_t *out)
{
    int64_t v;
    if (!a->given)
        return true;
    if (!display_int(a->obj, name, INT16_MIN, INT16_MAX, &v))
        return false;
    *out = (int16_t)v;
    return true;
}

/* Two corners, each (x, y) or None. */
static bool clip(const py_val_t *a0, const py_val_t *a1, const char *name, const adder_bitmap_t *b,
                 adder_area_t *out)
{
    const py_val_t *given[2] = {a0, a1};
    for (int i = 0; i < 2; i++) {
        int64_t x, y;
        if (!given[i]->given)
            continue;
        if (!display_point(given[i]->obj, name, &x, &y))
            return false;
        if (x < 0 || y < 0 || x > b->width || y > b->height)
            return py_fail(py_raise(PY_ValueError, "%s out of range", name));
        *(i == 0 ? &out->x1 : &out->x2) = (int16_t)x;
        *(i == 0 ? &out->y1 : &out->y2) = (int16_t)y;
    }
    return true;
}

static py_t rotozoom(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    adder_bitmap_t *source = dest ? bitmaptools_bitmap(a[1].obj, "source_bitmap") : NULL;
    adder_rotozoom_t r;
    double angle = 0, scale = 1;
    if (source == NULL)
        return PY_NULL;
    adder_rotozoom_defaults(&r, dest, source);
    if (!place(&a[RZ_OX], "ox", &r.ox) || !place(&a[RZ_OY], "oy", &r.oy) || !place(&a[RZ_PX], "px", &r.px) ||
        !place(&a[RZ_PY], "py", &r.py) ||
        !clip(&a[RZ_DEST0], &a[RZ_DEST1], "dest_clip", dest, &r.dest_clip) ||
        !clip(&a[RZ_SOURCE0], &a[RZ_SOURCE1], "source_clip", source, &r.source_clip) ||
        (a[RZ_ANGLE].given && !py_to_float(a[RZ_ANGLE].obj, &angle)) ||
        (a[RZ_SCALE].given && !py_to_float(a[RZ_SCALE].obj, &scale)) ||
        !bitmaptools_index(&a[RZ_SKIP], &r.skip_index))
        return PY_NULL;
    if (dest->bits < source->bits)
        return py_raise(PY_ValueError, "source palette too large");
    if (!isfinite(angle) || !isfinite(scale) || scale < 0)
        return py_raise(PY_ValueError, "angle and scale must be finite, scale >= 0");
    if (scale < 1e-6) /* nothing would be left to see */
        return py_none();
    r.sine = (float)sin(angle);
    r.cosine = (float)cos(angle);
    r.scale = (float)scale;
    return bitmaptools_done(adder_rotozoom(dest, source, &r), "rotozoom");
}

static const py_arg_t arrayblit_args[] = {
    PY_REQ_OBJ("bitmap"), PY_REQ_RBUF("data"), PY_OPT_OBJ("x1"),         PY_OPT_OBJ("y1"),
    PY_OPT_OBJ("x2"),     PY_OPT_OBJ("y2"),    PY_OPT_OBJ("skip_index"), PY_END};

/* array('L') has 8-byte items on a PC and 4-byte ones on a board. */
static uint32_t *narrowed(const py_buf_t *buf)
{
    size_t n = buf->len / 8;
    uint32_t *out = py_alloc(n * sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++) {
        uint64_t v;
        memcpy(&v, buf->ptr + i * 8, sizeof v);
        out[i] = (uint32_t)v;
    }
    return out;
}

static py_t arrayblit(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "bitmap");
    adder_area_t area;
    int32_t skip;
    const py_buf_t *buf = &a[1].buf;
    if (dest == NULL || !bitmaptools_area(&a[2], &a[3], &a[4], &a[5], dest, &area) ||
        !bitmaptools_index(&a[6], &skip))
        return PY_NULL;
    size_t item = buf->item_size, n = buf->len / item;
    if (item != 1 && item != 2 && item != 4 && item != 8)
        return py_raise(PY_ValueError, "unsupported array type '%c'", buf->typecode);
    uint32_t *own = NULL;
    if (item == 8 && (own = narrowed(buf)) == NULL)
        return PY_NULL;
    adder_err_t err =
        adder_arrayblit(dest, own ? (const void *)own : buf->ptr, own ? 4 : item, n, area, skip);
    py_free(own);
    return bitmaptools_done(err, "arrayblit");
}

/* ---- drawing ---- */

static const py_arg_t fill_region_args[] = {PY_REQ_OBJ("dest_bitmap"),
                                            PY_REQ_OBJ("x1"),
                                            PY_REQ_OBJ("y1"),
                                            PY_REQ_OBJ("x2"),
                                            PY_REQ_OBJ("y2"),
                                            PY_REQ_OBJ("value"),
                                            PY_END};

static py_t fill_region(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    adder_area_t area;
    uint32_t value;
    if (dest == NULL || !value_arg(a[5].obj, dest, "value", &value) ||
        !bitmaptools_area(&a[1], &a[2], &a[3], &a[4], dest, &area))
        return PY_NULL;
    return bitmaptools_done(adder_fill_region(dest, area, value), "fill_region");
}

static const py_arg_t draw_line_args[] = {PY_REQ_OBJ("dest_bitmap"),
                                          PY_REQ_INT("x1", INT16_MIN, INT16_MAX),
                                          PY_REQ_INT("y1", INT16_MIN, INT16_MAX),
                                          PY_REQ_INT("x2", INT16_MIN, INT16_MAX),
                                          PY_REQ_INT("y2", INT16_MIN, INT16_MAX),
                                          PY_REQ_OBJ("value"),
                                          PY_END};

static py_t draw_line(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    uint32_t value;
    if (dest == NULL || !value_arg(a[5].obj, dest, "value", &value))
        return PY_NULL;
    adder_draw_line(dest, (int32_t)a[1].i, (int32_t)a[2].i, (int32_t)a[3].i, (int32_t)a[4].i, value);
    return py_none();
}

static const py_arg_t draw_circle_args[] = {PY_REQ_OBJ("dest_bitmap"), PY_REQ_OBJ("x"),
                                            PY_REQ_OBJ("y"),           PY_REQ_INT("radius", 0, 32767),
                                            PY_REQ_OBJ("value"),       PY_END};

static py_t draw_circle(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    uint32_t value;
    int64_t x, y;
    if (dest == NULL || !value_arg(a[4].obj, dest, "value", &value) ||
        !display_int(a[1].obj, "x", 0, dest->width, &x) || !display_int(a[2].obj, "y", 0, dest->height, &y))
        return PY_NULL;
    adder_draw_circle(dest, (int32_t)x, (int32_t)y, (int32_t)a[3].i, value);
    return py_none();
}

/* The items of an array as int32; what does not fit is far outside any bitmap. */
static int32_t *coordinates(const py_buf_t *buf, const char *name, size_t *n_out)
{
    size_t n = buf->len / buf->item_size;
    int32_t *out = py_alloc((n + 1) * sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++) {
        const uint8_t *at = buf->ptr + i * buf->item_size;
        int64_t v = 0;
#define ITEM(code, type)                                                                                     \
    case code: {                                                                                             \
        type item;                                                                                           \
        memcpy(&item, at, sizeof item);                                                                      \
        v = (int64_t)item;                                                                                   \
        break;                                                                                               \
    }
        switch (buf->typecode) {
            ITEM('b', int8_t)
            ITEM('B', uint8_t)
            ITEM('h', int16_t)
            ITEM('H', uint16_t)
            ITEM('i', int32_t)
            ITEM('I', uint32_t)
            ITEM('l', long)
            ITEM('L', unsigned long)
            ITEM('q', int64_t)
            ITEM('Q', uint64_t)
        default:
            py_free(out);
            py_raise(PY_ValueError, "%s must be an array of whole numbers, not '%c'", name, buf->typecode);
            return NULL;
        }
#undef ITEM
        out[i] = v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : (int32_t)v;
    }
    *n_out = n;
    return out;
}

static const py_arg_t draw_polygon_args[] = {PY_REQ_OBJ("dest_bitmap"),  PY_REQ_RBUF("xs"),
                                             PY_REQ_RBUF("ys"),          PY_REQ_OBJ("value"),
                                             PY_OPT_BOOL("close", true), PY_END};

static py_t draw_polygon(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    uint32_t value;
    size_t n_x, n_y;
    if (dest == NULL || !value_arg(a[3].obj, dest, "value", &value))
        return PY_NULL;
    if (a[1].buf.item_size != a[2].buf.item_size || a[1].buf.len != a[2].buf.len)
        return py_raise(PY_ValueError, "Coordinate arrays have different lengths or types");
    int32_t *xs = coordinates(&a[1].buf, "xs", &n_x), *ys = xs ? coordinates(&a[2].buf, "ys", &n_y) : NULL;
    if (ys != NULL)
        adder_draw_polygon(dest, xs, ys, n_x, a[4].b, value);
    py_free(xs);
    py_free(ys);
    return ys != NULL ? py_none() : PY_NULL;
}

static const py_arg_t boundary_fill_args[] = {
    PY_REQ_OBJ("dest_bitmap"),          PY_REQ_OBJ("x"), PY_REQ_OBJ("y"), PY_REQ_OBJ("fill_color_value"),
    PY_OPT_OBJ("replaced_color_value"), PY_END};

static py_t boundary_fill(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    uint32_t value, replaced = 0;
    int64_t x, y;
    if (dest == NULL || !value_arg(a[3].obj, dest, "fill_color_value", &value) ||
        (a[4].given && !value_arg(a[4].obj, dest, "replaced_color_value", &replaced)) ||
        !display_int(a[1].obj, "x", 0, (int64_t)dest->width - 1, &x) ||
        !display_int(a[2].obj, "y", 0, (int64_t)dest->height - 1, &y))
        return PY_NULL;
    size_t len = ADDER_BOUNDARY_FILL_BYTES(dest->width, dest->height);
    uint8_t *scratch = py_alloc(len);
    if (scratch == NULL)
        return PY_NULL;
    adder_err_t err = adder_boundary_fill(dest, (int32_t)x, (int32_t)y, value,
                                          a[4].given ? (int32_t)replaced : ADDER_NO_INDEX, scratch, len);
    py_free(scratch);
    return bitmaptools_done(err, "boundary_fill");
}

/* Documented as dest_bitmap, really called bitmap: both are right. */
static const py_arg_t replace_color_args[] = {PY_OPT_OBJ("bitmap"), PY_REQ_OBJ("old_color"),
                                              PY_REQ_OBJ("new_color"), PY_KW_OBJ("dest_bitmap"), PY_END};

static py_t replace_color(const py_val_t *a)
{
    const py_val_t *which = a[0].given ? &a[0] : &a[3];
    if (!which->given)
        return py_raise(PY_TypeError, "replace_color() missing required argument: 'bitmap'");
    adder_bitmap_t *dest = bitmaptools_dest(which->obj, "bitmap");
    uint32_t old_value, new_value;
    if (dest == NULL || !value_arg(a[1].obj, dest, "old_color", &old_value) ||
        !value_arg(a[2].obj, dest, "new_color", &new_value))
        return PY_NULL;
    adder_replace_color(dest, old_value, new_value);
    return py_none();
}

static const py_function_t functions[] = {
    {"blit", bitmaptools_blit, blit_args, "Copy a rectangle of a bitmap."},
    {"rotozoom", rotozoom, rotozoom_args, "Copy turned and scaled."},
    {"arrayblit", arrayblit, arrayblit_args, "Copy from an array."},
    {"fill_region", fill_region, fill_region_args, "Fill a rectangle."},
    {"draw_line", draw_line, draw_line_args, "Draw a line, both ends included."},
    {"draw_circle", draw_circle, draw_circle_args, "Draw the outline of a circle."},
    {"draw_polygon", draw_polygon, draw_polygon_args, "Draw lines between points."},
    {"boundary_fill", boundary_fill, boundary_fill_args, "Fill the connected pixels of one value."},
    {"replace_color", replace_color, replace_color_args, "Change all pixels of one value."},
    {"readinto", bitmaptools_readinto, bitmaptools_readinto_args, "Read packed pixels from a file."},
    {"alphablend", bitmaptools_alphablend, bitmaptools_alphablend_args, "Mix two bitmaps."},
    {"dither", bitmaptools_dither, bitmaptools_dither_args, "To black and white by error diffusion."},
    PY_END};

static const py_enum_t *const enums[] = {&blendmode_enum, &dither_enum, NULL};

const py_module_t bitmaptools_module = {.name = "bitmaptools", .functions = functions, .enums = enums};
