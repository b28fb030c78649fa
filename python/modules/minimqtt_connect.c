/* adafruit_minimqtt: connect with its tries and pauses, disconnect, reconnect */
#include "python/modules/minimqtt_int.h"

#include <stdio.h>
#include <string.h>

#include "python/modules/connection_manager.h"

enum { BACK_OFF_MAX_S = 32, SESSIONS = 16 };

static uint32_t random_below(const minimqtt_t *c, uint32_t n)
{
    uint32_t word = 0;
    ADDER_IGNORE(c->mcu->sys->random(c->mcu->ctx, (uint8_t *)&word, sizeof word),
                 "it spreads clients in time");
    return word % n;
}

/* ---- the socket ---- */

/* Each client needs a connection of its own: under the session's id, or it with a number. */
static py_t native_socket(py_t manager, connection_want_t *want)
{
    py_t shown = py_str_of(want->session_id);
    const char *text;
    bool reused, none = py_is_none(want->session_id);
    for (int i = 1; !py_null(shown) && py_to_str(shown, &text, NULL); i++) {
        py_t socket = connection_manager_get(manager, want, &reused);
        if (!py_null(socket) || i == SESSIONS || !connection_manager_in_use(manager, want))
            return socket;
        py_error_clear();
        char id[80];
        snprintf(id, sizeof id, "%.60s#%d", none ? "mqtt" : text, i);
        want->session_id = py_str(id);
    }
    return PY_NULL;
}

static py_t get_socket(py_t self, py_t session_id)
{
    static const char *const names[] = {"proto", "session_id", "timeout", "is_ssl", "ssl_context"};
    py_t manager = py_attr(self, "_connection_manager"), host = py_attr(self, "broker"),
         port = py_attr(self, "port"), timeout = py_attr(self, "_socket_timeout"),
         tls = py_attr(self, "_is_ssl"), context = py_attr(self, "_ssl_context"), proto = py_str("mqtt:");
    bool is_tls;
    if (py_null(manager) || py_null(host) || py_null(port) || py_null(timeout) || py_null(tls) ||
        py_null(context) || !py_to_bool(tls, &is_tls))
        return PY_NULL;
    if (py_struct(manager, &connection_manager_class) != NULL) {
        connection_want_t want = {.host = host,
                                  .port = port,
                                  .proto = proto,
                                  .session_id = session_id,
                                  .timeout = timeout,
                                  .ssl_context = context,
                                  .tls = is_tls};
        return native_socket(manager, &want);
    }
    const py_t where[] = {host, port}, values[] = {proto, session_id, timeout, tls, context};
    py_t fn = py_attr(manager, "get_socket");
    return py_null(fn) ? PY_NULL : py_call_kw(fn, where, 2, names, values, 5);
}

/* ---- CONNECT ---- */

/* The text of an attribute, kept in texts[at]; None: none. */
static bool take_text(py_t self, const char *name, py_t *kept, adder_mqtt_str_t *out)
{
    *out = (adder_mqtt_str_t){NULL, 0};
    py_buf_t raw;
    if (py_null(*kept = py_attr(self, name)))
        return false;
    if (py_is_none(*kept))
        return true;
    if (py_is_bytes(*kept)) { /* a will's message */
        if (!py_buffer_read(*kept, &raw))
            return false;
        *out = (adder_mqtt_str_t){(const char *)raw.ptr, raw.len};
        return true;
    }
    return py_to_str(*kept, &out->at, &out->len);
}

static bool take_will(py_t self, minimqtt_engine_t *e, py_t *topic, py_t *msg)
{
    adder_mqtt_str_t payload;
    py_t qos = py_attr(self, "_lw_qos"), retain = py_attr(self, "_lw_retain");
    int64_t level;
    e->will = (adder_mqtt_msg_t){0};
    if (py_null(qos) || py_null(retain) || !take_text(self, "_lw_topic", topic, &e->will.topic) ||
        !take_text(self, "_lw_msg", msg, &payload) || !py_to_int(qos, &level) ||
        !py_to_bool(retain, &e->will.retain))
        return false;
    e->will.payload = (const uint8_t *)payload.at;
    e->will.payload_len = (uint32_t)payload.len;
    e->will.qos = (uint8_t)level;
    if (payload.len > MINIMQTT_TEXT_MAX)
        return py_fail(
            py_raise(PY_ValueError, "Last will message is larger than %d bytes.", MINIMQTT_TEXT_MAX));
    return true;
}

