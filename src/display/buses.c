#include <string.h>

#include "adder/display/bus.h"

static bool lock_take(const adder_bus_lock_t *l)
{
    return l->try_lock == NULL || l->try_lock(l->ctx);
}

static void lock_give(const adder_bus_lock_t *l)
{
    if (l->unlock != NULL)
        l->unlock(l->ctx);
}

static adder_err_t reset_pin(const adder_pin_t *pin, bool level)
{
    return pin->ops == NULL ? ADDER_ERR_UNSUPPORTED : adder_pin_write(pin, level);
}

adder_err_t adder_display_bus_send(const adder_display_bus_t *bus, uint8_t command, bool toggle_every_byte,
                                   const uint8_t *data, size_t len)
{
    adder_err_t err = bus->ops->begin(bus->ctx);
    if (err != ADDER_OK)
        return err;
    err = bus->ops->send(bus->ctx, ADDER_DISPLAY_COMMAND, toggle_every_byte, &command, 1);
    if (err == ADDER_OK && len > 0)
        err = bus->ops->send(bus->ctx, ADDER_DISPLAY_DATA, toggle_every_byte, data, len);
    bus->ops->end(bus->ctx);
    return err;
}

/* Outputs that rest high: chip select, reset, read strobe, data/command. */
static adder_err_t rest_high(const adder_pin_t *const *pins, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const adder_err_t err = adder_pin_mode(pins[i], ADDER_PIN_OUT, true);
        if (err != ADDER_OK)
            return err;
    }
    return ADDER_OK;
}

/* ---- FourWire ---- */

static adder_err_t fourwire_begin(void *ctx)
{
    const adder_fourwire_config_t *c = &((adder_fourwire_t *)ctx)->config;
    if (!lock_take(&c->lock))
        return ADDER_ERR_AGAIN;
    adder_err_t err = c->spi.ops->configure(c->spi.ctx, c->hz, c->polarity, c->phase, 8, NULL);
    if (err == ADDER_OK)
        err = adder_pin_write(&c->chip_select, false);
    if (err != ADDER_OK)
        lock_give(&c->lock);
    return err;
}

static void fourwire_end(void *ctx)
{
    const adder_fourwire_config_t *c = &((adder_fourwire_t *)ctx)->config;
    ADDER_IGNORE(adder_pin_write(&c->chip_select, true), "nothing to undo, and the next begin tells");
    lock_give(&c->lock);
}

static adder_err_t toggle_select(const adder_fourwire_config_t *c)
{
    const adder_err_t err = adder_pin_write(&c->chip_select, true);
    return err != ADDER_OK ? err : adder_pin_write(&c->chip_select, false);
}

/* No data/command pin: that bit goes in front of every byte, nine bits a word. Words are packed eight to
 * nine bytes; what is left is padded, and chip select raised so that the controller drops the padding. */
static adder_err_t fourwire_send_9bit(const adder_fourwire_config_t *c, bool is_data, bool toggle,
                                      const uint8_t *bytes, size_t len)
{
    uint8_t packed[72];
    while (len > 0) {
        const size_t words = toggle ? 1 : len < 64 ? len : 64;
        uint32_t bits = 0;
        unsigned count = 0;
        size_t n = 0;
        for (size_t i = 0; i < words; i++) {
            bits = bits << 9 | (is_data ? 0x100u : 0u) | bytes[i];
            for (count += 9; count >= 8; count -= 8)
                packed[n++] = (uint8_t)(bits >> (count - 8u));
        }
        if (count > 0)
            packed[n++] = (uint8_t)(bits << (8u - count));
        adder_err_t err = adder_spi_write(&c->spi, packed, n);
        if (err == ADDER_OK && (count > 0 || toggle))
            err = toggle_select(c);
        if (err != ADDER_OK)
            return err;
        bytes += words;
        len -= words;
    }
    return ADDER_OK;
}

static adder_err_t fourwire_send(void *ctx, adder_display_send_t what, bool toggle, const uint8_t *bytes,
                                 size_t len)
{
    const adder_fourwire_config_t *c = &((adder_fourwire_t *)ctx)->config;
    if (c->command.ops == NULL)
        return fourwire_send_9bit(c, what == ADDER_DISPLAY_DATA, toggle, bytes, len);
    adder_err_t err = adder_pin_write(&c->command, what == ADDER_DISPLAY_DATA);
    if (err != ADDER_OK)
        return err;
    if (!toggle)
        return adder_spi_write(&c->spi, bytes, len);
    for (size_t i = 0; i < len && err == ADDER_OK; i++) {
        err = adder_spi_write(&c->spi, &bytes[i], 1);
        if (err == ADDER_OK)
            err = toggle_select(c);
    }
    return err;
}

static adder_err_t fourwire_reset(void *ctx, bool level)
{
    return reset_pin(&((adder_fourwire_t *)ctx)->config.reset, level);
}

