/* One exchange: what goes out, what comes in, in how many calls, and what of it survives every failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http_exchange.h"
#include "src/http/test_peer.h"

#define LEN(s) (sizeof(s) - 1)

/* A body that comes in pieces. */
typedef struct {
    const char *text;
    size_t len, at, piece;
    unsigned again, agains;
    adder_err_t end;
} text_source_t;

static adder_err_t text_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    text_source_t *t = ctx;
    size_t n = t->len - t->at;
    if (t->agains++ < t->again)
        return ADDER_ERR_AGAIN;
    t->agains = 0;
    if (n == 0)
        return t->end;
    n = n < t->piece ? n : t->piece;
    n = n < cap ? n : cap;
    memcpy(buf, t->text + t->at, n);
    t->at += n;
    *n_out = n;
    return ADDER_OK;
}

typedef struct {
    const char *method;
    adder_http_payload_t body;
    bool expect;
    size_t in_cap, read_cap;
    adder_err_t head_err; /* what on_head says to the first header */
    /* results */
    char headers[512];
    uint8_t got[4096];
    size_t got_len;
    unsigned steps;
    unsigned status;
    adder_http_exchange_t x;
    char out[160], line[128];
    uint8_t in[2048];
} run_t;

static adder_err_t on_head(void *ctx, const adder_http_head_t *head, const adder_http_event_t *ev)
{
    run_t *r = ctx;
    if (ev->kind == ADDER_HTTP_EV_START)
        r->status = head->status;
    if (ev->kind == ADDER_HTTP_EV_HEADER && r->head_err != ADDER_OK)
        return r->head_err;
    strncat(r->headers, ev->name.at != NULL ? ev->name.at : "", ev->name.len);
    strcat(r->headers, "=");
    strncat(r->headers, ev->value.at != NULL ? ev->value.at : "", ev->value.len);
    strcat(r->headers, ";");
    return ADDER_OK;
}

/* To the end or the error. A stall (AGAIN for ever) is TIMEOUT. */
static adder_err_t run(run_t *r, test_peer_t *p)
{
    adder_url_t url;
    adder_http_writer_t w;
    size_t n;
    adder_err_t err;
    assert_int_equal(adder_url_parse("http://a/p", 10, &url, NULL), ADDER_OK);
    adder_http_write_request(&w, r->out, sizeof r->out, r->method, &url);
    if (r->expect)
        adder_http_write_header(&w, "Expect", "100-continue");
    assert_int_equal(adder_http_write_head_end(&w, r->body.kind, r->body.length, &n), ADDER_OK);
    adder_http_exchange_config_t c = {.out = r->out,
                                      .out_cap = sizeof r->out,
                                      .in = r->in,
                                      .in_cap = r->in_cap > 0 ? r->in_cap : sizeof r->in,
                                      .line = r->line,
                                      .line_cap = sizeof r->line,
                                      .on_head = on_head,
                                      .ctx = r,
                                      .expect = r->expect};
    adder_http_exchange_start(&r->x, &c, test_peer_stream(p), &w, n, r->method, &r->body);
    size_t cap = r->read_cap > 0 ? r->read_cap : sizeof r->got;
    assert_int_equal(adder_http_exchange_read(&r->x, r->got, cap, &n), ADDER_ERR_STATE);
    r->steps = 0;
    r->got_len = 0;
    unsigned idle = 0;
    while ((err = adder_http_exchange_step(&r->x)) == ADDER_ERR_AGAIN) {
        r->steps++;
        assert_int_not_equal(adder_http_exchange_wants(&r->x), 0);
        if (++idle > 30000)
            return ADDER_ERR_TIMEOUT;
    }
    if (err != ADDER_OK) {
        assert_int_equal(adder_http_exchange_step(&r->x), err); /* it stays */
        assert_int_equal(adder_http_exchange_read(&r->x, r->got, cap, &n), err);
        assert_false(adder_http_exchange_keep(&r->x));
        return err;
    }
    assert_int_equal(adder_http_exchange_step(&r->x), ADDER_OK);
    for (;;) {
        size_t room = sizeof r->got - r->got_len;
        err = adder_http_exchange_read(&r->x, r->got + r->got_len, cap < room ? cap : room, &n);
        assert_true(err == ADDER_OK ? n > 0 : n == 0);
        r->got_len += n;
        if (err == ADDER_ERR_AGAIN && ++idle > 30000)
            return ADDER_ERR_TIMEOUT;
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
            break;
    }
    assert_int_equal(adder_http_exchange_read(&r->x, r->got, cap, &n), err);
    assert_true(p->dead_calls <= 1); /* a failed send: its reason may have come */
    if (err != ADDER_ERR_END)
        assert_false(adder_http_exchange_keep(&r->x));
    return err;
}

