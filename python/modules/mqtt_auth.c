/* adder._mqtt: enhanced authentication (5.0, section 4.12)
 *
 * What the broker is told comes from a function of the program, which the pump cannot call. So each word is
 * asked for (k->auth.asks), and the program gives it in its next turn. The first word stands in CONNECT: the
 * connection below is made, and waits for it. */
#include <string.h>

#include "python/modules/mqtt_int.h"

enum { WORD_MS = 10000, LOOK_MS = 1000 };

static void ask(mqtt_core_t *k, mqtt_asks_t what)
{
    k->auth.asks = (uint8_t)what;
    k->changed = true;
}

/* ---- the transport ---- */

static adder_err_t auth_open(void *ctx, uint32_t now_ms)
{
    mqtt_core_t *k = ctx;
    k->auth.ready = k->auth.waits = false;
    k->auth.asks = MQTT_ASKS_NOTHING;
    k->auth.has_challenge = false;
    return k->auth.below.ops->open(k->auth.below.ctx, now_ms);
}

static adder_err_t auth_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    mqtt_core_t *k = ctx;
    if (!k->auth.waits) {
        const adder_err_t err = k->auth.below.ops->tick(k->auth.below.ctx, now_ms, wait_ms_out);
        if (err != ADDER_OK)
            return err;
        k->auth.waits = true;
        k->auth.since_ms = now_ms;
        ask(k, MQTT_ASKS_FIRST);
    }
    *wait_ms_out = LOOK_MS;
    return k->auth.ready                          ? ADDER_OK
           : now_ms - k->auth.since_ms >= WORD_MS ? ADDER_ERR_TIMEOUT
                                                  : ADDER_ERR_AGAIN;
}

static adder_stream_t auth_stream(void *ctx)
{
    const mqtt_core_t *k = ctx;
    return k->auth.below.ops->stream(k->auth.below.ctx);
}

static void auth_close(void *ctx, bool abort)
{
    mqtt_core_t *k = ctx;
    k->auth.asks = MQTT_ASKS_NOTHING;
    k->auth.below.ops->close(k->auth.below.ctx, abort);
}

adder_mqtt_transport_t mqtt_auth_transport(mqtt_core_t *k)
{
    static const adder_mqtt_transport_ops_t ops = {auth_open, auth_tick, auth_stream, auth_close};
    return (adder_mqtt_transport_t){&ops, k};
}

/* ---- words ---- */

void mqtt_auth_event(mqtt_core_t *k, const adder_mqtt_event_t *event)
{
    adder_mqtt_prop_t data;
    k->auth.has_challenge = adder_mqtt_prop_find(event->props, ADDER_MQTT_PROP_AUTH_DATA, &data) &&
                            data.text.len <= sizeof k->auth.challenge;
    k->auth.challenge_len = k->auth.has_challenge ? data.text.len : 0;
    if (k->auth.challenge_len > 0)
        memcpy(k->auth.challenge, data.text.at, data.text.len);
    if (event->reason == ADDER_MQTT_REASON_CONTINUE_AUTH)
        ask(k, MQTT_ASKS_NEXT);
    else if (k->auth.has_challenge)
        ask(k, MQTT_TELLS_LAST);
}

/* Method and data, behind `*len`. */
static adder_err_t put_word(const mqtt_core_t *k, uint8_t *buf, size_t cap, size_t *len, const uint8_t *data,
                            size_t data_len)
{
    const adder_mqtt_prop_t method = {.id = ADDER_MQTT_PROP_AUTH_METHOD, .text = k->auth.method},
                            word = {.id = ADDER_MQTT_PROP_AUTH_DATA, .text = {(const char *)data, data_len}};
    const adder_err_t err = adder_mqtt_prop_put(buf, cap, len, &method);
    return err == ADDER_OK && data != NULL ? adder_mqtt_prop_put(buf, cap, len, &word) : err;
}

static adder_err_t say(mqtt_core_t *k, uint8_t reason, const uint8_t *data, size_t len)
{
    uint8_t props[MQTT_CONNECT_PROPS];
    size_t props_len = 0;
    const adder_err_t err = put_word(k, props, sizeof props, &props_len, data, len);
    return err == ADDER_OK ? adder_mqtt_auth(&k->client.mqtt, reason, (adder_mqtt_props_t){props, props_len})
                           : err;
}

adder_err_t mqtt_auth_answer(mqtt_core_t *k, const uint8_t *data, size_t len)
{
    const uint8_t asks = k->auth.asks;
    size_t props_len = k->auth.own_len;
    k->auth.asks = MQTT_ASKS_NOTHING;
    if (asks == MQTT_ASKS_NEXT)
        return say(k, ADDER_MQTT_REASON_CONTINUE_AUTH, data, len);
    if (asks != MQTT_ASKS_FIRST)
        return ADDER_OK; /* the connection it was for is gone */
    const adder_err_t err = put_word(k, k->auth.props, sizeof k->auth.props, &props_len, data, len);
    if (err == ADDER_OK) {
        adder_mqtt_client_set_props(&k->client, (adder_mqtt_props_t){k->auth.props, props_len});
        k->auth.ready = true;
    }
    return err;
}

adder_err_t mqtt_auth_again(mqtt_core_t *k, const uint8_t *data, size_t len)
{
    return say(k, ADDER_MQTT_REASON_REAUTHENTICATE, data, len);
}
