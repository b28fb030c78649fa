/* The engine's life: what leaves, what time brings, the end.
 *
 *   tx:  | sent | packets to send | packets behind the payload |      free      | piece of it |
 *        0     at               split                         len          cap - held       cap
 *
 * A payload that leaves from the caller's memory (or comes from it in pieces, staged at the end) goes out
 * between at..split and split..len; without one, split is len. */
#include <string.h>

#include "mqtt_int.h"

enum { TIMEOUT_MS = 10000 };

/* ---- what leaves ---- */

size_t mqtt_free(const adder_mqtt_t *m)
{
    return (size_t)m->priv.c->tx_cap - m->priv.tx_held - (m->priv.tx_len - m->priv.tx_at);
}

static void close_up(adder_mqtt_t *m)
{
    if (m->priv.tx_at > 0) {
        memmove(m->priv.c->tx, m->priv.c->tx + m->priv.tx_at, (size_t)(m->priv.tx_len - m->priv.tx_at));
        m->priv.tx_len = (uint16_t)(m->priv.tx_len - m->priv.tx_at);
        m->priv.tx_split = (uint16_t)(m->priv.tx_split - m->priv.tx_at);
        m->priv.tx_at = 0;
    }
}

bool mqtt_has_room(adder_mqtt_t *m, size_t n)
{
    const bool has = n <= mqtt_free(m);
    m->priv.waiting |= has ? 0 : WAITS_ROOM;
    return has;
}

uint8_t *mqtt_room(adder_mqtt_t *m, size_t n)
{
    if (!mqtt_has_room(m, n)) {
        return NULL;
    }
    if (n > (size_t)m->priv.c->tx_cap - m->priv.tx_held - m->priv.tx_len) {
        close_up(m);
    }
    uint8_t *p = m->priv.c->tx + m->priv.tx_len;
    m->priv.tx_len = (uint16_t)(m->priv.tx_len + n);
    if (m->priv.big_left == 0) {
        m->priv.tx_split = m->priv.tx_len;
    }
    return p;
}

bool mqtt_send_ack(adder_mqtt_t *m, uint8_t type_and_flags, uint16_t id, uint8_t reason)
{
    const bool long_form = mqtt_is5(m) && reason != 0;
    uint8_t *p = mqtt_room(m, long_form ? 5 : 4);
    if (p == NULL) {
        return false;
    }
    p[0] = type_and_flags;
    p[1] = long_form ? 3 : 2;
    mqtt_put16(p + 2, id);
    if (long_form) {
        p[4] = reason;
    }
    return true;
}

/* The next bytes of a payload under way, up to the end of tx. */
static bool stage(adder_mqtt_t *m)
{
    const adder_mqtt_msg_t *msg = m->priv.big;
    close_up(m);
    /* Some room stays for acknowledgements and a ping. */
    size_t n = mqtt_free(m), got = 0;
    n -= n > 32 ? 16 : 0;
    n = n > m->priv.big_left ? m->priv.big_left : n;
    if (n == 0) {
        return false;
    }
    uint8_t *end = m->priv.c->tx + m->priv.c->tx_cap;
    const adder_err_t err = msg->read(msg->read_ctx, msg->payload_len - m->priv.big_left, end - n, n, &got);
    if (err == ADDER_OK && got > 0 && got <= n) {
        memmove(end - got, end - n, got);
        m->priv.tx_held = (uint16_t)got;
        return true;
    }
    if (err != ADDER_ERR_AGAIN) {
        mqtt_fail(m, ADDER_MQTT_REASON_UNSPECIFIED, err == ADDER_OK ? ADDER_ERR_INTERNAL : err);
    }
    return false;
}

bool adder_mqtt_out(adder_mqtt_t *m, const uint8_t **bytes_out, size_t *len_out)
{
    if (m->state == ADDER_MQTT_OVER) { /* in OFF there is nothing */
        return false;
    }
    if (m->priv.tx_at < m->priv.tx_split) {
        *bytes_out = m->priv.c->tx + m->priv.tx_at;
        *len_out = (size_t)(m->priv.tx_split - m->priv.tx_at);
        return true;
    }
    if (m->priv.big_left == 0) {
        return false;
    }
    const adder_mqtt_msg_t *msg = m->priv.big;
    *len_out = m->priv.big_left;
    if (msg == NULL) {
        const adder_mqtt_str_t *s = &m->priv.o->password;
        *bytes_out = (const uint8_t *)s->at + (s->len - m->priv.big_left);
    } else if (msg->read == NULL) {
        *bytes_out = msg->payload + (msg->payload_len - m->priv.big_left);
    } else {
        if (m->priv.tx_held == 0 && !stage(m)) {
            return false;
        }
        *bytes_out = m->priv.c->tx + m->priv.c->tx_cap - m->priv.tx_held;
        *len_out = m->priv.tx_held;
    }
    return true;
}

