/* displayio.TileGrid */
#include "python/modules/display_int.h"

enum {
    ARG_BITMAP,
    ARG_SHADER,
    ARG_WIDTH,
    ARG_HEIGHT,
    ARG_TILE_WIDTH,
    ARG_TILE_HEIGHT,
    ARG_DEFAULT,
    ARG_X,
    ARG_Y
};

static const py_arg_t init_args[] = {[ARG_BITMAP] = PY_REQ_OBJ("bitmap"),
                                     [ARG_SHADER] = PY_KWREQ_OBJ("pixel_shader"),
                                     [ARG_WIDTH] = PY_KW_INT("width", 1, 1, 32767),
                                     [ARG_HEIGHT] = PY_KW_INT("height", 1, 1, 32767),
                                     [ARG_TILE_WIDTH] = PY_KW_OBJ("tile_width"),
                                     [ARG_TILE_HEIGHT] = PY_KW_OBJ("tile_height"),
                                     [ARG_DEFAULT] = PY_KW_INT("default_tile", 0, 0, 65535),
                                     [ARG_X] = PY_KW_INT("x", 0, INT16_MIN, INT16_MAX),
                                     [ARG_Y] = PY_KW_INT("y", 0, INT16_MIN, INT16_MAX),
                                     PY_END};

/* A grid in static storage (the terminal's) is `user`; ours is the struct itself. */
static adder_tilegrid_t *grid_of(void *s)
{
    return (adder_tilegrid_t *)(void *)layer_of(s);
}

static bool source_arg(py_t v, adder_source_t *out, uint16_t *width, uint16_t *height)
{
    void *s;
    if (py_struct(v, &ondisk_class) != NULL) {
        if ((s = py_struct_arg(v, &ondisk_class, "bitmap")) == NULL)
            return false;
        adder_bmp_t *bmp = &((ondisk_obj_t *)s)->bmp;
        *out = ADDER_SOURCE_BMP(bmp);
        *width = bmp->width;
        *height = bmp->height;
        return true;
    }
    if (py_struct(v, &bitmap_class) == NULL)
        return py_fail(py_raise(PY_TypeError, "unsupported bitmap type: %s", py_type_name(v)));
    if ((s = py_struct_arg(v, &bitmap_class, "bitmap")) == NULL)
        return false;
    adder_bitmap_t *bitmap = &((bitmap_obj_t *)s)->bitmap;
    *out = ADDER_SOURCE_BITMAP(bitmap);
    *width = bitmap->width;
    *height = bitmap->height;
    return true;
}

/* None and 0 mean the whole bitmap. */
static bool tile_side(const py_val_t *a, const char *name, uint16_t whole, uint16_t *out)
{
    int64_t v = 0;
    if (a->given && !display_int(a->obj, name, 0, 32767, &v))
        return false;
    *out = v > 0 ? (uint16_t)v : whole;
    return true;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    tilegrid_obj_t *t = s;
    uint16_t bitmap_width, bitmap_height;
    adder_tilegrid_config_t c = {.width = (uint16_t)a[ARG_WIDTH].i,
                                 .height = (uint16_t)a[ARG_HEIGHT].i,
                                 .default_tile = (uint16_t)a[ARG_DEFAULT].i,
                                 .x = (int16_t)a[ARG_X].i,
                                 .y = (int16_t)a[ARG_Y].i};
    if (!source_arg(a[ARG_BITMAP].obj, &c.source, &bitmap_width, &bitmap_height) ||
        !shader_arg(a[ARG_SHADER].obj, true, &c.shader) ||
        !tile_side(&a[ARG_TILE_WIDTH], "tile_width", bitmap_width, &c.tile_width) ||
        !tile_side(&a[ARG_TILE_HEIGHT], "tile_height", bitmap_height, &c.tile_height))
        return false;
    if (c.tile_width == 0 || bitmap_width % c.tile_width != 0)
        return py_fail(py_raise(PY_ValueError, "Tile width must exactly divide bitmap width"));
    if (c.tile_height == 0 || bitmap_height % c.tile_height != 0)
        return py_fail(py_raise(PY_ValueError, "Tile height must exactly divide bitmap height"));
    if (!mapper_bind(a[ARG_SHADER].obj, c.width, c.height))
        return false;
    size_t bytes = adder_tilegrid_cell_bytes(&c);
    if (bytes > sizeof(void *) && (t->cells = py_alloc(bytes)) == NULL)
        return false;
    adder_err_t err = adder_tilegrid_init(&t->grid, &c, t->cells, t->cells ? bytes : 0);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "TileGrid"));
    layer_made(s);
    py_field_set(self, &t->bitmap, a[ARG_BITMAP].obj);
    py_field_set(self, &t->shader, a[ARG_SHADER].obj);
    return true;
}

