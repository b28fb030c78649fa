/* What comes: packets cut out of the stream, and PUBLISH, whole or in pieces.
 *
 *   ids:  | of earlier connections, not heard of on this one | the others |
 *         0                                          n_old_ids        n_ids
 *
 * More messages than there are ids: 3.1.1 has no word against it, and servers are known that exceed the
 * receive maximum of 5.0. To end the connection at once would be no way on, for the same comes again on the
 * next one. So from the first that has no room on new messages are left out, unanswered, in order; PUBRELs
 * free the ids that are taken; and then the connection ends, the server sends again what had no answer, and
 * there is room.
 * Ids may be taken for good by messages that the server has forgotten (it was killed, and had not saved
 * them). What a server sends again comes in order and before what is new [MQTT-4.4.0-1], [MQTT-4.6.0-1]: when
 * a new message has no room, the ids that were not named on this connection are dropped. So are all of them
 * where the server has answered a PINGREQ and named none, for they would hold their place for ever. The build
 * for 3.1.1 alone has no room for any of this: it ends the connection. */
#include <string.h>

#include "mqtt_int.h"

enum { ANSWER_MAX = 8 }; /* room in tx before a packet is looked at: what answers it, or tells why not */

static bool broken(adder_mqtt_t *m, uint8_t reason)
{
    return mqtt_fail(m, reason, ADDER_ERR_FORMAT);
}

static bool too_much(adder_mqtt_t *m, uint8_t reason)
{
    return mqtt_fail(m, reason, ADDER_ERR_NOMEM);
}

int mqtt_find_id(const adder_mqtt_t *m, uint16_t id)
{
    for (int i = 0; i < m->priv.n_ids; i++) {
        if (m->priv.c->ids[i] == id) {
            return i;
        }
    }
    return -1;
}

adder_err_t adder_mqtt_restore_id(adder_mqtt_t *m, uint16_t id)
{
    ADDER_ASSERT(m->state == ADDER_MQTT_OFF);
    if (id == 0 || mqtt_find_id(m, id) >= 0) {
        return ADDER_ERR_ARG;
    }
    if (m->priv.n_ids == m->priv.c->n_ids) {
        return ADDER_ERR_AGAIN;
    }
    m->priv.c->ids[m->priv.n_ids++] = id;
    return ADDER_OK;
}

#if ADDER_MQTT_V5
/* The server speaks of an id: where it is now. */
static unsigned hear_of_id(adder_mqtt_t *m, unsigned at)
{
    uint16_t *ids = m->priv.c->ids;
    if (at < m->priv.n_old_ids) {
        const unsigned to = --m->priv.n_old_ids;
        const uint16_t id = ids[at];
        ids[at] = ids[to];
        ids[to] = id;
        at = to;
    }
    return at;
}
#else
static unsigned hear_of_id(const adder_mqtt_t *m, unsigned at)
{
    (void)m;
    return at;
}
#endif

/* False: the callback has ended it. */
static bool release_id(adder_mqtt_t *m, unsigned at, adder_mqtt_event_t *e)
{
    e->kind = ADDER_MQTT_RELEASED;
    if (!mqtt_emit(m, e)) {
        return false;
    }
    at = hear_of_id(m, at);
    m->priv.c->ids[at] = m->priv.c->ids[--m->priv.n_ids];
    return true;
}

bool mqtt_released(adder_mqtt_t *m, adder_mqtt_event_t *e)
{
    const int at = mqtt_find_id(m, e->id);
    if (e->id == 0) {
        return mqtt_broken(m); /* [MQTT-2.2.1-6] */
    }
    if (at >= 0 && !release_id(m, (unsigned)at, e)) {
        return false;
    }
    return mqtt_send_ack(m, PUBCOMP << 4, e->id, at >= 0 ? 0 : ADDER_MQTT_REASON_ID_NOT_FOUND);
}

