/* What the sockets of firmware 2.0.0 and 3.3.0 do otherwise than those of 1.7.7, and the access point's
 * visitors. The BSD commands: esp32_nina_bsd_test.c. */
#include "sim/chips/esp32_nina_peer.h"

static int setup(void **state)
{
    return open_joined(*state, "\"hosts\": {\"plain.test\": \"127.0.0.1\"}") ? 0 : -1;
}

static void start_server(uint8_t slot)
{
    bench.log[0] = '\0';
    expect_u8(CALL(&bench, 0x28, &r, BE(80), P(slot), P(0)), 1);
}

/* One parameter, and this byte where the firmware looks for the second. */
static unsigned avail_padded(uint8_t slot, uint8_t pad)
{
    const uint8_t frame[8] = {0xE0, 0x2B, 1, 1, slot, 0xEE, pad, pad};
    assert_true(host_send(&bench, frame, sizeof frame));
    host_receive(&bench, 0x2B, 1, &r);
    assert_int_equal(r.params, 1);
    return u16();
}

/* ---- numbers, names, time-outs ---- */

static void sockets_are_as_many_as_built_for(void **state)
{
    const uint8_t slots = is(state, FIRMWARE_1) ? 10 : 6;
    for (uint8_t i = 0; i < slots; i++) {
        assert_int_equal(get_socket(), i);
        expect_u8(CALL(&bench, 0x28, &r, BE(20000 + i), P(i), P(1)), 1);
    }
    assert_int_equal(get_socket(), 255);
    /* a server finds no socket left: 1.x says yes all the same */
    expect_u8(CALL(&bench, 0x28, &r, BE(80), P(0), P(0)), is(state, FIRMWARE_1));
    expect_u8(CALL(&bench, 0x29, &r, P(0)), 0);
    expect_u8(CALL(&bench, 0x29, &r, P(slots)), 0); /* no such slot */
    assert_non_null(strstr(bench.log, "there is no socket"));
}

static void tcp_by_name(void **state)
{
    peer_t peer;
    peer_start(&peer, tcp_echo);
    const bool works = !is(state, FIRMWARE_1);
    (void)CALL(&bench, 0x2D, &r, S("plain.test"), P(0, 0, 0, 0), BE(peer.port), P(0), P(0));
    assert_int_equal(r.params, works);
    if (works) {
        assert_int_equal(client_state(0), 4);
        assert_int_equal(chip_send(0, "abc", 3), 3);
        assert_int_equal(wait_available(0, 0), 3);
        expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    } else {
        expect_u8(start_client(0, peer.port, 0), 1);
        expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    }
    peer_stop(&peer);
    assert_int_equal(CALL(&bench, 0x2D, &r, S("nowhere.test"), P(0, 0, 0, 0), BE(80), P(0), P(0)), 0);
}

static void no_answer_ends_sooner_in_3(void **state)
{
    const uint64_t t0 = bench.now_us;
    assert_int_equal(CALL(&bench, 0x2D, &r, P(10, 255, 255, 1), BE(80), P(0), P(0)), 0);
    const uint64_t plain = bench.now_us - t0; /* 3 or 30 s at speed 10 */
    assert_in_range(plain, is(state, FIRMWARE_3) ? 300000 : 3000000,
                    is(state, FIRMWARE_3) ? 320000 : 3020000);
    const uint64_t t1 = bench.now_us;
    assert_int_equal(CALL(&bench, 0x2D, &r, P(10, 255, 255, 1), BE(80), P(0), P(2)), 0);
    if (is(state, FIRMWARE_3)) { /* the others look the address up back to front */
        assert_in_range(bench.now_us - t1, 3000000, 3020000);
    }
}

/* ---- sending ---- */

static void a_full_send_buffer(void **state)
{
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    expect_u8(start_client(0, peer.port, 0), 1);
    const int fd = accept(peer.fd, NULL, NULL);
    static uint8_t buf[4000];
    knob("{\"stall\": true}");
    assert_int_equal(chip_send(0, buf, sizeof buf), 4000);
    const uint64_t t0 = bench.now_us;
    if (is(state, FIRMWARE_1)) {
        assert_int_equal(chip_send(0, buf, sizeof buf), 5744 - 4000); /* what fits */
        assert_int_equal(chip_send(0, buf, 1), 0);
        assert_int_equal(client_state(0), 0); /* given up */
        assert_true(bench.now_us - t0 < 100000);
    } else if (is(state, FIRMWARE_3)) {
        assert_int_equal(chip_send(0, buf, sizeof buf), 5744 - 4000);
        assert_in_range(bench.now_us - t0, 1000000, 1010000); /* 10 s at speed 10 */
        assert_int_equal(chip_send(0, buf, 1), 0);
        assert_int_equal(client_state(0), 4);
        knob("{\"stall\": false}");
        assert_int_equal(chip_send(0, buf, sizeof buf), 4000);
    } else {
        assert_true(host_command(&bench, 0x44, 2, (const param_t[]){P(0), {buf, sizeof buf}}, 2));
        assert_false(host_ready_low(&bench, 12000000)); /* blocked */
        knob("{\"stall\": false}");
        host_receive(&bench, 0x44, 1, &r);
        assert_int_equal(r.params, 1);
        assert_int_equal(u16(), 4000);
        assert_int_equal(client_state(0), 4);
    }
    (void)close(fd);
    (void)close(peer.fd);
}

