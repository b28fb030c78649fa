/* Wi-Fi of the microcontroller's own, as Python's `wifi` module sees it: a station, an access point,
 * a scan, and the socket stack on top.
 *
 *     adder_wifi_join_t home = {"home", 4, "correct horse", 13};        // SSID and password, with lengths
 *     adder_err_t err = wifi->ops->join(wifi->ctx, &home);              // starts it
 *     do {
 *         pump(&wifi->net);                                             // tick(), then wait as it says
 *         wifi->ops->status(wifi->ctx, &now);
 *     } while (now.station == ADDER_WIFI_JOINING);
 *     if (now.station != ADDER_WIFI_JOINED)
 *         complain(now.reason);                                         // 201: no network of that name
 *     err = wifi->net.ops->open(wifi->net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &s);
 *
 * Non-blocking, every call. What takes time is started by one call and seen by another: a join in
 * status(), a scan in scan_next(), a ping by calling ping() again. wifi->net.ops->tick() drives all of it
 * and its `wants` say when to come again.
 *
 * A network that was joined once is joined again by the radio itself when it is lost, without end, until
 * join(NULL), another join or `enabled` false. Sockets of a lost link live on or fail as the stack has it.
 *
 * Errors besides those named: ADDER_ERR_IO, the radio does not answer.
 *
 * Threading: one thread at a time for the table and wifi->net together; their owner sees to that. Structs
 * passed in are copied. RAM: 4 pointers; the rest is the radio's. */
#ifndef ADDER_WIFI_H
#define ADDER_WIFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/ip.h"
#include "adder/net.h"

#define ADDER_WIFI_SSID_MAX 32 /* bytes, any value; not terminated where a length stands beside it */
#define ADDER_WIFI_PASSWORD_MAX 64
#define ADDER_WIFI_MAC 6

/* How a network checks who joins; several bits are set ("WPA2 or WPA3, by passphrase"). */
enum {
    ADDER_WIFI_OPEN = 1u << 0,
    ADDER_WIFI_WEP = 1u << 1,
    ADDER_WIFI_WPA = 1u << 2,
    ADDER_WIFI_WPA2 = 1u << 3,
    ADDER_WIFI_WPA3 = 1u << 4,
    ADDER_WIFI_PSK = 1u << 5,
    ADDER_WIFI_ENTERPRISE = 1u << 6,
};

/* A network as it was heard. */
typedef struct {
    uint8_t ssid[ADDER_WIFI_SSID_MAX];
    uint8_t ssid_len;
    uint8_t bssid[ADDER_WIFI_MAC];
    uint8_t channel;
    int8_t rssi_dbm;
    uint8_t auth;    /* bits above */
    char country[3]; /* "US", NUL-terminated; empty = not told */
} adder_wifi_network_t;

/* ---- settings ---- */

typedef enum {
    ADDER_WIFI_POWER_MIN, /* naps between beacons; the default */
    ADDER_WIFI_POWER_MAX, /* saves most, wakes less often */
    ADDER_WIFI_POWER_NONE,
} adder_wifi_power_t;

typedef struct {
    bool dhcp;                         /* station: ask for an address; access point: hand them out */
    adder_ip_t address, mask, gateway; /* station with dhcp: not looked at */
} adder_wifi_ipv4_t;

typedef struct {
    bool enabled; /* false: everything stops, sockets close */
    bool station; /* the station is started; join and scan start it */
    char hostname[254];
    uint8_t mac[ADDER_WIFI_MAC], ap_mac[ADDER_WIFI_MAC];
    float tx_power_dbm; /* rounded and limited to what the radio can do */
    adder_wifi_power_t power;
    adder_wifi_ipv4_t ipv4, ap_ipv4;
    adder_ip_t dns; /* family NONE: the one DHCP gives, if any */
} adder_wifi_config_t;

/* ---- joining a network, and being one ---- */

typedef struct {
    const char *ssid; /* 1..ADDER_WIFI_SSID_MAX */
    size_t ssid_len;
    const char *password; /* 0, 8..63, or 64 hexadecimal digits: the key itself */
    size_t password_len;
    const char *identity, *username; /* WPA2 Enterprise, with `password`; NUL-terminated, NULL = none */
    uint8_t channel;                 /* where to look first; 0 = everywhere, the strongest wins */
    const uint8_t *bssid;            /* this access point alone; NULL = any */
    uint32_t retry_ms; /* after so long no further attempt begins; the one under way still decides */
} adder_wifi_join_t;

typedef struct {
    const char *ssid;
    size_t ssid_len;
    const char *password; /* none for ADDER_WIFI_OPEN, else 8..64 as above */
    size_t password_len;
    uint8_t channel; /* 1..13; the station's wins while it is joined */
    uint8_t auth;
    uint8_t max_stations;
} adder_wifi_ap_t;

