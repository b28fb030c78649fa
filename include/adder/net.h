/* The socket-stack seam: what HTTP, MQTT, DNS and the Python socket pools stand on.
 *
 * One table fits a coprocessor that does names, TCP and TLS itself (AirLift), the host's own sockets,
 * an Ethernet chip with IPv4 and IPv6 (W6100) and a scripted stack for tests (src/net/script.h).
 *
 *     uint16_t s;
 *     adder_err_t err = net->ops->open(net->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s);
 *     while ((err = net->ops->connect(net->ctx, s, NULL, &server)) == ADDER_ERR_AGAIN)
 *         pump(net);                                // tick(), then wait as its `wants` says
 *     err = net->ops->send(net->ctx, s, NULL, request, sizeof request, &n);
 *
 * Non-blocking, every call: it does at most one bounded exchange with the device and returns.
 *   ADDER_ERR_AGAIN   not now; nothing was taken or given, the connection lives: call again after tick()
 *   ADDER_ERR_END     (recv) the other side has closed in order and everything was read
 *   ADDER_ERR_CLOSED  the connection is gone: reset, lost, or its device restarted
 *   ADDER_ERR_STATE   not possible on this socket now; also a handle that is not open
 *   anything else     the stack's own cause; on a connected socket it is gone as after CLOSED
 * AGAIN is never an end and an end is never AGAIN. A socket that failed stays failed, with the same
 * answer, until close(). Bytes that arrived before an end or a reset can still be read where the stack
 * has them.
 *
 * A handle is a small number of the stack's, below status.sockets, valid from open() or accept() to
 * close(). TCP sockets send without Nagle's delay and listeners may reuse an address: both always.
 * Buffers are the caller's and are not kept after the call.
 *
 * Threading: one thread at a time; its owner sees to that. RAM: 2 pointers; the rest is the stack's. */
#ifndef ADDER_NET_H
#define ADDER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/ip.h"

typedef enum {
    ADDER_NET_TCP,
    ADDER_NET_UDP,
    ADDER_NET_TLS, /* the device's own TLS: where status.features has ADDER_NET_HAS_TLS */
} adder_net_kind_t;

typedef enum {
    ADDER_NET_LINK_OFF,     /* not started, no cable, not joined */
    ADDER_NET_LINK_JOINING, /* under way: joining, negotiating, waiting for an address */
    ADDER_NET_LINK_UP,      /* has an address */
    ADDER_NET_LINK_FAILED,  /* will not come by itself; `cause` says why */
} adder_net_link_t;

/* status.features */
enum {
    ADDER_NET_HAS_TLS = 1u << 0,
    ADDER_NET_HAS_V6 = 1u << 1,
    ADDER_NET_HAS_SERVERS = 1u << 2,   /* listen and accept */
    ADDER_NET_HAS_MULTICAST = 1u << 3, /* join */
    ADDER_NET_HAS_RESOLVE = 1u << 4,
    ADDER_NET_IS_DIRECT = 1u << 5, /* calls on sockets do all of their work: none leaves something for tick */
};

/* What ready() reports; more than one may be set. */
enum {
    ADDER_NET_READABLE = 1u << 0, /* recv or accept has something, or the end, to give */
    ADDER_NET_WRITABLE = 1u << 1, /* connected, and send would take at least one byte */
    ADDER_NET_FAILED = 1u << 2,   /* the next call on the socket gives the error */
};

#define ADDER_NET_ADDRESSES 4 /* own addresses reported: IPv4, link-local, two global ones */
#define ADDER_NET_SERVERS 3   /* name servers reported */
#define ADDER_NET_HOST_MAX 253
#define ADDER_NET_FOREVER UINT32_MAX

typedef struct {
    adder_net_link_t link;
    adder_err_t cause; /* FAILED: why; else ADDER_OK */
    uint32_t changes;  /* counts link changes, so that one that came and went is seen */
    uint32_t features;
    uint16_t sockets;      /* how many there are at all */
    uint16_t datagram_max; /* payload bytes that send takes on a UDP socket */
    uint8_t n_ips;
    uint8_t n_dns;
    adder_ip_t ips[ADDER_NET_ADDRESSES];
    adder_ip_t gateway; /* NONE: there is none, or it is not known */
    adder_ip_t dns[ADDER_NET_SERVERS];
} adder_net_status_t;

