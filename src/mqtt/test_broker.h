/* A broker for the client's tests: one client, a session that lives as long as it, QoS 0, 1 and 2 both ways,
 * 3.1.1 and 5.0, over a pipe in memory. It counts what it got and gave by the number in each payload. To be
 * included behind cmocka's header. */
#ifndef TEST_BROKER_H
#define TEST_BROKER_H

#include <stdio.h>
#include <string.h>

#include "adder/mqtt_client.h"
#include "src/websocket/test_pipe.h"

enum { NUMBERS = 32, OUTBOX = 16 };
enum { OUT_NONE, OUT_NEW, OUT_SENT, OUT_RELEASED };

typedef struct {
    test_pipe_t pipe;
    uint8_t packet[1024]; /* under way from the client */
    size_t packet_len;
    bool connected, has_session, loses_session; /* the last: at the next CONNECT */
    uint8_t version, connack;
    unsigned connects, opens, subscribes, pings;
    uint8_t got[NUMBERS];   /* messages by number */
    uint16_t held[NUMBERS]; /* ids of QoS 2 received, 0 = none */
    struct {
        uint8_t state, qos, number;
        uint16_t id;
    } outbox[OUTBOX];
    char filters[16][16];
    uint8_t qos[16], n_filters, last_batch;
    adder_err_t open_err;
    unsigned order_errors; /* QoS 1 and 2 that came new and out of order */
    uint8_t last_new;
    uint32_t expiry; /* of the last message, its lower half */
} broker_t;

static inline void broker_give(broker_t *b, const uint8_t *bytes, size_t len)
{
    assert_true(test_pipe_give(&b->pipe, bytes, len));
}

static inline void broker_ack(broker_t *b, uint8_t type, uint16_t id)
{
    const uint8_t bytes[4] = {type, 2, (uint8_t)(id >> 8), (uint8_t)id};
    broker_give(b, bytes, 4);
}

/* PUBLISH of topic "in" whose payload is a number. */
static inline void broker_send(broker_t *b, unsigned i, bool dup)
{
    uint8_t p[16] = {(uint8_t)(0x30 | (dup ? 8 : 0) | b->outbox[i].qos << 1), 0, 0, 2, 'i', 'n'};
    size_t n = 6;
    if (b->outbox[i].qos > 0) {
        p[n++] = (uint8_t)(b->outbox[i].id >> 8);
        p[n++] = (uint8_t)b->outbox[i].id;
    }
    if (b->version == 5) {
        p[n++] = 0;
    }
    p[n++] = b->outbox[i].number;
    p[1] = (uint8_t)(n - 2);
    broker_give(b, p, n);
    b->outbox[i].state = b->outbox[i].qos > 0 ? OUT_SENT : OUT_NONE;
}

static inline void broker_post(broker_t *b, uint8_t number, uint8_t qos)
{
    for (unsigned i = 0; i < OUTBOX; i++) {
        if (b->outbox[i].state == OUT_NONE) {
            b->outbox[i].state = OUT_NEW;
            b->outbox[i].qos = qos;
            b->outbox[i].number = number;
            b->outbox[i].id = (uint16_t)(100 + i);
            return;
        }
    }
    assert_true(false);
}

static inline void broker_publish(broker_t *b, const uint8_t *p, const uint8_t *end)
{
    const uint8_t first = p[0], qos = first >> 1 & 3;
    p += 2;
    assert_true(p[-1] < 128);
    p += 2 + (p[0] << 8 | p[1]);
    const uint16_t id = (uint16_t)(qos > 0 ? p[0] << 8 | p[1] : 0);
    p += qos > 0 ? 2 : 0;
    if (b->version == 5) {
        b->expiry = p[0] == 5 && p[1] == 2 ? (uint32_t)(p[4] << 8 | p[5]) : 0;
        p += 1 + p[0];
    }
    assert_int_equal(end - p, 1);
    const uint8_t number = *p;
    assert_true(number < NUMBERS && (qos == 0 || id != 0));
    bool held = false;
    for (unsigned i = 0; i < NUMBERS; i++) {
        held = held || (qos == 2 && b->held[i] == id);
    }
    if (!held) {
        b->order_errors += qos > 0 && number < b->last_new && b->got[number] == 0;
        b->last_new = qos > 0 ? number : b->last_new;
        b->got[number]++;
    }
    for (unsigned i = 0; qos == 2 && !held && i < NUMBERS; i++) {
        if (b->held[i] == 0) {
            b->held[i] = id;
            held = true;
        }
    }
    if (qos > 0) {
        broker_ack(b, qos == 1 ? 0x40 : 0x50, id);
    }
}

static inline void broker_subscribe(broker_t *b, const uint8_t *p, const uint8_t *end)
{
    uint8_t answer[32] = {0x90, 0, p[2], p[3]};
    size_t n = 4;
    assert_true(p[1] < 128);
    p += 4;
    b->subscribes++;
    b->last_batch = 0;
    if (b->version == 5) {
        p += 1 + p[0];
        answer[n++] = 0;
    }
    while (p < end) {
        const unsigned len = (unsigned)(p[0] << 8 | p[1]);
        assert_true(len < 16 && b->n_filters < 16);
        memcpy(b->filters[b->n_filters], p + 2, len);
        b->filters[b->n_filters][len] = 0;
        b->qos[b->n_filters++] = p[2 + len] & 3;
        answer[n++] = p[2 + len] & 3;
        p += 3 + len;
        b->last_batch++;
    }
    answer[1] = (uint8_t)(n - 2);
    broker_give(b, answer, n);
}

