/* One parser for both sides: lines are gathered in the caller's buffer, the body is pointed at. */
#include <string.h>

#include "src/http/http_int.h"

enum {
    ST_START,
    ST_HEADERS,
    ST_HEAD_END, /* the next call decides what follows the head */
    ST_LENGTH,
    ST_UNTIL_CLOSE,
    ST_CHUNK_SIZE,
    ST_CHUNK_DATA,
    ST_CHUNK_CRLF,
    ST_TRAILERS,
    ST_COMPLETE, /* END is due */
    ST_OVER,
};

static void init(adder_http_parser_t *p, char *line, size_t cap)
{
    memset(p, 0, sizeof *p);
    p->head_max = ADDER_HTTP_HEAD_MAX;
    p->priv.line = line;
    p->priv.cap = cap;
}

void adder_http_response_init(adder_http_parser_t *p, char *line, size_t cap, bool to_head)
{
    init(p, line, cap);
    p->priv.no_body = to_head;
}

void adder_http_request_init(adder_http_parser_t *p, char *line, size_t cap)
{
    init(p, line, cap);
    p->priv.request = true;
}

static adder_err_t fail(adder_http_parser_t *p, adder_err_t err, adder_http_why_t why)
{
    p->why = why;
    p->priv.err = err;
    return err;
}

static adder_err_t refuse(adder_http_parser_t *p, adder_http_why_t why)
{
    return fail(p, ADDER_ERR_FORMAT, why);
}

/* ---- lines ---- */

/* Gather a line of at most `limit` bytes, its CR counted. *done: it is complete, without its CR LF. */
static adder_err_t take_line(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                             size_t limit, bool *done)
{
    size_t have = p->priv.len;
    const uint8_t *from = in + *used;
    const uint8_t *lf = len > *used ? memchr(from, '\n', len - *used) : NULL;
    size_t n = lf != NULL ? (size_t)(lf - from) : len - *used;
    *done = false;
    if (limit > p->priv.cap)
        limit = p->priv.cap;
    if (n > limit - have)
        return fail(p, ADDER_ERR_NOSPACE, ADDER_HTTP_WHY_LINE_LONG);
    if (n > 0)
        memcpy(p->priv.line + have, from, n);
    p->priv.len = have + n;
    *used += n;
    if (lf == NULL)
        return ADDER_OK;
    *used += 1;
    if (p->priv.len == 0 || p->priv.line[p->priv.len - 1] != '\r')
        return refuse(p, ADDER_HTTP_WHY_LINE_END);
    p->priv.len--;
    adder_http_str_t line = {p->priv.line, p->priv.len};
    if (line.len > 0 && memchr(line.at, '\r', line.len) != NULL)
        return refuse(p, ADDER_HTTP_WHY_LINE_END);
    if (!adder_http_is_value(line))
        return refuse(p, ADDER_HTTP_WHY_CONTROL_BYTE);
    *done = true;
    return ADDER_OK;
}

/* The line just completed; the next one is gathered over it. */
static adder_http_str_t line_of(adder_http_parser_t *p)
{
    adder_http_str_t line = {p->priv.line, p->priv.len};
    p->priv.len = 0;
    return line;
}

static adder_err_t take_head_line(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                                  bool *done)
{
    adder_err_t err = take_line(p, in, len, used, SIZE_MAX, done);
    if (err != ADDER_OK || !*done)
        return err;
    if (p->priv.head_bytes > p->head_max || p->priv.len + 2 > p->head_max - p->priv.head_bytes)
        return fail(p, ADDER_ERR_NOSPACE, ADDER_HTTP_WHY_HEAD_LONG);
    p->priv.head_bytes += (uint32_t)(p->priv.len + 2);
    return ADDER_OK;
}

/* ---- start lines ---- */

static adder_err_t version(adder_http_parser_t *p, const char *at)
{
    if (memcmp(at, "HTTP/", 5) != 0 || !adder_http_is_digit(at[5]) || at[6] != '.' ||
        !adder_http_is_digit(at[7]))
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    if (at[5] != '1')
        return fail(p, ADDER_ERR_UNSUPPORTED, ADDER_HTTP_WHY_VERSION);
    p->head.minor = (uint8_t)(at[7] - '0');
    return ADDER_OK;
}

