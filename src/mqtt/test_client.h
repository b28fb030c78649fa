/* The client over a broker in memory (test_broker.h), with all that its tests share. To be included behind
 * cmocka's header. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include "src/base/test_flash.h"
#include "src/mqtt/test_broker.h"

enum { ITEMS = 6, ARENA = 96, APP = 0x0a };

typedef struct {
    broker_t *broker;
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_item_t items[ITEMS];
    uint8_t arena[ARENA], rx[128], tx[128];
    adder_mqtt_slot_t slots[4];
    uint16_t ids[4];
    uint32_t now, seed;
    uint8_t told[NUMBERS]; /* in RAM */
    adder_mqtt_event_t last;
    unsigned done, states[8];
    uint32_t wait;
    /* what the application keeps of a message */
    adder_store_change_t keep;
    uint8_t count;
    bool keeps;
} bench_t;

static inline adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    bench_t *b = ctx;
    assert_true(piece->len == 1 && piece->payload[0] < NUMBERS);
    const uint8_t number = piece->payload[0];
    b->told[number]++;
    if (b->keeps) { /* count it in the store, in one write with its id */
        const adder_store_t *s = &b->config.store;
        const uint32_t key = (uint32_t)APP << 24 | number;
        size_t len;
        b->count = 0;
        const adder_err_t err = s->ops->read(s->ctx, key, 0, &b->count, 1, &len);
        assert_true(err == ADDER_OK || err == ADDER_ERR_NOT_FOUND || err == ADDER_ERR_IO);
        b->count++;
        b->keep = (adder_store_change_t){.key = key, .bytes = &b->count, .len = 1};
        assert_int_equal(adder_mqtt_client_keep(&b->c, &b->keep, 1), ADDER_OK);
    }
    return ADDER_OK;
}

static inline void on_event(void *ctx, const adder_mqtt_event_t *e)
{
    bench_t *b = ctx;
    b->last = *e;
    b->done += e->kind == ADDER_MQTT_DONE;
}

static inline void on_state(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause)
{
    (void)cause;
    ((bench_t *)ctx)->states[state]++;
}

static inline uint32_t draw(void *ctx)
{
    uint32_t *seed = ctx;
    *seed = *seed * 1664525u + 1013904223u;
    return *seed;
}

static inline void set_up(bench_t *b, broker_t *broker, uint8_t version)
{
    memset(b, 0, sizeof *b);
    b->broker = broker;
    b->now = 0xfffff800;
    b->config = (adder_mqtt_client_config_t){
        .transport = broker_transport(broker),
        .connect = {.client_id = {"me", 2}, .keep_alive_s = 60, .version = version, .session_expiry_s = 900},
        .engine = {.rx = b->rx,
                   .tx = b->tx,
                   .rx_cap = 128,
                   .tx_cap = 128,
                   .slots = b->slots,
                   .ids = b->ids,
                   .n_slots = 4,
                   .n_ids = 4},
        .items = b->items,
        .n_items = ITEMS,
        .arena = b->arena,
        .arena_len = ARENA,
        .random = draw,
        .random_ctx = &b->seed,
        .message = on_message,
        .event = on_event,
        .state = on_state,
        .ctx = b};
}

static inline void begin(bench_t *b)
{
    assert_int_equal(adder_mqtt_client_init(&b->c, &b->config), ADDER_OK);
    assert_int_equal(adder_mqtt_client_start(&b->c, b->now), ADDER_OK);
}

static inline void step(bench_t *b)
{
    adder_mqtt_client_wants_t w;
    adder_mqtt_client_tick(&b->c, b->now, &w);
    b->wait = w.wait_ms;
    broker_run(b->broker);
}

static inline void steps(bench_t *b, unsigned n)
{
    while (n-- > 0) {
        step(b);
    }
}

static inline adder_err_t publish(bench_t *b, uint8_t number, uint8_t qos)
{
    const adder_mqtt_msg_t msg = {.topic = {"out", 3}, .payload = &number, .payload_len = 1, .qos = qos};
    return adder_mqtt_client_publish(&b->c, &msg, NULL);
}

#endif
