/* The methods of sockets, to be listed in class tables: check, call net_socket_*(), convert. */
#include "python/modules/net_socket.h"

#include <string.h>

py_t net_m_accept(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return net_socket_accept(s);
}

const py_arg_t net_args_address[] = {PY_REQ_OBJ("address"), PY_END};

static bool address_of(net_socket_t *s, py_t arg, net_address_t *out, adder_endpoint_t *to_out,
                       py_t *result_out)
{
    *result_out = PY_NULL;
    return net_address_arg(arg, out) && net_address_resolve(s, out, to_out, result_out);
}

py_t net_m_bind(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    net_address_t address;
    adder_endpoint_t local;
    py_t result;
    return address_of(s, a[0].obj, &address, &local, &result) ? net_socket_bind(s, &local) : result;
}

py_t net_m_close(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    net_socket_close(s);
    return py_none();
}

py_t net_m_connect(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    net_address_t address;
    adder_endpoint_t to;
    py_t result;
    return address_of(s, a[0].obj, &address, &to, &result) ? net_socket_connect(s, address.host, &to)
                                                           : result;
}

const py_arg_t net_args_backlog[] = {PY_REQ_INT("backlog", INT32_MIN, INT32_MAX), PY_END};

py_t net_m_listen(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return net_socket_listen(s, a[0].i > 0 ? (unsigned)a[0].i : 0);
}

const py_arg_t net_args_events[] = {PY_REQ_INT("events", 0, INT32_MAX), PY_END};

py_t net_m_poll_ready(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return py_int((int64_t)(net_socket_events(s) & (uint64_t)a[0].i));
}

/* ---- receiving ---- */

const py_arg_t net_args_recv_into[] = {PY_REQ_WBUF("buffer"), PY_OPT_INT("bufsize", 0, INT32_MIN, INT32_MAX),
                                       PY_END};

py_t net_m_recv_into(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const net_socket_t *socket = s;
    size_t len = a[0].buf.len;
    if (a[1].given && a[1].i > 0 && (uint64_t)a[1].i > len && socket->exists)
        return py_raise(PY_ValueError, "buffer too small for requested bytes");
    if (a[1].given && a[1].i > 0 && (uint64_t)a[1].i < len)
        len = (size_t)a[1].i;
    if (len == 0 && socket->exists)
        return py_int(0);
    return net_socket_recv(s, a[0].buf.ptr, len, NULL);
}

const py_arg_t net_args_recvfrom_into[] = {PY_REQ_WBUF("buffer"), PY_END};

py_t net_m_recvfrom_into(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    adder_endpoint_t from;
    py_t n = net_socket_recv(s, a[0].buf.ptr, a[0].buf.len, &from);
    py_t address = py_null(n) ? PY_NULL : net_address(&from);
    return py_null(address) ? PY_NULL : py_tuple((const py_t[]){n, address}, 2);
}

/* ---- sending ---- */

const py_arg_t net_args_send[] = {PY_REQ_RBUF("bytes"), PY_END};

py_t net_m_send(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return net_socket_send(s, a[0].buf.ptr, a[0].buf.len);
}

py_t net_m_sendall(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return net_socket_send_all(s, a[0].buf.ptr, a[0].buf.len);
}

const py_arg_t net_args_sendto[] = {PY_REQ_RBUF("bytes"), PY_REQ_OBJ("address"), PY_END};

py_t net_m_sendto(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    net_address_t address;
    adder_endpoint_t to;
    py_t result;
    return address_of(s, a[1].obj, &address, &to, &result)
               ? net_socket_send_to(s, &to, a[0].buf.ptr, a[0].buf.len)
               : result;
}

/* ---- settings ---- */

const py_arg_t net_args_flag[] = {PY_REQ_OBJ("flag"), PY_END};

py_t net_m_setblocking(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    bool blocking;
    if (!py_to_bool(a[0].obj, &blocking))
        return PY_NULL;
    ((net_socket_t *)s)->timeout_us = blocking ? NET_FOREVER : 0;
    return py_none();
}

const py_arg_t net_args_timeout[] = {PY_REQ_OBJ("value"), PY_END};

py_t net_m_settimeout(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return net_timeout_arg(a[0].obj, &((net_socket_t *)s)->timeout_us) ? py_none() : PY_NULL;
}

enum { SOL_SOCKET_ = 0xFFF, SO_REUSEADDR_ = 4, IPPROTO_IP_ = 0, IPPROTO_TCP_ = 6, TCP_NODELAY_ = 1 };
enum { IP_ADD_MEMBERSHIP_ = 3, IP_DROP_MEMBERSHIP_ = 4, IP_MULTICAST_TTL_ = 5 };

const py_arg_t net_args_option[] = {PY_REQ_INT("level", INT32_MIN, INT32_MAX),
                                    PY_REQ_INT("optname", INT32_MIN, INT32_MAX), PY_REQ_OBJ("value"), PY_END};

/* Stacks send without delay and let addresses be reused always: asking for it is granted. A multicast group
 * is joined with the bytes of lwIP's ip_mreq: group, then interface. */
py_t net_m_setsockopt(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    net_socket_t *socket = s;
    int64_t level = a[0].i, option = a[1].i, number = 0;
    py_buf_t buf = {0};
    if (!(py_is_int(a[2].obj) ? py_to_int(a[2].obj, &number) : py_buffer_read(a[2].obj, &buf)))
        return PY_NULL;
    if (!socket->exists)
        return socket->flavour != NULL ? socket->flavour->fail(socket, NET_OP_OPTION, ADDER_ERR_STATE)
                                       : net_fail(socket, NET_OP_OPTION, ADDER_ERR_STATE);
    adder_err_t err = ADDER_ERR_UNSUPPORTED;
    if ((level == SOL_SOCKET_ && option == SO_REUSEADDR_) ||
        (level == IPPROTO_TCP_ && option == TCP_NODELAY_))
        err = ADDER_OK;
    else if (level == IPPROTO_IP_ && option == IP_MULTICAST_TTL_)
        err = number >= 0 && number <= 255 ? ADDER_OK : ADDER_ERR_ARG;
    else if (level == IPPROTO_IP_ && (option == IP_ADD_MEMBERSHIP_ || option == IP_DROP_MEMBERSHIP_) &&
             buf.len >= 4 && socket->open) {
        const adder_net_t *net = &socket->stack->net;
        adder_ip_t group = adder_ip_v4(buf.ptr[0], buf.ptr[1], buf.ptr[2], buf.ptr[3]);
        py_pump_lock();
        if (net->ops->join != NULL)
            err = net->ops->join(net->ctx, socket->handle, &group, option == IP_ADD_MEMBERSHIP_);
        py_pump_unlock();
    }
    return err == ADDER_OK ? py_none() : socket->flavour->fail(socket, NET_OP_OPTION, err);
}

/* ---- properties ---- */

enum { SOCK_STREAM_ = 1, SOCK_DGRAM_ = 2 };

static py_t get_type(py_t self, void *s)
{
    (void)self;
    return py_int(((const net_socket_t *)s)->kind == ADDER_NET_UDP ? SOCK_DGRAM_ : SOCK_STREAM_);
}

const py_prop_t net_socket_props[] = {{"type", get_type, NULL, 0, "SOCK_STREAM or SOCK_DGRAM."}, PY_END};
