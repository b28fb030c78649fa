/* Publishing: the slots and the life of what is in them, requests too.
 *
 *   slots:  | released, in the order of their PUBREC | the others, in the order they were published |
 *           0                                   n_released                                     n_slots
 *
 * After a reconnection PUBREL and PUBLISH leave in that order [MQTT-4.6.0-1], [MQTT-4.6.0-4]. */
#include <string.h>

#include "mqtt_int.h"

/* ---- slots ---- */

int mqtt_find_slot(const adder_mqtt_t *m, uint16_t id)
{
    for (int i = 0; i < m->priv.n_slots; i++) {
        if (m->priv.c->slots[i].id == id) {
            return i;
        }
    }
    return -1;
}

uint16_t mqtt_next_id(adder_mqtt_t *m)
{
    uint16_t id;
    do {
        id = m->priv.next_id;
        m->priv.next_id =
            id == UINT16_MAX ? (m->priv.c->first_id != 0 ? m->priv.c->first_id : 1) : (uint16_t)(id + 1);
    } while (mqtt_find_slot(m, id) >= 0);
    return id;
}

adder_mqtt_slot_t *mqtt_add_slot(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id,
                                 slot_state_t state, uint8_t count)
{
    adder_mqtt_slot_t *s = &m->priv.c->slots[m->priv.n_slots++];
    *s = (adder_mqtt_slot_t){msg, id, (uint8_t)state, count};
    return s;
}

static adder_mqtt_slot_t take_slot(adder_mqtt_t *m, unsigned at)
{
    adder_mqtt_slot_t *s = &m->priv.c->slots[at];
    const adder_mqtt_slot_t taken = *s;
    m->priv.n_slots--;
    m->priv.n_released = (uint16_t)(m->priv.n_released - (at < m->priv.n_released));
    memmove(s, s + 1, (size_t)(m->priv.n_slots - at) * sizeof *s);
    return taken;
}

/* Behind those released before it. */
static adder_mqtt_slot_t *release_slot(adder_mqtt_t *m, unsigned at)
{
    adder_mqtt_slot_t *s = m->priv.c->slots + m->priv.n_released++;
    const adder_mqtt_slot_t moved = m->priv.c->slots[at];
    memmove(s + 1, s, (size_t)(m->priv.c->slots + at - s) * sizeof *s);
    *s = moved;
    s->state = ST_RELEASE;
    return s;
}

static bool done(adder_mqtt_t *m, unsigned at, uint8_t reason, adder_mqtt_props_t props)
{
    const adder_mqtt_slot_t s = take_slot(m, at);
    const adder_mqtt_event_t e = {
        .kind = ADDER_MQTT_DONE, .id = s.id, .msg = s.msg, .reason = reason, .props = props};
    return mqtt_emit(m, &e);
}

/* ---- PUBLISH leaves ---- */

typedef struct {
    uint32_t head, remaining; /* bytes before the payload, and as the fixed header has it */
    uint32_t props;           /* with the alias */
    bool alias, topic;
} sizes_t;

/* ADDER_ERR_RANGE, ADDER_ERR_NOSPACE: it cannot be sent. */
static adder_err_t measure(const adder_mqtt_t *m, const adder_mqtt_msg_t *msg, sizes_t *z)
{
    z->topic = true;
    z->alias = false;
    z->props = 0;
    const uint32_t cap = m->priv.c->tx_cap;
    uint32_t head = 2 + (msg->qos > 0 ? 2 : 0);
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        if (msg->props.len > cap) {
            return ADDER_ERR_NOSPACE;
        }
        z->alias = msg->alias > 0 && msg->alias <= m->server.alias_max;
        z->topic = !(z->alias && msg->alias <= 32 && (m->priv.aliases >> (msg->alias - 1) & 1) != 0);
        z->props = (uint32_t)msg->props.len + (z->alias ? 3 : 0);
        head += mqtt_varint_len(z->props) + z->props;
    }
