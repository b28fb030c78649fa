/* URLs: what is taken apart, what is refused, and what a Location means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http.h"

static void is(adder_http_str_t s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at, text, s.len);
}

static void parses(const char *text, bool tls, const char *host, unsigned port, const char *target)
{
    adder_url_t u;
    adder_http_why_t why;
    if (adder_url_parse(text, strlen(text), &u, &why) != ADDER_OK)
        fail_msg("%s: %s\n", text, adder_http_why_str(why));
    assert_int_equal(why, ADDER_HTTP_WHY_NONE);
    assert_int_equal(u.tls, tls);
    is(u.host, host);
    assert_int_equal(u.port, port);
    is(u.target, target);
    assert_int_equal(u.ipv6, strchr(host, ':') != NULL);
}

static void taken_apart(void **state)
{
    (void)state;
    parses("http://a", false, "a", 80, "");
    parses("HTTPS://Example.com/", true, "Example.com", 443, "/");
    parses("http://a:8080/b/c?d=e&f#g", false, "a", 8080, "/b/c?d=e&f");
    parses("http://a:/x", false, "a", 80, "/x");
    parses("https://a:00001", true, "a", 1, "");
    parses("http://a?q", false, "a", 80, "?q");
    parses("http://a#f", false, "a", 80, "");
    parses("http://192.168.0.1:65535/%20|[", false, "192.168.0.1", 65535, "/%20|[");
    parses("http://my_host.local/?a=http://b@c:9", false, "my_host.local", 80, "/?a=http://b@c:9");
    parses("http://[::1]/", false, "::1", 80, "/");
    parses("http://[2001:db8::a:1]:81", false, "2001:db8::a:1", 81, "");
    parses("https://[::ffff:1.2.3.4]/", true, "::ffff:1.2.3.4", 443, "/");
    parses("https://[1:2:3:4:5:6:7:8]/", true, "1:2:3:4:5:6:7:8", 443, "/");
    parses("https://[1:2:3:4:5:6:7::]/", true, "1:2:3:4:5:6:7::", 443, "/");
    parses("https://[::]/", true, "::", 443, "/");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        adder_http_why_t why;
    } cases[] = {
        {"", ADDER_HTTP_WHY_URL_SCHEME},
        {"http", ADDER_HTTP_WHY_URL_SCHEME},
        {"http:/a", ADDER_HTTP_WHY_URL_SCHEME},
        {"http:a", ADDER_HTTP_WHY_URL_SCHEME},
        {"ftp://a", ADDER_HTTP_WHY_URL_SCHEME},
        {"httpx://a", ADDER_HTTP_WHY_URL_SCHEME},
        {"a/b", ADDER_HTTP_WHY_URL_SCHEME},
        {"http://", ADDER_HTTP_WHY_URL_HOST},
        {"http:///a", ADDER_HTTP_WHY_URL_HOST},
        {"http://:80", ADDER_HTTP_WHY_URL_HOST},
        {"http://a\\b/", ADDER_HTTP_WHY_URL_HOST},
        {"http://a%2e/", ADDER_HTTP_WHY_URL_HOST},
        {"http://.a/", ADDER_HTTP_WHY_URL_HOST},
        {"http://u@a/", ADDER_HTTP_WHY_URL_USER},
        {"http://u:p@a/", ADDER_HTTP_WHY_URL_USER},
        {"http://good.com:80@evil.com/", ADDER_HTTP_WHY_URL_USER},
        {"http://a:0/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a:65536/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a:99999/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a:000080/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a:-1/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a:8:8/", ADDER_HTTP_WHY_URL_PORT},
        {"http://a/ b", ADDER_HTTP_WHY_URL_BYTE},
        {"http://a/\r\nX: y", ADDER_HTTP_WHY_URL_BYTE},
        {"http://\xc3\xa9/", ADDER_HTTP_WHY_URL_BYTE},
        {" http://a/", ADDER_HTTP_WHY_URL_BYTE},
        {"http://[::1", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[:]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[:::]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[1::2::3]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[1:2:3:4:5:6:7]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[1:2:3:4:5:6:7:8:9]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[1:2:3:4:5:6:7:8::]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[12345::]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[1:]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[::1.2.3]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[::1.2.3.256]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[::1.2.3.4:5]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[fe80::1%25en0]/", ADDER_HTTP_WHY_URL_IPV6},
        {"http://[::1]a/", ADDER_HTTP_WHY_URL_HOST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adder_url_t u;
        adder_http_why_t why;
        adder_err_t err = adder_url_parse(cases[i].text, strlen(cases[i].text), &u, &why);
        if (err == ADDER_OK || why != cases[i].why)
            fail_msg("%s\nis: %s\n", cases[i].text, adder_http_why_str(why));
        assert_null(u.host.at);
        assert_int_equal(adder_url_parse(cases[i].text, strlen(cases[i].text), &u, NULL), err);
    }
    char host[300] = "http://";
    memset(host + 7, 'a', 254);
    adder_url_t u;
    assert_int_equal(adder_url_parse(host, 7 + 253, &u, NULL), ADDER_OK);
    assert_int_equal(adder_url_parse(host, 7 + 254, &u, NULL), ADDER_ERR_FORMAT);
}

/* The examples of RFC 3986, 5.4, and those of ours. */
static void references(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "./g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"},
        {"http://a/b/c/d;p?q", "/g", "http://a/g"},
        {"http://a/b/c/d;p?q", "//g", "http://g"},
        {"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
        {"http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y"},
        {"http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q"},
        {"http://a/b/c/d;p?q", "g#s", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "g?y#s", "http://a/b/c/g?y"},
        {"http://a/b/c/d;p?q", ";x", "http://a/b/c/;x"},
        {"http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"},
        {"http://a/b/c/d;p?q", ".", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "./", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "..", "http://a/b/"},
        {"http://a/b/c/d;p?q", "../", "http://a/b/"},
        {"http://a/b/c/d;p?q", "../g", "http://a/b/g"},
        {"http://a/b/c/d;p?q", "../..", "http://a/"},
        {"http://a/b/c/d;p?q", "../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "../../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "../../../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/./g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "g.", "http://a/b/c/g."},
        {"http://a/b/c/d;p?q", ".g", "http://a/b/c/.g"},
        {"http://a/b/c/d;p?q", "..g", "http://a/b/c/..g"},
        {"http://a/b/c/d;p?q", "./../g", "http://a/b/g"},
        {"http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/"},
        {"http://a/b/c/d;p?q", "g/./h", "http://a/b/c/g/h"},
        {"http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h"},
        {"http://a/b/c/d;p?q", "g;x=1/../y", "http://a/b/c/y"},
        {"http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x"},
        {"http://a/b/c/d;p?q", "g#s/../x", "http://a/b/c/g"},
        {"http://a", "g", "http://a/g"},
        {"http://a?q", "g", "http://a/g"},
        {"http://a?q", "?r", "http://a?r"},
        {"http://a/b", "https://c/../d", "https://c/d"},
        {"https://a:8443/b", "/c", "https://a:8443/c"},
        {"https://a:443/b", "c?d:e", "https://a/c?d:e"},
        {"http://[::1]:81/b", "c", "http://[::1]:81/c"},
        {"http://a/b", "a/b:c", "http://a/a/b:c"},
        {"http://a/b", "/c//../d", "http://a/c/d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adder_url_t base, u, same;
        char buf[64], tight[64];
        const char *ref = cases[i][1];
        assert_int_equal(adder_url_parse(cases[i][0], strlen(cases[i][0]), &base, NULL), ADDER_OK);
        assert_int_equal(adder_url_resolve(&base, ref, strlen(ref), buf, sizeof buf, &u, NULL), ADDER_OK);
        assert_string_equal(buf, cases[i][2]);
        assert_int_equal(adder_url_parse(buf, strlen(buf), &same, NULL), ADDER_OK);
        assert_ptr_equal(u.target.at, same.target.at);
        assert_int_equal(u.target.len, same.target.len);
        /* Too small a buffer is said, at every size. */
        for (size_t cap = 0; cap < strlen(buf) + 1; cap++) {
            adder_http_why_t why;
            assert_int_equal(adder_url_resolve(&base, ref, strlen(ref), tight, cap, &u, &why),
                             ADDER_ERR_NOSPACE);
            assert_int_equal(why, ADDER_HTTP_WHY_URL_LONG);
        }
    }
}

static void references_refused(void **state)
{
    (void)state;
    static const struct {
        const char *ref;
        adder_http_why_t why;
    } cases[] = {
        {"javascript:1", ADDER_HTTP_WHY_URL_SCHEME}, {"http:g", ADDER_HTTP_WHY_URL_SCHEME},
        {"ftp://a/", ADDER_HTTP_WHY_URL_SCHEME},     {"//u@b/", ADDER_HTTP_WHY_URL_USER},
        {"///c", ADDER_HTTP_WHY_URL_HOST},           {"/a b", ADDER_HTTP_WHY_URL_BYTE},
        {"/a\r\nX: y", ADDER_HTTP_WHY_URL_BYTE},     {"#\x01", ADDER_HTTP_WHY_URL_BYTE},
        {"//a:99999", ADDER_HTTP_WHY_URL_PORT},
    };
    adder_url_t base, u;
    assert_int_equal(adder_url_parse("https://a/b", 11, &base, NULL), ADDER_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buf[64];
        adder_http_why_t why;
        assert_int_not_equal(
            adder_url_resolve(&base, cases[i].ref, strlen(cases[i].ref), buf, sizeof buf, &u, &why),
            ADDER_OK);
        assert_int_equal(why, cases[i].why);
        assert_string_equal(buf, "");
    }
}

static void redirects(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *method;
        adder_http_redirect_t what;
    } cases[] = {
        {200, "GET", ADDER_HTTP_REDIRECT_NOT},     {300, "GET", ADDER_HTTP_REDIRECT_NOT},
        {304, "GET", ADDER_HTTP_REDIRECT_NOT},     {301, "GET", ADDER_HTTP_REDIRECT_KEEP},
        {301, "POST", ADDER_HTTP_REDIRECT_TO_GET}, {302, "POST", ADDER_HTTP_REDIRECT_TO_GET},
        {302, "PUT", ADDER_HTTP_REDIRECT_KEEP},    {303, "PUT", ADDER_HTTP_REDIRECT_TO_GET},
        {303, "HEAD", ADDER_HTTP_REDIRECT_KEEP},   {307, "POST", ADDER_HTTP_REDIRECT_KEEP},
        {308, "POST", ADDER_HTTP_REDIRECT_KEEP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(adder_http_redirect(cases[i].status, cases[i].method), cases[i].what);
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"http://a/x", "HTTP://A:80/y", true}, {"http://a", "https://a", false},
        {"http://a", "https://a:80", false},   {"http://a", "http://b", false},
        {"http://a", "http://a:81", false},    {"http://[::A]", "http://[::a]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adder_url_t a, b;
        assert_int_equal(adder_url_parse(cases[i].a, strlen(cases[i].a), &a, NULL), ADDER_OK);
        assert_int_equal(adder_url_parse(cases[i].b, strlen(cases[i].b), &b, NULL), ADDER_OK);
        assert_int_equal(adder_url_same_origin(&a, &b), cases[i].same);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_apart),        cmocka_unit_test(refused),   cmocka_unit_test(references),
        cmocka_unit_test(references_refused), cmocka_unit_test(redirects), cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