/* "HTTP/1.1 200 OK"; the blank before an empty reason is missed out by some. */
static adder_err_t status_line(adder_http_parser_t *p, adder_http_str_t line, adder_http_event_t *ev)
{
    if (line.len < 12)
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    adder_err_t err = version(p, line.at);
    if (err != ADDER_OK)
        return err;
    const char *d = line.at + 9;
    if (d[-1] != ' ' || d[0] < '1' || d[0] > '9' || !adder_http_is_digit(d[1]) ||
        !adder_http_is_digit(d[2]) || (line.len > 12 && d[3] != ' '))
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    p->head.status = (uint16_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
    p->priv.skip = p->head.status < 200 && p->head.status != 101;
    if (p->priv.skip)
        p->head.interim = p->head.status;
    if (line.len > 12)
        ev->value = (adder_http_str_t){line.at + 13, line.len - 13};
    return ADDER_OK;
}

/* "GET /path?query HTTP/1.1": single blanks only. */
static adder_err_t request_line(adder_http_parser_t *p, adder_http_str_t line, adder_http_event_t *ev)
{
    const char *blank = memchr(line.at, ' ', line.len);
    size_t n = blank != NULL ? (size_t)(blank - line.at) : 0;
    if (blank == NULL || line.len - n < 11) /* " / HTTP/1.1" */
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    ev->name = (adder_http_str_t){line.at, n};
    ev->value = (adder_http_str_t){blank + 1, line.len - n - 10};
    if (line.at[line.len - 9] != ' ' || !adder_http_is_token(ev->name) || !adder_http_is_visible(ev->value))
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    adder_err_t err = version(p, line.at + line.len - 8);
    if (err != ADDER_OK)
        return err;
    /* origin-form, absolute-form (proxies), "*" of OPTIONS; an authority (CONNECT) is refused */
    bool star = ev->value.len == 1 && ev->value.at[0] == '*' && adder_http_str_is(ev->name, "OPTIONS");
    adder_url_t url;
    if (ev->value.at[0] != '/' && !star &&
        adder_url_parse(ev->value.at, ev->value.len, &url, NULL) != ADDER_OK)
        return refuse(p, ADDER_HTTP_WHY_START_LINE);
    return ADDER_OK;
}

/* ---- headers ---- */

static adder_err_t content_length(adder_http_parser_t *p, adder_http_str_t v)
{
    uint64_t n = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (!adder_http_is_digit(v.at[i]))
            return refuse(p, ADDER_HTTP_WHY_LENGTH_BAD);
        uint64_t digit = (uint64_t)(v.at[i] - '0');
        if (n > (INT64_MAX - digit) / 10)
            return refuse(p, ADDER_HTTP_WHY_LENGTH_BAD);
        n = n * 10 + digit;
    }
    if (v.len == 0)
        return refuse(p, ADDER_HTTP_WHY_LENGTH_BAD);
    if (p->priv.has_length && n != p->head.length)
        return refuse(p, ADDER_HTTP_WHY_LENGTH_CONFLICT);
    p->priv.has_length = true;
    p->head.length = n;
    return ADDER_OK;
}

static void connection(adder_http_parser_t *p, adder_http_str_t v)
{
    while (v.len > 0) {
        const char *comma = memchr(v.at, ',', v.len);
        size_t n = comma != NULL ? (size_t)(comma - v.at) : v.len;
        adder_http_str_t token = adder_http_trim((adder_http_str_t){v.at, n});
        p->priv.says_close |= adder_http_str_is(token, "close");
        p->priv.says_keep |= adder_http_str_is(token, "keep-alive");
        n += comma != NULL;
        v = (adder_http_str_t){v.at + n, v.len - n};
    }
}

