/* Reading and checking the "network" configuration. Every message begins with the place. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/network.h"

/* Where messages go, and the place now being read. */
typedef struct {
    char *msg;
    size_t cap;
    char at[160];
} reader_t;

__attribute__((format(printf, 2, 3))) static bool fail(const reader_t *r, const char *format, ...)
{
    if (r->msg == NULL || r->cap == 0) {
        return false;
    }
    const int n = snprintf(r->msg, r->cap, "%s: ", r->at);
    if (n >= 0 && (size_t)n < r->cap) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(r->msg + n, r->cap - (size_t)n, format, args);
        va_end(args);
    }
    return false;
}

/* The reader at a member of where it is: r.key, r[3], r["key"]. */
__attribute__((format(printf, 2, 3))) static reader_t inside(const reader_t *r, const char *format, ...)
{
    reader_t in = *r;
    const size_t used = strlen(in.at);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(in.at + used, sizeof in.at - used, format, args);
    va_end(args);
    return in;
}

static const char *kind_of(const cJSON *j)
{
    return cJSON_IsString(j)   ? "a text"
           : cJSON_IsNumber(j) ? "a number"
           : cJSON_IsArray(j)  ? "a list"
           : cJSON_IsObject(j) ? "an object"
           : cJSON_IsBool(j)   ? "true or false"
                               : "null";
}

static bool read_text(const reader_t *r, const cJSON *j, size_t min, size_t max, char *out)
{
    if (!cJSON_IsString(j)) {
        return fail(r, "is %s, not a text", kind_of(j));
    }
    const size_t len = strlen(j->valuestring);
    if (len < min || len > max) {
        return fail(r, "%zu bytes long; it takes %zu to %zu", len, min, max);
    }
    memcpy(out, j->valuestring, len + 1);
    return true;
}

static bool read_number(const reader_t *r, const cJSON *j, double min, double max, bool whole, double *out)
{
    if (!cJSON_IsNumber(j)) {
        return fail(r, "is %s, not a number", kind_of(j));
    }
    const double v = j->valuedouble;
    if (!(v >= min && v <= max) || (whole && v != floor(v))) {
        return fail(r, "%g is not %s from %g to %g", v, whole ? "a whole number" : "a number", min, max);
    }
    *out = v;
    return true;
}

static bool read_bool(const reader_t *r, const cJSON *j, bool *out)
{
    if (!cJSON_IsBool(j)) {
        return fail(r, "is %s, not true or false", kind_of(j));
    }
    *out = cJSON_IsTrue(j);
    return true;
}

/* "1.2.3.4", with ":port" if port_out is given. *end is left behind what was read. */
static bool scan_address(const char *text, uint8_t ip4[4], uint16_t *port_out)
{
    unsigned part[4] = {0}, port = 0;
    int n = 0;
    const char *p = text;
    for (int i = 0; i < 4; i++) {
        n = 0;
        while (isdigit((unsigned char)*p) && n < 3) {
            part[i] = part[i] * 10 + (unsigned)(*p++ - '0');
            n++;
        }
        if (n == 0 || part[i] > 255 || (i < 3 && *p++ != '.')) {
            return false;
        }
    }
    if (*p == ':' && port_out != NULL) {
        p++;
        for (n = 0; isdigit((unsigned char)*p) && n < 5; n++) {
            port = port * 10 + (unsigned)(*p++ - '0');
        }
        if (n == 0 || port == 0 || port > 65535) {
            return false;
        }
    }
    if (*p != '\0') {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        ip4[i] = (uint8_t)part[i];
    }
    if (port_out != NULL) {
        *port_out = (uint16_t)port;
    }
    return true;
}

static bool read_ip4(const reader_t *r, const cJSON *j, uint8_t ip4[4])
{
    if (!cJSON_IsString(j)) {
        return fail(r, "is %s, not an address like \"192.168.1.47\"", kind_of(j));
    }
    return scan_address(j->valuestring, ip4, NULL) ||
           fail(r, "\"%.40s\" is not an address like 192.168.1.47", j->valuestring);
}

