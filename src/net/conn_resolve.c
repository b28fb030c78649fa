/* Names through adder/dns.h over a UDP socket: A and AAAA at once, for one connection at a time. */
#include <string.h>

#include "src/net/conn_int.h"

/* Another connection has the resolver: look again. */
#define BUSY_MS 20
/* Datagrams looked at in one call; others' and late ones among them. */
#define DATAGRAMS 4

void adder_conn_resolver_init(adder_conn_resolver_t *r, adder_dns_t *dns)
{
    memset(r, 0, sizeof *r);
    r->priv.dns = dns;
}

void adder_conn_resolve_release(adder_conn_resolver_t *r, const adder_net_t *net, const void *user)
{
    if (r->priv.user != user)
        return;
    r->priv.user = NULL;
    if (r->priv.has_sock)
        ADDER_IGNORE(net->ops->close(net->ctx, r->priv.sock, true), "it is free whatever comes");
    r->priv.has_sock = false;
}

static bool has_own_v6(const adder_net_t *net, uint32_t *features)
{
    adder_net_status_t status;
    net->ops->status(net->ctx, &status);
    *features = status.features;
    for (size_t i = 0; i < status.n_ips; i++) {
        const adder_ip_t *ip = &status.ips[i];
        if (ip->family == ADDER_IP_V6 && !adder_ip_is_link_local(ip) && !adder_ip_is_any(ip))
            return true;
    }
    return false;
}

uint8_t adder_conn_order(const adder_net_t *net, const adder_ip_t *ips, size_t n, adder_ip_t *out, size_t cap)
{
    uint32_t features;
    uint8_t family = has_own_v6(net, &features) ? ADDER_IP_V6 : ADDER_IP_V4, count = 0;
    size_t at[2] = {0, 0}; /* how far each family is looked through */
    while (count < cap) {
        size_t *i = &at[family == ADDER_IP_V6];
        while (*i < n && ips[*i].family != family)
            ++*i;
        if (*i < n)
            out[count++] = ips[(*i)++];
        else if (at[family != ADDER_IP_V6] >= n)
            break;
        family = family == ADDER_IP_V6 ? ADDER_IP_V4 : ADDER_IP_V6;
    }
    return count;
}

static adder_err_t begin(adder_conn_resolver_t *r, const adder_net_t *net, const void *user, const char *host,
                         uint32_t now_ms)
{
    uint32_t features;
    (void)has_own_v6(net, &features);
    r->priv.results[0] = adder_dns_query_start(&r->priv.queries[0], r->priv.dns, host, ADDER_IP_V4, now_ms);
    r->priv.results[1] = ADDER_ERR_NOT_FOUND;
    if (features & ADDER_NET_HAS_V6)
        r->priv.results[1] =
            adder_dns_query_start(&r->priv.queries[1], r->priv.dns, host, ADDER_IP_V6, now_ms);
    if (r->priv.results[0] != ADDER_OK) /* not a host name */
        return r->priv.results[0];
    r->priv.results[0] = ADDER_ERR_AGAIN;
    if (r->priv.results[1] == ADDER_OK)
        r->priv.results[1] = ADDER_ERR_AGAIN;
    r->priv.user = user;
    return ADDER_OK;
}

static adder_err_t need_socket(adder_conn_resolver_t *r, const adder_net_t *net)
{
    static const adder_endpoint_t any;
    if (r->priv.has_sock)
        return ADDER_OK;
    adder_err_t err = net->ops->open(net->ctx, ADDER_NET_UDP, ADDER_IP_NONE, &r->priv.sock);
    if (err != ADDER_OK)
        return err;
    r->priv.has_sock = true;
    return net->ops->bind(net->ctx, r->priv.sock, &any);
}

static void give(adder_conn_resolver_t *r, const adder_endpoint_t *from, const uint8_t *bytes, size_t len,
                 uint32_t now_ms)
{
    for (unsigned i = 0; i < 2; i++) {
        if (r->priv.results[i] == ADDER_ERR_AGAIN &&
            adder_dns_query_in(&r->priv.queries[i], from, bytes, len, now_ms))
            return;
    }
}

static adder_err_t receive(adder_conn_resolver_t *r, const adder_net_t *net, uint32_t now_ms)
{
    uint8_t buf[ADDER_DNS_REPLY];
    adder_endpoint_t from;
    size_t n;
    for (unsigned i = 0; i < DATAGRAMS && r->priv.has_sock; i++) {
        adder_err_t err = net->ops->recv(net->ctx, r->priv.sock, buf, sizeof buf, &n, &from);
        if (err == ADDER_ERR_AGAIN)
            return ADDER_OK;
        if (err != ADDER_OK)
            return err;
        if (n <= sizeof buf)
            give(r, &from, buf, n, now_ms);
    }
    return ADDER_OK;
}

