/* The glyphs of a text in any font: the built-in one is read directly, others by their methods. */
#include "python/modules/display_text_int.h"

#include <string.h>

void display_text_done(display_text_t *t)
{
    py_free(t->glyphs);
}

/* The next character of UTF-8 that Python has made: well formed, but for lone surrogates. */
static uint32_t next_character(const char *utf8, size_t len, size_t *at)
{
    const uint8_t *p = (const uint8_t *)utf8 + *at;
    const size_t left = len - *at, need = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    const size_t n = need < left ? need : left;
    uint32_t c = need == 1 ? p[0] : p[0] & (0xFFu >> (need + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3Fu);
    *at += n;
    return c;
}

static bool number(py_t glyph, bool tuple, size_t i, const char *name, int64_t lo, int64_t hi, int64_t *out)
{
    py_t v = tuple ? py_item_at(glyph, i) : py_attr(glyph, name);
    return !py_null(v) && display_int(v, name, lo, hi, out);
}

/* What get_glyph() gave: a fontio.Glyph, or anything with its attributes. *bitmap_out keeps the pixels. */
static bool glyph_from(py_t glyph, adder_glyph_t *out, py_t *bitmap_out)
{
    int64_t tile, v[6];
    static const char *const names[] = {"width", "height", "dx", "dy", "shift_x", "shift_y"};
    const bool tuple = py_is_tuple(glyph);
    *bitmap_out = tuple ? py_item_at(glyph, 0) : py_attr(glyph, "bitmap");
    adder_bitmap_t *bitmap = py_null(*bitmap_out) ? NULL : bitmaptools_bitmap(*bitmap_out, "bitmap");
    if (bitmap == NULL || !number(glyph, tuple, 1, "tile_index", 0, 65535, &tile))
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!number(glyph, tuple, i + 2, names[i], i < 2 ? 0 : INT16_MIN, INT16_MAX, &v[i]))
            return false;
    *out = (adder_glyph_t){.bitmap = bitmap,
                           .width = (uint16_t)v[0],
                           .height = (uint16_t)v[1],
                           .dx = (int16_t)v[2],
                           .dy = (int16_t)v[3],
                           .shift_x = (int16_t)v[4],
                           .shift_y = (int16_t)v[5]};
    const int64_t across = v[0] > 0 ? bitmap->width / v[0] : 0;
    if (across > 0) {
        out->left = (uint16_t)(tile % across * v[0]);
        out->top = (uint16_t)(tile / across * v[1]);
    }
    return true;
}

bool display_glyph_of(py_t font, const font_view_t *builtin, uint32_t c, adder_glyph_t *out)
{
    if (builtin->font != NULL) {
        adder_glyph_of_font(builtin->font, builtin->bitmap, c, out);
        return true;
    }
    py_scope_t scope = py_scope_open();
    py_t code = py_int((int64_t)c), glyph = py_call_method(font, "get_glyph", &code, 1), bitmap = PY_NULL;
    *out = (adder_glyph_t){0};
    bool ok = !py_null(glyph) && (py_is_none(glyph) || glyph_from(glyph, out, &bitmap));
    py_scope_close_keep(scope, bitmap); /* until the text is drawn */
    return ok;
}

static bool note_missing(display_text_t *t, const char *utf8, size_t len)
{
    if (py_null(t->missing) && py_null(t->missing = py_list(NULL, 0)))
        return false;
    return py_list_append(t->missing, py_str_n(utf8, len));
}

/* A font that can load several glyphs at once is asked to. */
bool display_text_of(py_t font, const py_val_t *text, display_text_t *t)
{
    font_view_t builtin;
    py_t load;
    memset(t, 0, sizeof *t);
    font_view(font, &builtin);
    if (text->str_len == 0)
        return true;
    if (builtin.font == NULL && !py_is_none(font) && py_attr_try(font, "load_glyphs", &load) &&
        py_null(py_call(load, &text->obj, 1)))
        return false;
    if (py_error() || (t->glyphs = py_alloc(text->str_len * sizeof *t->glyphs)) == NULL)
        return false;
    for (size_t at = 0; at < text->str_len;) {
        const size_t start = at;
        const uint32_t c = next_character(text->str, text->str_len, &at);
        adder_glyph_t *g = &t->glyphs[t->count++];
        if (c == '\n') {
            g->line_end = true;
            continue;
        }
        if (display_glyph_of(font, &builtin, c, g) &&
            (g->bitmap != NULL || note_missing(t, text->str + start, at - start)))
            continue;
        display_text_done(t);
        return false;
    }
    return true;
}
