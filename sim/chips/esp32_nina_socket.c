/* The firmware's socket slots. A slot has one of each: TCP client, UDP, TLS, server; its kind says
 * which one most commands mean. Opening over an open one loses the old socket in 1.x and 2.x: it stays
 * open until reset and is counted as leaked. 3.x closes it. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

enum { SEND_HEADER = 8, READ_MAX = NINA_BUF - 6, PROGRESS_US = 10000000, TLS_PROGRESS_US = 30000000 };

void nina_slots_reset(nina_t *n)
{
    for (int i = 0; i < NINA_SLOTS; i++) {
        nina_tls_close(n, &n->slots[i].tls);
        memset(&n->slots[i], 0, sizeof n->slots[i]);
        n->slots[i].kind = NINA_FREE;
        n->slots[i].tls_peek = -1;
    }
}

/* The slot a command names. Beyond the table the firmware reads and writes foreign memory: NULL. */
nina_slot_t *nina_slot_at(nina_t *n, size_t offset)
{
    const uint8_t i = nina_u8(n, offset);
    if (i < n->fw->slots) {
        return &n->slots[i];
    }
    sim_chip_log(&n->chip, "%s: there is no socket %u", n->command->name, i);
    n->count.errors++;
    return NULL;
}

void nina_slot_lose(nina_t *n, nina_ref_t *ref)
{
    if (nina_conn(n, *ref) == NULL) {
        *ref = NINA_NO_CONN;
    } else if (n->fw->sta_status) { /* the core's clients count their holders */
        nina_conn_close(n, ref);
    } else {
        n->count.leaked++;
        sim_chip_log(&n->chip, "%s: the slot's open socket is lost until the next reset", n->command->name);
        *ref = NINA_NO_CONN;
    }
}

/* ---- TCP client ---- */

static uint16_t ahead(const nina_conn_t *c)
{
    return (uint16_t)(c->ahead_len - c->ahead_pos);
}

/* 3.x asks the socket alone: bytes it has read ahead do not keep a connection alive. */
bool nina_client_connected(nina_t *n, nina_ref_t *ref)
{
    nina_conn_t *c = nina_conn(n, *ref);
    if (c == NULL) {
        *ref = NINA_NO_CONN;
        return false;
    }
    if (!nina_conn_gone(n, c)) {
        return true;
    }
    if (!n->fw->read_ahead) {
        nina_conn_close(n, ref);
    }
    return false;
}

uint16_t nina_client_available(nina_t *n, nina_ref_t ref)
{
    nina_conn_t *c = nina_conn(n, ref);
    return c != NULL ? (uint16_t)(ahead(c) + nina_conn_available(n, c)) : 0;
}

static size_t read_ahead(nina_t *n, nina_conn_t *c, uint8_t *out, size_t cap, bool peek)
{
    size_t got = 0;
    while (got < cap) {
        if (ahead(c) == 0) {
            c->ahead_pos = 0;
            c->ahead_len = (uint16_t)nina_conn_read(n, c, c->ahead, sizeof c->ahead, false);
        }
        const size_t take = cap - got < ahead(c) ? cap - got : ahead(c);
        if (take == 0) {
            break;
        }
        memcpy(out + got, c->ahead + c->ahead_pos, take);
        got += take;
        if (peek) {
            break;
        }
        c->ahead_pos = (uint16_t)(c->ahead_pos + take);
    }
    return got;
}

static size_t client_read(nina_t *n, nina_ref_t ref, uint8_t *out, size_t cap, bool peek)
{
    nina_conn_t *c = nina_conn(n, ref);
    if (c == NULL) {
        return 0;
    }
    return n->fw->read_ahead ? read_ahead(n, c, out, cap, peek) : nina_conn_read(n, c, out, cap, peek);
}

/* ---- reading ---- */

nina_result_t nina_avail_data(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    uint16_t available = 0;
    if (s == NULL) {
        return nina_reply_u16le(n, 0);
    }
    switch (s->kind) {
    case NINA_TCP: /* the accept byte is read whether it was sent or not: it may be padding */
        available = nina_server_up(n, s) ? nina_server_poll(n, s, n->fw->accept_byte && nina_u8(n, 6) != 0)
                                         : nina_client_available(n, s->client);
        break;
    case NINA_UDP:
        available =
            nina_udp_available(s) > 0 || n->fw->udp_by_task ? nina_udp_available(s) : nina_udp_fetch(n, s);
        break;
    case NINA_TLS:
        available = nina_tls_available(n, s->tls);
        break;
    case NINA_FREE:
        break;
    }
    return nina_reply_u16le(n, available);
}

