/* The ESP32 model: boot, the transaction model, Wi-Fi, names, pins. Sockets: esp32_nina_socket_test.c */
#include "sim/chips/esp32_nina_bench.h"

static const char network[] =
    "{\"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\", \"channel\": 6, \"rssi\": -51,"
    "   \"bssid\": \"02:03:04:05:06:07\"},"
    "  {\"ssid\": \"cafe\", \"rssi\": -70, \"channel\": 11}, {\"ssid\": \"old\", \"password\": \"abcde\","
    "   \"security\": \"wep\", \"rssi\": -60}, {\"ssid\": \"office\", \"password\": \"pw\", \"username\": "
    "\"ann\","
    "   \"security\": \"enterprise\", \"rssi\": -80}],"
    " \"hosts\": {\"plain.test\": \"127.0.0.9\", \"mapped.test:80\": \"127.0.0.1:8080\"},"
    " \"outside\": false, \"time\": 1750000000}";

static int setup(void **state)
{
    (void)state;
    return open_chip(NULL, network) ? 0 : -1;
}

static int32_t i32(void)
{
    return (int32_t)((uint32_t)r.data[0][0] | (uint32_t)r.data[0][1] << 8 | (uint32_t)r.data[0][2] << 16 |
                     (uint32_t)r.data[0][3] << 24);
}

/* ---- boot ---- */

static void ready_is_high_until_the_chip_has_booted(void **state)
{
    (void)state;
    bench_drive(&bench, NINA_PIN_RESET, SIM_LOW);
    bench_wait(&bench, 10000);
    bench_drive(&bench, NINA_PIN_RESET, SIM_HIGH);
    bench_wait(&bench, 100000);
    assert_int_equal(bench_level(&bench, NINA_PIN_READY), SIM_HIGH);
    bench_wait(&bench, 300000);
    assert_int_equal(bench_level(&bench, NINA_PIN_READY), SIM_LOW);
    expect_bytes(CALL0(&bench, 0x37, &r), "1.7.7", 6);
}

static void straps_choose_loader_and_bluetooth(void **state)
{
    (void)state;
    bench_drive(&bench, NINA_PIN_GPIO0, SIM_LOW);
    bench_drive(&bench, NINA_PIN_RESET, SIM_LOW);
    bench_drive(&bench, NINA_PIN_RESET, SIM_HIGH);
    assert_false(host_ready_low(&bench, 2000000));
    bench_drive(&bench, NINA_PIN_GPIO0, SIM_HIGH);
    bench_drive(&bench, NINA_PIN_CS, SIM_LOW);
    bench_drive(&bench, NINA_PIN_RESET, SIM_LOW);
    bench_drive(&bench, NINA_PIN_RESET, SIM_HIGH);
    assert_false(host_ready_low(&bench, 2000000));
    assert_non_null(strstr(bench.log, "Bluetooth"));
    host_reset(&bench);
    expect_bytes(CALL0(&bench, 0x37, &r), "1.7.7", 6);
}

/* ---- transactions ---- */

static void a_select_without_clocks_is_no_command(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(host_select(&bench, 1000000));
        host_deselect(&bench);
    }
    expect_bytes(CALL0(&bench, 0x37, &r), "1.7.7", 6);
    assert_int_equal(bench_counter(&bench, "frames"), 1);
}

static void a_reply_slot_is_used_up_read_or_not(void **state)
{
    (void)state;
    assert_true(host_command(&bench, 0x37, 1, NULL, 0));
    assert_true(host_select(&bench, 1000000)); /* reply, unread */
    host_deselect(&bench);
    expect_u8(CALL0(&bench, 0x20, &r), 0);
}

static void unknown_and_malformed_commands_get_the_error_frame(void **state)
{
    (void)state;
    static const uint8_t ops[] = {0x00, 0x13, 0x31, 0x38, 0x4D, 0x4E, 0x55, 0x70, 0x7F, 0xFF};
    for (size_t i = 0; i < sizeof ops; i++) {
        assert_int_equal(CALL0(&bench, ops[i], &r), -1);
    }
    const uint8_t bad[4] = {0xE1, 0x37, 0, 0xEE};
    assert_true(host_send(&bench, bad, 4));
    host_receive(&bench, 0x37, 1, &r);
    assert_int_equal(r.params, -1);
    const uint8_t no_end[3] = {0xE0, 0x37, 0};
    assert_true(host_send(&bench, no_end, 3)); /* END is not looked at */
    host_receive(&bench, 0x37, 1, &r);
    expect_bytes(r.params, "1.7.7", 6);
    assert_int_equal(bench_counter(&bench, "errors"), 11);
    assert_int_equal(bench_counter(&bench, "malformed"), 1);
}

