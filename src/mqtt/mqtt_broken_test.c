/* Every malformed, out-of-order and oversized packet of a server, and what the standards want done about
 * it: with 5.0 a DISCONNECT with the reason once the connection stands (4.13.1), else, and with 3.1.1
 * ([MQTT-4.8.0-1]), the end without a word. The numbers in the names are the statements broken. Each case
 * comes at once and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_server.h"

typedef enum {
    FRESH,      /* CONNECT was sent */
    ON,         /* connected, nothing under way */
    QOS1,       /* PUBLISH of QoS 1, id 1, waits for PUBACK */
    QOS2,       /* PUBLISH of QoS 2, id 1, waits for PUBREC */
    RELEASING,  /* that one waits for PUBCOMP */
    SUBBING,    /* SUBSCRIBE of one filter, id 1 */
    UNSUBBING,  /* UNSUBSCRIBE of one filter, id 1 */
    FULL,       /* as many QoS 2 messages received as there is room for: ids 1, 2, 3 */
    FRESH_AUTH, /* CONNECT with an authentication method "m" */
    BOUNDED,    /* packets are bounded to 32 bytes */
} phase_t;

static const uint8_t method_prop[] = {0x15, 0, 1, 'm'};

static void reach(server_t *s, uint8_t version, phase_t phase)
{
    static adder_mqtt_msg_t msg;
    uint8_t out[256];
    set_up(s, version);
    if (phase == FRESH_AUTH) {
        s->o.props = (adder_mqtt_props_t){method_prop, sizeof method_prop};
    }
    if (phase == BOUNDED) {
        s->c.packet_max = 32;
    }
    if (phase == FRESH || phase == FRESH_AUTH) {
        connects(s);
        return;
    }
    is_on(s);
    msg = (adder_mqtt_msg_t){.topic = str("t"), .qos = phase == QOS1 ? 1 : 2};
    const adder_mqtt_filter_t filter = {.filter = str("f")};
    if (phase == QOS1 || phase == QOS2 || phase == RELEASING) {
        assert_int_equal(adder_mqtt_publish(&s->m, &msg, NULL), ADDER_OK);
    } else if (phase == SUBBING) {
        assert_int_equal(adder_mqtt_subscribe(&s->m, &filter, 1, no_props, NULL), ADDER_OK);
    } else if (phase == UNSUBBING) {
        assert_int_equal(adder_mqtt_unsubscribe(&s->m, &filter, 1, no_props, NULL), ADDER_OK);
    }
    for (uint8_t id = 1; phase == FULL && id <= IDS; id++) {
        const uint8_t v4[] = {0x34, 5, 0, 1, 't', 0, id}, v5[] = {0x34, 6, 0, 1, 't', 0, id, 0};
        assert_int_equal(version == 5 ? give(s, v5, sizeof v5) : give(s, v4, sizeof v4), ADDER_OK);
    }
    drain(s, out, sizeof out, 0);
    if (phase == RELEASING) {
        assert_int_equal(GIVES(s, 0x50, 2, 0, 1), ADDER_OK);
        GETS(s, 0x62, 2, 0, 1);
    }
}

static void refuses(uint8_t version, phase_t phase, uint8_t reason, const uint8_t *bytes, size_t len)
{
    for (size_t chunk = 0; chunk < 2; chunk++) {
        server_t s;
        reach(&s, version, phase);
        const size_t events = s.n_events, messages = s.n_messages;
        s.chunk = chunk;
        const adder_err_t err = give(&s, bytes, len);
        assert_true(err == ADDER_ERR_FORMAT || err == ADDER_ERR_NOMEM);
        assert_int_equal(s.m.reason, reason);
        assert_false(s.m.by_server);
        if (version == 5 && phase != FRESH && phase != FRESH_AUTH) {
            assert_int_equal(s.m.state, ADDER_MQTT_CLOSING);
            GETS(&s, 0xe0, 1, reason);
        }
        gets_nothing(&s);
        assert_int_equal(s.m.state, ADDER_MQTT_OVER);
        adder_mqtt_wants_t wants;
        adder_mqtt_wants(&s.m, s.now, &wants);
        assert_true(wants.close && !wants.in && !wants.out);
        assert_int_equal(tick(&s), err); /* it stays */
        assert_int_equal(s.n_events, events);
        assert_int_equal(s.n_messages, messages);
    }
}

