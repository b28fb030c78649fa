/* An outgoing connection: addresses, sockets, TLS, one deadline. */
#include "adder/conn.h"

#include <string.h>

#include "src/net/conn_int.h"

enum { ST_CLOSED, ST_RESOLVE, ST_NEXT, ST_CONNECT, ST_SECURE, ST_HANDSHAKE, ST_OPEN, ST_FAILED };

#define TIMEOUT_MS 15000
/* An address gets this long even if others wait behind it. */
#define SHARE_MIN_MS 1000

static void drop(adder_conn_t *c, bool abort)
{
    const adder_net_t *net = c->priv.config.net;
    if (c->priv.session != NULL)
        c->priv.config.tls->ops->close(c->priv.session);
    c->priv.session = NULL;
    if (c->priv.has_sock)
        ADDER_IGNORE(net->ops->close(net->ctx, c->priv.below.sock, abort), "it is free whatever comes");
    c->priv.has_sock = false;
    if (c->priv.config.resolver != NULL)
        adder_conn_resolve_release(c->priv.config.resolver, net, c);
}

static adder_err_t fail_as(adder_conn_t *c, adder_err_t err, bool abort)
{
    drop(c, abort);
    c->priv.state = ST_FAILED;
    return c->priv.cause = err;
}

static adder_err_t fail(adder_conn_t *c, adder_err_t err)
{
    return fail_as(c, err, true);
}

static uint32_t features_of(const adder_net_t *net)
{
    adder_net_status_t status;
    net->ops->status(net->ctx, &status);
    return status.features;
}

adder_err_t adder_conn_start(adder_conn_t *c, const adder_conn_config_t *config, const char *host,
                             size_t host_len, uint16_t port, uint32_t now_ms)
{
    if (c->priv.state != ST_CLOSED)
        return ADDER_ERR_STATE;
    if (host_len == 0 || host_len > ADDER_NET_HOST_MAX || memchr(host, '\0', host_len) != NULL || port == 0 ||
        (config->security == ADDER_CONN_TLS && config->tls == NULL))
        return ADDER_ERR_ARG;
    uint32_t features = features_of(config->net);
    if (config->security == ADDER_CONN_DEVICE_TLS && !(features & ADDER_NET_HAS_TLS))
        return ADDER_ERR_UNSUPPORTED;
    memset(c, 0, sizeof *c);
    c->priv.config = *config;
    if (config->timeout_ms == 0)
        c->priv.config.timeout_ms = TIMEOUT_MS;
    memcpy(c->priv.host, host, host_len);
    c->priv.port = port;
    c->priv.since_ms = now_ms;
    c->priv.cause = ADDER_ERR_NOT_FOUND;
    c->priv.state = ST_NEXT;
    c->priv.n_ips = 1;
    if (adder_ip_parse(host, host_len, &c->priv.ips[0]) == ADDER_OK)
        return ADDER_OK;
    /* A device that resolves and checks certificates is given the name: ips[0] stays NONE. */
    if (config->security == ADDER_CONN_DEVICE_TLS && (features & ADDER_NET_HAS_RESOLVE))
        return ADDER_OK;
    c->priv.n_ips = 0;
    c->priv.state = ST_RESOLVE;
    return ADDER_OK;
}

/* ---- the steps: AGAIN waits, OK goes on, FAILED has the cause ---- */

static adder_err_t resolve(adder_conn_t *c, uint32_t now_ms, uint32_t *wait_ms)
{
    const adder_net_t *net = c->priv.config.net;
    adder_err_t err = ADDER_ERR_NOT_FOUND;
    if (net->ops->resolve != NULL && (features_of(net) & ADDER_NET_HAS_RESOLVE)) {
        adder_ip_t ips[ADDER_CONN_IPS];
        size_t n = 0;
        err = net->ops->resolve(net->ctx, c->priv.host, ADDER_IP_NONE, ips, ADDER_CONN_IPS, &n);
        if (err == ADDER_OK)
            c->priv.n_ips = adder_conn_order(net, ips, n, c->priv.ips, ADDER_CONN_IPS);
    } else if (c->priv.config.resolver != NULL) {
        err = adder_conn_resolve(c->priv.config.resolver, net, c, c->priv.host, now_ms, c->priv.ips,
                                 ADDER_CONN_IPS, &c->priv.n_ips, wait_ms);
    }
    if (err == ADDER_OK && c->priv.n_ips == 0)
        err = ADDER_ERR_NOT_FOUND;
    if (err == ADDER_ERR_AGAIN)
        return err;
    if (err != ADDER_OK)
        return fail(c, err);
    c->priv.state = ST_NEXT;
    return ADDER_OK;
}

/* A socket for the next address. The time that is left is shared among those still to be tried. */
static adder_err_t next(adder_conn_t *c, uint32_t now_ms)
{
    const adder_net_t *net = c->priv.config.net;
    if (c->priv.ip == c->priv.n_ips)
        return fail(c, c->priv.cause);
    adder_ip_family_t family = (adder_ip_family_t)c->priv.ips[c->priv.ip].family;
    bool device = c->priv.config.security == ADDER_CONN_DEVICE_TLS;
    adder_err_t err =
        net->ops->open(net->ctx, device ? ADDER_NET_TLS : ADDER_NET_TCP, family, &c->priv.below.sock);
    if (err == ADDER_ERR_NOMEM)
        return fail(c, err); /* another address will not change that */
    if (err != ADDER_OK) {
        c->priv.cause = err;
        c->priv.ip++;
        return ADDER_OK;
    }
    c->priv.has_sock = true;
    c->priv.below.net = net;
    c->priv.attempt_ms = now_ms;
    c->priv.share_ms =
        (c->priv.config.timeout_ms - (now_ms - c->priv.since_ms)) / (uint32_t)(c->priv.n_ips - c->priv.ip);
    if (c->priv.share_ms < SHARE_MIN_MS)
        c->priv.share_ms = SHARE_MIN_MS;
    c->priv.state = ST_CONNECT;
    return ADDER_OK;
}

