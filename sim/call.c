/* Every call into a chip goes through here: faults are applied, counters kept, energy booked. */
#include "sim/sim_int.h"

#include <string.h>

/* ---- faults ---- */

static const struct {
    const char *name;
    sim_fault_t fault;
} fault_names[] = {
    {"none", SIM_FAULT_NONE},         {"unplug", SIM_FAULT_UNPLUGGED}, {"nack", SIM_FAULT_NACK},
    {"bit_flip", SIM_FAULT_BIT_FLIP}, {"stuck", SIM_FAULT_STUCK},      {"reset", SIM_FAULT_RESET},
};

const char *sim_fault_name(sim_fault_t f)
{
    for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++)
        if (fault_names[i].fault == f)
            return fault_names[i].name;
    return "none";
}

static void release_wires(sim_board_t *b, part_t *p)
{
    for (unsigned pin = 0; pin < p->pin_count; pin++) {
        net_t *n = sim_part_net(b, p, (int)pin);
        if (n != NULL)
            sim_net_resolve(b, n, p);
    }
}

static void die(sim_board_t *b, part_t *p)
{
    if (p->dead)
        return;
    p->dead = true;
    sim_board_log(b, p->chip->id, "unplugged");
    release_wires(b, p);
    sim_part_after(b, p);
}

typedef enum { PASS, FLIP, NACK, DEAF, RESET_MIDWAY } action_t;

/* One transfer begins: what the fault makes of it. */
static action_t gate(sim_board_t *b, part_t *p)
{
    sim_chip_t *c = p->chip;
    if (c->fault == SIM_FAULT_NONE)
        return PASS;
    if (c->fault_after > 0) {
        c->fault_after--;
        return PASS;
    }
    p->faults_hit++;
    switch (c->fault) {
    case SIM_FAULT_UNPLUGGED:
        die(b, p);
        return DEAF;
    case SIM_FAULT_NACK:
        return NACK;
    case SIM_FAULT_BIT_FLIP:
        return FLIP;
    case SIM_FAULT_STUCK:
        return DEAF;
    default:
        c->fault = SIM_FAULT_NONE;
        sim_board_log(b, c->id, "reset in the middle of a transfer");
        return RESET_MIDWAY;
    }
}

static bool deaf(const part_t *p)
{
    return p->dead || (p->chip->fault == SIM_FAULT_STUCK && p->chip->fault_after == 0);
}

/* A small generator (xorshift), so that a fault repeats exactly with its seed. */
static uint32_t fault_random(sim_chip_t *c)
{
    uint32_t x = c->fault_seed != 0 ? c->fault_seed : 0x2545F491u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return c->fault_seed = x;
}

static void flip_bit(sim_chip_t *c, uint8_t *bytes, size_t len)
{
    if (len > 0) {
        const uint32_t bit = fault_random(c) % (uint32_t)(len > 0x1000000 ? 0x8000000 : len * 8);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << (bit % 8)));
    }
}

adder_err_t sim_part_fault(sim_board_t *b, part_t *p, const cJSON *fault, char *msg, size_t cap)
{
    const cJSON *kind = cJSON_IsString(fault) ? fault : cJSON_GetObjectItemCaseSensitive(fault, "kind");
    const cJSON *after = cJSON_GetObjectItemCaseSensitive(fault, "after");
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(fault, "seed");
    for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++) {
        if (!cJSON_IsString(kind) || strcmp(kind->valuestring, fault_names[i].name) != 0)
            continue;
        if (after != NULL &&
            !(cJSON_IsNumber(after) && after->valuedouble >= 0 && after->valuedouble <= 1e9)) {
            sim_say(msg, cap, "fault.after: a number of transfers, 0 or more");
            return ADDER_ERR_ARG;
        }
        if (seed != NULL &&
            !(cJSON_IsNumber(seed) && seed->valuedouble >= 0 && seed->valuedouble <= 4294967295.0)) {
            sim_say(msg, cap, "fault.seed: a number from 0 to 4294967295");
            return ADDER_ERR_ARG;
        }
        if (b == NULL)
            return ADDER_OK; /* only checked */
        sim_chip_t *c = p->chip;
        c->fault = fault_names[i].fault;
        c->fault_after = after != NULL ? (uint32_t)after->valuedouble : 0;
        c->fault_seed = seed != NULL ? (uint32_t)seed->valuedouble : 0;
        c->revision++;
        sim_board_log(b, c->id, "fault: %s%s", fault_names[i].name, c->fault_after > 0 ? " (armed)" : "");
        if (c->fault == SIM_FAULT_UNPLUGGED && c->fault_after == 0)
            die(b, p);
        else if (p->dead)
            sim_part_power_on(b, p);
        sim_part_after(b, p);
        return ADDER_OK;
    }
    sim_say(msg, cap, "fault.kind: one of none, unplug, nack, bit_flip, stuck, reset");
    return ADDER_ERR_ARG;
}

