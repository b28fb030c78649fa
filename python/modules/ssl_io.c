/* Moving the bytes of an SSLSocket.
 *
 * Over a native socket the session works on the socket's own stream, with the pump's lock: a call that waits
 * drives the pump (net_attempt), and beside the program the pump goes on with a handshake or with what
 * send() took. Over any other object the session works on two small pipes; between its steps the object's
 * send() and recv_into() move what is in them, on the program's thread and without the lock. */
#include <string.h>

#include "python/modules/ssl.h"

enum { CLOSE_US = 1000000 };

/* ---- below: a native socket ---- */

/* A connection that was begun without waiting may be there by now. */
static adder_err_t settle(net_socket_t *s)
{
    static const adder_endpoint_t known;
    if (!s->connecting || !s->open)
        return ADDER_OK;
    const adder_err_t err = s->stack->net.ops->connect(s->stack->net.ctx, s->handle, NULL, &known);
    if (err != ADDER_ERR_AGAIN) {
        s->connecting = false;
        s->connected = err == ADDER_OK;
    }
    return err;
}

static adder_err_t native_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    net_socket_t *s = ctx;
    const adder_err_t err = settle(s);
    const adder_stream_t stream = net_socket_stream(s);
    *n_out = 0;
    return err != ADDER_OK ? err : stream.ops->send(stream.ctx, bytes, len, n_out);
}

static adder_err_t native_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    net_socket_t *s = ctx;
    const adder_err_t err = settle(s);
    const adder_stream_t stream = net_socket_stream(s);
    *n_out = 0;
    return err != ADDER_OK ? err : stream.ops->recv(stream.ctx, buf, cap, n_out);
}

static const adder_stream_ops_t native_ops = {native_send, native_recv};

/* ---- below: two pipes ---- */

static adder_err_t pipe_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    ssl_socket_t *o = ctx;
    const size_t room = sizeof o->pipe->out - o->pipe->out_end, n = len < room ? len : room;
    *n_out = n;
    if (n == 0)
        return len == 0 ? ADDER_OK : ADDER_ERR_AGAIN;
    memcpy(o->pipe->out + o->pipe->out_end, bytes, n);
    o->pipe->out_end += n;
    return ADDER_OK;
}

static adder_err_t pipe_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    ssl_socket_t *o = ctx;
    const size_t have = o->pipe->in_end - o->pipe->in_at, n = cap < have ? cap : have;
    *n_out = n;
    if (n == 0)
        return cap == 0 ? ADDER_OK : o->pipe->ended ? ADDER_ERR_END : ADDER_ERR_AGAIN;
    memcpy(buf, o->pipe->in + o->pipe->in_at, n);
    o->pipe->in_at += n;
    return ADDER_OK;
}

static const adder_stream_ops_t pipe_ops = {pipe_send, pipe_recv};

/* ---- the pump ---- */

/* One step of the handshake, with the lock. */
static adder_err_t step(ssl_socket_t *o)
{
    const bool before = o->tls.info.established;
    const adder_err_t err = adder_tls_handshake(&o->tls);
    if (err == ADDER_OK && !before && !o->server)
        ssl_config_keep(o->config, &o->tls, o->host);
    return err;
}

static void run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    ssl_socket_t *o = ctx;
    size_t n;
    (void)now_us;
    if (!o->told) {
        const adder_err_t err = step(o);
        o->told = err != ADDER_ERR_AGAIN;
        o->item.heavy = !o->told;
        if (o->told || adder_tls_wants(&o->tls) == 0)
            wants_out->wait_us = 0; /* more to do at once, or something that a poll waits for */
    } else if ((adder_tls_wants(&o->tls) & ADDER_NET_WRITABLE) != 0) {
        ADDER_IGNORE(adder_tls_send(&o->tls, NULL, 0, &n), "the next call on the socket tells");
    }
}

bool ssl_begin(ssl_socket_t *o, const char *host)
{
    const adder_stream_t below =
        o->net != NULL ? (adder_stream_t){&native_ops, o->net} : (adder_stream_t){&pipe_ops, o};
    const size_t len = host != NULL ? strlen(host) : 0;
    if (len >= sizeof o->host)
        return py_fail(py_raise(PY_ValueError, "host name too long"));
    if (o->net == NULL && o->pipe == NULL && (o->pipe = py_alloc(sizeof *o->pipe)) == NULL)
        return false;
    if (len > 0 && host != o->host)
        memcpy(o->host, host, len + 1);
    py_pump_lock();
    const adder_err_t err = adder_tls_init(&o->tls, &o->config->tls, below, len > 0 ? host : NULL);
    if (err == ADDER_OK && !o->server)
        ssl_config_offer(o->config, &o->tls, o->host);
    py_pump_unlock();
    if (err != ADDER_OK) {
        const adder_tls_why_t why = o->tls.info.why;
        return py_fail(why == ADDER_TLS_WHY_HOST_MISSING
                           ? py_raise(PY_ValueError, "check_hostname requires server_hostname")
                       : err == ADDER_ERR_NOMEM
                           ? py_raise(PY_MemoryError, "memory allocation failed")
                           : py_raise_errno(SSL_CA_CHAIN_REQUIRED, adder_tls_why_str(why)));
    }
    o->begun = true;
    o->told = false;
    if (o->net != NULL) {
        o->item = (py_pump_t){.run = run, .ctx = o, .heavy = true};
        o->in_pump = true;
        py_pump_add(&o->item);
    }
    return true;
}

