/* The properties of MQTT 5.0 (2.2.2): one table says what each is and where it may stand. */
#include "mqtt_int.h"

enum {
    BYTE,
    INT16,
    INT32,
    VARINT,
    TEXT,
    BINARY,
    PAIR,
    KIND = 7,
    BOOLEAN = 8,  /* 0 or 1 */
    NONZERO = 16, /* 0 is a Protocol Error */
};

#define IN(where) (1u << (where))
#define MESSAGES (IN(PUBLISH) | IN(IN_PUBLISH_OUT) | IN(IN_WILL))
#define ANSWERS                                                                                              \
    (IN(CONNACK) | IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP) | IN(SUBACK) | IN(UNSUBACK) |          \
     IN(DISCONNECT) | IN(IN_DISCONNECT_OUT) | IN(AUTH))
#define LOGIN (IN(CONNECT) | IN(CONNACK) | IN(AUTH))

/* What connect() writes by itself is not listed for CONNECT. */
static const struct {
    uint8_t id, kind;
    uint16_t where;
} properties[] = {
    {ADDER_MQTT_PROP_PAYLOAD_FORMAT, BYTE | BOOLEAN, MESSAGES},
    {ADDER_MQTT_PROP_MESSAGE_EXPIRY, INT32, MESSAGES},
    {ADDER_MQTT_PROP_CONTENT_TYPE, TEXT, MESSAGES},
    {ADDER_MQTT_PROP_RESPONSE_TOPIC, TEXT, MESSAGES},
    {ADDER_MQTT_PROP_CORRELATION_DATA, BINARY, MESSAGES},
    /* Never from a client in a PUBLISH [MQTT-3.3.4-6]. */
    {ADDER_MQTT_PROP_SUBSCRIPTION_ID, VARINT | NONZERO, IN(PUBLISH) | IN(SUBSCRIBE)},
    /* Never from a server in a DISCONNECT [MQTT-3.14.2-2]. */
    {ADDER_MQTT_PROP_SESSION_EXPIRY, INT32, IN(CONNACK) | IN(IN_DISCONNECT_OUT)},
    {ADDER_MQTT_PROP_ASSIGNED_CLIENT_ID, TEXT, IN(CONNACK)},
    {ADDER_MQTT_PROP_SERVER_KEEP_ALIVE, INT16, IN(CONNACK)},
    {ADDER_MQTT_PROP_AUTH_METHOD, TEXT, LOGIN},
    {ADDER_MQTT_PROP_AUTH_DATA, BINARY, LOGIN},
    {ADDER_MQTT_PROP_REQUEST_PROBLEM_INFO, BYTE | BOOLEAN, IN(CONNECT)},
    {ADDER_MQTT_PROP_WILL_DELAY, INT32, IN(IN_WILL)},
    {ADDER_MQTT_PROP_REQUEST_RESPONSE_INFO, BYTE | BOOLEAN, IN(CONNECT)},
    {ADDER_MQTT_PROP_RESPONSE_INFO, TEXT, IN(CONNACK)},
    {ADDER_MQTT_PROP_SERVER_REFERENCE, TEXT, IN(CONNACK) | IN(DISCONNECT)},
    {ADDER_MQTT_PROP_REASON_STRING, TEXT, ANSWERS},
    {ADDER_MQTT_PROP_RECEIVE_MAXIMUM, INT16 | NONZERO, IN(CONNACK)},
    {ADDER_MQTT_PROP_TOPIC_ALIAS_MAXIMUM, INT16, IN(CONNACK)},
    {ADDER_MQTT_PROP_TOPIC_ALIAS, INT16, IN(PUBLISH)},
    {ADDER_MQTT_PROP_MAXIMUM_QOS, BYTE | BOOLEAN, IN(CONNACK)},
    {ADDER_MQTT_PROP_RETAIN_AVAILABLE, BYTE | BOOLEAN, IN(CONNACK)},
    {ADDER_MQTT_PROP_USER, PAIR, 0xffff},
    {ADDER_MQTT_PROP_MAXIMUM_PACKET, INT32 | NONZERO, IN(CONNACK)},
    {ADDER_MQTT_PROP_WILDCARDS_AVAILABLE, BYTE | BOOLEAN, IN(CONNACK)},
    {ADDER_MQTT_PROP_SUB_ID_AVAILABLE, BYTE | BOOLEAN, IN(CONNACK)},
    {ADDER_MQTT_PROP_SHARED_AVAILABLE, BYTE | BOOLEAN, IN(CONNACK)},
};
enum { N_PROPERTIES = sizeof properties / sizeof properties[0] };
_Static_assert(N_PROPERTIES == 27 && N_PROPERTIES <= 32, "all of table 2-4, a bit each");

/* Index in the table, or -1. */
static int find(uint8_t id)
{
    for (int i = 0; i < N_PROPERTIES; i++) {
        if (properties[i].id == id) {
            return i;
        }
    }
    return -1;
}

