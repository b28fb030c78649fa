/* adafruit_requests.Response: headers, and the body until it is read */
#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/requests_int.h"

/* A body that is thrown away so that its connection can be kept: what has come already, up to this. */
enum { DRAIN_MAX = 16384 };

static const uint16_t response_fields[] = {
    offsetof(response_t, session),       offsetof(response_t, headers),
    offsetof(response_t, reason),        offsetof(response_t, cached),
    offsetof(response_t, bytes),         offsetof(response_t, request),
    offsetof(response_t, socket.socket), offsetof(response_t, socket.buffer),
    offsetof(response_t, socket.error),  PY_FIELDS_END};

static bool live(const void *s)
{
    return ((const response_t *)s)->status != 0;
}

static void free_exchange(response_t *r)
{
    if (r->e != NULL)
        py_free(r->e->out);
    py_free(r->e);
    r->e = NULL;
}

static void fini(void *s)
{
    response_t *r = s;
    free_exchange(r);
    if (!r->in_place)
        py_free(r->loading);
    r->loading = NULL;
}

py_t requests_response_new(py_t session, py_t request, response_t **out)
{
    void *s;
    py_t self = py_new(&requests_response_class, &s), headers = py_dict();
    if (py_null(self) || py_null(headers))
        return PY_NULL;
    response_t *r = s;
    if ((r->e = py_alloc(sizeof *r->e)) == NULL)
        return PY_NULL;
    r->socket.owner = r;
    py_field_set(self, &r->session, session);
    py_field_set(self, &r->request, request); /* its body is borrowed by the exchange */
    py_field_set(self, &r->headers, headers);
    *out = r;
    return self;
}

/* ---- the head ---- */

static bool add_header(py_t headers, const char *name, const char *value)
{
    if (name[0] == '\0' || value[0] == '\0')
        return true;
    py_t text = py_str(value);
    if (!py_null(text) && strcmp(name, "set-cookie") == 0) {
        py_t before = py_dict_get(headers, name);
        const py_t both[] = {before, text};
        if (!py_null(before)) {
            py_t list = py_tuple(both, 2), comma = py_str(", ");
            text = py_null(list) ? PY_NULL : py_call_method(comma, "join", &list, 1);
        }
    }
    return !py_null(text) && py_dict_set(headers, name, text);
}

bool requests_response_head(py_t self, response_t *r)
{
    requests_exchange_t *e = r->e;
    py_t headers = py_field_get(&r->headers);
    if (e->head_seen == 0 && e->head_len > 0) {
        size_t n = strlen(e->head);
        py_t reason = py_bytearray(e->head, n);
        if (py_null(reason))
            return false;
        py_field_set(self, &r->reason, reason);
        r->status = e->x.head->status;
        e->head_seen = n + 1;
    }
    while (e->head_seen < e->head_len) {
        const char *name = e->head + e->head_seen, *value = name + strlen(name) + 1;
        py_scope_t scope = py_scope_open();
        bool ok = add_header(headers, name, value);
        py_scope_close(scope);
        if (!ok)
            return false;
        e->head_seen = (size_t)(value - e->head) + strlen(value) + 1;
    }
    return true;
}

/* ---- the end ---- */

static py_t manager_of(const response_t *r)
{
    session_t *s = py_struct(py_field_get(&r->session), &requests_session_class);
    return py_field_get(&s->manager);
}

static adder_err_t drain(requests_exchange_t *e)
{
    uint8_t scrap[512];
    size_t n, all = 0;
    adder_err_t err = ADDER_OK;
    while (err == ADDER_OK && all < DRAIN_MAX) {
        err = adder_http_exchange_read(&e->x, scrap, sizeof scrap, &n);
        all += n;
    }
    return err;
}

/* Whether the connection can carry another request. What is left of the body is looked at only so far as it
 * has come: to wait for it may take longer than to connect again. */
static bool may_keep(response_t *r)
{
    if (r->e == NULL)
        return false;
    r->socket.hushed = true;
    requests_move_once(r, drain);
    return adder_http_exchange_keep(&r->e->x);
}

static py_t let_go(py_t self, response_t *r)
{
    py_t socket = py_field_get(&r->socket.socket);
    free_exchange(r);
    py_field_set(self, &r->socket.socket, PY_NULL);
    py_field_set(self, &r->socket.buffer, PY_NULL);
    py_field_set(self, &r->request, PY_NULL);
    return socket;
}

bool requests_response_close(py_t self, response_t *r)
{
    if (py_null(py_field_get(&r->socket.socket)))
        return true;
    bool keep = may_keep(r);
    py_t socket = let_go(self, r), manager = manager_of(r);
    bool ok = keep ? connection_manager_free(manager, socket) : connection_manager_close(manager, socket);
    if (!ok && py_error_is(PY_RuntimeError)) { /* connection_manager_close_all() was faster */
        py_error_clear();
        ok = true;
    }
    return ok;
}

void requests_response_drop(py_t self, response_t *r)
{
    py_t cause = py_error_take(), socket = let_go(self, r);
    if (!py_null(socket) && !connection_manager_close(manager_of(r), socket))
        py_error_clear();
    if (!py_null(cause))
        py_raise_again(cause);
}

/* ---- the class ---- */

static py_t m_close(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    return requests_response_close(self, s) ? py_none() : PY_NULL;
}

static py_t m_enter(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    return self;
}

static const py_arg_t exit_args[] = {PY_REST("args"), PY_END};

static py_t get_socket(py_t self, void *s)
{
    (void)self;
    py_t socket = py_field_get(&((response_t *)s)->socket.socket);
    return py_null(socket) ? py_none() : socket;
}

static py_t get_status_code(py_t self, void *s)
{
    (void)self;
    return py_int(((response_t *)s)->status);
}

static py_t get_reason(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((response_t *)s)->reason);
}

static py_t get_headers(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((response_t *)s)->headers);
}

static py_t get_encoding(py_t self, void *s)
{
    (void)self, (void)s;
    return py_str("utf-8");
}

static const py_method_t response_methods[] = {
    {"json", requests_m_json, NULL, 0, NULL},
    {"iter_content", requests_m_iter_content, requests_iter_args, 0, NULL},
    {"read_async", requests_m_read_async, NULL, 0, NULL},
    {"close", m_close, NULL, 0, NULL},
    {"__enter__", m_enter, NULL, 0, NULL},
    {"__exit__", m_close, exit_args, 0, NULL},
    PY_END};
static const py_prop_t response_props[] = {
    {"socket", get_socket, NULL, 0, NULL},      {"status_code", get_status_code, NULL, 0, NULL},
    {"reason", get_reason, NULL, 0, NULL},      {"headers", get_headers, NULL, 0, NULL},
    {"encoding", get_encoding, NULL, 0, NULL},  {"content", requests_get_content, NULL, 0, NULL},
    {"text", requests_get_text, NULL, 0, NULL}, PY_END};
const py_class_t requests_response_class = {.module = "adafruit_requests",
                                            .name = "Response",
                                            .size = sizeof(response_t),
                                            .no_new = true,
                                            .fini = fini,
                                            .live = live,
                                            .fields = response_fields,
                                            .methods = response_methods,
                                            .props = response_props};
