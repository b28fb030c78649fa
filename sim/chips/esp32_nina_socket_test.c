/* The ESP32 model's sockets against real ones of this computer: TCP, UDP, TLS, servers, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "sim/chips/esp32_nina_host.h"

static bench_t bench;
static reply_t r;
static char ca_path[] = "/tmp/nina_test_ca_XXXXXX";

static void expect_u8(int got, unsigned value)
{
    assert_int_equal(got, 1);
    assert_int_equal(r.len[0], 1);
    assert_int_equal(r.data[0][0], value);
}

static unsigned u16(void)
{
    return (unsigned)(r.data[0][0] | r.data[0][1] << 8);
}

static int open_fds(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL) {
        count++;
    }
    (void)closedir(d);
    return count;
}

static int fds_before;

static int setup(void **state)
{
    (void)state;
    char network[600];
    (void)snprintf(
        network, sizeof network,
        "{\"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\"}], \"outside\": false,"
        " \"speed\": 10, \"ca\": \"%s\", \"hosts\": {\"tls.test\": \"127.0.0.1\"}}",
        ca_path);
    fds_before = open_fds();
    if (!bench_open(&bench, &sim_chip_esp32_nina, network, host_pulls, 7)) {
        return -1;
    }
    host_reset(&bench);
    return host_join(&bench, "home", "secret123", &r) == 3 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&bench);
    assert_int_equal(open_fds(), fds_before);
    return 0;
}

/* ---- peers ---- */

typedef struct {
    int fd;
    uint16_t port;
    pthread_t thread;
} peer_t;

static void peer_bind(peer_t *p, int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
    p->port = ntohs(a.sin_port);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(p->fd, 4), 0);
    }
}

