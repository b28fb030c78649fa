/* The stack over this computer's sockets, against plain sockets on loopback: an independent other end. */
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

static void begin_with(const adder_posix_hooks_t *hooks)
{
    adder_posix_net_config_t c = {
        .slots = slots, .n_slots = SLOTS, .hooks = hooks, .multicast_interface = if_nametoindex("lo")};
    assert_int_equal(adder_posix_net_init(&posix, &c), ADDER_OK);
    net = adder_posix_net(&posix);
    ops = net.ops;
}

static int begin(void **state)
{
    (void)state;
    begin_with(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    adder_posix_net_deinit(&posix);
    return 0;
}

/* As the pump: wait for the signal, then tick. Fails rather than hang. */
static void pump(void)
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

static adder_endpoint_t loopback(uint16_t port)
{
    return (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = port};
}

static const uint8_t one6[16] = {[15] = 1};

/* ---- the other end ---- */

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
                                        : ((struct sockaddr_in6 *)&a)->sin6_port);
}

static int bound(int af, int type)
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

static int listener(void)
{
    int fd = bound(AF_INET, SOCK_STREAM);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* A connection to a plain socket: ours in *sock_out, the other end is returned. */
static int connection(uint16_t *sock_out)
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

static int connect_to(uint16_t port, int af)
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

static void reset_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static unsigned flags(uint16_t sock)
{
    unsigned f;
    assert_int_equal(ops->ready(net.ctx, sock, &f), ADDER_OK);
    return f;
}

static void wait_for(uint16_t sock, unsigned flag)
{
    while (!(flags(sock) & flag))
        pump();
}

/* ---- tests ---- */

static void a_stream(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[16];
    size_t n = 99;
    adder_endpoint_t local, remote;
    int other = connection(&s);
    assert_int_equal(flags(s), ADDER_NET_WRITABLE);
    assert_int_equal(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL), AGAIN);
    assert_int_equal(n, 0);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &(adder_endpoint_t){0}), ADDER_OK); /* again */
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"hello", 5, &n), ADDER_OK);
    assert_int_equal(n, 5);
    assert_int_equal(recv(other, buf, 5, MSG_WAITALL), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(send(other, "abcdef", 6, 0), 6);
    wait_for(s, ADDER_NET_READABLE);
    assert_int_equal(ops->recv(net.ctx, s, buf, 0, &n, NULL), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(ops->recv(net.ctx, s, buf, 4, &n, &remote), ADDER_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "abcd", 4);
    assert_int_equal(ops->endpoints(net.ctx, s, &local, &remote), ADDER_OK);
    assert_true(adder_ip_is_loopback(&local.ip) && local.port != 0 && remote.port != 0);
    /* half closed by the other side: what is there, the end, and we may still send */
    assert_int_equal(shutdown(other, SHUT_WR), 0);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 2);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL)), ADDER_ERR_END);
    assert_int_equal(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL), ADDER_ERR_END);
    assert_true(flags(s) & ADDER_NET_READABLE);
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"bye", 3, &n), ADDER_OK);
    assert_int_equal(recv(other, buf, 3, MSG_WAITALL), 3);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(recv(other, buf, 1, 0), 0);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_ERR_STATE);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_STATE);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE);
    close(other);
}

/* More than fits between the two ends: AGAIN, and the signal tells when there is room. */
static void a_full_pipe(void **state)
{
    (void)state;
    static uint8_t block[65536], got[65536];
    uint16_t s;
    size_t sent = 0, received = 0, n;
    bool was_full = false;
    int other = connection(&s);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t all = SIZE_MAX; received < all;) {
        size_t at = sent % sizeof block;
        adder_err_t err = sent < all ? ops->send(net.ctx, s, NULL, block + at, sizeof block - at, &n) : AGAIN;
        if (err == ADDER_OK) {
            sent += n;
            continue;
        }
        assert_int_equal(err, AGAIN);
        if (!was_full) {
            was_full = true;
            assert_int_equal(n, 0);
            assert_false(flags(s) & ADDER_NET_WRITABLE);
            all = sent + 10 * sizeof block;
        }
        ssize_t r = recv(other, got, sizeof got, MSG_DONTWAIT);
        if (r < 0 && sent < all)
            wait_for(s, ADDER_NET_WRITABLE);
        for (ssize_t i = 0; i < r; i++)
            assert_int_equal(got[i], block[(received + (size_t)i) % sizeof block]);
        received += r > 0 ? (size_t)r : 0;
        if (sent >= all)
            all = sent;
    }
    close(other);
}

