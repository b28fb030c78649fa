/* One request and its response over a stream. */
#include "adder/http_exchange.h"

#include <string.h>

#include "src/http/http_int.h"

enum { ST_HEAD, ST_BODY, ST_END, ST_FAILED };

static adder_err_t fail(adder_http_exchange_t *x, adder_err_t err, adder_http_why_t why)
{
    x->priv.state = ST_FAILED;
    x->priv.err = err;
    x->why = why;
    return err;
}

void adder_http_exchange_start(adder_http_exchange_t *x, const adder_http_exchange_config_t *c,
                               adder_stream_t stream, const adder_http_writer_t *w, size_t head_len,
                               const char *method, const adder_http_payload_t *body)
{
    memset(x, 0, sizeof *x);
    x->priv.c = *c;
    x->priv.stream = stream;
    x->head = &x->priv.parser.head;
    x->priv.hold = c->expect && body != NULL && body->kind != ADDER_HTTP_BODY_NONE;
    adder_http_sender_begin(&x->priv.sender, w, (uint8_t *)c->out, c->out_cap, 0, head_len, body);
    adder_http_response_init(&x->priv.parser, c->line, c->line_cap, strcmp(method, "HEAD") == 0);
}

/* ---- sending ---- */

static bool is_sent(const adder_http_exchange_t *x)
{
    return x->priv.sender.priv.state == ADDER_HTTP_SENDER_DONE;
}

static bool may_send(const adder_http_exchange_t *x)
{
    return x->priv.sender.priv.state < ADDER_HTTP_SENDER_DONE && x->priv.send_err == ADDER_OK &&
           !x->priv.stopped;
}

/* Send what can be sent. Only the source's failure is one here: the stream's may have its reason in an answer
 * that is to be read first. */
static adder_err_t push(adder_http_exchange_t *x)
{
    adder_http_sender_t *s = &x->priv.sender;
    x->priv.send_full = false;
    if (!may_send(x))
        return ADDER_OK;
    if (x->priv.parser.head.interim == 100)
        x->priv.hold = false;
    adder_err_t err = adder_http_sender_step(s, x->priv.stream, x->priv.hold, &x->moved);
    x->body_begun |= !x->priv.hold && s->priv.body.kind != ADDER_HTTP_BODY_NONE;
    if (s->priv.state == ADDER_HTTP_SENDER_NO_SOURCE)
        return fail(x, err, s->priv.writer.why);
    if (err == ADDER_ERR_AGAIN)
        x->priv.send_full = s->priv.at < s->priv.len || (!s->priv.starved && !x->priv.hold);
    else if (err != ADDER_OK)
        x->priv.send_err = err;
    return ADDER_OK;
}

/* ---- receiving ---- */

/* The stream gives no more; `err` says how. */
static adder_err_t no_more(adder_http_exchange_t *x, adder_err_t err)
{
    if (err == ADDER_ERR_AGAIN) /* a stream that failed for sending has nothing on its way any more */
        return x->priv.send_err == ADDER_OK ? err : fail(x, x->priv.send_err, ADDER_HTTP_WHY_NONE);
    if (err == ADDER_ERR_END) {
        adder_http_event_t ev;
        if (adder_http_eof(&x->priv.parser, &ev) == ADDER_OK) {
            x->complete = true;
            return ADDER_OK;
        }
        err = ADDER_ERR_CLOSED;
    }
    if (err == ADDER_ERR_CLOSED)
        return fail(x, err, x->received ? ADDER_HTTP_WHY_CUT : ADDER_HTTP_WHY_CLOSED);
    return fail(x, err, ADDER_HTTP_WHY_NONE);
}

static adder_err_t receive(adder_http_exchange_t *x, uint8_t *to, size_t cap, size_t *n)
{
    *n = 0;
    adder_err_t err = x->priv.stream.ops->recv(x->priv.stream.ctx, to, cap, n);
    if (err == ADDER_OK && *n == 0)
        err = ADDER_ERR_AGAIN;
    if (err != ADDER_OK)
        return no_more(x, err);
    x->received = true;
    x->moved += *n;
    return ADDER_OK;
}

