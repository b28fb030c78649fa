/* adder._mqtt.Client: its life, and the module */
#include <stdio.h>
#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/esp32spi.h"
#include "python/modules/mqtt_int.h"
#include "python/modules/wifi.h"

static const uint16_t fields[] = {offsetof(mqtt_client_t, radio), offsetof(mqtt_client_t, context),
                                  offsetof(mqtt_client_t, texts), offsetof(mqtt_client_t, last_topic),
                                  PY_FIELDS_END};

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
    A_INBOX,
    A_PROPS,
    A_ALIASES,
    A_AUTH,
    A_PATH,
    A_STORE,
    A_STORE_SIZE,
    A_COUNT
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
                                     PY_OPT_INT("queue", 0, 256, 1 << 24),
                                     PY_OPT_INT("inbox", 0, 256, 1 << 24),
                                     PY_OPT_OBJ("props"),
                                     PY_OPT_INT("topic_aliases", 0, 0, MQTT_ALIASES),
                                     PY_OPT_OBJ("auth"),
                                     PY_OPT_OBJ("path"),
                                     PY_OPT_OBJ("store"),
                                     PY_OPT_INT("store_size", 65536, 8192, 1 << 24),
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

static bool bytes(py_t v, adder_mqtt_props_t *out)
{
    py_buf_t buf;
    if (!py_buffer_read(v, &buf))
        return false;
    *out = (adder_mqtt_props_t){buf.ptr, buf.len};
    return true;
}

/* (topic, payload, qos, retain, properties) */
static bool take_will(py_t will, adder_mqtt_msg_t *out)
{
    py_buf_t payload;
    int64_t qos;
    py_t parts[5];
    for (size_t i = 0; i < 5; i++) {
        if (py_null(parts[i] = py_item_at(will, i)))
            return false;
    }
    *out = (adder_mqtt_msg_t){0};
    if (!py_to_str(parts[0], &out->topic.at, &out->topic.len) || !py_buffer_read(parts[1], &payload) ||
        !py_to_int(parts[2], &qos) || !py_to_bool(parts[3], &out->retain) || !bytes(parts[4], &out->props))
        return false;
    if (qos < 0 || qos > 2)
        return py_fail(py_raise(PY_ValueError, "qos must be 0-2"));
    out->payload = payload.ptr;
    out->payload_len = (uint32_t)payload.len;
    out->qos = (uint8_t)qos;
    return true;
}

static bool take_tls(py_t self, mqtt_client_t *o, py_t tls, adder_conn_config_t *config)
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

/* A WebSocket on the connection; NULL path: none. */
static bool take_path(mqtt_core_t *k, const char *path, bool secure, adder_mqtt_transport_t *t)
{
    if (path == NULL)
        return true;
    if ((k->websocket_buf = py_alloc(MQTT_WEBSOCKET)) == NULL)
        return false;
    const unsigned port = k->transport.port;
    if (port == (secure ? 443 : 80))
        snprintf(k->websocket_host, sizeof k->websocket_host, "%s", k->host);
    else
        snprintf(k->websocket_host, sizeof k->websocket_host, "%s:%u", k->host, port);
    k->websocket = (adder_mqtt_websocket_t){.below = *t,
                                            .config = {.host = k->websocket_host,
                                                       .path = path,
                                                       .protocol = "mqtt",
                                                       .random = mqtt_core_random_bytes,
                                                       .random_ctx = k,
                                                       .buf = k->websocket_buf,
                                                       .cap = MQTT_WEBSOCKET}};
    *t = adder_mqtt_over_websocket(&k->websocket);
    return true;
}

/* The method's name, behind the properties of CONNECT. */
static bool take_auth(mqtt_core_t *k, const py_val_t *a, adder_mqtt_connect_t *c, adder_mqtt_transport_t *t)
{
    const adder_mqtt_props_t props = c->props;
    if (!text(&a[A_AUTH], &k->auth.method))
        return false;
    if (k->auth.method.at == NULL)
        return true;
    const adder_mqtt_prop_t method = {.id = ADDER_MQTT_PROP_AUTH_METHOD, .text = k->auth.method};
    size_t len = props.len;
    if (len > sizeof k->auth.props ||
        adder_mqtt_prop_put(k->auth.props, sizeof k->auth.props, &len, &method) != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "user_properties and auth are too long"));
    if (props.len > 0)
        memcpy(k->auth.props, props.at, props.len);
    k->auth.own_len = props.len;
    k->auth.below = *t;
    c->props = (adder_mqtt_props_t){k->auth.props, len};
    *t = mqtt_auth_transport(k);
    return true;
}

