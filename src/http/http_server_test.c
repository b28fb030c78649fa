/* The server over a scripted stack: routes, bodies, refusals, time, connections, failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http_server.h"
#include "src/http/test_net.h"
#include "src/net/script.h"

#define LEN(s) (sizeof(s) - 1)
#define ACCEPT                                                                                               \
    {                                                                                                        \
        0, NET_SCRIPT_ACCEPT, NULL, 0, ADDER_OK                                                              \
    }
#define SAYS(sock, text)                                                                                     \
    {                                                                                                        \
        sock, NET_SCRIPT_GIVES, text, LEN(text), ADDER_OK                                                    \
    }
#define HEARS(sock, text)                                                                                    \
    {                                                                                                        \
        sock, NET_SCRIPT_TAKES, text, LEN(text), ADDER_OK                                                    \
    }
#define ENDS(sock)                                                                                           \
    {                                                                                                        \
        sock, NET_SCRIPT_FAILS, NULL, 0, ADDER_ERR_END                                                       \
    }

typedef struct {
    net_script_t script;
    adder_net_t net;
    adder_http_server_config_t config;
    adder_http_server_t server;
    adder_http_call_t calls[2];
    uint8_t memory[2][1024];
    uint32_t now;
    char seen[600]; /* what handlers saw */
    unsigned open;  /* REQUESTs without DONE */
    unsigned busy;  /* AGAIN to so many BODYs */
    adder_http_call_t *later;
    const char *source;
} bench_t;

static void note(bench_t *b, const char *text, size_t len)
{
    size_t n = strlen(b->seen);
    assert_true(n + len < sizeof b->seen);
    memcpy(b->seen + n, text, len);
    b->seen[n + len] = '\0';
}

/* REQUEST: R, DONE: D or L; bodies as they are, whatever the pieces. */
static adder_err_t watch(bench_t *b, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                         size_t len)
{
    switch (what) {
    case ADDER_HTTP_SERVE_REQUEST:
        assert_null(call->user);
        call->user = b;
        b->open++;
        note(b, "R", 1);
        break;
    case ADDER_HTTP_SERVE_BODY:
        assert_true(len > 0);
        if (b->busy > 0) {
            b->busy--;
            return ADDER_ERR_AGAIN;
        }
        note(b, (const char *)bytes, len);
        break;
    case ADDER_HTTP_SERVE_END:
        note(b, "E", 1);
        break;
    default:
        assert_true(call->user == b);
        assert_int_equal(adder_http_call_reply(call, 200, NULL, "x", 1), ADDER_ERR_STATE);
        b->open--;
        note(b, call->lost ? "L" : "D", 1);
    }
    return ADDER_OK;
}

static adder_err_t hello(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                         size_t len)
{
    adder_err_t err = watch(ctx, call, what, bytes, len);
    if (err == ADDER_OK && what == ADDER_HTTP_SERVE_END)
        err = adder_http_call_reply(call, 200, "text/plain", "hello", 5);
    return err;
}

static adder_err_t early(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                         size_t len)
{
    adder_err_t err = watch(ctx, call, what, bytes, len);
    return what == ADDER_HTTP_SERVE_REQUEST ? adder_http_call_reply(call, 403, NULL, NULL, 0) : err;
}

static adder_err_t broken(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                          size_t len)
{
    adder_err_t err = watch(ctx, call, what, bytes, len);
    return what == ADDER_HTTP_SERVE_END ? ADDER_ERR_IO : err;
}

static adder_err_t deferred(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                            size_t len)
{
    bench_t *b = ctx;
    if (what == ADDER_HTTP_SERVE_END)
        b->later = call;
    return watch(b, call, what, bytes, len);
}

