/* Receiving through the engine: answers, pieces, refusals, aliases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_server.h"

/* ---- receiving ---- */

static void messages_come_and_are_answered(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 9; chunk++) {
        server_t s;
        set_up(&s, 5);
        is_on(&s);
        s.chunk = chunk;
        GIVES(&s, 0x31, 7, 0, 1, 't', 0, 'a', 'b', 'c');
        assert_string_equal(s.payload, "abc");
        assert_true(s.piece.retain && s.piece.qos == 0 && s.piece.id == 0);
        GIVES(&s, 0x3a, 13, 0, 1, 't', 0, 9, 6, 0x01, 1, 0x0b, 5, 0x0b, 6, '1');
        assert_true(s.piece.dup && s.piece.qos == 1 && s.piece.id == 9);
        GETS(&s, 0x40, 2, 0, 9);
        GIVES(&s, 0x34, 6, 0, 1, 't', 0, 9, 0);
        assert_int_equal(s.payload_len, 0);
        GIVES(&s, 0x3c, 6, 0, 1, 't', 0, 9, 0); /* again: answered, not told */
        GETS(&s, 0x50, 2, 0, 9, 0x50, 2, 0, 9);
        GIVES(&s, 0x62, 3, 0, 9, 0);
        GIVES(&s, 0x62, 2, 0, 9);
        GETS(&s, 0x70, 2, 0, 9, 0x70, 3, 0, 9, 0x92);
        GIVES(&s, 0x34, 6, 0, 1, 't', 0, 9, 0); /* a new one of that id */
        GETS(&s, 0x50, 2, 0, 9);
        assert_int_equal(s.n_messages, 4);
    }
}

static void a_long_message_comes_in_pieces(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 200; chunk += 33) {
        for (uint8_t qos = 0; qos < 3; qos++) {
            server_t s;
            uint8_t packet[908];
            set_up(&s, 4);
            is_on(&s);
            s.chunk = chunk;
            const unsigned head = 8 + (qos > 0 ? 2 : 0);
            const uint8_t begin[] = {(uint8_t)(0x30 | qos << 1),
                                     (uint8_t)(128 | ((sizeof packet - 3) & 127)),
                                     (sizeof packet - 3) >> 7,
                                     0,
                                     3,
                                     'a',
                                     '/',
                                     'b',
                                     0,
                                     4};
            memcpy(packet, begin, head);
            for (size_t i = head; i < sizeof packet; i++) {
                packet[i] = (uint8_t)('0' + i % 10);
            }
            for (unsigned round = 0; round < 2; round++) {
                give(&s, packet, sizeof packet);
                assert_string_equal(s.topic, "a/b");
                assert_int_equal(s.payload_len, sizeof packet - head);
                assert_memory_equal(s.payload, packet + head, sizeof packet - head);
                if (qos == 1) {
                    GETS(&s, 0x40, 2, 0, 4);
                } else if (qos == 2) {
                    GETS(&s, 0x50, 2, 0, 4);
                }
                assert_int_equal(s.n_messages, qos == 2 ? 1 : round + 1);
            }
            assert_true(s.n_pieces > 7);
            GIVES(&s, 0x30, 4, 0, 1, 'z', '!');
            assert_string_equal(s.payload, "!");
        }
    }
}

static void a_topic_that_does_not_fit_ends_it(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    is_on(&s);
    uint8_t packet[300];
    memset(packet, 'a', sizeof packet);
    memcpy(packet, (uint8_t[]){0x30, 0xa9, 2, 0, 250}, 5);
    assert_int_equal(give(&s, packet, sizeof packet), ADDER_ERR_NOMEM);
    GETS(&s, 0xe0, 1, ADDER_MQTT_REASON_QUOTA_EXCEEDED);
}

static void a_message_is_offered_until_it_is_taken(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    s.message_result = ADDER_ERR_AGAIN;
    GIVES(&s, 0x32, 6, 0, 1, 't', 0, 3, 'x');
    gets_nothing(&s);
    assert_int_equal(s.n_messages, 0);
    s.message_result = ADDER_OK;
    assert_int_equal(tick(&s), ADDER_OK);
    assert_int_equal(s.n_messages, 1);
    GETS(&s, 0x40, 2, 0, 3);
}

static void v5_a_message_is_refused(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    is_on(&s);
    s.message_result = ADDER_ERR_FORMAT;
    GIVES(&s, 0x32, 6, 0, 1, 't', 0, 3, 0);
    s.message_result = ADDER_ERR_NOMEM;
    GIVES(&s, 0x34, 6, 0, 1, 't', 0, 4, 0);
    GETS(&s, 0x40, 3, 0, 3, 0x99, 0x50, 3, 0, 4, 0x97);
    GIVES(&s, 0x62, 2, 0, 4); /* its id is free: nothing was taken */
    GETS(&s, 0x70, 3, 0, 4, 0x92);
}

