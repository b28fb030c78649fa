/* adafruit_esp32spi: what its files share.
 *
 *   esp32spi.c          the modules: names and numbers
 *   esp32spi_control.c  ESP_SPIcontrol: its life, its table of methods
 *   esp32spi_command.c  one command of the chip, from a method; arguments; exceptions
 *   esp32spi_wifi.c     state and joining
 *   esp32spi_survey.c   scanning, set-up, names, time
 *   esp32spi_slots.c    sockets by the firmware's numbers
 *   esp32spi_pins.c     the chip's pins, credentials
 *   esp32spi_network.c  Network
 *   esp32spi_pool.c     SocketPool
 *   esp32spi_socket.c   Socket: connecting, serving, options
 *   esp32spi_transfer.c Socket: sending and receiving
 *
 * WiFiManager, digitalio and PWMOut are Python: python/lib/adafruit_esp32spi/.
 *
 * An object owns a socket stack (adder/airlift_net.h), which the pump drives behind the program: link,
 * rejoining, data. What a method asks of the chip beyond the stack is a command of its own, between the
 * stack's. */
#ifndef ADDER_PYTHON_ESP32SPI_H
#define ADDER_PYTHON_ESP32SPI_H

#include "adder/airlift_net.h"
#include "python/modules/net_socket.h"

typedef struct esp32spi {
    py_field_t spi, cs, ready, reset, gpio0, pool;
    adder_airlift_net_t stack;
    net_stack_t sockets; /* the same as Python's sockets see it */
    bool open;
    bool debug, show_secrets;
    bool set_psk, set_crt; /* attributes of that name */
    bool own_ip;           /* set by set_ip_config() while joined: the stack does not know it yet */
    bool enterprise;       /* wifi_set_entenable() came: join as such */
    uint16_t cs_pin;
    uint8_t tls_slot;    /* of the methods by number: the one TLS socket, 255 = none */
    uint16_t held;       /* slots that get_socket() gave out, by bit */
    uint32_t held_since; /* resets of the chip when they were */
    char ssid[33], ent_identity[33], ent_user[33], ent_password[33];
    uint8_t *buffers;
    py_field_t cert, key; /* bytes that the stack borrows */
    struct esp32spi *next;
} esp32spi_obj_t;

enum { ESP32SPI_AF_INET = 2, ESP32SPI_SOCK_STREAM = 1, ESP32SPI_SOCK_DGRAM = 2 };

extern const py_class_t esp32spi_control_class, esp32spi_network_class, esp32spi_pool_class,
    esp32spi_socket_class;

/* ---- sockets of the pool: esp32spi_socket.c, esp32spi_transfer.c ---- */

typedef struct {
    net_socket_t net; /* first */
    py_field_t pool;
    adder_endpoint_t peer;  /* of datagrams: whom send() sends to; they are taken from anyone */
    adder_endpoint_t bound; /* of a server, until listen() */
    bool has_peer, has_port;
    bool nowait; /* in connect_nowait(): "not yet" is EINPROGRESS */
    bool begun;  /* by it, and how it ended is not told yet */
} esp32spi_socket_t;

/* Do something with another time-out than the program's. */
#define ESP32SPI_WITH_TIMEOUT(s, us, statement)                                                              \
    do {                                                                                                     \
        uint64_t kept_ = (s)->timeout_us;                                                                    \
        (s)->timeout_us = (us);                                                                              \
        statement;                                                                                           \
        (s)->timeout_us = kept_;                                                                             \
    } while (0)

void esp32spi_socket_shut(esp32spi_socket_t *o);
py_t esp32spi_m_send(py_t self, void *s, const py_val_t *a);
py_t esp32spi_m_recv(py_t self, void *s, const py_val_t *a);
py_t esp32spi_m_recv_into(py_t self, void *s, const py_val_t *a);
extern const py_arg_t esp32spi_send_args[], esp32spi_recv_args[], esp32spi_recv_into_args[];

/* ---- life: esp32spi_control.c ---- */

/* Still ours: its pins and bus have not been given away. False with ValueError. */
bool esp32spi_alive(esp32spi_obj_t *o);
/* End of a VM: every stack lets go of its chip. */
void esp32spi_reset_all(void);

/* ---- commands: esp32spi_command.c ---- */

/* What to begin: one of the three, by what it takes. */
typedef struct {
    adder_err_t (*plain)(adder_airlift_t *a);
    adder_err_t (*numbered)(adder_airlift_t *a, uint8_t n);
    adder_err_t (*general)(adder_airlift_t *a, const void *args);
    uint8_t n;
    const void *args;
} esp32spi_command_t;