static adder_err_t details(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                           size_t len)
{
    bench_t *b = ctx;
    char text[64];
    size_t n;
    if (what == ADDER_HTTP_SERVE_END) {
        note(b, call->param[0], strlen(call->param[0]));
        note(b, "|", 1);
        note(b, call->param[1], strlen(call->param[1]));
        assert_null(call->param[2]);
        note(b, call->path, strlen(call->path));
        assert_int_equal(adder_http_form_get(call->query, "q", text, sizeof text, &n), ADDER_OK);
        note(b, text, n);
        adder_http_str_t h = adder_http_call_header(call, "x-two");
        note(b, h.at, h.len);
        assert_null(adder_http_call_header(call, "X").at);
        return adder_http_call_reply(call, 204, NULL, NULL, 0);
    }
    return watch(b, call, what, bytes, len);
}

static adder_err_t source_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    bench_t *b = ctx;
    size_t n = strlen(b->source);
    if (n == 0)
        return ADDER_ERR_END;
    *n_out = n < cap ? n : cap;
    memcpy(buf, b->source, *n_out);
    b->source += *n_out;
    return ADDER_OK;
}

static adder_err_t streamed(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                            size_t len)
{
    bench_t *b = ctx;
    if (what == ADDER_HTTP_SERVE_END) {
        static const adder_http_header_t more = {"X-A", "b", false};
        adder_http_payload_t body = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = {source_read, NULL, b}};
        b->source = "streamed";
        return adder_http_call_answer(call, 200, "text/x", &more, 1, &body);
    }
    return watch(b, call, what, bytes, len);
}

static void set_up(bench_t *b, const net_script_step_t *steps, size_t n_steps)
{
    static adder_http_route_t routes[8];
    memset(b, 0, sizeof *b);
    routes[0] = (adder_http_route_t){"GET", "/hello", hello, b};
    routes[1] = (adder_http_route_t){"POST", "/hello", hello, b};
    routes[2] = (adder_http_route_t){"PUT", "/early", early, b};
    routes[3] = (adder_http_route_t){"GET", "/broken", broken, b};
    routes[4] = (adder_http_route_t){"GET", "/later", deferred, b};
    routes[5] = (adder_http_route_t){"*", "/d/<one>/x/<two>", details, b};
    routes[6] = (adder_http_route_t){"GET", "/streamed", streamed, b};
    routes[7] = (adder_http_route_t){"GET", "/files/*", hello, b};
    net_script_init(&b->script, steps, n_steps);
    b->net = net_script_net(&b->script);
    b->now = UINT32_MAX - 50;
    b->config = (adder_http_server_config_t){.net = &b->net,
                                             .at = {.port = 80},
                                             .routes = routes,
                                             .n_routes = 8,
                                             .calls = b->calls,
                                             .n_calls = 2,
                                             .memory = b->memory[0],
                                             .call_bytes = sizeof b->memory[0],
                                             .body_max = 20};
}

static void run(bench_t *b, unsigned ticks)
{
    uint32_t wait;
    for (unsigned i = 0; i < ticks; i++) {
        assert_int_equal(adder_http_server_tick(&b->server, b->now, &wait), ADDER_OK);
        b->now += wait < 5 ? wait : 1;
    }
}

static void start(bench_t *b)
{
    assert_int_equal(adder_http_server_start(&b->server, &b->config), ADDER_OK);
}

static void is_over(bench_t *b)
{
    adder_http_server_stop(&b->server);
    adder_http_server_stop(&b->server);
    assert_int_equal(net_script_open_sockets(&b->script), 0);
    assert_int_equal(b->open, 0);
}

/* A conversation on one connection, in pieces and at once: the same. */
static void talk_is(const char *client, const char *server, const char *seen)
{
    for (size_t chunk = 0; chunk < 4; chunk++) {
        uint8_t took[1024];
        test_net_t t = {.peer = test_peer(client, strlen(client), took, sizeof took)};
        bench_t b;
        set_up(&b, NULL, 0);
        b.net = test_net(&t);
        t.peer.chunk = chunk;
        t.peer.again = chunk == 3 ? 2 : 0;
        start(&b);
        run(&b, 1500);
        if (t.peer.took_len != strlen(server) || memcmp(took, server, t.peer.took_len) != 0)
            fail_msg("%s: %.*s", client, (int)t.peer.took_len, (const char *)took);
        assert_string_equal(b.seen, seen);
        assert_false(t.connected);
        is_over(&b);
        assert_false(t.listening);
    }
}

