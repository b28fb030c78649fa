/* The identity of a configuration: its chain parsed, its key as a key of Mbed TLS that asks the identity. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>

/* ---- signing ---- */

static size_t half_of(adder_key_kind_t kind)
{
    return kind == ADDER_KEY_P384 ? 48 : 32;
}

int tls_key_sign(tls_key_t *key, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                 unsigned char *sig, size_t cap, size_t *n_out)
{
    const adder_identity_t *id = key->identity;
    adder_hash_kind_t kind = ADDER_HASH_SHA256;
    uint8_t raw[ADDER_IDENTITY_SIG_MAX];
    size_t n = 0, expected = key->modulus;
    switch (md) {
    case MBEDTLS_MD_SHA256:
        break;
    case MBEDTLS_MD_SHA384:
        kind = ADDER_HASH_SHA384;
        break;
    case MBEDTLS_MD_SHA512:
        kind = ADDER_HASH_SHA512;
        break;
    default:
        key->failure = ADDER_ERR_UNSUPPORTED;
        return MBEDTLS_ERR_PK_BAD_INPUT_DATA;
    }
    /* FIPS 186-4 section 6.4: ECDSA takes the leftmost bits of a hash that is longer than the curve's
     * order. A SHA-384 suite hands 48 bytes to a P-256 key. */
    if (id->kind != ADDER_KEY_RSA) {
        const size_t half = half_of(id->kind);
        expected = 2 * half;
        if (hash_len > half) {
            hash_len = half;
        }
        if (id->kind == ADDER_KEY_P256 && hash_len < 32) {
            key->failure = ADDER_ERR_UNSUPPORTED;
            return MBEDTLS_ERR_PK_BAD_INPUT_DATA;
        }
    }
    key->failure = id->ops->sign(id->ctx, kind, hash, hash_len, raw, sizeof raw, &n);
    if (key->failure == ADDER_OK && n != expected) {
        key->failure = ADDER_ERR_FORMAT; /* of the key, not of the peer */
    }
    if (key->failure == ADDER_OK && id->kind != ADDER_KEY_RSA) {
        key->failure = adder_identity_sig_to_der(raw, n, sig, cap, n_out);
    } else if (key->failure == ADDER_OK) {
        memcpy(sig, raw, n < cap ? n : cap);
        *n_out = n;
    }
    return key->failure == ADDER_OK ? 0 : MBEDTLS_ERR_PK_BAD_INPUT_DATA;
}

/* ---- loading ---- */

static int load_ec(tls_config_impl_t *c, mbedtls_ecp_group_id group, bool *matches)
{
    const adder_identity_t *id = c->o.identity;
    const mbedtls_ecp_keypair *cert = mbedtls_pk_ec(c->own.pk);
    uint8_t point[1 + 2 * 48];
    size_t n = 0;
    *matches = cert->grp.id == group;
    if (!*matches) {
        return 0;
    }
    int code = mbedtls_ecp_point_write_binary(&cert->grp, &cert->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, point,
                                              sizeof point);
    if (code == 0 && id->public_key != NULL) {
        *matches = id->public_key_len == n - 1 && memcmp(id->public_key, point + 1, n - 1) == 0;
    }
    if (code == 0) {
        code = mbedtls_ecp_group_load(&c->key.pair.grp, group);
    }
    if (code == 0) {
        code = mbedtls_ecp_copy(&c->key.pair.Q, &cert->Q);
    }
    return code != 0 ? code : tls_compat_pk_ec(&c->pk, &c->key);
}

static int load_rsa(tls_config_impl_t *c, bool *matches)
{
    const adder_identity_t *id = c->o.identity;
    uint8_t modulus[ADDER_IDENTITY_SIG_MAX];
    const size_t n = mbedtls_pk_get_len(&c->own.pk);
    if (n > sizeof modulus) {
        return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
    }
    int code =
        mbedtls_rsa_export_raw(mbedtls_pk_rsa(c->own.pk), modulus, n, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
    *matches = id->public_key == NULL || (id->public_key_len == n && memcmp(id->public_key, modulus, n) == 0);
    c->key.modulus = (uint16_t)n;
    return code != 0 ? code : tls_compat_pk_rsa(&c->pk, &c->key);
}

adder_err_t tls_key_load(tls_config_impl_t *c, adder_tls_why_t *why_out)
{
    const adder_identity_t *id = c->o.identity;
    size_t n = 0;
    adder_err_t err = tls_parse_certificates(&c->own, id->chain, id->chain_len, true, &n, NULL, why_out);
    if (err != ADDER_OK) {
        return err;
    }
    const mbedtls_pk_type_t type = mbedtls_pk_get_type(&c->own.pk);
    const bool ec = type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA;
    bool matches = true;
    int code = 0;
    c->key.identity = id;
    switch (id->kind) {
    case ADDER_KEY_P256:
        matches = ec;
        code = ec ? load_ec(c, MBEDTLS_ECP_DP_SECP256R1, &matches) : 0;
        break;
    case ADDER_KEY_P384:
        matches = ec;
        code = ec ? load_ec(c, MBEDTLS_ECP_DP_SECP384R1, &matches) : 0;
        break;
    case ADDER_KEY_RSA:
        matches = type == MBEDTLS_PK_RSA;
        code = matches ? load_rsa(c, &matches) : 0;
        break;
    case ADDER_KEY_NONE:
    default:
        code = MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
        break;
    }
    *why_out = code == 0 ? (matches ? ADDER_TLS_WHY_NONE : ADDER_TLS_WHY_KEY_MISMATCH)
               : tls_why_of_code(code) == ADDER_TLS_WHY_MEMORY ? ADDER_TLS_WHY_MEMORY
                                                               : ADDER_TLS_WHY_KEY_KIND;
    return tls_err_of_why(*why_out);
}

void tls_key_free(tls_config_impl_t *c)
{
    if (!c->key.borrowed) {
        mbedtls_pk_free(&c->pk); /* EC: does nothing, the pair is ours */
    }
    mbedtls_ecp_keypair_free(&c->key.pair);
    mbedtls_x509_crt_free(&c->own);
}
