/* fontio: Glyph, BuiltinFont, FontProtocol; the font object of terminalio.FONT */
#include "python/modules/display_int.h"

static const char *const glyph_fields[] = {"bitmap", "tile_index", "width",   "height", "dx",
                                           "dy",     "shift_x",    "shift_y", NULL};

const py_namedtuple_t glyph_namedtuple = {.module = "fontio", .name = "Glyph", .fields = glyph_fields};

typedef struct {
    const adder_font_t *font;
    py_field_t bitmap;
} font_obj_t;

static bool live(const void *s)
{
    return ((const font_obj_t *)s)->font != NULL;
}

static py_t get_bitmap(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((font_obj_t *)s)->bitmap);
}

static py_t get_bounding_box(py_t self, void *s, const py_val_t *a)
{
    const adder_font_t *font = ((font_obj_t *)s)->font;
    (void)self, (void)a;
    py_t items[2] = {py_int(font->width), py_int(font->height)};
    return py_tuple(items, 2);
}

static const py_arg_t glyph_args[] = {PY_REQ_INT("codepoint", INT32_MIN, INT32_MAX), PY_END};

static py_t get_glyph(py_t self, void *s, const py_val_t *a)
{
    const font_obj_t *f = s;
    uint16_t tile;
    (void)self;
    if (a[0].i < 0 || !adder_font_glyph(f->font, (uint32_t)a[0].i, &tile))
        return py_none();
    py_t values[8] = {py_field_get(&f->bitmap), py_int(tile), py_int(f->font->width),
                      py_int(f->font->height),  py_int(0),    py_int(0),
                      py_int(f->font->width),   py_int(0)};
    return py_namedtuple(&glyph_namedtuple, values);
}

static const py_method_t methods[] = {
    {"get_bounding_box", get_bounding_box, NULL, 0, "(width, height) of every glyph."},
    {"get_glyph", get_glyph, glyph_args, 0, "The Glyph of a code point, or None."},
    PY_END};

static const py_prop_t props[] = {{"bitmap", get_bitmap, NULL, 0, "all glyphs side by side"}, PY_END};

static const uint16_t fields[] = {offsetof(font_obj_t, bitmap), PY_FIELDS_END};

const py_class_t builtinfont_class = {
    .module = "fontio",
    .name = "BuiltinFont",
    .doc = "The font of the firmware: terminalio.FONT.",
    .size = sizeof(font_obj_t),
    .no_new = true,
    .live = live,
    .fields = fields,
    .methods = methods,
    .props = props,
};

void font_view(py_t v, font_view_t *out)
{
    const font_obj_t *f = py_struct(v, &builtinfont_class);
    const bitmap_obj_t *b =
        f != NULL && f->font != NULL ? py_struct(py_field_get(&f->bitmap), &bitmap_class) : NULL;
    *out = b != NULL ? (font_view_t){f->font, &b->bitmap} : (font_view_t){NULL, NULL};
}

py_t font_object(void)
{
    py_t made = display_kept("font");
    if (!py_null(made))
        return made;
    void *s, *b;
    py_t self = py_new(&builtinfont_class, &s), bitmap = py_new(&bitmap_class, &b);
    if (py_null(self) || py_null(bitmap))
        return PY_NULL;
    adder_font_bitmap(&adder_font_terminal, &((bitmap_obj_t *)b)->bitmap);
    ((bitmap_obj_t *)b)->made = true;
    font_obj_t *f = s;
    f->font = &adder_font_terminal;
    py_field_set(self, &f->bitmap, bitmap);
    return display_keep("font", self) ? self : PY_NULL;
}

/* Only for annotations and isinstance(): what has get_bounding_box() and get_glyph() is a font. */
typedef struct {
    char unused;
} protocol_obj_t;

static const py_class_t protocol_class = {
    .module = "fontio",
    .name = "FontProtocol",
    .doc = "What a font must have: get_bounding_box(), get_glyph(codepoint).",
    .size = sizeof(protocol_obj_t),
};

static const py_class_t *const classes[] = {&builtinfont_class, &protocol_class, NULL};
static const py_namedtuple_t *const namedtuples[] = {&glyph_namedtuple, NULL};

const py_module_t fontio_module = {.name = "fontio", .classes = classes, .namedtuples = namedtuples};
