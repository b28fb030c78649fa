/* Outgoing connections over a scripted stack: names, addresses in turn, TLS, time, and every call failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/conn.h"
#include "src/net/script.h"

#define LEN(s) (sizeof(s) - 1)

static uint32_t count_up(void *ctx)
{
    return (*(uint32_t *)ctx)++;
}

/* ---- a stack that resolves by itself: the scripted one with one function more ---- */

typedef struct {
    net_script_t script;
    adder_net_ops_t ops;
    adder_net_t net;
    adder_dns_t dns;
    adder_conn_resolver_t resolver;
    adder_conn_t conn;
    adder_conn_config_t config;
    uint32_t seed, now;
    /* the TLS layer */
    adder_stream_t below;
    unsigned sessions, shakes_again;
    adder_err_t open_err, shake_err;
} bench_t;

static const adder_ip_t named[] = {
    {.family = ADDER_IP_V4, .bytes = {192, 0, 2, 1}},
    {.family = ADDER_IP_V4, .bytes = {192, 0, 2, 2}},
    {.family = ADDER_IP_V6, .bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
};

static adder_err_t name_of(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                           size_t *n_out)
{
    (void)ctx;
    assert_int_equal(family, ADDER_IP_NONE);
    assert_true(cap >= 3);
    *n_out = 3;
    memcpy(out, named, sizeof named);
    return strcmp(name, "example.org") == 0    ? ADDER_OK
           : strcmp(name, "slow.example") == 0 ? ADDER_ERR_AGAIN
                                               : ADDER_ERR_NOT_FOUND;
}

/* ---- a TLS layer that changes nothing ---- */

static adder_err_t tls_open(void *ctx, adder_stream_t below, const char *host, void **session_out)
{
    bench_t *b = ctx;
    assert_string_equal(host, "example.org");
    if (b->open_err != ADDER_OK)
        return b->open_err;
    b->below = below;
    b->sessions++;
    *session_out = b;
    return ADDER_OK;
}

/* One byte each way. */
static adder_err_t tls_handshake(void *session)
{
    bench_t *b = session;
    size_t n;
    uint8_t byte;
    if (b->shake_err != ADDER_OK)
        return b->shake_err;
    if (b->shakes_again == 0) {
        adder_err_t err = b->below.ops->send(b->below.ctx, (const uint8_t *)"?", 1, &n);
        if (err != ADDER_OK)
            return err;
        b->shakes_again = 1;
    }
    return b->below.ops->recv(b->below.ctx, &byte, 1, &n);
}

static adder_stream_t tls_stream(void *session)
{
    return ((bench_t *)session)->below;
}

static void tls_close(void *session)
{
    bench_t *b = session;
    assert_int_equal(b->sessions, 1);
    b->sessions--;
    b->shakes_again = 0;
}

static const adder_conn_tls_ops_t tls_ops = {tls_open, tls_handshake, tls_stream, tls_close};
static adder_conn_tls_t tls;

static void set_up(bench_t *b, const net_script_step_t *steps, size_t n_steps)
{
    memset(b, 0, sizeof *b);
    net_script_init(&b->script, steps, n_steps);
    b->net = net_script_net(&b->script);
    b->ops = *b->net.ops;
    b->ops.resolve = name_of;
    b->net.ops = &b->ops;
    b->script.status.features |= ADDER_NET_HAS_RESOLVE;
    b->config = (adder_conn_config_t){.net = &b->net, .tls = &tls, .timeout_ms = 9000};
    b->now = UINT32_MAX - 500; /* the clock wraps on the way */
    tls = (adder_conn_tls_t){&tls_ops, b};
}

/* As set_up, with adder/dns.h instead of the stack's resolver. */
static void set_up_dns(bench_t *b, const net_script_step_t *steps, size_t n_steps)
{
    set_up(b, steps, n_steps);
    b->script.status.features &= ~(uint32_t)ADDER_NET_HAS_RESOLVE;
    b->seed = 0x1234;
    adder_ip_t server = adder_ip_v4(192, 0, 2, 53);
    adder_dns_init(&b->dns, &server, 1, count_up, &b->seed, NULL, 0);
    adder_conn_resolver_init(&b->resolver, &b->dns);
    b->config.resolver = &b->resolver;
}

/* To the end, each AGAIN taking 10 ms. */
static adder_err_t run(bench_t *b, const char *host, uint16_t port)
{
    uint32_t wait;
    adder_err_t err = adder_conn_start(&b->conn, &b->config, host, strlen(host), port, b->now);
    if (err != ADDER_OK)
        return err;
    while ((err = adder_conn_tick(&b->conn, b->now, &wait)) == ADDER_ERR_AGAIN) {
        assert_true(wait > 0);
        b->now += 10;
    }
    uint32_t again;
    assert_int_equal(adder_conn_tick(&b->conn, b->now + 100000, &again), err); /* it stays */
    if (err != ADDER_OK)
        assert_int_equal(net_script_open_sockets(&b->script), 0);
    return err;
}

static void is_over(bench_t *b)
{
    adder_conn_close(&b->conn, false);
    adder_conn_close(&b->conn, false);
    assert_int_equal(net_script_open_sockets(&b->script), 0);
    assert_int_equal(b->sessions, 0);
    assert_null(b->resolver.priv.user);
}

static void speaks(bench_t *b)
{
    uint8_t buf[8];
    size_t n;
    adder_stream_t s = adder_conn_stream(&b->conn);
    adder_err_t err;
    while ((err = s.ops->send(s.ctx, (const uint8_t *)"ping", 4, &n)) == ADDER_ERR_AGAIN) {
    }
    assert_int_equal(err, ADDER_OK);
    while ((err = s.ops->recv(s.ctx, buf, sizeof buf, &n)) == ADDER_ERR_AGAIN) {
    }
    assert_int_equal(err, ADDER_OK);
    assert_memory_equal(buf, "pong", 4);
}

#define TALK(sock)                                                                                           \
    {sock, NET_SCRIPT_TAKES, "ping", 4, ADDER_OK},                                                           \
    {                                                                                                        \
        sock, NET_SCRIPT_GIVES, "pong", 4, ADDER_OK                                                          \
    }
#define RUN_OK(b, host, port)                                                                                \
    do {                                                                                                     \
        assert_int_equal(run(&(b), host, port), ADDER_OK);                                                   \
        speaks(&(b));                                                                                        \
        assert_string_equal(net_script_problem(&(b).script), "");                                            \
        is_over(&(b));                                                                                       \
    } while (0)

static void an_address(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {{0, NET_SCRIPT_CONNECT, "192.0.2.7:80", 0, ADDER_OK}, TALK(0)};
    static const net_script_step_t six[] = {{0, NET_SCRIPT_CONNECT, "[2001:db8::7]:80", 0, ADDER_OK},
                                            TALK(0)};
    bench_t b;
    set_up(&b, steps, 3);
    RUN_OK(b, "192.0.2.7", 80);
    set_up(&b, six, 3);
    b.script.again = 2;
    RUN_OK(b, "2001:db8::7", 80);
}

static void arguments(void **state)
{
    (void)state;
    bench_t b;
    char host[300];
    memset(host, 'a', sizeof host);
    set_up(&b, NULL, 0);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "", 0, 80, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, host, 254, 80, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a\0b", 3, 80, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a", 1, 0, 0), ADDER_ERR_ARG);
    b.config.security = ADDER_CONN_TLS;
    b.config.tls = NULL;
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a", 1, 80, 0), ADDER_ERR_ARG);
    b.config.security = ADDER_CONN_DEVICE_TLS;
    b.script.status.features = 0;
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a", 1, 80, 0), ADDER_ERR_UNSUPPORTED);
    uint32_t wait;
    size_t n;
    assert_int_equal(adder_conn_tick(&b.conn, 0, &wait), ADDER_ERR_STATE);
    adder_stream_t s = adder_conn_stream(&b.conn);
    assert_int_equal(s.ops->send(s.ctx, (const uint8_t *)"x", 1, &n), ADDER_ERR_STATE);
    assert_false(adder_conn_is_quiet(&b.conn));
    b.config.security = ADDER_CONN_PLAIN;
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a", 1, 80, 0), ADDER_OK);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "a", 1, 80, 0), ADDER_ERR_STATE);
    assert_int_equal(adder_conn_tick(&b.conn, 0, &wait), ADDER_ERR_NOT_FOUND); /* nobody resolves */
    is_over(&b);
}

