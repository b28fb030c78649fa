/* What UDP sockets need from the chip.
 *
 * A slot has one place for an address, which the peer is written to and into which the firmware puts where a
 * datagram came from, whenever one comes. So in sending the peer is set first, and looked at again when
 * GPIO0 says that something has come meanwhile: a datagram must not go to whoever wrote last. In receiving
 * the address is read before the bytes, for as long as bytes are left no other datagram is fetched. */
#include <string.h>

#include "net_int.h"

enum { SEND_PEER, SEND_ADD, SEND_WHO, SEND_EMIT };

/* Firmware 1.x and 2.x keep a datagram that has come and was not read over the end of its socket, and fetch
 * one whenever they look at GPIO0: the slot's next one would get it. That one reads it away first. */
static bool is_soiled(const net_t *n, const sock_t *s)
{
    return (n->priv.soiled >> s->slot & 1u) != 0;
}

static void clean(net_t *n, sock_t *s)
{
    n->priv.soiled &= (uint16_t) ~(1u << s->slot);
    s->step = STEP_READY;
    airnet_poll_reset(n, s);
}

/* The slot and what was in it are in doubt: another one. A datagram may be lost, which they may. */
static void renew(net_t *n, sock_t *s)
{
    s->len = 0;
    airnet_rx_give(n, s);
    airnet_tx_give(n, s);
    s->send_step = SEND_PEER;
    s->send_us = 0;
    s->step = STEP_GONE;
}

net_job_t airnet_udp_need(net_t *n, sock_t *s, uint64_t *due_us)
{
    *due_us = 0;
    if (s->step == STEP_GONE) {
        *due_us = s->send_us;
        return JOB_STOP;
    }
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        *due_us = NEVER;
        return JOB_NONE;
    }
    switch (s->step) {
    case STEP_SLOT:
        return JOB_SLOT;
    case STEP_START:
        return JOB_LISTEN;
    case STEP_CHECK:
        *due_us = s->poll_us;
        return JOB_AVAILABLE;
    case STEP_FROM:
        return JOB_REMOTE;
    case STEP_RECV:
        return JOB_RECV;
    default:
        break;
    }
    static const uint8_t sending[] = {JOB_PEER, JOB_ADD, JOB_WHO, JOB_EMIT};
    const bool waits = airnet_tx_of(n, s) != NULL;
    const uint64_t recv = airnet_recv_due(n, s);
    if (s->send_step != SEND_PEER || (waits && !(s->flip && recv <= n->priv.now_us))) {
        return (net_job_t)sending[s->send_step];
    }
    *due_us = recv;
    return recv == NEVER ? JOB_NONE : JOB_AVAILABLE;
}

adder_err_t airnet_udp_begin(net_t *n, sock_t *s, net_job_t job)
{
    adder_airlift_t *a = &n->priv.chip;
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    switch (job) {
    case JOB_LISTEN:
        return adder_airlift_begin_listen(a, s->slot, NULL, s->local_port, ADDER_AIRLIFT_UDP);
    case JOB_PEER:
        return adder_airlift_begin_connect(a, s->slot, t->ip, t->port, ADDER_AIRLIFT_UDP);
    case JOB_ADD:
        return adder_airlift_begin_add_datagram(a, s->slot, airnet_tx_bytes(n, t), t->len);
    case JOB_EMIT:
        return adder_airlift_begin_send_datagram(a, s->slot);
    case JOB_AVAILABLE:
        s->flip = false;
        return adder_airlift_begin_available(a, s->slot, false);
    default: /* whose: before sending, or of what came */
        return adder_airlift_begin_remote(a, s->slot);
    }
}

static void listen_done(net_t *n, sock_t *s, adder_err_t err)
{
    n->priv.sequence = NONE;
    if (err == ADDER_OK) {
        s->step = is_soiled(n, s) ? STEP_CHECK : STEP_READY;
        s->tries = 0;
        s->send_step = SEND_PEER;
        airnet_poll_reset(n, s);
    } else if (airnet_answered(err) && s->any_port && ++s->tries < TRIES) {
        s->local_port = airnet_port(n, ADDER_NET_UDP);
    } else if (airnet_answered(err)) {
        airnet_fail(n, s, ADDER_ERR_IN_USE);
    } else if (err != ADDER_ERR_CLOSED && ++s->tries < TRIES) {
        s->step = STEP_GONE;
    } else if (err != ADDER_ERR_CLOSED) {
        airnet_fail(n, s, err);
    }
}

