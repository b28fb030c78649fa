/* The radio: joining, scanning, access-point mode, addresses and the clock set by SNTP.
 *
 * Access points come from the run's network. Timing is what an ESP32 takes for an all-channel scan,
 * association, the key handshake and DHCP, divided by the network's "speed". */
#include <string.h>

#include "sim/chips/esp32_nina.h"

enum {
    SCAN_US = 2100000, /* 13 channels, active, and the results */
    JOIN_US = 1400000, /* scan stops early on strong signals; association, keys, DHCP */
    STATIC_JOIN_US = 900000,
    BAD_KEY_US = 1900000,   /* the handshake is tried again */
    BEACON_US = 6000000,    /* beacons missed before the link counts as lost */
    LOST_IP_US = 120000000, /* the address outlives the link this long */
    NTP_US = 700000,
    ENCT_OPEN = 7,
    ENCT_WEP = 5,
    ENCT_WPA = 2,
    ENCT_WPA2 = 4,
    ENCT_OTHER = 255,
};
#define NEVER UINT64_MAX

void nina_wifi_reset(nina_t *n)
{
    uint8_t mac[6];
    memcpy(mac, n->wifi.mac, 6);
    memset(&n->wifi, 0, sizeof n->wifi);
    memcpy(n->wifi.mac, mac, 6);
    n->wifi.join_index = -1;
    n->wifi.lost_due_us = n->wifi.beacon_due_us = n->wifi.ntp_due_us = n->wifi.join_due_us = NEVER;
}

static uint8_t enct_of(sim_ap_security_t s)
{
    static const uint8_t codes[] = {ENCT_OPEN, ENCT_WEP, ENCT_WPA, ENCT_WPA2, ENCT_OTHER};
    return codes[s];
}

static bool is_zero(const uint8_t *b, size_t len)
{
    while (len > 0 && b[len - 1] == 0) {
        len--;
    }
    return len == 0;
}

bool nina_online(nina_t *n)
{
    return n->wifi.linked;
}

static void clear_record(nina_wifi_t *w)
{
    memset(w->cur_ssid, 0, sizeof w->cur_ssid);
    memset(w->cur_bssid, 0, sizeof w->cur_bssid);
    w->cur_enct = ENCT_OPEN; /* a zeroed record reads as open */
    w->cur_rssi = 0;
}

static void unlink_station(nina_t *n, nina_wl_t status, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    if (w->linked) {
        w->lost_due_us = now_us + nina_scaled(n, LOST_IP_US);
    }
    w->linked = w->joining = false;
    w->beacon_due_us = w->join_due_us = NEVER;
    w->status = status;
    clear_record(w);
    n->chip.revision++;
}

/* ---- joining ---- */

static nina_result_t join(nina_t *n, const char *ssid, const char *password, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    sim_network_t *net = sim_chip_network(&n->chip);
    if (w->linked) {
        unlink_station(n, NINA_WL_NO_SSID, now_us);
    }
    w->ap_mode = false;
    strcpy(w->ssid, ssid);
    strcpy(w->password, password);
    const sim_ap_t *ap = sim_network_find_ap(net, ssid, strlen(ssid));
    w->join_index = ap != NULL ? (int8_t)(ap - net->aps) : -1;
    w->status = NINA_WL_NO_SSID;
    w->joining = true;
    w->join_due_us = now_us + nina_scaled(n, ap == NULL          ? SCAN_US
                                             : is_zero(w->ip, 4) ? JOIN_US
                                                                 : STATIC_JOIN_US);
    return nina_reply_u8(n, 1);
}

/* Does the access point let us in? `retry` = it will take longer to find out that it does not. */
static bool key_fits(const nina_wifi_t *w, const sim_ap_t *ap)
{
    switch (ap->security) {
    case SIM_AP_OPEN:
        return true; /* a passphrase for an open network is ignored */
    case SIM_AP_ENTERPRISE:
        return w->enterprise && strcmp(w->ent_password, ap->password) == 0 &&
               (ap->username[0] == '\0' || strcmp(w->username, ap->username) == 0);
    default:
        return strcmp(w->password, ap->password) == 0;
    }
}

