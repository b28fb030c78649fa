/* adafruit_minimqtt: the stream of a connection; over a socket that is an object, by its methods */
#include "python/modules/minimqtt_int.h"
#include "python/modules/socket_object.h"

static adder_err_t raised(minimqtt_t *c)
{
    py_field_set(py_owner(c), &c->error, py_error_take());
    return ADDER_ERR_IO;
}

bool minimqtt_pool_timeout(py_t self, py_t *cls)
{
    py_t pool = py_attr(self, "_socket_pool");
    if (!py_null(pool) && py_attr_try(pool, "timeout", cls))
        return true;
    py_error_clear();
    return false;
}

static bool is_instance(py_t v, py_t cls)
{
    py_t builtins = py_import("builtins");
    const py_t args[] = {v, cls};
    py_t is = py_null(builtins) ? PY_NULL : py_call_method(builtins, "isinstance", args, 2);
    bool yes = false;
    if (py_null(is) || !py_to_bool(is, &yes))
        py_error_clear();
    return yes;
}

static bool is_not_now(py_t self)
{
    if (py_error_is(PY_TimeoutError)) {
        py_error_clear();
        return true;
    }
    if (socket_error_is(SOCKET_EAGAIN) || socket_error_is(SOCKET_ETIMEDOUT))
        return true;
    py_t error = py_error_take(), cls;
    if (minimqtt_pool_timeout(self, &cls) && is_instance(error, cls))
        return true;
    py_raise_again(error);
    return false;
}

static adder_err_t object_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    minimqtt_t *c = ctx;
    py_scope_t scope = py_scope_open();
    adder_err_t err = ADDER_OK;
    if (!socket_object_send(py_field_get(&c->socket), bytes, len, n_out))
        err = socket_error_is(SOCKET_EAGAIN) ? ADDER_ERR_AGAIN : raised(c);
    py_scope_close(scope);
    return err;
}

/* No bytes from recv_into(): none yet, or the end; which of them is told by the time. */
static adder_err_t nothing(py_t self, minimqtt_t *c)
{
    double patience;
    py_t fn;
    uint64_t now = minimqtt_now_us();
    c->quiet_us = c->quiet_us == 0 ? now : c->quiet_us;
    if (!py_attr_try(py_field_get(&c->socket), "recv_into", &fn))
        return py_error() ? raised(c) : ADDER_ERR_AGAIN;
    if (!minimqtt_seconds(self, "_recv_timeout", &patience))
        return raised(c);
    if (now - c->quiet_us <= minimqtt_us(patience))
        return ADDER_ERR_AGAIN;
    minimqtt_raise(-1, PY_NULL, "Unable to receive 1 bytes within %g seconds.", patience);
    return raised(c);
}

/* Nothing behind a packet is asked for before it was looked at, as Adafruit's library does: sockets of test
 * benches have their answers ready before the question. */
enum { FRAME_TYPE, FRAME_LENGTH, FRAME_BODY };

static size_t frame_wants(const minimqtt_t *c, size_t cap)
{
    size_t n = c->frame.state == FRAME_BODY ? c->frame.left : 1;
    return n < cap ? n : cap;
}

static void frame_got(minimqtt_t *c, const uint8_t *bytes, size_t n)
{
    switch (c->frame.state) {
    case FRAME_TYPE:
        c->frame.state = FRAME_LENGTH;
        c->frame.shift = 0;
        c->frame.left = 0;
        break;
    case FRAME_LENGTH: /* five bytes are the engine's to refuse */
        c->frame.left |= (uint32_t)(bytes[0] & 0x7f) << c->frame.shift;
        c->frame.shift = (uint8_t)(c->frame.shift < 21 ? c->frame.shift + 7 : c->frame.shift);
        if ((bytes[0] & 0x80) == 0)
            c->frame.state = c->frame.left > 0 ? FRAME_BODY : FRAME_TYPE;
        break;
    default:
        c->frame.left -= (uint32_t)n;
        c->frame.state = c->frame.left > 0 ? FRAME_BODY : FRAME_TYPE;
        break;
    }
}

static adder_err_t object_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    minimqtt_t *c = ctx;
    py_t self = py_owner(c);
    py_scope_t scope = py_scope_open();
    adder_err_t err = ADDER_OK;
    cap = frame_wants(c, cap);
    if (!socket_object_recv(self, &c->buffer, py_field_get(&c->socket), buf, cap, n_out))
        err = is_not_now(self) ? ADDER_ERR_AGAIN : raised(c);
    else if (*n_out == 0)
        err = nothing(self, c);
    if (*n_out > 0) {
        c->quiet_us = 0;
        frame_got(c, buf, *n_out);
    }
    py_scope_close(scope);
    return err;
}

void minimqtt_open(py_t self, minimqtt_t *c, py_t socket)
{
    static const adder_stream_ops_t ops = {object_send, object_recv};
    py_field_set(self, &c->socket, socket);
    py_field_set(self, &c->error, PY_NULL);
    c->e->stream = (adder_stream_t){&ops, c};
    c->native = socket_native_stream(socket, &c->e->stream);
    c->e->now_ms = minimqtt_now_ms(c);
    c->quiet_us = c->frame.state = 0;
    c->opened++;
}
