/* adder._mqtt: what runs in the pump */
#include <string.h>

#include "python/modules/mqtt_int.h"

/* ---- TLS ---- */

static adder_err_t say_why(mqtt_core_t *k, adder_err_t err)
{
    /* What was cut short or found no memory may go well the next time. */
    atomic_store(&k->shown.refused,
                 err == ADDER_ERR_REFUSED || err == ADDER_ERR_FORMAT || err == ADDER_ERR_STATE);
    atomic_store(&k->shown.why, adder_tls_why_str(k->tls.info.why));
    k->tls_failed = true;
    return err;
}

static adder_err_t tls_open(void *ctx, adder_stream_t below, const char *host, void **session_out)
{
    mqtt_core_t *k = ctx;
    adder_err_t err = adder_tls_init(&k->tls, &k->ssl->tls, below, host);
    if (err != ADDER_OK)
        return say_why(k, err);
    ssl_config_offer(k->ssl, &k->tls, k->host);
    k->in_tls = true;
    *session_out = k;
    return ADDER_OK;
}

static adder_err_t tls_handshake(void *session)
{
    mqtt_core_t *k = session;
    adder_err_t err = adder_tls_handshake(&k->tls);
    if (err == ADDER_OK)
        ssl_config_keep(k->ssl, &k->tls, k->host);
    return err == ADDER_OK || err == ADDER_ERR_AGAIN ? err : say_why(k, err);
}

static adder_stream_t tls_stream(void *session)
{
    return adder_tls_stream(&((mqtt_core_t *)session)->tls);
}

static void tls_close(void *session)
{
    mqtt_core_t *k = session;
    if (k->in_tls) {
        ADDER_IGNORE(adder_tls_close(&k->tls), "what does not leave at once is not waited for");
        adder_tls_deinit(&k->tls);
    }
    k->in_tls = false;
}

const adder_conn_tls_ops_t mqtt_core_tls_ops = {tls_open, tls_handshake, tls_stream, tls_close};

/* ---- what the client tells ---- */

void mqtt_core_show(mqtt_core_t *k)
{
    const adder_mqtt_client_t *c = &k->client;
    const size_t queued = adder_mqtt_client_queued(c);
    atomic_store(&k->shown.cause, (unsigned)c->cause);
    atomic_store(&k->shown.reason, c->mqtt.reason);
    atomic_store(&k->shown.connects, c->connects);
    atomic_store(&k->shown.queued, (unsigned)queued);
    atomic_store(&k->shown.present, c->mqtt.session_present);
    atomic_store(&k->shown.state, c->state); /* last: who sees ON sees how many connections there were */
    if (k->asked_len > 0 && queued < MQTT_ITEMS && k->asked_len <= adder_mqtt_client_room(c)) {
        k->asked_len = 0;
        k->changed = true;
    }
    if (k->changed) {
        k->changed = false;
        k->news++;
        atomic_fetch_add(&k->shown.changes, 1);
    }
}

adder_err_t mqtt_core_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    mqtt_core_t *k = ctx;
    bool whole;
    const bool keeps = k->flash != NULL && piece->qos > 0;
    mqtt_store_settle(k); /* the one before */
    adder_err_t err = mqtt_inbox_put(&k->inbox, piece, keeps ? mqtt_store_key(k) : 0, &whole);
    if (whole && keeps)
        err = mqtt_store_keep(k);
    else
        k->news += whole;
    if (err == ADDER_ERR_NOSPACE && piece->offset == 0)
        atomic_fetch_add(&k->shown.dropped, 1);
    return err; /* NOSPACE with 5.0: the broker is told */
}

static void keep_told(mqtt_told_t *told, adder_mqtt_props_t props)
{
    adder_mqtt_prop_t p;
    told->len = 0;
    for (size_t at = 0; adder_mqtt_prop_next(props, &at, &p);)
        ADDER_IGNORE(adder_mqtt_prop_put(told->bytes, sizeof told->bytes, &told->len, &p),
                     "one that is too long is not shown");
}

static void connected(mqtt_core_t *k, const adder_mqtt_event_t *event)
{
    keep_told(&k->welcome, event->props);
    atomic_store(&k->shown.why, NULL);
    for (mqtt_sub_t *sub = k->subs; sub != NULL; sub = sub->next) {
        if (k->client.mqtt.server.no_sub_ids)
            sub->sub.props.len = 0;
    }
    if (k->auth.method.at != NULL)
        mqtt_auth_event(k, event);
}

