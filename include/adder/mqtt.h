/* An MQTT client engine, 3.1.1 and 5.0 (OASIS standards): bytes in, bytes out. No I/O, no clock, no heap.
 *
 *     err = adder_mqtt_init(&m, &config);                    // callbacks and buffers
 *     err = adder_mqtt_connect(&m, &options, now_ms);
 *     do {
 *         err = adder_mqtt_tick(&m, now_ms);                 // callbacks come from here
 *         while (adder_mqtt_out(&m, &bytes, &len) && send(bytes, len, &n) == ADDER_OK)
 *             adder_mqtt_out_done(&m, n);
 *         if (adder_mqtt_in(&m, &buf, &cap) && recv(buf, cap, &n) == ADDER_OK)
 *             adder_mqtt_in_done(&m, n);
 *         adder_mqtt_wants(&m, now_ms, &wants);              // what to wait for, and until when
 *     } while (!wants.close);                                // err says why
 *     adder_mqtt_lost(&m);                                   // the session stays; connect() again resumes it
 *
 * adder/mqtt_client.h does all that over any transport, and reconnects; adder/mqtt_match.h brings messages
 * to callbacks by their filters.
 *
 * Sending. Packets are gathered in the caller's `tx`: what is published between two calls of out() leaves in
 * one piece. A payload that does not fit there is not copied: out() gives it from the caller's memory, or
 * asks for it piece by piece (adder_mqtt_msg_t.read). Topic and properties always go through `tx`, and so
 * does CONNECT but for its password, which may be of any length.
 * Receiving. Packets are looked at where they were received, in the caller's `rx`. A PUBLISH longer than that
 * comes as several pieces; topic and properties have to fit. A longer packet of another kind, or a longer
 * topic, ends the connection (QUOTA_EXCEEDED).
 * Sessions. Slots and received ids are the session state. They stay over lost(), and are sent again in their
 * order when the server still has the session. Without it, what was not acknowledged is published anew (at
 * least once; what the server has answered with PUBREC is done).
 *
 * A message's expiry (5.0) is passed on as it is given: the time that it waits here is not taken off. A
 * password that fits `tx` stays there until other packets take its place: wipe `tx` where that matters.
 * (adder/mqtt_client.h does both.)
 *
 * Received ids. More QoS 2 messages under way than `n_ids` are left unanswered, in order, and fetched on a
 * connection anew (NOMEM, RECEIVE_MAXIMUM): 3.1.1 sets a server no bound, and mosquitto 2.0.11 keeps to none.
 * An id that the server has not named again when it sends what is new is dropped if its place is needed: the
 * server has lost its memory. The build without 5.0 has no room for either and ends the connection.
 *
 * The peer is not trusted. What is malformed or out of order ends the connection as the standards say: with
 * 5.0 a DISCONNECT with its reason code leaves first, with 3.1.1 nothing. `m.reason` says why in either case.
 *
 * Threading: one thread at a time. `message` and `event` come from tick() only. They may call publish,
 * subscribe, unsubscribe, auth, ping and disconnect, nothing else. RAM on 32 bits: 88 bytes, 8 for each slot,
 * 2 for each id, and the buffers: `rx` of 64 and `tx` of 64 are the least that is useful. Code on a
 * Cortex-M4: 6.1 kB for 3.1.1 alone, 10.5 kB with 5.0 (./check holds them below 6 and 12 KiB).
 *
 * Invariants under any bytes from the server (fuzzed):
 *   1. nothing outside of `rx` is read or written, and nothing outside of `tx` is written;
 *   2. a message's topic is well-formed UTF-8 of 1..65535 bytes without NUL and wildcards, and its pieces
 *      lie one behind the other, each within `total`;
 *   3. a QoS 2 id is handed over once between its first PUBLISH and its PUBREL;
 *   4. every message taken with QoS 1 or 2 is told DONE once at most, and `holds` is false from there on;
 *   5. an error stays until lost() or connect(); after it no callback comes;
 *   6. properties handed over are well-formed, allowed in their packet and, where they must be, single. */
