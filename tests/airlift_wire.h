/* The wire between a simulated PyPortal and its ESP32, failing when told to: for the tests of what stands on
 * it.
 *
 *     const adder_airlift_config_t c = wire_open(&wire, board);
 *     wire.kind = LATE;                                  // how, and at which transaction
 *     wire.at = 7;
 *     wire.armed = true;
 *     ...                                                // wire.fired: it has been reached */
#ifndef TESTS_AIRLIFT_WIRE_H
#define TESTS_AIRLIFT_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adder/airlift.h"
#include "sim/sim.h"

/* UNPLUG lasts; the others are over with the transaction, a busy chip after its time. */
typedef enum { FAIL_BUS, LATE, UNPLUG, DEAF, FLIP, RESTART, SILENCE, GARBLE, FAULTS } fault_t;
static const char *const fault_names[] = {"bus error", "late reply",   "unplugged", "no acknowledge",
                                          "bit flip",  "chip restart", "silence",   "bit flip in data"};

typedef struct {
    sim_board_t *board;
    const adder_mcu_t *mcu;
    adder_spi_t spi; /* the board's own */
    adder_pin_ops_t cs_ops, ready_ops;
    fault_t kind;
    uint32_t at, transactions; /* the fault's; CS falls so far */
    uint64_t bytes, busy_until_us;
    bool armed, fired, on_now;
    bool held, others_have_it; /* the bus's lock */
    unsigned locked, unlocked;
} wire_t;

static inline uint16_t wire_pin(const wire_t *w, const char *name)
{
    for (size_t i = 0; i < w->mcu->alias_count; i++) {
        if (strcmp(w->mcu->aliases[i].name, name) == 0) {
            return w->mcu->aliases[i].pin;
        }
    }
    fail_msg("no pin %s", name);
    return 0;
}

static inline bool wire_unplugged(const wire_t *w)
{
    return w->fired && w->kind == UNPLUG;
}

/* Nothing will come from the chip just now: who waits may wait in long steps. */
static inline bool wire_silent(const wire_t *w)
{
    return w->busy_until_us > sim_board_now_us(w->board) || wire_unplugged(w);
}

/* ---- SPI ---- */

static inline adder_err_t wire_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase,
                                         uint8_t bits, uint32_t *hz_out)
{
    wire_t *w = ctx;
    assert_true(w->held);
    return w->spi.ops->configure(w->spi.ctx, hz, polarity, phase, bits, hz_out);
}

static inline adder_err_t wire_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    wire_t *w = ctx;
    assert_true(w->held);
    w->bytes += len;
    if (w->on_now && w->kind == FAIL_BUS) {
        return ADDER_ERR_IO;
    }
    const adder_err_t err = w->spi.ops->transfer(w->spi.ctx, wr, rd, len, fill);
    if (rd != NULL && w->on_now && w->kind == FLIP) { /* of the frame around the data: its first bytes */
        rd[0] ^= 0x04;
        w->on_now = false;
    }
    if (rd != NULL && w->on_now && w->kind == GARBLE && len > 16) { /* in the middle of what came */
        rd[len / 2] ^= 0x10;
        w->fired = true;
        w->on_now = false;
    }
    if (rd != NULL && wire_unplugged(w)) {
        memset(rd, 0xFF, len);
    }
    return err;
}

/* ---- CS and READY ---- */

static inline adder_err_t wire_pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    const wire_t *w = ctx;
    return w->mcu->gpio->mode(w->mcu->ctx, pin, mode, level);
}

static inline adder_err_t wire_pin_write(void *ctx, uint16_t pin, bool level)
{
    const wire_t *w = ctx;
    return w->mcu->gpio->write(w->mcu->ctx, pin, level);
}

static inline adder_err_t wire_pin_read(void *ctx, uint16_t pin, bool *level_out)
{
    const wire_t *w = ctx;
    return w->mcu->gpio->read(w->mcu->ctx, pin, level_out);
}

