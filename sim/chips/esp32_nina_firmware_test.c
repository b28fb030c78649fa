/* What firmware 2.0.0 and 3.3.0 do otherwise than 1.7.7, without sockets: frames, the radio, pins, files.
 * A test runs for the firmware its name or its table line says. */
#include "sim/chips/esp32_nina_bench.h"

static const char network[] =
    "{\"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\", \"rssi\": -51,"
    "   \"bssid\": \"02:03:04:05:06:07\"},"
    "  {\"ssid\": \"cafe\", \"rssi\": -70}, {\"ssid\": \"old\", \"password\": \"abcde\", \"security\": "
    "\"wep\","
    "   \"rssi\": -60}, {\"ssid\": \"older\", \"password\": \"secret456\", \"security\": \"wpa\", \"rssi\": "
    "-65},"
    "  {\"ssid\": \"office\", \"password\": \"pw\", \"username\": \"ann\", \"identity\": \"outer\","
    "   \"security\": \"enterprise\", \"rssi\": -80},"
    "  {\"ssid\": \"f\"}, {\"ssid\": \"g\"}, {\"ssid\": \"h\"}, {\"ssid\": \"i\"}, {\"ssid\": \"j\"}, "
    "{\"ssid\": \"k\"}],"
    " \"hosts\": {\"plain.test\": \"127.0.0.9\"}, \"outside\": false, \"time\": 1750000000}";

static int setup(void **state)
{
    return open_chip(*state, network) ? 0 : -1;
}

static unsigned status(void)
{
    assert_int_equal(CALL0(&bench, 0x20, &r), 1);
    return r.data[0][0];
}

static unsigned reason(void)
{
    assert_int_equal(CALL0(&bench, 0x1F, &r), 1);
    return r.data[0][0];
}

/* The reply of one command as the chip has it, its length included. */
static size_t raw(uint8_t op, const param_t *p, size_t count, uint8_t out[NINA_BUF])
{
    const uint64_t before = bench_counter(&bench, "bytes_out");
    assert_true(host_command(&bench, op, 1, p, count));
    assert_true(host_select(&bench, 200000000));
    host_bytes(&bench, NULL, out, NINA_BUF);
    host_deselect(&bench);
    return (size_t)(bench_counter(&bench, "bytes_out") - before);
}

/* ---- choosing, frames ---- */

static void an_unknown_firmware_is_refused(void **state)
{
    (void)state;
    nina_t *n = calloc(1, sizeof *n);
    char msg[200] = "";
    cJSON *config = cJSON_Parse("{\"firmware\": \"9.9\"}");
    assert_non_null(n);
    assert_int_equal(nina_create(&n->chip, config, msg, sizeof msg), ADDER_ERR_UNSUPPORTED);
    assert_string_equal(msg, "firmware: modelled are \"1.7.7\", \"2.0.0+adafruit\", \"3.3.0\"");
    cJSON_Delete(config);
    free(n);
}

static void replies_are_padded_from_2_on(void **state)
{
    uint8_t in[NINA_BUF];
    const bool exact = is(state, FIRMWARE_1);
    const char *version = is(state, FIRMWARE_2) ? "2.0.0-rc.0+adafruit" : *state;
    const size_t len = strlen(version) + 1, frame = 5 + len;
    assert_int_equal(raw(0x37, NULL, 0, in), exact ? frame : (frame + 3) / 4 * 4);
    assert_int_equal(in[3], len);
    assert_memory_equal(in + 4, version, len);
    assert_int_equal(in[4 + len], 0xEE);
    assert_int_equal(raw(0x38, NULL, 0, in), exact ? 3 : 4);
    assert_memory_equal(in, "\xEF\x00\xEE", 3);
    cJSON *s = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, s);
    assert_string_equal(cJSON_GetObjectItem(s, "firmware")->valuestring, (const char *)*state);
    cJSON_Delete(s);
}

