/* The client's queue: its policies, what time takes off, what is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/mqtt/test_client.h"

static void the_queue_keeps_its_policy(void **state)
{
    (void)state;
    for (unsigned policy = 0; policy < 3; policy++) {
        broker_t broker = {0};
        bench_t b;
        set_up(&b, &broker, 4);
        b.config.policy = (adder_mqtt_queue_policy_t)policy;
        b.config.queue_qos0 = true;
        begin(&b);
        for (uint8_t i = 0; i < ITEMS + 3; i++) {
            const bool full = i >= ITEMS && policy == ADDER_MQTT_QUEUE_REFUSE;
            assert_int_equal(adder_mqtt_client_room(&b.c), i < ITEMS ? ARENA - 4u * i : 0);
            assert_int_equal(publish(&b, i, i % 3), full ? ADDER_ERR_AGAIN : ADDER_OK);
        }
        assert_int_equal(b.c.dropped, policy == ADDER_MQTT_QUEUE_REFUSE ? 0 : 3);
        steps(&b, 12);
        assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
        const unsigned from = policy == ADDER_MQTT_QUEUE_DROP_OLDEST ? 3 : 0;
        for (unsigned i = 0; i < ITEMS + 3; i++) {
            assert_int_equal(broker.got[i], i >= from && i < from + ITEMS);
        }
        assert_int_equal(broker.order_errors, 0);
    }
    broker_t broker = {0};
    bench_t b;
    set_up(&b, &broker, 4);
    begin(&b);
    const adder_mqtt_msg_t large = {.topic = {"t", 1}, .payload = b.rx, .payload_len = ARENA, .qos = 1};
    const adder_mqtt_msg_t bad = {.topic = {"t+", 2}, .qos = 1};
    assert_int_equal(adder_mqtt_client_room(&b.c), ARENA);
    assert_int_equal(adder_mqtt_client_publish(&b.c, &large, NULL), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_mqtt_client_publish(&b.c, &bad, NULL), ADDER_ERR_ARG);
}

static adder_err_t publish_for(bench_t *b, uint8_t number, uint8_t qos, uint8_t seconds)
{
    const uint8_t expiry[5] = {ADDER_MQTT_PROP_MESSAGE_EXPIRY, 0, 0, 0, seconds};
    const adder_mqtt_msg_t msg = {
        .topic = {"out", 3}, .payload = &number, .payload_len = 1, .props = {expiry, 5}, .qos = qos};
    return adder_mqtt_client_publish(&b->c, &msg, NULL);
}

/* [MQTT-3.3.2.3.3] What waits lives no longer for it; what was sent once is sent again. */
static void v5_expiry_runs_in_the_queue(void **state)
{
    (void)state;
    broker_t broker = {.open_err = ADDER_ERR_REFUSED};
    bench_t b;
    set_up(&b, &broker, 5);
    b.config.queue_qos0 = true;
    begin(&b);
    step(&b);
    assert_int_equal(publish_for(&b, 0, 1, 20), ADDER_OK);
    assert_int_equal(publish_for(&b, 1, 2, 200), ADDER_OK);
    assert_int_equal(publish(&b, 2, 1), ADDER_OK);
    assert_int_equal(publish_for(&b, 3, 0, 200), ADDER_OK);
    b.now += 1000;
    step(&b); /* the first look at them */
    for (unsigned i = 0; i < 60; i++) {
        b.now += 700;
        step(&b);
    }
    assert_int_equal(b.c.dropped, 1); /* without a connection, too: it makes room */
    assert_true(b.last.kind == ADDER_MQTT_DONE && b.last.reason == ADDER_MQTT_REASON_UNSPECIFIED);
    assert_int_equal(adder_mqtt_client_queued(&b.c), 3);
    broker.open_err = ADDER_OK;
    while (b.c.state != ADDER_MQTT_CLIENT_CONNECTING) {
        b.now += 1000;
        adder_mqtt_client_wants_t w;
        adder_mqtt_client_tick(&b.c, b.now, &w);
    }
    const uint32_t waited = (b.now - 0xfffff800) / 1000 - 1;
    assert_true(waited >= 30 && waited < 200);
    steps(&b, 3);
    assert_in_range(broker.expiry, 200 - waited - 1, 200 - waited + 2);
    assert_true(broker.got[0] == 0 && broker.got[1] == 1 && broker.got[2] == 1 && broker.got[3] == 1);
    assert_int_equal(publish_for(&b, 4, 1, 9), ADDER_OK);
    b.now += 1000;
    step(&b);
    assert_int_equal(broker.expiry, 9); /* nothing is taken off what does not wait */
    steps(&b, 3);
    /* What is in flight is not dropped. */
    assert_int_equal(publish_for(&b, 5, 1, 4), ADDER_OK);
    b.now += 1000;
    adder_mqtt_client_wants_t w;
    broker.pipe.failed = true;
    adder_mqtt_client_tick(&b.c, b.now, &w);
    broker.open_err = ADDER_ERR_REFUSED;
    for (unsigned i = 0; i < 6; i++) {
        b.now += 1000;
        adder_mqtt_client_tick(&b.c, b.now, &w);
    }
    broker.open_err = ADDER_OK;
    b.now += 120000;
    steps(&b, 4);
    assert_true(broker.got[5] == 1 && broker.expiry == 1);
    assert_true(b.c.dropped == 1 && adder_mqtt_client_queued(&b.c) == 0);
}

static void published_when_dropped(void *ctx, const adder_mqtt_event_t *e)
{
    bench_t *b = ctx;
    if (e->kind == ADDER_MQTT_DONE && e->reason >= 0x80) {
        b->done++;
        assert_int_equal(publish(b, 7, 1), ADDER_OK);
    }
}

/* What a callback publishes does not disturb the end of the message that it is told of. */
static void a_drop_is_told_to_a_callback_that_publishes(void **state)
{
    (void)state;
    for (uint8_t qos = 0; qos < 3; qos++) {
        broker_t broker = {.open_err = ADDER_ERR_REFUSED};
        bench_t b;
        set_up(&b, &broker, 5);
        b.config.queue_qos0 = true;
        b.config.event = published_when_dropped;
        begin(&b);
        step(&b);
        assert_int_equal(publish_for(&b, 1, qos, 2), ADDER_OK);
        assert_int_equal(publish(&b, 2, 1), ADDER_OK);
        for (unsigned i = 0; i < 8; i++) {
            b.now += 1000;
            step(&b);
        }
        assert_int_equal(b.done, 1);
        assert_int_equal(adder_mqtt_client_queued(&b.c), 2);
        broker.open_err = ADDER_OK;
        b.now += 120000;
        steps(&b, 5);
        assert_true(broker.got[1] == 0 && broker.got[2] == 1 && broker.got[7] == 1);
        assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_keeps_its_policy),
        cmocka_unit_test(v5_expiry_runs_in_the_queue),
        cmocka_unit_test(a_drop_is_told_to_a_callback_that_publishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
