/* TLS on the chip, each firmware: a trusted server, a wrong name, a client's own certificate. */
#include "sim/chips/esp32_nina_peer.h"

#include <signal.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

static char ca_path[] = "/tmp/nina_test_ca_XXXXXX";

static int setup(void **state)
{
    char network[120];
    (void)snprintf(network, sizeof network, "\"ca\": \"%s\", \"hosts\": {\"tls.test\": \"127.0.0.1\"}",
                   ca_path);
    return open_joined(*state, network) ? 0 : -1;
}

static bool is(void **state, const char *firmware)
{
    return strcmp(*state, firmware) == 0;
}

/* A certificate of our own: key, self-signed for tls.test, its PEM to trust. */
typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_pk_context key;
    mbedtls_x509_crt cert;
    unsigned char pem[2048], key_pem[1024];
} identity_t;
static identity_t id;

static int make_identity(void **state)
{
    (void)state;
    mbedtls_x509write_cert w;
    mbedtls_mpi serial;
    mbedtls_entropy_init(&id.entropy);
    mbedtls_ctr_drbg_init(&id.drbg);
    mbedtls_pk_init(&id.key);
    mbedtls_x509_crt_init(&id.cert);
    mbedtls_x509write_crt_init(&w);
    mbedtls_mpi_init(&serial);
    int err = mbedtls_ctr_drbg_seed(&id.drbg, mbedtls_entropy_func, &id.entropy, NULL, 0);
    err |= mbedtls_pk_setup(&id.key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    err |= mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(id.key), mbedtls_ctr_drbg_random,
                               &id.drbg);
    err |= mbedtls_mpi_lset(&serial, 1);
    mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, &id.key);
    mbedtls_x509write_crt_set_issuer_key(&w, &id.key);
    err |= mbedtls_x509write_crt_set_serial(&w, &serial);
    err |= mbedtls_x509write_crt_set_subject_name(&w, "CN=tls.test");
    err |= mbedtls_x509write_crt_set_issuer_name(&w, "CN=tls.test");
    err |= mbedtls_x509write_crt_set_validity(&w, "20200101000000", "20991231235959");
    err |= mbedtls_x509write_crt_set_basic_constraints(&w, 1, -1);
    err |= mbedtls_x509write_crt_pem(&w, id.pem, sizeof id.pem, mbedtls_ctr_drbg_random, &id.drbg);
    err |= mbedtls_pk_write_key_pem(&id.key, id.key_pem, sizeof id.key_pem);
    err |= mbedtls_x509_crt_parse(&id.cert, id.pem, strlen((char *)id.pem) + 1);
    mbedtls_x509write_crt_free(&w);
    mbedtls_mpi_free(&serial);
    const int fd = mkstemp(ca_path);
    err |= write(fd, id.pem, strlen((char *)id.pem)) <= 0;
    (void)close(fd);
    return err;
}

static int drop_identity(void **state)
{
    (void)state;
    (void)unlink(ca_path);
    mbedtls_x509_crt_free(&id.cert);
    mbedtls_pk_free(&id.key);
    mbedtls_ctr_drbg_free(&id.drbg);
    mbedtls_entropy_free(&id.entropy);
    return 0;
}

static bool wants_certificate; /* of the client */

static void *tls_echo(void *arg)
{
    const peer_t *p = arg;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&conf);
    mbedtls_net_context net = {accept(p->fd, NULL, NULL)};
    int err = mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &id.drbg);
    err |= mbedtls_ssl_conf_own_cert(&conf, &id.cert, &id.key);
    if (wants_certificate) {
        mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&conf, &id.cert, NULL);
    }
    err |= mbedtls_ssl_setup(&ssl, &conf);
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    unsigned char buf[2048];
    while (err == 0) {
        const int got = mbedtls_ssl_read(&ssl, buf, sizeof buf); /* shakes hands first */
        if (got <= 0 || mbedtls_ssl_write(&ssl, buf, (size_t)got) != got) {
            break;
        }
    }
    mbedtls_net_free(&net);
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&conf);
    return NULL;
}

static int tls_connect(const char *host, uint16_t port, uint8_t slot)
{
    return CALL(&bench, 0x2D, &r, S(host), P(0, 0, 0, 0), BE(port), P(slot), P(2));
}

static void tls_with_a_trusted_server(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tls_echo);
    expect_u8(CALL(&bench, 0x2D, &r, S("tls.test"), P(0, 0, 0, 0), BE(peer.port), P(0), P(2)), 1);
    assert_int_equal(client_state(0), 4);
    /* one session at a time */
    assert_int_equal(CALL(&bench, 0x2D, &r, S("tls.test"), P(0, 0, 0, 0), BE(peer.port), P(1), P(2)), 0);
    static char out[3000], in[3000];
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] = (char)(i * 7);
    }
    assert_int_equal(chip_send(0, out, 3000), 3000);
    size_t got = 0;
    for (int i = 0; got < 3000 && i < 50; i++) {
        assert_int_not_equal(wait_available(0, 0), 0);
        got += chip_recv(0, 3000 - got, in + got);
    }
    assert_memory_equal(in, out, 3000);
    assert_int_equal(chip_send(0, "xy", 2), 2);
    assert_int_equal(wait_available(0, 0), 2);
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(1)), 'x');
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(0)), 'x');
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(0)), 'y');
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    assert_int_equal(client_state(0), 0);
    peer_stop(&peer);
}

