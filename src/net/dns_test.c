/* The resolver: questions as they leave, replies good, wrong and hostile, time and cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/dns.h"

/* ---- a resolver with two servers, and replies written by hand ---- */

static uint32_t count_up(void *ctx)
{
    return (*(uint32_t *)ctx)++;
}

typedef struct {
    uint32_t seed, now;
    adder_dns_record_t cache[3];
    adder_dns_t dns;
    adder_dns_query_t q;
    uint8_t request[ADDER_DNS_REQUEST];
    size_t request_len;
    adder_endpoint_t to;
    uint8_t reply[1024];
    size_t len;
} bench_t;

static void set_up(bench_t *b)
{
    memset(b, 0, sizeof *b);
    b->seed = 0x1234;
    b->now = 0xfffff000; /* the clock wraps during the tests */
    adder_ip_t servers[2] = {adder_ip_v4(192, 0, 2, 1), adder_ip_v4(192, 0, 2, 2)};
    adder_dns_init(&b->dns, servers, 2, count_up, &b->seed, b->cache, 3);
}

static adder_err_t tick(bench_t *b)
{
    uint32_t wait;
    return adder_dns_query_tick(&b->q, b->now, &wait);
}

static void start(bench_t *b, const char *name, adder_ip_family_t family)
{
    assert_int_equal(adder_dns_query_start(&b->q, &b->dns, name, family, b->now), ADDER_OK);
}

/* The next request, taken as sent; it goes to server 1 or 2. */
static void sends_to(bench_t *b, unsigned server)
{
    assert_int_equal(tick(b), ADDER_ERR_AGAIN);
    assert_int_equal(adder_dns_query_out(&b->q, b->request, sizeof b->request, &b->request_len, &b->to),
                     ADDER_OK);
    assert_int_equal(b->to.ip.bytes[3], server);
    assert_int_equal(b->to.port, 53);
    adder_dns_query_sent(&b->q, b->now);
}

static void is_silent(bench_t *b)
{
    assert_int_equal(adder_dns_query_out(&b->q, b->request, sizeof b->request, &b->request_len, &b->to),
                     ADDER_ERR_AGAIN);
}

/* Header and question as in the request. */
static void begin(bench_t *b, unsigned flags, uint8_t answers, uint8_t authority)
{
    memcpy(b->reply, b->request, b->request_len);
    b->len = b->request_len;
    b->reply[2] = (uint8_t)(flags >> 8);
    b->reply[3] = (uint8_t)flags;
    b->reply[7] = answers;
    b->reply[9] = authority;
}

static void put(bench_t *b, const char *bytes, size_t len)
{
    memcpy(b->reply + b->len, bytes, len);
    b->len += len;
}

#define PUT(b, literal) put(b, literal, sizeof(literal) - 1)
#define OWNER "\xc0\x0c" /* the name of the question */
#define A "\0\1\0\1"
#define AAAA "\0\x1c\0\1"
#define CNAME "\0\5\0\1"

static bool give(bench_t *b)
{
    return adder_dns_query_in(&b->q, &b->to, b->reply, b->len, b->now);
}

static void address_is(const bench_t *b, size_t i, const char *text)
{
    char have[ADDER_IP_TEXT];
    assert_true(i < b->q.n_ips);
    (void)adder_ip_print(&b->q.ips[i], have, sizeof have);
    assert_string_equal(have, text);
}

/* ---- what leaves ---- */

static void request_bytes(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "WWW.example.org.", ADDER_IP_V6);
    sends_to(&b, 1);
    static const uint8_t want[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\x1c\0\1";
    assert_int_equal(b.request_len, sizeof want - 1);
    assert_memory_equal(b.request, want, sizeof want - 1);
    is_silent(&b); /* once */
}

