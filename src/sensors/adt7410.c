#include "adder/adt7410.h"

enum { TIMEOUT_MS = 100, WHOLE_ID = 0xCB, FLAGS_13_BIT = 0x07, HYST_MAX = 15 };

/* ---- registers ---- */

static adder_err_t read_reg(const adder_adt7410_t *t, uint8_t reg, uint8_t *out, size_t len)
{
    return t->i2c.ops->xfer(t->i2c.ctx, t->addr7, &reg, 1, out, len, TIMEOUT_MS);
}

static adder_err_t write_reg8(const adder_adt7410_t *t, uint8_t reg, uint8_t value)
{
    const uint8_t bytes[] = {reg, value};
    return adder_i2c_write(&t->i2c, t->addr7, bytes, sizeof bytes, TIMEOUT_MS);
}

static adder_err_t read_reg16(const adder_adt7410_t *t, uint8_t reg, int16_t *out)
{
    uint8_t bytes[2] = {0};
    const adder_err_t err = read_reg(t, reg, bytes, sizeof bytes);
    const int32_t raw = bytes[0] << 8 | bytes[1];
    *out = (int16_t)(raw < 0x8000 ? raw : raw - 0x10000); /* two's complement, high byte first */
    return err;
}

/* ---- the chip ---- */

adder_err_t adder_adt7410_init(adder_adt7410_t *t, const adder_i2c_t *i2c, uint8_t addr7)
{
    uint8_t id = 0;
    *t = (adder_adt7410_t){.i2c = *i2c, .addr7 = addr7};
    const adder_err_t err = read_reg(t, ADDER_ADT7410_ID, &id, 1);
    return err == ADDER_OK && id != WHOLE_ID ? ADDER_ERR_FORMAT : err;
}

adder_err_t adder_adt7410_read_temperature(adder_adt7410_t *t, int16_t *c128_out)
{
    uint8_t config;
    adder_err_t err = t->priv.known ? ADDER_OK : adder_adt7410_read_config(t, &config);
    if (err != ADDER_OK)
        return err;
    err = read_reg16(t, ADDER_ADT7410_TEMP, c128_out);
    if ((t->priv.config & ADDER_ADT7410_RESOLUTION) == 0)
        *c128_out = (int16_t)(*c128_out & ~FLAGS_13_BIT);
    return err;
}

adder_err_t adder_adt7410_read_status(adder_adt7410_t *t, uint8_t *status_out)
{
    return read_reg(t, ADDER_ADT7410_STATUS, status_out, 1);
}

/* ---- configuration ---- */

adder_err_t adder_adt7410_read_config(adder_adt7410_t *t, uint8_t *config_out)
{
    const adder_err_t err = read_reg(t, ADDER_ADT7410_CONFIG, config_out, 1);
    if (err == ADDER_OK) {
        t->priv.config = *config_out;
        t->priv.known = true;
    }
    return err;
}

adder_err_t adder_adt7410_set_config(adder_adt7410_t *t, uint8_t mask, uint8_t bits)
{
    uint8_t config;
    adder_err_t err = adder_adt7410_read_config(t, &config);
    if (err != ADDER_OK)
        return err;
    config = (uint8_t)((config & ~mask) | (bits & mask));
    err = write_reg8(t, ADDER_ADT7410_CONFIG, config);
    if (err == ADDER_OK)
        t->priv.config = config;
    return err;
}

/* ---- limits ---- */

static bool is_setpoint(uint8_t reg)
{
    return reg == ADDER_ADT7410_T_HIGH || reg == ADDER_ADT7410_T_LOW || reg == ADDER_ADT7410_T_CRIT;
}

adder_err_t adder_adt7410_read_setpoint(adder_adt7410_t *t, uint8_t reg, int16_t *c128_out)
{
    return is_setpoint(reg) ? read_reg16(t, reg, c128_out) : ADDER_ERR_ARG;
}

adder_err_t adder_adt7410_write_setpoint(adder_adt7410_t *t, uint8_t reg, int16_t c128)
{
    const uint16_t raw = (uint16_t)c128;
    const uint8_t bytes[] = {reg, (uint8_t)(raw >> 8), (uint8_t)raw};
    return is_setpoint(reg) ? adder_i2c_write(&t->i2c, t->addr7, bytes, sizeof bytes, TIMEOUT_MS)
                            : ADDER_ERR_ARG;
}

adder_err_t adder_adt7410_read_hyst(adder_adt7410_t *t, uint8_t *celsius_out)
{
    const adder_err_t err = read_reg(t, ADDER_ADT7410_T_HYST, celsius_out, 1);
    if (err == ADDER_OK)
        *celsius_out &= HYST_MAX; /* the upper four bits are not used */
    return err;
}

adder_err_t adder_adt7410_write_hyst(adder_adt7410_t *t, uint8_t celsius)
{
    return celsius <= HYST_MAX ? write_reg8(t, ADDER_ADT7410_T_HYST, celsius) : ADDER_ERR_RANGE;
}
