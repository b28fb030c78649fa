/* The AirLift ESP32 with nina-fw 1.7.7, 2.0.0 or 3.3.0, as its SPI host sees it: what its files share.
 *
 *   esp32_nina.c           power, reset, boot, select edges, slots, READY: the transaction model
 *   esp32_nina_firmware.c  what one firmware does otherwise than another: a table; the chip's configuration
 *   esp32_nina_command.c   the table of commands, frames, and the commands that fit nowhere else
 *   esp32_nina_wifi.c      joining, losing and finding the link again
 *   esp32_nina_ap.c        being an access point
 *   esp32_nina_settings.c  addresses, names, enterprise texts, state, time
 *   esp32_nina_scan.c      looking for networks
 *   esp32_nina_conn.c      the chip's lwIP sockets, each a non-blocking socket of this computer
 *   esp32_nina_socket.c    the firmware's socket slots: reading, writing, state
 *   esp32_nina_server.c    slots that listen
 *   esp32_nina_udp.c       slots with datagrams
 *   esp32_nina_client.c    opening a connection
 *   esp32_nina_bsd.c       the commands that are lwIP's own socket calls; options: esp32_nina_option.c
 *   esp32_nina_lookup.c    DNS and ping
 *   esp32_nina_tls.c       TLS sessions (Mbed TLS)
 *   esp32_nina_file.c      the small file system
 *   esp32_nina_gpio.c      pins 0..39 and the RGB LED
 *   esp32_nina_page.c      knobs, faults, state, counters
 *
 * Behaviour follows docs/network.md and the firmware's handlers, its missing checks included: what
 * overruns a buffer on the chip crashes the modelled chip, which then boots again; it never overruns
 * anything here. The order within a command is READY high, handler, READY low with the reply loaded;
 * a handler that must wait returns NINA_WAIT and leaves a step function that poll() runs. */
#ifndef SIM_CHIPS_ESP32_NINA_H
#define SIM_CHIPS_ESP32_NINA_H

#include "sim/chips/chips.h"
#include "sim/network.h"
#include "sim/network_resolver.h"

enum {
    NINA_BUF = 4092,         /* SPI DMA buffer, each way */
    NINA_SLOTS = 10,         /* the firmware's socket numbers, at most */
    NINA_CONNS = NINA_SLOTS, /* lwIP sockets of all kinds: one build-time number sets both */
    NINA_WINDOW = 5744,      /* lwIP TCP send buffer and receive window */
    NINA_AHEAD = 1436,       /* what 3.x reads from a connection before it is asked for */
    NINA_UDP_MAX = 1500,     /* datagram buffers, at most */
    NINA_PINS = 40,
    NINA_CERT_MAX = 1300,
    NINA_KEY_MAX = 1700,
    NINA_OPS = 0x80,
    NINA_FILES = 8,
    NINA_FILE_MAX = 4096,
};

enum {
    NINA_PIN_CS,
    NINA_PIN_SCK,
    NINA_PIN_MOSI,
    NINA_PIN_MISO,
    NINA_PIN_READY,
    NINA_PIN_RESET,
    NINA_PIN_GPIO0
};

typedef struct nina nina_t;

/* ---- firmware ---- */

/* What 44h does when a connection's send buffer is full. */
typedef enum {
    NINA_FULL_CLOSES, /* 1.x: gives up, and the connection with it */
    NINA_FULL_BLOCKS, /* 2.x: waits as long as the connection lives */
    NINA_FULL_10S,    /* 3.x: ten seconds without progress */
} nina_full_t;

typedef struct {
    const char *name;    /* in a board file */
    const char *version; /* as 37h tells it */
    uint16_t number;     /* 0x107 = 1.7, for nina_command_t.since */
    uint8_t slots;
    uint8_t reply_align;
    uint8_t time_bytes;
    uint8_t scan_max;
    uint8_t backlog;
    uint8_t hostname_max;
    uint16_t udp_max;
    uint32_t connect_us, tls_connect_us; /* without an answer */
    nina_full_t full;
    bool mac_natural;     /* else last octet first */
    bool raw_scan_codes;  /* 33h as the radio's driver counts */
    bool sta_status;      /* 20h is the station's alone: 254 before it starts, an access point beside it */
    bool rejoins;         /* by itself, until told to leave */
    bool wpa2_at_least;   /* a passphrase is not shown to weaker access points */
    bool drop_closes;     /* a lost link closes the connections */
    bool static_stays;    /* an all-zero address is an address, not DHCP */
    bool scan_drops_link; /* the radio is stopped for it */
    bool ap_channel;      /* 18h, 19h: the channel is used */
    bool lookup_forgets;  /* a failed 34h clears 35h */
    bool by_name;         /* 2Dh: TCP and UDP take a host name */
    bool server_tells;    /* 28h: the truth about TCP */
    bool accept_byte;     /* 2Bh has its second parameter */
    bool lists_silent;    /* 2Bh: a client is told of before it has sent anything */
    bool state_frees_all; /* 2Fh frees a slot answered 0 whatever it holds */
    bool read_ahead;
    bool udp_by_task;    /* datagrams are fetched by the GPIO0 task, not by 2Bh */
    bool udp_opens;      /* 2Dh opens the socket; a full datagram is sent early */
    bool tls_fails_once; /* a refused handshake ends the command */
    bool cert_drops_ca;  /* 40h, 41h replace the CA bundle: no session can start */
    bool arduino_pins;   /* pin modes as the Arduino core numbers them */
} nina_firmware_t;

