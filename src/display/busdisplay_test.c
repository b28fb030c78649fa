/* Displays against a scripted bus: every byte, select and delay it would see, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display.h"

/* ---- a bus that writes down ---- */

typedef struct {
    char text[4096];
    size_t n;
    bool busy;
    unsigned fail_after; /* sends that still work; 0 = all */
    unsigned sends;
    size_t data_bytes;
    int depth; /* begin without end */
} log_t;

static void note(log_t *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof l->text - l->n)
        l->n += (size_t)n;
}

static adder_err_t log_begin(void *ctx)
{
    log_t *l = ctx;
    if (l->busy)
        return ADDER_ERR_AGAIN;
    l->depth++;
    note(l, "(");
    return ADDER_OK;
}

static adder_err_t log_send(void *ctx, adder_display_send_t what, bool toggle, const uint8_t *bytes,
                            size_t len)
{
    log_t *l = ctx;
    l->sends++;
    if (l->fail_after != 0 && l->sends > l->fail_after)
        return ADDER_ERR_IO;
    if (what == ADDER_DISPLAY_DATA)
        l->data_bytes += len;
    note(l, "%s%s", what == ADDER_DISPLAY_COMMAND ? "C" : "D", toggle ? "*" : "");
    if (len > 8) {
        note(l, "[%u]", (unsigned)len);
        return ADDER_OK;
    }
    for (size_t i = 0; i < len; i++)
        note(l, "%02x", bytes[i]);
    note(l, " ");
    return ADDER_OK;
}

static void log_end(void *ctx)
{
    log_t *l = ctx;
    l->depth--;
    note(l, ")");
}

static adder_err_t log_reset(void *ctx, bool level)
{
    note(ctx, level ? "R1 " : "R0 ");
    return ADDER_OK;
}

static const adder_display_bus_ops_t log_ops = {log_begin, log_send, log_end, log_reset};

static void said(log_t *l, const char *want)
{
    assert_string_equal(l->text, want);
    l->n = 0;
    l->text[0] = '\0';
    assert_int_equal(l->depth, 0);
}

static log_t bus_log;
static uint32_t band[2048];
static adder_busdisplay_t d;
static adder_group_t root;
static adder_rectangle_t box;
static adder_palette_t pal;
static adder_color_t colors[2];

static adder_busdisplay_config_t base_config(void)
{
    memset(&bus_log, 0, sizeof bus_log);
    return (adder_busdisplay_config_t){
        ADDER_BUSDISPLAY_DEFAULTS, .bus = {&log_ops, &bus_log}, .width = 20, .height = 10, .buffer = band,
        .buffer_len = sizeof band};
}

static void start(const adder_busdisplay_config_t *c)
{
    assert_int_equal(adder_busdisplay_init(&d, c), ADDER_OK);
    adder_palette_init(&pal, colors, 2, false);
    adder_palette_set(&pal, 1, 0xFFFFFF);
    adder_group_init(&root, 0, 0, 1);
    assert_int_equal(adder_rectangle_init(&box, ADDER_SHADER_PALETTE(&pal), 1, 2, 3, 4, 5), ADDER_OK);
    assert_int_equal(adder_group_append(&root, &box.shape.layer), ADDER_OK);
    assert_int_equal(adder_busdisplay_set_root(&d, &root), ADDER_OK);
}

/* ---- start-up ---- */

static void init_sequence(void **state)
{
    (void)state;
    static const uint8_t sequence[] = {0x01, 0x80, 5,                /* no parameters, 5 ms */
                                       0x36, 0x01, 0x48,             /* one, 10 ms by default */
                                       0xB1, 0x82, 0x11, 0x22, 0xFF, /* two, 500 ms */
                                       0x29, 0x00};
    adder_busdisplay_config_t c = base_config();
    c.init_sequence = sequence;
    c.init_sequence_len = sizeof sequence;
    c.reset_first = true;
    c.brightness_command = 0x51;
    c.auto_refresh = false;
    start(&c);
    assert_int_equal(adder_busdisplay_tick(&d, 1000), 2000);
    said(&bus_log, "R0 ");
    assert_int_equal(adder_busdisplay_tick(&d, 1500), 2000); /* too early: nothing */
    said(&bus_log, "");
    assert_int_equal(adder_busdisplay_tick(&d, 2000), 3000);
    said(&bus_log, "R1 ");
    assert_int_equal(adder_busdisplay_tick(&d, 3000), 8000);
    said(&bus_log, "(C*01 )");
    bus_log.busy = true;
    assert_int_equal(adder_busdisplay_tick(&d, 8000), 9000); /* tries again */
    bus_log.busy = false;
    assert_int_equal(adder_busdisplay_tick(&d, 9000), 19000);
    said(&bus_log, "(C*36 D48 )");
    assert_int_equal(adder_busdisplay_tick(&d, 19000), 519000);
    said(&bus_log, "(C*b1 D1122 )");
    assert_int_equal(adder_busdisplay_tick(&d, 519000), 529000);
    said(&bus_log, "(C*29 )");
    assert_int_equal(adder_busdisplay_refresh_now(&d, 520000), ADDER_ERR_AGAIN); /* still starting */
    assert_int_equal(adder_busdisplay_tick(&d, 529000), 529000);
    assert_true(adder_busdisplay_tick(&d, 529000) == UINT64_MAX);
    said(&bus_log, "(C*51 Dff )");
    assert_int_equal(adder_busdisplay_state(&d), ADDER_BUSDISPLAY_IDLE);
}