#if ADDER_MQTT_V5
/* The server has forgotten those that it has not named. False: a callback has ended it. */
static bool drop_old_ids(adder_mqtt_t *m)
{
    while (m->priv.n_old_ids > 0) {
        adder_mqtt_event_t e = {.id = m->priv.c->ids[0]};
        if (!release_id(m, 0, &e)) {
            return false;
        }
    }
    return true;
}

void mqtt_settle_ids(adder_mqtt_t *m)
{
    if ((m->priv.waiting & (WAITS_IDS | WAITS_PONG)) != WAITS_IDS || m->priv.n_ids > m->priv.n_old_ids) {
        return;
    }
    if (m->priv.n_ids < m->priv.c->n_ids || drop_old_ids(m)) {
        too_much(m, ADDER_MQTT_REASON_RECEIVE_MAXIMUM); /* [MQTT-3.3.4-9] */
    }
}
#endif

/* ---- PUBLISH ---- */

#if ADDER_MQTT_V5
/* Properties, and the topic that an alias stands for (3.3.2.3.4). */
static bool look_at_props(adder_mqtt_t *m, adder_mqtt_piece_t *piece)
{
    const uint8_t reason = mqtt_check_props(piece->props, PUBLISH);
    if (reason != 0) {
        return broken(m, reason);
    }
    adder_mqtt_prop_t p;
    if (!adder_mqtt_prop_find(piece->props, ADDER_MQTT_PROP_TOPIC_ALIAS, &p)) {
        return piece->topic.len > 0 || mqtt_broken(m);
    }
    const adder_mqtt_config_t *c = m->priv.c;
    if (p.number == 0 || p.number > c->n_aliases) { /* [MQTT-3.3.2-8], [MQTT-3.3.2-11] */
        return broken(m, ADDER_MQTT_REASON_ALIAS_INVALID);
    }
    uint8_t *at = c->aliases + (size_t)(p.number - 1) * c->alias_size;
    if (piece->topic.len == 0) {
        piece->topic = (adder_mqtt_str_t){(const char *)at + 2, (size_t)(at[0] << 8 | at[1])};
        return piece->topic.len > 0 || mqtt_broken(m);
    }
    if (piece->topic.len > c->alias_size - 2u) {
        return too_much(m, ADDER_MQTT_REASON_QUOTA_EXCEEDED);
    }
    mqtt_put_str(at, piece->topic);
    return true;
}

static uint8_t refusal(adder_err_t err)
{
    return err == ADDER_OK                                      ? 0
           : err == ADDER_ERR_FORMAT                            ? ADDER_MQTT_REASON_PAYLOAD_FORMAT
           : err == ADDER_ERR_NOSPACE || err == ADDER_ERR_NOMEM ? ADDER_MQTT_REASON_QUOTA_EXCEEDED
                                                                : ADDER_MQTT_REASON_IMPLEMENTATION;
}
#endif

/* A new message of QoS 1 or 2: is there room for it? It may be left out. */
static bool admit(adder_mqtt_t *m, const adder_mqtt_piece_t *piece)
{
    const adder_mqtt_config_t *c = m->priv.c;
    if (m->priv.n_ids < c->n_ids || (piece->qos == 1 && (!mqtt_is5(m) || c->n_ids == 0))) {
        return true;
    }
#if ADDER_MQTT_V5
    if (!piece->dup && !drop_old_ids(m)) {
        return false;
    }
    if (c->n_ids > 0) {
        if (m->priv.n_ids == c->n_ids && (m->priv.waiting & WAITS_IDS) == 0) {
            m->priv.waiting |= WAITS_IDS;
            ADDER_IGNORE(adder_mqtt_ping(m), "there is room for an answer, and this is none");
        }
        return true;
    }
#endif
    return too_much(m, c->n_ids == 0 ? ADDER_MQTT_REASON_QOS_UNSUPPORTED : ADDER_MQTT_REASON_RECEIVE_MAXIMUM);
}

