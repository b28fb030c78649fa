/* What the outside sees and turns: knobs, the page's state, counters. */
#include <stdio.h>
#include <string.h>

#include "sim/chips/esp32_nina.h"

static sim_ap_t *current_ap(nina_t *n)
{
    sim_network_t *net = sim_chip_network(&n->chip);
    return sim_network_shown_ap(net, n->wifi.linked ? &net->aps[n->wifi.join_index] : NULL);
}

/* ---- knobs ---- */

const sim_knob_t nina_knobs[] = {
    SIM_NETWORK_KNOBS,
    {"silent", SIM_KNOB_BOOL, "Never answers", NULL, 0, 1, 1},
    {"late_ms", SIM_KNOB_NUMBER, "Answers later", "ms", 0, 60000, 100},
    {"ready", SIM_KNOB_TEXT, "READY stuck (high, low, free)", NULL, 0, 0, 0},
    {"flips", SIM_KNOB_NUMBER, "Replies to spoil", NULL, 0, 1000000, 1},
    {"seed", SIM_KNOB_NUMBER, "Seed of what is spoiled", NULL, 0, 4294967295.0, 1},
    {"stall", SIM_KNOB_BOOL, "Nobody reads what is sent", NULL, 0, 1, 1},
    {NULL, SIM_KNOB_BOOL, NULL, NULL, 0, 0, 0},
};

/* Each of these sets one knob if `apply`, and says whether the value is one. */
static bool knob_wifi(nina_t *n, const cJSON *v, bool apply)
{
    sim_network_t *net = sim_chip_network(&n->chip);
    net->wifi = apply ? cJSON_IsTrue(v) : net->wifi;
    return cJSON_IsBool(v);
}

static bool knob_rssi(nina_t *n, const cJSON *v, bool apply)
{
    sim_ap_t *ap = current_ap(n);
    const bool fits = cJSON_IsNumber(v) && v->valuedouble >= -100 && v->valuedouble <= -10;
    if (fits && apply && ap != NULL) {
        ap->rssi = (int8_t)v->valuedouble;
    }
    return fits;
}

static bool set_up(nina_t *n, const cJSON *v, bool apply, bool up)
{
    sim_network_t *net = sim_chip_network(&n->chip);
    const bool found = cJSON_IsString(v) && sim_network_has_ap(net, v->valuestring);
    if (found && apply) {
        sim_network_switch_ap(net, v->valuestring, up);
    }
    return found;
}

static bool knob_drop(nina_t *n, const cJSON *v, bool apply)
{
    return set_up(n, v, apply, false);
}

static bool knob_restore(nina_t *n, const cJSON *v, bool apply)
{
    return set_up(n, v, apply, true);
}

static bool knob_silent(nina_t *n, const cJSON *v, bool apply)
{
    n->fault.silent = apply ? cJSON_IsTrue(v) : n->fault.silent;
    return cJSON_IsBool(v);
}

/* What was sent while it was on has left the buffer when it is off again. */
static bool knob_stall(nina_t *n, const cJSON *v, bool apply)
{
    if (apply) {
        n->fault.stall = cJSON_IsTrue(v);
        for (int i = 0; i < NINA_CONNS; i++) {
            n->conns[i].stalled = 0;
        }
    }
    return cJSON_IsBool(v);
}

static const char *const ready_faults[] = {"free", "high", "low"};

static bool knob_ready(nina_t *n, const cJSON *v, bool apply)
{
    for (unsigned i = 0; cJSON_IsString(v) && i < 3; i++) {
        if (strcmp(v->valuestring, ready_faults[i]) == 0) {
            n->fault.ready = apply ? (nina_ready_fault_t)i : n->fault.ready;
            nina_ready_apply(n);
            return true;
        }
    }
    return false;
}

static bool set_count(const cJSON *v, bool apply, double max, uint32_t *out)
{
    const bool fits = cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= max;
    if (fits && apply) {
        *out = (uint32_t)v->valuedouble;
    }
    return fits;
}

