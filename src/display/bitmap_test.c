#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/bitmap.h"

static void areas(void **state)
{
    (void)state;
    const adder_area_t a = {0, 0, 10, 10}, b = {5, 5, 20, 7}, far = {30, 30, 31, 31}, none = {4, 4, 4, 9};
    adder_area_t out;
    assert_true(adder_area_intersect(&a, &b, &out));
    assert_true(out.x1 == 5 && out.y1 == 5 && out.x2 == 10 && out.y2 == 7);
    assert_false(adder_area_intersect(&a, &far, &out));
    assert_true(adder_area_empty(&out));
    assert_int_equal(adder_area_size(&b), 30);
    assert_int_equal(adder_area_size(&none), 0);
    out = none;
    adder_area_unite(&out, &b);
    adder_area_unite(&out, &none);
    assert_memory_equal(&out, &b, sizeof b);
    adder_area_unite(&out, &a);
    assert_true(out.x1 == 0 && out.y1 == 0 && out.x2 == 20 && out.y2 == 10);
    assert_true(adder_area_contains(&out, &a));
    assert_false(adder_area_contains(&a, &out));
}

static void bits(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 16, 17, 256, 257, 65536};
    static const uint8_t want[] = {1, 1, 2, 2, 4, 4, 8, 8, 16, 16};
    for (size_t i = 0; i < sizeof want; i++)
        assert_int_equal(adder_bitmap_bits_for(counts[i]), want[i]);
    assert_int_equal(adder_bitmap_bits_for(0), 0);
    assert_int_equal(adder_bitmap_bits_for(65537), 0);
}

/* The layout programs see through the buffer protocol: leftmost pixel in the most significant bits. */
static void packing(void **state)
{
    (void)state;
    static const uint8_t depths[] = {1, 2, 4, 8, 16};
    uint32_t pixels[ADDER_BITMAP_WORDS(37, 5, 16)];
    for (size_t d = 0; d < sizeof depths; d++) {
        adder_bitmap_t b;
        memset(pixels, 0, sizeof pixels);
        assert_int_equal(adder_bitmap_init(&b, 37, 5, depths[d], pixels, sizeof pixels), ADDER_OK);
        const uint32_t max = adder_bitmap_max(&b);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 37; x++)
                adder_bitmap_set(&b, x, y, (uint32_t)(x * 7 + y * 3) & max);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 37; x++)
                assert_int_equal(adder_bitmap_get(&b, x, y), (uint32_t)(x * 7 + y * 3) & max);
    }
    adder_bitmap_t b;
    memset(pixels, 0, sizeof pixels);
    assert_int_equal(adder_bitmap_init(&b, 5, 2, 4, pixels, sizeof pixels), ADDER_OK);
    assert_int_equal(b.stride, 4);
    adder_bitmap_set(&b, 0, 0, 0xA);
    adder_bitmap_set(&b, 1, 0, 0xB);
    adder_bitmap_set(&b, 4, 1, 0xFC); /* cut to the bits */
    assert_int_equal(b.pixels[0], 0xAB);
    assert_int_equal(b.pixels[4 + 2], 0xC0);
}

static void limits(void **state)
{
    (void)state;
    uint32_t pixels[8] = {0};
    adder_bitmap_t b;
    assert_int_equal(adder_bitmap_init(&b, 8, 8, 3, pixels, sizeof pixels), ADDER_ERR_ARG);
    assert_int_equal(adder_bitmap_init(&b, 8, 8, 8, pixels, sizeof pixels), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_bitmap_init(&b, 8, 8, 1, (uint8_t *)pixels + 1, 30), ADDER_ERR_ARG);
    assert_int_equal(adder_bitmap_init(&b, 40000, 1, 1, pixels, sizeof pixels), ADDER_ERR_ARG);
    assert_int_equal(adder_bitmap_init(&b, 32767, 32767, 16, pixels, sizeof pixels), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_bitmap_init(&b, 0, 0, 16, pixels, 0), ADDER_OK);
    assert_int_equal(adder_bitmap_init(&b, 8, 8, 1, pixels, sizeof pixels), ADDER_OK);
    adder_bitmap_set(&b, -1, 0, 1);
    adder_bitmap_set(&b, 8, 0, 1);
    adder_bitmap_set(&b, 0, 8, 1);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pixels[i], 0);
    assert_int_equal(adder_bitmap_get(&b, -1, -1), 0);
    adder_bitmap_deinit(&b);
    adder_bitmap_set(&b, 0, 0, 1);
    adder_bitmap_fill(&b, 1);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0);
    assert_int_equal(pixels[0], 0);
}

static void dirty_box(void **state)
{
    (void)state;
    uint32_t pixels[ADDER_BITMAP_WORDS(16, 16, 8)] = {0};
    adder_bitmap_t b;
    assert_int_equal(adder_bitmap_init(&b, 16, 16, 8, pixels, sizeof pixels), ADDER_OK);
    assert_int_equal(adder_area_size(&b.priv.dirty), 256); /* starts as "all" */
    b.priv.dirty = (adder_area_t){0, 0, 0, 0};
    adder_bitmap_set(&b, 3, 4, 1);
    adder_bitmap_set(&b, 7, 9, 1);
    assert_true(b.priv.dirty.x1 == 3 && b.priv.dirty.y1 == 4 && b.priv.dirty.x2 == 8 &&
                b.priv.dirty.y2 == 10);
    adder_bitmap_dirty(&b, &(adder_area_t){-5, 0, 100, 1}); /* cut */
    assert_true(b.priv.dirty.x1 == 0 && b.priv.dirty.y1 == 0 && b.priv.dirty.x2 == 16 &&
                b.priv.dirty.y2 == 10);
    adder_bitmap_fill(&b, 0x1FF);
    assert_int_equal(adder_bitmap_get(&b, 15, 15), 0xFF);
    assert_int_equal(adder_area_size(&b.priv.dirty), 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas),  cmocka_unit_test(bits),      cmocka_unit_test(packing),
        cmocka_unit_test(limits), cmocka_unit_test(dirty_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