/* ---- access points ---- */

static bool read_bssid(const reader_t *r, const cJSON *j, uint8_t bssid[6])
{
    if (!cJSON_IsString(j)) {
        return fail(r, "is %s, not a text like \"02:ad:de:00:00:01\"", kind_of(j));
    }
    const char *p = j->valuestring;
    for (int i = 0; i < 6; i++) {
        if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
            p[2] != (i < 5 ? ':' : '\0')) {
            return fail(r, "\"%.40s\" is not six pairs of hex digits like 02:ad:de:00:00:01", j->valuestring);
        }
        const char pair[3] = {p[0], p[1], '\0'};
        bssid[i] = (uint8_t)strtoul(pair, NULL, 16);
        p += 3;
    }
    return true;
}

static bool read_security(const reader_t *r, const cJSON *j, sim_ap_security_t *out)
{
    if (!cJSON_IsString(j)) {
        return fail(r, "is %s, not a text", kind_of(j));
    }
    for (unsigned s = SIM_AP_OPEN; s <= SIM_AP_ENTERPRISE; s++) {
        if (strcasecmp(j->valuestring, sim_ap_security_str((sim_ap_security_t)s)) == 0) {
            *out = (sim_ap_security_t)s;
            return true;
        }
    }
    return fail(r, "\"%.20s\" is none of open, wep, wpa, wpa2, enterprise", j->valuestring);
}

static bool check_password(const reader_t *r, const sim_ap_t *ap)
{
    const size_t len = strlen(ap->password);
    switch (ap->security) {
    case SIM_AP_OPEN:
        return len == 0 || fail(r, "an open access point has none");
    case SIM_AP_WEP:
        return len == 5 || len == 10 || len == 13 || len == 26 ||
               fail(r, "%zu characters; a WEP key has 5 or 13, or 10 or 26 hex digits", len);
    case SIM_AP_WPA:
    case SIM_AP_WPA2:
        return (len >= 8 && len <= 64) ||
               fail(r, "%zu characters; %s takes 8 to 63", len, ap->security == SIM_AP_WPA ? "WPA" : "WPA2");
    case SIM_AP_ENTERPRISE:
        return (len >= 1 && len <= 32) || fail(r, "%zu characters; enterprise takes 1 to 32", len);
    }
    return false;
}

static bool read_ap(const reader_t *r, const cJSON *j, size_t index, sim_ap_t *ap)
{
    if (!cJSON_IsObject(j)) {
        return fail(r, "is %s, not an object like {\"ssid\": \"home\", \"password\": \"12345678\"}",
                    kind_of(j));
    }
    *ap = (sim_ap_t){.channel = (uint8_t)(1 + index * 5 % 13), .rssi = -52, .up = true};
    const uint8_t bssid[6] = {0x02, 0xAD, 0xDE, 0x00, 0x00, (uint8_t)(index + 1)};
    memcpy(ap->bssid, bssid, 6);
    bool security = false;
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        const reader_t at = inside(r, ".%.24s", m->string);
        double v = 0;
        bool ok;
        if (strcmp(m->string, "ssid") == 0) {
            ok = read_text(&at, m, 1, 32, ap->ssid);
        } else if (strcmp(m->string, "password") == 0) {
            ok = read_text(&at, m, 0, 64, ap->password);
        } else if (strcmp(m->string, "username") == 0) {
            ok = read_text(&at, m, 0, 32, ap->username);
        } else if (strcmp(m->string, "identity") == 0) {
            ok = read_text(&at, m, 0, 32, ap->identity);
        } else if (strcmp(m->string, "security") == 0) {
            ok = security = read_security(&at, m, &ap->security);
        } else if (strcmp(m->string, "channel") == 0) {
            ok = read_number(&at, m, 1, 14, true, &v);
            ap->channel = ok ? (uint8_t)v : 0;
        } else if (strcmp(m->string, "bssid") == 0) {
            ok = read_bssid(&at, m, ap->bssid);
        } else if (strcmp(m->string, "rssi") == 0) {
            ok = read_number(&at, m, -100, -10, true, &v);
            ap->rssi = ok ? (int8_t)v : 0;
        } else if (strcmp(m->string, "up") == 0) {
            ok = read_bool(&at, m, &ap->up);
        } else {
            ok = fail(r,
                      "unknown \"%.24s\"; an access point has ssid, password, security, identity, username, "
                      "channel, bssid, rssi, up",
                      m->string);
        }
        if (!ok) {
            return false;
        }
    }
    if (ap->ssid[0] == '\0') {
        return fail(r, "has no \"ssid\"");
    }
    if (!security) {
        ap->security = ap->password[0] != '\0' ? SIM_AP_WPA2 : SIM_AP_OPEN;
    }
    const reader_t at = inside(r, ".password");
    return check_password(&at, ap);
}

