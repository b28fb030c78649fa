/* What the files of src/http share: RFC 9110's character classes. */
#ifndef ADDER_SRC_HTTP_INT_H
#define ADDER_SRC_HTTP_INT_H

#include "adder/http.h"

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

#endif
