#include "adder/display/busdisplay.h"

#include <string.h>

#define RETRY_US 1000u /* a busy bus */

enum { STEP_RESET_LOW, STEP_RESET_HIGH, STEP_SEQUENCE, STEP_BRIGHTNESS };

/* ---- set-up ---- */

static uint32_t row_bytes(const adder_busdisplay_t *d) /* of the smallest band */
{
    const adder_pixel_format_t *f = &d->config.format;
    uint32_t width = adder_scene_panel_width(&d->scene);
    if (f->depth < 8 && f->pixels_in_byte_share_row) { /* rectangles are widened to whole cells */
        const uint32_t cell = 8u / f->depth * (f->bytes_per_cell == 0 ? 1u : f->bytes_per_cell);
        width = (width + cell - 1u) / cell * cell;
    }
    const adder_area_t one = {0, 0, (int16_t)(width > 32767u ? 32767u : width), 1};
    return (uint32_t)adder_scene_bytes(&d->scene, &one);
}

/* A record: command, count (top bit: a delay byte follows), bytes, delay. */
typedef struct {
    uint8_t command;
    const uint8_t *data;
    uint8_t len;
    uint32_t delay_ms;
} record_t;

/* The record at *at, which moves behind it; false when it runs past the end. */
static bool read_record(const uint8_t *bytes, size_t len, size_t *at, record_t *r)
{
    if (len - *at < 2)
        return false;
    r->command = bytes[*at];
    const bool has_delay = (bytes[*at + 1] & 0x80u) != 0;
    r->len = bytes[*at + 1] & 0x7Fu;
    if (len - *at - 2 < (size_t)r->len + (has_delay ? 1 : 0))
        return false;
    r->data = bytes + *at + 2;
    *at += 2u + r->len;
    r->delay_ms = 10;
    if (has_delay) {
        r->delay_ms = bytes[(*at)++];
        if (r->delay_ms == 255)
            r->delay_ms = 500;
    }
    return true;
}

static bool depth_ok(uint8_t depth)
{
    return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16 || depth == 24 || depth == 32;
}

adder_err_t adder_busdisplay_init(adder_busdisplay_t *d, const adder_busdisplay_config_t *c)
{
    memset(d, 0, sizeof *d);
    if (c->rotation > 270 || c->rotation % 90 != 0 || c->width == 0 || c->height == 0 || c->width > 32767u ||
        c->height > 32767u || !depth_ok(c->format.depth) ||
        (c->sh1107_addressing && (c->format.depth != 1 || c->format.pixels_in_byte_share_row)) ||
        c->buffer == NULL || (uintptr_t)c->buffer % 4u != 0)
        return ADDER_ERR_ARG;
    for (size_t at = 0; at < c->init_sequence_len;) {
        record_t r;
        if (!read_record(c->init_sequence, c->init_sequence_len, &at, &r))
            return ADDER_ERR_FORMAT;
    }
    d->config = *c;
    if (d->config.native_frames_per_second == 0)
        d->config.native_frames_per_second = 60;
    adder_scene_init(&d->scene, c->width, c->height, c->rotation, &c->format);
    d->scene.window_bytes = (uint16_t)(c->sh1107_addressing ? 4 : c->single_byte_bounds ? 7 : 11);
    if (c->buffer_len < row_bytes(d))
        return ADDER_ERR_NOSPACE;
    d->priv.state = ADDER_BUSDISPLAY_STARTING;
    d->priv.step = c->reset_first ? STEP_RESET_LOW : STEP_SEQUENCE;
    d->priv.first_manual = !c->auto_refresh;
    return ADDER_OK;
}

static void keep_error(adder_busdisplay_t *d, adder_err_t err)
{
    if (d->error == ADDER_OK)
        d->error = err;
}

adder_err_t adder_busdisplay_take_error(adder_busdisplay_t *d)
{
    const adder_err_t err = d->error;
    d->error = ADDER_OK;
    return err;
}

/* ---- sending ---- */

static adder_err_t send(adder_busdisplay_t *d, adder_display_send_t what, bool toggle, const void *bytes,
                        size_t len)
{
    if (len == 0)
        return ADDER_OK;
    d->stats.bytes += len;
    return d->config.bus.ops->send(d->config.bus.ctx, what, toggle, bytes, len);
}

