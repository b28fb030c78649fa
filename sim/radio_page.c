/* What the outside sees of the radio and turns on it: the knobs of a co-processor's radio, so that a page,
 * a timeline or a test need not know which of the two a board has. */
#include "sim/radio.h"

#include <stdio.h>
#include <string.h>

const sim_knob_t radio_knobs[] = {SIM_NETWORK_KNOBS, {NULL, SIM_KNOB_BOOL, NULL, NULL, 0, 0, 0}};

static sim_ap_t *shown_ap(sim_radio_t *r)
{
    return sim_network_shown_ap(sim_chip_network(&r->chip), radio_current_ap(r));
}

/* Kinds and ranges were checked against the table; names of access points were not. */
static bool name_known(const sim_network_t *net, const cJSON *name)
{
    return name == NULL || sim_network_has_ap(net, name->valuestring);
}

adder_err_t radio_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    sim_radio_t *r = radio_of(c);
    sim_network_t *net = sim_chip_network(c);
    const cJSON *wifi = cJSON_GetObjectItemCaseSensitive(knobs, "wifi");
    const cJSON *rssi = cJSON_GetObjectItemCaseSensitive(knobs, "rssi");
    const cJSON *drop = cJSON_GetObjectItemCaseSensitive(knobs, "drop");
    const cJSON *restore = cJSON_GetObjectItemCaseSensitive(knobs, "restore");
    if (!name_known(net, drop) || !name_known(net, restore)) {
        (void)snprintf(msg, cap, "%s: no access point of that name",
                       name_known(net, drop) ? "restore" : "drop");
        return ADDER_ERR_ARG;
    }
    sim_ap_t *ap = shown_ap(r);
    if (wifi != NULL)
        net->wifi = cJSON_IsTrue(wifi);
    if (rssi != NULL && ap != NULL)
        ap->rssi = (int8_t)rssi->valuedouble;
    if (drop != NULL)
        sim_network_switch_ap(net, drop->valuestring, false);
    if (restore != NULL)
        sim_network_switch_ap(net, restore->valuestring, true);
    sim_chip_changed(c);
    return ADDER_OK;
}

static const char *status_text(const sim_radio_t *r)
{
    if (!r->config.enabled)
        return "off";
    switch (r->station) {
    case ADDER_WIFI_JOINED:
        return r->ap_active ? "connected, access point" : "connected";
    case ADDER_WIFI_JOINING:
        return r->was_joined ? "link lost" : "joining";
    default:
        return r->ap_active                      ? "access point"
               : r->scan.active                  ? "scanning"
               : r->station == ADDER_WIFI_FAILED ? "connect failed"
                                                 : "idle";
    }
}

void radio_describe(sim_chip_t *c, cJSON *into)
{
    sim_radio_t *r = radio_of(c);
    char ip[ADDER_IP_TEXT] = "0.0.0.0";
    if (radio_linked(r) && r->address.family == ADDER_IP_V4)
        adder_ip_print(&r->address, ip, sizeof ip);
    else if (r->ap_active)
        adder_ip_print(&r->config.ap_ipv4.address, ip, sizeof ip);
    sim_network_describe(sim_chip_network(c), shown_ap(r), into);
    cJSON_AddStringToObject(into, "status", status_text(r));
    cJSON_AddStringToObject(into, "ssid", radio_linked(r) ? r->wish.ssid : r->ap_active ? r->ap_ssid : "");
    cJSON_AddStringToObject(into, "ip", ip);
    cJSON_AddStringToObject(into, "hostname", r->config.hostname);
    cJSON_AddNumberToObject(into, "sockets", radio_net_open(r));
}

const sim_counter_t *radio_counters(sim_chip_t *c, size_t *n_out)
{
    sim_radio_t *r = radio_of(c);
    const sim_counter_t all[] = {
        {"scans", r->count.scans},
        {"joins", r->count.joins},
        {"join_failures", r->count.join_failures},
        {"links_lost", r->count.links_lost},
        {"pings", r->count.pings},
        {"sockets_opened", r->count.opened},
        {"sockets_closed", r->count.closed},
        {"net_in", r->count.bytes_in},
        {"net_out", r->count.bytes_out},
    };
    _Static_assert(sizeof all <= sizeof r->shown, "room for all counters");
    memcpy(r->shown, all, sizeof all);
    *n_out = sizeof all / sizeof all[0];
    return r->shown;
}

/* For energy: an ESP32-S3's radio listens while it scans, joins or is an access point; a joined station
 * naps between beacons unless power management is off. */
const char *radio_power_state(sim_chip_t *c)
{
    const sim_radio_t *r = radio_of(c);
    if (!r->config.enabled)
        return "sleep";
    if (r->ap_active || r->scan.active || r->station == ADDER_WIFI_JOINING)
        return "active";
    if (radio_linked(r))
        return r->config.power == ADDER_WIFI_POWER_NONE ? "active" : "modem_sleep";
    return "idle";
}