static void init_refusals(void **state)
{
    (void)state;
    static const uint8_t cut[][5] = {{0x01}, {0x01, 0x02, 0x03}, {0x01, 0x81, 0x05}, {0x01, 0x00, 0x02}};
    static const size_t len[] = {1, 3, 3, 3};
    adder_busdisplay_config_t c = base_config();
    for (size_t i = 0; i < 4; i++) {
        c.init_sequence = cut[i];
        c.init_sequence_len = len[i];
        assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_ERR_FORMAT);
    }
    c = base_config();
    c.rotation = 45;
    assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_ERR_ARG);
    c = base_config();
    c.format.depth = 3;
    assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_ERR_ARG);
    c = base_config();
    c.sh1107_addressing = true;
    assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_ERR_ARG);
    c = base_config();
    c.buffer_len = 39;
    assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_ERR_NOSPACE);
    c.rotation = 90; /* the panel's rows are 10 long now */
    assert_int_equal(adder_busdisplay_init(&d, &c), ADDER_OK);
}

static uint64_t naps;
static uint64_t nap(void *ctx, uint64_t due_us)
{
    (void)ctx;
    naps++;
    return due_us;
}

static void blocking_caller(void **state)
{
    (void)state;
    static const uint8_t sequence[] = {0x11, 0x80, 120, 0x29, 0x80, 50};
    adder_busdisplay_config_t c = base_config();
    c.init_sequence = sequence;
    c.init_sequence_len = sizeof sequence;
    start(&c);
    naps = 0;
    assert_int_equal(adder_busdisplay_run(&d, 0, nap, NULL), ADDER_OK);
    assert_int_equal(adder_busdisplay_state(&d), ADDER_BUSDISPLAY_IDLE);
    assert_int_equal(naps, 2);
    said(&bus_log, "(C*11 )(C*29 )");
    bus_log.fail_after = 1; /* the second start: the second command fails, the cause comes back */
    bus_log.sends = 0;
    start(&c);
    assert_int_equal(adder_busdisplay_run(&d, 0, nap, NULL), ADDER_ERR_IO);
}

/* ---- painting ---- */

static void started(const adder_busdisplay_config_t *c)
{
    start(c);
    assert_int_equal(adder_busdisplay_run(&d, 0, nap, NULL), ADDER_OK);
    bus_log.n = 0;
    bus_log.text[0] = '\0';
}

static void windows(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    c.colstart = 0x150;
    c.rowstart = 2;
    started(&c);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 1), ADDER_OK);
    said(&bus_log, "(C2a D01500163 C2b D0002000b C2c D[400])");
    box.shape.layer.x = 3;
    assert_int_equal(adder_busdisplay_refresh_now(&d, 2), ADDER_OK); /* 2..6, 3..7: one box */
    said(&bus_log, "(C2a D01520156 C2b D00050009 C2c D[50])");
    assert_int_equal(adder_busdisplay_refresh_now(&d, 3), ADDER_OK); /* nothing changed, nothing sent */
    said(&bus_log, "()");
    assert_int_equal(d.stats.frames, 2);
    assert_int_equal(d.stats.pixels, 225);
    assert_int_equal(d.stats.bytes, 472);

    c = base_config();
    c.single_byte_bounds = true;
    c.rotation = 90; /* the panel is 10x20: x 2..6 of the screen is its rows */
    started(&c);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 1), ADDER_OK);
    said(&bus_log, "(C2a D0009 C2b D0013 C2c D[400])");
    adder_shape_set_color(&box.shape, 0);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 2), ADDER_OK);
    said(&bus_log, "(C2a D0206 C2b D0205 C2c D[40])");
}

