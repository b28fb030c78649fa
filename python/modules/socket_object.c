/* Sockets of any make as streams: native ones, and objects with methods. */
#include "python/modules/socket_object.h"

#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/net_socket.h"
#include "python/modules/ssl.h"

bool socket_native_stream(py_t socket, adder_stream_t *out)
{
    net_socket_t *net = net_socket_of(connection_fake_tls_inner(socket));
    if (net != NULL && net->connected && net->kind != ADDER_NET_UDP) {
        *out = net_socket_stream(net);
        return true;
    }
    ssl_socket_t *tls = py_struct(socket, &ssl_socket_class);
    if (tls != NULL && tls->live && tls->begun && tls->net != NULL) {
        *out = adder_tls_stream(&tls->tls);
        return true;
    }
    return false;
}

bool socket_error_is(int64_t number)
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

bool socket_object_send(py_t socket, const uint8_t *bytes, size_t len, size_t *n_out)
{
    size_t piece = len > SOCKET_PIECE ? SOCKET_PIECE : len;
    *n_out = 0;
    py_scope_t scope = py_scope_open();
    py_t data = py_bytes(bytes, piece);
    py_t sent = py_null(data) ? PY_NULL : py_call_method(socket, "send", &data, 1);
    int64_t n = (int64_t)piece; /* None: all of it */
    bool ok = !py_null(sent) && (py_is_none(sent) || py_to_int(sent, &n));
    if (ok && n <= 0)
        ok = py_fail(py_raise_errno(SOCKET_EIO, NULL));
    if (ok)
        *n_out = (uint64_t)n > piece ? piece : (size_t)n;
    py_scope_close(scope);
    return ok;
}

/* Bytes into `buffer` by recv_into(), or into `got` by recv(). */
static bool call_recv(py_t owner, py_field_t *kept, py_t socket, size_t cap, py_buf_t *got, int64_t *n)
{
    py_t fn, buffer = py_field_get(kept);
    if (!py_attr_try(socket, "recv_into", &fn)) {
        py_t size = py_uint(cap), bytes = py_call_method(socket, "recv", &size, 1);
        *n = 0;
        got->len = 0;
        if (py_null(bytes))
            return false;
        if (py_is_none(bytes))
            return true;
        if (!py_buffer_read(bytes, got))
            return false;
        *n = (int64_t)got->len;
        return true;
    }
    size_t size = 0;
    if (py_null(buffer) || !py_len(buffer, &size) ||
        size != SOCKET_PIECE) { /* an object may have resized it */
        buffer = py_bytearray(NULL, SOCKET_PIECE);
        if (py_null(buffer))
            return false;
        py_field_set(owner, kept, buffer);
    }
    const py_t args[] = {buffer, py_uint(cap)};
    py_t count = py_call(fn, args, 2);
    return !py_null(count) && py_to_int(count, n) && py_buffer_read(buffer, got);
}

bool socket_object_recv(py_t owner, py_field_t *buffer, py_t socket, uint8_t *buf, size_t cap, size_t *n_out)
{
    py_buf_t got;
    int64_t n = 0;
    *n_out = 0;
    cap = cap > SOCKET_PIECE ? SOCKET_PIECE : cap;
    py_scope_t scope = py_scope_open();
    bool ok = call_recv(owner, buffer, socket, cap, &got, &n);
    if (ok && (n < 0 || (uint64_t)n > cap || (uint64_t)n > got.len))
        ok = py_fail(
            py_raise(PY_RuntimeError, "the socket says it has read %lld of %zu bytes", (long long)n, cap));
    if (ok && n > 0) {
        memcpy(buf, got.ptr, (size_t)n);
        *n_out = (size_t)n;
    }
    py_scope_close(scope);
    return ok;
}
