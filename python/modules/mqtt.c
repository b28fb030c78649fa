/* adder._mqtt.Client: the calls of adder/mqtt_client.h, none of which waits but wait() and deinit() */
#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/esp32spi.h"
#include "python/modules/mqtt_int.h"
#include "python/modules/wifi.h"

typedef struct {
    py_field_t radio, context, texts;
    mqtt_core_t *k;
} client_t;

static const uint16_t fields[] = {offsetof(client_t, radio), offsetof(client_t, context),
                                  offsetof(client_t, texts), PY_FIELDS_END};

static mqtt_core_t *cores;

enum {
    A_RADIO,
    A_HOST,
    A_PORT,
    A_TLS,
    A_ID,
    A_USER,
    A_PASSWORD,
    A_KEEP_ALIVE,
    A_CLEAN,
    A_VERSION,
    A_EXPIRY,
    A_WILL,
    A_QUEUE,
    A_INBOX
};
static const py_arg_t init_args[] = {PY_REQ_OBJ("radio"),
                                     PY_REQ_STR("host"),
                                     PY_REQ_INT("port", 1, 65535),
                                     PY_OPT_OBJ("tls"),
                                     PY_OPT_STR("client_id", ""),
                                     PY_OPT_OBJ("username"),
                                     PY_OPT_OBJ("password"),
                                     PY_OPT_INT("keep_alive", 60, 0, 65535),
                                     PY_OPT_BOOL("clean", true),
                                     PY_OPT_INT("version", 4, 4, 5),
                                     PY_OPT_INT("session_expiry", 0, 0, UINT32_MAX),
                                     PY_OPT_OBJ("will"),
                                     PY_OPT_INT("queue", 8192, 256, 1 << 20),
                                     PY_OPT_INT("inbox", 16384, 256, 1 << 24),
                                     PY_END};

static net_stack_t *stack_of(py_t radio)
{
    esp32spi_obj_t *o = py_struct(radio, &esp32spi_control_class);
    if (o != NULL)
        return &o->sockets;
    return py_struct(radio, &wifi_radio_class) != NULL ? &wifi_state.stack : NULL;
}

static bool text(const py_val_t *a, adder_mqtt_str_t *out)
{
    *out = (adder_mqtt_str_t){NULL, 0};
    return !a->given || py_to_str(a->obj, &out->at, &out->len);
}

/* (topic, payload, qos, retain) */
static bool take_will(py_t will, adder_mqtt_msg_t *out)
{
    py_buf_t payload;
    int64_t qos;
    py_t parts[4];
    for (size_t i = 0; i < 4; i++) {
        if (py_null(parts[i] = py_item_at(will, i)))
            return false;
    }
    *out = (adder_mqtt_msg_t){0};
    if (!py_to_str(parts[0], &out->topic.at, &out->topic.len) || !py_buffer_read(parts[1], &payload) ||
        !py_to_int(parts[2], &qos) || !py_to_bool(parts[3], &out->retain))
        return false;
    out->payload = payload.ptr;
    out->payload_len = (uint32_t)payload.len;
    out->qos = (uint8_t)qos;
    return true;
}

static bool take_tls(py_t self, client_t *o, py_t tls, adder_conn_config_t *config)
{
    mqtt_core_t *k = o->k;
    ssl_context_t *context = py_struct(tls, &ssl_context_class);
    if (context == NULL) { /* True: the coprocessor's own */
        config->security = ADDER_CONN_DEVICE_TLS;
        return true;
    }
    if ((k->ssl = ssl_config_take(context, ADDER_TLS_CLIENT)) == NULL)
        return false;
    py_field_set(self, &o->context, tls);
    k->layer = (adder_conn_tls_t){&mqtt_core_tls_ops, k};
    config->security = ADDER_CONN_TLS;
    config->tls = &k->layer;
    return true;
}

