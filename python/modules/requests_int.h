/* adafruit_requests: what its files share.
 *
 *     Session.request()  ->  request_t: what is to be sent, prepared once (requests_prepare.c)
 *                        ->  requests_run(): connection, exchange, second try, redirects (requests_run.c)
 *                        ->  Response, which holds the exchange until its body is read (requests_response.c)
 *
 * The exchange is adder/http_exchange.h over a stream (requests_stream.c): a native socket's own, moved by
 * the pump, or one that calls the methods of whatever object the program's pool gave. */
#ifndef ADDER_PYTHON_REQUESTS_INT_H
#define ADDER_PYTHON_REQUESTS_INT_H

#include "adder/http_exchange.h"
#include "python/layer/py.h"

/* Redirects followed in one request. */
#define REQUESTS_HOPS_MAX 20

/* The longest line of a response's head. */
#ifndef ADDER_REQUESTS_LINE_MAX
#define ADDER_REQUESTS_LINE_MAX 8192
#endif

extern const py_class_t requests_session_class, requests_response_class, requests_request_class;
extern const py_exception_t requests_out_of_retries;

typedef struct {
    py_field_t manager, ssl_context, session_id, last;
} session_t;

/* ---- streams ---- */

/* A connection of a response. `socket` and `error` are fields of the object `owner()` of the struct. */
typedef struct {
    py_field_t socket;
    py_field_t buffer; /* bytearray that recv_into() fills */
    py_field_t error;  /* what a method of the socket raised; the stream said IO then */
    void *owner;       /* the Response's struct */
    bool nonblocking;  /* the socket does not wait now */
    bool says_again;   /* ... and has said EAGAIN before; until then 0 bytes may mean "none yet" or the end */
    bool native;       /* the stream is the pump's: no Python in its calls */
    bool hushed;       /* nothing more is to be asked of the socket: recv says AGAIN */
    bool send_lost;    /* a send raised: do not wait for an answer */
} requests_socket_t;

adder_stream_t requests_stream(requests_socket_t *s, py_t socket);

/* ---- bodies ---- */

/* What is to be sent, in pieces: bytes, and files (anything with read()). Fed into the exchange through a
 * buffer, as only the program's thread may read a file. */
typedef struct {
    py_field_t pieces; /* list; NULL = the body is `bytes`, or there is none */
    py_field_t bytes;
    py_field_t error; /* what a file raised */
    uint64_t length;
    size_t piece, at; /* of a piece that is bytes */
    uint8_t *feed;
    size_t feed_at, feed_len;
    bool has;
    bool in_pieces; /* `pieces` is there: asked without the interpreter */
    bool over, failed;
} requests_body_t;

bool requests_body_make(py_t owner, requests_body_t *b, py_t data, py_t json, py_t files, char *type,
                        size_t type_cap);
adder_http_payload_t requests_body_payload(requests_body_t *b);
/* Begin from the start. */
bool requests_body_rewind(requests_body_t *b);
/* Have something for the source to give; false = a file raised, kept in `error`. */
bool requests_body_feed(py_t owner, requests_body_t *b);
bool requests_body_starved(const requests_body_t *b);

/* ---- the exchange ---- */

typedef struct {
    adder_http_exchange_t x;
    adder_err_t err;
    uint8_t *read_to; /* what read() fills */
    size_t read_cap, read_len;
    requests_body_t *body; /* NULL: there is none, or it is in memory */
    void *body_owner;      /* the request that has it */
    char *out;
    size_t out_cap;
    bool started; /* a status line has been read */
    size_t head_len, head_seen;
    uint8_t scrap[16]; /* for a read that can only find the end */
    uint8_t in[2048];
    char line[ADDER_REQUESTS_LINE_MAX];
    char head[ADDER_HTTP_HEAD_MAX]; /* reason, then name (lower case), value, ..., each with its NUL: no
                                     * longer than the lines they came in */
} requests_exchange_t;

typedef enum { CACHED_NOTHING, CACHED_CONTENT, CACHED_TEXT, CACHED_JSON } requests_cached_t;

typedef struct {
    py_field_t session, headers, reason, cached, request;
    py_field_t bytes; /* the whole body; while it is read, with its length known, what is being filled */
    requests_socket_t socket;
    requests_exchange_t *e; /* NULL: nothing to be read any more */
    uint64_t idle_us;       /* a native socket may be silent for so long */
    uint8_t *loading;       /* the body read so far: in `bytes`, or in memory of its own */
    size_t loaded, loading_cap;
    bool in_place;
    uint16_t status;
    uint8_t cached_kind;
} response_t;

