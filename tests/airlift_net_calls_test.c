/* The AirLift stack's other calls on the simulated chip: UDP, servers, names, TLS, claims, the bus's lock,
 * and that no socket starves another. */
#include "tests/airlift_net_bench.h"

#include <errno.h>
#include <signal.h>

#include "tests/tls/identity.h"

/* ---- UDP ---- */

static int udp_peer(uint16_t *port_out)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 5}, sizeof(struct timeval));
    *port_out = ntohs(a.sin_port);
    return fd;
}

static ssize_t udp_take(int fd, void *buf, size_t cap, struct sockaddr_in *from)
{
    socklen_t len = sizeof *from;
    for (unsigned i = 0; i < 5000; i++) {
        const ssize_t got = recvfrom(fd, buf, cap, MSG_DONTWAIT, (struct sockaddr *)from, &len);
        if (got >= 0) {
            return got;
        }
        (void)pump();
        nap(100);
    }
    return -1;
}

static void sends_and_receives_datagrams(void **state)
{
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) {
        open_bench(&(bench_t){.no_gpio0 = bare, .rx_count = bare ? 1 : 2});
        join_home();
        uint16_t ports[2], sock;
        const int a = udp_peer(&ports[0]), b = udp_peer(&ports[1]);
        static uint8_t out[1461], in[1500];
        size_t n;
        adder_err_t err;
        struct sockaddr_in from;
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_NONE, &sock), ADDER_OK);
        assert_int_equal(net.ops->send(net.ctx, sock, NULL, out, 4, &n), ADDER_ERR_STATE);
        assert_int_equal(net.ops->send(net.ctx, sock,
                                       &(adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = 9}, out,
                                       1461, &n),
                         ADDER_ERR_NOSPACE);
        for (unsigned i = 0; i < 8; i++) { /* to both in turn, each answers */
            const adder_endpoint_t to = at_home(ports[i % 2]);
            const int fd = i % 2 ? b : a;
            const size_t len = i == 4 ? 0 : i == 5 ? 1460 : 100 + i;
            memset(out, (int)(i + 1), sizeof out);
            UNTIL(net.ops->send(net.ctx, sock, &to, out, len, &n));
            assert_int_equal(err, ADDER_OK);
            assert_int_equal(n, len);
            assert_int_equal(udp_take(fd, in, sizeof in, &from), len);
            assert_memory_equal(in, out, len);
            assert_int_equal(sendto(fd, out, 50 + i, 0, (struct sockaddr *)&from, sizeof from), 50 + i);
            adder_endpoint_t who;
            UNTIL(net.ops->recv(net.ctx, sock, in, 20, &n, &who));
            assert_int_equal(err, ADDER_OK);
            assert_int_equal(n, 50 + i); /* and 20 of them */
            assert_memory_equal(in, out, 20);
            assert_int_equal(who.port, ports[i % 2]);
        }
        /* connected: only its peer is heard */
        const adder_endpoint_t to = at_home(ports[0]);
        assert_int_equal(net.ops->connect(net.ctx, sock, NULL, &to), ADDER_OK);
        assert_int_equal(sendto(b, "stranger", 8, 0, (struct sockaddr *)&from, sizeof from), 8);
        pump_for(100000);
        assert_int_equal(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL), ADDER_ERR_AGAIN);
        pump_for(100000);
        assert_int_equal(sendto(a, "friend", 6, 0, (struct sockaddr *)&from, sizeof from), 6);
        UNTIL(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL));
        assert_int_equal(err, ADDER_OK);
        assert_int_equal(n, 6);
        /* over a reset of the chip it lives on, bound as before */
        adder_airlift_net_restart(&stack);
        while (status().link == ADDER_NET_LINK_UP) {
            (void)pump();
        }
        assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
        UNTIL(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"again", 5, &n));
        assert_int_equal(udp_take(a, in, sizeof in, &from), 5);
        adder_endpoint_t local;
        assert_int_equal(net.ops->endpoints(net.ctx, sock, &local, NULL), ADDER_OK);
        uint16_t other;
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &other), ADDER_OK);
        assert_int_equal(net.ops->bind(net.ctx, other, &(adder_endpoint_t){.port = local.port}),
                         ADDER_ERR_IN_USE);
        assert_int_equal(net.ops->close(net.ctx, other, false), ADDER_OK);
        assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
        (void)close(a);
        (void)close(b);
        close_bench();
    }
}

/* ---- servers ---- */

/* Where on this computer a server of the board is: elsewhere than on its own port if somebody has that, be it
 * only the rest of a connection. */
