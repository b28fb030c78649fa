/* adafruit_connection_manager: which pool and which TLS belong to a radio */
#include <string.h>

#include "python/modules/connection_manager.h"

enum { ENOMEM_BOARD = 12 };

/* ---- TLS that a coprocessor does: a socket that only connects otherwise ---- */

typedef struct {
    py_field_t socket, mode;
} fake_socket_t;

typedef struct {
    py_field_t iface;
} fake_context_t;

static py_t fake_inner(void *s)
{
    return py_field_get(&((fake_socket_t *)s)->socket);
}

py_t connection_fake_tls_inner(py_t socket)
{
    fake_socket_t *f = py_struct(socket, &connection_fake_socket_class);
    return f == NULL ? socket : fake_inner(f);
}

static py_t get_inner(py_t self, void *s)
{
    (void)self;
    return fake_inner(s);
}

static py_t get_mode(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((fake_socket_t *)s)->mode);
}

#define PASSED_ON(name)                                                                                      \
    static py_t get_##name(py_t self, void *s)                                                               \
    {                                                                                                        \
        (void)self;                                                                                          \
        return py_attr(fake_inner(s), #name);                                                                \
    }
PASSED_ON(settimeout)
PASSED_ON(send)
PASSED_ON(recv)
PASSED_ON(recv_into)
PASSED_ON(close)
PASSED_ON(setblocking)
PASSED_ON(poll_ready)
#undef PASSED_ON

static py_t attr_or_none(void *s, const char *name)
{
    py_t value;
    return py_attr_try(fake_inner(s), name, &value) ? value : py_none();
}

static py_t get_interface(py_t self, void *s)
{
    (void)self;
    return attr_or_none(s, "_interface");
}

static py_t get_socket_pool(py_t self, void *s)
{
    (void)self;
    return attr_or_none(s, "_socket_pool");
}

static const py_arg_t connect_args[] = {PY_REQ_OBJ("address"), PY_END};

/* The coprocessor's drivers say RuntimeError when it has no memory for another session. */
static py_t m_connect(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    fake_socket_t *f = s;
    const py_t args[] = {a[0].obj, py_field_get(&f->mode)};
    py_t r = py_call_method(fake_inner(s), "connect", args, 2);
    if (!py_null(r) || !py_error_is(PY_RuntimeError))
        return r;
    py_t cause = py_error_take(), text = py_str_of(cause);
    const py_t parts[] = {py_int(ENOMEM_BOARD), text};
    py_t error = py_null(text) ? PY_NULL : py_call(py_exc_class(PY_OSError), parts, 2);
    if (!py_null(error) && py_attr_set(error, "__cause__", cause))
        py_raise_again(error);
    return PY_NULL;
}

/* For asyncio, where the driver's sockets have it. */
static py_t m_connect_nowait(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    fake_socket_t *f = s;
    const py_t args[] = {a[0].obj, py_field_get(&f->mode)};
    return py_call_method(fake_inner(s), "connect_nowait", args, 2);
}

static const uint16_t fake_socket_fields[] = {offsetof(fake_socket_t, socket), offsetof(fake_socket_t, mode),
                                              PY_FIELDS_END};
static const py_method_t fake_socket_methods[] = {{"connect", m_connect, connect_args, 0, NULL},
                                                  {"connect_nowait", m_connect_nowait, connect_args, 0, NULL},
                                                  PY_END};
static const py_prop_t fake_socket_props[] = {{"settimeout", get_settimeout, NULL, 0, NULL},
                                              {"send", get_send, NULL, 0, NULL},
                                              {"recv", get_recv, NULL, 0, NULL},
                                              {"recv_into", get_recv_into, NULL, 0, NULL},
                                              {"close", get_close, NULL, 0, NULL},
                                              {"setblocking", get_setblocking, NULL, 0, NULL},
                                              {"poll_ready", get_poll_ready, NULL, 0, NULL},
                                              {"_socket", get_inner, NULL, 0, NULL},
                                              {"_mode", get_mode, NULL, 0, NULL},
                                              {"_interface", get_interface, NULL, 0, NULL},
                                              {"_socket_pool", get_socket_pool, NULL, 0, NULL},
                                              PY_END};
const py_class_t connection_fake_socket_class = {.module = "adafruit_connection_manager",
                                                 .name = "_FakeSSLSocket",
                                                 .size = sizeof(fake_socket_t),
                                                 .no_new = true,
                                                 .fields = fake_socket_fields,
                                                 .methods = fake_socket_methods,
                                                 .props = fake_socket_props};

static const py_arg_t wrap_args[] = {PY_REQ_OBJ("socket"), PY_OPT_OBJ("server_hostname"), PY_END};

static py_t m_wrap_socket(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    py_t mode, wrapped;
    void *inner;
    if (!py_attr_try(py_field_get(&((fake_context_t *)s)->iface), "TLS_MODE", &mode))
        return py_raise(PY_ValueError, "This radio does not support TLS/HTTPS");
    if (py_null(wrapped = py_new(&connection_fake_socket_class, &inner)))
        return PY_NULL;
    fake_socket_t *f = inner;
    py_field_set(wrapped, &f->socket, a[0].obj);
    py_field_set(wrapped, &f->mode, mode);
    return wrapped;
}

static const uint16_t fake_context_fields[] = {offsetof(fake_context_t, iface), PY_FIELDS_END};
static const py_method_t fake_context_methods[] = {{"wrap_socket", m_wrap_socket, wrap_args, 0, NULL},
                                                   PY_END};
const py_class_t connection_fake_context_class = {.module = "adafruit_connection_manager",
                                                  .name = "_FakeSSLContext",
                                                  .size = sizeof(fake_context_t),
                                                  .no_new = true,
                                                  .fields = fake_context_fields,
                                                  .methods = fake_context_methods};

static py_t fake_context(py_t iface)
{
    void *s;
    py_t context = py_new(&connection_fake_context_class, &s);
    if (!py_null(context))
        py_field_set(context, &((fake_context_t *)s)->iface, iface);
    return context;
}

py_t connection_fake_context(const py_val_t *a)
{
    py_t set;
    /* The FONA's pool learns its interface only here. */
    if (py_attr_try(a[0].obj, "set_interface", &set) && py_null(py_call(set, &a[1].obj, 1)))
        return PY_NULL;
    return fake_context(a[1].obj);
}

/* ---- radios ---- */

static py_t default_context(void)
{
    py_t ssl = py_import_program("ssl");
    return py_null(ssl) ? PY_NULL : py_call_method(ssl, "create_default_context", NULL, 0);
}

/* The TLS of the firmware where there is one and the pool's sockets are of a kind it can wrap, which older
 * libraries (SOCK_STREAM is 0x21 there) are not. */
static py_t wiznet_context(py_t pool, py_t radio)
{
    py_t kind = py_attr(pool, "SOCK_STREAM");
    int64_t number;
    if (py_null(kind) || !py_to_int(kind, &number))
        return PY_NULL;
    if (number == 1) {
        py_t context = default_context();
        if (!py_null(context) || !py_error_is(PY_ImportError))
            return context;
        py_error_clear();
    }
    const py_val_t args[] = {{.given = true, .obj = pool}, {.given = true, .obj = radio}};
    return connection_fake_context(args);
}

static py_t pool_of(const char *module, py_t radio)
{
    py_t socketpool = py_import_program(module);
    return py_null(socketpool) ? PY_NULL : py_call_method(socketpool, "SocketPool", &radio, 1);
}

static bool make(const char *class_name, py_t radio, py_t *pool, py_t *context)
{
    *context = PY_NULL;
    if (strcmp(class_name, "Radio") == 0) {
        *pool = pool_of("socketpool", radio);
        *context = py_null(*pool) ? PY_NULL : default_context();
    } else if (strcmp(class_name, "ESP_SPIcontrol") == 0) {
        *pool = pool_of("adafruit_esp32spi.adafruit_esp32spi_socketpool", radio);
        const py_val_t args[] = {{.given = true, .obj = *pool}, {.given = true, .obj = radio}};
        *context = py_null(*pool) ? PY_NULL : connection_fake_context(args);
    } else if (strcmp(class_name, "WIZNET5K") == 0) {
        *pool = pool_of("adafruit_wiznet5k.adafruit_wiznet5k_socketpool", radio);
        *context = py_null(*pool) ? PY_NULL : wiznet_context(*pool, radio);
    } else if (strcmp(class_name, "CPythonNetwork") == 0) {
        *pool = py_import_program("socket");
        *context = py_null(*pool) ? PY_NULL : default_context();
    } else {
        return py_fail(py_raise(PY_ValueError, "Unsupported radio class: %s", class_name));
    }
    return !py_null(*context);
}

static bool class_name_of(py_t radio, py_t *name, const char **text)
{
    py_t cls = py_attr(radio, "__class__");
    return !py_null(cls) && !py_null(*name = py_attr(cls, "__name__")) && py_to_str(*name, text, NULL);
}

/* Its hash, or its class name where it has none. */
static py_t radio_key(py_t radio)
{
    const char *text;
    py_t hash = py_call_method(radio, "__hash__", NULL, 0), name;
    if (!py_null(hash))
        return hash;
    if (!py_error_is(PY_TypeError))
        return PY_NULL;
    py_error_clear();
    return class_name_of(radio, &name, &text) ? name : PY_NULL;
}

static py_t radio_thing(py_t radio, const char *global)
{
    py_t pools = connection_global("_global_socketpools"), key = radio_key(radio), name, pool, context;
    if (py_null(pools) || py_null(key) || py_null(pool = py_call_method(pools, "get", &key, 1)))
        return PY_NULL;
    if (py_is_none(pool)) {
        const char *text;
        if (!class_name_of(radio, &name, &text) || !make(text, radio, &pool, &context))
            return PY_NULL;
        py_t keys = connection_global("_global_key_by_socketpool");
        py_t contexts = connection_global("_global_ssl_contexts");
        if (py_null(keys) || py_null(contexts) || !py_item_set(keys, pool, key) ||
            !py_item_set(pools, key, pool) || !py_item_set(contexts, key, context))
            return PY_NULL;
    }
    py_t things = connection_global(global);
    return py_null(things) ? PY_NULL : py_item(things, key);
}

py_t connection_radio_pool(const py_val_t *a)
{
    return radio_thing(a[0].obj, "_global_socketpools");
}

py_t connection_radio_context(const py_val_t *a)
{
    return radio_thing(a[0].obj, "_global_ssl_contexts");
}
