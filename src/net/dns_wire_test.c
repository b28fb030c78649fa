/* Names on the wire: what is read, what is no name, and that case does not tell names apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adder/dns.h"
#include "src/net/dns_wire.h"

static dns_name_t name;
static size_t pos;

static bool reads(const char *msg, size_t len, size_t at)
{
    pos = at;
    return dns_read_name((const uint8_t *)msg, len, &pos, &name);
}

#define READS(msg, at) reads(msg, sizeof(msg) - 1, at)

static void name_is(const char *bytes, size_t len, size_t behind)
{
    assert_int_equal(name.len, len);
    assert_memory_equal(name.bytes, bytes, len);
    assert_int_equal(pos, behind);
}

static void plain_and_compressed(void **state)
{
    (void)state;
    assert_true(READS("\0", 0));
    name_is("\0", 1, 1);
    assert_true(READS("..\3wWw\2eU\0..", 2)); /* its case stays */
    name_is("\3wWw\2eU\0", 8, 10);
    assert_true(READS("\2eU\0\3wWw\xc0\0..", 4));
    name_is("\3wWw\2eU\0", 8, 10);
    assert_true(READS("\2eU\0\1b\xc0\0\1a\xc0\4.", 8)); /* two pointers */
    name_is("\1a\1b\2eU\0", 8, 12);
}

static void no_names(void **state)
{
    (void)state;
    assert_false(READS("", 0));
    assert_false(READS("\3ww", 0));
    assert_false(READS("\1w", 0));
    assert_false(READS("\1w\xc0", 0));
    assert_false(READS("\0\0\xc0\2", 2)); /* to itself, and onward */
    assert_false(READS("\0\0\xc0\4\0", 2));
    assert_false(READS("\1a\xc0\0", 0)); /* round and round */
    assert_false(READS("\x40", 0));      /* neither length nor pointer */
    char longest[257];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 2 == 0 ? 1 : 'a';
    longest[254] = '\0';
    assert_true(reads(longest, sizeof longest, 0));
    assert_int_equal(name.len, 255);
    longest[254] = 1;
    longest[256] = '\0';
    assert_false(reads(longest, sizeof longest, 0));
}

static uint32_t always_7(void *ctx)
{
    (void)ctx;
    return 7;
}

/* A server may answer in letters of its own choice. */
static void case_tells_no_names_apart(void **state)
{
    (void)state;
    static const uint8_t reply[] = "\0\7\x81\x80\0\1\0\1\0\0\0\0\4HOST\0\0\1\0\1"
                                   "\4hoST\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\5";
    const adder_ip_t server = adder_ip_v4(192, 0, 2, 1);
    adder_dns_record_t cache[1] = {0};
    adder_dns_t dns;
    adder_dns_query_t q;
    adder_endpoint_t to;
    uint8_t request[ADDER_DNS_REQUEST];
    size_t len;
    uint32_t wait_ms;
    adder_dns_init(&dns, &server, 1, always_7, NULL, cache, 1);
    assert_int_equal(adder_dns_query_start(&q, &dns, "Host", ADDER_IP_V4, 0), ADDER_OK);
    assert_int_equal(adder_dns_query_tick(&q, 0, &wait_ms), ADDER_ERR_AGAIN);
    assert_int_equal(adder_dns_query_out(&q, request, sizeof request, &len, &to), ADDER_OK);
    adder_dns_query_sent(&q, 0);
    assert_true(adder_dns_query_in(&q, &to, reply, sizeof reply - 1, 1));
    assert_int_equal(adder_dns_query_tick(&q, 1, &wait_ms), ADDER_OK);
    assert_int_equal(q.n_ips, 1);
    assert_int_equal(q.ips[0].bytes[3], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_compressed),
        cmocka_unit_test(no_names),
        cmocka_unit_test(case_tells_no_names_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
