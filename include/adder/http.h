/* HTTP/1.1 messages, both sides (RFC 9110, 9112), and http URLs (RFC 3986). Bytes in, bytes out: no I/O.
 *
 *     adder_url_t url;
 *     adder_http_writer_t w; char head[256]; size_t n;
 *     if (adder_url_parse(text, strlen(text), &url, NULL) != ADDER_OK) ...
 *     adder_http_write_request(&w, head, sizeof head, "GET", &url);
 *     adder_http_write_header(&w, "Accept", "text/html");
 *     if (adder_http_write_head_end(&w, ADDER_HTTP_BODY_NONE, 0, &n) != ADDER_OK) ...   // send head[0..n)
 *
 *     adder_http_parser_t p; adder_http_event_t ev; char line[512];
 *     adder_http_response_init(&p, line, sizeof line, false);
 *     for (;;) {                                             // in[0..len) has just been received
 *         adder_err_t err = adder_http_feed(&p, in, len, &used, &ev);
 *         in += used, len -= used;
 *         if (err != ADDER_OK) return fail(adder_http_why_str(p.why));
 *         if (ev.kind == ADDER_HTTP_EV_MORE) ...receive more, or adder_http_eof() when the peer closed
 *         if (ev.kind == ADDER_HTTP_EV_BODY) use(ev.body, ev.body_len);   // inside `in`, nothing is copied
 *         if (ev.kind == ADDER_HTTP_EV_END) break;           // in[0..len) is not of this message
 *     }
 *
 * RAM on 32 bits: parser 72 bytes, writer 48, a URL 28, and the caller's buffers. A line that does not fit
 * the line buffer ends the message: 512 bytes do for APIs, cookies and policies of big sites take 4096; 64 is
 * the least that is useful. No heap; two of anything work. One object is used from one thread at a time.
 *
 * Strict where two readers of one message could disagree on its length: each such case is refused with its
 * own `why`, never guessed. Lines end with CR LF only.
 *
 * Not here: CONNECT, codings other than chunked, HTTP/0.9 and 2, pipelining by the client.
 *
 * Invariants under any input (fuzzed). Parser: 1. nothing outside in[0..len) is read, nothing outside the
 * line buffer is written; 2. body slices lie inside `in`, names and values inside the line buffer; 3. what
 * comes out does not depend on how the input is cut; 4. at most the declared length comes out as body;
 * 5. names are tokens, values hold no CR, LF or NUL; 6. an error stays; 7. each call consumes input or
 * changes the state: a loop until MORE ends; 8. head lines delivered are at most head_max bytes.
 * URL: 9. slices lie inside the text; 10. host, target are visible ASCII; 11. a result of resolve parses
 * as itself and has no dot segments. Writer: 12. what it writes, the parser of the other side reads back. */
#ifndef ADDER_HTTP_H
#define ADDER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* Bytes of all head and trailer lines of a message, 1xx responses before it included. A parser starts with
 * this bound; its `head_max` may be set otherwise right after init. */
#ifndef ADDER_HTTP_HEAD_MAX
#define ADDER_HTTP_HEAD_MAX 16384
#endif
_Static_assert(ADDER_HTTP_HEAD_MAX >= 64, "64 or more");

/* The longest chunk-size line with its extensions (which are ignored). */
#define ADDER_HTTP_CHUNK_LINE_MAX 256

/* ---- why something was refused ---- */

