/* Small frames anybody can read, and exactly which rectangles a change makes dirty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display.h"

/* Palette of the letters below: entry i is drawn as letters[i]; entry 0 is transparent. */
static const char letters[] = " abcdefgh";

static struct {
    adder_color_t colors[9];
    adder_palette_t pal;
    uint32_t pixels[ADDER_BITMAP_WORDS(4, 3, 8)];
    adder_bitmap_t bitmap; /* abc / def / gha, 3x3 */
    uint8_t cells[16];
    adder_tilegrid_t grid;
    adder_group_t root, inner;
    adder_scene_t scene;
    uint8_t frame[64 * 64];
} w;

/* The bitmap as one tile, in front of all that `group` has. */
static void show_bitmap(adder_tilegrid_t *grid, adder_group_t *group)
{
    const adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&w.bitmap),
                                       .shader = ADDER_SHADER_PALETTE(&w.pal),
                                       .width = 1,
                                       .height = 1,
                                       .tile_width = 3,
                                       .tile_height = 3};
    assert_int_equal(adder_tilegrid_init(grid, &c, NULL, 0), ADDER_OK);
    assert_int_equal(adder_group_append(group, &grid->layer), ADDER_OK);
}

static void set_up(uint16_t width, uint16_t height, uint16_t rotation)
{
    memset(&w, 0, sizeof w);
    /* 8-bit RGB332: entry i is the native value i. */
    adder_palette_init(&w.pal, w.colors, 9, false);
    for (uint32_t i = 0; i < 9; i++)
        adder_palette_set(&w.pal, i, (i & 0xE0u) << 16 | (i & 0x1Cu) << 11 | (i & 3u) << 6);
    adder_palette_set_transparent(&w.pal, 0, true);
    assert_int_equal(adder_bitmap_init(&w.bitmap, 3, 3, 8, w.pixels, sizeof w.pixels), ADDER_OK);
    for (int i = 0; i < 9; i++)
        adder_bitmap_set(&w.bitmap, i % 3, i / 3, (uint32_t)(i % 8) + 1);
    adder_group_init(&w.root, 0, 0, 1);
    adder_group_init(&w.inner, 0, 0, 1);
    const adder_pixel_format_t f = {.depth = 8};
    adder_scene_init(&w.scene, width, height, rotation, &f);
    assert_int_equal(adder_scene_set_root(&w.scene, &w.root), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &w.inner.layer), ADDER_OK);
    show_bitmap(&w.grid, &w.inner);
}

/* The panel as text, rows joined by '|'. */
static void shows(const char *want)
{
    const int16_t pw = (int16_t)adder_scene_panel_width(&w.scene),
                  ph = (int16_t)adder_scene_panel_height(&w.scene);
    char text[64 * 65];
    size_t n = 0;
    adder_scene_layout(&w.scene);
    adder_scene_compose(&w.scene, &(adder_area_t){0, 0, pw, ph}, w.frame);
    for (int y = 0; y < ph; y++) {
        for (int x = 0; x < pw; x++) {
            const uint8_t v = w.frame[y * pw + x];
            text[n++] = v < 9 ? letters[v] : '?';
        }
        text[n++] = y == ph - 1 ? '\0' : '|';
    }
    assert_string_equal(text, want);
}

static void flips_and_turns(void **state)
{
    (void)state;
    set_up(4, 3, 0);
    shows("abc |def |gha ");
    w.grid.flip_x = true;
    shows("cba |fed |ahg ");
    w.grid.flip_y = true;
    shows("ahg |fed |cba ");
    w.grid.flip_x = w.grid.flip_y = false;
    w.grid.transpose_xy = true;
    shows("adg |beh |cfa ");
    w.grid.flip_x = true; /* mirrors the content, then the axes are exchanged */
    shows("cfa |beh |adg ");
}

static void rotation(void **state)
{
    (void)state;
    set_up(4, 3, 90); /* the panel is 3x4; clockwise: the top row ends at the right */
    shows("gda|heb|afc|   ");
    set_up(4, 3, 180);
    shows(" ahg| fed| cba");
    set_up(4, 3, 270);
    shows("   |cfa|beh|adg");
}

static void scale_and_position(void **state)
{
    (void)state;
    set_up(6, 4, 0);
    w.inner.scale = 2;
    w.grid.layer.x = 1;
    shows("  aabb|  aabb|  ddee|  ddee");
    w.inner.layer.x = -3; /* phase: the first pixel is half hidden */
    shows("abbcc |abbcc |deeff |deeff ");
    w.root.scale = 2;
    w.inner.scale = 1;
    w.inner.layer.x = 0;
    w.root.layer.y = 1; /* the group's own position is not scaled */
    shows("      |  aabb|  aabb|  ddee");
}