/* Echoes one connection to its end. */
static void *tcp_echo(void *arg)
{
    const peer_t *p = arg;
    const int fd = accept(p->fd, NULL, NULL);
    char buf[4096];
    ssize_t got;
    while (fd >= 0 && (got = recv(fd, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const ssize_t sent = send(fd, buf + at, (size_t)(got - at), MSG_NOSIGNAL);
            if (sent <= 0) {
                break;
            }
            at += sent;
        }
    }
    (void)close(fd);
    return NULL;
}

static void peer_start(peer_t *p, void *(*run)(void *))
{
    peer_bind(p, SOCK_STREAM);
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

static void peer_stop(peer_t *p)
{
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->fd);
}

/* ---- the chip's side ---- */

#define BE(port) P((uint8_t)((port) >> 8), (uint8_t)(port))

static uint8_t get_socket(void)
{
    assert_int_equal(CALL0(&bench, 0x3F, &r), 1);
    return r.data[0][0];
}

static int start_client(uint8_t slot, uint16_t port, uint8_t mode)
{
    return CALL(&bench, 0x2D, &r, P(127, 0, 0, 1), BE(port), P(slot), P(mode));
}

static unsigned chip_send(uint8_t slot, const void *data, size_t len)
{
    assert_int_equal(CALL_WIDE(&bench, 0x44, 1, &r, P(slot), ((param_t){data, len})), 1);
    return u16();
}

static size_t chip_recv(uint8_t slot, size_t cap, void *out)
{
    assert_int_equal(CALL_WIDE(&bench, 0x45, 2, &r, P(slot), P((uint8_t)cap, (uint8_t)(cap >> 8))), 1);
    memcpy(out, r.data[0], r.len[0]);
    return r.len[0];
}

static unsigned wait_available(uint8_t slot, unsigned none)
{
    unsigned n = none;
    for (int i = 0; i < 5000 && n == none; i++) {
        assert_int_equal(CALL(&bench, 0x2B, &r, P(slot)), 1);
        n = u16();
        nanosleep(&(struct timespec){.tv_nsec = n == none ? 1000000 : 0}, NULL);
    }
    return n;
}

static unsigned client_state(uint8_t slot)
{
    assert_int_equal(CALL(&bench, 0x2F, &r, P(slot)), 1);
    return r.data[0][0];
}

/* ---- tests ---- */

static void tcp_echoes_a_megabyte(void **state)
{
    (void)state;
    enum { TOTAL = 1 << 20 };
    peer_t peer;
    peer_start(&peer, tcp_echo);
    const uint8_t slot = get_socket();
    assert_int_equal(slot, 0);
    assert_int_equal(get_socket(), 0); /* asking does not reserve */
    expect_u8(start_client(slot, peer.port, 0), 1);
    assert_int_equal(client_state(slot), 4);
    assert_int_equal(get_socket(), 1);
    static uint8_t buf[4096];
    uint32_t out_sum = 1, in_sum = 1;
    size_t sent = 0, got = 0;
    for (int idle = 0; got < TOTAL && idle < 20000;) {
        if (sent < TOTAL && sent - got < 5000) {
            const size_t len = TOTAL - sent < 2800 ? TOTAL - sent : 2800;
            for (size_t i = 0; i < len; i++) {
                buf[i] = (uint8_t)((sent + i) * 2654435761u >> 13);
            }
            const unsigned n = chip_send(slot, buf, len);
            assert_int_not_equal(n, 0);
            for (unsigned i = 0; i < n; i++) {
                out_sum = out_sum * 31 + buf[i];
            }
            sent += n;
        }
        const size_t n = chip_recv(slot, 4086, buf);
        for (size_t i = 0; i < n; i++) {
            in_sum = in_sum * 31 + buf[i];
        }
        got += n;
        idle = n > 0 ? 0 : idle + 1;
        if (n == 0) {
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        }
    }
    assert_int_equal(got, TOTAL);
    assert_int_equal(in_sum, out_sum);
    assert_int_equal(CALL(&bench, 0x3A, &r, P(slot)), 2);
    assert_memory_equal(r.data[0], ((const uint8_t[]){127, 0, 0, 1}), 4);
    assert_int_equal(r.data[1][0] << 8 | r.data[1][1], peer.port);
    expect_u8(CALL(&bench, 0x2A, &r, P(slot)), 1);
    expect_u8(CALL(&bench, 0x2E, &r, P(slot)), 1);
    assert_int_equal(client_state(slot), 0);
    assert_int_equal(bench_counter(&bench, "net_out"), TOTAL);
    assert_int_equal(bench_counter(&bench, "net_in"), TOTAL);
    assert_int_equal(bench_counter(&bench, "sockets_leaked"), 0);
    peer_stop(&peer);
}

static void single_bytes_and_peeks(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tcp_echo);
    expect_u8(start_client(0, peer.port, 0), 1);
    assert_int_equal(bench_level(&bench, NINA_PIN_GPIO0), SIM_LOW);
    assert_int_equal(chip_send(0, "ab", 2), 2);
    assert_int_equal(wait_available(0, 0), 2);
    bench_wait(&bench, 5000);
    assert_int_equal(bench_level(&bench, NINA_PIN_GPIO0), SIM_HIGH); /* data waits */
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(1)), 'a');
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(0)), 'a');
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(0)), 'b');
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(0)), 0xFF);
    bench_wait(&bench, 5000);
    assert_int_equal(bench_level(&bench, NINA_PIN_GPIO0), SIM_LOW);
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    peer_stop(&peer);
}

static void failures_have_no_parameters(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    (void)close(peer.fd);
    assert_int_equal(start_client(0, peer.port, 0), 0); /* refused, at once */
    assert_int_equal(client_state(0), 0);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(CALL(&bench, 0x2D, &r, P(10, 255, 255, 1), BE(80), P(0), P(0)), 0);
    assert_true(bench.now_us - t0 >= 3000000); /* 30 s at speed 10 */
    /* 1.x has no TCP or UDP by name */
    assert_int_equal(CALL(&bench, 0x2D, &r, S("tls.test"), P(0, 0, 0, 0), BE(80), P(0), P(0)), 0);
    assert_int_equal(CALL(&bench, 0x2D, &r, S("tls.test"), P(0, 0, 0, 0), BE(80), P(0), P(1)), 0);
    assert_int_equal(start_client(0, 80, 9), 0);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    assert_int_equal(start_client(0, 80, 0), 0); /* no link */
    assert_int_equal(bench_counter(&bench, "sockets_opened"), bench_counter(&bench, "sockets_closed"));
}