extern const nina_firmware_t nina_firmwares[];
extern const size_t nina_firmware_count;

/* ---- commands ---- */

typedef enum {
    NINA_DONE,  /* the reply is in n->tx */
    NINA_ERROR, /* the firmware answers with the error frame */
    NINA_WAIT,  /* n->step decides when the reply is there */
    NINA_CRASH, /* the firmware would overrun its memory: the chip boots again */
    NINA_RAW,   /* n->tx_len counts END too, wherever the firmware puts it: tx is the frame already */
} nina_result_t;

typedef struct {
    uint8_t op;
    uint8_t in_width;    /* bytes of a request's length fields, 1 or 2 */
    uint16_t service_us; /* modelled time of the handler */
    uint16_t since;      /* first firmware with it, 0x107 = 1.7 */
    const char *name;    /* counter's name */
    nina_result_t (*run)(nina_t *n, uint64_t now_us);
} nina_command_t;

/* ---- Wi-Fi ---- */

typedef enum {
    NINA_WL_IDLE = 0,
    NINA_WL_NO_SSID = 1,
    NINA_WL_SCAN_DONE = 2,
    NINA_WL_CONNECTED = 3,
    NINA_WL_CONNECT_FAILED = 4,
    NINA_WL_CONNECTION_LOST = 5,
    NINA_WL_DISCONNECTED = 6,
    NINA_WL_AP_LISTENING = 7,
    NINA_WL_AP_CONNECTED = 8,
    NINA_WL_AP_FAILED = 9,
    NINA_WL_STOPPED = 254,
} nina_wl_t;

typedef struct {
    nina_wl_t status;
    uint8_t reason; /* of the last disconnect, as 802.11 and the driver number them */
    bool ap_up;
    bool linked;  /* associated, so that packets can pass */
    bool joining; /* a join ends at join_due_us */
    bool started; /* 3.x: the station is on */
    bool retried; /* 3.x: the retry that every reason gets once was used */
    bool static_ip;
    unsigned failures; /* in a row: the log tells the first */
    uint64_t join_due_us;
    uint64_t lost_due_us;   /* the link is gone: the address goes too, UINT64_MAX = no */
    uint64_t beacon_due_us; /* the access point went away: noticed then, UINT64_MAX = no */
    uint64_t ntp_due_us;    /* SNTP answers then, UINT64_MAX = not asked */
    bool time_known;
    int8_t join_index; /* of the access point in the network, -1 = none by that name */
    char ssid[33], password[65];
    char identity[33], username[33], ent_password[33];
    bool enterprise;
    char hostname[33];
    bool power_save;
    uint8_t ip[4], mask[4], gateway[4], dns[2][4];
    char cur_ssid[33]; /* the access point's record; 1.x and 2.x: one's own while being one */
    uint8_t cur_bssid[6], cur_enct;
    int8_t cur_rssi;
    uint8_t mac[6];
    struct {
        char ssid[33];
        uint8_t bssid[6], channel;
        sim_ap_security_t security;
        int8_t rssi;
    } scan[SIM_NETWORK_APS_MAX + 1]; /* the last stays empty: what an index beyond reads */
    uint8_t scan_count;
} nina_wifi_t;

/* ---- sockets ---- */

/* One lwIP socket. A reference is (generation << 4 | index): a number that was closed and used
 * again, which the firmware would take for its own, is seen as closed here. */
