/* Knobs, faults, events, the timeline, the report: exact messages and exact effects. */
#include "sim/testing.h"

/* ---- knobs ---- */

static void refuses(bench_t *t, const char *chip, const char *knobs, adder_err_t err, const char *message)
{
    assert_int_equal(bench_control(t, chip, knobs), err);
    assert_string_equal(t->msg, message);
}

static void bad_knobs_are_named(void **state)
{
    bench_t *t = *state;
    assert_int_equal(bench_control(t, "lamp", "{}"), ADDER_ERR_NOT_FOUND);
    assert_non_null(strstr(t->msg, "no chip \"lamp\" on this board (chips: display, touch, light, "));
    refuses(t, "light", "{\"lum\": 1}", ADDER_ERR_ARG,
            "lum: chip \"light\" has no such knob (it has: lux, fault)");
    refuses(t, "light", "{\"lux\": -1}", ADDER_ERR_ARG, "lux: a number from 0 to 2000 lx is wanted");
    refuses(t, "light", "{\"lux\": \"dark\"}", ADDER_ERR_ARG, "lux: a number from 0 to 2000 lx is wanted");
    refuses(t, "touch", "{\"touch\": [400, 1]}", ADDER_ERR_ARG, "touch: x 400 is outside 0..319");
    refuses(t, "touch", "{\"touch\": 5}", ADDER_ERR_ARG, "touch: [x, y] or null is wanted");
    refuses(t, "led", "{\"fault\": {\"kind\": \"melt\"}}", ADDER_ERR_ARG,
            "fault.kind: one of none, unplug, nack, bit_flip, stuck, reset");
    refuses(t, "led", "{\"fault\": {\"kind\": \"nack\", \"after\": -1}}", ADDER_ERR_ARG,
            "fault.after: a number of transfers, 0 or more");
    refuses(t, "light", "{\"lux\": 5, \"fault\": \"melt\"}", ADDER_ERR_ARG,
            "fault.kind: one of none, unplug, nack, bit_flip, stuck, reset");
    assert_float_equal(bench_state(t, "light", "lux"), 300, 0); /* nothing was changed */
}

/* ---- faults ---- */

static adder_err_t read_id(adder_i2c_t *i2c, uint8_t *id)
{
    const uint8_t reg = 0x0B;
    return i2c->ops->xfer(i2c->ctx, 0x48, &reg, 1, id, 1, 100);
}

static void i2c_faults(void **state)
{
    bench_t *t = *state;
    adder_i2c_t i2c;
    uint8_t id = 0;
    OK(t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "SCL"), bench_pin(t, "SDA"), 100000, &i2c));
    bench_knob(t, "temperature", "{\"fault\": {\"kind\": \"unplug\", \"after\": 2}}");
    OK(read_id(&i2c, &id));
    OK(read_id(&i2c, &id));
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_NOT_FOUND);
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_NOT_FOUND);
    bench_knob(t, "temperature", "{\"fault\": {\"kind\": \"none\"}}");
    OK(read_id(&i2c, &id));
    assert_int_equal(id, 0xCB);
    bench_knob(t, "temperature", "{\"fault\": {\"kind\": \"bit_flip\", \"seed\": 7}}");
    OK(read_id(&i2c, &id));
    const uint8_t wrong = id ^ 0xCB;
    assert_true(wrong != 0 && (wrong & (wrong - 1)) == 0); /* one bit */
    bench_knob(t, "temperature", "{\"fault\": \"nack\"}");
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_NOT_FOUND);
    bench_knob(t, "temperature", "{\"fault\": \"reset\"}"); /* one shot */
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_IO);
    OK(read_id(&i2c, &id));
    bench_knob(t, "temperature", "{\"fault\": \"stuck\"}");
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_NOT_FOUND);
    OK(sim_board_drive_pin(t->board, "SDA", SIM_LOW, t->msg, sizeof t->msg)); /* a shorted bus */
    assert_int_equal(read_id(&i2c, &id), ADDER_ERR_TIMEOUT);
}

