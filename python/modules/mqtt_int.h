/* adder._mqtt: adder/mqtt_client.h under the pump, for python/lib/adder/mqtt.py, which programs import.
 *
 *   mqtt.c          class Client: its life, and the module
 *   mqtt_calls.c    its methods, none of which waits but wait()
 *   mqtt_take.c     those that take what has come
 *   mqtt_message.c  class Message
 *   mqtt_props.c    properties of MQTT 5.0 from a program's keywords, and topic aliases
 *   mqtt_run.c      what runs in the pump: C alone
 *   mqtt_inbox.c    messages between the pump and the program
 *   mqtt_store.c    the queue, the session and the inbox in a file
 *   mqtt_auth.c     enhanced authentication: the connection waits for the program's word
 *
 * The client lives beside the program: it connects, keeps alive, sends what is queued and takes what comes
 * into the inbox. The program takes it out of there on its own thread. While the inbox is full nothing is
 * received.
 *
 * A step of a TLS handshake takes milliseconds, with the pump's lock. So what a program asks all the time (is
 * there anything new? what is it? how do things stand?) needs no lock: the inbox and the acknowledgements are
 * rings with one writer, the pump, and one reader; the rest are single words. publish() can do without, too.
 */
#ifndef ADDER_PYTHON_MQTT_INT_H
#define ADDER_PYTHON_MQTT_INT_H

#include <stdatomic.h>

#include "adder/mqtt_transport.h"
#include "python/modules/net_socket.h"
#include "python/modules/ssl.h"

enum {
    MQTT_ITEMS = 32,
    MQTT_ACKS = 64, /* a power of 2, over MQTT_ITEMS */
    MQTT_SLOTS = 16,
    MQTT_IDS = 40,  /* twice what mosquitto sends at once where 3.1.1 sets it no bound */
    MQTT_RX = 2048, /* at least, and MQTT_BUFFER at most: */
    MQTT_TX = 4096,
    MQTT_BUFFER = 20480,
    MQTT_SHARE = 8,    /* this part of inbox and queue */
    MQTT_TOPIC = 2048, /* where its length matters, the longest one */
    MQTT_CONNECT_PROPS = 2048,
    MQTT_ALIASES = 32, /* what the engine remembers */
    MQTT_CANDIDATES = 16,
    MQTT_TOLD = 512,
    MQTT_CHALLENGE = 1536,
    MQTT_WEBSOCKET = 2048
};

/* ---- messages ---- */

/* A message in the inbox; topic, properties and payload follow. With a store that is its value there, too. */
typedef struct {
    uint32_t len; /* of the payload */
    uint32_t key; /* in the store; 0 = it is not there */
    uint16_t topic_len, props_len;
    uint8_t qos;
    bool retain, dup;
    uint8_t reserved; /* no padding: it is stored as it is */
} mqtt_record_t;
_Static_assert(sizeof(mqtt_record_t) == 16, "mqtt_record_t has padding");

/* Written by the pump alone, read by the program alone. */
typedef struct {
    uint8_t *bytes;
    size_t cap;
    atomic_size_t used; /* of messages that are whole */
    size_t write_at, read_at;
    size_t pending;      /* bytes of a whole message behind write_at that waits for commit */
    atomic_bool starved; /* one did not fit: the pump is to be poked */
    bool skipping;       /* the message under way does not fit at all */
} mqtt_inbox_t;

/* ADDER_ERR_AGAIN: no room now; NOSPACE: never. *whole_out: that was the last of its pieces. With a key a
 * whole message is not there for the reader before commit. */
adder_err_t mqtt_inbox_put(mqtt_inbox_t *b, const adder_mqtt_piece_t *piece, uint32_t key, bool *whole_out);
/* The pending message as a value of the store: it may go around the end. */
adder_store_change_t mqtt_inbox_value(const mqtt_inbox_t *b, uint32_t key);
/* The pending message is there, or, where it could not be stored, it never was. */
void mqtt_inbox_commit(mqtt_inbox_t *b, bool stored);
/* A value of `len` bytes of the store, once more. */
adder_err_t mqtt_inbox_load(mqtt_inbox_t *b, adder_store_t store, uint32_t key, size_t len);
/* The oldest, without what follows it; false: none. */
bool mqtt_inbox_first(mqtt_inbox_t *b, mqtt_record_t *r);
/* Bytes of the oldest message, `at` of them behind its record. */
void mqtt_inbox_copy(const mqtt_inbox_t *b, size_t at, void *to, size_t len);
/* True: the pump waits for room. */
bool mqtt_inbox_drop(mqtt_inbox_t *b, const mqtt_record_t *r);

