/* What sessions share: trust, identity, random numbers, and Mbed TLS's own configuration of them. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/platform_util.h>

_Static_assert(sizeof(tls_config_impl_t) <= ADDER_TLS_CONFIG_SIZE,
               "ADDER_TLS_CONFIG_SIZE is too small for this build of Mbed TLS");
_Static_assert(_Alignof(tls_config_impl_t) <= _Alignof(adder_tls_config_t), "the storage is aligned");

#define TICKET_LIFETIME_S 86400

static int entropy(void *ctx, unsigned char *out, size_t len)
{
    tls_config_impl_t *c = ctx;
    c->random_failure = c->o.random(c->o.random_ctx, out, len);
    return c->random_failure == ADDER_OK ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

/* Forward secrecy always; AEAD first; AES-128 before 256, which a small device notices and an attacker
 * does not. CBC is for old servers. */
static const int default_suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    0,
};

static int authmode(const adder_tls_options_t *o)
{
    switch (o->verify) {
    case ADDER_TLS_VERIFY_NONE:
        return MBEDTLS_SSL_VERIFY_NONE;
    case ADDER_TLS_VERIFY_OPTIONAL:
        return MBEDTLS_SSL_VERIFY_OPTIONAL;
    case ADDER_TLS_VERIFY_DEFAULT:
        return o->role == ADDER_TLS_SERVER ? MBEDTLS_SSL_VERIFY_NONE : MBEDTLS_SSL_VERIFY_REQUIRED;
    case ADDER_TLS_VERIFY_REQUIRED:
    default:
        return MBEDTLS_SSL_VERIFY_REQUIRED;
    }
}

static int set_fragment(tls_config_impl_t *c)
{
    static const unsigned char codes[] = {MBEDTLS_SSL_MAX_FRAG_LEN_NONE, MBEDTLS_SSL_MAX_FRAG_LEN_512,
                                          MBEDTLS_SSL_MAX_FRAG_LEN_1024, MBEDTLS_SSL_MAX_FRAG_LEN_2048,
                                          MBEDTLS_SSL_MAX_FRAG_LEN_4096};
    const unsigned i = (unsigned)c->o.fragment;
    return i < sizeof codes ? mbedtls_ssl_conf_max_frag_len(&c->conf, codes[i])
                            : MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
}

static int set_alpn(tls_config_impl_t *c)
{
    /* Its parameter lacks the const that its use has. */
    union {
        const char *const *ours;
        const char **theirs;
    } list = {.ours = c->o.alpn};
    return list.ours != NULL ? mbedtls_ssl_conf_alpn_protocols(&c->conf, list.theirs) : 0;
}

