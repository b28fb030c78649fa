/* A small HTTP/1.1 server over any stack that can listen: routes, bodies, answers, without waiting.
 *
 *     static adder_err_t led(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *b,
 * size_t n)
 *     {
 *         if (what != ADDER_HTTP_SERVE_END) return ADDER_OK;                   // the request is all there
 *         set_led(call->param[0]);                                             // "/led/<on>"
 *         return adder_http_call_reply(call, 200, "text/plain", "ok", 2);
 *     }
 *     static const adder_http_route_t routes[] = {{"POST", "/led/<state>", led, NULL}};
 *     static adder_http_call_t calls[2]; static uint8_t memory[2][2048];
 *     adder_http_server_config_t config = {.net = &net, .routes = routes, .n_routes = 1, .calls = calls,
 *                                          .n_calls = 2, .memory = memory[0], .call_bytes = sizeof memory[0],
 *                                          .at = {.port = 80}};
 *     err = adder_http_server_start(&server, &config);
 *     for (;;) { err = adder_http_server_tick(&server, now_ms, &wait_ms); now_ms = pump(&net, wait_ms); }
 *
 * Routes are tried in order. A pattern is a path; a segment `<name>` matches any one segment that is not
 * empty (at most ADDER_HTTP_PARAMS of them, in `param`, decoded), a last segment `*` any rest. Paths are
 * compared decoded, segment by segment, so that %2F never makes a segment. GET routes answer HEAD too (the
 * body is left out by the server). No route of the path: 404; of the path but not of the method: 405 with
 * Allow.
 *
 * A handler may answer at once or later (adder_http_call_reply from anywhere on the same thread; there is no
 * time limit here), before or after it has seen the body. What the body has to give is then read and dropped,
 * up to DRAIN_MAX, to keep the connection. Pipelined requests are served one after another.
 *
 * Answered by itself, with a short text and Connection: close where the next request could not be found: 400
 * malformed, 408 too slow, 413 body over body_max, 414/431 target or head too long for its memory, 417
 * another Expect, 421 a Host that is not one of `hosts`, 500 a handler's error, 501 a method unknown to every
 * route or a transfer coding, 505 another version.
 *
 * Time: a head has to be complete head_ms after its first byte (however slowly it trickles), the rest of a
 * request body_ms after that, an answer's bytes have to move every stall_ms; a connection without a request
 * is closed after idle_ms, and at once when another waits and no call is free.
 *
 * RAM on 32 bits: server 104 bytes, call 360 and its memory: 1/2 the head of the request, 1/4 what comes, 1/4
 * what is sent. Code 5.9 KB and adder/http.h. Stack 700 and the handler's. Threading: one thread with its
 * stack; a handler may not call tick.
 *
 * Invariants under any bytes from clients (fuzzed): 1. nothing outside the memory is touched; 2. answers are
 * well formed, one for each request, in order; 3. a handler sees REQUEST, BODY..., END, DONE in this order,
 * DONE always and once; 4. BODY adds up to the declared length, body_max at most; 5. what clients get does
 * not depend on how their bytes are cut; 6. no socket leaks. */
#ifndef ADDER_HTTP_SERVER_H
#define ADDER_HTTP_SERVER_H

#include "adder/http_body.h"
#include "adder/http_form.h"
#include "adder/net.h"

#define ADDER_HTTP_PARAMS 4
#define ADDER_HTTP_CALL_BYTES_MIN 512
#define ADDER_HTTP_SERVER_DRAIN_MAX 4096

typedef struct adder_http_call adder_http_call_t;

typedef enum {
    ADDER_HTTP_SERVE_REQUEST, /* the head is there: call->method and so on */
    ADDER_HTTP_SERVE_BODY,    /* bytes[0..len), len > 0, of the body. Not after an answer has begun */
    ADDER_HTTP_SERVE_END,     /* the request is complete. Not after an answer has begun */
    ADDER_HTTP_SERVE_DONE,    /* the answer is out, or the client is gone (call->lost): let go of what belongs
                                 to the call; it cannot be answered any more */
} adder_http_serve_t;

/* ADDER_OK; ADDER_ERR_AGAIN (BODY only): not now, the same bytes come again at the next tick; else the call
 * is answered with 500 if an answer has not begun, or cut. */
typedef adder_err_t (*adder_http_handler_fn)(void *ctx, adder_http_call_t *call, adder_http_serve_t what,
                                             const uint8_t *bytes, size_t len);

typedef struct {
    const char *method; /* "*" = any */
    const char *path;   /* begins with '/' */
    adder_http_handler_fn handler;
    void *ctx;
} adder_http_route_t;

