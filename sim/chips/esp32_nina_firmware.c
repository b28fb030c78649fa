/* What one firmware does otherwise than another, and how a board file chooses one.
 *
 * 1.7.7 is IDF 3.3 with a small Arduino core of its own; 2.0.0 has Arduino's 2.0 merged in; 3.3.0 stands
 * on arduino-esp32 3.x. A difference is a member of nina_firmware_t, asked where it matters. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina.h"

const nina_firmware_t nina_firmwares[] = {
    {
        .name = "1.7.7",
        .version = "1.7.7",
        .number = 0x107,
        .slots = 10,
        .reply_align = 1,
        .time_bytes = 4,
        .scan_max = 10,
        .backlog = 1,
        .hostname_max = 32,
        .udp_max = 1500,
        .connect_us = 30000000, /* SYN retries */
        .tls_connect_us = 30000000,
        .full = NINA_FULL_CLOSES,
        .lookup_forgets = true,
        .state_frees_all = true,
    },
    {
        .name = "2.0.0+adafruit",
        .version = "2.0.0-rc.0+adafruit", /* the release's own text */
        .number = 0x200,
        .slots = 6,
        .reply_align = 4,
        .time_bytes = 4,
        .scan_max = 10,
        .backlog = 1,
        .hostname_max = 32,
        .udp_max = 1500,
        .connect_us = 30000000,
        .tls_connect_us = 30000000,
        .full = NINA_FULL_BLOCKS,
        .drop_closes = true,
        .static_stays = true,
        .scan_drops_link = true,
        .ap_channel = true,
        .lookup_forgets = true,
        .by_name = true,
        .server_tells = true,
        .accept_byte = true,
        .state_frees_all = true,
        .udp_by_task = true,
        .tls_fails_once = true,
    },
    {
        .name = "3.3.0",
        .version = "3.3.0",
        .number = 0x303,
        .slots = 6,
        .reply_align = 4,
        .time_bytes = 8,
        .scan_max = SIM_NETWORK_APS_MAX, /* no cap of its own */
        .backlog = 4,
        .hostname_max = 31,
        .udp_max = 1460,
        .connect_us = 3000000,
        .tls_connect_us = 30000000,
        .full = NINA_FULL_10S,
        .mac_natural = true,
        .raw_scan_codes = true,
        .sta_status = true,
        .rejoins = true,
        .wpa2_at_least = true,
        .drop_closes = true,
        .ap_channel = true,
        .by_name = true,
        .server_tells = true,
        .accept_byte = true,
        .lists_silent = true,
        .read_ahead = true,
        .udp_by_task = true,
        .udp_opens = true,
        .tls_fails_once = true,
        .cert_drops_ca = true,
        .arduino_pins = true,
    },
};
const size_t nina_firmware_count = sizeof nina_firmwares / sizeof nina_firmwares[0];

static bool read_mac(const char *text, uint8_t mac[6])
{
    unsigned v[6];
    char end;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &end) != 6) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        mac[i] = (uint8_t)v[i];
    }
    return true;
}

static const nina_firmware_t *find_firmware(const char *name)
{
    for (size_t i = 0; i < nina_firmware_count; i++) {
        if (strcmp(nina_firmwares[i].name, name) == 0) {
            return &nina_firmwares[i];
        }
    }
    return NULL;
}

adder_err_t nina_create(sim_chip_t *c, const cJSON *config, char *msg, size_t msg_cap)
{
    nina_t *n = (nina_t *)(void *)c;
    static const uint8_t mac[6] = {0x24, 0x0A, 0xC4, 0xAD, 0xDE, 0x01};
    memcpy(n->wifi.mac, mac, 6);
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(config, "mac");
    if (j != NULL && (!cJSON_IsString(j) || !read_mac(j->valuestring, n->wifi.mac))) {
        (void)snprintf(msg, msg_cap, "mac: is not six pairs of hex digits like \"24:0a:c4:ad:de:01\"");
        return ADDER_ERR_FORMAT;
    }
    j = cJSON_GetObjectItemCaseSensitive(config, "firmware");
    n->fw = j == NULL ? &nina_firmwares[0] : cJSON_IsString(j) ? find_firmware(j->valuestring) : NULL;
    if (n->fw == NULL) {
        size_t at = (size_t)snprintf(msg, msg_cap, "firmware: modelled are");
        for (size_t i = 0; i < nina_firmware_count && at < msg_cap; i++) {
            at += (size_t)snprintf(msg + at, msg_cap - at, "%s \"%s\"", i > 0 ? "," : "",
                                   nina_firmwares[i].name);
        }
        return ADDER_ERR_UNSUPPORTED;
    }
    for (int i = 0; i < NINA_CONNS; i++) {
        n->conns[i].fd = -1;
    }
    n->op.raw_fd = -1;
    n->state = NINA_HELD;
    return ADDER_OK;
}
