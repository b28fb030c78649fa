/* The engine as it should be used: packets as they leave, sessions, long payloads, flow, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_server.h"

/* ---- CONNECT ---- */

static void connect_311_with_everything(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    const adder_mqtt_msg_t will = {
        .topic = str("w"), .payload = (const uint8_t *)"bye", .payload_len = 3, .qos = 1, .retain = true};
    s.o = (adder_mqtt_connect_t){
        .client_id = str("id"), .user = str("u"), .password = str("pw"), .will = &will, .keep_alive_s = 300};
    assert_int_equal(adder_mqtt_connect(&s.m, &s.o, s.now), ADDER_OK);
    GETS(&s, 0x10, 29, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xec, 1, 44, 0, 2, 'i', 'd', 0, 1, 'w', 0, 3, 'b', 'y',
         'e', 0, 1, 'u', 0, 2, 'p', 'w');
    assert_int_equal(adder_mqtt_connect(&s.m, &s.o, s.now), ADDER_ERR_STATE);
    assert_int_equal(GIVES(&s, 0x20, 2, 1, 0), ADDER_OK);
    assert_true(s.m.session_present && s.m.state == ADDER_MQTT_ON);
}

static void connect_5_with_everything(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    s.c.packet_max = 0x1234;
    const uint8_t delay[] = {0x18, 0, 0, 0, 5}, user[] = {0x26, 0, 1, 'a', 0, 1, 'b'};
    const adder_mqtt_msg_t will = {.topic = str("w"), .props = {delay, sizeof delay}};
    s.o.will = &will;
    s.o.session_expiry_s = 60;
    s.o.props = (adder_mqtt_props_t){user, sizeof user};
    assert_int_equal(adder_mqtt_connect(&s.m, &s.o, s.now), ADDER_OK);
    GETS(&s, 0x10, 49, 0, 4, 'M', 'Q', 'T', 'T', 5, 6, 0, 60, 23, 0x11, 0, 0, 0, 60, 0x21, 0, 3, 0x27, 0, 0,
         0x12, 0x34, 0x22, 0, 2, 0x26, 0, 1, 'a', 0, 1, 'b', 0, 2, 'm', 'e', 5, 0x18, 0, 0, 0, 5, 0, 1, 'w',
         0, 0);
    /* Every property of CONNACK. */
    assert_int_equal(GIVES(&s, 0x20, 61, 0, 0, 58, 0x11, 0, 0, 0, 9, 0x21, 0, 7, 0x24, 1, 0x25, 0, 0x27, 0, 0,
                           1, 0, 0x12, 0, 1, 'x', 0x22, 0, 4, 0x1f, 0, 1, 'r', 0x26, 0, 1, 'k', 0, 1, 'v',
                           0x28, 0, 0x29, 0, 0x2a, 0, 0x13, 0, 30, 0x1a, 0, 1, 'i', 0x1c, 0, 1, 's', 0x26, 0,
                           0, 0, 1, 'z'),
                     ADDER_OK);
    assert_int_equal(s.m.server.session_expiry_s, 9);
    assert_int_equal(s.m.server.receive_max, 7);
    assert_int_equal(s.m.server.qos_max, 1);
    assert_int_equal(s.m.server.packet_max, 256);
    assert_int_equal(s.m.server.alias_max, 4);
    assert_int_equal(s.m.server.keep_alive_s, 30);
    assert_true(s.m.server.no_retain && s.m.server.no_wildcards && s.m.server.no_sub_ids &&
                s.m.server.no_shared);
    /* What the server does not take is refused before it leaves [MQTT-3.2.2-11], [MQTT-3.2.2-14]. */
    const adder_mqtt_msg_t qos2 = {.topic = str("t"), .qos = 2}, kept = {.topic = str("t"), .retain = true};
    const adder_mqtt_msg_t large = {.topic = str("t"), .payload = s.rx, .payload_len = 300};
    const adder_mqtt_filter_t wild = {.filter = str("a/#")}, shared = {.filter = str("$share/g/a")};
    assert_int_equal(adder_mqtt_publish(&s.m, &qos2, NULL), ADDER_ERR_UNSUPPORTED);
    assert_int_equal(adder_mqtt_publish(&s.m, &kept, NULL), ADDER_ERR_UNSUPPORTED);
    assert_int_equal(adder_mqtt_publish(&s.m, &large, NULL), ADDER_ERR_RANGE); /* [MQTT-3.2.2-15] */
    assert_int_equal(adder_mqtt_subscribe(&s.m, &wild, 1, no_props, NULL), ADDER_ERR_UNSUPPORTED);
    assert_int_equal(adder_mqtt_subscribe(&s.m, &shared, 1, no_props, NULL), ADDER_ERR_UNSUPPORTED);
    gets_nothing(&s);
}

