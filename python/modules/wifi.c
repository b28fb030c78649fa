/* wifi: the module, Network, AuthMode, PowerManagement, and what happens at both ends of a run.
 *
 *   wifi.c         this
 *   wifi_radio.c   Radio: its settings and addresses
 *   wifi_join.c    Radio: connect, scan, access point, ping
 *
 * A network of settings.toml is joined at the start of a run, beside the program: `import wifi` waits for
 * the outcome, as firmware has waited before code.py by then. Such a link lives on from run to run; what a
 * program switched on itself goes off with it. */
#include "python/modules/wifi.h"

#include <string.h>

#include "python/modules/settings_file.h"

enum { START_UP_MS = 8000 };

wifi_state_t wifi_state;

static const char *const authmodes[] = {"OPEN", "WEP", "WPA", "WPA2", "WPA3", "PSK", "ENTERPRISE", NULL};
const py_enum_t wifi_authmode_enum = {"wifi", "AuthMode", authmodes};
static const char *const powers[] = {"MIN", "MAX", "NONE", "UNKNOWN", NULL};
const py_enum_t wifi_power_enum = {"wifi", "PowerManagement", powers};

/* ---- the radio ---- */

void wifi_status(adder_wifi_status_t *out)
{
    const adder_wifi_t *w = py_mcu()->wifi;
    py_pump_lock();
    w->ops->status(w->ctx, out);
    py_pump_unlock();
}

void wifi_config(adder_wifi_config_t *out)
{
    const adder_wifi_t *w = py_mcu()->wifi;
    py_pump_lock();
    w->ops->config(w->ctx, out);
    py_pump_unlock();
}

static adder_err_t configure(const adder_wifi_config_t *config)
{
    const adder_wifi_t *w = py_mcu()->wifi;
    py_pump_lock();
    const adder_err_t err = w->ops->configure(w->ctx, config);
    py_pump_unlock();
    return err;
}

bool wifi_configure(const adder_wifi_config_t *config)
{
    const adder_err_t err = configure(config);
    return err == ADDER_OK || py_fail(py_raise_err(err, "wifi"));
}

/* ---- arguments ---- */

bool wifi_bytes_arg(py_t v, const char **bytes_out, size_t *len_out)
{
    py_buf_t buf;
    if (py_is_str(v))
        return py_to_str(v, bytes_out, len_out);
    if (!py_is_buffer(v))
        return py_fail(py_raise(PY_TypeError, "object with buffer protocol required"));
    if (!py_buffer_read(v, &buf))
        return false;
    *bytes_out = (const char *)buf.ptr;
    *len_out = buf.len;
    return true;
}

bool wifi_length_arg(size_t len, size_t min, size_t max, const char *name)
{
    return (len >= min && len <= max) ||
           py_fail(py_raise(PY_ValueError, "%s length must be %u-%u", name, (unsigned)min, (unsigned)max));
}

/* ---- Network ---- */

static py_t get_ssid(py_t self, void *s)
{
    (void)self;
    const adder_wifi_network_t *n = s;
    return py_str_n((const char *)n->ssid, n->ssid_len);
}

static py_t get_bssid(py_t self, void *s)
{
    (void)self;
    return py_bytes(((const adder_wifi_network_t *)s)->bssid, ADDER_WIFI_MAC);
}

static py_t get_rssi(py_t self, void *s)
{
    (void)self;
    return py_int(((const adder_wifi_network_t *)s)->rssi_dbm);
}

static py_t get_channel(py_t self, void *s)
{
    (void)self;
    return py_int(((const adder_wifi_network_t *)s)->channel);
}

static py_t get_country(py_t self, void *s)
{
    (void)self;
    return py_str(((const adder_wifi_network_t *)s)->country);
}

static py_t get_authmode(py_t self, void *s)
{
    (void)self;
    py_t list = py_list(NULL, 0);
    for (int i = 0; authmodes[i] != NULL; i++) {
        if ((((const adder_wifi_network_t *)s)->auth >> i & 1) != 0 &&
            !py_list_append(list, py_enum_value(&wifi_authmode_enum, i)))
            return PY_NULL;
    }
    return list;
}

static const py_prop_t network_props[] = {{"ssid", get_ssid, NULL, 0, "Name of the network"},
                                          {"bssid", get_bssid, NULL, 0, "Its access point's MAC"},
                                          {"rssi", get_rssi, NULL, 0, "Signal strength in dBm"},
                                          {"channel", get_channel, NULL, 0, NULL},
                                          {"country", get_country, NULL, 0, NULL},
                                          {"authmode", get_authmode, NULL, 0, "List of wifi.AuthMode"},
                                          PY_END};
