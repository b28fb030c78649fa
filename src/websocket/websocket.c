/* Frames (RFC 6455 section 5). Bytes are received into the caller's buffer as they come, and what is not
 * payload is taken out there: no byte is copied twice and no frame is read in two small pieces.
 *
 *   buffer:  | rest of the handshake | the frame that leaves ...      | a control frame |
 *            0                  rest_len                    cap - CONTROL_MAX         cap */
#include <string.h>

#include "websocket_int.h"

enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80, MASK = 0x80 };
enum { CLOSE_NORMAL = 1000, CLOSE_PROTOCOL = 1002, CLOSE_DATA = 1003, CLOSE_NONE = 1005 };

adder_err_t websocket_stop(adder_websocket_t *ws, adder_err_t err)
{
    ws->priv.err = (uint8_t)err;
    ws->priv.state = WS_CLOSED;
    return err;
}

/* ---- what leaves ---- */

static uint8_t *control_place(adder_websocket_t *ws)
{
    return ws->priv.c.buf + ws->priv.c.cap - CONTROL_MAX;
}

static adder_err_t send_some(adder_websocket_t *ws, const uint8_t *bytes, size_t len, size_t *n)
{
    *n = 0;
    const adder_err_t err = ws->priv.below.ops->send(ws->priv.below.ctx, bytes, len, n);
    return err == ADDER_OK && *n == 0 ? ADDER_ERR_AGAIN : err;
}

/* A control frame goes between two frames, never into one. */
adder_err_t websocket_flush(adder_websocket_t *ws)
{
    for (;;) {
        const bool control = ws->priv.ctl_at < ws->priv.ctl_len &&
                             (ws->priv.ctl_at > 0 || ws->priv.out_at == ws->priv.out_len);
        size_t n;
        adder_err_t err;
        if (control) {
            err = send_some(ws, control_place(ws) + ws->priv.ctl_at,
                            (size_t)(ws->priv.ctl_len - ws->priv.ctl_at), &n);
            ws->priv.ctl_at = (uint8_t)(ws->priv.ctl_at + n);
        } else if (ws->priv.out_at < ws->priv.out_len) {
            err = send_some(ws, ws->priv.c.buf + ws->priv.out_at,
                            (size_t)(ws->priv.out_len - ws->priv.out_at), &n);
            ws->priv.out_at = (uint16_t)(ws->priv.out_at + n);
        } else {
            ws->priv.ctl_at = ws->priv.ctl_len = 0;
            return ADDER_OK;
        }
        if (err != ADDER_OK) {
            return err;
        }
    }
}

/* Header and masked payload at `p`; its length. */
static adder_err_t put_frame(adder_websocket_t *ws, uint8_t *p, uint8_t opcode, const uint8_t *bytes,
                             size_t len, size_t *len_out)
{
    size_t at = 0;
    p[at++] = (uint8_t)(FIN | opcode);
    if (len < 126) {
        p[at++] = (uint8_t)(MASK | len);
    } else {
        p[at++] = MASK | 126;
        p[at++] = (uint8_t)(len >> 8);
        p[at++] = (uint8_t)len;
    }
    uint8_t *key = p + at;
    const adder_err_t err = ws->priv.c.random(ws->priv.c.random_ctx, key, 4);
    if (err != ADDER_OK) {
        return err;
    }
    at += 4;
    for (size_t i = 0; i < len; i++) {
        p[at + i] = bytes[i] ^ key[i & 3];
    }
    *len_out = at + len;
    return ADDER_OK;
}

/* A control frame; one that waits and has not begun gives way to a Close. */
static adder_err_t put_control(adder_websocket_t *ws, uint8_t opcode, const uint8_t *bytes, size_t len)
{
    if (ws->priv.ctl_at < ws->priv.ctl_len && (ws->priv.ctl_at > 0 || opcode != CLOSE)) {
        return ADDER_OK; /* the latest of several pings may go without an answer: section 5.5.3 */
    }
    size_t n = 0;
    const adder_err_t err = put_frame(ws, control_place(ws), opcode, bytes, len, &n);
    ws->priv.ctl_at = 0;
    ws->priv.ctl_len = (uint8_t)n;
    return err;
}

static adder_err_t put_close(adder_websocket_t *ws, uint16_t code)
{
    const uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    return put_control(ws, CLOSE, bytes, code == CLOSE_NONE ? 0 : 2);
}

/* The server breaks the rules: tell it, and be done with it. */
static adder_err_t refuse(adder_websocket_t *ws, uint16_t code)
{
    if (put_close(ws, code) == ADDER_OK) {
        ADDER_IGNORE(websocket_flush(ws), "the first error is the one to tell");
    }
    return websocket_stop(ws, ADDER_ERR_FORMAT);
}

