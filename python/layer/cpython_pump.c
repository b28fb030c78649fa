/* The pump: py_pump_*. Engines run on a thread of their own while the program computes, and on the
 * program's thread while it waits for one of them.
 *
 * Who drives. The thread does, until the program waits: then the program's thread leads and the other
 * stands by, so that what arrives wakes the very thread that waits for it. Both ends of that are lazy,
 * for a call of 20 us must not cost two switches of threads. The thread is not told that the program
 * begins to lead: it finds out when it wakes. The end is told only to a thread that sleeps deeply, which
 * it does once one lead has lasted STAND_BY_US; before that it looks by itself.
 *
 * The lock is a flag under a mutex and not a mutex, so that the program comes first: a thread that goes
 * round without a pause would win a mutex again and again. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif
#include "python/layer/cpython_int.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    SIGNALS = 63, /* descriptors waited for; with more the pump looks every LOOK_US */
    LOOK_US = 1000,
    STAND_BY_US = 1000,
    /* How long a call that must not wait waits for the lock: longer than it takes to look at a socket, short
     * enough for a program that counts milliseconds. */
    TRY_US = 300,
    /* A program that gave something to do while the thread did what it gave before gives more, likely: the
     * thread lets it gather for so long. Small work comes in fewer rounds, and nobody is woken for it. */
    GATHER_US = 100,
    /* A condition that no engine tells of is looked at this often. */
    CONDITION_US = 20000,
    /* Whose last wait for a descriptor was shorter than that looks so often before it sleeps, for to be woken
     * takes as long; it gives that up after so many waits that were longer. A look is at the condition alone,
     * which is cheaper than a round, and every so many looks is a whole one. */
    SOON_US = 100,
    LOOKS = 100,
    LOOKS_A_ROUND = 8,
    PATIENCE = 4,
    STACK_BYTES = 512 * 1024
};

#define NEVER UINT64_MAX

/* One that drives: the thread, or the program while it waits. */
typedef struct {
    int event; /* eventfd, written to end its sleep; -1 = there was none to be had */
    atomic_bool sleeps;
    /* What to wait for, made by run_items() */
    struct pollfd fds[1 + SIGNALS];
    nfds_t n;
    uint64_t due_us;
} driver_t;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t for_program, for_thread, resigned;
    bool ready; /* the conditions are made */
    /* under `mutex` */
    bool held; /* the pump's lock */
    unsigned program_waits;
    bool stop, deep;
    unsigned leads_so_far;
    /* with the pump's lock */
    py_pump_t *list;
    uint32_t round;
    /* anyone */
    atomic_bool leads, poked, stands_by;
    atomic_bool followed; /* the program waits for news, and the thread drives */
    atomic_bool brisk;    /* the program's waits are short */
    atomic_uint progress;
    driver_t program, thread;
    /* program's thread only */
    bool started, thread_runs;
    unsigned depth;
    unsigned patience; /* how many more waits look before they sleep */
    pthread_t id;
    const adder_mcu_t *mcu;
} p = {.mutex = PTHREAD_MUTEX_INITIALIZER, .program = {.event = -1}, .thread = {.event = -1}};

static uint64_t now_us(void)
{
    return p.mcu->sys->now_us(p.mcu->ctx);
}

/* ---- the lock ---- */

static struct timespec soon(uint64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)us * 1000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void acquire(const driver_t *who)
{
    pthread_mutex_lock(&p.mutex);
    if (who == &p.program) {
        p.program_waits++;
        while (p.held)
            pthread_cond_wait(&p.for_program, &p.mutex);
        p.program_waits--;
    } else {
        while (p.held || p.program_waits > 0)
            pthread_cond_wait(&p.for_thread, &p.mutex);
    }
    p.held = true;
    pthread_mutex_unlock(&p.mutex);
}

static void release(void)
{
    pthread_mutex_lock(&p.mutex);
    p.held = false;
    pthread_cond_signal(p.program_waits > 0 ? &p.for_program : &p.for_thread);
    pthread_mutex_unlock(&p.mutex);
}

static void start(void);

void py_pump_lock(void)
{
    start();
    acquire(&p.program);
}

bool py_pump_try_lock(void)
{
    start();
    pthread_mutex_lock(&p.mutex);
    if (p.held) {
        struct timespec until = soon(TRY_US);
        p.program_waits++;
        while (p.held && pthread_cond_timedwait(&p.for_program, &p.mutex, &until) == 0)
            ;
        p.program_waits--;
    }
    bool free = !p.held;
    p.held = true;
    pthread_mutex_unlock(&p.mutex);
    return free;
}