static void endings(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[8];
    size_t n;
    /* refused: nobody listens */
    int fd = bound(AF_INET, SOCK_STREAM);
    adder_endpoint_t to = loopback(port_of(fd));
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(flags(s), 0);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_ERR_REFUSED);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_REFUSED); /* stays */
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_REFUSED);
    assert_true(flags(s) & ADDER_NET_FAILED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    close(fd);
    /* reset by the other side: while reading, and while writing */
    int other = connection(&s);
    reset_close(other);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 1, &n, NULL)), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    other = connection(&s);
    reset_close(other);
    wait_for(s, ADDER_NET_FAILED | ADDER_NET_READABLE);
    adder_err_t err;
    while ((err = WAIT(ops->send(net.ctx, s, NULL, buf, 1, &n))) == ADDER_OK)
        ;
    assert_int_equal(err, ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    /* what had come before the reset can be read, and then it is gone */
    other = connection(&s);
    assert_int_equal(send(other, "alert", 5, 0), 5);
    wait_for(s, ADDER_NET_READABLE);
    reset_close(other);
    wait_for(s, ADDER_NET_FAILED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 3, &n, NULL), ADDER_OK);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    /* by us: a reset over there */
    other = connection(&s);
    assert_int_equal(ops->close(net.ctx, s, true), ADDER_OK);
    assert_int_equal(recv(other, buf, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(other);
    /* closed over unread bytes: what was sent arrives all the same */
    other = connection(&s);
    assert_int_equal(send(other, "unread", 6, 0), 6);
    wait_for(s, ADDER_NET_READABLE);
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"last", 4, &n), ADDER_OK);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(recv(other, buf, 8, MSG_WAITALL), 4);
    close(other);
    /* dropped, as a radio's link: streams end, a listener lives on */
    other = connection(&s);
    uint16_t server;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){.ip = to.ip}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_OK);
    adder_posix_net_drop(&posix);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->accept(net.ctx, server, &s, NULL), AGAIN);
    close(other);
}

static void a_server(void **state)
{
    (void)state;
    uint16_t server, a, b;
    adder_endpoint_t local, remote, want = loopback(0);
    uint8_t buf[8];
    size_t n;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_ERR_STATE); /* not bound */
    assert_int_equal(ops->bind(net.ctx, server, &want), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &want), ADDER_ERR_STATE);
    assert_int_equal(ops->accept(net.ctx, server, &a, NULL), ADDER_ERR_STATE);
    assert_int_equal(ops->listen(net.ctx, server, 8), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, server, &local, &remote), ADDER_OK);
    assert_true(local.port != 0 && remote.ip.family == ADDER_IP_NONE);
    assert_int_equal(ops->accept(net.ctx, server, &a, &remote), AGAIN);
    assert_int_equal(flags(server), 0);
    /* two at once, and one that has gone again before it is taken */
    int one = connect_to(local.port, AF_INET), two = connect_to(local.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &a, &remote)), ADDER_OK);
    assert_int_equal(remote.port, port_of(one));
    assert_true(adder_ip_equal(&remote.ip, &want.ip));
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &b, NULL)), ADDER_OK);
    assert_int_equal(send(two, "two", 3, 0), 3);
    assert_int_equal(WAIT(ops->recv(net.ctx, b, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "two", 3);
    assert_int_equal(ops->recv(net.ctx, a, buf, 8, &n, NULL), AGAIN);
    /* all slots taken: the caller waits outside */
    uint16_t rest[SLOTS];
    size_t taken = 0;
    while (ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &rest[taken]) == ADDER_OK)
        taken++;
    assert_int_equal(taken, SLOTS - 3);
    int three = connect_to(local.port, AF_INET);
    wait_for(server, ADDER_NET_READABLE);
    assert_int_equal(ops->accept(net.ctx, server, &a, NULL), ADDER_ERR_NOMEM);
    assert_int_equal(ops->close(net.ctx, rest[0], false), ADDER_OK);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &a, NULL)), ADDER_OK);
    /* the port is taken; once it is closed it can be had again at once */
    assert_int_equal(ops->close(net.ctx, rest[1], false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &rest[1]), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, rest[1], &local), ADDER_ERR_IN_USE);
    assert_int_equal(ops->close(net.ctx, server, false), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, rest[1], &local), ADDER_OK);
    close(one), close(two), close(three);
}

