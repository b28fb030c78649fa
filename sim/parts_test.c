/* The Feather board file: buttons, knob, UART, DAC, OLED by hand, fights on a wire. */
#include "sim/testing.h"

static int setup(void **state)
{
    bench_t *t = calloc(1, sizeof *t);
    cJSON *run =
        cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 9, \"chips\": {\"knob\": {\"position\": 25}}}");
    t->board = sim_board_open("boards/feather_m4_express.json", run, t->msg, sizeof t->msg);
    cJSON_Delete(run);
    if (t->board == NULL)
        fail_msg("%s", t->msg);
    t->mcu = sim_board_mcu(t->board);
    *state = t;
    return 0;
}

static adder_err_t event(bench_t *t, const char *text)
{
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    const adder_err_t err = sim_board_event(t->board, json, t->msg, sizeof t->msg);
    cJSON_Delete(json);
    return err;
}

static bool level(bench_t *t, const char *pin)
{
    bool high;
    OK(t->mcu->gpio->read(t->mcu->ctx, bench_pin(t, pin), &high));
    return high;
}

static void buttons_pull_their_wire(void **state)
{
    bench_t *t = *state;
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "D9"), ADDER_PIN_IN_PULL_UP, false));
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "D6"), ADDER_PIN_IN, false)); /* has its own resistor */
    assert_true(level(t, "D9"));
    assert_true(level(t, "D6"));
    bench_knob(t, "a", "{\"pressed\": true}");
    bench_knob(t, "b", "{\"pressed\": true}");
    assert_false(level(t, "D9"));
    assert_false(level(t, "D6"));
    bench_knob(t, "a", "{\"pressed\": false}");
    assert_true(level(t, "D9"));
    assert_int_equal(bench_counter(t, "a", "presses"), 1);
    bench_knob(t, "b", "{\"fault\": \"unplug\"}");
    assert_true(level(t, "D6"));
    bench_knob(t, "b", "{\"fault\": \"none\"}"); /* still held down */
    assert_false(level(t, "D6"));
}

static void the_run_configuration_sets_the_knob(void **state)
{
    bench_t *t = *state;
    uint16_t value;
    OK(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "A2"), &value));
    assert_in_range(value, 16370, 16400);
    bench_knob(t, "knob", "{\"position\": 100}");
    OK(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "A2"), &value));
    assert_int_equal(value, 65535);
    bench_knob(t, "knob", "{\"fault\": \"unplug\"}");
    OK(t->mcu->pin->adc_read(t->mcu->ctx, bench_pin(t, "A2"), &value));
    assert_int_equal(value, 0);
}

static void a_dac_drives_its_wire(void **state)
{
    bench_t *t = *state;
    OK(t->mcu->pin->dac_write(t->mcu->ctx, bench_pin(t, "A0"), 0x4000));
    cJSON *s = sim_board_state(t->board, 0);
    const cJSON *pin = cJSON_GetObjectItem(cJSON_GetObjectItem(s, "pins"), "A0");
    assert_string_equal(cJSON_GetObjectItem(pin, "mode")->valuestring, "dac");
    assert_int_equal(cJSON_GetObjectItem(pin, "duty")->valueint, 0x4000);
    cJSON_Delete(s);
    assert_int_equal(t->mcu->pin->dac_write(t->mcu->ctx, bench_pin(t, "A2"), 1), ADDER_ERR_PIN);
    assert_int_equal(t->mcu->pin->pwm_duty(t->mcu->ctx, bench_pin(t, "A2"), 1), ADDER_ERR_STATE);
}

static void uart_takes_and_gives_bytes(void **state)
{
    bench_t *t = *state;
    adder_uart_t uart;
    uint8_t bytes[8];
    size_t n;
    assert_int_equal(t->mcu->bus->uart_open(t->mcu->ctx, bench_pin(t, "RX"), bench_pin(t, "TX"), 9600, &uart),
                     ADDER_ERR_PIN);
    OK(t->mcu->bus->uart_open(t->mcu->ctx, bench_pin(t, "TX"), bench_pin(t, "RX"), 9600, &uart));
    OK(uart.ops->write(uart.ctx, (const uint8_t *)"hello", 5));
    OK(uart.ops->available(uart.ctx, &n));
    assert_int_equal(n, 0);
    OK(event(t, "{\"uart\": \"abc\"}"));
    OK(uart.ops->read(uart.ctx, bytes, 2, &n));
    assert_int_equal(n, 2);
    assert_memory_equal(bytes, "ab", 2);
    OK(uart.ops->available(uart.ctx, &n));
    assert_int_equal(n, 1);
    assert_int_equal(uart.ops->configure(uart.ctx, 115200, 8, 'X', 1), ADDER_ERR_RANGE);
    OK(uart.ops->configure(uart.ctx, 115200, 8, 'N', 1));
    t->mcu->bus->close(t->mcu->ctx, uart.ctx);
    assert_int_equal(uart.ops->write(uart.ctx, bytes, 1), ADDER_ERR_STATE);
}

static void a_fight_on_a_wire_is_low_and_counted(void **state)
{
    bench_t *t = *state;
    OK(t->mcu->gpio->mode(t->mcu->ctx, bench_pin(t, "D9"), ADDER_PIN_OUT, true));
    bench_knob(t, "a", "{\"pressed\": true}");
    assert_false(level(t, "D9"));
    cJSON *report = sim_board_report(t->board);
    assert_int_equal(cJSON_GetObjectItem(report, "wire_conflicts")->valueint, 1);
    cJSON_Delete(report);
}

static void random_bytes_repeat_with_their_seed(void **state)
{
    bench_t *t = *state;
    uint8_t a[16], b[16];
    void *other = NULL;
    OK(t->mcu->sys->random(t->mcu->ctx, a, sizeof a));
    setup(&other);
    OK(((bench_t *)other)->mcu->sys->random(((bench_t *)other)->mcu->ctx, b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
    bench_teardown(&other);
}

static void events_of_the_page_are_checked(void **state)
{
    bench_t *t = *state;
    assert_int_equal(event(t, "{\"touch\": [1, 1]}"), ADDER_ERR_ARG);
    assert_string_equal(t->msg, "this board has no touch panel");
    assert_int_equal(event(t, "{\"chip\": \"a\", \"pressed\": 1}"), ADDER_ERR_ARG);
    assert_string_equal(t->msg, "pressed: true or false is wanted");
    assert_int_equal(event(t, "[]"), ADDER_ERR_ARG);
    OK(event(t, "{\"chip\": \"a\", \"pressed\": true, \"at\": 7}"));
    OK(event(t, "{\"reset\": \"button\"}")); /* nobody listens: nothing happens */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(buttons_pull_their_wire),
        TEST(the_run_configuration_sets_the_knob),
        TEST(a_dac_drives_its_wire),
        TEST(uart_takes_and_gives_bytes),
        TEST(a_fight_on_a_wire_is_low_and_counted),
        TEST(random_bytes_repeat_with_their_seed),
        TEST(events_of_the_page_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