static void a_broken_connection_ends_the_wait(void **state)
{
    (void)state;
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    expect_u8(start_client(0, peer.port, 0), 1);
    static uint8_t buf[4000];
    knob("{\"stall\": true}");
    assert_int_equal(chip_send(0, buf, sizeof buf), 4000);
    assert_true(host_command(&bench, 0x44, 2, (const param_t[]){P(0), {buf, sizeof buf}}, 2));
    bench_wait(&bench, 100000);
    bench.net->wifi = false; /* the link goes, and all connections with it */
    bench_wait(&bench, 800000);
    host_receive(&bench, 0x44, 1, &r);
    assert_int_equal(r.params, 1);
    assert_int_equal(client_state(0), 0);
    (void)close(peer.fd);
}

/* ---- state ---- */

static void reading_ahead_can_lose_the_rest(void **state)
{
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    expect_u8(start_client(2, peer.port, 0), 1);
    const int fd = accept(peer.fd, NULL, NULL);
    static uint8_t buf[2000];
    assert_int_equal(send(fd, buf, 1000, 0), 1000);
    (void)close(fd);
    assert_int_equal(wait_available(2, 0), 1000);
    assert_int_equal(client_state(2), 4);
    assert_int_equal(chip_recv(2, 100, buf), 100);
    if (is(state, FIRMWARE_3)) {
        assert_int_equal(wait_available(2, 0), 900); /* there, in the firmware's own buffer */
        assert_int_equal(client_state(2), 0);        /* but the socket is empty: freed, and lost */
        assert_int_equal(get_socket(), 0);
        assert_int_equal(chip_recv(2, 2000, buf), 0);
    } else {
        assert_int_equal(client_state(2), 4);
        assert_int_equal(chip_recv(2, 2000, buf), 900);
        assert_int_equal(client_state(2), 0);
    }
    (void)close(peer.fd);
}

