/* Mbed TLS's codes and TLS's alerts as reasons. */
#include "src/tls/tls_int.h"

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>

const char *adder_tls_why_str(adder_tls_why_t why)
{
    static const char *const texts[] = {
#define TEXT(code, text) text,
        ADDER_TLS_WHYS(TEXT)
#undef TEXT
    };
    _Static_assert(sizeof texts / sizeof texts[0] == ADDER_TLS_WHY_COUNT, "a text for each");
    return (unsigned)why < ADDER_TLS_WHY_COUNT ? texts[why] : "unknown reason";
}

/* ---- alerts (RFC 5246 section 7.2, and the extensions' own) ---- */

adder_tls_why_t tls_why_of_alert(uint8_t alert)
{
    static const struct {
        uint8_t alert;
        uint8_t why;
    } alerts[] = {
        {10, ADDER_TLS_WHY_ALERT_UNEXPECTED_MESSAGE},      {20, ADDER_TLS_WHY_ALERT_BAD_RECORD_MAC},
        {22, ADDER_TLS_WHY_ALERT_RECORD_OVERFLOW},         {30, ADDER_TLS_WHY_ALERT_DECOMPRESSION_FAILURE},
        {40, ADDER_TLS_WHY_ALERT_HANDSHAKE_FAILURE},       {42, ADDER_TLS_WHY_ALERT_BAD_CERTIFICATE},
        {43, ADDER_TLS_WHY_ALERT_UNSUPPORTED_CERTIFICATE}, {44, ADDER_TLS_WHY_ALERT_CERTIFICATE_REVOKED},
        {45, ADDER_TLS_WHY_ALERT_CERTIFICATE_EXPIRED},     {46, ADDER_TLS_WHY_ALERT_CERTIFICATE_UNKNOWN},
        {47, ADDER_TLS_WHY_ALERT_ILLEGAL_PARAMETER},       {48, ADDER_TLS_WHY_ALERT_UNKNOWN_CA},
        {49, ADDER_TLS_WHY_ALERT_ACCESS_DENIED},           {50, ADDER_TLS_WHY_ALERT_DECODE_ERROR},
        {51, ADDER_TLS_WHY_ALERT_DECRYPT_ERROR},           {70, ADDER_TLS_WHY_ALERT_PROTOCOL_VERSION},
        {71, ADDER_TLS_WHY_ALERT_INSUFFICIENT_SECURITY},   {80, ADDER_TLS_WHY_ALERT_INTERNAL_ERROR},
        {86, ADDER_TLS_WHY_ALERT_INAPPROPRIATE_FALLBACK},  {90, ADDER_TLS_WHY_ALERT_USER_CANCELED},
        {100, ADDER_TLS_WHY_ALERT_NO_RENEGOTIATION},       {109, ADDER_TLS_WHY_ALERT_MISSING_EXTENSION},
        {110, ADDER_TLS_WHY_ALERT_UNSUPPORTED_EXTENSION},  {112, ADDER_TLS_WHY_ALERT_UNRECOGNIZED_NAME},
        {113, ADDER_TLS_WHY_ALERT_BAD_STATUS_RESPONSE},    {115, ADDER_TLS_WHY_ALERT_UNKNOWN_PSK_IDENTITY},
        {116, ADDER_TLS_WHY_ALERT_CERTIFICATE_REQUIRED},   {120, ADDER_TLS_WHY_ALERT_NO_APPLICATION_PROTOCOL},
    };
    _Static_assert(ADDER_TLS_WHY_COUNT <= 255, "a reason fits the table");
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].alert == alert) {
            return (adder_tls_why_t)alerts[i].why;
        }
    }
    return ADDER_TLS_WHY_ALERT_OTHER;
}

/* ---- codes ---- */

typedef struct {
    int code;
    adder_tls_why_t why;
} code_t;

/* One version has names that the other has not. */
static const code_t codes[] = {
    {MBEDTLS_ERR_SSL_INVALID_MAC, ADDER_TLS_WHY_RECORD},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, ADDER_TLS_WHY_RECORD},
    {MBEDTLS_ERR_SSL_UNEXPECTED_RECORD, ADDER_TLS_WHY_RECORD},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED, ADDER_TLS_WHY_TRUST_NONE},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, ADDER_TLS_WHY_CERT_NONE},
    {MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_X509_FATAL_ERROR, ADDER_TLS_WHY_CHAIN_LONG},