void adder_mqtt_out_done(adder_mqtt_t *m, size_t len)
{
    if (len == 0) {
        return;
    }
    m->priv.out_ms = m->priv.now_ms;
    if (m->priv.tx_at < m->priv.tx_split) {
        m->priv.tx_at = (uint16_t)(m->priv.tx_at + len);
        ADDER_ASSERT(m->priv.tx_at <= m->priv.tx_split);
    } else {
        ADDER_ASSERT(len <= m->priv.big_left);
        m->priv.big_left -= (uint32_t)len;
        m->priv.tx_held = (uint16_t)(m->priv.tx_held >= len ? m->priv.tx_held - len : 0);
        if (m->priv.big_left == 0) {
            m->priv.big = NULL;
            m->priv.tx_split = m->priv.tx_len;
        }
    }
    if (m->priv.tx_at == m->priv.tx_len) {
        m->priv.tx_at = m->priv.tx_len = m->priv.tx_split = 0;
        if (m->state == ADDER_MQTT_CLOSING && m->priv.big_left == 0) {
            m->state = ADDER_MQTT_OVER;
        }
    }
}

bool adder_mqtt_holds(const adder_mqtt_t *m, const adder_mqtt_msg_t *msg)
{
    for (unsigned i = 0; i < m->priv.n_slots; i++) {
        if (m->priv.c->slots[i].msg == msg) {
            return true;
        }
    }
    return m->priv.big_left > 0 && m->priv.big == msg;
}

/* ---- the end ---- */

static void end(adder_mqtt_t *m, adder_mqtt_state_t state, adder_err_t err)
{
    m->state = (uint8_t)state;
    m->priv.err = (uint8_t)err;
    m->priv.wait_ms = m->priv.now_ms;
}

/* 4.13: with 5.0 the reason is told, unless the last packet is cut by it. */
bool mqtt_fail(adder_mqtt_t *m, uint8_t reason, adder_err_t err)
{
    if (m->priv.err != ADDER_OK) {
        return false;
    }
    uint8_t *p = NULL;
    m->reason = reason;
    m->by_server = false;
    if (mqtt_is5(m) && m->state == ADDER_MQTT_ON && m->priv.big_left == 0) {
        p = mqtt_room(m, 3);
    }
    if (p != NULL) {
        p[0] = DISCONNECT << 4;
        p[1] = 1;
        p[2] = reason;
    }
    end(m, p != NULL ? ADDER_MQTT_CLOSING : ADDER_MQTT_OVER, err);
    return false;
}

bool mqtt_malformed(adder_mqtt_t *m)
{
    return mqtt_fail(m, ADDER_MQTT_REASON_MALFORMED, ADDER_ERR_FORMAT);
}

bool mqtt_broken(adder_mqtt_t *m)
{
    return mqtt_fail(m, ADDER_MQTT_REASON_PROTOCOL, ADDER_ERR_FORMAT);
}

bool mqtt_emit(adder_mqtt_t *m, const adder_mqtt_event_t *e)
{
    const adder_err_t err = m->priv.c->event(m->priv.c->ctx, e);
    if (err != ADDER_OK) {
        return mqtt_fail(m, ADDER_MQTT_REASON_UNSPECIFIED, err);
    }
    return m->priv.err == ADDER_OK; /* the callback may have disconnected */
}

/* DISCONNECT and AUTH: a reason and properties, as short as it goes. NULL: no room. */
static adder_err_t send_reason(adder_mqtt_t *m, unsigned type, uint8_t reason, adder_mqtt_props_t props)
{
    const bool bare = !mqtt_is5(m) || (reason == 0 && props.len == 0);
    if (mqtt_is5(m) && props.len > m->priv.c->tx_cap) {
        return ADDER_ERR_NOSPACE;
    }
    const uint32_t props_len = (uint32_t)props.len;
    const uint32_t remaining = bare ? 0 : 1 + mqtt_varint_len(props_len) + props_len;
    const uint32_t total = 1 + mqtt_varint_len(remaining) + remaining;
    uint8_t *p = mqtt_room(m, total);
    if (p == NULL) {
        return total > m->priv.c->tx_cap ? ADDER_ERR_NOSPACE : ADDER_ERR_AGAIN;
    }
    *p++ = (uint8_t)(type << 4);
    p = mqtt_put_varint(p, remaining);
    if (!bare) {
        *p++ = reason;
        p = mqtt_put_varint(p, props_len);
        mqtt_put_bytes(p, props.at, props.len);
    }
    return ADDER_OK;
}