static void who_frees_a_slot(void **state)
{
    start_server(5);
    const int fd = connect_to(served_port());
    assert_int_equal(send(fd, "x", 1, 0), 1);
    const uint8_t slot = (uint8_t)wait_available(5, 255);
    assert_int_equal(slot, 0);
    char buf[4];
    assert_int_equal(wait_available(slot, 0), 1);
    assert_int_equal(chip_recv(slot, 4, buf), 1);
    (void)close(fd);
    bench_wait(&bench, 10000);
    for (int i = 0; i < 1000 && client_state(slot) != 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(client_state(slot), 0);
    assert_int_equal(get_socket(), is(state, FIRMWARE_3) ? 1 : 0); /* not one that it opened itself */
    expect_u8(CALL(&bench, 0x2E, &r, P(slot)), 1);
    assert_int_equal(get_socket(), 0);
}

static void a_lost_link_closes_connections_from_2_on(void **state)
{
    peer_t peer;
    peer_bind(&peer, SOCK_STREAM);
    expect_u8(start_client(0, peer.port, 0), 1);
    start_server(1);
    const uint64_t closed = bench_counter(&bench, "sockets_closed");
    bench.net->wifi = false;
    bench_wait(&bench, 800000);
    const bool closes = !is(state, FIRMWARE_1);
    assert_int_equal(bench_counter(&bench, "sockets_closed"), closed + closes);
    assert_int_equal(client_state(0), closes ? 0 : 4);
    expect_u8(CALL(&bench, 0x29, &r, P(1)), 1); /* the listener stays */
    (void)close(peer.fd);
}

/* ---- servers ---- */

static void clients_are_listed_when_they_come_or_speak(void **state)
{
    start_server(5);
    const int fd = connect_to(served_port());
    bench_wait(&bench, 10000);
    assert_int_equal(bench_level(&bench, NINA_PIN_GPIO0), is(state, FIRMWARE_1) ? SIM_LOW : SIM_HIGH);
    assert_int_equal(avail_padded(5, 0), is(state, FIRMWARE_3) ? 0 : 255);
    assert_int_equal(avail_padded(5, 0), 255); /* told once; or silent still */
    assert_int_equal(send(fd, "GET", 3, 0), 3);
    if (is(state, FIRMWARE_3)) {
        assert_int_equal(avail_padded(5, 0), 255);
        assert_int_equal(wait_available(0, 0), 3);
    } else {
        assert_int_equal(wait_available(5, 255), 0);
        assert_int_equal(avail_padded(5, 0), 0); /* as long as data wait */
    }
    char buf[8];
    assert_int_equal(chip_recv(0, 8, buf), 3);
    assert_int_equal(chip_send(5, "all", 3), is(state, FIRMWARE_3) ? 0 : 3); /* the server's own slot */
    assert_int_equal(chip_send(0, "one", 3), 3);
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    (void)close(fd);
}

/* The second parameter: every newcomer once, silent or not. A driver that leaves it out and pads with
 * what was in its buffer asks for it without knowing. */
static void accept_is_asked_for_or_padded(void **state)
{
    start_server(5);
    const int a = connect_to(served_port()), b = connect_to(served_port());
    const bool knows = !is(state, FIRMWARE_1);
    assert_int_equal(CALL(&bench, 0x2B, &r, P(5), P(1)), 1);
    assert_int_equal(u16(), knows ? 0 : 255);
    assert_int_equal(avail_padded(5, 0xFF), knows ? 1 : 255);
    assert_int_equal(avail_padded(5, 0xFF), 255);
    (void)close(a);
    (void)close(b);
}

static void without_a_free_slot(void **state)
{
    start_server(5);
    const uint16_t port = served_port();
    for (uint8_t i = 0; i < 5; i++) { /* taken without a socket of lwIP's */
        ((nina_t *)(void *)bench.chip)->slots[i].kind = NINA_UDP;
    }
    const int fd = connect_to(port);
    assert_int_equal(CALL(&bench, 0x2B, &r, P(5), P(1)), 1); /* accept: stays in the backlog */
    assert_int_equal(u16(), 255);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(avail_padded(5, 0), 255);
    if (is(state, FIRMWARE_3)) { /* plain: taken and dropped */
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
        assert_non_null(strstr(bench.log, "turned away"));
    } else {
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    }
    (void)close(fd);
}

static void a_second_start_of_a_server(void **state)
{
    start_server(5);
    const uint16_t first = served_port();
    bench.log[0] = '\0';
    expect_u8(CALL(&bench, 0x28, &r, BE(8081), P(5), P(0)), 1);
    if (is(state, FIRMWARE_3)) { /* does nothing: still on the first port */
        assert_null(strstr(bench.log, "is 127.0.0.1:"));
        (void)close(connect_to(first));
    } else {
        assert_int_not_equal(served_port(), first);
        assert_int_equal(bench_counter(&bench, "sockets_leaked"), 1);
    }
}

/* ---- datagrams ---- */

static void datagrams_come_by_the_task_from_2_on(void **state)
{
    peer_t peer;
    peer_bind(&peer, SOCK_DGRAM);
    expect_u8(start_client(0, peer.port, 1), 1);
    expect_u8(CALL(&bench, 0x28, &r, BE(5005), P(0), P(1)), 1);
    expect_u8(start_client(0, peer.port, 1), 1);
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), S("hello")), 1);
    expect_u8(CALL(&bench, 0x39, &r, P(0)), 1);
    char buf[64];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    assert_int_equal(recvfrom(peer.fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 5);
    bench_wait(&bench, 3000);
    (void)CALL(&bench, 0x2A, &r, P(0)); /* the task has just looked */
    assert_int_equal(sendto(peer.fd, "answer", 6, 0, (struct sockaddr *)&from, len), 6);
    assert_int_equal(CALL(&bench, 0x2B, &r, P(0)), 1);
    assert_int_equal(u16(), is(state, FIRMWARE_1) ? 6 : 0);
    bench_wait(&bench, 2000);
    assert_int_equal(wait_available(0, 0), 6);
    assert_int_equal(bench_level(&bench, NINA_PIN_GPIO0), SIM_HIGH);
    expect_u8(CALL(&bench, 0x2E, &r, P(0)), 1);
    (void)close(peer.fd);
}

