/* The AirLift ESP32 with nina-fw 1.7.7, as its SPI host sees it: what its files share.
 *
 *   esp32_nina.c          power, reset, boot, select edges, slots, READY: the transaction model
 *   esp32_nina_command.c  the table of commands, frames, and the commands that fit nowhere else
 *   esp32_nina_wifi.c     joining, scanning, access-point mode, addresses, time
 *   esp32_nina_conn.c     the chip's ten lwIP sockets, each a non-blocking socket of this computer
 *   esp32_nina_socket.c   the firmware's socket slots: TCP, UDP, TLS, servers
 *   esp32_nina_client.c   opening a connection
 *   esp32_nina_lookup.c   DNS and ping
 *   esp32_nina_tls.c      TLS sessions (Mbed TLS)
 *   esp32_nina_gpio.c     pins 0..39 and the RGB LED
 *   esp32_nina_page.c     knobs, state, counters
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
    NINA_FIRMWARE = 0x107, /* 1.7 */
    NINA_BUF = 4092,       /* SPI DMA buffer, each way */
    NINA_SLOTS = 10,       /* the firmware's socket numbers */
    NINA_CONNS = 10,       /* lwIP sockets of all kinds */
    NINA_WINDOW = 5744,    /* lwIP TCP send buffer and receive window */
    NINA_UDP_MAX = 1500,   /* datagram buffers */
    NINA_SCAN_MAX = 10,    /* networks a scan keeps */
    NINA_PINS = 40,
    NINA_CERT_MAX = 1300,
    NINA_KEY_MAX = 1700,
    NINA_TABLE_END = 0x55, /* first opcode beyond the table of 1.x */
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

/* ---- commands ---- */

typedef enum {
    NINA_DONE,  /* the reply is in n->tx */
    NINA_ERROR, /* the firmware answers with the error frame */
    NINA_WAIT,  /* n->step decides when the reply is there */
    NINA_CRASH, /* the firmware would overrun its memory: the chip boots again */
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
} nina_wl_t;

typedef struct {
    nina_wl_t status;
    bool ap_mode;
    bool linked;  /* associated, so that packets can pass */
    bool joining; /* a join ends at join_due_us */
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
    char cur_ssid[33]; /* the access point's record */
    uint8_t cur_bssid[6], cur_enct;
    int8_t cur_rssi;
    uint8_t mac[6];
    struct {
        char ssid[33];
        uint8_t bssid[6], enct, channel;
        int8_t rssi;
    } scan[NINA_SCAN_MAX];
} nina_wifi_t;

/* ---- sockets ---- */

/* One lwIP socket. A reference is (generation << 4 | index): a number that was closed and used
 * again, which the firmware would take for its own, is seen as closed here. */
typedef struct {
    int fd; /* -1 = free */
    uint32_t generation;
    bool listening, stream;
    bool gone;                  /* reset or closed by the peer, and read empty */
    uint32_t offline;           /* bytes taken while the link was down: lost */
    sim_endpoint_t peer, route; /* as the program sees it, and where it really is */
} nina_conn_t;

enum { NINA_NO_CONN = 0 };
typedef uint32_t nina_ref_t; /* NINA_NO_CONN = none */

typedef enum { NINA_FREE = 255, NINA_TCP = 0, NINA_UDP = 1, NINA_TLS = 2 } nina_kind_t;

typedef struct nina_tls nina_tls_t;

typedef struct {
    nina_kind_t kind; /* socketTypes[] */
    nina_ref_t client;
    struct {
        nina_ref_t conn;
        uint16_t port;
        nina_ref_t spawned[NINA_CONNS];
    } server;
    struct {
        nina_ref_t conn;
        uint8_t peer[4];
        uint16_t port;
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
    uint8_t stage;
    uint64_t due_us; /* nothing before */
    uint64_t give_up_us;
    nina_ref_t conn;
    int raw_fd; /* ping */
    uint16_t seq;
    uint64_t sent_us;
} nina_op_t;

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
    nina_state_t state;
    uint64_t due_us;       /* the state's next step */
    uint64_t ready_due_us; /* READY rises then, UINT64_MAX = no edge under way */
    uint64_t now_us;
    bool selected, ready, gpio0, gpio0_known;

    uint8_t rx[NINA_BUF], tx[NINA_BUF];
    size_t rx_len, tx_len, tx_pos;
    const nina_command_t *command;            /* being handled */
    bool (*step)(nina_t *n, uint64_t now_us); /* true = the reply is in tx */
    nina_op_t op;

    nina_wifi_t wifi;
    nina_conn_t conns[NINA_CONNS];
    nina_slot_t slots[NINA_SLOTS];
    uint8_t resolved[4];
    uint64_t data_due_us; /* GPIO0's next look at the sockets */

    char client_cert[NINA_CERT_MAX + 1], client_key[NINA_KEY_MAX + 1];
    bool cert_set, key_set;
    struct nina_trust *trust; /* parsed CA certificates, made when first needed */

    struct {
        uint8_t mode, duty;
        bool level, pwm;
    } pins[NINA_PINS];

    struct {
        uint64_t frames, bytes_in, bytes_out, errors, malformed, dropped, crashes, resets, joins,
            join_failures;
        uint64_t opened, closed, leaked, net_in, net_out, by_command[NINA_TABLE_END];
    } count;
    uint64_t sent_mark, received_mark; /* net_in/out when the page was last told */
    sim_counter_t shown[16 + NINA_TABLE_END];
    char mac_text[18];
};

