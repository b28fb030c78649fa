/* What a station is told and asked: addresses, names, enterprise texts, state, time. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

/* ---- settings ---- */

/* Address, gateway, mask: another order than GET_IPADDR's. The result byte is never set. */
nina_result_t nina_set_ip_config(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_station_start(n);
    nina_bytes(n, 6, n->wifi.ip, 4);
    nina_bytes(n, 11, n->wifi.gateway, 4);
    nina_bytes(n, 16, n->wifi.mask, 4);
    memset(n->wifi.dns, 0, sizeof n->wifi.dns);
    n->wifi.static_ip = n->fw->static_stays || !nina_is_zero(n->wifi.ip, 4);
    n->wifi.lost_due_us = UINT64_MAX;
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
    memcpy(n->wifi.hostname, name, n->fw->hostname_max);
    n->wifi.hostname[n->fw->hostname_max] = '\0';
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

static nina_result_t reply_mac(nina_t *n, const uint8_t bytes[6])
{
    uint8_t out[6];
    for (int i = 0; i < 6; i++) {
        out[i] = bytes[n->fw->mac_natural ? i : 5 - i];
    }
    return nina_reply_bytes(n, out, 6);
}

/* Is what is asked about the board's own access point? 3.x always answers for the station. */
static bool about_ap(const nina_t *n)
{
    return n->wifi.ap_up && !n->fw->sta_status;
}

nina_result_t nina_mac_addr(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t mac[6];
    memcpy(mac, n->wifi.mac, 6);
    mac[5] = (uint8_t)(mac[5] + (about_ap(n) ? 1 : 0)); /* the access point's is the next one */
    return reply_mac(n, mac);
}

nina_result_t nina_cur_ssid(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_bytes(n, n->wifi.cur_ssid, strlen(n->wifi.cur_ssid));
}

nina_result_t nina_cur_bssid(nina_t *n, uint64_t now_us)
{
    return about_ap(n) ? nina_mac_addr(n, now_us) : reply_mac(n, n->wifi.cur_bssid);
}

nina_result_t nina_cur_rssi(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u32le(n, about_ap(n) ? 0u : (uint32_t)(int32_t)n->wifi.cur_rssi);
}

nina_result_t nina_cur_enct(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.linked || about_ap(n) ? n->wifi.cur_enct : nina_enct(SIM_AP_OPEN));
}

nina_result_t nina_dns_config(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_reply(n, 2);
    nina_reply_param(n, 1, n->wifi.dns[0], 4);
    nina_reply_param(n, 1, n->wifi.dns[1], 4);
    return NINA_DONE;
}

nina_result_t nina_reason_code(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->wifi.reason);
}

/* The board's clock is set by the first SNTP answer and runs on without a link. */
nina_result_t nina_get_time(nina_t *n, uint64_t now_us)
{
    const uint64_t t = n->wifi.time_known ? sim_network_time(sim_chip_network(&n->chip), now_us) : 0;
    uint8_t le[8];
    for (unsigned i = 0; i < 8; i++) {
        le[i] = (uint8_t)(t >> (8 * i));
    }
    return nina_reply_bytes(n, le, n->fw->time_bytes);
}