static int tls_byte(nina_t *n, nina_slot_t *s, bool peek)
{
    uint8_t byte;
    if (s->tls_peek < 0 && nina_tls_read(n, s->tls, &byte, 1) == 1) {
        s->tls_peek = byte;
    }
    const int value = s->tls_peek;
    s->tls_peek = peek ? s->tls_peek : -1;
    return value;
}

nina_result_t nina_get_data(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    const bool peek = nina_u8(n, 6) != 0;
    uint8_t byte = 0xFF; /* -1 of the firmware's read() */
    switch (s != NULL ? s->kind : NINA_FREE) {
    case NINA_TCP:
        if (client_read(n, s->client, &byte, 1, peek) == 0) {
            byte = 0xFF;
        }
        break;
    case NINA_UDP:
        if (nina_udp_read(s, &byte, 1, peek) == 0) {
            byte = 0xFF;
        }
        break;
    case NINA_TLS:
        byte = (uint8_t)tls_byte(n, s, peek);
        break;
    case NINA_FREE:
        byte = 0;
        break;
    }
    return nina_reply_u8(n, byte);
}

nina_result_t nina_get_databuf(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    static const uint8_t nothing[1];
    nina_slot_t *s = nina_slot_at(n, 5);
    const size_t size = nina_u16le(n, 8);
    const size_t cap = size < READ_MAX ? size : READ_MAX;
    nina_reply(n, 1);
    uint8_t *to = n->tx + 5; /* read in place, behind the 16-bit length */
    size_t got = 0, waiting = 0;
    switch (s != NULL ? s->kind : NINA_FREE) {
    case NINA_TCP:
        waiting = nina_client_available(n, s->client);
        got = client_read(n, s->client, to, cap, false);
        break;
    case NINA_UDP:
        waiting = nina_udp_available(s);
        got = nina_udp_read(s, to, cap, false);
        break;
    case NINA_TLS:
        waiting = nina_tls_available(n, s->tls);
        got = nina_tls_read(n, s->tls, to, cap);
        break;
    case NINA_FREE:
        break;
    }
    if (size > READ_MAX && waiting > READ_MAX) {
        sim_chip_log(&n->chip, "get_databuf: %zu bytes overrun the reply buffer; ask for at most %d", size,
                     READ_MAX);
        return NINA_CRASH;
    }
    if (got == 0) {
        nina_reply_param(n, 2, nothing, 0);
        return NINA_DONE;
    }
    n->tx[3] = (uint8_t)(got >> 8);
    n->tx[4] = (uint8_t)got;
    n->tx_len = 5 + got;
    return NINA_DONE;
}

nina_result_t nina_remote_data(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const nina_slot_t *s = nina_slot_at(n, 4);
    sim_endpoint_t e = {0};
    if (s != NULL && s->kind == NINA_UDP) {
        memcpy(e.ip4, s->udp.peer, 4);
        e.port = s->udp.port;
    } else if (s != NULL && s->kind != NINA_FREE) {
        const nina_conn_t *c = s->kind == NINA_TCP ? nina_conn(n, s->client) : nina_tls_conn(n, s->tls);
        e = c != NULL ? c->peer : e;
    }
    const uint8_t port[2] = {(uint8_t)(e.port >> 8), (uint8_t)e.port};
    nina_reply(n, 2);
    nina_reply_param(n, 1, e.ip4, 4);
    nina_reply_param(n, 1, port, 2);
    return NINA_DONE;
}

/* ---- writing ---- */

nina_result_t nina_data_sent(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, 1);
}

const uint8_t *nina_send_bytes(nina_t *n, size_t *len)
{
    *len = nina_u16be(n, 6);
    if (*len > NINA_BUF - SEND_HEADER) {
        sim_chip_log(&n->chip, "%s: %zu bytes do not fit a command", n->command->name, *len);
        *len = NINA_BUF - SEND_HEADER;
    }
    return n->rx + SEND_HEADER;
}

/* A connection's bytes, as far as its send buffer takes them; then what the firmware does about the rest. */
static bool send_step(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    size_t len, written = 0;
    const uint8_t *data = nina_send_bytes(n, &len);
    nina_conn_t *c = nina_conn(n, s->client);
    adder_err_t err = ADDER_ERR_CLOSED;
    if (c != NULL) {
        err = len > n->op.done ? nina_conn_write(n, c, data + n->op.done, len - n->op.done, &written)
                               : ADDER_OK;
        n->op.done += written;
    }
    if (written > 0) {
        n->op.give_up_us = now_us + nina_scaled(n, PROGRESS_US);
    }
    const bool stuck = err == ADDER_OK && n->op.done < len;
    if (stuck &&
        ((n->fw->full == NINA_FULL_10S && now_us < n->op.give_up_us) || n->fw->full == NINA_FULL_BLOCKS)) {
        return false;
    }
    if ((err != ADDER_OK && n->fw->full != NINA_FULL_BLOCKS) ||
        (n->fw->full == NINA_FULL_CLOSES && stuck && n->op.done == 0)) {
        nina_conn_close(n, &s->client);
    }
    nina_reply_u16le(n, (uint16_t)n->op.done);
    return true;
}

