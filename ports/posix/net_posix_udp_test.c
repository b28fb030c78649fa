/* The stack over this computer's sockets: datagrams, the other family of addresses, groups. */
#include "ports/posix/net_posix_bench.h"

static const uint8_t one6[16] = {[15] = 1};

static void datagrams(void **state)
{
    (void)state;
    uint16_t s;
    uint8_t buf[8];
    static uint8_t big[65507];
    size_t n;
    adder_endpoint_t from, local;
    int other = bound(AF_INET, SOCK_DGRAM);
    adder_endpoint_t to = loopback(port_of(other));
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_STATE); /* to whom? */
    assert_int_equal(ops->send(net.ctx, s, &to, (const uint8_t *)"ask", 3, &n), ADDER_OK);
    assert_int_equal(n, 3);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 3);
    assert_int_equal(ops->endpoints(net.ctx, s, &local, NULL), ADDER_OK);
    assert_int_equal(local.port, ntohs(peer.sin_port));
    /* one longer than the buffer: its length tells, the next is whole; an empty one is one too */
    assert_int_equal(sendto(other, "0123456789", 10, 0, (struct sockaddr *)&peer, len), 10);
    assert_int_equal(sendto(other, "", 0, 0, (struct sockaddr *)&peer, len), 0);
    assert_int_equal(sendto(other, "next", 4, 0, (struct sockaddr *)&peer, len), 4);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, &from)), ADDER_OK);
    assert_int_equal(n, 10);
    assert_memory_equal(buf, "01234567", 8);
    assert_true(adder_endpoint_equal(&from, &to));
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(n, 4);
    assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), AGAIN);
    /* the longest, and one more */
    assert_int_equal(ops->send(net.ctx, s, &to, big, sizeof big, &n), ADDER_OK);
    assert_int_equal(n, sizeof big);
    assert_int_equal(ops->send(net.ctx, s, &to, big, sizeof big + 1, &n), ADDER_ERR_NOSPACE);
    assert_int_equal(n, 0);
    /* a peer of its own: nothing from others */
    int stranger = bound(AF_INET, SOCK_DGRAM);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_OK);
    assert_int_equal(sendto(stranger, "no", 2, 0, (struct sockaddr *)&peer, len), 2);
    assert_int_equal(sendto(other, "yes", 3, 0, (struct sockaddr *)&peer, len), 3);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "yes", 3);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 3, &n), ADDER_OK);
    /* nobody there any more: said by nobody */
    close(other);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ops->send(net.ctx, s, NULL, buf, 3, &n), ADDER_OK);
        assert_int_equal(ops->recv(net.ctx, s, buf, 8, &n, NULL), AGAIN);
    }
    close(stranger);
}

static void ipv6(void **state)
{
    (void)state;
    adder_net_status_t status;
    ops->status(net.ctx, &status);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 probe = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (fd < 0 || bind(fd, (struct sockaddr *)&probe, sizeof probe) != 0) {
        print_message("no IPv6 on this machine\n");
        close(fd);
        skip();
    }
    close(fd);
    assert_true(status.features & ADDER_NET_HAS_V6);
    uint16_t server, s;
    uint8_t buf[8];
    size_t n;
    adder_endpoint_t remote, local, to = {.ip = adder_ip_v6(one6)};
    /* bound to everything: both families come, each under its own name */
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_NONE, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){0}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 4), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, server, &local, NULL), ADDER_OK);
    int six = connect_to(local.port, AF_INET6);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &s, &remote)), ADDER_OK);
    assert_true(adder_ip_equal(&remote.ip, &to.ip));
    int four = connect_to(local.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &s, &remote)), ADDER_OK);
    assert_int_equal(remote.ip.family, ADDER_IP_V4);
    close(six), close(four);
    /* to the other family: not this socket */
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    to.port = local.port;
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_ARG);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V6, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
    /* datagrams */
    int other = bound(AF_INET6, SOCK_DGRAM);
    to.port = port_of(other);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_NONE, &s), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, &to, (const uint8_t *)"six", 3, &n), ADDER_OK);
    struct sockaddr_in6 peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 3);
    assert_int_equal(sendto(other, "back", 4, 0, (struct sockaddr *)&peer, len), 4);
    assert_int_equal(WAIT(ops->recv(net.ctx, s, buf, 8, &n, &remote)), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    close(other);
}

static void multicast(void **state)
{
    (void)state;
    uint16_t a, b;
    uint8_t buf[8];
    size_t n;
    adder_endpoint_t local, group = {.ip = adder_ip_v4(239, 255, 77, 1)};
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &a), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_ERR_STATE); /* not bound */
    assert_int_equal(ops->bind(net.ctx, a, &(adder_endpoint_t){0}), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, a, &local, NULL), ADDER_OK);
    group.port = local.port;
    adder_ip_t plain = adder_ip_v4(127, 0, 0, 1);
    assert_int_equal(ops->join(net.ctx, a, &plain, true), ADDER_ERR_ARG);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, true), ADDER_OK); /* again */
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct ip_mreqn out = {.imr_ifindex = (int)if_nametoindex("lo")};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(group.port)};
    memcpy(&to.sin_addr, group.ip.bytes, 4);
    assert_int_equal(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out), 0);
    if (sendto(sender, "all", 3, 0, (struct sockaddr *)&to, sizeof to) != 3) {
        close(sender);
        skip(); /* no multicast on this machine's loopback */
    }
    assert_int_equal(WAIT(ops->recv(net.ctx, a, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "all", 3);
    /* what is sent goes the same way; a port of the group's address is shared by all its members */
    adder_endpoint_t port = {.ip = group.ip, .port = 0};
    uint16_t c;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &b), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &c), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, b, &port), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, b, &port, NULL), ADDER_OK);
    port.ip = group.ip;
    assert_int_equal(ops->bind(net.ctx, c, &port), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, b, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, c, &group.ip, true), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, a, &port, (const uint8_t *)"two", 3, &n), ADDER_OK);
    assert_int_equal(WAIT(ops->recv(net.ctx, b, buf, 8, &n, NULL)), ADDER_OK);
    assert_int_equal(WAIT(ops->recv(net.ctx, c, buf, 8, &n, NULL)), ADDER_OK);
    assert_memory_equal(buf, "two", 3);
    assert_int_equal(ops->close(net.ctx, b, false), ADDER_OK);
    assert_int_equal(ops->close(net.ctx, c, false), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, a, &group.ip, false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &b), ADDER_OK);
    assert_int_equal(ops->join(net.ctx, b, &group.ip, true), ADDER_ERR_STATE);
    close(sender);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(datagrams, begin, end),
        cmocka_unit_test_setup_teardown(ipv6, begin, end),
        cmocka_unit_test_setup_teardown(multicast, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
