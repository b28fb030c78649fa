/* adafruit_minimqtt.MQTT: arguments, attributes, settings */
#include "python/modules/minimqtt_int.h"

#include <stdio.h>

#include "python/modules/connection_manager.h"

static const uint16_t fields[] = {offsetof(minimqtt_t, socket), offsetof(minimqtt_t, buffer),
                                  offsetof(minimqtt_t, error), offsetof(minimqtt_t, texts), PY_FIELDS_END};

enum {
    A_BROKER,
    A_PORT,
    A_USERNAME,
    A_PASSWORD,
    A_CLIENT_ID,
    A_IS_SSL,
    A_KEEP_ALIVE,
    A_RECV_TIMEOUT,
    A_SOCKET_POOL,
    A_SSL_CONTEXT,
    A_BINARY,
    A_SOCKET_TIMEOUT,
    A_RETRIES,
    A_USER_DATA,
};

/* Objects keep what they are given: a time-out of 5 is told as 5, not as 5.0. */
#define KW(n)                                                                                                \
    {                                                                                                        \
        .name = n, .kind = PY_ARG_OBJ, .flags = PY_A_KW_ONLY                                                 \
    }
static const py_arg_t init_args[] = {
    PY_KWREQ_OBJ("broker"), KW("port"),           KW("username"),        KW("password"),    KW("client_id"),
    KW("is_ssl"),           KW("keep_alive"),     KW("recv_timeout"),    KW("socket_pool"), KW("ssl_context"),
    KW("use_binary_mode"),  KW("socket_timeout"), KW("connect_retries"), KW("user_data"),   PY_END};
#undef KW

static py_t given(const py_val_t *a, py_t otherwise)
{
    return a->given ? a->obj : otherwise;
}

static bool truth(const py_val_t *a, bool *out)
{
    *out = false;
    return !a->given || py_to_bool(a->obj, out);
}

/* "cpy" and up to six digits. */
static py_t new_client_id(void)
{
    const adder_mcu_t *mcu = py_mcu();
    uint32_t word = 0;
    if (mcu->sys->random(mcu->ctx, (uint8_t *)&word, sizeof word) != ADDER_OK)
        word = (uint32_t)minimqtt_now_us();
    char id[16];
    snprintf(id, sizeof id, "cpy%u", (unsigned)(word % 1000000));
    return py_str(id);
}

static bool check_arguments(const py_val_t *a, py_t retries)
{
    double recv = 10, socket = 1, tries;
    size_t len;
    const char *text;
    if ((a[A_RECV_TIMEOUT].given && !py_to_float(a[A_RECV_TIMEOUT].obj, &recv)) ||
        (a[A_SOCKET_TIMEOUT].given && !py_to_float(a[A_SOCKET_TIMEOUT].obj, &socket)))
        return false;
    if (recv <= socket)
        return py_fail(py_raise(PY_ValueError, "recv_timeout must be strictly greater than socket_timeout"));
    if (!py_to_float(retries, &tries))
        return false;
    if (tries <= 0)
        return py_fail(py_raise(PY_ValueError, "connect_retries must be positive"));
    py_t password = given(&a[A_PASSWORD], py_none());
    if (py_is_none(password))
        return true;
    if (!py_to_str(password, &text, &len))
        return false;
    return len <= MINIMQTT_TEXT_MAX || py_fail(py_raise(PY_ValueError, "Password length is too large."));
}

