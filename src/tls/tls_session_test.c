/* Sessions between our own client and server over pipes that are slow, cut or broken. */
#include "tests/tls/testing.h"

#define MEGABYTE (1u << 20)

/* ---- data ---- */

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}

typedef struct {
    size_t sent, got;
    bool said, ended;
} flow_t;

/* Something of the megabyte, in a piece of odd size; the goodbye behind its last byte. */
static void push(adder_tls_t *t, bench_random_t *dice, flow_t *f, bench_pipe_t *out)
{
    uint8_t piece[5000];
    size_t n = 1 + bench_next(dice) % sizeof piece;
    n = n < MEGABYTE - f->sent ? n : MEGABYTE - f->sent;
    for (size_t i = 0; i < n; i++) {
        piece[i] = pattern(f->sent + i);
    }
    size_t taken = 0;
    if (n > 0) {
        const adder_err_t err = adder_tls_send(t, piece, n, &taken);
        assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
        assert_true(err == ADDER_OK || taken == 0);
        assert_true(taken <= n);
        f->sent += taken;
    } else if (!f->said) {
        const adder_err_t err = adder_tls_close(t);
        assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
        f->said = err == ADDER_OK;
        out->closed |= f->said;
    }
    memset(piece, 0xEE, sizeof piece); /* nothing is kept of the caller's buffer */
}

static void pull(adder_tls_t *t, bench_random_t *dice, flow_t *f)
{
    uint8_t piece[5000];
    const size_t cap = bench_next(dice) % sizeof piece;
    size_t n = 0;
    const adder_err_t err = adder_tls_recv(t, piece, cap, &n);
    if (err == ADDER_ERR_END) {
        f->ended = true;
        return;
    }
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(piece[i], pattern(f->got + i));
    }
    f->got += n;
}

static void a_megabyte_both_ways(void **state)
{
    (void)state;
    for (int fragment = ADDER_TLS_FRAGMENT_DEFAULT; fragment <= ADDER_TLS_FRAGMENT_1024; fragment += 2) {
        bench_t *b = bench_new("good");
        bench_random_t dice = {.x = 77};
        flow_t up = {0}, down = {0};
        b->client_options.fragment = (adder_tls_fragment_t)fragment;
        bench_connect(b, "good.example");
        b->client_end.dice = b->server_end.dice = &dice;
        for (unsigned i = 0; !(up.ended && down.ended); i++) {
            assert_true(i < 200000);
            push(&b->client, &dice, &up, &b->up);
            pull(&b->server, &dice, &up);
            push(&b->server, &dice, &down, &b->down);
            pull(&b->client, &dice, &down);
        }
        assert_int_equal(up.got, MEGABYTE);
        assert_int_equal(down.got, MEGABYTE);
        assert_int_equal(b->client.info.fragment_max, fragment == 0 ? 16384 : 1024);
        size_t n = 0;
        assert_int_equal(adder_tls_send(&b->client, (const uint8_t *)"x", 1, &n), ADDER_ERR_STATE);
        assert_int_equal(adder_tls_recv(&b->client, (uint8_t[1]){0}, 1, &n), ADDER_ERR_END); /* stays */
        bench_free(b);
    }
}

static void stream_makes_its_handshake_itself(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    bench_connect(b, "good.example");
    adder_stream_t client = adder_tls_stream(&b->client), server = adder_tls_stream(&b->server);
    uint8_t buf[8];
    size_t sent = 0, got = 0;
    for (unsigned i = 0; got == 0 && i < 100; i++) {
        if (sent == 0 && client.ops->send(client.ctx, (const uint8_t *)"hello", 5, &sent) != ADDER_OK) {
            assert_int_equal(adder_tls_wants(&b->client), ADDER_NET_READABLE); /* not: call again at once */
        }
        ADDER_IGNORE(server.ops->recv(server.ctx, buf, 2, &got), "AGAIN at first");
    }
    assert_int_equal(sent, 5);
    assert_int_equal(got, 2);
    assert_int_equal(adder_tls_available(&b->server), 3); /* decrypted already: a poll must know */
    assert_int_equal(server.ops->recv(server.ctx, buf, 0, &got), ADDER_OK);
    assert_int_equal(server.ops->recv(server.ctx, buf, sizeof buf, &got), ADDER_OK);
    assert_int_equal(got, 3);
    assert_int_equal(server.ops->recv(server.ctx, buf, sizeof buf, &got), ADDER_ERR_AGAIN);
    assert_int_equal(adder_tls_wants(&b->server), ADDER_NET_READABLE);
    /* A look takes nothing away. */
    assert_int_equal(adder_tls_fetch(&b->server), ADDER_ERR_AGAIN);
    assert_int_equal(client.ops->send(client.ctx, (const uint8_t *)"more", 4, &sent), ADDER_OK);
    assert_int_equal(adder_tls_fetch(&b->server), ADDER_OK);
    assert_int_equal(adder_tls_fetch(&b->server), ADDER_OK);
    assert_int_equal(server.ops->recv(server.ctx, buf, sizeof buf, &got), ADDER_OK);
    assert_int_equal(got, 4);
    assert_int_equal(adder_tls_close(&b->client), ADDER_OK);
    assert_int_equal(adder_tls_fetch(&b->server), ADDER_ERR_END);
    assert_int_equal(server.ops->recv(server.ctx, buf, sizeof buf, &got), ADDER_ERR_END);
    bench_free(b);
}

