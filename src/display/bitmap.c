#include <string.h>

#include "display_int.h"

uint8_t adder_bitmap_bits_for(uint32_t value_count)
{
    if (value_count == 0 || value_count > 65536u)
        return 0;
    uint8_t bits = 1;
    while ((value_count - 1u) >> bits != 0)
        bits = (uint8_t)(bits * 2u);
    return bits;
}

adder_err_t adder_bitmap_init_const(adder_bitmap_t *b, uint16_t width, uint16_t height, uint8_t bits,
                                    const void *pixels, size_t pixels_len)
{
    memset(b, 0, sizeof *b);
    if ((bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16) || width > 32767u ||
        height > 32767u || pixels == NULL || (uintptr_t)pixels % 4u != 0)
        return ADDER_ERR_ARG;
    if (pixels_len < ADDER_BITMAP_BYTES(width, height, bits))
        return ADDER_ERR_NOSPACE;
    b->width = width;
    b->height = height;
    b->bits = bits;
    b->stride = (uint32_t)ADDER_BITMAP_STRIDE(width, bits);
    b->pixels = pixels;
    b->priv.dirty = (adder_area_t){0, 0, (int16_t)width, (int16_t)height};
    b->priv.revision = 1;
    return ADDER_OK;
}

adder_err_t adder_bitmap_init(adder_bitmap_t *b, uint16_t width, uint16_t height, uint8_t bits, void *pixels,
                              size_t pixels_len)
{
    adder_err_t err = adder_bitmap_init_const(b, width, height, bits, pixels, pixels_len);
    if (err == ADDER_OK)
        b->priv.writable = pixels;
    return err;
}

void adder_bitmap_deinit(adder_bitmap_t *b)
{
    b->pixels = NULL;
    b->priv.writable = NULL;
    b->priv.dirty = (adder_area_t){0, 0, 0, 0};
    b->priv.revision++;
}

uint32_t adder_bitmap_get(const adder_bitmap_t *b, int32_t x, int32_t y)
{
    if (b->pixels == NULL || x < 0 || y < 0 || x >= b->width || y >= b->height)
        return 0;
    return pixel_of(bitmap_row(b, (uint32_t)y), b->bits, (uint32_t)x);
}

void adder_bitmap_dirty(adder_bitmap_t *b, const adder_area_t *area)
{
    const adder_area_t all = {0, 0, (int16_t)b->width, (int16_t)b->height};
    adder_area_t cut;
    if (!adder_area_intersect(area, &all, &cut))
        return;
    if (adder_area_empty(&b->priv.dirty))
        b->priv.revision++;
    adder_area_unite(&b->priv.dirty, &cut);
}

void adder_bitmap_set(adder_bitmap_t *b, int32_t x, int32_t y, uint32_t value)
{
    if (b->priv.writable == NULL || x < 0 || y < 0 || x >= b->width || y >= b->height)
        return;
    pixel_put(bitmap_row_mut(b, (uint32_t)y), b->bits, (uint32_t)x, value);
    adder_area_t *d = &b->priv.dirty;
    if (x >= d->x1 && x < d->x2 && y >= d->y1 && y < d->y2)
        return;
    adder_bitmap_dirty(b, &(adder_area_t){(int16_t)x, (int16_t)y, (int16_t)(x + 1), (int16_t)(y + 1)});
}

void adder_bitmap_fill(adder_bitmap_t *b, uint32_t value)
{
    if (b->priv.writable == NULL)
        return;
    value &= adder_bitmap_max(b);
    const size_t len = (size_t)b->stride * b->height;
    if (b->bits == 16) {
        px16_t *p = row16_mut(b->priv.writable);
        for (size_t i = 0; i < len / 2; i++)
            p[i] = (uint16_t)value;
    } else {
        for (unsigned bits = b->bits; bits < 8; bits *= 2)
            value |= value << bits;
        memset(b->priv.writable, (int)value, len);
    }
    adder_bitmap_dirty(b, &(adder_area_t){0, 0, (int16_t)b->width, (int16_t)b->height});
}
