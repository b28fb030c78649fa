/* Board files: what is wrong with one is said with its place. */
#include "sim/testing.h"

/* A board around `chips` and `more`. */
static sim_board_t *open_with(const char *chips, const char *more, char *msg)
{
    char json[2000];
    snprintf(
        json, sizeof json,
        "{\"id\": \"x\", \"name\": \"X\", \"mcu\": {\"chip\": \"m\", \"pins\": {\"P0\": \"digital adc pwm\", "
        "\"P1\": \"digital\", \"P2\": \"digital\", \"P3\": \"digital\"}}, \"names\": {\"A0\": \"P0\"}%s, "
        "\"chips\": %s}",
        more, chips);
    return sim_board_open_text("boards/x.json", json, strlen(json), NULL, msg, SIM_MSG_CAP);
}

static void bad_board_files_are_named(void **state)
{
    static const char *const cases[][3] = {
        {"[{\"id\": \"l\", \"type\": \"led\", \"wires\": {\"in\": \"PB99\"}}]", "",
         "boards/x.json: chips[0].wires.in: no such pin PB99 (pins of this board: A0)"},
        {"[{\"id\": \"l\", \"type\": \"led\", \"wires\": {\"out\": \"P0\"}}]", "",
         "boards/x.json: chips[0].wires.out: a led has no such pin (its pins: in)"},
        {"[{\"id\": \"l\", \"type\": \"led\"}, {\"id\": \"l\", \"type\": \"led\"}]", "",
         "boards/x.json: chips[1].id: \"l\" is taken"},
        {"[{\"type\": \"led\"}]", "", "boards/x.json: chips[0].id is missing"},
        {"[{\"id\": \"t\", \"type\": \"resistive_touch\"}]", "",
         "boards/x.json: chips[0] (t): size: [a, b] with numbers from 1 to 4096 is wanted"},
        {"[{\"id\": \"d\", \"type\": \"ili9341\", \"mount\": 45}]", "",
         "boards/x.json: chips[0] (d): mount: 0, 90, 180 or 270 degrees are wanted"},
        {"{}", "", "boards/x.json: chips: a list of at most 64 is wanted"},
        {"[]", ", \"chps\": 1", "boards/x.json: chps: unknown key"},
        {"[]", ", \"pulls\": {\"P9\": \"up\"}", "boards/x.json: pulls.P9: no such pin"},
        {"[]", ", \"buses\": [{\"name\": \"I2C\", \"kind\": \"i2c\", \"scl\": \"P0\"}]",
         "boards/x.json: buses[0].sda is missing"},
        {"[]", ", \"buses\": [{\"name\": \"I2C\", \"kind\": \"can\"}]",
         "boards/x.json: buses[0].kind: \"i2c\", \"spi\" or \"uart\" is wanted"},
        {"[]",
         ", \"display\": {\"bus\": \"fourwire\", \"sck\": \"P0\", \"mosi\": \"P1\", \"command\": \"P2\", "
         "\"width\": 9, \"height\": 9, \"init\": [\"36 A8\", \"XX\"]}",
         "boards/x.json: display.init[1]: \"XX\": hex bytes, then +MILLISECONDSms (at most 500)"},
    };
    char msg[SIM_MSG_CAP];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(open_with(cases[i][0], cases[i][1], msg));
        assert_string_equal(msg, cases[i][2]);
    }
    assert_null(open_with("[{\"id\": \"l\", \"type\": \"laser\"}]", "", msg));
    assert_non_null(strstr(msg, "chips[0].type: unknown chip \"laser\" (known: ili9341, "));
    assert_null(sim_board_open_text("b", "{\n  \"id\": x\n}", 13, NULL, msg, sizeof msg));
    assert_string_equal(msg, "b:2:9: not valid JSON near \"x\"");
    assert_null(sim_board_open("/nowhere.json", NULL, msg, sizeof msg));
    assert_string_equal(msg, "/nowhere.json: No such file or directory");
}

