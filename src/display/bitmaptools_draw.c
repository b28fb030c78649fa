/* bitmaptools: lines, circles, fills, copies. */
#include <string.h>

#include "adder/display/bitmaptools.h"
#include "adder/display/shapes.h"
#include "display_int.h"

/* ---- regions ---- */

static bool inside(const adder_area_t *a, const adder_bitmap_t *b)
{
    return a->x1 >= 0 && a->y1 >= 0 && a->x1 <= a->x2 && a->y1 <= a->y2 && a->x2 <= b->width &&
           a->y2 <= b->height;
}

adder_err_t adder_fill_region(adder_bitmap_t *dest, adder_area_t area, uint32_t value)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if (!inside(&area, dest))
        return ADDER_ERR_RANGE;
    for (int32_t y = area.y1; y < area.y2; y++) {
        uint8_t *row = bitmap_row_mut(dest, (uint32_t)y);
        if (dest->bits == 8) {
            memset(row + area.x1, (int)(value & 0xFFu), (size_t)(area.x2 - area.x1));
            continue;
        }
        for (int32_t x = area.x1; x < area.x2; x++)
            pixel_put(row, dest->bits, (uint32_t)x, value);
    }
    adder_bitmap_dirty(dest, &area);
    return ADDER_OK;
}

adder_err_t adder_blit(adder_bitmap_t *dest, const adder_bitmap_t *src, int16_t x, int16_t y,
                       adder_area_t from, int32_t skip_source, int32_t skip_dest)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if (src->pixels == NULL || src->bits > dest->bits)
        return ADDER_ERR_ARG;
    if (x < 0 || y < 0 || x > dest->width || y > dest->height || !inside(&from, src))
        return ADDER_ERR_RANGE;
    int32_t w = from.x2 - from.x1, h = from.y2 - from.y1;
    if (w > dest->width - x)
        w = dest->width - x;
    if (h > dest->height - y)
        h = dest->height - y;
    /* Within one bitmap: go away from what is still to be read. */
    const bool up = y > from.y1, leftwards = x > from.x1;
    for (int32_t j = 0; j < h; j++) {
        const int32_t dy = up ? h - 1 - j : j;
        const uint8_t *in = bitmap_row(src, (uint32_t)(from.y1 + dy));
        uint8_t *out = bitmap_row_mut(dest, (uint32_t)(y + dy));
        if (src->bits == 8 && dest->bits == 8 && skip_source < 0 && skip_dest < 0) {
            memmove(out + x, in + from.x1, (size_t)w);
            continue;
        }
        for (int32_t i = 0; i < w; i++) {
            const int32_t dx = leftwards ? w - 1 - i : i;
            const uint32_t v = pixel_of(in, src->bits, (uint32_t)(from.x1 + dx));
            if ((int32_t)v == skip_source ||
                (skip_dest >= 0 && (int32_t)pixel_of(out, dest->bits, (uint32_t)(x + dx)) == skip_dest))
                continue;
            pixel_put(out, dest->bits, (uint32_t)(x + dx), v);
        }
    }
    if (w > 0 && h > 0)
        adder_bitmap_dirty(dest, &(adder_area_t){x, y, (int16_t)(x + w), (int16_t)(y + h)});
    return ADDER_OK;
}

void adder_replace_color(adder_bitmap_t *b, uint32_t old_value, uint32_t new_value)
{
    if (!adder_bitmap_writable(b))
        return;
    for (uint32_t y = 0; y < b->height; y++) {
        uint8_t *row = bitmap_row_mut(b, y);
        for (uint32_t x = 0; x < b->width; x++)
            if (pixel_of(row, b->bits, x) == old_value)
                pixel_put(row, b->bits, x, new_value);
    }
    adder_bitmap_dirty(b, &(adder_area_t){0, 0, (int16_t)b->width, (int16_t)b->height});
}

