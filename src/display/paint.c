/* Tilegrids into pixels.
 *
 * A tilegrid is painted cell by cell, row by row, along the rows of its *source*: the way through the
 * buffer is two steps (one content pixel right, one down) that hold every flip, transposition and rotation.
 * So there is one loop, and the addresses only run.
 *
 * Two ways for a row of pixels. Bitmaps through a plain palette or a 565 converter onto 16-bit displays at
 * scale 1, which is nearly everything: one fused loop. Everything else: fetch up to 32 values, turn them
 * into native colours, store. */
#include <string.h>

#include "display_int.h"

/* ---- fused rows: 16 bits per pixel, scale 1 ---- */

/* `opaque`: no entry is transparent and every value has one. bits and opaque are constants. */
ALWAYS_INLINE void palette_row(px16_t *dst, ptrdiff_t step, const uint8_t *row, uint32_t x, uint32_t n,
                               const adder_color_t *colors, uint32_t count, unsigned bits, bool opaque)
{
    if (bits == 8) {
        row += x;
        for (uint32_t i = 0; i < n; i++, dst += step) {
            if (!opaque && (row[i] >= count || (colors[row[i]].native & ADDER_COLOR_TRANSPARENT) != 0))
                continue;
            *dst = (uint16_t)colors[row[i]].native;
        }
        return;
    }
    const uint32_t per_byte = 8u / bits;
    const bool zero_is_clear = !opaque && (count == 0 || (colors[0].native & ADDER_COLOR_TRANSPARENT) != 0);
    while (n > 0) {
        const uint32_t skip = x % per_byte;
        const uint32_t m = per_byte - skip < n ? per_byte - skip : n;
        uint32_t byte = (uint32_t)row[x / per_byte] << (skip * bits);
        x += m;
        n -= m;
        if (zero_is_clear && (byte & 0xFFu) == 0) { /* most of a text */
            dst += step * (ptrdiff_t)m;
            continue;
        }
        for (uint32_t i = 0; i < m; i++, dst += step, byte <<= bits) {
            const uint32_t v = (byte & 0xFFu) >> (8u - bits);
            if (!opaque && (v >= count || (colors[v].native & ADDER_COLOR_TRANSPARENT) != 0))
                continue;
            *dst = (uint16_t)colors[v].native;
        }
    }
}

typedef void (*palette_row_t)(px16_t *dst, ptrdiff_t step, const uint8_t *row, uint32_t x, uint32_t n,
                              const adder_color_t *colors, uint32_t count);

#define PALETTE_ROW(name, bits, opaque, unit)                                                                \
    static void name(px16_t *dst, ptrdiff_t step, const uint8_t *row, uint32_t x, uint32_t n,                \
                     const adder_color_t *colors, uint32_t count)                                            \
    {                                                                                                        \
        palette_row(dst, (unit) ? 1 : step, row, x, n, colors, count, bits, opaque);                         \
    }
PALETTE_ROW(opaque_1, 1, true, true)
PALETTE_ROW(opaque_2, 2, true, true)
PALETTE_ROW(opaque_4, 4, true, true)
PALETTE_ROW(opaque_8, 8, true, true)
PALETTE_ROW(keyed_1, 1, false, true)
PALETTE_ROW(keyed_2, 2, false, true)
PALETTE_ROW(keyed_4, 4, false, true)
PALETTE_ROW(keyed_8, 8, false, true)
PALETTE_ROW(turned_1, 1, false, false)
PALETTE_ROW(turned_2, 2, false, false)
PALETTE_ROW(turned_4, 4, false, false)
PALETTE_ROW(turned_8, 8, false, false)

static const palette_row_t palette_rows[3][4] = {
    {opaque_1, opaque_2, opaque_4, opaque_8},
    {keyed_1, keyed_2, keyed_4, keyed_8},
    {turned_1, turned_2, turned_4, turned_8}, /* mirrored or along a column: any step */
};

static void copy_row(px16_t *dst, ptrdiff_t step, const px16_t *src, uint32_t n, bool swap)
{
    if (step == 1 && !swap) {
        memcpy(dst, src, n * sizeof *dst);
        return;
    }
    if (step == 1) {
        for (uint32_t i = 0; i < n; i++)
            dst[i] = swap16(src[i]);
        return;
    }
    for (uint32_t i = 0; i < n; i++, dst += step)
        *dst = swap ? swap16(src[i]) : src[i];
}

/* ---- the job: everything that is the same for all cells ---- */

