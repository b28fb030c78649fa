/* Slots with datagrams: one going out under construction, one come in at a time.
 *
 * 1.x and 2.x need both commands: 2Dh stores the peer, 28h binds the socket without which nothing is sent
 * either. 3.x opens a socket with 2Dh; a reply finds it there. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

uint16_t nina_udp_available(const nina_slot_t *s)
{
    return (uint16_t)(s->udp.in_len - s->udp.in_pos);
}

uint16_t nina_udp_fetch(nina_t *n, nina_slot_t *s)
{
    nina_conn_t *c = nina_conn(n, s->udp.conn);
    size_t len = 0;
    sim_endpoint_t from;
    s->udp.in_pos = s->udp.in_len = 0;
    if (c == NULL || !nina_conn_from(n, c, s->udp.in, n->fw->udp_max, &len, &from)) {
        return 0;
    }
    s->udp.in_len = (uint16_t)len;
    memcpy(s->udp.peer, from.ip4, 4);
    s->udp.port = from.port;
    return s->udp.in_len;
}

size_t nina_udp_read(nina_slot_t *s, uint8_t *out, size_t cap, bool peek)
{
    const size_t take = cap < nina_udp_available(s) ? cap : nina_udp_available(s);
    memcpy(out, s->udp.in + s->udp.in_pos, take);
    s->udp.in_pos = (uint16_t)(s->udp.in_pos + (peek ? 0 : take));
    return take;
}

/* 2Dh with an address, looked up or given. */
nina_result_t nina_udp_open(nina_t *n, nina_slot_t *s, const uint8_t ip4[4], uint16_t port)
{
    memcpy(s->udp.peer, ip4, 4);
    s->udp.port = port;
    s->udp.out_len = 0;
    if (n->fw->udp_opens) {
        if (port == 0) {
            return nina_reply_none(n);
        }
        if (nina_conn(n, s->udp.conn) == NULL) {
            s->udp.conn = nina_conn_open(n, false);
        }
        s->udp.writable = true;
        if (nina_conn(n, s->udp.conn) == NULL) {
            return nina_reply_none(n);
        }
    }
    s->kind = NINA_UDP;
    return nina_reply_u8(n, 1);
}

static bool send_datagram(nina_t *n, nina_slot_t *s)
{
    nina_conn_t *c = nina_conn(n, s->udp.conn);
    sim_endpoint_t to = {.port = s->udp.port};
    memcpy(to.ip4, s->udp.peer, 4);
    return c != NULL && nina_conn_to(n, c, s->udp.out, s->udp.out_len, &to);
}

/* 3.x appends byte by byte, and sends what it has when the buffer is full. */
static nina_result_t append(nina_t *n, nina_slot_t *s, const uint8_t *data, size_t len)
{
    if (!s->udp.writable && len > 0) {
        sim_chip_log(&n->chip, "insert_databuf: the slot has no datagram buffer yet: a null pointer");
        return NINA_CRASH;
    }
    while (len > 0) {
        if (s->udp.out_len >= n->fw->udp_max) {
            (void)send_datagram(n, s);
            s->udp.out_len = 0;
        }
        const size_t room = (size_t)(n->fw->udp_max - s->udp.out_len);
        const size_t take = len < room ? len : room;
        memcpy(s->udp.out + s->udp.out_len, data, take);
        s->udp.out_len = (uint16_t)(s->udp.out_len + take);
        data += take;
        len -= take;
    }
    return NINA_DONE;
}

nina_result_t nina_insert_databuf(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_slot_t *s = nina_slot_at(n, 5);
    size_t len;
    const uint8_t *data = nina_send_bytes(n, &len);
    if (s == NULL) {
        return NINA_CRASH;
    }
    if (n->fw->udp_opens) {
        const nina_result_t result = append(n, s, data, len);
        return result == NINA_DONE ? nina_reply_u8(n, len > 0) : result;
    }
    if (len > (size_t)(n->fw->udp_max - s->udp.out_len)) {
        sim_chip_log(&n->chip, "insert_databuf: a datagram of more than %u bytes overruns its buffer",
                     n->fw->udp_max);
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
    return nina_reply_u8(n, s != NULL && send_datagram(n, s));
}
