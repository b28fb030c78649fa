/* Topics and filters (4.7), and the router. */
#include <string.h>

#include "adder/mqtt_match.h"

/* One character's bytes at `s`, 0 = not well-formed (1.5.4, RFC 3629). */
static size_t char_len(const uint8_t *s, size_t left)
{
    const uint8_t c = s[0];
    if (c < 0x80) {
        return c != 0; /* [MQTT-1.5.4-2] */
    }
    const size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    /* The second byte tells overlong forms, surrogates [MQTT-1.5.4-1] and what is above U+10FFFF. */
    const uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool adder_mqtt_is_text(adder_mqtt_str_t text)
{
    if (text.len > 65535) {
        return false;
    }
    const uint8_t *s = (const uint8_t *)text.at;
    for (size_t i = 0; i < text.len;) {
        const size_t n = char_len(s + i, text.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

static bool has(const char *s, size_t len, char c)
{
    return len > 0 && memchr(s, c, len) != NULL;
}

bool adder_mqtt_is_topic(adder_mqtt_str_t topic)
{
    return topic.len > 0 && adder_mqtt_is_text(topic) && !has(topic.at, topic.len, '+') &&
           !has(topic.at, topic.len, '#');
}

bool adder_mqtt_is_shared(adder_mqtt_str_t filter)
{
    return filter.len >= 7 && memcmp(filter.at, "$share/", 7) == 0;
}

/* Where the filter proper begins behind "$share/name/"; 0 = it is not shared, or not well-formed. */
static size_t share_head(adder_mqtt_str_t f)
{
    if (!adder_mqtt_is_shared(f)) {
        return 0;
    }
    const char *end = memchr(f.at + 7, '/', f.len - 7);
    return end == NULL ? 0 : (size_t)(end - f.at) + 1;
}

bool adder_mqtt_is_filter(adder_mqtt_str_t filter)
{
    if (filter.len == 0 || !adder_mqtt_is_text(filter)) {
        return false;
    }
    size_t i = 0;
    if (adder_mqtt_is_shared(filter)) {
        i = share_head(filter);
        if (i < 9 || i == filter.len || has(filter.at + 7, i - 8, '+') || has(filter.at + 7, i - 8, '#')) {
            return false; /* [MQTT-4.8.2-1], [MQTT-4.8.2-2] */
        }
    }
    const char *f = filter.at;
    for (const size_t first = i; i < filter.len; i++) {
        const bool starts = i == first || f[i - 1] == '/';
        const bool ends = i + 1 == filter.len || f[i + 1] == '/';
        if ((f[i] == '#' && !(starts && i + 1 == filter.len)) || /* [MQTT-4.7.1-1] */
            (f[i] == '+' && !(starts && ends))) {                /* [MQTT-4.7.1-2] */
            return false;
        }
    }
    return true;
}

bool adder_mqtt_matches(adder_mqtt_str_t filter, adder_mqtt_str_t topic)
{
    const size_t head = share_head(filter);
    const char *f = filter.at + head, *t = topic.at;
    const char *const f_end = filter.at + filter.len, *const t_end = topic.at + topic.len;
    if (t == t_end || f == f_end || (*t == '$' && (*f == '+' || *f == '#'))) {
        return false; /* [MQTT-4.7.2-1] */
    }
    while (f < f_end) {
        if (*f == '#') {
            return true;
        }
        if (*f == '+') {
            while (t < t_end && *t != '/') {
                t++;
            }
            f++;
        } else if (t < t_end && *f == *t) {
            f++;
            t++;
        } else {
            /* "a/#" also stands for "a" (4.7.1.2). */
            return t == t_end && f_end - f == 2 && f[0] == '/' && f[1] == '#';
        }
    }
    return t == t_end;
}

/* ---- the router ---- */

adder_err_t adder_mqtt_router_add(adder_mqtt_router_t *r, adder_mqtt_route_t *route)
{
    if (!adder_mqtt_is_filter(route->filter)) {
        return ADDER_ERR_ARG;
    }
    adder_mqtt_route_t **at = &r->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    route->next = NULL;
    *at = route;
    return ADDER_OK;
}

void adder_mqtt_router_remove(adder_mqtt_router_t *r, adder_mqtt_route_t *route)
{
    for (adder_mqtt_route_t **at = &r->first; *at != NULL; at = &(*at)->next) {
        if (*at == route) {
            *at = route->next;
            return;
        }
    }
}

adder_err_t adder_mqtt_router_call(adder_mqtt_router_t *r, const adder_mqtt_piece_t *piece, size_t *n_out)
{
    adder_err_t result = ADDER_OK;
    size_t n = 0;
    adder_mqtt_route_t *next;
    for (adder_mqtt_route_t *route = r->first; route != NULL; route = next) {
        next = route->next; /* it may be removed by its own callback */
        if (route->fn == NULL || !adder_mqtt_matches(route->filter, piece->topic)) {
            continue;
        }
        const adder_err_t err = route->fn(route->ctx, piece);
        if (err == ADDER_ERR_AGAIN) {
            if (n++ == 0) {
                result = err;
                break;
            }
        } else {
            n++;
            result = result == ADDER_OK ? err : result;
        }
    }
    if (n_out != NULL) {
        *n_out = n;
    }
    return result;
}
