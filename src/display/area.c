#include "adder/display/bitmap.h"

static int16_t min16(int16_t a, int16_t b)
{
    return a < b ? a : b;
}
static int16_t max16(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

bool adder_area_empty(const adder_area_t *a)
{
    return a->x1 >= a->x2 || a->y1 >= a->y2;
}

uint32_t adder_area_size(const adder_area_t *a)
{
    if (adder_area_empty(a))
        return 0;
    return (uint32_t)(a->x2 - a->x1) * (uint32_t)(a->y2 - a->y1);
}

bool adder_area_intersect(const adder_area_t *a, const adder_area_t *b, adder_area_t *out)
{
    adder_area_t r = {max16(a->x1, b->x1), max16(a->y1, b->y1), min16(a->x2, b->x2), min16(a->y2, b->y2)};
    if (adder_area_empty(&r)) {
        *out = (adder_area_t){0, 0, 0, 0};
        return false;
    }
    *out = r;
    return true;
}

void adder_area_unite(adder_area_t *a, const adder_area_t *b)
{
    if (adder_area_empty(b))
        return;
    if (adder_area_empty(a)) {
        *a = *b;
        return;
    }
    *a = (adder_area_t){min16(a->x1, b->x1), min16(a->y1, b->y1), max16(a->x2, b->x2), max16(a->y2, b->y2)};
}

bool adder_area_contains(const adder_area_t *outer, const adder_area_t *inner)
{
    return outer->x1 <= inner->x1 && outer->y1 <= inner->y1 && outer->x2 >= inner->x2 &&
           outer->y2 >= inner->y2;
}
