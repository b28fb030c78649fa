/* vectorio: circles, rectangles, polygons. */
#include <string.h>

#include "display_int.h"

static adder_circle_t *as_circle(adder_shape_t *s)
{
    return (adder_circle_t *)(void *)s;
}
static const adder_circle_t *circle_of(const adder_layer_t *l)
{
    return (const void *)l;
}
static const adder_rectangle_t *rectangle_of(const adder_layer_t *l)
{
    return (const void *)l;
}
static const adder_polygon_t *polygon_of(const adder_layer_t *l)
{
    return (const void *)l;
}

/* ---- properties ---- */

static void shape_init(adder_shape_t *s, adder_layer_kind_t kind, adder_shader_t shader, uint32_t color_index,
                       int16_t x, int16_t y)
{
    memset(s, 0, sizeof *s);
    s->layer.kind = (uint8_t)kind;
    s->layer.x = x;
    s->layer.y = y;
    s->priv.shader = shader;
    s->priv.color_index = color_index;
}

static void touch(adder_shape_t *s)
{
    s->layer.priv.flags |= LAYER_TOUCHED;
}

void adder_shape_set_color(adder_shape_t *s, uint32_t color_index)
{
    if (s->priv.color_index != color_index)
        touch(s);
    s->priv.color_index = color_index;
}

void adder_shape_set_shader(adder_shape_t *s, adder_shader_t shader)
{
    s->priv.shader = shader;
    touch(s);
}

adder_err_t adder_circle_init(adder_circle_t *c, adder_shader_t shader, uint32_t color_index, int16_t x,
                              int16_t y, uint16_t radius)
{
    shape_init(&c->shape, ADDER_LAYER_CIRCLE, shader, color_index, x, y);
    c->radius = 1;
    return adder_circle_set_radius(c, radius);
}

adder_err_t adder_circle_set_radius(adder_circle_t *c, uint16_t radius)
{
    if (radius < 1 || radius > 16383u)
        return ADDER_ERR_RANGE;
    c->radius = radius;
    touch(&c->shape);
    return ADDER_OK;
}

adder_err_t adder_rectangle_init(adder_rectangle_t *r, adder_shader_t shader, uint32_t color_index, int16_t x,
                                 int16_t y, uint16_t width, uint16_t height)
{
    shape_init(&r->shape, ADDER_LAYER_RECTANGLE, shader, color_index, x, y);
    r->width = r->height = 1;
    return adder_rectangle_set_size(r, width, height);
}

adder_err_t adder_rectangle_set_size(adder_rectangle_t *r, uint16_t width, uint16_t height)
{
    if (width < 1 || height < 1 || width > 32767u || height > 32767u)
        return ADDER_ERR_RANGE;
    r->width = width;
    r->height = height;
    touch(&r->shape);
    return ADDER_OK;
}

adder_err_t adder_polygon_init(adder_polygon_t *p, adder_shader_t shader, uint32_t color_index, int16_t x,
                               int16_t y, const adder_point_t *points, uint16_t count)
{
    shape_init(&p->shape, ADDER_LAYER_POLYGON, shader, color_index, x, y);
    p->points = NULL;
    p->count = 0;
    p->priv.box = (adder_area_t){0, 0, 0, 0};
    return adder_polygon_set_points(p, points, count);
}

adder_err_t adder_polygon_set_points(adder_polygon_t *p, const adder_point_t *points, uint16_t count)
{
    if (count < 3)
        return ADDER_ERR_RANGE;
    adder_area_t box = {points[0].x, points[0].y, points[0].x, points[0].y};
    for (uint16_t i = 1; i < count; i++) {
        const adder_point_t q = points[i];
        box.x1 = q.x < box.x1 ? q.x : box.x1;
        box.x2 = q.x > box.x2 ? q.x : box.x2;
        box.y1 = q.y < box.y1 ? q.y : box.y1;
        box.y2 = q.y > box.y2 ? q.y : box.y2;
    }
    p->points = points;
    p->count = count;
    p->priv.box = box;
    touch(&p->shape);
    return ADDER_OK;
}

