/* AirLift: an ESP32 with NINA firmware (1.7, 2.x, 3.x) as Wi-Fi co-processor on SPI. Its lower layers:
 * the link and the commands. Nothing here blocks or reads a clock.
 *
 *     err = adder_airlift_init(&a, &(adder_airlift_config_t){.spi = spi, .cs = cs, .ready = ready});
 *     err = adder_airlift_begin_start(&a);     // reset, boot, firmware version
 *     while ((err = adder_airlift_tick(&a, now_us())) == ADDER_ERR_AGAIN)
 *         do_other_things();                   // until READY moves or adder_airlift_due_us()
 *     err = adder_airlift_begin_rssi(&a);
 *     while ((err = adder_airlift_tick(&a, now_us())) == ADDER_ERR_AGAIN)
 *         do_other_things();
 *     if (err == ADDER_OK) show(a.result.number);
 *
 * One command at a time, as on the chip. A begin_ function only writes the frame and returns
 *     ADDER_ERR_STATE        a command is under way, or the chip is not started
 *     ADDER_ERR_RANGE        a text, size or number beyond what the firmware bears (it checks nothing)
 *     ADDER_ERR_UNSUPPORTED  the chip's firmware has no such command
 * and then changes nothing. tick() returns ADDER_ERR_AGAIN until the command ends, then its outcome:
 *     ADDER_OK           done, `result` holds what the function says
 *     ADDER_ERR_REFUSED  the chip says no (result byte 0, no parameters)
 *     ADDER_ERR_UNSUPPORTED  the chip answers with its error frame: it does not know the command
 *     ADDER_ERR_TIMEOUT  no reply within the command's limit: it may still happen, or have happened
 *     ADDER_ERR_IO       a reply that makes no sense or was not acknowledged: the same doubt
 *     ADDER_ERR_CLOSED   not carried out: the link was dead and the chip has been reset. Its sockets, its
 *                        network and its settings are gone, stats.resets has grown
 *     ADDER_ERR_NOT_FOUND  the chip does not start; begin_start() again when it may be there
 *     others             from the pins and the bus, unchanged
 *
 * After TIMEOUT and IO the link is re-aligned by the next command, before it is sent: a reply that is
 * still to come is waited for and drained, and the version is asked to prove it. A socket whose
 * recv, read_byte, send or send_datagram ended so may have lost bytes; it then refuses those with
 * ADDER_ERR_IO until stop_client() or a start_client succeeds: a hole in a stream is never hidden.
 * Limits: 5 s for a reply; scan and send 15 s, ping 10 s, resolve 30 s, connect 130 s (TLS on 1.x takes
 * as long); then 10 s for a late reply before the reset, and 3 s for the chip to start.
 * The frames have no checksum: a bit flipped inside of data is not seen at this level.
 *
 * Bus: taken from CS low to CS high, which may span ticks (adder_airlift_holds_bus()): no other device on
 * the same wires then, to which the configuration's lock sees if it has one: taken before CS falls, given
 * back after it rises; while it cannot be had the command waits, without a limit. A tick transfers at most
 * two frames of 4092 bytes.
 * Memory: about 900 bytes, the caller's. Texts are copied; data and reply buffers are borrowed until the
 * command has ended. Threading: one thread at a time. */
#ifndef ADDER_AIRLIFT_H
#define ADDER_AIRLIFT_H

#include "adder/bus.h"

enum {
    ADDER_AIRLIFT_SEND_MAX = 4083, /* bytes of one send */
    ADDER_AIRLIFT_RECV_MAX = 4086, /* bytes of one receive */
    ADDER_AIRLIFT_CERT_MAX = 1299, /* PEM of the client certificate */
    ADDER_AIRLIFT_KEY_MAX = 1699,
    ADDER_AIRLIFT_SLOTS_MAX = 10, /* in firmware 1.x; later ones have 6 */
};

typedef struct {
    adder_spi_t spi;
    adder_pin_t cs, ready;
    adder_pin_t reset; /* unconnected: a dead link cannot be helped */
    adder_pin_t gpio0; /* unconnected: adder_airlift_data_flag() is always true */
    uint32_t hz;       /* 0 = 8 MHz, what every known host uses */
    adder_bus_lock_t lock;
} adder_airlift_config_t;

typedef enum {
    ADDER_AIRLIFT_TCP,
    ADDER_AIRLIFT_UDP,
    ADDER_AIRLIFT_TLS,
    ADDER_AIRLIFT_MULTICAST
} adder_airlift_mode_t;

