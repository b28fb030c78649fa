/* The client over a scripted stack: connections kept and found dead, redirects, several at once, time,
 * failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http_client.h"
#include "src/net/script.h"

#define LEN(s) (sizeof(s) - 1)
#define CONNECT(sock, to)                                                                                    \
    {                                                                                                        \
        sock, NET_SCRIPT_CONNECT, to, 0, ADDER_OK                                                            \
    }
#define TAKES(sock, text)                                                                                    \
    {                                                                                                        \
        sock, NET_SCRIPT_TAKES, text, LEN(text), ADDER_OK                                                    \
    }
#define GIVES(sock, text)                                                                                    \
    {                                                                                                        \
        sock, NET_SCRIPT_GIVES, text, LEN(text), ADDER_OK                                                    \
    }
#define FAILS(sock, err)                                                                                     \
    {                                                                                                        \
        sock, NET_SCRIPT_FAILS, NULL, 0, err                                                                 \
    }

typedef struct {
    net_script_t script;
    adder_net_t net;
    adder_http_slot_t slots[2];
    uint8_t memory[2][1024];
    adder_http_client_t client;
    char redirects[128];
    uint32_t now;
    adder_http_fetch_t f;
    uint8_t body[256];
    size_t body_len;
} bench_t;

static void set_up_slots(bench_t *b, const net_script_step_t *steps, size_t n_steps, size_t n_slots)
{
    memset(b, 0, sizeof *b);
    net_script_init(&b->script, steps, n_steps);
    b->net = net_script_net(&b->script);
    b->now = UINT32_MAX - 100;
    adder_http_client_config_t config = {.net = &b->net,
                                         .slots = b->slots,
                                         .n_slots = n_slots,
                                         .memory = b->memory[0],
                                         .slot_bytes = sizeof b->memory[0],
                                         .idle_ms = 1000};
    assert_int_equal(adder_http_client_init(&b->client, &config), ADDER_OK);
}

#define SET_UP(b, steps) set_up_slots(&(b), steps, sizeof(steps) / sizeof(steps)[0], 2)

/* Step to the head; each AGAIN takes a millisecond. */
static adder_err_t to_head(bench_t *b, adder_http_fetch_t *f)
{
    uint32_t wait;
    adder_err_t err = adder_http_fetch_start(f, &b->client, b->now);
    while (err == ADDER_OK && (err = adder_http_fetch_step(f, b->now, &wait)) == ADDER_ERR_AGAIN) {
        b->now++;
        err = ADDER_OK;
    }
    return err;
}

static adder_err_t to_end(bench_t *b, adder_http_fetch_t *f)
{
    size_t n;
    adder_err_t err;
    b->body_len = 0;
    do {
        err = adder_http_fetch_read(f, b->body + b->body_len, sizeof b->body - b->body_len, &n, b->now);
        b->body_len += n;
        b->now += err == ADDER_ERR_AGAIN;
    } while (err == ADDER_OK || err == ADDER_ERR_AGAIN);
    return err;
}

/* A whole request; its status, 0 = an error. */
static unsigned fetch(bench_t *b, const char *method, const char *url)
{
    b->f.method = method;
    b->f.url = url;
    b->f.redirect_buf = b->redirects;
    b->f.redirect_cap = sizeof b->redirects;
    adder_err_t err = to_head(b, &b->f);
    unsigned status = err == ADDER_OK ? b->f.head->status : 0;
    if (err == ADDER_OK)
        err = to_end(b, &b->f);
    adder_http_fetch_end(&b->f, b->now);
    adder_http_fetch_end(&b->f, b->now);
    return err == ADDER_ERR_END ? status : 0;
}

static void body_is(const bench_t *b, const char *text)
{
    assert_int_equal(b->body_len, strlen(text));
    assert_memory_equal(b->body, text, b->body_len);
}

static void is_played(bench_t *b)
{
    assert_string_equal(net_script_problem(&b->script), "");
    adder_http_client_close_idle(&b->client);
    assert_int_equal(net_script_open_sockets(&b->script), 0);
}

#define GET_A "GET /a HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"
#define GET_B "GET /b HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"
#define SAYS(text, n) "HTTP/1.1 200 OK\r\nContent-Length: " n "\r\n\r\n" text
#define URL "http://192.0.2.1"

