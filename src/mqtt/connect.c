/* CONNECT (3.1): what goes into it, and what may not. */
#include "mqtt_int.h"

static bool options_fit(const adder_mqtt_connect_t *o, bool is5)
{
    if (!adder_mqtt_is_text(o->client_id) || !adder_mqtt_is_text(o->user) || o->password.len > 65535) {
        return false;
    }
    if (!is5 && ((o->client_id.len == 0 && !o->clean) ||            /* 3.1.1 [MQTT-3.1.3-7] */
                 (o->user.at == NULL && o->password.at != NULL))) { /* 3.1.1 [MQTT-3.1.2-22] */
        return false;
    }
    const adder_mqtt_msg_t *w = o->will;
    if (w != NULL &&
        (w->qos > 2 || w->read != NULL || w->payload_len > 65535 || !adder_mqtt_is_topic(w->topic))) {
        return false;
    }
#if ADDER_MQTT_V5
    adder_mqtt_prop_t p;
    if (is5 && (mqtt_check_props(o->props, CONNECT) != 0 ||
                (w != NULL && mqtt_check_props(w->props, IN_WILL) != 0) ||
                (adder_mqtt_prop_find(o->props, ADDER_MQTT_PROP_AUTH_DATA, &p) &&
                 !adder_mqtt_prop_find(o->props, ADDER_MQTT_PROP_AUTH_METHOD, &p)))) {
        return false;
    }
#endif
    return true;
}

#if ADDER_MQTT_V5
/* The properties of CONNECT that are ours: their bytes, at most 16. */
static size_t own_props(const adder_mqtt_config_t *c, const adder_mqtt_connect_t *o, uint8_t *own)
{
    const adder_mqtt_prop_t props[] = {
        {.id = ADDER_MQTT_PROP_SESSION_EXPIRY, .number = o->session_expiry_s},
        {.id = ADDER_MQTT_PROP_RECEIVE_MAXIMUM, .number = c->n_ids},
        {.id = ADDER_MQTT_PROP_MAXIMUM_PACKET, .number = c->packet_max},
        {.id = ADDER_MQTT_PROP_TOPIC_ALIAS_MAXIMUM, .number = c->n_aliases},
    };
    size_t len = 0;
    for (unsigned i = 0; i < sizeof props / sizeof props[0]; i++) {
        if (props[i].number != 0) {
            ADDER_IGNORE(adder_mqtt_prop_put(own, 16, &len, &props[i]), "they fit");
        }
    }
    return len;
}
#endif

#if ADDER_MQTT_V5
/* Limits and aliases are a connection's own. */
static void forget_server(adder_mqtt_t *m)
{
    const adder_mqtt_config_t *c = m->priv.c;
    m->server = (adder_mqtt_server_t){.packet_max = UINT32_MAX,
                                      .session_expiry_s = m->priv.o->session_expiry_s,
                                      .receive_max = UINT16_MAX,
                                      .keep_alive_s = m->priv.o->keep_alive_s,
                                      .qos_max = 2};
    m->priv.aliases = 0;
    for (unsigned i = 0; i < c->n_aliases; i++) {
        mqtt_put16(c->aliases + (size_t)i * c->alias_size, 0);
    }
}
#endif

adder_err_t adder_mqtt_connect(adder_mqtt_t *m, const adder_mqtt_connect_t *o, uint32_t now_ms)
{
    const uint8_t version = o->version != 0 ? o->version : 4;
    const bool is5 = ADDER_MQTT_V5 && version == 5;
    if (m->state != ADDER_MQTT_OFF) {
        return ADDER_ERR_STATE;
    }
    if (version != 4 && !is5) {
        return ADDER_ERR_UNSUPPORTED;
    }
    if (!options_fit(o, is5)) {
        return ADDER_ERR_ARG;
    }
    const adder_mqtt_msg_t *w = o->will;
    const size_t cap = m->priv.c->tx_cap;
    size_t head = 10 + 2 + o->client_id.len;
#if ADDER_MQTT_V5
    uint8_t own[16];
    const size_t own_len = is5 ? own_props(m->priv.c, o, own) : 0;
    if (o->props.len > cap || (w != NULL && w->props.len > cap)) {
        return ADDER_ERR_NOSPACE;
    }
    if (is5) {
        head += mqtt_varint_len((uint32_t)(own_len + o->props.len)) + own_len + o->props.len;
        head += w != NULL ? mqtt_varint_len((uint32_t)w->props.len) + w->props.len : 0;
    }
#endif
    head += w != NULL ? 2 + w->topic.len + 2 + w->payload_len : 0;
    head += o->user.at != NULL ? 2 + o->user.len : 0;
    head += o->password.at != NULL ? 2 : 0;
    const uint32_t remaining = (uint32_t)(head + o->password.len);
    head += 1 + mqtt_varint_len(remaining);
    const bool whole = head + o->password.len <= cap;
    if (head > cap) {
        return ADDER_ERR_NOSPACE;
    }

    m->priv.version = version;
    m->priv.o = o;
    m->reason = 0;
    m->by_server = m->session_present = false;
    m->server.keep_alive_s = o->keep_alive_s;
#if ADDER_MQTT_V5
    forget_server(m);
#endif
    uint8_t *p = mqtt_room(m, whole ? head + o->password.len : head);
    *p++ = CONNECT << 4;
    p = mqtt_put_varint(p, remaining);
    p = mqtt_put_bytes(p, "\0\4MQTT", 6);
    *p++ = version;
    *p++ =
        (uint8_t)((o->user.at != NULL ? 0x80u : 0) | (o->password.at != NULL ? 0x40u : 0) |
                  (w != NULL ? (w->retain ? 0x24u : 4u) | (unsigned)w->qos << 3 : 0) | (o->clean ? 2u : 0));
    p = mqtt_put16(p, o->keep_alive_s);
#if ADDER_MQTT_V5
    if (is5) {
        p = mqtt_put_varint(p, (uint32_t)(own_len + o->props.len));
        p = mqtt_put_bytes(p, own, own_len);
        p = mqtt_put_bytes(p, o->props.at, o->props.len);
    }
#endif
    p = mqtt_put_str(p, o->client_id);
    if (w != NULL) {
#if ADDER_MQTT_V5
        if (is5) {
            p = mqtt_put_varint(p, (uint32_t)w->props.len);
            p = mqtt_put_bytes(p, w->props.at, w->props.len);
        }
#endif
        p = mqtt_put_str(p, w->topic);
        p = mqtt_put_str(p, (adder_mqtt_str_t){(const char *)w->payload, w->payload_len});
    }
    if (o->user.at != NULL) {
        p = mqtt_put_str(p, o->user);
    }
    if (o->password.at != NULL) {
        p = mqtt_put16(p, (unsigned)o->password.len);
        if (whole) {
            mqtt_put_bytes(p, o->password.at, o->password.len);
        } else {
            m->priv.big_left = (uint32_t)o->password.len;
        }
    }
    m->state = ADDER_MQTT_CONNECTING;
    m->priv.now_ms = m->priv.out_ms = m->priv.in_ms = m->priv.wait_ms = now_ms;
    return ADDER_OK;
}
