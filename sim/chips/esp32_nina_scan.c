/* Looking for networks. READY stays high all the while; the results are kept for 32h, 33h, 3Ch, 3Dh. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

enum { SCAN_US = 2100000 }; /* 13 channels, active, and the results */

uint8_t nina_enct(sim_ap_security_t security)
{
    static const uint8_t codes[] = {7, 5, 2, 4, 255}; /* open, WEP, WPA, WPA2, other */
    return codes[security];
}

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
    while (net->wifi && found < n->fw->scan_max) { /* strongest first */
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
        w->scan[found].security = best->security;
        w->scan[found].channel = best->channel;
        w->scan[found++].rssi = best->rssi;
    }
    w->scan_count = found;
    if (!n->fw->sta_status) {
        w->status = NINA_WL_SCAN_DONE;
    }
    nina_reply(n, found);
    for (uint8_t i = 0; i < found; i++) {
        nina_reply_param(n, 1, w->scan[i].ssid, strlen(w->scan[i].ssid));
    }
    return true;
}

/* 3.x asks the driver, which refuses while a join is under way, and takes the error (-2) for a count.
 * The others stop being an access point; 2.x stops the radio first, and the link with it. */
nina_result_t nina_scan(nina_t *n, uint64_t now_us)
{
    nina_station_start(n);
    if (n->fw->sta_status && n->wifi.joining) {
        n->wifi.scan_count = 0;
        memset(n->wifi.scan, 0, sizeof n->wifi.scan);
        nina_reply(n, 0xFE);
        return NINA_DONE;
    }
    if (!n->fw->sta_status) {
        nina_ap_stop(n);
    }
    if (n->fw->scan_drops_link && (n->wifi.linked || n->wifi.joining)) {
        nina_station_leave(n, NINA_WL_DISCONNECTED, now_us);
    }
    n->op.due_us = now_us + nina_scaled(n, SCAN_US);
    n->step = scan_step;
    return NINA_WAIT;
}

/* An index beyond the results reads other memory there (3.x: nothing); here it is zeros. */
static unsigned scan_index(const nina_t *n)
{
    const uint8_t i = nina_u8(n, 4);
    return i < SIM_NETWORK_APS_MAX ? i : SIM_NETWORK_APS_MAX;
}

nina_result_t nina_idx_rssi(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u32le(n, (uint32_t)(int32_t)n->wifi.scan[scan_index(n)].rssi);
}

nina_result_t nina_idx_enct(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    static const uint8_t raw[] = {0, 1, 2, 3, 5}; /* wifi_auth_mode_t */
    const sim_ap_security_t s = n->wifi.scan[scan_index(n)].security;
    return nina_reply_u8(n, n->fw->raw_scan_codes ? raw[s] : nina_enct(s));
}

nina_result_t nina_idx_bssid(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t out[6];
    for (int i = 0; i < 6; i++) {
        out[i] = n->wifi.scan[scan_index(n)].bssid[n->fw->mac_natural ? i : 5 - i];
    }
    return nina_reply_bytes(n, out, 6);
}

nina_result_t nina_idx_channel(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.scan[scan_index(n)].channel);
}
