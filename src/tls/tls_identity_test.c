/* Identities: keys in memory and keys that only sign, and what is wrong with files. */
#include "tests/tls/testing.h"

/* ---- a key that only signs, as a chip does ---- */

typedef struct {
    adder_identity_t key; /* the software one behind it */
    unsigned signs;
    size_t hash_len;
    adder_err_t failure;
    bool flip;
} chip_t;

static adder_err_t chip_sign(void *ctx, adder_hash_kind_t kind, const uint8_t *hash, size_t hash_len,
                             uint8_t *sig, size_t cap, size_t *n_out)
{
    chip_t *chip = ctx;
    chip->signs++;
    chip->hash_len = hash_len;
    *n_out = 0;
    if (chip->failure != ADDER_OK) {
        return chip->failure;
    }
    const adder_err_t err = chip->key.ops->sign(chip->key.ctx, kind, hash, hash_len, sig, cap, n_out);
    sig[5] ^= chip->flip ? 1 : 0;
    return err;
}

static const adder_identity_ops_t chip_ops = {chip_sign};

typedef struct {
    bench_t *b;
    bench_file_t chain, key;
    adder_identity_software_t sw;
    chip_t chip;
    adder_identity_t identity;
} device_t;

/* A client with the chip, a server that demands its certificate. */
static void device_new(device_t *d, const char *name, const char *server)
{
    char file[64];
    *d = (device_t){.b = bench_new(server)};
    snprintf(file, sizeof file, "%s.pem", name);
    d->chain = bench_read(file);
    snprintf(file, sizeof file, "%s.key", name);
    d->key = bench_read(file);
    adder_identity_software_options_t o = {d->chain.bytes, d->chain.len, d->key.bytes, d->key.len,
                                           NULL,           bench_random, &d->b->random};
    assert_int_equal(adder_identity_software_init(&d->sw, &d->chip.key, &o, NULL), ADDER_OK);
    d->identity = d->chip.key;
    d->identity.ops = &chip_ops;
    d->identity.ctx = &d->chip;
    d->b->client_options.identity = &d->identity;
    d->b->server_options.verify = ADDER_TLS_VERIFY_REQUIRED;
}

static void device_free(device_t *d)
{
    bench_hang_up(d->b);
    adder_tls_config_deinit(&d->b->client_config);
    adder_identity_software_deinit(&d->sw);
    free(d->chain.bytes);
    free(d->key.bytes);
    bench_free(d->b);
}

static void one_signature_a_handshake(void **state)
{
    (void)state;
    static const int sha256[] = {0xC02B, 0xC02F, 0}, sha384[] = {0xC02C, 0xC030, 0};
    static const struct {
        const char *name, *server;
        const int *suites;
        size_t hash_len;
    } tries[] = {
        {"deep", "good", sha256, 32}, {"deep", "good", sha384, 32},       {"deep", "rsa", sha384, 32},
        {"p384", "good", sha384, 48}, {"client-rsa", "good", sha256, 32}, {"client-rsa", "good", sha384, 48},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        device_t d;
        device_new(&d, tries[i].name, tries[i].server);
        d.b->client_options.suites = tries[i].suites;
        bench_connect(d.b, "good.example");
        assert_int_equal(bench_shake(d.b), ADDER_OK);
        assert_true(d.b->server.info.established);
        assert_int_equal(d.chip.signs, 1);
        assert_int_equal(d.chip.hash_len, tries[i].hash_len);
        const uint8_t *der = NULL;
        size_t len = 0;
        assert_int_equal(adder_tls_peer_certificate(&d.b->server, &der, &len), ADDER_OK);
        assert_true(len > 100 && der[0] == 0x30);
        device_free(&d);
    }
}

