/* What is done while something fails, on any stack: join, connect, exchange, close; over TLS and HTTP, with
 * datagrams, and as a server. Each says ADDER_OK only if all of it was done and every byte was right, else a
 * cause; none takes longer than its bounds (LIMIT_S for each wait), and all sockets are given back. */
#ifndef TESTS_NET_SCENARIOS_H
#define TESTS_NET_SCENARIOS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adder/http_server.h"
#include "tests/held_port.h"
#include "tests/net/child.h"
#include "tests/net/fetch.h"

static child_t https_peer;
static trust_t scenario_trust;
static int udp_fd;
static uint16_t udp_port;

typedef adder_err_t (*scenario_t)(world_t *w);

/* ---- peers ---- */

/* The peer of datagrams: sends back what has come. */
static inline void udp_echo(void)
{
    uint8_t buf[2000];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    for (ssize_t n;
         (n = recvfrom(udp_fd, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&from, &len)) > 0;) {
        (void)sendto(udp_fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
        len = sizeof from;
    }
}

static inline int scenarios_start(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    if (bench_make_files(state) != 0) {
        return -1;
    }
    peer_start(&https_peer, "good");
    trust_open(&scenario_trust, "root.pem", 0, false);
    udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(udp_fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(udp_fd, (struct sockaddr *)&a, &len) != 0) {
        return -1;
    }
    udp_port = ntohs(a.sin_port);
    return 0;
}

static inline int scenarios_stop(void **state)
{
    (void)close(udp_fd);
    trust_close(&scenario_trust);
    (void)child_stop(&https_peer, false);
    return bench_drop_files(state);
}

/* ---- a page and an echo over TLS, on one kept connection ---- */

static inline adder_err_t do_https(world_t *w)
{
    char url[80];
    got_t got;
    adder_err_t err = world_join(w);
    if (err != ADDER_OK) {
        return err;
    }
    world_http(w, &scenario_trust);
    (void)snprintf(url, sizeof url, "https://good.example:%u/bytes/3000", https_peer.port);
    err = world_get(w, url, 3000, &got);
    if (err == ADDER_OK) {
        (void)snprintf(url, sizeof url, "https://good.example:%u/echo", https_peer.port);
        err = world_fetch(w, "POST", url, 2000, 2000, &got);
    }
    adder_http_client_close_idle(&w->client);
    assert_int_equal(world_sockets(w), 0);
    return err;
}

/* ---- datagrams, asked for again when none comes back ---- */

static inline bool udp_is_of_round(const uint8_t *buf, size_t n, unsigned round)
{
    for (size_t i = 0; i < n; i++) {
        if (buf[i] != (uint8_t)(round * 50 + i)) {
            return false;
        }
    }
    return n == 100 + 300 * (size_t)round;
}

static inline adder_err_t udp_ask(world_t *w, uint16_t sock, const adder_endpoint_t *to, unsigned round)
{
    uint8_t out[1000], in[1500];
    size_t n;
    adder_err_t err = ADDER_OK;
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] = (uint8_t)(round * 50 + i);
    }
    for (unsigned tries = 0; tries < 6; tries++) {
        WORLD_UNTIL(w, w->net.ops->send(w->net.ctx, sock, to, out, 100 + 300 * (size_t)round, &n));
        if (err != ADDER_OK) { /* not joined just now, perhaps */
            world_pump_for(w, 5000000);
            continue;
        }
        const uint64_t end = world_now_us(w) + (tries < 3 ? 2000000 : 30000000);
        while (world_now_us(w) < end) {
            udp_echo();
            err = w->net.ops->recv(w->net.ctx, sock, in, sizeof in, &n, NULL);
            if (err == ADDER_OK && udp_is_of_round(in, n, round)) {
                return ADDER_OK;
            }
            bool late = false; /* an answer to what was asked more than once */
            for (unsigned old = 0; err == ADDER_OK && old < round; old++) {
                late |= udp_is_of_round(in, n, old);
            }
            if (err == ADDER_OK && !late) {
                fail_msg("%s at transaction %u: a datagram is wrong, %zu bytes from %u",
                         fault_names[w->wire.kind], w->wire.at, n, in[0]);
            }
            (void)world_pump(w, end - world_now_us(w));
        }
        err = ADDER_ERR_TIMEOUT;
        if (wire_unplugged(&w->wire)) {
            break;
        }
    }
    return err;
}

static inline adder_err_t do_udp(world_t *w)
{
    uint16_t sock;
    const adder_endpoint_t to = {adder_ip_v4(127, 0, 0, 1), udp_port};
    adder_err_t err = world_join(w);
    if (err == ADDER_OK) {
        err = w->net.ops->open(w->net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &sock);
    }
    if (err != ADDER_OK) {
        return err;
    }
    for (unsigned round = 0; err == ADDER_OK && round < 2; round++) {
        err = udp_ask(w, sock, &to, round);
    }
    if (err == ADDER_OK) {
        err = w->net.ops->connect(w->net.ctx, sock, NULL, &to);
    }
    if (err == ADDER_OK) {
        err = udp_ask(w, sock, NULL, 2);
    }
    assert_int_equal(w->net.ops->close(w->net.ctx, sock, false), ADDER_OK);
    assert_int_equal(world_sockets(w), 0);
    return err;
}

