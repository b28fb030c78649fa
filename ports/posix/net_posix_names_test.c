/* The stack over this computer's sockets: names, and a network in front that leads elsewhere. */
#include "ports/posix/net_posix_bench.h"

/* ---- names ---- */

static atomic_int asking, most_asking;
static atomic_bool hold;

static int scripted(const char *name, const char *service, const struct addrinfo *hints,
                    struct addrinfo **out)
{
    static const struct sockaddr_in a = {.sin_family = AF_INET};
    (void)service;
    int now = atomic_fetch_add(&asking, 1) + 1;
    if (now > most_asking)
        most_asking = now;
    while (hold)
        usleep(1000);
    asking--;
    if (strcmp(name, "missing.test") == 0)
        return EAI_NONAME;
    if (strcmp(name, "down.test") == 0)
        return EAI_AGAIN;
    struct addrinfo *list = NULL;
    for (int i = 2; i >= 0; i--) { /* .1 twice, .2 */
        struct addrinfo *x = calloc(1, sizeof *x + sizeof a);
        struct sockaddr_in *to = (struct sockaddr_in *)(void *)(x + 1);
        *to = a;
        to->sin_addr.s_addr = htonl(0xC6336400u + (uint32_t)(i + 2) / 2);
        x->ai_family = hints->ai_family;
        x->ai_addr = (struct sockaddr *)to;
        x->ai_addrlen = sizeof a;
        x->ai_next = list;
        list = x;
    }
    *out = list;
    return 0;
}

static void scripted_free(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static void names(void **state)
{
    (void)state;
    adder_ip_t ips[4];
    size_t n;
    uint16_t s;
    /* this computer's own resolver */
    assert_int_equal(WAIT(ops->resolve(net.ctx, "localhost", ADDER_IP_V4, ips, 4, &n)), ADDER_OK);
    assert_true(n >= 1 && adder_ip_is_loopback(&ips[0]));
    assert_int_equal(ops->resolve(net.ctx, "192.0.2.7", ADDER_IP_NONE, ips, 4, &n), ADDER_OK);
    assert_true(n == 1 && ips[0].bytes[3] == 7);
    assert_int_equal(ops->resolve(net.ctx, "192.0.2.7", ADDER_IP_V6, ips, 4, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->resolve(net.ctx, "", ADDER_IP_NONE, ips, 4, &n), ADDER_ERR_NOT_FOUND);
    int fd = listener();
    adder_endpoint_t to = {.port = port_of(fd)};
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(ops->connect(net.ctx, s, NULL, &to), ADDER_ERR_ARG);
    assert_int_equal(ops->close(net.ctx, s, false), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, "localhost", &to)), ADDER_OK);
    close(fd);
    /* a scripted one */
    posix_lookup_ask = scripted;
    posix_lookup_free = scripted_free;
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_NONE, ips, 4, &n)), ADDER_OK);
    assert_int_equal(n, 2); /* each once */
    assert_true(ips[0].bytes[3] == 1 && ips[1].bytes[3] == 2);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_NONE, ips, 1, &n)), ADDER_OK);
    assert_int_equal(n, 1);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "two.test", ADDER_IP_V6, ips, 4, &n)), ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "missing.test", ADDER_IP_V4, ips, 4, &n)),
                     ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "down.test", ADDER_IP_V4, ips, 4, &n)), ADDER_ERR_IO);
    /* a hundred questions that hang: four threads, and nobody waits when they are given up */
    hold = true;
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%d.test", i);
        assert_int_equal(ops->resolve(net.ctx, name, ADDER_IP_V4, ips, 4, &n), AGAIN);
    }
    adder_posix_net_deinit(&posix);
    hold = false;
    while (asking > 0)
        usleep(1000);
    assert_true(most_asking <= POSIX_LOOKUP_THREADS);
    begin(NULL);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "after.test", ADDER_IP_V4, ips, 4, &n)), ADDER_OK);
    posix_lookup_ask = getaddrinfo;
    posix_lookup_free = freeaddrinfo;
}

/* ---- hooks ---- */

static uint16_t real_port;
static bool up = true;
static adder_endpoint_t placed_at;

static adder_err_t hook_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                                size_t cap, size_t *n_out)
{
    (void)ctx, (void)family, (void)cap;
    if (strcmp(name, "mapped.test") != 0)
        return strcmp(name, "localhost") == 0 ? ADDER_ERR_AGAIN : ADDER_ERR_NOT_FOUND;
    out[0] = adder_ip_v4(198, 18, 0, 1);
    *n_out = 1;
    return ADDER_OK;
}

static adder_err_t hook_route(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                              adder_endpoint_t *to_out)
{
    (void)ctx, (void)kind;
    if (to->ip.bytes[0] != 198 || to->port != 1883)
        return ADDER_ERR_NOT_FOUND;
    *to_out = loopback(real_port);
    return ADDER_OK;
}

