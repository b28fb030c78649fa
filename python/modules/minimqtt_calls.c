/* adafruit_minimqtt: publish, subscribe, unsubscribe, ping, loop */
#include <string.h>

#include "python/modules/minimqtt_int.h"

static bool patience_us(py_t self, uint64_t *out)
{
    double seconds;
    if (!minimqtt_seconds(self, "_recv_timeout", &seconds))
        return false;
    *out = minimqtt_us(seconds);
    return true;
}

/* ---- checks ---- */

bool minimqtt_connected(py_t self)
{
    py_t on = py_call_method(self, "is_connected", NULL, 0);
    bool is = false;
    if (py_null(on) || !py_to_bool(on, &is))
        return false;
    return is || py_fail(minimqtt_raise_state("MiniMQTT is not connected"));
}

/* There is an engine that can send: is_connected() may be the program's. */
static bool is_on(const minimqtt_t *c)
{
    return c->state == MINIMQTT_ON || py_fail(minimqtt_raise_state("MiniMQTT is not connected"));
}

static bool ready(py_t self, const minimqtt_t *c)
{
    return minimqtt_connected(self) && is_on(c);
}

bool minimqtt_valid_topic(py_t topic, const char **utf8, size_t *len)
{
    if (py_null(topic) || py_is_none(topic))
        return py_fail(py_raise(PY_ValueError, "Topic may not be NoneType"));
    if (!py_to_str(topic, utf8, len))
        return false;
    if (*len == 0)
        return py_fail(py_raise(PY_ValueError, "Topic may not be empty."));
    if (*len > MINIMQTT_TEXT_MAX)
        return py_fail(py_raise(PY_ValueError, "Encoded topic length is larger than %d", MINIMQTT_TEXT_MAX));
    return true;
}

bool minimqtt_valid_qos(py_t qos, int64_t *out)
{
    if (!py_is_int(qos))
        return py_fail(py_raise(PY_ValueError, "QoS must be an integer."));
    if (!py_to_int(qos, out))
        return false;
    return (*out >= 0 && *out <= 2) ||
           py_fail(py_raise(PY_NotImplementedError, "QoS must be between 1 and 2."));
}

py_t minimqtt_payload(py_t msg)
{
    if (py_is_none(msg))
        return py_raise(PY_ValueError, "Message can not be None.");
    if (py_is_bytes(msg))
        return msg;
    if (py_is_int(msg) || py_is_float(msg))
        msg = py_str_of(msg);
    else if (!py_is_str(msg))
        return py_raise(PY_ValueError, "Invalid message data type.");
    const char *text;
    size_t len;
    return py_null(msg) || !py_to_str(msg, &text, &len) ? PY_NULL : py_bytes(text, len);
}

/* What the engine says of a request that it does not take. */
static py_t refused(py_t self, adder_err_t err, const char *what)
{
    switch (err) {
    case ADDER_ERR_STATE:
        return minimqtt_raise_state("MiniMQTT is not connected");
    case ADDER_ERR_AGAIN:
        return minimqtt_raise_no_data(self);
    case ADDER_ERR_ARG:
        return py_raise(PY_ValueError, "Invalid %s.", what);
    case ADDER_ERR_NOSPACE:
        return py_raise(PY_ValueError, "%s larger than %d bytes.", what, ADDER_MINIMQTT_TX);
    default:
        return py_raise_err(err, what);
    }
}

/* ---- publish ---- */

const py_arg_t minimqtt_publish_args[] = {PY_REQ_OBJ("topic"),
                                          {.name = "msg", .kind = PY_ARG_OBJ, .flags = PY_A_REQUIRED},
                                          PY_OPT_BOOL("retain", false),
                                          {.name = "qos", .kind = PY_ARG_OBJ},
                                          PY_END};

static bool is_over(const minimqtt_t *c, const void *ctx)
{
    const minimqtt_msg_t *o = ctx;
    (void)c;
    return o->done;
}

static bool has_slot(const minimqtt_t *c, const void *ctx)
{
    (void)ctx;
    return c->e->m.priv.n_slots < MINIMQTT_SLOTS;
}

