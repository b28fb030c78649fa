/* ESP_SPIcontrol: from its construction to its end. */
#include "python/modules/esp32spi.h"

#include <string.h>

#include "python/modules/busio.h"
#include "python/modules/digitalio.h"

enum {
    RESET_LIMIT_US = 760000, /* what Adafruit's library takes for a reset, whatever the chip needs */
    DRAIN_US = 1000000,      /* what was sent before the end still goes out: Adafruit's send() waits for it */
    RX_COUNT = 3,
    TX_COUNT = 2,
};

/* Those whose pump runs: they let go of the chip before the pins are given back at the end of a VM. */
static esp32spi_obj_t *open_list;

static uint32_t random32(void *ctx)
{
    (void)ctx;
    const adder_mcu_t *mcu = py_mcu();
    uint32_t word = 0;
    if (mcu->sys->random(mcu->ctx, (uint8_t *)&word, sizeof word) != ADDER_OK)
        word = (uint32_t)mcu->sys->now_us(mcu->ctx) * 2654435761u; /* ports that can be guessed, not none */
    return word;
}

/* ---- opening and closing ---- */

static void forget_network(esp32spi_obj_t *o)
{
    o->enterprise = o->own_ip = false;
    memset(o->ssid, 0, sizeof o->ssid);
    memset(o->ent_identity, 0, sizeof o->ent_identity);
    memset(o->ent_user, 0, sizeof o->ent_user);
    memset(o->ent_password, 0, sizeof o->ent_password);
}

static void close_stack(esp32spi_obj_t *o)
{
    if (!o->open)
        return;
    o->open = false;
    net_stack_stop(&o->sockets);
    for (esp32spi_obj_t **p = &open_list; *p != NULL; p = &(*p)->next) {
        if (*p == o) {
            *p = o->next;
            break;
        }
    }
    adder_airlift_net_deinit(&o->stack);
    forget_network(o);
    py_free(o->buffers);
    o->buffers = NULL;
}

static bool open_stack(esp32spi_obj_t *o, const adder_airlift_config_t *chip)
{
    enum { RX = ADDER_AIRLIFT_RECV_MAX, TX = ADDER_AIRLIFT_SEND_MAX };
    uint8_t *rx = py_alloc(RX_COUNT * RX + TX_COUNT * TX);
    if (rx == NULL)
        return false;
    o->buffers = rx;
    const adder_airlift_net_config_t config = {.chip = *chip,
                                               .rx = rx,
                                               .rx_size = RX,
                                               .rx_count = RX_COUNT,
                                               .tx = rx + RX_COUNT * RX,
                                               .tx_size = TX,
                                               .tx_count = TX_COUNT,
                                               .random = random32};
    adder_err_t err = adder_airlift_net_init(&o->stack, &config);
    if (err != ADDER_OK) {
        py_free(o->buffers);
        o->buffers = NULL;
        return py_fail(py_raise_err(err, "ESP32"));
    }
    const adder_net_t net = adder_airlift_net(&o->stack);
    net_stack_start(&o->sockets, &net);
    o->open = true;
    o->next = open_list;
    open_list = o;
    return true;
}

static bool drained(void *ctx)
{
    const esp32spi_obj_t *o = ctx;
    return adder_airlift_net_drained(&o->stack);
}

void esp32spi_reset_all(void)
{
    while (open_list != NULL) {
        if (!py_pump_wait(drained, open_list, DRAIN_US, NULL))
            py_error_clear(); /* told to end at once */
        close_stack(open_list);
    }
}

static void fini(void *s)
{
    close_stack(s);
}

static bool live(const void *s)
{
    return ((const esp32spi_obj_t *)s)->open;
}

/* The program may have given a pin or the bus away, to whom we must not talk then. */
bool esp32spi_alive(esp32spi_obj_t *o)
{
    uint16_t pin;
    adder_spi_t spi;
    adder_bus_lock_t lock;
    if (!o->open) /* inside of a method, by what that called */
        return py_fail(py_raise(PY_ValueError, "Object has been deinitialized and can no longer be used."));
    if (digitalio_arg(py_field_get(&o->cs), "cs_dio", &pin, NULL) &&
        digitalio_arg(py_field_get(&o->ready), "ready_dio", &pin, NULL) &&
        digitalio_arg(py_field_get(&o->reset), "reset_dio", &pin, NULL) &&
        (py_null(py_field_get(&o->gpio0)) ||
         digitalio_arg(py_field_get(&o->gpio0), "gpio0_dio", &pin, NULL)) &&
        busio_spi_share(py_field_get(&o->spi), "spi", &spi, &lock))
        return true;
    close_stack(o);
    return false;
}

/* ---- reset ---- */

typedef struct {
    const adder_airlift_net_t *stack;
    uint32_t resets;
} start_t;

static bool started(void *ctx)
{
    const start_t *c = ctx;
    adder_airlift_link_t link;
    adder_airlift_net_link(c->stack, &link);
    return link.started && adder_airlift_net_chip(c->stack)->stats.resets != c->resets;
}

/* After reset number `resets`. A chip that is not there is no error here; the first command tells. */
static bool await_start(esp32spi_obj_t *o, uint32_t resets)
{
    start_t c = {&o->stack, resets};
    o->tls_slot = 255;
    o->held = 0;
    return py_pump_wait(started, &c, RESET_LIMIT_US, NULL);
}