typedef enum { WAY_GENERAL, WAY_PALETTE, WAY_COPY, WAY_SWAP } way_t;

typedef struct {
    const canvas_t *canvas;
    adder_tilegrid_t *grid;
    way_t way;
    unsigned bits;
    palette_row_t row; /* WAY_PALETTE */
    uint32_t scale;
    int32_t step_x, step_y; /* in the buffer, per content pixel */
} job_t;

/* What is painted of one cell, in content pixels: `phase` of the first source pixel are hidden. */
typedef struct {
    uint32_t cell_x, cell_y;     /* for the mapper */
    uint32_t source_x, source_y; /* first source pixel that shows */
    uint32_t phase_x, phase_y;
    uint32_t width, height;
    bool blank; /* a tile the source does not have: all zero */
} block_t;

/* How a 16-bit value in `cs` becomes a 16-bit pixel by moving bytes alone. */
static way_t converter_way(const adder_converter_t *c, const adder_pixel_format_t *f)
{
    if (c->dither || c->priv.has_transparent ||
        (c->input != ADDER_CS_RGB565 && c->input != ADDER_CS_RGB565_SWAPPED))
        return WAY_GENERAL;
    const bool out_swapped = f->reverse_bytes_in_word != (MACHINE_IS_BIG_ENDIAN != 0);
    return (c->input == ADDER_CS_RGB565_SWAPPED) == out_swapped ? WAY_COPY : WAY_SWAP;
}

static void choose_way(job_t *job)
{
    const adder_tilegrid_t *t = job->grid;
    const adder_shader_t *shader = &t->priv.shader;
    const adder_pixel_format_t *format = job->canvas->format;
    if (shader->kind == ADDER_SHADER_IS_PALETTE)
        palette_prepare(shader->of.palette, format);
    else if (shader->kind == ADDER_SHADER_IS_MAPPER &&
             shader->of.mapper->inner.kind == ADDER_SHADER_IS_PALETTE)
        palette_prepare(shader->of.mapper->inner.of.palette, format);

    job->way = WAY_GENERAL;
    if (format->depth != 16 || job->scale != 1 || t->priv.source.kind != ADDER_SOURCE_IS_BITMAP)
        return;
    if (shader->kind == ADDER_SHADER_IS_CONVERTER && job->bits == 16)
        job->way = converter_way(shader->of.converter, format);
    if (shader->kind != ADDER_SHADER_IS_PALETTE || shader->of.palette->dither || job->bits > 8)
        return;
    const unsigned kind = job->step_x != 1 ? 2 : shader_opaque(shader, job->bits) ? 0 : 1;
    const unsigned size = job->bits == 1 ? 0 : job->bits == 2 ? 1 : job->bits == 4 ? 2 : 3;
    job->way = WAY_PALETTE;
    job->row = palette_rows[kind][size];
}

/* ---- general rows ---- */

#define CHUNK 32u

static void fetch(const job_t *job, const block_t *b, uint32_t x, uint32_t y, uint32_t *values, uint32_t n)
{
    const adder_source_t *s = &job->grid->priv.source;
    if (b->blank) {
        memset(values, 0, n * sizeof *values);
        return;
    }
    if (s->kind == ADDER_SOURCE_IS_BMP) {
        adder_bmp_read_row(s->of.bmp, (uint16_t)x, (uint16_t)y, values, (uint16_t)n);
        return;
    }
    const uint8_t *row = bitmap_row(s->of.bitmap, y);
    for (uint32_t i = 0; i < n; i++)
        values[i] = pixel_of(row, job->bits, x + i);
}

static void shade_palette(const adder_palette_t *p, const adder_pixel_format_t *f, uint32_t *values,
                          uint32_t n, uint32_t x, uint32_t y)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t v = values[i];
        if (v >= p->count)
            values[i] = ADDER_COLOR_TRANSPARENT;
        else if (p->dither && (p->colors[v].native & ADDER_COLOR_TRANSPARENT) == 0)
            values[i] = adder_color_to_native_dithered(f, p->colors[v].rgb, x + i, y);
        else
            values[i] = p->colors[v].native;
    }
}

static void shade_converter(const adder_converter_t *c, const adder_pixel_format_t *f, uint32_t *values,
                            uint32_t n, uint32_t x, uint32_t y)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t v = values[i];
        if (c->priv.has_transparent && v == c->priv.transparent) {
            values[i] = ADDER_COLOR_TRANSPARENT;
            continue;
        }
        const uint32_t rgb = adder_color_to_rgb(c->input, v);
        values[i] =
            c->dither ? adder_color_to_native_dithered(f, rgb, x + i, y) : adder_color_to_native(f, rgb);
    }
}

