/* Wires: who drives, who pulls, and who must be told. */
#include "sim/sim_int.h"

static sim_level_t level_of(sim_wire_t wire)
{
    switch (wire) {
    case SIM_WIRE_LOW:
    case SIM_WIRE_PULL_LOW:
        return SIM_LOW;
    case SIM_WIRE_HIGH:
    case SIM_WIRE_PULL_HIGH:
        return SIM_HIGH;
    default:
        return SIM_FLOAT;
    }
}

static void add_driver(sim_level_t level, bool *low, bool *high)
{
    *low |= level == SIM_LOW;
    *high |= level == SIM_HIGH;
}

static sim_level_t mcu_driver(const net_t *n)
{
    if (n->use == NET_ADC)
        return SIM_FLOAT;
    if (n->mode == ADDER_PIN_OUT)
        return n->level ? SIM_HIGH : SIM_LOW;
    if (n->mode == ADDER_PIN_OUT_OPEN_DRAIN && !n->level)
        return SIM_LOW;
    return SIM_FLOAT;
}

static bool held_by_bit_i2c(const sim_board_t *b, const net_t *n)
{
    for (unsigned i = 0; i < b->bit_i2c_count; i++)
        if (b->bit_i2c[i].hold_low && n == &b->nets[b->bit_i2c[i].sda])
            return true;
    return false;
}

static sim_wire_t resolve(sim_board_t *b, net_t *n)
{
    bool low = held_by_bit_i2c(b, n), high = false;
    add_driver(mcu_driver(n), &low, &high);
    add_driver(n->outside, &low, &high);
    for (unsigned i = 0; i < n->chip_pin_count; i++) {
        const part_t *p = n->chip_pins[i].part;
        if (!p->dead)
            add_driver(p->drive[n->chip_pins[i].pin], &low, &high);
    }
    if (low && high) { /* the stronger side on real silicon is usually the lower transistor */
        if (!n->fighting)
            b->conflicts++;
        n->fighting = true;
        return SIM_WIRE_LOW;
    }
    n->fighting = false;
    if (low)
        return SIM_WIRE_LOW;
    if (high)
        return SIM_WIRE_HIGH;
    if (n->board_pull != SIM_WIRE_FLOAT) /* a few kilo-ohm beat the pin's own 40 */
        return n->board_pull;
    if (n->mode == ADDER_PIN_IN_PULL_UP)
        return SIM_WIRE_PULL_HIGH;
    if (n->mode == ADDER_PIN_IN_PULL_DOWN)
        return SIM_WIRE_PULL_LOW;
    return SIM_WIRE_FLOAT;
}

void sim_net_resolve(sim_board_t *b, net_t *n, const part_t *by)
{
    const sim_wire_t before = n->wire;
    n->wire = resolve(b, n);
    const sim_level_t level = level_of(n->wire);
    if (n->wire == before || level == level_of(before))
        return;
    if (level != SIM_FLOAT && level_of(before) != SIM_FLOAT)
        n->toggles++;
    sim_touch(b);
    n->revision = b->revision;
    if (b->notify_depth >= NOTIFY_DEPTH_MAX) {
        sim_board_log(b, "board", "wire %s oscillates: two chips answer each other", n->name);
        return;
    }
    b->notify_depth++;
    for (unsigned i = 0; i < n->chip_pin_count; i++)
        if (n->chip_pins[i].part != by)
            sim_part_pin(b, n->chip_pins[i].part, n->chip_pins[i].pin, level);
    sim_bits_i2c(b, n);
    b->notify_depth--;
}

void sim_net_set_mcu(sim_board_t *b, net_t *n, adder_pin_mode_t mode, bool level)
{
    if (n->mode != mode) {
        sim_touch(b);
        n->revision = b->revision;
    }
    n->mode = mode;
    n->level = level;
    sim_net_resolve(b, n, NULL);
}

void sim_net_announce(sim_board_t *b, part_t *p)
{
    for (unsigned pin = 0; pin < p->pin_count; pin++) {
        net_t *n = sim_part_net(b, p, (int)pin);
        if (n == NULL)
            continue;
        sim_net_resolve(b, n, p);
        if (level_of(n->wire) != SIM_FLOAT)
            sim_part_pin(b, p, pin, level_of(n->wire));
    }
}

static bool analog_of(sim_board_t *b, net_t *n, float *fraction)
{
    for (unsigned i = 0; i < n->chip_pin_count; i++)
        if (sim_part_analog(b, n->chip_pins[i].part, n->chip_pins[i].pin, fraction))
            return true;
    return false;
}

static void let_drivers_act(sim_board_t *b, net_t *n)
{
    for (unsigned i = 0; i < n->chip_pin_count; i++)
        sim_part_poll(b, n->chip_pins[i].part);
}

bool sim_net_high(sim_board_t *b, net_t *n)
{
    float fraction;
    let_drivers_act(b, n);
    if (n->wire != SIM_WIRE_HIGH && n->wire != SIM_WIRE_LOW && analog_of(b, n, &fraction))
        return fraction >= 0.5F;
    return level_of(n->wire) == SIM_HIGH;
}

double sim_net_voltage(sim_board_t *b, net_t *n)
{
    float fraction;
    let_drivers_act(b, n);
    if (n->use == NET_DAC || n->use == NET_PWM)
        return n->duty / 65535.0;
    if (n->wire == SIM_WIRE_HIGH)
        return 1;
    if (n->wire == SIM_WIRE_LOW)
        return 0;
    if (analog_of(b, n, &fraction))
        return fraction < 0 ? 0 : fraction > 1 ? 1 : (double)fraction;
    return n->wire == SIM_WIRE_PULL_HIGH ? 1 : 0;
}

/* ---- what chips may call ---- */

void sim_chip_drive(sim_chip_t *c, unsigned pin, sim_level_t level)
{
    part_t *p = c->part;
    if (pin >= p->pin_count || p->drive[pin] == level)
        return;
    p->drive[pin] = level;
    net_t *n = sim_part_net(c->board, p, (int)pin);
    if (n != NULL)
        sim_net_resolve(c->board, n, p);
}

sim_wire_t sim_chip_wire(sim_chip_t *c, unsigned pin)
{
    const net_t *n = pin < c->part->pin_count ? sim_part_net(c->board, c->part, (int)pin) : NULL;
    return n == NULL ? SIM_WIRE_FLOAT : n->wire;
}

sim_level_t sim_chip_level(sim_chip_t *c, unsigned pin)
{
    return level_of(sim_chip_wire(c, pin));
}