static void addresses_in_turn(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        {0, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_ERR_REFUSED},
        {1, NET_SCRIPT_CONNECT, "[2001:db8::1]:80", 0, ADDER_ERR_TIMEOUT},
        {2, NET_SCRIPT_CONNECT, "192.0.2.2:80", 0, ADDER_OK},
        TALK(2),
    };
    static const net_script_step_t with_six[] = {
        {0, NET_SCRIPT_CONNECT, "[2001:db8::1]:80", 0, ADDER_OK},
        TALK(0),
    };
    bench_t b;
    set_up(&b, steps, 5);
    RUN_OK(b, "example.org", 80);
    set_up(&b, with_six, 3);
    b.script.status.n_ips = 2;
    b.script.status.ips[1] = named[2];
    RUN_OK(b, "example.org", 80);
    /* None of them: the last one's cause. */
    static const net_script_step_t none[] = {
        {0, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_ERR_TIMEOUT},
        {1, NET_SCRIPT_CONNECT, "[2001:db8::1]:80", 0, ADDER_ERR_NOT_FOUND},
        {2, NET_SCRIPT_CONNECT, "192.0.2.2:80", 0, ADDER_ERR_REFUSED},
    };
    set_up(&b, none, 3);
    assert_int_equal(run(&b, "example.org", 80), ADDER_ERR_REFUSED);
    assert_string_equal(net_script_problem(&b.script), "");
    is_over(&b);
    set_up(&b, NULL, 0);
    assert_int_equal(run(&b, "other.example", 80), ADDER_ERR_NOT_FOUND);
}

