/* TLS on the chip, each firmware: a trusted server, a wrong name, a client's own certificate. */
#include "sim/chips/esp32_nina_peer.h"

#include <signal.h>

#include "tests/tls/identity.h"

static identity_t id;

static int setup(void **state)
{
    char network[120];
    (void)snprintf(network, sizeof network, "\"ca\": \"%s\", \"hosts\": {\"tls.test\": \"127.0.0.1\"}",
                   id.path);
    return open_joined(*state, network) ? 0 : -1;
}

static int make_identity(void **state)
{
    (void)state;
    return identity_make(&id);
}

static int drop_identity(void **state)
{
    (void)state;
    identity_drop(&id);
    return 0;
}

static bool wants_certificate; /* of the client */

static void *tls_echo(void *arg)
{
    const peer_t *p = arg;
    identity_echo(&id, accept(p->fd, NULL, NULL), wants_certificate);
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
    if (is(state, FIRMWARE_1)) {
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
    assert_non_null(strstr(bench.log, is(state, FIRMWARE_3) ? "TLS with 127.0.0.1" : "1.0.0.127"));
    if (!is(state, FIRMWARE_3)) { /* went elsewhere: the peer still waits */
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
    if (is(state, FIRMWARE_3)) {
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
    assert_int_equal(client_state(0), is(state, FIRMWARE_3) ? 0 : 4); /* 3.x closes after 30 s */
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(tls_with_a_trusted_server),           ALL(tls_with_the_wrong_name),
        ALL(not_trusted_without_the_networks_ca), ALL(tls_by_address),
        ALL(a_clients_own_certificate),           ALL(a_stalled_session),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the TLS peer's writes */
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