static adder_err_t host(adder_http_parser_t *p, adder_http_str_t v)
{
    adder_url_t url;
    if (p->priv.has_host)
        return refuse(p, ADDER_HTTP_WHY_HOST_TWICE);
    p->priv.has_host = true;
    if (v.len > 0 && adder_http_authority(v, &url) != ADDER_HTTP_WHY_NONE)
        return refuse(p, ADDER_HTTP_WHY_HOST_BAD);
    return ADDER_OK;
}

/* The headers that decide how the message is read. */
static adder_err_t framing(adder_http_parser_t *p, adder_http_str_t name, adder_http_str_t v)
{
    if (adder_http_str_is(name, "Content-Length"))
        return content_length(p, v);
    if (adder_http_str_is(name, "Transfer-Encoding")) {
        if (p->priv.has_coding || !adder_http_str_is(v, "chunked"))
            return fail(p, ADDER_ERR_UNSUPPORTED, ADDER_HTTP_WHY_CODING);
        p->priv.has_coding = true;
    } else if (adder_http_str_is(name, "Connection")) {
        connection(p, v);
    } else if (p->priv.request && adder_http_str_is(name, "Host")) {
        return host(p, v);
    } else if (p->priv.request && adder_http_str_is(name, "Expect")) {
        p->head.expect_continue |= adder_http_str_is(v, "100-continue");
    }
    return ADDER_OK;
}

static adder_err_t field(adder_http_parser_t *p, adder_http_str_t line, adder_http_event_t *ev)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return refuse(p, ADDER_HTTP_WHY_HEADER_FOLD);
    const char *colon = memchr(line.at, ':', line.len);
    if (colon == NULL)
        return refuse(p, ADDER_HTTP_WHY_HEADER_COLON);
    size_t n = (size_t)(colon - line.at);
    ev->name = (adder_http_str_t){line.at, n};
    ev->value = adder_http_trim((adder_http_str_t){colon + 1, line.len - n - 1});
    if (n > 0 && (colon[-1] == ' ' || colon[-1] == '\t'))
        return refuse(p, ADDER_HTTP_WHY_HEADER_SPACE);
    if (!adder_http_is_token(ev->name))
        return refuse(p, ADDER_HTTP_WHY_NAME);
    return ADDER_OK;
}

/* RFC 9112, section 6.3: what body follows. */
static adder_err_t head_end(adder_http_parser_t *p)
{
    adder_http_head_t *h = &p->head;
    if (p->priv.has_coding && p->priv.has_length)
        return refuse(p, ADDER_HTTP_WHY_LENGTH_CHUNKED);
    if (p->priv.has_coding && h->minor == 0)
        return refuse(p, ADDER_HTTP_WHY_CODING_OLD);
    if (p->priv.request && !p->priv.has_host && h->minor > 0)
        return refuse(p, ADDER_HTTP_WHY_HOST_MISSING);
    h->upgrade = h->status == 101;
    if (p->priv.no_body || (!p->priv.request && (h->status < 200 || h->status == 204 || h->status == 304)))
        h->body = ADDER_HTTP_BODY_NONE;
    else if (p->priv.has_coding)
        h->body = ADDER_HTTP_BODY_CHUNKED;
    else if (p->priv.has_length)
        h->body = ADDER_HTTP_BODY_LENGTH;
    else
        h->body = p->priv.request ? ADDER_HTTP_BODY_NONE : ADDER_HTTP_BODY_UNTIL_CLOSE;
    h->keep_alive = !p->priv.says_close && (h->minor > 0 || p->priv.says_keep) && !h->upgrade &&
                    h->body != ADDER_HTTP_BODY_UNTIL_CLOSE;
    return ADDER_OK;
}

/* The final response follows a 1xx: forget what the 1xx said. */
static void forget_interim(adder_http_parser_t *p)
{
    uint16_t interim = p->head.interim;
    memset(&p->head, 0, sizeof p->head);
    p->head.interim = interim;
    p->priv.has_length = p->priv.has_coding = p->priv.has_host = false;
    p->priv.says_close = p->priv.says_keep = p->priv.skip = false;
}

