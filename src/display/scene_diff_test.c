/* The engine against a renderer that anybody can check by reading: random scenes, random changes, every
 * pixel of the panel compared after each refresh. It finds both wrong pixels (fast paths) and missing
 * dirty rectangles, since the panel only ever gets what collect() listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display.h"

#if defined(__arm__) || defined(__powerpc__)
enum { SCENES = 60 }; /* emulated */
#else
enum { SCENES = 600 };
#endif

enum { SIDE_MAX = 56, BITMAPS = 4, PALETTES = 3, GRIDS = 5, SHAPES = 4, GROUPS = 4, CHANGES = 8 };

/* ---- random numbers, the same everywhere ---- */

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return n == 0 ? 0 : (seed >> 3) % n;
}

static int16_t rnd_in(int lo, int hi)
{
    return (int16_t)(lo + (int)rnd((uint32_t)(hi - lo + 1)));
}
static bool chance(unsigned percent)
{
    return rnd(100) < percent;
}

/* ---- the world: everything a scene can be made of ---- */

static struct {
    uint32_t pixels[BITMAPS][ADDER_BITMAP_WORDS(32, 24, 16)];
    adder_bitmap_t bitmaps[BITMAPS];
    uint8_t file[2048];
    size_t file_len;
    uint8_t cache[200];
    adder_bmp_t bmp;
    adder_color_t colors[PALETTES + 1][256];
    adder_palette_t palettes[PALETTES + 1]; /* the last belongs to the BMP */
    adder_converter_t converters[2];
    uint32_t map[64 * 4];
    adder_mapper_t mapper;
    uint16_t cells[GRIDS][64];
    adder_tilegrid_t grids[GRIDS];
    adder_circle_t circles[SHAPES];
    adder_rectangle_t rectangles[SHAPES];
    adder_polygon_t polygons[SHAPES];
    adder_point_t points[SHAPES][6];
    adder_group_t groups[GROUPS + 1];
    adder_layer_t *leaves[GRIDS + 3 * SHAPES];
    unsigned leaf_count, grid_count;
    adder_scene_t scene;
    uint32_t panel[SIDE_MAX * SIDE_MAX];
    uint32_t buffer[SIDE_MAX * SIDE_MAX + 64];
} w;