#define H "Host: a\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static void requests(void **state)
{
    (void)state;
    talk_is("GET /hello HTTP/1.1\r\n" H "\r\n", HELLO, "RED");
    talk_is("GET /hello HTTP/1.1\r\n" H "\r\nGET /files/a/b HTTP/1.1\r\n" H "\r\n", HELLO HELLO, "REDRED");
    talk_is("HEAD /hello HTTP/1.1\r\n" H "\r\nGET http://a/hello HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n" HELLO, "REDRED");
    talk_is("POST /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\n" H "\r\n",
            HELLO HELLO, "RabcEDRED");
    talk_is("POST /hello HTTP/1.1\r\n" H
            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
            HELLO, "RabcED");
    talk_is(
        "GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        "RED");
    talk_is(
        "GET /hello HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        "RED");
    talk_is("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: "
            "5\r\n\r\nhello",
            "RED");
    talk_is("PROPFIND /d/%41%2f+/x/b?q=1%202 HTTP/1.1\r\n" H "X-One: 1\r\nX-Two:  2 \r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n", "RA/+|b/d/A/+/x/b1 22D");
    talk_is("GET /streamed HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
            "8\r\nstreamed\r\n0\r\n\r\n",
            "RD");
    talk_is("GET /streamed HTTP/1.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nX-A: b\r\nConnection: close\r\n\r\nstreamed", "RD");
    talk_is("HEAD /streamed HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n", "RD");
}

#define REFUSAL(line, n, text)                                                                               \
    "HTTP/1.1 " line "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: " n "\r\n\r"      \
    "\n" text

static void refusals(void **state)
{
    (void)state;
    static const char not_found[] =
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNot Found";
    talk_is("GET /none HTTP/1.1\r\n" H "\r\n", not_found, "");
    talk_is("GET /hello/ HTTP/1.1\r\n" H "\r\n", not_found, "");
    talk_is("GET /d//x/b HTTP/1.1\r\n" H "\r\n", not_found, "");
    talk_is("GET /files HTTP/1.1\r\n" H "\r\n", not_found, "");
    talk_is("POST /none HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab", not_found, "");
    talk_is("DELETE /hello HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nAllow: GET, HEAD, POST\r\n"
            "Content-Length: 18\r\n\r\nMethod Not Allowed",
            "");
    talk_is("get /hello HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nAllow: GET, HEAD, POST\r\n"
            "Content-Length: 18\r\n\r\nMethod Not Allowed" HELLO,
            "RED");
    talk_is("rubbish\r\n\r\n", REFUSAL("400 Bad Request", "11", "Bad Request"), "");
    talk_is("GET /hello HTTP/1.1\r\n\r\n", REFUSAL("400 Bad Request", "11", "Bad Request"), "");
    talk_is("GET /%zz HTTP/1.1\r\n" H "\r\n", REFUSAL("400 Bad Request", "11", "Bad Request"), "");
    talk_is("GET /%00 HTTP/1.1\r\n" H "\r\n", REFUSAL("400 Bad Request", "11", "Bad Request"), "");
    talk_is("GET /hello HTTP/2.0\r\n" H "\r\n",
            REFUSAL("505 HTTP Version Not Supported", "26", "HTTP Version Not Supported"), "");
    talk_is("POST /hello HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n",
            REFUSAL("501 Not Implemented", "15", "Not Implemented"), "");
    talk_is("POST /hello HTTP/1.1\r\n" H "Content-Length: 21\r\n\r\n",
            REFUSAL("413 Content Too Large", "17", "Content Too Large"), "");
    talk_is("POST /hello HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\nx\r\n",
            REFUSAL("400 Bad Request", "11", "Bad Request"), "R12345678L");
    talk_is("POST /hello HTTP/1.1\r\n" H "Expect: tea\r\nContent-Length: 1\r\n\r\nx",
            REFUSAL("417 Expectation Failed", "18", "Expectation Failed"), "");
    talk_is("GET /broken HTTP/1.1\r\n" H "\r\n",
            REFUSAL("500 Internal Server Error", "21", "Internal Server Error"), "REL");
    char longer[700] = "GET /";
    memset(longer + 5, 'a', 600);
    memcpy(longer + 605, " HTTP/1.1\r\n\r\n", 14);
    talk_is(longer, REFUSAL("414 URI Too Long", "12", "URI Too Long"), "");
    memcpy(longer, "GET /hello HTTP/1.1\r\nX:", 23);
    talk_is(longer, REFUSAL("431 Request Header Fields Too Large", "31", "Request Header Fields Too Large"),
            "");
}

static void methods_unknown(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "BREW /hello HTTP/1.1\r\n" H "\r\n"),
        HEARS(1, "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\nNot "
                 "Implemented"),
    };
    bench_t b;
    set_up(&b, steps, 3);
    b.config.n_routes = 5; /* none for any method */
    start(&b);
    run(&b, 5);
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
}