#define MALFORMED ADDER_MQTT_REASON_MALFORMED
#define PROTOCOL ADDER_MQTT_REASON_PROTOCOL

/* clang-format off */
#if ADDER_MQTT_V5 /* mqtt_receive_test.c */
#define CASES_311_ALONE(X)
#else
#define CASES_311_ALONE(X)                                                                                   \
    X(more_qos_2_than_there_is_room_for,          FULL, ADDER_MQTT_REASON_RECEIVE_MAXIMUM, 0x34, 5, 0, 1, 't', 0, 4)
#endif

#define CASES_311(X)                                                                                         \
    X(mqtt_1_5_3_1_topic_of_a_surrogate,          ON, MALFORMED, 0x30, 5, 0, 3, 0xed, 0xa0, 0x80)            \
    X(mqtt_1_5_3_1_topic_overlong,                ON, MALFORMED, 0x30, 4, 0, 2, 0xc0, 0xaf)                  \
    X(mqtt_1_5_3_1_topic_cut_character,           ON, MALFORMED, 0x30, 4, 0, 2, 'a', 0xc3)                   \
    X(mqtt_1_5_3_1_topic_beyond_unicode,          ON, MALFORMED, 0x30, 6, 0, 4, 0xf4, 0x90, 0x80, 0x80)      \
    X(mqtt_1_5_3_2_topic_with_nul,                ON, MALFORMED, 0x30, 5, 0, 3, 'a', 0, 'b')                 \
    X(section_2_2_1_type_0,                       ON, MALFORMED, 0x00, 0)                                    \
    X(section_2_2_1_type_15,                      ON, MALFORMED, 0xf0, 0)                                    \
    X(mqtt_2_2_2_2_flags_of_connack,              FRESH, MALFORMED, 0x21, 2, 0, 0)                           \
    X(mqtt_2_2_2_2_flags_of_puback,               QOS1, MALFORMED, 0x41, 2, 0, 1)                            \
    X(mqtt_2_2_2_2_flags_of_pubrec,               QOS2, MALFORMED, 0x52, 2, 0, 1)                            \
    X(mqtt_3_6_1_1_flags_of_pubrel,               ON, MALFORMED, 0x60, 2, 0, 1)                              \
    X(mqtt_2_2_2_2_flags_of_pubcomp,              RELEASING, MALFORMED, 0x74, 2, 0, 1)                       \
    X(mqtt_2_2_2_2_flags_of_suback,               SUBBING, MALFORMED, 0x92, 3, 0, 1, 0)                      \
    X(mqtt_2_2_2_2_flags_of_unsuback,             UNSUBBING, MALFORMED, 0xb8, 2, 0, 1)                       \
    X(mqtt_2_2_2_2_flags_of_pingresp,             ON, MALFORMED, 0xd1, 0)                                    \
    X(section_2_2_3_length_of_five_bytes,         ON, MALFORMED, 0x30, 0x80, 0x80, 0x80, 0x80, 1)            \
    X(mqtt_2_3_1_1_publish_id_0,                  ON, MALFORMED, 0x32, 5, 0, 1, 't', 0, 0)                   \
    X(mqtt_2_3_1_6_puback_of_another_id,          QOS1, PROTOCOL, 0x40, 2, 0, 2)                             \
    X(mqtt_2_3_1_6_puback_of_id_0,                QOS1, PROTOCOL, 0x40, 2, 0, 0)                             \
    X(mqtt_2_3_1_6_pubrec_of_id_0,                QOS2, PROTOCOL, 0x50, 2, 0, 0)                             \
    X(mqtt_2_3_1_6_pubrel_of_id_0,                ON, PROTOCOL, 0x62, 2, 0, 0)                               \
    X(mqtt_2_3_1_6_pubcomp_of_another_id,         RELEASING, PROTOCOL, 0x70, 2, 1, 1)                        \
    X(mqtt_2_3_1_7_suback_of_another_id,          SUBBING, PROTOCOL, 0x90, 3, 0, 9, 0)                       \
    X(mqtt_2_3_1_7_unsuback_of_another_id,        UNSUBBING, PROTOCOL, 0xb0, 2, 0, 9)                        \
    X(mqtt_3_2_0_1_publish_before_connack,        FRESH, PROTOCOL, 0x30, 3, 0, 1, 't')                       \
    X(mqtt_3_2_0_1_pingresp_before_connack,       FRESH, PROTOCOL, 0xd0, 0)                                  \
    X(mqtt_4_8_0_1_second_connack,                ON, PROTOCOL, 0x20, 2, 0, 0)                               \
    X(section_3_2_1_connack_short,                FRESH, MALFORMED, 0x20, 1, 0)                              \
    X(section_3_2_1_connack_long,                 FRESH, MALFORMED, 0x20, 3, 0, 0, 0)                        \
    X(section_3_2_2_1_connack_reserved_flags,     FRESH, MALFORMED, 0x20, 2, 2, 0)                           \
    X(mqtt_3_2_2_1_session_present_though_clean,  FRESH, PROTOCOL, 0x20, 2, 1, 0)                            \
    X(mqtt_3_2_2_4_session_present_and_refused,   FRESH, PROTOCOL, 0x20, 2, 1, 5)                            \
    X(mqtt_3_3_1_2_dup_with_qos_0,                ON, MALFORMED, 0x38, 3, 0, 1, 't')                         \
    X(mqtt_3_3_1_4_qos_3,                         ON, MALFORMED, 0x36, 5, 0, 1, 't', 0, 1)                   \
    X(mqtt_3_3_2_1_topic_missing,                 ON, MALFORMED, 0x30, 0)                                    \
    X(mqtt_3_3_2_1_topic_beyond_the_packet,       ON, MALFORMED, 0x30, 3, 0, 2, 't')                         \
    X(mqtt_3_3_2_1_id_beyond_the_packet,          ON, MALFORMED, 0x32, 4, 0, 1, 't', 0)                      \
    X(mqtt_3_3_2_2_topic_with_plus,               ON, ADDER_MQTT_REASON_TOPIC_INVALID, 0x30, 3, 0, 1, '+')   \
    X(mqtt_3_3_2_2_topic_with_hash,               ON, ADDER_MQTT_REASON_TOPIC_INVALID, 0x30, 5, 0, 3, 'a', '/', '#') \
    X(mqtt_4_7_3_1_topic_empty,                   ON, ADDER_MQTT_REASON_TOPIC_INVALID, 0x30, 2, 0, 0)        \
    X(mqtt_4_3_2_2_pubrec_for_qos_1,              QOS1, PROTOCOL, 0x50, 2, 0, 1)                             \
    X(mqtt_4_3_2_2_pubcomp_for_qos_1,             QOS1, PROTOCOL, 0x70, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_puback_for_qos_2,              QOS2, PROTOCOL, 0x40, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_pubcomp_before_pubrec,         QOS2, PROTOCOL, 0x70, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_puback_after_pubrel,           RELEASING, PROTOCOL, 0x40, 2, 0, 1)                        \
    X(mqtt_4_3_3_2_suback_for_a_publish,          QOS2, PROTOCOL, 0x90, 3, 0, 1, 0)                          \
    X(section_3_4_1_puback_short,                 QOS1, MALFORMED, 0x40, 1, 0)                               \
    X(section_3_4_1_puback_long,                  QOS1, MALFORMED, 0x40, 3, 0, 1, 0)                         \
    X(section_3_5_1_pubrec_long,                  QOS2, MALFORMED, 0x50, 3, 0, 1, 0)                         \
    X(section_3_6_1_pubrel_long,                  ON, MALFORMED, 0x62, 3, 0, 1, 0)                           \
    X(section_3_7_1_pubcomp_empty,                RELEASING, MALFORMED, 0x70, 0)                             \
    X(mqtt_3_8_4_5_suback_without_codes,          SUBBING, PROTOCOL, 0x90, 2, 0, 1)                          \
    X(mqtt_3_8_4_5_suback_with_two_codes,         SUBBING, PROTOCOL, 0x90, 4, 0, 1, 0, 0)                    \
    X(mqtt_3_9_3_2_suback_code_3,                 SUBBING, MALFORMED, 0x90, 3, 0, 1, 3)                      \
    X(mqtt_3_9_3_2_suback_code_ff,                SUBBING, MALFORMED, 0x90, 3, 0, 1, 0xff)                   \
    X(section_3_9_2_suback_short,                 SUBBING, MALFORMED, 0x90, 1, 0)                            \
    X(section_3_11_1_unsuback_long,               UNSUBBING, MALFORMED, 0xb0, 3, 0, 1, 0)                    \
    X(section_3_13_1_pingresp_long,               ON, MALFORMED, 0xd0, 1, 0)                                 \
    X(mqtt_4_8_0_1_connect_from_a_server,         ON, PROTOCOL, 0x10, 0)                                     \
    X(mqtt_4_8_0_1_subscribe_from_a_server,       ON, MALFORMED, 0x82, 0)                                    \
    X(mqtt_4_8_0_1_unsubscribe_from_a_server,     ON, MALFORMED, 0xa2, 0)                                    \
    X(mqtt_4_8_0_1_pingreq_from_a_server,         ON, PROTOCOL, 0xc0, 0)                                     \
    X(mqtt_4_8_0_1_disconnect_from_a_server,      ON, PROTOCOL, 0xe0, 0)                                     \
    X(suback_longer_than_the_buffer,              SUBBING, ADDER_MQTT_REASON_QUOTA_EXCEEDED, 0x90, 0xff, 1)  \
    X(packet_longer_than_the_bound,               BOUNDED, ADDER_MQTT_REASON_TOO_LARGE, 0x30, 31)            \
    CASES_311_ALONE(X)

