/* Where Mbed TLS 2.28 and 3.x differ: private keys of foreign make, and names that changed. */
#include "src/tls/compat.h"

#include <mbedtls/rsa.h>

#if TLS_MBEDTLS_3
/* The table of a key's functions is in a header of the library's own sources, which lies beside its public
 * ones in the tree of who builds 3.x himself. Without it only EC keys in memory work, through their own
 * context. */
#if defined(__has_include)
#if __has_include(<mbedtls/../../library/pk_wrap.h>)
#include <mbedtls/../../library/pk_wrap.h>
#define TLS_PK_INFO 1
#endif
#endif
int mbedtls_ssl_flush_output(mbedtls_ssl_context *ssl); /* of the library, declared in no public header */
#else
#include <mbedtls/pk_internal.h>
#include <mbedtls/ssl_internal.h>
#define TLS_PK_INFO 1
#endif

/* ---- EC ---- */

#ifdef TLS_PK_INFO

static int ec_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA;
}

#if TLS_MBEDTLS_3
static size_t ec_bits(mbedtls_pk_context *pk)
{
    const tls_key_t *key = pk->pk_ctx;
    return key->pair.grp.pbits;
}

static int ec_sign(mbedtls_pk_context *pk, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                   unsigned char *sig, size_t cap, size_t *n_out, int (*rng)(void *, unsigned char *, size_t),
                   void *rng_ctx)
{
    (void)rng;
    (void)rng_ctx;
    return tls_key_sign(pk->pk_ctx, md, hash, hash_len, sig, cap, n_out);
}
#else
static size_t ec_bits(const void *ctx)
{
    const tls_key_t *key = ctx;
    return key->pair.grp.pbits;
}

/* The buffer has MBEDTLS_PK_SIGNATURE_MAX_SIZE bytes, which is more than ours are. */
static int ec_sign(void *ctx, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                   unsigned char *sig, size_t *n_out, int (*rng)(void *, unsigned char *, size_t),
                   void *rng_ctx)
{
    (void)rng;
    (void)rng_ctx;
    return tls_key_sign(ctx, md, hash, hash_len, sig, TLS_EC_DER_MAX, n_out);
}
_Static_assert(MBEDTLS_PK_SIGNATURE_MAX_SIZE >= TLS_EC_DER_MAX, "an EC signature fits Mbed TLS's buffer");
#endif

/* The context is part of a configuration; nothing of it is Mbed TLS's to free. */
static void ec_free(void *ctx)
{
    (void)ctx;
}

static const mbedtls_pk_info_t ec_info = {
    .type = MBEDTLS_PK_ECKEY,
    .name = "EC",
    .get_bitlen = ec_bits,
    .can_do = ec_can_do,
    .sign_func = ec_sign,
    .ctx_free_func = ec_free,
};

int tls_compat_pk_ec(mbedtls_pk_context *pk, tls_key_t *key)
{
    pk->pk_info = &ec_info;
    pk->pk_ctx = key;
    return 0;
}

#else

int tls_compat_pk_ec(mbedtls_pk_context *pk, tls_key_t *key)
{
    const mbedtls_pk_context *own = tls_software_pk(key->identity);
    if (own == NULL) {
        return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
    }
    *pk = *own;
    key->borrowed = true;
    return 0;
}

#endif

/* ---- RSA ---- */

static size_t rsa_length(void *ctx)
{
    const tls_key_t *key = ctx;
    return key->modulus;
}

#if TLS_MBEDTLS_3
static int rsa_sign(void *ctx, int (*rng)(void *, unsigned char *, size_t), void *rng_ctx,
                    mbedtls_md_type_t md, unsigned hash_len, const unsigned char *hash, unsigned char *sig)
{
#else
static int rsa_sign(void *ctx, int (*rng)(void *, unsigned char *, size_t), void *rng_ctx, int mode,
                    mbedtls_md_type_t md, unsigned hash_len, const unsigned char *hash, unsigned char *sig)
{
    (void)mode;
#endif
    (void)rng;
    (void)rng_ctx;
    tls_key_t *key = ctx;
    size_t n = 0;
    return tls_key_sign(key, md, hash, hash_len, sig, key->modulus, &n);
}

/* Key exchange by RSA encryption is not offered. */
#if TLS_MBEDTLS_3
static int rsa_decrypt(void *ctx, size_t *n_out, const unsigned char *in, unsigned char *out, size_t cap)
{
#else
static int rsa_decrypt(void *ctx, int mode, size_t *n_out, const unsigned char *in, unsigned char *out,
                       size_t cap)
{
    (void)mode;
#endif
    (void)ctx;
    (void)in;
    (void)out;
    (void)cap;
    *n_out = 0;
    return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
}

int tls_compat_pk_rsa(mbedtls_pk_context *pk, tls_key_t *key)
{
    return mbedtls_pk_setup_rsa_alt(pk, key, rsa_decrypt, rsa_sign, rsa_length);
}

/* ---- names ---- */

int tls_compat_parse_key(mbedtls_pk_context *pk, const unsigned char *bytes, size_t len, const char *password,
                         int (*rng)(void *, unsigned char *, size_t), void *rng_ctx)
{
    size_t n = 0;
    while (password != NULL && password[n] != '\0') {
        n++;
    }
#if TLS_MBEDTLS_3
    return mbedtls_pk_parse_key(pk, bytes, len, (const unsigned char *)password, n, rng, rng_ctx);
#else
    (void)rng;
    (void)rng_ctx;
    return mbedtls_pk_parse_key(pk, bytes, len, (const unsigned char *)password, n);
#endif
}

void tls_compat_limits(mbedtls_ssl_config *conf)
{
#if TLS_MBEDTLS_3
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
    };
    mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(conf, groups);
#else
    static const mbedtls_ecp_group_id curves[] = {
        MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP384R1,
        MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE,
    };
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(conf, curves);
    mbedtls_ssl_conf_sig_hashes(conf, hashes);
#endif
}

int tls_compat_flush(mbedtls_ssl_context *ssl)
{
    return mbedtls_ssl_flush_output(ssl);
}
