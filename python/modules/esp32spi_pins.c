/* ESP_SPIcontrol: the chip's own pins, and the client's certificate and key. */
#include "python/modules/esp32spi.h"

#include <string.h>

#include "python/modules/digitalio.h"

typedef struct {
    uint8_t pin, value;
} pin_t;

#define PY_PIN PY_REQ_INT("pin", 0, 255)

/* ---- pins ---- */

static adder_err_t begin_mode(adder_airlift_t *a, const void *args)
{
    const pin_t *c = args;
    return adder_airlift_begin_pin_mode(a, c->pin, (adder_airlift_pin_mode_t)c->value);
}

static adder_err_t begin_write(adder_airlift_t *a, const void *args)
{
    const pin_t *c = args;
    return adder_airlift_begin_pin_write(a, c->pin, c->value != 0);
}

static adder_err_t begin_pwm(adder_airlift_t *a, const void *args)
{
    const pin_t *c = args;
    return adder_airlift_begin_pin_pwm(a, c->pin, c->value);
}

static adder_err_t begin_adc(adder_airlift_t *a, const void *args)
{
    const pin_t *c = args;
    return adder_airlift_begin_pin_adc(a, c->pin, c->value);
}

const py_arg_t esp32spi_set_pin_mode_args[] = {PY_PIN, PY_REQ_OBJ("mode"), PY_END};

/* digitalio.Direction, or 0 = input, 1 = output, 2 = input with pull-up. */
py_t esp32spi_set_pin_mode(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    int64_t mode;
    if (py_is_int(a[1].obj)) {
        if (!py_to_int(a[1].obj, &mode))
            return PY_NULL;
        if (mode < ADDER_AIRLIFT_PIN_IN || mode > ADDER_AIRLIFT_PIN_IN_PULL_UP)
            return py_raise(PY_ValueError, "mode must be 0-2");
    } else {
        int direction;
        if (!py_enum_arg(a[1].obj, &digitalio_direction_enum, "mode", &direction))
            return PY_NULL;
        mode = direction == DIGITALIO_OUTPUT ? ADDER_AIRLIFT_PIN_OUT : ADDER_AIRLIFT_PIN_IN;
    }
    const pin_t c = {.pin = (uint8_t)a[0].i, .value = (uint8_t)mode};
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_mode, &c), NULL, "Failed to set pin mode") ? py_none()
                                                                                            : PY_NULL;
}

const py_arg_t esp32spi_set_digital_write_args[] = {PY_PIN, PY_REQ_BOOL("value"), PY_END};

py_t esp32spi_set_digital_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const pin_t c = {.pin = (uint8_t)a[0].i, .value = a[1].b};
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_write, &c), NULL, "Failed to write to pin") ? py_none()
                                                                                             : PY_NULL;
}

const py_arg_t esp32spi_set_analog_write_args[] = {PY_PIN, PY_REQ_FLOAT("analog_value"), PY_END};

py_t esp32spi_set_analog_write(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    if (!(a[1].f >= 0 && a[1].f <= 1))
        return py_raise(PY_ValueError, "analog_value must be 0.0-1.0");
    const pin_t c = {.pin = (uint8_t)a[0].i, .value = (uint8_t)(255 * a[1].f)};
    return esp32spi_do(s, ESP32SPI_GENERAL(begin_pwm, &c), NULL, "Failed to write to pin") ? py_none()
                                                                                           : PY_NULL;
}

/* By the whole version: 3.3.0 is newer than 1.5.0. A chip that is not there yet is asked, and tells. */
static bool needs_1_5(esp32spi_obj_t *o)
{
    if (!esp32spi_alive(o))
        return false;
    py_pump_lock();
    const adder_airlift_t *chip = adder_airlift_net_chip(&o->stack);
    bool old = chip->firmware.major == 1 && chip->firmware.minor < 5;
    py_pump_unlock();
    if (!old)
        return true;
    py_t cls = py_attr(py_import("builtins"), "AssertionError");
    return py_fail(py_null(cls) ? cls : py_raise_class(cls, "Please update nina-fw to 1.5.0 or above."));
}

const py_arg_t esp32spi_set_digital_read_args[] = {PY_PIN, PY_END};

py_t esp32spi_set_digital_read(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    if (!needs_1_5(s) || !esp32spi_do(s, ESP32SPI_NUMBERED(pin_read, (uint8_t)a[0].i), &r, NULL))
        return PY_NULL;
    if (r.r.number != 0 && r.r.number != 1)
        return esp32spi_raise_pair(PY_OSError, "_SET_DIGITAL_READ response error: response is not boolean",
                                   py_int(r.r.number));
    return py_bool(r.r.number == 1);
}

const py_arg_t esp32spi_set_analog_read_args[] = {PY_PIN, PY_OPT_INT("atten", 3, 0, 3), PY_END};

py_t esp32spi_set_analog_read(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    esp32spi_result_t r;
    const pin_t c = {.pin = (uint8_t)a[0].i, .value = (uint8_t)a[1].i};
    if (!needs_1_5(s) || !esp32spi_do(s, ESP32SPI_GENERAL(begin_adc, &c), &r, NULL))
        return PY_NULL;
    if (r.r.number < 0)
        return esp32spi_raise_pair(PY_ValueError, "_SET_ANALOG_READ parameter error: invalid pin",
                                   py_int(r.r.number));
    return py_int(16 * r.r.number);
}

static adder_err_t begin_debug(adder_airlift_t *a, uint8_t on)
{
    return adder_airlift_begin_set_debug(a, on != 0);
}

