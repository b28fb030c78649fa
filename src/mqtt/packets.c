/* The packets of a server other than PUBLISH. */
#include <string.h>

#include "mqtt_int.h"

#if ADDER_MQTT_V5
#define HIGH(code) (1ull << ((code)-0x80))
#define RANGE(from, to) ((2ull << ((to)-0x80)) - (1ull << ((from)-0x80)))

/* Which reasons may stand in which packet from a server (table 2-6): 0..4 and 0x10..0x19 as bits 0..4 and
 * 16..25, and those from 0x80 on. */
static bool may_say(unsigned type, uint8_t reason)
{
    static const struct {
        uint32_t low;
        uint64_t high;
    } reasons[] = {
        [CONNACK] = {1, RANGE(0x80, 0x8a) | HIGH(0x8c) | HIGH(0x90) | HIGH(0x95) | HIGH(0x97) |
                            RANGE(0x99, 0x9d) | HIGH(0x9f)},
        [PUBACK] = {1 | 1u << 0x10,
                    HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x90) | HIGH(0x91) | HIGH(0x97) | HIGH(0x99)},
        [PUBREC] = {1 | 1u << 0x10,
                    HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x90) | HIGH(0x91) | HIGH(0x97) | HIGH(0x99)},
        [PUBREL] = {1, HIGH(0x92)},
        [PUBCOMP] = {1, HIGH(0x92)},
        [SUBACK] = {7, HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x8f) | HIGH(0x91) | HIGH(0x97) |
                           HIGH(0x9e) | RANGE(0xa1, 0xa2)},
        [UNSUBACK] = {1 | 1u << 0x11, HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x8f) | HIGH(0x91)},
        [DISCONNECT] = {1, RANGE(0x80, 0x83) | HIGH(0x87) | HIGH(0x89) | HIGH(0x8b) | RANGE(0x8d, 0x90) |
                               RANGE(0x93, 0xa2)},
        [AUTH] = {1 | 1u << 0x18, 0},
    };
    return reason < 0x80 ? reason < 32 && (reasons[type].low >> reason & 1) != 0
                         : reason < 0xc0 && (reasons[type].high >> (reason - 0x80) & 1) != 0;
}

/* Properties, checked. False: the connection is over. */
static bool take_props(adder_mqtt_t *m, unsigned type, mqtt_body_t *b, adder_mqtt_props_t *out)
{
    if (!mqtt_get_props(b, out)) {
        return mqtt_malformed(m);
    }
    const uint8_t reason = mqtt_check_props(*out, type);
    return reason == 0 || mqtt_fail(m, reason, ADDER_ERR_FORMAT);
}

/* A reason and properties that may be left out from the end on. */
static bool take_reason(adder_mqtt_t *m, unsigned type, mqtt_body_t *b, adder_mqtt_event_t *e)
{
    if (b->left > 0 && (!mqtt_get_u8(b, &e->reason) || !may_say(type, e->reason))) {
        return mqtt_malformed(m);
    }
    if (b->left > 0 && !take_props(m, type, b, &e->props)) {
        return false;
    }
    return b->left == 0 || mqtt_malformed(m);
}
#endif

/* ---- CONNACK (3.2) ---- */

