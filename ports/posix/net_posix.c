/* Sockets of the system under the contract of adder/net.h. Every call asks the system itself; events only
 * end a sleep, so none can be missed or be stale. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ports/posix/net_posix_int.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/posix/address.h"

enum { NAME_LOOK_US = 20000, DRAIN_MAX = 256 * 1024, DEAD_CALLERS = 128 };

/* ---- the link ---- */

static void own_addresses(adder_net_status_t *out)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i != NULL && out->n_ips < ADDER_NET_ADDRESSES; i = i->ifa_next) {
        adder_endpoint_t e;
        if (i->ifa_addr == NULL || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
            continue;
        socklen_t len =
            i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (posix_endpoint(i->ifa_addr, len, &e))
            out->ips[out->n_ips++] = e.ip;
    }
    freeifaddrs(list);
}

static void net_status(void *ctx, adder_net_status_t *out)
{
    net_t *n = ctx;
    *out = (adder_net_status_t){.link = ADDER_NET_LINK_UP,
                                .features = ADDER_NET_HAS_SERVERS | ADDER_NET_HAS_MULTICAST |
                                            ADDER_NET_HAS_RESOLVE | ADDER_NET_IS_DIRECT |
                                            (n->priv.v6 ? ADDER_NET_HAS_V6 : 0u),
                                .sockets = (uint16_t)n->priv.c.n_slots,
                                .datagram_max = POSIX_DATAGRAM_MAX};
    if (hooks_of(n)->link != NULL)
        hooks_of(n)->link(n->priv.c.hooks_ctx, out);
    else
        own_addresses(out);
    out->changes += n->priv.changes;
}

bool posix_link_up(net_t *n)
{
    if (hooks_of(n)->link == NULL)
        return true;
    adder_net_status_t status;
    net_status(n, &status);
    return status.link == ADDER_NET_LINK_UP;
}

void adder_posix_net_drop(adder_posix_net_t *n)
{
    for (size_t i = 0; i < n->priv.c.n_slots; i++) {
        sock_t *s = &n->priv.c.slots[i];
        if (is_stream(s) && s->priv.phase >= POSIX_RESOLVING && s->priv.phase <= POSIX_CONNECTED &&
            (s->priv.failed == ADDER_OK || s->priv.unread)) {
            s->priv.failed = ADDER_ERR_CLOSED;
            s->priv.unread = false;
        }
    }
}

static adder_err_t net_tick(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    net_t *n = ctx;
    struct epoll_event events[32];
    (void)now_us;
    int found = epoll_wait(n->priv.epoll, events, 32, 0);
    *wants_out = (adder_net_wants_t){.wait_us = ADDER_NET_FOREVER, .signal = n->priv.epoll};
    if (hooks_of(n)->link != NULL) {
        bool up = posix_link_up(n);
        if (n->priv.was_up != up) {
            n->priv.changes++;
            found = 1;
            if (!up)
                adder_posix_net_drop(n);
        }
        n->priv.was_up = up;
    }
    for (size_t i = 0; i < ADDER_POSIX_LOOKUPS; i++) { /* without descriptors only looking tells */
        if (n->priv.lookups[i].lookup != NULL && posix_lookup_signal(n->priv.lookups[i].lookup) < 0)
            wants_out->wait_us = NAME_LOOK_US;
    }
    if (found > 0)
        wants_out->wait_us = 0;
    return ADDER_OK;
}

void posix_watch(net_t *n, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events | EPOLLET};
    if (epoll_ctl(n->priv.epoll, EPOLL_CTL_ADD, fd, &e) != 0 && errno == EEXIST)
        (void)epoll_ctl(n->priv.epoll, EPOLL_CTL_MOD, fd, &e);
}

/* ---- making and unmaking ---- */

adder_err_t posix_fail(sock_t *s, adder_err_t err)
{
    if (err != ADDER_ERR_AGAIN)
        s->priv.failed = err;
    return err;
}