/* ---- a request ---- */

/* How long an awaited exchange has been still. */
typedef struct {
    uint64_t moved, since_us;
    bool waiting;
} requests_patience_t;

typedef struct {
    py_field_t session, method, url, headers, timeout, response;
    py_field_t socket; /* before there is a response */
    py_field_t plain;  /* whose connect() is under way: `socket`, or what it wraps */
    requests_body_t body;
    adder_url_t at; /* into url */
    char content_type[80];
    requests_patience_t patience;
    bool allow_redirects, stream, async, dropped_body, over;
    bool foreign; /* redirected to another origin: credentials stay behind */
    uint8_t tries, hops, state;
} request_t;

/* Arguments of request(): method, url, data, json, headers, stream, timeout, allow_redirects, files. */
py_t requests_prepare(py_t session, const py_val_t *a, bool async);
/* Where to go: checked, spaces escaped. */
bool requests_go_to(py_t self, request_t *q, py_t url);
/* Spaces and the bytes of other alphabets as %XX: no request line may hold them. */
py_t requests_escaped(py_t text);
/* The head into e->out, which it allocates. */
bool requests_write_head(const request_t *q, requests_exchange_t *e, adder_http_writer_t *w, size_t *len_out);

/* Go on: *done: q->response is the answer. Not done (only of an async request): nothing more for now. False:
 * an exception. */
bool requests_step(py_t self, request_t *q, bool *done);

/* Close the socket of no response yet, if there is one, keeping the exception that is pending. */
void requests_drop_socket(py_t self, request_t *q);

/* ---- responses ---- */

/* One step of an exchange: what is left in e->err. */
typedef adder_err_t (*requests_move_fn)(requests_exchange_t *e);
adder_err_t requests_move_head(requests_exchange_t *e);
adder_err_t requests_move_some(requests_exchange_t *e); /* 1..read_cap bytes of the body */
adder_err_t requests_move_all(requests_exchange_t *e);  /* read_cap bytes of it, or to its end */

/* False: nothing has moved for most_us. The wait begins with the first call. */
bool requests_patient(requests_patience_t *p, uint64_t moved, uint64_t most_us);
/* Move once, with a body's next piece before it. */
void requests_move_once(response_t *r, requests_move_fn move);
/* The same without waiting. True with *again: nothing to be had now. False: an exception of settimeout(). */
bool requests_move_async(response_t *r, requests_move_fn move, requests_patience_t *patience, bool *again);
/* Move until e->err is something else than AGAIN; TIMEOUT: nothing came or went for r->idle_us. False: an
 * exception of the waiting (Ctrl-C). */
bool requests_wait(response_t *r, requests_move_fn move);
/* Set the exception of what e->err says of reading a body. */
void requests_raise_read(response_t *r);

/* An empty one with its exchange; its socket is not there yet. */
py_t requests_response_new(py_t session, py_t request, response_t **out);
/* The status line and headers are there: make Python of them. Again for trailers. */
bool requests_response_head(py_t self, response_t *r);
/* Give the connection back: free if it can be used again, else close. */
bool requests_response_close(py_t self, response_t *r);
/* Close the connection, keeping the exception that is pending. */
void requests_response_drop(py_t self, response_t *r);

/* Read the body into r->loading, piece by piece: begin, move, end. `waited`: as requests_wait() said. The end
 * gives null with an exception, None, or with *end the bytes, which then stay in r->bytes. */
bool requests_load_begin(py_t self, response_t *r);
py_t requests_load_end(py_t self, response_t *r, bool waited, bool *end);
/* The body read so, or its cached content; else RuntimeError. */
py_t requests_loaded(const response_t *r);

/* Of the class Response (requests_content.c, requests_async.c). */
py_t requests_get_content(py_t self, void *s);
py_t requests_get_text(py_t self, void *s);
py_t requests_m_json(py_t self, void *s, const py_val_t *a);
py_t requests_m_iter_content(py_t self, void *s, const py_val_t *a);
py_t requests_m_read_async(py_t self, void *s, const py_val_t *a);
extern const py_arg_t requests_iter_args[];

/* What an awaited object's next() returns to let other tasks run for a moment. */
py_t requests_yield(void);
/* ... and to end with a value. */
py_t requests_await_done(py_t value);

/* builtins.<name>: AssertionError, bytes, str */
py_t requests_builtin(const char *name);

#endif
