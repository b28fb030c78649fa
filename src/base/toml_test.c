/* settings.toml: what CircuitPython reads, and what it does with the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/settings.h"

static const char file[] = "# a comment\r\n"
                           "SSID = \"my \\\"home\\\" \\u00e9\\U0001F600\\q\" # said\r\n"
                           "NUMBER = 42\n"
                           "\tHEX=0x10\n"
                           "OCTAL = 011\n"
                           "FLOAT = 2.5 # half\n"
                           "INF = inf\n"
                           "ON = true\n"
                           "OFF = false\n"
                           "WORD = hello world\n"
                           "OPEN = \"no end\n"
                           "AFTER = \"a\" b\n"
                           "BAD-U = \"\\u12\"\n"
                           "EMPTY =\n"
                           "no equals\n"
                           "NUMBER = 43\n"
                           "BIG = 99999999999999999999\n"
                           "[section]\n"
                           "LATER = 1\n"
                           "also wrong\n";

static adder_setting_t find(const char *key)
{
    adder_setting_t s;
    assert_true(adder_settings_find(file, sizeof file - 1, key, &s));
    return s;
}

static void has_text(const char *key, const char *text)
{
    char out[64];
    size_t len;
    adder_setting_t s = find(key);
    assert_int_equal(adder_settings_text(&s, out, sizeof out, &len), ADDER_OK);
    assert_string_equal(out, text);
    assert_int_equal(len, strlen(text));
}

static void values(void **state)
{
    (void)state;
    has_text("SSID", "my \"home\" \xc3\xa9\xf0\x9f\x98\x80q");
    has_text("NUMBER", "42"); /* the first one */
    has_text("HEX", "0x10");
    has_text("FLOAT", "2.5");
    has_text("WORD", "hello world");
    has_text("OPEN", "no end");
    has_text("EMPTY", "");
    assert_int_equal(find("NUMBER").i, 42);
    assert_int_equal(find("HEX").i, 16);
    assert_int_equal(find("OCTAL").i, 9);
    assert_true(find("FLOAT").kind == ADDER_SETTING_FLOAT && find("FLOAT").f > 2.4);
    assert_int_equal(find("INF").kind, ADDER_SETTING_FLOAT);
    assert_true(find("ON").kind == ADDER_SETTING_BOOL && find("ON").b && !find("OFF").b);
    assert_int_equal(find("WORD").kind, ADDER_SETTING_BAD);
    assert_int_equal(find("WORD").line, 10);
    assert_int_equal(find("BIG").kind, ADDER_SETTING_BAD);
    adder_setting_t s;
    assert_false(adder_settings_find(file, sizeof file - 1, "LATER", &s));
    assert_false(adder_settings_find(file, sizeof file - 1, "ssid", &s));
    assert_false(adder_settings_find("", 0, "A", &s));
    assert_true(adder_settings_find("\xEF\xBB\xBF"
                                    "A=1",
                                    6, "A", &s));
}

static void problems(void **state)
{
    (void)state;
    static const unsigned lines[] = {10, 11, 12, 13, 14, 15, 17};
    adder_settings_problem_t p[16];
    assert_int_equal(adder_settings_check(file, sizeof file - 1, p, 16), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(p[i].line, lines[i]);
    assert_string_equal(p[1].what, "the text has no closing quote");
    assert_int_equal(adder_settings_check(file, sizeof file - 1, p, 2), 2);
}

static void space(void **state)
{
    (void)state;
    char out[4];
    size_t len;
    adder_setting_t s = find("WORD");
    assert_int_equal(adder_settings_text(&s, out, sizeof out, &len), ADDER_ERR_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(problems),
                                       cmocka_unit_test(space)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