static void a_closing_peer_is_noticed_after_its_data(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    expect_u8(start_client(3, peer.port, 0), 1);
    const int fd = accept(peer.fd, NULL, NULL);
    assert_int_equal(send(fd, "bye", 3, 0), 3);
    (void)close(fd);
    assert_int_equal(wait_available(3, 0), 3);
    assert_int_equal(client_state(3), 4);
    char buf[16];
    assert_int_equal(chip_recv(3, 16, buf), 3);
    assert_int_equal(client_state(3), 0);
    assert_int_equal(get_socket(), 0); /* and the slot is free */
    assert_int_equal(chip_send(3, "x", 1), 0);
    (void)close(peer.fd);
}

static void a_full_send_buffer_closes_the_socket(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    const int small = 4096;
    (void)setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    expect_u8(start_client(0, peer.port, 0), 1);
    const int fd = accept(peer.fd, NULL, NULL); /* never reads */
    static uint8_t buf[2000];
    unsigned n = 1;
    for (int i = 0; i < 4000 && n > 0; i++) {
        n = chip_send(0, buf, sizeof buf);
    }
    assert_int_equal(n, 0);
    assert_int_equal(client_state(0), 0);
    (void)close(fd);
    (void)close(peer.fd);
}

static void udp_as_adafruits_driver_does_it(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_DGRAM);
    expect_u8(start_client(0, peer.port, 1), 1);
    expect_u8(CALL(&bench, 0x28, &r, BE(peer.port), P(0), P(1)), 1); /* the same port: taken here */
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), S("he")), 1);
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), S("llo")), 1);
    expect_u8(CALL(&bench, 0x39, &r, P(0)), 1);
    char buf[64];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    assert_int_equal(recvfrom(peer.fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(sendto(peer.fd, "one", 3, 0, (struct sockaddr *)&from, len), 3);
    assert_int_equal(sendto(peer.fd, "three", 5, 0, (struct sockaddr *)&from, len), 5);
    assert_int_equal(wait_available(0, 0), 3); /* one datagram at a time */
    assert_int_equal(chip_recv(0, 2, buf), 2);
    assert_int_equal(wait_available(0, 0), 1);
    assert_int_equal(chip_recv(0, 64, buf), 1);
    assert_int_equal(wait_available(0, 0), 5);
    expect_u8(CALL(&bench, 0x2C, &r, P(0), P(1)), 't');
    assert_int_equal(CALL(&bench, 0x3A, &r, P(0)), 2);
    assert_int_equal(r.data[1][0] << 8 | r.data[1][1], peer.port);
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    (void)close(peer.fd);
}

static void a_datagram_too_long_crashes_the_firmware(void **state)
{
    (void)state;
    static uint8_t big[1000];
    expect_u8(start_client(0, 9, 1), 1);
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), ((param_t){big, sizeof big})), 1);
    assert_int_equal(CALL_WIDE(&bench, 0x46, 1, &r, P(0), ((param_t){big, sizeof big})), -3);
    assert_int_equal(bench_counter(&bench, "crashes"), 1);
}

static uint16_t served_port(void)
{
    const char *line = strstr(bench.log, "is 127.0.0.1:");
    assert_non_null(line);
    return (uint16_t)atoi(line + strlen("is 127.0.0.1:"));
}

static void serves_tcp(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x28, &r, BE(80), P(2), P(0)), 1);
    expect_u8(CALL(&bench, 0x29, &r, P(2)), 1);
    assert_int_equal(wait_available(2, 0), 255);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(served_port())};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(CALL(&bench, 0x2B, &r, P(2)), 1);
    assert_int_equal(u16(), 255); /* a silent client is not listed */
    assert_int_equal(send(fd, "GET", 3, 0), 3);
    const unsigned client = wait_available(2, 255);
    assert_int_equal(client, 0);
    assert_int_equal(wait_available((uint8_t)client, 0), 3);
    char buf[16];
    assert_int_equal(chip_recv((uint8_t)client, 16, buf), 3);
    assert_int_equal(chip_send((uint8_t)client, "200", 3), 3);
    assert_int_equal(recv(fd, buf, 3, 0), 3);
    assert_memory_equal(buf, "200", 3);
    assert_int_equal(chip_send(2, "all", 3), 3); /* to every client */
    assert_int_equal(recv(fd, buf, 3, 0), 3);
    expect_u8(CALL(&bench, 0x2E, &r, P((uint8_t)client)), 1);
    assert_int_equal(recv(fd, buf, 3, 0), 0);
    (void)close(fd);
}

