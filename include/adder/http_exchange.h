/* One HTTP request and its response over a stream, without waiting: the engine below HTTP clients.
 *
 *     static char out[512], line[512]; static uint8_t in[1024];
 *     adder_http_writer_t w; size_t n;
 *     adder_http_write_request(&w, out, sizeof out, "GET", &url);
 *     if (adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n) != ADDER_OK) ...
 *     adder_http_exchange_t x;
 *     adder_http_exchange_config_t c = {.out = out, .out_cap = sizeof out, .in = in, .in_cap = sizeof in,
 *                                       .line = line, .line_cap = sizeof line, .on_head = seen};
 *     adder_http_exchange_start(&x, &c, stream, &w, n, "GET", NULL);
 *     while ((err = adder_http_exchange_step(&x)) == ADDER_ERR_AGAIN) pump();        // then x.head->status
 *     while ((err = adder_http_exchange_read(&x, buf, sizeof buf, &n)) != ADDER_ERR_END)
 *         if (err == ADDER_OK) use(buf, n); else if (err == ADDER_ERR_AGAIN) pump(); else return err;
 *     keep = adder_http_exchange_keep(&x);
 *
 * Calls of the stream: a request whose body fits behind its head in `out` is one send. A body in memory is
 * sent from where it is. The head is received in blocks of in_cap; of the body, what came with the head is
 * copied out and the rest is received straight into the caller's buffer, as much at once as the body and
 * the buffer allow; chunks smaller than `in` go through `in`, several with one call.
 *
 * The other side may answer before it has seen all of the body. An answer of 300 or above ends the sending
 * and with it the connection; after any other the body goes on beside the reading. A send that fails does
 * not yet end the exchange: the reason may be on its way (413 and a close), so the answer is read first.
 * With "Expect: 100-continue" in its head (`expect`), a request's body waits for 100 or a final answer;
 * the owner's clock ends the wait with adder_http_exchange_go_on(), a second being usual.
 *
 * Buffers: `out` holds the head that the writer made in it; what is more is used for the body, and a body
 * from a source needs 64 bytes behind the head or after it is sent. `in` 32 bytes at least; `line` as
 * adder/http.h says. RAM on 32 bits: 272 bytes and the buffers; stack 400 and the source's; code 2.4 KB
 * and that of adder/http.h. Threading: one thread.
 *
 * Invariants under any bytes from the other side (fuzzed): 1. nothing outside the buffers is touched; 2. the
 * body read is the body sent, whatever the pieces, the AGAINs and the sizes asked for; 3. an error stays, and
 * after it or END the stream is not called again; 4. keep() only if the request went out whole, the
 * response was read to its end and not a byte behind it came; 5. a call makes at most 32 sends
 * and 17 receives, of which one brings body. */
#ifndef ADDER_HTTP_EXCHANGE_H
#define ADDER_HTTP_EXCHANGE_H

#include "adder/http.h"
#include "adder/http_body.h"
#include "adder/stream.h"

/* A line of the response: START (value = reason; the status is in `head`), HEADER, TRAILER (name, value), as
 * it comes, valid during the call. Anything but ADDER_OK ends the exchange with it (AGAIN is not for here).
 */
typedef adder_err_t (*adder_http_on_head_fn)(void *ctx, const adder_http_head_t *head,
                                             const adder_http_event_t *ev);

typedef struct {
    char *out; /* where the head was written */
    size_t out_cap;
    uint8_t *in;
    size_t in_cap;
    char *line; /* the parser's line buffer */
    size_t line_cap;
    adder_http_on_head_fn on_head; /* NULL: only `head` is of interest */
    void *ctx;
    bool expect; /* the head says Expect: 100-continue */
} adder_http_exchange_config_t;

/* What it waits for when it says AGAIN; several may be set. */
enum {
    ADDER_HTTP_WANTS_RECV = 1u << 0,
    ADDER_HTTP_WANTS_SEND = 1u << 1,
    ADDER_HTTP_WANTS_SOURCE = 1u << 2, /* the source of the request's body had nothing */
    ADDER_HTTP_WANTS_NOW = 1u << 3,    /* nothing: it has done enough for one call */
};

