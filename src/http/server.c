/* Connections of the server, and their time. */
#include <string.h>

#include "src/http/server_int.h"

/* What one connection may do in one tick. */
#define ROUNDS 16
#define LINGER_MS 1000
/* When to look again at what has no event of its own: a source or a handler that was not ready. */
#define POLL_MS 20

static const adder_http_server_config_t defaults = {
    .body_max = 65536, .head_ms = 10000, .body_ms = 60000, .stall_ms = 15000, .idle_ms = 5000};

adder_err_t adder_http_server_start(adder_http_server_t *s, const adder_http_server_config_t *config)
{
    memset(s, 0, sizeof *s);
    const adder_net_t *net = config->net;
    if (config->n_calls == 0 || config->call_bytes < ADDER_HTTP_CALL_BYTES_MIN)
        return ADDER_ERR_ARG;
    if (net->ops->listen == NULL || net->ops->accept == NULL)
        return ADDER_ERR_UNSUPPORTED;
    adder_http_server_config_t *c = &s->priv.config;
    *c = *config;
    c->body_max = c->body_max != 0 ? c->body_max : defaults.body_max;
    c->head_ms = c->head_ms != 0 ? c->head_ms : defaults.head_ms;
    c->body_ms = c->body_ms != 0 ? c->body_ms : defaults.body_ms;
    c->stall_ms = c->stall_ms != 0 ? c->stall_ms : defaults.stall_ms;
    c->idle_ms = c->idle_ms != 0 ? c->idle_ms : defaults.idle_ms;
    memset(c->calls, 0, c->n_calls * sizeof c->calls[0]);
    adder_ip_family_t family = (adder_ip_family_t)c->at.ip.family;
    adder_err_t err = net->ops->open(net->ctx, ADDER_NET_TCP, family, &s->priv.sock);
    if (err != ADDER_OK)
        return err;
    err = net->ops->bind(net->ctx, s->priv.sock, &c->at);
    if (err == ADDER_OK)
        err = net->ops->listen(net->ctx, s->priv.sock, (unsigned)c->n_calls);
    if (err != ADDER_OK) {
        ADDER_IGNORE(net->ops->close(net->ctx, s->priv.sock, true), "it is free whatever comes");
        return err;
    }
    s->priv.open = true;
    return ADDER_OK;
}

uint16_t adder_http_server_port(const adder_http_server_t *s)
{
    const adder_net_t *net = s->priv.config.net;
    adder_endpoint_t local = {0};
    if (!s->priv.open || net->ops->endpoints(net->ctx, s->priv.sock, &local, NULL) != ADDER_OK)
        return 0;
    return local.port;
}

/* ---- connections ---- */

static void hang_up(adder_http_call_t *call, bool lost)
{
    const adder_net_t *net = call->priv.stream.net;
    adder_http_call_done(call, lost);
    ADDER_IGNORE(net->ops->close(net->ctx, call->priv.stream.sock, lost), "it is free whatever comes");
    call->priv.open = false;
}

void adder_http_server_stop(adder_http_server_t *s)
{
    const adder_net_t *net = s->priv.config.net;
    for (size_t i = 0; i < s->priv.config.n_calls; i++) {
        if (s->priv.config.calls[i].priv.open)
            hang_up(&s->priv.config.calls[i], true);
    }
    if (s->priv.open)
        ADDER_IGNORE(net->ops->close(net->ctx, s->priv.sock, false), "it is free whatever comes");
    s->priv.open = false;
    s->priv.config.n_calls = 0;
}

/* A call without a connection. When all have one and another waits, the one that has been idle longest,
 * having had its turn, makes room. */
static adder_http_call_t *find_call(adder_http_server_t *s)
{
    const adder_http_server_config_t *c = &s->priv.config;
    adder_http_call_t *oldest = NULL;
    unsigned flags = 0;
    for (size_t i = 0; i < c->n_calls; i++) {
        adder_http_call_t *call = &c->calls[i];
        if (!call->priv.open)
            return call;
        bool idle = call->priv.state == ADDER_HTTP_CALL_IDLE && call->priv.served;
        if (idle &&
            (oldest == NULL || s->priv.now_ms - call->priv.since_ms > s->priv.now_ms - oldest->priv.since_ms))
            oldest = call;
    }
    if (oldest == NULL || c->net->ops->ready(c->net->ctx, s->priv.sock, &flags) != ADDER_OK ||
        !(flags & ADDER_NET_READABLE))
        return NULL;
    hang_up(oldest, false);
    return oldest;
}

