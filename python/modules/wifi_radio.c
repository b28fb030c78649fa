/* wifi.Radio: settings and addresses. */
#include "python/modules/wifi.h"

#include <ctype.h>
#include <string.h>

/* ---- settings ---- */

static py_t get_enabled(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_bool(c.enabled);
}

static bool set_enabled(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    if (!py_to_bool(value, &c.enabled))
        return false;
    if (c.enabled) {
        c.station = true;
    } else {
        wifi_state.scanning = false;
        mdns_stop();
    }
    return wifi_configure(&c);
}

/* Labels of letters, digits and dashes, 1 to 63 long, none beginning with a dash. */
static bool hostname_sound(const char *name, size_t len)
{
    size_t part = 0;
    for (size_t i = 0; i < len; i++) {
        const char c = name[i];
        if (c == '.') {
            if (part == 0 || part > 63)
                return false;
            part = 0;
            continue;
        }
        if (!isalnum((unsigned char)c) && !(c == '-' && part > 0))
            return false;
        part++;
    }
    return part <= 63;
}

static py_t get_hostname(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_str(c.hostname);
}

static bool set_hostname(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    const char *name;
    size_t len;
    if (!wifi_bytes_arg(value, &name, &len) || !wifi_length_arg(len, 1, sizeof c.hostname - 1, "hostname"))
        return false;
    if (!hostname_sound(name, len))
        return py_fail(py_raise(PY_ValueError, "invalid hostname"));
    wifi_config(&c);
    memcpy(c.hostname, name, len);
    c.hostname[len] = '\0';
    return wifi_configure(&c);
}

static py_t get_mac(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_bytes(c.mac, ADDER_WIFI_MAC);
}

static py_t get_mac_ap(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_bytes(c.ap_mac, ADDER_WIFI_MAC);
}

static bool take_mac(py_t value, bool started, uint8_t out[ADDER_WIFI_MAC])
{
    const char *mac;
    size_t len;
    if (!wifi_bytes_arg(value, &mac, &len))
        return false;
    if (len != ADDER_WIFI_MAC)
        return py_fail(py_raise(PY_ValueError, "Invalid MAC address"));
    if (!started)
        return py_fail(py_raise(PY_RuntimeError, "Interface must be started"));
    if ((mac[0] & 1) != 0)
        return py_fail(py_raise(PY_RuntimeError, "Invalid multicast MAC address"));
    memcpy(out, mac, ADDER_WIFI_MAC);
    return true;
}

static bool set_mac(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return take_mac(value, c.station, c.mac) && wifi_configure(&c);
}

static bool set_mac_ap(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    adder_wifi_status_t now;
    wifi_config(&c);
    wifi_status(&now);
    return take_mac(value, now.ap_active, c.ap_mac) && wifi_configure(&c);
}

static py_t get_tx_power(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_float(c.tx_power_dbm);
}

static bool set_tx_power(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    double dbm;
    if (!py_to_float(value, &dbm))
        return false;
    wifi_config(&c);
    c.tx_power_dbm = (float)dbm;
    return wifi_configure(&c);
}

static py_t get_power(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return py_enum_value(&wifi_power_enum, (int)c.power);
}

static bool set_power(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    int power;
    if (!py_enum_arg(value, &wifi_power_enum, "power_management", &power))
        return false;
    if (power > (int)ADDER_WIFI_POWER_NONE)
        return py_fail(py_raise(PY_ValueError, "Invalid power_management"));
    wifi_config(&c);
    c.power = (adder_wifi_power_t)power;
    return wifi_configure(&c);
}

/* ---- station ---- */

static py_t station(bool on)
{
    adder_wifi_config_t c;
    wifi_config(&c);
    c.station = on;
    return wifi_configure(&c) ? py_none() : PY_NULL;
}

static py_t start_station(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return station(true);
}

static py_t stop_station(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return station(false);
}

static py_t get_connected(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return py_bool(now.station == ADDER_WIFI_JOINED);
}

static py_t get_ap_info(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return now.station == ADDER_WIFI_JOINED ? wifi_network(&now.network) : py_none();
}

/* ---- access point ---- */

static py_t get_ap_active(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return py_bool(now.ap_active);
}

static const char *const station_fields[] = {"mac_address", "rssi", "ipv4_address", NULL};
static const py_namedtuple_t station_tuple = {
    .module = "wifi", .name = "WifiRadioStation", .fields = station_fields};

