/* A body on its way out: where its bytes come from, and the sender that puts a head and its body on a stream
 * in as few calls as it can. What adder/http_exchange.h (requests) and adder/http_server.h (answers) share.
 *
 *     adder_http_payload_t body = adder_http_payload_bytes(json, json_len);   // known and in memory
 *     adder_http_payload_t none = {0};                                         // no body
 *     adder_http_payload_t file = {.kind = ADDER_HTTP_BODY_LENGTH, .length = size, .source = my_file};
 *     adder_http_payload_t live = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = my_readings};
 *
 * Nothing is copied that need not be: a body in memory that fits behind its head goes out with it in one
 * send, else straight from where it is; a source writes into the sender's buffer.
 *
 * Threading: with its owner. RAM on 32 bits: payload 32 bytes, sender 112, and the caller's buffer. */
#ifndef ADDER_HTTP_BODY_H
#define ADDER_HTTP_BODY_H

#include "adder/http.h"
#include "adder/stream.h"

typedef struct {
    const char *name, *value;
    bool secret; /* not to be sent on to another origin: an API key. Authorization, Cookie are so anyway */
} adder_http_header_t;

typedef struct {
    /* Give 1..cap bytes of what comes next.
     * ADDER_ERR_AGAIN: none now, ask later.  ADDER_ERR_END: no more.  Another error ends the message with it;
     * the other side sees that it was cut. */
    adder_err_t (*read)(void *ctx, uint8_t *buf, size_t cap, size_t *n_out);
    /* Begin from the start again (a retry, a redirect). Optional: NULL = it cannot. */
    adder_err_t (*rewind)(void *ctx);
    void *ctx;
} adder_http_source_t;

typedef struct {
    adder_http_body_t kind; /* NONE, LENGTH, CHUNKED; UNTIL_CLOSE for answers. The same that ends the head */
    uint64_t length;        /* LENGTH */
    const void *bytes; /* the body in memory (LENGTH); NULL: from the source. Borrowed until it is sent */
    adder_http_source_t source;
} adder_http_payload_t;

/* `len` bytes in memory; also for len 0. */
adder_http_payload_t adder_http_payload_bytes(const void *bytes, size_t len);

/* Private. */
typedef struct {
    struct {
        adder_http_writer_t writer; /* frames of the body */
        adder_http_payload_t body;
        uint8_t *out;
        size_t cap, at, len; /* out[at..len) is to be sent */
        uint64_t done;       /* of a body in memory: bytes taken */
        uint8_t state;
        bool starved; /* the source had nothing */
        bool more;    /* it stopped for others' sake, not for want of anything */
    } priv;
} adder_http_sender_t;

#endif
