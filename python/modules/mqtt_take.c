/* adder._mqtt.Client: what there is for the program, without the pump's lock */
#include <string.h>

#include "python/modules/mqtt_int.h"

unsigned mqtt_core_acks(mqtt_core_t *k)
{
    return atomic_load(&k->acks_in) - atomic_load(&k->acks_out);
}

static py_t take_acks(mqtt_core_t *k)
{
    py_t list = py_list(NULL, 0);
    unsigned out = atomic_load(&k->acks_out);
    for (; !py_null(list) && out != atomic_load(&k->acks_in); out++) {
        const py_t pair[] = {py_uint(k->acks[out % MQTT_ACKS].id), py_uint(k->acks[out % MQTT_ACKS].reason)};
        py_t tuple = py_tuple(pair, 2);
        if (py_null(tuple) || !py_list_append(list, tuple))
            return PY_NULL;
    }
    atomic_store(&k->acks_out, out);
    return list;
}

/* Those that are done, as (id, reason). */
py_t mqtt_m_acks(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return take_acks(((mqtt_client_t *)s)->k);
}

/* The topic as a string; the one of the last message, when it is the same. */
static py_t topic_of(py_t self, mqtt_client_t *o, const mqtt_record_t *r)
{
    char usual[MQTT_TOPIC], *topic = usual;
    const char *last;
    size_t len;
    if (r->topic_len > sizeof usual && (topic = py_alloc(r->topic_len)) == NULL)
        return PY_NULL;
    mqtt_inbox_copy(&o->k->inbox, 0, topic, r->topic_len);
    py_t before = py_field_get(&o->last_topic);
    if (!py_null(before) && py_to_str(before, &last, &len) && len == r->topic_len &&
        memcmp(last, topic, len) == 0)
        return before;
    py_t text = py_str_n(topic, r->topic_len);
    if (topic != usual)
        py_free(topic);
    else if (!py_null(text))
        py_field_set(self, &o->last_topic, text);
    return text;
}

/* Up to `most` messages, in a list. What no memory was found for stays in the inbox. */
static py_t take_messages(py_t self, mqtt_client_t *o, size_t most)
{
    py_t list = py_list(NULL, 0);
    mqtt_record_t r;
    bool starved = false;
    for (size_t n = 0; n < most && !py_null(list) && mqtt_inbox_first(&o->k->inbox, &r); n++) {
        py_scope_t scope = py_scope_open();
        py_t topic = topic_of(self, o, &r);
        py_t message = py_null(topic) ? PY_NULL : mqtt_message_new(&o->k->inbox, &r, topic);
        const bool ok = !py_null(message) && py_list_append(list, message);
        py_scope_close(scope);
        if (!ok)
            return PY_NULL;
        starved |= mqtt_inbox_drop(&o->k->inbox, &r);
        if (r.key != 0)
            o->k->kept.taken = r.key + 1;
    }
    if (starved)
        py_pump_poke();
    return list;
}

const py_arg_t mqtt_take_args[] = {PY_REQ_INT("most", 0, 1024), PY_END};

/* (acknowledgements as (id, reason), messages, is there other news), each list or None; None: nothing at all.
 * With 0 for messages they are no news from here on. */
py_t mqtt_m_take(py_t self, void *s, const py_val_t *a)
{
    mqtt_client_t *o = s;
    mqtt_core_t *k = o->k;
    k->unwanted = a[0].i == 0;
    if (!mqtt_core_has_news(k))
        return py_none();
    const uint32_t changes = atomic_load(&k->shown.changes);
    const bool changed = changes != k->seen;
    k->seen = changes;
    py_t list = mqtt_core_acks(k) > 0 ? take_acks(k) : py_none();
    py_t messages = py_null(list)                                     ? PY_NULL
                    : !k->unwanted && atomic_load(&k->inbox.used) > 0 ? take_messages(self, o, (size_t)a[0].i)
                                                                      : py_none();
    if (py_null(messages))
        return PY_NULL;
    const py_t parts[] = {list, messages, py_bool(changed)};
    return py_tuple(parts, 3);
}

/* What was taken has been told: it need not be kept. */
py_t mqtt_m_forget(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = ((mqtt_client_t *)s)->k;
    if (atomic_exchange(&k->kept.told, k->kept.taken) != k->kept.taken)
        py_pump_poke();
    return py_none();
}
