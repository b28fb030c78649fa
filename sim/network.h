/* The air and the wires around a simulated board: access points, host names, the way outside.
 *
 *     char msg[256];
 *     sim_network_t *net = sim_network_create(json, msg, sizeof msg);
 *     if (net == NULL) { fprintf(stderr, "%s\n", msg); return 1; }
 *     err = sim_network_resolve(net, "io.adafruit.com", ip);     // what a DNS server would say
 *     err = sim_network_route(net, ip, 1883, &to);               // where such packets really go
 *     sim_network_destroy(net);
 *
 * The JSON ("network" of a run's configuration, or a file network.json) is described with an example
 * in docs/network.md. Radios (the ESP32 co-processor, native Wi-Fi) look up access points here and
 * open real sockets to what sim_network_route() answers.
 *
 * Threading: belongs to one board; use it with the board's lock held. Memory: one block of about
 * 30 KB from the heap. Nothing here blocks or opens a socket. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

enum {
    SIM_NETWORK_APS_MAX = 16,
    SIM_NETWORK_HOSTS_MAX = 64,
    SIM_NETWORK_CAS_MAX = 8,
    SIM_NETWORK_PORTS_MAX = 16,
    SIM_NETWORK_NAME_MAX = 253, /* characters of a host name */
    SIM_NETWORK_PATH_MAX = 255,
};

typedef enum { SIM_AP_OPEN, SIM_AP_WEP, SIM_AP_WPA, SIM_AP_WPA2, SIM_AP_ENTERPRISE } sim_ap_security_t;

typedef struct {
    char ssid[33]; /* 1..32 bytes, NUL-terminated */
    char password[65];
    char identity[33], username[33]; /* enterprise only; empty = any */
    sim_ap_security_t security;
    uint8_t channel; /* 1..14 */
    uint8_t bssid[6];
    int8_t rssi; /* dBm, -100..-10 */
    bool up;     /* on the air; the page switches it */
} sim_ap_t;

/* One entry of "hosts". */
typedef struct {
    char name[SIM_NETWORK_NAME_MAX + 1]; /* lower case, or a dotted address, or "*" */
    uint16_t port;                       /* 0 = every port */
    uint8_t to_ip4[4];
    uint16_t to_port; /* 0 = the same port */
} sim_host_t;

typedef struct {
    uint8_t ip4[4];
    uint16_t port;
} sim_endpoint_t;

typedef struct sim_network {
    sim_ap_t aps[SIM_NETWORK_APS_MAX];
    size_t ap_count;
    sim_host_t hosts[SIM_NETWORK_HOSTS_MAX];
    size_t host_count;
    char cas[SIM_NETWORK_CAS_MAX][SIM_NETWORK_PATH_MAX + 1]; /* PEM files trusted besides the system's */
    size_t ca_count;
    struct {
        uint16_t port, to_port;
    } listens[SIM_NETWORK_PORTS_MAX]; /* "listen": a board's server port -> port on this computer */
    size_t listen_count;
    uint8_t address[4], mask[4], gateway[4], dns[4]; /* what DHCP hands out */
    bool outside;                                    /* names and addresses beyond this computer are real */
    double speed;   /* radio and time-out durations are divided by this, 0.01..1000 */
    int64_t time_s; /* Unix time at power-on told by NTP; -1 = the computer's clock */
    bool ntp;       /* false: no time server answers */
    bool wifi;      /* false: all radio contact is gone (the page's switch) */
} sim_network_t;

/* Check `json` and make a network of it. Messages name the place:
 *     network.access_points[1].password: 5 characters; WPA2 takes 8 to 63
 *     network.hosts["mqtt.local"]: "127.0.0" is not an address like 127.0.0.1 or 127.0.0.1:8080
 * json NULL or {} gives the default network (see sim_network_config). NULL on error. */
sim_network_t *sim_network_create(const cJSON *json, char *msg, size_t msg_cap);
/* The same from text; `where` replaces "network" in messages, a syntax error gives "where:LINE: what". */
sim_network_t *sim_network_load(const char *text, size_t len, const char *where, char *msg, size_t msg_cap);
/* One WPA2 access point (open when password is NULL or empty; "adder"/"circuitpython" when ssid is
 * too), the outside reachable. Never fails but for memory. */
sim_network_t *sim_network_default(const char *ssid, const char *password);
/* The configuration a program's settings.toml implies: `network` (may be NULL; taken over) with an
 * access point for CIRCUITPY_WIFI_SSID and CIRCUITPY_WIFI_PASSWORD if it names no "access_points".
 * Values that no access point can have are left for sim_network_create() to complain about. */
cJSON *sim_network_config(cJSON *network, const char *ssid, const char *password);
void sim_network_destroy(sim_network_t *net); /* NULL is fine */

/* The strongest access point on the air under this name (len bytes), NULL = none. */
sim_ap_t *sim_network_find_ap(sim_network_t *net, const char *ssid, size_t len);
/* How a name resolves.
 *   ADDER_OK             ip4_out is it
 *   ADDER_ERR_AGAIN      ask the computer's own resolver (sim/network_resolver.h)
 *   ADDER_ERR_NOT_FOUND  no such host here, and "outside" is false */
adder_err_t sim_network_resolve(const sim_network_t *net, const char *name, uint8_t ip4_out[4]);
/* Where packets to ip4:port go. A host with mapped ports resolves to a stand-in address
 * (198.18.0.0/15) which leads to its target here.
 *   ADDER_ERR_NOT_FOUND  nowhere: a host without this port, or beyond a closed outside */
adder_err_t sim_network_route(const sim_network_t *net, const uint8_t ip4[4], uint16_t port,
                              sim_endpoint_t *to_out);
/* The port of this computer for a board's server port; the same number if "listen" does not say. */
uint16_t sim_network_listen_port(const sim_network_t *net, uint16_t port);
/* Unix time as NTP tells it at `now_us` of the board's clock; 0 = no time server. */
uint64_t sim_network_time(const sim_network_t *net, uint64_t now_us);

/* ---- what the page, a timeline or a test sees of the air and turns, alike for every radio ---- */

/* clang-format off */
/* Rows of a radio's knob table (sim_knob_t of sim/chip.h). */
#define SIM_NETWORK_KNOBS                                               \
    {"wifi", SIM_KNOB_BOOL, "Wi-Fi in reach", NULL, 0, 1, 1},           \
    {"rssi", SIM_KNOB_NUMBER, "Signal", "dBm", -100, -10, 1},           \
    {"drop", SIM_KNOB_TEXT, "Access point off the air", NULL, 0, 0, 0}, \
    {"restore", SIM_KNOB_TEXT, "Access point on the air", NULL, 0, 0, 0}
/* clang-format on */

/* The access point whose signal "rssi" shows and turns: the one a radio has joined, else (joined NULL) the
 * first, so that the slider has something to turn. NULL = there is none. */
sim_ap_t *sim_network_shown_ap(sim_network_t *net, sim_ap_t *joined);
/* Is there one of this name, on the air or not? */
bool sim_network_has_ap(const sim_network_t *net, const char *ssid);
/* Every access point of this name goes on the air or off. */
void sim_network_switch_ap(sim_network_t *net, const char *ssid, bool up);
/* Add "wifi", the "rssi" of `shown` (may be NULL) and "access_points". */
void sim_network_describe(const sim_network_t *net, const sim_ap_t *shown, cJSON *into);

const char *sim_ap_security_str(sim_ap_security_t security); /* "wpa2" */

#endif
