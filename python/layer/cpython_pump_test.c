/* The pump: who drives when, what wakes it, and that nothing is lost in between. No test measures a time
 * that a busy machine could stretch; the figures are printed. */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/layer/test_frozen.h"
#include "python/layer/test_vm.h"

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

/* ---- tests ---- */

/* Without an engine, without a thread: the condition and the clock alone. */
static void waits(void **state)
{
    (void)state;
    expect("import demo\n"
           "assert demo.orders(0)\n"
           "late, asked = demo.wait(0)\n"
           "assert late and asked == 2, asked\n"
           "before = time.monotonic()\n"
           "late, asked = demo.wait(30000)\n"
           "assert late and time.monotonic() - before >= 0.03\n"
           "assert 2 <= asked < 100, asked\n" /* not in circles */
           "demo.add(0, 100)\n"
           "late, asked = demo.wait(30000)\n"
           "assert late and 2 <= asked < 100, asked\n");
}

/* A chain of commands of several steps each: none waits for a wake-up that never comes. */
static void orders(void **state)
{
    (void)state;
    expect("import demo\n"
           "demo.add(0, 100)\n"
           "assert demo.orders(200, 1) and demo.done(0) in (200, None)\n"
           "assert demo.orders(50, 5)\n"
           "before = time.monotonic()\n"
           "assert demo.orders(100, 11)\n"
           "print(int((time.monotonic() - before) * 1e4), 'us a command of 10 waits of 100 us')\n"
           "demo.add(1, 300)\n" /* one that has nothing to do, and one that has */
           "demo.ask(1, 100)\n"
           "assert demo.orders(100, 3)\n"
           "until(lambda: demo.done(1) == 1)\n");
    print_message("%s", console);
}

/* While Python computes, and after a wait as before it: the thread goes on. */
static void beside_the_program(void **state)
{
    (void)state;
    expect("import demo\n"
           "demo.add(0, 200); demo.add(1, 0)\n"
           "for i in range(1, 20):\n"
           "    demo.ask(0, 5)\n"
           "    until(lambda: demo.done(0) == i)\n"
           "    demo.wait(500)\n"
           "    demo.ask(1, 50)\n"
           "    until(lambda: demo.done(1) == i)\n"
           "    if i % 4 == 0: demo.wait(5000)\n" /* long enough for the thread to stand by deeply */
           "demo.ask(0, 5)\n"
           "time.sleep(0.01)\n"
           "until(lambda: demo.done(0) == 20)\n");
}

/* An engine that always has more to do neither keeps the program off the lock nor a request waiting. */
static void busy_run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    (void)now_us;
    ++*(atomic_uint *)ctx;
    wants_out->wait_us = 0;
}

static py_pump_t busy;
static atomic_uint busy_runs;

static void *interrupter(void *unused)
{
    (void)unused;
    while (busy_runs < 1000)
        usleep(1000);
    vm_request(VM_REQ_INTERRUPT);
    return NULL;
}

static void an_engine_without_a_pause(void **state)
{
    (void)state;
    pthread_t thread;
    start();
    busy_runs = 0;
    busy = (py_pump_t){.run = busy_run, .ctx = &busy_runs};
    py_pump_add(&busy);
    for (int i = 0; i < 1000; i++) {
        py_pump_lock();
        unsigned n = busy_runs;
        for (volatile int spin = 0; spin < 100; spin++)
            ;
        assert_int_equal(n, busy_runs); /* alone */
        py_pump_unlock();
    }
    busy_runs = 0;
    pthread_create(&thread, NULL, interrupter, NULL);
    assert_int_equal(vm_call("run_code", "import demo\ndemo.wait(0x7fffffff)", NULL), VM_INTERRUPTED);
    pthread_join(thread, NULL);
    py_pump_remove(&busy);
    vm_stop();
}

static void broken_by(vm_request_t what, const char *text, vm_outcome_t outcome)
{
    start();
    assert_int_equal(call_broken_by(what, text), outcome);
    vm_stop();
}