adder_err_t adder_mqtt_disconnect(adder_mqtt_t *m, uint8_t reason, adder_mqtt_props_t props)
{
    if (m->state == ADDER_MQTT_OFF || m->priv.err != ADDER_OK) {
        return ADDER_ERR_STATE;
    }
#if ADDER_MQTT_V5
    if (mqtt_is5(m) && mqtt_check_props(props, IN_DISCONNECT_OUT) != 0) {
        return ADDER_ERR_ARG;
    }
#endif
    if (m->state == ADDER_MQTT_ON) {
        const adder_err_t err = send_reason(m, DISCONNECT, reason, props);
        if (err != ADDER_OK) {
            return err;
        }
    }
    m->reason = reason;
    m->by_server = false;
    end(m, m->state == ADDER_MQTT_ON ? ADDER_MQTT_CLOSING : ADDER_MQTT_OVER, ADDER_ERR_CLOSED);
    return ADDER_OK;
}

void adder_mqtt_lost(adder_mqtt_t *m)
{
    m->state = ADDER_MQTT_OFF;
    m->priv.err = ADDER_OK;
    m->priv.big = NULL;
    m->priv.o = NULL;
    m->priv.big_left = m->priv.piece_at = 0;
    m->priv.tx_at = m->priv.tx_len = m->priv.tx_split = m->priv.tx_held = 0;
    m->priv.rx_at = m->priv.rx_len = 0;
    m->priv.waiting = 0;
    mqtt_suspend(m);
}

void adder_mqtt_forget(adder_mqtt_t *m)
{
    if (m->state == ADDER_MQTT_OFF) {
        m->priv.n_slots = m->priv.n_released = m->priv.n_ids = 0;
    }
}

/* ---- authentication, pings ---- */

adder_err_t adder_mqtt_auth(adder_mqtt_t *m, uint8_t reason, adder_mqtt_props_t props)
{
#if ADDER_MQTT_V5
    if (!mqtt_is5(m)) {
        return ADDER_ERR_UNSUPPORTED;
    }
    const bool again = reason == ADDER_MQTT_REASON_REAUTHENTICATE;
    const bool under_way = m->state == ADDER_MQTT_CONNECTING || (m->priv.waiting & WAITS_AUTH) != 0;
    if (m->priv.err != ADDER_OK || (again ? m->state != ADDER_MQTT_ON || under_way : !under_way)) {
        return ADDER_ERR_STATE;
    }
    adder_mqtt_prop_t method, first;
    if ((!again && reason != ADDER_MQTT_REASON_CONTINUE_AUTH) || mqtt_check_props(props, AUTH) != 0 ||
        !adder_mqtt_prop_find(m->priv.o->props, ADDER_MQTT_PROP_AUTH_METHOD, &first) ||
        !adder_mqtt_prop_find(props, ADDER_MQTT_PROP_AUTH_METHOD, &method) ||
        method.text.len != first.text.len ||
        memcmp(method.text.at, first.text.at, first.text.len) != 0) { /* [MQTT-4.12.0-5], [MQTT-4.12.1-1] */
        return ADDER_ERR_ARG;
    }
    const adder_err_t err = send_reason(m, AUTH, reason, props);
    if (err == ADDER_OK && m->state == ADDER_MQTT_ON) {
        m->priv.waiting |= WAITS_AUTH;
    }
    return err;
#else
    (void)m;
    (void)reason;
    (void)props;
    return ADDER_ERR_UNSUPPORTED;
#endif
}

adder_err_t adder_mqtt_ping(adder_mqtt_t *m)
{
    if (m->state != ADDER_MQTT_ON) {
        return ADDER_ERR_STATE;
    }
    if ((m->priv.waiting & WAITS_PONG) == 0) {
        uint8_t *p = mqtt_room(m, 2);
        if (p == NULL) {
            return ADDER_ERR_AGAIN;
        }
        p[0] = PINGREQ << 4;
        p[1] = 0;
        m->priv.waiting |= WAITS_PONG;
        m->priv.wait_ms = m->priv.now_ms;
    }
    return ADDER_OK;
}

/* ---- time ---- */

static uint32_t timeout_ms(const adder_mqtt_t *m)
{
    return m->priv.c->timeout_ms != 0 ? m->priv.c->timeout_ms : TIMEOUT_MS;
}

/* How long until an answer is overdue, or a PINGREQ due: in time for the bytes to travel, and also when
 * only we send, so that a server that is gone is seen. UINT32_MAX = never; 0 = now. What comes, and a long
 * payload that gets on, puts it off: the answer may be behind them. */