void ssl_end(ssl_socket_t *o)
{
    if (o->in_pump)
        py_pump_remove(&o->item);
    o->in_pump = false;
    if (o->begun) {
        py_pump_lock();
        adder_tls_deinit(&o->tls);
        py_pump_unlock();
    }
    o->begun = false;
    if (o->pipe != NULL) {
        memset(o->pipe, 0, sizeof *o->pipe);
        py_free(o->pipe);
        o->pipe = NULL;
    }
    ssl_config_drop(o->config);
    o->config = NULL;
    o->live = false;
}

/* ---- one call ---- */

typedef struct {
    ssl_socket_t *o;
    const uint8_t *out;
    uint8_t *in;
    size_t len, n;
    bool taken;
} call_t;

/* As many steps as go without waiting. */
static adder_err_t try_handshake(void *ctx)
{
    ssl_socket_t *o = ((call_t *)ctx)->o;
    adder_err_t err;
    do
        err = step(o);
    while (err == ADDER_ERR_AGAIN && adder_tls_wants(&o->tls) == 0);
    return err;
}

/* Taken by the session and, as far as one waits, out of it. */
static adder_err_t try_send(void *ctx)
{
    call_t *c = ctx;
    size_t none;
    adder_err_t err = try_handshake(c);
    if (err != ADDER_OK)
        return err;
    if (!c->taken) {
        err = adder_tls_send(&c->o->tls, c->out, c->len, &c->n);
        c->taken = err == ADDER_OK;
    }
    return err != ADDER_OK ? err : adder_tls_send(&c->o->tls, NULL, 0, &none);
}

static adder_err_t try_recv(void *ctx)
{
    call_t *c = ctx;
    const adder_err_t err = try_handshake(c);
    return err != ADDER_OK ? err : adder_tls_recv(&c->o->tls, c->in, c->len, &c->n);
}

static adder_err_t try_close(void *ctx)
{
    return adder_tls_close(&((call_t *)ctx)->o->tls);
}

/* ---- over an object ---- */

/* A method has raised "not now": the exception is gone. */
static bool not_now(void)
{
    int64_t number = 0;
    if (!py_error_is(PY_OSError))
        return false;
    py_t e = py_error_take(), n;
    if (py_attr_try(e, "errno", &n) && py_is_int(n) && py_to_int(n, &number) && number == NET_EAGAIN)
        return true;
    py_raise_again(e);
    return false;
}

/* False with an exception; *blocked: not now. */
static bool push(ssl_socket_t *o, bool *blocked)
{
    while (o->pipe->out_end > 0) {
        py_scope_t scope = py_scope_open();
        int64_t n = 0;
        py_t bytes = py_bytes(o->pipe->out, o->pipe->out_end);
        py_t r = py_null(bytes) ? bytes : py_call_method(py_field_get(&o->socket), "send", &bytes, 1);
        const bool ok = !py_null(r) && (py_is_none(r) || py_to_int(r, &n));
        if (ok && py_is_none(r))
            n = (int64_t)o->pipe->out_end; /* as some sockets' send() that is sendall() */
        *blocked = !ok && not_now();
        py_scope_close(scope);
        if (!ok)
            return *blocked;
        if (!o->live || o->pipe == NULL)
            return py_fail(py_raise_errno(NET_EBADF, NULL)); /* closed by the method itself */
        const size_t sent = n <= 0 ? 0 : (uint64_t)n < o->pipe->out_end ? (size_t)n : o->pipe->out_end;
        memmove(o->pipe->out, o->pipe->out + sent, o->pipe->out_end - sent);
        o->pipe->out_end -= sent;
        if (sent == 0 && !py_poll())
            return false;
    }
    return true;
}