/* A command with parameters, which some controllers want as commands too. Inside begin/end. */
static adder_err_t send_command(adder_busdisplay_t *d, bool toggle, uint8_t command, const uint8_t *data,
                                size_t len)
{
    uint8_t joined[1 + 127];
    if (d->config.data_as_commands) {
        joined[0] = command;
        memcpy(joined + 1, data, len); /* a record holds at most 127 */
        return send(d, ADDER_DISPLAY_COMMAND, true, joined, 1 + len);
    }
    const adder_err_t err = send(d, ADDER_DISPLAY_COMMAND, toggle, &command, 1);
    return err != ADDER_OK ? err : send(d, ADDER_DISPLAY_DATA, false, data, len);
}

static adder_err_t transaction(adder_busdisplay_t *d, bool toggle, uint8_t command, const uint8_t *data,
                               size_t len)
{
    adder_err_t err = d->config.bus.ops->begin(d->config.bus.ctx);
    if (err != ADDER_OK)
        return err;
    err = send_command(d, toggle, command, data, len);
    d->config.bus.ops->end(d->config.bus.ctx);
    return err;
}

/* ---- brightness ---- */

adder_err_t adder_busdisplay_set_brightness(adder_busdisplay_t *d, uint16_t brightness)
{
    const adder_busdisplay_config_t *c = &d->config;
    adder_err_t err;
    if (c->backlight.set != NULL) {
        const uint16_t duty = (uint16_t)(c->backlight_on_high ? brightness : 65535u - brightness);
        err = c->backlight.set(c->backlight.ctx, duty);
    } else if (c->backlight_pin.ops != NULL) {
        const bool on = brightness > 64879u; /* 0.99 */
        err = adder_pin_mode(&c->backlight_pin, ADDER_PIN_OUT, on == c->backlight_on_high);
    } else if (c->brightness_command >= 0) {
        const uint8_t value = (uint8_t)((uint32_t)brightness * 255u / ADDER_BRIGHTNESS_FULL);
        err = transaction(d, true, (uint8_t)c->brightness_command, &value, 1);
    } else {
        return ADDER_ERR_UNSUPPORTED;
    }
    if (err == ADDER_OK)
        d->config.brightness = brightness;
    return err;
}

/* ---- start-up ---- */

static uint64_t after_start(adder_busdisplay_t *d, uint64_t now_us)
{
    d->priv.state = ADDER_BUSDISPLAY_IDLE;
    /* As if painted long ago: the first auto refresh is due at once. */
    const uint64_t ago = 1000000u / d->config.native_frames_per_second + 1000000u;
    d->priv.last_refresh_us = now_us > ago ? now_us - ago : 0;
    return d->config.auto_refresh ? now_us : UINT64_MAX;
}

static uint64_t start_step(adder_busdisplay_t *d, uint64_t now_us)
{
    const adder_display_bus_t *bus = &d->config.bus;
    adder_err_t err;
    if (now_us < d->priv.due_us)
        return d->priv.due_us;
    switch (d->priv.step) {
    case STEP_RESET_LOW:
    case STEP_RESET_HIGH:
        err = bus->ops->reset(bus->ctx, d->priv.step == STEP_RESET_HIGH);
        if (err != ADDER_OK && err != ADDER_ERR_UNSUPPORTED)
            keep_error(d, err);
        d->priv.step++;
        d->priv.due_us = err == ADDER_OK ? now_us + 1000u : now_us;
        return d->priv.due_us;
    case STEP_SEQUENCE: {
        if (d->priv.sequence_at >= d->config.init_sequence_len) {
            d->priv.step = STEP_BRIGHTNESS;
            return now_us;
        }
        record_t r;
        size_t at = d->priv.sequence_at;
        if (!read_record(d->config.init_sequence, d->config.init_sequence_len, &at, &r)) {
            d->priv.step = STEP_BRIGHTNESS; /* cannot be: init() read them all */
            return now_us;
        }
        err = transaction(d, true, r.command, r.data, r.len);
        if (err == ADDER_ERR_AGAIN)
            return now_us + RETRY_US;
        if (err != ADDER_OK)
            keep_error(d, err);
        d->priv.sequence_at = at;
        d->priv.due_us = now_us + r.delay_ms * 1000u;
        return d->priv.due_us;
    }
    default:
        err = adder_busdisplay_set_brightness(d, d->config.brightness);
        if (err == ADDER_ERR_AGAIN)
            return now_us + RETRY_US;
        if (err != ADDER_OK && err != ADDER_ERR_UNSUPPORTED)
            keep_error(d, err);
        return after_start(d, now_us);
    }
}