static bool read_aps(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    if (!cJSON_IsArray(j)) {
        return fail(r, "is %s, not a list of objects", kind_of(j));
    }
    if (cJSON_GetArraySize(j) > SIM_NETWORK_APS_MAX) {
        return fail(r, "%d access points; at most %d", cJSON_GetArraySize(j), SIM_NETWORK_APS_MAX);
    }
    net->ap_count = 0;
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        const reader_t at = inside(r, "[%zu]", net->ap_count);
        if (!read_ap(&at, m, net->ap_count, &net->aps[net->ap_count])) {
            return false;
        }
        net->ap_count++;
    }
    return true;
}

/* ---- hosts ---- */

static bool read_host(const reader_t *r, const cJSON *j, sim_host_t *h)
{
    *h = (sim_host_t){0};
    const char *colon = strchr(j->string, ':');
    const size_t len = colon != NULL ? (size_t)(colon - j->string) : strlen(j->string);
    if (len == 0 || len > SIM_NETWORK_NAME_MAX) {
        return fail(r, "the name is %zu characters long; it takes 1 to %d", len, SIM_NETWORK_NAME_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)j->string[i];
        if (!isalnum(c) && c != '.' && c != '-' && c != '_' && !(c == '*' && len == 1)) {
            return fail(r, "names are made of letters, digits, '.', '-' and '_', and a port follows ':'");
        }
        h->name[i] = (char)tolower(c);
    }
    if (colon != NULL) {
        char *end;
        const long port = strtol(colon + 1, &end, 10);
        if (!isdigit((unsigned char)colon[1]) || *end != '\0' || port < 1 || port > 65535) {
            return fail(r, "\":%.10s\" is not a port from 1 to 65535", colon + 1);
        }
        h->port = (uint16_t)port;
    }
    if (!cJSON_IsString(j)) {
        return fail(r, "is %s, not an address like \"127.0.0.1\"", kind_of(j));
    }
    return scan_address(j->valuestring, h->to_ip4, &h->to_port) ||
           fail(r, "\"%.40s\" is not an address like 127.0.0.1 or 127.0.0.1:8080", j->valuestring);
}

static bool read_hosts(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    if (!cJSON_IsObject(j)) {
        return fail(r, "is %s, not an object like {\"io.adafruit.com\": \"127.0.0.1\"}", kind_of(j));
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        const reader_t at = inside(r, "[\"%.60s\"]", m->string);
        if (net->host_count == SIM_NETWORK_HOSTS_MAX) {
            return fail(&at, "more than %d hosts", SIM_NETWORK_HOSTS_MAX);
        }
        if (!read_host(&at, m, &net->hosts[net->host_count])) {
            return false;
        }
        net->host_count++;
    }
    return true;
}

/* ---- the rest ---- */

