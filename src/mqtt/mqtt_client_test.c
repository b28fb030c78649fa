/* The client over a broker in memory: reconnecting, subscriptions, the store; the stream failing
 * at each call and the power cut at each write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/mqtt/test_client.h"

/* ---- connecting ---- */

static void connects_and_stops(void **state)
{
    (void)state;
    broker_t broker = {0};
    bench_t b;
    set_up(&b, &broker, 4);
    b.config.connect.user = (adder_mqtt_str_t){"u", 1};
    b.config.connect.password = (adder_mqtt_str_t){"secret", 6};
    begin(&b);
    assert_int_equal(adder_mqtt_client_start(&b.c, b.now), ADDER_ERR_STATE);
    steps(&b, 3);
    assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_ON);
    for (unsigned i = 0; i + 6 <= sizeof b.tx; i++) {
        assert_memory_not_equal(b.tx + i, "secret", 6);
    }
    assert_int_equal(b.wait, 45000);
    b.now += 45000;
    steps(&b, 2);
    assert_int_equal(broker.pings, 1);
    adder_mqtt_client_stop(&b.c, b.now);
    steps(&b, 2);
    assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_STOPPED);
    assert_false(broker.connected);
    assert_int_equal(adder_mqtt_client_start(&b.c, b.now), ADDER_OK);
    steps(&b, 3);
    assert_int_equal(b.c.connects, 2);
    broker.pipe.failed = true; /* it hangs when it is to stop */
    adder_mqtt_client_stop(&b.c, b.now);
    steps(&b, 1);
    assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_STOPPED);
}

static void pauses_double_with_a_drawn_half(void **state)
{
    (void)state;
    broker_t broker = {.open_err = ADDER_ERR_REFUSED};
    bench_t b;
    set_up(&b, &broker, 4);
    b.config.back_off_max_ms = 10000;
    begin(&b);
    uint32_t bound = 1000, differ = 0;
    for (unsigned i = 0; i < 8; i++) {
        step(&b);
        assert_int_equal(broker.opens, i + 1);
        assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_PAUSE);
        assert_true(b.wait >= bound / 2 && b.wait <= bound);
        differ += b.wait != bound && b.wait != bound / 2;
        b.now += b.wait - 1;
        step(&b);
        assert_int_equal(broker.opens, i + 1); /* not before its time */
        b.now += 1;
        bound = bound * 2 < 10000 ? bound * 2 : 10000;
    }
    assert_true(differ > 4);
    broker.open_err = ADDER_OK;
    steps(&b, 3);
    assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_ON);
    broker.pipe.failed = true; /* at once gone again: the pause stays long */
    step(&b);
    assert_true(b.wait >= 5000);
    b.now += b.wait;
    steps(&b, 3);
    b.now += 20000; /* it lasted */
    steps(&b, 2);
    broker.pipe.failed = true;
    step(&b);
    assert_true(b.wait >= 500 && b.wait <= 1000);
}

/* Nor is more than there are ids for a reason to pause long: each connection gets on. */
static void more_than_its_ids_comes_with_short_pauses(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        broker_t broker = {0};
        bench_t b;
        adder_mqtt_sub_t sub = {.route = {.filter = {"in", 2}}, .qos = 2};
        set_up(&b, &broker, version);
        b.config.engine.n_ids = 1;
        begin(&b);
        assert_int_equal(adder_mqtt_client_subscribe(&b.c, &sub), ADDER_OK);
        steps(&b, 3);
        for (uint8_t i = 0; i < 8; i++) {
            broker_post(&broker, i, 2);
        }
        while (b.now - 0xfffff800 < 60000 && b.told[7] == 0) {
            step(&b);
            assert_true(b.c.state != ADDER_MQTT_CLIENT_PAUSE || b.wait <= 1000);
            b.now += b.c.state == ADDER_MQTT_CLIENT_PAUSE ? b.wait : 1;
        }
        steps(&b, 4);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(b.told[i], 1);
        }
        assert_true(b.c.connects > 4);
    }
}