/* ---- painting ---- */

static size_t put_bounds(uint8_t *out, bool single, int32_t from, int32_t to)
{
    if (single) {
        out[0] = (uint8_t)from;
        out[1] = (uint8_t)to;
        return 2;
    }
    out[0] = (uint8_t)(from >> 8);
    out[1] = (uint8_t)from;
    out[2] = (uint8_t)(to >> 8);
    out[3] = (uint8_t)to;
    return 4;
}

/* Tell the controller where the following pixels go. */
static adder_err_t send_window(adder_busdisplay_t *d, const adder_area_t *a)
{
    const adder_busdisplay_config_t *c = &d->config;
    int32_t x1 = a->x1 + c->colstart, x2 = a->x2 + c->colstart;
    int32_t y1 = a->y1 + c->rowstart, y2 = a->y2 + c->rowstart;
    if (c->format.depth < 8) { /* the axis along which pixels share a byte counts bytes or cells */
        const int32_t n =
            8 / c->format.depth * (c->format.bytes_per_cell == 0 ? 1 : c->format.bytes_per_cell);
        if (c->format.pixels_in_byte_share_row) {
            x1 /= n;
            x2 /= n;
        } else {
            y1 /= n;
            y2 /= n;
        }
    }
    adder_err_t err;
    if (c->sh1107_addressing) { /* page, then the column in two nibbles */
        const uint8_t commands[3] = {(uint8_t)(x1 & 0x0F), (uint8_t)(0x10 | x1 >> 4), (uint8_t)(0xB0 | y1)};
        return send(d, ADDER_DISPLAY_COMMAND, true, commands, sizeof commands);
    }
    uint8_t bounds[4];
    size_t n = put_bounds(bounds, c->single_byte_bounds, x1, x2 - 1);
    err = send_command(d, c->data_as_commands, c->set_column_command, bounds, n);
    if (err != ADDER_OK)
        return err;
    n = put_bounds(bounds, c->single_byte_bounds, y1, y2 - 1);
    err = send_command(d, c->data_as_commands, c->set_row_command, bounds, n);
    if (err != ADDER_OK || c->data_as_commands)
        return err;
    return send(d, ADDER_DISPLAY_COMMAND, false, &c->write_ram_command, 1);
}

/* Rows per band: as many as the buffer holds, whole bytes of columns where a byte is a piece of column. */
static int32_t band_rows(const adder_busdisplay_t *d, const adder_area_t *a)
{
    const adder_pixel_format_t *f = &d->config.format;
    const adder_area_t one = {a->x1, 0, a->x2, 1};
    const size_t bytes = adder_scene_bytes(&d->scene, &one);
    if (d->config.sh1107_addressing)
        return 8;
    if (f->depth < 8 && !f->pixels_in_byte_share_row) /* `bytes` is of 8 / depth rows then */
        return (int32_t)(d->config.buffer_len / bytes > 4096 ? 4096 : d->config.buffer_len / bytes) *
               (8 / f->depth);
    const size_t rows = d->config.buffer_len / bytes;
    return rows > 32767 ? 32767 : (int32_t)rows;
}

static void finish(adder_busdisplay_t *d, uint64_t now_us)
{
    d->priv.state = ADDER_BUSDISPLAY_IDLE;
    d->priv.last_refresh_us = now_us;
}

/* Paint from where the last slice ended, at most `budget` bytes of pixels (one band at least). Inside
 * begin/end. *done_out: nothing is left. */