static bool set_attributes(py_t self, const py_val_t *a, py_t manager, py_t retries)
{
    bool tls, has_port, has_id;
    if (!truth(&a[A_IS_SSL], &tls) || !truth(&a[A_PORT], &has_port) || !truth(&a[A_CLIENT_ID], &has_id))
        return false;
    void *ignored;
    py_t none = py_none();
    const struct {
        const char *name;
        py_t value;
    } all[] = {
        {"broker", a[A_BROKER].obj},
        {"port", has_port ? a[A_PORT].obj : py_int(tls ? 8883 : 1883)},
        {"client_id", has_id ? a[A_CLIENT_ID].obj : new_client_id()},
        {"keep_alive", given(&a[A_KEEP_ALIVE], py_int(60))},
        {"user_data", given(&a[A_USER_DATA], none)},
        {"session_id", none},
        {"logger", py_new(&minimqtt_null_logger_class, &ignored)},
        {"on_connect", none},
        {"on_disconnect", none},
        {"on_publish", none},
        {"on_subscribe", none},
        {"on_unsubscribe", none},
        {"_on_message", none},
        {"_username", given(&a[A_USERNAME], none)},
        {"_password", given(&a[A_PASSWORD], none)},
        {"_is_ssl", a[A_IS_SSL].given && !py_is_none(a[A_IS_SSL].obj) ? a[A_IS_SSL].obj : py_bool(false)},
        {"_recv_timeout", given(&a[A_RECV_TIMEOUT], py_int(10))},
        {"_socket_timeout", given(&a[A_SOCKET_TIMEOUT], py_int(1))},
        {"_socket_pool", given(&a[A_SOCKET_POOL], none)},
        {"_ssl_context", given(&a[A_SSL_CONTEXT], none)},
        {"_use_binary_mode", given(&a[A_BINARY], py_bool(false))},
        {"_connection_manager", manager},
        {"_reconnect_attempts_max", retries},
        {"_msg_size_lim", py_int(MINIMQTT_MSG_LIMIT)},
        {"_subscribed_topics", py_list(NULL, 0)},
        {"_on_message_filtered", py_call(py_class_of(&minimqtt_matcher_class), NULL, 0)},
        {"_lw_topic", none},
        {"_lw_msg", none},
        {"_lw_qos", py_int(0)},
        {"_lw_retain", py_bool(false)},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (py_null(all[i].value) || !py_attr_set(self, all[i].name, all[i].value))
            return false;
    }
    return true;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    py_t module = py_import("adafruit_minimqtt.adafruit_minimqtt"),
         pool = given(&a[A_SOCKET_POOL], py_none());
    py_t get = py_null(module) ? PY_NULL : py_attr(module, "get_connection_manager");
    py_t manager = py_null(get) ? PY_NULL : py_call(get, &pool, 1), retries = given(&a[A_RETRIES], py_int(5));
    if (py_null(manager) || !check_arguments(a, retries) || !set_attributes(self, a, manager, retries))
        return false;
    c->e = py_alloc(sizeof *c->e);
    if (c->e == NULL)
        return false;
    c->mcu = py_mcu();
    minimqtt_engine_init(c->e);
    return true;
}

static void fini(void *s)
{
    minimqtt_t *c = s;
    if (c->e == NULL)
        return;
    while (c->e->messages != NULL) {
        minimqtt_msg_t *o = c->e->messages;
        c->e->messages = o->next;
        py_free(o);
    }
    py_free(c->e->box);
    py_free(c->e);
    c->e = NULL;
}

static bool live(const void *s)
{
    return ((const minimqtt_t *)s)->e != NULL;
}

/* ---- properties ---- */

static py_t get_on_message(py_t self, void *s)
{
    (void)s;
    return py_attr(self, "_on_message");
}

static bool set_on_message(py_t self, void *s, py_t value)
{
    (void)s;
    return py_attr_set(self, "_on_message", value);
}

static py_t get_mqtt_msg(py_t self, void *s)
{
    (void)s;
    const py_t pair[] = {py_attr(self, "_msg_size_lim"), py_int(MINIMQTT_TEXT_MAX)};
    return py_null(pair[0]) ? PY_NULL : py_tuple(pair, 2);
}

static bool set_mqtt_msg(py_t self, void *s, py_t value)
{
    (void)s;
    int64_t size;
    if (!py_to_int(value, &size))
        return false;
    return size >= MINIMQTT_MSG_MAX || py_attr_set(self, "_msg_size_lim", value);
}

static py_t get_sock(py_t self, void *s)
{
    (void)self;
    py_t socket = py_field_get(&((minimqtt_t *)s)->socket);
    return py_null(socket) ? py_none() : socket;
}

static bool set_sock(py_t self, void *s, py_t value)
{
    return minimqtt_adopt(self, s, value);
}

static py_t get_is_connected(py_t self, void *s)
{
    (void)self;
    return py_bool(((minimqtt_t *)s)->state == MINIMQTT_ON);
}

static py_t get_pid(py_t self, void *s)
{
    (void)self;
    return py_uint(((minimqtt_t *)s)->last_id);
}

static bool ticks_now(int64_t *out)
{
    py_t supervisor = py_import("supervisor");
    py_t ticks = py_null(supervisor) ? PY_NULL : py_call_method(supervisor, "ticks_ms", NULL, 0);
    return !py_null(ticks) && py_to_int(ticks, out);
}

