/* A request as it comes in, and its answer. */
#include <string.h>

#include "src/http/server_int.h"

/* Of the head's memory, for the lines between chunks and behind them. */
#define LINE_ROOM 32

const char *adder_http_reason(unsigned status)
{
    static const struct {
        uint16_t status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

/* ---- the handler ---- */

static adder_err_t tell(adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes, size_t len)
{
    return call->priv.route->handler(call->priv.route->ctx, call, what, bytes, len);
}

void adder_http_call_done(adder_http_call_t *call, bool lost)
{
    if (!call->priv.active)
        return;
    call->priv.active = false;
    call->priv.answered = true; /* it is too late to answer */
    call->lost = lost;
    ADDER_IGNORE(tell(call, ADDER_HTTP_SERVE_DONE, NULL, 0), "there is nothing left to fail");
}

/* The handler cannot go on. */
static void handler_failed(adder_http_call_t *call)
{
    if (!call->priv.answered)
        adder_http_call_refuse(call, 500);
    else
        call->priv.keep = false;
}

/* ---- answers ---- */

static uint8_t *out_of(const adder_http_call_t *call, size_t *cap)
{
    *cap = call->priv.server->priv.config.call_bytes / 4;
    return call->priv.in + call->priv.in_cap;
}

/* Bytes of 100 Continue that are still to go, moved to the front. */
static size_t pending(adder_http_call_t *call)
{
    adder_http_sender_t *s = &call->priv.sender;
    size_t n = s->priv.len - s->priv.at;
    if (s->priv.state != ADDER_HTTP_SENDER_LAST || n == 0)
        return 0;
    memmove(s->priv.out, s->priv.out + s->priv.at, n);
    return n;
}

static bool says_close(const adder_http_header_t *headers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        adder_http_str_t name = {headers[i].name, strlen(headers[i].name)};
        adder_http_str_t value = {headers[i].value, strlen(headers[i].value)};
        if (adder_http_str_is(name, "Connection") && adder_http_str_is(value, "close"))
            return true;
    }
    return false;
}

static bool waits_for_100(const adder_http_call_t *call)
{
    return call->head->expect_continue && call->head->body != ADDER_HTTP_BODY_NONE && call->priv.body == 0;
}

/* Where what is not read of the request goes, now that an answer has begun. */
static void stop_reading(adder_http_call_t *call)
{
    if (call->priv.state != ADDER_HTTP_CALL_BODY)
        return;
    call->priv.give_len = 0;
    call->priv.state = ADDER_HTTP_CALL_DROP;
    /* Who waits for 100 may send the body or not: what comes next is not known. */
    if (waits_for_100(call)) {
        call->priv.keep = false;
        call->priv.state = ADDER_HTTP_CALL_LINGER;
    }
}

adder_err_t adder_http_call_answer(adder_http_call_t *call, unsigned status, const char *content_type,
                                   const adder_http_header_t *headers, size_t n_headers,
                                   const adder_http_payload_t *body)
{
    if (!call->priv.open || call->priv.answered)
        return ADDER_ERR_STATE;
    adder_http_payload_t b = {0};
    size_t cap, n, before = pending(call);
    uint8_t *out = out_of(call, &cap);
    bool old = call->priv.parser.head.minor == 0, closes = says_close(headers, n_headers);
    if (body != NULL)
        b = *body;
    if (b.kind == ADDER_HTTP_BODY_CHUNKED && old)
        b.kind = ADDER_HTTP_BODY_UNTIL_CLOSE;
    bool keep = call->priv.keep && !closes && b.kind != ADDER_HTTP_BODY_UNTIL_CLOSE;
    if (call->priv.state == ADDER_HTTP_CALL_BODY && waits_for_100(call))
        keep = false;
    adder_http_writer_t w;
    adder_http_write_response(&w, (char *)out + before, cap - before, status, adder_http_reason(status));
    if (!keep && !closes && b.kind != ADDER_HTTP_BODY_UNTIL_CLOSE)
        adder_http_write_header(&w, "Connection", "close");
    else if (keep && old)
        adder_http_write_header(&w, "Connection", "keep-alive");
    if (content_type != NULL)
        adder_http_write_header(&w, "Content-Type", content_type);
    for (size_t i = 0; i < n_headers; i++)
        adder_http_write_header(&w, headers[i].name, headers[i].value);
    adder_err_t err = adder_http_write_head_end(&w, b.kind, b.length, &n);
    if (err == ADDER_OK && status < 200)
        err = ADDER_ERR_ARG; /* no answer yet */
    if (err != ADDER_OK) {   /* what was pending is where it was, but for its place */
        call->priv.sender.priv.len -= call->priv.sender.priv.at;
        call->priv.sender.priv.at = 0;
        return err;
    }
    if (call->method != NULL && strcmp(call->method, "HEAD") == 0)
        b = (adder_http_payload_t){0};
    adder_http_sender_begin(&call->priv.sender, &w, out, cap, 0, before + n, &b);
    call->priv.keep = keep;
    call->priv.answered = true;
    call->priv.sent_ms = call->priv.server->priv.now_ms;
    stop_reading(call);
    return ADDER_OK;
}

adder_err_t adder_http_call_reply(adder_http_call_t *call, unsigned status, const char *content_type,
                                  const void *bytes, size_t len)
{
    adder_http_payload_t body = adder_http_payload_bytes(bytes, len);
    bool none = len == 0 && (status == 204 || status == 304);
    return adder_http_call_answer(call, status, content_type, NULL, 0, none ? NULL : &body);
}

static void say_status(adder_http_call_t *call, unsigned status)
{
    char allow[80];
    adder_http_header_t header = {"Allow", allow, false};
    const char *text = adder_http_reason(status);
    adder_http_payload_t body = adder_http_payload_bytes(text, strlen(text));
    if (status == 405)
        adder_http_call_allow(call, allow, sizeof allow);
    adder_err_t err =
        adder_http_call_answer(call, status, "text/plain", &header, status == 405 ? 1 : 0, &body);
    if (err != ADDER_OK) /* without words, then */
        err = adder_http_call_answer(call, status, NULL, NULL, 0, NULL);
    call->priv.answered = true;
    call->priv.sent |= err != ADDER_OK;
}

void adder_http_call_refuse(adder_http_call_t *call, unsigned status)
{
    call->priv.keep = false;
    if (!call->priv.answered) { /* else the request went wrong behind its answer */
        say_status(call, status);
        adder_http_call_done(call, true);
    }
    call->priv.give_len = 0;
    call->priv.state = ADDER_HTTP_CALL_LINGER;
}

/* ---- requests ---- */

void adder_http_call_begin(adder_http_call_t *call, uint32_t now_ms)
{
    call->method = call->path = NULL;
    call->query = (adder_http_str_t){NULL, 0};
    memset(call->param, 0, sizeof call->param);
    call->user = NULL;
    call->lost = false;
    call->head = &call->priv.parser.head;
    call->priv.route = NULL;
    memset(&call->priv.sender, 0, sizeof call->priv.sender);
    call->priv.text_len = call->priv.headers_at = call->priv.headers_end = 0;
    call->priv.body = 0;
    call->priv.dropped = call->priv.give_len = 0;
    call->priv.active = call->priv.answered = call->priv.sent = call->priv.bad_expect = false;
    call->priv.keep = false;
    call->priv.since_ms = now_ms;
    call->priv.state = call->priv.at < call->priv.len ? ADDER_HTTP_CALL_HEAD : ADDER_HTTP_CALL_IDLE;
    adder_http_request_init(&call->priv.parser, call->priv.text, call->priv.text_cap);
}

/* The line just read stays where it is; the next one is gathered behind it. */
static void keep_text(adder_http_call_t *call, size_t len)
{
    call->priv.text_len += len;
    call->priv.parser.priv.line = call->priv.text + call->priv.text_len;
    call->priv.parser.priv.cap = call->priv.text_cap - call->priv.text_len;
}

/* "METHOD target HTTP/1.1", in place: 0 or a status. */
static unsigned start_line(adder_http_call_t *call, const adder_http_event_t *ev)
{
    char *line = call->priv.text + call->priv.text_len;
    size_t at = (size_t)(ev->value.at - line), n;
    adder_http_str_t target = ev->value;
    line[ev->name.len] = '\0';
    line[at + target.len] = '\0';
    call->method = line;
    keep_text(call, at + target.len + 1);
    adder_url_t url;
    if (target.at[0] != '/' && adder_url_parse(target.at, target.len, &url, NULL) == ADDER_OK)
        target = url.target;
    const char *mark = target.len > 0 ? memchr(target.at, '?', target.len) : NULL;
    call->priv.raw = (adder_http_str_t){target.at, mark != NULL ? (size_t)(mark - target.at) : target.len};
    if (mark != NULL)
        call->query = (adder_http_str_t){mark + 1, target.len - call->priv.raw.len - 1};
    if (call->priv.raw.len == 0)
        call->priv.raw = (adder_http_str_t){"/", 1};
    char *out = call->priv.text + call->priv.text_len;
    size_t cap = call->priv.text_cap - call->priv.text_len;
    adder_err_t err = adder_http_path_decode(call->priv.raw, out, cap, &n);
    if (err == ADDER_ERR_FORMAT || (err == ADDER_OK && memchr(out, '\0', n) != NULL))
        return 400;
    if (err != ADDER_OK || n == cap)
        return 414;
    out[n] = '\0';
    call->path = out;
    keep_text(call, n + 1);
    call->priv.headers_at = call->priv.headers_end = call->priv.text_len;
    return 0;
}

/* "Name: value" becomes "Name\0value\0", which is not longer: there was a CR. */
static void header_line(adder_http_call_t *call, const adder_http_event_t *ev)
{
    char *line = call->priv.text + call->priv.text_len;
    size_t name_len = ev->name.len, len = ev->value.len;
    if (adder_http_str_is(ev->name, "Expect") && !adder_http_str_is(ev->value, "100-continue"))
        call->priv.bad_expect = true;
    memmove(line + name_len + 1, ev->value.at, len);
    line[name_len] = line[name_len + 1 + len] = '\0';
    keep_text(call, name_len + len + 2);
    call->priv.headers_end = call->priv.text_len;
}

adder_http_str_t adder_http_call_header(const adder_http_call_t *call, const char *name)
{
    const char *at = call->priv.text + call->priv.headers_at, *end = call->priv.text + call->priv.headers_end;
    while (at < end) {
        adder_http_str_t n = {at, strlen(at)};
        adder_http_str_t value = {at + n.len + 1, strlen(at + n.len + 1)};
        if (adder_http_str_is(n, name))
            return value;
        at = value.at + value.len + 1;
    }
    return (adder_http_str_t){NULL, 0};
}

static bool is_host(const adder_http_call_t *call)
{
    const adder_http_server_config_t *c = &call->priv.server->priv.config;
    adder_http_str_t value = adder_http_call_header(call, "Host");
    adder_url_t url;
    if (c->n_hosts == 0)
        return true;
    if (value.len == 0 || adder_http_authority(value, &url) != ADDER_HTTP_WHY_NONE)
        return false;
    for (size_t i = 0; i < c->n_hosts; i++) {
        if (adder_http_str_is(url.host, c->hosts[i]))
            return true;
    }
    return false;
}

static unsigned head_end(adder_http_call_t *call)
{
    const adder_http_server_config_t *c = &call->priv.server->priv.config;
    call->priv.keep = call->head->keep_alive;
    if (!is_host(call))
        return 421;
    if (call->priv.bad_expect)
        return 417;
    unsigned status = adder_http_call_route(call);
    if (status != 0)
        return status;
    if (call->head->body == ADDER_HTTP_BODY_LENGTH && call->head->length > c->body_max)
        return 413;
    if (call->priv.text_cap - call->priv.text_len < LINE_ROOM)
        return 431;
    keep_text(call, 0);
    return 0;
}

/* The client waits for leave to send its body. */
static void say_continue(adder_http_call_t *call)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static const adder_http_writer_t none;
    size_t cap;
    uint8_t *out = out_of(call, &cap);
    memcpy(out, go_on, sizeof go_on - 1);
    adder_http_sender_begin(&call->priv.sender, &none, out, cap, 0, sizeof go_on - 1, NULL);
    call->priv.sent_ms = call->priv.server->priv.now_ms;
}