static void assert_text(const void *at, size_t len, const char *want)
{
    assert_int_equal(len, strlen(want));
    assert_memory_equal(at, want, len);
}

#define GET "GET /p HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\n\r\nhello"

static void a_small_get_is_one_send_and_one_recv(void **state)
{
    (void)state;
    uint8_t took[256];
    run_t r = {.method = "GET"};
    test_peer_t p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
    p.behind = LEN(GET);
    assert_int_equal(run(&r, &p), ADDER_ERR_END);
    assert_text(took, p.took_len, GET);
    assert_text(r.got, r.got_len, "hello");
    assert_string_equal(r.headers, "=OK;Content-Length=5;X=1;");
    assert_int_equal(p.sends, 1);
    assert_int_equal(p.recvs, 1);
    assert_int_equal(p.calls, 2); /* not even one that says AGAIN */
    assert_int_equal(r.steps, 0);
    assert_true(adder_http_exchange_keep(&r.x));
}

static void a_small_post_is_one_send(void **state)
{
    (void)state;
    uint8_t took[256];
    run_t r = {.method = "POST", .body = adder_http_payload_bytes("abc", 3)};
    test_peer_t p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
    assert_int_equal(run(&r, &p), ADDER_ERR_END);
    assert_text(took, p.took_len, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_int_equal(p.calls, 2);
    /* One from a source and one in chunks as well. */
    text_source_t t = {.text = "abc", .len = 3, .piece = 1, .end = ADDER_ERR_END};
    run_t s = {.method = "POST",
               .body = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = {.read = text_read, .ctx = &t}}};
    p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
    assert_int_equal(run(&s, &p), ADDER_ERR_END);
    assert_text(took, p.took_len,
                "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_int_equal(p.calls, 2);
}

static uint8_t megabyte[1u << 17];

static void a_long_body_takes_few_calls(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 131026\r\n\r\n";
    uint8_t took[64], block[4096];
    memset(megabyte, 'x', sizeof megabyte);
    memcpy(megabyte, head, LEN(head));
    size_t total = LEN(head) + 131026, n, sum = 0;
    test_peer_t p = test_peer(megabyte, total, took, sizeof took);
    run_t r = {.method = "GET"};
    adder_url_t url;
    adder_http_writer_t w;
    assert_int_equal(adder_url_parse("http://a/p", 10, &url, NULL), ADDER_OK);
    adder_http_write_request(&w, r.out, sizeof r.out, "GET", &url);
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_OK);
    adder_http_exchange_config_t c = {.out = r.out,
                                      .out_cap = sizeof r.out,
                                      .in = r.in,
                                      .in_cap = 512,
                                      .line = r.line,
                                      .line_cap = sizeof r.line};
    adder_http_exchange_start(&r.x, &c, test_peer_stream(&p), &w, n, "GET", NULL);
    assert_int_equal(adder_http_exchange_step(&r.x), ADDER_OK);
    while (adder_http_exchange_read(&r.x, block, sizeof block, &n) == ADDER_OK)
        sum += n;
    assert_int_equal(sum, 131026);
    /* One send, one block of `in`, then the rest in the caller's blocks: not one call more. */
    assert_int_equal(p.calls, 2 + (total - 512 + sizeof block - 1) / sizeof block);
    assert_true(adder_http_exchange_keep(&r.x));
    /* Bytes one at a time: it stops for others' sake, and says that it has not to wait. */
    p = test_peer(megabyte, total, took, sizeof took);
    p.chunk = 1;
    adder_http_exchange_start(&r.x, &c, test_peer_stream(&p), &w, LEN(GET), "GET", NULL);
    assert_int_equal(adder_http_exchange_step(&r.x), ADDER_ERR_AGAIN);
    assert_true(adder_http_exchange_wants(&r.x) & ADDER_HTTP_WANTS_NOW);
    /* A caller of single bytes does not make a call of each. */
    p = test_peer(megabyte, total, took, sizeof took);
    adder_http_exchange_start(&r.x, &c, test_peer_stream(&p), &w, LEN(GET), "GET", NULL);
    assert_int_equal(adder_http_exchange_step(&r.x), ADDER_OK);
    for (sum = 0; adder_http_exchange_read(&r.x, block, 1, &n) == ADDER_OK; sum += n)
        assert_int_equal(block[0], 'x');
    assert_int_equal(sum, 131026);
    assert_in_range(p.calls, 2, 2 + total / 512 + 1);
}

