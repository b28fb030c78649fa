/* adafruit_connection_manager.ConnectionManager */
#include "python/modules/connection_manager.h"
#include "python/modules/net_socket.h"

/* by_key: (host, port, proto, session id) -> socket. available: the freed ones among them, as a list:
 * sockets are told apart by identity, so that one that cannot be hashed will do. */
typedef struct {
    py_field_t pool, by_key, available;
} manager_t;

static const uint16_t manager_fields[] = {offsetof(manager_t, pool), offsetof(manager_t, by_key),
                                          offsetof(manager_t, available), PY_FIELDS_END};

static manager_t *struct_of(py_t manager)
{
    return py_struct(manager, &connection_manager_class);
}

static const py_arg_t manager_args[] = {PY_REQ_OBJ("socket_pool"), PY_END};

static bool manager_init(py_t self, void *s, const py_val_t *a)
{
    manager_t *m = s;
    py_t by_key = py_dict(), available = py_list(NULL, 0);
    if (py_null(by_key) || py_null(available))
        return false;
    py_field_set(self, &m->pool, a[0].obj);
    py_field_set(self, &m->by_key, by_key);
    py_field_set(self, &m->available, available);
    return true;
}

static bool manager_live(const void *s)
{
    return !py_null(py_field_get(&((const manager_t *)s)->available));
}

/* ---- finding ---- */

static bool available_at(const manager_t *m, py_t socket, size_t *at)
{
    py_t list = py_field_get(&m->available);
    size_t n;
    if (!py_len(list, &n))
        return false;
    for (*at = 0; *at < n; ++*at) {
        if (py_is(py_item_at(list, *at), socket))
            return true;
    }
    return false;
}

/* The key a socket is managed under; a null handle without an exception when it is not. Of a socket under
 * two keys (a pool that gives the same object twice) the later one. */
static py_t key_of(const manager_t *m, py_t socket)
{
    py_t by_key = py_field_get(&m->by_key), iter = py_iter(by_key), found = PY_NULL, key;
    bool done;
    while (!py_null(iter) && py_next(iter, &key, &done)) {
        py_t value = py_item(by_key, key);
        if (!py_null(value) && py_is(value, socket))
            found = key;
    }
    return found;
}

static py_t managed_key(const manager_t *m, py_t socket)
{
    py_t key = key_of(m, socket);
    if (py_null(key) && !py_error())
        return py_raise(PY_RuntimeError, "Socket not managed");
    return key;
}

static bool forget(manager_t *m, py_t key, py_t socket)
{
    size_t at;
    if (available_at(m, socket, &at) && !py_list_delete(py_field_get(&m->available), at))
        return false;
    return !py_null(py_call_method(py_field_get(&m->by_key), "pop", &key, 1));
}

/* ---- free and close ---- */

bool connection_manager_free(py_t manager, py_t socket)
{
    manager_t *m = struct_of(manager);
    size_t at;
    if (py_null(managed_key(m, socket)))
        return false;
    return available_at(m, socket, &at) || py_list_append(py_field_get(&m->available), socket);
}

/* Forgotten even when its close() raises: a socket in that state is of no use to anybody. */
bool connection_manager_close(py_t manager, py_t socket)
{
    manager_t *m = struct_of(manager);
    py_t key = managed_key(m, socket);
    if (py_null(key) || !forget(m, key, socket))
        return false;
    return !py_null(py_call_method(socket, "close", NULL, 0));
}

static bool close_available(py_t manager, manager_t *m)
{
    size_t n;
    for (;;) {
        py_t list = py_field_get(&m->available);
        if (!py_len(list, &n))
            return false;
        if (n == 0)
            return true;
        if (!connection_manager_close(manager, py_item_at(list, 0)))
            return false;
    }
}