static void a_connection_is_kept(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, GET_A),
        GIVES(0, SAYS("one", "3")),
        TAKES(0, GET_B),
        GIVES(0, SAYS("two", "3")),
        CONNECT(1, "192.0.2.1:81"),
        TAKES(1, "GET / HTTP/1.1\r\nHost: 192.0.2.1:81\r\n\r\n"),
        GIVES(1, SAYS("three", "5")),
    };
    for (size_t chunk = 0; chunk < 3; chunk++) {
        bench_t b;
        SET_UP(b, steps);
        b.script.chunk = chunk;
        b.script.again = chunk > 0 ? 2 : 0; /* even: the script counts sends and receives together */
        assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
        body_is(&b, "one");
        assert_false(b.f.reused);
        assert_int_equal(fetch(&b, "GET", URL "/b"), 200);
        body_is(&b, "two");
        assert_true(b.f.reused);
        assert_int_equal(fetch(&b, "GET", URL ":81/"), 200);
        body_is(&b, "three");
        assert_int_equal(net_script_open_sockets(&b.script), 2);
        uint32_t wait;
        adder_http_client_tick(&b.client, b.now + 400, &wait);
        assert_in_range(wait, 1, 600);
        assert_int_equal(net_script_open_sockets(&b.script), 2);
        adder_http_client_tick(&b.client, b.now + 1000, &wait);
        assert_int_equal(wait, ADDER_NET_FOREVER);
        assert_int_equal(net_script_open_sockets(&b.script), 0);
        is_played(&b);
    }
}

static void one_exchange_with_the_stack_less(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A), GIVES(0, SAYS("one", "3")), TAKES(0, GET_B),
        GIVES(0, SAYS("two", "3")),
    };
    bench_t b;
    SET_UP(b, steps);
    assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
    assert_int_equal(b.script.calls, 4); /* open, connect, send, recv */
    assert_int_equal(fetch(&b, "GET", URL "/b"), 200);
    assert_int_equal(b.script.calls, 6); /* send, recv */
    is_played(&b);
}

#define POST_A "POST /a HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: 2\r\n\r\nhi"

/* /a is had; the request for /b ends the kept connection, and goes out once more on a new one. */
#define DIES_WHEN_ASKED                                                                                      \
    CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A), GIVES(0, SAYS("one", "3")), TAKES(0, GET_B),                \
        FAILS(0, ADDER_ERR_END), CONNECT(1, "192.0.2.1:80"), TAKES(1, GET_B)

static void dead_connections(void **state)
{
    (void)state;
    /* Known to be dead before: a new one at once. */
    static const net_script_step_t known[] = {
        CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A), GIVES(0, SAYS("one", "3")), FAILS(0, ADDER_ERR_END),
        CONNECT(1, "192.0.2.1:80"), TAKES(1, GET_B), GIVES(1, SAYS("two", "3")),
    };
    bench_t b;
    SET_UP(b, known);
    assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
    assert_int_equal(fetch(&b, "GET", URL "/b"), 200);
    assert_false(b.f.reused);
    is_played(&b);
    /* Found dead when the request is out: once more, on a new one. */
    static const net_script_step_t late[] = {DIES_WHEN_ASKED, GIVES(1, SAYS("two", "3"))};
    SET_UP(b, late);
    assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
    assert_int_equal(fetch(&b, "GET", URL "/b"), 200);
    body_is(&b, "two");
    is_played(&b);
    /* The new one dies as well: that is an answer. And so does one on which something had come. */
    static const net_script_step_t twice[] = {DIES_WHEN_ASKED, FAILS(1, ADDER_ERR_CLOSED)};
    SET_UP(b, twice);
    assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
    b.f.url = URL "/b";
    assert_int_equal(to_head(&b, &b.f), ADDER_ERR_CLOSED);
    assert_int_equal(b.f.why, ADDER_HTTP_WHY_CLOSED);
    adder_http_fetch_end(&b.f, b.now);
    is_played(&b);
    /* A POST is not repeated, unless the caller says so. */
    static const net_script_step_t post[] = {
        CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A),
        GIVES(0, SAYS("one", "3")), TAKES(0, POST_A),
        FAILS(0, ADDER_ERR_END),    CONNECT(1, "192.0.2.1:80"),
        TAKES(1, POST_A),           GIVES(1, SAYS("two", "3")),
    };
    for (int any = 0; any < 2; any++) {
        set_up_slots(&b, post, any ? 8 : 5, 2);
        assert_int_equal(fetch(&b, "GET", URL "/a"), 200);
        b.f.body = adder_http_payload_bytes("hi", 2);
        b.f.retry_any = any != 0;
        assert_int_equal(fetch(&b, "POST", URL "/a"), any ? 200 : 0);
        is_played(&b);
    }
}

