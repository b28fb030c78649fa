/* The radio as a station: joining, losing the link, finding it again.
 *
 * Access points come from the run's network. Timing is what an ESP32 takes for an all-channel scan,
 * association, the key handshake and DHCP, divided by the network's "speed".
 *
 * Every end of a link or of an attempt has a reason, numbered as the driver numbers them; what 20h says
 * of it, and whether the chip tries again by itself, is the firmware's business: link_down(). */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

enum {
    SCAN_US = 2100000, /* 13 channels, active, and the results */
    JOIN_US = 1400000, /* scan stops early on strong signals; association, keys, DHCP */
    STATIC_JOIN_US = 900000,
    BAD_KEY_US = 1900000,   /* the handshake is tried again */
    BEACON_US = 6000000,    /* beacons missed before the link counts as lost */
    LOST_IP_US = 120000000, /* the address outlives the link this long */
    NTP_US = 700000,
};

enum {
    REASON_AUTH_EXPIRE = 2,
    REASON_LEFT = 8,
    REASON_HANDSHAKE = 15,
    REASON_802_1X = 23,
    REASON_BEACONS = 200,
    REASON_NO_AP = 201,
    REASON_AUTH = 202,
    REASON_ASSOC = 203,
    REASON_HANDSHAKE_TIME = 204,
    REASON_SECURITY = 210,  /* it wants a password, none is given */
    REASON_THRESHOLD = 211, /* weaker than WPA2 */
};
#define NEVER UINT64_MAX

void nina_wifi_reset(nina_t *n)
{
    uint8_t mac[6];
    memcpy(mac, n->wifi.mac, 6);
    memset(&n->wifi, 0, sizeof n->wifi);
    memcpy(n->wifi.mac, mac, 6);
    n->wifi.status = n->fw->sta_status ? NINA_WL_STOPPED : NINA_WL_IDLE;
    n->wifi.reason = n->fw->sta_status ? 1 : 0;
    n->wifi.join_index = -1;
    n->wifi.lost_due_us = n->wifi.beacon_due_us = n->wifi.ntp_due_us = n->wifi.join_due_us = NEVER;
}

bool nina_is_zero(const uint8_t *b, size_t len)
{
    while (len > 0 && b[len - 1] == 0) {
        len--;
    }
    return len == 0;
}

bool nina_online(const nina_t *n)
{
    return n->wifi.linked || n->wifi.ap_up;
}

adder_err_t nina_route(const nina_t *n, const uint8_t ip4[4], uint16_t port, sim_endpoint_t *to_out)
{
    if (!n->wifi.linked && ip4[0] != 127) {
        return ADDER_ERR_NOT_FOUND;
    }
    return sim_network_route(sim_chip_network((sim_chip_t *)(uintptr_t)&n->chip), ip4, port, to_out);
}

/* 1.x takes the address DHCP gave for one it was told to use: it stays until it expires. */
bool nina_address_fixed(const nina_t *n)
{
    return n->fw->number < 0x200 ? !nina_is_zero(n->wifi.ip, 4) : n->wifi.static_ip;
}

void nina_clear_record(nina_wifi_t *w)
{
    memset(w->cur_ssid, 0, sizeof w->cur_ssid);
    memset(w->cur_bssid, 0, sizeof w->cur_bssid);
    w->cur_enct = nina_enct(SIM_AP_OPEN); /* a zeroed record reads as open */
    w->cur_rssi = 0;
}

void nina_station_start(nina_t *n)
{
    if (n->fw->sta_status && !n->wifi.started) {
        n->wifi.started = true;
        n->wifi.status = NINA_WL_DISCONNECTED;
    }
}

void nina_station_leave(nina_t *n, nina_wl_t status, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    if (w->linked) {
        w->lost_due_us = now_us + nina_scaled(n, LOST_IP_US);
        if (n->fw->drop_closes) {
            nina_conns_drop(n);
        }
    }
    w->linked = w->joining = false;
    w->beacon_due_us = w->join_due_us = NEVER;
    w->status = status;
    nina_clear_record(w);
    n->chip.revision++;
}

/* ---- joining ---- */

static void begin_join(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    sim_network_t *net = sim_chip_network(&n->chip);
    const sim_ap_t *ap = sim_network_find_ap(net, w->ssid, strlen(w->ssid));
    w->join_index = ap != NULL ? (int8_t)(ap - net->aps) : -1;
    w->joining = true;
    w->join_due_us = now_us + nina_scaled(n, ap == NULL              ? SCAN_US
                                             : nina_address_fixed(n) ? STATIC_JOIN_US
                                                                     : JOIN_US);
}

