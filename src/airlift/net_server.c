/* What listeners need from the chip, and servers nobody has any more.
 *
 * 2Bh on a server's slot names the slot of a client of it: of a new one, to which the firmware has just given
 * its lowest free slot, or of one that we have and that has bytes waiting. There is no command to stop a
 * server. The slot of one whose listener was closed can never be anything else until the chip restarts: it is
 * looked at now and then, to close the connections that somebody makes to it. */
#include <string.h>

#include "net_int.h"

enum { NO_CLIENT = 255 };

/* ---- listeners ---- */

/* Take over a server that nobody has: of the same port, or (`any`) whichever, to be started again. */
bool airnet_server_revive(net_t *n, sock_t *s, bool any)
{
    for (uint8_t i = 0; i < ADDER_AIRLIFT_SLOTS_MAX; i++) {
        if ((n->priv.dead >> i & 1u) != 0 && (any || n->priv.dead_port[i] == s->local_port)) {
            n->priv.dead &= (uint16_t) ~(1u << i);
            s->slot = i;
            s->step = any ? STEP_START : STEP_CHECK;
            return true;
        }
    }
    return false;
}

/* The listener goes, the server stays. */
void airnet_server_bury(net_t *n, sock_t *s)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        sock_t *child = &n->priv.socks[i];
        if (child->phase == PHASE_OFFERED && child->parent == airnet_index(n, s)) {
            airnet_fail(n, child, ADDER_ERR_CLOSED);
        }
    }
    if (s->slot != NONE && s->step >= STEP_START) {
        n->priv.dead |= (uint16_t)(1u << s->slot);
        n->priv.dead_port[s->slot] = s->local_port;
        s->slot = NONE;
    }
    airnet_fail(n, s, ADDER_ERR_CLOSED);
}

net_job_t airnet_server_need(net_t *n, sock_t *s, uint64_t *due_us)
{
    *due_us = 0;
    if (s->phase == PHASE_OFFERED) {
        return s->step == STEP_FROM ? JOB_REMOTE : JOB_NONE;
    }
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        return JOB_NONE;
    }
    switch (s->step) {
    case STEP_SLOT:
        if (airnet_server_revive(n, s, false)) {
            return JOB_LISTENING;
        }
        return JOB_SLOT;
    case STEP_START:
        return JOB_LISTEN;
    case STEP_CHECK:
        return JOB_LISTENING;
    default:
        break;
    }
    if (!s->want || airnet_unused(n) == NULL || (airnet_wired(n) && !n->priv.gpio0_high)) {
        return JOB_NONE;
    }
    *due_us = s->poll_us;
    return JOB_AVAILABLE;
}

adder_err_t airnet_server_begin(net_t *n, sock_t *s, net_job_t job)
{
    adder_airlift_t *a = &n->priv.chip;
    switch (job) {
    case JOB_LISTEN:
        return adder_airlift_begin_listen(a, s->slot, NULL, s->local_port, ADDER_AIRLIFT_TCP);
    case JOB_LISTENING:
        return adder_airlift_begin_listening(a, s->slot);
    case JOB_AVAILABLE: /* from 2.x on also those who have sent nothing yet */
        return adder_airlift_begin_available(a, s->slot, n->priv.chip.firmware.major >= 2);
    default:
        return adder_airlift_begin_remote(a, s->slot);
    }
}

static void named(net_t *n, sock_t *s, int64_t slot)
{
    if (slot >= adder_airlift_slots(&n->priv.chip) || (n->priv.held >> slot & 1) != 0) {
        airnet_poll_later(n, s);
        return;
    }
    sock_t *known = airnet_by_slot(n, (uint8_t)slot);
    if (known != NULL) {
        known->poll_us = 0;
        airnet_poll_later(n, s);
        return;
    }
    sock_t *child = airnet_unused(n);
    if (child == NULL) { /* was free as this began: claims cannot open sockets, calls may have */
        n->priv.dead_client = (uint8_t)slot;
        return;
    }
    memset(child, 0, sizeof *child);
    child->phase = PHASE_OFFERED;
    child->step = STEP_FROM;
    child->kind = ADDER_NET_TCP;
    child->slot = (uint8_t)slot;
    child->rx = NONE;
    child->parent = airnet_index(n, s);
    child->local_port = s->local_port;
    s->poll_us = 0;
    s->poll_gap_us = 0;
}

