/* ESP_SPIcontrol: what is around and what is set: scans, addresses, names, pings, time. */
#include "python/modules/esp32spi.h"

#include <string.h>

enum {
    SCAN_CAP = 33 * 64, /* 64 networks with the longest names; firmware 1.x tells of 10 */
    SCANS = 10,         /* until one finds something */
    HOST_MAX = 255,
};

/* ---- scanning ---- */

typedef struct {
    uint8_t *names;
    size_t cap;
} scan_t;

static adder_err_t begin_scan(adder_airlift_t *a, const void *args)
{
    const scan_t *c = args;
    return adder_airlift_begin_scan(a, c->names, c->cap);
}

void esp32spi_wire_order(esp32spi_obj_t *o, const uint8_t mac[6], uint8_t out[6])
{
    py_pump_lock();
    bool natural = adder_airlift_net_chip(&o->stack)->firmware.major >= 3;
    py_pump_unlock();
    for (size_t i = 0; i < 6; i++)
        out[i] = mac[natural ? i : 5 - i];
}

/* Adafruit's Network keeps what came over the wires; so does ours, whose constructor is public. */
static py_t network(esp32spi_obj_t *o, uint8_t index, const uint8_t *name, size_t len)
{
    esp32spi_result_t r;
    uint8_t bssid[6], rssi[4], channel, authmode;
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(scanned_bssid, index), &r, NULL))
        return PY_NULL;
    esp32spi_wire_order(o, r.r.mac, bssid);
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(scanned_rssi, index), &r, NULL))
        return PY_NULL;
    for (size_t i = 0; i < 4; i++)
        rssi[i] = (uint8_t)((uint32_t)r.r.number >> 8 * i);
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(scanned_channel, index), &r, NULL))
        return PY_NULL;
    channel = (uint8_t)r.r.number;
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(scanned_encryption, index), &r, NULL))
        return PY_NULL;
    authmode = (uint8_t)r.r.number;
    return py_call(py_class_of(&esp32spi_network_class),
                   (const py_t[]){py_none(), py_bytes(name, len), py_bytes(bssid, 6), py_bytes(rssi, 4),
                                  py_bytes(&channel, 1), py_none(), py_bytes(&authmode, 1)},
                   7);
}

static py_t scan(esp32spi_obj_t *o)
{
    uint8_t names[SCAN_CAP];
    esp32spi_result_t r;
    if (!esp32spi_do(o, ESP32SPI_GENERAL(begin_scan, &((const scan_t){names, sizeof names})), &r,
                     "Failed to scan"))
        return PY_NULL;
    py_t list = py_list(NULL, 0);
    uint8_t index = 0;
    for (size_t at = 0; at < r.r.len; at += 1u + names[at]) {
        py_scope_t scope = py_scope_open();
        py_t item = network(o, index++, names + at + 1, names[at]);
        bool ok = !py_null(item) && py_list_append(list, item);
        py_scope_close(scope);
        if (!ok)
            return PY_NULL;
    }
    return list;
}

/* The scan itself is the other half's: the firmware's own command for this does nothing. */
py_t esp32spi_start_scan_networks(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_say(s, "Start scan");
    return esp32spi_alive(s) ? py_none() : PY_NULL;
}

py_t esp32spi_get_scan_networks(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return scan(s);
}

py_t esp32spi_scan_networks(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    for (int i = 0; i < SCANS; i++) {
        size_t n;
        py_t list = scan(s);
        if (py_null(list) || !py_len(list, &n))
            return PY_NULL;
        if (n > 0)
            return list;
    }
    return py_none();
}

/* ---- set-up ---- */

typedef struct {
    uint8_t ip[3][4];
} addresses_t;

static adder_err_t begin_set_ip(adder_airlift_t *a, const void *args)
{
    const addresses_t *c = args;
    return adder_airlift_begin_set_ip(a, c->ip[0], c->ip[1], c->ip[2]);
}

static adder_err_t begin_set_dns(adder_airlift_t *a, const void *args)
{
    const addresses_t *c = args;
    return adder_airlift_begin_set_dns(a, c->ip[0], c->ip[1]);
}

const py_arg_t esp32spi_set_ip_config_args[] = {PY_REQ_OBJ("ip_address"), PY_REQ_OBJ("gateway"),
                                                PY_OPT_STR("mask", "255.255.255.0"), PY_END};

/* At once where there is a network, and again whenever it is joined. */
py_t esp32spi_set_ip_config(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    addresses_t c;
    py_t mask = a[2].given ? a[2].obj : py_str(a[2].str);
    if (!esp32spi_ip4(a[0].obj, "ip_address", c.ip[0]) || !esp32spi_ip4(a[1].obj, "gateway", c.ip[1]) ||
        !esp32spi_ip4(mask, "mask", c.ip[2]) ||
        !esp32spi_do(o, ESP32SPI_GENERAL(begin_set_ip, &c), NULL, NULL))
        return PY_NULL;
    py_pump_lock();
    adder_airlift_net_set_ip(&o->stack, c.ip[0], c.ip[1], c.ip[2]);
    py_pump_unlock();
    o->own_ip = true;
    py_t result = py_bytearray("", 1); /* the firmware never says that it did */
    return py_list(&result, 1);
}