static void time_is_shared(void **state)
{
    (void)state;
    /* Two that never answer, each for a third of the time; the third is still tried. */
    static const net_script_step_t steps[] = {
        {2, NET_SCRIPT_CONNECT, "192.0.2.2:80", 0, ADDER_OK},
        TALK(2),
    };
    bench_t b;
    uint32_t wait;
    set_up(&b, steps, 3);
    b.script.again = UINT32_MAX;
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "example.org", 11, 80, b.now), ADDER_OK);
    assert_int_equal(adder_conn_tick(&b.conn, b.now, &wait), ADDER_ERR_AGAIN);
    assert_int_equal(wait, 3000);
    b.now += 3000;
    assert_int_equal(adder_conn_tick(&b.conn, b.now, &wait), ADDER_ERR_AGAIN);
    assert_int_equal(wait, 3000);
    b.now += 3000;
    b.script.again = 0;
    assert_int_equal(adder_conn_tick(&b.conn, b.now, &wait), ADDER_OK);
    speaks(&b);
    is_over(&b);
    /* All of it. */
    set_up(&b, NULL, 0);
    b.script.again = UINT32_MAX;
    uint32_t from = b.now;
    assert_int_equal(run(&b, "example.org", 80), ADDER_ERR_TIMEOUT);
    assert_in_range(b.now - from, 9000, 9010);
    set_up(&b, NULL, 0);
    from = b.now;
    assert_int_equal(run(&b, "slow.example", 80), ADDER_ERR_TIMEOUT);
    assert_int_equal(b.now - from, 9000);
}

static void device_tls(void **state)
{
    (void)state;
    static const net_script_step_t by_name[] = {{0, NET_SCRIPT_CONNECT, "example.org:443", 0, ADDER_OK},
                                                TALK(0)};
    bench_t b;
    set_up(&b, by_name, 3);
    b.config.security = ADDER_CONN_DEVICE_TLS;
    RUN_OK(b, "example.org", 443);
    set_up(&b, NULL, 0);
    b.config.security = ADDER_CONN_DEVICE_TLS;
    b.script.status.features &= ~(uint32_t)ADDER_NET_HAS_TLS;
    assert_int_equal(run(&b, "example.org", 443), ADDER_ERR_UNSUPPORTED);
}

