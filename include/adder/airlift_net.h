/* AirLift as a socket stack: adder/net.h over the commands of adder/airlift.h, and the policy of its link.
 *
 *     static uint8_t rx[2][4086], tx[4083];
 *     adder_airlift_net_init(&n, &(adder_airlift_net_config_t){
 *         .chip = {.spi = spi, .cs = cs, .ready = ready, .reset = reset, .gpio0 = gpio0},
 *         .rx = rx[0], .rx_size = sizeof rx[0], .rx_count = 2, .tx = tx, .tx_size = sizeof tx, .tx_count = 1,
 *         .random = random32});
 *     adder_net_t net = adder_airlift_net(&n);
 *     adder_airlift_net_join(&n, &(adder_airlift_wifi_t){.ssid = "home", .password = "secret123"});
 *     do { net.ops->tick(net.ctx, now_us(), &wants); wait(wants); net.ops->status(net.ctx, &status);
 *     } while (status.link == ADDER_NET_LINK_JOINING);
 *
 * The first ticks reset and start the chip. Every call returns at once; tick() moves one command at a time,
 * as the chip does. A command that keeps the chip busy (connect, TLS, names, scan: seconds, TLS on 1.x up
 * to 120 s) keeps every socket waiting, but nobody who calls.
 *
 * Where the chip limits the seam:
 *
 *   - TCP, UDP, TLS (client, one at a time: open() of a second is ADDER_ERR_NOMEM), IPv4 only. Servers;
 *     names; no multicast. A socket bound to a port of the caller's cannot connect: ADDER_ERR_UNSUPPORTED.
 *   - The firmware does not tell an orderly end from a reset: both are ADDER_ERR_END once all is read, if
 *     the link is up and the chip has not restarted; else ADDER_ERR_CLOSED. There are no half-closed
 *     connections: after END nothing can be sent. Nothing tells of an end, so it is asked for: 10 ms after
 *     the last byte, then ever more rarely, at last each check_ms.
 *   - close() with abort drops what was not handed to the chip yet, and is an orderly end otherwise.
 *   - When the link is lost, or the chip restarts, connections end with ADDER_ERR_CLOSED; UDP sockets and
 *     listeners live on, and everything is set up again. Firmware 3.x says nothing of its own access point:
 *     that is UP once the chip has agreed, its address is taken to be 192.168.4.1, and a restart that
 *     nothing else tells of is not noticed.
 *   - When the reply to a command on a stream is lost, the socket ends with ADDER_ERR_IO or _TIMEOUT: bytes
 *     may be missing, and that is not hidden. Datagrams are lost as they may be.
 *   - connect() fails with NOT_FOUND (no such name; not joined), REFUSED (also a certificate that does not
 *     fit) or TIMEOUT; the last two are told apart by how long the chip took.
 *   - No command stops a server. A closed listener's port still takes connections, which are closed at
 *     once, until the chip restarts; listening on that port again takes it over. Firmware 1.x tells of a
 *     connection once it has sent something.
 *   - What is sent waits in a transmit buffer until the chip has it, and goes out in frames as large as
 *     possible. Firmware 1.x closes a connection whose send buffer (5744 bytes) is full when more comes, and
 *     says nothing of its room. A frame that it takes in part tells that it is full: then the stack waits 1
 *     to 5 s, and from then on leaves more time between frames. A peer that takes nothing for longer than
 *     that loses its connection (ADDER_ERR_CLOSED). 2.x and 3.x wait for ever.
 *   - A bound UDP socket has one datagram at a time, of at most 1500 bytes; the chip cuts longer ones.
 *
 * Buffers: a connection holds a receive buffer from when bytes come until they are read, a transmit buffer
 * from send() until the chip has it all. With one transmit buffer a connection that the chip takes nothing
 * for keeps the others from sending. With one receive buffer bytes are fetched only for sockets on which
 * recv() or ready() was called; with more, one is left for those.
 *
 * Traffic without anything to do: each check_ms one command for the link, and one for each connection on
 * which recv() waits. With GPIO0 wired nothing else; without it, sockets on which recv() found nothing are
 * asked, after 1 ms, then ever more rarely, at last each 20 ms.
 *
 * Threading: one thread at a time. On a Cortex-M0+: sizeof(adder_airlift_net_t) is 3,072 bytes, the
 * driver's 848 among them, plus the buffers; 16 KB of code and the driver's 6 KB; 250 bytes of stack. */
