/* Frames, round corners, triangles, plotted values. */
#include <string.h>

#include "adder/display/shapes.h"
#include "display_int.h"

/* Pixels of row y from x1 to x2, both included. */
static void span(adder_bitmap_t *b, int32_t x1, int32_t x2, int32_t y, uint32_t value)
{
    if (x1 < 0)
        x1 = 0;
    if (x2 >= b->width)
        x2 = b->width - 1;
    if (y < 0 || y >= b->height || x1 > x2)
        return;
    uint8_t *row = bitmap_row_mut(b, (uint32_t)y);
    int32_t x = x1;
    if (b->bits <= 8) { /* whole bytes at once */
        const int32_t per_byte = 8 / b->bits;
        for (; x <= x2 && x % per_byte != 0; x++)
            pixel_put(row, b->bits, (uint32_t)x, value);
        const int32_t bytes = (x2 + 1 - x) / per_byte;
        if (bytes > 0)
            memset(row + x / per_byte, (int)(value * (0xFFu / adder_bitmap_max(b))), (size_t)bytes);
        x += bytes > 0 ? bytes * per_byte : 0;
    }
    for (; x <= x2; x++)
        pixel_put(row, b->bits, (uint32_t)x, value);
}

static void all_dirty(adder_bitmap_t *b)
{
    adder_bitmap_dirty(b, &(adder_area_t){0, 0, (int16_t)b->width, (int16_t)b->height});
}

void adder_draw_frame(adder_bitmap_t *b, uint32_t stroke, uint32_t line, uint32_t inside)
{
    if (!adder_bitmap_writable(b))
        return;
    const int32_t w = b->width, h = b->height, s = stroke > 32767u ? 32767 : (int32_t)stroke;
    line &= adder_bitmap_max(b);
    inside &= adder_bitmap_max(b);
    for (int32_t y = 0; y < h; y++) {
        if (y < s || y >= h - s) {
            span(b, 0, w - 1, y, line);
            continue;
        }
        span(b, 0, w - 1, y, line);
        span(b, s, w - 1 - s, y, inside);
    }
    all_dirty(b);
}

/* ---- round corners ---- */

/* An eighth of a circle by the midpoint method. It gives the points (x, y) with 0 < x, from the top of the
 * circle to its diagonal: the row y holds x on its rim, and by symmetry the row x holds y. */
typedef struct {
    int32_t x, y, error;
} octant_t;

static bool octant_next(octant_t *o)
{
    if (o->x >= o->y)
        return false;
    if (o->error >= 0) {
        o->y--;
        o->error -= 2 * o->y;
    }
    o->x++;
    o->error += 2 * o->x + 1;
    return true;
}

/* Where the centres of the four corners lie. */
typedef struct {
    int32_t left, top, right, bottom;
} corners_t;

static void rows(adder_bitmap_t *b, const corners_t *c, int32_t dx, int32_t dy, uint32_t value)
{
    span(b, c->left - dx, c->right + dx, c->top - dy, value);
    span(b, c->left - dx, c->right + dx, c->bottom + dy, value);
}

/* The rim at a point of the octant, `depth` pixels further in: downward where the circle is flat, sideways
 * where it is steep. */
static void rim(adder_bitmap_t *b, const corners_t *c, const octant_t *o, int32_t depth, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        const bool right = (i & 1u) != 0, bottom = (i & 2u) != 0;
        const int32_t x = right ? c->right : c->left, y = bottom ? c->bottom : c->top;
        const int32_t sx = right ? 1 : -1, sy = bottom ? 1 : -1;
        const int32_t flat_x = x + sx * o->x, flat_y = y + sy * (o->y - depth);
        const int32_t steep_x = x + sx * (o->y - depth), steep_y = y + sy * o->x;
        span(b, flat_x, flat_x, flat_y, value);
        span(b, steep_x, steep_x, steep_y, value);
    }
}