static bool fill(py_t self, client_t *o, const py_val_t *a)
{
    mqtt_core_t *k = o->k;
    adder_mqtt_connect_t *c;
    adder_mqtt_client_config_t config = {.engine = {.rx = k->rx,
                                                    .tx = k->tx,
                                                    .rx_cap = sizeof k->rx,
                                                    .tx_cap = sizeof k->tx,
                                                    .slots = k->slots,
                                                    .ids = k->ids,
                                                    .n_slots = MQTT_SLOTS,
                                                    .n_ids = MQTT_IDS},
                                         .items = k->items,
                                         .n_items = MQTT_ITEMS,
                                         .arena = k->arena,
                                         .arena_len = (size_t)a[A_QUEUE].i,
                                         .queue_qos0 = true,
                                         .random = mqtt_core_random,
                                         .random_ctx = k,
                                         .message = mqtt_core_message,
                                         .event = mqtt_core_event,
                                         .state = mqtt_core_state,
                                         .ctx = k};
    c = &config.connect;
    k->transport = (adder_mqtt_conn_t){
        .conn = &k->conn, .config = {.net = &k->stack->net}, .host = k->host, .port = (uint16_t)a[A_PORT].i};
    if ((a[A_TLS].given && !take_tls(self, o, a[A_TLS].obj, &k->transport.config)) ||
        (a[A_WILL].given && !take_will(a[A_WILL].obj, &k->will)) || !text(&a[A_USER], &c->user) ||
        !text(&a[A_PASSWORD], &c->password))
        return false;
    c->client_id = (adder_mqtt_str_t){a[A_ID].str, a[A_ID].given ? a[A_ID].str_len : 0};
    c->will = a[A_WILL].given ? &k->will : NULL;
    c->session_expiry_s = (uint32_t)a[A_EXPIRY].i;
    c->keep_alive_s = (uint16_t)a[A_KEEP_ALIVE].i;
    c->version = (uint8_t)a[A_VERSION].i;
    c->clean = a[A_CLEAN].b;
    config.transport = adder_mqtt_over_conn(&k->transport);
    adder_err_t err = adder_mqtt_client_init(&k->client, &config);
    return err == ADDER_OK || py_fail(py_raise_err(err, "MQTT"));
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    client_t *o = s;
    net_stack_t *stack = stack_of(a[A_RADIO].obj);
    if (stack == NULL)
        return py_fail(py_raise(PY_TypeError,
                                "radio must be wifi.radio or an ESP_SPIcontrol of Adder's own, not %s",
                                py_type_name(a[A_RADIO].obj)));
    if (a[A_HOST].str_len > ADDER_NET_HOST_MAX || a[A_HOST].str_len == 0)
        return py_fail(py_raise(PY_ValueError, "broker must be 1-%d bytes", ADDER_NET_HOST_MAX));
    mqtt_core_t *k = py_alloc(sizeof *k);
    if ((o->k = k) == NULL || (k->arena = py_alloc((size_t)a[A_QUEUE].i)) == NULL ||
        (k->inbox = py_alloc((size_t)a[A_INBOX].i)) == NULL)
        return false;
    k->inbox_cap = (size_t)a[A_INBOX].i / 8 * 8;
    k->mcu = py_mcu();
    k->stack = stack;
    memcpy(k->host, a[A_HOST].str, a[A_HOST].str_len);
    py_t kept[14];
    for (size_t i = 0; i < 14; i++)
        kept[i] = a[i].given ? a[i].obj : py_none();
    py_t texts = py_tuple(kept, 14); /* the client borrows what they hold */
    py_field_set(self, &o->texts, texts);
    py_field_set(self, &o->radio, a[A_RADIO].obj);
    if (py_null(texts) || !fill(self, o, a))
        return false;
    k->next = cores;
    cores = k;
    mqtt_core_begin(k);
    return true;
}

static void fini(void *s)
{
    client_t *o = s;
    mqtt_core_t *k = o->k;
    if (k == NULL)
        return;
    mqtt_core_end(k);
    for (mqtt_core_t **at = &cores; *at != NULL; at = &(*at)->next) {
        if (*at == k) {
            *at = k->next;
            break;
        }
    }
    while (k->subs != NULL) {
        mqtt_sub_t *sub = k->subs;
        k->subs = sub->next;
        py_free(sub);
    }
    ssl_config_drop(k->ssl);
    py_free(k->arena);
    py_free(k->inbox);
    py_free(k);
    o->k = NULL;
}