#ifndef ADDER_AIRLIFT_NET_H
#define ADDER_AIRLIFT_NET_H

#include "adder/airlift.h"
#include "adder/dns.h" /* adder_random_fn */
#include "adder/net.h"

enum {
    ADDER_AIRLIFT_NET_SOCKETS = 12,  /* handles: more than slots, since those that close need one a while */
    ADDER_AIRLIFT_NET_RX_MIN = 1500, /* rx_size: a datagram */
    ADDER_AIRLIFT_NET_TX_MIN = 1460,
    ADDER_AIRLIFT_NET_TX_COUNT_MAX = 4,
};

typedef struct {
    adder_airlift_config_t chip;
    uint8_t *rx;      /* rx_count buffers, one behind the other; borrowed, as tx */
    size_t rx_size;   /* of one: RX_MIN..4086, more is not used */
    uint8_t rx_count; /* 1..12 */
    uint8_t *tx;
    size_t tx_size;         /* of one: TX_MIN..4083, more is not used */
    uint8_t tx_count;       /* 1..4 */
    uint8_t raw_slots;      /* slots of the chip left to users of claim(): 0..5 */
    adder_random_fn random; /* for local ports */
    void *random_ctx;
    uint32_t check_ms;     /* how often the link and silent connections are looked at; 0 = 1000 */
    bool signals;          /* the next two are there: what tick's `wants` gives for waiting */
    intptr_t ready_signal; /* fires when READY changes */
    intptr_t data_signal;  /* fires when GPIO0 changes */
} adder_airlift_net_config_t;

typedef enum {
    ADDER_AIRLIFT_SECURITY_AUTO, /* WPA with a password, else open */
    ADDER_AIRLIFT_SECURITY_OPEN,
    ADDER_AIRLIFT_SECURITY_WPA, /* WPA, WPA2, on 3.x WPA3 */
    ADDER_AIRLIFT_SECURITY_WEP,
    ADDER_AIRLIFT_SECURITY_ENTERPRISE, /* WPA2, PEAP */
} adder_airlift_security_t;

typedef struct {
    const char *ssid;     /* 1..32 bytes */
    const char *password; /* NULL = none; WPA 0..64, WEP 0..26, enterprise 0..32 bytes */
    const char *identity; /* enterprise: 0..32 bytes each; NULL = empty */
    const char *user;
    adder_airlift_security_t security;
    uint8_t attempts; /* until the first success, then FAILED; 0 = 2, 255 = for ever */
} adder_airlift_wifi_t;

/* More about the link than adder_net_status_t has. */
typedef struct {
    bool started;      /* the chip runs, `firmware` is known */
    bool access_point; /* ours, not joined to one */
    uint8_t status;    /* adder_airlift_status_t, as the chip said last */
    uint8_t reason;    /* 802.11, why the last join failed; 0 = not known (1.x does not tell) */
    uint32_t attempts; /* joins begun since adder_airlift_net_join() */
    const char *ssid;  /* within n */
} adder_airlift_link_t;

/* Private: a socket, open to the caller or still closing. */
typedef struct {
    uint8_t phase, step, kind, slot, rx, parent, tries, send_step;
    bool open;     /* a handle refers to it */
    bool drop;     /* what waits to be sent is not to go out */
    bool want;     /* somebody asked for what comes */
    bool waits_tx; /* somebody waits for a transmit buffer */
    bool flip;     /* sent last, so receive next */
    bool steady;   /* the time between frames is known, not to be tried out */
    bool any_port; /* local_port is our choice */
    bool peered;
    adder_err_t failed;
    uint16_t at, len, datagram; /* in the receive buffer; what the chip said of a datagram */
    uint16_t local_port, port, peer_port, from_port;
    uint8_t ip[4], peer_ip[4], from_ip[4]; /* remote; a UDP socket's own peer; a datagram's sender */
    uint16_t queued, frozen, calm; /* 1.x: perhaps in the chip's send buffer; TLS: length to try again */
    uint32_t ack_us, poll_gap_us, check_gap_us, send_gap_us;
    uint64_t poll_us, check_us, send_us, sent_us, limit_us;
} adder_airlift_net_sock_t;