static void connect_sends_a_long_password_from_where_it_is(void **state)
{
    (void)state;
    server_t s;
    static char password[1500];
    memset(password, 'p', sizeof password);
    set_up(&s, 4);
    s.o.user = str("u");
    s.o.password = (adder_mqtt_str_t){password, sizeof password};
    assert_int_equal(adder_mqtt_connect(&s.m, &s.o, s.now), ADDER_OK);
    uint8_t out[2048];
    const size_t n = drain(&s, out, sizeof out, 100);
    assert_int_equal(n, 1 + 2 + 10 + 4 + 3 + 2 + 1500);
    assert_int_equal(out[1] & 127, (n - 3) & 127);
    assert_int_equal(out[2], (n - 3) >> 7);
    assert_int_equal(out[20] << 8 | out[21], 1500);
    for (size_t i = 22; i < n; i++) {
        assert_int_equal(out[i], 'p');
    }
    assert_int_equal(GIVES(&s, 0x20, 2, 0, 0), ADDER_OK);
}

static void connect_refuses_what_may_not_be(void **state)
{
    (void)state;
    server_t s;
    const uint8_t alias[] = {0x22, 0, 1}, data[] = {0x16, 0, 1, 'd'}, expiry[] = {0x02, 0, 0, 0, 1};
    const adder_mqtt_msg_t wild = {.topic = str("a/+")};
    for (unsigned i = 0; i < 9; i++) {
        set_up(&s, i < 4 ? 4 : 5);
        adder_err_t expected = ADDER_ERR_ARG;
        switch (i) {
        case 0: /* 3.1.1 [MQTT-3.1.2-22] */
            s.o.password = str("p");
            break;
        case 1: /* 3.1.1 [MQTT-3.1.3-7] */
            s.o.client_id = str("");
            s.o.clean = false;
            break;
        case 2:
            s.o.will = &wild;
            break;
        case 3:
            s.o.client_id = str("\xff");
            break;
        case 4:
            s.o.props = (adder_mqtt_props_t){alias, sizeof alias};
            break;
        case 5:
            s.o.props = (adder_mqtt_props_t){data, sizeof data};
            break;
        case 6:
            s.o.props = (adder_mqtt_props_t){expiry, sizeof expiry};
            break;
        case 7:
            s.o.version = 3;
            expected = ADDER_ERR_UNSUPPORTED;
            break;
        default:
            s.o.client_id = (adder_mqtt_str_t){(const char *)memset(s.payload, 'c', 200), 200};
            expected = ADDER_ERR_NOSPACE;
            break;
        }
        assert_int_equal(adder_mqtt_connect(&s.m, &s.o, s.now), expected);
        assert_int_equal(s.m.state, ADDER_MQTT_OFF);
        assert_int_equal(tick(&s), ADDER_ERR_STATE);
    }
}

static void refused_by_the_server(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 2, 0, 7), ADDER_ERR_REFUSED); /* one cloud says 7 for 5 */
    assert_int_equal(last_event(&s).kind, ADDER_MQTT_REFUSED);
    assert_true(s.m.reason == 7 && s.m.by_server && s.m.state == ADDER_MQTT_OVER);
    gets_nothing(&s);
    set_up(&s, 5);
    connects(&s);
    assert_int_equal(GIVES(&s, 0x20, 8, 0, 0x9d, 5, 0x1c, 0, 2, 'm', '2'), ADDER_ERR_REFUSED);
    assert_int_equal(s.m.reason, ADDER_MQTT_REASON_SERVER_MOVED);
    assert_int_equal(s.events[0].props.len, 5);
    gets_nothing(&s);
}

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