static nina_result_t join(nina_t *n, const char *ssid, const char *password, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    nina_station_start(n);
    if (w->linked) {
        w->reason = REASON_LEFT;
        nina_station_leave(n, n->fw->sta_status ? NINA_WL_DISCONNECTED : NINA_WL_NO_SSID, now_us);
    }
    if (n->fw->sta_status && ssid[0] == '\0') {
        return nina_reply_u8(n, 1); /* refused, which nobody is told */
    }
    if (!n->fw->sta_status) { /* the radio stops and starts as a station */
        nina_ap_stop(n);
        w->status = NINA_WL_NO_SSID;
    }
    strcpy(w->ssid, ssid);
    strcpy(w->password, password);
    w->failures = 0;
    begin_join(n, now_us);
    return nina_reply_u8(n, 1);
}

/* Why an access point would not let us in, 0 = it does. */
static uint8_t refusal(const nina_t *n, const sim_ap_t *ap)
{
    const nina_wifi_t *w = &n->wifi;
    const bool keyed = w->password[0] != '\0';
    if (n->fw->wpa2_at_least && keyed && ap->security < SIM_AP_WPA2) {
        return REASON_THRESHOLD;
    }
    switch (ap->security) {
    case SIM_AP_OPEN:
        return 0; /* a passphrase for an open network is ignored */
    case SIM_AP_ENTERPRISE:
        if (!w->enterprise) {
            return n->fw->sta_status ? REASON_SECURITY : REASON_AUTH;
        }
        return strcmp(w->ent_password, ap->password) == 0 &&
                       (ap->username[0] == '\0' || strcmp(w->username, ap->username) == 0) &&
                       (ap->identity[0] == '\0' || strcmp(w->identity, ap->identity) == 0)
                   ? 0
                   : REASON_802_1X;
    default:
        if (strcmp(w->password, ap->password) == 0) {
            return 0;
        }
        return !n->fw->sta_status ? REASON_AUTH : keyed ? REASON_HANDSHAKE : REASON_SECURITY;
    }
}

static bool tries_again(nina_t *n, uint8_t reason)
{
    nina_wifi_t *w = &n->wifi;
    if (!n->fw->rejoins || reason == REASON_LEFT) {
        return false;
    }
    if (!w->retried) {
        w->retried = true; /* once for every reason, ever */
        return true;
    }
    return reason != REASON_SECURITY && reason != REASON_THRESHOLD;
}

static nina_wl_t status_after(const nina_t *n, uint8_t reason)
{
    if (!n->fw->sta_status) {
        return reason >= REASON_NO_AP && reason <= REASON_ASSOC ? NINA_WL_CONNECT_FAILED
                                                                : NINA_WL_DISCONNECTED;
    }
    switch (reason) {
    case REASON_NO_AP:
        return NINA_WL_NO_SSID;
    case REASON_AUTH:
        return NINA_WL_CONNECT_FAILED;
    case REASON_BEACONS:
    case REASON_HANDSHAKE_TIME:
        return NINA_WL_CONNECTION_LOST;
    case REASON_AUTH_EXPIRE:
        return n->wifi.status;
    default:
        return NINA_WL_DISCONNECTED;
    }
}

/* A link or an attempt to have one ended. */
static void link_down(nina_t *n, uint8_t reason, uint64_t now_us)
{
    n->wifi.reason = reason;
    nina_station_leave(n, status_after(n, reason), now_us);
    if (tries_again(n, reason)) {
        begin_join(n, now_us);
    }
}

static void join_failed(nina_t *n, const sim_ap_t *ap, uint8_t reason, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    n->count.join_failures++;
    if (w->failures++ > 0) { /* 3.x goes on and on */
    } else if (ap == NULL) {
        sim_chip_log(&n->chip, "no access point \"%s\" in reach", w->ssid);
    } else if (reason == REASON_THRESHOLD) {
        sim_chip_log(&n->chip, "access point \"%s\" (%s) is weaker than WPA2: firmware %s refuses it",
                     ap->ssid, sim_ap_security_str(ap->security), n->fw->name);
    } else {
        sim_chip_log(&n->chip, "access point \"%s\" (%s) refused the %s", ap->ssid,
                     sim_ap_security_str(ap->security),
                     ap->security == SIM_AP_ENTERPRISE ? "identity, user name or password" : "password");
    }
    link_down(n, reason, now_us);
}