static void datagrams(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[8];
    static uint8_t big[65507];
    size_t n;
    adder_endpoint_t from, local;
    int other = bound(AF_INET, SOCK_DGRAM);
    adder_endpoint_t to = loopback(port_of(other));
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE); /* to whom? */
    assert_int_equal(ops->send(net.ctx, s, &to, (const uint8_t *)"ask", 3, &n), ADDER_OK);
    assert_int_equal(n, 3);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 3);
    assert_int_equal(ops->endpoints(net.ctx, s, &local, NULL), ADDER_OK);
    assert_int_equal(local.port, ntohs(peer.sin_port));
    /* one longer than the buffer: its length tells, the next is whole; an empty one is one too */
    assert_int_equal(sendto(other, "0123456789", 10, 0, (struct sockaddr *)&peer, len), 10);
    assert_int_equal(sendto(other, "", 0, 0, (struct sockaddr *)&peer, len), 0);
    assert_int_equal(sendto(other, "next", 4, 0, (struct sockaddr *)&peer, len), 4);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, &from)), ADDER_OK);
    assert_int_equal(n, 10);
    assert_memory_equal(buf, "01234567", 8);
    assert_true(adder_endpoint_equal(&from, &to));
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 4);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), AGAIN);
    /* the longest, and one more */
    assert_int_equal(ops->send(net.ctx, s, &to, big, sizeof big, &n), ADDER_OK);
    assert_int_equal(n, sizeof big);
    assert_int_equal(ops->send(net.ctx, s, &to, big, sizeof big + 1, &n), ADDER_ERR_NOSPACE);
    assert_int_equal(n, 0);
    /* a peer of its own: nothing from others */
    int stranger = bound(AF_INET, SOCK_DGRAM);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_OK);
    assert_int_equal(sendto(stranger, "no", 2, 0, (struct sockaddr *)&peer, len), 2);
    assert_int_equal(sendto(other, "yes", 3, 0, (struct sockaddr *)&peer, len), 3);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "yes", 3);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 3, &n), ADDER_OK);
    /* nobody there any more: said by nobody */
    close(other);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ops->send(net.ctx, s, NULL, buf, 3, &n), ADDER_OK);
        assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), AGAIN);
    }
    close(stranger);
}

static void ipv6(void **state)
{
    (void)state;
    adder_net_status_t status;
    ops->status(net.ctx, &status);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 probe = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (fd < 0 || bind(fd, (struct sockaddr *)&probe, sizeof probe) != 0) {
        print_message("no IPv6 on this machine\n");
        close(fd);
        skip();
    }
    close(fd);
    assert_true(status.features & ADDER_NET_HAS_V6);
    uint16_t server, s;
    uint8_t buf[8];
    size_t n;
    adder_endpoint_t remote, local, to = {.ip = adder_ip_v6(one6)};
    /* bound to everything: both families come, each under its own name */
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_NONE, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){0}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 4), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, server, &local, NULL), ADDER_OK);
    int six = connect_to(local.port, AF_INET6);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &s, &remote)), ADDER_OK);
    assert_true(adder_ip_equal(&remote.ip, &to.ip));
    int four = connect_to(local.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &s, &remote)), ADDER_OK);
    assert_int_equal(remote.ip.family, ADDER_IP_V4);
    close(six), close(four);
    /* to the other family: not this socket */
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    to.port = local.port;
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_ARG);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V6, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
    /* datagrams */
    int other = bound(AF_INET6, SOCK_DGRAM);
    to.port = port_of(other);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_NONE, &s), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, &to, (const uint8_t *)"six", 3, &n), ADDER_OK);
    struct sockaddr_in6 peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 3);
    assert_int_equal(sendto(other, "back", 4, 0, (struct sockaddr *)&peer, len), 4);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, &remote)), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    close(other);
}