static void a_chip_that_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"deep", "client-rsa"};
    for (size_t i = 0; i < 2; i++) {
        device_t d;
        device_new(&d, names[i], "good");
        d.chip.failure = ADDER_ERR_NOT_FOUND;
        bench_connect(d.b, "good.example");
        assert_int_equal(bench_shake(d.b), ADDER_ERR_NOT_FOUND); /* its own cause */
        assert_int_equal(d.b->client.info.why, ADDER_TLS_WHY_KEY_SIGN);
        d.chip.failure = ADDER_OK; /* and once it works again, so does the configuration */
        bench_connect(d.b, "good.example");
        assert_int_equal(bench_shake(d.b), ADDER_OK);
        d.chip.flip = true; /* a bit on the bus */
        bench_connect(d.b, "good.example");
        ADDER_IGNORE(bench_shake(d.b), "the server finds it");
        assert_int_equal(d.b->server.info.why, ADDER_TLS_WHY_PEER_PROOF);
        device_free(&d);
    }
}

static void another_chip_in_its_place(void **state)
{
    (void)state;
    static const char *const names[] = {"deep", "client-rsa"};
    for (size_t i = 0; i < 2; i++) {
        device_t d;
        adder_tls_why_t why = ADDER_TLS_WHY_NONE;
        device_new(&d, names[i], "good");
        uint8_t changed[ADDER_IDENTITY_SIG_MAX];
        memcpy(changed, d.identity.public_key, d.identity.public_key_len);
        changed[20] ^= 0x10;
        d.identity.public_key = changed;
        assert_int_equal(adder_tls_config_init(&d.b->client_config, &d.b->client_options, &why),
                         ADDER_ERR_REFUSED);
        assert_int_equal(why, ADDER_TLS_WHY_KEY_MISMATCH);
        d.identity.kind = i == 0 ? ADDER_KEY_RSA : ADDER_KEY_P256;
        assert_int_equal(adder_tls_config_init(&d.b->client_config, &d.b->client_options, &why),
                         ADDER_ERR_REFUSED);
        assert_int_equal(why, ADDER_TLS_WHY_KEY_MISMATCH);
        d.identity.kind = ADDER_KEY_NONE;
        assert_int_equal(adder_tls_config_init(&d.b->client_config, &d.b->client_options, &why),
                         ADDER_ERR_UNSUPPORTED);
        device_free(&d);
    }
}

/* ---- files ---- */

static void key_files(void **state)
{
    (void)state;
    static const struct {
        const char *file, *password;
        adder_err_t err;
        adder_tls_why_t why;
    } keys[] = {
        {"good.key", NULL, ADDER_OK, ADDER_TLS_WHY_NONE},
        {"good.pk8", NULL, ADDER_OK, ADDER_TLS_WHY_NONE},
        {"good.key.der", NULL, ADDER_OK, ADDER_TLS_WHY_NONE},
        {"rsa.key", NULL, ADDER_OK, ADDER_TLS_WHY_NONE},
        {"locked.key", "adder", ADDER_OK, ADDER_TLS_WHY_NONE},
        {"locked.key", NULL, ADDER_ERR_REFUSED, ADDER_TLS_WHY_KEY_PASSWORD},
        {"locked.key", "wrong", ADDER_ERR_REFUSED, ADDER_TLS_WHY_KEY_PASSWORD},
        {"p521.key", NULL, ADDER_ERR_UNSUPPORTED, ADDER_TLS_WHY_KEY_KIND},
        {"ed25519.key", NULL, ADDER_ERR_UNSUPPORTED, ADDER_TLS_WHY_KEY_KIND},
        {"rsa1024.key", NULL, ADDER_ERR_UNSUPPORTED, ADDER_TLS_WHY_KEY_KIND},
        {"good.crt", NULL, ADDER_ERR_FORMAT, ADDER_TLS_WHY_KEY_PARSE},
        {"root.der", NULL, ADDER_ERR_FORMAT, ADDER_TLS_WHY_KEY_PARSE},
    };
    bench_random_t random = {.x = 5};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bench_file_t key = bench_read(keys[i].file);
        adder_identity_software_t sw;
        adder_identity_t identity;
        adder_tls_why_t why = ADDER_TLS_WHY_OTHER;
        adder_identity_software_options_t o = {.key = key.bytes,
                                               .key_len = key.len,
                                               .password = keys[i].password,
                                               .random = bench_random,
                                               .random_ctx = &random};
        const adder_err_t err = adder_identity_software_init(&sw, &identity, &o, &why);
        if (err != keys[i].err || why != keys[i].why) {
            fail_msg("%s: %s, \"%s\"", keys[i].file, adder_err_str(err), adder_tls_why_str(why));
        }
        adder_identity_software_deinit(&sw);
        adder_identity_software_deinit(&sw);
        /* Every shorter piece of it is a key or is not, and nothing else happens. */
        for (size_t n = 0; n < key.len && err == ADDER_OK; n += 7) {
            uint8_t *piece = malloc(n + 1);
            memcpy(piece, key.bytes, n);
            o.key = piece;
            o.key_len = n;
            ADDER_IGNORE(adder_identity_software_init(&sw, &identity, &o, &why), "either");
            adder_identity_software_deinit(&sw);
            free(piece);
        }
        free(key.bytes);
    }
}