typedef struct {
    int fd; /* -1 = free */
    uint32_t generation;
    bool listening, stream;
    bool accepted;              /* from a listener: a station, while one is an access point */
    bool gone;                  /* reset or closed by the peer, and read empty */
    bool blocking;              /* to the BSD commands */
    uint32_t offline;           /* bytes taken while the link was down: lost */
    uint32_t stalled;           /* bytes taken while the "stall" knob was on: fill the send buffer */
    sim_endpoint_t peer, route; /* as the program sees it, and where it really is */
    uint32_t receive_ms;        /* SO_RCVTIMEO, 0 = for ever */
    uint16_t ahead_pos, ahead_len;
    uint8_t ahead[NINA_AHEAD];
} nina_conn_t;

enum { NINA_NO_CONN = 0 };
typedef uint32_t nina_ref_t; /* NINA_NO_CONN = none */

typedef enum { NINA_FREE = 255, NINA_TCP = 0, NINA_UDP = 1, NINA_TLS = 2 } nina_kind_t;

typedef struct nina_tls nina_tls_t;

typedef struct {
    nina_kind_t kind;   /* socketTypes[] */
    bool was_connected; /* since it was given out */
    nina_ref_t client;
    struct {
        nina_ref_t conn;
        nina_ref_t pending; /* accepted to raise GPIO0; the next to be told of */
        uint16_t port;
        nina_ref_t spawned[NINA_CONNS];
    } server;
    struct {
        nina_ref_t conn;
        uint8_t peer[4];
        uint16_t port;
        bool writable; /* 3.x: has its buffer */
        uint16_t in_pos, in_len, out_len;
        uint8_t in[NINA_UDP_MAX], out[NINA_UDP_MAX];
    } udp;
    nina_tls_t *tls;
    int tls_peek; /* -1 = none */
} nina_slot_t;

/* A command under way that waits. */
typedef struct {
    sim_lookup_t *lookup;
    char host[256];
    uint8_t ip[4];
    uint16_t port;
    uint8_t slot;
    uint8_t stage, mode;
    uint64_t due_us; /* nothing before */
    uint64_t give_up_us;
    nina_ref_t conn;
    int raw_fd; /* ping */
    uint16_t seq;
    uint64_t sent_us;
    size_t done;  /* bytes sent so far */
    bool overrun; /* the step that ended would have written beyond the reply: a crash */
} nina_op_t;

/* ---- faults of its own ("knobs" of docs/network.md) ---- */

typedef enum { NINA_READY_FREE, NINA_READY_HIGH, NINA_READY_LOW } nina_ready_fault_t;

typedef struct {
    bool silent; /* commands are taken and never answered */
    bool stall;  /* nobody reads what the connections send */
    nina_ready_fault_t ready;
    uint32_t late_ms; /* every reply comes that much later */
    uint32_t flips;   /* replies still to be spoiled by one bit */
    uint32_t seed;
} nina_faults_t;

/* ---- files ---- */

typedef struct {
    char name[65]; /* "" = none */
    uint16_t size;
    uint8_t bytes[NINA_FILE_MAX];
} nina_file_t;

/* ---- the chip ---- */

typedef enum {
    NINA_HELD, /* RESET low */
    NINA_BOOTING,
    NINA_ROM,      /* GPIO0 was low: the ROM loader, silent */
    NINA_BLE,      /* CS was low: HCI on the UART, silent here */
    NINA_ARMED_RX, /* READY low, waits for a command */
    NINA_RX,
    NINA_HANDLING, /* until due_us, or n->step says so */
    NINA_ARMED_TX,
    NINA_TX,
    NINA_REARMING,
} nina_state_t;

struct nina {
    sim_chip_t chip; /* first */
    const nina_firmware_t *fw;
    nina_faults_t fault;
    nina_state_t state;
    uint64_t due_us;       /* the state's next step */
    uint64_t ready_due_us; /* READY rises then, UINT64_MAX = no edge under way */
    uint64_t now_us;
    bool selected, ready, ready_driven, gpio0, gpio0_known;
    bool late_done; /* this reply's delay is over */

    uint8_t rx[NINA_BUF], tx[NINA_BUF];
    size_t rx_len, tx_len, tx_pos;
    const nina_command_t *command;            /* being handled */
    bool (*step)(nina_t *n, uint64_t now_us); /* true = the reply is in tx */
    nina_op_t op;

    nina_wifi_t wifi;
    nina_conn_t conns[NINA_CONNS];
    nina_slot_t slots[NINA_SLOTS];
    uint8_t resolved[4];
    uint64_t data_due_us;          /* GPIO0's next look at the sockets */
    uint8_t last_errno;            /* 72h */
    nina_file_t files[NINA_FILES]; /* in flash: outlive a reset */