static void drop(minimqtt_t *c, minimqtt_msg_t *o)
{
    for (minimqtt_msg_t **at = &c->e->messages; *at != NULL; at = &(*at)->next) {
        if (*at == o) {
            *at = o->next;
            break;
        }
    }
    py_free(o);
}

/* Still in the list: a callback that disconnects forgets all messages. */
static bool is_known(const minimqtt_t *c, const minimqtt_msg_t *o)
{
    const minimqtt_msg_t *at = c->e->messages;
    while (at != NULL && at != o)
        at = at->next;
    return at != NULL;
}

/* A copy, as it may have to be sent again long after the call. */
static minimqtt_msg_t *keep(minimqtt_t *c, const adder_mqtt_msg_t *msg)
{
    minimqtt_msg_t *o = py_alloc(sizeof *o + msg->topic.len + msg->payload_len);
    if (o == NULL)
        return NULL;
    char *bytes = (char *)(o + 1);
    memcpy(bytes, msg->topic.at, msg->topic.len);
    if (msg->payload_len > 0)
        memcpy(bytes + msg->topic.len, msg->payload, msg->payload_len);
    o->msg = *msg;
    o->msg.topic.at = bytes;
    o->msg.payload = (const uint8_t *)bytes + msg->topic.len;
    o->next = c->e->messages;
    o->waited = true;
    c->e->messages = o;
    return o;
}

static py_t told(py_t self, py_t topic, uint16_t id)
{
    py_t fn = py_attr(self, "on_publish");
    if (py_null(fn) || py_is_none(fn))
        return fn;
    const py_t args[] = {self, py_attr(self, "user_data"), topic, py_uint(id)};
    return !py_null(args[1]) && !py_null(py_call(fn, args, 4)) ? py_none() : PY_NULL;
}

static py_t publish_once(py_t self, minimqtt_t *c, py_t topic, const adder_mqtt_msg_t *msg)
{
    adder_err_t err = adder_mqtt_publish(&c->e->m, msg, NULL);
    if (err == ADDER_ERR_AGAIN) {
        if (!minimqtt_flush(self, c))
            return PY_NULL;
        err = adder_mqtt_publish(&c->e->m, msg, NULL);
    }
    if (err != ADDER_OK)
        return refused(self, err, "Topic");
    return minimqtt_flush(self, c) ? told(self, topic, c->last_id) : PY_NULL;
}

static py_t publish_and_wait(py_t self, minimqtt_t *c, py_t topic, const adder_mqtt_msg_t *msg)
{
    uint64_t patience;
    bool timed_out;
    if (!patience_us(self, &patience))
        return PY_NULL;
    if (!has_slot(c, NULL) && !minimqtt_wait(self, c, has_slot, NULL, patience, PY_NULL, &timed_out))
        return PY_NULL;
    minimqtt_msg_t *o = keep(c, msg);
    if (o == NULL)
        return PY_NULL;
    adder_err_t err = adder_mqtt_publish(&c->e->m, &o->msg, &o->id);
    if (err != ADDER_OK) {
        drop(c, o);
        return refused(self, err, "Topic");
    }
    c->last_id = o->id;
    bool ok = minimqtt_flush(self, c) && minimqtt_wait(self, c, is_over, o, patience, PY_NULL, &timed_out);
    if (!is_known(c, o))
        return PY_NULL;
    if (ok && !timed_out) {
        uint16_t id = o->id;
        drop(c, o);
        return told(self, topic, id);
    }
    o->waited = false; /* it may yet be acknowledged, or sent again: then on_publish comes from that call */
    return ok ? minimqtt_raise_no_data(self) : PY_NULL;
}

