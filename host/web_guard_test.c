/* Who may talk to the server: loopback names with our port, nothing that merely resolves there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/web_guard.h"

static void test_host(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"};
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "localhost",
                                      "localhost:",
                                      "localhost:80",
                                      "localhost:80800",
                                      "localhost:8080 ",
                                      "localhost:8080x",
                                      "localhost.example.org:8080",
                                      "127.0.0.1.nip.io:8080",
                                      "127.0.0.2:8080",
                                      "evil.example:8080",
                                      "::1:8080",
                                      "localhost:99999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(web_guard_host(good[i], 8080));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(web_guard_host(bad[i], 8080));
    }
    assert_true(web_guard_host("localhost", 80));
}

static void test_origin(void **state)
{
    (void)state;
    assert_true(web_guard_origin("http://127.0.0.1:8080", 8080));
    assert_true(web_guard_origin("http://localhost:8080", 8080));
    assert_false(web_guard_origin("https://localhost:8080", 8080));
    assert_false(web_guard_origin("http://localhost:8081", 8080));
    assert_false(web_guard_origin("http://localhost:8080/", 8080));
    assert_false(web_guard_origin("http://evil.example", 8080));
    assert_false(web_guard_origin("null", 8080));
    assert_false(web_guard_origin("file://", 8080));
    assert_false(web_guard_origin("", 8080));
}

static void test_file(void **state)
{
    (void)state;
    assert_string_equal(web_guard_file("/"), "index.html");
    assert_string_equal(web_guard_file("/app.js"), "app.js");
    static const char *const bad[] = {
        "",
        "app.js",
        "/.npmrc",
        "/..",
        "/../etc/passwd",
        "/a/../b",
        "/a/b.js",
        "//x",
        "/a%2e%2e",
        "/a b",
        "/\\windows",
        "/app.js/",
        "/a\nb",
        "/..%2f..",
        "/.",
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(web_guard_file(bad[i]));
    }
    assert_string_equal(web_guard_type("app.js"), "text/javascript; charset=utf-8");
    assert_string_equal(web_guard_type("x.tar"), "application/octet-stream");
    assert_string_equal(web_guard_type("none"), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