/* clang-format off */
#define ADDER_HTTP_WHYS(X)                                                                                   \
    X(NONE,             "no error")                                                                          \
    X(URL_SCHEME,       "the URL does not begin with http:// or https://")                                   \
    X(URL_USER,         "a user name in the URL is not supported: send an Authorization header")             \
    X(URL_HOST,         "the URL's host is not a host name or address")                                      \
    X(URL_IPV6,         "the URL's IPv6 address is malformed")                                               \
    X(URL_PORT,         "the URL's port is not a number from 1 to 65535")                                    \
    X(URL_BYTE,         "the URL holds a space, control or non-ASCII byte: percent-encode it")               \
    X(URL_LONG,         "the URL is too long for its buffer")                                                \
    X(METHOD,           "the method is not a token")                                                         \
    X(STATUS,           "the status is not a number from 100 to 999")                                        \
    X(NAME,             "a header name is not a token")                                                      \
    X(VALUE,            "a header value holds CR, LF or another control byte")                               \
    X(FRAMING_FIELD,    "Content-Length and Transfer-Encoding are made from the body's kind")                \
    X(HOST_TWICE,       "more than one Host header")                                                         \
    X(HEAD_BUFFER,      "the head does not fit its buffer")                                                  \
    X(BODY_LONG,        "more body than Content-Length announced")                                           \
    X(BODY_SHORT,       "less body than Content-Length announced")                                           \
    X(NOT_HTTP,         "the answer is not HTTP")                                                            \
    X(VERSION,          "the HTTP version is not 1.x")                                                       \
    X(START_LINE,       "malformed status or request line")                                                  \
    X(LINE_LONG,        "a line is longer than the line buffer")                                             \
    X(HEAD_LONG,        "the headers are longer than the limit")                                             \
    X(LINE_END,         "a line does not end with CR LF, or holds a bare CR")                                \
    X(CONTROL_BYTE,     "a control byte in a line")                                                          \
    X(HEADER_FOLD,      "a header is continued on the next line (obs-fold)")                                 \
    X(HEADER_SPACE,     "a space between a header's name and its colon")                                     \
    X(HEADER_COLON,     "a header line without a colon")                                                     \
    X(LENGTH_BAD,       "Content-Length is not a number, or too large")                                      \
    X(LENGTH_CONFLICT,  "two Content-Length headers that differ")                                            \
    X(LENGTH_CHUNKED,   "both Content-Length and Transfer-Encoding")                                         \
    X(CODING,           "a Transfer-Encoding other than chunked, or more than one")                          \
    X(CODING_OLD,       "Transfer-Encoding in an HTTP/1.0 message")                                          \
    X(HOST_MISSING,     "an HTTP/1.1 request without Host")                                                  \
    X(HOST_BAD,         "a malformed Host header")                                                           \
    X(CHUNK_SIZE,       "a chunk size is not hexadecimal, or too large")                                     \
    X(CHUNK_EXT,        "malformed bytes after a chunk size")                                                \
    X(CHUNK_LINE_LONG,  "a chunk-size line is too long")                                                     \
    X(CHUNK_END,        "a chunk is longer than its size says")                                              \
    X(CUT,              "the connection closed before the message was complete")                             \
    X(CLOSED,           "the connection closed without an answer")
/* clang-format on */

typedef enum {
#define ADDER_HTTP_WHY_ENUM(code, text) ADDER_HTTP_WHY_##code,
    ADDER_HTTP_WHYS(ADDER_HTTP_WHY_ENUM)
#undef ADDER_HTTP_WHY_ENUM
        ADDER_HTTP_WHY_COUNT
} adder_http_why_t;

/* The English text, never NULL. */
const char *adder_http_why_str(adder_http_why_t why);

/* A piece of somebody's text; not terminated. */
typedef struct {
    const char *at;
    size_t len;
} adder_http_str_t;

/* Equal without regard to the case of ASCII letters: header names, host names, tokens. */
bool adder_http_str_is(adder_http_str_t s, const char *text);

/* ---- URLs ---- */

typedef struct {
    bool tls;                /* https */
    bool ipv6;               /* host is an IPv6 address, written in brackets */
    uint16_t port;           /* 80 or 443 when not given */
    adder_http_str_t scheme; /* as written */
    adder_http_str_t host;   /* without brackets; 1..253 bytes */
    adder_http_str_t target; /* path and query without the fragment; may be empty or begin with '?' */
} adder_url_t;

/* Take apart `http[s]://host[:port][/path][?query][#fragment]`. `out` points into `text`.
 * The host is letters, digits, '-', '.', '_', or an IPv6 address without zone. In path and query any visible
 * ASCII goes through unchanged (programs for boards send '|' and '[' bare); the fragment may hold no other
 * bytes either.
 *   why_out   may be NULL
 *   ADDER_ERR_UNSUPPORTED   another scheme, or a user name
 *   ADDER_ERR_FORMAT        anything else; `out` is then all zero */
adder_err_t adder_url_parse(const char *text, size_t len, adder_url_t *out,
                            adder_http_why_t *why_out) ADDER_MUST_USE;

