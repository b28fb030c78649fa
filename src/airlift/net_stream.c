/* What connections need from the chip: a slot, to be opened, their bytes, and to notice the end.
 *
 * The chip says nothing of an end by itself, and its state command frees the slot of a connection that has
 * ended (3.x). So the state is asked only when nothing is waiting, the slot is freed at once, before
 * anybody else can be given it, and the end is believed when the link turns out to be there still. */
#include <string.h>

#include "net_int.h"

enum {
    POLL_MIN_US = 1 * MS,
    POLL_MAX_US = 20 * MS,
    CHECK_MIN_US = 10 * MS,
    LATE_US = 2 * S, /* a refusal after so long was silence */
    LATE_TLS_US = 20 * S,
    STOP_US = 100 * MS, /* between tries to free a slot */
};

/* ---- polling ---- */

void airnet_poll_reset(net_t *n, sock_t *s)
{
    s->poll_us = 0;
    s->poll_gap_us = 0;
    s->check_gap_us = CHECK_MIN_US;
    s->check_us = airnet_later(n, CHECK_MIN_US);
}

void airnet_poll_later(net_t *n, sock_t *s)
{
    s->poll_gap_us = airnet_double(s->poll_gap_us, POLL_MIN_US, POLL_MAX_US);
    s->poll_us = airnet_later(n, s->poll_gap_us);
}

uint64_t airnet_recv_due(net_t *n, const sock_t *s)
{
    const uint8_t spare = airnet_rx_free(n);
    const bool room = s->rx == NONE && (s->want ? spare >= 1 : spare >= 2);
    if (!room || !s->open || (airnet_wired(n) && !n->priv.gpio0_high)) {
        return NEVER;
    }
    return s->poll_us;
}

/* ---- what next ---- */

static net_job_t up_need(net_t *n, sock_t *s, uint64_t *due_us)
{
    if (s->step == STEP_GONE) {
        *due_us = 0;
        return JOB_STOP;
    }
    if (s->step == STEP_VERDICT) {
        return JOB_NONE;
    }
    if (s->step == STEP_STATE) {
        *due_us = 0;
        return JOB_STATE;
    }
    const uint64_t send = airnet_send_due(n, s), recv = airnet_recv_due(n, s);
    /* With bytes waiting here or there, its end is not of interest yet. */
    uint64_t check = s->open && s->rx == NONE && s->want ? s->check_us : NEVER;
    const bool silent = airnet_wired(n) && !n->priv.gpio0_high;
    const bool can_read = s->rx == NONE && airnet_rx_free(n) > 0;
    if (check != NEVER && !silent && !can_read) {
        check = NEVER;
    }
    *due_us = send;
    net_job_t job = JOB_SEND;
    if (recv < *due_us || (recv == *due_us && s->flip) || (recv <= n->priv.now_us && s->flip)) {
        *due_us = recv;
        job = JOB_RECV;
    }
    if (check < *due_us) {
        *due_us = check;
        job = silent ? JOB_STATE : JOB_RECV; /* an empty one leads on to the state */
    }
    return *due_us == NEVER ? JOB_NONE : job;
}

net_job_t airnet_stream_need(net_t *n, sock_t *s, uint64_t *due_us)
{
    *due_us = 0;
    if (s->phase == PHASE_UP) {
        return up_need(n, s, due_us);
    }
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        return JOB_NONE;
    }
    switch (s->step) {
    case STEP_SLOT:
        return JOB_SLOT;
    case STEP_START:
        return JOB_CONNECT;
    case STEP_CHECK:
        return JOB_STATE;
    default: /* a name */
        return JOB_NONE;
    }
}

/* What was taken still goes out behind a closed handle, within a limit. */
static bool lingers(net_t *n, const sock_t *s)
{
    const adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    return !s->drop && t != NULL && (s->phase == PHASE_UP || s->phase == PHASE_BOUND) &&
           n->priv.now_us < s->limit_us;
}

net_job_t airnet_sock_need(net_t *n, sock_t *s, uint64_t *due_us)
{
    *due_us = NEVER;
    if (s->phase == PHASE_FREE || s->phase == PHASE_IDLE) {
        return JOB_NONE;
    }
    if (s->phase == PHASE_DONE || (!s->open && s->phase != PHASE_OFFERED && !lingers(n, s))) {
        *due_us = s->phase == PHASE_DONE ? s->send_us : 0;
        if (s->slot == NONE) {
            airnet_fail(n, s, ADDER_ERR_CLOSED);
            return JOB_NONE;
        }
        return JOB_STOP;
    }
    net_job_t job;
    switch (s->phase) {
    case PHASE_BOUND:
        job = airnet_udp_need(n, s, due_us);
        break;
    case PHASE_LISTENING:
    case PHASE_OFFERED:
        job = airnet_server_need(n, s, due_us);
        break;
    default:
        job = airnet_stream_need(n, s, due_us);
        break;
    }
    if (!s->open && s->phase != PHASE_OFFERED) { /* it lingers, to its limit */
        *due_us = job == JOB_NONE || s->limit_us < *due_us ? s->limit_us : *due_us;
        job = job == JOB_NONE ? JOB_STOP : job;
    }
    return job;
}

