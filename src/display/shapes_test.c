#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/shapes.h"
#include "src/display/test_bitmap.h"

static void whole_is_dirty(void)
{
    const adder_area_t all = {0, 0, (int16_t)b.width, (int16_t)b.height};
    assert_memory_equal(&b.priv.dirty, &all, sizeof all);
}

static void frames(void **state)
{
    (void)state;
    blank(6, 5, 2);
    adder_draw_frame(&b, 1, 1, 2);
    shows("111111|122221|122221|122221|111111");
    whole_is_dirty();
    adder_draw_frame(&b, 0, 1, 3);
    shows("333333|333333|333333|333333|333333");
    adder_draw_frame(&b, UINT32_MAX, 1, 0); /* wider than the bitmap: all of it */
    shows("111111|111111|111111|111111|111111");
}

static void round_corners(void **state)
{
    (void)state;
    blank(9, 7, 2);
    adder_draw_round_rect(&b, &(adder_round_rect_t){3, 1, 1, 2});
    shows("..11111..|.1222221.|122222221|122222221|122222221|.1222221.|..11111..");
    whole_is_dirty();
    blank(9, 9, 2); /* a circle */
    adder_draw_round_rect(&b, &(adder_round_rect_t){4, 1, 1, ADDER_NO_INDEX});
    shows("...111...|.11...11.|.1.....1.|1.......1|1.......1|1.......1|.1.....1.|.11...11.|...111...");
    blank(3, 3, 2);
    adder_draw_round_rect(&b, &(adder_round_rect_t){32767, 65535, ADDER_NO_INDEX, 3});
    shows(".3.|333|.3.");
    blank(1, 1, 1);
    adder_draw_round_rect(&b, &(adder_round_rect_t){0, 1, 1, 1});
    shows("1");
    blank(0, 5, 1); /* nothing to draw on */
    adder_draw_round_rect(&b, &(adder_round_rect_t){1, 1, 1, 1});
}

static void strokes(void **state)
{
    (void)state;
    blank(9, 5, 1);
    adder_draw_stroke(&b, 0, 0, 6, 2, 2, 1);
    shows("111......|111111...|..111111.|.....111.|.........");
    blank(4, 4, 1); /* cut at the edges, also far outside */
    adder_draw_stroke(&b, -40, -40, 40, 40, 2, 1);
    shows("11..|111.|.111|..11");
    blank(4, 4, 1);
    adder_draw_stroke(&b, 2, 2, 2, 2, 65535, 1);
    shows("....|....|..11|..11");
    blank(4, 2, 1);
    adder_draw_stroke(&b, 0, 0, 3, 0, 0, 1);
    shows("1111|....");
}

static void triangles(void **state)
{
    (void)state;
    blank(7, 6, 2);
    adder_fill_triangle(&b, (adder_point_t[]){{0, 0}, {6, 1}, {2, 5}}, 2);
    shows("2......|2222222|.22222.|.2222..|..22...|..2....");
    whole_is_dirty();
    blank(7, 3, 2); /* flat, and corners in any order */
    adder_fill_triangle(&b, (adder_point_t[]){{5, 1}, {1, 1}, {3, 1}}, 1);
    shows(".......|.11111.|.......");
    blank(3, 3, 1);
    adder_fill_triangle(&b, (adder_point_t[]){{-32767, -32767}, {32767, -32767}, {0, 32767}}, 1);
    shows("111|111|111");
}

static void plots(void **state)
{
    (void)state;
    const adder_plot_t p = {0.0, 4.0, 3.0};
    blank(8, 5, 2);
    adder_draw_plot(&b, &p, 0, 0.0, 4.0, 1);
    adder_draw_plot(&b, &p, 1, 4.0, 2.0, 2);
    shows("...2....|..1.22..|..1...2.|.1......|1.......");
    blank(8, 5, 2); /* beyond the limits: outside the bitmap */
    adder_draw_plot(&b, &p, 0, 2.0, 8.0, 1);
    shows(".1......|.1......|1.......|........|........");
    blank(4, 5, 1); /* no range: the middle */
    adder_draw_plot(&b, &(adder_plot_t){1.0, 1.0, 3.0}, 0, 1.0, 1.0, 1);
    shows("....|....|1111|....|....");
    blank(4, 3, 1);
    adder_draw_plot(&b, &(adder_plot_t){0.0, 1.0, 3.0}, 0, NAN, 1.0, 1);
    adder_draw_plot(&b, &(adder_plot_t){0.0, NAN, 3.0}, 0, 0.0, 1.0, 1);
    adder_draw_plot(&b, &(adder_plot_t){0.0, 1.0, 1e30}, 0, 0.0, 1.0, 1);
    shows("....|....|....");
    adder_draw_plot(&b, &(adder_plot_t){0.0, 1.0, 3.0}, 0, 1e300, -1e300, 1); /* steep, and over soon */
    shows(".1..|..1.|..1.");
}

static void read_only(void **state)
{
    (void)state;
    static const uint32_t fixed[ADDER_BITMAP_WORDS(8, 2, 8)] = {0};
    assert_int_equal(adder_bitmap_init_const(&b, 8, 2, 8, fixed, sizeof fixed), ADDER_OK);
    adder_draw_frame(&b, 1, 1, 1);
    adder_draw_round_rect(&b, &(adder_round_rect_t){1, 1, 1, 1});
    adder_draw_stroke(&b, 0, 0, 5, 1, 2, 1);
    adder_fill_triangle(&b, (adder_point_t[]){{0, 0}, {5, 0}, {2, 1}}, 1);
    adder_draw_plot(&b, &(adder_plot_t){0.0, 1.0, 3.0}, 0, 1.0, 0.0, 1);
    shows("........|........");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),    cmocka_unit_test(round_corners), cmocka_unit_test(strokes),
        cmocka_unit_test(triangles), cmocka_unit_test(plots),         cmocka_unit_test(read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