static void stops_where_asking_again_is_no_use(void **state)
{
    (void)state;
    static const struct {
        uint8_t version, code;
        adder_mqtt_client_state_t state;
    } cases[] = {{4, 3, ADDER_MQTT_CLIENT_PAUSE},     {4, 5, ADDER_MQTT_CLIENT_FAILED},
                 {4, 7, ADDER_MQTT_CLIENT_FAILED},    {5, 0x88, ADDER_MQTT_CLIENT_PAUSE},
                 {5, 0x86, ADDER_MQTT_CLIENT_FAILED}, {5, 0x9d, ADDER_MQTT_CLIENT_FAILED},
                 {5, 0x9c, ADDER_MQTT_CLIENT_PAUSE}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        broker_t broker = {.connack = cases[i].code};
        bench_t b;
        set_up(&b, &broker, cases[i].version);
        begin(&b);
        steps(&b, 3);
        assert_int_equal(b.c.state, cases[i].state);
        assert_true(b.c.cause == ADDER_ERR_REFUSED && b.last.kind == ADDER_MQTT_REFUSED);
        broker.connack = 0;
        if (cases[i].state == ADDER_MQTT_CLIENT_FAILED) {
            b.now += 1000000;
            steps(&b, 3);
            assert_int_equal(broker.opens, 1);
            assert_int_equal(adder_mqtt_client_start(&b.c, b.now), ADDER_OK);
        } else {
            b.now += b.wait;
        }
        steps(&b, 3);
        assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_ON);
    }
    broker_t broker = {0};
    bench_t b;
    set_up(&b, &broker, 5);
    begin(&b);
    steps(&b, 3);
    broker_give(&broker, (const uint8_t *)"\xe0\x01\x8e", 3);
    steps(&b, 1);
    assert_true(b.c.state == ADDER_MQTT_CLIENT_FAILED && b.last.kind == ADDER_MQTT_GOODBYE);
}

/* ---- subscriptions ---- */

static adder_err_t count(void *ctx, const adder_mqtt_piece_t *piece)
{
    (void)piece;
    ++*(unsigned *)ctx;
    return ADDER_OK;
}

static void subscriptions_come_back_with_their_qos(void **state)
{
    (void)state;
    broker_t broker = {0};
    bench_t b;
    unsigned calls = 0;
    adder_mqtt_sub_t subs[7] = {{.route = {.filter = {"in", 2}, .fn = count, .ctx = &calls}, .qos = 2}};
    static const char *const names[7] = {"in", "b", "c", "d", "e", "f", "g"};
    set_up(&b, &broker, 4);
    begin(&b);
    for (unsigned i = 0; i < 7; i++) {
        subs[i].route.filter = (adder_mqtt_str_t){names[i], strlen(names[i])};
        subs[i].qos = (uint8_t)(2 - i % 3);
        assert_int_equal(adder_mqtt_client_subscribe(&b.c, &subs[i]), ADDER_OK);
    }
    assert_int_equal(adder_mqtt_client_subscribe(&b.c, &subs[3]), ADDER_ERR_IN_USE);
    adder_mqtt_sub_t bad = {.route = {.filter = {"a#", 2}}};
    assert_int_equal(adder_mqtt_client_subscribe(&b.c, &bad), ADDER_ERR_ARG);
    steps(&b, 4);
    assert_int_equal(broker.subscribes, 2); /* five a packet */
    assert_int_equal(broker.last_batch, 2);
    for (unsigned i = 0; i < 7; i++) {
        assert_string_equal(broker.filters[i], names[i]);
        assert_int_equal(subs[i].granted, 2 - i % 3);
    }
    broker_post(&broker, 1, 1);
    steps(&b, 2);
    assert_true(calls == 1 && b.told[1] == 0);
    broker.pipe.failed = true; /* the session stays: nothing is asked */
    step(&b);
    b.now += b.wait;
    steps(&b, 4);
    assert_true(b.c.connects == 2 && broker.subscribes == 2);
    broker.pipe.failed = broker.loses_session = true;
    broker.n_filters = 0;
    step(&b);
    b.now += b.wait;
    steps(&b, 4);
    assert_true(b.c.connects == 3 && broker.subscribes == 4);
    for (unsigned i = 0; i < 7; i++) {
        assert_string_equal(broker.filters[i], names[i]);
        assert_int_equal(broker.qos[i], 2 - i % 3);
    }
    assert_int_equal(adder_mqtt_client_unsubscribe(&b.c, &subs[0]), ADDER_OK);
    assert_int_equal(adder_mqtt_client_unsubscribe(&b.c, &subs[0]), ADDER_ERR_NOT_FOUND);
    steps(&b, 2);
    assert_int_equal(b.last.kind, ADDER_MQTT_UNSUBSCRIBED);
    broker_post(&broker, 2, 0);
    steps(&b, 2);
    assert_true(calls == 1 && b.told[2] == 1);
}

/* ---- the queue ---- */

