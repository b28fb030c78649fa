/* Forms, queries and Basic authentication: percent-encoding both ways (application/x-www-form-urlencoded).
 *
 *     adder_http_form_t f; char buf[128]; size_t n;
 *     adder_http_form_init(&f, buf, sizeof buf);
 *     adder_http_form_put(&f, "name", "J\xc3\xbcrgen & Co", 13);        // name=J%C3%BCrgen+%26+Co
 *     err = adder_http_form_end(&f, &n);
 *
 *     adder_http_str_t rest = query, name, value;                        // what follows '?', or a form's
 * body while (adder_http_form_next(&rest, &name, &value)) err = adder_http_form_decode(value, buf, sizeof
 * buf, &n);
 *
 * Nothing is kept; safe from any thread. RAM: a form 12 bytes on 32 bits. Code 1.3 KB. */
#ifndef ADDER_HTTP_FORM_H
#define ADDER_HTTP_FORM_H

#include "adder/http.h"

/* The Content-Type that goes with a form. */
#define ADDER_HTTP_FORM_TYPE "application/x-www-form-urlencoded"

typedef struct {
    struct {
        char *buf;
        size_t cap, len; /* len counts on past cap */
    } priv;
} adder_http_form_t;

void adder_http_form_init(adder_http_form_t *f, char *buf, size_t cap);
/* Add a pair; any bytes. Letters, digits and * - . _ stay, a space becomes '+', all else %XX. */
void adder_http_form_put(adder_http_form_t *f, const char *name, const char *value, size_t value_len);
/* len_out: bytes written; after ADDER_ERR_NOSPACE the bytes needed. Not terminated. */
adder_err_t adder_http_form_end(adder_http_form_t *f, size_t *len_out) ADDER_MUST_USE;

/* The next pair, still encoded, and *rest moves on; empty pieces ("a=1&&b=2") are passed over. False: none
 * left. A piece without '=' is a name with an empty value. */
bool adder_http_form_next(adder_http_str_t *rest, adder_http_str_t *name_out, adder_http_str_t *value_out);

/* Decode %XX and '+'. `out` may be where `in` is (it never gets longer); not terminated.
 *   ADDER_ERR_FORMAT    '%' without two hexadecimal digits
 *   ADDER_ERR_NOSPACE   *len_out is what it takes */
adder_err_t adder_http_form_decode(adder_http_str_t in, char *out, size_t cap,
                                   size_t *len_out) ADDER_MUST_USE;
/* The same for a path, where '+' is itself. */
adder_err_t adder_http_path_decode(adder_http_str_t in, char *out, size_t cap,
                                   size_t *len_out) ADDER_MUST_USE;

/* The decoded value of the first pair of that name, NUL-terminated (cap counts the NUL).
 *   ADDER_ERR_NOT_FOUND   there is none
 *   ADDER_ERR_FORMAT      malformed, or with a NUL in it
 *   ADDER_ERR_NOSPACE     *len_out + 1 is what it takes */
adder_err_t adder_http_form_get(adder_http_str_t query, const char *name, char *out, size_t cap,
                                size_t *len_out) ADDER_MUST_USE;

/* "Basic dXNlcjpw..." NUL-terminated: the value of an Authorization header (RFC 7617, UTF-8).
 *   ADDER_ERR_ARG       a colon in the user name, or a control byte
 *   ADDER_ERR_NOSPACE   6 + 4 * (bytes of both + 3) / 3 + 1 suffice */
adder_err_t adder_http_basic_write(const char *user, const char *password, char *out,
                                   size_t cap) ADDER_MUST_USE;

/* Whether an Authorization header's value is that of user and password. The time it takes depends on the
 * lengths only, not on how much agrees. */
bool adder_http_basic_is(adder_http_str_t value, const char *user, const char *password);

#endif
