/* Frames and the table of commands.
 *
 *   command  E0 op n  (length, data) * n  EE  pad to 4       reply  E0 op|80 n  (length, data) * n  EE
 *
 * The firmware checks only the start byte and that the opcode has a handler; parameters are read at
 * fixed offsets, which is kept here: a frame without END, or with the wrong count, works as there. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

void nina_bytes(const nina_t *n, size_t offset, void *out, size_t len)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        to[i] = nina_u8(n, offset + i);
    }
}

bool nina_text(nina_t *n, size_t len_offset, char *out, size_t max)
{
    const size_t len = nina_u8(n, len_offset);
    memset(out, 0, max + 1);
    if (len > max) {
        sim_chip_log(&n->chip, "%s: a parameter of %zu bytes overruns the firmware's buffer of %zu",
                     n->command != NULL ? n->command->name : "command", len, max);
        return false;
    }
    nina_bytes(n, len_offset + 1, out, len);
    return true;
}

void nina_reply(nina_t *n, uint8_t params)
{
    memset(n->tx, 0, sizeof n->tx);
    n->tx[2] = params;
    n->tx_len = 3;
}

void nina_reply_param(nina_t *n, unsigned width, const void *data, size_t len)
{
    const size_t room = NINA_BUF - 1 - n->tx_len; /* END needs one */
    if (width > room || len > room - width) {
        return;
    }
    if (width == 2) {
        n->tx[n->tx_len++] = (uint8_t)(len >> 8);
    }
    n->tx[n->tx_len++] = (uint8_t)len;
    if (len > 0) {
        memcpy(n->tx + n->tx_len, data, len);
        n->tx_len += len;
    }
}

nina_result_t nina_reply_bytes(nina_t *n, const void *data, size_t len)
{
    nina_reply(n, 1);
    nina_reply_param(n, 1, data, len);
    return NINA_DONE;
}

nina_result_t nina_reply_u8(nina_t *n, uint8_t value)
{
    return nina_reply_bytes(n, &value, 1);
}

nina_result_t nina_reply_u16le(nina_t *n, uint16_t value)
{
    const uint8_t b[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    return nina_reply_bytes(n, b, 2);
}

nina_result_t nina_reply_u32le(nina_t *n, uint32_t value)
{
    const uint8_t b[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                          (uint8_t)(value >> 24)};
    return nina_reply_bytes(n, b, 4);
}

nina_result_t nina_reply_none(nina_t *n)
{
    nina_reply(n, 0);
    return NINA_DONE;
}

/* ---- commands that fit nowhere else ---- */

static nina_result_t fw_version(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_bytes(n, n->fw->version, strlen(n->fw->version) + 1); /* with its NUL */
}

static nina_result_t set_debug(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, 1);
}

static nina_result_t temperature(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u32le(n, 0x42555555); /* 53.333 as a float: raw 128 */
}

/* The firmware ignores the length byte (a PEM does not fit it) and takes a fixed number of bytes. */
static nina_result_t client_cert(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_bytes(n, 4, n->client_cert, NINA_CERT_MAX);
    n->cert_set = true;
    return nina_reply_u8(n, 1);
}

static nina_result_t private_key(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_bytes(n, 4, n->client_key, NINA_KEY_MAX);
    n->key_set = true;
    return nina_reply_u8(n, 1);
}

static nina_result_t not_implemented(nina_t *n, uint64_t now_us)
{
    (void)n;
    (void)now_us;
    return NINA_ERROR;
}

enum { V1 = 0x100, V15 = 0x105, V17 = 0x107, V2 = 0x200 };

