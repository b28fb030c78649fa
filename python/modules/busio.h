/* busio's buses as other modules use them: board's singletons, displays, bus devices. */
#ifndef ADDER_PYTHON_BUSIO_H
#define ADDER_PYTHON_BUSIO_H

#include <stdatomic.h>

#include "adder/bitbang.h"
#include "adder/display/bus.h"
#include "python/layer/py.h"

/* The lock of a bus, first in its struct: one set of functions serves every class of bus. The pump's thread
 * takes it too, for a radio on the same wires. */
typedef struct {
    atomic_int holder; /* busio_lock.c */
} busio_lock_t;

typedef struct {
    busio_lock_t lock; /* first */
    adder_i2c_t bus;
    uint16_t scl, sda;
    uint32_t timeout_ms;
    bool open, bitbang;
    adder_bitbang_i2c_t soft; /* bitbang: what `bus` stands on */
} busio_i2c_obj_t;

typedef struct {
    busio_lock_t lock; /* first */
    adder_spi_t bus;
    uint16_t clock, mosi, miso;
    uint32_t hz;
    bool open, bitbang;
    adder_bitbang_spi_t soft;
} busio_spi_obj_t;

/* busio_lock.c: the methods try_lock() and unlock(); the check of a transfer (RuntimeError); the lock as the
 * display engine takes it. */
py_t busio_try_lock(py_t self, void *s, const py_val_t *a);
py_t busio_unlock(py_t self, void *s, const py_val_t *a);
bool busio_needs_lock(const busio_lock_t *lock);
adder_bus_lock_t busio_lock_share(busio_lock_t *lock);

extern const py_class_t busio_i2c_class, busio_spi_class, busio_uart_class;
extern const py_class_t bitbangio_i2c_class, bitbangio_spi_class;

/* The wires and the lock of a busio or bitbangio bus argument: valid while the object is; keep it in a
 * field. TypeError naming the argument. */
bool busio_spi_share(py_t v, const char *name, adder_spi_t *spi_out, adder_bus_lock_t *lock_out);
bool busio_i2c_share(py_t v, const char *name, adder_i2c_t *i2c_out, adder_bus_lock_t *lock_out);

/* The struct of a busio or bitbangio I2C, NULL without an exception: something else. And one transfer of the
 * program's, who holds the lock (RuntimeError): None, or an exception as the bus's own methods raise it. */
busio_i2c_obj_t *busio_i2c_find(py_t v);
py_t busio_i2c_xfer(busio_i2c_obj_t *o, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                    size_t rd_len);

/* For bitbangio, whose classes are these under other names. The claims are made; `bus` is not. */
extern const py_arg_t busio_spi_args[];
bool busio_spi_claim(busio_spi_obj_t *o, const py_val_t *a);
bool busio_i2c_claim(busio_i2c_obj_t *o, py_t scl, py_t sda);
extern const py_method_t busio_i2c_methods[], busio_spi_methods[];
void busio_i2c_close(void *o);
void busio_spi_close(void *o);
bool busio_i2c_live(const void *o);
bool busio_spi_live(const void *o);

#endif
