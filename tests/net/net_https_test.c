/* https from end to end: adder_http_client over src/tls over a simulated board's ESP32 and over this
 * computer's sockets, against Python's and OpenSSL's servers with an authority of our own. */
#include "tests/net/child.h"
#include "tests/net/fetch.h"

static child_t python;
static uint16_t plain_port; /* a server that does not speak TLS */

static int start(void **state)
{
    static child_t plain;
    if (bench_make_files(state) != 0) {
        return -1;
    }
    peer_start(&python, "good");
    peer_start(&plain, NULL);
    plain_port = plain.port;
    return 0;
}

static int stop(void **state)
{
    (void)child_stop(&python, false);
    return bench_drop_files(state);
}

/* ---- on every stack ---- */

static const char *const stacks[] = {"1.7.7", "3.3.0", NULL};
enum { STACKS = sizeof stacks / sizeof stacks[0] };

static world_t *open_world(size_t stack)
{
    world_t *w = stacks[stack] != NULL ? world_board(stacks[stack], NULL) : world_posix();
    assert_int_equal(world_join(w), ADDER_OK);
    return w;
}

static const char *url_of(const char *host, uint16_t port, const char *path)
{
    static char url[128];
    (void)snprintf(url, sizeof url, "https://%s:%u%s", host, port, path);
    return url;
}

static void gets_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < STACKS; i++) {
        world_t *w = open_world(i);
        trust_t trust;
        got_t got;
        trust_open(&trust, "root.pem", 0, false);
        world_http(w, &trust);
        assert_int_equal(world_get(w, url_of("good.example", python.port, "/bytes/40000"), 40000, &got),
                         ADDER_OK);
        assert_false(got.reused);
        assert_int_equal(world_get(w, url_of("good.example", python.port, "/hello"), 0, &got), ADDER_OK);
        assert_true(got.reused);
        assert_string_equal(got.text, "hello");
        assert_int_equal(
            world_fetch(w, "POST", url_of("good.example", python.port, "/echo"), 20000, 20000, &got),
            ADDER_OK);
        assert_true(got.reused);
        assert_int_equal(world_get(w, url_of("127.0.0.1", python.port, "/close/3000"), 3000, &got),
                         ADDER_OK); /* a certificate for an address, too */
        world_close(w);
        trust_close(&trust);
    }
}

typedef struct {
    const char *root, *host;
    int64_t shift_days;
    adder_err_t err;
    adder_tls_why_t why;
    const char *heard; /* what the server is told */
} judged_t;

static const judged_t judged[] = {
    {"root.pem", "good.example", 0, ADDER_OK, ADDER_TLS_WHY_NONE, NULL},
    {"other.pem", "good.example", 0, ADDER_ERR_REFUSED, ADDER_TLS_WHY_UNKNOWN_ISSUER, "ALERT_UNKNOWN_CA"},
    {"root.pem", "evil.example", 0, ADDER_ERR_REFUSED, ADDER_TLS_WHY_HOST, "ALERT_BAD_CERTIFICATE"},
    {"root.pem", "good.example", 500, ADDER_ERR_REFUSED, ADDER_TLS_WHY_EXPIRED, "ALERT_CERTIFICATE_EXPIRED"},
    {"root.pem", "good.example", -30, ADDER_ERR_REFUSED, ADDER_TLS_WHY_NOT_YET, "ALERT_CERTIFICATE_UNKNOWN"},
};

/* Who is refused gets no request, only the reason; and the next connection is not worse for it. */
static void judges_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < STACKS; i++) {
        world_t *w = open_world(i);
        for (size_t k = 0; k < sizeof judged / sizeof judged[0]; k++) {
            const judged_t *j = &judged[k];
            trust_t trust;
            got_t got;
            trust_open(&trust, j->root, j->shift_days, false);
            world_http(w, &trust);
            python.text[python.len = 0] = '\0';
            const adder_err_t err = world_get(w, url_of(j->host, python.port, "/bytes/100"), 100, &got);
            if (err != j->err || w->secured.failed.why != j->why) {
                fail_msg("case %zu: %s, %s", k, adder_err_str(err), adder_tls_why_str(w->secured.failed.why));
            }
            assert_int_equal(got.status, err == ADDER_OK ? 200 : 0);
            if (j->heard != NULL) {
                world_pump_for(w, 300000);
                (void)child_wait_for(&python, j->heard);
            }
            adder_http_client_close_idle(&w->client);
            trust_close(&trust);
        }
        trust_t trust;
        got_t got;
        trust_open(&trust, "root.pem", 0, false);
        world_http(w, &trust);
        assert_int_equal(world_get(w, url_of("good.example", plain_port, "/bytes/100"), 100, &got),
                         ADDER_ERR_FORMAT);
        assert_int_equal(w->secured.failed.why, ADDER_TLS_WHY_NOT_TLS);
        world_close(w);
        trust_close(&trust);
    }
}

