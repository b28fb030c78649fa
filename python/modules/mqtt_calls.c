/* adder._mqtt.Client: its methods */
#include <string.h>

#include "python/modules/mqtt_int.h"

static mqtt_core_t *core_of(void *s)
{
    return ((mqtt_client_t *)s)->k;
}

uint32_t mqtt_core_now_ms(const mqtt_core_t *k)
{
    return (uint32_t)(k->mcu->sys->now_us(k->mcu->ctx) / 1000);
}

/* The lock; false: the pump is busy, and the caller would not wait. */
static bool enter(bool may_wait)
{
    if (!may_wait)
        return py_pump_try_lock();
    py_pump_lock();
    return true;
}

/* Behind a call of the client, with the lock. */
static void settle(mqtt_core_t *k)
{
    mqtt_core_show(k);
    py_pump_unlock();
    py_pump_poke();
}

/* ---- connecting ---- */

static py_t m_start(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = core_of(s);
    if (!k->stack->started)
        return py_raise(PY_RuntimeError, "the radio is off");
    py_pump_lock();
    atomic_store(&k->shown.why, NULL);
    adder_err_t err = adder_mqtt_client_start(&k->client, mqtt_core_now_ms(k));
    k->item.heavy = k->ssl != NULL && k->client.state != ADDER_MQTT_CLIENT_ON;
    settle(k);
    return err == ADDER_OK || err == ADDER_ERR_STATE ? py_none() : py_raise_err(err, "MQTT");
}

static const py_arg_t stop_args[] = {PY_OPT_BOOL("may_wait", true), PY_END};

/* False: the pump is busy, and `may_wait` is false. */
static py_t m_stop(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    if (!enter(a[0].b))
        return py_bool(false);
    adder_mqtt_client_stop(&k->client, mqtt_core_now_ms(k));
    settle(k);
    return py_bool(true);
}

static py_t m_deinit(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = core_of(s);
    if (k != NULL)
        mqtt_core_end(k);
    return py_none();
}

/* ---- messages out ---- */

static const py_arg_t publish_args[] = {PY_REQ_STR("topic"),
                                        PY_REQ_OBJ("payload"),
                                        PY_REQ_INT("qos", 0, 2),
                                        PY_REQ_BOOL("retain"),
                                        PY_OPT_OBJ("props"),
                                        PY_OPT_BOOL("may_wait", true),
                                        PY_END};

static bool payload_of(py_t v, adder_mqtt_msg_t *msg)
{
    const char *text;
    size_t len;
    py_buf_t buf;
    if (py_is_int(v) || py_is_float(v))
        v = py_str_of(v);
    if (py_null(v))
        return false;
    if (py_is_str(v)) {
        if (!py_to_str(v, &text, &len))
            return false;
        msg->payload = (const uint8_t *)text;
        msg->payload_len = (uint32_t)len;
        return true;
    }
    if (!py_buffer_read(v, &buf))
        return false;
    msg->payload = buf.ptr;
    msg->payload_len = (uint32_t)buf.len;
    return true;
}

/* The packet id, 0 for QoS 0; None: there is no room; -1: the pump is busy, and `may_wait` is false. */
static py_t m_publish(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    adder_mqtt_msg_t msg = {.topic = {a[0].str, a[0].str_len}, .qos = (uint8_t)a[2].i, .retain = a[3].b};
    py_buf_t props;
    uint16_t id = 0;
    if (!payload_of(a[1].obj, &msg))
        return PY_NULL;
    if (a[4].given) {
        if (!py_buffer_read(a[4].obj, &props))
            return PY_NULL;
        msg.props = (adder_mqtt_props_t){props.ptr, props.len};
    }
    if (!adder_mqtt_is_topic(msg.topic))
        return py_raise(PY_ValueError, "Topic must be 1-65535 bytes without wildcards.");
    const size_t len = msg.topic.len + msg.props.len + msg.payload_len;
    if (len > k->arena_len && (msg.qos > 0 || len > k->tx_cap / 2)) /* else it may pass the queue by */
        return py_raise(PY_ValueError, "The message is longer than the queue.");
    if (k->aliases.max > 0)
        msg.alias = mqtt_alias_of(&k->aliases, msg.topic);
    if (!enter(a[5].b))
        return py_int(-1);
    /* Each message that is not done has room for its acknowledgement. */
    bool room = adder_mqtt_client_queued(&k->client) + mqtt_core_acks(k) < MQTT_ITEMS;
    adder_err_t err = room ? adder_mqtt_client_publish(&k->client, &msg, &id) : ADDER_ERR_AGAIN;
    if (err == ADDER_ERR_AGAIN) /* be told when there is */
        k->asked_len = len;
    settle(k);
    switch (err) {
    case ADDER_OK:
        return py_uint(id);
    case ADDER_ERR_AGAIN:
        return py_none();
    case ADDER_ERR_NOSPACE:
        return py_raise(PY_ValueError, "The message is longer than the %s.",
                        k->flash != NULL ? "queue or the store" : "queue");
    default:
        return py_raise_err(err, "publish");
    }
}

