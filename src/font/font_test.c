#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/terminal.h"

static void find_glyphs(void **state)
{
    (void)state;
    const adder_font_t *f = &adder_font_terminal;
    uint16_t tile = 999;
    assert_int_equal(f->width, 6);
    assert_int_equal(f->height, 12);
    assert_true(adder_font_glyph(f, ' ', &tile));
    assert_int_equal(tile, 0);
    assert_true(adder_font_glyph(f, '~', &tile));
    assert_int_equal(tile, 94);
    assert_true(adder_font_glyph(f, 0xB0, &tile)); /* degree */
    assert_true(adder_font_glyph(f, 0xE4, &tile)); /* a umlaut */
    assert_true(tile > 94 && tile < f->glyph_count);
    assert_false(adder_font_glyph(f, 0x1F, &tile));
    assert_false(adder_font_glyph(f, 0x7F, &tile));
    assert_false(adder_font_glyph(f, 0x10FFFF, &tile));
    assert_false(adder_font_glyph(f, 0xFFFFFFFF, &tile));
}

/* Every code point of every range finds its own tile, and the tiles are 0 .. glyph_count - 1 in order. */
static void ranges_are_sound(void **state)
{
    (void)state;
    const adder_font_t *f = &adder_font_terminal;
    uint16_t next = 0, tile;
    for (uint16_t r = 0; r < f->range_count; r++)
        for (uint32_t i = 0; i < f->ranges[r].count; i++) {
            assert_true(adder_font_glyph(f, f->ranges[r].first + i, &tile));
            assert_int_equal(tile, next);
            next++;
        }
    assert_int_equal(next, f->glyph_count);
    assert_true(f->glyph_count <= 255);
}

static void capital_a(void **state)
{
    (void)state;
    static const char *const want[12] = {"......", "......", ".###..", "#...#.", "#...#.", "#...#.",
                                         "#####.", "#...#.", "#...#.", "#...#.", "......", "......"};
    adder_bitmap_t b;
    uint16_t tile = 0;
    adder_font_bitmap(&adder_font_terminal, &b);
    assert_int_equal(b.width, adder_font_terminal.bitmap_width);
    assert_true(adder_font_glyph(&adder_font_terminal, 'A', &tile));
    for (int y = 0; y < 12; y++) {
        char row[7] = {0};
        for (int x = 0; x < 6; x++)
            row[x] = adder_bitmap_get(&b, tile * 6 + x, y) != 0 ? '#' : '.';
        assert_string_equal(row, want[y]);
    }
    adder_bitmap_set(&b, 0, 0, 1); /* flash: nothing happens */
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_glyphs),
        cmocka_unit_test(ranges_are_sound),
        cmocka_unit_test(capital_a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
