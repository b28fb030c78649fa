/* adafruit_minimqtt: waiting. The engine is moved, and what it put down is told on the program's thread. */
#include "python/modules/minimqtt_int.h"

enum { LOOK_US = 1000, DRAIN_MAX = 256 };

uint64_t minimqtt_now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

bool minimqtt_seconds(py_t self, const char *name, double *out)
{
    py_t value = py_attr(self, name);
    return !py_null(value) && py_to_float(value, out);
}

bool minimqtt_call_back(py_t self, const char *name, const py_t *args, size_t n)
{
    py_t fn = py_attr(self, name);
    return !py_null(fn) && (py_is_none(fn) || !py_null(py_call(fn, args, n)));
}

py_t minimqtt_raise_no_data(py_t self)
{
    py_t timeout = py_attr(self, "_recv_timeout"), shown = py_null(timeout) ? PY_NULL : py_str_of(timeout);
    const char *text;
    if (py_null(shown) || !py_to_str(shown, &text, NULL))
        return PY_NULL;
    return minimqtt_raise(-1, PY_NULL, "No data received from broker for %s seconds.", text);
}

bool minimqtt_close(py_t self, minimqtt_t *c)
{
    py_t socket = py_field_get(&c->socket), cause = py_error_take();
    minimqtt_engine_lost(c->e);
    py_field_set(self, &c->socket, PY_NULL);
    py_field_set(self, &c->error, PY_NULL);
    bool ok = true;
    if (!py_null(socket)) {
        c->opened++;
        py_t manager = py_attr(self, "_connection_manager");
        ok = !py_null(manager) && !py_null(py_call_method(manager, "close_socket", &socket, 1));
    }
    if (!py_null(cause)) {
        py_error_clear();
        py_raise_again(cause);
    }
    return ok;
}

void minimqtt_forget(minimqtt_t *c)
{
    adder_mqtt_forget(&c->e->m);
    while (c->e->messages != NULL) {
        minimqtt_msg_t *o = c->e->messages;
        c->e->messages = o->next;
        py_free(o);
    }
}

/* ---- the end of a connection ---- */

static void raise_engine(py_t self, const minimqtt_engine_t *e)
{
    static const char *const refused[] = {"Incorrect Protocol Version", "ID Rejected", "Server unavailable",
                                          "Incorrect username/password", "Unauthorized"};
    py_t shown = PY_NULL;
    const char *text = "";
    switch (e->err) {
    case ADDER_ERR_REFUSED:
        if (e->m.reason >= 1 && e->m.reason <= 5)
            minimqtt_raise(e->m.reason, PY_NULL, "Connection Refused - %s", refused[e->m.reason - 1]);
        else
            minimqtt_raise(e->m.reason, PY_NULL, "Connection Refused - %u", (unsigned)e->m.reason);
        break;
    case ADDER_ERR_TIMEOUT:
        if (e->answered)
            shown = py_str_of(py_attr(self, "keep_alive"));
        if (!py_null(shown) && py_to_str(shown, &text, NULL))
            minimqtt_raise(-1, PY_NULL, "PINGRESP not returned from broker within %s seconds.", text);
        else if (!py_error())
            minimqtt_raise_no_data(self);
        break;
    default:
        minimqtt_raise(-1, PY_NULL, "The broker does not keep to the protocol: %s",
                       adder_mqtt_reason_str(e->m.reason));
        break;
    }
}

static void raise_end(py_t self, minimqtt_t *c)
{
    const minimqtt_engine_t *e = c->e;
    py_t error = py_field_get(&c->error), cls;
    if (e->end == MINIMQTT_ENGINE) {
        raise_engine(self, e);
        return;
    }
    if (e->end == MINIMQTT_RECV && py_null(error) &&
        (e->err == ADDER_ERR_END || e->err == ADDER_ERR_CLOSED)) {
        minimqtt_raise(-1, PY_NULL, "The broker has closed the connection");
        return;
    }
    if (py_null(error))
        py_raise_err(e->err, NULL);
    else
        py_raise_again(error);
    if (e->end == MINIMQTT_RECV && py_error_is(PY_OSError) &&
        !(!c->native && minimqtt_pool_timeout(self, &cls)))
        minimqtt_raise(-1, py_error_take(), "Unexpected error while waiting for messages");
}

/* The link has ended: say why. */
static bool ended(py_t self, minimqtt_t *c)
{
    raise_end(self, c);
    if (c->state == MINIMQTT_ON)
        c->state = MINIMQTT_LOST;
    minimqtt_close(self, c);
    return false;
}

/* ---- telling ---- */

