/* An outgoing connection on any stack: name to addresses, each tried in turn, TLS, one deadline; then a
 * stream.
 *
 *     static adder_conn_t c;
 *     adder_conn_config_t config = {.net = &net, .resolver = &resolver, .security = ADDER_CONN_TLS,
 *                                   .tls = &tls, .timeout_ms = 10000};
 *     err = adder_conn_start(&c, &config, "example.org", 11, 443, now_ms);
 *     while (err == ADDER_OK && (err = adder_conn_tick(&c, now_ms, &wait_ms)) == ADDER_ERR_AGAIN)
 *         now_ms = pump(&net, wait_ms);                      // ticks the stack, waits
 *     if (err == ADDER_OK) { adder_stream_t s = adder_conn_stream(&c); ... }
 *     adder_conn_close(&c, false);
 *
 * Names: an address as text is taken as it is; else the stack's own resolver (ADDER_NET_HAS_RESOLVE), else
 * adder/dns.h over a UDP socket of the stack, A and, where the stack has IPv6, AAAA at once (an answer waits
 * at most GRACE_MS for the other). The first family is IPv6 where the stack has an address of its own there
 * that is not link-local; addresses then alternate between the families (as RFC 8305, but one at a time: a
 * coprocessor has few sockets). At most ADDER_CONN_IPS are tried; each gets its share of the time that is
 * left. With the device's own TLS and resolver the name alone is given to the device.
 *
 * The stack is ticked by its owner, not here. A connection that failed holds nothing of the stack.
 *
 * Threading: one thread with its stack. RAM on 32 bits: connection 404 bytes; resolver 916, one for any
 * number of connections, used by one at a time (the others wait). Stack 1900 with the resolver,
 * else 600. Code 2.5 KB. */
#ifndef ADDER_CONN_H
#define ADDER_CONN_H

#include "adder/dns.h"
#include "adder/net.h"
#include "adder/stream.h"

#define ADDER_CONN_IPS 4
#define ADDER_CONN_GRACE_MS 250

/* A TLS layer, so that nothing here knows which (src/tls, a test's). */
typedef struct {
    /* Begin a session over `below` (valid until close) with `host`, to be named and to be checked against
     * the certificate; valid during the call. *session_out goes to the other calls.
     * ADDER_ERR_NOMEM: no session is free. */
    adder_err_t (*open)(void *ctx, adder_stream_t below, const char *host, void **session_out);
    /* ADDER_ERR_AGAIN until it is decided; ADDER_OK; else why not. */
    adder_err_t (*handshake)(void *session);
    /* The stream of plain bytes, from a handshake's OK to close. */
    adder_stream_t (*stream)(void *session);
    /* Free it, whatever its state; say goodbye where that needs no waiting. `below` is still open. */
    void (*close)(void *session);
} adder_conn_tls_ops_t;

typedef struct {
    const adder_conn_tls_ops_t *ops;
    void *ctx;
} adder_conn_tls_t;

typedef enum {
    ADDER_CONN_PLAIN,
    ADDER_CONN_DEVICE_TLS, /* the stack's own: ADDER_NET_HAS_TLS */
    ADDER_CONN_TLS,        /* the layer `tls` over a plain socket */
} adder_conn_security_t;

/* Names through adder/dns.h. Private but for its size. */
typedef struct {
    struct {
        adder_dns_t *dns;
        const void *user; /* the connection that has it now */
        adder_dns_query_t queries[2];
        adder_err_t results[2]; /* [0] A, [1] AAAA */
        uint32_t one_ms;        /* when one of them was decided */
        uint16_t sock;
        bool has_sock;
    } priv;
} adder_conn_resolver_t;

/* `dns` is borrowed for good. */
void adder_conn_resolver_init(adder_conn_resolver_t *r, adder_dns_t *dns);

typedef struct {
    const adder_net_t *net;
    adder_conn_resolver_t *resolver; /* NULL: the stack resolves, or there are only addresses as text */
    adder_conn_security_t security;
    const adder_conn_tls_t *tls; /* ADDER_CONN_TLS */
    uint32_t timeout_ms;         /* for all up to the end of the handshake; 0 = 15 s */
} adder_conn_config_t;

/* Zeroed = closed. May not be moved between start and close. Private. */
typedef struct {
    struct {
        adder_conn_config_t config;
        char host[ADDER_NET_HOST_MAX + 1];
        uint16_t port;
        uint8_t state, n_ips, ip;
        bool has_sock;
        adder_ip_t ips[ADDER_CONN_IPS];
        adder_net_stream_t below;
        void *session;
        adder_err_t cause;   /* of the last address, or of all */
        uint32_t since_ms;   /* start of all */
        uint32_t attempt_ms; /* start of the attempt, or of the wait for the other family */
        uint32_t share_ms;   /* time of the attempt */
    } priv;
} adder_conn_t;

/* Begin; the connection is closed (or zeroed). `config` and `host` are copied, what config points at is
 * borrowed until close. Does not call the stack. ADDER_ERR_ARG           host_len is 0 or over
 * ADDER_NET_HOST_MAX, a NUL in it, port 0, or TLS without `tls` ADDER_ERR_UNSUPPORTED   the stack has no TLS
 * of its own ADDER_ERR_STATE         open or under way */
adder_err_t adder_conn_start(adder_conn_t *c, const adder_conn_config_t *config, const char *host,
                             size_t host_len, uint16_t port, uint32_t now_ms) ADDER_MUST_USE;

/* Get on. The result stays until close.
 *   ADDER_OK              connected and, with TLS, checked
 *   ADDER_ERR_AGAIN       under way; again when the stack has news, in *wait_ms_out at the latest
 *   ADDER_ERR_NOT_FOUND   no such name, or no address that this stack can reach
 *   ADDER_ERR_TIMEOUT     the time is over
 *   ADDER_ERR_NOMEM       no socket or TLS session is free (close another, start again)
 *   ADDER_ERR_FORMAT      not a host name
 *   ADDER_ERR_STATE       not started
 *   else                  the cause of the last address tried, or the TLS layer's */
adder_err_t adder_conn_tick(adder_conn_t *c, uint32_t now_ms, uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The stream of a connection whose tick said OK, until close. */
adder_stream_t adder_conn_stream(adder_conn_t *c);

/* True: the stack has heard nothing of an end of this open connection, on which no answer is under way. A
 * kept connection is looked at so before it is used again. Two exchanges with the device at most. */
bool adder_conn_is_quiet(adder_conn_t *c);

/* Give everything back; in any state, also zeroed, and again. `abort` as of adder/net.h. */
void adder_conn_close(adder_conn_t *c, bool abort);

#endif