adder_err_t airnet_sock_begin(net_t *n, sock_t *s, net_job_t job)
{
    adder_airlift_t *a = &n->priv.chip;
    switch (job) {
    case JOB_SLOT:
        n->priv.sequence = airnet_index(n, s);
        return adder_airlift_begin_socket(a);
    case JOB_CONNECT:
        if (s->kind == ADDER_NET_TLS) {
            return adder_airlift_begin_connect_name(a, s->slot, n->priv.lookup.name, s->port,
                                                    ADDER_AIRLIFT_TLS);
        }
        return adder_airlift_begin_connect(a, s->slot, s->ip, s->port, ADDER_AIRLIFT_TCP);
    case JOB_STATE:
        n->priv.sequence = airnet_index(n, s);
        return adder_airlift_begin_socket_state(a, s->slot);
    case JOB_STOP:
        if (s->kind == ADDER_NET_UDP) {
            n->priv.soiled |= (uint16_t)(1u << s->slot);
        }
        return adder_airlift_begin_stop(a, s->slot);
    case JOB_SEND:
        return airnet_send_begin(n, s);
    case JOB_RECV:
        s->flip = false;
        if (!airnet_rx_take(n, s)) {
            return ADDER_ERR_NOMEM;
        }
        return adder_airlift_begin_recv(a, s->slot, airnet_rx(n, s), n->priv.c.rx_size);
    default:
        return s->phase == PHASE_BOUND ? airnet_udp_begin(n, s, job) : airnet_server_begin(n, s, job);
    }
}

/* ---- slots ---- */

static unsigned slots_used(const net_t *n)
{
    unsigned used = 0;
    for (unsigned i = 0; i < SOCKETS; i++) {
        used += n->priv.socks[i].phase != PHASE_FREE && n->priv.socks[i].slot != NONE;
    }
    for (unsigned i = 0; i < ADDER_AIRLIFT_SLOTS_MAX; i++) {
        used += n->priv.dead >> i & 1u;
    }
    return used;
}

/* The chip named a slot that a raw user is about to use: another one that nobody has. */
static uint8_t other_slot(net_t *n)
{
    for (uint8_t i = adder_airlift_slots(&n->priv.chip); i-- > 0;) {
        if ((n->priv.held >> i & 1u) == 0 && (n->priv.dead >> i & 1u) == 0 && airnet_by_slot(n, i) == NULL) {
            return i;
        }
    }
    return NONE;
}

static void slot_done(net_t *n, sock_t *s, adder_err_t err)
{
    if (!s->open || s->phase == PHASE_DONE) {
        n->priv.sequence = NONE; /* closed meanwhile; naming a slot takes nothing */
        return;
    }
    if (!airnet_answered(err) && err != ADDER_ERR_NOMEM && err != ADDER_ERR_CLOSED && ++s->tries < TRIES) {
        return; /* asking again does no harm */
    }
    const unsigned limit = adder_airlift_slots(&n->priv.chip) - (unsigned)n->priv.c.raw_slots;
    uint8_t slot = err == ADDER_OK ? (uint8_t)n->priv.chip.result.number : NONE;
    if (err == ADDER_ERR_NOMEM || (err == ADDER_OK && slots_used(n) >= limit)) {
        n->priv.sequence = NONE;
        if (s->phase != PHASE_LISTENING || !airnet_server_revive(n, s, true)) {
            airnet_fail(n, s, ADDER_ERR_NOMEM);
        }
        return;
    }
    if (err != ADDER_OK) {
        airnet_fail(n, s, err);
        return;
    }
    if ((n->priv.held >> slot & 1u) != 0) {
        slot = other_slot(n);
    }
    if (slot == NONE) {
        airnet_fail(n, s, ADDER_ERR_NOMEM);
        return;
    }
    sock_t *other = airnet_by_slot(n, slot);
    if (other != NULL) { /* the chip does not know it any more */
        other->slot = NONE;
        airnet_fail(n, other, ADDER_ERR_CLOSED);
    }
    n->priv.dead &= (uint16_t) ~(1u << slot);
    s->slot = slot;
    s->tries = s->phase == PHASE_BOUND ? s->tries : 0;
    s->step = STEP_START;
}

/* ---- what came of it ---- */