#define CHUNKED                                                                                              \
    "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"             \
    "5;a=b\r\nhello\r\n1\r\n \r\n00c\r\nbig wide wor\r\n2\r\nld\r\n0\r\nT: 2\r\n\r\n"
#define UNTIL_CLOSE "HTTP/1.0 200 OK\r\n\r\nhello big wide world"

/* Whatever the pieces: the same head, the same body, the same end. */
static void pieces_make_no_difference(void **state)
{
    (void)state;
    uint8_t took[512];
    for (unsigned again = 0; again < 3; again++) {
        for (size_t chunk = 0; chunk < 40; chunk++) {
            for (size_t cap = 1; cap < 30; cap += 4) {
                run_t r = {.method = "GET", .in_cap = 32 + cap, .read_cap = cap};
                test_peer_t p = test_peer(CHUNKED, LEN(CHUNKED), took, sizeof took);
                p.again = again;
                p.chunk = chunk;
                assert_int_equal(run(&r, &p), ADDER_ERR_END);
                assert_text(r.got, r.got_len, "hello big wide world");
                assert_string_equal(r.headers, "=OK;Transfer-Encoding=chunked;T=2;");
                assert_true(adder_http_exchange_keep(&r.x));
                assert_int_equal(r.x.head->interim, 103);
                memset(&r.headers, 0, sizeof r.headers);
                p = test_peer(UNTIL_CLOSE, LEN(UNTIL_CLOSE), took, sizeof took);
                p.again = again;
                p.chunk = chunk;
                assert_int_equal(run(&r, &p), ADDER_ERR_END);
                assert_text(r.got, r.got_len, "hello big wide world");
                assert_false(adder_http_exchange_keep(&r.x));
            }
        }
    }
}

/* What a receiver makes of the request: the body alone. */
static size_t body_of(const uint8_t *took, size_t len, char *body)
{
    char line[256];
    adder_http_parser_t p;
    adder_http_event_t ev;
    size_t used, n = 0;
    adder_http_request_init(&p, line, sizeof line);
    do {
        assert_int_equal(adder_http_feed(&p, took, len, &used, &ev), ADDER_OK);
        took += used, len -= used;
        if (ev.body_len > 0)
            memcpy(body + n, ev.body, ev.body_len);
        n += ev.body_len;
        assert_int_not_equal(ev.kind, ADDER_HTTP_EV_MORE);
    } while (ev.kind != ADDER_HTTP_EV_END);
    assert_int_equal(len, 0);
    return n;
}

