/* Why TLS refused a certificate, a key or a connection: adder/tls.h and adder/identity.h report these.
 *
 *     if (err != ADDER_OK) print(adder_tls_why_str(t.info.why));
 *
 * Each way to fail has a reason of its own, worded for the person who has to do something about it. */
#ifndef ADDER_TLS_WHY_H
#define ADDER_TLS_WHY_H

/* clang-format off */
#define ADDER_TLS_WHYS(X)                                                                                    \
    X(NONE,            "no error")                                                                           \
    /* the certificate of the other side */                                                                  \
    X(UNKNOWN_ISSUER,  "the certificate's issuer is not one of the trusted ones, and none was sent that is") \
    X(UNKNOWN_ROOT,    "the certificate chain ends in a root that is not trusted")                           \
    X(SELF_SIGNED,     "the certificate is self-signed and not one of the trusted ones")                     \
    X(CHAIN_BROKEN,    "the certificates sent do not form a chain: one in between is missing or wrong")      \
    X(NOT_A_CA,        "a certificate in the chain was issued by one that is no CA (or an X.509 v1 one)")    \
    X(SIGNATURE,       "a certificate's signature is not that of its issuer")                                \
    X(CHAIN_LONG,      "the certificate chain is too long")                                                  \
    X(HOST,            "the certificate is for another host name")                                           \
    X(EXPIRED,         "the certificate has expired")                                                        \
    X(NOT_YET,         "the certificate is not valid yet")                                                   \
    X(CLOCK,           "the clock is not set, so the certificate's dates cannot be checked")                 \
    X(USAGE,           "the certificate is not made for this use (key usage)")                               \
    X(WEAK_HASH,       "the certificate is signed with a weak hash (SHA-1, MD5)")                            \
    X(WEAK_KEY,        "a key in the certificate chain is too weak (RSA below 2048 bits, or its curve)")     \
    X(CERT_PARSE,      "a certificate is malformed")                                                         \
    X(CERT_NONE,       "the other side sent no certificate")                                                 \
    X(TRUST_NONE,      "no trusted certificates are configured")                                             \
    /* what was configured */                                                                                \
    X(PEM,             "malformed PEM text")                                                                 \
    X(PEM_NONE,        "neither PEM text nor a DER certificate")                                             \
    X(KEY_PARSE,       "the private key is malformed")                                                       \
    X(KEY_PASSWORD,    "the private key is encrypted and the password is missing or wrong")                  \
    X(KEY_KIND,        "keys of this kind are not supported: P-256, P-384, RSA from 2048 bits")              \
    X(KEY_MISMATCH,    "the private key does not belong to the certificate")                                 \
    X(KEY_SIGN,        "signing with the private key failed")                                                \
    X(RANDOM,          "the random source failed")                                                           \
    X(HOST_MISSING,    "a host name is needed to check the certificate against")                             \
    X(HOST_BAD,        "the host name is malformed")                                                         \
    /* the handshake and the connection */                                                                   \
    X(NOT_TLS,         "the other side does not speak TLS")                                                  \
    X(VERSION,         "no common TLS version: the other side's is too old or too new")                      \
    X(NO_CIPHER,       "no cipher suite in common")                                                          \
    X(NO_ALPN,         "no application protocol in common")                                                  \
    X(CUT_HANDSHAKE,   "the connection was closed in the middle of the handshake")                           \
    X(CUT,             "the connection was closed without a TLS goodbye; data may be missing")               \
    X(BELOW,           "the connection below failed")                                                        \
    X(RECORD,          "a record is malformed, or was changed on its way")                                   \
    X(MESSAGE,         "a handshake message is malformed or out of order")                                   \
    X(PEER_PROOF,      "the other side's proof that it holds its key is wrong")                              \
    X(MEMORY,          "out of memory")                                                                      \
    X(CLOSED,          "the session has been closed on this side")                                           \
    X(OTHER,           "another failure of the TLS library")                                                 \
    /* a fatal alert came: the other side refuses */                                                         \
    X(ALERT_UNEXPECTED_MESSAGE,      "refused by the other side: unexpected message")                        \
    X(ALERT_BAD_RECORD_MAC,          "refused by the other side: bad record MAC")                            \
    X(ALERT_RECORD_OVERFLOW,         "refused by the other side: record overflow")                           \
    X(ALERT_DECOMPRESSION_FAILURE,   "refused by the other side: decompression failure")                     \
    X(ALERT_HANDSHAKE_FAILURE,       "refused by the other side: handshake failure (often no common cipher " \
                                     "suite, or a client certificate is required)")                          \
    X(ALERT_BAD_CERTIFICATE,         "our certificate was refused by the other side: bad certificate")       \
    X(ALERT_UNSUPPORTED_CERTIFICATE, "our certificate was refused by the other side: unsupported kind")      \
    X(ALERT_CERTIFICATE_REVOKED,     "our certificate was refused by the other side: revoked")               \
    X(ALERT_CERTIFICATE_EXPIRED,     "our certificate was refused by the other side: expired")               \
    X(ALERT_CERTIFICATE_UNKNOWN,     "our certificate was refused by the other side")                        \
    X(ALERT_ILLEGAL_PARAMETER,       "refused by the other side: illegal parameter")                         \
    X(ALERT_UNKNOWN_CA,              "our certificate was refused by the other side: unknown CA")            \
    X(ALERT_ACCESS_DENIED,           "refused by the other side: access denied")                             \
    X(ALERT_DECODE_ERROR,            "refused by the other side: decode error")                              \
    X(ALERT_DECRYPT_ERROR,           "refused by the other side: decrypt error (a signature is wrong)")      \
    X(ALERT_PROTOCOL_VERSION,        "refused by the other side: it does not speak this TLS version")        \
    X(ALERT_INSUFFICIENT_SECURITY,   "refused by the other side: it demands stronger ciphers")               \
    X(ALERT_INTERNAL_ERROR,          "refused by the other side: internal error there")                      \
    X(ALERT_INAPPROPRIATE_FALLBACK,  "refused by the other side: inappropriate fallback")                    \
    X(ALERT_USER_CANCELED,           "refused by the other side: canceled")                                  \
    X(ALERT_NO_RENEGOTIATION,        "refused by the other side: no renegotiation")                          \
    X(ALERT_MISSING_EXTENSION,       "refused by the other side: missing extension")                         \
    X(ALERT_UNSUPPORTED_EXTENSION,   "refused by the other side: unsupported extension")                     \
    X(ALERT_UNRECOGNIZED_NAME,       "refused by the other side: it does not know this host name")           \
    X(ALERT_BAD_STATUS_RESPONSE,     "refused by the other side: bad certificate status response")           \
    X(ALERT_UNKNOWN_PSK_IDENTITY,    "refused by the other side: unknown PSK identity")                      \
    X(ALERT_CERTIFICATE_REQUIRED,    "refused by the other side: a client certificate is required")          \
    X(ALERT_NO_APPLICATION_PROTOCOL, "refused by the other side: no application protocol in common")         \
    X(ALERT_OTHER,                   "refused by the other side: an alert without a name")
/* clang-format on */

typedef enum {
#define ADDER_TLS_WHY_ENUM(code, text) ADDER_TLS_WHY_##code,
    ADDER_TLS_WHYS(ADDER_TLS_WHY_ENUM)
#undef ADDER_TLS_WHY_ENUM
        ADDER_TLS_WHY_COUNT
} adder_tls_why_t;

/* The English text, never NULL. */
const char *adder_tls_why_str(adder_tls_why_t why);

#endif
