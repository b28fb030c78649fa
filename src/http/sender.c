/* A head and its body on a stream: as few calls as the buffer allows. */
#include <string.h>

#include "src/http/http_int.h"

adder_http_payload_t adder_http_payload_bytes(const void *bytes, size_t len)
{
    adder_http_payload_t body = {.kind = ADDER_HTTP_BODY_LENGTH, .length = len};
    body.bytes = len > 0 ? bytes : "";
    return body;
}

bool adder_http_payload_repeats(const adder_http_payload_t *body)
{
    return body->kind == ADDER_HTTP_BODY_NONE || body->bytes != NULL || body->source.rewind != NULL;
}

void adder_http_sender_begin(adder_http_sender_t *s, const adder_http_writer_t *w, uint8_t *out, size_t cap,
                             size_t at, size_t head_len, const adder_http_payload_t *body)
{
    memset(s, 0, sizeof *s);
    s->priv.writer = *w;
    s->priv.out = out;
    s->priv.cap = cap;
    s->priv.at = at;
    s->priv.len = head_len;
    if (body != NULL)
        s->priv.body = *body;
    bool none = s->priv.body.kind == ADDER_HTTP_BODY_NONE ||
                (s->priv.body.kind == ADDER_HTTP_BODY_LENGTH && s->priv.body.length == 0);
    s->priv.state = none ? ADDER_HTTP_SENDER_LAST : ADDER_HTTP_SENDER_BODY;
}

static adder_err_t source_failed(adder_http_sender_t *s, adder_err_t err, adder_http_why_t why)
{
    s->priv.state = ADDER_HTTP_SENDER_NO_SOURCE;
    s->priv.writer.why = why;
    return err;
}

/* As much as there is, up to `cap`: the source may give little at a time. END: nothing will follow. */
static adder_err_t draw(adder_http_sender_t *s, uint8_t *to, size_t cap, size_t *n_out)
{
    *n_out = 0;
    while (*n_out < cap) {
        size_t n = 0;
        adder_err_t err = s->priv.body.source.read(s->priv.body.source.ctx, to + *n_out, cap - *n_out, &n);
        if (err == ADDER_OK && n > cap - *n_out)
            err = ADDER_ERR_RANGE; /* it has written where it may not */
        if (err == ADDER_OK && n == 0)
            err = ADDER_ERR_AGAIN;
        if (err == ADDER_ERR_AGAIN) {
            s->priv.starved = true;
            return ADDER_OK;
        }
        if (err != ADDER_OK)
            return err;
        *n_out += n;
    }
    return ADDER_OK;
}

/* A body in memory goes behind the head if it fits; else from where it is (send_bytes). */
static void fill_bytes(adder_http_sender_t *s)
{
    if (s->priv.done > 0 || s->priv.len == 0 || s->priv.body.length > s->priv.cap - s->priv.len)
        return;
    memcpy(s->priv.out + s->priv.len, s->priv.body.bytes, (size_t)s->priv.body.length);
    s->priv.len += (size_t)s->priv.body.length;
    s->priv.state = ADDER_HTTP_SENDER_LAST;
}

static adder_err_t fill_plain(adder_http_sender_t *s)
{
    bool sized = s->priv.body.kind == ADDER_HTTP_BODY_LENGTH;
    uint64_t left = s->priv.body.length - s->priv.done;
    size_t room = s->priv.cap - s->priv.len, n;
    if (sized && room > left)
        room = (size_t)left;
    if (room == 0)
        return ADDER_OK;
    adder_err_t err = draw(s, s->priv.out + s->priv.len, room, &n);
    s->priv.len += n;
    s->priv.done += n;
    if (err == ADDER_ERR_END && sized)
        return source_failed(s, ADDER_ERR_STATE, ADDER_HTTP_WHY_BODY_SHORT);
    if (err != ADDER_OK && err != ADDER_ERR_END)
        return source_failed(s, err, ADDER_HTTP_WHY_NONE);
    if (err == ADDER_ERR_END || (sized && s->priv.done == s->priv.body.length))
        s->priv.state = ADDER_HTTP_SENDER_LAST;
    return ADDER_OK;
}

