/* ESP_SPIcontrol: the network. What the stack knows is answered without asking the chip. */
#include "python/modules/esp32spi.h"

#include <string.h>

enum { DEFAULT_JOIN_S = 10, LEAVE_US = 2000000, LEAVE_LOOK_US = 10000 };

/* ---- state ---- */

typedef struct {
    adder_airlift_link_t link;
    adder_net_status_t net;
} state_t;

static void look(esp32spi_obj_t *o, state_t *out)
{
    py_pump_lock();
    adder_airlift_net_link(&o->stack, &out->link);
    o->sockets.net.ops->status(o->sockets.net.ctx, &out->net);
    py_pump_unlock();
}

static bool is_joined(const state_t *s)
{
    return s->net.link == ADDER_NET_LINK_UP && !s->link.access_point;
}

/* Fresh: while the link is up the stack looks every second; else the chip is asked. */
bool esp32spi_status(esp32spi_obj_t *o, uint8_t *out)
{
    state_t s;
    esp32spi_result_t r;
    look(o, &s);
    if (s.net.link == ADDER_NET_LINK_UP) {
        *out = s.link.access_point ? s.link.status : ADDER_AIRLIFT_CONNECTED;
        return true;
    }
    if (!esp32spi_do(o, ESP32SPI_PLAIN(status), &r, NULL))
        return false;
    *out = (uint8_t)r.r.number;
    /* Of the network before, or of one whose address the stack has not read yet. */
    look(o, &s);
    if (*out == ADDER_AIRLIFT_CONNECTED && !is_joined(&s))
        *out = ADDER_AIRLIFT_IDLE;
    return true;
}

static py_t get_status(py_t self, void *s)
{
    (void)self;
    uint8_t status;
    if (!esp32spi_alive(s) || !esp32spi_status(s, &status))
        return PY_NULL;
    esp32spi_say(s, "Connection status: %u", status);
    return py_int(status);
}

bool esp32spi_is_joined(esp32spi_obj_t *o)
{
    state_t state;
    look(o, &state);
    return is_joined(&state);
}

static py_t get_connected(py_t self, void *s)
{
    (void)self;
    return esp32spi_alive(s) ? py_bool(esp32spi_is_joined(s)) : PY_NULL;
}

static py_t get_ap_listening(py_t self, void *s)
{
    (void)self;
    state_t state;
    if (!esp32spi_alive(s))
        return PY_NULL;
    look(s, &state);
    return py_bool(state.link.access_point && state.net.link == ADDER_NET_LINK_UP);
}

static py_t get_firmware_version(py_t self, void *s)
{
    (void)self;
    esp32spi_obj_t *o = s;
    esp32spi_result_t r;
    esp32spi_say(o, "Firmware version");
    return esp32spi_do(o, ESP32SPI_PLAIN(version), &r, NULL) ? py_str(r.text) : PY_NULL;
}

static bool mac_of(esp32spi_obj_t *o, uint8_t out[6])
{
    esp32spi_result_t r;
    esp32spi_say(o, "MAC address");
    if (!esp32spi_do(o, ESP32SPI_PLAIN(mac), &r, NULL))
        return false;
    memcpy(out, r.r.mac, 6);
    return true;
}

/* Last octet first, as firmware before 3.0 sends it. */
static py_t get_MAC_address(py_t self, void *s)
{
    (void)self;
    uint8_t mac[6], reversed[6];
    if (!mac_of(s, mac))
        return PY_NULL;
    for (size_t i = 0; i < 6; i++)
        reversed[i] = mac[5 - i];
    return py_bytearray(reversed, 6);
}

static py_t get_MAC_address_actual(py_t self, void *s)
{
    (void)self;
    uint8_t mac[6];
    return mac_of(s, mac) ? py_bytearray(mac, 6) : PY_NULL;
}

static py_t get_mac_address(py_t self, void *s)
{
    (void)self;
    uint8_t mac[6];
    return mac_of(s, mac) ? py_bytes(mac, 6) : PY_NULL;
}

static py_t get_network_data(py_t self, void *s)
{
    (void)self;
    esp32spi_result_t r;
    if (!esp32spi_do(s, ESP32SPI_PLAIN(ip), &r, NULL))
        return PY_NULL;
    static const char *const names[3] = {"ip_addr", "netmask", "gateway"};
    py_t dict = py_dict();
    for (size_t i = 0; i < 3; i++) {
        if (py_null(dict) || !py_dict_set(dict, names[i], py_bytearray(r.r.ip4[i], 4)))
            return PY_NULL;
    }
    return dict;
}

