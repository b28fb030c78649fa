/* The socket: its life, and the calls that may wait. The methods are in net_methods.c. */
#include "python/modules/net_socket.h"

#include <string.h>

/* ---- life ---- */

static bool open_now(net_socket_t *s, adder_err_t *err_out)
{
    const adder_net_t *net = &s->stack->net;
    py_pump_lock();
    *err_out = net->ops->open(net->ctx, s->kind, s->family, &s->handle);
    py_pump_unlock();
    s->open = *err_out == ADDER_OK;
    return s->open;
}

/* Classes of sockets that there have been: what net_socket_of() knows. */
enum { CLASSES_MAX = 8 };
static const py_class_t *socket_classes[CLASSES_MAX];

static void know_class(const py_class_t *cls)
{
    size_t i = 0;
    while (i < CLASSES_MAX - 1 && socket_classes[i] != NULL && socket_classes[i] != cls)
        i++;
    socket_classes[i] = cls;
}

net_socket_t *net_socket_of(py_t v)
{
    net_socket_t *s = NULL;
    for (size_t i = 0; s == NULL && i < CLASSES_MAX && socket_classes[i] != NULL; i++)
        s = py_struct(v, socket_classes[i]);
    return s;
}

static void enlist(py_t self, net_socket_t *s, py_t owner, net_stack_t *stack, const net_flavour_t *flavour)
{
    py_field_set(self, &s->owner, owner);
    s->stack = stack;
    s->flavour = flavour;
    s->timeout_us = NET_FOREVER;
    s->exists = true;
    know_class(flavour->cls);
    s->next = stack->sockets;
    stack->sockets = s;
}

bool net_socket_open(py_t self, net_socket_t *s, py_t owner, net_stack_t *stack, const net_flavour_t *flavour,
                     adder_net_kind_t kind, adder_ip_family_t family)
{
    adder_err_t err = stack->started ? ADDER_OK : ADDER_ERR_STATE;
    s->flavour = flavour;
    s->stack = stack;
    s->kind = kind;
    s->family = family;
    if (err != ADDER_OK || (!flavour->late && !open_now(s, &err))) {
        s->stack = NULL;
        return py_fail(flavour->fail(s, NET_OP_OPEN, err));
    }
    enlist(self, s, owner, stack, flavour);
    return true;
}

void net_socket_close(net_socket_t *s)
{
    if (!s->exists)
        return;
    const adder_net_t *net = &s->stack->net;
    py_pump_lock();
    if (s->open)
        ADDER_IGNORE(net->ops->close(net->ctx, s->handle, false), "the handle is free in any case");
    s->open = false; /* with the lock: net_socket_stream() looks */
    py_pump_unlock();
    if (!s->stack->direct)
        py_pump_poke();
    s->exists = s->connected = s->listening = s->connecting = false;
    py_free(s->host);
    s->host = NULL;
    for (net_socket_t **at = &s->stack->sockets; *at != NULL; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    s->next = NULL;
}

void net_socket_fini(void *s)
{
    net_socket_close(s);
}

const uint16_t net_socket_fields[] = {offsetof(net_socket_t, owner), PY_FIELDS_END};

static py_t fail(net_socket_t *s, net_op_t op, adder_err_t err)
{
    return s->flavour != NULL ? s->flavour->fail(s, op, err) : net_fail(s, op, err);
}

/* The handle is there, made now if it is a late one. */
static bool have(net_socket_t *s, adder_err_t *err_out)
{
    *err_out = ADDER_ERR_STATE;
    return s->exists && (s->open || (s->flavour->late && open_now(s, err_out)));
}

/* ---- the stream below TLS ---- */

static adder_err_t stream_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    net_socket_t *s = ctx;
    *n_out = 0;
    if (!s->open)
        return ADDER_ERR_CLOSED;
    return s->stack->net.ops->send(s->stack->net.ctx, s->handle, NULL, bytes, len, n_out);
}

static adder_err_t stream_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    net_socket_t *s = ctx;
    *n_out = 0;
    if (!s->open)
        return ADDER_ERR_CLOSED;
    return s->stack->net.ops->recv(s->stack->net.ctx, s->handle, buf, cap, n_out, NULL);
}