/* The data is drawn behind room for its frame, whose length depends on the data's. */
static adder_err_t fill_chunk(adder_http_sender_t *s)
{
    char frame[ADDER_HTTP_FRAME_MAX];
    size_t room = s->priv.cap - s->priv.len, frame_len, n;
    if (s->priv.len > 0 && room < 2 * ADDER_HTTP_CHUNK_ROOM)
        return ADDER_OK; /* the head first */
    if (room <= ADDER_HTTP_CHUNK_ROOM)
        return source_failed(s, ADDER_ERR_NOSPACE, ADDER_HTTP_WHY_HEAD_BUFFER);
    uint8_t *data = s->priv.out + s->priv.len + ADDER_HTTP_FRAME_MAX;
    adder_err_t err = draw(s, data, room - ADDER_HTTP_CHUNK_ROOM, &n);
    if (err != ADDER_OK && err != ADDER_ERR_END)
        return source_failed(s, err, ADDER_HTTP_WHY_NONE);
    adder_err_t framed = adder_http_write_body(&s->priv.writer, n, frame, &frame_len);
    if (framed != ADDER_OK)
        return source_failed(s, framed, s->priv.writer.why);
    if (n > 0 && s->priv.len == 0) { /* the frame moves up to the data */
        s->priv.at = ADDER_HTTP_FRAME_MAX - frame_len;
        s->priv.len = ADDER_HTTP_FRAME_MAX + n;
        memcpy(s->priv.out + s->priv.at, frame, frame_len);
    } else if (n > 0) { /* the data moves down to its frame */
        memcpy(s->priv.out + s->priv.len, frame, frame_len);
        memmove(s->priv.out + s->priv.len + frame_len, data, n);
        s->priv.len += frame_len + n;
    }
    if (err != ADDER_ERR_END)
        return ADDER_OK;
    framed = adder_http_write_body_end(&s->priv.writer, frame, &frame_len);
    if (framed != ADDER_OK)
        return source_failed(s, framed, s->priv.writer.why);
    memcpy(s->priv.out + s->priv.len, frame, frame_len);
    s->priv.len += frame_len;
    s->priv.state = ADDER_HTTP_SENDER_LAST;
    return ADDER_OK;
}

/* More into `out`, unless a part of what is there has gone already. */
static adder_err_t fill(adder_http_sender_t *s)
{
    s->priv.starved = false;
    if (s->priv.state != ADDER_HTTP_SENDER_BODY || s->priv.at > 0)
        return ADDER_OK;
    if (s->priv.body.bytes != NULL && s->priv.body.kind == ADDER_HTTP_BODY_LENGTH) {
        fill_bytes(s);
        return ADDER_OK;
    }
    return s->priv.body.kind == ADDER_HTTP_BODY_CHUNKED ? fill_chunk(s) : fill_plain(s);
}

static adder_err_t send_out(adder_http_sender_t *s, adder_stream_t stream, size_t *n)
{
    adder_err_t err = stream.ops->send(stream.ctx, s->priv.out + s->priv.at, s->priv.len - s->priv.at, n);
    if (err != ADDER_OK)
        return err;
    s->priv.at += *n;
    if (s->priv.at == s->priv.len) {
        s->priv.at = s->priv.len = 0;
        if (s->priv.state == ADDER_HTTP_SENDER_LAST)
            s->priv.state = ADDER_HTTP_SENDER_DONE;
    }
    return ADDER_OK;
}

static adder_err_t send_bytes(adder_http_sender_t *s, adder_stream_t stream, size_t *n)
{
    const uint8_t *from = (const uint8_t *)s->priv.body.bytes + s->priv.done;
    adder_err_t err = stream.ops->send(stream.ctx, from, (size_t)(s->priv.body.length - s->priv.done), n);
    if (err != ADDER_OK)
        return err;
    s->priv.done += *n;
    if (s->priv.done == s->priv.body.length)
        s->priv.state = ADDER_HTTP_SENDER_DONE;
    return ADDER_OK;
}

adder_err_t adder_http_sender_step(adder_http_sender_t *s, adder_stream_t stream, bool hold, uint64_t *moved)
{
    s->priv.more = false;
    for (unsigned calls = 0; calls < ADDER_HTTP_CALLS_MAX; calls++) {
        adder_err_t err = hold ? ADDER_OK : fill(s);
        if (err != ADDER_OK)
            return err;
        size_t n = 0;
        if (s->priv.at < s->priv.len)
            err = send_out(s, stream, &n);
        else if (s->priv.state == ADDER_HTTP_SENDER_BODY && !hold && s->priv.body.bytes != NULL)
            err = send_bytes(s, stream, &n);
        else if (s->priv.state == ADDER_HTTP_SENDER_BODY)
            return ADDER_ERR_AGAIN; /* held, or starved */
        else
            s->priv.state = ADDER_HTTP_SENDER_DONE;
        *moved += n;
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
            s->priv.state = ADDER_HTTP_SENDER_NO_STREAM;
        if (err != ADDER_OK || s->priv.state == ADDER_HTTP_SENDER_DONE)
            return err;
        if (n == 0)
            return ADDER_ERR_AGAIN;
    }
    s->priv.more = true;
    return ADDER_ERR_AGAIN;
}
