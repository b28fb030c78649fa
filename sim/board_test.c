/* The PyPortal as a program sees it: loads, resets, pins, buses, display, touch, sensors. */
#include "sim/testing.h"

#include <unistd.h>

static const uint16_t none = ADDER_PIN_NONE;

static void board_loads_with_its_names(void **state)
{
    bench_t *t = *state;
    assert_string_equal(t->mcu->board_id, "pyportal");
    assert_string_equal(t->mcu->chip_name, "samd51j20");
    assert_int_equal(bench_pin(t, "D13"), bench_pin(t, "PB23"));
    assert_int_equal(t->mcu->display.kind, ADDER_MCU_DISPLAY_PAR8);
    assert_int_equal(t->mcu->display.width, 320);
    assert_int_equal(t->mcu->reset_reason, ADDER_RESET_POWER_ON);
    assert_int_equal(t->mcu->uid_len, 16);
}

static void led_follows_pin_and_pwm(void **state)
{
    bench_t *t = *state;
    const uint16_t led = bench_pin(t, "LED");
    OK(t->mcu->gpio->mode(t->mcu->ctx, led, ADDER_PIN_OUT, true));
    assert_float_equal(bench_state(t, "led", "brightness"), 1, 0);
    OK(t->mcu->gpio->write(t->mcu->ctx, led, false));
    assert_float_equal(bench_state(t, "led", "brightness"), 0, 0);
    t->mcu->pin->pin_release(t->mcu->ctx, led);
    bool level = true;
    OK(t->mcu->gpio->read(t->mcu->ctx, led, &level));
    assert_false(level);
    const uint16_t tft = bench_pin(t, "TFT_BACKLIGHT");
    uint32_t hz;
    OK(t->mcu->pin->pwm_start(t->mcu->ctx, tft, 50000, 0x8000, &hz));
    assert_int_equal(hz, 50000);
    assert_float_equal(bench_state(t, "display", "backlight"), 0.5, 0.001);
    t->mcu->pin->pin_release(t->mcu->ctx, tft);
    assert_float_equal(bench_state(t, "display", "backlight"), 0, 0);
    assert_int_equal(t->mcu->pin->pwm_start(t->mcu->ctx, led, 50, 1, NULL), ADDER_ERR_PIN);
}

static void pulls_and_outside_levels_are_read(void **state)
{
    bench_t *t = *state;
    const uint16_t d3 = bench_pin(t, "D3");
    bool level;
    OK(t->mcu->gpio->mode(t->mcu->ctx, d3, ADDER_PIN_IN_PULL_UP, false));
    OK(t->mcu->gpio->read(t->mcu->ctx, d3, &level));
    assert_true(level);
    OK(sim_board_drive_pin(t->board, "D3", SIM_LOW, t->msg, sizeof t->msg));
    OK(t->mcu->gpio->read(t->mcu->ctx, d3, &level));
    assert_false(level);
    OK(sim_board_drive_pin(t->board, "PA04", SIM_FLOAT, t->msg, sizeof t->msg));
    OK(t->mcu->gpio->mode(t->mcu->ctx, d3, ADDER_PIN_IN_PULL_DOWN, false));
    OK(t->mcu->gpio->read(t->mcu->ctx, d3, &level));
    assert_false(level);
    assert_int_equal(sim_board_drive_pin(t->board, "D99", SIM_LOW, t->msg, sizeof t->msg),
                     ADDER_ERR_NOT_FOUND);
    assert_string_equal(t->msg, "no such pin D99");
}

/* ---- display ---- */