static void transparency_and_order(void **state)
{
    (void)state;
    adder_rectangle_t r;
    adder_circle_t c;
    set_up(5, 5, 0);
    assert_int_equal(adder_rectangle_init(&r, ADDER_SHADER_PALETTE(&w.pal), 8, 0, 0, 5, 4), ADDER_OK);
    assert_int_equal(adder_group_insert(&w.root, 0, &r.shape.layer), ADDER_OK);
    adder_palette_set_transparent(&w.pal, 5, true); /* e */
    shows("abchh|dhfhh|ghahh|hhhhh|     ");
    assert_int_equal(adder_circle_init(&c, ADDER_SHADER_PALETTE(&w.pal), 3, 2, 2, 2), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &c.shape.layer), ADDER_OK);
    shows("abchh|dccch|ccccc|hccch|  c  ");
    adder_shape_set_color(&c.shape, 0); /* a transparent fill draws nothing */
    shows("abchh|dhfhh|ghahh|hhhhh|     ");
    adder_shape_set_color(&c.shape, 77); /* no such colour: the same */
    shows("abchh|dhfhh|ghahh|hhhhh|     ");
    r.shape.layer.hidden = true;
    shows("abc  |d f  |gha  |     |     ");
    w.inner.layer.hidden = true;
    shows("     |     |     |     |     ");
}

static void tiles(void **state)
{
    (void)state;
    adder_tilegrid_t t;
    uint16_t tile = 9;
    set_up(4, 2, 0);
    assert_int_equal(adder_group_remove(&w.inner, &w.grid.layer), ADDER_OK);
    adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&w.bitmap),
                                 .shader = ADDER_SHADER_PALETTE(&w.pal),
                                 .width = 4,
                                 .height = 2,
                                 .tile_width = 1,
                                 .tile_height = 1,
                                 .default_tile = 2};
    assert_int_equal(adder_tilegrid_init(&t, &c, w.cells, 7), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_tilegrid_init(&t, &c, w.cells, 8), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &t.layer), ADDER_OK);
    shows("cccc|cccc");
    assert_int_equal(adder_tilegrid_set(&t, 1, 0, 4), ADDER_OK);
    assert_int_equal(adder_tilegrid_set(&t, 3, 1, 8), ADDER_OK);
    shows("cecc|ccca");
    t.scroll_y = 1;
    t.scroll_x = 3;
    shows("accc|ccec");
    assert_int_equal(adder_tilegrid_get(&t, 1, 0, &tile), ADDER_OK);
    assert_int_equal(tile, 4);
    assert_int_equal(adder_tilegrid_set(&t, 4, 0, 0), ADDER_ERR_RANGE);
    assert_int_equal(adder_tilegrid_set(&t, 0, 0, 9), ADDER_ERR_RANGE);
    c.tile_width = 2;
    assert_int_equal(adder_tilegrid_init(&t, &c, w.cells, 8), ADDER_ERR_ARG);
}

/* A default tile is not checked: pixels outside the bitmap read as value 0. */
static void tile_outside(void **state)
{
    (void)state;
    adder_tilegrid_t t;
    set_up(3, 1, 0);
    adder_palette_set(&w.pal, 0, 0x80);
    adder_palette_set_transparent(&w.pal, 0, false);
    const adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&w.bitmap),
                                       .shader = ADDER_SHADER_PALETTE(&w.pal),
                                       .width = 1,
                                       .height = 1,
                                       .tile_width = 3,
                                       .tile_height = 1,
                                       .default_tile = 200};
    assert_int_equal(adder_tilegrid_init(&t, &c, NULL, 0), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &t.layer), ADDER_OK);
    shows("bbb");
}