/* ---- subscribing ---- */

static void subscribe_and_unsubscribe(void **state)
{
    (void)state;
    server_t s;
    const uint8_t sub_id[] = {0x0b, 200, 1};
    const adder_mqtt_filter_t filters[] = {
        {.filter = str("a/+"), .qos = 1},
        {.filter = str("b"), .qos = 2, .no_local = true, .retain_as_published = true, .retain_handling = 2}};
    uint16_t id;
    set_up(&s, 5);
    assert_int_equal(adder_mqtt_subscribe(&s.m, filters, 2, no_props, &id), ADDER_ERR_STATE);
    is_on(&s);
    assert_int_equal(adder_mqtt_subscribe(&s.m, filters, 2, (adder_mqtt_props_t){sub_id, 3}, &id), ADDER_OK);
    assert_int_equal(id, 1);
    GETS(&s, 0x82, 16, 0, 1, 3, 0x0b, 200, 1, 0, 3, 'a', '/', '+', 1, 0, 1, 'b', 0x2e);
    GIVES(&s, 0x90, 5, 0, 1, 0, 1, 0x9e);
    assert_true(last_event(&s).kind == ADDER_MQTT_SUBSCRIBED && last_event(&s).n_codes == 2);
    assert_true(s.codes[0] == 1 && s.codes[1] == 0x9e);
    assert_int_equal(adder_mqtt_unsubscribe(&s.m, filters, 2, no_props, &id), ADDER_OK);
    GETS(&s, 0xa2, 11, 0, 2, 0, 0, 3, 'a', '/', '+', 0, 1, 'b');
    GIVES(&s, 0xb0, 5, 0, 2, 0, 0, 0x11);
    assert_true(last_event(&s).kind == ADDER_MQTT_UNSUBSCRIBED && s.codes[1] == 0x11);
    set_up(&s, 4);
    is_on(&s);
    assert_int_equal(adder_mqtt_subscribe(&s.m, filters, 2, no_props, &id), ADDER_OK);
    GETS(&s, 0x82, 12, 0, 1, 0, 3, 'a', '/', '+', 1, 0, 1, 'b', 2);
    GIVES(&s, 0x90, 4, 0, 1, 1, 0x80);
    assert_int_equal(s.codes[1], 0x80);
    assert_int_equal(adder_mqtt_unsubscribe(&s.m, filters, 1, no_props, &id), ADDER_OK);
    GETS(&s, 0xa2, 7, 0, 2, 0, 3, 'a', '/', '+');
    GIVES(&s, 0xb0, 2, 0, 2);
    assert_int_equal(last_event(&s).kind, ADDER_MQTT_UNSUBSCRIBED);
    const adder_mqtt_filter_t bad[] = {{.filter = str("a#")},
                                       {.filter = str("")},
                                       {.filter = str("a"), .qos = 3},
                                       {.filter = str("$share/g/a"), .no_local = true}, /* [MQTT-3.8.3-4] */
                                       {.filter = str("a"), .retain_handling = 3}};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(adder_mqtt_subscribe(&s.m, &bad[i], 1, no_props, NULL), ADDER_ERR_ARG);
    }
    assert_int_equal(adder_mqtt_subscribe(&s.m, filters, 0, no_props, NULL), ADDER_ERR_ARG);
    gets_nothing(&s);
}

/* ---- time ---- */

static uint32_t wait_of(server_t *s)
{
    adder_mqtt_wants_t wants;
    adder_mqtt_wants(&s->m, s->now, &wants);
    return wants.wait_ms;
}

