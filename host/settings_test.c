#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/settings.h"

static const char *get(const char *text, const char *key)
{
    static char out[32];
    return settings_get(text, strlen(text), key, out, sizeof out) ? out : NULL;
}

static void values(void **state)
{
    (void)state;
    const char *text =
        "# comment\r\nA = \"x\\ty\"\r\nB=0x10 # why\n\nC = true\nD = \"\\u00e9\\U0001F40D\"\n A2 = \"\"\n"
        "[section]\nE = 1\n";
    assert_string_equal(get(text, "A"), "x\ty");
    assert_string_equal(get(text, "B"), "0x10");
    assert_string_equal(get(text, "C"), "true");
    assert_string_equal(get(text, "D"), "\xC3\xA9\xF0\x9F\x90\x8D");
    assert_string_equal(get(text, "A2"), "");
    assert_null(get(text, "E")); /* reading stops at the section */
    assert_string_equal(get("A=1\nA=2", "A"), "1");
}

static void too_long_is_no_value(void **state)
{
    (void)state;
    assert_null(get("A = \"0123456789012345678901234567890123456789\"", "A"));
}

static const char *check(const char *text)
{
    static char msg[120];
    return settings_check(text, strlen(text), msg, sizeof msg) ? "fine" : msg;
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    assert_string_equal(check("A = 1\nB = \"x\"\n"), "fine");
    assert_string_equal(check(""), "fine");
    assert_string_equal(check("A = 1\nSSID = \"home\n"), "2: SSID: the text has no closing quote");
    assert_string_equal(check("SSID = home"),
                        "1: SSID: the value is neither a quoted text nor a number (quotes missing?)");
    assert_string_equal(check("\n\nwhat\n"), "3: expected NAME = value");
    assert_string_equal(check("A ="), "1: A: the value is missing");
    assert_string_equal(check("A = \"x\" y"), "1: A: something follows the value");
    assert_string_equal(check("A = \"\\u12\""), "1: A: \\u takes 4 hex digits and \\U takes 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(too_long_is_no_value),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