static uint16_t real_port(uint16_t port)
{
    char start[40];
    uint16_t real = port;
    cJSON *state = sim_board_state(board, 0);
    const cJSON *event;
    const int len = snprintf(start, sizeof start, "server port %u is 127.0.0.1:", port);
    cJSON_ArrayForEach(event, cJSON_GetObjectItem(state, "events"))
    {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(event, "text"));
        if (strncmp(text, start, (size_t)len) == 0) {
            real = (uint16_t)strtoul(text + len, NULL, 10);
        }
    }
    cJSON_Delete(state);
    return real;
}

static int dial(uint16_t to)
{
    to = real_port(to);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void serves(void **state)
{
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) {
        open_bench(&(bench_t){.no_gpio0 = bare});
        join_home();
        uint16_t server, client[2];
        size_t n;
        adder_err_t err;
        char buf[16];
        adder_endpoint_t local, remote;
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
        assert_int_equal(net.ops->listen(net.ctx, server, 2), ADDER_ERR_STATE);
        assert_int_equal(net.ops->bind(net.ctx, server, &(adder_endpoint_t){.port = 0}), ADDER_OK);
        assert_int_equal(net.ops->listen(net.ctx, server, 2), ADDER_OK);
        assert_int_equal(net.ops->endpoints(net.ctx, server, &local, NULL), ADDER_OK);
        assert_true(local.port >= 49152);
        assert_int_equal(net.ops->accept(net.ctx, server, &client[0], &remote), ADDER_ERR_AGAIN);
        pump_for(100000);
        for (unsigned round = 0; round < 2; round++) {
            int fds[2];
            for (unsigned i = 0; i < 2; i++) {
                fds[i] = dial(local.port);
                assert_true(send_all(fds[i], i == 0 ? "first" : "other", 5));
                UNTIL(net.ops->accept(net.ctx, server, &client[i], &remote));
                assert_int_equal(err, ADDER_OK);
                assert_int_equal(remote.ip.family, ADDER_IP_V4);
                assert_true(remote.port != 0);
            }
            for (unsigned i = 0; i < 2; i++) {
                UNTIL(net.ops->recv(net.ctx, client[i], (uint8_t *)buf, sizeof buf, &n, NULL));
                assert_int_equal(err, ADDER_OK);
                assert_memory_equal(buf, i == 0 ? "first" : "other", 5);
                UNTIL(net.ops->send(net.ctx, client[i], NULL, (const uint8_t *)"served", 6, &n));
                assert_int_equal(err, ADDER_OK);
                assert_int_equal(net.ops->close(net.ctx, client[i], false), ADDER_OK);
            }
            pump_for(1000000);
            for (unsigned i = 0; i < 2; i++) { /* all of it, then the end */
                assert_int_equal(recv(fds[i], buf, sizeof buf, MSG_WAITALL), 6);
                (void)close(fds[i]);
            }
            if (round == 0) { /* closed; what connects is turned away; and taken over again */
                assert_int_equal(net.ops->close(net.ctx, server, false), ADDER_OK);
                const int late = dial(local.port);
                assert_true(send_all(late, "hello", 5));
                for (unsigned i = 0; i < 100 && recv(late, buf, 1, MSG_DONTWAIT) < 0; i++) {
                    pump_for(100000);
                }
                assert_true(recv(late, buf, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN);
                (void)close(late);
                assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
                assert_int_equal(net.ops->bind(net.ctx, server, &local), ADDER_OK);
                assert_int_equal(net.ops->listen(net.ctx, server, 2), ADDER_OK);
            }
        }
        close_bench();
    }
}

/* ---- names ---- */

static void resolves(void **state)
{
    (void)state;
    open_bench(&(bench_t){.network = "\"hosts\": {\"there.test\": \"127.0.0.1\"},"});
    adder_ip_t ip;
    size_t n;
    adder_err_t err;
    assert_int_equal(net.ops->resolve(net.ctx, "there.test", ADDER_IP_V4, &ip, 1, &n), ADDER_ERR_NOT_FOUND);
    join_home();
    UNTIL(net.ops->resolve(net.ctx, "there.test", ADDER_IP_NONE, &ip, 1, &n));
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(n, 1);
    assert_true(adder_ip_is_loopback(&ip));
    UNTIL(net.ops->resolve(net.ctx, "nowhere.test", ADDER_IP_V4, &ip, 1, &n));
    assert_int_equal(err, ADDER_ERR_NOT_FOUND);
    assert_int_equal(net.ops->resolve(net.ctx, "10.1.2.3", ADDER_IP_V4, &ip, 1, &n), ADDER_OK);
    assert_int_equal(ip.bytes[3], 3);
    uint16_t sock;
    const adder_endpoint_t to = {.port = port};
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_NONE, &sock), ADDER_OK);
    UNTIL(net.ops->connect(net.ctx, sock, "there.test", &to));
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(exchange(sock, 5000), ADDER_OK);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_NONE, &sock), ADDER_OK);
    UNTIL(net.ops->connect(net.ctx, sock, "nowhere.test", &to));
    assert_int_equal(err, ADDER_ERR_NOT_FOUND);
    assert_int_equal(net.ops->connect(net.ctx, sock, "nowhere.test", &to), ADDER_ERR_NOT_FOUND);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    uint16_t unused;
    const int fd = udp_peer(&unused); /* a port that no TCP server has */
    err = connect_to(unused, &sock);
    assert_int_equal(err, ADDER_ERR_REFUSED);
    (void)close(fd);
    close_bench();
}

