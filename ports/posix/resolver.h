/* Asking this computer's own resolver without waiting for it.
 *
 *     posix_lookup_t *l = posix_lookup_start("example.com", ADDER_IP_NONE);
 *     ...
 *     err = posix_lookup_poll(l, ips, 4, &n);     // AGAIN until the answer is there
 *     posix_lookup_close(l);                      // at any time; a question under way is abandoned
 *
 * Limits: POSIX_LOOKUP_THREADS questions are asked at a time, in a thread each; others wait their turn.
 * A thread keeps what it needs alive by itself, so closing never waits. Safe from any thread; a lookup
 * belongs to one. RAM: 600 bytes and a descriptor each. */
#ifndef ADDER_POSIX_RESOLVER_H
#define ADDER_POSIX_RESOLVER_H

#include <netdb.h>
#include <stddef.h>

#include "adder/err.h"
#include "adder/ip.h"

enum { POSIX_LOOKUP_THREADS = 4, POSIX_LOOKUP_ADDRESSES = 8 };

typedef struct posix_lookup posix_lookup_t;

/* `name` is copied, at most 255 characters; `family` NONE = both. NULL = out of memory or too long. */
posix_lookup_t *posix_lookup_start(const char *name, adder_ip_family_t family);
/* ADDER_ERR_AGAIN not yet; ADDER_OK with the first `cap` addresses in the resolver's order, each once;
 * ADDER_ERR_NOT_FOUND no such host, or none of that family; ADDER_ERR_IO the resolver could not be asked. */
adder_err_t posix_lookup_poll(posix_lookup_t *l, adder_ip_t *out, size_t cap, size_t *n_out);
/* Readable from when poll() has the answer; -1 = there was no descriptor left, only polling tells. */
int posix_lookup_signal(const posix_lookup_t *l);
void posix_lookup_close(posix_lookup_t *l); /* NULL is fine */

/* getaddrinfo(), or what a test puts in its place. */
extern int (*posix_lookup_ask)(const char *name, const char *service, const struct addrinfo *hints,
                               struct addrinfo **out);
extern void (*posix_lookup_free)(struct addrinfo *list);

#endif
