/* bitmaptools: rotation, blending, dithering. */
#include <string.h>

#include "adder/display/bitmaptools.h"
#include "display_int.h"

/* ---- rotozoom ---- */

void adder_rotozoom_defaults(adder_rotozoom_t *r, const adder_bitmap_t *dest, const adder_bitmap_t *source)
{
    *r = (adder_rotozoom_t){
        .ox = (int16_t)(dest->width / 2),
        .oy = (int16_t)(dest->height / 2),
        .dest_clip = {0, 0, (int16_t)dest->width, (int16_t)dest->height},
        .px = (int16_t)(source->width / 2),
        .py = (int16_t)(source->height / 2),
        .source_clip = {0, 0, (int16_t)source->width, (int16_t)source->height},
        .cosine = 1,
        .scale = 1,
        .skip_index = ADDER_NO_INDEX,
    };
}

static int32_t to_int(float v)
{
    return v < -40000.0f ? -40000 : v > 40000.0f ? 40000 : (int32_t)v;
}

adder_err_t adder_rotozoom(adder_bitmap_t *dest, const adder_bitmap_t *source, const adder_rotozoom_t *r)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if (source->pixels == NULL || source->bits > dest->bits || !(r->scale > 0))
        return ADDER_ERR_ARG;
    const adder_area_t whole_dest = {0, 0, (int16_t)dest->width, (int16_t)dest->height};
    const adder_area_t whole_source = {0, 0, (int16_t)source->width, (int16_t)source->height};
    adder_area_t clip, from;
    if (!adder_area_intersect(&r->dest_clip, &whole_dest, &clip) ||
        !adder_area_intersect(&r->source_clip, &whole_source, &from))
        return ADDER_OK;

    /* Where the source's corners land bounds what has to be looked at. */
    int32_t x1 = clip.x2, y1 = clip.y2, x2 = clip.x1, y2 = clip.y1;
    for (unsigned i = 0; i < 4; i++) {
        const float u = (float)((i & 1u) != 0 ? source->width - r->px : -r->px) * r->scale;
        const float v = (float)((i & 2u) != 0 ? source->height - r->py : -r->py) * r->scale;
        const int32_t x = to_int(r->cosine * u - r->sine * v + (float)r->ox);
        const int32_t y = to_int(r->sine * u + r->cosine * v + (float)r->oy);
        x1 = x < x1 ? x : x1;
        x2 = x > x2 ? x : x2;
        y1 = y < y1 ? y : y1;
        y2 = y > y2 ? y : y2;
    }
    const adder_area_t box = area_clamp(x1, y1, (int64_t)x2 + 1, (int64_t)y2 + 1);
    if (!adder_area_intersect(&box, &clip, &clip))
        return ADDER_OK;

    /* Steps in the source for one pixel right (du_x, dv_x) and one down. */
    const float du_x = r->cosine / r->scale, dv_x = -(r->sine / r->scale);
    const float du_y = r->sine / r->scale, dv_y = r->cosine / r->scale;
    float row_u = (float)r->px - ((float)r->ox * du_x + (float)r->oy * du_y) + (float)clip.y1 * du_y;
    float row_v = (float)r->py - ((float)r->ox * dv_x + (float)r->oy * dv_y) + (float)clip.y1 * dv_y;
    for (int32_t y = clip.y1; y < clip.y2; y++, row_u += du_y, row_v += dv_y) {
        uint8_t *out = bitmap_row_mut(dest, (uint32_t)y);
        float u = row_u + (float)clip.x1 * du_x, v = row_v + (float)clip.x1 * dv_x;
        for (int32_t x = clip.x1; x < clip.x2; x++, u += du_x, v += dv_x) {
            if (!(u >= from.x1 && u < from.x2 && v >= from.y1 && v < from.y2))
                continue;
            const uint32_t value = pixel_of(bitmap_row(source, (uint32_t)v), source->bits, (uint32_t)u);
            if ((int32_t)value != r->skip_index)
                pixel_put(out, dest->bits, (uint32_t)x, value);
        }
    }
    adder_bitmap_dirty(dest, &clip);
    return ADDER_OK;
}

/* ---- alphablend ---- */

static bool is_565(adder_colorspace_t cs)
{
    return cs == ADDER_CS_RGB565 || cs == ADDER_CS_RGB565_SWAPPED || cs == ADDER_CS_BGR565 ||
           cs == ADDER_CS_BGR565_SWAPPED;
}

