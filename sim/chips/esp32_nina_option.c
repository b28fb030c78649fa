/* Commands 7Bh to 7Fh: what a socket can be asked and told. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/chips/esp32_nina_bsd.h"

nina_result_t nina_bsd_ioctl(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    const uint32_t request = nina_u32le(n, 6);
    uint8_t arg[IOCTL_MAX] = {0};
    size_t size = nina_u8(n, 10) < IOCTL_MAX ? nina_u8(n, 10) : IOCTL_MAX;
    nina_bytes(n, 11, arg, size);
    const bool known = (request & 0xFFFF) == F_NBIO || (request & 0xFFFF) == F_NREAD;
    if (c == NULL || !known) {
        n->last_errno = c == NULL ? E_BADF : E_INVAL;
        size = 0;
    } else if ((request & 0xFFFF) == F_NBIO) {
        c->blocking = arg[0] == 0;
    } else {
        const uint16_t waiting = nina_conn_available(n, c);
        memset(arg, 0, 4);
        arg[0] = (uint8_t)waiting;
        arg[1] = (uint8_t)(waiting >> 8);
    }
    return nina_reply_bytes(n, arg, size);
}

/* The error set is not cleared before its use: what it holds for a bad descriptor is what was set. */
nina_result_t nina_bsd_poll(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    if (c == NULL) {
        return nina_reply_u8(n, POLL_READ | POLL_WRITE | POLL_ERROR | POLL_FAILED);
    }
    struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLOUT};
    (void)poll(&p, 1, 0);
    uint8_t flags = 0;
    if (nina_online(n)) {
        flags |= (p.revents & (POLLIN | POLLHUP)) != 0 ? POLL_READ : 0;
        flags |= (p.revents & POLLOUT) != 0 && nina_conn_room(n, c) > 0 && !c->listening ? POLL_WRITE : 0;
        flags |= (p.revents & POLLERR) != 0 ? POLL_ERROR : 0;
    }
    return nina_reply_u8(n, flags);
}

/* lwIP's option numbers, level SOL_SOCKET. */
enum {
    SO_BROADCAST_LW = 0x0020,
    SO_KEEPALIVE_LW = 0x0008,
    SO_REUSEADDR_LW = 0x0004,
    SO_ACCEPTCONN_LW = 0x0002,
    SO_SNDTIMEO_LW = 0x1005,
    SO_RCVTIMEO_LW = 0x1006,
    SO_ERROR_LW = 0x1007,
    SO_TYPE_LW = 0x1008,
};

/* struct timeval: 32-bit seconds in 2.x, 64-bit in 3.x. */
static size_t timeval_size(const nina_t *n)
{
    return n->fw->time_bytes == 8 ? 16 : 8;
}

nina_result_t nina_bsd_setsockopt(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    const uint32_t option = nina_u32le(n, 6);
    const size_t len = nina_u8(n, 10) < OPTION_MAX ? nina_u8(n, 10) : OPTION_MAX;
    bool ok = c != NULL;
    switch (ok ? option : 0) {
    case SO_RCVTIMEO_LW:
        ok = len >= timeval_size(n);
        if (ok) {
            c->receive_ms = nina_u32le(n, 11) * 1000u + nina_u32le(n, 11u + n->fw->time_bytes) / 1000u;
        }
        break;
    case SO_BROADCAST_LW: {
        const int on = nina_u8(n, 11) != 0;
        ok = len >= 4 && setsockopt(c->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0;
        break;
    }
    case SO_SNDTIMEO_LW:
    case SO_KEEPALIVE_LW:
    case SO_REUSEADDR_LW:
        ok = len >= 4;
        break;
    default:
        ok = false;
        n->last_errno = n->last_errno != 0 ? n->last_errno : E_NOPROTOOPT;
        break;
    }
    return nina_bsd_reply_ok(n, ok, E_INVAL);
}

nina_result_t nina_bsd_getsockopt(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    const uint32_t option = nina_u32le(n, 6);
    const size_t len = nina_u8(n, 11) < OPTION_MAX ? nina_u8(n, 11) : OPTION_MAX;
    uint8_t value[OPTION_MAX] = {0};
    size_t size = 4;
    switch (c != NULL ? option : 0) {
    case SO_ERROR_LW: {
        int err = 0;
        socklen_t err_len = sizeof err;
        (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &err_len);
        value[0] = err == 0              ? 0
                   : err == ECONNREFUSED ? E_CONNREFUSED
                   : err == ETIMEDOUT    ? E_TIMEDOUT
                                         : E_CONNRESET;
        break;
    }
    case SO_TYPE_LW:
        value[0] = c->stream ? 1 : 2;
        break;
    case SO_ACCEPTCONN_LW:
        value[0] = c->listening;
        break;
    case SO_RCVTIMEO_LW: {
        const uint32_t s = c->receive_ms / 1000, us = c->receive_ms % 1000 * 1000;
        for (unsigned i = 0; i < 4; i++) {
            value[i] = (uint8_t)(s >> (8 * i));
            value[n->fw->time_bytes + i] = (uint8_t)(us >> (8 * i));
        }
        size = timeval_size(n);
        break;
    }
    default:
        n->last_errno = n->last_errno != 0 ? n->last_errno : E_NOPROTOOPT;
        size = 0;
        break;
    }
    if (size > len) {
        n->last_errno = n->last_errno != 0 ? n->last_errno : E_INVAL;
        size = 0;
    }
    return nina_reply_bytes(n, value, size);
}

nina_result_t nina_bsd_getpeername(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const nina_conn_t *c = nina_bsd_at(n, 4);
    const bool known = c != NULL && c->peer.port != 0 && !c->listening;
    if (!known && c != NULL) {
        n->last_errno = E_NOTCONN;
    }
    nina_bsd_reply_endpoint(n, known, known ? &c->peer : &(sim_endpoint_t){0});
    return NINA_DONE;
}