/* Index of the property read, or -1: malformed. */
static int read_one(mqtt_body_t *b, adder_mqtt_prop_t *out)
{
    *out = (adder_mqtt_prop_t){0};
    uint16_t half = 0, low = 0;
    uint8_t byte;
    if (!mqtt_get_u8(b, &out->id)) {
        return -1;
    }
    const int i = find(out->id);
    if (i < 0) {
        return -1;
    }
    bool ok;
    switch (properties[i].kind & KIND) {
    case BYTE:
        ok = mqtt_get_u8(b, &byte);
        out->number = ok ? byte : 0;
        break;
    case INT16:
        ok = mqtt_get16(b, &half);
        out->number = half;
        break;
    case INT32:
        ok = mqtt_get16(b, &half) && mqtt_get16(b, &low);
        out->number = (uint32_t)half << 16 | low;
        break;
    case VARINT: {
        const int n = mqtt_get_varint(b->at, b->left, true, &out->number);
        ok = n > 0;
        if (ok) {
            b->at += n;
            b->left -= (size_t)n;
        }
        break;
    }
    case PAIR:
        ok = mqtt_get_str(b, &out->text) && mqtt_get_str(b, &out->value);
        break;
    default:
        ok = mqtt_get_str(b, &out->text);
        break;
    }
    return ok ? i : -1;
}

uint8_t mqtt_check_props(adder_mqtt_props_t props, unsigned where)
{
    uint32_t seen = 0;
    mqtt_body_t b = {props.at, props.len};
    while (b.left > 0) {
        adder_mqtt_prop_t p;
        const int i = read_one(&b, &p);
        if (i < 0 || (properties[i].where & IN(where)) == 0) {
            return ADDER_MQTT_REASON_MALFORMED; /* 2.2.2.2 */
        }
        const unsigned kind = properties[i].kind;
        if (((kind & KIND) == TEXT || (kind & KIND) == PAIR) &&
            !(adder_mqtt_is_text(p.text) && adder_mqtt_is_text(p.value))) {
            return ADDER_MQTT_REASON_MALFORMED; /* [MQTT-1.5.4-1], [MQTT-1.5.4-2] */
        }
        const bool many =
            p.id == ADDER_MQTT_PROP_USER || (p.id == ADDER_MQTT_PROP_SUBSCRIPTION_ID && where == PUBLISH);
        if ((!many && (seen >> i & 1) != 0) || ((kind & BOOLEAN) != 0 && p.number > 1) ||
            ((kind & NONZERO) != 0 && p.number == 0) ||
            (p.id == ADDER_MQTT_PROP_RESPONSE_TOPIC && !adder_mqtt_is_topic(p.text))) {
            return ADDER_MQTT_REASON_PROTOCOL;
        }
        seen |= 1u << i;
    }
    return 0;
}

bool adder_mqtt_prop_next(adder_mqtt_props_t props, size_t *at, adder_mqtt_prop_t *out)
{
    if (*at >= props.len) {
        return false;
    }
    mqtt_body_t b = {props.at + *at, props.len - *at};
    if (read_one(&b, out) < 0) {
        return false;
    }
    *at = props.len - b.left;
    return true;
}

bool adder_mqtt_prop_find(adder_mqtt_props_t props, uint8_t id, adder_mqtt_prop_t *out)
{
    for (size_t at = 0; adder_mqtt_prop_next(props, &at, out);) {
        if (out->id == id) {
            return true;
        }
    }
    return false;
}

adder_err_t adder_mqtt_prop_put(uint8_t *buf, size_t cap, size_t *len, const adder_mqtt_prop_t *prop)
{
    static const uint8_t fixed[] = {
        [BYTE] = 1, [INT16] = 2, [INT32] = 4, [TEXT] = 2, [BINARY] = 2, [PAIR] = 4};
    const int i = find(prop->id);
    const unsigned kind = i < 0 ? BYTE : properties[i].kind & KIND;
    if (i < 0 || prop->text.len > 65535 || prop->value.len > 65535 ||
        (kind == VARINT && prop->number > MQTT_REMAINING_MAX)) {
        return ADDER_ERR_ARG;
    }
    size_t need = 1u + (kind == VARINT ? mqtt_varint_len(prop->number) : fixed[kind]);
    need += kind >= TEXT ? prop->text.len : 0;
    need += kind == PAIR ? prop->value.len : 0;
    if (*len > cap || need > cap - *len) {
        return ADDER_ERR_NOSPACE;
    }
    uint8_t *p = buf + *len;
    *p++ = prop->id;
    switch (kind) {
    case BYTE:
        *p = (uint8_t)prop->number;
        break;
    case INT32:
        p = mqtt_put16(p, prop->number >> 16);
        mqtt_put16(p, prop->number & 0xffff);
        break;
    case INT16:
        mqtt_put16(p, prop->number & 0xffff);
        break;
    case VARINT:
        mqtt_put_varint(p, prop->number);
        break;
    default:
        p = mqtt_put_str(p, prop->text);
        if (kind == PAIR) {
            mqtt_put_str(p, prop->value);
        }
        break;
    }
    *len += need;
    return ADDER_OK;
}
