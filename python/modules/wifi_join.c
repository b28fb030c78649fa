/* wifi.Radio: what starts something and may wait for it. */
#include "python/modules/wifi.h"

#include <ctype.h>
#include <string.h>

static py_t not_enabled(adder_err_t err)
{
    return err == ADDER_ERR_STATE ? py_raise(PY_RuntimeError, "WiFi is not enabled")
                                  : py_raise_err(err, "wifi");
}

/* "" or None, 8 to 63 characters, or a key of 64 hexadecimal digits. */
static bool password_arg(py_t v, const char **out, size_t *len_out)
{
    *out = "";
    *len_out = 0;
    if (py_null(v) || py_is_none(v))
        return true;
    if (!wifi_bytes_arg(v, out, len_out))
        return false;
    if (*len_out == 0)
        return true;
    if (!wifi_length_arg(*len_out, 8, ADDER_WIFI_PASSWORD_MAX, "password"))
        return false;
    for (size_t i = 0; *len_out == ADDER_WIFI_PASSWORD_MAX && i < *len_out; i++)
        if (!isxdigit((unsigned char)(*out)[i]))
            return py_fail(py_raise(PY_ValueError, "Invalid hex password"));
    return true;
}

/* Seconds as milliseconds; anything below zero is zero. */
static bool seconds_arg(const py_val_t *a, double absent, uint32_t *ms_out)
{
    double seconds = absent;
    if (a->given && !py_to_float(a->obj, &seconds))
        return false;
    *ms_out = !(seconds > 0) ? 0 : seconds > 4e6 ? 4000000000u : (uint32_t)(seconds * 1000);
    return true;
}

/* ---- connect ---- */

static bool decided(void *ctx)
{
    (void)ctx;
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_status_t now;
    w->ops->status(w->ctx, &now);
    return now.station != ADDER_WIFI_JOINING;
}

bool wifi_wait_joined(uint64_t timeout_us)
{
    bool timed_out;
    return py_pump_wait(decided, NULL, timeout_us, &timed_out);
}

enum { SSID, PASSWORD, CHANNEL, BSSID, TIMEOUT };
const py_arg_t wifi_args_connect[] = {[SSID] = PY_REQ_OBJ("ssid"),
                                      [PASSWORD] = PY_OPT_OBJ("password"),
                                      [CHANNEL] = PY_KW_INT("channel", 0, 0, 255),
                                      [BSSID] = PY_KW_OBJ("bssid"),
                                      [TIMEOUT] = PY_KW_OBJ("timeout"),
                                      PY_END};

static py_t outcome(void)
{
    adder_wifi_status_t now;
    wifi_status(&now);
    if (now.station == ADDER_WIFI_JOINED)
        return py_none();
    switch (now.reason) {
    case ADDER_WIFI_REASON_AUTH:
    case ADDER_WIFI_REASON_HANDSHAKE_TIMEOUT:
    case ADDER_WIFI_REASON_SECURITY:
        return py_raise(PY_ConnectionError, "Authentication failure");
    case ADDER_WIFI_REASON_NO_NETWORK:
        return py_raise(PY_ConnectionError, "No network with that ssid");
    default:
        return py_raise(PY_ConnectionError, "Unknown failure %u", now.reason);
    }
}

py_t wifi_m_connect(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_join_t join = {.channel = (uint8_t)a[CHANNEL].i};
    const char *bssid = NULL;
    size_t bssid_len = 0;
    if (!seconds_arg(&a[TIMEOUT], 0, &join.retry_ms) ||
        !wifi_bytes_arg(a[SSID].obj, &join.ssid, &join.ssid_len) ||
        !wifi_length_arg(join.ssid_len, 1, ADDER_WIFI_SSID_MAX, "ssid") ||
        !password_arg(a[PASSWORD].obj, &join.password, &join.password_len))
        return PY_NULL;
    if (a[BSSID].given) {
        if (!wifi_bytes_arg(a[BSSID].obj, &bssid, &bssid_len))
            return PY_NULL;
        if (bssid_len != ADDER_WIFI_MAC)
            return py_raise(PY_ValueError, "Invalid BSSID");
        join.bssid = (const uint8_t *)bssid;
    }
    py_pump_lock();
    const adder_err_t err = w->ops->join(w->ctx, &join);
    py_pump_unlock();
    if (err != ADDER_OK)
        return not_enabled(err);
    py_pump_poke();
    if (!wifi_wait_joined(UINT64_MAX)) {
        py_pump_lock();
        ADDER_IGNORE(w->ops->join(w->ctx, NULL), "interrupted: the attempt ends");
        py_pump_unlock();
        return PY_NULL;
    }
    return outcome();
}