static void display_shows_what_is_sent(void **state)
{
    bench_t *t = *state;
    bench_display_start(t);
    uint8_t pixels[20 * 10 * 2];
    for (size_t i = 0; i < sizeof pixels; i += 2) {
        pixels[i] = 0xF8; /* red */
        pixels[i + 1] = 0;
    }
    bench_window(t, 100, 50, 119, 59, pixels, sizeof pixels);
    assert_int_equal(bench_pixel(t, 100, 50), 0xFF0000);
    assert_int_equal(bench_pixel(t, 119, 59), 0xFF0000);
    pixels[0] = 0x07; /* green: upper left corner of the screen */
    pixels[1] = 0xE0;
    bench_window(t, 0, 0, 0, 0, pixels, 2);
    assert_int_equal(bench_pixel(t, 0, 0), 0x00FF00);
    pixels[0] = 0x00; /* blue, lower right */
    pixels[1] = 0x1F;
    bench_window(t, 319, 239, 319, 239, pixels, 2);
    assert_int_equal(bench_pixel(t, 319, 239), 0x0000FF);
    assert_int_equal(t->picture.width, 320);
    assert_int_equal(t->picture.height, 240);
    assert_int_equal(sim_board_picture(t->board, NULL, &t->picture), ADDER_ERR_AGAIN);
}

static void backlight_off_is_black(void **state)
{
    bench_t *t = *state;
    bench_display_start(t);
    const uint8_t white[2] = {0xFF, 0xFF};
    bench_window(t, 5, 5, 5, 5, white, 2);
    assert_int_equal(bench_pixel(t, 5, 5), 0xFFFFFF);
    OK(t->mcu->gpio->write(t->mcu->ctx, bench_pin(t, "TFT_BACKLIGHT"), false));
    assert_int_equal(bench_pixel(t, 5, 5), 0);
}

static void a_whole_frame_is_fast(void **state)
{
    bench_t *t = *state;
    static uint8_t frame[320 * 240 * 2];
    bench_display_start(t);
    uint64_t best = UINT64_MAX; /* others use the computer, too */
    for (int i = 0; i < 10; i++) {
        const uint64_t began = bench_real_us();
        bench_window(t, 0, 0, 319, 239, frame, sizeof frame);
        const uint64_t took = bench_real_us() - began;
        best = took < best ? took : best;
    }
    print_message("a 150 KB frame: %lu us\n", (unsigned long)best);
    assert_int_equal(bench_counter(t, "display", "full_frames"), 10);
    assert_int_equal(bench_counter(t, "display", "pixels"), 768000);
}

/* Everything through single pin writes must give the same picture. */
static void bit_banged_display_works(void **state)
{
    bench_t *t = *state;
    bench_display_start(t);
    t->mcu->bus->close(t->mcu->ctx, t->par8.ctx);
    t->bit_banged = true;
    uint16_t pin[8];
    for (unsigned i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "LCD_DATA%u", i);
        pin[i] = bench_pin(t, name);
        OK(t->mcu->gpio->mode(t->mcu->ctx, pin[i], ADDER_PIN_OUT, false));
    }
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "TFT_WR"), ADDER_PIN_OUT, true));
    const uint8_t orange[4] = {0xFC, 0x00, 0x07, 0xFF};
    bench_window(t, 7, 9, 8, 9, orange, 4);
    assert_int_equal(bench_pixel(t, 7, 9), 0xFF8200);
    assert_int_equal(bench_pixel(t, 8, 9), 0x00FFFF);
}

/* ---- touch ---- */

static void touch_gives_the_usual_numbers(void **state)
{
    bench_t *t = *state;
    double x, y, z;
    bench_touch_read(t, &x, &y, &z);
    assert_true(z < 10000); /* nobody touches */
    static const int points[][2] = {{0, 0}, {319, 239}, {160, 120}, {10, 230}, {300, 20}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char knobs[64];
        snprintf(knobs, sizeof knobs, "{\"touch\": [%d, %d]}", points[i][0], points[i][1]);
        bench_knob(t, "touch", knobs);
        sim_board_advance(t->board, 10000);
        bench_touch_read(t, &x, &y, &z);
        assert_int_equal((int)fmin((x - 5200) * 319 / 53800, 319), points[i][0]);
        assert_int_equal((int)fmin((y - 5800) * 239 / 51200, 239), points[i][1]);
        assert_true(z > 10000);
    }
    bench_knob(t, "touch", "{\"touch\": null}");
    sim_board_advance(t->board, 8000); /* no pressure left, but still the place */
    bench_touch_read(t, &x, &y, &z);
    assert_int_equal((int)((x - 5200) * 319 / 53800), 300);
    assert_true(z < 10000);
    sim_board_advance(t->board, 20000);
    bench_touch_read(t, &x, &y, &z);
    assert_int_equal((int)x, 0);
    assert_true(z < 10000);
}

