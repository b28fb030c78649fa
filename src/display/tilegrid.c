#include <string.h>

#include "display_int.h"

/* ---- sources ---- */

bool source_size(const adder_source_t *s, uint16_t *width_out, uint16_t *height_out, unsigned *bits_out)
{
    if (s->kind == ADDER_SOURCE_IS_BITMAP) {
        const adder_bitmap_t *b = s->of.bitmap;
        *width_out = b->width;
        *height_out = b->height;
        *bits_out = b->bits;
        return b->pixels != NULL;
    }
    *width_out = s->of.bmp->width;
    *height_out = s->of.bmp->height;
    *bits_out = s->of.bmp->bits <= 8 ? s->of.bmp->bits : 32;
    return true;
}

uint32_t source_revision(const adder_source_t *s)
{
    return s->kind == ADDER_SOURCE_IS_BITMAP ? s->of.bitmap->priv.revision : s->of.bmp->priv.revision;
}

/* ---- cells ---- */

static uint32_t tiles_in(const adder_tilegrid_config_t *c, uint16_t *across_out)
{
    uint16_t w, h;
    unsigned bits;
    (void)source_size(&c->source, &w, &h, &bits);
    if (c->tile_width == 0 || c->tile_height == 0 || w % c->tile_width != 0 || h % c->tile_height != 0)
        return 0;
    *across_out = (uint16_t)(w / c->tile_width);
    return (uint32_t)*across_out * (h / c->tile_height);
}

size_t adder_tilegrid_cell_bytes(const adder_tilegrid_config_t *c)
{
    uint16_t across;
    return (size_t)c->width * c->height * (tiles_in(c, &across) > 255u ? 2u : 1u);
}

adder_err_t adder_tilegrid_init(adder_tilegrid_t *t, const adder_tilegrid_config_t *c, void *cells,
                                size_t cells_len)
{
    memset(t, 0, sizeof *t);
    t->layer.kind = ADDER_LAYER_TILEGRID;
    t->layer.x = c->x;
    t->layer.y = c->y;
    uint16_t across = 0;
    const uint32_t count = tiles_in(c, &across);
    if (count == 0 || c->width == 0 || c->height == 0 || c->width > 32767u || c->height > 32767u ||
        c->shader.kind == ADDER_SHADER_IS_NONE)
        return ADDER_ERR_ARG;
    const size_t need = adder_tilegrid_cell_bytes(c);
    if (cells == NULL && need <= sizeof(void *)) {
        cells_len = sizeof(void *);
    } else if (cells == NULL || cells_len < need) {
        return ADDER_ERR_NOSPACE;
    }
    t->width = c->width;
    t->height = c->height;
    t->tile_width = c->tile_width;
    t->tile_height = c->tile_height;
    t->priv.source = c->source;
    t->priv.shader = c->shader;
    t->priv.cells = cells; /* NULL: inline, so that the struct may be copied before use */
    t->priv.wide = count > 255u;
    t->priv.tiles_across = across;
    t->priv.tile_count = count;
    t->priv.seen_source = source_revision(&c->source);
    t->priv.seen_shader = shader_revision(&c->shader);
    adder_tilegrid_set_all(t, c->default_tile);
    return ADDER_OK;
}

static inline size_t cell_index(const adder_tilegrid_t *t, uint32_t x, uint32_t y)
{
    return (size_t)y * t->width + x;
}

static inline uint16_t cell_get(const adder_tilegrid_t *t, size_t i)
{
    if (t->priv.wide)
        return t->priv.cells != NULL ? ((const uint16_t *)t->priv.cells)[i] : t->priv.inline_cells.wide[i];
    return t->priv.cells != NULL ? ((const uint8_t *)t->priv.cells)[i] : t->priv.inline_cells.bytes[i];
}

static inline void cell_put(adder_tilegrid_t *t, size_t i, uint16_t tile)
{
    if (t->priv.wide) {
        uint16_t *cells = t->priv.cells != NULL ? t->priv.cells : t->priv.inline_cells.wide;
        cells[i] = tile;
    } else {
        uint8_t *cells = t->priv.cells != NULL ? t->priv.cells : t->priv.inline_cells.bytes;
        cells[i] = (uint8_t)tile;
    }
}

