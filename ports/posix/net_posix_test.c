/* The stack over this computer's sockets: streams, how they end, servers, and many of them. */
#include "ports/posix/net_posix_bench.h"

static void a_stream(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[16];
    size_t n = 99;
    adder_endpoint_t local, remote;
    int other = connection(&s);
    assert_int_equal(flags(s), ADDER_NET_WRITABLE);
    assert_int_equal(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL), AGAIN);
    assert_int_equal(n, 0);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &(adder_endpoint_t){0}), ADDER_OK); /* again */
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"hello", 5, &n), ADDER_OK);
    assert_int_equal(n, 5);
    assert_int_equal(recv(other, buf, 5, MSG_WAITALL), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(send(other, "abcdef", 6, 0), 6);
    wait_for(s, ADDER_NET_READABLE);
    assert_int_equal(ops->recv(net.ctx, s, buf, 0, &n, NULL), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(ops->recv(net.ctx, s, buf, 4, &n, &remote), ADDER_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "abcd", 4);
    assert_int_equal(ops->endpoints(net.ctx, s, &local, &remote), ADDER_OK);
    assert_true(adder_ip_is_loopback(&local.ip) && local.port != 0 && remote.port != 0);
    /* half closed by the other side: what is there, the end, and we may still send */
    assert_int_equal(shutdown(other, SHUT_WR), 0);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 2);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL)), ADDER_ERR_END);
    assert_int_equal(ops->recv(net.ctx, s, buf, sizeof buf, &n, NULL), ADDER_ERR_END);
    assert_true(flags(s) & ADDER_NET_READABLE);
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"bye", 3, &n), ADDER_OK);
    assert_int_equal(recv(other, buf, 3, MSG_WAITALL), 3);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(recv(other, buf, 1, 0), 0);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_ERR_STATE);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_STATE);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE);
    close(other);
}

/* More than fits between the two ends: AGAIN, and the signal tells when there is room. */
static void a_full_pipe(void **state)
{
    (void)state;
    static uint8_t block[65536], got[65536];
    uint16_t s;
    size_t sent = 0, received = 0, n;
    bool was_full = false;
    int other = connection(&s);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t all = SIZE_MAX; received < all;) {
        size_t at = sent % sizeof block;
        adder_err_t err = sent < all ? ops->send(net.ctx, s, NULL, block + at, sizeof block - at, &n) : AGAIN;
        if (err == ADDER_OK) {
            sent += n;
            continue;
        }
        assert_int_equal(err, AGAIN);
        if (!was_full) {
            was_full = true;
            assert_int_equal(n, 0);
            assert_false(flags(s) & ADDER_NET_WRITABLE);
            all = sent + 10 * sizeof block;
        }
        ssize_t r = recv(other, got, sizeof got, MSG_DONTWAIT);
        if (r < 0 && sent < all)
            wait_for(s, ADDER_NET_WRITABLE);
        for (ssize_t i = 0; i < r; i++)
            assert_int_equal(got[i], block[(received + (size_t)i) % sizeof block]);
        received += r > 0 ? (size_t)r : 0;
        if (sent >= all)
            all = sent;
    }
    close(other);
}

static void endings(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[8];
    size_t n;
    /* refused: nobody listens */
    int fd = bound(AF_INET, SOCK_STREAM);
    adder_endpoint_t to = loopback(port_of(fd));
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(flags(s), 0);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_ERR_REFUSED);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_REFUSED); /* stays */
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_REFUSED);
    assert_true(flags(s) & ADDER_NET_FAILED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    close(fd);
    /* reset by the other side: while reading, and while writing */
    int other = connection(&s);
    reset_close(other);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 1, &n, NULL)), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    other = connection(&s);
    reset_close(other);
    wait_for(s, ADDER_NET_FAILED | ADDER_NET_READABLE);
    adder_err_t err;
    while ((err = WAIT(ops->send(net.ctx, s, NULL, buf, 1, &n))) == ADDER_OK)
        ;
    assert_int_equal(err, ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    /* what had come before the reset can be read, and then it is gone */
    other = connection(&s);
    assert_int_equal(send(other, "alert", 5, 0), 5);
    wait_for(s, ADDER_NET_READABLE);
    reset_close(other);
    wait_for(s, ADDER_NET_FAILED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 3, &n, NULL), ADDER_OK);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    /* by us: a reset over there */
    other = connection(&s);
    assert_int_equal(ops->close(net.ctx, s, true), ADDER_OK);
    assert_int_equal(recv(other, buf, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(other);
    /* closed over unread bytes: what was sent arrives all the same */
    other = connection(&s);
    assert_int_equal(send(other, "unread", 6, 0), 6);
    wait_for(s, ADDER_NET_READABLE);
    assert_int_equal(ops->send(net.ctx, s, NULL, (const uint8_t *)"last", 4, &n), ADDER_OK);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(recv(other, buf, 8, MSG_WAITALL), 4);
    close(other);
    /* dropped, as a radio's link: streams end, a listener lives on */
    other = connection(&s);
    uint16_t server;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){.ip = to.ip}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_OK);
    adder_posix_net_drop(&posix);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->accept(net.ctx, server, &s, NULL), AGAIN);
    close(other);
}

