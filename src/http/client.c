/* Kept connections and the requests on them. */
#include "adder/http_client.h"

#include <string.h>

#include "src/http/http_int.h"

enum { SLOT_FREE, SLOT_BUSY, SLOT_IDLE };
enum { ST_OFF, ST_SLOT, ST_CONNECT, ST_SEND, ST_DRAIN, ST_BODY, ST_OVER };

#define IDLE_MS 30000
#define TIMEOUT_MS 15000
#define EXPECT_MS 1000
/* When to look again at what has no event of its own: a busy slot, a source that had nothing. */
#define POLL_MS 20

/* ---- slots ---- */

adder_err_t adder_http_client_init(adder_http_client_t *c, const adder_http_client_config_t *config)
{
    memset(c, 0, sizeof *c);
    if (config->n_slots == 0 || config->slot_bytes < ADDER_HTTP_SLOT_BYTES_MIN)
        return ADDER_ERR_ARG;
    c->priv.config = *config;
    if (config->idle_ms == 0)
        c->priv.config.idle_ms = IDLE_MS;
    memset(config->slots, 0, config->n_slots * sizeof config->slots[0]);
    return ADDER_OK;
}

static void slot_close(adder_http_slot_t *slot)
{
    adder_conn_close(&slot->conn, slot->state == SLOT_BUSY);
    slot->state = SLOT_FREE;
}

void adder_http_client_tick(adder_http_client_t *c, uint32_t now_ms, uint32_t *wait_ms_out)
{
    *wait_ms_out = ADDER_NET_FOREVER;
    for (size_t i = 0; i < c->priv.config.n_slots; i++) {
        adder_http_slot_t *slot = &c->priv.config.slots[i];
        uint32_t idle = now_ms - slot->since_ms;
        if (slot->state != SLOT_IDLE)
            continue;
        if (idle >= c->priv.config.idle_ms)
            slot_close(slot);
        else if (*wait_ms_out > c->priv.config.idle_ms - idle)
            *wait_ms_out = c->priv.config.idle_ms - idle;
    }
}

void adder_http_client_close_idle(adder_http_client_t *c)
{
    for (size_t i = 0; i < c->priv.config.n_slots; i++) {
        if (c->priv.config.slots[i].state == SLOT_IDLE)
            slot_close(&c->priv.config.slots[i]);
    }
}

static bool slot_is_for(const adder_http_slot_t *slot, const adder_url_t *url)
{
    return slot->state == SLOT_IDLE && slot->tls == url->tls && slot->conn.priv.port == url->port &&
           adder_http_str_is(url->host, slot->conn.priv.host);
}

/* A kept connection to the same place that seems to live; the dead ones found on the way are closed. */
static adder_http_slot_t *find_kept(adder_http_client_t *c, const adder_url_t *url)
{
    for (size_t i = 0; i < c->priv.config.n_slots; i++) {
        adder_http_slot_t *slot = &c->priv.config.slots[i];
        if (!slot_is_for(slot, url))
            continue;
        if (adder_conn_is_quiet(&slot->conn))
            return slot;
        slot_close(slot);
    }
    return NULL;
}

/* The one idle longest; NULL: none is idle. */
static adder_http_slot_t *oldest_idle(adder_http_client_t *c, uint32_t now_ms)
{
    adder_http_slot_t *oldest = NULL;
    for (size_t i = 0; i < c->priv.config.n_slots; i++) {
        adder_http_slot_t *slot = &c->priv.config.slots[i];
        if (slot->state == SLOT_IDLE &&
            (oldest == NULL || now_ms - slot->since_ms > now_ms - oldest->since_ms))
            oldest = slot;
    }
    return oldest;
}

static adder_http_slot_t *find_free(adder_http_client_t *c, uint32_t now_ms)
{
    for (size_t i = 0; i < c->priv.config.n_slots; i++) {
        if (c->priv.config.slots[i].state == SLOT_FREE)
            return &c->priv.config.slots[i];
    }
    adder_http_slot_t *slot = oldest_idle(c, now_ms);
    if (slot != NULL)
        slot_close(slot);
    return slot;
}