/* ---- geometry ---- */

/* The shape's box around its origin. Enclosing scales do not enlarge it (CircuitPython's way). */
static void local_box(const adder_layer_t *l, int32_t box[4])
{
    if (l->kind == ADDER_LAYER_CIRCLE) {
        const int32_t r = circle_of(l)->radius;
        box[0] = box[1] = -r;
        box[2] = box[3] = r + 1;
    } else if (l->kind == ADDER_LAYER_RECTANGLE) {
        box[0] = box[1] = 0;
        box[2] = rectangle_of(l)->width;
        box[3] = rectangle_of(l)->height;
    } else {
        const adder_area_t *b = &polygon_of(l)->priv.box;
        box[0] = b->x1;
        box[1] = b->y1;
        box[2] = b->x2;
        box[3] = b->y2;
    }
}

adder_area_t shape_footprint(const adder_layer_t *l)
{
    int32_t box[4];
    local_box(l, box);
    const int64_t left = l->priv.left, top = l->priv.top;
    return area_clamp(left + box[0], top + box[1], left + box[2], top + box[3]);
}

static bool in_circle(const adder_circle_t *c, int32_t dx, int32_t dy)
{
    const int64_t r = c->radius;
    return (int64_t)dx * dx + (int64_t)dy * dy <= r * r;
}

/* The first x that is not left of the edge on row y: pixels before it have the edge on their right. */
static int32_t edge_x(adder_point_t a, adder_point_t b, int32_t y)
{
    const int32_t dy = b.y - a.y, dx = b.x - a.x, along = y - a.y;
    /* ceil(a.x + along * dx / dy), with dy made positive */
    int64_t n = (int64_t)along * dx;
    int64_t d = dy;
    if (d < 0) {
        n = -n;
        d = -d;
    }
    if (n >= INT32_MIN && n <= INT32_MAX) { /* nearly always; 64-bit division is slow on small cores */
        const int32_t n32 = (int32_t)n, d32 = (int32_t)d;
        return a.x + (n32 > 0 ? (n32 + d32 - 1 < n32 ? (int32_t)((n + d - 1) / d) : (n32 + d32 - 1) / d32)
                              : -(-n32 / d32));
    }
    return a.x + (int32_t)(n > 0 ? (n + d - 1) / d : -(-n / d));
}

/* The winding number at x of row y, and where right of x it may change (INT32_MAX: nowhere). */
static int winding(const adder_polygon_t *p, int32_t x, int32_t y, int32_t *until_out)
{
    int number = 0;
    int32_t until = INT32_MAX;
    adder_point_t a = p->points[p->count - 1];
    for (uint16_t i = 0; i < p->count; i++) {
        const adder_point_t b = p->points[i];
        if ((a.y <= y) != (b.y <= y)) {
            const int32_t at = edge_x(a, b, y);
            if (x < at) {
                number += a.y <= y ? 1 : -1;
                if (at < until)
                    until = at;
            }
        }
        a = b;
    }
    *until_out = until;
    return number;
}

bool adder_shape_contains(const adder_shape_t *s, int32_t x, int32_t y)
{
    const adder_layer_t *l = &s->layer;
    x -= l->x;
    y -= l->y;
    int32_t box[4], until;
    local_box(l, box);
    if (x < box[0] || y < box[1] || x >= box[2] || y >= box[3])
        return false;
    if (l->kind == ADDER_LAYER_CIRCLE)
        return in_circle(circle_of(l), x, y);
    return l->kind == ADDER_LAYER_RECTANGLE || winding(polygon_of(l), x, y, &until) != 0;
}

