/* A broker for tests that keeps its word to the letter, 3.1.1 and 5.0: what it acknowledges it has kept
 * before, and everything that a client may not do is counted in `breaches`. Bytes in, bytes out.
 *
 *     strict_broker_t b = {.keep = write_it_down, ...};       // b.kept is the state that must survive
 *     strict_accept(&b, 0);
 *     if (!strict_take(&b, 0, bytes, len)) ...                // close the connection
 *     send(b.conns[0].out, b.conns[0].out_len)                // and set out_len to 0
 *
 * `kept` holds no pointers: a copy of it taken by `keep` is a broker's whole memory, and a broker that was
 * killed at any moment goes on from the last one. A QoS 2 message is routed when it comes and its id is held
 * until PUBREL (4.3.3, method B). Routes go to the sessions' queues, in the order in which messages came. */
#ifndef TEST_STRICT_BROKER_H
#define TEST_STRICT_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    STRICT_SESSIONS = 2,
    STRICT_CONNS = 6,
    STRICT_QUEUE = 160,
    STRICT_PAYLOAD = 200,
    STRICT_HELD = 64,
    STRICT_WINDOW = 16, /* messages on their way to a client; less where its receive maximum is */
    STRICT_IN = 1024,
    STRICT_OUT = 8192,
    STRICT_ROOM = 1024, /* of out: nothing more is sent, nor a packet looked at, with less */
};

enum { STRICT_NEW, STRICT_SENT, STRICT_RELEASED };

typedef struct {
    uint8_t state, qos;
    uint16_t id;
    char topic[12];
    uint16_t len;
    uint8_t payload[STRICT_PAYLOAD];
} strict_message_t;

typedef struct {
    char client[12]; /* "" = free */
    uint16_t next_id, n;
    strict_message_t queue[STRICT_QUEUE];
    uint16_t held[STRICT_HELD]; /* ids of QoS 2 received, 0 = none */
    char filters[4][12];        /* a topic, or one that ends in # */
    uint8_t qos[4];
} strict_session_t;

typedef struct {
    uint32_t breaches;
    char why[48]; /* the first of them */
    strict_session_t sessions[STRICT_SESSIONS];
} strict_kept_t;

typedef struct {
    bool open;
    strict_session_t *session; /* after CONNECT */
    uint8_t version;
    uint16_t receive_max;
    size_t in_len, out_len;
    uint8_t in[STRICT_IN], out[STRICT_OUT];
} strict_conn_t;

typedef struct {
    strict_kept_t kept;
    strict_conn_t conns[STRICT_CONNS];
    bool (*keep)(void *ctx); /* NULL = `kept` is safe as it is; false: the power went */
    /* A message that is new has come: once for QoS 2. NULL: nobody asks. */
    void (*routed)(void *ctx, const strict_message_t *m);
    void *ctx;
} strict_broker_t;

static inline bool strict_breach(strict_broker_t *b, const char *why)
{
    if (b->kept.breaches++ == 0) {
        const size_t len = strlen(why);
        memcpy(b->kept.why, why, len < sizeof b->kept.why ? len : sizeof b->kept.why - 1);
    }
    return false;
}

static inline bool strict_keep(strict_broker_t *b)
{
    return b->keep == NULL || b->keep(b->ctx);
}

static inline void strict_give(strict_conn_t *c, const void *bytes, size_t len)
{
    memcpy(c->out + c->out_len, bytes, len); /* STRICT_ROOM is left for it */
    c->out_len += len;
}

static inline bool strict_ack(strict_conn_t *c, uint8_t type, uint16_t id)
{
    const uint8_t bytes[4] = {type, 2, (uint8_t)(id >> 8), (uint8_t)id};
    strict_give(c, bytes, 4);
    return true;
}

/* ---- to a client ---- */

