/* An identity whose private key lies in memory: read by Mbed TLS, used through the same seam as a chip's. */
#include "adder/identity.h"

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>

#include "src/tls/tls_int.h"

_Static_assert(sizeof(mbedtls_pk_context) <= ADDER_IDENTITY_SOFTWARE_SIZE, "ADDER_IDENTITY_SOFTWARE_SIZE");

static mbedtls_pk_context *pk_of(adder_identity_software_t *sw)
{
    return (mbedtls_pk_context *)(void *)&sw->priv.pk;
}

static int rng(void *ctx, unsigned char *out, size_t len)
{
    adder_identity_software_t *sw = ctx;
    return sw->priv.random(sw->priv.random_ctx, out, len) == ADDER_OK ? 0 : MBEDTLS_ERR_PK_BAD_INPUT_DATA;
}

/* ---- signing ---- */

/* RSA names the hash in what it signs. An EC key does not: a longer hash has been cut, and Mbed TLS wants the
 * name of one as long as what is left of it. */
static mbedtls_md_type_t md_of(adder_hash_kind_t kind, bool rsa, size_t hash_len)
{
    if (!rsa) {
        return hash_len == 32 ? MBEDTLS_MD_SHA256 : hash_len == 48 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA512;
    }
    return kind == ADDER_HASH_SHA256   ? MBEDTLS_MD_SHA256
           : kind == ADDER_HASH_SHA384 ? MBEDTLS_MD_SHA384
                                       : MBEDTLS_MD_SHA512;
}

static adder_err_t sign(void *ctx, adder_hash_kind_t kind, const uint8_t *hash, size_t hash_len, uint8_t *sig,
                        size_t cap, size_t *n_out)
{
    adder_identity_software_t *sw = ctx;
    mbedtls_pk_context *pk = pk_of(sw);
    unsigned char out[ADDER_IDENTITY_SIG_MAX];
    size_t n = 0;
    const bool rsa = mbedtls_pk_get_type(pk) == MBEDTLS_PK_RSA;
    const size_t size = rsa ? mbedtls_pk_get_len(pk) : 2 * ((mbedtls_pk_get_bitlen(pk) + 7) / 8);
    const mbedtls_md_type_t md = md_of(kind, rsa, hash_len);
    *n_out = 0;
    if (cap < size) {
        return ADDER_ERR_NOSPACE;
    }
#if TLS_MBEDTLS_3
    int code = mbedtls_pk_sign(pk, md, hash, hash_len, out, sizeof out, &n, rng, sw);
#else
    int code = mbedtls_pk_sign(pk, md, hash, hash_len, out, &n, rng, sw);
#endif
    adder_err_t err = ADDER_OK;
    if (code != 0) {
        err = tls_is_out_of_memory(code) ? ADDER_ERR_NOMEM : ADDER_ERR_INTERNAL;
    } else if (rsa) {
        memcpy(sig, out, size);
    } else {
        err = adder_identity_sig_from_der(out, n, sig, size);
    }
    *n_out = err == ADDER_OK ? size : 0;
    return err;
}

static const adder_identity_ops_t ops = {sign};

const mbedtls_pk_context *tls_software_pk(const adder_identity_t *identity)
{
    return identity->ops == &ops ? pk_of(identity->ctx) : NULL;
}

/* ---- reading the key ---- */

static adder_tls_why_t why_of_parse(int code)
{
    const int high = -((-code) & ~0x7F);
    switch (high) {
    case MBEDTLS_ERR_PEM_INVALID_DATA:
    case MBEDTLS_ERR_PEM_INVALID_ENC_IV:
    case MBEDTLS_ERR_PEM_UNKNOWN_ENC_ALG:
    case MBEDTLS_ERR_PEM_BAD_INPUT_DATA:
        return ADDER_TLS_WHY_PEM;
    case MBEDTLS_ERR_PEM_PASSWORD_REQUIRED:
    case MBEDTLS_ERR_PEM_PASSWORD_MISMATCH:
    case MBEDTLS_ERR_PK_PASSWORD_REQUIRED:
    case MBEDTLS_ERR_PK_PASSWORD_MISMATCH:
        return ADDER_TLS_WHY_KEY_PASSWORD;
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
    case MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE:
        return ADDER_TLS_WHY_KEY_KIND;
    default:
        return tls_why_of_code(code) == ADDER_TLS_WHY_MEMORY ? ADDER_TLS_WHY_MEMORY : ADDER_TLS_WHY_KEY_PARSE;
    }
}

