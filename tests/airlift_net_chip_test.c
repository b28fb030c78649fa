/* The AirLift stack on the simulated PyPortal's ESP32 with real sockets behind it: every call of the seam,
 * what it costs on the wire, and idle traffic. */
#include "tests/airlift_net_bench.h"

static void joins_and_tells(void **state)
{
    (void)state;
    open_bench(&(bench_t){0});
    assert_int_equal(status().link, ADDER_NET_LINK_OFF);
    join_home();
    const adder_net_status_t s = status();
    assert_int_equal(s.n_ips, 1);
    char text[ADDER_IP_TEXT];
    adder_ip_print(&s.ips[0], text, sizeof text);
    assert_string_equal(text, "192.168.1.47");
    adder_ip_print(&s.gateway, text, sizeof text);
    assert_string_equal(text, "192.168.1.1");
    adder_airlift_link_t link;
    adder_airlift_net_link(&stack, &link);
    assert_true(link.started);
    assert_string_equal(link.ssid, "home");
    assert_int_equal(link.attempts, 1);
    adder_airlift_net_disconnect(&stack);
    assert_int_equal(status().link, ADDER_NET_LINK_OFF);
    pump_for(1000000);
    for (const uint8_t *p = (const uint8_t *)&stack; p < (const uint8_t *)(&stack + 1) - 9; p++) {
        assert_memory_not_equal(p, "secret123", 9); /* wiped */
    }
    join_home();
    close_bench();
}

static void tells_why_it_did_not_join(void **state)
{
    (void)state;
    open_bench(&(bench_t){0});
    const adder_airlift_wifi_t wrong = {.ssid = "home", .password = "secret124"};
    assert_int_equal(adder_airlift_net_join(&stack, &wrong), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_FAILED);
    assert_int_equal(status().cause, ADDER_ERR_REFUSED);
    assert_int_equal(adder_airlift_net_join(&stack, &(adder_airlift_wifi_t){.ssid = "nowhere"}), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_FAILED);
    assert_int_equal(status().cause, ADDER_ERR_NOT_FOUND);
    const adder_airlift_wifi_t enterprise = {.ssid = "office",
                                             .identity = "anonymous",
                                             .user = "ann",
                                             .password = "s3cret",
                                             .security = ADDER_AIRLIFT_SECURITY_ENTERPRISE};
    assert_int_equal(adder_airlift_net_join(&stack, &enterprise), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
    const uint32_t resets = adder_airlift_net_chip(&stack)->stats.resets;
    assert_int_equal(adder_airlift_net_join(&stack, &(adder_airlift_wifi_t){.ssid = "cafe"}), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
    assert_int_equal(adder_airlift_net_chip(&stack)->stats.resets,
                     resets + 1); /* nothing else takes it back */
    static const char long_one[] = "123456789012345678901234567890123";
    assert_int_equal(adder_airlift_net_join(&stack, &(adder_airlift_wifi_t){.ssid = long_one}),
                     ADDER_ERR_RANGE);
    assert_int_equal(status().link, ADDER_NET_LINK_UP);
    close_bench();
}

static void keeps_its_settings_over_a_reset(void **state)
{
    (void)state;
    static const uint8_t ip[4] = {10, 0, 0, 7}, gateway[4] = {10, 0, 0, 1}, mask[4] = {255, 0, 0, 0};
    static const uint8_t dns[4] = {9, 9, 9, 9};
    adder_err_t err;
    open_bench(&(bench_t){0});
    adder_airlift_net_set_ip(&stack, ip, gateway, mask);
    adder_airlift_net_set_dns(&stack, dns, NULL);
    assert_int_equal(adder_airlift_net_set_hostname(&stack, "porch"), ADDER_OK);
    join_home();
    uint16_t sock;
    size_t got;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    const uint32_t changes = status().changes;
    adder_airlift_net_restart(&stack);
    uint8_t byte;
    UNTIL(net.ops->recv(net.ctx, sock, &byte, 1, &got, NULL));
    assert_int_equal(err, ADDER_ERR_CLOSED);
    assert_int_equal(net.ops->recv(net.ctx, sock, &byte, 1, &got, NULL), ADDER_ERR_CLOSED);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
    assert_true(status().changes != changes);
    const adder_ip_t own = adder_ip_v4(10, 0, 0, 7), server = adder_ip_v4(9, 9, 9, 9);
    assert_true(adder_ip_equal(&status().ips[0], &own));
    assert_int_equal(status().n_dns, 1);
    assert_true(adder_ip_equal(&status().dns[0], &server));
    close_bench();
}

static void rejoins_after_loss(void **state)
{
    (void)state;
    open_bench(&(bench_t){0});
    join_home();
    uint16_t sock;
    adder_err_t err;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    cJSON *off = cJSON_Parse("{\"drop\": \"home\"}"), *on = cJSON_Parse("{\"restore\": \"home\"}");
    assert_int_equal(sim_board_control(board, "wifi", off, msg, sizeof msg), ADDER_OK);
    uint8_t byte;
    size_t got;
    UNTIL(net.ops->recv(net.ctx, sock, &byte, 1, &got, NULL));
    assert_int_equal(err, ADDER_ERR_CLOSED);
    assert_int_equal(status().link, ADDER_NET_LINK_JOINING);
    pump_for(30000000);
    assert_int_equal(status().link, ADDER_NET_LINK_JOINING); /* it was there once: it is tried for ever */
    assert_int_equal(sim_board_control(board, "wifi", on, msg, sizeof msg), ADDER_OK);
    assert_int_equal(wait_link(100), ADDER_NET_LINK_UP);
    cJSON_Delete(off);
    cJSON_Delete(on);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    close_bench();
}

static void is_an_access_point(void **state)
{
    (void)state;
    open_bench(&(bench_t){0});
    assert_int_equal(adder_airlift_net_access_point(&stack, "adder", "short", 6), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_net_access_point(&stack, "adder", "long enough", 6), ADDER_OK);
    assert_int_equal(wait_link(60), ADDER_NET_LINK_UP);
    const adder_ip_t own = adder_ip_v4(192, 168, 4, 1);
    assert_true(adder_ip_equal(&status().ips[0], &own));
    pump_for(5000000);
    assert_int_equal(status().link, ADDER_NET_LINK_UP);
    join_home();
    close_bench();
}

static void echoes_256_kib(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 4; variant++) {
        open_bench(&(bench_t){.no_gpio0 = variant & 1, .rx_count = variant & 2 ? 1 : 4});
        join_home();
        uint16_t sock;
        assert_int_equal(connect_to(port, &sock), ADDER_OK);
        assert_int_equal(exchange(sock, 256 * 1024), ADDER_OK);
        assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
        assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_ERR_STATE);
        pump_for(1000000);
        const adder_airlift_stats_t *s = &adder_airlift_net_chip(&stack)->stats;
        assert_int_equal(s->realigned + s->timeouts + s->bad_replies, 0);
        assert_int_equal(s->resets, 1);
        close_bench();
    }
}

