/* The simulated PyPortal with a stack on its ESP32, a bus between them that fails when told to, and peers
 * of this computer: for the tests of the stack. */
#ifndef TESTS_AIRLIFT_NET_BENCH_H
#define TESTS_AIRLIFT_NET_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "adder/airlift_net.h"
#include "sim/sim.h"

static char msg[SIM_MSG_CAP];
static sim_board_t *board;
static const adder_mcu_t *mcu;
static adder_airlift_net_t stack;
static adder_net_t net;
static uint8_t rx_pool[4][4086], tx_pool[2][4083];

/* ---- a bus that fails when told to ---- */

typedef enum { FAIL_BUS, LATE, UNPLUG, DEAF, FLIP, RESTART, SILENCE, FAULTS } fault_t;
static const char *const fault_names[] = {"bus error", "late reply",   "unplugged", "no acknowledge",
                                          "bit flip",  "chip restart", "silence"};

static struct {
    adder_spi_t spi;
    fault_t kind;
    uint32_t at, transactions; /* the fault's; CS falls so far */
    uint64_t bytes, busy_until_us;
    bool armed, fired, on_now, others_have_it;
    unsigned locked, unlocked;
    bool held;
} wire;

static inline uint16_t pin_named(const char *name)
{
    for (size_t i = 0; i < mcu->alias_count; i++) {
        if (strcmp(mcu->aliases[i].name, name) == 0) {
            return mcu->aliases[i].pin;
        }
    }
    fail_msg("no pin %s", name);
    return 0;
}

static inline adder_err_t wire_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase,
                                         uint8_t bits, uint32_t *hz_out)
{
    (void)ctx;
    assert_true(wire.held);
    return wire.spi.ops->configure(wire.spi.ctx, hz, polarity, phase, bits, hz_out);
}

static inline adder_err_t wire_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx;
    assert_true(wire.held);
    wire.bytes += len;
    if (wire.on_now && wire.kind == FAIL_BUS) {
        return ADDER_ERR_IO;
    }
    const adder_err_t err = wire.spi.ops->transfer(wire.spi.ctx, wr, rd, len, fill);
    if (wire.on_now && wire.kind == FLIP && rd != NULL) { /* of the frame around the data: its first bytes */
        rd[0] ^= 0x04;
        wire.on_now = false;
    }
    if (wire.fired && wire.kind == UNPLUG && rd != NULL) {
        memset(rd, 0xFF, len);
    }
    return err;
}

static inline adder_err_t cs_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    return mcu->gpio->mode(ctx, pin, mode, level);
}

static inline adder_err_t cs_write(void *ctx, uint16_t pin, bool level)
{
    if (!level) {
        assert_true(wire.held);
        wire.on_now = wire.armed && wire.transactions == wire.at;
        wire.fired |= wire.on_now;
        wire.transactions++;
        if (wire.on_now && wire.kind == DEAF) {
            return ADDER_OK;
        }
        if (wire.on_now && wire.kind == RESTART) { /* as its supply dips: nobody is told */
            const uint16_t reset = pin_named("ESP_RESET");
            wire.on_now = false;
            assert_int_equal(mcu->gpio->mode(ctx, reset, ADDER_PIN_OUT, false), ADDER_OK);
            assert_int_equal(mcu->gpio->write(ctx, reset, true), ADDER_OK);
        }
    } else if (wire.on_now) {
        wire.on_now = false;
        const uint64_t now = sim_board_now_us(board);
        if (wire.kind == LATE) {
            wire.busy_until_us = now + 7000000; /* most limits are 5 s */
        } else if (wire.kind == SILENCE) {
            wire.busy_until_us = now + 60000000; /* beyond all that is waited */
        }
    }
    return wire.fired && wire.kind == UNPLUG ? ADDER_OK : mcu->gpio->write(ctx, pin, level);
}

static inline adder_err_t ready_read(void *ctx, uint16_t pin, bool *level_out)
{
    const adder_err_t err = mcu->gpio->read(ctx, pin, level_out);
    *level_out |= sim_board_now_us(board) < wire.busy_until_us || (wire.fired && wire.kind == UNPLUG);
    return err;
}

static inline bool lock_take(void *ctx)
{
    (void)ctx;
    assert_false(wire.held);
    if (wire.others_have_it) {
        return false;
    }
    wire.locked++;
    return wire.held = true;
}

static inline void lock_give(void *ctx)
{
    (void)ctx;
    assert_true(wire.held);
    wire.unlocked++;
    wire.held = false;
}

static const adder_spi_ops_t wire_ops = {wire_configure, wire_transfer};
static adder_pin_ops_t cs_ops = {cs_mode, cs_write, NULL}, ready_ops = {NULL, NULL, ready_read};

/* ---- the board ---- */

typedef struct {
    const char *network; /* more members of it */
    uint8_t rx_count, tx_count, raw_slots;
    bool no_gpio0;
} bench_t;

