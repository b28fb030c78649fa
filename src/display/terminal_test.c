#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/terminal.h"

enum { COLUMNS = 6, ROWS = 3 };

static adder_bitmap_t glyphs;
static adder_color_t colors[2];
static adder_palette_t pal;
static uint8_t cells[COLUMNS * ROWS], status_cells[4];
static adder_tilegrid_t grid, status;
static adder_terminal_t t;

static int fresh(void **state)
{
    (void)state;
    adder_font_bitmap(&adder_font_terminal, &glyphs);
    adder_palette_init(&pal, colors, 2, false);
    adder_palette_set(&pal, 0, 0x000020);
    adder_palette_set(&pal, 1, 0xFFFFFE);
    adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&glyphs),
                                 .shader = ADDER_SHADER_PALETTE(&pal),
                                 .width = COLUMNS,
                                 .height = ROWS,
                                 .tile_width = 6,
                                 .tile_height = 12,
                                 .default_tile = 5};
    assert_int_equal(adder_tilegrid_init(&grid, &c, cells, sizeof cells), ADDER_OK);
    c.width = 4;
    c.height = 1;
    assert_int_equal(adder_tilegrid_init(&status, &c, status_cells, sizeof status_cells), ADDER_OK);
    adder_terminal_init(&t, &adder_font_terminal, &grid, &status);
    return 0;
}

static void write(const char *bytes)
{
    adder_terminal_write(&t, bytes, strlen(bytes));
}

static char shown(const adder_tilegrid_t *g, unsigned x, unsigned row)
{
    uint16_t tile = 0;
    assert_int_equal(adder_tilegrid_get(g, (uint16_t)x, (uint16_t)((row + g->scroll_y) % g->height), &tile),
                     ADDER_OK);
    return tile < 95 ? (char)(tile + 32) : '?';
}

/* The rows as seen, joined by '|'; then where the cursor is. */
static void shows(const char *want, unsigned x, unsigned y)
{
    char text[(COLUMNS + 1) * ROWS];
    size_t n = 0;
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++)
            text[n++] = shown(&grid, column, row);
        text[n++] = row == ROWS - 1 ? '\0' : '|';
    }
    assert_string_equal(text, want);
    assert_int_equal(t.cursor_x, x);
    assert_int_equal(t.cursor_y, y);
}

static void text(void **state)
{
    (void)state;
    shows("      |      |      ", 0, 0);
    write("Hi\r\nyou");
    shows("Hi    |you   |      ", 3, 1);
    write("\n!");
    shows("Hi    |you   |   !  ", 4, 2);
    write("\b?\tx"); /* tab: four spaces, wraps */
    shows("you   |   ?  |  x   ", 3, 2);
}

static void wrap_and_scroll(void **state)
{
    (void)state;
    write("abcdefghijklmnopq");
    shows("abcdef|ghijkl|mnopq ", 5, 2);
    write("r");
    shows("ghijkl|mnopqr|      ", 0, 2);
    write("s\r\nt\r\nu\r\nv");
    shows("t     |u     |v     ", 1, 2);
    assert_true(grid.scroll_y < ROWS);
}

static void erase(void **state)
{
    (void)state;
    write("abcdef\x1b[1;4H");
    shows("abcdef|      |      ", 3, 0);
    write("\x1b[K");
    shows("abc   |      |      ", 3, 0);
    write("xyz\x1b[1;3H\x1b[1K");
    shows("   xyz|      |      ", 2, 0);
    write("\x1b[2K");
    shows("      |      |      ", 2, 0);
    write("abc\x1b[2D-\x1b[D+\x1b[9Dz");
    shows("z a+c |      |      ", 1, 0);
    write("\r\n\n\n\n\x1b[2Jq");
    shows("q     |      |      ", 1, 0);
    write("\x1b[99;99H#");
    shows("      |     #|      ", 0, 2); /* the corner, and so a wrap that scrolls */
    write("\x1b[H*");
    shows("*     |     #|      ", 1, 0);
}