static void a_server(void **state)
{
    (void)state;
    uint16_t server, a, b;
    adder_endpoint_t local, remote, want = loopback(0);
    uint8_t buf[8];
    size_t n;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_ERR_STATE); /* not bound */
    assert_int_equal(ops->bind(net.ctx, server, &want), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &want), ADDER_ERR_STATE);
    assert_int_equal(ops->accept(net.ctx, server, &a, NULL), ADDER_ERR_STATE);
    assert_int_equal(ops->listen(net.ctx, server, 8), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, server, &local, &remote), ADDER_OK);
    assert_true(local.port != 0 && remote.ip.family == ADDER_IP_NONE);
    assert_int_equal(ops->accept(net.ctx, server, &a, &remote), AGAIN);
    assert_int_equal(flags(server), 0);
    /* two at once, and one that has gone again before it is taken */
    int one = connect_to(local.port, AF_INET), two = connect_to(local.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &a, &remote)), ADDER_OK);
    assert_int_equal(remote.port, port_of(one));
    assert_true(adder_ip_equal(&remote.ip, &want.ip));
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &b, NULL)), ADDER_OK);
    assert_int_equal(send(two, "two", 3, 0), 3);
    assert_int_equal(WAIT(ops->recv(net.ctx, b, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "two", 3);
    assert_int_equal(ops->recv(net.ctx, a, buf, 8, &n, NULL), AGAIN);
    /* all slots taken: the caller waits outside */
    uint16_t rest[SLOTS];
    size_t taken = 0;
    while (ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &rest[taken]) == ADDER_OK)
        taken++;
    assert_int_equal(taken, SLOTS - 3);
    int three = connect_to(local.port, AF_INET);
    wait_for(server, ADDER_NET_READABLE);
    assert_int_equal(ops->accept(net.ctx, server, &a, NULL), ADDER_ERR_NOMEM);
    assert_int_equal(ops->close(net.ctx, rest[0], false), ADDER_OK);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &a, NULL)), ADDER_OK);
    /* the port is taken; once it is closed it can be had again at once */
    assert_int_equal(ops->close(net.ctx, rest[1], false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &rest[1]), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, rest[1], &local), ADDER_ERR_IN_USE);
    assert_int_equal(ops->close(net.ctx, server, false), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, rest[1], &local), ADDER_OK);
    close(one), close(two), close(three);
}

/* ---- many ---- */

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += dup2(fd, fd) == fd;
    return n;
}

static void all_slots(void **state)
{
    (void)state;
    uint16_t s[SLOTS], more;
    int other[SLOTS], fd = listener();
    adder_endpoint_t to = loopback(port_of(fd));
    uint8_t buf[4];
    size_t n;
    for (int i = 0; i < SLOTS; i++) {
        assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s[i]), ADDER_OK);
        assert_int_equal(WAIT(ops->connect(net.ctx, s[i], NULL, &to)), ADDER_OK);
        other[i] = accept(fd, NULL, NULL);
    }
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &more), ADDER_ERR_NOMEM);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_V4, &more), ADDER_ERR_UNSUPPORTED);
    for (int i = SLOTS - 1; i >= 0; i--)
        assert_int_equal(send(other[i], &(uint8_t){(uint8_t)i}, 1, 0), 1);
    for (int i = 0; i < SLOTS; i++) {
        assert_int_equal(WAIT(ops->recv(net.ctx, s[i], buf, 4, &n, NULL)), ADDER_OK);
        assert_true(n == 1 && buf[0] == i);
        close(other[i]);
    }
    close(fd);
}

static void a_thousand_connections(void **state)
{
    (void)state;
    int fd = listener();
    adder_endpoint_t to = loopback(port_of(fd));
    int before = descriptors();
    for (int i = 0; i < 1000; i++) {
        uint16_t s;
        uint8_t buf[4];
        size_t n;
        assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
        assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
        int other = accept(fd, NULL, NULL);
        assert_int_equal(send(other, "x", 1, 0), 1);
        assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 4, &n, NULL)), ADDER_OK);
        assert_int_equal(ops->close(net.ctx, s, i % 2 == 0), ADDER_OK);
        close(other);
    }
    assert_int_equal(descriptors(), before);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream, begin, end),
        cmocka_unit_test_setup_teardown(a_full_pipe, begin, end),
        cmocka_unit_test_setup_teardown(endings, begin, end),
        cmocka_unit_test_setup_teardown(a_server, begin, end),
        cmocka_unit_test_setup_teardown(all_slots, begin, end),
        cmocka_unit_test_setup_teardown(a_thousand_connections, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
