/* Socket of adafruit_esp32spi's pool: net_socket.h with what programs know of Adafruit's. Only reads heed the
 * socket's time-out, an empty read does not raise when it does not wait, send() sends all. */
#include "python/modules/esp32spi.h"

#include <string.h>

enum {
    CONNECT_US = 13000000,  /* Adafruit's: 10 s for the chip's reply and 3 s for the connection */
    TLS_CLOSE_US = 2000000, /* the chip closes a session of before that long */
    RETRY_US = 20000,
    DEFAULT_PORT = 80,
};

static py_t fail(net_socket_t *s, net_op_t op, adder_err_t err);
static const net_flavour_t flavour = {.cls = &esp32spi_socket_class, .fail = fail, .late = true};

/* ---- errors ---- */

static py_t fail(net_socket_t *s, net_op_t op, adder_err_t err)
{
    bool tls = s->kind == ADDER_NET_TLS;
    if (!s->exists)
        return py_raise_errno(NET_EBADF, NULL);
    if (err == ADDER_ERR_NOMEM) /* ENFILE, in whatever call it is found out */
        return py_raise_errno(23, tls ? "Only one open SSL connection allowed" : NULL);
    switch (op) {
    case NET_OP_RECV:
    case NET_OP_RECVFROM:
        if (err == ADDER_ERR_AGAIN || (err == ADDER_ERR_STATE && s->timeout_us == 0))
            return py_int(0);
        return py_raise_errno(err == ADDER_ERR_TIMEOUT ? NET_ETIMEDOUT
                              : err == ADDER_ERR_STATE ? NET_ENOTCONN
                              : err == ADDER_ERR_IO    ? NET_EIO
                                                       : NET_ECONNRESET,
                              NULL);
    case NET_OP_CONNECT:
        if (err == ADDER_ERR_AGAIN && ((const esp32spi_socket_t *)s)->nowait)
            return py_raise_errno(NET_EINPROGRESS, "EINPROGRESS");
        return err == ADDER_ERR_TIMEOUT || err == ADDER_ERR_AGAIN
                   ? py_raise(PY_TimeoutError, "Failed to establish connection")
                   : py_raise(PY_ConnectionError, "Could not connect to remote server");
    case NET_OP_ACCEPT:
        return py_raise_errno(NET_ECONNRESET, NULL);
    case NET_OP_RESOLVE:
        return py_raise(PY_ConnectionError, "Failed to request hostname");
    case NET_OP_BIND:
    case NET_OP_LISTEN:
        return py_raise(PY_OSError, "Could not start server");
    case NET_OP_SENDTO:
        return py_raise(PY_ConnectionError, "Failed to send UDP data");
    default:
        return net_fail(s, op, err);
    }
}

/* ---- life ---- */

static esp32spi_obj_t *radio_of(const esp32spi_socket_t *o)
{
    return py_struct(py_field_get(&o->net.owner), &esp32spi_control_class);
}

static bool open_net(py_t self, esp32spi_socket_t *o, py_t iface, adder_net_kind_t kind)
{
    esp32spi_obj_t *radio = py_struct_arg(iface, &esp32spi_control_class, "iface");
    return radio != NULL && esp32spi_alive(radio) &&
           net_socket_open(self, &o->net, iface, &radio->sockets, &flavour, kind, ADDER_IP_V4);
}

void esp32spi_socket_shut(esp32spi_socket_t *o)
{
    net_socket_close(&o->net);
    o->has_port = false;
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("socket_pool"),
                                     PY_OPT_INT("family", ESP32SPI_AF_INET, PY_INT_MIN, PY_INT_MAX),
                                     PY_OPT_INT("type", ESP32SPI_SOCK_STREAM, PY_INT_MIN, PY_INT_MAX),
                                     PY_OPT_OBJ("proto"),
                                     PY_OPT_OBJ("fileno"),
                                     PY_OPT_OBJ("socknum"),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    esp32spi_socket_t *o = s;
    if (a[1].i != ESP32SPI_AF_INET)
        return py_fail(py_raise(PY_ValueError, "Only AF_INET family supported"));
    if (a[5].given)
        return py_fail(py_raise(PY_NotImplementedError, "a socket of a firmware's number"));
    if (py_struct_arg(a[0].obj, &esp32spi_pool_class, "socket_pool") == NULL)
        return false;
    py_t iface = py_attr(a[0].obj, "_interface");
    if (py_null(iface) ||
        !open_net(self, o, iface, a[2].i == ESP32SPI_SOCK_DGRAM ? ADDER_NET_UDP : ADDER_NET_TCP))
        return false;
    py_field_set(self, &o->pool, a[0].obj);
    return true;
}