static py_t get_stations_ap(py_t self, void *s)
{
    (void)self, (void)s;
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_peer_t peers[10];
    adder_wifi_status_t now;
    size_t n = 0;
    wifi_status(&now);
    if (!now.ap_active || w->ops->stations == NULL)
        return py_none();
    py_pump_lock();
    const adder_err_t err = w->ops->stations(w->ctx, peers, sizeof peers / sizeof peers[0], &n);
    py_pump_unlock();
    if (err != ADDER_OK)
        return py_none();
    py_t list = py_list(NULL, 0);
    for (size_t i = 0; i < n && i < sizeof peers / sizeof peers[0]; i++) {
        const py_t values[] = {py_bytes(peers[i].mac, ADDER_WIFI_MAC), py_int(peers[i].rssi_dbm),
                               ipaddress_v4(&peers[i].ip)};
        if (!py_list_append(list, py_namedtuple(&station_tuple, values)))
            return PY_NULL;
    }
    return list;
}

/* ---- addresses ---- */

#define ADDRESS(name, member)                                                                                \
    static py_t get_##name(py_t self, void *s)                                                               \
    {                                                                                                        \
        (void)self, (void)s;                                                                                 \
        adder_wifi_status_t now;                                                                             \
        wifi_status(&now);                                                                                   \
        return ipaddress_v4(&now.member);                                                                    \
    }
ADDRESS(ipv4_address, address)
ADDRESS(ipv4_subnet, mask)
ADDRESS(ipv4_gateway, gateway)
ADDRESS(ipv4_dns, dns)
ADDRESS(ipv4_address_ap, ap_address)
ADDRESS(ipv4_subnet_ap, ap_mask)
ADDRESS(ipv4_gateway_ap, ap_gateway)
#undef ADDRESS

/* () for none */
static py_t texts(const adder_ip_t *ips, size_t n)
{
    py_t items[ADDER_NET_ADDRESSES + 1];
    size_t used = 0;
    for (size_t i = 0; i < n && i < sizeof items / sizeof items[0]; i++) {
        char text[ADDER_IP_TEXT];
        if (ips[i].family != ADDER_IP_NONE && adder_ip_print(&ips[i], text, sizeof text) > 0)
            items[used++] = py_str(text);
    }
    return py_tuple(items, used);
}

static py_t get_addresses(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return texts(&now.address, 1);
}

static py_t get_addresses_ap(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return texts(&now.ap_address, 1);
}

static py_t get_dns(py_t self, void *s)
{
    (void)self, (void)s;
    adder_wifi_status_t now;
    wifi_status(&now);
    return texts(&now.dns, 1);
}

static bool ipv4_arg(py_t v, adder_ip_t *out)
{
    return ipaddress_of(v, out) || py_fail(py_raise(PY_ValueError, "Only IPv4 addresses supported"));
}

static bool set_ipv4_dns(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return ipv4_arg(value, &c.dns) && wifi_configure(&c);
}

static bool set_dns(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    size_t n;
    wifi_config(&c);
    c.dns = (adder_ip_t){0};
    if (!py_len(value, &n))
        return false;
    if (n > 1)
        return py_fail(py_raise(PY_ValueError, "dns length must be <= 1"));
    if (n == 1) {
        const char *text;
        size_t len;
        py_t item = py_item_at(value, 0);
        if (py_null(item) || !py_to_str(item, &text, &len))
            return false;
        if (adder_ip_parse(text, len, &c.dns) != ADDER_OK || c.dns.family != ADDER_IP_V4)
            return py_fail(py_raise_errno(-2, "Name or service not known"));
    }
    return wifi_configure(&c);
}

enum { IPV4, NETMASK, GATEWAY, DNS };
static const py_arg_t address_args[] = {[IPV4] = PY_KWREQ_OBJ("ipv4"),
                                        [NETMASK] = PY_KWREQ_OBJ("netmask"),
                                        [GATEWAY] = PY_KWREQ_OBJ("gateway"),
                                        [DNS] = PY_KW_OBJ("ipv4_dns"),
                                        PY_END};
static const py_arg_t address_ap_args[] = {PY_KWREQ_OBJ("ipv4"), PY_KWREQ_OBJ("netmask"),
                                           PY_KWREQ_OBJ("gateway"), PY_END};

static bool take_addresses(const py_val_t *a, adder_wifi_ipv4_t *out)
{
    return ipv4_arg(a[IPV4].obj, &out->address) && ipv4_arg(a[NETMASK].obj, &out->mask) &&
           ipv4_arg(a[GATEWAY].obj, &out->gateway);
}