static bool live(const void *s)
{
    const client_t *o = s;
    return o->k != NULL && o->k->in_pump;
}

/* ---- methods ---- */

static uint32_t now_ms(const mqtt_core_t *k)
{
    return (uint32_t)(k->mcu->sys->now_us(k->mcu->ctx) / 1000);
}

static py_t m_start(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = ((client_t *)s)->k;
    if (!k->stack->started)
        return py_raise(PY_RuntimeError, "the radio is off");
    py_pump_lock();
    adder_err_t err = adder_mqtt_client_start(&k->client, now_ms(k));
    py_pump_unlock();
    py_pump_poke();
    return err == ADDER_OK || err == ADDER_ERR_STATE ? py_none() : py_raise_err(err, "MQTT");
}

static py_t m_stop(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = ((client_t *)s)->k;
    py_pump_lock();
    adder_mqtt_client_stop(&k->client, now_ms(k));
    py_pump_unlock();
    py_pump_poke();
    return py_none();
}

static py_t m_deinit(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    client_t *o = s;
    if (o->k != NULL)
        mqtt_core_end(o->k);
    return py_none();
}

static const py_arg_t publish_args[] = {PY_REQ_STR("topic"), PY_REQ_RBUF("payload"), PY_REQ_INT("qos", 0, 2),
                                        PY_REQ_BOOL("retain"), PY_END};

static py_t m_publish(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = ((client_t *)s)->k;
    const adder_mqtt_msg_t msg = {.topic = {a[0].str, a[0].str_len},
                                  .payload = a[1].buf.ptr,
                                  .payload_len = (uint32_t)a[1].buf.len,
                                  .qos = (uint8_t)a[2].i,
                                  .retain = a[3].b};
    uint16_t id = 0;
    py_pump_lock();
    /* Each message that is not done has room for its acknowledgement. */
    bool room = adder_mqtt_client_queued(&k->client) + k->n_acks < MQTT_ITEMS;
    adder_err_t err = room ? adder_mqtt_client_publish(&k->client, &msg, &id) : ADDER_ERR_AGAIN;
    py_pump_unlock();
    py_pump_poke();
    if (err == ADDER_ERR_AGAIN)
        return py_none();
    if (err == ADDER_ERR_ARG)
        return py_raise(PY_ValueError, "Topic must be 1-65535 bytes without wildcards.");
    if (err == ADDER_ERR_NOSPACE)
        return py_raise(PY_ValueError, "The message is longer than the queue.");
    return err == ADDER_OK ? py_uint(id) : py_raise_err(err, "publish");
}

static const py_arg_t subscribe_args[] = {PY_REQ_STR("topic"), PY_REQ_INT("qos", 0, 2), PY_END};

static mqtt_sub_t **find_sub(mqtt_core_t *k, const py_val_t *filter)
{
    mqtt_sub_t **at = &k->subs;
    while (*at != NULL && ((*at)->sub.route.filter.len != filter->str_len ||
                           memcmp((*at)->sub.route.filter.at, filter->str, filter->str_len) != 0))
        at = &(*at)->next;
    return at;
}

static bool unsubscribe(mqtt_core_t *k, mqtt_sub_t **at)
{
    mqtt_sub_t *sub = *at;
    py_pump_lock();
    *at = sub->next;
    adder_err_t err = adder_mqtt_client_unsubscribe(&k->client, &sub->sub);
    py_pump_unlock();
    py_pump_poke();
    py_free(sub);
    return err == ADDER_OK || err == ADDER_ERR_AGAIN || py_fail(py_raise_err(err, "unsubscribe"));
}

