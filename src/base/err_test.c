#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adder/err.h"

static void text_of_every_code(void **state)
{
    (void)state;
    for (int i = 0; i < ADDER_ERR_COUNT; i++)
        assert_true(adder_err_str((adder_err_t)i)[0] != 0);
    assert_string_equal(adder_err_str(ADDER_ERR_COUNT), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_of_every_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