static const adder_stream_ops_t stream_ops = {stream_send, stream_recv};

adder_stream_t net_socket_stream(net_socket_t *s)
{
    return (adder_stream_t){&stream_ops, s};
}

/* ---- connecting ---- */

typedef struct {
    net_socket_t *s;
    const char *host;
    const adder_endpoint_t *to;
    uint8_t *in;
    const uint8_t *out;
    size_t len, n;
    adder_endpoint_t from;
    uint16_t handle;
} call_t;

static adder_err_t try_connect(void *ctx)
{
    call_t *c = ctx;
    const adder_net_t *net = &c->s->stack->net;
    return net->ops->connect(net->ctx, c->s->handle, c->host, c->to);
}

/* For settle(): a stack that looks up one name at a time begins only when it is asked again. */
static bool remember(net_socket_t *s, const char *host, const adder_endpoint_t *to)
{
    if (s->connecting)
        return true;
    s->to = *to;
    py_free(s->host);
    s->host = NULL;
    if (host == NULL)
        return true;
    const size_t size = strlen(host) + 1;
    s->host = py_alloc(size);
    if (s->host != NULL)
        memcpy(s->host, host, size);
    return s->host != NULL;
}

py_t net_socket_connect(net_socket_t *s, const char *host, const adder_endpoint_t *to)
{
    call_t c = {.s = s, .host = host, .to = to};
    adder_err_t err;
    if (!have(s, &err))
        return fail(s, NET_OP_CONNECT, err);
    if (s->connected && s->kind != ADDER_NET_UDP)
        return py_raise_errno(NET_EISCONN, "EISCONN");
    if (!net_attempt(s->stack, try_connect, &c, s->timeout_us, &err))
        return PY_NULL;
    s->connected = err == ADDER_OK;
    const bool goes_on = err == ADDER_ERR_AGAIN || err == ADDER_ERR_TIMEOUT;
    if (goes_on && !remember(s, host, to))
        return PY_NULL;
    s->connecting = goes_on;
    return err == ADDER_OK ? py_none() : fail(s, NET_OP_CONNECT, err);
}

/* A connection that was begun without waiting may be there by now. With the lock. */
static adder_err_t settle(net_socket_t *s)
{
    if (!s->connecting)
        return ADDER_OK;
    adder_err_t err = s->stack->net.ops->connect(s->stack->net.ctx, s->handle, s->host, &s->to);
    if (err != ADDER_ERR_AGAIN) {
        s->connecting = false;
        s->connected = err == ADDER_OK;
    }
    return err;
}

/* ---- serving ---- */

py_t net_socket_bind(net_socket_t *s, const adder_endpoint_t *local)
{
    adder_err_t err;
    if (!have(s, &err))
        return fail(s, NET_OP_BIND, err);
    py_pump_lock();
    err = s->stack->net.ops->bind(s->stack->net.ctx, s->handle, local);
    py_pump_unlock();
    if (!s->stack->direct)
        py_pump_poke();
    return err == ADDER_OK ? py_none() : fail(s, NET_OP_BIND, err);
}

py_t net_socket_listen(net_socket_t *s, unsigned backlog)
{
    adder_err_t err;
    if (!have(s, &err))
        return fail(s, NET_OP_LISTEN, err);
    const adder_net_t *net = &s->stack->net;
    py_pump_lock();
    err = net->ops->listen != NULL ? net->ops->listen(net->ctx, s->handle, backlog) : ADDER_ERR_UNSUPPORTED;
    py_pump_unlock();
    if (!s->stack->direct)
        py_pump_poke();
    s->listening = err == ADDER_OK;
    return err == ADDER_OK ? py_none() : fail(s, NET_OP_LISTEN, err);
}

static adder_err_t try_accept(void *ctx)
{
    call_t *c = ctx;
    const adder_net_t *net = &c->s->stack->net;
    adder_err_t err = net->ops->accept(net->ctx, c->s->handle, &c->handle, &c->from);
    return err == ADDER_ERR_NOMEM ? ADDER_ERR_AGAIN : err; /* the caller waits outside until one is free */
}