static void the_table_ends_where_it_ends(void **state)
{
    static const uint8_t late[] = {0x1E, 0x1F, 0x70, 0x72, 0x7C, 0x7F};
    static const uint8_t never[] = {0x00, 0x13, 0x1C, 0x31, 0x38, 0x4D, 0x55, 0x65, 0x67, 0x68, 0x80, 0xFF};
    for (size_t i = 0; i < sizeof late; i++) {
        (void)CALL0(&bench, late[i], &r);
        assert_int_equal(r.params == -1, is(state, FIRMWARE_1));
    }
    for (size_t i = 0; i < sizeof never; i++) {
        assert_int_equal(CALL0(&bench, never[i], &r), -1);
    }
}

static void addresses_and_time_have_their_form(void **state)
{
    const bool natural = is(state, FIRMWARE_3);
    expect_bytes(CALL0(&bench, 0x22, &r), natural ? "\x24\x0A\xC4\xAD\xDE\x01" : "\x01\xDE\xAD\xC4\x0A\x24",
                 6);
    assert_int_equal(CALL0(&bench, 0x3B, &r), 1);
    assert_int_equal(r.len[0], natural ? 8 : 4);
    assert_memory_equal(r.data[0], "\0\0\0\0\0\0\0\0", r.len[0]);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    expect_bytes(CALL0(&bench, 0x24, &r), natural ? "\x02\x03\x04\x05\x06\x07" : "\x07\x06\x05\x04\x03\x02",
                 6);
    bench_wait(&bench, 2000000);
    assert_int_equal(CALL0(&bench, 0x3B, &r), 1);
    uint32_t t = 0;
    for (unsigned i = 0; i < 4; i++) {
        t |= (uint32_t)r.data[0][i] << (8 * i);
    }
    assert_in_range(t, 1750000000, 1750000060);
    assert_memory_equal(r.data[0] + 4, "\0\0\0\0", r.len[0] - 4);
}

static void lookups_remember(void **state)
{
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    expect_u8(CALL(&bench, 0x34, &r, S("plain.test")), 1);
    expect_u8(CALL(&bench, 0x34, &r, S("nowhere.test")), 0);
    expect_bytes(CALL0(&bench, 0x35, &r), is(state, FIRMWARE_3) ? "\x7F\x00\x00\x09" : "\xFF\xFF\xFF\xFF", 4);
}

static void settings_and_their_limits(void **state)
{
    char name[40];
    memset(name, 'n', sizeof name);
    name[39] = '\0';
    expect_u8(CALL(&bench, 0x16, &r, S(name)), 1);
    cJSON *s = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, s);
    assert_int_equal(strlen(cJSON_GetObjectItem(s, "hostname")->valuestring),
                     is(state, FIRMWARE_3) ? 31 : 32);
    cJSON_Delete(s);
    expect_u8(CALL(&bench, 0x14, &r, P(0), P(10, 0, 0, 5), P(10, 0, 0, 1), P(255, 0, 0, 0)), 0);
    assert_int_equal(status(), is(state, FIRMWARE_3) ? 6 : 0); /* starts the station */
    expect_u8(CALL(&bench, 0x15, &r, P(0), P(9, 9, 9, 9), P(8, 8, 8, 8)), 1);
    if (!is(state, FIRMWARE_1)) {
        assert_int_equal(CALL0(&bench, 0x1E, &r), 2);
        assert_memory_equal(r.data[0], "\x09\x09\x09\x09", 4);
        assert_memory_equal(r.data[1], "\x08\x08\x08\x08", 4);
    }
    expect_u8(CALL(&bench, 0x14, &r, P(0), P(0, 0, 0, 0), P(0, 0, 0, 0), P(0, 0, 0, 0)), 0);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_int_equal(CALL0(&bench, 0x21, &r), 3);
    assert_int_equal(r.data[0][0], is(state, FIRMWARE_2) ? 0 : 192); /* zeros are back to DHCP, or not */
}

/* ---- the radio ---- */

