/* The part of cmocka's interface that the tests of src/ use, in one header, for machines that have
 * no cmocka: the same test sources run on an emulated Cortex-M and PowerPC.
 *
 * A failed assertion names its place and leaves the test by longjmp, as cmocka's does. Not here:
 * mocks (will_return, expect_*) and the checked allocator. */
#ifndef ADDER_TESTS_CMOCKA_H
#define ADDER_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f)                                                                                  \
    {                                                                                                        \
#f, f, NULL, NULL, NULL                                                                              \
    }
#define cmocka_unit_test_setup(f, setup)                                                                     \
    {                                                                                                        \
#f, f, setup, NULL, NULL                                                                             \
    }
#define cmocka_unit_test_teardown(f, teardown)                                                               \
    {                                                                                                        \
#f, f, NULL, teardown, NULL                                                                          \
    }
#define cmocka_unit_test_setup_teardown(f, up, down)                                                         \
    {                                                                                                        \
#f, f, up, down, NULL                                                                                \
    }
#define cmocka_unit_test_prestate(f, state)                                                                  \
    {                                                                                                        \
#f, f, NULL, NULL, state                                                                             \
    }

static struct {
    jmp_buf out;
    bool skipped;
} cm_run_;

#define print_message printf
#define print_error printf

__attribute__((unused, noreturn)) static void cm_fail_(const char *file, int line, const char *what)
{
    printf("%s:%d: %s\n", file, line, what);
    longjmp(cm_run_.out, 1);
}

__attribute__((unused)) static void cm_check_(bool ok, const char *file, int line, const char *what)
{
    if (!ok)
        cm_fail_(file, line, what);
}

__attribute__((unused)) static void cm_numbers_(bool ok, uintmax_t a, uintmax_t b, const char *file, int line,
                                                const char *what)
{
    if (ok)
        return;
    printf("0x%lx and 0x%lx:\n", (unsigned long)a, (unsigned long)b);
    cm_fail_(file, line, what);
}

__attribute__((unused)) static void cm_memory_(bool want_equal, const void *a, const void *b, size_t len,
                                               const char *file, int line)
{
    const unsigned char *x = a, *y = b;
    size_t i = 0;
    while (i < len && x[i] == y[i])
        i++;
    if (want_equal && i < len) {
        printf("%s:%d: offset %lu: 0x%02x and 0x%02x\n", file, line, (unsigned long)i, (unsigned)x[i],
               (unsigned)y[i]);
        cm_fail_(file, line, "memory differs");
    }
    if (!want_equal && i == len)
        cm_fail_(file, line, "memory is equal");
}

__attribute__((unused)) static void cm_strings_(bool want_equal, const char *a, const char *b,
                                                const char *file, int line)
{
    if ((strcmp(a, b) == 0) == want_equal)
        return;
    printf("%s:%d: \"%s\" and \"%s\"\n", file, line, a, b);
    cm_fail_(file, line, want_equal ? "strings differ" : "strings are equal");
}