static void end_join(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    sim_network_t *net = sim_chip_network(&n->chip);
    const bool late = w->join_index >= 0; /* a found one was tried; it may have gone meanwhile */
    const sim_ap_t *ap = late ? &net->aps[w->join_index] : NULL;
    w->joining = false;
    w->join_due_us = NEVER;
    n->chip.revision++;
    if (ap == NULL || !net->wifi || !ap->up) {
        w->status = NINA_WL_CONNECT_FAILED; /* reason 201 */
        n->count.join_failures++;
        sim_chip_log(&n->chip, "no access point \"%s\" in reach", w->ssid);
        return;
    }
    if (!key_fits(w, ap)) {
        w->status = NINA_WL_CONNECT_FAILED; /* reason 202 */
        n->count.join_failures++;
        sim_chip_log(&n->chip, "access point \"%s\" (%s) refused the %s", ap->ssid,
                     sim_ap_security_str(ap->security),
                     ap->security == SIM_AP_ENTERPRISE ? "user name or password" : "password");
        return;
    }
    const bool fixed = !is_zero(w->ip, 4);
    if (!fixed) {
        memcpy(w->ip, net->address, 4);
        memcpy(w->mask, net->mask, 4);
        memcpy(w->gateway, net->gateway, 4);
        memcpy(w->dns[0], net->dns, 4);
    }
    strcpy(w->cur_ssid, ap->ssid);
    memcpy(w->cur_bssid, ap->bssid, 6);
    w->cur_enct = enct_of(ap->security);
    w->cur_rssi = ap->rssi;
    w->linked = true;
    w->lost_due_us = w->beacon_due_us = NEVER;
    w->status = NINA_WL_CONNECTED;
    if (!w->time_known) {
        w->ntp_due_us = now_us + nina_scaled(n, NTP_US);
    }
    n->data_due_us = now_us;
    n->count.joins++;
    sim_chip_log(&n->chip, "joined \"%s\", address %u.%u.%u.%u", ap->ssid, w->ip[0], w->ip[1], w->ip[2],
                 w->ip[3]);
}

/* A wrong key takes longer than a right one: the time is added once, when it is found out. */
static bool postpone_refusal(nina_t *n)
{
    nina_wifi_t *w = &n->wifi;
    const sim_network_t *net = sim_chip_network(&n->chip);
    if (w->join_index < 0 || key_fits(w, &net->aps[w->join_index])) {
        return false;
    }
    const uint64_t extra = nina_scaled(n, BAD_KEY_US - JOIN_US);
    if (n->now_us >= w->join_due_us + extra) {
        return false;
    }
    return true;
}

uint64_t nina_wifi_poll(nina_t *n, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    sim_network_t *net = sim_chip_network(&n->chip);
    if (w->joining && now_us >= w->join_due_us && !postpone_refusal(n)) {
        end_join(n, now_us);
    }
    if (w->linked && !w->ap_mode) {
        const sim_ap_t *ap = &net->aps[w->join_index];
        const bool heard = net->wifi && ap->up;
        if (heard) {
            w->beacon_due_us = NEVER;
            w->cur_rssi = ap->rssi;
        } else if (w->beacon_due_us == NEVER) {
            w->beacon_due_us = now_us + nina_scaled(n, BEACON_US);
        } else if (now_us >= w->beacon_due_us) {
            sim_chip_log(&n->chip, "lost access point \"%s\"", w->cur_ssid);
            unlink_station(n, NINA_WL_DISCONNECTED, now_us); /* reason 200 */
        }
    }
    if (now_us >= w->lost_due_us) {
        w->lost_due_us = NEVER;
        memset(w->ip, 0, 4);
        memset(w->mask, 0, 4);
        memset(w->gateway, 0, 4);
        memset(w->dns, 0, sizeof w->dns);
        w->status = NINA_WL_CONNECTION_LOST;
        n->chip.revision++;
    }
    if (now_us >= w->ntp_due_us) {
        w->ntp_due_us = NEVER;
        w->time_known = w->linked && sim_network_time(net, now_us) != 0;
    }
    uint64_t next = w->joining ? (w->join_due_us > now_us ? w->join_due_us : now_us + 10000) : NEVER;
    next = w->beacon_due_us < next ? w->beacon_due_us : next;
    next = w->lost_due_us < next ? w->lost_due_us : next;
    return w->ntp_due_us < next ? w->ntp_due_us : next;
}

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
    if (n->wifi.ap_mode) { /* the radio stops: the access point with it */
        n->wifi.ap_mode = n->wifi.linked = false;
        n->wifi.status = NINA_WL_IDLE;
        memset(n->wifi.ip, 0, 4);
        clear_record(&n->wifi);
    } else if (n->wifi.linked || n->wifi.joining) {
        unlink_station(n, NINA_WL_DISCONNECTED, now_us);
    }
    return nina_reply_u8(n, 1);
}