py_t net_socket_accept(net_socket_t *s)
{
    call_t c = {.s = s};
    adder_err_t err = ADDER_ERR_STATE;
    if (!s->exists || !s->listening)
        return fail(s, NET_OP_ACCEPT, err);
    if (!net_attempt(s->stack, try_accept, &c, s->timeout_us, &err))
        return PY_NULL;
    if (err != ADDER_OK)
        return fail(s, NET_OP_ACCEPT, err);
    net_socket_t *fresh;
    py_t v = py_new(s->flavour->cls, (void **)&fresh), address = net_address(&c.from);
    if (py_null(v) || py_null(address)) {
        py_pump_lock();
        ADDER_IGNORE(s->stack->net.ops->close(s->stack->net.ctx, c.handle, true), "nobody will have it");
        py_pump_unlock();
        return PY_NULL;
    }
    fresh->kind = s->kind;
    fresh->family = s->family;
    fresh->handle = c.handle;
    fresh->open = fresh->connected = true;
    enlist(v, fresh, py_field_get(&s->owner), s->stack, s->flavour);
    return py_tuple((const py_t[]){v, address}, 2);
}

/* ---- sending ---- */

static adder_err_t try_send(void *ctx)
{
    call_t *c = ctx;
    const adder_net_t *net = &c->s->stack->net;
    adder_err_t err = settle(c->s);
    return err != ADDER_OK ? err : net->ops->send(net->ctx, c->s->handle, c->to, c->out, c->len, &c->n);
}

static adder_err_t try_send_all(void *ctx)
{
    call_t *c = ctx;
    adder_err_t err = ADDER_OK;
    while (c->len > 0 && (err = try_send(c)) == ADDER_OK) {
        c->out += c->n;
        c->len -= c->n;
    }
    return err;
}

/* A stream that never was connected is a broken pipe to a board. */
static bool may_send(net_socket_t *s, adder_err_t *err_out)
{
    *err_out = ADDER_ERR_STATE;
    return s->exists && s->open && (s->connected || s->connecting);
}

py_t net_socket_send(net_socket_t *s, const uint8_t *bytes, size_t len)
{
    call_t c = {.s = s, .out = bytes, .len = len};
    adder_err_t err;
    if (!may_send(s, &err))
        return fail(s, NET_OP_SEND, err);
    if (!net_attempt(s->stack, try_send, &c, s->timeout_us, &err))
        return PY_NULL;
    return err == ADDER_OK ? py_int((int64_t)c.n) : fail(s, NET_OP_SEND, err);
}

py_t net_socket_send_all(net_socket_t *s, const uint8_t *bytes, size_t len)
{
    call_t c = {.s = s, .out = bytes, .len = len};
    adder_err_t err;
    if (!may_send(s, &err))
        return fail(s, NET_OP_SEND, err);
    if (!net_attempt(s->stack, try_send_all, &c, s->timeout_us, &err))
        return PY_NULL;
    return err == ADDER_OK ? py_none() : fail(s, NET_OP_SEND, err);
}

py_t net_socket_send_to(net_socket_t *s, const adder_endpoint_t *to, const uint8_t *bytes, size_t len)
{
    call_t c = {.s = s, .to = to, .out = bytes, .len = len};
    adder_err_t err;
    if (!have(s, &err))
        return fail(s, NET_OP_SENDTO, err);
    if (!net_attempt(s->stack, try_send, &c, s->timeout_us, &err))
        return PY_NULL;
    return err == ADDER_OK ? py_int((int64_t)c.n) : fail(s, NET_OP_SENDTO, err);
}

/* ---- receiving ---- */

static adder_err_t try_recv(void *ctx)
{
    call_t *c = ctx;
    const adder_net_t *net = &c->s->stack->net;
    adder_err_t err = settle(c->s);
    return err != ADDER_OK ? err : net->ops->recv(net->ctx, c->s->handle, c->in, c->len, &c->n, &c->from);
}