static inline adder_err_t wire_cs_write(void *ctx, uint16_t pin, bool level)
{
    wire_t *w = ctx;
    if (!level) {
        assert_true(w->held);
        w->on_now = w->armed && w->transactions == w->at;
        w->fired |= w->on_now && w->kind != GARBLE;
        w->transactions++;
        if (w->on_now && w->kind == DEAF) {
            return ADDER_OK;
        }
        if (w->on_now && w->kind == RESTART) { /* as its supply dips: nobody is told */
            const uint16_t reset = wire_pin(w, "ESP_RESET");
            w->on_now = false;
            assert_int_equal(wire_pin_mode(w, reset, ADDER_PIN_OUT, false), ADDER_OK);
            assert_int_equal(wire_pin_write(w, reset, true), ADDER_OK);
        }
    } else if (w->on_now) {
        w->on_now = false;
        const uint64_t now = sim_board_now_us(w->board);
        if (w->kind == LATE) {
            w->busy_until_us = now + 7000000; /* most limits are 5 s */
        } else if (w->kind == SILENCE) {
            w->busy_until_us = now + 60000000; /* beyond all that is waited */
        }
    }
    return wire_unplugged(w) ? ADDER_OK : wire_pin_write(w, pin, level);
}

static inline adder_err_t wire_ready_read(void *ctx, uint16_t pin, bool *level_out)
{
    const adder_err_t err = wire_pin_read(ctx, pin, level_out);
    *level_out |= wire_silent(ctx);
    return err;
}

/* ---- the bus's lock ---- */

static inline bool wire_take(void *ctx)
{
    wire_t *w = ctx;
    assert_false(w->held);
    if (w->others_have_it) {
        return false;
    }
    w->locked++;
    return w->held = true;
}

static inline void wire_give(void *ctx)
{
    wire_t *w = ctx;
    assert_true(w->held);
    w->unlocked++;
    w->held = false;
}

/* For a stack on it, which draws its ports with it: not those of a test that runs at the same time. */
static inline uint32_t wire_random32(void *ctx)
{
    static uint32_t x; /* 0: not begun */
    (void)ctx;
    x = x == 0 ? (uint32_t)getpid() : x;
    x = x * 1664525 + 1013904223;
    return x >> 8;
}

/* ---- its life ---- */

/* The chip behind a new wire of this board, which stays the caller's. Nothing fails until armed. */
static inline adder_airlift_config_t wire_open(wire_t *w, sim_board_t *board)
{
    static const adder_spi_ops_t spi_ops = {wire_configure, wire_transfer};
    const adder_mcu_t *mcu = sim_board_mcu(board);
    *w = (wire_t){.board = board,
                  .mcu = mcu,
                  .cs_ops = {wire_pin_mode, wire_cs_write, wire_pin_read},
                  .ready_ops = {wire_pin_mode, wire_pin_write, wire_ready_read}};
    assert_int_equal(
        mcu->bus->spi_open(mcu->ctx, wire_pin(w, "SCK"), wire_pin(w, "MOSI"), wire_pin(w, "MISO"), &w->spi),
        ADDER_OK);
    return (adder_airlift_config_t){.spi = {&spi_ops, w},
                                    .cs = {&w->cs_ops, w, wire_pin(w, "ESP_CS")},
                                    .ready = {&w->ready_ops, w, wire_pin(w, "ESP_BUSY")},
                                    .reset = {mcu->gpio, mcu->ctx, wire_pin(w, "ESP_RESET")},
                                    .gpio0 = {mcu->gpio, mcu->ctx, wire_pin(w, "ESP_GPIO0")},
                                    .lock = {wire_take, wire_give, w}};
}

/* Before its board is closed: the lock was given back as often as taken. */
static inline void wire_close(const wire_t *w)
{
    assert_false(w->held);
    assert_int_equal(w->locked, w->unlocked);
}

#endif
