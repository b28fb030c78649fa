#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adder/bytes.h"

static void reads(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0xFF};
    adder_cursor_t c = adder_cursor(bytes, sizeof bytes);
    assert_int_equal(adder_cursor_u8(&c), 1);
    assert_int_equal(adder_cursor_le16(&c), 0x0302);
    assert_int_equal(adder_cursor_le32(&c), 0x07060504);
    assert_int_equal(adder_cursor_be16(&c), 0x0809);
    assert_int_equal(adder_cursor_be32(&c), 0x0A0B0C80);
    assert_ptr_equal(adder_cursor_take(&c, 0), bytes + 13);
    assert_int_equal(c.left, 1);
    assert_false(c.failed);
}

static void never_past_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    adder_cursor_t c = adder_cursor(bytes, 3);
    assert_int_equal(adder_cursor_le32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(adder_cursor_u8(&c), 0); /* keeps failing */
    c = adder_cursor(bytes, 3);
    adder_cursor_skip(&c, SIZE_MAX);
    assert_true(c.failed);
    c = adder_cursor(NULL, 0);
    assert_null(adder_cursor_take(&c, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(never_past_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