static void keep_alive_pings_and_notices_silence(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    assert_int_equal(wait_of(&s), 45000);
    s.now += 44999;
    tick(&s);
    gets_nothing(&s);
    s.now += 1;
    tick(&s);
    GETS(&s, 0xc0, 0);
    GIVES(&s, 0xd0, 0);
    assert_int_equal(last_event(&s).kind, ADDER_MQTT_PONG);
    /* What is sent puts it off, but not when nothing comes. */
    const adder_mqtt_msg_t msg = {.topic = str("t")};
    uint8_t out[16];
    for (unsigned i = 0; i < 44; i++) {
        s.now += 1000;
        tick(&s);
        assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
        assert_int_equal(drain(&s, out, sizeof out, 0), 5);
    }
    s.now += 1000;
    tick(&s);
    GETS(&s, 0xc0, 0);
    assert_int_equal(wait_of(&s), 10000);
    s.now += 9999;
    assert_int_equal(tick(&s), ADDER_OK);
    s.now += 1;
    assert_int_equal(tick(&s), ADDER_ERR_TIMEOUT);
    assert_int_equal(s.m.reason, ADDER_MQTT_REASON_KEEP_ALIVE);
    gets_nothing(&s);
}

static void a_long_payload_that_gets_on_is_no_silence(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    is_on(&s);
    const adder_mqtt_msg_t msg = {
        .topic = str("t"), .payload = (const uint8_t *)s.payload, .payload_len = 600};
    const uint8_t *bytes;
    size_t len;
    assert_int_equal(adder_mqtt_publish(&s.m, &msg, NULL), ADDER_OK);
    for (unsigned i = 0; i < 60; i++) { /* ten minutes of it */
        assert_true(adder_mqtt_out(&s.m, &bytes, &len));
        adder_mqtt_out_done(&s.m, len > 8 ? 8 : len);
        s.now += 9999;
        assert_int_equal(tick(&s), ADDER_OK);
    }
    s.now += 45000; /* and then it gets on no more */
    tick(&s);
    s.now += 10000;
    assert_int_equal(tick(&s), ADDER_ERR_TIMEOUT);
    set_up(&s, 4); /* the other way: PINGRESP is behind what comes */
    is_on(&s);
    s.now += 45000;
    tick(&s);
    GETS(&s, 0xc0, 0);
    GIVES(&s, 0x30, 100, 0, 1, 't');
    for (unsigned i = 0; i < 97; i++) {
        s.now += 9999;
        assert_int_equal(tick(&s), ADDER_OK);
        assert_int_equal(GIVES(&s, 'x'), ADDER_OK);
    }
    assert_int_equal(s.n_messages, 1);
}

static void no_connack_times_out(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    s.c.timeout_ms = 500;
    connects(&s);
    s.now += 499;
    assert_int_equal(tick(&s), ADDER_OK);
    s.now += 1;
    assert_int_equal(tick(&s), ADDER_ERR_TIMEOUT);
    gets_nothing(&s);
}

static void no_keep_alive_no_ping(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 5);
    connects(&s);
    GIVES(&s, 0x20, 6, 0, 0, 3, 0x13, 0, 0); /* the server's word counts [MQTT-3.2.2-21] */
    s.now += 0x7fffffff;
    assert_int_equal(wait_of(&s), UINT32_MAX);
    assert_int_equal(tick(&s), ADDER_OK);
    gets_nothing(&s);
}

/* ---- the end, authentication ---- */

static void disconnect_and_goodbye(void **state)
{
    (void)state;
    server_t s;
    const uint8_t expiry[] = {0x11, 0, 0, 0, 9};
    set_up(&s, 5);
    is_on(&s);
    assert_int_equal(adder_mqtt_disconnect(&s.m, 4, (adder_mqtt_props_t){expiry, 5}), ADDER_OK);
    assert_int_equal(tick(&s), ADDER_ERR_CLOSED);
    GETS(&s, 0xe0, 7, 4, 5, 0x11, 0, 0, 0, 9);
    assert_int_equal(adder_mqtt_disconnect(&s.m, 0, no_props), ADDER_ERR_STATE);
    set_up(&s, 5);
    is_on(&s);
    assert_int_equal(GIVES(&s, 0xe0, 7, 0x9c, 5, 0x1c, 0, 2, 'm', '2'), ADDER_ERR_CLOSED);
    assert_true(last_event(&s).kind == ADDER_MQTT_GOODBYE && last_event(&s).props.len == 5);
    assert_true(s.m.by_server && s.m.reason == ADDER_MQTT_REASON_USE_ANOTHER_SERVER);
    gets_nothing(&s);
    set_up(&s, 5); /* it is never read: given up in time */
    is_on(&s);
    assert_int_equal(adder_mqtt_disconnect(&s.m, 0, no_props), ADDER_OK);
    s.now += 10000;
    assert_int_equal(tick(&s), ADDER_ERR_CLOSED);
    assert_int_equal(s.m.state, ADDER_MQTT_OVER);
}