/* ---- beginning ---- */

static adder_err_t fail(adder_http_fetch_t *f, adder_err_t err, adder_http_why_t why)
{
    if (f->priv.slot != NULL)
        slot_close(f->priv.slot);
    f->priv.slot = NULL;
    f->head = NULL;
    f->priv.state = ST_OVER;
    f->priv.err = err;
    f->why = why;
    return err;
}

adder_err_t adder_http_fetch_start(adder_http_fetch_t *f, adder_http_client_t *c, uint32_t now_ms)
{
    memset(&f->priv, 0, sizeof f->priv);
    f->head = NULL;
    f->why = ADDER_HTTP_WHY_NONE;
    f->followed = 0;
    f->reused = false;
    if (f->method == NULL || f->url == NULL)
        return ADDER_ERR_ARG;
    adder_err_t err = adder_url_parse(f->url, strlen(f->url), &f->at, &f->why);
    if (err != ADDER_OK)
        return err;
    f->priv.client = c;
    f->priv.method = f->method;
    f->priv.start_ms = f->priv.progress_ms = now_ms;
    f->priv.state = ST_SLOT;
    return ADDER_OK;
}

/* ---- the head of the request ---- */

static bool is_credential(const adder_http_header_t *h)
{
    adder_http_str_t name = {h->name, strlen(h->name)};
    return h->secret || adder_http_str_is(name, "Authorization") || adder_http_str_is(name, "Cookie") ||
           adder_http_str_is(name, "Proxy-Authorization") || adder_http_str_is(name, "Host");
}

static bool is_of_body(const adder_http_header_t *h)
{
    return strlen(h->name) > 8 && adder_http_str_is((adder_http_str_t){h->name, 8}, "Content-");
}

static adder_http_payload_t body_of(const adder_http_fetch_t *f)
{
    static const adder_http_payload_t none;
    return f->priv.no_body ? none : f->body;
}

static void put_headers(const adder_http_fetch_t *f, adder_http_writer_t *w)
{
    bool agent = false;
    for (size_t i = 0; i < f->n_headers; i++) {
        const adder_http_header_t *h = &f->headers[i];
        if ((f->priv.foreign && is_credential(h)) || (f->priv.no_body && is_of_body(h)))
            continue;
        agent |= adder_http_str_is((adder_http_str_t){h->name, strlen(h->name)}, "User-Agent");
        adder_http_write_header(w, h->name, h->value);
    }
    if (!agent && f->priv.client->priv.config.user_agent != NULL)
        adder_http_write_header(w, "User-Agent", f->priv.client->priv.config.user_agent);
    if (f->expect && body_of(f).kind != ADDER_HTTP_BODY_NONE)
        adder_http_write_header(w, "Expect", "100-continue");
}

/* A Location that is to be followed is resolved as it passes: its line is gone afterwards. */
static adder_err_t on_head(void *ctx, const adder_http_head_t *head, const adder_http_event_t *ev)
{
    adder_http_fetch_t *f = ctx;
    if (ev->kind == ADDER_HTTP_EV_START)
        f->priv.located = false;
    if (ev->kind == ADDER_HTTP_EV_HEADER && !f->priv.located && f->followed < f->redirects &&
        f->redirect_buf != NULL &&
        adder_http_redirect(head->status, f->priv.method) != ADDER_HTTP_REDIRECT_NOT &&
        adder_http_str_is(ev->name, "Location")) {
        size_t half = f->redirect_cap / 2;
        adder_http_why_t why;
        adder_err_t err =
            adder_url_resolve(&f->at, ev->value.at, ev->value.len,
                              f->redirect_buf + (f->priv.half ? half : 0), half, &f->priv.next, &why);
        if (err == ADDER_ERR_NOSPACE) {
            f->why = why;
            return err;
        }
        f->priv.located = err == ADDER_OK; /* where there is nothing to follow, the caller sees the 3xx */
    }
    return f->on_head != NULL ? f->on_head(f->ctx, head, ev) : ADDER_OK;
}