static inline void broker_connect(broker_t *b, const uint8_t *p)
{
    const bool clean = (p[9] & 2) != 0;
    assert_memory_equal(p + 2, "\0\4MQTT", 6);
    b->version = p[8];
    if (clean || b->loses_session) {
        b->has_session = false;
        memset(b->held, 0, sizeof b->held);
        memset(b->outbox, 0, sizeof b->outbox);
    }
    const uint8_t answer[5] = {0x20, b->version == 5 ? 3 : 2, b->connack == 0 && b->has_session, b->connack,
                               0};
    broker_give(b, answer, b->version == 5 ? 5 : 4);
    if (b->connack != 0) {
        return;
    }
    b->connects++;
    b->loses_session = false;
    b->connected = true;
    for (unsigned i = 0; b->has_session && i < OUTBOX; i++) { /* [MQTT-4.4.0-1] */
        if (b->outbox[i].state == OUT_SENT) {
            broker_send(b, i, true);
        } else if (b->outbox[i].state == OUT_RELEASED) {
            broker_ack(b, 0x62, b->outbox[i].id);
        }
    }
    b->has_session = !clean;
}

static inline void broker_packet(broker_t *b, const uint8_t *p, const uint8_t *end)
{
    const uint16_t id = (uint16_t)(end - p >= 4 ? p[2] << 8 | p[3] : 0);
    unsigned mine = OUTBOX;
    for (unsigned i = 0; i < OUTBOX; i++) {
        mine = b->outbox[i].state != OUT_NONE && b->outbox[i].id == id ? i : mine;
    }
    assert_int_equal(p[0] >> 4 != 1, b->connected);
    switch (p[0] >> 4) {
    case 1:
        broker_connect(b, p);
        break;
    case 3:
        broker_publish(b, p, end);
        break;
    case 4:
        assert_true(mine < OUTBOX && b->outbox[mine].qos == 1);
        b->outbox[mine].state = OUT_NONE;
        break;
    case 5:
        assert_true(mine < OUTBOX && b->outbox[mine].qos == 2);
        b->outbox[mine].state = OUT_RELEASED;
        broker_ack(b, 0x62, id);
        break;
    case 6:
        for (unsigned i = 0; i < NUMBERS; i++) {
            b->held[i] = b->held[i] == id ? 0 : b->held[i];
        }
        broker_ack(b, 0x70, id);
        break;
    case 7:
        assert_true(mine < OUTBOX && b->outbox[mine].state == OUT_RELEASED);
        b->outbox[mine].state = OUT_NONE;
        break;
    case 8:
        broker_subscribe(b, p, end);
        break;
    case 10: {
        const uint8_t answer[6] = {0xb0, b->version == 5 ? 4 : 2, p[2], p[3], 0, 0};
        broker_give(b, answer, b->version == 5 ? 6 : 4);
        break;
    }
    case 12:
        b->pings++;
        broker_give(b, (const uint8_t *)"\xd0", 2);
        break;
    case 14:
        b->connected = false;
        b->pipe.ended = true;
        break;
    default:
        assert_true(false);
    }
}

/* Look at what came, and send what is new. */
static inline void broker_run(broker_t *b)
{
    assert_true(b->pipe.out_len <= sizeof b->packet - b->packet_len);
    memcpy(b->packet + b->packet_len, b->pipe.out, b->pipe.out_len);
    b->packet_len += b->pipe.out_len;
    b->pipe.out_len = 0;
    size_t at = 0;
    while (b->packet_len - at >= 2) {
        assert_true(b->packet[at + 1] < 128);
        const size_t len = 2u + b->packet[at + 1];
        if (len > b->packet_len - at) {
            break;
        }
        broker_packet(b, b->packet + at, b->packet + at + len);
        at += len;
    }
    memmove(b->packet, b->packet + at, b->packet_len - at);
    b->packet_len -= at;
    for (unsigned i = 0; b->connected && i < OUTBOX; i++) {
        if (b->outbox[i].state == OUT_NEW) {
            broker_send(b, i, false);
        }
    }
}

/* ---- as a transport ---- */

static inline adder_err_t broker_open(void *ctx, uint32_t now_ms)
{
    broker_t *b = ctx;
    (void)now_ms;
    b->opens++;
    b->pipe.in_at = b->pipe.in_len = b->pipe.out_len = b->packet_len = 0;
    b->pipe.failed = b->pipe.ended = b->connected = false;
    return b->open_err;
}

static inline adder_err_t broker_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    (void)ctx;
    (void)now_ms;
    *wait_ms_out = 0;
    return ADDER_OK;
}

static inline adder_stream_t broker_stream(void *ctx)
{
    return test_pipe_stream(&((broker_t *)ctx)->pipe);
}

static inline void broker_close(void *ctx, bool abort)
{
    broker_t *b = ctx;
    if (!abort || b->opens % 2 == 1) { /* what was sent before may still arrive */
        broker_run(b);
    }
    b->connected = false;
    b->pipe.out_len = 0;
}

static inline adder_mqtt_transport_t broker_transport(broker_t *b)
{
    static const adder_mqtt_transport_ops_t ops = {broker_open, broker_tick, broker_stream, broker_close};
    return (adder_mqtt_transport_t){&ops, b};
}

#endif