static bool make_room(minimqtt_engine_t *e)
{
    uint8_t *box = py_alloc(e->box_need);
    if (box == NULL)
        return false;
    for (size_t i = 0; i < e->box_cap; i++)
        box[i] = e->box[i];
    py_free(e->box);
    e->box = box;
    e->box_cap = e->box_need;
    e->box_need = 0;
    return true;
}

/* The acknowledgement of what was told leaves. What an exception of the callback has to say stays. */
static void acknowledge(minimqtt_t *c)
{
    if (!c->e->given)
        return;
    py_t cause = py_error_take();
    uint32_t now = minimqtt_now_ms(c);
    if (c->native)
        py_pump_lock();
    minimqtt_engine_move(c->e, false, now);
    if (c->native) {
        py_pump_unlock();
        py_pump_poke();
    }
    if (!py_null(cause))
        py_raise_again(cause);
}

static py_t payload_of(py_t self, const uint8_t *bytes, size_t len)
{
    bool binary;
    py_t mode = py_attr(self, "_use_binary_mode");
    if (py_null(mode) || !py_to_bool(mode, &binary))
        return PY_NULL;
    if (binary)
        return py_bytearray(len > 0 ? bytes : NULL, len);
    py_t raw = py_bytes(bytes, len), utf8 = py_str("utf-8");
    return py_null(raw) ? PY_NULL : py_call_method(raw, "decode", &utf8, 1);
}

static bool call_all(py_t self, py_t topic, py_t payload)
{
    const py_t args[] = {self, topic, payload};
    py_t filtered = py_attr(self, "_on_message_filtered"), fn;
    py_t found = py_null(filtered) ? PY_NULL : py_call_method(filtered, "iter_match", &topic, 1);
    py_t iter = py_null(found) ? PY_NULL : py_iter(found);
    bool done, matched = false;
    while (!py_null(iter) && py_next(iter, &fn, &done)) {
        matched = true;
        if (py_null(py_call(fn, args, 3)))
            return false;
    }
    return !py_null(iter) && !py_error() && (matched || minimqtt_call_back(self, "on_message", args, 3));
}

static bool tell_message(py_t self, minimqtt_t *c)
{
    minimqtt_engine_t *e = c->e;
    py_scope_t scope = py_scope_open();
    py_t topic = py_str_n((const char *)e->box, e->topic_len);
    py_t payload = payload_of(self, e->box + e->topic_len, e->len);
    e->full = false;
    e->given = e->qos > 0;
    bool ok = !py_null(topic) && !py_null(payload) && call_all(self, topic, payload);
    acknowledge(c);
    py_scope_close(scope);
    return ok;
}

/* A message whose publish() has given up waiting. */
static bool tell_done(py_t self, minimqtt_t *c, bool *told)
{
    for (minimqtt_msg_t **at = &c->e->messages; *at != NULL; at = &(*at)->next) {
        minimqtt_msg_t *o = *at;
        if (!o->done || o->waited)
            continue;
        *at = o->next;
        const py_t args[] = {self, py_attr(self, "user_data"), py_str_n(o->msg.topic.at, o->msg.topic.len),
                             py_uint(o->id)};
        py_free(o);
        *told = true;
        return !py_null(args[1]) && !py_null(args[2]) && minimqtt_call_back(self, "on_publish", args, 4);
    }
    return true;
}

static bool tell_types(minimqtt_engine_t *e, py_t types)
{
    for (size_t i = 0; i < e->n_types && !py_null(types); i++) {
        if (!py_list_append(types, py_int(e->types[i])))
            return false;
    }
    e->n_types = 0;
    return true;
}

static bool tell(py_t self, minimqtt_t *c, py_t types, bool *told)
{
    minimqtt_engine_t *e = c->e;
    *told = e->n_types > 0 || e->box_need > 0 || e->full;
    if (!tell_types(e, types) || (e->box_need > 0 && !make_room(e)))
        return false;
    if (e->full &&
        ((!py_null(types) && !py_list_append(types, py_int(MINIMQTT_PUBLISH))) || !tell_message(self, c)))
        return false;
    return tell_done(self, c, told);
}

/* ---- moving ---- */

static bool native_moved(void *ctx)
{
    minimqtt_t *c = ctx;
    return minimqtt_engine_move(c->e, true, minimqtt_now_ms(c));
}

static bool set_timeout(py_t self, py_t socket, bool none)
{
    py_t fn, timeout = none ? py_int(0) : py_attr(self, "_socket_timeout");
    if (!py_attr_try(socket, "settimeout", &fn))
        return !py_error();
    return !py_null(timeout) && !py_null(py_call(fn, &timeout, 1));
}

