/* mdns: Server, RemoteService over adder/mdns.h and the native radio's stack. The pump drives it: names are
 * answered while the program computes. It takes one of the radio's sockets while the link is up. */
#include <string.h>

#include "adder/mdns.h"
#include "python/modules/wifi.h"

enum { FOUND_MAX = 16, RECEIVE_MAX = 1500, ROUNDS = 8 };

/* ---- RemoteService ---- */

typedef struct {
    adder_mdns_found_t found;
    char type[ADDER_MDNS_TYPE + 1], protocol[5];
} remote_t;

static py_t get_remote_hostname(py_t self, void *s)
{
    (void)self;
    return py_str(((const remote_t *)s)->found.host);
}

static py_t get_remote_instance(py_t self, void *s)
{
    (void)self;
    return py_str(((const remote_t *)s)->found.instance);
}

static py_t get_remote_type(py_t self, void *s)
{
    (void)self;
    return py_str(((const remote_t *)s)->type);
}

static py_t get_remote_protocol(py_t self, void *s)
{
    (void)self;
    return py_str(((const remote_t *)s)->protocol);
}

static py_t get_remote_port(py_t self, void *s)
{
    (void)self;
    return py_int(((const remote_t *)s)->found.port);
}

static py_t get_remote_address(py_t self, void *s)
{
    (void)self;
    return ipaddress_v4(&((const remote_t *)s)->found.ip);
}

static const py_prop_t remote_props[] = {{"hostname", get_remote_hostname, NULL, 0, NULL},
                                         {"instance_name", get_remote_instance, NULL, 0, NULL},
                                         {"service_type", get_remote_type, NULL, 0, NULL},
                                         {"protocol", get_remote_protocol, NULL, 0, NULL},
                                         {"port", get_remote_port, NULL, 0, NULL},
                                         {"ipv4_address", get_remote_address, NULL, 0, NULL},
                                         PY_END};
static const py_class_t remote_class = {.module = "mdns",
                                        .name = "RemoteService",
                                        .size = sizeof(remote_t),
                                        .no_new = true,
                                        .final = true,
                                        .props = remote_props};

/* ---- the server under the pump ---- */

typedef struct {
    adder_mdns_t m;
    adder_mdns_service_t services[ADDER_MDNS_SERVICES];
    char hostname[ADDER_MDNS_LABEL + 1], instance[ADDER_MDNS_LABEL + 1]; /* instance empty: the host name */
    adder_net_t net;
    adder_ip_t ip; /* as the engine knows it */
    uint16_t sock;
    bool open, live;
    py_pump_t item;
} server_t;

static server_t *active; /* one in the machine, as in the firmware */

static uint32_t now_ms(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return (uint32_t)(mcu->sys->now_us(mcu->ctx) / 1000u);
}

static uint32_t random32(void *ctx)
{
    const adder_mcu_t *mcu = ctx;
    uint8_t b[4] = {0};
    ADDER_IGNORE(mcu->sys->random(mcu->ctx, b, sizeof b), "it spreads answers in time; any number serves");
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void close_socket(server_t *v)
{
    if (v->open)
        ADDER_IGNORE(v->net.ops->close(v->net.ctx, v->sock, true), "it is gone");
    v->open = false;
}

static void open_socket(server_t *v)
{
    const adder_endpoint_t local = {.port = ADDER_MDNS_PORT};
    const adder_ip_t group = adder_mdns_group();
    if (v->net.ops->join == NULL ||
        v->net.ops->open(v->net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &v->sock) != ADDER_OK)
        return; /* all taken: tried again with the next round */
    v->open = true;
    if (v->net.ops->bind(v->net.ctx, v->sock, &local) != ADDER_OK ||
        v->net.ops->join(v->net.ctx, v->sock, &group, true) != ADDER_OK)
        close_socket(v);
}

/* The socket lives as long as the link; a new address is announced. */
static void follow_link(server_t *v, uint32_t now)
{
    adder_net_status_t status;
    v->net.ops->status(v->net.ctx, &status);
    const bool up = status.link == ADDER_NET_LINK_UP;
    adder_ip_t ip = {0};
    for (size_t i = status.n_ips; up && i-- > 0;)
        if (status.ips[i].family == ADDER_IP_V4)
            ip = status.ips[i];
    if (!up)
        close_socket(v);
    else if (!v->open)
        open_socket(v);
    if (!adder_ip_equal(&ip, &v->ip)) {
        v->ip = ip;
        ADDER_IGNORE(adder_mdns_set_host(&v->m, v->hostname, &ip, now), "the name was checked");
    }
}

static void run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    server_t *v = ctx;
    const uint32_t now = (uint32_t)(now_us / 1000u);
    uint8_t bytes[RECEIVE_MAX];
    adder_endpoint_t from, to;
    size_t len, sent;
    uint32_t wait_ms = UINT32_MAX;
    follow_link(v, now);
    for (int i = 0; v->open && i < ROUNDS; i++) {
        if (v->net.ops->recv(v->net.ctx, v->sock, bytes, sizeof bytes, &len, &from) != ADDER_OK)
            break;
        if (len <= sizeof bytes)
            adder_mdns_in(&v->m, &from, bytes, len, now);
    }
    for (int i = 0; v->open && i < ROUNDS; i++) {
        if (adder_mdns_out(&v->m, bytes, sizeof bytes, &len, &to, now) != ADDER_OK)
            break;
        ADDER_IGNORE(v->net.ops->send(v->net.ctx, v->sock, &to, bytes, len, &sent), "datagrams get lost");
    }
    ADDER_IGNORE(adder_mdns_tick(&v->m, now, &wait_ms), "find() looks at the search itself");
    *wants_out = (adder_net_wants_t){.wait_us = !v->open || wait_ms > 1000000 ? 250000 : wait_ms * 1000 + 500,
                                     .signal = -1};
}

