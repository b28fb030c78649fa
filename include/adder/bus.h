/* The seams to wires: SPI, I2C, an 8-bit parallel port and single pins.
 *
 * A driver of `src/` gets these structs from its caller and knows nothing else of the machine.
 * `sim/` and each port implement the ops; the ops tables are const, the state is behind `ctx`.
 *
 *     static adder_err_t read_id(const adder_i2c_t *i2c, uint8_t *id_out)
 *     {
 *         const uint8_t reg = 0x0B;
 *         return i2c->ops->xfer(i2c->ctx, 0x48, &reg, 1, id_out, 1, 100);
 *     }
 *
 * Threading: a bus is used from one thread at a time; its owner sees to that. A transfer is the
 * only thing that may take time, and it is bounded. */
#ifndef ADDER_BUS_H
#define ADDER_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* ---- pins ---- */

typedef enum {
    ADDER_PIN_IN, /* high impedance */
    ADDER_PIN_IN_PULL_UP,
    ADDER_PIN_IN_PULL_DOWN,
    ADDER_PIN_OUT,            /* push-pull */
    ADDER_PIN_OUT_OPEN_DRAIN, /* true = released */
} adder_pin_mode_t;

typedef struct {
    /* Change direction. For the OUT modes `level` is on the wire before the driver is enabled.
     * ADDER_ERR_PIN: the pin cannot do this. */
    adder_err_t (*mode)(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level);
    adder_err_t (*write)(void *ctx, uint16_t pin, bool level);
    /* The level on the wire, in every mode. */
    adder_err_t (*read)(void *ctx, uint16_t pin, bool *level_out);
} adder_pin_ops_t;

/* One pin. `ops` NULL = not connected: helpers then do nothing and report success. */
typedef struct {
    const adder_pin_ops_t *ops;
    void *ctx;
    uint16_t pin; /* number in the owner's own space */
} adder_pin_t;

/* ---- SPI ---- */

typedef struct {
    /* Clock ceiling, mode (polarity, phase: 0 or 1). hz_out (may be NULL): the clock obtained. */
    adder_err_t (*configure)(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                             uint32_t *hz_out);
    /* Full duplex, `len` bytes. `wr` NULL sends `fill`; `rd` NULL drops what comes in; wr == rd is
     * allowed. Chip select is the caller's. */
    adder_err_t (*transfer)(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill);
} adder_spi_ops_t;

typedef struct {
    const adder_spi_ops_t *ops;
    void *ctx;
} adder_spi_t;

/* ---- I2C ---- */

typedef struct {
    /* One START..STOP: write `wr`, then (repeated START) read `rd`. Either may be empty; both empty
     * is a probe. Never blocks past timeout_ms.
     * ADDER_ERR_NOT_FOUND (address NACK), ADDER_ERR_IO (data NACK, line fault), ADDER_ERR_TIMEOUT. */
    adder_err_t (*xfer)(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                        size_t rd_len, uint32_t timeout_ms);
} adder_i2c_ops_t;

typedef struct {
    const adder_i2c_ops_t *ops;
    void *ctx;
} adder_i2c_t;

/* ---- 8080-style parallel port, 8 bits, write strobe ---- */

typedef struct {
    /* Strobe `len` bytes out. Chip select and data/command are pins of the caller. */
    adder_err_t (*write)(void *ctx, const uint8_t *wr, size_t len);
} adder_par8_ops_t;

typedef struct {
    const adder_par8_ops_t *ops;
    void *ctx;
} adder_par8_t;

/* ---- UART ---- */

typedef struct {
    adder_err_t (*write)(void *ctx, const uint8_t *wr, size_t len);
    /* What has arrived, at most `cap` bytes; never waits. *n_out 0 = nothing. */
    adder_err_t (*read)(void *ctx, uint8_t *rd, size_t cap, size_t *n_out);
    adder_err_t (*available)(void *ctx, size_t *n_out);
    adder_err_t (*configure)(void *ctx, uint32_t baud, uint8_t bits, char parity, uint8_t stop);
} adder_uart_ops_t;

typedef struct {
    const adder_uart_ops_t *ops;
    void *ctx;
} adder_uart_t;

/* ---- sharing ---- */

/* Of a bus with several devices on it: a driver takes it before it selects its chip and gives it back once
 * that is deselected. NULL members: not shared. try_lock never waits; false = somebody else has it. */
typedef struct {
    bool (*try_lock)(void *ctx);
    void (*unlock)(void *ctx);
    void *ctx;
} adder_bus_lock_t;

/* ---- helpers (src/bus) ---- */

/* Nothing happens on a pin that is not connected. Errors from the port, unchanged. */
adder_err_t adder_pin_mode(const adder_pin_t *pin, adder_pin_mode_t mode, bool level) ADDER_MUST_USE;
adder_err_t adder_pin_write(const adder_pin_t *pin, bool level) ADDER_MUST_USE;
adder_err_t adder_pin_read(const adder_pin_t *pin, bool *level_out) ADDER_MUST_USE; /* unconnected: false */
adder_err_t adder_spi_write(const adder_spi_t *spi, const uint8_t *bytes, size_t len) ADDER_MUST_USE;
adder_err_t adder_i2c_write(const adder_i2c_t *i2c, uint8_t addr7, const uint8_t *bytes, size_t len,
                            uint32_t timeout_ms) ADDER_MUST_USE;

#endif
