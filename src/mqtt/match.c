/* Which topics a filter matches (4.7), and the router. */
#include "mqtt_int.h"

bool adder_mqtt_matches(adder_mqtt_str_t filter, adder_mqtt_str_t topic)
{
    const size_t head = mqtt_share_head(filter);
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
