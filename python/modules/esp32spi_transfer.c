/* Socket of adafruit_esp32spi's pool: bytes. */
#include "python/modules/esp32spi.h"

enum {
    SEND_US = 10000000, /* for each piece */
    PIECE = 4083,
};

/* ---- sending ---- */

static py_t send_datagram(esp32spi_socket_t *o, const py_buf_t *buf)
{
    py_t result;
    if (!o->has_peer)
        return py_raise(PY_ConnectionError, "Failed to send UDP data");
    ESP32SPI_WITH_TIMEOUT(&o->net, SEND_US,
                          result = net_socket_send_to(&o->net, &o->peer, buf->ptr, buf->len));
    return result;
}

static py_t send_stream(esp32spi_socket_t *o, const py_buf_t *buf)
{
    size_t sent = 0;
    while (sent < buf->len) {
        py_scope_t scope = py_scope_open();
        int64_t n = 0;
        py_t count;
        size_t left = buf->len - sent;
        ESP32SPI_WITH_TIMEOUT(&o->net, SEND_US,
                              count = net_socket_send(&o->net, buf->ptr + sent, left < PIECE ? left : PIECE));
        bool ok = !py_null(count) && py_to_int(count, &n) && n > 0;
        py_scope_close(scope);
        sent += (size_t)n;
        if (ok)
            continue;
        if (py_error() && !py_error_is(PY_OSError))
            return PY_NULL; /* Ctrl-C */
        py_error_clear();
        bool was_open = o->net.exists;
        esp32spi_socket_shut(o);
        return was_open ? py_raise(PY_ConnectionError, "Failed to send %u bytes (sent %u)",
                                   (unsigned)buf->len, (unsigned)sent)
                        : py_raise_errno(NET_EBADF, NULL);
    }
    return py_int((int64_t)sent);
}

const py_arg_t esp32spi_send_args[] = {PY_REQ_RBUF("data"), PY_END};

py_t esp32spi_m_send(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_socket_t *o = s;
    return o->net.kind == ADDER_NET_UDP ? send_datagram(o, &a[0].buf) : send_stream(o, &a[0].buf);
}

/* ---- receiving ---- */

/* What is there, at most `cap`; waits for the first byte only. Datagrams come one at a time. */
static py_t receive(esp32spi_socket_t *o, uint8_t *buf, size_t cap)
{
    size_t got = 0;
    while (got < cap) {
        int64_t n;
        py_t count;
        py_scope_t scope = py_scope_open();
        if (got == 0)
            count = net_socket_recv(&o->net, buf, cap, NULL);
        else
            ESP32SPI_WITH_TIMEOUT(&o->net, 0, count = net_socket_recv(&o->net, buf + got, cap - got, NULL));
        bool ok = !py_null(count) && py_to_int(count, &n);
        py_scope_close(scope);
        if (!ok && (got == 0 || !py_error_is(PY_OSError)))
            return PY_NULL;
        if (!ok) {
            py_error_clear(); /* told by the next call: a socket that failed stays failed */
            break;
        }
        got += (size_t)n;
        if (n == 0 || o->net.kind == ADDER_NET_UDP)
            break;
    }
    return py_int((int64_t)(got < cap ? got : cap));
}

const py_arg_t esp32spi_recv_args[] = {PY_REQ_INT("bufsize", 0, INT32_MAX), PY_END};

py_t esp32spi_m_recv(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int64_t n;
    py_buf_t buf;
    py_t bytes = py_bytearray(NULL, (size_t)a[0].i);
    if (py_null(bytes) || !py_buffer_write(bytes, &buf))
        return PY_NULL;
    py_t count = receive(s, buf.ptr, buf.len);
    return !py_null(count) && py_to_int(count, &n) ? py_bytes(buf.ptr, (size_t)n) : PY_NULL;
}

const py_arg_t esp32spi_recv_into_args[] = {PY_REQ_WBUF("buffer"),
                                            PY_OPT_INT("nbytes", 0, PY_INT_MIN, PY_INT_MAX), PY_END};

py_t esp32spi_m_recv_into(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    if (a[1].i < 0 || (uint64_t)a[1].i > a[0].buf.len)
        return py_raise(PY_ValueError, "nbytes must be 0 to len(buffer)");
    return receive(s, a[0].buf.ptr, a[1].i == 0 ? a[0].buf.len : (size_t)a[1].i);
}