/* Of begin_status(). */
typedef enum {
    ADDER_AIRLIFT_IDLE,
    ADDER_AIRLIFT_NO_SSID,
    ADDER_AIRLIFT_SCAN_DONE,
    ADDER_AIRLIFT_CONNECTED,
    ADDER_AIRLIFT_CONNECT_FAILED,
    ADDER_AIRLIFT_CONNECTION_LOST,
    ADDER_AIRLIFT_DISCONNECTED,
    ADDER_AIRLIFT_AP_LISTENING, /* firmware before 3.0 */
    ADDER_AIRLIFT_AP_CONNECTED, /* firmware before 3.0 */
    ADDER_AIRLIFT_AP_FAILED,    /* firmware before 3.0 */
    ADDER_AIRLIFT_STOPPED = 254,
} adder_airlift_status_t;

/* Of begin_encryption() and begin_scanned_encryption(), the same for every firmware. */
typedef enum {
    ADDER_AIRLIFT_WPA = 2,
    ADDER_AIRLIFT_WPA2 = 4,
    ADDER_AIRLIFT_WEP = 5,
    ADDER_AIRLIFT_OPEN = 7,
    ADDER_AIRLIFT_OTHER = 255, /* WPA3, enterprise */
} adder_airlift_encryption_t;

typedef enum {
    ADDER_AIRLIFT_PIN_IN,
    ADDER_AIRLIFT_PIN_OUT,
    ADDER_AIRLIFT_PIN_IN_PULL_UP
} adder_airlift_pin_mode_t;

/* Of the command that ended last with ADDER_OK; zero where it does not apply. */
typedef struct {
    int64_t number;
    float celsius;
    uint8_t ip4[3][4];
    uint8_t mac[6]; /* first octet first */
    uint16_t port;
    const char *text; /* NUL-terminated, within the driver; until the next begin_ */
    size_t len;       /* of the text, or bytes received */
} adder_airlift_result_t;

typedef struct {
    uint64_t bytes; /* clocked */
    uint32_t transactions, realigned, resets, timeouts, bad_replies;
} adder_airlift_stats_t;

typedef struct {
    adder_airlift_result_t result;
    struct {
        uint8_t major, minor, patch; /* 0.0.0 = not yet asked */
        char text[33];
    } firmware;
    adder_airlift_stats_t stats;
    struct {
        adder_airlift_config_t c;
        uint8_t stage /* 0 = idle */, phase, shape, op, params, tries;
        bool started, aligned, selected, locked, barred, timed, seen_high;
        adder_err_t outcome;
        uint64_t due_us, late_us; /* of the phase; till when a lost reply may still come */
        uint64_t retry_us;        /* barred: somebody else has the bus, look again then */
        uint8_t frame[300];       /* the command's head: everything but `data` */
        uint16_t frame_len;
        const uint8_t *data; /* then these, then the tail */
        size_t data_len;
        uint8_t tail[5];
        uint8_t tail_len;
        uint8_t *sink; /* a long reply goes straight there */
        size_t sink_cap;
        uint8_t reply[260]; /* the parameters of a short one */
        uint8_t reply_len[3];
        uint8_t sock; /* the command's, 255 = none */
        bool streams; /* a lost reply is a hole in a socket's stream */
        uint16_t broken;
        uint16_t datagram[ADDER_AIRLIFT_SLOTS_MAX];
        uint16_t adding;
    } priv;
} adder_airlift_t;

/* ---- engine ---- */

/* Copies the configuration; drives CS and RESET high. Errors from the pins. */
adder_err_t adder_airlift_init(adder_airlift_t *a, const adder_airlift_config_t *c) ADDER_MUST_USE;
/* One step, or several that need no waiting. ADDER_ERR_AGAIN while a command is under way, then its
 * outcome, again and again until the next begin_. ADDER_ERR_STATE before the first. */
adder_err_t adder_airlift_tick(adder_airlift_t *a, uint64_t now_us) ADDER_MUST_USE;
/* When tick() must be called even if READY does not move; UINT64_MAX = nothing under way. */
uint64_t adder_airlift_due_us(const adder_airlift_t *a);
bool adder_airlift_holds_bus(const adder_airlift_t *a);
/* Stop waiting: the command ends with ADDER_ERR_TIMEOUT, as if its limit had come. */
void adder_airlift_give_up(adder_airlift_t *a);
/* The level of GPIO0: some socket has data or a server has a client. True if not wired. */
adder_err_t adder_airlift_data_flag(const adder_airlift_t *a, bool *waiting_out) ADDER_MUST_USE;
/* Slots of the firmware that is running. */
uint8_t adder_airlift_slots(const adder_airlift_t *a);

/* Reset the chip, wait until it is armed (at most 3 s) and read its version. Without a RESET pin the
 * link is aligned instead. Allowed whenever no command is under way. */