static bool is_swapped_565(adder_colorspace_t cs)
{
    return cs == ADDER_CS_RGB565_SWAPPED || cs == ADDER_CS_BGR565_SWAPPED;
}

/* One channel, 0..255 each; factors of 256. */
static uint32_t blend_channel(uint32_t a, uint32_t b, uint32_t f1, uint32_t f2, adder_blend_t mode)
{
    const uint32_t pa = a * f1, pb = b * f2;
    const uint32_t divisor = f1 + f2 - f1 * f2 / 256u;
    if (divisor == 0)
        return 0;
    /* The product of two 16-bit numbers just fits. */
    const uint32_t sum =
        mode == ADDER_BLEND_SCREEN ? pa + pb - pa * pb / 65536u : pb + pa * (256u - f2) / 256u;
    const uint32_t v = sum / divisor;
    return v > 255u ? 255u : v;
}

static uint32_t blend_565(uint32_t a, uint32_t b, const adder_alphablend_t *h, uint32_t f1, uint32_t f2)
{
    const uint32_t r = blend_channel(a >> 8 & 0xF8u, b >> 8 & 0xF8u, f1, f2, h->mode);
    const uint32_t g = blend_channel(a >> 3 & 0xFCu, b >> 3 & 0xFCu, f1, f2, h->mode);
    const uint32_t c = blend_channel(a << 3 & 0xF8u, b << 3 & 0xF8u, f1, f2, h->mode);
    return (r << 8 & 0xF800u) | (g << 3 & 0x07E0u) | (c >> 3 & 0x1Fu);
}

static uint32_t dim_565(uint32_t a, uint32_t f)
{
    return ((a & 0xF800u) * f / 256u & 0xF800u) | ((a & 0x07E0u) * f / 256u & 0x07E0u) |
           ((a & 0x1Fu) * f / 256u & 0x1Fu);
}

static bool same_size(const adder_bitmap_t *a, const adder_bitmap_t *b)
{
    return a->width == b->width && a->height == b->height && b->pixels != NULL;
}

static uint32_t blend_pixel(uint32_t dest, uint32_t a, uint32_t b, const adder_alphablend_t *h, uint32_t f2,
                            bool wide)
{
    const uint32_t f1 = h->factor_1;
    const bool use_a = h->skip_1 < 0 || a != (uint32_t)h->skip_1;
    const bool use_b = h->skip_2 < 0 || b != (uint32_t)h->skip_2;
    if (use_a && use_b)
        return wide ? blend_565(a, b, h, f1, f2) : blend_channel(a, b, f1, f2, h->mode);
    if (use_a)
        return wide ? dim_565(a, f1) : a * f1 / 256u;
    if (use_b)
        return wide ? dim_565(b, f2) : b * f2 / 256u;
    return dest;
}

adder_err_t adder_alphablend(adder_bitmap_t *dest, const adder_bitmap_t *s1, const adder_bitmap_t *s2,
                             const adder_alphablend_t *h)
{
    const bool wide = is_565(h->colorspace), swap = is_swapped_565(h->colorspace);
    const unsigned bits = wide ? 16 : 8;
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if ((!wide && h->colorspace != ADDER_CS_L8) || dest->bits != bits || s1->bits != bits ||
        s2->bits != bits || (h->mask != NULL && h->mask->bits != 8) || h->factor_1 > 256 || h->factor_2 > 256)
        return ADDER_ERR_ARG;
    if (!same_size(dest, s1) || !same_size(dest, s2) || (h->mask != NULL && !same_size(dest, h->mask)))
        return ADDER_ERR_RANGE;
    for (uint32_t y = 0; y < dest->height; y++) {
        uint8_t *out = bitmap_row_mut(dest, y);
        const uint8_t *in1 = bitmap_row(s1, y), *in2 = bitmap_row(s2, y);
        const uint8_t *mask = h->mask == NULL ? NULL : bitmap_row(h->mask, y);
        for (uint32_t x = 0; x < dest->width; x++) {
            uint32_t a = pixel_of(in1, bits, x), b = pixel_of(in2, bits, x), d = pixel_of(out, bits, x);
            if (swap) {
                a = swap16(a);
                b = swap16(b);
                d = swap16(d);
            }
            const uint32_t share = mask == NULL || (int32_t)mask[x] == h->skip_mask ? 0 : mask[x];
            uint32_t v;
            if (mask != NULL && share == 0)
                v = h->skip_1 >= 0 && a == (uint32_t)h->skip_1 ? d : a;
            else
                v = blend_pixel(d, a, b, h, mask == NULL ? h->factor_2 : h->factor_2 * share / 255u, wide);
            pixel_put(out, bits, x, swap ? swap16(v) : v);
        }
    }
    adder_bitmap_dirty(dest, &(adder_area_t){0, 0, (int16_t)dest->width, (int16_t)dest->height});
    return ADDER_OK;
}