static bool still_to(const net_t *n, const adder_airlift_net_tx_t *t)
{
    const adder_airlift_result_t *r = &n->priv.chip.result;
    return memcmp(r->ip4[0], t->ip, 4) == 0 && r->port == t->port;
}

static void send_done(net_t *n, sock_t *s, net_job_t job)
{
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    switch (job) {
    case JOB_PEER: /* an empty datagram is not added to */
        s->send_step = t->len > 0 ? SEND_ADD : SEND_WHO;
        break;
    case JOB_ADD:
        s->send_step = SEND_WHO;
        break;
    case JOB_WHO:
        s->send_step = still_to(n, t) || s->tries >= TRIES ? SEND_EMIT : SEND_PEER;
        s->tries++;
        return;
    default:
        s->send_step = SEND_PEER;
        s->tries = 0;
        s->flip = true;
        airnet_tx_give(n, s);
        airnet_poll_reset(n, s);
        return;
    }
    if (s->send_step == SEND_WHO && airnet_wired(n)) { /* nothing has come: nothing was overwritten */
        bool high = true;
        ADDER_IGNORE(adder_airlift_data_flag(&n->priv.chip, &high), "then it is asked");
        s->send_step = high ? SEND_WHO : SEND_EMIT;
    }
}

static void available_done(net_t *n, sock_t *s)
{
    const int64_t waiting = n->priv.chip.result.number;
    if (waiting == 0 && s->step == STEP_CHECK) {
        clean(n, s);
        return;
    }
    if (waiting == 0 || (s->step == STEP_CHECK && airnet_rx_free(n) == 0)) {
        airnet_poll_later(n, s);
        return;
    }
    if ((size_t)waiting > n->priv.c.rx_size || !airnet_rx_take(n, s)) {
        renew(n, s);
        return;
    }
    s->datagram = (uint16_t)waiting;
    s->step = STEP_FROM;
}

static void recv_done(net_t *n, sock_t *s)
{
    const size_t len = n->priv.chip.result.len;
    s->step = STEP_READY;
    airnet_poll_reset(n, s);
    if (len != s->datagram) {
        renew(n, s);
        return;
    }
    if (is_soiled(n, s)) { /* it may be the last socket's, and is lost */
        airnet_rx_give(n, s);
        clean(n, s);
        return;
    }
    const bool stranger =
        s->peered && (memcmp(s->from_ip, s->peer_ip, 4) != 0 || s->from_port != s->peer_port);
    if (!s->open || stranger) {
        airnet_rx_give(n, s);
        return;
    }
    s->len = (uint16_t)len;
    s->at = 0;
    s->want = false;
}

void airnet_udp_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err)
{
    if (job == JOB_LISTEN) {
        listen_done(n, s, err);
        return;
    }
    if (err == ADDER_ERR_CLOSED) {
        return; /* the chip was reset; it is bound anew */
    }
    if (err == ADDER_ERR_REFUSED && job == JOB_EMIT) {
        err = ADDER_OK; /* not sent: as one that is lost on its way */
    }
    if (err != ADDER_OK) {
        renew(n, s);
        return;
    }
    switch (job) {
    case JOB_AVAILABLE:
        available_done(n, s);
        break;
    case JOB_REMOTE:
        memcpy(s->from_ip, n->priv.chip.result.ip4[0], 4);
        s->from_port = n->priv.chip.result.port;
        s->step = STEP_RECV;
        break;
    case JOB_RECV:
        recv_done(n, s);
        break;
    default:
        if (airnet_tx_of(n, s) == NULL) {
            renew(n, s);
            return;
        }
        send_done(n, s, job);
        break;
    }
}