/* The URL that `ref` (a Location header) means, seen from `base` (RFC 3986, section 5.2): absolute,
 * //host, /path, path, ?query; dot segments removed, fragment dropped. Written NUL-terminated to `buf`, into
 * which `out` points; `buf` overlaps neither input. A cap of 21 + base's host and target + ref_len always
 * suffices.
 *   ADDER_ERR_NOSPACE   with URL_LONG
 *   else as adder_url_parse */
adder_err_t adder_url_resolve(const adder_url_t *base, const char *ref, size_t ref_len, char *buf, size_t cap,
                              adder_url_t *out, adder_http_why_t *why_out) ADDER_MUST_USE;

/* Same scheme, host and port. After a redirect to another origin do not send Authorization, Cookie and
 * other credentials again. */
bool adder_url_same_origin(const adder_url_t *a, const adder_url_t *b);

typedef enum {
    ADDER_HTTP_REDIRECT_NOT,    /* not a redirect to follow */
    ADDER_HTTP_REDIRECT_KEEP,   /* the same method and body */
    ADDER_HTTP_REDIRECT_TO_GET, /* GET without body */
} adder_http_redirect_t;

/* What a status with a Location asks for (RFC 9110, 15.4): 307, 308 keep; 301, 302 turn POST to GET;
 * 303 turns all but HEAD to GET. How many to follow is the caller's limit. */
adder_http_redirect_t adder_http_redirect(unsigned status, const char *method);

/* ---- writing ---- */

typedef enum {
    ADDER_HTTP_BODY_NONE,
    ADDER_HTTP_BODY_LENGTH, /* Content-Length */
    ADDER_HTTP_BODY_CHUNKED,
    ADDER_HTTP_BODY_UNTIL_CLOSE, /* responses only; the writer adds Connection: close */
} adder_http_body_t;

/* Errors stay: write everything, look at the result of write_head_end. */
typedef struct {
    adder_http_why_t why; /* of the first error */
    struct {
        char *buf;
        size_t cap, len; /* len counts on past cap, to say what would be needed */
        const adder_url_t *url;
        uint64_t left;
        adder_err_t err;
        uint16_t status; /* 0: a request */
        uint8_t body, state;
        bool has_host, has_close, chunk_open;
    } priv;
} adder_http_writer_t;

/* Begin a request. Host is written by write_head_end, unless the caller writes one as a header. `url` and
 * its text are borrowed until then; `buf` until the bytes are sent; `method` is not kept. */
void adder_http_write_request(adder_http_writer_t *w, char *buf, size_t cap, const char *method,
                              const adder_url_t *url);

/* Begin a response. `reason` may be "". 1xx, 204 and 304 go with ADDER_HTTP_BODY_NONE. */
void adder_http_write_response(adder_http_writer_t *w, char *buf, size_t cap, unsigned status,
                               const char *reason);

/* Add a header; nothing is kept. Refused: a name that is no token, a value with CR, LF or another control
 * byte but tab, Content-Length, Transfer-Encoding, a second Host. The values may be UTF-8. */
void adder_http_write_header(adder_http_writer_t *w, const char *name, const char *value);
void adder_http_write_header_str(adder_http_writer_t *w, const char *name, adder_http_str_t value);

/* End the head.
 *   length    BODY_LENGTH: the body's bytes; else ignored. BODY_NONE writes Content-Length: 0 where
 *             the receiver would otherwise wait for a body (responses, POST, PUT, PATCH)
 *             (an answer to HEAD: the length that GET would have, and no body after it)
 *   len_out   bytes of `buf` to send; after ADDER_ERR_NOSPACE the bytes needed
 *   ADDER_ERR_ARG       something was refused: `why`
 *   ADDER_ERR_NOSPACE   buf is too small */
adder_err_t adder_http_write_head_end(adder_http_writer_t *w, adder_http_body_t body, uint64_t length,
                                      size_t *len_out) ADDER_MUST_USE;

/* Room for the framing of a piece of the body. */
#define ADDER_HTTP_FRAME_MAX 24

/* `n` more bytes of body follow: send frame[0..*frame_len_out), which may be empty, then the n bytes.
 * n = 0 does nothing.
 *   ADDER_ERR_RANGE   more than Content-Length (BODY_LONG); nothing may be sent
 *   ADDER_ERR_STATE   before write_head_end or after write_body_end */
