/* socketpool: the sockets of the native radio. */
#include "python/modules/net_socket.h"

#include <string.h>

/* ---- the radio ---- */

static struct {
    const py_class_t *cls;
    net_stack_t *stack;
} native;

void socketpool_native(const py_class_t *radio_class, net_stack_t *stack)
{
    native.cls = radio_class;
    native.stack = stack;
}

static void reset(void)
{
    native.cls = NULL;
    native.stack = NULL;
}

/* ---- Socket ---- */

static const py_method_t socket_methods[] = {NET_SOCKET_METHODS, PY_END};

const py_class_t socketpool_socket_class = {.module = "socketpool",
                                            .name = "Socket",
                                            .doc = "A TCP or UDP socket; made by SocketPool.socket().",
                                            .size = sizeof(net_socket_t),
                                            .no_new = true,
                                            .context = true,
                                            .fini = net_socket_fini,
                                            .fields = net_socket_fields,
                                            .methods = socket_methods,
                                            .props = net_socket_props};

/* ---- SocketPool ---- */

enum { AF_INET_ = 2, AF_INET6_ = 10, SOCK_STREAM_ = 1, SOCK_DGRAM_ = 2, SOCK_RAW_ = 3, EAI_NONAME_ = -2 };

typedef struct {
    py_field_t radio;
    net_stack_t *stack;
} pool_t;

static const py_exception_t gaierror = {
    .module = "socketpool", .name = "gaierror", .base = PY_OSError, .doc = "A name has no address."};

static py_t raise_gaierror(void)
{
    py_t cls = py_exception_class(&gaierror);
    py_t args[] = {py_int(EAI_NONAME_), py_str("Name or service not known")};
    py_t e = py_null(cls) ? PY_NULL : py_call(cls, args, 2);
    if (!py_null(e))
        py_raise_again(e);
    return PY_NULL;
}

static py_t pool_fail(net_socket_t *s, net_op_t op, adder_err_t err)
{
    return op == NET_OP_RESOLVE && s->exists ? raise_gaierror() : net_fail(s, op, err);
}

const net_flavour_t socketpool_flavour = {.cls = &socketpool_socket_class, .fail = pool_fail};

static const py_arg_t pool_args[] = {PY_REQ_OBJ("radio"), PY_END};

static bool pool_init(py_t self, void *s, const py_val_t *a)
{
    pool_t *pool = s;
    if (native.cls == NULL || py_struct(a[0].obj, native.cls) == NULL)
        return py_fail(py_raise(PY_ValueError, "SocketPool can only be used with wifi.radio"));
    py_field_set(self, &pool->radio, a[0].obj);
    pool->stack = native.stack;
    return true;
}

static bool pool_live(const void *s)
{
    return ((const pool_t *)s)->stack != NULL;
}

static const py_arg_t socket_args[] = {PY_OPT_INT("family", AF_INET_, INT32_MIN, INT32_MAX),
                                       PY_OPT_INT("type", SOCK_STREAM_, INT32_MIN, INT32_MAX),
                                       PY_OPT_INT("proto", 0, INT32_MIN, INT32_MAX), PY_END};

static py_t pool_socket(py_t self, void *s, const py_val_t *a)
{
    pool_t *pool = s;
    net_socket_t *socket;
    if ((a[0].i != AF_INET_ && a[0].i != AF_INET6_) || (a[1].i != SOCK_STREAM_ && a[1].i != SOCK_DGRAM_))
        return py_raise(PY_NotImplementedError, "Unsupported socket type");
    py_t v = py_new(&socketpool_socket_class, (void **)&socket);
    if (py_null(v) || !net_socket_open(v, socket, self, pool->stack, &socketpool_flavour,
                                       a[1].i == SOCK_STREAM_ ? ADDER_NET_TCP : ADDER_NET_UDP,
                                       a[0].i == AF_INET_ ? ADDER_IP_V4 : ADDER_IP_V6))
        return PY_NULL;
    return v;
}

static const py_arg_t info_args[] = {PY_REQ_STR("host"),
                                     PY_REQ_INT("port", INT32_MIN, INT32_MAX),
                                     PY_OPT_INT("family", 0, INT32_MIN, INT32_MAX),
                                     PY_OPT_INT("type", 0, INT32_MIN, INT32_MAX),
                                     PY_OPT_INT("proto", 0, INT32_MIN, INT32_MAX),
                                     PY_OPT_INT("flags", 0, INT32_MIN, INT32_MAX),
                                     PY_END};

