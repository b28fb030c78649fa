/* The time client: what leaves, what is believed, what is not, and how often it asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/sntp.h"

#define T0 1800000000u /* 2027-01-15 08:00:00 */
#define NTP_OF_UNIX 2208988800u

typedef struct {
    uint32_t seed, now;
    adder_sntp_t s;
    uint8_t request[ADDER_SNTP_PACKET], reply[ADDER_SNTP_PACKET];
} bench_t;

static uint32_t count_up(void *ctx)
{
    return *(uint32_t *)ctx += 0x01010101;
}

static void set_up(bench_t *b, uint8_t servers, int64_t not_before_s)
{
    memset(b, 0, sizeof *b);
    b->now = 0xfffffff0;
    adder_sntp_config_t config = {.n_servers = servers, .not_before_s = not_before_s};
    adder_sntp_init(&b->s, &config, count_up, &b->seed, b->now);
}

static adder_err_t tick(bench_t *b)
{
    uint32_t wait;
    return adder_sntp_tick(&b->s, b->now, &wait);
}

static uint32_t wait_of(bench_t *b)
{
    uint32_t wait;
    ADDER_IGNORE(tick(b), "time passes");
    ADDER_IGNORE(adder_sntp_tick(&b->s, b->now, &wait), "only the time is wanted");
    return wait;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Takes the request that is due and lays out a good reply. */
static void ask(bench_t *b, uint32_t unix_s, uint32_t fraction)
{
    assert_int_equal(wait_of(b), 0);
    assert_int_equal(adder_sntp_out(&b->s, b->request, b->now), ADDER_OK);
    assert_int_equal(adder_sntp_out(&b->s, b->request, b->now), ADDER_ERR_AGAIN);
    memset(b->reply, 0, sizeof b->reply);
    b->reply[0] = 0x24;
    b->reply[1] = 2;
    memcpy(b->reply + 24, b->request + 40, 8);
    for (size_t at = 32; at <= 40; at += 8) {
        put32(b->reply + at, unix_s + NTP_OF_UNIX);
        put32(b->reply + at + 4, fraction);
    }
}

static bool give(bench_t *b)
{
    return adder_sntp_in(&b->s, b->reply, sizeof b->reply, b->now);
}

static int64_t time_of(bench_t *b)
{
    int64_t ms;
    assert_int_equal(adder_sntp_time(&b->s, b->now, &ms), ADDER_OK);
    return ms;
}

static void a_reply(void **state)
{
    (void)state;
    bench_t b;
    int64_t ms;
    set_up(&b, 1, 0);
    assert_int_equal(adder_sntp_time(&b.s, b.now, &ms), ADDER_ERR_AGAIN);
    ask(&b, T0, 0x80000000);
    assert_int_equal(b.request[0], 0x23);
    for (size_t i = 1; i < 40; i++) /* nothing of ours leaves but the number */
        assert_int_equal(b.request[i], 0);
    put32(b.reply + 36, 0x7ae147ae); /* 20 ms inside the server */
    b.now += 120;
    assert_true(give(&b));
    assert_int_equal(b.s.info.stratum, 2);
    assert_in_range(b.s.info.delay_ms, 99, 101);
    assert_in_range(time_of(&b) - (int64_t)T0 * 1000, 549, 551);
    assert_int_equal(tick(&b), ADDER_OK);
    assert_int_equal(wait_of(&b), 1024000);
    assert_false(give(&b)); /* twice is once */
    b.now += 1024000;
    assert_int_equal(wait_of(&b), 0);
    assert_in_range(time_of(&b) - (int64_t)T0 * 1000, 1024549, 1024551);
}

static void not_ours(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, 1, 0);
    ask(&b, T0, 0);
    adder_sntp_t before = b.s;
    for (size_t i = 24; i < 32; i++) {
        b.reply[i] ^= 1;
        assert_false(give(&b));
        b.reply[i] ^= 1;
    }
    static const uint8_t heads[] = {0x23, 0x25, 0x22, 0x14, 0x2c}; /* modes 3, 5, 2; versions 2, 5 */
    for (size_t i = 0; i < sizeof heads; i++) {
        b.reply[0] = heads[i];
        assert_false(give(&b));
    }
    b.reply[0] = 0x24;
    assert_false(adder_sntp_in(&b.s, b.reply, 47, b.now));
    assert_memory_equal(&b.s, &before, sizeof before);
    b.reply[0] = 0x1c; /* version 3 will do */
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_OK);
}