py_t tilegrid_wrap(adder_tilegrid_t *grid, py_t bitmap, py_t shader)
{
    void *s;
    py_t self = py_new(&tilegrid_class, &s);
    if (py_null(self))
        return PY_NULL;
    tilegrid_obj_t *t = s;
    t->grid.layer.user = grid;
    t->fixed = true;
    py_field_set(self, &t->bitmap, bitmap);
    py_field_set(self, &t->shader, shader);
    return self;
}

/* Runs before layer_fini() takes the grid out of its group: cells stay until nothing walks them. */
static void fini(void *s)
{
    tilegrid_obj_t *t = s;
    layer_fini(s);
    py_free(t->cells);
    t->cells = NULL;
}

/* t[x, y] or t[y * width + x] */
static bool locate(const adder_tilegrid_t *t, py_t key, uint16_t *x, uint16_t *y)
{
    int64_t at[2];
    if (!py_int_pair(key, at)) {
        if (py_is_slice(key))
            return py_fail(py_raise(PY_NotImplementedError, "Slices not supported"));
        if (!py_to_int(key, &at[0]))
            return false;
        at[1] = at[0] / t->width;
        at[0] = at[0] < 0 ? -1 : at[0] % t->width;
    }
    if (at[0] < 0 || at[1] < 0 || at[0] >= t->width || at[1] >= t->height)
        return py_fail(py_raise(PY_IndexError, "Tile index out of bounds"));
    *x = (uint16_t)at[0];
    *y = (uint16_t)at[1];
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    const adder_tilegrid_t *t = grid_of(s);
    uint16_t x, y, tile = 0;
    (void)self;
    if (!locate(t, key, &x, &y))
        return PY_NULL;
    ADDER_IGNORE(adder_tilegrid_get(t, x, y, &tile), "checked by locate()");
    return py_int(tile);
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    adder_tilegrid_t *t = grid_of(s);
    uint16_t x, y;
    int64_t tile;
    (void)self;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "'TileGrid' object doesn't support item deletion"));
    if (!locate(t, key, &x, &y) || !display_int(value, "tile", INT64_MIN, INT64_MAX, &tile))
        return false;
    if (tile < 0 || tile > UINT16_MAX || adder_tilegrid_set(t, x, y, (uint16_t)tile) != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "Tile index out of bounds"));
    return true;
}

static const py_arg_t contains_args[] = {PY_REQ_OBJ("touch_tuple"), PY_END};

static py_t contains(py_t self, void *s, const py_val_t *a)
{
    int64_t x, y;
    (void)self;
    if (!display_point(a[0].obj, "touch_tuple", &x, &y))
        return PY_NULL;
    if (x != (int32_t)x || y != (int32_t)y)
        return py_bool(false);
    return py_bool(adder_tilegrid_contains(grid_of(s), (int32_t)x, (int32_t)y));
}

/* ---- properties ---- */

