/* Certificates, each broken in one way: what is refused, for which reason, and that the rest is accepted. The
 * chains are made by OpenSSL (tests/tls/certs.sh); the clock is the test's. */
#include "tests/tls/testing.h"

#define NOTHING (-1)

typedef struct {
    const char *chain, *host;
    int shift_days;
    adder_tls_why_t why;
    int depth;
} case_t;

static const case_t cases[] = {
    /* good ones */
    {"good", "good.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"good", "GOOD.Example.", 0, ADDER_TLS_WHY_NONE, 0},
    {"good", "a.wild.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"good", "127.0.0.1", 0, ADDER_TLS_WHY_NONE, 0},
    {"good", "::1", 0, ADDER_TLS_WHY_NONE, 0},
    {"all", "good.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"rsa", "good.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"p384", "good.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"named", "named.example", 0, ADDER_TLS_WHY_NONE, 0},
    {"bynumber", "127.0.0.1", 0, ADDER_TLS_WHY_NONE, 0},
    /* names */
    {"good", "bad.example", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", "ignored.example", 0, ADDER_TLS_WHY_HOST, 0}, /* the common name, beside a subjectAltName */
    {"good", "wild.example", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", "a.b.wild.example", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", ".wild.example", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", "good.example.com", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", "127.0.0.2", 0, ADDER_TLS_WHY_HOST, 0},
    {"good", "::2", 0, ADDER_TLS_WHY_HOST, 0},
    {"named", "other.example", 0, ADDER_TLS_WHY_HOST, 0},
    {"bynumber", "127.0.0.2", 0, ADDER_TLS_WHY_HOST, 0},
    /* trust */
    {"foreign", "good.example", 0, ADDER_TLS_WHY_UNKNOWN_ISSUER, 0},
    {"foreign-root", "good.example", 0, ADDER_TLS_WHY_UNKNOWN_ROOT, 1},
    {"doubled", "good.example", 0, ADDER_TLS_WHY_UNKNOWN_ISSUER, 0},
    {"impostor", "good.example", 0, ADDER_TLS_WHY_SIGNATURE, 0},
    {"selfsigned", "good.example", 0, ADDER_TLS_WHY_SELF_SIGNED, 0},
    {"nointer", "good.example", 0, ADDER_TLS_WHY_UNKNOWN_ISSUER, 0},
    {"wronginter", "good.example", 0, ADDER_TLS_WHY_CHAIN_BROKEN, 0},
    {"notca", "good.example", 0, ADDER_TLS_WHY_NOT_A_CA, 0},
    {"underv1", "good.example", 0, ADDER_TLS_WHY_NOT_A_CA, 0},
    {"toodeep", "good.example", 0, ADDER_TLS_WHY_CHAIN_BROKEN, NOTHING},
    {"long", "good.example", 0, ADDER_TLS_WHY_CHAIN_LONG, NOTHING},
    /* strength; certificates for another use no server of ours presents: tests/tls has them */
    {"sha1", "good.example", 0, ADDER_TLS_WHY_WEAK_HASH, 0},
    {"rsa1024", "good.example", 0, ADDER_TLS_WHY_WEAK_KEY, 0},
    /* dates */
    {"good", "good.example", 401, ADDER_TLS_WHY_EXPIRED, 0},
    {"good", "good.example", -2, ADDER_TLS_WHY_NOT_YET, NOTHING},
    {"underbrief", "good.example", 9, ADDER_TLS_WHY_NONE, 0},
    {"underbrief", "good.example", 11, ADDER_TLS_WHY_EXPIRED, 1},
    {"good", "good.example", -20000, ADDER_TLS_WHY_CLOCK, NOTHING},
    /* more than one thing wrong: the gravest is told */
    {"good", "bad.example", 401, ADDER_TLS_WHY_HOST, 0},
    {"selfsigned", "bad.example", 401, ADDER_TLS_WHY_SELF_SIGNED, 0},
};

/* rsa1024 and a server with a file for a key that its certificate does not name cannot be made by
 * bench_new alone. */
static bench_t *bench_for(const case_t *c)
{
    bench_t *b = bench_new(strcmp(c->chain, "foreign-root") == 0 ? "foreign" : c->chain);
    if (strcmp(c->chain, "foreign-root") == 0) {
        free(b->chain.bytes);
        b->chain = bench_read("foreign-root.pem");
        b->identity.chain = b->chain.bytes;
        b->identity.chain_len = b->chain.len;
    }
    b->shift_days = c->shift_days;
    return b;
}

static void each_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const case_t *c = &cases[i];
        bench_t *b = bench_for(c);
        bench_connect(b, c->host);
        const adder_err_t err = bench_shake(b);
        if (b->client.info.why != c->why) {
            fail_msg("%s for %s: \"%s\" (-0x%04x), expected \"%s\"", c->chain, c->host,
                     adder_tls_why_str(b->client.info.why), (unsigned)-b->client.info.code,
                     adder_tls_why_str(c->why));
        }
        assert_int_equal(err == ADDER_OK, c->why == ADDER_TLS_WHY_NONE);
        if (c->why != ADDER_TLS_WHY_NONE) {
            assert_int_equal(err, ADDER_ERR_REFUSED);
            assert_int_equal(adder_tls_handshake(&b->client), err); /* stays */
            /* The server is told, and says so. */
            assert_true(b->server.info.why >= ADDER_TLS_WHY_ALERT_UNEXPECTED_MESSAGE);
        }
        if (c->depth != NOTHING) {
            assert_int_equal(b->client.info.depth, c->depth);
        }
        bench_free(b);
    }
}

static void optional_verification_tells_what_it_lets_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const case_t *c = &cases[i];
        if (c->why == ADDER_TLS_WHY_CHAIN_LONG || c->why == ADDER_TLS_WHY_WEAK_KEY) {
            continue; /* refused all the same; and a server without its key */
        }
        bench_t *b = bench_for(c);
        b->client_options.verify = ADDER_TLS_VERIFY_OPTIONAL;
        bench_connect(b, c->host);
        assert_int_equal(bench_shake(b), ADDER_OK);
        assert_int_equal(b->client.info.peer_why, c->why);
        assert_int_equal(b->client.info.why, ADDER_TLS_WHY_NONE);
        bench_free(b);
    }
}