/* What a query has to send. A socket that cannot be had, or fails, ends both. */
static adder_err_t send_one(adder_conn_resolver_t *r, const adder_net_t *net, adder_dns_query_t *q,
                            uint32_t now_ms)
{
    uint8_t buf[ADDER_DNS_REQUEST];
    adder_endpoint_t to;
    size_t len, n;
    if (adder_dns_query_out(q, buf, sizeof buf, &len, &to) != ADDER_OK)
        return ADDER_OK;
    adder_err_t err = need_socket(r, net);
    if (err == ADDER_OK)
        err = net->ops->send(net->ctx, r->priv.sock, &to, buf, len, &n);
    if (err == ADDER_ERR_NOT_FOUND || err == ADDER_ERR_REFUSED) /* this server: the next one may do */
        err = ADDER_OK;
    if (err == ADDER_OK)
        adder_dns_query_sent(q, now_ms);
    return err;
}

/* AGAIN: the stack takes nothing now, so the other query need not try. */
static adder_err_t tick_one(adder_conn_resolver_t *r, const adder_net_t *net, unsigned i, uint32_t now_ms,
                            uint32_t *wait_ms)
{
    uint32_t wait;
    if (r->priv.results[i] != ADDER_ERR_AGAIN)
        return ADDER_OK;
    /* After a send the engine knows how long to wait, and after a reply, whether to send. */
    for (unsigned round = 0; round < 2; round++) {
        r->priv.results[i] = adder_dns_query_tick(&r->priv.queries[i], now_ms, &wait);
        if (r->priv.results[i] != ADDER_ERR_AGAIN)
            return ADDER_OK;
        if (wait > 0)
            break;
        adder_err_t err = send_one(r, net, &r->priv.queries[i], now_ms);
        if (err == ADDER_ERR_AGAIN)
            *wait_ms = BUSY_MS;
        if (err != ADDER_OK)
            return err;
    }
    if (wait < *wait_ms)
        *wait_ms = wait;
    return ADDER_OK;
}

/* Both answers, or the one there is. */
static adder_err_t collect(const adder_conn_resolver_t *r, const adder_net_t *net, adder_ip_t *out,
                           size_t cap, uint8_t *n_out)
{
    adder_ip_t ips[2 * ADDER_DNS_IPS];
    size_t n = 0;
    for (unsigned i = 0; i < 2; i++) {
        const adder_dns_query_t *q = &r->priv.queries[i];
        for (size_t k = 0; r->priv.results[i] == ADDER_OK && k < q->n_ips; k++)
            ips[n++] = q->ips[k];
    }
    *n_out = adder_conn_order(net, ips, n, out, cap);
    if (*n_out > 0)
        return ADDER_OK;
    return r->priv.results[0] != ADDER_ERR_NOT_FOUND ? r->priv.results[0] : r->priv.results[1];
}

adder_err_t adder_conn_resolve(adder_conn_resolver_t *r, const adder_net_t *net, const void *user,
                               const char *host, uint32_t now_ms, adder_ip_t *out, size_t cap, uint8_t *n_out,
                               uint32_t *wait_ms_out)
{
    *n_out = 0;
    *wait_ms_out = BUSY_MS;
    if (r->priv.user != NULL && r->priv.user != user)
        return ADDER_ERR_AGAIN;
    adder_err_t err = r->priv.user == NULL ? begin(r, net, user, host, now_ms) : receive(r, net, now_ms);
    bool were_both = r->priv.results[0] == ADDER_ERR_AGAIN && r->priv.results[1] == ADDER_ERR_AGAIN;
    *wait_ms_out = ADDER_NET_FOREVER;
    for (unsigned i = 0; i < 2 && err == ADDER_OK; i++)
        err = tick_one(r, net, i, now_ms, wait_ms_out);
    if (err == ADDER_ERR_AGAIN)
        err = ADDER_OK;
    bool pending[2] = {r->priv.results[0] == ADDER_ERR_AGAIN, r->priv.results[1] == ADDER_ERR_AGAIN};
    if (err == ADDER_OK && were_both && pending[0] != pending[1])
        r->priv.one_ms = now_ms;
    if (err == ADDER_OK && (pending[0] || pending[1])) {
        bool one = r->priv.results[0] == ADDER_OK || r->priv.results[1] == ADDER_OK;
        uint32_t waited = now_ms - r->priv.one_ms;
        if (!one)
            return ADDER_ERR_AGAIN;
        if (waited < ADDER_CONN_GRACE_MS) {
            if (*wait_ms_out > ADDER_CONN_GRACE_MS - waited)
                *wait_ms_out = ADDER_CONN_GRACE_MS - waited;
            return ADDER_ERR_AGAIN;
        }
    }
    if (err == ADDER_OK)
        err = collect(r, net, out, cap, n_out);
    adder_conn_resolve_release(r, net, user);
    return err;
}