py_t net_socket_recv(net_socket_t *s, uint8_t *buf, size_t cap, adder_endpoint_t *from_out)
{
    call_t c = {.s = s, .in = buf, .len = cap};
    net_op_t op = from_out != NULL ? NET_OP_RECVFROM : NET_OP_RECV;
    adder_err_t err = ADDER_ERR_STATE;
    if (!s->exists || !s->open)
        return fail(s, op, err);
    if (!net_attempt(s->stack, try_recv, &c, s->timeout_us, &err))
        return PY_NULL;
    if (from_out != NULL)
        *from_out = c.from;
    if (err == ADDER_ERR_END)
        return py_int(0);
    return err == ADDER_OK ? py_int((int64_t)(c.n < cap ? c.n : cap)) : fail(s, op, err);
}

/* ---- select.poll ---- */

unsigned net_socket_events(net_socket_t *s)
{
    unsigned flags = 0, events = 0;
    if (!s->exists)
        return NET_POLLERR | NET_POLLHUP;
    if (!s->open || !py_pump_try_lock())
        return 0; /* an engine is busy: not now */
    adder_err_t err = settle(s);
    if (err == ADDER_OK)
        err = s->stack->net.ops->ready(s->stack->net.ctx, s->handle, &flags);
    py_pump_unlock();
    if (!s->stack->direct)
        py_pump_poke(); /* some stacks look for bytes only where somebody asks */
    if (err != ADDER_OK)
        return err == ADDER_ERR_AGAIN ? 0 : NET_POLLIN | NET_POLLOUT | NET_POLLERR;
    if (flags & ADDER_NET_READABLE)
        events |= NET_POLLIN;
    if (flags & ADDER_NET_WRITABLE)
        events |= NET_POLLOUT;
    if (flags & ADDER_NET_FAILED) /* the next call gives the error, whichever it is */
        events |= NET_POLLIN | NET_POLLOUT | NET_POLLERR;
    return events;
}

/* ---- what went wrong, as the native pool says it ---- */

static py_t raise_number(int number, const char *name)
{
    return py_raise_errno(number, name);
}

py_t net_fail(net_socket_t *s, net_op_t op, adder_err_t err)
{
    if (op == NET_OP_OPEN)
        return err == ADDER_ERR_UNSUPPORTED ? py_raise(PY_NotImplementedError, "Unsupported socket type")
                                            : py_raise(PY_RuntimeError, "Out of sockets");
    if (!s->exists)
        return raise_number(NET_EBADF, NULL);
    switch (err) {
    case ADDER_ERR_AGAIN:
        return op == NET_OP_CONNECT ? raise_number(NET_EINPROGRESS, "EINPROGRESS")
                                    : raise_number(NET_EAGAIN, "EAGAIN");
    case ADDER_ERR_TIMEOUT:
        return raise_number(NET_ETIMEDOUT, NULL);
    case ADDER_ERR_STATE:
        if (op == NET_OP_SEND)
            return py_raise_errno(32, NULL); /* BrokenPipeError */
        return op == NET_OP_RECV || op == NET_OP_RECVFROM ? raise_number(NET_ENOTCONN, "ENOTCONN")
                                                          : raise_number(NET_EINVAL, NULL);
    case ADDER_ERR_CLOSED:
        s->connected = false;
        return raise_number(NET_ECONNRESET, NULL);
    case ADDER_ERR_REFUSED:
        return raise_number(NET_ECONNREFUSED, NULL);
    case ADDER_ERR_NOT_FOUND:
        return raise_number(NET_EHOSTUNREACH, "EHOSTUNREACH");
    case ADDER_ERR_IN_USE:
        return raise_number(NET_EADDRINUSE, "EADDRINUSE");
    case ADDER_ERR_ARG:
    case ADDER_ERR_RANGE:
        return raise_number(NET_EINVAL, NULL);
    case ADDER_ERR_NOSPACE:
        return raise_number(90, NULL); /* EMSGSIZE */
    case ADDER_ERR_UNSUPPORTED:
        return raise_number(NET_EOPNOTSUPP, NULL);
    case ADDER_ERR_IO:
        return raise_number(NET_EIO, NULL);
    default:
        return py_raise_err(err, NULL);
    }
}