static void no_verification(void **state)
{
    (void)state;
    bench_t *b = bench_new("selfsigned");
    b->client_options.verify = ADDER_TLS_VERIFY_NONE;
    bench_connect(b, NULL);
    assert_int_equal(bench_shake(b), ADDER_OK);
    bench_free(b);
    b = bench_new("good");
    b->client_options.any_host = true;
    bench_connect(b, "whatever.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    bench_free(b);
}

static void a_certificate_that_was_changed(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    free(b->chain.bytes);
    b->chain = bench_read("good.der");
    bench_file_t leaf = bench_read("good-1.der");
    b->chain.bytes[leaf.len - 3] ^= 1; /* in the signature */
    b->identity.chain = b->chain.bytes;
    b->identity.chain_len = b->chain.len;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_ERR_REFUSED);
    assert_int_equal(b->client.info.why, ADDER_TLS_WHY_SIGNATURE);
    free(leaf.bytes);
    bench_free(b);
}

/* ---- trust ---- */

static void a_pinned_certificate(void **state)
{
    (void)state;
    bench_t *b = bench_new("selfsigned");
    free(b->root.bytes);
    b->root = bench_read("selfsigned.pem");
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_OK);
    bench_free(b);
}

static void no_trust_at_all(void **state)
{
    (void)state;
    bench_t *b = bench_new("good");
    adder_tls_t t;
    const adder_stream_t none = {&bench_ops, &b->client_end};
    assert_int_equal(adder_tls_config_init(&b->client_config, &b->client_options, NULL), ADDER_OK);
    assert_int_equal(adder_tls_init(&t, &b->client_config, none, "good.example"), ADDER_ERR_STATE);
    assert_int_equal(t.info.why, ADDER_TLS_WHY_TRUST_NONE);
    assert_int_equal(adder_tls_init(&t, &b->client_config, none, NULL), ADDER_ERR_ARG);
    assert_int_equal(t.info.why, ADDER_TLS_WHY_HOST_MISSING);
    assert_int_equal(adder_tls_init(&t, &b->client_config, none, "a\nb"), ADDER_ERR_ARG);
    assert_int_equal(t.info.why, ADDER_TLS_WHY_HOST_BAD);
    char host[300];
    memset(host, 'a', sizeof host);
    host[sizeof host - 1] = '\0';
    assert_int_equal(adder_tls_init(&t, &b->client_config, none, host), ADDER_ERR_ARG);
    adder_tls_deinit(&t);
    bench_free(b);
}