/* ---- ends ---- */

static void cut_without_goodbye_is_not_an_end(void **state)
{
    (void)state;
    static const adder_err_t ends[] = {ADDER_ERR_END, ADDER_ERR_CLOSED, ADDER_ERR_IO};
    for (size_t i = 0; i < 3; i++) {
        bench_t *b = bench_new("good");
        uint8_t buf[8];
        size_t n = 0;
        bench_connect(b, "good.example");
        assert_int_equal(bench_shake(b), ADDER_OK);
        assert_int_equal(adder_tls_send(&b->server, (const uint8_t *)"half", 4, &n), ADDER_OK);
        assert_int_equal(adder_tls_recv(&b->client, buf, sizeof buf, &n), ADDER_OK);
        b->client_end.fail_at = b->client_end.calls;
        b->client_end.failure = ends[i];
        const adder_err_t expected = i < 2 ? ADDER_ERR_CLOSED : ADDER_ERR_IO;
        assert_int_equal(adder_tls_recv(&b->client, buf, sizeof buf, &n), expected);
        assert_int_equal(b->client.info.why, i < 2 ? ADDER_TLS_WHY_CUT : ADDER_TLS_WHY_BELOW);
        assert_int_equal(adder_tls_recv(&b->client, buf, sizeof buf, &n), expected);
        assert_int_equal(adder_tls_send(&b->client, buf, 1, &n), expected);
        bench_free(b);
    }
}

static void what_came_before_a_reset_can_be_read(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    uint8_t buf[8];
    size_t n = 0;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    assert_int_equal(adder_tls_send(&b->server, (const uint8_t *)"last", 4, &n), ADDER_OK);
    assert_int_equal(adder_tls_close(&b->server), ADDER_OK);
    b->client_end.fail_at = b->client_end.calls; /* the next call: our sending */
    b->client_end.failure = ADDER_ERR_CLOSED;
    assert_int_equal(adder_tls_send(&b->client, buf, 1, &n), ADDER_ERR_CLOSED);
    b->client_end.fail_at = SIZE_MAX;
    b->client_end.failed = false;
    assert_int_equal(adder_tls_recv(&b->client, buf, sizeof buf, &n), ADDER_OK);
    assert_int_equal(n, 4);
    assert_int_equal(adder_tls_recv(&b->client, buf, sizeof buf, &n), ADDER_ERR_END);
    assert_int_equal(adder_tls_send(&b->client, buf, 1, &n), ADDER_ERR_CLOSED);
    bench_free(b);
}

/* The connection ends after each number of bytes that the server sends. */
static void handshake_cut_after_every_byte(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    size_t n = 0;
    for (;; n++) { /* how many there are varies with the leading zeros of signatures */
        bench_connect(b, "good.example");
        b->down.cut_at = n;
        const adder_err_t err = bench_shake(b);
        if (err == ADDER_OK) {
            break;
        }
        assert_int_equal(err, ADDER_ERR_CLOSED);
        assert_int_equal(b->client.info.why, ADDER_TLS_WHY_CUT_HANDSHAKE);
    }
    assert_true(n > 1000);
    bench_free(b);
}

/* Call number 0, 1, 2, ... of the stream below fails, and all after it. */
static void fault_sweep(void **state)
{
    (void)state;
    static const adder_err_t failures[] = {ADDER_ERR_IO, ADDER_ERR_CLOSED, ADDER_ERR_END, ADDER_ERR_TIMEOUT};
    for (size_t kind = 0; kind < 2 * 4; kind++) {
        bench_t *b = bench_new("good");
        for (size_t n = 0;; n++) {
            uint8_t buf[16];
            size_t got = 0;
            bench_connect(b, "good.example");
            bench_end_t *end = kind % 2 == 0 ? &b->client_end : &b->server_end;
            adder_tls_t *t = kind % 2 == 0 ? &b->client : &b->server;
            end->fail_at = n;
            end->failure = failures[kind / 2];
            ADDER_IGNORE(bench_shake(b), "its own end counts");
            adder_err_t err = adder_tls_handshake(t);
            if (err == ADDER_OK) {
                err = adder_tls_send(t, (const uint8_t *)"ping", 4, &got);
            }
            if (err == ADDER_OK) {
                err = adder_tls_recv(t, buf, sizeof buf, &got);
            }
            if (!end->failed) {
                assert_true(n > 10);
                break;
            }
            if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
                const bool gone =
                    failures[kind / 2] == ADDER_ERR_CLOSED || failures[kind / 2] == ADDER_ERR_END;
                assert_int_equal(err, gone ? ADDER_ERR_CLOSED : failures[kind / 2]);
            }
            const adder_err_t closed = adder_tls_close(t);
            assert_true(closed != ADDER_ERR_AGAIN);
        }
        bench_free(b);
    }
}

