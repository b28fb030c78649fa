/* For tests of the ESP32 model's sockets: peers on this computer, and what a driver asks. */
#ifndef SIM_CHIPS_ESP32_NINA_PEER_H
#define SIM_CHIPS_ESP32_NINA_PEER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/chips/esp32_nina_bench.h"

static inline unsigned u16(void)
{
    return (unsigned)(r.data[0][0] | r.data[0][1] << 8);
}

/* ---- peers ---- */

typedef struct {
    int fd;
    uint16_t port;
    pthread_t thread;
} peer_t;

static inline void peer_bind(peer_t *p, int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
    p->port = ntohs(a.sin_port);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(p->fd, 4), 0);
    }
}

/* Echoes one connection to its end. */
static inline void *tcp_echo(void *arg)
{
    const peer_t *p = arg;
    const int fd = accept(p->fd, NULL, NULL);
    char buf[4096];
    ssize_t got;
    while (fd >= 0 && (got = recv(fd, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const ssize_t sent = send(fd, buf + at, (size_t)(got - at), MSG_NOSIGNAL);
            if (sent <= 0) {
                break;
            }
            at += sent;
        }
    }
    (void)close(fd);
    return NULL;
}

static inline void peer_start(peer_t *p, void *(*run)(void *))
{
    peer_bind(p, SOCK_STREAM);
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

static inline void peer_stop(peer_t *p)
{
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->fd);
}

/* ---- the chip's side ---- */

#define BE(port) P((uint8_t)((port) >> 8), (uint8_t)(port))

static inline uint8_t get_socket(void)
{
    assert_int_equal(CALL0(&bench, 0x3F, &r), 1);
    return r.data[0][0];
}

static inline int start_client(uint8_t slot, uint16_t port, uint8_t mode)
{
    return CALL(&bench, 0x2D, &r, P(127, 0, 0, 1), BE(port), P(slot), P(mode));
}

static inline unsigned chip_send(uint8_t slot, const void *data, size_t len)
{
    assert_int_equal(CALL_WIDE(&bench, 0x44, 1, &r, P(slot), ((param_t){data, len})), 1);
    return u16();
}

static inline size_t chip_recv(uint8_t slot, size_t cap, void *out)
{
    assert_int_equal(CALL_WIDE(&bench, 0x45, 2, &r, P(slot), P((uint8_t)cap, (uint8_t)(cap >> 8))), 1);
    memcpy(out, r.data[0], r.len[0]);
    return r.len[0];
}

static inline unsigned wait_available(uint8_t slot, unsigned none)
{
    unsigned n = none;
    for (int i = 0; i < 5000 && n == none; i++) {
        assert_int_equal(CALL(&bench, 0x2B, &r, P(slot)), 1);
        n = u16();
        nanosleep(&(struct timespec){.tv_nsec = n == none ? 1000000 : 0}, NULL);
    }
    return n;
}

static inline unsigned client_state(uint8_t slot)
{
    assert_int_equal(CALL(&bench, 0x2F, &r, P(slot)), 1);
    return r.data[0][0];
}

static inline uint16_t served_port(void)
{
    const char *line = strstr(bench.log, "is 127.0.0.1:");
    assert_non_null(line);
    return (uint16_t)atoi(line + strlen("is 127.0.0.1:"));
}

/* A connection of this computer to a server of the board. */
static inline int connect_to(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* A chip with this firmware that has joined "home"; `network` is more members of the network. */
static inline bool open_joined(const char *firmware, const char *network)
{
    char text[800];
    (void)snprintf(
        text, sizeof text,
        "{\"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\"}], \"outside\": false,"
        " \"speed\": 10%s%s}",
        network[0] != '\0' ? ", " : "", network);
    return open_chip(firmware, text) && host_join(&bench, "home", "secret123", &r) == 3;
}

#endif