static void start_sequences_are_in_busdisplay_form(void **state)
{
    char msg[SIM_MSG_CAP];
    (void)state;
    sim_board_t *b =
        open_with("[]",
                  ", \"display\": {\"bus\": \"fourwire\", \"sck\": \"P0\", \"mosi\": \"P1\", \"command\": "
                  "\"P2\", \"width\": 9, \"height\": 9, \"init\": [\"36 A8 ; MADCTL\", \"11 +120ms\", "
                  "\"29 +500ms\"]}",
                  msg);
    assert_non_null(b);
    static const uint8_t want[] = {0x36, 1, 0xA8, 0x11, 0x80, 120, 0x29, 0x80, 255};
    const adder_mcu_t *mcu = sim_board_mcu(b);
    assert_int_equal(mcu->display.init_sequence_len, sizeof want);
    assert_memory_equal(mcu->display.init_sequence, want, sizeof want);
    sim_board_close(b);
}

static void run_configuration_is_checked(void **state)
{
    static const char *const cases[][2] = {
        {"{\"clock\": \"fast\"}", "run configuration: clock: \"real\" or \"virtual\" is wanted"},
        {"{\"chips\": {\"lamp\": {}}}",
         "boards/pyportal.json: run configuration: chips.lamp: this board has no such chip"},
        {"{\"chips\": {\"light\": {\"lux\": -5}}}",
         "boards/pyportal.json: chips[2] (light): lux: a number from 0 to 100000 is wanted"},
        {"{\"seed\": \"x\"}", "run configuration: seed: a number, 0 or more, is wanted"},
    };
    char msg[SIM_MSG_CAP];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *run = cJSON_Parse(cases[i][0]);
        assert_null(sim_board_open("boards/pyportal.json", run, msg, sizeof msg));
        assert_string_equal(msg, cases[i][1]);
        cJSON_Delete(run);
    }
}

static void every_board_of_the_folder_loads(void **state)
{
    char msg[SIM_MSG_CAP];
    (void)state;
    cJSON *list = sim_boards_list("boards", msg, sizeof msg);
    const cJSON *b;
    assert_non_null(list);
    assert_true(cJSON_GetArraySize(list) >= 1);
    cJSON_ArrayForEach(b, list)
    {
        const cJSON *error = cJSON_GetObjectItem(b, "error");
        if (error != NULL)
            fail_msg("%s", error->valuestring);
    }
    cJSON_Delete(list);
    assert_null(sim_boards_list("/nowhere", msg, sizeof msg));
    assert_string_equal(msg, "/nowhere: No such file or directory");
}

static void nvm_survives_in_its_folder(void **state)
{
    char msg[SIM_MSG_CAP], folder[] = "/tmp/adder_sim_XXXXXX", text[80], path[80];
    uint8_t bytes[3] = {1, 2, 3}, back[3];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof text, "{\"state\": \"%s/.adder\"}", folder);
    for (int boot = 0; boot < 2; boot++) {
        cJSON *run = cJSON_Parse(text);
        sim_board_t *b = sim_board_open("boards/pyportal.json", run, msg, sizeof msg);
        cJSON_Delete(run);
        assert_non_null(b);
        const adder_mcu_t *mcu = sim_board_mcu(b);
        if (boot == 0)
            OK(mcu->sys->nvm_write(mcu->ctx, 100, bytes, 3));
        OK(mcu->sys->nvm_read(mcu->ctx, 100, back, 3));
        assert_memory_equal(back, bytes, 3);
        sim_board_close(b);
    }
    snprintf(path, sizeof path, "%s/.adder/nvm.bin", folder);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s/.adder", folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_board_files_are_named),
        cmocka_unit_test(start_sequences_are_in_busdisplay_form),
        cmocka_unit_test(run_configuration_is_checked),
        cmocka_unit_test(every_board_of_the_folder_loads),
        cmocka_unit_test(nvm_survives_in_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