#define CASES_5(X)                                                                                           \
    X(mqtt_1_5_4_1_topic_of_a_surrogate,          ON, MALFORMED, 0x30, 6, 0, 3, 0xed, 0xbf, 0xbf, 0)         \
    X(mqtt_1_5_4_2_topic_with_nul,                ON, MALFORMED, 0x30, 4, 0, 1, 0, 0)                        \
    X(mqtt_1_5_4_1_text_of_a_property,            ON, MALFORMED, 0x30, 8, 0, 1, 't', 4, 0x03, 0, 1, 0xff)    \
    X(mqtt_1_5_4_2_user_property_with_nul,        ON, MALFORMED, 0x30, 10, 0, 1, 't', 6, 0x26, 0, 0, 0, 1, 0) \
    X(mqtt_1_5_5_1_length_in_more_bytes,          ON, MALFORMED, 0xd0, 0x80, 0)                              \
    X(mqtt_1_5_5_1_property_length_in_more_bytes, ON, MALFORMED, 0x30, 5, 0, 1, 't', 0x80, 0)                \
    X(mqtt_1_5_5_1_length_of_five_bytes,          ON, MALFORMED, 0x30, 0x80, 0x80, 0x80, 0x80, 1)            \
    X(section_2_1_2_type_0,                       ON, MALFORMED, 0x00, 0)                                    \
    X(mqtt_2_1_3_1_flags_of_connack,              FRESH, MALFORMED, 0x22, 3, 0, 0, 0)                        \
    X(mqtt_2_1_3_1_flags_of_puback,               QOS1, MALFORMED, 0x41, 2, 0, 1)                            \
    X(mqtt_2_1_3_1_flags_of_pubrec,               QOS2, MALFORMED, 0x54, 2, 0, 1)                            \
    X(mqtt_3_6_1_1_flags_of_pubrel,               ON, MALFORMED, 0x60, 2, 0, 1)                              \
    X(mqtt_2_1_3_1_flags_of_pubcomp,              RELEASING, MALFORMED, 0x78, 2, 0, 1)                       \
    X(mqtt_2_1_3_1_flags_of_suback,               SUBBING, MALFORMED, 0x92, 4, 0, 1, 0, 0)                   \
    X(mqtt_2_1_3_1_flags_of_unsuback,             UNSUBBING, MALFORMED, 0xb2, 4, 0, 1, 0, 0)                 \
    X(mqtt_2_1_3_1_flags_of_pingresp,             ON, MALFORMED, 0xd4, 0)                                    \
    X(mqtt_3_14_1_1_flags_of_disconnect,          ON, MALFORMED, 0xe1, 0)                                    \
    X(mqtt_3_15_1_1_flags_of_auth,                FRESH_AUTH, MALFORMED, 0xf1, 6, 0x18, 4, 0x15, 0, 1, 'm')  \
    X(mqtt_2_2_1_3_publish_id_0,                  ON, MALFORMED, 0x32, 6, 0, 1, 't', 0, 0, 0)                \
    X(mqtt_2_2_1_5_puback_of_another_id,          QOS1, PROTOCOL, 0x40, 2, 0, 2)                             \
    X(mqtt_2_2_1_5_pubrec_of_id_0,                QOS2, PROTOCOL, 0x50, 2, 0, 0)                             \
    X(mqtt_2_2_1_5_pubrel_of_id_0,                ON, PROTOCOL, 0x62, 2, 0, 0)                               \
    X(mqtt_2_2_1_5_pubcomp_of_another_id,         RELEASING, PROTOCOL, 0x70, 2, 0, 2)                        \
    X(mqtt_2_2_1_6_suback_of_another_id,          SUBBING, PROTOCOL, 0x90, 4, 0, 2, 0, 0)                    \
    X(mqtt_2_2_1_6_unsuback_of_another_id,        UNSUBBING, PROTOCOL, 0xb0, 4, 0, 2, 0, 0)                  \
    X(section_2_2_2_1_property_length_missing,    ON, MALFORMED, 0x30, 3, 0, 1, 't')                         \
    X(section_2_2_2_1_properties_cut,             ON, MALFORMED, 0x30, 5, 0, 1, 't', 2, 0x01)                \
    X(section_2_2_2_2_property_unknown,           ON, MALFORMED, 0x30, 6, 0, 1, 't', 2, 0x05, 0)             \
    X(section_2_2_2_2_property_in_the_wrong_place, ON, MALFORMED, 0x30, 9, 0, 1, 't', 5, 0x11, 0, 0, 0, 9)   \
    X(section_3_2_2_3_property_of_publish_in_connack, FRESH, MALFORMED, 0x20, 5, 0, 0, 2, 0x01, 1)           \
    X(section_3_3_2_3_2_format_2,                 ON, PROTOCOL, 0x30, 6, 0, 1, 't', 2, 0x01, 2)              \
    X(section_3_3_2_3_2_format_twice,             ON, PROTOCOL, 0x30, 8, 0, 1, 't', 4, 0x01, 1, 0x01, 1)     \
    X(section_3_3_2_3_3_expiry_twice,             ON, PROTOCOL, 0x30, 14, 0, 1, 't', 10, 2, 0, 0, 0, 9, 2, 0, 0, 0, 9) \
    X(section_3_3_2_3_8_subscription_id_0,        ON, PROTOCOL, 0x30, 6, 0, 1, 't', 2, 0x0b, 0)              \
    X(mqtt_3_3_2_14_response_topic_with_plus,     ON, PROTOCOL, 0x30, 8, 0, 1, 't', 4, 0x08, 0, 1, '+')      \
    X(mqtt_4_7_3_1_response_topic_empty,          ON, PROTOCOL, 0x30, 7, 0, 1, 't', 3, 0x08, 0, 0)           \
    X(mqtt_3_3_2_8_alias_0,                       ON, ADDER_MQTT_REASON_ALIAS_INVALID, 0x30, 7, 0, 1, 't', 3, 0x23, 0, 0) \
    X(mqtt_3_3_2_11_alias_above_the_maximum,      ON, ADDER_MQTT_REASON_ALIAS_INVALID, 0x30, 7, 0, 1, 't', 3, 0x23, 0, 3) \
    X(section_3_3_2_3_4_alias_never_set,          ON, PROTOCOL, 0x30, 6, 0, 0, 3, 0x23, 0, 1)                \
    X(section_3_3_2_3_4_alias_twice,              ON, PROTOCOL, 0x30, 10, 0, 1, 't', 6, 0x23, 0, 1, 0x23, 0, 1) \
    X(section_3_3_2_1_neither_topic_nor_alias,    ON, PROTOCOL, 0x30, 3, 0, 0, 0)                            \
    X(aliased_topic_longer_than_there_is_room,    ON, ADDER_MQTT_REASON_QUOTA_EXCEEDED, 0x30, 23, 0, 17, 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 3, 0x23, 0, 1) \
    X(mqtt_3_3_1_2_dup_with_qos_0,                ON, MALFORMED, 0x39, 4, 0, 1, 't', 0)                      \
    X(mqtt_3_3_1_4_qos_3,                         ON, MALFORMED, 0x36, 6, 0, 1, 't', 0, 1, 0)                \
    X(mqtt_3_3_2_2_topic_with_hash,               ON, ADDER_MQTT_REASON_TOPIC_INVALID, 0x30, 4, 0, 1, '#', 0) \
    X(mqtt_3_1_2_24_packet_too_large,             BOUNDED, ADDER_MQTT_REASON_TOO_LARGE, 0x30, 31)            \
    X(suback_longer_than_the_buffer,              SUBBING, ADDER_MQTT_REASON_QUOTA_EXCEEDED, 0x90, 0xff, 1)  \
    X(mqtt_3_2_0_1_publish_before_connack,        FRESH, PROTOCOL, 0x30, 4, 0, 1, 't', 0)                    \
    X(mqtt_3_2_0_2_second_connack,                ON, PROTOCOL, 0x20, 3, 0, 0, 0)                            \
    X(mqtt_3_14_0_1_disconnect_before_connack,    FRESH, PROTOCOL, 0xe0, 0)                                  \
    X(mqtt_3_2_2_1_connack_reserved_flags,        FRESH, MALFORMED, 0x20, 3, 2, 0, 0)                        \
    X(mqtt_3_2_2_2_session_present_though_clean,  FRESH, PROTOCOL, 0x20, 3, 1, 0, 0)                         \
    X(mqtt_3_2_2_6_session_present_and_refused,   FRESH, PROTOCOL, 0x20, 3, 1, 0x87, 0)                      \
    X(mqtt_3_2_2_8_connack_reason_1,              FRESH, MALFORMED, 0x20, 3, 0, 1, 0)                        \
    X(mqtt_3_2_2_8_connack_reason_8b,             FRESH, MALFORMED, 0x20, 3, 0, 0x8b, 0)                     \
    X(section_3_2_2_3_connack_without_length,     FRESH, MALFORMED, 0x20, 2, 0, 0)                           \
    X(section_3_2_2_3_connack_long,               FRESH, MALFORMED, 0x20, 4, 0, 0, 0, 0)                     \
    X(section_3_2_2_3_3_receive_maximum_0,        FRESH, PROTOCOL, 0x20, 6, 0, 0, 3, 0x21, 0, 0)             \
    X(section_3_2_2_3_4_maximum_qos_2,            FRESH, PROTOCOL, 0x20, 5, 0, 0, 2, 0x24, 2)                \
    X(section_3_2_2_3_5_retain_available_2,       FRESH, PROTOCOL, 0x20, 5, 0, 0, 2, 0x25, 2)                \
    X(section_3_2_2_3_6_maximum_packet_0,         FRESH, PROTOCOL, 0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0)       \
    X(section_3_2_2_3_14_keep_alive_twice,        FRESH, PROTOCOL, 0x20, 9, 0, 0, 6, 0x13, 0, 1, 0x13, 0, 1) \
    X(mqtt_4_12_0_5_connack_without_the_method,   FRESH_AUTH, PROTOCOL, 0x20, 3, 0, 0, 0)                    \
    X(mqtt_4_12_0_5_connack_with_another_method,  FRESH_AUTH, PROTOCOL, 0x20, 7, 0, 0, 4, 0x15, 0, 1, 'n')   \
    X(mqtt_4_12_0_5_auth_with_another_method,     FRESH_AUTH, PROTOCOL, 0xf0, 6, 0x18, 4, 0x15, 0, 1, 'n')   \
    X(mqtt_4_12_0_5_auth_without_the_method,      FRESH_AUTH, PROTOCOL, 0xf0, 2, 0x18, 0)                    \
    X(mqtt_4_12_0_6_connack_with_a_method,        FRESH, PROTOCOL, 0x20, 7, 0, 0, 4, 0x15, 0, 1, 'm')        \
    X(mqtt_4_12_0_6_auth_unasked,                 FRESH, PROTOCOL, 0xf0, 6, 0x18, 4, 0x15, 0, 1, 'm')        \
    X(mqtt_4_12_0_6_auth_when_on,                 ON, PROTOCOL, 0xf0, 6, 0x18, 4, 0x15, 0, 1, 'm')           \
    X(section_4_12_auth_success_instead_of_connack, FRESH_AUTH, PROTOCOL, 0xf0, 6, 0, 4, 0x15, 0, 1, 'm')    \
    X(mqtt_3_15_2_1_auth_reason_19,               FRESH_AUTH, MALFORMED, 0xf0, 6, 0x19, 4, 0x15, 0, 1, 'm')  \
    X(mqtt_3_4_2_1_puback_reason_1,               QOS1, MALFORMED, 0x40, 3, 0, 1, 1)                         \
    X(mqtt_3_4_2_1_puback_reason_92,              QOS1, MALFORMED, 0x40, 3, 0, 1, 0x92)                      \
    X(mqtt_3_5_2_1_pubrec_reason_ff,              QOS2, MALFORMED, 0x50, 3, 0, 1, 0xff)                      \
    X(mqtt_3_6_2_1_pubrel_reason_80,              ON, MALFORMED, 0x62, 3, 0, 1, 0x80)                        \
    X(mqtt_3_7_2_1_pubcomp_reason_10,             RELEASING, MALFORMED, 0x70, 3, 0, 1, 0x10)                 \
    X(section_3_4_2_2_puback_properties_cut,      QOS1, MALFORMED, 0x40, 5, 0, 1, 0, 4, 0x1f)                \
    X(section_3_4_2_2_puback_bytes_behind,        QOS1, MALFORMED, 0x40, 5, 0, 1, 0, 0, 0)                   \
    X(section_3_4_2_2_reason_string_twice,        QOS1, PROTOCOL, 0x40, 10, 0, 1, 0, 6, 0x1f, 0, 0, 0x1f, 0, 0) \
    X(mqtt_4_3_2_2_pubrec_for_qos_1,              QOS1, PROTOCOL, 0x50, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_puback_for_qos_2,              QOS2, PROTOCOL, 0x40, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_pubcomp_before_pubrec,         QOS2, PROTOCOL, 0x70, 2, 0, 1)                             \
    X(mqtt_4_3_3_2_pubrec_refuses_after_pubrel,   RELEASING, PROTOCOL, 0x50, 3, 0, 1, 0x80)                  \
    X(mqtt_3_8_4_6_suback_without_codes,          SUBBING, PROTOCOL, 0x90, 3, 0, 1, 0)                       \
    X(mqtt_3_8_4_6_suback_with_two_codes,         SUBBING, PROTOCOL, 0x90, 5, 0, 1, 0, 0, 0)                 \
    X(mqtt_3_9_3_2_suback_reason_11,              SUBBING, MALFORMED, 0x90, 4, 0, 1, 0, 0x11)                \
    X(mqtt_3_11_3_1_unsuback_without_codes,       UNSUBBING, PROTOCOL, 0xb0, 3, 0, 1, 0)                     \
    X(mqtt_3_11_3_2_unsuback_reason_1,            UNSUBBING, MALFORMED, 0xb0, 4, 0, 1, 0, 1)                 \
    X(section_3_9_2_1_suback_without_length,      SUBBING, MALFORMED, 0x90, 2, 0, 1)                         \
    X(section_3_13_1_pingresp_long,               ON, MALFORMED, 0xd0, 1, 0)                                 \
    X(mqtt_3_14_2_1_disconnect_reason_4,          ON, MALFORMED, 0xe0, 1, 4)                                 \
    X(mqtt_3_14_2_1_disconnect_reason_85,         ON, MALFORMED, 0xe0, 1, 0x85)                              \
    X(mqtt_3_14_2_2_session_expiry_from_a_server, ON, MALFORMED, 0xe0, 7, 0, 5, 0x11, 0, 0, 0, 1)            \
    X(section_3_1_connect_from_a_server,          ON, PROTOCOL, 0x10, 0)                                     \
    X(section_3_8_subscribe_from_a_server,        ON, MALFORMED, 0x82, 0)                                    \
    X(section_3_12_pingreq_from_a_server,         ON, PROTOCOL, 0xc0, 0)