static bool take_options(py_t self, minimqtt_t *c, bool clean)
{
    minimqtt_engine_t *e = c->e;
    py_t texts[5], keep_alive = py_attr(self, "keep_alive");
    double seconds, patience;
    adder_mqtt_connect_t *o = &e->options;
    *o = (adder_mqtt_connect_t){.clean = clean};
    if (py_null(keep_alive) || !py_to_float(keep_alive, &seconds) ||
        !minimqtt_seconds(self, "_recv_timeout", &patience) ||
        !take_text(self, "client_id", &texts[0], &o->client_id) ||
        !take_text(self, "_username", &texts[1], &o->user) ||
        !take_text(self, "_password", &texts[2], &o->password) || !take_will(self, e, &texts[3], &texts[4]))
        return false;
    if (!(seconds >= 0 && seconds < MINIMQTT_TEXT_MAX))
        return py_fail(py_raise(PY_ValueError, "keep_alive must be 0-%d", MINIMQTT_TEXT_MAX - 1));
    o->keep_alive_s = (uint16_t)seconds;
    o->will = e->will.topic.len > 0 ? &e->will : NULL;
    if (o->user.at == NULL)
        o->password = o->user; /* 3.1.1 has no password alone */
    double most_s =
        seconds > patience ? seconds : patience; /* connect() and ping() look at the time themselves */
    e->config.timeout_ms = (uint16_t)(most_s * 1000 < UINT16_MAX ? most_s * 1000 : UINT16_MAX);
    py_field_set(self, &c->texts, py_tuple(texts, 5));
    return !py_error();
}

static bool answered(const minimqtt_t *c, const void *ctx)
{
    (void)ctx;
    return c->e->answered;
}

static uint64_t patience_us(double seconds)
{
    return seconds < 1e9 ? (uint64_t)(seconds * 1e6) : UINT64_MAX;
}

static bool handshake(py_t self, minimqtt_t *c, bool clean)
{
    minimqtt_engine_t *e = c->e;
    double patience;
    bool timed_out;
    if (!take_options(self, c, clean) || !minimqtt_seconds(self, "_recv_timeout", &patience))
        return false;
    adder_err_t err = adder_mqtt_connect(&e->m, &e->options, e->now_ms);
    if (err == ADDER_ERR_ARG)
        return py_fail(py_raise(PY_ValueError, "client_id, username or last will cannot be sent"));
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "CONNECT"));
    if (!minimqtt_flush(self, c) ||
        !minimqtt_wait(self, c, answered, NULL, patience_us(patience), PY_NULL, &timed_out))
        return false;
    return !timed_out || py_fail(minimqtt_raise_no_data(self));
}

/* One try: connected, on_connect told. */
static bool attempt(py_t self, minimqtt_t *c, bool clean, py_t session_id)
{
    if (c->attempt > 0) {
        if (!minimqtt_log(self, "debug", "Sleeping for %.3g seconds due to connect back-off",
                          c->back_off_s) ||
            !py_wait_us((uint64_t)(c->back_off_s * 1e6)))
            return false;
    }
    py_t socket = get_socket(self, session_id);
    if (py_null(socket) || !py_attr_set(self, "session_id", session_id))
        return false;
    minimqtt_open(self, c, socket);
    if (!handshake(self, c, clean))
        return false;
    c->state = MINIMQTT_ON;
    const py_t args[] = {self, py_attr(self, "user_data"), py_int(c->e->m.session_present), py_int(0)};
    return !py_null(args[1]) && minimqtt_call_back(self, "on_connect", args, 4);
}

/* ---- tries ---- */

static void reset_back_off(minimqtt_t *c)
{
    c->attempt = 0;
    c->back_off_s = 0;
}

static void back_off(minimqtt_t *c)
{
    c->attempt++;
    c->back_off_s = c->attempt < 5 ? (double)(1u << c->attempt) : BACK_OFF_MAX_S;
    c->back_off_s += random_below(c, 1001) / 1000.0;
}

/* What a try's exception means: raise it, or try again at once or after a pause. */
typedef enum { GIVE_UP, AT_ONCE, LATER } next_t;

static bool is_pystack_exhausted(py_t error)
{
    py_t args = py_attr(error, "args"), first;
    size_t n;
    const char *text;
    bool same = !py_null(args) && py_len(args, &n) && n == 1 && !py_null(first = py_item_at(args, 0)) &&
                py_is_str(first) && py_to_str(first, &text, NULL) && strcmp(text, "pystack exhausted") == 0;
    py_error_clear();
    return same;
}