#define ESP32SPI_PLAIN(name) (&(const esp32spi_command_t){.plain = adder_airlift_begin_##name})
#define ESP32SPI_NUMBERED(name, n_)                                                                          \
    (&(const esp32spi_command_t){.numbered = adder_airlift_begin_##name, .n = n_})
#define ESP32SPI_GENERAL(fn, args_) (&(const esp32spi_command_t){.general = fn, .args = args_})

typedef struct {
    adder_airlift_result_t r; /* but for `text` */
    char text[64];
} esp32spi_result_t;

/* Carry a command out. ADDER_ERR_REFUSED (the chip says no) is for the caller to word; everything else that
 * is not ADDER_OK has been raised. `out` may be NULL. */
adder_err_t esp32spi_run(esp32spi_obj_t *o, const esp32spi_command_t *c, esp32spi_result_t *out);
/* The same, with REFUSED raised as OSError(`refusal`), NULL = BrokenPipeError. */
bool esp32spi_do(esp32spi_obj_t *o, const esp32spi_command_t *c, esp32spi_result_t *out, const char *refusal);
/* Raise what an error of the chip means to programs of Adafruit's library. */
py_t esp32spi_raise(adder_err_t err);
/* Two arguments, as in ConnectionError("No such ssid", ssid). */
py_t esp32spi_raise_pair(py_exc_t exc, const char *text, py_t second);
void esp32spi_say(const esp32spi_obj_t *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* str or bytes of at most `max` characters, NUL-terminated into out[max + 1]. */
bool esp32spi_text(py_t v, const char *name, size_t max, char *out);
/* 4 bytes or "192.168.1.1". */
bool esp32spi_ip4(py_t v, const char *name, uint8_t out[4]);
py_t esp32spi_ip_text(const uint8_t ip[4]);
/* A BSSID as the firmware sends it: before 3.0 last octet first. */
void esp32spi_wire_order(esp32spi_obj_t *o, const uint8_t mac[6], uint8_t out[6]);
bool esp32spi_lookup(esp32spi_obj_t *o, const char *name, uint8_t ip_out[4]);

/* ---- methods: M0 takes no argument, M1 has esp32spi_<name>_args ---- */

/* clang-format off */
#define ESP32SPI_METHODS(M0, M1)                                                                             \
    M0(reset)                                                                                                \
    M1(connect) M1(connect_AP) M1(create_AP) M0(disconnect)                                                  \
    M0(start_scan_networks) M0(get_scan_networks) M0(scan_networks)                                          \
    M1(set_ip_config) M1(set_dns_config) M1(set_hostname)                                                    \
    M1(wifi_set_network) M1(wifi_set_passphrase)                                                             \
    M1(wifi_set_entidentity) M1(wifi_set_entusername) M1(wifi_set_entpassword) M0(wifi_set_entenable)        \
    M1(pretty_ip) M1(unpretty_ip) M1(get_host_by_name) M1(ping) M0(get_time)                                 \
    M0(get_socket) M1(socket_open) M1(socket_connect) M1(socket_close) M1(socket_status) M1(socket_connected)\
    M1(socket_available) M1(socket_read) M1(socket_write)                                                    \
    M1(start_server) M1(server_state) M1(get_remote_data)                                                    \
    M1(set_certificate) M1(set_private_key)                                                                  \
    M1(set_pin_mode) M1(set_digital_write) M1(set_digital_read) M1(set_analog_write) M1(set_analog_read)     \
    M1(set_esp_debug)
/* clang-format on */

#define ESP32SPI_M0(name) py_t esp32spi_##name(py_t self, void *s, const py_val_t *a);
#define ESP32SPI_M1(name)                                                                                    \
    py_t esp32spi_##name(py_t self, void *s, const py_val_t *a);                                             \
    extern const py_arg_t esp32spi_##name##_args[];
ESP32SPI_METHODS(ESP32SPI_M0, ESP32SPI_M1)
#undef ESP32SPI_M0
#undef ESP32SPI_M1

/* ---- properties ---- */

extern const py_prop_t esp32spi_props[]; /* esp32spi_wifi.c */
py_t esp32spi_get_debug(py_t self, void *s);
bool esp32spi_set_debug(py_t self, void *s, py_t value);
py_t esp32spi_get_set_psk(py_t self, void *s);
py_t esp32spi_get_set_crt(py_t self, void *s);
bool esp32spi_is_joined(esp32spi_obj_t *o);            /* as the stack knows */
bool esp32spi_status(esp32spi_obj_t *o, uint8_t *out); /* as the chip says; false: raised */

#endif
