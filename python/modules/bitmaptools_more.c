/* bitmaptools: readinto, alphablend, dither */
#include <string.h>

#include "python/modules/bitmaptools_int.h"

/* ---- readinto ---- */

const py_arg_t bitmaptools_readinto_args[] = {PY_REQ_OBJ("bitmap"),
                                              PY_REQ_OBJ("file"),
                                              PY_REQ_INT("bits_per_pixel", INT32_MIN, INT32_MAX),
                                              PY_OPT_INT("element_size", 1, INT32_MIN, INT32_MAX),
                                              PY_OPT_BOOL("reverse_pixels_in_element", false),
                                              PY_OPT_BOOL("swap_bytes_in_element", false),
                                              PY_OPT_BOOL("reverse_rows", false),
                                              PY_END};

static bool read_row(py_t read, py_t size, uint8_t *row, size_t len)
{
    py_scope_t scope = py_scope_open();
    py_buf_t buf;
    py_t bytes = py_call(read, &size, 1);
    bool ok = !py_null(bytes);
    if (ok && !py_is_bytes(bytes))
        ok = py_fail(py_raise(PY_TypeError, "file must be a file opened in byte mode"));
    ok = ok && py_buffer_read(bytes, &buf);
    if (ok && buf.len < len)
        ok = py_fail(py_raise(PY_EOFError, "%s", ""));
    if (ok)
        memcpy(row, buf.ptr, len);
    py_scope_close(scope);
    return ok;
}

py_t bitmaptools_readinto(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "bitmap");
    if (dest == NULL)
        return PY_NULL;
    int64_t bits = a[2].i, element = a[3].i;
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return py_raise(PY_ValueError, "invalid bits_per_pixel %lld, must be, 1, 2, 4, 8, 16, 24, or 32",
                        (long long)bits);
    if (element != 1 && element != 2 && element != 4)
        return py_raise(PY_ValueError, "invalid element_size %lld, must be, 1, 2, or 4", (long long)element);
    adder_readinto_t r = {.bits_per_pixel = (uint8_t)bits,
                          .element_size = (uint8_t)element,
                          .reverse_pixels_in_element = a[4].b,
                          .swap_bytes_in_element = a[5].b};
    size_t len = adder_readinto_row_bytes(&r, dest->width);
    uint16_t height = dest->height;
    py_t read = py_attr(a[1].obj, "read"), size = py_int((int64_t)len);
    uint8_t *row = py_null(read) || py_null(size) ? NULL : py_alloc(len);
    if (row == NULL)
        return PY_NULL;
    bool ok = true;
    /* The file may be the program's own object, and the bitmap gone by the next row. */
    for (uint16_t y = 0; ok && y < height; y++) {
        ok = read_row(read, size, row, len) && bitmaptools_dest(a[0].obj, "bitmap") == dest;
        adder_err_t err =
            ok ? adder_readinto_row(dest, a[6].b ? (uint16_t)(height - 1 - y) : y, &r, row, len) : ADDER_OK;
        if (err != ADDER_OK)
            ok = py_fail(py_raise_err(err, "readinto"));
    }
    py_free(row);
    return ok ? py_none() : PY_NULL;
}

/* ---- alphablend ---- */

static const char *const blendmodes[] = {"Normal", "Screen", NULL};
const py_enum_t blendmode_enum = {.module = "bitmaptools", .name = "BlendMode", .values = blendmodes};

enum {
    AB_COLORSPACE = 3,
    AB_FACTOR_1,
    AB_FACTOR_2,
    AB_MODE,
    AB_SKIP_1,
    AB_SKIP_2,
    AB_MASK,
    AB_FACTOR1,
    AB_FACTOR2
};

/* The factors are documented as factor1 and factor2, really called factor_1 and factor_2. */
const py_arg_t bitmaptools_alphablend_args[] = {PY_REQ_OBJ("dest_bitmap"),
                                                PY_REQ_OBJ("source_bitmap_1"),
                                                PY_REQ_OBJ("source_bitmap_2"),
                                                PY_REQ_OBJ("colorspace"),
                                                PY_OPT_OBJ("factor_1"),
                                                PY_OPT_OBJ("factor_2"),
                                                PY_KW_OBJ("blendmode"),
                                                PY_KW_OBJ("skip_source1_index"),
                                                PY_KW_OBJ("skip_source2_index"),
                                                PY_KW_OBJ("mask"),
                                                PY_KW_OBJ("factor1"),
                                                PY_KW_OBJ("factor2"),
                                                PY_END};

static bool factor(const py_val_t *a, const py_val_t *other_name, const char *name, double *out)
{
    const py_val_t *which = a->given ? a : other_name;
    if (which->given && !py_to_float(which->obj, out))
        return false;
    if (!(*out >= 0 && *out <= 1))
        return py_fail(py_raise(PY_ValueError, "%s must be 0-1", name));
    return true;
}

static bool same_size(const adder_bitmap_t *a, const adder_bitmap_t *b)
{
    return a->width == b->width && a->height == b->height;
}

