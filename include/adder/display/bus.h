/* Display buses: how commands and pixels reach a display controller.
 *
 *     adder_fourwire_t fw;
 *     adder_display_bus_t bus;
 *     adder_fourwire_init(&fw, &(adder_fourwire_config_t){ .spi = spi, .command = dc, .chip_select = cs,
 *                                                           .reset = rst, .hz = 24000000 }, &bus);
 *
 * Pins with ops NULL are not connected. FourWire without a command pin sends 9-bit words with the
 * data/command bit in front. No function sleeps: a reset pulse is two calls with 1 ms between.
 *
 * A lock is taken by begin() and given back by end(). RAM on a 32-bit machine: 36 to 64 bytes per bus.
 * Threading: as adder/bus.h. */
#ifndef ADDER_DISPLAY_BUS_H
#define ADDER_DISPLAY_BUS_H

#include "adder/bus.h"

typedef enum { ADDER_DISPLAY_COMMAND, ADDER_DISPLAY_DATA } adder_display_send_t;

/* The seam. send() only between begin() and end(). */
typedef struct {
    /* Take the bus, select the chip. ADDER_ERR_AGAIN: somebody else has it now; nothing was changed. */
    adder_err_t (*begin)(void *ctx);
    /* toggle_every_byte: chip select goes up after each byte (where there is one). */
    adder_err_t (*send)(void *ctx, adder_display_send_t what, bool toggle_every_byte, const uint8_t *bytes,
                        size_t len);
    void (*end)(void *ctx);
    /* The reset pin, false = chip held in reset. ADDER_ERR_UNSUPPORTED: there is none. */
    adder_err_t (*reset)(void *ctx, bool level);
} adder_display_bus_ops_t;

typedef struct {
    const adder_display_bus_ops_t *ops;
    void *ctx;
} adder_display_bus_t;

/* begin, command, data, end. Any length. ADDER_ERR_AGAIN: bus in use. */
adder_err_t adder_display_bus_send(const adder_display_bus_t *bus, uint8_t command, bool toggle_every_byte,
                                   const uint8_t *data, size_t len) ADDER_MUST_USE;

/* ---- SPI with a data/command pin ---- */

typedef struct {
    adder_spi_t spi;
    adder_pin_t command, chip_select, reset;
    uint32_t hz;             /* 0 = 24 MHz */
    uint8_t polarity, phase; /* 0 or 1 */
    adder_bus_lock_t lock;
} adder_fourwire_config_t;

typedef struct {
    adder_fourwire_config_t config;
} adder_fourwire_t;

/* Make the pins outputs (chip select and reset high) and give the seam to *bus_out, which refers to fw.
 * Errors from the pins, unchanged. */
adder_err_t adder_fourwire_init(adder_fourwire_t *fw, const adder_fourwire_config_t *config,
                                adder_display_bus_t *bus_out) ADDER_MUST_USE;

/* ---- 8-bit parallel, 8080 style ---- */

typedef struct {
    adder_par8_t port;
    adder_pin_t command, chip_select, read, reset; /* read is held high: nothing is ever read */
} adder_parallelbus_config_t;

typedef struct {
    adder_parallelbus_config_t config;
} adder_parallelbus_t;

adder_err_t adder_parallelbus_init(adder_parallelbus_t *pb, const adder_parallelbus_config_t *config,
                                   adder_display_bus_t *bus_out) ADDER_MUST_USE;

/* ---- I2C ---- */

/* Longest single write, control byte included; longer data goes in several. 8..1024, on the stack. */
#ifndef ADDER_I2CDISPLAY_CHUNK
#define ADDER_I2CDISPLAY_CHUNK 129
#endif
_Static_assert(ADDER_I2CDISPLAY_CHUNK >= 8 && ADDER_I2CDISPLAY_CHUNK <= 1024, "8..1024");

typedef struct {
    adder_i2c_t i2c;
    uint8_t addr7;
    adder_pin_t reset;
    adder_bus_lock_t lock;
} adder_i2cdisplay_config_t;

typedef struct {
    adder_i2cdisplay_config_t config;
} adder_i2cdisplay_t;

adder_err_t adder_i2cdisplay_init(adder_i2cdisplay_t *id, const adder_i2cdisplay_config_t *config,
                                  adder_display_bus_t *bus_out) ADDER_MUST_USE;
/* ADDER_ERR_NOT_FOUND: nothing answers at the address; ADDER_ERR_AGAIN: bus in use. After a reset pulse. */
adder_err_t adder_i2cdisplay_probe(adder_i2cdisplay_t *id) ADDER_MUST_USE;

#endif