adder_err_t adder_http_write_body(adder_http_writer_t *w, size_t n, char frame[ADDER_HTTP_FRAME_MAX],
                                  size_t *frame_len_out) ADDER_MUST_USE;

/* No more body: send the frame.
 *   ADDER_ERR_STATE   less than Content-Length (BODY_SHORT): only closing the connection helps */
adder_err_t adder_http_write_body_end(adder_http_writer_t *w, char frame[ADDER_HTTP_FRAME_MAX],
                                      size_t *frame_len_out) ADDER_MUST_USE;

/* ---- reading ---- */

typedef enum {
    ADDER_HTTP_EV_MORE,   /* all input is consumed; feed more */
    ADDER_HTTP_EV_START,  /* response: value = reason, head.status; request: name = method, value = target */
    ADDER_HTTP_EV_HEADER, /* name, value */
    ADDER_HTTP_EV_HEAD_END, /* the parser's `head` is complete */
    ADDER_HTTP_EV_BODY,     /* body, body_len (never 0): inside the input just fed */
    ADDER_HTTP_EV_TRAILER,  /* name, value, after a chunked body: not to be taken for a header unseen */
    ADDER_HTTP_EV_END,      /* the message is complete; the input behind `used` is not part of it */
} adder_http_event_kind_t;

/* name and value lie in the line buffer: valid until the next call. */
typedef struct {
    adder_http_event_kind_t kind;
    adder_http_str_t name, value;
    const uint8_t *body;
    size_t body_len;
} adder_http_event_t;

typedef struct {
    uint16_t status;  /* responses */
    uint16_t interim; /* the last 1xx that came before, 0 = none: 100 says "send the body" */
    uint8_t minor;    /* of the version: 1 = HTTP/1.1 */
    adder_http_body_t body;
    uint64_t length;      /* Content-Length; else 0. Also set for a response to HEAD */
    bool keep_alive;      /* the connection may carry another message after END */
    bool upgrade;         /* 101: what follows END is another protocol */
    bool expect_continue; /* a request waits for 100 Continue before its body */
} adder_http_head_t;

/* Read `head` from HEAD_END on (head.status from START on). */
typedef struct {
    adder_http_head_t head;
    adder_http_why_t why; /* of the error that stopped it */
    uint32_t head_max;
    struct {
        char *line;
        size_t cap, len;
        uint64_t left;
        uint32_t head_bytes;
        adder_err_t err;
        uint8_t state;
        bool request, no_body, skip, any;
        bool has_length, has_coding, has_host, says_close, says_keep;
    } priv;
} adder_http_parser_t;

/* Begin to read a response; `to_head`: to a HEAD request, so that no body follows. `line` is borrowed until
 * the last event is used. Again before every message. Responses 100 to 199 other than 101 are skipped. */
void adder_http_response_init(adder_http_parser_t *p, char *line, size_t cap, bool to_head);

/* Begin to read a request (a server). */
void adder_http_request_init(adder_http_parser_t *p, char *line, size_t cap);

/* Consume input up to the next event. Call again with the rest until MORE or END comes, also when no input is
 * left: END itself needs none.
 *   used_out   bytes consumed; not defined after an error
 *   ADDER_ERR_FORMAT, ADDER_ERR_UNSUPPORTED (VERSION, CODING)   refused: `why`. Close the connection
 *   ADDER_ERR_NOSPACE   a line or the head is too long: `why` (a server answers 431)
 *   ADDER_ERR_STATE     after END
 * An error stays. */
adder_err_t adder_http_feed(adder_http_parser_t *p, const void *in, size_t len, size_t *used_out,
                            adder_http_event_t *ev_out) ADDER_MUST_USE;

/* The peer has closed. OK: the message was complete, or ends so (END is the event).
 *   ADDER_ERR_CLOSED   not a byte of this message had come: on a kept connection, try again on a new one
 *   ADDER_ERR_END      cut short; what came of the body is not all of it */
adder_err_t adder_http_eof(adder_http_parser_t *p, adder_http_event_t *ev_out) ADDER_MUST_USE;

#endif