/* The connection stands: write the head, begin the exchange. */
static adder_err_t send(adder_http_fetch_t *f)
{
    const adder_http_client_config_t *c = &f->priv.client->priv.config;
    adder_http_slot_t *slot = f->priv.slot;
    uint8_t *memory = c->memory + (size_t)(slot - c->slots) * c->slot_bytes;
    size_t quarter = c->slot_bytes / 4, n;
    adder_http_payload_t body = body_of(f);
    adder_http_writer_t w;
    if (f->priv.begun && body.bytes == NULL && body.kind != ADDER_HTTP_BODY_NONE) {
        adder_err_t err = body.source.rewind(body.source.ctx);
        if (err != ADDER_OK)
            return fail(f, err, ADDER_HTTP_WHY_NONE);
    }
    f->priv.begun = false;
    adder_http_write_request(&w, (char *)memory, quarter, f->priv.method, &f->at);
    put_headers(f, &w);
    adder_err_t err = adder_http_write_head_end(&w, body.kind, body.length, &n);
    if (err != ADDER_OK)
        return fail(f, err, w.why);
    adder_http_exchange_config_t x = {.out = (char *)memory,
                                      .out_cap = quarter,
                                      .in = memory + quarter,
                                      .in_cap = 2 * quarter,
                                      .line = (char *)memory + 3 * quarter,
                                      .line_cap = quarter,
                                      .on_head = on_head,
                                      .ctx = f,
                                      .expect = f->expect};
    adder_http_exchange_start(&slot->x, &x, adder_conn_stream(&slot->conn), &w, n, f->priv.method, &body);
    f->priv.moved = 0;
    f->priv.state = ST_SEND;
    return ADDER_OK;
}

/* ---- steps: AGAIN waits, OK goes on ---- */

static adder_err_t take_slot(adder_http_fetch_t *f, uint32_t now_ms, uint32_t *wait_ms)
{
    adder_http_client_config_t *c = &f->priv.client->priv.config;
    adder_http_slot_t *slot = f->priv.retried ? NULL : find_kept(f->priv.client, &f->at);
    f->reused = slot != NULL;
    if (slot == NULL)
        slot = find_free(f->priv.client, now_ms);
    if (slot == NULL) {
        *wait_ms = POLL_MS;
        return ADDER_ERR_AGAIN;
    }
    f->priv.slot = slot;
    f->priv.progress_ms = now_ms;
    slot->state = SLOT_BUSY;
    if (f->reused)
        return send(f);
    adder_conn_config_t config = {.net = c->net,
                                  .resolver = c->resolver,
                                  .tls = c->tls,
                                  .timeout_ms = f->timeout_ms != 0 ? f->timeout_ms : TIMEOUT_MS};
    if (f->at.tls)
        config.security = c->tls != NULL ? ADDER_CONN_TLS : ADDER_CONN_DEVICE_TLS;
    slot->tls = f->at.tls;
    adder_err_t err =
        adder_conn_start(&slot->conn, &config, f->at.host.at, f->at.host.len, f->at.port, now_ms);
    if (err != ADDER_OK)
        return fail(f, err, ADDER_HTTP_WHY_NONE);
    f->priv.state = ST_CONNECT;
    return ADDER_OK;
}

static adder_err_t connect(adder_http_fetch_t *f, uint32_t now_ms, uint32_t *wait_ms)
{
    adder_err_t err = adder_conn_tick(&f->priv.slot->conn, now_ms, wait_ms);
    if (err == ADDER_OK) {
        f->priv.progress_ms = now_ms;
        return send(f);
    }
    if (err == ADDER_ERR_AGAIN)
        return err;
    /* Sockets are few: a connection that is only kept makes room, one after another. */
    adder_http_slot_t *idle = err == ADDER_ERR_NOMEM ? oldest_idle(f->priv.client, now_ms) : NULL;
    if (idle == NULL)
        return fail(f, err, ADDER_HTTP_WHY_NONE);
    slot_close(idle);
    slot_close(f->priv.slot);
    f->priv.slot = NULL;
    f->priv.state = ST_SLOT;
    return ADDER_OK;
}

