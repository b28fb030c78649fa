/* Slots that listen. What 2Bh tells of them is the firmware's: 1.x and 2.x list the first client that has
 * sent something, 3.x every one as it comes, and closes it when it has no slot for it. No command stops a
 * server; 2Eh only takes its slot away. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

bool nina_server_up(nina_t *n, const nina_slot_t *s)
{
    return s->server.port != 0 && nina_conn(n, s->server.conn) != NULL;
}

/* The newcomer that raised GPIO0, else the next one. */
static nina_ref_t newcomer(nina_t *n, nina_slot_t *s)
{
    nina_conn_t *listener = nina_conn(n, s->server.conn);
    const nina_ref_t waiting = s->server.pending;
    s->server.pending = NINA_NO_CONN;
    if (nina_conn(n, waiting) != NULL) {
        return waiting;
    }
    return listener != NULL ? nina_conn_accept(n, listener) : NINA_NO_CONN;
}

/* WiFiServer.available(): takes one newcomer (`fresh`), then answers the first client that has sent data. */
static nina_ref_t first_with_data(nina_t *n, nina_slot_t *s, nina_ref_t fresh)
{
    for (int i = 0; fresh != NINA_NO_CONN && i < NINA_CONNS; i++) {
        if (nina_conn(n, s->server.spawned[i]) == NULL) {
            s->server.spawned[i] = fresh;
            break;
        }
    }
    for (int i = 0; i < NINA_CONNS; i++) {
        nina_ref_t *ref = &s->server.spawned[i];
        if (*ref != NINA_NO_CONN && nina_client_connected(n, ref) && nina_client_available(n, *ref) > 0) {
            return *ref;
        }
    }
    return NINA_NO_CONN;
}

/* Accepts ahead of the host: what GPIO0 tells of stays for the next 2Bh. 1.x looks for data only. */
bool nina_server_waiting(nina_t *n, nina_slot_t *s)
{
    if (!n->fw->accept_byte) {
        return first_with_data(n, s, newcomer(n, s)) != NINA_NO_CONN;
    }
    nina_conn_t *listener = nina_conn(n, s->server.conn);
    if (nina_conn(n, s->server.pending) == NULL && listener != NULL) {
        s->server.pending = nina_conn_accept(n, listener);
    }
    /* One that comes just now waits for the next look: taken here, no 2Bh that asks for newcomers would tell
     * of it. */
    return nina_conn(n, s->server.pending) != NULL ||
           (!n->fw->lists_silent && first_with_data(n, s, NINA_NO_CONN) != NINA_NO_CONN);
}

static nina_slot_t *free_slot(nina_t *n, const nina_slot_t *but)
{
    for (unsigned i = 0; i < n->fw->slots; i++) {
        if (&n->slots[i] != but && n->slots[i].kind == NINA_FREE) {
            return &n->slots[i];
        }
    }
    return NULL;
}

static uint16_t give_slot(nina_t *n, nina_slot_t *to, nina_ref_t ref)
{
    nina_slot_lose(n, &to->client);
    to->kind = NINA_TCP;
    to->client = ref;
    return (uint16_t)(to - n->slots);
}

uint16_t nina_server_poll(nina_t *n, nina_slot_t *s, bool accept)
{
    nina_slot_t *to = free_slot(n, accept ? NULL : s);
    if (accept) { /* every newcomer once; without a slot it stays in the backlog */
        const nina_ref_t ref = to != NULL ? newcomer(n, s) : NINA_NO_CONN;
        return ref != NINA_NO_CONN ? give_slot(n, to, ref) : 255;
    }
    nina_ref_t ref = n->fw->lists_silent ? newcomer(n, s) : first_with_data(n, s, newcomer(n, s));
    if (ref == NINA_NO_CONN) {
        return 255;
    }
    for (unsigned i = 0; i < n->fw->slots; i++) {
        if (&n->slots[i] != s && n->slots[i].kind == NINA_TCP && n->slots[i].client == ref) {
            return (uint16_t)i;
        }
    }
    if (to != NULL) {
        return give_slot(n, to, ref);
    }
    if (n->fw->lists_silent) {
        sim_chip_log(&n->chip, "a client is turned away: no slot is free");
        nina_conn_close(n, &ref);
    }
    return 255;
}

