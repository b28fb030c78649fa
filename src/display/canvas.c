/* Single pixels and filled rectangles in a buffer of any pixel format. */
#include <string.h>

#include "display_int.h"

/* Below 8 bits a byte holds pixels of a row or of a column; the first is in the low bits unless reversed. */
static void put_packed(const canvas_t *c, int32_t index, uint32_t native)
{
    const adder_pixel_format_t *f = c->format;
    const int32_t last = (1 << c->byte_shift) - 1; /* slot in a byte */
    int32_t byte, slot;
    if (f->pixels_in_byte_share_row) {
        byte = index >> c->byte_shift;
        slot = index & last;
    } else {
        const int32_t row = index >> c->row_shift;
        byte = (index & ((1 << c->row_shift) - 1)) + (row >> c->byte_shift) * c->width;
        slot = row & last;
    }
    if (f->reverse_pixels_in_byte)
        slot = last - slot;
    const unsigned shift = (unsigned)slot * f->depth;
    const unsigned mask = ((1u << f->depth) - 1u) << shift;
    c->out[byte] = (uint8_t)((c->out[byte] & ~mask) | (native << shift & mask));
}

void canvas_put(const canvas_t *c, int32_t index, uint32_t native)
{
    uint8_t *p;
    switch (c->format->depth) {
    case 16:
        row16_mut(c->out)[index] = (uint16_t)native;
        return;
    case 8:
        c->out[index] = (uint8_t)native;
        return;
    case 24:
    case 32:
        p = c->out + (size_t)index * (c->format->depth / 8u);
        p[0] = (uint8_t)native;
        p[1] = (uint8_t)(native >> 8);
        p[2] = (uint8_t)(native >> 16);
        if (c->format->depth == 32)
            p[3] = 0;
        return;
    default:
        put_packed(c, index, native);
    }
}

void canvas_fill(const canvas_t *c, const adder_area_t *a, uint32_t native)
{
    /* Run along the rows of the buffer, whichever axis of the screen that is. */
    const bool across = c->step_x == 1 || c->step_x == -1;
    const int32_t runs = across ? a->y2 - a->y1 : a->x2 - a->x1;
    const int32_t length = across ? a->x2 - a->x1 : a->y2 - a->y1;
    const int32_t run_step = across ? c->step_y : c->step_x;
    const int32_t step = across ? c->step_x : c->step_y;
    int32_t index = c->origin + a->x1 * c->step_x + a->y1 * c->step_y;
    if (step < 0)
        index -= length - 1; /* the same pixels, upwards */
    for (int32_t run = 0; run < runs; run++, index += run_step) {
        if (c->format->depth == 8) {
            memset(c->out + index, (int)native, (size_t)length);
        } else if (c->format->depth == 16) {
            px16_t *p = row16_mut(c->out) + index;
            for (int32_t i = 0; i < length; i++)
                p[i] = (uint16_t)native;
        } else {
            for (int32_t i = 0; i < length; i++)
                canvas_put(c, index + i, native);
        }
    }
}
