/* MAX17048: fuel gauge of a lithium cell, on I2C. Maxim data sheet rev. 7; register names as there. */
#include <math.h>
#include <string.h>

#include "sim/chips/chips.h"

static const char *const max_pins[] = {"scl", "sda", "alrt", NULL};
enum { PIN_SCL, PIN_SDA, PIN_ALRT };

enum {
    ADDRESS = 0x36,
    VCELL = 0x02,
    SOC = 0x04,
    MODE = 0x06,
    VERSION = 0x08,
    HIBRT = 0x0A,
    CONFIG = 0x0C,
    VALRT = 0x14,
    CRATE = 0x16,
    VRESET = 0x18,
    STATUS = 0x1A,
    REGISTERS = 0x22,
    CMD = 0xFE,
};
enum { MODE_HIBSTAT = 0x10, MODE_ENSLEEP = 0x20, MODE_QUICKSTART = 0x40 };       /* MSB */
enum { CONFIG_ATHD = 0x1F, CONFIG_ALRT = 0x20, CONFIG_SLEEP = 0x80 };            /* LSB */
enum { STATUS_RI = 0x01, STATUS_VH = 0x02, STATUS_VL = 0x04, STATUS_HD = 0x10 }; /* MSB */
#define RESET_COMMAND 0x5400

typedef struct {
    sim_chip_t chip;
    uint8_t pointer, regs[REGISTERS];
    double percent, rate; /* of the cell, and of change per hour */
    uint64_t reads;
    sim_counter_t counters[1];
} gauge_t;

static void put(gauge_t *g, unsigned reg, unsigned v)
{
    g->regs[reg] = (uint8_t)(v >> 8);
    g->regs[reg + 1] = (uint8_t)v;
}

static bool asleep(const gauge_t *g)
{
    return (g->regs[MODE] & MODE_ENSLEEP) != 0 && (g->regs[CONFIG + 1] & CONFIG_SLEEP) != 0;
}

/* A lithium polymer cell at rest. */
static double volts(double percent)
{
    static const double curve[] = {3.27, 3.69, 3.73, 3.77, 3.80, 3.84, 3.87, 3.95, 4.02, 4.11, 4.20};
    const double at = percent / 10;
    const int i = at >= 10 ? 9 : (int)at;
    return curve[i] + (curve[i + 1] - curve[i]) * (at - i);
}

static void measure(gauge_t *g)
{
    uint8_t alerts = 0;
    if (asleep(g))
        return;
    const double v = volts(g->percent);
    put(g, VCELL, (unsigned)lround(v / 78.125e-6));
    put(g, SOC, (unsigned)lround(g->percent * 256));
    put(g, CRATE, (unsigned)lround(g->rate / 0.208) & 0xFFFFu);
    if (v > g->regs[VALRT + 1] * 0.02)
        alerts |= STATUS_VH;
    if (v < g->regs[VALRT] * 0.02)
        alerts |= STATUS_VL;
    if (g->percent < 32 - (g->regs[CONFIG + 1] & CONFIG_ATHD))
        alerts |= STATUS_HD;
    g->regs[STATUS] |= alerts;
    if (alerts != 0)
        g->regs[CONFIG + 1] |= CONFIG_ALRT;
    sim_chip_drive(&g->chip, PIN_ALRT, (g->regs[CONFIG + 1] & CONFIG_ALRT) != 0 ? SIM_LOW : SIM_FLOAT);
}

static void registers_default(gauge_t *g)
{
    memset(g->regs, 0, sizeof g->regs);
    put(g, VERSION, 0x0012);
    put(g, HIBRT, 0x8030);
    put(g, CONFIG, 0x971C);
    put(g, VALRT, 0x00FF);
    put(g, VRESET, 0x9605); /* and the ID of this one */
    put(g, STATUS, STATUS_RI << 8);
    g->pointer = 0;
    measure(g);
}

static adder_err_t create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    gauge_t *g = (gauge_t *)c;
    g->percent = 80;
    adder_err_t err = chip_number(config, "percent", 0, 100, &g->percent, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "rate", -400, 400, &g->rate, msg, cap);
    return err;
}