static bool take_aliases(mqtt_core_t *k, const py_val_t *a, adder_mqtt_config_t *engine)
{
    const uint16_t n = (uint16_t)a[A_ALIASES].i;
    if (n == 0)
        return true;
    if ((k->alias_buf = py_alloc((size_t)n * MQTT_TOPIC)) == NULL)
        return false;
    k->aliases.max = n;
    engine->aliases = k->alias_buf;
    engine->n_aliases = n;
    engine->alias_size = MQTT_TOPIC;
    return true;
}

static bool fill_connect(mqtt_core_t *k, const py_val_t *a, adder_mqtt_connect_t *c)
{
    if ((a[A_WILL].given && !take_will(a[A_WILL].obj, &k->will)) || !text(&a[A_USER], &c->user) ||
        !text(&a[A_PASSWORD], &c->password) || (a[A_PROPS].given && !bytes(a[A_PROPS].obj, &c->props)))
        return false;
    c->client_id = (adder_mqtt_str_t){a[A_ID].str, a[A_ID].given ? a[A_ID].str_len : 0};
    c->will = a[A_WILL].given ? &k->will : NULL;
    c->session_expiry_s = (uint32_t)a[A_EXPIRY].i;
    c->keep_alive_s = (uint16_t)a[A_KEEP_ALIVE].i;
    c->version = (uint8_t)a[A_VERSION].i;
    c->clean = a[A_CLEAN].b;
    return true;
}

static bool fill(py_t self, mqtt_client_t *o, const py_val_t *a)
{
    mqtt_core_t *k = o->k;
    adder_mqtt_client_config_t config = {.engine = {.rx = k->rx,
                                                    .tx = k->tx,
                                                    .rx_cap = k->rx_cap,
                                                    .tx_cap = k->tx_cap,
                                                    .slots = k->slots,
                                                    .ids = k->ids,
                                                    .n_slots = MQTT_SLOTS,
                                                    .n_ids = MQTT_IDS},
                                         .items = k->items,
                                         .n_items = MQTT_ITEMS,
                                         .arena = k->arena,
                                         .arena_len = k->arena_len,
                                         .queue_qos0 = true,
                                         .random = mqtt_core_random,
                                         .random_ctx = k,
                                         .message = mqtt_core_message,
                                         .event = mqtt_core_event,
                                         .state = mqtt_core_state,
                                         .ctx = k};
    const char *path = NULL;
    k->transport = (adder_mqtt_conn_t){
        .conn = &k->conn, .config = {.net = &k->stack->net}, .host = k->host, .port = (uint16_t)a[A_PORT].i};
    config.transport = adder_mqtt_over_conn(&k->transport);
    if (a[A_VERSION].i >= 5) /* what the inbox could never hold need not be sent */
        config.engine.packet_max = (uint32_t)(k->inbox.cap - sizeof(mqtt_record_t));
    if ((a[A_TLS].given && !take_tls(self, o, a[A_TLS].obj, &k->transport.config)) ||
        !fill_connect(k, a, &config.connect) || (a[A_PATH].given && !py_to_str(a[A_PATH].obj, &path, NULL)) ||
        !take_path(k, path, a[A_TLS].given, &config.transport) ||
        !take_auth(k, a, &config.connect, &config.transport) || !take_aliases(k, a, &config.engine) ||
        (a[A_STORE].given && !mqtt_store_open(k, a[A_STORE].obj, (uint32_t)a[A_STORE_SIZE].i, &config.store)))
        return false;
    if (k->flash != NULL && !mqtt_store_load(k, config.store))
        return false;
    adder_err_t err = adder_mqtt_client_init(&k->client, &config);
    if (err == ADDER_ERR_NOSPACE && a[A_STORE].given)
        return py_fail(py_raise(PY_ValueError, "The store holds more than the queue."));
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "MQTT"));
    mqtt_core_show(k); /* what the store held is queued from the beginning */
    return true;
}

