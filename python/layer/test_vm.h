/* Programs run by a VM on the fake microcontroller: what they print, how they end, and what other threads
 * ask meanwhile. The test includes <cmocka.h> before. */
#ifndef TEST_VM_H
#define TEST_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "python/layer/fake_mcu.h"
#include "python/layer/py.h"
#include "python/layer/vm.h"

/* ---- one program after the other ---- */

static char console[65536];       /* what was printed since start() */
static atomic_size_t console_len; /* of which threads may ask */
static char drive[32];            /* the folder of drive_up(); "" = there is none */

static inline void console_write(void *ctx, const char *utf8, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len && console_len + 1 < sizeof console; i++)
        console[console_len++] = utf8[i];
    console[console_len] = '\0';
}

static inline void start(void)
{
    char msg[200] = "";
    const vm_config_t config = {.mcu = &fake_mcu,
                                .drive = drive[0] != '\0' ? drive : NULL,
                                .native = true,
                                .console_write = console_write};
    vm_stop(); /* of a test that failed */
    vm_clear();
    console_len = 0;
    console[0] = '\0';
    if (vm_start(&config, msg, sizeof msg) != ADDER_OK)
        fail_msg("%s", msg);
}

static inline vm_outcome_t run(const char *text)
{
    start();
    const vm_outcome_t outcome = vm_call("run_code", text, NULL);
    vm_stop();
    return outcome;
}

/* It comes to its end: what it asserts is so. */
static inline void expect(const char *text)
{
    const vm_outcome_t outcome = run(text);
    if (outcome != VM_DONE)
        fail_msg("outcome %d: %s", (int)outcome, console);
}

/* A function for programs: f raises a cls, with this errno or this text. */
#define RAISES                                                                                               \
    "def raises(cls, what, f, *a, **k):\n"                                                                   \
    "    try: f(*a, **k)\n"                                                                                  \
    "    except cls as e: assert (e.errno == what if isinstance(what, int) else what in str(e)), repr(e)\n"  \
    "    else: assert False, 'no ' + cls.__name__\n"

/* ---- set up and taken down by cmocka ---- */

/* A board as it is after power on. */
static inline int fresh(void **state)
{
    (void)state;
    fake_power_on();
    *vm_state() = (vm_state_t){.autoreload = true, .safe_mode_reason = "NONE"};
    return 0;
}

/* The same, with an empty drive. */
static inline int drive_up(void **state)
{
    strcpy(drive, "/tmp/adder-test-XXXXXX");
    return mkdtemp(drive) == NULL ? -1 : fresh(state);
}

static inline int drive_down(void **state)
{
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", drive);
    return system(command);
}

/* ---- requests of other threads ---- */

typedef struct {
    vm_request_t what;
    atomic_bool over;
} request_t;

static inline void *request_when_printed(void *ctx)
{
    request_t *r = ctx;
    while (console_len == 0 && !r->over)
        usleep(1000);
    usleep(20000);
    vm_request(r->what);
    return NULL;
}

/* Run a program that is broken into a little after it has printed something. Between start() and vm_stop().
 */
static inline vm_outcome_t call_broken_by(vm_request_t what, const char *text)
{
    request_t request = {.what = what};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, request_when_printed, &request), 0);
    const vm_outcome_t outcome = vm_call("run_code", text, NULL);
    request.over = true;
    pthread_join(thread, NULL);
    return outcome;
}

static atomic_bool hammering;
static pthread_t hammer_thread;

static inline void *hammer(void *unused)
{
    for (unsigned n = 0; hammering; n++) {
        vm_request((vm_request_t)(n % 5));
        vm_wake();
        py_background_post();
        py_pump_poke();
        usleep(300);
    }
    return unused;
}

/* Until hammer_end() all that another thread may ask is asked again and again. */
static inline void hammer_begin(void)
{
    hammering = true;
    assert_int_equal(pthread_create(&hammer_thread, NULL, hammer, NULL), 0);
}

static inline void hammer_end(void)
{
    hammering = false;
    pthread_join(hammer_thread, NULL);
    vm_clear();
}

#endif