static bool knob_late(nina_t *n, const cJSON *v, bool apply)
{
    return set_count(v, apply, 60000, &n->fault.late_ms);
}

static bool knob_flips(nina_t *n, const cJSON *v, bool apply)
{
    return set_count(v, apply, 1000000, &n->fault.flips);
}

static bool knob_seed(nina_t *n, const cJSON *v, bool apply)
{
    return set_count(v, apply, 4294967295.0, &n->fault.seed);
}

static const struct {
    const char *name, *wanted;
    bool (*set)(nina_t *n, const cJSON *v, bool apply);
} setters[] = {
    {"wifi", "true or false is wanted", knob_wifi},
    {"rssi", "a number from -100 to -10 dBm is wanted", knob_rssi},
    {"drop", "no access point of that name", knob_drop},
    {"restore", "no access point of that name", knob_restore},
    {"silent", "true or false is wanted", knob_silent},
    {"late_ms", "a number from 0 to 60000 ms is wanted", knob_late},
    {"ready", "\"high\", \"low\" or \"free\" is wanted", knob_ready},
    {"flips", "a number of replies from 0 to 1000000 is wanted", knob_flips},
    {"seed", "a number from 0 to 4294967295 is wanted", knob_seed},
    {"stall", "true or false is wanted", knob_stall},
};
enum { SETTERS = sizeof setters / sizeof setters[0] };

adder_err_t nina_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t msg_cap)
{
    nina_t *n = (nina_t *)(void *)c;
    const cJSON *k;
    for (int apply = 0; apply < 2; apply++) { /* check all, then change */
        cJSON_ArrayForEach(k, knobs)
        {
            unsigned i = 0;
            while (i < SETTERS && strcmp(k->string, setters[i].name) != 0) {
                i++;
            }
            if (i == SETTERS) {
                (void)snprintf(msg, msg_cap, "unknown knob \"%.24s\"", k->string);
                return ADDER_ERR_ARG;
            }
            if (!setters[i].set(n, k, apply != 0)) {
                (void)snprintf(msg, msg_cap, "%s: %s", k->string, setters[i].wanted);
                return ADDER_ERR_ARG;
            }
        }
    }
    c->revision++;
    return ADDER_OK;
}

/* ---- state ---- */

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
        return n->wifi.joining                     ? "joining"
               : n->wifi.linked                    ? "connected"
               : n->wifi.ap_up                     ? "access point"
               : n->wifi.status == NINA_WL_STOPPED ? "radio off"
                                                   : texts[n->wifi.status];
    }
}

static void add_ip(cJSON *into, const char *name, const uint8_t ip[4])
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    cJSON_AddStringToObject(into, name, text);
}

void nina_describe(sim_chip_t *c, cJSON *into)
{
    nina_t *n = (nina_t *)(void *)c;
    sim_network_describe(sim_chip_network(c), current_ap(n), into);
    cJSON_AddStringToObject(into, "status", status_text(n));
    cJSON_AddStringToObject(into, "firmware", n->fw->name);
    cJSON_AddStringToObject(into, "ssid", nina_online(n) ? n->wifi.cur_ssid : "");
    add_ip(into, "ip", n->wifi.ip);
    cJSON_AddStringToObject(into, "hostname", n->wifi.hostname);
    cJSON_AddBoolToObject(into, "silent", n->fault.silent);
    cJSON_AddNumberToObject(into, "late_ms", n->fault.late_ms);
    cJSON_AddStringToObject(into, "ready", ready_faults[n->fault.ready]);
    cJSON_AddNumberToObject(into, "flips", n->fault.flips);
    cJSON_AddBoolToObject(into, "stall", n->fault.stall);
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
        cJSON_AddItemToArray(rgb, cJSON_CreateNumber(nina_led(n, pins[i])));
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
        {"net_out", n->count.net_out},       {"replies_spoiled", n->count.flipped},
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