extern const py_class_t mqtt_message_class;
/* The oldest of the inbox as a Message; it stays there. */
py_t mqtt_message_new(mqtt_inbox_t *b, const mqtt_record_t *r, py_t topic);

/* ---- properties ---- */

typedef enum { MQTT_FOR_MESSAGE, MQTT_FOR_WILL, MQTT_FOR_CONNECT } mqtt_target_t;

/* Properties of a dict of keywords, as bytes on the wire; empty for an empty dict. ValueError and TypeError
 * name the keyword. `version`: below 5 any property is one too many. */
py_t mqtt_props_new(py_t keywords, mqtt_target_t target, int version);

/* Topics that are published again and again get numbers, the first few of them and for good: what waits in
 * the queue for another connection may have one. The program's thread alone. */
typedef struct {
    uint16_t n, max; /* max 0: none are given */
    uint16_t next;   /* candidate to be replaced */
    uint32_t seen[MQTT_CANDIDATES];
    struct {
        char *topic; /* py_alloc() */
        size_t len;
    } known[MQTT_ALIASES];
} mqtt_aliases_t;

/* 0 = none. */
uint16_t mqtt_alias_of(mqtt_aliases_t *a, adder_mqtt_str_t topic);
void mqtt_aliases_drop(mqtt_aliases_t *a);

/* ---- the client ---- */

typedef struct mqtt_sub {
    adder_mqtt_sub_t sub; /* the filter's text lies behind the struct */
    uint32_t number;
    uint8_t props[8]; /* 5.0: SUBSCRIPTION_ID */
    struct mqtt_sub *next;
} mqtt_sub_t;

/* Properties that came with a packet, as far as they fit. */
typedef struct {
    uint8_t bytes[MQTT_TOLD];
    size_t len;
} mqtt_told_t;

/* With the pump's lock, but for what is atomic and what the pump does not touch. */
typedef struct mqtt_core {
    struct mqtt_core *next; /* all of them, for the end of the VM */
    adder_mqtt_client_t client;
    adder_conn_t conn;
    adder_mqtt_conn_t transport;
    adder_mqtt_websocket_t websocket;
    uint8_t *websocket_buf;
    char websocket_host[ADDER_NET_HOST_MAX + 8]; /* with its port */
    adder_conn_tls_t layer;
    ssl_config_t *ssl;
    adder_tls_t tls;
    bool in_tls;
    bool tls_failed; /* in this attempt */
    net_stack_t *stack;
    const adder_mcu_t *mcu;
    py_pump_t item;
    bool in_pump;
    bool changed;     /* there is something to be told, once `shown` is right */
    uint32_t news;    /* counts what is of interest to who waits */
    size_t asked_len; /* of a message that found no room; 0 = none has */
    adder_mqtt_msg_t will;
    mqtt_sub_t *subs;
    uint32_t next_number;
    mqtt_aliases_t aliases;
    mqtt_inbox_t inbox;
    struct {
        uint16_t id;
        uint8_t reason;
    } acks[MQTT_ACKS];
    atomic_uint acks_in, acks_out;
    /* Of the client, as it stood after the last call. */
    struct {
        atomic_uint changes; /* counts what is no message and no acknowledgement */
        atomic_uint state, cause, reason, connects, dropped, queued;
        atomic_bool present, refused; /* the latter: by TLS, and it will be the next time */
        _Atomic(const char *) why;    /* of TLS's failure; NULL = it was not that */
    } shown;
    uint32_t seen; /* of `changes`, by the program */
    bool unwanted; /* messages: the program has enough of them for now */
    mqtt_told_t welcome, goodbye;
    struct {
        adder_mqtt_str_t method; /* at NULL: none */
        adder_mqtt_transport_t below;
        uint8_t props[MQTT_CONNECT_PROPS]; /* of CONNECT */
        size_t own_len;                    /* those that stay */
        bool ready;                        /* what the program has to say first is in there */
        uint8_t asks;                      /* mqtt_asks_t */
        uint32_t since_ms;
        bool waits;
        uint8_t challenge[MQTT_CHALLENGE];
        size_t challenge_len;
        bool has_challenge;
    } auth;
    const adder_flash_t *flash; /* NULL: there is no store */
    adder_store_log_t log;
    struct {
        adder_store_change_t change; /* of the message that is being stored */
        uint32_t writes;             /* client.kept before it */
        uint32_t next, first;        /* keys: the next one given, the first that is not erased */
        uint32_t taken;              /* behind the last that the program has taken; its thread's */
        atomic_uint told;            /* behind the last that it needs no more */
    } kept;
    adder_mqtt_item_t items[MQTT_ITEMS];
    adder_mqtt_slot_t slots[MQTT_SLOTS];
    uint16_t ids[MQTT_IDS];
    uint8_t *rx, *tx;
    uint16_t rx_cap, tx_cap;
    uint8_t *arena, *alias_buf;
    size_t arena_len;
    char host[ADDER_NET_HOST_MAX + 1];
} mqtt_core_t;

