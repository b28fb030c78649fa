/* adder._mqtt: a program's keywords as properties of MQTT 5.0; topic aliases */
#include <string.h>

#include "python/modules/mqtt_int.h"

/* ---- properties ---- */

typedef enum { KIND_TEXT, KIND_BYTES, KIND_SECONDS, KIND_FLAG, KIND_PAIRS } kind_t;

enum { PROPS_MAX = 2048, TEXT_MAX = 65535 };
enum { MESSAGE = 1u << MQTT_FOR_MESSAGE, WILL = 1u << MQTT_FOR_WILL, CONNECT = 1u << MQTT_FOR_CONNECT };

static const struct {
    const char *keyword;
    uint8_t id;
    uint8_t kind;
    uint8_t targets;
} known[] = {{"payload_is_text", ADDER_MQTT_PROP_PAYLOAD_FORMAT, KIND_FLAG, MESSAGE | WILL},
             {"message_expiry", ADDER_MQTT_PROP_MESSAGE_EXPIRY, KIND_SECONDS, MESSAGE | WILL},
             {"content_type", ADDER_MQTT_PROP_CONTENT_TYPE, KIND_TEXT, MESSAGE | WILL},
             {"response_topic", ADDER_MQTT_PROP_RESPONSE_TOPIC, KIND_TEXT, MESSAGE | WILL},
             {"correlation_data", ADDER_MQTT_PROP_CORRELATION_DATA, KIND_BYTES, MESSAGE | WILL},
             {"delay", ADDER_MQTT_PROP_WILL_DELAY, KIND_SECONDS, WILL},
             {"user_properties", ADDER_MQTT_PROP_USER, KIND_PAIRS, MESSAGE | WILL | CONNECT}};

typedef struct {
    uint8_t bytes[PROPS_MAX];
    size_t len;
    const char *keyword;
} writer_t;

static bool put(writer_t *w, const adder_mqtt_prop_t *p)
{
    const adder_err_t err = adder_mqtt_prop_put(w->bytes, sizeof w->bytes, &w->len, p);
    if (err == ADDER_ERR_NOSPACE)
        return py_fail(
            py_raise(PY_ValueError, "%s: all properties together may have %d bytes", w->keyword, PROPS_MAX));
    return err == ADDER_OK || py_fail(py_raise(PY_ValueError, "%s is too long", w->keyword));
}

static bool text_of(const writer_t *w, py_t value, adder_mqtt_str_t *out)
{
    if (!py_is_str(value))
        return py_fail(py_raise(PY_TypeError, "%s must be str, not %s", w->keyword, py_type_name(value)));
    return py_to_str(value, &out->at, &out->len);
}

static bool put_pairs(writer_t *w, py_t value)
{
    size_t n, parts;
    if (!py_is_list(value) && !py_is_tuple(value))
        return py_fail(py_raise(PY_TypeError, "%s must be a list of (name, value)", w->keyword));
    if (!py_len(value, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        adder_mqtt_prop_t p = {.id = ADDER_MQTT_PROP_USER};
        py_t pair = py_item_at(value, i);
        if (py_null(pair))
            return false;
        if (!py_is_tuple(pair) && !py_is_list(pair))
            return py_fail(py_raise(PY_TypeError, "%s must be a list of (name, value)", w->keyword));
        if (!py_len(pair, &parts))
            return false;
        if (parts != 2)
            return py_fail(py_raise(PY_ValueError, "%s must be a list of (name, value)", w->keyword));
        py_t name = py_item_at(pair, 0), text = py_item_at(pair, 1);
        if (py_null(name) || py_null(text) || !text_of(w, name, &p.text) || !text_of(w, text, &p.value) ||
            !put(w, &p))
            return false;
    }
    return true;
}

static bool put_one(writer_t *w, uint8_t id, kind_t kind, py_t value)
{
    adder_mqtt_prop_t p = {.id = id};
    py_buf_t buf;
    int64_t number;
    bool flag;
    switch (kind) {
    case KIND_PAIRS:
        return put_pairs(w, value);
    case KIND_TEXT:
        return text_of(w, value, &p.text) && put(w, &p);
    case KIND_BYTES:
        if (!py_buffer_read(value, &buf))
            return false;
        p.text = (adder_mqtt_str_t){(const char *)buf.ptr, buf.len};
        return put(w, &p);
    case KIND_SECONDS:
        if (!py_to_int(value, &number))
            return false;
        if (number < 0 || number > UINT32_MAX)
            return py_fail(
                py_raise(PY_ValueError, "%s must be 0-%lu", w->keyword, (unsigned long)UINT32_MAX));
        p.number = (uint32_t)number;
        return put(w, &p);
    default:
        if (!py_to_bool(value, &flag))
            return false;
        p.number = flag;
        return !flag || put(w, &p);
    }
}

/* One keyword; None stands for "not given". */
static bool add(writer_t *w, py_t key, py_t value, mqtt_target_t target, int version)
{
    const char *keyword;
    if (!py_to_str(key, &keyword, NULL))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].keyword, keyword) != 0 || (known[i].targets >> target & 1) == 0)
            continue;
        if (py_is_none(value))
            return true;
        w->keyword = known[i].keyword;
        if (version < 5)
            return py_fail(py_raise(PY_ValueError, "%s needs version=5", keyword));
        return put_one(w, known[i].id, (kind_t)known[i].kind, value);
    }
    return py_fail(py_raise(PY_TypeError, "unexpected keyword argument '%s'", keyword));
}

py_t mqtt_props_new(py_t keywords, mqtt_target_t target, int version)
{
    writer_t w = {.len = 0};
    py_t iter = py_iter(keywords), key;
    bool done = false;
    if (py_null(iter))
        return PY_NULL;
    while (py_next(iter, &key, &done)) {
        py_t value = py_item(keywords, key);
        if (py_null(value) || !add(&w, key, value, target, version))
            return PY_NULL;
    }
    return done ? py_bytes(w.bytes, w.len) : PY_NULL;
}

/* ---- topic aliases ---- */

static uint32_t hash_of(adder_mqtt_str_t topic)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < topic.len; i++)
        hash = (hash ^ (uint8_t)topic.at[i]) * 16777619u;
    return hash != 0 ? hash : 1;
}

/* Has it been published before, as far as one remembers? */
static bool is_repeated(mqtt_aliases_t *a, uint32_t hash)
{
    for (size_t i = 0; i < MQTT_CANDIDATES; i++) {
        if (a->seen[i] == hash)
            return true;
    }
    a->seen[a->next] = hash;
    a->next = (uint16_t)((a->next + 1) % MQTT_CANDIDATES);
    return false;
}

uint16_t mqtt_alias_of(mqtt_aliases_t *a, adder_mqtt_str_t topic)
{
    for (uint16_t i = 0; i < a->n; i++) {
        if (a->known[i].len == topic.len && memcmp(a->known[i].topic, topic.at, topic.len) == 0)
            return (uint16_t)(i + 1);
    }
    if (a->n >= a->max || !is_repeated(a, hash_of(topic)))
        return 0;
    char *copy = py_alloc(topic.len + 1);
    if (copy == NULL) {
        py_error_clear(); /* then without */
        return 0;
    }
    memcpy(copy, topic.at, topic.len);
    a->known[a->n].topic = copy;
    a->known[a->n].len = topic.len;
    return ++a->n;
}

void mqtt_aliases_drop(mqtt_aliases_t *a)
{
    while (a->n > 0)
        py_free(a->known[--a->n].topic);
}