/* A connection and the request on it. `user` is the handler's own, zeroed at REQUEST; the texts are
 * NUL-terminated and valid until DONE returns. */
struct adder_http_call {
    const char *method;
    const char *path;                     /* decoded */
    adder_http_str_t query;               /* behind '?', still encoded: adder_http_form_get */
    const char *param[ADDER_HTTP_PARAMS]; /* decoded; NULL behind the last */
    const adder_http_head_t *head;        /* body kind, length, expect_continue */
    adder_endpoint_t remote;
    void *user;
    bool lost; /* at DONE: the client did not get (all of) the answer */
    struct {
        struct adder_http_server *server;
        const adder_http_route_t *route;
        adder_http_parser_t parser;
        adder_http_sender_t sender;
        adder_net_stream_t stream;
        adder_http_str_t raw; /* the path, still encoded */
        char *text;           /* the request's head, piece by piece */
        size_t text_cap, text_len, headers_at, headers_end;
        uint8_t *in;
        size_t in_cap, at, len, give_at, give_len;
        uint64_t body;
        size_t dropped;
        uint32_t since_ms, sent_ms;
        uint8_t state;
        bool open, active, answered, sent, keep, served, bad_expect;
    } priv;
};

typedef struct {
    const adder_net_t *net;
    adder_endpoint_t at; /* ip NONE = every address; port 0 = any, see adder_http_server_port */
    const adder_http_route_t *routes;
    size_t n_routes;
    adder_http_call_t *calls; /* connections at a time */
    size_t n_calls;
    uint8_t *memory; /* n_calls * call_bytes */
    size_t call_bytes;
    const char *const *hosts; /* names that Host may have (its port apart); NULL with n_hosts 0: any. Against
                                 DNS rebinding */
    size_t n_hosts;
    uint64_t body_max;                            /* 0 = 64 KiB */
    uint32_t head_ms, body_ms, stall_ms, idle_ms; /* 0 = 10 s, 60 s, 15 s, 5 s */
} adder_http_server_config_t;

/* Private. */
typedef struct adder_http_server {
    struct {
        adder_http_server_config_t config;
        uint32_t now_ms; /* of the last tick */
        adder_err_t err; /* of the listener */
        uint16_t sock;
        bool open;
    } priv;
} adder_http_server_t;

/* Listen. The config is copied, what it points at borrowed until stop.
 *   ADDER_ERR_ARG           a size below its least, or no call
 *   ADDER_ERR_UNSUPPORTED   the stack has no servers
 *   else                    the cause of open, bind or listen; nothing is held */
adder_err_t adder_http_server_start(adder_http_server_t *s,
                                    const adder_http_server_config_t *config) ADDER_MUST_USE;

/* Accept, read, call handlers, write: a bounded part for each connection.
 * *wait_ms_out: again when the stack has news, or so long after at the latest (0: there is more to do now).
 *   ADDER_OK; else the cause of the listener's failure, at each call until stop; connections go on */
adder_err_t adder_http_server_tick(adder_http_server_t *s, uint32_t now_ms,
                                   uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The port it listens on, 0 = not known. */
uint16_t adder_http_server_port(const adder_http_server_t *s);

/* Close all; handlers of calls under way get DONE. */
void adder_http_server_stop(adder_http_server_t *s);

/* ---- for handlers ---- */

/* The value of a request's header, {NULL, 0} = none; the first of several. Until DONE returns. */
adder_http_str_t adder_http_call_header(const adder_http_call_t *call, const char *name);

/* Answer. `headers`: more header lines; Content-Length and the like come by themselves; "Connection: close"
 * closes after this answer. The body's bytes or source are borrowed until DONE; to HEAD, its length is said
 * and it is not sent. `content_type` NULL: none. ADDER_ERR_STATE     answered already, or over ADDER_ERR_ARG
 * a header or status that cannot be sent, or a body with 204 or 304 ADDER_ERR_NOSPACE   the head is longer
 * than the call's memory for sending After an error nothing was answered. */
adder_err_t adder_http_call_answer(adder_http_call_t *call, unsigned status, const char *content_type,
                                   const adder_http_header_t *headers, size_t n_headers,
                                   const adder_http_payload_t *body) ADDER_MUST_USE;
/* The same with a body in memory and no more headers. */
adder_err_t adder_http_call_reply(adder_http_call_t *call, unsigned status, const char *content_type,
                                  const void *bytes, size_t len) ADDER_MUST_USE;

/* "Not Found" for 404; "" for a status without a name here. */
const char *adder_http_reason(unsigned status);

#endif