static adder_err_t read_file(void *ctx, uint32_t at, uint8_t *out, size_t len, size_t *n_out)
{
    (void)ctx;
    *n_out = 0;
    if (at >= w.file_len)
        return ADDER_OK;
    if (len > w.file_len - at)
        len = w.file_len - at;
    memcpy(out, w.file + at, len);
    *n_out = len;
    return ADDER_OK;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void make_bmp(void)
{
    const unsigned bits = chance(50) ? 8 : 24, width = 12, height = 8, stride = (width * bits + 31) / 32 * 4;
    memset(w.file, 0, sizeof w.file);
    memcpy(w.file, "BM", 2);
    put32(w.file + 10, 54 + 64);
    put32(w.file + 14, 40);
    put32(w.file + 18, width);
    put32(w.file + 22, chance(50) ? height : (uint32_t) - (int32_t)height);
    w.file[26] = 1;
    w.file[28] = (uint8_t)bits;
    put32(w.file + 46, 16);
    w.file_len = 54 + 64 + (size_t)stride * height;
    for (size_t i = 54; i < w.file_len; i++)
        w.file[i] = (uint8_t)(bits == 8 && i >= 118 ? rnd(16) : rnd(256));
    assert_int_equal(adder_bmp_open(&w.bmp, read_file, NULL, w.cache, 64 + rnd(130), NULL), ADDER_OK);
    adder_palette_init(&w.palettes[PALETTES], w.colors[PALETTES], 256, false);
    if (bits == 8)
        assert_int_equal(adder_bmp_read_colors(&w.bmp, &w.palettes[PALETTES], w.bmp.color_count), ADDER_OK);
}

/* ---- the plain renderer ---- */

static bool ref_shade(const adder_shader_t *s, uint32_t v, uint32_t x, uint32_t y, uint32_t *native)
{
    const adder_pixel_format_t *f = &w.scene.format;
    if (s->kind == ADDER_SHADER_IS_PALETTE) {
        const adder_palette_t *p = s->of.palette;
        if (v >= p->count || adder_palette_is_transparent(p, v))
            return false;
        const uint32_t rgb = adder_palette_get(p, v);
        *native = p->dither ? adder_color_to_native_dithered(f, rgb, x, y) : adder_color_to_native(f, rgb);
        return true;
    }
    const adder_converter_t *c = s->of.converter;
    if (c->priv.has_transparent && c->priv.transparent == v)
        return false;
    const uint32_t rgb = adder_color_to_rgb(c->input, v);
    *native = c->dither ? adder_color_to_native_dithered(f, rgb, x, y) : adder_color_to_native(f, rgb);
    return true;
}

static uint32_t ref_bmp(uint32_t x, uint32_t y)
{
    const unsigned bits = w.bmp.bits, stride = w.bmp.stride;
    const uint32_t row = w.bmp.top_down ? y : 7 - y;
    const uint8_t *p = w.file + 118 + row * stride + x * bits / 8;
    return bits == 8 ? p[0] : (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static bool ref_grid(const adder_tilegrid_t *t, int dx, int dy, int scale, uint32_t *native)
{
    const int gw = t->width * t->tile_width, gh = t->height * t->tile_height;
    if (dx < 0 || dy < 0)
        return false;
    int x = dx / scale, y = dy / scale;
    if (t->transpose_xy) {
        const int keep = x;
        x = y;
        y = keep;
    }
    if (x >= gw || y >= gh)
        return false;
    if (t->flip_x)
        x = gw - 1 - x;
    if (t->flip_y)
        y = gh - 1 - y;
    const int cx = (x / t->tile_width + t->scroll_x) % t->width;
    const int cy = (y / t->tile_height + t->scroll_y) % t->height;
    uint16_t tile = 0;
    assert_int_equal(adder_tilegrid_get(t, (uint16_t)cx, (uint16_t)cy, &tile), ADDER_OK);
    const adder_source_t *s = &t->priv.source;
    const int source_w = s->kind == ADDER_SOURCE_IS_BMP ? s->of.bmp->width : s->of.bitmap->width;
    const int across = source_w / t->tile_width;
    const int sx = tile % across * t->tile_width + x % t->tile_width;
    const int sy = tile / across * t->tile_height + y % t->tile_height;
    uint32_t v = s->kind == ADDER_SOURCE_IS_BMP ? ref_bmp((uint32_t)sx, (uint32_t)sy)
                                                : adder_bitmap_get(s->of.bitmap, sx, sy);
    const adder_shader_t *shader = &t->priv.shader;
    if (shader->kind == ADDER_SHADER_IS_MAPPER) {
        const adder_mapper_t *m = shader->of.mapper;
        if (v >= m->input_count ||
            adder_mapper_get(m, (uint16_t)cx, (uint16_t)cy, (uint16_t)v, &v) != ADDER_OK)
            return false;
        shader = &m->inner;
    }
    return ref_shade(shader, v, (uint32_t)sx, (uint32_t)sy, native);
}

static bool ref_polygon(const adder_polygon_t *p, int x, int y)
{
    int winding = 0;
    for (unsigned i = 0; i < p->count; i++) {
        const adder_point_t a = p->points[i], b = p->points[(i + 1) % p->count];
        const int side = (x - a.x) * (b.y - a.y) - (y - a.y) * (b.x - a.x);
        if (a.y <= y && b.y > y && side < 0)
            winding++;
        else if (a.y > y && b.y <= y && side > 0)
            winding--;
    }
    return winding != 0;
}

static bool ref_shape(const adder_layer_t *l, int dx, int dy, uint32_t *native)
{
    const adder_shape_t *s = (const void *)l;
    bool in;
    if (l->kind == ADDER_LAYER_CIRCLE) {
        const int r = ((const adder_circle_t *)(const void *)l)->radius;
        in = dx * dx + dy * dy <= r * r;
    } else if (l->kind == ADDER_LAYER_RECTANGLE) {
        const adder_rectangle_t *r = (const void *)l;
        in = dx >= 0 && dy >= 0 && dx < r->width && dy < r->height;
    } else {
        in = ref_polygon((const void *)l, dx, dy);
    }
    return in && ref_shade(&s->priv.shader, s->priv.color_index, 0, 0, native);
}

/* The colour of a screen pixel under l; x0, y0, scale: the parent's origin and scale. */
static bool ref_layer(const adder_layer_t *l, int x, int y, int x0, int y0, int scale, uint32_t *native)
{
    if (l->hidden)
        return false;
    const int lx = x0 + l->x * scale, ly = y0 + l->y * scale;
    if (l->kind == ADDER_LAYER_TILEGRID)
        return ref_grid((const void *)l, x - lx, y - ly, scale, native);
    if (l->kind != ADDER_LAYER_GROUP)
        return ref_shape(l, x - lx, y - ly, native);
    const adder_group_t *g = (const void *)l;
    for (unsigned i = adder_group_count(g); i-- > 0;)
        if (ref_layer(adder_group_at(g, (uint16_t)i), x, y, lx, ly, scale * g->scale, native))
            return true;
    return false;
}

static uint32_t ref_pixel(int x, int y)
{
    uint32_t native = 0;
    if (w.scene.root == NULL || !ref_layer(&w.scene.root->layer, x, y, 0, 0, 1, &native))
        return 0;
    return native;
}

/* ---- the panel: what arrived ---- */

static uint32_t unpack(const adder_pixel_format_t *f, const void *buffer, int width, int x, int y)
{
    const uint8_t *bytes = buffer;
    const int at = y * width + x;
    uint16_t half;
    switch (f->depth) {
    case 16:
        memcpy(&half, bytes + 2 * at, 2);
        return half;
    case 8:
        return bytes[at];
    case 24:
    case 32:
        bytes += at * f->depth / 8;
        return (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
    default:
        break;
    }
    const int per = 8 / f->depth;
    int byte = at / per, slot = at % per;
    if (!f->pixels_in_byte_share_row) {
        byte = y / per * width + x;
        slot = y % per;
    }
    if (f->reverse_pixels_in_byte)
        slot = per - 1 - slot;
    return (uint32_t)bytes[byte] >> (slot * f->depth) & ((1u << f->depth) - 1u);
}

static void paint_area(const adder_area_t *a)
{
    const int pw = adder_scene_panel_width(&w.scene), ph = adder_scene_panel_height(&w.scene);
    memset(w.buffer, 0xA5, sizeof w.buffer);
    adder_scene_compose(&w.scene, a, w.buffer);
    const size_t len = adder_scene_bytes(&w.scene, a);
    for (size_t i = len; i < sizeof w.buffer; i++) /* nothing is written behind the end */
        assert_int_equal(((const uint8_t *)w.buffer)[i], 0xA5);
    for (int y = a->y1; y < a->y2 && y < ph; y++)
        for (int x = a->x1; x < a->x2 && x < pw; x++)
            w.panel[y * SIDE_MAX + x] =
                unpack(&w.scene.format, w.buffer, a->x2 - a->x1, x - a->x1, y - a->y1);
}

/* In one piece or in bands of rows, as a display would. */
static void refresh(void)
{
    adder_scene_collect(&w.scene);
    for (unsigned i = 0; i < w.scene.dirty_count; i++) {
        adder_area_t rest = w.scene.dirty[i];
        const int16_t rows = chance(50) ? 1000 : 8;
        while (rest.y1 < rest.y2) {
            adder_area_t band = rest;
            if (band.y2 - band.y1 > rows)
                band.y2 = (int16_t)(band.y1 + rows);
            paint_area(&band);
            rest.y1 = band.y2;
        }
    }
}

static void compare(unsigned scene, unsigned change)
{
    const int sw = w.scene.width, sh = w.scene.height;
    for (int y = 0; y < sh; y++)
        for (int x = 0; x < sw; x++) {
            int px = x, py = y;
            if (w.scene.rotation == 90) {
                px = sh - 1 - y;
                py = x;
            } else if (w.scene.rotation == 180) {
                px = sw - 1 - x;
                py = sh - 1 - y;
            } else if (w.scene.rotation == 270) {
                px = y;
                py = sw - 1 - x;
            }
            const uint32_t got = w.panel[py * SIDE_MAX + px], want = ref_pixel(x, y);
            if (got != want) {
                print_message("scene %u change %u pixel %d,%d: 0x%lx, wanted 0x%lx\n", scene, change, x, y,
                              (unsigned long)got, (unsigned long)want);
                assert_int_equal(got, want);
            }
        }
}

/* ---- random scenes ---- */

static adder_shader_t any_shader(unsigned bits)
{
    if (bits == 16 || chance(15))
        return ADDER_SHADER_CONVERTER(&w.converters[rnd(2)]);
    return ADDER_SHADER_PALETTE(&w.palettes[rnd(PALETTES)]);
}

static void make_palettes(void)
{
    static const uint16_t counts[] = {1, 2, 3, 4, 16, 200, 256};
    for (unsigned i = 0; i < PALETTES; i++) {
        adder_palette_init(&w.palettes[i], w.colors[i], counts[rnd(7)], chance(15));
        for (unsigned c = 0; c < w.palettes[i].count; c++)
            adder_palette_set(&w.palettes[i], c, rnd(0x1000000));
        if (chance(50))
            adder_palette_set_transparent(&w.palettes[i], rnd(w.palettes[i].count), true);
    }
    for (unsigned i = 0; i < 2; i++) {
        adder_converter_init(&w.converters[i], (adder_colorspace_t)rnd(ADDER_CS_COUNT), chance(15));
        if (chance(30))
            assert_int_equal(adder_converter_set_transparent(&w.converters[i], rnd(4)), ADDER_OK);
    }
}

static void make_bitmaps(void)
{
    static const uint8_t depths[] = {1, 2, 4, 8, 16};
    for (unsigned i = 0; i < BITMAPS; i++) {
        const uint8_t bits = depths[rnd(5)];
        const uint16_t bw = (uint16_t)(1 + rnd(32)), bh = (uint16_t)(1 + rnd(24));
        for (size_t k = 0; k < sizeof w.pixels[i] / 4; k++)
            w.pixels[i][k] = chance(20) ? 0 : rnd(UINT32_MAX);
        assert_int_equal(adder_bitmap_init(&w.bitmaps[i], bw, bh, bits, w.pixels[i], sizeof w.pixels[i]),
                         ADDER_OK);
    }
}

static uint16_t divisor_of(uint16_t n)
{
    uint16_t d = (uint16_t)(1 + rnd(n));
    while (n % d != 0)
        d--;
    return d;
}

static void make_grids(void)
{
    bool mapper_free = true;
    w.grid_count = 1 + rnd(GRIDS);
    for (unsigned i = 0; i < w.grid_count; i++) {
        adder_tilegrid_config_t c = {.x = rnd_in(-30, 50), .y = rnd_in(-30, 50)};
        uint16_t bw, bh;
        if (chance(15)) {
            c.source = ADDER_SOURCE_BMP(&w.bmp);
            bw = w.bmp.width;
            bh = w.bmp.height;
            c.shader = w.bmp.bits == 8 ? ADDER_SHADER_PALETTE(&w.palettes[PALETTES])
                                       : ADDER_SHADER_CONVERTER(&w.converters[rnd(2)]);
        } else {
            adder_bitmap_t *b = &w.bitmaps[rnd(BITMAPS)];
            c.source = ADDER_SOURCE_BITMAP(b);
            bw = b->width;
            bh = b->height;
            c.shader = any_shader(b->bits);
        }
        c.tile_width = chance(50) ? bw : divisor_of(bw);
        c.tile_height = chance(50) ? bh : divisor_of(bh);
        c.width = (uint16_t)(1 + rnd(8));
        c.height = (uint16_t)(1 + rnd(8));
        if (mapper_free && chance(15)) {
            mapper_free = false;
            adder_shader_t inner = c.shader;
            assert_int_equal(adder_mapper_init(&w.mapper, inner, c.width, c.height, 4, w.map, 64 * 4),
                             ADDER_OK);
            for (unsigned k = 0; k < 64u * 4u; k++)
                w.map[k] = rnd(6);
            c.shader = ADDER_SHADER_MAPPER(&w.mapper);
        }
        adder_tilegrid_t *t = &w.grids[i];
        assert_int_equal(adder_tilegrid_init(t, &c, w.cells[i], sizeof w.cells[i]), ADDER_OK);
        for (uint16_t y = 0; y < c.height; y++)
            for (uint16_t x = 0; x < c.width; x++)
                assert_int_equal(adder_tilegrid_set(t, x, y, (uint16_t)rnd(adder_tilegrid_tile_count(t))),
                                 ADDER_OK);
        t->flip_x = chance(30);
        t->flip_y = chance(30);
        t->transpose_xy = chance(30);
        t->scroll_x = (uint16_t)(chance(20) ? rnd(20) : 0);
        t->scroll_y = (uint16_t)(chance(20) ? rnd(20) : 0);
        w.leaves[w.leaf_count++] = &t->layer;
    }
}

static void make_shapes(void)
{
    for (unsigned i = 0; i < SHAPES; i++) {
        const adder_shader_t shader = any_shader(8);
        const uint32_t color = rnd(4);
        const int16_t x = rnd_in(-20, 60), y = rnd_in(-20, 60);
        switch (rnd(4)) {
        case 0:
            assert_int_equal(adder_circle_init(&w.circles[i], shader, color, x, y, (uint16_t)(1 + rnd(40))),
                             ADDER_OK);
            w.leaves[w.leaf_count++] = &w.circles[i].shape.layer;
            break;
        case 1:
            assert_int_equal(adder_rectangle_init(&w.rectangles[i], shader, color, x, y,
                                                  (uint16_t)(1 + rnd(70)), (uint16_t)(1 + rnd(70))),
                             ADDER_OK);
            w.leaves[w.leaf_count++] = &w.rectangles[i].shape.layer;
            break;
        case 2: {
            const uint16_t n = (uint16_t)(3 + rnd(4));
            for (unsigned k = 0; k < n; k++)
                w.points[i][k] = (adder_point_t){rnd_in(-30, 40), rnd_in(-30, 40)};
            assert_int_equal(adder_polygon_init(&w.polygons[i], shader, color, x, y, w.points[i], n),
                             ADDER_OK);
            w.leaves[w.leaf_count++] = &w.polygons[i].shape.layer;
            break;
        }
        default:
            break;
        }
    }
}

static void make_tree(void)
{
    for (unsigned i = 0; i <= GROUPS; i++)
        adder_group_init(&w.groups[i], i == 0 && chance(70) ? 0 : rnd_in(-10, 10),
                         i == 0 && chance(70) ? 0 : rnd_in(-10, 10), (uint16_t)(chance(70) ? 1 : 1 + rnd(3)));
    for (unsigned i = 1; i <= GROUPS; i++) {
        w.groups[i].layer.hidden = chance(10);
        assert_int_equal(adder_group_append(&w.groups[rnd(i)], &w.groups[i].layer), ADDER_OK);
    }
    for (unsigned i = 0; i < w.leaf_count; i++) {
        adder_group_t *g = &w.groups[rnd(GROUPS + 1)];
        w.leaves[i]->hidden = chance(10);
        assert_int_equal(adder_group_insert(g, (uint16_t)rnd(4), w.leaves[i]), ADDER_OK);
    }
}

static adder_pixel_format_t any_format(void)
{
    adder_pixel_format_t f = {.depth = 16, .pixels_in_byte_share_row = true, .reverse_bytes_in_word = true};
    static const uint8_t depths[] = {1, 2, 4, 8, 8, 24, 32};
    if (chance(50))
        f.reverse_bytes_in_word = chance(50);
    else
        f.depth = depths[rnd(7)];
    f.grayscale = chance(50);
    f.reverse_pixels_in_byte = chance(50);
    f.pixels_in_byte_share_row = chance(50);
    return f;
}

static void make_world(void)
{
    memset(&w, 0, sizeof w);
    const adder_pixel_format_t f = any_format();
    make_palettes();
    make_bitmaps();
    make_bmp();
    make_grids();
    make_shapes();
    make_tree();
    /* Below 8 bits the panel's sides are whole bytes here; other sides are a test of their own. */
    const unsigned unit = f.depth < 8 ? 8 : 1;
    const uint16_t sw = (uint16_t)((1 + rnd(SIDE_MAX / unit)) * unit),
                   sh = (uint16_t)((1 + rnd(SIDE_MAX / unit)) * unit);
    adder_scene_init(&w.scene, sw, sh, (uint16_t)(rnd(4) * 90), &f);
    memset(w.panel, 0xEE, sizeof w.panel);
    assert_int_equal(adder_scene_set_root(&w.scene, &w.groups[0]), ADDER_OK);
}

/* ---- random changes ---- */

static void change_grid(adder_tilegrid_t *t)
{
    const uint16_t cx = (uint16_t)rnd(t->width), cy = (uint16_t)rnd(t->height);
    switch (rnd(6)) {
    case 0:
        t->flip_x = !t->flip_x;
        break;
    case 1:
        t->transpose_xy = !t->transpose_xy;
        break;
    case 2:
        t->scroll_y = (uint16_t)rnd(20);
        break;
    case 3:
        t->flip_y = !t->flip_y;
        t->scroll_x = (uint16_t)rnd(20);
        break;
    default:
        assert_int_equal(adder_tilegrid_set(t, cx, cy, (uint16_t)rnd(adder_tilegrid_tile_count(t))),
                         ADDER_OK);
    }
}

static void change_bitmap(adder_bitmap_t *b)
{
    const int16_t x = (int16_t)rnd(b->width), y = (int16_t)rnd(b->height);
    switch (rnd(4)) {
    case 0:
        adder_bitmap_fill(b, rnd(UINT32_MAX));
        break;
    case 1:
        assert_int_equal(
            adder_fill_region(b, (adder_area_t){x, y, (int16_t)b->width, (int16_t)b->height}, rnd(99)),
            ADDER_OK);
        break;
    case 2:
        adder_draw_line(b, x, y, rnd_in(-5, 40), rnd_in(-5, 40), rnd(99));
        break;
    default:
        adder_bitmap_set(b, x, y, rnd(UINT32_MAX));
    }
}

static void change_shape(unsigned i)
{
    if (w.circles[i].radius != 0)
        assert_int_equal(adder_circle_set_radius(&w.circles[i], (uint16_t)(1 + rnd(30))), ADDER_OK);
    if (w.rectangles[i].width != 0)
        assert_int_equal(
            adder_rectangle_set_size(&w.rectangles[i], (uint16_t)(1 + rnd(60)), (uint16_t)(1 + rnd(60))),
            ADDER_OK);
    if (w.polygons[i].count != 0) {
        w.points[i][rnd(w.polygons[i].count)] = (adder_point_t){rnd_in(-30, 40), rnd_in(-30, 40)};
        assert_int_equal(adder_polygon_set_points(&w.polygons[i], w.points[i], w.polygons[i].count),
                         ADDER_OK);
        adder_shape_set_color(&w.polygons[i].shape, rnd(4));
    }
}

static adder_layer_t *any_member(void)
{
    const unsigned n = rnd(w.leaf_count + GROUPS);
    return n < w.leaf_count ? w.leaves[n] : &w.groups[1 + n - w.leaf_count].layer;
}

static void change_tree(adder_layer_t *l)
{
    adder_group_t *from = adder_layer_parent(l), *to = &w.groups[rnd(GROUPS + 1)];
    if (chance(30)) {
        assert_int_equal(adder_group_move(from, l, (uint16_t)rnd(4)), ADDER_OK);
        return;
    }
    assert_int_equal(adder_group_remove(from, l), ADDER_OK);
    if (chance(30))
        refresh();                                               /* seen without it */
    if (adder_group_insert(to, (uint16_t)rnd(4), l) != ADDER_OK) /* into itself */
        assert_int_equal(adder_group_append(from, l), ADDER_OK);
}

static void change(void)
{
    adder_layer_t *l = any_member();
    adder_palette_t *p = &w.palettes[rnd(PALETTES)];
    switch (rnd(12)) {
    case 0:
    case 1:
        l->x = (int16_t)(l->x + rnd_in(-9, 9));
        l->y = (int16_t)(l->y + rnd_in(-9, 9));
        break;
    case 2:
        l->hidden = !l->hidden;
        break;
    case 3:
        change_tree(l);
        break;
    case 4:
        adder_palette_set(p, rnd(p->count), rnd(0x1000000));
        break;
    case 5:
        adder_palette_set_transparent(p, rnd(p->count), chance(50));
        break;
    case 6:
        w.groups[rnd(GROUPS + 1)].scale = (uint16_t)(1 + rnd(3));
        break;
    case 7:
        change_shape(rnd(SHAPES));
        break;
    case 8:
        if (chance(30))
            assert_int_equal(adder_scene_set_rotation(&w.scene, (uint16_t)(rnd(4) * 90)), ADDER_OK);
        else if (w.mapper.priv.map != NULL)
            assert_int_equal(adder_mapper_set(&w.mapper, 0, 0, (uint16_t)rnd(4), rnd(6)), ADDER_OK);
        break;
    case 9:
        if (chance(50))
            adder_converter_set_opaque(&w.converters[rnd(2)]);
        else
            adder_converter_set_dither(&w.converters[rnd(2)], chance(50));
        break;
    case 10:
        change_bitmap(&w.bitmaps[rnd(BITMAPS)]);
        break;
    default:
        change_grid(&w.grids[rnd(w.grid_count)]);
    }
}

static void random_scenes(void **state)
{
    (void)state;
    for (unsigned n = 0; n < SCENES; n++) {
        seed = 0x9E3779B9u * (n + 1);
        make_world();
        refresh();
        compare(n, 0);
        for (unsigned c = 1; c <= CHANGES; c++) {
            for (unsigned k = rnd(4); k < 4; k++)
                change();
            refresh();
            compare(n, c);
        }
        adder_scene_collect(&w.scene); /* and nothing is left */
        assert_int_equal(w.scene.dirty_count, 0);
    }
}

/* Any rectangle of any scene, not only the dirty ones; upright as well. */
static void random_rectangles(void **state)
{
    (void)state;
    for (unsigned n = 0; n < SCENES / 4; n++) {
        seed = 0x85EBCA6Bu * (n + 1);
        make_world();
        adder_scene_layout(&w.scene);
        const int sw = w.scene.width, sh = w.scene.height;
        if (w.scene.format.depth != 16)
            continue;
        for (unsigned k = 0; k < 6; k++) {
            const int16_t x1 = (int16_t)rnd((uint32_t)sw), y1 = (int16_t)rnd((uint32_t)sh);
            const adder_area_t a = {x1, y1, (int16_t)(x1 + 1 + (int)rnd((uint32_t)(sw - x1))),
                                    (int16_t)(y1 + 1 + (int)rnd((uint32_t)(sh - y1)))};
            adder_scene_compose_upright(&w.scene, &a, w.buffer);
            for (int y = a.y1; y < a.y2; y++)
                for (int x = a.x1; x < a.x2; x++)
                    assert_int_equal(unpack(&w.scene.format, w.buffer, a.x2 - a.x1, x - a.x1, y - a.y1),
                                     ref_pixel(x, y));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_scenes),
        cmocka_unit_test(random_rectangles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
