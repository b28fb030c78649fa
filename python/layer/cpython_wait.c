/* Waiting, and the work that goes on meanwhile: py_wait_*, py_poll, py_background_*.
 *
 * Background work runs on the interpreter's thread: inside waits, and between byte codes through
 * Py_AddPendingCall. While a program computes, a thread (the ticker) sleeps until the next piece is
 * due and then posts the pending call; it exists only while there is something to post. */
#define Py_BUILD_CORE /* for break_eval() below */
#include "python/layer/cpython_int.h"

#include <internal/pycore_interp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum {
    REPEAT_MS = 100, /* undelivered end-of-run requests */
    /* Python gets at least this long between two rounds of background work, however late they are. */
    GAP_US = 500,
    /* A condition that nobody wakes us for is looked at this often. */
    LOOK_US = 1000
};

#define NEVER UINT64_MAX

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* machine thread: a request, console input */
    pthread_cond_t tick; /* ticker: a new deadline, the end */
    bool ready;          /* the conditions are made */
    /* under `lock` */
    bool running, posted;
    atomic_uint_fast64_t wakes; /* read without it */
    uint64_t deadline_us;       /* of the ticker, CLOCK_MONOTONIC */
    uint64_t asleep_until_us;   /* when it wakes by itself and looks at that */
    bool ticker_stop;
    /* machine thread only */
    py_background_t *list, *current;
    bool in_background, list_changed, repeat, ticker_runs, waiting;
    pthread_t ticker;
    PyThreadState *left;
} w = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static struct timespec timespec_of(uint64_t us)
{
    return (struct timespec){.tv_sec = (time_t)(us / 1000000u), .tv_nsec = (long)(us % 1000000u) * 1000};
}

static uint64_t now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

/* ---- the background list ---- */

static void run_background(void)
{
    if (w.in_background || w.list == NULL)
        return;
    w.in_background = true;
    size_t mark = py_handles.top;
    uint64_t now = now_us();
    w.list_changed = false;
    for (py_background_t *b = w.list; b != NULL && !w.list_changed; b = b->next) {
        if (now < b->due_us)
            continue;
        w.current = b;
        uint64_t due = b->run(b->ctx, now);
        if (w.current == b) /* it may have removed, even freed, itself */
            b->due_us = due;
    }
    w.current = NULL;
    py_handles_unwind(mark);
    w.in_background = false;
}

static uint64_t soonest_due(void)
{
    uint64_t soonest = NEVER;
    for (const py_background_t *b = w.list; b != NULL; b = b->next) {
        if (b->due_us < soonest)
            soonest = b->due_us;
    }
    return soonest;
}

/* ---- the pending call ---- */

static void arm(void);

static int pending_call(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&w.lock);
    w.posted = false;
    bool running = w.running;
    pthread_mutex_unlock(&w.lock);
    if (!running) /* Py_FinalizeEx makes the calls that are left; there is nobody to tell */
        return 0;
    run_background();
    bool ok = py_deliver_timer();
    arm();
    return ok ? 0 : -1;
}

/* Until CPython 3.13 a call posted by another thread than the main one waits until something else
 * makes the main thread look (the flag is computed with the poster's rights, bpo-40010). No public
 * function raises the flag; taking the GIL would, at 5 ms and two thread switches a time. */
static void break_eval(void)
{
#if PY_VERSION_HEX < 0x030D0000
    _Py_atomic_store_relaxed(&PyInterpreterState_Main()->ceval.eval_breaker, 1);
#endif
}

static void post_locked(void)
{
    if (!w.running || w.posted)
        return;
    w.posted = true;
    if (Py_AddPendingCall(pending_call, NULL) < 0) {
        w.posted = false; /* the queue is full: again soon */
        w.deadline_us = clock_us() + 1000;
    }
    break_eval();
}

static void wake(bool post)
{
    pthread_mutex_lock(&w.lock);
    atomic_fetch_add(&w.wakes, 1);
    if (w.ready)
        pthread_cond_broadcast(&w.wake);
    if (post)
        post_locked();
    pthread_mutex_unlock(&w.lock);
    py_pump_wake();
}

void py_request_posted(void)
{
    wake(true);
}

void py_background_post(void)
{
    py_request_posted();
}

void vm_wake(void)
{
    wake(false);
}

/* ---- the ticker ---- */

static void *ticker(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&w.lock);
    while (!w.ticker_stop) {
        w.asleep_until_us = w.deadline_us;
        if (w.deadline_us == NEVER) {
            pthread_cond_wait(&w.tick, &w.lock);
        } else if (clock_us() < w.deadline_us) {
            struct timespec until = timespec_of(w.deadline_us);
            pthread_cond_timedwait(&w.tick, &w.lock, &until);
        } else {
            w.deadline_us = NEVER;
            post_locked();
        }
    }
    pthread_mutex_unlock(&w.lock);
    return NULL;
}

static void stop_ticker(void)
{
    if (!w.ticker_runs)
        return;
    pthread_mutex_lock(&w.lock);
    w.ticker_stop = true;
    pthread_cond_signal(&w.tick);
    pthread_mutex_unlock(&w.lock);
    pthread_join(w.ticker, NULL);
    w.ticker_runs = false;
}

