/* The radio's life, its settings and what it says of itself. */
#include "sim/radio.h"

#include <stdio.h>
#include <string.h>

#include "sim/chips/chips.h"

uint64_t radio_scaled(sim_radio_t *r, uint64_t us)
{
    return (uint64_t)((double)us / sim_chip_network(&r->chip)->speed);
}

/* The faults of sim/chip.h as far as they mean something without wires: a radio is there, is silent
 * (unplug, nack, stuck), or restarts in the middle. Bits of the air are protected by checksums. */
adder_err_t radio_gate(sim_radio_t *r)
{
    sim_chip_t *c = &r->chip;
    if (c->fault == SIM_FAULT_NONE || c->fault == SIM_FAULT_BIT_FLIP)
        return ADDER_OK;
    if (c->fault_after > 0) {
        c->fault_after--;
        return ADDER_OK;
    }
    c->part->faults_hit++;
    if (c->fault == SIM_FAULT_RESET) {
        c->fault = SIM_FAULT_NONE;
        sim_chip_log(c, "reset in the middle of an operation");
        sim_part_power_on(c->board, c->part);
    } else if (c->fault == SIM_FAULT_UNPLUGGED && !c->part->dead) {
        sim_chip_log(c, "unplugged");
        c->part->dead = true;
    }
    if (c->part->dead && r->config.enabled)
        c->cls->power_on(c, sim_now(c->board));
    return ADDER_ERR_IO;
}

/* ---- settings ---- */

enum { HOSTNAME_BOARD = 14 };

static void default_config(const sim_radio_t *r, adder_wifi_config_t *out)
{
    *out = (adder_wifi_config_t){
        .tx_power_dbm = 20,
        .power = ADDER_WIFI_POWER_MIN,
        .ipv4 = {.dhcp = true},
        .ap_ipv4 = {.dhcp = true,
                    .address = adder_ip_v4(192, 168, 4, 1),
                    .mask = adder_ip_v4(255, 255, 255, 0),
                    .gateway = adder_ip_v4(192, 168, 4, 1)},
    };
    memcpy(out->mac, r->mac, ADDER_WIFI_MAC);
    memcpy(out->ap_mac, r->mac, ADDER_WIFI_MAC);
    out->ap_mac[5]++;
    /* The end of the board's name says more than its beginning; 32 characters in all. */
    const char *board = r->chip.board->mcu.board_id;
    const size_t len = strlen(board);
    board += len > HOSTNAME_BOARD ? len - HOSTNAME_BOARD : 0;
    (void)snprintf(out->hostname, sizeof out->hostname, "cpy-%s-%02x%02x%02x%02x%02x%02x",
                   board + (board[0] == '_'), r->mac[0], r->mac[1], r->mac[2], r->mac[3], r->mac[4],
                   r->mac[5]);
}

static bool ipv4_or_none(const adder_ip_t *ip)
{
    return ip->family == ADDER_IP_V4 || ip->family == ADDER_IP_NONE;
}

static bool config_sound(const adder_wifi_config_t *c)
{
    const adder_wifi_ipv4_t *both[] = {&c->ipv4, &c->ap_ipv4};
    for (size_t i = 0; i < 2; i++)
        if (!ipv4_or_none(&both[i]->address) || !ipv4_or_none(&both[i]->mask) ||
            !ipv4_or_none(&both[i]->gateway))
            return false;
    return (c->mac[0] & 1) == 0 && (c->ap_mac[0] & 1) == 0 && c->hostname[0] != '\0' &&
           memchr(c->hostname, '\0', sizeof c->hostname) != NULL && ipv4_or_none(&c->dns);
}

void radio_take_address(sim_radio_t *r)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    const adder_wifi_ipv4_t *c = &r->config.ipv4;
    if (!radio_linked(r))
        return;
    if (c->dhcp) {
        r->address = adder_ip_v4(net->address[0], net->address[1], net->address[2], net->address[3]);
        r->mask = adder_ip_v4(net->mask[0], net->mask[1], net->mask[2], net->mask[3]);
        r->gateway = adder_ip_v4(net->gateway[0], net->gateway[1], net->gateway[2], net->gateway[3]);
        r->dns = adder_ip_v4(net->dns[0], net->dns[1], net->dns[2], net->dns[3]);
    } else if (c->address.family == ADDER_IP_V4) { /* else DHCP was only stopped: the lease stays */
        r->address = c->address;
        r->mask = c->mask;
        r->gateway = c->gateway;
    }
    if (r->config.dns.family != ADDER_IP_NONE)
        r->dns = r->config.dns;
}

static void all_off(sim_radio_t *r)
{
    radio_leave(r, ADDER_WIFI_OFF, ADDER_WIFI_REASON_LEFT);
    radio_join_reset(r);
    radio_ping_cancel(r);
    radio_net_close_all(r);
    r->ap_active = false;
}

