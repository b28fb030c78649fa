/* Which handler a request goes to. */
#include <string.h>

#include "src/http/server_int.h"

typedef struct {
    adder_http_str_t raw[ADDER_HTTP_PARAMS];
    size_t n;
} params_t;

static adder_http_str_t take_segment(adder_http_str_t *path)
{
    const char *slash = path->len > 0 ? memchr(path->at, '/', path->len) : NULL;
    adder_http_str_t segment = {path->at, slash != NULL ? (size_t)(slash - path->at) : path->len};
    size_t skip = segment.len + (slash != NULL);
    path->at += skip;
    path->len -= skip;
    return segment;
}

/* Segment by segment, still encoded: what %2F stands for never parts two of them. */
static bool matches(const char *pattern, adder_http_str_t path, params_t *params)
{
    adder_http_str_t want = {pattern, strlen(pattern)};
    params->n = 0;
    if (want.len == 0 || want.at[0] != '/' || path.len == 0 || path.at[0] != '/')
        return want.len == path.len && memcmp(want.at, path.at, path.len) == 0; /* "*" of OPTIONS */
    bool more_want = true, more = true;
    want.at++, want.len--;
    path.at++, path.len--;
    while (more_want && more) {
        bool slash_want = want.len > 0 && memchr(want.at, '/', want.len) != NULL;
        bool slash = path.len > 0 && memchr(path.at, '/', path.len) != NULL;
        adder_http_str_t w = take_segment(&want);
        if (w.len == 1 && w.at[0] == '*' && !slash_want)
            return true;
        adder_http_str_t s = take_segment(&path);
        if (w.len >= 2 && w.at[0] == '<' && w.at[w.len - 1] == '>') {
            if (s.len == 0 || params->n == ADDER_HTTP_PARAMS)
                return false;
            params->raw[params->n++] = s;
        } else if (!adder_http_decodes_to(s, false, w.at, w.len)) {
            return false;
        }
        more_want = slash_want;
        more = slash;
    }
    return more_want == more;
}

static bool is_method(const adder_http_route_t *route, const char *method)
{
    return strcmp(route->method, "*") == 0 || strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Methods that a client may take for granted to be known, though not to be allowed (RFC 9110, 9.1). */
static bool is_known(const adder_http_server_config_t *c, const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], method) == 0)
            return true;
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        if (is_method(&c->routes[i], method))
            return true;
    }
    return false;
}

/* The parameters, decoded, behind the head's lines. */
static unsigned keep_params(adder_http_call_t *call, const params_t *params)
{
    for (size_t i = 0; i < params->n; i++) {
        char *out = call->priv.text + call->priv.text_len;
        size_t cap = call->priv.text_cap - call->priv.text_len, n;
        adder_err_t err = adder_http_path_decode(params->raw[i], out, cap, &n);
        if (err == ADDER_ERR_FORMAT || (err == ADDER_OK && n > 0 && memchr(out, '\0', n) != NULL))
            return 400;
        if (err != ADDER_OK || n == cap)
            return 431;
        out[n] = '\0';
        call->param[i] = out;
        call->priv.text_len += n + 1;
    }
    return 0;
}

unsigned adder_http_call_route(adder_http_call_t *call)
{
    const adder_http_server_config_t *c = &call->priv.server->priv.config;
    bool path_there = false;
    for (size_t i = 0; i < c->n_routes; i++) {
        params_t params;
        if (!matches(c->routes[i].path, call->priv.raw, &params))
            continue;
        path_there = true;
        if (!is_method(&c->routes[i], call->method))
            continue;
        call->priv.route = &c->routes[i];
        return keep_params(call, &params);
    }
    if (!is_known(c, call->method))
        return 501;
    return path_there ? 405 : 404;
}

static void add(char *out, size_t cap, const char *name)
{
    size_t n = strlen(out), len = strlen(name);
    for (const char *found = out; (found = strstr(found, name)) != NULL; found++) {
        if (found[len] == ',' || found[len] == '\0')
            return;
    }
    if (n + len + 3 > cap)
        return;
    if (n > 0)
        memcpy(out + n, ", ", 2);
    memcpy(out + n + (n > 0 ? 2 : 0), name, len + 1);
}

void adder_http_call_allow(const adder_http_call_t *call, char *out, size_t cap)
{
    const adder_http_server_config_t *c = &call->priv.server->priv.config;
    out[0] = '\0';
    for (size_t i = 0; i < c->n_routes; i++) {
        params_t params;
        if (!matches(c->routes[i].path, call->priv.raw, &params))
            continue;
        add(out, cap, c->routes[i].method);
        if (strcmp(c->routes[i].method, "GET") == 0)
            add(out, cap, "HEAD");
    }
}
