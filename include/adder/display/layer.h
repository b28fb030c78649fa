/* Layers: groups, tilegrids and vector shapes, in one tree.
 *
 *     adder_group_t root;
 *     adder_tilegrid_t sprite;
 *     adder_group_init(&root, 0, 0, 1);
 *     adder_err_t err = adder_tilegrid_init(&sprite, &(adder_tilegrid_config_t){
 *         .source = ADDER_SOURCE_BITMAP(&bitmap), .shader = ADDER_SHADER_PALETTE(&pal),
 *         .width = 1, .height = 1, .tile_width = bitmap.width, .tile_height = bitmap.height }, NULL, 0);
 *     err = adder_group_append(&root, &sprite.layer);
 *     sprite.layer.x = 40;                 // plain members: the next refresh sees the difference
 *
 * The engine keeps for every leaf where it was last painted, and compares: position, scale, hidden, flips,
 * cells, bitmap, palette. So nothing has to be announced except what goes through the functions below.
 * Member 0 is drawn at the back. Structs belong to the caller and must stay put while in a tree.
 *
 * Limits: coordinates -32768..32767, sizes to 32767, tree depth unlimited (no recursion).
 * RAM on a 32-bit machine: layer 52 bytes, group 76, tilegrid 120, shapes 72 to 84. */
#ifndef ADDER_DISPLAY_LAYER_H
#define ADDER_DISPLAY_LAYER_H

#include "adder/bmp.h"
#include "adder/display/bitmap.h"
#include "adder/display/color.h"

/* ---- what all layers have ---- */

typedef enum {
    ADDER_LAYER_GROUP,
    ADDER_LAYER_TILEGRID,
    ADDER_LAYER_CIRCLE,
    ADDER_LAYER_RECTANGLE,
    ADDER_LAYER_POLYGON
} adder_layer_kind_t;

typedef struct adder_layer adder_layer_t;
typedef struct adder_group adder_group_t;

struct adder_layer {
    uint8_t kind; /* adder_layer_kind_t; set by init */
    bool hidden;  /* plain: hides the whole subtree */
    int16_t x, y; /* plain: in the parent's units */
    void *user;   /* the caller's own; never looked at */
    struct {
        uint8_t flags;
        uint16_t scale; /* product of the enclosing scales */
        adder_group_t *parent;
        adder_layer_t *prev, *next; /* next is in front */
        int32_t left, top;          /* origin on the screen */
        adder_area_t now;           /* footprint on the screen, empty = not visible */
        adder_area_t shown;         /* footprint when last painted */
    } priv;
};

static inline adder_group_t *adder_layer_parent(const adder_layer_t *l)
{
    return l->priv.parent;
}
/* Repaint the layer (all leaves of a group) at the next refresh. */
void adder_layer_touch(adder_layer_t *l);

/* ---- group ---- */

struct adder_group {
    adder_layer_t layer; /* first, so that &group->layer is the group */
    uint16_t scale;      /* plain: 1..32767, nearest neighbour */
    struct {
        adder_layer_t *back, *front;
        uint16_t count;
        bool is_root;         /* shown by a display: counts as having a parent */
        adder_area_t removed; /* what removed members last covered, not yet repainted */
    } priv;
};

void adder_group_init(adder_group_t *g, int16_t x, int16_t y, uint16_t scale);
static inline uint16_t adder_group_count(const adder_group_t *g)
{
    return g->priv.count;
}
/* NULL when there is no such member. */
adder_layer_t *adder_group_at(const adder_group_t *g, uint16_t index);
/* ADDER_ERR_NOT_FOUND: not a member. */
adder_err_t adder_group_index(const adder_group_t *g, const adder_layer_t *l,
                              uint16_t *index_out) ADDER_MUST_USE;
/* Put l at position index (0 = back); an index at or above count appends.
 *   ADDER_ERR_IN_USE  l is in a group already, or is the root of a display
 *   ADDER_ERR_ARG     l is g itself or holds g
 *   ADDER_ERR_NOSPACE 65535 members */
adder_err_t adder_group_insert(adder_group_t *g, uint16_t index, adder_layer_t *l) ADDER_MUST_USE;
adder_err_t adder_group_append(adder_group_t *g, adder_layer_t *l) ADDER_MUST_USE;
/* Take l out; what it covered is repainted. ADDER_ERR_NOT_FOUND: not a member of g. */
adder_err_t adder_group_remove(adder_group_t *g, adder_layer_t *l) ADDER_MUST_USE;
/* Move a member to another position (sorting); repaints what the group covers. */
adder_err_t adder_group_move(adder_group_t *g, adder_layer_t *l, uint16_t index) ADDER_MUST_USE;

/* ---- tilegrid ---- */

typedef enum { ADDER_SOURCE_IS_BITMAP, ADDER_SOURCE_IS_BMP } adder_source_kind_t;

/* Where a tilegrid's pixels come from. */
typedef struct {
    adder_source_kind_t kind;
    union {
        adder_bitmap_t *bitmap;
        adder_bmp_t *bmp;
    } of;
} adder_source_t;

#define ADDER_SOURCE_BITMAP(b) ((adder_source_t){.kind = ADDER_SOURCE_IS_BITMAP, .of = {.bitmap = (b)}})
#define ADDER_SOURCE_BMP(b) ((adder_source_t){.kind = ADDER_SOURCE_IS_BMP, .of = {.bmp = (b)}})

typedef struct {
    adder_source_t source;
    adder_shader_t shader;
    uint16_t width, height;           /* in cells, >= 1 */
    uint16_t tile_width, tile_height; /* must divide the source's size */
    uint16_t default_tile;            /* every cell at start; not checked against the source */
    int16_t x, y;
} adder_tilegrid_config_t;

