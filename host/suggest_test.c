#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/suggest.h"

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("abc", ""), 3);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("baord", "board"), 1); /* swapped letters are one slip */
    assert_int_equal(suggest_distance("--Board", "--board"), 0);
}

static void nearest_names_only_near_ones(void **state)
{
    (void)state;
    static const char *const names[] = {"--board", "--headless", "--screenshot", "--report"};
    assert_string_equal(suggest_nearest("--borad", names, 4), "--board");
    assert_string_equal(suggest_nearest("--headles", names, 4), "--headless");
    assert_string_equal(suggest_nearest("--scr", names, 4), "--screenshot");
    assert_null(suggest_nearest("xyz", names, 4));
    assert_null(suggest_nearest("board", names, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(nearest_names_only_near_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
