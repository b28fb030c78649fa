/* Transfers made by single pin writes: SPI, 8-bit parallel and I2C as edges on wires. A chip gets
 * the same calls as from the hardware buses and cannot tell the difference. */
#include "sim/sim_int.h"

#include <string.h>

/* ---- SPI, modes 0 and 3: sampled on the rising clock, most significant bit first ---- */

static void spi_show_bit(part_t *p)
{
    if (p->miso >= 0) {
        p->bits.driving = true;
        sim_chip_drive(p->chip, (unsigned)p->miso, (p->bits.out & 0x80) != 0 ? SIM_HIGH : SIM_LOW);
    }
}

static void spi_release(part_t *p)
{
    if (p->bits.driving)
        sim_chip_drive(p->chip, (unsigned)p->miso, SIM_FLOAT);
    memset(&p->bits, 0, sizeof p->bits);
}

static void spi_begin_byte(part_t *p)
{
    p->bits.count = 0;
    p->bits.out = p->chip->cls->spi_peek != NULL ? p->chip->cls->spi_peek(p->chip) : 0xFF;
    if (p->chip->cls->spi_peek != NULL)
        spi_show_bit(p);
}

static void spi_clock(sim_board_t *b, part_t *p, bool rising)
{
    if (!rising) {
        if (p->bits.count == 8)
            spi_begin_byte(p);
        else if (p->bits.count > 0 && p->bits.driving)
            spi_show_bit(p);
        return;
    }
    if (p->bits.count == 8)
        spi_begin_byte(p);
    const net_t *mosi = sim_part_net(b, p, p->mosi);
    const bool one = mosi != NULL && (mosi->wire == SIM_WIRE_HIGH || mosi->wire == SIM_WIRE_PULL_HIGH);
    p->bits.in = (uint8_t)(p->bits.in << 1 | (one ? 1 : 0));
    p->bits.out = (uint8_t)(p->bits.out << 1);
    if (++p->bits.count == 8) {
        const uint8_t in = p->bits.in;
        uint8_t out = 0xFF;
        sim_part_spi(b, p, &in, &out, 1);
    }
}

/* ---- parallel: the byte on the data wires at the rising write strobe ---- */

static void par8_strobe(sim_board_t *b, part_t *p)
{
    uint8_t byte = 0;
    for (int i = 0; i < 8; i++) {
        const net_t *n = sim_part_net(b, p, p->d0 + i);
        if (n != NULL && (n->wire == SIM_WIRE_HIGH || n->wire == SIM_WIRE_PULL_HIGH))
            byte = (uint8_t)(byte | 1u << i);
    }
    sim_part_par8(b, p, &byte, 1);
}

void sim_bits_changed(sim_board_t *b, part_t *p, unsigned pin, sim_level_t level)
{
    const sim_chip_class_t *cls = p->chip->cls;
    const net_t *n = sim_part_net(b, p, (int)pin);
    if ((int)pin == p->cs && cls->spi_transfer != NULL && p->sck >= 0) {
        const net_t *sck = sim_part_net(b, p, p->sck);
        spi_release(p);
        if (level == SIM_LOW && sck != NULL && sck->use == NET_GPIO && sck->mode == ADDER_PIN_OUT)
            spi_begin_byte(p);
        return;
    }
    if (p->bits.driving && p->bits.count == 0 && (int)pin != p->sck) {
        spi_begin_byte(p); /* data/command changed between bytes: so does the answer */
        return;
    }
    if (n == NULL || n->use != NET_GPIO || level == SIM_FLOAT || !sim_part_selected(b, p))
        return;
    if ((int)pin == p->sck && cls->spi_transfer != NULL)
        spi_clock(b, p, level == SIM_HIGH);
    else if ((int)pin == p->wr && cls->par8_write != NULL && p->d0 >= 0 && level == SIM_HIGH)
        par8_strobe(b, p);
}

/* ---- I2C ---- */

static void hold(sim_board_t *b, bit_i2c_t *i, bool low)
{
    if (i->hold_low != low) {
        i->hold_low = low;
        sim_net_resolve(b, &b->nets[i->sda], NULL);
    }
}

static part_t *answering(sim_board_t *b, bit_i2c_t *i)
{
    for (size_t k = 0; k < b->part_count; k++) {
        part_t *p = &b->parts[k];
        if (p->chip->cls->i2c_xfer == NULL || p->scl < 0 || p->sda < 0 || p->nets[p->scl] != i->scl ||
            p->nets[p->sda] != i->sda)
            continue;
        if (sim_part_i2c(b, p, i->addr7, NULL, 0, NULL, 0) == ADDER_OK)
            return p;
    }
    return NULL;
}

/* What was written goes to the chip at STOP or repeated START, together with what is read. */
static void flush_write(sim_board_t *b, bit_i2c_t *i)
{
    if (i->state == I2C_WRITE && i->part != NULL && i->wr_len > 0)
        ADDER_IGNORE(sim_part_i2c(b, i->part, i->addr7, i->wr, i->wr_len, NULL, 0), "acknowledged already");
    i->wr_len = 0;
}

