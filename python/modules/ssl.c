/* ssl: SSLContext and the module. */
#include <string.h>

#include "python/modules/ssl.h"

static bool live(const void *s)
{
    return ((const ssl_context_t *)s)->made;
}

static void fini(void *s)
{
    ssl_config_forget(s);
}

static const uint16_t fields[] = {offsetof(ssl_context_t, cadata), offsetof(ssl_context_t, chain),
                                  offsetof(ssl_context_t, key),    offsetof(ssl_context_t, password),
                                  offsetof(ssl_context_t, alpn),   PY_FIELDS_END};

static py_t create_default_context(const py_val_t *a)
{
    ssl_context_t *c;
    (void)a;
    py_t v = py_new(&ssl_context_class, (void **)&c);
    if (!py_null(v))
        c->made = c->check_hostname = true;
    return v;
}

/* ---- certificates ---- */

/* A file of the drive, as the program's own open() finds it. */
static py_t read_file(py_t path)
{
    py_t args[2] = {path, py_str("rb")};
    py_t drive = py_import("adder_vm.drive");
    py_t open = py_null(drive) ? PY_NULL : py_attr(drive, "open");
    py_t file = py_null(open) ? PY_NULL : py_call(open, args, 2);
    if (py_null(file))
        return file;
    py_t bytes = py_call_method(file, "read", NULL, 0);
    if (py_null(bytes) || py_null(py_call_method(file, "close", NULL, 0)))
        return PY_NULL;
    return bytes;
}

enum { CERTFILE, KEYFILE, PASSWORD };
static const py_arg_t chain_args[] = {[CERTFILE] = PY_REQ_OBJ("certfile"),
                                      [KEYFILE] = PY_OPT_OBJ("keyfile"),
                                      [PASSWORD] = PY_OPT_OBJ("password"),
                                      PY_END};

/* Read and looked at now; whether they fit each other too. */
static py_t m_load_cert_chain(py_t self, void *s, const py_val_t *a)
{
    ssl_context_t *c = s, trial = {.no_verify = true, .made = true};
    py_t chain = read_file(a[CERTFILE].obj);
    py_t key = py_null(chain) || !a[KEYFILE].given ? chain : read_file(a[KEYFILE].obj);
    if (py_null(key))
        return key;
    py_t before[] = {py_field_get(&c->chain), py_field_get(&c->key), py_field_get(&c->password)};
    py_field_set(self, &c->chain, chain);
    py_field_set(self, &c->key, key);
    py_field_set(self, &c->password, a[PASSWORD].given ? a[PASSWORD].obj : PY_NULL);
    trial.chain = c->chain;
    trial.key = c->key;
    trial.password = c->password;
    ssl_config_t *config = ssl_config_take(&trial, ADDER_TLS_CLIENT);
    ssl_config_drop(config);
    ssl_config_forget(&trial);
    if (config == NULL) {
        py_field_set(self, &c->chain, before[0]);
        py_field_set(self, &c->key, before[1]);
        py_field_set(self, &c->password, before[2]);
        return PY_NULL;
    }
    ssl_config_forget(c);
    return py_none();
}

enum { CAFILE, CAPATH, CADATA };
static const py_arg_t verify_args[] = {[CAFILE] = PY_OPT_OBJ("cafile"),
                                       [CAPATH] = PY_OPT_OBJ("capath"),
                                       [CADATA] = PY_OPT_OBJ("cadata"),
                                       PY_END};

static adder_err_t no_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len); /* for a configuration that only reads certificates */
    return ADDER_OK;
}

static bool check_certificates(const py_buf_t *buf)
{
    adder_tls_config_t *config = py_alloc(sizeof *config); /* too big for a device's stack */
    const adder_tls_options_t o = {.random = no_random};
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    if (config == NULL)
        return false;
    adder_err_t err = adder_tls_config_init(config, &o, &why);
    if (err == ADDER_OK)
        err = adder_tls_config_add_ca(config, buf->ptr, buf->len, NULL, NULL, &why);
    adder_tls_config_deinit(config);
    py_free(config);
    return err == ADDER_OK ||
           py_fail(err == ADDER_ERR_NOMEM ? py_raise(PY_MemoryError, "memory allocation failed")
                                          : py_raise(PY_ValueError, "%s", adder_tls_why_str(why)));
}