static adder_err_t ws_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    adder_websocket_t *ws = ctx;
    *n_out = 0;
    adder_err_t err = adder_websocket_handshake(ws);
    if (err == ADDER_OK) {
        err = websocket_flush(ws);
    }
    if (err == ADDER_OK && len == 0) { /* the stream below may have kept some as well */
        err = ws->priv.below.ops->send(ws->priv.below.ctx, bytes, 0, n_out);
    }
    if (err != ADDER_OK || len == 0) {
        return err == ADDER_OK || err == ADDER_ERR_AGAIN ? err : websocket_stop(ws, err);
    }
    const size_t base = ws->priv.rest_at < ws->priv.rest_len ? ws->priv.rest_len : 0;
    const size_t room = ws->priv.c.cap - CONTROL_MAX - base;
    if (room < 16) {
        return ADDER_ERR_AGAIN; /* until what came behind the handshake has been received */
    }
    size_t n = 0;
    len = len < room - 8 ? len : room - 8;
    if ((err = put_frame(ws, ws->priv.c.buf + base, BINARY, bytes, len, &n)) != ADDER_OK) {
        return websocket_stop(ws, err);
    }
    ws->priv.out_at = (uint16_t)base;
    ws->priv.out_len = (uint16_t)(base + n);
    *n_out = len;
    err = websocket_flush(ws);
    if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
        *n_out = 0;
        return websocket_stop(ws, err);
    }
    return ADDER_OK;
}

/* ---- what comes ---- */

/* Bytes that a frame's head has, by its second one. */
static size_t head_size(uint8_t second)
{
    return (second & 127) == 127 ? 10 : (second & 127) == 126 ? 4 : 2;
}

static adder_err_t begin_frame(adder_websocket_t *ws)
{
    const uint8_t *h = ws->priv.head;
    const uint8_t opcode = h[0] & 15;
    const bool fin = (h[0] & FIN) != 0;
    uint64_t len = h[1] & 127;
    if (len >= 126) {
        const size_t n = head_size(h[1]);
        const uint64_t least = len == 126 ? 126 : 65536;
        len = 0;
        for (size_t i = 2; i < n; i++) {
            len = len << 8 | h[i];
        }
        if (len < least || len >> 63 != 0) {
            return refuse(ws, CLOSE_PROTOCOL);
        }
    }
    if ((h[0] & 0x70) != 0 || (h[1] & MASK) != 0 || (opcode > BINARY && opcode < CLOSE) || opcode > PONG) {
        return refuse(ws, CLOSE_PROTOCOL);
    }
    if (opcode == TEXT) {
        return refuse(ws, CLOSE_DATA); /* [MQTT-6.0.0-1] */
    }
    if (opcode >= CLOSE ? !fin || len > 125 : (opcode == CONTINUATION) != ws->priv.message) {
        return refuse(ws, CLOSE_PROTOCOL);
    }
    ws->priv.left = len;
    ws->priv.head_len = 0;
    if (opcode < CLOSE) {
        ws->priv.message = !fin;
        ws->priv.state = len > 0 ? WS_PAYLOAD : WS_HEAD;
    } else {
        ws->priv.state = WS_CONTROL;
    }
    return ADDER_OK;
}

/* A control frame is whole; its payload of `len` bytes is `bytes`. */
static adder_err_t end_control(adder_websocket_t *ws, const uint8_t *bytes, size_t len)
{
    const uint8_t opcode = ws->priv.head[0] & 15;
    ws->priv.state = WS_HEAD;
    if (opcode == PING) {
        return put_control(ws, PONG, bytes, len);
    }
    if (opcode == PONG) {
        return ADDER_OK;
    }
    if (len == 1) {
        return refuse(ws, CLOSE_PROTOCOL);
    }
    ws->code = (uint16_t)(len == 0 ? CLOSE_NONE : bytes[0] << 8 | bytes[1]);
    const adder_err_t err = put_close(ws, ws->code);
    return err != ADDER_OK ? err : ADDER_ERR_END;
}

/* Take what is not payload out of buf[0..len); *n_out is what stays. */
static adder_err_t strip(adder_websocket_t *ws, uint8_t *buf, size_t len, size_t *n_out)
{
    size_t at = 0, kept = 0;
    adder_err_t err = ADDER_OK;
    while (err == ADDER_OK && (at < len || (ws->priv.state == WS_CONTROL && ws->priv.left == 0))) {
        if (ws->priv.state == WS_HEAD) {
            ws->priv.head[ws->priv.head_len++] = buf[at++];
            if (ws->priv.head_len >= 2 && ws->priv.head_len == head_size(ws->priv.head[1])) {
                err = begin_frame(ws);
            }
            continue;
        }
        size_t n = len - at;
        n = n > ws->priv.left ? (size_t)ws->priv.left : n;
        ws->priv.left -= n;
        if (ws->priv.state == WS_PAYLOAD) {
            memmove(buf + kept, buf + at, n);
            kept += n;
            at += n;
            ws->priv.state = ws->priv.left > 0 ? WS_PAYLOAD : WS_HEAD;
            continue;
        }
        /* A control frame's payload is gathered until it is whole. */
        memcpy(ws->priv.control + ws->priv.head_len, buf + at, n);
        ws->priv.head_len = (uint8_t)(ws->priv.head_len + n);
        at += n;
        if (ws->priv.left == 0) {
            const uint8_t got = ws->priv.head_len;
            ws->priv.head_len = 0;
            err = end_control(ws, ws->priv.control, got);
        }
    }
    *n_out = kept;
    return err;
}