static void shade(const job_t *job, const block_t *b, uint32_t *values, uint32_t n, uint32_t x, uint32_t y)
{
    const adder_shader_t *s = &job->grid->priv.shader;
    const adder_pixel_format_t *f = job->canvas->format;
    bool outside[CHUNK];
    const bool mapped = s->kind == ADDER_SHADER_IS_MAPPER;
    if (mapped) {
        const adder_mapper_t *m = s->of.mapper;
        const bool has_cell = b->cell_x < m->width && b->cell_y < m->height;
        const uint32_t *map = m->priv.map + ((size_t)b->cell_y * m->width + b->cell_x) * m->input_count;
        for (uint32_t i = 0; i < n; i++) {
            outside[i] = !has_cell || values[i] >= m->input_count;
            values[i] = outside[i] ? 0 : map[values[i]];
        }
        s = &m->inner;
    }
    if (s->kind == ADDER_SHADER_IS_PALETTE)
        shade_palette(s->of.palette, f, values, n, x, y);
    else
        shade_converter(s->of.converter, f, values, n, x, y);
    for (uint32_t i = 0; mapped && i < n; i++)
        if (outside[i])
            values[i] = ADDER_COLOR_TRANSPARENT;
}

/* n native colours, each `scale` wide (the first less `phase`), `width` pixels in all, from `index` on. */
static void store(const job_t *job, int32_t index, const uint32_t *natives, uint32_t phase, uint32_t width)
{
    const canvas_t *c = job->canvas;
    const int32_t step = job->step_x;
    const uint32_t scale = job->scale;
    px16_t *out16 = c->format->depth == 16 ? row16_mut(c->out) : NULL;
    while (width > 0) {
        uint32_t run = scale - phase;
        if (run > width)
            run = width;
        width -= run;
        phase = 0;
        const uint32_t native = *natives++;
        if (native == ADDER_COLOR_TRANSPARENT) {
            index += (int32_t)run * step;
        } else if (out16 != NULL) {
            for (; run > 0; run--, index += step)
                out16[index] = (uint16_t)native;
        } else {
            for (; run > 0; run--, index += step)
                canvas_put(c, index, native);
        }
    }
}

/* `rows` content rows from one source row. */
static void general_row(const job_t *job, const block_t *b, int32_t index, uint32_t y, uint32_t rows)
{
    uint32_t values[CHUNK];
    uint32_t x = b->source_x, phase = b->phase_x, left = b->width;
    while (left > 0) {
        uint32_t n = (left + phase + job->scale - 1u) / job->scale; /* source pixels that remain */
        uint32_t width = left;
        if (n > CHUNK) {
            n = CHUNK;
            width = CHUNK * job->scale - phase;
        }
        fetch(job, b, x, y, values, n);
        shade(job, b, values, n, x, y);
        for (uint32_t r = 0; r < rows; r++)
            store(job, index + (int32_t)r * job->step_y, values, phase, width);
        index += (int32_t)width * job->step_x;
        x += n;
        left -= width;
        phase = 0;
    }
}

/* ---- cells ---- */

static void fused_rows(const job_t *job, const block_t *b, int32_t index)
{
    const adder_bitmap_t *bitmap = job->grid->priv.source.of.bitmap;
    const uint8_t *row = bitmap_row(bitmap, b->source_y);
    px16_t *dst = row16_mut(job->canvas->out) + index;
    if (job->way == WAY_PALETTE) {
        const adder_palette_t *p = job->grid->priv.shader.of.palette;
        for (uint32_t y = 0; y < b->height; y++, row += bitmap->stride, dst += job->step_y)
            job->row(dst, job->step_x, row, b->source_x, b->width, p->colors, p->count);
        return;
    }
    for (uint32_t y = 0; y < b->height; y++, row += bitmap->stride, dst += job->step_y)
        copy_row(dst, job->step_x, row16(row) + b->source_x, b->width, job->way == WAY_SWAP);
}

static void paint_block(const job_t *job, const block_t *b, int32_t index)
{
    if (job->way != WAY_GENERAL && !b->blank) {
        fused_rows(job, b, index);
        return;
    }
    uint32_t y = b->source_y, phase = b->phase_y, left = b->height;
    while (left > 0) {
        uint32_t rows = job->scale - phase;
        if (rows > left)
            rows = left;
        general_row(job, b, index, y, rows);
        index += (int32_t)rows * job->step_y;
        left -= rows;
        phase = 0;
        y++;
    }
}