static void random_source_that_fails(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    b->random.fail_at = b->random.calls + 1;
    assert_int_equal(adder_tls_config_init(&b->client_config, &b->client_options, &why), ADDER_ERR_TIMEOUT);
    assert_int_equal(why, ADDER_TLS_WHY_RANDOM);
    adder_tls_config_deinit(&b->client_config);
    bench_free(b);
}

/* ---- what is not TLS ---- */

static void a_server_without_tls(void **state)
{
    (void)state;
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    bench_t *b = bench_new("good");
    bench_connect(b, "good.example");
    memcpy(b->down.bytes, answer, sizeof answer);
    b->down.end = sizeof answer;
    adder_err_t err = ADDER_ERR_AGAIN;
    for (unsigned i = 0; err == ADDER_ERR_AGAIN && i < 50; i++) {
        err = adder_tls_handshake(&b->client);
    }
    assert_int_equal(err, ADDER_ERR_FORMAT);
    assert_int_equal(b->client.info.why, ADDER_TLS_WHY_NOT_TLS);
    bench_free(b);
}

/* Warnings without end: each call returns all the same. */
static void a_flood_of_warnings(void **state)
{
    (void)state;
    static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 90};
    bench_t *b = bench_new("good");
    bench_connect(b, "good.example");
    adder_err_t err = ADDER_ERR_AGAIN;
    for (unsigned i = 0; err == ADDER_ERR_AGAIN && i < 20; i++) {
        b->down.begin = b->down.end = 0;
        while (b->down.end + sizeof warning < sizeof b->down.bytes) {
            memcpy(b->down.bytes + b->down.end, warning, sizeof warning);
            b->down.end += sizeof warning;
        }
        const size_t out = b->down.out;
        err = adder_tls_handshake(&b->client);
        assert_true(b->down.out - out <= 4 * (16384 + 512));
    }
    bench_free(b);
}

/* ---- ALPN ---- */