static void one_command_opens_a_datagram_socket_in_3(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    peer_t peer;
    peer_bind(&peer, SOCK_DGRAM);
    expect_u8(start_client(0, peer.port, 1), 1);
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), S("hi")), 1);
    expect_u8(CALL(&bench, 0x39, &r, P(0)), three);
    if (three) {
        char buf[8];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        assert_int_equal(recvfrom(peer.fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 2);
        assert_int_equal(sendto(peer.fd, "back", 4, 0, (struct sockaddr *)&from, len), 4);
        bench_wait(&bench, 2000);
        assert_int_equal(wait_available(0, 0), 4);
    }
    const bool named = !is(state, FIRMWARE_1);
    (void)CALL(&bench, 0x2D, &r, S("plain.test"), P(0, 0, 0, 0), BE(peer.port), P(1), P(1));
    assert_int_equal(r.params, named);
    (void)close(peer.fd);
}

static void long_datagrams(void **state)
{
    static uint8_t big[1500], in[2000];
    peer_t peer;
    peer_bind(&peer, SOCK_DGRAM);
    expect_u8(start_client(0, peer.port, 1), 1);
    expect_u8(CALL(&bench, 0x28, &r, BE(5005), P(0), P(1)), 1);
    expect_u8(start_client(0, peer.port, 1), 1);
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 13);
    }
    expect_u8(CALL_WIDE(&bench, 0x46, 1, &r, P(0), ((param_t){big, sizeof big})), 1);
    if (is(state, FIRMWARE_3)) { /* 1460 went by themselves */
        assert_int_equal(recv(peer.fd, in, sizeof in, 0), 1460);
        assert_memory_equal(in, big, 1460);
    }
    expect_u8(CALL(&bench, 0x39, &r, P(0)), 1);
    const size_t rest = is(state, FIRMWARE_3) ? 40 : 1500;
    assert_int_equal(recv(peer.fd, in, sizeof in, 0), rest);
    assert_memory_equal(in, big + sizeof big - rest, rest);
    (void)close(peer.fd);
}

static void a_datagram_before_its_buffer(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    (void)CALL_WIDE(&bench, 0x46, 1, &r, P(3), S("x"));
    assert_int_equal(bench_counter(&bench, "crashes"), three);
}

/* ---- visitors of the board's own access point ---- */

static void a_page_is_fetched_from_the_access_point(void **state)
{
    const bool three = is(state, FIRMWARE_3);
    expect_u8(CALL0(&bench, 0x30, &r), 1);
    expect_u8(CALL(&bench, 0x19, &r, S("mine"), S("long-enough"), P(1)), 1);
    start_server(5);
    const uint16_t port = served_port();
    assert_int_equal(CALL0(&bench, 0x20, &r), 1);
    const unsigned alone = r.data[0][0];
    assert_int_equal(alone, three ? 6 : 7);
    const int fd = connect_to(port);
    assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    const uint8_t client = (uint8_t)wait_available(5, 255);
    assert_int_equal(wait_available(client, 0), 18);
    expect_u8(CALL0(&bench, 0x20, &r), three ? 6 : 8); /* a station is there */
    char buf[64];
    assert_int_equal(chip_recv(client, 64, buf), 18);
    static const char page[] = "HTTP/1.0 200 OK\r\n\r\nhello";
    assert_int_equal(chip_send(client, page, sizeof page - 1), sizeof page - 1);
    expect_u8(CALL(&bench, 0x2E, &r, P(client)), 1);
    size_t got = 0;
    for (ssize_t n; (n = recv(fd, buf + got, sizeof buf - got, 0)) > 0;) {
        got += (size_t)n;
    }
    assert_int_equal(got, sizeof page - 1);
    assert_memory_equal(buf, page, got);
    (void)close(fd);
    bench_wait(&bench, 10000);
    expect_u8(CALL0(&bench, 0x20, &r), alone);
    /* it has no way further */
    assert_int_equal(CALL(&bench, 0x2D, &r, P(10, 1, 2, 3), BE(80), P(0), P(0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(sockets_are_as_many_as_built_for),
        ALL(tcp_by_name),
        ALL(no_answer_ends_sooner_in_3),
        ALL(a_full_send_buffer),
        AT(a_broken_connection_ends_the_wait, 2),
        AT(a_broken_connection_ends_the_wait, 3),
        ALL(reading_ahead_can_lose_the_rest),
        ALL(who_frees_a_slot),
        ALL(a_lost_link_closes_connections_from_2_on),
        ALL(clients_are_listed_when_they_come_or_speak),
        ALL(accept_is_asked_for_or_padded),
        AT(without_a_free_slot, 2),
        AT(without_a_free_slot, 3),
        ALL(a_second_start_of_a_server),
        ALL(datagrams_come_by_the_task_from_2_on),
        ALL(one_command_opens_a_datagram_socket_in_3),
        ALL(long_datagrams),
        ALL(a_datagram_before_its_buffer),
        ALL(a_page_is_fetched_from_the_access_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
