/* adafruit_requests: what is to be sent: URL, headers, the head */
#include <stdio.h>
#include <string.h>

#include "python/modules/requests_int.h"

py_t requests_builtin(const char *name)
{
    py_t builtins = py_import("builtins");
    return py_null(builtins) ? PY_NULL : py_attr(builtins, name);
}

/* ---- URLs ---- */

py_t requests_escaped(py_t v)
{
    const char *text;
    size_t len, n = 0;
    if (!py_to_str(v, &text, &len))
        return PY_NULL;
    for (size_t i = 0; i < len; i++)
        n += text[i] == ' ' || (unsigned char)text[i] >= 0x80 ? 3 : 1;
    if (n == len)
        return v;
    char *out = py_alloc(n), *p = out;
    if (out == NULL)
        return PY_NULL;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == ' ' || c >= 0x80) {
            *p++ = '%';
            *p++ = "0123456789ABCDEF"[c >> 4];
            *p++ = "0123456789ABCDEF"[c & 15];
        } else {
            *p++ = (char)c;
        }
    }
    v = py_str_n(out, n);
    py_free(out);
    return v;
}

bool requests_go_to(py_t self, request_t *q, py_t url)
{
    const char *text;
    size_t len;
    if (!py_to_str(url, &text, &len))
        return false;
    const char *slash = memchr(text, '/', len);
    size_t scheme = slash == NULL ? 0 : (size_t)(slash - text);
    if (slash == NULL || len - scheme < 2 || slash[1] != '/')
        return py_fail(py_raise(PY_ValueError, "not a URL: %s", text));
    if (!(scheme == 5 && memcmp(text, "http:", 5) == 0) && !(scheme == 6 && memcmp(text, "https:", 6) == 0))
        return py_fail(py_raise(PY_ValueError, "Unsupported protocol: %.*s", (int)scheme, text));
    py_t whole = requests_escaped(url);
    if (py_null(whole) || !py_to_str(whole, &text, &len))
        return false;
    py_field_set(self, &q->url, whole);
    adder_http_why_t why;
    if (adder_url_parse(text, len, &q->at, &why) != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "%s", adder_http_why_str(why)));
    /* A '#' is not taken for a fragment: services that are given colours as "?value=#ff0000" see it. */
    if (q->at.target.len > 0)
        q->at.target.len = (size_t)(text + len - q->at.target.at);
    return true;
}

/* ---- headers ---- */

static bool check_header(py_t name, py_t value)
{
    if (!py_is_str(name))
        return py_fail(
            py_raise(PY_TypeError, "Header names must be of type str, not %s", py_type_name(name)));
    if (py_is_str(value) || py_is_bytes(value) || py_is_none(value))
        return true;
    py_t shown = py_str_of(value), type = py_attr(value, "__class__");
    py_t type_shown = py_null(type) ? PY_NULL : py_str_of(type);
    const char *n, *v, *t;
    if (!py_null(shown) && !py_null(type_shown) && py_to_str(name, &n, NULL) && py_to_str(shown, &v, NULL) &&
        py_to_str(type_shown, &t, NULL))
        py_raise(PY_TypeError, "Header part (%s) from %s must be of type str or bytes, not %s", v, n, t);
    return false;
}

/* Call `each` for every header; false = an exception, or `each` said so. */
static bool for_headers(py_t headers, bool (*each)(void *ctx, py_t name, py_t value), void *ctx)
{
    py_t iter = py_iter(headers), name;
    bool done, ok = true;
    if (py_null(iter))
        return false;
    while (ok) {
        py_scope_t scope = py_scope_open();
        if (!py_next(iter, &name, &done)) {
            py_scope_close(scope);
            return done;
        }
        py_t value = py_item(headers, name);
        ok = !py_null(value) && each(ctx, name, value);
        py_scope_close(scope);
    }
    return false;
}

static bool check_each(void *ctx, py_t name, py_t value)
{
    (void)ctx;
    return check_header(name, value);
}

static bool headers_arg(const py_val_t *a, py_t *out)
{
    bool any = false;
    if (a->given && !py_to_bool(a->obj, &any))
        return false;
    if (!any)
        return !py_null(*out = py_dict());
    if (!py_is_dict(a->obj))
        return py_fail(py_raise(PY_TypeError, "Headers must be in dict format"));
    /* A copy: an async request reads it later. */
    return for_headers(a->obj, check_each, NULL) && !py_null(*out = py_call_method(a->obj, "copy", NULL, 0));
}

typedef struct {
    const request_t *q;
    adder_http_writer_t *w;
    bool host, user_agent, content_type; /* supplied */
} head_t;

static adder_http_str_t str_of(const char *text)
{
    return (adder_http_str_t){text, strlen(text)};
}

static bool note_each(void *ctx, py_t name, py_t value)
{
    head_t *h = ctx;
    adder_http_str_t n;
    if (!py_to_str(name, &n.at, &n.len))
        return false;
    h->host |= adder_http_str_is(n, "host") && !py_is_none(value) && !h->q->foreign;
    h->user_agent |= adder_http_str_is(n, "user-agent");
    h->content_type |= adder_http_str_is(n, "content-type");
    return true;
}