static py_t m_load_verify_locations(py_t self, void *s, const py_val_t *a)
{
    ssl_context_t *c = s;
    const char *text;
    py_buf_t buf = {0};
    if (a[CAFILE].given)
        return py_raise(PY_NotImplementedError, "cafile");
    if (a[CAPATH].given)
        return py_raise(PY_NotImplementedError, "capath");
    if (!a[CADATA].given)
        return py_none();
    py_t data = a[CADATA].obj;
    if (py_is_str(data)) {
        size_t len;
        if (!py_to_str(data, &text, &len))
            return PY_NULL;
        data = py_bytes(text, len);
        if (py_null(data))
            return data;
    }
    if (!py_buffer_read(data, &buf) || (buf.len > 0 && !check_certificates(&buf)))
        return PY_NULL;
    py_t copy = buf.len > 0 ? py_bytes(buf.ptr, buf.len) : PY_NULL;
    if (buf.len > 0 && py_null(copy))
        return copy;
    py_field_set(self, &c->cadata, copy);
    c->no_verify = buf.len == 0;
    ssl_config_forget(c);
    return py_none();
}

static py_t m_set_default_verify_paths(py_t self, void *s, const py_val_t *a)
{
    ssl_context_t *c = s;
    (void)a;
    py_field_set(self, &c->cadata, PY_NULL);
    c->no_verify = false;
    ssl_config_forget(c);
    return py_none();
}

static py_t get_check_hostname(py_t self, void *s)
{
    (void)self;
    return py_bool(((const ssl_context_t *)s)->check_hostname);
}

static bool set_check_hostname(py_t self, void *s, py_t value)
{
    ssl_context_t *c = s;
    (void)self;
    if (!py_to_bool(value, &c->check_hostname))
        return false;
    ssl_config_forget(c);
    return true;
}

static const py_arg_t alpn_args[] = {PY_REQ_OBJ("alpn_protocols"), PY_END};

static py_t m_set_alpn_protocols(py_t self, void *s, const py_val_t *a)
{
    ssl_context_t *c = s;
    py_t items[SSL_ALPN_MAX];
    size_t n;
    if (!py_len(a[0].obj, &n))
        return PY_NULL;
    if (n > SSL_ALPN_MAX)
        return py_raise(PY_ValueError, "at most %d protocols", SSL_ALPN_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *text;
        size_t len;
        items[i] = py_item_at(a[0].obj, i);
        if (py_null(items[i]) || !py_to_str(items[i], &text, &len))
            return PY_NULL;
        if (len == 0 || len > 255 || strlen(text) != len)
            return py_raise(PY_ValueError, "ALPN protocols are 1 to 255 characters");
    }
    py_t tuple = n > 0 ? py_tuple(items, n) : PY_NULL;
    if (n > 0 && py_null(tuple))
        return tuple;
    py_field_set(self, &c->alpn, tuple);
    ssl_config_forget(c);
    return py_none();
}

/* ---- wrapping ---- */

enum { SOCK, SERVER_SIDE, SERVER_HOSTNAME };
static const py_arg_t wrap_args[] = {[SOCK] = PY_REQ_OBJ("sock"),
                                     [SERVER_SIDE] = PY_KW_BOOL("server_side", false),
                                     [SERVER_HOSTNAME] = PY_KW_OBJ("server_hostname"),
                                     PY_END};

static py_t m_wrap_socket(py_t self, void *s, const py_val_t *a)
{
    const char *host = NULL;
    if (a[SERVER_HOSTNAME].given && !py_to_str(a[SERVER_HOSTNAME].obj, &host, NULL))
        return PY_NULL;
    if (a[SERVER_SIDE].b && host != NULL)
        return py_raise(PY_ValueError, "Server side context cannot have hostname");
    return ssl_socket_wrap(self, s, a[SOCK].obj, a[SERVER_SIDE].b, host);
}

static const py_method_t methods[] = {
    {"load_cert_chain", m_load_cert_chain, chain_args, 0, "The own certificate and key, from files."},
    {"load_verify_locations", m_load_verify_locations, verify_args, 0,
     "Trust the certificates in cadata alone; empty: do not verify."},
    {"set_default_verify_paths", m_set_default_verify_paths, NULL, 0, "Trust the built-in roots."},
    {"set_alpn_protocols", m_set_alpn_protocols, alpn_args, 0, "Offer these protocols, best first."},
    {"wrap_socket", m_wrap_socket, wrap_args, 0, "An SSLSocket over a socket."},
    PY_END};
static const py_prop_t props[] = {
    {"check_hostname", get_check_hostname, set_check_hostname, 0, "The certificate must be for this host."},
    PY_END};

const py_class_t ssl_context_class = {.module = "ssl",
                                      .name = "SSLContext",
                                      .doc = "Settings of TLS sockets; made by create_default_context().",
                                      .size = sizeof(ssl_context_t),
                                      .no_new = true,
                                      .fini = fini,
                                      .live = live,
                                      .fields = fields,
                                      .methods = methods,
                                      .props = props};

static const py_function_t functions[] = {
    {"create_default_context", create_default_context, NULL, "A context that verifies servers."}, PY_END};
static const py_class_t *const classes[] = {&ssl_context_class, &ssl_socket_class, NULL};
const py_module_t ssl_module = {
    .name = "_adder_ssl", .doc = "TLS for sockets.", .functions = functions, .classes = classes};
