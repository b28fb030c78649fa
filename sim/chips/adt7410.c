/* ADT7410: temperature sensor on I2C. Analog Devices data sheet rev. C; register names as there. */
#include <math.h>
#include <string.h>

#include "sim/chips/chips.h"

enum { PIN_SCL, PIN_SDA, PIN_INT, PIN_CT };
static const char *const adt_pins[] = {"scl", "sda", "int", "ct", NULL};

enum { /* register addresses, table 6 */
       TEMP_MSB = 0x00,
       TEMP_LSB = 0x01,
       STATUS = 0x02,
       CONFIG = 0x03,
       T_HIGH = 0x04,
       T_LOW = 0x06,
       T_CRIT = 0x08,
       T_HYST = 0x0A,
       ID = 0x0B,
       RESET = 0x2F
};

enum { STATUS_T_LOW = 0x10, STATUS_T_HIGH = 0x20, STATUS_T_CRIT = 0x40, STATUS_NOT_READY = 0x80 };
enum {
    CONFIG_FAULTS = 0x03,
    CONFIG_CT_HIGH = 0x04,
    CONFIG_INT_HIGH = 0x08,
    CONFIG_COMPARATOR = 0x10,
    CONFIG_16_BIT = 0x80
};
enum { MODE_CONTINUOUS, MODE_ONE_SHOT, MODE_1_SPS, MODE_SHUTDOWN };
enum { FIRST_US = 6000, CONVERSION_US = 240000, ONE_SPS_US = 1000000 };

typedef struct {
    sim_chip_t chip;
    uint8_t addr7, pointer;
    uint8_t regs[16];
    double celsius;  /* the air around it */
    uint64_t due_us; /* end of the conversion under way, UINT64_MAX = none */
    unsigned faults; /* conversions in a row outside the limits */
    uint64_t conversions;
    sim_counter_t counters[1];
} adt_t;

static unsigned mode(const adt_t *a)
{
    return a->regs[CONFIG] >> 5 & 3;
}

static int16_t limit(const adt_t *a, unsigned reg)
{
    return (int16_t)(uint16_t)(a->regs[reg] << 8 | a->regs[reg + 1]);
}

static void registers_default(adt_t *a, uint64_t now_us)
{
    memset(a->regs, 0, sizeof a->regs);
    a->regs[STATUS] = STATUS_NOT_READY;
    a->regs[T_HIGH] = 0x20; /* 64 C */
    a->regs[T_LOW] = 0x05;  /* 10 C */
    a->regs[T_CRIT] = 0x49; /* 147 C */
    a->regs[T_CRIT + 1] = 0x80;
    a->regs[T_HYST] = 0x05;
    a->regs[ID] = 0xCB;
    a->pointer = TEMP_MSB;
    a->faults = 0;
    a->due_us = now_us + FIRST_US; /* the first conversion is a fast one */
}

static adder_err_t adt_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    adt_t *a = (adt_t *)c;
    double address = 0x48;
    a->celsius = 22.5;
    adder_err_t err = chip_number(config, "address", 0x48, 0x4B, &address, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "celsius", -55, 150, &a->celsius, msg, cap);
    a->addr7 = (uint8_t)address;
    return err;
}

static void adt_power_on(sim_chip_t *c, uint64_t now_us)
{
    registers_default((adt_t *)c, now_us);
}

/* ---- conversions ---- */

/* The INT and CT outputs: open drain, active low unless the configuration says otherwise. */
static void drive_outputs(adt_t *a)
{
    const bool over = (a->regs[STATUS] & (STATUS_T_HIGH | STATUS_T_LOW)) != 0;
    const bool critical = (a->regs[STATUS] & STATUS_T_CRIT) != 0;
    const bool int_high = over == ((a->regs[CONFIG] & CONFIG_INT_HIGH) != 0);
    const bool ct_high = critical == ((a->regs[CONFIG] & CONFIG_CT_HIGH) != 0);
    sim_chip_drive(&a->chip, PIN_INT, int_high ? SIM_FLOAT : SIM_LOW);
    sim_chip_drive(&a->chip, PIN_CT, ct_high ? SIM_FLOAT : SIM_LOW);
}

