/* BusDisplay: a display controller behind a bus, kept equal to a tree of layers.
 *
 *     static uint32_t band[512 / 4];
 *     adder_busdisplay_t d;
 *     adder_err_t err = adder_busdisplay_init(&d, &(adder_busdisplay_config_t){
 *         ADDER_BUSDISPLAY_DEFAULTS, .bus = bus, .init_sequence = seq, .init_sequence_len = sizeof seq,
 *         .width = 320, .height = 240, .buffer = band, .buffer_len = sizeof band });
 *     err = adder_busdisplay_set_root(&d, &root);
 *     for (;;) {
 *         uint64_t due_us = adder_busdisplay_tick(&d, now_us());   // start-up, then auto refresh by slices
 *         sleep_until(due_us);
 *     }
 *
 * Nothing here waits. tick() does what is due, at most `slice_bytes` of pixels, and says when it wants to be
 * called again. A caller that prefers to block: adder_busdisplay_run(), which sleeps through a function of
 * its own.
 *
 * Time is microseconds of any clock that never goes back.
 * RAM on a 32-bit machine: 320 bytes and the buffer; a buffer of one row or more is fastest. */
#ifndef ADDER_DISPLAY_BUSDISPLAY_H
#define ADDER_DISPLAY_BUSDISPLAY_H

#include "adder/display/bus.h"
#include "adder/display/scene.h"

#define ADDER_BRIGHTNESS_FULL 65535u

/* Stepless backlight. duty 0..65535. `set` NULL = there is none. */
typedef struct {
    adder_err_t (*set)(void *ctx, uint16_t duty);
    void *ctx;
} adder_backlight_pwm_t;

typedef struct {
    adder_display_bus_t bus;
    const uint8_t *init_sequence; /* kept; records of displayio-api: command, n | 0x80, bytes, delay */
    size_t init_sequence_len;
    uint16_t width, height; /* of the screen, after rotation */
    int16_t colstart, rowstart;
    uint16_t rotation; /* 0, 90, 180, 270 */
    adder_pixel_format_t format;
    uint8_t set_column_command, set_row_command, write_ram_command;
    bool single_byte_bounds;
    bool data_as_commands;
    bool sh1107_addressing; /* needs depth 1 */
    bool reset_first; /* pulse the bus's reset pin before the sequence (Python's buses do it themselves) */
    bool auto_refresh;
    uint16_t native_frames_per_second; /* limits auto refresh only; 0 = 60 */

    adder_backlight_pwm_t backlight; /* one of the three, or none */
    adder_pin_t backlight_pin;       /* on above 0.99 of full */
    int16_t brightness_command;      /* 0..255, -1 = none: sends 0..255 */
    bool backlight_on_high;
    uint16_t brightness; /* at start, of ADDER_BRIGHTNESS_FULL */

    void *buffer; /* kept; 4-byte aligned, at least one row of the panel (8 rows for SH1107 and column-packed)
                   */
    size_t buffer_len;
    uint32_t slice_bytes; /* pixels sent per tick, at least one band; 0 = everything in one tick */
} adder_busdisplay_config_t;

/* clang-format off */
#define ADDER_BUSDISPLAY_DEFAULTS                                                                            \
    .format = ADDER_FORMAT_RGB565, .set_column_command = 0x2A, .set_row_command = 0x2B,                      \
    .write_ram_command = 0x2C, .auto_refresh = true, .native_frames_per_second = 60,                         \
    .brightness_command = -1, .backlight_on_high = true, .brightness = ADDER_BRIGHTNESS_FULL
/* clang-format on */

typedef enum {
    ADDER_BUSDISPLAY_STARTING, /* reset and init sequence still run */
    ADDER_BUSDISPLAY_IDLE,
    ADDER_BUSDISPLAY_PAINTING, /* a refresh is under way */
} adder_busdisplay_state_t;

/* Exact counts since init. */
typedef struct {
    uint32_t frames;     /* refreshes that painted something */
    uint64_t pixels;     /* sent */
    uint64_t bytes;      /* handed to the bus, windows included */
    uint32_t rectangles; /* painted */
} adder_busdisplay_stats_t;

typedef struct {
    adder_busdisplay_config_t config; /* read only */
    adder_scene_t scene;              /* width, height, rotation, root: read only */
    adder_busdisplay_stats_t stats;
    adder_err_t error; /* first failure of the bus since it was last taken, ADDER_OK = none */
    struct {
        uint8_t state;
        uint8_t step;
        bool first_manual;
        uint8_t dirty_at;   /* rectangle being painted */
        int16_t next_row;   /* in it */
        size_t sequence_at; /* in the init sequence */
        uint64_t due_us;    /* of the start-up delay, or before trying a busy bus again */
        uint64_t last_refresh_us, last_call_us;
    } priv;
} adder_busdisplay_t;

