#include <string.h>

#include "src/http/http_int.h"

enum { ST_HEAD, ST_BODY, ST_OVER };

static void fail(adder_http_writer_t *w, adder_http_why_t why)
{
    if (w->priv.err != ADDER_OK)
        return;
    w->priv.err = ADDER_ERR_ARG;
    w->why = why;
}

/* ---- bytes ---- */

static void put_str(adder_http_writer_t *w, adder_http_str_t s)
{
    if (w->priv.len <= w->priv.cap && s.len <= w->priv.cap - w->priv.len && s.len > 0)
        memcpy(w->priv.buf + w->priv.len, s.at, s.len);
    w->priv.len += s.len;
}

static void put(adder_http_writer_t *w, const char *text)
{
    put_str(w, (adder_http_str_t){text, strlen(text)});
}

static void put_number(adder_http_writer_t *w, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put_str(w, (adder_http_str_t){digits + at, sizeof digits - at});
}

static void put_host(adder_http_writer_t *w, const adder_url_t *url)
{
    put(w, "Host: ");
    put(w, url->ipv6 ? "[" : "");
    put_str(w, url->host);
    put(w, url->ipv6 ? "]" : "");
    if (url->port != (url->tls ? 443 : 80)) {
        put(w, ":");
        put_number(w, url->port);
    }
    put(w, "\r\n");
}

/* ---- the head ---- */

static void begin(adder_http_writer_t *w, char *buf, size_t cap)
{
    memset(w, 0, sizeof *w);
    w->priv.buf = buf;
    w->priv.cap = cap;
}

void adder_http_write_request(adder_http_writer_t *w, char *buf, size_t cap, const char *method,
                              const adder_url_t *url)
{
    adder_http_str_t m = {method, strlen(method)};
    begin(w, buf, cap);
    w->priv.url = url;
    /* CONNECT would need another form of target; parse never gives an empty host or such bytes, but a
     * caller may have put a URL together by hand. */
    if (!adder_http_is_token(m) || strcmp(method, "CONNECT") == 0)
        fail(w, ADDER_HTTP_WHY_METHOD);
    if (url->host.len == 0 || !adder_http_is_visible(url->host))
        fail(w, ADDER_HTTP_WHY_URL_HOST);
    if (!adder_http_is_visible(url->target))
        fail(w, ADDER_HTTP_WHY_URL_BYTE);
    /* What the head end needs to know: may the receiver wait for a body? */
    w->priv.body = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
    put_str(w, m);
    put(w, " ");
    put(w, url->target.len == 0 || url->target.at[0] != '/' ? "/" : "");
    put_str(w, url->target);
    put(w, " HTTP/1.1\r\n");
}

void adder_http_write_response(adder_http_writer_t *w, char *buf, size_t cap, unsigned status,
                               const char *reason)
{
    begin(w, buf, cap);
    if (status < 100 || status > 999)
        fail(w, ADDER_HTTP_WHY_STATUS);
    if (!adder_http_is_value((adder_http_str_t){reason, strlen(reason)}))
        fail(w, ADDER_HTTP_WHY_VALUE);
    w->priv.status = (uint16_t)(w->why == ADDER_HTTP_WHY_STATUS ? 999 : status);
    w->priv.body = status >= 200 && status != 204 && status != 304;
    put(w, "HTTP/1.1 ");
    put_number(w, status);
    put(w, " ");
    put(w, reason);
    put(w, "\r\n");
}

void adder_http_write_header_str(adder_http_writer_t *w, const char *name, adder_http_str_t value)
{
    adder_http_str_t n = {name, strlen(name)};
    if (w->priv.state != ST_HEAD) {
        if (w->priv.err == ADDER_OK)
            w->priv.err = ADDER_ERR_STATE;
        return;
    }
    if (!adder_http_is_token(n))
        fail(w, ADDER_HTTP_WHY_NAME);
    if (!adder_http_is_value(value))
        fail(w, ADDER_HTTP_WHY_VALUE);
    if (adder_http_str_is(n, "Content-Length") || adder_http_str_is(n, "Transfer-Encoding"))
        fail(w, ADDER_HTTP_WHY_FRAMING_FIELD);
    if (adder_http_str_is(n, "Host")) {
        if (w->priv.has_host)
            fail(w, ADDER_HTTP_WHY_HOST_TWICE);
        w->priv.has_host = true;
    }
    if (adder_http_str_is(n, "Connection") && adder_http_str_is(adder_http_trim(value), "close"))
        w->priv.has_close = true;
    put_str(w, n);
    put(w, ": ");
    put_str(w, value);
    put(w, "\r\n");
}