static void answer(adder_mqtt_t *m, const adder_mqtt_piece_t *piece, bool known, uint8_t reason)
{
    if (piece->qos == 2 && !known && reason < 0x80) {
        m->priv.c->ids[m->priv.n_ids++] = piece->id; /* there is room: admit() */
    }
    if (piece->qos > 0) {
        mqtt_send_ack(m, (uint8_t)((piece->qos == 1 ? PUBACK : PUBREC) << 4), piece->id, reason);
    }
}

/* Topic, id and properties; false: the packet is bad, or (`*more`) not all of it is there. */
static bool read_head(adder_mqtt_t *m, uint8_t flags, mqtt_body_t *b, adder_mqtt_piece_t *piece, bool *more)
{
    piece->qos = flags >> 1 & 3;
    piece->dup = (flags & 8) != 0;
    piece->retain = (flags & 1) != 0;
    *more = !mqtt_get_str(b, &piece->topic) || (piece->qos > 0 && !mqtt_get16(b, &piece->id));
#if ADDER_MQTT_V5
    *more = *more || (mqtt_is5(m) && !mqtt_get_props(b, &piece->props));
#endif
    if (*more) {
        return false;
    }
    if (m->priv.piece_at > 0) { /* looked at before; an alias is in its place by now */
#if ADDER_MQTT_V5
        return !mqtt_is5(m) || look_at_props(m, piece);
#endif
        return true;
    }
    if (!adder_mqtt_is_text(piece->topic) || (piece->qos > 0 && piece->id == 0)) {
        return mqtt_malformed(m); /* [MQTT-1.5.4-1], [MQTT-1.5.4-2], [MQTT-2.2.1-3] */
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m) && !look_at_props(m, piece)) {
        return false;
    }
#endif
    if (!adder_mqtt_is_topic(piece->topic)) { /* [MQTT-3.3.2-2], [MQTT-4.7.3-1] */
        return broken(m, ADDER_MQTT_REASON_TOPIC_INVALID);
    }
    const int at = piece->qos == 2 ? mqtt_find_id(m, piece->id) : -1;
    if (at >= 0) {
        hear_of_id(m, (unsigned)at);
    }
    return piece->qos == 0 || at >= 0 || admit(m, piece);
}

/* The packet at rx_at, of which `head` bytes are its fixed header. */
static bool receive_publish(adder_mqtt_t *m, uint32_t head, uint32_t remaining)
{
    const adder_mqtt_config_t *c = m->priv.c;
    const uint8_t *p = c->rx + m->priv.rx_at;
    const uint32_t total = head + remaining;
    const uint32_t here = (uint32_t)(m->priv.rx_len - m->priv.rx_at);
    const bool streams = total > c->rx_cap;
    mqtt_body_t b = {p + head, (here < total ? here : total) - head};
    adder_mqtt_piece_t piece = {0};
    bool more = false;
    if (!read_head(m, p[0] & 15, &b, &piece, &more)) {
        if (!more) {
            return false;
        }
        if (here >= total) {
            return mqtt_malformed(m);
        }
        return here == c->rx_cap && too_much(m, ADDER_MQTT_REASON_QUOTA_EXCEEDED);
    }
    piece.payload = b.at;
    const uint32_t before = (uint32_t)(b.at - p);
    piece.offset = m->priv.piece_at;
    piece.total = total - before;
    piece.len = piece.total - piece.offset;
    if (piece.len > b.left) {
        piece.len = (uint32_t)b.left;
    }
    if (piece.len == 0 && piece.offset < piece.total) {
        return here == c->rx_cap && too_much(m, ADDER_MQTT_REASON_QUOTA_EXCEEDED);
    }
    const bool known = piece.qos == 2 && mqtt_find_id(m, piece.id) >= 0;
    const bool last = piece.offset + piece.len == piece.total;
    const bool left_out = ADDER_MQTT_V5 && piece.qos > 0 && !known && (m->priv.waiting & WAITS_IDS) != 0;
    adder_err_t err = known || left_out ? ADDER_OK : c->message(c->ctx, &piece);
    if (err == ADDER_ERR_AGAIN || m->priv.err != ADDER_OK) {
        return false; /* offered again; or it has disconnected, and nothing may follow [MQTT-3.14.4-1] */
    }
    if (!last) {
        ADDER_ASSERT(streams);
        (void)streams;
        m->priv.piece_at += piece.len;
        m->priv.rx_len = (uint16_t)(m->priv.rx_at + before); /* all behind it was this message's */
        return true;
    }
    uint8_t reason = 0;
#if ADDER_MQTT_V5
    reason = mqtt_is5(m) ? refusal(err) : 0;
#endif
    if (!left_out) {
        answer(m, &piece, known, reason);
    }
    m->priv.piece_at = 0;
    m->priv.rx_at = (uint16_t)(m->priv.rx_at + before + piece.len);
    return true;
}