static void names_refused(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    char label[80], longest[300] = "";
    memset(label, 'a', 64);
    label[64] = '\0';
    const char *const bad[] = {
        "",           ".",         "a..b",  ".a",         "a b",   "a/b", "\xc3\xa9.org",
        label,        "127.1",     "1.2.3", "0x7f.0.0.1", "0x7f1", "0x",  "017",
        "2130706433", "1.2.3.4.5", "a.256", "[::1]",      "::g"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (adder_dns_query_start(&b.q, &b.dns, bad[i], ADDER_IP_V4, b.now) != ADDER_ERR_FORMAT)
            fail_msg("\"%s\" is not refused", bad[i]);
        assert_int_equal(tick(&b), ADDER_ERR_STATE);
    }
    assert_int_equal(adder_dns_query_start(&b.q, &b.dns, "a", ADDER_IP_NONE, b.now), ADDER_ERR_ARG);
    for (size_t i = 0; i < 253; i++)
        longest[i] = i % 2 == 0 ? 'a' : '.';
    start(&b, longest, ADDER_IP_V4);
    sends_to(&b, 1);
    assert_int_equal(b.request_len, 12 + 255 + 4);
    size_t len;
    start(&b, longest, ADDER_IP_V4);
    assert_int_equal(adder_dns_query_out(&b.q, b.request, 270, &len, &b.to), ADDER_ERR_NOSPACE);
    memcpy(longest + 253, ".a", 3);
    assert_int_equal(adder_dns_query_start(&b.q, &b.dns, longest, ADDER_IP_V4, b.now), ADDER_ERR_FORMAT);
}

static void answered_here(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    static const struct {
        const char *name;
        adder_ip_family_t family;
        const char *want; /* NULL: no such address */
    } cases[] = {
        {"192.0.2.7", ADDER_IP_V4, "192.0.2.7"},
        {"192.0.2.7", ADDER_IP_V6, NULL},
        {"2001:DB8::1", ADDER_IP_V6, "2001:db8::1"},
        {"LocalHost", ADDER_IP_V4, "127.0.0.1"},
        {"localhost.", ADDER_IP_V6, "::1"},
        {"a.localhost", ADDER_IP_V4, "127.0.0.1"},
        {"x.invalid", ADDER_IP_V4, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(&b, cases[i].name, cases[i].family);
        assert_int_equal(tick(&b), cases[i].want == NULL ? ADDER_ERR_NOT_FOUND : ADDER_OK);
        if (cases[i].want != NULL)
            address_is(&b, 0, cases[i].want);
        is_silent(&b);
    }
    start(&b, "notlocalhost", ADDER_IP_V4);
    sends_to(&b, 1);
}

/* ---- answers ---- */

static void answer_and_cache(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    begin(&b, 0x8180, 3, 0);
    PUT(&b, OWNER A "\0\0\0\x0a\0\4\xc0\0\2\x08");
    PUT(&b, "\1x\0" A "\0\0\0\1\0\4\1\1\1\1"); /* another owner's: not ours */
    PUT(&b, OWNER A "\0\0\0\5\0\4\xc0\0\2\x09");
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_OK);
    assert_int_equal(b.q.n_ips, 2);
    address_is(&b, 0, "192.0.2.8");
    address_is(&b, 1, "192.0.2.9");

    b.now += 4999;
    start(&b, "A.EXAMPLE", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_OK);
    assert_int_equal(b.q.n_ips, 2);
    address_is(&b, 1, "192.0.2.9");
    start(&b, "a.example", ADDER_IP_V6); /* the other family is another question */
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    b.now += 1;
    start(&b, "a.example", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    b.now -= 1;
    start(&b, "a.example", ADDER_IP_V4); /* what has run out is gone, not asleep */
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
}

static void cache_places(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    char name[] = "a.example";
    for (unsigned i = 0; i < 5; i++) { /* five names in three places: the ones that last stay */
        name[0] = (char)('a' + i);
        start(&b, name, ADDER_IP_V4);
        sends_to(&b, 1);
        begin(&b, 0x8180, 1, 0);
        PUT(&b, OWNER A "\0\0\0");
        b.reply[b.len++] = (uint8_t)(10 * (i + 1));
        PUT(&b, "\0\4\1\2\3\4");
        assert_true(give(&b));
    }
    start(&b, "b.example", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    start(&b, "e.example", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_OK);
    start(&b, "c.example", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_OK);
    adder_dns_set_servers(&b.dns, &b.to, 1); /* another network */
    start(&b, "c.example", ADDER_IP_V4);
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
}

static void cname_chain(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V6);
    sends_to(&b, 1);
    begin(&b, 0x8180, 3, 0); /* the chain backwards: order is not promised */
    PUT(&b, "\1c\xc0\x0e" AAAA "\0\0\1\0\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
    PUT(&b, "\1b\xc0\x0e" CNAME "\0\0\0\2\0\4\1c\xc0\x0e");
    PUT(&b, OWNER CNAME "\0\0\1\0\0\4\1B\xc0\x0e");
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_OK);
    address_is(&b, 0, "2001:db8::2");
    b.now += 2000; /* the shortest life along the chain */
    start(&b, "a.example", ADDER_IP_V6);
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);

    /* A chain that leads out of the reply is followed with a question of its own. */
    sends_to(&b, 1);
    begin(&b, 0x8180, 1, 0);
    PUT(&b, OWNER CNAME "\0\0\1\0\0\5\3far\0");
    assert_true(give(&b));
    sends_to(&b, 1);
    assert_memory_equal(b.request + 12, "\3far\0\0\x1c", 7);
    begin(&b, 0x8180, 1, 0);
    PUT(&b, OWNER AAAA "\0\0\1\0\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\3");
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_OK);
    start(&b, "a.example", ADDER_IP_V6); /* kept under the name that was asked for */
    assert_int_equal(tick(&b), ADDER_OK);
    address_is(&b, 0, "2001:db8::3");
}