/* The way back into step of the fact sheet, section 3. */
static void realign(void)
{
    uint8_t in[4];
    assert_true(host_select(&bench, 20000000));
    host_bytes(&bench, NULL, in, 4);
    host_deselect(&bench);
    if (in[0] != 0xE0 && in[0] != 0xEF) { /* that was a bad command */
        host_receive(&bench, 0, 1, &r);
        assert_int_equal(r.params, -1);
    }
}

static void a_driver_that_gives_up_stays_one_slot_behind(void **state)
{
    (void)state;
    assert_true(host_command(&bench, 0x27, 1, NULL, 0)); /* a scan; the host does not wait for it */
    assert_false(host_ready_low(&bench, 500000));
    assert_true(host_ready_low(&bench, 20000000)); /* the late reply is there */
    for (int i = 0; i < 3; i++) {
        assert_true(host_command(&bench, 0x37, 1, NULL, 0)); /* goes into the reply slot */
        host_receive(&bench, 0x37, 1, &r);                   /* clocks a command */
        assert_int_equal(r.params, -3);
    }
    realign();
    expect_bytes(CALL0(&bench, 0x37, &r), "1.7.7", 6);
    realign(); /* in step already: harmless */
    expect_bytes(CALL0(&bench, 0x37, &r), "1.7.7", 6);
}

static void overlong_texts_crash_the_firmware_not_us(void **state)
{
    (void)state;
    char text[256];
    memset(text, 'x', 255);
    text[255] = '\0';
    assert_int_equal(CALL(&bench, 0x10, &r, S(text)), -3); /* booted: a command slot */
    assert_int_equal(bench_counter(&bench, "crashes"), 1);
    assert_non_null(strstr(bench.log, "overruns"));
    realign();
    expect_u8(CALL0(&bench, 0x20, &r), 0);
    expect_u8(CALL(&bench, 0x16, &r, S(text)), 1); /* a host name may have 255 */
}

/* ---- Wi-Fi ---- */

static void joins_with_the_right_password_only(void **state)
{
    (void)state;
    expect_u8(CALL0(&bench, 0x20, &r), 0);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_true(bench.now_us - t0 > 1000000 && bench.now_us - t0 < 2000000);
    assert_int_equal(CALL(&bench, 0x21, &r, P(0xFF)), 3);
    assert_memory_equal(r.data[0], ((const uint8_t[]){192, 168, 1, 47}), 4);
    assert_memory_equal(r.data[1], ((const uint8_t[]){255, 255, 255, 0}), 4);
    assert_memory_equal(r.data[2], ((const uint8_t[]){192, 168, 1, 1}), 4);
    expect_bytes(CALL(&bench, 0x22, &r, P(0xFF)), "\x01\xDE\xAD\xC4\x0A\x24", 6);
    expect_bytes(CALL(&bench, 0x23, &r, P(0xFF)), "home", 4);
    expect_bytes(CALL(&bench, 0x24, &r, P(0xFF)), "\x07\x06\x05\x04\x03\x02", 6);
    assert_int_equal(CALL(&bench, 0x25, &r, P(0xFF)), 1);
    assert_int_equal(i32(), -51);
    expect_u8(CALL(&bench, 0x26, &r, P(0xFF)), 4);

    (void)CALL(&bench, 0x11, &r, S("home"), S("wrong-one"));
    expect_u8(CALL0(&bench, 0x20, &r), 1); /* as soon as a join starts */
    assert_int_equal(host_join(&bench, "home", "wrong-one", &r), 4);
    assert_non_null(strstr(bench.log, "refused the password"));
    assert_null(strstr(bench.log, "wrong-one"));
    assert_int_equal(host_join(&bench, "nowhere", "whatever1", &r), 4);
    assert_non_null(strstr(bench.log, "no access point \"nowhere\""));
    assert_int_equal(host_join(&bench, "cafe", "", &r), 3);
    expect_u8(CALL(&bench, 0x26, &r, P(0xFF)), 7);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    expect_u8(CALL0(&bench, 0x20, &r), 6);
    assert_int_equal(bench_counter(&bench, "joins"), 2);
    assert_int_equal(bench_counter(&bench, "join_failures"), 2);
}

static void joins_wep_and_enterprise(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x12, &r, S("old"), P(0), S("abcde")), 1);
    bench_wait(&bench, 2500000);
    expect_u8(CALL0(&bench, 0x20, &r), 3);
    expect_u8(CALL(&bench, 0x26, &r, P(0xFF)), 5);
    expect_u8(CALL(&bench, 0x4A, &r, S("anonymous")), 1);
    expect_u8(CALL(&bench, 0x4B, &r, S("ann")), 1);
    expect_u8(CALL(&bench, 0x4C, &r, S("pw")), 1);
    assert_int_equal(host_join(&bench, "office", "", &r), 4);
    expect_u8(CALL0(&bench, 0x4F, &r), 1);
    assert_int_equal(host_join(&bench, "office", "", &r), 3);
    expect_u8(CALL(&bench, 0x26, &r, P(0xFF)), 255);
}

