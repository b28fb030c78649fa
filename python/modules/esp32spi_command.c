/* One command of the chip on behalf of a method: the stack is asked to stand still, the command is begun, the
 * pump drives it to its end. And what methods share: arguments, exceptions, debug output. */
#include "python/modules/esp32spi.h"

#include <stdio.h>
#include <string.h>

#include "adder/ip.h"

/* What Adafruit's library waits for the module. */
enum { PATIENCE_US = 10000000 };

/* ---- running ---- */

typedef struct {
    esp32spi_obj_t *o;
    const esp32spi_command_t *c;
    esp32spi_result_t *out;
    adder_airlift_t *chip; /* NULL: not ours yet */
    uint64_t due_us;
} run_t;

static uint64_t now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

static adder_err_t begin(const run_t *r)
{
    const esp32spi_command_t *c = r->c;
    return c->plain != NULL      ? c->plain(r->chip)
           : c->numbered != NULL ? c->numbered(r->chip, c->n)
                                 : c->general(r->chip, c->args);
}

static void keep_result(const run_t *r)
{
    if (r->out == NULL)
        return;
    r->out->r = r->chip->result;
    r->out->r.text = NULL;
    r->out->text[0] = '\0';
    if (r->chip->result.text != NULL)
        snprintf(r->out->text, sizeof r->out->text, "%s", r->chip->result.text);
}

static adder_err_t step(void *ctx)
{
    run_t *r = ctx;
    adder_err_t err;
    if (r->chip == NULL) {
        adder_airlift_t *chip;
        err = adder_airlift_net_claim(&r->o->stack, &chip);
        if (err != ADDER_OK)
            return err;
        r->chip = chip;
        r->due_us = now_us() + PATIENCE_US;
        err = begin(r);
        if (err != ADDER_OK)
            return err;
    }
    uint64_t now = now_us();
    err = adder_airlift_tick(r->chip, now);
    if (err == ADDER_ERR_AGAIN && now >= r->due_us)
        return ADDER_ERR_TIMEOUT;
    if (err == ADDER_OK)
        keep_result(r);
    return err;
}

/* Whatever has happened: buffers of Python's are no longer borrowed, the stack goes on. */
static void finish(run_t *r)
{
    if (r->chip == NULL)
        return;
    py_pump_lock();
    adder_airlift_give_up(r->chip); /* nothing if the command has ended */
    adder_airlift_net_release(&r->o->stack);
    py_pump_unlock();
    py_pump_poke();
}

adder_err_t esp32spi_run(esp32spi_obj_t *o, const esp32spi_command_t *c, esp32spi_result_t *out)
{
    if (!esp32spi_alive(o))
        return ADDER_ERR_STATE;
    run_t r = {.o = o, .c = c, .out = out};
    adder_err_t err;
    bool ok = net_attempt(&o->sockets, step, &r, 2 * (uint64_t)PATIENCE_US, &err);
    finish(&r);
    if (!ok)
        return ADDER_ERR_STATE; /* Ctrl-C and the like: raised */
    if (err != ADDER_OK && err != ADDER_ERR_REFUSED)
        esp32spi_raise(err);
    return err;
}

bool esp32spi_do(esp32spi_obj_t *o, const esp32spi_command_t *c, esp32spi_result_t *out, const char *refusal)
{
    adder_err_t err = esp32spi_run(o, c, out);
    if (err == ADDER_ERR_REFUSED)
        return py_fail(refusal != NULL ? py_raise(PY_OSError, "%s", refusal)
                                       : esp32spi_raise(ADDER_ERR_UNSUPPORTED));
    return err == ADDER_OK;
}

/* ---- exceptions ---- */