static void body_begin(adder_http_parser_t *p)
{
    p->priv.left = p->head.length;
    switch (p->head.body) {
    case ADDER_HTTP_BODY_LENGTH:
        p->priv.state = p->priv.left > 0 ? ST_LENGTH : ST_COMPLETE;
        break;
    case ADDER_HTTP_BODY_CHUNKED:
        p->priv.state = ST_CHUNK_SIZE;
        break;
    case ADDER_HTTP_BODY_UNTIL_CLOSE:
        p->priv.state = ST_UNTIL_CLOSE;
        break;
    default:
        p->priv.state = ST_COMPLETE;
    }
}

/* ---- steps: each takes input or changes the state; ev->kind stays MORE unless there is an event ---- */

static adder_err_t start_step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                              adder_http_event_t *ev)
{
    /* A peer that speaks something else is found out at its first bytes, not at a line end that may
     * never come. */
    for (size_t i = p->priv.len; !p->priv.request && i < 5 && i - p->priv.len < len - *used; i++) {
        if (in[*used + i - p->priv.len] != (uint8_t) "HTTP/"[i])
            return refuse(p, ADDER_HTTP_WHY_NOT_HTTP);
    }
    bool done;
    adder_err_t err = take_head_line(p, in, len, used, &done);
    if (err != ADDER_OK || !done)
        return err;
    adder_http_str_t line = line_of(p);
    if (p->priv.request && line.len == 0) /* RFC 9112, 2.2: skip blank lines; head_max bounds them */
        return ADDER_OK;
    err = p->priv.request ? request_line(p, line, ev) : status_line(p, line, ev);
    if (err != ADDER_OK)
        return err;
    p->priv.state = ST_HEADERS;
    if (!p->priv.skip)
        ev->kind = ADDER_HTTP_EV_START;
    return ADDER_OK;
}

static adder_err_t headers_step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                                adder_http_event_t *ev)
{
    bool done, trailers = p->priv.state == ST_TRAILERS;
    adder_err_t err = take_head_line(p, in, len, used, &done);
    if (err != ADDER_OK || !done)
        return err;
    adder_http_str_t line = line_of(p);
    if (line.len > 0) {
        err = field(p, line, ev);
        if (err == ADDER_OK && !trailers)
            err = framing(p, ev->name, ev->value);
        if (err == ADDER_OK && !p->priv.skip)
            ev->kind = trailers ? ADDER_HTTP_EV_TRAILER : ADDER_HTTP_EV_HEADER;
        return err;
    }
    if (trailers) {
        p->priv.state = ST_COMPLETE;
        return ADDER_OK;
    }
    err = head_end(p);
    if (err != ADDER_OK)
        return err;
    if (p->priv.skip) {
        forget_interim(p);
        p->priv.state = ST_START;
        return ADDER_OK;
    }
    p->priv.state = ST_HEAD_END;
    ev->kind = ADDER_HTTP_EV_HEAD_END;
    return ADDER_OK;
}

static adder_err_t chunk_size_step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used)
{
    bool done;
    adder_err_t err = take_line(p, in, len, used, ADDER_HTTP_CHUNK_LINE_MAX, &done);
    if (p->why == ADDER_HTTP_WHY_LINE_LONG)
        p->why = ADDER_HTTP_WHY_CHUNK_LINE_LONG;
    if (err != ADDER_OK || !done)
        return err;
    adder_http_str_t line = line_of(p);
    size_t n = 0;
    uint64_t size = 0;
    while (n < line.len && adder_http_hex(line.at[n]) >= 0) {
        if (size > INT64_MAX >> 4)
            return refuse(p, ADDER_HTTP_WHY_CHUNK_SIZE);
        size = size << 4 | (uint64_t)adder_http_hex(line.at[n++]);
    }
    if (n == 0)
        return refuse(p, ADDER_HTTP_WHY_CHUNK_SIZE);
    /* Blanks are allowed before an extension's ';' and nowhere else. */
    adder_http_str_t ext = adder_http_trim((adder_http_str_t){line.at + n, line.len - n});
    if (n < line.len && (ext.len == 0 || ext.at[0] != ';'))
        return refuse(p, ADDER_HTTP_WHY_CHUNK_EXT);
    p->priv.left = size;
    p->priv.state = size > 0 ? ST_CHUNK_DATA : ST_TRAILERS;
    return ADDER_OK;
}

