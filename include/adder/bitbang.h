/* SPI and I2C made of single pin writes: any pins, no hardware bus.
 *
 *     adder_bitbang_i2c_t b = { .scl = scl, .sda = sda };
 *     adder_i2c_t i2c;
 *     err = adder_bitbang_i2c_init(&b, &i2c);
 *     err = i2c.ops->xfer(i2c.ctx, 0x48, &reg, 1, &value, 1, 100);
 *
 * The struct is the caller's and must outlive the bus. The lines are as fast as the pins, or as slow as
 * `half_us` and `delay_us` make them. Nothing waits without bound: a line held low ends in TIMEOUT. */
#ifndef ADDER_BITBANG_H
#define ADDER_BITBANG_H

#include "adder/bus.h"

typedef struct {
    adder_pin_t scl, sda;                     /* open drain; the pull-ups are the board's */
    uint32_t half_us;                         /* half a clock period, 0 = no waiting */
    void (*delay_us)(void *ctx, uint32_t us); /* NULL = no waiting */
    void *delay_ctx;
    uint32_t stretch_polls; /* looks at SCL before a stretched clock counts as stuck; 0 = 1000 */
} adder_bitbang_i2c_t;

/* Both lines released. Errors of the pins. */
adder_err_t adder_bitbang_i2c_init(adder_bitbang_i2c_t *b, adder_i2c_t *out) ADDER_MUST_USE;

typedef struct {
    adder_pin_t clock, mosi, miso; /* the data pins may be unconnected (.ops NULL): reads give 0 */
    uint32_t half_us;
    void (*delay_us)(void *ctx, uint32_t us);
    void *delay_ctx;
    struct {
        bool polarity, phase;
    } priv;
} adder_bitbang_spi_t;

/* Clock low, mode 0. configure() takes modes 0 to 3 and 8 bits, reports hz as asked. Errors of the pins. */
adder_err_t adder_bitbang_spi_init(adder_bitbang_spi_t *b, adder_spi_t *out) ADDER_MUST_USE;

#endif