static bool pull(ssl_socket_t *o, bool *blocked)
{
    py_scope_t scope = py_scope_open();
    py_t piece = py_field_get(&o->piece);
    py_buf_t buf;
    int64_t n = 0;
    if (py_null(piece)) {
        piece = py_bytearray(NULL, SSL_PIECE);
        if (!py_null(piece))
            py_field_set(py_owner(o), &o->piece, piece);
    }
    py_t r = py_null(piece) ? piece : py_call_method(py_field_get(&o->socket), "recv_into", &piece, 1);
    bool ok = !py_null(r) && py_to_int(r, &n);
    *blocked = !ok && py_error() && not_now();
    if (ok && (!o->live || o->pipe == NULL))
        ok = py_fail(py_raise_errno(NET_EBADF, NULL));
    if (ok && (ok = py_buffer_read(piece, &buf))) {
        const size_t got = n <= 0 ? 0 : (uint64_t)n < buf.len ? (size_t)n : buf.len;
        const size_t fits = got < SSL_PIECE ? got : SSL_PIECE;
        o->pipe->ended = fits == 0;
        if (fits > 0)
            memcpy(o->pipe->in, buf.ptr, fits);
        o->pipe->in_at = 0;
        o->pipe->in_end = fits;
    }
    py_scope_close(scope);
    return ok || *blocked;
}

static bool object_steps(ssl_socket_t *o, net_attempt_fn attempt, call_t *c, adder_err_t *err_out)
{
    for (;;) {
        bool blocked = false;
        py_pump_lock();
        *err_out = attempt(c);
        const unsigned wants = adder_tls_wants(&o->tls);
        py_pump_unlock();
        const bool had = o->pipe->out_end > 0;
        if (!push(o, &blocked))
            return false;
        if (*err_out != ADDER_ERR_AGAIN || blocked)
            return true;
        if (had || wants == 0) /* room again, or more to do */
            continue;
        if (!pull(o, &blocked))
            return false;
        if (blocked)
            return true;
    }
}

static bool object_attempt(ssl_socket_t *o, net_attempt_fn attempt, call_t *c, adder_err_t *err_out)
{
    if (o->busy)
        return py_fail(py_raise(PY_RuntimeError, "the socket below uses the one above it"));
    o->busy = true;
    const bool ok = object_steps(o, attempt, c, err_out);
    o->busy = false;
    return ok;
}

/* ---- what the methods call ---- */

static bool attempt(ssl_socket_t *o, net_attempt_fn fn, call_t *c, uint64_t timeout_us, adder_err_t *err_out)
{
    return o->net != NULL ? net_attempt(o->net->stack, fn, c, timeout_us, err_out)
                          : object_attempt(o, fn, c, err_out);
}

static uint64_t timeout_of(const ssl_socket_t *o)
{
    return o->net != NULL ? o->net->timeout_us : NET_FOREVER;
}

bool ssl_do_handshake(ssl_socket_t *o, uint64_t timeout_us, adder_err_t *err_out)
{
    call_t c = {.o = o};
    return attempt(o, try_handshake, &c, timeout_us, err_out);
}

bool ssl_do_send(ssl_socket_t *o, const uint8_t *bytes, size_t len, size_t *n_out, adder_err_t *err_out)
{
    call_t c = {.o = o, .out = bytes, .len = len};
    const bool ok = attempt(o, try_send, &c, timeout_of(o), err_out);
    *n_out = c.n;
    if (ok && c.taken) /* the caller's bytes are ours, whatever became of them since: the next call tells */
        *err_out = ADDER_OK;
    return ok;
}

bool ssl_do_recv(ssl_socket_t *o, uint8_t *buf, size_t cap, size_t *n_out, adder_err_t *err_out)
{
    call_t c = {.o = o, .in = buf, .len = cap};
    const bool ok = attempt(o, try_recv, &c, timeout_of(o), err_out);
    *n_out = c.n;
    return ok;
}

bool ssl_do_close(ssl_socket_t *o)
{
    call_t c = {.o = o};
    adder_err_t err;
    const uint64_t timeout = timeout_of(o);
    return attempt(o, try_close, &c, timeout < CLOSE_US ? timeout : CLOSE_US, &err);
}

unsigned ssl_events(ssl_socket_t *o)
{
    const net_socket_t *s = o->net;
    unsigned flags = 0, events = 0;
    if (!py_pump_try_lock())
        return 0; /* an engine is busy: not now */
    adder_err_t err = step(o);
    if (err == ADDER_OK) {
        err = adder_tls_fetch(&o->tls);
        events = err == ADDER_OK || err == ADDER_ERR_END ? NET_POLLIN : 0;
        if (err == ADDER_OK || err == ADDER_ERR_END || err == ADDER_ERR_AGAIN)
            err = s->open ? s->stack->net.ops->ready(s->stack->net.ctx, s->handle, &flags) : ADDER_ERR_CLOSED;
        if ((flags & ADDER_NET_WRITABLE) != 0 && (adder_tls_wants(&o->tls) & ADDER_NET_WRITABLE) == 0)
            events |= NET_POLLOUT;
    }
    py_pump_unlock();
    if (!s->stack->direct)
        py_pump_poke();
    if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
        events |= NET_POLLIN | NET_POLLOUT | NET_POLLERR; /* the next call gives the error */
    return events;
}