/* ---- bookkeeping ---- */

static void book_power(sim_board_t *b, part_t *p, const char *name)
{
    const uint64_t now = sim_lived(b);
    power_state_t *was = &p->power[p->power_now];
    was->us += now - p->power_since_us;
    p->power_since_us = now;
    if (strcmp(was->name, name) == 0)
        return;
    for (unsigned i = 0; i < p->power_count; i++)
        if (strcmp(p->power[i].name, name) == 0) {
            p->power_now = i;
            return;
        }
    if (p->power_count < POWER_STATES_MAX) {
        p->power[p->power_count] = (power_state_t){.name = name};
        p->power_now = p->power_count++;
    }
}

void sim_part_after(sim_board_t *b, part_t *p)
{
    sim_chip_t *c = p->chip;
    if (p->power_count > 0)
        book_power(b, p, p->dead ? "off" : c->cls->power_state != NULL ? c->cls->power_state(c) : "on");
    if (c->revision != p->seen_revision) {
        p->seen_revision = c->revision;
        sim_touch(b);
        p->changed_at = b->revision;
    }
    p->due_us = 0;
}

bool sim_part_selected(sim_board_t *b, part_t *p)
{
    const net_t *n = sim_part_net(b, p, p->cs);
    if (p->cs < 0)
        return true;
    return n != NULL && (n->wire == SIM_WIRE_LOW || n->wire == SIM_WIRE_PULL_LOW);
}

/* ---- calls ---- */

/* A transfer reached the chip: its counters are news for the page. */
static void transferred(sim_board_t *b, part_t *p)
{
    sim_part_after(b, p);
    sim_touch(b);
    p->changed_at = b->revision;
}

void sim_part_power_on(sim_board_t *b, part_t *p)
{
    p->dead = false;
    memset(&p->bits, 0, sizeof p->bits);
    memset(p->drive, 0, sizeof p->drive);
    if (p->chip->cls->power_on != NULL)
        p->chip->cls->power_on(p->chip, sim_now(b));
    p->chip->revision++;
    sim_net_announce(b, p);
    sim_part_after(b, p);
}

void sim_part_pin(sim_board_t *b, part_t *p, unsigned pin, sim_level_t level)
{
    if (deaf(p))
        return;
    if ((int)pin == p->cs && level == SIM_LOW)
        p->selects++;
    if (p->chip->cls->pin_changed != NULL) {
        p->chip->cls->pin_changed(p->chip, pin, level, sim_now(b));
        sim_part_after(b, p);
    }
    sim_bits_changed(b, p, pin, level);
}

bool sim_part_spi(sim_board_t *b, part_t *p, const uint8_t *in, uint8_t *out, size_t len)
{
    sim_chip_t *c = p->chip;
    const action_t action = p->dead ? DEAF : gate(b, p);
    if (action == DEAF || action == NACK)
        return false;
    p->spi_bytes += len;
    const size_t half = action == RESET_MIDWAY ? len / 2 : len;
    c->cls->spi_transfer(c, in, out, half, sim_now(b));
    if (action == RESET_MIDWAY) {
        sim_part_power_on(b, p);
        if (sim_part_selected(b, p))
            c->cls->spi_transfer(c, in + half, out + half, len - half, sim_now(b));
    }
    if (action == FLIP)
        flip_bit(c, out, len);
    transferred(b, p);
    return true;
}

