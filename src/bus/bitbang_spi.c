/* SPI by single pin writes. Phase 0: data is put out before the first edge and taken at it; phase 1: put
 * out at the first edge, taken at the second. */
#include "adder/bitbang.h"

#include <stddef.h>

typedef adder_bitbang_spi_t spi_t;

static void wait_half(const spi_t *b)
{
    if (b->delay_us != NULL && b->half_us > 0)
        b->delay_us(b->delay_ctx, b->half_us);
}

static adder_err_t put(const adder_pin_t *pin, bool level)
{
    return pin->ops == NULL ? ADDER_OK : pin->ops->write(pin->ctx, pin->pin, level);
}

static adder_err_t get(const adder_pin_t *pin, bool *level)
{
    *level = false;
    return pin->ops == NULL ? ADDER_OK : pin->ops->read(pin->ctx, pin->pin, level);
}

static adder_err_t bit(const spi_t *b, bool out, bool *in)
{
    bool idle = b->priv.polarity;
    adder_err_t err = ADDER_OK;
    if (b->priv.phase)
        err = put(&b->clock, !idle);
    if (err == ADDER_OK)
        err = put(&b->mosi, out);
    wait_half(b);
    if (err == ADDER_OK)
        err = put(&b->clock, b->priv.phase ? idle : !idle);
    if (err == ADDER_OK)
        err = get(&b->miso, in);
    wait_half(b);
    return err == ADDER_OK && !b->priv.phase ? put(&b->clock, idle) : err;
}

static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    const spi_t *b = ctx;
    for (size_t i = 0; i < len; i++) {
        uint8_t out = wr != NULL ? wr[i] : fill;
        unsigned in = 0;
        for (int k = 7; k >= 0; k--) {
            bool level;
            adder_err_t err = bit(b, out >> k & 1, &level);
            if (err != ADDER_OK)
                return err;
            in = in << 1 | level;
        }
        if (rd != NULL)
            rd[i] = (uint8_t)in;
    }
    return ADDER_OK;
}

static adder_err_t configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                             uint32_t *hz_out)
{
    spi_t *b = ctx;
    if (bits != 8)
        return ADDER_ERR_UNSUPPORTED;
    b->priv.polarity = polarity != 0;
    b->priv.phase = phase != 0;
    if (hz_out != NULL)
        *hz_out = hz;
    return put(&b->clock, b->priv.polarity);
}

static const adder_spi_ops_t ops = {configure, transfer};

adder_err_t adder_bitbang_spi_init(adder_bitbang_spi_t *b, adder_spi_t *out)
{
    b->priv.polarity = b->priv.phase = false;
    adder_err_t err = b->clock.ops->mode(b->clock.ctx, b->clock.pin, ADDER_PIN_OUT, false);
    if (err == ADDER_OK && b->mosi.ops != NULL)
        err = b->mosi.ops->mode(b->mosi.ctx, b->mosi.pin, ADDER_PIN_OUT, false);
    if (err == ADDER_OK && b->miso.ops != NULL)
        err = b->miso.ops->mode(b->miso.ctx, b->miso.pin, ADDER_PIN_IN, false);
    *out = (adder_spi_t){&ops, b};
    return err;
}
