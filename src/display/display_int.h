/* What the files of src/display share. */
#ifndef ADDER_DISPLAY_INT_H
#define ADDER_DISPLAY_INT_H

#include "adder/display/scene.h"

/* ---- memory as pixels ---- */

/* A bitmap's or buffer's bytes read as 16-bit pixels, whatever type the caller declared them with. */
#if defined(__GNUC__)
typedef uint16_t __attribute__((may_alias)) px16_t;
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
typedef uint16_t px16_t;
#define ALWAYS_INLINE static inline
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define MACHINE_IS_BIG_ENDIAN 1
#else
#define MACHINE_IS_BIG_ENDIAN 0
#endif

ALWAYS_INLINE uint16_t swap16(uint32_t v)
{
    return (uint16_t)((v << 8 | (v >> 8 & 0xFFu)) & 0xFFFFu);
}

static inline const px16_t *row16(const uint8_t *row)
{
    return (const px16_t *)(const void *)row;
}
static inline px16_t *row16_mut(uint8_t *row)
{
    return (px16_t *)(void *)row;
}

/* The value at x of a row; x inside. */
ALWAYS_INLINE uint32_t pixel_of(const uint8_t *row, unsigned bits, uint32_t x)
{
    switch (bits) {
    case 1:
        return (uint32_t)row[x >> 3] >> (7u - (x & 7u)) & 1u;
    case 2:
        return (uint32_t)row[x >> 2] >> (6u - 2u * (x & 3u)) & 3u;
    case 4:
        return (uint32_t)row[x >> 1] >> (4u - 4u * (x & 1u)) & 15u;
    case 8:
        return row[x];
    default:
        return row16(row)[x];
    }
}

static inline const uint8_t *bitmap_row(const adder_bitmap_t *b, uint32_t y)
{
    return b->pixels + (size_t)b->stride * y;
}

static inline uint8_t *bitmap_row_mut(adder_bitmap_t *b, uint32_t y)
{
    return b->priv.writable + (size_t)b->stride * y;
}

/* Store without any check but the value's; no dirty mark. */
ALWAYS_INLINE void pixel_put(uint8_t *row, unsigned bits, uint32_t x, uint32_t value)
{
    if (bits == 16) {
        row16_mut(row)[x] = (uint16_t)value;
        return;
    }
    if (bits == 8) {
        row[x] = (uint8_t)value;
        return;
    }
    const unsigned per_byte = 8u / bits;
    const unsigned shift = 8u - bits - bits * (x % per_byte);
    const unsigned mask = ((1u << bits) - 1u) << shift;
    uint8_t *p = &row[x / per_byte];
    *p = (uint8_t)((*p & ~mask) | ((value << shift) & mask));
}

/* ---- colours ---- */

/* Make the palette's cached native colours fit the format. Transparent ones are ADDER_COLOR_TRANSPARENT. */
void palette_prepare(adder_palette_t *p, const adder_pixel_format_t *format);
uint32_t shader_revision(const adder_shader_t *s);
/* No value of `bits` bits (32: any) is transparent. */
bool shader_opaque(const adder_shader_t *s, unsigned bits);
/* The one colour of a vector shape, dithered as at source position 0, 0 (CircuitPython's way);
 * ADDER_COLOR_TRANSPARENT if it is. */
uint32_t shader_solid(const adder_shader_t *s, const adder_pixel_format_t *format, uint32_t value);

/* ---- layers ---- */

enum {
    LAYER_TOUCHED = 1,   /* repaint whole, whatever the comparison says */
    LAYER_VISIBLE = 2,   /* neither it nor a group above is hidden (as of the last layout) */
    GROUP_HAS_SHOWN = 4, /* something below may have a `shown` area */
};

static inline adder_group_t *as_group(adder_layer_t *l)
{
    return (adder_group_t *)(void *)l;
}
static inline adder_tilegrid_t *as_tilegrid(adder_layer_t *l)
{
    return (adder_tilegrid_t *)(void *)l;
}
static inline adder_shape_t *as_shape(adder_layer_t *l)
{
    return (adder_shape_t *)(void *)l;
}

/* The next layer toward the front in the tree under `top`, NULL at the end; `enter` false: not into l. */
adder_layer_t *layer_walk_front(const adder_layer_t *top, adder_layer_t *l, bool enter);
adder_layer_t *layer_walk_back(const adder_layer_t *top, adder_layer_t *l, bool enter);

/* A box cut to what an adder_area_t holds. */
adder_area_t area_clamp(int64_t x1, int64_t y1, int64_t x2, int64_t y2);

/* The content of a tilegrid is its pixels in order, each `scale` wide and high. It is mirrored (flip_x,
 * flip_y), then its axes are exchanged (transpose_xy), then it is placed at left, top. */
typedef struct {
    int64_t width, height;
} content_size_t;
content_size_t tilegrid_content(const adder_tilegrid_t *t);
uint16_t tilegrid_cell(const adder_tilegrid_t *t, uint32_t x, uint32_t y);

/* Footprint on the screen from priv.left, priv.top, priv.scale. */
adder_area_t tilegrid_footprint(const adder_tilegrid_t *t);
adder_area_t shape_footprint(const adder_layer_t *l);
/* Report what must be repainted though the footprint is the same, and note it as seen. */
typedef void (*area_sink_t)(void *ctx, const adder_area_t *screen_area);
void tilegrid_changes(adder_tilegrid_t *t, bool all, area_sink_t sink, void *ctx);
void shape_changes(adder_shape_t *s, bool all, area_sink_t sink, void *ctx);
void shape_settle(adder_shape_t *s);
/* After a collect: nothing of this source is unseen by those who looked. */
void tilegrid_settle(adder_tilegrid_t *t);
/* Every pixel of the area (inside the footprint) is opaque. False when in doubt. */
bool tilegrid_covers(const adder_tilegrid_t *t);
bool shape_covers(const adder_shape_t *s, const adder_area_t *screen_area,
                  const adder_pixel_format_t *format);

uint32_t source_revision(const adder_source_t *s);
bool source_size(const adder_source_t *s, uint16_t *width_out, uint16_t *height_out, unsigned *bits_out);

/* ---- painting ---- */

/* A rectangle being painted. The pixel of screen (x, y) has index origin + x * step_x + y * step_y in the
 * buffer, which is how rotation costs nothing. */
typedef struct {
    uint8_t *out;
    const adder_pixel_format_t *format;
    adder_area_t screen; /* what is painted, on the screen */
    int32_t width;       /* pixels in a row of the buffer */
    int32_t origin, step_x, step_y;
    /* Where a byte holds a piece of a column, indices count rows of 1 << row_shift pixels (at least width),
     * so that row and column come from an index without a division. */
    uint8_t row_shift;
    uint8_t byte_shift; /* depth below 8: log2 of the pixels in a byte */
} canvas_t;

void canvas_put(const canvas_t *c, int32_t index, uint32_t native);
/* A rectangle of the screen, inside c->screen, in one colour. */
void canvas_fill(const canvas_t *c, const adder_area_t *screen_area, uint32_t native);
/* Paint the part of the layer inside c->screen. */
void tilegrid_paint(adder_tilegrid_t *t, const canvas_t *c);
void shape_paint(adder_shape_t *s, const canvas_t *c);

#endif