static void compare(adt_t *a, int16_t t)
{
    const int16_t hyst = (int16_t)(a->regs[T_HYST] << 7); /* whole degrees, 0..15 */
    uint8_t s = a->regs[STATUS];
    const bool comparator = (a->regs[CONFIG] & CONFIG_COMPARATOR) != 0;
    const bool outside = t > limit(a, T_HIGH) || t < limit(a, T_LOW) || t > limit(a, T_CRIT);
    a->faults = outside ? a->faults + 1 : 0;
    if (outside && a->faults < (unsigned)(a->regs[CONFIG] & CONFIG_FAULTS) + 1)
        return; /* the fault queue is not full yet */
    if (t > limit(a, T_HIGH))
        s |= STATUS_T_HIGH;
    else if (comparator && t < limit(a, T_HIGH) - hyst)
        s &= (uint8_t)~STATUS_T_HIGH;
    if (t < limit(a, T_LOW))
        s |= STATUS_T_LOW;
    else if (comparator && t > limit(a, T_LOW) + hyst)
        s &= (uint8_t)~STATUS_T_LOW;
    if (t > limit(a, T_CRIT))
        s |= STATUS_T_CRIT;
    else if (t < limit(a, T_CRIT) - hyst)
        s &= (uint8_t)~STATUS_T_CRIT;
    a->regs[STATUS] = s;
}

static void convert(adt_t *a)
{
    /* 1/128 degree a bit with 16 bits; 13 bits are 1/16, with the limit flags below */
    const int16_t t = (int16_t)lround(a->celsius * 128);
    uint16_t value = (uint16_t)t;
    compare(a, t);
    if ((a->regs[CONFIG] & CONFIG_16_BIT) == 0) {
        const int16_t coarse = (int16_t)lround(a->celsius * 16);
        const uint8_t s = a->regs[STATUS];
        value = (uint16_t)((unsigned)(uint16_t)coarse << 3 | ((s & STATUS_T_CRIT) != 0 ? 4u : 0u) |
                           ((s & STATUS_T_HIGH) != 0 ? 2u : 0u) | ((s & STATUS_T_LOW) != 0 ? 1u : 0u));
    }
    a->regs[TEMP_MSB] = (uint8_t)(value >> 8);
    a->regs[TEMP_LSB] = (uint8_t)value;
    a->regs[STATUS] &= (uint8_t)~STATUS_NOT_READY;
    a->conversions++;
    drive_outputs(a);
}

static void run(adt_t *a, uint64_t now_us)
{
    /* At most the fault queue's length matters of what was missed. */
    for (int i = 0; i < 5 && now_us >= a->due_us; i++) {
        const uint64_t period = mode(a) == MODE_1_SPS ? ONE_SPS_US : CONVERSION_US;
        convert(a);
        a->due_us += period;
        if (mode(a) == MODE_ONE_SHOT) { /* back to sleep by itself */
            a->regs[CONFIG] |= MODE_SHUTDOWN << 5;
            a->due_us = UINT64_MAX;
        }
        if (a->due_us != UINT64_MAX && now_us > a->due_us && now_us - a->due_us > 5 * period) {
            const uint64_t skipped = (now_us - a->due_us) / period - 4;
            a->conversions += skipped;
            a->due_us += skipped * period;
        }
    }
}

static uint64_t adt_poll(sim_chip_t *c, uint64_t now_us)
{
    adt_t *a = (adt_t *)c;
    run(a, now_us);
    return a->due_us;
}

/* ---- the bus ---- */