/* Tell the ticker when to come next; start or end it. It is not woken to hear of a later time, so a wait that
 * is over before the ticker is due costs no switch of threads. */
static void arm(void)
{
    uint64_t due = w.waiting ? NEVER : soonest_due(), at = NEVER;
    if (due != NEVER) {
        uint64_t now = now_us();
        at = clock_us() + (due > now + GAP_US ? due - now : GAP_US);
    }
    if (w.repeat && !w.waiting) {
        uint64_t again = clock_us() + REPEAT_MS * 1000u;
        at = again < at ? again : at;
    }
    if (at == NEVER && !w.ticker_runs)
        return;
    if (w.list == NULL && !w.repeat) {
        stop_ticker();
        return;
    }
    pthread_mutex_lock(&w.lock);
    /* The two clocks are not read at one moment: the same time comes out a little different each time. */
    bool sooner = at < w.asleep_until_us && w.asleep_until_us - at > GAP_US / 2;
    w.deadline_us = at;
    if (w.ticker_runs && sooner)
        pthread_cond_signal(&w.tick);
    w.ticker_stop = false;
    pthread_mutex_unlock(&w.lock);
    if (!w.ticker_runs && at != NEVER)
        w.ticker_runs = pthread_create(&w.ticker, NULL, ticker, NULL) == 0;
}

void py_background_add(py_background_t *b)
{
    for (const py_background_t *p = w.list; p != NULL; p = p->next) {
        if (p == b)
            return;
    }
    b->next = w.list;
    w.list = b;
    w.list_changed = true;
    arm();
}

void py_background_remove(py_background_t *b)
{
    for (py_background_t **p = &w.list; *p != NULL; p = &(*p)->next) {
        if (*p == b) {
            *p = b->next;
            break;
        }
    }
    if (w.current == b)
        w.current = NULL;
    w.list_changed = true;
    if (w.list == NULL && !w.in_background)
        arm();
}

void py_repeat_requests(bool on)
{
    w.repeat = on;
    arm();
}

/* ---- waits ---- */

bool py_poll(void)
{
    run_background();
    return py_deliver();
}

/* Sleep at most `us`, less when something was posted since `seen`. */
static void sleep_us(uint64_t us, uint64_t seen)
{
    struct timespec until = timespec_of(clock_us() + us);
    PyThreadState *state = PyEval_SaveThread();
    pthread_mutex_lock(&w.lock);
    while (atomic_load(&w.wakes) == seen && pthread_cond_timedwait(&w.wake, &w.lock, &until) == 0)
        ;
    pthread_mutex_unlock(&w.lock);
    PyEval_RestoreThread(state);
}

bool py_wait_begin(void)
{
    bool outer = w.waiting;
    w.waiting = true;
    if (w.ticker_runs)
        arm();
    return outer;
}

void py_wait_end(bool outer)
{
    w.waiting = outer;
    if (!w.waiting && (w.list != NULL || w.repeat))
        arm();
}

uint64_t py_wait_wakes(void)
{
    return atomic_load(&w.wakes);
}

bool py_wait_service(uint64_t *due_us_out)
{
    run_background();
    uint64_t due = soonest_due(), soonest = now_us() + GAP_US;
    *due_us_out = due > soonest ? due : soonest;
    return py_deliver();
}

bool py_wait_until(bool (*done)(void *ctx), void *ctx, uint64_t timeout_us, bool *timed_out)
{
    uint64_t start = now_us();
    bool outer = py_wait_begin(), ok = true;
    if (timed_out != NULL)
        *timed_out = false;
    for (;;) {
        uint64_t seen = py_wait_wakes();
        run_background();
        if (!(ok = py_deliver()) || (done != NULL && done(ctx)))
            break;
        uint64_t now = now_us(), passed = now - start;
        if (passed >= timeout_us) {
            if (timed_out != NULL)
                *timed_out = true;
            break;
        }
        uint64_t us = timeout_us - passed, due = soonest_due();
        if (due != NEVER && due < now + us)
            us = due > now ? due - now : GAP_US;
        if (done != NULL && us > LOOK_US)
            us = LOOK_US;
        if (us > 3600000000u) /* keeps timespec arithmetic away from its end */
            us = 3600000000u;
        sleep_us(us, seen);
    }
    py_wait_end(outer);
    return ok;
}

bool py_wait_us(uint64_t us)
{
    return py_wait_until(NULL, NULL, us, NULL);
}

void py_leave(void)
{
    w.left = PyEval_SaveThread();
}

void py_enter(void)
{
    PyEval_RestoreThread(w.left);
}

/* ---- with the VM ---- */

void py_wait_start(void)
{
    if (!w.ready) {
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&w.wake, &attr);
        pthread_cond_init(&w.tick, &attr);
        pthread_condattr_destroy(&attr);
    }
    pthread_mutex_lock(&w.lock);
    w.ready = true;
    w.running = true;
    w.posted = false;
    w.deadline_us = NEVER;
    pthread_mutex_unlock(&w.lock);
    /* A request from before the start is delivered at the first byte code. */
    py_request_posted();
}

void py_wait_stop(void)
{
    py_pump_stop();
    pthread_mutex_lock(&w.lock);
    w.running = false;
    pthread_mutex_unlock(&w.lock);
    stop_ticker();
    w.list = NULL;
    w.repeat = false;
    w.waiting = false;
}
