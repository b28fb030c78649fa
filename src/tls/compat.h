/* Where Mbed TLS 2.28 and 3.x differ. All else in src/tls is written for both; 3.x is untried so far.
 *
 * Members that 3.x made private are read under their old names, which its own switch allows. */
#ifndef TLS_COMPAT_H
#define TLS_COMPAT_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "adder/identity.h"

#define TLS_MBEDTLS_3 (MBEDTLS_VERSION_NUMBER >= 0x03000000)

/* A private key that Mbed TLS cannot read: it asks the identity. The key pair holds curve and public point
 * alone and comes first, because the PK layer casts a context to it. */
typedef struct {
    mbedtls_ecp_keypair pair;
    const adder_identity_t *identity;
    adder_err_t failure; /* of the last signature: passes through to the handshake's caller */
    uint16_t modulus;    /* RSA: bytes of it */
    bool borrowed;       /* the PK context is a software identity's own */
} tls_key_t;

/* src/tls/identity.c: the context of a software identity, NULL for another. */
const mbedtls_pk_context *tls_software_pk(const adder_identity_t *identity);

/* src/tls/key.c: what both versions' tables call. DER for EC. 0, or Mbed TLS's error. */
int tls_key_sign(tls_key_t *key, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                 unsigned char *sig, size_t cap, size_t *n_out);

/* The same number under two names: a certificate that may not be used for this, or is malformed. */
#if TLS_MBEDTLS_3
#define TLS_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_CERTIFICATE
#else
#define TLS_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE
#endif
/* 3.x alone interrupts a read to say that a ticket came. */
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
#define TLS_IS_TICKET(code) ((code) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#else
#define TLS_IS_TICKET(code) false
#endif

#define TLS_EC_DER_MAX ADDER_IDENTITY_EC_DER_MAX

/* `pk` signs with `key`. An EC key needs no heap and no mbedtls_pk_free(); an RSA key does. */
int tls_compat_pk_ec(mbedtls_pk_context *pk, tls_key_t *key);
int tls_compat_pk_rsa(mbedtls_pk_context *pk, tls_key_t *key);

int tls_compat_parse_key(mbedtls_pk_context *pk, const unsigned char *bytes, size_t len, const char *password,
                         int (*rng)(void *, unsigned char *, size_t), void *rng_ctx);

/* Versions, curves with P-256 first, hashes. */
void tls_compat_limits(mbedtls_ssl_config *conf);

/* Move on what waits in the output buffer. 0, WANT_WRITE or an error. */
int tls_compat_flush(mbedtls_ssl_context *ssl);

#endif
