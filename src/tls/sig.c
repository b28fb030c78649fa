/* EC signatures: R and S side by side, and as DER (X9.62: SEQUENCE { INTEGER r, INTEGER s }). */
#include "adder/identity.h"

#include <string.h>

#define HALF_MAX 48u

/* One number as an INTEGER: leading zeros go, a 0 comes before a top bit. */
static size_t put_integer(uint8_t *out, const uint8_t *number, size_t len)
{
    while (len > 1 && number[0] == 0) {
        number++;
        len--;
    }
    const size_t pad = number[0] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(pad + len);
    out[2] = 0;
    memcpy(out + 2 + pad, number, len);
    return 2 + pad + len;
}

adder_err_t adder_identity_sig_to_der(const uint8_t *raw, size_t raw_len, uint8_t *der, size_t cap,
                                      size_t *n_out)
{
    uint8_t body[2 * (3 + HALF_MAX)];
    const size_t half = raw_len / 2;
    *n_out = 0;
    if (raw_len % 2 != 0 || half == 0 || half > HALF_MAX) {
        return ADDER_ERR_ARG;
    }
    size_t n = put_integer(body, raw, half);
    n += put_integer(body + n, raw + half, half);
    /* At most 102 bytes, so the length is one byte. */
    if (cap < 2 + n) {
        return ADDER_ERR_NOSPACE;
    }
    der[0] = 0x30;
    der[1] = (uint8_t)n;
    memcpy(der + 2, body, n);
    *n_out = 2 + n;
    return ADDER_OK;
}

/* The INTEGER at *at, right-aligned into `half` bytes. */
static bool take_integer(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t half)
{
    const uint8_t *p = *at;
    if (end - p < 3 || p[0] != 0x02 || p[1] == 0 || p[1] > end - p - 2) {
        return false;
    }
    size_t len = p[1];
    p += 2;
    *at = p + len;
    if ((p[0] & 0x80) != 0 || (len > 1 && p[0] == 0 && (p[1] & 0x80) == 0)) {
        return false; /* negative, or longer than need be */
    }
    if (p[0] == 0) {
        p++;
        len--;
    }
    if (len > half) {
        return false;
    }
    memset(out, 0, half - len);
    memcpy(out + half - len, p, len);
    return true;
}

adder_err_t adder_identity_sig_from_der(const uint8_t *der, size_t der_len, uint8_t *raw, size_t raw_len)
{
    const size_t half = raw_len / 2;
    if (raw_len % 2 != 0 || half == 0 || half > HALF_MAX) {
        return ADDER_ERR_ARG;
    }
    if (der_len < 2 || der[0] != 0x30 || der[1] >= 0x80 || der[1] != der_len - 2) {
        return ADDER_ERR_FORMAT;
    }
    const uint8_t *at = der + 2, *const end = der + der_len;
    if (!take_integer(&at, end, raw, half) || !take_integer(&at, end, raw + half, half) || at != end) {
        return ADDER_ERR_FORMAT;
    }
    return ADDER_OK;
}
