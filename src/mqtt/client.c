/* The client: connecting, staying connected, bytes to and fro. */
#include <string.h>

#include "client_int.h"
#include "mqtt_int.h"

enum { ROUNDS = 16, STOP_MS = 2000, KEEP_MAX = 8 };
#define NO_WAIT UINT32_MAX

static void enter(adder_mqtt_client_t *c, adder_mqtt_client_state_t state, adder_err_t cause)
{
    c->state = (uint8_t)state;
    if (c->priv.c.state != NULL) {
        c->priv.c.state(c->priv.c.ctx, state, cause);
    }
}

/* ---- what the engine tells ---- */

/* It would be the same again. */
static bool is_final(const adder_mqtt_event_t *e)
{
    static const uint8_t refusals[] = {1,
                                       2,
                                       4,
                                       5,
                                       7, /* 3.1.1, and one cloud */
                                       ADDER_MQTT_REASON_VERSION,
                                       ADDER_MQTT_REASON_CLIENT_ID,
                                       ADDER_MQTT_REASON_BAD_LOGIN,
                                       ADDER_MQTT_REASON_NOT_AUTHORIZED,
                                       ADDER_MQTT_REASON_BANNED,
                                       ADDER_MQTT_REASON_BAD_AUTH_METHOD,
                                       ADDER_MQTT_REASON_SERVER_MOVED};
    if (e->kind == ADDER_MQTT_GOODBYE) {
        return e->reason == ADDER_MQTT_REASON_TAKEN_OVER || e->reason == ADDER_MQTT_REASON_SERVER_MOVED;
    }
    return memchr(refusals, e->reason, sizeof refusals) != NULL;
}

static adder_err_t connected(adder_mqtt_client_t *c)
{
    adder_err_t err = ADDER_OK;
    c->connects++;
    if (!c->mqtt.session_present) {
        c->priv.told_id = 0;
        err = client_drop_ids(c);
    }
    client_new_connection(c);
    return err;
}

static adder_err_t on_event(void *ctx, const adder_mqtt_event_t *e)
{
    adder_mqtt_client_t *c = ctx;
    adder_err_t err = ADDER_OK;
    const adder_store_change_t released = {.key = client_key(c, KEY_RELEASED, e->id)};
    const adder_store_change_t gone = {.key = client_key(c, KEY_IN, e->id), .erase = true};
    switch (e->kind) {
    case ADDER_MQTT_CONNECTED:
        err = connected(c);
        break;
    case ADDER_MQTT_SUBSCRIBED:
        client_granted(c, e);
        break;
    case ADDER_MQTT_RECEIVED:
        err = client_write(c, &released, 1);
        break;
    case ADDER_MQTT_RELEASED:
        err = client_write(c, &gone, 1);
        break;
    case ADDER_MQTT_REFUSED:
    case ADDER_MQTT_GOODBYE:
        c->priv.final = is_final(e);
        break;
    default:
        break;
    }
    if (err == ADDER_OK && c->priv.c.event != NULL) {
        c->priv.c.event(c->priv.c.ctx, e);
    }
    return e->kind == ADDER_MQTT_DONE ? client_done(c, e->msg) : err;
}

static adder_err_t tell(adder_mqtt_client_t *c, const adder_mqtt_piece_t *piece)
{
    size_t n = 0;
    const adder_err_t err = adder_mqtt_router_call(&c->priv.router, piece, &n);
    return n == 0 && c->priv.c.message != NULL ? c->priv.c.message(c->priv.c.ctx, piece) : err;
}

