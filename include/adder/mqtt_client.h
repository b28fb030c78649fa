/* An MQTT client that stays connected: any transport, reconnecting, subscriptions, a queue, a store.
 *
 *     static adder_mqtt_client_t c;
 *     err = adder_mqtt_client_init(&c, &config);
 *     static adder_mqtt_sub_t room = {.route = {.filter = {"home/+/t", 8}, .fn = show}, .qos = 1};
 *     err = adder_mqtt_client_subscribe(&c, &room);           // now, and after each reconnection
 *     adder_mqtt_client_start(&c, now_ms);
 *     for (;;) {
 *         adder_mqtt_client_tick(&c, now_ms, &wants);         // ticks the engine, moves bytes
 *         wait_for(&wants);                                   // and the stack, as its owner does
 *         err = adder_mqtt_client_publish(&c, &msg);          // copied to the queue
 *     }
 *
 * Connection. What is lost is built up again after a pause: back_off_min_ms, doubled up to back_off_max_ms,
 * of which half is certain and half drawn at random. A connection that lasted as long as the pause before
 * it begins with the shortest one again. What will not change by asking again stops the client: FAILED, for
 * a refused login, client id or version, a ban, a server that moved, a session taken over by another client.
 * Subscriptions are the caller's structs, linked. They are asked for with their own QoS and options whenever
 * the server has no session with them, at most 5 filters a packet (what the clouds take).
 * Queue. Messages of QoS 1 and 2, and of QoS 0 where `queue_qos0` says so, are kept until they are done, in
 * order, in the caller's `arena`. When it is full: REFUSE gives AGAIN; DROP_NEWEST drops the new one;
 * DROP_OLDEST drops the oldest that are not in flight. c.dropped counts. With QoS 0 on a connection that
 * has room nothing is queued.
 * Expiry (5.0) of messages in the queue is reduced by the whole seconds that they wait, as far as tick() sees
 * them: not by time without power. What expires before it was given to the engine is not sent: DONE with
 * UNSPECIFIED, and c.dropped counts.
 * Store. With one, messages of the queue (not of QoS 0) and the ids of QoS 2 messages received survive a
 * power cut at any write: none is lost, and none of QoS 2 comes twice while the server keeps the session
 * (`clean` false). What the callback of a QoS 2 message wants to keep of it goes into the same write by
 * adder_mqtt_client_keep(): so it happens exactly once. A result that lives in RAM alone is gone with it.
 *
 * Callbacks come from tick(); they may call what this header has but tick, start and init.
 * Threading: one thread at a time. RAM on 32 bits: 328 bytes and what the configuration names; stack
 * 530 and what transport and callbacks take; code 4.6 kB beside the engine. */
#ifndef ADDER_MQTT_CLIENT_H
#define ADDER_MQTT_CLIENT_H

#include "adder/mqtt.h"
#include "adder/mqtt_match.h"
#include "adder/store.h"
#include "adder/stream.h"

/* ---- transports ---- */

/* What brings a stream. adder/mqtt_transport.h has those over a network, with TLS, ALPN and WebSocket. */
typedef struct {
    adder_err_t (*open)(void *ctx, uint32_t now_ms);
    /* ADDER_ERR_AGAIN until there is a stream (ADDER_OK) or none (the cause); again in *wait_ms_out. */
    adder_err_t (*tick)(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out);
    adder_stream_t (*stream)(void *ctx);  /* after OK, until close */
    void (*close)(void *ctx, bool abort); /* in any state, also twice */
} adder_mqtt_transport_ops_t;

typedef struct {
    const adder_mqtt_transport_ops_t *ops;
    void *ctx;
} adder_mqtt_transport_t;

/* ---- configuration ---- */

typedef enum {
    ADDER_MQTT_QUEUE_REFUSE,
    ADDER_MQTT_QUEUE_DROP_NEWEST,
    ADDER_MQTT_QUEUE_DROP_OLDEST,
} adder_mqtt_queue_policy_t;

/* A message in the queue. Zeroed = free. Private. */
typedef struct {
    adder_mqtt_msg_t msg;
    uint32_t len; /* bytes in the arena, whose order is the queue's; 0 = free */
    uint16_t id;
    uint8_t state;
    uint8_t age;
} adder_mqtt_item_t;

typedef enum {
    ADDER_MQTT_CLIENT_STOPPED,
    ADDER_MQTT_CLIENT_PAUSE,   /* until the next attempt */
    ADDER_MQTT_CLIENT_OPENING, /* the transport */
    ADDER_MQTT_CLIENT_CONNECTING,
    ADDER_MQTT_CLIENT_ON,
    ADDER_MQTT_CLIENT_STOPPING, /* DISCONNECT is to leave */
    ADDER_MQTT_CLIENT_FAILED,   /* start() tries again */
} adder_mqtt_client_state_t;

typedef struct {
    adder_mqtt_transport_t transport;
    adder_mqtt_connect_t connect; /* what it points at is borrowed for good */
    adder_mqtt_config_t engine; /* buffers and limits; `message`, `event`, `ctx`, `first_id` are ours. Slots:
                                 * at least 2, one is left for subscribing */
    adder_mqtt_item_t *items;
    size_t n_items;
    uint8_t *arena;
    size_t arena_len;
    adder_mqtt_queue_policy_t policy;
    bool queue_qos0;
    adder_store_t store;           /* ops NULL = none */
    uint8_t store_kind;            /* highest byte of our keys: several clients, one store */
    uint32_t back_off_min_ms;      /* 0 = 1 s */
    uint32_t back_off_max_ms;      /* 0 = 120 s */
    uint32_t (*random)(void *ctx); /* for the pauses; NULL = none are drawn */
    void *random_ctx;
    /* Each may be NULL. Messages that no subscription's route has matched: as adder_mqtt_config_t.message. */
    adder_err_t (*message)(void *ctx, const adder_mqtt_piece_t *piece);
    void (*event)(void *ctx, const adder_mqtt_event_t *event); /* the engine's */
    void (*state)(void *ctx, adder_mqtt_client_state_t state, adder_err_t cause);
    void *ctx;
} adder_mqtt_client_config_t;