/* ---- TLS ---- */

static struct {
    identity_t id;
    int fd;
} tls;

static void *tls_echo(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(tls.fd, NULL, NULL)) >= 0;) {
        identity_echo(&tls.id, fd, false);
    }
    return NULL;
}

static void talks_tls(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* Mbed TLS writes to the echo's connection as it is closed */
    assert_int_equal(identity_make(&tls.id), 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    pthread_t thread;
    tls.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(tls.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(tls.fd, 4), 0);
    assert_int_equal(getsockname(tls.fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(pthread_create(&thread, NULL, tls_echo, NULL), 0);
    char network[200];
    (void)snprintf(network, sizeof network, "\"ca\": \"%s\", \"hosts\": {\"tls.test\": \"127.0.0.1\"},",
                   tls.id.path);
    open_bench(&(bench_t){.network = network});
    join_home();
    uint16_t sock, second;
    adder_err_t err;
    const adder_endpoint_t to = {.port = ntohs(a.sin_port)};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_NONE, &sock), ADDER_OK);
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_NONE, &second), ADDER_ERR_NOMEM);
        assert_int_equal(net.ops->connect(net.ctx, sock, NULL, &to), ADDER_ERR_ARG);
        UNTIL(net.ops->connect(net.ctx, sock, "tls.test", &to));
        assert_int_equal(err, ADDER_OK);
        assert_int_equal(exchange(sock, 40000), ADDER_OK);
        assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    }
    /* a name that is not the certificate's */
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_NONE, &sock), ADDER_OK);
    UNTIL(net.ops->connect(net.ctx, sock, "localhost", &to));
    assert_int_equal(err, ADDER_ERR_REFUSED);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(connect_to(port, &sock), ADDER_OK); /* and all goes on */
    assert_int_equal(exchange(sock, 1000), ADDER_OK);
    close_bench();
    (void)shutdown(tls.fd, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(tls.fd);
    identity_drop(&tls.id);
}

/* ---- claims ---- */

