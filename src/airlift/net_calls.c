/* The seam's calls. None of them talks to the chip: they take from and put into buffers, say what they wait
 * for, and leave the rest to tick(). */
#include <string.h>

#include "net_int.h"

enum { LINGER_US = 10 * S };

static sock_t *open_sock(net_t *n, uint16_t sock)
{
    return sock < SOCKETS && n->priv.socks[sock].open ? &n->priv.socks[sock] : NULL;
}

static adder_ip_t ip_of(const uint8_t b[4])
{
    return adder_ip_v4(b[0], b[1], b[2], b[3]);
}

static bool link_gone(const net_t *n)
{
    return n->priv.link.state == ADDER_NET_LINK_OFF || n->priv.link.state == ADDER_NET_LINK_FAILED;
}

static adder_err_t do_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *sock_out)
{
    net_t *n = ctx;
    if (kind > ADDER_NET_TLS || family == ADDER_IP_V6) {
        return ADDER_ERR_UNSUPPORTED;
    }
    for (unsigned i = 0; kind == ADDER_NET_TLS && i < SOCKETS; i++) {
        if (n->priv.socks[i].open && n->priv.socks[i].kind == ADDER_NET_TLS) {
            return ADDER_ERR_NOMEM; /* the chip's, for a second session */
        }
    }
    sock_t *s = airnet_unused(n);
    if (s == NULL) {
        return ADDER_ERR_NOMEM;
    }
    memset(s, 0, sizeof *s);
    s->phase = PHASE_IDLE;
    s->kind = (uint8_t)kind;
    s->open = true;
    s->slot = s->rx = s->parent = NONE;
    *sock_out = airnet_index(n, s);
    return ADDER_OK;
}

static void begin_udp(net_t *n, sock_t *s)
{
    if (s->local_port == 0) {
        s->local_port = airnet_port(n, ADDER_NET_UDP);
        s->any_port = true;
    }
    s->phase = PHASE_BOUND;
    s->step = STEP_SLOT;
}

static adder_err_t do_bind(void *ctx, uint16_t sock, const adder_endpoint_t *local)
{
    net_t *n = ctx;
    sock_t *s = open_sock(n, sock);
    if (s == NULL || s->phase != PHASE_IDLE || s->local_port != 0) {
        return ADDER_ERR_STATE;
    }
    if (local->ip.family == ADDER_IP_V6) {
        return ADDER_ERR_UNSUPPORTED;
    }
    if (local->port != 0 && airnet_port_used(n, (adder_net_kind_t)s->kind, local->port)) {
        return ADDER_ERR_IN_USE;
    }
    s->any_port = local->port == 0;
    s->local_port = s->any_port ? airnet_port(n, (adder_net_kind_t)s->kind) : local->port;
    if (s->kind == ADDER_NET_UDP) {
        begin_udp(n, s);
    }
    return ADDER_OK;
}

static adder_err_t connect_udp(net_t *n, sock_t *s, const adder_endpoint_t *to)
{
    if (to->ip.family != ADDER_IP_V4 || to->port == 0) {
        return to->ip.family == ADDER_IP_V6 ? ADDER_ERR_NOT_FOUND : ADDER_ERR_ARG;
    }
    if (s->phase == PHASE_IDLE) {
        begin_udp(n, s);
    } else if (s->phase != PHASE_BOUND) {
        return s->phase == PHASE_DONE ? s->failed : ADDER_ERR_STATE;
    }
    memcpy(s->peer_ip, to->ip.bytes, 4);
    s->peer_port = to->port;
    s->peered = true;
    return ADDER_OK;
}