static void fini(void *s)
{
    esp32spi_socket_shut(s);
    net_socket_fini(s);
}

static py_t m_close(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_socket_shut(s);
    return py_none();
}

/* ---- connecting ---- */

/* (host, port): a name, an address in text, or its 4 bytes as getaddrinfo() gives them. */
static bool address_arg(py_t v, char host[ADDER_NET_HOST_MAX + 1], adder_endpoint_t *out)
{
    int64_t port;
    py_t first = py_item_at(v, 0), second = py_null(first) ? PY_NULL : py_item_at(v, 1);
    if (py_null(second) || !py_to_int(second, &port))
        return false;
    if (port < 0 || port > 65535)
        return py_fail(py_raise(PY_ValueError, "port must be 0-65535"));
    *out = (adder_endpoint_t){.port = (uint16_t)port};
    host[0] = '\0';
    py_buf_t buf;
    if (!py_is_str(first)) {
        if (!py_buffer_read(first, &buf))
            return false;
        if (buf.len == 4) {
            out->ip = adder_ip_v4(buf.ptr[0], buf.ptr[1], buf.ptr[2], buf.ptr[3]);
            return true;
        }
    }
    if (!esp32spi_text(first, "host", ADDER_NET_HOST_MAX, host))
        return false;
    if (adder_ip_parse(host, strlen(host), &out->ip) != ADDER_OK)
        out->ip = (adder_ip_t){0};
    return true;
}

/* Datagrams are received on the port of the same number, as the firmware's driver has it. */
static bool set_peer(esp32spi_socket_t *o, const char *host, const adder_endpoint_t *to)
{
    esp32spi_obj_t *radio = radio_of(o);
    o->peer = *to;
    if (to->ip.family == ADDER_IP_NONE) {
        uint8_t ip[4];
        if (!esp32spi_lookup(radio, host, ip))
            return false;
        o->peer.ip = adder_ip_v4(ip[0], ip[1], ip[2], ip[3]);
    }
    if (!o->has_port && py_null(net_socket_bind(&o->net, &(const adder_endpoint_t){.port = to->port})))
        return false;
    o->has_port = o->has_peer = true;
    return true;
}

static bool radio_has_tls(const esp32spi_socket_t *o)
{
    for (const net_socket_t *s = radio_of(o)->sockets.sockets; s != NULL; s = s->next) {
        if (s != &o->net && s->open && s->kind == ADDER_NET_TLS)
            return true;
    }
    return false;
}

/* A TLS session of before may not have ended on the chip yet, which bears one. */
static bool connect_stream(esp32spi_socket_t *o, const char *host, const adder_endpoint_t *to)
{
    uint64_t waited = 0;
    for (;;) {
        py_t ok;
        ESP32SPI_WITH_TIMEOUT(&o->net, CONNECT_US,
                              ok = net_socket_connect(&o->net, host[0] != '\0' ? host : NULL, to));
        if (!py_null(ok))
            return true;
        if (o->net.kind != ADDER_NET_TLS || o->net.open || radio_has_tls(o) || waited >= TLS_CLOSE_US ||
            !py_error_is(PY_OSError))
            return false;
        py_error_clear();
        if (!py_wait_us(RETRY_US))
            return false;
        waited += RETRY_US;
    }
}

static const py_arg_t connect_args[] = {PY_REQ_OBJ("address"), PY_OPT_OBJ("conntype"), PY_END};