static void regions(void **state)
{
    (void)state;
    write("a\r\nb\r\nc\x1b[H\x1bM"); /* at the top: down */
    shows("      |a     |b     ", 0, 0);
    write("\x1b[2;3r\x1b[3;1H\x1b"
          "D"); /* rows 2 and 3 only: up */
    shows("      |b     |      ", 0, 2);
    write("x\r\ny\x1b[2;1H\x1bM");
    shows("      |      |x     ", 0, 1);
    write("\x1b[r"); /* all again, cursor home */
    shows("      |      |x     ", 0, 0);
    write("\x1b[3;2r\x1b[3;1H\n"); /* senseless: all */
    shows("      |x     |      ", 0, 2);
}

static void rendition(void **state)
{
    (void)state;
    write("\x1b[31;44m");
    assert_int_equal(adder_palette_get(&pal, 1), 0xFF0000);
    assert_int_equal(adder_palette_get(&pal, 0), 0x0000FF);
    write("\x1b[1;93;36m"); /* bold and bright are not known, cyan is */
    assert_int_equal(adder_palette_get(&pal, 1), 0x00FFFF);
    write("\x1b[0m");
    assert_int_equal(adder_palette_get(&pal, 1), 0xFFFFFE);
    assert_int_equal(adder_palette_get(&pal, 0), 0x000020);
    write("\x1b[32m\x1b[m");
    assert_int_equal(adder_palette_get(&pal, 1), 0xFFFFFE);
    shows("      |      |      ", 0, 0);
}

static void title_is(const char *want)
{
    char text[5] = "";
    for (unsigned x = 0; x < 4; x++)
        text[x] = shown(&status, x, 0);
    assert_string_equal(text, want);
}

static void title(void **state)
{
    (void)state;
    title_is("    ");
    write("a\x1b]0;Hey\x1b\\b");
    title_is("Hey ");
    write("\x1b]0;\xF0\x9F\x90\x8D"
          "ab\x07"
          "c"); /* a character the font has not */
    title_is("ab  ");
    write("\x1b]0;much too long\x1b\\");
    title_is("much");
    write("\x1b]8;url\x1b\\d"); /* another OSC: swallowed */
    title_is("much");
    shows("abcd  |      |      ", 4, 0);
}

/* Anything may be cut anywhere: byte by byte gives the same as at once. */
static void byte_by_byte(void **state)
{
    (void)state;
    static const char all[] =
        "H\xC3\xA4llo \x1b[2;2Hx\x1b[?25l\x1b[31m\x1b]0;T\x1b\\\xE2\x80\xA6\xFF\xC3(\x1b[1;2;3;4;5;6;7K.";
    char once[COLUMNS * ROWS];
    adder_terminal_write(&t, all, sizeof all - 1);
    memcpy(once, cells, sizeof once);
    const uint16_t x = t.cursor_x, y = t.cursor_y;
    (void)fresh(NULL);
    for (size_t i = 0; i < sizeof all - 1; i++)
        adder_terminal_write(&t, all + i, 1);
    assert_memory_equal(once, cells, sizeof once);
    assert_int_equal(t.cursor_x, x);
    assert_int_equal(t.cursor_y, y);
}

static void unknown_sequences(void **state)
{
    (void)state;
    write("a\x1b[?1049hb\x1b[>0qc\x1b(d\x1b[5ne\x1b\x1b[38;5;1mf");
    shows("abcdef|      |      ", 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text, fresh),         cmocka_unit_test_setup(wrap_and_scroll, fresh),
        cmocka_unit_test_setup(erase, fresh),        cmocka_unit_test_setup(regions, fresh),
        cmocka_unit_test_setup(rendition, fresh),    cmocka_unit_test_setup(title, fresh),
        cmocka_unit_test_setup(byte_by_byte, fresh), cmocka_unit_test_setup(unknown_sequences, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
