/* Whole stacks for the tests of this folder: a simulated PyPortal with its ESP32 (any number of them), or
 * this computer's sockets, under one struct; time that never hangs; HTTP and TLS on top; peers as child
 * processes.
 *
 *     world_t *w = world_board("1.7.7", NULL);           // or world_posix()
 *     assert_int_equal(world_join(w), ADDER_OK);
 *     world_http(w, &trust);                             // trust NULL: no https
 *     err = world_get(w, url, len, &got);                // every byte is looked at
 *     world_close(w);
 *
 * Time: a board's is virtual. This computer's sockets live in real time, which is followed up to QUIET_MS of
 * silence; then the clock jumps to what is waited for. Every wait has an end: see LIMIT_S. */
#ifndef TESTS_NET_WORLD_H
#define TESTS_NET_WORLD_H

#include "tests/tls/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "adder/airlift_net.h"
#include "adder/http_client.h"
#include "adder/http_server.h"
#include "adder/tls_conn.h"
#include "ports/posix/net_posix.h"
#include "sim/sim.h"

/* Of the world's time. A step that is not done by then hangs: a chip that is silent is waited for 5 to 30 s,
 * then reset, and joined again with pauses of up to 60 s. */
enum { LIMIT_S = 300, FETCH_TIMEOUT_MS = 60000, FETCH_DEADLINE_MS = 120000, QUIET_MS = 3000 };

/* ---- the wire of a board, failing when told to ---- */

typedef enum { FAIL_BUS, LATE, UNPLUG, DEAF, FLIP, RESTART, SILENCE, GARBLE, FAULTS } fault_t;
static const char *const fault_names[] = {"bus error", "late reply",   "unplugged", "no acknowledge",
                                          "bit flip",  "chip restart", "silence",   "bit flip in data"};

typedef struct {
    adder_spi_t spi;
    fault_t kind;
    uint32_t at, transactions; /* the fault's; CS falls so far */
    uint64_t busy_until_us;
    bool armed, fired, on_now, held;
} wire_t;

typedef struct {
    sim_board_t *sim; /* NULL: this computer's sockets */
    const adder_mcu_t *mcu;
    wire_t wire;
    adder_pin_ops_t cs_ops, ready_ops;
    adder_airlift_net_t airlift;
    uint8_t rx[8][4086], tx[2][4083];

    adder_posix_net_t posix;
    adder_posix_sock_t socks[12];
    uint64_t posix_us; /* its clock */
    bool jumps;        /* nothing will come: the clock need not follow real time */

    adder_net_t net;
    unsigned
        nap_us; /* a pause in real time for each 20 ms of a board's without a word; 0 = the peers need none */
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

static inline adder_err_t wire_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase,
                                         uint8_t bits, uint32_t *hz_out)
{
    world_t *w = ctx;
    return w->wire.spi.ops->configure(w->wire.spi.ctx, hz, polarity, phase, bits, hz_out);
}

static inline adder_err_t wire_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    world_t *w = ctx;
    wire_t *x = &w->wire;
    assert_true(x->held);
    if (x->on_now && x->kind == FAIL_BUS) {
        return ADDER_ERR_IO;
    }
    const adder_err_t err = x->spi.ops->transfer(x->spi.ctx, wr, rd, len, fill);
    if (rd != NULL && x->on_now && x->kind == FLIP) { /* of the frame around the data: its first bytes */
        rd[0] ^= 0x04;
        x->on_now = false;
    }
    if (rd != NULL && x->on_now && x->kind == GARBLE && len > 16) { /* in the middle of what came */
        rd[len / 2] ^= 0x10;
        x->fired = true;
        x->on_now = false;
    }
    if (rd != NULL && x->fired && x->kind == UNPLUG) {
        memset(rd, 0xFF, len);
    }
    return err;
}

static inline adder_err_t wire_cs_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    const world_t *w = ctx;
    return w->mcu->gpio->mode(w->mcu->ctx, pin, mode, level);
}

static inline uint16_t world_pin(const world_t *w, const char *name)
{
    for (size_t i = 0; i < w->mcu->alias_count; i++) {
        if (strcmp(w->mcu->aliases[i].name, name) == 0) {
            return w->mcu->aliases[i].pin;
        }
    }
    fail_msg("no pin %s", name);
    return 0;
}

