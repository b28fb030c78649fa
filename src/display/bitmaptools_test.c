#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display/bitmaptools.h"

static uint32_t pixels[ADDER_BITMAP_WORDS(64, 64, 16)], more[ADDER_BITMAP_WORDS(64, 64, 16)],
    third[ADDER_BITMAP_WORDS(16, 16, 16)];
static adder_bitmap_t b, s;

static void blank(adder_bitmap_t *bitmap, uint32_t *memory, uint16_t width, uint16_t height, uint8_t bits)
{
    memset(memory, 0, ADDER_BITMAP_BYTES(width, height, bits));
    assert_int_equal(
        adder_bitmap_init(bitmap, width, height, bits, memory, ADDER_BITMAP_BYTES(width, height, bits)),
        ADDER_OK);
    bitmap->priv.dirty = (adder_area_t){0, 0, 0, 0};
}

static void shows_of(const adder_bitmap_t *bitmap, const char *want)
{
    char text[64 * 65];
    size_t n = 0;
    for (int y = 0; y < bitmap->height; y++) {
        for (int x = 0; x < bitmap->width; x++)
            text[n++] = ".123456789abcdef"[adder_bitmap_get(bitmap, x, y) & 15u];
        text[n++] = y == bitmap->height - 1 ? '\0' : '|';
    }
    assert_string_equal(text, want);
}

static void shows(const char *want)
{
    shows_of(&b, want);
}

static void dirty(int x1, int y1, int x2, int y2)
{
    const adder_area_t *d = &b.priv.dirty;
    assert_int_equal(d->x1, x1);
    assert_int_equal(d->y1, y1);
    assert_int_equal(d->x2, x2);
    assert_int_equal(d->y2, y2);
    b.priv.dirty = (adder_area_t){0, 0, 0, 0};
}

static void regions(void **state)
{
    (void)state;
    static const uint8_t depths[] = {1, 2, 4, 8, 16};
    for (unsigned i = 0; i < 5; i++) {
        blank(&b, pixels, 6, 3, depths[i]);
        assert_int_equal(adder_fill_region(&b, (adder_area_t){1, 1, 4, 3}, 1), ADDER_OK);
        shows("......|.111..|.111..");
        dirty(1, 1, 4, 3);
    }
    assert_int_equal(adder_fill_region(&b, (adder_area_t){1, 1, 7, 3}, 1), ADDER_ERR_RANGE);
    assert_int_equal(adder_fill_region(&b, (adder_area_t){3, 1, 2, 3}, 1), ADDER_ERR_RANGE);
    assert_int_equal(adder_fill_region(&b, (adder_area_t){2, 1, 2, 3}, 7), ADDER_OK); /* empty */
    shows("......|.111..|.111..");
    adder_replace_color(&b, 1, 5);
    shows("......|.555..|.555..");
    dirty(0, 0, 6, 3);
    assert_int_equal(adder_bitmap_init_const(&b, 6, 3, 8, pixels, sizeof pixels), ADDER_OK);
    assert_int_equal(adder_fill_region(&b, (adder_area_t){0, 0, 1, 1}, 1), ADDER_ERR_READ_ONLY);
}

static void lines(void **state)
{
    (void)state;
    blank(&b, pixels, 7, 5, 2);
    adder_draw_line(&b, 0, 0, 6, 4, 1);
    shows("1......|.11....|...1...|....11.|......1");
    dirty(0, 0, 7, 5);
    blank(&b, pixels, 7, 5, 2);
    adder_draw_line(&b, 2, 4, 2, 1, 3);
    adder_draw_line(&b, 5, 0, -40, 0, 2);
    shows("222222.|..3....|..3....|..3....|..3....");
    dirty(0, 0, 6, 5);
    blank(&b, pixels, 7, 5, 2);
    static const int32_t xs[] = {0, 4, 4}, ys[] = {0, 0, 4};
    adder_draw_polygon(&b, xs, ys, 3, false, 1);
    shows("11111..|....1..|....1..|....1..|....1..");
    adder_draw_polygon(&b, xs, ys, 3, true, 1);
    shows("11111..|.1..1..|..1.1..|...11..|....1..");
}