static adder_err_t chunk_crlf_step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used)
{
    bool done;
    if (take_line(p, in, len, used, 1, &done) != ADDER_OK || (p->priv.len == 1 && p->priv.line[0] != '\r'))
        return refuse(p, ADDER_HTTP_WHY_CHUNK_END);
    if (done)
        p->priv.state = ST_CHUNK_SIZE;
    return ADDER_OK;
}

static void body_step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                      adder_http_event_t *ev)
{
    size_t n = len - *used;
    if (n == 0)
        return;
    if (p->priv.state != ST_UNTIL_CLOSE) {
        if (n > p->priv.left)
            n = (size_t)p->priv.left;
        p->priv.left -= n;
        if (p->priv.left == 0)
            p->priv.state = p->priv.state == ST_LENGTH ? ST_COMPLETE : ST_CHUNK_CRLF;
    }
    ev->kind = ADDER_HTTP_EV_BODY;
    ev->body = in + *used;
    ev->body_len = n;
    *used += n;
}

static adder_err_t step(adder_http_parser_t *p, const uint8_t *in, size_t len, size_t *used,
                        adder_http_event_t *ev)
{
    switch (p->priv.state) {
    case ST_START:
        return start_step(p, in, len, used, ev);
    case ST_HEADERS:
    case ST_TRAILERS:
        return headers_step(p, in, len, used, ev);
    case ST_HEAD_END:
        body_begin(p);
        return ADDER_OK;
    case ST_CHUNK_SIZE:
        return chunk_size_step(p, in, len, used);
    case ST_CHUNK_CRLF:
        return chunk_crlf_step(p, in, len, used);
    case ST_COMPLETE:
        p->priv.state = ST_OVER;
        ev->kind = ADDER_HTTP_EV_END;
        return ADDER_OK;
    case ST_OVER:
        return ADDER_ERR_STATE;
    default:
        body_step(p, in, len, used, ev);
        return ADDER_OK;
    }
}

/* ---- the two entries ---- */

adder_err_t adder_http_feed(adder_http_parser_t *p, const void *in, size_t len, size_t *used_out,
                            adder_http_event_t *ev_out)
{
    *used_out = 0;
    memset(ev_out, 0, sizeof *ev_out);
    if (p->priv.err != ADDER_OK)
        return p->priv.err;
    p->priv.any |= len > 0;
    for (;;) {
        uint8_t state = p->priv.state;
        size_t used = *used_out;
        adder_err_t err = step(p, in, len, used_out, ev_out);
        if (err != ADDER_OK) {
            memset(ev_out, 0, sizeof *ev_out);
            return err;
        }
        if (ev_out->kind != ADDER_HTTP_EV_MORE)
            return ADDER_OK;
        if (state == p->priv.state && used == *used_out) /* nothing left to do with what there is */
            return ADDER_OK;
        memset(ev_out, 0, sizeof *ev_out);
    }
}

adder_err_t adder_http_eof(adder_http_parser_t *p, adder_http_event_t *ev_out)
{
    memset(ev_out, 0, sizeof *ev_out);
    if (p->priv.err != ADDER_OK)
        return p->priv.err;
    if (p->priv.state == ST_OVER)
        return ADDER_ERR_STATE;
    if (p->priv.state == ST_HEAD_END)
        body_begin(p);
    if (p->priv.state == ST_COMPLETE || p->priv.state == ST_UNTIL_CLOSE) {
        p->priv.state = ST_OVER;
        ev_out->kind = ADDER_HTTP_EV_END;
        return ADDER_OK;
    }
    if (!p->priv.any)
        return fail(p, ADDER_ERR_CLOSED, ADDER_HTTP_WHY_CLOSED);
    return fail(p, ADDER_ERR_END, ADDER_HTTP_WHY_CUT);
}
