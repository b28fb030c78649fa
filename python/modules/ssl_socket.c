/* ssl.SSLSocket: its life and its methods. */
#include <string.h>

#include "python/modules/ssl.h"

enum { SOCK_STREAM_ = 1 };

/* ---- life ---- */

static void fini(void *s)
{
    ssl_end(s);
}

static const uint16_t fields[] = {offsetof(ssl_socket_t, socket), offsetof(ssl_socket_t, context),
                                  offsetof(ssl_socket_t, piece), PY_FIELDS_END};

/* Of an object without a `type` we take that it is a stream. */
static bool check_stream(py_t socket, const net_socket_t *net)
{
    py_t type;
    int64_t n = SOCK_STREAM_;
    if (net != NULL)
        n = net->kind == ADDER_NET_UDP ? 0 : SOCK_STREAM_;
    else if (py_attr_try(socket, "type", &type) && py_is_int(type) && !py_to_int(type, &n))
        return false;
    return n == SOCK_STREAM_ || py_fail(py_raise(PY_RuntimeError, "Invalid socket for TLS"));
}

py_t ssl_socket_wrap(py_t context, ssl_context_t *c, py_t socket, bool server, const char *host)
{
    net_socket_t *net = net_socket_of(socket);
    ssl_socket_t *o;
    if (!check_stream(socket, net))
        return PY_NULL;
    if (host != NULL && strlen(host) >= sizeof o->host)
        return py_raise(PY_ValueError, "host name too long");
    py_t v = py_new(&ssl_socket_class, (void **)&o);
    if (py_null(v))
        return v;
    if ((o->config = ssl_config_take(c, server ? ADDER_TLS_SERVER : ADDER_TLS_CLIENT)) == NULL)
        return PY_NULL;
    py_field_set(v, &o->socket, socket);
    py_field_set(v, &o->context, context);
    o->net = net;
    o->server = server;
    o->live = true;
    if (host != NULL && host[0] != '\0') {
        o->named = true;
        memcpy(o->host, host, strlen(host) + 1);
    }
    return v;
}

/* The session ends and the socket below closes; C alone where it is native. */
static void drop(ssl_socket_t *o)
{
    net_socket_t *net = o->net;
    ssl_end(o);
    if (net != NULL)
        net_socket_close(net);
}

/* The same with the pending exception's cause, which stays. */
static py_t give_up(ssl_socket_t *o)
{
    py_t e = py_error_take();
    const bool native = o->net != NULL;
    drop(o);
    if (!native && py_null(py_call_method(py_field_get(&o->socket), "close", NULL, 0)))
        py_error_clear();
    py_raise_again(e);
    return PY_NULL;
}

/* ---- errors ---- */

static bool lost(adder_tls_why_t why)
{
    return why == ADDER_TLS_WHY_BELOW || why == ADDER_TLS_WHY_CUT || why == ADDER_TLS_WHY_NONE;
}

/* What TLS says is OSError with the library's code and our words; what the connection says is the socket's
 * own error. */
static py_t fail(ssl_socket_t *o, net_op_t op, adder_err_t err)
{
    const adder_tls_info_t *info = &o->tls.info;
    if (err == ADDER_ERR_NOMEM)
        return py_raise(PY_MemoryError, "memory allocation failed");
    if (err == ADDER_ERR_AGAIN)
        return op == NET_OP_CONNECT ? py_raise_errno(NET_EINPROGRESS, "EINPROGRESS")
                                    : py_raise_errno(NET_EAGAIN, "EAGAIN");
    if (err == ADDER_ERR_TIMEOUT && info->why == ADDER_TLS_WHY_NONE)
        return py_raise_errno(NET_ETIMEDOUT, NULL);
    if (!lost(info->why))
        return py_raise_errno(info->code != 0 ? info->code : -1, adder_tls_why_str(info->why));
    if (o->net != NULL)
        return o->net->flavour->fail(o->net, op, err);
    return py_raise_errno(err == ADDER_ERR_CLOSED ? NET_ECONNRESET : NET_EIO, NULL);
}

/* Not the ValueError of `live`: sockets that are closed raise this. */
static py_t closed_error(void)
{
    return py_raise_errno(NET_EBADF, NULL);
}

/* ---- connecting ---- */

/* Without waiting the handshake goes on in the pump; an end of any other kind ends the socket too. */
static py_t shake(ssl_socket_t *o, uint64_t timeout_us)
{
    adder_err_t err;
    if (!ssl_do_handshake(o, timeout_us, &err))
        return give_up(o);
    if (err == ADDER_OK)
        return py_none();
    py_t result = fail(o, NET_OP_CONNECT, err);
    return err == ADDER_ERR_AGAIN ? result : give_up(o);
}

/* The name to check: the one given, or where the program connects to. */
static bool name_of(ssl_socket_t *o, py_t address, const char **host_out)
{
    *host_out = NULL;
    if (o->named) {
        *host_out = o->host;
        return true;
    }
    if (!py_is_tuple(address) && !py_is_list(address))
        return true; /* the socket's connect() has its own opinion */
    py_t host = py_item_at(address, 0);
    if (py_null(host))
        return false;
    return py_to_str(py_is_str(host) ? host : py_str_of(host), host_out, NULL);
}