const py_arg_t esp32spi_set_dns_config_args[] = {PY_REQ_OBJ("dns1"), PY_REQ_OBJ("dns2"), PY_END};

py_t esp32spi_set_dns_config(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    addresses_t c;
    if (!esp32spi_ip4(a[0].obj, "dns1", c.ip[0]) || !esp32spi_ip4(a[1].obj, "dns2", c.ip[1]) ||
        !esp32spi_do(o, ESP32SPI_GENERAL(begin_set_dns, &c), NULL, "Failed to set dns with esp32"))
        return PY_NULL;
    py_pump_lock();
    adder_airlift_net_set_dns(&o->stack, c.ip[0], c.ip[1]);
    py_pump_unlock();
    return py_none();
}

static adder_err_t begin_set_hostname(adder_airlift_t *a, const void *args)
{
    return adder_airlift_begin_set_hostname(a, args);
}

const py_arg_t esp32spi_set_hostname_args[] = {PY_REQ_OBJ("hostname"), PY_END};

py_t esp32spi_set_hostname(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    char name[64];
    if (!esp32spi_text(a[0].obj, "hostname", 63, name) ||
        !esp32spi_do(o, ESP32SPI_GENERAL(begin_set_hostname, name), NULL,
                     "Failed to set hostname with esp32"))
        return PY_NULL;
    py_pump_lock();
    adder_err_t err = adder_airlift_net_set_hostname(&o->stack, name[0] != '\0' ? name : NULL);
    py_pump_unlock();
    return err == ADDER_OK ? py_none() : esp32spi_raise(err);
}

/* ---- names ---- */

const py_arg_t esp32spi_pretty_ip_args[] = {PY_REQ_OBJ("ip"), PY_END};

py_t esp32spi_pretty_ip(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    uint8_t ip[4];
    return esp32spi_ip4(a[0].obj, "ip", ip) ? esp32spi_ip_text(ip) : PY_NULL;
}

const py_arg_t esp32spi_unpretty_ip_args[] = {PY_REQ_OBJ("ip"), PY_END};

py_t esp32spi_unpretty_ip(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    uint8_t ip[4];
    return esp32spi_ip4(a[0].obj, "ip", ip) ? py_bytes(ip, 4) : PY_NULL;
}

const py_arg_t esp32spi_get_host_by_name_args[] = {PY_REQ_OBJ("hostname"), PY_END};

py_t esp32spi_get_host_by_name(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    char name[HOST_MAX + 1];
    uint8_t ip[4];
    esp32spi_say(s, "*** Get host by name");
    if (!esp32spi_text(a[0].obj, "hostname", HOST_MAX, name) || !esp32spi_lookup(s, name, ip))
        return PY_NULL;
    return py_bytearray(ip, 4);
}

typedef struct {
    uint8_t ip[4], ttl;
} ping_t;

static adder_err_t begin_ping(adder_airlift_t *a, const void *args)
{
    const ping_t *c = args;
    return adder_airlift_begin_ping(a, c->ip, c->ttl);
}

const py_arg_t esp32spi_ping_args[] = {PY_REQ_OBJ("dest"), PY_OPT_INT("ttl", 250, PY_INT_MIN, PY_INT_MAX),
                                       PY_END};

/* Milliseconds, -1 = no answer. */
py_t esp32spi_ping(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    char name[HOST_MAX + 1];
    esp32spi_result_t r;
    ping_t c = {.ttl = a[1].i < 0 ? 0 : a[1].i > 255 ? 255 : (uint8_t)a[1].i};
    if (py_is_str(a[0].obj)) {
        if (!esp32spi_text(a[0].obj, "dest", HOST_MAX, name) || !esp32spi_lookup(s, name, c.ip))
            return PY_NULL;
    } else if (!esp32spi_ip4(a[0].obj, "dest", c.ip)) {
        return PY_NULL;
    }
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_ping, &c), &r, NULL) ? py_int(r.r.number) : PY_NULL;
}

/* ---- time ---- */

py_t esp32spi_get_time(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_obj_t *o = s;
    esp32spi_result_t r;
    uint8_t status;
    if (!esp32spi_alive(o))
        return PY_NULL;
    if (!esp32spi_is_joined(o)) {
        if (!esp32spi_status(o, &status))
            return PY_NULL;
        return status == ADDER_AIRLIFT_AP_LISTENING || status == ADDER_AIRLIFT_AP_CONNECTED
                   ? py_raise(PY_OSError, "Cannot obtain NTP while in AP mode, must be connected to internet")
                   : py_raise(PY_OSError, "Must be connected to WiFi before obtaining NTP.");
    }
    if (!esp32spi_do(o, ESP32SPI_PLAIN(time), &r, NULL))
        return PY_NULL;
    if (r.r.number == 0)
        return py_raise(PY_OSError, "_GET_TIME returned 0");
    py_t seconds = py_int(r.r.number);
    return py_tuple(&seconds, 1);
}
