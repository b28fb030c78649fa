/* Whole stacks for the tests of this folder: a simulated PyPortal with its ESP32 (any number of them), or
 * this computer's sockets, under one struct; time that never hangs. HTTP and TLS on top: fetch.h; peers as
 * child processes: child.h.
 *
 *     world_t *w = world_board("1.7.7", NULL);           // or world_posix()
 *     assert_int_equal(world_join(w), ADDER_OK);
 *     WORLD_UNTIL(w, w->net.ops->connect(...));          // sets err
 *     world_close(w);
 *
 * Time: a board's is virtual. This computer's sockets live in real time, which is followed up to QUIET_MS of
 * silence; then the clock jumps to what is waited for. Every wait has an end: see LIMIT_S. */
#ifndef TESTS_NET_WORLD_H
#define TESTS_NET_WORLD_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "adder/airlift_net.h"
#include "adder/http_client.h"
#include "adder/tls_conn.h"
#include "ports/posix/net_posix.h"
#include "tests/airlift_wire.h"

/* Of the world's time. A step that is not done by then hangs: a chip that is silent is waited for 5 to 30 s,
 * then reset, and joined again with pauses of up to 60 s. */
enum { LIMIT_S = 300, QUIET_MS = 3000 };

typedef struct {
    sim_board_t *sim; /* NULL: this computer's sockets */
    wire_t wire;
    adder_airlift_net_t airlift;
    uint8_t rx[8][4086], tx[2][4083];

    adder_posix_net_t posix;
    adder_posix_sock_t socks[12];
    uint64_t posix_us; /* its clock */
    bool jumps;        /* nothing will come: the clock need not follow real time */

    adder_net_t net;
    /* A pause in real time for each 20 ms of a board's without a word; 0 = the peers need none. */
    unsigned nap_us;

    /* See fetch.h. */
    adder_tls_conn_session_t sessions[2];
    adder_tls_conn_t secured;
    adder_conn_tls_t tls;
    adder_http_slot_t slots[2];
    uint8_t memory[2][4096];
    adder_http_client_t client;
} world_t;

static char world_msg[SIM_MSG_CAP];

static inline uint64_t world_now_us(world_t *w)
{
    return w->sim != NULL ? sim_board_now_us(w->sim) : w->posix_us;
}

static inline uint32_t world_now_ms(world_t *w)
{
    return (uint32_t)(world_now_us(w) / 1000);
}

/* ---- worlds ---- */

/* `network`: more members of it, as JSON with a comma behind; may be NULL. */
static inline world_t *world_board(const char *firmware, const char *network)
{
    char text[2048];
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)snprintf(text, sizeof text,
                   "{\"clock\": \"virtual\", \"chips\": {\"wifi\": {\"firmware\": \"%s\"}},"
                   " \"network\": {\"outside\": false, \"speed\": 10, %s \"hosts\": {\"good.example\":"
                   " \"127.0.0.1\", \"evil.example\": \"127.0.0.1\"}, \"access_points\":"
                   " [{\"ssid\": \"home\", \"password\": \"secret123\"},"
                   " {\"ssid\": \"office\", \"security\": \"enterprise\", \"username\": \"ann\","
                   " \"password\": \"s3cret\"}]}}",
                   firmware, network != NULL ? network : "");
    cJSON *config = cJSON_Parse(text);
    assert_non_null(config);
    w->sim = sim_board_open("boards/pyportal.json", config, world_msg, sizeof world_msg);
    cJSON_Delete(config);
    if (w->sim == NULL) {
        fail_msg("%s", world_msg);
    }
    const adder_airlift_net_config_t c = {.chip = wire_open(&w->wire, w->sim),
                                          .rx = w->rx[0],
                                          .rx_size = sizeof w->rx[0],
                                          .rx_count = 8,
                                          .tx = w->tx[0],
                                          .tx_size = sizeof w->tx[0],
                                          .tx_count = 2,
                                          .random = wire_random32};
    assert_int_equal(adder_airlift_net_init(&w->airlift, &c), ADDER_OK);
    w->net = adder_airlift_net(&w->airlift);
    return w;
}

/* The names that a board's network has, too. */
static inline adder_err_t posix_names(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                                      size_t cap, size_t *n_out)
{
    (void)ctx;
    *n_out = 0;
    if (cap == 0 || family == ADDER_IP_V6 ||
        (strcmp(name, "good.example") != 0 && strcmp(name, "evil.example") != 0)) {
        return ADDER_ERR_NOT_FOUND;
    }
    out[0] = adder_ip_v4(127, 0, 0, 1);
    *n_out = 1;
    return ADDER_OK;
}

static inline world_t *world_posix(void)
{
    static const adder_posix_hooks_t hooks = {.resolve = posix_names};
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    const adder_posix_net_config_t c = {
        .slots = w->socks, .n_slots = sizeof w->socks / sizeof w->socks[0], .hooks = &hooks};
    assert_int_equal(adder_posix_net_init(&w->posix, &c), ADDER_OK);
    w->net = adder_posix_net(&w->posix);
    return w;
}

