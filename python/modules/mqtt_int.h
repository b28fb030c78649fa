/* adder._mqtt: adder/mqtt_client.h under the pump, for python/lib/adder/mqtt.py, which programs import.
 *
 *   mqtt.c      class Client and the module
 *   mqtt_run.c  what runs in the pump: C alone; the inbox between it and the program
 *
 * The client lives beside the program: it connects, keeps alive, sends what is queued and takes what comes
 * into the inbox. The program takes it out of there on its own thread. While the inbox is full nothing is
 * received. */
#ifndef ADDER_PYTHON_MQTT_INT_H
#define ADDER_PYTHON_MQTT_INT_H

#include "adder/mqtt_transport.h"
#include "python/modules/net_socket.h"
#include "python/modules/ssl.h"

enum {
    MQTT_IDENTIFIERS = 4,
    MQTT_ITEMS = 32,
    MQTT_SLOTS = 16,
    MQTT_IDS = 16,
    MQTT_RX = 2048,
    MQTT_TX = 4096
};

/* A message in the inbox; its topic and payload follow. */
typedef struct {
    uint32_t size; /* of all, a multiple of 8 */
    uint32_t len;
    uint16_t topic_len;
    uint8_t n_subs;
    uint8_t qos;
    bool retain, dup;
    uint32_t subs[MQTT_IDENTIFIERS]; /* 5.0: the subscriptions that it comes for, by number */
} mqtt_record_t;

typedef struct mqtt_sub {
    adder_mqtt_sub_t sub; /* the filter's text lies behind the struct */
    uint32_t number;
    uint8_t props[8]; /* 5.0: SUBSCRIPTION_ID */
    struct mqtt_sub *next;
} mqtt_sub_t;

typedef struct {
    uint16_t id;
    uint8_t reason;
} mqtt_ack_t;

/* All of it with the pump's lock, but for what the pump does not change. */
typedef struct mqtt_core {
    struct mqtt_core *next; /* all of them, for the end of the VM */
    adder_mqtt_client_t client;
    adder_conn_t conn;
    adder_mqtt_conn_t transport;
    adder_conn_tls_t layer;
    ssl_config_t *ssl;
    adder_tls_t tls;
    bool in_tls;
    net_stack_t *stack;
    const adder_mcu_t *mcu;
    py_pump_t item;
    bool in_pump;
    uint32_t news; /* counts messages, acknowledgements, changes of state */
    uint32_t dropped;
    adder_mqtt_msg_t will;
    mqtt_sub_t *subs;
    uint32_t next_number;
    uint8_t *inbox;
    size_t inbox_cap, inbox_len;
    bool skipping; /* the message under way does not fit in at all */
    mqtt_ack_t acks[MQTT_ITEMS];
    size_t n_acks;
    adder_mqtt_item_t items[MQTT_ITEMS];
    adder_mqtt_slot_t slots[MQTT_SLOTS];
    uint16_t ids[MQTT_IDS];
    uint8_t rx[MQTT_RX], tx[MQTT_TX];
    uint8_t *arena;
    char host[ADDER_NET_HOST_MAX + 1];
} mqtt_core_t;

/* Begin to run in the pump; leave it, closing the connection without a word. */
void mqtt_core_begin(mqtt_core_t *k);
void mqtt_core_end(mqtt_core_t *k);
/* What the client calls. */
adder_err_t mqtt_core_message(void *ctx, const adder_mqtt_piece_t *piece);
void mqtt_core_event(void *ctx, const adder_mqtt_event_t *event);
void mqtt_core_state(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause);
uint32_t mqtt_core_random(void *ctx);
/* TLS by a context of `ssl`. */
extern const adder_conn_tls_ops_t mqtt_core_tls_ops;
/* The oldest message, NULL = none. It stays until drop(), which takes the lock. */
const mqtt_record_t *mqtt_core_first(mqtt_core_t *k);
void mqtt_core_drop(mqtt_core_t *k);

#endif
