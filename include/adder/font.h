/* Fonts of fixed-size cells: one 1-bit bitmap with all glyphs side by side.
 *
 *     adder_bitmap_t glyphs;                                   // yours: layers keep their notes in it
 *     adder_font_bitmap(&adder_font_terminal, &glyphs);        // adder/display/terminal.h
 *     uint16_t tile;
 *     if (adder_font_glyph(&adder_font_terminal, 'A', &tile))
 *         err = adder_tilegrid_set(&text, 0, 0, tile);
 *
 * A font is constant data and lives in flash; nothing here is written. The built-in font is Terminus 6x12,
 * made from Debian's package at build time by tools/mkfont.c. */
#ifndef ADDER_FONT_H
#define ADDER_FONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Code points first .. first + count - 1 are tiles tile, tile + 1, ... */
typedef struct {
    uint32_t first;
    uint16_t count;
    uint16_t tile;
} adder_font_range_t;

typedef struct {
    uint8_t width, height; /* of a cell; every glyph advances by width */
    uint8_t ascent;        /* rows above the baseline */
    uint16_t glyph_count;
    uint16_t bitmap_width; /* glyph_count * width */
    const uint8_t *pixels; /* 1 bit each, leftmost in the top bit, rows padded to 32 bits */
    size_t pixels_len;
    const adder_font_range_t *ranges; /* rising, not overlapping */
    uint16_t range_count;
} adder_font_t;

/* terminalio.FONT: printable ASCII is tiles 0..94, then what CircuitPython's builds carry. */
extern const adder_font_t adder_font_terminal;

/* The tile of a code point; false when the font has none. */
bool adder_font_glyph(const adder_font_t *font, uint32_t code_point, uint16_t *tile_out);
#endif
