/* adafruit_minimqtt: what its files share.
 *
 *   minimqtt_module.c   the modules, exceptions, NullLogger
 *   minimqtt.c          class MQTT: its arguments, attributes and settings
 *   minimqtt_connect.c  connect, disconnect, reconnect
 *   minimqtt_calls.c    publish, subscribe, unsubscribe, ping, loop
 *   minimqtt_run.c      waiting: the engine moved, what it says turned into callbacks and exceptions
 *   minimqtt_stream.c   the stream over a socket that is an object of the program
 *   minimqtt_engine.c   the engine (adder/mqtt.h), its buffers and its stream: C alone
 *   minimqtt_matcher.c  class MQTTMatcher
 *
 * Whoever calls drives the engine: over a native socket without the interpreter, over any other object by its
 * methods. What comes is put down by the engine's callbacks and told on the program's thread before the call
 * goes on. The public names, and the private ones that other libraries use, are attributes of the object. */
#ifndef ADDER_PYTHON_MINIMQTT_INT_H
#define ADDER_PYTHON_MINIMQTT_INT_H

#include "adder/mqtt.h"
#include "adder/stream.h"
#include "python/layer/py.h"

/* Bytes of the longest topic received, with 4 for its packet; and of what leaves in one piece: topic of a
 * message, a whole SUBSCRIBE, CONNECT without its password. A payload that fits behind its topic leaves with
 * it (16 KiB do): two packets are two answers of the network, and wake the broker twice. */
#ifndef ADDER_MINIMQTT_RX
#define ADDER_MINIMQTT_RX 4096
#endif
#ifndef ADDER_MINIMQTT_TX
#define ADDER_MINIMQTT_TX 20480
#endif
_Static_assert(ADDER_MINIMQTT_RX >= 64 && ADDER_MINIMQTT_RX <= 65535, "64..65535");
_Static_assert(ADDER_MINIMQTT_TX >= 64 && ADDER_MINIMQTT_TX <= 65535, "64..65535");

enum { MINIMQTT_SLOTS = 16, MINIMQTT_IDS = 64, MINIMQTT_TYPES = 64, MINIMQTT_FILTERS = 255 };
enum { MINIMQTT_MSG_MAX = 268435455, MINIMQTT_MSG_LIMIT = 10000000, MINIMQTT_TEXT_MAX = 65535 };

/* Types of packets, as loop() gives them. */
enum {
    MINIMQTT_CONNACK = 0x20,
    MINIMQTT_PUBLISH = 0x30,
    MINIMQTT_PUBACK = 0x40,
    MINIMQTT_PUBREC = 0x50,
    MINIMQTT_PUBREL = 0x60,
    MINIMQTT_PUBCOMP = 0x70,
    MINIMQTT_SUBACK = 0x90,
    MINIMQTT_UNSUBACK = 0xB0,
    MINIMQTT_PINGRESP = 0xD0,
};

/* ---- the engine ---- */

/* A message of QoS 1 or 2 on its way, in the engine's list until it is done and told. */
typedef struct minimqtt_msg {
    struct minimqtt_msg *next;
    adder_mqtt_msg_t msg; /* topic and payload lie behind the struct */
    uint16_t id;
    bool done;
    bool waited; /* publish() waits for it, and tells */
} minimqtt_msg_t;

/* A subscribe or unsubscribe that somebody waits for; on that call's stack. */
typedef struct minimqtt_request {
    struct minimqtt_request *next;
    uint16_t id;
    bool done;
    size_t n_codes;
    uint8_t codes[MINIMQTT_FILTERS];
} minimqtt_request_t;

/* Why the connection is over. */
typedef enum {
    MINIMQTT_FINE,
    MINIMQTT_RECV,   /* the stream, receiving: `err` */
    MINIMQTT_SEND,   /* the stream, sending: `err` */
    MINIMQTT_ENGINE, /* the engine: `err`, m.reason */
} minimqtt_end_t;

typedef struct {
    adder_mqtt_t m;
    adder_mqtt_config_t config;
    adder_mqtt_connect_t options;
    adder_mqtt_msg_t will;
    adder_stream_t stream;
    uint32_t now_ms;  /* of the last look at the stream */
    uint32_t sent_ms; /* when something was sent last */
    uint32_t sent;    /* bytes */
    uint8_t end;      /* minimqtt_end_t */
    adder_err_t err;
    bool answered; /* CONNACK came, and it says yes */
    uint32_t pongs;
    /* The message that came: its topic, then its payload. */
    uint8_t *box;
    size_t box_cap, box_need, topic_len, len;
    bool full;  /* all of it is there, and not told */
    bool given; /* it was told; the engine may acknowledge it */
    uint8_t qos;
    uint8_t types[MINIMQTT_TYPES]; /* of packets that came, but PUBLISH; more than fit are not told */
    size_t n_types;
    minimqtt_msg_t *messages;
    minimqtt_request_t *requests;
    adder_mqtt_slot_t slots[MINIMQTT_SLOTS];
    uint16_t ids[MINIMQTT_IDS];
    uint8_t rx[ADDER_MINIMQTT_RX], tx[ADDER_MINIMQTT_TX];
} minimqtt_engine_t;

void minimqtt_engine_init(minimqtt_engine_t *e);
/* Take what is there, send what waits; `receive` false: do not ask the stream. With the pump's lock if the
 * stream is native. True: there is something to tell, or the end. */
