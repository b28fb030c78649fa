/* ESP_SPIcontrol: sockets by the firmware's own numbers, beside those of the pool. */
#include "python/modules/esp32spi.h"

#include <string.h>

enum {
    CONNECTED_US = 3000000,
    HOST_MAX = 255,
    /* Firmware 1.x closes a connection whose send buffer (5744 bytes) is full: smaller frames, and a pause
     * once it has taken one in part. */
    CHUNK = 1024,
    FIRST_PAUSE_US = 50000,
    LONGEST_PAUSE_US = 1600000,
    READ_MAX = ADDER_AIRLIFT_RECV_MAX,
};

#define PY_SLOT PY_REQ_INT("socket_num", 0, 255)
#define PY_MODE PY_OPT_INT("conn_mode", ADDER_AIRLIFT_TCP, 0, 255)

static bool mode_of(const py_val_t *a, adder_airlift_mode_t *out)
{
    if (a->i > ADDER_AIRLIFT_MULTICAST)
        return py_fail(py_raise(PY_ValueError, "conn_mode must be TCP_MODE, UDP_MODE or TLS_MODE"));
    *out = (adder_airlift_mode_t)a->i;
    return true;
}

/* ---- numbers ---- */

/* A number is the caller's from here to socket_close(): without that the chip gives the same one to whoever
 * asks before it is opened. */
static adder_err_t take_free(esp32spi_obj_t *o, uint8_t slot)
{
    py_pump_lock();
    const adder_airlift_t *chip = adder_airlift_net_chip(&o->stack);
    if (o->held_since != chip->stats.resets) { /* what was opened before is gone */
        for (uint8_t i = 0; i < ADDER_AIRLIFT_SLOTS_MAX; i++) {
            if (o->held & 1u << i)
                ADDER_IGNORE(adder_airlift_net_hold(&o->stack, i, false), "it was ours");
        }
        o->held = 0;
        o->held_since = chip->stats.resets;
    }
    adder_err_t err = o->held & 1u << slot || slot >= adder_airlift_slots(chip)
                          ? ADDER_ERR_IN_USE
                          : adder_airlift_net_hold(&o->stack, slot, true);
    if (err == ADDER_OK)
        o->held |= (uint16_t)(1u << slot);
    py_pump_unlock();
    return err;
}

py_t esp32spi_get_socket(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    esp32spi_obj_t *o = s;
    esp32spi_result_t r;
    esp32spi_say(o, "*** Get socket");
    if (!esp32spi_do(o, ESP32SPI_PLAIN(socket), &r, NULL)) /* none: OSError(23) */
        return PY_NULL;
    for (uint8_t slot = (uint8_t)r.r.number; slot < ADDER_AIRLIFT_SLOTS_MAX; slot++) {
        if (take_free(o, slot) != ADDER_OK)
            continue;
        if (slot != r.r.number) { /* the lowest one is promised already: is this one free? */
            esp32spi_result_t state, listening;
            if (!esp32spi_do(o, ESP32SPI_NUMBERED(socket_state, slot), &state, NULL) ||
                !esp32spi_do(o, ESP32SPI_NUMBERED(listening, slot), &listening, NULL))
                return PY_NULL;
            if (state.r.number != 0 || listening.r.number != 0)
                continue;
        }
        esp32spi_say(o, "Allocated socket #%u", slot);
        return py_int(slot);
    }
    return py_raise_errno(23, NULL);
}

const py_arg_t esp32spi_socket_close_args[] = {PY_SLOT, PY_END};

py_t esp32spi_socket_close(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    uint8_t slot = (uint8_t)a[0].i;
    esp32spi_say(o, "*** Closing socket #%u", slot);
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(stop, slot), NULL, NULL)) {
        if (!py_error_is(PY_OSError))
            return PY_NULL;
        py_error_clear(); /* as Adafruit's: what cannot be closed is closed */
    }
    if (slot == o->tls_slot)
        o->tls_slot = 255;
    py_pump_lock();
    if (slot < ADDER_AIRLIFT_SLOTS_MAX && o->held & 1u << slot) {
        o->held &= (uint16_t) ~(1u << slot);
        ADDER_IGNORE(adder_airlift_net_hold(&o->stack, slot, false), "it was ours");
    }
    py_pump_unlock();
    return py_none();
}

/* ---- opening ---- */

typedef struct {
    uint8_t slot, ip[4];
    bool by_name;
    char host[HOST_MAX + 1];
    uint16_t port;
    adder_airlift_mode_t mode;
} target_t;

static adder_err_t begin_connect(adder_airlift_t *a, const void *args)
{
    const target_t *c = args;
    return c->by_name ? adder_airlift_begin_connect_name(a, c->slot, c->host, c->port, c->mode)
                      : adder_airlift_begin_connect(a, c->slot, c->ip, c->port, c->mode);
}