#ifndef ADDER_MQTT_H
#define ADDER_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* 0 leaves MQTT 5.0 out: half of the code. connect() with version 5 is then UNSUPPORTED. */
#ifndef ADDER_MQTT_V5
#define ADDER_MQTT_V5 1
#endif

#define ADDER_MQTT_PACKET_MAX 268435460u /* bytes of the longest packet there can be */

/* Somebody's bytes, not terminated; text is UTF-8. */
typedef struct {
    const char *at;
    size_t len;
} adder_mqtt_str_t;

/* ---- reason codes (5.0 section 2.4); 3.1.1's own troubles are told in the same ones ---- */

/* clang-format off */
#define ADDER_MQTT_REASONS(X)                                                                                \
    X(SUCCESS,               0x00, "success")                                                                \
    X(GRANTED_1,             0x01, "granted QoS 1")                                                          \
    X(GRANTED_2,             0x02, "granted QoS 2")                                                          \
    X(DISCONNECT_WITH_WILL,  0x04, "disconnect with will message")                                           \
    X(NO_SUBSCRIBERS,        0x10, "no matching subscribers")                                                \
    X(NO_SUBSCRIPTION,       0x11, "no subscription existed")                                                \
    X(CONTINUE_AUTH,         0x18, "continue authentication")                                                \
    X(REAUTHENTICATE,        0x19, "re-authenticate")                                                        \
    X(UNSPECIFIED,           0x80, "unspecified error")                                                      \
    X(MALFORMED,             0x81, "malformed packet")                                                       \
    X(PROTOCOL,              0x82, "protocol error")                                                         \
    X(IMPLEMENTATION,        0x83, "implementation specific error")                                          \
    X(VERSION,               0x84, "unsupported protocol version")                                           \
    X(CLIENT_ID,             0x85, "client identifier not valid")                                            \
    X(BAD_LOGIN,             0x86, "bad user name or password")                                              \
    X(NOT_AUTHORIZED,        0x87, "not authorized")                                                         \
    X(SERVER_UNAVAILABLE,    0x88, "server unavailable")                                                     \
    X(SERVER_BUSY,           0x89, "server busy")                                                            \
    X(BANNED,                0x8a, "banned")                                                                 \
    X(SHUTTING_DOWN,         0x8b, "server shutting down")                                                   \
    X(BAD_AUTH_METHOD,       0x8c, "bad authentication method")                                              \
    X(KEEP_ALIVE,            0x8d, "keep alive timeout")                                                     \
    X(TAKEN_OVER,            0x8e, "session taken over")                                                     \
    X(FILTER_INVALID,        0x8f, "topic filter invalid")                                                   \
    X(TOPIC_INVALID,         0x90, "topic name invalid")                                                     \
    X(ID_IN_USE,             0x91, "packet identifier in use")                                               \
    X(ID_NOT_FOUND,          0x92, "packet identifier not found")                                            \
    X(RECEIVE_MAXIMUM,       0x93, "receive maximum exceeded")                                               \
    X(ALIAS_INVALID,         0x94, "topic alias invalid")                                                    \
    X(TOO_LARGE,             0x95, "packet too large")                                                       \
    X(RATE_TOO_HIGH,         0x96, "message rate too high")                                                  \
    X(QUOTA_EXCEEDED,        0x97, "quota exceeded")                                                         \
    X(ADMINISTRATIVE,        0x98, "administrative action")                                                  \
    X(PAYLOAD_FORMAT,        0x99, "payload format invalid")                                                 \
    X(RETAIN_UNSUPPORTED,    0x9a, "retain not supported")                                                   \
    X(QOS_UNSUPPORTED,       0x9b, "QoS not supported")                                                      \
    X(USE_ANOTHER_SERVER,    0x9c, "use another server")                                                     \
    X(SERVER_MOVED,          0x9d, "server moved")                                                           \
    X(SHARED_UNSUPPORTED,    0x9e, "shared subscriptions not supported")                                     \
    X(CONNECTION_RATE,       0x9f, "connection rate exceeded")                                               \
    X(CONNECT_TIME,          0xa0, "maximum connect time")                                                   \
    X(SUB_ID_UNSUPPORTED,    0xa1, "subscription identifiers not supported")                                 \
    X(WILDCARDS_UNSUPPORTED, 0xa2, "wildcard subscriptions not supported")
