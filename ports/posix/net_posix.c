/* Sockets of the system under the contract of adder/net.h. Every call asks the system itself; events only
 * end a sleep, so none can be missed or be stale. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ports/posix/net_posix.h"

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

enum { FREE, FRESH, RESOLVING, CONNECTING, CONNECTED, LISTENING };
enum { DATAGRAM_MAX = 65507, NAME_LOOK_US = 20000, DRAIN_MAX = 256 * 1024 };

typedef adder_posix_net_t net_t;
typedef adder_posix_sock_t sock_t;

static sock_t *sock_at(net_t *n, uint16_t i)
{
    return i < n->priv.c.n_slots && n->priv.c.slots[i].priv.phase != FREE ? &n->priv.c.slots[i] : NULL;
}

static const adder_posix_hooks_t *hooks_of(const net_t *n)
{
    static const adder_posix_hooks_t none;
    return n->priv.c.hooks != NULL ? n->priv.c.hooks : &none;
}

static bool is_stream(const sock_t *s)
{
    return s->priv.kind == ADDER_NET_TCP;
}

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
                                            ADDER_NET_HAS_RESOLVE | (n->priv.v6 ? ADDER_NET_HAS_V6 : 0u),
                                .sockets = (uint16_t)n->priv.c.n_slots,
                                .datagram_max = DATAGRAM_MAX};
    if (hooks_of(n)->link != NULL)
        hooks_of(n)->link(n->priv.c.hooks_ctx, out);
    else
        own_addresses(out);
    out->changes += n->priv.changes;
}

static bool link_up(net_t *n)
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
        if (is_stream(s) && s->priv.phase >= RESOLVING && s->priv.phase <= CONNECTED &&
            s->priv.failed == ADDER_OK)
            s->priv.failed = ADDER_ERR_CLOSED;
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
        bool up = link_up(n);
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

/* ---- names ---- */

static void watch(net_t *n, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events | EPOLLET};
    if (epoll_ctl(n->priv.epoll, EPOLL_CTL_ADD, fd, &e) != 0 && errno == EEXIST)
        (void)epoll_ctl(n->priv.epoll, EPOLL_CTL_MOD, fd, &e);
}

/* AGAIN with *lookup set: to be asked again. */
static adder_err_t look_up(net_t *n, posix_lookup_t **lookup, const char *name, adder_ip_family_t family,
                           adder_ip_t *out, size_t cap, size_t *n_out)
{
    if (*lookup == NULL) {
        adder_ip_t literal;
        *n_out = 0;
        if (!link_up(n) || cap == 0)
            return ADDER_ERR_NOT_FOUND;
        if (adder_ip_parse(name, strlen(name), &literal) == ADDER_OK) {
            if (family != ADDER_IP_NONE && literal.family != family)
                return ADDER_ERR_NOT_FOUND;
            out[(*n_out)++] = literal;
            return ADDER_OK;
        }
        adder_err_t err = ADDER_ERR_AGAIN;
        if (hooks_of(n)->resolve != NULL)
            err = hooks_of(n)->resolve(n->priv.c.hooks_ctx, name, family, out, cap, n_out);
        if (err != ADDER_ERR_AGAIN)
            return err;
        if (name[0] == '\0')
            return ADDER_ERR_NOT_FOUND;
        if ((*lookup = posix_lookup_start(name, family)) == NULL)
            return ADDER_ERR_NOMEM;
        watch(n, posix_lookup_signal(*lookup), EPOLLIN);
    }
    adder_err_t err = posix_lookup_poll(*lookup, out, cap, n_out);
    if (err != ADDER_ERR_AGAIN) {
        posix_lookup_close(*lookup);
        *lookup = NULL;
    }
    return err;
}

static adder_err_t net_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                               size_t cap, size_t *n_out)
{
    net_t *n = ctx;
    size_t at = 0, len = strlen(name);
    *n_out = 0;
    if (len > ADDER_NET_HOST_MAX)
        return ADDER_ERR_NOT_FOUND;
    for (size_t i = 0; i < ADDER_POSIX_LOOKUPS; i++) { /* this one, else a free one, else the oldest */
        if (n->priv.lookups[i].lookup != NULL && n->priv.lookups[i].family == family &&
            strcmp(n->priv.lookups[i].name, name) == 0) {
            at = i;
            break;
        }
        if (n->priv.lookups[at].lookup != NULL &&
            (n->priv.lookups[i].lookup == NULL ||
             (int32_t)(n->priv.lookups[i].age - n->priv.lookups[at].age) < 0))
            at = i;
    }
    bool same = n->priv.lookups[at].lookup != NULL && n->priv.lookups[at].family == family &&
                strcmp(n->priv.lookups[at].name, name) == 0;
    if (!same) {
        posix_lookup_close(n->priv.lookups[at].lookup);
        n->priv.lookups[at].lookup = NULL;
        n->priv.lookups[at].family = family;
        n->priv.lookups[at].age = n->priv.ages++;
        memcpy(n->priv.lookups[at].name, name, len + 1);
    }
    return look_up(n, &n->priv.lookups[at].lookup, name, family, out, cap, n_out);
}