static void qos_0_is_one_send_and_several_are_gathered(void **state)
{
    (void)state;
    broker_t broker = {0};
    bench_t b;
    set_up(&b, &broker, 4);
    begin(&b);
    assert_int_equal(publish(&b, 1, 0), ADDER_ERR_STATE);
    steps(&b, 3);
    broker.pipe.sends = 0;
    assert_int_equal(publish(&b, 1, 0), ADDER_OK);
    assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
    step(&b);
    assert_int_equal(broker.pipe.sends, 1);
    for (uint8_t i = 2; i < 7; i++) {
        assert_int_equal(publish(&b, i, 0), ADDER_OK);
    }
    step(&b);
    assert_int_equal(broker.pipe.sends, 2);
    for (unsigned i = 1; i < 7; i++) {
        assert_int_equal(broker.got[i], 1);
    }
}

static void properties_of_the_next_connection(void **state)
{
    (void)state;
    static const uint8_t good[] = {ADDER_MQTT_PROP_USER, 0, 1, 'a', 0, 1, 'b'}, bad[] = {0};
    broker_t broker = {0};
    bench_t b;
    set_up(&b, &broker, 5);
    begin(&b);
    adder_mqtt_client_set_props(&b.c, (adder_mqtt_props_t){bad, sizeof bad});
    steps(&b, 2);
    assert_int_equal(broker.connects, 0);
    assert_int_equal(b.c.cause, ADDER_ERR_ARG);
    adder_mqtt_client_set_props(&b.c, (adder_mqtt_props_t){good, sizeof good});
    b.now += 5000;
    steps(&b, 4);
    assert_int_equal(b.c.state, ADDER_MQTT_CLIENT_ON);
}

/* ---- faults of the stream ---- */

enum { OUT_COUNT = 6, IN_COUNT = 6 };

/* Messages 0..5 go out and 16..21 come in, QoS 1 and 2 in turn; all of them arrive, QoS 2 once. */
static void scenario(bench_t *b, bool *failed_out)
{
    uint8_t next = 0, posted = 0;
    for (unsigned i = 0; i < 200; i++) {
        if (next < OUT_COUNT && publish(b, next, (uint8_t)(1 + next % 2)) == ADDER_OK) {
            next++;
        }
        if (posted < IN_COUNT && b->broker->connects > 0) {
            broker_post(b->broker, (uint8_t)(16 + posted), (uint8_t)(1 + posted % 2));
            posted++;
        }
        step(b);
        *failed_out = *failed_out || b->c.connects > 1 || b->broker->opens > 1;
        b->now += b->c.state == ADDER_MQTT_CLIENT_PAUSE ? b->wait : 1;
    }
}

static void stream_fails_at_each_call(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        for (size_t n = 1;; n++) {
            broker_t broker = {0};
            bench_t b;
            adder_mqtt_sub_t sub = {.route = {.filter = {"in", 2}}, .qos = 2};
            set_up(&b, &broker, version);
            broker.pipe.fail_at = n;
            broker.pipe.chunk = n % 3 == 0 ? 0 : n % 3 * 4;
            begin(&b);
            assert_int_equal(adder_mqtt_client_subscribe(&b.c, &sub), ADDER_OK);
            bool failed = false;
            scenario(&b, &failed);
            for (unsigned i = 0; i < OUT_COUNT; i++) {
                assert_true(i % 2 == 0 ? broker.got[i] >= 1 : broker.got[i] == 1);
                assert_true(i % 2 == 0 ? b.told[16 + i] >= 1 : b.told[16 + i] == 1);
            }
            assert_int_equal(b.done, OUT_COUNT);
            assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
            assert_int_equal(broker.order_errors, 0);
            if (!failed) {
                assert_true(n > 60);
                break;
            }
        }
    }
}

/* ---- power cuts ---- */

/* (`fails`: or operation n fails, and power stays.) The device starts, works, loses its power at operation n
 * of its flash, starts again with what is there, and finishes. What publish() said OK to arrives; QoS 2 once;
 * the counts kept of messages are 1 for QoS 2. */
