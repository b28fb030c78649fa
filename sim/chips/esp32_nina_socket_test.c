/* The ESP32 model's sockets against real ones of this computer, firmware 1.7.7: TCP, UDP, servers. What
 * the others do otherwise: esp32_nina_versions_test.c; TLS: esp32_nina_tls_test.c. */
#include "sim/chips/esp32_nina_peer.h"

static int setup(void **state)
{
    (void)state;
    return open_joined(FIRMWARE_1, "\"hosts\": {\"tls.test\": \"127.0.0.1\"}") ? 0 : -1;
}

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

static void serves_tcp(void **state)
{
    (void)state;
    expect_u8(CALL(&bench, 0x28, &r, BE(80), P(2), P(0)), 1);
    expect_u8(CALL(&bench, 0x29, &r, P(2)), 1);
    assert_int_equal(wait_available(2, 0), 255);
    const int fd = connect_to(served_port());
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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, close_chip)
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