/* PEM for Mbed TLS ends with a NUL that belongs to its length: a copy, which is wiped. */
static int parse(adder_identity_software_t *sw, const adder_identity_software_options_t *o)
{
    if (!tls_is_pem(o->key, o->key_len)) {
        return o->key_len == 0 ? MBEDTLS_ERR_PK_KEY_INVALID_FORMAT
                               : tls_compat_parse_key(pk_of(sw), o->key, o->key_len, o->password, rng, sw);
    }
    unsigned char *text = mbedtls_calloc(1, o->key_len + 1);
    if (text == NULL) {
        return MBEDTLS_ERR_PK_ALLOC_FAILED;
    }
    memcpy(text, o->key, o->key_len);
    const int code = tls_compat_parse_key(pk_of(sw), text, o->key_len + 1, o->password, rng, sw);
    mbedtls_platform_zeroize(text, o->key_len + 1);
    mbedtls_free(text);
    return code;
}

static int read_ec(adder_identity_software_t *sw, adder_identity_t *out)
{
    const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(*pk_of(sw));
    unsigned char point[1 + 2 * 48];
    size_t n = 0;
    out->kind = pair->grp.id == MBEDTLS_ECP_DP_SECP256R1   ? ADDER_KEY_P256
                : pair->grp.id == MBEDTLS_ECP_DP_SECP384R1 ? ADDER_KEY_P384
                                                           : ADDER_KEY_NONE;
    if (out->kind == ADDER_KEY_NONE) {
        return MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE;
    }
    const int code = mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &n,
                                                    point, sizeof point);
    if (code == 0) {
        memcpy(sw->priv.public_key, point + 1, n - 1);
        out->public_key_len = n - 1;
    }
    return code;
}

static int read_rsa(adder_identity_software_t *sw, adder_identity_t *out)
{
    const size_t n = mbedtls_pk_get_len(pk_of(sw));
    if (mbedtls_pk_get_bitlen(pk_of(sw)) < 2048 || n > ADDER_IDENTITY_SIG_MAX) {
        return MBEDTLS_ERR_PK_UNKNOWN_PK_ALG;
    }
    out->kind = ADDER_KEY_RSA;
    out->public_key_len = n;
    return mbedtls_rsa_export_raw(mbedtls_pk_rsa(*pk_of(sw)), sw->priv.public_key, n, NULL, 0, NULL, 0, NULL,
                                  0, NULL, 0);
}

adder_err_t adder_identity_software_init(adder_identity_software_t *sw, adder_identity_t *out,
                                         const adder_identity_software_options_t *o, adder_tls_why_t *why_out)
{
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    memset(sw, 0, sizeof *sw);
    *out = (adder_identity_t){.ops = &ops, .ctx = sw, .chain = o->chain, .chain_len = o->chain_len};
    mbedtls_pk_init(pk_of(sw));
    if (why_out == NULL) {
        why_out = &why;
    }
    *why_out = ADDER_TLS_WHY_NONE;
    if (o->random == NULL) {
        return ADDER_ERR_ARG;
    }
    sw->priv.random = o->random;
    sw->priv.random_ctx = o->random_ctx;
    int code = parse(sw, o);
    if (code == 0) {
        const mbedtls_pk_type_t type = mbedtls_pk_get_type(pk_of(sw));
        code = type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA ? read_ec(sw, out)
               : type == MBEDTLS_PK_RSA                             ? read_rsa(sw, out)
                                                                    : MBEDTLS_ERR_PK_UNKNOWN_PK_ALG;
    }
    if (code != 0) {
        *why_out = why_of_parse(code);
        adder_identity_software_deinit(sw);
        *out = (adder_identity_t){0};
        return tls_err_of_why(*why_out);
    }
    out->public_key = sw->priv.public_key;
    return ADDER_OK;
}

void adder_identity_software_deinit(adder_identity_software_t *sw)
{
    mbedtls_pk_free(pk_of(sw));
    mbedtls_platform_zeroize(sw, sizeof *sw);
}