enum { TICKS = 1 << 29 };

static py_t get_sent(py_t self, void *s)
{
    (void)self;
    const minimqtt_t *c = s;
    int64_t ticks;
    if (c->e->sent_ms == 0)
        return py_int(0);
    uint32_t ago = (uint32_t)(minimqtt_now_us() / 1000) - c->e->sent_ms;
    return ticks_now(&ticks) ? py_int((ticks - ago) & (TICKS - 1)) : PY_NULL;
}

static bool set_sent(py_t self, void *s, py_t value)
{
    (void)self;
    minimqtt_t *c = s;
    int64_t ticks, when;
    if (!py_to_int(value, &when) || !ticks_now(&ticks))
        return false;
    c->e->sent_ms = (uint32_t)(minimqtt_now_us() / 1000) - (uint32_t)((ticks - when) & (TICKS - 1));
    return true;
}

static const py_prop_t props[] = {
    {"on_message", get_on_message, set_on_message, 0, "Called with a message no topic callback took."},
    {"mqtt_msg", get_mqtt_msg, set_mqtt_msg, 0, "The most bytes of a message, and of a topic."},
    {"_sock", get_sock, set_sock, 0, NULL},
    {"_is_connected", get_is_connected, NULL, 0, NULL},
    {"_pid", get_pid, NULL, 0, NULL},
    {"_last_msg_sent_timestamp", get_sent, set_sent, 0, NULL},
    PY_END};

/* ---- before connect ---- */

static const py_arg_t will_args[] = {PY_REQ_OBJ("topic"),
                                     PY_REQ_OBJ("msg"),
                                     PY_OPT_BOOL("retain", false),
                                     {.name = "qos", .kind = PY_ARG_OBJ},
                                     PY_END};

static py_t m_will_set(py_t self, void *s, const py_val_t *a)
{
    const minimqtt_t *c = s;
    const char *topic;
    size_t len;
    int64_t qos = 0;
    if (!minimqtt_log(self, "debug", "Setting last will properties"))
        return PY_NULL;
    if (c->state == MINIMQTT_ON)
        return minimqtt_raise_state("Last Will should only be called before connect().");
    if (!minimqtt_valid_topic(a[0].obj, &topic, &len))
        return PY_NULL;
    for (size_t i = 0; i < len; i++) {
        if (topic[i] == '+' || topic[i] == '#')
            return py_raise(PY_ValueError, "Publish topic can not contain wildcards.");
    }
    py_t msg = minimqtt_payload(a[1].obj);
    if (py_null(msg) || !py_len(msg, &len))
        return PY_NULL;
    if (len > MINIMQTT_MSG_MAX)
        return py_raise(PY_ValueError, "Message size larger than %d bytes.", MINIMQTT_MSG_MAX);
    if ((a[3].given && !minimqtt_valid_qos(a[3].obj, &qos)) || !py_attr_set(self, "_lw_qos", py_int(qos)) ||
        !py_attr_set(self, "_lw_topic", a[0].obj) || !py_attr_set(self, "_lw_msg", msg) ||
        !py_attr_set(self, "_lw_retain", py_bool(a[2].b)))
        return PY_NULL;
    return py_none();
}

static const py_arg_t login_args[] = {PY_REQ_OBJ("username"), PY_OPT_OBJ("password"), PY_END};

static py_t m_username_pw_set(py_t self, void *s, const py_val_t *a)
{
    const minimqtt_t *c = s;
    if (c->state == MINIMQTT_ON)
        return minimqtt_raise_state("This method must be called before connect().");
    return py_attr_set(self, "_username", a[0].obj) &&
                   (!a[1].given || py_attr_set(self, "_password", a[1].obj))
               ? py_none()
               : PY_NULL;
}

/* ---- topic callbacks ---- */

static const py_arg_t add_args[] = {PY_REQ_OBJ("mqtt_topic"), PY_REQ_OBJ("callback_method"), PY_END};

static py_t m_add_topic_callback(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    if (py_is_none(a[0].obj) || py_is_none(a[1].obj))
        return py_raise(PY_ValueError, "MQTT topic and callback method must both be defined.");
    py_t filtered = py_attr(self, "_on_message_filtered");
    return !py_null(filtered) && py_item_set(filtered, a[0].obj, a[1].obj) ? py_none() : PY_NULL;
}