static void scans(void **state)
{
    (void)state;
    expect_u8(CALL0(&bench, 0x36, &r), 1);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(CALL0(&bench, 0x27, &r), 4);
    assert_true(bench.now_us - t0 > 2000000 && bench.now_us - t0 < 4000000);
    assert_memory_equal(r.data[0], "home", 4);
    assert_memory_equal(r.data[1], "old", 3);
    assert_memory_equal(r.data[3], "office", 6);
    expect_u8(CALL0(&bench, 0x20, &r), 2);
    assert_int_equal(CALL(&bench, 0x32, &r, P(2)), 1);
    assert_int_equal(i32(), -70);
    expect_u8(CALL(&bench, 0x33, &r, P(1)), 5);
    expect_bytes(CALL(&bench, 0x3C, &r, P(0)), "\x07\x06\x05\x04\x03\x02", 6);
    expect_u8(CALL(&bench, 0x3D, &r, P(2)), 11);
    expect_u8(CALL(&bench, 0x3D, &r, P(200)), 0);
}

static void the_link_is_lost_and_comes_back_when_asked(void **state)
{
    (void)state;
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    knob("{\"rssi\": -77}");
    bench_wait(&bench, 1000000);
    assert_int_equal(CALL(&bench, 0x25, &r, P(0xFF)), 1);
    assert_int_equal(i32(), -77);
    knob("{\"wifi\": false}");
    bench_wait(&bench, 1000000);
    expect_u8(CALL0(&bench, 0x20, &r), 3); /* not noticed yet */
    bench_wait(&bench, 7000000);
    expect_u8(CALL0(&bench, 0x20, &r), 6);
    assert_int_equal(CALL(&bench, 0x21, &r, P(0xFF)), 3);
    assert_int_equal(r.data[0][0], 192); /* the address outlives the link */
    bench_wait(&bench, 121000000);
    expect_u8(CALL0(&bench, 0x20, &r), 5);
    assert_int_equal(CALL(&bench, 0x21, &r, P(0xFF)), 3);
    assert_int_equal(r.data[0][0], 0);
    knob("{\"wifi\": true, \"drop\": \"cafe\"}");
    assert_int_equal(host_join(&bench, "cafe", "", &r), 4);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    char msg[128];
    cJSON *bad = cJSON_Parse("{\"wifi\": false, \"nonsense\": 1}");
    assert_int_equal(bench.chip->cls->control(bench.chip, bad, msg, sizeof msg), ADDER_ERR_ARG);
    cJSON_Delete(bad);
    assert_true(bench.net->wifi); /* nothing was changed */
}

static void settings_are_kept(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x14, &r, P(0), P(10, 0, 0, 5), P(10, 0, 0, 1), P(255, 0, 0, 0)), 0);
    expect_u8(CALL(&bench, 0x15, &r, P(0), P(9, 9, 9, 9), P(8, 8, 8, 8)), 1);
    expect_u8(CALL(&bench, 0x16, &r, S("kitchen")), 1);
    expect_u8(CALL(&bench, 0x17, &r, P(1)), 1);
    expect_u8(CALL(&bench, 0x1A, &r, P(1)), 1);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_int_equal(CALL(&bench, 0x21, &r, P(0xFF)), 3);
    assert_memory_equal(r.data[0], ((const uint8_t[]){10, 0, 0, 5}), 4);
    assert_memory_equal(r.data[1], ((const uint8_t[]){255, 0, 0, 0}), 4);
    assert_memory_equal(r.data[2], ((const uint8_t[]){10, 0, 0, 1}), 4);
    cJSON *state_json = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, state_json);
    assert_string_equal(cJSON_GetObjectItem(state_json, "hostname")->valuestring, "kitchen");
    assert_string_equal(cJSON_GetObjectItem(state_json, "ip")->valuestring, "10.0.0.5");
    assert_string_equal(cJSON_GetObjectItem(state_json, "status")->valuestring, "connected");
    cJSON_Delete(state_json);
    float t;
    assert_int_equal(CALL0(&bench, 0x1B, &r), 1);
    memcpy(&t, r.data[0], 4);
    assert_true(t > 53.0f && t < 54.0f);
    char pem[200];
    memset(pem, 'A', sizeof pem);
    expect_u8(host_call(&bench, 0x40, 1, 1, (const param_t[]){{pem, 200}}, 1, &r), 1);
    expect_u8(host_call(&bench, 0x41, 1, 1, (const param_t[]){{pem, 200}}, 1, &r), 1);
}

