/* The opening handshake (RFC 6455 section 4.1): one request, and an answer looked at line by line. */
#include <string.h>

#include "websocket_int.h"

enum { SEEN_UPGRADE = 1, SEEN_CONNECTION = 2, SEEN_ACCEPT = 4, SEEN_PROTOCOL = 8, ANSWER_MAX = 8192 };

/* ---- the request ---- */

static bool fits_a_line(const char *text)
{
    return text == NULL || strpbrk(text, "\r\n") == NULL;
}

static bool add(adder_websocket_t *ws, const char *text)
{
    const size_t len = strlen(text);
    if (len > ws->priv.c.cap - ws->priv.out_len) {
        return false;
    }
    memcpy(ws->priv.c.buf + ws->priv.out_len, text, len);
    ws->priv.out_len = (uint16_t)(ws->priv.out_len + len);
    return true;
}

static adder_err_t make_key(adder_websocket_t *ws, char key[25])
{
    uint8_t nonce[16], hash[20];
    char text[24 + 37];
    const adder_err_t err = ws->priv.c.random(ws->priv.c.random_ctx, nonce, sizeof nonce);
    if (err != ADDER_OK) {
        return err;
    }
    websocket_base64(nonce, sizeof nonce, key);
    key[24] = 0;
    memcpy(text, key, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    websocket_sha1(text, 60, hash);
    websocket_base64(hash, sizeof hash, ws->priv.accept);
    return ADDER_OK;
}

adder_err_t websocket_request(adder_websocket_t *ws)
{
    const adder_websocket_config_t *c = &ws->priv.c;
    if (!fits_a_line(c->host) || !fits_a_line(c->path) || !fits_a_line(c->protocol)) {
        return ADDER_ERR_ARG;
    }
    char key[25];
    const adder_err_t err = make_key(ws, key);
    if (err != ADDER_OK) {
        return err;
    }
    bool ok = add(ws, "GET ") && add(ws, c->path != NULL ? c->path : "/") && add(ws, " HTTP/1.1\r\nHost: ") &&
              add(ws, c->host) &&
              add(ws, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
                      "\r\nSec-WebSocket-Key: ") &&
              add(ws, key) && add(ws, "\r\n");
    if (c->protocol != NULL) {
        ok = ok && add(ws, "Sec-WebSocket-Protocol: ") && add(ws, c->protocol) && add(ws, "\r\n");
    }
    ok = ok && add(ws, c->headers != NULL ? c->headers : "") && add(ws, "\r\n");
    return ok ? ADDER_OK : ADDER_ERR_NOSPACE;
}

/* ---- the answer ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same(const char *a, size_t len, const char *b)
{
    if (strlen(b) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/* Is `token` in a list with commas? */
static bool lists(const char *at, size_t len, const char *token)
{
    for (size_t i = 0; i < len;) {
        size_t n = i;
        while (n < len && at[n] != ',') {
            n++;
        }
        size_t from = i, to = n;
        while (from < to && (at[from] == ' ' || at[from] == '\t')) {
            from++;
        }
        while (to > from && (at[to - 1] == ' ' || at[to - 1] == '\t')) {
            to--;
        }
        if (same(at + from, to - from, token)) {
            return true;
        }
        i = n + 1;
    }
    return false;
}

static adder_err_t status_line(adder_websocket_t *ws, const char *line, size_t len)
{
    if (len < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0 || (len > 12 && line[12] != ' ')) {
        return ADDER_ERR_FORMAT;
    }
    for (unsigned i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return ADDER_ERR_FORMAT;
        }
        ws->status = (uint16_t)(ws->status * 10 + (line[i] - '0'));
    }
    return ws->status == 101 ? ADDER_OK : ADDER_ERR_REFUSED;
}

/* Once, and with the value that it must have. */
static adder_err_t must(adder_websocket_t *ws, uint8_t seen, bool right)
{
    if (!right || (ws->priv.seen & seen) != 0) {
        return ADDER_ERR_FORMAT;
    }
    ws->priv.seen |= seen;
    return ADDER_OK;
}