#if ADDER_MQTT_V5
static void apply(adder_mqtt_t *m, adder_mqtt_props_t props)
{
    adder_mqtt_server_t *s = &m->server;
    adder_mqtt_prop_t p;
    for (size_t at = 0; adder_mqtt_prop_next(props, &at, &p);) {
        switch (p.id) {
        case ADDER_MQTT_PROP_SESSION_EXPIRY:
            s->session_expiry_s = p.number;
            break;
        case ADDER_MQTT_PROP_RECEIVE_MAXIMUM:
            s->receive_max = (uint16_t)p.number;
            break;
        case ADDER_MQTT_PROP_MAXIMUM_QOS:
            s->qos_max = (uint8_t)p.number;
            break;
        case ADDER_MQTT_PROP_RETAIN_AVAILABLE:
            s->no_retain = p.number == 0;
            break;
        case ADDER_MQTT_PROP_MAXIMUM_PACKET:
            s->packet_max = p.number;
            break;
        case ADDER_MQTT_PROP_TOPIC_ALIAS_MAXIMUM:
            s->alias_max = (uint16_t)p.number;
            break;
        case ADDER_MQTT_PROP_WILDCARDS_AVAILABLE:
            s->no_wildcards = p.number == 0;
            break;
        case ADDER_MQTT_PROP_SUB_ID_AVAILABLE:
            s->no_sub_ids = p.number == 0;
            break;
        case ADDER_MQTT_PROP_SHARED_AVAILABLE:
            s->no_shared = p.number == 0;
            break;
        case ADDER_MQTT_PROP_SERVER_KEEP_ALIVE: /* [MQTT-3.2.2-21] */
            s->keep_alive_s = (uint16_t)p.number;
            break;
        default:
            break;
        }
    }
}

static bool has_method(const adder_mqtt_t *m)
{
    adder_mqtt_prop_t ours;
    return adder_mqtt_prop_find(m->priv.o->props, ADDER_MQTT_PROP_AUTH_METHOD, &ours);
}

/* The method is the one of CONNECT, and there is none without one [MQTT-4.12.0-5], [MQTT-4.12.0-6]. */
static bool same_method(const adder_mqtt_t *m, adder_mqtt_props_t props, bool must)
{
    adder_mqtt_prop_t ours, theirs;
    if (!adder_mqtt_prop_find(props, ADDER_MQTT_PROP_AUTH_METHOD, &theirs)) {
        return !must && !adder_mqtt_prop_find(props, ADDER_MQTT_PROP_AUTH_DATA, &theirs);
    }
    return adder_mqtt_prop_find(m->priv.o->props, ADDER_MQTT_PROP_AUTH_METHOD, &ours) &&
           ours.text.len == theirs.text.len && memcmp(ours.text.at, theirs.text.at, ours.text.len) == 0;
}
#endif

static bool connack(adder_mqtt_t *m, mqtt_body_t b)
{
    adder_mqtt_event_t e = {.kind = ADDER_MQTT_CONNECTED};
    uint8_t flags;
    if (!mqtt_get_u8(&b, &flags) || !mqtt_get_u8(&b, &e.reason) || flags > 1) { /* [MQTT-3.2.2-1] */
        return mqtt_malformed(m);
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        if (!may_say(CONNACK, e.reason)) {
            return mqtt_malformed(m);
        }
        if (!take_props(m, CONNACK, &b, &e.props)) {
            return false;
        }
        const bool must = e.reason == 0 && has_method(m);
        if (!same_method(m, e.props, must)) {
            return mqtt_broken(m);
        }
    }
#endif
    if (b.left > 0) {
        return mqtt_malformed(m);
    }
    if (flags == 1 && (e.reason != 0 || m->priv.o->clean)) { /* [MQTT-3.2.2-6], [MQTT-3.2.2-2] */
        return mqtt_broken(m);
    }
    if (e.reason != 0) {
        e.kind = ADDER_MQTT_REFUSED;
        if (mqtt_emit(m, &e)) {
            mqtt_fail(m, e.reason, ADDER_ERR_REFUSED);
            m->by_server = true;
        }
        return false;
    }
#if ADDER_MQTT_V5
    apply(m, e.props);
#endif
    m->state = ADDER_MQTT_ON;
    m->session_present = flags == 1;
    m->priv.out_ms = m->priv.in_ms = m->priv.now_ms;
    return mqtt_resume(m) && mqtt_emit(m, &e);
}

/* ---- the others ---- */

