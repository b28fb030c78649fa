/* Names: by the stack's own resolver, or by adder/dns.h over a socket of it. */
#include "python/modules/net_socket.h"

#include <string.h>

#include "adder/dns.h"

/* ---- by the stack ---- */

typedef struct {
    const adder_net_t *net;
    const char *name;
    adder_ip_family_t family;
    adder_ip_t *out;
    size_t cap, *n_out;
} resolve_t;

static adder_err_t try_resolve(void *ctx)
{
    resolve_t *r = ctx;
    return r->net->ops->resolve(r->net->ctx, r->name, r->family, r->out, r->cap, r->n_out);
}

/* ---- by datagrams ---- */

typedef struct {
    const adder_net_t *net;
    const adder_mcu_t *mcu;
    uint16_t sock;
    adder_dns_t dns;
    adder_dns_query_t query;
} ask_t;

static uint32_t random32(void *ctx)
{
    const adder_mcu_t *mcu = ctx;
    uint8_t b[4] = {0};
    ADDER_IGNORE(mcu->sys->random(mcu->ctx, b, sizeof b), "the id is guessable then; the port is not");
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t now_ms(const ask_t *a)
{
    return (uint32_t)(a->mcu->sys->now_us(a->mcu->ctx) / 1000u);
}

/* Every round of the pump; its waits of a second and more end by the pump's own looking. */
static adder_err_t try_ask(void *ctx)
{
    ask_t *a = ctx;
    const adder_net_t *net = a->net;
    uint8_t message[ADDER_DNS_REPLY];
    adder_endpoint_t peer;
    size_t len;
    uint32_t wait_ms;
    while (net->ops->recv(net->ctx, a->sock, message, sizeof message, &len, &peer) == ADDER_OK) {
        if (len <= sizeof message)
            (void)adder_dns_query_in(&a->query, &peer, message, len, now_ms(a));
    }
    adder_err_t err = adder_dns_query_tick(&a->query, now_ms(a), &wait_ms);
    if (err == ADDER_ERR_AGAIN &&
        adder_dns_query_out(&a->query, message, sizeof message, &len, &peer) == ADDER_OK) {
        size_t sent;
        if (net->ops->send(net->ctx, a->sock, &peer, message, len, &sent) != ADDER_ERR_AGAIN)
            adder_dns_query_sent(&a->query, now_ms(a)); /* or it cannot be: the next server */
    }
    return err;
}

static bool ask(net_stack_t *stack, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                size_t *n_out, adder_err_t *err_out)
{
    ask_t a = {.net = &stack->net, .mcu = py_mcu()};
    adder_net_status_t status;
    net_stack_status(stack, &status);
    adder_dns_init(&a.dns, status.dns, status.n_dns, random32, (void *)(uintptr_t)a.mcu, NULL, 0);
    if ((*err_out = adder_dns_query_start(&a.query, &a.dns, name, family, now_ms(&a))) != ADDER_OK)
        return true;
    py_pump_lock();
    *err_out = a.net->ops->open(a.net->ctx, ADDER_NET_UDP, ADDER_IP_NONE, &a.sock);
    py_pump_unlock();
    if (*err_out != ADDER_OK)
        return true;
    bool ok = net_attempt(stack, try_ask, &a, NET_FOREVER, err_out);
    py_pump_lock();
    ADDER_IGNORE(a.net->ops->close(a.net->ctx, a.sock, false), "the handle is free in any case");
    py_pump_unlock();
    if (!ok || *err_out != ADDER_OK)
        return ok;
    *n_out = a.query.n_ips < cap ? a.query.n_ips : cap;
    memcpy(out, a.query.ips, *n_out * sizeof *out);
    return true;
}

/* ---- either ---- */

bool net_resolve(net_stack_t *stack, const char *name, adder_ip_family_t family, uint64_t timeout_us,
                 adder_ip_t *out, size_t cap, size_t *n_out, adder_err_t *err_out)
{
    *n_out = 0;
    if (cap > 0 && adder_ip_parse(name, strlen(name), out) == ADDER_OK) {
        *n_out = family == ADDER_IP_NONE || out->family == family;
        *err_out = *n_out == 1 ? ADDER_OK : ADDER_ERR_NOT_FOUND;
        return true;
    }
    *err_out = ADDER_ERR_STATE;
    if (!stack->started)
        return true;
    if (stack->net.ops->resolve != NULL) {
        resolve_t r = {&stack->net, name, family, out, cap, n_out};
        return net_attempt(stack, try_resolve, &r, timeout_us, err_out);
    }
    if (family != ADDER_IP_NONE)
        return ask(stack, name, family, out, cap, n_out, err_out);
    if (!ask(stack, name, ADDER_IP_V4, out, cap, n_out, err_out))
        return false;
    return *err_out != ADDER_ERR_NOT_FOUND || ask(stack, name, ADDER_IP_V6, out, cap, n_out, err_out);
}