/* The id of QoS 2 is stored before it is acknowledged, with what the callback wants to keep. */
static adder_err_t remember(adder_mqtt_client_t *c, const adder_mqtt_piece_t *piece)
{
    adder_store_change_t changes[KEEP_MAX + 1];
    size_t n = 0;
    if (piece->qos == 2) {
        changes[n++] = (adder_store_change_t){.key = client_key(c, KEY_IN, piece->id)};
    }
    for (size_t i = 0; i < c->priv.n_keep; i++) {
        changes[n++] = c->priv.keep[i];
    }
    return n > 0 ? client_write(c, changes, n) : ADDER_OK;
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    adder_mqtt_client_t *c = ctx;
    const bool last = piece->offset + piece->len == piece->total;
    const bool told = piece->qos == 2 && piece->id == c->priv.told_id;
    c->priv.keep = NULL;
    c->priv.n_keep = 0;
    c->priv.keepable = last && c->priv.c.store.ops != NULL;
    adder_err_t err = told ? ADDER_OK : tell(c, piece);
    c->priv.keepable = false;
    const bool refused = err != ADDER_OK && mqtt_is5(&c->mqtt) && piece->qos > 0;
    if (err == ADDER_ERR_AGAIN || !last || refused) {
        return err;
    }
    err = remember(c, piece);
    if (err != ADDER_OK) { /* no acknowledgement: it comes again */
        c->priv.told_id = piece->qos == 2 && c->priv.n_keep == 0 ? piece->id : 0;
        mqtt_fail(&c->mqtt, ADDER_MQTT_REASON_IMPLEMENTATION, err);
        return ADDER_ERR_AGAIN;
    }
    c->priv.told_id = told ? 0 : c->priv.told_id;
    c->kept += c->priv.n_keep > 0;
    return ADDER_OK;
}

adder_err_t adder_mqtt_client_keep(adder_mqtt_client_t *c, const adder_store_change_t *changes, size_t n)
{
    if (!c->priv.keepable) {
        return ADDER_ERR_STATE;
    }
    if (n > KEEP_MAX) {
        return ADDER_ERR_ARG;
    }
    c->priv.keep = changes;
    c->priv.n_keep = n;
    return ADDER_OK;
}

/* ---- connections come and go ---- */

static uint32_t pause_of(adder_mqtt_client_t *c)
{
    const adder_mqtt_client_config_t *config = &c->priv.c;
    const uint32_t half = c->priv.base_ms / 2;
    const uint32_t drawn = config->random != NULL ? config->random(config->random_ctx) % (half + 1) : half;
    return c->priv.base_ms - half + drawn;
}

static void lost(adder_mqtt_client_t *c, adder_err_t cause, uint32_t now_ms)
{
    const adder_mqtt_client_config_t *config = &c->priv.c;
    const bool stopping = c->state == ADDER_MQTT_CLIENT_STOPPING;
    /* There was more than its ids: it got on, and what was left out is to be fetched. */
    const bool full = cause == ADDER_ERR_NOMEM && c->mqtt.reason == ADDER_MQTT_REASON_RECEIVE_MAXIMUM;
    const bool lasted =
        c->state == ADDER_MQTT_CLIENT_ON && (now_ms - c->priv.since_ms >= c->priv.base_ms || full);
    config->transport.ops->close(config->transport.ctx, !stopping && cause != ADDER_ERR_CLOSED);
    adder_mqtt_lost(&c->mqtt);
    client_sweep(c);
    c->cause = cause;
    c->priv.since_ms = now_ms;
    if (stopping || c->priv.final) {
        enter(c, stopping ? ADDER_MQTT_CLIENT_STOPPED : ADDER_MQTT_CLIENT_FAILED, cause);
        return;
    }
    const uint32_t doubled =
        c->priv.base_ms > config->back_off_max_ms / 2 ? config->back_off_max_ms : c->priv.base_ms * 2;
    c->priv.base_ms = lasted || c->priv.base_ms == 0 ? config->back_off_min_ms : doubled;
    c->priv.pause_ms = pause_of(c);
    enter(c, ADDER_MQTT_CLIENT_PAUSE, cause);
}

static void open_transport(adder_mqtt_client_t *c, uint32_t now_ms)
{
    const adder_mqtt_transport_t *t = &c->priv.c.transport;
    c->priv.final = false;
    enter(c, ADDER_MQTT_CLIENT_OPENING, ADDER_OK);
    const adder_err_t err = t->ops->open(t->ctx, now_ms);
    if (err != ADDER_OK) {
        lost(c, err, now_ms);
    }
}

