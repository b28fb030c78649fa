#include "adder/bus.h"

adder_err_t adder_pin_mode(const adder_pin_t *pin, adder_pin_mode_t mode, bool level)
{
    return pin->ops == NULL ? ADDER_OK : pin->ops->mode(pin->ctx, pin->pin, mode, level);
}

adder_err_t adder_pin_write(const adder_pin_t *pin, bool level)
{
    return pin->ops == NULL ? ADDER_OK : pin->ops->write(pin->ctx, pin->pin, level);
}

adder_err_t adder_pin_read(const adder_pin_t *pin, bool *level_out)
{
    *level_out = false;
    return pin->ops == NULL ? ADDER_OK : pin->ops->read(pin->ctx, pin->pin, level_out);
}

adder_err_t adder_spi_write(const adder_spi_t *spi, const uint8_t *bytes, size_t len)
{
    return len == 0 ? ADDER_OK : spi->ops->transfer(spi->ctx, bytes, NULL, len, 0);
}

adder_err_t adder_i2c_write(const adder_i2c_t *i2c, uint8_t addr7, const uint8_t *bytes, size_t len,
                            uint32_t timeout_ms)
{
    return i2c->ops->xfer(i2c->ctx, addr7, bytes, len, NULL, 0, timeout_ms);
}
