/* A simulated board: the chips of a board file (boards/x.json) on their wires, and the
 * microcontroller's pins and buses as an adder_mcu_t.
 *
 *     char msg[SIM_MSG_CAP];
 *     sim_board_t *b = sim_board_open("boards/pyportal.json", NULL, msg, sizeof msg);
 *     if (b == NULL) { fprintf(stderr, "%s\n", msg); return 1; }
 *     const adder_mcu_t *mcu = sim_board_mcu(b);          // give this to the Python modules
 *     cJSON *knobs = cJSON_Parse("{\"touch\": [160, 120]}");
 *     err = sim_board_control(b, "touch", knobs, msg, sizeof msg);
 *     err = sim_board_screenshot(b, NULL, "out.png", msg, sizeof msg);
 *     sim_board_close(b);
 *
 * Threading: every function may be called from any thread; one recursive lock per board is taken
 * inside. Hooks (sim_hooks_t) are called with the lock released, on the thread whose call caused
 * them, so they may call back into the board; they must not close it.
 * Errors: what went wrong and where is written to `msg` (always terminated, truncated to msg_cap;
 * msg may be NULL). JSON values returned belong to the caller (cJSON_Delete).
 * Memory: about 1 MB for a board with a 320x240 display. Two boards in one process are fine. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <cjson/cJSON.h>

#include "adder/mcu.h"
#include "sim/chip.h"

enum { SIM_MSG_CAP = 512 }; /* a message is never longer */

/* ---- life ---- */

/* Load a board file, create and power its chips. NULL on error, with e.g.
 *     boards/x.json:12: expected ',' or '}' before "spi"
 *     boards/x.json: chips[3].wires.cs: no such pin PB99 (pins of this board: A0, A1, ...)
 * run_config (may be NULL; copied) holds what belongs to the run and not to the board:
 *     "network"  access points and host names, see sim/network.h
 *     "chips"    {"<chip id>": {...}} merged over the chip's object of the board file
 *     "state"    folder for what survives power-off (nvm.bin); created when first written;
 *                absent = kept in memory only
 *     "clock"    "real" (default) or "virtual": time moves by sim_board_advance() only
 *     "seed"     number for random bytes, repeatable; absent = real randomness */
sim_board_t *sim_board_open(const char *board_json_path, const cJSON *run_config, char *msg, size_t msg_cap);
/* The same from text; `name` stands for the file in messages. */
sim_board_t *sim_board_open_text(const char *name, const char *json, size_t len, const cJSON *run_config,
                                 char *msg, size_t msg_cap);
void sim_board_close(sim_board_t *b); /* NULL is fine */

/* Valid until close; the same object whatever resets happen. */
const adder_mcu_t *sim_board_mcu(sim_board_t *b);

/* Several calls as one. Recursive; short sections only: the program stands still meanwhile. */
void sim_board_lock(sim_board_t *b);
void sim_board_unlock(sim_board_t *b);

/* ---- what the board asks of its owner ---- */

typedef struct {
    /* The MCU must restart: microcontroller.reset(), watchdog in reset mode, the board's reset
     * button (page or timeline). The owner stops the program, calls sim_board_reset(b, why) and
     * boots again. */
    void (*reset_requested)(void *ctx, adder_reset_reason_t why);
    /* The watchdog ran out in "raise" mode. */
    void (*watchdog_fired)(void *ctx);
    /* A "console" event of the timeline: bytes typed on the serial console. */
    void (*console)(void *ctx, const char *bytes, size_t len);
    void *ctx;
} sim_hooks_t;
void sim_board_set_hooks(sim_board_t *b, const sim_hooks_t *hooks); /* copied; members may be NULL */

/* The MCU restarts: pins to inputs, buses closed, watchdog off, mcu->reset_reason = why. The other
 * chips keep their power and state. */
void sim_board_reset(sim_board_t *b, adder_reset_reason_t why);
/* Power off and on: all chips at power-on state, the board's clock starts at 0 again, counters stay. */
void sim_board_power_cycle(sim_board_t *b);

/* ---- time ---- */

uint64_t sim_board_now_us(sim_board_t *b); /* since power-on */
/* Let due things happen (timeline, watchdog, chips' own time). Any MCU call does this too, so it is
 * needed only while the program runs pure Python or sleeps: call it about every 10 ms from any
 * thread. Returns the time of the next thing due, UINT64_MAX = none. */
uint64_t sim_board_poll(sim_board_t *b);
/* Virtual clock: move time on, doing everything due on the way in order. */
void sim_board_advance(sim_board_t *b, uint64_t us);

/* ---- the outside world ---- */

