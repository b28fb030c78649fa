/* The socket stack's life: one command at a time, and whose turn is next.
 *
 * Order of turns: a start of the chip; a sequence that must not be interrupted (asking for a slot and
 * taking it: the chip does not reserve what it names); slots to be freed; the link; then sockets, dead
 * servers and names in turn, each at most one command before the next has its chance. */
#include <string.h>

#include "net_int.h"

enum {
    READY_US = 50,         /* between looks at READY at first, */
    READY_MAX_US = 5 * MS, /* then a sixteenth of what the command has taken so far */
    PIN_US = 1000,         /* between looks at GPIO0 */
    START_MIN_US = 1 * S,
    START_MAX_US = 30 * S,
    TURNS = SOCKETS + 2, /* sockets, dead servers, names */
};

/* ---- turns ---- */

typedef struct {
    net_job_t job;
    uint8_t sock; /* NONE = not a socket's */
} turn_t;

static adder_err_t begin(net_t *n, turn_t t)
{
    if (t.job == JOB_START) {
        return adder_airlift_begin_start(&n->priv.chip);
    }
    if (t.job <= JOB_LINK_LAST) {
        return airnet_link_begin(n, t.job);
    }
    if (t.job == JOB_LOOKUP || t.job == JOB_LOOKED) {
        return airnet_lookup_begin(n, t.job);
    }
    if (t.job == JOB_DEAD || t.job == JOB_DEAD_STOP) {
        return airnet_dead_begin(n, t.job);
    }
    return airnet_sock_begin(n, &n->priv.socks[t.sock], t.job);
}

static void start_done(net_t *n, adder_err_t err)
{
    if (err == ADDER_OK) {
        n->priv.start_gap_us = 0;
        airnet_chip_restarted(n);
        return;
    }
    n->priv.start_gap_us = airnet_double(n->priv.start_gap_us, START_MIN_US, START_MAX_US);
    n->priv.start_us = airnet_later(n, n->priv.start_gap_us);
    const bool known = n->priv.link.state == ADDER_NET_LINK_FAILED && n->priv.link.cause == ADDER_ERR_IO;
    const uint32_t changes = n->priv.link.changes;
    airnet_chip_restarted(n);
    airnet_link_absent(n);
    n->priv.link.changes = known ? changes : n->priv.link.changes;
}

/* A reset nobody here asked for: by the driver, to save a dead link, or by a raw user. */
static void note_resets(net_t *n)
{
    if (n->priv.resets != n->priv.chip.stats.resets) {
        n->priv.resets = n->priv.chip.stats.resets;
        airnet_chip_restarted(n);
    }
}

static void done(net_t *n, turn_t t, adder_err_t err)
{
    n->priv.job = JOB_NONE;
    n->priv.trouble = airnet_answered(err) || err == ADDER_ERR_NOMEM ? ADDER_OK : err;
    if (t.job == JOB_START) {
        n->priv.resets = n->priv.chip.stats.resets;
        start_done(n, err);
        return;
    }
    if (t.job <= JOB_LINK_LAST) {
        airnet_link_done(n, t.job, err);
    } else if (t.job == JOB_LOOKUP || t.job == JOB_LOOKED) {
        airnet_lookup_done(n, t.job, err);
    } else if (t.job == JOB_DEAD || t.job == JOB_DEAD_STOP) {
        airnet_dead_done(n, t.job, err);
    } else {
        sock_t *s = &n->priv.socks[t.sock];
        airnet_sock_done(n, s, t.job, err);
        if (s->phase == PHASE_DONE && !s->open) {
            airnet_rx_give(n, s);
        }
        airnet_reap(n, s);
    }
    note_resets(n);
}

static bool due_now(const net_t *n, net_job_t job, uint64_t due, uint64_t *next)
{
    if (job == JOB_NONE) {
        return false;
    }
    *next = due < *next ? due : *next;
    return due <= n->priv.now_us;
}

