#include <string.h>

#include "src/http/http_int.h"

/* ---- authority ---- */

static bool ipv4_ok(adder_http_str_t s)
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at >= s.len || s.at[at++] != '.'))
            return false;
        unsigned value = 0;
        size_t from = at;
        while (at < s.len && adder_http_is_digit(s.at[at]) && at - from < 3)
            value = value * 10 + (unsigned)(s.at[at++] - '0');
        if (at == from || value > 255 || (at - from > 1 && s.at[from] == '0'))
            return false;
    }
    return at == s.len;
}

/* RFC 3986's IPv6address: eight groups, one run of them as "::", the last two perhaps as IPv4. */
static bool ipv6_ok(adder_http_str_t s)
{
    size_t at = 0;
    int groups = 0;
    bool gap = false;
    if (s.len >= 2 && s.at[0] == ':' && s.at[1] == ':')
        gap = true, at = 2;
    while (at < s.len) {
        size_t from = at;
        while (at < s.len && adder_http_hex(s.at[at]) >= 0)
            at++;
        if (at < s.len && s.at[at] == '.') {
            groups += 2;
            if (!ipv4_ok((adder_http_str_t){s.at + from, s.len - from}))
                return false;
            break;
        }
        if (at == from || at - from > 4)
            return false;
        groups++;
        if (at == s.len)
            break;
        if (s.at[at++] != ':' || at == s.len)
            return false;
        if (s.at[at] == ':') {
            if (gap)
                return false;
            gap = true;
            at++;
        }
    }
    return gap ? groups <= 7 : groups == 8;
}

static adder_http_why_t port_of(adder_http_str_t s, uint16_t *out)
{
    unsigned long port = 0;
    if (s.len == 0) /* "host:" means the default */
        return ADDER_HTTP_WHY_NONE;
    if (s.len > 5)
        return ADDER_HTTP_WHY_URL_PORT;
    for (size_t i = 0; i < s.len; i++) {
        if (!adder_http_is_digit(s.at[i]))
            return ADDER_HTTP_WHY_URL_PORT;
        port = port * 10 + (unsigned long)(s.at[i] - '0');
    }
    if (port == 0 || port > 65535)
        return ADDER_HTTP_WHY_URL_PORT;
    *out = (uint16_t)port;
    return ADDER_HTTP_WHY_NONE;
}

adder_http_why_t adder_http_authority(adder_http_str_t s, adder_url_t *out)
{
    size_t end = 0;
    out->port = 0;
    out->ipv6 = s.len > 0 && s.at[0] == '[';
    if (out->ipv6) {
        const char *close = memchr(s.at, ']', s.len);
        if (close == NULL)
            return ADDER_HTTP_WHY_URL_IPV6;
        out->host = (adder_http_str_t){s.at + 1, (size_t)(close - s.at) - 1};
        if (!ipv6_ok(out->host))
            return ADDER_HTTP_WHY_URL_IPV6;
        end = out->host.len + 2;
    } else {
        while (end < s.len && s.at[end] != ':') {
            char c = s.at[end++];
            if (!adder_http_is_alpha(c) && !adder_http_is_digit(c) && c != '-' && c != '.' && c != '_')
                return ADDER_HTTP_WHY_URL_HOST;
        }
        out->host = (adder_http_str_t){s.at, end};
        if (end == 0 || end > 253 || s.at[0] == '.' || s.at[0] == '-')
            return ADDER_HTTP_WHY_URL_HOST;
    }
    if (end == s.len)
        return ADDER_HTTP_WHY_NONE;
    if (s.at[end] != ':')
        return ADDER_HTTP_WHY_URL_HOST;
    return port_of((adder_http_str_t){s.at + end + 1, s.len - end - 1}, &out->port);
}

/* ---- a whole URL ---- */

static size_t find(adder_http_str_t s, size_t from, const char *any)
{
    while (from < s.len && (s.at[from] == '\0' || strchr(any, s.at[from]) == NULL))
        from++;
    return from;
}

static adder_http_why_t parse(adder_http_str_t s, adder_url_t *out)
{
    if (!adder_http_is_visible(s))
        return ADDER_HTTP_WHY_URL_BYTE;
    size_t at = find(s, 0, ":/?#");
    out->scheme = (adder_http_str_t){s.at, at};
    out->tls = adder_http_str_is(out->scheme, "https");
    if ((!out->tls && !adder_http_str_is(out->scheme, "http")) || s.len - at < 3 ||
        memcmp(s.at + at, "://", 3) != 0)
        return ADDER_HTTP_WHY_URL_SCHEME;
    size_t from = at + 3, to = find(s, from, "/?#"), end = find(s, to, "#");
    if (memchr(s.at + from, '@', to - from) != NULL)
        return ADDER_HTTP_WHY_URL_USER;
    adder_http_why_t why = adder_http_authority((adder_http_str_t){s.at + from, to - from}, out);
    if (why != ADDER_HTTP_WHY_NONE)
        return why;
    if (out->port == 0)
        out->port = out->tls ? 443 : 80;
    out->target = (adder_http_str_t){s.at + to, end - to};
    return ADDER_HTTP_WHY_NONE;
}

static adder_err_t result(adder_http_why_t why, adder_url_t *out, adder_http_why_t *why_out)
{
    if (why_out != NULL)
        *why_out = why;
    if (why == ADDER_HTTP_WHY_NONE)
        return ADDER_OK;
    memset(out, 0, sizeof *out);
    if (why == ADDER_HTTP_WHY_URL_LONG)
        return ADDER_ERR_NOSPACE;
    return why == ADDER_HTTP_WHY_URL_SCHEME || why == ADDER_HTTP_WHY_URL_USER ? ADDER_ERR_UNSUPPORTED
                                                                              : ADDER_ERR_FORMAT;
}