static inline adder_err_t wire_cs_write(void *ctx, uint16_t pin, bool level)
{
    world_t *w = ctx;
    wire_t *x = &w->wire;
    if (!level) {
        assert_true(x->held);
        x->on_now = x->armed && x->transactions == x->at;
        x->fired |= x->on_now && x->kind != GARBLE;
        x->transactions++;
        if (x->on_now && x->kind == DEAF) {
            return ADDER_OK;
        }
        if (x->on_now && x->kind == RESTART) { /* as its supply dips: nobody is told */
            const uint16_t reset = world_pin(w, "ESP_RESET");
            x->on_now = false;
            assert_int_equal(w->mcu->gpio->mode(w->mcu->ctx, reset, ADDER_PIN_OUT, false), ADDER_OK);
            assert_int_equal(w->mcu->gpio->write(w->mcu->ctx, reset, true), ADDER_OK);
        }
    } else if (x->on_now) {
        x->on_now = false;
        const uint64_t now = sim_board_now_us(w->sim);
        if (x->kind == LATE) {
            x->busy_until_us = now + 7000000; /* most limits are 5 s */
        } else if (x->kind == SILENCE) {
            x->busy_until_us = now + 60000000; /* beyond all that is waited */
        }
    }
    return x->fired && x->kind == UNPLUG ? ADDER_OK : w->mcu->gpio->write(w->mcu->ctx, pin, level);
}

static inline adder_err_t wire_ready_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    return wire_cs_mode(ctx, pin, mode, level);
}

static inline adder_err_t wire_pin_read(void *ctx, uint16_t pin, bool *level_out)
{
    const world_t *w = ctx;
    return w->mcu->gpio->read(w->mcu->ctx, pin, level_out);
}

static inline adder_err_t wire_ready_write(void *ctx, uint16_t pin, bool level)
{
    const world_t *w = ctx;
    return w->mcu->gpio->write(w->mcu->ctx, pin, level);
}

static inline adder_err_t wire_ready_read(void *ctx, uint16_t pin, bool *level_out)
{
    const world_t *w = ctx;
    const adder_err_t err = wire_pin_read(ctx, pin, level_out);
    *level_out |=
        sim_board_now_us(w->sim) < w->wire.busy_until_us || (w->wire.fired && w->wire.kind == UNPLUG);
    return err;
}

static inline bool wire_take(void *ctx)
{
    world_t *w = ctx;
    assert_false(w->wire.held);
    return w->wire.held = true;
}

static inline void wire_give(void *ctx)
{
    world_t *w = ctx;
    assert_true(w->wire.held);
    w->wire.held = false;
}

/* ---- worlds ---- */

static inline uint32_t world_random32(void *ctx)
{
    static uint32_t x = 1;
    (void)ctx;
    x = x * 1664525 + 1013904223;
    return x >> 8;
}

