/* Publishing through the engine: packets as they leave, sessions, flow, long payloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_server.h"

/* ---- publishing ---- */

static void qos_0_is_one_piece_and_small_ones_are_gathered(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    uint16_t id = 99;
    adder_mqtt_msg_t msg = {.topic = str("a/b"), .payload = (const uint8_t *)"xyz", .payload_len = 3};
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, &id), ADDER_OK);
    assert_int_equal(id, 0);
    assert_false(adder_mqtt_holds(&s.m, &msg));
    msg.retain = true;
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    const uint8_t *bytes;
    size_t len;
    assert_true(adder_mqtt_out(&s.m, &bytes, &len));
    assert_int_equal(len, 20);
    GETS(&s, 0x30, 8, 0, 3, 'a', '/', 'b', 'x', 'y', 'z', 0x31, 8, 0, 3, 'a', '/', 'b', 'x', 'y', 'z');
}

static void publish_refuses_what_may_not_be(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    const adder_mqtt_msg_t ok = {.topic = str("t")};
    assert_int_equal(adder_mqtt_publish(&s.m, &ok, NULL), ADDER_ERR_STATE);
    is_on(&s);
    const uint8_t sub_id[] = {0x0b, 1};
    const adder_mqtt_msg_t bad[] = {
        {.topic = str("")},
        {.topic = str("a/#")},
        {.topic = str("\xc3")},
        {.topic = str("t"), .qos = 3},
        {.topic = str("t"), .props = {sub_id, 2}}, /* [MQTT-3.3.4-6] */
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(adder_mqtt_publish(&s.m, &bad[i], NULL), ADDER_ERR_ARG);
    }
    memset(s.payload, 'a', 200);
    const adder_mqtt_msg_t wide = {.topic = {s.payload, 200}};
    assert_int_equal(adder_mqtt_publish(&s.m, &wide, NULL), ADDER_ERR_NOSPACE);
    const adder_mqtt_msg_t endless = {.topic = str("t"), .payload = s.rx, .payload_len = 268435455};
    assert_int_equal(adder_mqtt_publish(&s.m, &endless, NULL), ADDER_ERR_RANGE);
    gets_nothing(&s);
}

static void qos_1_and_2_to_their_end(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        server_t s;
        set_up(&s, version);
        is_on(&s);
        const adder_mqtt_msg_t one = {.topic = str("a"), .qos = 1}, two = {.topic = str("b"), .qos = 2};
        uint16_t id;
        assert_int_equal(adder_mqtt_publish(&s.m, &one, &id), ADDER_OK);
        assert_int_equal(id, 1);
        assert_int_equal(adder_mqtt_publish(&s.m, &two, &id), ADDER_OK);
        assert_int_equal(id, 2);
        if (version == 4) {
            GETS(&s, 0x32, 5, 0, 1, 'a', 0, 1, 0x34, 5, 0, 1, 'b', 0, 2);
        } else {
            GETS(&s, 0x32, 6, 0, 1, 'a', 0, 1, 0, 0x34, 6, 0, 1, 'b', 0, 2, 0);
        }
        assert_true(adder_mqtt_holds(&s.m, &one) && adder_mqtt_holds(&s.m, &two));
        assert_int_equal(GIVES(&s, 0x50, 2, 0, 2), ADDER_OK);
        assert_int_equal(last_event(&s).kind, ADDER_MQTT_RECEIVED);
        GETS(&s, 0x62, 2, 0, 2);
        assert_int_equal(GIVES(&s, 0x50, 2, 0, 2), ADDER_OK); /* once more: PUBREL once more */
        GETS(&s, 0x62, 2, 0, 2);
        assert_int_equal(GIVES(&s, 0x70, 2, 0, 2), ADDER_OK);
        assert_ptr_equal(last_event(&s).msg, &two);
        assert_int_equal(last_event(&s).kind, ADDER_MQTT_DONE);
        assert_int_equal(GIVES(&s, 0x40, 2, 0, 1), ADDER_OK);
        assert_ptr_equal(last_event(&s).msg, &one);
        assert_int_equal(s.n_events, 4);
        assert_false(adder_mqtt_holds(&s.m, &one) || adder_mqtt_holds(&s.m, &two));
        gets_nothing(&s);
    }
}