py_t minimqtt_m_publish(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    const char *topic;
    size_t topic_len, len;
    int64_t qos = 0, limit;
    py_buf_t raw;
    if (!minimqtt_connected(self) || !minimqtt_valid_topic(a[0].obj, &topic, &topic_len))
        return PY_NULL;
    if (memchr(topic, '+', topic_len) != NULL || memchr(topic, '#', topic_len) != NULL)
        return py_raise(PY_ValueError, "Publish topic can not contain wildcards.");
    py_t payload = minimqtt_payload(a[1].obj), most;
    if (py_null(payload) || py_null(most = py_attr(self, "_msg_size_lim")) || !py_to_int(most, &limit) ||
        !py_len(payload, &len))
        return PY_NULL;
    if (len > MINIMQTT_MSG_MAX)
        return py_raise(PY_ValueError, "Message size larger than protocol max %d bytes.", MINIMQTT_MSG_MAX);
    if ((int64_t)len > limit)
        return py_raise(PY_ValueError, "Message size larger than configured limit %lld bytes.",
                        (long long)limit);
    if ((a[3].given && !minimqtt_valid_qos(a[3].obj, &qos)) || !py_buffer_read(payload, &raw) || !is_on(c) ||
        !minimqtt_log(self, "debug", "Sending PUBLISH\nTopic: %s\nQoS: %d\nRetain? %d", topic, (int)qos,
                      a[2].b))
        return PY_NULL;
    const adder_mqtt_msg_t msg = {.topic = {topic, topic_len},
                                  .payload = raw.ptr,
                                  .payload_len = (uint32_t)len,
                                  .qos = (uint8_t)qos,
                                  .retain = a[2].b};
    return qos == 0 ? publish_once(self, c, a[0].obj, &msg) : publish_and_wait(self, c, a[0].obj, &msg);
}

/* ---- subscribe, unsubscribe ---- */

typedef struct {
    size_t n;
    py_t topics[MINIMQTT_FILTERS], qos[MINIMQTT_FILTERS];
    adder_mqtt_filter_t filters[MINIMQTT_FILTERS];
} filters_t;

static bool add(filters_t *f, py_t topic, py_t qos)
{
    int64_t level = 0;
    adder_mqtt_filter_t *at = &f->filters[f->n];
    if (f->n == MINIMQTT_FILTERS)
        return py_fail(py_raise(PY_ValueError, "At most %d topics at once.", MINIMQTT_FILTERS));
    *at = (adder_mqtt_filter_t){0};
    if ((!py_null(qos) && !minimqtt_valid_qos(qos, &level)) ||
        !minimqtt_valid_topic(topic, &at->filter.at, &at->filter.len))
        return false;
    at->qos = (uint8_t)level;
    f->topics[f->n] = topic;
    f->qos[f->n++] = qos;
    return true;
}

static bool add_pair(filters_t *f, py_t pair)
{
    size_t n;
    if (!py_len(pair, &n))
        return false;
    if (n != 2)
        return py_fail(py_raise(PY_ValueError, "(topic, qos) expected"));
    py_t topic = py_item_at(pair, 0), qos = py_item_at(pair, 1);
    return !py_null(topic) && !py_null(qos) && add(f, topic, qos);
}

static bool has_answer(const minimqtt_t *c, const void *ctx)
{
    const minimqtt_request_t *r = ctx;
    (void)c;
    return r->done;
}

static bool wait_answer(py_t self, minimqtt_t *c, minimqtt_request_t *r)
{
    uint64_t patience;
    bool timed_out = false;
    c->last_id = r->id;
    r->next = c->e->requests;
    c->e->requests = r;
    bool ok = patience_us(self, &patience) && minimqtt_flush(self, c) &&
              minimqtt_wait(self, c, has_answer, r, patience, PY_NULL, &timed_out);
    c->e->requests = r->next; /* those that came after it have gone: they are calls within this one */
    return ok && (!timed_out || py_fail(minimqtt_raise_no_data(self)));
}

const py_arg_t minimqtt_subscribe_args[] = {PY_REQ_OBJ("topic"), {.name = "qos", .kind = PY_ARG_OBJ}, PY_END};