    char client_cert[NINA_CERT_MAX + 1], client_key[NINA_KEY_MAX + 1];
    bool cert_set, key_set;
    struct nina_trust *trust; /* parsed CA certificates, made when first needed */

    struct {
        uint8_t mode, duty;
        bool level, pwm, gpio; /* gpio: a mode was set */
    } pins[NINA_PINS];

    struct {
        uint64_t frames, bytes_in, bytes_out, errors, malformed, dropped, crashes, resets, joins,
            join_failures;
        uint64_t opened, closed, leaked, flipped, net_in, net_out, by_command[NINA_OPS];
    } count;
    uint64_t sent_mark, received_mark; /* net_in/out when the page was last told */
    sim_counter_t shown[20 + NINA_OPS];
    char mac_text[18];
};

/* A request's bytes at the firmware's fixed offsets; 0 beyond the buffer. */
static inline uint8_t nina_u8(const nina_t *n, size_t offset)
{
    return offset < NINA_BUF ? n->rx[offset] : 0;
}
static inline uint16_t nina_u16le(const nina_t *n, size_t offset)
{
    return (uint16_t)(nina_u8(n, offset) | nina_u8(n, offset + 1) << 8);
}
static inline uint32_t nina_u32le(const nina_t *n, size_t offset)
{
    return nina_u16le(n, offset) | (uint32_t)nina_u16le(n, offset + 2) << 16;
}
static inline uint16_t nina_u16be(const nina_t *n, size_t offset)
{
    return (uint16_t)(nina_u8(n, offset) << 8 | nina_u8(n, offset + 1));
}
void nina_bytes(const nina_t *n, size_t offset, void *out, size_t len);
/* A text parameter into out[max + 1]; false = longer than max, which overruns the firmware's stack. */
bool nina_text(nina_t *n, size_t len_offset, char *out, size_t max);

/* The reply under construction: parameters with 1- or 2-byte lengths, END added when it is sent. */
void nina_reply(nina_t *n, uint8_t params);
void nina_reply_param(nina_t *n, unsigned width, const void *data, size_t len);
nina_result_t nina_reply_u8(nina_t *n, uint8_t value);
nina_result_t nina_reply_bytes(nina_t *n, const void *data, size_t len);
nina_result_t nina_reply_u16le(nina_t *n, uint16_t value);
nina_result_t nina_reply_u32le(nina_t *n, uint32_t value);
nina_result_t nina_reply_none(nina_t *n);

/* Parse n->rx, run its handler. */
nina_result_t nina_handle(nina_t *n, uint64_t now_us);
const nina_command_t *nina_find_command(const nina_t *n, uint8_t op); /* NULL = not in this firmware */
extern const nina_command_t nina_commands[];
extern const size_t nina_command_count;

/* A duration of the radio or of a time-out, shortened by the network's "speed". */
uint64_t nina_scaled(nina_t *n, uint64_t us);

/* firmware: the class's create */
adder_err_t nina_create(sim_chip_t *c, const cJSON *config, char *msg, size_t msg_cap);

/* wifi */
void nina_wifi_reset(nina_t *n);
uint64_t nina_wifi_poll(nina_t *n, uint64_t now_us);
bool nina_online(const nina_t *n);  /* packets pass */
void nina_station_start(nina_t *n); /* 3.x: the first command that needs the station */
void nina_station_leave(nina_t *n, nina_wl_t status, uint64_t now_us);
uint8_t nina_enct(sim_ap_security_t security); /* as 26h tells it */
bool nina_is_zero(const uint8_t *b, size_t len);
void nina_clear_record(nina_wifi_t *w);
bool nina_address_fixed(const nina_t *n);
/* Is there a way for packets? An access point without a link of its own reaches its stations only. */
adder_err_t nina_route(const nina_t *n, const uint8_t ip4[4], uint16_t port, sim_endpoint_t *to_out);

/* ap */
void nina_ap_stop(nina_t *n);
void nina_ap_poll(nina_t *n);