static bool choose(net_t *n, turn_t *out, uint64_t *next)
{
    uint64_t due = 0;
    *out = (turn_t){JOB_NONE, NONE};
    if (!n->priv.chip.priv.started || n->priv.restart) {
        out->job = JOB_START;
        if (!n->priv.restart) {
            due = n->priv.start_us;
        }
        return due_now(n, JOB_START, due, next);
    }
    if (n->priv.sequence != NONE) {
        out->sock = n->priv.sequence;
        out->job = airnet_sock_need(n, &n->priv.socks[out->sock], &due);
        if (out->job != JOB_NONE) {
            return due_now(n, out->job, due, next);
        }
        n->priv.sequence = NONE;
    }
    for (uint8_t i = 0; i < SOCKETS; i++) {
        airnet_reap(n, &n->priv.socks[i]);
    }
    for (uint8_t i = 0; i < SOCKETS; i++) { /* slots first: others may be waiting for them */
        out->sock = i;
        out->job = airnet_sock_need(n, &n->priv.socks[i], &due);
        if (out->job == JOB_STOP && due_now(n, JOB_STOP, due, next)) {
            return true;
        }
    }
    out->sock = NONE;
    out->job = airnet_link_need(n, &due);
    if (due_now(n, out->job, due, next)) {
        return true;
    }
    for (unsigned k = 0; k < TURNS; k++) {
        const uint8_t i = (uint8_t)((n->priv.turn + k) % TURNS);
        out->sock = i < SOCKETS ? i : NONE;
        out->job = i < SOCKETS    ? airnet_sock_need(n, &n->priv.socks[i], &due)
                   : i == SOCKETS ? airnet_dead_need(n, &due)
                                  : airnet_lookup_need(n, &due);
        if (due_now(n, out->job, due, next)) {
            n->priv.turn = (uint8_t)((i + 1) % TURNS);
            return true;
        }
    }
    return false;
}

/* ---- tick ---- */

static bool busy(const net_t *n)
{
    return n->priv.chip.priv.stage != 0;
}

static uint32_t until(const net_t *n, uint64_t due_us)
{
    const uint64_t wait = due_us > n->priv.now_us ? due_us - n->priv.now_us : 0;
    return wait < ADDER_NET_FOREVER ? (uint32_t)wait : ADDER_NET_FOREVER;
}

static void wants_ready(const net_t *n, adder_net_wants_t *wants)
{
    const uint64_t due = adder_airlift_due_us(&n->priv.chip);
    uint64_t look = (n->priv.now_us - n->priv.began_us) / 16;
    look = look < READY_US ? READY_US : look < READY_MAX_US ? look : READY_MAX_US;
    wants->wait_us = until(n, due);
    if (n->priv.c.signals) {
        wants->signal = n->priv.c.ready_signal;
    } else if (look < wants->wait_us) {
        wants->wait_us = (uint32_t)look;
    }
}

static adder_err_t look_at_gpio0(net_t *n)
{
    bool high;
    const adder_err_t err = adder_airlift_data_flag(&n->priv.chip, &high);
    if (err != ADDER_OK) {
        return err;
    }
    for (unsigned i = 0; high && !n->priv.gpio0_high && i < SOCKETS; i++) {
        airnet_poll_reset(n, &n->priv.socks[i]);
    }
    if (high && !n->priv.gpio0_high) {
        n->priv.dead_us = 0;
    }
    n->priv.gpio0_high = high;
    return ADDER_OK;
}

static bool listening_to_gpio0(const net_t *n)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        const uint8_t phase = n->priv.socks[i].phase;
        if (phase == PHASE_UP || phase == PHASE_BOUND || phase == PHASE_LISTENING) {
            return true;
        }
    }
    return n->priv.dead != 0;
}

static void wants_idle(const net_t *n, uint64_t next, adder_net_wants_t *wants)
{
    wants->wait_us = until(n, next);
    if (!airnet_wired(n) || n->priv.gpio0_high || !listening_to_gpio0(n)) {
        return;
    }
    if (n->priv.c.signals) {
        wants->signal = n->priv.c.data_signal;
    } else if (wants->wait_us > PIN_US) {
        wants->wait_us = PIN_US;
    }
}

adder_err_t airnet_tick(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    net_t *n = ctx;
    n->priv.now_us = now_us > n->priv.now_us ? now_us : n->priv.now_us;
    *wants_out = (adder_net_wants_t){.wait_us = 0, .signal = -1};
    if (busy(n)) {
        const turn_t t = {(net_job_t)n->priv.job, n->priv.job_sock};
        const adder_err_t err = adder_airlift_tick(&n->priv.chip, n->priv.now_us);
        if (err == ADDER_ERR_AGAIN) {
            wants_ready(n, wants_out);
            return n->priv.trouble;
        }
        if (t.job != JOB_NONE) {
            done(n, t, err);
        }
        return n->priv.trouble; /* one exchange a tick */
    }
    if (n->priv.claimed) {
        wants_out->wait_us = PIN_US;
        return n->priv.trouble;
    }
    note_resets(n);
    if (n->priv.chip.priv.started) {
        const adder_err_t err = look_at_gpio0(n);
        if (err != ADDER_OK) {
            wants_out->wait_us = PIN_US;
            return err;
        }
    }
    turn_t t;
    uint64_t next = NEVER;
    if (!choose(n, &t, &next)) {
        wants_idle(n, next, wants_out);
        return n->priv.trouble;
    }
    n->priv.job = (uint8_t)t.job;
    n->priv.job_sock = t.sock;
    n->priv.began_us = n->priv.now_us;
    n->priv.restart = n->priv.restart && t.job != JOB_START;
    adder_err_t err = begin(n, t);
    if (err != ADDER_OK) {
        done(n, t, err);
        return n->priv.trouble;
    }
    err = adder_airlift_tick(&n->priv.chip, n->priv.now_us);
    if (err == ADDER_ERR_AGAIN) {
        wants_ready(n, wants_out);
    } else {
        done(n, t, err);
    }
    return n->priv.trouble;
}