static bool address_of(esp32spi_obj_t *o, uint8_t out[4])
{
    state_t state;
    esp32spi_result_t r;
    if (!esp32spi_alive(o))
        return false;
    look(o, &state);
    if (is_joined(&state) && !o->own_ip && state.net.n_ips > 0) {
        memcpy(out, state.net.ips[0].bytes, 4);
        return true;
    }
    if (!esp32spi_do(o, ESP32SPI_PLAIN(ip), &r, NULL))
        return false;
    memcpy(out, r.r.ip4[0], 4);
    return true;
}

static py_t get_ip_address(py_t self, void *s)
{
    (void)self;
    uint8_t ip[4];
    return address_of(s, ip) ? py_bytearray(ip, 4) : PY_NULL;
}

static py_t get_ipv4_address(py_t self, void *s)
{
    (void)self;
    uint8_t ip[4];
    return address_of(s, ip) ? esp32spi_ip_text(ip) : PY_NULL;
}

static py_t get_ap_info(py_t self, void *s)
{
    if (!esp32spi_alive(s))
        return PY_NULL;
    return esp32spi_is_joined(s) ? py_call(py_class_of(&esp32spi_network_class), &self, 1) : py_none();
}

/* ---- joining ---- */

static bool settled(void *ctx)
{
    esp32spi_obj_t *o = ctx;
    adder_net_status_t status;
    o->sockets.net.ops->status(o->sockets.net.ctx, &status);
    return status.link == ADDER_NET_LINK_UP || status.link == ADDER_NET_LINK_FAILED;
}

static bool seconds(const py_val_t *a, double fallback, uint64_t *us_out)
{
    double s = fallback;
    if (a->given && !py_is_none(a->obj) && !py_to_float(a->obj, &s))
        return false;
    *us_out = s <= 0 ? 0 : s >= 1e9 ? UINT64_MAX : (uint64_t)(s * 1e6);
    return true;
}

static bool begin_join(esp32spi_obj_t *o, const adder_airlift_wifi_t *wifi)
{
    py_pump_lock();
    adder_err_t err = adder_airlift_net_join(&o->stack, wifi);
    py_pump_unlock();
    py_pump_poke();
    o->own_ip = false;
    return err == ADDER_OK || py_fail(esp32spi_raise(err));
}

/* After a join that did not come about: the same words as Adafruit's, by what the chip says. */
static py_t join_failed(esp32spi_obj_t *o, const char *ssid)
{
    state_t state;
    look(o, &state);
    uint8_t status = state.link.status;
    py_t name = py_bytes(ssid, strlen(ssid));
    if (!state.link.started)
        return esp32spi_raise(ADDER_ERR_TIMEOUT);
    if (state.net.link == ADDER_NET_LINK_FAILED) {
        if (state.net.cause == ADDER_ERR_NOT_FOUND)
            return esp32spi_raise_pair(PY_ConnectionError, "No such ssid", name);
        if (state.net.cause == ADDER_ERR_REFUSED || state.net.cause == ADDER_ERR_TIMEOUT)
            return esp32spi_raise_pair(PY_ConnectionError, "Failed to connect to ssid", name);
        return esp32spi_raise(state.net.cause);
    }
    if (status == ADDER_AIRLIFT_NO_SSID)
        return esp32spi_raise_pair(PY_ConnectionError, "No such ssid", name);
    if (status == ADDER_AIRLIFT_CONNECT_FAILED || status == ADDER_AIRLIFT_CONNECTION_LOST ||
        status == ADDER_AIRLIFT_DISCONNECTED || state.link.attempts > 1)
        return esp32spi_raise_pair(PY_ConnectionError, "Failed to connect to ssid", name);
    return py_raise(PY_OSError, "Unknown error 0x%02X", status);
}

static py_t join(esp32spi_obj_t *o, py_t ssid, py_t password, uint64_t limit_us)
{
    char name[33], secret[65];
    bool timed_out;
    if (!esp32spi_alive(o) || !esp32spi_text(ssid, "ssid", 32, name))
        return PY_NULL;
    secret[0] = '\0';
    if (!py_null(password) && !py_is_none(password) && !esp32spi_text(password, "password", 64, secret))
        return PY_NULL;
    if (o->show_secrets)
        esp32spi_say(o, "Connect to AP: ssid='%s', password='%s'", name, secret);
    else
        esp32spi_say(o, "Connect to AP: ssid='%s', password=%s", name, secret[0] != '\0' ? "***" : "None");
    adder_airlift_wifi_t wifi = {.ssid = name, .password = secret[0] != '\0' ? secret : NULL};
    bool ok = begin_join(o, &wifi);
    memset(secret, 0, sizeof secret);
    if (!ok || !py_pump_wait(settled, o, limit_us, &timed_out))
        return PY_NULL;
    return esp32spi_is_joined(o) ? py_int(ADDER_AIRLIFT_CONNECTED) : join_failed(o, name);
}