void adder_http_write_header(adder_http_writer_t *w, const char *name, const char *value)
{
    adder_http_write_header_str(w, name, (adder_http_str_t){value, strlen(value)});
}

static void put_framing(adder_http_writer_t *w, adder_http_body_t body, uint64_t length)
{
    bool expected = w->priv.body;
    switch (body) {
    case ADDER_HTTP_BODY_NONE:
        if (expected)
            put(w, "Content-Length: 0\r\n");
        break;
    case ADDER_HTTP_BODY_LENGTH:
        put(w, "Content-Length: ");
        put_number(w, length);
        put(w, "\r\n");
        break;
    case ADDER_HTTP_BODY_CHUNKED:
        put(w, "Transfer-Encoding: chunked\r\n");
        break;
    default:
        if (!w->priv.has_close)
            put(w, "Connection: close\r\n");
    }
}

adder_err_t adder_http_write_head_end(adder_http_writer_t *w, adder_http_body_t body, uint64_t length,
                                      size_t *len_out)
{
    bool response = w->priv.status != 0;
    *len_out = 0;
    if (w->priv.state != ST_HEAD && w->priv.err == ADDER_OK)
        w->priv.err = ADDER_ERR_STATE;
    /* A response that must not have a body, a request that would never end. */
    if ((response && !w->priv.body && body != ADDER_HTTP_BODY_NONE) ||
        (!response && body == ADDER_HTTP_BODY_UNTIL_CLOSE))
        fail(w, ADDER_HTTP_WHY_BODY_LONG);
    if (w->priv.err != ADDER_OK)
        return w->priv.err;
    if (!response && !w->priv.has_host)
        put_host(w, w->priv.url);
    put_framing(w, body, length);
    put(w, "\r\n");
    *len_out = w->priv.len;
    if (w->priv.len > w->priv.cap) {
        w->why = ADDER_HTTP_WHY_HEAD_BUFFER;
        return w->priv.err = ADDER_ERR_NOSPACE;
    }
    w->priv.body = (uint8_t)body;
    w->priv.left = body == ADDER_HTTP_BODY_LENGTH ? length : 0;
    w->priv.state = ST_BODY;
    return ADDER_OK;
}

/* ---- the body ---- */

adder_err_t adder_http_write_body(adder_http_writer_t *w, size_t n, char frame[ADDER_HTTP_FRAME_MAX],
                                  size_t *frame_len_out)
{
    *frame_len_out = 0;
    if (w->priv.err != ADDER_OK || w->priv.state != ST_BODY)
        return w->priv.err != ADDER_OK ? w->priv.err : ADDER_ERR_STATE;
    if (n == 0) /* an empty chunk would end the body */
        return ADDER_OK;
    if (w->priv.body == ADDER_HTTP_BODY_UNTIL_CLOSE)
        return ADDER_OK;
    if (w->priv.body != ADDER_HTTP_BODY_CHUNKED) {
        if (n > w->priv.left) {
            w->why = ADDER_HTTP_WHY_BODY_LONG;
            return ADDER_ERR_RANGE;
        }
        w->priv.left -= n;
        return ADDER_OK;
    }
    /* The CR LF behind the last chunk goes before this one's size: one piece to send instead of two. */
    size_t len = 0;
    if (w->priv.chunk_open) {
        frame[len++] = '\r';
        frame[len++] = '\n';
    }
    unsigned digits = 1;
    while (digits < 2 * sizeof n && n >> (4 * digits) != 0)
        digits++;
    while (digits-- > 0)
        frame[len++] = "0123456789abcdef"[n >> (4 * digits) & 15];
    frame[len++] = '\r';
    frame[len++] = '\n';
    w->priv.chunk_open = true;
    *frame_len_out = len;
    return ADDER_OK;
}

adder_err_t adder_http_write_body_end(adder_http_writer_t *w, char frame[ADDER_HTTP_FRAME_MAX],
                                      size_t *frame_len_out)
{
    static const char end[] = "\r\n0\r\n\r\n";
    *frame_len_out = 0;
    if (w->priv.err != ADDER_OK || w->priv.state != ST_BODY)
        return w->priv.err != ADDER_OK ? w->priv.err : ADDER_ERR_STATE;
    if (w->priv.left > 0) {
        w->why = ADDER_HTTP_WHY_BODY_SHORT;
        return ADDER_ERR_STATE;
    }
    w->priv.state = ST_OVER;
    if (w->priv.body == ADDER_HTTP_BODY_CHUNKED) {
        size_t skip = w->priv.chunk_open ? 0 : 2;
        *frame_len_out = sizeof end - 1 - skip;
        memcpy(frame, end + skip, *frame_len_out);
    }
    return ADDER_OK;
}
