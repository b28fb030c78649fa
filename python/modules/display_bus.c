/* What FourWire, ParallelBus and I2CDisplayBus have in common: pins, reset(), send(). */
#include "python/modules/digitalio.h"
#include "python/modules/display_pool.h"
#include "python/modules/pins.h"

static display_bus_obj_t *open_buses;

bool display_claim_pin(py_t v, const char *name, uint16_t *out)
{
    return pins_claim_arg(v, name, out);
}

/* A DigitalInOut has claimed its pin, and lets it go when it dies. */
static bool hold(display_bus_obj_t *b, py_t pin)
{
    py_t list = py_field_get(&b->pin_objects);
    if (!py_null(list))
        return py_list_append(list, pin);
    list = py_list(&pin, 1);
    if (py_null(list))
        return false;
    py_field_set(py_owner(b), &b->pin_objects, list);
    return true;
}

bool display_bus_pin(display_bus_obj_t *b, const py_val_t *a, const char *name, adder_pin_t *out)
{
    const adder_mcu_t *mcu = py_mcu();
    uint16_t pin;
    *out = (adder_pin_t){0};
    if (!a->given)
        return true;
    if (py_struct(a->obj, &digitalio_class) != NULL) {
        if (!digitalio_arg(a->obj, name, &pin, NULL) || !hold(b, a->obj))
            return false;
    } else if (display_claim_pin(a->obj, name, &pin)) {
        b->pins[b->pin_count++] = pin;
    } else {
        return false;
    }
    *out = (adder_pin_t){mcu->gpio, mcu->ctx, pin};
    return true;
}

void display_bus_opened(display_bus_obj_t *b)
{
    b->open = true;
    b->next = open_buses;
    open_buses = b;
}

void display_bus_close(display_bus_obj_t *b)
{
    const adder_mcu_t *mcu = py_mcu();
    for (display_bus_obj_t **p = &open_buses; *p != NULL; p = &(*p)->next) {
        if (*p == b) {
            *p = b->next;
            break;
        }
    }
    b->open = false;
    if (b->port != NULL)
        mcu->bus->close(mcu->ctx, b->port);
    b->port = NULL;
    while (b->pin_count > 0)
        pins_release(b->pins[--b->pin_count]);
}

void display_bus_close_all(void)
{
    while (open_buses != NULL)
        display_bus_close(open_buses);
}

bool display_bus_pulse_reset(display_bus_obj_t *b)
{
    adder_err_t err = b->bus.ops->reset(b->bus.ctx, false);
    if (err == ADDER_OK) {
        if (!py_wait_us(1000))
            return false;
        err = b->bus.ops->reset(b->bus.ctx, true);
        if (err == ADDER_OK && !py_wait_us(1000))
            return false;
    }
    if (err == ADDER_ERR_UNSUPPORTED)
        return py_fail(py_raise(PY_RuntimeError, "No reset pin"));
    return err == ADDER_OK || py_fail(py_raise_err(err, "reset"));
}

static void fini(void *s)
{
    display_bus_close(s);
}

static bool live(const void *s)
{
    return ((const display_bus_obj_t *)s)->open;
}

static py_t reset(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return display_bus_pulse_reset(s) ? py_none() : PY_NULL;
}

static const py_arg_t send_args[] = {PY_REQ_INT("command", 0, 255), PY_REQ_RBUF("data"),
                                     PY_KW_BOOL("toggle_every_byte", false), PY_END};

typedef struct {
    const display_bus_obj_t *b;
    const py_val_t *a;
    adder_err_t err;
} sending_t;

static bool try_send(void *ctx)
{
    sending_t *s = ctx;
    s->err =
        adder_display_bus_send(&s->b->bus, (uint8_t)s->a[0].i, s->a[2].b, s->a[1].buf.ptr, s->a[1].buf.len);
    return s->err != ADDER_ERR_AGAIN;
}

/* Waits while somebody else has the bus. */
static py_t send(py_t self, void *s, const py_val_t *a)
{
    sending_t sending = {s, a, ADDER_ERR_AGAIN};
    (void)self;
    if (!try_send(&sending) && !py_wait_until(try_send, &sending, UINT64_MAX, NULL))
        return PY_NULL;
    return sending.err == ADDER_OK ? py_none() : py_raise_err(sending.err, "send");
}

static const py_method_t methods[] = {{"reset", reset, NULL, 0, "Pulse the reset pin."},
                                      {"send", send, send_args, 0, "A command byte and its data."},
                                      PY_END};

static const uint16_t fields[] = {offsetof(display_bus_obj_t, shared),
                                  offsetof(display_bus_obj_t, pin_objects), PY_FIELDS_END};

const py_class_t display_bus_class = {
    .module = "displayio",
    .name = "DisplayBus",
    .size = sizeof(display_bus_obj_t),
    .no_new = true,
    .fini = fini,
    .live = live,
    .fields = fields,
    .methods = methods,
};