/* ---- dither ---- */

typedef struct {
    int8_t dx, dy;
    uint8_t share; /* of 256 */
} term_t;

/* The pixel ahead gets its share through `err` itself; the rest lie where dx points against the scan. */
typedef struct {
    uint8_t ahead, count;
    term_t terms[4];
} diffusion_t;

static const diffusion_t diffusions[] = {
    [ADDER_DITHER_ATKINSON] = {32, 4, {{2, 0, 32}, {-1, 1, 32}, {0, 1, 32}, {0, 2, 32}}},
    [ADDER_DITHER_FLOYD_STENBERG] = {112, 3, {{-1, 1, 48}, {0, 1, 80}, {1, 1, 16}}},
};

#define MARGIN 2

/* Brightness of a source row. The weights make white 565 (248, 252, 248) exactly 255. */
static void load_row(int16_t *row, const adder_bitmap_t *b, adder_colorspace_t cs, uint32_t y)
{
    memset(row, 0, ((size_t)b->width + 2 * MARGIN) * sizeof *row);
    if (y >= b->height)
        return;
    const uint8_t *in = bitmap_row(b, y);
    for (uint32_t x = 0; x < b->width; x++) {
        uint32_t v = pixel_of(in, b->bits, x);
        if (b->bits == 16) {
            const uint32_t rgb = adder_color_to_rgb(cs, v);
            v = ((rgb >> 16) * 78u + (rgb >> 8 & 0xFFu) * 154u + (rgb & 0xFFu) * 29u) / 256u;
        }
        row[MARGIN + x] = (int16_t)v;
    }
}

adder_err_t adder_dither(adder_bitmap_t *dest, const adder_bitmap_t *source, adder_colorspace_t cs,
                         adder_dither_t algorithm, int16_t *scratch, size_t scratch_words)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if ((dest->bits != 1 && dest->bits != 16) ||
        (algorithm != ADDER_DITHER_ATKINSON && algorithm != ADDER_DITHER_FLOYD_STENBERG) ||
        !((source->bits == 8 && cs == ADDER_CS_L8) || (source->bits == 16 && is_565(cs))))
        return ADDER_ERR_ARG;
    if (!same_size(dest, source))
        return ADDER_ERR_RANGE;
    const size_t row_words = (size_t)dest->width + 2 * MARGIN;
    if (scratch_words < 3 * row_words)
        return ADDER_ERR_NOSPACE;
    const diffusion_t *how = &diffusions[algorithm];
    int16_t *rows[3] = {scratch, scratch + row_words, scratch + 2 * row_words};
    for (uint32_t i = 0; i < 3; i++)
        load_row(rows[i], source, cs, i);
    int32_t err = 0;
    for (uint32_t y = 0; y < dest->height; y++) {
        const int32_t way = y % 2 == 0 ? 1 : -1;
        uint8_t *out = bitmap_row_mut(dest, y);
        for (uint32_t i = 0; i < dest->width; i++) {
            const int32_t x = way > 0 ? (int32_t)i : (int32_t)(dest->width - 1u - i);
            const int32_t in = rows[0][MARGIN + x] + err;
            const bool white = in >= 128;
            pixel_put(out, dest->bits, (uint32_t)x, white ? 0xFFFFu : 0);
            err = in - (white ? 255 : 0);
            for (unsigned t = 0; t < how->count; t++) {
                int16_t *to = &rows[how->terms[t].dy][MARGIN + x + way * how->terms[t].dx];
                *to = (int16_t)(*to + how->terms[t].share * err / 256);
            }
            err = err * how->ahead / 256;
        }
        int16_t *free_row = rows[0];
        rows[0] = rows[1];
        rows[1] = rows[2];
        rows[2] = free_row;
        load_row(free_row, source, cs, y + 3);
    }
    adder_bitmap_dirty(dest, &(adder_area_t){0, 0, (int16_t)dest->width, (int16_t)dest->height});
    return ADDER_OK;
}
