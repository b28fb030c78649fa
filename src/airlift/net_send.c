/* Transmit buffers, and the pace of sending.
 *
 * Firmware 1.x hands what it is given to lwIP, whose send buffer takes 5744 bytes until the peer has
 * acknowledged some. When there is no room at all it closes the connection. It tells nothing about the room
 * but this: a count below what was offered means that now there is none. So frames leave `ack_us` apart, the
 * time in which all of them is taken to be acknowledged, of those in less time no more go than fit, and the
 * last byte of room is never used. ack_us starts at what the connect took, which was a round trip; it
 * is tried to be less where that is short, and doubled after each count that fell short, which is followed by
 * a pause. */
#include <string.h>

#include "net_int.h"

enum {
    WINDOW = 5744,
    NEAR_US = 3 * MS, /* a peer this near acknowledges faster than frames follow */
    ACK_MIN_US = 5 * MS,
    ACCEPTED_US = 20 * MS, /* of what connected to us nothing is known */
    ACK_MAX_US = 2 * S,
    PAUSE_US = 1 * S, /* after the buffer was full: any peer acknowledges something meanwhile */
    PAUSE_MAX_US = 5 * S,
    CALM = 64,            /* frames without trouble, before less is tried */
    FULL_MIN_US = 5 * MS, /* 2.x on, TLS: nothing taken, try again */
    FULL_MAX_US = 100 * MS,
    TURN_US = 20 * MS, /* how long a buffer waits for whom it was promised */
};

/* ---- buffers ---- */

adder_airlift_net_tx_t *airnet_tx_of(net_t *n, const sock_t *s)
{
    const uint8_t me = airnet_index(n, s);
    for (unsigned i = 0; i < n->priv.c.tx_count; i++) {
        if (n->priv.tx[i].owner == me) {
            return &n->priv.tx[i];
        }
    }
    return NULL;
}

uint8_t *airnet_tx_bytes(net_t *n, const adder_airlift_net_tx_t *t)
{
    return n->priv.c.tx + (size_t)(t - n->priv.tx) * n->priv.c.tx_size;
}

bool airnet_tx_others_wait(const net_t *n, const sock_t *s)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        const sock_t *o = &n->priv.socks[i];
        if (o != s && o->open && o->waits_tx) {
            return true;
        }
    }
    return false;
}

adder_err_t airnet_tx_take(net_t *n, sock_t *s, adder_airlift_net_tx_t **out)
{
    const uint8_t me = airnet_index(n, s);
    const bool promised =
        n->priv.reserved != NONE && n->priv.reserved != me && n->priv.now_us < n->priv.reserved_us;
    unsigned spare = 0;
    for (unsigned i = 0; i < n->priv.c.tx_count; i++) {
        if (n->priv.tx[i].owner == NONE) {
            *out = &n->priv.tx[i];
            spare++;
        }
    }
    if (spare < (promised ? 2u : 1u)) {
        s->waits_tx = true;
        return ADDER_ERR_AGAIN;
    }
    if (n->priv.reserved == me) {
        n->priv.reserved = NONE;
    }
    s->waits_tx = false;
    **out = (adder_airlift_net_tx_t){.owner = me};
    return ADDER_OK;
}

/* Free the socket's buffer and promise it to whoever waits, in turn. */
void airnet_tx_give(net_t *n, const sock_t *s)
{
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    const uint8_t me = airnet_index(n, s);
    if (n->priv.reserved == me) {
        n->priv.reserved = NONE;
    }
    const bool borrowed = (n->priv.job == JOB_SEND || n->priv.job == JOB_ADD) && n->priv.job_sock == me;
    if (t == NULL || borrowed) { /* then when the command has ended */
        return;
    }
    t->owner = NONE;
    t->len = 0;
    for (unsigned k = 1; k < SOCKETS; k++) {
        const uint8_t i = (uint8_t)((me + k) % SOCKETS);
        if (n->priv.socks[i].open && n->priv.socks[i].waits_tx) {
            n->priv.reserved = i;
            n->priv.reserved_us = airnet_later(n, TURN_US);
            n->priv.socks[i].waits_tx = false;
            return;
        }
    }
}

/* ---- pace ---- */

static bool paced(const net_t *n, const sock_t *s)
{
    return n->priv.chip.firmware.major < 2 && s->kind == ADDER_NET_TCP;
}