static const py_arg_t address_args[] = {PY_REQ_OBJ("address"), PY_END};

static py_t m_connect(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s;
    const char *host;
    (void)self;
    if (!o->live)
        return closed_error();
    if (o->begun && o->net != NULL) /* once more, to see whether it is done */
        return shake(o, o->net->timeout_us);
    if (!name_of(o, a[0].obj, &host))
        return PY_NULL;
    py_t r = py_call_method(py_field_get(&o->socket), "connect", &a[0].obj, 1);
    if (py_null(r) && (o->net == NULL || !o->net->connecting || o->net->timeout_us != 0))
        return r;
    py_t under_way = py_null(r) ? py_error_take() : PY_NULL;
    if (!ssl_begin(o, host))
        return PY_NULL;
    if (!py_null(under_way)) {
        py_raise_again(under_way);
        return PY_NULL;
    }
    return shake(o, o->net != NULL ? o->net->timeout_us : NET_FOREVER);
}

/* Who wraps a connected socket begins at the first byte. */
static bool begin(ssl_socket_t *o)
{
    if (!o->live)
        return py_fail(closed_error());
    return o->begun || ssl_begin(o, o->named ? o->host : NULL);
}

/* ---- serving ---- */

static py_t pass_on(void *s, const char *method, const py_val_t *a)
{
    const ssl_socket_t *o = s;
    return o->live ? py_call_method(py_field_get(&o->socket), method, &a[0].obj, 1) : closed_error();
}

static py_t m_bind(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return pass_on(s, "bind", a);
}

static py_t m_listen(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return pass_on(s, "listen", a);
}

static py_t m_accept(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s, *fresh;
    (void)self, (void)a;
    if (!o->live)
        return closed_error();
    py_t pair = py_call_method(py_field_get(&o->socket), "accept", NULL, 0),
         context = py_field_get(&o->context);
    py_t socket = py_null(pair) ? pair : py_item_at(pair, 0),
         address = py_null(pair) ? pair : py_item_at(pair, 1);
    if (py_null(socket) || py_null(address))
        return PY_NULL;
    py_t v = ssl_socket_wrap(context, py_struct(context, &ssl_context_class), socket, true, NULL);
    if (py_null(v))
        return v;
    fresh = py_struct(v, &ssl_socket_class);
    if (!ssl_begin(fresh, NULL))
        return PY_NULL;
    /* By the listener's time-out; if that does not wait, in the pump. */
    const uint64_t timeout_us = o->net != NULL ? o->net->timeout_us : NET_FOREVER;
    if (fresh->net == NULL || timeout_us > 0) {
        if (py_null(shake(fresh, timeout_us)))
            return PY_NULL;
    }
    return py_tuple((const py_t[]){v, address}, 2);
}

/* ---- bytes ---- */

static py_t m_send(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s;
    size_t n;
    adder_err_t err;
    (void)self;
    if (!begin(o) || !ssl_do_send(o, a[0].buf.ptr, a[0].buf.len, &n, &err))
        return PY_NULL;
    return err == ADDER_OK ? py_int((int64_t)n) : fail(o, NET_OP_SEND, err);
}

static py_t m_recv_into(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s;
    size_t len = a[0].buf.len, n;
    adder_err_t err;
    (void)self;
    if (a[1].given && a[1].i > 0 && (uint64_t)a[1].i > len)
        return py_raise(PY_ValueError, "buffer too small for requested bytes");
    if (a[1].given && a[1].i > 0)
        len = (size_t)a[1].i;
    if (!begin(o) || !ssl_do_recv(o, a[0].buf.ptr, len, &n, &err))
        return PY_NULL;
    if (err == ADDER_OK)
        return py_int((int64_t)n);
    /* The end, and what most servers make of it: closing without a goodbye. */
    if (err == ADDER_ERR_END || (o->tls.info.why == ADDER_TLS_WHY_CUT && o->tls.info.code == SSL_EOF))
        return py_int(0);
    return fail(o, NET_OP_RECV, err);
}

static py_t m_close(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s;
    (void)self, (void)a;
    if (!o->live)
        return py_none();
    bool ok = !o->begun || o->busy || ssl_do_close(o);
    if (o->net != NULL) {
        drop(o);
        return ok ? py_none() : PY_NULL;
    }
    /* That the goodbye did not get through is nobody's concern; a Ctrl-C is. */
    const bool matters = !ok && !py_error_is(PY_OSError);
    py_t e = ok ? PY_NULL : py_error_take();
    ssl_end(o);
    py_t r = py_call_method(py_field_get(&o->socket), "close", NULL, 0);
    if (matters) {
        py_error_clear();
        py_raise_again(e);
    }
    return matters ? PY_NULL : r;
}