adder_err_t adder_url_parse(const char *text, size_t len, adder_url_t *out, adder_http_why_t *why_out)
{
    memset(out, 0, sizeof *out);
    return result(parse((adder_http_str_t){text, len}, out), out, why_out);
}

bool adder_url_same_origin(const adder_url_t *a, const adder_url_t *b)
{
    return a->tls == b->tls && a->port == b->port && a->ipv6 == b->ipv6 && adder_http_same(a->host, b->host);
}

/* ---- references ---- */

typedef struct {
    char *buf;
    size_t cap, len;
    bool full;
} out_t;

static void put(out_t *o, const char *at, size_t len)
{
    if (o->full || len > o->cap - o->len) {
        o->full = true;
        return;
    }
    if (len > 0)
        memcpy(o->buf + o->len, at, len);
    o->len += len;
}

static void put_str(out_t *o, adder_http_str_t s)
{
    put(o, s.at, s.len);
}

static void put_origin(out_t *o, const adder_url_t *url)
{
    put_str(o, url->scheme);
    put(o, "://", 3);
    put(o, "[", url->ipv6);
    put_str(o, url->host);
    put(o, "]", url->ipv6);
    if (url->port == (url->tls ? 443 : 80))
        return;
    char digits[6];
    size_t at = sizeof digits;
    for (unsigned port = url->port; port > 0; port /= 10)
        digits[--at] = (char)('0' + port % 10);
    digits[--at] = ':';
    put(o, digits + at, sizeof digits - at);
}

/* RFC 3986, 5.2.4, in place. `path` begins with '/'; the new length, which is not larger. */
static size_t remove_dots(char *path, size_t len)
{
    size_t from = 1, to = 1;
    while (from < len) {
        size_t end = from;
        while (end < len && path[end] != '/')
            end++;
        size_t n = end - from;
        if (n == 2 && path[from] == '.' && path[from + 1] == '.') {
            if (to > 1)
                to--;
            while (path[to - 1] != '/')
                to--;
        } else if (n != 1 || path[from] != '.') {
            memmove(path + to, path + from, n);
            to += n;
            if (end < len)
                path[to++] = '/';
        }
        from = end + 1;
    }
    return to;
}

static bool has_scheme(adder_http_str_t ref)
{
    size_t at = find(ref, 0, ":/?");
    return at > 0 && at < ref.len && ref.at[at] == ':' && adder_http_is_alpha(ref.at[0]);
}

static void put_reference(out_t *o, const adder_url_t *base, adder_http_str_t ref)
{
    adder_http_str_t path = {base->target.at, find(base->target, 0, "?")};
    if (has_scheme(ref)) {
        put_str(o, ref);
    } else if (ref.len >= 2 && memcmp(ref.at, "//", 2) == 0) {
        put_str(o, base->scheme);
        put(o, ":", 1);
        put_str(o, ref);
    } else {
        put_origin(o, base);
        if (ref.len == 0) {
            put_str(o, base->target);
        } else if (ref.at[0] == '?') {
            put_str(o, path);
        } else if (ref.at[0] != '/') {
            while (path.len > 0 && path.at[path.len - 1] != '/')
                path.len--;
            put_str(o, path);
            put(o, "/", path.len == 0);
        }
        put_str(o, ref);
    }
}

adder_err_t adder_url_resolve(const adder_url_t *base, const char *ref, size_t ref_len, char *buf, size_t cap,
                              adder_url_t *out, adder_http_why_t *why_out)
{
    adder_http_str_t r = {ref, ref_len};
    adder_http_why_t why = ADDER_HTTP_WHY_URL_BYTE;
    memset(out, 0, sizeof *out);
    if (cap == 0)
        return result(ADDER_HTTP_WHY_URL_LONG, out, why_out);
    buf[0] = '\0';
    if (!adder_http_is_visible(r))
        return result(why, out, why_out);
    r.len = find(r, 0, "#");
    out_t o = {buf, cap - 1, 0, false};
    put_reference(&o, base, r);
    why = o.full ? ADDER_HTTP_WHY_URL_LONG : parse((adder_http_str_t){buf, o.len}, out);
    if (why == ADDER_HTTP_WHY_NONE && out->target.len > 0 && out->target.at[0] == '/') {
        size_t start = (size_t)(out->target.at - buf), len = find(out->target, 0, "?");
        size_t kept = remove_dots(buf + start, len);
        memmove(buf + start + kept, buf + start + len, o.len - start - len);
        o.len -= len - kept;
        out->target.len -= len - kept;
    }
    buf[why == ADDER_HTTP_WHY_NONE ? o.len : 0] = '\0';
    return result(why, out, why_out);
}

adder_http_redirect_t adder_http_redirect(unsigned status, const char *method)
{
    switch (status) {
    case 301:
    case 302:
        return strcmp(method, "POST") == 0 ? ADDER_HTTP_REDIRECT_TO_GET : ADDER_HTTP_REDIRECT_KEEP;
    case 303:
        return strcmp(method, "HEAD") == 0 ? ADDER_HTTP_REDIRECT_KEEP : ADDER_HTTP_REDIRECT_TO_GET;
    case 307:
    case 308:
        return ADDER_HTTP_REDIRECT_KEEP;
    default:
        return ADDER_HTTP_REDIRECT_NOT;
    }
}
