/* The radio's sockets: names and ports of the network's configuration, the link above them, faults. */
#include "sim/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adder/wifi.h"

#define BOARD                                                                                                \
    "{\"id\": \"b\", \"name\": \"B\", \"mcu\": {\"chip\": \"c\", \"pins\": {\"IO0\": \"digital\"}}, "        \
    "\"chips\": [{\"id\": \"wifi\", \"type\": \"native_wifi\", \"sockets\": 3}]}"

typedef struct {
    bench_t b;
    const adder_wifi_t *w;
    const adder_net_ops_t *ops;
    void *ctx;
    int listener; /* a server of this computer */
} net_bench_t;

static int server(uint16_t *port_out)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port_out = ntohs(a.sin_port);
    return fd;
}

static int setup(void **state)
{
    net_bench_t *t = calloc(1, sizeof *t);
    char json[400];
    uint16_t port;
    t->listener = server(&port);
    snprintf(
        json, sizeof json,
        "{\"clock\": \"virtual\", \"network\": {\"outside\": false, \"access_points\": [{\"ssid\": \"a\"}],"
        "\"hosts\": {\"api.test:80\": \"127.0.0.1:%u\"}}}",
        port);
    bench_open_in(&t->b, BOARD, json);
    t->w = t->b.mcu->wifi;
    t->ops = t->w->net.ops;
    t->ctx = t->w->net.ctx;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    close(((net_bench_t *)*state)->listener);
    return bench_teardown(state);
}

static void join(net_bench_t *t)
{
    adder_wifi_config_t c;
    adder_wifi_status_t s;
    adder_wifi_join_t j = {.ssid = "a", .ssid_len = 1};
    t->w->ops->config(t->w->ctx, &c);
    c.enabled = c.station = true;
    OK(t->w->ops->configure(t->w->ctx, &c));
    OK(t->w->ops->join(t->w->ctx, &j));
    sim_board_advance(t->b.board, 5000000);
    t->w->ops->status(t->w->ctx, &s);
    assert_int_equal(s.station, ADDER_WIFI_JOINED);
}

/* Try something until it is decided; sockets live in real time. */
#define WAIT(expr)                                                                                           \
    __extension__({                                                                                          \
        adder_err_t err_;                                                                                    \
        for (int i_ = 0; (err_ = (expr)) == ADDER_ERR_AGAIN && i_ < 5000; i_++)                              \
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);                                         \
        err_;                                                                                                \
    })

static uint16_t connected(net_bench_t *t)
{
    uint16_t s;
    adder_endpoint_t to = {.port = 80};
    size_t n;
    OK(WAIT(t->ops->resolve(t->ctx, "api.test", ADDER_IP_V4, &to.ip, 1, &n)));
    OK(t->ops->open(t->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s));
    OK(WAIT(t->ops->connect(t->ctx, s, NULL, &to)));
    return s;
}

static void mapped_names_and_ports(void **state)
{
    net_bench_t *t = *state;
    uint8_t buf[8];
    size_t n;
    join(t);
    const uint16_t s = connected(t);
    const int peer = accept(t->listener, NULL, NULL);
    assert_int_equal(send(peer, "hello", 5, 0), 5);
    OK(WAIT(t->ops->recv(t->ctx, s, buf, sizeof buf, &n, NULL)));
    assert_memory_equal(buf, "hello", 5);
    OK(t->ops->send(t->ctx, s, NULL, (const uint8_t *)"me", 2, &n));
    assert_int_equal(recv(peer, buf, sizeof buf, 0), 2);
    adder_endpoint_t remote;
    OK(t->ops->endpoints(t->ctx, s, NULL, &remote));
    assert_int_equal(remote.port, 80); /* as the program knows it */
    assert_int_equal((int)bench_state(&t->b, "wifi", "sockets"), 1);
    assert_int_equal(bench_counter(&t->b, "wifi", "net_in"), 5);
    assert_int_equal(bench_counter(&t->b, "wifi", "net_out"), 2);
    close(peer);
    assert_int_equal(WAIT(t->ops->recv(t->ctx, s, buf, sizeof buf, &n, NULL)), ADDER_ERR_END);
    OK(t->ops->close(t->ctx, s, false));
    assert_int_equal((int)bench_state(&t->b, "wifi", "sockets"), 0);
}

static void nothing_beyond_a_closed_outside(void **state)
{
    net_bench_t *t = *state;
    uint16_t s;
    adder_ip_t ip;
    size_t n;
    join(t);
    assert_int_equal(WAIT(t->ops->resolve(t->ctx, "example.com", ADDER_IP_V4, &ip, 1, &n)),
                     ADDER_ERR_NOT_FOUND);
    OK(t->ops->open(t->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s));
    const adder_endpoint_t far = {.ip = adder_ip_v4(203, 0, 113, 1), .port = 80};
    const adder_err_t err = WAIT(t->ops->connect(t->ctx, s, NULL, &far));
    assert_true(err != ADDER_OK && err != ADDER_ERR_AGAIN);
    OK(t->ops->close(t->ctx, s, false));
}