typedef struct {
    bench_file_t roots[3]; /* all under one name, as far as the test knows */
    unsigned n, asked;
} bundle_t;

static adder_err_t find_root(void *ctx, const uint8_t *subject, size_t subject_len, unsigned n,
                             const uint8_t **der_out, size_t *der_len_out)
{
    bundle_t *bundle = ctx;
    (void)subject;
    assert_true(subject_len > 0);
    bundle->asked++;
    if (n >= bundle->n) {
        return ADDER_ERR_NOT_FOUND;
    }
    *der_out = bundle->roots[n].bytes;
    *der_len_out = bundle->roots[n].len;
    return ADDER_OK;
}

static void roots_of_a_bundle(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        int shift_days;
        adder_tls_why_t why;
    } bundled[] = {
        {"good", 0, ADDER_TLS_WHY_NONE},
        {"all", 0, ADDER_TLS_WHY_NONE}, /* the root itself was sent too */
        {"foreign", 0, ADDER_TLS_WHY_UNKNOWN_ISSUER},
        {"impostor", 0, ADDER_TLS_WHY_UNKNOWN_ISSUER},
        {"good", 401, ADDER_TLS_WHY_EXPIRED},
        {"good", 4000, ADDER_TLS_WHY_UNKNOWN_ISSUER}, /* the root has expired: passed over */
    };
    for (size_t i = 0; i < sizeof bundled / sizeof bundled[0]; i++) {
        bundle_t bundle = {.n = 3};
        bundle.roots[0] = bench_read("good-1.der");   /* no CA */
        bundle.roots[1] = bench_read("good.key.der"); /* no certificate */
        bundle.roots[2] = bench_read("root.der");
        bench_t *b = bench_new(bundled[i].chain);
        free(b->root.bytes);
        b->root = (bench_file_t){0};
        b->client_options.find_root = find_root;
        b->client_options.find_root_ctx = &bundle;
        b->shift_days = bundled[i].shift_days;
        bench_connect(b, "good.example");
        ADDER_IGNORE(bench_shake(b), "the reason tells");
        assert_int_equal(b->client.info.why, bundled[i].why);
        assert_true(bundle.asked > 0);
        bench_free(b);
        for (size_t k = 0; k < 3; k++) {
            free(bundle.roots[k].bytes);
        }
    }
}

/* ---- no clock ---- */