bool shape_covers(const adder_shape_t *s, const adder_area_t *a, const adder_pixel_format_t *format)
{
    const adder_layer_t *l = &s->layer;
    if (shader_solid(&s->priv.shader, format, s->priv.color_index) == ADDER_COLOR_TRANSPARENT)
        return false;
    if (l->kind == ADDER_LAYER_RECTANGLE)
        return true;
    if (l->kind != ADDER_LAYER_CIRCLE)
        return false;
    /* A circle is convex: it covers a rectangle when it has the four corners. */
    const adder_circle_t *c = circle_of(l);
    const int32_t x1 = a->x1 - l->priv.left, x2 = a->x2 - 1 - l->priv.left;
    const int32_t y1 = a->y1 - l->priv.top, y2 = a->y2 - 1 - l->priv.top;
    return in_circle(c, x1, y1) && in_circle(c, x2, y1) && in_circle(c, x1, y2) && in_circle(c, x2, y2);
}

/* ---- what changed ---- */

void shape_changes(adder_shape_t *s, bool all, area_sink_t sink, void *ctx)
{
    const adder_area_t *now = &s->layer.priv.now, *was = &s->layer.priv.shown;
    const bool place = now->x1 == was->x1 && now->y1 == was->y1 && now->x2 == was->x2 && now->y2 == was->y2;
    if (!place || (s->layer.priv.flags & LAYER_TOUCHED) != 0)
        sink(ctx, was);
    if (all || !place || (s->layer.priv.flags & LAYER_TOUCHED) != 0 ||
        shader_revision(&s->priv.shader) != s->priv.seen_shader)
        sink(ctx, now);
}

void shape_settle(adder_shape_t *s)
{
    s->priv.seen_shader = shader_revision(&s->priv.shader);
    s->layer.priv.flags &= (uint8_t)~LAYER_TOUCHED;
}

/* ---- painting ---- */

static void fill_span(const canvas_t *c, int32_t x1, int32_t x2, int32_t y, uint32_t native)
{
    if (x1 < x2)
        canvas_fill(c, &(adder_area_t){(int16_t)x1, (int16_t)y, (int16_t)x2, (int16_t)(y + 1)}, native);
}

static void circle_paint(const adder_circle_t *circle, const canvas_t *c, const adder_area_t *clip,
                         uint32_t native)
{
    const int32_t r2 = (int32_t)circle->radius * circle->radius;
    const int32_t cx = circle->shape.layer.priv.left, cy = circle->shape.layer.priv.top;
    int32_t half = 0; /* the widest dx of a row, followed from row to row */
    for (int32_t y = clip->y1; y < clip->y2; y++) {
        const int32_t left = r2 - (y - cy) * (y - cy);
        while ((half + 1) * (half + 1) <= left)
            half++;
        while (half > 0 && half * half > left)
            half--;
        const int32_t x1 = cx - half, x2 = cx + half + 1;
        fill_span(c, x1 > clip->x1 ? x1 : clip->x1, x2 < clip->x2 ? x2 : clip->x2, y, native);
    }
}

static void polygon_paint(const adder_polygon_t *p, const canvas_t *c, const adder_area_t *clip,
                          uint32_t native)
{
    const int32_t left = p->shape.layer.priv.left, top = p->shape.layer.priv.top;
    for (int32_t y = clip->y1; y < clip->y2; y++) {
        int32_t x = clip->x1;
        while (x < clip->x2) {
            int32_t until;
            const int number = winding(p, x - left, y - top, &until);
            if (until == INT32_MAX)
                break; /* nothing right of here */
            const int32_t end = until + left < clip->x2 ? until + left : clip->x2;
            if (number != 0)
                fill_span(c, x, end, y, native);
            x = end;
        }
    }
}

void shape_paint(adder_shape_t *s, const canvas_t *c)
{
    const uint32_t native = shader_solid(&s->priv.shader, c->format, s->priv.color_index);
    adder_area_t clip;
    if (native == ADDER_COLOR_TRANSPARENT || !adder_area_intersect(&s->layer.priv.now, &c->screen, &clip))
        return;
    if (s->layer.kind == ADDER_LAYER_RECTANGLE)
        canvas_fill(c, &clip, native);
    else if (s->layer.kind == ADDER_LAYER_CIRCLE)
        circle_paint(as_circle(s), c, &clip, native);
    else
        polygon_paint(polygon_of(&s->layer), c, &clip, native);
}