static bool close_all(py_t manager, manager_t *m)
{
    if (!close_available(manager, m))
        return false;
    for (;;) {
        py_t by_key = py_field_get(&m->by_key), iter = py_iter(by_key), key;
        bool done;
        if (py_null(iter))
            return false;
        if (!py_next(iter, &key, &done))
            return done;
        if (!connection_manager_close(manager, py_item(by_key, key)))
            return false;
    }
}

/* ---- get ---- */

void connection_close_quietly(py_t socket)
{
    py_t cause = py_error_take();
    if (py_null(py_call_method(socket, "close", NULL, 0)))
        py_error_clear();
    if (!py_null(cause))
        py_raise_again(cause);
}

static py_t wrap(const connection_want_t *want, py_t plain)
{
    static const char *const names[] = {"server_hostname"};
    py_t fn = py_attr(want->ssl_context, "wrap_socket");
    py_t socket = py_null(fn) ? PY_NULL : py_call_kw(fn, &plain, 1, names, &want->host, 1);
    if (py_null(socket))
        connection_close_quietly(plain);
    return socket;
}

static py_t connect_new(const manager_t *m, py_t address, const connection_want_t *want, bool tls)
{
    size_t n;
    if (!py_len(address, &n))
        return PY_NULL;
    py_t pool = py_field_get(&m->pool), kind[2] = {py_item_at(address, 0), py_item_at(address, 1)};
    py_t place = n > 0 ? py_item_at(address, n - 1) : PY_NULL;
    py_t host = tls ? want->host : py_null(place) ? PY_NULL : py_item_at(place, 0);
    if (py_null(kind[0]) || py_null(kind[1]) || py_null(host))
        return PY_NULL;
    py_t socket = py_call_method(pool, "socket", kind, 2);
    if (py_null(socket))
        return PY_NULL;
    if (tls && py_null(socket = wrap(want, socket)))
        return PY_NULL;
    const py_t parts[] = {host, want->port};
    py_t where = py_tuple(parts, 2);
    if (py_null(where) || py_null(py_call_method(socket, "settimeout", &want->timeout, 1)) ||
        py_null(py_call_method(socket, "connect", &where, 1))) {
        connection_close_quietly(socket);
        return PY_NULL;
    }
    return socket;
}

static bool may_help_to_free(void)
{
    return py_error_is(PY_MemoryError) || py_error_is(PY_OSError) || py_error_is(PY_RuntimeError);
}

static py_t reuse(manager_t *m, py_t socket, const connection_want_t *want)
{
    size_t at;
    if (available_at(m, socket, &at))
        return py_list_delete(py_field_get(&m->available), at) ? socket : PY_NULL;
    py_t proto = py_str_of(want->proto), host = py_str_of(want->host), port = py_str_of(want->port);
    const char *proto_text, *host_text, *port_text;
    if (py_null(proto) || py_null(host) || py_null(port) || !py_to_str(proto, &proto_text, NULL) ||
        !py_to_str(host, &host_text, NULL) || !py_to_str(port, &port_text, NULL))
        return PY_NULL;
    return py_raise(PY_RuntimeError, "An existing socket is already connected to %s//%s:%s", proto_text,
                    host_text, port_text);
}

/* Of a class of the firmware, and of none that a program made of it. */
static bool is_exactly(py_t v, const char *module, const char *name)
{
    py_t m = py_import_program(module), cls = PY_NULL, own = PY_NULL;
    if (!py_null(m) && !py_null(cls = py_attr(m, name)))
        own = py_attr(v, "__class__");
    py_error_clear();
    return !py_null(own) && py_is(own, cls);
}

static bool may_connect_late(const manager_t *m, const connection_want_t *want, bool tls)
{
    return want->unconnected != NULL && is_exactly(py_field_get(&m->pool), "socketpool", "SocketPool") &&
           (!tls || is_exactly(want->ssl_context, "ssl", "SSLContext"));
}

