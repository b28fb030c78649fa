/* BMP files, read row by row from wherever they lie (displayio.OnDiskBitmap).
 *
 *     adder_bmp_t bmp;
 *     uint8_t cache[1024];
 *     const char *why;
 *     adder_err_t err = adder_bmp_open(&bmp, file_read_at, file, cache, sizeof cache, &why);
 *     if (err == ADDER_OK && bmp.color_count > 0)
 *         err = adder_bmp_read_colors(&bmp, &palette, bmp.color_count);
 *
 * Accepts headers of 12, 40, 52, 56, 108 and 124 bytes; 1, 2, 4, 8, 16, 24 and 32 bits per pixel;
 * uncompressed or bitfields (565 and 555 at 16 bits, 8 bits per channel at 32); rows bottom-up or
 * top-down. Sides up to 32767. RLE and embedded PNG or JPEG are refused.
 *
 * Invariants under hostile bytes (bmp_fuzz.c asserts them): (1) no read outside `cache` or past what
 * read_at delivered; (2) every offset given to read_at comes from 64-bit arithmetic checked against
 * wrapping; (3) work per pixel row is bounded by its width. A truncated file shows as zeros and
 * `bmp.failed` tells of it.
 *
 * RAM on a 32-bit machine: the struct (56 bytes) and the cache. A cache of one padded row (bmp.stride) reads
 * each row once; a bigger one takes several rows at a time; a smaller one, of at least 64 bytes, works by
 * pieces. */
#ifndef ADDER_BMP_H
#define ADDER_BMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/display/color.h"
#include "adder/err.h"

#define ADDER_BMP_CACHE_MIN 64u

/* Exactly `len` bytes at `at`, or fewer at the end of the file: *n_out. Never called beyond 4 GiB. */
typedef adder_err_t (*adder_bmp_read_at_t)(void *ctx, uint32_t at, uint8_t *out, size_t len, size_t *n_out);

/* Members but `priv` may be read. */
typedef struct {
    uint16_t width, height;
    uint8_t bits; /* 1, 2, 4, 8 indexed; 16, 24, 32: values are RGB888 */
    bool top_down;
    uint16_t color_count; /* entries of the colour table, 0 when not indexed */
    uint32_t stride;      /* bytes of a row in the file */
    adder_err_t failed;   /* first error of reading pixels, ADDER_OK = none */
    struct {
        adder_bmp_read_at_t read_at;
        void *ctx;
        uint8_t *cache;
        size_t cache_cap;
        uint32_t pixels_at, colors_at;
        uint32_t window_at; /* file offset of cache[0] */
        uint32_t window_len;
        uint8_t color_bytes; /* 3 or 4 */
        bool is_565;
        uint32_t revision;
    } priv;
} adder_bmp_t;

/* Read and check the headers. `ctx` and `cache` are kept.
 *   why_out   NULL or where to put a constant text saying what is wrong with the file
 *   ADDER_ERR_FORMAT, ADDER_ERR_END      not a BMP, contradicting fields, file too short
 *   ADDER_ERR_UNSUPPORTED                RLE, unknown header or masks
 *   ADDER_ERR_ARG                        cache below ADDER_BMP_CACHE_MIN
 *   others                               from read_at, unchanged */
adder_err_t adder_bmp_open(adder_bmp_t *bmp, adder_bmp_read_at_t read_at, void *ctx, uint8_t *cache,
                           size_t cache_len, const char **why_out) ADDER_MUST_USE;
/* The first `count` colours of the table, 0x00RRGGBB, to entries of a palette (adder_palette_init first).
 * ADDER_ERR_RANGE: more than color_count. ADDER_ERR_END: table cut short. */
adder_err_t adder_bmp_read_colors(adder_bmp_t *bmp, adder_palette_t *palette, uint16_t count) ADDER_MUST_USE;
/* Values of `n` pixels of row y from column x: indices, or RGB888. Outside the bitmap: 0. */
void adder_bmp_read_row(adder_bmp_t *bmp, uint16_t x, uint16_t y, uint32_t *values_out, uint16_t n);
/* Another file now lies behind ctx (same header): drop what is cached and repaint. */
void adder_bmp_invalidate(adder_bmp_t *bmp);

#endif
