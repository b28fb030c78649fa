/* What the chip of a fuzz target is made of: the input's bytes, and pins. READY (pin 1) follows CS (pin 0),
 * but once does not when it is stuck. Fuzz targets only. */
#ifndef AIRLIFT_FUZZ_H
#define AIRLIFT_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "adder/airlift.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *in; /* the input: what is left of it */
static size_t left;
static bool ready, flag; /* flag: of all other pins */
static unsigned stuck;   /* at this fall or rise of CS from now; 0 = never */
static unsigned taken;   /* bytes since CS moved */

static inline void fuzz_begin(const uint8_t *data, size_t size)
{
    in = data;
    left = size;
    ready = flag = false;
    stuck = taken = 0;
}

/* 0 when there are no more. */
static inline uint8_t next(void)
{
    if (left == 0) {
        return 0;
    }
    left--;
    return *in++;
}

static inline adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    (void)ctx, (void)mode;
    if (pin == 0) {
        ready = !level;
        taken = 0;
        if (stuck > 0 && --stuck == 0) {
            ready = !ready;
        }
    }
    return ADDER_OK;
}

static inline adder_err_t pin_write(void *ctx, uint16_t pin, bool level)
{
    return pin_mode(ctx, pin, ADDER_PIN_OUT, level);
}

static inline adder_err_t pin_read(void *ctx, uint16_t pin, bool *level_out)
{
    (void)ctx;
    *level_out = pin == 1 ? ready : flag;
    return ADDER_OK;
}

static inline adder_err_t configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                                    uint32_t *hz_out)
{
    (void)ctx, (void)hz, (void)polarity, (void)phase, (void)bits, (void)hz_out;
    return ADDER_OK;
}

static const adder_pin_ops_t pins = {pin_mode, pin_write, pin_read};

#endif
