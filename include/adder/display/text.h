/* Text of any font laid out into bitmaps: measuring, placing glyphs in five directions, outlines.
 *
 *     adder_glyph_t glyphs[2];                                    // yours: one for each character
 *     adder_glyph_of_font(&adder_font_terminal, &font_bitmap, 'H', &glyphs[0]);
 *     adder_glyph_of_font(&adder_font_terminal, &font_bitmap, 'i', &glyphs[1]);
 *     adder_text_t text = {glyphs, 2, ADDER_TEXT_LTR, 6, 15};
 *     adder_text_size_t size;
 *     adder_text_measure(&text, &size);                           // box 0, -6 to 12, 6
 *     adder_text_draw(&b, &text, -size.ink.x1, -size.ink.y1, 1);
 *
 * The pixels are those of Adafruit's labels for CircuitPython. Coordinates are pixels with the text's own
 * origin; y grows downward; lines start at x = 0. No heap, no state; nothing is kept. */
#ifndef ADDER_DISPLAY_TEXT_H
#define ADDER_DISPLAY_TEXT_H

#include "adder/display/bitmaptools.h"
#include "adder/font.h"

/* One character: a rectangle of a bitmap, and where it goes. */
typedef struct {
    const adder_bitmap_t *bitmap; /* NULL: nothing to see, nothing moves */
    uint16_t left, top;           /* in the bitmap */
    uint16_t width, height;
    int16_t dx, dy;           /* its lower left corner from the pen: to the right, upward */
    int16_t shift_x, shift_y; /* how the pen moves on */
    bool line_end;            /* a new line: the rest does not count */
} adder_glyph_t;

/* A glyph of a font of cells, whose pixels lie in `bitmap`. False: the font has none, *out is empty. */
bool adder_glyph_of_font(const adder_font_t *font, const adder_bitmap_t *bitmap, uint32_t code_point,
                         adder_glyph_t *out);

typedef enum {
    ADDER_TEXT_LTR,
    ADDER_TEXT_RTL, /* the first character at the right */
    ADDER_TEXT_UPR, /* turned, upward */
    ADDER_TEXT_DWR, /* turned, downward */
    ADDER_TEXT_TTB  /* upright characters below each other */
} adder_text_direction_t;

typedef struct {
    const adder_glyph_t *glyphs;
    size_t count;
    adder_text_direction_t direction;
    int16_t baseline; /* rows from the origin down to the first line's */
    int16_t advance;  /* rows from a line to the next */
} adder_text_t;

/* Edges of a box, x1 <= x < x2; nothing in it: all 0. */
typedef struct {
    int32_t x1, y1, x2, y2;
} adder_text_box_t;

typedef struct {
    adder_text_box_t
        box; /* what labels call their bounding box: to the pen's end, from the first line's top */
    adder_text_box_t ink; /* all pixels of all glyphs */
    uint32_t lines;       /* 0: no character */
} adder_text_size_t;

void adder_text_measure(const adder_text_t *text, adder_text_size_t *out);

#define ADDER_TEXT_AS_IS (-1)
/* The glyphs with the text's origin at x, y of the bitmap, cut at its edges. Value 0 of a glyph is not drawn.
 * `value` for its value 1, nothing for others; or ADDER_TEXT_AS_IS: the glyphs' own values, as far as the
 * bitmap's bits hold them, and a glyph that would start left of the bitmap starts at its edge. Marks dirty
 * what is drawn. */
void adder_text_draw(adder_bitmap_t *dest, const adder_text_t *text, int32_t x, int32_t y, int32_t value);

/* Characters in colours of their own. */
typedef struct {
    size_t start, end; /* glyphs of the text, the last one not included */
    uint32_t color;
    uint32_t behind;         /* the line's height behind them, or their outline */
    uint16_t outline;        /* pixels of it; 0: `behind` is a background */
    int16_t ascent, descent; /* of a background, from the baseline up and down */
} adder_text_accent_t;

/* Draw these glyphs once more, over adder_text_draw() with the same place. ADDER_TEXT_LTR alone. */
void adder_text_accent(adder_bitmap_t *dest, const adder_text_t *text, int32_t x, int32_t y,
                       const adder_text_accent_t *accent);

/* Where a pixel has the value `of`, those around it that have not, up to `size` pixels away to each side,
 * take the value `outline`. ADDER_ERR_RANGE: no room for it at the left or at the top; nothing is drawn. */
adder_err_t adder_text_outline(adder_bitmap_t *dest, uint32_t of, uint32_t outline,
                               uint16_t size) ADDER_MUST_USE;

/* Make `dest` like `src`, of the same size and bits, and mark dirty only the rectangle that differs.
 * ADDER_ERR_ARG: another size. */
adder_err_t adder_bitmap_become(adder_bitmap_t *dest, const adder_bitmap_t *src) ADDER_MUST_USE;

#endif
