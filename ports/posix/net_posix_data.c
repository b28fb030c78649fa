/* Moving bytes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ports/posix/net_posix_int.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "ports/posix/address.h"

static adder_err_t send_datagram(net_t *n, sock_t *s, const adder_endpoint_t *to, const uint8_t *bytes,
                                 size_t len, size_t *n_out)
{
    struct sockaddr_storage a;
    socklen_t a_len = 0;
    if (to == NULL && s->priv.phase != POSIX_CONNECTED)
        return ADDER_ERR_STATE;
    if (len > POSIX_DATAGRAM_MAX)
        return ADDER_ERR_NOSPACE;
    if (to != NULL) {
        adder_endpoint_t real;
        adder_err_t err = posix_route(n, s, to, &real);
        if (err == ADDER_OK)
            err = posix_make(n, s, posix_af_of(s, &real.ip), false);
        if (err != ADDER_OK)
            return err;
        if ((a_len = posix_sockaddr(&real, s->priv.af, &a)) == 0)
            return ADDER_ERR_ARG;
        if (s->priv.phase == POSIX_FRESH && !adder_endpoint_equal(&real, to)) {
            size_t i = s->priv.next_route++ % ADDER_POSIX_ROUTES;
            s->priv.routes[i].asked = *to;
            s->priv.routes[i].real = real;
            if (s->priv.n_routes < ADDER_POSIX_ROUTES)
                s->priv.n_routes++;
        }
    } else if (!posix_link_up(n)) {
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

adder_err_t posix_net_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
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
    if (s->priv.phase != POSIX_CONNECTED || to != NULL)
        return ADDER_ERR_STATE;
    if (len == 0)
        return ADDER_OK;
    ssize_t sent = send(s->priv.fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0) {
        s->priv.unread = posix_err(errno) != ADDER_ERR_AGAIN;
        return posix_fail(s, posix_err(errno));
    }
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

adder_err_t posix_net_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                           adder_endpoint_t *from_out)
{
    sock_t *s = sock_at(ctx, sock);
    *n_out = 0;
    if (s == NULL)
        return ADDER_ERR_STATE;
    if (!is_stream(s))
        return receive_datagram(s, buf, cap, n_out, from_out);
    if (s->priv.failed != ADDER_OK && !s->priv.unread)
        return s->priv.failed;
    if (s->priv.phase != POSIX_CONNECTED)
        return ADDER_ERR_STATE;
    if (from_out != NULL)
        *from_out = s->priv.remote;
    if (cap == 0)
        return ADDER_OK;
    ssize_t got = recv(s->priv.fd, buf, cap, 0);
    if (got <= 0 && s->priv.unread) {
        s->priv.unread = false;
        return s->priv.failed;
    }
    if (got == 0)
        return ADDER_ERR_END; /* not a failure: the other direction may be open */
    if (got < 0)
        return posix_fail(s, posix_err(errno));
    *n_out = (size_t)got;
    return ADDER_OK;
}

adder_err_t posix_net_ready(void *ctx, uint16_t sock, unsigned *flags_out)
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
    if (is_stream(s) && s->priv.phase < POSIX_CONNECTING)
        return ADDER_OK; /* the system calls that a hang-up */
    if (s->priv.fd < 0 || poll(&p, 1, 0) <= 0)
        return ADDER_OK;
    if (p.revents & (POLLIN | POLLRDHUP))
        *flags_out |= ADDER_NET_READABLE;
    if ((p.revents & POLLOUT) && s->priv.phase != POSIX_LISTENING)
        *flags_out |= ADDER_NET_WRITABLE;
    if (is_stream(s) && (p.revents & (POLLERR | POLLNVAL)))
        *flags_out |= ADDER_NET_FAILED;
    return ADDER_OK;
}

adder_err_t posix_net_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
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
        *remote_out = s->priv.phase == POSIX_CONNECTED ? s->priv.remote : (adder_endpoint_t){0};
    return ADDER_OK;
}
