/* The common part of keypad's scanners */
#include "python/modules/keypad_scan.h"

#include <string.h>

#include "python/modules/pins.h"

enum { TICK_US = 977, PINS_AT_MOST = 64 }; /* 1024 Hz, the tick of the board */

bool keypad_claim_one(keypad_scanner_t *k, py_t pin, const char *name)
{
    uint16_t number;
    if (k->pins == NULL && (k->pins = py_alloc(PINS_AT_MOST * sizeof *k->pins)) == NULL)
        return false;
    if (k->pin_count == PINS_AT_MOST)
        return py_fail(py_raise(PY_ValueError, "%s: at most %d pins", name, PINS_AT_MOST));
    if (!pins_arg(pin, name, &number))
        return false;
    for (size_t i = 0; i < k->pin_count; i++) {
        if (k->pins[i] == number)
            return py_fail(py_raise(PY_TypeError, "%s contains duplicate pins", name));
    }
    if (!pins_claim(number))
        return false;
    k->pins[k->pin_count++] = number;
    return true;
}

bool keypad_claim(keypad_scanner_t *k, py_t pins, const char *name)
{
    size_t n;
    if (!py_len(pins, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        py_t pin = py_item_at(pins, i);
        if (py_null(pin) || !keypad_claim_one(k, pin, name))
            return false;
    }
    return true;
}

static uint64_t run(void *ctx, uint64_t now_us)
{
    keypad_scanner_t *k = ctx;
    k->scan(k);
    return now_us + k->interval_us;
}

bool keypad_start(py_t self, keypad_scanner_t *k, size_t key_count, const py_val_t *a,
                  void (*scan)(keypad_scanner_t *k))
{
    if (!(a[0].f >= 0) || a[0].f > 3600)
        return py_fail(py_raise(PY_ValueError, "interval must be >= 0"));
    if (key_count == 0 || key_count > UINT16_MAX)
        return py_fail(py_raise(PY_ValueError, "key_count must be 1-%d", UINT16_MAX));
    uint32_t us = (uint32_t)(a[0].f * 1e6);
    k->interval_us = us < TICK_US ? TICK_US : us;
    k->threshold = (uint8_t)a[2].i;
    k->key_count = (uint16_t)key_count;
    k->state = py_alloc(key_count * 2);
    k->queue = k->state ? keypad_queue_new((size_t)a[1].i) : NULL;
    if (k->queue == NULL)
        return false;
    k->streak = k->state + key_count;
    py_t events = keypad_queue_object(k->queue);
    if (py_null(events))
        return false;
    py_field_set(self, &k->events, events);
    k->scan = scan;
    k->open = true;
    k->background = (py_background_t){.run = run, .ctx = k};
    py_background_add(&k->background);
    return true;
}

void keypad_scan_key(keypad_scanner_t *k, uint16_t key, bool pressed)
{
    if (k->state[key] == pressed) {
        k->streak[key] = 0;
        return;
    }
    if (++k->streak[key] < (int8_t)k->threshold)
        return;
    k->streak[key] = 0;
    k->state[key] = pressed;
    keypad_queue_put(k->queue, key, pressed);
}

void keypad_fini(void *s)
{
    keypad_scanner_t *k = s;
    if (k->open)
        py_background_remove(&k->background);
    k->open = false;
    while (k->pin_count > 0)
        pins_release(k->pins[--k->pin_count]);
    py_free(k->pins);
    py_free(k->state);
    keypad_queue_release(k->queue);
    k->pins = NULL;
    k->state = k->streak = NULL;
    k->queue = NULL;
}

bool keypad_live(const void *s)
{
    return ((const keypad_scanner_t *)s)->open;
}

/* As if all were released: what is held is reported again. */
py_t keypad_reset(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    keypad_scanner_t *k = s;
    memset(k->state, 0, (size_t)k->key_count * 2);
    return py_none();
}

static py_t get_events(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((keypad_scanner_t *)s)->events);
}

static py_t get_key_count(py_t self, void *s)
{
    (void)self;
    return py_int(((keypad_scanner_t *)s)->key_count);
}

const py_method_t keypad_methods[] = {PY_DEINIT, {"reset", keypad_reset, NULL, 0, NULL}, PY_END};
const py_prop_t keypad_props[] = {
    {"events", get_events, NULL, 0, NULL}, {"key_count", get_key_count, NULL, 0, NULL}, PY_END};
const uint16_t keypad_fields[] = {offsetof(keypad_scanner_t, events), PY_FIELDS_END};
