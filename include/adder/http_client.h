/* An HTTP client for firmware: kept connections, redirects, retries, several requests at once, no waiting.
 *
 *     static adder_http_slot_t slots[2]; static uint8_t memory[2][2048];
 *     adder_http_client_t client;
 *     adder_http_client_config_t config = {.net = &net, .slots = slots, .n_slots = 2, .memory = memory[0],
 *                                          .slot_bytes = sizeof memory[0]};
 *     adder_http_client_init(&client, &config);
 *
 *     adder_http_fetch_t f = {.method = "GET", .url = "http://example.org/t.json"};
 *     err = adder_http_fetch_start(&f, &client, now_ms);
 *     while (err == ADDER_OK && (err = adder_http_fetch_step(&f, now_ms, &wait_ms)) == ADDER_ERR_AGAIN)
 *         now_ms = pump(&net, wait_ms);
 *     if (err == ADDER_OK && f.head->status == 200)
 *         while ((err = adder_http_fetch_read(&f, buf, sizeof buf, &n, now_ms)) != ADDER_ERR_END) ...
 *     adder_http_fetch_end(&f, now_ms);                       // always; the connection is kept where it may
 * be
 *
 * A fetch takes a slot: an idle one to the same scheme, host and port, else a free one, else the one that has
 * been idle longest; if all are busy it waits. A request on a kept connection that turns out to be dead
 * (not a byte of an answer) is sent once more on a new one if its method is idempotent (or `retry_any`) and
 * its body can be had again.
 *
 * Redirects (adder_http_redirect) are followed `redirects` times, if there is a Location and room for it; the
 * next 3xx is given to the caller as it is. To another origin go no Authorization, Cookie,
 * Proxy-Authorization, Host, nor headers marked `secret`; what was dropped stays dropped. A turn to GET drops
 * the body and its Content-* headers. A body whose source cannot rewind is not sent twice: the redirect is
 * then given to the caller.
 *
 * RAM on 32 bits: slot 688 bytes and its memory (1/4 for what is sent, 1/2 for what comes, 1/4 for the
 * longest line), client 36, fetch 200. The request's head has to fit into slot_bytes / 4. Code 2.9 KB and
 * what is below. Stack 2100 where names go through adder/dns.h. Threading: one thread for a client, its
 * fetches and its stack. */
#ifndef ADDER_HTTP_CLIENT_H
#define ADDER_HTTP_CLIENT_H

#include "adder/conn.h"
#include "adder/http_exchange.h"

#define ADDER_HTTP_SLOT_BYTES_MIN 1024
/* Of a redirect's own body, so much is read to keep the connection; more closes it. */
#define ADDER_HTTP_DRAIN_MAX 2048

/* A connection. Private; zeroed = free. */
typedef struct {
    adder_conn_t conn;
    adder_http_exchange_t x;
    uint32_t since_ms; /* idle since */
    uint8_t state;
    bool tls;
} adder_http_slot_t;

typedef struct {
    const adder_net_t *net;
    adder_conn_resolver_t *resolver; /* see adder/conn.h */
    const adder_conn_tls_t *tls;     /* for https; NULL: the device's own, if it has one */
    adder_http_slot_t *slots;
    size_t n_slots;
    uint8_t *memory; /* n_slots * slot_bytes */
    size_t slot_bytes;
    uint32_t idle_ms;       /* a kept connection is closed after so long; 0 = 30 s */
    const char *user_agent; /* NULL: none is sent; a fetch's own header goes before */
} adder_http_client_config_t;

typedef struct {
    struct {
        adder_http_client_config_t config;
    } priv;
} adder_http_client_t;

/* A request: the caller fills in the first part, zero being a good choice for all but method and url. What it
 * points at is borrowed until fetch_end. */
typedef struct {
    const char *method;
    const char *url;
    const adder_http_header_t *headers;
    size_t n_headers;
    adder_http_payload_t body;
    adder_http_on_head_fn on_head; /* lines of the answer; START begins anew with each answer of a redirect */
    void *ctx;
    char *redirect_buf; /* for redirects: two URLs side by side; NULL: none is followed */
    size_t redirect_cap;
    uint8_t redirects;    /* how many to follow */
    bool expect;          /* Expect: 100-continue, waiting for it 1 s at most */
    bool retry_any;       /* the retry on a dead kept connection, whatever the method */
    uint32_t timeout_ms;  /* without any progress; 0 = 15 s */
    uint32_t deadline_ms; /* for all of it; 0 = none */

    /* to be read */
    const adder_http_head_t *head; /* from step's OK on */
    adder_http_why_t why;          /* of an error */
    adder_url_t at;                /* the URL that answers, after redirects */
    uint8_t followed;              /* redirects so far */
    bool reused;                   /* the last attempt was on a kept connection */

    struct {
        adder_http_client_t *client;
        adder_http_slot_t *slot;
        const char *method; /* may have turned to GET */
        uint64_t moved;
        uint32_t start_ms, progress_ms;
        adder_err_t err;
        size_t drained;
        uint8_t state;
        bool no_body, foreign, retried, half, located, begun;
        adder_url_t next;
    } priv;
} adder_http_fetch_t;

/* The config is copied, what it points at borrowed; the slots become free.
 *   ADDER_ERR_ARG   slot_bytes below the least, or no slot */
adder_err_t adder_http_client_init(adder_http_client_t *c,
                                   const adder_http_client_config_t *config) ADDER_MUST_USE;
/* Close kept connections whose time is over. *wait_ms_out: when the next one's is, ADDER_NET_FOREVER = none.
 */
void adder_http_client_tick(adder_http_client_t *c, uint32_t now_ms, uint32_t *wait_ms_out);
/* Close all kept connections (the network has changed, memory is short). Fetches under way go on. */
void adder_http_client_close_idle(adder_http_client_t *c);

/* Begin. On an error nothing is held and fetch_end need not be called. Does not call the stack.
 *   ADDER_ERR_UNSUPPORTED, ADDER_ERR_FORMAT   the URL: `why`
 *   ADDER_ERR_ARG                             a URL or method that is NULL */
adder_err_t adder_http_fetch_start(adder_http_fetch_t *f, adder_http_client_t *c,
                                   uint32_t now_ms) ADDER_MUST_USE;

/* Get on up to the head of the answer.
 *   ADDER_OK            the head is there: `head`
 *   ADDER_ERR_AGAIN     under way; again when the stack has news, in *wait_ms_out at the latest
 *   ADDER_ERR_TIMEOUT   timeout_ms without progress, or deadline_ms
 *   ADDER_ERR_NOSPACE   the request's head is too long for its slot (HEAD_BUFFER), a Location for
 * redirect_buf (URL_LONG), a line of the answer for its slot ADDER_ERR_ARG       a method or header that
 * cannot be sent: `why` else                as adder_conn_tick and adder_http_exchange_step. An error stays
 */
adder_err_t adder_http_fetch_step(adder_http_fetch_t *f, uint32_t now_ms,
                                  uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The next 1..cap bytes of the body: OK, AGAIN (again when the stack has news, or soon while a body still
 * goes out), END, TIMEOUT, or as adder_http_exchange_read. */
adder_err_t adder_http_fetch_read(adder_http_fetch_t *f, uint8_t *buf, size_t cap, size_t *n_out,
                                  uint32_t now_ms) ADDER_MUST_USE;

/* Over, at any point; the slot is free. The connection is kept if the answer was read to its end and
 * both sides allow it; else it is closed. May be called again, and for a zeroed fetch. */
void adder_http_fetch_end(adder_http_fetch_t *f, uint32_t now_ms);

#endif