adder_err_t adder_fourwire_init(adder_fourwire_t *fw, const adder_fourwire_config_t *config,
                                adder_display_bus_t *bus_out)
{
    static const adder_display_bus_ops_t ops = {fourwire_begin, fourwire_send, fourwire_end, fourwire_reset};
    fw->config = *config;
    if (fw->config.hz == 0)
        fw->config.hz = 24000000u;
    *bus_out = (adder_display_bus_t){&ops, fw};
    const adder_pin_t *const pins[] = {&fw->config.chip_select, &fw->config.reset, &fw->config.command};
    return rest_high(pins, sizeof pins / sizeof pins[0]);
}

/* ---- ParallelBus ---- */

static adder_err_t parallel_begin(void *ctx)
{
    return adder_pin_write(&((adder_parallelbus_t *)ctx)->config.chip_select, false);
}

static void parallel_end(void *ctx)
{
    ADDER_IGNORE(adder_pin_write(&((adder_parallelbus_t *)ctx)->config.chip_select, true),
                 "nothing to undo, and the next begin tells");
}

static adder_err_t parallel_send(void *ctx, adder_display_send_t what, bool toggle, const uint8_t *bytes,
                                 size_t len)
{
    (void)toggle; /* as CircuitPython: 8080 buses need no select edges */
    const adder_parallelbus_config_t *c = &((adder_parallelbus_t *)ctx)->config;
    const adder_err_t err = adder_pin_write(&c->command, what == ADDER_DISPLAY_DATA);
    if (err != ADDER_OK || len == 0)
        return err;
    return c->port.ops->write(c->port.ctx, bytes, len);
}

static adder_err_t parallel_reset(void *ctx, bool level)
{
    return reset_pin(&((adder_parallelbus_t *)ctx)->config.reset, level);
}

adder_err_t adder_parallelbus_init(adder_parallelbus_t *pb, const adder_parallelbus_config_t *config,
                                   adder_display_bus_t *bus_out)
{
    static const adder_display_bus_ops_t ops = {parallel_begin, parallel_send, parallel_end, parallel_reset};
    pb->config = *config;
    *bus_out = (adder_display_bus_t){&ops, pb};
    const adder_pin_t *const pins[] = {&pb->config.chip_select, &pb->config.reset, &pb->config.read,
                                       &pb->config.command};
    return rest_high(pins, sizeof pins / sizeof pins[0]);
}

/* ---- I2CDisplayBus ---- */

#define I2C_TIMEOUT_MS 1000u

enum { CONTROL_COMMAND = 0x80, CONTROL_DATA = 0x40 }; /* SSD1306 and relatives: Co and D/C bits */

static adder_err_t i2c_begin(void *ctx)
{
    return lock_take(&((adder_i2cdisplay_t *)ctx)->config.lock) ? ADDER_OK : ADDER_ERR_AGAIN;
}

static void i2c_end(void *ctx)
{
    lock_give(&((adder_i2cdisplay_t *)ctx)->config.lock);
}

static adder_err_t i2c_send(void *ctx, adder_display_send_t what, bool toggle, const uint8_t *bytes,
                            size_t len)
{
    (void)toggle;
    const adder_i2cdisplay_config_t *c = &((adder_i2cdisplay_t *)ctx)->config;
    uint8_t out[ADDER_I2CDISPLAY_CHUNK];
    while (len > 0) {
        size_t n = 0, used;
        if (what == ADDER_DISPLAY_COMMAND) { /* a control byte before each command byte */
            used = len < sizeof out / 2 ? len : sizeof out / 2;
            for (size_t i = 0; i < used; i++) {
                out[n++] = CONTROL_COMMAND;
                out[n++] = bytes[i];
            }
        } else {
            used = len < sizeof out - 1 ? len : sizeof out - 1;
            out[n++] = CONTROL_DATA;
            memcpy(out + n, bytes, used);
            n += used;
        }
        const adder_err_t err = adder_i2c_write(&c->i2c, c->addr7, out, n, I2C_TIMEOUT_MS);
        if (err != ADDER_OK)
            return err;
        bytes += used;
        len -= used;
    }
    return ADDER_OK;
}

static adder_err_t i2c_reset(void *ctx, bool level)
{
    return reset_pin(&((adder_i2cdisplay_t *)ctx)->config.reset, level);
}

adder_err_t adder_i2cdisplay_init(adder_i2cdisplay_t *id, const adder_i2cdisplay_config_t *config,
                                  adder_display_bus_t *bus_out)
{
    static const adder_display_bus_ops_t ops = {i2c_begin, i2c_send, i2c_end, i2c_reset};
    id->config = *config;
    *bus_out = (adder_display_bus_t){&ops, id};
    return adder_pin_mode(&id->config.reset, ADDER_PIN_OUT, true);
}

adder_err_t adder_i2cdisplay_probe(adder_i2cdisplay_t *id)
{
    adder_err_t err = i2c_begin(id);
    if (err != ADDER_OK)
        return err;
    err = adder_i2c_write(&id->config.i2c, id->config.addr7, NULL, 0, I2C_TIMEOUT_MS);
    i2c_end(id);
    return err;
}