void sim_part_par8(sim_board_t *b, part_t *p, const uint8_t *in, size_t len)
{
    sim_chip_t *c = p->chip;
    const action_t action = p->dead ? DEAF : gate(b, p);
    if (action == DEAF || action == NACK)
        return;
    p->par8_bytes += len;
    if (action == FLIP && len > 0) { /* nothing is read back here: the error is on the way in */
        const size_t at = fault_random(c) % len;
        const uint8_t bad = (uint8_t)(in[at] ^ (1u << (fault_random(c) % 8)));
        c->cls->par8_write(c, in, at, sim_now(b));
        c->cls->par8_write(c, &bad, 1, sim_now(b));
        c->cls->par8_write(c, in + at + 1, len - at - 1, sim_now(b));
    } else if (action == RESET_MIDWAY) {
        c->cls->par8_write(c, in, len / 2, sim_now(b));
        sim_part_power_on(b, p);
        c->cls->par8_write(c, in + len / 2, len - len / 2, sim_now(b));
    } else {
        c->cls->par8_write(c, in, len, sim_now(b));
    }
    transferred(b, p);
}

adder_err_t sim_part_i2c(sim_board_t *b, part_t *p, uint8_t addr7, const uint8_t *wr, size_t wr_len,
                         uint8_t *rd, size_t rd_len)
{
    sim_chip_t *c = p->chip;
    if (p->dead)
        return ADDER_ERR_NOT_FOUND;
    if (c->fault == SIM_FAULT_NONE) {
        const adder_err_t err = c->cls->i2c_xfer(c, addr7, wr, wr_len, rd, rd_len, sim_now(b));
        if (err == ADDER_ERR_NOT_FOUND)
            return err;
        p->i2c_transfers++;
        p->i2c_bytes += wr_len + rd_len;
        transferred(b, p);
        return err;
    }
    /* a faulty chip counts only transfers meant for it: ask with a probe first */
    if (c->cls->i2c_xfer(c, addr7, NULL, 0, NULL, 0, sim_now(b)) == ADDER_ERR_NOT_FOUND)
        return ADDER_ERR_NOT_FOUND;
    const action_t action = gate(b, p);
    if (action == DEAF || action == NACK)
        return ADDER_ERR_NOT_FOUND;
    if (action == RESET_MIDWAY) {
        sim_part_power_on(b, p);
        if (rd_len > 0)
            memset(rd, 0xFF, rd_len);
        return ADDER_ERR_IO;
    }
    const adder_err_t err = c->cls->i2c_xfer(c, addr7, wr, wr_len, rd, rd_len, sim_now(b));
    if (action == FLIP)
        flip_bit(c, rd, rd_len);
    p->i2c_transfers++;
    p->i2c_bytes += wr_len + rd_len;
    transferred(b, p);
    return err;
}

void sim_part_pulse(sim_board_t *b, part_t *p, unsigned pin, const uint8_t *bytes, size_t len)
{
    if (p->dead || p->chip->cls->pulse_frame == NULL)
        return;
    const action_t action = gate(b, p);
    if (action == DEAF || action == NACK)
        return;
    p->chip->cls->pulse_frame(p->chip, pin, bytes, len, sim_now(b));
    transferred(b, p);
}

void sim_part_pwm(sim_board_t *b, part_t *p, unsigned pin, uint32_t hz, uint16_t duty)
{
    if (deaf(p) || p->chip->cls->pwm == NULL)
        return;
    p->chip->cls->pwm(p->chip, pin, hz, duty);
    sim_part_after(b, p);
}

bool sim_part_analog(sim_board_t *b, part_t *p, unsigned pin, float *fraction)
{
    if (p->dead || p->chip->cls->analog == NULL)
        return false;
    const action_t action = gate(b, p);
    if (p->dead || action == NACK || !p->chip->cls->analog(p->chip, pin, fraction))
        return false;
    if (action == FLIP) { /* a disturbed converter: one bit of 16 */
        const uint32_t raw = (uint32_t)(*fraction * 65535.0F) ^ (1u << (fault_random(p->chip) % 16));
        *fraction = (float)raw / 65535.0F;
    }
    return true;
}

uint64_t sim_part_poll(sim_board_t *b, part_t *p)
{
    if (p->chip->cls->poll == NULL || deaf(p))
        return UINT64_MAX;
    const uint64_t now = sim_now(b);
    if (now >= p->due_us) {
        const uint64_t next = p->chip->cls->poll(p->chip, now);
        sim_part_after(b, p);
        p->due_us = next;
    }
    return p->due_us;
}
