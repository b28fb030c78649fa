/* vectorio: Circle, Rectangle, Polygon */
#include "python/modules/display_int.h"

/* Every shape's struct: the engine's, then the shader's field. */
typedef struct {
    adder_circle_t circle;
    py_field_t shader;
} circle_obj_t;

typedef struct {
    adder_rectangle_t rectangle;
    py_field_t shader;
} rectangle_obj_t;

typedef struct {
    adder_polygon_t polygon;
    adder_point_t *points;
    py_field_t shader;
} polygon_obj_t;

static adder_shape_t *shape_of(void *s)
{
    return s;
}

/* ---- what all shapes have ---- */

typedef struct {
    adder_shader_t shader;
    uint32_t color_index;
    int16_t x, y;
} common_t;

#define COMMON_ARGS                                                                                          \
    PY_KWREQ_OBJ("pixel_shader"), PY_KW_INT("x", 0, INT16_MIN, INT16_MAX),                                   \
        PY_KW_INT("y", 0, INT16_MIN, INT16_MAX), PY_KW_OBJ("color_index")
enum { ARG_SHADER, ARG_X, ARG_Y, ARG_COLOR, ARG_OWN };

/* An entry of the palette, or any value of a converter. */
static bool color_index_arg(py_t v, const adder_shader_t *shader, uint32_t *out)
{
    int64_t i;
    int64_t top = UINT32_MAX;
    if (shader->kind == ADDER_SHADER_IS_PALETTE)
        top = shader->of.palette->count - 1;
    if (!display_int(v, "color_index", 0, top, &i))
        return false;
    *out = (uint32_t)i;
    return true;
}

static bool common(const py_val_t *a, common_t *out)
{
    if (!shader_arg(a[ARG_SHADER].obj, false, &out->shader))
        return false;
    out->x = (int16_t)a[ARG_X].i;
    out->y = (int16_t)a[ARG_Y].i;
    out->color_index = 0;
    return !a[ARG_COLOR].given || color_index_arg(a[ARG_COLOR].obj, &out->shader, &out->color_index);
}

static py_t get_color_index(py_t self, void *s)
{
    (void)self;
    return py_int(shape_of(s)->priv.color_index);
}

static bool set_color_index(py_t self, void *s, py_t value)
{
    uint32_t i;
    (void)self;
    if (!color_index_arg(value, &shape_of(s)->priv.shader, &i))
        return false;
    adder_shape_set_color(shape_of(s), i);
    return true;
}

static bool set_shader(py_t self, void *s, py_field_t *field, py_t value)
{
    adder_shader_t shader;
    if (!shader_arg(value, false, &shader))
        return false;
    adder_shape_set_shader(shape_of(s), shader);
    py_field_set(self, field, value);
    return true;
}

static py_t get_location(py_t self, void *s)
{
    const adder_layer_t *l = s;
    (void)self;
    py_t xy[2] = {py_int(l->x), py_int(l->y)};
    return py_tuple(xy, 2);
}

static bool set_location(py_t self, void *s, py_t value)
{
    adder_layer_t *l = s;
    int64_t x, y;
    size_t n;
    (void)self;
    if (!py_is_tuple(value) || !py_len(value, &n) || n != 2)
        return py_fail(py_raise(PY_TypeError, "location must be a tuple of 2 ints"));
    if (!display_int(py_item_at(value, 0), "x", INT16_MIN, INT16_MAX, &x) ||
        !display_int(py_item_at(value, 1), "y", INT16_MIN, INT16_MAX, &y))
        return false;
    l->x = (int16_t)x;
    l->y = (int16_t)y;
    return true;
}

static const py_arg_t contains_args[] = {PY_REQ_OBJ("point"), PY_END};

static py_t contains(py_t self, void *s, const py_val_t *a)
{
    int64_t x, y;
    (void)self;
    if (!display_point(a[0].obj, "point", &x, &y))
        return PY_NULL;
    return py_bool(x == (int32_t)x && y == (int32_t)y &&
                   adder_shape_contains(shape_of(s), (int32_t)x, (int32_t)y));
}

