/* adafruit_requests: a request on its way: a connection, a second try, redirects */
#include <stdio.h>
#include <string.h>

#include "python/modules/connection_manager.h"
#include "python/modules/net_socket.h"
#include "python/modules/requests_int.h"
#include "python/modules/socket_object.h"

enum { ST_BEGIN, ST_CONNECT, ST_HEAD };
enum { TRIES = 2, SESSIONS = 16 };

/* With stream=True the program may read on from the socket itself, and misses what was received behind the
 * head: the head is taken in small pieces, as Adafruit's library always does. */
enum { HEAD_PIECE = 32 };

static session_t *session_of(const request_t *q)
{
    return py_struct(py_field_get(&q->session), &requests_session_class);
}

static response_t *response_of(py_t response)
{
    return py_struct(response, &requests_response_class);
}

/* ---- a try ---- */

/* Requests that run at once need a connection each: the session's own id, or it with a number. */
static py_t get_socket(const request_t *q, const session_t *s, connection_want_t *want, bool *reused)
{
    py_t manager = py_field_get(&s->manager), own = want->session_id, shown = py_str_of(own);
    const char *text;
    for (int i = 1; !py_null(shown); i++) {
        py_t socket = connection_manager_get(manager, want, reused);
        if (!py_null(socket) || !q->async || i == SESSIONS || !connection_manager_in_use(manager, want))
            return socket;
        py_error_clear();
        char id[80];
        if (!py_to_str(shown, &text, NULL))
            break;
        snprintf(id, sizeof id, "%.60s#%d", py_is_none(own) ? "" : text, i);
        want->session_id = py_str(id);
    }
    return PY_NULL;
}

static void close_socket(const request_t *q, py_t socket)
{
    py_t cause = py_error_take();
    if (!connection_manager_close(py_field_get(&session_of(q)->manager), socket))
        py_error_clear();
    if (!py_null(cause))
        py_raise_again(cause);
}

static py_t connect(const request_t *q, py_t *plain)
{
    const session_t *s = session_of(q);
    const adder_url_t *at = &q->at;
    py_t context = py_field_get(&s->ssl_context);
    connection_want_t want = {.host = py_str_n(at->host.at, at->host.len),
                              .port = py_int(at->port),
                              .proto = py_str(at->tls ? "https:" : "http:"),
                              .session_id = py_field_get(&s->session_id),
                              .timeout = py_field_get(&q->timeout),
                              .ssl_context = context,
                              .unconnected = q->async && !at->ipv6 ? plain : NULL};
    bool reused;
    if (py_null(want.host) || py_null(want.port) || py_null(want.proto))
        return PY_NULL;
    py_t socket = get_socket(q, s, &want, &reused), set;
    /* A kept socket has the time-out of the request before. */
    if (!py_null(socket) && reused && py_attr_try(socket, "settimeout", &set) &&
        py_null(py_call(set, &want.timeout, 1))) {
        close_socket(q, socket);
        return PY_NULL;
    }
    return socket;
}

static adder_err_t on_head(void *ctx, const adder_http_head_t *head, const adder_http_event_t *ev)
{
    (void)head;
    requests_exchange_t *e = ctx;
    bool first = ev->kind == ADDER_HTTP_EV_START;
    size_t need = (first ? 0 : ev->name.len + 1) + ev->value.len + 1;
    if (need > sizeof e->head - e->head_len)
        return ADDER_ERR_NOSPACE;
    char *p = e->head + e->head_len;
    if (!first) {
        for (size_t i = 0; i < ev->name.len; i++)
            p[i] =
                ev->name.at[i] >= 'A' && ev->name.at[i] <= 'Z' ? (char)(ev->name.at[i] + 32) : ev->name.at[i];
        p[ev->name.len] = '\0';
        p += ev->name.len + 1;
    }
    if (ev->value.len > 0)
        memcpy(p, ev->value.at, ev->value.len);
    p[ev->value.len] = '\0';
    e->head_len += need;
    e->started = true;
    return ADDER_OK;
}

static bool set_idle(response_t *r, py_t timeout)
{
    double seconds;
    r->idle_us = UINT64_MAX;
    if (py_is_none(timeout))
        return true;
    if (!py_to_float(timeout, &seconds))
        return false;
    r->idle_us = seconds >= 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e6) : UINT64_MAX;
    return true;
}

static bool start(py_t self, request_t *q, response_t *r, py_t socket)
{
    requests_exchange_t *e = r->e;
    adder_stream_t stream = requests_stream(&r->socket, socket);
    const char *method;
    adder_http_writer_t w;
    size_t head_len;
    if (!set_idle(r, py_field_get(&q->timeout)) || !requests_write_head(q, e, &w, &head_len) ||
        !requests_body_rewind(&q->body) || !py_to_str(py_field_get(&q->method), &method, NULL))
        return false;
    adder_http_payload_t body = requests_body_payload(&q->body);
    const adder_http_exchange_config_t config = {.out = e->out,
                                                 .out_cap = e->out_cap,
                                                 .in = e->in,
                                                 .in_cap = q->stream ? HEAD_PIECE : sizeof e->in,
                                                 .line = e->line,
                                                 .line_cap = sizeof e->line,
                                                 .on_head = on_head,
                                                 .ctx = e};
    if (q->body.has) {
        e->body = &q->body;
        e->body_owner = q;
    }
    py_field_set(self, &q->body.error, PY_NULL);
    adder_http_exchange_start(&e->x, &config, stream, &w, head_len, method, &body);
    return true;
}