static void v5_topic_aliases_in(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    is_on(&s);
    GIVES(&s, 0x30, 9, 0, 3, 'a', '/', 'b', 3, 0x23, 0, 2);
    GIVES(&s, 0x30, 7, 0, 0, 3, 0x23, 0, 2, '!');
    assert_string_equal(s.topic, "a/b");
    assert_string_equal(s.payload, "!");
    GIVES(&s, 0x30, 7, 0, 1, 'c', 3, 0x23, 0, 2);
    GIVES(&s, 0x30, 6, 0, 0, 3, 0x23, 0, 2);
    assert_string_equal(s.topic, "c");
    adder_mqtt_lost(&s.m);
    is_on(&s);
    assert_int_equal(GIVES(&s, 0x30, 6, 0, 0, 3, 0x23, 0, 2), ADDER_ERR_FORMAT); /* [MQTT-3.3.2-7] */
}

static void nothing_follows_a_disconnect_from_a_callback(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    s.disconnects = true;
    assert_int_equal(GIVES(&s, 0x32, 5, 0, 1, 't', 0, 3), ADDER_ERR_CLOSED);
    GETS(&s, 0xe0, 0); /* [MQTT-3.14.4-1] */
    assert_int_equal(s.m.state, ADDER_MQTT_OVER);
}

static void an_event_that_fails_ends_it_before_the_answer(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t two = {.topic = str("b"), .qos = 2};
    uint8_t out[32];
    assert_int_equal(adder_mqtt_publish(&s.m, &two, NULL), ADDER_OK);
    drain(&s, out, sizeof out, 0);
    s.event_result = ADDER_ERR_IO;
    assert_int_equal(GIVES(&s, 0x50, 2, 0, 1), ADDER_ERR_IO);
    gets_nothing(&s);
    assert_true(adder_mqtt_holds(&s.m, &two));
    s.event_result = ADDER_OK;
    adder_mqtt_lost(&s.m);
    s.o.clean = false;
    connects(&s);
    GIVES(&s, 0x20, 2, 1, 0);
    GETS(&s, 0x3c, 5, 0, 1, 'b', 0, 1);
}

/* ---- more messages than ids ---- */

/* A PUBLISH of topic "t", and its answer if it has one. */
static adder_err_t comes(server_t *s, uint8_t first, uint8_t id)
{
    return s->o.version == 5 ? GIVES(s, first, 6, 0, 1, 't', 0, id, 0) : GIVES(s, first, 5, 0, 1, 't', 0, id);
}

static void fills_its_ids(server_t *s, uint8_t version)
{
    set_up(s, version);
    s->o.clean = false;
    is_on(s);
    for (uint8_t id = 1; id <= IDS; id++) {
        assert_int_equal(comes(s, 0x34, id), ADDER_OK);
        GETS(s, 0x50, 2, 0, id);
    }
}

static void comes_back(server_t *s)
{
    adder_mqtt_lost(&s->m);
    connects(s);
    assert_int_equal(s->o.version == 5 ? GIVES(s, 0x20, 3, 1, 0, 0) : GIVES(s, 0x20, 2, 1, 0), ADDER_OK);
}

/* [MQTT-3.3.4-9] What has no room is left out, with all behind it; it comes again on the next connection, for
 * which there is room by then. */
static void mqtt_3_3_4_9_what_has_no_id_is_left_out_until_the_next_connection(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        server_t s;
        fills_its_ids(&s, version);
        assert_int_equal(comes(&s, 0x34, 4), ADDER_OK);
        GETS(&s, 0xc0, 0); /* whether all has come that was on its way */
        assert_int_equal(comes(&s, 0x32, 5), ADDER_OK);
        assert_int_equal(GIVES(&s, 0x62, 2, 0, 2), ADDER_OK);
        GETS(&s, 0x70, 2, 0, 2);
        assert_int_equal(comes(&s, 0x34, 6), ADDER_OK); /* there is room again, but in order */
        assert_int_equal(comes(&s, 0x3c, 3), ADDER_OK); /* this one is known */
        GETS(&s, 0x50, 2, 0, 3);
        assert_int_equal(GIVES(&s, 0xd0, 0), ADDER_OK);
        assert_int_equal(GIVES(&s, 0x62, 2, 0, 1), ADDER_OK);
        GETS(&s, 0x70, 2, 0, 1);
        assert_int_equal(s.n_messages, IDS);
        assert_int_equal(GIVES(&s, 0x62, 2, 0, 3), ADDER_ERR_NOMEM); /* the last one of them */
        assert_int_equal(s.m.reason, ADDER_MQTT_REASON_RECEIVE_MAXIMUM);
        if (version == 5) {
            GETS(&s, 0x70, 2, 0, 3, 0xe0, 1, ADDER_MQTT_REASON_RECEIVE_MAXIMUM);
        }
        comes_back(&s);
        if (version == 4) { /* what was not answered comes again */
            assert_int_equal(GIVES(&s, 0x62, 2, 0, 3), ADDER_OK);
            GETS(&s, 0x70, 2, 0, 3);
        }
        for (uint8_t id = 4; id <= 6; id++) {
            assert_int_equal(comes(&s, id == 5 ? 0x3a : 0x3c, id), ADDER_OK);
            GETS(&s, id == 5 ? 0x40 : 0x50, 2, 0, id);
        }
        assert_int_equal(s.n_messages, IDS + 3);
    }
}