void adder_draw_round_rect(adder_bitmap_t *b, const adder_round_rect_t *r)
{
    const int32_t w = b->width, h = b->height;
    if (!adder_bitmap_writable(b) || w == 0 || h == 0)
        return;
    const int32_t shorter = w < h ? w : h;
    const int32_t radius = r->radius < shorter / 2 ? r->radius : shorter / 2;
    const int32_t stroke = r->stroke < shorter ? r->stroke : shorter;
    const corners_t c = {radius, radius, w - 1 - radius, h - 1 - radius};
    const octant_t start = {0, radius, 1 - radius};
    if (r->inside >= 0) {
        const uint32_t value = (uint32_t)r->inside & adder_bitmap_max(b);
        for (int32_t y = c.top; y <= c.bottom; y++)
            span(b, 0, w - 1, y, value);
        rows(b, &c, 0, radius, value);
        for (octant_t o = start; octant_next(&o);) {
            rows(b, &c, o.x, o.y, value);
            rows(b, &c, o.y, o.x, value);
        }
    }
    if (r->outline >= 0) {
        const uint32_t value = (uint32_t)r->outline & adder_bitmap_max(b);
        for (int32_t depth = 0; depth < stroke; depth++) {
            span(b, c.left, c.right, depth, value);
            span(b, c.left, c.right, h - 1 - depth, value);
        }
        for (int32_t y = c.top; y <= c.bottom; y++) {
            span(b, 0, stroke - 1, y, value);
            span(b, w - stroke, w - 1, y, value);
        }
        for (int32_t depth = 0; depth < stroke; depth++)
            for (octant_t o = start; octant_next(&o);)
                rim(b, &c, &o, depth, value);
    }
    all_dirty(b);
}

/* ---- triangles ---- */

/* The x of the edge from a to b (b below a) in row y: rounded, halves to even. */
static int32_t edge_x(const adder_point_t *a, const adder_point_t *b, int32_t y)
{
    const int64_t rise = b->y - a->y, run = a->x * rise + (int64_t)(b->x - a->x) * (y - a->y);
    int64_t whole = run / rise, rest = run % rise;
    if (rest < 0) {
        whole--;
        rest += rise;
    }
    if (2 * rest > rise || (2 * rest == rise && whole % 2 != 0))
        whole++;
    return (int32_t)whole;
}

static void order(adder_point_t *a, adder_point_t *b)
{
    if (a->y <= b->y)
        return;
    const adder_point_t keep = *a;
    *a = *b;
    *b = keep;
}

void adder_fill_triangle(adder_bitmap_t *b, const adder_point_t corners[3], uint32_t value)
{
    if (!adder_bitmap_writable(b))
        return;
    adder_point_t p[3] = {corners[0], corners[1], corners[2]};
    order(&p[0], &p[1]);
    order(&p[1], &p[2]);
    order(&p[0], &p[1]);
    value &= adder_bitmap_max(b);
    const int32_t first = p[0].y < 0 ? 0 : p[0].y, last = p[2].y < b->height ? p[2].y : b->height - 1;
    for (int32_t y = first; y <= last; y++) {
        int32_t x1 = p[0].x, x2 = p[0].x;
        if (p[0].y == p[2].y) {
            for (unsigned i = 1; i < 3; i++) {
                x1 = p[i].x < x1 ? p[i].x : x1;
                x2 = p[i].x > x2 ? p[i].x : x2;
            }
        } else {
            const bool upper = y < p[1].y || p[1].y == p[2].y;
            x1 = edge_x(&p[0], &p[2], y);
            x2 = upper ? edge_x(&p[0], &p[1], y) : edge_x(&p[1], &p[2], y);
        }
        span(b, x1 < x2 ? x1 : x2, x1 < x2 ? x2 : x1, y, value);
    }
    all_dirty(b);
}

/* ---- plots ---- */

static int32_t row_of(const adder_bitmap_t *b, const adder_plot_t *p, double value)
{
    if (p->top == p->bottom)
        return b->height / 2;
    const double row = (b->height - 1) * (p->top - value) / (p->top - p->bottom);
    return row >= 32767.0 ? 32767 : row <= -32767.0 ? -32767 : (int32_t)row;
}

void adder_draw_plot(adder_bitmap_t *b, const adder_plot_t *p, uint32_t index, double from, double to,
                     uint32_t value)
{
    const double x1 = p->pitch * index, x2 = p->pitch * (index + 1.0), range = p->top - p->bottom;
    if (from != from || to != to || range != range || !(x1 >= 0 && x2 <= 32767.0))
        return;
    adder_draw_line(b, (int32_t)x1, row_of(b, p, from), (int32_t)x2, row_of(b, p, to), value);
}
