/* I2C by single pin writes. UM10204 rev. 7, section 3.1: START and STOP are SDA edges while SCL is high;
 * data changes while it is low. */
#include "adder/bitbang.h"

typedef adder_bitbang_i2c_t i2c_t;

static void wait_half(const i2c_t *b)
{
    if (b->delay_us != NULL && b->half_us > 0)
        b->delay_us(b->delay_ctx, b->half_us);
}

static adder_err_t sda(const i2c_t *b, bool level)
{
    return b->sda.ops->write(b->sda.ctx, b->sda.pin, level);
}

static adder_err_t scl_low(const i2c_t *b)
{
    wait_half(b);
    return b->scl.ops->write(b->scl.ctx, b->scl.pin, false);
}

/* Released, and up: a device may hold it down for a while (3.1.9, clock stretching). */
static adder_err_t scl_high(const i2c_t *b)
{
    adder_err_t err = b->scl.ops->write(b->scl.ctx, b->scl.pin, true);
    wait_half(b);
    uint32_t polls = b->stretch_polls ? b->stretch_polls : 1000;
    for (bool level = false; err == ADDER_OK; wait_half(b)) {
        err = b->scl.ops->read(b->scl.ctx, b->scl.pin, &level);
        if (level)
            break;
        if (polls-- == 0)
            return ADDER_ERR_TIMEOUT;
    }
    return err;
}

/* Also the repeated START: both lines are let go first. */
static adder_err_t start(const i2c_t *b)
{
    adder_err_t err = sda(b, true);
    if (err == ADDER_OK)
        err = scl_high(b);
    if (err == ADDER_OK)
        err = sda(b, false);
    return err == ADDER_OK ? scl_low(b) : err;
}

static adder_err_t stop(const i2c_t *b)
{
    adder_err_t err = sda(b, false);
    if (err == ADDER_OK)
        err = scl_high(b);
    adder_err_t released = sda(b, true); /* even after a time-out: leave the line free */
    wait_half(b);
    return err == ADDER_OK ? released : err;
}

static adder_err_t put_bit(const i2c_t *b, bool bit)
{
    adder_err_t err = sda(b, bit);
    if (err == ADDER_OK)
        err = scl_high(b);
    return err == ADDER_OK ? scl_low(b) : err;
}

static adder_err_t get_bit(const i2c_t *b, bool *bit)
{
    adder_err_t err = sda(b, true);
    if (err == ADDER_OK)
        err = scl_high(b);
    if (err == ADDER_OK)
        err = b->sda.ops->read(b->sda.ctx, b->sda.pin, bit);
    return err == ADDER_OK ? scl_low(b) : err;
}

static adder_err_t put_byte(const i2c_t *b, uint8_t byte, adder_err_t on_nack)
{
    bool nack = true;
    adder_err_t err = ADDER_OK;
    for (int i = 7; i >= 0 && err == ADDER_OK; i--)
        err = put_bit(b, byte >> i & 1);
    if (err == ADDER_OK)
        err = get_bit(b, &nack);
    return err == ADDER_OK && nack ? on_nack : err;
}

static adder_err_t get_byte(const i2c_t *b, uint8_t *byte, bool last)
{
    unsigned value = 0;
    bool bit = false;
    adder_err_t err = ADDER_OK;
    for (int i = 0; i < 8 && err == ADDER_OK; i++) {
        err = get_bit(b, &bit);
        value = value << 1 | bit;
    }
    *byte = (uint8_t)value;
    return err == ADDER_OK ? put_bit(b, last) : err; /* no acknowledge ends the reading */
}

static adder_err_t write_part(const i2c_t *b, uint8_t addr7, const uint8_t *wr, size_t len)
{
    adder_err_t err = start(b);
    if (err == ADDER_OK)
        err = put_byte(b, (uint8_t)(addr7 << 1), ADDER_ERR_NOT_FOUND);
    for (size_t i = 0; i < len && err == ADDER_OK; i++)
        err = put_byte(b, wr[i], ADDER_ERR_IO);
    return err;
}

static adder_err_t read_part(const i2c_t *b, uint8_t addr7, uint8_t *rd, size_t len)
{
    adder_err_t err = start(b);
    if (err == ADDER_OK)
        err = put_byte(b, (uint8_t)(addr7 << 1 | 1), ADDER_ERR_NOT_FOUND);
    for (size_t i = 0; i < len && err == ADDER_OK; i++)
        err = get_byte(b, &rd[i], i + 1 == len);
    return err;
}

static adder_err_t xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                        size_t rd_len, uint32_t timeout_ms)
{
    (void)timeout_ms; /* bounded by the bits, and each bit by stretch_polls */
    const i2c_t *b = ctx;
    adder_err_t err = ADDER_OK;
    if (wr_len > 0 || rd_len == 0)
        err = write_part(b, addr7, wr, wr_len);
    if (err == ADDER_OK && rd_len > 0)
        err = read_part(b, addr7, rd, rd_len);
    adder_err_t stopped = stop(b);
    return err == ADDER_OK ? stopped : err;
}

static const adder_i2c_ops_t ops = {xfer};

adder_err_t adder_bitbang_i2c_init(adder_bitbang_i2c_t *b, adder_i2c_t *out)
{
    adder_err_t err = b->scl.ops->mode(b->scl.ctx, b->scl.pin, ADDER_PIN_OUT_OPEN_DRAIN, true);
    if (err == ADDER_OK)
        err = b->sda.ops->mode(b->sda.ctx, b->sda.pin, ADDER_PIN_OUT_OPEN_DRAIN, true);
    *out = (adder_i2c_t){&ops, b};
    return err;
}