/* conn */
nina_ref_t nina_conn_open(nina_t *n, bool stream);
nina_conn_t *nina_conn(nina_t *n, nina_ref_t ref); /* NULL = closed */
void nina_conn_close(nina_t *n, nina_ref_t *ref);
void nina_conns_reset(nina_t *n);
/* ADDER_OK connected or under way (then poll), else failed. */
adder_err_t nina_conn_connect(nina_t *n, nina_conn_t *c, const uint8_t ip4[4], uint16_t port);
adder_err_t nina_conn_connect_poll(nina_t *n, nina_conn_t *c);
uint16_t nina_conn_available(nina_t *n, nina_conn_t *c);
size_t nina_conn_read(nina_t *n, nina_conn_t *c, uint8_t *out, size_t cap, bool peek);
/* *n_out bytes taken, 0 = the send buffer is full; ADDER_ERR_CLOSED = the connection is broken. */
adder_err_t nina_conn_write(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, size_t *n_out);
void nina_conns_drop(nina_t *n);                /* a lost link: all connections, no listener */
bool nina_conn_gone(nina_t *n, nina_conn_t *c); /* the peer's end came and the socket is empty */
size_t nina_conn_room(const nina_t *n, const nina_conn_t *c); /* of the send buffer */
adder_err_t nina_conn_bind(nina_t *n, nina_conn_t *c, uint16_t port, const char *what);
adder_err_t nina_conn_listen(nina_t *n, nina_conn_t *c, int backlog);
nina_ref_t nina_conn_accept(nina_t *n, nina_conn_t *listener);
bool nina_conn_to(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, const sim_endpoint_t *to);
bool nina_conn_join_group(nina_conn_t *c, const uint8_t group[4]);
bool nina_conn_from(nina_t *n, nina_conn_t *c, uint8_t *buf, size_t cap, size_t *len_out,
                    sim_endpoint_t *from);

/* sockets */
void nina_slots_reset(nina_t *n);
nina_slot_t *nina_slot_at(nina_t *n, size_t offset); /* NULL = beyond the table, logged */
void nina_slot_lose(nina_t *n, nina_ref_t *ref);     /* overwritten while open: leaked */
bool nina_data_waiting(nina_t *n);
/* WiFiClient's: look and forget one that is gone; bytes; 0 or 1..cap read. */
bool nina_client_connected(nina_t *n, nina_ref_t *ref);
uint16_t nina_client_available(nina_t *n, nina_ref_t ref);
const uint8_t *nina_send_bytes(nina_t *n, size_t *len); /* of 44h and 46h */

/* server */
bool nina_server_up(nina_t *n, const nina_slot_t *s);
uint16_t nina_server_poll(nina_t *n, nina_slot_t *s, bool accept); /* 2Bh: a slot, 255 = nobody */
bool nina_server_waiting(nina_t *n, nina_slot_t *s);
size_t nina_server_write(nina_t *n, nina_slot_t *s, const uint8_t *data, size_t len);

/* udp */
uint16_t nina_udp_available(const nina_slot_t *s);
uint16_t nina_udp_fetch(nina_t *n, nina_slot_t *s);
size_t nina_udp_read(nina_slot_t *s, uint8_t *out, size_t cap, bool peek);
nina_result_t nina_udp_open(nina_t *n, nina_slot_t *s, const uint8_t ip4[4], uint16_t port);

/* lookup */
typedef enum { NINA_LOOKUP_WAIT, NINA_LOOKUP_FOUND, NINA_LOOKUP_FAILED } nina_lookup_t;
void nina_lookup_begin(nina_t *n, uint64_t now_us);         /* n->op.host */
nina_lookup_t nina_lookup_poll(nina_t *n, uint64_t now_us); /* n->op.ip */
void nina_op_cancel(nina_t *n);

/* tls */
/* NULL = failed, logged. `host` names the server; verify_name false: any name will do. */
nina_tls_t *nina_tls_open(nina_t *n, nina_ref_t conn, const char *host, bool verify_name);
/* ADDER_OK established, ADDER_ERR_AGAIN, else failed (logged). */
adder_err_t nina_tls_handshake(nina_t *n, nina_tls_t *t);
bool nina_tls_connected(nina_t *n, nina_tls_t *t);
uint16_t nina_tls_available(nina_t *n, nina_tls_t *t);
size_t nina_tls_read(nina_t *n, nina_tls_t *t, uint8_t *out, size_t cap);
/* ADDER_OK: *n_out bytes taken, 0 = not now; else the session is broken. */
adder_err_t nina_tls_write(nina_t *n, nina_tls_t *t, const uint8_t *data, size_t len, size_t *n_out);
nina_conn_t *nina_tls_conn(nina_t *n, nina_tls_t *t);
void nina_tls_close(nina_t *n, nina_tls_t **t);
void nina_trust_free(nina_t *n);

/* gpio */

uint8_t nina_led(const nina_t *n, unsigned pin); /* 0..255 */

/* page */
adder_err_t nina_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t msg_cap);
void nina_describe(sim_chip_t *c, cJSON *into);
const sim_counter_t *nina_counters(sim_chip_t *c, size_t *n_out);
extern const sim_knob_t nina_knobs[];
void nina_ready_apply(nina_t *n); /* READY as the chip and its fault have it */

#endif
