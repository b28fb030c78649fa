/* Network: an access point that a scan found, or the one in use, which is asked for when looked at. */
#include "python/modules/esp32spi.h"

typedef struct {
    py_field_t esp, ssid, bssid, rssi, channel, country, authmode; /* as they came over the wires */
} network_t;

enum { ESP, SSID, BSSID, RSSI, CHANNEL, COUNTRY, AUTHMODE };
static const py_arg_t init_args[] = {
    [ESP] = PY_OPT_OBJ("esp_spi_control"),   [SSID] = PY_OPT_OBJ("raw_ssid"),
    [BSSID] = PY_OPT_OBJ("raw_bssid"),       [RSSI] = PY_OPT_OBJ("raw_rssi"),
    [CHANNEL] = PY_OPT_OBJ("raw_channel"),   [COUNTRY] = PY_OPT_OBJ("raw_country"),
    [AUTHMODE] = PY_OPT_OBJ("raw_authmode"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    network_t *n = s;
    py_field_t *const fields[] = {&n->esp,     &n->ssid,    &n->bssid,   &n->rssi,
                                  &n->channel, &n->country, &n->authmode};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        py_field_set(self, fields[i], a[i].given ? a[i].obj : PY_NULL);
    return true;
}

/* The bytes that were given for it; *there false: ask the chip. */
static bool given(const py_field_t *field, py_buf_t *out, bool *there)
{
    py_t v = py_field_get(field);
    *there = !py_null(v);
    return !*there || py_buffer_read(v, out);
}

static bool ask(network_t *n, const esp32spi_command_t *c, esp32spi_result_t *out)
{
    py_t esp = py_field_get(&n->esp);
    if (py_null(esp))
        return py_fail(py_raise(PY_AttributeError, "not known of this network"));
    esp32spi_obj_t *o = py_struct_arg(esp, &esp32spi_control_class, "esp_spi_control");
    return o != NULL && esp32spi_do(o, c, out, NULL);
}

static py_t get_ssid(py_t self, void *s)
{
    (void)self;
    network_t *n = s;
    py_buf_t raw;
    bool there;
    esp32spi_result_t r;
    if (!given(&n->ssid, &raw, &there))
        return PY_NULL;
    if (there)
        return py_str_n((const char *)raw.ptr, raw.len);
    return ask(n, ESP32SPI_PLAIN(ssid), &r) ? py_str(r.text) : PY_NULL;
}

static py_t get_bssid(py_t self, void *s)
{
    (void)self;
    network_t *n = s;
    py_buf_t raw;
    bool there;
    esp32spi_result_t r;
    if (!given(&n->bssid, &raw, &there))
        return PY_NULL;
    if (there)
        return py_bytes(raw.ptr, raw.len);
    if (!ask(n, ESP32SPI_PLAIN(bssid), &r))
        return PY_NULL;
    esp32spi_obj_t *o = py_struct(py_field_get(&n->esp), &esp32spi_control_class);
    uint8_t mac[6];
    esp32spi_wire_order(o, r.r.mac, mac);
    return py_bytes(mac, 6);
}

static py_t get_rssi(py_t self, void *s)
{
    (void)self;
    network_t *n = s;
    py_buf_t raw;
    bool there;
    esp32spi_result_t r;
    if (!given(&n->rssi, &raw, &there))
        return PY_NULL;
    if (!there)
        return ask(n, ESP32SPI_PLAIN(rssi), &r) ? py_int(r.r.number) : PY_NULL;
    if (raw.len != 4)
        return py_raise(PY_ValueError, "raw_rssi must be 4 bytes");
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++)
        v |= (uint32_t)raw.ptr[i] << 8 * i;
    return py_int((int32_t)v);
}

static py_t get_channel(py_t self, void *s)
{
    (void)self;
    py_buf_t raw;
    bool there;
    if (!given(&((network_t *)s)->channel, &raw, &there))
        return PY_NULL;
    return there && raw.len > 0 ? py_int(raw.ptr[0]) : py_none();
}

static py_t get_country(py_t self, void *s)
{
    (void)self;
    py_t v = py_field_get(&((network_t *)s)->country);
    return py_null(v) ? py_none() : v;
}

static py_t get_authmode(py_t self, void *s)
{
    (void)self;
    network_t *n = s;
    py_buf_t raw;
    bool there;
    esp32spi_result_t r;
    int64_t mode;
    if (!given(&n->authmode, &raw, &there))
        return PY_NULL;
    if (!there && !ask(n, ESP32SPI_PLAIN(encryption), &r))
        return PY_NULL;
    mode = there ? (raw.len > 0 ? raw.ptr[0] : ADDER_AIRLIFT_OTHER) : r.r.number;
    switch (mode) {
    case ADDER_AIRLIFT_OPEN:
        return py_str("OPEN");
    case ADDER_AIRLIFT_WEP:
        return py_str("WEP");
    case ADDER_AIRLIFT_WPA:
        return py_str("PSK");
    case ADDER_AIRLIFT_WPA2:
        return py_str("WPA2");
    default:
        return py_str("UNKNOWN");
    }
}

static const py_prop_t props[] = {{"ssid", get_ssid, NULL, 0, NULL},
                                  {"bssid", get_bssid, NULL, 0, NULL},
                                  {"rssi", get_rssi, NULL, 0, NULL},
                                  {"channel", get_channel, NULL, 0, NULL},
                                  {"country", get_country, NULL, 0, NULL},
                                  {"authmode", get_authmode, NULL, 0, NULL},
                                  PY_END};
static const uint16_t fields[] = {offsetof(network_t, esp),      offsetof(network_t, ssid),
                                  offsetof(network_t, bssid),    offsetof(network_t, rssi),
                                  offsetof(network_t, channel),  offsetof(network_t, country),
                                  offsetof(network_t, authmode), PY_FIELDS_END};

const py_class_t esp32spi_network_class = {
    .module = "adafruit_esp32spi.adafruit_esp32spi",
    .name = "Network",
    .doc = "A Wi-Fi network: of a scan, or (ap_info) the one that is joined.",
    .size = sizeof(network_t),
    .fields = fields,
    .init_args = init_args,
    .init = init,
    .props = props};
