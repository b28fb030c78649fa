/* Multicast DNS (RFC 6762) with service discovery (RFC 6763), IPv4: finding services of a local network,
 * and answering for this device's name and services.
 *
 *     adder_mdns_init(&m, services, 4, random32, rng);
 *     adder_mdns_set_host(&m, "cpy-005303", &own_ip, now_ms);
 *     err = adder_mdns_find(&m, "_http", "_tcp", found, 8, 1000, now_ms);
 *     while ((err = adder_mdns_tick(&m, now_ms, &wait_ms)) == ADDER_ERR_AGAIN) {
 *         while (adder_mdns_out(&m, buf, sizeof buf, &len, &to, now_ms) == ADDER_OK)
 *             send(to, buf, len);
 *         if (receive(buf, sizeof buf, &len, &from) == ADDER_OK)
 *             adder_mdns_in(&m, &from, buf, len, now_ms);
 *     }                                             // ADDER_OK: found[0..m.n_found) with an address each
 *
 * An engine: no sockets, no clock. The socket is a UDP one at port ADDER_MDNS_PORT that has joined
 * adder_mdns_group(); with another port it can only find (the answers then come to that port alone, RFC
 * 6762 section 6.7). Messages are checked as far as they are used; what is malformed is dropped whole.
 *
 * Answering: A of the host name; PTR, SRV and TXT of the services; the list of service types. Answers that
 * others may give too wait 20 to 120 ms, are left out when the asker knows them already, and go to the
 * asker alone when it wants that. What is new is announced twice. There is no probing: the host name is
 * expected to be unique (made of a MAC). No IPv6, no NSEC records.
 * Finding: the question goes out at once, after 1 s, 3 s, ...; what an answer leaves out (SRV, A) is asked
 * for. One search at a time.
 *
 * Threading: one thread. RAM: adder_mdns_t 552 bytes, a service 154, a found service 160; stack 1100.
 * Invariants under any messages (fuzzed):
 *   1. no byte outside a message is read, and it is left after a bounded number of steps;
 *   2. n_found never exceeds the caller's `cap`, and each instance is there once;
 *   3. out() writes at most `cap` bytes, and a message that in() takes. */
#ifndef ADDER_MDNS_H
#define ADDER_MDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/ip.h"

#define ADDER_MDNS_PORT 5353
#define ADDER_MDNS_LABEL 63 /* bytes of a host name or an instance name */
#define ADDER_MDNS_TYPE 16  /* characters of a service type, "_" included */
#define ADDER_MDNS_SERVICES 8
#define ADDER_MDNS_TXT 128     /* bytes of a TXT record as on the wire */
#define ADDER_MDNS_MESSAGE 900 /* bytes that out() may need; longer ones may come in */

/* 224.0.0.251 */
adder_ip_t adder_mdns_group(void);

/* A service of this device. Zeroed = free. */
typedef struct {
    char type[ADDER_MDNS_TYPE + 1]; /* "_http" */
    char protocol[5];               /* "_tcp", "_udp" */
    uint16_t port;
    uint8_t txt[ADDER_MDNS_TXT]; /* strings, each with its length in front */
    uint8_t txt_len;
} adder_mdns_service_t;

/* A service of another device. */
typedef struct {
    char instance[ADDER_MDNS_LABEL + 1]; /* "Kitchen lamp" */
    char host[ADDER_MDNS_LABEL + 1];     /* "lamp-12": its name without ".local" */
    uint16_t port;
    adder_ip_t ip; /* NONE: not known (yet) */
    struct {
        bool has_srv;
        uint8_t asked; /* SRV, A: how often */
    } priv;
} adder_mdns_found_t;

typedef uint32_t (*adder_mdns_random_fn)(void *ctx);

/* Private but for n_found. */
typedef struct {
    size_t n_found;
    struct {
        adder_mdns_random_fn random;
        void *random_ctx;
        char host[ADDER_MDNS_LABEL + 1], instance[ADDER_MDNS_LABEL + 1];
        adder_ip_t ip;
        adder_mdns_service_t *services;
        size_t n_services;

        uint8_t announce; /* how often still */
        bool anything_due;
        uint32_t announce_ms, due_ms; /* when what is due goes out */

        struct { /* one answer to one asker */
            bool pending;
            adder_endpoint_t to;
            uint16_t id;
            bool legacy;
            struct adder_mdns_due {
                bool host, types;
                uint8_t services[ADDER_MDNS_SERVICES]; /* records of each service, as bits */
            } due;
            uint16_t asked_type;
            uint8_t asked[255], asked_len; /* the question, to be repeated to a legacy asker */
        } direct;
        struct adder_mdns_due due; /* to everybody */

        struct {
            bool active;
            char type[ADDER_MDNS_TYPE + 1], protocol[5];
            adder_mdns_found_t *found;
            size_t cap;
            uint32_t start_ms, timeout_ms, next_ms, gap_ms, detail_ms;
        } find;
    } priv;
} adder_mdns_t;

/* `services` (at most ADDER_MDNS_SERVICES count) is the caller's and stays with the engine. */
void adder_mdns_init(adder_mdns_t *m, adder_mdns_service_t *services, size_t n_services,
                     adder_mdns_random_fn random, void *random_ctx);

/* This device's name (without ".local") and address; address NONE: it answers for nothing. Announced.
 *   ADDER_ERR_ARG   empty, longer than a label, or with a dot in it */
adder_err_t adder_mdns_set_host(adder_mdns_t *m, const char *host, const adder_ip_t *ip,
                                uint32_t now_ms) ADDER_MUST_USE;
/* The name its services carry: any UTF-8, 1 to 63 bytes. NULL: the host name. ADDER_ERR_ARG. */
adder_err_t adder_mdns_set_instance(adder_mdns_t *m, const char *instance, uint32_t now_ms) ADDER_MUST_USE;
/* Answer for a service; the same type and protocol again changes its port and text.
 *   ADDER_ERR_ARG     a type or protocol that is none ("_http", "_tcp"), txt_len above ADDER_MDNS_TXT
 *   ADDER_ERR_NOMEM   no free service */
adder_err_t adder_mdns_advertise(adder_mdns_t *m, const char *type, const char *protocol, uint16_t port,
                                 const uint8_t *txt, size_t txt_len, uint32_t now_ms) ADDER_MUST_USE;

/* Begin to look; found[] is the caller's until the search has ended. A search under way ends.
 *   ADDER_ERR_ARG   a type or protocol that is none */
adder_err_t adder_mdns_find(adder_mdns_t *m, const char *type, const char *protocol,
                            adder_mdns_found_t *found, size_t cap, uint32_t timeout_ms,
                            uint32_t now_ms) ADDER_MUST_USE;
void adder_mdns_find_end(adder_mdns_t *m);

/* Time passes. AGAIN: a search is under way. ADDER_OK: none is, or its time is over.
 * *wait_ms_out: when to come again at the latest; UINT32_MAX = nothing is due; 0 = out() has something. */
adder_err_t adder_mdns_tick(adder_mdns_t *m, uint32_t now_ms, uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The next message to send. AGAIN: none now. NOSPACE: `cap` below ADDER_MDNS_MESSAGE. */
adder_err_t adder_mdns_out(adder_mdns_t *m, uint8_t *out, size_t cap, size_t *len_out,
                           adder_endpoint_t *to_out, uint32_t now_ms) ADDER_MUST_USE;

/* A datagram has come. */
void adder_mdns_in(adder_mdns_t *m, const adder_endpoint_t *from, const uint8_t *bytes, size_t len,
                   uint32_t now_ms);

#endif