#define FLAG(member)                                                                                         \
    static py_t get_##member(py_t self, void *s)                                                             \
    {                                                                                                        \
        (void)self;                                                                                          \
        return py_bool(grid_of(s)->member);                                                                  \
    }                                                                                                        \
    static bool set_##member(py_t self, void *s, py_t value)                                                 \
    {                                                                                                        \
        bool on;                                                                                             \
        (void)self;                                                                                          \
        if (!py_to_bool(value, &on))                                                                         \
            return false;                                                                                    \
        grid_of(s)->member = on;                                                                             \
        return true;                                                                                         \
    }

FLAG(flip_x)
FLAG(flip_y)
FLAG(transpose_xy)

#define SIZE(member)                                                                                         \
    static py_t get_##member(py_t self, void *s)                                                             \
    {                                                                                                        \
        (void)self;                                                                                          \
        return py_int(grid_of(s)->member);                                                                   \
    }

SIZE(width)
SIZE(height)
SIZE(tile_width)
SIZE(tile_height)

static bool changeable(const tilegrid_obj_t *t)
{
    return !t->fixed || py_fail(py_raise(PY_RuntimeError, "Read-only"));
}

static py_t get_bitmap(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((tilegrid_obj_t *)s)->bitmap);
}

static bool set_bitmap(py_t self, void *s, py_t value)
{
    tilegrid_obj_t *t = s;
    adder_source_t source;
    uint16_t width, height;
    if (!changeable(t) || !source_arg(value, &source, &width, &height))
        return false;
    if (adder_tilegrid_set_source(&t->grid, source) != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "New bitmap must be same size as old bitmap"));
    py_field_set(self, &t->bitmap, value);
    return true;
}

static py_t get_shader(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((tilegrid_obj_t *)s)->shader);
}

static bool set_shader(py_t self, void *s, py_t value)
{
    tilegrid_obj_t *t = s;
    adder_shader_t shader;
    if (!changeable(t) || !shader_arg(value, true, &shader))
        return false;
    py_t old = get_shader(self, s);
    if (!py_is(old, value) && !mapper_bind(value, t->grid.width, t->grid.height))
        return false;
    adder_tilegrid_set_shader(&t->grid, shader);
    py_field_set(self, &t->shader, value);
    return true;
}

static const py_method_t methods[] = {
    {"contains", contains, contains_args, 0, "Is the point (x, y) of the parent inside?"}, PY_END};

static const py_prop_t props[] = {
    {"flip_x", get_flip_x, set_flip_x, 0, "mirror left and right"},
    {"flip_y", get_flip_y, set_flip_y, 0, "mirror top and bottom"},
    {"transpose_xy", get_transpose_xy, set_transpose_xy, 0, "swap the axes"},
    {"width", get_width, NULL, 0, "in tiles"},
    {"height", get_height, NULL, 0, "in tiles"},
    {"tile_width", get_tile_width, NULL, 0, "pixels"},
    {"tile_height", get_tile_height, NULL, 0, "pixels"},
    {"bitmap", get_bitmap, set_bitmap, 0, "Bitmap or OnDiskBitmap"},
    {"pixel_shader", get_shader, set_shader, 0, "Palette, ColorConverter or TilePaletteMapper"},
    PY_END};

static const uint16_t fields[] = {offsetof(tilegrid_obj_t, bitmap), offsetof(tilegrid_obj_t, shader),
                                  PY_FIELDS_END};

const py_class_t tilegrid_class = {
    .module = "displayio",
    .name = "TileGrid",
    .doc = "TileGrid(bitmap, *, pixel_shader, width=1, height=1, tile_width=None, tile_height=None, "
           "default_tile=0, x=0, y=0): a grid of tiles of a bitmap.",
    .size = sizeof(tilegrid_obj_t),
    .base = &layer_class,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .fields = fields,
    .methods = methods,
    .props = props,
    .truth = display_truth,
    .getitem = getitem,
    .setitem = setitem,
};