static adder_err_t hook_place(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                              adder_endpoint_t *local_out)
{
    (void)ctx, (void)kind;
    *local_out = loopback(local->port == 80 ? real_port : local->port);
    return ADDER_OK;
}

static void hook_placed(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *local,
                        const adder_endpoint_t *real)
{
    (void)ctx, (void)kind;
    assert_int_equal(local->port, 80);
    placed_at = *real;
}

static void hook_link(void *ctx, adder_net_status_t *status)
{
    (void)ctx;
    status->link = up ? ADDER_NET_LINK_UP : ADDER_NET_LINK_OFF;
    status->ips[0] = adder_ip_v4(192, 168, 1, 47);
    status->n_ips = up;
}

static const adder_posix_hooks_t hooks = {hook_resolve, hook_route, hook_place, hook_placed, hook_link};

static void a_network_in_front(void **state)
{
    (void)state;
    adder_posix_net_deinit(&posix);
    begin_with(&hooks);
    uint16_t s, u;
    uint8_t buf[8];
    size_t n;
    adder_ip_t ip;
    adder_endpoint_t remote, to = {.ip = adder_ip_v4(198, 18, 0, 1), .port = 1883};
    adder_net_status_t status;
    up = true;
    /* names and addresses lead elsewhere; the program sees its own */
    int fd = listener();
    real_port = port_of(fd);
    assert_int_equal(ops->resolve(net.ctx, "mapped.test", ADDER_IP_V4, &ip, 1, &n), ADDER_OK);
    assert_true(adder_ip_equal(&ip, &to.ip));
    assert_int_equal(ops->resolve(net.ctx, "elsewhere.test", ADDER_IP_V4, &ip, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(WAIT(ops->resolve(net.ctx, "localhost", ADDER_IP_V4, &ip, 1, &n)), ADDER_OK);
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(WAIT(ops->connect(net.ctx, s, NULL, &to)), ADDER_OK);
    assert_int_equal(ops->endpoints(net.ctx, s, NULL, &remote), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    uint16_t lost;
    to.port = 22;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &lost), ADDER_OK);
    assert_int_equal(ops->connect(net.ctx, lost, NULL, &to), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->close(net.ctx, lost, false), ADDER_OK);
    /* datagrams: the answer comes from whom was asked */
    int other = bound(AF_INET, SOCK_DGRAM);
    real_port = port_of(other);
    to.port = 1883;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &u), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, u, &to, (const uint8_t *)"q", 1, &n), ADDER_OK);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    assert_int_equal(recvfrom(other, buf, 8, 0, (struct sockaddr *)&peer, &len), 1);
    assert_int_equal(sendto(other, "a", 1, 0, (struct sockaddr *)&peer, len), 1);
    assert_int_equal(WAIT(ops->recv(net.ctx, u, buf, 8, &n, &remote)), ADDER_OK);
    assert_true(adder_endpoint_equal(&remote, &to));
    close(other);
    /* a port that cannot be had is another one, and is still the device's own */
    real_port = port_of(fd);
    uint16_t server;
    assert_int_equal(ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &server), ADDER_OK);
    assert_int_equal(ops->bind(net.ctx, server, &(adder_endpoint_t){.port = 80}), ADDER_OK);
    assert_int_equal(ops->listen(net.ctx, server, 1), ADDER_OK);
    assert_true(placed_at.port != 0 && placed_at.port != real_port);
    assert_int_equal(ops->endpoints(net.ctx, server, &remote, NULL), ADDER_OK);
    assert_int_equal(remote.port, 80);
    int client = connect_to(placed_at.port, AF_INET);
    assert_int_equal(WAIT(ops->accept(net.ctx, server, &lost, NULL)), ADDER_OK);
    /* the link goes, and comes */
    ops->status(net.ctx, &status);
    uint32_t changes = status.changes;
    assert_true(status.link == ADDER_NET_LINK_UP && status.n_ips == 1);
    up = false;
    adder_net_wants_t wants;
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
    assert_int_equal(ops->send(net.ctx, s, NULL, buf, 1, &n), ADDER_ERR_CLOSED);
    assert_int_equal(ops->send(net.ctx, u, &to, buf, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->resolve(net.ctx, "mapped.test", ADDER_IP_V4, &ip, 1, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(ops->accept(net.ctx, server, &lost, NULL), AGAIN);
    up = true;
    assert_int_equal(ops->tick(net.ctx, 0, &wants), ADDER_OK);
    ops->status(net.ctx, &status);
    assert_int_equal(status.changes, changes + 2);
    assert_int_equal(ops->recv(net.ctx, s, buf, 1, &n, NULL), ADDER_ERR_CLOSED); /* stays */
    close(client);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names, begin, end),
        cmocka_unit_test_setup_teardown(a_network_in_front, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