static uint16_t frame_len(const sock_t *s, const adder_airlift_net_tx_t *t)
{
    const uint16_t max = ADDER_AIRLIFT_SEND_MAX;
    return s->frozen != 0 && s->frozen <= t->len ? s->frozen : t->len < max ? t->len : max;
}

static bool acknowledged(const net_t *n, const sock_t *s)
{
    return n->priv.now_us - s->sent_us >= s->ack_us;
}

uint64_t airnet_send_due(net_t *n, sock_t *s)
{
    const adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    if (t == NULL || t->len == 0) {
        return NEVER;
    }
    if (!paced(n, s) || acknowledged(n, s) || s->queued + frame_len(s, t) < WINDOW) {
        return s->send_us;
    }
    const uint64_t due = s->sent_us + s->ack_us;
    return due > s->send_us ? due : s->send_us;
}

adder_err_t airnet_send_begin(net_t *n, sock_t *s)
{
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    const uint16_t len = frame_len(s, t);
    s->datagram = len; /* how much was offered */
    s->flip = true;
    return adder_airlift_begin_send(&n->priv.chip, s->slot, airnet_tx_bytes(n, t), len);
}

static void adapt(net_t *n, sock_t *s, uint16_t count, bool all)
{
    s->queued = acknowledged(n, s) ? count : (uint16_t)(s->queued + count);
    s->sent_us = n->priv.now_us;
    if (!all) { /* full, to the last byte */
        s->steady = true;
        s->calm = 0;
        s->queued = WINDOW;
        s->ack_us = airnet_double(s->ack_us, ACK_MIN_US, ACK_MAX_US);
        s->send_gap_us = airnet_double(s->send_gap_us, PAUSE_US, PAUSE_MAX_US);
        s->send_us = airnet_later(n, s->send_gap_us);
        return;
    }
    s->send_gap_us = 0;
    if (!s->steady && count > WINDOW / 2) {
        s->ack_us = s->ack_us > MS ? s->ack_us / 2 : 0;
    } else if (++s->calm >= CALM) {
        s->calm = 0;
        s->ack_us -= s->ack_us / 8;
    }
}

void airnet_connected(net_t *n, sock_t *s)
{
    const uint64_t took = n->priv.now_us - n->priv.began_us;
    s->phase = PHASE_UP;
    s->step = STEP_READY;
    s->steady = false;
    if (s->parent != NONE) {
        s->ack_us = ACCEPTED_US;
    } else if (took > NEAR_US) {
        s->ack_us = took < ACK_MAX_US ? (uint32_t)took + (uint32_t)took / 4 : ACK_MAX_US;
        s->steady = true;
    } else {
        s->ack_us = 0;
    }
    s->sent_us = 0;
    s->queued = 0;
    airnet_poll_reset(n, s);
}

void airnet_send_done(net_t *n, sock_t *s, adder_err_t err)
{
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    const uint16_t offered = s->datagram;
    if (err != ADDER_OK) {
        airnet_fail(n, s, airnet_answered(err) ? ADDER_ERR_CLOSED : err);
        return;
    }
    const int64_t count = n->priv.chip.result.number;
    if (t == NULL || count > offered) {
        airnet_fail(n, s, t == NULL ? ADDER_ERR_CLOSED : ADDER_ERR_IO);
        return;
    }
    if (count == 0 && paced(n, s)) {
        airnet_fail(n, s, ADDER_ERR_CLOSED); /* as the chip has */
        return;
    }
    if (count == 0) { /* full, or gone; TLS must offer the same again, or it counts bytes it does not have */
        s->frozen = s->kind == ADDER_NET_TLS ? offered : 0;
        s->send_gap_us = airnet_double(s->send_gap_us, FULL_MIN_US, FULL_MAX_US);
        s->send_us = airnet_later(n, s->send_gap_us);
        s->step = STEP_STATE;
        return;
    }
    s->frozen = 0;
    uint8_t *bytes = airnet_tx_bytes(n, t);
    t->len = (uint16_t)(t->len - count);
    memmove(bytes, bytes + count, t->len);
    if (paced(n, s)) {
        adapt(n, s, (uint16_t)count, count == offered);
    } else {
        s->send_gap_us = 0;
        s->send_us = 0;
    }
    if (t->len == 0) {
        airnet_tx_give(n, s);
    }
    airnet_poll_reset(n, s); /* an answer may follow */
}
