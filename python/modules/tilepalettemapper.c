/* tilepalettemapper.TilePaletteMapper */
#include "python/modules/display_int.h"

static const py_arg_t init_args[] = {PY_REQ_OBJ("pixel_shader"), PY_REQ_INT("input_color_count", 1, 65535),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    mapper_obj_t *m = s;
    if (!shader_arg(a[0].obj, false, &m->inner))
        return false;
    m->input_count = (uint16_t)a[1].i;
    m->made = true;
    py_field_set(self, &m->shader, a[0].obj);
    return true;
}

bool mapper_bind(py_t v, uint16_t width, uint16_t height)
{
    mapper_obj_t *m = py_struct(v, &mapper_class);
    if (m == NULL)
        return true; /* a palette or a converter: nothing to bind */
    if (m->map != NULL)
        return py_fail(py_raise(PY_RuntimeError, "TilePaletteMapper may only be bound to a TileGrid once"));
    size_t words = adder_mapper_words(width, height, m->input_count);
    if (words == 0 || words > SIZE_MAX / sizeof *m->map)
        return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
    m->map = py_alloc(words * sizeof *m->map);
    if (m->map == NULL)
        return false;
    adder_err_t err = adder_mapper_init(&m->mapper, m->inner, width, height, m->input_count, m->map, words);
    return err == ADDER_OK || py_fail(py_raise_err(err, "TilePaletteMapper"));
}

static void fini(void *s)
{
    mapper_obj_t *m = s;
    m->mapper.inner = (adder_shader_t){.kind = ADDER_SHADER_IS_NONE};
    m->mapper.width = m->mapper.height = m->mapper.input_count = 0;
    m->made = false;
    py_free(m->map);
    m->map = NULL;
    m->mapper.priv.map = NULL;
}

static bool live(const void *s)
{
    return ((const mapper_obj_t *)s)->made;
}

/* m[x, y] or m[y * width + x] */
static bool locate(const mapper_obj_t *m, py_t key, uint16_t *x, uint16_t *y)
{
    int64_t at[2];
    uint16_t width = m->mapper.width, height = m->mapper.height;
    if (py_is_slice(key))
        return py_fail(py_raise(PY_NotImplementedError, "Slices not supported"));
    if (!py_int_pair(key, at)) {
        if (!py_to_int(key, &at[0]))
            return false;
        at[1] = width > 0 ? at[0] / width : 0;
        at[0] = width > 0 ? at[0] % width : 0;
    }
    if (m->map == NULL || at[0] < 0 || at[1] < 0 || at[0] >= width || at[1] >= height)
        return py_fail(py_raise(PY_IndexError, "Tile index out of bounds"));
    *x = (uint16_t)at[0];
    *y = (uint16_t)at[1];
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    const mapper_obj_t *m = s;
    uint16_t x, y;
    (void)self;
    if (!locate(m, key, &x, &y))
        return PY_NULL;
    py_t *items = py_alloc(m->input_count * sizeof *items);
    if (items == NULL)
        return PY_NULL;
    bool ok = true;
    for (uint16_t i = 0; ok && i < m->input_count; i++) {
        uint32_t value = 0;
        ADDER_IGNORE(adder_mapper_get(&m->mapper, x, y, i, &value), "checked by locate()");
        items[i] = py_int(value);
        ok = !py_null(items[i]);
    }
    py_t tuple = ok ? py_tuple(items, m->input_count) : PY_NULL;
    py_free(items);
    return tuple;
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    mapper_obj_t *m = s;
    uint16_t x, y;
    size_t n;
    (void)self;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "object doesn't support item deletion"));
    if (!locate(m, key, &x, &y) || !py_len(value, &n))
        return false;
    if (n != m->input_count)
        return py_fail(py_raise(PY_ValueError, "requested length %u but object has length %zu",
                                (unsigned)m->input_count, n));
    int64_t top = m->inner.kind == ADDER_SHADER_IS_PALETTE ? m->inner.of.palette->count - 1 : 0xFFFFFF;
    int64_t item;
    for (int pass = 0; pass < 2; pass++) { /* all are looked at before the first is stored */
        for (uint16_t i = 0; i < n; i++) {
            py_scope_t scope = py_scope_open();
            bool ok = display_int(py_item_at(value, i), "mapping value", 0, top, &item);
            py_scope_close(scope);
            if (!ok)
                return false;
            if (pass == 1)
                ADDER_IGNORE(adder_mapper_set(&m->mapper, x, y, i, (uint32_t)item), "checked by locate()");
        }
    }
    return true;
}

static bool len(py_t self, void *s, size_t *out)
{
    const mapper_obj_t *m = s;
    (void)self;
    *out = m->map ? (size_t)m->mapper.width * m->mapper.height : 0;
    return true;
}

static py_t get_width(py_t self, void *s)
{
    (void)self;
    return py_int(((mapper_obj_t *)s)->mapper.width);
}

static py_t get_height(py_t self, void *s)
{
    (void)self;
    return py_int(((mapper_obj_t *)s)->mapper.height);
}

static py_t get_shader(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((mapper_obj_t *)s)->shader);
}

static const py_prop_t props[] = {{"width", get_width, NULL, 0, "of the tilegrid, in tiles"},
                                  {"height", get_height, NULL, 0, "of the tilegrid, in tiles"},
                                  {"pixel_shader", get_shader, NULL, 0, "what colours come from"},
                                  PY_END};

static const uint16_t fields[] = {offsetof(mapper_obj_t, shader), PY_FIELDS_END};

const py_class_t mapper_class = {
    .module = "tilepalettemapper",
    .name = "TilePaletteMapper",
    .doc = "TilePaletteMapper(pixel_shader, input_color_count): other colours for each tile.",
    .size = sizeof(mapper_obj_t),
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .fields = fields,
    .props = props,
    .len = len,
    .truth = display_truth,
    .getitem = getitem,
    .setitem = setitem,
};

static const py_class_t *const classes[] = {&mapper_class, NULL};

const py_module_t tilepalettemapper_module = {.name = "tilepalettemapper", .classes = classes};