adder_err_t adder_airlift_begin_start(adder_airlift_t *a) ADDER_MUST_USE;

/* ---- network: no result unless said ---- */

/* Joins return at once; poll begin_status(). Texts are 1..32 (SSID), 0..64 (passphrase) and 0..26 (WEP
 * key) bytes. Firmware 3.x refuses access points weaker than WPA2. */
adder_err_t adder_airlift_begin_join_open(adder_airlift_t *a, const char *ssid) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_join(adder_airlift_t *a, const char *ssid, const char *pass) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_join_wep(adder_airlift_t *a, const char *ssid,
                                         const char *key) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_disconnect(adder_airlift_t *a) ADDER_MUST_USE;
/* All zero: back to DHCP (1.x). The chip does not say whether it did. */
adder_err_t adder_airlift_begin_set_ip(adder_airlift_t *a, const uint8_t ip4[4], const uint8_t gateway[4],
                                       const uint8_t mask[4]) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_set_dns(adder_airlift_t *a, const uint8_t first[4],
                                        const uint8_t second[4]) ADDER_MUST_USE;
/* At most 255 bytes, of which 1.x keeps 32; before joining. */
adder_err_t adder_airlift_begin_set_hostname(adder_airlift_t *a, const char *name) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_set_power_save(adder_airlift_t *a, bool on) ADDER_MUST_USE;
/* An access point, `pass` NULL (open) or 8..63 bytes; channel 1..14. 1.x ignores the channel. */
adder_err_t adder_airlift_begin_access_point(adder_airlift_t *a, const char *ssid, const char *pass,
                                             uint8_t channel) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_set_debug(adder_airlift_t *a, bool on) ADDER_MUST_USE;
/* PEM text, kept by the chip until its reset: at most CERT_MAX and KEY_MAX bytes; borrowed. In 3.x mutual
 * TLS appears not to work, whatever is set here. */
adder_err_t adder_airlift_begin_set_client_cert(adder_airlift_t *a, const char *pem,
                                                size_t len) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_set_private_key(adder_airlift_t *a, const char *pem,
                                                size_t len) ADDER_MUST_USE;
/* WPA2 Enterprise, each at most 32 bytes; then enable, and join as open. */
adder_err_t adder_airlift_begin_enterprise_identity(adder_airlift_t *a, const char *text) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_enterprise_user(adder_airlift_t *a, const char *text) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_enterprise_password(adder_airlift_t *a, const char *text) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_enterprise_enable(adder_airlift_t *a) ADDER_MUST_USE;

adder_err_t adder_airlift_begin_temperature(adder_airlift_t *a) ADDER_MUST_USE; /* celsius, rough */
adder_err_t adder_airlift_begin_dns(adder_airlift_t *a) ADDER_MUST_USE;         /* ip4[0], ip4[1]; 2.x on */
adder_err_t adder_airlift_begin_reason(adder_airlift_t *a) ADDER_MUST_USE;      /* number: 802.11; 2.x on */
adder_err_t adder_airlift_begin_status(adder_airlift_t *a) ADDER_MUST_USE;      /* number: status_t */
adder_err_t adder_airlift_begin_ip(adder_airlift_t *a) ADDER_MUST_USE;    /* ip4: address, mask, gateway */
adder_err_t adder_airlift_begin_mac(adder_airlift_t *a) ADDER_MUST_USE;   /* mac */
adder_err_t adder_airlift_begin_ssid(adder_airlift_t *a) ADDER_MUST_USE;  /* text */
adder_err_t adder_airlift_begin_bssid(adder_airlift_t *a) ADDER_MUST_USE; /* mac */
adder_err_t adder_airlift_begin_rssi(adder_airlift_t *a) ADDER_MUST_USE;  /* number: dBm */
adder_err_t adder_airlift_begin_encryption(adder_airlift_t *a) ADDER_MUST_USE; /* number: encryption_t */
/* Seconds. result.number networks (1.x: at most 10), of which their names are in `names` as (length byte,
 * text) one after another, result.len bytes: as many as fit whole. */
adder_err_t adder_airlift_begin_scan(adder_airlift_t *a, uint8_t *names, size_t cap) ADDER_MUST_USE;
/* Of network `index` of the last scan. */
adder_err_t adder_airlift_begin_scanned_rssi(adder_airlift_t *a, uint8_t index) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_scanned_encryption(adder_airlift_t *a, uint8_t index) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_scanned_bssid(adder_airlift_t *a, uint8_t index) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_scanned_channel(adder_airlift_t *a, uint8_t index) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_version(adder_airlift_t *a) ADDER_MUST_USE; /* text */
adder_err_t adder_airlift_begin_time(adder_airlift_t *a) ADDER_MUST_USE; /* number: Unix time, 0 = unknown */
/* Look a name up (1..255 bytes); its address is then the result of resolved(), which after a failure
 * says anything. Seconds when the name server is silent. */
