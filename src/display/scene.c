#include <string.h>

#include "display_int.h"

/* ---- set-up ---- */

void adder_scene_init(adder_scene_t *s, uint16_t width, uint16_t height, uint16_t rotation,
                      const adder_pixel_format_t *format)
{
    memset(s, 0, sizeof *s);
    s->width = width;
    s->height = height;
    s->rotation = rotation;
    s->format = *format;
    s->window_bytes = 11;
    s->priv.all = true;
}

void adder_scene_touch(adder_scene_t *s)
{
    s->priv.all = true;
}

adder_err_t adder_scene_set_root(adder_scene_t *s, adder_group_t *root)
{
    if (root == s->root)
        return ADDER_OK;
    if (root != NULL && (root->layer.priv.parent != NULL || root->priv.is_root))
        return ADDER_ERR_IN_USE;
    if (s->root != NULL) {
        s->root->priv.is_root = false;
        /* It covers nothing any more: when shown again, all of it is new. */
        adder_layer_t *top = &s->root->layer;
        for (adder_layer_t *l = top; l != NULL; l = layer_walk_front(top, l, true)) {
            l->priv.shown = l->priv.now = (adder_area_t){0, 0, 0, 0};
            l->priv.flags &= (uint8_t) ~(LAYER_VISIBLE | GROUP_HAS_SHOWN);
            if (l->kind == ADDER_LAYER_GROUP)
                as_group(l)->priv.removed = l->priv.now;
        }
    }
    if (root != NULL)
        root->priv.is_root = true;
    s->root = root;
    s->priv.all = true;
    return ADDER_OK;
}

adder_err_t adder_scene_set_rotation(adder_scene_t *s, uint16_t degrees)
{
    if (degrees > 270 || degrees % 90 != 0)
        return ADDER_ERR_ARG;
    if (degrees % 180 != s->rotation % 180) {
        const uint16_t w = s->width;
        s->width = s->height;
        s->height = w;
    }
    s->rotation = degrees;
    s->priv.all = true;
    return ADDER_OK;
}

/* ---- between screen and panel ---- */

static adder_area_t to_panel(const adder_scene_t *s, const adder_area_t *a)
{
    const int32_t w = s->width, h = s->height;
    switch (s->rotation) {
    case 90:
        return area_clamp(h - a->y2, a->x1, h - a->y1, a->x2);
    case 180:
        return area_clamp(w - a->x2, h - a->y2, w - a->x1, h - a->y1);
    case 270:
        return area_clamp(a->y1, w - a->x2, a->y2, w - a->x1);
    default:
        return *a;
    }
}

static adder_area_t to_screen(const adder_scene_t *s, const adder_area_t *p)
{
    const int32_t w = s->width, h = s->height;
    switch (s->rotation) {
    case 90:
        return area_clamp(p->y1, h - p->x2, p->y2, h - p->x1);
    case 180:
        return area_clamp(w - p->x2, h - p->y2, w - p->x1, h - p->y1);
    case 270:
        return area_clamp(w - p->y2, p->x1, w - p->y1, p->x2);
    default:
        return *p;
    }
}

/* ---- layout ---- */

static int32_t sum_clamped(int32_t origin, int32_t at, uint16_t scale)
{
    const int64_t v = (int64_t)origin + (int64_t)at * scale;
    const int64_t most = 0x3FFFFFFF;
    return (int32_t)(v > most ? most : v < -most ? -most : v);
}

