/* Addresses: what parses, what is refused, how they print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/ip.h"

static adder_ip_t parse(const char *text)
{
    adder_ip_t ip;
    if (adder_ip_parse(text, strlen(text), &ip) != ADDER_OK)
        fail_msg("\"%s\" is refused", text);
    return ip;
}

static void canonical_text(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one group is not shortened */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* the longest */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first of equal ones */
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"}, /* "::" may stand for one group, not be printed so */
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"1:2:3::6:7:8", "1:2:3::6:7:8"},
        {"00ab::", "ab::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"::ffff:c000:201", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"fe80::1%2", "fe80::1%2"},
        {"ff02::fb%4294967295", "ff02::fb%4294967295"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[ADDER_IP_TEXT];
        adder_ip_t ip = parse(pairs[i][0]);
        assert_int_equal(adder_ip_print(&ip, text, sizeof text), strlen(pairs[i][1]));
        assert_string_equal(text, pairs[i][1]);
    }
}

static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1",
        "127.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4.",
        ".1.2.3",
        "1..2.3",
        "256.0.0.1",
        "1.2.3.1000",
        "010.0.0.1",
        "00.0.0.0",
        "0x7f.0.0.1",
        "2130706433",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4/24",
        "1.2.3.4:80",
        "1.2.3.4%1",
        ":",
        ":::",
        ":1",
        "1:",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4::5:6:7:8",
        "1::2::3",
        "::12345",
        "::g",
        "[::1]",
        "::1 ",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "::1.2.3.04",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "::1.2.3.4.5",
        "fe80::1%",
        "fe80::1%eth0",
        "fe80::1%0",
        "fe80::1%01",
        "fe80::1%4294967296",
        "fe80::1%1%2",
        "2001:db8::1%1",
        "::1%1",
        "::%1",
        "1:%1",
        "localhost",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        adder_ip_t ip;
        memset(&ip, 0x55, sizeof ip);
        if (adder_ip_parse(texts[i], strlen(texts[i]), &ip) != ADDER_ERR_FORMAT)
            fail_msg("\"%s\" is not refused", texts[i]);
        assert_int_equal(ip.family, 0x55);
    }
    adder_ip_t ip;
    assert_int_equal(adder_ip_parse("1.2.3.4\0", 8, &ip), ADDER_ERR_FORMAT);
    assert_int_equal(adder_ip_parse("1.2.3.45", 7, &ip), ADDER_OK); /* exactly `len` bytes */
    assert_int_equal(ip.bytes[3], 4);
}

static void mapped(void **state)
{
    (void)state;
    adder_ip_t v4 = parse("192.0.2.1"), v6 = parse("::ffff:192.0.2.1"), compat = parse("::192.0.2.1");
    assert_false(adder_ip_equal(&v4, &v6));
    adder_ip_t plain = adder_ip_unmap(&v6);
    assert_true(adder_ip_equal(&v4, &plain));
    plain = adder_ip_unmap(&compat); /* the deprecated form is not mapped */
    assert_true(adder_ip_equal(&compat, &plain));
    plain = adder_ip_unmap(&v4);
    assert_true(adder_ip_equal(&v4, &plain));
}

static void kinds(void **state)
{
    (void)state;
    adder_ip_t ip = {0};
    char text[ADDER_IP_TEXT];
    assert_true(adder_ip_is_any(&ip));
    assert_int_equal(adder_ip_print(&ip, text, sizeof text), 4);
    assert_string_equal(text, "none");
    assert_true((ip = parse("0.0.0.0"), adder_ip_is_any(&ip)));
    assert_true((ip = parse("::"), adder_ip_is_any(&ip)));
    assert_false((ip = parse("::1"), adder_ip_is_any(&ip)));
    assert_true(adder_ip_is_loopback(&ip));
    assert_true((ip = parse("127.9.9.9"), adder_ip_is_loopback(&ip)));
    assert_true((ip = parse("febf::1"), adder_ip_is_link_local(&ip)));
    assert_false((ip = parse("fec0::1"), adder_ip_is_link_local(&ip)));
    assert_true((ip = parse("169.254.1.1"), adder_ip_is_link_local(&ip)));
    assert_true((ip = parse("239.1.2.3"), adder_ip_is_multicast(&ip)));
    assert_true((ip = parse("ff02::fb"), adder_ip_is_multicast(&ip)));
    assert_false((ip = parse("240.0.0.1"), adder_ip_is_multicast(&ip)));
}

static void small_buffers(void **state)
{
    (void)state;
    adder_endpoint_t e = {parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535};
    char text[ADDER_ENDPOINT_TEXT] = "x";
    assert_int_equal(adder_endpoint_print(&e, text, sizeof text), 47);
    assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    assert_int_equal(adder_endpoint_print(&e, text, 47), 0);
    assert_string_equal(text, "");
    assert_int_equal(adder_endpoint_print(&e, text, 48), 47);
    assert_int_equal(adder_endpoint_print(&e, NULL, 0), 0);
    e = (adder_endpoint_t){parse("192.0.2.1"), 80};
    (void)adder_endpoint_print(&e, text, sizeof text);
    assert_string_equal(text, "192.0.2.1:80");
    e.ip = parse("ff02:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
    e.port = 65535;
    assert_int_equal(adder_endpoint_print(&e, text, sizeof text), 58);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text), cmocka_unit_test(refused),       cmocka_unit_test(mapped),
        cmocka_unit_test(kinds),          cmocka_unit_test(small_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
