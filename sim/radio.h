/* The simulated radio of a microcontroller with Wi-Fi of its own: the board file's chip type
 * "native_wifi", which fills the mcu's adder_wifi_t.
 *
 *     {"id": "wifi", "type": "native_wifi", "sockets": 8, "mac": "02:ad:de:00:53:03"}
 *
 * It finds the access points of the run's network (sim/network.h), takes the time an ESP32-S3 takes
 * (divided by the network's "speed"), and its sockets are this computer's. As a part of the board it has
 * knobs, state, counters and faults like a chip on wires; it has no wires.
 *
 *   radio.c        life, settings, status: the first half of adder_wifi_ops_t
 *   radio_join.c   scanning, joining, the way back to a lost network, access-point mode
 *   radio_net.c    the socket stack behind the link
 *   radio_ping.c   one ICMP echo
 *   radio_page.c   knobs, state and counters
 *
 * Every function is called with the board's lock held unless it says otherwise. */
#ifndef SIM_RADIO_H
#define SIM_RADIO_H

#include "adder/wifi.h"
#include "sim/network.h"
#include "sim/sim_int.h"

enum { RADIO_CHANNELS = 13, RADIO_RETRIES = 5, RADIO_SEEN = SIM_NETWORK_APS_MAX };
#define RADIO_NEVER UINT64_MAX

typedef enum { PHASE_NONE, PHASE_FINDING, PHASE_KEYS, PHASE_ADDRESS, PHASE_PAUSE } radio_phase_t;

typedef struct {
    char ssid[33], password[65], username[33], identity[33];
    uint8_t channel, bssid[ADDER_WIFI_MAC];
    bool any_bssid, enterprise;
} radio_wish_t;

typedef struct sim_radio {
    sim_chip_t chip;
    adder_wifi_t wifi; /* what the mcu points to */
    uint8_t mac[ADDER_WIFI_MAC];
    uint16_t sockets;

    adder_wifi_config_t config;

    adder_wifi_station_t station;
    uint16_t reason;
    radio_phase_t phase;
    uint64_t due_us, give_up_us; /* of the phase; after that no new attempt */
    unsigned retries;
    bool was_joined;   /* once: from now on it comes back by itself */
    int ap_index;      /* of the network's list: found, joined; -1 = none */
    uint64_t lost_us;  /* when the silence of a joined access point counts as lost */
    radio_wish_t wish; /* what to join */
    adder_wifi_network_t joined;
    adder_ip_t address, mask, gateway, dns;
    uint32_t link_changes;

    bool ap_active;
    char ap_ssid[33];
    uint8_t ap_channel, ap_auth;

    struct {
        bool active;
        uint8_t step, first, last; /* place in the order of channels */
        uint64_t due_us;
        uint8_t found[RADIO_SEEN], n, at; /* of the channel listened to last */
    } scan;

    struct {
        bool active, modelled;
        int fd;
        uint8_t ip4[4];
        uint16_t seq;
        uint64_t sent_us, due_us, end_us;
    } ping;

    struct radio_net *net; /* radio_net.c's own */

    struct {
        uint64_t scans, joins, join_failures, links_lost, pings;
        uint64_t opened, closed, bytes_in, bytes_out;
    } count;
    sim_counter_t shown[10];
} sim_radio_t;

extern const sim_chip_class_t sim_chip_native_wifi;

static inline sim_radio_t *radio_of(sim_chip_t *c)
{
    return (sim_radio_t *)(void *)c;
}
static inline bool radio_linked(const sim_radio_t *r)
{
    return r->station == ADDER_WIFI_JOINED;
}
/* The addresses the station has from now on, of DHCP or of the settings. */
void radio_take_address(sim_radio_t *r);
/* A duration under the network's "speed". */
uint64_t radio_scaled(sim_radio_t *r, uint64_t us);
/* One operation begins: what the part's fault makes of it. ADDER_ERR_IO: the radio is silent. */
adder_err_t radio_gate(sim_radio_t *r);

/* radio_join.c */
void radio_join_reset(sim_radio_t *r);
void radio_join_poll(sim_radio_t *r, uint64_t now_us);
uint64_t radio_join_due(const sim_radio_t *r);
void radio_leave(sim_radio_t *r, adder_wifi_station_t to, uint16_t reason);
sim_ap_t *radio_current_ap(sim_radio_t *r); /* joined; NULL = none */
adder_err_t radio_scan(void *ctx, uint8_t first, uint8_t last);
adder_err_t radio_scan_next(void *ctx, adder_wifi_network_t *out);
adder_err_t radio_join(void *ctx, const adder_wifi_join_t *join);
adder_err_t radio_access_point(void *ctx, const adder_wifi_ap_t *ap);
adder_err_t radio_stations(void *ctx, adder_wifi_peer_t *out, size_t cap, size_t *n_out);

/* radio_net.c */
adder_err_t radio_net_create(sim_radio_t *r);
void radio_net_destroy(sim_radio_t *r);
void radio_net_close_all(sim_radio_t *r);      /* the radio was switched off */
unsigned radio_net_open(const sim_radio_t *r); /* sockets in use */

/* radio_ping.c */
adder_err_t radio_ping(void *ctx, const adder_ip_t *to, uint32_t timeout_ms, uint32_t *rtt_us_out);
void radio_ping_cancel(sim_radio_t *r);

/* radio_page.c */
extern const sim_knob_t radio_knobs[];
adder_err_t radio_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap);
void radio_describe(sim_chip_t *c, cJSON *into);
const sim_counter_t *radio_counters(sim_chip_t *c, size_t *n_out);
const char *radio_power_state(sim_chip_t *c);

#endif