static void v5_refusals_and_forgotten_ids(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    is_on(&s);
    const adder_mqtt_msg_t one = {.topic = str("a"), .qos = 1}, two = {.topic = str("b"), .qos = 2};
    assert_int_equal(adder_mqtt_publish(&s.m, &one, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &two, NULL), ADDER_OK);
    uint8_t out[64];
    drain(&s, out, sizeof out, 0);
    assert_int_equal(GIVES(&s, 0x40, 8, 0, 1, 0x97, 4, 0x1f, 0, 1, '!'), ADDER_OK);
    assert_true(last_event(&s).kind == ADDER_MQTT_DONE && last_event(&s).reason == 0x97);
    assert_int_equal(last_event(&s).props.len, 4);
    assert_int_equal(GIVES(&s, 0x50, 3, 0, 2, 0x87), ADDER_OK); /* no PUBREL follows (4.3.3) */
    assert_true(last_event(&s).kind == ADDER_MQTT_DONE && last_event(&s).reason == 0x87);
    gets_nothing(&s);
    assert_int_equal(GIVES(&s, 0x50, 2, 0, 9), ADDER_OK); /* of a session that is gone */
    GETS(&s, 0x62, 3, 0, 9, 0x92);
    assert_int_equal(GIVES(&s, 0x62, 2, 0, 9), ADDER_OK);
    GETS(&s, 0x70, 3, 0, 9, 0x92);
}

static void sessions_resume_in_order(void **state)
{
    (void)state;
    for (unsigned present = 0; present < 2; present++) {
        server_t s;
        set_up(&s, 4);
        s.o.clean = false;
        is_on(&s);
        adder_mqtt_msg_t msgs[4] = {{.topic = str("a"), .qos = 2},
                                    {.topic = str("b"), .qos = 2},
                                    {.topic = str("c"), .qos = 1},
                                    {.topic = str("d"), .qos = 2}};
        uint8_t out[128];
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(adder_mqtt_publish(&s.m, &msgs[i], NULL), ADDER_OK);
        }
        assert_int_equal(adder_mqtt_publish(&s.m, &msgs[0], NULL), ADDER_ERR_AGAIN);
        drain(&s, out, sizeof out, 0);
        GIVES(&s, 0x50, 2, 0, 4); /* PUBREC out of order: PUBREL in its order [MQTT-4.6.0-4] */
        GIVES(&s, 0x50, 2, 0, 1);
        GIVES(&s, 0x34, 5, 0, 1, 'x', 0, 7); /* and one comes in */
        GETS(&s, 0x62, 2, 0, 4, 0x62, 2, 0, 1, 0x50, 2, 0, 7);
        adder_mqtt_lost(&s.m);
        assert_true(adder_mqtt_holds(&s.m, &msgs[2]));
        connects(&s);
        s.n_events = 0;
        assert_int_equal(GIVES(&s, 0x20, 2, (uint8_t)present, 0), ADDER_OK);
        if (present) {
            GETS(&s, 0x62, 2, 0, 4, 0x62, 2, 0, 1, 0x3c, 5, 0, 1, 'b', 0, 2, 0x3a, 5, 0, 1, 'c', 0, 3);
            assert_int_equal(s.n_messages, 1);
            GIVES(&s, 0x3c, 5, 0, 1, 'x', 0, 7); /* the one that came again is not told again */
            GETS(&s, 0x50, 2, 0, 7);
            assert_int_equal(s.n_messages, 1);
        } else { /* the released ones are over, the others published anew, without DUP */
            assert_int_equal(s.n_events, 3);
            assert_ptr_equal(s.events[0].msg, &msgs[3]);
            assert_ptr_equal(s.events[1].msg, &msgs[0]);
            assert_int_equal(s.events[2].kind, ADDER_MQTT_CONNECTED);
            GETS(&s, 0x34, 5, 0, 1, 'b', 0, 2, 0x32, 5, 0, 1, 'c', 0, 3);
            GIVES(&s, 0x34, 5, 0, 1, 'x', 0, 7); /* a new message of that id */
            assert_int_equal(s.n_messages, 2);
        }
    }
}

