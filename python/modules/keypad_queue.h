/* keypad's events: the queue that scanning fills, apart from the Python objects around it, so that
 * background work touches none. */
#ifndef ADDER_PYTHON_KEYPAD_QUEUE_H
#define ADDER_PYTHON_KEYPAD_QUEUE_H

#include "python/layer/py.h"

typedef struct {
    uint16_t key;
    bool pressed;
    uint32_t timestamp; /* supervisor.ticks_ms() */
} keypad_event_t;

typedef struct {
    unsigned refs; /* the scanner's and the EventQueue object's */
    size_t cap, first, n;
    bool overflowed;
    keypad_event_t *events;
} keypad_queue_t;

keypad_queue_t *keypad_queue_new(size_t cap); /* one reference; NULL with MemoryError */
void keypad_queue_release(keypad_queue_t *q); /* NULL is allowed */
/* A full queue drops the new event and says so in `overflowed`. */
void keypad_queue_put(keypad_queue_t *q, uint16_t key, bool pressed);

/* The EventQueue object of a queue; takes a reference of its own. */
py_t keypad_queue_object(keypad_queue_t *q);

extern const py_class_t keypad_event_class, keypad_queue_class;

#endif