static void bodies_go_out_whole(void **state)
{
    (void)state;
    char text[600], body[700];
    uint8_t took[4096];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    static const size_t lengths[] = {0, 1, 31, 32, 33, 64, 100, 111, 112, 113, 160, 161, 600};
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        for (unsigned way = 0; way < 3 * 3 * 3 * 3; way++) {
            text_source_t t = {.text = text,
                               .len = lengths[l],
                               .piece = way / 3 % 3 * 50 + 1,
                               .again = way / 9 % 3,
                               .end = ADDER_ERR_END};
            run_t r = {.method = "PUT", .body = adder_http_payload_bytes(text, lengths[l])};
            if (way % 3 == 1)
                r.body = (adder_http_payload_t){.kind = ADDER_HTTP_BODY_LENGTH,
                                                .length = lengths[l],
                                                .source = {.read = text_read, .ctx = &t}};
            if (way % 3 == 2)
                r.body = (adder_http_payload_t){.kind = ADDER_HTTP_BODY_CHUNKED,
                                                .source = {.read = text_read, .ctx = &t}};
            test_peer_t p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
            p.chunk = way / 27 % 3 * 7;
            p.again = way / 9 % 3;
            p.behind = lengths[l] + 40; /* answers when about all is there */
            p.after = ADDER_ERR_AGAIN;
            assert_int_equal(run(&r, &p), ADDER_ERR_END);
            assert_int_equal(body_of(took, p.took_len, body), lengths[l]);
            assert_memory_equal(body, text, lengths[l]);
            assert_text(r.got, r.got_len, "hello");
            assert_true(adder_http_exchange_keep(&r.x));
        }
    }
}

static void answers_without_body(void **state)
{
    (void)state;
    static const struct {
        const char *method, *answer;
        unsigned status;
        bool keep;
    } cases[] = {
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 200, true},
        {"GET", "HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", 204, true},
        {"GET", "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n", 304, true},
        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, true},
        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 200, false},
        {"GET", "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nother", 101, false},
        {"GET", "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 unasked", 204, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t took[128];
        size_t n;
        run_t r = {.method = cases[i].method};
        test_peer_t p = test_peer(cases[i].answer, strlen(cases[i].answer), took, sizeof took);
        p.after = ADDER_ERR_AGAIN;
        assert_int_equal(run(&r, &p), ADDER_ERR_END);
        assert_int_equal(r.status, cases[i].status);
        assert_int_equal(r.got_len, 0);
        assert_int_equal(p.calls, 2); /* the end is known without asking */
        assert_int_equal(adder_http_exchange_keep(&r.x), cases[i].keep);
        const uint8_t *rest = adder_http_exchange_rest(&r.x, &n);
        if (cases[i].status == 101)
            assert_text(rest, n, "other");
    }
}

static void who_answers_early(void **state)
{
    (void)state;
    static char big[1000];
    uint8_t took[1200];
    memset(big, 'b', sizeof big);
    /* 413, and nothing more is taken: the answer is found all the same. */
    static const char no[] = "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno";
    run_t r = {.method = "PUT", .body = adder_http_payload_bytes(big, sizeof big)};
    test_peer_t p = test_peer(no, LEN(no), took, sizeof took);
    p.take_max = 200;
    p.after = ADDER_ERR_AGAIN;
    assert_int_equal(run(&r, &p), ADDER_ERR_END);
    assert_int_equal(r.status, 413);
    assert_text(r.got, r.got_len, "no");
    assert_false(adder_http_exchange_keep(&r.x));
    /* An AGAIN inside the answer is none the worse for the sending having been given up. */
    run_t again = {.method = "PUT", .body = adder_http_payload_bytes(big, sizeof big)};
    p = test_peer(no, LEN(no), took, sizeof took);
    p.chunk = 3;
    p.again = 1;
    assert_int_equal(run(&again, &p), ADDER_ERR_END);
    assert_text(again.got, again.got_len, "no");
    assert_true(p.took_len < 200);
    /* The same with a send that fails before the answer is read. */
    run_t s = {.method = "PUT", .body = adder_http_payload_bytes(big, sizeof big)};
    p = test_peer(no, LEN(no), took, sizeof took);
    p.take_max = 200;
    p.full = ADDER_ERR_CLOSED;
    assert_int_equal(run(&s, &p), ADDER_ERR_END);
    assert_int_equal(s.status, 413);
    /* No answer: the cause of the sending. */
    run_t u = {.method = "PUT", .body = adder_http_payload_bytes(big, sizeof big)};
    p = test_peer("", 0, took, sizeof took);
    p.take_max = 200;
    p.full = ADDER_ERR_IO;
    p.after = ADDER_ERR_AGAIN;
    assert_int_equal(run(&u, &p), ADDER_ERR_IO);
    assert_false(u.x.received);
    /* 200 at once: the rest of the body goes out before the end is told, and the connection lives. */
    run_t v = {.method = "PUT", .body = adder_http_payload_bytes(big, sizeof big)};
    p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
    p.again = 1;
    p.chunk = 90;
    assert_int_equal(run(&v, &p), ADDER_ERR_END);
    assert_int_equal(p.took_len, LEN("PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n") + 1000);
    assert_text(v.got, v.got_len, "hello");
    assert_true(adder_http_exchange_keep(&v.x));
}

