/* The simulated PyPortal with a stack on its ESP32, behind a wire that fails when told to: for the tests of
 * the stack. */
#ifndef TESTS_AIRLIFT_NET_BENCH_H
#define TESTS_AIRLIFT_NET_BENCH_H

#include <stdio.h>
#include <stdlib.h>

#include "adder/airlift_net.h"
#include "tests/airlift_peer.h"
#include "tests/airlift_wire.h"

static char msg[SIM_MSG_CAP];
static sim_board_t *board;
static wire_t wire;
static adder_airlift_net_t stack;
static adder_net_t net;
static uint8_t rx_pool[4][4086], tx_pool[2][4083];

/* ---- the board ---- */

typedef struct {
    const char *network; /* more members of it */
    uint8_t rx_count, tx_count, raw_slots;
    bool no_gpio0;
} bench_t;

static const char *firmware = "1.7.7";

static inline sim_board_t *open_board(const char *network)
{
    char text[2048];
    char chips[100] = ""; /* the board file's is 1.7.7 */
    if (firmware[0] != '1') {
        (void)snprintf(chips, sizeof chips, "\"chips\": {\"wifi\": {\"firmware\": \"%s\"}},", firmware);
    }
    (void)snprintf(text, sizeof text,
                   "{\"clock\": \"virtual\", %s \"network\": {\"outside\": false, \"speed\": 10, %s"
                   " \"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\"},"
                   " {\"ssid\": \"cafe\"}, {\"ssid\": \"office\", \"security\": \"enterprise\","
                   " \"username\": \"ann\", \"password\": \"s3cret\"}]}}",
                   chips, network != NULL ? network : "");
    cJSON *config = cJSON_Parse(text);
    assert_non_null(config);
    sim_board_t *b = sim_board_open("boards/pyportal.json", config, msg, sizeof msg);
    cJSON_Delete(config);
    return b;
}

static inline void open_bench(const bench_t *b)
{
    board = open_board(b->network);
    if (board == NULL) {
        fail_msg("%s", msg);
    }
    adder_airlift_net_config_t c = {.chip = wire_open(&wire, board),
                                    .rx = rx_pool[0],
                                    .rx_size = sizeof rx_pool[0],
                                    .rx_count = b->rx_count != 0 ? b->rx_count : 4,
                                    .tx = tx_pool[0],
                                    .tx_size = sizeof tx_pool[0],
                                    .tx_count = b->tx_count != 0 ? b->tx_count : 1,
                                    .raw_slots = b->raw_slots,
                                    .random = wire_random32};
    if (b->no_gpio0) {
        c.chip.gpio0 = (adder_pin_t){0};
    }
    assert_int_equal(adder_airlift_net_init(&stack, &c), ADDER_OK);
    net = adder_airlift_net(&stack);
}

static inline void close_bench(void)
{
    wire_close(&wire);
    adder_airlift_net_deinit(&stack);
    sim_board_close(board);
}

static inline uint64_t now_us(void)
{
    return sim_board_now_us(board);
}

/* One tick, and the time it asks for; at most `cap_us` of it. */
static inline adder_err_t pump_at_most(uint32_t cap_us)
{
    adder_net_wants_t wants;
    const adder_err_t err = net.ops->tick(net.ctx, now_us(), &wants);
    static unsigned naps;
    if (wants.wait_us > 0) {
        const bool waiting = wire_silent(&wire);
        const uint32_t cap = waiting ? 50000 : cap_us;
        sim_board_advance(board, wants.wait_us < cap ? wants.wait_us : cap);
        if (!waiting && (wants.wait_us >= 500 || naps++ % 64 == 63)) { /* sockets live in real time */
            nap(100);
        }
    }
    return err;
}

static inline adder_err_t pump(void)
{
    return pump_at_most(20000);
}

static inline void pump_for(uint64_t us)
{
    for (const uint64_t end = now_us() + us; now_us() < end;) {
        const uint64_t left = end - now_us();
        (void)pump_at_most(left < 20000 ? (uint32_t)left : 20000);
    }
}

static inline adder_net_status_t status(void)
{
    adder_net_status_t s;
    net.ops->status(net.ctx, &s);
    return s;
}

/* Until the call is not AGAIN; never more than `limit_s` of the board's time. */
#define UNTIL_WITHIN(limit_s, call)                                                                          \
    do {                                                                                                     \
        const uint64_t end_ = now_us() + (limit_s) * (uint64_t)1000000;                                      \
        while ((err = (call)) == ADDER_ERR_AGAIN) {                                                          \
            (void)pump();                                                                                    \
            assert_true(now_us() < end_);                                                                    \
        }                                                                                                    \
    } while (0)
#define UNTIL(call) UNTIL_WITHIN(400, call)

static inline adder_net_link_t wait_link(unsigned limit_s)
{
    const uint64_t end = now_us() + limit_s * (uint64_t)1000000;
    while (status().link == ADDER_NET_LINK_JOINING && now_us() < end) {
        (void)pump();
    }
    return status().link;
}

static inline void join_home(void)
{
    assert_int_equal(
        adder_airlift_net_join(&stack, &(adder_airlift_wifi_t){.ssid = "home", .password = "secret123"}),
        ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
}

static inline adder_endpoint_t at_home(uint16_t port)
{
    return (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = port};
}

static inline adder_err_t connect_to(uint16_t port, uint16_t *sock)
{
    adder_err_t err;
    const adder_endpoint_t to = at_home(port);
    if ((err = net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, sock)) != ADDER_OK) {
        return err;
    }
    UNTIL(net.ops->connect(net.ctx, *sock, NULL, &to));
    return err;
}

/* Every test on every firmware that the simulated chip has. */
static inline int run_on_all(const struct CMUnitTest *tests, size_t count)
{
    static const char *const firmwares[] = {"1.7.7", "2.0.0+adafruit", "3.3.0"};
    int failures = 0;
    for (size_t i = 0; i < sizeof firmwares / sizeof firmwares[0]; i++) {
        firmware = firmwares[i];
        sim_board_t *b = open_board(NULL);
        print_message("firmware %s%s\n", firmware, b == NULL ? ": not modelled" : "");
        if (b == NULL) {
            failures += i == 0;
            continue;
        }
        sim_board_close(b);
        failures += _cmocka_run_group_tests(firmware, tests, count, start_peer, stop_peer);
    }
    return failures;
}

/* Send `total` bytes and take them back; each is looked at. */
static inline adder_err_t exchange(uint16_t sock, size_t total)
{
    static uint8_t out[5000], in[5000];
    size_t sent = 0, got = 0;
    const uint64_t end = now_us() + 400000000;
    while (got < total) {
        size_t n = total - sent < sizeof out ? total - sent : sizeof out;
        for (size_t i = 0; i < n; i++) {
            out[i] = pattern(sent + i);
        }
        adder_err_t err = n > 0 ? net.ops->send(net.ctx, sock, NULL, out, n, &n) : ADDER_OK;
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
            return err;
        }
        sent += err == ADDER_OK ? n : 0;
        err = net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL);
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
            return err;
        }
        assert_true(got + n <= sent);
        for (size_t i = 0; i < n; i++) {
            if (in[i] != pattern(got + i)) {
                fail_msg("%s at transaction %u: byte %zu is wrong", fault_names[wire.kind], wire.at, got + i);
            }
        }
        got += n;
        (void)pump();
        assert_true(now_us() < end);
    }
    return ADDER_OK;
}

#endif
