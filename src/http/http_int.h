/* What the files of src/http share: RFC 9110's character classes, the sender of heads and bodies. */
#ifndef ADDER_SRC_HTTP_INT_H
#define ADDER_SRC_HTTP_INT_H

#include "adder/http.h"
#include "adder/http_body.h"

bool adder_http_is_alpha(char c);
bool adder_http_is_digit(char c);
int adder_http_hex(char c); /* 0..15, -1 = no hexadecimal digit */
bool adder_http_is_token(adder_http_str_t s);
bool adder_http_is_value(adder_http_str_t s);                 /* tab and no other control byte */
bool adder_http_is_visible(adder_http_str_t s);               /* 0x21..0x7e only */
bool adder_http_same(adder_http_str_t a, adder_http_str_t b); /* ASCII case apart */
adder_http_str_t adder_http_trim(adder_http_str_t s);         /* blanks and tabs off both ends */

/* host[:port] as in a URL or a Host header. `out`: host, ipv6, port (0 = not given). */
adder_http_why_t adder_http_authority(adder_http_str_t s, adder_url_t *out);

/* Whether the percent-decoded `in` is `text`; `plus`: '+' is a space. */
bool adder_http_decodes_to(adder_http_str_t in, bool plus, const char *text, size_t len);

/* ---- the sender (adder/http_body.h) ---- */

/* Calls of the stream that one step may make, so that a source without end leaves room for others. */
#define ADDER_HTTP_CALLS_MAX 16
/* What a chunk needs around its data: the frame before it, the last chunk behind it. */
#define ADDER_HTTP_CHUNK_ROOM 32

typedef enum {
    ADDER_HTTP_SENDER_OFF,  /* zeroed */
    ADDER_HTTP_SENDER_BODY, /* more of the body is to be had */
    ADDER_HTTP_SENDER_LAST, /* what is in `out` is all */
    ADDER_HTTP_SENDER_DONE,
    ADDER_HTTP_SENDER_NO_SOURCE, /* the source failed */
    ADDER_HTTP_SENDER_NO_STREAM, /* the stream failed */
} adder_http_sender_state_t;

/* out[at..head_len) is to be sent, then the body. `w` has written the head's end, for its frames. */
void adder_http_sender_begin(adder_http_sender_t *s, const adder_http_writer_t *w, uint8_t *out, size_t cap,
                             size_t at, size_t head_len, const adder_http_payload_t *body);
/* OK: all is out.  AGAIN: the stream takes no more, `starved`: the source gives none, or it has done enough
 * for now; `hold`: the head is out and the body has to wait.  Else the state says who failed. */
adder_err_t adder_http_sender_step(adder_http_sender_t *s, adder_stream_t stream, bool hold,
                                   uint64_t *moved) ADDER_MUST_USE;
/* Whether the body, if begun, can be had from its start again. */
bool adder_http_payload_repeats(const adder_http_payload_t *body);

#endif
