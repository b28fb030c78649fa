/* Responses and requests: what comes out, whatever way the input is cut, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http.h"

/* ---- a transcript of all events: "S200 OK\nHa=b\nE\nBbody\nTx=y\n." ---- */

typedef struct {
    char text[1024];
    size_t len, body, used;
    bool in_body;
    adder_err_t err;
    adder_http_why_t why;
    adder_http_head_t head;
} run_t;

enum kind { RESPONSE, TO_HEAD, REQUEST };

static void add(run_t *r, const void *at, size_t len)
{
    assert_true(len < sizeof r->text - r->len);
    if (len > 0)
        memcpy(r->text + r->len, at, len);
    r->len += len;
    r->text[r->len] = '\0';
}

static void add_event(run_t *r, const adder_http_parser_t *p, const adder_http_event_t *ev)
{
    static const char marks[] = "?SHEBT.";
    bool body = ev->kind == ADDER_HTTP_EV_BODY;
    if (r->len > 0 && !(body && r->in_body))
        add(r, "\n", 1);
    if (!(body && r->in_body))
        add(r, &marks[ev->kind], 1);
    r->in_body = body;
    if (ev->kind == ADDER_HTTP_EV_START && p->head.status != 0) {
        char status[8];
        int n = snprintf(status, sizeof status, "%u ", p->head.status);
        add(r, status, (size_t)n);
    }
    add(r, ev->name.at, ev->name.len);
    if (ev->name.len > 0)
        add(r, "=", 1);
    add(r, ev->value.at, ev->value.len);
    add(r, ev->body, ev->body_len);
    r->body += ev->body_len;
}

/* All events of in[0..len), cut where `cut` says: 0 = nowhere, 1 = everywhere, else before byte cut - 1. */
static run_t run(enum kind kind, const char *in, size_t len, size_t cut, size_t cap, bool eof)
{
    static char line[512];
    run_t r;
    adder_http_parser_t p;
    adder_http_event_t ev;
    memset(&r, 0, sizeof r);
    if (kind == REQUEST)
        adder_http_request_init(&p, line, cap);
    else
        adder_http_response_init(&p, line, cap, kind == TO_HEAD);
    bool over = false;
    size_t at = 0;
    do {
        size_t end = cut == 1 && at < len ? at + 1 : cut > 1 && at < cut - 1 ? cut - 1 : len;
        for (;;) {
            size_t used;
            r.err = adder_http_feed(&p, in + at, end - at, &used, &ev);
            if (r.err != ADDER_OK)
                break;
            assert_true(used <= end - at);
            if (ev.kind == ADDER_HTTP_EV_BODY)
                assert_true(ev.body >= (const uint8_t *)in + at &&
                            ev.body + ev.body_len <= (const uint8_t *)in + end);
            at += used;
            if (ev.kind == ADDER_HTTP_EV_MORE) {
                assert_int_equal(at, end);
                break;
            }
            add_event(&r, &p, &ev);
            over = ev.kind == ADDER_HTTP_EV_END;
            if (over)
                break;
        }
    } while (r.err == ADDER_OK && !over && at < len);
    if (eof && r.err == ADDER_OK && !over) {
        r.err = adder_http_eof(&p, &ev);
        if (r.err == ADDER_OK)
            add_event(&r, &p, &ev);
    }
    r.why = p.why;
    r.used = at;
    r.head = p.head;
    if (r.err != ADDER_OK) { /* an error stays */
        size_t used;
        assert_int_equal(adder_http_feed(&p, "x", 1, &used, &ev), r.err);
        assert_int_equal(adder_http_eof(&p, &ev), r.err);
    }
    return r;
}

/* One run, and the same cut at every place and everywhere. */
static run_t every_cut(enum kind kind, const char *in, size_t len, bool eof)
{
    static run_t whole;
    whole = run(kind, in, len, 0, 512, eof);
    for (size_t cut = 1; cut <= len; cut++) {
        run_t r = run(kind, in, len, cut, 512, eof);
        assert_int_equal(r.err, whole.err);
        assert_int_equal(r.why, whole.why);
        assert_string_equal(r.text, whole.text);
        assert_int_equal(r.head.keep_alive, whole.head.keep_alive);
        if (r.err == ADDER_OK)
            assert_int_equal(r.used, whole.used);
    }
    return whole;
}