const py_class_t wifi_network_class = {.module = "wifi",
                                       .name = "Network",
                                       .size = sizeof(adder_wifi_network_t),
                                       .no_new = true,
                                       .final = true,
                                       .props = network_props};

py_t wifi_network(const adder_wifi_network_t *network)
{
    void *s;
    py_t v = py_new(&wifi_network_class, &s);
    if (!py_null(v))
        memcpy(s, network, sizeof *network);
    return v;
}

/* ---- start and end of a run ---- */

/* A text of settings.toml; anything else counts as not there. */
static bool setting(const char *key, const char **out, size_t *len_out)
{
    py_t v = settings_typed(key);
    if (py_null(v) || !py_is_str(v) || !py_to_str(v, out, len_out)) {
        py_error_clear();
        *out = "";
        *len_out = 0;
        return false;
    }
    return true;
}

static adder_err_t switch_on(void)
{
    adder_wifi_config_t c;
    const char *name;
    size_t len;
    wifi_config(&c);
    if (c.enabled)
        return ADDER_OK;
    c.enabled = c.station = true;
    if (setting("CIRCUITPY_WIFI_HOSTNAME", &name, &len) && len > 0 && len < sizeof c.hostname)
        memcpy(c.hostname, name, len + 1);
    return configure(&c);
}

/* Called before the program's first line. */
static py_t start(const py_val_t *a)
{
    (void)a;
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_status_t now;
    adder_wifi_join_t join = {.retry_ms = START_UP_MS};
    if (w == NULL || !setting("CIRCUITPY_WIFI_SSID", &join.ssid, &join.ssid_len))
        return py_none();
    (void)setting("CIRCUITPY_WIFI_PASSWORD", &join.password, &join.password_len);
    wifi_status(&now);
    if (now.station == ADDER_WIFI_JOINED || now.station == ADDER_WIFI_JOINING)
        return py_none();
    adder_err_t err = switch_on();
    py_pump_lock();
    if (err == ADDER_OK)
        err = w->ops->join(w->ctx, &join);
    py_pump_unlock();
    ADDER_IGNORE(err, "credentials that no network can have: the program finds no link, as on a board");
    return py_none();
}

static bool init(py_t module)
{
    const adder_wifi_t *w = py_mcu()->wifi;
    adder_wifi_status_t now;
    adder_err_t err;
    if (w == NULL)
        return py_fail(py_raise(PY_ImportError, "no module named 'wifi'"));
    net_stack_start(&wifi_state.stack, &w->net);
    socketpool_native(&wifi_radio_class, &wifi_state.stack);
    if (!wifi_wait_joined((uint64_t)START_UP_MS * 1000u)) /* begun by start(), if at all */
        return false;
    wifi_status(&now);
    if (now.station != ADDER_WIFI_JOINED && now.station != ADDER_WIFI_JOINING) {
        wifi_state.by_program = true;
        if ((err = switch_on()) != ADDER_OK)
            return py_fail(py_raise_err(err, "wifi"));
    }
    py_t radio = py_new(&wifi_radio_class, NULL);
    return !py_null(radio) && py_attr_set(module, "radio", radio);
}

static void reset(void)
{
    const adder_wifi_t *w = py_mcu()->wifi;
    if (w == NULL)
        return;
    net_stack_stop(&wifi_state.stack);
    py_pump_lock();
    if (wifi_state.scanning)
        ADDER_IGNORE(w->ops->scan(w->ctx, 0, 0), "the end of a run");
    if (wifi_state.by_program)
        ADDER_IGNORE(w->ops->configure(w->ctx, NULL), "the end of a run");
    py_pump_unlock();
    wifi_state.scanning = wifi_state.by_program = false;
}

static const py_class_t *const classes[] = {&wifi_network_class, &wifi_radio_class, NULL};
static const py_enum_t *const enums[] = {&wifi_authmode_enum, &wifi_power_enum, NULL};
const py_module_t wifi_module = {.name = "wifi",
                                 .doc = "The radio of a microcontroller with Wi-Fi of its own",
                                 .classes = classes,
                                 .enums = enums,
                                 .init = init,
                                 .reset = reset};

static const py_function_t start_functions[] = {{"start", start, NULL, NULL}, PY_END};
const py_module_t wifi_start_module = {.name = "_adder_wifi_start", .functions = start_functions};