static void multicast(void **state)
{
    (void)state;
    uint16_t a, b;
    uint8_t buf[8];
    size_t n;
    adder_endpoint_t local, group = {.ip = adder_ip_v4(239, 255, 77, 1)};
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &a), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_ERR_STATE); /* not bound */
    assert_int_equal(ops->bind(net.ctx, a, &(adder_endpoint_t){0}), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, a, &local, NULL), ADDER_OK);
    group.port = local.port;
    adder_ip_t plain = adder_ip_v4(127, 0, 0, 1);
    assert_int_equal(ops->join(net.ctx, a, &plain, true), ADDER_ERR_ARG);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_OK); /* again */
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct ip_mreqn out = {.imr_ifindex = (int)if_nametoindex("lo")};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(group.port)};
    memcpy(&to.sin_addr, group.ip.bytes, 4);
    assert_int_equal(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out), 0);
    if (sendto(sender, "all", 3, 0, (struct sockaddr *)&to, sizeof to) != 3) {
        close(sender);
        skip(); /* no multicast on this machine's loopback */
    }
    assert_int_equal(WAIT(ops->recv(net.ctx, a, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "all", 3);
    /* what is sent goes the same way; a port of the group's address is shared by all its members */
    adder_endpoint_t port = {.ip = group.ip, .port = 0};
    uint16_t c;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &b), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &c), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, b, &port), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, b, &port, NULL), ADDER_OK);
    port.ip = group.ip;
    assert_int_equal(ops->bind(net.ctx, c, &port), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, b, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, c, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, a, &port, (const uint8_t *)"two", 3, &n), ADDER_OK);
    assert_int_equal(WAIT(ops->recv(net.ctx, b, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(WAIT(ops->recv(net.ctx, c, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "two", 3);
    assert_int_equal(ops->close(net.ctx, b, false), ADDER_OK);
    assert_int_equal(ops->close(net.ctx, c, false), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &b), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, b, &group.ip, true), ADDER_ERR_STATE);
    close(sender);
}

/* ---- names ---- */

static atomic_int asking, most_asking;
static atomic_bool hold;

static int scripted(const char *name, const char *service, const struct addrinfo *hints,
                    struct addrinfo **out)
{
    static const struct sockaddr_in a = {.sin_family = AF_INET};
    (void)service;
    int now = atomic_fetch_add(&asking, 1) + 1;
    if (now > most_asking)
        most_asking = now;
    while (hold)
        usleep(1000);
    asking--;
    if (strcmp(name, "missing.test") == 0)
        return EAI_NONAME;
    if (strcmp(name, "down.test") == 0)
        return EAI_AGAIN;
    struct addrinfo *list = NULL;
    for (int i = 2; i >= 0; i--) { /* .1 twice, .2 */
        struct addrinfo *x = calloc(1, sizeof *x + sizeof a);
        struct sockaddr_in *to = (struct sockaddr_in *)(void *)(x + 1);
        *to = a;
        to->sin_addr.s_addr = htonl(0xC6336400u + (uint32_t)(i + 2) / 2);
        x->ai_family = hints->ai_family;
        x->ai_addr = (struct sockaddr *)to;
        x->ai_addrlen = sizeof a;
        x->ai_next = list;
        list = x;
    }
    *out = list;
    return 0;
}

static void scripted_free(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static void names(void **state)
{
    (void)state;
    adder_ip_t ips[4];
    size_t n;
    uint16_t s;
    /* this computer's own resolver */
    assert_int_equal(WAIT(ops->resolve(net.ctx, "localhost", ADDER_IP_V4, ips, 4, &n)), ADDER_OK);
    assert_true(n >= 1 && adder_ip_is_loopback(&ips[0]));
    assert_int_equal(ops->resolve(net.ctx, "192.0.2.7", ADDER_IP_NONE, ips, 4, &n), ADDER_OK);
    assert_true(n == 1 && ips[0].bytes[3] == 7);
    assert_int_equal(ops->resolve(net.ctx, "192.0.2.7", ADDER_IP_V6, ips, 4, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->resolve(net.ctx, "", ADDER_IP_NONE, ips, 4, &n), ADDER_ERR_NOT_FOUND);
    int fd = listener();
    adder_endpoint_t to = {.port = port_of(fd)};
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_ARG);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, "localhost", &to)), ADDER_OK);
    close(fd);
    /* a scripted one */
    posix_lookup_ask = scripted;
    posix_lookup_free = scripted_free;
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_NONE, ips, 4, &n)), ADDER_OK);
    assert_int_equal(n, 2); /* each once */
    assert_true(ips[0].bytes[3] == 1 && ips[1].bytes[3] == 2);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_NONE, ips, 1, &n)), ADDER_OK);
    assert_int_equal(n, 1);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_V6, ips, 4, &n)), ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "missing.test", ADDER_IP_V4, ips, 4, &n)),
                     ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "down.test", ADDER_IP_V4, ips, 4, &n)), ADDER_ERR_IO);
    /* a hundred questions that hang: four threads, and nobody waits when they are given up */
    hold = true;
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%d.test", i);
        assert_int_equal(ops->resolve(net.ctx, name, ADDER_IP_V4, ips, 4, &n), AGAIN);
    }
    adder_posix_net_deinit(&posix);
    hold = false;
    while (asking > 0)
        usleep(1000);
    assert_true(most_asking <= POSIX_LOOKUP_THREADS);
    begin(NULL);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "after.test", ADDER_IP_V4, ips, 4, &n)), ADDER_OK);
    posix_lookup_ask = getaddrinfo;
    posix_lookup_free = freeaddrinfo;
}

