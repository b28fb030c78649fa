/* adafruit_bus_device.i2c_device.I2CDevice as native drivers use it. */
#ifndef ADDER_PYTHON_BUS_DEVICE_H
#define ADDER_PYTHON_BUS_DEVICE_H

#include "python/layer/py.h"

typedef struct {
    py_field_t i2c;
    uint8_t address;
} bus_device_i2c_t;

extern const py_class_t bus_device_i2c_class;

/* I2CDevice(i2c, address, probe=False), its struct in *device_out. */
py_t bus_device_i2c_make(py_t i2c, py_t address, bus_device_i2c_t **device_out);
/* As `with` does: lock() waits, with background work; unlock() runs with or without an exception pending,
 * which it keeps. False with the exception set. */
bool bus_device_i2c_lock(const bus_device_i2c_t *d);
bool bus_device_i2c_unlock(const bus_device_i2c_t *d);
/* The bus of the device for a driver of src/, between lock and unlock; the struct must outlive it. A transfer
 * that fails leaves the exception pending and returns ADDER_ERR_IO. Any object with busio.I2C's methods
 * serves. */
adder_i2c_t bus_device_i2c_wires(bus_device_i2c_t *d);
/* ValueError "No I2C device at address: 0x48" in place of a pending OSError. */
void bus_device_i2c_nobody(const bus_device_i2c_t *d);

#endif