/* clang-format on */

enum {
#define ADDER_MQTT_REASON_ENUM(name, code, text) ADDER_MQTT_REASON_##name = code,
    ADDER_MQTT_REASONS(ADDER_MQTT_REASON_ENUM)
#undef ADDER_MQTT_REASON_ENUM
};

/* English, never NULL; "unknown reason" for others. */
const char *adder_mqtt_reason_str(uint8_t reason);

/* ---- properties (5.0 section 2.2.2) ---- */

enum {
    ADDER_MQTT_PROP_PAYLOAD_FORMAT = 0x01,
    ADDER_MQTT_PROP_MESSAGE_EXPIRY = 0x02,
    ADDER_MQTT_PROP_CONTENT_TYPE = 0x03,
    ADDER_MQTT_PROP_RESPONSE_TOPIC = 0x08,
    ADDER_MQTT_PROP_CORRELATION_DATA = 0x09,
    ADDER_MQTT_PROP_SUBSCRIPTION_ID = 0x0b,
    ADDER_MQTT_PROP_SESSION_EXPIRY = 0x11,
    ADDER_MQTT_PROP_ASSIGNED_CLIENT_ID = 0x12,
    ADDER_MQTT_PROP_SERVER_KEEP_ALIVE = 0x13,
    ADDER_MQTT_PROP_AUTH_METHOD = 0x15,
    ADDER_MQTT_PROP_AUTH_DATA = 0x16,
    ADDER_MQTT_PROP_REQUEST_PROBLEM_INFO = 0x17,
    ADDER_MQTT_PROP_WILL_DELAY = 0x18,
    ADDER_MQTT_PROP_REQUEST_RESPONSE_INFO = 0x19,
    ADDER_MQTT_PROP_RESPONSE_INFO = 0x1a,
    ADDER_MQTT_PROP_SERVER_REFERENCE = 0x1c,
    ADDER_MQTT_PROP_REASON_STRING = 0x1f,
    ADDER_MQTT_PROP_RECEIVE_MAXIMUM = 0x21,
    ADDER_MQTT_PROP_TOPIC_ALIAS_MAXIMUM = 0x22,
    ADDER_MQTT_PROP_TOPIC_ALIAS = 0x23,
    ADDER_MQTT_PROP_MAXIMUM_QOS = 0x24,
    ADDER_MQTT_PROP_RETAIN_AVAILABLE = 0x25,
    ADDER_MQTT_PROP_USER = 0x26,
    ADDER_MQTT_PROP_MAXIMUM_PACKET = 0x27,
    ADDER_MQTT_PROP_WILDCARDS_AVAILABLE = 0x28,
    ADDER_MQTT_PROP_SUB_ID_AVAILABLE = 0x29,
    ADDER_MQTT_PROP_SHARED_AVAILABLE = 0x2a,
};

typedef struct {
    uint8_t id;
    uint32_t number;        /* bytes, integers, booleans */
    adder_mqtt_str_t text;  /* strings, binary data; the name of a user property */
    adder_mqtt_str_t value; /* of a user property */
} adder_mqtt_prop_t;

/* Properties as they stand on the wire, without their length: what a packet brought, or what was written by
 * the calls below. Zeroed = none. Ignored with 3.1.1. */
typedef struct {
    const uint8_t *at;
    size_t len;
} adder_mqtt_props_t;

/* The next of them; `*at` starts at 0. False: there is no more (or what is there is not well-formed). */
bool adder_mqtt_prop_next(adder_mqtt_props_t props, size_t *at, adder_mqtt_prop_t *out);
/* The first with that id. */
bool adder_mqtt_prop_find(adder_mqtt_props_t props, uint8_t id, adder_mqtt_prop_t *out);
/* Append one to buf[*len..cap). ADDER_ERR_NOSPACE; ADDER_ERR_ARG: no such id, text over 65535 bytes. Whether
 * it may stand in a packet is seen where it is given to one. */
adder_err_t adder_mqtt_prop_put(uint8_t *buf, size_t cap, size_t *len,
                                const adder_mqtt_prop_t *prop) ADDER_MUST_USE;

