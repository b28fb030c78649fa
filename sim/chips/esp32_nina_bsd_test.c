/* Commands 70h to 7Fh, firmware 2.0.0 and 3.3.0, against sockets of this computer. */
#include "sim/chips/esp32_nina_peer.h"

static int setup(void **state)
{
    return open_joined(*state, "") ? 0 : -1;
}

enum { FIRST = 58 }; /* 64 descriptors, of which lwIP has the last six */

static uint8_t open_socket(uint8_t type)
{
    assert_int_equal(CALL(&bench, 0x70, &r, P(type), P(0)), 1);
    return r.data[0][0];
}

static unsigned error(void)
{
    assert_int_equal(CALL0(&bench, 0x72, &r), 1);
    return r.data[0][0];
}

static int bsd_connect(uint8_t fd, uint16_t port)
{
    return CALL(&bench, 0x76, &r, P(fd), P(127, 0, 0, 1), BE(port));
}

static unsigned bsd_send(uint8_t fd, const void *data, size_t len)
{
    assert_int_equal(CALL_WIDE(&bench, 0x77, 1, &r, P(fd), ((param_t){data, len})), 1);
    assert_int_equal(r.len[0], 2);
    return (unsigned)(r.data[0][0] << 8 | r.data[0][1]);
}

/* 78h: 8-bit lengths there, 16-bit ones back. */
static size_t bsd_recv(uint8_t fd, uint16_t size)
{
    const param_t p[] = {P(fd), P((uint8_t)size, (uint8_t)(size >> 8))};
    assert_int_equal(host_call(&bench, 0x78, 1, 2, p, 2, &r), 1);
    return r.len[0];
}

static unsigned poll_flags(uint8_t fd)
{
    assert_int_equal(CALL(&bench, 0x7C, &r, P(fd)), 1);
    return r.data[0][0];
}

static void nonblocking(uint8_t fd, uint8_t on)
{
    assert_int_equal(CALL(&bench, 0x7B, &r, P(fd), P(0x7E, 0x66, 0x04, 0x80), P(on, 0, 0, 0)), 1);
    assert_int_equal(r.len[0], 4);
}

static unsigned wait_waiting(uint8_t fd)
{
    unsigned n = 0;
    for (int i = 0; i < 5000 && n == 0; i++) {
        assert_int_equal(CALL(&bench, 0x7B, &r, P(fd), P(0x7F, 0x66, 0x04, 0x40), P(0, 0, 0, 0)), 1);
        n = u16();
        nanosleep(&(struct timespec){.tv_nsec = n == 0 ? 1000000 : 0}, NULL);
    }
    return n;
}

static void a_stream(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tcp_echo);
    const uint8_t fd = open_socket(1);
    assert_int_equal(fd, FIRST);
    assert_int_equal(open_socket(1), FIRST + 1);
    expect_u8(CALL(&bench, 0x71, &r, P(FIRST + 1)), 1);
    expect_u8(bsd_connect(fd, peer.port), 1);
    assert_int_equal(poll_flags(fd), 2); /* writable */
    static uint8_t out[4000];
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] = (uint8_t)(i * 31);
    }
    assert_int_equal(bsd_send(fd, out, sizeof out), 4000);
    size_t got = 0;
    while (got < sizeof out) { /* blocks until something is there */
        const size_t n = bsd_recv(fd, 5000);
        assert_in_range(n, 1, 4076);
        assert_memory_equal(r.data[0], out + got, n);
        got += n;
    }
    assert_int_equal(CALL(&bench, 0x7F, &r, P(fd)), 3);
    assert_int_equal(r.data[0][0], 1);
    assert_memory_equal(r.data[1], "\x7F\0\0\1", 4);
    assert_int_equal(r.data[2][0] | r.data[2][1] << 8, peer.port); /* low byte first */
    assert_int_equal(CALL(&bench, 0x7E, &r, P(fd), P(0x08, 0x10, 0, 0), P(4)), 1);
    assert_memory_equal(r.data[0], "\1\0\0\0", 4); /* SO_TYPE: a stream */
    expect_u8(CALL(&bench, 0x71, &r, P(fd)), 1);
    expect_u8(CALL(&bench, 0x71, &r, P(fd)), 0);
    assert_int_equal(error(), 9);
    peer_stop(&peer);
}

