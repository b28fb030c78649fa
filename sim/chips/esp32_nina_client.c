/* START_CLIENT: the one command that looks up, connects and shakes hands, READY high all the while. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina.h"

enum {
    CONNECT_US = 30000000,    /* SYN retries */
    HANDSHAKE_US = 120000000, /* the firmware's limit */
};

enum { STAGE_LOOKUP, STAGE_CONNECT, STAGE_HANDSHAKE, STAGE_LOST };

static bool connect_done(nina_t *n, bool ok)
{
    if (ok) {
        nina_reply_u8(n, 1);
    } else {
        nina_conn_close(n, &n->op.conn);
        nina_reply_none(n);
    }
    n->op.conn = NINA_NO_CONN;
    return true;
}

static void log_connect(nina_t *n, adder_err_t err)
{
    const uint8_t *ip = n->op.ip;
    sim_chip_log(&n->chip, "connect to %u.%u.%u.%u:%u%s%s: %s", ip[0], ip[1], ip[2], ip[3], n->op.port,
                 n->op.host[0] != '\0' ? " for " : "", n->op.host,
                 err == ADDER_ERR_REFUSED     ? "refused"
                 : err == ADDER_ERR_NOT_FOUND ? "not joined to a network"
                                              : "no answer");
}

/* Packets vanish: the firmware goes on trying until its time is over. */
static bool begin_lost(nina_t *n, uint64_t now_us, uint64_t limit_us)
{
    n->op.stage = STAGE_LOST;
    n->op.give_up_us = now_us + nina_scaled(n, limit_us);
    n->op.due_us = n->op.give_up_us;
    return false;
}

static bool begin_connect(nina_t *n, uint64_t now_us)
{
    n->op.conn = nina_conn_open(n, true);
    nina_conn_t *c = nina_conn(n, n->op.conn);
    if (c == NULL) {
        return connect_done(n, false);
    }
    const adder_err_t err = nina_conn_connect(n, c, n->op.ip, n->op.port);
    n->op.stage = STAGE_CONNECT;
    n->op.give_up_us = now_us + nina_scaled(n, CONNECT_US);
    if (err == ADDER_OK) {
        return false;
    }
    log_connect(n, err);
    return err == ADDER_ERR_TIMEOUT ? begin_lost(n, now_us, CONNECT_US) : connect_done(n, false);
}

static bool tls_begin_handshake(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    nina_tls_close(n, &s->tls);
    s->tls_peek = -1;
    s->tls = nina_tls_open(n, n->op.conn, n->op.host);
    if (s->tls == NULL) {
        return connect_done(n, false);
    }
    n->op.conn = NINA_NO_CONN; /* the session's now */
    n->op.stage = STAGE_HANDSHAKE;
    n->op.give_up_us = now_us + nina_scaled(n, HANDSHAKE_US);
    return false;
}

static bool tls_step(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    const adder_err_t err = s->tls != NULL ? nina_tls_handshake(n, s->tls) : ADDER_ERR_AGAIN;
    if (err == ADDER_ERR_AGAIN && now_us < n->op.give_up_us) {
        return false;
    }
    if (err != ADDER_OK) {
        nina_tls_close(n, &s->tls); /* a failed handshake is tried over and over, to the limit */
        if (now_us < n->op.give_up_us) {
            n->op.due_us = n->op.give_up_us;
            return false;
        }
    }
    s->kind = NINA_TLS; /* and then reported as done: the state (2Fh) tells the truth */
    return connect_done(n, true);
}

static bool client_step(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    if (n->op.stage == STAGE_LOST) {
        return now_us >= n->op.give_up_us && connect_done(n, false);
    }
    if (n->op.stage == STAGE_LOOKUP) {
        const nina_lookup_t found = nina_lookup_poll(n, now_us);
        if (found == NINA_LOOKUP_WAIT) {
            return false;
        }
        return found == NINA_LOOKUP_FOUND && n->op.seq == NINA_TLS ? begin_connect(n, now_us)
                                                                   : connect_done(n, false);
    }
    if (n->op.stage == STAGE_HANDSHAKE) {
        return tls_step(n, now_us);
    }
    nina_conn_t *c = nina_conn(n, n->op.conn);
    adder_err_t err = c != NULL && nina_online(n) ? nina_conn_connect_poll(n, c) : ADDER_ERR_AGAIN;
    if (err == ADDER_ERR_AGAIN && now_us < n->op.give_up_us) {
        return false;
    }
    if (err != ADDER_OK) {
        err = err == ADDER_ERR_AGAIN ? ADDER_ERR_TIMEOUT : err;
        log_connect(n, err);
        return err == ADDER_ERR_TIMEOUT && now_us < n->op.give_up_us
                   ? (nina_conn_close(n, &n->op.conn), begin_lost(n, now_us, CONNECT_US))
                   : connect_done(n, false);
    }
    if (n->op.seq == NINA_TLS) {
        return tls_begin_handshake(n, now_us);
    }
    nina_slot_lose(n, &s->client);
    s->client = n->op.conn;
    s->kind = NINA_TCP;
    return connect_done(n, true);
}

/* 4 parameters: address, port, socket, mode; else: host, address (ignored), port, socket, mode. */
nina_result_t nina_start_client(nina_t *n, uint64_t now_us)
{
    const bool by_name = nina_u8(n, 2) != 4;
    const size_t at = by_name ? 10u + nina_u8(n, 3) : 9u;
    const uint8_t mode = nina_u8(n, at + 5);
    nina_slot_t *s = nina_slot_at(n, at + 3);
    if (s == NULL) {
        return NINA_CRASH;
    }
    nina_op_cancel(n);
    n->op.slot = nina_u8(n, at + 3);
    n->op.port = nina_u16be(n, at);
    n->op.seq = mode;
    if (by_name) {
        (void)nina_text(n, 3, n->op.host, 255);
    } else {
        nina_bytes(n, 4, n->op.ip, 4);
    }
    const bool named = n->op.host[0] != '\0';
    if (named && (mode == NINA_TCP || mode == NINA_UDP)) {
        /* 1.x looks the name up, then takes the address's four bytes for another name. */
        sim_chip_log(&n->chip, "start_client: firmware 1.x opens %s by address only; resolve \"%.60s\" first",
                     mode == NINA_TCP ? "TCP" : "UDP", n->op.host);
        n->op.stage = STAGE_LOOKUP;
        n->step = client_step;
        nina_lookup_begin(n, now_us);
        return NINA_WAIT;
    }
    switch (mode) {
    case NINA_UDP:
        memcpy(s->udp.peer, n->op.ip, 4);
        s->udp.port = n->op.port;
        s->udp.out_len = 0;
        s->kind = NINA_UDP;
        return nina_reply_u8(n, 1);
    case NINA_TCP:
        n->step = client_step;
        break;
    case NINA_TLS:
        n->step = client_step;
        n->op.stage = STAGE_LOOKUP;
        if (!named) { /* 1.x writes the address as text, back to front, and looks that up */
            (void)snprintf(n->op.host, sizeof n->op.host, "%u.%u.%u.%u", n->op.ip[3], n->op.ip[2],
                           n->op.ip[1], n->op.ip[0]);
        }
        nina_lookup_begin(n, now_us);
        return NINA_WAIT;
    default:
        return nina_reply_none(n);
    }
    if (begin_connect(n, now_us)) {
        n->step = NULL;
        return NINA_DONE;
    }
    return NINA_WAIT;
}
