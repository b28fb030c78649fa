/* The AirLift stack with every transaction failing in turn, in every way: it never hangs, no byte is ever
 * wrong, the cause is told or it has truly recovered; and a new session works afterwards. */
#include "tests/airlift_net_bench.h"
#include "tests/airlift_survives.h"

/* Of the board's time: a reply that never comes is waited for 5 s (20 s and more to connect), then the
 * chip is reset; and the link is tried again with pauses up to 60 s. */
enum { LIMIT_S = 300 };

static adder_err_t join(void)
{
    const adder_airlift_wifi_t home = {.ssid = "home", .password = "secret123", .attempts = 255};
    const uint64_t end = now_us() + LIMIT_S * (uint64_t)1000000;
    adder_err_t err = adder_airlift_net_join(&stack, &home);
    while (err == ADDER_OK && status().link != ADDER_NET_LINK_UP) {
        const adder_err_t trouble = pump();
        if (trouble == ADDER_ERR_NOT_FOUND && wire.fired && wire.kind == UNPLUG) {
            return trouble; /* the chip is gone: it is tried for ever */
        }
        assert_true(now_us() < end);
    }
    return err;
}

static adder_err_t session(void)
{
    uint16_t sock;
    adder_err_t err = join();
    if (err != ADDER_OK) {
        return err;
    }
    const adder_endpoint_t to = at_home(port);
    if ((err = net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &sock)) != ADDER_OK) {
        return err;
    }
    UNTIL_WITHIN(LIMIT_S, net.ops->connect(net.ctx, sock, NULL, &to));
    if (err == ADDER_OK) {
        err = exchange(sock, 9000);
    }
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    return err;
}

static void sweep(fault_t kind)
{
    unsigned recovered = 0, reported = 0;
    uint32_t at = 0;
    uint64_t longest = 0;
    for (bool fired = true; fired; at++) {
        assert_true(at < 1000);
        open_bench(&(bench_t){0});
        wire.kind = kind;
        wire.at = at;
        wire.armed = true;
        const uint64_t began = now_us();
        const adder_err_t first = session();
        pump_for(100000); /* the close */
        fired = wire.fired;
        longest = now_us() - began > longest ? now_us() - began : longest;
        assert_true(first != ADDER_ERR_AGAIN);
        if (!fired) {
            assert_int_equal(first, ADDER_OK);
        }
        recovered += fired && first == ADDER_OK;
        reported += fired && first != ADDER_OK;
        if (fired && kind != UNPLUG) {
            wire.armed = false;
            const adder_err_t again = session();
            if (again != ADDER_OK) {
                fail_msg("%s at transaction %u: %s, then %s", fault_names[kind], at, adder_err_str(first),
                         adder_err_str(again));
            }
        }
        close_bench();
    }
    print_message("%s: %u transactions hit, %u healed unseen, %u reported, longest %.1f s\n",
                  fault_names[kind], at - 1, recovered, reported, (double)longest / 1e6);
    assert_true(at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_bus_errors),    cmocka_unit_test(survives_late_replies),
        cmocka_unit_test(survives_unplugging),    cmocka_unit_test(survives_missing_acknowledges),
        cmocka_unit_test(survives_broken_frames), cmocka_unit_test(survives_restarts_nobody_tells_of),
        cmocka_unit_test(survives_silence),
    };
    return run_on_all(tests, sizeof tests / sizeof tests[0]);
}