static inline void strict_send(strict_conn_t *c, const strict_message_t *m, bool dup)
{
    uint8_t p[STRICT_PAYLOAD + 32];
    const size_t topic = strlen(m->topic);
    const size_t rest = 2 + topic + 2 + (c->version == 5) + m->len;
    size_t n = 0;
    p[n++] = (uint8_t)(0x30 | (dup ? 8 : 0) | m->qos << 1);
    if (rest > 127) {
        p[n++] = (uint8_t)(rest & 127) | 128;
    }
    p[n++] = (uint8_t)(rest > 127 ? rest >> 7 : rest);
    p[n++] = 0;
    p[n++] = (uint8_t)topic;
    memcpy(p + n, m->topic, topic);
    n += topic;
    p[n++] = (uint8_t)(m->id >> 8);
    p[n++] = (uint8_t)m->id;
    if (c->version == 5) {
        p[n++] = 0;
    }
    memcpy(p + n, m->payload, m->len);
    strict_give(c, p, n + m->len);
}

static inline strict_message_t *strict_find(strict_session_t *s, uint16_t id)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->queue[i].id == id && s->queue[i].state != STRICT_NEW) {
            return &s->queue[i];
        }
    }
    return NULL;
}

static inline void strict_drop(strict_session_t *s, strict_message_t *m)
{
    s->n--;
    memmove(m, m + 1, (size_t)(s->queue + s->n - m) * sizeof *m);
}

/* What is new and may be on its way. False: the power went. */
static inline bool strict_flush(strict_broker_t *b, strict_conn_t *c)
{
    strict_session_t *s = c->session;
    unsigned under_way = 0;
    for (unsigned i = 0; s != NULL && i < s->n; i++) {
        strict_message_t *m = &s->queue[i];
        if (m->state == STRICT_NEW && under_way < STRICT_WINDOW && under_way < c->receive_max &&
            sizeof c->out - c->out_len >= STRICT_ROOM) {
            do {
                s->next_id = s->next_id == UINT16_MAX ? 1 : (uint16_t)(s->next_id + 1);
            } while (strict_find(s, s->next_id) != NULL);
            m->id = s->next_id;
            m->state = STRICT_SENT;
            if (!strict_keep(b)) {
                return false;
            }
            strict_send(c, m, false);
        }
        under_way += m->state != STRICT_NEW;
    }
    return true;
}

/* ---- from a client ---- */

static inline bool strict_matches(const char *filter, const char *topic)
{
    const size_t n = strlen(filter);
    return n > 0 && (filter[n - 1] == '#' ? strncmp(filter, topic, n - 1) == 0 : strcmp(filter, topic) == 0);
}

static inline bool strict_route(strict_broker_t *b, const strict_message_t *m)
{
    for (unsigned i = 0; i < STRICT_SESSIONS; i++) {
        strict_session_t *s = &b->kept.sessions[i];
        for (unsigned f = 0; f < 4; f++) {
            if (strict_matches(s->filters[f], m->topic)) {
                if (s->n == STRICT_QUEUE) {
                    return strict_breach(b, "the test sends more than a queue takes");
                }
                strict_message_t *copy = &s->queue[s->n++];
                *copy = *m;
                copy->state = STRICT_NEW;
                copy->id = 0;
                copy->qos = m->qos < s->qos[f] ? m->qos : s->qos[f];
                break;
            }
        }
    }
    if (b->routed != NULL) {
        b->routed(b->ctx, m);
    }
    return true;
}

static inline uint16_t *strict_held(strict_session_t *s, uint16_t id)
{
    for (unsigned i = 0; i < STRICT_HELD; i++) {
        if (s->held[i] == id) {
            return &s->held[i];
        }
    }
    return NULL;
}

static inline bool strict_publish(strict_broker_t *b, strict_conn_t *c, uint8_t first, const uint8_t *p,
                                  const uint8_t *end)
{
    strict_message_t m = {.qos = first >> 1 & 3};
    const size_t topic = (size_t)(end - p) >= 4 ? (size_t)(p[0] << 8 | p[1]) : SIZE_MAX;
    if (topic == 0 || topic >= sizeof m.topic || (size_t)(end - p) < topic + 5 || m.qos == 0 || m.qos == 3) {
        return strict_breach(b, "a PUBLISH that is none of the test's");
    }
    memcpy(m.topic, p + 2, topic);
    p += 2 + topic;
    const uint16_t id = (uint16_t)(p[0] << 8 | p[1]);
    p += 2;
    p += c->version == 5 ? 1 + p[0] : 0;
    if (id == 0 || p > end || end - p > STRICT_PAYLOAD) {
        return strict_breach(b, "a PUBLISH without id, or too long");
    }
    m.len = (uint16_t)(end - p);
    memcpy(m.payload, p, m.len);
    uint16_t *held = strict_held(c->session, id);
    if (m.qos == 1 && held != NULL) {
        return strict_breach(b, "QoS 1 under an id of QoS 2 that is not released");
    }
    if (held != NULL) { /* [MQTT-4.3.3-10] */
        return (first & 8) != 0 ? strict_ack(c, 0x50, id)
                                : strict_breach(b, "PUBLISH again without DUP"); /* [MQTT-3.3.1-1] */
    }
    if (m.qos == 2) {
        held = strict_held(c->session, 0);
        if (held == NULL) {
            return strict_breach(b, "more QoS 2 on its way than can be");
        }
        *held = id;
    }
    return strict_route(b, &m) && strict_keep(b) && strict_ack(c, m.qos == 1 ? 0x40 : 0x50, id);
}