static py_t unconnected(const manager_t *m, const connection_want_t *want, bool tls)
{
    py_t plain = py_call_method(py_field_get(&m->pool), "socket", NULL, 0), socket = plain;
    net_socket_t *net = py_null(plain) ? NULL : net_socket_of(plain);
    if (net == NULL)
        return PY_NULL;
    adder_net_status_t status;
    net_stack_status(net->stack, &status);
    if ((status.features & ADDER_NET_HAS_RESOLVE) == 0) {
        connection_close_quietly(plain);
        return PY_NULL;
    }
    if (tls && py_null(socket = wrap(want, plain)))
        return PY_NULL;
    if (py_null(py_call_method(socket, "settimeout", &want->timeout, 1))) {
        connection_close_quietly(socket);
        return PY_NULL;
    }
    *want->unconnected = plain;
    return socket;
}

static bool is_https(py_t proto, bool *out)
{
    py_t https = py_str("https:");
    return !py_null(https) && py_equal(proto, https, out);
}

/* The socket kept under what is wanted, None when there is none. */
static py_t kept_for(const manager_t *m, const connection_want_t *want, py_t *key)
{
    py_t session = want->session_id;
    bool named;
    if (!py_to_bool(session, &named) || (named && py_null(session = py_str_of(session))))
        return PY_NULL;
    const py_t parts[] = {want->host, want->port, want->proto, session};
    *key = py_tuple(parts, 4);
    return py_null(*key) ? PY_NULL : py_call_method(py_field_get(&m->by_key), "get", key, 1);
}

bool connection_manager_in_use(py_t manager, const connection_want_t *want)
{
    manager_t *m = struct_of(manager);
    py_t cause = py_error_take(), key, kept = kept_for(m, want, &key);
    size_t at;
    bool in_use = !py_null(kept) && !py_is_none(kept) && !available_at(m, kept, &at);
    py_error_clear();
    if (!py_null(cause))
        py_raise_again(cause);
    return in_use;
}

py_t connection_manager_get(py_t manager, const connection_want_t *want, bool *reused)
{
    manager_t *m = struct_of(manager);
    bool tls = want->tls, https, has_context = false;
    py_t key, kept = kept_for(m, want, &key);
    if (py_null(kept))
        return PY_NULL;
    *reused = !py_is_none(kept);
    if (*reused)
        return reuse(m, kept, want);
    if (!is_https(want->proto, &https) ||
        (!py_null(want->ssl_context) && !py_to_bool(want->ssl_context, &has_context)))
        return PY_NULL;
    tls = tls || https;
    if (tls && !has_context)
        return py_raise(PY_ValueError, "ssl_context must be provided if using ssl");
    py_t pool = py_field_get(&m->pool);
    if (may_connect_late(m, want, tls)) {
        py_t early = unconnected(m, want, tls);
        if (!py_null(early))
            return py_item_set(py_field_get(&m->by_key), key, early) ? early : PY_NULL;
        py_error_clear(); /* out of sockets, say: the usual way frees some, or says so */
    }
    py_t kind = py_attr(pool, "SOCK_STREAM");
    if (py_null(kind))
        return PY_NULL;
    const py_t lookup[] = {want->host, want->port, py_int(0), kind};
    py_t found = py_call_method(pool, "getaddrinfo", lookup, 4);
    py_t address = py_null(found) ? PY_NULL : py_item_at(found, 0);
    if (py_null(address))
        return PY_NULL;
    py_t socket = connect_new(m, address, want, tls);
    size_t n_available;
    if (py_null(socket) && may_help_to_free()) {
        py_t cause = py_error_take();
        if (!py_len(py_field_get(&m->available), &n_available))
            return PY_NULL;
        if (n_available == 0) {
            py_raise_again(cause);
            return PY_NULL;
        }
        if (!close_available(manager, m))
            return PY_NULL;
        socket = connect_new(m, address, want, tls);
    }
    if (py_null(socket))
        return PY_NULL;
    return py_item_set(py_field_get(&m->by_key), key, socket) ? socket : PY_NULL;
}