static adder_err_t paint(adder_busdisplay_t *d, uint32_t budget, bool *done_out)
{
    uint32_t sent = 0;
    *done_out = false;
    while (d->priv.dirty_at < d->scene.dirty_count) {
        if (sent > 0 && sent >= budget)
            return ADDER_OK;
        adder_area_t rest = d->scene.dirty[d->priv.dirty_at];
        if (d->priv.next_row > rest.y1)
            rest.y1 = d->priv.next_row;
        const int32_t rows = band_rows(d, &rest);
        /* One window for all that remains; its bands follow without further addressing. */
        adder_area_t window = rest;
        if (d->config.sh1107_addressing)
            window.y2 = (int16_t)(rest.y1 + 8);
        adder_err_t err = send_window(d, &window);
        if (err != ADDER_OK)
            return err;
        while (rest.y1 < rest.y2) {
            if (sent > 0 && sent >= budget)
                return ADDER_OK;
            adder_area_t band = rest;
            if (rest.y2 - rest.y1 > rows)
                band.y2 = (int16_t)(rest.y1 + rows);
            const size_t len = adder_scene_bytes(&d->scene, &band);
            adder_scene_compose(&d->scene, &band, d->config.buffer);
            err = send(d, ADDER_DISPLAY_DATA, false, d->config.buffer, len);
            if (err != ADDER_OK)
                return err;
            d->stats.pixels += adder_area_size(&band);
            sent += (uint32_t)len;
            rest.y1 = d->priv.next_row = band.y2;
            if (d->config.sh1107_addressing && rest.y1 < rest.y2)
                break; /* the next page has a window of its own */
        }
        if (rest.y1 >= rest.y2) {
            d->stats.rectangles++;
            d->priv.dirty_at++;
            d->priv.next_row = INT16_MIN;
        }
    }
    *done_out = true;
    return ADDER_OK;
}

static adder_err_t paint_slice(adder_busdisplay_t *d, uint64_t now_us, uint32_t budget)
{
    bool done;
    const adder_err_t err = paint(d, budget == 0 ? UINT32_MAX : budget, &done);
    d->config.bus.ops->end(d->config.bus.ctx);
    if (err != ADDER_OK) { /* nobody knows what arrived: everything again, with the next frame */
        adder_scene_touch(&d->scene);
        finish(d, now_us);
    } else if (done) {
        d->stats.frames++;
        finish(d, now_us);
    }
    return err;
}

/* List what changed. Nothing: the refresh is over already. */
static bool collect(adder_busdisplay_t *d, uint64_t now_us)
{
    adder_scene_collect(&d->scene);
    d->priv.dirty_at = 0;
    d->priv.next_row = INT16_MIN;
    if (d->scene.dirty_count == 0) {
        finish(d, now_us);
        return false;
    }
    d->priv.state = ADDER_BUSDISPLAY_PAINTING;
    return true;
}

static adder_err_t begin(adder_busdisplay_t *d)
{
    return d->config.bus.ops->begin(d->config.bus.ctx);
}

/* ---- refresh ---- */

static uint64_t period_us(const adder_busdisplay_t *d)
{
    return 1000000u / d->config.native_frames_per_second;
}

uint64_t adder_busdisplay_tick(adder_busdisplay_t *d, uint64_t now_us)
{
    if (d->priv.state == ADDER_BUSDISPLAY_STARTING)
        return start_step(d, now_us);
    if (d->priv.state == ADDER_BUSDISPLAY_IDLE) {
        if (!d->config.auto_refresh)
            return UINT64_MAX;
        const uint64_t due = d->priv.last_refresh_us + period_us(d) + 1u;
        if (now_us - d->priv.last_refresh_us <= period_us(d))
            return due;
        if (!collect(d, now_us))
            return now_us + period_us(d) + 1u;
    }
    adder_err_t err = begin(d);
    if (err == ADDER_ERR_AGAIN)
        return now_us + RETRY_US;
    if (err == ADDER_OK) {
        err = paint_slice(d, now_us, d->config.slice_bytes);
    } else {
        adder_scene_touch(&d->scene);
        finish(d, now_us);
    }
    if (err != ADDER_OK)
        keep_error(d, err);
    if (d->priv.state == ADDER_BUSDISPLAY_PAINTING)
        return now_us;
    return d->config.auto_refresh ? d->priv.last_refresh_us + period_us(d) + 1u : UINT64_MAX;
}

adder_err_t adder_busdisplay_run(adder_busdisplay_t *d, uint64_t now_us,
                                 uint64_t (*sleep_until)(void *ctx, uint64_t due_us), void *ctx)
{
    while (d->priv.state != ADDER_BUSDISPLAY_IDLE) {
        const uint64_t due = adder_busdisplay_tick(d, now_us);
        if (d->priv.state != ADDER_BUSDISPLAY_IDLE && due > now_us)
            now_us = sleep_until(ctx, due);
    }
    return adder_busdisplay_take_error(d);
}