static void scans_and_what_they_do(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    assert_int_equal(status(), three ? 254 : 0);
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_int_equal(CALL0(&bench, 0x27, &r), three ? 11 : 10);
    assert_memory_equal(r.data[0], "home", 4);
    assert_int_equal(status(), three ? 3 : 2);
    expect_bytes(CALL0(&bench, 0x23, &r), "home", is(state, FIRMWARE_2) ? 0 : 4); /* 2.x: the link is gone */
    static const uint8_t raw_codes[] = {3, 1, 2, 5}, codes[] = {4, 5, 2, 255};
    const unsigned at[] = {0, 7, 8, three ? 10 : 15}; /* WPA2, WEP, WPA, enterprise: by signal */
    for (int i = 0; i < (three ? 4 : 3); i++) {
        expect_u8(CALL(&bench, 0x33, &r, P((uint8_t)at[i])), three ? raw_codes[i] : codes[i]);
    }
    expect_u8(CALL(&bench, 0x33, &r, P(9)), three ? 0 : 7); /* "cafe", open */
    expect_u8(CALL(&bench, 0x3D, &r, P(99)), 0);
    assert_int_equal(CALL(&bench, 0x32, &r, P(99)), 1);
    assert_memory_equal(r.data[0], "\0\0\0\0", 4);
}

static void a_scan_of_3_fails_while_it_joins(void **state)
{
    (void)state;
    uint8_t in[NINA_BUF];
    expect_u8(CALL(&bench, 0x11, &r, S("nowhere"), S("whatever1")), 1);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(raw(0x27, NULL, 0, in), 4);
    assert_memory_equal(in, "\xE0\xA7\xFE\xEE", 4); /* -2 for a count, no names */
    assert_true(bench.now_us - t0 < 100000);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    assert_int_equal(CALL0(&bench, 0x27, &r), 11); /* left: it scans again */
}

/* Three tells the station's state, and goes on by itself. */
static void three_joins_when_it_can(void **state)
{
    (void)state;
    assert_int_equal(status(), 254);
    assert_int_equal(reason(), 1);
    knob("{\"drop\": \"home\"}");
    expect_u8(CALL(&bench, 0x11, &r, S("home"), S("secret123")), 1);
    assert_int_equal(status(), 6); /* the radio is on */
    bench_wait(&bench, 3000000);
    assert_int_equal(status(), 1);
    assert_int_equal(reason(), 201);
    bench_wait(&bench, 20000000);
    assert_int_equal(status(), 1);
    assert_true(bench_counter(&bench, "join_failures") > 5);
    knob("{\"restore\": \"home\"}");
    bench_wait(&bench, 5000000);
    assert_int_equal(status(), 3);
    knob("{\"wifi\": false}");
    bench_wait(&bench, 7000000);
    assert_int_equal(status(), 5);
    assert_int_equal(reason(), 200);
    bench_wait(&bench, 5000000);
    assert_int_equal(status(), 1);
    knob("{\"wifi\": true}");
    bench_wait(&bench, 5000000);
    assert_int_equal(status(), 3);
    assert_int_equal(bench_counter(&bench, "joins"), 2);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    assert_int_equal(status(), 6);
    assert_int_equal(reason(), 8);
    bench_wait(&bench, 20000000);
    assert_int_equal(status(), 6); /* left on purpose: stays away */
    assert_int_equal(bench_counter(&bench, "joins"), 2);
}

static void one_and_two_do_not(void **state)
{
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    knob("{\"wifi\": false}");
    bench_wait(&bench, 8000000);
    assert_int_equal(status(), 6);
    knob("{\"wifi\": true}");
    bench_wait(&bench, 20000000);
    assert_int_equal(status(), 6);
    if (is(state, FIRMWARE_2)) {
        assert_int_equal(reason(), 200);
    }
}

static void passwords_and_weak_access_points(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    expect_u8(CALL(&bench, 0x11, &r, S("home"), S("not-the-password")), 1);
    bench_wait(&bench, 5000000);
    assert_int_equal(status(), three ? 6 : 4);
    if (!is(state, FIRMWARE_1)) {
        assert_int_equal(reason(), three ? 15 : 202);
    }
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    static const char *const weak[][2] = {{"older", "secret456"}, {"old", "abcde"}, {"cafe", "for nothing"}};
    for (int i = 0; i < 3; i++) {
        expect_u8(CALL(&bench, 0x11, &r, S(weak[i][0]), S(weak[i][1])), 1);
        bench_wait(&bench, 5000000);
        assert_int_equal(status(), three ? 6 : 3);
        if (three) {
            assert_int_equal(reason(), 211);
        }
        expect_u8(CALL0(&bench, 0x30, &r), 1);
    }
    assert_int_equal(strstr(bench.log, "weaker than WPA2") != NULL, three);
    assert_int_equal(host_join(&bench, "cafe", "", &r), 3);
}