static const adder_http_header_t headers[] = {
    {"Authorization", "Basic eA==", false},
    {"X-Key", "k", true},
    {"Content-Type", "text/plain", false},
    {"Accept", "*", false},
};
#define ALL_HEADERS "Authorization: Basic eA==\r\nX-Key: k\r\nContent-Type: text/plain\r\nAccept: *\r\n"

static void redirects(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, "POST /x/a HTTP/1.1\r\n" ALL_HEADERS "Host: 192.0.2.1\r\nContent-Length: 2\r\n\r\nhi"),
        GIVES(0, "HTTP/1.1 307 T\r\nLocation: ../b\r\nContent-Length: 4\r\n\r\ngone"),
        TAKES(0, "POST /b HTTP/1.1\r\n" ALL_HEADERS "Host: 192.0.2.1\r\nContent-Length: 2\r\n\r\nhi"),
        GIVES(0, "HTTP/1.1 302 F\r\nlocation: http://192.0.2.2/c\r\nContent-Length: 0\r\n\r\n"),
        CONNECT(1, "192.0.2.2:80"),
        TAKES(1, "GET /c HTTP/1.1\r\nAccept: *\r\nHost: 192.0.2.2\r\n\r\n"),
        GIVES(1, "HTTP/1.1 301 M\r\nLocation: http://192.0.2.1/d#x\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n0\r\n\r\n"),
        TAKES(0, "GET /d HTTP/1.1\r\nAccept: *\r\nHost: 192.0.2.1\r\n\r\n"), /* dropped stays dropped */
        GIVES(0, SAYS("end", "3")),
    };
    for (size_t chunk = 0; chunk < 2; chunk++) {
        bench_t b;
        SET_UP(b, steps);
        b.script.chunk = chunk;
        b.f.headers = headers;
        b.f.n_headers = 4;
        b.f.body = adder_http_payload_bytes("hi", 2);
        b.f.redirects = 3;
        assert_int_equal(fetch(&b, "POST", URL "/x/a"), 200);
        body_is(&b, "end");
        assert_int_equal(b.f.followed, 3);
        assert_true(adder_http_str_is(b.f.at.target, "/d"));
        is_played(&b);
    }
}

static void redirects_not_followed(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nhm", /* the limit is 0 */
        "HTTP/1.1 302 F\r\nContent-Length: 2\r\n\r\nhm",
        "HTTP/1.1 302 F\r\nLocation: ftp://a/\r\nContent-Length: 2\r\n\r\nhm",
        "HTTP/1.1 304 N\r\nLocation: /b\r\n\r\n",
    };
    for (size_t i = 0; i < 4; i++) {
        const net_script_step_t steps[] = {
            CONNECT(0, "192.0.2.1:80"),
            TAKES(0, GET_A),
            {0, NET_SCRIPT_GIVES, answers[i], strlen(answers[i]), ADDER_OK},
        };
        bench_t b;
        SET_UP(b, steps);
        b.f.redirects = i > 0;
        assert_int_equal(fetch(&b, "GET", URL "/a"), i < 3 ? 302 : 304);
        body_is(&b, i < 3 ? "hm" : "");
        is_played(&b);
    }
    static const net_script_step_t longer[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, GET_A),
        GIVES(0, "HTTP/1.1 302 F\r\nLocation: /bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"
                 "Content-Length: 0\r\n\r\n"),
    };
    bench_t b;
    SET_UP(b, longer);
    b.f.redirects = 1;
    assert_int_equal(fetch(&b, "GET", URL "/a"), 0);
    assert_int_equal(b.f.priv.err, ADDER_ERR_NOSPACE);
    assert_int_equal(b.f.why, ADDER_HTTP_WHY_URL_LONG);
    is_played(&b);
}

/* A body from a source. */
typedef struct {
    size_t at;
    unsigned rewinds;
} source_t;

static adder_err_t source_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    source_t *s = ctx;
    if (s->at == 5)
        return ADDER_ERR_END;
    *n_out = cap < 2 ? cap : s->at == 4 ? 1 : 2;
    memcpy(buf, &"abcde"[s->at], *n_out);
    s->at += *n_out;
    return ADDER_OK;
}

