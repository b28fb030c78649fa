/* What sim/network.h does after loading: looking up. Loading and checking: network_json.c. */
#include "sim/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { STAND_IN_A = 198, STAND_IN_B = 18 };

void sim_network_destroy(sim_network_t *net)
{
    if (net != NULL) {
        memset(net, 0, sizeof *net); /* passwords */
        free(net);
    }
}

sim_ap_t *sim_network_find_ap(sim_network_t *net, const char *ssid, size_t len)
{
    sim_ap_t *best = NULL;
    for (size_t i = 0; net->wifi && i < net->ap_count; i++) {
        sim_ap_t *ap = &net->aps[i];
        if (ap->up && strlen(ap->ssid) == len && memcmp(ap->ssid, ssid, len) == 0 &&
            (best == NULL || ap->rssi > best->rssi)) {
            best = ap;
        }
    }
    return best;
}

static bool parse_ip4(const char *text, uint8_t ip4[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        while (*text >= '0' && *text <= '9' && digits < 3) {
            value = value * 10 + (unsigned)(*text++ - '0');
            digits++;
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[-(int)digits] == '0') ||
            *text != (i < 3 ? '.' : '\0')) {
            return false;
        }
        ip4[i] = (uint8_t)value;
        text++;
    }
    return true;
}

/* A host needs a stand-in address when one of its ports leads elsewhere: DNS knows no ports. */
static bool needs_stand_in(const sim_network_t *net, const char *name)
{
    for (size_t i = 0; i < net->host_count; i++) {
        const sim_host_t *h = &net->hosts[i];
        if ((h->port != 0 || h->to_port != 0) && strcasecmp(h->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool resolve_here(const sim_network_t *net, const char *name, uint8_t ip4_out[4])
{
    for (size_t i = 0; i < net->host_count; i++) {
        const sim_host_t *h = &net->hosts[i];
        if (strcasecmp(h->name, name) != 0) {
            continue;
        }
        if (needs_stand_in(net, name)) {
            const uint8_t stand_in[4] = {STAND_IN_A, STAND_IN_B, 0, (uint8_t)(i + 1)};
            memcpy(ip4_out, stand_in, 4);
        } else {
            memcpy(ip4_out, h->to_ip4, 4);
        }
        return true;
    }
    return false;
}

adder_err_t sim_network_resolve(const sim_network_t *net, const char *name, uint8_t ip4_out[4])
{
    if (parse_ip4(name, ip4_out) || resolve_here(net, name, ip4_out) ||
        (name[0] != '\0' && resolve_here(net, "*", ip4_out))) {
        return ADDER_OK;
    }
    if (strcasecmp(name, "localhost") == 0) {
        memcpy(ip4_out, (const uint8_t[4]){127, 0, 0, 1}, 4);
        return ADDER_OK;
    }
    return net->outside && name[0] != '\0' ? ADDER_ERR_AGAIN : ADDER_ERR_NOT_FOUND;
}

/* The entry for a name and port: exact, else of the name's every port, else the "*" of the rest. */
static const sim_host_t *find_host(const sim_network_t *net, const char *name, uint16_t port)
{
    const sim_host_t *any = NULL, *rest = NULL;
    for (size_t i = 0; i < net->host_count; i++) {
        const sim_host_t *h = &net->hosts[i];
        if (strcmp(h->name, "*") == 0 && (h->port == port || (h->port == 0 && rest == NULL))) {
            rest = h;
        }
        if (strcasecmp(h->name, name) != 0) {
            continue;
        }
        if (h->port == port) {
            return h;
        }
        if (h->port == 0 && any == NULL) {
            any = h;
        }
    }
    return any != NULL ? any : rest;
}

adder_err_t sim_network_route(const sim_network_t *net, const uint8_t ip4[4], uint16_t port,
                              sim_endpoint_t *to_out)
{
    char name[SIM_NETWORK_NAME_MAX + 1];
    (void)snprintf(name, sizeof name, "%u.%u.%u.%u", ip4[0], ip4[1], ip4[2], ip4[3]);
    const bool stand_in = ip4[0] == STAND_IN_A && ip4[1] == STAND_IN_B && ip4[2] == 0 && ip4[3] != 0 &&
                          ip4[3] <= net->host_count;
    const sim_host_t *h = find_host(net, name, port);
    if (stand_in && (h == NULL || strcmp(h->name, "*") == 0)) {
        h = find_host(net, net->hosts[ip4[3] - 1].name, port);
    }
    if (h != NULL) {
        memcpy(to_out->ip4, h->to_ip4, 4);
        to_out->port = h->to_port != 0 ? h->to_port : port;
        return ADDER_OK;
    }
    if (stand_in) {
        return ADDER_ERR_NOT_FOUND;
    }
    bool known = net->outside || ip4[0] == 127;
    for (size_t i = 0; !known && i < net->host_count; i++) {
        known = memcmp(net->hosts[i].to_ip4, ip4, 4) == 0;
    }
    memcpy(to_out->ip4, ip4, 4);
    to_out->port = port;
    return known ? ADDER_OK : ADDER_ERR_NOT_FOUND;
}

uint16_t sim_network_listen_port(const sim_network_t *net, uint16_t port)
{
    for (size_t i = 0; i < net->listen_count; i++) {
        if (net->listens[i].port == port) {
            return net->listens[i].to_port;
        }
    }
    return port;
}

uint64_t sim_network_time(const sim_network_t *net, uint64_t now_us)
{
    if (!net->ntp) {
        return 0;
    }
    return net->time_s >= 0 ? (uint64_t)net->time_s + now_us / 1000000u : (uint64_t)time(NULL);
}

const char *sim_ap_security_str(sim_ap_security_t security)
{
    static const char *const names[] = {"open", "wep", "wpa", "wpa2", "enterprise"};
    return (size_t)security < sizeof names / sizeof names[0] ? names[security] : "?";
}