static void errors_are_newlibs(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    (void)close(peer.fd);
    const uint8_t fd = open_socket(1);
    expect_u8(bsd_connect(fd, peer.port), 0);
    assert_int_equal(error(), 111);
    assert_int_equal(open_socket(3), 255); /* raw: not here */
    assert_int_equal(error(), 22);
    for (int i = 1; i < 6; i++) {
        assert_int_equal(open_socket(2), FIRST + i);
    }
    assert_int_equal(open_socket(2), 255);
    assert_int_equal(error(), 23);
    assert_int_equal(poll_flags(FIRST + 9), 0x87);
    assert_int_equal(bsd_send(1, "x", 1), 0);
    assert_int_equal(bsd_recv(1, 10), 0);
    assert_int_equal(error(), 9);
    expect_u8(CALL(&bench, 0x74, &r, P(FIRST + 1), P(1)), 0); /* listen() on datagrams */
    assert_int_equal(error(), 95);
    expect_u8(CALL(&bench, 0x7D, &r, P(FIRST), P(0xFF, 0xFF, 0, 0), P(1, 0, 0, 0)), 0);
    assert_int_equal(error(), 109);
    assert_int_equal(CALL(&bench, 0x7B, &r, P(FIRST), P(1, 2, 3, 4), P(0, 0, 0, 0)), 1);
    assert_int_equal(r.len[0], 0);
    const uint64_t t0 = bench.now_us;
    const param_t far[] = {P(FIRST + 1), P(10, 1, 1, 1), BE(80)};
    expect_u8(CALL(&bench, 0x71, &r, P(FIRST + 1)), 1);
    assert_int_equal(open_socket(1), FIRST + 1);
    expect_u8(host_call(&bench, 0x76, 1, 1, far, 3, &r), 0); /* SYN after SYN */
    assert_int_equal(error(), 118);
    assert_true(bench.now_us - t0 >= 3000000);
}