static bool move_object(py_t self, minimqtt_t *c, uint64_t left_us)
{
    uint64_t before = minimqtt_now_us();
    py_t socket = py_field_get(&c->socket);
    bool drain = left_us == 0;
    if (drain && !set_timeout(self, socket, true))
        return false;
    bool news = minimqtt_engine_move(c->e, true, minimqtt_now_ms(c));
    if (drain && !set_timeout(self, socket, false))
        return false;
    if (!news && !drain && minimqtt_now_us() - before < LOOK_US)
        return py_wait_us(LOOK_US);
    return py_poll();
}

static bool move(py_t self, minimqtt_t *c, uint64_t left_us)
{
    adder_mqtt_wants_t wants;
    bool timed_out;
    if (!c->native)
        return move_object(self, c, left_us);
    adder_mqtt_wants(&c->e->m, minimqtt_now_ms(c), &wants);
    uint64_t wait_us = wants.wait_ms == UINT32_MAX ? UINT64_MAX : (uint64_t)wants.wait_ms * 1000;
    return py_pump_wait(native_moved, c, wait_us < left_us ? wait_us : left_us, &timed_out);
}

bool minimqtt_wait(py_t self, minimqtt_t *c, minimqtt_until_fn until, const void *ctx, uint64_t timeout_us,
                   py_t types, bool *timed_out)
{
    uint64_t start = minimqtt_now_us(), gone = 0;
    uint32_t opened = c->opened;
    bool told;
    *timed_out = false;
    for (int drained = 0;;) {
        if (!move(self, c, timeout_us - gone) || !tell(self, c, types, &told))
            return false;
        if (c->opened != opened) { /* by a callback */
            *timed_out = true;
            return until == NULL || py_fail(minimqtt_raise_state("MiniMQTT is not connected"));
        }
        if (until != NULL && until(c, ctx))
            return tell_types(c->e, types); /* what came with the last message's acknowledgement */
        if (c->e->end != MINIMQTT_FINE && !told)
            return ended(self, c);
        gone = minimqtt_now_us() - start;
        *timed_out = gone >= timeout_us && (!told || timeout_us > 0 || ++drained == DRAIN_MAX);
        if (*timed_out)
            return true;
        gone = gone < timeout_us ? gone : timeout_us;
    }
}

static bool something(const minimqtt_t *c, const void *ctx)
{
    const py_t *types = ctx;
    size_t n;
    (void)c;
    return py_len(*types, &n) && n > 0;
}

bool minimqtt_wait_one(py_t self, minimqtt_t *c, uint64_t timeout_us, py_t types)
{
    bool timed_out;
    return minimqtt_wait(self, c, something, &types, timeout_us, types, &timed_out);
}

static bool native_flushed(void *ctx)
{
    minimqtt_t *c = ctx;
    return minimqtt_engine_flush(c->e, minimqtt_now_ms(c));
}

/* Without waiting. True: all has left, or the end. */
static bool flush_now(minimqtt_t *c)
{
    uint32_t now = minimqtt_now_ms(c);
    if (!c->native)
        return minimqtt_engine_flush(c->e, now);
    py_pump_lock();
    bool over = minimqtt_engine_flush(c->e, now);
    py_pump_unlock();
    return over;
}

/* For so long at most. *over: as above. */
static bool flush_some(minimqtt_t *c, uint64_t most_us, bool *over)
{
    bool timed_out;
    if (c->native) {
        bool ok = py_pump_wait(native_flushed, c, most_us, &timed_out);
        *over = !timed_out;
        return ok;
    }
    if (!py_wait_us(LOOK_US))
        return false;
    *over = flush_now(c);
    return true;
}

static bool flush_slowly(py_t self, minimqtt_t *c)
{
    double patience;
    bool over = false;
    if (!minimqtt_seconds(self, "_recv_timeout", &patience))
        return false;
    uint64_t most = minimqtt_us(patience), moved = minimqtt_now_us();
    for (uint32_t sent = c->e->sent; !over;) {
        if (!flush_some(c, most, &over))
            return false;
        if (sent != c->e->sent) {
            sent = c->e->sent;
            moved = minimqtt_now_us();
        } else if (!over && minimqtt_now_us() - moved >= most) {
            c->e->end = MINIMQTT_SEND; /* within a packet, perhaps */
            c->e->err = ADDER_ERR_TIMEOUT;
            over = true;
        }
    }
    return true;
}

bool minimqtt_flush(py_t self, minimqtt_t *c)
{
    if (!flush_now(c) && !flush_slowly(self, c))
        return false;
    return c->e->end != MINIMQTT_SEND || ended(self, c);
}