uint16_t tilegrid_cell(const adder_tilegrid_t *t, uint32_t x, uint32_t y)
{
    return cell_get(t, cell_index(t, x, y));
}

/* The column or row a cell is shown in. */
static uint16_t unscrolled(uint16_t at, uint16_t scroll, uint16_t size)
{
    scroll = (uint16_t)(scroll % size);
    return (uint16_t)(at >= scroll ? at - scroll : at + size - scroll);
}

adder_err_t adder_tilegrid_set(adder_tilegrid_t *t, uint16_t x, uint16_t y, uint16_t tile)
{
    if (x >= t->width || y >= t->height || tile >= t->priv.tile_count)
        return ADDER_ERR_RANGE;
    const size_t i = cell_index(t, x, y);
    if (cell_get(t, i) == tile)
        return ADDER_OK;
    cell_put(t, i, tile);
    const int16_t sx = (int16_t)unscrolled(x, t->scroll_x, t->width);
    const int16_t sy = (int16_t)unscrolled(y, t->scroll_y, t->height);
    adder_area_unite(&t->priv.changed, &(adder_area_t){sx, sy, (int16_t)(sx + 1), (int16_t)(sy + 1)});
    return ADDER_OK;
}

adder_err_t adder_tilegrid_get(const adder_tilegrid_t *t, uint16_t x, uint16_t y, uint16_t *tile_out)
{
    if (x >= t->width || y >= t->height)
        return ADDER_ERR_RANGE;
    *tile_out = cell_get(t, cell_index(t, x, y));
    return ADDER_OK;
}

void adder_tilegrid_set_all(adder_tilegrid_t *t, uint16_t tile)
{
    const size_t n = (size_t)t->width * t->height;
    for (size_t i = 0; i < n; i++)
        cell_put(t, i, tile);
    t->layer.priv.flags |= LAYER_TOUCHED;
}

adder_err_t adder_tilegrid_set_source(adder_tilegrid_t *t, adder_source_t source)
{
    uint16_t w, h, old_w, old_h;
    unsigned bits;
    (void)source_size(&t->priv.source, &old_w, &old_h, &bits);
    (void)source_size(&source, &w, &h, &bits);
    if (w != old_w || h != old_h)
        return ADDER_ERR_ARG;
    t->priv.source = source;
    t->layer.priv.flags |= LAYER_TOUCHED;
    return ADDER_OK;
}

void adder_tilegrid_set_shader(adder_tilegrid_t *t, adder_shader_t shader)
{
    t->priv.shader = shader;
    t->layer.priv.flags |= LAYER_TOUCHED;
}

bool adder_tilegrid_contains(const adder_tilegrid_t *t, int32_t x, int32_t y)
{
    const int32_t dx = x - t->layer.x, dy = y - t->layer.y;
    return dx >= 0 && dy >= 0 && dx < (int32_t)t->width * t->tile_width &&
           dy < (int32_t)t->height * t->tile_height;
}

bool tilegrid_covers(const adder_tilegrid_t *t)
{
    uint16_t w, h;
    unsigned bits;
    return source_size(&t->priv.source, &w, &h, &bits) && shader_opaque(&t->priv.shader, bits);
}

/* ---- geometry ---- */

content_size_t tilegrid_content(const adder_tilegrid_t *t)
{
    return (content_size_t){(int64_t)t->width * t->tile_width * t->layer.priv.scale,
                            (int64_t)t->height * t->tile_height * t->layer.priv.scale};
}

