/* Shared by the client's files; see adder/mqtt_client.h. */
#ifndef MQTT_CLIENT_INT_H
#define MQTT_CLIENT_INT_H

#include "adder/mqtt_client.h"

/* GIVEN: the engine has it; DROPPED: its end is being told; ENDED: it is over, but the store could not be
 * told. */
enum { ITEM_QUEUED, ITEM_GIVEN, ITEM_DROPPED, ITEM_ENDED };

/* adder_mqtt_item_t.age. NEW: queued since the last look at the clock. */
enum { AGE_NEW, AGE_OLD };

/* The highest byte of a key is the configuration's, then the kind, then the id. */
enum { KEY_OUT = 1, KEY_RELEASED = 2, KEY_IN = 3 };

uint32_t client_key(const adder_mqtt_client_t *c, unsigned kind, uint16_t id);
/* ADDER_OK too without a store. */
adder_err_t client_write(const adder_mqtt_client_t *c, const adder_store_change_t *changes, size_t n);

/* queue.c */
adder_err_t client_restore(adder_mqtt_client_t *c);
/* What the engine has room for. */
void client_feed(adder_mqtt_client_t *c);
/* It will not be sent: told, and out of the queue. */
void client_drop(adder_mqtt_client_t *c, adder_mqtt_item_t *item, uint8_t reason);
/* A message is over: out of the queue and the store. */
adder_err_t client_done(adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg);
/* QoS 0 that was given: what has left, or cannot any more, makes room. */
void client_sweep(adder_mqtt_client_t *c);
adder_err_t client_drop_ids(adder_mqtt_client_t *c);

/* expiry.c: of messages, by time */
void client_age(adder_mqtt_client_t *c, uint32_t now_ms);

/* subscriptions.c */
void client_ask(adder_mqtt_client_t *c);
void client_granted(adder_mqtt_client_t *c, const adder_mqtt_event_t *e);
void client_new_connection(adder_mqtt_client_t *c);

#endif