adder_err_t adder_arrayblit(adder_bitmap_t *b, const void *data, size_t element_size, size_t count,
                            adder_area_t area, int32_t skip_index)
{
    if (!adder_bitmap_writable(b))
        return ADDER_ERR_READ_ONLY;
    if (!inside(&area, b))
        return ADDER_ERR_RANGE;
    if (element_size != 1 && element_size != 2 && element_size != 4)
        return ADDER_ERR_ARG;
    if (count < adder_area_size(&area))
        return ADDER_ERR_END;
    const uint8_t *p = data;
    for (int32_t y = area.y1; y < area.y2; y++)
        for (int32_t x = area.x1; x < area.x2; x++, p += element_size) {
            uint32_t v = *p;
            uint16_t half;
            if (element_size == 2) {
                memcpy(&half, p, 2);
                v = half;
            } else if (element_size == 4) {
                memcpy(&v, p, 4);
            }
            if (skip_index < 0 || v != (uint32_t)skip_index)
                pixel_put(bitmap_row_mut(b, (uint32_t)y), b->bits, (uint32_t)x, v & adder_bitmap_max(b));
        }
    adder_bitmap_dirty(b, &area);
    return ADDER_OK;
}

/* ---- rows of files ---- */

static bool readinto_ok(const adder_readinto_t *r)
{
    const uint8_t bpp = r->bits_per_pixel, e = r->element_size;
    return (e == 1 || e == 2 || e == 4) &&
           (bpp == 1 || bpp == 2 || bpp == 4 || bpp == 8 || bpp == 16 || bpp == 24 || bpp == 32);
}

size_t adder_readinto_row_bytes(const adder_readinto_t *r, uint16_t width)
{
    if (!readinto_ok(r))
        return 0;
    const size_t element_bits = (size_t)r->element_size * 8u;
    return ((size_t)width * r->bits_per_pixel + element_bits - 1u) / element_bits * r->element_size;
}

static void swap_elements(uint8_t *row, size_t len, unsigned size)
{
    for (size_t at = 0; at + size <= len; at += size)
        for (unsigned i = 0; i < size / 2; i++) {
            const uint8_t keep = row[at + i];
            row[at + i] = row[at + size - 1 - i];
            row[at + size - 1 - i] = keep;
        }
}

static uint32_t file_pixel(const uint8_t *row, const adder_readinto_t *r, uint32_t x)
{
    const unsigned bpp = r->bits_per_pixel;
    const uint8_t *p = row + (size_t)x * (bpp / 8u);
    uint16_t half;
    uint32_t word;
    switch (bpp) {
    case 8:
        return p[0];
    case 16:
        memcpy(&half, p, sizeof half);
        return half;
    case 24:
        return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    case 32:
        memcpy(&word, p, sizeof word);
        return word;
    default:
        break;
    }
    const unsigned per_byte = 8u / bpp;
    unsigned slot = x % per_byte; /* the first pixel is in the low bits unless reversed */
    if (r->reverse_pixels_in_element)
        slot = per_byte - 1u - slot;
    return (uint32_t)row[x / per_byte] >> (slot * bpp) & ((1u << bpp) - 1u);
}

adder_err_t adder_readinto_row(adder_bitmap_t *b, uint16_t y, const adder_readinto_t *r, uint8_t *row,
                               size_t row_len)
{
    const size_t need = adder_readinto_row_bytes(r, b->width);
    if (!readinto_ok(r) || y >= b->height)
        return ADDER_ERR_ARG;
    if (!adder_bitmap_writable(b))
        return ADDER_ERR_READ_ONLY;
    if (row_len < need)
        return ADDER_ERR_END;
    if (r->swap_bytes_in_element)
        swap_elements(row, need, r->element_size);
    for (uint32_t x = 0; x < b->width; x++)
        pixel_put(bitmap_row_mut(b, y), b->bits, x, file_pixel(row, r, x) & adder_bitmap_max(b));
    adder_bitmap_dirty(b, &(adder_area_t){0, (int16_t)y, (int16_t)b->width, (int16_t)(y + 1)});
    return ADDER_OK;
}