static py_t look_up(const pool_t *pool, const py_val_t *a, uint64_t timeout_us)
{
    adder_ip_t ips[ADDER_NET_ADDRESSES];
    size_t n;
    adder_err_t err;
    adder_ip_family_t family = a[2].i == AF_INET_    ? ADDER_IP_V4
                               : a[2].i == AF_INET6_ ? ADDER_IP_V6
                                                     : ADDER_IP_NONE;
    if (a[1].i < 0)
        return py_raise(PY_ValueError, "port must be >= 0");
    if (a[0].str_len > ADDER_NET_HOST_MAX || strlen(a[0].str) != a[0].str_len)
        return raise_gaierror();
    if (!net_resolve(pool->stack, a[0].str, family, timeout_us, ips, ADDER_NET_ADDRESSES, &n, &err))
        return PY_NULL;
    if (err == ADDER_ERR_AGAIN)
        return py_raise_errno(NET_EAGAIN, "EAGAIN");
    if (err != ADDER_OK || n == 0)
        return raise_gaierror();
    py_t list = py_list(NULL, 0);
    for (size_t i = 0; i < n && !py_null(list); i++) {
        adder_endpoint_t e = {.ip = ips[i], .port = (uint16_t)a[1].i};
        py_t items[] = {py_int(ips[i].family == ADDER_IP_V6 ? AF_INET6_ : AF_INET_),
                        py_int(a[3].i != 0 ? a[3].i : SOCK_STREAM_), py_int(a[4].i), py_str(""),
                        net_address(&e)};
        py_t info = py_null(items[4]) ? PY_NULL : py_tuple(items, 5);
        if (py_null(info) || !py_list_append(list, info))
            return PY_NULL;
    }
    return list;
}

static py_t pool_getaddrinfo(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return look_up(s, a, NET_FOREVER);
}

/* For asyncio: OSError(EAGAIN) until the answer is there. */
static py_t pool_getaddrinfo_nowait(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    return look_up(s, a, 0);
}

static const uint16_t pool_fields[] = {offsetof(pool_t, radio), PY_FIELDS_END};
static const py_method_t pool_methods[] = {
    {"socket", pool_socket, socket_args, 0, "Make a socket."},
    {"getaddrinfo", pool_getaddrinfo, info_args, 0, "The addresses of a name."},
    {"getaddrinfo_nowait", pool_getaddrinfo_nowait, info_args, 0, NULL},
    PY_END};
static const py_constant_t pool_constants[] = {{"AF_INET", AF_INET_},
                                               {"AF_INET6", AF_INET6_},
                                               {"SOCK_STREAM", SOCK_STREAM_},
                                               {"SOCK_DGRAM", SOCK_DGRAM_},
                                               {"SOCK_RAW", SOCK_RAW_},
                                               {"EAI_NONAME", EAI_NONAME_},
                                               {"SOL_SOCKET", 0xFFF},
                                               {"SO_REUSEADDR", 4},
                                               {"TCP_NODELAY", 1},
                                               {"IP_MULTICAST_TTL", 5},
                                               {"IPPROTO_IP", 0},
                                               {"IPPROTO_ICMP", 1},
                                               {"IPPROTO_TCP", 6},
                                               {"IPPROTO_UDP", 17},
                                               {"IPPROTO_IPV6", 41},
                                               {"IPPROTO_RAW", 255},
                                               PY_END};

static const py_exception_t *const pool_exceptions[] = {&gaierror, NULL};
static const py_class_t pool_class = {.module = "socketpool",
                                      .name = "SocketPool",
                                      .doc = "The sockets of a radio; acts like a socket module.",
                                      .size = sizeof(pool_t),
                                      .init_args = pool_args,
                                      .init = pool_init,
                                      .live = pool_live,
                                      .fields = pool_fields,
                                      .methods = pool_methods,
                                      .constants = pool_constants,
                                      .exceptions = pool_exceptions};

static const py_class_t *const classes[] = {&pool_class, &socketpool_socket_class, NULL};
const py_module_t socketpool_module = {
    .name = "socketpool", .doc = "Network sockets of the native radio.", .classes = classes, .reset = reset};