static void requests(void **state)
{
    (void)state;
    broken_by(VM_REQ_INTERRUPT, "import demo\nprint('now')\ndemo.wait(0x7fffffff)", VM_INTERRUPTED);
    broken_by(VM_REQ_INTERRUPT, "import demo\ndemo.add(0, 100)\nprint('now')\ndemo.wait(0x7fffffff)",
              VM_INTERRUPTED);
    broken_by(VM_REQ_STOP, "import demo\ndemo.add(0, 100)\nprint('now')\ndemo.wait(0x7fffffff)", VM_STOPPED);
    broken_by(VM_REQ_RELOAD,
              "import demo\nprint('now')\nwhile True:\n try: demo.wait(0x7fffffff)\n except Exception: pass",
              VM_RELOAD);
    broken_by(VM_REQ_INTERRUPT,
              "import demo\ntry:\n print('now')\n demo.wait(0x7fffffff)\nexcept KeyboardInterrupt: pass\n"
              "demo.add(0, 10)\nassert demo.orders(5, 5)",
              VM_DONE);
    /* pending from before */
    start();
    vm_request(VM_REQ_STOP);
    assert_int_equal(vm_call("run_code", "import demo\ndemo.wait(0x7fffffff)", NULL), VM_STOPPED);
    vm_stop();
}

static void background(void **state)
{
    (void)state;
    ticks = 0;
    expect("import demo\n"
           "demo.add(0, 100)\n"
           "demo.tick(1)\n"
           "a = demo.tick(1)\n"
           "demo.wait(100000)\n"
           "b = demo.tick(1)\n"
           "assert 5 < b - a < 60, b - a\n"
           "end = time.monotonic() + 0.05\n"
           "while time.monotonic() < end: pass\n"
           "assert demo.tick(0) > b\n"); /* the ticker is back */
}

static uint64_t later(void *ctx, uint64_t now_us)
{
    (void)ctx;
    return now_us + 10000000;
}

/* How often the other threads of this process went to sleep. */
static unsigned long sleeps_of_others(void)
{
    unsigned long sum = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], line[100];
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *f = task->d_name[0] != '.' && atoi(task->d_name) != getpid() ? fopen(path, "r") : NULL;
        while (f != NULL && fgets(line, sizeof line, f) != NULL) {
            if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
                sum += strtoul(line + 24, NULL, 10);
        }
        if (f != NULL)
            fclose(f);
    }
    closedir(tasks);
    return sum;
}

/* Background work that is due much later: the thread that would post it is left asleep. */
static void short_waits(void **state)
{
    (void)state;
    static py_background_t slow = {.run = later};
    bool late;
    unsigned asked = 0;
    start();
    py_background_add(&slow);
    assert_true(py_pump_wait(never, &asked, 1000, &late));
    for (int i = 0; i < 6000 && sleeps_of_others() == 0; i++)
        usleep(10000); /* it may not have come that far yet */
    assert_true(sleeps_of_others() > 0);
    unsigned long least = ULONG_MAX;
    for (int round = 0; round < 3; round++) {
        const unsigned long before = sleeps_of_others();
        for (int i = 0; i < 1000; i++)
            assert_true(py_pump_wait(never, &asked, 20, &late) && late);
        const unsigned long slept = sleeps_of_others() - before;
        least = slept < least ? slept : least;
    }
    print_message("%lu sleeps of the others in 1000 waits\n", least);
    assert_true(least < 500); /* two a wait, were it woken; on a busy machine some for the lock */
    py_background_remove(&slow);
    vm_stop();
}

/* A descriptor: what arrives wakes the thread that waits for it, and before it waits it is not lost. */
static void *firer(void *ctx)
{
    static const uint64_t one = 1;
    unsigned n = *(unsigned *)ctx;
    for (unsigned i = 0; i < n; i++) {
        usleep(i % 3 == 0 ? 3000 : 100);
        assert_int_equal(write((int)first.fd, &one, sizeof one), sizeof one);
    }
    return NULL;
}

static void signals(void **state)
{
    (void)state;
    enum { N = 300 };
    unsigned n = N;
    char text[200];
    pthread_t thread;
    int fd = eventfd(0, EFD_NONBLOCK);
    start();
    engine_add(&first, 0, fd);
    pthread_create(&thread, NULL, firer, &n);
    (void)snprintf(text, sizeof text, "import demo\nfor i in range(1, %d): demo.wait_fired(i)\n", N + 1);
    if (vm_call("run_code", text, NULL) != VM_DONE)
        fail_msg("%s", console);
    pthread_join(thread, NULL);
    assert_int_equal(first.fired, N);
    /* By wake-ups: 3 ms of looking would be over a thousand runs. A wait looks a hundred times at most. */
    assert_true(atomic_load(&first.runs) < 108 * N);
    vm_stop();
    close(fd);
}

static bool after_asking(void *ctx)
{
    unsigned *left = ctx;
    return --*left == 0;
}

static unsigned asked_in_vain(void)
{
    unsigned asked = 0;
    bool late;
    assert_true(py_pump_wait(never, &asked, 1000, &late) && late);
    return asked;
}