static bool wanted(filters_t *f, py_t topic, py_t qos)
{
    size_t n;
    if (py_is_tuple(topic))
        return add_pair(f, topic);
    if (py_is_str(topic))
        return add(f, topic, qos);
    if (!py_is_list(topic))
        return py_fail(
            py_raise(PY_TypeError, "topic must be a str, a tuple or a list, not %s", py_type_name(topic)));
    if (!py_len(topic, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!add_pair(f, py_item_at(topic, i)))
            return false;
    }
    return n > 0 || py_fail(py_raise(PY_ValueError, "no topic to subscribe to"));
}

static bool subscribed(py_t self, const filters_t *f, const minimqtt_request_t *r)
{
    for (size_t i = 0; i < f->n && i < r->n_codes; i++) {
        if (r->codes[i] > 2)
            return py_fail(minimqtt_raise(-1, PY_NULL, "SUBACK Failure for topic %s: 0x%x",
                                          f->filters[i].filter.at, r->codes[i]));
    }
    for (size_t i = 0; i < f->n; i++) {
        const py_t args[] = {self, py_attr(self, "user_data"), f->topics[i], f->qos[i]};
        py_t list = py_null(args[1]) || !minimqtt_call_back(self, "on_subscribe", args, 4)
                        ? PY_NULL
                        : py_attr(self, "_subscribed_topics");
        if (py_null(list) || py_null(py_call_method(list, "append", &f->topics[i], 1)))
            return false;
    }
    return true;
}

py_t minimqtt_m_subscribe(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    minimqtt_request_t r = {0};
    if (!minimqtt_connected(self))
        return PY_NULL;
    filters_t *f = py_alloc(sizeof *f);
    bool ok = f != NULL && wanted(f, a[0].obj, a[1].given ? a[1].obj : py_int(0)) && ready(self, c);
    for (size_t i = 0; ok && i < f->n; i++)
        ok = minimqtt_log(self, "debug", "SUBSCRIBING to topic %s with QoS %d", f->filters[i].filter.at,
                          f->filters[i].qos);
    if (ok) {
        adder_err_t err = adder_mqtt_subscribe(&c->e->m, f->filters, f->n, (adder_mqtt_props_t){0}, &r.id);
        ok = err == ADDER_OK || py_fail(refused(self, err, "Topic filter"));
    }
    ok = ok && wait_answer(self, c, &r) && subscribed(self, f, &r);
    py_free(f);
    return ok ? py_none() : PY_NULL;
}

const py_arg_t minimqtt_unsubscribe_args[] = {PY_REQ_OBJ("topic"), PY_END};

static bool unwanted(py_t self, filters_t *f, py_t topic)
{
    size_t n = 1;
    bool is_in, one = py_is_str(topic);
    if (!one && !py_is_list(topic))
        return py_fail(py_raise(PY_TypeError, "topic must be a str or a list, not %s", py_type_name(topic)));
    if (!one && !py_len(topic, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!add(f, one ? topic : py_item_at(topic, i), PY_NULL))
            return false;
    }
    py_t list = py_attr(self, "_subscribed_topics");
    for (size_t i = 0; i < n; i++) {
        py_t in = py_null(list) ? PY_NULL : py_call_method(list, "__contains__", &f->topics[i], 1);
        if (py_null(in) || !py_to_bool(in, &is_in))
            return false;
        if (!is_in)
            return py_fail(
                minimqtt_raise_state("Topic must be subscribed to before attempting unsubscribe."));
    }
    return n > 0 || py_fail(py_raise(PY_ValueError, "no topic to unsubscribe from"));
}

static bool unsubscribed(py_t self, const filters_t *f, uint16_t id)
{
    for (size_t i = 0; i < f->n; i++) {
        const py_t args[] = {self, py_attr(self, "user_data"), f->topics[i], py_uint(id)};
        py_t list = py_null(args[1]) || !minimqtt_call_back(self, "on_unsubscribe", args, 4)
                        ? PY_NULL
                        : py_attr(self, "_subscribed_topics");
        if (py_null(list) || py_null(py_call_method(list, "remove", &f->topics[i], 1)))
            return false;
    }
    return true;
}