static void expect_continue(void **state)
{
    (void)state;
    uint8_t took[256];
    static const char head[] =
        "PUT /p HTTP/1.1\r\nExpect: 100-continue\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    static const char yes[] = "HTTP/1.1 100 Continue\r\n\r\n" OK_HELLO;
    run_t r = {.method = "PUT", .body = adder_http_payload_bytes("abc", 3), .expect = true};
    test_peer_t p = test_peer(yes, LEN("HTTP/1.1 100 Continue\r\n\r\n"), took, sizeof took);
    p.behind = LEN(head);
    p.after = ADDER_ERR_AGAIN;
    assert_int_equal(run(&r, &p), ADDER_ERR_TIMEOUT); /* the peer waits for the body now */
    assert_text(took + LEN(head), p.took_len - LEN(head), "abc");
    p.give_len = LEN(yes);
    assert_int_equal(adder_http_exchange_step(&r.x), ADDER_OK);
    /* A final answer instead: the body stays here. */
    static const char no[] = "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n";
    run_t s = {.method = "PUT", .body = adder_http_payload_bytes("abc", 3), .expect = true};
    p = test_peer(no, LEN(no), took, sizeof took);
    assert_int_equal(run(&s, &p), ADDER_ERR_END);
    assert_int_equal(p.took_len, LEN(head));
    assert_false(s.x.body_begun);
    assert_false(adder_http_exchange_keep(&s.x));
    /* Nothing at all: the owner's clock decides. */
    run_t u = {.method = "PUT", .body = adder_http_payload_bytes("abc", 3), .expect = true};
    p = test_peer("", 0, took, sizeof took);
    p.after = ADDER_ERR_AGAIN;
    assert_int_equal(run(&u, &p), ADDER_ERR_TIMEOUT);
    assert_int_equal(p.took_len, LEN(head));
    assert_true(adder_http_exchange_holds(&u.x));
    adder_http_exchange_go_on(&u.x);
    assert_int_equal(adder_http_exchange_step(&u.x), ADDER_ERR_AGAIN);
    assert_int_equal(p.took_len, LEN(head) + 3);
}