const nina_command_t nina_commands[] = {
    {0x10, 1, 2600, V1, "set_net", nina_set_net},
    {0x11, 1, 2600, V1, "set_passphrase", nina_set_passphrase},
    {0x12, 1, 2600, V1, "set_key", nina_set_key},
    {0x14, 1, 120, V1, "set_ip_config", nina_set_ip_config},
    {0x15, 1, 60, V1, "set_dns_config", nina_set_dns_config},
    {0x16, 1, 40, V1, "set_hostname", nina_set_hostname},
    {0x17, 1, 60, V1, "set_power_mode", nina_set_power_mode},
    {0x18, 1, 4000, V1, "set_ap_net", nina_set_ap_net},
    {0x19, 1, 4000, V1, "set_ap_passphrase", nina_set_ap_passphrase},
    {0x1A, 1, 30, V1, "set_debug", set_debug},
    {0x1B, 1, 30, V1, "get_temperature", temperature},
    {0x1E, 1, 30, V2, "get_dns_config", nina_dns_config},
    {0x1F, 1, 30, V2, "get_reason_code", nina_reason_code},
    {0x20, 1, 30, V1, "get_conn_status", nina_conn_status},
    {0x21, 1, 30, V1, "get_ip_addr", nina_ip_addr},
    {0x22, 1, 30, V1, "get_mac_addr", nina_mac_addr},
    {0x23, 1, 30, V1, "get_curr_ssid", nina_cur_ssid},
    {0x24, 1, 30, V1, "get_curr_bssid", nina_cur_bssid},
    {0x25, 1, 40, V1, "get_curr_rssi", nina_cur_rssi},
    {0x26, 1, 30, V1, "get_curr_enct", nina_cur_enct},
    {0x27, 1, 60, V1, "scan_networks", nina_scan},
    {0x28, 1, 160, V1, "start_server", nina_start_server},
    {0x29, 1, 30, V1, "get_state_tcp", nina_state_tcp},
    {0x2A, 1, 30, V1, "data_sent_tcp", nina_data_sent},
    {0x2B, 1, 45, V1, "avail_data", nina_avail_data},
    {0x2C, 1, 45, V1, "get_data", nina_get_data},
    {0x2D, 1, 120, V1, "start_client", nina_start_client},
    {0x2E, 1, 110, V1, "stop_client", nina_stop_client},
    {0x2F, 1, 40, V1, "get_client_state", nina_client_state},
    {0x30, 1, 2000, V1, "disconnect", nina_disconnect},
    {0x32, 1, 30, V1, "get_idx_rssi", nina_idx_rssi},
    {0x33, 1, 30, V1, "get_idx_enct", nina_idx_enct},
    {0x34, 1, 60, V1, "req_host_by_name", nina_req_host},
    {0x35, 1, 30, V1, "get_host_by_name", nina_get_host},
    {0x36, 1, 30, V1, "start_scan", nina_data_sent}, /* does nothing, answers 1 */
    {0x37, 1, 30, V1, "get_fw_version", fw_version},
    {0x39, 1, 130, V1, "send_udp_data", nina_send_udp},
    {0x3A, 1, 40, V1, "get_remote_data", nina_remote_data},
    {0x3B, 1, 30, V1, "get_time", nina_get_time},
    {0x3C, 1, 30, V1, "get_idx_bssid", nina_idx_bssid},
    {0x3D, 1, 30, V1, "get_idx_channel", nina_idx_channel},
    {0x3E, 1, 90, V1, "ping", nina_ping},
    {0x3F, 1, 30, V1, "get_socket", nina_get_socket},
    {0x40, 1, 40, V17, "set_client_cert", client_cert},
    {0x41, 1, 40, V17, "set_private_key", private_key},
    {0x44, 2, 140, V1, "send_data", nina_send_data},
    {0x45, 2, 70, V1, "get_databuf", nina_get_databuf},
    {0x46, 2, 40, V1, "insert_databuf", nina_insert_databuf},
    {0x4A, 1, 40, V1, "ent_identity", nina_ent_identity},
    {0x4B, 1, 40, V1, "ent_username", nina_ent_username},
    {0x4C, 1, 40, V1, "ent_password", nina_ent_password},
    {0x4D, 1, 20, V1, "ent_ca_cert", not_implemented},
    {0x4E, 1, 20, V1, "ent_cert_key", not_implemented},
    {0x4F, 1, 40, V1, "ent_enable", nina_ent_enable},
    {0x50, 1, 40, V1, "set_pin_mode", nina_pin_mode},
    {0x51, 1, 30, V1, "digital_write", nina_digital_write},
    {0x52, 1, 60, V1, "analog_write", nina_analog_write},
    {0x53, 1, 30, V15, "digital_read", nina_digital_read},
    {0x54, 1, 90, V15, "analog_read", nina_analog_read},
    {0x60, 1, 9000, V2, "write_file", nina_write_file},
    {0x61, 1, 2000, V2, "read_file", nina_read_file},
    {0x62, 1, 9000, V2, "delete_file", nina_delete_file},
    {0x63, 1, 2000, V2, "exists_file", nina_exists_file},
    {0x64, 1, 9000, V2, "download_file", nina_download_file},
    {0x65, 1, 20, V2, "apply_ota", not_implemented},
    {0x66, 1, 9000, V2, "rename_file", nina_rename_file},
    {0x67, 1, 20, V2, "download_ota", not_implemented},
    {0x70, 1, 60, V2, "socket_socket", nina_bsd_socket},
    {0x71, 1, 110, V2, "socket_close", nina_bsd_close},
    {0x72, 1, 30, V2, "socket_errno", nina_bsd_errno},
    {0x73, 1, 60, V2, "socket_bind", nina_bsd_bind},
    {0x74, 1, 60, V2, "socket_listen", nina_bsd_listen},
    {0x75, 1, 60, V2, "socket_accept", nina_bsd_accept},
    {0x76, 1, 120, V2, "socket_connect", nina_bsd_connect},
    {0x77, 2, 140, V2, "socket_send", nina_bsd_send},
    {0x78, 1, 70, V2, "socket_recv", nina_bsd_recv},
    {0x79, 2, 140, V2, "socket_sendto", nina_bsd_sendto},
    {0x7A, 1, 70, V2, "socket_recvfrom", nina_bsd_recvfrom},
    {0x7B, 1, 40, V2, "socket_ioctl", nina_bsd_ioctl},
    {0x7C, 1, 45, V2, "socket_poll", nina_bsd_poll},
    {0x7D, 1, 40, V2, "socket_setsockopt", nina_bsd_setsockopt},
    {0x7E, 1, 40, V2, "socket_getsockopt", nina_bsd_getsockopt},
    {0x7F, 1, 40, V2, "socket_getpeername", nina_bsd_getpeername},
};
const size_t nina_command_count = sizeof nina_commands / sizeof nina_commands[0];