void py_pump_unlock(void)
{
    release();
}

/* ---- a round ---- */

/* Every item once, in the order they were added, and what they want next. With the lock, which the thread
 * lets go between two items; it stops when the program begins to lead. */
static void run_items(driver_t *d)
{
    bool thread = d == &p.thread;
    if (thread && atomic_load(&p.leads))
        return; /* and leave `poked` to the one that leads */
    d->fds[0] = (struct pollfd){.fd = d->event, .events = POLLIN};
    d->n = 1;
    d->due_us = d->event < 0 ? now_us() + LOOK_US : NEVER;
    atomic_store(&p.poked, false);
    uint32_t round = ++p.round;
    for (;;) {
        py_pump_t *item = p.list;
        while (item != NULL && item->round == round)
            item = item->next;
        if (item == NULL || (thread && atomic_load(&p.leads)))
            return;
        item->round = round;
        uint64_t now = now_us();
        adder_net_wants_t wants = {.wait_us = ADDER_NET_FOREVER, .signal = -1};
        item->run(item->ctx, now, &wants);
        if (wants.wait_us == 0) {
            atomic_fetch_add(&p.progress, 1);
            if (thread && atomic_load(&p.followed))
                vm_wake();
        }
        if (wants.signal >= 0 && d->n <= SIGNALS)
            d->fds[d->n++] = (struct pollfd){.fd = (int)wants.signal, .events = POLLIN};
        else if (wants.signal >= 0 && wants.wait_us > LOOK_US)
            wants.wait_us = LOOK_US;
        if (wants.wait_us != ADDER_NET_FOREVER && now + wants.wait_us < d->due_us)
            d->due_us = now + wants.wait_us;
        if (thread) {
            release();
            acquire(d);
        }
    }
}

/* End the sleep of one that drives. What it is to see was made visible before. */
static void rouse(driver_t *d)
{
    static const uint64_t one = 1;
    if (atomic_load(&d->sleeps) && d->event >= 0 && write(d->event, &one, sizeof one) < 0)
        return; /* full: it is being roused already */
}

/* For `us` at most, or until something comes; rouse() ends it in a sleep. */
static void wait_for_signal(driver_t *d, uint64_t us)
{
    us = us < 3600000000u ? us : 3600000000u; /* keeps timespec arithmetic away from its end */
    const struct timespec t = {.tv_sec = (time_t)(us / 1000000u), .tv_nsec = (long)(us % 1000000u) * 1000};
    if (ppoll(d->fds, d->n, &t, NULL) > 0 && (d->fds[0].revents & POLLIN)) {
        uint64_t count;
        if (read(d->event, &count, sizeof count) < 0)
            return; /* somebody's rouse() that came late; nothing to undo */
    }
}

/* Sleep as the last round wants, until `until_us` at most. `awake`: what rouse() is for has come. */
static void sleep_until(driver_t *d, uint64_t until_us, bool (*awake)(uint64_t), uint64_t seen)
{
    atomic_store(&d->sleeps, true);
    const uint64_t now = now_us(), end = until_us < d->due_us ? until_us : d->due_us;
    if (!atomic_load(&p.poked) && !awake(seen) && end > now)
        wait_for_signal(d, end - now);
    atomic_store(&d->sleeps, false);
}

void py_pump_poke(void)
{
    atomic_store(&p.poked, true);
    if (atomic_load(&p.leads)) {
        rouse(&p.program);
        return;
    }
    rouse(&p.thread);
    if (atomic_load(&p.stands_by)) {
        pthread_mutex_lock(&p.mutex);
        pthread_cond_signal(&p.resigned);
        pthread_mutex_unlock(&p.mutex);
    }
}

uint32_t py_pump_progress(void)
{
    return atomic_load(&p.progress);
}

/* ---- the thread ---- */

/* Until the program no longer leads; where it does again and again for a short time (it is brisk), until it
 * has not done so for STAND_BY_US. False = the end. */