/* SSD1306: parameters are commands, one byte bounds, pixels of a byte down a column. */
static void mono(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    c.height = 16;
    c.format = (adder_pixel_format_t){.depth = 1, .bytes_per_cell = 1};
    c.set_column_command = 0x21;
    c.set_row_command = 0x22;
    c.single_byte_bounds = c.data_as_commands = true;
    c.brightness_command = 0x81;
    started(&c);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 1), ADDER_OK);
    said(&bus_log, "(C*210013 C*220001 D[40])");
    box.shape.layer.x = 3;
    assert_int_equal(adder_busdisplay_refresh_now(&d, 2), ADDER_OK); /* rows 3..7 are page 0 */
    said(&bus_log, "(C*210206 C*220000 D00f8f8f8f8 )");
    assert_int_equal(adder_busdisplay_set_brightness(&d, 32768), ADDER_OK);
    said(&bus_log, "(C*817f )");

    c.sh1107_addressing = true;
    c.colstart = 0x20;
    started(&c);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 1), ADDER_OK);
    said(&bus_log, "(C*0012b0 D[20]C*0012b1 D[20])");
}

static void bands_and_slices(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    c.buffer_len = 100; /* two rows of 40 bytes */
    c.slice_bytes = 100;
    c.auto_refresh = true;
    started(&c);
    uint64_t now = 1000000;
    assert_true(adder_busdisplay_tick(&d, now) == now); /* go on at once */
    said(&bus_log, "(C2a D00000013 C2b D00000009 C2c D[80]D[80])");
    assert_int_equal(adder_busdisplay_state(&d), ADDER_BUSDISPLAY_PAINTING);
    assert_int_equal(adder_busdisplay_refresh_start(&d, now), ADDER_ERR_AGAIN);
    assert_true(adder_busdisplay_tick(&d, now) == now);
    said(&bus_log, "(C2a D00000013 C2b D00040009 C2c D[80]D[80])");
    bus_log.busy = true;
    assert_true(adder_busdisplay_tick(&d, now) == now + 1000);
    bus_log.busy = false;
    assert_true(adder_busdisplay_tick(&d, now) > now + 16000); /* the last rows; then the next frame's time */
    said(&bus_log, "(C2a D00000013 C2b D00080009 C2c D[80])");
    assert_int_equal(adder_busdisplay_state(&d), ADDER_BUSDISPLAY_IDLE);
    /* Not due; due but nothing to do. */
    adder_shape_set_color(&box.shape, 0);
    (void)adder_busdisplay_tick(&d, now + 16000);
    said(&bus_log, "");
    (void)adder_busdisplay_tick(&d, now + 17000);
    assert_true(bus_log.n > 0);
    /* A change of the tree between slices: nothing of it is lost, nothing dangling is touched. */
    assert_true(adder_busdisplay_run(&d, now, nap, NULL) == ADDER_OK);
    adder_scene_touch(&d.scene);
    (void)adder_busdisplay_tick(&d, now + 60000);
    assert_int_equal(adder_busdisplay_state(&d), ADDER_BUSDISPLAY_PAINTING);
    assert_int_equal(adder_group_remove(&root, &box.shape.layer), ADDER_OK);
    memset(&box, 0xEE, sizeof box);
    assert_int_equal(adder_busdisplay_run(&d, now + 60000, nap, NULL), ADDER_OK);
    assert_int_equal(adder_busdisplay_refresh_now(&d, now + 70000), ADDER_OK);
    assert_int_equal(adder_busdisplay_set_root(&d, NULL), ADDER_OK);
    assert_int_equal(adder_busdisplay_refresh_now(&d, now + 80000), ADDER_OK);
    assert_int_equal(root.priv.is_root, false);
}

/* Fail send 0, then 1, ...: the cause comes back, the bus is released, and the next frame is whole. */
static void fault_sweep(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        adder_busdisplay_config_t c = base_config();
        c.buffer_len = 100;
        started(&c);
        bus_log.sends = 0;
        bus_log.fail_after = n;
        const adder_err_t err = adder_busdisplay_refresh_now(&d, 1);
        assert_int_equal(bus_log.depth, 0);
        if (err == ADDER_OK)
            break;
        assert_int_equal(err, ADDER_ERR_IO);
        bus_log.fail_after = 0;
        bus_log.data_bytes = 0;
        assert_int_equal(adder_busdisplay_refresh_now(&d, 2), ADDER_OK);
        assert_int_equal(bus_log.data_bytes, 400 + 8);
    }
    adder_busdisplay_config_t c = base_config(); /* the same in the background: kept until taken */
    started(&c);
    bus_log.sends = 0;
    bus_log.fail_after = 2;
    (void)adder_busdisplay_tick(&d, 5000000);
    assert_int_equal(adder_busdisplay_take_error(&d), ADDER_ERR_IO);
    assert_int_equal(adder_busdisplay_take_error(&d), ADDER_OK);
}

