/* A bitmap for tests, and what it shows as text. The test includes <cmocka.h> before. */
#ifndef TEST_BITMAP_H
#define TEST_BITMAP_H

#include <string.h>

#include "adder/display/bitmaptools.h"

static uint32_t pixels[ADDER_BITMAP_WORDS(64, 64, 16)];
static adder_bitmap_t b;

/* All 0, and nothing dirty. */
static inline void blank(uint16_t width, uint16_t height, uint8_t bits)
{
    memset(pixels, 0, sizeof pixels);
    assert_int_equal(adder_bitmap_init(&b, width, height, bits, pixels, sizeof pixels), ADDER_OK);
    b.priv.dirty = (adder_area_t){0, 0, 0, 0};
}

/* A row behind the other with '|' between them; '.' = 0, then hexadecimal digits. */
static inline void shows(const char *want)
{
    char text[64 * 65];
    size_t n = 0;
    for (int y = 0; y < b.height; y++) {
        for (int x = 0; x < b.width; x++)
            text[n++] = ".123456789abcdef"[adder_bitmap_get(&b, x, y) & 15u];
        text[n++] = y == b.height - 1 ? '\0' : '|';
    }
    assert_string_equal(text, want);
}

#endif
