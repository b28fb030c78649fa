/* The simulated radio on a virtual clock: times, verdicts, the way back, knobs and faults. */
#include "sim/testing.h"

#include "adder/wifi.h"

#define BOARD                                                                                                \
    "{\"id\": \"radio_board\", \"name\": \"Radio board\", \"mcu\": {\"chip\": \"esp32s3\", \"pins\": "       \
    "{\"IO0\": \"digital\"}}, \"chips\": [{\"id\": \"wifi\", \"type\": \"native_wifi\", \"current_ua\": "    \
    "{\"sleep\": 5, \"idle\": 20000, \"modem_sleep\": 30000, \"active\": 95000}}]}"
#define NETWORK                                                                                              \
    "{\"clock\": \"virtual\", \"seed\": 1, \"network\": {\"outside\": false, \"access_points\": ["           \
    "{\"ssid\": \"home\", \"password\": \"correct horse\", \"rssi\": -48, \"channel\": 6},"                  \
    "{\"ssid\": \"home\", \"password\": \"correct horse\", \"rssi\": -70, \"channel\": 11, "                 \
    "\"bssid\": \"02:00:00:00:00:11\"},"                                                                     \
    "{\"ssid\": \"cafe\", \"security\": \"open\", \"rssi\": -60, \"channel\": 6},"                           \
    "{\"ssid\": \"office\", \"security\": \"enterprise\", \"username\": \"ann\", \"password\": \"s3cret\","  \
    " \"channel\": 3}]}}"

typedef struct {
    bench_t b;
    const adder_wifi_t *w;
} radio_bench_t;

static int setup(void **state)
{
    radio_bench_t *t = calloc(1, sizeof *t);
    bench_open_in(&t->b, BOARD, NETWORK);
    t->w = t->b.mcu->wifi;
    assert_non_null(t->w);
    *state = t;
    return 0;
}

static void enable(radio_bench_t *t)
{
    adder_wifi_config_t c;
    t->w->ops->config(t->w->ctx, &c);
    c.enabled = c.station = true;
    OK(t->w->ops->configure(t->w->ctx, &c));
}

static adder_wifi_status_t status_of(radio_bench_t *t)
{
    adder_wifi_status_t s;
    t->w->ops->status(t->w->ctx, &s);
    return s;
}

static adder_wifi_join_t wish(const char *ssid, const char *password)
{
    return (adder_wifi_join_t){
        .ssid = ssid, .ssid_len = strlen(ssid), .password = password, .password_len = strlen(password)};
}

/* Join and wait for the verdict; how long it took. */
static uint64_t join(radio_bench_t *t, const adder_wifi_join_t *j, adder_wifi_status_t *out)
{
    const uint64_t from = sim_board_now_us(t->b.board);
    OK(t->w->ops->join(t->w->ctx, j));
    for (int i = 0; i < 4000; i++) {
        *out = status_of(t);
        if (out->station != ADDER_WIFI_JOINING)
            break;
        sim_board_advance(t->b.board, 10000);
    }
    return sim_board_now_us(t->b.board) - from;
}

static void off_until_enabled(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_join_t home = wish("home", "correct horse");
    assert_int_equal(status_of(t).station, ADDER_WIFI_OFF);
    assert_int_equal(t->w->ops->join(t->w->ctx, &home), ADDER_ERR_STATE);
    assert_int_equal(t->w->ops->scan(t->w->ctx, 1, 13), ADDER_ERR_STATE);
    enable(t);
    assert_int_equal(status_of(t).station, ADDER_WIFI_IDLE);
}

static void joins_the_strongest(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t home = wish("home", "correct horse");
    const uint64_t took = join(t, &home, &s);
    assert_int_equal(s.station, ADDER_WIFI_JOINED);
    assert_in_range(took, 2300000, 2400000); /* 13 channels, keys, DHCP */
    assert_int_equal(s.network.channel, 6);
    assert_int_equal(s.network.rssi_dbm, -48);
    assert_int_equal(s.network.auth, ADDER_WIFI_WPA2 | ADDER_WIFI_PSK);
    assert_memory_equal(s.address.bytes, ((uint8_t[]){192, 168, 1, 47}), 4);
    assert_memory_equal(s.gateway.bytes, ((uint8_t[]){192, 168, 1, 1}), 4);
    const uint64_t joins = bench_counter(&t->b, "wifi", "joins");
    OK(t->w->ops->join(t->w->ctx, &home)); /* nothing changes */
    assert_int_equal(status_of(t).station, ADDER_WIFI_JOINED);
    assert_int_equal(bench_counter(&t->b, "wifi", "joins"), joins);
}

