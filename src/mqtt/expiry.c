/* What time takes off the expiry of messages that wait in the client's queue (3.3.2.3.3). */
#include "client_int.h"
#include "mqtt_int.h"

#if ADDER_MQTT_V5
/* Seconds off. True: it is too late. What the engine has was sent, or may have been, and has to be sent again
 * [MQTT-4.4.0-1]: one second is left to it. */
static bool age_item(adder_mqtt_item_t *item, uint32_t seconds)
{
    adder_mqtt_prop_t p;
    for (size_t at = 0; adder_mqtt_prop_next(item->msg.props, &at, &p);) {
        if (p.id == ADDER_MQTT_PROP_MESSAGE_EXPIRY) {
            const uint32_t left = seconds < p.number ? p.number - seconds : 1;
            uint8_t *props =
                (uint8_t *)(uintptr_t)item->msg.props.at; /* in the arena, which is ours to write */
            mqtt_put16(mqtt_put16(props + at - 4, left >> 16), left & 0xffff);
            return seconds >= p.number;
        }
    }
    return false;
}

void client_age(adder_mqtt_client_t *c, uint32_t now_ms)
{
    const uint32_t seconds = (now_ms - c->priv.aged_ms) / 1000;
    if (c->priv.c.connect.version != 5 || seconds == 0) {
        return;
    }
    c->priv.aged_ms += seconds * 1000;
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        adder_mqtt_item_t *item = &c->priv.c.items[i];
        const bool over = item->len > 0 && item->age == AGE_OLD && age_item(item, seconds);
        item->age = AGE_OLD;
        if (over && item->state == ITEM_QUEUED) {
            client_drop(c, item, ADDER_MQTT_REASON_UNSPECIFIED);
        }
    }
}
#else
void client_age(adder_mqtt_client_t *c, uint32_t now_ms)
{
    (void)c;
    (void)now_ms;
}
#endif