/* Check the configuration and be ready to start; touches no wire.
 *   ADDER_ERR_ARG      rotation, sizes, depth, SH1107 without depth 1, buffer not aligned
 *   ADDER_ERR_FORMAT   a record of the init sequence runs past its end
 *   ADDER_ERR_NOSPACE  buffer smaller than one row */
adder_err_t adder_busdisplay_init(adder_busdisplay_t *d,
                                  const adder_busdisplay_config_t *config) ADDER_MUST_USE;
/* Do what is due; returns when to call again: now_us for "at once", UINT64_MAX for "when something else
 * changes" (no auto refresh). First the reset pulse and the init sequence with its delays, then the
 * brightness, then auto refresh. A bus failure is kept in d->error; painting starts anew with the next
 * frame, start-up goes on with the next record. */
uint64_t adder_busdisplay_tick(adder_busdisplay_t *d, uint64_t now_us);
static inline adder_busdisplay_state_t adder_busdisplay_state(const adder_busdisplay_t *d)
{
    return (adder_busdisplay_state_t)d->priv.state;
}
/* The first bus error since the last call, and forget it. */
adder_err_t adder_busdisplay_take_error(adder_busdisplay_t *d);

/* For callers that block: tick until start-up (and a refresh under way) is done. `sleep_until` waits and
 * returns the time then. Returns and forgets the first bus error. */
adder_err_t adder_busdisplay_run(adder_busdisplay_t *d, uint64_t now_us,
                                 uint64_t (*sleep_until)(void *ctx, uint64_t due_us),
                                 void *ctx) ADDER_MUST_USE;

/* ---- refresh on demand ---- */

#define ADDER_REFRESH_NO_TARGET 0u

/* May refresh() paint? Frames per second; target 0 = no target, minimum 0 = no minimum. Call it once per
 * refresh(): it keeps the times.
 *   ADDER_OK            paint when the clock reaches *paint_at_us_out (now or later)
 *   ADDER_ERR_AGAIN     the call came too late for the target rate: paint nothing, refresh() is False
 *   ADDER_ERR_TIMEOUT   below the minimum rate */
adder_err_t adder_busdisplay_refresh_when(adder_busdisplay_t *d, uint64_t now_us, uint16_t target_fps,
                                          uint16_t minimum_fps, uint64_t *paint_at_us_out) ADDER_MUST_USE;
/* Begin painting what changed; tick() goes on with it. Still starting, already painting or bus in use:
 * ADDER_ERR_AGAIN, nothing happens (CircuitPython silently skips then). */
adder_err_t adder_busdisplay_refresh_start(adder_busdisplay_t *d, uint64_t now_us) ADDER_MUST_USE;
/* Begin and finish in this call, whatever slice_bytes says. A refresh that auto refresh had begun is
 * finished and a new one follows. Errors of the bus; ADDER_ERR_AGAIN as above. */
adder_err_t adder_busdisplay_refresh_now(adder_busdisplay_t *d, uint64_t now_us) ADDER_MUST_USE;

void adder_busdisplay_set_auto_refresh(adder_busdisplay_t *d, bool on);

/* ---- properties ---- */

/* NULL blanks. ADDER_ERR_IN_USE: root has a parent or is shown elsewhere. A refresh under way is dropped:
 * everything is repainted with the new tree. */
adder_err_t adder_busdisplay_set_root(adder_busdisplay_t *d, adder_group_t *root) ADDER_MUST_USE;
adder_err_t adder_busdisplay_set_rotation(adder_busdisplay_t *d, uint16_t degrees) ADDER_MUST_USE;
/* ADDER_ERR_UNSUPPORTED: not adjustable. Else errors of pin or bus. */
adder_err_t adder_busdisplay_set_brightness(adder_busdisplay_t *d, uint16_t brightness) ADDER_MUST_USE;
static inline bool adder_busdisplay_brightness_adjustable(const adder_busdisplay_t *d)
{
    return d->config.backlight.set != NULL || d->config.backlight_pin.ops != NULL ||
           d->config.brightness_command >= 0;
}
/* One row of the screen as the panel would get it (bytes in the panel's order), for screenshots.
 *   ADDER_ERR_UNSUPPORTED  depth is not 16
 *   ADDER_ERR_RANGE        no such row
 *   ADDER_ERR_NOSPACE      out_len below 2 * width rounded up to 4 */
adder_err_t adder_busdisplay_fill_row(adder_busdisplay_t *d, uint16_t y, void *out,
                                      size_t out_len) ADDER_MUST_USE;

#endif
