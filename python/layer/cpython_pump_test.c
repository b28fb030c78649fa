/* The pump: who drives when, what goes on beside the program, and that nothing runs on that was removed. No
 * test measures a time that a busy machine could stretch; the figures are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python/layer/test_engine.h"
#include "python/layer/test_frozen.h"
#include "python/layer/test_vm.h"

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
        cmocka_unit_test(removal),
        cmocka_unit_test(at_any_time),
        cmocka_unit_test(many_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