static void polygon(void **state)
{
    (void)state;
    static const adder_point_t triangle[] = {{0, 0}, {6, 0}, {0, 6}};
    adder_polygon_t p;
    set_up(7, 7, 0);
    w.inner.layer.hidden = true;
    assert_int_equal(adder_polygon_init(&p, ADDER_SHADER_PALETTE(&w.pal), 1, 0, 0, triangle, 2),
                     ADDER_ERR_RANGE);
    assert_int_equal(adder_polygon_init(&p, ADDER_SHADER_PALETTE(&w.pal), 1, 0, 0, triangle, 3), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &p.shape.layer), ADDER_OK);
    shows("aaaaaa |aaaaa  |aaaa   |aaa    |aa     |a      |       ");
    assert_true(adder_shape_contains(&p.shape, 0, 5));
    assert_false(adder_shape_contains(&p.shape, 3, 3));
    w.root.scale = 3; /* moves shapes, does not enlarge them */
    p.shape.layer.x = 1;
    shows("   aaaa|   aaaa|   aaaa|   aaa |   aa  |   a   |       ");
}

/* ---- the tree ---- */

static void tree(void **state)
{
    (void)state;
    uint16_t at = 9;
    set_up(4, 4, 0);
    adder_group_t other;
    adder_group_init(&other, 0, 0, 1);
    assert_int_equal(adder_group_append(&other, &w.grid.layer), ADDER_ERR_IN_USE); /* one parent only */
    assert_int_equal(adder_group_append(&other, &w.root.layer), ADDER_ERR_IN_USE); /* a root counts */
    assert_int_equal(adder_group_append(&other, &other.layer), ADDER_ERR_ARG);
    assert_int_equal(adder_group_append(&w.inner, &other.layer), ADDER_OK);
    assert_int_equal(adder_scene_set_root(&w.scene, &other), ADDER_ERR_IN_USE);
    assert_int_equal(adder_group_remove(&w.root, &w.inner.layer), ADDER_OK);
    assert_int_equal(adder_group_append(&other, &w.inner.layer), ADDER_ERR_ARG); /* its own grandchild */
    assert_int_equal(adder_group_remove(&w.root, &w.inner.layer), ADDER_ERR_NOT_FOUND);

    adder_circle_t c[5];
    for (int i = 0; i < 5; i++) {
        assert_int_equal(adder_circle_init(&c[i], ADDER_SHADER_PALETTE(&w.pal), 1, 0, 0, 1), ADDER_OK);
        assert_int_equal(adder_group_insert(&w.root, (uint16_t)(i / 2), &c[i].shape.layer), ADDER_OK);
    }
    static const int order[] = {1, 3, 4, 2, 0}; /* inserted at 0, 0, 1, 1, 2 */
    assert_int_equal(adder_group_count(&w.root), 5);
    for (uint16_t i = 0; i < 5; i++) {
        assert_true(adder_group_at(&w.root, i) == &c[order[i]].shape.layer);
        assert_int_equal(adder_group_index(&w.root, &c[order[i]].shape.layer, &at), ADDER_OK);
        assert_int_equal(at, i);
    }
    assert_null(adder_group_at(&w.root, 5));
    assert_int_equal(adder_group_index(&w.root, &other.layer, &at), ADDER_ERR_NOT_FOUND);
    assert_int_equal(adder_group_move(&w.root, &c[0].shape.layer, 0), ADDER_OK);
    assert_true(adder_group_at(&w.root, 0) == &c[0].shape.layer);
    assert_true(adder_group_at(&w.root, 4) == &c[2].shape.layer);
}

/* ---- dirty rectangles ---- */

static void collects(const char *want)
{
    char text[200] = "";
    adder_scene_collect(&w.scene);
    for (unsigned i = 0; i < w.scene.dirty_count; i++) {
        const adder_area_t *a = &w.scene.dirty[i];
        const size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%d,%d-%d,%d", i == 0 ? "" : " ", a->x1, a->y1, a->x2, a->y2);
    }
    assert_string_equal(text, want);
}

static void dirty_rectangles(void **state)
{
    (void)state;
    set_up(60, 40, 0);
    w.scene.window_bytes = 11;
    collects("0,0-60,40"); /* a new root: everything */
    collects("");
    w.grid.layer.x = 5; /* near: one rectangle for both places */
    collects("0,0-8,3");
    w.grid.layer.x = 50; /* far: each its own */
    collects("5,0-8,3 50,0-53,3");
    adder_bitmap_set(&w.bitmap, 1, 2, 8); /* the bitmap's own box */
    collects("51,2-52,3");
    w.inner.scale = 2;
    w.grid.layer.x = 10;
    collects("50,0-53,3 20,0-26,6");
    adder_bitmap_set(&w.bitmap, 1, 2, 7);
    collects("22,4-24,6");
    w.grid.flip_x = true;
    collects("20,0-26,6");
    adder_bitmap_set(&w.bitmap, 0, 0, 7);
    collects("24,0-26,2");
    adder_palette_set(&w.pal, 3, 0x123456);
    collects("20,0-26,6");
    adder_palette_set(&w.pal, 3, 0x123456); /* what it was */
    collects("");
    w.inner.layer.hidden = true;
    collects("20,0-26,6");
    w.grid.layer.x = 0; /* nobody sees it */
    adder_bitmap_fill(&w.bitmap, 1);
    collects("");
    w.inner.layer.hidden = false;
    collects("0,0-6,6");
    assert_int_equal(adder_group_remove(&w.root, &w.inner.layer), ADDER_OK);
    collects("0,0-6,6");
    assert_int_equal(adder_group_append(&w.root, &w.inner.layer), ADDER_OK);
    collects("0,0-6,6");
    assert_int_equal(adder_scene_set_root(&w.scene, NULL), ADDER_OK);
    collects("0,0-60,40");
}