/* Fail transfer 0, then 1, ... until none is left: the display never takes the board down. */
static void display_faults_sweep(void **state)
{
    bench_t *t = *state;
    static const char *const kinds[] = {"unplug", "nack", "bit_flip", "stuck", "reset"};
    static const uint8_t pixels[64];
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (unsigned after = 0; after < 24; after += 3) {
            char knobs[80];
            snprintf(knobs, sizeof knobs, "{\"fault\": {\"kind\": \"%s\", \"after\": %u}}", kinds[k], after);
            sim_board_power_cycle(t->board);
            bench_knob(t, "display", knobs);
            bench_display_start(t);
            bench_window(t, 0, 0, 7, 3, pixels, sizeof pixels);
            bench_pixel(t, 0, 0);
            bench_knob(t, "display", "{\"fault\": \"none\"}");
            bench_display_start(t); /* and it comes back */
            bench_window(t, 0, 0, 7, 3, pixels, sizeof pixels);
            assert_int_equal(bench_pixel(t, 0, 0), 0);
            assert_float_equal(bench_state(t, "display", "on"), 1, 0);
        }
}

/* ---- timeline ---- */

static adder_err_t load(bench_t *t, const char *json)
{
    return sim_board_timeline_text(t->board, "demo.json", json, strlen(json), t->msg, sizeof t->msg);
}

static void bad_timelines_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "demo.json: a list of events [{\"at\": 1.5, ...}, ...] is wanted"},
        {"[1]", "demo.json: [0]: an event {\"at\": seconds, ...} is wanted"},
        {"[{\"at\": 1, \"touch\": [1, 1]}, {\"touch\": [2, 2]}]",
         "demo.json: [1].at: seconds since the first line of code.py, 0 or more, are wanted"},
        {"[{\"at\": 1, \"touch\": [400, 1]}]", "demo.json: [0].touch: x 400 is outside 0..319"},
        {"[{\"at\": 1, \"chip\": \"light\", \"lux\": \"x\"}]",
         "demo.json: [0].lux: a number from 0 to 2000 lx is wanted"},
        {"[{\"at\": 1, \"pin\": \"D77\", \"level\": 1}]", "demo.json: [0].pin: no such pin D77"},
        {"[{\"at\": 1, \"pin\": \"D3\", \"level\": 2}]",
         "demo.json: [0].level: 0, 1 or null (let go) is wanted"},
        {"[{\"at\": 1, \"pin\": \"D3\", \"level\": 1, \"x\": 1}]",
         "demo.json: [0].x: does not belong to a \"pin\" event"},
        {"[{\"at\": 1, \"console\": 3}]", "demo.json: [0].console: a text is wanted"},
        {"[{\"at\": 1, \"tuoch\": [1, 1]}]", "demo.json: [0]: nothing to do: one of \"chip\", \"pin\", "
                                             "\"touch\", \"release\", \"console\", \"uart\" or "
                                             "\"reset\" is wanted"},
        {"[{\"at\": 1,\n \"touch\": [1 1]}]", "demo.json:2:14: not valid JSON near \"1]}]\""},
        {"[{\"at\": 1", "demo.json:1:10: not valid JSON: it ends too early (a missing bracket or quote?)"},
    };
    bench_t *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(load(t, cases[i][0]), ADDER_ERR_FORMAT);
        assert_string_equal(t->msg, cases[i][1]);
    }
    assert_int_equal(sim_board_timeline_load(t->board, "/nowhere/x.json", t->msg, sizeof t->msg),
                     ADDER_ERR_FORMAT);
    assert_string_equal(t->msg, "/nowhere/x.json: No such file or directory");
}

static char typed[64];

static void on_console(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    strncat(typed, bytes, len);
}