static py_t set_ipv4_address(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    c.ipv4.dhcp = false;
    if (!take_addresses(a, &c.ipv4) || (a[DNS].given && !ipv4_arg(a[DNS].obj, &c.dns)))
        return PY_NULL;
    return wifi_configure(&c) ? py_none() : PY_NULL;
}

static py_t set_ipv4_address_ap(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    adder_wifi_config_t c;
    wifi_config(&c);
    return take_addresses(a, &c.ap_ipv4) && wifi_configure(&c) ? py_none() : PY_NULL;
}

static py_t dhcp(bool ap, bool on)
{
    adder_wifi_config_t c;
    wifi_config(&c);
    if (ap)
        c.ap_ipv4.dhcp = on;
    else
        c.ipv4.dhcp = on;
    return wifi_configure(&c) ? py_none() : PY_NULL;
}

static const py_arg_t dhcp_args[] = {PY_KW_BOOL("ipv4", true), PY_KW_BOOL("ipv6", false), PY_END};

static py_t start_dhcp(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    if (a[1].b)
        return py_raise(PY_NotImplementedError, "ipv6");
    return dhcp(false, a[0].b);
}

static py_t stop_dhcp(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return dhcp(false, false);
}

static py_t start_dhcp_ap(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return dhcp(true, true);
}

static py_t stop_dhcp_ap(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return dhcp(true, false);
}

/* ---- the class ---- */

static const py_method_t methods[] = {
    {"connect", wifi_m_connect, wifi_args_connect, 0, "Join a network and wait for an address."},
    {"start_scanning_networks", wifi_m_start_scanning, wifi_args_scan, 0, "Iterate over wifi.Network."},
    {"stop_scanning_networks", wifi_m_stop_scanning, NULL, 0, NULL},
    {"start_station", start_station, NULL, 0, NULL},
    {"stop_station", stop_station, NULL, 0, NULL},
    {"start_ap", wifi_m_start_ap, wifi_args_ap, 0, "Be an access point."},
    {"stop_ap", wifi_m_stop_ap, NULL, 0, NULL},
    {"set_ipv4_address", set_ipv4_address, address_args, 0, "A fixed address; stops DHCP."},
    {"set_ipv4_address_ap", set_ipv4_address_ap, address_ap_args, 0, NULL},
    {"start_dhcp", start_dhcp, dhcp_args, 0, NULL},
    {"stop_dhcp", stop_dhcp, NULL, 0, NULL},
    {"start_dhcp_ap", start_dhcp_ap, NULL, 0, NULL},
    {"stop_dhcp_ap", stop_dhcp_ap, NULL, 0, NULL},
    {"ping", wifi_m_ping, wifi_args_ping, 0, "Seconds until the echo, or None."},
    PY_END};

static const py_prop_t props[] = {{"enabled", get_enabled, set_enabled, 0, NULL},
                                  {"hostname", get_hostname, set_hostname, 0, NULL},
                                  {"mac_address", get_mac, set_mac, 0, NULL},
                                  {"mac_address_ap", get_mac_ap, set_mac_ap, 0, NULL},
                                  {"tx_power", get_tx_power, set_tx_power, 0, NULL},
                                  {"power_management", get_power, set_power, 0, NULL},
                                  {"connected", get_connected, NULL, 0, NULL},
                                  {"ap_active", get_ap_active, NULL, 0, NULL},
                                  {"ap_info", get_ap_info, NULL, 0, NULL},
                                  {"stations_ap", get_stations_ap, NULL, 0, NULL},
                                  {"addresses", get_addresses, NULL, 0, NULL},
                                  {"addresses_ap", get_addresses_ap, NULL, 0, NULL},
                                  {"ipv4_address", get_ipv4_address, NULL, 0, NULL},
                                  {"ipv4_address_ap", get_ipv4_address_ap, NULL, 0, NULL},
                                  {"ipv4_gateway", get_ipv4_gateway, NULL, 0, NULL},
                                  {"ipv4_gateway_ap", get_ipv4_gateway_ap, NULL, 0, NULL},
                                  {"ipv4_subnet", get_ipv4_subnet, NULL, 0, NULL},
                                  {"ipv4_subnet_ap", get_ipv4_subnet_ap, NULL, 0, NULL},
                                  {"ipv4_dns", get_ipv4_dns, set_ipv4_dns, 0, NULL},
                                  {"dns", get_dns, set_dns, 0, NULL},
                                  PY_END};

const py_class_t wifi_radio_class = {.module = "wifi",
                                     .name = "Radio",
                                     .size = 1,
                                     .no_new = true,
                                     .final = true,
                                     .methods = methods,
                                     .props = props};
