/* The examples of the headers, so that they compile and do what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/bytes.h"
#include "adder/display.h"

/* ---- display/bitmap.h, display/color.h, display/layer.h, display/scene.h ---- */

static void layers(void **state)
{
    (void)state;
    static uint32_t pixels[ADDER_BITMAP_WORDS(32, 16, 2)]; /* 32x16, 2 bits per value */
    adder_bitmap_t bitmap;
    adder_err_t err = adder_bitmap_init(&bitmap, 32, 16, 2, pixels, sizeof pixels);
    adder_bitmap_set(&bitmap, 3, 4, 1);
    assert_int_equal(err, ADDER_OK);

    adder_color_t entries[2];
    adder_palette_t pal;
    adder_palette_init(&pal, entries, 2, false);
    adder_palette_set(&pal, 1, 0xFF8000);
    adder_palette_set_transparent(&pal, 0, true);

    adder_group_t root;
    adder_tilegrid_t sprite;
    adder_group_init(&root, 0, 0, 1);
    err = adder_tilegrid_init(&sprite,
                              &(adder_tilegrid_config_t){.source = ADDER_SOURCE_BITMAP(&bitmap),
                                                         .shader = ADDER_SHADER_PALETTE(&pal),
                                                         .width = 1,
                                                         .height = 1,
                                                         .tile_width = bitmap.width,
                                                         .tile_height = bitmap.height},
                              NULL, 0);
    assert_int_equal(err, ADDER_OK);
    err = adder_group_append(&root, &sprite.layer);
    sprite.layer.x = 40;
    assert_int_equal(err, ADDER_OK);

    static uint16_t buffer[320 * 240];
    adder_scene_t s;
    adder_scene_init(&s, 320, 240, 0, &(adder_pixel_format_t)ADDER_FORMAT_RGB565);
    err = adder_scene_set_root(&s, &root);
    adder_scene_collect(&s);
    for (unsigned i = 0; i < s.dirty_count; i++)
        adder_scene_compose(&s, &s.dirty[i], buffer);
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(buffer[4 * 320 + 43], adder_color_to_native(&s.format, 0xFF8000));
}

/* ---- display/bus.h, display/busdisplay.h, display.h ---- */

static unsigned sent;
static adder_err_t configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                             uint32_t *hz_out)
{
    (void)ctx, (void)hz, (void)polarity, (void)phase, (void)bits, (void)hz_out;
    return ADDER_OK;
}
static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx, (void)wr, (void)rd, (void)fill;
    sent += (unsigned)len;
    return ADDER_OK;
}
static const adder_spi_ops_t spi_ops = {configure, transfer};

static void display(void **state)
{
    (void)state;
    static const uint8_t seq[] = {0x11, 0x80, 120, 0x29, 0x00};
    const adder_spi_t spi = {&spi_ops, NULL};
    const adder_pin_t dc = {0}, cs = {0}, rst = {0};
    adder_fourwire_t fw;
    adder_display_bus_t bus;
    adder_err_t err =
        adder_fourwire_init(&fw,
                            &(adder_fourwire_config_t){
                                .spi = spi, .command = dc, .chip_select = cs, .reset = rst, .hz = 24000000},
                            &bus);
    assert_int_equal(err, ADDER_OK);

    static uint32_t band[1024 / 4];
    adder_busdisplay_t d;
    err = adder_busdisplay_init(
        &d, &(adder_busdisplay_config_t){ADDER_BUSDISPLAY_DEFAULTS, .bus = bus, .init_sequence = seq,
                                         .init_sequence_len = sizeof seq, .width = 320, .height = 240,
                                         .buffer = band, .buffer_len = sizeof band});
    assert_int_equal(err, ADDER_OK);

    adder_group_t root;
    adder_rectangle_t box;
    adder_color_t colors[1];
    adder_palette_t pal;
    adder_palette_init(&pal, colors, 1, false);
    adder_palette_set(&pal, 0, 0x00FF00);
    adder_group_init(&root, 0, 0, 1);
    err = adder_rectangle_init(&box, ADDER_SHADER_PALETTE(&pal), 0, 10, 10, 50, 20);
    if (err == ADDER_OK)
        err = adder_group_append(&root, &box.shape.layer);
    if (err == ADDER_OK)
        err = adder_busdisplay_set_root(&d, &root);
    assert_int_equal(err, ADDER_OK);
    uint64_t now_us = 0;
    for (unsigned i = 0; i < 20; i++) {
        const uint64_t due_us = adder_busdisplay_tick(&d, now_us);
        now_us = due_us;
    }
    assert_int_equal(d.stats.frames, 1);
    assert_int_equal(d.stats.pixels, 320 * 240);
    assert_true(sent > 320 * 240 * 2);
}

/* ---- display/terminal.h, font.h, display/bitmaptools.h, bytes.h ---- */

static void text(void **state)
{
    (void)state;
    adder_bitmap_t glyphs;
    adder_font_bitmap(&adder_font_terminal, &glyphs);
    static uint8_t cells[20 * 4];
    adder_color_t colors[2];
    adder_palette_t pal;
    adder_tilegrid_t text_grid;
    adder_palette_init(&pal, colors, 2, false);
    adder_err_t err =
        adder_tilegrid_init(&text_grid,
                            &(adder_tilegrid_config_t){.source = ADDER_SOURCE_BITMAP(&glyphs),
                                                       .shader = ADDER_SHADER_PALETTE(&pal),
                                                       .width = 20,
                                                       .height = 4,
                                                       .tile_width = adder_font_terminal.width,
                                                       .tile_height = adder_font_terminal.height},
                            cells, sizeof cells);
    assert_int_equal(err, ADDER_OK);
    adder_terminal_t t;
    adder_terminal_init(&t, &adder_font_terminal, &text_grid, NULL);
    adder_terminal_write(&t, "Hello\r\n", 7);
    assert_int_equal(t.cursor_y, 1);
    uint16_t tile;
    if (adder_font_glyph(&adder_font_terminal, 'A', &tile))
        err = adder_tilegrid_set(&text_grid, 0, 0, tile);
    assert_int_equal(err, ADDER_OK);

    static uint32_t pixels[ADDER_BITMAP_WORDS(32, 16, 2)];
    adder_bitmap_t b;
    err = adder_bitmap_init(&b, 32, 16, 2, pixels, sizeof pixels);
    assert_int_equal(err, ADDER_OK);
    adder_draw_line(&b, 0, 0, 31, 15, 1);
    err = adder_fill_region(&b, (adder_area_t){2, 2, 8, 8}, 3);
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 31, 15), 1);

    const uint8_t bytes[] = {'B', 'M', 0, 0, 0, 0, 9, 0, 0, 0};
    adder_cursor_t c = adder_cursor(bytes, sizeof bytes);
    const uint16_t magic = adder_cursor_le16(&c);
    adder_cursor_skip(&c, 4);
    const uint32_t size = adder_cursor_le32(&c);
    assert_false(c.failed);
    assert_int_equal(magic, 0x4D42);
    assert_int_equal(size, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers), cmocka_unit_test(display),
                                       cmocka_unit_test(text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
