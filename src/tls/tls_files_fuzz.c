/* Any bytes as what a user hands in: trusted certificates, a chain, a key, a saved session, a signature.
 * Nothing is read beyond their end, nothing is left on the heap, and what was refused has a reason. Input:
 * one byte that says as what, then the file. */
#include <stdlib.h>
#include <string.h>

#include "adder/tls.h"

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static adder_err_t zeros(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0x42, len);
    return ADDER_OK;
}

static adder_err_t nobody(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    *n_out = 0;
    return ADDER_ERR_END;
}

static adder_err_t nothing(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    (void)ctx;
    (void)buf;
    (void)cap;
    *n_out = 0;
    return ADDER_ERR_END;
}

static const adder_stream_ops_t closed = {nobody, nothing};

static void trusted(const uint8_t *bytes, size_t len)
{
    adder_tls_options_t o = {.random = zeros};
    adder_tls_config_t c;
    adder_tls_why_t why;
    size_t n = 0, skipped = 0;
    MUST(adder_tls_config_init(&c, &o, NULL) == ADDER_OK);
    const adder_err_t err = adder_tls_config_add_ca(&c, bytes, len, &n, &skipped, &why);
    MUST((err == ADDER_OK) == (why == ADDER_TLS_WHY_NONE));
    MUST(err != ADDER_OK || n > 0);
    MUST(adder_tls_config_cas(&c) == n);
    adder_tls_config_deinit(&c);
}

static void key(const uint8_t *bytes, size_t len)
{
    adder_identity_software_options_t o = {.key = bytes, .key_len = len, .random = zeros};
    adder_identity_software_t sw;
    adder_identity_t id;
    adder_tls_why_t why;
    const adder_err_t err = adder_identity_software_init(&sw, &id, &o, &why);
    MUST((err == ADDER_OK) == (why == ADDER_TLS_WHY_NONE));
    MUST((err == ADDER_OK) == (id.ops != NULL));
    adder_identity_software_deinit(&sw);
}

static adder_err_t sign(void *ctx, adder_hash_kind_t kind, const uint8_t *hash, size_t hash_len, uint8_t *sig,
                        size_t cap, size_t *n_out)
{
    (void)ctx;
    (void)kind;
    (void)hash;
    (void)hash_len;
    (void)sig;
    (void)cap;
    *n_out = 0;
    return ADDER_ERR_IO;
}

static void chain(const uint8_t *bytes, size_t len, adder_key_kind_t kind)
{
    static const adder_identity_ops_t ops = {sign};
    const adder_identity_t id = {.ops = &ops, .kind = kind, .chain = bytes, .chain_len = len};
    adder_tls_options_t o = {.random = zeros, .identity = &id};
    adder_tls_config_t c;
    adder_tls_why_t why;
    const adder_err_t err = adder_tls_config_init(&c, &o, &why);
    MUST((err == ADDER_OK) == (why == ADDER_TLS_WHY_NONE));
    adder_tls_config_deinit(&c);
}

static void saved(const uint8_t *bytes, size_t len)
{
    adder_tls_options_t o = {.random = zeros, .verify = ADDER_TLS_VERIFY_NONE};
    adder_tls_config_t c;
    adder_tls_t t;
    MUST(adder_tls_config_init(&c, &o, NULL) == ADDER_OK);
    MUST(adder_tls_init(&t, &c, (adder_stream_t){&closed, NULL}, "good.example") == ADDER_OK);
    ADDER_IGNORE(adder_tls_session_load(&t, bytes, len), "either");
    for (unsigned i = 0; adder_tls_handshake(&t) == ADDER_ERR_AGAIN; i++) {
        MUST(i < 100);
    }
    adder_tls_deinit(&t);
    adder_tls_config_deinit(&c);
}

static void signature(const uint8_t *bytes, size_t len)
{
    uint8_t raw[64], der[ADDER_IDENTITY_EC_DER_MAX];
    size_t n = 0;
    if (adder_identity_sig_from_der(bytes, len, raw, sizeof raw) ==
        ADDER_OK) { /* there is one form of each */
        MUST(adder_identity_sig_to_der(raw, sizeof raw, der, sizeof der, &n) == ADDER_OK);
        MUST(n == len && memcmp(der, bytes, n) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const size_t len = size - 1;
    uint8_t *bytes = malloc(len > 0 ? len : 1); /* exact: the sanitizer sees a read past the end */
    MUST(bytes != NULL);
    memcpy(bytes, data + 1, len);
    switch (data[0] % 6) {
    case 0:
        trusted(bytes, len);
        break;
    case 1:
        key(bytes, len);
        break;
    case 2:
        chain(bytes, len, ADDER_KEY_P256);
        break;
    case 3:
        chain(bytes, len, ADDER_KEY_RSA);
        break;
    case 4:
        saved(bytes, len);
        break;
    default:
        signature(bytes, len);
        break;
    }
    free(bytes);
    return 0;
}