/* The first call of connect(): ADDER_ERR_AGAIN = started, or to be started by a later one. */
static adder_err_t start_connect(net_t *n, sock_t *s, const char *host, const adder_endpoint_t *to)
{
    const bool tls = s->kind == ADDER_NET_TLS;
    const bool by_name = host != NULL && (tls || to->ip.family == ADDER_IP_NONE);
    if (to->port == 0 || (tls && host == NULL) || (!by_name && to->ip.family == ADDER_IP_NONE)) {
        return ADDER_ERR_ARG;
    }
    if (to->ip.family == ADDER_IP_V6) {
        return ADDER_ERR_NOT_FOUND;
    }
    if (s->local_port != 0 && !s->any_port) {
        return ADDER_ERR_UNSUPPORTED; /* the firmware chooses the port a connection comes from */
    }
    s->local_port = 0;
    if (link_gone(n)) {
        airnet_fail(n, s, ADDER_ERR_NOT_FOUND);
        return ADDER_ERR_NOT_FOUND;
    }
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        return ADDER_ERR_AGAIN;
    }
    if (by_name) {
        const adder_err_t err = airnet_lookup_ask(n, airnet_index(n, s), host);
        if (err != ADDER_OK) {
            return err;
        }
    }
    s->port = to->port;
    s->step = STEP_NAME;
    if (to->ip.family == ADDER_IP_V4) {
        memcpy(s->ip, to->ip.bytes, 4);
        s->step = STEP_SLOT;
        n->priv.lookup.state = by_name ? LOOKUP_DONE : n->priv.lookup.state; /* the name alone is needed */
    }
    s->phase = PHASE_CONNECTING;
    s->tries = 0;
    return ADDER_ERR_AGAIN;
}

static adder_err_t do_connect(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to)
{
    net_t *n = ctx;
    sock_t *s = open_sock(n, sock);
    if (s == NULL) {
        return ADDER_ERR_STATE;
    }
    if (s->kind == ADDER_NET_UDP) {
        return connect_udp(n, s, to);
    }
    switch (s->phase) {
    case PHASE_IDLE:
        return start_connect(n, s, host, to);
    case PHASE_CONNECTING:
        return ADDER_ERR_AGAIN;
    case PHASE_UP:
        return ADDER_OK;
    case PHASE_DONE:
        return s->failed == ADDER_ERR_END ? ADDER_OK : s->failed;
    default:
        return ADDER_ERR_STATE;
    }
}

static adder_err_t do_listen(void *ctx, uint16_t sock, unsigned backlog)
{
    net_t *n = ctx;
    (void)backlog; /* the firmware's is 1 */
    sock_t *s = open_sock(n, sock);
    if (s == NULL || s->phase != PHASE_IDLE || s->kind != ADDER_NET_TCP || s->local_port == 0) {
        return ADDER_ERR_STATE;
    }
    s->phase = PHASE_LISTENING;
    s->step = STEP_SLOT;
    return ADDER_OK;
}

static adder_err_t do_accept(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out)
{
    net_t *n = ctx;
    sock_t *s = open_sock(n, sock);
    if (s == NULL || (s->phase != PHASE_LISTENING && s->phase != PHASE_DONE)) {
        return ADDER_ERR_STATE;
    }
    if (s->phase == PHASE_DONE) {
        return s->failed;
    }
    for (unsigned i = 0; i < SOCKETS; i++) {
        sock_t *child = &n->priv.socks[i];
        if (child->phase == PHASE_OFFERED && child->parent == sock && child->step == STEP_READY) {
            child->open = true;
            airnet_connected(n, child);
            child->parent = NONE;
            *sock_out = airnet_index(n, child);
            if (remote_out != NULL) {
                *remote_out = (adder_endpoint_t){.ip = ip_of(child->ip), .port = child->port};
            }
            return ADDER_OK;
        }
    }
    if (!s->want) {
        s->want = true;
        airnet_poll_reset(n, s);
    }
    return airnet_unused(n) == NULL ? ADDER_ERR_NOMEM : ADDER_ERR_AGAIN;
}

static adder_err_t send_stream(net_t *n, sock_t *s, const uint8_t *bytes, size_t len, size_t *n_out)
{
    if (s->phase == PHASE_DONE) {
        return s->failed == ADDER_ERR_END ? ADDER_ERR_CLOSED : s->failed;
    }
    if (s->phase != PHASE_UP) {
        return ADDER_ERR_STATE;
    }
    if (len == 0) {
        return ADDER_OK;
    }
    if (s->step == STEP_VERDICT || s->step == STEP_GONE) {
        return ADDER_ERR_AGAIN; /* it has ended; what to say of it is not known yet */
    }
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    if (t == NULL) {
        const adder_err_t err = airnet_tx_take(n, s, &t);
        if (err != ADDER_OK) {
            return err;
        }
    } else if (airnet_tx_others_wait(n, s)) {
        s->waits_tx = true;
        return ADDER_ERR_AGAIN;
    }
    const size_t room = n->priv.c.tx_size - t->len, take = len < room ? len : room;
    if (take == 0) {
        return ADDER_ERR_AGAIN;
    }
    memcpy(airnet_tx_bytes(n, t) + t->len, bytes, take);
    t->len = (uint16_t)(t->len + take);
    *n_out = take;
    return ADDER_OK;
}