/* Firmware 1.x takes names for TLS alone, so others are looked up first. */
static bool open_slot(esp32spi_obj_t *o, const py_val_t *a, target_t *c)
{
    *c = (target_t){.slot = (uint8_t)a[0].i, .port = (uint16_t)a[2].i};
    if (!mode_of(&a[3], &c->mode))
        return false;
    bool text = py_is_str(a[1].obj);
    if (text ? !esp32spi_text(a[1].obj, "dest", HOST_MAX, c->host) : !esp32spi_ip4(a[1].obj, "dest", c->ip))
        return false;
    esp32spi_say(o, "*** Open socket to %s %u %u", text ? c->host : "address", c->port, c->mode);
    c->by_name = text && c->mode == ADDER_AIRLIFT_TLS;
    if (c->mode == ADDER_AIRLIFT_TLS && o->tls_slot != 255)
        return py_fail(py_raise_errno(23, "Only one open SSL connection allowed"));
    if (text && !c->by_name && !esp32spi_lookup(o, c->host, c->ip))
        return false;
    adder_err_t err = esp32spi_run(o, ESP32SPI_GENERAL(begin_connect, c), NULL);
    if (err == ADDER_ERR_REFUSED)
        return py_fail(py_raise(PY_ConnectionError, "Could not connect to remote server"));
    if (err == ADDER_OK && c->mode == ADDER_AIRLIFT_TLS)
        o->tls_slot = c->slot;
    return err == ADDER_OK;
}

const py_arg_t esp32spi_socket_open_args[] = {PY_SLOT, PY_REQ_OBJ("dest"), PY_REQ_INT("port", 0, 65535),
                                              PY_MODE, PY_END};

py_t esp32spi_socket_open(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    target_t c;
    return open_slot(s, a, &c) ? py_none() : PY_NULL;
}

static adder_err_t begin_listen(adder_airlift_t *a, const void *args)
{
    const target_t *c = args;
    return adder_airlift_begin_listen(a, c->slot, c->mode == ADDER_AIRLIFT_MULTICAST ? c->ip : NULL, c->port,
                                      c->mode);
}

const py_arg_t esp32spi_start_server_args[] = {PY_REQ_INT("port", 0, 65535), PY_SLOT, PY_MODE,
                                               PY_OPT_OBJ("ip"), PY_END};

py_t esp32spi_start_server(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    target_t c = {.slot = (uint8_t)a[1].i, .port = (uint16_t)a[0].i};
    esp32spi_say(s, "*** starting server");
    if (!mode_of(&a[2], &c.mode) || (a[3].given && !esp32spi_ip4(a[3].obj, "ip", c.ip)))
        return PY_NULL;
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_listen, &c), NULL, "Could not start server") ? py_none()
                                                                                              : PY_NULL;
}

static bool state_of(esp32spi_obj_t *o, uint8_t slot, int64_t *out)
{
    esp32spi_result_t r;
    if (!esp32spi_do(o, ESP32SPI_NUMBERED(socket_state, slot), &r, NULL))
        return false;
    *out = r.r.number;
    return true;
}

const py_arg_t esp32spi_socket_connect_args[] = {PY_SLOT, PY_REQ_OBJ("dest"), PY_REQ_INT("port", 0, 65535),
                                                 PY_MODE, PY_END};

py_t esp32spi_socket_connect(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_obj_t *o = s;
    target_t c;
    const adder_mcu_t *mcu = py_mcu();
    esp32spi_say(o, "*** Socket connect mode %d", (int)a[3].i);
    if (!open_slot(o, a, &c))
        return PY_NULL;
    if (c.mode == ADDER_AIRLIFT_UDP) /* receives only with a port of its own: the other side's number */
        return esp32spi_do(o, ESP32SPI_GENERAL(begin_listen, &c), NULL, "Could not start server")
                   ? py_bool(true)
                   : PY_NULL;
    for (uint64_t start = mcu->sys->now_us(mcu->ctx);;) {
        int64_t state;
        if (!state_of(o, c.slot, &state))
            return PY_NULL;
        if (state == 4)
            return py_bool(true);
        if (mcu->sys->now_us(mcu->ctx) - start >= CONNECTED_US)
            return py_raise(PY_TimeoutError, "Failed to establish connection");
        if (!py_wait_us(10000))
            return PY_NULL;
    }
}

/* ---- state ---- */

const py_arg_t esp32spi_socket_status_args[] = {PY_SLOT, PY_END};
const py_arg_t esp32spi_socket_connected_args[] = {PY_SLOT, PY_END};
const py_arg_t esp32spi_socket_available_args[] = {PY_SLOT, PY_END};
const py_arg_t esp32spi_server_state_args[] = {PY_SLOT, PY_END};
const py_arg_t esp32spi_get_remote_data_args[] = {PY_SLOT, PY_END};

py_t esp32spi_socket_status(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int64_t state;
    return state_of(s, (uint8_t)a[0].i, &state) ? py_int(state) : PY_NULL;
}

py_t esp32spi_socket_connected(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int64_t state;
    return state_of(s, (uint8_t)a[0].i, &state) ? py_bool(state == 4) : PY_NULL;
}

static adder_err_t begin_available(adder_airlift_t *a, uint8_t slot)
{
    return adder_airlift_begin_available(a, slot, false);
}

