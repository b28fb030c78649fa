/* The sockets behind the radio: this computer's, with the names, addresses and ports of the run's network in
 * front of them and the link above them. */
#include "sim/radio.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "ports/posix/net_posix.h"

enum { LOOK_US = 100000 }; /* the page may cut the link at any time */

struct radio_net {
    adder_posix_net_t posix;
    adder_net_t inner;
    adder_posix_sock_t slots[16];
};

/* ---- hooks: the network around ---- */

static adder_err_t hook_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                                size_t cap, size_t *n_out)
{
    sim_radio_t *r = ctx;
    uint8_t ip4[4];
    *n_out = 0;
    if (family == ADDER_IP_V6 || cap == 0)
        return ADDER_ERR_NOT_FOUND;
    const adder_err_t err = sim_network_resolve(sim_chip_network(&r->chip), name, ip4);
    if (err == ADDER_OK) {
        out[0] = adder_ip_v4(ip4[0], ip4[1], ip4[2], ip4[3]);
        *n_out = 1;
    }
    return err;
}

static bool is_own(const sim_radio_t *r, const adder_ip_t *ip)
{
    return (r->address.family != ADDER_IP_NONE && adder_ip_equal(ip, &r->address)) ||
           (r->ap_active && adder_ip_equal(ip, &r->config.ap_ipv4.address));
}

static adder_err_t hook_route(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                              adder_endpoint_t *to_out)
{
    sim_radio_t *r = ctx;
    const sim_network_t *net = sim_chip_network(&r->chip);
    sim_endpoint_t there;
    (void)kind;
    *to_out = *to;
    if (adder_ip_is_multicast(&to->ip))
        return ADDER_OK; /* on this computer's loopback unless there is an outside: see radio_net_create() */
    if (to->ip.family != ADDER_IP_V4)
        return net->outside ? ADDER_OK : ADDER_ERR_NOT_FOUND;
    if (is_own(r, &to->ip)) { /* the board talks to itself: where its ports are */
        to_out->ip = adder_ip_v4(127, 0, 0, 1);
        to_out->port = sim_network_listen_port(net, to->port);
        return ADDER_OK;
    }
    const adder_err_t err = sim_network_route(net, to->ip.bytes, to->port, &there);
    if (err == ADDER_OK)
        *to_out = (adder_endpoint_t){
            .ip = adder_ip_v4(there.ip4[0], there.ip4[1], there.ip4[2], there.ip4[3]), .port = there.port};
    return err;
}

/* Servers are for this computer alone. So is UDP, unless there is an outside to get datagrams from; the port
 * of multicast DNS is that group's, which all programs of a computer share. */
static adder_err_t hook_place(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                              adder_endpoint_t *local_out)
{
    enum { MDNS = 5353 };
    sim_radio_t *r = ctx;
    const sim_network_t *net = sim_chip_network(&r->chip);
    *local_out = (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1),
                                    .port = sim_network_listen_port(net, local->port)};
    if (kind == ADDER_NET_UDP && local->port == MDNS)
        local_out->ip = adder_ip_v4(224, 0, 0, 251);
    else if (kind == ADDER_NET_UDP && net->outside)
        local_out->ip = (adder_ip_t){0};
    return ADDER_OK;
}

static void hook_placed(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                        const adder_endpoint_t *real)
{
    sim_radio_t *r = ctx;
    if (kind == ADDER_NET_TCP)
        sim_chip_log(&r->chip, "server port %u is 127.0.0.1:%u of this computer", local->port, real->port);
    else if (real->port != local->port)
        sim_chip_log(&r->chip, "UDP port %u is port %u of this computer", local->port, real->port);
}

static void hook_link(void *ctx, adder_net_status_t *status)
{
    static const adder_net_link_t links[] = {ADDER_NET_LINK_OFF, ADDER_NET_LINK_OFF, ADDER_NET_LINK_JOINING,
                                             ADDER_NET_LINK_UP, ADDER_NET_LINK_FAILED};
    sim_radio_t *r = ctx;
    status->link = r->ap_active ? ADDER_NET_LINK_UP : links[r->station];
    status->cause = status->link != ADDER_NET_LINK_FAILED       ? ADDER_OK
                    : r->reason == ADDER_WIFI_REASON_NO_NETWORK ? ADDER_ERR_NOT_FOUND
                                                                : ADDER_ERR_REFUSED;
    status->changes = r->link_changes;
    status->n_ips = status->n_dns = 0;
    if (radio_linked(r)) {
        status->ips[status->n_ips++] = r->address;
        status->gateway = r->gateway;
        if (r->dns.family != ADDER_IP_NONE)
            status->dns[status->n_dns++] = r->dns;
    }
    if (r->ap_active)
        status->ips[status->n_ips++] = r->config.ap_ipv4.address;
    if (!sim_chip_network(&r->chip)->outside)
        status->features &= ~(uint32_t)ADDER_NET_HAS_V6;
}

static const adder_posix_hooks_t hooks = {.resolve = hook_resolve,
                                          .route = hook_route,
                                          .place = hook_place,
                                          .placed = hook_placed,
                                          .link = hook_link};

/* ---- the seam: the board's lock, faults and counters around the stack's own ----
 *
 * A silent radio opens and sends nothing; one that restarts has lost its connections. */

static adder_net_t *enter(void *ctx)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    sim_poll(r->chip.board);
    return &r->net->inner;
}