static adder_err_t receive_in(adder_http_exchange_t *x)
{
    size_t n;
    adder_err_t err = receive(x, x->priv.c.in, x->priv.c.in_cap, &n);
    if (err != ADDER_OK)
        return err;
    x->priv.at = 0;
    x->priv.len = n;
    return ADDER_OK;
}

/* A peer of many small pieces leaves room for others. */
static adder_err_t enough(adder_http_exchange_t *x)
{
    x->priv.more = true;
    return ADDER_ERR_AGAIN;
}

/* One event of in[at..at + at_most). */
static adder_err_t parse(adder_http_exchange_t *x, size_t at_most, adder_http_event_t *ev)
{
    size_t used, n = x->priv.len - x->priv.at;
    adder_err_t err =
        adder_http_feed(&x->priv.parser, x->priv.c.in + x->priv.at, n < at_most ? n : at_most, &used, ev);
    if (err != ADDER_OK)
        return fail(x, err, x->priv.parser.why);
    x->priv.at += used;
    bool line = ev->kind == ADDER_HTTP_EV_START || ev->kind == ADDER_HTTP_EV_HEADER ||
                ev->kind == ADDER_HTTP_EV_TRAILER;
    if (line && x->priv.c.on_head != NULL) {
        err = x->priv.c.on_head(x->priv.c.ctx, x->head, ev);
        if (err != ADDER_OK)
            return fail(x, err, ADDER_HTTP_WHY_NONE);
    }
    x->complete |= ev->kind == ADDER_HTTP_EV_END;
    return ADDER_OK;
}

/* The end of a message needs no input: it is seen at once and not at the next call. */
static adder_err_t settle(adder_http_exchange_t *x)
{
    adder_http_event_t ev;
    return x->complete ? ADDER_OK : parse(x, 0, &ev);
}

/* The head is there. Who answers so before the body's end does not want the rest of it (RFC 9112, 9.5),
 * nor who answers without the 100 that was asked for. */
static adder_err_t head_is_there(adder_http_exchange_t *x)
{
    x->priv.state = ST_BODY;
    if (may_send(x) && (x->priv.hold || x->head->status >= 300))
        x->priv.stopped = true;
    return settle(x);
}

adder_err_t adder_http_exchange_step(adder_http_exchange_t *x)
{
    if (x->priv.state != ST_HEAD)
        return x->priv.err;
    adder_err_t err = push(x);
    if (err != ADDER_OK)
        return err;
    x->priv.more = false;
    for (unsigned calls = 0;;) {
        adder_http_event_t ev;
        do {
            err = parse(x, SIZE_MAX, &ev);
            if (err != ADDER_OK)
                return err;
            if (ev.kind == ADDER_HTTP_EV_HEAD_END)
                return head_is_there(x);
        } while (ev.kind != ADDER_HTTP_EV_MORE);
        err = x->priv.hold && x->head->interim == 100 ? push(x) : ADDER_OK;
        if (err != ADDER_OK)
            return err;
        if (calls++ == ADDER_HTTP_CALLS_MAX)
            return enough(x);
        err = receive_in(x);
        if (err != ADDER_OK)
            return err;
    }
}

/* ---- the body ---- */

/* Copy out what lies in `in`. */
static adder_err_t take_buffered(adder_http_exchange_t *x, uint8_t *buf, size_t cap, size_t *n)
{
    while (x->priv.at < x->priv.len && *n < cap && !x->complete) {
        adder_http_event_t ev;
        adder_err_t err = parse(x, cap - *n, &ev);
        if (err != ADDER_OK)
            return err;
        if (ev.kind == ADDER_HTTP_EV_BODY) {
            memcpy(buf + *n, ev.body, ev.body_len);
            *n += ev.body_len;
        }
    }
    return ADDER_OK;
}

