/* The client's queue: what its arena holds, and what moves in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/mqtt/test_broker.h"

enum { ITEMS = 6, ARENA = 96, SLOTS = 4 };

typedef struct {
    broker_t broker;
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_item_t items[ITEMS];
    uint8_t arena[ARENA], rx[128], tx[128];
    adder_mqtt_slot_t slots[SLOTS];
    uint16_t ids[SLOTS];
} bench_t;

static void begin(bench_t *b, adder_mqtt_queue_policy_t policy)
{
    memset(b, 0, sizeof *b);
    b->config = (adder_mqtt_client_config_t){.transport = broker_transport(&b->broker),
                                             .connect = {.client_id = {"me", 2}},
                                             .engine = {.rx = b->rx,
                                                        .tx = b->tx,
                                                        .rx_cap = sizeof b->rx,
                                                        .tx_cap = sizeof b->tx,
                                                        .slots = b->slots,
                                                        .ids = b->ids,
                                                        .n_slots = SLOTS,
                                                        .n_ids = SLOTS},
                                             .items = b->items,
                                             .n_items = ITEMS,
                                             .arena = b->arena,
                                             .arena_len = ARENA,
                                             .policy = policy,
                                             .queue_qos0 = true};
    assert_int_equal(adder_mqtt_client_init(&b->c, &b->config), ADDER_OK);
    assert_int_equal(adder_mqtt_client_start(&b->c, 0), ADDER_OK);
}

static void step(bench_t *b)
{
    adder_mqtt_client_wants_t wants;
    adder_mqtt_client_tick(&b->c, 0, &wants);
    broker_run(&b->broker);
}

/* A message of `len` bytes in the arena: topic of the number's letter, payload of the number. */
static adder_err_t publish_long(bench_t *b, uint8_t number, size_t len)
{
    char topic[ARENA];
    memset(topic, 'A' + number, sizeof topic);
    const adder_mqtt_msg_t msg = {
        .topic = {topic, len - 1}, .payload = &number, .payload_len = 1, .qos = number % 3};
    return adder_mqtt_client_publish(&b->c, &msg, NULL);
}

static void check_items(const bench_t *b)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        const adder_mqtt_msg_t *msg = &b->items[i].msg;
        if (b->items[i].len > 0) {
            assert_true(msg->topic.at >= (const char *)b->arena);
            assert_true(msg->payload + 1 <= b->arena + ARENA);
            assert_int_equal(msg->topic.at[0], 'A' + msg->payload[0]);
            assert_int_equal(msg->topic.at[msg->topic.len - 1], 'A' + msg->payload[0]);
        }
    }
}

/* Every byte of the arena is used, wherever the oldest one begins, and what is in it stays what it is. */
static void the_arena_has_room_for_all_it_can_hold(void **state)
{
    (void)state;
    bench_t b;
    begin(&b, ADDER_MQTT_QUEUE_REFUSE);
    for (uint8_t i = 0; i < NUMBERS;) {
        const size_t len = 2 + (size_t)(i * 7 % 40);
        size_t used = 0;
        unsigned n = 0;
        for (unsigned k = 0; k < ITEMS; k++) {
            used += b.items[k].len;
            n += b.items[k].len > 0;
        }
        const adder_err_t err = publish_long(&b, i, len);
        check_items(&b);
        if (err != ADDER_OK) {
            assert_int_equal(err, ADDER_ERR_AGAIN);
            assert_true(len > ARENA - used || n == ITEMS);
        }
        if (err != ADDER_OK || i % 5 == 4) {
            step(&b);
            check_items(&b);
        }
        i = (uint8_t)(i + (err == ADDER_OK));
    }
    for (unsigned i = 0; i < 20; i++) {
        step(&b);
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        assert_int_equal(b.broker.got[i], 1);
    }
    assert_int_equal(b.broker.order_errors, 0);
}

/* The oldest goes without a copy of the others. */
static void the_oldest_leaves_the_others_in_place(void **state)
{
    (void)state;
    bench_t b;
    const uint8_t *before[ITEMS];
    begin(&b, ADDER_MQTT_QUEUE_DROP_OLDEST);
    for (uint8_t i = 0; i < ITEMS; i++) {
        assert_int_equal(publish_long(&b, (uint8_t)(3 * i + 1), 10), ADDER_OK);
    }
    for (unsigned i = 1; i < ITEMS; i++) {
        before[i] = b.items[i].msg.payload;
    }
    assert_int_equal(publish_long(&b, 1, 10), ADDER_OK);
    assert_int_equal(b.c.dropped, 1);
    for (unsigned i = 1; i < ITEMS; i++) {
        assert_ptr_equal(b.items[i].msg.payload, before[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_arena_has_room_for_all_it_can_hold),
        cmocka_unit_test(the_oldest_leaves_the_others_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
