/* The stack over this computer's sockets, against plain sockets on loopback: an independent other end. For
 * the tests of the stack; each file of them has its own. */
#ifndef PORTS_POSIX_NET_POSIX_BENCH_H
#define PORTS_POSIX_NET_POSIX_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"

enum { SLOTS = 8, AGAIN = ADDER_ERR_AGAIN };

static adder_posix_sock_t slots[SLOTS];
static adder_posix_net_t posix;
static adder_net_t net;
static const adder_net_ops_t *ops;

static inline void begin_with(const adder_posix_hooks_t *hooks)
{
    adder_posix_net_config_t c = {
        .slots = slots, .n_slots = SLOTS, .hooks = hooks, .multicast_interface = if_nametoindex("lo")};
    assert_int_equal(adder_posix_net_init(&posix, &c), ADDER_OK);
    net = adder_posix_net(&posix);
    ops = net.ops;
}

static inline int begin(void **state)
{
    (void)state;
    begin_with(NULL);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    adder_posix_net_deinit(&posix);
    return 0;
}

/* As the pump: wait for the signal, then tick. Fails rather than hang. */
static inline void pump(void)
{
    adder_net_wants_t wants;
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
    if (wants.wait_us == 0)
        return;
    struct pollfd p = {.fd = (int)wants.signal, .events = POLLIN};
    int ms = wants.wait_us == ADDER_NET_FOREVER ? 20000 : (int)(wants.wait_us / 1000);
    int n = poll(&p, 1, ms);
    if (n == 0 && wants.wait_us == ADDER_NET_FOREVER)
        fail_msg("nothing happened");
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
}

/* Repeat `expr` until it is not AGAIN. */
#define WAIT(expr)                                                                                           \
    (__extension__({                                                                                         \
        adder_err_t err_;                                                                                    \
        while ((err_ = (expr)) == ADDER_ERR_AGAIN)                                                           \
            pump();                                                                                          \
        err_;                                                                                                \
    }))

static inline adder_endpoint_t loopback(uint16_t port)
{
    return (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = port};
}

/* ---- the other end ---- */

static inline uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
                                        : ((struct sockaddr_in6 *)&a)->sin6_port);
}

static inline int bound(int af, int type)
{
    int fd = socket(af, type, 0);
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    assert_true(fd >= 0);
    assert_int_equal(af == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof a4)
                                   : bind(fd, (struct sockaddr *)&a6, sizeof a6),
                     0);
    return fd;
}

static inline int listener(void)
{
    int fd = bound(AF_INET, SOCK_STREAM);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* A connection to a plain socket: ours in *sock_out, the other end is returned. */
static inline int connection(uint16_t *sock_out)
{
    int fd = listener();
    adder_endpoint_t to = loopback(port_of(fd));
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, sock_out), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, *sock_out, NULL, &to)), ADDER_OK);
    int other = accept(fd, NULL, NULL);
    assert_true(other >= 0);
    close(fd);
    return other;
}

static inline int connect_to(uint16_t port, int af)
{
    int fd = socket(af, SOCK_STREAM, 0);
    struct sockaddr_in a4 = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    struct sockaddr_in6 a6 = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(port)};
    assert_int_equal(af == AF_INET ? connect(fd, (struct sockaddr *)&a4, sizeof a4)
                                   : connect(fd, (struct sockaddr *)&a6, sizeof a6),
                     0);
    return fd;
}

static inline void reset_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static inline unsigned flags(uint16_t sock)
{
    unsigned f;
    assert_int_equal(ops->ready(net.ctx, sock, &f), ADDER_OK);
    return f;
}

static inline void wait_for(uint16_t sock, unsigned flag)
{
    while (!(flags(sock) & flag))
        pump();
}

#endif