static adder_err_t source_rewind(void *ctx)
{
    source_t *s = ctx;
    s->at = 0;
    s->rewinds++;
    return ADDER_OK;
}

static void a_source_again(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, "PUT /a HTTP/1.1\r\nHost: 192.0.2.1\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"),
        GIVES(0, "HTTP/1.1 308 P\r\nLocation: b\r\nContent-Length: 0\r\n\r\n"),
        TAKES(0, "PUT /b HTTP/1.1\r\nHost: 192.0.2.1\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"),
        GIVES(0, SAYS("", "0")),
    };
    for (int can = 0; can < 2; can++) {
        source_t s = {0};
        bench_t b;
        set_up_slots(&b, steps, can ? 5 : 3, 2);
        b.f.redirects = 1;
        b.f.body = (adder_http_payload_t){.kind = ADDER_HTTP_BODY_CHUNKED,
                                          .source = {source_read, can ? source_rewind : NULL, &s}};
        assert_int_equal(fetch(&b, "PUT", URL "/a"), can ? 200 : 308);
        assert_int_equal(s.rewinds, can);
        is_played(&b);
    }
}

static void several_at_once(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, GET_A),
        GIVES(0, SAYS("one", "3")),
        TAKES(0, "GET /c HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"),
        GIVES(0, SAYS("three", "5")),
        CONNECT(1, "192.0.2.1:80"),
        TAKES(1, GET_B),
        GIVES(1, SAYS("two", "3")),
    };
    bench_t b;
    uint32_t wait;
    SET_UP(b, steps);
    adder_http_fetch_t x = {.method = "GET", .url = URL "/a"}, y = {.method = "GET", .url = URL "/b"},
                       z = {.method = "GET", .url = URL "/c", .timeout_ms = 500};
    assert_int_equal(to_head(&b, &x), ADDER_OK);
    assert_int_equal(to_head(&b, &y), ADDER_OK);
    assert_int_equal(adder_http_fetch_start(&z, &b.client, b.now), ADDER_OK);
    assert_int_equal(adder_http_fetch_step(&z, b.now, &wait), ADDER_ERR_AGAIN); /* both slots are busy */
    assert_in_range(wait, 1, 50);
    assert_int_equal(to_end(&b, &y), ADDER_ERR_END);
    body_is(&b, "two");
    assert_int_equal(to_end(&b, &x), ADDER_ERR_END);
    body_is(&b, "one");
    assert_int_equal(adder_http_fetch_step(&z, b.now, &wait), ADDER_ERR_AGAIN);
    adder_http_fetch_end(&x, b.now);
    assert_int_equal(adder_http_fetch_step(&z, b.now, &wait), ADDER_OK);
    assert_int_equal(to_end(&b, &z), ADDER_ERR_END);
    body_is(&b, "three");
    adder_http_fetch_end(&y, b.now);
    adder_http_fetch_end(&z, b.now);
    is_played(&b);
    /* Nobody lets go: its time is over. */
    SET_UP(b, steps);
    assert_int_equal(to_head(&b, &x), ADDER_OK);
    assert_int_equal(to_head(&b, &y), ADDER_OK);
    assert_int_equal(to_head(&b, &z), ADDER_ERR_TIMEOUT);
    adder_http_fetch_end(&x, b.now);
    adder_http_fetch_end(&y, b.now);
    adder_http_fetch_end(&z, b.now);
    assert_int_equal(net_script_open_sockets(&b.script), 0); /* bodies unread: not kept */
}