adder_err_t adder_busdisplay_refresh_when(adder_busdisplay_t *d, uint64_t now_us, uint16_t target_fps,
                                          uint16_t minimum_fps, uint64_t *paint_at_us_out)
{
    *paint_at_us_out = now_us;
    const bool paced =
        !d->config.auto_refresh && !d->priv.first_manual && target_fps != ADDER_REFRESH_NO_TARGET;
    d->priv.first_manual = false;
    if (!paced)
        return ADDER_OK;
    /* Whole milliseconds, as CircuitPython counts, and a quarter of a period of patience: without it a
     * program that does nothing but refresh() would come late by the time that painting and waking up
     * take, and paint only every second time. */
    const uint64_t now_ms = now_us / 1000u;
    const uint64_t period = 1000u / target_fps > 0 ? 1000u / target_fps : 1u;
    const uint64_t since_paint = now_ms - d->priv.last_refresh_us / 1000u;
    if (minimum_fps != 0 && since_paint > 1000u / minimum_fps)
        return ADDER_ERR_TIMEOUT;
    const uint64_t since_call = now_ms - d->priv.last_call_us / 1000u;
    d->priv.last_call_us = now_us;
    if (since_call > period + period / 4u)
        return ADDER_ERR_AGAIN;
    *paint_at_us_out = now_us + (period - since_paint % period) * 1000u;
    return ADDER_OK;
}

adder_err_t adder_busdisplay_refresh_start(adder_busdisplay_t *d, uint64_t now_us)
{
    if (d->priv.state != ADDER_BUSDISPLAY_IDLE)
        return ADDER_ERR_AGAIN;
    const adder_err_t err = begin(d);
    if (err != ADDER_OK)
        return err;
    if (!collect(d, now_us)) {
        d->config.bus.ops->end(d->config.bus.ctx);
        return ADDER_OK;
    }
    return paint_slice(d, now_us, d->config.slice_bytes);
}

adder_err_t adder_busdisplay_refresh_now(adder_busdisplay_t *d, uint64_t now_us)
{
    if (d->priv.state == ADDER_BUSDISPLAY_STARTING)
        return ADDER_ERR_AGAIN;
    for (;;) {
        const bool under_way = d->priv.state == ADDER_BUSDISPLAY_PAINTING;
        adder_err_t err = begin(d);
        if (err != ADDER_OK)
            return err;
        if (under_way || collect(d, now_us))
            err = paint_slice(d, now_us, 0);
        else
            d->config.bus.ops->end(d->config.bus.ctx);
        if (err != ADDER_OK || !under_way)
            return err;
    }
}

void adder_busdisplay_set_auto_refresh(adder_busdisplay_t *d, bool on)
{
    d->priv.first_manual = !on;
    d->config.auto_refresh = on;
}

/* ---- properties ---- */

static void drop_refresh(adder_busdisplay_t *d)
{
    if (d->priv.state == ADDER_BUSDISPLAY_PAINTING)
        d->priv.state = ADDER_BUSDISPLAY_IDLE;
    adder_scene_touch(&d->scene);
}

adder_err_t adder_busdisplay_set_root(adder_busdisplay_t *d, adder_group_t *root)
{
    if (root == d->scene.root)
        return ADDER_OK;
    const adder_err_t err = adder_scene_set_root(&d->scene, root);
    if (err == ADDER_OK)
        drop_refresh(d);
    return err;
}

adder_err_t adder_busdisplay_set_rotation(adder_busdisplay_t *d, uint16_t degrees)
{
    const adder_err_t err = adder_scene_set_rotation(&d->scene, degrees);
    if (err == ADDER_OK)
        drop_refresh(d);
    return err;
}

adder_err_t adder_busdisplay_fill_row(adder_busdisplay_t *d, uint16_t y, void *out, size_t out_len)
{
    if (d->config.format.depth != 16)
        return ADDER_ERR_UNSUPPORTED;
    if (y >= d->scene.height)
        return ADDER_ERR_RANGE;
    if (out_len < ((size_t)d->scene.width * 2u + 3u) / 4u * 4u)
        return ADDER_ERR_NOSPACE;
    /* Positions must not move under a refresh that has painted half a frame. */
    if (d->priv.state != ADDER_BUSDISPLAY_PAINTING)
        adder_scene_layout(&d->scene);
    adder_scene_compose_upright(
        &d->scene, &(adder_area_t){0, (int16_t)y, (int16_t)d->scene.width, (int16_t)(y + 1)}, out);
    return ADDER_OK;
}
