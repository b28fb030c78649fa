/* adafruit_minimqtt: the engine, its buffers and its stream. No Python here. */
#include <string.h>

#include "python/modules/minimqtt_int.h"

enum { READS = 64 }; /* of one move: the pump's lock is held meanwhile */
enum { BOX_FIRST = 512 };

static void seen(minimqtt_engine_t *e, uint8_t type)
{
    if (e->n_types < MINIMQTT_TYPES)
        e->types[e->n_types++] = type;
}

/* ---- messages ---- */

static size_t room_wanted(const minimqtt_engine_t *e, size_t all, size_t now)
{
    size_t more = e->box_cap < BOX_FIRST ? BOX_FIRST : 2 * e->box_cap;
    more = more < now ? now : more;
    return more < all || all < BOX_FIRST ? more : all; /* as much as has come, not as much as is announced */
}

/* The last piece of a message of QoS 1 and 2 stays with the engine until the program was told: it is
 * acknowledged after the callbacks. */
static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    minimqtt_engine_t *e = ctx;
    if (e->given) {
        e->given = false;
        return ADDER_OK;
    }
    if (e->full)
        return ADDER_ERR_AGAIN;
    const size_t topic = piece->topic.len, end = topic + piece->offset + piece->len;
    if (end > e->box_cap) {
        e->box_need = room_wanted(e, topic + piece->total, end);
        return ADDER_ERR_AGAIN;
    }
    if (piece->offset == 0) {
        memcpy(e->box, piece->topic.at, topic);
        e->topic_len = topic;
    }
    if (piece->len > 0)
        memcpy(e->box + topic + piece->offset, piece->payload, piece->len);
    if (piece->offset + piece->len < piece->total)
        return ADDER_OK;
    e->len = piece->total;
    e->qos = piece->qos;
    e->full = true;
    return piece->qos > 0 ? ADDER_ERR_AGAIN : ADDER_OK;
}

/* ---- events ---- */

static void answered(minimqtt_engine_t *e, const adder_mqtt_event_t *ev)
{
    for (minimqtt_request_t *r = e->requests; r != NULL; r = r->next) {
        if (r->id == ev->id && !r->done) {
            r->n_codes = ev->n_codes < MINIMQTT_FILTERS ? ev->n_codes : MINIMQTT_FILTERS;
            if (r->n_codes > 0)
                memcpy(r->codes, ev->codes, r->n_codes);
            r->done = true;
            return;
        }
    }
}

static void done(minimqtt_engine_t *e, const adder_mqtt_event_t *ev)
{
    for (minimqtt_msg_t *o = e->messages; o != NULL; o = o->next) {
        if (&o->msg == ev->msg)
            o->done = true;
    }
    seen(e, ev->msg->qos == 1 ? MINIMQTT_PUBACK : MINIMQTT_PUBCOMP);
}

static adder_err_t on_event(void *ctx, const adder_mqtt_event_t *ev)
{
    minimqtt_engine_t *e = ctx;
    switch (ev->kind) {
    case ADDER_MQTT_CONNECTED:
        e->answered = true;
        seen(e, MINIMQTT_CONNACK);
        break;
    case ADDER_MQTT_SUBSCRIBED:
        answered(e, ev);
        seen(e, MINIMQTT_SUBACK);
        break;
    case ADDER_MQTT_UNSUBSCRIBED:
        answered(e, ev);
        seen(e, MINIMQTT_UNSUBACK);
        break;
    case ADDER_MQTT_DONE:
        done(e, ev);
        break;
    case ADDER_MQTT_RECEIVED:
        seen(e, MINIMQTT_PUBREC);
        break;
    case ADDER_MQTT_RELEASED:
        seen(e, MINIMQTT_PUBREL);
        break;
    case ADDER_MQTT_PONG:
        e->pongs++;
        seen(e, MINIMQTT_PINGRESP);
        break;
    case ADDER_MQTT_REFUSED: /* tick() says so */
    case ADDER_MQTT_AUTH:    /* 5.0 */
    case ADDER_MQTT_GOODBYE:
        break;
    }
    return ADDER_OK;
}

/* ---- moving ---- */

void minimqtt_engine_init(minimqtt_engine_t *e)
{
    e->config = (adder_mqtt_config_t){.message = on_message,
                                      .event = on_event,
                                      .ctx = e,
                                      .rx = e->rx,
                                      .tx = e->tx,
                                      .rx_cap = sizeof e->rx,
                                      .tx_cap = sizeof e->tx,
                                      .slots = e->slots,
                                      .ids = e->ids,
                                      .n_slots = MINIMQTT_SLOTS,
                                      .n_ids = MINIMQTT_IDS};
    ADDER_IGNORE(adder_mqtt_init(&e->m, &e->config), "all is there");
}

static void ends(minimqtt_engine_t *e, minimqtt_end_t how, adder_err_t err)
{
    if (e->end == MINIMQTT_FINE) {
        e->end = (uint8_t)how;
        e->err = err;
    }
}

bool minimqtt_engine_news(const minimqtt_engine_t *e)
{
    if (e->full || e->n_types > 0 || e->box_need > 0 || e->end != MINIMQTT_FINE)
        return true;
    return false;
}

bool minimqtt_engine_flush(minimqtt_engine_t *e, uint32_t now_ms)
{
    const uint8_t *bytes;
    size_t len, n;
    while (e->end != MINIMQTT_SEND && adder_mqtt_out(&e->m, &bytes, &len)) {
        adder_err_t err = e->stream.ops->send(e->stream.ctx, bytes, len, &n);
        if (err == ADDER_ERR_AGAIN)
            return false;
        if (err != ADDER_OK) {
            ends(e, MINIMQTT_SEND, err);
            return true;
        }
        adder_mqtt_out_done(&e->m, n);
        e->sent_ms = now_ms;
        e->sent += (uint32_t)n;
    }
    return true;
}

static void tick(minimqtt_engine_t *e, uint32_t now_ms)
{
    adder_err_t err = adder_mqtt_tick(&e->m, now_ms);
    if (err != ADDER_OK)
        ends(e, MINIMQTT_ENGINE, err);
    minimqtt_engine_flush(e, now_ms);
}

bool minimqtt_engine_move(minimqtt_engine_t *e, bool receive, uint32_t now_ms)
{
    /* What is there is looked at by the time it may have come: an answer that lay in the socket while the
     * program did something else is not late. And what is to be sent leaves before a recv that waits. */
    tick(e, e->now_ms);
    for (int i = 0; receive && i < READS && !minimqtt_engine_news(e); i++) {
        uint8_t *buf;
        size_t cap, n = 0;
        if (!adder_mqtt_in(&e->m, &buf, &cap))
            break;
        adder_err_t err = e->stream.ops->recv(e->stream.ctx, buf, cap, &n);
        if (err == ADDER_OK)
            adder_mqtt_in_done(&e->m, n);
        e->now_ms = now_ms;
        tick(e, now_ms);
        if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
            ends(e, MINIMQTT_RECV, err);
        if (err != ADDER_OK)
            break;
    }
    return minimqtt_engine_news(e);
}

void minimqtt_engine_lost(minimqtt_engine_t *e)
{
    adder_mqtt_lost(&e->m);
    e->end = MINIMQTT_FINE;
    e->err = ADDER_OK;
    e->answered = e->full = e->given = false;
    e->box_need = e->n_types = 0;
}