static adder_err_t accept_one(adder_http_server_t *s)
{
    const adder_http_server_config_t *c = &s->priv.config;
    adder_endpoint_t remote = {0};
    uint16_t sock;
    adder_http_call_t *call = find_call(s);
    if (call == NULL)
        return ADDER_ERR_AGAIN;
    adder_err_t err = c->net->ops->accept(c->net->ctx, s->priv.sock, &sock, &remote);
    if (err != ADDER_OK)
        return err == ADDER_ERR_NOMEM ? ADDER_ERR_AGAIN : err;
    size_t quarter = c->call_bytes / 4;
    uint8_t *memory = c->memory + (size_t)(call - c->calls) * c->call_bytes;
    memset(call, 0, sizeof *call);
    call->remote = remote;
    call->priv.server = s;
    call->priv.stream = (adder_net_stream_t){c->net, sock};
    call->priv.text = (char *)memory;
    call->priv.text_cap = 2 * quarter;
    call->priv.in = memory + 2 * quarter;
    call->priv.in_cap = quarter;
    call->priv.open = true;
    adder_http_call_begin(call, s->priv.now_ms);
    return ADDER_OK;
}

/* ---- one connection ---- */

/* Send what there is to send. False: the connection is gone. */
static bool put_out(adder_http_call_t *call, bool *moved)
{
    adder_http_sender_t *s = &call->priv.sender;
    uint64_t n = 0;
    if (s->priv.state != ADDER_HTTP_SENDER_BODY && s->priv.state != ADDER_HTTP_SENDER_LAST)
        return true;
    adder_err_t err = adder_http_sender_step(s, adder_net_stream(&call->priv.stream), false, &n);
    if (n > 0) {
        call->priv.sent_ms = call->priv.server->priv.now_ms;
        *moved = true;
    }
    if (err == ADDER_OK && call->priv.answered) {
        call->priv.sent = true;
        *moved = true;
    }
    return err == ADDER_OK || err == ADDER_ERR_AGAIN;
}

/* The client has closed, or is gone. */
static void input_ends(adder_http_call_t *call)
{
    switch (call->priv.state) {
    case ADDER_HTTP_CALL_IDLE:
    case ADDER_HTTP_CALL_HEAD:
        hang_up(call, false);
        break;
    case ADDER_HTTP_CALL_BODY:
        hang_up(call, true);
        break;
    default: /* the answer may still be taken */
        call->priv.keep = false;
        call->priv.state = ADDER_HTTP_CALL_ENDED;
    }
}

/* Receive, if the request is not complete and nothing waits to be looked at. */
static void take_in(adder_http_call_t *call, bool *moved)
{
    const adder_net_t *net = call->priv.stream.net;
    size_t n = 0;
    if (call->priv.state == ADDER_HTTP_CALL_ENDED || call->priv.give_len > 0)
        return;
    adder_err_t err =
        net->ops->recv(net->ctx, call->priv.stream.sock, call->priv.in, call->priv.in_cap, &n, NULL);
    if (err == ADDER_ERR_AGAIN || (err == ADDER_OK && n == 0))
        return;
    *moved = true;
    if (err != ADDER_OK) {
        input_ends(call);
        return;
    }
    call->priv.at = 0;
    call->priv.len = n;
    if (call->priv.state == ADDER_HTTP_CALL_IDLE) {
        call->priv.state = ADDER_HTTP_CALL_HEAD;
        call->priv.since_ms = call->priv.server->priv.now_ms;
    }
    if (call->priv.state == ADDER_HTTP_CALL_LINGER) {
        call->priv.len = 0;
        call->priv.dropped += n;
        if (call->priv.dropped > ADDER_HTTP_SERVER_DRAIN_MAX)
            call->priv.state = ADDER_HTTP_CALL_ENDED;
    }
}