#endif
    head += z->topic ? (uint32_t)msg->topic.len : 0;
    if (msg->payload_len > MQTT_REMAINING_MAX || head > MQTT_REMAINING_MAX - msg->payload_len) {
        return ADDER_ERR_RANGE;
    }
    z->remaining = head + msg->payload_len;
    z->head = 1 + mqtt_varint_len(z->remaining) + head;
    if (ADDER_MQTT_V5 && z->head + msg->payload_len > m->server.packet_max) {
        return ADDER_ERR_RANGE; /* [MQTT-3.2.2-15] */
    }
    return z->head > cap ? ADDER_ERR_NOSPACE : ADDER_OK;
}

static adder_err_t send_publish(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id, bool dup)
{
    sizes_t z;
    const adder_err_t err = measure(m, msg, &z);
    if (err != ADDER_OK) {
        return err;
    }
    const size_t total = z.head + msg->payload_len;
    const bool whole = total <= mqtt_free(m) && (msg->read == NULL || msg->payload_len == 0);
    /* Behind a long payload under way there is no place for another: SIZE_MAX is never there. */
    uint8_t *p = mqtt_room(m, whole ? total : m->priv.big_left == 0 ? z.head : SIZE_MAX);
    if (p == NULL) {
        return ADDER_ERR_AGAIN;
    }
    *p++ = (uint8_t)(PUBLISH << 4 | (dup ? 8 : 0) | msg->qos << 1 | (msg->retain ? 1 : 0));
    p = mqtt_put_varint(p, z.remaining);
    p = mqtt_put_str(p, z.topic ? msg->topic : (adder_mqtt_str_t){"", 0});
    if (msg->qos > 0) {
        p = mqtt_put16(p, id);
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        p = mqtt_put_varint(p, z.props);
        if (z.alias) {
            *p++ = ADDER_MQTT_PROP_TOPIC_ALIAS;
            p = mqtt_put16(p, msg->alias);
            m->priv.aliases |= msg->alias <= 32 ? 1u << (msg->alias - 1) : 0;
        }
        p = mqtt_put_bytes(p, msg->props.at, msg->props.len);
    }
#endif
    if (whole) {
        mqtt_put_bytes(p, msg->payload, msg->payload_len);
    } else {
        m->priv.big = msg;
        m->priv.big_left = msg->payload_len;
    }
    return ADDER_OK;
}

/* What a server of 5.0 has told in CONNACK; 3.1.1 knows no such limits. */
static bool takes(const adder_mqtt_t *m, const adder_mqtt_msg_t *msg)
{
    return !ADDER_MQTT_V5 || (msg->qos <= m->server.qos_max && !(msg->retain && m->server.no_retain));
}

/* May one more PUBLISH be on its way? 4.9: those not acknowledged count against the receive maximum. */
static bool has_quota(const adder_mqtt_t *m)
{
#if ADDER_MQTT_V5
    unsigned n = 0;
    for (unsigned i = 0; i < m->priv.n_slots; i++) {
        const unsigned state = m->priv.c->slots[i].state;
        n += state == ST_WAIT_PUBACK || state == ST_WAIT_PUBREC || state == ST_WAIT_PUBCOMP;
    }
    return n < m->server.receive_max;
#else
    (void)m;
    return true;
#endif
}

static bool release(adder_mqtt_t *m, adder_mqtt_slot_t *s)
{
    if (!mqtt_send_ack(m, PUBREL << 4 | 2, s->id, 0)) {
        return false;
    }
    s->state = ST_WAIT_PUBCOMP;
    return true;
}

void mqtt_flush(adder_mqtt_t *m, bool may_tell)
{
    unsigned i = 0;
    while (i < m->priv.n_slots && m->priv.err == ADDER_OK) {
        adder_mqtt_slot_t *s = &m->priv.c->slots[i];
        if (s->state == ST_RELEASE && !release(m, s)) {
            return;
        }
        if (s->state == ST_PENDING) {
            const adder_err_t err = !takes(m, s->msg) ? ADDER_ERR_UNSUPPORTED
                                    : !has_quota(m)   ? ADDER_ERR_AGAIN
                                                      : send_publish(m, s->msg, s->id, s->count != 0);
            if (err == ADDER_ERR_AGAIN || (err != ADDER_OK && !may_tell)) {
                return; /* the later ones stay behind it */
            }
            if (err != ADDER_OK) { /* this server does not take what the one before did */
                done(m, i,
                     err == ADDER_ERR_UNSUPPORTED ? ADDER_MQTT_REASON_QOS_UNSUPPORTED
                                                  : ADDER_MQTT_REASON_TOO_LARGE,
                     (adder_mqtt_props_t){0});
                continue;
            }
            s->state = s->msg->qos == 1 ? ST_WAIT_PUBACK : ST_WAIT_PUBREC;
        }
        i++;
    }
}