adder_err_t adder_airlift_begin_resolve(adder_airlift_t *a, const char *name) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_resolved(adder_airlift_t *a) ADDER_MUST_USE; /* ip4[0] */
adder_err_t adder_airlift_begin_ping(adder_airlift_t *a, const uint8_t ip4[4],
                                     uint8_t ttl) ADDER_MUST_USE; /* number: ms, -1 = no answer in 5 s */

/* ---- sockets: slot numbers 0 .. adder_airlift_slots()-1 ---- */

/* number: the lowest free slot; ADDER_ERR_NOMEM = none. It is not reserved before a start succeeds. */
adder_err_t adder_airlift_begin_socket(adder_airlift_t *a) ADDER_MUST_USE;
/* Connect, or set a UDP peer. TCP, UDP. Seconds: the limit is 130 s, give_up() is yours. */
adder_err_t adder_airlift_begin_connect(adder_airlift_t *a, uint8_t sock, const uint8_t ip4[4], uint16_t port,
                                        adder_airlift_mode_t mode) ADDER_MUST_USE;
/* By name (1..255 bytes): TLS, to which the name is the certificate's; TCP and UDP from 2.x on. */
adder_err_t adder_airlift_begin_connect_name(adder_airlift_t *a, uint8_t sock, const char *host,
                                             uint16_t port, adder_airlift_mode_t mode) ADDER_MUST_USE;
/* Listen; or bind UDP, without which nothing is received. `group` for MULTICAST, else NULL. */
adder_err_t adder_airlift_begin_listen(adder_airlift_t *a, uint8_t sock, const uint8_t group[4],
                                       uint16_t port, adder_airlift_mode_t mode) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_listening(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE; /* number: 0, 1 */
adder_err_t adder_airlift_begin_socket_state(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE; /* 4 or 0 */
adder_err_t adder_airlift_begin_stop(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE; /* servers cannot be */
/* number: bytes waiting; of a server: a ready client's slot, 255 = none. `accept` asks a server of 2.x on
 * for clients that have sent nothing yet. */
adder_err_t adder_airlift_begin_available(adder_airlift_t *a, uint8_t sock, bool accept) ADDER_MUST_USE;
/* number: the byte; 255 also when there is none. */
adder_err_t adder_airlift_begin_read_byte(adder_airlift_t *a, uint8_t sock, bool peek) ADDER_MUST_USE;
/* result.len bytes into `out`, 0 = nothing waiting. cap: at most RECV_MAX are asked for. */
adder_err_t adder_airlift_begin_recv(adder_airlift_t *a, uint8_t sock, uint8_t *out,
                                     size_t cap) ADDER_MUST_USE;
/* number: bytes taken of len (at most SEND_MAX are offered). 0 with 1.x: the chip's buffer was full, and
 * it has closed the socket. */
adder_err_t adder_airlift_begin_send(adder_airlift_t *a, uint8_t sock, const uint8_t *data,
                                     size_t len) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_data_sent(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE; /* always done */
/* Append to the datagram: 1500 bytes in all (1460 from 3.0 on), ADDER_ERR_RANGE beyond; then send it. */
adder_err_t adder_airlift_begin_add_datagram(adder_airlift_t *a, uint8_t sock, const uint8_t *data,
                                             size_t len) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_send_datagram(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_remote(adder_airlift_t *a, uint8_t sock) ADDER_MUST_USE; /* ip4[0], port */

/* ---- the chip's pins ---- */

/* From 3.0 on the codes are those of another core, taken from its sources and not tried on a chip. */
adder_err_t adder_airlift_begin_pin_mode(adder_airlift_t *a, uint8_t pin,
                                         adder_airlift_pin_mode_t mode) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_pin_write(adder_airlift_t *a, uint8_t pin, bool level) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_pin_pwm(adder_airlift_t *a, uint8_t pin, uint8_t duty) ADDER_MUST_USE;
adder_err_t adder_airlift_begin_pin_read(adder_airlift_t *a, uint8_t pin) ADDER_MUST_USE; /* number */
/* number: 12 bits, -1 = not an ADC pin. attenuation 0..3 = 0, 2.5, 6, 11 dB. */
adder_err_t adder_airlift_begin_pin_adc(adder_airlift_t *a, uint8_t pin, uint8_t attenuation) ADDER_MUST_USE;

#endif