const py_arg_t esp32spi_set_esp_debug_args[] = {PY_REQ_BOOL("enabled"), PY_END};

py_t esp32spi_set_esp_debug(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const esp32spi_command_t c = {.numbered = begin_debug, .n = a[0].b};
    return esp32spi_do(s, &c, NULL, "Failed to set debug mode") ? py_none() : PY_NULL;
}

/* ---- credentials ---- */

typedef struct {
    const char *method, *begin, *wrong, *size, *refusal;
    size_t limit;
    bool key;
} credential_t;

static const credential_t certificate = {.method = "set_certificate",
                                         .begin = "-----BEGIN CERTIFICATE",
                                         .wrong = ".PEM must start with -----BEGIN CERTIFICATE",
                                         .size = ".PEM must be less than 1300 bytes.",
                                         .refusal = "Failed to set client certificate",
                                         .limit = ADDER_AIRLIFT_CERT_MAX};
static const credential_t private_key = {.method = "set_private_key",
                                         .begin = "-----BEGIN RSA",
                                         .wrong = ".PEM must start with -----BEGIN RSA",
                                         .size = ".PEM must be less than 1700 bytes.",
                                         .refusal = "Failed to set private key.",
                                         .limit = ADDER_AIRLIFT_KEY_MAX,
                                         .key = true};

typedef struct {
    const char *pem;
    size_t len;
} pem_t;

static adder_err_t begin_cert(adder_airlift_t *a, const void *args)
{
    const pem_t *c = args;
    return adder_airlift_begin_set_client_cert(a, c->pem, c->len);
}

static adder_err_t begin_key(adder_airlift_t *a, const void *args)
{
    const pem_t *c = args;
    return adder_airlift_begin_set_private_key(a, c->pem, c->len);
}

static bool contains(const char *text, size_t len, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(text + i, what, n) == 0)
            return true;
    }
    return false;
}

/* A pair is kept by the stack, since a chip that had to be reset has forgotten it. */
static bool keep(esp32spi_obj_t *o)
{
    py_t cert = py_field_get(&o->cert), key = py_field_get(&o->key);
    py_buf_t c, k;
    if (py_null(cert) || py_null(key))
        return true;
    if (!py_buffer_read(cert, &c) || !py_buffer_read(key, &k))
        return false;
    py_pump_lock();
    adder_err_t err =
        adder_airlift_net_set_client_cert(&o->stack, (const char *)c.ptr, c.len, (const char *)k.ptr, k.len);
    py_pump_unlock();
    return err == ADDER_OK || py_fail(esp32spi_raise(err));
}

static py_t set_credential(py_t self, esp32spi_obj_t *o, py_t value, const credential_t *what)
{
    pem_t c;
    py_buf_t buf;
    if (!esp32spi_alive(o))
        return PY_NULL;
    if (esp32spi_is_joined(o))
        return py_raise(PY_ValueError, "%s must be called BEFORE a connection is established.", what->method);
    if (py_is_str(value)) {
        if (!py_to_str(value, &c.pem, &c.len))
            return PY_NULL;
    } else {
        if (!py_buffer_read(value, &buf))
            return PY_NULL;
        c = (pem_t){(const char *)buf.ptr, buf.len};
    }
    if (!contains(c.pem, c.len, what->begin))
        return py_raise(PY_TypeError, "%s", what->wrong);
    if (c.len > what->limit) {
        py_t cls = py_attr(py_import("builtins"), "AssertionError");
        return py_null(cls) ? cls : py_raise_class(cls, "%s", what->size);
    }
    py_t copy = py_bytes(c.pem, c.len);
    if (py_null(copy) ||
        !esp32spi_do(o, ESP32SPI_GENERAL(what->key ? begin_key : begin_cert, &c), NULL, what->refusal))
        return PY_NULL;
    /* The stack borrows the one of before until keep(); the handle keeps it so long. */
    py_t before = py_field_get(what->key ? &o->key : &o->cert);
    (void)before;
    py_field_set(self, what->key ? &o->key : &o->cert, copy);
    if (!keep(o))
        return PY_NULL;
    *(what->key ? &o->set_psk : &o->set_crt) = true;
    const uint8_t done = 1;
    return py_bytearray(&done, 1);
}

const py_arg_t esp32spi_set_certificate_args[] = {PY_REQ_OBJ("client_certificate"), PY_END};

py_t esp32spi_set_certificate(py_t self, void *s, const py_val_t *a)
{
    return set_credential(self, s, a[0].obj, &certificate);
}

const py_arg_t esp32spi_set_private_key_args[] = {PY_REQ_OBJ("private_key"), PY_END};

py_t esp32spi_set_private_key(py_t self, void *s, const py_val_t *a)
{
    return set_credential(self, s, a[0].obj, &private_key);
}

py_t esp32spi_get_set_psk(py_t self, void *s)
{
    (void)self;
    return py_bool(((esp32spi_obj_t *)s)->set_psk);
}

py_t esp32spi_get_set_crt(py_t self, void *s)
{
    (void)self;
    return py_bool(((esp32spi_obj_t *)s)->set_crt);
}

py_t esp32spi_get_debug(py_t self, void *s)
{
    (void)self;
    return py_bool(((esp32spi_obj_t *)s)->debug);
}

/* Programs switch it on where something goes wrong. */
bool esp32spi_set_debug(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_bool(value, &((esp32spi_obj_t *)s)->debug);
}
