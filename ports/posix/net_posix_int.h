/* What the files of the stack over this computer's sockets share:
 *
 *     net_posix.c         link, sockets' life, binding, connecting
 *     net_posix_data.c    moving bytes, readiness
 *     net_posix_names.c   names */
#ifndef ADDER_NET_POSIX_INT_H
#define ADDER_NET_POSIX_INT_H

#include "ports/posix/net_posix.h"

enum { POSIX_FREE, POSIX_FRESH, POSIX_RESOLVING, POSIX_CONNECTING, POSIX_CONNECTED, POSIX_LISTENING };
enum { POSIX_DATAGRAM_MAX = 65507 };

typedef adder_posix_net_t net_t;
typedef adder_posix_sock_t sock_t;

static inline sock_t *sock_at(net_t *n, uint16_t i)
{
    return i < n->priv.c.n_slots && n->priv.c.slots[i].priv.phase != POSIX_FREE ? &n->priv.c.slots[i] : NULL;
}

static inline const adder_posix_hooks_t *hooks_of(const net_t *n)
{
    static const adder_posix_hooks_t none;
    return n->priv.c.hooks != NULL ? n->priv.c.hooks : &none;
}

static inline bool is_stream(const sock_t *s)
{
    return s->priv.kind == ADDER_NET_TCP;
}

/* net_posix.c */
bool posix_link_up(net_t *n);
void posix_watch(net_t *n, int fd, uint32_t events); /* of epoll; each change is told once */
/* The system's socket; `af` AF_INET6 with `both` takes IPv4 too. Nothing to do when it is there. */
adder_err_t posix_make(net_t *n, sock_t *s, int af, bool both);
int posix_af_of(const sock_t *s, const adder_ip_t *other);
adder_err_t posix_fail(sock_t *s, adder_err_t err); /* remember it unless it is AGAIN */
/* Where packets to an address go. */
adder_err_t posix_route(net_t *n, const sock_t *s, const adder_endpoint_t *to, adder_endpoint_t *real_out);

/* net_posix_names.c */
/* AGAIN with *lookup set: to be asked again. */
adder_err_t posix_look_up(net_t *n, posix_lookup_t **lookup, const char *name, adder_ip_family_t family,
                          adder_ip_t *out, size_t cap, size_t *n_out);
adder_err_t posix_net_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                              size_t cap, size_t *n_out);

/* net_posix_data.c: the seam's calls of the same names */
adder_err_t posix_net_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                           size_t len, size_t *n_out);
adder_err_t posix_net_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                           adder_endpoint_t *from_out);
adder_err_t posix_net_ready(void *ctx, uint16_t sock, unsigned *flags_out);
adder_err_t posix_net_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                                adder_endpoint_t *remote_out);

#endif