static int configure(tls_config_impl_t *c)
{
    const bool server = c->o.role == ADDER_TLS_SERVER;
    int code = mbedtls_ctr_drbg_seed(&c->drbg, entropy, c, NULL, 0);
    if (code == 0) {
        code = mbedtls_ssl_config_defaults(&c->conf, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (code != 0) {
        return code;
    }
    mbedtls_ssl_conf_authmode(&c->conf, authmode(&c->o));
    mbedtls_ssl_conf_ca_chain(&c->conf, &c->cas, NULL);
    mbedtls_ssl_conf_rng(&c->conf, mbedtls_ctr_drbg_random, &c->drbg);
    mbedtls_ssl_conf_cert_profile(&c->conf, &tls_profile);
    mbedtls_ssl_conf_ciphersuites(&c->conf, c->o.suites != NULL ? c->o.suites : default_suites);
    tls_compat_limits(&c->conf);
    code = set_fragment(c);
    if (code == 0) {
        code = set_alpn(c);
    }
    if (code == 0 && !server) {
        mbedtls_ssl_conf_session_tickets(&c->conf, c->o.no_tickets ? MBEDTLS_SSL_SESSION_TICKETS_DISABLED
                                                                   : MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    } else if (code == 0 && !c->o.no_tickets) {
        code = mbedtls_ssl_ticket_setup(&c->ticket, mbedtls_ctr_drbg_random, &c->drbg,
                                        MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S);
        mbedtls_ssl_conf_session_tickets_cb(&c->conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                            &c->ticket);
    }
    if (code == 0 && c->o.identity != NULL) {
        code = mbedtls_ssl_conf_own_cert(&c->conf, &c->own, &c->pk);
    }
    return code;
}

static adder_err_t check(const adder_tls_options_t *o, adder_tls_why_t *why_out)
{
    if (o->random == NULL || (o->role == ADDER_TLS_SERVER && o->identity == NULL)) {
        return ADDER_ERR_ARG;
    }
    if ((o->version_min != 0 && o->version_min != ADDER_TLS_1_2) ||
        (o->version_max != 0 && o->version_max != ADDER_TLS_1_2)) {
        *why_out = ADDER_TLS_WHY_VERSION;
        return ADDER_ERR_UNSUPPORTED;
    }
    return ADDER_OK;
}

adder_err_t adder_tls_config_init(adder_tls_config_t *config, const adder_tls_options_t *options,
                                  adder_tls_why_t *why_out)
{
    tls_config_impl_t *c = tls_config_of(config);
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    memset(c, 0, sizeof *c);
    if (why_out == NULL) {
        why_out = &why;
    }
    *why_out = ADDER_TLS_WHY_NONE;
    adder_err_t err = check(options, why_out);
    if (err != ADDER_OK) {
        return err;
    }
    c->live = TLS_LIVE;
    c->o = *options;
    mbedtls_ssl_config_init(&c->conf);
    mbedtls_x509_crt_init(&c->cas);
    mbedtls_x509_crt_init(&c->own);
    mbedtls_pk_init(&c->pk);
    mbedtls_ecp_keypair_init(&c->key.pair);
    mbedtls_ctr_drbg_init(&c->drbg);
    mbedtls_ssl_ticket_init(&c->ticket);
    err = c->o.identity != NULL ? tls_key_load(c, why_out) : ADDER_OK;
    if (err == ADDER_OK) {
        const int code = configure(c);
        if (code != 0) {
            *why_out = c->random_failure != ADDER_OK ? ADDER_TLS_WHY_RANDOM : tls_why_of_code(code);
            err = c->random_failure != ADDER_OK ? c->random_failure : tls_err_of_why(*why_out);
        }
    }
    if (err != ADDER_OK) {
        adder_tls_config_deinit(config);
    }
    return err;
}

adder_err_t adder_tls_config_add_ca(adder_tls_config_t *config, const uint8_t *bytes, size_t len,
                                    size_t *n_out, size_t *skipped_out, adder_tls_why_t *why_out)
{
    tls_config_impl_t *c = tls_config_of(config);
    size_t n = 0, skipped = 0;
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    ADDER_ASSERT(c->live == TLS_LIVE);
    const adder_err_t err = tls_parse_certificates(&c->cas, bytes, len, false, &n, &skipped, &why);
    c->n_cas += n;
    if (n_out != NULL) {
        *n_out = n;
    }
    if (skipped_out != NULL) {
        *skipped_out = skipped;
    }
    if (why_out != NULL) {
        *why_out = why;
    }
    return err;
}

size_t adder_tls_config_cas(const adder_tls_config_t *config)
{
    const tls_config_impl_t *c = (const tls_config_impl_t *)(const void *)&config->priv.store;
    return c->n_cas;
}

void adder_tls_config_deinit(adder_tls_config_t *config)
{
    tls_config_impl_t *c = tls_config_of(config);
    if (c->live != TLS_LIVE) {
        return;
    }
    mbedtls_ssl_config_free(&c->conf);
    tls_key_free(c);
    mbedtls_x509_crt_free(&c->cas);
    mbedtls_ssl_ticket_free(&c->ticket);
    mbedtls_ctr_drbg_free(&c->drbg);
    mbedtls_platform_zeroize(c, sizeof *c);
}
