/* adafruit_display_text._layout: what python/lib/adafruit_display_text lays out and draws text with. */
#include <string.h>

#include "python/modules/display_text_int.h"

static py_t box_tuple(int32_t x, int32_t y, int32_t w, int32_t h)
{
    py_t items[4] = {py_int(x), py_int(y), py_int(w), py_int(h)};
    return py_tuple(items, 4);
}

/* ---- measuring ---- */

static const py_arg_t metrics_args[] = {PY_REQ_OBJ("font"), PY_END};

/* (ascent, descent) of a font that does not say: of its tallest and lowest letters. */
static py_t metrics(const py_val_t *a)
{
    static const char letters[] = "M j'";
    font_view_t builtin;
    int32_t ascent = 0, descent = 0;
    font_view(a[0].obj, &builtin);
    for (size_t i = 0; letters[i] != '\0'; i++) {
        adder_glyph_t g;
        if (!display_glyph_of(a[0].obj, &builtin, (uint32_t)letters[i], &g))
            return PY_NULL;
        if (g.bitmap == NULL)
            continue;
        ascent = g.height + g.dy > ascent ? g.height + g.dy : ascent;
        descent = -g.dy > descent ? -g.dy : descent;
    }
    py_t items[2] = {py_int(ascent), py_int(descent)};
    return py_tuple(items, 2);
}

static const py_arg_t advance_args[] = {PY_REQ_OBJ("font"), PY_REQ_STR("text"), PY_END};

/* Pixels that the pen moves, line ends not counted. */
static py_t advance(const py_val_t *a)
{
    display_text_t t;
    int64_t sum = 0;
    if (!display_text_of(a[0].obj, &a[1], &t))
        return PY_NULL;
    for (size_t i = 0; i < t.count; i++)
        sum += t.glyphs[i].shift_x;
    display_text_done(&t);
    return py_int(sum);
}

/* (left, right) of a text's bounding box. */
static py_t extent(const py_val_t *a)
{
    display_text_t t;
    adder_text_size_t size;
    if (!display_text_of(a[0].obj, &a[1], &t))
        return PY_NULL;
    const adder_text_t text = {t.glyphs, t.count, ADDER_TEXT_LTR, 0, 0};
    adder_text_measure(&text, &size);
    display_text_done(&t);
    py_t items[2] = {py_int(size.box.x1), py_int(size.box.x2)};
    return py_tuple(items, 2);
}

/* ---- labels ---- */

/* A bitmap for a label's text: `old` if it has that size, so that only what differs is repainted. */
typedef struct {
    py_t object, old;
    adder_bitmap_t *bitmap;
} sheet_t;

static bool sheet_make(sheet_t *s, py_t old, int64_t width, int64_t height, uint32_t values)
{
    bitmap_obj_t *made;
    s->old = old;
    if (width > 32767 || height > 32767)
        return py_fail(py_raise(PY_ValueError, "text is too large"));
    s->object = bitmap_make((uint16_t)width, (uint16_t)height, values, &made);
    if (py_null(s->object))
        return false;
    s->bitmap = &made->bitmap;
    return true;
}

static py_t sheet_done(sheet_t *s)
{
    bitmap_obj_t *old = py_is_none(s->old) ? NULL : py_struct(s->old, &bitmap_class);
    if (old != NULL && old->bitmap.pixels != NULL && adder_bitmap_become(&old->bitmap, s->bitmap) == ADDER_OK)
        return s->old;
    return s->object;
}

#define PIXELS(name) PY_REQ_INT(name, INT16_MIN, INT16_MAX)

enum { T_OLD, T_FONT, T_TEXT, T_BASELINE, T_ADVANCE, T_ASCENT, T_DESCENT, T_TIGHT, T_PADDING };

#define TEXT_ARGS                                                                                            \
    [T_OLD] = PY_REQ_OBJ("old"), [T_FONT] = PY_REQ_OBJ("font"), [T_TEXT] = PY_REQ_STR("text"),               \
    [T_BASELINE] = PIXELS("baseline"), [T_ADVANCE] = PY_REQ_FLOAT("advance"), [T_ASCENT] = PIXELS("ascent"), \
    [T_DESCENT] = PIXELS("descent"), [T_TIGHT] = PY_REQ_BOOL("tight"), [T_PADDING] = PY_REQ_OBJ("padding")