/* ---- being an access point ---- */

static nina_result_t begin_ap(nina_t *n, const char *ssid, const char *password, uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    const size_t len = strlen(password);
    if (w->linked || w->joining) {
        unlink_station(n, NINA_WL_NO_SSID, now_us);
    }
    if (ssid[0] == '\0' || (len > 0 && (len < 8 || len > 63))) {
        w->status = NINA_WL_AP_FAILED;
        sim_chip_log(&n->chip, "cannot be an access point \"%s\": a password takes 8 to 63 characters", ssid);
        return nina_reply_u8(n, 0);
    }
    w->ap_mode = true;
    w->linked = true;
    w->status = NINA_WL_AP_LISTENING;
    w->lost_due_us = NEVER;
    strcpy(w->cur_ssid, ssid);
    w->cur_enct = len > 0 ? ENCT_WPA2 : ENCT_OPEN;
    if (is_zero(w->ip, 4)) {
        memcpy(w->ip, (const uint8_t[4]){192, 168, 4, 1}, 4);
        memcpy(w->mask, (const uint8_t[4]){255, 255, 255, 0}, 4);
        memcpy(w->gateway, w->ip, 4);
    }
    n->data_due_us = now_us;
    n->chip.revision++;
    sim_chip_log(&n->chip, "access point \"%s\" is on the air", ssid);
    return nina_reply_u8(n, 1);
}

nina_result_t nina_set_ap_net(nina_t *n, uint64_t now_us)
{
    char ssid[33];
    return nina_text(n, 3, ssid, 32) ? begin_ap(n, ssid, "", now_us) : NINA_CRASH;
}

nina_result_t nina_set_ap_passphrase(nina_t *n, uint64_t now_us)
{
    char ssid[33], password[65];
    if (!nina_text(n, 3, ssid, 32) || !nina_text(n, 4u + nina_u8(n, 3), password, 64)) {
        return NINA_CRASH;
    }
    return begin_ap(n, ssid, password, now_us);
}

/* ---- settings ---- */

/* Address, gateway, mask: another order than GET_IPADDR's. The result byte is never set. */
nina_result_t nina_set_ip_config(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_bytes(n, 6, n->wifi.ip, 4);
    nina_bytes(n, 11, n->wifi.gateway, 4);
    nina_bytes(n, 16, n->wifi.mask, 4);
    memset(n->wifi.dns, 0, sizeof n->wifi.dns);
    n->wifi.lost_due_us = NEVER;
    n->chip.revision++;
    return nina_reply_u8(n, 0);
}

nina_result_t nina_set_dns_config(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_bytes(n, 6, n->wifi.dns[0], 4);
    nina_bytes(n, 11, n->wifi.dns[1], 4);
    return nina_reply_u8(n, 1);
}

nina_result_t nina_set_hostname(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    char name[256];
    (void)nina_text(n, 3, name, 255); /* cannot fail: a length is one byte */
    memcpy(n->wifi.hostname, name, 32);
    n->wifi.hostname[32] = '\0';
    n->chip.revision++;
    return nina_reply_u8(n, 1);
}

nina_result_t nina_set_power_mode(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    n->wifi.power_save = nina_u8(n, 4) != 0;
    return nina_reply_u8(n, 1);
}

static nina_result_t ent_text(nina_t *n, char out[33])
{
    char text[33];
    if (!nina_text(n, 3, text, 32)) {
        return NINA_CRASH;
    }
    memcpy(out, text, sizeof text);
    return nina_reply_u8(n, 1);
}

nina_result_t nina_ent_identity(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return ent_text(n, n->wifi.identity);
}

nina_result_t nina_ent_username(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return ent_text(n, n->wifi.username);
}

nina_result_t nina_ent_password(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return ent_text(n, n->wifi.ent_password);
}

nina_result_t nina_ent_enable(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    n->wifi.enterprise = true;
    return nina_reply_u8(n, 1);
}

/* ---- state ---- */