/* The name is not the certificate's. 1.x tries on to its limit, then says "done", and only the state
 * tells; the others say at once that it failed. */
static void tls_with_the_wrong_name(void **state)
{
    peer_t peer;
    peer_start(&peer, tls_echo);
    const uint64_t t0 = bench.now_us;
    (void)tls_connect("localhost", peer.port, 0);
    if (is(state, "1.7.7")) {
        assert_int_equal(r.params, 1);
        assert_true(bench.now_us - t0 >= 12000000); /* 120 s at speed 10 */
    } else {
        assert_int_equal(r.params, 0);
        assert_true(bench.now_us - t0 < 12000000);
    }
    assert_int_equal(client_state(0), 0);
    assert_non_null(strstr(bench.log, "does not match"));
    peer_stop(&peer);
}

static void not_trusted_without_the_networks_ca(void **state)
{
    char network[] = "\"hosts\": {\"tls.test\": \"127.0.0.1\"}";
    bench_close(&bench);
    if (!open_joined(*state, network)) {
        fail();
    }
    peer_t peer;
    peer_start(&peer, tls_echo);
    (void)tls_connect("tls.test", peer.port, 0);
    assert_int_equal(client_state(0), 0);
    assert_non_null(strstr(bench.log, "TLS with tls.test:"));
    peer_stop(&peer);
}

/* By an address, only 3.x puts its octets in order. */
static void tls_by_address(void **state)
{
    peer_t peer;
    peer_start(&peer, tls_echo);
    (void)start_client(0, peer.port, 2);
    assert_non_null(strstr(bench.log, is(state, "3.3.0") ? "TLS with 127.0.0.1" : "1.0.0.127"));
    if (!is(state, "3.3.0")) { /* went elsewhere: the peer still waits */
        (void)close(connect_to(peer.port));
    }
    peer_stop(&peer);
}

static void send_pem(uint8_t op, const unsigned char *pem)
{
    const size_t len = strlen((const char *)pem);
    expect_u8(host_call(&bench, op, 1, 1, (const param_t[]){{pem, len}}, 1, &r), 1);
}

/* The server asks for a certificate. Without one it is refused; with one, 1.x and 2.x open a session,
 * and 3.x has thrown its CA certificates away. */
static void a_clients_own_certificate(void **state)
{
    peer_t peer;
    wants_certificate = true;
    peer_start(&peer, tls_echo);
    (void)tls_connect("tls.test", peer.port, 0);
    for (int i = 0; i < 1000 && client_state(0) != 0; i++) { /* TLS 1.3 tells late */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(client_state(0), 0);
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    peer_stop(&peer);

    peer_start(&peer, tls_echo);
    send_pem(0x40, id.pem);
    send_pem(0x41, id.key_pem);
    (void)tls_connect("tls.test", peer.port, 0);
    if (is(state, "3.3.0")) {
        assert_int_equal(r.params, 0);
        assert_non_null(strstr(bench.log, "no CA certificates left"));
        (void)close(connect_to(peer.port)); /* it did not even connect */
    } else {
        expect_u8(r.params, 1);
        assert_int_equal(client_state(0), 4);
        assert_int_equal(chip_send(0, "mutual", 6), 6);
        assert_int_equal(wait_available(0, 0), 6);
        expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    }
    peer_stop(&peer);
    wants_certificate = false;
}

static void a_stalled_session(void **state)
{
    peer_t peer;
    peer_start(&peer, tls_echo);
    expect_u8(tls_connect("tls.test", peer.port, 0), 1);
    knob("{\"stall\": true}");
    static uint8_t buf[4000];
    unsigned n = sizeof buf;
    for (int i = 0; i < 8 && n == sizeof buf; i++) {
        n = chip_send(0, buf, sizeof buf);
    }
    assert_int_not_equal(n, sizeof buf);
    assert_int_equal(client_state(0), is(state, "3.3.0") ? 0 : 4); /* 3.x closes after 30 s */
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    peer_stop(&peer);
}

int main(void)
{
    static char v1[] = "1.7.7", v2[] = "2.0.0+adafruit", v3[] = "3.3.0";
#define AT(test, firmware)                                                                                   \
    {                                                                                                        \
        .name = #test " " #firmware, .test_func = test, .setup_func = setup, .teardown_func = close_all,     \
        .initial_state = firmware                                                                            \
    }
#define ALL(test) AT(test, v1), AT(test, v2), AT(test, v3)
    const struct CMUnitTest tests[] = {
        ALL(tls_with_a_trusted_server),           ALL(tls_with_the_wrong_name),
        ALL(not_trusted_without_the_networks_ca), ALL(tls_by_address),
        ALL(a_clients_own_certificate),           ALL(a_stalled_session),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the TLS peer's writes */
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