/* After a wait that was short the next ones look before they sleep, and after some that were long no more. */
static void looks(void **state)
{
    (void)state;
    enum { MANY = 90 };
    unsigned left;
    int fd = eventfd(0, EFD_NONBLOCK);
    start();
    engine_add(&first, 0, fd);
    bool looked = false;
    for (int i = 0; i < 100 && !looked; i++) { /* on a busy machine no wait may be short */
        left = 2;
        assert_true(py_pump_wait(after_asking, &left, UINT64_MAX, NULL));
        looked = asked_in_vain() > MANY;
    }
    assert_true(looked);
    unsigned asked = MANY;
    for (int i = 0; i < 10; i++)
        asked = asked_in_vain();
    assert_true(asked < 10);
    vm_stop();
    close(fd);
}

static atomic_bool answering;
static int question = -1;

static void *answerer(void *unused)
{
    uint64_t one = 1;
    while (read(question, &one, sizeof one) == sizeof one && answering) {
        one = 1;
        if (write((int)first.fd, &one, sizeof one) < 0)
            break;
    }
    return unused;
}

/* Printed: how long a question to another thread and its answer take through the pump. */
static void latency(void **state)
{
    (void)state;
    enum { N = 2000 };
    static const uint64_t one = 1;
    pthread_t thread;
    int fd = eventfd(0, EFD_NONBLOCK);
    question = eventfd(0, 0);
    answering = true;
    start();
    engine_add(&first, 0, fd);
    pthread_create(&thread, NULL, answerer, NULL);
    unsigned own = 0;
    uint64_t t = fake_now(NULL);
    for (unsigned i = 1; i <= N; i++) {
        assert_int_equal(write(question, &one, sizeof one), sizeof one);
        assert_true(py_pump_wait(fired, &i, UINT64_MAX, NULL));
        own += no_hop;
    }
    t = fake_now(NULL) - t;
    print_message("an answer of another thread: %.1f us; %u%% without a hop\n", (double)t / N, own * 100 / N);
    answering = false;
    assert_int_equal(write(question, &one, sizeof one), sizeof one);
    pthread_join(thread, NULL);
    vm_stop();
    close(fd);
    close(question);
}

/* Removed at any moment of a run, by either driver; its memory is somebody else's right after. */
static void removal(void **state)
{
    (void)state;
    called_after_removal = 0;
    start();
    engine_add(&second, 50, -1);
    for (int i = 0; i < 2000; i++) {
        engine_t *e = malloc(sizeof *e);
        engine_add(e, 0, -1);
        py_pump_lock();
        e->asked = 1;
        e->steps_left = 1000;
        py_pump_unlock();
        py_pump_poke();
        if (i % 3 == 0)
            sched_yield();
        else if (i % 3 == 1) {
            unsigned asked = 0;
            assert_true(py_pump_wait(never, &asked, 50, NULL));
        }
        engine_remove(e);
        memset(e, 0xA5, sizeof *e);
        free(e);
        py_pump_remove(&first.item); /* not there: nothing happens */
    }
    assert_int_equal(called_after_removal, 0);
    vm_stop();
}

/* Requests and pokes at any moment of a start, a wait and a stop. */
static void at_any_time(void **state)
{
    (void)state;
    hammer_begin();
    for (int i = 0; i < 40; i++) {
        start();
        vm_call("run_code",
                "import demo\ndemo.tick(1)\ndemo.add(0, 100)\ndemo.orders(20, 20)\ndemo.wait(5000)", NULL);
        if (i % 2 == 0)
            vm_call("run_code", "import demo\ndemo.add(1, 50)\ndemo.ask(1, 1000)", NULL);
        vm_stop();
    }
    hammer_end();
    expect("pass\n");
}

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += lseek(fd, 0, SEEK_CUR) >= 0 || dup2(fd, fd) == fd;
    return n;
}

static void many_lives(void **state)
{
    (void)state;
    static const char text[] = "import demo\ndemo.add(0, 10)\nassert demo.orders(2, 2)";
    expect(text);
    int before = descriptors();
    for (int i = 0; i < 20; i++)
        expect(text);
    assert_int_equal(descriptors(), before);
}

int main(void)
{
    fake_power_on();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits),
        cmocka_unit_test(orders),
        cmocka_unit_test(beside_the_program),
        cmocka_unit_test(an_engine_without_a_pause),
        cmocka_unit_test(requests),
        cmocka_unit_test(background),
        cmocka_unit_test(short_waits),
        cmocka_unit_test(signals),
        cmocka_unit_test(looks),
        cmocka_unit_test(latency),
        cmocka_unit_test(removal),
        cmocka_unit_test(at_any_time),
        cmocka_unit_test(many_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
