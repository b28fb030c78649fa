/* Asking the computer's own resolver without waiting for it.
 *
 *     sim_lookup_t *l = sim_lookup_start("example.com");
 *     ...
 *     err = sim_lookup_poll(l, ip);      // AGAIN until the answer is there
 *     sim_lookup_close(l);               // at any time; a question under way is abandoned
 *
 * Closing never waits; how many are asked at a time: ports/posix/resolver.h. */
#ifndef SIM_NETWORK_RESOLVER_H
#define SIM_NETWORK_RESOLVER_H

#include <stdint.h>

#include "adder/err.h"

typedef struct sim_lookup sim_lookup_t;

sim_lookup_t *sim_lookup_start(const char *name); /* copied; NULL = out of memory or threads */
/* ADDER_ERR_AGAIN not yet, ADDER_OK with the first IPv4 address, ADDER_ERR_NOT_FOUND no such host,
 * ADDER_ERR_IO the resolver could not be asked. */
adder_err_t sim_lookup_poll(sim_lookup_t *l, uint8_t ip4_out[4]);
void sim_lookup_close(sim_lookup_t *l); /* NULL is fine */

#endif