const py_arg_t esp32spi_connect_AP_args[] = {PY_REQ_OBJ("ssid"),
                                             {.name = "password", .kind = PY_ARG_OBJ, .flags = PY_A_REQUIRED},
                                             PY_OPT_OBJ("timeout_s"),
                                             PY_END};

py_t esp32spi_connect_AP(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uint64_t limit_us;
    return seconds(&a[2], DEFAULT_JOIN_S, &limit_us) ? join(s, a[0].obj, a[1].obj, limit_us) : PY_NULL;
}

const py_arg_t esp32spi_connect_args[] = {PY_REQ_OBJ("ssid"), PY_OPT_OBJ("password"), PY_OPT_OBJ("timeout"),
                                          PY_END};

py_t esp32spi_connect(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    py_t ssid = a[0].obj, password = a[1].given ? a[1].obj : py_none();
    uint64_t limit_us;
    if (!seconds(&a[2], DEFAULT_JOIN_S, &limit_us))
        return PY_NULL;
    if (py_is_dict(ssid)) {
        static const char text[] = "Warning: The passing in of `secrets`, is deprecated. Use connect() with "
                                   "`ssid` and `password` instead "
                                   "and fetch values from settings.toml with `os.getenv()`.\n";
        py_console_write(text, sizeof text - 1);
        password = py_dict_get(a[0].obj, "password");
        ssid = py_item(a[0].obj, py_str("ssid"));
        if (py_null(ssid))
            return PY_NULL;
    }
    return py_null(join(s, ssid, password, limit_us)) ? PY_NULL : py_none();
}

py_t esp32spi_disconnect(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_obj_t *o = s;
    if (!esp32spi_alive(o))
        return PY_NULL;
    py_pump_lock();
    adder_airlift_net_disconnect(&o->stack);
    py_pump_unlock();
    py_pump_poke();
    /* The stack leaves with its next command; when it has, the chip says so. */
    const adder_mcu_t *mcu = py_mcu();
    for (uint64_t start = mcu->sys->now_us(mcu->ctx);;) {
        esp32spi_result_t r;
        if (!esp32spi_do(o, ESP32SPI_PLAIN(status), &r, NULL))
            return PY_NULL;
        if (r.r.number != ADDER_AIRLIFT_CONNECTED)
            return py_none();
        if (mcu->sys->now_us(mcu->ctx) - start >= LEAVE_US)
            return py_raise(PY_OSError, "Failed to disconnect");
        if (!py_wait_us(LEAVE_LOOK_US))
            return PY_NULL;
    }
}

const py_arg_t esp32spi_create_AP_args[] = {PY_REQ_OBJ("ssid"),
                                            {.name = "password", .kind = PY_ARG_OBJ, .flags = PY_A_REQUIRED},
                                            PY_OPT_INT("channel", 1, PY_INT_MIN, PY_INT_MAX),
                                            PY_OPT_OBJ("timeout"),
                                            PY_END};

py_t esp32spi_create_AP(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    char name[33], secret[65];
    uint64_t limit_us;
    bool timed_out;
    if (!esp32spi_alive(o) || !seconds(&a[3], DEFAULT_JOIN_S, &limit_us) ||
        !esp32spi_text(a[0].obj, "ssid", 32, name))
        return PY_NULL;
    secret[0] = '\0';
    if (!py_is_none(a[1].obj) && !esp32spi_text(a[1].obj, "password", 64, secret))
        return PY_NULL;
    size_t len = strlen(secret);
    if (len > 0 && (len < 8 || len > 63))
        return py_raise(PY_ValueError, "password must be 8 - 63 characters");
    if (a[2].i < 1 || a[2].i > 14)
        return py_raise(PY_ValueError, "channel must be between 1 and 14");
    py_pump_lock();
    adder_err_t err =
        adder_airlift_net_access_point(&o->stack, name, len > 0 ? secret : NULL, (uint8_t)a[2].i);
    py_pump_unlock();
    py_pump_poke();
    memset(secret, 0, sizeof secret);
    o->own_ip = false;
    if (err != ADDER_OK)
        return esp32spi_raise(err);
    if (!py_pump_wait(settled, o, limit_us, &timed_out))
        return PY_NULL;
    state_t state;
    look(o, &state);
    if (state.net.link == ADDER_NET_LINK_UP)
        return py_int(ADDER_AIRLIFT_AP_LISTENING);
    if (state.net.link == ADDER_NET_LINK_FAILED)
        return esp32spi_raise_pair(PY_ConnectionError, "Failed to create AP", py_bytes(name, strlen(name)));
    return py_raise(PY_OSError, "Unknown error 0x%02x", state.link.status);
}