/* ---- packets ---- */

/* Is this first byte one that may come now? */
static bool check_type(adder_mqtt_t *m, uint8_t first)
{
    const unsigned type = first >> 4, flags = first & 15u;
    if (type == 0 || (type == AUTH && !mqtt_is5(m))) {
        return mqtt_malformed(m); /* 2.1.2: reserved */
    }
    if (type == PUBLISH ? (flags >> 1 & 3) == 3 || (flags & 14) == 8 : flags != (type == PUBREL ? 2 : 0)) {
        return mqtt_malformed(m); /* [MQTT-3.3.1-4], [MQTT-3.3.1-2], [MQTT-2.1.3-1] */
    }
    unsigned from_server = 1u << CONNACK | 1u << PUBLISH | 1u << PUBACK | 1u << PUBREC | 1u << PUBREL |
                           1u << PUBCOMP | 1u << SUBACK | 1u << UNSUBACK | 1u << PINGRESP;
    from_server |= mqtt_is5(m) ? 1u << DISCONNECT | 1u << AUTH : 0;
    const bool now = m->state == ADDER_MQTT_CONNECTING ? type == CONNACK || type == AUTH : type != CONNACK;
    if ((from_server >> type & 1) == 0 || !now) { /* [MQTT-3.2.0-1], [MQTT-3.2.0-2] */
        return mqtt_broken(m);
    }
    return true;
}

bool mqtt_receive(adder_mqtt_t *m)
{
    const adder_mqtt_config_t *c = m->priv.c;
    const uint8_t *p = c->rx + m->priv.rx_at;
    const size_t here = (size_t)(m->priv.rx_len - m->priv.rx_at);
    uint32_t remaining;
    if (m->priv.err != ADDER_OK || here == 0 || !check_type(m, p[0])) {
        return false;
    }
    const int n = mqtt_get_varint(p + 1, here - 1, mqtt_is5(m), &remaining);
    if (n <= 0) {
        return n < 0 && mqtt_malformed(m); /* 2.1.4 */
    }
    const uint32_t head = (uint32_t)n + 1, total = head + remaining;
    if (c->packet_max != 0 && total > c->packet_max) { /* [MQTT-3.1.2-24] */
        return too_much(m, ADDER_MQTT_REASON_TOO_LARGE);
    }
    const unsigned type = p[0] >> 4;
    if (total > c->rx_cap && type != PUBLISH) {
        return too_much(m, ADDER_MQTT_REASON_QUOTA_EXCEEDED);
    }
    if ((total <= c->rx_cap && here < total) || !mqtt_has_room(m, ANSWER_MAX)) {
        return false;
    }
    if (type == PUBLISH) {
        return receive_publish(m, head, remaining);
    }
    if (!mqtt_packet(m, type, (mqtt_body_t){p + head, remaining})) {
        return false;
    }
    m->priv.rx_at = (uint16_t)(m->priv.rx_at + total);
    return true;
}