/* Private: a transmit buffer. */
typedef struct {
    uint8_t owner; /* 255 = free */
    uint16_t len;
    uint16_t port;
    uint8_t ip[4]; /* of a datagram: whom to */
} adder_airlift_net_tx_t;

typedef struct {
    struct {
        adder_airlift_net_config_t c;
        adder_airlift_t chip;
        uint64_t now_us, began_us; /* the last tick's; the command's under way */
        adder_err_t trouble;       /* what tick() says */
        uint8_t job, job_sock;     /* the command under way and whose it is */
        uint8_t turn;              /* the socket to be served first */
        uint8_t sequence;          /* the socket that goes on before all others, 255 = none */
        bool claimed, gpio0_high, restart;
        uint32_t resets; /* of chip.stats that were seen */
        uint32_t start_gap_us;
        uint64_t start_us;
        uint16_t held;   /* raw slots */
        uint16_t dead;   /* slots of servers nobody has any more */
        uint16_t soiled; /* slots in which a datagram for their last UDP socket may lie */
        uint16_t dead_port[ADDER_AIRLIFT_SLOTS_MAX];
        uint8_t dead_at, dead_client;
        uint64_t dead_us;
        uint8_t reserved; /* whose turn at a transmit buffer it is, 255 = nobody's */
        uint64_t reserved_us;
        adder_airlift_net_sock_t socks[ADDER_AIRLIFT_NET_SOCKETS];
        adder_airlift_net_tx_t tx[ADDER_AIRLIFT_NET_TX_COUNT_MAX];
        uint8_t rx_owner[ADDER_AIRLIFT_NET_SOCKETS];
        struct {
            char name[ADDER_NET_HOST_MAX + 1];
            uint8_t owner, state, ip[4], tries;
            adder_err_t failed;
            uint64_t since_us;
        } lookup;
        struct {
            uint8_t mode, step, security, channel, attempts_max, status, reason, tries;
            bool was_up, has_ip, has_dns, dirty, ip_sent, cert_sent, enterprise_sent;
            char ssid[33], password[65], identity[33], user[33], hostname[64];
            uint8_t ip[3][4], dns[2][4]; /* wanted: address, gateway, mask */
            const char *cert, *key;
            size_t cert_len, key_len;
            uint32_t attempts, gap_us;
            uint64_t due_us, limit_us;
            adder_net_link_t state;
            adder_err_t cause;
            uint32_t changes;
            uint8_t now_ip[3][4], now_dns[2][4]; /* in use: address, mask, gateway */
            uint8_t n_dns;
        } link;
    } priv;
} adder_airlift_net_t;

/* ---- life ---- */

/* Copies the configuration, borrows the buffers. No exchange with the chip; that begins with tick().
 * ADDER_ERR_RANGE (sizes, counts), ADDER_ERR_ARG (no bus, pin, buffer or random), the pins' own errors. */
adder_err_t adder_airlift_net_init(adder_airlift_net_t *n,
                                   const adder_airlift_net_config_t *c) ADDER_MUST_USE;
/* The seam; it refers to n. */
adder_net_t adder_airlift_net(adder_airlift_net_t *n);
/* Wipe the secrets. A transfer under way is cut, CS goes up and the bus's lock is given back; the other pins
 * stay as they are, and so do sockets on the chip. */
void adder_airlift_net_deinit(adder_airlift_net_t *n);
/* Reset the chip as soon as no command is under way: connections end with CLOSED, the rest is set up again.
 */
void adder_airlift_net_restart(adder_airlift_net_t *n);

/* ---- link: each returns at once, status() tells what comes of it ---- */

/* Join; texts are copied, older ones wiped. On loss it is joined again and again, with 1 s to 60 s in
 * between (10 s to 60 s on 3.x, which does so itself). status().cause once FAILED:
 *   ADDER_ERR_NOT_FOUND  no such network       ADDER_ERR_REFUSED  it does not let us in: the password
 *   ADDER_ERR_TIMEOUT    no decision in 20 s   ADDER_ERR_UNSUPPORTED  the firmware cannot do this
 *   ADDER_ERR_IO         the chip does not answer; it is tried again and again, and this FAILED heals
 * Firmware 1.x does not tell the first two apart: after a failure the network is looked for by a scan (2 s).
 * ADDER_ERR_RANGE: a text too long; then nothing has changed. */
