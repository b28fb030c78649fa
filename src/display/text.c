/* Text into bitmaps. */
#include <string.h>

#include "adder/display/text.h"
#include "display_int.h"

bool adder_glyph_of_font(const adder_font_t *font, const adder_bitmap_t *bitmap, uint32_t code_point,
                         adder_glyph_t *out)
{
    uint16_t tile;
    *out = (adder_glyph_t){0};
    if (!adder_font_glyph(font, code_point, &tile))
        return false;
    *out = (adder_glyph_t){.bitmap = bitmap,
                           .left = (uint16_t)(tile * font->width),
                           .width = font->width,
                           .height = font->height,
                           .shift_x = font->width};
    return true;
}

/* ---- placing ---- */

typedef struct {
    int32_t x, y;
} pen_t;

/* The glyph's pixels on the text's plane. */
static adder_text_box_t placed(const adder_text_t *t, const adder_glyph_t *g, const pen_t *pen)
{
    const int32_t w = g->width, h = g->height;
    int32_t x = 0, y = 0;
    switch (t->direction) {
    case ADDER_TEXT_LTR:
        x = pen->x + g->dx;
        y = pen->y + t->baseline - h - g->dy;
        return (adder_text_box_t){x, y, x + w, y + h};
    case ADDER_TEXT_RTL:
        x = pen->x - w;
        y = pen->y + t->baseline - h - g->dy;
        return (adder_text_box_t){x, y, x + w, y + h};
    case ADDER_TEXT_UPR:
        x = pen->x + t->baseline - h - g->dy;
        y = pen->y - w - g->dx;
        break;
    case ADDER_TEXT_DWR:
        x = pen->x - t->baseline + g->dy;
        y = pen->y + g->dx;
        break;
    default:
        x = pen->x + t->baseline - w / 2;
        y = pen->y + g->dy;
        return (adder_text_box_t){x, y, x + w, y + h};
    }
    return (adder_text_box_t){x, y, x + h, y + w}; /* turned */
}

/* Far outside any bitmap, and far from overflow: where a pen stops that runs away. */
#define PEN_MAX (1 << 28)

static int32_t moved(int32_t at, int64_t by)
{
    const int64_t to = at + by;
    return to > PEN_MAX ? PEN_MAX : to < -PEN_MAX ? -PEN_MAX : (int32_t)to;
}

static void move_on(const adder_text_t *t, const adder_glyph_t *g, pen_t *pen)
{
    switch (t->direction) {
    case ADDER_TEXT_LTR:
        pen->x = moved(pen->x, g->shift_x);
        return;
    case ADDER_TEXT_RTL:
        pen->x = moved(pen->x, -g->shift_x);
        return;
    case ADDER_TEXT_UPR:
        pen->y = moved(pen->y, -g->shift_x);
        return;
    case ADDER_TEXT_DWR:
        pen->y = moved(pen->y, g->shift_x);
        return;
    default: /* what is no more than a dot is a space */
        pen->y = moved(pen->y, g->width <= 1 && g->height <= 1 ? g->shift_x : g->height + 1);
        return;
    }
}

/* To the next line: below, or beside when the text is turned. */
static void new_line(const adder_text_t *t, uint32_t ends, pen_t *pen)
{
    const int64_t by = (int64_t)ends * t->advance;
    switch (t->direction) {
    case ADDER_TEXT_UPR:
        pen->x = moved(pen->x, by);
        pen->y = 0;
        return;
    case ADDER_TEXT_DWR:
        pen->x = moved(pen->x, -by);
        pen->y = 0;
        return;
    default:
        pen->x = 0;
        pen->y = moved(pen->y, by);
        return;
    }
}

/* ---- measuring ---- */