static void place(adder_layer_t *l)
{
    const adder_group_t *up = l->priv.parent;
    bool visible = !l->hidden;
    uint32_t scale = 1;
    int32_t left = 0, top = 0;
    if (up != NULL) {
        scale = (uint32_t)up->layer.priv.scale * up->scale;
        visible = visible && (up->layer.priv.flags & LAYER_VISIBLE) != 0;
        left = up->layer.priv.left;
        top = up->layer.priv.top;
    }
    l->priv.scale = (uint16_t)(scale > 32767u ? 32767u : scale == 0 ? 1u : scale);
    l->priv.left = sum_clamped(left, l->x, l->priv.scale);
    l->priv.top = sum_clamped(top, l->y, l->priv.scale);
    l->priv.flags = (uint8_t)(visible ? l->priv.flags | LAYER_VISIBLE : l->priv.flags & ~LAYER_VISIBLE);
    l->priv.now = (adder_area_t){0, 0, 0, 0};
    if (!visible || l->kind == ADDER_LAYER_GROUP)
        return;
    l->priv.now = l->kind == ADDER_LAYER_TILEGRID ? tilegrid_footprint(as_tilegrid(l)) : shape_footprint(l);
    /* Groups above hold the union, so that compose() may pass by whole subtrees. */
    for (adder_group_t *g = l->priv.parent; g != NULL; g = g->layer.priv.parent) {
        if (adder_area_contains(&g->layer.priv.now, &l->priv.now) && !adder_area_empty(&g->layer.priv.now))
            break;
        adder_area_unite(&g->layer.priv.now, &l->priv.now);
    }
}

void adder_scene_layout(adder_scene_t *s)
{
    if (s->root == NULL)
        return;
    adder_layer_t *top = &s->root->layer;
    for (adder_layer_t *l = top; l != NULL;) {
        place(l);
        l = layer_walk_front(top, l, (l->priv.flags & LAYER_VISIBLE) != 0);
    }
}

/* ---- dirty rectangles ---- */

static uint32_t cost(const adder_scene_t *s, const adder_area_t *a)
{
    return s->window_bytes + (adder_area_size(a) * s->format.depth + 7u) / 8u;
}

/* Whole bytes only: a byte may hold pixels of both sides of the border. */
static void widen(const adder_scene_t *s, adder_area_t *a)
{
    if (s->format.depth >= 8)
        return;
    const int cells = s->format.bytes_per_cell == 0 ? 1 : s->format.bytes_per_cell;
    const int n = 8 / s->format.depth * cells;
    int16_t *from = s->format.pixels_in_byte_share_row ? &a->x1 : &a->y1;
    int16_t *to = s->format.pixels_in_byte_share_row ? &a->x2 : &a->y2;
    *from = (int16_t)(*from - *from % n);
    *to = (int16_t)((*to + n - 1) / n * n);
}

static void drop(adder_scene_t *s, unsigned i)
{
    s->dirty[i] = s->dirty[--s->dirty_count];
}

/* Add, and merge as long as one window for two rectangles costs fewer bytes than two. */
static void add_panel_area(adder_scene_t *s, adder_area_t a)
{
    for (;;) {
        int32_t best_gain = -1;
        unsigned best = 0;
        for (unsigned i = 0; i < s->dirty_count; i++) {
            if (adder_area_contains(&s->dirty[i], &a))
                return;
            adder_area_t both = s->dirty[i];
            adder_area_unite(&both, &a);
            const int32_t gain = (int32_t)(cost(s, &s->dirty[i]) + cost(s, &a)) - (int32_t)cost(s, &both);
            if (gain > best_gain) {
                best_gain = gain;
                best = i;
            }
        }
        if (best_gain < 0)
            break;
        adder_area_unite(&a, &s->dirty[best]);
        drop(s, best);
    }
    if (s->dirty_count < ADDER_SCENE_DIRTY_MAX) {
        s->dirty[s->dirty_count++] = a;
        return;
    }
    /* Full: merge the pair that wastes least, the new one included. */
    unsigned one = 0, two = ADDER_SCENE_DIRTY_MAX;
    int32_t least = INT32_MAX;
    for (unsigned i = 0; i < ADDER_SCENE_DIRTY_MAX; i++)
        for (unsigned j = i + 1; j <= ADDER_SCENE_DIRTY_MAX; j++) {
            const adder_area_t *other = j < ADDER_SCENE_DIRTY_MAX ? &s->dirty[j] : &a;
            adder_area_t both = s->dirty[i];
            adder_area_unite(&both, other);
            const int32_t waste =
                (int32_t)cost(s, &both) - (int32_t)cost(s, &s->dirty[i]) - (int32_t)cost(s, other);
            if (waste < least) {
                least = waste;
                one = i;
                two = j;
            }
        }
    if (two == ADDER_SCENE_DIRTY_MAX) {
        adder_area_unite(&s->dirty[one], &a);
    } else {
        adder_area_unite(&s->dirty[one], &s->dirty[two]);
        s->dirty[two] = a;
    }
}