#ifdef MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN /* 2.28 */
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, ADDER_TLS_WHY_NO_CIPHER},
    {MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE, ADDER_TLS_WHY_NO_CIPHER},
    {MBEDTLS_ERR_SSL_UNKNOWN_CIPHER, ADDER_TLS_WHY_NO_CIPHER},
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, ADDER_TLS_WHY_VERSION},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE_REQUEST, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO_DONE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_KEY_EXCHANGE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE_VERIFY, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_CHANGE_CIPHER_SPEC, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_HS_FINISHED, ADDER_TLS_WHY_PEER_PROOF},
    {MBEDTLS_ERR_SSL_BAD_HS_NEW_SESSION_TICKET, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_PK_TYPE_MISMATCH, ADDER_TLS_WHY_MESSAGE},
#else
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, ADDER_TLS_WHY_NO_CIPHER},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, ADDER_TLS_WHY_VERSION},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, ADDER_TLS_WHY_MESSAGE},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, ADDER_TLS_WHY_NO_ALPN},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, ADDER_TLS_WHY_MESSAGE},
#endif
};

bool tls_is_out_of_memory(int code)
{
    return code == MBEDTLS_ERR_SSL_ALLOC_FAILED || code == MBEDTLS_ERR_X509_ALLOC_FAILED ||
           code == MBEDTLS_ERR_PK_ALLOC_FAILED || code == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
           code == MBEDTLS_ERR_ASN1_ALLOC_FAILED || code == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
           code == MBEDTLS_ERR_MD_ALLOC_FAILED || code == MBEDTLS_ERR_CIPHER_ALLOC_FAILED ||
           code == MBEDTLS_ERR_ECP_ALLOC_FAILED;
}

/* Mbed TLS adds a low-level code (below 0x80) to the high-level one. */
static bool has_low(int code, int low)
{
    return -code > 0x80 && ((-code) & 0x7F) == -low;
}

adder_tls_why_t tls_why_of_code(int code)
{
    const int high = -((-code) & ~0x7F);
    if (tls_is_out_of_memory(code) || has_low(code, MBEDTLS_ERR_MPI_ALLOC_FAILED) ||
        has_low(code, MBEDTLS_ERR_ASN1_ALLOC_FAILED)) {
        return ADDER_TLS_WHY_MEMORY;
    }
    if (code == MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED ||
        has_low(code, MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED)) {
        return ADDER_TLS_WHY_RANDOM;
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code || codes[i].code == high) {
            return codes[i].why;
        }
    }
    if (-high >= 0x2000 && -high < 0x3000) { /* X.509: 0x2080 to 0x2980 */
        return ADDER_TLS_WHY_CERT_PARSE;
    }
    if (-high >= 0x3880 && -high <= 0x4480) { /* PK and RSA: a signature of the other side */
        return ADDER_TLS_WHY_PEER_PROOF;
    }
    if (-high >= 0x4B00 && -high <= 0x4F80) { /* ECP: its point or its signature */
        return ADDER_TLS_WHY_PEER_PROOF;
    }
    return ADDER_TLS_WHY_OTHER;
}

adder_err_t tls_err_of_why(adder_tls_why_t why)
{
    if (why >= ADDER_TLS_WHY_ALERT_UNEXPECTED_MESSAGE) {
        return ADDER_ERR_REFUSED;
    }
    switch (why) {
    case ADDER_TLS_WHY_NONE:
        return ADDER_OK;
    case ADDER_TLS_WHY_MEMORY:
        return ADDER_ERR_NOMEM;
    case ADDER_TLS_WHY_CUT:
    case ADDER_TLS_WHY_CUT_HANDSHAKE:
        return ADDER_ERR_CLOSED;
    case ADDER_TLS_WHY_NOT_TLS:
    case ADDER_TLS_WHY_RECORD:
    case ADDER_TLS_WHY_MESSAGE:
    case ADDER_TLS_WHY_CERT_PARSE:
    case ADDER_TLS_WHY_PEM:
    case ADDER_TLS_WHY_PEM_NONE:
    case ADDER_TLS_WHY_KEY_PARSE:
        return ADDER_ERR_FORMAT;
    case ADDER_TLS_WHY_KEY_KIND:
        return ADDER_ERR_UNSUPPORTED;
    case ADDER_TLS_WHY_OTHER:
        return ADDER_ERR_IO;
    default:
        return ADDER_ERR_REFUSED;
    }
}