static double modelled_mb_s(size_t payload, uint64_t bytes, uint32_t transactions)
{
    return (double)payload / ((double)bytes + transactions / 2 * 300.0); /* 8 MHz, 300 us a command */
}

static void sends_at_the_price(void **state)
{
    (void)state;
    static uint8_t out[32768];
    out[0] = 'S';
    open_bench(&(bench_t){0});
    join_home();
    uint16_t sock;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    const size_t before_it = atomic_load(&sunk);
    for (unsigned round = 0; round < 3; round++) {
        const size_t base = before_it + round * sizeof out;
        pump_for(200000);
        adder_airlift_t *chip = (adder_airlift_t *)(uintptr_t)adder_airlift_net_chip(&stack);
        const adder_airlift_stats_t before = chip->stats;
        const uint64_t began = now_us();
        for (size_t at = 0, n; at < sizeof out; at += n) {
            adder_err_t err;
            UNTIL(net.ops->send(net.ctx, sock, NULL, out + at, sizeof out - at, &n));
            assert_int_equal(err, ADDER_OK);
            await_sunk(base + at + n - stack.priv.tx[0].len);
        }
        for (unsigned flags = 0; (flags & ADDER_NET_WRITABLE) == 0 || stack.priv.tx[0].owner != 255;) {
            (void)pump();
            assert_int_equal(net.ops->ready(net.ctx, sock, &flags), ADDER_OK);
            assert_false(flags & ADDER_NET_FAILED);
        }
        const uint64_t bytes = chip->stats.bytes - before.bytes;
        const uint32_t transactions = chip->stats.transactions - before.transactions;
        print_message("32 KiB sent: %u transactions, %.4f bus bytes per byte, modelled %.3f MB/s, %.1f ms\n",
                      transactions, (double)bytes / sizeof out,
                      modelled_mb_s(sizeof out, bytes, transactions), (double)(now_us() - began) / 1000);
        assert_true(transactions <= 18);
        assert_true((double)bytes / sizeof out <= 1.006);
        assert_true(modelled_mb_s(sizeof out, bytes, transactions) >= 0.85);
    }
    close_bench();
}

/* What was sent and closed is on the chip once drained() says so: then its reset takes nothing back. */
static void drains(void **state)
{
    (void)state;
    static uint8_t out[3000];
    out[0] = 'S';
    open_bench(&(bench_t){0});
    join_home();
    uint16_t sock;
    size_t n;
    adder_err_t err;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    assert_true(adder_airlift_net_drained(&stack));
    const size_t before = atomic_load(&sunk);
    UNTIL(net.ops->send(net.ctx, sock, NULL, out, sizeof out, &n));
    assert_int_equal(n, sizeof out);
    assert_false(adder_airlift_net_drained(&stack));
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_false(adder_airlift_net_drained(&stack));
    UNTIL(adder_airlift_net_drained(&stack) ? ADDER_OK : ADDER_ERR_AGAIN);
    adder_airlift_net_restart(&stack);
    await_sunk(before + sizeof out);
    close_bench();
}