static void circles(void **state)
{
    (void)state;
    blank(&b, pixels, 7, 7, 1);
    adder_draw_circle(&b, 3, 3, 3, 1);
    shows("..111..|.1...1.|1.....1|1.....1|1.....1|.1...1.|..111..");
    dirty(0, 0, 7, 7); /* all of it: CircuitPython is one pixel short here */
    blank(&b, pixels, 4, 4, 1);
    adder_draw_circle(&b, 0, 0, 2, 1);
    shows("..1.|..1.|11..|....");
    adder_draw_circle(&b, 3, 3, 0, 1);
    shows("..1.|..1.|11..|...1");
}

static void number_all(adder_bitmap_t *bitmap)
{
    for (int y = 0; y < bitmap->height; y++)
        for (int x = 0; x < bitmap->width; x++)
            adder_bitmap_set(bitmap, x, y, (uint32_t)(y * bitmap->width + x + 1));
    bitmap->priv.dirty = (adder_area_t){0, 0, 0, 0};
}

static void blits(void **state)
{
    (void)state;
    blank(&s, more, 3, 3, 4);
    number_all(&s);
    blank(&b, pixels, 5, 4, 8);
    assert_int_equal(adder_blit(&b, &s, 1, 1, (adder_area_t){0, 0, 3, 3}, ADDER_NO_INDEX, ADDER_NO_INDEX),
                     ADDER_OK);
    shows(".....|.123.|.456.|.789.");
    dirty(1, 1, 4, 4);
    assert_int_equal(adder_blit(&b, &s, 4, 3, (adder_area_t){1, 1, 3, 3}, ADDER_NO_INDEX, ADDER_NO_INDEX),
                     ADDER_OK);
    shows(".....|.123.|.456.|.7895"); /* cut */
    dirty(4, 3, 5, 4);
    assert_int_equal(adder_blit(&b, &s, 0, 0, (adder_area_t){0, 0, 3, 2}, 5, ADDER_NO_INDEX), ADDER_OK);
    shows("123..|4163.|.456.|.7895"); /* 5 is not copied: the 1 stays */
    assert_int_equal(adder_blit(&b, &s, 0, 0, (adder_area_t){0, 1, 3, 2}, ADDER_NO_INDEX, 2), ADDER_OK);
    shows("426..|4163.|.456.|.7895"); /* the 2 is not overwritten */
    assert_int_equal(adder_blit(&s, &b, 0, 0, (adder_area_t){0, 0, 1, 1}, -1, -1), ADDER_ERR_ARG);
    assert_int_equal(adder_blit(&b, &s, 6, 0, (adder_area_t){0, 0, 1, 1}, -1, -1), ADDER_ERR_RANGE);
    assert_int_equal(adder_blit(&b, &s, 0, -1, (adder_area_t){0, 0, 1, 1}, -1, -1), ADDER_ERR_RANGE);
    assert_int_equal(adder_blit(&b, &s, 0, 0, (adder_area_t){0, 0, 4, 1}, -1, -1), ADDER_ERR_RANGE);
}

/* Within one bitmap, in all directions, as if copied through another. */
static void blits_onto_itself(void **state)
{
    (void)state;
    static const uint8_t depths[] = {4, 8, 16};
    for (unsigned d = 0; d < 3; d++)
        for (int dy = 0; dy < 4; dy++)
            for (int dx = 0; dx < 4; dx++)
                for (int skip = -1; skip < 4; skip += 4) {
                    blank(&b, pixels, 6, 6, depths[d]);
                    blank(&s, more, 6, 6, depths[d]);
                    number_all(&b);
                    memcpy(more, pixels, sizeof more);
                    const adder_area_t from = {1, 1, 4, 4};
                    assert_int_equal(adder_blit(&b, &b, (int16_t)dx, (int16_t)dy, from, skip, -1), ADDER_OK);
                    for (int y = 0; y < 3; y++)
                        for (int x = 0; x < 3; x++) {
                            const uint32_t was = adder_bitmap_get(&s, 1 + x, 1 + y);
                            const uint32_t old = adder_bitmap_get(&s, dx + x, dy + y);
                            assert_int_equal(adder_bitmap_get(&b, dx + x, dy + y),
                                             (int)was == skip ? old : was);
                        }
                }
}

static uint32_t seed = 1;
static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

