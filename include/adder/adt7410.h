/* ADT7410: a temperature sensor on I2C. Names of registers and bits are those of the data sheet (Analog
 * Devices, ADT7410 rev. C, table 6 and the register descriptions after it).
 *
 *     adder_adt7410_t t;
 *     int16_t c128;
 *     adder_err_t err = adder_adt7410_init(&t, &i2c, ADDER_ADT7410_ADDR7);
 *     if (err == ADDER_OK)
 *         err = adder_adt7410_set_config(&t, ADDER_ADT7410_RESOLUTION, ADDER_ADT7410_RESOLUTION);
 *     if (err == ADDER_OK)
 *         err = adder_adt7410_read_temperature(&t, &c128); // 25 C is 3200
 *
 * A read is one transaction of the bus, a change of the configuration two. Nothing waits: the chip converts
 * by itself, every 240 ms in continuous mode, and a read gives the last result.
 *
 * Memory: the struct is the caller's; the bus behind `i2c` must outlive it. Threading: that of the bus.
 * Errors: those of the bus unchanged (NOT_FOUND: nobody at the address), and what each function says. */
#ifndef ADDER_ADT7410_H
#define ADDER_ADT7410_H

#include "adder/bus.h"

enum { ADDER_ADT7410_ADDR7 = 0x48 }; /* 0x48..0x4B by the pins A0 and A1 */

enum { /* registers */
       ADDER_ADT7410_TEMP = 0x00,
       ADDER_ADT7410_STATUS = 0x02,
       ADDER_ADT7410_CONFIG = 0x03,
       ADDER_ADT7410_T_HIGH = 0x04, /* setpoints: two bytes, 1/128 C */
       ADDER_ADT7410_T_LOW = 0x06,
       ADDER_ADT7410_T_CRIT = 0x08,
       ADDER_ADT7410_T_HYST = 0x0A, /* whole degrees, 0..15 */
       ADDER_ADT7410_ID = 0x0B
};

enum { /* STATUS */
       ADDER_ADT7410_STATUS_T_LOW = 0x10,
       ADDER_ADT7410_STATUS_T_HIGH = 0x20,
       ADDER_ADT7410_STATUS_T_CRIT = 0x40,
       ADDER_ADT7410_STATUS_NOT_RDY = 0x80 /* no new result since the last read */
};

enum {                                   /* CONFIG */
       ADDER_ADT7410_FAULT_QUEUE = 0x03, /* conversions outside before INT and CT act, less one */
       ADDER_ADT7410_CT_POLARITY = 0x04,
       ADDER_ADT7410_INT_POLARITY = 0x08,
       ADDER_ADT7410_INT_CT_MODE = 0x10, /* 1: comparator, 0: interrupt */
       ADDER_ADT7410_OPERATION_MODE = 0x60,
       ADDER_ADT7410_RESOLUTION = 0x80 /* 1: 16 bits of 1/128 C, 0: 13 bits of 1/16 C */
};

enum { /* OPERATION_MODE */
       ADDER_ADT7410_CONTINUOUS = 0x00,
       ADDER_ADT7410_ONE_SHOT = 0x20, /* after 240 ms the chip sets SHUTDOWN itself */
       ADDER_ADT7410_1_SPS = 0x40,
       ADDER_ADT7410_SHUTDOWN = 0x60
};

typedef struct {
    adder_i2c_t i2c;
    uint8_t addr7;
    struct {
        uint8_t config; /* as last read or written, once `known` */
        bool known;
    } priv;
} adder_adt7410_t;

/* Reads ID: one transaction. The bus struct is copied. ADDER_ERR_FORMAT: another chip is at the address. */
adder_err_t adder_adt7410_init(adder_adt7410_t *t, const adder_i2c_t *i2c, uint8_t addr7) ADDER_MUST_USE;

/* The last conversion in 1/128 C, -7040..19200. With 13 bits its steps are 8: the flags that the chip puts
 * into the low bits then are cut off. Which width it is, is known from the last read or write of CONFIG here;
 * the very first call reads it if none came before. */
adder_err_t adder_adt7410_read_temperature(adder_adt7410_t *t, int16_t *c128_out) ADDER_MUST_USE;

/* STATUS. In interrupt mode the read clears the three flags, so what is wanted of them is taken from one
 * read. */
adder_err_t adder_adt7410_read_status(adder_adt7410_t *t, uint8_t *status_out) ADDER_MUST_USE;

adder_err_t adder_adt7410_read_config(adder_adt7410_t *t, uint8_t *config_out) ADDER_MUST_USE;
/* The bits of `mask` in CONFIG become those of `bits`; the others stay as the chip has them. It is read
 * first, because the chip changes it too (ONE_SHOT). On an error of the read nothing was written. */
adder_err_t adder_adt7410_set_config(adder_adt7410_t *t, uint8_t mask, uint8_t bits) ADDER_MUST_USE;

/* `reg`: T_HIGH, T_LOW or T_CRIT; in 1/128 C whatever the resolution. ADDER_ERR_ARG: another register. */
adder_err_t adder_adt7410_read_setpoint(adder_adt7410_t *t, uint8_t reg, int16_t *c128_out) ADDER_MUST_USE;
adder_err_t adder_adt7410_write_setpoint(adder_adt7410_t *t, uint8_t reg, int16_t c128) ADDER_MUST_USE;

/* How far below (T_LOW: above) its setpoint the temperature must come before a flag goes: whole degrees,
 * 0..15 (ADDER_ERR_RANGE). */
adder_err_t adder_adt7410_read_hyst(adder_adt7410_t *t, uint8_t *celsius_out) ADDER_MUST_USE;
adder_err_t adder_adt7410_write_hyst(adder_adt7410_t *t, uint8_t celsius) ADDER_MUST_USE;

#endif