/* flip_x .. scroll_y are plain. */
typedef struct {
    adder_layer_t layer;
    uint16_t width, height;
    uint16_t tile_width, tile_height;
    bool flip_x, flip_y;         /* mirror the content inside the footprint */
    bool transpose_xy;           /* swap the axes, and so the footprint's width and height */
    uint16_t scroll_x, scroll_y; /* the cell shown at the top left; columns and rows wrap */
    struct {
        adder_source_t source;
        adder_shader_t shader;
        void *cells; /* uint8_t up to 255 tiles, uint16_t above */
        union {
            uint8_t bytes[sizeof(void *)];
            uint16_t wide[sizeof(void *) / 2];
        } inline_cells;
        bool wide;
        uint8_t seen_flips;
        uint16_t seen_scroll_x, seen_scroll_y;
        uint16_t tiles_across;             /* tiles in a row of the source */
        uint32_t tile_count;               /* in the source */
        adder_area_t changed;              /* cells changed since last painted */
        uint32_t seen_source, seen_shader; /* revisions */
    } priv;
} adder_tilegrid_t;

/* Bytes of cell storage; sizeof(void *) or less needs none from the caller. */
size_t adder_tilegrid_cell_bytes(const adder_tilegrid_config_t *config);
/* `cells` (2-byte aligned) may be NULL when cell_bytes() is at most sizeof(void *); kept otherwise.
 *   ADDER_ERR_ARG      a size of 0, tiles that do not divide the source, no shader
 *   ADDER_ERR_NOSPACE  cells_len too small */
adder_err_t adder_tilegrid_init(adder_tilegrid_t *t, const adder_tilegrid_config_t *config, void *cells,
                                size_t cells_len) ADDER_MUST_USE;
/* Cells, counted from the grid's own top left (scrolling does not renumber).
 * ADDER_ERR_RANGE: no such cell, or (set) no such tile in the source. */
adder_err_t adder_tilegrid_set(adder_tilegrid_t *t, uint16_t x, uint16_t y, uint16_t tile) ADDER_MUST_USE;
adder_err_t adder_tilegrid_get(const adder_tilegrid_t *t, uint16_t x, uint16_t y,
                               uint16_t *tile_out) ADDER_MUST_USE;
void adder_tilegrid_set_all(adder_tilegrid_t *t, uint16_t tile);
static inline uint32_t adder_tilegrid_tile_count(const adder_tilegrid_t *t)
{
    return t->priv.tile_count;
}
/* ADDER_ERR_ARG: another size than the old one. */
adder_err_t adder_tilegrid_set_source(adder_tilegrid_t *t, adder_source_t source) ADDER_MUST_USE;
void adder_tilegrid_set_shader(adder_tilegrid_t *t, adder_shader_t shader);
/* In the parent's units, as CircuitPython: parent offsets, scale and transpose do not count. */
bool adder_tilegrid_contains(const adder_tilegrid_t *t, int32_t x, int32_t y);

/* ---- vector shapes ---- */

/* All are filled with one colour of a shader: entry color_index of a palette, or the value
 * color_index of a converter. An enclosing scale moves a shape's origin but does not enlarge it, as in
 * CircuitPython. A transparent colour draws nothing. */
typedef struct {
    adder_layer_t layer;
    struct {
        adder_shader_t shader;
        uint32_t color_index, seen_shader;
    } priv;
} adder_shape_t;

void adder_shape_set_color(adder_shape_t *s, uint32_t color_index);
void adder_shape_set_shader(adder_shape_t *s, adder_shader_t shader);
/* x, y in the parent's units, compared as drawn, with no scale. */
bool adder_shape_contains(const adder_shape_t *s, int32_t x, int32_t y);

/* x, y is the centre; pixels with dx*dx + dy*dy <= radius*radius. */
typedef struct {
    adder_shape_t shape;
    uint16_t radius; /* read only: set through the function */
} adder_circle_t;

/* radius 1..16383, else ADDER_ERR_RANGE. */
adder_err_t adder_circle_init(adder_circle_t *c, adder_shader_t shader, uint32_t color_index, int16_t x,
                              int16_t y, uint16_t radius) ADDER_MUST_USE;
adder_err_t adder_circle_set_radius(adder_circle_t *c, uint16_t radius) ADDER_MUST_USE;

/* x, y is the top left corner. */
typedef struct {
    adder_shape_t shape;
    uint16_t width, height; /* read only */
} adder_rectangle_t;

/* Sides 1..32767, else ADDER_ERR_RANGE. */
adder_err_t adder_rectangle_init(adder_rectangle_t *r, adder_shader_t shader, uint32_t color_index, int16_t x,
                                 int16_t y, uint16_t width, uint16_t height) ADDER_MUST_USE;
adder_err_t adder_rectangle_set_size(adder_rectangle_t *r, uint16_t width, uint16_t height) ADDER_MUST_USE;

typedef struct {
    int16_t x, y;
} adder_point_t;

/* Points relative to x, y; closed; non-zero winding; left and top edges in, right and bottom out. */
typedef struct {
    adder_shape_t shape;
    const adder_point_t *points; /* read only */
    uint16_t count;
    struct {
        adder_area_t box;
    } priv;
} adder_polygon_t;

/* `points` are kept and must not change while in use; count >= 3, else ADDER_ERR_RANGE. */
adder_err_t adder_polygon_init(adder_polygon_t *p, adder_shader_t shader, uint32_t color_index, int16_t x,
                               int16_t y, const adder_point_t *points, uint16_t count) ADDER_MUST_USE;
adder_err_t adder_polygon_set_points(adder_polygon_t *p, const adder_point_t *points,
                                     uint16_t count) ADDER_MUST_USE;

#endif