/* ---- timing of refresh() ---- */

static void refresh_timing(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    uint64_t at = 0;
    started(&c);
    /* Auto refresh on: now, whatever the rates. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 77, 10, 1, &at), ADDER_OK);
    assert_true(at == 77);
    adder_busdisplay_set_auto_refresh(&d, false);
    /* The first call after turning it off: now. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1000000, 10, 1, &at), ADDER_OK);
    assert_true(at == 1000000);
    assert_int_equal(adder_busdisplay_refresh_now(&d, 1000000), ADDER_OK);
    /* The next one: the last call (never) is long ago, so it is skipped to catch up. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1020000, 10, 0, &at), ADDER_ERR_AGAIN);
    /* In time: at the next multiple of 100 ms since the last paint. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1030000, 10, 0, &at), ADDER_OK);
    assert_true(at == 1100000);
    assert_int_equal(adder_busdisplay_refresh_now(&d, at), ADDER_OK);
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1110000, 10, 0, &at), ADDER_OK);
    assert_true(at == 1200000);
    /* Longer than the period since the last call. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1300000, 10, 0, &at), ADDER_ERR_AGAIN);
    /* No target: now. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 1400000, 0, 1, &at), ADDER_OK);
    assert_true(at == 1400000);
    /* Below the minimum rate. */
    assert_int_equal(adder_busdisplay_refresh_when(&d, 2200000, 10, 1, &at), ADDER_ERR_TIMEOUT);
}

/* ---- brightness, rotation, rows ---- */

static uint16_t duty_seen;
static adder_err_t set_duty(void *ctx, uint16_t duty)
{
    (void)ctx;
    duty_seen = duty;
    return ADDER_OK;
}

static bool pin_level;
static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    (void)ctx, (void)pin, (void)mode;
    pin_level = level;
    return ADDER_OK;
}
static const adder_pin_ops_t pin_ops = {.mode = pin_mode};

static void brightness(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    started(&c);
    assert_false(adder_busdisplay_brightness_adjustable(&d));
    assert_int_equal(adder_busdisplay_set_brightness(&d, 5), ADDER_ERR_UNSUPPORTED);
    c.backlight = (adder_backlight_pwm_t){set_duty, NULL};
    c.brightness = 1000;
    started(&c);
    assert_int_equal(duty_seen, 1000); /* at start */
    c.backlight_on_high = false;
    started(&c);
    assert_int_equal(duty_seen, 64535);
    c.backlight.set = NULL;
    c.backlight_pin = (adder_pin_t){&pin_ops, NULL, 3};
    c.backlight_on_high = true;
    started(&c);
    assert_false(pin_level);
    assert_int_equal(adder_busdisplay_set_brightness(&d, 64879), ADDER_OK); /* 0.98999 */
    assert_false(pin_level);
    assert_int_equal(adder_busdisplay_set_brightness(&d, 65535), ADDER_OK);
    assert_true(pin_level);
}

static void rotation_and_rows(void **state)
{
    (void)state;
    adder_busdisplay_config_t c = base_config();
    uint16_t row[20];
    started(&c);
    for (unsigned r = 0; r < 4; r++) {
        assert_int_equal(adder_busdisplay_set_rotation(&d, (uint16_t)(90 * r)), ADDER_OK);
        assert_int_equal(d.scene.width, r % 2 == 0 ? 20 : 10);
        assert_int_equal(adder_scene_panel_width(&d.scene), 20);
        assert_int_equal(adder_busdisplay_fill_row(&d, 3, row, sizeof row), ADDER_OK);
        for (unsigned x = 0; x < d.scene.width; x++) /* the same picture, upright */
            assert_int_equal(row[x], x >= 2 && x < 6 ? 0xFFFF : 0);
        assert_int_equal(adder_busdisplay_refresh_now(&d, r), ADDER_OK);
    }
    assert_int_equal(adder_busdisplay_set_rotation(&d, 91), ADDER_ERR_ARG);
    assert_int_equal(adder_busdisplay_fill_row(&d, 20, row, sizeof row), ADDER_ERR_RANGE);
    assert_int_equal(adder_busdisplay_fill_row(&d, 0, row, 19), ADDER_ERR_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_sequence),
        cmocka_unit_test(init_refusals),
        cmocka_unit_test(blocking_caller),
        cmocka_unit_test(windows),
        cmocka_unit_test(mono),
        cmocka_unit_test(bands_and_slices),
        cmocka_unit_test(fault_sweep),
        cmocka_unit_test(refresh_timing),
        cmocka_unit_test(brightness),
        cmocka_unit_test(rotation_and_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