static void receives_at_the_price(void **state)
{
    (void)state;
    static uint8_t in[4096];
    open_bench(&(bench_t){0});
    join_home();
    uint16_t sock;
    size_t n;
    adder_err_t err;
    assert_int_equal(connect_to(port, &sock), ADDER_OK);
    const unsigned floods = atomic_load(&flooded);
    assert_int_equal(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"F", 1, &n), ADDER_OK);
    UNTIL(net.ops->recv(net.ctx, sock, in, 1, &n, NULL));
    pump_for(50000);
    const adder_airlift_t *chip = adder_airlift_net_chip(&stack);
    const adder_airlift_stats_t before = chip->stats;
    /* what is in a receive buffer already has been paid for */
    const size_t ahead = (size_t)(stack.priv.socks[sock].len - stack.priv.socks[sock].at);
    size_t got = 1, counted = 0;
    while (got < (1 << 20)) {
        UNTIL(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL));
        assert_int_equal(err, ADDER_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(in[i], pattern(got + i));
        }
        got += n;
        counted += n;
    }
    counted -= ahead;
    const uint64_t bytes = chip->stats.bytes - before.bytes;
    const uint32_t transactions = chip->stats.transactions - before.transactions;
    print_message("1 MiB received: %u transactions, %.4f bus bytes per byte, modelled %.3f MB/s\n",
                  transactions, (double)bytes / (double)counted, modelled_mb_s(counted, bytes, transactions));
    assert_true((double)bytes / (double)counted <= 1.012);
    assert_true(modelled_mb_s(counted, bytes, transactions) >= 0.85);
    await_flooded(floods + 1);
    const uint64_t then = now_us();
    UNTIL(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL));
    assert_int_equal(err, ADDER_ERR_END);
    assert_true(now_us() - then < 200000);
    assert_int_equal(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL), ADDER_ERR_END);
    assert_int_equal(net.ops->send(net.ctx, sock, NULL, in, 1, &n), ADDER_ERR_CLOSED);
    close_bench();
}

static void is_quiet_when_idle(void **state)
{
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) {
        open_bench(&(bench_t){.no_gpio0 = bare});
        join_home();
        uint16_t sock;
        uint8_t byte;
        size_t n;
        adder_err_t err;
        assert_int_equal(connect_to(port, &sock), ADDER_OK);
        assert_int_equal(net.ops->recv(net.ctx, sock, &byte, 1, &n, NULL), ADDER_ERR_AGAIN);
        pump_for(3000000);
        const uint32_t before = wire.transactions;
        pump_for(10000000);
        print_message("idle %s GPIO0: %u transactions in 10 s\n", bare ? "without" : "with",
                      wire.transactions - before);
        assert_true(wire.transactions - before <= (bare ? 1200u : 44u)); /* link and connection each second */
        assert_int_equal(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"x", 1, &n), ADDER_OK);
        UNTIL(net.ops->recv(net.ctx, sock, &byte, 1, &n, NULL));
        assert_int_equal(err, ADDER_OK);
        assert_int_equal(byte, 'x');
        close_bench();
    }
}

static void reaches_1000_connections(void **state)
{
    (void)state;
    open_bench(&(bench_t){.rx_count = 2});
    join_home();
    for (unsigned i = 0; i < 1000; i++) {
        uint16_t sock;
        uint8_t in[8];
        size_t n;
        adder_err_t err = connect_to(port, &sock);
        if (err != ADDER_OK) {
            fail_msg("connection %u: %s", i, adder_err_str(err));
        }
        if (i % 3 != 2) {
            UNTIL(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"E", 1, &n));
            assert_int_equal(err, ADDER_OK);
        }
        if (i % 3 == 0) {
            size_t got = 0;
            do {
                UNTIL(net.ops->recv(net.ctx, sock, in, sizeof in, &n, NULL));
                got += n;
            } while (err == ADDER_OK);
            assert_int_equal(err, ADDER_ERR_END);
            assert_int_equal(got, 7);
        }
        assert_int_equal(net.ops->close(net.ctx, sock, i % 2), ADDER_OK);
    }
    pump_for(1000000);
    for (unsigned i = 0; i < ADDER_AIRLIFT_NET_SOCKETS; i++) {
        assert_int_equal(stack.priv.socks[i].phase, 0);
    }
    adder_airlift_t *a;
    adder_err_t err;
    UNTIL(adder_airlift_net_claim(&stack, &a));
    assert_int_equal(adder_airlift_begin_socket(a), ADDER_OK);
    UNTIL(adder_airlift_tick(a, now_us()));
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(a->result.number, 0); /* every slot is free again */
    adder_airlift_net_release(&stack);
    assert_int_equal(a->stats.resets, 1);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_and_tells),
        cmocka_unit_test(tells_why_it_did_not_join),
        cmocka_unit_test(keeps_its_settings_over_a_reset),
        cmocka_unit_test(rejoins_after_loss),
        cmocka_unit_test(is_an_access_point),
        cmocka_unit_test(echoes_256_kib),
        cmocka_unit_test(sends_at_the_price),
        cmocka_unit_test(drains),
        cmocka_unit_test(receives_at_the_price),
        cmocka_unit_test(is_quiet_when_idle),
        cmocka_unit_test(reaches_1000_connections),
    };
    return run_on_all(tests, sizeof tests / sizeof tests[0]);
}
