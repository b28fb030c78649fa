/* The handlers of the table of commands. Each reads the request at its fixed offsets and makes the reply:
 * NINA_DONE and the rest of nina_result_t say how that went. */
#ifndef SIM_CHIPS_ESP32_NINA_HANDLERS_H
#define SIM_CHIPS_ESP32_NINA_HANDLERS_H

#include "sim/chips/esp32_nina.h"

nina_result_t nina_data_sent(nina_t *n, uint64_t now_us);
nina_result_t nina_avail_data(nina_t *n, uint64_t now_us);
nina_result_t nina_get_data(nina_t *n, uint64_t now_us);
nina_result_t nina_start_client(nina_t *n, uint64_t now_us);
nina_result_t nina_stop_client(nina_t *n, uint64_t now_us);
nina_result_t nina_client_state(nina_t *n, uint64_t now_us);
nina_result_t nina_get_socket(nina_t *n, uint64_t now_us);
nina_result_t nina_send_data(nina_t *n, uint64_t now_us);
nina_result_t nina_get_databuf(nina_t *n, uint64_t now_us);
nina_result_t nina_remote_data(nina_t *n, uint64_t now_us);
nina_result_t nina_start_server(nina_t *n, uint64_t now_us);
nina_result_t nina_state_tcp(nina_t *n, uint64_t now_us);
nina_result_t nina_insert_databuf(nina_t *n, uint64_t now_us);
nina_result_t nina_send_udp(nina_t *n, uint64_t now_us);
nina_result_t nina_req_host(nina_t *n, uint64_t now_us);
nina_result_t nina_get_host(nina_t *n, uint64_t now_us);
nina_result_t nina_ping(nina_t *n, uint64_t now_us);
nina_result_t nina_set_net(nina_t *n, uint64_t now_us);
nina_result_t nina_set_passphrase(nina_t *n, uint64_t now_us);
nina_result_t nina_set_key(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ip_config(nina_t *n, uint64_t now_us);
nina_result_t nina_set_dns_config(nina_t *n, uint64_t now_us);
nina_result_t nina_set_hostname(nina_t *n, uint64_t now_us);
nina_result_t nina_set_power_mode(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ap_net(nina_t *n, uint64_t now_us);
nina_result_t nina_set_ap_passphrase(nina_t *n, uint64_t now_us);
nina_result_t nina_conn_status(nina_t *n, uint64_t now_us);
nina_result_t nina_ip_addr(nina_t *n, uint64_t now_us);
nina_result_t nina_mac_addr(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_ssid(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_bssid(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_rssi(nina_t *n, uint64_t now_us);
nina_result_t nina_cur_enct(nina_t *n, uint64_t now_us);
nina_result_t nina_scan(nina_t *n, uint64_t now_us);
nina_result_t nina_disconnect(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_rssi(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_enct(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_bssid(nina_t *n, uint64_t now_us);
nina_result_t nina_idx_channel(nina_t *n, uint64_t now_us);
nina_result_t nina_get_time(nina_t *n, uint64_t now_us);
nina_result_t nina_dns_config(nina_t *n, uint64_t now_us);
nina_result_t nina_reason_code(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_identity(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_username(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_password(nina_t *n, uint64_t now_us);
nina_result_t nina_ent_enable(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_socket(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_close(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_errno(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_bind(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_listen(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_accept(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_connect(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_send(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_recv(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_sendto(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_recvfrom(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_ioctl(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_poll(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_setsockopt(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_getsockopt(nina_t *n, uint64_t now_us);
nina_result_t nina_bsd_getpeername(nina_t *n, uint64_t now_us);
nina_result_t nina_write_file(nina_t *n, uint64_t now_us);
nina_result_t nina_read_file(nina_t *n, uint64_t now_us);
nina_result_t nina_delete_file(nina_t *n, uint64_t now_us);
nina_result_t nina_exists_file(nina_t *n, uint64_t now_us);
nina_result_t nina_download_file(nina_t *n, uint64_t now_us);
nina_result_t nina_rename_file(nina_t *n, uint64_t now_us);
nina_result_t nina_pin_mode(nina_t *n, uint64_t now_us);
nina_result_t nina_digital_write(nina_t *n, uint64_t now_us);
nina_result_t nina_analog_write(nina_t *n, uint64_t now_us);
nina_result_t nina_digital_read(nina_t *n, uint64_t now_us);
nina_result_t nina_analog_read(nina_t *n, uint64_t now_us);

#endif