/* (top, bottom, left, right) around a text. */
typedef struct {
    int32_t top, bottom, left, right;
} padding_t;

static bool padding_of(const py_val_t *a, padding_t *out)
{
    static const char *const names[] = {"padding_top", "padding_bottom", "padding_left", "padding_right"};
    int64_t v[4];
    for (size_t i = 0; i < 4; i++) {
        py_t side = py_item_at(a[T_PADDING].obj, i);
        if (py_null(side) || !display_int(side, names[i], INT16_MIN, INT16_MAX, &v[i]))
            return false;
    }
    *out = (padding_t){(int32_t)v[0], (int32_t)v[1], (int32_t)v[2], (int32_t)v[3]};
    return true;
}

enum { L_DIRECTION = T_PADDING + 1, L_BACKGROUND };

static const py_arg_t label_args[] = {TEXT_ARGS, [L_DIRECTION] = PY_REQ_INT("direction", 0, ADDER_TEXT_TTB),
                                      [L_BACKGROUND] = PY_REQ_BOOL("background"), PY_END};

/* Whole pixels of a line spacing. */
static int16_t rows(double v)
{
    return v >= 32767.0 ? 32767 : v <= -32767.0 ? -32767 : (int16_t)v;
}

/* The rectangle behind a label's text. */
static adder_text_box_t background_of(const py_val_t *a, const adder_text_t *text,
                                      const adder_text_size_t *size, const padding_t *padding)
{
    const int32_t baseline = (int32_t)a[T_BASELINE].i, ascent = (int32_t)a[T_ASCENT].i;
    const int32_t top = padding->top, bottom = padding->bottom, left = padding->left, right = padding->right;
    adder_text_box_t b = size->box;
    if (a[T_TIGHT].b) {
        if (text->direction == ADDER_TEXT_TTB) {
            b.x2 -= b.x1;
            b.x1 = 0;
        }
        return b;
    }
    const int32_t across = ascent + (int32_t)a[T_DESCENT].i + rows((size->lines - 1) * a[T_ADVANCE].f);
    switch (text->direction) {
    case ADDER_TEXT_UPR:
        b.x1 = baseline - ascent - top;
        b.x2 = b.x1 + across + top + bottom;
        b.y1 -= right;
        b.y2 += left;
        return b;
    case ADDER_TEXT_DWR:
        b.x2 = baseline + (int32_t)a[T_DESCENT].i + top;
        b.x1 = b.x2 - across - top - bottom;
        b.y2 += right - b.y1;
        b.y1 = -left;
        return b;
    case ADDER_TEXT_TTB:
        b.x1 = -left;
        b.x2 = across + right;
        b.y1 -= top;
        b.y2 += bottom;
        return b;
    default:
        b.x1 -= left;
        b.x2 += right;
        b.y1 = baseline - ascent - top;
        b.y2 = b.y1 + across + top + bottom;
        return b;
    }
}

/* (bitmap, x, y, (x, y, width, height)): value 1 is the text, 2 the background. None: nothing to show. */
static py_t label(const py_val_t *a)
{
    display_text_t t;
    sheet_t sheet;
    adder_text_size_t size;
    padding_t padding;
    if (!padding_of(a, &padding) || !display_text_of(a[T_FONT].obj, &a[T_TEXT], &t))
        return PY_NULL;
    const adder_text_t text = {t.glyphs, t.count, (adder_text_direction_t)a[L_DIRECTION].i,
                               (int16_t)a[T_BASELINE].i, rows(a[T_ADVANCE].f)};
    adder_text_measure(&text, &size);
    adder_text_box_t all = size.ink,
                     behind = size.lines > 0 ? background_of(a, &text, &size, &padding) : size.box;
    const bool filled = a[L_BACKGROUND].b && behind.x1 < behind.x2 && behind.y1 < behind.y2;
    if (filled && all.x1 >= all.x2) {
        all = behind;
    } else if (filled) {
        all.x1 = behind.x1 < all.x1 ? behind.x1 : all.x1;
        all.y1 = behind.y1 < all.y1 ? behind.y1 : all.y1;
        all.x2 = behind.x2 > all.x2 ? behind.x2 : all.x2;
        all.y2 = behind.y2 > all.y2 ? behind.y2 : all.y2;
    }
    if (all.x1 >= all.x2 || all.y1 >= all.y2) {
        display_text_done(&t);
        return py_none();
    }
    if (!sheet_make(&sheet, a[T_OLD].obj, (int64_t)all.x2 - all.x1, (int64_t)all.y2 - all.y1, 3)) {
        display_text_done(&t);
        return PY_NULL;
    }
    if (filled) {
        const adder_area_t area = {(int16_t)(behind.x1 - all.x1), (int16_t)(behind.y1 - all.y1),
                                   (int16_t)(behind.x2 - all.x1), (int16_t)(behind.y2 - all.y1)};
        ADDER_IGNORE(adder_fill_region(sheet.bitmap, area, 2), "it lies within");
    }
    adder_text_draw(sheet.bitmap, &text, -all.x1, -all.y1, 1);
    display_text_done(&t);
    py_t items[4] = {
        sheet_done(&sheet), py_int(all.x1), py_int(all.y1),
        box_tuple(size.box.x1, size.box.y1, size.box.x2 - size.box.x1, size.box.y2 - size.box.y1)};
    return py_tuple(items, 4);
}