/* Whoever wants room for many or long messages gets the buffers to move them in few steps. */
static uint16_t share_of(int64_t len, uint16_t least)
{
    const int64_t share = len / MQTT_SHARE;
    return (uint16_t)(share < least ? least : share > MQTT_BUFFER ? MQTT_BUFFER : share);
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    mqtt_client_t *o = s;
    net_stack_t *stack = stack_of(a[A_RADIO].obj);
    if (stack == NULL)
        return py_fail(py_raise(PY_TypeError,
                                "radio must be wifi.radio or an ESP_SPIcontrol of Adder's own, not %s",
                                py_type_name(a[A_RADIO].obj)));
    if (a[A_HOST].str_len > ADDER_NET_HOST_MAX || a[A_HOST].str_len == 0)
        return py_fail(py_raise(PY_ValueError, "broker must be 1-%d bytes", ADDER_NET_HOST_MAX));
    mqtt_core_t *k = py_alloc(sizeof *k);
    if ((o->k = k) == NULL || (k->arena = py_alloc((size_t)a[A_QUEUE].i)) == NULL ||
        (k->inbox.bytes = py_alloc((size_t)a[A_INBOX].i)) == NULL)
        return false;
    k->rx_cap = share_of(a[A_INBOX].i, MQTT_RX);
    k->tx_cap = share_of(a[A_QUEUE].i, MQTT_TX);
    if ((k->rx = py_alloc(k->rx_cap)) == NULL || (k->tx = py_alloc(k->tx_cap)) == NULL)
        return false;
    k->arena_len = (size_t)a[A_QUEUE].i;
    k->inbox.cap = (size_t)a[A_INBOX].i;
    k->mcu = py_mcu();
    k->stack = stack;
    memcpy(k->host, a[A_HOST].str, a[A_HOST].str_len);
    py_t kept[A_COUNT];
    for (size_t i = 0; i < A_COUNT; i++)
        kept[i] = a[i].given ? a[i].obj : py_none();
    py_t texts = py_tuple(kept, A_COUNT); /* the client borrows what they hold */
    if (py_null(texts))
        return false;
    py_field_set(self, &o->texts, texts);
    py_field_set(self, &o->radio, a[A_RADIO].obj);
    if (!fill(self, o, a))
        return false;
    k->next = cores;
    cores = k;
    mqtt_core_begin(k);
    return true;
}

static void fini(void *s)
{
    mqtt_client_t *o = s;
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
    mqtt_aliases_drop(&k->aliases);
    py_free(k->websocket_buf);
    py_free(k->alias_buf);
    py_free(k->rx);
    py_free(k->tx);
    py_free(k->arena);
    py_free(k->inbox.bytes);
    py_free(k);
    o->k = NULL;
}

static bool live(const void *s)
{
    const mqtt_client_t *o = s;
    return o->k != NULL && o->k->in_pump;
}

/* select.poll need not look at it now and then: the pump tells. */
static const py_constant_t constants[] = {{"poll_wakes", 1}, PY_END};

static const py_class_t client_class = {.module = "adder._mqtt",
                                        .name = "Client",
                                        .size = sizeof(mqtt_client_t),
                                        .fields = fields,
                                        .init_args = init_args,
                                        .init = init,
                                        .fini = fini,
                                        .live = live,
                                        .constants = constants,
                                        .methods = mqtt_client_methods,
                                        .props = mqtt_client_props};

/* ---- the module ---- */

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

static const py_arg_t properties_args[] = {PY_REQ_OBJ("keywords"), PY_REQ_INT("target", 0, 2),
                                           PY_REQ_INT("version", 4, 5), PY_END};

static py_t m_properties(const py_val_t *a)
{
    return mqtt_props_new(a[0].obj, (mqtt_target_t)a[1].i, (int)a[2].i);
}

/* Before the stacks below go. */
static void reset(void)
{
    for (mqtt_core_t *k = cores; k != NULL; k = k->next)
        mqtt_core_end(k);
}

static const py_function_t functions[] = {{"matches", m_matches, match_args, NULL},
                                          {"reason", m_reason, reason_args, NULL},
                                          {"properties", m_properties, properties_args, NULL},
                                          PY_END};
static const py_class_t *const classes[] = {&client_class, &mqtt_message_class, NULL};
const py_module_t mqtt_module = {
    .name = "adder._mqtt", .functions = functions, .classes = classes, .reset = reset};