/* How much of the body can be received straight into a buffer of `cap`, 0 = go through `in`: where `in` is
 * the larger, it saves calls, and where a chunk ends, it takes the next one's size along. */
static size_t straight(const adder_http_exchange_t *x, size_t cap)
{
    uint64_t left = x->priv.parser.priv.left;
    size_t n = cap;
    if (x->head->body != ADDER_HTTP_BODY_UNTIL_CLOSE && n > left)
        n = (size_t)left;
    bool all = x->head->body == ADDER_HTTP_BODY_LENGTH && n == left;
    return all || n >= x->priv.c.in_cap ? n : 0;
}

static adder_err_t take_straight(adder_http_exchange_t *x, uint8_t *buf, size_t cap, size_t *n)
{
    adder_http_event_t ev;
    size_t used;
    adder_err_t err = receive(x, buf, cap, n);
    if (err != ADDER_OK || x->complete)
        return err;
    err = adder_http_feed(&x->priv.parser, buf, *n, &used, &ev);
    ADDER_ASSERT(err == ADDER_OK && ev.kind == ADDER_HTTP_EV_BODY && used == *n);
    return err == ADDER_OK ? ADDER_OK : fail(x, err, x->priv.parser.why);
}

static adder_err_t end_of_body(adder_http_exchange_t *x)
{
    if (may_send(x)) /* the answer is whole, the request is not: it was not refused, so it goes on */
        return ADDER_ERR_AGAIN;
    x->priv.state = ST_END;
    return ADDER_ERR_END;
}

adder_err_t adder_http_exchange_read(adder_http_exchange_t *x, uint8_t *buf, size_t cap, size_t *n_out)
{
    *n_out = 0;
    if (x->priv.state != ST_BODY)
        return x->priv.state == ST_END      ? ADDER_ERR_END
               : x->priv.state == ST_FAILED ? x->priv.err
                                            : ADDER_ERR_STATE;
    adder_err_t err = push(x);
    x->priv.more = false;
    for (unsigned calls = 0; err == ADDER_OK; calls++) {
        err = take_buffered(x, buf, cap, n_out);
        if (err == ADDER_OK && *n_out > 0)
            err = settle(x);
        if (*n_out > 0) /* an error behind good bytes comes at the next call */
            return ADDER_OK;
        if (err != ADDER_OK)
            return err;
        if (x->complete)
            return end_of_body(x);
        if (calls == ADDER_HTTP_CALLS_MAX)
            return enough(x);
        size_t n = straight(x, cap);
        if (n == 0) {
            err = receive_in(x);
            continue;
        }
        err = take_straight(x, buf, n, n_out);
        if (err == ADDER_OK && *n_out > 0)
            return settle(x);
    }
    return err;
}

/* ---- what is asked about it ---- */

void adder_http_exchange_go_on(adder_http_exchange_t *x)
{
    x->priv.hold = false;
}

bool adder_http_exchange_holds(const adder_http_exchange_t *x)
{
    return x->priv.hold && may_send(x);
}

unsigned adder_http_exchange_wants(const adder_http_exchange_t *x)
{
    unsigned wants = x->complete ? 0 : ADDER_HTTP_WANTS_RECV;
    if (x->priv.more || (may_send(x) && x->priv.sender.priv.more))
        wants |= ADDER_HTTP_WANTS_NOW;
    if (may_send(x) && x->priv.send_full)
        wants |= ADDER_HTTP_WANTS_SEND;
    if (may_send(x) && x->priv.sender.priv.starved)
        wants |= ADDER_HTTP_WANTS_SOURCE;
    return wants;
}

bool adder_http_exchange_keep(const adder_http_exchange_t *x)
{
    return x->complete && x->priv.err == ADDER_OK && x->priv.send_err == ADDER_OK && is_sent(x) &&
           x->head->keep_alive && x->priv.at == x->priv.len;
}

const uint8_t *adder_http_exchange_rest(const adder_http_exchange_t *x, size_t *n_out)
{
    *n_out = x->priv.len - x->priv.at;
    return x->priv.c.in + x->priv.at;
}