enum { B_VALUES = T_PADDING + 1, B_OUTLINE, B_FLAGS, B_ACCENTS };
enum { REVERSE = 1, ON_BASELINE = 2 }; /* B_FLAGS */

static const py_arg_t bitmap_label_args[] = {TEXT_ARGS,
                                             [B_VALUES] = PY_REQ_INT("values", 1, 65536),
                                             [B_OUTLINE] = PY_REQ_INT("outline_size", 0, 32767),
                                             [B_FLAGS] = PY_REQ_INT("flags", 0, 3),
                                             [B_ACCENTS] = PY_REQ_OBJ("accents"),
                                             PY_END};

/* The letters of each line the other way round. */
static void reverse_lines(display_text_t *t)
{
    for (size_t start = 0, end; start < t->count; start = end + 1) {
        for (end = start; end < t->count && !t->glyphs[end].line_end;)
            end++;
        for (size_t a = start, z = end; a + 1 < z; a++) {
            const adder_glyph_t keep = t->glyphs[--z];
            t->glyphs[z] = t->glyphs[a];
            t->glyphs[a] = keep;
        }
    }
}

/* Accents: (start, end, color, color behind, pixels of an outline or 0) each. */
static bool accents_draw(adder_bitmap_t *bitmap, const adder_text_t *text, int32_t x, int32_t y,
                         const py_val_t *a)
{
    size_t n;
    if (!py_len(a[B_ACCENTS].obj, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        int64_t v[5];
        static const char *const names[] = {"start", "end", "foreground_color", "background_color",
                                            "outline_size"};
        py_scope_t scope = py_scope_open();
        py_t accent = py_item_at(a[B_ACCENTS].obj, i);
        bool ok = !py_null(accent);
        for (size_t k = 0; ok && k < 5; k++) {
            py_t item = py_item_at(accent, k);
            ok = !py_null(item) && display_int(item, names[k], 0, INT32_MAX, &v[k]);
        }
        py_scope_close(scope);
        if (!ok)
            return false;
        const adder_text_accent_t how = {.start = (size_t)v[0],
                                         .end = (size_t)v[1],
                                         .color = (uint32_t)v[2],
                                         .behind = (uint32_t)v[3],
                                         .outline = (uint16_t)(v[4] > 255 ? 255 : v[4]),
                                         .ascent = (int16_t)a[T_ASCENT].i,
                                         .descent = (int16_t)a[T_DESCENT].i};
        adder_text_accent(bitmap, text, x, y, &how);
    }
    return true;
}

static bool outlined(adder_bitmap_t *bitmap, uint16_t size)
{
    return adder_text_outline(bitmap, 1, 2, size) == ADDER_OK ||
           py_fail(py_raise(
               PY_ValueError,
               "Padding must be big enough to fit outline_size all the way around the text. Try using "
               "either larger padding sizes, or smaller outline_size."));
}

/* (bitmap, x, y, (x, y, width, height), missing): the glyphs' own values. No bitmap: nothing to show. */
static py_t bitmap_label(const py_val_t *a)
{
    display_text_t t;
    sheet_t sheet;
    adder_text_size_t size;
    padding_t padding;
    if (!padding_of(a, &padding) || !display_text_of(a[T_FONT].obj, &a[T_TEXT], &t))
        return PY_NULL;
    const adder_text_t text = {t.glyphs, t.count, ADDER_TEXT_LTR, (int16_t)a[T_BASELINE].i,
                               rows(a[T_ADVANCE].f)};
    adder_text_measure(&text, &size);
    const bool tight = a[T_TIGHT].b;
    if (tight)
        padding = (padding_t){0};
    const int32_t left = padding.left, top = padding.top;
    const int32_t more_x = left + padding.right, more_y = top + padding.bottom;
    const int32_t outline = (int32_t)a[B_OUTLINE].i, ascent = (int32_t)a[T_ASCENT].i;
    const int32_t w = size.box.x2 - size.box.x1, h = size.box.y2 - size.box.y1;
    const int32_t y0 = tight ? size.box.y1 : text.baseline - ascent;
    const int32_t y = (a[B_FLAGS].i & ON_BASELINE) != 0 ? y0 - text.baseline : y0;
    const int32_t loose = ascent + (int32_t)a[T_DESCENT].i + (int32_t)(size.lines - 1) * text.advance;
    const int32_t width = w + more_x + 2 * outline, height = (tight ? h : loose) + more_y + 2 * outline;
    py_t missing = py_null(t.missing) ? py_none() : t.missing;
    if (size.lines == 0 || width <= 0 || height <= 0) {
        display_text_done(&t);
        py_t nothing[5] = {py_none(), py_int(0), py_int(0), box_tuple(0, 0, 0, 0), missing};
        return py_tuple(nothing, 5);
    }
    if (!sheet_make(&sheet, a[T_OLD].obj, width, height, (uint32_t)a[B_VALUES].i)) {
        display_text_done(&t);
        return PY_NULL;
    }
    if ((a[B_FLAGS].i & REVERSE) != 0)
        reverse_lines(&t);
    const int32_t at_x = left - size.box.x1, at_y = top - y0;
    adder_text_draw(sheet.bitmap, &text, at_x, at_y, ADDER_TEXT_AS_IS);
    const bool ok = (outline == 0 || outlined(sheet.bitmap, (uint16_t)outline)) &&
                    accents_draw(sheet.bitmap, &text, at_x, at_y, a);
    display_text_done(&t);
    if (!ok)
        return PY_NULL;
    py_t items[5] = {sheet_done(&sheet), py_int(size.box.x1 - left), py_int(y - top),
                     box_tuple(size.box.x1, y, w, h), missing};
    return py_tuple(items, 5);
}

/* ---- into any bitmap ---- */

static const py_arg_t draw_args[] = {PY_REQ_OBJ("bitmap"),
                                     PY_REQ_OBJ("font"),
                                     PY_REQ_STR("text"),
                                     PIXELS("x"),
                                     PIXELS("baseline"),
                                     PIXELS("advance"),
                                     PY_REQ_INT("value", -1, 65535),
                                     PY_END};

static py_t draw(const py_val_t *a)
{
    display_text_t t;
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    if (b == NULL || !display_text_of(a[1].obj, &a[2], &t))
        return PY_NULL;
    const adder_text_t text = {t.glyphs, t.count, ADDER_TEXT_LTR, 0, (int16_t)a[5].i};
    adder_text_draw(b, &text, (int32_t)a[3].i, (int32_t)a[4].i, (int32_t)a[6].i);
    display_text_done(&t);
    return py_none();
}

static const py_arg_t outline_args[] = {PY_REQ_OBJ("bitmap"), PY_REQ_INT("size", 0, 32767), PY_END};

static py_t outline(const py_val_t *a)
{
    adder_bitmap_t *b = bitmaptools_dest(a[0].obj, "bitmap");
    return b != NULL && outlined(b, (uint16_t)a[1].i) ? py_none() : PY_NULL;
}

static const py_function_t functions[] = {
    {"metrics", metrics, metrics_args, "(ascent, descent) of a font that does not say."},
    {"advance", advance, advance_args, "How far a text moves the pen."},
    {"extent", extent, advance_args, "(left, right) of a text's bounding box."},
    {"label", label, label_args, "A text with its background, in any direction, in a bitmap of its own."},
    {"bitmap_label", bitmap_label, bitmap_label_args,
     "A text as it is, with an outline, in a bitmap of its own."},
    {"draw", draw, draw_args, "A text into a bitmap."},
    {"outline", outline, outline_args, "A stroke around a text in a bitmap."},
    PY_END};

const py_module_t display_text_module = {.name = "adafruit_display_text._layout", .functions = functions};
