/* What is written, byte for byte, and what is refused before a byte of it is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http.h"

static adder_url_t url_of(const char *text)
{
    adder_url_t u;
    assert_int_equal(adder_url_parse(text, strlen(text), &u, NULL), ADDER_OK);
    return u;
}

static void request_is(const char *method, const char *url, adder_http_body_t body, uint64_t length,
                       const char *text)
{
    char buf[256];
    size_t n;
    adder_http_writer_t w;
    adder_url_t u = url_of(url);
    adder_http_write_request(&w, buf, sizeof buf, method, &u);
    adder_http_write_header(&w, "X", "\xc3\xa9\t ");
    assert_int_equal(adder_http_write_head_end(&w, body, length, &n), ADDER_OK);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(buf, text, n);
    /* At every smaller size: NOSPACE, and how much it takes. */
    for (size_t cap = 0; cap < strlen(text); cap++) {
        adder_http_write_request(&w, buf, cap, method, &u);
        adder_http_write_header(&w, "X", "\xc3\xa9\t ");
        memset(buf + cap, 0x55, sizeof buf - cap);
        assert_int_equal(adder_http_write_head_end(&w, body, length, &n), ADDER_ERR_NOSPACE);
        assert_int_equal(n, strlen(text));
        assert_int_equal(buf[cap], 0x55);
    }
}

static void requests(void **state)
{
    (void)state;
    request_is("GET", "http://a", ADDER_HTTP_BODY_NONE, 0,
               "GET / HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: a\r\n\r\n");
    request_is("GET", "http://a:81?q", ADDER_HTTP_BODY_NONE, 0,
               "GET /?q HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: a:81\r\n\r\n");
    request_is("GET", "https://[::1]:443/p#f", ADDER_HTTP_BODY_NONE, 0,
               "GET /p HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: [::1]\r\n\r\n");
    request_is("POST", "http://a/", ADDER_HTTP_BODY_NONE, 0,
               "POST / HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    request_is("PUT", "http://a/", ADDER_HTTP_BODY_LENGTH, UINT64_MAX,
               "PUT / HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
    request_is("POST", "http://a/", ADDER_HTTP_BODY_CHUNKED, 0,
               "POST / HTTP/1.1\r\nX: \xc3\xa9\t \r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    /* The caller's own Host. */
    char buf[128];
    size_t n;
    adder_http_writer_t w;
    adder_url_t u = url_of("http://1.2.3.4/");
    adder_http_write_request(&w, buf, sizeof buf, "GET", &u);
    adder_http_write_header(&w, "host", "name");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_OK);
    assert_memory_equal(buf, "GET / HTTP/1.1\r\nhost: name\r\n\r\n", n);
}

static void responses(void **state)
{
    (void)state;
    char buf[128];
    size_t n;
    adder_http_writer_t w;
    adder_http_write_response(&w, buf, sizeof buf, 200, "OK");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_UNTIL_CLOSE, 0, &n), ADDER_OK);
    assert_memory_equal(buf, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", n);
    adder_http_write_response(&w, buf, sizeof buf, 404, "");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_OK);
    assert_memory_equal(buf, "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", n);
    static const unsigned bare[] = {100, 204, 304};
    for (size_t i = 0; i < 3; i++) {
        adder_http_write_response(&w, buf, sizeof buf, bare[i], "x");
        assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_OK);
        assert_int_equal(n, strlen("HTTP/1.1 204 x\r\n\r\n"));
        adder_http_write_response(&w, buf, sizeof buf, bare[i], "x");
        assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_CHUNKED, 0, &n), ADDER_ERR_ARG);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *method, *name, *value;
        adder_http_why_t why;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nX:", "A", "b", ADDER_HTTP_WHY_METHOD},
        {"", "A", "b", ADDER_HTTP_WHY_METHOD},
        {"CONNECT", "A", "b", ADDER_HTTP_WHY_METHOD},
        {"GET", "A\r\nB", "b", ADDER_HTTP_WHY_NAME},
        {"GET", "A:", "b", ADDER_HTTP_WHY_NAME},
        {"GET", "", "b", ADDER_HTTP_WHY_NAME},
        {"GET", "A ", "b", ADDER_HTTP_WHY_NAME},
        {"GET", "A", "b\r\nC: d", ADDER_HTTP_WHY_VALUE},
        {"GET", "A", "b\n", ADDER_HTTP_WHY_VALUE},
        {"GET", "A", "\r", ADDER_HTTP_WHY_VALUE},
        {"GET", "A", "\x7f", ADDER_HTTP_WHY_VALUE},
        {"GET", "content-length", "5", ADDER_HTTP_WHY_FRAMING_FIELD},
        {"GET", "Transfer-Encoding", "chunked", ADDER_HTTP_WHY_FRAMING_FIELD},
    };
    adder_url_t u = url_of("http://a/");
    char buf[128];
    size_t n;
    adder_http_writer_t w;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adder_http_write_request(&w, buf, sizeof buf, cases[i].method, &u);
        adder_http_write_header(&w, cases[i].name, cases[i].value);
        adder_http_write_header(&w, "Later", "\n"); /* the first error is the one told */
        assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
        assert_int_equal(w.why, cases[i].why);
        assert_int_equal(n, 0);
    }
    adder_http_write_request(&w, buf, sizeof buf, "GET", &u);
    adder_http_write_header_str(&w, "A", (adder_http_str_t){"b\0c", 3});
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
    adder_http_write_request(&w, buf, sizeof buf, "GET", &u);
    adder_http_write_header(&w, "Host", "a");
    adder_http_write_header(&w, "HOST", "b");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
    assert_int_equal(w.why, ADDER_HTTP_WHY_HOST_TWICE);
    adder_http_write_request(&w, buf, sizeof buf, "GET", &u);
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_UNTIL_CLOSE, 0, &n), ADDER_ERR_ARG);
    adder_http_write_response(&w, buf, sizeof buf, 200, "OK\r\nX: y");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
    adder_http_write_response(&w, buf, sizeof buf, 1000, "");
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
    assert_int_equal(w.why, ADDER_HTTP_WHY_STATUS);
    /* A URL put together by hand. */
    u.target = (adder_http_str_t){"/ HTTP/1.1\r\n", 12};
    adder_http_write_request(&w, buf, sizeof buf, "GET", &u);
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n), ADDER_ERR_ARG);
    assert_int_equal(w.why, ADDER_HTTP_WHY_URL_BYTE);
}