static void end_join(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    sim_network_t *net = sim_chip_network(&n->chip);
    const bool late = w->join_index >= 0; /* a found one was tried; it may have gone meanwhile */
    const sim_ap_t *ap = late ? &net->aps[w->join_index] : NULL;
    const uint8_t why = ap == NULL || !net->wifi || !ap->up ? (uint8_t)REASON_NO_AP : refusal(n, ap);
    w->joining = false;
    w->join_due_us = NEVER;
    n->chip.revision++;
    if (why != 0) {
        join_failed(n, why == REASON_NO_AP ? NULL : ap, why, now_us);
        return;
    }
    if (!nina_address_fixed(n)) {
        memcpy(w->ip, net->address, 4);
        memcpy(w->mask, net->mask, 4);
        memcpy(w->gateway, net->gateway, 4);
        memcpy(w->dns[0], net->dns, 4);
    }
    strcpy(w->cur_ssid, ap->ssid);
    memcpy(w->cur_bssid, ap->bssid, 6);
    w->cur_enct = nina_enct(ap->security);
    w->cur_rssi = ap->rssi;
    w->linked = true;
    w->failures = 0;
    w->lost_due_us = w->beacon_due_us = NEVER;
    w->status = NINA_WL_CONNECTED;
    w->reason = n->fw->sta_status ? w->reason : 0;
    if (!w->time_known) {
        w->ntp_due_us = now_us + nina_scaled(n, NTP_US);
    }
    n->data_due_us = now_us;
    n->count.joins++;
    sim_chip_log(&n->chip, "joined \"%s\", address %u.%u.%u.%u", ap->ssid, w->ip[0], w->ip[1], w->ip[2],
                 w->ip[3]);
}

/* A wrong key takes longer than a right one: the time is added once, when it is found out. */
static bool postpone_refusal(const nina_t *n)
{
    const nina_wifi_t *w = &n->wifi;
    const sim_network_t *net = sim_chip_network((sim_chip_t *)(uintptr_t)&n->chip);
    if (w->join_index < 0 || refusal(n, &net->aps[w->join_index]) == 0) {
        return false;
    }
    const uint64_t extra = (uint64_t)((double)(BAD_KEY_US - JOIN_US) / net->speed);
    return n->now_us < w->join_due_us + extra;
}

/* ---- time ---- */

static void poll_link(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    const sim_network_t *net = sim_chip_network(&n->chip);
    const sim_ap_t *ap = &net->aps[w->join_index];
    if (net->wifi && ap->up) {
        w->beacon_due_us = NEVER;
        w->cur_rssi = ap->rssi;
    } else if (w->beacon_due_us == NEVER) {
        w->beacon_due_us = now_us + nina_scaled(n, BEACON_US);
    } else if (now_us >= w->beacon_due_us) {
        sim_chip_log(&n->chip, "lost access point \"%s\"", w->cur_ssid);
        link_down(n, REASON_BEACONS, now_us);
    }
}

uint64_t nina_wifi_poll(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    if (w->joining && now_us >= w->join_due_us && !postpone_refusal(n)) {
        end_join(n, now_us);
    }
    if (w->linked) {
        poll_link(n, now_us);
    }
    if (now_us >= w->lost_due_us) {
        w->lost_due_us = NEVER;
        if (!w->static_ip || !n->fw->sta_status) {
            memset(w->ip, 0, 4);
            memset(w->mask, 0, 4);
            memset(w->gateway, 0, 4);
            memset(w->dns, 0, sizeof w->dns);
        }
        w->status = n->fw->sta_status ? NINA_WL_IDLE : NINA_WL_CONNECTION_LOST;
        n->chip.revision++;
    }
    if (now_us >= w->ntp_due_us) {
        w->ntp_due_us = NEVER;
        w->time_known = w->linked && sim_network_time(sim_chip_network(&n->chip), now_us) != 0;
    }
    nina_ap_poll(n);
    uint64_t next = w->joining ? (w->join_due_us > now_us ? w->join_due_us : now_us + 10000) : NEVER;
    next = w->beacon_due_us < next ? w->beacon_due_us : next;
    next = w->lost_due_us < next ? w->lost_due_us : next;
    return w->ntp_due_us < next ? w->ntp_due_us : next;
}

/* ---- commands ---- */

nina_result_t nina_set_net(nina_t *n, uint64_t now_us)
{
    char ssid[33];
    return nina_text(n, 3, ssid, 32) ? join(n, ssid, "", now_us) : NINA_CRASH;
}

nina_result_t nina_set_passphrase(nina_t *n, uint64_t now_us)
{
    char ssid[33], password[65];
    if (!nina_text(n, 3, ssid, 32) || !nina_text(n, 4u + nina_u8(n, 3), password, 64)) {
        return NINA_CRASH;
    }
    return join(n, ssid, password, now_us);
}

nina_result_t nina_set_key(nina_t *n, uint64_t now_us)
{
    char ssid[33], key[27];
    if (!nina_text(n, 3, ssid, 32) || !nina_text(n, 6u + nina_u8(n, 3), key, 26)) {
        return NINA_CRASH;
    }
    return join(n, ssid, key, now_us);
}

nina_result_t nina_disconnect(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    if (w->linked || w->joining) {
        w->reason = REASON_LEFT;
        nina_station_leave(n, NINA_WL_DISCONNECTED, now_us);
    }
    if (!n->fw->sta_status && w->ap_up) { /* the radio stops: the access point with it */
        nina_ap_stop(n);
        w->status = NINA_WL_IDLE;
    }
    return nina_reply_u8(n, 1);
}