adder_err_t adder_airlift_net_join(adder_airlift_net_t *n, const adder_airlift_wifi_t *wifi) ADDER_MUST_USE;
/* Be an access point: `pass` NULL (open) or 8..63 bytes, channel 1..14 (1.x: always 1). The link is UP with
 * the chip's own address, or FAILED with ADDER_ERR_REFUSED. ADDER_ERR_RANGE as above. */
adder_err_t adder_airlift_net_access_point(adder_airlift_net_t *n, const char *ssid, const char *pass,
                                           uint8_t channel) ADDER_MUST_USE;
/* Leave, stay off. Secrets are wiped. */
void adder_airlift_net_disconnect(adder_airlift_net_t *n);
/* These take effect with the next join() or access_point(), and are kept over all of them.
 * `ip4` NULL: DHCP. `first` NULL: what DHCP says; `second` may be NULL. */
void adder_airlift_net_set_ip(adder_airlift_net_t *n, const uint8_t ip4[4], const uint8_t gateway[4],
                              const uint8_t mask[4]);
void adder_airlift_net_set_dns(adder_airlift_net_t *n, const uint8_t first[4], const uint8_t second[4]);
/* 1..63 bytes (1.x keeps 32), NULL = the firmware's own. ADDER_ERR_RANGE. */
adder_err_t adder_airlift_net_set_hostname(adder_airlift_net_t *n, const char *name) ADDER_MUST_USE;
/* PEM texts, borrowed for good: they are sent again after a reset of the chip. NULL = none (a chip that has
 * one keeps it until its next reset). At most ADDER_AIRLIFT_CERT_MAX, _KEY_MAX bytes; ADDER_ERR_RANGE. In 3.x
 * mutual TLS appears not to work, and a certificate seems to break all other TLS. */
adder_err_t adder_airlift_net_set_client_cert(adder_airlift_net_t *n, const char *cert, size_t cert_len,
                                              const char *key, size_t key_len) ADDER_MUST_USE;
void adder_airlift_net_link(const adder_airlift_net_t *n, adder_airlift_link_t *out);
/* Everything that send() took and close() was told has reached the chip: it may be reset, or left alone. */
bool adder_airlift_net_drained(const adder_airlift_net_t *n);

/* ---- the commands for others ---- */

/* Have the chip for commands of one's own (scan, ping, RSSI, time, pins, versions, raw sockets):
 *
 *     while ((err = adder_airlift_net_claim(n, &a)) == ADDER_ERR_AGAIN) pump(net);
 *     if (err == ADDER_OK) {
 *         if ((err = adder_airlift_begin_rssi(a)) == ADDER_OK)
 *             while ((err = adder_airlift_tick(a, now_us())) == ADDER_ERR_AGAIN) pump(net);
 *         rssi = a->result.number;
 *         adder_airlift_net_release(n);
 *     }
 *
 * The stack stands still until release(): any number of commands, one after another; tick() drives them as
 * well, and a tick of either tells the outcome. Do not join, be an access point, disconnect or start with
 * these commands: the link is the stack's (and a scan makes firmware 2.x lose it). A claim may be released
 * while a command is under way: its outcome is dropped, and the stack goes on when it has ended.
 * ADDER_ERR_AGAIN  a command is under way, the chip has not started yet, or it is claimed already others the
 * chip does not start: why; tick() keeps trying
 *
 * Raw socket slots: the chip hands out its lowest free slot, to whoever asks. A slot that a raw user's
 * start_client or listen has succeeded on is not free, so the stack never gets it; one that was asked for
 * and not opened yet is to be held over a release. The stack never sends a command to a slot it has not
 * opened. raw_slots of the configuration are kept free by it. A raw server's clients are the raw user's if
 * the raw user asks for them (available()). After a reset of the chip (a->stats.resets) all are gone. */
adder_err_t adder_airlift_net_claim(adder_airlift_net_t *n, adder_airlift_t **out) ADDER_MUST_USE;
void adder_airlift_net_release(adder_airlift_net_t *n);
/* The stack does not take `slot` while it is held. ADDER_ERR_IN_USE: the stack has it. ADDER_ERR_RANGE. */
adder_err_t adder_airlift_net_hold(adder_airlift_net_t *n, uint8_t slot, bool held) ADDER_MUST_USE;
/* Counts, firmware; valid at any time, between ticks. */
const adder_airlift_t *adder_airlift_net_chip(const adder_airlift_net_t *n);

#endif