/* What the pump waits for after a tick. */
typedef struct {
    uint32_t wait_us; /* tick again after so long at the latest; 0 = there is more to do now */
    intptr_t signal;  /* also when this fires: a descriptor to poll for reading on a host, a pin number of
                       * the port; -1 = nothing fires, only time tells */
} adder_net_wants_t;

typedef struct {
    /* Drive the device: commands under way, time-outs, link. At most one bounded exchange.
     * An error is the device's (silent, out of step), repeated until it heals; sockets report their own. */
    adder_err_t (*tick)(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out);

    /* As last known; no exchange with the device. Never fails. */
    void (*status)(void *ctx, adder_net_status_t *out);

    /* A socket. `family` V4 or V6; NONE = whichever the first address given to it has.
     * ADDER_ERR_NOMEM (none left), ADDER_ERR_UNSUPPORTED (kind or family). */
    adder_err_t (*open)(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *sock_out);

    /* Give it a local port, 0 = a free one that others cannot guess; `local->ip` NONE = every address.
     * Before connect or listen. A UDP socket receives from here on (or from its first send).
     * ADDER_ERR_IN_USE. */
    adder_err_t (*bind)(void *ctx, uint16_t sock, const adder_endpoint_t *local);

    /* TCP, TLS: start to connect at the first call, with its arguments; AGAIN until it is decided; then OK
     * (again at each further call) or the cause: ADDER_ERR_REFUSED, ADDER_ERR_TIMEOUT, NOT_FOUND (no route,
     * or no such name). UDP: set the address that send with `to` NULL goes to, and take datagrams from it
     * alone; may be set again.
     * `host`: the name to connect to, at most ADDER_NET_HOST_MAX characters, or NULL. TLS needs it: the
     * certificate is checked against it, and a device that resolves needs no `to->ip` (NONE). For TCP a name
     * is used only when `to->ip` is NONE and the stack resolves. */
    adder_err_t (*connect)(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to);

    /* Optional: NULL without HAS_SERVERS. The socket is bound. `backlog` is a wish. */
    adder_err_t (*listen)(void *ctx, uint16_t sock, unsigned backlog);
    /* Optional, as listen. The next connection as a socket of its own; remote_out may be NULL.
     * AGAIN: nobody waits. NOMEM: no socket left, the caller keeps waiting. */
    adder_err_t (*accept)(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out);

    /* Stream (`to` NULL): take 1..len bytes, *n_out says how many; len 0 takes none and is OK.
     * UDP: one datagram, whole or not at all, to `to`, or NULL for the connected address.
     * ADDER_ERR_NOSPACE: longer than a datagram may be. On an error *n_out is 0. */
    adder_err_t (*send)(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                        size_t len, size_t *n_out);

    /* Stream: 1..cap bytes; END once the other side has closed and all is read.
     * UDP: one datagram; *n_out is its length, what exceeds `cap` is dropped (so *n_out > cap tells).
     * from_out may be NULL; IPv4-mapped addresses come out as IPv4. cap 0 on a stream: OK and 0 bytes. */
    adder_err_t (*recv)(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                        adder_endpoint_t *from_out);

    /* The handle is free on return, whatever is returned, and its number may come again. What was taken by
     * send still goes out in order behind it, unless `abort`: then the other side sees a reset where the
     * device can. ADDER_ERR_STATE for a handle that is not open. */
    adder_err_t (*close)(void *ctx, uint16_t sock, bool abort);

    /* ADDER_NET_READABLE and the like. A hint that may be stale: the calls decide. */
    adder_err_t (*ready)(void *ctx, uint16_t sock, unsigned *flags_out);

    /* Both ends; either pointer may be NULL. What is not there or not known has family NONE, port 0. */
    adder_err_t (*endpoints)(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                             adder_endpoint_t *remote_out);

    /* Optional: NULL without HAS_RESOLVE. The addresses of a name, at most `cap`. `family` NONE = any.
     * AGAIN until it is there; the caller repeats the call with the same name and may do something else in
     * between. ADDER_ERR_NOT_FOUND, ADDER_ERR_TIMEOUT. Without it: adder/dns.h over a UDP socket. */
    adder_err_t (*resolve)(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                           size_t *n_out);

    /* Optional: NULL without HAS_MULTICAST. Take what is sent to `group` on a bound UDP socket, or stop. */
    adder_err_t (*join)(void *ctx, uint16_t sock, const adder_ip_t *group, bool member);
} adder_net_ops_t;

typedef struct {
    const adder_net_ops_t *ops;
    void *ctx;
} adder_net_t;

#endif