/* Each argument is evaluated once, as by cmocka: they may have side effects. */
#define CM_CMP_(a, op, b)                                                                                    \
    do {                                                                                                     \
        const uintmax_t cm_a_ = (uintmax_t)(a), cm_b_ = (uintmax_t)(b);                                      \
        cm_numbers_(cm_a_ op cm_b_, cm_a_, cm_b_, __FILE__, __LINE__, #a " " #op " " #b);                    \
    } while (0)
#define assert_true(c) cm_check_(!!(c), __FILE__, __LINE__, #c)
#define assert_false(c) cm_check_(!(c), __FILE__, __LINE__, "not: " #c)
#define assert_non_null(p) cm_check_((p) != NULL, __FILE__, __LINE__, #p " != NULL")
#define assert_null(p) cm_check_((p) == NULL, __FILE__, __LINE__, #p " == NULL")
#define assert_ptr_equal(a, b)                                                                               \
    cm_check_((const void *)(a) == (const void *)(b), __FILE__, __LINE__, #a " == " #b)
#define assert_ptr_not_equal(a, b)                                                                           \
    cm_check_((const void *)(a) != (const void *)(b), __FILE__, __LINE__, #a " != " #b)
#define assert_int_equal(a, b) CM_CMP_(a, ==, b)
#define assert_int_not_equal(a, b) CM_CMP_(a, !=, b)
#define assert_uint_equal(a, b) CM_CMP_(a, ==, b)
#define assert_uint_not_equal(a, b) CM_CMP_(a, !=, b)
#define assert_return_code(rc, error) cm_check_((rc) >= 0, __FILE__, __LINE__, #rc)
#define assert_in_range(v, lo, hi)                                                                           \
    cm_check_((uintmax_t)(v) >= (uintmax_t)(lo) && (uintmax_t)(v) <= (uintmax_t)(hi), __FILE__, __LINE__,    \
              #v " in " #lo ".." #hi)
#define assert_not_in_range(v, lo, hi)                                                                       \
    cm_check_((uintmax_t)(v) < (uintmax_t)(lo) || (uintmax_t)(v) > (uintmax_t)(hi), __FILE__, __LINE__,      \
              #v " not in " #lo ".." #hi)
#define assert_float_equal(a, b, eps)                                                                        \
    cm_check_(((a) > (b) ? (a) - (b) : (b) - (a)) <= (eps), __FILE__, __LINE__, #a " == " #b)
#define assert_double_equal(a, b, eps) assert_float_equal(a, b, eps)
#define assert_memory_equal(a, b, n) cm_memory_(true, a, b, n, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) cm_memory_(false, a, b, n, __FILE__, __LINE__)
#define assert_string_equal(a, b) cm_strings_(true, a, b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) cm_strings_(false, a, b, __FILE__, __LINE__)
#define fail() cm_fail_(__FILE__, __LINE__, "fail()")
#define fail_msg(...)                                                                                        \
    do {                                                                                                     \
        printf(__VA_ARGS__);                                                                                 \
        cm_fail_(__FILE__, __LINE__, " fail_msg()");                                                         \
    } while (0)
#define skip()                                                                                               \
    do {                                                                                                     \
        cm_run_.skipped = true;                                                                              \
        longjmp(cm_run_.out, 1);                                                                             \
    } while (0)

__attribute__((unused)) static int cm_run_group_(const char *group, const struct CMUnitTest *tests, size_t n,
                                                 CMFixtureFunction setup, CMFixtureFunction teardown)
{
    static void *group_state; /* outside the frame that longjmp returns to */
    static volatile int failed;
    static volatile size_t i;
    group_state = NULL;
    failed = 0;
    printf("[==========] %s: Running %lu test(s).\n", group, (unsigned long)n);
    if (setup && setup(&group_state) != 0) {
        printf("[  FAILED  ] group setup\n");
        return 1;
    }
    for (i = 0; i < n; i++) {
        const struct CMUnitTest *t = &tests[i];
        static void *state;
        state = t->initial_state ? t->initial_state : group_state;
        printf("[ RUN      ] %s\n", t->name);
        cm_run_.skipped = false;
        bool ok = false;
        if (t->setup_func && t->setup_func(&state) != 0) {
            printf("setup failed\n");
        } else if (setjmp(cm_run_.out) == 0) {
            t->test_func(&state);
            ok = true;
        }
        if (t->teardown_func && t->teardown_func(&state) != 0)
            ok = false;
        printf("%s %s\n", ok ? "[       OK ]" : cm_run_.skipped ? "[  SKIPPED ]" : "[  FAILED  ]", t->name);
        if (!ok && !cm_run_.skipped)
            failed++;
    }
    if (teardown && teardown(&group_state) != 0)
        failed++;
    printf("[==========] %s: %lu test(s) run, %d failed.\n", group, (unsigned long)n, failed);
    return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                                       \
    cm_run_group_(#tests, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                            \
    cm_run_group_(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#endif