/* Fields outside of `priv` are to be read. */
typedef struct {
    const adder_http_head_t *head; /* complete once step() said OK */
    adder_http_why_t why;          /* of ADDER_ERR_FORMAT, UNSUPPORTED, NOSPACE, and of CLOSED */
    uint64_t moved;                /* bytes sent and received: whether there is progress */
    bool received;                 /* a byte of a response has come: no blind retry any more */
    bool body_begun;               /* the source was read: a retry has to rewind it */
    bool complete;                 /* the response is read to its end; may be true as step() says OK */
    struct {
        adder_http_exchange_config_t c;
        adder_stream_t stream;
        adder_http_sender_t sender;
        adder_http_parser_t parser;
        size_t at, len; /* in[at..len) is not looked at yet */
        adder_err_t err, send_err;
        uint8_t state;
        bool hold; /* the body waits for 100 */
        bool send_full;
        bool more;    /* it stopped for others' sake */
        bool stopped; /* the answer makes the rest of the request useless */
    } priv;
} adder_http_exchange_t;

/* Begin. `w` has written head_len bytes into c->out and is not needed any more; the buffers, the body's bytes
 * and what its source stands on are borrowed until the exchange is over. `method` as written ("HEAD" has no
 * body in its answer); not kept. `body` is copied; NULL = none, and its kind and length are those given to
 * write_head_end. Does not call the stream. The object may not be moved afterwards. */
void adder_http_exchange_start(adder_http_exchange_t *x, const adder_http_exchange_config_t *c,
                               adder_stream_t stream, const adder_http_writer_t *w, size_t head_len,
                               const char *method, const adder_http_payload_t *body);

/* Send and receive up to the end of the response's head.
 *   ADDER_OK             the head is there (again at each further call); the body waits to be read
 *   ADDER_ERR_AGAIN      call again when adder_http_exchange_wants() may be had
 *   ADDER_ERR_CLOSED     gone before the answer was whole. `received` false: not a byte of an answer
 *                        came, as on a kept connection that the other side had given up
 *   ADDER_ERR_FORMAT, ADDER_ERR_UNSUPPORTED, ADDER_ERR_NOSPACE   the answer is refused: `why`
 *   ADDER_ERR_STATE      the source ended before its length (why BODY_SHORT)
 *   else                 the cause of the stream, of the source or of on_head */
adder_err_t adder_http_exchange_step(adder_http_exchange_t *x) ADDER_MUST_USE;

/* The next 1..cap bytes of the body, cap > 0. Goes on sending where that is not over. on_head may see the
 * trailers during the call that gives the last bytes.
 *   ADDER_ERR_END      the body is complete (*n_out 0), also for answers that have none
 *   ADDER_ERR_CLOSED   cut short (why CUT): what came is not all of it
 *   ADDER_ERR_STATE    before step() said OK
 *   else as step() */
adder_err_t adder_http_exchange_read(adder_http_exchange_t *x, uint8_t *buf, size_t cap,
                                     size_t *n_out) ADDER_MUST_USE;

/* Do not wait for 100 Continue any longer. */
void adder_http_exchange_go_on(adder_http_exchange_t *x);
/* Whether the body is waiting for 100 Continue. */
bool adder_http_exchange_holds(const adder_http_exchange_t *x);

/* ADDER_HTTP_WANTS_* after AGAIN. */
unsigned adder_http_exchange_wants(const adder_http_exchange_t *x);

/* Whether the connection may carry another request now. */
bool adder_http_exchange_keep(const adder_http_exchange_t *x);

/* Bytes received behind the response: after 101, the beginning of the other protocol. Inside `in`. */
const uint8_t *adder_http_exchange_rest(const adder_http_exchange_t *x, size_t *n_out);

#endif