static void connect_done(net_t *n, sock_t *s, adder_err_t err)
{
    const uint64_t took = n->priv.now_us - n->priv.began_us;
    airnet_lookup_give(n, airnet_index(n, s));
    n->priv.sequence = NONE;
    if (err == ADDER_OK && s->kind == ADDER_NET_TLS) { /* said of failed handshakes, too */
        s->step = STEP_CHECK;
    } else if (err == ADDER_OK) {
        airnet_connected(n, s);
    } else if (airnet_answered(err)) {
        const bool late = took >= (s->kind == ADDER_NET_TLS ? LATE_TLS_US : LATE_US);
        airnet_fail(n, s, late ? ADDER_ERR_TIMEOUT : ADDER_ERR_REFUSED);
    } else {
        airnet_fail(n, s, err);
    }
}

static void state_done(net_t *n, sock_t *s, adder_err_t err)
{
    if (!airnet_answered(err) && err != ADDER_ERR_CLOSED && ++s->tries < TRIES) {
        return; /* again, at once: nobody else may be given the slot */
    }
    n->priv.sequence = NONE;
    s->tries = 0;
    if (err != ADDER_OK) {
        airnet_fail(n, s, err);
        return;
    }
    const bool lives = n->priv.chip.result.number != 0;
    if (s->step == STEP_CHECK) {
        if (lives) {
            airnet_connected(n, s);
        } else {
            airnet_fail(n, s, ADDER_ERR_REFUSED);
        }
    } else if (lives) {
        s->step = STEP_READY;
        s->check_gap_us = airnet_double(s->check_gap_us, CHECK_MIN_US, airnet_check_us(n));
        s->check_us = airnet_later(n, s->check_gap_us);
    } else {
        s->step = STEP_GONE;
        n->priv.sequence = airnet_index(n, s);
    }
}

static void stop_done(net_t *n, sock_t *s, adder_err_t err)
{
    if (!airnet_answered(err) && err != ADDER_ERR_CLOSED && err != ADDER_ERR_RANGE) {
        s->send_us = airnet_later(n, STOP_US); /* until the chip answers: a slot must not be lost */
        return;
    }
    s->slot = NONE;
    n->priv.sequence = n->priv.sequence == airnet_index(n, s) ? NONE : n->priv.sequence;
    if (s->phase == PHASE_BOUND && s->open) { /* a UDP socket that lost a reply: anew */
        s->step = STEP_SLOT;
    } else if (s->phase != PHASE_UP || s->step != STEP_GONE) {
        airnet_fail(n, s, ADDER_ERR_CLOSED);
    } else if (airnet_tx_of(n, s) != NULL || !s->open) {
        airnet_fail(n, s, ADDER_ERR_CLOSED);
    } else {
        s->step = STEP_VERDICT;
        airnet_link_ask(n);
    }
}

static void recv_done(net_t *n, sock_t *s, adder_err_t err)
{
    if (err != ADDER_OK || !s->open || s->phase != PHASE_UP) {
        s->len = 0;
        airnet_rx_give(n, s);
        if (err != ADDER_OK) {
            airnet_fail(n, s, airnet_answered(err) ? ADDER_ERR_CLOSED : err);
        }
        return;
    }
    s->len = (uint16_t)n->priv.chip.result.len;
    s->at = 0;
    if (s->len > 0) {
        airnet_poll_reset(n, s);
        s->want = false;
        return;
    }
    airnet_rx_give(n, s);
    airnet_poll_later(n, s);
    if (n->priv.now_us >= s->check_us) {
        s->step = STEP_STATE;
        n->priv.sequence = airnet_index(n, s);
    }
}

void airnet_sock_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err)
{
    switch (job) {
    case JOB_SLOT:
        slot_done(n, s, err);
        break;
    case JOB_CONNECT:
        if (s->phase == PHASE_CONNECTING) {
            connect_done(n, s, err);
        }
        break;
    case JOB_STATE:
        if (s->phase == PHASE_UP || s->phase == PHASE_CONNECTING) {
            state_done(n, s, err);
        }
        break;
    case JOB_STOP:
        stop_done(n, s, err);
        break;
    case JOB_SEND:
        airnet_send_done(n, s, err);
        break;
    default:
        if (s->phase == PHASE_BOUND) {
            airnet_udp_done(n, s, job, err);
        } else if (job == JOB_RECV) {
            recv_done(n, s, err);
        } else {
            airnet_server_done(n, s, job, err);
        }
        break;
    }
    if (s->phase == PHASE_DONE) { /* what the command had borrowed */
        airnet_tx_give(n, s);
        if (n->priv.sequence == airnet_index(n, s)) {
            n->priv.sequence = NONE;
        }
    }
}