static void channel_and_bssid_choose(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t j = wish("home", "correct horse");
    j.channel = 11;
    assert_in_range(join(t, &j, &s), 800000, 1000000); /* one channel is listened to */
    assert_int_equal(s.network.channel, 11);
    OK(t->w->ops->join(t->w->ctx, NULL));
    assert_int_equal(status_of(t).station, ADDER_WIFI_IDLE);
    static const uint8_t second[] = {2, 0, 0, 0, 0, 0x11}, nobody[] = {2, 0, 0, 0, 0, 0x12};
    j.channel = 0;
    j.bssid = second;
    (void)join(t, &j, &s);
    assert_int_equal(s.network.rssi_dbm, -70);
    OK(t->w->ops->join(t->w->ctx, NULL));
    j.bssid = nobody;
    (void)join(t, &j, &s);
    assert_int_equal(s.reason, ADDER_WIFI_REASON_NO_NETWORK);
}

static void verdicts(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    const struct {
        const char *ssid, *password, *user;
        uint16_t reason; /* 0 = joined */
    } cases[] = {
        {"home", "wrong horse", NULL, ADDER_WIFI_REASON_HANDSHAKE_TIMEOUT},
        {"home", "", NULL, ADDER_WIFI_REASON_SECURITY},
        {"nowhere", "correct horse", NULL, ADDER_WIFI_REASON_NO_NETWORK},
        {"office", "password", NULL, ADDER_WIFI_REASON_SECURITY},
        {"office", "s3cret", "bob", ADDER_WIFI_REASON_8021X},
        {"office", "s3cret", "ann", 0},
        {"cafe", "", NULL, 0},
        {"cafe", "not needed", NULL, 0},
        /* PBKDF2-SHA1("correct horse", "home", 4096), computed with Python's hashlib */
        {"home", "e28c9aaa2f46266ef5b8db9a65ae4648f5c99d4e5b463ca616482558ccd51628", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adder_wifi_join_t j = wish(cases[i].ssid, cases[i].password);
        j.username = cases[i].user;
        (void)join(t, &j, &s);
        assert_int_equal(s.station, cases[i].reason == 0 ? ADDER_WIFI_JOINED : ADDER_WIFI_FAILED);
        assert_int_equal(s.reason, cases[i].reason);
        OK(t->w->ops->join(t->w->ctx, NULL));
    }
    adder_wifi_join_t bad[] = {wish("", "12345678"), wish("home", "1234567"),
                               wish("123456789012345678901234567890123", "")};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(t->w->ops->join(t->w->ctx, &bad[i]), ADDER_ERR_ARG);
}

static void a_refusal_is_tried_again_in_time(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t j = wish("home", "wrong horse");
    const uint64_t once = join(t, &j, &s);
    j.retry_ms = 6000;
    const uint64_t more = join(t, &j, &s);
    assert_in_range(once, 4400000, 4600000);
    assert_in_range(more, 2 * once - 50000, 2 * once + 50000); /* the second began within the 6 s */
    assert_int_equal(bench_counter(&t->b, "wifi", "join_failures"), 2);
}

static void comes_back_by_itself(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t j = wish("cafe", "");
    (void)join(t, &j, &s);
    bench_knob(&t->b, "wifi", "{\"drop\": \"cafe\"}");
    sim_board_advance(t->b.board, 5900000);
    assert_int_equal(status_of(t).station, ADDER_WIFI_JOINED); /* beacons may be missed for a while */
    sim_board_advance(t->b.board, 200000);
    s = status_of(t);
    assert_int_equal(s.station, ADDER_WIFI_JOINING);
    assert_int_equal(s.reason, ADDER_WIFI_REASON_BEACONS);
    assert_int_equal(s.address.family, ADDER_IP_NONE);
    sim_board_advance(t->b.board, 60000000);
    assert_int_equal(status_of(t).station, ADDER_WIFI_JOINING);
    bench_knob(&t->b, "wifi", "{\"restore\": \"cafe\"}");
    sim_board_advance(t->b.board, 8000000);
    assert_int_equal(status_of(t).station, ADDER_WIFI_JOINED);
    assert_int_equal(bench_counter(&t->b, "wifi", "links_lost"), 1);
    bench_knob(&t->b, "wifi", "{\"wifi\": false}");
    sim_board_advance(t->b.board, 6200000);
    assert_int_equal(status_of(t).station, ADDER_WIFI_JOINING);
    OK(t->w->ops->join(t->w->ctx, NULL)); /* and not when it was told to leave */
    bench_knob(&t->b, "wifi", "{\"wifi\": true}");
    sim_board_advance(t->b.board, 20000000);
    assert_int_equal(status_of(t).station, ADDER_WIFI_IDLE);
}

static void scan_hears_all_in_order(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_network_t n;
    enable(t);
    OK(t->w->ops->scan(t->w->ctx, 1, 13));
    assert_int_equal(t->w->ops->scan(t->w->ctx, 1, 13), ADDER_ERR_STATE);
    assert_int_equal(t->w->ops->scan_next(t->w->ctx, &n), ADDER_ERR_AGAIN);
    static const char *const names[] = {"home", "cafe", "home", "office"}; /* channels 6, 6, 11, 3 */
    for (size_t i = 0; i < 4; i++) {
        adder_err_t err;
        while ((err = t->w->ops->scan_next(t->w->ctx, &n)) == ADDER_ERR_AGAIN)
            sim_board_advance(t->b.board, 10000);
        OK(err);
        assert_memory_equal(n.ssid, names[i], n.ssid_len);
    }
    assert_int_equal(t->w->ops->scan_next(t->w->ctx, &n), ADDER_ERR_AGAIN);
    sim_board_advance(t->b.board, 2000000);
    assert_int_equal(t->w->ops->scan_next(t->w->ctx, &n), ADDER_ERR_END);
    assert_int_equal(t->w->ops->scan_next(t->w->ctx, &n), ADDER_ERR_STATE);
    OK(t->w->ops->scan(t->w->ctx, 2, 4)); /* channel 3 alone has somebody */
    sim_board_advance(t->b.board, 500000);
    OK(t->w->ops->scan_next(t->w->ctx, &n));
    assert_int_equal(n.channel, 3);
    assert_int_equal(n.auth, ADDER_WIFI_WPA2 | ADDER_WIFI_ENTERPRISE);
    OK(t->w->ops->scan(t->w->ctx, 0, 0));
    assert_int_equal(t->w->ops->scan_next(t->w->ctx, &n), ADDER_ERR_STATE);
}

static void access_point(void **state)
{
    radio_bench_t *t = *state;
    enable(t);
    adder_wifi_ap_t ap = {.ssid = "board",
                          .ssid_len = 5,
                          .password = "12345678",
                          .password_len = 8,
                          .channel = 3,
                          .auth = ADDER_WIFI_WPA2 | ADDER_WIFI_PSK,
                          .max_stations = 4};
    OK(t->w->ops->access_point(t->w->ctx, &ap));
    adder_wifi_status_t s = status_of(t);
    assert_true(s.ap_active);
    assert_memory_equal(s.ap_address.bytes, ((uint8_t[]){192, 168, 4, 1}), 4);
    ap.password_len = 7;
    assert_int_equal(t->w->ops->access_point(t->w->ctx, &ap), ADDER_ERR_ARG);
    ap.password_len = 8;
    ap.auth = ADDER_WIFI_WPA3 | ADDER_WIFI_PSK;
    assert_int_equal(t->w->ops->access_point(t->w->ctx, &ap), ADDER_ERR_UNSUPPORTED);
    OK(t->w->ops->access_point(t->w->ctx, NULL));
    assert_false(status_of(t).ap_active);
}

static void settings_are_taken(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_config_t c;
    adder_wifi_status_t s;
    t->w->ops->config(t->w->ctx, &c);
    assert_string_equal(c.hostname, "cpy-radio_board-02adde005303");
    c.enabled = true;
    c.tx_power_dbm = 15.6F;
    c.ipv4 = (adder_wifi_ipv4_t){.address = adder_ip_v4(10, 0, 0, 5),
                                 .mask = adder_ip_v4(255, 0, 0, 0),
                                 .gateway = adder_ip_v4(10, 0, 0, 1)};
    c.dns = adder_ip_v4(9, 9, 9, 9);
    OK(t->w->ops->configure(t->w->ctx, &c));
    t->w->ops->config(t->w->ctx, &c);
    assert_float_equal(c.tx_power_dbm, 15.5, 0);
    adder_wifi_join_t j = wish("cafe", "");
    const uint64_t took = join(t, &j, &s);
    assert_true(took < 1800000); /* no DHCP */
    assert_memory_equal(s.address.bytes, ((uint8_t[]){10, 0, 0, 5}), 4);
    assert_memory_equal(s.dns.bytes, ((uint8_t[]){9, 9, 9, 9}), 4);
    c.mac[0] |= 1;
    assert_int_equal(t->w->ops->configure(t->w->ctx, &c), ADDER_ERR_ARG);
    OK(t->w->ops->configure(t->w->ctx, NULL));
    assert_int_equal(status_of(t).station, ADDER_WIFI_OFF);
}

static void pings_what_is_near(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    uint32_t rtt = 0;
    const adder_ip_t gateway = adder_ip_v4(192, 168, 1, 1), far = adder_ip_v4(203, 0, 113, 9);
    enable(t);
    assert_int_equal(t->w->ops->ping(t->w->ctx, &gateway, 500, &rtt), ADDER_ERR_STATE);
    adder_wifi_join_t j = wish("cafe", "");
    (void)join(t, &j, &s);
    assert_int_equal(t->w->ops->ping(t->w->ctx, &gateway, 500, &rtt), ADDER_ERR_AGAIN);
    sim_board_advance(t->b.board, 3000);
    OK(t->w->ops->ping(t->w->ctx, &gateway, 500, &rtt));
    assert_in_range(rtt, 2600, 3000);
    assert_int_equal(t->w->ops->ping(t->w->ctx, &far, 500, &rtt), ADDER_ERR_AGAIN);
    sim_board_advance(t->b.board, 500000);
    assert_int_equal(t->w->ops->ping(t->w->ctx, &far, 500, &rtt), ADDER_ERR_TIMEOUT);
}

static void faults(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t j = wish("cafe", "");
    (void)join(t, &j, &s);
    bench_knob(&t->b, "wifi", "{\"fault\": \"unplug\"}");
    assert_int_equal(status_of(t).station, ADDER_WIFI_OFF);
    assert_int_equal(t->w->ops->join(t->w->ctx, &j), ADDER_ERR_IO);
    bench_knob(&t->b, "wifi", "{\"fault\": \"none\"}");
    assert_int_equal(t->w->ops->join(t->w->ctx, &j), ADDER_ERR_STATE); /* as after power-on */
    enable(t);
    bench_knob(&t->b, "wifi", "{\"fault\": {\"kind\": \"reset\", \"after\": 1}}");
    OK(t->w->ops->join(t->w->ctx, &j));
    assert_int_equal(t->w->ops->scan(t->w->ctx, 1, 13), ADDER_ERR_IO);
    assert_int_equal(status_of(t).station, ADDER_WIFI_OFF);
    enable(t);
    (void)join(t, &j, &s);
    assert_int_equal(s.station, ADDER_WIFI_JOINED);
    sim_board_reset(t->b.board, ADDER_RESET_PIN); /* the radio is a part of the microcontroller */
    assert_int_equal(status_of(t).station, ADDER_WIFI_OFF);
}

static void knobs_are_checked(void **state)
{
    radio_bench_t *t = *state;
    assert_int_equal(bench_control(&t->b, "wifi", "{\"drop\": \"nobody\"}"), ADDER_ERR_ARG);
    assert_string_equal(t->b.msg, "drop: no access point of that name");
    assert_int_equal(bench_control(&t->b, "wifi", "{\"wifi\": false, \"restore\": \"nobody\"}"),
                     ADDER_ERR_ARG);
    assert_int_equal((int)bench_state(&t->b, "wifi", "wifi"), 1); /* nothing was changed */
    bench_knob(&t->b, "wifi", "{\"rssi\": -77}");
    assert_int_equal((int)bench_state(&t->b, "wifi", "rssi"), -77);
}

static void power_is_booked(void **state)
{
    radio_bench_t *t = *state;
    adder_wifi_status_t s;
    enable(t);
    adder_wifi_join_t j = wish("cafe", "");
    const uint64_t took = join(t, &j, &s);
    sim_board_advance(t->b.board, 10000000);
    cJSON *state_json = sim_board_state(t->b.board, 0);
    const double uc = cJSON_GetObjectItem(state_json, "charge_uc")->valuedouble;
    cJSON_Delete(state_json);
    assert_in_range((uint64_t)uc, took * 95 / 1000 + 297000, took * 95 / 1000 + 303000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(off_until_enabled),
        T(joins_the_strongest),
        T(channel_and_bssid_choose),
        T(verdicts),
        T(a_refusal_is_tried_again_in_time),
        T(comes_back_by_itself),
        T(scan_hears_all_in_order),
        T(access_point),
        T(settings_are_taken),
        T(pings_what_is_near),
        T(faults),
        T(knobs_are_checked),
        T(power_is_booked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