void requests_drop_socket(py_t self, request_t *q)
{
    py_t socket = py_field_get(&q->socket);
    py_field_set(self, &q->socket, PY_NULL);
    py_field_set(self, &q->plain, PY_NULL);
    if (!py_null(socket))
        close_socket(q, socket);
}

/* The exchange over a socket that is connected. */
static bool begin(py_t self, request_t *q)
{
    response_t *r;
    py_t socket = py_field_get(&q->socket),
         response = requests_response_new(py_field_get(&q->session), self, &r);
    if (py_null(response)) {
        requests_drop_socket(self, q);
        return false;
    }
    py_field_set(self, &q->response, response);
    py_field_set(self, &q->socket, PY_NULL);
    py_field_set(self, &q->plain, PY_NULL);
    q->state = ST_HEAD;
    if (start(self, q, r, socket))
        return true;
    requests_response_drop(response, r);
    return false;
}

/* ---- connecting without waiting ---- */

/* True: there, *again: not yet. */
static bool try_connect(request_t *q, net_socket_t *net, bool *again)
{
    char host[ADDER_NET_HOST_MAX + 1];
    adder_endpoint_t to = {.port = q->at.port};
    size_t n = q->at.host.len < ADDER_NET_HOST_MAX ? q->at.host.len : ADDER_NET_HOST_MAX;
    uint64_t timeout_us = net->timeout_us;
    memcpy(host, q->at.host.at, n);
    host[n] = '\0';
    if (adder_ip_parse(host, n, &to.ip) != ADDER_OK)
        to.ip = (adder_ip_t){0}; /* a name: the stack looks it up */
    net->timeout_us = 0;
    bool ok = !py_null(net_socket_connect(net, host, &to));
    net->timeout_us = timeout_us;
    *again = !ok && net->connecting;
    if (*again)
        py_error_clear();
    return ok;
}

/* The same for the TLS around it: to send nothing makes the handshake. */
static bool try_handshake(py_t socket, net_socket_t *net, bool *again)
{
    py_t nothing = py_bytes("", 0);
    uint64_t timeout_us = net->timeout_us;
    net->timeout_us = 0;
    bool ok = !py_null(nothing) && !py_null(py_call_method(socket, "send", &nothing, 1));
    net->timeout_us = timeout_us;
    *again = !ok && socket_error_is(SOCKET_EAGAIN);
    return ok;
}

static bool go_on_connecting(py_t self, request_t *q, bool *again)
{
    py_t plain = py_field_get(&q->plain);
    net_socket_t *net = py_null(plain) ? NULL : net_socket_of(plain);
    if (net == NULL)
        return begin(self, q);
    py_t socket = py_field_get(&q->socket);
    bool ok = net->connected || try_connect(q, net, again);
    if (ok && !py_is(plain, socket))
        ok = try_handshake(socket, net, again);
    if (*again && requests_patient(&q->patience, 0, net->timeout_us))
        return true;
    q->patience.waiting = false;
    if (ok)
        return begin(self, q);
    if (*again)
        py_raise_errno(SOCKET_ETIMEDOUT, NULL);
    *again = false;
    requests_drop_socket(self, q);
    return false;
}

/* ---- what a try came to ---- */

static py_t taken(py_t ignored)
{
    (void)ignored;
    return py_error_take();
}

static py_t unreadable(const requests_exchange_t *e)
{
    py_t why = taken(py_raise(PY_ValueError, "%s", adder_http_why_str(e->x.why)));
    py_t error = taken(py_raise(PY_RuntimeError, "Unable to read HTTP response."));
    return py_attr_set(error, "__cause__", why) ? error : PY_NULL;
}

/* The exception; *again: another try may do better. */
static py_t failure(const request_t *q, const response_t *r, bool *again)
{
    const requests_exchange_t *e = r->e;
    py_t error = py_field_get(&r->socket.error);
    *again = !e->x.received;
    if (!py_null(py_field_get(&q->body.error))) {
        *again = false;
        return py_field_get(&q->body.error);
    }
    if (!py_null(error)) {
        py_raise_again(error);
        *again = *again && (py_error_is(PY_OSError) || py_error_is(PY_RuntimeError));
        return py_error_take();
    }
    switch (e->err) {
    case ADDER_ERR_FORMAT:
    case ADDER_ERR_UNSUPPORTED:
    case ADDER_ERR_NOSPACE:
    case ADDER_ERR_CLOSED:
        *again = *again || (!e->started && e->in[0] != 'H');
        return *again ? taken(py_raise(PY_RuntimeError, "no data from socket")) : unreadable(e);
    default:
        return taken(py_raise_err(e->err, NULL));
    }
}