static int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t greater(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void unite(adder_text_box_t *all, const adder_text_box_t *one)
{
    if (one->x1 >= one->x2 || one->y1 >= one->y2)
        return;
    if (all->x1 >= all->x2) {
        *all = *one;
        return;
    }
    all->x1 = lesser(all->x1, one->x1);
    all->y1 = lesser(all->y1, one->y1);
    all->x2 = greater(all->x2, one->x2);
    all->y2 = greater(all->y2, one->y2);
}

/* A label's box is not quite that of its ink: along the line it starts at 0 (or where a line but the first
 * starts further out) and reaches to the pen or the ink, whichever is further; across, it starts at the top
 * of line 1. Programs align by it, so each direction has Adafruit's edges. Turned: as if all lines were the
 * first. */
static void box_of(const adder_text_t *t, const adder_glyph_t *g, const pen_t *pen, const pen_t *after,
                   bool starts_further, uint32_t line, adder_text_box_t *box)
{
    const int32_t w = g->width, h = g->height, base = t->baseline;
    switch (t->direction) {
    case ADDER_TEXT_LTR:
        if (starts_further)
            box->x1 = lesser(box->x1, g->dx);
        box->x2 = greater(box->x2, greater(after->x, pen->x + w + g->dx));
        if (line == 1)
            box->y1 = lesser(box->y1, base - h - g->dy);
        box->y2 = greater(box->y2, pen->y + base - g->dy);
        return;
    case ADDER_TEXT_RTL:
        box->x1 = lesser(box->x1, lesser(after->x, pen->x - w - g->dx));
        if (line == 1)
            box->y1 = lesser(box->y1, base - h - g->dy);
        box->y2 = greater(box->y2, pen->y + base - g->dy);
        return;
    case ADDER_TEXT_UPR:
        box->y1 = lesser(box->y1, lesser(after->y, pen->y - w - g->dx));
        box->x1 = lesser(box->x1, base - h);
        box->x2 = greater(box->x2, h - g->dy); /* how wide, until all are seen */
        return;
    case ADDER_TEXT_DWR:
        box->y1 = lesser(box->y1, -g->dx);
        box->y2 = greater(box->y2, greater(after->y, pen->y + w + g->dx));
        box->x1 = lesser(box->x1, -base - g->dy);
        box->x2 = greater(box->x2, h); /* how wide */
        return;
    default:
        box->x1 = lesser(box->x1, g->dx);
        box->x2 = greater(box->x2, greater(g->shift_x, w) + g->dx);
        box->y2 = greater(box->y2, pen->y + h);
        return;
    }
}

void adder_text_measure(const adder_text_t *t, adder_text_size_t *out)
{
    pen_t pen = {0, 0};
    uint32_t ends = 0;
    bool line_starts = true, seen = false;
    memset(out, 0, sizeof *out);
    adder_text_box_t box = {0, 0, 0, 0};
    uint32_t line = 1;
    for (size_t i = 0; i < t->count; i++) {
        const adder_glyph_t *g = &t->glyphs[i];
        if (g->line_end) {
            ends++;
            continue;
        }
        if (g->bitmap == NULL)
            continue;
        if (ends > 0) { /* ends at the end of a text make no line */
            new_line(t, ends, &pen);
            line += ends;
            ends = 0;
            line_starts = true;
        }
        pen_t after = pen;
        move_on(t, g, &after);
        box_of(t, g, &pen, &after, line_starts && seen, line, &box);
        const adder_text_box_t ink = placed(t, g, &pen);
        unite(&out->ink, &ink);
        pen = after;
        line_starts = false;
        seen = true;
    }
    if (!seen)
        return;
    out->lines = line;
    const int32_t more = moved(0, (int64_t)(line - 1) * t->advance);
    if (t->direction == ADDER_TEXT_UPR) {
        box.x2 += box.x1 + more;
    } else if (t->direction == ADDER_TEXT_DWR) {
        box.x2 += box.x1;
        box.x1 -= more;
    }
    out->box = box;
}

/* ---- drawing ---- */

static void draw_glyph(adder_bitmap_t *b, const adder_text_t *t, const adder_glyph_t *g,
                       const adder_text_box_t *at, int32_t value)
{
    const uint32_t most = adder_bitmap_max(b);
    for (int32_t y = greater(at->y1, 0); y < lesser(at->y2, b->height); y++) {
        uint8_t *row = bitmap_row_mut(b, (uint32_t)y);
        for (int32_t x = greater(at->x1, 0); x < lesser(at->x2, b->width); x++) {
            int32_t u = x - at->x1, v = y - at->y1;
            if (t->direction == ADDER_TEXT_UPR) {
                u = at->y2 - 1 - y;
                v = x - at->x1;
            } else if (t->direction == ADDER_TEXT_DWR) {
                u = y - at->y1;
                v = at->x2 - 1 - x;
            }
            uint32_t found = adder_bitmap_get(g->bitmap, g->left + u, g->top + v);
            if (value >= 0)
                found = found == 1 ? (uint32_t)value & most : 0;
            if (found != 0 && found <= most)
                pixel_put(row, b->bits, (uint32_t)x, found);
        }
    }
    const adder_area_t drawn = area_clamp(at->x1, at->y1, at->x2, at->y2);
    adder_bitmap_dirty(b, &drawn);
}

/* Each glyph of a text with its place on a bitmap. */
typedef struct {
    const adder_text_t *text;
    size_t next;
    pen_t pen;
    const adder_glyph_t *glyph;
    size_t index;
    adder_text_box_t at;
    int32_t from, to; /* the pen, before and after, on the bitmap; the row of the baseline */
    int32_t baseline;
} walk_t;

static bool walk(walk_t *w, int32_t x, int32_t y)
{
    uint32_t ends = 0;
    for (; w->next < w->text->count; w->next++) {
        const adder_glyph_t *g = &w->text->glyphs[w->next];
        if (g->line_end) {
            ends++;
            continue;
        }
        if (g->bitmap == NULL)
            continue;
        if (ends > 0)
            new_line(w->text, ends, &w->pen);
        w->glyph = g;
        w->index = w->next++;
        w->at = placed(w->text, g, &w->pen);
        w->at = (adder_text_box_t){w->at.x1 + x, w->at.y1 + y, w->at.x2 + x, w->at.y2 + y};
        w->baseline = w->pen.y + w->text->baseline + y;
        w->from = w->pen.x + x;
        move_on(w->text, g, &w->pen);
        w->to = w->pen.x + x;
        return true;
    }
    return false;
}

/* A glyph that would start left of the bitmap starts at its edge. */
static void keep_inside(adder_text_box_t *at)
{
    if (at->x1 < 0) {
        at->x2 -= at->x1;
        at->x1 = 0;
    }
}

void adder_text_draw(adder_bitmap_t *b, const adder_text_t *t, int32_t x, int32_t y, int32_t value)
{
    walk_t w = {.text = t};
    if (!adder_bitmap_writable(b))
        return;
    while (walk(&w, x, y)) {
        if (value == ADDER_TEXT_AS_IS)
            keep_inside(&w.at);
        draw_glyph(b, t, w.glyph, &w.at, value);
    }
}

void adder_text_accent(adder_bitmap_t *b, const adder_text_t *t, int32_t x, int32_t y,
                       const adder_text_accent_t *accent)
{
    if (!adder_bitmap_writable(b))
        return;
    const adder_area_t all = {0, 0, (int16_t)b->width, (int16_t)b->height};
    for (unsigned pass = 0; pass < 2; pass++) { /* all that lies behind, then all letters */
        walk_t w = {.text = t};
        while (walk(&w, x, y)) {
            if (w.index < accent->start || w.index >= accent->end)
                continue;
            keep_inside(&w.at);
            if (pass == 1) {
                draw_glyph(b, t, w.glyph, &w.at, (int32_t)accent->color);
                continue;
            }
            const int32_t size = accent->outline;
            adder_area_t area = area_clamp(lesser(w.from, w.at.x1), w.baseline - accent->ascent,
                                           greater(w.to, w.at.x2), w.baseline + accent->descent);
            if (size == 0) {
                if (adder_area_intersect(&area, &all, &area))
                    ADDER_IGNORE(adder_fill_region(b, area, accent->behind & adder_bitmap_max(b)), "inside");
                continue;
            }
            for (int32_t dy = -size; dy <= size; dy++)
                for (int32_t dx = -size; dx <= size; dx++) {
                    const adder_text_box_t at = {w.at.x1 + dx, w.at.y1 + dy, w.at.x2 + dx, w.at.y2 + dy};
                    draw_glyph(b, t, w.glyph, &at, (int32_t)accent->behind);
                }
        }
    }
}

adder_err_t adder_text_outline(adder_bitmap_t *b, uint32_t of, uint32_t outline, uint16_t size)
{
    if (!adder_bitmap_writable(b))
        return ADDER_ERR_READ_ONLY;
    for (int32_t y = 0; y < b->height; y++)
        for (int32_t x = 0; x < b->width && (x < size || y < size); x++)
            if (pixel_of(bitmap_row(b, (uint32_t)y), b->bits, (uint32_t)x) == of)
                return ADDER_ERR_RANGE;
    for (int32_t y = 0; y < b->height; y++)
        for (int32_t x = 0; x < b->width; x++) {
            if (pixel_of(bitmap_row(b, (uint32_t)y), b->bits, (uint32_t)x) != of)
                continue;
            for (int32_t v = y - size; v <= y + size && v < b->height; v++) {
                uint8_t *row = bitmap_row_mut(b, (uint32_t)v);
                for (int32_t u = x - size; u <= x + size && u < b->width; u++)
                    if (pixel_of(row, b->bits, (uint32_t)u) != of)
                        pixel_put(row, b->bits, (uint32_t)u, outline & adder_bitmap_max(b));
            }
        }
    adder_bitmap_dirty(b, &(adder_area_t){0, 0, (int16_t)b->width, (int16_t)b->height});
    return ADDER_OK;
}

adder_err_t adder_bitmap_become(adder_bitmap_t *dest, const adder_bitmap_t *src)
{
    if (!adder_bitmap_writable(dest))
        return ADDER_ERR_READ_ONLY;
    if (dest->width != src->width || dest->height != src->height || dest->bits != src->bits ||
        src->pixels == NULL)
        return ADDER_ERR_ARG;
    const uint32_t per_byte = dest->bits < 8 ? 8u / dest->bits : 1u, bytes_each = dest->bits == 16 ? 2u : 1u;
    int32_t first = -1, last = -1;
    uint32_t left = dest->stride, right = 0;
    for (uint32_t y = 0; y < dest->height; y++) {
        uint8_t *to = bitmap_row_mut(dest, y);
        const uint8_t *from = bitmap_row(src, y);
        if (memcmp(to, from, dest->stride) == 0)
            continue;
        uint32_t a = 0, z = dest->stride;
        while (to[a] == from[a])
            a++;
        while (to[z - 1] == from[z - 1])
            z--;
        left = a < left ? a : left;
        right = z > right ? z : right;
        first = first < 0 ? (int32_t)y : first;
        last = (int32_t)y;
        memcpy(to, from, dest->stride);
    }
    if (first < 0)
        return ADDER_OK;
    const adder_area_t changed =
        area_clamp(left / bytes_each * per_byte, first,
                   (int64_t)(right + bytes_each - 1) / bytes_each * per_byte, last + 1);
    adder_bitmap_dirty(dest, &changed);
    return ADDER_OK;
}