static void add_screen_area(void *ctx, const adder_area_t *screen_area)
{
    adder_scene_t *s = ctx;
    const adder_area_t all = {0, 0, (int16_t)adder_scene_panel_width(s),
                              (int16_t)adder_scene_panel_height(s)};
    if (s->priv.all || adder_area_empty(screen_area))
        return;
    adder_area_t a = to_panel(s, screen_area);
    if (!adder_area_intersect(&a, &all, &a))
        return;
    widen(s, &a);
    add_panel_area(s, a);
}

/* ---- collect ---- */

static void leaf_changes(adder_scene_t *s, adder_layer_t *l)
{
    if ((l->priv.flags & LAYER_VISIBLE) == 0) {
        add_screen_area(s, &l->priv.shown);
        return;
    }
    const bool is_new = adder_area_empty(&l->priv.shown);
    if (l->kind == ADDER_LAYER_TILEGRID)
        tilegrid_changes(as_tilegrid(l), is_new, add_screen_area, s);
    else
        shape_changes(as_shape(l), is_new, add_screen_area, s);
}

static void leaf_settle(adder_layer_t *l)
{
    const bool visible = (l->priv.flags & LAYER_VISIBLE) != 0;
    l->priv.shown = visible ? l->priv.now : (adder_area_t){0, 0, 0, 0};
    if (l->kind == ADDER_LAYER_TILEGRID)
        tilegrid_settle(as_tilegrid(l));
    else
        shape_settle(as_shape(l));
    if (!adder_area_empty(&l->priv.shown))
        for (adder_group_t *g = l->priv.parent; g != NULL && (g->layer.priv.flags & GROUP_HAS_SHOWN) == 0;
             g = g->layer.priv.parent)
            g->layer.priv.flags |= GROUP_HAS_SHOWN;
}

static void give_up_removed(adder_scene_t *s, adder_layer_t *l)
{
    if (l->kind != ADDER_LAYER_GROUP)
        return;
    add_screen_area(s, &as_group(l)->priv.removed);
    as_group(l)->priv.removed = (adder_area_t){0, 0, 0, 0};
}

/* A subtree that was hidden: give up what it covered. */
static void hide_subtree(adder_scene_t *s, adder_layer_t *top)
{
    for (adder_layer_t *l = top; l != NULL; l = layer_walk_front(top, l, true)) {
        give_up_removed(s, l);
        add_screen_area(s, &l->priv.shown);
        l->priv.shown = (adder_area_t){0, 0, 0, 0};
        l->priv.flags &= (uint8_t) ~(GROUP_HAS_SHOWN | LAYER_VISIBLE);
    }
}

void adder_scene_collect(adder_scene_t *s)
{
    adder_scene_layout(s);
    s->dirty_count = 0;
    if (s->priv.all) {
        s->dirty[s->dirty_count++] =
            (adder_area_t){0, 0, (int16_t)adder_scene_panel_width(s), (int16_t)adder_scene_panel_height(s)};
        widen(s, &s->dirty[0]);
    }
    if (s->root != NULL) {
        adder_layer_t *top = &s->root->layer;
        /* First everybody looks, then everything counts as seen: layers may share a bitmap. */
        for (adder_layer_t *l = top; l != NULL;) {
            const bool visible = (l->priv.flags & LAYER_VISIBLE) != 0;
            if (l->kind != ADDER_LAYER_GROUP) {
                leaf_changes(s, l);
            } else {
                give_up_removed(s, l);
                if (!visible && (l->priv.flags & GROUP_HAS_SHOWN) != 0)
                    hide_subtree(s, l);
            }
            l = layer_walk_front(top, l, visible);
        }
        for (adder_layer_t *l = top; l != NULL;) {
            const bool group = l->kind == ADDER_LAYER_GROUP;
            if (!group)
                leaf_settle(l);
            else
                l->priv.flags &= (uint8_t)~LAYER_TOUCHED;
            l = layer_walk_front(top, l, (l->priv.flags & LAYER_VISIBLE) != 0);
        }
    }
    s->priv.all = false;
}

/* ---- compose ---- */

