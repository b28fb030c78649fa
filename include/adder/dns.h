/* A stub resolver for stacks that have none: names to IPv4 or IPv6 addresses over UDP (RFC 1035, 3596).
 *
 *     adder_dns_init(&dns, servers, n_servers, random32, rng, cache, 16);
 *     err = adder_dns_query_start(&q, &dns, "example.org", ADDER_IP_V4, now_ms);
 *     while ((err = adder_dns_query_tick(&q, now_ms, &wait_ms)) == ADDER_ERR_AGAIN) {
 *         if (adder_dns_query_out(&q, buf, sizeof buf, &len, &to) == ADDER_OK &&
 *             send(to, buf, len) == ADDER_OK)
 *             adder_dns_query_sent(&q, now_ms);
 *         if (receive(buf, sizeof buf, &len, &from) == ADDER_OK)
 *             adder_dns_query_in(&q, &from, buf, len, now_ms);
 *     }                                             // ADDER_OK: q.ips[0..q.n_ips)
 *
 * An engine: no sockets, no clock. One query is one name and one family; start two for both, they may
 * share a socket (each takes only what is its own). The socket shall have a port that others cannot
 * guess; the engine draws the ids from the caller's random numbers and takes a reply only from the
 * server's address and port, with the id and the very question. All else is dropped as if it had not come.
 *
 * Servers are asked in turn: ROUNDS times, waiting 1, 2, then 4 s for each; a server that refuses or
 * fails is passed over for the round. Answers stay for their time to live (a day at most), "no such name"
 * for the zone's own time (RFC 2308; 5 minutes at most). A truncated reply is ADDER_ERR_END: there is no
 * TCP here. At most 8 CNAME steps. No search list: a name is asked for as it stands.
 *
 * Answered without a server: addresses written as text, "localhost" and names under it (RFC 6761), and
 * ".invalid". A name whose last label is a number ("127.1", "0x7f000001") is malformed: other parsers
 * take it for an address.
 *
 * Threading: one thread for a resolver and its queries. RAM: adder_dns_t 120 bytes, a query 460,
 * a cache record 140; stack 800. Invariants under any replies (fuzzed):
 *   1. no byte outside the reply is read, and a reply is left after a bounded number of steps;
 *   2. a reply from elsewhere, or to another id or question, changes nothing;
 *   3. a query ends after at most SERVERS * ROUNDS * 9 requests and the sum of their waits;
 *   4. OK comes with 1..ADDER_DNS_IPS addresses of the family asked for; any other result with none;
 *   5. what the cache gives is what the query gave, and not after its time. */
#ifndef ADDER_DNS_H
#define ADDER_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/ip.h"

#define ADDER_DNS_PORT 53
#define ADDER_DNS_SERVERS 3
#define ADDER_DNS_ROUNDS 3
#define ADDER_DNS_IPS 4       /* addresses kept of an answer */
#define ADDER_DNS_REQUEST 272 /* bytes of the longest request */
#define ADDER_DNS_REPLY 512   /* bytes of the longest reply (RFC 1035 section 4.2.1) */
#define ADDER_DNS_CACHED 64   /* longer names (as on the wire) are not cached */

/* One answer kept. Zeroed = free. Private. */
typedef struct {
    uint8_t name[ADDER_DNS_CACHED];
    uint8_t name_len;
    uint8_t family;
    uint8_t n_ips; /* 0: the name has no such address */
    uint8_t ips[ADDER_DNS_IPS][16];
    uint32_t since_ms, ttl_ms;
} adder_dns_record_t;

/* 32 random bits; those of a predictable source let others forge answers. */
typedef uint32_t (*adder_random_fn)(void *ctx);

/* Private but for its size. */
typedef struct {
    struct {
        adder_endpoint_t servers[ADDER_DNS_SERVERS];
        uint8_t n_servers;
        adder_random_fn random;
        void *random_ctx;
        adder_dns_record_t *cache;
        size_t n_cache;
    } priv;
} adder_dns_t;

typedef struct {
    adder_ip_t ips[ADDER_DNS_IPS]; /* the answer, in the server's order */
    uint8_t n_ips;
    struct {
        adder_dns_t *dns;
        adder_err_t result; /* AGAIN = under way */
        adder_err_t cause;  /* what it is when the last attempt ends */
        uint8_t key[ADDER_DNS_CACHED];
        uint8_t key_len; /* 0 = too long to be cached */
        uint8_t name[255];
        uint8_t name_len;
        uint8_t family;
        uint8_t attempt;
        uint8_t hops;
        bool waiting; /* for a reply; else to send */
        uint16_t id;
        uint32_t from_ms, span_ms; /* the wait under way */
        uint32_t ttl_s;            /* smallest of the CNAMEs so far */
    } priv;
} adder_dns_query_t;

/* The servers are copied, the first ADDER_DNS_SERVERS of them; port 0 stands for 53. `cache` is the
 * caller's and stays with the resolver; NULL with n_cache 0 = none. */
void adder_dns_init(adder_dns_t *dns, const adder_ip_t *servers, size_t n_servers, adder_random_fn random,
                    void *random_ctx, adder_dns_record_t *cache, size_t n_cache);
/* Other servers (the network has changed), with their ports; forgets the cache, whose answers may have
 * been that network's own. Queries under way go on with the new ones. */
void adder_dns_set_servers(adder_dns_t *dns, const adder_endpoint_t *servers, size_t n_servers);

/* Begin. The name is copied; a dot at its end is allowed. Drop a query by not calling it again.
 * ADDER_OK: also when the answer is there at once.  ADDER_ERR_FORMAT: not a host name (letters, digits,
 * - and _; non-ASCII names come in their xn-- form).  ADDER_ERR_ARG: family is neither V4 nor V6. */
adder_err_t adder_dns_query_start(adder_dns_query_t *q, adder_dns_t *dns, const char *name,
                                  adder_ip_family_t family, uint32_t now_ms) ADDER_MUST_USE;

/* Time passes. AGAIN: under way, come back in *wait_ms_out at the latest (0: there is something to send).
 * ADDER_OK: done.  ADDER_ERR_NOT_FOUND: no such name, or no address of this family.  TIMEOUT: no server
 * answered.  REFUSED: the servers cannot or will not.  END: the reply was truncated.  FORMAT: a CNAME
 * chain too long or in a circle.  STATE: there is no server. The result stays. */
adder_err_t adder_dns_query_tick(adder_dns_query_t *q, uint32_t now_ms, uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The request to send now. AGAIN: none now. NOSPACE: `cap` is below its length. Until
 * adder_dns_query_sent it may be had again. */
adder_err_t adder_dns_query_out(adder_dns_query_t *q, uint8_t *out, size_t cap, size_t *len_out,
                                adder_endpoint_t *to_out) ADDER_MUST_USE;
/* It was sent, or cannot be: the wait for the reply begins. */
void adder_dns_query_sent(adder_dns_query_t *q, uint32_t now_ms);

/* A datagram has come. True: it was this query's. */
bool adder_dns_query_in(adder_dns_query_t *q, const adder_endpoint_t *from, const uint8_t *bytes, size_t len,
                        uint32_t now_ms);

#endif
