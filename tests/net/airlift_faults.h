/* The sweep: transaction 0, 1, 2, ... of a scenario on a simulated board fails, in each way in turn. Never a
 * hang, never a wrong byte; the cause is told or it has truly recovered; and all works afterwards. */
#ifndef TESTS_NET_AIRLIFT_FAULTS_H
#define TESTS_NET_AIRLIFT_FAULTS_H

#include "tests/net/scenarios.h"

static inline void sweep_one(const char *firmware, scenario_t scenario, fault_t kind)
{
    unsigned hit = 0, recovered = 0;
    uint32_t at = 0;
    uint64_t longest = 0;
    for (bool reached = true; reached; at++) {
        assert_true(at < 2000);
        world_t *w = world_board(firmware, NULL);
        w->wire.kind = kind;
        w->wire.at = at;
        w->wire.armed = true;
        const adder_err_t first = scenario(w);
        world_pump_for(w, 100000); /* what is closed goes out */
        longest = world_now_us(w) > longest ? world_now_us(w) : longest;
        reached = w->wire.transactions > at;
        assert_true(first != ADDER_ERR_AGAIN);
        if (!w->wire.fired) {
            assert_int_equal(first, ADDER_OK);
        }
        hit += w->wire.fired;
        recovered += w->wire.fired && first == ADDER_OK;
        if (w->wire.fired && kind != UNPLUG) {
            w->wire.armed = false;
            const adder_err_t again = scenario(w);
            if (again != ADDER_OK) {
                fail_msg("%s at transaction %u: %s, then %s", fault_names[kind], at, adder_err_str(first),
                         adder_err_str(again));
            }
        }
        world_close(w);
    }
    print_message("%s, %s: %u transactions hit, %u healed unseen, %u reported, longest %.1f s\n", firmware,
                  fault_names[kind], hit, recovered, hit - recovered, (double)longest / 1e6);
    assert_true(hit > (kind == GARBLE ? 1u : 20u));
}

static inline void sweep(const char *firmware, scenario_t scenario)
{
    for (fault_t kind = 0; kind < FAULTS; kind++) {
        if (kind != GARBLE || scenario == do_https) { /* nothing else would notice */
            sweep_one(firmware, scenario, kind);
        }
    }
}

static const char *const sweep_firmwares[] = {"1.7.7", "3.3.0"};

static inline void sweep_all(scenario_t scenario)
{
    for (size_t i = 0; i < sizeof sweep_firmwares / sizeof sweep_firmwares[0]; i++) {
        sweep(sweep_firmwares[i], scenario);
    }
}

#endif