static adder_err_t check(const adder_mqtt_t *m, const adder_mqtt_msg_t *msg)
{
    if (m->priv.err != ADDER_OK || (msg->qos == 0 && m->state != ADDER_MQTT_ON)) {
        return ADDER_ERR_STATE;
    }
    if (msg->qos > 2 || !adder_mqtt_is_topic(msg->topic)) {
        return ADDER_ERR_ARG;
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m) && mqtt_check_props(msg->props, IN_PUBLISH_OUT) != 0) {
        return ADDER_ERR_ARG;
    }
#endif
    if (m->state == ADDER_MQTT_ON && !takes(m, msg)) {
        return ADDER_ERR_UNSUPPORTED; /* [MQTT-3.2.2-11], [MQTT-3.2.2-14] */
    }
    return ADDER_OK;
}

adder_err_t adder_mqtt_publish_as(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id, bool dup)
{
    adder_err_t err = check(m, msg);
    sizes_t z;
    if (err != ADDER_OK) {
        return err;
    }
    if (msg->qos == 0 || id == 0 || mqtt_find_slot(m, id) >= 0) {
        return ADDER_ERR_ARG;
    }
    if (m->priv.n_slots == m->priv.c->n_slots) {
        return ADDER_ERR_AGAIN;
    }
    if (m->state == ADDER_MQTT_ON && (err = measure(m, msg, &z)) != ADDER_OK) {
        return err;
    }
    mqtt_add_slot(m, msg, id, ST_PENDING, dup);
    if (m->state == ADDER_MQTT_ON) {
        mqtt_flush(m, false);
    }
    return ADDER_OK;
}

adder_err_t adder_mqtt_publish(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t *id_out)
{
    uint16_t id = 0;
    adder_err_t err;
    if (msg->qos == 0) {
        err = check(m, msg);
        if (err == ADDER_OK) {
            err = send_publish(m, msg, 0, false);
        }
    } else {
        id = mqtt_next_id(m);
        err = adder_mqtt_publish_as(m, msg, id, false);
    }
    if (id_out != NULL) {
        *id_out = id;
    }
    return err;
}

adder_err_t adder_mqtt_restore_released(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id)
{
    if (id == 0 || mqtt_find_slot(m, id) >= 0) {
        return ADDER_ERR_ARG;
    }
    ADDER_ASSERT(m->state == ADDER_MQTT_OFF);
    if (m->priv.n_slots == m->priv.c->n_slots) {
        return ADDER_ERR_AGAIN;
    }
    mqtt_add_slot(m, msg, id, ST_PENDING, 0);
    release_slot(m, m->priv.n_slots - 1u);
    return ADDER_OK;
}

/* ---- answers ---- */

/* `at`: the slot that it is for. False: the connection is over. */
typedef bool (*action_fn)(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e);

static bool finish(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e)
{
    return done(m, at, e->reason, e->props);
}

static bool receive(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e)
{
    e->kind = ADDER_MQTT_RECEIVED;
    e->msg = m->priv.c->slots[at].msg;
    if (!mqtt_emit(m, e)) {
        return false;
    }
    release(m, release_slot(m, (unsigned)mqtt_find_slot(m, e->id))); /* the callback may have published */
    return true;
}

/* The server asks again for what is on its way. */
static bool repeat(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e)
{
    (void)e;
    return release(m, &m->priv.c->slots[at]);
}

