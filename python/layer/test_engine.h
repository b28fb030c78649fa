/* Engines under the pump, for its tests, and a module `demo` by which programs use them. The test includes
 * <cmocka.h> before. */
#ifndef TEST_ENGINE_H
#define TEST_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "python/layer/py.h"

/* ---- engines ---- */

/* A device that needs so many steps, `step_us` apart, for each thing it is asked for; told of by an eventfd
 * too where it has one. */
typedef struct {
    py_pump_t item;
    uint32_t step_us;
    intptr_t fd;
    /* with the pump's lock */
    unsigned asked, steps_left, done, rounds;
    unsigned fired;
    bool inside;
    /* anyone */
    atomic_bool removed;
    atomic_uint runs;
    pthread_t driver; /* of the last run */
} engine_t;

static atomic_uint called_after_removal;

static void engine_run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    engine_t *e = ctx;
    (void)now_us;
    if (atomic_load(&e->removed))
        called_after_removal++;
    assert_false(e->inside);
    e->inside = true;
    e->runs++;
    e->rounds++;
    e->driver = pthread_self();
    uint64_t count;
    if (e->fd >= 0 && read((int)e->fd, &count, sizeof count) == sizeof count)
        e->fired += (unsigned)count;
    wants_out->signal = e->fd;
    if (e->asked > 0 && e->steps_left > 0) {
        e->steps_left--;
        wants_out->wait_us = e->step_us;
        if (e->steps_left == 0) {
            e->asked--;
            e->done++;
            wants_out->wait_us = 0; /* somebody may wait for it */
        }
    }
    e->inside = false;
}

static engine_t first, second;

static void engine_add(engine_t *e, uint32_t step_us, intptr_t fd)
{
    memset(e, 0, sizeof *e);
    e->item = (py_pump_t){.run = engine_run, .ctx = e};
    e->step_us = step_us;
    e->fd = fd;
    py_pump_add(&e->item);
}

static void engine_remove(engine_t *e)
{
    py_pump_remove(&e->item);
    atomic_store(&e->removed, true);
}

/* Ask for one thing, then true once it is there: as a command of a co-processor. */
typedef struct {
    engine_t *e;
    unsigned steps, left;
    bool asked;
} order_t;

static bool ordered(void *ctx)
{
    order_t *o = ctx;
    if (!o->asked) {
        if (o->left == 0)
            return true;
        o->asked = true;
        o->e->asked = 1;
        o->e->steps_left = o->steps;
        return false;
    }
    if (o->e->asked > 0)
        return false;
    o->asked = false;
    o->left--;
    return ordered(o); /* the next one at once, as a command that needs another */
}

/* ---- the module under test ---- */

static const py_arg_t two_args[] = {PY_REQ_INT("a", 0, INT32_MAX), PY_OPT_INT("b", 0, 0, INT32_MAX), PY_END};

static py_t demo_orders(const py_val_t *a)
{
    order_t o = {.e = &first, .steps = (unsigned)a[1].i, .left = (unsigned)a[0].i};
    bool late;
    if (!py_pump_wait(ordered, &o, 60000000, &late))
        return PY_NULL;
    return py_bool(!late);
}

static bool never(void *ctx)
{
    ++*(unsigned *)ctx;
    return false;
}

/* (timed out, how often it was asked) */
static py_t demo_wait(const py_val_t *a)
{
    unsigned asked = 0;
    bool late;
    if (!py_pump_wait(never, &asked, a[0].i == INT32_MAX ? UINT64_MAX : (uint64_t)a[0].i, &late))
        return PY_NULL;
    return py_tuple((const py_t[]){py_bool(late), py_int(asked)}, 2);
}

static bool no_hop; /* the thread that waited took it in itself */

static bool fired(void *ctx)
{
    no_hop = pthread_equal(first.driver, pthread_self());
    return first.fired >= *(const unsigned *)ctx;
}

static py_t demo_wait_fired(const py_val_t *a)
{
    unsigned n = (unsigned)a[0].i;
    return py_pump_wait(fired, &n, 60000000, NULL) ? py_bool(no_hop) : PY_NULL;
}

static py_t demo_add(const py_val_t *a)
{
    engine_add(a[0].i == 0 ? &first : &second, (uint32_t)a[1].i, -1);
    return py_none();
}

static py_t demo_remove(const py_val_t *a)
{
    engine_remove(a[0].i == 0 ? &first : &second);
    return py_none();
}

/* Give it something to do without waiting for it. */
static py_t demo_ask(const py_val_t *a)
{
    engine_t *e = a[0].i == 0 ? &first : &second;
    py_pump_lock();
    e->asked = 1;
    e->steps_left = (unsigned)a[1].i;
    py_pump_unlock();
    py_pump_poke();
    return py_none();
}

/* How many things are done; None = an engine is busy. */
static py_t demo_done(const py_val_t *a)
{
    engine_t *e = a[0].i == 0 ? &first : &second;
    if (!py_pump_try_lock())
        return py_none();
    unsigned done = e->done;
    py_pump_unlock();
    return py_int(done);
}

static py_t demo_runs(const py_val_t *a)
{
    return py_int(atomic_load(a[0].i == 0 ? &first.runs : &second.runs));
}

static int ticks;

static uint64_t tick(void *ctx, uint64_t now_us)
{
    (void)ctx;
    ticks++;
    py_pump_lock(); /* the background work of a display with a radio */
    py_pump_unlock();
    return now_us + 2000;
}

static py_background_t ticking = {.run = tick};

static py_t demo_tick(const py_val_t *a)
{
    if (a[0].i != 0)
        py_background_add(&ticking);
    else
        py_background_remove(&ticking);
    return py_int(ticks);
}

static void demo_reset(void)
{
    engine_remove(&first);
    engine_remove(&second);
    py_background_remove(&ticking);
}

static const py_function_t demo_functions[] = {{"orders", demo_orders, two_args, NULL},
                                               {"wait", demo_wait, two_args, NULL},
                                               {"wait_fired", demo_wait_fired, two_args, NULL},
                                               {"add", demo_add, two_args, NULL},
                                               {"remove", demo_remove, two_args, NULL},
                                               {"ask", demo_ask, two_args, NULL},
                                               {"done", demo_done, two_args, NULL},
                                               {"runs", demo_runs, two_args, NULL},
                                               {"tick", demo_tick, two_args, NULL},
                                               PY_END};
static const py_module_t demo = {.name = "demo", .functions = demo_functions, .reset = demo_reset};
const py_module_t *const py_modules[] = {&demo, NULL};

#endif