static bool stand_by(void)
{
    bool again = true;
    pthread_mutex_lock(&p.mutex);
    atomic_store(&p.stands_by, true);
    while (!p.stop && (atomic_load(&p.leads) || (again && atomic_load(&p.brisk) && !atomic_load(&p.poked)))) {
        const unsigned lead = p.leads_so_far;
        if (p.deep) {
            pthread_cond_wait(&p.resigned, &p.mutex);
        } else {
            struct timespec until = soon(STAND_BY_US);
            pthread_cond_timedwait(&p.resigned, &p.mutex, &until);
        }
        again = lead != p.leads_so_far;
        p.deep = atomic_load(&p.leads) && !again;
    }
    p.deep = false;
    atomic_store(&p.stands_by, false);
    bool go_on = !p.stop;
    pthread_mutex_unlock(&p.mutex);
    return go_on;
}

static bool thread_awake(uint64_t unused)
{
    (void)unused;
    pthread_mutex_lock(&p.mutex);
    bool stop = p.stop;
    pthread_mutex_unlock(&p.mutex);
    return stop || atomic_load(&p.leads);
}

static void *pump_thread(void *unused)
{
    driver_t *d = &p.thread;
    prctl(PR_SET_TIMERSLACK, 1UL);
    prctl(PR_SET_NAME, "adder-pump");
    while (stand_by()) {
        acquire(d);
        run_items(d);
        release();
        if (atomic_load(&p.leads))
            continue;
        const uint64_t now = now_us();
        if (d->due_us <= now || (atomic_load(&p.poked) && atomic_load(&p.followed)))
            sched_yield();
        else if (atomic_load(&p.poked))
            wait_for_signal(d, d->due_us - now < GATHER_US ? d->due_us - now : GATHER_US);
        else
            sleep_until(d, NEVER, thread_awake, 0);
    }
    return unused;
}