/* The arguments of connect(), and a stack's socket of the kind they want. */
static bool prepare(py_t self, esp32spi_socket_t *o, const py_val_t *a, char host[ADDER_NET_HOST_MAX + 1],
                    adder_endpoint_t *to)
{
    int64_t mode = o->net.kind == ADDER_NET_UDP ? ADDER_AIRLIFT_UDP : ADDER_AIRLIFT_TCP;
    if (!address_arg(a[0].obj, host, to) || (a[1].given && !py_to_int(a[1].obj, &mode)))
        return false;
    if (mode < ADDER_AIRLIFT_TCP || mode > ADDER_AIRLIFT_TLS)
        return py_fail(py_raise(PY_ValueError, "conntype must be TCP_MODE, UDP_MODE or TLS_MODE"));
    if (mode == ADDER_AIRLIFT_TLS && host[0] == '\0') /* TLS goes by name */
        return py_fail(py_raise(PY_ConnectionError, "Could not connect to remote server"));
    const adder_net_kind_t kind = mode == ADDER_AIRLIFT_UDP   ? ADDER_NET_UDP
                                  : mode == ADDER_AIRLIFT_TLS ? ADDER_NET_TLS
                                                              : ADDER_NET_TCP;
    if (o->nowait && o->begun && o->net.open && o->net.kind == kind)
        return true;
    /* A socket that was used, or closed, may connect again: on the chip it is a number that does not wear. */
    if (!o->net.exists || (o->net.open && kind != ADDER_NET_UDP) || o->net.kind != kind) {
        uint64_t timeout_us = o->net.timeout_us;
        py_t iface = py_field_get(&o->net.owner);
        esp32spi_socket_shut(o);
        if (py_null(iface))
            return py_fail(py_raise_errno(NET_EBADF, NULL));
        if (!open_net(self, o, iface, kind))
            return false;
        o->net.timeout_us = timeout_us;
    }
    return true;
}

static py_t m_connect(py_t self, void *s, const py_val_t *a)
{
    esp32spi_socket_t *o = s;
    char host[ADDER_NET_HOST_MAX + 1];
    adder_endpoint_t to;
    if (!prepare(self, o, a, host, &to))
        return PY_NULL;
    if (o->net.kind == ADDER_NET_UDP)
        return set_peer(o, host, &to) ? py_none() : PY_NULL;
    return connect_stream(o, host, &to) ? py_none() : PY_NULL;
}

/* For asyncio, since connect() waits whatever the time-out: OSError(EINPROGRESS) until it is decided. */
static py_t m_connect_nowait(py_t self, void *s, const py_val_t *a)
{
    esp32spi_socket_t *o = s;
    char host[ADDER_NET_HOST_MAX + 1];
    adder_endpoint_t to;
    py_t r = PY_NULL;
    if (o->net.connected && o->net.kind != ADDER_NET_UDP)
        return py_none();
    o->nowait = true;
    if (prepare(self, o, a, host, &to)) {
        if (o->net.kind == ADDER_NET_UDP)
            r = set_peer(o, host, &to) ? py_none() : PY_NULL;
        else
            ESP32SPI_WITH_TIMEOUT(&o->net, 0,
                                  r = net_socket_connect(&o->net, host[0] != '\0' ? host : NULL, &to));
        o->begun = o->net.connecting;
    }
    o->nowait = false;
    return r;
}

static const py_arg_t sendto_args[] = {PY_REQ_RBUF("data"), PY_REQ_OBJ("address"), PY_END};

static py_t m_sendto(py_t self, void *s, const py_val_t *a)
{
    const py_val_t connect[2] = {{.given = true, .obj = a[1].obj}, {0}};
    return py_null(m_connect(self, s, connect)) ? PY_NULL : esp32spi_m_send(self, s, a);
}

/* ---- servers ---- */

static const py_arg_t address_args[] = {PY_REQ_OBJ("address"), PY_END};

/* A server's port is taken by listen(); a datagram socket receives from here on. The chip has one address. */
static py_t m_bind(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_socket_t *o = s;
    char host[ADDER_NET_HOST_MAX + 1];
    if (!address_arg(a[0].obj, host, &o->bound))
        return PY_NULL;
    o->bound.ip = (adder_ip_t){0};
    if (o->net.kind != ADDER_NET_UDP)
        return py_none();
    o->has_port = !py_null(net_socket_bind(&o->net, &o->bound));
    return o->has_port ? py_none() : PY_NULL;
}

static const py_arg_t listen_args[] = {PY_REQ_INT("backlog", PY_INT_MIN, PY_INT_MAX), PY_END};