static bool restart(esp32spi_obj_t *o)
{
    esp32spi_say(o, "Reset ESP32");
    if (!py_pump_wait(drained, o, DRAIN_US, NULL))
        return false;
    py_pump_lock();
    adder_airlift_net_disconnect(&o->stack);
    adder_airlift_net_set_ip(&o->stack, NULL, NULL, NULL);
    adder_airlift_net_set_dns(&o->stack, NULL, NULL);
    ADDER_IGNORE(adder_airlift_net_set_hostname(&o->stack, NULL), "none is no name too long");
    ADDER_IGNORE(adder_airlift_net_set_client_cert(&o->stack, NULL, 0, NULL, 0), "nor a certificate");
    for (uint8_t slot = 0; slot < ADDER_AIRLIFT_SLOTS_MAX; slot++) {
        if (o->held & 1u << slot)
            ADDER_IGNORE(adder_airlift_net_hold(&o->stack, slot, false), "gone with the reset");
    }
    uint32_t resets = adder_airlift_net_chip(&o->stack)->stats.resets;
    adder_airlift_net_restart(&o->stack);
    py_pump_unlock();
    py_pump_poke();
    forget_network(o);
    return await_start(o, resets);
}

py_t esp32spi_reset(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return esp32spi_alive(s) && restart(s) ? py_none() : PY_NULL;
}

/* ---- construction ---- */

enum { SPI, CS, READY, RESET, GPIO0, DEBUG, SECRETS };
static const py_arg_t init_args[] = {[SPI] = PY_REQ_OBJ("spi"),
                                     [CS] = PY_REQ_OBJ("cs_dio"),
                                     [READY] = PY_REQ_OBJ("ready_dio"),
                                     [RESET] = PY_REQ_OBJ("reset_dio"),
                                     [GPIO0] = PY_OPT_OBJ("gpio0_dio"),
                                     [DEBUG] = PY_KW_OBJ("debug"),
                                     [SECRETS] = PY_KW_BOOL("debug_show_secrets", false),
                                     PY_END};

/* The DigitalInOut keeps its own idea of its direction: set it there, the engine's setting agrees. */
static bool pin_arg(const py_val_t *a, const char *name, bool output, adder_pin_t *out)
{
    const adder_mcu_t *mcu = py_mcu();
    uint16_t pin;
    if (!a->given)
        return true;
    if (!digitalio_arg(a->obj, name, &pin, NULL))
        return false;
    *out = (adder_pin_t){mcu->gpio, mcu->ctx, pin};
    py_t high = py_bool(true);
    return output ? !py_null(py_call_method(a->obj, "switch_to_output", &high, 1))
                  : !py_null(py_call_method(a->obj, "switch_to_input", NULL, 0));
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    esp32spi_obj_t *o = s;
    adder_airlift_config_t chip = {0};
    if (a[DEBUG].given && !py_to_bool(a[DEBUG].obj, &o->debug))
        return false;
    o->show_secrets = a[SECRETS].b;
    if (!busio_spi_share(a[SPI].obj, "spi", &chip.spi, &chip.lock) ||
        !digitalio_arg(a[CS].obj, "cs_dio", &o->cs_pin, NULL))
        return false;
    /* A second object on the chip: the first one is garbage soon, or was given up by the program. */
    for (esp32spi_obj_t *other = open_list, *next; other != NULL; other = next) {
        next = other->next;
        if (other->cs_pin == o->cs_pin)
            close_stack(other);
    }
    if (!pin_arg(&a[CS], "cs_dio", true, &chip.cs) || !pin_arg(&a[READY], "ready_dio", false, &chip.ready) ||
        !pin_arg(&a[RESET], "reset_dio", true, &chip.reset) ||
        !pin_arg(&a[GPIO0], "gpio0_dio", false, &chip.gpio0))
        return false;
    py_field_set(self, &o->spi, a[SPI].obj);
    py_field_set(self, &o->cs, a[CS].obj);
    py_field_set(self, &o->ready, a[READY].obj);
    py_field_set(self, &o->reset, a[RESET].obj);
    py_field_set(self, &o->gpio0, a[GPIO0].given ? a[GPIO0].obj : PY_NULL);
    esp32spi_say(o, "Reset ESP32");
    return open_stack(o, &chip) && await_start(o, 0); /* the first tick resets the chip */
}

/* ---- the class ---- */

#define M0(name) {#name, esp32spi_##name, NULL, 0, NULL},
#define M1(name) {#name, esp32spi_##name, esp32spi_##name##_args, 0, NULL},
static const py_method_t methods[] = {ESP32SPI_METHODS(M0, M1) PY_END};
#undef M0
#undef M1

static const py_constant_t constants[] = {{"TCP_MODE", ADDER_AIRLIFT_TCP},
                                          {"UDP_MODE", ADDER_AIRLIFT_UDP},
                                          {"TLS_MODE", ADDER_AIRLIFT_TLS},
                                          PY_END};
static const uint16_t fields[] = {
    offsetof(esp32spi_obj_t, spi),   offsetof(esp32spi_obj_t, cs),    offsetof(esp32spi_obj_t, ready),
    offsetof(esp32spi_obj_t, reset), offsetof(esp32spi_obj_t, gpio0), offsetof(esp32spi_obj_t, pool),
    offsetof(esp32spi_obj_t, cert),  offsetof(esp32spi_obj_t, key),   PY_FIELDS_END};

const py_class_t esp32spi_control_class = {
    .module = "adafruit_esp32spi.adafruit_esp32spi",
    .name = "ESP_SPIcontrol",
    .doc =
        "ESP_SPIcontrol(spi, cs_dio, ready_dio, reset_dio, gpio0_dio=None, *, debug=False, "
        "debug_show_secrets=False): an ESP32 with NINA firmware as Wi-Fi co-processor. Its network goes on "
        "while the program computes.",
    .size = sizeof(esp32spi_obj_t),
    .fields = fields,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .methods = methods,
    .props = esp32spi_props,
    .constants = constants};
