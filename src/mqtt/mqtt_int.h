/* Shared by the engine's files; see adder/mqtt.h. Section numbers are those of MQTT 5.0 unless told. */
#ifndef MQTT_INT_H
#define MQTT_INT_H

#include "adder/mqtt.h"
#include "adder/mqtt_match.h"

enum { /* 2.1.2 */
       CONNECT = 1,
       CONNACK,
       PUBLISH,
       PUBACK,
       PUBREC,
       PUBREL,
       PUBCOMP,
       SUBSCRIBE,
       SUBACK,
       UNSUBSCRIBE,
       UNSUBACK,
       PINGREQ,
       PINGRESP,
       DISCONNECT,
       AUTH,
       /* Where else properties stand: these types of packet have none. */
       IN_PUBLISH_OUT = PINGREQ,
       IN_WILL = PINGRESP,
       IN_DISCONNECT_OUT = 0
};

enum { MQTT_REMAINING_MAX = 268435455 };

/* priv.waiting. ROOM: something could not be done for want of room in tx. IDS: messages are left out for want
 * of ids (receive.c). */
enum { WAITS_PONG = 1, WAITS_AUTH = 2, WAITS_ROOM = 4, WAITS_IDS = 8 };

/* A publish's life, and a request's. */
typedef enum {
    ST_PENDING, /* to be sent, or sent again */
    ST_WAIT_PUBACK,
    ST_WAIT_PUBREC,
    ST_RELEASE, /* PUBREL is to be sent */
    ST_WAIT_PUBCOMP,
    ST_WAIT_SUBACK,
    ST_WAIT_UNSUBACK,
} slot_state_t;

/* The body of a packet that came. */
typedef struct {
    const uint8_t *at;
    size_t left;
} mqtt_body_t;

#if ADDER_MQTT_V5
static inline bool mqtt_is5(const adder_mqtt_t *m)
{
    return m->priv.version == 5;
}
#else
static inline bool mqtt_is5(const adder_mqtt_t *m)
{
    (void)m;
    return false;
}
#endif

/* ---- engine.c ---- */

/* End the connection: with 5.0 by a DISCONNECT. The first error stays. Always false. */
bool mqtt_fail(adder_mqtt_t *m, uint8_t reason, adder_err_t err);
/* The server breaks the rules: MALFORMED, PROTOCOL. Always false. */
bool mqtt_malformed(adder_mqtt_t *m);
bool mqtt_broken(adder_mqtt_t *m);
bool mqtt_emit(adder_mqtt_t *m, const adder_mqtt_event_t *e);
/* `n` bytes at the end of tx, or NULL. */
uint8_t *mqtt_room(adder_mqtt_t *m, size_t n);
size_t mqtt_free(const adder_mqtt_t *m);
/* Is there so much room? If not, tick() is to come again when there is. */
bool mqtt_has_room(adder_mqtt_t *m, size_t n);
/* A packet of an id, and with 5.0 a reason if it is not 0. False: no room. */
bool mqtt_send_ack(adder_mqtt_t *m, uint8_t type_and_flags, uint16_t id, uint8_t reason);

/* ---- publish.c ---- */

/* What waits in slots leaves. `may_tell`: from tick(), where callbacks may come. */
void mqtt_flush(adder_mqtt_t *m, bool may_tell);
/* An acknowledgement came: `type`, SUBACK and UNSUBACK with their codes. */
bool mqtt_acknowledged(adder_mqtt_t *m, unsigned type, adder_mqtt_event_t *e);
/* CONNACK: the server has a session, or not. False: a callback has ended it. */
bool mqtt_resume(adder_mqtt_t *m);
void mqtt_suspend(adder_mqtt_t *m);
uint16_t mqtt_next_id(adder_mqtt_t *m);
adder_mqtt_slot_t *mqtt_add_slot(adder_mqtt_t *m, const adder_mqtt_msg_t *msg, uint16_t id,
                                 slot_state_t state, uint8_t count);
int mqtt_find_slot(const adder_mqtt_t *m, uint16_t id);

/* ---- receive.c ---- */

/* One packet, or one piece of a message. False: there is not enough. */
bool mqtt_receive(adder_mqtt_t *m);
int mqtt_find_id(const adder_mqtt_t *m, uint16_t id);
/* PUBREL came. */
bool mqtt_released(adder_mqtt_t *m, adder_mqtt_event_t *e);
#if ADDER_MQTT_V5
/* Nothing more comes for the ids that are taken: end the connection that has left out messages. */
void mqtt_settle_ids(adder_mqtt_t *m);
#endif

/* ---- packets.c ---- */

/* A whole packet that is not a PUBLISH. */
bool mqtt_packet(adder_mqtt_t *m, unsigned type, mqtt_body_t body);

/* ---- wire.c ---- */

unsigned mqtt_varint_len(uint32_t v);
uint8_t *mqtt_put_varint(uint8_t *p, uint32_t v);
uint8_t *mqtt_put16(uint8_t *p, unsigned v);
uint8_t *mqtt_put_bytes(uint8_t *p, const void *bytes, size_t len);
uint8_t *mqtt_put_str(uint8_t *p, adder_mqtt_str_t s);
/* 1.. = bytes of it; 0 = more are needed; -1 = malformed. */
int mqtt_get_varint(const uint8_t *p, size_t len, bool shortest, uint32_t *out);
bool mqtt_get_u8(mqtt_body_t *b, uint8_t *out);
bool mqtt_get16(mqtt_body_t *b, uint16_t *out);
bool mqtt_get_str(mqtt_body_t *b, adder_mqtt_str_t *out);
/* Properties with their length before them. */
bool mqtt_get_props(mqtt_body_t *b, adder_mqtt_props_t *out);

/* ---- text.c ---- */

/* Where the filter proper begins behind "$share/name/"; 0 = it is not shared, or not well-formed. */
size_t mqtt_share_head(adder_mqtt_str_t filter);

/* ---- props.c ---- */

/* 0, or MALFORMED or PROTOCOL. `where`: a packet's type, or IN_.... */
uint8_t mqtt_check_props(adder_mqtt_props_t props, unsigned where);

#endif
