/* What a viewer sees of a TFT controller's memory: scrolling, partial mode, colours, light, mounting. */
#include "sim/chips/mipi_panel.h"

#include <math.h>
#include <string.h>

/* The memory row that is on glass line `line`: vertical scrolling (ILI9341 8.2.22, 8.2.26). */
static unsigned scrolled(const panel_t *p, unsigned line)
{
    if (!p->scrolling || p->tfa + p->vsa + p->bfa != ROWS || p->vsa == 0 || line < p->tfa ||
        line >= (unsigned)(p->tfa + p->vsa))
        return line;
    const unsigned shift = p->vsp >= p->tfa ? p->vsp - p->tfa : 0;
    return p->tfa + (line - p->tfa + shift) % p->vsa;
}

static bool line_shown(const panel_t *p, unsigned line)
{
    if (!p->partial)
        return true;
    return p->sr <= p->er ? line >= p->sr && line <= p->er : line >= p->sr || line <= p->er;
}

typedef struct {
    bool swap, invert, idle;
    uint8_t scale[256];
} looks_t;

static looks_t looks(const panel_t *p)
{
    looks_t l = {
        .swap = ((p->madctl & BGR) != 0) != p->bgr_glass,
        .invert =
            p->inverted != (p->inverted_glass || (p->model->has_disctrl && !(p->disctrl2 & DISCTRL_REV))),
        .idle = p->idle,
    };
    /* Half the light is not half the sRGB value: the eye's curve lies between duty and number. */
    const double f = pow((double)p->backlight, 1 / 2.2);
    for (int i = 0; i < 256; i++)
        l.scale[i] = (uint8_t)(i * f + 0.5);
    return l;
}

static uint32_t seen(const looks_t *l, uint32_t v)
{
    if (l->swap)
        v = (v & 0xFF) << 16 | (v & 0xFF00) | v >> 16;
    if (l->invert)
        v ^= 0xFFFFFF;
    if (l->idle)
        v = (v >> 7 & 0x010101) * 0xFF;
    return (uint32_t)l->scale[v >> 16] << 16 | (uint32_t)l->scale[v >> 8 & 0xFF] << 8 | l->scale[v & 0xFF];
}

void panel_draw(panel_t *p)
{
    const unsigned w = p->glass_w, h = p->glass_h;
    const bool flip_x = p->mirrored_glass != (p->model->has_disctrl && (p->disctrl2 & DISCTRL_SS) != 0);
    const bool flip_y = p->model->has_disctrl && (p->disctrl2 & DISCTRL_GS) != 0;
    const looks_t l = looks(p);
    memset(p->picture, 0, sizeof p->picture);
    if (!p->on || p->sleeping || p->backlight <= 0)
        return;
    for (unsigned y = 0; y < h; y++) {
        const unsigned line = p->top + y;
        const unsigned row = scrolled(p, flip_y ? ROWS - 1 - line : line);
        if (!line_shown(p, line))
            continue;
        for (unsigned x = 0; x < w; x++) {
            const unsigned column = flip_x ? COLUMNS - 1 - (p->left + x) : p->left + x;
            const uint32_t v =
                seen(&l, p->memory[(int32_t)row * p->next_row + (int32_t)column * p->next_column]);
            switch (p->mount) { /* clockwise */
            case 90:
                p->picture[x * h + (h - 1 - y)] = v;
                break;
            case 180:
                p->picture[(h - 1 - y) * w + (w - 1 - x)] = v;
                break;
            case 270:
                p->picture[(w - 1 - x) * h + y] = v;
                break;
            default:
                p->picture[y * w + x] = v;
                break;
            }
        }
    }
}