static adder_err_t leave(void *ctx, adder_err_t err)
{
    sim_radio_t *r = ctx;
    sim_leave(r->chip.board);
    return err;
}

static void moved(void *ctx, uint64_t *counter, size_t n)
{
    *counter += n;
    sim_chip_changed(&((sim_radio_t *)ctx)->chip);
}

static adder_err_t net_tick(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    const adder_err_t err = n->ops->tick(n->ctx, now_us, wants_out);
    const uint64_t now = sim_now(r->chip.board);
    uint64_t due = radio_join_due(r);
    if (r->ping.active && r->ping.modelled && r->ping.due_us < due)
        due = r->ping.due_us;
    if (r->ping.active && !r->ping.modelled && now + 1000 < due)
        due = now + 1000;
    if (r->scan.active && r->scan.due_us > now && r->scan.due_us < due)
        due = r->scan.due_us;
    uint64_t wait_us = due <= now ? 0 : due - now;
    if (r->config.enabled && wait_us > LOOK_US)
        wait_us = LOOK_US;
    if (wait_us < wants_out->wait_us)
        wants_out->wait_us = (uint32_t)wait_us;
    return leave(ctx, err);
}

static void net_status(void *ctx, adder_net_status_t *out)
{
    adder_net_t *n = enter(ctx);
    n->ops->status(n->ctx, out);
    ADDER_IGNORE(leave(ctx, ADDER_OK), "the lock alone");
}

static adder_err_t net_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *sock_out)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    adder_err_t err = radio_gate(r);
    if (err == ADDER_OK)
        err = n->ops->open(n->ctx, kind, family, sock_out);
    if (err == ADDER_OK)
        moved(ctx, &r->count.opened, 1);
    return leave(ctx, err);
}

static adder_err_t net_bind(void *ctx, uint16_t sock, const adder_endpoint_t *local)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->bind(n->ctx, sock, local));
}

static adder_err_t net_connect(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->connect(n->ctx, sock, host, to));
}

static adder_err_t net_listen(void *ctx, uint16_t sock, unsigned backlog)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->listen(n->ctx, sock, backlog));
}

static adder_err_t net_accept(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    const adder_err_t err = n->ops->accept(n->ctx, sock, sock_out, remote_out);
    if (err == ADDER_OK)
        moved(ctx, &r->count.opened, 1);
    return leave(ctx, err);
}

static adder_err_t net_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                            size_t len, size_t *n_out)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    *n_out = 0;
    adder_err_t err = radio_gate(r);
    if (err == ADDER_OK)
        err = n->ops->send(n->ctx, sock, to, bytes, len, n_out);
    if (*n_out > 0)
        moved(ctx, &r->count.bytes_out, *n_out);
    return leave(ctx, err);
}

static adder_err_t net_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                            adder_endpoint_t *from_out)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    const adder_err_t err = n->ops->recv(n->ctx, sock, buf, cap, n_out, from_out);
    if (err == ADDER_OK && *n_out > 0)
        moved(ctx, &r->count.bytes_in, *n_out < cap ? *n_out : cap);
    return leave(ctx, err);
}

static adder_err_t net_close(void *ctx, uint16_t sock, bool abort)
{
    sim_radio_t *r = ctx;
    adder_net_t *n = enter(ctx);
    const adder_err_t err = n->ops->close(n->ctx, sock, abort);
    if (err != ADDER_ERR_STATE)
        moved(ctx, &r->count.closed, 1);
    return leave(ctx, err);
}

static adder_err_t net_ready(void *ctx, uint16_t sock, unsigned *flags_out)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->ready(n->ctx, sock, flags_out));
}

static adder_err_t net_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                                 adder_endpoint_t *remote_out)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->endpoints(n->ctx, sock, local_out, remote_out));
}

static adder_err_t net_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                               size_t cap, size_t *n_out)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->resolve(n->ctx, name, family, out, cap, n_out));
}

static adder_err_t net_join(void *ctx, uint16_t sock, const adder_ip_t *group, bool member)
{
    adder_net_t *n = enter(ctx);
    return leave(ctx, n->ops->join(n->ctx, sock, group, member));
}

static const adder_net_ops_t net_ops = {.tick = net_tick,
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

/* ---- life ---- */

adder_err_t radio_net_create(sim_radio_t *r)
{
    r->net = calloc(1, sizeof *r->net);
    if (r->net == NULL)
        return ADDER_ERR_NOMEM;
    const adder_posix_net_config_t config = {
        .slots = r->net->slots,
        .n_slots = r->sockets,
        .hooks = &hooks,
        .hooks_ctx = r,
        .multicast_interface = sim_chip_network(&r->chip)->outside ? 0 : if_nametoindex("lo"),
    };
    const adder_err_t err = adder_posix_net_init(&r->net->posix, &config);
    if (err != ADDER_OK) {
        free(r->net);
        r->net = NULL;
        return err;
    }
    r->net->inner = adder_posix_net(&r->net->posix);
    r->wifi.net = (adder_net_t){.ops = &net_ops, .ctx = r};
    return ADDER_OK;
}

void radio_net_destroy(sim_radio_t *r)
{
    if (r->net != NULL)
        adder_posix_net_deinit(&r->net->posix);
    free(r->net);
    r->net = NULL;
}

void radio_net_close_all(sim_radio_t *r)
{
    adder_posix_net_drop(&r->net->posix);
}

unsigned radio_net_open(const sim_radio_t *r)
{
    return (unsigned)(r->count.opened - r->count.closed);
}