/* ---- making and unmaking ---- */

static adder_err_t fail(sock_t *s, adder_err_t err)
{
    if (err != ADDER_ERR_AGAIN)
        s->priv.failed = err;
    return err;
}

/* The system's socket; `af` AF_INET6 with `both` takes IPv4 too. */
static adder_err_t make(net_t *n, sock_t *s, int af, bool both)
{
    static const int on = 1, off = 0;
    if (s->priv.fd >= 0)
        return ADDER_OK;
    int fd = socket(af, (is_stream(s) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return posix_err(errno);
    if (af == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof on);
    if (is_stream(s))
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->priv.fd = fd;
    s->priv.af = af;
    if (!is_stream(s))
        watch(n, fd, EPOLLIN | EPOLLOUT);
    return ADDER_OK;
}

static int af_of(const sock_t *s, const adder_ip_t *other)
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
        if (s->priv.phase != FREE)
            continue;
        memset(s, 0, sizeof *s);
        s->priv.fd = -1;
        s->priv.kind = (uint8_t)kind;
        s->priv.family = (uint8_t)family;
        adder_err_t err = family == ADDER_IP_NONE
                              ? ADDER_OK
                              : make(n, s, family == ADDER_IP_V6 ? AF_INET6 : AF_INET, false);
        if (err != ADDER_OK)
            return err;
        s->priv.phase = FRESH;
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
    if (s->priv.fd >= 0 && is_stream(s) && s->priv.phase == CONNECTED) {
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
    if (s == NULL || s->priv.phase != FRESH || s->priv.bound)
        return ADDER_ERR_STATE;
    adder_endpoint_t real = *local;
    adder_err_t err = ADDER_OK;
    if (hooks_of(n)->place != NULL)
        err = hooks_of(n)->place(n->priv.c.hooks_ctx, (adder_net_kind_t)s->priv.kind, local, &real);
    if (err != ADDER_OK)
        return err;
    bool both = s->priv.family == ADDER_IP_NONE && real.ip.family == ADDER_IP_NONE && n->priv.v6;
    if ((err = make(n, s, both ? AF_INET6 : af_of(s, &real.ip), both)) != ADDER_OK)
        return err;
    struct sockaddr_storage a;
    socklen_t len = posix_sockaddr(&real, s->priv.af, &a);
    if (len == 0)
        return ADDER_ERR_ARG;
    if (is_stream(s)) /* not UDP: there it would share the port with anybody */
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
        (s->priv.phase != FRESH && s->priv.phase != LISTENING))
        return ADDER_ERR_STATE;
    if (listen(s->priv.fd, backlog < 1 ? 1 : backlog > 128 ? 128 : (int)backlog) != 0)
        return posix_err(errno);
    s->priv.phase = LISTENING;
    watch(n, s->priv.fd, EPOLLIN);
    return ADDER_OK;
}

static adder_err_t net_accept(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out)
{
    static const int on = 1;
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock), *fresh = NULL;
    if (s == NULL || s->priv.phase != LISTENING)
        return ADDER_ERR_STATE;
    if (!link_up(n))
        return ADDER_ERR_AGAIN;
    for (size_t i = 0; fresh == NULL && i < n->priv.c.n_slots; i++) {
        if (n->priv.c.slots[i].priv.phase == FREE) {
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
    int fd = accept4(s->priv.fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) /* one that hung up before is nobody */
        return errno == ECONNABORTED || errno == EPERM ? ADDER_ERR_AGAIN : posix_err(errno);
    memset(fresh, 0, sizeof *fresh);
    fresh->priv.fd = fd;
    fresh->priv.af = s->priv.af;
    fresh->priv.kind = ADDER_NET_TCP;
    fresh->priv.family = s->priv.family;
    fresh->priv.phase = CONNECTED;
    fresh->priv.local = s->priv.local;
    (void)posix_endpoint((const struct sockaddr *)&a, len, &fresh->priv.remote);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(n, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    if (remote_out != NULL)
        *remote_out = fresh->priv.remote;
    return ADDER_OK;
}

/* ---- connecting ---- */

static adder_err_t route(net_t *n, const sock_t *s, const adder_endpoint_t *to, adder_endpoint_t *real_out)
{
    *real_out = *to;
    if (!link_up(n))
        return ADDER_ERR_NOT_FOUND;
    if (hooks_of(n)->route == NULL)
        return ADDER_OK;
    return hooks_of(n)->route(n->priv.c.hooks_ctx, (adder_net_kind_t)s->priv.kind, to, real_out);
}

static adder_err_t begin(net_t *n, sock_t *s, const adder_endpoint_t *to)
{
    adder_endpoint_t real;
    adder_err_t err = route(n, s, to, &real);
    if (err == ADDER_OK)
        err = make(n, s, af_of(s, &real.ip), false);
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
        s->priv.phase = CONNECTED;
        s->priv.routes[0].asked = *to;
        s->priv.routes[0].real = real;
        s->priv.n_routes = 1;
        return ADDER_OK;
    }
    s->priv.phase = CONNECTING;
    watch(n, s->priv.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
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
    s->priv.phase = CONNECTED;
    return ADDER_OK;
}

static adder_err_t net_connect(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to)
{
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    if (s == NULL || s->priv.phase == LISTENING)
        return ADDER_ERR_STATE;
    if (s->priv.failed != ADDER_OK)
        return s->priv.failed;
    if (!is_stream(s))
        return begin(n, s, to);
    adder_err_t err = ADDER_OK;
    if (s->priv.phase == FRESH || s->priv.phase == RESOLVING) {
        adder_endpoint_t target = *to;
        size_t found = 1;
        if (to->ip.family == ADDER_IP_NONE) {
            if (host == NULL)
                return ADDER_ERR_ARG;
            s->priv.phase = RESOLVING;
            err = look_up(n, &s->priv.lookup, host, (adder_ip_family_t)s->priv.family, &target.ip, 1, &found);
        }
        if (err == ADDER_OK)
            err = begin(n, s, &target);
    }
    if (err == ADDER_OK && s->priv.phase == CONNECTING)
        err = decided(s);
    return err == ADDER_OK ? ADDER_OK : fail(s, err);
}

/* ---- moving bytes ---- */

static adder_err_t send_datagram(net_t *n, sock_t *s, const adder_endpoint_t *to, const uint8_t *bytes,
                                 size_t len, size_t *n_out)
{
    struct sockaddr_storage a;
    socklen_t a_len = 0;
    if (to == NULL && s->priv.phase != CONNECTED)
        return ADDER_ERR_STATE;
    if (len > DATAGRAM_MAX)
        return ADDER_ERR_NOSPACE;
    if (to != NULL) {
        adder_endpoint_t real;
        adder_err_t err = route(n, s, to, &real);
        if (err == ADDER_OK)
            err = make(n, s, af_of(s, &real.ip), false);
        if (err != ADDER_OK)
            return err;
        if ((a_len = posix_sockaddr(&real, s->priv.af, &a)) == 0)
            return ADDER_ERR_ARG;
        if (s->priv.phase == FRESH && !adder_endpoint_equal(&real, to)) {
            size_t i = s->priv.next_route++ % ADDER_POSIX_ROUTES;
            s->priv.routes[i].asked = *to;
            s->priv.routes[i].real = real;
            if (s->priv.n_routes < ADDER_POSIX_ROUTES)
                s->priv.n_routes++;
        }
    } else if (!link_up(n)) {
        return ADDER_ERR_NOT_FOUND;
    }
    for (int tries = 0; tries < 2; tries++) { /* the first may tell of an earlier one's fate */
        ssize_t sent = sendto(s->priv.fd, bytes, len, MSG_NOSIGNAL,
                              to != NULL ? (const struct sockaddr *)&a : NULL, a_len);
        if (sent >= 0) {
            *n_out = len;
            return ADDER_OK;
        }
        if (errno != ECONNREFUSED)
            return posix_err(errno);
    }
    *n_out = len; /* sent, and nobody was there */
    return ADDER_OK;
}

static adder_err_t net_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                            size_t len, size_t *n_out)
{
    net_t *n = ctx;
    sock_t *s = sock_at(n, sock);
    *n_out = 0;
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (!is_stream(s))
        return send_datagram(n, s, to, bytes, len, n_out);
    if (s->priv.failed != ADDER_OK)
        return s->priv.failed;
    if (s->priv.phase != CONNECTED || to != NULL)
        return ADDER_ERR_STATE;
    if (len == 0)
        return ADDER_OK;
    ssize_t sent = send(s->priv.fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0)
        return fail(s, posix_err(errno));
    *n_out = (size_t)sent;
    return ADDER_OK;
}

/* Whom the device believes that it talks to. */
static void unroute(const sock_t *s, adder_endpoint_t *e)
{
    for (uint8_t i = 0; i < s->priv.n_routes; i++) {
        if (adder_endpoint_equal(&s->priv.routes[i].real, e)) {
            *e = s->priv.routes[i].asked;
            return;
        }
    }
}

static adder_err_t receive_datagram(sock_t *s, uint8_t *buf, size_t cap, size_t *n_out,
                                    adder_endpoint_t *from_out)
{
    struct sockaddr_storage a;
    if (s->priv.fd < 0)
        return ADDER_ERR_AGAIN; /* has neither a port nor sent anything */
    for (int tries = 0; tries < 16; tries++) {
        socklen_t len = sizeof a;
        adder_endpoint_t from = {0};
        ssize_t got = recvfrom(s->priv.fd, buf, cap, MSG_TRUNC, (struct sockaddr *)&a, &len);
        if (got < 0 && errno == ECONNREFUSED)
            continue;
        if (got < 0)
            return posix_err(errno);
        (void)posix_endpoint((const struct sockaddr *)&a, len, &from);
        unroute(s, &from);
        if (from_out != NULL)
            *from_out = from;
        *n_out = (size_t)got;
        return ADDER_OK;
    }
    return ADDER_ERR_AGAIN;
}

static adder_err_t net_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                            adder_endpoint_t *from_out)
{
    sock_t *s = sock_at(ctx, sock);
    *n_out = 0;
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (!is_stream(s))
        return receive_datagram(s, buf, cap, n_out, from_out);
    if (s->priv.failed != ADDER_OK)
        return s->priv.failed;
    if (s->priv.phase != CONNECTED)
        return ADDER_ERR_STATE;
    if (from_out != NULL)
        *from_out = s->priv.remote;
    if (cap == 0)
        return ADDER_OK;
    ssize_t got = recv(s->priv.fd, buf, cap, 0);
    if (got == 0)
        return ADDER_ERR_END; /* not a failure: the other direction may be open */
    if (got < 0)
        return fail(s, posix_err(errno));
    *n_out = (size_t)got;
    return ADDER_OK;
}

static adder_err_t net_ready(void *ctx, uint16_t sock, unsigned *flags_out)
{
    sock_t *s = sock_at(ctx, sock);
    *flags_out = 0;
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (s->priv.failed != ADDER_OK) {
        *flags_out = ADDER_NET_FAILED;
        return ADDER_OK;
    }
    struct pollfd p = {.fd = s->priv.fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    if (is_stream(s) && s->priv.phase < CONNECTING)
        return ADDER_OK; /* the system calls that a hang-up */
    if (s->priv.fd < 0 || poll(&p, 1, 0) <= 0)
        return ADDER_OK;
    if (p.revents & (POLLIN | POLLRDHUP))
        *flags_out |= ADDER_NET_READABLE;
    if ((p.revents & POLLOUT) && s->priv.phase != LISTENING)
        *flags_out |= ADDER_NET_WRITABLE;
    if (is_stream(s) && (p.revents & (POLLERR | POLLNVAL)))
        *flags_out |= ADDER_NET_FAILED;
    return ADDER_OK;
}

static adder_err_t net_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                                 adder_endpoint_t *remote_out)
{
    sock_t *s = sock_at(ctx, sock);
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (local_out != NULL) {
        struct sockaddr_storage a;
        socklen_t len = sizeof a;
        *local_out = s->priv.local;
        if (local_out->port == 0 && s->priv.fd >= 0 &&
            getsockname(s->priv.fd, (struct sockaddr *)&a, &len) == 0)
            (void)posix_endpoint((const struct sockaddr *)&a, len, local_out);
        if (local_out->port == 0)
            *local_out = (adder_endpoint_t){0};
    }
    if (remote_out != NULL)
        *remote_out = s->priv.phase == CONNECTED ? s->priv.remote : (adder_endpoint_t){0};
    return ADDER_OK;
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
                                              .send = net_send,
                                              .recv = net_recv,
                                              .close = net_close,
                                              .ready = net_ready,
                                              .endpoints = net_endpoints,
                                              .resolve = net_resolve,
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