bool minimqtt_engine_move(minimqtt_engine_t *e, bool receive, uint32_t now_ms);
/* Send. True: all has left, or the end. */
bool minimqtt_engine_flush(minimqtt_engine_t *e, uint32_t now_ms);
/* The stream is gone; messages on their way stay. */
void minimqtt_engine_lost(minimqtt_engine_t *e);
/* Is there something to tell, or the end? */
bool minimqtt_engine_news(const minimqtt_engine_t *e);

/* ---- the object ---- */

typedef enum { MINIMQTT_OFF, MINIMQTT_ON, MINIMQTT_LOST } minimqtt_state_t;

typedef struct {
    py_field_t socket;
    py_field_t buffer; /* bytearray that an object's recv_into() fills */
    py_field_t error;  /* what a method of the socket raised */
    py_field_t texts;  /* tuple of what the engine's options point at */
    minimqtt_engine_t *e;
    const adder_mcu_t *mcu;
    uint8_t state; /* minimqtt_state_t; LOST: the link has ended, disconnect() has not been called */
    bool native;   /* the stream is moved without Python */
    struct {
        uint32_t left; /* of the packet's body */
        uint8_t state, shift;
    } frame;           /* of an object: it is asked for one packet and no more */
    uint64_t quiet_us; /* since when an object gives no bytes; 0 = it did */
    uint16_t last_id;
    uint32_t opened; /* counts connections */
    unsigned attempt;
    double back_off_s;
} minimqtt_t;

extern const py_class_t minimqtt_class, minimqtt_matcher_class, minimqtt_null_logger_class;
extern const py_exception_t minimqtt_exception, minimqtt_state_error;

/* MMQTTException(text, code), with `cause` (may be null) as what it comes from. */
py_t minimqtt_raise(int code, py_t cause, const char *format, ...) __attribute__((format(printf, 3, 4)));
py_t minimqtt_raise_state(const char *text);
/* logger.<level>(text), if there is a logger other than NullLogger. False: it raised. */
bool minimqtt_log(py_t self, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- minimqtt_run.c ---- */

uint64_t minimqtt_now_us(void);
static inline uint32_t minimqtt_now_ms(const minimqtt_t *c)
{
    return (uint32_t)(c->mcu->sys->now_us(c->mcu->ctx) / 1000);
}
static inline uint64_t minimqtt_us(double seconds)
{
    return seconds <= 0 ? 0 : seconds < 1e9 ? (uint64_t)(seconds * 1e6) : UINT64_MAX;
}
/* A number attribute as microseconds; false with an exception. */
bool minimqtt_seconds(py_t self, const char *name, double *out);

typedef bool (*minimqtt_until_fn)(const minimqtt_t *c, const void *ctx);
/* Go on, and tell what comes, until `until` says so or the time is over (*timed_out); an `until` of NULL
 * waits for the time alone, and with 0 for what is there. Types of packets are appended to `types`, a list or
 * null. False: an exception: of a callback, of the connection's end, of Ctrl-C, or, when a callback has
 * disconnected, that it is not connected. */
bool minimqtt_wait(py_t self, minimqtt_t *c, minimqtt_until_fn until, const void *ctx, uint64_t timeout_us,
                   py_t types, bool *timed_out);
/* Until something was told, or the time is over. */
bool minimqtt_wait_one(py_t self, minimqtt_t *c, uint64_t timeout_us, py_t types);
/* Send all that waits. False with the exception, the connection is over then. */
bool minimqtt_flush(py_t self, minimqtt_t *c);
/* A pool with a class `timeout` is CPython's way. */
bool minimqtt_pool_timeout(py_t self, py_t *cls);
/* The socket, and what the engine's stream is. */
void minimqtt_open(py_t self, minimqtt_t *c, py_t socket);
/* Close the socket; keeps the exception that is pending. False: closing raised. */
bool minimqtt_close(py_t self, minimqtt_t *c);
/* Messages that are done and that nobody waits for. */
void minimqtt_forget(minimqtt_t *c);
/* "No data received from broker for N seconds." */
py_t minimqtt_raise_no_data(py_t self);

/* on_<name>(self, args...) unless it is None. False: it raised. */
bool minimqtt_call_back(py_t self, const char *name, const py_t *args, size_t n);

/* ---- minimqtt_connect.c ---- */

py_t minimqtt_m_connect(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_disconnect(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_deinit(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_reconnect(py_t self, void *s, const py_val_t *a);
/* As if connected through `socket`: for those who put one in place. */
bool minimqtt_adopt(py_t self, minimqtt_t *c, py_t socket);
extern const py_arg_t minimqtt_connect_args[], minimqtt_reconnect_args[];

/* ---- minimqtt_calls.c ---- */

/* By self.is_connected(); MMQTTStateError. */
bool minimqtt_connected(py_t self);
/* ValueError, NotImplementedError. */
bool minimqtt_valid_topic(py_t topic, const char **utf8, size_t *len);
bool minimqtt_valid_qos(py_t qos, int64_t *out);
/* A message as bytes. */
py_t minimqtt_payload(py_t msg);
py_t minimqtt_m_publish(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_subscribe(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_unsubscribe(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_ping(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_loop(py_t self, void *s, const py_val_t *a);
py_t minimqtt_m_wait_for_msg(py_t self, void *s, const py_val_t *a);
extern const py_arg_t minimqtt_publish_args[], minimqtt_subscribe_args[], minimqtt_unsubscribe_args[],
    minimqtt_loop_args[], minimqtt_wait_args[];

/* ---- minimqtt_matcher.c ---- */

/* A list of the values whose filters match, in the trie's order. */
py_t minimqtt_matching(py_t matcher, py_t topic);

#endif