static void start_thread(void)
{
    pthread_attr_t attr;
    sigset_t all, before;
    p.stop = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the other threads' business */
    if (pthread_attr_init(&attr) == 0) {
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        p.thread_runs = pthread_create(&p.id, &attr, pump_thread, NULL) == 0;
        pthread_attr_destroy(&attr);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the items ---- */

void py_pump_add(py_pump_t *item)
{
    py_pump_lock();
    py_pump_t **at = &p.list;
    while (*at != NULL && *at != item)
        at = &(*at)->next;
    if (*at == NULL) {
        item->next = NULL;
        item->round = p.round;
        *at = item;
    }
    py_pump_unlock();
    if (!p.thread_runs) /* none to be had: engines run in waits alone */
        start_thread();
    py_pump_poke();
}

void py_pump_remove(py_pump_t *item)
{
    if (!p.started)
        return;
    py_pump_lock();
    for (py_pump_t **at = &p.list; *at != NULL; at = &(*at)->next) {
        if (*at == item) {
            *at = item->next;
            break;
        }
    }
    py_pump_unlock();
}

/* ---- the program waits ---- */

static bool program_awake(uint64_t seen)
{
    return py_wait_wakes() != seen;
}

/* Something was posted to the program's thread (py_wait_wakes() has changed). */
void py_pump_wake(void)
{
    if (atomic_load(&p.leads))
        rouse(&p.program);
}

static void lead(void)
{
    if (p.depth++ > 0)
        return;
    pthread_mutex_lock(&p.mutex);
    p.leads_so_far++;
    atomic_store(&p.leads, true);
    pthread_mutex_unlock(&p.mutex);
}

static void resign(void)
{
    if (--p.depth > 0)
        return;
    pthread_mutex_lock(&p.mutex);
    atomic_store(&p.leads, false);
    if (p.deep)
        pthread_cond_signal(&p.resigned);
    pthread_mutex_unlock(&p.mutex);
}

typedef struct {
    bool (*done)(void *ctx);
    void *ctx;
    uint64_t start_us, timeout_us;
    bool is_done, timed_out;
} wait_t;

/* Without the interpreter: until the condition is true, the time is over, or the program's thread has
 * something to do (background work due at `due_us`, something posted since `seen`). */
static void drive(wait_t *wait, uint64_t seen, uint64_t due_us)
{
    driver_t *d = &p.program;
    bool again = false;
    for (unsigned looks = 0;; looks++) {
        acquire(d);
        if (!again || looks % LOOKS_A_ROUND == 0)
            run_items(d); /* take in what came */
        wait->is_done = wait->done(wait->ctx);
        uint64_t now = now_us(), passed = now - wait->start_us;
        const bool idle = d->due_us <= now || d->due_us > now + SOON_US; /* no engine has to be waited for */
        again = p.patience > 0 && looks < LOOKS && d->n > 1 && idle;
        if (!wait->is_done && !again)
            run_items(d); /* what the condition gave them to do; what to wait for */
        release();
        if (wait->is_done)
            return;
        wait->timed_out = passed >= wait->timeout_us;
        if (wait->timed_out || now >= due_us || program_awake(seen))
            return;
        if (again) {
            sched_yield();
            continue;
        }
        if (d->due_us <= now || atomic_load(&p.poked)) {
            sched_yield();
            continue;
        }
        uint64_t left = wait->timeout_us - passed, until = now + (left < CONDITION_US ? left : CONDITION_US);
        sleep_until(d, until < due_us ? until : due_us, program_awake, seen);
    }
}

bool py_pump_wait(bool (*done)(void *ctx), void *ctx, uint64_t timeout_us, bool *timed_out)
{
    if (timed_out != NULL)
        *timed_out = false;
    start();
    lead(); /* before the first look: a thread that drives beside each of many short waits costs them their
               time */
    py_pump_lock();
    bool at_once = done(ctx);
    py_pump_unlock();
    if (at_once) {
        resign();
        if (atomic_load(&p.poked)) /* the thread may have left it to us */
            py_pump_poke();
        return true;
    }
    wait_t wait = {.done = done, .ctx = ctx, .start_us = now_us(), .timeout_us = timeout_us};
    bool outer = py_wait_begin(), ok;
    for (;;) {
        uint64_t due_us, seen = py_wait_wakes();
        if (!(ok = py_wait_service(&due_us)))
            break;
        PyThreadState *state = PyEval_SaveThread();
        drive(&wait, seen, due_us);
        PyEval_RestoreThread(state);
        if (wait.is_done || wait.timed_out)
            break;
    }
    resign();
    py_wait_end(outer);
    if (wait.is_done && now_us() - wait.start_us < SOON_US)
        p.patience = PATIENCE;
    else if (p.patience > 0)
        p.patience--;
    atomic_store(&p.brisk, p.patience > 0);
    if (timed_out != NULL)
        *timed_out = ok && !wait.is_done && wait.timed_out;
    return ok;
}

/* One that has the lock for long is heavy, too: it is not waited for. */
static bool any_heavy(void)
{
    bool heavy = false;
    if (!py_pump_try_lock())
        return true;
    for (const py_pump_t *item = p.list; item != NULL; item = item->next)
        heavy |= item->heavy;
    py_pump_unlock();
    return heavy;
}

/* A program that asks for news has other things to do: it leads where that takes microseconds, which spares
 * the switch of threads, and else lets the thread do the work. */
bool py_pump_wait_news(bool (*news)(void *ctx), void *ctx, uint64_t timeout_us)
{
    if (!p.thread_runs || !any_heavy())
        return py_pump_wait(news, ctx, timeout_us, NULL);
    bool outer = atomic_exchange(&p.followed, true);
    bool ok = py_wait_until(news, ctx, timeout_us, NULL);
    atomic_store(&p.followed, outer);
    return ok;
}

/* ---- with the VM ---- */

/* Lazily: a program without a network has neither descriptors nor a thread. */
static void start(void)
{
    if (p.started)
        return;
    if (!p.ready) {
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&p.for_program, &attr);
        pthread_cond_init(&p.for_thread, &attr);
        pthread_cond_init(&p.resigned, &attr);
        pthread_condattr_destroy(&attr);
        /* For the life of the process: a thread late in rouse() must not write to somebody else's file. */
        p.program.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        p.thread.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        p.ready = true;
    }
    p.mcu = py_mcu();
    prctl(PR_SET_TIMERSLACK, 1UL); /* waits of 300 us must not become 350 */
    p.started = true;
}

void py_pump_stop(void)
{
    if (!p.started)
        return;
    if (p.thread_runs) {
        pthread_mutex_lock(&p.mutex);
        p.stop = true;
        pthread_cond_signal(&p.resigned);
        pthread_mutex_unlock(&p.mutex);
        rouse(&p.thread);
        pthread_join(p.id, NULL);
        p.thread_runs = false;
    }
    p.list = NULL;
    p.depth = p.patience = 0;
    atomic_store(&p.leads, false);
    atomic_store(&p.brisk, false);
    p.started = false;
}