static void clock_policies(void **state)
{
    (void)state;
    static const struct {
        adder_tls_clock_t clock;
        int floor_days; /* from now */
        const char *chain;
        adder_tls_why_t why;
    } policies[] = {
        {ADDER_TLS_CLOCK_REFUSE, -100, "good", ADDER_TLS_WHY_CLOCK},
        {ADDER_TLS_CLOCK_FLOOR, -100, "good", ADDER_TLS_WHY_NONE},
        {ADDER_TLS_CLOCK_FLOOR, 500, "good", ADDER_TLS_WHY_EXPIRED},
        {ADDER_TLS_CLOCK_FLOOR, -100, "selfsigned", ADDER_TLS_WHY_SELF_SIGNED},
        {ADDER_TLS_CLOCK_ACCEPT, 500, "good", ADDER_TLS_WHY_NONE},
        {ADDER_TLS_CLOCK_ACCEPT, 500, "foreign", ADDER_TLS_WHY_UNKNOWN_ISSUER},
    };
    for (size_t i = 0; i < 2 * sizeof policies / sizeof policies[0]; i++) {
        const size_t k = i / 2;
        bench_t *b = bench_new(policies[k].chain);
        b->client_options.clock = policies[k].clock;
        b->client_options.floor_s = (int64_t)time(NULL) + policies[k].floor_days * 86400;
        b->shift_days = -20000;
        if (i % 2 != 0) {
            b->client_options.now_s = NULL;
        }
        bench_connect(b, "good.example");
        ADDER_IGNORE(bench_shake(b), "the reason tells");
        assert_int_equal(b->client.info.why, policies[k].why);
        assert_int_equal(b->client.info.dates_unchecked, policies[k].clock != ADDER_TLS_CLOCK_REFUSE);
        bench_free(b);
    }
    /* With a clock the policy has no effect. */
    bench_t *b = bench_new("good");
    b->client_options.clock = ADDER_TLS_CLOCK_ACCEPT;
    b->shift_days = 401;
    bench_connect(b, "good.example");
    assert_int_equal(bench_shake(b), ADDER_ERR_REFUSED);
    assert_int_equal(b->client.info.why, ADDER_TLS_WHY_EXPIRED);
    assert_false(b->client.info.dates_unchecked);
    bench_free(b);
}

/* ---- the server looks at the client's ---- */

static adder_tls_why_t present(const char *name, adder_tls_verify_t verify, bench_t **b_out)
{
    bench_t *b = bench_new("good");
    bench_file_t chain = {0}, key = {0};
    adder_identity_software_t sw;
    adder_identity_t identity;
    b->server_options.verify = verify;
    if (name != NULL) {
        char file[64];
        snprintf(file, sizeof file, "%s.pem", name);
        chain = bench_read(file);
        snprintf(file, sizeof file, "%s.key", name);
        key = bench_read(file);
        adder_identity_software_options_t o = {chain.bytes, chain.len,    key.bytes, key.len,
                                               NULL,        bench_random, &b->random};
        assert_int_equal(adder_identity_software_init(&sw, &identity, &o, NULL), ADDER_OK);
        b->client_options.identity = &identity;
    }
    bench_connect(b, "good.example");
    ADDER_IGNORE(bench_shake(b), "the server's view counts");
    const adder_tls_why_t why = b->server.info.established ? b->server.info.peer_why : b->server.info.why;
    if (name != NULL) {
        bench_hang_up(b);
        adder_tls_config_deinit(&b->client_config);
        adder_identity_software_deinit(&sw);
        free(chain.bytes);
        free(key.bytes);
    }
    *b_out = b;
    return why;
}

static void client_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        adder_tls_verify_t verify;
        adder_tls_why_t why;
    } clients[] = {
        {"deep", ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_NONE},
        {"client-rsa", ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_NONE},
        {"p384", ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_NONE},
        {"foreign", ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_UNKNOWN_ISSUER},
        {NULL, ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_CERT_NONE},
        {NULL, ADDER_TLS_VERIFY_OPTIONAL, ADDER_TLS_WHY_CERT_NONE},
        {"foreign", ADDER_TLS_VERIFY_OPTIONAL, ADDER_TLS_WHY_UNKNOWN_ISSUER},
        {"foreign", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NONE},
    };
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        bench_t *b = NULL;
        const adder_tls_why_t why = present(clients[i].name, clients[i].verify, &b);
        if (why != clients[i].why) {
            fail_msg("client %zu: %s (server), %s (client)", i, adder_tls_why_str(why),
                     adder_tls_why_str(b->client.info.why));
        }
        bench_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason),
        cmocka_unit_test(optional_verification_tells_what_it_lets_pass),
        cmocka_unit_test(no_verification),
        cmocka_unit_test(a_certificate_that_was_changed),
        cmocka_unit_test(a_pinned_certificate),
        cmocka_unit_test(no_trust_at_all),
        cmocka_unit_test(roots_of_a_bundle),
        cmocka_unit_test(clock_policies),
        cmocka_unit_test(client_certificates),
    };
    return cmocka_run_group_tests(tests, bench_make_files, bench_drop_files);
}