static const net_script_step_t tls_steps[] = {
    {0, NET_SCRIPT_CONNECT, "192.0.2.1:443", 0, ADDER_OK},
    {0, NET_SCRIPT_TAKES, "?", 1, ADDER_OK},
    {0, NET_SCRIPT_GIVES, "!", 1, ADDER_OK},
    TALK(0),
};

static void a_tls_layer(void **state)
{
    (void)state;
    bench_t b;
    set_up(&b, tls_steps, 5);
    b.config.security = ADDER_CONN_TLS;
    b.script.again = 1;
    RUN_OK(b, "example.org", 443);
    set_up(&b, tls_steps, 5);
    b.config.security = ADDER_CONN_TLS;
    b.open_err = ADDER_ERR_NOMEM;
    assert_int_equal(run(&b, "example.org", 443), ADDER_ERR_NOMEM);
    is_over(&b);
    set_up(&b, tls_steps, 5);
    b.config.security = ADDER_CONN_TLS;
    b.shake_err = ADDER_ERR_REFUSED; /* another address is not asked for another certificate */
    assert_int_equal(run(&b, "example.org", 443), ADDER_ERR_REFUSED);
    is_over(&b);
    set_up(&b, tls_steps, 2);
    b.config.security = ADDER_CONN_TLS;
    assert_int_equal(run(&b, "example.org", 443), ADDER_ERR_TIMEOUT); /* no reply to the handshake */
    is_over(&b);
}

/* ---- adder/dns.h below ---- */

#define NAME "\7example\3org\0\0"
#define ASK_A "\x12\x34\1\0\0\1\0\0\0\0\0\0" NAME "\1\0\1"
#define ASK_AAAA "\x12\x35\1\0\0\1\0\0\0\0\0\0" NAME "\x1c\0\1"
#define IS_A "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" NAME "\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
#define IS_AAAA                                                                                              \
    "\x12\x35\x81\x80\0\1\0\1\0\0\0\0" NAME "\x1c\0\1\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10"                     \
    "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define NO_AAAA "\x12\x35\x81\x83\0\1\0\0\0\0\0\0" NAME "\x1c\0\1"
#define TAKES(text)                                                                                          \
    {                                                                                                        \
        0, NET_SCRIPT_TAKES, text, LEN(text), ADDER_OK                                                       \
    }
#define GIVES(text)                                                                                          \
    {                                                                                                        \
        0, NET_SCRIPT_GIVES, text, LEN(text), ADDER_OK                                                       \
    }

static const net_script_step_t dns_steps[] = {
    TAKES(ASK_A),
    TAKES(ASK_AAAA),
    GIVES(IS_AAAA),
    GIVES(IS_A),
    {1, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_ERR_REFUSED},
    {2, NET_SCRIPT_CONNECT, "[2001:db8::1]:80", 0, ADDER_OK},
    TALK(2),
};

static void own_resolver(void **state)
{
    (void)state;
    bench_t b;
    set_up_dns(&b, dns_steps, 8);
    RUN_OK(b, "example.org", 80);
    set_up_dns(&b, dns_steps, 8);
    b.script.again = 2;
    RUN_OK(b, "example.org", 80);
    /* One family says no; one never answers: not longer than the grace. */
    static const net_script_step_t four_only[] = {
        TAKES(ASK_A),
        TAKES(ASK_AAAA),
        GIVES(IS_A),
        GIVES(NO_AAAA),
        {1, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_OK},
        TALK(1),
    };
    static const net_script_step_t silent[] = {
        TAKES(ASK_A), TAKES(ASK_AAAA), GIVES(IS_A), {1, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_OK},
        TALK(1),
    };
    set_up_dns(&b, four_only, 7);
    uint32_t from = b.now;
    RUN_OK(b, "example.org", 80);
    assert_in_range(b.now - from, 0, 20);
    set_up_dns(&b, silent, 6);
    from = b.now;
    RUN_OK(b, "example.org", 80);
    assert_in_range(b.now - from, ADDER_CONN_GRACE_MS, ADDER_CONN_GRACE_MS + 20);
    /* A stack without IPv6 does not ask for it. */
    static const net_script_step_t no_six[] = {
        TAKES(ASK_A),
        GIVES(IS_A),
        {1, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_OK},
        TALK(1),
    };
    set_up_dns(&b, no_six, 5);
    b.script.status.features &= ~(uint32_t)ADDER_NET_HAS_V6;
    RUN_OK(b, "example.org", 80);
    set_up_dns(&b, NULL, 0);
    assert_int_equal(run(&b, "ex ample.org", 80), ADDER_ERR_FORMAT);
    is_over(&b);
}