static void link_down_ends_connections(void **state)
{
    net_bench_t *t = *state;
    uint8_t buf[8];
    size_t n;
    adder_net_wants_t wants;
    adder_net_status_t status;
    join(t);
    const uint16_t s = connected(t);
    OK(t->ops->tick(t->ctx, 0, &wants)); /* takes note of the link */
    t->ops->status(t->ctx, &status);
    assert_int_equal(status.link, ADDER_NET_LINK_UP);
    assert_int_equal(status.sockets, 3);
    assert_memory_equal(status.ips[0].bytes, ((uint8_t[]){192, 168, 1, 47}), 4);
    const uint32_t changes = status.changes;
    bench_knob(&t->b, "wifi", "{\"wifi\": false}");
    sim_board_advance(t->b.board, 6500000);
    OK(t->ops->tick(t->ctx, 0, &wants));
    t->ops->status(t->ctx, &status);
    assert_int_equal(status.link, ADDER_NET_LINK_JOINING);
    assert_int_equal(status.n_ips, 0);
    assert_true(status.changes != changes);
    assert_int_equal(WAIT(t->ops->recv(t->ctx, s, buf, sizeof buf, &n, NULL)), ADDER_ERR_CLOSED);
    OK(t->ops->close(t->ctx, s, false));
    bench_knob(&t->b, "wifi", "{\"wifi\": true}");
    sim_board_advance(t->b.board, 8000000);
    OK(t->ops->tick(t->ctx, 0, &wants));
    const uint16_t again = connected(t); /* and it works again */
    OK(t->ops->close(t->ctx, again, false));
}

/* A server of the board, in station and access-point mode, is reached on this computer's loopback. */
static void servers(void **state)
{
    net_bench_t *t = *state;
    uint16_t s, c;
    adder_net_status_t status;
    adder_wifi_config_t config;
    t->w->ops->config(t->w->ctx, &config);
    config.enabled = config.station = true;
    OK(t->w->ops->configure(t->w->ctx, &config));
    adder_wifi_ap_t ap = {.ssid = "x", .ssid_len = 1, .channel = 1, .auth = ADDER_WIFI_OPEN};
    OK(t->w->ops->access_point(t->w->ctx, &ap));
    t->ops->status(t->ctx, &status);
    assert_int_equal(status.link, ADDER_NET_LINK_UP);
    assert_memory_equal(status.ips[0].bytes, ((uint8_t[]){192, 168, 4, 1}), 4);
    uint16_t port;
    const int blocker =
        server(&port); /* the board's port is taken here: another one stands in, the log says which */
    const adder_endpoint_t local = {.port = port};
    OK(t->ops->open(t->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s));
    OK(t->ops->bind(t->ctx, s, &local));
    OK(t->ops->listen(t->ctx, s, 1));
    cJSON *json = sim_board_state(t->b.board, 0);
    unsigned said = 0, real = 0;
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(json, "events"))
    {
        const char *text = cJSON_GetObjectItem(line, "text")->valuestring;
        if (sscanf(text, "server port %u is 127.0.0.1:%u of this computer", &said, &real) == 2)
            break;
    }
    cJSON_Delete(json);
    assert_int_equal(said, port);
    assert_int_not_equal(real, port);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)real)};
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    OK(WAIT(t->ops->accept(t->ctx, s, &c, NULL)));
    OK(t->ops->close(t->ctx, c, false));
    OK(t->ops->close(t->ctx, s, false));
    close(client);
    close(blocker);
}

static void sockets_end_with_the_radio(void **state)
{
    net_bench_t *t = *state;
    uint16_t s[4];
    uint8_t buf[4];
    size_t n;
    join(t);
    s[0] = connected(t);
    OK(t->ops->open(t->ctx, ADDER_NET_UDP, ADDER_IP_V4, &s[1]));
    OK(t->ops->open(t->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s[2]));
    assert_int_equal(t->ops->open(t->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s[3]), ADDER_ERR_NOMEM);
    bench_knob(&t->b, "wifi", "{\"fault\": {\"kind\": \"stuck\"}}");
    assert_int_equal(t->ops->send(t->ctx, s[0], NULL, (const uint8_t *)"x", 1, &n), ADDER_ERR_IO);
    bench_knob(&t->b, "wifi", "{\"fault\": \"none\"}");
    OK(t->ops->send(t->ctx, s[0], NULL, (const uint8_t *)"x", 1, &n));
    adder_wifi_config_t c;
    t->w->ops->config(t->w->ctx, &c);
    c.enabled = false;
    OK(t->w->ops->configure(t->w->ctx, &c));
    assert_int_equal(t->ops->recv(t->ctx, s[0], buf, sizeof buf, &n, NULL), ADDER_ERR_CLOSED);
    for (size_t i = 0; i < 3; i++)
        OK(t->ops->close(t->ctx, s[i], false));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(mapped_names_and_ports),     T(nothing_beyond_a_closed_outside),
        T(link_down_ends_connections), T(servers),
        T(sockets_end_with_the_radio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
