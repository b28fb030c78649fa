#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/text.h"
#include "src/display/test_bitmap.h"

static uint32_t more[ADDER_BITMAP_WORDS(64, 64, 16)];
static adder_bitmap_t sheet;

/* Letters of a font: L, 2 wide and 3 high; a dot below the baseline, reaching left; a space. */
static adder_glyph_t L, dot, space;
static const adder_glyph_t end = {.line_end = true}, none = {0};

static void font(void)
{
    static uint32_t ink[ADDER_BITMAP_WORDS(8, 4, 2)];
    memset(ink, 0, sizeof ink);
    assert_int_equal(adder_bitmap_init(&sheet, 8, 4, 2, ink, sizeof ink), ADDER_OK);
    static const char *const rows[] = {"1.2.....", "1.......", "11......", "........"};
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 8; x++)
            adder_bitmap_set(&sheet, x, y, rows[y][x] == '.' ? 0 : (uint32_t)(rows[y][x] - '0'));
    L = (adder_glyph_t){.bitmap = &sheet, .width = 2, .height = 3, .shift_x = 3};
    dot = (adder_glyph_t){
        .bitmap = &sheet, .left = 2, .width = 1, .height = 1, .dx = -1, .dy = -1, .shift_x = 2};
    space = (adder_glyph_t){.bitmap = &sheet, .left = 4, .width = 1, .height = 1, .shift_x = 2};
}

static void box(const adder_text_box_t *found, int x1, int y1, int x2, int y2)
{
    const adder_text_box_t want = {x1, y1, x2, y2};
    assert_memory_equal(found, &want, sizeof want);
}

static void measures(void **state)
{
    (void)state;
    adder_text_size_t s;
    font();
    const adder_glyph_t word[] = {L, L, space, end, none, dot};
    adder_text_t t = {word, 2, ADDER_TEXT_LTR, 1, 4};
    adder_text_measure(&t, &s);
    box(&s.box, 0, -2, 6, 1);
    box(&s.ink, 0, -2, 5, 1);
    assert_int_equal(s.lines, 1);
    t.count = 6; /* a second line that starts further left */
    adder_text_measure(&t, &s);
    box(&s.box, -1, -2, 8, 6);
    assert_int_equal(s.lines, 2);
    t.count = 4; /* the last line end makes no line */
    adder_text_measure(&t, &s);
    assert_int_equal(s.lines, 1);
    t.count = 0;
    adder_text_measure(&t, &s);
    box(&s.box, 0, 0, 0, 0);
    box(&s.ink, 0, 0, 0, 0);
    assert_int_equal(s.lines, 0);
    const adder_glyph_t empty[] = {end, none, end};
    t = (adder_text_t){empty, 3, ADDER_TEXT_LTR, 1, 4};
    adder_text_measure(&t, &s);
    assert_int_equal(s.lines, 0);
}

static void directions(void **state)
{
    (void)state;
    font();
    const adder_glyph_t word[] = {L, dot, end, L};
    static const struct {
        adder_text_direction_t direction;
        int width, height;
        const char *picture;
    } cases[] = {
        {ADDER_TEXT_LTR, 3, 8, "1..|1..|11.|...|1..|1..|11.|..."},
        {ADDER_TEXT_RTL, 4, 7, "..1.|..1.|..11|....|..1.|..1.|..11"},
    };
    for (unsigned i = 0; i < 2; i++) {
        const adder_text_t t = {word, 4, cases[i].direction, 0, 4};
        adder_text_size_t s;
        adder_text_measure(&t, &s);
        blank((uint16_t)cases[i].width, (uint16_t)cases[i].height, 1);
        adder_text_draw(&b, &t, i == 0 ? 0 : 4, 3, 1);
        shows(cases[i].picture);
    }
    const adder_glyph_t one[] = {L, end, L};
    blank(7, 2, 1); /* turned: lines beside each other */
    const adder_text_t up = {one, 3, ADDER_TEXT_UPR, 0, 4};
    adder_text_draw(&b, &up, 3, 2, 1);
    shows("..1...1|111.111");
    const adder_text_t down = {one, 3, ADDER_TEXT_DWR, 0, 4};
    blank(7, 2, 1);
    adder_text_draw(&b, &down, 4, 0, 1);
    shows("111.111|1...1..");
    const adder_text_t below = {(const adder_glyph_t[]){L, space, L}, 3, ADDER_TEXT_TTB, 1, 4};
    blank(2, 9, 1);
    adder_text_draw(&b, &below, 0, 0, 1);
    shows("1.|1.|11|..|..|..|1.|1.|11");
}

static void values_and_edges(void **state)
{
    (void)state;
    font();
    const adder_glyph_t word[] = {dot, L};
    const adder_text_t t = {word, 2, ADDER_TEXT_LTR, 3, 4};
    blank(4, 4, 2);
    adder_text_draw(&b, &t, 0, 0, ADDER_TEXT_AS_IS); /* the dot is 2, and starts at the edge */
    shows("..1.|..1.|..11|2...");
    blank(4, 4, 1);
    adder_text_draw(&b, &t, 0, 0, ADDER_TEXT_AS_IS); /* one bit holds no 2 */
    shows("..1.|..1.|..11|....");
    blank(4, 4, 2);
    adder_text_draw(&b, &t, -30000, 30000, 3);
    shows("....|....|....|....");
    adder_text_draw(&b, &t, -3, -1, 3);
    shows("....|3...|....|....");
}

static void outlines(void **state)
{
    (void)state;
    blank(5, 4, 2);
    adder_bitmap_set(&b, 1, 1, 1);
    adder_bitmap_set(&b, 2, 1, 1);
    assert_int_equal(adder_text_outline(&b, 1, 2, 1), ADDER_OK);
    shows("2222.|2112.|2222.|.....");
    assert_int_equal(adder_text_outline(&b, 1, 2, 2), ADDER_ERR_RANGE); /* no room above */
    shows("2222.|2112.|2222.|.....");
    blank(2, 2, 2);
    adder_bitmap_set(&b, 1, 1, 1);
    assert_int_equal(adder_text_outline(&b, 1, 3, 1), ADDER_OK); /* cut at the right and below */
    shows("33|31");
}

static void becoming(void **state)
{
    (void)state;
    static const uint8_t depths[] = {1, 2, 4, 8, 16};
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t bits = depths[i];
        adder_bitmap_t src;
        blank(40, 5, bits);
        memcpy(more, pixels, sizeof more);
        assert_int_equal(adder_bitmap_init(&src, 40, 5, bits, more, sizeof more), ADDER_OK);
        assert_int_equal(adder_bitmap_become(&b, &src), ADDER_OK);
        assert_true(adder_area_empty(&b.priv.dirty));
        adder_bitmap_set(&src, 17, 2, 1);
        adder_bitmap_set(&src, 20, 3, 1);
        assert_int_equal(adder_bitmap_become(&b, &src), ADDER_OK);
        const adder_area_t *d = &b.priv.dirty;
        assert_int_equal(adder_bitmap_get(&b, 17, 2), 1);
        assert_true(d->x1 <= 17 && d->x1 > 17 - 8 && d->x2 > 20 && d->x2 <= 20 + 8);
        assert_true(d->y1 == 2 && d->y2 == 4);
    }
    adder_bitmap_t other;
    assert_int_equal(adder_bitmap_init(&other, 39, 5, 16, more, sizeof more), ADDER_OK);
    assert_int_equal(adder_bitmap_become(&b, &other), ADDER_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures), cmocka_unit_test(directions), cmocka_unit_test(values_and_edges),
        cmocka_unit_test(outlines), cmocka_unit_test(becoming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