/* What another origin must not see; Host is of the first one. */
static bool is_private(adder_http_str_t name)
{
    return adder_http_str_is(name, "authorization") || adder_http_str_is(name, "cookie") ||
           adder_http_str_is(name, "proxy-authorization") || adder_http_str_is(name, "x-aio-key") ||
           adder_http_str_is(name, "host");
}

static bool write_each(void *ctx, py_t name, py_t value)
{
    head_t *h = ctx;
    adder_http_str_t n, v;
    py_buf_t buf;
    if (py_is_none(value))
        return true;
    if (!py_to_str(name, &n.at, &n.len))
        return false;
    if (py_is_bytes(value)) {
        if (!py_buffer_read(value, &buf))
            return false;
        v = (adder_http_str_t){(const char *)buf.ptr, buf.len};
    } else if (!py_to_str(value, &v.at, &v.len)) {
        return false;
    }
    /* The length is ours to say; what belongs to a body goes with it. */
    if (adder_http_str_is(n, "content-length") || (h->q->foreign && is_private(n)) ||
        (h->q->dropped_body && adder_http_str_is(n, "content-type")))
        return true;
    if (strlen(n.at) != n.len)
        return py_fail(py_raise(PY_ValueError, "%s", adder_http_why_str(ADDER_HTTP_WHY_NAME)));
    adder_http_write_header_str(h->w, n.at, v);
    return true;
}

static void write_host(adder_http_writer_t *w, const adder_url_t *at)
{
    char text[280];
    int n = snprintf(text, sizeof text, at->ipv6 ? "[%.*s]" : "%.*s", (int)at->host.len, at->host.at);
    if (at->port != (at->tls ? 443 : 80))
        snprintf(text + n, sizeof text - (size_t)n, ":%u", at->port);
    adder_http_write_header(w, "Host", text);
}

static adder_err_t write_into(const request_t *q, requests_exchange_t *e, adder_http_writer_t *w, size_t *len)
{
    py_t headers = py_field_get(&q->headers);
    const char *method;
    head_t h = {.q = q, .w = w};
    *len = 0;
    if (!py_to_str(py_field_get(&q->method), &method, NULL) || !for_headers(headers, note_each, &h))
        return ADDER_ERR_INTERNAL;
    adder_http_write_request(w, e->out, e->out_cap, method, &q->at);
    if (!h.host)
        write_host(w, &q->at);
    if (!h.user_agent)
        adder_http_write_header_str(w, "User-Agent", str_of("Adafruit CircuitPython"));
    if (!h.content_type && q->content_type[0] != '\0')
        adder_http_write_header(w, "Content-Type", q->content_type);
    if (!for_headers(headers, write_each, &h))
        return ADDER_ERR_INTERNAL;
    return adder_http_write_head_end(w, q->body.has ? ADDER_HTTP_BODY_LENGTH : ADDER_HTTP_BODY_NONE,
                                     q->body.length, len);
}

bool requests_write_head(const request_t *q, requests_exchange_t *e, adder_http_writer_t *w, size_t *len_out)
{
    enum { FIRST = 1024, BODY_ROOM = 1024, FILE_ROOM = 4096 };
    size_t cap = py_null(py_field_get(&q->body.pieces)) ? FIRST : FIRST + FILE_ROOM;
    for (;;) {
        py_free(e->out);
        if ((e->out = py_alloc(cap)) == NULL)
            return false;
        e->out_cap = cap;
        adder_err_t err = write_into(q, e, w, len_out);
        if (err == ADDER_OK && cap - *len_out >= 64)
            return true;
        if (py_error())
            return false;
        if (err != ADDER_ERR_NOSPACE && err != ADDER_OK)
            return py_fail(py_raise(PY_ValueError, "%s", adder_http_why_str(w->why)));
        cap = *len_out + BODY_ROOM;
    }
}

/* ---- the request object ---- */

enum { METHOD, URL, DATA, JSON, HEADERS, STREAM, TIMEOUT, REDIRECTS, FILES };

py_t requests_prepare(py_t session, const py_val_t *a, bool async)
{
    void *s;
    py_t self = py_new(&requests_request_class, &s), headers;
    if (py_null(self))
        return PY_NULL;
    request_t *q = s;
    q->async = async;
    q->stream = a[STREAM].b;
    q->allow_redirects = a[REDIRECTS].b;
    py_field_set(self, &q->session, session);
    py_field_set(self, &q->method, a[METHOD].obj);
    py_field_set(self, &q->timeout, a[TIMEOUT].given ? a[TIMEOUT].obj : py_int(60));
    if (!requests_go_to(self, q, a[URL].obj) || !headers_arg(&a[HEADERS], &headers))
        return PY_NULL;
    py_field_set(self, &q->headers, headers);
    if (!requests_body_make(self, &q->body, a[DATA].obj, a[JSON].obj, a[FILES].obj, q->content_type,
                            sizeof q->content_type))
        return PY_NULL;
    return self;
}