/* Else the board would be asked for it without a pause, and virtual time would creep. */
static void a_chip_unplugged_in_the_middle_is_not_waited_for(void **state)
{
    bench_t *t = *state;
    bench_knob(t, "touch", "{\"touch\": [20, 100]}");
    assert_true(sim_board_poll(t->board) < UINT64_MAX); /* the finger's pressure rises */
    const uint64_t others = sim_board_poll(t->board);
    bench_knob(t, "touch", "{\"fault\": \"unplug\"}");
    assert_true(sim_board_poll(t->board) > others);
    bench_knob(t, "touch", "{\"fault\": \"none\"}");
    assert_true(sim_board_poll(t->board) <= others);
}

/* A release at any moment of a measurement gives a point under the finger or none. */
static void no_touch_between_pressure_and_place(void **state)
{
    bench_t *t = *state;
    for (unsigned us = 0; us < 30000; us += 250) {
        double x, y, z, unused;
        bench_knob(t, "touch", "{\"touch\": [200, 100]}");
        sim_board_advance(t->board, 50000);
        bench_knob(t, "touch", "{\"touch\": null}");
        sim_board_advance(t->board, us);
        bench_touch_read(t, &unused, &unused, &z);
        sim_board_advance(t->board, 5000); /* a slow program */
        bench_touch_read(t, &x, &y, &unused);
        if (z > 10000) {
            assert_in_range((int)((x - 5200) * 319 / 53800), 199, 201);
            assert_in_range((int)((y - 5800) * 239 / 51200), 99, 101);
        }
    }
}

/* ---- sensors ---- */

static void light_follows_the_knob(void **state)
{
    bench_t *t = *state;
    uint16_t dark, bright;
    bench_knob(t, "light", "{\"lux\": 0}");
    OK(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "LIGHT"), &dark));
    bench_knob(t, "light", "{\"lux\": 1000}");
    OK(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "LIGHT"), &bright));
    assert_int_equal(dark, 0);
    assert_in_range(bright, 39000, 40500);
    assert_int_equal(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "LED"), &dark), ADDER_ERR_PIN);
}

static void temperature_over_i2c(void **state)
{
    bench_t *t = *state;
    adder_i2c_t i2c;
    OK(t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "SCL"), bench_pin(t, "SDA"), 100000, &i2c));
    sim_board_advance(t->board, 300000);
    uint8_t reg = 0x0B, id = 0;
    OK(i2c.ops->xfer(i2c.ctx, 0x48, &reg, 1, &id, 1, 100));
    assert_int_equal(id, 0xCB);
    uint8_t raw[2];
    reg = 0;
    OK(i2c.ops->xfer(i2c.ctx, 0x48, &reg, 1, raw, 2, 100));
    assert_int_equal((raw[0] << 8 | raw[1]) >> 3, 22.5 * 16);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x49, &reg, 1, raw, 2, 100), ADDER_ERR_NOT_FOUND);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, NULL, 0, NULL, 0, 100), ADDER_OK);
    t->mcu->bus->close(t->mcu->ctx, i2c.ctx);
    assert_int_equal(i2c.ops->xfer(i2c.ctx, 0x48, NULL, 0, NULL, 0, 100), ADDER_ERR_STATE);
}

static void i2c_needs_pull_ups_and_a_bus(void **state)
{
    bench_t *t = *state;
    adder_i2c_t i2c;
    assert_int_equal(t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "D4"), bench_pin(t, "D3"), 100000, &i2c),
                     ADDER_ERR_STATE);
    assert_int_equal(
        t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "D3"), bench_pin(t, "LED"), 100000, &i2c),
        ADDER_ERR_PIN);
}

