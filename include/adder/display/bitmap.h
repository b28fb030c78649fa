/* Rectangles and bitmaps of the display engine.
 *
 *     static uint32_t pixels[ADDER_BITMAP_WORDS(32, 16, 2)];      // 32x16, 2 bits per value
 *     adder_bitmap_t b;
 *     adder_err_t err = adder_bitmap_init(&b, 32, 16, 2, pixels, sizeof pixels);
 *     adder_bitmap_set(&b, 3, 4, 2);                              // and the change is remembered
 *
 * RAM on a 32-bit machine: the struct (36 bytes) and the caller's pixels: ceil(width*bits/32)*4*height bytes.
 */
#ifndef ADDER_DISPLAY_BITMAP_H
#define ADDER_DISPLAY_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* ---- rectangles ---- */

/* x1 <= x < x2, y1 <= y < y2; empty when x1 >= x2 or y1 >= y2. */
typedef struct {
    int16_t x1, y1, x2, y2;
} adder_area_t;

bool adder_area_empty(const adder_area_t *a);
uint32_t adder_area_size(const adder_area_t *a); /* pixels */
/* The overlap to *out (may be one of the inputs); false and an empty *out when there is none. */
bool adder_area_intersect(const adder_area_t *a, const adder_area_t *b, adder_area_t *out);
/* Grow *a to hold b too. Empty rectangles add nothing. */
void adder_area_unite(adder_area_t *a, const adder_area_t *b);
bool adder_area_contains(const adder_area_t *outer, const adder_area_t *inner);

/* ---- bitmaps ---- */

/* Rows are padded to 32 bits. Below 8 bits the leftmost pixel is in the most significant bits of
 * its byte; 16-bit values are uint16_t of the machine. */
#define ADDER_BITMAP_STRIDE(width, bits) ((((size_t)(width) * (size_t)(bits) + 31u) / 32u) * 4u)
#define ADDER_BITMAP_BYTES(width, height, bits) (ADDER_BITMAP_STRIDE(width, bits) * (size_t)(height))
#define ADDER_BITMAP_WORDS(width, height, bits) (ADDER_BITMAP_BYTES(width, height, bits) / 4u)

/* Members but `priv` may be read. */
typedef struct {
    uint16_t width, height; /* 0..32767 */
    uint32_t stride;        /* bytes a row */
    uint8_t bits;           /* per value: 1, 2, 4, 8, 16 */
    const uint8_t *pixels;  /* NULL after deinit */
    struct {
        uint8_t *writable; /* NULL = read-only */
        adder_area_t dirty;
        uint32_t revision; /* counts the times `dirty` began to grow */
        uint32_t base;     /* revision when `dirty` was last emptied */
    } priv;
} adder_bitmap_t;

/* 1, 2, 4, 8 or 16: the smallest that holds value_count - 1. value_count 1..65536, else 0. */
uint8_t adder_bitmap_bits_for(uint32_t value_count);

/* Use `pixels` (4-byte aligned, at least ADDER_BITMAP_BYTES, kept until deinit) as they are: clear
 * them first for a blank bitmap. The whole bitmap starts dirty.
 *   ADDER_ERR_ARG      bits not 1, 2, 4, 8 or 16; a side above 32767; pixels not aligned
 *   ADDER_ERR_NOSPACE  pixels_len too small */
adder_err_t adder_bitmap_init(adder_bitmap_t *b, uint16_t width, uint16_t height, uint8_t bits, void *pixels,
                              size_t pixels_len) ADDER_MUST_USE;
/* The same over constant pixels (fonts, images in flash): reading only. */
adder_err_t adder_bitmap_init_const(adder_bitmap_t *b, uint16_t width, uint16_t height, uint8_t bits,
                                    const void *pixels, size_t pixels_len) ADDER_MUST_USE;
/* Forget the pixels, which are the caller's again. Layers that show the bitmap draw nothing. */
void adder_bitmap_deinit(adder_bitmap_t *b);

static inline bool adder_bitmap_writable(const adder_bitmap_t *b)
{
    return b->priv.writable != NULL;
}
static inline uint32_t adder_bitmap_max(const adder_bitmap_t *b)
{
    return (1u << b->bits) - 1u;
}

/* 0 outside. */
uint32_t adder_bitmap_get(const adder_bitmap_t *b, int32_t x, int32_t y);
/* Nothing happens outside or on a read-only bitmap; the value is cut to `bits`. Marks dirty. */
void adder_bitmap_set(adder_bitmap_t *b, int32_t x, int32_t y, uint32_t value);
void adder_bitmap_fill(adder_bitmap_t *b, uint32_t value);
/* Remember a change made through the pixels. Cut to the bitmap. */
void adder_bitmap_dirty(adder_bitmap_t *b, const adder_area_t *area);

#endif