py_t esp32spi_socket_available(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    const esp32spi_command_t c = {.numbered = begin_available, .n = (uint8_t)a[0].i};
    if (!esp32spi_do(s, &c, &r, NULL))
        return PY_NULL;
    esp32spi_say(s, "ESPSocket: %d bytes available", (int)r.r.number);
    return py_int(r.r.number);
}

py_t esp32spi_server_state(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    return esp32spi_do(s, ESP32SPI_NUMBERED(listening, (uint8_t)a[0].i), &r, NULL) ? py_int(r.r.number)
                                                                                   : PY_NULL;
}

py_t esp32spi_get_remote_data(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    if (!esp32spi_do(s, ESP32SPI_NUMBERED(remote, (uint8_t)a[0].i), &r, NULL))
        return PY_NULL;
    py_t dict = py_dict();
    if (py_null(dict) || !py_dict_set(dict, "ip_addr", py_bytearray(r.r.ip4[0], 4)) ||
        !py_dict_set(dict, "port", py_int(r.r.port)))
        return PY_NULL;
    return dict;
}

/* ---- data ---- */

typedef struct {
    uint8_t slot;
    const uint8_t *data;
    uint8_t *out;
    size_t len;
} piece_t;

static adder_err_t begin_send(adder_airlift_t *a, const void *args)
{
    const piece_t *c = args;
    return adder_airlift_begin_send(a, c->slot, c->data, c->len);
}

static adder_err_t begin_add(adder_airlift_t *a, const void *args)
{
    const piece_t *c = args;
    return adder_airlift_begin_add_datagram(a, c->slot, c->data, c->len);
}

static adder_err_t begin_recv(adder_airlift_t *a, const void *args)
{
    const piece_t *c = args;
    return adder_airlift_begin_recv(a, c->slot, c->out, c->len);
}

static py_t write_stream(esp32spi_obj_t *o, uint8_t slot, const py_buf_t *buf)
{
    size_t sent = 0;
    uint64_t pause_us = FIRST_PAUSE_US;
    while (sent < buf->len) {
        esp32spi_result_t r;
        size_t left = buf->len - sent;
        piece_t c = {.slot = slot, .data = buf->ptr + sent, .len = left < CHUNK ? left : CHUNK};
        if (!esp32spi_do(o, ESP32SPI_GENERAL(begin_send, &c), &r, NULL))
            return PY_NULL;
        sent += (size_t)r.r.number;
        if (r.r.number == (int64_t)c.len) {
            pause_us = FIRST_PAUSE_US;
            continue;
        }
        if (r.r.number == 0 || pause_us > LONGEST_PAUSE_US) {
            const py_val_t number = {.i = slot};
            if (py_null(esp32spi_socket_close(PY_NULL, o, &number)))
                return PY_NULL;
            return py_raise(PY_ConnectionError, "Failed to send %u bytes (sent %u)", (unsigned)buf->len,
                            (unsigned)sent);
        }
        if (!py_wait_us(pause_us))
            return PY_NULL;
        pause_us *= 2;
    }
    return py_int((int64_t)sent);
}

static py_t write_datagram(esp32spi_obj_t *o, uint8_t slot, const py_buf_t *buf)
{
    piece_t c = {.slot = slot, .data = buf->ptr, .len = buf->len};
    adder_err_t err = esp32spi_run(o, ESP32SPI_GENERAL(begin_add, &c), NULL);
    if (err == ADDER_OK)
        err = esp32spi_run(o, ESP32SPI_NUMBERED(send_datagram, slot), NULL);
    if (err == ADDER_ERR_REFUSED)
        return py_raise(PY_ConnectionError, "Failed to send UDP data");
    return err == ADDER_OK ? py_int((int64_t)buf->len) : PY_NULL;
}

const py_arg_t esp32spi_socket_write_args[] = {PY_SLOT, PY_REQ_RBUF("buffer"), PY_MODE, PY_END};

py_t esp32spi_socket_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    adder_airlift_mode_t mode;
    if (!mode_of(&a[2], &mode))
        return PY_NULL;
    esp32spi_say(s, "Writing: %u bytes", (unsigned)a[1].buf.len);
    return mode == ADDER_AIRLIFT_UDP ? write_datagram(s, (uint8_t)a[0].i, &a[1].buf)
                                     : write_stream(s, (uint8_t)a[0].i, &a[1].buf);
}

const py_arg_t esp32spi_socket_read_args[] = {PY_SLOT, PY_REQ_INT("size", 0, 65535), PY_END};

py_t esp32spi_socket_read(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    uint8_t bytes[READ_MAX];
    piece_t c = {.slot = (uint8_t)a[0].i, .out = bytes, .len = (size_t)a[1].i};
    if (c.len > sizeof bytes)
        c.len = sizeof bytes;
    esp32spi_say(s, "Reading %u bytes from ESP socket", (unsigned)a[1].i);
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_recv, &c), &r, NULL) ? py_bytes(bytes, r.r.len) : PY_NULL;
}
