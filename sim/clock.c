/* Time: the real clock or a virtual one, and what falls due. */
#include "sim/sim_int.h"

#include <string.h>
#include <time.h>

static uint64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t sim_now(sim_board_t *b)
{
    return b->virtual_clock ? b->clock_us : monotonic_us() - b->clock_us;
}

uint64_t sim_lived(sim_board_t *b)
{
    return b->lived_us + sim_now(b);
}

static void check_watchdog(sim_board_t *b, uint64_t now)
{
    if (b->watchdog_ms == 0 || now < b->watchdog_due_us)
        return;
    sim_board_log(b, "mcu", "watchdog: not fed for %u ms", b->watchdog_ms);
    b->watchdog_ms = 0;
    if (b->watchdog_resets) {
        b->want_reset = true;
        b->want_reset_why = ADDER_RESET_WATCHDOG;
    } else {
        b->want_watchdog = true;
    }
}

uint64_t sim_poll(sim_board_t *b)
{
    const uint64_t now = sim_now(b);
    uint64_t next = UINT64_MAX;
    sim_timeline_play(b);
    check_watchdog(b, now);
    for (size_t i = 0; i < b->part_count; i++) {
        const uint64_t due = sim_part_poll(b, &b->parts[i]);
        next = due < next ? due : next;
    }
    if (b->watchdog_ms != 0 && b->watchdog_due_us < next)
        next = b->watchdog_due_us;
    const uint64_t timeline = sim_timeline_due(b);
    return timeline < next ? timeline : next;
}

uint64_t sim_board_now_us(sim_board_t *b)
{
    if (!b->virtual_clock) /* whoever asks for the time must not wait for a chip that is at work */
        return sim_now(b);
    sim_enter(b);
    const uint64_t now = sim_now(b);
    sim_leave(b);
    return now;
}

uint64_t sim_board_poll(sim_board_t *b)
{
    sim_enter(b);
    const uint64_t next = sim_poll(b);
    sim_leave(b);
    return next;
}

void sim_board_advance(sim_board_t *b, uint64_t us)
{
    sim_enter(b);
    ADDER_ASSERT(b->virtual_clock);
    const uint64_t end = b->clock_us + us;
    uint64_t next = sim_poll(b);
    while (b->virtual_clock && next <= end) {
        /* a chip that wants to be called "now" again still lets time pass */
        b->clock_us = next > b->clock_us ? next : b->clock_us + 1;
        if (b->clock_us > end)
            break;
        next = sim_poll(b);
    }
    if (b->virtual_clock) {
        b->clock_us = end;
        sim_poll(b);
    }
    sim_leave(b);
}

void sim_board_power_cycle(sim_board_t *b)
{
    sim_enter(b);
    sim_board_log(b, "board", "power off and on");
    for (size_t i = 0; i < b->part_count; i++)
        sim_part_after(b, &b->parts[i]); /* book the energy up to here */
    b->lived_us += sim_now(b);
    b->clock_us = b->virtual_clock ? 0 : monotonic_us();
    sim_board_reset(b, ADDER_RESET_POWER_ON);
    for (size_t i = 0; i < b->part_count; i++)
        if (!b->parts[i].dead)
            sim_part_power_on(b, &b->parts[i]);
    sim_leave(b);
}