static void timeline_plays_in_order(void **state)
{
    bench_t *t = *state;
    const sim_hooks_t hooks = {.console = on_console};
    typed[0] = 0;
    sim_board_set_hooks(t->board, &hooks);
    OK(load(
        t,
        "[{\"at\": 2, \"release\": true}, {\"at\": 1, \"touch\": [3, 4]}, {\"at\": 1, \"chip\": \"light\", "
        "\"lux\": 7}, {\"at\": 2.5, \"console\": \"a\"}, {\"at\": 2.5, \"console\": \"b\\r\"}, "
        "{\"at\": 3, \"pin\": \"D3\", \"level\": 1}]"));
    sim_board_advance(t->board, 5000000); /* before the first line of code.py nothing happens */
    assert_int_equal(sim_board_timeline_left(t->board), 6);
    sim_board_timeline_start(t->board);
    sim_board_advance(t->board, 999999);
    assert_int_equal(sim_board_timeline_left(t->board), 6);
    sim_board_advance(t->board, 1);
    assert_int_equal(sim_board_timeline_left(t->board), 4);
    assert_float_equal(bench_state(t, "light", "lux"), 7, 0);
    assert_float_equal(bench_state(t, "touch", "pressure"), 1, 0);
    sim_board_timeline_start(t->board); /* a reload changes nothing */
    sim_board_power_cycle(t->board);    /* nor does a power cut: two seconds in, at 1.5 now */
    sim_board_advance(t->board, 500000);
    assert_int_equal(sim_board_timeline_left(t->board), 4);
    sim_board_advance(t->board, 500000);
    assert_int_equal(sim_board_timeline_left(t->board), 3);
    sim_board_advance(t->board, 2000000);
    assert_string_equal(typed, "ab\r");
    bool level;
    OK(t->mcu->gpio->read(t->mcu->ctx, bench_pin(t, "D3"), &level));
    assert_true(level);
    assert_int_equal(sim_board_timeline_left(t->board), 0);
}

/* ---- report ---- */

static void use_the_board(bench_t *t)
{
    static const uint8_t pixels[320 * 2];
    adder_i2c_t i2c;
    uint8_t id;
    bench_display_start(t);
    bench_window(t, 0, 0, 319, 0, pixels, sizeof pixels);
    OK(t->mcu->bus->i2c_open(t->mcu->ctx, bench_pin(t, "SCL"), bench_pin(t, "SDA"), 100000, &i2c));
    OK(read_id(&i2c, &id));
    sim_board_advance(t->board, 10000000);
}

static void report_repeats_exactly(void **state)
{
    bench_t *t = *state;
    use_the_board(t);
    cJSON *report = sim_board_report(t->board);
    char *first = cJSON_Print(report);
    const cJSON *bus = cJSON_GetArrayItem(cJSON_GetObjectItem(report, "buses"), 1);
    assert_string_equal(cJSON_GetObjectItem(bus, "kind")->valuestring, "i2c");
    assert_int_equal(cJSON_GetObjectItem(bus, "transactions")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(bus, "busy_us")->valueint, (4 * 9 + 2) * 10);
    const cJSON *display = cJSON_GetObjectItem(report, "display");
    assert_int_equal(cJSON_GetObjectItem(display, "pixels")->valueint, 320);
    const cJSON *energy = cJSON_GetObjectItem(cJSON_GetObjectItem(report, "energy"), "temperature");
    assert_float_equal(cJSON_GetObjectItem(energy, "charge_uc")->valuedouble, 2100,
                       0.01); /* 10 s of 210 uA */
    cJSON_Delete(report);

    void *other = NULL;
    assert_int_equal(bench_setup(&other), 0);
    use_the_board(other);
    report = sim_board_report(((bench_t *)other)->board);
    char *second = cJSON_Print(report);
    assert_string_equal(first, second);
    cJSON_Delete(report);
    free(first);
    free(second);
    bench_teardown(&other);
}