nina_result_t nina_conn_status(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, (uint8_t)n->wifi.status);
}

nina_result_t nina_ip_addr(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_reply(n, 3);
    nina_reply_param(n, 1, n->wifi.ip, 4);
    nina_reply_param(n, 1, n->wifi.mask, 4);
    nina_reply_param(n, 1, n->wifi.gateway, 4);
    return NINA_DONE;
}

static nina_result_t reply_reversed(nina_t *n, const uint8_t bytes[6])
{
    uint8_t out[6];
    for (int i = 0; i < 6; i++) {
        out[i] = bytes[5 - i];
    }
    return nina_reply_bytes(n, out, 6);
}

nina_result_t nina_mac_addr(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t mac[6];
    memcpy(mac, n->wifi.mac, 6);
    mac[5] = (uint8_t)(mac[5] + (n->wifi.ap_mode ? 1 : 0)); /* the access point's is the next one */
    return reply_reversed(n, mac);
}

nina_result_t nina_cur_ssid(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_bytes(n, n->wifi.cur_ssid, strlen(n->wifi.cur_ssid));
}

nina_result_t nina_cur_bssid(nina_t *n, uint64_t now_us)
{
    return n->wifi.ap_mode ? nina_mac_addr(n, now_us) : reply_reversed(n, n->wifi.cur_bssid);
}

nina_result_t nina_cur_rssi(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u32le(n, n->wifi.ap_mode ? 0u : (uint32_t)(int32_t)n->wifi.cur_rssi);
}

nina_result_t nina_cur_enct(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.linked ? n->wifi.cur_enct : ENCT_OPEN);
}

/* The board's clock is set by the first SNTP answer and runs on without a link. */
nina_result_t nina_get_time(nina_t *n, uint64_t now_us)
{
    const uint64_t t = n->wifi.time_known ? sim_network_time(sim_chip_network(&n->chip), now_us) : 0;
    return nina_reply_u32le(n, (uint32_t)t);
}

/* ---- scanning ---- */

static bool scan_step(nina_t *n, uint64_t now_us)
{
    if (now_us < n->op.due_us) {
        return false;
    }
    nina_wifi_t *w = &n->wifi;
    const sim_network_t *net = sim_chip_network(&n->chip);
    bool taken[SIM_NETWORK_APS_MAX] = {false};
    uint8_t found = 0;
    memset(w->scan, 0, sizeof w->scan);
    while (net->wifi && found < NINA_SCAN_MAX) { /* strongest first */
        const sim_ap_t *best = NULL;
        for (size_t i = 0; i < net->ap_count; i++) {
            const sim_ap_t *ap = &net->aps[i];
            if (!taken[i] && ap->up && (best == NULL || ap->rssi > best->rssi)) {
                best = ap;
            }
        }
        if (best == NULL) {
            break;
        }
        taken[best - net->aps] = true;
        strcpy(w->scan[found].ssid, best->ssid);
        memcpy(w->scan[found].bssid, best->bssid, 6);
        w->scan[found].enct = enct_of(best->security);
        w->scan[found].channel = best->channel;
        w->scan[found++].rssi = best->rssi;
    }
    w->status = NINA_WL_SCAN_DONE;
    nina_reply(n, found);
    for (uint8_t i = 0; i < found; i++) {
        nina_reply_param(n, 1, w->scan[i].ssid, strlen(w->scan[i].ssid));
    }
    return true;
}

nina_result_t nina_scan(nina_t *n, uint64_t now_us)
{
    n->op.due_us = now_us + nina_scaled(n, SCAN_US);
    n->step = scan_step;
    return NINA_WAIT;
}

/* An index beyond the results reads other memory there; here it is the last entry's zeros. */
static unsigned scan_index(const nina_t *n)
{
    const uint8_t i = nina_u8(n, 4);
    return i < NINA_SCAN_MAX ? i : NINA_SCAN_MAX - 1;
}

nina_result_t nina_idx_rssi(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u32le(n, (uint32_t)(int32_t)n->wifi.scan[scan_index(n)].rssi);
}

nina_result_t nina_idx_enct(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.scan[scan_index(n)].enct);
}

nina_result_t nina_idx_bssid(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return reply_reversed(n, n->wifi.scan[scan_index(n)].bssid);
}

nina_result_t nina_idx_channel(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.scan[scan_index(n)].channel);
}
