/* What the files of the outgoing connection share. */
#ifndef ADDER_SRC_NET_CONN_INT_H
#define ADDER_SRC_NET_CONN_INT_H

#include "adder/conn.h"

/* The addresses of `host`, the first to try first. The resolver is held by `user` from the first call to an
 * answer that is not AGAIN, or to _release. */
adder_err_t adder_conn_resolve(adder_conn_resolver_t *r, const adder_net_t *net, const void *user,
                               const char *host, uint32_t now_ms, adder_ip_t *out, size_t cap, uint8_t *n_out,
                               uint32_t *wait_ms_out) ADDER_MUST_USE;
void adder_conn_resolve_release(adder_conn_resolver_t *r, const adder_net_t *net, const void *user);

/* Up to `cap` of n addresses, both families in turn, IPv6 first where `net` has an address there. */
uint8_t adder_conn_order(const adder_net_t *net, const adder_ip_t *ips, size_t n, adder_ip_t *out,
                         size_t cap);

#endif