/* What must stay true: a member taken out of a group counts, though a group around it was hidden since. */
static void removed_then_hidden(void **state)
{
    (void)state;
    adder_group_t outer;
    set_up(60, 40, 0);
    adder_group_init(&outer, 0, 0, 1);
    assert_int_equal(adder_group_remove(&w.root, &w.inner.layer), ADDER_OK);
    assert_int_equal(adder_group_append(&outer, &w.inner.layer), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &outer.layer), ADDER_OK);
    collects("0,0-60,40");
    assert_int_equal(adder_group_remove(&w.inner, &w.grid.layer), ADDER_OK);
    outer.layer.hidden = true;
    collects("0,0-3,3");
    collects("");
}

static void dirty_cells(void **state)
{
    (void)state;
    adder_tilegrid_t t;
    set_up(60, 40, 0);
    assert_int_equal(adder_group_remove(&w.inner, &w.grid.layer), ADDER_OK);
    const adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&w.bitmap),
                                       .shader = ADDER_SHADER_PALETTE(&w.pal),
                                       .width = 4,
                                       .height = 4,
                                       .tile_width = 3,
                                       .tile_height = 1,
                                       .x = 10,
                                       .y = 20};
    assert_int_equal(adder_tilegrid_init(&t, &c, w.cells, sizeof w.cells), ADDER_OK);
    assert_int_equal(adder_group_append(&w.root, &t.layer), ADDER_OK);
    collects("0,0-60,40");
    assert_int_equal(adder_tilegrid_set(&t, 1, 2, 1), ADDER_OK);
    collects("13,22-16,23");
    assert_int_equal(adder_tilegrid_set(&t, 1, 2, 1), ADDER_OK); /* no change */
    collects("");
    assert_int_equal(adder_tilegrid_set(&t, 0, 0, 2), ADDER_OK);
    assert_int_equal(adder_tilegrid_set(&t, 1, 1, 2), ADDER_OK);
    collects("10,20-16,22");
    t.scroll_y = 2;
    collects("10,20-22,24");
    assert_int_equal(adder_tilegrid_set(&t, 0, 2, 2), ADDER_OK); /* now the top row */
    collects("10,20-13,21");
    t.transpose_xy = true;
    collects("10,20-22,24 10,20-14,32");  /* a common box would cost more */
    adder_bitmap_set(&w.bitmap, 0, 0, 5); /* several tiles: all of it */
    collects("10,20-14,32");
}

/* Areas are the panel's; below 8 bits whole bytes. */
static void dirty_on_the_panel(void **state)
{
    (void)state;
    set_up(60, 40, 90);
    collects("0,0-40,60");
    w.grid.layer.y = 1;
    collects("36,0-40,3");
    set_up(60, 40, 0);
    w.scene.format = (adder_pixel_format_t){.depth = 1, .pixels_in_byte_share_row = true};
    collects("0,0-64,40");
    w.grid.layer.hidden = true;
    collects("0,0-8,3");
    set_up(60, 40, 0);
    w.scene.format = (adder_pixel_format_t){.depth = 1};
    collects("0,0-60,40");
    w.grid.layer.hidden = true;
    collects("0,0-3,8");
}