static bool runs_through_a_cut(uint8_t version, size_t n, bool fails, uint32_t size)
{
    static test_flash_t flash;
    broker_t broker = {0};
    adder_store_log_t log;
    bench_t b;
    uint8_t next = 0, accepted[NUMBERS] = {0}, posted = 0;
    bool cut = false;
    test_flash_init(&flash, size, size / 4, 8);
    flash.cut_at = n;
    flash.seed = (uint32_t)n * 31u;
    flash.fails = fails;
    uint32_t now = 1000;
    for (unsigned boot = 0; boot < 2; boot++) {
        adder_mqtt_sub_t sub = {.route = {.filter = {"in", 2}}, .qos = 2};
        set_up(&b, &broker, version);
        b.now = now;
        assert_int_equal(adder_store_log_open(&log, &flash.flash), ADDER_OK);
        b.config.store = adder_store_log(&log);
        b.config.store_kind = 3;
        b.keeps = true;
        begin(&b);
        assert_int_equal(adder_mqtt_client_subscribe(&b.c, &sub), ADDER_OK);
        for (unsigned i = 0; i < 150 && !(cut && boot == 0); i++) {
            if (next < OUT_COUNT) {
                const adder_err_t err = publish(&b, next, (uint8_t)(1 + next % 2));
                accepted[next] = err == ADDER_OK;
                next = (uint8_t)(next + (err == ADDER_OK || err == ADDER_ERR_IO));
            }
            if (posted < IN_COUNT && broker.connects > 0) {
                broker_post(&broker, (uint8_t)(16 + posted), (uint8_t)(1 + posted % 2));
                posted++;
            }
            step(&b);
            cut = cut || flash.off;
            b.now += b.c.state == ADDER_MQTT_CLIENT_PAUSE ? b.wait : 1;
        }
        now = b.now;
        if (!cut) {
            break;
        }
        flash.off = false; /* power is back */
    }
    for (unsigned i = 0; i < OUT_COUNT; i++) {
        uint8_t kept = 0;
        size_t len;
        assert_true(!accepted[i] || broker.got[i] >= 1);
        assert_true(i % 2 == 0 || broker.got[i] <= 1);
        const adder_store_t *s = &b.config.store;
        assert_int_equal(s->ops->read(s->ctx, (uint32_t)APP << 24 | (16 + i), 0, &kept, 1, &len), ADDER_OK);
        assert_true(i % 2 == 0 ? kept >= 1 : kept == 1);
    }
    for (unsigned i = 0; i < OUTBOX; i++) {
        assert_int_equal(broker.outbox[i].state, OUT_NONE);
    }
    assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
    assert_true(cut || b.c.kept == IN_COUNT);
    uint32_t cursor = 0, key;
    size_t len;
    const adder_store_t *s = &b.config.store;
    while (s->ops->next(s->ctx, &cursor, &key, &len) == ADDER_OK) {
        assert_int_equal(key >> 24, APP); /* nothing of ours is left behind */
    }
    assert_false(flash.broke_rules);
    return flash.ops > n;
}

static void store_is_cut_at_each_write(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        size_t n = 0;
        const uint32_t size = i / 4 == 0 ? 2048 : 768; /* the small one is copied time and again */
        while (runs_through_a_cut(i % 2 == 0 ? 4 : 5, n, i / 2 % 2 == 1, size)) {
            n++;
        }
        assert_true(n > 60);
    }
}

static void store_full_is_told(void **state)
{
    (void)state;
    static test_flash_t flash;
    broker_t broker = {0};
    adder_store_log_t log;
    bench_t b;
    test_flash_init(&flash, 128, 64, 1);
    set_up(&b, &broker, 4);
    assert_int_equal(adder_store_log_open(&log, &flash.flash), ADDER_OK);
    b.config.store = adder_store_log(&log);
    begin(&b);
    assert_int_equal(publish(&b, 1, 1), ADDER_OK);
    assert_int_equal(publish(&b, 2, 2), ADDER_OK);
    assert_int_equal(publish(&b, 3, 1), ADDER_ERR_NOSPACE);
    assert_int_equal(adder_mqtt_client_queued(&b.c), 2);
    steps(&b, 8);
    assert_int_equal(adder_mqtt_client_queued(&b.c), 0);
    assert_true(broker.got[1] == 1 && broker.got[2] == 1);
    assert_int_equal(publish(&b, 3, 1), ADDER_OK);
    assert_int_equal(adder_mqtt_client_keep(&b.c, NULL, 0), ADDER_ERR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_stops),
        cmocka_unit_test(pauses_double_with_a_drawn_half),
        cmocka_unit_test(more_than_its_ids_comes_with_short_pauses),
        cmocka_unit_test(stops_where_asking_again_is_no_use),
        cmocka_unit_test(subscriptions_come_back_with_their_qos),
        cmocka_unit_test(qos_0_is_one_send_and_several_are_gathered),
        cmocka_unit_test(properties_of_the_next_connection),
        cmocka_unit_test(stream_fails_at_each_call),
        cmocka_unit_test(store_is_cut_at_each_write),
        cmocka_unit_test(store_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
