/* Shapes drawn into bitmaps: frames, round corners, thick lines, triangles, plotted values.
 *
 *     adder_draw_frame(&b, 2, 1, 0);                                         // a border of 1, two pixels
 * wide adder_draw_round_rect(&b, &(adder_round_rect_t){8, 1, 1, 2});          // radius 8, line 1, inside 2
 *     adder_draw_plot(&b, &(adder_plot_t){-5.0, 40.0, 2.5}, 3, 21.5, 22.0, 1);
 *
 * The pixels are those of Adafruit's display shapes for CircuitPython. As in bitmaptools.h: what is changed
 * is marked dirty, everything is cut at the bitmap's edges, values are reduced to its bits, and a read-only
 * bitmap is left as it is. No heap, no state; the stack is a few words. */
#ifndef ADDER_DISPLAY_SHAPES_H
#define ADDER_DISPLAY_SHAPES_H

#include "adder/display/bitmaptools.h"

/* The whole bitmap: `line` for `stroke` pixels from each edge, `inside` for the rest. */
void adder_draw_frame(adder_bitmap_t *dest, uint32_t stroke, uint32_t line, uint32_t inside);

typedef struct {
    uint16_t radius; /* of the corners, pixels; at most half of the shorter side, cut to it */
    uint16_t stroke; /* of the outline, pixels, inward */
    int32_t outline; /* values, or ADDER_NO_INDEX: not drawn */
    int32_t inside;
} adder_round_rect_t;
/* As large as the bitmap; what lies outside the corners keeps its value. A circle of radius r: a bitmap of
 * 2r + 1 by 2r + 1. */
void adder_draw_round_rect(adder_bitmap_t *dest, const adder_round_rect_t *r);

/* adder_draw_line() with a square pen, `pen` pixels wide (0 as 1), whose top left pixel follows the line. */
void adder_draw_stroke(adder_bitmap_t *dest, int32_t x1, int32_t y1, int32_t x2, int32_t y2, uint32_t pen,
                       uint32_t value);

/* With its edge; coordinates within +-32767. Each row ends at the edges' x, rounded, halves to even. */
void adder_fill_triangle(adder_bitmap_t *dest, const adder_point_t corners[3], uint32_t value);

/* Values over time: index 0 is the left column, `pitch` columns (0 or more) one to the next; `top` is row 0,
 * `bottom` the last one (which may be the greater: upside down). Are they equal, their row is the middle. */
typedef struct {
    double bottom, top, pitch;
} adder_plot_t;
/* The line from value `from` at `index` to value `to` at index + 1. Ends beyond top and bottom lie outside
 * the bitmap, at most 32767 rows away. Not a number: nothing. */
void adder_draw_plot(adder_bitmap_t *dest, const adder_plot_t *plot, uint32_t index, double from, double to,
                     uint32_t value);

#endif