static bool repeats(const adder_http_fetch_t *f)
{
    adder_http_payload_t body = body_of(f);
    return !f->priv.slot->x.body_begun || adder_http_payload_repeats(&body);
}

static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(method, methods[i]) == 0)
            return true;
    }
    return false;
}

/* The other side had given the connection up before it saw the request (RFC 9112, 9.3.1). */
static bool is_stale(const adder_http_fetch_t *f, adder_err_t err)
{
    return f->reused && !f->priv.slot->x.received && (err == ADDER_ERR_CLOSED || err == ADDER_ERR_IO) &&
           (f->retry_any || is_idempotent(f->priv.method)) && repeats(f);
}

/* Give the slot back; true: its connection is kept. */
static bool release(adder_http_fetch_t *f, uint32_t now_ms)
{
    adder_http_slot_t *slot = f->priv.slot;
    bool keep = f->priv.state >= ST_SEND && adder_http_exchange_keep(&slot->x);
    f->priv.begun |= f->priv.state >= ST_SEND && slot->x.body_begun;
    f->priv.slot = NULL;
    f->head = NULL;
    if (!keep)
        slot_close(slot);
    else
        slot->state = SLOT_IDLE;
    slot->since_ms = now_ms;
    return keep;
}

static void follow(adder_http_fetch_t *f, uint32_t now_ms)
{
    if (adder_http_redirect(f->priv.slot->x.head->status, f->priv.method) == ADDER_HTTP_REDIRECT_TO_GET) {
        f->priv.method = "GET";
        f->priv.no_body = true;
    }
    release(f, now_ms);
    f->priv.foreign |= !adder_url_same_origin(&f->at, &f->priv.next);
    f->at = f->priv.next;
    f->priv.half = !f->priv.half;
    f->priv.located = f->priv.retried = false;
    f->followed++;
    f->priv.progress_ms = now_ms;
    f->priv.state = ST_SLOT;
}

static void note_progress(adder_http_fetch_t *f, uint32_t now_ms)
{
    if (f->priv.moved != f->priv.slot->x.moved)
        f->priv.progress_ms = now_ms;
    f->priv.moved = f->priv.slot->x.moved;
}

static adder_err_t exchange(adder_http_fetch_t *f, uint32_t now_ms, uint32_t *wait_ms)
{
    adder_http_exchange_t *x = &f->priv.slot->x;
    if (adder_http_exchange_holds(x) && now_ms - f->priv.progress_ms >= EXPECT_MS)
        adder_http_exchange_go_on(x);
    adder_err_t err = adder_http_exchange_step(x);
    note_progress(f, now_ms);
    if (err == ADDER_ERR_AGAIN) {
        unsigned wants = adder_http_exchange_wants(x);
        if (adder_http_exchange_holds(x))
            *wait_ms = EXPECT_MS - (now_ms - f->priv.progress_ms);
        if (wants & ADDER_HTTP_WANTS_SOURCE)
            *wait_ms = POLL_MS;
        if (wants & ADDER_HTTP_WANTS_NOW)
            *wait_ms = 0;
        return err;
    }
    if (err == ADDER_OK) {
        bool kept_body = adder_http_redirect(x->head->status, f->priv.method) == ADDER_HTTP_REDIRECT_TO_GET;
        f->priv.drained = 0;
        f->priv.state = f->priv.located && (kept_body || repeats(f)) ? ST_DRAIN : ST_BODY;
        f->head = f->priv.state == ST_BODY ? x->head : NULL;
        return ADDER_OK;
    }
    if (is_stale(f, err)) {
        release(f, now_ms);
        f->priv.retried = true;
        f->priv.progress_ms = now_ms;
        f->priv.state = ST_SLOT;
        return ADDER_OK;
    }
    return fail(f, err, f->why != ADDER_HTTP_WHY_NONE ? f->why : x->why);
}

