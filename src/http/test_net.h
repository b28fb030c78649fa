/* A stack with one listener and one client, a test_peer_t: for tests and fuzzing of servers. Unlike the
 * scripted stack it does not care which of the two speaks first. */
#ifndef ADDER_SRC_HTTP_TEST_NET_H
#define ADDER_SRC_HTTP_TEST_NET_H

#include "adder/net.h"
#include "src/http/test_peer.h"

typedef struct {
    test_peer_t peer;
    bool listening, accepted, connected;
} test_net_t;

enum { TEST_NET_LISTENER, TEST_NET_CLIENT };

static inline adder_err_t test_net_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family,
                                        uint16_t *out)
{
    (void)kind, (void)family;
    ((test_net_t *)ctx)->listening = true;
    *out = TEST_NET_LISTENER;
    return ADDER_OK;
}

static inline adder_err_t test_net_bind(void *ctx, uint16_t sock, const adder_endpoint_t *local)
{
    (void)ctx, (void)sock, (void)local;
    return ADDER_OK;
}

static inline adder_err_t test_net_listen(void *ctx, uint16_t sock, unsigned backlog)
{
    (void)ctx, (void)sock, (void)backlog;
    return ADDER_OK;
}

static inline adder_err_t test_net_accept(void *ctx, uint16_t sock, uint16_t *out, adder_endpoint_t *remote)
{
    test_net_t *t = ctx;
    (void)sock, (void)remote;
    if (t->accepted)
        return ADDER_ERR_AGAIN;
    t->accepted = t->connected = true;
    *out = TEST_NET_CLIENT;
    return ADDER_OK;
}

static inline adder_err_t test_net_send(void *ctx, uint16_t sock, const adder_endpoint_t *to,
                                        const uint8_t *bytes, size_t len, size_t *n_out)
{
    test_net_t *t = ctx;
    (void)to;
    *n_out = 0;
    return sock == TEST_NET_CLIENT && t->connected ? test_peer_send(&t->peer, bytes, len, n_out)
                                                   : ADDER_ERR_STATE;
}

static inline adder_err_t test_net_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                                        adder_endpoint_t *from)
{
    test_net_t *t = ctx;
    (void)from;
    *n_out = 0;
    return sock == TEST_NET_CLIENT && t->connected ? test_peer_recv(&t->peer, buf, cap, n_out)
                                                   : ADDER_ERR_STATE;
}

static inline adder_err_t test_net_close(void *ctx, uint16_t sock, bool abort)
{
    test_net_t *t = ctx;
    bool *open = sock == TEST_NET_CLIENT ? &t->connected : &t->listening;
    (void)abort;
    if (!*open)
        return ADDER_ERR_STATE;
    *open = false;
    return ADDER_OK;
}

static inline adder_err_t test_net_ready(void *ctx, uint16_t sock, unsigned *flags_out)
{
    (void)ctx, (void)sock;
    *flags_out = 0;
    return ADDER_OK;
}

static inline adder_net_t test_net(test_net_t *t)
{
    static const adder_net_ops_t ops = {.open = test_net_open,
                                        .bind = test_net_bind,
                                        .listen = test_net_listen,
                                        .accept = test_net_accept,
                                        .send = test_net_send,
                                        .recv = test_net_recv,
                                        .close = test_net_close,
                                        .ready = test_net_ready};
    return (adder_net_t){&ops, t};
}

#endif