static void wait_for_transport(adder_mqtt_client_t *c, uint32_t now_ms, uint32_t *wait_ms)
{
    const adder_mqtt_transport_t *t = &c->priv.c.transport;
    adder_err_t err = t->ops->tick(t->ctx, now_ms, wait_ms);
    if (err == ADDER_ERR_AGAIN) {
        return;
    }
    if (err == ADDER_OK) {
        c->priv.stream = t->ops->stream(t->ctx);
        c->priv.again_out = false;
        err = adder_mqtt_connect(&c->mqtt, &c->priv.c.connect, now_ms);
    }
    if (err != ADDER_OK) {
        lost(c, err, now_ms);
        return;
    }
    enter(c, ADDER_MQTT_CLIENT_CONNECTING, ADDER_OK);
}

/* ---- bytes ---- */

static adder_err_t send_some(adder_mqtt_client_t *c, bool *moved)
{
    const adder_stream_t *stream = &c->priv.stream;
    const uint8_t *bytes = NULL;
    size_t len, n;
    adder_err_t err = ADDER_OK;
    bool sent = c->priv.again_out;
    while (err == ADDER_OK && adder_mqtt_out(&c->mqtt, &bytes, &len)) {
        n = 0;
        err = stream->ops->send(stream->ctx, bytes, len, &n);
        if (err == ADDER_OK) {
            adder_mqtt_out_done(&c->mqtt, n);
            sent = true;
            *moved = *moved || n > 0;
        }
    }
    if (err == ADDER_OK && sent) { /* a layer below may have kept some of it */
        err = stream->ops->send(stream->ctx, (const uint8_t *)"", 0, &n);
    }
    c->priv.again_out = err == ADDER_ERR_AGAIN;
    return c->priv.again_out ? ADDER_OK : err;
}

static adder_err_t receive_some(adder_mqtt_client_t *c, bool *moved)
{
    uint8_t *buf;
    size_t cap, n = 0;
    if (!adder_mqtt_in(&c->mqtt, &buf, &cap)) {
        return ADDER_OK;
    }
    const adder_err_t err = c->priv.stream.ops->recv(c->priv.stream.ctx, buf, cap, &n);
    if (err == ADDER_OK) {
        adder_mqtt_in_done(&c->mqtt, n);
        *moved = *moved || n > 0;
    }
    return err == ADDER_ERR_AGAIN ? ADDER_OK : err == ADDER_ERR_END ? ADDER_ERR_CLOSED : err;
}

/* What CONNECT left behind may be a password. */
static void wipe_login(adder_mqtt_client_t *c)
{
    const size_t used = c->mqtt.priv.tx_len; /* by what is new */
    memset(c->priv.c.engine.tx + used, 0, c->priv.c.engine.tx_cap - c->mqtt.priv.tx_held - used);
}

/* False: the connection is over. */
static bool pump(adder_mqtt_client_t *c, uint32_t now_ms)
{
    bool moved = true;
    for (unsigned i = 0; moved && i < ROUNDS; i++) {
        moved = false;
        const adder_err_t told = adder_mqtt_tick(&c->mqtt, now_ms);
        if (c->mqtt.state == ADDER_MQTT_ON) {
            if (c->state == ADDER_MQTT_CLIENT_CONNECTING) {
                c->priv.since_ms = now_ms;
                wipe_login(c);
                enter(c, ADDER_MQTT_CLIENT_ON, ADDER_OK);
            }
            client_ask(c);
            client_feed(c);
        }
        adder_err_t err = send_some(c, &moved);
        client_sweep(c);
        if (err == ADDER_OK && c->mqtt.state != ADDER_MQTT_OVER) {
            err = receive_some(c, &moved);
        }
        if (err != ADDER_OK || c->mqtt.state == ADDER_MQTT_OVER) {
            const adder_err_t cause = told != ADDER_OK ? told : (adder_err_t)c->mqtt.priv.err;
            lost(c, cause != ADDER_OK ? cause : err, now_ms);
            return false;
        }
    }
    return true;
}

static void say_wants(adder_mqtt_client_t *c, uint32_t now_ms, adder_mqtt_client_wants_t *w)
{
    adder_mqtt_wants_t m;
    adder_mqtt_wants(&c->mqtt, now_ms, &m);
    w->in = m.in;
    w->out = c->priv.again_out;
    w->wait_ms = m.out && !c->priv.again_out ? 0 : m.wait_ms;
}