/* ---- messages ---- */

/* Bytes of a payload from `offset` on: 1..cap of them. Called by out(). ADDER_ERR_AGAIN: not now. Any other
 * error ends the connection with that cause (a packet begun must be finished); the message stays in its slot.
 */
typedef adder_err_t (*adder_mqtt_read_fn)(void *ctx, uint32_t offset, uint8_t *buf, size_t cap,
                                          size_t *n_out);

/* A message to publish, or a will. */
typedef struct {
    adder_mqtt_str_t topic;
    const uint8_t *payload;
    uint32_t payload_len;
    adder_mqtt_read_fn read; /* instead of `payload`; asked again from 0 when it has to be sent again */
    void *read_ctx;
    adder_mqtt_props_t props; /* 5.0. Not TOPIC_ALIAS: */
    uint16_t alias; /* 5.0: 1.. stands for this topic, always the same one on a connection: sent once, then
                     * left out (the first 32; more are no use). Not used above the server's maximum */
    uint8_t qos;
    bool retain;
} adder_mqtt_msg_t;

/* A piece of a message that came; all of it at once when it fits `rx`. Valid during the callback. */
typedef struct {
    adder_mqtt_str_t topic;
    const uint8_t *payload; /* bytes offset..offset+len of total */
    uint32_t len, offset, total;
    adder_mqtt_props_t props;
    uint16_t id; /* 0 with QoS 0 */
    uint8_t qos;
    bool retain, dup;
} adder_mqtt_piece_t;

typedef struct {
    adder_mqtt_str_t filter;
    uint8_t qos;
    /* 5.0 (section 3.8.3.1) */
    bool no_local, retain_as_published;
    uint8_t retain_handling; /* 0 send retained ones, 1 only if the subscription is new, 2 do not */
} adder_mqtt_filter_t;

/* ---- configuration ---- */

typedef enum {
    ADDER_MQTT_CONNECTED,    /* CONNACK: reason 0, props, session_present in the context */
    ADDER_MQTT_REFUSED,      /* CONNACK: reason (3.1.1: its code 1..5), props: SERVER_REFERENCE, ... */
    ADDER_MQTT_SUBSCRIBED,   /* SUBACK: id, codes, n_codes: granted QoS or 0x80.. */
    ADDER_MQTT_UNSUBSCRIBED, /* UNSUBACK: id; 5.0: codes */
    ADDER_MQTT_DONE,         /* a QoS 1 or 2 message is over: id, msg, reason (0x80..: refused, lost) */
    ADDER_MQTT_RECEIVED,     /* PUBREC came: id, msg; PUBREL follows when this returns OK */
    ADDER_MQTT_RELEASED,     /* PUBREL came: id; PUBCOMP follows when this returns OK. Or the id is dropped */
    ADDER_MQTT_AUTH,         /* AUTH came: reason, props; answer by adder_mqtt_auth(), now or later */
    ADDER_MQTT_PONG,         /* PINGRESP */
    ADDER_MQTT_GOODBYE,      /* DISCONNECT from the server: reason, props */
} adder_mqtt_event_kind_t;

typedef struct {
    adder_mqtt_event_kind_t kind;
    uint16_t id;
    uint8_t reason;
    const adder_mqtt_msg_t *msg;
    const uint8_t *codes;
    size_t n_codes;
    adder_mqtt_props_t props;
} adder_mqtt_event_t;

/* A publish, subscribe or unsubscribe under way. Private. */
typedef struct {
    const adder_mqtt_msg_t *msg;
    uint16_t id;
    uint8_t state;
    uint8_t count; /* filters asked for; DUP of a message */
} adder_mqtt_slot_t;