/* One that has joined our access point. */
typedef struct {
    uint8_t mac[ADDER_WIFI_MAC];
    int8_t rssi_dbm;
    adder_ip_t ip; /* NONE: it has no address of ours */
} adder_wifi_peer_t;

/* ---- state ---- */

typedef enum {
    ADDER_WIFI_OFF,     /* the radio or the station is not started */
    ADDER_WIFI_IDLE,    /* started, nothing to join */
    ADDER_WIFI_JOINING, /* under way, or on the way back to a network that was lost */
    ADDER_WIFI_JOINED,  /* keys and address are there */
    ADDER_WIFI_FAILED,  /* given up; `reason` says why */
} adder_wifi_station_t;

/* status.reason: IEEE 802.11 table 9-49, and from 200 on what the standard has no number for. */
enum {
    ADDER_WIFI_REASON_NONE = 0,
    ADDER_WIFI_REASON_LEFT = 8,
    ADDER_WIFI_REASON_HANDSHAKE_TIMEOUT = 15, /* mostly a wrong passphrase */
    ADDER_WIFI_REASON_8021X = 23,             /* enterprise credentials refused */
    ADDER_WIFI_REASON_BEACONS = 200,          /* the access point is not heard any more */
    ADDER_WIFI_REASON_NO_NETWORK = 201,
    ADDER_WIFI_REASON_AUTH = 202,
    ADDER_WIFI_REASON_ASSOC = 203,
    ADDER_WIFI_REASON_NO_ADDRESS = 204, /* joined, but DHCP does not answer */
    ADDER_WIFI_REASON_SECURITY = 210,   /* the name is there, but not with credentials of this kind */
};

typedef struct {
    adder_wifi_station_t station;
    uint16_t reason;                        /* why the last join ended or the link was lost */
    adder_wifi_network_t network;           /* JOINED: the access point, rssi as of now */
    adder_ip_t address, mask, gateway, dns; /* JOINED; else NONE */
    bool ap_active;
    adder_ip_t ap_address, ap_mask, ap_gateway; /* ap_active; else NONE */
    bool scanning;
} adder_wifi_status_t;

typedef struct {
    /* As last known; no exchange with the radio. Never fails. */
    void (*status)(void *ctx, adder_wifi_status_t *out);

    /* The settings as they are. To change some: get, change, configure. Never fails. */
    void (*config)(void *ctx, adder_wifi_config_t *out);
    /* Take settings; what is not changed has no effect. config NULL: everything as after power-on (off,
     * nothing joined, access point and scan ended). Hostname and MACs show at the next join.
     *   ADDER_ERR_ARG    a multicast MAC, an empty host name, an address that is not IPv4 */
    adder_err_t (*configure)(void *ctx, const adder_wifi_config_t *config);

    /* Begin to listen on channels first..last; those the radio does not have are skipped. first 0: end the
     * scan under way, which is no error when there is none.
     *   ADDER_ERR_STATE   disabled, or a scan is under way */
    adder_err_t (*scan)(void *ctx, uint8_t first_channel, uint8_t last_channel);
    /* The next network heard. AGAIN: none yet; END: that was all, and the scan is over.
     *   ADDER_ERR_STATE   no scan is under way */
    adder_err_t (*scan_next)(void *ctx, adder_wifi_network_t *out);

    /* Begin to join; a network joined before is left first. NULL: leave. Joining the network that is
     * joined already changes nothing.
     *   ADDER_ERR_STATE   disabled
     *   ADDER_ERR_ARG     lengths outside of the above, a 64-character password that is not hexadecimal
     *   ADDER_ERR_UNSUPPORTED   enterprise credentials, and the radio cannot */
    adder_err_t (*join)(void *ctx, const adder_wifi_join_t *join);

    /* Be an access point beside the station; again with other values changes it. NULL: stop.
     *   ADDER_ERR_STATE, ADDER_ERR_ARG as for join; ADDER_ERR_UNSUPPORTED: this `auth` */
    adder_err_t (*access_point)(void *ctx, const adder_wifi_ap_t *ap);
    /* Who has joined our access point: the first `cap` of *n_out. Never waits. NULL: cannot be told. */
    adder_err_t (*stations)(void *ctx, adder_wifi_peer_t *out, size_t cap, size_t *n_out);

    /* One ICMP echo. The first call sends it; the same call again until it is not AGAIN. Another address,
     * or a call after the answer, is a new one.
     *   ADDER_ERR_TIMEOUT      no answer in timeout_ms
     *   ADDER_ERR_STATE        no link
     *   ADDER_ERR_UNSUPPORTED  this family */
    adder_err_t (*ping)(void *ctx, const adder_ip_t *to, uint32_t timeout_ms, uint32_t *rtt_us_out);
} adder_wifi_ops_t;

typedef struct adder_wifi {
    const adder_wifi_ops_t *ops;
    void *ctx;
    adder_net_t net; /* the sockets; its status counts link changes */
} adder_wifi_t;

#endif