static void cname_circles(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    begin(&b, 0x8180, 2, 0);
    PUT(&b, OWNER CNAME "\0\0\1\0\0\4\1b\xc0\x0e");
    PUT(&b, "\1b\xc0\x0e" CNAME "\0\0\1\0\0\2\xc0\x0c");
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_ERR_FORMAT);

    start(&b, "a.example", ADDER_IP_V4); /* a circle over several replies */
    unsigned requests = 0;
    while (tick(&b) == ADDER_ERR_AGAIN) {
        sends_to(&b, 1);
        requests++;
        begin(&b, 0x8180, 1, 0);
        PUT(&b, OWNER CNAME "\0\0\1\0\0\2\xc0\x0c");
        assert_true(give(&b));
    }
    assert_int_equal(tick(&b), ADDER_ERR_FORMAT);
    assert_true(requests <= 9);
}

static void no_such_name(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    for (unsigned rcode = 0; rcode <= 3; rcode += 3) { /* no address of that kind; no such name */
        const char *name = rcode == 0 ? "a.example" : "b.example";
        start(&b, name, ADDER_IP_V4);
        sends_to(&b, 1);
        begin(&b, 0x8180 | rcode, 0, 1);
        PUT(&b, "\xc0\x0e\0\6\0\1\0\0\0\x14\0\x16\0\0");
        PUT(&b, "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x0a");
        assert_true(give(&b));
        assert_int_equal(tick(&b), ADDER_ERR_NOT_FOUND);
        b.now += 9999; /* the smaller of 20 and 10 s */
        start(&b, name, ADDER_IP_V4);
        assert_int_equal(tick(&b), ADDER_ERR_NOT_FOUND);
        b.now += 1;
        start(&b, name, ADDER_IP_V4);
        assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    }
}

static void truncated(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    begin(&b, 0x8380, 1, 0);
    PUT(&b, OWNER A "\0\0\0\x0a\0\4\xc0\0\2\x08");
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_ERR_END);
    assert_int_equal(b.q.n_ips, 0);
}

/* ---- replies that are none, or broken ---- */