static py_t m_listen(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_socket_t *o = s;
    if (o->bound.port == 0)
        o->bound.port = DEFAULT_PORT;
    return py_null(net_socket_bind(&o->net, &o->bound)) ? PY_NULL : net_socket_listen(&o->net, 1);
}

/* Never waits. */
static py_t m_accept(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_socket_t *o = s, *client;
    py_t pair;
    ESP32SPI_WITH_TIMEOUT(&o->net, 0, pair = net_socket_accept(&o->net));
    if (py_null(pair))
        return PY_NULL;
    py_t v = py_item_at(pair, 0);
    client = py_null(v) ? NULL : py_struct(v, &esp32spi_socket_class);
    if (client == NULL)
        return PY_NULL;
    py_field_set(v, &client->pool, py_field_get(&o->pool));
    return pair;
}

/* ---- options ---- */

static const py_arg_t timeout_args[] = {{.name = "value", .kind = PY_ARG_OBJ, .flags = PY_A_REQUIRED},
                                        PY_END};

static py_t m_settimeout(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    double seconds = 0;
    if (!py_is_none(a[0].obj) && !py_to_float(a[0].obj, &seconds))
        return PY_NULL;
    if (seconds < 0)
        return py_raise(PY_ValueError, "Timeout cannot be a negative number");
    ((esp32spi_socket_t *)s)->net.timeout_us =
        py_is_none(a[0].obj) || seconds >= 1e12 ? NET_FOREVER : (uint64_t)(seconds * 1e6);
    return py_none();
}

static const py_arg_t flag_args[] = {PY_REQ_BOOL("flag"), PY_END};

static py_t m_setblocking(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    ((esp32spi_socket_t *)s)->net.timeout_us = a[0].b ? NET_FOREVER : 0;
    return py_none();
}

static const py_arg_t any_args[] = {PY_REST("opts"), PY_KWREST("kwopts"), PY_END};

static py_t m_setsockopt(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_none();
}

static py_t get_interface(py_t self, void *s)
{
    (void)self;
    py_t v = py_field_get(&((esp32spi_socket_t *)s)->net.owner);
    return py_null(v) ? py_none() : v;
}

static py_t get_pool(py_t self, void *s)
{
    (void)self;
    py_t v = py_field_get(&((esp32spi_socket_t *)s)->pool);
    return py_null(v) ? py_none() : v;
}

static const py_method_t methods[] = {{"connect", m_connect, connect_args, 0, NULL},
                                      {"connect_nowait", m_connect_nowait, connect_args, 0, NULL},
                                      {"send", esp32spi_m_send, esp32spi_send_args, 0, NULL},
                                      {"sendto", m_sendto, sendto_args, 0, NULL},
                                      {"recv", esp32spi_m_recv, esp32spi_recv_args, 0, NULL},
                                      {"recv_into", esp32spi_m_recv_into, esp32spi_recv_into_args, 0, NULL},
                                      {"bind", m_bind, address_args, 0, NULL},
                                      {"listen", m_listen, listen_args, 0, NULL},
                                      {"accept", m_accept, NULL, 0, NULL},
                                      {"settimeout", m_settimeout, timeout_args, 0, NULL},
                                      {"setblocking", m_setblocking, flag_args, 0, NULL},
                                      {"setsockopt", m_setsockopt, any_args, 0, NULL},
                                      {"close", m_close, NULL, PY_M_ANYTIME, NULL},
                                      {"deinit", m_close, NULL, PY_M_ANYTIME, NULL},
                                      {"poll_ready", net_m_poll_ready, net_args_events, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {
    {"_interface", get_interface, NULL, 0, NULL}, {"_socket_pool", get_pool, NULL, 0, NULL}, PY_END};
static const uint16_t fields[] = {offsetof(esp32spi_socket_t, net) + offsetof(net_socket_t, owner),
                                  offsetof(esp32spi_socket_t, pool), PY_FIELDS_END};

const py_class_t esp32spi_socket_class = {
    .module = "adafruit_esp32spi.adafruit_esp32spi_socketpool",
    .name = "Socket",
    .doc = "A TCP, TLS or UDP socket of the co-processor; made by the pool.",
    .size = sizeof(esp32spi_socket_t),
    .context = true,
    .fields = fields,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .methods = methods,
    .props = props};
