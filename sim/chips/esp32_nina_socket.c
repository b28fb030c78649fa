/* The firmware's socket slots. A slot has one of each: TCP client, UDP, TLS, server; its kind says
 * which one most commands mean. Opening over an open one loses the old socket, as in the firmware:
 * it stays open until reset and is counted as leaked. */
#include <string.h>

#include "sim/chips/esp32_nina.h"

enum { SEND_HEADER = 8, READ_MAX = NINA_BUF - 6 };

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
    if (i < NINA_SLOTS) {
        return &n->slots[i];
    }
    sim_chip_log(&n->chip, "%s: there is no socket %u", n->command->name, i);
    n->count.errors++;
    return NULL;
}

/* ---- TCP client ---- */

/* WiFiClient.connected(): looks, and forgets a socket that is gone. */
static bool client_connected(nina_t *n, nina_ref_t *ref)
{
    nina_conn_t *c = nina_conn(n, *ref);
    if (c == NULL) {
        *ref = NINA_NO_CONN;
        return false;
    }
    if (nina_conn_available(n, c) == 0 && c->gone) {
        nina_conn_close(n, ref);
        return false;
    }
    return true;
}

static uint16_t client_available(nina_t *n, nina_ref_t ref)
{
    nina_conn_t *c = nina_conn(n, ref);
    return c != NULL ? nina_conn_available(n, c) : 0;
}

static size_t client_read(nina_t *n, nina_ref_t ref, uint8_t *out, size_t cap, bool peek)
{
    nina_conn_t *c = nina_conn(n, ref);
    return c != NULL ? nina_conn_read(n, c, out, cap, peek) : 0;
}

static size_t client_write(nina_t *n, nina_ref_t *ref, const uint8_t *data, size_t len)
{
    nina_conn_t *c = nina_conn(n, *ref);
    size_t written = 0;
    if (c != NULL && nina_conn_write(n, c, data, len, &written) != ADDER_OK) {
        nina_conn_close(n, ref);
        return 0;
    }
    return written;
}

void nina_slot_lose(nina_t *n, nina_ref_t *ref)
{
    if (nina_conn(n, *ref) != NULL) {
        n->count.leaked++;
        sim_chip_log(&n->chip, "%s: the slot's open socket is lost until the next reset", n->command->name);
    }
    *ref = NINA_NO_CONN;
}

/* ---- UDP ---- */

static uint16_t udp_available(const nina_slot_t *s)
{
    return (uint16_t)(s->udp.in_len - s->udp.in_pos);
}

static uint16_t udp_fetch(nina_t *n, nina_slot_t *s)
{
    nina_conn_t *c = nina_conn(n, s->udp.conn);
    size_t len = 0;
    sim_endpoint_t from;
    s->udp.in_pos = s->udp.in_len = 0;
    if (c == NULL || !nina_conn_from(n, c, s->udp.in, sizeof s->udp.in, &len, &from)) {
        return 0;
    }
    s->udp.in_len = (uint16_t)len;
    memcpy(s->udp.peer, from.ip4, 4);
    s->udp.port = from.port;
    return s->udp.in_len;
}

static size_t udp_read(nina_slot_t *s, uint8_t *out, size_t cap)
{
    const size_t take = cap < udp_available(s) ? cap : udp_available(s);
    memcpy(out, s->udp.in + s->udp.in_pos, take);
    s->udp.in_pos = (uint16_t)(s->udp.in_pos + take);
    return take;
}

/* ---- servers ---- */

static bool server_up(nina_t *n, const nina_slot_t *s)
{
    return s->server.port != 0 && nina_conn(n, s->server.conn) != NULL;
}

/* WiFiServer.available(): takes one newcomer, then answers the first client that has sent data. */
static nina_ref_t server_available(nina_t *n, nina_slot_t *s)
{
    nina_conn_t *listener = nina_conn(n, s->server.conn);
    const nina_ref_t fresh = listener != NULL ? nina_conn_accept(n, listener) : NINA_NO_CONN;
    for (int i = 0; fresh != NINA_NO_CONN && i < NINA_CONNS; i++) {
        if (nina_conn(n, s->server.spawned[i]) == NULL) {
            s->server.spawned[i] = fresh;
            break;
        }
    }
    for (int i = 0; i < NINA_CONNS; i++) {
        nina_ref_t *ref = &s->server.spawned[i];
        if (*ref != NINA_NO_CONN && client_connected(n, ref) && client_available(n, *ref) > 0) {
            return *ref;
        }
    }
    return NINA_NO_CONN;
}