static void not_ours(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    begin(&b, 0x8180, 1, 0);
    PUT(&b, OWNER A "\0\0\0\x0a\0\4\xc0\0\2\x08");
    adder_endpoint_t server = b.to;
    b.to.port = 54;
    assert_false(give(&b));
    b.to.port = 53;
    b.to.ip.bytes[3] = 2; /* a server of ours, but not the one asked */
    assert_false(give(&b));
    b.to = server;
    static const struct {
        size_t at;
        uint8_t flip;
    } flips[] = {{0, 1}, {1, 1}, {2, 0x80}, {2, 0x08}, {5, 3}, {13, 1}, {24, 1}, {26, 2}};
    for (size_t i = 0; i < sizeof flips / sizeof flips[0];
         i++) { /* id, QR, opcode, count, name, type, class */
        b.reply[flips[i].at] ^= flips[i].flip;
        assert_false(give(&b));
        b.reply[flips[i].at] ^= flips[i].flip;
    }
    for (size_t len = b.len; b.len-- > 0;) {
        assert_false(give(&b));
        if (b.len == 0) {
            b.len = len;
            break;
        }
    }
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    static const uint8_t prefix[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
    b.to.ip = adder_ip_v6(prefix); /* the same server, as a dual-stack socket shows it */
    assert_true(give(&b));
    assert_false(give(&b)); /* done: a second one is nobody's */
    assert_int_equal(tick(&b), ADDER_OK);
}

static void broken_records(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } records[] = {
#define RECORD(text) {text, sizeof(text) - 1}
        RECORD("\xc0\x1b" A "\0\0\0\1\0\4\1\2\3\4"),    /* a pointer to itself */
        RECORD("\xc0\xff" A "\0\0\0\1\0\4\1\2\3\4"),    /* forwards, out of the message */
        RECORD("\1a\xc0\x1b" A "\0\0\0\1\0\4\1\2\3\4"), /* back to its own start */
        RECORD("\x40"
               "a" A "\0\0\0\1\0\4\1\2\3\4"), /* reserved label types */
        RECORD("\x80"
               "a" A "\0\0\0\1\0\4\1\2\3\4"),
        RECORD(OWNER A "\0\0\0\1\0\3\1\2\3"), /* too short an address */
        RECORD(OWNER A "\0\0\0\1\0\5\1\2\3\4\5"),
        RECORD(OWNER A "\0\0\0\1\0\x09\1\2\3\4"),  /* longer than the message */
        RECORD(OWNER CNAME "\0\0\0\1\0\3\1b\0\0"), /* data behind the name; one byte more */
        RECORD(OWNER CNAME "\0\0\0\1\0\2\1b\0"),   /* name longer than its data */
        RECORD(OWNER CNAME "\0\0\0\1\0\0"),        /* none */
#undef RECORD
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        bench_t b;
        set_up(&b);
        start(&b, "a.example", ADDER_IP_V4);
        sends_to(&b, 1);
        assert_int_equal(b.request_len, 0x1b);
        begin(&b, 0x8180, 1, 0);
        put(&b, records[i].bytes, records[i].len);
        if (give(&b) && tick(&b) != ADDER_ERR_AGAIN)
            fail_msg("record %u is taken", (unsigned)i);
        assert_int_equal(b.q.n_ips, 0);
    }
}

/* ---- time ---- */

static void silence(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    unsigned last_id = 0;
    for (unsigned attempt = 0; attempt < 6; attempt++) {
        uint32_t wait, span = 1000u << attempt / 2;
        sends_to(&b, attempt % 2 + 1);
        unsigned id = (unsigned)b.request[0] << 8 | b.request[1];
        assert_int_not_equal(id, last_id); /* each request has its own id */
        last_id = id;
        assert_int_equal(adder_dns_query_tick(&b.q, b.now, &wait), ADDER_ERR_AGAIN);
        assert_int_equal(wait, span);
        b.now += span - 1;
        assert_int_equal(adder_dns_query_tick(&b.q, b.now, &wait), ADDER_ERR_AGAIN);
        assert_int_equal(wait, 1);
        is_silent(&b);
        b.now += 1;
    }
    assert_int_equal(tick(&b), ADDER_ERR_TIMEOUT);
    is_silent(&b);
}

static void servers_that_refuse(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    begin(&b, 0x8182, 0, 0);
    assert_true(give(&b));
    sends_to(&b, 2); /* at once */
    begin(&b, 0x8185, 0, 0);
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
    is_silent(&b); /* the round is over: not in a burst */
    b.now += 1000;
    sends_to(&b, 1);
    for (unsigned i = 0; i < 3; i++) {
        b.now += 4000;
        sends_to(&b, i % 2 == 0 ? 2 : 1);
    }
    b.now += 4000;
    assert_int_equal(tick(&b), ADDER_ERR_REFUSED); /* what a server said outweighs silence */
}

static void no_server(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b);
    start(&b, "a.example", ADDER_IP_V4);
    sends_to(&b, 1);
    adder_dns_set_servers(&b.dns, NULL, 0);
    assert_false(give(&b));
    assert_int_equal(tick(&b), ADDER_ERR_STATE);
    start(&b, "b.example", ADDER_IP_V4);
    is_silent(&b);
    adder_dns_query_sent(&b.q, b.now);
    assert_int_equal(tick(&b), ADDER_ERR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_bytes),       cmocka_unit_test(names_refused),
        cmocka_unit_test(answered_here),       cmocka_unit_test(answer_and_cache),
        cmocka_unit_test(cache_places),        cmocka_unit_test(cname_chain),
        cmocka_unit_test(cname_circles),       cmocka_unit_test(no_such_name),
        cmocka_unit_test(truncated),           cmocka_unit_test(not_ours),
        cmocka_unit_test(broken_records),      cmocka_unit_test(silence),
        cmocka_unit_test(servers_that_refuse), cmocka_unit_test(no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