static bool is_565(int cs)
{
    return cs == ADDER_CS_RGB565 || cs == ADDER_CS_RGB565_SWAPPED || cs == ADDER_CS_BGR565 ||
           cs == ADDER_CS_BGR565_SWAPPED;
}

py_t bitmaptools_alphablend(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    adder_bitmap_t *one = dest ? bitmaptools_bitmap(a[1].obj, "source_bitmap_1") : NULL;
    adder_bitmap_t *two = one ? bitmaptools_bitmap(a[2].obj, "source_bitmap_2") : NULL;
    adder_alphablend_t how = {0};
    int colorspace, mode = ADDER_BLEND_NORMAL;
    double factor_1 = 0.5;
    if (two == NULL || !py_enum_arg(a[AB_COLORSPACE].obj, &colorspace_enum, "colorspace", &colorspace) ||
        !factor(&a[AB_FACTOR_1], &a[AB_FACTOR1], "factor_1", &factor_1))
        return PY_NULL;
    double factor_2 = 1 - factor_1;
    if (!factor(&a[AB_FACTOR_2], &a[AB_FACTOR2], "factor_2", &factor_2) ||
        (a[AB_MODE].given && !py_enum_arg(a[AB_MODE].obj, &blendmode_enum, "blendmode", &mode)) ||
        !bitmaptools_index(&a[AB_SKIP_1], &how.skip_1) || !bitmaptools_index(&a[AB_SKIP_2], &how.skip_2) ||
        (a[AB_MASK].given && (how.mask = bitmaptools_bitmap(a[AB_MASK].obj, "mask")) == NULL))
        return PY_NULL;
    if (!same_size(dest, one) || !same_size(dest, two) || (how.mask != NULL && !same_size(dest, how.mask)))
        return py_raise(PY_ValueError, "bitmap sizes must match");
    if (how.mask != NULL && how.mask->bits != 8)
        return py_raise(PY_ValueError, "Mask must be 8-bit");
    if (dest->bits != one->bits || dest->bits != two->bits)
        return py_raise(PY_ValueError, "Bitmaps must have the same bits_per_value");
    if (colorspace == ADDER_CS_L8 && dest->bits != 8)
        return py_raise(PY_ValueError, "For L8 colorspace, input bitmap must have 8 bits per pixel");
    if (colorspace != ADDER_CS_L8 && !is_565(colorspace))
        return py_raise(PY_ValueError, "Unsupported colorspace");
    if (is_565(colorspace) && dest->bits != 16)
        return py_raise(PY_ValueError, "For RGB colorspaces, input bitmap must have 16 bits per pixel");
    how.colorspace = (adder_colorspace_t)colorspace;
    how.mode = (adder_blend_t)mode;
    how.factor_1 = (uint16_t)(factor_1 * 256);
    how.factor_2 = (uint16_t)(factor_2 * 256);
    return bitmaptools_done(adder_alphablend(dest, one, two, &how), "alphablend");
}

/* ---- dither ---- */

static const char *const dithers[] = {"Atkinson", "FloydStenberg", NULL};
const py_enum_t dither_enum = {.module = "bitmaptools", .name = "DitherAlgorithm", .values = dithers};

const py_arg_t bitmaptools_dither_args[] = {PY_REQ_OBJ("dest_bitmap"), PY_REQ_OBJ("source_bitmap"),
                                            PY_REQ_OBJ("source_colorspace"), PY_OPT_OBJ("algorithm"), PY_END};

py_t bitmaptools_dither(const py_val_t *a)
{
    adder_bitmap_t *dest = bitmaptools_dest(a[0].obj, "dest_bitmap");
    adder_bitmap_t *source = dest ? bitmaptools_bitmap(a[1].obj, "source_bitmap") : NULL;
    int colorspace, algorithm = ADDER_DITHER_ATKINSON;
    if (source == NULL || !py_enum_arg(a[2].obj, &colorspace_enum, "source_colorspace", &colorspace) ||
        (a[3].given && !py_enum_arg(a[3].obj, &dither_enum, "algorithm", &algorithm)))
        return PY_NULL;
    if (!same_size(dest, source))
        return py_raise(PY_ValueError, "bitmap sizes must match");
    if (is_565(colorspace) && source->bits != 16)
        return py_raise(PY_ValueError, "source_bitmap must have 65536 values");
    if (colorspace == ADDER_CS_L8 && source->bits != 8)
        return py_raise(PY_ValueError, "source_bitmap must have value_count of 256");
    if (colorspace != ADDER_CS_L8 && !is_565(colorspace))
        return py_raise(PY_ValueError, "unsupported colorspace for dither");
    if (dest->bits != 1 && dest->bits != 16)
        return py_raise(PY_ValueError, "dest_bitmap must have value_count of 2 or 65536");
    size_t words = ADDER_DITHER_WORDS(dest->width);
    int16_t *scratch = py_alloc(words * sizeof *scratch);
    if (scratch == NULL)
        return PY_NULL;
    adder_err_t err =
        adder_dither(dest, source, (adder_colorspace_t)colorspace, (adder_dither_t)algorithm, scratch, words);
    py_free(scratch);
    return bitmaptools_done(err, "dither");
}
