/* Scene: a tree of layers on a screen; what changed, and the pixels of any rectangle of it.
 *
 *     adder_scene_t s;
 *     adder_scene_init(&s, 320, 240, 0, &(adder_pixel_format_t)ADDER_FORMAT_RGB565);
 *     adder_err_t err = adder_scene_set_root(&s, &root);
 *     adder_scene_collect(&s);                                     // what changed since the last time
 *     for (unsigned i = 0; i < s.dirty_count; i++)
 *         adder_scene_compose(&s, &s.dirty[i], buffer);            // 2 bytes a pixel here
 *
 * BusDisplay (busdisplay.h) drives one; a frame buffer, a test or a browser may drive one directly.
 *
 * Painting goes back to front, starting at the frontmost layer that covers the rectangle with opaque
 * pixels: what lies under it is never looked at, and no mask is needed. Rows are copied with running
 * addresses; palette colours come converted from a table. Rotation is done here, clockwise.
 *
 * RAM on a 32-bit machine: 152 bytes with the default ADDER_SCENE_DIRTY_MAX; no buffer of its own. The
 * deepest path of compose() takes about 800 bytes of stack. */
#ifndef ADDER_DISPLAY_SCENE_H
#define ADDER_DISPLAY_SCENE_H

#include "adder/display/layer.h"

/* Rectangles kept per refresh, 2..64. More changes than that are merged, cheapest first. 8 bytes each. */
#ifndef ADDER_SCENE_DIRTY_MAX
#define ADDER_SCENE_DIRTY_MAX 16
#endif
_Static_assert(ADDER_SCENE_DIRTY_MAX >= 2 && ADDER_SCENE_DIRTY_MAX <= 64, "2..64");

/* Two spaces: the *screen* is what programs see (width x height, after rotation), the *panel* is what
 * the controller has. Layers live on the screen, `dirty` and compose() speak of the panel. */
typedef struct {
    uint16_t width, height; /* of the screen; read only */
    uint16_t rotation;      /* 0, 90, 180, 270; read only */
    adder_pixel_format_t format;
    adder_group_t *root;                       /* may be NULL: all zero; read only */
    adder_area_t dirty[ADDER_SCENE_DIRTY_MAX]; /* on the panel, disjoint or nearly so */
    uint8_t dirty_count;
    uint16_t window_bytes; /* cost of addressing one rectangle, for merging; default 11 */
    struct {
        bool all; /* repaint everything */
    } priv;
} adder_scene_t;

void adder_scene_init(adder_scene_t *s, uint16_t width, uint16_t height, uint16_t rotation,
                      const adder_pixel_format_t *format);
/* Show another tree; NULL blanks the screen. The old root is free again. Repaints everything.
 * ADDER_ERR_IN_USE: root has a parent, or another scene shows it. */
adder_err_t adder_scene_set_root(adder_scene_t *s, adder_group_t *root) ADDER_MUST_USE;
/* degrees 0, 90, 180, 270, else ADDER_ERR_ARG. width and height swap between the two pairs. */
adder_err_t adder_scene_set_rotation(adder_scene_t *s, uint16_t degrees) ADDER_MUST_USE;
/* Repaint everything at the next collect. */
void adder_scene_touch(adder_scene_t *s);
static inline uint16_t adder_scene_panel_width(const adder_scene_t *s)
{
    return s->rotation % 180u == 0 ? s->width : s->height;
}
static inline uint16_t adder_scene_panel_height(const adder_scene_t *s)
{
    return s->rotation % 180u == 0 ? s->height : s->width;
}

/* Lay the tree out and list in dirty[] what differs from the last collect, widened to byte borders for
 * depths below 8. From here on everything listed counts as painted. */
void adder_scene_collect(adder_scene_t *s);
/* Lay out without touching the list: before compose() outside a refresh. */
void adder_scene_layout(adder_scene_t *s);
/* Bytes compose() writes for a rectangle. */
size_t adder_scene_bytes(const adder_scene_t *s, const adder_area_t *panel_area);
/* Paint a rectangle of the panel to `out` (2-byte aligned at depth 16, 4 at 32), rows without gaps, in the
 * scene's format. Positions are those of the last collect or layout. Rectangles for depths below 8 start
 * and end on byte borders. */
void adder_scene_compose(adder_scene_t *s, const adder_area_t *panel_area, void *out);
/* The same for a rectangle of the screen, the right way up whatever the rotation: for screenshots. */
void adder_scene_compose_upright(adder_scene_t *s, const adder_area_t *screen_area, void *out);

#endif