static py_t m_poll_ready(py_t self, void *s, const py_val_t *a)
{
    ssl_socket_t *o = s;
    const unsigned mask = (unsigned)a[0].i;
    py_t method;
    (void)self;
    if (!o->live)
        return py_int((NET_POLLERR | NET_POLLHUP) & mask);
    if (o->net != NULL) {
        if (!o->begun && !o->net->connected)
            return py_int(net_socket_events(o->net) & mask); /* a listener, or nothing yet */
        return begin(o) ? py_int(ssl_events(o) & mask) : PY_NULL;
    }
    if (o->begun && adder_tls_available(&o->tls) > 0)
        return py_int(NET_POLLIN & mask);
    if (py_attr_try(py_field_get(&o->socket), "poll_ready", &method))
        return py_call(method, &a[0].obj, 1);
    return py_raise_errno(NET_EINVAL, "Invalid argument");
}

static py_t m_settimeout(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return pass_on(s, "settimeout", a);
}

static py_t m_setblocking(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return pass_on(s, "setblocking", a);
}

/* ---- what was agreed: as CPython's, absent on boards ---- */

/* The pump may be at the handshake just now. */
static bool established(const ssl_socket_t *o)
{
    if (!o->live || !o->begun)
        return false;
    py_pump_lock();
    const bool is = o->tls.info.established;
    py_pump_unlock();
    return is;
}

static py_t m_version(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return established(s) ? py_str("TLSv1.2") : py_none();
}

static py_t m_cipher(py_t self, void *s, const py_val_t *a)
{
    const ssl_socket_t *o = s;
    (void)self, (void)a;
    const char *suite = established(o) ? adder_tls_suite(&o->tls) : NULL;
    if (suite == NULL)
        return py_none();
    const bool wide = strstr(suite, "AES-256") != NULL || strstr(suite, "CHACHA20") != NULL;
    return py_tuple((const py_t[]){py_str(suite), py_str("TLSv1.2"), py_int(wide ? 256 : 128)}, 3);
}

static py_t m_alpn(py_t self, void *s, const py_val_t *a)
{
    const ssl_socket_t *o = s;
    (void)self, (void)a;
    const char *protocol = established(o) ? adder_tls_alpn(&o->tls) : NULL;
    return protocol != NULL ? py_str(protocol) : py_none();
}

static const py_arg_t peer_args[] = {PY_OPT_BOOL("binary_form", false), PY_END};

static py_t m_getpeercert(py_t self, void *s, const py_val_t *a)
{
    const ssl_socket_t *o = s;
    const uint8_t *der;
    size_t len;
    (void)self;
    if (!a[0].b)
        return py_raise(PY_NotImplementedError, "only getpeercert(True)");
    if (!established(o))
        return py_none();
    py_pump_lock();
    const adder_err_t err = adder_tls_peer_certificate(&o->tls, &der, &len);
    py_pump_unlock();
    return err == ADDER_OK ? py_bytes(der, len) : py_none();
}

static py_t get_reused(py_t self, void *s)
{
    const ssl_socket_t *o = s;
    (void)self;
    return py_bool(established(o) && o->tls.info.resumed);
}

static const py_method_t methods[] = {
    {"accept", m_accept, NULL, 0, "Wait for the next connection and its handshake: (SSLSocket, address)."},
    {"bind", m_bind, address_args, 0, "Take a local address."},
    {"close", m_close, NULL, 0, "Say goodbye and close; does nothing a second time."},
    {"deinit", m_close, NULL, 0, NULL}, /* what a `with` block calls */
    {"connect", m_connect, address_args, 0, "Connect to (host, port) and make the handshake."},
    {"listen", m_listen, net_args_backlog, 0, "Take connections from now on."},
    {"poll_ready", m_poll_ready, net_args_events, 0, NULL}, /* for select.poll */
    {"recv_into", m_recv_into, net_args_recv_into, 0, "Read into a buffer: how many bytes, 0 = the end."},
    {"send", m_send, net_args_send, 0, "Send some of the bytes: how many."},
    {"setblocking", m_setblocking, net_args_flag, 0, "False: calls never wait."},
    {"settimeout", m_settimeout, net_args_timeout, 0, "Seconds that calls wait; None = for ever, 0 = not."},
    {"version", m_version, NULL, 0, "\"TLSv1.2\"; None before the handshake."},
    {"cipher", m_cipher, NULL, 0, "(suite, version, bits); None before the handshake."},
    {"selected_alpn_protocol", m_alpn, NULL, 0, "The protocol agreed on, or None."},
    {"getpeercert", m_getpeercert, peer_args, 0, "getpeercert(True): the other side's certificate as DER."},
    PY_END};
static const py_prop_t props[] = {
    {"session_reused", get_reused, NULL, 0, "The handshake came back to an earlier session."}, PY_END};

const py_class_t ssl_socket_class = {.module = "ssl",
                                     .name = "SSLSocket",
                                     .doc = "TLS over a socket; made by SSLContext.wrap_socket().",
                                     .size = sizeof(ssl_socket_t),
                                     .no_new = true,
                                     .final = true,
                                     .context = true,
                                     .fini = fini,
                                     .fields = fields,
                                     .methods = methods,
                                     .props = props};