size_t adder_scene_bytes(const adder_scene_t *s, const adder_area_t *a)
{
    const size_t w = (size_t)(a->x2 - a->x1), h = (size_t)(a->y2 - a->y1), depth = s->format.depth;
    if (depth >= 8 || s->format.pixels_in_byte_share_row)
        return (w * h * depth + 7u) / 8u;
    const size_t per_byte = 8u / depth;
    return w * ((h + per_byte - 1u) / per_byte);
}

static bool touches(const adder_layer_t *l, const adder_area_t *a)
{
    const adder_area_t *n = &l->priv.now;
    return n->x1 < a->x2 && a->x1 < n->x2 && n->y1 < a->y2 && a->y1 < n->y2;
}

/* The frontmost layer that hides all below it in the whole rectangle. */
static adder_layer_t *find_cover(adder_layer_t *top, const canvas_t *c)
{
    for (adder_layer_t *l = top; l != NULL;) {
        const bool seen = (l->priv.flags & LAYER_VISIBLE) != 0 && touches(l, &c->screen);
        if (seen && l->kind != ADDER_LAYER_GROUP && adder_area_contains(&l->priv.now, &c->screen) &&
            (l->kind == ADDER_LAYER_TILEGRID ? tilegrid_covers(as_tilegrid(l))
                                             : shape_covers(as_shape(l), &c->screen, c->format)))
            return l;
        l = layer_walk_back(top, l, seen);
    }
    return NULL;
}

static void compose(adder_scene_t *s, const canvas_t *c, size_t len)
{
    adder_layer_t *top = s->root == NULL ? NULL : &s->root->layer;
    adder_layer_t *from = top == NULL ? NULL : find_cover(top, c);
    if (from == NULL) {
        memset(c->out, 0, len);
        from = top;
    }
    for (adder_layer_t *l = from; l != NULL;) {
        const bool seen = (l->priv.flags & LAYER_VISIBLE) != 0 && touches(l, &c->screen);
        if (seen && l->kind == ADDER_LAYER_TILEGRID)
            tilegrid_paint(as_tilegrid(l), c);
        else if (seen && l->kind != ADDER_LAYER_GROUP)
            shape_paint(as_shape(l), c);
        l = layer_walk_front(top, l, seen);
    }
}

/* Steps from panel coordinates: index = (py - y1) * width + px - x1, px and py linear in the screen's. */
static canvas_t make_canvas(const adder_scene_t *s, uint16_t rotation, const adder_area_t *area, void *out)
{
    canvas_t c = {.out = out, .format = &s->format, .width = area->x2 - area->x1};
    int32_t w = c.width;
    if (s->format.depth < 8) {
        c.byte_shift = s->format.depth == 1 ? 3 : s->format.depth == 2 ? 2 : 1;
        while (1 << c.row_shift < w)
            c.row_shift++;
        if (!s->format.pixels_in_byte_share_row)
            w = 1 << c.row_shift;
    }
    const int32_t base = -area->y1 * w - area->x1;
    switch (rotation) {
    case 90: /* px = height - 1 - y, py = x */
        c.step_x = w;
        c.step_y = -1;
        c.origin = base + s->height - 1;
        break;
    case 180:
        c.step_x = -1;
        c.step_y = -w;
        c.origin = base + s->width - 1 + (s->height - 1) * w;
        break;
    case 270: /* px = y, py = width - 1 - x */
        c.step_x = -w;
        c.step_y = 1;
        c.origin = base + (s->width - 1) * w;
        break;
    default:
        c.step_x = 1;
        c.step_y = w;
        c.origin = base;
    }
    return c;
}

void adder_scene_compose(adder_scene_t *s, const adder_area_t *panel_area, void *out)
{
    if (adder_area_empty(panel_area))
        return;
    canvas_t c = make_canvas(s, s->rotation, panel_area, out);
    c.screen = to_screen(s, panel_area);
    compose(s, &c, adder_scene_bytes(s, panel_area));
}

void adder_scene_compose_upright(adder_scene_t *s, const adder_area_t *screen_area, void *out)
{
    if (adder_area_empty(screen_area))
        return;
    canvas_t c = make_canvas(s, 0, screen_area, out);
    c.screen = *screen_area;
    compose(s, &c, adder_scene_bytes(s, screen_area));
}
