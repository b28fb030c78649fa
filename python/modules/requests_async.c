/* adafruit_requests with await: the same exchange, a step at a time between other tasks */
#include "python/modules/requests_int.h"

/* Tasks of asyncio wait by going back into its queue with a time: sleep_ms() does that and yields None. */
py_t requests_yield(void)
{
    py_t asyncio = py_import_program("asyncio");
    if (py_null(asyncio)) { /* another scheduler runs this: it asks again when it likes */
        if (!py_error_is(PY_ImportError))
            return PY_NULL;
        py_error_clear();
        return py_none();
    }
    py_t pause = py_int(1), sleep = py_call_method(asyncio, "sleep_ms", &pause, 1), ignored;
    py_t iter = py_null(sleep) ? PY_NULL : py_iter(sleep);
    bool done;
    return py_null(iter) || (!py_next(iter, &ignored, &done) && !done) ? PY_NULL : py_none();
}

/* What next() came to, as send() of a coroutine says it: asyncio runs such things as tasks. */
static py_t sent(py_t yielded)
{
    return py_null(yielded) && !py_error() ? requests_await_done(py_none()) : yielded;
}

py_t requests_await_done(py_t value)
{
    py_t stop = py_call(py_exc_class(PY_StopIteration), &value, 1);
    if (!py_null(stop))
        py_raise_again(stop);
    return PY_NULL;
}

bool requests_patient(requests_patience_t *p, uint64_t moved, uint64_t most_us)
{
    const adder_mcu_t *mcu = py_mcu();
    uint64_t now = mcu->sys->now_us(mcu->ctx);
    if (!p->waiting || p->moved != moved) {
        *p = (requests_patience_t){.waiting = true, .moved = moved, .since_us = now};
        return true;
    }
    return now - p->since_us <= most_us;
}

static bool set_nonblocking(response_t *r, bool on)
{
    const request_t *q = py_struct(py_field_get(&r->request), &requests_request_class);
    if (r->socket.native)
        return true;
    py_t timeout = on ? py_int(0) : py_field_get(&q->timeout);
    r->socket.nonblocking = on;
    return !py_null(py_call_method(py_field_get(&r->socket.socket), "settimeout", &timeout, 1));
}

bool requests_move_async(response_t *r, requests_move_fn move, requests_patience_t *patience, bool *again)
{
    if (!set_nonblocking(r, true))
        return false;
    requests_move_once(r, move);
    if (!set_nonblocking(r, false))
        return false;
    *again = r->e->err == ADDER_ERR_AGAIN;
    if (*again && !requests_patient(patience, r->e->x.moved, r->idle_us)) {
        r->e->err = ADDER_ERR_TIMEOUT;
        *again = false;
    }
    if (!*again)
        patience->waiting = false;
    return true;
}

/* ---- await session.request_async(...) ---- */

static const uint16_t request_fields[] = {offsetof(request_t, session),     offsetof(request_t, method),
                                          offsetof(request_t, url),         offsetof(request_t, headers),
                                          offsetof(request_t, timeout),     offsetof(request_t, response),
                                          offsetof(request_t, body.pieces), offsetof(request_t, body.bytes),
                                          offsetof(request_t, body.error),  PY_FIELDS_END};

static void request_fini(void *s)
{
    request_t *q = s;
    py_free(q->body.feed);
    q->body.feed = NULL;
}

static py_t request_next(py_t self, void *s)
{
    request_t *q = s;
    bool done;
    if (q->over)
        return PY_NULL;
    q->over = true; /* unless it goes on */
    if (!requests_step(self, q, &done))
        return PY_NULL;
    if (done)
        return requests_await_done(py_field_get(&q->response));
    q->over = false;
    return requests_yield();
}

/* ---- the end of a task that awaits ---- */

/* Raise what a coroutine's throw() is given: an instance, or a class and perhaps its instance. */
static py_t raise_thrown(py_t args)
{
    size_t n;
    if (!py_len(args, &n) || n == 0)
        return PY_NULL;
    py_t first = py_item_at(args, 0), second = n > 1 ? py_item_at(args, 1) : py_none();
    if (!py_null(first) && py_is_callable(first))
        first = py_null(second) || !py_is_none(second) ? second : py_call(first, NULL, 0);
    if (!py_null(first))
        py_raise_again(first);
    return PY_NULL;
}

