/* Any sequence of pin writes, transfers, faults and time on a board with every chip: nothing breaks,
 * the picture stays in its size, counters add up. Each input byte pair is one small step. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char board[] =
    "{\"id\": \"x\", \"name\": \"X\", \"mcu\": {\"chip\": \"m\", \"nvm_size\": 64, \"pins\": {"
    "\"D0\": \"digital\", \"D1\": \"digital\", \"D2\": \"digital\", \"D3\": \"digital\", \"D4\": \"digital\","
    "\"D5\": \"digital\", \"D6\": \"digital\", \"D7\": \"digital\", \"WR\": \"digital\", \"CS\": \"digital\","
    "\"DC\": \"digital\", \"SCK\": \"digital\", \"MOSI\": \"digital\", \"MISO\": \"digital\", \"CS2\": "
    "\"digital\","
    "\"SCL\": \"digital\", \"SDA\": \"digital\", \"BL\": \"digital adc dac pwm\", \"XL\": \"digital adc "
    "pwm\","
    "\"XR\": \"digital adc pwm\"}}, \"pulls\": {\"SCL\": \"up\", \"SDA\": \"up\"},"
    "\"buses\": [{\"name\": \"SPI\", \"kind\": \"spi\", \"sck\": \"SCK\", \"mosi\": \"MOSI\", \"miso\": "
    "\"MISO\"},"
    "{\"name\": \"I2C\", \"kind\": \"i2c\", \"scl\": \"SCL\", \"sda\": \"SDA\"}], \"chips\": ["
    "{\"id\": \"a\", \"type\": \"ili9341\", \"mount\": 90, \"wires\": {\"cs\": \"CS\", \"dc\": \"DC\", "
    "\"wr\": \"WR\","
    "\"backlight\": \"BL\", \"d0\": \"D0\", \"d1\": \"D1\", \"d2\": \"D2\", \"d3\": \"D3\", \"d4\": \"D4\", "
    "\"d5\": \"D5\","
    "\"d6\": \"D6\", \"d7\": \"D7\"}}, {\"id\": \"b\", \"type\": \"st7789\", \"glass\": [135, 240], "
    "\"glass_offset\": [52, 40],"
    "\"wires\": {\"cs\": \"CS2\", \"dc\": \"DC\", \"sck\": \"SCK\", \"mosi\": \"MOSI\", \"miso\": \"MISO\"}},"
    "{\"id\": \"c\", \"type\": \"ssd1306\", \"wires\": {\"scl\": \"SCL\", \"sda\": \"SDA\"}},"
    "{\"id\": \"d\", \"type\": \"adt7410\", \"wires\": {\"scl\": \"SCL\", \"sda\": \"SDA\", \"int\": "
    "\"XL\"}},"
    "{\"id\": \"e\", \"type\": \"neopixel\", \"count\": 3, \"wires\": {\"in\": \"BL\"}},"
    "{\"id\": \"f\", \"type\": \"resistive_touch\", \"size\": [9, 9], \"calibration\": [[1, 65000], [65000, "
    "1]],"
    "\"wires\": {\"xl\": \"XL\", \"xr\": \"XR\", \"yd\": \"D0\", \"yu\": \"D1\"}},"
    "{\"id\": \"g\", \"type\": \"led\", \"wires\": {\"in\": \"BL\"}}]}";

typedef struct {
    sim_board_t *b;
    const adder_mcu_t *mcu;
    adder_spi_t spi;
    adder_i2c_t i2c;
    adder_par8_t par8;
    bool spi_open, i2c_open, par8_open;
} rig_t;

static void knob(rig_t *r, unsigned arg)
{
    static const char *const events[] = {
        "{\"chip\": \"a\", \"fault\": {\"kind\": \"reset\", \"after\": 3}}",
        "{\"chip\": \"b\", \"fault\": {\"kind\": \"bit_flip\", \"seed\": 5}}",
        "{\"chip\": \"c\", \"fault\": \"unplug\"}",
        "{\"chip\": \"d\", \"fault\": {\"kind\": \"reset\"}}",
        "{\"chip\": \"a\", \"fault\": \"none\"}",
        "{\"chip\": \"c\", \"fault\": \"none\"}",
        "{\"chip\": \"d\", \"celsius\": -40, \"fault\": \"none\"}",
        "{\"touch\": [3, 4]}",
        "{\"release\": true}",
        "{\"chip\": \"f\", \"fault\": \"bit_flip\"}",
        "{\"chip\": \"e\", \"fault\": {\"kind\": \"nack\", \"after\": 1}}",
        "{\"pin\": \"SDA\", \"level\": 0}",
        "{\"pin\": \"SDA\", \"level\": null}",
        "{\"chip\": \"d\", \"celsius\": 149}",
    };
    cJSON *event = cJSON_Parse(events[arg % (sizeof events / sizeof events[0])]);
    if (sim_board_event(r->b, event, NULL, 0) != ADDER_OK)
        abort(); /* invariant: these are all valid */
    cJSON_Delete(event);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void toggle_bus(rig_t *r, unsigned which)
{
    const adder_mcu_bus_ops_t *bus = r->mcu->bus;
    void *ctx = r->mcu->ctx;
    static const uint16_t data[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    if (which == 0 && r->spi_open)
        bus->close(ctx, r->spi.ctx);
    if (which == 0)
        r->spi_open = !r->spi_open && bus->spi_open(ctx, 11, 12, 13, &r->spi) == ADDER_OK;
    if (which == 1 && r->i2c_open)
        bus->close(ctx, r->i2c.ctx);
    if (which == 1)
        r->i2c_open = !r->i2c_open && bus->i2c_open(ctx, 15, 16, 400000, &r->i2c) == ADDER_OK;
    if (which == 2 && r->par8_open)
        bus->close(ctx, r->par8.ctx);
    if (which == 2)
        r->par8_open = !r->par8_open && bus->par8_open(ctx, data, 8, ADDER_PIN_NONE, 0, &r->par8) == ADDER_OK;
}

/* One step; returns how many bytes of `rest` it used. */
static size_t step(rig_t *r, unsigned op, unsigned arg, const uint8_t *rest, size_t left)
{
    const adder_mcu_t *m = r->mcu;
    const uint16_t pin = (uint16_t)(arg % m->pin_count);
    const size_t n = least(left, arg % 64);
    uint8_t in[64];
    uint16_t value;
    switch (op % 12) {
    case 0:
        ADDER_IGNORE(m->gpio->write(m->ctx, pin, (arg & 0x80) != 0), "any answer is fine");
        return 0;
    case 1:
        ADDER_IGNORE(m->gpio->mode(m->ctx, pin, (adder_pin_mode_t)(arg / 51), (arg & 1) != 0),
                     "any answer is fine");
        return 0;
    case 2:
        if (r->spi_open)
            ADDER_IGNORE(r->spi.ops->transfer(r->spi.ctx, rest, in, n, 0), "any answer is fine");
        return n;
    case 3:
        if (r->par8_open)
            ADDER_IGNORE(r->par8.ops->write(r->par8.ctx, rest, n), "any answer is fine");
        return n;
    case 4:
        if (r->i2c_open)
            ADDER_IGNORE(r->i2c.ops->xfer(r->i2c.ctx, (arg & 1) != 0 ? 0x3C : 0x48, rest, n, in, arg / 4, 10),
                         "any answer is fine");
        return n;
    case 5:
        ADDER_IGNORE(m->pin->adc_read(m->ctx, pin, &value), "any answer is fine");
        return 0;
    case 6:
        ADDER_IGNORE(m->pin->pwm_start(m->ctx, pin, 1 + arg, (uint16_t)(arg << 8), NULL),
                     "any answer is fine");
        return 0;
    case 7:
        ADDER_IGNORE(m->pin->neopixel_write(m->ctx, 17, rest, n), "any answer is fine");
        return n;
    case 8:
        knob(r, arg);
        return 0;
    case 9:
        sim_board_advance(r->b, arg * 1000u);
        return 0;
    case 10:
        toggle_bus(r, arg % 3);
        return 0;
    default:
        m->pin->pin_release(m->ctx, pin);
        return 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON *run = cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 1}");
    rig_t r = {.b = sim_board_open_text("f", board, sizeof board - 1, run, NULL, 0)};
    sim_picture_t picture = {0};
    cJSON_Delete(run);
    if (r.b == NULL)
        abort();
    r.mcu = sim_board_mcu(r.b);
    for (size_t at = 0; at + 2 <= size;) {
        const unsigned op = data[at], arg = data[at + 1];
        at += 2;
        at += step(&r, op, arg, data + at, size - at);
    }
    if (sim_board_picture(r.b, "a", &picture) != ADDER_OK || picture.width != 320 || picture.height != 240)
        abort();
    sim_picture_free(&picture); /* one struct, one display */
    if (sim_board_picture(r.b, "c", &picture) != ADDER_OK || picture.width != 128 || picture.height != 64)
        abort();
    sim_picture_free(&picture);
    cJSON_Delete(sim_board_report(r.b));
    sim_board_close(r.b);
    return 0;
}
