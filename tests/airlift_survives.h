/* The cases of a fault sweep, one for each way a wire fails that every driver notices. Who includes this has
 * the sweep: transaction 0, 1, 2, ... fails in this way until there is none left to fail. */
#ifndef TESTS_AIRLIFT_SURVIVES_H
#define TESTS_AIRLIFT_SURVIVES_H

#include "tests/airlift_wire.h"

static void sweep(fault_t kind);

static inline void survives_bus_errors(void **state)
{
    (void)state;
    sweep(FAIL_BUS);
}

static inline void survives_late_replies(void **state)
{
    (void)state;
    sweep(LATE);
}

static inline void survives_unplugging(void **state)
{
    (void)state;
    sweep(UNPLUG);
}

static inline void survives_missing_acknowledges(void **state)
{
    (void)state;
    sweep(DEAF);
}

static inline void survives_broken_frames(void **state)
{
    (void)state;
    sweep(FLIP);
}

static inline void survives_restarts_nobody_tells_of(void **state)
{
    (void)state;
    sweep(RESTART);
}

static inline void survives_silence(void **state)
{
    (void)state;
    sweep(SILENCE);
}

#endif