static void overwritten_sockets_leak_until_reset(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    for (int i = 0; i < 4; i++) {
        expect_u8(start_client(0, peer.port, 0), 1);
    }
    assert_int_equal(bench_counter(&bench, "sockets_leaked"), 3);
    host_reset(&bench);
    assert_int_equal(bench_counter(&bench, "sockets_opened"), bench_counter(&bench, "sockets_closed"));
    (void)close(peer.fd);
}

static void ten_sockets_and_no_more(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    int fds[5];
    for (uint8_t i = 0; i < 5; i++) { /* a backlog of four: accept as we go */
        expect_u8(start_client(i, peer.port, 0), 1);
        fds[i] = accept(peer.fd, NULL, NULL);
    }
    for (uint8_t i = 5; i < 10; i++) {
        expect_u8(CALL(&bench, 0x28, &r, BE(20000 + i), P(i), P(1)), 1);
    }
    assert_int_equal(get_socket(), 255);
    assert_int_equal(start_client(0, peer.port, 0), 0);
    expect_u8(CALL(&bench, 0x29, &r, P(200)), 0); /* beyond the table: safe here */
    for (int i = 0; i < 5; i++) {
        (void)close(fds[i]);
    }
    (void)close(peer.fd);
}

static void reset_in_the_middle_of_a_connect(void **state)
{
    (void)state;
    assert_true(host_command(&bench, 0x2D, 1, (const param_t[]){P(10, 1, 1, 1), BE(80), P(0), P(0)}, 4));
    bench_wait(&bench, 100000);
    assert_int_equal(bench_level(&bench, NINA_PIN_READY), SIM_HIGH);
    host_reset(&bench);
    assert_int_equal(CALL0(&bench, 0x37, &r), 1);
    bench.net->outside = true;
    assert_int_equal(host_join(&bench, "home", "secret123", &r), 3);
    assert_true(host_command(&bench, 0x34, 1, (const param_t[]){S("slow.invalid")}, 1));
    host_reset(&bench); /* the question to the resolver is abandoned */
    assert_int_equal(CALL0(&bench, 0x37, &r), 1);
}

static void a_lost_link_stops_the_traffic(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tcp_echo);
    expect_u8(start_client(0, peer.port, 0), 1);
    bench.net->wifi = false;
    bench_wait(&bench, 2000000);
    expect_u8(CALL0(&bench, 0x20, &r), 6);
    assert_int_equal(chip_send(0, "lost", 4), 4); /* into the send buffer */
    static uint8_t buf[4000];
    assert_int_equal(chip_send(0, buf, sizeof buf), 4000);
    assert_int_equal(chip_send(0, buf, sizeof buf), 5744 - 4004);
    assert_int_equal(chip_send(0, buf, 1), 0);
    assert_int_equal(client_state(0), 0);
    peer_stop(&peer);
}

/* ---- TLS ---- */

/* A certificate of our own: key, self-signed for tls.test, its PEM to trust. */
typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_pk_context key;
    mbedtls_x509_crt cert;
    unsigned char pem[2048];
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

/* The name is not the certificate's: the firmware tries on to its limit, then says "done", and only
 * the state tells. */
static void tls_with_the_wrong_name(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tls_echo);
    const uint64_t t0 = bench.now_us;
    expect_u8(CALL(&bench, 0x2D, &r, S("localhost"), P(0, 0, 0, 0), BE(peer.port), P(0), P(2)), 1);
    assert_true(bench.now_us - t0 >= 12000000); /* 120 s at speed 10 */
    assert_int_equal(client_state(0), 0);
    assert_non_null(strstr(bench.log, "does not match"));
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(tcp_echoes_a_megabyte),
        T(single_bytes_and_peeks),
        T(failures_have_no_parameters),
        T(a_closing_peer_is_noticed_after_its_data),
        T(a_full_send_buffer_closes_the_socket),
        T(udp_as_adafruits_driver_does_it),
        T(a_datagram_too_long_crashes_the_firmware),
        T(serves_tcp),
        T(overwritten_sockets_leak_until_reset),
        T(ten_sockets_and_no_more),
        T(reset_in_the_middle_of_a_connect),
        T(a_lost_link_stops_the_traffic),
        T(tls_with_a_trusted_server),
        T(tls_with_the_wrong_name),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the TLS peer's writes */
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