static void certificate_files(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    bench_file_t all = bench_read("all.pem"), der = bench_read("root.der"), key = bench_read("good.key");
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    size_t n = 0, skipped = 0;
    assert_int_equal(adder_tls_config_init(&b->client_config, &b->client_options, NULL), ADDER_OK);
    adder_tls_config_t *c = &b->client_config;
    assert_int_equal(adder_tls_config_add_ca(c, all.bytes, all.len, &n, &skipped, &why), ADDER_OK);
    assert_int_equal(n, 3);
    assert_int_equal(skipped, 0);
    assert_int_equal(adder_tls_config_add_ca(c, der.bytes, der.len, &n, &skipped, &why), ADDER_OK);
    assert_int_equal(n, 1);
    assert_int_equal(adder_tls_config_cas(c), 4);
    /* not certificates */
    static const struct {
        const char *text;
        adder_tls_why_t why;
    } texts[] = {
        {"", ADDER_TLS_WHY_PEM_NONE},
        {"hello", ADDER_TLS_WHY_PEM_NONE},
        {"0", ADDER_TLS_WHY_PEM_NONE},
        {"0\x03\x02\x01\x01", ADDER_TLS_WHY_CERT_PARSE},
        {"-----BEGIN CERTIFICATE-----\n", ADDER_TLS_WHY_PEM},
        {"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", ADDER_TLS_WHY_PEM},
        {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", ADDER_TLS_WHY_PEM},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ADDER_TLS_WHY_CERT_PARSE},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         ADDER_TLS_WHY_PEM},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const size_t len = strlen(texts[i].text);
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, texts[i].text, len);
        exact = realloc(exact, len > 0 ? len : 1);
        assert_int_equal(adder_tls_config_add_ca(c, exact, len, &n, &skipped, &why), ADDER_ERR_FORMAT);
        if (why != texts[i].why) {
            fail_msg("text %zu: %s", i, adder_tls_why_str(why));
        }
        free(exact);
    }
    assert_int_equal(adder_tls_config_add_ca(c, key.bytes, key.len, &n, NULL, &why), ADDER_ERR_FORMAT);
    assert_int_equal(why, ADDER_TLS_WHY_PEM);
    assert_int_equal(adder_tls_config_cas(c), 4);
    /* one that is not understood, in a store of others */
    static const char odd[] = "# old one\n-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    uint8_t *store = malloc(sizeof odd - 1 + all.len);
    memcpy(store, odd, sizeof odd - 1);
    memcpy(store + sizeof odd - 1, all.bytes, all.len);
    assert_int_equal(adder_tls_config_add_ca(c, store, sizeof odd - 1 + all.len, &n, &skipped, &why),
                     ADDER_OK);
    assert_int_equal(n, 3);
    assert_int_equal(skipped, 1);
    free(store);
    free(all.bytes);
    free(der.bytes);
    free(key.bytes);
    bench_free(b);
}