static const py_arg_t remove_args[] = {PY_REQ_OBJ("mqtt_topic"), PY_END};

static py_t m_remove_topic_callback(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    if (py_is_none(a[0].obj))
        return py_raise(PY_ValueError, "MQTT Topic must be defined.");
    py_t filtered = py_attr(self, "_on_message_filtered");
    if (py_null(filtered))
        return PY_NULL;
    if (!py_null(py_call_method(filtered, "__delitem__", &a[0].obj, 1)))
        return py_none();
    if (!py_error_is(PY_KeyError))
        return PY_NULL;
    py_error_clear();
    return py_raise(PY_KeyError, "MQTT topic callback not added with add_topic_callback.");
}

/* ---- state and logger ---- */

static py_t m_is_connected(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return py_bool(((minimqtt_t *)s)->state == MINIMQTT_ON);
}

static py_t m_connected(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    return minimqtt_connected(self) ? py_none() : PY_NULL;
}

static const py_arg_t logger_args[] = {PY_REQ_OBJ("log_pkg"),
                                       {.name = "log_level", .kind = PY_ARG_OBJ},
                                       {.name = "logger_name", .kind = PY_ARG_OBJ},
                                       PY_END};

static py_t m_enable_logger(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    py_t name = given(&a[2], py_str("log")), level = given(&a[1], py_int(20));
    py_t logger = py_call_method(a[0].obj, "getLogger", &name, 1);
    return !py_null(logger) && py_attr_set(self, "logger", logger) &&
                   !py_null(py_call_method(logger, "setLevel", &level, 1))
               ? logger
               : PY_NULL;
}

static py_t m_disable_logger(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    void *ignored;
    py_t logger = py_new(&minimqtt_null_logger_class, &ignored);
    return !py_null(logger) && py_attr_set(self, "logger", logger) ? py_none() : PY_NULL;
}

static const py_method_t methods[] = {
    {"connect", minimqtt_m_connect, minimqtt_connect_args, 0,
     "Connect to the broker: is the session still there?"},
    {"disconnect", minimqtt_m_disconnect, NULL, 0, "Say goodbye to the broker."},
    {"deinit", minimqtt_m_deinit, NULL, 0, "disconnect(), if need be."},
    {"reconnect", minimqtt_m_reconnect, minimqtt_reconnect_args, 0, "Connect again, and subscribe again."},
    {"is_connected", m_is_connected, NULL, 0, "Is there a connection?"},
    {"ping", minimqtt_m_ping, NULL, 0, "Ask the broker for a sign of life."},
    {"publish", minimqtt_m_publish, minimqtt_publish_args, 0, "Publish a message."},
    {"subscribe", minimqtt_m_subscribe, minimqtt_subscribe_args, 0, "Subscribe to a topic, or several."},
    {"unsubscribe", minimqtt_m_unsubscribe, minimqtt_unsubscribe_args, 0,
     "Unsubscribe from a topic, or several."},
    {"loop", minimqtt_m_loop, minimqtt_loop_args, 0,
     "Look for messages for so many seconds; 0: those there are."},
    {"will_set", m_will_set, will_args, 0, "What the broker publishes when we are gone."},
    {"username_pw_set", m_username_pw_set, login_args, 0, "User name and password, before connect()."},
    {"add_topic_callback", m_add_topic_callback, add_args, 0,
     "Call a function for messages of a topic filter."},
    {"remove_topic_callback", m_remove_topic_callback, remove_args, 0, "Call it no more."},
    {"enable_logger", m_enable_logger, logger_args, 0, "Log by a logging package."},
    {"disable_logger", m_disable_logger, NULL, 0, "Log no more."},
    {"_connected", m_connected, NULL, 0, NULL},
    {"_wait_for_msg", minimqtt_m_wait_for_msg, minimqtt_wait_args, 0, NULL},
    PY_END};

const py_class_t minimqtt_class = {.module = "adafruit_minimqtt.adafruit_minimqtt",
                                   .name = "MQTT",
                                   .doc = "An MQTT client.",
                                   .size = sizeof(minimqtt_t),
                                   .context = true,
                                   .attributes = true,
                                   .init_args = init_args,
                                   .init = init,
                                   .fini = fini,
                                   .live = live,
                                   .fields = fields,
                                   .methods = methods,
                                   .props = props};
