/* What the outside sees and turns: knobs, the page's state, counters. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina.h"

static sim_ap_t *current_ap(nina_t *n)
{
    sim_network_t *net = sim_chip_network(&n->chip);
    if (n->wifi.linked && !n->wifi.ap_mode) {
        return &net->aps[n->wifi.join_index];
    }
    return net->ap_count > 0 ? &net->aps[0] : NULL;
}

/* {"wifi": bool}, {"rssi": dBm of the access point in use}, {"drop": ssid}, {"restore": ssid}. */
adder_err_t nina_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t msg_cap)
{
    nina_t *n = (nina_t *)(void *)c;
    sim_network_t *net = sim_chip_network(c);
    const cJSON *k;
    for (int apply = 0; apply < 2; apply++) { /* check all, then change */
        cJSON_ArrayForEach(k, knobs)
        {
            const bool drop = strcmp(k->string, "drop") == 0;
            if (strcmp(k->string, "wifi") == 0) {
                if (!cJSON_IsBool(k)) {
                    (void)snprintf(msg, msg_cap, "wifi: true or false is wanted");
                    return ADDER_ERR_ARG;
                }
                net->wifi = apply ? cJSON_IsTrue(k) : net->wifi;
            } else if (strcmp(k->string, "rssi") == 0) {
                sim_ap_t *ap = current_ap(n);
                if (!cJSON_IsNumber(k) || !(k->valuedouble >= -100 && k->valuedouble <= -10)) {
                    (void)snprintf(msg, msg_cap, "rssi: a number from -100 to -10 dBm is wanted");
                    return ADDER_ERR_ARG;
                }
                if (apply && ap != NULL) {
                    ap->rssi = (int8_t)k->valuedouble;
                }
            } else if (drop || strcmp(k->string, "restore") == 0) {
                bool found = false;
                for (size_t i = 0; cJSON_IsString(k) && i < net->ap_count; i++) {
                    if (strcmp(net->aps[i].ssid, k->valuestring) == 0) {
                        found = true;
                        net->aps[i].up = apply ? !drop : net->aps[i].up;
                    }
                }
                if (!found) {
                    (void)snprintf(msg, msg_cap, "%s: no access point of that name", k->string);
                    return ADDER_ERR_ARG;
                }
            } else {
                (void)snprintf(msg, msg_cap, "unknown knob \"%.24s\"; known are wifi, rssi, drop, restore",
                               k->string);
                return ADDER_ERR_ARG;
            }
        }
    }
    c->revision++;
    return ADDER_OK;
}

static const char *status_text(const nina_t *n)
{
    static const char *const texts[] = {
        "idle",         "no such network", "scanned",      "connected",    "connect failed",
        "address lost", "disconnected",    "access point", "access point", "access point failed"};
    switch (n->state) {
    case NINA_HELD:
        return "off";
    case NINA_BOOTING:
        return "booting";
    case NINA_ROM:
        return "ROM loader";
    case NINA_BLE:
        return "Bluetooth";
    default:
        return n->wifi.joining  ? "joining"
               : n->wifi.linked ? (n->wifi.ap_mode ? "access point" : "connected")
                                : texts[n->wifi.status];
    }
}

static void add_ip(cJSON *into, const char *name, const uint8_t ip[4])
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    cJSON_AddStringToObject(into, name, text);
}

static double led(const nina_t *n, unsigned pin)
{
    return n->pins[pin].pwm ? n->pins[pin].duty : n->pins[pin].level ? 255 : 0;
}

void nina_describe(sim_chip_t *c, cJSON *into)
{
    nina_t *n = (nina_t *)(void *)c;
    const sim_network_t *net = sim_chip_network(c);
    const sim_ap_t *ap = current_ap(n);
    cJSON_AddBoolToObject(into, "wifi", net->wifi);
    cJSON_AddNumberToObject(into, "rssi", ap != NULL ? ap->rssi : -100);
    cJSON_AddStringToObject(into, "status", status_text(n));
    cJSON_AddStringToObject(into, "firmware", "1.7.7");
    cJSON_AddStringToObject(into, "ssid", n->wifi.linked ? n->wifi.cur_ssid : "");
    add_ip(into, "ip", n->wifi.ip);
    cJSON_AddStringToObject(into, "hostname", n->wifi.hostname);
    int open = 0;
    for (int i = 0; i < NINA_CONNS; i++) {
        open += n->conns[i].fd >= 0;
    }
    cJSON_AddNumberToObject(into, "sockets", open);
    cJSON_AddNumberToObject(into, "bytes_in", (double)n->count.net_in);
    cJSON_AddNumberToObject(into, "bytes_out", (double)n->count.net_out);
    cJSON *rgb = cJSON_AddArrayToObject(into, "led");
    static const uint8_t pins[3] = {26, 25, 27};
    for (int i = 0; i < 3; i++) {
        cJSON_AddItemToArray(rgb, cJSON_CreateNumber(led(n, pins[i])));
    }
    cJSON *aps = cJSON_AddArrayToObject(into, "access_points");
    for (size_t i = 0; i < net->ap_count; i++) {
        cJSON *a = cJSON_CreateObject();
        cJSON_AddStringToObject(a, "ssid", net->aps[i].ssid);
        cJSON_AddBoolToObject(a, "up", net->aps[i].up);
        cJSON_AddNumberToObject(a, "rssi", net->aps[i].rssi);
        cJSON_AddItemToArray(aps, a);
    }
}

const sim_counter_t *nina_counters(sim_chip_t *c, size_t *n_out)
{
    nina_t *n = (nina_t *)(void *)c;
    const sim_counter_t fixed[] = {
        {"frames", n->count.frames},         {"bytes_in", n->count.bytes_in},
        {"bytes_out", n->count.bytes_out},   {"errors", n->count.errors},
        {"malformed", n->count.malformed},   {"dropped", n->count.dropped},
        {"crashes", n->count.crashes},       {"boots", n->count.resets},
        {"joins", n->count.joins},           {"join_failures", n->count.join_failures},
        {"sockets_opened", n->count.opened}, {"sockets_closed", n->count.closed},
        {"sockets_leaked", n->count.leaked}, {"net_in", n->count.net_in},
        {"net_out", n->count.net_out},
    };
    size_t used = 0;
    for (; used < sizeof fixed / sizeof fixed[0]; used++) {
        n->shown[used] = fixed[used];
    }
    for (size_t i = 0; i < nina_command_count; i++) {
        const uint64_t value = n->count.by_command[nina_commands[i].op];
        if (value > 0) {
            n->shown[used++] = (sim_counter_t){nina_commands[i].name, value};
        }
    }
    *n_out = used;
    return n->shown;
}