typedef struct {
    /* A piece of a message. ADDER_OK: taken; with the last one goes PUBACK or PUBREC. ADDER_ERR_AGAIN: not
     * now, tick() offers the same piece again and receives nothing until then. Others with 5.0, on the last
     * piece of a QoS 1 or 2 message, refuse it: FORMAT (PAYLOAD_FORMAT), NOSPACE, NOMEM (QUOTA_EXCEEDED),
     * else IMPLEMENTATION; on other pieces and with 3.1.1 they count as OK. */
    adder_err_t (*message)(void *ctx, const adder_mqtt_piece_t *piece);
    /* Any result but OK ends the connection with that cause, before an answer is sent. */
    adder_err_t (*event)(void *ctx, const adder_mqtt_event_t *event);
    void *ctx;
    uint8_t *rx, *tx;
    uint16_t rx_cap, tx_cap;
    adder_mqtt_slot_t *slots; /* publishes of QoS 1 and 2, subscribes and unsubscribes under way */
    uint16_t *ids;            /* QoS 2 messages received, until their PUBREL */
    uint16_t n_slots;
    uint16_t n_ids;      /* 5.0: also the receive maximum announced. 0: QoS 2 cannot be received */
    uint16_t first_id;   /* ids given out are first_id..65535; 0 = 1 */
    uint16_t timeout_ms; /* for CONNACK, PINGRESP; 0 = 10 s */
    uint32_t packet_max; /* longer packets are refused (5.0: announced); 0 = no limit */
    /* 5.0: topics that the server has aliases for, alias_size bytes each (2 more than the longest topic);
     * a longer one ends the connection. NULL and 0 = no aliases from the server */
    uint8_t *aliases;
    uint16_t n_aliases, alias_size;
} adder_mqtt_config_t;

typedef struct {
    adder_mqtt_str_t client_id;   /* may be empty: the server chooses one (3.1.1: `clean` must be true) */
    adder_mqtt_str_t user;        /* at = NULL: none */
    adder_mqtt_str_t password;    /* at = NULL: none; 3.1.1 has none without a user name */
    const adder_mqtt_msg_t *will; /* or NULL. It goes through `tx`; props may have WILL_DELAY; no `read` */
    adder_mqtt_props_t props;     /* 5.0. Not SESSION_EXPIRY, RECEIVE_MAXIMUM, MAXIMUM_PACKET and
                                   * TOPIC_ALIAS_MAXIMUM: these come from here and the configuration */
    uint32_t session_expiry_s;    /* 5.0; 0 = the session ends with the connection, UINT32_MAX = never */
    uint16_t keep_alive_s;        /* 0 = none */
    uint8_t version;              /* 4 = 3.1.1, 5 = 5.0; 0 = 4 */
    bool clean;                   /* begin a new session; 3.1.1: it also ends with the connection */
} adder_mqtt_connect_t;

/* ---- the engine ---- */

typedef enum {
    ADDER_MQTT_OFF,        /* no connection; connect() is possible */
    ADDER_MQTT_CONNECTING, /* until CONNACK */
    ADDER_MQTT_ON,
    ADDER_MQTT_CLOSING, /* a last DISCONNECT is to leave */
    ADDER_MQTT_OVER,    /* close the stream, then lost() */
} adder_mqtt_state_t;

/* What the server allows; without ADDER_MQTT_V5 there is keep_alive_s alone. */
typedef struct {
    uint32_t packet_max;
    uint32_t session_expiry_s; /* as granted */
    uint16_t receive_max;
    uint16_t alias_max;
    uint16_t keep_alive_s; /* in force */
    uint8_t qos_max;
    uint8_t no_retain : 1, no_wildcards : 1, no_sub_ids : 1, no_shared : 1;
} adder_mqtt_server_t;

/* What stands outside of `priv` is for reading. */
typedef struct {
    uint8_t state;  /* adder_mqtt_state_t */
    uint8_t reason; /* of the end: the server's (CONNACK, DISCONNECT), or ours for it */
    bool by_server; /* whose `reason` is */
    bool session_present;
    adder_mqtt_server_t server;
    struct {
        const adder_mqtt_config_t *c;
        const adder_mqtt_connect_t *o;
        const adder_mqtt_msg_t *big; /* payload under way from the caller's memory; NULL: the password */
        uint32_t big_left;
        uint32_t piece_at; /* bytes of the payload under way that were handed over */
        uint32_t now_ms, out_ms, in_ms, wait_ms;
        uint32_t aliases;                          /* sent on this connection */
        uint16_t tx_at, tx_len, tx_split, tx_held; /* tx[at..split), the big payload, tx[split..len) */
        uint16_t rx_at, rx_len;
        uint16_t n_slots, n_ids, n_released, next_id;
#if ADDER_MQTT_V5
        uint16_t n_old_ids; /* of earlier connections, not heard of on this one: the first ones */
#endif
        uint8_t version;
        uint8_t waiting; /* for PINGRESP, for the end of a re-authentication */
        uint8_t err;
    } priv;
} adder_mqtt_t;

