/* Certificates out of what people have: PEM with text around and between, several in one, or DER.
 *
 * Mbed TLS's own reader wants a NUL at the end and counts what it could not read; ours wants neither, and
 * tells text that is no PEM from a certificate that is not understood. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/platform.h>

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----";
static const char end_mark[] = "-----END CERTIFICATE-----";

/* The first place of `mark` in bytes[0..len), or NULL. */
static const uint8_t *find(const uint8_t *bytes, size_t len, const char *mark)
{
    const size_t n = strlen(mark);
    while (len >= n) {
        const uint8_t *at = memchr(bytes, mark[0], len - n + 1);
        if (at == NULL) {
            return NULL;
        }
        if (memcmp(at, mark, n) == 0) {
            return at;
        }
        len -= (size_t)(at + 1 - bytes);
        bytes = at + 1;
    }
    return NULL;
}

bool tls_is_pem(const uint8_t *bytes, size_t len)
{
    return find(bytes, len, "-----BEGIN ") != NULL;
}

static adder_err_t refuse(adder_tls_why_t why, adder_tls_why_t *why_out)
{
    *why_out = why;
    return tls_err_of_why(why);
}

static adder_err_t of_code(int code, adder_tls_why_t *why_out)
{
    return code == 0 ? ADDER_OK
                     : refuse(tls_is_out_of_memory(code) || tls_why_of_code(code) == ADDER_TLS_WHY_MEMORY
                                  ? ADDER_TLS_WHY_MEMORY
                                  : ADDER_TLS_WHY_CERT_PARSE,
                              why_out);
}

/* One block's base64 between its marks. */
static adder_err_t parse_block(mbedtls_x509_crt *list, const uint8_t *text, size_t len,
                               adder_tls_why_t *why_out)
{
    /* Four characters make three bytes; Mbed TLS's decoder checks them before it writes. */
    const size_t cap = len / 4 * 3 + 3;
    size_t n = 0;
    unsigned char *der = mbedtls_calloc(1, cap);
    if (der == NULL) {
        return refuse(ADDER_TLS_WHY_MEMORY, why_out);
    }
    adder_err_t err = ADDER_OK;
    if (mbedtls_base64_decode(der, cap, &n, text, len) != 0 || n == 0) {
        err = refuse(ADDER_TLS_WHY_PEM, why_out);
    } else {
        err = of_code(mbedtls_x509_crt_parse_der(list, der, n), why_out);
    }
    mbedtls_free(der);
    return err;
}

static adder_err_t parse_pem(mbedtls_x509_crt *list, const uint8_t *bytes, size_t len, size_t *n,
                             size_t *skipped, adder_tls_why_t *why_out)
{
    const uint8_t *const end = bytes + len;
    const uint8_t *at = find(bytes, len, begin_mark);
    while (at != NULL) {
        at += sizeof begin_mark - 1;
        const uint8_t *stop = find(at, (size_t)(end - at), end_mark);
        const uint8_t *next = find(at, (size_t)(end - at), begin_mark);
        if (stop == NULL || (next != NULL && next < stop)) {
            return refuse(ADDER_TLS_WHY_PEM, why_out);
        }
        const adder_err_t err = parse_block(list, at, (size_t)(stop - at), why_out);
        if (err == ADDER_OK) {
            ++*n;
        } else if (*why_out == ADDER_TLS_WHY_CERT_PARSE && skipped != NULL) {
            ++*skipped;
        } else {
            return err;
        }
        at = next;
    }
    return ADDER_OK;
}

/* The bytes of the DER element at the start: a SEQUENCE with a definite length. 0 = it is none. */
static size_t der_length(const uint8_t *bytes, size_t len)
{
    if (len < 2 || bytes[0] != 0x30) {
        return 0;
    }
    size_t head = 2, n = bytes[1];
    if ((n & 0x80) != 0) {
        const size_t count = n & 0x7F;
        if (count == 0 || count > 3 || len < 2 + count) {
            return 0;
        }
        n = 0;
        for (size_t i = 0; i < count; i++) {
            n = n << 8 | bytes[2 + i];
        }
        head += count;
    }
    return n <= len - head ? head + n : 0;
}

static adder_err_t parse_der(mbedtls_x509_crt *list, const uint8_t *bytes, size_t len, bool borrow, size_t *n,
                             adder_tls_why_t *why_out)
{
    while (len > 0) {
        const size_t one = der_length(bytes, len);
        if (one == 0) {
            return refuse(*n == 0 ? ADDER_TLS_WHY_PEM_NONE : ADDER_TLS_WHY_CERT_PARSE, why_out);
        }
        const adder_err_t err = of_code(borrow ? mbedtls_x509_crt_parse_der_nocopy(list, bytes, one)
                                               : mbedtls_x509_crt_parse_der(list, bytes, one),
                                        why_out);
        if (err != ADDER_OK) {
            return err;
        }
        ++*n;
        bytes += one;
        len -= one;
    }
    return ADDER_OK;
}

adder_err_t tls_parse_certificates(mbedtls_x509_crt *list, const uint8_t *bytes, size_t len, bool borrow,
                                   size_t *n_out, size_t *skipped_out, adder_tls_why_t *why_out)
{
    size_t n = 0;
    *why_out = ADDER_TLS_WHY_NONE;
    if (skipped_out != NULL) {
        *skipped_out = 0;
    }
    adder_err_t err = len > 0 && bytes[0] == 0x30 ? parse_der(list, bytes, len, borrow, &n, why_out)
                                                  : parse_pem(list, bytes, len, &n, skipped_out, why_out);
    *n_out = n;
    if (err != ADDER_OK || n > 0) {
        *why_out = err == ADDER_OK ? ADDER_TLS_WHY_NONE : *why_out;
        return err;
    }
    return refuse(skipped_out != NULL && *skipped_out > 0 ? ADDER_TLS_WHY_CERT_PARSE
                  : tls_is_pem(bytes, len)                ? ADDER_TLS_WHY_PEM
                                                          : ADDER_TLS_WHY_PEM_NONE,
                  why_out);
}