static void keeps_and_resumes(void **state)
{
    (void)state;
    for (size_t i = 0; i < STACKS; i++) {
        world_t *w = open_world(i);
        trust_t trust;
        got_t got;
        unsigned first, number;
        trust_open(&trust, "root.pem", 0, true);
        world_http(w, &trust);
        const char *me = url_of("good.example", python.port, "/me");
        char url[128];
        (void)snprintf(url, sizeof url, "%s", me);
        assert_int_equal(world_get(w, url, 0, &got), ADDER_OK);
        assert_int_equal(sscanf(got.text, "session new, connection %u", &first), 1);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(world_get(w, url, 0, &got), ADDER_OK); /* the same connection */
            assert_true(got.reused);
            assert_int_equal(sscanf(strstr(got.text, "connection"), "connection %u", &number), 1);
            assert_int_equal(number, first + round);
            if (round == 0) { /* given up by us */
                adder_http_client_close_idle(&w->client);
            } else { /* by the server, which has not said so; its end was heard, or was not yet */
                char drop[128];
                (void)snprintf(drop, sizeof drop, "https://good.example:%u/drop/10", python.port);
                assert_int_equal(world_get(w, drop, 10, &got), ADDER_OK);
                world_pump_for(w, round == 1 ? 3000000 : 1000);
            }
            assert_int_equal(world_get(w, url, 0, &got), ADDER_OK);
            assert_int_equal(sscanf(got.text, "session reused, connection %u", &number), 1);
            assert_int_equal(number, first + round + 1);
        }
        world_close(w);
        trust_close(&trust);
    }
}

/* ---- OpenSSL's server: HTTP/1.0, bodies up to the end of the connection ---- */

static void gets_files_of_openssl(void **state)
{
    (void)state;
    static const char *const argv[] = {"openssl",   "s_server", "-accept",  "127.0.0.1:0",
                                       "-WWW",      "-cert",    "good.crt", "-cert_chain",
                                       "inter.crt", "-key",     "good.key", NULL};
    child_t openssl;
    child_start(&openssl, bench_folder, argv, "ACCEPT 127.0.0.1:");
    const bench_file_t file = bench_read("all.pem");
    for (size_t i = 0; i < STACKS; i++) {
        world_t *w = open_world(i);
        trust_t trust;
        got_t got;
        trust_open(&trust, "root.pem", 0, true);
        world_http(w, &trust);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(world_get(w, url_of("good.example", openssl.port, "/all.pem"), 0, &got),
                             ADDER_OK);
            assert_int_equal(got.len, file.len);
            assert_memory_equal(got.text, file.bytes, sizeof got.text - 1);
            assert_false(got.reused);
        }
        trust_close(&trust);
        trust_open(&trust, "other.pem", 0, true);
        world_http(w, &trust);
        assert_int_equal(world_get(w, url_of("good.example", openssl.port, "/all.pem"), 0, &got),
                         ADDER_ERR_REFUSED);
        assert_int_equal(w->secured.failed.why, ADDER_TLS_WHY_UNKNOWN_ISSUER);
        world_close(w);
        trust_close(&trust);
    }
    free(file.bytes);
    (void)child_stop(&openssl, true);
}

/* ---- the layer itself ---- */

/* As many sessions as were given, each freed by its close. */
static void has_as_many_sessions_as_given(void **state)
{
    (void)state;
    trust_t trust;
    trust_open(&trust, "root.pem", 0, false);
    static bench_pipe_t in, out;
    in.cut_at = out.cut_at = SIZE_MAX;
    bench_end_t end = {.in = &in, .out = &out, .fail_at = SIZE_MAX};
    const adder_stream_t below = {&bench_ops, &end};
    static adder_tls_conn_session_t sessions[2];
    adder_tls_conn_t secured = {.config = &trust.config, .sessions = sessions, .n_sessions = 2};
    const adder_conn_tls_t tls = adder_tls_conn(&secured);
    void *a, *b, *c;
    assert_int_equal(tls.ops->open(tls.ctx, below, "bad host", &a), ADDER_ERR_ARG);
    assert_int_equal(secured.failed.why, ADDER_TLS_WHY_HOST_BAD);
    assert_int_equal(tls.ops->open(tls.ctx, below, "good.example", &a), ADDER_OK);
    assert_int_equal(tls.ops->open(tls.ctx, below, "good.example", &b), ADDER_OK);
    assert_int_equal(tls.ops->open(tls.ctx, below, "good.example", &c), ADDER_ERR_NOMEM);
    assert_int_equal(tls.ops->handshake(a), ADDER_ERR_AGAIN);
    tls.ops->close(a);
    assert_int_equal(tls.ops->open(tls.ctx, below, "good.example", &c), ADDER_OK);
    assert_ptr_equal(a, c);
    in.closed = true;
    adder_err_t err;
    for (unsigned i = 0; (err = tls.ops->handshake(b)) == ADDER_ERR_AGAIN; i++) {
        assert_true(i < 10);
    }
    assert_int_equal(err, ADDER_ERR_CLOSED);
    assert_int_equal(secured.failed.why, ADDER_TLS_WHY_CUT_HANDSHAKE);
    tls.ops->close(b);
    tls.ops->close(c);
    assert_null(sessions[0].priv.owner);
    assert_null(sessions[1].priv.owner);
    trust_close(&trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_pages),
        cmocka_unit_test(judges_servers),
        cmocka_unit_test(keeps_and_resumes),
        cmocka_unit_test(gets_files_of_openssl),
        cmocka_unit_test(has_as_many_sessions_as_given),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
