/* The peer: a client of 3.1.1 with a session, which publishes to the device and hears it. It never dies, so
 * its half of the session is plain memory. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chaos.h"

enum { WINDOW = 12, IN = 4096, OUT = 8192, OUT_ROOM = 512, RETRY_MS = 30, ANSWER_MS = 3000, PING_MS = 1000 };
enum { FREE, TO_SEND, SENT, TO_RELEASE, RELEASED };

static struct {
    char id[12];
    uint16_t port;
    int fd;
    bool connecting, on, subscribed;
    uint32_t since, heard, pinged;
    struct {
        uint8_t state, qos;
        bool dup;
        uint16_t id;
        uint32_t number;
    } slots[WINDOW]; /* in order */
    unsigned n;
    uint16_t next_id;
    bool held[65536]; /* ids of QoS 2 that came */
    uint8_t in[IN], out[OUT];
    size_t in_len, out_len;
} p;

static void put(const void *bytes, size_t len)
{
    if (len > sizeof p.out - p.out_len) {
        fail("the peer has too much to say");
    }
    memcpy(p.out + p.out_len, bytes, len);
    p.out_len += len;
}

static void put_ack(unsigned type, unsigned id)
{
    put((const uint8_t[]){(uint8_t)type, 2, (uint8_t)(id >> 8), (uint8_t)id}, 4);
}

static void put_publish(unsigned at)
{
    uint8_t payload[MESSAGE_MAX], head[16];
    const size_t len = message_make(payload, p.slots[at].number), rest = 2 + 6 + 2 + len;
    size_t n = 0;
    head[n++] = (uint8_t)(0x30 | (p.slots[at].dup ? 8 : 0) | p.slots[at].qos << 1);
    if (rest > 127) {
        head[n++] = (uint8_t)(rest | 128);
    }
    head[n++] = (uint8_t)(rest > 127 ? rest >> 7 : rest);
    memcpy(head + n, p.slots[at].qos == 1 ? "\0\6down/1" : "\0\6down/2", 8);
    n += 8;
    head[n++] = (uint8_t)(p.slots[at].id >> 8);
    head[n++] = (uint8_t)p.slots[at].id;
    put(head, n);
    put(payload, len);
}

static void lose(void)
{
    if (p.fd >= 0) {
        close(p.fd);
    }
    p.fd = -1;
    p.connecting = p.on = false;
    p.in_len = p.out_len = 0;
    p.since = now_ms();
    for (unsigned i = 0; i < p.n; i++) {
        p.slots[i].dup = p.slots[i].dup || p.slots[i].state == SENT;
        p.slots[i].state = p.slots[i].state >= TO_RELEASE ? TO_RELEASE : TO_SEND;
    }
}