static void not_believed(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        adder_err_t why;
    } cases[] = {
        {0, 0xe4020000, ADDER_ERR_STATE},             /* leap 3: not synchronized */
        {0, 0x24100000, ADDER_ERR_STATE},             /* stratum 16 */
        {40, T0 - 1 + NTP_OF_UNIX, ADDER_ERR_FORMAT}, /* sent before it was received */
        {40, T0 + 9 + NTP_OF_UNIX, ADDER_ERR_FORMAT}, /* longer inside the server than it took */
        {4, 0x00040000, ADDER_ERR_RANGE},             /* root delay 4 s */
        {8, 0xffffffff, ADDER_ERR_RANGE},             /* root dispersion */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_t b;
        set_up(&b, 1, 0);
        ask(&b, T0, 0);
        put32(b.reply + cases[i].at, cases[i].value);
        b.now += 100;
        assert_true(give(&b));
        assert_int_equal(b.s.info.refused_why, cases[i].why);
        assert_int_equal(tick(&b), ADDER_ERR_AGAIN);
        assert_int_equal(wait_of(&b), 16000);
    }
}

static void eras(void **state)
{
    (void)state;
    static const struct {
        int64_t not_before_s;
        uint32_t ntp_s;
        int64_t unix_s;
    } cases[] = {
        {0, 0xffffffff, 2085978495}, /* the last second of the first era: 2036-02-07 06:28:15 */
        {0, 0, 2085978496},          /* and the next */
        {0, 1735689600u + NTP_OF_UNIX, 1735689600},              /* not_before itself */
        {0, 1735689599u + NTP_OF_UNIX, 1735689599 + 4294967296}, /* a second earlier: 136 years on */
        {4102444800, 0, 2085978496 + 4294967296},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_t b;
        set_up(&b, 1, cases[i].not_before_s);
        ask(&b, cases[i].ntp_s - NTP_OF_UNIX, 1);
        assert_true(give(&b));
        assert_true(time_of(&b) == cases[i].unix_s * 1000);
    }
    bench_t b; /* the era ends inside the server */
    set_up(&b, 1, 0);
    ask(&b, 0xffffffffu - NTP_OF_UNIX, 0xff000000);
    put32(b.reply + 40, 0);
    put32(b.reply + 44, 0x01000000);
    b.now += 100;
    assert_true(give(&b));
    assert_int_equal(b.s.info.replies, 1);
}

static void kisses(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, 2, 0);
    ask(&b, T0, 0);
    b.reply[1] = 0;
    memcpy(b.reply + 12, "RATE", 4);
    assert_true(give(&b));
    assert_string_equal(b.s.info.kiss, "RATE");
    assert_int_equal(wait_of(&b), 2048000); /* twice as long, whoever is next */
    b.now += 2048000;
    assert_int_equal(adder_sntp_server(&b.s), 1);
    ask(&b, T0, 0);
    b.reply[1] = 0;
    memcpy(b.reply + 12, "DENY", 4);
    assert_true(give(&b));
    assert_int_equal(adder_sntp_server(&b.s), 0);
    b.now += wait_of(&b);
    ask(&b, T0, 0);
    assert_true(give(&b));
    assert_int_equal(wait_of(&b), 2048000);
    b.now += 2048000;
    ask(&b, T0, 0);
    b.reply[1] = 0;
    memcpy(b.reply + 12, "\1\2RX", 4);
    assert_true(give(&b));
    assert_string_equal(b.s.info.kiss, "??RX");
    assert_int_equal(tick(&b), ADDER_OK); /* the time runs on; nobody is left to ask */
    b.now += 86400000;
    ADDER_IGNORE(tick(&b), "time passes");
    assert_int_equal(adder_sntp_out(&b.s, b.request, b.now), ADDER_ERR_AGAIN);

    set_up(&b, 1, 0);
    ask(&b, T0, 0);
    b.reply[1] = 0;
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_ERR_REFUSED);
}

static void silence(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, 2, 0);
    uint32_t pause = 16000;
    for (unsigned turn = 0; turn < 20; turn++) {
        for (unsigned server = 0; server < 2; server++) {
            assert_int_equal(adder_sntp_server(&b.s), server);
            ask(&b, T0, 0);
            assert_int_equal(wait_of(&b), 5000);
            b.now += 4999;
            assert_int_equal(wait_of(&b), 1);
            b.now += 1;
            assert_int_equal(wait_of(&b), server == 0 ? 0 : pause);
            assert_false(give(&b)); /* late */
        }
        b.now += pause;
        pause = pause * 2 > 36864000 ? 36864000 : pause * 2;
    }
    ask(&b, T0, 0);
    assert_true(give(&b));
    assert_int_equal(tick(&b), ADDER_OK);
}

static void runs_on(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, 1, 0);
    ask(&b, T0, 0);
    assert_true(give(&b));
    for (unsigned day = 1; day <= 100; day++) { /* past the wrap of a 32-bit millisecond */
        b.now += 86400000;
        ADDER_IGNORE(tick(&b), "time passes");
        assert_true(time_of(&b) == ((int64_t)T0 + day * 86400LL) * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply), cmocka_unit_test(not_ours), cmocka_unit_test(not_believed),
        cmocka_unit_test(eras),    cmocka_unit_test(kisses),   cmocka_unit_test(silence),
        cmocka_unit_test(runs_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