typedef struct {
    py_field_t radio, context, texts, last_topic;
    mqtt_core_t *k;
} mqtt_client_t;

extern const py_method_t mqtt_client_methods[];
extern const py_arg_t mqtt_take_args[];
py_t mqtt_m_acks(py_t self, void *s, const py_val_t *a);
py_t mqtt_m_take(py_t self, void *s, const py_val_t *a);
py_t mqtt_m_forget(py_t self, void *s, const py_val_t *a);
extern const py_prop_t mqtt_client_props[];

/* Begin to run in the pump; leave it, closing the connection without a word. */
void mqtt_core_begin(mqtt_core_t *k);
void mqtt_core_end(mqtt_core_t *k);
/* Is there something for the program? Without the lock. */
bool mqtt_core_has_news(mqtt_core_t *k);
/* Acknowledgements that the program has not taken. */
unsigned mqtt_core_acks(mqtt_core_t *k);
/* With the lock: take over what the client's state is, after anything was done to it. */
void mqtt_core_show(mqtt_core_t *k);
uint32_t mqtt_core_now_ms(const mqtt_core_t *k);
/* What the client calls. */
adder_err_t mqtt_core_message(void *ctx, const adder_mqtt_piece_t *piece);
void mqtt_core_event(void *ctx, const adder_mqtt_event_t *event);
void mqtt_core_state(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause);
uint32_t mqtt_core_random(void *ctx);
adder_err_t mqtt_core_random_bytes(void *ctx, uint8_t *buf, size_t len);
/* TLS by a context of `ssl`. */
extern const adder_conn_tls_ops_t mqtt_core_tls_ops;

/* ---- the store ---- */

/* `path` on the drive; false with an exception. */
bool mqtt_store_open(mqtt_core_t *k, py_t path, uint32_t size, adder_store_t *out);
/* Before the client is made: what came and was not told yet into the inbox. False with an exception. */
bool mqtt_store_load(mqtt_core_t *k, adder_store_t store);
/* In the pump: the next key; store the pending message with its id; commit it, if it was stored; erase what
 * was told. */
uint32_t mqtt_store_key(const mqtt_core_t *k);
adder_err_t mqtt_store_keep(mqtt_core_t *k);
void mqtt_store_settle(mqtt_core_t *k);
void mqtt_store_forget(mqtt_core_t *k);
/* Once the pump has let go of the client. */
void mqtt_store_close(mqtt_core_t *k);

/* ---- authentication ---- */

typedef enum { MQTT_ASKS_NOTHING, MQTT_ASKS_FIRST, MQTT_ASKS_NEXT, MQTT_TELLS_LAST } mqtt_asks_t;

/* A transport over k->auth.below whose stream is there once the program has said its first word. */
adder_mqtt_transport_t mqtt_auth_transport(mqtt_core_t *k);
/* AUTH, or CONNACK, with the properties that it brought. */
void mqtt_auth_event(mqtt_core_t *k, const adder_mqtt_event_t *event);
/* The program's word; NULL: none. With the lock. */
adder_err_t mqtt_auth_answer(mqtt_core_t *k, const uint8_t *data, size_t len);
adder_err_t mqtt_auth_again(mqtt_core_t *k, const uint8_t *data, size_t len);

#endif
