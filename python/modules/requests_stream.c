/* adafruit_requests: a stream over a socket, whatever made it */
#include "python/modules/requests_int.h"
#include "python/modules/socket_object.h"

/* ---- sockets that are Python objects ---- */

/* Keep what was raised for the one who runs the exchange: the engine goes on, and may call again. */
static adder_err_t raised(requests_socket_t *s)
{
    py_field_set(py_owner(s->owner), &s->error, py_error_take());
    return ADDER_ERR_IO;
}

/* Whether the pending exception says "not now": EAGAIN, and in a non-blocking read also a time-out. */
static bool is_not_now(const requests_socket_t *s, bool reading)
{
    return socket_error_is(SOCKET_EAGAIN) || (reading && s->nonblocking && socket_error_is(SOCKET_ETIMEDOUT));
}

/* ESP32SPI's sockets raise RuntimeError when they cannot send. */
static void as_os_error(void)
{
    py_t cause = py_error_take(), code = py_int(SOCKET_EIO);
    py_t error = py_call(py_exc_class(PY_OSError), &code, 1);
    if (!py_null(error) && py_attr_set(error, "__cause__", cause))
        py_raise_again(error);
}

static adder_err_t object_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    requests_socket_t *s = ctx;
    *n_out = 0;
    if (len == 0)
        return ADDER_OK;
    if (s->send_lost)
        return ADDER_ERR_CLOSED;
    py_scope_t scope = py_scope_open();
    adder_err_t err = ADDER_OK;
    if (!socket_object_send(py_field_get(&s->socket), bytes, len, n_out)) {
        if (is_not_now(s, false)) {
            err = ADDER_ERR_AGAIN;
        } else {
            if (py_error_is(PY_RuntimeError))
                as_os_error();
            s->send_lost = true;
            err = raised(s);
        }
    }
    py_scope_close(scope);
    return err;
}

static adder_err_t object_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    requests_socket_t *s = ctx;
    *n_out = 0;
    if (cap == 0)
        return ADDER_OK;
    if (s->send_lost)
        return ADDER_ERR_CLOSED;
    /* The call would wait for an answer to what has not gone out yet. */
    const response_t *r = s->owner;
    unsigned wants = adder_http_exchange_wants(&r->e->x);
    if (s->hushed || (wants & (ADDER_HTTP_WANTS_SEND | ADDER_HTTP_WANTS_SOURCE)) != 0)
        return ADDER_ERR_AGAIN;
    py_scope_t scope = py_scope_open();
    adder_err_t err = ADDER_OK;
    if (!socket_object_recv(py_owner(s->owner), &s->buffer, py_field_get(&s->socket), buf, cap, n_out)) {
        if (is_not_now(s, true)) {
            s->says_again = s->nonblocking;
            err = ADDER_ERR_AGAIN;
        } else {
            err = raised(s);
        }
    } else if (*n_out == 0) {
        err = s->nonblocking && !s->says_again ? ADDER_ERR_AGAIN : ADDER_ERR_END;
    }
    py_scope_close(scope);
    return err;
}

/* ---- which ---- */

adder_stream_t requests_stream(requests_socket_t *s, py_t socket)
{
    static const adder_stream_ops_t ops = {object_send, object_recv};
    py_t owner = py_owner(s->owner);
    py_field_set(owner, &s->socket, socket);
    py_field_set(owner, &s->error, PY_NULL);
    s->send_lost = s->hushed = false;
    s->nonblocking = s->says_again = false;
    adder_stream_t stream = {&ops, s};
    s->native = socket_native_stream(socket, &stream);
    return stream;
}