/* `c` is borrowed for good, with what it points at; nothing else of it is needed before (two engines need
 * two sets of buffers). ADDER_ERR_ARG: no callbacks, rx_cap or tx_cap below 64, aliases without room. */
adder_err_t adder_mqtt_init(adder_mqtt_t *m, const adder_mqtt_config_t *c) ADDER_MUST_USE;

/* Begin a connection on a fresh stream. `o` and what it points at stay yours and must stay valid until
 * lost(). With `clean` the session of before is dropped: see above for messages on their way.
 *   ADDER_ERR_STATE        not OFF
 *   ADDER_ERR_ARG          a text over 65535 bytes or not UTF-8, a will without topic or with wildcards, QoS
 *                          over 2, a property that may not stand there; 3.1.1: a password alone, or no
 *                          client id and not `clean`
 *   ADDER_ERR_UNSUPPORTED  version
 *   ADDER_ERR_NOSPACE      `tx` is too small
 * On an error nothing has changed. */
adder_err_t adder_mqtt_connect(adder_mqtt_t *m, const adder_mqtt_connect_t *o,
                               uint32_t now_ms) ADDER_MUST_USE;

/* Publish. Topic and properties are copied. The message itself, and its payload:
 *   QoS 0   is copied if `tx` has room for it; else it must stay valid while adder_mqtt_holds()
 *   QoS 1,2 must stay valid until DONE; it may be sent again on a later connection
 * Before the connection is ON, QoS 1 and 2 wait in their slots.
 *   id_out   packet id 1..65535, 0 for QoS 0; may be NULL
 *   ADDER_ERR_AGAIN        (QoS 0) `tx` is full or a long payload is under way; (QoS 1, 2) no slot is free
 *   ADDER_ERR_STATE        not connected (QoS 0), or an end under way
 *   ADDER_ERR_ARG          topic empty, not UTF-8, with wildcards or over 65535 bytes; QoS over 2; a
 *                          property that may not stand there
 *   ADDER_ERR_UNSUPPORTED  the server has told that it takes no such QoS, or nothing retained
 *   ADDER_ERR_RANGE        the packet is longer than the server or the protocol takes
 *   ADDER_ERR_NOSPACE      topic and properties can never fit `tx`
 * On any error the engine is unchanged. */
adder_err_t adder_mqtt_publish(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t *id_out) ADDER_MUST_USE;

/* True: the engine may still look at the message. */
bool adder_mqtt_holds(const adder_mqtt_t *m, const adder_mqtt_msg_t *msg);

/* Subscribe; SUBSCRIBED comes with the id. Copied. The lists stay the caller's.
 *   ADDER_ERR_AGAIN        `tx` has no room now or no slot is free
 *   ADDER_ERR_STATE        not ON
 *   ADDER_ERR_ARG          n is 0 or over 255, a filter is malformed, QoS over 2, a property may not stand
 *                          there, no_local on a shared subscription
 *   ADDER_ERR_UNSUPPORTED  the server takes no wildcards, shared subscriptions or identifiers
 *   ADDER_ERR_RANGE, ADDER_ERR_NOSPACE  as of publish */
adder_err_t adder_mqtt_subscribe(adder_mqtt_t *m, const adder_mqtt_filter_t *filters, size_t n,
                                 adder_mqtt_props_t props, uint16_t *id_out) ADDER_MUST_USE;
/* As subscribe; of the filters only their text counts. */
adder_err_t adder_mqtt_unsubscribe(adder_mqtt_t *m, const adder_mqtt_filter_t *filters, size_t n,
                                   adder_mqtt_props_t props, uint16_t *id_out) ADDER_MUST_USE;

