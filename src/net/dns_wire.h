/* Names of DNS on the wire, for the resolver and for multicast DNS (RFC 1035 sections 3.1 and 4.1.4). */
#ifndef ADDER_DNS_WIRE_H
#define ADDER_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_HEADER = 12, TYPE_A = 1, CLASS_IN = 1 };

typedef struct {
    uint8_t bytes[255]; /* as on the wire, uncompressed, root included */
    uint8_t len;
} dns_name_t;

/* The name at msg[*pos], compressed or not, its case as it came; *pos is moved behind it. False: it is no
 * name, and *pos and *out mean nothing. */
bool dns_read_name(const uint8_t *msg, size_t len, size_t *pos, dns_name_t *out);

static inline uint8_t dns_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

#endif
