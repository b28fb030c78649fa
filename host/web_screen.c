#include "host/web_screen.h"

#include <stdlib.h>
#include <string.h>

static adder_err_t resize(web_screen_t *s, unsigned width, unsigned height)
{
    unsigned tiles_x = (width + WEB_SCREEN_TILE - 1) / WEB_SCREEN_TILE;
    unsigned tiles_y = (height + WEB_SCREEN_TILE - 1) / WEB_SCREEN_TILE;
    size_t tiles = (size_t)tiles_x * tiles_y;
    uint32_t *pixels = calloc((size_t)width * height, sizeof *pixels);
    uint32_t *changed = calloc(tiles, sizeof *changed);
    web_rect_t *rects = calloc(tiles, sizeof *rects);
    if (pixels == NULL || changed == NULL || rects == NULL) {
        free(pixels);
        free(changed);
        free(rects);
        return ADDER_ERR_NOMEM;
    }
    uint32_t revision = s->revision;
    web_screen_free(s);
    s->revision = revision;
    s->width = width;
    s->height = height;
    s->priv.tiles_x = tiles_x;
    s->priv.tiles_y = tiles_y;
    s->priv.pixels = pixels;
    s->priv.changed = changed;
    s->priv.rects = rects;
    return ADDER_OK;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Copy what differs of one row of tiles; true when any did. */
static bool update_tile(web_screen_t *s, const uint32_t *pixels, unsigned tx, unsigned ty)
{
    unsigned x = tx * WEB_SCREEN_TILE;
    unsigned y_end = least((ty + 1) * WEB_SCREEN_TILE, s->height);
    size_t row_bytes = least(WEB_SCREEN_TILE, s->width - x) * sizeof *pixels;
    bool differs = false;
    for (unsigned y = ty * WEB_SCREEN_TILE; y < y_end; y++) {
        size_t at = (size_t)y * s->width + x;
        if (memcmp(&s->priv.pixels[at], &pixels[at], row_bytes) != 0) {
            memcpy(&s->priv.pixels[at], &pixels[at], row_bytes);
            differs = true;
        }
    }
    return differs;
}

adder_err_t web_screen_update(web_screen_t *s, const uint32_t *pixels, unsigned width, unsigned height,
                              bool *changed_out)
{
    *changed_out = false;
    if (width == 0 || height == 0 || width > WEB_SCREEN_SIDE_MAX || height > WEB_SCREEN_SIDE_MAX) {
        return ADDER_ERR_RANGE;
    }
    bool all = width != s->width || height != s->height;
    if (all) {
        adder_err_t err = resize(s, width, height);
        if (err != ADDER_OK) {
            return err;
        }
    }
    /* 0 means "nothing seen": skip it when the counter comes round after two years. */
    uint32_t revision = s->revision + 1 == 0 ? 1 : s->revision + 1;
    for (unsigned ty = 0; ty < s->priv.tiles_y; ty++) {
        for (unsigned tx = 0; tx < s->priv.tiles_x; tx++) {
            if (update_tile(s, pixels, tx, ty) || all) {
                s->priv.changed[(size_t)ty * s->priv.tiles_x + tx] = revision;
                *changed_out = true;
            }
        }
    }
    if (*changed_out) {
        s->revision = revision;
    }
    return ADDER_OK;
}

size_t web_screen_frame_max(const web_screen_t *s)
{
    size_t tiles = (size_t)s->priv.tiles_x * s->priv.tiles_y;
    return WEB_SCREEN_HEADER + tiles * WEB_SCREEN_RECT + (size_t)s->width * s->height * 4;
}

/* Runs of changed tiles in each row; a run right under one of the same columns makes it taller. */
static size_t find_rects(web_screen_t *s, uint32_t since)
{
    size_t count = 0;
    size_t above = 0; /* first rectangle that may still grow */
    for (unsigned ty = 0; ty < s->priv.tiles_y; ty++) {
        size_t row_first = count;
        for (unsigned tx = 0; tx < s->priv.tiles_x;) {
            const uint32_t *changed = &s->priv.changed[(size_t)ty * s->priv.tiles_x];
            if (since != 0 && (int32_t)(changed[tx] - since) <= 0) {
                tx++;
                continue;
            }
            unsigned end = tx + 1;
            while (end < s->priv.tiles_x && (since == 0 || (int32_t)(changed[end] - since) > 0)) {
                end++;
            }
            bool grown = false;
            for (size_t i = above; i < row_first && !grown; i++) {
                web_rect_t *r = &s->priv.rects[i];
                if (r->x == tx && r->w == end - tx && (unsigned)r->y + r->h == ty) {
                    r->h++;
                    grown = true;
                }
            }
            if (!grown) {
                s->priv.rects[count++] = (web_rect_t){(uint16_t)tx, (uint16_t)ty, (uint16_t)(end - tx), 1};
            }
            tx = end;
        }
        /* Rectangles are found top to bottom, so those that stopped growing lie at the front, but a
         * few in between may go on: only skip a front of finished ones. */
        while (above < count && (unsigned)s->priv.rects[above].y + s->priv.rects[above].h <= ty) {
            above++;
        }
    }
    return count;
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
    *p++ = (uint8_t)(v & 0xFF);
    *p++ = (uint8_t)(v >> 8 & 0xFF);
    return p;
}

adder_err_t web_screen_encode(web_screen_t *s, uint32_t since, uint8_t *out, size_t cap, size_t *len_out)
{
    *len_out = 0;
    if (s->revision == 0 || since == s->revision) {
        return ADDER_OK;
    }
    if (cap < web_screen_frame_max(s)) {
        return ADDER_ERR_NOSPACE;
    }
    size_t count = find_rects(s, since);
    uint8_t *p = out;
    *p++ = 1;
    *p++ = 1;
    p = put16(p, (unsigned)count);
    p = put16(p, s->revision & 0xFFFF);
    p = put16(p, s->revision >> 16);
    p = put16(p, s->width);
    p = put16(p, s->height);
    for (size_t i = 0; i < count; i++) {
        const web_rect_t *r = &s->priv.rects[i];
        unsigned x0 = (unsigned)r->x * WEB_SCREEN_TILE, y0 = (unsigned)r->y * WEB_SCREEN_TILE;
        unsigned x1 = least(x0 + (unsigned)r->w * WEB_SCREEN_TILE, s->width);
        unsigned y1 = least(y0 + (unsigned)r->h * WEB_SCREEN_TILE, s->height);
        p = put16(p, x0);
        p = put16(p, y0);
        p = put16(p, x1 - x0);
        p = put16(p, y1 - y0);
        for (unsigned y = y0; y < y1; y++) {
            const uint32_t *row = &s->priv.pixels[(size_t)y * s->width];
            for (unsigned x = x0; x < x1; x++) {
                *p++ = (uint8_t)(row[x] >> 16 & 0xFF);
                *p++ = (uint8_t)(row[x] >> 8 & 0xFF);
                *p++ = (uint8_t)(row[x] & 0xFF);
                *p++ = 255;
            }
        }
    }
    *len_out = (size_t)(p - out);
    return ADDER_OK;
}

void web_screen_free(web_screen_t *s)
{
    free(s->priv.pixels);
    free(s->priv.changed);
    free(s->priv.rects);
    *s = (web_screen_t){0};
}