/* PUBACK, PUBREC, PUBREL, PUBCOMP. */
static inline bool strict_acked(strict_broker_t *b, strict_conn_t *c, uint8_t type, uint16_t id)
{
    strict_message_t *m = strict_find(c->session, id);
    uint16_t *held = strict_held(c->session, id);
    switch (type) {
    case 4:
    case 7:
        if (id == 0 || m == NULL || m->qos != (type == 4 ? 1 : 2) ||
            m->state != (type == 4 ? STRICT_SENT : STRICT_RELEASED)) {
            return strict_breach(b, type == 4 ? "PUBACK for nothing" : "PUBCOMP for nothing");
        }
        strict_drop(c->session, m);
        return strict_keep(b);
    case 5:
        if (id == 0 || m == NULL || m->qos != 2 || m->state != STRICT_SENT) {
            return strict_breach(b, "PUBREC for nothing");
        }
        m->state = STRICT_RELEASED;
        return strict_keep(b) && strict_ack(c, 0x62, id);
    default:
        if (id == 0) {
            return strict_breach(b, "PUBREL without id");
        }
        if (held != NULL) {
            *held = 0;
        }
        return strict_keep(b) && strict_ack(c, 0x70, id);
    }
}

static inline bool strict_subscribe(strict_broker_t *b, strict_conn_t *c, const uint8_t *p,
                                    const uint8_t *end)
{
    uint8_t answer[16] = {0x90, 0, p[0], p[1]};
    size_t n = 4;
    p += 2;
    if (c->version == 5) {
        p += 1 + p[0];
        answer[n++] = 0;
    }
    while (p < end) {
        const size_t len = (size_t)(p[0] << 8 | p[1]);
        unsigned f = 0;
        while (f < 4 && c->session->filters[f][0] != 0 &&
               (strlen(c->session->filters[f]) != len || memcmp(c->session->filters[f], p + 2, len) != 0)) {
            f++;
        }
        if (f == 4 || len == 0 || len >= sizeof c->session->filters[f]) {
            return strict_breach(b, "SUBSCRIBE to what the test has not");
        }
        memcpy(c->session->filters[f], p + 2, len);
        c->session->qos[f] = p[2 + len] & 3;
        answer[n++] = p[2 + len] & 3;
        p += 3 + len;
    }
    answer[1] = (uint8_t)(n - 2);
    if (!strict_keep(b)) {
        return false;
    }
    strict_give(c, answer, n);
    return true;
}

/* The session of a client id: an old one (`*present`) or a fresh one; NULL: there are too many. */
static inline strict_session_t *strict_session(strict_broker_t *b, const uint8_t *id, size_t len, bool clean,
                                               bool *present)
{
    strict_session_t *found = NULL;
    *present = false;
    for (unsigned i = 0; i < STRICT_SESSIONS && !*present; i++) {
        strict_session_t *s = &b->kept.sessions[i];
        *present = len < sizeof s->client && strlen(s->client) == len && memcmp(s->client, id, len) == 0;
        found = *present || (found == NULL && s->client[0] == 0) ? s : found;
    }
    if (found == NULL || len == 0 || len >= sizeof found->client) {
        return NULL;
    }
    if (clean || !*present) {
        *present = false;
        memset(found, 0, sizeof *found);
        memcpy(found->client, id, len);
    }
    return found;
}