/* ---- subscriptions ---- */

static mqtt_sub_t **find_sub(mqtt_core_t *k, const py_val_t *filter)
{
    mqtt_sub_t **at = &k->subs;
    while (*at != NULL && ((*at)->sub.route.filter.len != filter->str_len ||
                           memcmp((*at)->sub.route.filter.at, filter->str, filter->str_len) != 0))
        at = &(*at)->next;
    return at;
}

enum { SUB_NO_LOCAL = 1, SUB_AS_PUBLISHED = 2 };

static const py_arg_t subscribe_args[] = {
    PY_REQ_STR("topic"),           PY_REQ_INT("qos", 0, 2),
    PY_OPT_INT("flags", 0, 0, 3),  PY_OPT_INT("retain_handling", 0, 0, 2),
    PY_OPT_BOOL("may_wait", true), PY_END};

static mqtt_sub_t *new_sub(mqtt_core_t *k, const py_val_t *a)
{
    mqtt_sub_t *sub = py_alloc(sizeof *sub + a[0].str_len);
    if (sub == NULL)
        return NULL;
    memcpy((char *)(sub + 1), a[0].str, a[0].str_len);
    sub->sub.route.filter = (adder_mqtt_str_t){(char *)(sub + 1), a[0].str_len};
    sub->sub.qos = (uint8_t)a[1].i;
    sub->sub.no_local = (a[2].i & SUB_NO_LOCAL) != 0;
    sub->sub.retain_as_published = (a[2].i & SUB_AS_PUBLISHED) != 0;
    sub->sub.retain_handling = (uint8_t)a[3].i;
    sub->number = k->next_number = k->next_number % 1000000 + 1;
    return sub;
}

/* What is there already, and no less than what is asked for. */
static bool is_covered(const mqtt_sub_t *there, const py_val_t *a)
{
    const adder_mqtt_sub_t *sub = &there->sub;
    return sub->qos >= a[1].i && sub->no_local == ((a[2].i & SUB_NO_LOCAL) != 0) &&
           sub->retain_as_published == ((a[2].i & SUB_AS_PUBLISHED) != 0) && sub->retain_handling == a[3].i;
}

/* With the lock: no longer asked for. It is the caller's to free. */
static mqtt_sub_t *take_out(mqtt_core_t *k, mqtt_sub_t **at, adder_err_t *err_out)
{
    mqtt_sub_t *sub = *at;
    *err_out = ADDER_OK;
    if (sub != NULL) {
        *at = sub->next;
        *err_out = adder_mqtt_client_unsubscribe(&k->client, &sub->sub);
    }
    return sub;
}

/* With the lock. */
static adder_err_t put_in(mqtt_core_t *k, mqtt_sub_t *sub)
{
    const adder_mqtt_prop_t number = {.id = ADDER_MQTT_PROP_SUBSCRIPTION_ID, .number = sub->number};
    size_t props_len = 0;
    ADDER_IGNORE(adder_mqtt_prop_put(sub->props, sizeof sub->props, &props_len, &number), "it fits");
    if (!k->client.mqtt.server.no_sub_ids)
        sub->sub.props = (adder_mqtt_props_t){sub->props, props_len};
    const adder_err_t err = adder_mqtt_client_subscribe(&k->client, &sub->sub);
    if (err != ADDER_OK)
        return err;
    sub->next = k->subs;
    k->subs = sub;
    if (k->client.state == ADDER_MQTT_CLIENT_ON &&
        k->stack->started) { /* asked for before anything that is published next */
        adder_mqtt_client_wants_t wants;
        adder_mqtt_client_tick(&k->client, mqtt_core_now_ms(k), &wants);
    }
    return ADDER_OK;
}