static void bit_banged_i2c_works(void **state)
{
    bench_t *t = *state;
    sim_board_advance(t->board, 300000);
    bench_i2c_begin(t);
    bench_i2c_start(t);
    assert_true(bench_i2c_write(t, 0x48 << 1));
    assert_true(bench_i2c_write(t, 0x0B));
    bench_i2c_start(t);
    assert_true(bench_i2c_write(t, 0x48 << 1 | 1));
    assert_int_equal(bench_i2c_read(t, false), 0xCB);
    bench_i2c_stop(t);
    bench_i2c_start(t);
    assert_false(bench_i2c_write(t, 0x49 << 1)); /* nobody there */
    bench_i2c_stop(t);
    bench_i2c_start(t); /* write the configuration register, read two bytes of temperature */
    assert_true(bench_i2c_write(t, 0x48 << 1));
    assert_true(bench_i2c_write(t, 0x03));
    assert_true(bench_i2c_write(t, 0x80));
    bench_i2c_stop(t);
    sim_board_advance(t->board, 300000);
    bench_i2c_start(t);
    assert_true(bench_i2c_write(t, 0x48 << 1));
    assert_true(bench_i2c_write(t, 0x00));
    bench_i2c_start(t);
    assert_true(bench_i2c_write(t, 0x48 << 1 | 1));
    const int high = bench_i2c_read(t, true), low = bench_i2c_read(t, false);
    bench_i2c_stop(t);
    assert_int_equal(high << 8 | low, 22.5 * 128);
}

static void neopixel_takes_a_frame(void **state)
{
    bench_t *t = *state;
    const uint16_t pin = bench_pin(t, "NEOPIXEL");
    const uint8_t grb[3] = {0x10, 0x20, 0x30};
    assert_int_equal(t->mcu->pin->neopixel_write(t->mcu->ctx, pin, grb, 3), ADDER_ERR_STATE);
    OK(t->mcu->gpio->mode(t->mcu->ctx, pin, ADDER_PIN_OUT, false));
    OK(t->mcu->pin->neopixel_write(t->mcu->ctx, pin, grb, 3));
    cJSON *s = sim_board_state(t->board, 0);
    const cJSON *part = cJSON_GetObjectItem(cJSON_GetObjectItem(s, "parts"), "neopixel");
    const cJSON *pixels = cJSON_GetObjectItem(cJSON_GetObjectItem(part, "state"), "pixels");
    assert_string_equal(cJSON_GetArrayItem(pixels, 0)->valuestring, "#201030");
    cJSON_Delete(s);
    assert_int_equal(none, ADDER_PIN_NONE);
}

/* ---- system ---- */

static void reset_lets_go_of_everything(void **state)
{
    bench_t *t = *state;
    bench_display_start(t);
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "LED"), ADDER_PIN_OUT, true));
    sim_board_reset(t->board, ADDER_RESET_SOFTWARE);
    assert_int_equal(t->mcu->reset_reason, ADDER_RESET_SOFTWARE);
    assert_float_equal(bench_state(t, "led", "brightness"), 0, 0);
    const uint8_t byte = 0;
    assert_int_equal(t->par8.ops->write(t->par8.ctx, &byte, 1), ADDER_ERR_STATE);
}

static unsigned resets, fired;
static adder_reset_reason_t reset_why;

static void on_reset(void *ctx, adder_reset_reason_t why)
{
    resets++;
    reset_why = why;
    sim_board_reset(ctx, why); /* a hook may call back */
}

static void on_watchdog(void *ctx)
{
    (void)ctx;
    fired++;
}

static void watchdog_and_reset_ask_the_owner(void **state)
{
    bench_t *t = *state;
    const sim_hooks_t hooks = {.reset_requested = on_reset, .watchdog_fired = on_watchdog, .ctx = t->board};
    sim_board_set_hooks(t->board, &hooks);
    resets = fired = 0;
    OK(t->mcu->sys->watchdog(t->mcu->ctx, 1000, false));
    sim_board_advance(t->board, 900000);
    t->mcu->sys->watchdog_feed(t->mcu->ctx);
    sim_board_advance(t->board, 900000);
    assert_int_equal(fired, 0);
    sim_board_advance(t->board, 200000);
    assert_int_equal(fired, 1);
    OK(t->mcu->sys->watchdog(t->mcu->ctx, 50, true));
    sim_board_advance(t->board, 100000);
    assert_int_equal(resets, 1);
    assert_int_equal(reset_why, ADDER_RESET_WATCHDOG);
    t->mcu->sys->reset(t->mcu->ctx, ADDER_RESET_SOFTWARE);
    assert_int_equal(resets, 2);
    assert_int_equal(t->mcu->reset_reason, ADDER_RESET_SOFTWARE);
}