/* ---- the class ---- */

static const py_arg_t socket_args[] = {PY_REQ_OBJ("socket"), PY_END};

static py_t m_free_socket(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    return connection_manager_free(self, a[0].obj) ? py_none() : PY_NULL;
}

static py_t m_close_socket(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    return connection_manager_close(self, a[0].obj) ? py_none() : PY_NULL;
}

static const py_arg_t get_args[] = {
    PY_REQ_OBJ("host"),
    PY_REQ_OBJ("port"),
    PY_REQ_OBJ("proto"),
    PY_OPT_OBJ("session_id"),
    {.name = "timeout", .kind = PY_ARG_OBJ, .flags = PY_A_KW_ONLY}, /* None is a value: wait for ever */
    PY_KW_BOOL("is_ssl", false),
    PY_KW_OBJ("ssl_context"),
    PY_END};

static py_t m_get_socket(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    bool reused;
    const connection_want_t want = {.host = a[0].obj,
                                    .port = a[1].obj,
                                    .proto = a[2].obj,
                                    .session_id = a[3].given ? a[3].obj : py_none(),
                                    .timeout = a[4].given ? a[4].obj : py_float(1.0),
                                    .tls = a[5].b,
                                    .ssl_context = a[6].obj};
    return connection_manager_get(self, &want, &reused);
}

static const py_arg_t force_args[] = {PY_OPT_BOOL("force", false), PY_END};

static py_t m_free_sockets(py_t self, void *s, const py_val_t *a)
{
    return (a[0].b ? close_all(self, s) : close_available(self, s)) ? py_none() : PY_NULL;
}

static py_t count(const py_field_t *container)
{
    size_t n;
    return py_len(py_field_get(container), &n) ? py_uint(n) : PY_NULL;
}

static py_t get_available_count(py_t self, void *s)
{
    (void)self;
    return count(&((manager_t *)s)->available);
}

static py_t get_managed_count(py_t self, void *s)
{
    (void)self;
    return count(&((manager_t *)s)->by_key);
}

static py_t get_available(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((manager_t *)s)->available);
}

static py_t get_by_key(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((manager_t *)s)->by_key);
}

static py_t get_pool(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((manager_t *)s)->pool);
}

static const py_method_t manager_methods[] = {{"get_socket", m_get_socket, get_args, 0, NULL},
                                              {"free_socket", m_free_socket, socket_args, 0, NULL},
                                              {"close_socket", m_close_socket, socket_args, 0, NULL},
                                              {"_free_sockets", m_free_sockets, force_args, 0, NULL},
                                              PY_END};
static const py_prop_t manager_props[] = {{"available_socket_count", get_available_count, NULL, 0, NULL},
                                          {"managed_socket_count", get_managed_count, NULL, 0, NULL},
                                          {"_available_sockets", get_available, NULL, 0, NULL},
                                          {"_managed_socket_by_key", get_by_key, NULL, 0, NULL},
                                          {"_socket_pool", get_pool, NULL, 0, NULL},
                                          PY_END};
const py_class_t connection_manager_class = {.module = "adafruit_connection_manager",
                                             .name = "ConnectionManager",
                                             .size = sizeof(manager_t),
                                             .fields = manager_fields,
                                             .init_args = manager_args,
                                             .init = manager_init,
                                             .live = manager_live,
                                             .methods = manager_methods,
                                             .props = manager_props};

bool connection_manager_close_all(py_t manager)
{
    return close_all(manager, struct_of(manager));
}

py_t connection_manager_new(py_t pool)
{
    void *s;
    const py_val_t args[] = {{.given = true, .obj = pool}};
    py_t manager = py_new(&connection_manager_class, &s);
    return !py_null(manager) && manager_init(manager, s, args) ? manager : PY_NULL;
}
