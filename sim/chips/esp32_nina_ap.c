/* Being an access point. 1.x and 2.x are a station or an access point, 3.x is both at once.
 *
 * Nobody's radio joins it here; a program of this computer that is connected to one of the board's servers
 * counts as a station, since nothing else can bring it there. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

void nina_ap_stop(nina_t *n)
{
    if (n->wifi.ap_up) {
        n->wifi.ap_up = false;
        n->chip.revision++;
        if (!n->fw->sta_status) {
            memset(n->wifi.ip, 0, 4);
            nina_clear_record(&n->wifi);
        }
    }
}

static bool has_station(nina_t *n)
{
    for (int i = 0; i < NINA_CONNS; i++) {
        if (n->conns[i].fd >= 0 && n->conns[i].accepted && !nina_conn_gone(n, &n->conns[i])) {
            return true;
        }
    }
    return false;
}

void nina_ap_poll(nina_t *n)
{
    nina_wifi_t *w = &n->wifi;
    if (!w->ap_up || n->fw->sta_status ||
        (w->status != NINA_WL_AP_LISTENING && w->status != NINA_WL_AP_CONNECTED)) {
        return;
    }
    const nina_wl_t now = has_station(n) ? NINA_WL_AP_CONNECTED : NINA_WL_AP_LISTENING;
    if (now != w->status) {
        w->status = now;
        n->chip.revision++;
        sim_chip_log(&n->chip, now == NINA_WL_AP_CONNECTED ? "a station is with the access point"
                                                           : "no station is with the access point any more");
    }
}

/* What the driver takes: a name, a passphrase of 8 to 63 characters or none, a channel that exists. */
static bool acceptable(const nina_t *n, const char *ssid, const char *password, uint8_t channel)
{
    const size_t len = password != NULL ? strlen(password) : 0;
    const bool open = password == NULL || (len == 0 && n->fw->sta_status);
    return ssid[0] != '\0' && (open || (len >= 8 && len <= 63)) && (!n->fw->ap_channel || channel <= 13);
}

static void take_over_record(nina_t *n, const char *ssid, bool secured)
{
    nina_wifi_t *w = &n->wifi;
    w->status = NINA_WL_AP_LISTENING;
    w->lost_due_us = UINT64_MAX;
    strcpy(w->cur_ssid, ssid);
    w->cur_enct = nina_enct(secured ? SIM_AP_WPA2 : SIM_AP_OPEN);
    if (!nina_address_fixed(n)) {
        memcpy(w->ip, (const uint8_t[4]){192, 168, 4, 1}, 4);
        memcpy(w->mask, (const uint8_t[4]){255, 255, 255, 0}, 4);
        memcpy(w->gateway, w->ip, 4);
    }
}

/* password NULL: 18h. An empty one is "none" to 3.x and too short to the others. */
static nina_result_t begin_ap(nina_t *n, const char *ssid, const char *password, uint8_t channel,
                              uint64_t now_us)
{
    nina_wifi_t *w = &n->wifi;
    if (!n->fw->sta_status) { /* the radio stops and starts as an access point */
        if (w->linked || w->joining) {
            nina_station_leave(n, NINA_WL_NO_SSID, now_us);
        }
        nina_ap_stop(n);
    }
    if (!acceptable(n, ssid, password, channel)) {
        if (!n->fw->sta_status) {
            w->status = NINA_WL_AP_FAILED;
        }
        sim_chip_log(&n->chip,
                     "cannot be an access point \"%s\" on channel %u: a password takes 8 to 63 characters, a "
                     "channel is 1 to 13",
                     ssid, channel);
        return nina_reply_u8(n, 0);
    }
    w->ap_up = true;
    if (!n->fw->sta_status) {
        take_over_record(n, ssid, password != NULL);
    }
    n->data_due_us = now_us;
    n->chip.revision++;
    sim_chip_log(&n->chip, "access point \"%s\" is on the air, channel %u", ssid,
                 n->fw->ap_channel && channel != 0 ? channel : 1u);
    return nina_reply_u8(n, 1);
}

nina_result_t nina_set_ap_net(nina_t *n, uint64_t now_us)
{
    char ssid[33];
    if (!nina_text(n, 3, ssid, 32)) {
        return NINA_CRASH;
    }
    return begin_ap(n, ssid, NULL, nina_u8(n, 5u + nina_u8(n, 3)), now_us);
}

nina_result_t nina_set_ap_passphrase(nina_t *n, uint64_t now_us)
{
    char ssid[33], password[65];
    if (!nina_text(n, 3, ssid, 32) || !nina_text(n, 4u + nina_u8(n, 3), password, 64)) {
        return NINA_CRASH;
    }
    const uint8_t channel = nina_u8(n, 6u + nina_u8(n, 3) + nina_u8(n, 4u + nina_u8(n, 3)));
    return begin_ap(n, ssid, password, channel, now_us);
}