static bool failed(py_t self, request_t *q, py_t response, response_t *r)
{
    bool again;
    py_t error = failure(q, r, &again);
    requests_response_drop(response, r);
    py_field_set(self, &q->response, PY_NULL);
    if (py_null(error))
        return false;
    if (again && ++q->tries < TRIES) {
        q->state = ST_BEGIN;
        return true;
    }
    if (again) {
        py_t text = py_str("Repeated socket failures");
        py_t raised = py_call(py_exception_class(&requests_out_of_retries), &text, 1);
        if (py_null(raised) || !py_attr_set(raised, "__cause__", error))
            return false;
        error = raised;
    }
    py_raise_again(error);
    return false;
}

/* ---- redirects ---- */

static bool is_upgrade(const adder_url_t *from, const adder_url_t *to)
{
    return !from->tls && to->tls && from->port == 80 && to->port == 443 && from->host.len == to->host.len &&
           memcmp(from->host.at, to->host.at, from->host.len) == 0;
}

static bool resolve(py_t self, request_t *q, py_t location)
{
    adder_url_t base = q->at, to; /* both are done with when go_to() lets go of the old url */
    const char *ref, *fragment;
    size_t len;
    py_t clean = requests_escaped(location);
    if (py_null(clean) || !py_to_str(clean, &ref, &len))
        return false;
    if (base.target.len > 0 && (fragment = memchr(base.target.at, '#', base.target.len)) != NULL)
        base.target.len = (size_t)(fragment - base.target.at);
    size_t cap = 22 + base.host.len + base.target.len + len;
    char *buf = py_alloc(cap);
    if (buf == NULL)
        return false;
    adder_http_why_t why;
    bool ok = adder_url_resolve(&base, ref, len, buf, cap, &to, &why) == ADDER_OK;
    if (ok && !adder_url_same_origin(&base, &to) && !is_upgrade(&base, &to))
        q->foreign = true;
    py_t url = ok ? py_str(buf) : py_raise(PY_ValueError, "%s", adder_http_why_str(why));
    py_free(buf);
    return !py_null(url) && requests_go_to(self, q, url);
}

/* The same method and body again, but for 303, which says GET. */
static bool follow(py_t self, request_t *q, py_t response, response_t *r, py_t location)
{
    const char *method;
    if (!py_to_str(py_field_get(&q->method), &method, NULL) || !requests_response_close(response, r))
        return false;
    py_field_set(self, &q->response, PY_NULL);
    if (q->hops++ == REQUESTS_HOPS_MAX)
        return py_fail(py_raise(PY_RuntimeError, "Too many redirects"));
    if (r->status == 303 && strcmp(method, "HEAD") != 0) {
        py_field_set(self, &q->method, py_str("GET"));
        q->dropped_body = q->body.has;
        q->body.has = false;
        q->content_type[0] = '\0';
    }
    q->tries = 0;
    q->state = ST_BEGIN;
    return resolve(self, q, location);
}

/* Null without an exception: not a redirect to follow. */
static py_t location_of(const request_t *q, const response_t *r)
{
    if (!q->allow_redirects || r->status < 300 || r->status > 399 || r->status == 304)
        return PY_NULL;
    return py_dict_get(py_field_get(&r->headers), "location");
}

/* ---- all of it ---- */

static bool answered(py_t self, request_t *q, py_t response, response_t *r, bool *done)
{
    if (!requests_response_head(response, r)) {
        requests_response_drop(response, r);
        return false;
    }
    py_t location = location_of(q, r);
    *done = py_null(location);
    return *done || follow(self, q, response, r, location);
}

bool requests_step(py_t self, request_t *q, bool *done)
{
    *done = false;
    while (!*done) {
        bool again = false;
        if (q->state == ST_BEGIN) {
            py_t plain = PY_NULL, socket = connect(q, &plain);
            if (py_null(socket))
                return false;
            py_field_set(self, &q->socket, socket);
            py_field_set(self, &q->plain, plain);
            q->state = ST_CONNECT;
        }
        if (q->state == ST_CONNECT && !go_on_connecting(self, q, &again))
            return false;
        if (again)
            return true;
        py_t response = py_field_get(&q->response);
        response_t *r = response_of(response);
        if (!(q->async ? requests_move_async(r, requests_move_head, &q->patience, &again)
                       : requests_wait(r, requests_move_head))) {
            requests_response_drop(response, r);
            return false;
        }
        if (again)
            return true;
        bool ok = r->e->err == ADDER_OK ? answered(self, q, response, r, done) : failed(self, q, response, r);
        if (!ok)
            return false;
    }
    return true;
}