/* ---- scanning ---- */

const py_arg_t wifi_args_scan[] = {PY_KW_INT("start_channel", 1, 1, 165),
                                   PY_KW_INT("stop_channel", 11, 1, 165), PY_END};

py_t wifi_m_start_scanning(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    const adder_wifi_t *w = py_mcu()->wifi;
    const uint8_t from = (uint8_t)a[0].i, to = (uint8_t)a[1].i;
    if (wifi_state.scanning)
        return py_raise(PY_RuntimeError, "Already scanning for wifi networks");
    py_pump_lock();
    const adder_err_t err = w->ops->scan(w->ctx, from < to ? from : to, from < to ? to : from);
    py_pump_unlock();
    if (err != ADDER_OK)
        return not_enabled(err);
    wifi_state.scanning = true;
    return py_new(&wifi_scanned_class, NULL);
}

py_t wifi_m_stop_scanning(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    const adder_wifi_t *w = py_mcu()->wifi;
    if (wifi_state.scanning) {
        py_pump_lock();
        ADDER_IGNORE(w->ops->scan(w->ctx, 0, 0), "nothing is left to stop");
        py_pump_unlock();
    }
    wifi_state.scanning = false;
    return py_none();
}

typedef struct {
    adder_err_t err;
    adder_wifi_network_t network;
} heard_t;

static bool heard(void *ctx)
{
    heard_t *h = ctx;
    const adder_wifi_t *w = py_mcu()->wifi;
    h->err = w->ops->scan_next(w->ctx, &h->network);
    return h->err != ADDER_ERR_AGAIN;
}

static py_t scanned_iter(py_t self, void *s)
{
    (void)s;
    return self;
}

static py_t scanned_next(py_t self, void *s)
{
    (void)self, (void)s;
    heard_t h = {0};
    bool timed_out;
    if (!wifi_state.scanning || !py_pump_wait(heard, &h, UINT64_MAX, &timed_out))
        return PY_NULL;
    if (h.err == ADDER_OK)
        return wifi_network(&h.network);
    if (h.err != ADDER_ERR_END && h.err != ADDER_ERR_STATE) /* STATE: it has ended before */
        return py_raise_err(h.err, "wifi");
    return PY_NULL;
}

const py_class_t wifi_scanned_class = {.module = "wifi",
                                       .name = "ScannedNetworks",
                                       .size = 1,
                                       .no_new = true,
                                       .final = true,
                                       .iter = scanned_iter,
                                       .next = scanned_next};

/* ---- being an access point ---- */

enum { AP_SSID, AP_PASSWORD, AP_CHANNEL, AP_AUTHMODE, AP_MAX };
const py_arg_t wifi_args_ap[] = {[AP_SSID] = PY_REQ_OBJ("ssid"),
                                 [AP_PASSWORD] = PY_OPT_OBJ("password"),
                                 [AP_CHANNEL] = PY_KW_INT("channel", 1, 1, 13),
                                 [AP_AUTHMODE] = PY_KW_OBJ("authmode"),
                                 [AP_MAX] = PY_KW_INT("max_connections", 4, 0, 10),
                                 PY_END};