static adder_area_t content_to_screen(const adder_tilegrid_t *t, int64_t x1, int64_t y1, int64_t x2,
                                      int64_t y2)
{
    const content_size_t size = tilegrid_content(t);
    if (t->flip_x) {
        const int64_t old = x1;
        x1 = size.width - x2;
        x2 = size.width - old;
    }
    if (t->flip_y) {
        const int64_t old = y1;
        y1 = size.height - y2;
        y2 = size.height - old;
    }
    const int32_t left = t->layer.priv.left, top = t->layer.priv.top;
    return t->transpose_xy ? area_clamp(left + y1, top + x1, left + y2, top + x2)
                           : area_clamp(left + x1, top + y1, left + x2, top + y2);
}

adder_area_t tilegrid_footprint(const adder_tilegrid_t *t)
{
    const content_size_t size = tilegrid_content(t);
    return content_to_screen(t, 0, 0, size.width, size.height);
}

/* ---- what changed ---- */

static uint8_t flips_of(const adder_tilegrid_t *t)
{
    return (uint8_t)((t->flip_x ? 1 : 0) | (t->flip_y ? 2 : 0) | (t->transpose_xy ? 4 : 0));
}

static bool same_place(const adder_tilegrid_t *t)
{
    const adder_area_t *a = &t->layer.priv.now, *b = &t->layer.priv.shown;
    return a->x1 == b->x1 && a->y1 == b->y1 && a->x2 == b->x2 && a->y2 == b->y2 &&
           flips_of(t) == t->priv.seen_flips && t->scroll_x == t->priv.seen_scroll_x &&
           t->scroll_y == t->priv.seen_scroll_y;
}

/* Only pixels of the one tile changed: the bitmap's own dirty box, if it tells all we have not seen. */
static bool bitmap_box(const adder_tilegrid_t *t, adder_area_t *out)
{
    if (t->priv.source.kind != ADDER_SOURCE_IS_BITMAP || t->priv.tile_count != 1 || t->width != 1 ||
        t->height != 1)
        return false;
    const adder_bitmap_t *b = t->priv.source.of.bitmap;
    if (t->priv.seen_source != b->priv.base)
        return false;
    const int64_t s = t->layer.priv.scale;
    const adder_area_t *d = &b->priv.dirty;
    *out = content_to_screen(t, d->x1 * s, d->y1 * s, d->x2 * s, d->y2 * s);
    return true;
}

void tilegrid_changes(adder_tilegrid_t *t, bool all, area_sink_t sink, void *ctx)
{
    const adder_area_t *now = &t->layer.priv.now;
    const bool place = same_place(t);
    if (!place)
        sink(ctx, &t->layer.priv.shown);
    if (all || !place || (t->layer.priv.flags & LAYER_TOUCHED) != 0 ||
        shader_revision(&t->priv.shader) != t->priv.seen_shader) {
        sink(ctx, now);
        return;
    }
    adder_area_t box;
    if (source_revision(&t->priv.source) != t->priv.seen_source)
        sink(ctx, bitmap_box(t, &box) ? &box : now);
    const adder_area_t *c = &t->priv.changed;
    if (!adder_area_empty(c)) {
        const int64_t w = (int64_t)t->tile_width * t->layer.priv.scale;
        const int64_t h = (int64_t)t->tile_height * t->layer.priv.scale;
        box = content_to_screen(t, c->x1 * w, c->y1 * h, c->x2 * w, c->y2 * h);
        sink(ctx, &box);
    }
}

void tilegrid_settle(adder_tilegrid_t *t)
{
    t->priv.seen_source = source_revision(&t->priv.source);
    t->priv.seen_shader = shader_revision(&t->priv.shader);
    t->priv.seen_flips = flips_of(t);
    t->priv.seen_scroll_x = t->scroll_x;
    t->priv.seen_scroll_y = t->scroll_y;
    t->priv.changed = (adder_area_t){0, 0, 0, 0};
    t->layer.priv.flags &= (uint8_t)~LAYER_TOUCHED;
    if (t->priv.source.kind == ADDER_SOURCE_IS_BITMAP) {
        adder_bitmap_t *b = t->priv.source.of.bitmap;
        b->priv.dirty = (adder_area_t){0, 0, 0, 0};
        b->priv.base = b->priv.revision;
    }
}