static void write_reg(adt_t *a, uint8_t reg, uint8_t value, uint64_t now_us)
{
    if (reg == CONFIG) {
        const unsigned before = mode(a);
        a->regs[CONFIG] = value;
        a->faults = 0;
        if (mode(a) == MODE_SHUTDOWN)
            a->due_us = UINT64_MAX;
        else if (mode(a) != before || mode(a) == MODE_ONE_SHOT)
            a->due_us = now_us + (mode(a) == MODE_1_SPS ? 60000 : CONVERSION_US);
        drive_outputs(a);
    } else if (reg >= T_HIGH && reg <= T_CRIT + 1) {
        a->regs[reg] = value;
    } else if (reg == T_HYST) {
        a->regs[reg] = value & 0x0F;
    } /* the others are read-only */
}

static uint8_t read_reg(adt_t *a, uint8_t reg)
{
    const uint8_t value = reg < sizeof a->regs ? a->regs[reg] : 0;
    if (reg == TEMP_MSB || reg == TEMP_LSB)
        a->regs[STATUS] |= STATUS_NOT_READY;
    if (reg == STATUS && (a->regs[CONFIG] & CONFIG_COMPARATOR) == 0) { /* interrupt mode: reading clears */
        a->regs[STATUS] &= STATUS_NOT_READY;
        drive_outputs(a);
    }
    return value;
}

static adder_err_t adt_xfer(sim_chip_t *c, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                            size_t rd_len, uint64_t now_us)
{
    adt_t *a = (adt_t *)c;
    if (addr7 != a->addr7)
        return ADDER_ERR_NOT_FOUND;
    run(a, now_us);
    if (wr_len > 0) {
        a->pointer = wr[0];
        if (wr[0] == RESET) {
            registers_default(a, now_us);
            drive_outputs(a);
        }
        for (size_t i = 1; i < wr_len; i++)
            write_reg(a, a->pointer++, wr[i], now_us);
        if (wr_len > 1)
            sim_chip_changed(c);
    }
    for (size_t i = 0; i < rd_len; i++)
        rd[i] = read_reg(a, (uint8_t)(a->pointer + i)); /* the pointer itself stays */
    return ADDER_OK;
}

/* ---- outside ---- */

static adder_err_t adt_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    (void)msg, (void)cap;
    chip_turn(knobs, "celsius", &((adt_t *)c)->celsius);
    sim_chip_changed(c);
    return ADDER_OK;
}

static void adt_describe(sim_chip_t *c, cJSON *into)
{
    static const char *const modes[] = {"continuous", "one_shot", "1_sps", "shutdown"};
    const adt_t *a = (const adt_t *)c;
    cJSON_AddNumberToObject(into, "celsius", a->celsius);
    cJSON_AddStringToObject(into, "mode", modes[mode(a)]);
}

static const sim_counter_t *adt_counters(sim_chip_t *c, size_t *n_out)
{
    adt_t *a = (adt_t *)c;
    a->counters[0] = (sim_counter_t){"conversions", a->conversions};
    *n_out = 1;
    return a->counters;
}

static const char *adt_power_state(sim_chip_t *c)
{
    const unsigned m = mode((const adt_t *)c);
    return m == MODE_SHUTDOWN ? "sleep" : m == MODE_1_SPS ? "slow" : "on";
}

static const sim_knob_t adt_knobs[] = {{.name = "celsius",
                                        .kind = SIM_KNOB_NUMBER,
                                        .label = "Temperature",
                                        .unit = "°C",
                                        .min = -55,
                                        .max = 150,
                                        .step = 0.1},
                                       {0}};

const sim_chip_class_t sim_chip_adt7410 = {
    .type = "adt7410",
    .title = "Temperature sensor, ADT7410",
    .pins = adt_pins,
    .size = sizeof(adt_t),
    .create = adt_create,
    .power_on = adt_power_on,
    .i2c_xfer = adt_xfer,
    .poll = adt_poll,
    .control = adt_control,
    .describe = adt_describe,
    .counters = adt_counters,
    .power_state = adt_power_state,
    .knobs = adt_knobs,
};