/* The subscription's number; None: the pump is busy, and `may_wait` is false. */
static py_t m_subscribe(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    mqtt_sub_t **there = find_sub(k, &a[0]);
    if (*there != NULL && is_covered(*there, a))
        return py_uint((*there)->number);
    if (!adder_mqtt_is_filter((adder_mqtt_str_t){a[0].str, a[0].str_len}))
        return py_raise(PY_ValueError, "Not a topic filter: %s", a[0].str);
    mqtt_sub_t *sub = new_sub(k, a);
    if (sub == NULL)
        return PY_NULL;
    if (!enter(a[4].b)) {
        py_free(sub);
        return py_none();
    }
    adder_err_t ignored;
    mqtt_sub_t *old = take_out(k, there, &ignored);
    const adder_err_t err = put_in(k, sub);
    settle(k);
    py_free(old);
    if (err != ADDER_OK) {
        py_free(sub);
        return err == ADDER_ERR_ARG ? py_raise(PY_ValueError, "Not a topic filter: %s", a[0].str)
                                    : py_raise_err(err, "subscribe");
    }
    return py_uint(sub->number);
}

static const py_arg_t unsubscribe_args[] = {PY_REQ_STR("topic"), PY_OPT_BOOL("may_wait", true), PY_END};

/* False: the pump is busy, and `may_wait` is false. */
static py_t m_unsubscribe(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    adder_err_t err;
    if (!enter(a[1].b))
        return py_bool(false);
    mqtt_sub_t *sub = take_out(k, find_sub(k, &a[0]), &err);
    settle(k);
    py_free(sub);
    return err == ADDER_OK || err == ADDER_ERR_AGAIN ? py_bool(true) : py_raise_err(err, "unsubscribe");
}

static const py_arg_t topic_args[] = {PY_REQ_STR("topic"), PY_END};

/* 0..2, 0x80.. refused, 0xff = no answer yet; None: no such subscription. */
static py_t m_granted(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const mqtt_sub_t *sub = *find_sub(core_of(s), &a[0]);
    return sub == NULL ? py_none() : py_uint(sub->sub.granted);
}

/* ---- what there is for the program: mqtt_take.c ---- */

static bool has_news(void *ctx)
{
    return mqtt_core_has_news(ctx);
}

static const py_arg_t wait_args[] = {PY_REQ_FLOAT("timeout"), PY_END};

/* Until there is something to take(): True. */
static py_t m_wait(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    bool timed_out;
    uint64_t most = a[0].f <= 0 ? 0 : a[0].f < 1e9 ? (uint64_t)(a[0].f * 1e6) : UINT64_MAX;
    return py_pump_wait(has_news, core_of(s), most, &timed_out) ? py_bool(!timed_out) : PY_NULL;
}

enum { POLL_IN = 1, POLL_HUP = 16 };

/* For select.poll, and so for asyncio: readable while there is something to take(). */
static py_t m_poll_ready(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    if (k == NULL || !k->in_pump)
        return py_int(a[0].i & (POLL_IN | POLL_HUP));
    return py_int(mqtt_core_has_news(k) ? a[0].i & POLL_IN : 0);
}

/* ---- state ---- */

/* (state, cause, reason, connects, dropped, queued, session present, code of the reason,
 * is the cause TLS's word) */
static py_t get_status(py_t self, void *s)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    const unsigned state = atomic_load(&k->shown.state), reason = atomic_load(&k->shown.reason);
    const char *why = atomic_load(&k->shown.why);
    const char *cause = why != NULL ? why : adder_err_str((adder_err_t)atomic_load(&k->shown.cause));
    const py_t parts[] = {py_uint(state),
                          py_str(cause),
                          py_str(reason == 0 ? "" : adder_mqtt_reason_str((uint8_t)reason)),
                          py_uint(atomic_load(&k->shown.connects)),
                          py_uint(atomic_load(&k->shown.dropped)),
                          py_uint(atomic_load(&k->shown.queued)),
                          py_bool(atomic_load(&k->shown.present)),
                          py_uint(reason),
                          py_bool(why != NULL && atomic_load(&k->shown.refused))};
    return py_tuple(parts, 9);
}