static void sessions_are_restored_from_a_store(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    s.o.clean = false;
    adder_mqtt_msg_t a = {.topic = str("a"), .qos = 2}, b = {.topic = str("b"), .qos = 1};
    assert_int_equal(adder_mqtt_publish_as(&s.m, &b, 5, true), ADDER_OK);
    assert_int_equal(adder_mqtt_restore_released(&s.m, &a, 6), ADDER_OK);
    assert_int_equal(adder_mqtt_restore_id(&s.m, 8), ADDER_OK);
    assert_int_equal(adder_mqtt_publish_as(&s.m, &a, 5, true), ADDER_ERR_ARG);
    assert_int_equal(adder_mqtt_publish_as(&s.m, &a, 0, true), ADDER_ERR_ARG);
    assert_int_equal(adder_mqtt_restore_released(&s.m, &a, 6), ADDER_ERR_ARG);
    assert_int_equal(adder_mqtt_restore_id(&s.m, 8), ADDER_ERR_ARG);
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 2, 1, 0), ADDER_OK);
    GETS(&s, 0x62, 2, 0, 6, 0x3a, 5, 0, 1, 'b', 0, 5);
    GIVES(&s, 0x3c, 5, 0, 1, 'x', 0, 8);
    assert_int_equal(s.n_messages, 0);
    GETS(&s, 0x50, 2, 0, 8);
    GIVES(&s, 0x62, 2, 0, 8);
    GETS(&s, 0x70, 2, 0, 8);
    assert_int_equal(last_event(&s).kind, ADDER_MQTT_RELEASED);
}

static void ids_wrap_past_those_in_use(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t first = {.topic = str("a"), .qos = 1}, again = {.topic = str("b"), .qos = 1};
    uint8_t out[64];
    uint16_t id;
    assert_int_equal(adder_mqtt_publish(&s.m, &first, &id), ADDER_OK);
    assert_int_equal(id, 1);
    for (unsigned i = 2; i <= 65535; i++) {
        assert_int_equal(adder_mqtt_publish(&s.m, &again, &id), ADDER_OK);
        assert_int_equal(id, i);
        drain(&s, out, sizeof out, 0);
        assert_int_equal(GIVES(&s, 0x40, 2, (uint8_t)(i >> 8), (uint8_t)i), ADDER_OK);
        s.n_events = 0;
    }
    assert_int_equal(adder_mqtt_publish(&s.m, &again, &id), ADDER_OK);
    assert_int_equal(id, 2); /* 1 is still under way */
}

static void receive_maximum_holds_messages_back(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 6, 0, 0, 3, 0x21, 0, 1), ADDER_OK);
    const adder_mqtt_msg_t a = {.topic = str("a"), .qos = 2}, b = {.topic = str("b"), .qos = 1};
    const adder_mqtt_msg_t c = {.topic = str("c")};
    assert_int_equal(adder_mqtt_publish(&s.m, &a, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &b, NULL), ADDER_OK);
    GETS(&s, 0x34, 6, 0, 1, 'a', 0, 1, 0); /* [MQTT-3.3.4-7] */
    assert_int_equal(adder_mqtt_publish(&s.m, &c, NULL), ADDER_OK);
    GETS(&s, 0x30, 4, 0, 1, 'c', 0); /* QoS 0 is not counted */
    GIVES(&s, 0x50, 2, 0, 1);
    GETS(&s, 0x62, 2, 0, 1);
    GIVES(&s, 0x70, 2, 0, 1);
    GETS(&s, 0x32, 6, 0, 1, 'b', 0, 2, 0);
}

static void what_another_server_does_not_take_is_over(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    s.o.clean = false;
    is_on(&s);
    const adder_mqtt_msg_t one = {.topic = str("a"), .qos = 1}, two = {.topic = str("b"), .qos = 2};
    const adder_mqtt_msg_t large = {
        .topic = str("c"), .payload = (const uint8_t *)s.payload, .payload_len = 90, .qos = 1};
    uint8_t out[256];
    assert_int_equal(adder_mqtt_publish(&s.m, &one, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &two, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &large, NULL), ADDER_OK);
    drain(&s, out, sizeof out, 0);
    adder_mqtt_lost(&s.m);
    connects(&s);
    s.n_events = 0;
    /* Receive maximum 1, QoS 1 at most, packets of 50 bytes. */
    assert_int_equal(GIVES(&s, 0x20, 13, 1, 0, 10, 0x21, 0, 1, 0x24, 1, 0x27, 0, 0, 0, 50), ADDER_OK);
    assert_int_equal(s.n_events, 2);
    assert_true(s.events[1].msg == &two && s.events[1].reason == ADDER_MQTT_REASON_QOS_UNSUPPORTED);
    GETS(&s, 0x3a, 6, 0, 1, 'a', 0, 1, 0);
    assert_int_equal(GIVES(&s, 0x40, 2, 0, 1), ADDER_OK);
    assert_int_equal(s.n_events, 4);
    assert_true(s.events[3].msg == &large && s.events[3].reason == ADDER_MQTT_REASON_TOO_LARGE);
    gets_nothing(&s);
}

