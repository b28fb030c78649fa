/* IPv4 and IPv6 addresses: one value type, a strict parser, one printer.
 *
 *     adder_ip_t ip;
 *     char text[ADDER_IP_TEXT];
 *     if (adder_ip_parse("2001:DB8:0:0::1", 15, &ip) == ADDER_OK)
 *         adder_ip_print(&ip, text, sizeof text);          // "2001:db8::1"
 *
 * Parser: RFC 4291 section 2.2 for IPv6 (with the dotted tail), four decimal numbers for IPv4, nothing
 * else. What some parsers take and others read as another address (RFC 6943 section 3.1.1) is refused:
 * "127.1", "010.0.0.1", "0x7f.0.0.1", blanks, signs, a fifth group digit, brackets. A zone stands as a
 * number ("fe80::1%2") on link-local addresses only; a zone's name means nothing away from its machine.
 * Printer: RFC 5952, IPv4-mapped addresses with the dotted tail.
 *
 * Nothing is allocated or kept; safe from any thread. RAM: 24 bytes an address. Invariants under any
 * input (fuzzed):
 *   1. no byte outside text[0..len) is read;
 *   2. what parses prints in ADDER_IP_TEXT bytes, NUL included, and parses again to an equal address;
 *   3. printing is canonical: equal addresses print equal text;
 *   4. what is refused leaves *out as it was. */
#ifndef ADDER_IP_H
#define ADDER_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

typedef enum {
    ADDER_IP_NONE = 0, /* no address; a zeroed adder_ip_t is this */
    ADDER_IP_V4 = 4,
    ADDER_IP_V6 = 6,
} adder_ip_family_t;

typedef struct {
    uint8_t family;    /* adder_ip_family_t */
    uint8_t bytes[16]; /* network order; IPv4 uses the first 4, the rest is zero */
    uint32_t zone;     /* interface of a link-local IPv6 address, 0 = any */
} adder_ip_t;

/* An address with a port, in this machine's byte order. */
typedef struct {
    adder_ip_t ip;
    uint16_t port;
} adder_endpoint_t;

/* Enough for every address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295" and NUL. */
#define ADDER_IP_TEXT 52
/* Enough for every endpoint: brackets, colon and port on top. */
#define ADDER_ENDPOINT_TEXT 60

/* Exactly the `len` bytes of `text`, without NUL.  ADDER_ERR_FORMAT: not an address. */
adder_err_t adder_ip_parse(const char *text, size_t len, adder_ip_t *out) ADDER_MUST_USE;
/* NUL-terminated; family NONE prints as "none". Returns the length without NUL; 0 (and an empty text
 * where cap > 0) when `cap` is too small. */
size_t adder_ip_print(const adder_ip_t *ip, char *out, size_t cap);
/* "192.0.2.1:80", "[2001:db8::1]:80"; as adder_ip_print otherwise. */
size_t adder_endpoint_print(const adder_endpoint_t *e, char *out, size_t cap);

adder_ip_t adder_ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
adder_ip_t adder_ip_v6(const uint8_t bytes[16]);

/* ::ffff:a.b.c.d as a.b.c.d, anything else unchanged. What comes in from outside goes through this
 * before it is compared: the same host must not have two names (RFC 6943 section 3.1.4). Stacks do so
 * themselves. */
adder_ip_t adder_ip_unmap(const adder_ip_t *ip);
/* Family, bytes and zone. A mapped address is not its IPv4 address here: unmap first. */
bool adder_ip_equal(const adder_ip_t *a, const adder_ip_t *b);
bool adder_endpoint_equal(const adder_endpoint_t *a, const adder_endpoint_t *b);

bool adder_ip_is_any(const adder_ip_t *ip);        /* 0.0.0.0, ::, or NONE */
bool adder_ip_is_loopback(const adder_ip_t *ip);   /* 127/8, ::1 */
bool adder_ip_is_link_local(const adder_ip_t *ip); /* 169.254/16, fe80::/10 */
bool adder_ip_is_multicast(const adder_ip_t *ip);  /* 224/4, ff00::/8 */

#endif