static bool is_a(py_t error, const py_exception_t *cls)
{
    py_t builtins = py_import("builtins"), is;
    const py_t args[] = {error, py_exception_class(cls)};
    bool yes = false;
    if (!py_null(builtins) && !py_null(is = py_call_method(builtins, "isinstance", args, 2)))
        yes = py_to_bool(is, &yes) && yes;
    py_error_clear();
    return yes;
}

/* Takes the pending exception. */
static next_t judge(py_t *error)
{
    bool transport = py_error_is(PY_MemoryError) || py_error_is(PY_OSError) || py_error_is(PY_RuntimeError);
    bool runtime = py_error_is(PY_RuntimeError);
    *error = py_error_take();
    if (transport)
        return runtime && is_pystack_exhausted(*error) ? GIVE_UP : AT_ONCE;
    if (!is_a(*error, &minimqtt_exception))
        return GIVE_UP;
    py_t code = py_attr(*error, "code");
    int64_t n = 0;
    if (!py_null(code) && py_is_int(code) && !py_to_int(code, &n))
        n = 0;
    py_error_clear();
    return n == 4 || n == 5 ? GIVE_UP : LATER;
}

static bool note(py_t self, const char *level, const char *what, py_t error)
{
    py_t shown = py_str_of(error);
    const char *text;
    return !py_null(shown) && py_to_str(shown, &text, NULL) &&
           minimqtt_log(self, level, "%s: %s", what, text);
}

static py_t connect(py_t self, minimqtt_t *c, bool clean, py_t session_id)
{
    py_t error = PY_NULL, most = py_attr(self, "_reconnect_attempts_max");
    int64_t tries;
    if (py_null(most) || !py_to_int(most, &tries))
        return PY_NULL;
    next_t next = AT_ONCE;
    c->state = MINIMQTT_OFF;
    minimqtt_close(self, c); /* connected already: begin anew */
    py_error_clear();
    for (int64_t i = 0; i < tries; i++) {
        if (i > 0 && next == LATER)
            back_off(c);
        else if (i > 0)
            reset_back_off(c);
        if (!minimqtt_log(self, "debug", "Attempting to connect to MQTT broker (attempt #%u)", c->attempt))
            return PY_NULL;
        if (attempt(self, c, clean, session_id)) {
            reset_back_off(c);
            return py_int(c->e->m.session_present);
        }
        c->state = MINIMQTT_OFF;
        minimqtt_close(self, c);
        next = judge(&error);
        if (next == GIVE_UP) {
            py_raise_again(error);
            return PY_NULL;
        }
        if (!(next == AT_ONCE ? note(self, "warning", "Socket error when connecting", error)
                              : note(self, "info", "MMQT error", error)))
            return PY_NULL;
    }
    return minimqtt_raise(-1, error, "%s", tries > 1 ? "Repeated connect failures" : "Connect failure");
}

const py_arg_t minimqtt_connect_args[] = {
    PY_OPT_BOOL("clean_session", true), PY_OPT_OBJ("host"),       PY_OPT_OBJ("port"),
    PY_OPT_OBJ("keep_alive"),           PY_OPT_OBJ("session_id"), PY_END};

/* An argument that is true stays with the client. */
static bool take_argument(py_t self, const py_val_t *a, const char *name)
{
    bool is = false;
    return !a->given || (py_to_bool(a->obj, &is) && (!is || py_attr_set(self, name, a->obj)));
}

py_t minimqtt_m_connect(py_t self, void *s, const py_val_t *a)
{
    if (!take_argument(self, &a[1], "broker") || !take_argument(self, &a[2], "port") ||
        !take_argument(self, &a[3], "keep_alive"))
        return PY_NULL;
    return connect(self, s, a[0].b, a[4].given ? a[4].obj : py_none());
}

/* ---- disconnect ---- */