static run_t reads(enum kind kind, const char *in, const char *events)
{
    run_t r = every_cut(kind, in, strlen(in), true);
    if (r.err != ADDER_OK)
        fail_msg("%s: %s\n", in, adder_http_why_str(r.why));
    assert_string_equal(r.text, events);
    return r;
}

static void refused(enum kind kind, const char *in, adder_http_why_t why)
{
    run_t r = every_cut(kind, in, strlen(in), true);
    if (r.why != why || r.err == ADDER_OK)
        fail_msg("%s\nis: %s\n", in, adder_http_why_str(r.why));
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define GET_LINE "GET / HTTP/1.1\r\nHost: a\r\n"

/* ---- responses ---- */

static void lengths(void **state)
{
    (void)state;
    run_t r = reads(RESPONSE, OK_LINE "Content-Type: text/plain\r\ncontent-LENGTH:5 \r\n\r\nhello",
                    "S200 OK\nHContent-Type=text/plain\nHcontent-LENGTH=5\nE\nBhello\n.");
    assert_true(r.head.keep_alive);
    assert_int_equal(r.head.length, 5);
    assert_int_equal(r.head.body, ADDER_HTTP_BODY_LENGTH);
    reads(RESPONSE, OK_LINE "Content-Length: 0\r\n\r\n", "S200 OK\nHContent-Length=0\nE\n.");
    reads(RESPONSE, OK_LINE "Content-Length: 1\r\nContent-Length: 01\r\n\r\nx",
          "S200 OK\nHContent-Length=1\nHContent-Length=01\nE\nBx\n.");
    /* What follows belongs to somebody else. */
    r = reads(RESPONSE, OK_LINE "Content-Length: 1\r\n\r\nxHTTP/1.1", "S200 OK\nHContent-Length=1\nE\nBx\n.");
    assert_int_equal(r.used, strlen(OK_LINE "Content-Length: 1\r\n\r\nx"));
}

static void start_lines(void **state)
{
    (void)state;
    reads(TO_HEAD, "HTTP/1.1 404\r\n\r\n", "S404 \nE\n.");
    reads(TO_HEAD, "HTTP/1.1 404 \r\n\r\n", "S404 \nE\n.");
    reads(TO_HEAD, "HTTP/1.1 999 \xc3\xa9  z\r\n\r\n", "S999 \xc3\xa9  z\nE\n.");
    reads(TO_HEAD, "HTTP/1.7 200 OK\r\n\r\n", "S200 OK\nE\n.");
}

static void chunks(void **state)
{
    (void)state;
    run_t r = reads(RESPONSE,
                    OK_LINE "Transfer-Encoding: Chunked\r\n\r\n"
                            "5\r\nhello\r\n01 ; a=\"b\"\r\n \r\nA;x\r\n0123456789\r\n000\r\nSum: 1\r\n\r\n",
                    "S200 OK\nHTransfer-Encoding=Chunked\nE\nBhello 0123456789\nTSum=1\n.");
    assert_true(r.head.keep_alive);
    assert_int_equal(r.head.body, ADDER_HTTP_BODY_CHUNKED);
    reads(RESPONSE, OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "S200 OK\nHTransfer-Encoding=chunked\nE\n.");
    /* Trailers do not change how the message is read. */
    reads(RESPONSE, OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n",
          "S200 OK\nHTransfer-Encoding=chunked\nE\nTContent-Length=9\n.");
}

static void until_close(void **state)
{
    (void)state;
    run_t r = reads(RESPONSE, OK_LINE "\r\nall\r\nof it", "S200 OK\nE\nBall\r\nof it\n.");
    assert_false(r.head.keep_alive);
    reads(RESPONSE, OK_LINE "\r\n", "S200 OK\nE\n.");
}

static void without_body(void **state)
{
    (void)state;
    run_t r = reads(TO_HEAD, OK_LINE "Content-Length: 7\r\n\r\nnext", "S200 OK\nHContent-Length=7\nE\n.");
    assert_int_equal(r.head.length, 7);
    assert_true(r.head.keep_alive);
    reads(RESPONSE, "HTTP/1.1 204 No\r\n\r\nnext", "S204 No\nE\n.");
    reads(RESPONSE, "HTTP/1.1 304 Not\r\nContent-Length: 3\r\n\r\nnext", "S304 Not\nHContent-Length=3\nE\n.");
}

static void interim(void **state)
{
    (void)state;
    run_t r = reads(RESPONSE,
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\nConnection: close\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                    "S200 OK\nHContent-Length=1\nE\nBx\n.");
    assert_int_equal(r.head.interim, 103);
    assert_true(r.head.keep_alive); /* the 103's Connection is forgotten */
    r = reads(RESPONSE, "HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n\x81", "S101 Up\nHUpgrade=x\nE\n.");
    assert_true(r.head.upgrade);
    assert_false(r.head.keep_alive);
}

static void keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool keeps;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n", true},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n", false},
        {"HTTP/1.1 200 OK\r\nConnection: x ,\tCLOSE\r\n", false},
        {"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\n", false},
        {"HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n", false},
        {"HTTP/1.1 200 OK\r\nConnection: closed\r\n", true},
        {"HTTP/1.0 200 OK\r\n", false},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char in[128];
        int n = snprintf(in, sizeof in, "%sContent-Length: 0\r\n\r\n", cases[i].head);
        assert_int_equal(every_cut(RESPONSE, in, (size_t)n, false).head.keep_alive, cases[i].keeps);
    }
}