static void v5_topic_aliases_out(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 6, 0, 0, 3, 0x22, 0, 1), ADDER_OK);
    const adder_mqtt_msg_t a = {.topic = str("abc"), .alias = 1}, b = {.topic = str("abc"), .alias = 2};
    assert_int_equal(adder_mqtt_publish(&s.m, &a, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &a, NULL), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &b, NULL), ADDER_OK); /* above the maximum [MQTT-3.3.2-9] */
    GETS(&s, 0x30, 9, 0, 3, 'a', 'b', 'c', 3, 0x23, 0, 1, 0x30, 6, 0, 0, 3, 0x23, 0, 1, 0x30, 6, 0, 3, 'a',
         'b', 'c', 0);
    adder_mqtt_lost(&s.m); /* aliases end with the connection [MQTT-3.3.2-7] */
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 6, 0, 0, 3, 0x22, 0, 1), ADDER_OK);
    assert_int_equal(adder_mqtt_publish(&s.m, &a, NULL), ADDER_OK);
    GETS(&s, 0x30, 9, 0, 3, 'a', 'b', 'c', 3, 0x23, 0, 1);
}

/* ---- long payloads ---- */

static void a_long_payload_leaves_from_where_it_is(void **state)
{
    (void)state;
    server_t s;
    static uint8_t payload[1000];
    for (unsigned i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(i * 7);
    }
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t msg = {.topic = str("t"), .payload = payload, .payload_len = 1000};
    const adder_mqtt_msg_t small = {.topic = str("s"), .qos = 1};
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    assert_true(adder_mqtt_holds(&s.m, &msg));
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_ERR_AGAIN); /* one at a time */
    const uint8_t *bytes;
    size_t len;
    assert_true(adder_mqtt_out(&s.m, &bytes, &len));
    assert_int_equal(len, 6);
    adder_mqtt_out_done(&s.m, 3); /* in the middle of the head something else is to be said */
    assert_int_equal(adder_mqtt_publish(&s.m, &small, NULL), ADDER_OK);
    assert_int_equal(GIVES(&s, 0x32, 5, 0, 1, 'x', 0, 3), ADDER_OK);
    assert_true(adder_mqtt_out(&s.m, &bytes, &len));
    assert_int_equal(len, 3);
    adder_mqtt_out_done(&s.m, 3);
    assert_true(adder_mqtt_out(&s.m, &bytes, &len));
    assert_ptr_equal(bytes, payload);
    assert_int_equal(len, 1000);
    adder_mqtt_out_done(&s.m, 999);
    assert_true(adder_mqtt_out(&s.m, &bytes, &len));
    assert_ptr_equal(bytes, payload + 999);
    adder_mqtt_out_done(&s.m, 1);
    assert_false(adder_mqtt_holds(&s.m, &msg));
    GETS(&s, 0x32, 5, 0, 1, 's', 0, 1, 0x40, 2, 0, 3); /* and it comes behind */
}

typedef struct {
    unsigned agains, calls;
    adder_err_t fails;
} source_t;

static adder_err_t read_source(void *ctx, uint32_t offset, uint8_t *buf, size_t cap, size_t *n_out)
{
    source_t *source = ctx;
    if (source->fails != ADDER_OK) {
        return source->fails;
    }
    if (source->calls++ % 2 < source->agains) {
        return ADDER_ERR_AGAIN;
    }
    const size_t n = cap > 50 ? 50 : cap;
    for (size_t i = 0; i < n; i++) {
        buf[i] = (uint8_t)((offset + i) * 3);
    }
    *n_out = n;
    return ADDER_OK;
}