static bool disconnect(py_t self, minimqtt_t *c, bool forget)
{
    if (c->state == MINIMQTT_ON) {
        if (!minimqtt_log(self, "debug", "Sending DISCONNECT packet to broker"))
            return false;
        if (adder_mqtt_disconnect(&c->e->m, 0, (adder_mqtt_props_t){0}) == ADDER_OK &&
            !minimqtt_flush(self, c)) {
            if (!py_error_is(PY_OSError) && !py_error_is(PY_MemoryError) && !py_error_is(PY_RuntimeError))
                return false;
            if (!note(self, "warning", "Unable to send DISCONNECT packet", py_error_take()))
                return false;
        }
    }
    c->state = MINIMQTT_OFF;
    bool closed = minimqtt_close(self, c);
    if (forget)
        minimqtt_forget(c);
    py_t none = py_list(NULL, 0);
    c->e->sent_ms = 0;
    if (!closed || py_null(none) || !py_attr_set(self, "_subscribed_topics", none))
        return false;
    const py_t args[] = {self, py_attr(self, "user_data"), py_int(0)};
    return !py_null(args[1]) && minimqtt_call_back(self, "on_disconnect", args, 3);
}

py_t minimqtt_m_disconnect(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    (void)a;
    if (c->state != MINIMQTT_LOST && !minimqtt_connected(self))
        return PY_NULL;
    return disconnect(self, c, true) ? py_none() : PY_NULL;
}

/* Through the name, for those who have put something else there; with nothing to be done if it is done. */
py_t minimqtt_m_deinit(py_t self, void *s, const py_val_t *a)
{
    const minimqtt_t *c = s;
    (void)a;
    return c->state == MINIMQTT_OFF ? py_none() : py_call_method(self, "disconnect", NULL, 0);
}

/* ---- reconnect ---- */

const py_arg_t minimqtt_reconnect_args[] = {PY_OPT_BOOL("resub_topics", true), PY_END};

/* The last one first, each in a packet of its own, with QoS 0: as programs know it. */
static bool subscribe_again(py_t self, py_t topics)
{
    size_t n;
    py_t none = py_list(NULL, 0);
    if (!py_len(topics, &n) || (n > 0 && !py_attr_set(self, "_subscribed_topics", none)))
        return false;
    while (n-- > 0) {
        py_t topic = py_item_at(topics, n);
        if (py_null(topic) || py_null(py_call_method(self, "subscribe", &topic, 1)))
            return false;
    }
    return true;
}

py_t minimqtt_m_reconnect(py_t self, void *s, const py_val_t *a)
{
    minimqtt_t *c = s;
    py_t topics = py_list(NULL, 0), on = py_call_method(self, "is_connected", NULL, 0),
         session = py_attr(self, "session_id");
    bool is_on = false;
    if (py_null(on) || py_null(session) || !py_to_bool(on, &is_on))
        return PY_NULL;
    if (is_on || c->state == MINIMQTT_LOST) {
        py_t subscribed = py_attr(self, "_subscribed_topics");
        if (py_null(subscribed) ||
            (a[0].b && py_null(topics = py_call_method(subscribed, "copy", NULL, 0))) ||
            !disconnect(self, c, false))
            return PY_NULL;
    }
    static const char *const names[] = {"session_id"};
    py_t fn = py_attr(self, "connect"), result = PY_NULL;
    if (py_null(fn) || py_null(result = py_call_kw(fn, NULL, 0, names, &session, 1)))
        return PY_NULL;
    return subscribe_again(self, topics) ? result : PY_NULL;
}

/* ---- a socket that somebody has put in place ---- */

bool minimqtt_adopt(py_t self, minimqtt_t *c, py_t socket)
{
    static const uint8_t connack[] = {MINIMQTT_CONNACK, 2, 0, 0};
    const uint8_t *out;
    uint8_t *in;
    size_t len;
    c->state = MINIMQTT_OFF;
    minimqtt_engine_lost(c->e);
    if (py_is_none(socket)) {
        py_field_set(self, &c->socket, PY_NULL);
        c->opened++;
        return true;
    }
    minimqtt_open(self, c, socket);
    if (!take_options(self, c, true) ||
        adder_mqtt_connect(&c->e->m, &c->e->options, c->e->now_ms) != ADDER_OK)
        return py_error() ? false : py_fail(py_raise(PY_ValueError, "this client cannot connect"));
    while (adder_mqtt_out(&c->e->m, &out, &len))
        adder_mqtt_out_done(&c->e->m, len);
    if (adder_mqtt_in(&c->e->m, &in, &len) && len >= sizeof connack) {
        for (size_t i = 0; i < sizeof connack; i++)
            in[i] = connack[i];
        adder_mqtt_in_done(&c->e->m, sizeof connack);
    }
    if (adder_mqtt_tick(&c->e->m, c->e->now_ms) != ADDER_OK)
        return py_fail(py_raise(PY_RuntimeError, "this client cannot connect"));
    c->e->n_types = 0;
    c->state = MINIMQTT_ON;
    return true;
}