static void connect_now(void)
{
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(p.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    p.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    p.since = p.heard = p.pinged = now_ms();
    if (p.fd < 0 || (connect(p.fd, (const struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS)) {
        lose();
        return;
    }
    setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p.connecting = true;
    const size_t id = strlen(p.id);
    uint8_t head[14] = {0x10, (uint8_t)(12 + id), 0, 4, 'M', 'Q', 'T', 'T', 4, 0, 0, 60, 0, (uint8_t)id};
    put(head, 14);
    put(p.id, id);
}

/* ---- what comes ---- */

static int slot_of(unsigned id)
{
    for (unsigned i = 0; i < p.n; i++) {
        if (p.slots[i].id == id) {
            return (int)i;
        }
    }
    return -1;
}

static void drop_slot(unsigned at)
{
    p.n--;
    memmove(&p.slots[at], &p.slots[at + 1], (p.n - at) * sizeof p.slots[0]);
}

static void take_connack(const uint8_t *b)
{
    if (b[1] != 0) {
        fail("the peer is refused: %u", b[1]);
    }
    p.on = true;
    if (b[0] == 0) { /* no session: what is on its way begins anew */
        memset(p.held, 0, sizeof p.held);
        p.subscribed = false;
        for (unsigned i = 0; i < p.n;) {
            p.slots[i].dup = false;
            if (p.slots[i].state == TO_RELEASE) {
                drop_slot(i);
            } else {
                i++;
            }
        }
    }
    if (!p.subscribed) {
        put("\x82\x09\xff\xff\0\4up/#\2", 11);
    }
}

static void take_publish(uint8_t first, const uint8_t *b, const uint8_t *end)
{
    const unsigned qos = first >> 1 & 3;
    const size_t topic = (size_t)(b[0] << 8 | b[1]);
    if (qos == 0 || topic != 4 || memcmp(b + 2, qos == 1 ? "up/1" : "up/2", 4) != 0) {
        fail("the peer got what nobody sent");
    }
    const unsigned id = (unsigned)(b[6] << 8 | b[7]);
    if (qos == 1 || !p.held[id]) {
        ledger_arrives(UP, qos, b + 8, (size_t)(end - b) - 8);
    }
    p.held[id] = p.held[id] || qos == 2;
    put_ack(qos == 1 ? 0x40 : 0x50, id);
}

static void take_packet(uint8_t first, const uint8_t *b, const uint8_t *end)
{
    const unsigned id = end - b >= 2 ? (unsigned)(b[0] << 8 | b[1]) : 0;
    const int at = slot_of(id);
    switch (first >> 4) {
    case 2:
        take_connack(b);
        break;
    case 3:
        take_publish(first, b, end);
        break;
    case 4:
    case 7:
        if (at >= 0 && p.slots[at].state == (first >> 4 == 4 ? SENT : RELEASED)) {
            drop_slot((unsigned)at);
        }
        break;
    case 5:
        if (at >= 0) {
            p.slots[at].state = RELEASED;
        }
        put_ack(0x62, id);
        break;
    case 6:
        p.held[id] = false;
        put_ack(0x70, id);
        break;
    case 9:
        p.subscribed = b[2] <= 2;
        break;
    default:
        break;
    }
}

static void take_bytes(void)
{
    size_t at = 0;
    while (p.fd >= 0 && p.in_len - at >= 2 && sizeof p.out - p.out_len >= OUT_ROOM) {
        const uint8_t *b = p.in + at;
        const bool wide = b[1] > 127;
        const size_t head = wide ? 3 : 2;
        if (p.in_len - at < head) {
            break;
        }
        const size_t rest = wide ? (size_t)((b[1] & 127) | b[2] << 7) : b[1];
        if (p.in_len - at < head + rest) {
            break;
        }
        take_packet(b[0], b + head, b + head + rest);
        at += head + rest;
    }
    memmove(p.in, p.in + at, p.in_len - at);
    p.in_len -= at;
}

/* ---- turns ---- */

void peer_init(const char *id, uint16_t port)
{
    memset(&p, 0, sizeof p);
    snprintf(p.id, sizeof p.id, "%s", id);
    p.port = port;
    p.fd = -1;
}

bool peer_ready(void)
{
    return p.on && p.subscribed;
}

unsigned peer_under_way(void)
{
    return p.n;
}

bool peer_publish(unsigned qos, uint32_t number)
{
    if (p.n == WINDOW) {
        return false;
    }
    do {
        p.next_id = p.next_id >= 60000 ? 1 : (uint16_t)(p.next_id + 1);
    } while (slot_of(p.next_id) >= 0);
    p.slots[p.n].state = TO_SEND;
    p.slots[p.n].qos = (uint8_t)qos;
    p.slots[p.n].dup = false;
    p.slots[p.n].id = p.next_id;
    p.slots[p.n].number = number;
    p.n++;
    return true;
}

static void say(void)
{
    for (unsigned i = 0; p.on && i < p.n && sizeof p.out - p.out_len >= OUT_ROOM; i++) {
        if (p.slots[i].state == TO_SEND) {
            put_publish(i);
            p.slots[i].state = SENT;
        } else if (p.slots[i].state == TO_RELEASE) {
            put_ack(0x62, p.slots[i].id);
            p.slots[i].state = RELEASED;
        }
    }
    const uint32_t now = now_ms();
    if (p.on && now - p.pinged >= PING_MS && sizeof p.out - p.out_len >= OUT_ROOM) {
        put("\xc0", 2);
        p.pinged = now;
    }
    if (p.fd >= 0 && now - p.heard >= ANSWER_MS) {
        lose();
    }
}

static void move_bytes(short events)
{
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        const ssize_t n = recv(p.fd, p.in + p.in_len, sizeof p.in - p.in_len, 0);
        if (n > 0) {
            p.in_len += (size_t)n;
            p.heard = now_ms();
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            take_bytes(); /* what came before the end counts */
            lose();
            return;
        }
    }
    take_bytes();
    say();
    if (p.fd >= 0 && p.out_len > 0 && (!p.connecting || (events & POLLOUT) != 0)) {
        p.connecting = false;
        const ssize_t n = send(p.fd, p.out, p.out_len, MSG_NOSIGNAL);
        if (n > 0) {
            memmove(p.out, p.out + n, p.out_len - (size_t)n);
            p.out_len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            lose();
        }
    }
}

void peer_turn(waits_t *w, const waits_t *ready)
{
    if (p.fd < 0 && now_ms() - p.since >= RETRY_MS) {
        connect_now();
    }
    short events = 0;
    for (unsigned i = 0; i < ready->n; i++) {
        events = (short)(events | (ready->fds[i].fd == p.fd ? ready->fds[i].revents : 0));
    }
    if (p.fd >= 0) {
        move_bytes(events);
    }
    if (p.fd >= 0) {
        wait_for_fd(w, p.fd, true, p.out_len > 0 || p.connecting);
    } else {
        wait_ms(w, RETRY_MS);
    }
}

void peer_close(void)
{
    lose();
}
