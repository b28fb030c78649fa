/* What a co-processor asks: one IPv4 address. The asking is ports/posix/resolver.h. */
#include "sim/network_resolver.h"

#include <string.h>

#include "ports/posix/resolver.h"

/* The question itself under another name. */
static posix_lookup_t *question(sim_lookup_t *l)
{
    return (posix_lookup_t *)l;
}

sim_lookup_t *sim_lookup_start(const char *name)
{
    return (sim_lookup_t *)posix_lookup_start(name, ADDER_IP_V4);
}

adder_err_t sim_lookup_poll(sim_lookup_t *l, uint8_t ip4_out[4])
{
    adder_ip_t ip = {0};
    size_t n;
    const adder_err_t err = posix_lookup_poll(question(l), &ip, 1, &n);
    memcpy(ip4_out, ip.bytes, 4);
    return err;
}

void sim_lookup_close(sim_lookup_t *l)
{
    posix_lookup_close(question(l));
}