static void hosts(void **state)
{
    (void)state;
    static const char *const names[] = {"device.local", "192.0.2.10"};
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "GET /hello HTTP/1.1\r\nHost: Device.Local:8080\r\n\r\n"),
        HEARS(1, HELLO),
        SAYS(1, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        HEARS(1, "HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n"
                 "Misdirected Request"),
    };
    bench_t b;
    set_up(&b, steps, 5);
    b.config.hosts = names;
    b.config.n_hosts = 2;
    start(&b);
    run(&b, 5);
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
}

static void expect_continue(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "POST /hello HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
        HEARS(1, "HTTP/1.1 100 Continue\r\n\r\n"),
        SAYS(1, "abc"),
        HEARS(1, HELLO),
        SAYS(1, "PUT /early HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
        HEARS(1, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        ENDS(1),
    };
    for (size_t chunk = 0; chunk < 3; chunk++) {
        bench_t b;
        set_up(&b, steps, 8);
        b.script.chunk = chunk;
        start(&b);
        run(&b, 60);
        assert_string_equal(net_script_problem(&b.script), "");
        assert_string_equal(b.seen, "RabcEDRD");
        is_over(&b);
    }
    /* Who does not wait gets no 100, and an early answer's rest is read away. */
    talk_is("PUT /early HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\n" H "\r\n",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" HELLO, "RDRED");
}

static void a_busy_handler(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "POST /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
        HEARS(1, HELLO),
        ENDS(1),
    };
    bench_t b;
    uint32_t wait;
    set_up(&b, steps, 4);
    b.busy = 3;
    start(&b);
    assert_int_equal(adder_http_server_tick(&b.server, b.now, &wait), ADDER_OK);
    assert_in_range(wait, 1, 50);
    assert_string_equal(b.seen, "R");
    run(&b, 5);
    assert_string_equal(b.seen, "RabcED");
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
}

static void an_answer_later(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "GET /later HTTP/1.1\r\n" H "\r\n"),
        HEARS(1, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
    };
    bench_t b;
    uint32_t wait;
    static const adder_http_header_t bad = {"X", "\n", false};
    set_up(&b, steps, 3);
    start(&b);
    run(&b, 5);
    assert_int_equal(adder_http_server_tick(&b.server, b.now + 1000000, &wait),
                     ADDER_OK); /* it may take its time */
    assert_string_equal(b.seen, "RE");
    adder_http_payload_t body = adder_http_payload_bytes("x", 1);
    assert_int_equal(adder_http_call_answer(b.later, 200, NULL, &bad, 1, NULL), ADDER_ERR_ARG);
    assert_int_equal(adder_http_call_answer(b.later, 204, NULL, NULL, 0, &body), ADDER_ERR_ARG);
    assert_int_equal(adder_http_call_answer(b.later, 100, NULL, NULL, 0, NULL), ADDER_ERR_ARG);
    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(adder_http_call_reply(b.later, 200, longer, "x", 1), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_http_call_reply(b.later, 200, NULL, "x", 1), ADDER_OK);
    assert_int_equal(adder_http_call_reply(b.later, 200, NULL, "x", 1), ADDER_ERR_STATE);
    run(&b, 2);
    assert_string_equal(b.seen, "RED");
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
}