/* Against the obvious fill, on mazes with old pixels of the fill colour in them. */
static void boundary_fill(void **state)
{
    (void)state;
    static uint8_t scratch[512];
    static int16_t todo[64 * 64 * 4][2];
    for (unsigned round = 0; round < 60; round++) {
        const uint16_t width = (uint16_t)(1 + rnd(64)), height = (uint16_t)(1 + rnd(64));
        blank(&b, pixels, width, height, 4);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                adder_bitmap_set(&b, x, y, rnd(100) < 35 ? 1 + rnd(2) : 0);
        if (round % 4 == 0) /* a comb: more open ends than the stack holds */
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    adder_bitmap_set(&b, x, y, x % 2 == 1 && y != height / 2 ? 1 : 0);
        memcpy(more, pixels, sizeof more);
        assert_int_equal(adder_bitmap_init(&s, width, height, 4, more, sizeof more), ADDER_OK);
        const int x = (int)rnd(width), y = (int)rnd(height);
        assert_int_equal(adder_boundary_fill(&b, x, y, 2, ADDER_NO_INDEX, scratch, sizeof scratch), ADDER_OK);

        const uint32_t old = adder_bitmap_get(&s, x, y);
        size_t n = 0;
        if (old != 2) {
            todo[n][0] = (int16_t)x;
            todo[n++][1] = (int16_t)y;
        }
        while (n > 0) {
            const int16_t px = todo[--n][0], py = todo[n][1];
            if (px < 0 || py < 0 || px >= width || py >= height || adder_bitmap_get(&s, px, py) != old)
                continue;
            adder_bitmap_set(&s, px, py, 2);
            for (int i = 0; i < 4; i++) {
                todo[n][0] = (int16_t)(px + (i == 0) - (i == 1));
                todo[n++][1] = (int16_t)(py + (i == 2) - (i == 3));
            }
        }
        for (int yy = 0; yy < height; yy++)
            for (int xx = 0; xx < width; xx++)
                assert_int_equal(adder_bitmap_get(&b, xx, yy), adder_bitmap_get(&s, xx, yy));
    }
    blank(&b, pixels, 4, 1, 4);
    assert_int_equal(adder_boundary_fill(&b, 4, 0, 1, -1, scratch, 1), ADDER_ERR_RANGE);
    assert_int_equal(adder_boundary_fill(&b, 0, 0, 1, -1, scratch, 0), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_boundary_fill(&b, 0, 0, 1, 3, scratch, 1), ADDER_OK); /* not that colour */
    shows("....");
}

static void rotozoom(void **state)
{
    (void)state;
    adder_rotozoom_t r;
    blank(&s, more, 3, 3, 4);
    number_all(&s);
    blank(&b, pixels, 5, 5, 4);
    adder_rotozoom_defaults(&r, &b, &s);
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
    shows(".....|.123.|.456.|.789.|.....");
    blank(&b, pixels, 6, 6, 4);
    adder_rotozoom_defaults(&r, &b, &s);
    r.scale = 2;
    r.px = r.py = r.ox = r.oy = 0;
    r.skip_index = 5;
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
    shows("112233|112233|44..66|44..66|778899|778899");
    blank(&b, pixels, 6, 6, 4);
    r.dest_clip = (adder_area_t){1, 1, 5, 99};
    r.source_clip = (adder_area_t){0, 1, 2, 3};
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
    shows("......|......|.4....|.4....|.788..|.788..");
    blank(&b, pixels, 3, 3, 4);
    adder_rotozoom_defaults(&r, &b, &s);
    r.sine = 0.70710678f; /* 45 degrees clockwise: the diagonal stands upright */
    r.cosine = 0.70710678f;
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 1, 1), 5);
    r.scale = 0;
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_ERR_ARG);
    r.scale = 1e30f; /* anything goes, within bounds */
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
    r.scale = 1e-30f;
    assert_int_equal(adder_rotozoom(&b, &s, &r), ADDER_OK);
}