static void fetch_read(sim_board_t *b, bit_i2c_t *i)
{
    memset(i->rd, 0xFF, sizeof i->rd);
    i->rd_at = 0;
    i->rd_len = sizeof i->rd;
    if (i->part != NULL)
        ADDER_IGNORE(sim_part_i2c(b, i->part, i->addr7, i->wr, i->wr_len, i->rd, sizeof i->rd),
                     "reads as ones");
    i->wr_len = 0;
}

static void start(bit_i2c_t *i)
{
    i->state = I2C_ADDRESS;
    i->count = 0;
    i->shift = 0;
    i->ack_phase = false;
}

static void byte_done(sim_board_t *b, bit_i2c_t *i)
{
    if (i->state == I2C_ADDRESS) {
        const bool same = i->addr7 == i->shift >> 1 && (i->shift & 1) != 0;
        if (i->wr_len > 0 && i->part != NULL && !same) { /* repeated start to write again */
            ADDER_IGNORE(sim_part_i2c(b, i->part, i->addr7, i->wr, i->wr_len, NULL, 0),
                         "acknowledged already");
            i->wr_len = 0;
        }
        i->addr7 = i->shift >> 1;
        part_t *p = answering(b, i);
        if (p == NULL || p != i->part)
            i->wr_len = 0;
        i->part = p;
        if (p == NULL)
            i->state = I2C_IGNORE;
        else if ((i->shift & 1) != 0)
            i->state = I2C_READ;
        else
            i->state = I2C_WRITE;
        if (i->state == I2C_READ)
            fetch_read(b, i);
    } else if (i->state == I2C_WRITE && i->wr_len < sizeof i->wr) {
        i->wr[i->wr_len++] = i->shift;
    }
}

static void clock_rises(bit_i2c_t *i)
{
    if (i->state == I2C_IDLE || i->state == I2C_IGNORE)
        return;
    if (i->ack_phase) {
        if (i->state == I2C_READ && i->count == 9 && i->sda_high) /* host: no more */
            i->state = I2C_IGNORE;
        return;
    }
    i->shift = (uint8_t)(i->shift << 1 | (i->sda_high ? 1 : 0));
    i->count++;
}

static void clock_falls(sim_board_t *b, bit_i2c_t *i)
{
    if (i->state == I2C_IDLE || i->state == I2C_IGNORE) {
        hold(b, i, false);
        return;
    }
    if (i->ack_phase) { /* ninth clock over */
        i->ack_phase = false;
        i->count = 0;
        i->shift = 0;
        if (i->state == I2C_READ && i->rd_at == i->rd_len)
            fetch_read(b, i);
        hold(b, i, i->state == I2C_READ && (i->rd[i->rd_at] & 0x80) == 0);
        return;
    }
    if (i->count < 8) {
        hold(b, i, i->state == I2C_READ && (i->rd[i->rd_at] & (0x80u >> i->count)) == 0);
        return;
    }
    const bool host_acks = i->state == I2C_READ;
    if (host_acks)
        i->rd_at++;
    else
        byte_done(b, i);
    i->ack_phase = true;
    i->count = host_acks ? 9 : 8;
    hold(b, i, !host_acks && i->state != I2C_IGNORE);
}

void sim_bits_i2c(sim_board_t *b, const net_t *n)
{
    for (unsigned k = 0; k < b->bit_i2c_count; k++) {
        bit_i2c_t *i = &b->bit_i2c[k];
        const net_t *scl = &b->nets[i->scl], *sda = &b->nets[i->sda];
        if ((n != scl && n != sda) || scl->use == NET_BUS)
            continue;
        const bool scl_was = i->scl_high, sda_was = i->sda_high;
        i->scl_high = scl->wire == SIM_WIRE_HIGH || scl->wire == SIM_WIRE_PULL_HIGH;
        i->sda_high = sda->wire == SIM_WIRE_HIGH || sda->wire == SIM_WIRE_PULL_HIGH;
        if (scl_was && i->scl_high && sda_was != i->sda_high) {
            if (i->sda_high) {
                flush_write(b, i);
                i->state = I2C_IDLE;
                hold(b, i, false);
            } else {
                start(i); /* a repeated start keeps what was written, for the read to come */
            }
        } else if (!scl_was && i->scl_high) {
            clock_rises(i);
        } else if (scl_was && !i->scl_high) {
            clock_falls(b, i);
        }
    }
}

void sim_bits_reset(sim_board_t *b)
{
    for (unsigned k = 0; k < b->bit_i2c_count; k++) {
        bit_i2c_t *i = &b->bit_i2c[k];
        const uint16_t scl = i->scl, sda = i->sda;
        memset(i, 0, sizeof *i);
        i->scl = scl;
        i->sda = sda;
        i->scl_high = i->sda_high = true;
    }
}