/* ---- hooks ---- */

static uint16_t real_port;
static bool up = true;
static adder_endpoint_t placed_at;

static adder_err_t hook_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                                size_t cap, size_t *n_out)
{
    (void)ctx, (void)family, (void)cap;
    if (strcmp(name, "mapped.test") != 0)
        return strcmp(name, "localhost") == 0 ? ADDER_ERR_AGAIN : ADDER_ERR_NOT_FOUND;
    out[0] = adder_ip_v4(198, 18, 0, 1);
    *n_out = 1;
    return ADDER_OK;
}

static adder_err_t hook_route(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                              adder_endpoint_t *to_out)
{
    (void)ctx, (void)kind;
    if (to->ip.bytes[0] != 198 || to->port != 1883)
        return ADDER_ERR_NOT_FOUND;
    *to_out = loopback(real_port);
    return ADDER_OK;
}

static adder_err_t hook_place(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                              adder_endpoint_t *local_out)
{
    (void)ctx, (void)kind;
    *local_out = loopback(local->port == 80 ? real_port : local->port);
    return ADDER_OK;
}

static void hook_placed(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                        const adder_endpoint_t *real)
{
    (void)ctx, (void)kind;
    assert_int_equal(local->port, 80);
    placed_at = *real;
}

static void hook_link(void *ctx, adder_net_status_t *status)
{
    (void)ctx;
    status->link = up ? ADDER_NET_LINK_UP : ADDER_NET_LINK_OFF;
    status->ips[0] = adder_ip_v4(192, 168, 1, 47);
    status->n_ips = up;
}

static const adder_posix_hooks_t hooks = {hook_resolve, hook_route, hook_place, hook_placed, hook_link};