static void lends_the_chip(void **state)
{
    (void)state;
    open_bench(&(bench_t){.raw_slots = 2});
    adder_airlift_t *a, *b;
    adder_err_t err;
    uint16_t sock, other;
    assert_int_equal(adder_airlift_net_claim(&stack, &a), ADDER_ERR_AGAIN);
    join_home();
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    UNTIL(adder_airlift_net_claim(&stack, &a));
    assert_int_equal(adder_airlift_net_claim(&stack, &b), ADDER_ERR_AGAIN);
    assert_int_equal(adder_airlift_begin_rssi(a), ADDER_OK);
    UNTIL(adder_airlift_tick(a, now_us()));
    assert_int_equal(err, ADDER_OK);
    assert_true(a->result.number < 0);
    uint8_t names[400];
    const bool scans = a->firmware.major != 2; /* which leaves the network for it */
    if (scans) {
        assert_int_equal(adder_airlift_begin_scan(a, names, sizeof names), ADDER_OK);
        UNTIL(adder_airlift_tick(a, now_us()));
        assert_int_equal(a->result.number, 3);
    }
    /* a raw slot: asked for, held, opened later */
    assert_int_equal(adder_airlift_begin_socket(a), ADDER_OK);
    UNTIL(adder_airlift_tick(a, now_us()));
    const uint8_t raw = (uint8_t)a->result.number;
    assert_int_equal(adder_airlift_net_hold(&stack, raw, true), ADDER_OK);
    adder_airlift_net_release(&stack);
    assert_int_equal(connect_to(port, &other), ADDER_OK);
    assert_int_equal(exchange(other, 20000), ADDER_OK);
    UNTIL(adder_airlift_net_claim(&stack, &a));
    static const uint8_t home[4] = {127, 0, 0, 1};
    assert_int_equal(adder_airlift_begin_connect(a, raw, home, port, ADDER_AIRLIFT_TCP), ADDER_OK);
    UNTIL(adder_airlift_tick(a, now_us()));
    assert_int_equal(err, ADDER_OK);
    adder_airlift_net_release(&stack);
    assert_int_equal(adder_airlift_net_hold(&stack, raw, false), ADDER_OK);
    assert_int_equal(exchange(other, 20000), ADDER_OK);
    assert_int_equal(exchange(sock, 20000), ADDER_OK); /* after the scan, whose status hides the link's */
    pump_for(3000000);
    assert_int_equal(status().link, ADDER_NET_LINK_UP);
    /* a claim given back in the middle of its command */
    UNTIL(adder_airlift_net_claim(&stack, &a));
    assert_int_equal(scans ? adder_airlift_begin_scan(a, names, sizeof names) : adder_airlift_begin_rssi(a),
                     ADDER_OK);
    (void)pump();
    adder_airlift_net_release(&stack);
    assert_int_equal(exchange(sock, 20000), ADDER_OK);
    /* the two raw slots are left alone */
    unsigned opened = 2;
    while ((err = connect_to(port, &sock)) == ADDER_OK) {
        opened++;
    }
    assert_int_equal(err, ADDER_ERR_NOMEM);
    assert_int_equal(opened, adder_airlift_slots(a) - 2);
    close_bench();
}

static void waits_for_the_bus(void **state)
{
    (void)state;
    open_bench(&(bench_t){0});
    join_home();
    uint16_t sock;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    wire.others_have_it = true;
    const uint32_t before = wire.transactions;
    size_t n;
    adder_err_t err;
    assert_int_equal(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"x", 1, &n), ADDER_OK);
    pump_for(60000000); /* longer than any limit of the chip */
    assert_int_equal(wire.transactions, before);
    wire.others_have_it = false;
    uint8_t byte;
    UNTIL(net.ops->recv(net.ctx, sock, &byte, 1, &n, NULL));
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(adder_airlift_net_chip(&stack)->stats.resets, 1);
    close_bench();
}

/* One floods, one sends all it can, the third's small questions are answered all the same. */
static void starves_nobody(void **state)
{
    (void)state;
    for (unsigned few = 0; few < 2; few++) {
        open_bench(&(bench_t){.rx_count = few ? 2 : 4, .no_gpio0 = few});
        join_home();
        uint16_t flood, bulk, talk;
        static uint8_t in[4096], out[4096];
        size_t n, flooded = 0, sent = 0;
        assert_int_equal(connect_to(port, &flood), ADDER_OK);
        assert_int_equal(connect_to(port, &bulk), ADDER_OK);
        assert_int_equal(connect_to(port, &talk), ADDER_OK);
        adder_err_t err;
        UNTIL(net.ops->send(net.ctx, flood, NULL, (const uint8_t *)"F", 1, &n));
        memset(out, 'S', sizeof out);
        unsigned answers = 0;
        bool asked = false;
        for (unsigned i = 0; answers < 50; i++) {
            assert_true(i < 200000);
            if (net.ops->recv(net.ctx, flood, in, sizeof in, &n, NULL) == ADDER_OK) {
                flooded += n;
            }
            if (net.ops->send(net.ctx, bulk, NULL, out, sizeof out, &n) == ADDER_OK) {
                sent += n;
                nap(500);
            }
            if (!asked) {
                asked = net.ops->send(net.ctx, talk, NULL, (const uint8_t *)"q", 1, &n) == ADDER_OK;
            } else if (net.ops->recv(net.ctx, talk, in, sizeof in, &n, NULL) == ADDER_OK) {
                answers += (unsigned)n;
                asked = false;
            }
            (void)pump();
        }
        print_message("50 answers beside %zu bytes received and %zu sent\n", flooded, sent);
        assert_true(flooded > 20000 && sent > 20000);
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_receives_datagrams),
        cmocka_unit_test(serves),
        cmocka_unit_test(resolves),
        cmocka_unit_test(talks_tls),
        cmocka_unit_test(lends_the_chip),
        cmocka_unit_test(waits_for_the_bus),
        cmocka_unit_test(starves_nobody),
    };
    return run_on_all(tests, sizeof tests / sizeof tests[0]);
}