static void time_outs(void **state)
{
    (void)state;
    /* A head that trickles; a body that stops; a client that says nothing; one that does not read. */
    static const net_script_step_t trickle[] = {
        ACCEPT,
        SAYS(1, "GET /hello HTTP/1.1\r\nHo"),
        HEARS(1, REFUSAL("408 Request Timeout", "15", "Request Timeout")),
    };
    static const net_script_step_t stops[] = {
        ACCEPT,
        SAYS(1, "POST /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"),
        HEARS(1, REFUSAL("408 Request Timeout", "15", "Request Timeout")),
    };
    bench_t b;
    uint32_t wait;
    for (int i = 0; i < 2; i++) {
        set_up(&b, i == 0 ? trickle : stops, 3);
        b.config.head_ms = 300;
        b.config.body_ms = 500;
        start(&b);
        uint32_t from = b.now, limit = i == 0 ? 300 : 500;
        assert_int_equal(adder_http_server_tick(&b.server, b.now, &wait), ADDER_OK);
        assert_int_equal(wait, limit);
        assert_int_equal(adder_http_server_tick(&b.server, from + limit - 1, &wait), ADDER_OK);
        assert_int_equal(wait, 1);
        assert_string_equal(net_script_problem(&b.script), "the script was not played to its end");
        assert_int_equal(adder_http_server_tick(&b.server, from + limit, &wait), ADDER_OK);
        assert_string_equal(net_script_problem(&b.script), "");
        assert_string_equal(b.seen, i == 0 ? "" : "RabL");
        assert_int_equal(net_script_open_sockets(&b.script), 2); /* lingers for the answer's sake */
        assert_int_equal(adder_http_server_tick(&b.server, from + limit + 1000, &wait), ADDER_OK);
        assert_int_equal(net_script_open_sockets(&b.script), 1);
        is_over(&b);
    }
    static const net_script_step_t silent[] = {ACCEPT};
    set_up(&b, silent, 1);
    b.config.idle_ms = 200;
    start(&b);
    assert_int_equal(adder_http_server_tick(&b.server, b.now, &wait), ADDER_OK);
    assert_int_equal(wait, 200);
    assert_int_equal(adder_http_server_tick(&b.server, b.now + 200, &wait), ADDER_OK);
    assert_int_equal(net_script_open_sockets(&b.script), 1);
    is_over(&b);
    static const net_script_step_t deaf[] = {ACCEPT, SAYS(1, "GET /hello HTTP/1.1\r\n" H "\r\n")};
    set_up(&b, deaf, 2);
    b.config.stall_ms = 200;
    start(&b);
    assert_int_equal(adder_http_server_tick(&b.server, b.now, &wait),
                     ADDER_OK); /* the script takes nothing: an error */
    assert_string_equal(b.seen, "REL");
    is_over(&b);
}