void mqtt_core_event(void *ctx, const adder_mqtt_event_t *event)
{
    mqtt_core_t *k = ctx;
    unsigned in = atomic_load(&k->acks_in);
    switch (event->kind) {
    case ADDER_MQTT_DONE:
        if (in - atomic_load(&k->acks_out) < MQTT_ACKS) {
            k->acks[in % MQTT_ACKS].id = event->id;
            k->acks[in % MQTT_ACKS].reason = event->reason;
            atomic_store(&k->acks_in, in + 1);
            k->news++;
        }
        return;
    case ADDER_MQTT_CONNECTED:
        connected(k, event);
        break;
    case ADDER_MQTT_REFUSED:
    case ADDER_MQTT_GOODBYE:
        keep_told(&k->goodbye, event->props);
        break;
    case ADDER_MQTT_AUTH:
        mqtt_auth_event(k, event);
        break;
    case ADDER_MQTT_SUBSCRIBED:
    case ADDER_MQTT_UNSUBSCRIBED:
        break;
    default:
        return;
    }
    k->changed = true;
}

void mqtt_core_state(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause)
{
    mqtt_core_t *k = ctx;
    (void)cause;
    if (state == ADDER_MQTT_CLIENT_PAUSE || state == ADDER_MQTT_CLIENT_FAILED) {
        if (!k->tls_failed) /* this time it was something else */
            atomic_store(&k->shown.why, NULL);
        k->tls_failed = false;
    }
    k->changed = true;
}

adder_err_t mqtt_core_random_bytes(void *ctx, uint8_t *buf, size_t len)
{
    const mqtt_core_t *k = ctx;
    return k->mcu->sys->random(k->mcu->ctx, buf, len);
}

uint32_t mqtt_core_random(void *ctx)
{
    uint32_t word = 0;
    ADDER_IGNORE(mqtt_core_random_bytes(ctx, (uint8_t *)&word, sizeof word), "it spreads clients in time");
    return word;
}

bool mqtt_core_has_news(mqtt_core_t *k)
{
    return (!k->unwanted && atomic_load(&k->inbox.used) > 0) ||
           atomic_load(&k->acks_in) != atomic_load(&k->acks_out) || atomic_load(&k->shown.changes) != k->seen;
}

/* ---- in the pump ---- */

static bool handshake_goes_on(const mqtt_core_t *k)
{
    return k->in_tls && !k->tls.info.established && adder_tls_wants(&k->tls) == 0;
}

static void run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    mqtt_core_t *k = ctx;
    const uint32_t news = k->news;
    if (!k->stack->started)
        return;
    adder_mqtt_client_wants_t wants;
    adder_mqtt_client_tick(&k->client, (uint32_t)(now_us / 1000), &wants);
    mqtt_store_settle(k);
    if (k->flash != NULL)
        mqtt_store_forget(k);
    mqtt_core_show(k);
    if (k->news != news)
        wants_out->wait_us = 0; /* for those who wait for it */
    else if (handshake_goes_on(k))
        wants_out->wait_us = 1;
    else if (wants.wait_ms < UINT32_MAX / 1000)
        wants_out->wait_us = wants.wait_ms * 1000;
    k->item.heavy = k->ssl != NULL && (k->client.state == ADDER_MQTT_CLIENT_PAUSE ||
                                       k->client.state == ADDER_MQTT_CLIENT_OPENING);
}

void mqtt_core_begin(mqtt_core_t *k)
{
    k->item = (py_pump_t){.run = run, .ctx = k, .heavy = k->ssl != NULL};
    k->in_pump = true;
    py_pump_add(&k->item);
}

void mqtt_core_end(mqtt_core_t *k)
{
    if (!k->in_pump) {
        mqtt_store_close(k); /* init() may have failed behind it */
        return;
    }
    py_pump_remove(&k->item);
    k->in_pump = false;
    py_pump_lock();
    if (k->stack->started)
        adder_conn_close(&k->conn, true);
    tls_close(k); /* the stack has gone first: nothing is left to be said */
    py_pump_unlock();
    if (k->flash != NULL)
        mqtt_store_forget(k);
    mqtt_store_close(k);
}
