/* The device: adder/mqtt_client.h over this computer's sockets. */
#include <string.h>

#include "chaos.h"

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *m)
{
    device_t *d = ctx;
    const unsigned qos = m->topic.len == 6 ? (unsigned)(m->topic.at[5] - '0') : 0;
    if (m->topic.len != 6 || memcmp(m->topic.at, "down/", 5) != 0 || m->qos != qos ||
        m->total > sizeof d->payload) {
        fail("the device got what nobody sent");
    }
    memcpy(d->payload + m->offset, m->payload, m->len);
    if (m->offset + m->len == m->total) {
        d->arrived(qos, d->payload, m->total);
    }
    return ADDER_OK;
}

static void on_event(void *ctx, const adder_mqtt_event_t *e)
{
    device_t *d = ctx;
    if (e->kind == ADDER_MQTT_DONE) {
        if (e->reason >= 0x80) {
            fail("a message ends with %s", adder_mqtt_reason_str(e->reason));
        }
        d->done++;
    }
}

static uint32_t pause_draw(void *ctx)
{
    uint32_t *seed = ctx;
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

void device_init(device_t *d, const char *id, uint8_t version, uint16_t port, adder_store_t store)
{
    void (*arrived)(unsigned qos, const uint8_t *payload, size_t len) = d->arrived;
    memset(d, 0, sizeof *d);
    d->arrived = arrived;
    d->seed = port;
    const adder_posix_net_config_t posix = {.slots = d->socks, .n_slots = 4};
    if (adder_posix_net_init(&d->posix, &posix) != ADDER_OK) {
        fail("no network");
    }
    d->net = adder_posix_net(&d->posix);
    d->over = (adder_mqtt_conn_t){
        .conn = &d->conn,
        .config = {.net = &d->net, .security = ADDER_CONN_PLAIN, .timeout_ms = 500},
        .host = "127.0.0.1",
        .port = port,
    };
    d->config = (adder_mqtt_client_config_t){
        .transport = adder_mqtt_over_conn(&d->over),
        .connect = {.client_id = {id, strlen(id)},
                    .keep_alive_s = 1,
                    .version = version,
                    .session_expiry_s = 3600},
        .engine = {.rx = d->rx,
                   .tx = d->tx,
                   .rx_cap = sizeof d->rx,
                   .tx_cap = sizeof d->tx,
                   .slots = d->slots,
                   .n_slots = sizeof d->slots / sizeof d->slots[0],
                   .ids = d->ids,
                   .n_ids = sizeof d->ids / sizeof d->ids[0],
                   .timeout_ms = 400},
        .items = d->items,
        .n_items = sizeof d->items / sizeof d->items[0],
        .arena = d->arena,
        .arena_len = sizeof d->arena,
        .store = store,
        .store_kind = 1,
        .back_off_min_ms = 20,
        .back_off_max_ms = 160,
        .random = pause_draw,
        .random_ctx = &d->seed,
        .message = on_message,
        .event = on_event,
        .ctx = d,
    };
    const adder_err_t err = adder_mqtt_client_init(&d->c, &d->config);
    if (err != ADDER_OK) {
        fail("the client does not start: %s", adder_err_str(err));
    }
    for (unsigned i = 0; i < 2; i++) {
        d->subs[i] = (adder_mqtt_sub_t){.route = {.filter = {i == 0 ? "down/1" : "down/2", 6}},
                                        .qos = (uint8_t)(i + 1)};
        if (adder_mqtt_client_subscribe(&d->c, &d->subs[i]) != ADDER_OK) {
            fail("the device cannot subscribe");
        }
    }
    if (adder_mqtt_client_start(&d->c, now_ms()) != ADDER_OK) {
        fail("the client does not start");
    }
}

adder_err_t device_publish(device_t *d, unsigned qos, uint32_t number)
{
    uint8_t payload[MESSAGE_MAX];
    const adder_mqtt_msg_t msg = {.topic = {qos == 1 ? "up/1" : "up/2", 4},
                                  .payload = payload,
                                  .payload_len = (uint32_t)message_make(payload, number),
                                  .qos = (uint8_t)qos};
    return adder_mqtt_client_publish(&d->c, &msg, NULL);
}

bool device_ready(const device_t *d)
{
    return d->c.state == ADDER_MQTT_CLIENT_ON && d->subs[0].granted == 1 && d->subs[1].granted == 2;
}

void device_turn(device_t *d, waits_t *w)
{
    adder_net_wants_t net;
    adder_mqtt_client_wants_t mqtt;
    if (d->net.ops->tick(d->net.ctx, (uint64_t)now_ms() * 1000, &net) != ADDER_OK) {
        fail("the network is gone");
    }
    adder_mqtt_client_tick(&d->c, now_ms(), &mqtt);
    if (d->c.state == ADDER_MQTT_CLIENT_FAILED) {
        fail("the client gave up: %s, %s", adder_err_str(d->c.cause),
             adder_mqtt_reason_str(d->c.mqtt.reason));
    }
    wait_for_fd(w, (int)net.signal, true, false);
    wait_ms(w, net.wait_us / 1000 < mqtt.wait_ms ? net.wait_us / 1000 : mqtt.wait_ms);
}

void device_close(device_t *d)
{
    adder_conn_close(&d->conn, true);
    adder_posix_net_deinit(&d->posix);
}