py_t minimqtt_m_unsubscribe(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    minimqtt_request_t r = {0};
    filters_t *f = py_alloc(sizeof *f);
    bool ok = f != NULL && unwanted(self, f, a[0].obj) && ready(self, c) &&
              minimqtt_log(self, "debug", "Sending UNSUBSCRIBE to broker...");
    if (ok) {
        adder_err_t err = adder_mqtt_unsubscribe(&c->e->m, f->filters, f->n, (adder_mqtt_props_t){0}, &r.id);
        ok = err == ADDER_OK || py_fail(refused(self, err, "Topic filter"));
    }
    ok = ok && wait_answer(self, c, &r) && unsubscribed(self, f, r.id);
    py_free(f);
    return ok ? py_none() : PY_NULL;
}

/* ---- ping, loop ---- */

static bool has_pong(const minimqtt_t *c, const void *ctx)
{
    const uint32_t *before = ctx;
    return c->e->pongs != *before;
}

py_t minimqtt_m_ping(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    minimqtt_t *c = s;
    uint32_t before = c->e->pongs;
    double seconds, patience;
    bool timed_out;
    py_t types = py_list(NULL, 0);
    if (!ready(self, c) || py_null(types) || !minimqtt_seconds(self, "keep_alive", &seconds) ||
        !minimqtt_seconds(self, "_recv_timeout", &patience) ||
        !minimqtt_log(self, "debug", "Sending PINGREQ"))
        return PY_NULL;
    adder_err_t err = adder_mqtt_ping(&c->e->m);
    if (err != ADDER_OK)
        return refused(self, err, "PINGREQ");
    seconds = seconds > 0 ? seconds : patience;
    if (!minimqtt_flush(self, c) ||
        !minimqtt_wait(self, c, has_pong, &before, minimqtt_us(seconds), types, &timed_out))
        return PY_NULL;
    return timed_out
               ? minimqtt_raise(-1, PY_NULL, "PINGRESP not returned from broker within %g seconds.", seconds)
               : types;
}

const py_arg_t minimqtt_loop_args[] = {{.name = "timeout", .kind = PY_ARG_OBJ}, PY_END};

static py_t too_short(py_t self, py_t timeout)
{
    py_t shown = py_str_of(timeout), least = py_attr(self, "_socket_timeout");
    const char *a, *b;
    if (py_null(shown) || py_null(least) || py_null(least = py_str_of(least)) ||
        !py_to_str(shown, &a, NULL) || !py_to_str(least, &b, NULL))
        return PY_NULL;
    return py_raise(PY_ValueError, "loop timeout (%s) must be >= socket timeout (%s))", a, b);
}

py_t minimqtt_m_loop(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    double seconds = 1, least;
    bool timed_out;
    size_t n;
    py_t types = py_list(NULL, 0);
    if (py_null(types) || (a[0].given && !py_to_float(a[0].obj, &seconds)) ||
        !minimqtt_seconds(self, "_socket_timeout", &least))
        return PY_NULL;
    if (seconds < least && !(seconds >= 0 && seconds <= 0)) /* 0: what is there, and back at once */
        return too_short(self, a[0].given ? a[0].obj : py_float(seconds));
    if (!ready(self, c) || !minimqtt_wait(self, c, NULL, NULL, minimqtt_us(seconds), types, &timed_out) ||
        !py_len(types, &n))
        return PY_NULL;
    return n > 0 ? types : py_none();
}

const py_arg_t minimqtt_wait_args[] = {PY_OPT_OBJ("timeout"), PY_END};

py_t minimqtt_m_wait_for_msg(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    double seconds;
    size_t n;
    py_t types = py_list(NULL, 0);
    if (py_null(types) || !minimqtt_seconds(self, "_socket_timeout", &seconds) ||
        (a[0].given && !py_to_float(a[0].obj, &seconds)) || !ready(self, c) ||
        !minimqtt_wait_one(self, c, minimqtt_us(seconds), types) || !py_len(types, &n))
        return PY_NULL;
    return n > 0 ? py_item_at(types, 0) : py_none();
}
