/* The sockets' records, and what they hold: slots, local ports, receive buffers. */
#include <string.h>

#include "net_int.h"

/* ---- records ---- */

sock_t *airnet_by_slot(net_t *n, uint8_t slot)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        if (n->priv.socks[i].phase != PHASE_FREE && n->priv.socks[i].slot == slot) {
            return &n->priv.socks[i];
        }
    }
    return NULL;
}

sock_t *airnet_unused(net_t *n)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        if (n->priv.socks[i].phase == PHASE_FREE) {
            return &n->priv.socks[i];
        }
    }
    return NULL;
}

bool airnet_port_used(const net_t *n, adder_net_kind_t kind, uint16_t port)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        const sock_t *s = &n->priv.socks[i];
        const bool holds = s->phase == PHASE_IDLE || s->phase == PHASE_BOUND || s->phase == PHASE_LISTENING;
        if (holds && s->open && s->local_port == port &&
            (s->kind == ADDER_NET_UDP) == (kind == ADDER_NET_UDP)) {
            return true;
        }
    }
    return false;
}

/* RFC 6335: 49152 and up are for this. */
uint16_t airnet_port(net_t *n, adder_net_kind_t kind)
{
    uint16_t port = 49152;
    for (unsigned i = 0; i < 32; i++) {
        port = (uint16_t)(49152 + n->priv.c.random(n->priv.c.random_ctx) % 16384);
        if (!airnet_port_used(n, kind, port)) {
            break;
        }
    }
    return port;
}

void airnet_reap(net_t *n, sock_t *s)
{
    const uint8_t i = airnet_index(n, s);
    if (s->phase == PHASE_FREE || s->open || s->slot != NONE ||
        (n->priv.job != JOB_NONE && n->priv.job_sock == i)) {
        return;
    }
    if (s->phase == PHASE_OFFERED) {
        return;
    }
    airnet_rx_give(n, s);
    airnet_tx_give(n, s);
    airnet_lookup_give(n, i);
    if (n->priv.sequence == i) {
        n->priv.sequence = NONE;
    }
    memset(s, 0, sizeof *s);
    s->slot = s->rx = NONE;
}

void airnet_fail(net_t *n, sock_t *s, adder_err_t why)
{
    if (s->phase != PHASE_DONE) {
        s->phase = PHASE_DONE;
        s->failed = why;
    }
    airnet_tx_give(n, s);
    airnet_lookup_give(n, airnet_index(n, s));
    s->waits_tx = false;
    s->send_us = 0;
}

void airnet_streams_lost(net_t *n, adder_err_t why)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        sock_t *s = &n->priv.socks[i];
        if (s->phase == PHASE_UP || s->phase == PHASE_CONNECTING || s->phase == PHASE_OFFERED) {
            airnet_fail(n, s, why);
        } else if (s->phase == PHASE_BOUND) { /* datagrams that wait are lost */
            airnet_tx_give(n, s);
        }
    }
}

void airnet_chip_restarted(net_t *n)
{
    n->priv.dead = n->priv.held = n->priv.soiled = 0;
    n->priv.dead_client = NONE;
    n->priv.sequence = NONE;
    airnet_streams_lost(n, ADDER_ERR_CLOSED);
    for (unsigned i = 0; i < SOCKETS; i++) {
        sock_t *s = &n->priv.socks[i];
        if (s->phase == PHASE_FREE) {
            continue;
        }
        s->slot = NONE;
        s->send_step = 0;
        if (s->phase == PHASE_BOUND || s->phase == PHASE_LISTENING) { /* set up again */
            s->step = STEP_SLOT;
            s->tries = 0;
            if (s->len == 0) {
                airnet_rx_give(n, s);
            }
        }
        airnet_reap(n, s);
    }
    airnet_link_restarted(n);
}

/* ---- receive buffers ---- */

uint8_t *airnet_rx(net_t *n, const sock_t *s)
{
    return n->priv.c.rx + (size_t)s->rx * n->priv.c.rx_size;
}

uint8_t airnet_rx_free(const net_t *n)
{
    uint8_t count = 0;
    for (unsigned i = 0; i < n->priv.c.rx_count; i++) {
        count = (uint8_t)(count + (n->priv.rx_owner[i] == NONE));
    }
    return count;
}

bool airnet_rx_take(net_t *n, sock_t *s)
{
    for (uint8_t i = 0; i < n->priv.c.rx_count && s->rx == NONE; i++) {
        if (n->priv.rx_owner[i] == NONE) {
            n->priv.rx_owner[i] = airnet_index(n, s);
            s->rx = i;
            s->at = s->len = 0;
        }
    }
    return s->rx != NONE;
}

void airnet_rx_give(net_t *n, sock_t *s)
{
    const bool reading = n->priv.job == JOB_RECV && n->priv.job_sock == airnet_index(n, s);
    if (s->rx != NONE && !reading) {
        n->priv.rx_owner[s->rx] = NONE;
        s->rx = NONE;
        s->at = s->len = 0;
    }
}