static inline bool strict_connect(strict_broker_t *b, strict_conn_t *c, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 12 || memcmp(p, "\0\4MQTT", 6) != 0 || (p[6] != 4 && p[6] != 5)) {
        return strict_breach(b, "not a CONNECT");
    }
    const bool clean = (p[7] & 2) != 0;
    bool present;
    c->version = p[6];
    c->receive_max = UINT16_MAX;
    p += 10;
    if (c->version == 5) { /* numbers only */
        const uint8_t *props_end = p + 1 + p[0];
        for (p++; p < props_end;) {
            if (*p == 0x21) {
                c->receive_max = (uint16_t)(p[1] << 8 | p[2]);
            }
            p += *p == 0x21 || *p == 0x22 ? 3 : 5;
        }
    }
    strict_session_t *s = strict_session(b, p + 2, (size_t)(p[0] << 8 | p[1]), clean, &present);
    if (s == NULL) {
        return strict_breach(b, "a client id that is none of the test's");
    }
    for (unsigned i = 0; i < STRICT_CONNS; i++) { /* [MQTT-3.1.4-2] */
        if (b->conns[i].session == s) {
            b->conns[i].open = false;
            b->conns[i].session = NULL;
        }
    }
    c->session = s;
    if (!strict_keep(b)) {
        return false;
    }
    const uint8_t answer[5] = {0x20, c->version == 5 ? 3 : 2, present, 0, 0};
    strict_give(c, answer, c->version == 5 ? 5 : 4);
    for (unsigned i = 0; i < s->n; i++) { /* [MQTT-4.4.0-1] */
        if (s->queue[i].state == STRICT_SENT) {
            strict_send(c, &s->queue[i], true);
        } else if (s->queue[i].state == STRICT_RELEASED) {
            strict_ack(c, 0x62, s->queue[i].id);
        }
    }
    return true;
}

static inline bool strict_packet(strict_broker_t *b, strict_conn_t *c, uint8_t first, const uint8_t *p,
                                 const uint8_t *end)
{
    const uint8_t type = first >> 4;
    if ((type == 1) != (c->session == NULL)) {
        return strict_breach(b, "CONNECT must come first, and once");
    }
    if (((type >= 4 && type <= 7) || type == 8) && end - p < 2) {
        return strict_breach(b, "a packet without its id");
    }
    switch (type) {
    case 1:
        return strict_connect(b, c, p, end);
    case 3:
        return strict_publish(b, c, first, p, end);
    case 4:
    case 5:
    case 6:
    case 7:
        return strict_acked(b, c, type, (uint16_t)(p[0] << 8 | p[1]));
    case 8:
        return strict_subscribe(b, c, p, end);
    case 12:
        strict_give(c, "\xd0", 2);
        return true;
    case 14:
        return false;
    default:
        return strict_breach(b, "a packet that no client sends here");
    }
}

/* ---- connections ---- */

static inline void strict_accept(strict_broker_t *b, unsigned at)
{
    memset(&b->conns[at], 0, sizeof b->conns[at]);
    b->conns[at].open = true;
}

/* Look at what came (none: send on), as far as `out` has room. False: close the connection; what lies in
 * `out` may still leave. */
static inline bool strict_take(strict_broker_t *b, unsigned at, const uint8_t *bytes, size_t len)
{
    strict_conn_t *c = &b->conns[at];
    if (len > 0) {
        memcpy(c->in + c->in_len, bytes, len); /* the caller looks at sizeof in - in_len */
    }
    c->in_len += len;
    size_t pos = 0;
    bool ok = c->open;
    while (ok && c->in_len - pos >= 2 && sizeof c->out - c->out_len >= STRICT_ROOM) {
        const uint8_t *p = c->in + pos;
        const bool wide = p[1] > 127;
        const size_t head = wide ? 3 : 2;
        const size_t rest = wide && c->in_len - pos >= 3 ? (size_t)((p[1] & 127) | p[2] << 7) : p[1];
        if (c->in_len - pos < head || c->in_len - pos < head + rest) {
            break;
        }
        ok = strict_packet(b, c, p[0], p + head, p + head + rest) && c->open;
        pos += head + rest;
    }
    memmove(c->in, c->in + pos, c->in_len - pos);
    c->in_len -= pos;
    ok = ok && strict_flush(b, c);
    if (!ok) {
        c->open = false;
        c->session = NULL;
    }
    return ok;
}

#endif
