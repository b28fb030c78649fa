/* The parts of mqtt_chaos: messages with numbers go both ways between a device (adder/mqtt_client.h) and a
 * peer (another client, of a few pages, that shares nothing with it), through a broker of which anything may
 * be taken away at any moment.
 *
 *     device  <->  proxy (cuts, stalls, listens in)  <->  broker  <->  peer
 *
 * One thread, one poll(); every part gives what it waits for to a waits_t. */
#ifndef MQTT_CHAOS_H
#define MQTT_CHAOS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "adder/mqtt_transport.h"
#include "ports/posix/net_posix.h"
#include "src/mqtt/test_strict_broker.h"
#include "tests/held_port.h"

enum { UP, DOWN, DIRECTIONS }; /* from the device, to it */
enum { FDS = 32, PAIRS = 4, NUMBERS = 1 << 19, MESSAGE_MAX = 200 };

typedef struct {
    struct pollfd fds[FDS];
    unsigned n;
    int ms;
} waits_t;

void wait_for_fd(waits_t *w, int fd, bool in, bool out);
void wait_ms(waits_t *w, uint32_t ms);
uint32_t now_ms(void);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The run's random numbers: below `bound`. */
uint32_t draw(uint32_t bound);
void draw_from(uint32_t seed);

/* ---- messages: ledger.c ---- */

/* Numbers from 0 on, for each direction and QoS (1, 2: index 0, 1). */
typedef struct {
    uint32_t sent;
    uint32_t arrived, duplicates, disorder;
    uint32_t next;         /* behind the highest that came */
    uint8_t came[NUMBERS]; /* how often */
} ledger_t;

extern ledger_t ledgers[DIRECTIONS][2];

/* Payload of a number: it begins with it, and the number makes length and contents. */
size_t message_make(uint8_t *payload, uint32_t number);
/* The number of a payload; contents that are not its own end the test. */
uint32_t message_check(const uint8_t *payload, size_t len);
void ledger_arrives(unsigned direction, unsigned qos, const uint8_t *payload, size_t len);

/* ---- the broker: broker.c ---- */

typedef struct {
    bool strict; /* the test's own, else mosquitto */
    uint16_t port;
    pid_t pid; /* -1: it does not run */
    char folder[32];
    struct strict_shared *shared;
} broker_t;

enum { DEATHS = 4 }; /* places of the strict broker where it can be made to die */
extern const char *const death_names[DEATHS];

void broker_init(broker_t *b, bool strict);
/* With nothing of before. */
void broker_reset(broker_t *b);
void broker_start(broker_t *b);
void broker_signal(broker_t *b, int signal);
void broker_end(broker_t *b, int signal);
/* False: it is not there any more. */
bool broker_runs(broker_t *b);
/* The strict one dies by itself when it comes to that place the n-th time from now. */
void broker_dies(broker_t *b, unsigned place, uint32_t n);
/* What the strict one found wrong with a client; "" = nothing. */
const char *broker_complaint(const broker_t *b);
const uint32_t *broker_deaths(const broker_t *b);
void broker_remove(broker_t *b);
int listen_on(uint16_t port);

/* ---- the proxy: proxy.c ---- */

typedef enum { CUT_FIN, CUT_RST } cut_t;

void proxy_init(uint16_t port, uint16_t broker_port);
/* The connection goes behind `after` more bytes of that direction, or when none come for 300 ms. */
void proxy_cut(cut_t how, unsigned direction, uint32_t after);
/* Nothing passes, and connections are taken that nobody answers on. */
void proxy_stall(uint32_t ms);
void proxy_half_open(uint32_t ms);
bool proxy_is_busy(void); /* with one of these */
void proxy_turn(waits_t *w, const waits_t *ready);
void proxy_close(void);

/* ---- what passed the proxy: watch.c ---- */

/* What the packets say of a message, by direction, QoS and number. */
enum {
    SEEN_PUBLISH = 1,
    SEEN_OWNED = 2,    /* PUBACK or PUBREC came from its receiver */
    SEEN_RELEASED = 4, /* PUBREL came from its sender */
    SEEN_AGAIN = 8,    /* its sender published it where it may not any more, or under another id */
};

typedef struct {
    uint32_t breaches; /* of the device */
    char why[64];
    uint32_t sessions_lost; /* CONNACK without a session, but for the first */
} watch_t;

extern watch_t watch;
extern uint8_t seen[DIRECTIONS][2][NUMBERS];

void watch_new_session(void);
void watch_new_connection(unsigned pair);
void watch_bytes(unsigned pair, unsigned direction, const uint8_t *bytes, size_t len);

/* ---- the peer: peer.c ---- */

void peer_init(const char *id, uint16_t port);
bool peer_ready(void);                            /* connected and subscribed */
bool peer_publish(unsigned qos, uint32_t number); /* false: later */
unsigned peer_under_way(void);
void peer_turn(waits_t *w, const waits_t *ready);
void peer_close(void);

/* ---- the device: device.c ---- */

typedef struct {
    adder_posix_sock_t socks[4];
    adder_posix_net_t posix;
    adder_net_t net;
    adder_conn_t conn;
    adder_mqtt_conn_t over;
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_item_t items[16];
    uint8_t arena[2048], rx[160], tx[160]; /* some messages come and go in pieces */
    adder_mqtt_slot_t slots[8];
    uint16_t ids[12]; /* fewer than a broker of 3.1.1 may have on their way */
    adder_mqtt_sub_t subs[2];
    uint8_t payload[MESSAGE_MAX];
    void (*arrived)(unsigned qos, const uint8_t *payload, size_t len);
    uint32_t done; /* messages out, acknowledged */
    uint32_t seed;
} device_t;

/* `store` with no ops: none. */
void device_init(device_t *d, const char *id, uint8_t version, uint16_t port, adder_store_t store);
adder_err_t device_publish(device_t *d, unsigned qos, uint32_t number);
bool device_ready(const device_t *d);
void device_turn(device_t *d, waits_t *w);
void device_close(device_t *d);

/* ---- the device in a process that is killed at its writes: killed.c ---- */

/* True: nothing is wrong. */
bool run_killed_device(bool strict, unsigned kills, uint32_t seed);

#endif