static bool granted(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e)
{
    const adder_mqtt_slot_t s = m->priv.c->slots[at];
    /* One code for each filter [MQTT-3.8.4-6], [MQTT-3.11.3-1]; UNSUBACK of 3.1.1 has none. */
    if (e->n_codes != s.count && !(s.state == ST_WAIT_UNSUBACK && !mqtt_is5(m))) {
        return mqtt_broken(m);
    }
    take_slot(m, at);
    e->kind = s.state == ST_WAIT_SUBACK ? ADDER_MQTT_SUBSCRIBED : ADDER_MQTT_UNSUBSCRIBED;
    return mqtt_emit(m, e);
}

/* What may come in which state. All else breaks the protocol: an id that is not under way
 * [MQTT-2.2.1-5], [MQTT-2.2.1-6], or an answer to another kind of packet (4.3). */
static const struct {
    uint8_t state, on;
    bool refused; /* with a reason of 0x80 or more */
    action_fn action;
} edges[] = {
    /* in state         on        refused  */
    {ST_WAIT_PUBACK, PUBACK, false, finish},
    {ST_WAIT_PUBACK, PUBACK, true, finish},
    {ST_WAIT_PUBREC, PUBREC, false, receive},
    {ST_WAIT_PUBREC, PUBREC, true, finish}, /* the id is free again: 4.3.3 */
    {ST_WAIT_PUBCOMP, PUBREC, false, repeat},
    {ST_WAIT_PUBCOMP, PUBCOMP, false, finish},
    {ST_WAIT_PUBCOMP, PUBCOMP, true, finish}, /* the server has forgotten it */
    {ST_WAIT_SUBACK, SUBACK, false, granted},
    {ST_WAIT_UNSUBACK, UNSUBACK, false, granted},
};

bool mqtt_acknowledged(adder_mqtt_t *m, unsigned type, adder_mqtt_event_t *e)
{
    const int at = mqtt_find_slot(m, e->id);
    if (at < 0 && type == PUBREC && e->reason < 0x80 && e->id != 0) {
        /* A message of a session that we have lost: let the server be done with it (4.3.3). */
        return mqtt_send_ack(m, PUBREL << 4 | 2, e->id, ADDER_MQTT_REASON_ID_NOT_FOUND);
    }
    if (at >= 0) {
        const adder_mqtt_slot_t *s = &m->priv.c->slots[at];
        const bool leaving = m->priv.big_left > 0 && s->msg != NULL && m->priv.big == s->msg;
        for (unsigned i = 0; i < sizeof edges / sizeof edges[0]; i++) {
            if (edges[i].state == s->state && edges[i].on == type &&
                edges[i].refused == (e->reason >= 0x80) && !leaving) {
                return edges[i].action(m, (unsigned)at, e);
            }
        }
    }
    return mqtt_broken(m);
}

/* ---- sessions ---- */

void mqtt_suspend(adder_mqtt_t *m)
{
    for (unsigned i = 0; i < m->priv.n_slots;) {
        adder_mqtt_slot_t *s = &m->priv.c->slots[i];
        if (s->msg == NULL) { /* requests are not session state (4.1) */
            take_slot(m, i);
            continue;
        }
        if (s->state == ST_WAIT_PUBACK || s->state == ST_WAIT_PUBREC) {
            s->state = ST_PENDING;
            s->count = 1; /* DUP [MQTT-3.3.1-1] */
        } else if (s->state == ST_WAIT_PUBCOMP) {
            s->state = ST_RELEASE;
        }
        i++;
    }
}

bool mqtt_resume(adder_mqtt_t *m)
{
    if (m->session_present) {
#if ADDER_MQTT_V5
        m->priv.n_old_ids = m->priv.n_ids;
#endif
        return true;
    }
    m->priv.n_ids = 0; /* [MQTT-3.2.2-5] */
#if ADDER_MQTT_V5
    m->priv.n_old_ids = 0;
#endif
    for (unsigned i = 0; i < m->priv.n_slots; i++) {
        m->priv.c->slots[i].count = 0;
    }
    while (m->priv.n_released > 0) {
        if (!done(m, 0, 0, (adder_mqtt_props_t){0})) { /* the server had it when it forgot us */
            return false;
        }
    }
    return true;
}