/* ---- lines ---- */

static int32_t absolute(int32_t v)
{
    return v < 0 ? -v : v;
}

static void swap_numbers(int32_t *a, int32_t *b)
{
    const int32_t keep = *a;
    *a = *b;
    *b = keep;
}

static void pen_down(adder_bitmap_t *b, int32_t x, int32_t y, int32_t pen, uint32_t value)
{
    if (pen == 1) {
        adder_bitmap_set(b, x, y, value);
        return;
    }
    const adder_area_t dot = area_clamp(x, y, (int64_t)x + pen, (int64_t)y + pen);
    adder_area_t inside;
    if (adder_area_intersect(&dot, &(adder_area_t){0, 0, (int16_t)b->width, (int16_t)b->height}, &inside))
        ADDER_IGNORE(adder_fill_region(b, inside, value & adder_bitmap_max(b)),
                     "inside; read-only stays as it is");
}

void adder_draw_stroke(adder_bitmap_t *dest, int32_t x1, int32_t y1, int32_t x2, int32_t y2, uint32_t width,
                       uint32_t value)
{
    /* Bresenham from left to right (steep: top to bottom) with the remainder starting at half. */
    const bool steep = absolute(y2 - y1) > absolute(x2 - x1);
    const int32_t pen = width == 0 ? 1 : width > 32767u ? 32767 : (int32_t)width;
    if (steep) {
        swap_numbers(&x1, &y1);
        swap_numbers(&x2, &y2);
    }
    if (x1 > x2) {
        swap_numbers(&x1, &x2);
        swap_numbers(&y1, &y2);
    }
    const int32_t dx = x2 - x1, dy = absolute(y2 - y1), step = y1 < y2 ? 1 : -1;
    int32_t rest = dx / 2;
    for (int32_t x = x1, y = y1; x <= x2; x++) {
        pen_down(dest, steep ? y : x, steep ? x : y, pen, value);
        rest -= dy;
        if (rest < 0) {
            y += step;
            rest += dx;
        }
    }
}

void adder_draw_line(adder_bitmap_t *dest, int32_t x1, int32_t y1, int32_t x2, int32_t y2, uint32_t value)
{
    adder_draw_stroke(dest, x1, y1, x2, y2, 1, value);
}

void adder_draw_polygon(adder_bitmap_t *dest, const int32_t *xs, const int32_t *ys, size_t count, bool close,
                        uint32_t value)
{
    for (size_t i = 1; i < count; i++)
        adder_draw_line(dest, xs[i - 1], ys[i - 1], xs[i], ys[i], value);
    if (close && count > 0)
        adder_draw_line(dest, xs[count - 1], ys[count - 1], xs[0], ys[0], value);
}

void adder_draw_circle(adder_bitmap_t *dest, int32_t x, int32_t y, int32_t radius, uint32_t value)
{
    int32_t d = 3 - 2 * radius, b = radius;
    for (int32_t a = 0; a <= b; a++) { /* one eighth, mirrored */
        for (unsigned i = 0; i < 8; i++) {
            const int32_t u = (i & 4u) != 0 ? b : a, v = (i & 4u) != 0 ? a : b;
            adder_bitmap_set(dest, (i & 1u) != 0 ? x - u : x + u, (i & 2u) != 0 ? y - v : y + v, value);
        }
        if (d <= 0) {
            d += 4 * a + 6;
        } else {
            d += 4 * (a - b) + 10;
            b--;
        }
    }
}

/* ---- boundary fill ---- */

/* Scan-line fill with a short stack. Where the stack is too short a seed is lost; the bits of `done` (pixels
 * this fill has painted) tell, in a sweep over the bitmap, where one is missing. So memory is fixed whatever
 * the shape: one bit per pixel and 64 seeds. */
