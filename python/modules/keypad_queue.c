/* keypad.Event, keypad.EventQueue */
#include "python/modules/keypad_queue.h"

#include <stdio.h>

#include "python/modules/supervisor.h"

/* ---- the queue ---- */

keypad_queue_t *keypad_queue_new(size_t cap)
{
    keypad_queue_t *q = py_alloc(sizeof *q + cap * sizeof *q->events);
    if (q != NULL) {
        q->refs = 1;
        q->cap = cap;
        q->events = (keypad_event_t *)(void *)(q + 1);
    }
    return q;
}

void keypad_queue_release(keypad_queue_t *q)
{
    if (q != NULL && --q->refs == 0)
        py_free(q);
}

void keypad_queue_put(keypad_queue_t *q, uint16_t key, bool pressed)
{
    if (q->n == q->cap) {
        q->overflowed = true;
        return;
    }
    q->events[(q->first + q->n++) % q->cap] =
        (keypad_event_t){.key = key, .pressed = pressed, .timestamp = (uint32_t)supervisor_ticks_ms()};
}

static bool take(keypad_queue_t *q, keypad_event_t *out)
{
    if (q->n == 0)
        return false;
    *out = q->events[q->first];
    q->first = (q->first + 1) % q->cap;
    q->n--;
    return true;
}

/* ---- Event ---- */

static const py_arg_t event_args[] = {PY_OPT_INT("key_number", 0, 0, 65535), PY_OPT_BOOL("pressed", true),
                                      PY_OPT_OBJ("timestamp"), PY_END};

static bool event_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    keypad_event_t *e = s;
    int64_t when = supervisor_ticks_ms();
    if (a[2].given && !py_to_int(a[2].obj, &when))
        return false;
    *e = (keypad_event_t){.key = (uint16_t)a[0].i, .pressed = a[1].b, .timestamp = (uint32_t)when};
    return true;
}

static py_t event_key_number(py_t self, void *s)
{
    (void)self;
    return py_int(((keypad_event_t *)s)->key);
}

static py_t event_pressed(py_t self, void *s)
{
    (void)self;
    return py_bool(((keypad_event_t *)s)->pressed);
}

static py_t event_released(py_t self, void *s)
{
    (void)self;
    return py_bool(!((keypad_event_t *)s)->pressed);
}

static py_t event_timestamp(py_t self, void *s)
{
    (void)self;
    return py_int(((keypad_event_t *)s)->timestamp);
}

static bool event_equal(py_t self, void *s, py_t other, bool *out)
{
    (void)self;
    const keypad_event_t *e = s, *o = py_struct(other, &keypad_event_class);
    *out = o != NULL && o->key == e->key && o->pressed == e->pressed;
    return true;
}

static int64_t event_hash(void *s)
{
    const keypad_event_t *e = s;
    return (int64_t)e->key * 2 + e->pressed;
}

static py_t event_repr(py_t self, void *s)
{
    (void)self;
    const keypad_event_t *e = s;
    char text[64];
    snprintf(text, sizeof text, "<Event: key_number %u %s>", e->key, e->pressed ? "pressed" : "released");
    return py_str(text);
}

static const py_prop_t event_props[] = {{"key_number", event_key_number, NULL, 0, NULL},
                                        {"pressed", event_pressed, NULL, 0, NULL},
                                        {"released", event_released, NULL, 0, NULL},
                                        {"timestamp", event_timestamp, NULL, 0, NULL},
                                        PY_END};
const py_class_t keypad_event_class = {.module = "keypad",
                                       .name = "Event",
                                       .size = sizeof(keypad_event_t),
                                       .init_args = event_args,
                                       .init = event_init,
                                       .props = event_props,
                                       .equal = event_equal,
                                       .hash = event_hash,
                                       .repr = event_repr};

/* ---- EventQueue ---- */

typedef struct {
    keypad_queue_t *queue;
} queue_obj_t;

static keypad_queue_t *queue(void *s)
{
    return ((queue_obj_t *)s)->queue;
}

static void queue_fini(void *s)
{
    keypad_queue_release(queue(s));
    ((queue_obj_t *)s)->queue = NULL;
}

static py_t queue_get(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    keypad_event_t e;
    void *event;
    if (!take(queue(s), &e))
        return py_none();
    py_t v = py_new(&keypad_event_class, &event);
    if (!py_null(v))
        *(keypad_event_t *)event = e;
    return v;
}

static const py_arg_t into_args[] = {PY_REQ_OBJ("event"), PY_END};

static py_t queue_get_into(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    keypad_event_t *e = py_struct_arg(a[0].obj, &keypad_event_class, "event");
    return e == NULL ? PY_NULL : py_bool(take(queue(s), e));
}

static py_t queue_clear(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    queue(s)->n = 0;
    queue(s)->overflowed = false;
    return py_none();
}

static py_t queue_overflowed(py_t self, void *s)
{
    (void)self;
    return py_bool(queue(s)->overflowed);
}

static bool queue_len(py_t self, void *s, size_t *out)
{
    (void)self;
    *out = queue(s)->n;
    return true;
}

static const py_method_t queue_methods[] = {{"get", queue_get, NULL, 0, NULL},
                                            {"get_into", queue_get_into, into_args, 0, NULL},
                                            {"clear", queue_clear, NULL, 0, NULL},
                                            PY_END};
static const py_prop_t queue_props[] = {{"overflowed", queue_overflowed, NULL, 0, NULL}, PY_END};
const py_class_t keypad_queue_class = {.module = "keypad",
                                       .name = "EventQueue",
                                       .size = sizeof(queue_obj_t),
                                       .no_new = true,
                                       .final = true,
                                       .fini = queue_fini,
                                       .methods = queue_methods,
                                       .props = queue_props,
                                       .len = queue_len};

py_t keypad_queue_object(keypad_queue_t *q)
{
    void *s;
    py_t v = py_new(&keypad_queue_class, &s);
    if (!py_null(v)) {
        q->refs++;
        ((queue_obj_t *)s)->queue = q;
    }
    return v;
}
