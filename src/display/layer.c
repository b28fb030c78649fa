#include <string.h>

#include "display_int.h"

adder_area_t area_clamp(int64_t x1, int64_t y1, int64_t x2, int64_t y2)
{
    if (x1 < INT16_MIN)
        x1 = INT16_MIN;
    if (y1 < INT16_MIN)
        y1 = INT16_MIN;
    if (x2 > INT16_MAX)
        x2 = INT16_MAX;
    if (y2 > INT16_MAX)
        y2 = INT16_MAX;
    if (x1 >= x2 || y1 >= y2)
        return (adder_area_t){0, 0, 0, 0};
    return (adder_area_t){(int16_t)x1, (int16_t)y1, (int16_t)x2, (int16_t)y2};
}

/* ---- walking: depth first, without a stack, since every layer knows its parent ---- */

adder_layer_t *layer_walk_front(const adder_layer_t *top, adder_layer_t *l, bool enter)
{
    if (enter && l->kind == ADDER_LAYER_GROUP && as_group(l)->priv.back != NULL)
        return as_group(l)->priv.back;
    while (l != top) {
        if (l->priv.next != NULL)
            return l->priv.next;
        l = &l->priv.parent->layer;
    }
    return NULL;
}

adder_layer_t *layer_walk_back(const adder_layer_t *top, adder_layer_t *l, bool enter)
{
    if (enter && l->kind == ADDER_LAYER_GROUP && as_group(l)->priv.front != NULL)
        return as_group(l)->priv.front;
    while (l != top) {
        if (l->priv.prev != NULL)
            return l->priv.prev;
        l = &l->priv.parent->layer;
    }
    return NULL;
}

void adder_layer_touch(adder_layer_t *l)
{
    for (adder_layer_t *at = l; at != NULL; at = layer_walk_front(l, at, true))
        at->priv.flags |= LAYER_TOUCHED;
}

/* ---- groups ---- */

void adder_group_init(adder_group_t *g, int16_t x, int16_t y, uint16_t scale)
{
    memset(g, 0, sizeof *g);
    g->layer.kind = ADDER_LAYER_GROUP;
    g->layer.x = x;
    g->layer.y = y;
    g->scale = scale;
}

adder_layer_t *adder_group_at(const adder_group_t *g, uint16_t index)
{
    if (index >= g->priv.count)
        return NULL;
    if (index == g->priv.count - 1)
        return g->priv.front;
    adder_layer_t *l = g->priv.back;
    while (index-- > 0)
        l = l->priv.next;
    return l;
}

adder_err_t adder_group_index(const adder_group_t *g, const adder_layer_t *l, uint16_t *index_out)
{
    if (l->priv.parent != g)
        return ADDER_ERR_NOT_FOUND;
    uint16_t index = 0;
    for (const adder_layer_t *at = g->priv.back; at != l; at = at->priv.next)
        index++;
    *index_out = index;
    return ADDER_OK;
}

/* Put l behind the member `before`; NULL: in front of everything. */
static void link_member(adder_group_t *g, adder_layer_t *l, adder_layer_t *before)
{
    l->priv.parent = g;
    l->priv.next = before;
    l->priv.prev = before != NULL ? before->priv.prev : g->priv.front;
    if (l->priv.prev != NULL)
        l->priv.prev->priv.next = l;
    else
        g->priv.back = l;
    if (before != NULL)
        before->priv.prev = l;
    else
        g->priv.front = l;
    g->priv.count++;
}

static void unlink_member(adder_group_t *g, adder_layer_t *l)
{
    if (l->priv.prev != NULL)
        l->priv.prev->priv.next = l->priv.next;
    else
        g->priv.back = l->priv.next;
    if (l->priv.next != NULL)
        l->priv.next->priv.prev = l->priv.prev;
    else
        g->priv.front = l->priv.prev;
    l->priv.prev = l->priv.next = NULL;
    l->priv.parent = NULL;
    g->priv.count--;
}

adder_err_t adder_group_insert(adder_group_t *g, uint16_t index, adder_layer_t *l)
{
    if (l->priv.parent != NULL || (l->kind == ADDER_LAYER_GROUP && as_group(l)->priv.is_root))
        return ADDER_ERR_IN_USE;
    for (adder_group_t *up = g; up != NULL; up = up->layer.priv.parent)
        if (&up->layer == l)
            return ADDER_ERR_ARG;
    if (g->priv.count == UINT16_MAX)
        return ADDER_ERR_NOSPACE;
    link_member(g, l, adder_group_at(g, index));
    return ADDER_OK;
}

adder_err_t adder_group_append(adder_group_t *g, adder_layer_t *l)
{
    return adder_group_insert(g, UINT16_MAX, l);
}

adder_err_t adder_group_remove(adder_group_t *g, adder_layer_t *l)
{
    if (l->priv.parent != g)
        return ADDER_ERR_NOT_FOUND;
    /* Everything below l last covered becomes one dirty rectangle of g. */
    for (adder_layer_t *at = l; at != NULL; at = layer_walk_front(l, at, true)) {
        adder_area_unite(&g->priv.removed, &at->priv.shown);
        at->priv.shown = (adder_area_t){0, 0, 0, 0};
        at->priv.now = at->priv.shown;
        at->priv.flags &= (uint8_t) ~(LAYER_VISIBLE | GROUP_HAS_SHOWN);
        if (at->kind == ADDER_LAYER_GROUP) {
            adder_area_unite(&g->priv.removed, &as_group(at)->priv.removed);
            as_group(at)->priv.removed = (adder_area_t){0, 0, 0, 0};
        }
    }
    unlink_member(g, l);
    return ADDER_OK;
}

adder_err_t adder_group_move(adder_group_t *g, adder_layer_t *l, uint16_t index)
{
    if (l->priv.parent != g)
        return ADDER_ERR_NOT_FOUND;
    unlink_member(g, l);
    link_member(g, l, adder_group_at(g, index));
    adder_layer_touch(l);
    return ADDER_OK;
}