/* More changes than places in the list: still everything is covered. */
static void dirty_overflow(void **state)
{
    (void)state;
    enum { MANY = 40 };
    adder_rectangle_t r[MANY];
    set_up(400, 300, 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(adder_rectangle_init(&r[i], ADDER_SHADER_PALETTE(&w.pal), 1, (int16_t)(i % 8 * 50),
                                              (int16_t)(i / 8 * 60), 4, 4),
                         ADDER_OK);
        assert_int_equal(adder_group_append(&w.root, &r[i].shape.layer), ADDER_OK);
    }
    adder_scene_collect(&w.scene);
    for (int i = 0; i < MANY; i++)
        adder_shape_set_color(&r[i].shape, 2);
    adder_scene_collect(&w.scene);
    assert_true(w.scene.dirty_count <= ADDER_SCENE_DIRTY_MAX && w.scene.dirty_count > 1);
    for (int i = 0; i < MANY; i++) {
        const adder_area_t a = {r[i].shape.layer.x, r[i].shape.layer.y, (int16_t)(r[i].shape.layer.x + 4),
                                (int16_t)(r[i].shape.layer.y + 4)};
        bool covered = false;
        for (unsigned k = 0; k < w.scene.dirty_count; k++)
            covered = covered || adder_area_contains(&w.scene.dirty[k], &a);
        assert_true(covered);
    }
}

/* A bitmap on two displays: what one has seen does not hide it from the other. */
static void two_displays(void **state)
{
    (void)state;
    adder_scene_t other;
    adder_group_t root;
    adder_tilegrid_t t;
    set_up(60, 40, 0);
    adder_group_init(&root, 0, 0, 1);
    show_bitmap(&t, &root);
    adder_scene_init(&other, 20, 20, 0, &w.scene.format);
    assert_int_equal(adder_scene_set_root(&other, &root), ADDER_OK);
    adder_scene_collect(&other);
    collects("0,0-60,40");
    adder_bitmap_set(&w.bitmap, 0, 0, 3);
    collects("0,0-1,1");
    adder_bitmap_set(&w.bitmap, 2, 2, 3);
    adder_scene_collect(&other); /* missed the first box: all of it */
    assert_int_equal(other.dirty_count, 1);
    assert_int_equal(adder_area_size(&other.dirty[0]), 9);
    collects("0,0-3,3"); /* the other emptied the box */
    adder_scene_collect(&other);
    assert_int_equal(other.dirty_count, 0);
    /* The two formats take turns with the palette's native colours. */
    uint16_t pixels[9];
    const adder_pixel_format_t rgb565 = ADDER_FORMAT_RGB565;
    other.format = rgb565;
    adder_scene_compose(&other, &(adder_area_t){0, 0, 3, 3}, pixels);
    assert_int_equal(pixels[1], adder_color_to_native(&rgb565, adder_palette_get(&w.pal, 2)));
    adder_palette_set(&w.pal, 2, 0xFFFFFF);
    adder_scene_compose(&other, &(adder_area_t){0, 0, 3, 3}, pixels);
    assert_int_equal(pixels[1], 0xFFFF);
}

static void far_away(void **state)
{
    (void)state;
    adder_group_t deep[6];
    set_up(10, 10, 0);
    assert_int_equal(adder_group_remove(&w.inner, &w.grid.layer), ADDER_OK);
    adder_group_t *up = &w.inner;
    for (int i = 0; i < 6; i++) { /* scales and offsets far beyond any sense */
        adder_group_init(&deep[i], -32768, 32767, 32767);
        assert_int_equal(adder_group_append(up, &deep[i].layer), ADDER_OK);
        up = &deep[i];
    }
    assert_int_equal(adder_group_append(up, &w.grid.layer), ADDER_OK);
    w.grid.flip_x = w.grid.flip_y = true;
    adder_scene_collect(&w.scene);
    adder_scene_compose(&w.scene, &w.scene.dirty[0], w.frame);
    for (int i = 0; i < 6; i++)
        deep[i].layer.x = deep[i].layer.y = -1;
    adder_scene_collect(&w.scene);
    if (w.scene.dirty_count > 0)
        adder_scene_compose(&w.scene, &w.scene.dirty[0], w.frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_and_turns),
        cmocka_unit_test(rotation),
        cmocka_unit_test(scale_and_position),
        cmocka_unit_test(transparency_and_order),
        cmocka_unit_test(tiles),
        cmocka_unit_test(tile_outside),
        cmocka_unit_test(polygon),
        cmocka_unit_test(tree),
        cmocka_unit_test(dirty_rectangles),
        cmocka_unit_test(removed_then_hidden),
        cmocka_unit_test(dirty_cells),
        cmocka_unit_test(dirty_on_the_panel),
        cmocka_unit_test(dirty_overflow),
        cmocka_unit_test(two_displays),
        cmocka_unit_test(far_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
