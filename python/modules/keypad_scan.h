/* What keypad's three scanners have in common: keys, debouncing, the scan as background work. */
#ifndef ADDER_PYTHON_KEYPAD_SCAN_H
#define ADDER_PYTHON_KEYPAD_SCAN_H

#include "python/modules/keypad_queue.h"

typedef struct keypad_scanner {
    py_field_t events;
    py_background_t background;
    keypad_queue_t *queue;
    uint16_t *pins; /* claimed */
    size_t pin_count;
    int8_t *state;  /* per key: 0 released, 1 pressed */
    int8_t *streak; /* per key: scans in a row that differ from state */
    uint16_t key_count;
    uint32_t interval_us;
    uint8_t threshold;
    bool open;
    /* Look at every key now: keypad_scan_key() for each. */
    void (*scan)(struct keypad_scanner *k);
} keypad_scanner_t;

/* "interval=0.020, max_events=64, debounce_threshold=1" of every constructor, in this order. */
#define KEYPAD_ARGS                                                                                          \
    PY_KW_FLOAT("interval", 0.020), PY_KW_INT("max_events", 64, 1, 65535),                                   \
        PY_KW_INT("debounce_threshold", 1, 1, 127)

/* Claim the pins of a sequence, appended to k->pins. TypeError for duplicates and what is no Pin. */
bool keypad_claim(keypad_scanner_t *k, py_t pins, const char *name);
bool keypad_claim_one(keypad_scanner_t *k, py_t pin, const char *name);
/* Last step of init: `a` points at the three common arguments. */
bool keypad_start(py_t self, keypad_scanner_t *k, size_t key_count, const py_val_t *a,
                  void (*scan)(keypad_scanner_t *k));
void keypad_scan_key(keypad_scanner_t *k, uint16_t key, bool pressed);

void keypad_fini(void *s);
bool keypad_live(const void *s);
extern const py_method_t keypad_methods[]; /* deinit, reset */
extern const py_prop_t keypad_props[];     /* events, key_count */
py_t keypad_reset(py_t self, void *s, const py_val_t *a);
extern const uint16_t keypad_fields[];

#endif
