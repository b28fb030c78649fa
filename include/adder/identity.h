/* Who this device is: a certificate chain, the public key in it, and something that signs with the private
 * key, which may be out of everybody's reach (an ATECC608 behind I2C, a key store of the port).
 *
 *     static adder_identity_software_t key;              // the key lies in a file or in flash
 *     adder_identity_t me;
 *     adder_identity_software_options_t o = {chain_pem, chain_len, key_pem, key_len, NULL, random_bytes};
 *     err = adder_identity_software_init(&key, &me, &o, &why);
 *     options.identity = &me;                            // adder/tls.h: client certificate, or a server's
 *     ...
 *     adder_identity_software_deinit(&key);              // wipes it
 *
 * A secure element fills `adder_identity_t` itself: kind, public key, chain, and one function.
 *
 * Threading: that of the user (TLS signs within adder_tls_handshake()). RAM on 32 bits: an identity 28 bytes;
 * a software key 536 bytes and, on the heap of Mbed TLS, some 0.4 KB (P-256) or 1.3 KB (RSA-2048).
 *
 * With Mbed TLS 3.x a P-256 key that is not in memory needs the library's own source tree; RSA keys and keys
 * in memory do not. Untried. */
#ifndef ADDER_IDENTITY_H
#define ADDER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/tls_why.h"

typedef enum {
    ADDER_KEY_NONE,
    ADDER_KEY_P256, /* ECDSA on secp256r1: ES256 */
    ADDER_KEY_P384, /* software keys alone; ECDSA on secp384r1 */
    ADDER_KEY_RSA,  /* 2048 to 4096 bits, PKCS#1 v1.5 */
} adder_key_kind_t;

typedef enum {
    ADDER_HASH_SHA256,
    ADDER_HASH_SHA384,
    ADDER_HASH_SHA512,
} adder_hash_kind_t;

#define ADDER_IDENTITY_SIG_MAX 512    /* bytes of the longest signature: RSA-4096 */
#define ADDER_IDENTITY_EC_DER_MAX 104 /* an EC signature as DER: P-384 */

/* Cryptographically strong bytes, all `len` of them or an error. The same as `random` of adder/mcu.h. */
typedef adder_err_t (*adder_random_bytes_fn)(void *ctx, uint8_t *out, size_t len);

typedef struct {
    /* Sign a hash. It may take the time of a chip's command (some 160 ms on an ATECC608), bounded.
     * P-256: `hash` is cut or refused so that 32 bytes come (adder/tls.h does it before the call: longer
     * ones give their leftmost 32, shorter ones never come here); the result is R then S, 32 bytes each,
     * big-endian, never DER. P-384: 48 and 48.
     * RSA: PKCS#1 v1.5 over the DigestInfo of `kind`; as many bytes as the modulus has.
     *   ADDER_ERR_NOSPACE   `cap` is too small
     *   anything else       the key's own cause; it passes through to the caller of the handshake */
    adder_err_t (*sign)(void *ctx, adder_hash_kind_t kind, const uint8_t *hash, size_t hash_len, uint8_t *sig,
                        size_t cap, size_t *n_out);
} adder_identity_ops_t;

/* All of it is borrowed and stays in place while a TLS configuration uses it. */
typedef struct {
    const adder_identity_ops_t *ops;
    void *ctx;
    adder_key_kind_t kind;
    /* What belongs to the private key: X then Y (64 or 96 bytes), or an RSA modulus, big-endian without
     * leading zeros. Compared with the certificate's, so that a chip that was exchanged is found before it
     * is used. NULL: not known, not compared. */
    const uint8_t *public_key;
    size_t public_key_len;
    /* The own certificate first, then what leads to a root (which need not be there): PEM, or DER one
     * behind the other. */
    const uint8_t *chain;
    size_t chain_len;
} adder_identity_t;

/* ---- a key in memory ---- */

#ifndef ADDER_IDENTITY_SOFTWARE_SIZE
#define ADDER_IDENTITY_SOFTWARE_SIZE (sizeof(void *) * 4)
#endif

/* Must not move between init and deinit. */
typedef struct {
    struct {
        union {
            uint64_t align;
            void *align_ptr;
            uint8_t bytes[ADDER_IDENTITY_SOFTWARE_SIZE];
        } pk;
        adder_random_bytes_fn random;
        void *random_ctx;
        uint8_t public_key[ADDER_IDENTITY_SIG_MAX];
    } priv;
} adder_identity_software_t;

typedef struct {
    const uint8_t *chain; /* as in adder_identity_t; borrowed until deinit */
    size_t chain_len;
    const uint8_t *key; /* PEM or DER: PKCS#8, SEC1 or PKCS#1; not needed after init */
    size_t key_len;
    const char *password;         /* NULL = the key is not encrypted */
    adder_random_bytes_fn random; /* blinds the computation */
    void *random_ctx;
} adder_identity_software_options_t;

/* Read the key and fill `out`. On an error nothing is held.
 *   why_out             may be NULL
 *   ADDER_ERR_FORMAT    not a key, or not a PEM file: KEY_PARSE, PEM
 *   ADDER_ERR_REFUSED   encrypted, and the password is missing or wrong: KEY_PASSWORD
 *   ADDER_ERR_UNSUPPORTED   another curve or kind, RSA below 2048 bits: KEY_KIND
 *   ADDER_ERR_NOMEM
 * Whether certificate and key belong together is checked where the identity is used. */
adder_err_t adder_identity_software_init(adder_identity_software_t *sw, adder_identity_t *out,
                                         const adder_identity_software_options_t *options,
                                         adder_tls_why_t *why_out) ADDER_MUST_USE;
/* Wipe and free; also after a failed init, also twice. */
void adder_identity_software_deinit(adder_identity_software_t *sw);

/* ---- the two forms of an EC signature ---- */

/* R and S (half of raw_len each) as SEQUENCE { INTEGER, INTEGER }, minimal as DER demands: 8 bytes to
 * ADDER_IDENTITY_EC_DER_MAX. raw_len is even, 2..96.
 *   ADDER_ERR_NOSPACE, ADDER_ERR_ARG */
adder_err_t adder_identity_sig_to_der(const uint8_t *raw, size_t raw_len, uint8_t *der, size_t cap,
                                      size_t *n_out) ADDER_MUST_USE;
/* Back. ADDER_ERR_FORMAT: not DER, negative, or a number that does not fit half of raw_len. */
adder_err_t adder_identity_sig_from_der(const uint8_t *der, size_t der_len, uint8_t *raw,
                                        size_t raw_len) ADDER_MUST_USE;

#endif