void airnet_server_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err)
{
    const bool lost = !airnet_answered(err);
    if (s->phase == PHASE_OFFERED) {
        if (err == ADDER_OK) {
            memcpy(s->ip, n->priv.chip.result.ip4[0], 4);
            s->port = n->priv.chip.result.port;
        } else if (lost && ++s->tries < TRIES) {
            return;
        }
        s->tries = 0;
        s->step = STEP_READY; /* from whom is not known then */
        return;
    }
    if (s->phase != PHASE_LISTENING || err == ADDER_ERR_CLOSED) {
        return;
    }
    if (lost && job != JOB_AVAILABLE && ++s->tries < TRIES) {
        /* To a start whose reply was lost the question is whether it was one: 1.x would lose the listener
         * that is there over a second start, and get no other. The slot is not given away meanwhile. */
        s->step = job == JOB_LISTEN ? STEP_CHECK : s->step;
        return;
    }
    switch (job) {
    case JOB_LISTEN:
        n->priv.sequence = NONE;
        s->step = STEP_CHECK;
        if (err != ADDER_OK) {
            airnet_fail(n, s, lost ? err : ADDER_ERR_IN_USE);
        }
        break;
    case JOB_LISTENING: /* 1.x says yes to the start whatever comes of it */
        if (err == ADDER_OK && n->priv.chip.result.number == 1) {
            n->priv.sequence = n->priv.sequence == airnet_index(n, s) ? NONE : n->priv.sequence;
            s->step = STEP_READY;
            s->tries = 0;
            airnet_poll_reset(n, s);
        } else if (err == ADDER_OK && ++s->tries < TRIES) {
            /* The start did not arrive, or the chip has restarted since, which its link will tell; or the
             * port is in use. */
            s->step = STEP_START;
            airnet_link_ask(n);
        } else {
            airnet_fail(n, s, lost ? err : ADDER_ERR_IN_USE);
        }
        break;
    default:
        if (err == ADDER_OK) {
            named(n, s, n->priv.chip.result.number);
        } else {
            airnet_poll_later(n, s);
        }
        break;
    }
}

/* ---- servers nobody has ---- */

net_job_t airnet_dead_need(net_t *n, uint64_t *due_us)
{
    *due_us = 0;
    if (n->priv.dead_client != NONE) {
        return JOB_DEAD_STOP;
    }
    if (n->priv.dead == 0 || n->priv.link.state != ADDER_NET_LINK_UP ||
        (airnet_wired(n) && !n->priv.gpio0_high)) {
        return JOB_NONE;
    }
    *due_us = n->priv.dead_us;
    return JOB_DEAD;
}

adder_err_t airnet_dead_begin(net_t *n, net_job_t job)
{
    if (job == JOB_DEAD_STOP) {
        return adder_airlift_begin_stop(&n->priv.chip, n->priv.dead_client);
    }
    do {
        n->priv.dead_at = (uint8_t)((n->priv.dead_at + 1) % ADDER_AIRLIFT_SLOTS_MAX);
    } while ((n->priv.dead >> n->priv.dead_at & 1u) == 0);
    return adder_airlift_begin_available(&n->priv.chip, n->priv.dead_at, n->priv.chip.firmware.major >= 2);
}

void airnet_dead_done(net_t *n, net_job_t job, adder_err_t err)
{
    if (job == JOB_DEAD_STOP) {
        n->priv.dead_client = airnet_answered(err) || err == ADDER_ERR_CLOSED ? NONE : n->priv.dead_client;
        return;
    }
    const int64_t slot = err == ADDER_OK ? n->priv.chip.result.number : NO_CLIENT;
    n->priv.dead_us = airnet_later(n, airnet_check_us(n));
    if (slot < adder_airlift_slots(&n->priv.chip) && (n->priv.held >> slot & 1) == 0 &&
        airnet_by_slot(n, (uint8_t)slot) == NULL && (n->priv.dead >> slot & 1) == 0) {
        n->priv.dead_client = (uint8_t)slot;
        n->priv.dead_us = 0;
    }
}