static const py_method_t methods[] = {
    {"contains", contains, contains_args, 0, "Is the point (x, y) of the parent inside?"}, PY_END};

#define COMMON_PROPS                                                                                         \
    {"color_index", get_color_index, set_color_index, 0, "the palette's entry"},                             \
        {"location", get_location, set_location, 0, "(x, y)"},                                               \
    {                                                                                                        \
        "pixel_shader", get_pixel_shader, set_pixel_shader, 0, "Palette or ColorConverter"                   \
    }

/* ---- Circle ---- */

#define SHADER_PROPERTY(name)                                                                                \
    static py_t get_##name##_shader(py_t self, void *s)                                                      \
    {                                                                                                        \
        (void)self;                                                                                          \
        return py_field_get(&((name##_obj_t *)s)->shader);                                                   \
    }                                                                                                        \
    static bool set_##name##_shader(py_t self, void *s, py_t value)                                          \
    {                                                                                                        \
        return set_shader(self, s, &((name##_obj_t *)s)->shader, value);                                     \
    }

SHADER_PROPERTY(circle)
SHADER_PROPERTY(rectangle)
SHADER_PROPERTY(polygon)

enum { RADIUS_MAX = 16383 };

static const py_arg_t circle_args[] = {COMMON_ARGS, PY_KWREQ_OBJ("radius"), PY_END};

/* The engine's limit is far above any screen. */
static bool radius_arg(py_t v, uint16_t *out)
{
    int64_t r;
    if (!display_int(v, "radius", 1, PY_INT_MAX, &r))
        return false;
    if (r > RADIUS_MAX)
        return py_fail(py_raise(PY_ValueError, "radius must be 1-%d", RADIUS_MAX));
    *out = (uint16_t)r;
    return true;
}

static bool circle_init(py_t self, void *s, const py_val_t *a)
{
    circle_obj_t *c = s;
    common_t k;
    uint16_t radius;
    if (!common(a, &k) || !radius_arg(a[ARG_OWN].obj, &radius))
        return false;
    adder_err_t err = adder_circle_init(&c->circle, k.shader, k.color_index, k.x, k.y, radius);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "Circle"));
    layer_made(s);
    py_field_set(self, &c->shader, a[ARG_SHADER].obj);
    return true;
}

static py_t get_radius(py_t self, void *s)
{
    (void)self;
    return py_int(((circle_obj_t *)s)->circle.radius);
}

static bool set_radius(py_t self, void *s, py_t value)
{
    uint16_t radius;
    (void)self;
    if (!radius_arg(value, &radius))
        return false;
    adder_err_t err = adder_circle_set_radius(&((circle_obj_t *)s)->circle, radius);
    return err == ADDER_OK || py_fail(py_raise_err(err, "radius"));
}

#define get_pixel_shader get_circle_shader
#define set_pixel_shader set_circle_shader
static const py_prop_t circle_props[] = {
    {"radius", get_radius, set_radius, 0, "pixels"}, COMMON_PROPS, PY_END};
#undef get_pixel_shader
#undef set_pixel_shader

static const uint16_t circle_fields[] = {offsetof(circle_obj_t, shader), PY_FIELDS_END};

const py_class_t circle_class = {
    .module = "vectorio",
    .name = "Circle",
    .doc = "Circle(*, pixel_shader, radius, x=0, y=0, color_index=0): filled, x and y are the centre.",
    .size = sizeof(circle_obj_t),
    .base = &layer_class,
    .init_args = circle_args,
    .init = circle_init,
    .fields = circle_fields,
    .methods = methods,
    .props = circle_props,
};

/* ---- Rectangle ---- */

static const py_arg_t rectangle_args[] = {COMMON_ARGS, PY_KWREQ_OBJ("width"), PY_KWREQ_OBJ("height"), PY_END};

static bool side_arg(py_t v, const char *name, uint16_t *out)
{
    int64_t side;
    if (!display_int(v, name, 1, PY_INT_MAX, &side))
        return false;
    if (side > INT16_MAX)
        return py_fail(py_raise(PY_ValueError, "%s must be 1-%d", name, INT16_MAX));
    *out = (uint16_t)side;
    return true;
}

static bool rectangle_init(py_t self, void *s, const py_val_t *a)
{
    rectangle_obj_t *r = s;
    common_t k;
    uint16_t width, height;
    if (!common(a, &k) || !side_arg(a[ARG_OWN].obj, "width", &width) ||
        !side_arg(a[ARG_OWN + 1].obj, "height", &height))
        return false;
    adder_err_t err = adder_rectangle_init(&r->rectangle, k.shader, k.color_index, k.x, k.y, width, height);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "Rectangle"));
    layer_made(s);
    py_field_set(self, &r->shader, a[ARG_SHADER].obj);
    return true;
}

static py_t get_width(py_t self, void *s)
{
    (void)self;
    return py_int(((rectangle_obj_t *)s)->rectangle.width);
}

static py_t get_height(py_t self, void *s)
{
    (void)self;
    return py_int(((rectangle_obj_t *)s)->rectangle.height);
}

static bool resize(adder_rectangle_t *r, uint16_t width, uint16_t height)
{
    adder_err_t err = adder_rectangle_set_size(r, width, height);
    return err == ADDER_OK || py_fail(py_raise_err(err, "Rectangle"));
}

static bool set_width(py_t self, void *s, py_t value)
{
    adder_rectangle_t *r = &((rectangle_obj_t *)s)->rectangle;
    uint16_t side;
    (void)self;
    return side_arg(value, "width", &side) && resize(r, side, r->height);
}

static bool set_height(py_t self, void *s, py_t value)
{
    adder_rectangle_t *r = &((rectangle_obj_t *)s)->rectangle;
    uint16_t side;
    (void)self;
    return side_arg(value, "height", &side) && resize(r, r->width, side);
}

#define get_pixel_shader get_rectangle_shader
#define set_pixel_shader set_rectangle_shader
static const py_prop_t rectangle_props[] = {{"width", get_width, set_width, 0, "pixels"},
                                            {"height", get_height, set_height, 0, "pixels"},
                                            COMMON_PROPS,
                                            PY_END};
#undef get_pixel_shader
#undef set_pixel_shader

static const uint16_t rectangle_fields[] = {offsetof(rectangle_obj_t, shader), PY_FIELDS_END};

const py_class_t rectangle_class = {
    .module = "vectorio",
    .name = "Rectangle",
    .doc = "Rectangle(*, pixel_shader, width, height, x=0, y=0, color_index=0): filled.",
    .size = sizeof(rectangle_obj_t),
    .base = &layer_class,
    .init_args = rectangle_args,
    .init = rectangle_init,
    .fields = rectangle_fields,
    .methods = methods,
    .props = rectangle_props,
};

/* ---- Polygon ---- */

static const py_arg_t polygon_args[] = {COMMON_ARGS, PY_KWREQ_OBJ("points"), PY_END};

enum { POINTS_MAX = 65535 };

static bool point_arg(py_t v, adder_point_t *out)
{
    int64_t xy[2];
    if (!py_is_tuple(v) || !py_int_pair(v, xy))
        return py_fail(py_raise(PY_TypeError, "Polygon points must be tuples of 2 ints"));
    if (xy[0] != (int16_t)xy[0] || xy[1] != (int16_t)xy[1])
        return py_fail(py_raise(PY_ValueError, "point must be %d-%d", INT16_MIN, INT16_MAX));
    *out = (adder_point_t){(int16_t)xy[0], (int16_t)xy[1]};
    return true;
}

/* A list or tuple of at least three (x, y): memory of its own, NULL with an exception. */
static adder_point_t *points_arg(py_t v, uint16_t *count_out)
{
    size_t n;
    if ((!py_is_list(v) && !py_is_tuple(v)) || !py_len(v, &n)) {
        py_raise(PY_TypeError, "points must be a list of tuples, not %s", py_type_name(v));
        return NULL;
    }
    if (n < 3) {
        py_raise(PY_TypeError, "Polygon needs at least 3 points");
        return NULL;
    }
    if (n > POINTS_MAX) {
        py_raise(PY_ValueError, "points must be 3-%d", POINTS_MAX);
        return NULL;
    }
    adder_point_t *points = py_alloc(n * sizeof *points);
    for (size_t i = 0; points != NULL && i < n; i++) {
        py_scope_t scope = py_scope_open();
        bool ok = point_arg(py_item_at(v, i), &points[i]);
        py_scope_close(scope);
        if (!ok) {
            py_free(points);
            return NULL;
        }
    }
    *count_out = (uint16_t)n;
    return points;
}

static bool polygon_init(py_t self, void *s, const py_val_t *a)
{
    polygon_obj_t *p = s;
    common_t k;
    uint16_t count;
    if (!common(a, &k) || (p->points = points_arg(a[ARG_OWN].obj, &count)) == NULL)
        return false;
    adder_err_t err = adder_polygon_init(&p->polygon, k.shader, k.color_index, k.x, k.y, p->points, count);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "Polygon"));
    layer_made(s);
    py_field_set(self, &p->shader, a[ARG_SHADER].obj);
    return true;
}