/* ---- a server, and a visitor of this computer ---- */

enum { PAGE = 2500 };

static inline adder_err_t give_page(void *ctx, adder_http_call_t *call, adder_http_serve_t what,
                                    const uint8_t *bytes, size_t len)
{
    static uint8_t page[PAGE];
    (void)ctx, (void)bytes, (void)len;
    for (size_t i = 0; i < sizeof page; i++) {
        page[i] = pattern(i);
    }
    return what == ADDER_HTTP_SERVE_END ? adder_http_call_reply(call, 200, "text/plain", page, sizeof page)
                                        : ADDER_OK;
}

typedef struct {
    adder_http_server_t server;
    adder_http_call_t calls[2];
    uint8_t memory[2][1024];
} service_t;

/* `patience_ms` with a caller that says nothing; 0 = the server's own. A process lives in real time, of which
 * a busy computer gives it little while the world's goes on. */
static inline adder_err_t service_start(service_t *s, const adder_net_t *net, uint16_t port,
                                        uint32_t patience_ms)
{
    static const adder_http_route_t routes[] = {{"GET", "/page", give_page, NULL}};
    const adder_http_server_config_t c = {.net = net,
                                          .at = {.ip = adder_ip_v4(0, 0, 0, 0), .port = port},
                                          .routes = routes,
                                          .n_routes = 1,
                                          .calls = s->calls,
                                          .n_calls = 2,
                                          .memory = s->memory[0],
                                          .call_bytes = sizeof s->memory[0],
                                          .head_ms = patience_ms,
                                          .stall_ms = patience_ms,
                                          .idle_ms = patience_ms};
    return adder_http_server_start(&s->server, &c);
}

/* One turn of the server and its stack. */
static inline void service_turn(world_t *w, service_t *s)
{
    uint32_t wait;
    const adder_err_t err = adder_http_server_tick(&s->server, world_now_ms(w), &wait);
    if (err != ADDER_OK) {
        fail_msg("%s at transaction %u: the listener ended with: %s", fault_names[w->wire.kind], w->wire.at,
                 adder_err_str(err));
    }
    (void)world_pump(w, wait < 20 ? wait * (uint64_t)1000 : 20000);
}

/* ADDER_OK: the page, whole and right. Else it was cut, refused, or did not come in 15 s. */
static inline adder_err_t visit(world_t *w, service_t *s, uint16_t port)
{
    static const char request[] = "GET /page HTTP/1.1\r\nHost: board\r\nConnection: close\r\n\r\n";
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[PAGE + 1000];
    size_t len = 0;
    ssize_t n;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    adder_err_t err = ADDER_ERR_CLOSED;
    /* Nobody answers where the backlog is full. */
    bool asked = false;
    (void)connect(fd, (struct sockaddr *)&a, sizeof a);
    for (const uint64_t end = world_now_us(w) + 15000000; world_now_us(w) < end;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (!asked && poll(&p, 1, 0) > 0 && (p.revents & POLLOUT)) {
            asked = send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0;
            if (!asked) {
                break;
            }
        }
        service_turn(w, s);
        n = asked ? recv(fd, text + len, sizeof text - 1 - len, 0) : 1;
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            break;
        }
        len += asked && n > 0 ? (size_t)n : 0;
    }
    text[len] = '\0';
    const char *body = strstr(text, "\r\n\r\n");
    if (body != NULL) {
        const size_t body_len = len - (size_t)(body + 4 - text);
        assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
        assert_true(body_len <= PAGE);
        for (size_t i = 0; i < body_len; i++) {
            assert_int_equal(body[4 + i], pattern(i));
        }
        err = body_len == PAGE ? ADDER_OK : ADDER_ERR_CLOSED;
    }
    (void)close(fd);
    return err;
}

static inline adder_err_t do_server(world_t *w)
{
    static service_t s;
    static uint16_t port;
    port = port == 0 ? hold_port() : port;
    adder_err_t err = world_join(w);
    if (err == ADDER_OK) {
        err = service_start(&s, &w->net, port, 0);
    }
    if (err != ADDER_OK) {
        assert_int_equal(world_sockets(w), 0);
        return err;
    }
    /* A visitor who got nothing comes again: the server must be there again within the bound. */
    const uint64_t end = world_now_us(w) + LIMIT_S * (uint64_t)1000000;
    for (unsigned pages = 0; pages < 1;) {
        err = visit(w, &s, port);
        pages += err == ADDER_OK;
        if (err != ADDER_OK && wire_unplugged(&w->wire)) {
            break;
        }
        for (const uint64_t then = world_now_us(w) + 200000; err != ADDER_OK && world_now_us(w) < then;) {
            service_turn(w, &s);
        }
        world_must_go_on(w, end);
    }
    adder_http_server_stop(&s.server);
    assert_int_equal(world_sockets(w), 0);
    return err;
}

#endif
