/* This computer's sockets as a stack of adder/net.h.
 *
 *     static adder_posix_sock_t slots[8];
 *     static adder_posix_net_t posix;
 *     err = adder_posix_net_init(&posix, &(adder_posix_net_config_t){.slots = slots, .n_slots = 8});
 *     adder_net_t net = adder_posix_net(&posix);
 *     ...
 *     adder_posix_net_deinit(&posix);
 *
 * TCP and UDP, IPv4 and IPv6, servers, multicast, names. Beyond adder/net.h:
 *   waiting   `wants.signal` is an epoll descriptor: readable when anything happened to any socket. tick()
 *             takes that in; a tick that found something asks to be called again at once.
 *   families  A V6 socket is IPv6 only; one of family NONE that is bound to every address takes both, and
 *             IPv4 addresses come out as such.
 *   UDP       That nobody listens at the other end (ICMP) is not reported, as on a small stack.
 *   close     Bytes not read are thrown away before, so that what was sent still goes out.
 *   names     At most 4 questions at a time; another one drops the oldest.
 *
 * Hooks stand in front of it for a simulated radio: a device's network with its own names, addresses and
 * ports, whose link may be down. The program then sees the addresses it used, not where they led.
 *
 * Threading: one thread at a time. RAM: 350 bytes a slot, 1.5 KB; 1 descriptor, 1 a socket, 1 a name. */
#ifndef ADDER_NET_POSIX_H
#define ADDER_NET_POSIX_H

#include "adder/net.h"
#include "ports/posix/resolver.h"

/* Each may be NULL: this computer's own way. Called from within the stack's calls; none may call it. */
typedef struct {
    /* The addresses of a name. ADDER_OK, ADDER_ERR_NOT_FOUND; ADDER_ERR_AGAIN = ask this computer. */
    adder_err_t (*resolve)(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                           size_t *n_out);
    /* Where packets to an address really go. ADDER_ERR_NOT_FOUND = nowhere. */
    adder_err_t (*route)(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                         adder_endpoint_t *to_out);
    /* Where a port that is bound is on this computer: the address to bind instead. */
    adder_err_t (*place)(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                         adder_endpoint_t *local_out);
    /* What became of it. With this hook a port that cannot be had (taken, or too low) is replaced by a free
     * one, and the device's own number stays `local`. */
    void (*placed)(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                   const adder_endpoint_t *real);
    /* The link and the addresses: `status` comes with the rest filled in, the link up and no address. While
     * the link is not up nothing is connected, sent, accepted or resolved. */
    void (*link)(void *ctx, adder_net_status_t *status);
} adder_posix_hooks_t;

enum { ADDER_POSIX_ROUTES = 4, ADDER_POSIX_LOOKUPS = 4 };

typedef struct {
    struct {
        int fd; /* -1: not made yet */
        int af;
        uint8_t phase, kind, family;
        bool bound, watched;
        adder_err_t failed;
        bool unread;                    /* it failed at sending: what had come before may still be read */
        adder_endpoint_t local, remote; /* as the device has them */
        posix_lookup_t *lookup;         /* of connect() by name */
        struct {
            adder_endpoint_t asked, real;
        } routes[ADDER_POSIX_ROUTES]; /* UDP: the last ones */
        uint8_t n_routes, next_route;
    } priv;
} adder_posix_sock_t;

typedef struct {
    adder_posix_sock_t *slots;        /* borrowed */
    size_t n_slots;                   /* 1..65535 */
    const adder_posix_hooks_t *hooks; /* NULL = none */
    void *hooks_ctx;
    unsigned
        multicast_interface; /* number of the interface for groups, in and out; 0 = the system's choice */
} adder_posix_net_config_t;

/* May be the first member of a struct whose own ops table uses this one's functions. */
typedef struct {
    struct {
        adder_posix_net_config_t c;
        int epoll;
        bool v6, was_up;
        uint32_t changes;
        struct {
            posix_lookup_t *lookup; /* NULL = free */
            adder_ip_family_t family;
            uint32_t age;
            char name[ADDER_NET_HOST_MAX + 1];
        } lookups[ADDER_POSIX_LOOKUPS];
        uint32_t ages;
    } priv;
} adder_posix_net_t;

/* ADDER_ERR_NOMEM: no descriptor to be had. */
adder_err_t adder_posix_net_init(adder_posix_net_t *n, const adder_posix_net_config_t *config) ADDER_MUST_USE;
/* Closes what is open, each as by close(). */
void adder_posix_net_deinit(adder_posix_net_t *n);
adder_net_t adder_posix_net(adder_posix_net_t *n);
/* Every connection ends with ADDER_ERR_CLOSED now, UDP sockets and listeners live on: a device lost its
 * link. tick() does so by itself when the hook says that the link is not up any more. */
void adder_posix_net_drop(adder_posix_net_t *n);

#endif