/* The request is complete and its answer is out. */
static void finish(adder_http_call_t *call)
{
    if (!call->priv.keep) {
        hang_up(call, false);
        return;
    }
    adder_http_call_done(call, false);
    call->priv.served = true;
    adder_http_call_begin(call, call->priv.server->priv.now_ms);
}

/* False: nothing moved, it waits. */
static bool round_of(adder_http_call_t *call)
{
    bool moved = false;
    if (!put_out(call, &moved)) {
        hang_up(call, true);
        return false;
    }
    if (call->priv.at < call->priv.len || call->priv.give_len > 0 ||
        call->priv.state == ADDER_HTTP_CALL_BODY || call->priv.state == ADDER_HTTP_CALL_DROP) {
        while (call->priv.open && adder_http_call_take(call))
            moved = true;
    }
    bool taken = call->priv.at == call->priv.len || call->priv.state == ADDER_HTTP_CALL_LINGER;
    if (taken && !(call->priv.answered && call->priv.sent && call->priv.state == ADDER_HTTP_CALL_ENDED))
        take_in(call, &moved);
    if (call->priv.open && call->priv.sent && call->priv.state == ADDER_HTTP_CALL_ENDED) {
        finish(call);
        moved = true;
    }
    return moved && call->priv.open;
}

/* What is left of the time that the connection has for what it does, 0 = over. */
static uint32_t time_left(const adder_http_call_t *call)
{
    const adder_http_server_config_t *c = &call->priv.server->priv.config;
    uint32_t now = call->priv.server->priv.now_ms, since = now - call->priv.since_ms,
             left = ADDER_NET_FOREVER;
    uint32_t limit = 0;
    if (call->priv.state == ADDER_HTTP_CALL_IDLE)
        limit = c->idle_ms;
    else if (call->priv.state == ADDER_HTTP_CALL_HEAD)
        limit = c->head_ms;
    else if (call->priv.state == ADDER_HTTP_CALL_BODY || call->priv.state == ADDER_HTTP_CALL_DROP)
        limit = c->body_ms;
    if (limit != 0)
        left = since < limit ? limit - since : 0;
    if (call->priv.answered) {
        uint32_t stall = call->priv.sent ? LINGER_MS : c->stall_ms, idle = now - call->priv.sent_ms;
        if (!call->priv.sent || call->priv.state == ADDER_HTTP_CALL_LINGER)
            left = idle >= stall ? 0 : left < stall - idle ? left : stall - idle;
    }
    return left;
}

static void too_late(adder_http_call_t *call)
{
    bool in_request = call->priv.state == ADDER_HTTP_CALL_HEAD || call->priv.state == ADDER_HTTP_CALL_BODY;
    if (in_request && !call->priv.answered)
        adder_http_call_refuse(call, 408);
    else
        hang_up(call, call->priv.answered && !call->priv.sent);
}

/* What the call waits for next, in ms. */
static uint32_t serve(adder_http_call_t *call)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (round_of(call))
            continue;
        if (!call->priv.open)
            return 0; /* another may have its place */
        uint32_t left = time_left(call);
        if (left > 0) {
            bool polls = call->priv.give_len > 0 || call->priv.sender.priv.starved;
            return polls && left > POLL_MS ? POLL_MS : left;
        }
        too_late(call);
        if (!call->priv.open)
            return 0;
    }
    return 0;
}

adder_err_t adder_http_server_tick(adder_http_server_t *s, uint32_t now_ms, uint32_t *wait_ms_out)
{
    s->priv.now_ms = now_ms;
    *wait_ms_out = ADDER_NET_FOREVER;
    if (!s->priv.open)
        return ADDER_ERR_STATE;
    for (size_t i = 0; i < s->priv.config.n_calls && s->priv.err == ADDER_OK; i++) {
        adder_err_t err = accept_one(s);
        if (err == ADDER_ERR_AGAIN)
            break;
        s->priv.err = err;
    }
    for (size_t i = 0; i < s->priv.config.n_calls; i++) {
        adder_http_call_t *call = &s->priv.config.calls[i];
        uint32_t wait = call->priv.open ? serve(call) : ADDER_NET_FOREVER;
        if (wait < *wait_ms_out)
            *wait_ms_out = wait;
    }
    return s->priv.err;
}