static void two_in_a_row(void **state)
{
    (void)state;
    static const char in[] = OK_LINE "Content-Length: 1\r\n\r\na" OK_LINE "Content-Length: 1\r\n\r\nb";
    run_t first = run(RESPONSE, in, sizeof in - 1, 0, 512, false);
    run_t second = run(RESPONSE, in + first.used, sizeof in - 1 - first.used, 0, 512, false);
    assert_string_equal(second.text, "S200 OK\nHContent-Length=1\nE\nBb\n.");
}

/* ---- traps ---- */

static void heads_refused(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        adder_http_why_t why;
    } cases[] = {
        {"SSH-2.0-x", ADDER_HTTP_WHY_NOT_HTTP},
        {"\x15\x03\x01", ADDER_HTTP_WHY_NOT_HTTP},
        {"HTTP/2.0 200 OK\r\n", ADDER_HTTP_WHY_VERSION},
        {"HTTP/1.1 2000 OK\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/1.1 20 OK\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/1.1  200 OK\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/1.1 099 OK\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/11 200 OK\r\n", ADDER_HTTP_WHY_START_LINE},
        {"HTTP/1.1 200 OK\n", ADDER_HTTP_WHY_LINE_END},
        {OK_LINE "A: b\n\r\n", ADDER_HTTP_WHY_LINE_END},
        {OK_LINE "A: b\rContent-Length: 1\r\n\r\n", ADDER_HTTP_WHY_LINE_END},
        {OK_LINE "A: b\r\r\n\r\n", ADDER_HTTP_WHY_LINE_END},
        {OK_LINE "A: b\x01\r\n\r\n", ADDER_HTTP_WHY_CONTROL_BYTE},
        {OK_LINE "A: b\x7f\r\n\r\n", ADDER_HTTP_WHY_CONTROL_BYTE},
        {OK_LINE "A: b\r\n c\r\n\r\n", ADDER_HTTP_WHY_HEADER_FOLD},
        {OK_LINE "\tA: b\r\n\r\n", ADDER_HTTP_WHY_HEADER_FOLD},
        {OK_LINE "Content-Length : 5\r\n\r\n", ADDER_HTTP_WHY_HEADER_SPACE},
        {OK_LINE "Content-Length\t: 5\r\n\r\n", ADDER_HTTP_WHY_HEADER_SPACE},
        {OK_LINE "no colon\r\n\r\n", ADDER_HTTP_WHY_HEADER_COLON},
        {OK_LINE ": b\r\n\r\n", ADDER_HTTP_WHY_NAME},
        {OK_LINE "a b: c\r\n\r\n", ADDER_HTTP_WHY_NAME},
        {OK_LINE "\xc3\xa9: c\r\n\r\n", ADDER_HTTP_WHY_NAME},
        {OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ADDER_HTTP_WHY_LENGTH_CONFLICT},
        {OK_LINE "Content-Length: 5, 5\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: +5\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: -5\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: 0x5\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: \r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: 9223372036854775808\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: 18446744073709551617\r\n\r\n", ADDER_HTTP_WHY_LENGTH_BAD},
        {OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ADDER_HTTP_WHY_LENGTH_CHUNKED},
        {OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ADDER_HTTP_WHY_LENGTH_CHUNKED},
        {OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {OK_LINE "Transfer-Encoding: xchunked\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {OK_LINE "Transfer-Encoding: \"chunked\"\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {OK_LINE "Transfer-Encoding: chunked, chunked\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ADDER_HTTP_WHY_CODING_OLD},
        {"", ADDER_HTTP_WHY_CLOSED},
        {"H", ADDER_HTTP_WHY_CUT},
        {OK_LINE "A: b\r\n", ADDER_HTTP_WHY_CUT},
        {OK_LINE "Content-Length: 5\r\n\r\nhell", ADDER_HTTP_WHY_CUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(RESPONSE, cases[i].in, cases[i].why);
    static const char nul[] = OK_LINE "A: b\0c\r\n\r\n";
    assert_int_equal(every_cut(RESPONSE, nul, sizeof nul - 1, true).why, ADDER_HTTP_WHY_CONTROL_BYTE);
}

static void chunks_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        adder_http_why_t why;
    } cases[] = {
        {"\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {";a\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {"-1\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {" 1\r\nx\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {"g\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {"8000000000000000\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {"10000000000000001\r\n", ADDER_HTTP_WHY_CHUNK_SIZE},
        {"0x5\r\nhello\r\n", ADDER_HTTP_WHY_CHUNK_EXT},
        {"5 \r\nhello\r\n", ADDER_HTTP_WHY_CHUNK_EXT},
        {"5 5\r\nhello\r\n", ADDER_HTTP_WHY_CHUNK_EXT},
        {"5\nhello\r\n", ADDER_HTTP_WHY_LINE_END},
        {"5;a\nb\r\nhello\r\n", ADDER_HTTP_WHY_LINE_END},
        {"5;a\rb\r\nhello\r\n", ADDER_HTTP_WHY_LINE_END},
        {"5\r\nhelloo", ADDER_HTTP_WHY_CHUNK_END},
        {"5\r\nhello\n", ADDER_HTTP_WHY_CHUNK_END},
        {"5\r\nhello\rx", ADDER_HTTP_WHY_CHUNK_END},
        {"5\r\nhello\r\r\n", ADDER_HTTP_WHY_CHUNK_END},
        {"5\r\nhello\r\n", ADDER_HTTP_WHY_CUT},
        {"5\r\nhello\r\n0\r\n", ADDER_HTTP_WHY_CUT},
        {"0\r\n a: b\r\n\r\n", ADDER_HTTP_WHY_HEADER_FOLD},
        {"0\r\nGET / HTTP/1.1\r\n\r\n", ADDER_HTTP_WHY_HEADER_COLON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char in[128];
        snprintf(in, sizeof in, OK_LINE "Transfer-Encoding: chunked\r\n\r\n%s", cases[i].body);
        refused(RESPONSE, in, cases[i].why);
    }
}

static void too_long(void **state)
{
    (void)state;
    static char in[20000];
    /* A line that just fits: 511 bytes and its CR. */
    int n = snprintf(in, sizeof in, OK_LINE "A: %0508d\r\n", 0);
    assert_int_equal(every_cut(RESPONSE, in, (size_t)n, false).err, ADDER_OK);
    n = snprintf(in, sizeof in, OK_LINE "A: %0509d\r\n", 0);
    run_t r = every_cut(RESPONSE, in, (size_t)n, false);
    assert_int_equal(r.err, ADDER_ERR_NOSPACE);
    assert_int_equal(r.why, ADDER_HTTP_WHY_LINE_LONG);
    n = snprintf(in, sizeof in, OK_LINE "Transfer-Encoding: chunked\r\n\r\n1;%0255d\r\n", 0);
    r = every_cut(RESPONSE, in, (size_t)n, false);
    assert_int_equal(r.err, ADDER_ERR_NOSPACE);
    assert_int_equal(r.why, ADDER_HTTP_WHY_CHUNK_LINE_LONG);
    /* 1xx without end fill the same budget. */
    size_t len = 0;
    static const char again[] = "HTTP/1.1 100 Continue\r\n\r\n";
    while (len + sizeof again < sizeof in) {
        memcpy(in + len, again, sizeof again - 1);
        len += sizeof again - 1;
    }
    r = run(RESPONSE, in, len, 0, 512, false);
    assert_int_equal(r.why, ADDER_HTTP_WHY_HEAD_LONG);
    assert_int_equal(r.err, ADDER_ERR_NOSPACE);
    /* No buffer at all is an error, not a crash. */
    assert_int_equal(run(RESPONSE, in, len, 1, 0, false).why, ADDER_HTTP_WHY_LINE_LONG);
}

/* ---- requests ---- */

static void requests(void **state)
{
    (void)state;
    run_t r = reads(REQUEST, "\r\n" GET_LINE "\r\nrest", "SGET=/\nHHost=a\nE\n.");
    assert_true(r.head.keep_alive);
    r = reads(REQUEST,
              "POST /a?b=c HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi",
              "SPOST=/a?b=c\nHHost=[::1]:80\nHExpect=100-Continue\nHContent-Length=2\nE\nBhi\n.");
    assert_true(r.head.expect_continue);
    reads(REQUEST, "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n",
          "SPUT=/x\nHHost=a\nHTransfer-Encoding=chunked\nE\nBz\n.");
    r = reads(REQUEST, "GET / HTTP/1.0\r\n\r\n", "SGET=/\nE\n.");
    assert_false(r.head.keep_alive);
    reads(REQUEST, "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "SOPTIONS=*\nHHost=\nE\n.");
    reads(REQUEST, "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "SGET=http://a/b\nHHost=a\nE\n.");
}

static void requests_refused(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        adder_http_why_t why;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", ADDER_HTTP_WHY_HOST_MISSING},
        {GET_LINE "Host: a\r\n\r\n", ADDER_HTTP_WHY_HOST_TWICE},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", ADDER_HTTP_WHY_HOST_BAD},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", ADDER_HTTP_WHY_HOST_BAD},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", ADDER_HTTP_WHY_HOST_BAD},
        {"GET /\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET  / HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET /  HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET /a b HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET /\xc3\xa9 HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"G@T / HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {" GET / HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET * HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"CONNECT a:443 HTTP/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"GET / http/1.1\r\n", ADDER_HTTP_WHY_START_LINE},
        {"PRI * HTTP/2.0\r\n", ADDER_HTTP_WHY_VERSION},
        {"\n" GET_LINE "\r\n", ADDER_HTTP_WHY_LINE_END},
        {GET_LINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", ADDER_HTTP_WHY_LENGTH_CHUNKED},
        {GET_LINE "Transfer-Encoding: identity\r\n\r\n", ADDER_HTTP_WHY_CODING},
        {GET_LINE "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", ADDER_HTTP_WHY_LENGTH_CONFLICT},
        {GET_LINE "X: a\r\n\tb\r\n\r\n", ADDER_HTTP_WHY_HEADER_FOLD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(REQUEST, cases[i].in, cases[i].why);
    assert_string_equal(adder_http_why_str(ADDER_HTTP_WHY_COUNT), "unknown error");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),          cmocka_unit_test(start_lines),  cmocka_unit_test(chunks),
        cmocka_unit_test(until_close),      cmocka_unit_test(without_body), cmocka_unit_test(interim),
        cmocka_unit_test(keep_alive),       cmocka_unit_test(two_in_a_row), cmocka_unit_test(heads_refused),
        cmocka_unit_test(chunks_refused),   cmocka_unit_test(too_long),     cmocka_unit_test(requests),
        cmocka_unit_test(requests_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
