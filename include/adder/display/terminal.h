/* Terminal: text and control codes on a tilegrid of font cells.
 *
 *     adder_terminal_t t;
 *     adder_terminal_init(&t, &adder_font_terminal, &text_grid, NULL);
 *     adder_terminal_write(&t, "Hello\r\n", 7);
 *
 * Understands CR, LF (down only), BS, tab (4 spaces), UTF-8; ESC [ K / 1K / 2K, ESC [ n D, ESC [ 2J,
 * ESC [ row ; col H, ESC [ top ; bottom r (scroll region), ESC M, ESC D, SGR 0, 30..37, 40..47 (recolour
 * the whole terminal through its palette: entry 0 background, 1 text), OSC 0 ; title (BEL or ESC \) to
 * the status bar. Unknown sequences are swallowed, unknown characters skipped. Any bytes are safe, cut
 * anywhere.
 *
 * Scrolling the full grid moves its first row, not the cells. RAM on a 32-bit machine: 56 bytes; cells are
 * the tilegrids'.
 */
#ifndef ADDER_DISPLAY_TERMINAL_H
#define ADDER_DISPLAY_TERMINAL_H

#include "adder/display/layer.h"
#include "adder/font.h"

/* Make *out a read-only view of all glyphs of a font, side by side. */
void adder_font_bitmap(const adder_font_t *font, adder_bitmap_t *out);

#define ADDER_TERMINAL_PARAMS 4

typedef struct {
    const adder_font_t *font;
    adder_tilegrid_t *text;
    adder_tilegrid_t *status;    /* may be NULL */
    uint16_t cursor_x, cursor_y; /* read only: column and row from the top left as seen */
    struct {
        uint8_t state;
        uint8_t utf8_left;
        uint32_t code_point;
        uint16_t params[ADDER_TERMINAL_PARAMS];
        uint8_t param_count;
        bool param_given;
        uint16_t region_top, region_bottom; /* rows, inclusive */
        uint16_t status_x, status_y;
        uint16_t osc;
        uint16_t blank; /* tile of the space */
        uint32_t default_fg, default_bg;
    } priv;
} adder_terminal_t;

/* Everything is kept. `text` (and `status`) show the font's bitmap. Clears both. */
void adder_terminal_init(adder_terminal_t *t, const adder_font_t *font, adder_tilegrid_t *text,
                         adder_tilegrid_t *status);
/* Any bytes; a sequence or character cut at the end goes on with the next call. */
void adder_terminal_write(adder_terminal_t *t, const void *bytes, size_t len);

#endif