const nina_command_t *nina_find_command(const nina_t *n, uint8_t op)
{
    for (size_t i = 0; i < nina_command_count; i++) {
        if (nina_commands[i].op == op && nina_commands[i].since <= n->fw->number) {
            return &nina_commands[i];
        }
    }
    return NULL;
}

/* Do the lengths lead to an END within the bytes that came? The firmware does not ask; a driver's
 * author wants to know. A PEM never fits its length byte, which is known. */
static void check_frame(nina_t *n)
{
    size_t at = 3;
    for (unsigned i = 0; i < n->rx[2]; i++) {
        const size_t len = n->command->in_width == 2 ? nina_u16be(n, at) : nina_u8(n, at);
        at += n->command->in_width + len;
    }
    if ((at >= n->rx_len || n->rx[at] != 0xEE) && n->command->op != 0x40 && n->command->op != 0x41) {
        n->count.malformed++;
        sim_chip_log(&n->chip, "%s: the parameters do not end in EE; the firmware takes it all the same",
                     n->command->name);
    }
}

nina_result_t nina_handle(nina_t *n, uint64_t now_us)
{
    n->command = n->rx[0] == 0xE0 ? nina_find_command(n, n->rx[1]) : NULL;
    if (n->command == NULL) {
        if (n->rx[0] != 0xE0) {
            sim_chip_log(&n->chip, "not a command: starts with %02X, not E0", n->rx[0]);
        } else {
            sim_chip_log(&n->chip, "command %02X is unknown to firmware %s", n->rx[1], n->fw->name);
        }
        return NINA_ERROR;
    }
    n->count.by_command[n->command->op]++;
    check_frame(n);
    return n->command->run(n, now_us);
}