/* 1.x and 2.x: to all clients, as much as each takes. 3.x writes to the client of the server's own slot,
 * which has none. */
size_t nina_server_write(nina_t *n, nina_slot_t *s, const uint8_t *data, size_t len)
{
    size_t total = 0;
    for (int i = 0; i < NINA_CONNS && !n->fw->lists_silent; i++) {
        nina_conn_t *c = nina_conn(n, s->server.spawned[i]);
        size_t written = 0;
        if (c == NULL) {
            continue;
        }
        const adder_err_t err = nina_conn_write(n, c, data, len, &written);
        if (err != ADDER_OK || (written == 0 && len > 0 && n->fw->full == NINA_FULL_CLOSES)) {
            nina_conn_close(n, &s->server.spawned[i]);
        }
        total += written;
    }
    return total;
}

/* ---- commands ---- */

static nina_result_t start_tcp(nina_t *n, nina_slot_t *s, uint16_t port)
{
    if (n->fw->sta_status && nina_server_up(n, s)) { /* begin() of a server that listens does nothing */
        s->kind = NINA_TCP;
        return nina_reply_u8(n, 1);
    }
    nina_slot_lose(n, &s->server.conn);
    const nina_ref_t pending = s->server.pending;
    memset(&s->server, 0, sizeof s->server);
    s->server.pending = pending;
    s->server.port = port;
    s->server.conn = nina_conn_open(n, true);
    nina_conn_t *c = nina_conn(n, s->server.conn);
    if (c != NULL && (nina_conn_bind(n, c, port, "server") != ADDER_OK ||
                      nina_conn_listen(n, c, n->fw->backlog) != ADDER_OK)) {
        nina_conn_close(n, &s->server.conn);
    }
    const bool up = nina_conn(n, s->server.conn) != NULL;
    if (n->fw->server_tells && !up) {
        return nina_reply_u8(n, 0);
    }
    s->kind = NINA_TCP;
    return nina_reply_u8(n, 1); /* 1.x: whether it listens or not */
}

static nina_result_t start_udp(nina_t *n, nina_slot_t *s, uint16_t port, const uint8_t *group)
{
    if (n->fw->udp_opens) { /* begin() stops what was there */
        nina_conn_close(n, &s->udp.conn);
        s->udp.in_pos = s->udp.in_len = s->udp.out_len = 0;
        s->udp.writable = true;
    }
    nina_slot_lose(n, &s->udp.conn);
    s->udp.conn = nina_conn_open(n, false);
    nina_conn_t *c = nina_conn(n, s->udp.conn);
    if (c == NULL || nina_conn_bind(n, c, port, "UDP") != ADDER_OK) {
        nina_conn_close(n, &s->udp.conn);
        return nina_reply_u8(n, 0);
    }
    if (group != NULL && !nina_conn_join_group(c, group)) {
        sim_chip_log(&n->chip, "cannot join the multicast group %u.%u.%u.%u", group[0], group[1], group[2],
                     group[3]);
        if (n->fw->udp_opens) {
            nina_conn_close(n, &s->udp.conn);
            return nina_reply_u8(n, 0);
        }
    }
    s->kind = NINA_UDP;
    return nina_reply_u8(n, 1);
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
    uint8_t group[4];
    nina_bytes(n, 4, group, 4);
    switch (mode) {
    case 0:
        return start_tcp(n, s, port);
    case 1:
        return start_udp(n, s, port, NULL);
    case 3:
        return start_udp(n, s, port, group);
    default:
        return nina_reply_u8(n, 0);
    }
}

nina_result_t nina_state_tcp(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const nina_slot_t *s = nina_slot_at(n, 4);
    return nina_reply_u8(n, s != NULL && nina_server_up(n, s));
}
