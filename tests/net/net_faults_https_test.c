/* A board's wire fails under a whole stack: see airlift_faults.h. */
#include "tests/net/airlift_faults.h"

static void survives(void **state)
{
    (void)state;
    sweep_all(do_https);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives)};
    return cmocka_run_group_tests(tests, scenarios_start, scenarios_stop);
}