static adder_err_t header_line(adder_websocket_t *ws, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (colon == NULL) {
        return ADDER_ERR_FORMAT;
    }
    const size_t name = (size_t)(colon - line);
    const char *value = colon + 1;
    const char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    const size_t n = (size_t)(end - value);
    if (same(line, name, "Upgrade")) {
        return must(ws, SEEN_UPGRADE, same(value, n, "websocket"));
    }
    if (same(line, name, "Connection")) {
        ws->priv.seen |= lists(value, n, "upgrade") ? SEEN_CONNECTION : 0;
        return ADDER_OK;
    }
    if (same(line, name, "Sec-WebSocket-Accept")) {
        return must(ws, SEEN_ACCEPT, n == 28 && memcmp(value, ws->priv.accept, 28) == 0);
    }
    if (same(line, name, "Sec-WebSocket-Protocol")) { /* what we did not ask for is not agreed */
        const char *ours = ws->priv.c.protocol;
        return must(ws, SEEN_PROTOCOL, ours != NULL && strlen(ours) == n && memcmp(ours, value, n) == 0);
    }
    return same(line, name, "Sec-WebSocket-Extensions") ? ADDER_ERR_FORMAT : ADDER_OK;
}

/* ADDER_ERR_END: it was the last, and all is right. */
static adder_err_t take_line(adder_websocket_t *ws, const char *line, size_t len)
{
    if (ws->status == 0) {
        return status_line(ws, line, len);
    }
    if (len > 0) {
        return header_line(ws, line, len);
    }
    const uint8_t all = SEEN_UPGRADE | SEEN_CONNECTION | SEEN_ACCEPT;
    const uint8_t wanted = ws->priv.c.protocol != NULL ? all | SEEN_PROTOCOL : all;
    return ws->priv.seen == wanted ? ADDER_ERR_END : ADDER_ERR_FORMAT;
}

/* Lines that are whole; what is behind the last one moves to the buffer's begin. */
static adder_err_t take_lines(adder_websocket_t *ws)
{
    char *buf = (char *)ws->priv.c.buf;
    size_t at = 0;
    adder_err_t err = ADDER_OK;
    const char *lf;
    while (err == ADDER_OK && (lf = memchr(buf + at, '\n', ws->priv.rest_len - at)) != NULL) {
        size_t len = (size_t)(lf - (buf + at));
        if (len == 0 || buf[at + len - 1] != '\r') {
            return ADDER_ERR_FORMAT;
        }
        err = ws->priv.skipping ? ADDER_OK : take_line(ws, buf + at, len - 1);
        ws->priv.skipping = false;
        at += len + 1;
    }
    if (err == ADDER_OK && at == 0 && ws->priv.rest_len == ws->priv.c.cap) { /* a line longer than that */
        err = ws->priv.skipping || ws->status == 0 ? ADDER_OK : header_line(ws, buf, ws->priv.c.cap - 1);
        ws->priv.skipping = true;
        at = ws->priv.rest_len - 1u; /* a CR may be the last byte: it stays */
    }
    memmove(buf, buf + at, ws->priv.rest_len - at);
    ws->priv.rest_len = (uint16_t)(ws->priv.rest_len - at);
    return err;
}

adder_err_t websocket_answer(adder_websocket_t *ws)
{
    for (;;) {
        size_t n = 0;
        adder_err_t err = ws->priv.below.ops->recv(ws->priv.below.ctx, ws->priv.c.buf + ws->priv.rest_len,
                                                   ws->priv.c.cap - ws->priv.rest_len, &n);
        if (err != ADDER_OK) {
            return err == ADDER_ERR_END ? ADDER_ERR_CLOSED : err;
        }
        ws->priv.rest_len = (uint16_t)(ws->priv.rest_len + n);
        ws->priv.head_bytes = (uint16_t)(ws->priv.head_bytes + (n < ANSWER_MAX ? n : ANSWER_MAX));
        err = take_lines(ws);
        if (err == ADDER_ERR_END) {
            /* What follows are frames already, below the place of control frames or dropped with an error. */
            return ws->priv.rest_len <= ws->priv.c.cap - CONTROL_MAX ? ADDER_OK : ADDER_ERR_NOSPACE;
        }
        if (err != ADDER_OK) {
            return err;
        }
        if (ws->priv.head_bytes > ANSWER_MAX) {
            return ADDER_ERR_FORMAT;
        }
    }
}
