/* The screen as pages see it: one copy of the display's picture, cut into tiles that remember when
 * they changed, so that each page gets exactly what changed since the frame it saw last, however
 * slow it is. Pure: no I/O, no lock; the web thread owns it.
 *
 *     web_screen_t s = { 0 };
 *     if (web_screen_update(&s, picture.pixels, picture.width, picture.height, &changed) == ADDER_OK &&
 * changed) err = web_screen_encode(&s, seen, buf, cap, &len); web_screen_free(&s);
 *
 * A frame, little endian:
 *     0   u8   1 = screen              8   u16  width of the whole screen
 *     1   u8   1 = version             10  u16  height
 *     2   u16  number of rectangles    12  rectangles: u16 x, y, w, h, then w*h pixels R G B 255
 *     4   u32  revision
 * RAM: 4 bytes a pixel, 12 bytes a tile. */
#ifndef HOST_WEB_SCREEN_H
#define HOST_WEB_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

#define WEB_SCREEN_TILE 16
#define WEB_SCREEN_SIDE_MAX 4096
#define WEB_SCREEN_HEADER 12
#define WEB_SCREEN_RECT 8

typedef struct {
    uint16_t x, y, w, h; /* in tiles */
} web_rect_t;

typedef struct {
    unsigned width, height;
    uint32_t revision; /* of the newest change; 0 = nothing seen yet */
    struct {
        unsigned tiles_x, tiles_y;
        uint32_t *pixels;
        uint32_t *changed; /* revision of each tile's last change */
        web_rect_t *rects; /* room for encode */
    } priv;
} web_screen_t;

/* Take over a picture of 0x00RRGGBB pixels. A new size makes everything new.
 * ADDER_ERR_RANGE (0 or beyond WEB_SCREEN_SIDE_MAX), ADDER_ERR_NOMEM: the screen is unchanged. */
adder_err_t web_screen_update(web_screen_t *s, const uint32_t *pixels, unsigned width, unsigned height,
                              bool *changed_out) ADDER_MUST_USE;

/* The largest frame that encode may write. */
size_t web_screen_frame_max(const web_screen_t *s);

/* What changed after revision `since` (0 = all of it). *len_out 0: nothing.
 * ADDER_ERR_NOSPACE: cap below web_screen_frame_max(). */
adder_err_t web_screen_encode(web_screen_t *s, uint32_t since, uint8_t *out, size_t cap,
                              size_t *len_out) ADDER_MUST_USE;

void web_screen_free(web_screen_t *s);

#endif