static py_t m_subscribe(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = ((client_t *)s)->k;
    mqtt_sub_t **there = find_sub(k, &a[0]);
    if (*there != NULL && (*there)->sub.qos >= a[1].i)
        return py_uint((*there)->number);
    mqtt_sub_t *sub = py_alloc(sizeof *sub + a[0].str_len);
    if (sub == NULL || (*there != NULL && !unsubscribe(k, there))) {
        py_free(sub);
        return PY_NULL;
    }
    memcpy((char *)(sub + 1), a[0].str, a[0].str_len);
    sub->sub.route.filter = (adder_mqtt_str_t){(char *)(sub + 1), a[0].str_len};
    sub->sub.qos = (uint8_t)a[1].i;
    sub->number = k->next_number = k->next_number % 1000000 + 1;
    const adder_mqtt_prop_t number = {.id = ADDER_MQTT_PROP_SUBSCRIPTION_ID, .number = sub->number};
    size_t props_len = 0;
    ADDER_IGNORE(adder_mqtt_prop_put(sub->props, sizeof sub->props, &props_len, &number), "it fits");
    py_pump_lock();
    if (!k->client.mqtt.server.no_sub_ids)
        sub->sub.props = (adder_mqtt_props_t){sub->props, props_len};
    adder_err_t err = adder_mqtt_client_subscribe(&k->client, &sub->sub);
    if (err == ADDER_OK && k->stack->started) { /* asked for before anything that is published next */
        adder_mqtt_client_wants_t wants;
        adder_mqtt_client_tick(&k->client, now_ms(k), &wants);
    }
    if (err == ADDER_OK) {
        sub->next = k->subs;
        k->subs = sub;
    }
    py_pump_unlock();
    py_pump_poke();
    if (err != ADDER_OK) {
        py_free(sub);
        return err == ADDER_ERR_ARG ? py_raise(PY_ValueError, "Not a topic filter: %s", a[0].str)
                                    : py_raise_err(err, "subscribe");
    }
    return py_uint(sub->number);
}

static const py_arg_t topic_args[] = {PY_REQ_STR("topic"), PY_END};

static py_t m_unsubscribe(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    mqtt_core_t *k = ((client_t *)s)->k;
    mqtt_sub_t **at = find_sub(k, &a[0]);
    return *at == NULL || unsubscribe(k, at) ? py_none() : PY_NULL;
}

/* 0..2, 0x80.. refused, 0xff = no answer yet; None: no such subscription. */
static py_t m_granted(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const mqtt_sub_t *sub = *find_sub(((client_t *)s)->k, &a[0]);
    return sub == NULL ? py_none() : py_uint(sub->sub.granted);
}

/* (topic, payload, qos, retain, duplicate, numbers of subscriptions), or None. */
static py_t m_take(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = ((client_t *)s)->k;
    const mqtt_record_t *r = mqtt_core_first(k);
    if (r == NULL)
        return py_none();
    const char *topic = (const char *)(r + 1);
    py_t numbers[MQTT_IDENTIFIERS];
    for (size_t i = 0; i < r->n_subs; i++)
        numbers[i] = py_uint(r->subs[i]);
    const py_t parts[] = {py_str_n(topic, r->topic_len),
                          py_bytes(topic + r->topic_len, r->len),
                          py_uint(r->qos),
                          py_bool(r->retain),
                          py_bool(r->dup),
                          py_tuple(numbers, r->n_subs)};
    py_t message = py_null(parts[0]) || py_null(parts[1]) || py_null(parts[5]) ? PY_NULL : py_tuple(parts, 6);
    if (!py_null(message))
        mqtt_core_drop(k);
    return message;
}

/* A list of (id, reason) of messages that are done. */
static py_t m_acks(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    mqtt_core_t *k = ((client_t *)s)->k;
    mqtt_ack_t acks[MQTT_ITEMS];
    py_pump_lock();
    size_t n = k->n_acks;
    memcpy(acks, k->acks, n * sizeof *acks);
    k->n_acks = 0;
    py_pump_unlock();
    py_t list = py_list(NULL, 0);
    for (size_t i = 0; i < n && !py_null(list); i++) {
        const py_t pair[] = {py_uint(acks[i].id), py_uint(acks[i].reason)};
        if (!py_list_append(list, py_tuple(pair, 2)))
            return PY_NULL;
    }
    return list;
}

