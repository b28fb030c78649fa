/* The chip's lwIP sockets: as many as it has slots, each a non-blocking socket of this computer.
 *
 * lwIP's limits are kept where a driver can feel them: window and send buffer of 5744 bytes, the number
 * of sockets in all. While the link is down nothing arrives, and what is written fills the send buffer
 * and is lost (1.x; the others close their connections then). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "sim/chips/esp32_nina.h"

static struct sockaddr_in address_of(const sim_endpoint_t *e)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(e->port)};
    memcpy(&a.sin_addr, e->ip4, 4);
    return a;
}

static sim_endpoint_t endpoint_of(const struct sockaddr_in *a)
{
    sim_endpoint_t e = {.port = ntohs(a->sin_port)};
    memcpy(e.ip4, &a->sin_addr, 4);
    return e;
}

/* ---- the pool ---- */

static nina_ref_t adopt(nina_t *n, int fd, bool stream)
{
    for (unsigned i = 0; i < n->fw->slots; i++) {
        nina_conn_t *c = &n->conns[i];
        if (c->fd >= 0) {
            continue;
        }
        const uint32_t generation = c->generation + 1;
        *c = (nina_conn_t){
            .fd = fd, .generation = generation & 0x0FFFFFFF, .stream = stream, .blocking = true};
        c->generation += c->generation == 0; /* 0 with index 0 would be NINA_NO_CONN */
        n->count.opened++;
        n->chip.revision++;
        return c->generation << 4 | i;
    }
    (void)close(fd);
    sim_chip_log(&n->chip, "all %u sockets of the chip are in use", n->fw->slots);
    return NINA_NO_CONN;
}

nina_ref_t nina_conn_open(nina_t *n, bool stream)
{
    const int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        sim_chip_log(&n->chip, "no socket: %s", strerror(errno));
        return NINA_NO_CONN;
    }
    if (stream) {
        const int on = 1; /* small segments go out at once, as the chip's do on an idle link */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return adopt(n, fd, stream);
}

nina_conn_t *nina_conn(nina_t *n, nina_ref_t ref)
{
    nina_conn_t *c = &n->conns[(ref & 15u) < NINA_CONNS ? ref & 15u : 0];
    return ref != NINA_NO_CONN && c->fd >= 0 && c->generation == ref >> 4 ? c : NULL;
}

void nina_conn_close(nina_t *n, nina_ref_t *ref)
{
    nina_conn_t *c = nina_conn(n, *ref);
    if (c != NULL) {
        (void)close(c->fd);
        c->fd = -1;
        n->count.closed++;
        n->chip.revision++;
    }
    *ref = NINA_NO_CONN;
}

void nina_conns_reset(nina_t *n)
{
    for (int i = 0; i < NINA_CONNS; i++) {
        if (n->conns[i].fd >= 0) {
            (void)close(n->conns[i].fd);
            n->conns[i].fd = -1;
            n->count.closed++;
        }
    }
}

void nina_conns_drop(nina_t *n)
{
    for (unsigned i = 0; i < NINA_CONNS; i++) {
        if (n->conns[i].fd >= 0 && n->conns[i].stream && !n->conns[i].listening) {
            nina_ref_t ref = n->conns[i].generation << 4 | i;
            nina_conn_close(n, &ref);
        }
    }
}

/* ---- TCP ---- */

adder_err_t nina_conn_connect(nina_t *n, nina_conn_t *c, const uint8_t ip4[4], uint16_t port)
{
    memcpy(c->peer.ip4, ip4, 4);
    c->peer.port = port;
    if (!nina_online(n)) {
        return ADDER_ERR_NOT_FOUND;
    }
    if (nina_route(n, ip4, port, &c->route) != ADDER_OK) {
        return ADDER_ERR_TIMEOUT; /* packets vanish: SYN after SYN */
    }
    const struct sockaddr_in a = address_of(&c->route);
    if (connect(c->fd, (const struct sockaddr *)&a, sizeof a) == 0 || errno == EINPROGRESS) {
        return ADDER_OK;
    }
    return errno == ECONNREFUSED ? ADDER_ERR_REFUSED : ADDER_ERR_TIMEOUT;
}

adder_err_t nina_conn_connect_poll(nina_t *n, nina_conn_t *c)
{
    (void)n;
    struct pollfd p = {.fd = c->fd, .events = POLLOUT};
    if (poll(&p, 1, 0) <= 0) {
        return ADDER_ERR_AGAIN;
    }
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0) {
        return err == ECONNREFUSED || err == ECONNRESET ? ADDER_ERR_REFUSED : ADDER_ERR_TIMEOUT;
    }
    return ADDER_OK;
}

uint16_t nina_conn_available(nina_t *n, nina_conn_t *c)
{
    if (!nina_online(n) || c->listening || !c->stream) {
        return 0;
    }
    int waiting = 0;
    if (ioctl(c->fd, FIONREAD, &waiting) != 0) {
        return 0;
    }
    if (waiting <= 0) {
        uint8_t byte; /* an end is behind all data: 0 bytes, or the reset */
        const ssize_t got = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        c->gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
        if (got <= 0) {
            return 0;
        }
        if (ioctl(c->fd, FIONREAD, &waiting) != 0 ||
            waiting <= 0) { /* it came just now: with how many more? */
            return 1;
        }
    }
    return (uint16_t)(waiting < NINA_WINDOW ? waiting : NINA_WINDOW);
}