static void request(adder_http_call_t *call)
{
    unsigned status = head_end(call);
    bool lost = status != 0 && status != 404 && status != 405 && status != 421 && status != 501;
    if (lost) {
        adder_http_call_refuse(call, status);
        return;
    }
    call->priv.state = ADDER_HTTP_CALL_BODY;
    call->priv.since_ms = call->priv.server->priv.now_ms;
    if (status != 0) { /* well understood: the connection need not end for that */
        say_status(call, status);
        return;
    }
    call->priv.active = true;
    if (tell(call, ADDER_HTTP_SERVE_REQUEST, NULL, 0) != ADDER_OK)
        handler_failed(call);
    bool waits =
        call->head->expect_continue && call->head->minor > 0 && call->head->body != ADDER_HTTP_BODY_NONE;
    if (waits && !call->priv.answered && call->priv.at == call->priv.len)
        say_continue(call);
}

static void request_end(adder_http_call_t *call)
{
    bool wanted = call->priv.state == ADDER_HTTP_CALL_BODY;
    call->priv.state = ADDER_HTTP_CALL_ENDED;
    if (wanted && tell(call, ADDER_HTTP_SERVE_END, NULL, 0) != ADDER_OK)
        handler_failed(call);
}

/* The bytes that the handler has not taken. */
static bool give(adder_http_call_t *call)
{
    size_t n = call->priv.give_len;
    adder_err_t err = tell(call, ADDER_HTTP_SERVE_BODY, call->priv.in + call->priv.give_at, n);
    if (err == ADDER_ERR_AGAIN && call->priv.give_len > 0)
        return false;
    call->priv.give_len = 0;
    if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
        handler_failed(call);
    return true;
}

