/* adafruit_requests: Session */
#include "python/modules/connection_manager.h"
#include "python/modules/requests_int.h"

static const uint16_t session_fields[] = {offsetof(session_t, manager), offsetof(session_t, ssl_context),
                                          offsetof(session_t, session_id), offsetof(session_t, last),
                                          PY_FIELDS_END};

static const py_arg_t session_args[] = {PY_REQ_OBJ("socket_pool"), PY_OPT_OBJ("ssl_context"),
                                        PY_OPT_OBJ("session_id"), PY_END};

static bool session_init(py_t self, void *s, const py_val_t *a)
{
    session_t *o = s;
    py_t manager = connection_manager_of(a[0].obj);
    if (py_null(manager))
        return false;
    py_field_set(self, &o->manager, manager);
    py_field_set(self, &o->ssl_context, a[1].given ? a[1].obj : py_none());
    py_field_set(self, &o->session_id, a[2].given ? a[2].obj : py_none());
    return true;
}

static bool session_live(const void *s)
{
    return !py_null(py_field_get(&((const session_t *)s)->manager));
}

/* ---- requests ---- */

enum { N_ARGS = 9, A_METHOD = 0, A_URL, A_DATA };

#define BODY_ARGS(OBJ, flags)                                                                                \
    OBJ("data"), OBJ("json"), OBJ("headers"), {"stream", PY_ARG_BOOL, flags, 0, 0, 0, 0, NULL},              \
        {"timeout", PY_ARG_OBJ, flags, 0, 0, 0, 0, NULL},                                                    \
        {"allow_redirects", PY_ARG_BOOL, flags, 1, 0, 0, 0, NULL}, OBJ("files"), PY_END

static const py_arg_t request_args[] = {PY_REQ_OBJ("method"), PY_REQ_OBJ("url"), BODY_ARGS(PY_OPT_OBJ, 0)};
/* get(url, **kw) and its like */
static const py_arg_t verb_args[] = {PY_REQ_OBJ("url"), BODY_ARGS(PY_KW_OBJ, PY_A_KW_ONLY)};

static bool close_last(py_t self, session_t *o)
{
    py_t last = py_field_get(&o->last);
    response_t *r = py_null(last) ? NULL : py_struct(last, &requests_response_class);
    py_field_set(self, &o->last, PY_NULL);
    return r == NULL || requests_response_close(last, r);
}

static py_t run(py_t self, session_t *o, const py_val_t *a)
{
    py_t request = requests_prepare(self, a, false);
    request_t *q = py_null(request) ? NULL : py_struct(request, &requests_request_class);
    bool done;
    if (q == NULL || !close_last(self, o) || !requests_step(request, q, &done))
        return PY_NULL;
    py_t response = py_field_get(&q->response);
    py_field_set(request, &q->response, PY_NULL);
    py_field_set(self, &o->last, response);
    return response;
}

static py_t m_request(py_t self, void *s, const py_val_t *a)
{
    return run(self, s, a);
}

static py_t m_request_async(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    return requests_prepare(self, a, true);
}

/* A subclass of the program's may have a request() of its own, which the others go through. */
static py_t through_request(py_t self, const char *method, const py_val_t *a)
{
    static const char *const names[] = {"data", "json", "headers", "stream", "timeout", "allow_redirects",
                                        "files"};
    const py_t first[] = {py_str(method), a[A_METHOD].obj};
    const char *given[N_ARGS];
    py_t values[N_ARGS], fn = py_attr(self, "request");
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (a[1 + i].given) {
            given[n] = names[i];
            values[n++] = a[1 + i].obj;
        }
    }
    return py_null(fn) ? PY_NULL : py_call_kw(fn, first, 2, given, values, n);
}

static py_t verb(py_t self, void *s, const char *method, const py_val_t *a, bool async)
{
    py_val_t all[N_ARGS] = {{.given = true, .obj = py_str(method)}};
    py_t cls = py_attr(self, "__class__");
    if (py_null(cls) || py_null(all[0].obj))
        return PY_NULL;
    if (!async && !py_is(cls, py_class_of(&requests_session_class)))
        return through_request(self, method, a);
    for (size_t i = 1; i < N_ARGS; i++)
        all[i] = a[i - 1];
    return async ? requests_prepare(self, all, true) : run(self, s, all);
}

#define VERB(name, METHOD)                                                                                   \
    static py_t m_##name(py_t self, void *s, const py_val_t *a)                                              \
    {                                                                                                        \
        return verb(self, s, METHOD, a, false);                                                              \
    }                                                                                                        \
    static py_t m_##name##_async(py_t self, void *s, const py_val_t *a)                                      \
    {                                                                                                        \
        return verb(self, s, METHOD, a, true);                                                               \
    }
VERB(options, "OPTIONS")
VERB(head, "HEAD")
VERB(get, "GET")
VERB(post, "POST")
VERB(put, "PUT")
VERB(patch, "PATCH")
VERB(delete, "DELETE")
#undef VERB

/* ---- the class and the module ---- */

static py_t value_of(const py_field_t *f)
{
    py_t v = py_field_get(f);
    return py_null(v) ? py_none() : v;
}

#define GETTER(name, field)                                                                                  \
    static py_t get_##name(py_t self, void *s)                                                               \
    {                                                                                                        \
        (void)self;                                                                                          \
        return value_of(&((session_t *)s)->field);                                                           \
    }
GETTER(manager, manager)
GETTER(ssl_context, ssl_context)
GETTER(session_id, session_id)
GETTER(last, last)
#undef GETTER

#define VERB(name)                                                                                           \
    {#name, m_##name, verb_args, 0, NULL},                                                                   \
    {                                                                                                        \
#name "_async", m_##name##_async, verb_args, 0, NULL                                                 \
    }
static const py_method_t session_methods[] = {{"request", m_request, request_args, 0, NULL},
                                              {"request_async", m_request_async, request_args, 0, NULL},
                                              VERB(options),
                                              VERB(head),
                                              VERB(get),
                                              VERB(post),
                                              VERB(put),
                                              VERB(patch),
                                              VERB(delete),
                                              PY_END};
#undef VERB
static const py_prop_t session_props[] = {{"_connection_manager", get_manager, NULL, 0, NULL},
                                          {"_ssl_context", get_ssl_context, NULL, 0, NULL},
                                          {"_session_id", get_session_id, NULL, 0, NULL},
                                          {"_last_response", get_last, NULL, 0, NULL},
                                          PY_END};
const py_class_t requests_session_class = {.module = "adafruit_requests",
                                           .name = "Session",
                                           .size = sizeof(session_t),
                                           .fields = session_fields,
                                           .init_args = session_args,
                                           .init = session_init,
                                           .live = session_live,
                                           .methods = session_methods,
                                           .props = session_props};

const py_exception_t requests_out_of_retries = {
    .module = "adafruit_requests",
    .name = "OutOfRetries",
    .base = PY_Exception,
    .doc = "Raised when requests has retried to make a request unsuccessfully."};

static const py_class_t *const classes[] = {&requests_session_class, &requests_response_class, NULL};
static const py_exception_t *const exceptions[] = {&requests_out_of_retries, NULL};
const py_module_t requests_module = {
    .name = "adafruit_requests", .classes = classes, .exceptions = exceptions};