/* A redirect's own body, if little, is read to keep the connection. */
static adder_err_t drain(adder_http_fetch_t *f, uint32_t now_ms)
{
    uint8_t waste[64];
    size_t n;
    adder_err_t err = ADDER_OK;
    while (err == ADDER_OK && f->priv.drained < ADDER_HTTP_DRAIN_MAX) {
        err = adder_http_exchange_read(&f->priv.slot->x, waste, sizeof waste, &n);
        f->priv.drained += n;
    }
    note_progress(f, now_ms);
    if (err != ADDER_ERR_AGAIN)
        follow(f, now_ms);
    return err == ADDER_ERR_AGAIN ? err : ADDER_OK;
}

/* What is left until a time-out, 0 = it has come. */
static uint32_t time_left(const adder_http_fetch_t *f, uint32_t now_ms)
{
    uint32_t timeout = f->timeout_ms != 0 ? f->timeout_ms : TIMEOUT_MS;
    uint32_t idle = now_ms - f->priv.progress_ms, all = now_ms - f->priv.start_ms;
    uint32_t left = idle < timeout ? timeout - idle : 0;
    if (f->priv.state == ST_CONNECT) /* the connection has its own */
        left = ADDER_NET_FOREVER;
    if (f->deadline_ms != 0 && left > 0) {
        uint32_t rest = all < f->deadline_ms ? f->deadline_ms - all : 0;
        left = left < rest ? left : rest;
    }
    return left;
}

static adder_err_t step(adder_http_fetch_t *f, uint32_t now_ms, uint32_t *wait_ms)
{
    switch (f->priv.state) {
    case ST_SLOT:
        return take_slot(f, now_ms, wait_ms);
    case ST_CONNECT:
        return connect(f, now_ms, wait_ms);
    case ST_SEND:
        return exchange(f, now_ms, wait_ms);
    default:
        return drain(f, now_ms);
    }
}

adder_err_t adder_http_fetch_step(adder_http_fetch_t *f, uint32_t now_ms, uint32_t *wait_ms_out)
{
    *wait_ms_out = 0;
    for (;;) {
        if (f->priv.state == ST_OFF)
            return ADDER_ERR_STATE;
        if (f->priv.state == ST_BODY || f->priv.state == ST_OVER)
            return f->priv.err;
        uint32_t wait = ADDER_NET_FOREVER, left = time_left(f, now_ms);
        if (left == 0)
            return fail(f, ADDER_ERR_TIMEOUT, ADDER_HTTP_WHY_NONE);
        adder_err_t err = step(f, now_ms, &wait);
        if (err == ADDER_ERR_AGAIN) {
            *wait_ms_out = wait < left ? wait : left;
            return err;
        }
    }
}

adder_err_t adder_http_fetch_read(adder_http_fetch_t *f, uint8_t *buf, size_t cap, size_t *n_out,
                                  uint32_t now_ms)
{
    *n_out = 0;
    if (f->priv.state != ST_BODY)
        return f->priv.err != ADDER_OK ? f->priv.err : ADDER_ERR_STATE;
    adder_err_t err = adder_http_exchange_read(&f->priv.slot->x, buf, cap, n_out);
    note_progress(f, now_ms);
    if (err == ADDER_ERR_AGAIN && time_left(f, now_ms) == 0)
        return fail(f, ADDER_ERR_TIMEOUT, ADDER_HTTP_WHY_NONE);
    if (err == ADDER_OK || err == ADDER_ERR_AGAIN || err == ADDER_ERR_END)
        return err;
    return fail(f, err, f->priv.slot->x.why);
}

void adder_http_fetch_end(adder_http_fetch_t *f, uint32_t now_ms)
{
    if (f->priv.slot != NULL)
        release(f, now_ms);
    f->priv.state = ST_OFF;
}