static void arrays(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 0x14};
    static const uint16_t halves[] = {1, 2, 3, 4};
    static const uint32_t words[] = {5, 6, 7, 8};
    blank(&b, pixels, 3, 3, 4);
    assert_int_equal(adder_arrayblit(&b, bytes, 1, 4, (adder_area_t){1, 1, 3, 3}, 2), ADDER_OK);
    shows("...|.1.|.34"); /* cut to the bits */
    dirty(1, 1, 3, 3);
    assert_int_equal(adder_arrayblit(&b, halves, 2, 4, (adder_area_t){0, 0, 2, 2}, -1), ADDER_OK);
    shows("12.|34.|.34");
    assert_int_equal(adder_arrayblit(&b, words, 4, 4, (adder_area_t){0, 0, 1, 3}, -1), ADDER_OK);
    shows("52.|64.|734");
    assert_int_equal(adder_arrayblit(&b, words, 4, 4, (adder_area_t){0, 0, 2, 3}, -1), ADDER_ERR_END);
    assert_int_equal(adder_arrayblit(&b, words, 4, 4, (adder_area_t){0, 0, 4, 1}, -1), ADDER_ERR_RANGE);
    assert_int_equal(adder_arrayblit(&b, words, 3, 4, (adder_area_t){0, 0, 1, 1}, -1), ADDER_ERR_ARG);
}

static void file_rows(void **state)
{
    (void)state;
    adder_readinto_t r = {.bits_per_pixel = 4, .element_size = 1};
    uint8_t row[] = {0x21, 0x43, 0x65, 0x00};
    blank(&b, pixels, 5, 2, 8);
    assert_int_equal(adder_readinto_row_bytes(&r, 5), 3);
    assert_int_equal(adder_readinto_row(&b, 0, &r, row, 3), ADDER_OK);
    shows("12345|....."); /* the first pixel in the low bits */
    dirty(0, 0, 5, 1);
    r.reverse_pixels_in_element = true;
    assert_int_equal(adder_readinto_row(&b, 1, &r, row, 3), ADDER_OK);
    shows("12345|21436");
    assert_int_equal(adder_readinto_row(&b, 1, &r, row, 2), ADDER_ERR_END);
    assert_int_equal(adder_readinto_row(&b, 2, &r, row, 3), ADDER_ERR_ARG);
    r.element_size = 4;
    r.swap_bytes_in_element = true;
    assert_int_equal(adder_readinto_row_bytes(&r, 5), 4);
    assert_int_equal(adder_readinto_row(&b, 1, &r, row, 4), ADDER_OK);
    shows("12345|..654");
    r = (adder_readinto_t){.bits_per_pixel = 24, .element_size = 1};
    uint8_t rgb[] = {0, 0, 1, 0, 0, 2, 0, 9, 3, 0, 0, 4, 0, 0, 5};
    assert_int_equal(adder_readinto_row(&b, 1, &r, rgb, 15), ADDER_OK);
    shows("12345|12345");
    r = (adder_readinto_t){.bits_per_pixel = 1, .element_size = 2};
    uint8_t bits[] = {0x15, 0};
    assert_int_equal(adder_readinto_row(&b, 0, &r, bits, 2), ADDER_OK);
    shows("1.1.1|12345");
    r.bits_per_pixel = 3;
    assert_int_equal(adder_readinto_row_bytes(&r, 5), 0);
    assert_int_equal(adder_readinto_row(&b, 0, &r, bits, 2), ADDER_ERR_ARG);
}