/* 1.x and 2.x hand over what fits and look no further; 3.x goes on for 30 s and closes what fails. */
static bool tls_send_step(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = &n->slots[n->op.slot];
    size_t len, written = 0;
    const uint8_t *data = nina_send_bytes(n, &len);
    const adder_err_t err = nina_tls_write(n, s->tls, data + n->op.done, len - n->op.done, &written);
    n->op.done += written;
    if (written > 0) {
        n->op.give_up_us = now_us + nina_scaled(n, TLS_PROGRESS_US);
    }
    if (n->fw->full == NINA_FULL_10S) {
        if (err == ADDER_OK && n->op.done < len && now_us < n->op.give_up_us) {
            return false;
        }
        if (n->op.done < len) {
            nina_tls_close(n, &s->tls);
            n->op.done = 0;
        }
    }
    nina_reply_u16le(n, (uint16_t)n->op.done);
    return true;
}

static nina_result_t begin_send(nina_t *n, bool (*step)(nina_t *n, uint64_t now_us), uint32_t progress_us,
                                uint64_t now_us)
{
    nina_op_cancel(n);
    n->op.slot = nina_u8(n, 5);
    n->op.give_up_us = now_us + nina_scaled(n, progress_us);
    if (step(n, now_us)) {
        return NINA_DONE;
    }
    n->step = step;
    return NINA_WAIT;
}

nina_result_t nina_send_data(nina_t *n, uint64_t now_us)
{
    nina_slot_t *s = nina_slot_at(n, 5);
    size_t len, written = 0;
    const uint8_t *data = nina_send_bytes(n, &len);
    if (s != NULL && s->kind == NINA_TCP && nina_server_up(n, s)) {
        written = nina_server_write(n, s, data, len);
    } else if (s != NULL && s->kind == NINA_TCP) {
        return begin_send(n, send_step, PROGRESS_US, now_us);
    } else if (s != NULL && s->kind == NINA_TLS) {
        return begin_send(n, tls_send_step, TLS_PROGRESS_US, now_us);
    }
    return nina_reply_u16le(n, (uint16_t)written);
}

/* ---- closing, state ---- */

nina_result_t nina_stop_client(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    if (s != NULL) {
        switch (s->kind) {
        case NINA_TCP:
            nina_conn_close(n, &s->client);
            break;
        case NINA_UDP:
            nina_conn_close(n, &s->udp.conn);
            if (n->fw->udp_opens) { /* its buffers go, too */
                s->udp.in_pos = s->udp.in_len = s->udp.out_len = 0;
                s->udp.writable = false;
            }
            break;
        case NINA_TLS:
            nina_tls_close(n, &s->tls);
            break;
        case NINA_FREE:
            break;
        }
        s->kind = NINA_FREE;
        s->was_connected = false;
    }
    return nina_reply_u8(n, 1);
}

/* 4 or 0. A slot answered 0 is free from then on, whatever else it holds; in 3.x only one that was opened
 * as a client. */
nina_result_t nina_client_state(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    if (s != NULL && ((s->kind == NINA_TCP && nina_client_connected(n, &s->client)) ||
                      (s->kind == NINA_TLS && nina_tls_connected(n, s->tls)))) {
        return nina_reply_u8(n, 4);
    }
    if (s != NULL && (n->fw->state_frees_all || s->was_connected)) {
        s->kind = NINA_FREE;
        s->was_connected = false;
    }
    return nina_reply_u8(n, 0);
}

nina_result_t nina_get_socket(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    for (uint8_t i = 0; i < n->fw->slots; i++) {
        if (n->slots[i].kind == NINA_FREE) {
            n->slots[i].was_connected = false;
            return nina_reply_u8(n, i);
        }
    }
    return nina_reply_u8(n, 255);
}

/* The first that has something ends the look: datagrams of later slots are fetched next time. */
bool nina_data_waiting(nina_t *n)
{
    for (unsigned i = 0; i < n->fw->slots; i++) {
        nina_slot_t *s = &n->slots[i];
        if ((s->kind == NINA_TCP && nina_server_up(n, s) && nina_server_waiting(n, s)) ||
            (s->kind == NINA_TCP && nina_client_connected(n, &s->client) &&
             nina_client_available(n, s->client) > 0) ||
            (s->kind == NINA_UDP && (nina_udp_available(s) > 0 || nina_udp_fetch(n, s) > 0)) ||
            (s->kind == NINA_TLS && nina_tls_available(n, s->tls) > 0)) {
            return true;
        }
    }
    return false;
}