/* A server that was killed may have forgotten messages that it sent: their ids are not kept for ever. What is
 * new comes behind what is sent again. */
static void ids_that_a_server_has_forgotten_are_dropped_when_there_is_need(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        server_t s;
        fills_its_ids(&s, version);
        comes_back(&s);
        assert_int_equal(comes(&s, 0x3c, 2), ADDER_OK); /* this one it knows */
        GETS(&s, 0x50, 2, 0, 2);
        s.n_events = 0;
        assert_int_equal(comes(&s, 0x34, 9), ADDER_OK);
        GETS(&s, 0x50, 2, 0, 9);
        assert_int_equal(s.n_events, 2); /* and a store can forget them too */
        assert_true(s.events[0].kind == ADDER_MQTT_RELEASED && s.events[1].kind == ADDER_MQTT_RELEASED);
        assert_int_equal(s.events[0].id + s.events[1].id, 1 + 3);
        assert_int_equal(comes(&s, 0x3c, 2), ADDER_OK); /* still known */
        GETS(&s, 0x50, 2, 0, 2);
        assert_int_equal(s.n_messages, IDS + 1);
    }
}

/* A server may send again some at first and the others later: none is dropped while another place is free. */
static void ids_are_kept_where_the_server_may_still_name_them(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        server_t s;
        fills_its_ids(&s, version);
        comes_back(&s);
        assert_int_equal(comes(&s, 0x3c, 7), ADDER_OK); /* it had been released, and the server forgot that */
        GETS(&s, 0xc0, 0);
        assert_int_equal(comes(&s, 0x3c, 2), ADDER_OK);
        GETS(&s, 0x50, 2, 0, 2);
        assert_int_equal(GIVES(&s, 0xd0, 0), ADDER_OK);
        assert_int_equal(GIVES(&s, 0x62, 2, 0, 2), ADDER_ERR_NOMEM);
        comes_back(&s);
        assert_int_equal(comes(&s, 0x3c, 7), ADDER_OK); /* to the place of 2 */
        GETS(&s, 0x50, 2, 0, 7);
        assert_int_equal(comes(&s, 0x3c, 1), ADDER_OK);
        assert_int_equal(comes(&s, 0x3c, 3), ADDER_OK);
        GETS(&s, 0x50, 2, 0, 1, 0x50, 2, 0, 3);
        assert_int_equal(s.n_messages, IDS + 1);
        /* But if it names none of them, and there is no other way on: */
        comes_back(&s);
        assert_int_equal(comes(&s, 0x3c, 8), ADDER_OK);
        GETS(&s, 0xc0, 0);
        s.n_events = 0;
        assert_int_equal(GIVES(&s, 0xd0, 0), ADDER_ERR_NOMEM);
        assert_int_equal(s.n_events, IDS + 1); /* PONG */
        comes_back(&s);
        assert_int_equal(comes(&s, 0x3c, 8), ADDER_OK);
        GETS(&s, 0x50, 2, 0, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_and_are_answered),
        cmocka_unit_test(a_long_message_comes_in_pieces),
        cmocka_unit_test(a_topic_that_does_not_fit_ends_it),
        cmocka_unit_test(a_message_is_offered_until_it_is_taken),
        cmocka_unit_test(v5_a_message_is_refused),
        cmocka_unit_test(v5_topic_aliases_in),
        cmocka_unit_test(nothing_follows_a_disconnect_from_a_callback),
        cmocka_unit_test(an_event_that_fails_ends_it_before_the_answer),
        cmocka_unit_test(mqtt_3_3_4_9_what_has_no_id_is_left_out_until_the_next_connection),
        cmocka_unit_test(ids_that_a_server_has_forgotten_are_dropped_when_there_is_need),
        cmocka_unit_test(ids_are_kept_where_the_server_may_still_name_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
