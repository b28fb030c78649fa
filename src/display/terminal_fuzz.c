/* Any bytes to a terminal of any small size, cut into pieces; the cursor stays inside, the tiles too. */
#include <assert.h>
#include <string.h>

#include "adder/display/scene.h"
#include "adder/display/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t cells[64], status_cells[8];
    adder_bitmap_t glyphs;
    adder_color_t colors[2];
    adder_palette_t pal;
    adder_tilegrid_t text, status;
    adder_terminal_t t;
    adder_font_bitmap(&adder_font_terminal, &glyphs);
    adder_palette_init(&pal, colors, 2, false);
    adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&glyphs),
                                 .shader = ADDER_SHADER_PALETTE(&pal),
                                 .width = (uint16_t)(1 + data[0] % 8),
                                 .height = (uint16_t)(1 + data[0] / 8 % 8),
                                 .tile_width = 6,
                                 .tile_height = 12};
    if (adder_tilegrid_init(&text, &c, cells, sizeof cells) != ADDER_OK)
        return 0;
    c.width = (uint16_t)(1 + data[1] % 8);
    c.height = 1;
    if (adder_tilegrid_init(&status, &c, status_cells, sizeof status_cells) != ADDER_OK)
        return 0;
    const size_t piece = 1u + data[1] / 8u;
    adder_terminal_init(&t, &adder_font_terminal, &text, data[0] >= 128 ? NULL : &status);
    for (size_t at = 2; at < size; at += piece) {
        adder_terminal_write(&t, data + at, size - at < piece ? size - at : piece);
        assert(t.cursor_x < text.width && t.cursor_y < text.height && text.scroll_y < text.height);
    }
    for (size_t i = 0; i < (size_t)text.width * text.height; i++)
        assert(cells[i] < adder_font_terminal.glyph_count);
    return 0;
}
