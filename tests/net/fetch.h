/* https in a world (world.h): what a device trusts, and exchanges of which every byte is looked at.
 *
 *     trust_open(&trust, "root.pem", 0, false);
 *     world_http(w, &trust);                             // trust NULL: no https
 *     err = world_get(w, url, len, &got); */
#ifndef TESTS_NET_FETCH_H
#define TESTS_NET_FETCH_H

#include "tests/net/world.h"
#include "tests/tls/testing.h"

/* Of the world's time. */
enum { FETCH_TIMEOUT_MS = 60000, FETCH_DEADLINE_MS = 120000 };

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

#endif