static void state_tells_what_changed(void **state)
{
    bench_t *t = *state;
    cJSON *all = sim_board_state(t->board, 0);
    const uint64_t revision = (uint64_t)cJSON_GetObjectItem(all, "revision")->valuedouble;
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(all, "parts")) >= 7);
    cJSON_Delete(all);
    assert_int_equal(sim_board_revision(t->board), revision);
    bench_knob(t, "light", "{\"lux\": 1}");
    assert_true(sim_board_revision(t->board) > revision);
    cJSON *some = sim_board_state(t->board, revision);
    const cJSON *parts = cJSON_GetObjectItem(some, "parts");
    assert_int_equal(cJSON_GetArraySize(parts), 1);
    assert_string_equal(parts->child->string, "light");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(some, "pins")), 0);
    cJSON_Delete(some);
}

static const cJSON *by_id(const cJSON *list, const char *id)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, list) if (strcmp(cJSON_GetObjectItem(v, "id")->valuestring, id) == 0) return v;
    fail_msg("no part %s", id);
    return NULL;
}

static void description_is_complete(void **state)
{
    bench_t *t = *state;
    cJSON *d = sim_board_describe(t->board);
    assert_string_equal(cJSON_GetObjectItem(d, "name")->valuestring, "Adafruit PyPortal");
    const cJSON *display = cJSON_GetObjectItem(d, "display");
    assert_string_equal(cJSON_GetObjectItem(display, "chip")->valuestring, "display");
    assert_int_equal(cJSON_GetObjectItem(display, "width")->valueint, 320);
    const cJSON *parts = cJSON_GetObjectItem(d, "parts");
    const cJSON *knob = cJSON_GetArrayItem(cJSON_GetObjectItem(by_id(parts, "temperature"), "knobs"), 0);
    assert_string_equal(cJSON_GetObjectItem(knob, "name")->valuestring, "celsius");
    assert_float_equal(cJSON_GetObjectItem(knob, "max")->valuedouble, 50, 0); /* narrowed by the board file */
    assert_float_equal(cJSON_GetObjectItem(knob, "value")->valuedouble, 22.5, 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(by_id(parts, "touch"), "size")), 2);
    /* every item of the picture that names a part names one that is there */
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(cJSON_GetObjectItem(d, "picture"), "items"))
    {
        const cJSON *chip = cJSON_GetObjectItem(item, "chip");
        if (chip != NULL)
            by_id(parts, chip->valuestring);
    }
    cJSON_Delete(d);
}

/* An amplifier that is on, fed by the DAC: what a program that plays a tone does to the board. */
static void speaker_shows_what_it_would_play(void **state)
{
    bench_t *t = *state;
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "SPEAKER_ENABLE"), ADDER_PIN_OUT, true));
    OK(t->mcu->pin->dac_write(t->mcu->ctx, bench_pin(t, "SPEAKER"), 0x8000));
    assert_float_equal(bench_state(t, "speaker", "enabled"), 1, 0);
    assert_float_equal(bench_state(t, "speaker", "level"), 0.5, 0.001);
    t->mcu->pin->pin_release(t->mcu->ctx, bench_pin(t, "SPEAKER"));
    assert_float_equal(bench_state(t, "speaker", "level"), 0, 0);
}

static void screenshot_is_a_png(void **state)
{
    bench_t *t = *state;
    uint8_t head[8] = {0};
    bench_display_start(t);
    OK(sim_board_screenshot(t->board, NULL, "/tmp/adder_sim_test.png", t->msg, sizeof t->msg));
    FILE *f = fopen("/tmp/adder_sim_test.png", "rb");
    assert_non_null(f);
    assert_int_equal(fread(head, 1, 8, f), 8);
    fclose(f);
    remove("/tmp/adder_sim_test.png");
    assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(sim_board_screenshot(t->board, NULL, "/nowhere/x.png", t->msg, sizeof t->msg),
                     ADDER_ERR_IO);
    assert_string_equal(t->msg, "/nowhere/x.png: cannot write the screenshot: No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_knobs_are_named),      TEST(i2c_faults),
        TEST(display_faults_sweep),     TEST(bad_timelines_are_named),
        TEST(timeline_plays_in_order),  TEST(report_repeats_exactly),
        TEST(state_tells_what_changed), TEST(screenshot_is_a_png),
        TEST(description_is_complete),  TEST(speaker_shows_what_it_would_play),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