static adder_err_t configure(void *ctx, const adder_wifi_config_t *wanted)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    adder_wifi_config_t c;
    if (wanted != NULL)
        c = *wanted;
    else
        default_config(r, &c);
    adder_err_t err = !config_sound(&c) ? ADDER_ERR_ARG : radio_gate(r);
    if (err == ADDER_OK) {
        /* 2 to 20 dBm in quarters: what the ESP32-S3 takes */
        c.tx_power_dbm = c.tx_power_dbm < 2 ? 2 : c.tx_power_dbm > 20 ? 20 : c.tx_power_dbm;
        c.tx_power_dbm = (float)(int)(c.tx_power_dbm * 4) / 4;
        if (!c.enabled || wanted == NULL) {
            c.station = false;
            all_off(r);
        }
        if (!c.station)
            radio_leave(r, ADDER_WIFI_OFF, ADDER_WIFI_REASON_LEFT);
        else if (r->station == ADDER_WIFI_OFF)
            r->station = ADDER_WIFI_IDLE;
        r->config = c;
        radio_take_address(r);
        sim_chip_changed(&r->chip);
        sim_part_after(r->chip.board, r->chip.part);
    }
    sim_leave(r->chip.board);
    return err;
}

static void config(void *ctx, adder_wifi_config_t *out)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    *out = r->config;
    sim_leave(r->chip.board);
}

static void status(void *ctx, adder_wifi_status_t *out)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    sim_poll(r->chip.board);
    if (r->chip.part->dead && r->config.enabled) /* unplugged: nobody polls it */
        r->chip.cls->power_on(&r->chip, sim_now(r->chip.board));
    *out = (adder_wifi_status_t){
        .station = r->station, .reason = r->reason, .ap_active = r->ap_active, .scanning = r->scan.active};
    if (radio_linked(r)) {
        const sim_ap_t *ap = radio_current_ap(r);
        out->network = r->joined;
        if (ap != NULL)
            out->network.rssi_dbm = ap->rssi;
        out->address = r->address;
        out->mask = r->mask;
        out->gateway = r->gateway;
        out->dns = r->dns;
    }
    if (r->ap_active) {
        out->ap_address = r->config.ap_ipv4.address;
        out->ap_mask = r->config.ap_ipv4.mask;
        out->ap_gateway = r->config.ap_ipv4.gateway;
    }
    sim_leave(r->chip.board);
}

static const adder_wifi_ops_t radio_ops = {
    .status = status,
    .config = config,
    .configure = configure,
    .scan = radio_scan,
    .scan_next = radio_scan_next,
    .join = radio_join,
    .access_point = radio_access_point,
    .stations = radio_stations,
    .ping = radio_ping,
};

/* ---- life ---- */

static bool read_mac(const char *text, uint8_t mac[ADDER_WIFI_MAC])
{
    unsigned v[6];
    char end;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &end) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)v[i];
    return (mac[0] & 1) == 0;
}

static adder_err_t create(sim_chip_t *c, const cJSON *config_json, char *msg, size_t cap)
{
    sim_radio_t *r = radio_of(c);
    static const uint8_t mac[ADDER_WIFI_MAC] = {0x02, 0xAD, 0xDE,
                                                0x00, 0x53, 0x03}; /* locally administered */
    memcpy(r->mac, mac, sizeof mac);
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(config_json, "mac");
    double sockets = 8;
    if (text != NULL && (!cJSON_IsString(text) || !read_mac(text->valuestring, r->mac))) {
        (void)snprintf(msg, cap, "mac: an address like 02:ad:de:00:53:03 is wanted");
        return ADDER_ERR_FORMAT;
    }
    if (c->board->mcu.wifi != NULL) {
        (void)snprintf(msg, cap, "a board has one radio of its own");
        return ADDER_ERR_FORMAT;
    }
    adder_err_t err = chip_number(config_json, "sockets", 1, 16, &sockets, msg, cap);
    r->sockets = (uint16_t)sockets;
    r->ping.fd = -1;
    r->wifi.ops = &radio_ops;
    r->wifi.ctx = r;
    if (err == ADDER_OK)
        err = radio_net_create(r);
    if (err == ADDER_OK)
        c->board->mcu.wifi = &r->wifi;
    return err;
}

static void destroy(sim_chip_t *c)
{
    sim_radio_t *r = radio_of(c);
    radio_ping_cancel(r);
    radio_net_destroy(r);
    memset(&r->wish, 0, sizeof r->wish); /* passwords */
}

static void power_on(sim_chip_t *c, uint64_t now_us)
{
    sim_radio_t *r = radio_of(c);
    (void)now_us;
    all_off(r);
    default_config(r, &r->config);
    r->reason = ADDER_WIFI_REASON_NONE;
    sim_chip_changed(c);
}

void sim_radio_reset(sim_board_t *b)
{
    if (b->mcu.wifi != NULL) {
        sim_radio_t *r = b->mcu.wifi->ctx;
        if (r->config.enabled)
            sim_chip_log(&r->chip, "off: the microcontroller restarts");
        power_on(&r->chip, sim_now(b));
        sim_part_after(b, r->chip.part);
    }
}

static uint64_t poll(sim_chip_t *c, uint64_t now_us)
{
    sim_radio_t *r = radio_of(c);
    radio_join_poll(r, now_us);
    return radio_join_due(r);
}

static const char *const no_pins[] = {NULL};

const sim_chip_class_t sim_chip_native_wifi = {
    .type = "native_wifi",
    .title = "Wi-Fi",
    .pins = no_pins,
    .size = sizeof(sim_radio_t),
    .create = create,
    .destroy = destroy,
    .power_on = power_on,
    .poll = poll,
    .control = radio_control,
    .describe = radio_describe,
    .counters = radio_counters,
    .knobs = radio_knobs,
    .power_state = radio_power_state,
};