/* ---- life ---- */

adder_err_t adder_airlift_net_init(adder_airlift_net_t *n, const adder_airlift_net_config_t *c)
{
    memset(n, 0, sizeof *n);
    if (c->rx == NULL || c->tx == NULL || c->random == NULL) {
        return ADDER_ERR_ARG;
    }
    if (c->rx_size < ADDER_AIRLIFT_NET_RX_MIN || c->tx_size < ADDER_AIRLIFT_NET_TX_MIN || c->rx_count < 1 ||
        c->rx_count > SOCKETS || c->tx_count < 1 || c->tx_count > ADDER_AIRLIFT_NET_TX_COUNT_MAX ||
        c->raw_slots > 5 || c->check_ms > 3600 * 1000u) {
        return ADDER_ERR_RANGE;
    }
    n->priv.c = *c;
    n->priv.c.rx_size = c->rx_size < ADDER_AIRLIFT_RECV_MAX ? c->rx_size : ADDER_AIRLIFT_RECV_MAX;
    n->priv.c.tx_size = c->tx_size < ADDER_AIRLIFT_SEND_MAX ? c->tx_size : ADDER_AIRLIFT_SEND_MAX;
    n->priv.c.check_ms = c->check_ms != 0 ? c->check_ms : 1000;
    n->priv.sequence = n->priv.job_sock = n->priv.reserved = n->priv.lookup.owner = NONE;
    n->priv.dead_client = NONE;
    memset(n->priv.rx_owner, NONE, sizeof n->priv.rx_owner);
    for (unsigned i = 0; i < SOCKETS; i++) {
        n->priv.socks[i].slot = n->priv.socks[i].rx = NONE;
    }
    for (unsigned i = 0; i < ADDER_AIRLIFT_NET_TX_COUNT_MAX; i++) {
        n->priv.tx[i].owner = NONE;
    }
    return adder_airlift_init(&n->priv.chip, &c->chip);
}

adder_net_t adder_airlift_net(adder_airlift_net_t *n)
{
    return (adder_net_t){&airnet_ops, n};
}

void adder_airlift_net_restart(adder_airlift_net_t *n)
{
    n->priv.restart = true;
    n->priv.start_us = 0;
}

/* ---- claims ---- */

adder_err_t adder_airlift_net_claim(adder_airlift_net_t *n, adder_airlift_t **out)
{
    if (n->priv.claimed || busy(n) || n->priv.restart) {
        return ADDER_ERR_AGAIN;
    }
    if (!n->priv.chip.priv.started) {
        return n->priv.trouble != ADDER_OK ? n->priv.trouble : ADDER_ERR_AGAIN;
    }
    if (n->priv.sequence != NONE) {
        return ADDER_ERR_AGAIN;
    }
    for (unsigned i = 0; i < SOCKETS; i++) { /* a slot the chip may call free, and we not */
        if (n->priv.socks[i].phase == PHASE_UP && n->priv.socks[i].step == STEP_GONE) {
            return ADDER_ERR_AGAIN;
        }
    }
    n->priv.claimed = true;
    n->priv.began_us = n->priv.now_us; /* what wants_ready() counts from */
    *out = &n->priv.chip;
    return ADDER_OK;
}

void adder_airlift_net_release(adder_airlift_net_t *n)
{
    const uint8_t op = n->priv.chip.priv.op;
    if (n->priv.claimed && (op == 0x27 || op == 0x30)) {
        airnet_link_ask(n); /* 2.x leaves the network to scan */
    }
    n->priv.claimed = false;
}

adder_err_t adder_airlift_net_hold(adder_airlift_net_t *n, uint8_t slot, bool held)
{
    if (slot >= ADDER_AIRLIFT_SLOTS_MAX) {
        return ADDER_ERR_RANGE;
    }
    const uint16_t bit = (uint16_t)(1u << slot);
    if (held && (airnet_by_slot(n, slot) != NULL || (n->priv.dead & bit) != 0)) {
        return ADDER_ERR_IN_USE;
    }
    n->priv.held = (uint16_t)(held ? n->priv.held | bit : n->priv.held & ~bit);
    return ADDER_OK;
}

const adder_airlift_t *adder_airlift_net_chip(const adder_airlift_net_t *n)
{
    return &n->priv.chip;
}
