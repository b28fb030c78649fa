/* START_CLIENT: the one command that looks up, connects and shakes hands, READY high all the while. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

enum { HANDSHAKE_US = 120000000 }; /* the firmwares' limit */

enum { STAGE_LOOKUP, STAGE_CONNECT, STAGE_HANDSHAKE, STAGE_LOST };

static bool connect_done(nina_t *n, bool ok)
{
    if (ok) {
        n->slots[n->op.slot].was_connected = true;
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
                 : err == ADDER_ERR_CLOSED    ? "the link is lost"
                                              : "no answer");
}

static uint64_t connect_limit_us(nina_t *n)
{
    return nina_scaled(n, n->op.mode == NINA_TLS ? n->fw->tls_connect_us : n->fw->connect_us);
}

/* Packets vanish: the firmware goes on trying until its time is over. */
static bool begin_lost(nina_t *n, uint64_t now_us)
{
    n->op.stage = STAGE_LOST;
    n->op.give_up_us = now_us + connect_limit_us(n);
    n->op.due_us = n->op.give_up_us;
    return false;
}

static bool begin_connect(nina_t *n, uint64_t now_us)
{
    if (n->op.mode == NINA_TLS && n->fw->cert_drops_ca && n->cert_set && n->key_set) {
        sim_chip_log(&n->chip,
                     "TLS with %s: firmware %s has no CA certificates left once 40h and 41h were sent",
                     n->op.host, n->fw->name);
        return connect_done(n, false);
    }
    n->op.conn = nina_conn_open(n, true);
    nina_conn_t *c = nina_conn(n, n->op.conn);
    if (c == NULL) {
        return connect_done(n, false);
    }
    const adder_err_t err = nina_conn_connect(n, c, n->op.ip, n->op.port);
    n->op.stage = STAGE_CONNECT;
    n->op.give_up_us = now_us + connect_limit_us(n);
    if (err == ADDER_OK) {
        return false;
    }
    log_connect(n, err);
    return err == ADDER_ERR_TIMEOUT ? begin_lost(n, now_us) : connect_done(n, false);
}

static bool tls_begin_handshake(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    nina_tls_close(n, &s->tls);
    s->tls_peek = -1;
    /* 2.x opened by an address asks for no name */
    const bool verify_name = n->op.seq != 0 || n->fw->number < 0x200 || n->fw->sta_status;
    s->tls = nina_tls_open(n, n->op.conn, n->op.host, verify_name);
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
        nina_tls_close(n, &s->tls);
        if (n->fw->tls_fails_once) {
            return connect_done(n, false);
        }
        if (now_us < n->op.give_up_us) { /* 1.x tries a failed handshake over and over, to the limit */
            n->op.due_us = n->op.give_up_us;
            return false;
        }
    }
    s->kind = NINA_TLS; /* 1.x reports it as done in any case: the state (2Fh) tells the truth */
    return connect_done(n, true);
}

static bool connect_step(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    nina_conn_t *c = nina_conn(n, n->op.conn);
    adder_err_t err = c == NULL ? ADDER_ERR_CLOSED : ADDER_ERR_AGAIN;
    if (c != NULL && nina_online(n)) {
        err = nina_conn_connect_poll(n, c);
    }
    if (err == ADDER_ERR_AGAIN && now_us < n->op.give_up_us) {
        return false;
    }
    if (err != ADDER_OK) {
        err = err == ADDER_ERR_AGAIN ? ADDER_ERR_TIMEOUT : err;
        log_connect(n, err);
        if (err == ADDER_ERR_TIMEOUT && now_us < n->op.give_up_us) {
            nina_conn_close(n, &n->op.conn);
            return begin_lost(n, now_us);
        }
        return connect_done(n, false);
    }
    if (n->op.mode == NINA_TLS) {
        return tls_begin_handshake(n, now_us);
    }
    nina_slot_lose(n, &s->client);
    s->client = n->op.conn;
    s->kind = NINA_TCP;
    return connect_done(n, true);
}

static bool lookup_step(nina_t *n, uint64_t now_us)
{
    const nina_lookup_t found = nina_lookup_poll(n, now_us);
    if (found == NINA_LOOKUP_WAIT) {
        return false;
    }
    if (found != NINA_LOOKUP_FOUND || (n->op.mode != NINA_TLS && !n->fw->by_name)) {
        return connect_done(n, false);
    }
    if (n->op.mode == NINA_UDP) {
        (void)nina_udp_open(n, &n->slots[n->op.slot], n->op.ip, n->op.port);
        return true;
    }
    return begin_connect(n, now_us);
}

static bool client_step(nina_t *n, uint64_t now_us)
{
    switch (n->op.stage) {
    case STAGE_LOOKUP:
        return lookup_step(n, now_us);
    case STAGE_HANDSHAKE:
        return tls_step(n, now_us);
    case STAGE_LOST:
        return now_us >= n->op.give_up_us && connect_done(n, false);
    default:
        return connect_step(n, now_us);
    }
}

static nina_result_t begin(nina_t *n, uint64_t now_us, bool lookup)
{
    n->step = client_step;
    if (lookup) {
        n->op.stage = STAGE_LOOKUP;
        nina_lookup_begin(n, now_us);
        return NINA_WAIT;
    }
    if (begin_connect(n, now_us)) {
        n->step = NULL;
        return NINA_DONE;
    }
    return NINA_WAIT;
}

/* TLS to an address: its text is the name. 1.x and 2.x write it back to front, and look that up. */
static nina_result_t begin_tls_by_address(nina_t *n, uint64_t now_us)
{
    const uint8_t *ip = n->op.ip;
    const bool natural = n->fw->sta_status;
    (void)snprintf(n->op.host, sizeof n->op.host, "%u.%u.%u.%u", ip[natural ? 0 : 3], ip[natural ? 1 : 2],
                   ip[natural ? 2 : 1], ip[natural ? 3 : 0]);
    return begin(n, now_us, !natural);
}

/* 4 parameters: address, port, socket, mode; else: host, address (ignored), port, socket, mode. */
nina_result_t nina_start_client(nina_t *n, uint64_t now_us)
{
    const bool five = nina_u8(n, 2) != 4;
    const size_t at = five ? 10u + nina_u8(n, 3) : 9u;
    const uint8_t mode = nina_u8(n, at + 5);
    nina_slot_t *s = nina_slot_at(n, at + 3);
    if (s == NULL) {
        return NINA_CRASH;
    }
    nina_op_cancel(n);
    n->op.slot = nina_u8(n, at + 3);
    n->op.port = nina_u16be(n, at);
    n->op.mode = mode;
    if (five) {
        (void)nina_text(n, 3, n->op.host, 255);
    } else {
        nina_bytes(n, 4, n->op.ip, 4);
    }
    const bool named = n->op.host[0] != '\0';
    n->op.seq = named;
    if (named && !n->fw->by_name && (mode == NINA_TCP || mode == NINA_UDP)) {
        /* 1.x looks the name up, then takes the address's four bytes for another name. */
        sim_chip_log(&n->chip, "start_client: firmware 1.x opens %s by address only; resolve \"%.60s\" first",
                     mode == NINA_TCP ? "TCP" : "UDP", n->op.host);
    }
    switch (mode) {
    case NINA_UDP:
        return named ? begin(n, now_us, true) : nina_udp_open(n, s, n->op.ip, n->op.port);
    case NINA_TCP:
        return begin(n, now_us, named);
    case NINA_TLS:
        return named ? begin(n, now_us, true) : begin_tls_by_address(n, now_us);
    default:
        return nina_reply_none(n);
    }
}