/* `network`: more members of it, as JSON with a comma behind; may be NULL. */
static inline world_t *world_board(const char *firmware, const char *network)
{
    static const adder_spi_ops_t spi_ops = {wire_configure, wire_transfer};
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
    w->mcu = sim_board_mcu(w->sim);
    assert_int_equal(w->mcu->bus->spi_open(w->mcu->ctx, world_pin(w, "SCK"), world_pin(w, "MOSI"),
                                           world_pin(w, "MISO"), &w->wire.spi),
                     ADDER_OK);
    w->cs_ops = (adder_pin_ops_t){wire_cs_mode, wire_cs_write, wire_pin_read};
    w->ready_ops = (adder_pin_ops_t){wire_ready_mode, wire_ready_write, wire_ready_read};
    const adder_airlift_net_config_t c = {
        .chip = {.spi = {&spi_ops, w},
                 .cs = {&w->cs_ops, w, world_pin(w, "ESP_CS")},
                 .ready = {&w->ready_ops, w, world_pin(w, "ESP_BUSY")},
                 .reset = {w->mcu->gpio, w->mcu->ctx, world_pin(w, "ESP_RESET")},
                 .gpio0 = {w->mcu->gpio, w->mcu->ctx, world_pin(w, "ESP_GPIO0")},
                 .lock = {wire_take, wire_give, w}},
        .rx = w->rx[0],
        .rx_size = sizeof w->rx[0],
        .rx_count = 8,
        .tx = w->tx[0],
        .tx_size = sizeof w->tx[0],
        .tx_count = 2,
        .random = world_random32};
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
        assert_false(w->wire.held);
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
    const wire_t *x = &w->wire;
    const bool waiting = x->busy_until_us > world_now_us(w) || (x->fired && x->kind == UNPLUG);
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
        if (trouble == ADDER_ERR_NOT_FOUND && w->wire.fired && w->wire.kind == UNPLUG) {
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

/* ---- https ---- */

/* What a device trusts, and its clock. */
typedef struct {
    bench_random_t random;
    int64_t shift_days;
    bench_file_t root;
    uint8_t saved_bytes[ADDER_TLS_SAVED_MAX];
    adder_tls_saved_t saved;
    adder_tls_config_t config;
} trust_t;

static inline void trust_open(trust_t *t, const char *root, int64_t shift_days, bool resumes)
{
    *t = (trust_t){.random = {.x = 99}, .shift_days = shift_days, .root = bench_read(root)};
    t->saved = (adder_tls_saved_t){t->saved_bytes, sizeof t->saved_bytes, 0};
    const adder_tls_options_t o = {.random = bench_random,
                                   .random_ctx = &t->random,
                                   .now_s = bench_now,
                                   .now_ctx = &t->shift_days,
                                   .saved = resumes ? &t->saved : NULL};
    assert_int_equal(adder_tls_config_init(&t->config, &o, NULL), ADDER_OK);
    assert_int_equal(adder_tls_config_add_ca(&t->config, t->root.bytes, t->root.len, NULL, NULL, NULL),
                     ADDER_OK);
}

static inline void trust_close(trust_t *t)
{
    adder_tls_config_deinit(&t->config);
    free(t->root.bytes);
}

static inline void world_http(world_t *w, trust_t *trust)
{
    w->nap_us = 1000; /* a minute of the board's time is three seconds at least */
    if (trust != NULL) {
        w->secured = (adder_tls_conn_t){.config = &trust->config, .sessions = w->sessions, .n_sessions = 2};
        w->tls = adder_tls_conn(&w->secured);
    }
    const adder_http_client_config_t c = {.net = &w->net,
                                          .tls = trust != NULL ? &w->tls : NULL,
                                          .slots = w->slots,
                                          .n_slots = 2,
                                          .memory = w->memory[0],
                                          .slot_bytes = sizeof w->memory[0],
                                          .user_agent = "adder"};
    assert_int_equal(adder_http_client_init(&w->client, &c), ADDER_OK);
}

/* What peers send, and take. */
static inline uint8_t pattern(size_t i)
{
    return (uint8_t)("0123456789abcdefghijklmnopqrstuvwxyz\n"[i % 37]);
}

typedef struct {
    unsigned status;
    size_t len;     /* of the body so far */
    bool reused;    /* a kept connection */
    char text[256]; /* its beginning */
    adder_http_why_t why;
} got_t;

/* All of an exchange; every byte is looked at where the body is to be pattern (expect_len of it) and the
 * status 200. ADDER_OK: complete; else the cause. */
static inline adder_err_t world_fetch(world_t *w, const char *method, const char *url, size_t send_len,
                                      size_t expect_len, got_t *got)
{
    uint8_t buf[1500];
    uint8_t *out = malloc(send_len + 1);
    assert_non_null(out);
    for (size_t i = 0; i < send_len; i++) {
        out[i] = pattern(i);
    }
    *got = (got_t){0};
    adder_http_fetch_t f = {
        .method = method, .url = url, .timeout_ms = FETCH_TIMEOUT_MS, .deadline_ms = FETCH_DEADLINE_MS};
    if (send_len > 0) {
        f.body = adder_http_payload_bytes(out, send_len);
    }
    uint32_t wait;
    size_t n;
    const uint64_t end = world_now_us(w) + (FETCH_DEADLINE_MS + 5000) * (uint64_t)1000;
    adder_err_t err = adder_http_fetch_start(&f, &w->client, world_now_ms(w));
    assert_int_equal(err, ADDER_OK);
    while ((err = adder_http_fetch_step(&f, world_now_ms(w), &wait)) == ADDER_ERR_AGAIN) {
        (void)world_pump(w, wait * (uint64_t)1000);
        world_must_go_on(w, end);
    }
    got->status = err == ADDER_OK ? f.head->status : 0;
    while (err == ADDER_OK || err == ADDER_ERR_AGAIN) {
        err = adder_http_fetch_read(&f, buf, sizeof buf, &n, world_now_ms(w));
        if (err == ADDER_ERR_AGAIN) {
            (void)world_pump(w, 100000);
            world_must_go_on(w, end);
        }
        for (size_t i = 0; i < n; i++, got->len++) {
            if (got->len < sizeof got->text - 1) {
                got->text[got->len] = (char)buf[i];
            }
            if (got->status == 200 && expect_len > 0 && buf[i] != pattern(got->len)) {
                fail_msg("%s at transaction %u: byte %zu of %s is wrong", fault_names[w->wire.kind],
                         w->wire.at, got->len, url);
            }
        }
        assert_true(expect_len == 0 || got->status != 200 || got->len <= expect_len);
    }
    got->reused = f.reused;
    got->why = f.why;
    adder_http_fetch_end(&f, world_now_ms(w));
    free(out);
    if (err != ADDER_ERR_END) {
        return err;
    }
    if (got->status != 200 || (expect_len > 0 && got->len != expect_len)) {
        fail_msg("%s at transaction %u: %s gave %u and %zu bytes as a complete answer",
                 fault_names[w->wire.kind], w->wire.at, url, got->status, got->len);
    }
    return ADDER_OK;
}

static inline adder_err_t world_get(world_t *w, const char *url, size_t expect_len, got_t *got)
{
    return world_fetch(w, "GET", url, 0, expect_len, got);
}

/* ---- peers ---- */

typedef struct {
    pid_t pid;
    int in, out; /* its input, and its output with its errors */
    uint16_t port;
    char text[1 << 15];
    size_t len;
} child_t;

/* False: it has closed its output. */
static inline bool child_hear(child_t *c, int wait_ms)
{
    struct pollfd p = {.fd = c->out, .events = POLLIN};
    if (poll(&p, 1, wait_ms) <= 0) {
        return true;
    }
    if (c->len > sizeof c->text / 2) { /* the beginning has been read */
        memmove(c->text, c->text + c->len / 2, c->len - c->len / 2 + 1);
        c->len -= c->len / 2;
    }
    const ssize_t n = read(c->out, c->text + c->len, sizeof c->text - 1 - c->len);
    if (n > 0) {
        c->len += (size_t)n;
        c->text[c->len] = '\0';
    }
    return n > 0;
}

static inline const char *child_wait_for(child_t *c, const char *words)
{
    const char *at;
    for (unsigned i = 0; (at = strstr(c->text, words)) == NULL && i < 600; i++) {
        if (!child_hear(c, 100)) {
            break;
        }
    }
    if (at == NULL) {
        fail_msg("the peer did not say \"%s\" but: %s", words, c->text);
    }
    return at;
}

/* Started in `folder`; its port is the number behind `mark` in what it says. */
static inline void child_start(child_t *c, const char *folder, const char *const *argv, const char *mark)
{
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    for (size_t i = 0; i < 2; i++) { /* other children would keep them open */
        assert_int_equal(fcntl(in[i], F_SETFD, FD_CLOEXEC), 0);
        assert_int_equal(fcntl(out[i], F_SETFD, FD_CLOEXEC), 0);
    }
    memset(c, 0, sizeof *c);
    c->in = in[1];
    c->out = out[0];
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        if (chdir(folder) == 0) {
            execvp(argv[0], (char *const *)(uintptr_t)argv);
        }
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (mark == NULL) {
        return;
    }
    const char *at = child_wait_for(c, mark);
    while (strchr(at, '\n') == NULL) {
        assert_true(child_hear(c, 1000));
        at = strstr(c->text, mark);
    }
    c->port = (uint16_t)strtoul(at + strlen(mark), NULL, 10);
    assert_true(c->port != 0);
}

static inline int child_stop(child_t *c, bool kill_it)
{
    int status = 0;
    close(c->in);
    if (kill_it) {
        kill(c->pid, SIGTERM);
    }
    while (child_hear(c, 20000)) {
    }
    waitpid(c->pid, &status, 0);
    close(c->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Python's https server with NAME.pem of tests/tls/certs.sh; NULL: plain http. */
static inline void peer_start(child_t *c, const char *name)
{
    char script[600], folder[300];
    assert_non_null(getcwd(folder, sizeof folder));
    (void)snprintf(script, sizeof script, "%s/tests/net/https_peer.py", folder);
    const char *argv[] = {"/usr/bin/python3", "-I", script, name, NULL};
    child_start(c, bench_folder[0] != '\0' ? bench_folder : "/tmp", argv, "port ");
}

#endif