nina_result_t nina_start_server(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const size_t at = nina_u8(n, 2) == 3 ? 4 : 9;
    const uint16_t port = nina_u16be(n, at);
    const uint8_t mode = nina_u8(n, at + 5);
    nina_slot_t *s = nina_slot_at(n, at + 3);
    if (s == NULL) {
        return NINA_CRASH;
    }
    if (mode == 0) {
        nina_slot_lose(n, &s->server.conn);
        memset(&s->server, 0, sizeof s->server);
        s->server.port = port;
        s->server.conn = nina_conn_open(n, true);
        nina_conn_t *c = nina_conn(n, s->server.conn);
        if (c != NULL && nina_conn_bind(n, c, port, "server") != ADDER_OK) {
            nina_conn_close(n, &s->server.conn);
        }
        s->kind = NINA_TCP;
        return nina_reply_u8(n, 1); /* whether it listens or not */
    }
    if (mode != 1 && mode != 3) {
        return nina_reply_u8(n, 0);
    }
    nina_slot_lose(n, &s->udp.conn);
    s->udp.conn = nina_conn_open(n, false);
    nina_conn_t *c = nina_conn(n, s->udp.conn);
    if (c == NULL || nina_conn_bind(n, c, port, "UDP") != ADDER_OK) {
        nina_conn_close(n, &s->udp.conn);
        return nina_reply_u8(n, 0);
    }
    if (mode == 3) {
        uint8_t group[4];
        nina_bytes(n, 4, group, 4);
        if (!nina_conn_join_group(c, group)) {
            sim_chip_log(&n->chip, "cannot join the multicast group %u.%u.%u.%u", group[0], group[1],
                         group[2], group[3]);
        }
    }
    s->kind = NINA_UDP;
    return nina_reply_u8(n, 1);
}

nina_result_t nina_state_tcp(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const nina_slot_t *s = nina_slot_at(n, 4);
    return nina_reply_u8(n, s != NULL && server_up(n, s));
}

/* ---- reading ---- */

static uint16_t server_slot(nina_t *n, nina_slot_t *s)
{
    const nina_ref_t ref = server_available(n, s);
    if (ref == NINA_NO_CONN) {
        return 255;
    }
    for (int i = 0; i < NINA_SLOTS; i++) {
        if (&n->slots[i] != s && n->slots[i].kind == NINA_TCP && n->slots[i].client == ref) {
            return (uint16_t)i;
        }
    }
    for (int i = 0; i < NINA_SLOTS; i++) {
        if (&n->slots[i] != s && n->slots[i].kind == NINA_FREE) {
            n->slots[i].kind = NINA_TCP;
            n->slots[i].client = ref;
            return (uint16_t)i;
        }
    }
    return 255;
}