static bool read_listen(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    if (!cJSON_IsObject(j)) {
        return fail(r, "is %s, not an object like {\"80\": 8080}", kind_of(j));
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        const reader_t at = inside(r, "[\"%.20s\"]", m->string);
        char *end;
        const long port = strtol(m->string, &end, 10);
        double to = 0;
        if (!isdigit((unsigned char)m->string[0]) || *end != '\0' || port < 1 || port > 65535) {
            return fail(&at, "is not a port from 1 to 65535");
        }
        if (net->listen_count == SIM_NETWORK_PORTS_MAX) {
            return fail(&at, "more than %d ports", SIM_NETWORK_PORTS_MAX);
        }
        if (!read_number(&at, m, 1, 65535, true, &to)) {
            return false;
        }
        net->listens[net->listen_count].port = (uint16_t)port;
        net->listens[net->listen_count++].to_port = (uint16_t)to;
    }
    return true;
}

static bool read_cas(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    if (cJSON_IsString(j)) {
        net->ca_count = 1;
        return read_text(r, j, 1, SIM_NETWORK_PATH_MAX, net->cas[0]);
    }
    if (!cJSON_IsArray(j)) {
        return fail(r, "is %s, not the path of a PEM file or a list of them", kind_of(j));
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        const reader_t at = inside(r, "[%zu]", net->ca_count);
        if (net->ca_count == SIM_NETWORK_CAS_MAX) {
            return fail(&at, "more than %d files", SIM_NETWORK_CAS_MAX);
        }
        if (!read_text(&at, m, 1, SIM_NETWORK_PATH_MAX, net->cas[net->ca_count])) {
            return false;
        }
        net->ca_count++;
    }
    return true;
}

static bool read_time(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    double v = 0;
    if (cJSON_IsFalse(j)) {
        net->ntp = false;
        return true;
    }
    if (!cJSON_IsNumber(j)) {
        return fail(r, "is %s, not a Unix time in seconds, or false for no time server", kind_of(j));
    }
    if (!read_number(r, j, 946684800, 4294967295.0, true, &v)) {
        return false;
    }
    net->time_s = (int64_t)v;
    return true;
}

static bool read_speed(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_number(r, j, 0.01, 1000, false, &net->speed);
}
static bool read_address(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_ip4(r, j, net->address);
}
static bool read_mask(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_ip4(r, j, net->mask);
}
static bool read_gateway(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_ip4(r, j, net->gateway);
}
static bool read_dns(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_ip4(r, j, net->dns);
}
static bool read_outside(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_bool(r, j, &net->outside);
}
static bool read_wifi(const reader_t *r, const cJSON *j, sim_network_t *net)
{
    return read_bool(r, j, &net->wifi);
}

static const struct {
    const char *key;
    bool (*read)(const reader_t *r, const cJSON *j, sim_network_t *net);
} members[] = {
    {"access_points", read_aps}, {"hosts", read_hosts},     {"outside", read_outside},
    {"wifi", read_wifi},         {"address", read_address}, {"mask", read_mask},
    {"gateway", read_gateway},   {"dns", read_dns},         {"ca", read_cas},
    {"listen", read_listen},     {"time", read_time},       {"speed", read_speed},
};

static void set_defaults(sim_network_t *net)
{
    *net = (sim_network_t){.address = {192, 168, 1, 47},
                           .mask = {255, 255, 255, 0},
                           .gateway = {192, 168, 1, 1},
                           .dns = {192, 168, 1, 1},
                           .outside = true,
                           .wifi = true,
                           .ntp = true,
                           .speed = 1,
                           .time_s = -1};
}