static void stop(server_t *v)
{
    if (!v->live)
        return;
    py_pump_remove(&v->item);
    py_pump_lock();
    close_socket(v);
    py_pump_unlock();
    v->live = false;
    active = NULL;
}

void mdns_stop(void)
{
    if (active != NULL)
        stop(active);
}

/* ---- Server ---- */

static const py_arg_t init_args[] = {PY_REQ_OBJ("network_interface"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    server_t *v = s;
    adder_wifi_config_t config;
    if (py_struct(a[0].obj, &wifi_radio_class) == NULL)
        return py_fail(py_raise(PY_ValueError, "mDNS only works with built-in WiFi"));
    if (active != NULL)
        return py_fail(py_raise(PY_RuntimeError, "mDNS already initialized"));
    wifi_config(&config);
    static const char digits[] = "0123456789abcdef";
    memcpy(v->hostname, "cpy-", 5);
    for (size_t i = 0; i < 3; i++) {
        v->hostname[4 + 2 * i] = digits[config.mac[3 + i] >> 4];
        v->hostname[5 + 2 * i] = digits[config.mac[3 + i] & 15];
    }
    adder_mdns_init(&v->m, v->services, ADDER_MDNS_SERVICES, random32, (void *)(uintptr_t)py_mcu());
    v->net = py_mcu()->wifi->net;
    v->item = (py_pump_t){.run = run, .ctx = v};
    v->live = true;
    active = v;
    py_pump_add(&v->item);
    return true;
}

static bool is_live(const void *s)
{
    return ((const server_t *)s)->live;
}

static void fini(void *s)
{
    stop(s);
}

static py_t get_hostname(py_t self, void *s)
{
    (void)self;
    return py_str(((const server_t *)s)->hostname);
}

static bool set_hostname(py_t self, void *s, py_t value)
{
    (void)self;
    server_t *v = s;
    const char *name;
    if (!py_to_str(value, &name, NULL))
        return false;
    py_pump_lock();
    const adder_err_t err = adder_mdns_set_host(&v->m, name, &v->ip, now_ms());
    if (err == ADDER_OK)
        strcpy(v->hostname, name);
    py_pump_unlock();
    py_pump_poke();
    return err == ADDER_OK || py_fail(py_raise(PY_ValueError, "Invalid hostname"));
}

static py_t get_instance(py_t self, void *s)
{
    (void)self;
    const server_t *v = s;
    return py_str(v->instance[0] != '\0' ? v->instance : v->hostname);
}

static bool set_instance(py_t self, void *s, py_t value)
{
    (void)self;
    server_t *v = s;
    const char *name;
    if (!py_to_str(value, &name, NULL))
        return false;
    py_pump_lock();
    const adder_err_t err = adder_mdns_set_instance(&v->m, name, now_ms());
    if (err == ADDER_OK)
        strcpy(v->instance, name);
    py_pump_unlock();
    py_pump_poke();
    return err == ADDER_OK || py_fail(py_raise(PY_ValueError, "Invalid instance_name"));
}

/* ---- finding ---- */

enum { TYPE, PROTOCOL, TIMEOUT };
static const py_arg_t find_args[] = {
    [TYPE] = {.name = "service_type", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    [PROTOCOL] = {.name = "protocol", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    [TIMEOUT] = PY_KW_FLOAT("timeout", 1),
    PY_END};

static bool is_over(void *ctx)
{
    uint32_t wait_ms;
    return adder_mdns_tick(&((server_t *)ctx)->m, now_ms(), &wait_ms) != ADDER_ERR_AGAIN;
}

static py_t results(const adder_mdns_found_t *found, size_t n, const py_val_t *a)
{
    py_t items[FOUND_MAX];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        remote_t *r;
        if (found[i].host[0] == '\0') /* named, but it did not say where it is */
            continue;
        py_t item = py_new(&remote_class, (void **)&r);
        if (py_null(item))
            return PY_NULL;
        r->found = found[i];
        strcpy(r->type, a[TYPE].str); /* find() has checked their lengths */
        strcpy(r->protocol, a[PROTOCOL].str);
        items[used++] = item;
    }
    return py_tuple(items, used);
}

static py_t find(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    server_t *v = s;
    adder_mdns_found_t found[FOUND_MAX];
    bool timed_out;
    const double seconds = a[TIMEOUT].f;
    const uint32_t timeout_ms = !(seconds > 0) ? 0 : seconds > 1e6 ? 1000000000u : (uint32_t)(seconds * 1000);
    py_pump_lock();
    const adder_err_t err =
        adder_mdns_find(&v->m, a[TYPE].str, a[PROTOCOL].str, found, FOUND_MAX, timeout_ms, now_ms());
    py_pump_unlock();
    if (err != ADDER_OK)
        return py_raise(PY_RuntimeError, "Unable to start mDNS query");
    py_pump_poke();
    const bool waited = py_pump_wait(is_over, v, UINT64_MAX, &timed_out);
    py_pump_lock();
    const size_t n = v->m.n_found;
    adder_mdns_find_end(&v->m);
    py_pump_unlock();
    return waited ? results(found, n, a) : PY_NULL;
}

/* ---- advertising ---- */

enum { AD_TYPE, AD_PROTOCOL, AD_PORT, AD_TXT };
static const py_arg_t advertise_args[] = {
    [AD_TYPE] = {.name = "service_type", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    [AD_PROTOCOL] = {.name = "protocol", .kind = PY_ARG_STR, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    [AD_PORT] = PY_KWREQ_INT("port", 0, 65535),
    [AD_TXT] = PY_KW_OBJ("txt_records"),
    PY_END};

/* Strings, each with its length in front (RFC 6763 section 6.1). */
static bool text_arg(const py_val_t *a, uint8_t out[ADDER_MDNS_TXT], size_t *len_out)
{
    size_t count, len;
    *len_out = 0;
    if (!a->given)
        return true;
    if (!py_len(a->obj, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *text;
        py_t item = py_item_at(a->obj, i);
        if (py_null(item))
            return false;
        if (!py_is_str(item) && !py_is_bytes(item))
            return py_fail(py_raise(
                PY_ValueError, "Failed to add service TXT record; non-string or bytes found in txt_records"));
        if (!wifi_bytes_arg(item, &text, &len))
            return false;
        if (len > 255 || len + 1 > ADDER_MDNS_TXT - *len_out)
            return py_fail(py_raise(PY_ValueError, "txt_records too long"));
        out[(*len_out)++] = (uint8_t)len;
        memcpy(out + *len_out, text, len);
        *len_out += len;
    }
    return true;
}

static py_t advertise(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    server_t *v = s;
    uint8_t text[ADDER_MDNS_TXT];
    size_t len;
    if (!text_arg(&a[AD_TXT], text, &len))
        return PY_NULL;
    py_pump_lock();
    const adder_err_t err = adder_mdns_advertise(&v->m, a[AD_TYPE].str, a[AD_PROTOCOL].str,
                                                 (uint16_t)a[AD_PORT].i, text, len, now_ms());
    py_pump_unlock();
    py_pump_poke();
    if (err == ADDER_ERR_NOMEM)
        return py_raise(PY_RuntimeError, "Out of MDNS service slots");
    return err == ADDER_OK ? py_none() : py_raise(PY_ValueError, "Invalid service_type or protocol");
}

static const py_method_t methods[] = {{"find", find, find_args, 0, "The services of a type near by."},
                                      {"advertise_service", advertise, advertise_args, 0, NULL},
                                      PY_DEINIT,
                                      PY_END};
static const py_prop_t props[] = {{"hostname", get_hostname, set_hostname, 0, NULL},
                                  {"instance_name", get_instance, set_instance, 0, NULL},
                                  PY_END};
static const py_class_t server_class = {.module = "mdns",
                                        .name = "Server",
                                        .size = sizeof(server_t),
                                        .final = true,
                                        .context = true,
                                        .init_args = init_args,
                                        .init = init,
                                        .live = is_live,
                                        .fini = fini,
                                        .methods = methods,
                                        .props = props};

static bool module_init(py_t module)
{
    (void)module;
    return py_mcu()->wifi != NULL || py_fail(py_raise(PY_ImportError, "no module named 'mdns'"));
}

static const py_class_t *const classes[] = {&server_class, &remote_class, NULL};
const py_module_t mdns_module = {.name = "mdns",
                                 .doc = "Names and services of the local network",
                                 .classes = classes,
                                 .init = module_init,
                                 .reset = mdns_stop};
