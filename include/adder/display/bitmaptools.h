/* bitmaptools: drawing into bitmaps.
 *
 *     adder_draw_line(&b, 0, 0, 31, 15, 1);
 *     adder_err_t err = adder_fill_region(&b, (adder_area_t){2, 2, 8, 8}, 3);
 *
 * All mark what they change dirty, cut at the bitmap's edges, and take values reduced to the bitmap's
 * bits unless said otherwise. Destinations must be writable, else ADDER_ERR_READ_ONLY (void functions
 * then do nothing). No heap: what needs room gets it from the caller. */
#ifndef ADDER_DISPLAY_BITMAPTOOLS_H
#define ADDER_DISPLAY_BITMAPTOOLS_H

#include "adder/display/bitmap.h"
#include "adder/display/color.h"
#include "adder/display/layer.h"

#define ADDER_NO_INDEX (-1) /* "skip no value" */

/* ADDER_ERR_RANGE: not 0 <= x1 <= x2 <= width (y alike). */
adder_err_t adder_fill_region(adder_bitmap_t *dest, adder_area_t area, uint32_t value) ADDER_MUST_USE;

/* Copy `from` of src to x, y of dest, cut right and bottom; safe when src is dest. skip_*: a source value
 * not copied, a destination value not overwritten, or ADDER_NO_INDEX.
 * ADDER_ERR_ARG: src has more bits per value. ADDER_ERR_RANGE: x, y or `from` outside. */
adder_err_t adder_blit(adder_bitmap_t *dest, const adder_bitmap_t *src, int16_t x, int16_t y,
                       adder_area_t from, int32_t skip_source, int32_t skip_dest) ADDER_MUST_USE;

/* Both ends included. */
void adder_draw_line(adder_bitmap_t *dest, int32_t x1, int32_t y1, int32_t x2, int32_t y2, uint32_t value);
void adder_draw_circle(adder_bitmap_t *dest, int32_t x, int32_t y, int32_t radius, uint32_t value);
void adder_draw_polygon(adder_bitmap_t *dest, const int32_t *xs, const int32_t *ys, size_t count, bool close,
                        uint32_t value);

/* 4-connected fill of the `replaced` pixels around x, y; replaced == ADDER_NO_INDEX means the value found
 * there. `scratch`: ADDER_BOUNDARY_FILL_BYTES, any content.
 * ADDER_ERR_RANGE: x, y outside. ADDER_ERR_NOSPACE: scratch too small. */
#define ADDER_BOUNDARY_FILL_BYTES(width, height) (((size_t)(width) * (size_t)(height) + 7u) / 8u)
adder_err_t adder_boundary_fill(adder_bitmap_t *dest, int32_t x, int32_t y, uint32_t fill, int32_t replaced,
                                uint8_t *scratch, size_t scratch_len) ADDER_MUST_USE;

void adder_replace_color(adder_bitmap_t *bitmap, uint32_t old_value, uint32_t new_value);

/* Rotate by an angle (clockwise, given as sine and cosine: the core has no libm) and scale around a point:
 * source point (px, py) lands on dest point (ox, oy). Clips are end-exclusive. Nearest neighbour by inverse
 * mapping, truncating. ADDER_ERR_ARG: source has more bits per value, or scale is 0 or less. */
typedef struct {
    int16_t ox, oy;
    adder_area_t dest_clip;
    int16_t px, py;
    adder_area_t source_clip;
    float sine, cosine, scale;
    int32_t skip_index; /* or ADDER_NO_INDEX */
} adder_rotozoom_t;
/* Centre of both, full clips, angle 0, scale 1, nothing skipped. */
void adder_rotozoom_defaults(adder_rotozoom_t *r, const adder_bitmap_t *dest, const adder_bitmap_t *source);
adder_err_t adder_rotozoom(adder_bitmap_t *dest, const adder_bitmap_t *source,
                           const adder_rotozoom_t *r) ADDER_MUST_USE;

/* `area` from an array of 1-, 2- or 4-byte elements of the machine, row by row.
 * ADDER_ERR_RANGE: area outside. ADDER_ERR_END: too little data, nothing drawn. */
adder_err_t adder_arrayblit(adder_bitmap_t *bitmap, const void *data, size_t element_size, size_t count,
                            adder_area_t area, int32_t skip_index) ADDER_MUST_USE;

/* One row of packed pixels as readinto() gets it from a file. */
typedef struct {
    uint8_t bits_per_pixel; /* 1, 2, 4, 8, 16, 24, 32 */
    uint8_t element_size;   /* 1, 2, 4 bytes: rows are padded to it */
    bool reverse_pixels_in_element;
    bool swap_bytes_in_element;
} adder_readinto_t;
/* Bytes of one row; 0 when the description is not possible. */
size_t adder_readinto_row_bytes(const adder_readinto_t *r, uint16_t width);
/* `row` is changed (bytes swapped in place). ADDER_ERR_END: row_len below row_bytes(). ADDER_ERR_ARG. */
adder_err_t adder_readinto_row(adder_bitmap_t *bitmap, uint16_t y, const adder_readinto_t *r, uint8_t *row,
                               size_t row_len) ADDER_MUST_USE;

typedef enum { ADDER_BLEND_NORMAL, ADDER_BLEND_SCREEN } adder_blend_t;

typedef struct {
    adder_colorspace_t colorspace; /* L8 with 8 bits; RGB565, BGR565 and swapped with 16 */
    uint16_t factor_1, factor_2;   /* of 256 */
    adder_blend_t mode;
    int32_t skip_1, skip_2; /* values that count as transparent, or ADDER_NO_INDEX */
    /* 8 bits, or NULL. Scales factor_2 pixel by pixel, 255 = all of it; where it is 0, or skip_mask,
     * source 1 is copied as it is. */
    const adder_bitmap_t *mask;
    int32_t skip_mask; /* 0 or ADDER_NO_INDEX: none */
} adder_alphablend_t;
/* ADDER_ERR_ARG: bits do not suit the colourspace. ADDER_ERR_RANGE: sizes differ. */
adder_err_t adder_alphablend(adder_bitmap_t *dest, const adder_bitmap_t *source_1,
                             const adder_bitmap_t *source_2, const adder_alphablend_t *how) ADDER_MUST_USE;

typedef enum { ADDER_DITHER_ATKINSON, ADDER_DITHER_FLOYD_STENBERG } adder_dither_t;

#define ADDER_DITHER_WORDS(width) (3u * ((size_t)(width) + 4u))
/* To black and white by error diffusion, every second row backwards. dest 1 or 16 bits (0 and 65535);
 * source 8 bits L8 or 16 bits 565 family. `scratch`: ADDER_DITHER_WORDS(width) of int16_t.
 * ADDER_ERR_ARG, ADDER_ERR_RANGE (sizes differ), ADDER_ERR_NOSPACE. */
adder_err_t adder_dither(adder_bitmap_t *dest, const adder_bitmap_t *source, adder_colorspace_t colorspace,
                         adder_dither_t algorithm, int16_t *scratch, size_t scratch_words) ADDER_MUST_USE;

#endif
