/* The client's subscriptions: asked for again whenever the server does not have them. */
#include <string.h>

#include "client_int.h"

enum { BATCH = 5 }; /* filters a packet: what the clouds take */
enum { NOT_ASKED, ASKED };
enum { NOT_GRANTED = 0xff };

static adder_mqtt_filter_t filter_of(const adder_mqtt_sub_t *s)
{
    return (adder_mqtt_filter_t){.filter = s->route.filter,
                                 .qos = s->qos,
                                 .no_local = s->no_local,
                                 .retain_as_published = s->retain_as_published,
                                 .retain_handling = s->retain_handling};
}

/* From `s` on, up to `max` that go into one packet. ADDER_ERR_NOT_FOUND: none is left. */
static adder_err_t ask_some(adder_mqtt_client_t *c, size_t max, bool *single_out)
{
    adder_mqtt_filter_t filters[BATCH];
    adder_mqtt_sub_t *subs[BATCH];
    adder_mqtt_props_t props = {NULL, 0};
    size_t n = 0;
    for (adder_mqtt_sub_t *s = c->priv.subs; s != NULL && n < max && props.len == 0; s = s->next) {
        if (s->asked != NOT_ASKED || (n > 0 && s->props.len > 0)) {
            continue;
        }
        props = s->props;
        filters[n] = filter_of(s);
        subs[n++] = s;
    }
    if (n == 0) {
        return ADDER_ERR_NOT_FOUND;
    }
    uint16_t id = 0;
    const adder_err_t err = adder_mqtt_subscribe(&c->mqtt, filters, n, props, &id);
    *single_out = n == 1;
    for (size_t i = 0; i < n && (err == ADDER_OK || n == 1) && err != ADDER_ERR_AGAIN; i++) {
        subs[i]->asked = ASKED;
        subs[i]->id = id;
        subs[i]->granted = err == ADDER_OK ? NOT_GRANTED : ADDER_MQTT_REASON_IMPLEMENTATION;
    }
    return err;
}

void client_ask(adder_mqtt_client_t *c)
{
    size_t max = BATCH;
    while (c->mqtt.state == ADDER_MQTT_ON) {
        bool single = false;
        const adder_err_t err = ask_some(c, max, &single);
        if (err == ADDER_ERR_NOT_FOUND || err == ADDER_ERR_AGAIN || err == ADDER_ERR_STATE) {
            return;
        }
        if (err != ADDER_OK && !single) {
            max = 1; /* one of them cannot be asked for here, or together they are too long */
        }
    }
}

void client_granted(adder_mqtt_client_t *c, const adder_mqtt_event_t *e)
{
    size_t i = 0;
    for (adder_mqtt_sub_t *s = c->priv.subs; s != NULL && i < e->n_codes; s = s->next) {
        if (s->asked == ASKED && s->id == e->id && s->granted == NOT_GRANTED) {
            s->granted = e->codes[i++];
        }
    }
}

void client_new_connection(adder_mqtt_client_t *c)
{
    for (adder_mqtt_sub_t *s = c->priv.subs; s != NULL; s = s->next) {
        if (!c->mqtt.session_present || s->granted == NOT_GRANTED) {
            s->asked = NOT_ASKED;
            s->granted = NOT_GRANTED;
        }
    }
}

adder_err_t adder_mqtt_client_subscribe(adder_mqtt_client_t *c, adder_mqtt_sub_t *sub)
{
    adder_mqtt_sub_t **at = &c->priv.subs;
    for (; *at != NULL; at = &(*at)->next) {
        if (*at == sub) {
            return ADDER_ERR_IN_USE;
        }
    }
    if (sub->qos > 2 || sub->retain_handling > 2) {
        return ADDER_ERR_ARG;
    }
    const adder_err_t err = adder_mqtt_router_add(&c->priv.router, &sub->route);
    if (err != ADDER_OK) {
        return err;
    }
    sub->asked = NOT_ASKED;
    sub->granted = NOT_GRANTED;
    sub->id = 0;
    sub->next = NULL;
    *at = sub;
    return ADDER_OK;
}

adder_err_t adder_mqtt_client_unsubscribe(adder_mqtt_client_t *c, adder_mqtt_sub_t *sub)
{
    adder_mqtt_sub_t **at = &c->priv.subs;
    while (*at != NULL && *at != sub) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        return ADDER_ERR_NOT_FOUND;
    }
    *at = sub->next;
    adder_mqtt_router_remove(&c->priv.router, &sub->route);
    for (const adder_mqtt_sub_t *s = c->priv.subs; s != NULL; s = s->next) {
        if (s->route.filter.len == sub->route.filter.len &&
            memcmp(s->route.filter.at, sub->route.filter.at, sub->route.filter.len) == 0) {
            return ADDER_OK; /* another one still wants it */
        }
    }
    const adder_mqtt_filter_t filter = filter_of(sub);
    return c->mqtt.state != ADDER_MQTT_ON || sub->asked == NOT_ASKED
               ? ADDER_OK
               : adder_mqtt_unsubscribe(&c->mqtt, &filter, 1, (adder_mqtt_props_t){NULL, 0}, NULL);
}