/* The system's socket; `af` AF_INET6 with `both` takes IPv4 too. */
adder_err_t posix_make(net_t *n, sock_t *s, int af, bool both)
{
    static const int on = 1, off = 0;
    if (s->priv.fd >= 0)
        return ADDER_OK;
    int fd = socket(af, (is_stream(s) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return posix_err(errno);
    if (af == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof on);
    const struct ip_mreqn out = {.imr_ifindex = (int)n->priv.c.multicast_interface};
    if (is_stream(s))
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    else if (out.imr_ifindex != 0 && af == AF_INET) /* what is sent takes the way of what is received */
        (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
    s->priv.fd = fd;
    s->priv.af = af;
    if (!is_stream(s))
        posix_watch(n, fd, EPOLLIN | EPOLLOUT);
    return ADDER_OK;
}

int posix_af_of(const sock_t *s, const adder_ip_t *other)
{
    unsigned family = s->priv.family != ADDER_IP_NONE ? s->priv.family : other->family;
    return family == ADDER_IP_V6 ? AF_INET6 : AF_INET;
}

static adder_err_t net_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *sock_out)
{
    net_t *n = ctx;
    if ((kind != ADDER_NET_TCP && kind != ADDER_NET_UDP) || (family == ADDER_IP_V6 && !n->priv.v6))
        return ADDER_ERR_UNSUPPORTED;
    for (size_t i = 0; i < n->priv.c.n_slots; i++) {
        sock_t *s = &n->priv.c.slots[i];
        if (s->priv.phase != POSIX_FREE)
            continue;
        memset(s, 0, sizeof *s);
        s->priv.fd = -1;
        s->priv.kind = (uint8_t)kind;
        s->priv.family = (uint8_t)family;
        adder_err_t err = family == ADDER_IP_NONE
                              ? ADDER_OK
                              : posix_make(n, s, family == ADDER_IP_V6 ? AF_INET6 : AF_INET, false);
        if (err != ADDER_OK)
            return err;
        s->priv.phase = POSIX_FRESH;
        *sock_out = (uint16_t)i;
        return ADDER_OK;
    }
    return ADDER_ERR_NOMEM;
}

/* Closing over unread bytes would be a reset, which takes what was sent away from the peer. */
static void drain(int fd)
{
    uint8_t nowhere[4096];
    ssize_t got;
    (void)shutdown(fd, SHUT_WR);
    for (size_t all = 0; all < DRAIN_MAX; all += (size_t)got) {
        if ((got = recv(fd, nowhere, sizeof nowhere, MSG_DONTWAIT)) <= 0)
            return;
    }
}

static adder_err_t net_close(void *ctx, uint16_t sock, bool abort)
{
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (s->priv.fd >= 0 && is_stream(s) && s->priv.phase == POSIX_CONNECTED) {
        static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        if (abort)
            (void)setsockopt(s->priv.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        else
            drain(s->priv.fd);
    }
    if (s->priv.fd >= 0)
        (void)close(s->priv.fd);
    posix_lookup_close(s->priv.lookup);
    memset(s, 0, sizeof *s);
    s->priv.fd = -1;
    return ADDER_OK;
}

/* ---- binding, listening ---- */

static adder_err_t net_bind(void *ctx, uint16_t sock, const adder_endpoint_t *local)
{
    static const int on = 1;
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    if (s == NULL || s->priv.phase != POSIX_FRESH || s->priv.bound)
        return ADDER_ERR_STATE;
    adder_endpoint_t real = *local;
    adder_err_t err = ADDER_OK;
    if (hooks_of(n)->place != NULL)
        err = hooks_of(n)->place(n->priv.c.hooks_ctx, (adder_net_kind_t)s->priv.kind, local, &real);
    if (err != ADDER_OK)
        return err;
    bool both = s->priv.family == ADDER_IP_NONE && real.ip.family == ADDER_IP_NONE && n->priv.v6;
    if ((err = posix_make(n, s, both ? AF_INET6 : posix_af_of(s, &real.ip), both)) != ADDER_OK)
        return err;
    struct sockaddr_storage a;
    socklen_t len = posix_sockaddr(&real, s->priv.af, &a);
    if (len == 0)
        return ADDER_ERR_ARG;
    /* Not UDP: there it would share the port with anybody, unless it is a group's, who share it by nature. */
    if (is_stream(s) || adder_ip_is_multicast(&real.ip))
        (void)setsockopt(s->priv.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(s->priv.fd, (const struct sockaddr *)&a, len) != 0) {
        err = posix_err(errno);
        real.port = 0;
        len = posix_sockaddr(&real, s->priv.af, &a);
        if (err != ADDER_ERR_IN_USE || hooks_of(n)->placed == NULL ||
            bind(s->priv.fd, (const struct sockaddr *)&a, len) != 0)
            return err;
    }
    len = sizeof a;
    if (getsockname(s->priv.fd, (struct sockaddr *)&a, &len) == 0)
        (void)posix_endpoint((const struct sockaddr *)&a, len, &real);
    s->priv.bound = true;
    s->priv.local = *local;
    if (local->port == 0)
        s->priv.local.port = real.port;
    if (hooks_of(n)->placed != NULL)
        hooks_of(n)->placed(n->priv.c.hooks_ctx, (adder_net_kind_t)s->priv.kind, &s->priv.local, &real);
    return ADDER_OK;
}

static adder_err_t net_listen(void *ctx, uint16_t sock, unsigned backlog)
{
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    if (s == NULL || !is_stream(s) || !s->priv.bound ||
        (s->priv.phase != POSIX_FRESH && s->priv.phase != POSIX_LISTENING))
        return ADDER_ERR_STATE;
    if (listen(s->priv.fd, backlog < 1 ? 1 : backlog > 128 ? 128 : (int)backlog) != 0)
        return posix_err(errno);
    s->priv.phase = POSIX_LISTENING;
    posix_watch(n, s->priv.fd, EPOLLIN);
    return ADDER_OK;
}

/* An error of the connection that waited, told in its place (accept4(2), "Error handling"). */
static bool caller_died(int error)
{
    return error == ECONNABORTED || error == EPERM || error == EPROTO || error == ENETDOWN ||
           error == ENETUNREACH || error == EHOSTUNREACH || error == EHOSTDOWN || error == ENOPROTOOPT ||
           error == EOPNOTSUPP;
}

static adder_err_t net_accept(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out)
{
    static const int on = 1;
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock), *fresh = NULL;
    if (s == NULL || s->priv.phase != POSIX_LISTENING)
        return ADDER_ERR_STATE;
    if (!posix_link_up(n))
        return ADDER_ERR_AGAIN;
    for (size_t i = 0; fresh == NULL && i < n->priv.c.n_slots; i++) {
        if (n->priv.c.slots[i].priv.phase == POSIX_FREE) {
            fresh = &n->priv.c.slots[i];
            *sock_out = (uint16_t)i;
        }
    }
    if (fresh == NULL) { /* the caller keeps waiting, if there is one */
        struct pollfd p = {.fd = s->priv.fd, .events = POLLIN};
        return poll(&p, 1, 0) > 0 ? ADDER_ERR_NOMEM : ADDER_ERR_AGAIN;
    }
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int fd;
    unsigned dead = 0;
    do { /* others may stand behind one that has died, and the system's event comes once for all of them */
        fd = accept4(s->priv.fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && caller_died(errno) && ++dead < DEAD_CALLERS);
    if (fd < 0)
        return caller_died(errno) ? ADDER_ERR_AGAIN : posix_err(errno);
    memset(fresh, 0, sizeof *fresh);
    fresh->priv.fd = fd;
    fresh->priv.af = s->priv.af;
    fresh->priv.kind = ADDER_NET_TCP;
    fresh->priv.family = s->priv.family;
    fresh->priv.phase = POSIX_CONNECTED;
    fresh->priv.local = s->priv.local;
    (void)posix_endpoint((const struct sockaddr *)&a, len, &fresh->priv.remote);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    posix_watch(n, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    if (remote_out != NULL)
        *remote_out = fresh->priv.remote;
    return ADDER_OK;
}

/* ---- connecting ---- */

adder_err_t posix_route(net_t *n, const sock_t *s, const adder_endpoint_t *to, adder_endpoint_t *real_out)
{
    *real_out = *to;
    if (!posix_link_up(n))
        return ADDER_ERR_NOT_FOUND;
    if (hooks_of(n)->route == NULL)
        return ADDER_OK;
    return hooks_of(n)->route(n->priv.c.hooks_ctx, (adder_net_kind_t)s->priv.kind, to, real_out);
}

static adder_err_t begin(net_t *n, sock_t *s, const adder_endpoint_t *to)
{
    adder_endpoint_t real;
    adder_err_t err = posix_route(n, s, to, &real);
    if (err == ADDER_OK)
        err = posix_make(n, s, posix_af_of(s, &real.ip), false);
    if (err != ADDER_OK)
        return err;
    struct sockaddr_storage a;
    socklen_t len = posix_sockaddr(&real, s->priv.af, &a);
    if (len == 0)
        return ADDER_ERR_ARG;
    if (connect(s->priv.fd, (const struct sockaddr *)&a, len) != 0 && errno != EINPROGRESS)
        return posix_err(errno);
    s->priv.remote = *to;
    if (!is_stream(s)) {
        s->priv.phase = POSIX_CONNECTED;
        s->priv.routes[0].asked = *to;
        s->priv.routes[0].real = real;
        s->priv.n_routes = 1;
        return ADDER_OK;
    }
    s->priv.phase = POSIX_CONNECTING;
    posix_watch(n, s->priv.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    return ADDER_OK;
}

static adder_err_t decided(sock_t *s)
{
    struct pollfd p = {.fd = s->priv.fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;
    if (poll(&p, 1, 0) == 0)
        return ADDER_ERR_AGAIN;
    if (getsockopt(s->priv.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        return posix_err(error);
    s->priv.phase = POSIX_CONNECTED;
    return ADDER_OK;
}

static adder_err_t net_connect(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to)
{
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    if (s == NULL || s->priv.phase == POSIX_LISTENING)
        return ADDER_ERR_STATE;
    if (s->priv.failed != ADDER_OK)
        return s->priv.failed;
    if (!is_stream(s))
        return begin(n, s, to);
    adder_err_t err = ADDER_OK;
    if (s->priv.phase == POSIX_FRESH || s->priv.phase == POSIX_RESOLVING) {
        adder_endpoint_t target = *to;
        size_t found = 1;
        if (to->ip.family == ADDER_IP_NONE) {
            if (host == NULL)
                return ADDER_ERR_ARG;
            s->priv.phase = POSIX_RESOLVING;
            err = posix_look_up(n, &s->priv.lookup, host, (adder_ip_family_t)s->priv.family, &target.ip, 1,
                                &found);
        }
        if (err == ADDER_OK)
            err = begin(n, s, &target);
    }
    if (err == ADDER_OK && s->priv.phase == POSIX_CONNECTING)
        err = decided(s);
    return err == ADDER_OK ? ADDER_OK : posix_fail(s, err);
}

static adder_err_t net_join(void *ctx, uint16_t sock, const adder_ip_t *group, bool member)
{
    const net_t *n = ctx;
    sock_t *s = sock_at(ctx, sock);
    if (s == NULL || is_stream(s) || !s->priv.bound)
        return ADDER_ERR_STATE;
    if (!adder_ip_is_multicast(group))
        return ADDER_ERR_ARG;
    int result;
    if (group->family == ADDER_IP_V4) {
        struct ip_mreqn m = {.imr_ifindex = (int)n->priv.c.multicast_interface};
        memcpy(&m.imr_multiaddr, group->bytes, 4);
        result =
            setsockopt(s->priv.fd, IPPROTO_IP, member ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &m, sizeof m);
    } else {
        struct ipv6_mreq m = {.ipv6mr_interface =
                                  group->zone != 0 ? group->zone : n->priv.c.multicast_interface};
        memcpy(&m.ipv6mr_multiaddr, group->bytes, 16);
        result =
            setsockopt(s->priv.fd, IPPROTO_IPV6, member ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &m, sizeof m);
    }
    return result == 0 || (member && errno == EADDRINUSE) ? ADDER_OK : posix_err(errno);
}

/* ---- the whole ---- */

static const adder_net_ops_t posix_net_ops = {.tick = net_tick,
                                              .status = net_status,
                                              .open = net_open,
                                              .bind = net_bind,
                                              .connect = net_connect,
                                              .listen = net_listen,
                                              .accept = net_accept,
                                              .send = posix_net_send,
                                              .recv = posix_net_recv,
                                              .close = net_close,
                                              .ready = posix_net_ready,
                                              .endpoints = posix_net_endpoints,
                                              .resolve = posix_net_resolve,
                                              .join = net_join};

adder_net_t adder_posix_net(adder_posix_net_t *n)
{
    return (adder_net_t){&posix_net_ops, n};
}

adder_err_t adder_posix_net_init(adder_posix_net_t *n, const adder_posix_net_config_t *config)
{
    memset(n, 0, sizeof *n);
    n->priv.c = *config;
    n->priv.was_up = true;
    for (size_t i = 0; i < config->n_slots; i++) {
        memset(&config->slots[i], 0, sizeof config->slots[i]);
        config->slots[i].priv.fd = -1;
    }
    if ((n->priv.epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return ADDER_ERR_NOMEM;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    n->priv.v6 = fd >= 0;
    if (fd >= 0)
        (void)close(fd);
    return ADDER_OK;
}

void adder_posix_net_deinit(adder_posix_net_t *n)
{
    for (size_t i = 0; i < n->priv.c.n_slots; i++)
        ADDER_IGNORE(net_close(n, (uint16_t)i, false), "those that are not open say so");
    for (size_t i = 0; i < ADDER_POSIX_LOOKUPS; i++)
        posix_lookup_close(n->priv.lookups[i].lookup);
    if (n->priv.epoll >= 0)
        (void)close(n->priv.epoll);
    memset(n, 0, sizeof *n);
    n->priv.epoll = -1;
}
