#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/color.h"

static void to_rgb(void **state)
{
    (void)state;
    static const struct {
        adder_colorspace_t cs;
        uint32_t value, rgb;
    } vectors[] = {
        {ADDER_CS_RGB888, 0x123456, 0x123456},
        {ADDER_CS_RGB888, 0xFF123456, 0x123456},
        {ADDER_CS_RGB565, 0xFFFF, 0xF8FCF8}, /* no repetition of bits */
        {ADDER_CS_RGB565, 0xF800, 0xF80000},
        {ADDER_CS_RGB565, 0x0821, 0x080408},
        {ADDER_CS_RGB565_SWAPPED, 0x00F8, 0xF80000},
        {ADDER_CS_RGB565_SWAPPED, 0xE007, 0x00FC00},
        {ADDER_CS_BGR565, 0xF800, 0x0000F8},
        {ADDER_CS_BGR565, 0x001F, 0xF80000},
        {ADDER_CS_BGR565_SWAPPED, 0x1F00, 0xF80000},
        {ADDER_CS_RGB555, 0x7FFF, 0xFFFFFF}, /* repetition of bits */
        {ADDER_CS_RGB555, 0x7C00, 0xFF0000},
        {ADDER_CS_RGB555, 0x0010, 0x000084},
        {ADDER_CS_RGB555_SWAPPED, 0x007C, 0xFF0000},
        {ADDER_CS_BGR555, 0x7C00, 0x0000FF},
        {ADDER_CS_BGR555_SWAPPED, 0x007C, 0x0000FF},
        {ADDER_CS_L8, 0x7F, 0x7F7F7F},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_int_equal(adder_color_to_rgb(vectors[i].cs, vectors[i].value), vectors[i].rgb);
}

/* Every colour a 15- or 16-bit space has survives the way there and back. */
static void and_back(void **state)
{
    (void)state;
    for (unsigned cs = ADDER_CS_RGB565; cs <= ADDER_CS_BGR555_SWAPPED; cs++)
        for (uint32_t v = 0; v < 0x10000; v += 7) {
            const uint32_t rgb = adder_color_to_rgb((adder_colorspace_t)cs, v);
            const uint32_t back = adder_color_from_rgb((adder_colorspace_t)cs, rgb);
            assert_int_equal(adder_color_to_rgb((adder_colorspace_t)cs, back), rgb);
        }
}

static void to_native(void **state)
{
    (void)state;
    adder_pixel_format_t f = ADDER_FORMAT_RGB565;
    uint16_t v;
    uint8_t bytes[2];
    v = (uint16_t)adder_color_to_native(&f, 0xFF8040); /* 11111 100000 01000 */
    memcpy(bytes, &v, 2);
    assert_int_equal(bytes[0], 0xFC); /* high byte first, whatever the machine */
    assert_int_equal(bytes[1], 0x08);
    f.reverse_bytes_in_word = false;
    v = (uint16_t)adder_color_to_native(&f, 0xFF8040);
    memcpy(bytes, &v, 2);
    assert_int_equal(bytes[0], 0x08);
    assert_int_equal(bytes[1], 0xFC);

    f = (adder_pixel_format_t){.depth = 8};
    assert_int_equal(adder_color_to_native(&f, 0xFF8040), 0xF1); /* 111 100 01 */
    f.grayscale = true;
    assert_int_equal(adder_color_to_native(&f, 0xFFFFFF), 255);
    assert_int_equal(adder_color_to_native(&f, 0xFF0000), 19);
    assert_int_equal(adder_color_to_native(&f, 0x00FF00), 182);
    assert_int_equal(adder_color_to_native(&f, 0x0000FF), 54);
    f.depth = 4;
    assert_int_equal(adder_color_to_native(&f, 0x808080), 8);
    f.grayscale = false;
    assert_int_equal(adder_color_to_native(&f, 0xFF0080), 0x0A); /* R, G, B, spare */
    f.depth = 2;
    assert_int_equal(adder_color_to_native(&f, 0xC0C0C0), 3);
    f.depth = 1;
    assert_int_equal(adder_color_to_native(&f, 0x808080), 1);
    assert_int_equal(adder_color_to_native(&f, 0x7F7F7F), 0);
    f.depth = 24;
    assert_int_equal(adder_color_to_native(&f, 0x123456), 0x123456);
    f.depth = 32;
    assert_int_equal(adder_color_to_native(&f, 0x123456), 0x123456);
}

static void dither(void **state)
{
    (void)state;
    const adder_pixel_format_t f = ADDER_FORMAT_RGB565;
    unsigned brighter = 0, plain = 0;
    for (uint32_t y = 0; y < 16; y++)
        for (uint32_t x = 0; x < 16; x++) {
            const uint32_t a = adder_color_to_native_dithered(&f, 0x848484, x, y);
            assert_int_equal(a, adder_color_to_native_dithered(&f, 0x848484, x, y)); /* repeatable */
            if (a == adder_color_to_native(&f, 0x848484))
                plain++;
            else
                brighter++;
            /* never beyond white, never less than the plain colour of black */
            assert_int_equal(adder_color_to_native_dithered(&f, 0xFFFFFF, x, y), 0xFFFF);
            assert_int_equal(adder_color_to_native_dithered(&f, 0x000000, x, y), 0);
        }
    assert_true(brighter > 100 && plain > 10);
    const adder_pixel_format_t full = {.depth = 24}; /* nothing is lost, nothing is added */
    assert_int_equal(adder_color_to_native_dithered(&full, 0x123456, 5, 9), 0x123456);
}

static void palettes(void **state)
{
    (void)state;
    adder_color_t colors[4];
    adder_palette_t p;
    memset(colors, 0xFF, sizeof colors);
    adder_palette_init(&p, colors, 4, false);
    assert_int_equal(adder_palette_get(&p, 0), 0);
    assert_false(adder_palette_is_transparent(&p, 0));
    adder_palette_set(&p, 1, 0xFF123456);
    assert_int_equal(adder_palette_get(&p, 1), 0x123456);
    const uint32_t before = p.priv.revision;
    adder_palette_set(&p, 1, 0x123456); /* the same: nothing to repaint */
    assert_int_equal(p.priv.revision, before);
    adder_palette_set_transparent(&p, 1, true);
    adder_palette_set_transparent(&p, 1, true);
    assert_true(adder_palette_is_transparent(&p, 1));
    assert_int_equal(adder_palette_get(&p, 1), 0x123456); /* the colour is kept */
    adder_palette_set(&p, 1, 0x000001);
    assert_true(adder_palette_is_transparent(&p, 1));
    adder_palette_set_transparent(&p, 1, false);
    assert_false(adder_palette_is_transparent(&p, 1));
    assert_true(p.priv.revision > before);
    adder_palette_set(&p, 4, 5); /* outside: nothing */
    adder_palette_set_transparent(&p, 400, true);
    assert_int_equal(adder_palette_get(&p, 4), 0);
    assert_int_equal(p.priv.transparent, 0);
}

static void converters_and_mappers(void **state)
{
    (void)state;
    adder_converter_t c;
    adder_converter_init(&c, ADDER_CS_RGB888, false);
    assert_int_equal(adder_converter_set_transparent(&c, 5), ADDER_OK);
    assert_int_equal(adder_converter_set_transparent(&c, 6), ADDER_ERR_STATE);
    adder_converter_set_opaque(&c);
    assert_int_equal(adder_converter_set_transparent(&c, 6), ADDER_OK);

    uint32_t map[2 * 3 * 4], out = 9;
    adder_color_t colors[4];
    adder_palette_t p;
    adder_mapper_t m;
    adder_palette_init(&p, colors, 4, false);
    assert_int_equal(adder_mapper_words(2, 3, 4), 24);
    assert_int_equal(adder_mapper_init(&m, ADDER_SHADER_PALETTE(&p), 2, 3, 4, map, 23), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_mapper_init(&m, ADDER_SHADER_MAPPER(&m), 2, 3, 4, map, 24), ADDER_ERR_ARG);
    assert_int_equal(adder_mapper_init(&m, ADDER_SHADER_PALETTE(&p), 2, 3, 4, map, 24), ADDER_OK);
    assert_int_equal(adder_mapper_get(&m, 1, 2, 3, &out), ADDER_OK);
    assert_int_equal(out, 3); /* starts as identity */
    assert_int_equal(adder_mapper_set(&m, 1, 2, 3, 0), ADDER_OK);
    assert_int_equal(adder_mapper_get(&m, 1, 2, 3, &out), ADDER_OK);
    assert_int_equal(out, 0);
    assert_int_equal(adder_mapper_set(&m, 2, 0, 0, 0), ADDER_ERR_RANGE);
    assert_int_equal(adder_mapper_set(&m, 0, 0, 4, 0), ADDER_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_rgb), cmocka_unit_test(and_back), cmocka_unit_test(to_native),
        cmocka_unit_test(dither), cmocka_unit_test(palettes), cmocka_unit_test(converters_and_mappers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