/* A subscription: filter and callback (route.fn NULL: messages go to config.message), and its options. The
 * caller's until unsubscribe or the client's end. */
typedef struct adder_mqtt_sub {
    adder_mqtt_route_t route;
    adder_mqtt_props_t props; /* 5.0: SUBSCRIPTION_ID, USER; sent in a packet of its own */
    uint8_t qos;
    bool no_local, retain_as_published;
    uint8_t retain_handling;
    uint8_t granted; /* for reading: 0..2 or 0x80..; 0xff = not yet */
    uint8_t asked;   /* private */
    uint16_t id;
    struct adder_mqtt_sub *next;
} adder_mqtt_sub_t;

/* What stands outside of `priv` is for reading. */
typedef struct {
    adder_mqtt_t mqtt; /* publish() with memory of one's own, session_present, reason, server */
    uint8_t state;     /* adder_mqtt_client_state_t */
    adder_err_t cause; /* of the last connection's end */
    uint32_t connects, dropped;
    uint32_t kept; /* writes of adder_mqtt_client_keep() that are in the store */
    struct {
        adder_mqtt_client_config_t c;
        adder_mqtt_router_t router;
        adder_mqtt_sub_t *subs;
        adder_stream_t stream;
        const adder_store_change_t *keep;
        size_t n_keep;
        size_t arena_at, arena_used;
        uint32_t since_ms, pause_ms, base_ms;
        uint32_t aged_ms; /* up to when the time in the queue is taken off */
        uint16_t next_id;
        uint16_t told_id; /* a message that was taken, and its id could not be stored */
        bool keepable, final, again_out;
    } priv;
} adder_mqtt_client_t;

/* Copies the configuration and takes up what is in the store. The client must not move.
 * ADDER_ERR_ARG: as adder_mqtt_init(); no transport, fewer than 2 slots; else the store's cause.
 * ADDER_ERR_NOSPACE: what is in the store does not fit items or arena. */
adder_err_t adder_mqtt_client_init(adder_mqtt_client_t *c,
                                   const adder_mqtt_client_config_t *config) ADDER_MUST_USE;

/* Connect and stay so. STATE: under way already. */
adder_err_t adder_mqtt_client_start(adder_mqtt_client_t *c, uint32_t now_ms) ADDER_MUST_USE;
/* Say goodbye and stay off; tick() until STOPPED (at most 2 s). The session and the queue stay. */
void adder_mqtt_client_stop(adder_mqtt_client_t *c, uint32_t now_ms);

typedef struct {
    bool in, out; /* wait until the stream can be read, written */
    uint32_t wait_ms;
} adder_mqtt_client_wants_t;

/* Get on: at most 16 packets' worth of receiving a call. Never fails: see `state` and `cause`. */
void adder_mqtt_client_tick(adder_mqtt_client_t *c, uint32_t now_ms, adder_mqtt_client_wants_t *wants_out);

/* Queue a message, copied with all it points at (no `read`).
 *   id_out    0 for QoS 0; DONE comes with it; may be NULL
 *   ADDER_ERR_AGAIN    REFUSE, and there is no room
 *   ADDER_ERR_NOSPACE  longer than the arena; or, with a store, than that has room
 *   ADDER_ERR_STATE    QoS 0, not connected, and `queue_qos0` is not set
 *   others             as adder_mqtt_publish(), the store's
 * With a store it is safe when this returns OK. */
adder_err_t adder_mqtt_client_publish(adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg,
                                      uint16_t *id_out) ADDER_MUST_USE;
/* Messages in the queue. */
size_t adder_mqtt_client_queued(const adder_mqtt_client_t *c);
/* The longest message (topic, properties and payload) that it has room for now. */
size_t adder_mqtt_client_room(const adder_mqtt_client_t *c);

/* 5.0: properties of the connections that begin from here on, in place of `connect.props`; borrowed. */
void adder_mqtt_client_set_props(adder_mqtt_client_t *c, adder_mqtt_props_t props);

/* ADDER_ERR_ARG: not a filter, QoS over 2. ADDER_ERR_IN_USE: this struct is linked already. */
adder_err_t adder_mqtt_client_subscribe(adder_mqtt_client_t *c, adder_mqtt_sub_t *sub) ADDER_MUST_USE;
/* Unlinked in any case. AGAIN: no room to tell the server now; NOT_FOUND: not linked. */
adder_err_t adder_mqtt_client_unsubscribe(adder_mqtt_client_t *c, adder_mqtt_sub_t *sub) ADDER_MUST_USE;

/* In the callback of the last piece of a message: keep these too, in the write that remembers the id of QoS
 * 2, before the answer. The array, at most 8 long, and its bytes must stay valid until tick() returns. Keys
 * whose highest byte is `store_kind` are ours. If the write fails the connection ends and the message comes
 * again. ADDER_ERR_STATE: not there, or no store; ADDER_ERR_ARG: too many. */
adder_err_t adder_mqtt_client_keep(adder_mqtt_client_t *c, const adder_store_change_t *changes,
                                   size_t n) ADDER_MUST_USE;

#endif