void adder_mqtt_client_tick(adder_mqtt_client_t *c, uint32_t now_ms, adder_mqtt_client_wants_t *w)
{
    *w = (adder_mqtt_client_wants_t){.wait_ms = NO_WAIT};
    client_age(c, now_ms);
    if (c->state == ADDER_MQTT_CLIENT_PAUSE) {
        const uint32_t gone = now_ms - c->priv.since_ms;
        if (gone < c->priv.pause_ms) {
            w->wait_ms = c->priv.pause_ms - gone;
            return;
        }
        open_transport(c, now_ms);
    }
    if (c->state == ADDER_MQTT_CLIENT_OPENING) {
        wait_for_transport(c, now_ms, &w->wait_ms);
    }
    if (c->state == ADDER_MQTT_CLIENT_STOPPING && now_ms - c->priv.since_ms >= STOP_MS) {
        lost(c, ADDER_ERR_TIMEOUT, now_ms);
    }
    if (c->state == ADDER_MQTT_CLIENT_CONNECTING || c->state == ADDER_MQTT_CLIENT_ON ||
        c->state == ADDER_MQTT_CLIENT_STOPPING) {
        if (pump(c, now_ms)) {
            say_wants(c, now_ms, w);
        }
    }
    if (c->state == ADDER_MQTT_CLIENT_PAUSE) {
        w->wait_ms = c->priv.pause_ms;
    }
}

/* ---- life ---- */

adder_err_t adder_mqtt_client_init(adder_mqtt_client_t *c, const adder_mqtt_client_config_t *config)
{
    memset(c, 0, sizeof *c);
    c->priv.c = *config;
    adder_mqtt_client_config_t *mine = &c->priv.c;
    mine->back_off_min_ms = config->back_off_min_ms != 0 ? config->back_off_min_ms : 1000;
    mine->back_off_max_ms = config->back_off_max_ms != 0 ? config->back_off_max_ms : 120000;
    mine->engine.message = on_message;
    mine->engine.event = on_event;
    mine->engine.ctx = c;
    mine->engine.first_id = 0x8000;
    if (config->transport.ops == NULL || config->engine.n_slots < 2 ||
        mine->back_off_max_ms < mine->back_off_min_ms) {
        return ADDER_ERR_ARG;
    }
    for (size_t i = 0; i < config->n_items; i++) {
        config->items[i] = (adder_mqtt_item_t){0};
    }
    const adder_err_t err = adder_mqtt_init(&c->mqtt, &mine->engine);
    return err == ADDER_OK ? client_restore(c) : err;
}

adder_err_t adder_mqtt_client_start(adder_mqtt_client_t *c, uint32_t now_ms)
{
    if (c->state != ADDER_MQTT_CLIENT_STOPPED && c->state != ADDER_MQTT_CLIENT_FAILED) {
        return ADDER_ERR_STATE;
    }
    c->priv.base_ms = 0;
    c->priv.pause_ms = 0;
    c->priv.since_ms = now_ms;
    enter(c, ADDER_MQTT_CLIENT_PAUSE, ADDER_OK);
    return ADDER_OK;
}

void adder_mqtt_client_stop(adder_mqtt_client_t *c, uint32_t now_ms)
{
    if (c->state == ADDER_MQTT_CLIENT_STOPPED || c->state == ADDER_MQTT_CLIENT_STOPPING) {
        return;
    }
    const bool goodbye = c->state == ADDER_MQTT_CLIENT_ON &&
                         adder_mqtt_disconnect(&c->mqtt, 0, (adder_mqtt_props_t){NULL, 0}) == ADDER_OK;
    c->state = ADDER_MQTT_CLIENT_STOPPING;
    c->priv.since_ms = now_ms;
    if (!goodbye) {
        lost(c, ADDER_OK, now_ms);
    }
}

void adder_mqtt_client_set_props(adder_mqtt_client_t *c, adder_mqtt_props_t props)
{
    c->priv.c.connect.props = props;
}