#define SEEDS 64

typedef struct {
    adder_bitmap_t *b;
    uint8_t *done;
    uint32_t fill, replaced;
    adder_area_t box;
    bool lost;
    unsigned count;
    adder_point_t seeds[SEEDS];
} fill_t;

static bool is_open(const fill_t *f, int32_t x, int32_t y)
{
    if (x < 0 || y < 0 || x >= f->b->width || y >= f->b->height)
        return false;
    return pixel_of(bitmap_row(f->b, (uint32_t)y), f->b->bits, (uint32_t)x) == f->replaced;
}

static bool is_done(const fill_t *f, int32_t x, int32_t y)
{
    if (x < 0 || y < 0 || x >= f->b->width || y >= f->b->height)
        return false;
    const size_t i = (size_t)y * f->b->width + (size_t)x;
    return (f->done[i / 8] >> (i % 8) & 1) != 0;
}

static void push(fill_t *f, int32_t x, int32_t y)
{
    if (f->count == SEEDS) {
        f->lost = true;
        return;
    }
    f->seeds[f->count++] = (adder_point_t){(int16_t)x, (int16_t)y};
}

static void fill_span(fill_t *f, int32_t x, int32_t y)
{
    if (!is_open(f, x, y))
        return;
    int32_t left = x, right = x + 1;
    while (is_open(f, left - 1, y))
        left--;
    while (is_open(f, right, y))
        right++;
    uint8_t *row = bitmap_row_mut(f->b, (uint32_t)y);
    for (int32_t at = left; at < right; at++) {
        pixel_put(row, f->b->bits, (uint32_t)at, f->fill);
        const size_t i = (size_t)y * f->b->width + (size_t)at;
        f->done[i / 8] = (uint8_t)(f->done[i / 8] | 1u << (i % 8));
    }
    adder_area_unite(&f->box, &(adder_area_t){(int16_t)left, (int16_t)y, (int16_t)right, (int16_t)(y + 1)});
    for (int32_t next = y - 1; next <= y + 1; next += 2)
        for (int32_t at = left; at < right; at++)
            if (is_open(f, at, next) && (at == left || !is_open(f, at - 1, next)))
                push(f, at, next); /* the start of each open run touching the span */
}

static void drain(fill_t *f)
{
    while (f->count > 0) {
        const adder_point_t p = f->seeds[--f->count];
        fill_span(f, p.x, p.y);
    }
}

adder_err_t adder_boundary_fill(adder_bitmap_t *dest, int32_t x, int32_t y, uint32_t fill, int32_t replaced,
                                uint8_t *scratch, size_t scratch_len)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if (x < 0 || y < 0 || x >= dest->width || y >= dest->height)
        return ADDER_ERR_RANGE;
    const size_t need = ADDER_BOUNDARY_FILL_BYTES(dest->width, dest->height);
    if (scratch_len < need)
        return ADDER_ERR_NOSPACE;
    fill_t f = {.b = dest, .done = scratch, .fill = fill & adder_bitmap_max(dest)};
    f.replaced = replaced < 0 ? adder_bitmap_get(dest, x, y) : (uint32_t)replaced;
    if (f.fill == f.replaced)
        return ADDER_OK;
    memset(scratch, 0, need);
    push(&f, x, y);
    drain(&f);
    while (f.lost) {
        f.lost = false;
        for (int32_t row = 0; row < dest->height; row++)
            for (int32_t at = 0; at < dest->width; at++)
                if (is_open(&f, at, row) && (is_done(&f, at, row - 1) || is_done(&f, at, row + 1) ||
                                             is_done(&f, at - 1, row) || is_done(&f, at + 1, row))) {
                    push(&f, at, row);
                    drain(&f);
                }
    }
    adder_bitmap_dirty(dest, &f.box);
    return ADDER_OK;
}