static void v5_enhanced_authentication(void **state)
{
    (void)state;
    server_t s;
    const uint8_t first[] = {0x15, 0, 1, 'm', 0x16, 0, 1, '1'}, next[] = {0x15, 0, 1, 'm', 0x16, 0, 1, '2'};
    const uint8_t other[] = {0x15, 0, 1, 'n'};
    set_up(&s, 5);
    s.o.props = (adder_mqtt_props_t){first, sizeof first};
    connects(&s);
    GIVES(&s, 0xf0, 6, 0x18, 4, 0x15, 0, 1, 'm');
    assert_int_equal(last_event(&s).kind, ADDER_MQTT_AUTH);
    assert_int_equal(adder_mqtt_auth(&s.m, 0x18, (adder_mqtt_props_t){other, 4}), ADDER_ERR_ARG);
    assert_int_equal(adder_mqtt_auth(&s.m, 0x19, (adder_mqtt_props_t){next, 8}), ADDER_ERR_STATE);
    assert_int_equal(adder_mqtt_auth(&s.m, 0x18, (adder_mqtt_props_t){next, 8}), ADDER_OK);
    GETS(&s, 0xf0, 10, 0x18, 8, 0x15, 0, 1, 'm', 0x16, 0, 1, '2');
    GIVES(&s, 0x20, 7, 0, 0, 4, 0x15, 0, 1, 'm');
    assert_int_equal(s.m.state, ADDER_MQTT_ON);
    assert_int_equal(adder_mqtt_auth(&s.m, 0x18, (adder_mqtt_props_t){next, 8}), ADDER_ERR_STATE);
    assert_int_equal(adder_mqtt_auth(&s.m, 0x19, (adder_mqtt_props_t){next, 8}), ADDER_OK);
    GETS(&s, 0xf0, 10, 0x19, 8, 0x15, 0, 1, 'm', 0x16, 0, 1, '2');
    GIVES(&s, 0xf0, 6, 0x18, 4, 0x15, 0, 1, 'm');
    assert_int_equal(adder_mqtt_auth(&s.m, 0x18, (adder_mqtt_props_t){next, 8}), ADDER_OK);
    GETS(&s, 0xf0, 10, 0x18, 8, 0x15, 0, 1, 'm', 0x16, 0, 1, '2');
    assert_int_equal(GIVES(&s, 0xf0, 6, 0, 4, 0x15, 0, 1, 'm'), ADDER_OK);
    assert_int_equal(last_event(&s).reason, 0);
    assert_int_equal(GIVES(&s, 0xf0, 6, 0, 4, 0x15, 0, 1, 'm'), ADDER_ERR_FORMAT); /* there is none now */
}

static void properties_are_written_and_read(void **state)
{
    (void)state;
    const adder_mqtt_prop_t props[] = {{.id = 0x01, .number = 1},
                                       {.id = 0x02, .number = 0x01020304},
                                       {.id = 0x03, .text = str("text/plain")},
                                       {.id = 0x0b, .number = 268435455},
                                       {.id = 0x13, .number = 0xabcd},
                                       {.id = 0x26, .text = str("k"), .value = str("v")}};
    uint8_t buf[64];
    size_t len = 0, at = 0;
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(adder_mqtt_prop_put(buf, sizeof buf, &len, &props[i]), ADDER_OK);
    }
    const adder_mqtt_props_t written = {buf, len};
    adder_mqtt_prop_t p;
    for (unsigned i = 0; i < 6; i++) {
        assert_true(adder_mqtt_prop_next(written, &at, &p));
        assert_int_equal(p.id, props[i].id);
        assert_int_equal(p.number, props[i].number);
        assert_int_equal(p.text.len, props[i].text.len);
        assert_int_equal(p.value.len, props[i].value.len);
    }
    assert_false(adder_mqtt_prop_next(written, &at, &p));
    assert_true(adder_mqtt_prop_find(written, 0x26, &p));
    assert_memory_equal(p.value.at, "v", 1);
    assert_false(adder_mqtt_prop_find(written, 0x1f, &p));
    const size_t full = len;
    for (size_t cap = 0; cap < full; cap++) {
        len = 0;
        adder_err_t err = ADDER_OK;
        for (unsigned i = 0; i < 6 && err == ADDER_OK; i++) {
            err = adder_mqtt_prop_put(buf, cap, &len, &props[i]);
        }
        assert_int_equal(err, ADDER_ERR_NOSPACE);
    }
    assert_int_equal(adder_mqtt_prop_put(buf, sizeof buf, &len, &(adder_mqtt_prop_t){.id = 0x04}),
                     ADDER_ERR_ARG);
}

