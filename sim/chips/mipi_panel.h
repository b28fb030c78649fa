/* A TFT controller's registers and memory: mipi_panel.c changes them, mipi_picture.c shows them. */
#ifndef SIM_MIPI_PANEL_H
#define SIM_MIPI_PANEL_H

#include "sim/chips/chips.h"

enum { COLUMNS = 240, ROWS = 320 };
enum { MY = 0x80, MX = 0x40, MV = 0x20, BGR = 0x08 };              /* MADCTL */
enum { DISCTRL_REV = 0x80, DISCTRL_GS = 0x40, DISCTRL_SS = 0x20 }; /* ILI9341, second parameter */

/* What differs between the two. */
typedef struct {
    uint8_t id[3], id4[2];
    bool bgr_glass;      /* colour filter order of the usual panel */
    bool mirrored_glass; /* column 0 at the right edge unless DISCTRL.SS */
    bool inverted_glass; /* IPS: needs INVON for true colours */
    bool has_disctrl;
} model_t;

typedef struct {
    sim_chip_t chip;
    const model_t *model;
    bool bgr_glass, mirrored_glass, inverted_glass;
    unsigned mount;                       /* degrees clockwise */
    unsigned left, top, glass_w, glass_h; /* the glass within the frame memory */

    /* registers */
    uint8_t madctl, colmod, disctrl2;
    uint16_t sc, ec, sp, ep;
    uint16_t tfa, vsa, bfa, vsp, sr, er;
    bool sleeping, on, inverted, idle, partial, scrolling, te_on;

    /* command under way */
    uint8_t command;
    uint8_t args[16];
    unsigned arg_count;
    uint16_t column, page; /* the memory pointer, window coordinates */
    uint8_t held[3];       /* bytes of a pixel not complete yet */
    unsigned held_count;
    unsigned read_at; /* bytes read since the command */
    uint64_t awake_us;

    float backlight; /* 0..1 */
    bool has_backlight;

    uint64_t commands, pixels, areas, resets, rejected;
    sim_counter_t counters[6];

    uint64_t picture_revision, drawn_revision;
    /* The frame memory, 0x00RRGGBB as written. A panel mounted sideways is written sideways: then it is
     * kept column by column, so that a window's line is a run of neighbours. */
    int32_t next_column, next_row; /* steps in memory[] */
    uint32_t memory[COLUMNS * ROWS];
    uint32_t picture[COLUMNS * ROWS];
} panel_t;

/* Paint p->picture anew from the memory, as a viewer of the mounted panel sees it. */
void panel_draw(panel_t *p);

#endif