/* ---- joining by single steps ---- */

static bool join_by_steps(esp32spi_obj_t *o, const char *password)
{
    adder_airlift_wifi_t wifi = {.ssid = o->ssid,
                                 .password = password,
                                 .security = password != NULL ? ADDER_AIRLIFT_SECURITY_WPA
                                                              : ADDER_AIRLIFT_SECURITY_OPEN};
    if (o->enterprise) {
        wifi.security = ADDER_AIRLIFT_SECURITY_ENTERPRISE;
        wifi.identity = o->ent_identity;
        wifi.user = o->ent_user;
        wifi.password = o->ent_password;
    }
    return begin_join(o, &wifi);
}

const py_arg_t esp32spi_wifi_set_network_args[] = {PY_REQ_OBJ("ssid"), PY_END};

py_t esp32spi_wifi_set_network(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    return esp32spi_alive(o) && esp32spi_text(a[0].obj, "ssid", 32, o->ssid) && join_by_steps(o, NULL)
               ? py_none()
               : PY_NULL;
}

const py_arg_t esp32spi_wifi_set_passphrase_args[] = {PY_REQ_OBJ("ssid"), PY_REQ_OBJ("passphrase"), PY_END};

py_t esp32spi_wifi_set_passphrase(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    char secret[65];
    o->enterprise = false;
    bool ok = esp32spi_alive(o) && esp32spi_text(a[0].obj, "ssid", 32, o->ssid) &&
              esp32spi_text(a[1].obj, "passphrase", 64, secret) && join_by_steps(o, secret);
    memset(secret, 0, sizeof secret);
    return ok ? py_none() : PY_NULL;
}

#define ENTERPRISE_TEXT(method, argument, member)                                                            \
    const py_arg_t esp32spi_##method##_args[] = {PY_REQ_OBJ(argument), PY_END};                              \
    py_t esp32spi_##method(py_t self, void *s, const py_val_t *a)                                            \
    {                                                                                                        \
        (void)self;                                                                                          \
        esp32spi_obj_t *o = s;                                                                               \
        return esp32spi_alive(o) && esp32spi_text(a[0].obj, argument, 32, o->member) ? py_none() : PY_NULL;  \
    }
ENTERPRISE_TEXT(wifi_set_entidentity, "ident", ent_identity)
ENTERPRISE_TEXT(wifi_set_entusername, "username", ent_user)
ENTERPRISE_TEXT(wifi_set_entpassword, "password", ent_password)

/* In Adafruit's order the name comes first and this last; the other way round wifi_set_network() joins. */
py_t esp32spi_wifi_set_entenable(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_obj_t *o = s;
    if (!esp32spi_alive(o))
        return PY_NULL;
    o->enterprise = true;
    return o->ssid[0] == '\0' || join_by_steps(o, NULL) ? py_none() : PY_NULL;
}

const py_prop_t esp32spi_props[] = {{"status", get_status, NULL, 0, NULL},
                                    {"firmware_version", get_firmware_version, NULL, 0, NULL},
                                    {"MAC_address", get_MAC_address, NULL, 0, NULL},
                                    {"MAC_address_actual", get_MAC_address_actual, NULL, 0, NULL},
                                    {"mac_address", get_mac_address, NULL, 0, NULL},
                                    {"connected", get_connected, NULL, 0, NULL},
                                    {"is_connected", get_connected, NULL, 0, NULL},
                                    {"ap_listening", get_ap_listening, NULL, 0, NULL},
                                    {"ap_info", get_ap_info, NULL, 0, NULL},
                                    {"network_data", get_network_data, NULL, 0, NULL},
                                    {"ip_address", get_ip_address, NULL, 0, NULL},
                                    {"ipv4_address", get_ipv4_address, NULL, 0, NULL},
                                    {"_debug", esp32spi_get_debug, esp32spi_set_debug, 0, NULL},
                                    {"set_psk", esp32spi_get_set_psk, NULL, 0, NULL},
                                    {"set_crt", esp32spi_get_set_crt, NULL, 0, NULL},
                                    PY_END};