static void a_payload_is_read_in_pieces_and_again(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 60; chunk += 7) {
        server_t s;
        set_up(&s, 4);
        s.o.clean = false;
        is_on(&s);
        source_t source = {.agains = 1};
        uint8_t out[2048];
        const adder_mqtt_msg_t msg = {
            .topic = str("t"), .payload_len = 700, .read = read_source, .read_ctx = &source, .qos = 1};
        assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
        for (unsigned round = 0; round < 2; round++) {
            size_t n = 0, got;
            unsigned quiet = 0;
            while (quiet < 3) {
                got = drain(&s, out + n, sizeof out - n, chunk);
                quiet = got > 0 ? 0 : quiet + 1;
                n += got;
                if (n > 300 && n < 400 && round == 0) {
                    break;
                }
            }
            if (round == 0) { /* cut in the middle: all of it again */
                adder_mqtt_lost(&s.m);
                connects(&s);
                assert_int_equal(GIVES(&s, 0x20, 2, 1, 0), ADDER_OK);
                continue;
            }
            assert_int_equal(n, 708);
            assert_int_equal(out[0], 0x3a);
            for (unsigned i = 0; i < 700; i++) {
                assert_int_equal(out[8 + i], (uint8_t)(i * 3));
            }
        }
        assert_int_equal(GIVES(&s, 0x40, 2, 0, 1), ADDER_OK);
        assert_ptr_equal(last_event(&s).msg, &msg);
    }
}

static void a_payload_that_cannot_be_read_ends_it(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    is_on(&s);
    source_t source = {.fails = ADDER_ERR_IO};
    const adder_mqtt_msg_t msg = {
        .topic = str("t"), .payload_len = 700, .read = read_source, .read_ctx = &source, .qos = 1};
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    uint8_t out[64];
    assert_int_equal(drain(&s, out, sizeof out, 0), 9); /* no DISCONNECT into a packet that is not whole */
    assert_int_equal(tick(&s), ADDER_ERR_IO);
    assert_int_equal(s.m.state, ADDER_MQTT_OVER);
    assert_true(adder_mqtt_holds(&s.m, &msg));
}

/* As a pump does it that ticks only when it is told to. */
static void what_waits_for_room_wants_a_tick(void **state)
{
    (void)state;
    server_t s;
    uint8_t out[512];
    adder_mqtt_wants_t wants;
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t msg = {
        .topic = str("t"), .payload = (const uint8_t *)s.payload, .payload_len = 100, .qos = 1};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    }
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
        n += drain(&s, out, sizeof out, 0);
        adder_mqtt_wants(&s.m, s.now, &wants);
        assert_int_equal(wants.wait_ms, i == 0 ? 0 : 45000);
        assert_int_equal(tick(&s), ADDER_OK);
    }
    assert_int_equal(n, 4 * 107);
}

static void puback_before_the_payload_is_gone_breaks_the_protocol(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t msg = {
        .topic = str("t"), .payload = (const uint8_t *)s.payload, .payload_len = 700, .qos = 1};
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    assert_int_equal(GIVES(&s, 0x40, 2, 0, 1), ADDER_ERR_FORMAT);
    assert_int_equal(s.n_events, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qos_0_is_one_piece_and_small_ones_are_gathered),
        cmocka_unit_test(publish_refuses_what_may_not_be),
        cmocka_unit_test(qos_1_and_2_to_their_end),
        cmocka_unit_test(v5_refusals_and_forgotten_ids),
        cmocka_unit_test(sessions_resume_in_order),
        cmocka_unit_test(sessions_are_restored_from_a_store),
        cmocka_unit_test(ids_wrap_past_those_in_use),
        cmocka_unit_test(receive_maximum_holds_messages_back),
        cmocka_unit_test(what_another_server_does_not_take_is_over),
        cmocka_unit_test(v5_topic_aliases_out),
        cmocka_unit_test(a_long_payload_leaves_from_where_it_is),
        cmocka_unit_test(a_payload_is_read_in_pieces_and_again),
        cmocka_unit_test(a_payload_that_cannot_be_read_ends_it),
        cmocka_unit_test(what_waits_for_room_wants_a_tick),
        cmocka_unit_test(puback_before_the_payload_is_gone_breaks_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