static void connections(void **state)
{
    (void)state;
    /* Two calls, three clients: the third takes the place of the first, which has had its turn. */
    static const net_script_step_t steps[] = {
        ACCEPT,
        ACCEPT,
        SAYS(1, "GET /hello HTTP/1.1\r\n" H "\r\n"),
        HEARS(1, HELLO),
        SAYS(2, "GET /later HTTP/1.1\r\n" H "\r\n"),
        ACCEPT,
        SAYS(3, "GET /hello HTTP/1.1\r\n" H "\r\n"),
        HEARS(3, HELLO),
        HEARS(2, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
    };
    bench_t b;
    set_up(&b, steps, 9);
    start(&b);
    run(&b, 5);
    assert_int_equal(net_script_open_sockets(&b.script), 3); /* the listener and two */
    assert_int_equal(adder_http_call_reply(b.later, 200, NULL, "x", 1), ADDER_OK);
    run(&b, 5);
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
    /* Stopped in the middle: the handler hears of it. */
    set_up(&b, steps, 9);
    start(&b);
    run(&b, 5);
    assert_int_equal(b.open, 1);
    is_over(&b);
    uint32_t wait;
    assert_int_equal(adder_http_server_tick(&b.server, b.now, &wait), ADDER_ERR_STATE);
}

static void arguments(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, NULL, 0);
    b.config.call_bytes = 511;
    assert_int_equal(adder_http_server_start(&b.server, &b.config), ADDER_ERR_ARG);
    b.config.call_bytes = 512;
    b.config.n_calls = 0;
    assert_int_equal(adder_http_server_start(&b.server, &b.config), ADDER_ERR_ARG);
    b.config.n_calls = 1;
    adder_net_ops_t ops = *b.net.ops;
    ops.listen = NULL;
    adder_net_t none = {&ops, &b.script};
    b.config.net = &none;
    assert_int_equal(adder_http_server_start(&b.server, &b.config), ADDER_ERR_UNSUPPORTED);
    b.config.net = &b.net;
    start(&b);
    assert_int_equal(adder_http_server_port(&b.server), 80);
    is_over(&b);
    assert_int_equal(adder_http_server_port(&b.server), 0);
    assert_string_equal(adder_http_reason(299), "");
}

/* Every exchange with the stack failing in turn: other connections go on, handlers get their DONE. */
static void each_call_failing(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        ACCEPT,
        SAYS(1, "POST /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
        HEARS(1, HELLO),
        SAYS(1, "GET /streamed HTTP/1.1\r\n" H "\r\n"),
        HEARS(1, "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "8\r\nstreamed\r\n0\r\n\r\n"),
        ENDS(1),
    };
    for (size_t chunk = 0; chunk < 2; chunk++) {
        for (size_t at = 0;; at++) {
            bench_t b;
            uint32_t wait;
            set_up(&b, steps, 6);
            b.script.chunk = chunk;
            b.script.fail_at = at;
            adder_err_t err = adder_http_server_start(&b.server, &b.config);
            assert_true(err == ADDER_OK || (err == ADDER_ERR_IO && at == 0));
            for (unsigned i = 0; i < 60 && err == ADDER_OK; i++)
                err = adder_http_server_tick(&b.server, b.now++, &wait);
            bool fired = b.script.calls > at;
            if (err == ADDER_OK && fired) {
                assert_int_equal(b.open, 0);
                assert_int_equal(net_script_open_sockets(&b.script), 1);
            }
            if (!fired)
                assert_string_equal(net_script_problem(&b.script), "");
            if (at > 0)
                is_over(&b);
            assert_int_equal(net_script_open_sockets(&b.script), 0);
            if (at > 600 || strcmp(b.seen, "RabcEDRD") == 0)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),          cmocka_unit_test(refusals),
        cmocka_unit_test(methods_unknown),   cmocka_unit_test(hosts),
        cmocka_unit_test(expect_continue),   cmocka_unit_test(a_busy_handler),
        cmocka_unit_test(an_answer_later),   cmocka_unit_test(time_outs),
        cmocka_unit_test(connections),       cmocka_unit_test(arguments),
        cmocka_unit_test(each_call_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