static adder_err_t connect(adder_conn_t *c, uint32_t now_ms, uint32_t *wait_ms)
{
    const adder_net_t *net = c->priv.config.net;
    bool device = c->priv.config.security == ADDER_CONN_DEVICE_TLS;
    adder_endpoint_t to = {c->priv.ips[c->priv.ip], c->priv.port};
    adder_err_t err = net->ops->connect(net->ctx, c->priv.below.sock, device ? c->priv.host : NULL, &to);
    uint32_t spent = now_ms - c->priv.attempt_ms;
    if (err == ADDER_ERR_AGAIN && spent < c->priv.share_ms) {
        *wait_ms = c->priv.share_ms - spent;
        return err;
    }
    if (err == ADDER_OK) {
        c->priv.state = c->priv.config.security == ADDER_CONN_TLS ? ST_SECURE : ST_OPEN;
        return ADDER_OK;
    }
    drop(c, true);
    c->priv.cause = err == ADDER_ERR_AGAIN ? ADDER_ERR_TIMEOUT : err;
    c->priv.ip++;
    c->priv.state = ST_NEXT;
    return ADDER_OK;
}

static adder_err_t secure(adder_conn_t *c)
{
    const adder_conn_tls_t *tls = c->priv.config.tls;
    if (c->priv.state == ST_SECURE) {
        void *session = NULL;
        adder_err_t err = tls->ops->open(tls->ctx, adder_net_stream(&c->priv.below), c->priv.host, &session);
        if (err != ADDER_OK)
            return fail(c, err);
        c->priv.session = session;
        c->priv.state = ST_HANDSHAKE;
    }
    adder_err_t err = tls->ops->handshake(c->priv.session);
    if (err == ADDER_ERR_AGAIN)
        return err;
    if (err != ADDER_OK)
        return fail_as(c, err, false); /* the alert that says why is to arrive */
    c->priv.state = ST_OPEN;
    return ADDER_OK;
}

static adder_err_t step(adder_conn_t *c, uint32_t now_ms, uint32_t *wait_ms)
{
    switch (c->priv.state) {
    case ST_RESOLVE:
        return resolve(c, now_ms, wait_ms);
    case ST_NEXT:
        return next(c, now_ms);
    case ST_CONNECT:
        return connect(c, now_ms, wait_ms);
    default:
        return secure(c);
    }
}

adder_err_t adder_conn_tick(adder_conn_t *c, uint32_t now_ms, uint32_t *wait_ms_out)
{
    *wait_ms_out = 0;
    if (c->priv.state == ST_CLOSED)
        return ADDER_ERR_STATE;
    for (;;) {
        if (c->priv.state == ST_FAILED)
            return c->priv.cause;
        if (c->priv.state == ST_OPEN)
            return ADDER_OK;
        uint32_t spent = now_ms - c->priv.since_ms;
        if (spent >= c->priv.config.timeout_ms)
            return fail(c, ADDER_ERR_TIMEOUT);
        uint32_t wait = ADDER_NET_FOREVER, left = c->priv.config.timeout_ms - spent;
        adder_err_t err = step(c, now_ms, &wait);
        if (err == ADDER_ERR_AGAIN && c->priv.state != ST_FAILED) {
            *wait_ms_out = wait < left ? wait : left;
            return err;
        }
    }
}

/* ---- open ---- */

static adder_err_t closed_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    (void)ctx, (void)bytes, (void)len;
    *n_out = 0;
    return ADDER_ERR_STATE;
}

static adder_err_t closed_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    (void)ctx, (void)buf, (void)cap;
    *n_out = 0;
    return ADDER_ERR_STATE;
}

adder_stream_t adder_conn_stream(adder_conn_t *c)
{
    static const adder_stream_ops_t closed = {closed_send, closed_recv};
    if (c->priv.state != ST_OPEN)
        return (adder_stream_t){&closed, NULL};
    if (c->priv.session != NULL)
        return c->priv.config.tls->ops->stream(c->priv.session);
    return adder_net_stream(&c->priv.below);
}

bool adder_conn_is_quiet(adder_conn_t *c)
{
    const adder_net_t *net = c->priv.config.net;
    unsigned flags;
    uint8_t byte;
    size_t n;
    if (c->priv.state != ST_OPEN || net->ops->ready(net->ctx, c->priv.below.sock, &flags) != ADDER_OK)
        return false;
    if (!(flags & (ADDER_NET_READABLE | ADDER_NET_FAILED)))
        return true;
    /* Something has come: TLS may have had tickets for itself, all else is an end or out of turn. */
    adder_stream_t s = adder_conn_stream(c);
    return s.ops->recv(s.ctx, &byte, 1, &n) == ADDER_ERR_AGAIN;
}

void adder_conn_close(adder_conn_t *c, bool abort)
{
    if (c->priv.state != ST_CLOSED && c->priv.state != ST_FAILED)
        drop(c, abort);
    memset(c, 0, sizeof *c);
}
