/* What wakes a wait of the pump, what sleeps on, and that nothing is lost in between. No test measures a time
 * that a busy machine could stretch; the figures are printed. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "python/layer/test_engine.h"
#include "python/layer/test_frozen.h"
#include "python/layer/test_vm.h"

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

int main(void)
{
    fake_power_on();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_waits),
        cmocka_unit_test(signals),
        cmocka_unit_test(looks),
        cmocka_unit_test(latency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