static void enterprise_credentials(void **state)
{
    static const struct {
        const char *identity, *username, *password;
        bool right;
    } cases[] = {
        {"outer", "ann", "pw", true},
        {"inner", "ann", "pw", false},
        {"outer", "bob", "pw", false},
        {"outer", "ann", "no", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        host_reset(&bench);
        expect_u8(CALL(&bench, 0x10, &r, S("office")), 1); /* in Adafruit's order */
        expect_u8(CALL(&bench, 0x4A, &r, S(cases[i].identity)), 1);
        expect_u8(CALL(&bench, 0x4B, &r, S(cases[i].username)), 1);
        expect_u8(CALL(&bench, 0x4C, &r, S(cases[i].password)), 1);
        expect_u8(CALL0(&bench, 0x4F, &r), 1);
        bench_wait(&bench, 3000000);
        assert_int_equal(status(), cases[i].right ? 3 : 6);
        if (!is(state, FIRMWARE_1) && !cases[i].right) {
            assert_int_equal(reason(), 23);
        }
    }
    host_reset(&bench);
    expect_u8(CALL(&bench, 0x10, &r, S("office")), 1); /* not enabled */
    bench_wait(&bench, 3000000);
    assert_int_equal(status(), is(state, FIRMWARE_3) ? 6 : 4);
}

static void access_point(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    char pass[66];
    memset(pass, 'p', sizeof pass);
    static const struct {
        uint8_t len, channel;
        bool one, two, three;
    } cases[] = {{7, 1, false, false, false},  {8, 1, true, true, true},   {63, 13, true, true, true},
                 {64, 1, false, false, false}, {0, 1, false, false, true}, {8, 14, true, false, false},
                 {8, 0, true, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool ok = is(state, FIRMWARE_1) ? cases[i].one : three ? cases[i].three : cases[i].two;
        const param_t p[] = {S("mine"), {pass, cases[i].len}, P(cases[i].channel)};
        expect_u8(host_call(&bench, 0x19, 1, 1, p, 3, &r), ok);
        assert_int_equal(status(), three ? 254 : ok ? 7 : 9);
    }
    expect_u8(CALL(&bench, 0x18, &r, S(""), P(1)), 0);
    expect_u8(CALL(&bench, 0x18, &r, S("mine"), P(6)), 1);
    assert_non_null(
        strstr(bench.log, is(state, FIRMWARE_1) ? "on the air, channel 1\n" : "on the air, channel 6\n"));
    assert_int_equal(CALL0(&bench, 0x21, &r), 3);
    assert_memory_equal(r.data[0], three ? "\0\0\0\0" : "\xC0\xA8\x04\x01", 4);
    expect_u8(CALL(&bench, 0x34, &r, S("plain.test")), 0); /* no name server here */
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    expect_u8(CALL(&bench, 0x18, &r, S("mine"), P(1)), 1);
    assert_int_equal(status(), three ? 3 : 7); /* both at once, or one after the other */
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    assert_int_equal(status(), three ? 6 : 0);
}

/* ---- pins ---- */

static int led(int which)
{
    cJSON *s = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, s);
    const int value = cJSON_GetArrayItem(cJSON_GetObjectItem(s, "led"), which)->valueint;
    cJSON_Delete(s);
    return value;
}

static void pin_modes_are_counted_otherwise_in_3(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    expect_u8(CALL(&bench, 0x50, &r, P(26), P(1)), 1);
    expect_u8(CALL(&bench, 0x51, &r, P(26), P(1)), 1);
    assert_int_equal(led(0), three ? 0 : 255); /* 1 is an input there */
    expect_u8(CALL(&bench, 0x50, &r, P(26), P(3)), 1);
    expect_u8(CALL(&bench, 0x51, &r, P(26), P(1)), 1);
    assert_int_equal(led(0), 255);
    expect_u8(CALL(&bench, 0x52, &r, P(25), P(77)), 1); /* PWM needs no mode */
    assert_int_equal(led(1), 77);
    expect_u8(CALL(&bench, 0x52, &r, P(4), P(9)), 1); /* 4 and 25 share channel 4 of 7 */
    assert_int_equal(led(1), three ? 77 : 9);
    expect_u8(CALL(&bench, 0x50, &r, P(5), P(2)), 1);
    expect_u8(CALL(&bench, 0x53, &r, P(5)), three ? 0 : 1);
    expect_u8(CALL(&bench, 0x50, &r, P(5), P(5)), 1);
    expect_u8(CALL(&bench, 0x53, &r, P(5)), three ? 1 : 0);
    expect_bytes(CALL(&bench, 0x54, &r, P(77), P(3)), three ? "\0\0\0\0" : "\xFF\xFF\xFF\xFF", 4);
    (void)CALL(&bench, 0x50, &r, P(77), P(1));
    assert_int_equal(bench_counter(&bench, "crashes"), three ? 0 : 1);
}

/* ---- files ---- */

#define FILE_PARAMS(offset, length, name)                                                                    \
    {                                                                                                        \
        P(offset, 0, 0, 0), P(length, 0, 0, 0), S(name)                                                      \
    }

static void files_answer_as_they_do(void **state)
{
    (void)state;
    uint8_t in[NINA_BUF];
    const param_t write[] = {P(0, 0, 0, 0), P(6, 0, 0, 0), S("/fs/a"), S("abcdef")};
    assert_int_equal(raw(0x60, write, 4, in), 8); /* 6 bytes, padded */
    assert_memory_equal(in, "\xE0\xE0\x00\x00\x00\xEE\x00\x00", 8);
    const param_t exists[] = FILE_PARAMS(0, 0, "/fs/a");
    assert_int_equal(raw(0x63, exists, 3, in), 12);
    assert_memory_equal(in, "\xE0\xE3\x01\x04\x06\x00\x00\x00\x00\xEE", 10); /* END one byte late */
    const param_t read[] = FILE_PARAMS(2, 3, "/fs/a");
    expect_bytes(host_call(&bench, 0x61, 1, 1, read, 3, &r), "cde", 3);
    expect_u8(CALL(&bench, 0x66, &r, S("/fs/a"), S("/fs/b")), 0);
    expect_u8(CALL(&bench, 0x66, &r, S("/fs/a"), S("/fs/b")), 2); /* ENOENT */
    assert_int_equal(raw(0x61, read, 3, in), 0);                  /* no such file: no reply to read */
    const param_t gone[] = FILE_PARAMS(0, 0, "/fs/b");
    host_reset(&bench);
    assert_int_equal(raw(0x63, gone, 3, in), 12); /* flash outlives a reset */
    assert_int_equal(in[4], 6);
    assert_int_equal(host_call(&bench, 0x62, 1, 1, gone, 3, &r), -1); /* deleted, with an error frame */
    assert_int_equal(raw(0x63, gone, 3, in), 12);
    assert_memory_equal(in + 4, "\xFF\xFF\xFF\xFF", 4);
    assert_int_equal(CALL(&bench, 0x64, &r, S("http://x/"), S("c")), -1);
    const param_t other[] = {P(0, 0, 0, 0), P(1, 0, 0, 0), S("/elsewhere"), S("x")};
    assert_int_equal(raw(0x60, other, 4, in), 0);
    char name[34];
    memset(name, 'n', 33);
    name[33] = '\0';
    const param_t over[] = FILE_PARAMS(0, 0, name);
    (void)host_call(&bench, 0x62, 1, 1, over, 3, &r);
    assert_int_equal(bench_counter(&bench, "crashes"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_firmware_is_refused),
        ALL(replies_are_padded_from_2_on),
        ALL(the_table_ends_where_it_ends),
        ALL(addresses_and_time_have_their_form),
        ALL(lookups_remember),
        ALL(settings_and_their_limits),
        ALL(scans_and_what_they_do),
        AT(a_scan_of_3_fails_while_it_joins, 3),
        AT(three_joins_when_it_can, 3),
        AT(one_and_two_do_not, 1),
        AT(one_and_two_do_not, 2),
        ALL(passwords_and_weak_access_points),
        ALL(enterprise_credentials),
        ALL(access_point),
        ALL(pin_modes_are_counted_otherwise_in_3),
        AT(files_answer_as_they_do, 2),
        AT(files_answer_as_they_do, 3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
