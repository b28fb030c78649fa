/* What display_text.c and display_text_glyphs.c share. */
#ifndef ADDER_PYTHON_DISPLAY_TEXT_INT_H
#define ADDER_PYTHON_DISPLAY_TEXT_INT_H

#include "python/modules/bitmaptools_int.h"

typedef struct {
    adder_glyph_t *glyphs; /* one for each character; freed by display_text_done() */
    size_t count;
    py_t missing; /* the characters that the font does not have: a list, null when there are none */
} display_text_t;

/* Their pixels stay until the current call ends. False with the exception set; there is nothing to free then.
 */
bool display_text_of(py_t font, const py_val_t *text, display_text_t *out);
void display_text_done(display_text_t *t);
/* One glyph; out->bitmap NULL: the font has none. `builtin` of font_view(). */
bool display_glyph_of(py_t font, const font_view_t *builtin, uint32_t code_point, adder_glyph_t *out);

#endif