static void two_share_a_resolver(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        TAKES(ASK_A),
        TAKES(ASK_AAAA),
        GIVES(IS_A),
        GIVES(NO_AAAA),
        {1, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_OK},
    };
    bench_t b;
    adder_conn_t second = {0};
    uint32_t wait;
    set_up_dns(&b, steps, 5);
    assert_int_equal(adder_conn_start(&b.conn, &b.config, "example.org", 11, 80, b.now), ADDER_OK);
    assert_int_equal(adder_conn_start(&second, &b.config, "localhost", 9, 81, b.now), ADDER_OK);
    assert_int_equal(adder_conn_tick(&b.conn, b.now, &wait), ADDER_ERR_AGAIN);
    assert_int_equal(adder_conn_tick(&second, b.now, &wait), ADDER_ERR_AGAIN);
    assert_in_range(wait, 1, 50);
    /* The first is given up in the middle: the second goes on. */
    adder_conn_close(&b.conn, true);
    assert_int_equal(adder_conn_tick(&second, b.now, &wait),
                     ADDER_ERR_INTERNAL); /* no such step: it connects */
    adder_conn_close(&second, true);
    is_over(&b);
}

/* Every exchange with the stack failing in turn: the cause, or another way; nothing is left open. */
static void each_call_failing(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        for (size_t at = 0;; at++) {
            bench_t b;
            if (kind == 0) {
                set_up_dns(&b, dns_steps, 8);
            } else {
                set_up(&b, tls_steps, 5);
                b.config.security = ADDER_CONN_TLS;
            }
            b.script.fail_at = at;
            b.script.failure = ADDER_ERR_IO;
            adder_err_t err = run(&b, "example.org", kind == 0 ? 80 : 443);
            bool fired = b.script.calls > at;
            if (!fired)
                assert_int_equal(err, ADDER_OK);
            else /* INTERNAL: another address than the script's was tried, which is right */
                assert_true(err == ADDER_OK || err == ADDER_ERR_IO || err == ADDER_ERR_INTERNAL);
            is_over(&b);
            if (!fired)
                break;
        }
    }
}

static void quiet(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {{0, NET_SCRIPT_CONNECT, "192.0.2.7:80", 0, ADDER_OK}};
    static const net_script_step_t ended[] = {{0, NET_SCRIPT_CONNECT, "192.0.2.7:80", 0, ADDER_OK},
                                              {0, NET_SCRIPT_FAILS, NULL, 0, ADDER_ERR_END}};
    static const net_script_step_t talks[] = {{0, NET_SCRIPT_CONNECT, "192.0.2.7:80", 0, ADDER_OK},
                                              {0, NET_SCRIPT_GIVES, "x", 1, ADDER_OK}};
    const net_script_step_t *const all[] = {steps, ended, talks};
    for (size_t i = 0; i < 3; i++) {
        bench_t b;
        set_up(&b, all[i], i == 0 ? 1 : 2);
        assert_int_equal(run(&b, "192.0.2.7", 80), ADDER_OK);
        assert_int_equal(adder_conn_is_quiet(&b.conn), i == 0);
        is_over(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address),        cmocka_unit_test(arguments),
        cmocka_unit_test(addresses_in_turn), cmocka_unit_test(time_is_shared),
        cmocka_unit_test(device_tls),        cmocka_unit_test(a_tls_layer),
        cmocka_unit_test(own_resolver),      cmocka_unit_test(two_share_a_resolver),
        cmocka_unit_test(each_call_failing), cmocka_unit_test(quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