static void chain_as_der(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    free(b->chain.bytes);
    b->chain = bench_read("good.der");
    b->identity.chain = b->chain.bytes;
    b->identity.chain_len = b->chain.len;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    bench_free(b);
}

/* ---- signatures as DER ---- */

static void signature_forms(void **state)
{
    (void)state;
    static const struct {
        uint8_t r0, s0; /* first byte; the rest is zero up to the last, which is 1 */
        uint8_t fill;
        size_t der_len;
    } sigs[] = {{0x7F, 0x7F, 0xAA, 70}, {0x80, 0x80, 0xAA, 72}, {0x80, 0x01, 0xAA, 71},
                {0x00, 0x00, 0xAA, 70}, {0x00, 0x7F, 0x11, 69}, {0x00, 0x00, 0x00, 8}};
    for (size_t i = 0; i < sizeof sigs / sizeof sigs[0]; i++) {
        uint8_t raw[64], back[64], der[ADDER_IDENTITY_EC_DER_MAX];
        size_t n = 0;
        memset(raw, sigs[i].fill, sizeof raw);
        raw[0] = sigs[i].r0;
        raw[32] = sigs[i].s0;
        raw[31] = raw[63] = 1;
        assert_int_equal(adder_identity_sig_to_der(raw, 64, der, sizeof der, &n), ADDER_OK);
        assert_int_equal(n, sigs[i].der_len);
        assert_int_equal(adder_identity_sig_to_der(raw, 64, der, n - 1, &n), ADDER_ERR_NOSPACE);
        assert_int_equal(adder_identity_sig_to_der(raw, 64, der, sizeof der, &n), ADDER_OK);
        assert_int_equal(adder_identity_sig_from_der(der, n, back, 64), ADDER_OK);
        assert_memory_equal(raw, back, 64);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(adder_identity_sig_from_der(der, k, back, 64), ADDER_ERR_FORMAT);
        }
    }
    static const uint8_t bad[][12] = {
        {0x30, 6, 2, 1, 0x80, 2, 1, 1},    /* negative */
        {0x30, 7, 2, 2, 0, 1, 2, 1, 1},    /* a zero too many */
        {0x30, 7, 2, 1, 1, 2, 1, 1, 0},    /* a byte behind */
        {0x30, 5, 2, 0, 2, 1, 1},          /* no number */
        {0x31, 6, 2, 1, 1, 2, 1, 1},       /* no SEQUENCE */
        {0x30, 0x81, 6, 2, 1, 1, 2, 1, 1}, /* a length that could be shorter */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t raw[64];
        const size_t len = (size_t)(bad[i][1] == 0x81 ? 9 : bad[i][1] + 2);
        assert_int_equal(adder_identity_sig_from_der(bad[i], len, raw, 64), ADDER_ERR_FORMAT);
    }
    uint8_t raw[98], der[128];
    size_t n = 0;
    memset(raw, 0xFF, sizeof raw);
    assert_int_equal(adder_identity_sig_to_der(raw, 96, der, sizeof der, &n), ADDER_OK);
    assert_true(n == ADDER_IDENTITY_EC_DER_MAX);
    assert_int_equal(adder_identity_sig_from_der(der, n, raw, 64), ADDER_ERR_FORMAT); /* too big for P-256 */
    assert_int_equal(adder_identity_sig_to_der(raw, 98, der, sizeof der, &n), ADDER_ERR_ARG);
    assert_int_equal(adder_identity_sig_to_der(raw, 63, der, sizeof der, &n), ADDER_ERR_ARG);
    assert_int_equal(adder_identity_sig_to_der(raw, 0, der, sizeof der, &n), ADDER_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_signature_a_handshake), cmocka_unit_test(a_chip_that_fails),
        cmocka_unit_test(another_chip_in_its_place), cmocka_unit_test(key_files),
        cmocka_unit_test(certificate_files),         cmocka_unit_test(chain_as_der),
        cmocka_unit_test(signature_forms),
    };
    return cmocka_run_group_tests(tests, bench_make_files, bench_drop_files);
}