/* A PINGREQ now; PONG follows. Keep-alive needs no help. OK if one is under way. STATE, AGAIN. */
adder_err_t adder_mqtt_ping(adder_mqtt_t *m) ADDER_MUST_USE;

/* 5.0: go on with (CONTINUE_AUTH) or ask for (REAUTHENTICATE, when ON) an enhanced authentication. `props`
 * hold AUTH_METHOD, the one of connect(), and AUTH_DATA. STATE, ARG, AGAIN, NOSPACE, UNSUPPORTED (3.1.1). */
adder_err_t adder_mqtt_auth(adder_mqtt_t *m, uint8_t reason, adder_mqtt_props_t props) ADDER_MUST_USE;

/* Say goodbye behind what waits: out() gives it, then the state is OVER. `reason` and props: 5.0. In OFF and
 * OVER: STATE. ARG, NOSPACE: nothing has changed. */
adder_err_t adder_mqtt_disconnect(adder_mqtt_t *m, uint8_t reason, adder_mqtt_props_t props) ADDER_MUST_USE;

/* The stream has ended or was closed; in any state. Subscribes under way are forgotten, the session stays. */
void adder_mqtt_lost(adder_mqtt_t *m);

/* Drop the session: no DONE comes for what is under way. In OFF. */
void adder_mqtt_forget(adder_mqtt_t *m);

/* A publish of QoS 1 or 2 under an id that the caller has chosen (below first_id, so that others' do not meet
 * it). `dup`: it was sent before, on an earlier connection of the session: so a session from a store is taken
 * up, in OFF, in the order of the first publishes. As publish; ARG also: QoS 0, id 0 or under way. */
adder_err_t adder_mqtt_publish_as(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id,
                                  bool dup) ADDER_MUST_USE;
/* In OFF: a QoS 2 message that was RECEIVED and is not DONE; `msg` is only told in DONE, not NULL.
 * ADDER_ERR_AGAIN: no slot; ARG: id 0 or under way. */
adder_err_t adder_mqtt_restore_released(adder_mqtt_t *m, const adder_mqtt_msg_t *msg,
                                        uint16_t id) ADDER_MUST_USE;
/* In OFF: the id of a QoS 2 message that was handed over and not RELEASED. The same errors. */
adder_err_t adder_mqtt_restore_id(adder_mqtt_t *m, uint16_t id) ADDER_MUST_USE;

/* Look at what came, keep alive, send what waits. ADDER_OK; else why there is no connection, until lost():
 *   ADDER_ERR_CLOSED    the server said goodbye, or we did
 *   ADDER_ERR_REFUSED   CONNACK
 *   ADDER_ERR_FORMAT    the server does not keep to the protocol: m.reason
 *   ADDER_ERR_TIMEOUT   no CONNACK or PINGRESP
 *   ADDER_ERR_NOMEM     its packet or its messages do not fit here: m.reason
 *   ADDER_ERR_STATE     OFF
 *   else                a callback's cause
 * In CLOSING what out() gives is still to be sent. */
adder_err_t adder_mqtt_tick(adder_mqtt_t *m, uint32_t now_ms) ADDER_MUST_USE;

/* Where to receive: false = not now (a piece waits to be taken). The pump then tells how many came. */
bool adder_mqtt_in(adder_mqtt_t *m, uint8_t **buf_out, size_t *cap_out);
void adder_mqtt_in_done(adder_mqtt_t *m, size_t len);

/* What to send: false = nothing. Valid until the next call of anything else here. */
bool adder_mqtt_out(adder_mqtt_t *m, const uint8_t **bytes_out, size_t *len_out);
void adder_mqtt_out_done(adder_mqtt_t *m, size_t len);

typedef struct {
    bool in, out;     /* there is room to receive; there is something to send */
    bool close;       /* close the stream, then lost() */
    uint32_t wait_ms; /* tick() again after so long at the latest; UINT32_MAX = no need */
} adder_mqtt_wants_t;

void adder_mqtt_wants(const adder_mqtt_t *m, uint32_t now_ms, adder_mqtt_wants_t *out);

#endif