typedef struct {
    const mqtt_core_t *k;
    uint32_t seen;
} waiting_t;

static bool has_news(void *ctx)
{
    const waiting_t *w = ctx;
    return w->k->news != w->seen;
}

static const py_arg_t wait_args[] = {PY_REQ_INT("news", 0, UINT32_MAX), PY_REQ_FLOAT("timeout"), PY_END};

static py_t m_wait(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    waiting_t w = {((client_t *)s)->k, (uint32_t)a[0].i};
    bool timed_out;
    uint64_t most = a[1].f <= 0 ? 0 : a[1].f < 1e9 ? (uint64_t)(a[1].f * 1e6) : UINT64_MAX;
    return py_pump_wait(has_news, &w, most, &timed_out) ? py_bool(!timed_out) : PY_NULL;
}

/* (news, state, cause, reason, connects, dropped, queued, session present) */
static py_t get_status(py_t self, void *s)
{
    (void)self;
    mqtt_core_t *k = ((client_t *)s)->k;
    py_pump_lock();
    const uint32_t news = k->news, connects = k->client.connects, dropped = k->dropped;
    const uint8_t state = k->client.state, reason = k->client.mqtt.reason;
    const adder_err_t cause = k->client.cause;
    const bool present = k->client.mqtt.session_present;
    const size_t queued = adder_mqtt_client_queued(&k->client);
    py_pump_unlock();
    const char *why = reason == 0 ? "" : adder_mqtt_reason_str(reason);
    const py_t parts[] = {py_uint(news),   py_uint(state),    py_str(adder_err_str(cause)),
                          py_str(why),     py_uint(connects), py_uint(dropped),
                          py_uint(queued), py_bool(present),  py_uint(reason)};
    return py_tuple(parts, 9);
}

static const py_method_t methods[] = {{"start", m_start, NULL, 0, NULL},
                                      {"stop", m_stop, NULL, 0, NULL},
                                      {"deinit", m_deinit, NULL, PY_M_ANYTIME, NULL},
                                      {"publish", m_publish, publish_args, 0, NULL},
                                      {"subscribe", m_subscribe, subscribe_args, 0, NULL},
                                      {"unsubscribe", m_unsubscribe, topic_args, 0, NULL},
                                      {"granted", m_granted, topic_args, 0, NULL},
                                      {"take", m_take, NULL, 0, NULL},
                                      {"acks", m_acks, NULL, 0, NULL},
                                      {"wait", m_wait, wait_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"status", get_status, NULL, 0, NULL}, PY_END};
static const py_class_t client_class = {.module = "adder._mqtt",
                                        .name = "Client",
                                        .size = sizeof(client_t),
                                        .fields = fields,
                                        .init_args = init_args,
                                        .init = init,
                                        .fini = fini,
                                        .live = live,
                                        .methods = methods,
                                        .props = props};

static const py_arg_t match_args[] = {PY_REQ_STR("filter"), PY_REQ_STR("topic"), PY_END};

static py_t m_matches(const py_val_t *a)
{
    return py_bool(adder_mqtt_matches((adder_mqtt_str_t){a[0].str, a[0].str_len},
                                      (adder_mqtt_str_t){a[1].str, a[1].str_len}));
}

static const py_arg_t reason_args[] = {PY_REQ_INT("reason", 0, 255), PY_END};

static py_t m_reason(const py_val_t *a)
{
    return py_str(adder_mqtt_reason_str((uint8_t)a[0].i));
}

/* Before the stacks below go. */
static void reset(void)
{
    for (mqtt_core_t *k = cores; k != NULL; k = k->next)
        mqtt_core_end(k);
}

static const py_function_t functions[] = {
    {"matches", m_matches, match_args, NULL}, {"reason", m_reason, reason_args, NULL}, PY_END};
static const py_class_t *const classes[] = {&client_class, NULL};
const py_module_t mqtt_module = {
    .name = "adder._mqtt", .functions = functions, .classes = classes, .reset = reset};