static adder_err_t ws_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    adder_websocket_t *ws = ctx;
    *n_out = 0;
    adder_err_t err = adder_websocket_handshake(ws);
    if (err != ADDER_OK || cap == 0) {
        return err;
    }
    for (;;) {
        err = websocket_flush(ws);
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
            return websocket_stop(ws, err);
        }
        size_t n = (size_t)(ws->priv.rest_len - ws->priv.rest_at);
        if (n > 0) {
            n = n < cap ? n : cap;
            memcpy(buf, ws->priv.c.buf + ws->priv.rest_at, n);
            ws->priv.rest_at = (uint16_t)(ws->priv.rest_at + n);
        } else if ((err = ws->priv.below.ops->recv(ws->priv.below.ctx, buf, cap, &n)) != ADDER_OK) {
            return err == ADDER_ERR_AGAIN ? err
                                          : websocket_stop(ws, err == ADDER_ERR_END ? ADDER_ERR_CLOSED : err);
        }
        err = strip(ws, buf, n, n_out);
        if (err != ADDER_OK) {
            if (ws->priv.err == ADDER_OK) {
                ADDER_IGNORE(websocket_flush(ws), "the answer to a Close may wait");
                websocket_stop(ws, err);
            }
            return *n_out > 0 ? ADDER_OK : (adder_err_t)ws->priv.err; /* what came before it is given first */
        }
        if (*n_out > 0) {
            return ADDER_OK;
        }
    }
}

/* ---- life ---- */

adder_err_t adder_websocket_init(adder_websocket_t *ws, const adder_websocket_config_t *c,
                                 adder_stream_t below)
{
    memset(ws, 0, sizeof *ws);
    if (c->host == NULL || c->random == NULL || c->buf == NULL || c->cap < 256 || c->cap > UINT16_MAX) {
        return ADDER_ERR_ARG;
    }
    ws->priv.c = *c;
    ws->priv.below = below;
    return websocket_request(ws);
}

adder_err_t adder_websocket_handshake(adder_websocket_t *ws)
{
    adder_err_t err = ADDER_OK;
    if (ws->priv.state == WS_CLOSED) {
        ADDER_IGNORE(websocket_flush(ws), "a Close frame may still be on its way");
        return (adder_err_t)ws->priv.err;
    }
    if (ws->priv.state == WS_REQUEST && (err = websocket_flush(ws)) == ADDER_OK) {
        ws->priv.state = WS_ANSWER;
        ws->priv.out_at = ws->priv.out_len = 0;
    }
    if (ws->priv.state == WS_ANSWER && (err = websocket_answer(ws)) == ADDER_OK) {
        ws->priv.state = WS_HEAD;
    }
    return err == ADDER_OK || err == ADDER_ERR_AGAIN ? err : websocket_stop(ws, err);
}

adder_stream_t adder_websocket_stream(adder_websocket_t *ws)
{
    static const adder_stream_ops_t ops = {ws_send, ws_recv};
    return (adder_stream_t){&ops, ws};
}

bool adder_websocket_pending(const adder_websocket_t *ws)
{
    return ws->priv.out_at < ws->priv.out_len || ws->priv.ctl_at < ws->priv.ctl_len;
}

adder_err_t adder_websocket_close(adder_websocket_t *ws)
{
    if (ws->priv.state < WS_HEAD) {
        websocket_stop(ws, ADDER_ERR_CLOSED); /* nothing was agreed: nothing to say */
        return ADDER_OK;
    }
    if (ws->priv.state != WS_CLOSED) {
        if (ws->priv.ctl_at > 0 && ws->priv.ctl_at < ws->priv.ctl_len) {
            const adder_err_t err = websocket_flush(ws); /* a Pong is half out */
            if (err != ADDER_OK) {
                return err;
            }
        }
        const adder_err_t err = put_close(ws, CLOSE_NORMAL);
        if (err != ADDER_OK) {
            return err;
        }
        websocket_stop(ws, ADDER_ERR_CLOSED);
    }
    return websocket_flush(ws);
}