static bool read_network(const reader_t *r, const cJSON *json, sim_network_t *net)
{
    set_defaults(net);
    bool aps = false;
    if (json != NULL && !cJSON_IsObject(json)) {
        return fail(r, "is %s, not an object", kind_of(json));
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, json)
    {
        const reader_t at = inside(r, ".%.24s", m->string);
        size_t i = 0;
        while (i < sizeof members / sizeof members[0] && strcmp(members[i].key, m->string) != 0) {
            i++;
        }
        if (i == sizeof members / sizeof members[0]) {
            return fail(r,
                        "unknown \"%.24s\"; known are access_points, hosts, outside, wifi, address, mask, "
                        "gateway, dns, ca, listen, time, speed",
                        m->string);
        }
        if (!members[i].read(&at, m, net)) {
            return false;
        }
        aps = aps || i == 0;
    }
    if (!aps) {
        cJSON *config = sim_network_config(NULL, NULL, NULL);
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(config, "access_points");
        const bool ok = list != NULL && read_aps(r, list, net);
        cJSON_Delete(config);
        return ok || fail(r, "out of memory");
    }
    return true;
}

static sim_network_t *create_at(const cJSON *json, const char *where, char *msg, size_t msg_cap)
{
    reader_t r = {.msg = msg, .cap = msg_cap};
    (void)snprintf(r.at, sizeof r.at, "%.100s", where);
    sim_network_t *net = malloc(sizeof *net);
    if (net == NULL) {
        (void)fail(&r, "out of memory");
        return NULL;
    }
    if (!read_network(&r, json, net)) {
        sim_network_destroy(net);
        return NULL;
    }
    return net;
}

sim_network_t *sim_network_create(const cJSON *json, char *msg, size_t msg_cap)
{
    return create_at(json, "network", msg, msg_cap);
}

sim_network_t *sim_network_load(const char *text, size_t len, const char *where, char *msg, size_t msg_cap)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
    /* What stands behind the object: blanks only. */
    while (json != NULL && end < text + len && isspace((unsigned char)*end)) {
        end++;
    }
    if (json == NULL || end < text + len) {
        unsigned line = 1;
        for (const char *p = text; end != NULL && p < end && p < text + len; p++) {
            line += *p == '\n';
        }
        if (msg != NULL && msg_cap > 0) {
            char near[21];
            size_t n = 0;
            for (const char *p = end;
                 p != NULL && p < text + len && n < sizeof near - 1 && isprint((unsigned char)*p); p++) {
                near[n++] = *p;
            }
            near[n] = '\0';
            (void)snprintf(msg, msg_cap, "%.100s:%u: not JSON%s%s%s", where, line, n > 0 ? ", at '" : "",
                           near, n > 0 ? "'" : " (the text ends too early)");
        }
        cJSON_Delete(json);
        return NULL;
    }
    sim_network_t *net = create_at(json, where, msg, msg_cap);
    cJSON_Delete(json);
    return net;
}

cJSON *sim_network_config(cJSON *network, const char *ssid, const char *password)
{
    if (network == NULL) {
        network = cJSON_CreateObject();
    }
    if (!cJSON_IsObject(network) || cJSON_GetObjectItemCaseSensitive(network, "access_points") != NULL) {
        return network;
    }
    cJSON *list = cJSON_AddArrayToObject(network, "access_points");
    cJSON *ap = cJSON_CreateObject();
    if (list == NULL || ap == NULL || !cJSON_AddItemToArray(list, ap)) {
        cJSON_Delete(ap);
        return network;
    }
    const bool named = ssid != NULL && ssid[0] != '\0';
    cJSON_AddStringToObject(ap, "ssid", named ? ssid : "adder");
    cJSON_AddStringToObject(ap, "password", !named ? "circuitpython" : password != NULL ? password : "");
    return network;
}

sim_network_t *sim_network_default(const char *ssid, const char *password)
{
    cJSON *config = sim_network_config(NULL, ssid, password);
    sim_network_t *net = config != NULL ? sim_network_create(config, NULL, 0) : NULL;
    if (net == NULL && config != NULL) { /* a name or password that no access point can have */
        net = sim_network_create(NULL, NULL, 0);
    }
    cJSON_Delete(config);
    return net;
}