static void a_server_blocks_in_accept(void **state)
{
    (void)state;
    bench.log[0] = '\0';
    const uint8_t fd = open_socket(1);
    expect_u8(CALL(&bench, 0x73, &r, P(fd), BE(80)), 1);
    expect_u8(CALL(&bench, 0x74, &r, P(fd), P(2)), 1);
    assert_int_equal(CALL(&bench, 0x7E, &r, P(fd), P(0x02, 0, 0, 0), P(4)), 1);
    assert_int_equal(r.data[0][0], 1); /* SO_ACCEPTCONN */
    const uint16_t port = served_port();
    nonblocking(fd, 1);
    assert_int_equal(CALL(&bench, 0x75, &r, P(fd)), 3);
    assert_int_equal(r.data[0][0], 255);
    assert_int_equal(error(), 11);
    nonblocking(fd, 0);
    assert_true(host_command(&bench, 0x75, 1, (const param_t[]){P(fd)}, 1));
    assert_false(host_ready_low(&bench, 2000000)); /* nothing else is served meanwhile */
    const int visitor = connect_to(port);
    host_receive(&bench, 0x75, 1, &r);
    assert_int_equal(r.params, 3);
    const uint8_t client = r.data[0][0];
    assert_int_equal(client, FIRST + 1);
    assert_memory_equal(r.data[1], "\x7F\0\0\1", 4);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    assert_int_equal(getsockname(visitor, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(r.data[2][0] | r.data[2][1] << 8, ntohs(a.sin_port));
    assert_int_equal(send(visitor, "who?", 4, 0), 4);
    assert_int_equal(wait_waiting(client), 4);
    assert_int_equal(poll_flags(client), 3);
    assert_int_equal(bsd_recv(client, 64), 4);
    assert_int_equal(bsd_send(client, "me", 2), 2);
    char buf[4];
    assert_int_equal(recv(visitor, buf, 4, 0), 2);
    (void)close(visitor);
    assert_int_equal(bsd_recv(client, 64), 0); /* the end */
    assert_int_equal(error(), 128);
}

static void datagrams(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_DGRAM);
    const uint8_t fd = open_socket(2);
    expect_u8(CALL(&bench, 0x73, &r, P(fd), BE(5005)), 1);
    assert_int_equal(bsd_send(fd, "x", 1), 0); /* no peer yet */
    assert_int_equal(error(), 128);
    assert_int_equal(CALL_WIDE(&bench, 0x79, 1, &r, P(fd), P(127, 0, 0, 1), BE(peer.port), S("to")), 1);
    assert_memory_equal(r.data[0], "\0\2", 2);
    char buf[8];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    assert_int_equal(recvfrom(peer.fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 2);
    assert_int_equal(sendto(peer.fd, "back", 4, 0, (struct sockaddr *)&from, len), 4);
    const param_t p[] = {P(fd), P(200, 0)};
    assert_int_equal(host_call(&bench, 0x7A, 1, 2, p, 2, &r), 3);
    assert_memory_equal(r.data[0], "\x7F\0\0\1", 4);
    assert_int_equal(r.data[1][0] | r.data[1][1] << 8, peer.port);
    assert_int_equal(r.len[2], 4);
    assert_memory_equal(r.data[2], "back", 4);
    expect_u8(bsd_connect(fd, peer.port), 1);
    assert_int_equal(bsd_send(fd, "three", 5), 5);
    assert_int_equal(recv(peer.fd, buf, sizeof buf, 0), 5);
    (void)close(peer.fd);
}

static void waits_have_their_limits(void **state)
{
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    const uint8_t fd = open_socket(1);
    expect_u8(bsd_connect(fd, peer.port), 1);
    nonblocking(fd, 1);
    const uint64_t t0 = bench.now_us;
    assert_int_equal(bsd_recv(fd, 10), 0);
    assert_int_equal(error(), 11);
    assert_true(bench.now_us - t0 < 50000);
    nonblocking(fd, 0);
    const bool three = strcmp(*state, "3.3.0") == 0; /* SO_RCVTIMEO: 2 s as the firmware's timeval */
    static const uint8_t timeval[16] = {2};
    const param_t p[] = {P(fd), P(0x06, 0x10, 0, 0), {timeval, three ? 16 : 8}};
    expect_u8(host_call(&bench, 0x7D, 1, 1, p, 3, &r), 1);
    assert_int_equal(CALL(&bench, 0x7E, &r, P(fd), P(0x06, 0x10, 0, 0), P(16)), 1);
    assert_int_equal(r.len[0], three ? 16 : 8);
    assert_memory_equal(r.data[0], timeval, r.len[0]);
    const uint64_t t1 = bench.now_us;
    assert_int_equal(bsd_recv(fd, 10), 0);
    assert_in_range(bench.now_us - t1, 200000, 220000); /* at speed 10 */
    assert_int_equal(error(), 11);
    (void)close(peer.fd);
}

static void recvfrom_can_overrun(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    const uint8_t fd = open_socket(1);
    expect_u8(bsd_connect(fd, peer.port), 1);
    const int there = accept(peer.fd, NULL, NULL);
    static uint8_t much[5000];
    assert_int_equal(send(there, much, sizeof much, 0), sizeof much);
    assert_int_equal(wait_waiting(fd), 5000);
    const param_t fits[] = {P(fd), P(0xE0, 0x0F)}; /* 4064 */
    assert_int_equal(host_call(&bench, 0x7A, 1, 2, fits, 2, &r), 3);
    assert_int_equal(r.len[2], 4064);
    assert_int_equal(send(there, much, sizeof much, 0), sizeof much);
    for (int i = 0; i < 1000 && wait_waiting(fd) < 5000; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    const param_t over[] = {P(fd), P(0x88, 0x13)}; /* 5000 */
    (void)host_call(&bench, 0x7A, 1, 2, over, 2, &r);
    assert_int_equal(bench_counter(&bench, "crashes"), 1);
    assert_non_null(strstr(bench.log, "recvfrom: 5000 bytes overrun"));
    (void)close(there);
    (void)close(peer.fd);
}

/* The descriptors are lwIP's own: those of the slots are among them. */
static void slots_and_descriptors_are_the_same_sockets(void **state)
{
    (void)state;
    peer_t peer;
    peer_start(&peer, tcp_echo);
    expect_u8(start_client(3, peer.port, 0), 1);
    assert_int_equal(bsd_send(FIRST, "both", 4), 4);
    assert_int_equal(wait_available(3, 0), 4);
    expect_u8(CALL(&bench, 0x71, &r, P(FIRST)), 1);
    assert_int_equal(client_state(3), 0);
    peer_stop(&peer);
}

int main(void)
{
#define BOTH(test) AT(test, 2), AT(test, 3)
    const struct CMUnitTest tests[] = {
        BOTH(a_stream),
        BOTH(errors_are_newlibs),
        BOTH(a_server_blocks_in_accept),
        BOTH(datagrams),
        BOTH(waits_have_their_limits),
        BOTH(recvfrom_can_overrun),
        BOTH(slots_and_descriptors_are_the_same_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