/* PUBACK, PUBREC, PUBREL, PUBCOMP (3.4 to 3.7). */
static bool take_ack(adder_mqtt_t *m, unsigned type, mqtt_body_t b, adder_mqtt_event_t *e)
{
    if (!mqtt_get16(&b, &e->id)) {
        return mqtt_malformed(m);
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        return take_reason(m, type, &b, e);
    }
#endif
    (void)type;
    return b.left == 0 || mqtt_malformed(m);
}

/* SUBACK, UNSUBACK (3.9, 3.11). */
static bool suback(adder_mqtt_t *m, unsigned type, mqtt_body_t b)
{
    adder_mqtt_event_t e = {0};
    if (!mqtt_get16(&b, &e.id)) {
        return mqtt_malformed(m);
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m) && !take_props(m, type, &b, &e.props)) {
        return false;
    }
#endif
    e.codes = b.at;
    e.n_codes = b.left;
    if (type == UNSUBACK && !mqtt_is5(m) && b.left > 0) {
        return mqtt_malformed(m);
    }
    for (size_t i = 0; i < b.left; i++) {
        bool known = b.at[i] <= 2 || b.at[i] == 0x80; /* 3.1.1 [MQTT-3.9.3-2] */
#if ADDER_MQTT_V5
        known = mqtt_is5(m) ? may_say(type, b.at[i]) : known;
#endif
        if (!known) {
            return mqtt_malformed(m);
        }
    }
    return mqtt_acknowledged(m, type, &e);
}

#if ADDER_MQTT_V5
static bool goodbye(adder_mqtt_t *m, mqtt_body_t b)
{
    adder_mqtt_event_t e = {.kind = ADDER_MQTT_GOODBYE};
    if (!take_reason(m, DISCONNECT, &b, &e) || !mqtt_emit(m, &e)) {
        return false;
    }
    m->priv.big_left = 0;
    m->reason = e.reason;
    m->by_server = true;
    m->priv.err = ADDER_ERR_CLOSED;
    m->state = ADDER_MQTT_OVER;
    return false;
}

static bool auth(adder_mqtt_t *m, mqtt_body_t b)
{
    adder_mqtt_event_t e = {.kind = ADDER_MQTT_AUTH};
    const bool empty = b.left == 0; /* 3.15.2.1: success, and nothing to say */
    if (!take_reason(m, AUTH, &b, &e)) {
        return false;
    }
    const bool goes_on = e.reason == ADDER_MQTT_REASON_CONTINUE_AUTH;
    const bool under_way = m->state == ADDER_MQTT_CONNECTING ? goes_on : (m->priv.waiting & WAITS_AUTH) != 0;
    if (!under_way || !same_method(m, e.props, !empty)) {
        return mqtt_broken(m);
    }
    m->priv.waiting &= (uint8_t)(goes_on ? 0xff : ~WAITS_AUTH);
    if ((m->priv.waiting & WAITS_PONG) == 0) {
        m->priv.wait_ms = m->priv.now_ms;
    }
    return mqtt_emit(m, &e);
}
#endif

bool mqtt_packet(adder_mqtt_t *m, unsigned type, mqtt_body_t body)
{
    adder_mqtt_event_t e = {0};
    switch (type) {
    case CONNACK:
        return connack(m, body);
    case PUBACK:
    case PUBREC:
    case PUBCOMP:
        return take_ack(m, type, body, &e) && mqtt_acknowledged(m, type, &e);
    case PUBREL:
        return take_ack(m, type, body, &e) && mqtt_released(m, &e);
    case SUBACK:
    case UNSUBACK:
        return suback(m, type, body);
    case PINGRESP:
        if (body.left > 0) {
            return mqtt_malformed(m);
        }
        m->priv.waiting &= (uint8_t)~WAITS_PONG;
        e.kind = ADDER_MQTT_PONG;
        return mqtt_emit(m, &e);
#if ADDER_MQTT_V5
    case DISCONNECT:
        return goodbye(m, body);
    case AUTH:
        return auth(m, body);
#endif
    default: /* mqtt_receive() has seen to it */
        return mqtt_broken(m);
    }
}
