/* adafruit_display_shapes._draw: what python/lib/adafruit_display_shapes draws with. */
#include "python/modules/bitmaptools_int.h"

static const py_arg_t frame_args[] = {PY_REQ_OBJ("bitmap"), PY_REQ_INT("stroke", 0, INT32_MAX),
                                      PY_REQ_INT("outline", 0, 65535), PY_REQ_INT("fill", 0, 65535), PY_END};

static py_t frame(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    if (b == NULL)
        return PY_NULL;
    adder_draw_frame(b, (uint32_t)a[1].i, (uint32_t)a[2].i, (uint32_t)a[3].i);
    return py_none();
}

static const py_arg_t round_rect_args[] = {
    PY_REQ_OBJ("bitmap"),  PY_REQ_INT("r", 0, 32767), PY_REQ_INT("stroke", 0, INT32_MAX),
    PY_REQ_OBJ("outline"), PY_REQ_OBJ("fill"),        PY_END};

static py_t round_rect(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    adder_round_rect_t r = {.radius = (uint16_t)a[1].i,
                            .stroke = (uint16_t)(a[2].i > 32767 ? 32767 : a[2].i),
                            .outline = ADDER_NO_INDEX,
                            .inside = ADDER_NO_INDEX};
    int64_t value;
    if (b == NULL)
        return PY_NULL;
    if (!py_is_none(a[3].obj)) {
        if (!display_int(a[3].obj, "outline", 0, 65535, &value))
            return PY_NULL;
        r.outline = (int32_t)value;
    }
    if (!py_is_none(a[4].obj)) {
        if (!display_int(a[4].obj, "fill", 0, 65535, &value))
            return PY_NULL;
        r.inside = (int32_t)value;
    }
    adder_draw_round_rect(b, &r);
    return py_none();
}

/* A corner of a path: coordinates that no bitmap has are as far away as int16_t goes. */
static bool corner(py_t points, size_t i, int32_t *x, int32_t *y)
{
    int64_t at[2];
    py_scope_t scope = py_scope_open();
    py_t point = py_item_at(points, i);
    bool ok = !py_null(point) && display_point(point, "point", &at[0], &at[1]);
    py_scope_close(scope);
    for (unsigned k = 0; ok && k < 2; k++)
        at[k] = at[k] < INT16_MIN ? INT16_MIN : at[k] > INT16_MAX ? INT16_MAX : at[k];
    if (ok) {
        *x = (int32_t)at[0];
        *y = (int32_t)at[1];
    }
    return ok;
}

static const py_arg_t path_args[] = {PY_REQ_OBJ("bitmap"),
                                     PY_REQ_OBJ("points"),
                                     PY_REQ_INT("x", INT16_MIN, INT16_MAX),
                                     PY_REQ_INT("y", INT16_MIN, INT16_MAX),
                                     PY_REQ_INT("color", 0, 65535),
                                     PY_REQ_BOOL("close"),
                                     PY_REQ_INT("pen", 0, 32767),
                                     PY_END};

/* Lines through the points, which are relative to (x, y). */
static py_t path(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    size_t n;
    int32_t first[2], from[2], to[2];
    const int32_t dx = (int32_t)a[2].i, dy = (int32_t)a[3].i;
    if (b == NULL || !py_len(a[1].obj, &n))
        return PY_NULL;
    if (n > 0 && !corner(a[1].obj, 0, &first[0], &first[1]))
        return PY_NULL;
    for (size_t i = 0; i < n; i++, from[0] = to[0], from[1] = to[1]) {
        if (!corner(a[1].obj, i, &to[0], &to[1]))
            return PY_NULL;
        if (i > 0)
            adder_draw_stroke(b, from[0] - dx, from[1] - dy, to[0] - dx, to[1] - dy, (uint32_t)a[6].i,
                              (uint32_t)a[4].i);
    }
    if (n > 0 && a[5].b)
        adder_draw_stroke(b, from[0] - dx, from[1] - dy, first[0] - dx, first[1] - dy, (uint32_t)a[6].i,
                          (uint32_t)a[4].i);
    return py_none();
}

#define COORDINATE(name) PY_REQ_INT(name, -32767, 32767)
static const py_arg_t triangle_args[] = {PY_REQ_OBJ("bitmap"),
                                         COORDINATE("x0"),
                                         COORDINATE("y0"),
                                         COORDINATE("x1"),
                                         COORDINATE("y1"),
                                         COORDINATE("x2"),
                                         COORDINATE("y2"),
                                         PY_REQ_INT("color", 0, 65535),
                                         PY_END};

static py_t triangle(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    adder_point_t corners[3];
    if (b == NULL)
        return PY_NULL;
    for (unsigned i = 0; i < 3; i++)
        corners[i] = (adder_point_t){(int16_t)a[1 + 2 * i].i, (int16_t)a[2 + 2 * i].i};
    adder_fill_triangle(b, corners, (uint32_t)a[7].i);
    return py_none();
}

static const py_arg_t plot_args[] = {PY_REQ_OBJ("bitmap"),
                                     PY_REQ_OBJ("values"),
                                     PY_REQ_FLOAT("pitch"),
                                     PY_REQ_FLOAT("bottom"),
                                     PY_REQ_FLOAT("top"),
                                     PY_REQ_INT("color", 0, 65535),
                                     PY_END};

static py_t plot(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    const adder_plot_t p = {.pitch = a[2].f, .bottom = a[3].f, .top = a[4].f};
    size_t n;
    double before = 0, value = 0;
    if (b == NULL || !py_len(a[1].obj, &n))
        return PY_NULL;
    for (size_t i = 0; i < n; i++, before = value) {
        py_scope_t scope = py_scope_open();
        py_t item = py_item_at(a[1].obj, i);
        bool ok = !py_null(item) && py_to_float(item, &value);
        py_scope_close(scope);
        if (!ok)
            return PY_NULL;
        if (i > 0)
            adder_draw_plot(b, &p, (uint32_t)(i - 1), before, value, (uint32_t)a[5].i);
    }
    return py_none();
}

static const py_function_t functions[] = {
    {"frame", frame, frame_args, "The whole bitmap: an outline, the rest filled."},
    {"round_rect", round_rect, round_rect_args, "A rectangle with round corners, as large as the bitmap."},
    {"path", path, path_args, "Lines through points."},
    {"triangle", triangle, triangle_args, "A filled triangle."},
    {"plot", plot, plot_args, "A line through values, one every `pitch` columns."},
    PY_END};

const py_module_t display_shapes_module = {.name = "adafruit_display_shapes._draw", .functions = functions};
