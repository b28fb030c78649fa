/* SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10). */
#include <string.h>

#include "mqtt_int.h"

static adder_err_t check_filter(const adder_mqtt_t *m, const adder_mqtt_filter_t *f)
{
    const bool shared = adder_mqtt_is_shared(f->filter);
    if (!adder_mqtt_is_filter(f->filter) || f->qos > 2 || f->retain_handling > 2 ||
        (shared && f->no_local)) { /* [MQTT-3.8.3-4] */
        return ADDER_ERR_ARG;
    }
#if ADDER_MQTT_V5
    const bool wild =
        memchr(f->filter.at, '+', f->filter.len) != NULL || memchr(f->filter.at, '#', f->filter.len) != NULL;
    if ((wild && m->server.no_wildcards) || (shared && m->server.no_shared)) {
        return ADDER_ERR_UNSUPPORTED;
    }
#else
    (void)m;
#endif
    return ADDER_OK;
}

static adder_err_t request(adder_mqtt_t *m, unsigned type, const adder_mqtt_filter_t *filters, size_t n,
                           adder_mqtt_props_t props, uint16_t *id_out)
{
    const bool subscribes = type == SUBSCRIBE;
    const uint32_t cap = m->priv.c->tx_cap;
    if (m->state != ADDER_MQTT_ON) {
        return ADDER_ERR_STATE;
    }
    if (n == 0 || n > 255) { /* [MQTT-3.8.3-2], [MQTT-3.10.3-2] */
        return ADDER_ERR_ARG;
    }
    uint32_t remaining = 2;
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        adder_mqtt_prop_t p;
        if (mqtt_check_props(props, type) != 0) {
            return ADDER_ERR_ARG;
        }
        if (m->server.no_sub_ids && adder_mqtt_prop_find(props, ADDER_MQTT_PROP_SUBSCRIPTION_ID, &p)) {
            return ADDER_ERR_UNSUPPORTED;
        }
        if (props.len > cap) {
            return ADDER_ERR_NOSPACE;
        }
        remaining += mqtt_varint_len((uint32_t)props.len) + (uint32_t)props.len;
    }
#endif
    for (size_t i = 0; i < n; i++) {
        const adder_err_t err = check_filter(m, &filters[i]);
        if (err != ADDER_OK) {
            return err;
        }
        remaining += 2 + (uint32_t)filters[i].filter.len + (subscribes ? 1 : 0);
    }
    const uint32_t total = 1 + mqtt_varint_len(remaining) + remaining;
    if (total > cap) {
        return ADDER_ERR_NOSPACE;
    }
    if (ADDER_MQTT_V5 && total > m->server.packet_max) {
        return ADDER_ERR_RANGE;
    }
    uint8_t *p = m->priv.n_slots < m->priv.c->n_slots ? mqtt_room(m, total) : NULL;
    if (p == NULL) {
        return ADDER_ERR_AGAIN;
    }
    const uint16_t id = mqtt_next_id(m);
    *p++ = (uint8_t)(type << 4 | 2);
    p = mqtt_put_varint(p, remaining);
    p = mqtt_put16(p, id);
#if ADDER_MQTT_V5
    if (mqtt_is5(m)) {
        p = mqtt_put_varint(p, (uint32_t)props.len);
        p = mqtt_put_bytes(p, props.at, props.len);
    }
#else
    (void)props;
#endif
    for (size_t i = 0; i < n; i++) {
        const adder_mqtt_filter_t *f = &filters[i];
        p = mqtt_put_str(p, f->filter);
        if (subscribes) {
            unsigned options = f->qos;
            if (mqtt_is5(m)) {
                options |= (f->no_local ? 4u : 0) | (f->retain_as_published ? 8u : 0) |
                           (unsigned)f->retain_handling << 4;
            }
            *p++ = (uint8_t)options;
        }
    }
    mqtt_add_slot(m, NULL, id, subscribes ? ST_WAIT_SUBACK : ST_WAIT_UNSUBACK, (uint8_t)n);
    if (id_out != NULL) {
        *id_out = id;
    }
    return ADDER_OK;
}

adder_err_t adder_mqtt_subscribe(adder_mqtt_t *m, const adder_mqtt_filter_t *filters, size_t n,
                                 adder_mqtt_props_t props, uint16_t *id_out)
{
    return request(m, SUBSCRIBE, filters, n, props, id_out);
}

adder_err_t adder_mqtt_unsubscribe(adder_mqtt_t *m, const adder_mqtt_filter_t *filters, size_t n,
                                   adder_mqtt_props_t props, uint16_t *id_out)
{
    return request(m, UNSUBSCRIBE, filters, n, props, id_out);
}
