/* adder._mqtt: what runs in the pump */
#include <string.h>

#include "python/modules/mqtt_int.h"

/* ---- TLS ---- */

static adder_err_t tls_open(void *ctx, adder_stream_t below, const char *host, void **session_out)
{
    mqtt_core_t *k = ctx;
    adder_err_t err = adder_tls_init(&k->tls, &k->ssl->tls, below, host);
    if (err != ADDER_OK)
        return err;
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
    return err;
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

/* ---- the inbox ---- */

/* With overlapping subscriptions a broker may send a message once for each. */
static void identify(adder_mqtt_props_t props, mqtt_record_t *r)
{
    adder_mqtt_prop_t p;
    for (size_t at = 0; adder_mqtt_prop_next(props, &at, &p);) {
        if (p.id == ADDER_MQTT_PROP_SUBSCRIPTION_ID && r->n_subs < MQTT_IDENTIFIERS)
            r->subs[r->n_subs++] = p.number;
    }
}

static adder_err_t take_piece(mqtt_core_t *k, const adder_mqtt_piece_t *piece)
{
    const size_t whole = sizeof(mqtt_record_t) + piece->topic.len + piece->total, size = (whole + 7) / 8 * 8;
    if (piece->offset == 0) {
        k->skipping = size > k->inbox_cap;
        k->dropped += k->skipping;
    }
    if (k->skipping)
        return ADDER_ERR_NOSPACE; /* 5.0: the broker is told */
    if (size > k->inbox_cap - k->inbox_len)
        return ADDER_ERR_AGAIN;
    uint8_t *at = k->inbox + k->inbox_len;
    if (piece->offset == 0) {
        mqtt_record_t r = {.size = (uint32_t)size,
                           .len = piece->total,
                           .topic_len = (uint16_t)piece->topic.len,
                           .qos = piece->qos,
                           .retain = piece->retain,
                           .dup = piece->dup};
        identify(piece->props, &r);
        memcpy(at, &r, sizeof r);
        memcpy(at + sizeof r, piece->topic.at, piece->topic.len);
    }
    if (piece->len > 0)
        memcpy(at + sizeof(mqtt_record_t) + piece->topic.len + piece->offset, piece->payload, piece->len);
    if (piece->offset + piece->len == piece->total) {
        k->inbox_len += size;
        k->news++;
    }
    return ADDER_OK;
}

adder_err_t mqtt_core_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    return take_piece(ctx, piece);
}

const mqtt_record_t *mqtt_core_first(mqtt_core_t *k)
{
    py_pump_lock();
    const bool any = k->inbox_len > 0;
    py_pump_unlock();
    return any ? (const mqtt_record_t *)(const void *)k->inbox : NULL;
}

/* A message that is only partly there lies behind the others: it moves with them. */
void mqtt_core_drop(mqtt_core_t *k)
{
    py_pump_lock();
    const size_t size = ((const mqtt_record_t *)(const void *)k->inbox)->size;
    memmove(k->inbox, k->inbox + size, k->inbox_cap - size);
    k->inbox_len -= size;
    py_pump_unlock();
    py_pump_poke(); /* there may be one that waits for room */
}

/* ---- the client ---- */

void mqtt_core_event(void *ctx, const adder_mqtt_event_t *event)
{
    mqtt_core_t *k = ctx;
    if (event->kind == ADDER_MQTT_DONE && k->n_acks < MQTT_ITEMS)
        k->acks[k->n_acks++] = (mqtt_ack_t){event->id, event->reason};
    for (mqtt_sub_t *sub = k->subs; event->kind == ADDER_MQTT_CONNECTED && sub != NULL; sub = sub->next) {
        if (k->client.mqtt.server.no_sub_ids)
            sub->sub.props.len = 0;
    }
    k->news++;
}

void mqtt_core_state(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause)
{
    (void)state, (void)cause;
    ((mqtt_core_t *)ctx)->news++;
}

uint32_t mqtt_core_random(void *ctx)
{
    const mqtt_core_t *k = ctx;
    uint32_t word = 0;
    ADDER_IGNORE(k->mcu->sys->random(k->mcu->ctx, (uint8_t *)&word, sizeof word),
                 "it spreads clients in time");
    return word;
}

static void run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    mqtt_core_t *k = ctx;
    const uint32_t news = k->news;
    if (!k->stack->started)
        return;
    adder_mqtt_client_wants_t wants;
    adder_mqtt_client_tick(&k->client, (uint32_t)(now_us / 1000), &wants);
    if (k->news != news)
        wants_out->wait_us = 0; /* for those who wait for it */
    else if (wants.wait_ms < UINT32_MAX / 1000)
        wants_out->wait_us = wants.wait_ms * 1000;
    k->item.heavy = k->client.state == ADDER_MQTT_CLIENT_OPENING && k->ssl != NULL;
}

void mqtt_core_begin(mqtt_core_t *k)
{
    k->item = (py_pump_t){.run = run, .ctx = k};
    k->in_pump = true;
    py_pump_add(&k->item);
}

void mqtt_core_end(mqtt_core_t *k)
{
    if (!k->in_pump)
        return;
    py_pump_remove(&k->item);
    k->in_pump = false;
    py_pump_lock();
    if (k->stack->started)
        adder_conn_close(&k->conn, true);
    tls_close(k); /* the stack has gone first: nothing is left to be said */
    py_pump_unlock();
}
