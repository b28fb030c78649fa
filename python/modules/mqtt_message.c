/* adder._mqtt.Message: what came. Properties of MQTT 5.0 stay bytes until a program asks for one. */
#include <string.h>

#include "python/modules/mqtt_int.h"

typedef struct {
    py_field_t topic, payload;
    py_field_t props; /* bytes; empty = there are none */
    uint8_t qos;
    bool retain, dup;
} message_t;

static const uint16_t fields[] = {offsetof(message_t, topic), offsetof(message_t, payload),
                                  offsetof(message_t, props), PY_FIELDS_END};

py_t mqtt_message_new(mqtt_inbox_t *b, const mqtt_record_t *r, py_t topic)
{
    void *s;
    uint8_t *fill;
    py_t props = PY_NULL, payload = py_bytes_new(r->len, &fill);
    if (py_null(payload))
        return PY_NULL;
    mqtt_inbox_copy(b, (size_t)r->topic_len + r->props_len, fill, r->len);
    if (r->props_len > 0) {
        if (py_null(props = py_bytes_new(r->props_len, &fill)))
            return PY_NULL;
        mqtt_inbox_copy(b, r->topic_len, fill, r->props_len);
    }
    py_t self = py_new(&mqtt_message_class, &s);
    if (py_null(self))
        return PY_NULL;
    message_t *m = s;
    m->qos = r->qos;
    m->retain = r->retain;
    m->dup = r->dup;
    py_field_set(self, &m->topic, topic);
    py_field_set(self, &m->payload, payload);
    if (!py_null(props))
        py_field_set(self, &m->props, props);
    return self;
}

static adder_mqtt_props_t props_of(const message_t *m)
{
    py_buf_t buf = {0};
    py_t props = py_field_get(&m->props);
    if (py_null(props) || !py_buffer_read(props, &buf))
        return (adder_mqtt_props_t){NULL, 0};
    return (adder_mqtt_props_t){buf.ptr, buf.len};
}

/* ---- what every message has ---- */

static py_t get_topic(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((message_t *)s)->topic);
}

static py_t get_payload(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((message_t *)s)->payload);
}

static py_t get_text(py_t self, void *s)
{
    return py_call_method(get_payload(self, s), "decode", NULL, 0);
}

static py_t get_qos(py_t self, void *s)
{
    (void)self;
    return py_uint(((message_t *)s)->qos);
}

static py_t get_retain(py_t self, void *s)
{
    (void)self;
    return py_bool(((message_t *)s)->retain);
}

static py_t get_duplicate(py_t self, void *s)
{
    (void)self;
    return py_bool(((message_t *)s)->dup);
}

/* ---- MQTT 5.0 ---- */

static py_t value_of(void *s, uint8_t id)
{
    adder_mqtt_prop_t p;
    if (!adder_mqtt_prop_find(props_of(s), id, &p))
        return py_none();
    switch (id) {
    case ADDER_MQTT_PROP_CORRELATION_DATA:
        return py_bytes(p.text.at, p.text.len);
    case ADDER_MQTT_PROP_MESSAGE_EXPIRY:
        return py_uint(p.number);
    default:
        return py_str_n(p.text.at, p.text.len);
    }
}

static py_t get_content_type(py_t self, void *s)
{
    (void)self;
    return value_of(s, ADDER_MQTT_PROP_CONTENT_TYPE);
}

static py_t get_response_topic(py_t self, void *s)
{
    (void)self;
    return value_of(s, ADDER_MQTT_PROP_RESPONSE_TOPIC);
}

static py_t get_correlation_data(py_t self, void *s)
{
    (void)self;
    return value_of(s, ADDER_MQTT_PROP_CORRELATION_DATA);
}

static py_t get_message_expiry(py_t self, void *s)
{
    (void)self;
    return value_of(s, ADDER_MQTT_PROP_MESSAGE_EXPIRY);
}

static py_t get_payload_is_text(py_t self, void *s)
{
    (void)self;
    adder_mqtt_prop_t p;
    return py_bool(adder_mqtt_prop_find(props_of(s), ADDER_MQTT_PROP_PAYLOAD_FORMAT, &p) && p.number == 1);
}

static py_t get_user_properties(py_t self, void *s)
{
    (void)self;
    const adder_mqtt_props_t props = props_of(s);
    py_t list = py_list(NULL, 0);
    adder_mqtt_prop_t p;
    for (size_t at = 0; !py_null(list) && adder_mqtt_prop_next(props, &at, &p);) {
        if (p.id != ADDER_MQTT_PROP_USER)
            continue;
        const py_t pair[] = {py_str_n(p.text.at, p.text.len), py_str_n(p.value.at, p.value.len)};
        py_t tuple = py_null(pair[0]) || py_null(pair[1]) ? PY_NULL : py_tuple(pair, 2);
        if (py_null(tuple) || !py_list_append(list, tuple))
            return PY_NULL;
    }
    return list;
}

/* Numbers of the subscriptions that it comes for; None = the broker does not say. With overlapping ones a
 * broker may send a message once for each. */
static py_t get_numbers(py_t self, void *s)
{
    (void)self;
    const adder_mqtt_props_t props = props_of(s);
    py_t numbers[8];
    size_t n = 0;
    adder_mqtt_prop_t p;
    for (size_t at = 0; n < 8 && adder_mqtt_prop_next(props, &at, &p);) {
        if (p.id == ADDER_MQTT_PROP_SUBSCRIPTION_ID)
            numbers[n++] = py_uint(p.number);
    }
    return n > 0 ? py_tuple(numbers, n) : py_none();
}

static py_t repr(py_t self, void *s)
{
    py_t topic = py_repr(get_topic(self, s)), payload = py_repr(get_payload(self, s));
    if (py_null(topic) || py_null(payload))
        return PY_NULL;
    const py_t parts[] = {py_str("Message("), topic, py_str(", "), payload, py_str(")")};
    py_t list = py_list(parts, 5), joined = py_str("");
    return py_null(list) || py_null(joined) ? PY_NULL : py_call_method(joined, "join", &list, 1);
}

static const py_prop_t props[] = {{"topic", get_topic, NULL, 0, NULL},
                                  {"payload", get_payload, NULL, 0, NULL},
                                  {"text", get_text, NULL, 0, "The payload as str."},
                                  {"qos", get_qos, NULL, 0, NULL},
                                  {"retain", get_retain, NULL, 0, NULL},
                                  {"duplicate", get_duplicate, NULL, 0, NULL},
                                  {"content_type", get_content_type, NULL, 0, NULL},
                                  {"response_topic", get_response_topic, NULL, 0, NULL},
                                  {"correlation_data", get_correlation_data, NULL, 0, NULL},
                                  {"message_expiry", get_message_expiry, NULL, 0, "Seconds, or None."},
                                  {"payload_is_text", get_payload_is_text, NULL, 0, NULL},
                                  {"user_properties", get_user_properties, NULL, 0, "[(name, value), ...]"},
                                  {"_numbers", get_numbers, NULL, 0, NULL},
                                  PY_END};
const py_class_t mqtt_message_class = {.module = "adder.mqtt",
                                       .name = "Message",
                                       .size = sizeof(message_t),
                                       .no_new = true,
                                       .fields = fields,
                                       .repr = repr,
                                       .props = props};