static void files_are_devices(void **state)
{
    bench_t *t = *state;
    const adder_mcu_file_ops_t *files = t->mcu->files;
    const adder_flash_t *flash, *other;
    char path[] = "/tmp/board_test.XXXXXX", byte;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(files->open_flash(t->mcu->ctx, path, 5000, &flash), ADDER_ERR_ARG);
    assert_int_equal(files->open_flash(t->mcu->ctx, "/nowhere/file", 8192, &flash), ADDER_ERR_NO_FILE);
    OK(files->open_flash(t->mcu->ctx, path, 8192, &flash));
    assert_int_equal(files->open_flash(t->mcu->ctx, path, 8192, &other), ADDER_ERR_IN_USE);
    OK(flash->ops->program(flash->ctx, 0, "0123456789abcdef", 16));
    files->close_flash(t->mcu->ctx, flash);
    OK(files->open_flash(t->mcu->ctx, path, 8192, &flash));
    OK(flash->ops->read(flash->ctx, 15, &byte, 1));
    assert_int_equal(byte, 'f');
    files->close_flash(t->mcu->ctx, flash);
    unlink(path);
}

static void clock_and_memory(void **state)
{
    bench_t *t = *state;
    assert_int_equal(t->mcu->sys->now_us(t->mcu->ctx), 0);
    sim_board_advance(t->board, 2500000);
    assert_int_equal(t->mcu->sys->now_us(t->mcu->ctx), 2500000);
    const int64_t date = t->mcu->sys->rtc_get(t->mcu->ctx);
    t->mcu->sys->rtc_set(t->mcu->ctx, 1000);
    sim_board_advance(t->board, 5000000);
    assert_int_equal(t->mcu->sys->rtc_get(t->mcu->ctx), 1005);
    assert_true(date > 1700000000);
    uint8_t two[2] = {1, 2}, back[2] = {0};
    OK(t->mcu->sys->nvm_read(t->mcu->ctx, 8190, back, 2));
    assert_int_equal(back[0], 0xFF);
    OK(t->mcu->sys->nvm_write(t->mcu->ctx, 8190, two, 2));
    OK(t->mcu->sys->nvm_read(t->mcu->ctx, 8190, back, 2));
    assert_memory_equal(two, back, 2);
    assert_int_equal(t->mcu->sys->nvm_write(t->mcu->ctx, 8191, two, 2), ADDER_ERR_RANGE);
    sim_board_power_cycle(t->board);
    assert_int_equal(t->mcu->sys->now_us(t->mcu->ctx), 0);
    OK(t->mcu->sys->nvm_read(t->mcu->ctx, 8190, back, 2));
    assert_memory_equal(two, back, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(board_loads_with_its_names),
        TEST(led_follows_pin_and_pwm),
        TEST(pulls_and_outside_levels_are_read),
        TEST(display_shows_what_is_sent),
        TEST(backlight_off_is_black),
        TEST(a_whole_frame_is_fast),
        TEST(bit_banged_display_works),
        TEST(touch_gives_the_usual_numbers),
        TEST(a_chip_unplugged_in_the_middle_is_not_waited_for),
        TEST(no_touch_between_pressure_and_place),
        TEST(light_follows_the_knob),
        TEST(temperature_over_i2c),
        TEST(i2c_needs_pull_ups_and_a_bus),
        TEST(bit_banged_i2c_works),
        TEST(neopixel_takes_a_frame),
        TEST(reset_lets_go_of_everything),
        TEST(watchdog_and_reset_ask_the_owner),
        TEST(files_are_devices),
        TEST(clock_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