py_t esp32spi_raise(adder_err_t err)
{
    switch (err) {
    case ADDER_ERR_TIMEOUT:
    case ADDER_ERR_NOT_FOUND: /* does not start */
    case ADDER_ERR_CLOSED:    /* had to be reset */
    case ADDER_ERR_AGAIN:
        return py_raise(PY_TimeoutError, "ESP32 not responding");
    case ADDER_ERR_UNSUPPORTED:
        return py_raise(PY_BrokenPipeError, "Error response to command");
    case ADDER_ERR_IO:
        return py_raise(PY_BrokenPipeError, "Malformed response to command");
    case ADDER_ERR_RANGE:
        return py_raise(PY_ValueError, "more than the firmware takes");
    case ADDER_ERR_NOMEM:
        return py_raise_errno(23, NULL); /* ENFILE */
    default:
        return py_raise_err(err, "ESP32");
    }
}

py_t esp32spi_raise_pair(py_exc_t exc, const char *text, py_t second)
{
    py_t instance = py_call(py_exc_class(exc), (const py_t[]){py_str(text), second}, 2);
    if (!py_null(instance))
        py_raise_again(instance);
    return PY_NULL;
}

void esp32spi_say(const esp32spi_obj_t *o, const char *format, ...)
{
    if (!o->debug)
        return;
    char line[200];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof line - 2 ? (size_t)n : sizeof line - 2;
    line[len++] = '\n';
    py_console_write(line, len);
}

/* ---- arguments ---- */

bool esp32spi_text(py_t v, const char *name, size_t max, char *out)
{
    const char *text;
    size_t len;
    py_buf_t buf;
    if (py_is_str(v)) {
        if (!py_to_str(v, &text, &len))
            return false;
    } else {
        if (!py_is_buffer(v))
            return py_fail(py_raise(PY_TypeError, "%s must be str or bytes, not %s", name, py_type_name(v)));
        if (!py_buffer_read(v, &buf))
            return false;
        text = (const char *)buf.ptr;
        len = buf.len;
    }
    if (len > max)
        return py_fail(py_raise(PY_ValueError, "%s must be no more than %u characters", name, (unsigned)max));
    if (len > 0 && memchr(text, 0, len) != NULL)
        return py_fail(py_raise(PY_ValueError, "%s must not hold a NUL", name));
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

bool esp32spi_ip4(py_t v, const char *name, uint8_t out[4])
{
    adder_ip_t ip;
    const char *text;
    size_t len;
    py_buf_t buf;
    if (py_is_str(v)) {
        if (!py_to_str(v, &text, &len))
            return false;
        if (adder_ip_parse(text, len, &ip) != ADDER_OK || ip.family != ADDER_IP_V4)
            return py_fail(py_raise(PY_ValueError, "%s must be an IPv4 address", name));
        memcpy(out, ip.bytes, 4);
        return true;
    }
    if (!py_buffer_read(v, &buf))
        return false;
    if (buf.len != 4)
        return py_fail(py_raise(PY_ValueError, "%s must be 4 bytes", name));
    memcpy(out, buf.ptr, 4);
    return true;
}

py_t esp32spi_ip_text(const uint8_t ip[4])
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    return py_str(text);
}

/* ---- names ---- */

typedef struct {
    const adder_net_t *net;
    const char *name;
    adder_ip_t ip;
} lookup_t;

static adder_err_t resolve(void *ctx)
{
    lookup_t *l = ctx;
    size_t n = 0;
    adder_err_t err = l->net->ops->resolve(l->net->ctx, l->name, ADDER_IP_V4, &l->ip, 1, &n);
    return err == ADDER_OK && n == 0 ? ADDER_ERR_NOT_FOUND : err;
}

bool esp32spi_lookup(esp32spi_obj_t *o, const char *name, uint8_t ip_out[4])
{
    if (!esp32spi_alive(o))
        return false;
    lookup_t l = {.net = &o->sockets.net, .name = name};
    adder_err_t err = adder_ip_parse(name, strlen(name), &l.ip);
    if (err != ADDER_OK && !net_attempt(&o->sockets, resolve, &l, PATIENCE_US, &err))
        return false;
    if (err != ADDER_OK || l.ip.family != ADDER_IP_V4)
        return py_fail(py_raise(PY_ConnectionError, "Failed to request hostname"));
    memcpy(ip_out, l.ip.bytes, 4);
    return true;
}