static void power_on(sim_chip_t *c, uint64_t now_us)
{
    (void)now_us;
    registers_default((gauge_t *)c);
}

static bool writable(unsigned reg)
{
    return (reg >= MODE && reg < VERSION) || (reg >= HIBRT && reg < CONFIG + 2) ||
           (reg >= VALRT && reg < CRATE) || reg == VRESET || (reg >= STATUS && reg < STATUS + 2);
}

static void write_register(gauge_t *g, unsigned reg, uint8_t v)
{
    if (!writable(reg))
        return;
    if (reg == MODE) /* quick-start does itself away; HibStat is the chip's */
        v = (uint8_t)((v & MODE_ENSLEEP) | (g->regs[MODE] & MODE_HIBSTAT));
    g->regs[reg] = v;
    if (reg == HIBRT || reg == HIBRT + 1) {
        const bool always = g->regs[HIBRT] == 0xFF && g->regs[HIBRT + 1] == 0xFF;
        g->regs[MODE] = (uint8_t)((g->regs[MODE] & ~MODE_HIBSTAT) | (always ? MODE_HIBSTAT : 0));
    }
}

static adder_err_t xfer(sim_chip_t *c, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                        size_t rd_len, uint64_t now_us)
{
    gauge_t *g = (gauge_t *)c;
    (void)now_us;
    if (addr7 != ADDRESS)
        return ADDER_ERR_NOT_FOUND;
    if (wr_len == 3 && wr[0] == CMD && (wr[1] << 8 | wr[2]) == RESET_COMMAND) {
        registers_default(g);
        sim_chip_changed(c);
        return ADDER_ERR_IO; /* it resets before it acknowledges the last byte */
    }
    if (wr_len > 0)
        g->pointer = wr[0];
    for (size_t i = 1; i < wr_len; i++)
        write_register(g, g->pointer++, wr[i]);
    if (wr_len > 1)
        sim_chip_changed(c);
    measure(g);
    g->reads += rd_len > 0;
    for (size_t i = 0; i < rd_len; i++, g->pointer++)
        rd[i] = g->pointer < REGISTERS ? g->regs[g->pointer] : 0;
    return ADDER_OK;
}

static adder_err_t control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    gauge_t *g = (gauge_t *)c;
    (void)msg, (void)cap;
    chip_turn(knobs, "percent", &g->percent);
    chip_turn(knobs, "rate", &g->rate);
    measure(g);
    sim_chip_changed(c);
    return ADDER_OK;
}

static void describe(sim_chip_t *c, cJSON *into)
{
    const gauge_t *g = (const gauge_t *)c;
    cJSON_AddNumberToObject(into, "percent", g->percent);
    cJSON_AddNumberToObject(into, "rate", g->rate);
    cJSON_AddNumberToObject(into, "volts", round(volts(g->percent) * 1000) / 1000);
    cJSON_AddBoolToObject(into, "alert", (g->regs[CONFIG + 1] & CONFIG_ALRT) != 0);
}

static const sim_counter_t *counters(sim_chip_t *c, size_t *n_out)
{
    gauge_t *g = (gauge_t *)c;
    g->counters[0] = (sim_counter_t){"reads", g->reads};
    *n_out = 1;
    return g->counters;
}

static const char *power_state(sim_chip_t *c)
{
    const gauge_t *g = (const gauge_t *)c;
    return asleep(g) ? "sleep" : (g->regs[MODE] & MODE_HIBSTAT) != 0 ? "hibernate" : "on";
}

static const sim_knob_t knobs[] = {{"percent", SIM_KNOB_NUMBER, "Battery", "%", 0, 100, 1},
                                   {"rate", SIM_KNOB_NUMBER, "Battery changes by", "%/h", -100, 100, 1},
                                   {NULL, SIM_KNOB_BOOL, NULL, NULL, 0, 0, 0}};

const sim_chip_class_t sim_chip_max17048 = {
    .type = "max17048",
    .title = "Fuel gauge",
    .pins = max_pins,
    .size = sizeof(gauge_t),
    .create = create,
    .power_on = power_on,
    .i2c_xfer = xfer,
    .control = control,
    .describe = describe,
    .counters = counters,
    .knobs = knobs,
    .power_state = power_state,
};