static void drop(py_t response)
{
    if (!py_null(response))
        requests_response_drop(response, py_struct(response, &requests_response_class));
}

/* Cancelled, or nobody waits any more: an answer that is on its way must not be taken for another's. */
static py_t request_close(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    request_t *q = s;
    if (!q->over) {
        drop(py_field_get(&q->response));
        requests_drop_socket(self, q);
    }
    py_field_set(self, &q->response, PY_NULL);
    q->over = true;
    return py_none();
}

static const py_arg_t send_args[] = {PY_REQ_OBJ("value"), PY_END};
static const py_arg_t throw_args[] = {PY_REST("args"), PY_END};

static py_t request_send(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    return sent(request_next(self, s));
}

static py_t request_throw(py_t self, void *s, const py_val_t *a)
{
    (void)request_close(self, s, NULL);
    return raise_thrown(a[0].obj);
}

static const py_method_t request_methods[] = {{"close", request_close, NULL, 0, NULL},
                                              {"send", request_send, send_args, 0, NULL},
                                              {"throw", request_throw, throw_args, 0, NULL},
                                              PY_END};
const py_class_t requests_request_class = {.module = "adafruit_requests",
                                           .name = "coroutine",
                                           .size = sizeof(request_t),
                                           .no_new = true,
                                           .fini = request_fini,
                                           .fields = request_fields,
                                           .methods = request_methods,
                                           .next = request_next};

/* ---- await response.read_async() ---- */

typedef struct {
    py_field_t response;
    requests_patience_t patience;
    bool over;
} reading_t;

enum { PIECES = 16 };

static const uint16_t reading_fields[] = {offsetof(reading_t, response), PY_FIELDS_END};

/* One turn: what has come, in a bounded number of pieces. True with *end: read. */
static bool read_turn(reading_t *o, py_t response, response_t *r, bool *end)
{
    for (int piece = 0; piece < PIECES && !*end; piece++) {
        bool again;
        if (!requests_load_begin(response, r) ||
            !requests_move_async(r, requests_move_some, &o->patience, &again)) {
            requests_response_drop(response, r);
            return false;
        }
        if (again)
            return true;
        if (py_null(requests_load_end(response, r, true, end)))
            return false;
    }
    return true;
}

static py_t reading_next(py_t self, void *s)
{
    (void)self;
    reading_t *o = s;
    py_t response = py_field_get(&o->response);
    response_t *r = py_struct(response, &requests_response_class);
    bool end = py_null(py_field_get(&r->socket.socket)); /* read already, or closed */
    if (o->over)
        return PY_NULL;
    o->over = true; /* unless it goes on */
    if (!end && !read_turn(o, response, r, &end))
        return PY_NULL;
    if (end) {
        py_t bytes = requests_loaded(r);
        return py_null(bytes) ? bytes : requests_await_done(bytes);
    }
    o->over = false;
    return requests_yield();
}

static py_t reading_close(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    reading_t *o = s;
    if (!o->over)
        drop(py_field_get(&o->response));
    o->over = true;
    return py_none();
}

static py_t reading_send(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    return sent(reading_next(self, s));
}

static py_t reading_throw(py_t self, void *s, const py_val_t *a)
{
    (void)reading_close(self, s, NULL);
    return raise_thrown(a[0].obj);
}

static const py_method_t reading_methods[] = {{"close", reading_close, NULL, 0, NULL},
                                              {"send", reading_send, send_args, 0, NULL},
                                              {"throw", reading_throw, throw_args, 0, NULL},
                                              PY_END};
static const py_class_t reading_class = {.module = "adafruit_requests",
                                         .name = "coroutine",
                                         .size = sizeof(reading_t),
                                         .no_new = true,
                                         .fields = reading_fields,
                                         .methods = reading_methods,
                                         .next = reading_next};

py_t requests_m_read_async(py_t self, void *s, const py_val_t *a)
{
    (void)s, (void)a;
    void *inner;
    py_t v = py_new(&reading_class, &inner);
    if (!py_null(v))
        py_field_set(v, &((reading_t *)inner)->response, self);
    return v;
}