static void time_outs(void **state)
{
    (void)state;
    static const net_script_step_t silent[] = {CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A)};
    static const net_script_step_t half[] = {CONNECT(0, "192.0.2.1:80"), TAKES(0, GET_A),
                                             GIVES(0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")};
    bench_t b;
    SET_UP(b, silent);
    b.f.timeout_ms = 200;
    b.f.method = "GET";
    b.f.url = URL "/a";
    uint32_t from = b.now;
    assert_int_equal(to_head(&b, &b.f), ADDER_ERR_TIMEOUT);
    assert_int_equal(b.now - from, 200);
    adder_http_fetch_end(&b.f, b.now);
    is_played(&b);
    SET_UP(b, half);
    b.f.timeout_ms = 200;
    b.f.method = "GET";
    b.f.url = URL "/a";
    assert_int_equal(to_head(&b, &b.f), ADDER_OK);
    assert_int_equal(to_end(&b, &b.f), ADDER_ERR_TIMEOUT);
    assert_int_equal(b.body_len, 4);
    adder_http_fetch_end(&b.f, b.now);
    is_played(&b);
    SET_UP(b, silent);
    b.f.deadline_ms = 50;
    b.f.method = "GET";
    b.f.url = URL "/a";
    from = b.now;
    assert_int_equal(to_head(&b, &b.f), ADDER_ERR_TIMEOUT);
    assert_int_equal(b.now - from, 50);
    adder_http_fetch_end(&b.f, b.now);
    is_played(&b);
}

static void expect(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, "PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nHost: 192.0.2.1\r\nContent-Length: 2\r\n\r\n"),
        TAKES(0, "hi"),
        GIVES(0, SAYS("", "0")),
    };
    bench_t b;
    SET_UP(b, steps);
    b.f.expect = true;
    b.f.body = adder_http_payload_bytes("hi", 2);
    uint32_t from = b.now;
    assert_int_equal(fetch(&b, "PUT", URL "/a"), 200);
    assert_in_range(b.now - from, 1000, 1010); /* the server never said 100 */
    is_played(&b);
}

static void refused_here(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {CONNECT(0, "192.0.2.1:80")};
    bench_t b;
    adder_http_client_config_t config = {.slots = b.slots, .n_slots = 1, .slot_bytes = 1023};
    assert_int_equal(adder_http_client_init(&b.client, &config), ADDER_ERR_ARG);
    SET_UP(b, steps);
    adder_http_fetch_t f = {.method = "GET", .url = "ftp://a"};
    assert_int_equal(adder_http_fetch_start(&f, &b.client, 0), ADDER_ERR_UNSUPPORTED);
    f.url = NULL;
    assert_int_equal(adder_http_fetch_start(&f, &b.client, 0), ADDER_ERR_ARG);
    uint32_t wait;
    size_t n;
    assert_int_equal(adder_http_fetch_step(&f, 0, &wait), ADDER_ERR_STATE);
    assert_int_equal(adder_http_fetch_read(&f, b.body, 1, &n, 0), ADDER_ERR_STATE);
    adder_http_header_t bad = {"Bad", "a\nb", false};
    f = (adder_http_fetch_t){.method = "GET", .url = URL, .headers = &bad, .n_headers = 1};
    assert_int_equal(to_head(&b, &f), ADDER_ERR_ARG);
    assert_int_equal(f.why, ADDER_HTTP_WHY_VALUE);
    adder_http_fetch_end(&f, 0);
    is_played(&b);
}

/* Every exchange with the stack failing in turn, in bytes and at once: the right answer, or the cause. */
static void each_call_failing(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        CONNECT(0, "192.0.2.1:80"),
        TAKES(0, GET_A),
        GIVES(0, SAYS("one", "3")),
        TAKES(0, GET_B),
        GIVES(0, "HTTP/1.1 302 F\r\nLocation: /a\r\nContent-Length: 2\r\n\r\nhm"),
        TAKES(0, GET_A),
        GIVES(0, SAYS("end", "3")),
    };
    for (size_t chunk = 0; chunk < 2; chunk++) {
        for (size_t at = 0;; at++) {
            bench_t b;
            SET_UP(b, steps);
            b.script.chunk = chunk;
            b.script.fail_at = at;
            b.script.failure = at % 2 ? ADDER_ERR_CLOSED : ADDER_ERR_NOMEM;
            b.f.redirects = 1;
            unsigned first = fetch(&b, "GET", URL "/a"), second = 0;
            if (first == 200) {
                body_is(&b, "one");
                second = fetch(&b, "GET", URL "/b");
                if (second == 200)
                    body_is(&b, "end");
            }
            bool fired = b.script.calls > at;
            assert_true(first == 200 || (first == 0 && fired));
            assert_true(second == 200 || (second == 0 && fired));
            adder_http_client_close_idle(&b.client);
            assert_int_equal(net_script_open_sockets(&b.script), 0);
            if (!fired) {
                is_played(&b);
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_kept),
        cmocka_unit_test(one_exchange_with_the_stack_less),
        cmocka_unit_test(dead_connections),
        cmocka_unit_test(redirects),
        cmocka_unit_test(redirects_not_followed),
        cmocka_unit_test(a_source_again),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(time_outs),
        cmocka_unit_test(expect),
        cmocka_unit_test(refused_here),
        cmocka_unit_test(each_call_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