static py_t get_state(py_t self, void *s)
{
    (void)self;
    return py_uint(atomic_load(&core_of(s)->shown.state));
}

static const py_arg_t told_args[] = {PY_REQ_INT("property", 1, 255), PY_END};

/* A text that came with CONNACK, else with the last refusal or goodbye; None. */
static py_t m_told(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    char text[MQTT_TOLD];
    size_t len = 0;
    adder_mqtt_prop_t p;
    py_pump_lock();
    const mqtt_told_t *told[] = {&k->welcome, &k->goodbye};
    bool found = false;
    for (size_t i = 0; i < 2 && !found; i++)
        found = adder_mqtt_prop_find((adder_mqtt_props_t){told[i]->bytes, told[i]->len}, (uint8_t)a[0].i, &p);
    if (found)
        memcpy(text, p.text.at, len = p.text.len);
    py_pump_unlock();
    return found ? py_str_n(text, len) : py_none();
}

/* ---- authentication ---- */

/* (what is asked, data or None), None: nothing is. */
static py_t m_challenge(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = core_of(s);
    uint8_t data[MQTT_CHALLENGE];
    py_pump_lock();
    const uint8_t asks = k->auth.asks;
    const bool has = k->auth.has_challenge && asks != MQTT_ASKS_FIRST;
    const size_t len = has ? k->auth.challenge_len : 0;
    memcpy(data, k->auth.challenge, len);
    if (asks == MQTT_TELLS_LAST)
        k->auth.asks = MQTT_ASKS_NOTHING;
    py_pump_unlock();
    if (asks == MQTT_ASKS_NOTHING)
        return py_none();
    const py_t parts[] = {py_uint(asks), has ? py_bytes(data, len) : py_none()};
    return py_null(parts[1]) ? PY_NULL : py_tuple(parts, 2);
}

static const py_arg_t answer_args[] = {PY_OPT_OBJ("data"), PY_OPT_BOOL("again", false), PY_END};

static py_t m_answer(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = core_of(s);
    py_buf_t data = {0};
    if (a[0].given && !py_buffer_read(a[0].obj, &data))
        return PY_NULL;
    static const uint8_t empty[1];
    const uint8_t *bytes = a[0].given ? (data.len > 0 ? data.ptr : empty) : NULL;
    py_pump_lock();
    adder_err_t err = a[1].b ? mqtt_auth_again(k, bytes, data.len) : mqtt_auth_answer(k, bytes, data.len);
    settle(k);
    return err == ADDER_OK ? py_none() : py_raise_err(err, "authentication");
}

const py_method_t mqtt_client_methods[] = {{"start", m_start, NULL, 0, NULL},
                                           {"stop", m_stop, stop_args, 0, NULL},
                                           {"deinit", m_deinit, NULL, PY_M_ANYTIME, NULL},
                                           {"publish", m_publish, publish_args, 0, NULL},
                                           {"subscribe", m_subscribe, subscribe_args, 0, NULL},
                                           {"unsubscribe", m_unsubscribe, unsubscribe_args, 0, NULL},
                                           {"granted", m_granted, topic_args, 0, NULL},
                                           {"acks", mqtt_m_acks, NULL, 0, NULL},
                                           {"take", mqtt_m_take, mqtt_take_args, 0, NULL},
                                           {"forget", mqtt_m_forget, NULL, 0, NULL},
                                           {"wait", m_wait, wait_args, 0, NULL},
                                           {"poll_ready", m_poll_ready, net_args_events, PY_M_ANYTIME, NULL},
                                           {"told", m_told, told_args, 0, NULL},
                                           {"challenge", m_challenge, NULL, 0, NULL},
                                           {"answer", m_answer, answer_args, 0, NULL},
                                           PY_END};
const py_prop_t mqtt_client_props[] = {
    {"status", get_status, NULL, 0, NULL}, {"state", get_state, NULL, 0, NULL}, PY_END};