static void a_network_in_front(void **state)
{
    (void)state;
    adder_posix_net_deinit(&posix);
    begin_with(&hooks);
    uint16_t s, u;
    uint8_t buf[8];
    size_t n;
    adder_ip_t ip;
    adder_endpoint_t remote, to = {.ip = adder_ip_v4(198, 18, 0, 1), .port = 1883};
    adder_net_status_t status;
    up = true;
    /* names and addresses lead elsewhere; the program sees its own */
    int fd = listener();
    real_port = port_of(fd);
    assert_int_equal(ops->resolve(net.ctx, "mapped.test", ADDER_IP_V4, &ip, 1, &n), ADDER_OK);
    assert_true(adder_ip_equal(&ip, &to.ip));
    assert_int_equal(ops->resolve(net.ctx, "elsewhere.test", ADDER_IP_V4, &ip, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "localhost", ADDER_IP_V4, &ip, 1, &n)), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, s, NULL, &remote), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    uint16_t lost;
    to.port = 22;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &lost), ADDER_OK);
    assert_int_equal(ops->connect(net.ctx, lost, NULL, &to), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->close(net.ctx, lost, false), ADDER_OK);
    /* datagrams: the answer comes from whom was asked */
    int other = bound(AF_INET, SOCK_DGRAM);
    real_port = port_of(other);
    to.port = 1883;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &u), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, u, &to, (const uint8_t *)"q", 1, &n), ADDER_OK);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 1);
    assert_int_equal(sendto(other, "a", 1, 0, (struct sockaddr *)&peer, len), 1);
    assert_int_equal(WAIT(ops->recv(net.ctx, u, buf, 8, &n, &remote)), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    close(other);
    /* a port that cannot be had is another one, and is still the device's own */
    real_port = port_of(fd);
    uint16_t server;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){.port = 80}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_OK);
    assert_true(placed_at.port != 0 && placed_at.port != real_port);
    assert_int_equal(ops->endpoints(net.ctx, server, &remote, NULL), ADDER_OK);
    assert_int_equal(remote.port, 80);
    int client = connect_to(placed_at.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &lost, NULL)), ADDER_OK);
    /* the link goes, and comes */
    ops->status(net.ctx, &status);
    uint32_t changes = status.changes;
    assert_true(status.link == ADDER_NET_LINK_UP && status.n_ips == 1);
    up = false;
    adder_net_wants_t wants;
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, u, &to, buf, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->resolve(net.ctx, "mapped.test", ADDER_IP_V4, &ip, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->accept(net.ctx, server, &lost, NULL), AGAIN);
    up = true;
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
    ops->status(net.ctx, &status);
    assert_int_equal(status.changes, changes + 2);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_CLOSED); /* stays */
    close(client);
    close(fd);
}

/* ---- many ---- */

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += dup2(fd, fd) == fd;
    return n;
}

static void all_slots(void **state)
{
    (void)state;
    uint16_t s[SLOTS], more;
    int other[SLOTS], fd = listener();
    adder_endpoint_t to = loopback(port_of(fd));
    uint8_t buf[4];
    size_t n;
    for (int i = 0; i < SLOTS; i++) {
        assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s[i]), ADDER_OK);
        assert_int_equal(WAIT(ops->connect(net.ctx, s[i], NULL, &to)), ADDER_OK);
        other[i] = accept(fd, NULL, NULL);
    }
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &more), ADDER_ERR_NOMEM);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_V4, &more), ADDER_ERR_UNSUPPORTED);
    for (int i = SLOTS - 1; i >= 0; i--)
        assert_int_equal(send(other[i], &(uint8_t){(uint8_t)i}, 1, 0), 1);
    for (int i = 0; i < SLOTS; i++) {
        assert_int_equal(WAIT(ops->recv(net.ctx, s[i], buf, 4, &n, NULL)), ADDER_OK);
        assert_true(n == 1 && buf[0] == i);
        close(other[i]);
    }
    close(fd);
}

static void a_thousand_connections(void **state)
{
    (void)state;
    int fd = listener();
    adder_endpoint_t to = loopback(port_of(fd));
    int before = descriptors();
    for (int i = 0; i < 1000; i++) {
        uint16_t s;
        uint8_t buf[4];
        size_t n;
        assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
        assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
        int other = accept(fd, NULL, NULL);
        assert_int_equal(send(other, "x", 1, 0), 1);
        assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 4, &n, NULL)), ADDER_OK);
        assert_int_equal(ops->close(net.ctx, s, i % 2 == 0), ADDER_OK);
        close(other);
    }
    assert_int_equal(descriptors(), before);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream, begin, end),
        cmocka_unit_test_setup_teardown(a_full_pipe, begin, end),
        cmocka_unit_test_setup_teardown(endings, begin, end),
        cmocka_unit_test_setup_teardown(a_server, begin, end),
        cmocka_unit_test_setup_teardown(datagrams, begin, end),
        cmocka_unit_test_setup_teardown(ipv6, begin, end),
        cmocka_unit_test_setup_teardown(multicast, begin, end),
        cmocka_unit_test_setup_teardown(names, begin, end),
        cmocka_unit_test_setup_teardown(a_network_in_front, begin, end),
        cmocka_unit_test_setup_teardown(all_slots, begin, end),
        cmocka_unit_test_setup_teardown(a_thousand_connections, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