static void what_breaks_it(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        adder_err_t end, want;
        adder_http_why_t why;
        const char *body;
    } cases[] = {
        {"", ADDER_ERR_END, ADDER_ERR_CLOSED, ADDER_HTTP_WHY_CLOSED, ""},
        {"", ADDER_ERR_CLOSED, ADDER_ERR_CLOSED, ADDER_HTTP_WHY_CLOSED, ""},
        {"", ADDER_ERR_TIMEOUT, ADDER_ERR_TIMEOUT, ADDER_HTTP_WHY_NONE, ""},
        {"HTTP/1.1 2", ADDER_ERR_END, ADDER_ERR_CLOSED, ADDER_HTTP_WHY_CUT, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", ADDER_ERR_END, ADDER_ERR_CLOSED,
         ADDER_HTTP_WHY_CUT, "hel"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", ADDER_ERR_END, ADDER_ERR_CLOSED,
         ADDER_HTTP_WHY_CUT, "hel"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhelX", ADDER_ERR_AGAIN, ADDER_ERR_FORMAT,
         ADDER_HTTP_WHY_CHUNK_END, "hel"},
        {"SSH-2.0", ADDER_ERR_AGAIN, ADDER_ERR_FORMAT, ADDER_HTTP_WHY_NOT_HTTP, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t chunk = 0; chunk < 2; chunk++) {
            uint8_t took[128];
            run_t r = {.method = "GET"};
            test_peer_t p = test_peer(cases[i].answer, strlen(cases[i].answer), took, sizeof took);
            p.after = cases[i].end;
            p.chunk = chunk;
            assert_int_equal(run(&r, &p), cases[i].want);
            assert_int_equal(r.x.why, cases[i].why);
            assert_text(r.got, r.got_len, cases[i].body);
            assert_int_equal(r.x.received, cases[i].answer[0] != '\0');
        }
    }
    uint8_t took[128];
    run_t r = {.method = "GET", .head_err = ADDER_ERR_NOMEM};
    test_peer_t p = test_peer(OK_HELLO, LEN(OK_HELLO), took, sizeof took);
    assert_int_equal(run(&r, &p), ADDER_ERR_NOMEM);
    /* Sources: short, and failing. */
    text_source_t t = {.text = "abc", .len = 3, .piece = 2, .end = ADDER_ERR_END};
    run_t s = {
        .method = "PUT",
        .body = {.kind = ADDER_HTTP_BODY_LENGTH, .length = 4, .source = {.read = text_read, .ctx = &t}}};
    p = test_peer("", 0, took, sizeof took);
    p.after = ADDER_ERR_AGAIN;
    assert_int_equal(run(&s, &p), ADDER_ERR_STATE);
    assert_int_equal(s.x.why, ADDER_HTTP_WHY_BODY_SHORT);
    for (adder_http_body_t kind = ADDER_HTTP_BODY_LENGTH; kind <= ADDER_HTTP_BODY_CHUNKED; kind++) {
        t = (text_source_t){.text = "abc", .len = 3, .piece = 2, .end = ADDER_ERR_READ_ONLY};
        run_t u = {.method = "PUT",
                   .body = {.kind = kind, .length = 4, .source = {.read = text_read, .ctx = &t}}};
        assert_int_equal(run(&u, &p), ADDER_ERR_READ_ONLY);
    }
}

/* Every call failing in turn: the cause comes out, or the exchange was over before it. */
static void each_call_failing(void **state)
{
    (void)state;
    static const char echo[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    uint8_t took[2048];
    for (size_t chunk = 0; chunk < 30; chunk += 3) {
        for (size_t at = 0;; at++) {
            char text[300];
            memset(text, 't', sizeof text);
            text_source_t t = {.text = text, .len = sizeof text, .piece = 40, .end = ADDER_ERR_END};
            run_t r = {.method = "PUT",
                       .in_cap = 32,
                       .read_cap = 3,
                       .body = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = {.read = text_read, .ctx = &t}}};
            test_peer_t p = test_peer(echo, LEN(echo), took, sizeof took);
            p.behind = 340;
            p.chunk = chunk;
            p.fail_at = at;
            adder_err_t err = run(&r, &p);
            assert_true(r.got_len <= 5 && memcmp(r.got, "hello", r.got_len) == 0);
            if (!p.dead) {
                assert_int_equal(err, ADDER_ERR_END);
                break;
            }
            assert_int_equal(err, ADDER_ERR_IO);
            assert_int_equal(r.x.received, p.recvs > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_get_is_one_send_and_one_recv),
        cmocka_unit_test(a_small_post_is_one_send),
        cmocka_unit_test(a_long_body_takes_few_calls),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(bodies_go_out_whole),
        cmocka_unit_test(answers_without_body),
        cmocka_unit_test(who_answers_early),
        cmocka_unit_test(expect_continue),
        cmocka_unit_test(what_breaks_it),
        cmocka_unit_test(each_call_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