nina_result_t nina_avail_data(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    uint16_t available = 0;
    if (s == NULL) {
        return nina_reply_u16le(n, 0);
    }
    switch (s->kind) {
    case NINA_TCP:
        available = server_up(n, s) ? server_slot(n, s) : client_available(n, s->client);
        break;
    case NINA_UDP:
        available = udp_available(s) > 0 ? udp_available(s) : udp_fetch(n, s);
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
        if (udp_available(s) > 0) {
            byte = s->udp.in[s->udp.in_pos];
            s->udp.in_pos = (uint16_t)(s->udp.in_pos + !peek);
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
    const size_t size = (size_t)(nina_u8(n, 8) | nina_u8(n, 9) << 8);
    const size_t cap = size < READ_MAX ? size : READ_MAX;
    nina_reply(n, 1);
    uint8_t *to = n->tx + 5; /* read in place, behind the 16-bit length */
    size_t got = 0, waiting = 0;
    switch (s != NULL ? s->kind : NINA_FREE) {
    case NINA_TCP:
        waiting = client_available(n, s->client);
        got = client_read(n, s->client, to, cap, false);
        break;
    case NINA_UDP:
        waiting = udp_available(s);
        got = udp_read(s, to, cap);
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

static const uint8_t *send_data(nina_t *n, size_t *len)
{
    *len = nina_u16be(n, 6);
    if (*len > NINA_BUF - SEND_HEADER) {
        sim_chip_log(&n->chip, "%s: %zu bytes do not fit a command", n->command->name, *len);
        *len = NINA_BUF - SEND_HEADER;
    }
    return n->rx + SEND_HEADER;
}

nina_result_t nina_send_data(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 5);
    size_t len, written = 0;
    const uint8_t *data = send_data(n, &len);
    if (s != NULL && s->kind == NINA_TCP && server_up(n, s)) {
        for (int i = 0; i < NINA_CONNS; i++) { /* a server writes to all its clients */
            written += client_write(n, &s->server.spawned[i], data, len);
        }
    } else if (s != NULL && s->kind == NINA_TCP) {
        written = client_write(n, &s->client, data, len);
    } else if (s != NULL && s->kind == NINA_TLS) {
        written = nina_tls_write(n, s->tls, data, len);
    }
    return nina_reply_u16le(n, (uint16_t)written);
}

nina_result_t nina_insert_databuf(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 5);
    size_t len;
    const uint8_t *data = send_data(n, &len);
    if (s == NULL) {
        return NINA_CRASH;
    }
    if (len > (size_t)(NINA_UDP_MAX - s->udp.out_len)) {
        sim_chip_log(&n->chip, "insert_databuf: a datagram of more than %d bytes overruns its buffer",
                     NINA_UDP_MAX);
        return NINA_CRASH;
    }
    memcpy(s->udp.out + s->udp.out_len, data, len);
    s->udp.out_len = (uint16_t)(s->udp.out_len + len);
    return nina_reply_u8(n, len > 0);
}

nina_result_t nina_send_udp(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    nina_conn_t *c = s != NULL ? nina_conn(n, s->udp.conn) : NULL;
    if (c == NULL) {
        return nina_reply_u8(n, 0);
    }
    sim_endpoint_t to = {.port = s->udp.port};
    memcpy(to.ip4, s->udp.peer, 4);
    return nina_reply_u8(n, nina_conn_to(n, c, s->udp.out, s->udp.out_len, &to));
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
            break;
        case NINA_TLS:
            nina_tls_close(n, &s->tls);
            break;
        case NINA_FREE:
            break;
        }
        s->kind = NINA_FREE;
    }
    return nina_reply_u8(n, 1);
}

/* 4 or 0, and a slot answered 0 is free from then on, whatever else it holds. */
nina_result_t nina_client_state(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 4);
    if (s != NULL && ((s->kind == NINA_TCP && client_connected(n, &s->client)) ||
                      (s->kind == NINA_TLS && nina_tls_connected(n, s->tls)))) {
        return nina_reply_u8(n, 4);
    }
    if (s != NULL) {
        s->kind = NINA_FREE;
    }
    return nina_reply_u8(n, 0);
}

nina_result_t nina_get_socket(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    for (uint8_t i = 0; i < NINA_SLOTS; i++) {
        if (n->slots[i].kind == NINA_FREE) {
            return nina_reply_u8(n, i);
        }
    }
    return nina_reply_u8(n, 255);
}

bool nina_data_waiting(nina_t *n)
{
    for (int i = 0; i < NINA_SLOTS; i++) {
        nina_slot_t *s = &n->slots[i];
        if ((s->kind == NINA_TCP && server_up(n, s) && server_available(n, s) != NINA_NO_CONN) ||
            (s->kind == NINA_TCP && client_connected(n, &s->client) && client_available(n, s->client) > 0) ||
            (s->kind == NINA_UDP && (udp_available(s) > 0 || udp_fetch(n, s) > 0)) ||
            (s->kind == NINA_TLS && nina_tls_available(n, s->tls) > 0)) {
            return true;
        }
    }
    return false;
}
