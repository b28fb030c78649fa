/* The client beside mosquitto, on loopback, with 3.1.1 and 5.0, over TCP and over its WebSocket listener. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adder/mqtt_transport.h"
#include "ports/posix/net_posix.h"
#include "tests/held_port.h"

/* ---- the broker ---- */

static pid_t broker = -1;
static uint16_t tcp_port, ws_port;
static char folder[] = "/tmp/adder_mosquitto_XXXXXX";
static char config_path[sizeof folder + 8];

static bool listens(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const bool ok = connect(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return ok;
}

static int start_broker(void **state)
{
    (void)state;
    tcp_port = hold_port();
    ws_port = hold_port();
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(config_path, sizeof config_path, "%s/c", folder);
    FILE *f = fopen(config_path, "w");
    if (f == NULL) {
        return -1;
    }
    fprintf(f,
            "allow_anonymous true\nlistener %u 127.0.0.1\n"
            "listener %u 127.0.0.1\nprotocol websockets\n",
            tcp_port, ws_port);
    fclose(f);
    broker = fork();
    if (broker == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL) {
            _exit(126);
        }
        const char *program = getenv("MOSQUITTO"); /* as in tests/mqtt_chaos */
        execl(program != NULL ? program : "/usr/sbin/mosquitto", "mosquitto", "-c", config_path,
              (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; i < 500; i++) {
        if (listens(tcp_port) && listens(ws_port)) {
            return 0;
        }
        poll(NULL, 0, 20);
    }
    return -1;
}

static int stop_broker(void **state)
{
    (void)state;
    if (broker > 0) {
        kill(broker, SIGTERM);
        waitpid(broker, NULL, 0);
    }
    unlink(config_path);
    rmdir(folder);
    return 0;
}

/* ---- a client ---- */

enum { LARGE = 20000, MESSAGES = 16 };

typedef struct {
    adder_posix_sock_t socks[4];
    adder_posix_net_t posix;
    adder_net_t net;
    adder_conn_t conn;
    adder_mqtt_conn_t over_conn;
    adder_mqtt_websocket_t over_ws;
    uint8_t ws_buf[1024];
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_item_t items[8];
    uint8_t arena[2048], rx[512], tx[512], aliases[2 * 34];
    adder_mqtt_slot_t slots[6];
    uint16_t ids[8];
    /* what came */
    char topics[MESSAGES][40];
    uint8_t payload[LARGE], props[64];
    size_t payload_len, props_len;
    char texts[MESSAGES][16];
    bool retained[MESSAGES];
    uint8_t qos[MESSAGES];
    unsigned n, done;
} peer_t;

static uint32_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

static adder_err_t fill(void *ctx, uint8_t *buf, size_t len)
{
    (void)ctx;
    return getrandom(buf, len, 0) == (ssize_t)len ? ADDER_OK : ADDER_ERR_IO;
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *m)
{
    peer_t *p = ctx;
    assert_true(m->total <= LARGE && p->n < MESSAGES && m->topic.len < 40);
    memcpy(p->payload + m->offset, m->payload, m->len);
    if (m->offset + m->len < m->total) {
        return ADDER_OK;
    }
    p->payload_len = m->total;
    p->props_len = m->props.len < sizeof p->props ? m->props.len : 0;
    if (p->props_len > 0) {
        memcpy(p->props, m->props.at, p->props_len);
    }
    memcpy(p->topics[p->n], m->topic.at, m->topic.len);
    memcpy(p->texts[p->n], p->payload, m->total < 15 ? m->total : 15);
    p->retained[p->n] = m->retain;
    p->qos[p->n] = m->qos;
    p->n++;
    return ADDER_OK;
}

static void on_event(void *ctx, const adder_mqtt_event_t *e)
{
    peer_t *p = ctx;
    p->done += e->kind == ADDER_MQTT_DONE && e->reason < 0x80;
}

static void set_up(peer_t *p, const char *id, uint8_t version, bool websocket)
{
    memset(p, 0, sizeof *p);
    const adder_posix_net_config_t posix = {.slots = p->socks, .n_slots = 4};
    assert_int_equal(adder_posix_net_init(&p->posix, &posix), ADDER_OK);
    p->net = adder_posix_net(&p->posix);
    p->over_conn = (adder_mqtt_conn_t){.conn = &p->conn,
                                       .config = {.net = &p->net, .security = ADDER_CONN_PLAIN},
                                       .host = "127.0.0.1",
                                       .port = websocket ? ws_port : tcp_port};
    p->over_ws = (adder_mqtt_websocket_t){.below = adder_mqtt_over_conn(&p->over_conn),
                                          .config = {.host = "127.0.0.1",
                                                     .path = "/mqtt",
                                                     .protocol = "mqtt",
                                                     .random = fill,
                                                     .buf = p->ws_buf,
                                                     .cap = sizeof p->ws_buf}};
    p->config = (adder_mqtt_client_config_t){
        .transport = websocket ? adder_mqtt_over_websocket(&p->over_ws) : adder_mqtt_over_conn(&p->over_conn),
        .connect = {.client_id = {id, strlen(id)}, .keep_alive_s = 30, .version = version, .clean = true},
        .engine = {.rx = p->rx,
                   .tx = p->tx,
                   .rx_cap = sizeof p->rx,
                   .tx_cap = sizeof p->tx,
                   .slots = p->slots,
                   .n_slots = 6,
                   .ids = p->ids,
                   .n_ids = 8,
                   .aliases = p->aliases,
                   .n_aliases = 2,
                   .alias_size = 34},
        .items = p->items,
        .n_items = 8,
        .arena = p->arena,
        .arena_len = sizeof p->arena,
        .back_off_min_ms = 50,
        .message = on_message,
        .event = on_event,
        .ctx = p};
}

static void begin(peer_t *p)
{
    assert_int_equal(adder_mqtt_client_init(&p->c, &p->config), ADDER_OK);
    assert_int_equal(adder_mqtt_client_start(&p->c, now_ms()), ADDER_OK);
}

/* Both get on, until `*what` is `value`; 20 s. */
static void until(peer_t *a, peer_t *b, const void *what, unsigned value, bool byte)
{
    const uint32_t start = now_ms();
    for (;;) {
        const unsigned now = byte ? *(const uint8_t *)what : *(const unsigned *)what;
        if (now == value) {
            return;
        }
        if (now_ms() - start > 20000) {
            print_error("is %u, not %u; cause %s\n", now, value, adder_err_str(a->c.cause));
            assert_true(false);
        }
        struct pollfd fds[2];
        int n = 0, wait = 20;
        for (peer_t *p = a; p != NULL; p = p == a ? b : NULL) {
            adder_net_wants_t net;
            adder_mqtt_client_wants_t mqtt;
            ADDER_IGNORE(p->net.ops->tick(p->net.ctx, (uint64_t)now_ms() * 1000, &net), "the client sees it");
            adder_mqtt_client_tick(&p->c, now_ms(), &mqtt);
            wait = mqtt.wait_ms < (uint32_t)wait ? (int)mqtt.wait_ms : wait;
            wait = net.wait_us == 0 ? 0 : wait;
            fds[n++] = (struct pollfd){.fd = (int)net.signal, .events = POLLIN};
        }
        poll(fds, (nfds_t)n, wait);
    }
}

static void is_on(peer_t *p)
{
    until(p, NULL, &p->c.state, ADDER_MQTT_CLIENT_ON, true);
}

static void subscribe(peer_t *p, adder_mqtt_sub_t *sub, const char *filter, uint8_t qos)
{
    *sub = (adder_mqtt_sub_t){.route = {.filter = {filter, strlen(filter)}}, .qos = qos};
    assert_int_equal(adder_mqtt_client_subscribe(&p->c, sub), ADDER_OK);
    until(p, NULL, &sub->granted, qos, true);
}

static void end(peer_t *p)
{
    adder_mqtt_client_stop(&p->c, now_ms());
    until(p, NULL, &p->c.state, ADDER_MQTT_CLIENT_STOPPED, true);
    adder_conn_close(&p->conn, true);
    adder_posix_net_deinit(&p->posix);
}

static adder_err_t publish(peer_t *p, const char *topic, const char *text, uint8_t qos, bool retain)
{
    const adder_mqtt_msg_t msg = {.topic = {topic, strlen(topic)},
                                  .payload = (const uint8_t *)text,
                                  .payload_len = (uint32_t)strlen(text),
                                  .qos = qos,
                                  .retain = retain};
    return adder_mqtt_client_publish(&p->c, &msg, NULL);
}

/* The connection is gone, and nobody has said so. */
static void pull_cable(peer_t *p)
{
    for (unsigned i = 0; i < 4; i++) {
        if (p->socks[i].priv.fd > 0) {
            shutdown(p->socks[i].priv.fd, SHUT_RDWR);
        }
    }
}

static peer_t one, two;

/* ---- the tests, for each version and way ---- */

static void messages_go_round(uint8_t version, bool websocket)
{
    static uint8_t large[LARGE];
    adder_mqtt_sub_t sub;
    for (size_t i = 0; i < LARGE; i++) {
        large[i] = (uint8_t)(i * 31 >> 3);
    }
    set_up(&one, "adder-round", version, websocket);
    begin(&one);
    is_on(&one);
    subscribe(&one, &sub, "round/#", 2);
    for (uint8_t qos = 0; qos < 3; qos++) {
        static const char *const texts[] = {"zero", "one", "two"};
        assert_int_equal(publish(&one, "round/a", texts[qos], qos, false), ADDER_OK);
        until(&one, NULL, &one.n, qos + 1u, false);
        assert_string_equal(one.texts[qos], texts[qos]);
        assert_int_equal(one.qos[qos], qos);
    }
    until(&one, NULL, &one.done, 2, false);
    assert_int_equal(adder_mqtt_client_queued(&one.c), 0);
    for (uint8_t qos = 0; qos < 3; qos++) { /* longer than either buffer, from its own memory */
        const adder_mqtt_msg_t msg = {
            .topic = {"round/large", 11}, .payload = large, .payload_len = LARGE, .qos = qos};
        one.n = 0;
        memset(one.payload, 0, sizeof one.payload);
        assert_int_equal(adder_mqtt_publish(&one.c.mqtt, &msg, NULL), ADDER_OK);
        until(&one, NULL, &one.n, 1, false);
        assert_int_equal(one.payload_len, LARGE);
        assert_memory_equal(one.payload, large, LARGE);
    }
    until(&one, NULL, &one.done, 4, false);
    end(&one);
}

static void sessions_outlive_connections(uint8_t version, bool websocket)
{
    adder_mqtt_sub_t sub;
    set_up(&one, "adder-session", version, websocket);
    one.config.connect.clean = false;
    one.config.connect.session_expiry_s = 60;
    set_up(&two, "adder-other", version, websocket);
    begin(&one);
    begin(&two);
    is_on(&one);
    is_on(&two);
    subscribe(&one, &sub, "session/+", 2);
    pull_cable(&one);
    for (uint8_t qos = 1; qos < 3; qos++) {
        assert_int_equal(publish(&two, "session/x", qos == 1 ? "first" : "second", qos, false), ADDER_OK);
    }
    until(&two, NULL, &two.done, 2, false);
    until(&one, &two, &one.n, 2, false);
    assert_true(one.c.mqtt.session_present);
    assert_int_equal(one.c.connects, 2);
    assert_string_equal(one.texts[0], "first");
    assert_string_equal(one.texts[1], "second");
    end(&two);
    adder_mqtt_client_stop(&one.c, now_ms()); /* and what is published offline waits in the queue */
    until(&one, NULL, &one.c.state, ADDER_MQTT_CLIENT_STOPPED, true);
    assert_int_equal(publish(&one, "session/y", "offline", 2, false), ADDER_OK);
    one.n = 0;
    assert_int_equal(adder_mqtt_client_start(&one.c, now_ms()), ADDER_OK);
    until(&one, NULL, &one.n, 1, false);
    assert_string_equal(one.texts[0], "offline");
    end(&one);
}

static void wills_and_retained(uint8_t version, bool websocket)
{
    adder_mqtt_sub_t sub;
    const adder_mqtt_msg_t will = {
        .topic = {"will/w", 6}, .payload = (const uint8_t *)"gone", .payload_len = 4, .qos = 1};
    set_up(&one, "adder-watch", version, websocket);
    set_up(&two, "adder-mortal", version, websocket);
    two.config.connect.will = &will;
    begin(&two);
    is_on(&two);
    assert_int_equal(publish(&two, "will/kept", "kept", 1, true), ADDER_OK);
    until(&two, NULL, &two.done, 1, false);
    begin(&one);
    is_on(&one);
    subscribe(&one, &sub, "will/#", 1);
    until(&one, &two, &one.n, 1, false);
    assert_true(one.retained[0]);
    assert_string_equal(one.texts[0], "kept");
    pull_cable(&two);
    until(&one, NULL, &one.n, 2, false);
    assert_string_equal(one.topics[1], "will/w");
    assert_string_equal(one.texts[1], "gone");
    assert_int_equal(publish(&one, "will/kept", "", 1, true), ADDER_OK); /* and away with it */
    until(&one, NULL, &one.done, 1, false);
    end(&one);
    end(&two);
}

static void properties_and_aliases(void **state)
{
    (void)state;
    adder_mqtt_sub_t sub;
    uint8_t props[64], id[2] = {ADDER_MQTT_PROP_SUBSCRIPTION_ID, 7};
    size_t len = 0;
    const adder_mqtt_prop_t list[] = {
        {.id = ADDER_MQTT_PROP_CONTENT_TYPE, .text = {"text/plain", 10}},
        {.id = ADDER_MQTT_PROP_CORRELATION_DATA, .text = {"\0\1", 2}},
        {.id = ADDER_MQTT_PROP_RESPONSE_TOPIC, .text = {"answer", 6}},
        {.id = ADDER_MQTT_PROP_USER, .text = {"k", 1}, .value = {"v", 1}},
    };
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(adder_mqtt_prop_put(props, sizeof props, &len, &list[i]), ADDER_OK);
    }
    set_up(&one, "adder-v5", 5, false);
    begin(&one);
    is_on(&one);
    assert_int_equal(one.c.mqtt.server.alias_max, 10);
    sub = (adder_mqtt_sub_t){.route = {.filter = {"v5/#", 4}}, .qos = 1, .props = {id, 2}};
    assert_int_equal(adder_mqtt_client_subscribe(&one.c, &sub), ADDER_OK);
    until(&one, NULL, &sub.granted, 1, true);
    for (unsigned i = 0; i < 3; i++) { /* once with the topic, then by its alias alone */
        const adder_mqtt_msg_t msg = {.topic = {"v5/aliased", 10},
                                      .payload = (const uint8_t *)"x",
                                      .payload_len = 1,
                                      .props = {props, len},
                                      .alias = 3};
        assert_int_equal(adder_mqtt_client_publish(&one.c, &msg, NULL), ADDER_OK);
        until(&one, NULL, &one.n, i + 1, false);
        assert_string_equal(one.topics[i], "v5/aliased");
        const adder_mqtt_props_t got = {one.props, one.props_len};
        adder_mqtt_prop_t p;
        assert_true(adder_mqtt_prop_find(got, ADDER_MQTT_PROP_SUBSCRIPTION_ID, &p) && p.number == 7);
        assert_true(adder_mqtt_prop_find(got, ADDER_MQTT_PROP_CONTENT_TYPE, &p) && p.text.len == 10);
        assert_true(adder_mqtt_prop_find(got, ADDER_MQTT_PROP_CORRELATION_DATA, &p) && p.text.len == 2);
        assert_true(adder_mqtt_prop_find(got, ADDER_MQTT_PROP_USER, &p) && p.value.at[0] == 'v');
    }
    end(&one);
}

static void a_websocket_refused(void **state)
{
    (void)state;
    set_up(&one, "adder-path", 4, true);
    one.over_ws.config.protocol = "nonsense";
    begin(&one);
    const uint32_t start = now_ms();
    while (one.c.cause == ADDER_OK && now_ms() - start < 20000) {
        adder_net_wants_t net;
        adder_mqtt_client_wants_t mqtt;
        ADDER_IGNORE(one.net.ops->tick(one.net.ctx, (uint64_t)now_ms() * 1000, &net), "the client sees it");
        adder_mqtt_client_tick(&one.c, now_ms(), &mqtt);
        poll(NULL, 0, 2);
    }
    assert_true(one.c.cause != ADDER_OK && one.c.connects == 0);
    adder_mqtt_client_stop(&one.c, now_ms());
    adder_conn_close(&one.conn, true);
    adder_posix_net_deinit(&one.posix);
}

#define EACH(name)                                                                                           \
    static void name##_311(void **state)                                                                     \
    {                                                                                                        \
        (void)state;                                                                                         \
        name(4, false);                                                                                      \
    }                                                                                                        \
    static void name##_5(void **state)                                                                       \
    {                                                                                                        \
        (void)state;                                                                                         \
        name(5, false);                                                                                      \
    }                                                                                                        \
    static void name##_311_websocket(void **state)                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        name(4, true);                                                                                       \
    }                                                                                                        \
    static void name##_5_websocket(void **state)                                                             \
    {                                                                                                        \
        (void)state;                                                                                         \
        name(5, true);                                                                                       \
    }
EACH(messages_go_round)
EACH(sessions_outlive_connections)
EACH(wills_and_retained)

int main(void)
{
#define TESTS(name)                                                                                          \
    cmocka_unit_test(name##_311), cmocka_unit_test(name##_5), cmocka_unit_test(name##_311_websocket),        \
        cmocka_unit_test(name##_5_websocket)
    const struct CMUnitTest tests[] = {
        TESTS(messages_go_round),
        TESTS(sessions_outlive_connections),
        TESTS(wills_and_retained),
        cmocka_unit_test(properties_and_aliases),
        cmocka_unit_test(a_websocket_refused),
    };
    return cmocka_run_group_tests(tests, start_broker, stop_broker);
}