static uint32_t time_left(const adder_mqtt_t *m, uint32_t now_ms)
{
    const bool quiet = m->state == ADDER_MQTT_ON && (m->priv.waiting & WAITS_PONG) == 0;
    uint32_t since = m->priv.wait_ms, span = timeout_ms(m);
    if (quiet) {
        if (m->server.keep_alive_s == 0) {
            return UINT32_MAX;
        }
        since = m->priv.out_ms;
        span = m->server.keep_alive_s * 750u;
    }
    if (((int32_t)(since - m->priv.in_ms) < 0) != quiet) { /* the older, or for an answer the newer one */
        since = m->priv.in_ms;
    }
    if (m->priv.big_left > 0) {
        since = m->priv.out_ms;
    }
    const uint32_t gone = now_ms - since;
    return gone >= span ? 0 : span - gone;
}

static void watch_time(adder_mqtt_t *m)
{
    if (time_left(m, m->priv.now_ms) > 0) {
        return;
    }
    if (m->state == ADDER_MQTT_CLOSING) {
        m->state = ADDER_MQTT_OVER;
    } else if (m->state == ADDER_MQTT_CONNECTING) {
        mqtt_fail(m, ADDER_MQTT_REASON_SERVER_UNAVAILABLE, ADDER_ERR_TIMEOUT);
    } else if ((m->priv.waiting & WAITS_PONG) != 0) {
        mqtt_fail(m, ADDER_MQTT_REASON_KEEP_ALIVE, ADDER_ERR_TIMEOUT);
    } else if (m->state == ADDER_MQTT_ON) {
        ADDER_IGNORE(adder_mqtt_ping(m), "no room: then something else is leaving, or the next tick tries");
    }
}

adder_err_t adder_mqtt_tick(adder_mqtt_t *m, uint32_t now_ms)
{
    m->priv.now_ms = now_ms;
    if (m->state == ADDER_MQTT_OFF) {
        return ADDER_ERR_STATE;
    }
    if (m->priv.err == ADDER_OK) {
        m->priv.waiting &= (uint8_t)~WAITS_ROOM;
        while (mqtt_receive(m)) {
        }
#if ADDER_MQTT_V5
        mqtt_settle_ids(m);
#endif
        const unsigned at = m->priv.rx_at;
        if (at > 0) {
            memmove(m->priv.c->rx, m->priv.c->rx + at, m->priv.rx_len - at);
            m->priv.rx_len = (uint16_t)(m->priv.rx_len - at);
            m->priv.rx_at = 0;
        }
    }
    if (m->state == ADDER_MQTT_ON) {
        mqtt_flush(m, true);
    }
    watch_time(m);
    return (adder_err_t)m->priv.err;
}

bool adder_mqtt_in(adder_mqtt_t *m, uint8_t **buf_out, size_t *cap_out)
{
    const bool may = m->state != ADDER_MQTT_OFF && m->priv.err == ADDER_OK;
    *buf_out = m->priv.c->rx + m->priv.rx_len;
    *cap_out = may ? (size_t)(m->priv.c->rx_cap - m->priv.rx_len) : 0;
    return *cap_out > 0;
}

void adder_mqtt_in_done(adder_mqtt_t *m, size_t len)
{
    ADDER_ASSERT(len <= (size_t)(m->priv.c->rx_cap - m->priv.rx_len));
    m->priv.rx_len = (uint16_t)(m->priv.rx_len + len);
    m->priv.in_ms = m->priv.now_ms;
}

void adder_mqtt_wants(const adder_mqtt_t *m, uint32_t now_ms, adder_mqtt_wants_t *out)
{
    const bool on = m->state != ADDER_MQTT_OFF && m->state != ADDER_MQTT_OVER;
    out->in = on && m->priv.err == ADDER_OK && m->priv.rx_len < m->priv.c->rx_cap;
    out->out = on && (m->priv.tx_at < m->priv.tx_split || m->priv.big_left > 0);
    out->close = m->state == ADDER_MQTT_OVER;
    out->wait_ms = !on                                                ? UINT32_MAX
                   : !out->out && (m->priv.waiting & WAITS_ROOM) != 0 ? 0
                                                                      : time_left(m, now_ms);
}

/* ---- the beginning ---- */

adder_err_t adder_mqtt_init(adder_mqtt_t *m, const adder_mqtt_config_t *c)
{
    memset(m, 0, sizeof *m);
    if (c->message == NULL || c->event == NULL || c->rx_cap < 64 || c->tx_cap < 64 ||
        (ADDER_MQTT_V5 && c->n_aliases > 0 && (c->aliases == NULL || c->alias_size < 3))) {
        return ADDER_ERR_ARG;
    }
    m->priv.c = c;
    m->priv.next_id = c->first_id != 0 ? c->first_id : 1;
    return ADDER_OK;
}