/* clang-format on */

#define TEST_311(name, phase, reason, ...)                                                                   \
    static void v311_##name(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        refuses(4, phase, reason, BYTES(__VA_ARGS__));                                                       \
    }
#define TEST_5(name, phase, reason, ...)                                                                     \
    static void v5_##name(void **state)                                                                      \
    {                                                                                                        \
        (void)state;                                                                                         \
        refuses(5, phase, reason, BYTES(__VA_ARGS__));                                                       \
    }
CASES_311(TEST_311)
#if ADDER_MQTT_V5
CASES_5(TEST_5)
#else /* built without: mqtt_311_test */
#undef CASES_5
#define CASES_5(X)
#endif

/* The other way round: each step the cases start from is itself accepted, so that what ends them is the
 * packet they bring. */
static void every_phase_lives(void **state)
{
    (void)state;
    for (unsigned phase = FRESH; phase <= BOUNDED; phase++) {
        for (uint8_t version = 4; version <= 4 + ADDER_MQTT_V5; version++) {
            server_t s;
            reach(&s, version, (phase_t)phase);
            assert_int_equal(tick(&s), ADDER_OK);
            gets_nothing(&s);
        }
    }
}

int main(void)
{
#define ROW_311(name, ...) cmocka_unit_test(v311_##name),
#define ROW_5(name, ...) cmocka_unit_test(v5_##name),
    const struct CMUnitTest tests[] = {CASES_311(ROW_311) CASES_5(ROW_5) cmocka_unit_test(every_phase_lives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