/* One axis of the visible part, walked cell by cell. */
typedef struct {
    uint32_t cell, pixel, phase; /* cell, source pixel in it, content pixel in that */
    uint32_t left;               /* content pixels still to paint */
    uint32_t run;                /* of them in this cell */
} axis_t;

static axis_t axis_at(uint32_t from, uint32_t to, uint32_t tile, uint32_t scale)
{
    const uint32_t source = from / scale;
    return (axis_t){
        .cell = source / tile, .pixel = source % tile, .phase = from % scale, .left = to - from, .run = 0};
}

static bool axis_next(axis_t *a, uint32_t tile, uint32_t scale)
{
    if (a->run > 0) {
        a->left -= a->run;
        a->cell++;
        a->pixel = a->phase = 0;
    }
    if (a->left == 0)
        return false;
    const uint64_t here = (uint64_t)(tile - a->pixel) * scale - a->phase;
    a->run = here < a->left ? (uint32_t)here : a->left;
    return true;
}

static void block_tile(const adder_tilegrid_t *t, block_t *b, const axis_t *ax, const axis_t *ay)
{
    b->cell_x = (ax->cell + t->scroll_x) % t->width;
    b->cell_y = (ay->cell + t->scroll_y) % t->height;
    const uint32_t tile = tilegrid_cell(t, b->cell_x, b->cell_y);
    const uint32_t across = t->priv.tiles_across;
    b->blank = tile >= t->priv.tile_count;
    b->source_x = (tile < across ? tile : tile % across) * t->tile_width + ax->pixel;
    b->source_y = (tile < across ? 0 : tile / across) * t->tile_height + ay->pixel;
    b->phase_x = ax->phase;
    b->phase_y = ay->phase;
    b->width = ax->run;
    b->height = ay->run;
}

void tilegrid_paint(adder_tilegrid_t *t, const canvas_t *c)
{
    adder_area_t clip;
    uint16_t source_width, source_height;
    job_t job = {.canvas = c, .grid = t, .scale = t->layer.priv.scale};
    if (!source_size(&t->priv.source, &source_width, &source_height, &job.bits) ||
        !adder_area_intersect(&t->layer.priv.now, &c->screen, &clip))
        return;
    const content_size_t size = tilegrid_content(t);
    const bool turned = t->transpose_xy;

    /* The clip along the content's axes; 64 bits since the origin may be far outside. */
    const int64_t left = t->layer.priv.left, top = t->layer.priv.top;
    int64_t x1 = (turned ? clip.y1 - top : clip.x1 - left), x2 = (turned ? clip.y2 - top : clip.x2 - left);
    int64_t y1 = (turned ? clip.x1 - left : clip.y1 - top), y2 = (turned ? clip.x2 - left : clip.y2 - top);
    int32_t start_x = turned ? clip.y1 : clip.x1, start_y = turned ? clip.x1 : clip.y1;
    job.step_x = turned ? c->step_y : c->step_x;
    job.step_y = turned ? c->step_x : c->step_y;
    const int32_t unit_x = job.step_x, unit_y = job.step_y;
    if (t->flip_x) {
        start_x += (int32_t)(x2 - x1) - 1;
        const int64_t old = x1;
        x1 = size.width - x2;
        x2 = size.width - old;
        job.step_x = -job.step_x;
    }
    if (t->flip_y) {
        start_y += (int32_t)(y2 - y1) - 1;
        const int64_t old = y1;
        y1 = size.height - y2;
        y2 = size.height - old;
        job.step_y = -job.step_y;
    }
    if (x2 > UINT32_MAX || y2 > UINT32_MAX)
        return; /* a grid of billions of pixels: nothing sensible to show */
    choose_way(&job);

    const uint32_t tw = t->tile_width, th = t->tile_height;
    int32_t line = c->origin + start_x * unit_x + start_y * unit_y;
    for (axis_t ay = axis_at((uint32_t)y1, (uint32_t)y2, th, job.scale); axis_next(&ay, th, job.scale);) {
        int32_t index = line;
        for (axis_t ax = axis_at((uint32_t)x1, (uint32_t)x2, tw, job.scale); axis_next(&ax, tw, job.scale);) {
            block_t block;
            block_tile(t, &block, &ax, &ay);
            paint_block(&job, &block, index);
            index += (int32_t)ax.run * job.step_x;
        }
        line += (int32_t)ay.run * job.step_y;
    }
}
