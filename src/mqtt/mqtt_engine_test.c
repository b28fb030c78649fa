/* The engine's life: CONNECT, subscribing, time, the end, properties. */
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