static adder_err_t send_datagram(net_t *n, sock_t *s, const adder_endpoint_t *to, const uint8_t *bytes,
                                 size_t len, size_t *n_out)
{
    if (s->phase == PHASE_DONE) {
        return s->failed;
    }
    if (to == NULL && !s->peered) {
        return ADDER_ERR_STATE;
    }
    if (to != NULL && (to->ip.family != ADDER_IP_V4 || to->port == 0)) {
        return to->ip.family == ADDER_IP_V6 ? ADDER_ERR_NOT_FOUND : ADDER_ERR_ARG;
    }
    if (len > ADDER_AIRLIFT_NET_TX_MIN) {
        return ADDER_ERR_NOSPACE;
    }
    if (s->phase == PHASE_IDLE) {
        begin_udp(n, s);
    }
    if (link_gone(n)) {
        return ADDER_ERR_NOT_FOUND;
    }
    adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    if (n->priv.link.state != ADDER_NET_LINK_UP || t != NULL) {
        return ADDER_ERR_AGAIN;
    }
    const adder_err_t err = airnet_tx_take(n, s, &t);
    if (err != ADDER_OK) {
        return err;
    }
    memcpy(t->ip, to != NULL ? to->ip.bytes : s->peer_ip, 4);
    t->port = to != NULL ? to->port : s->peer_port;
    if (len > 0) {
        memcpy(airnet_tx_bytes(n, t), bytes, len);
    }
    t->len = (uint16_t)len;
    *n_out = len;
    return ADDER_OK;
}

static adder_err_t do_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                           size_t len, size_t *n_out)
{
    net_t *n = ctx;
    *n_out = 0;
    sock_t *s = open_sock(n, sock);
    if (s == NULL) {
        return ADDER_ERR_STATE;
    }
    return s->kind == ADDER_NET_UDP ? send_datagram(n, s, to, bytes, len, n_out)
                                    : send_stream(n, s, bytes, len, n_out);
}

/* Are there bytes of the socket's in a receive buffer, complete? */
static bool has_bytes(const net_t *n, const sock_t *s)
{
    const bool reading = n->priv.job == JOB_RECV && n->priv.job_sock == airnet_index(n, s);
    return s->rx != NONE && s->at < s->len && !reading;
}

static void take_bytes(net_t *n, sock_t *s, uint8_t *buf, size_t cap, size_t *n_out)
{
    const size_t left = (size_t)(s->len - s->at), take = cap < left ? cap : left;
    if (take > 0) {
        memcpy(buf, airnet_rx(n, s) + s->at, take);
    }
    s->at = (uint16_t)(s->at + take);
    *n_out = s->kind == ADDER_NET_UDP ? left : take;
    if (s->at == s->len || s->kind == ADDER_NET_UDP) {
        airnet_rx_give(n, s);
    }
}

static adder_err_t do_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                           adder_endpoint_t *from_out)
{
    net_t *n = ctx;
    *n_out = 0;
    sock_t *s = open_sock(n, sock);
    if (s == NULL || s->phase == PHASE_CONNECTING || s->phase == PHASE_LISTENING ||
        (s->phase == PHASE_IDLE && s->kind != ADDER_NET_UDP)) {
        return ADDER_ERR_STATE;
    }
    const bool stream = s->kind != ADDER_NET_UDP;
    if (stream && cap == 0) {
        return ADDER_OK;
    }
    if (has_bytes(n, s)) {
        if (from_out != NULL) {
            *from_out = stream ? (adder_endpoint_t){.ip = ip_of(s->ip), .port = s->port}
                               : (adder_endpoint_t){.ip = ip_of(s->from_ip), .port = s->from_port};
        }
        take_bytes(n, s, buf, cap, n_out);
        return ADDER_OK;
    }
    if (s->phase == PHASE_DONE) {
        return s->failed;
    }
    if (!s->want) { /* now, whatever was found before */
        s->want = true;
        s->poll_us = 0;
    }
    return ADDER_ERR_AGAIN;
}