static void polygon_fini(void *s)
{
    polygon_obj_t *p = s;
    layer_fini(s); /* out of the tree before the points go */
    py_free(p->points);
    p->points = NULL;
}

static py_t get_points(py_t self, void *s)
{
    const polygon_obj_t *p = s;
    (void)self;
    py_t list = py_list(NULL, 0);
    for (uint16_t i = 0; i < p->polygon.count && !py_null(list); i++) {
        py_scope_t scope = py_scope_open();
        py_t xy[2] = {py_int(p->points[i].x), py_int(p->points[i].y)};
        bool ok = py_list_append(list, py_tuple(xy, 2));
        py_scope_close(scope);
        if (!ok)
            return PY_NULL;
    }
    return list;
}

static bool set_points(py_t self, void *s, py_t value)
{
    polygon_obj_t *p = s;
    uint16_t count;
    (void)self;
    adder_point_t *points = points_arg(value, &count);
    if (points == NULL)
        return false;
    adder_err_t err = adder_polygon_set_points(&p->polygon, points, count);
    if (err != ADDER_OK) {
        py_free(points);
        return py_fail(py_raise_err(err, "points"));
    }
    py_free(p->points);
    p->points = points;
    return true;
}

#define get_pixel_shader get_polygon_shader
#define set_pixel_shader set_polygon_shader
static const py_prop_t polygon_props[] = {
    {"points", get_points, set_points, 0, "a list of (x, y)"}, COMMON_PROPS, PY_END};
#undef get_pixel_shader
#undef set_pixel_shader

static const uint16_t polygon_fields[] = {offsetof(polygon_obj_t, shader), PY_FIELDS_END};

const py_class_t polygon_class = {
    .module = "vectorio",
    .name = "Polygon",
    .doc = "Polygon(*, pixel_shader, points, x=0, y=0, color_index=0): filled and closed.",
    .size = sizeof(polygon_obj_t),
    .base = &layer_class,
    .init_args = polygon_args,
    .init = polygon_init,
    .fini = polygon_fini,
    .fields = polygon_fields,
    .methods = methods,
    .props = polygon_props,
};

static const py_class_t *const classes[] = {&circle_class, &rectangle_class, &polygon_class, NULL};

const py_module_t vectorio_module = {.name = "vectorio", .classes = classes};