size_t nina_conn_read(nina_t *n, nina_conn_t *c, uint8_t *out, size_t cap, bool peek)
{
    const uint16_t waiting = nina_conn_available(n, c);
    const size_t want = cap < waiting ? cap : waiting;
    if (want == 0) {
        return 0;
    }
    const ssize_t got = recv(c->fd, out, want, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
    if (got <= 0) {
        return 0;
    }
    if (!peek) {
        n->count.net_in += (uint64_t)got;
        n->chip.revision++;
    }
    return (size_t)got;
}

bool nina_conn_gone(nina_t *n, nina_conn_t *c)
{
    return nina_conn_available(n, c) == 0 && c->gone;
}

size_t nina_conn_room(const nina_t *n, const nina_conn_t *c)
{
    int queued = 0;
    (void)ioctl(c->fd, SIOCOUTQ, &queued);
    const size_t used = (queued > 0 ? (size_t)queued : 0) + c->offline + (n->fault.stall ? c->stalled : 0);
    return used < NINA_WINDOW ? NINA_WINDOW - used : 0;
}

adder_err_t nina_conn_write(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, size_t *n_out)
{
    *n_out = 0;
    const size_t room = nina_conn_room(n, c);
    const size_t take = len < room ? len : room;
    if (take == 0) {
        return ADDER_OK;
    }
    if (!nina_online(n)) {
        c->offline += (uint32_t)take;
        *n_out = take;
        return ADDER_OK;
    }
    const ssize_t sent = send(c->fd, data, take, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? ADDER_OK : ADDER_ERR_CLOSED;
    }
    c->stalled += n->fault.stall ? (uint32_t)sent : 0;
    n->count.net_out += (uint64_t)sent;
    n->chip.revision++;
    *n_out = (size_t)sent;
    return ADDER_OK;
}

/* ---- binding ---- */

/* Ports this computer will not give (low ones, taken ones) are replaced, and the log says by which.
 * Servers are on loopback only; UDP must be able to reach the outside, if there is one. */
adder_err_t nina_conn_bind(nina_t *n, nina_conn_t *c, uint16_t port, const char *what)
{
    const sim_network_t *net = sim_chip_network(&n->chip);
    const uint16_t wanted = sim_network_listen_port(net, port);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(wanted)};
    a.sin_addr.s_addr = htonl(c->stream || !net->outside ? INADDR_LOOPBACK : INADDR_ANY);
    if (c->stream) {
        const int on = 1;
        (void)setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (bind(c->fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        a.sin_port = 0;
        if ((errno != EACCES && errno != EADDRINUSE) ||
            bind(c->fd, (const struct sockaddr *)&a, sizeof a) != 0) {
            sim_chip_log(&n->chip, "%s port %u: %s", what, wanted, strerror(errno));
            return ADDER_ERR_IN_USE;
        }
    }
    socklen_t len = sizeof a;
    if (getsockname(c->fd, (struct sockaddr *)&a, &len) == 0) {
        c->route = endpoint_of(&a);
        if (c->stream || c->route.port != port) {
            sim_chip_log(&n->chip, "%s port %u is 127.0.0.1:%u on this computer", what, port, c->route.port);
        }
    }
    return ADDER_OK;
}

adder_err_t nina_conn_listen(nina_t *n, nina_conn_t *c, int backlog)
{
    (void)n;
    if (!c->stream || listen(c->fd, backlog) != 0) {
        return ADDER_ERR_IO;
    }
    c->listening = true;
    return ADDER_OK;
}

nina_ref_t nina_conn_accept(nina_t *n, nina_conn_t *listener)
{
    if (!nina_online(n)) {
        return NINA_NO_CONN;
    }
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    const int fd = accept(listener->fd, (struct sockaddr *)&a, &len);
    if (fd < 0) {
        return NINA_NO_CONN;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    const nina_ref_t ref = adopt(n, fd, true);
    nina_conn_t *c = nina_conn(n, ref);
    if (c != NULL) {
        c->peer = c->route = endpoint_of(&a);
        c->accepted = true;
    }
    return ref;
}

/* ---- UDP ---- */

bool nina_conn_from(nina_t *n, nina_conn_t *c, uint8_t *buf, size_t cap, size_t *len_out,
                    sim_endpoint_t *from)
{
    if (!nina_online(n) || c->stream) {
        return false;
    }
    struct sockaddr_in a;
    socklen_t alen = sizeof a;
    const ssize_t got = recvfrom(c->fd, buf, cap, MSG_DONTWAIT, (struct sockaddr *)&a, &alen);
    if (got <= 0) {
        return false;
    }
    *from = endpoint_of(&a);
    /* An answer from where the last datagram was routed comes from whom the program wrote to. */
    if (memcmp(from->ip4, c->route.ip4, 4) == 0 && from->port == c->route.port && c->peer.port != 0) {
        *from = c->peer;
    }
    *len_out = (size_t)got;
    n->count.net_in += (uint64_t)got;
    n->chip.revision++;
    return true;
}

bool nina_conn_to(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, const sim_endpoint_t *to)
{
    if (!nina_online(n) || c->stream) {
        return false;
    }
    sim_endpoint_t route;
    if (nina_route(n, to->ip4, to->port, &route) != ADDER_OK) {
        return true; /* sent, and never seen again */
    }
    c->peer = *to;
    c->route = route;
    const struct sockaddr_in a = address_of(&route);
    const ssize_t sent =
        sendto(c->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&a, sizeof a);
    if (sent < 0 && errno != ECONNREFUSED) { /* an ICMP answer to an earlier one */
        return false;
    }
    n->count.net_out += len;
    n->chip.revision++;
    return true;
}

bool nina_conn_join_group(nina_conn_t *c, const uint8_t group[4])
{
    struct ip_mreq m = {.imr_interface.s_addr = htonl(INADDR_ANY)};
    memcpy(&m.imr_multiaddr, group, 4);
    return setsockopt(c->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) == 0;
}
