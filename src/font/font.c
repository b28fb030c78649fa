#include "adder/font.h"

bool adder_font_glyph(const adder_font_t *font, uint32_t code_point, uint16_t *tile_out)
{
    size_t low = 0, high = font->range_count;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        const adder_font_range_t *r = &font->ranges[mid];
        if (code_point < r->first) {
            high = mid;
        } else if (code_point - r->first >= r->count) {
            low = mid + 1;
        } else {
            *tile_out = (uint16_t)(r->tile + (code_point - r->first));
            return true;
        }
    }
    return false;
}