static inline void world_close(world_t *w)
{
    if (w->client.priv.config.net != NULL) {
        adder_http_client_close_idle(&w->client);
        for (size_t i = 0; i < sizeof w->sessions / sizeof w->sessions[0]; i++) {
            assert_null(w->sessions[i].priv.owner); /* none is lost */
        }
    }
    if (w->sim != NULL) {
        adder_airlift_net_deinit(&w->airlift);
        wire_close(&w->wire);
        sim_board_close(w->sim);
    } else {
        adder_posix_net_deinit(&w->posix);
    }
    free(w);
}

/* ---- time ---- */

static inline adder_net_status_t world_status(world_t *w)
{
    adder_net_status_t s;
    w->net.ops->status(w->net.ctx, &s);
    return s;
}

/* Real time, in which the sockets behind a board live. */
static inline void world_nap(unsigned us)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

static inline void posix_wait(world_t *w, const adder_net_wants_t *wants, uint64_t us)
{
    struct pollfd p = {.fd = (int)wants->signal, .events = POLLIN};
    struct timespec before, after;
    const int cap = w->jumps ? 0 : QUIET_MS;
    const int ms = us / 1000 < (uint64_t)cap ? (int)(us / 1000) : cap;
    clock_gettime(CLOCK_MONOTONIC, &before);
    const bool came = poll(&p, 1, ms) > 0;
    clock_gettime(CLOCK_MONOTONIC, &after);
    const uint64_t real =
        (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000);
    w->posix_us += came ? 1 + (real < us ? real : us) : us;
}

/* One tick; then the wait that the stack and its user want, at most `most_us`. */
static inline adder_err_t world_pump(world_t *w, uint64_t most_us)
{
    static unsigned naps;
    adder_net_wants_t wants;
    const adder_err_t err = w->net.ops->tick(w->net.ctx, world_now_us(w), &wants);
    const uint64_t us = wants.wait_us < most_us ? wants.wait_us : most_us;
    if (us == 0) {
        return err;
    }
    if (w->sim == NULL) {
        /* For ever is no wait: who is here waits for something. */
        posix_wait(w, &wants, us < LIMIT_S * (uint64_t)1000000 ? us : LIMIT_S * (uint64_t)1000000);
        return err;
    }
    const bool waiting = wire_silent(&w->wire);
    const uint64_t cap = waiting ? 50000 : 20000;
    sim_board_advance(w->sim, us < cap ? us : cap);
    /* A peer that is a process or a thread lives in real time, on a computer that may be busy. */
    if (w->nap_us > 0 && !waiting && world_status(w).link == ADDER_NET_LINK_UP &&
        (us >= 500 || naps++ % 64 == 63)) {
        world_nap(us < cap ? 100 : w->nap_us);
    }
    return err;
}

static inline void world_pump_for(world_t *w, uint64_t us)
{
    for (const uint64_t end = world_now_us(w) + us; world_now_us(w) < end;) {
        (void)world_pump(w, end - world_now_us(w));
    }
}

static inline void world_must_go_on(world_t *w, uint64_t end_us)
{
    if (world_now_us(w) >= end_us) {
        fail_msg("%s at transaction %u: it hangs", fault_names[w->wire.kind], w->wire.at);
    }
}

/* Handles that are open. */
static inline unsigned world_sockets(world_t *w)
{
    unsigned n = 0;
    for (uint16_t i = 0; i < world_status(w).sockets; i++) {
        n += w->net.ops->endpoints(w->net.ctx, i, NULL, NULL) != ADDER_ERR_STATE;
    }
    return n;
}

/* Until `call` is not AGAIN; longer than LIMIT_S hangs. */
#define WORLD_UNTIL(w, call)                                                                                 \
    do {                                                                                                     \
        const uint64_t end_ = world_now_us(w) + LIMIT_S * (uint64_t)1000000;                                 \
        while ((err = (call)) == ADDER_ERR_AGAIN) {                                                          \
            (void)world_pump(w, 1000000);                                                                    \
            world_must_go_on(w, end_);                                                                       \
        }                                                                                                    \
    } while (0)

/* ADDER_OK: up; the cause of a link that failed; NOT_FOUND: the chip is unplugged. */
static inline adder_err_t world_join_as(world_t *w, const adder_airlift_wifi_t *wifi)
{
    if (w->sim == NULL) {
        return ADDER_OK;
    }
    const uint64_t end = world_now_us(w) + LIMIT_S * (uint64_t)1000000;
    adder_err_t err = adder_airlift_net_join(&w->airlift, wifi);
    while (err == ADDER_OK && world_status(w).link != ADDER_NET_LINK_UP) {
        const adder_err_t trouble = world_pump(w, 1000000);
        if (trouble == ADDER_ERR_NOT_FOUND && wire_unplugged(&w->wire)) {
            return trouble; /* it is tried for ever */
        }
        if (world_status(w).link == ADDER_NET_LINK_FAILED && wifi->attempts != 255) {
            return world_status(w).cause;
        }
        world_must_go_on(w, end);
    }
    return err;
}

static inline adder_err_t world_join(world_t *w)
{
    return world_join_as(w,
                         &(adder_airlift_wifi_t){.ssid = "home", .password = "secret123", .attempts = 255});
}

#endif