static void begin(adder_http_writer_t *w, adder_http_body_t body, uint64_t length)
{
    static char buf[128];
    size_t n;
    adder_http_write_response(w, buf, sizeof buf, 200, "OK");
    assert_int_equal(adder_http_write_head_end(w, body, length, &n), ADDER_OK);
}

static void length_is_kept(void **state)
{
    (void)state;
    char frame[ADDER_HTTP_FRAME_MAX];
    size_t n = 9;
    adder_http_writer_t w;
    begin(&w, ADDER_HTTP_BODY_LENGTH, 5);
    assert_int_equal(adder_http_write_body(&w, 3, frame, &n), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(adder_http_write_body(&w, 3, frame, &n), ADDER_ERR_RANGE);
    assert_int_equal(w.why, ADDER_HTTP_WHY_BODY_LONG);
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_ERR_STATE);
    assert_int_equal(w.why, ADDER_HTTP_WHY_BODY_SHORT);
    assert_int_equal(adder_http_write_body(&w, 2, frame, &n), ADDER_OK);
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(adder_http_write_body(&w, 1, frame, &n), ADDER_ERR_STATE);
    begin(&w, ADDER_HTTP_BODY_NONE, 5);
    assert_int_equal(adder_http_write_body(&w, 1, frame, &n), ADDER_ERR_RANGE);
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_OK);
}

static void chunked(void **state)
{
    (void)state;
    char out[128], frame[ADDER_HTTP_FRAME_MAX];
    static const size_t pieces[] = {1, 0, 0x1f, 10};
    size_t len = 0, n;
    adder_http_writer_t w;
    begin(&w, ADDER_HTTP_BODY_CHUNKED, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(adder_http_write_body(&w, pieces[i], frame, &n), ADDER_OK);
        memcpy(out + len, frame, n);
        memset(out + len + n, 'x', pieces[i]);
        len += n + pieces[i];
    }
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_OK);
    memcpy(out + len, frame, n);
    out[len + n] = '\0';
    assert_string_equal(out,
                        "1\r\nx\r\n1f\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\nxxxxxxxxxx\r\n0\r\n\r\n");
    begin(&w, ADDER_HTTP_BODY_CHUNKED, 0);
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_OK);
    assert_memory_equal(frame, "0\r\n\r\n", n);
    begin(&w, ADDER_HTTP_BODY_CHUNKED, 0);
    assert_int_equal(adder_http_write_body(&w, SIZE_MAX, frame, &n), ADDER_OK);
    assert_int_equal(n, 2 * sizeof n + 2);
    assert_int_equal(adder_http_write_body(&w, SIZE_MAX, frame, &n), ADDER_OK);
    assert_true(n <= ADDER_HTTP_FRAME_MAX);
}

static void wrong_order(void **state)
{
    (void)state;
    char buf[128], frame[ADDER_HTTP_FRAME_MAX];
    size_t n;
    adder_http_writer_t w;
    adder_http_write_response(&w, buf, sizeof buf, 200, "OK");
    assert_int_equal(adder_http_write_body(&w, 1, frame, &n), ADDER_ERR_STATE);
    assert_int_equal(adder_http_write_body_end(&w, frame, &n), ADDER_ERR_STATE);
    assert_int_equal(adder_http_write_head_end(&w, ADDER_HTTP_BODY_CHUNKED, 0, &n), ADDER_OK);
    adder_http_write_header(&w, "A", "b");
    assert_int_equal(adder_http_write_body(&w, 1, frame, &n), ADDER_ERR_STATE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),       cmocka_unit_test(responses), cmocka_unit_test(refused),
        cmocka_unit_test(length_is_kept), cmocka_unit_test(chunked),   cmocka_unit_test(wrong_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