static bool authmode_arg(const py_val_t *a, uint8_t *out)
{
    *out = 0;
    if (!a->given)
        return true;
    py_t iter = py_iter(a->obj), item;
    bool done = false;
    if (py_null(iter))
        return false;
    while (py_next(iter, &item, &done)) {
        int bit;
        if (!py_enum_arg(item, &wifi_authmode_enum, "authmode", &bit))
            return false;
        *out = (uint8_t)(*out | 1u << bit);
    }
    return done;
}

py_t wifi_m_start_ap(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_ap_t ap = {.channel = (uint8_t)a[AP_CHANNEL].i, .max_stations = (uint8_t)a[AP_MAX].i};
    if (!authmode_arg(&a[AP_AUTHMODE], &ap.auth) || !wifi_bytes_arg(a[AP_SSID].obj, &ap.ssid, &ap.ssid_len) ||
        !wifi_length_arg(ap.ssid_len, 1, ADDER_WIFI_SSID_MAX, "ssid") ||
        !password_arg(a[AP_PASSWORD].obj, &ap.password, &ap.password_len))
        return PY_NULL;
    if (ap.auth == 0)
        ap.auth = ap.password_len == 0 ? ADDER_WIFI_OPEN : ADDER_WIFI_WPA | ADDER_WIFI_WPA2 | ADDER_WIFI_PSK;
    if (ap.auth == ADDER_WIFI_OPEN && ap.password_len > 0)
        return py_raise(PY_ValueError, "AuthMode.OPEN is not used with password");
    if (ap.auth != ADDER_WIFI_OPEN &&
        !wifi_length_arg(ap.password_len, 8, ADDER_WIFI_PASSWORD_MAX, "password"))
        return PY_NULL;
    py_pump_lock();
    const adder_err_t err = w->ops->access_point(w->ctx, &ap);
    py_pump_unlock();
    if (err == ADDER_ERR_UNSUPPORTED)
        return py_raise(PY_ValueError, "Invalid authmode");
    return err == ADDER_OK ? py_none() : not_enabled(err);
}

py_t wifi_m_stop_ap(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    const adder_wifi_t *w = py_mcu()->wifi;
    py_pump_lock();
    ADDER_IGNORE(w->ops->access_point(w->ctx, NULL), "it is off then");
    py_pump_unlock();
    return py_none();
}

/* ---- ping ---- */

const py_arg_t wifi_args_ping[] = {PY_REQ_OBJ("ip"), PY_KW_OBJ("timeout"), PY_END};

typedef struct {
    adder_ip_t to;
    uint32_t timeout_ms, rtt_us;
    adder_err_t err;
} ping_t;

static bool answered(void *ctx)
{
    ping_t *p = ctx;
    const adder_wifi_t *w = py_mcu()->wifi;
    p->err = w->ops->ping(w->ctx, &p->to, p->timeout_ms, &p->rtt_us);
    return p->err != ADDER_ERR_AGAIN;
}

/* An IPv4Address, or a text that is an address or a name. */
static bool ping_target(py_t v, adder_ip_t *out)
{
    const char *text;
    size_t n = 0;
    adder_err_t err;
    if (ipaddress_of(v, out))
        return true;
    if (!py_to_str(v, &text, NULL) ||
        !net_resolve(&wifi_state.stack, text, ADDER_IP_V4, NET_FOREVER, out, 1, &n, &err))
        return false;
    return n > 0 || py_fail(py_raise_errno(-2, "Name or service not known"));
}

py_t wifi_m_ping(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    ping_t p = {0};
    bool timed_out;
    if (!seconds_arg(&a[1], 0.5, &p.timeout_ms) || !ping_target(a[0].obj, &p.to) ||
        !py_pump_wait(answered, &p, UINT64_MAX, &timed_out))
        return PY_NULL;
    if (p.err == ADDER_OK)
        return py_float((double)(p.rtt_us / 1000) / 1000.0); /* the firmware counts milliseconds */
    return p.err == ADDER_ERR_TIMEOUT || p.err == ADDER_ERR_STATE ? py_none() : py_raise_err(p.err, "ping");
}
