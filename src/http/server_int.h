/* The two halves of the server: connections and time (server.c), requests and answers (server_call.c). */
#ifndef ADDER_SRC_HTTP_SERVER_INT_H
#define ADDER_SRC_HTTP_SERVER_INT_H

#include "adder/http_server.h"
#include "src/http/http_int.h"

/* What a connection reads. */
typedef enum {
    ADDER_HTTP_CALL_IDLE, /* nothing of a request has come */
    ADDER_HTTP_CALL_HEAD,
    ADDER_HTTP_CALL_BODY,   /* for the handler */
    ADDER_HTTP_CALL_DROP,   /* an answer has begun: the rest of the body is of no use */
    ADDER_HTTP_CALL_LINGER, /* bytes that cannot be understood any more, so that the answer is not reset away
                             */
    ADDER_HTTP_CALL_ENDED,  /* the request is complete */
} adder_http_call_state_t;

/* Begin to read the next request of a connection. */
void adder_http_call_begin(adder_http_call_t *call, uint32_t now_ms);
/* Take one event of what has been received. False: it needs more, or the request is complete. */
bool adder_http_call_take(adder_http_call_t *call);
/* Answer for the server itself, and close. */
void adder_http_call_refuse(adder_http_call_t *call, unsigned status);
/* The handler's DONE, if it has seen REQUEST. */
void adder_http_call_done(adder_http_call_t *call, bool lost);

/* Find the route; 0, or the status to refuse with. */
unsigned adder_http_call_route(adder_http_call_t *call);
/* The methods that the path has, "GET, HEAD, POST"; cut where `cap` ends. */
void adder_http_call_allow(const adder_http_call_t *call, char *out, size_t cap);

#endif