static void alpn(void **state)
{
    (void)state;
    static const char *const both[] = {"x-amzn-mqtt-ca", "http/1.1", NULL},
                             *const http[] = {"http/1.1", NULL}, *const mqtt[] = {"mqtt", NULL};
    static const struct {
        const char *const *client, *const *server;
        const char *agreed;
        adder_tls_why_t server_why, client_why;
    } tries[] = {
        {both, http, "http/1.1", ADDER_TLS_WHY_NONE, ADDER_TLS_WHY_NONE},
        {both, NULL, NULL, ADDER_TLS_WHY_NONE, ADDER_TLS_WHY_NONE},
        {NULL, http, NULL, ADDER_TLS_WHY_NONE, ADDER_TLS_WHY_NONE},
        {both, mqtt, NULL, ADDER_TLS_WHY_NO_ALPN, ADDER_TLS_WHY_ALERT_NO_APPLICATION_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        bench_t *b = bench_new("good");
        b->client_options.alpn = tries[i].client;
        b->server_options.alpn = tries[i].server;
        bench_connect(b, "good.example");
        ADDER_IGNORE(bench_shake(b), "the reasons tell");
        assert_int_equal(b->server.info.why, tries[i].server_why);
        assert_int_equal(b->client.info.why, tries[i].client_why);
        if (tries[i].agreed != NULL) {
            assert_string_equal(adder_tls_alpn(&b->client), tries[i].agreed);
            assert_string_equal(adder_tls_alpn(&b->server), tries[i].agreed);
        } else {
            assert_null(adder_tls_alpn(&b->client));
        }
        bench_free(b);
    }
}

/* A new connection to `host`; the client ends its handshake for this reason. */
static void is_refused(bench_t *b, const char *host, adder_tls_why_t why)
{
    bench_connect(b, host);
    assert_int_equal(bench_shake(b), ADDER_ERR_REFUSED);
    assert_int_equal(b->client.info.why, why);
}

static void no_suite_in_common(void **state)
{
    (void)state;
    static const int one[] = {0xC02B, 0}, other[] = {0xC02C, 0};
    bench_t *b = bench_new("good");
    b->client_options.suites = one;
    b->server_options.suites = other;
    is_refused(b, "good.example", ADDER_TLS_WHY_ALERT_HANDSHAKE_FAILURE);
    assert_int_equal(b->server.info.why, ADDER_TLS_WHY_NO_CIPHER);
    bench_free(b);
}

/* ---- coming back ---- */

static void coming_back(void **state)
{
    (void)state;
    uint8_t kept[ADDER_TLS_SAVED_MAX], buf[ADDER_TLS_SAVED_MAX];
    adder_tls_saved_t saved = {kept, sizeof kept, 0};
    size_t n = 0;
    bench_t *b = bench_new("good");
    b->client_options.saved = &saved;
    bench_connect(b, "good.example");
    assert_int_equal(adder_tls_session_save(&b->client, buf, sizeof buf, &n), ADDER_ERR_STATE);
    assert_int_equal(bench_shake(b), ADDER_OK);
    assert_false(b->client.info.resumed);
    assert_true(saved.len > 100);
    assert_int_equal(adder_tls_session_save(&b->client, buf, 10, &n), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_tls_session_save(&b->client, buf, n, &n), ADDER_OK);
    assert_int_equal(adder_tls_session_save(&b->server, buf, sizeof buf, &n), ADDER_ERR_STATE);
    const size_t full = b->down.out;
    for (int i = 0; i < 3; i++) { /* each time anew */
        bench_connect(b, "good.example");
        assert_int_equal(bench_shake(b), ADDER_OK);
        assert_true(b->client.info.resumed);
        assert_true(b->server.info.resumed);
        assert_true(b->down.out < full / 2);
    }
    /* Not to another host, nor once the certificate has expired. */
    bench_connect(b, "a.wild.example");
    assert_int_equal(adder_tls_session_load(&b->client, kept, saved.len), ADDER_ERR_REFUSED);
    assert_int_equal(bench_shake(b), ADDER_OK);
    assert_false(b->client.info.resumed);
    b->shift_days = 401;
    is_refused(b, "a.wild.example", ADDER_TLS_WHY_EXPIRED);
    bench_free(b);
}

static void a_session_that_was_not_checked(void **state)
{
    (void)state;
    uint8_t kept[ADDER_TLS_SAVED_MAX];
    adder_tls_saved_t saved = {kept, sizeof kept, 0};
    bench_t *b = bench_new("selfsigned");
    b->client_options.saved = &saved;
    b->client_options.verify = ADDER_TLS_VERIFY_NONE;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    assert_true(saved.len > 0);
    bench_hang_up(b);
    adder_tls_config_deinit(&b->client_config);
    b->client_options.verify = ADDER_TLS_VERIFY_REQUIRED;
    assert_int_equal(adder_tls_config_init(&b->client_config, &b->client_options, NULL), ADDER_OK);
    assert_int_equal(adder_tls_config_add_ca(&b->client_config, b->root.bytes, b->root.len, NULL, NULL, NULL),
                     ADDER_OK);
    is_refused(b, "good.example", ADDER_TLS_WHY_SELF_SIGNED);
    bench_free(b);
}

/* Every byte of a saved session changed, and every length of it: refused or a full handshake, no crash. */
static void a_saved_session_that_was_damaged(void **state)
{
    (void)state;
    uint8_t kept[ADDER_TLS_SAVED_MAX];
    adder_tls_saved_t saved = {kept, sizeof kept, 0};
    bench_t *b = bench_new("good");
    b->client_options.saved = &saved;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    const size_t len = saved.len;
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = malloc(len);
        memcpy(copy, kept, len);
        copy[i] ^= 0x41;
        saved.len = 0;
        bench_connect(b, "good.example");
        ADDER_IGNORE(adder_tls_session_load(&b->client, copy, len), "any answer");
        saved.len = 0;
        bench_connect(b, "good.example");
        assert_true(adder_tls_session_load(&b->client, copy, i) != ADDER_OK);
        free(copy);
    }
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_megabyte_both_ways),
        cmocka_unit_test(stream_makes_its_handshake_itself),
        cmocka_unit_test(cut_without_goodbye_is_not_an_end),
        cmocka_unit_test(what_came_before_a_reset_can_be_read),
        cmocka_unit_test(handshake_cut_after_every_byte),
        cmocka_unit_test(fault_sweep),
        cmocka_unit_test(random_source_that_fails),
        cmocka_unit_test(a_server_without_tls),
        cmocka_unit_test(a_flood_of_warnings),
        cmocka_unit_test(alpn),
        cmocka_unit_test(no_suite_in_common),
        cmocka_unit_test(coming_back),
        cmocka_unit_test(a_session_that_was_not_checked),
        cmocka_unit_test(a_saved_session_that_was_damaged),
    };
    return cmocka_run_group_tests(tests, bench_make_files, bench_drop_files);
}