static void alphablend(void **state)
{
    (void)state;
    adder_bitmap_t mask;
    adder_alphablend_t h = {
        .colorspace = ADDER_CS_L8, .factor_1 = 128, .factor_2 = 128, .skip_1 = -1, .skip_2 = -1};
    blank(&b, pixels, 2, 1, 8);
    blank(&s, more, 2, 1, 8);
    adder_bitmap_set(&b, 0, 0, 200);
    adder_bitmap_set(&s, 0, 0, 100);
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    /* (100*128 + 200*128*128/256) / (128 + 128 - 64) = 25600 / 192 */
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 133);
    adder_bitmap_set(&b, 0, 0, 200);
    h.mode = ADDER_BLEND_SCREEN; /* (25600 + 12800 - 25600*12800/65536) / 192 */
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 173);
    h.mode = ADDER_BLEND_NORMAL;
    h.skip_2 = 100;
    adder_bitmap_set(&b, 0, 0, 200);
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 100); /* the first source alone, by its factor */
    h.skip_1 = 100;
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 100); /* neither: as it was */

    blank(&b, pixels, 2, 1, 16);
    blank(&s, more, 2, 1, 16);
    blank(&mask, third, 2, 1, 8);
    adder_bitmap_set(&b, 0, 0, 0x00F8); /* red, swapped */
    adder_bitmap_set(&b, 1, 0, 0x00F8);
    adder_bitmap_set(&s, 0, 0, 0x1F00); /* blue */
    adder_bitmap_set(&s, 1, 0, 0x1F00);
    adder_bitmap_set(&mask, 0, 0, 255);
    h = (adder_alphablend_t){.colorspace = ADDER_CS_RGB565_SWAPPED,
                             .factor_1 = 0,
                             .factor_2 = 256,
                             .skip_1 = -1,
                             .skip_2 = -1,
                             .mask = &mask};
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0x1F00); /* masked in */
    assert_int_equal(adder_bitmap_get(&b, 1, 0), 0x00F8); /* masked out */
    h.skip_mask = 255;
    adder_bitmap_set(&b, 0, 0, 0x00F8);
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0x00F8); /* 255 counts as 0 */
    h.skip_mask = ADDER_NO_INDEX;
    h.factor_1 = 256;
    adder_bitmap_set(&mask, 0, 0, 128); /* half: (f8 * 128 + f8 * 256 * 128 / 256) / 256 each */
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0x0F78);
    h.colorspace = ADDER_CS_L8;
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_ERR_ARG);
    h.colorspace = ADDER_CS_RGB555;
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_ERR_ARG);
    blank(&s, more, 3, 1, 16);
    h.colorspace = ADDER_CS_RGB565;
    assert_int_equal(adder_alphablend(&b, &b, &s, &h), ADDER_ERR_RANGE);
}

static void dither(void **state)
{
    (void)state;
    static int16_t scratch[ADDER_DITHER_WORDS(64)];
    blank(&s, more, 8, 4, 8);
    adder_bitmap_fill(&s, 128);
    blank(&b, pixels, 8, 4, 1);
    assert_int_equal(
        adder_dither(&b, &s, ADDER_CS_L8, ADDER_DITHER_FLOYD_STENBERG, scratch, ADDER_DITHER_WORDS(8)),
        ADDER_OK);
    unsigned white = 0;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 8; x++)
            white += adder_bitmap_get(&b, x, y);
    assert_true(white >= 14 && white <= 18); /* half of it */
    /* A slope: as bright as its source, column by column, within the method's reach. */
    for (unsigned algorithm = 0; algorithm < 2; algorithm++) {
        blank(&s, more, 64, 64, 16);
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                adder_bitmap_set(&s, x, y,
                                 adder_color_from_rgb(ADDER_CS_BGR565, (uint32_t)x * 4u * 0x010101u));
        blank(&b, pixels, 64, 64, 1);
        assert_int_equal(adder_dither(&b, &s, ADDER_CS_BGR565, (adder_dither_t)algorithm, scratch,
                                      sizeof scratch / sizeof scratch[0]),
                         ADDER_OK);
        unsigned left = 0, right = 0;
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 32; x++) {
                left += adder_bitmap_get(&b, x, y);
                right += adder_bitmap_get(&b, x + 32, y);
            }
        assert_true(left > 200 && left < 560 && right > 1450 && right < 1850);
    }
    blank(&b, pixels, 64, 64, 16);
    assert_int_equal(adder_dither(&b, &s, ADDER_CS_BGR565, ADDER_DITHER_ATKINSON, scratch, 203),
                     ADDER_ERR_NOSPACE);
    assert_int_equal(adder_dither(&b, &s, ADDER_CS_L8, ADDER_DITHER_ATKINSON, scratch, 204), ADDER_ERR_ARG);
    assert_int_equal(adder_dither(&b, &s, ADDER_CS_BGR565, ADDER_DITHER_ATKINSON, scratch, 204), ADDER_OK);
    assert_int_equal(adder_bitmap_get(&b, 0, 0), 0);
    assert_int_equal(adder_bitmap_get(&b, 63, 63), 0xFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions),
        cmocka_unit_test(lines),
        cmocka_unit_test(circles),
        cmocka_unit_test(blits),
        cmocka_unit_test(blits_onto_itself),
        cmocka_unit_test(boundary_fill),
        cmocka_unit_test(rotozoom),
        cmocka_unit_test(arrays),
        cmocka_unit_test(file_rows),
        cmocka_unit_test(alphablend),
        cmocka_unit_test(dither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
