/* adafruit_requests: a stream over a socket, whatever made it */
#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/net_socket.h"
#include "python/modules/requests_int.h"
#include "python/modules/ssl.h"

/* Bytes that one send() or recv_into() of a Python object is given: what an ESP32 takes at most. */
enum { PIECE = 4000 };

/* ---- sockets that are Python objects ---- */

/* Keep what was raised for the one who runs the exchange: the engine goes on, and may call again. */
static adder_err_t raised(requests_socket_t *s)
{
    py_field_set(py_owner(s->owner), &s->error, py_error_take());
    return ADDER_ERR_IO;
}

bool requests_error_is(int64_t number)
{
    int64_t code;
    if (!py_error_is(PY_OSError))
        return false;
    py_t error = py_error_take(), value;
    if (py_attr_try(error, "errno", &value) && py_is_int(value) && py_to_int(value, &code) && code == number)
        return true;
    py_error_clear();
    py_raise_again(error);
    return false;
}

/* Whether the pending exception says "not now": EAGAIN, and in a non-blocking read also a time-out. */
static bool is_not_now(const requests_socket_t *s, bool reading)
{
    return requests_error_is(REQUESTS_EAGAIN) ||
           (reading && s->nonblocking && requests_error_is(REQUESTS_ETIMEDOUT));
}

/* ESP32SPI's sockets raise RuntimeError when they cannot send. */
static void as_os_error(void)
{
    py_t cause = py_error_take(), code = py_int(REQUESTS_EIO);
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
    size_t piece = len > PIECE ? PIECE : len;
    py_scope_t scope = py_scope_open();
    py_t data = py_bytes(bytes, piece);
    py_t sent = py_null(data) ? PY_NULL : py_call_method(py_field_get(&s->socket), "send", &data, 1);
    adder_err_t err = ADDER_OK;
    int64_t n = (int64_t)piece; /* None: all of it */
    if (py_null(sent) && is_not_now(s, false)) {
        err = ADDER_ERR_AGAIN;
    } else if (py_null(sent) || (!py_is_none(sent) && !py_to_int(sent, &n))) {
        if (py_error_is(PY_RuntimeError))
            as_os_error();
        s->send_lost = true;
        err = raised(s);
    } else if (n <= 0) {
        py_raise_errno(REQUESTS_EIO, NULL);
        s->send_lost = true;
        err = raised(s);
    } else {
        *n_out = (uint64_t)n > piece ? piece : (size_t)n;
    }
    py_scope_close(scope);
    return err;
}

/* Bytes into s->buffer by recv_into(), or into `got` by recv(). */
static bool call_recv(requests_socket_t *s, size_t cap, py_buf_t *got, int64_t *n)
{
    py_t socket = py_field_get(&s->socket), fn, buffer = py_field_get(&s->buffer);
    if (!py_attr_try(socket, "recv_into", &fn)) {
        py_t size = py_uint(cap), bytes = py_call_method(socket, "recv", &size, 1);
        if (py_null(bytes) || !py_buffer_read(bytes, got))
            return false;
        *n = (int64_t)got->len;
        return true;
    }
    if (py_null(buffer)) {
        buffer = py_bytearray(NULL, PIECE);
        if (py_null(buffer))
            return false;
        py_field_set(py_owner(s->owner), &s->buffer, buffer);
    }
    const py_t args[] = {buffer, py_uint(cap)};
    py_t count = py_call(fn, args, 2);
    return !py_null(count) && py_to_int(count, n) && py_buffer_read(buffer, got);
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
    cap = cap > PIECE ? PIECE : cap;
    py_scope_t scope = py_scope_open();
    py_buf_t got;
    int64_t n = 0;
    adder_err_t err = ADDER_OK;
    if (!call_recv(s, cap, &got, &n)) {
        if (is_not_now(s, true)) {
            s->says_again = s->nonblocking;
            err = ADDER_ERR_AGAIN;
        } else {
            err = raised(s);
        }
    } else if (n < 0 || (uint64_t)n > cap || (uint64_t)n > got.len) {
        py_raise(PY_RuntimeError, "the socket says it has read %lld of %zu bytes", (long long)n, cap);
        err = raised(s);
    } else if (n == 0) {
        err = s->nonblocking && !s->says_again ? ADDER_ERR_AGAIN : ADDER_ERR_END;
    } else {
        memcpy(buf, got.ptr, (size_t)n);
        *n_out = (size_t)n;
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
    s->native = false;
    net_socket_t *net = net_socket_of(connection_fake_tls_inner(socket));
    if (net != NULL && net->connected && net->kind != ADDER_NET_UDP) {
        s->native = true;
        return net_socket_stream(net);
    }
    ssl_socket_t *tls = py_struct(socket, &ssl_socket_class);
    if (tls != NULL && tls->live && tls->begun && tls->net != NULL) {
        s->native = true;
        return adder_tls_stream(&tls->tls);
    }
    return (adder_stream_t){&ops, s};
}