/* Turn knobs of a chip: {"touch": [160, 120]}, {"touch": null}, {"lux": 300}, {"pressed": true},
 * {"wifi": false}; on every chip {"fault": {"kind": "unplug", "after": 10}}, kinds "none",
 * "unplug", "nack", "bit_flip", "stuck", "reset" ("after" = transfers still left alone).
 * ADDER_ERR_NOT_FOUND no such chip, ADDER_ERR_ARG unknown knob or bad value (nothing is changed). */
adder_err_t sim_board_control(sim_board_t *b, const char *chip_id, const cJSON *knobs, char *msg,
                              size_t msg_cap);
/* One event in the form of the timeline (docs/simulation.md), now; an "at" in it is ignored:
 * {"chip": "light", "lux": 10}, {"pin": "D3", "level": 0}, {"touch": [1, 2]}, {"release": true},
 * {"console": "text"}, {"reset": "button"}. What the page sends can go here as it is. */
adder_err_t sim_board_event(sim_board_t *b, const cJSON *event, char *msg, size_t msg_cap);
sim_chip_t *sim_board_chip(sim_board_t *b, const char *id); /* NULL = no such chip */
/* Drive a wire from outside by pin or board name ("PA16", "D3"); SIM_FLOAT lets go. */
adder_err_t sim_board_drive_pin(sim_board_t *b, const char *pin, sim_level_t level, char *msg,
                                size_t msg_cap);

/* ---- timeline (--input) ---- */

/* Read and check a list of events; nothing happens before sim_board_timeline_start(). A second load
 * replaces the first. Messages: "demo.json: [3].touch: x 400 is outside 0..319". */
adder_err_t sim_board_timeline_load(sim_board_t *b, const char *path, char *msg, size_t msg_cap);
adder_err_t sim_board_timeline_text(sim_board_t *b, const char *name, const char *json, size_t len, char *msg,
                                    size_t msg_cap);
/* Second 0 of the timeline: call it right before the first line of code.py. Later calls (reloads)
 * change nothing: the timeline goes on. */
void sim_board_timeline_start(sim_board_t *b);
size_t sim_board_timeline_left(sim_board_t *b); /* events not yet played */

/* ---- looking at it ---- */

/* What never changes: {"id", "name", "chip", "picture": {...}, "parts": [{"id", "type", "title",
 * "knobs": [{"name", "kind": "number|bool|press|touch|text", "label", "unit", "min", "max", "step",
 * "value"}]}], "pins": [...], "display": {"chip", "width", "height"}}. See docs/simulation.md. */
cJSON *sim_board_describe(sim_board_t *b);
/* What changed after revision `since` (0 = everything): {"revision": n, "time": seconds, "charge_uc": n,
 * "parts":
 * {"<id>": {"state": {...}, "counters": {...}, "fault": "none"}}, "events": [{"n", "t", "from",
 * "text"}], "buses": [...], "pins": {"D13": {"mode", "level"}}}. Pass the revision on next time. */
cJSON *sim_board_state(sim_board_t *b, uint64_t since);
uint64_t sim_board_revision(sim_board_t *b); /* cheap; changes whenever state() would tell news */

/* A line for the event log (ring of 256) under the name `from`. */
void sim_board_log(sim_board_t *b, const char *from, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef struct {
    uint32_t *pixels; /* width*height, 0x00RRGGBB, row by row, as a viewer sees the panel */
    size_t cap;       /* pixels allocated */
    unsigned width, height;
    uint64_t revision;
} sim_picture_t;
/* Copy a display's picture (chip_id NULL = the board's first display) into p, which starts as {0}
 * and is kept for the next call: one struct per display. ADDER_OK: a new one; ADDER_ERR_AGAIN: unchanged
 * since p->revision; ADDER_ERR_NOT_FOUND: no display; ADDER_ERR_NOMEM. */
adder_err_t sim_board_picture(sim_board_t *b, const char *chip_id, sim_picture_t *p);
void sim_picture_free(sim_picture_t *p);

/* The same as a PNG file, backlight and sleep applied. ADDER_ERR_NOT_FOUND, ADDER_ERR_IO. */
adder_err_t sim_board_screenshot(sim_board_t *b, const char *chip_id, const char *path, char *msg,
                                 size_t msg_cap);

/* ---- report ---- */

/* All counters of the run, in a fixed order (docs/simulation.md): buses, chips, display, pins,
 * energy, events. */
cJSON *sim_board_report(sim_board_t *b);
adder_err_t sim_board_report_write(sim_board_t *b, const char *path, char *msg, size_t msg_cap);

/* ---- board files ---- */

/* [{"id", "name", "chip", "display", "file"}] of the folder's board files, by id; a file that does
 * not load has "error" instead. NULL with msg when the folder cannot be read. */
cJSON *sim_boards_list(const char *folder, char *msg, size_t msg_cap);

#endif