static void body(adder_http_call_t *call, const adder_http_event_t *ev)
{
    if (call->priv.state == ADDER_HTTP_CALL_DROP) {
        call->priv.dropped += ev->body_len;
        if (call->priv.dropped > ADDER_HTTP_SERVER_DRAIN_MAX) {
            call->priv.keep = false;
            call->priv.state = ADDER_HTTP_CALL_ENDED;
        }
        return;
    }
    call->priv.body += ev->body_len;
    if (call->priv.body > call->priv.server->priv.config.body_max) {
        adder_http_call_refuse(call, 413);
        return;
    }
    call->priv.give_at = (size_t)(ev->body - call->priv.in);
    call->priv.give_len = ev->body_len;
}

static unsigned status_of(const adder_http_call_t *call, adder_err_t err)
{
    if (err == ADDER_ERR_NOSPACE)
        return call->path == NULL ? 414 : 431;
    if (call->priv.parser.why == ADDER_HTTP_WHY_VERSION)
        return 505;
    return call->priv.parser.why == ADDER_HTTP_WHY_CODING ? 501 : 400;
}

bool adder_http_call_take(adder_http_call_t *call)
{
    if (call->priv.give_len > 0)
        return give(call);
    if (call->priv.state == ADDER_HTTP_CALL_ENDED || call->priv.state == ADDER_HTTP_CALL_LINGER)
        return false;
    adder_http_event_t ev;
    size_t used;
    unsigned status = 0;
    adder_err_t err = adder_http_feed(&call->priv.parser, call->priv.in + call->priv.at,
                                      call->priv.len - call->priv.at, &used, &ev);
    if (err != ADDER_OK) {
        adder_http_call_refuse(call, status_of(call, err));
        return false;
    }
    call->priv.at += used;
    switch (ev.kind) {
    case ADDER_HTTP_EV_MORE:
        return false;
    case ADDER_HTTP_EV_START:
        status = start_line(call, &ev);
        break;
    case ADDER_HTTP_EV_HEADER:
        header_line(call, &ev);
        break;
    case ADDER_HTTP_EV_HEAD_END:
        request(call);
        break;
    case ADDER_HTTP_EV_BODY:
        body(call, &ev);
        break;
    case ADDER_HTTP_EV_END:
        request_end(call);
        break;
    default:
        break; /* trailers */
    }
    if (status != 0)
        adder_http_call_refuse(call, status);
    return true;
}