static void is_an_access_point(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x19, &r, S("mine"), S("short"), P(1)), 0);
    expect_u8(CALL0(&bench, 0x20, &r), 9);
    expect_u8(CALL(&bench, 0x19, &r, S("mine"), S("long-enough"), P(1)), 1);
    expect_u8(CALL0(&bench, 0x20, &r), 7);
    expect_bytes(CALL(&bench, 0x23, &r, P(0xFF)), "mine", 4);
    assert_int_equal(CALL(&bench, 0x21, &r, P(0xFF)), 3);
    assert_memory_equal(r.data[0], ((const uint8_t[]){192, 168, 4, 1}), 4);
    expect_u8(CALL(&bench, 0x18, &r, S("open"), P(3)), 1);
    expect_u8(CALL(&bench, 0x26, &r, P(0xFF)), 7);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    expect_u8(CALL0(&bench, 0x20, &r), 0);
}

/* ---- names, pings, time ---- */

static void resolves_names(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x34, &r, S("plain.test")), 0); /* not joined */
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    expect_u8(CALL(&bench, 0x34, &r, S("plain.test")), 1);
    expect_bytes(CALL0(&bench, 0x35, &r), "\x7F\x00\x00\x09", 4);
    expect_u8(CALL(&bench, 0x34, &r, S("mapped.TEST")), 1);
    expect_bytes(CALL0(&bench, 0x35, &r), "\xC6\x12\x00\x02", 4);
    expect_u8(CALL(&bench, 0x34, &r, S("10.1.2.3")), 1);
    expect_bytes(CALL0(&bench, 0x35, &r), "\x0A\x01\x02\x03", 4);
    expect_u8(CALL(&bench, 0x34, &r, S("example.com")), 0);
    expect_bytes(CALL0(&bench, 0x35, &r), "\xFF\xFF\xFF\xFF", 4);
    assert_non_null(strstr(bench.log, "example.com"));
    bench.net->outside = true; /* now by the computer's resolver, in its own thread */
    expect_u8(CALL(&bench, 0x34, &r, S("no-such-host.invalid")), 0);
}

static void pings(void **state)
{
    (void)state;
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_int_equal(CALL(&bench, 0x3E, &r, P(192, 168, 1, 1), P(64)), 1);
    assert_true(r.data[0][0] < 10 && r.data[0][1] == 0);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(CALL(&bench, 0x3E, &r, P(10, 9, 9, 9), P(64)), 1);
    assert_memory_equal(r.data[0], "\xFF\xFF", 2);
    assert_true(bench.now_us - t0 >= 5000000);
}

static void tells_the_time_after_ntp(void **state)
{
    (void)state;
    assert_int_equal(CALL0(&bench, 0x3B, &r), 1);
    assert_int_equal(i32(), 0);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    bench_wait(&bench, 2000000);
    assert_int_equal(CALL0(&bench, 0x3B, &r), 1);
    assert_in_range(i32(), 1750000000, 1750000060);
}

/* ---- pins ---- */

static void drives_its_led(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x50, &r, P(26), P(1)), 1);
    expect_u8(CALL(&bench, 0x52, &r, P(26), P(200)), 1);
    expect_u8(CALL(&bench, 0x51, &r, P(25), P(1)), 1);
    cJSON *s = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, s);
    const cJSON *led = cJSON_GetObjectItem(s, "led");
    assert_int_equal(cJSON_GetArrayItem(led, 0)->valueint, 200);
    assert_int_equal(cJSON_GetArrayItem(led, 1)->valueint, 255);
    assert_int_equal(cJSON_GetArrayItem(led, 2)->valueint, 0);
    cJSON_Delete(s);
    expect_u8(CALL(&bench, 0x50, &r, P(4), P(2)), 1);
    expect_u8(CALL(&bench, 0x53, &r, P(4)), 1);
    expect_u8(CALL(&bench, 0x53, &r, P(5)), 0);
    assert_int_equal(CALL(&bench, 0x54, &r, P(36), P(3)), 1);
    assert_int_equal(i32(), 0);
    assert_int_equal(CALL(&bench, 0x54, &r, P(4), P(3)), 1);
    assert_int_equal(i32(), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, close_chip)
        T(ready_is_high_until_the_chip_has_booted),
        T(straps_choose_loader_and_bluetooth),
        T(a_select_without_clocks_is_no_command),
        T(a_reply_slot_is_used_up_read_or_not),
        T(unknown_and_malformed_commands_get_the_error_frame),
        T(a_driver_that_gives_up_stays_one_slot_behind),
        T(overlong_texts_crash_the_firmware_not_us),
        T(joins_with_the_right_password_only),
        T(joins_wep_and_enterprise),
        T(scans),
        T(the_link_is_lost_and_comes_back_when_asked),
        T(settings_are_kept),
        T(is_an_access_point),
        T(resolves_names),
        T(pings),
        T(tells_the_time_after_ntp),
        T(drives_its_led),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