static void reasons_have_texts(void **state)
{
    (void)state;
    assert_string_equal(adder_mqtt_reason_str(0x8e), "session taken over");
    assert_string_equal(adder_mqtt_reason_str(0x05), "unknown reason");
}

static void init_wants_buffers(void **state)
{
    (void)state;
    server_t s;
    set_up(&s, 4);
    adder_mqtt_config_t bad = s.c;
    bad.rx_cap = 63;
    assert_int_equal(adder_mqtt_init(&s.m, &bad), ADDER_ERR_ARG);
    bad = s.c;
    bad.event = NULL;
    assert_int_equal(adder_mqtt_init(&s.m, &bad), ADDER_ERR_ARG);
    bad = s.c;
    bad.aliases = NULL;
    assert_int_equal(adder_mqtt_init(&s.m, &bad), ADDER_ERR_ARG);
    assert_true(sizeof(void *) == 8 || sizeof(adder_mqtt_t) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_311_with_everything),
        cmocka_unit_test(connect_5_with_everything),
        cmocka_unit_test(connect_sends_a_long_password_from_where_it_is),
        cmocka_unit_test(connect_refuses_what_may_not_be),
        cmocka_unit_test(refused_by_the_server),
        cmocka_unit_test(qos_0_is_one_piece_and_small_ones_are_gathered),
        cmocka_unit_test(publish_refuses_what_may_not_be),
        cmocka_unit_test(qos_1_and_2_to_their_end),
        cmocka_unit_test(v5_refusals_and_forgotten_ids),
        cmocka_unit_test(sessions_resume_in_order),
        cmocka_unit_test(sessions_are_restored_from_a_store),
        cmocka_unit_test(ids_wrap_past_those_in_use),
        cmocka_unit_test(receive_maximum_holds_messages_back),
        cmocka_unit_test(v5_topic_aliases_out),
        cmocka_unit_test(a_long_payload_leaves_from_where_it_is),
        cmocka_unit_test(a_payload_is_read_in_pieces_and_again),
        cmocka_unit_test(a_payload_that_cannot_be_read_ends_it),
        cmocka_unit_test(puback_before_the_payload_is_gone_breaks_the_protocol),
        cmocka_unit_test(messages_come_and_are_answered),
        cmocka_unit_test(a_long_message_comes_in_pieces),
        cmocka_unit_test(a_topic_that_does_not_fit_ends_it),
        cmocka_unit_test(a_message_is_offered_until_it_is_taken),
        cmocka_unit_test(v5_a_message_is_refused),
        cmocka_unit_test(v5_topic_aliases_in),
        cmocka_unit_test(nothing_follows_a_disconnect_from_a_callback),
        cmocka_unit_test(an_event_that_fails_ends_it_before_the_answer),
        cmocka_unit_test(subscribe_and_unsubscribe),
        cmocka_unit_test(keep_alive_pings_and_notices_silence),
        cmocka_unit_test(a_long_payload_that_gets_on_is_no_silence),
        cmocka_unit_test(no_connack_times_out),
        cmocka_unit_test(no_keep_alive_no_ping),
        cmocka_unit_test(disconnect_and_goodbye),
        cmocka_unit_test(v5_enhanced_authentication),
        cmocka_unit_test(properties_are_written_and_read),
        cmocka_unit_test(reasons_have_texts),
        cmocka_unit_test(init_wants_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