static inline uint32_t random32(void *ctx)
{
    (void)ctx;
    static uint32_t x = 1;
    x = x * 1664525 + 1013904223;
    return x >> 8;
}

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
    mcu = sim_board_mcu(board);
    memset(&wire, 0, sizeof wire);
    assert_int_equal(
        mcu->bus->spi_open(mcu->ctx, pin_named("SCK"), pin_named("MOSI"), pin_named("MISO"), &wire.spi),
        ADDER_OK);
    cs_ops.read = mcu->gpio->read;
    ready_ops.mode = mcu->gpio->mode;
    ready_ops.write = mcu->gpio->write;
    adder_airlift_net_config_t c = {.chip = {.spi = {&wire_ops, NULL},
                                             .cs = {&cs_ops, mcu->ctx, pin_named("ESP_CS")},
                                             .ready = {&ready_ops, mcu->ctx, pin_named("ESP_BUSY")},
                                             .reset = {mcu->gpio, mcu->ctx, pin_named("ESP_RESET")},
                                             .gpio0 = {mcu->gpio, mcu->ctx, pin_named("ESP_GPIO0")},
                                             .lock = {lock_take, lock_give, NULL}},
                                    .rx = rx_pool[0],
                                    .rx_size = sizeof rx_pool[0],
                                    .rx_count = b->rx_count != 0 ? b->rx_count : 4,
                                    .tx = tx_pool[0],
                                    .tx_size = sizeof tx_pool[0],
                                    .tx_count = b->tx_count != 0 ? b->tx_count : 1,
                                    .raw_slots = b->raw_slots,
                                    .random = random32};
    if (b->no_gpio0) {
        c.chip.gpio0 = (adder_pin_t){0};
    }
    assert_int_equal(adder_airlift_net_init(&stack, &c), ADDER_OK);
    net = adder_airlift_net(&stack);
}

static inline void close_bench(void)
{
    assert_false(wire.held);
    assert_int_equal(wire.locked, wire.unlocked);
    adder_airlift_net_deinit(&stack);
    sim_board_close(board);
}

static inline uint64_t now_us(void)
{
    return sim_board_now_us(board);
}

/* In real time, which sockets live in. */
static inline void nap(unsigned us)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

/* One tick, and the time it asks for; at most `cap_us` of it. */
static inline adder_err_t pump_at_most(uint32_t cap_us)
{
    adder_net_wants_t wants;
    const adder_err_t err = net.ops->tick(net.ctx, now_us(), &wants);
    static unsigned naps;
    if (wants.wait_us > 0) {
        const bool waiting = wire.busy_until_us > now_us() || (wire.fired && wire.kind == UNPLUG);
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

static inline uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
}

/* ---- a peer: echoes every connection; what starts with 'S' is sunk, with 'F' answered by a flood,
 * with 'E' by two words and an end ---- */

static int listener;
static uint16_t port;
static pthread_t echo_thread;

static atomic_size_t sunk; /* of all connections */

/* This computer's acknowledgements take real time, which is not the board's. */
static inline void await_sunk(size_t total)
{
    for (unsigned i = 0; atomic_load(&sunk) < total && i < 20000; i++) {
        nap(100);
    }
}

static inline bool send_all(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        const ssize_t sent = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += (size_t)sent;
    }
    return true;
}

static inline void *serve_one(void *arg)
{
    const int fd = (int)(intptr_t)arg;
    char buf[16384];
    ssize_t got = recv(fd, buf, sizeof buf, 0);
    const char what = got > 0 ? buf[0] : 0;
    if (what == 'F') {
        static uint8_t flood[1 << 20];
        for (size_t i = 0; i < sizeof flood; i++) {
            flood[i] = pattern(i);
        }
        (void)send_all(fd, flood, sizeof flood);
        got = 0;
    } else if (what == 'E') {
        (void)send_all(fd, "so long", 7);
        got = 0;
    }
    while (got > 0) {
        if (what != 'S' && !send_all(fd, buf, (size_t)got)) {
            break;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
        atomic_fetch_add(&sunk, what == 'S' ? (size_t)got : 0);
        got = recv(fd, buf, sizeof buf, 0);
    }
    (void)close(fd);
    return NULL;
}

static inline void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t t;
        if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd) == 0) {
            (void)pthread_detach(t);
        }
    }
    return NULL;
}

static inline int start_peer(void **state)
{
    (void)state;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&to, sizeof to) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&to, &len) != 0) {
        return -1;
    }
    port = ntohs(to.sin_port);
    return pthread_create(&echo_thread, NULL, serve, NULL);
}

static inline int stop_peer(void **state)
{
    (void)state;
    (void)shutdown(listener, SHUT_RDWR);
    (void)pthread_join(echo_thread, NULL);
    return close(listener);
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