/* A request's bytes at the firmware's fixed offsets; 0 beyond the buffer. */
static inline uint8_t nina_u8(const nina_t *n, size_t offset)
{
    return offset < NINA_BUF ? n->rx[offset] : 0;
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
const nina_command_t *nina_find_command(uint8_t op);
extern const nina_command_t nina_commands[];
extern const size_t nina_command_count;

/* A duration of the radio or of a time-out, shortened by the network's "speed". */
uint64_t nina_scaled(nina_t *n, uint64_t us);

/* wifi */
void nina_wifi_reset(nina_t *n);
uint64_t nina_wifi_poll(nina_t *n, uint64_t now_us);
bool nina_online(nina_t *n); /* packets pass */

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
/* *n_out bytes taken; ADDER_ERR_CLOSED = the firmware closes the socket. */
adder_err_t nina_conn_write(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, size_t *n_out);
adder_err_t nina_conn_bind(nina_t *n, nina_conn_t *c, uint16_t port, const char *what);
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
nina_result_t nina_start_server(nina_t *n, uint64_t now_us);
nina_result_t nina_state_tcp(nina_t *n, uint64_t now_us);
nina_result_t nina_data_sent(nina_t *n, uint64_t now_us);
nina_result_t nina_avail_data(nina_t *n, uint64_t now_us);
nina_result_t nina_get_data(nina_t *n, uint64_t now_us);
nina_result_t nina_start_client(nina_t *n, uint64_t now_us);
nina_result_t nina_stop_client(nina_t *n, uint64_t now_us);
nina_result_t nina_client_state(nina_t *n, uint64_t now_us);
nina_result_t nina_get_socket(nina_t *n, uint64_t now_us);
nina_result_t nina_send_data(nina_t *n, uint64_t now_us);
nina_result_t nina_get_databuf(nina_t *n, uint64_t now_us);
nina_result_t nina_insert_databuf(nina_t *n, uint64_t now_us);
nina_result_t nina_send_udp(nina_t *n, uint64_t now_us);
nina_result_t nina_remote_data(nina_t *n, uint64_t now_us);

/* lookup */
typedef enum { NINA_LOOKUP_WAIT, NINA_LOOKUP_FOUND, NINA_LOOKUP_FAILED } nina_lookup_t;
void nina_lookup_begin(nina_t *n, uint64_t now_us);         /* n->op.host */
nina_lookup_t nina_lookup_poll(nina_t *n, uint64_t now_us); /* n->op.ip */
void nina_op_cancel(nina_t *n);
nina_result_t nina_req_host(nina_t *n, uint64_t now_us);
nina_result_t nina_get_host(nina_t *n, uint64_t now_us);
nina_result_t nina_ping(nina_t *n, uint64_t now_us);

/* tls */
nina_tls_t *nina_tls_open(nina_t *n, nina_ref_t conn, const char *host); /* NULL = failed, logged */
/* ADDER_OK established, ADDER_ERR_AGAIN, else failed (logged). */
adder_err_t nina_tls_handshake(nina_t *n, nina_tls_t *t);
bool nina_tls_connected(nina_t *n, nina_tls_t *t);
uint16_t nina_tls_available(nina_t *n, nina_tls_t *t);
size_t nina_tls_read(nina_t *n, nina_tls_t *t, uint8_t *out, size_t cap);
size_t nina_tls_write(nina_t *n, nina_tls_t *t, const uint8_t *data, size_t len);
nina_conn_t *nina_tls_conn(nina_t *n, nina_tls_t *t);
void nina_tls_close(nina_t *n, nina_tls_t **t);
void nina_trust_free(nina_t *n);

/* wifi handlers */
nina_result_t nina_set_net(nina_t *n, uint64_t now_us);
nina_result_t nina_set_passphrase(nina_t *n, uint64_t now_us);
nina_result_t nina_set_key(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ip_config(nina_t *n, uint64_t now_us);
nina_result_t nina_set_dns_config(nina_t *n, uint64_t now_us);
nina_result_t nina_set_hostname(nina_t *n, uint64_t now_us);
nina_result_t nina_set_power_mode(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ap_net(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ap_passphrase(nina_t *n, uint64_t now_us);
nina_result_t nina_conn_status(nina_t *n, uint64_t now_us);
nina_result_t nina_ip_addr(nina_t *n, uint64_t now_us);
nina_result_t nina_mac_addr(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_ssid(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_bssid(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_rssi(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_enct(nina_t *n, uint64_t now_us);
nina_result_t nina_scan(nina_t *n, uint64_t now_us);
nina_result_t nina_disconnect(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_rssi(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_enct(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_bssid(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_channel(nina_t *n, uint64_t now_us);
nina_result_t nina_get_time(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_identity(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_username(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_password(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_enable(nina_t *n, uint64_t now_us);

/* gpio */
nina_result_t nina_pin_mode(nina_t *n, uint64_t now_us);
nina_result_t nina_digital_write(nina_t *n, uint64_t now_us);
nina_result_t nina_analog_write(nina_t *n, uint64_t now_us);
nina_result_t nina_digital_read(nina_t *n, uint64_t now_us);
nina_result_t nina_analog_read(nina_t *n, uint64_t now_us);

/* page */
adder_err_t nina_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t msg_cap);
void nina_describe(sim_chip_t *c, cJSON *into);
const sim_counter_t *nina_counters(sim_chip_t *c, size_t *n_out);

#endif
