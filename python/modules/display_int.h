/* What the binding files of the display family share: displayio_*.c, busdisplay.c, the buses, vectorio,
 * bitmaptools, terminalio, fontio, tilepalettemapper.
 *
 * Each Python object holds the engine's struct itself (include/adder/display/) and the memory that
 * struct borrows; what it refers to is kept alive by fields. The engine has no references of its own,
 * so every fini() takes its struct out of whatever still points at it: objects may die in any order, as
 * they do in the garbage collector and at the end of a VM. */
#ifndef ADDER_PYTHON_DISPLAY_INT_H
#define ADDER_PYTHON_DISPLAY_INT_H

#include "adder/display.h"
#include "python/layer/py.h"

/* For the class tables of what has a length and is true even when that is 0. */
bool display_truth(py_t self, void *s, bool *out);

/* ---- arguments ---- */

/* An int within lo..hi: TypeError, or ValueError "<name> must be lo-hi" (">= lo" when hi is PY_INT_MAX). */
bool display_int(py_t v, const char *name, int64_t lo, int64_t hi, int64_t *out);
/* The same for a position: IndexError. */
bool display_index(int64_t value, const char *name, int64_t hi);
/* Two ints of a tuple or list (longer ones too: touch points are (x, y, pressure)). */
bool display_point(py_t v, const char *name, int64_t *x, int64_t *y);

/* What lives as long as the VM, by name: "font", "terminal", "display0", ... Null handle: not there. */
py_t display_kept(const char *key);
bool display_keep(const char *key, py_t value);

/* ---- bitmaps ---- */

typedef struct {
    adder_bitmap_t bitmap;
    void *pixels; /* NULL: not ours (a font's glyphs) */
    bool made;
} bitmap_obj_t;

extern const py_class_t bitmap_class;
py_t bitmap_make(uint16_t width, uint16_t height, uint32_t value_count, bitmap_obj_t **out);

/* A BMP file. Its bytes are taken into memory when the object is made: the engine asks for rows from
 * background work, where no file of Python's can be read. */
typedef struct {
    adder_bmp_t bmp;
    uint8_t *bytes, *cache;
    size_t len;
    bool made;
    py_field_t shader;
} ondisk_obj_t;

extern const py_class_t ondisk_class;

/* ---- shaders ---- */

typedef struct {
    adder_palette_t *palette; /* &own, or one in static storage (the terminal's) */
    adder_palette_t own;
    adder_color_t *colors;
} palette_obj_t;

typedef struct {
    adder_converter_t converter;
    bool made;
} converter_obj_t;

typedef struct {
    adder_mapper_t mapper;
    uint32_t *map; /* NULL until bound to a tilegrid */
    adder_shader_t inner;
    uint16_t input_count;
    py_field_t shader;
    bool made;
} mapper_obj_t;

extern const py_class_t palette_class, converter_class, mapper_class;
extern const py_enum_t colorspace_enum;

py_t palette_make(uint16_t count, palette_obj_t **out);
py_t palette_wrap(adder_palette_t *palette);
/* An int, a buffer of 3 or 4 bytes, a tuple or list of three: 0x00RRGGBB. */
bool color_value(py_t v, uint32_t *rgb_out);
/* The engine's view of a Palette or ColorConverter (and, if allowed, a TilePaletteMapper); TypeError. */
bool shader_arg(py_t v, bool mapper_too, adder_shader_t *out);
/* Give a mapper its cells when a tilegrid takes it. */
bool mapper_bind(py_t v, uint16_t width, uint16_t height);

/* ---- layers ---- */

/* Base of Group, TileGrid and the vector shapes: each struct starts with an adder_layer_t, whose `user`
 * is the layer meant: itself, or one in static storage (the terminal's). NULL: not initialised. */
extern const py_class_t layer_class, group_class, tilegrid_class;

static inline adder_layer_t *layer_of(void *s)
{
    return ((adder_layer_t *)s)->user;
}

/* After the engine's init of the struct `s` starts with. */
static inline void layer_made(void *s)
{
    ((adder_layer_t *)s)->user = s;
}

void layer_fini(void *s); /* out of its group */

typedef struct {
    adder_group_t group;
    py_field_t members; /* a list, same order as the engine's */
    bool fixed;         /* the terminal's: members may not change */
} group_obj_t;

typedef struct {
    adder_tilegrid_t grid;
    void *cells;
    py_field_t bitmap, shader;
    bool fixed;
} tilegrid_obj_t;

/* Python's view of layers in static storage. */
py_t group_wrap(adder_group_t *group, const py_t *members, size_t n);
py_t tilegrid_wrap(adder_tilegrid_t *grid, py_t bitmap, py_t shader);

extern const py_class_t circle_class, rectangle_class, polygon_class;

/* ---- fonts ---- */

extern const py_namedtuple_t glyph_namedtuple;
extern const py_class_t builtinfont_class;
py_t font_object(void); /* terminalio.FONT, one per VM */

/* What a BuiltinFont draws from; font NULL: `v` is another font. */
typedef struct {
    const adder_font_t *font;
    const adder_bitmap_t *bitmap;
} font_view_t;
void font_view(py_t v, font_view_t *out);

/* ---- displays: display_pool.c ---- */

/* A group that dies is taken off the display that shows it. */
void display_forget_group(adder_group_t *group);
py_t terminal_group_object(void); /* CIRCUITPYTHON_TERMINAL, one per VM */
bool display_release_all(void);

#endif