static adder_err_t do_close(void *ctx, uint16_t sock, bool abort)
{
    net_t *n = ctx;
    sock_t *s = open_sock(n, sock);
    if (s == NULL) {
        return ADDER_ERR_STATE;
    }
    s->open = s->want = s->waits_tx = false;
    s->drop = abort;
    s->limit_us = airnet_later(n, LINGER_US);
    airnet_rx_give(n, s);
    if (s->phase == PHASE_LISTENING) {
        airnet_server_bury(n, s);
    } else if (s->phase == PHASE_IDLE) {
        airnet_fail(n, s, ADDER_ERR_CLOSED);
    } else if (s->phase == PHASE_CONNECTING && s->slot == NONE) {
        airnet_fail(n, s, ADDER_ERR_CLOSED);
    }
    if (abort || airnet_tx_of(n, s) == NULL) {
        airnet_tx_give(n, s);
    }
    airnet_reap(n, s);
    return ADDER_OK;
}

static adder_err_t do_ready(void *ctx, uint16_t sock, unsigned *flags_out)
{
    net_t *n = ctx;
    *flags_out = 0;
    sock_t *s = open_sock(n, sock);
    if (s == NULL) {
        return ADDER_ERR_STATE;
    }
    unsigned flags = has_bytes(n, s) ? ADDER_NET_READABLE : 0;
    if (s->phase == PHASE_DONE) {
        flags |= s->failed == ADDER_ERR_END ? ADDER_NET_READABLE : ADDER_NET_FAILED;
    }
    if (s->phase == PHASE_LISTENING) {
        for (unsigned i = 0; i < SOCKETS; i++) {
            const sock_t *child = &n->priv.socks[i];
            if (child->phase == PHASE_OFFERED && child->parent == sock && child->step == STEP_READY) {
                flags |= ADDER_NET_READABLE;
            }
        }
    }
    const adder_airlift_net_tx_t *t = airnet_tx_of(n, s);
    bool spare = t == NULL ? false : s->kind != ADDER_NET_UDP && t->len < n->priv.c.tx_size;
    for (unsigned i = 0; t == NULL && i < n->priv.c.tx_count; i++) {
        spare |= n->priv.tx[i].owner == NONE;
    }
    const bool can_send = s->phase == PHASE_UP ? s->step < STEP_GONE : s->phase == PHASE_BOUND;
    if (can_send && spare && n->priv.link.state == ADDER_NET_LINK_UP) {
        flags |= ADDER_NET_WRITABLE;
    }
    if ((flags & ADDER_NET_READABLE) == 0 && !s->want &&
        (s->phase == PHASE_UP || s->phase == PHASE_BOUND || s->phase == PHASE_LISTENING)) {
        s->want = true;
        s->poll_us = 0;
    }
    *flags_out = flags;
    return ADDER_OK;
}

static adder_err_t do_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                                adder_endpoint_t *remote_out)
{
    net_t *n = ctx;
    const sock_t *s = open_sock(n, sock);
    if (s == NULL) {
        return ADDER_ERR_STATE;
    }
    if (local_out != NULL) {
        *local_out = (adder_endpoint_t){.port = s->local_port};
        if (n->priv.link.state == ADDER_NET_LINK_UP && s->phase != PHASE_IDLE && s->phase != PHASE_DONE) {
            local_out->ip = ip_of(n->priv.link.now_ip[0]);
        }
    }
    if (remote_out != NULL) {
        const bool udp = s->kind == ADDER_NET_UDP;
        const uint16_t port = udp ? s->peer_port : s->port;
        *remote_out = (adder_endpoint_t){.port = port};
        if (port != 0 && (udp || s->step > STEP_NAME)) {
            remote_out->ip = ip_of(udp ? s->peer_ip : s->ip);
        }
    }
    return ADDER_OK;
}

const adder_net_ops_t airnet_ops = {
    .tick = airnet_tick,
    .status = airnet_status,
    .open = do_open,
    .bind = do_bind,
    .connect = do_connect,
    .listen = do_listen,
    .accept = do_accept,
    .send = do_send,
    .recv = do_recv,
    .close = do_close,
    .ready = do_ready,
    .endpoints = do_endpoints,
    .resolve = airnet_resolve,
};

/* ---- the end ---- */

bool adder_airlift_net_drained(const adder_airlift_net_t *n)
{
    for (unsigned i = 0; i < n->priv.c.tx_count; i++) {
        if (n->priv.tx[i].owner != NONE && n->priv.tx[i].len > 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < SOCKETS; i++) {
        if (!n->priv.socks[i].open && n->priv.socks[i].phase != PHASE_FREE) {
            return false;
        }
    }
    return true;
}
