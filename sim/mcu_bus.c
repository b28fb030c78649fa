/* The hardware buses of the microcontroller, routed to chips by their wires. A bus's struct stays
 * allocated to the end of the board: its counters belong to the report, and a program that kept a
 * closed bus gets an error, not a crash. */
#include "sim/sim_int.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 };

/* ---- opening, closing ---- */

static bool same_pins(const bus_t *bus, bus_kind_t kind, const uint16_t *pins, unsigned count)
{
    return bus->kind == kind && bus->pin_count == count &&
           memcmp(bus->pins, pins, count * sizeof pins[0]) == 0;
}

static bus_t *obtain(sim_board_t *b, bus_kind_t kind, const uint16_t *pins, unsigned count)
{
    bus_t **at = &b->open_buses;
    for (; *at != NULL; at = &(*at)->next)
        if (!(*at)->open && same_pins(*at, kind, pins, count))
            return *at;
    bus_t *bus = calloc(1, sizeof *bus);
    if (bus == NULL)
        return NULL;
    bus->board = b;
    bus->kind = kind;
    bus->pin_count = count;
    memcpy(bus->pins, pins, count * sizeof pins[0]);
    return *at = bus;
}

static bool listed(const adder_mcu_bus_t *list, size_t count, char kind, const uint16_t *pins, unsigned n)
{
    for (size_t i = 0; i < count; i++) {
        bool fits = list[i].kind == kind;
        for (unsigned k = 0; k < n && fits; k++)
            fits = pins[k] == list[i].pins[k] || (kind != 'i' && k > 0 && pins[k] == ADDER_PIN_NONE) ||
                   (kind == 'u' && pins[k] == ADDER_PIN_NONE);
        if (fits)
            return true;
    }
    return false;
}

static bool routable(const sim_board_t *b, char kind, const uint16_t *pins, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (pins[i] != ADDER_PIN_NONE && pins[i] >= b->mcu.pin_count)
            return false;
    return listed(b->buses, b->mcu.bus_count, kind, pins, n) ||
           listed(b->more_buses, b->more_bus_count, kind, pins, n);
}

static void claim(sim_board_t *b, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    if (pin == ADDER_PIN_NONE)
        return;
    b->nets[pin].use = NET_BUS;
    sim_net_set_mcu(b, &b->nets[pin], mode, level);
}

static void bus_close(void *ctx, void *bus_ctx)
{
    sim_board_t *b = ctx;
    bus_t *bus = bus_ctx;
    sim_enter(b);
    if (bus->open) {
        bus->open = false;
        for (unsigned i = 0; i < bus->pin_count; i++)
            if (bus->pins[i] != ADDER_PIN_NONE)
                sim_pin_ops.pin_release(b, bus->pins[i]);
    }
    sim_leave(b);
}

/* ---- SPI ---- */

typedef struct {
    part_t *part;
    bool hears, speaks; /* its MOSI and MISO are on this bus */
} listener_t;

static unsigned spi_listeners(const bus_t *bus, listener_t *out)
{
    sim_board_t *b = bus->board;
    unsigned count = 0;
    for (size_t i = 0; i < b->part_count; i++) {
        part_t *p = &b->parts[i];
        if (p->chip->cls->spi_transfer == NULL || p->sck < 0 || p->nets[p->sck] != bus->pins[0] ||
            !sim_part_selected(b, p))
            continue;
        out[count++] = (listener_t){
            .part = p,
            .hears = p->mosi >= 0 && bus->pins[1] != ADDER_PIN_NONE && p->nets[p->mosi] == bus->pins[1],
            .speaks = p->miso >= 0 && bus->pins[2] != ADDER_PIN_NONE && p->nets[p->miso] == bus->pins[2],
        };
    }
    return count;
}

static adder_err_t spi_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                                 uint32_t *hz_out)
{
    bus_t *bus = ctx;
    if (hz == 0 || polarity > 1 || phase > 1)
        return ADDER_ERR_RANGE;
    if (bits != 8)
        return ADDER_ERR_UNSUPPORTED;
    sim_enter(bus->board);
    const uint32_t limit = bus->board->mcu.cpu_hz / 2;
    bus->hz = hz < limit ? hz : limit;
    bus->polarity = polarity;
    bus->phase = phase;
    if (bus->open)
        claim(bus->board, bus->pins[0], ADDER_PIN_OUT, polarity == 1);
    if (hz_out != NULL)
        *hz_out = bus->hz;
    sim_leave(bus->board);
    return ADDER_OK;
}

static void spi_chunk(sim_board_t *b, const listener_t *l, unsigned count, const uint8_t *in, uint8_t *rd,
                      size_t len)
{
    static const uint8_t silence[CHUNK]; /* MOSI of a chip that is not on this wire */
    uint8_t out[CHUNK], line[CHUNK];
    memset(line, 0xFF, len); /* nobody drives it: floats high */
    for (unsigned i = 0; i < count; i++) {
        memset(out, 0xFF, len);
        if (!sim_part_spi(b, l[i].part, l[i].hears ? in : silence, out, len) || !l[i].speaks)
            continue;
        for (size_t k = 0; k < len; k++)
            line[k] &= out[k]; /* two at once: the low one wins */
    }
    if (rd != NULL)
        memcpy(rd, line, len);
}

static adder_err_t spi_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    bus_t *bus = ctx;
    sim_board_t *b = bus->board;
    uint8_t filler[CHUNK];
    listener_t listeners[PARTS_MAX];
    sim_enter(b);
    if (!bus->open) {
        sim_leave(b);
        return ADDER_ERR_STATE;
    }
    sim_poll(b);
    if (wr == NULL)
        memset(filler, fill, len < CHUNK ? len : CHUNK);
    for (size_t at = 0; at < len;) {
        const size_t n = len - at < CHUNK ? len - at : CHUNK;
        const unsigned count = spi_listeners(bus, listeners); /* a chip may vanish in between */
        spi_chunk(b, listeners, count, wr != NULL ? wr + at : filler, rd != NULL ? rd + at : NULL, n);
        at += n;
    }
    bus->transactions++;
    sim_touch(b);
    bus->bytes_out += wr != NULL ? len : 0;
    bus->bytes_in += rd != NULL ? len : 0;
    bus->busy_us += (double)len * 8e6 / bus->hz;
    sim_leave(b);
    return ADDER_OK;
}

static const adder_spi_ops_t spi_ops = {spi_configure, spi_transfer};

static adder_err_t spi_open(void *ctx, uint16_t sck, uint16_t mosi, uint16_t miso, adder_spi_t *out)
{
    sim_board_t *b = ctx;
    const uint16_t pins[3] = {sck, mosi, miso};
    if (!routable(b, 's', pins, 3))
        return ADDER_ERR_PIN;
    sim_enter(b);
    bus_t *bus = obtain(b, BUS_SPI, pins, 3);
    if (bus != NULL) {
        bus->open = true;
        bus->hz = 250000;
        bus->polarity = bus->phase = 0;
        claim(b, sck, ADDER_PIN_OUT, false);
        claim(b, mosi, ADDER_PIN_OUT, false);
        claim(b, miso, ADDER_PIN_IN, false);
        *out = (adder_spi_t){&spi_ops, bus};
    }
    sim_leave(b);
    return bus == NULL ? ADDER_ERR_NOMEM : ADDER_OK;
}

/* ---- I2C ---- */

static adder_err_t i2c_route(bus_t *bus, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                             size_t rd_len)
{
    sim_board_t *b = bus->board;
    for (unsigned i = 0; i < 2; i++)
        if (b->nets[bus->pins[i]].wire == SIM_WIRE_LOW)
            return ADDER_ERR_TIMEOUT; /* somebody holds the line */
    for (size_t i = 0; i < b->part_count; i++) {
        part_t *p = &b->parts[i];
        if (p->chip->cls->i2c_xfer == NULL || p->scl < 0 || p->sda < 0 || p->nets[p->scl] != bus->pins[0] ||
            p->nets[p->sda] != bus->pins[1])
            continue;
        const adder_err_t err = sim_part_i2c(b, p, addr7, wr, wr_len, rd, rd_len);
        if (err != ADDER_ERR_NOT_FOUND)
            return err;
    }
    return ADDER_ERR_NOT_FOUND;
}

static adder_err_t i2c_xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                            size_t rd_len, uint32_t timeout_ms)
{
    bus_t *bus = ctx;
    sim_board_t *b = bus->board;
    (void)timeout_ms; /* no chip stretches the clock so long */
    sim_enter(b);
    if (!bus->open) {
        sim_leave(b);
        return ADDER_ERR_STATE;
    }
    sim_poll(b);
    const adder_err_t err = i2c_route(bus, addr7, wr, wr_len, rd, rd_len);
    bus->transactions++;
    sim_touch(b);
    size_t bytes = 1; /* the address; again after a repeated start */
    if (err == ADDER_OK) {
        bus->bytes_out += wr_len;
        bus->bytes_in += rd_len;
        bytes += wr_len + rd_len + (wr_len > 0 && rd_len > 0 ? 1 : 0);
    } else {
        bus->errors++;
    }
    bus->busy_us += (double)(bytes * 9 + 2) * 1e6 / bus->hz;
    sim_leave(b);
    return err;
}

static const adder_i2c_ops_t i2c_ops = {i2c_xfer};

static adder_err_t i2c_open(void *ctx, uint16_t scl, uint16_t sda, uint32_t hz, adder_i2c_t *out)
{
    sim_board_t *b = ctx;
    const uint16_t pins[2] = {scl, sda};
    if (!routable(b, 'i', pins, 2))
        return ADDER_ERR_PIN;
    if (hz == 0)
        return ADDER_ERR_RANGE;
    sim_enter(b);
    for (unsigned i = 0; i < 2; i++) /* as the firmware tests it: do both lines float high? */
        sim_net_set_mcu(b, &b->nets[pins[i]], ADDER_PIN_IN, false);
    adder_err_t err =
        sim_net_high(b, &b->nets[scl]) && sim_net_high(b, &b->nets[sda]) ? ADDER_OK : ADDER_ERR_STATE;
    bus_t *bus = err == ADDER_OK ? obtain(b, BUS_I2C, pins, 2) : NULL;
    if (err == ADDER_OK && bus == NULL)
        err = ADDER_ERR_NOMEM;
    if (bus != NULL) {
        bus->open = true;
        bus->hz = hz;
        claim(b, scl, ADDER_PIN_OUT_OPEN_DRAIN, true);
        claim(b, sda, ADDER_PIN_OUT_OPEN_DRAIN, true);
        *out = (adder_i2c_t){&i2c_ops, bus};
    }
    sim_leave(b);
    return err;
}

/* ---- UART: bytes out are counted; bytes in come from the outside ({"uart": "text"}) ---- */

static adder_err_t uart_write(void *ctx, const uint8_t *wr, size_t len)
{
    bus_t *bus = ctx;
    (void)wr;
    sim_enter(bus->board);
    const adder_err_t err = bus->open && bus->pins[0] != ADDER_PIN_NONE ? ADDER_OK : ADDER_ERR_STATE;
    if (err == ADDER_OK) {
        bus->transactions++;
        sim_touch(bus->board);
        bus->bytes_out += len;
        bus->busy_us += (double)len * 10e6 / bus->hz;
    }
    sim_leave(bus->board);
    return err;
}

static adder_err_t uart_read(void *ctx, uint8_t *rd, size_t cap, size_t *n_out)
{
    bus_t *bus = ctx;
    sim_enter(bus->board);
    sim_poll(bus->board);
    size_t n = 0;
    while (bus->open && n < cap && bus->rx_len > 0) {
        rd[n++] = bus->rx[bus->rx_head];
        bus->rx_head = (bus->rx_head + 1) % sizeof bus->rx;
        bus->rx_len--;
    }
    bus->bytes_in += n;
    *n_out = n;
    sim_leave(bus->board);
    return ADDER_OK;
}

static adder_err_t uart_available(void *ctx, size_t *n_out)
{
    bus_t *bus = ctx;
    sim_enter(bus->board);
    sim_poll(bus->board);
    *n_out = bus->open ? bus->rx_len : 0;
    sim_leave(bus->board);
    return ADDER_OK;
}

static adder_err_t uart_configure(void *ctx, uint32_t baud, uint8_t bits, char parity, uint8_t stop)
{
    bus_t *bus = ctx;
    if (baud == 0 || bits < 5 || bits > 9 || stop < 1 || stop > 2 ||
        (parity != 'N' && parity != 'E' && parity != 'O'))
        return ADDER_ERR_RANGE;
    sim_enter(bus->board);
    bus->hz = baud;
    sim_leave(bus->board);
    return ADDER_OK;
}

static const adder_uart_ops_t uart_ops = {uart_write, uart_read, uart_available, uart_configure};

static adder_err_t uart_open(void *ctx, uint16_t tx, uint16_t rx, uint32_t baud, adder_uart_t *out)
{
    sim_board_t *b = ctx;
    const uint16_t pins[2] = {tx, rx};
    if (!routable(b, 'u', pins, 2))
        return ADDER_ERR_PIN;
    if (baud == 0)
        return ADDER_ERR_RANGE;
    sim_enter(b);
    bus_t *bus = obtain(b, BUS_UART, pins, 2);
    if (bus != NULL) {
        bus->open = true;
        bus->hz = baud;
        bus->rx_len = 0;
        claim(b, tx, ADDER_PIN_OUT, true);
        claim(b, rx, ADDER_PIN_IN_PULL_UP, false);
        *out = (adder_uart_t){&uart_ops, bus};
    }
    sim_leave(b);
    return bus == NULL ? ADDER_ERR_NOMEM : ADDER_OK;
}

/* ---- 8-bit parallel ---- */

static bool on_par8(const part_t *p, const bus_t *bus)
{
    if (p->chip->cls->par8_write == NULL || p->wr < 0 || p->d0 < 0 || p->nets[p->wr] != bus->pins[8])
        return false;
    for (int i = 0; i < 8; i++)
        if (p->nets[p->d0 + i] != bus->pins[i])
            return false;
    return true;
}

static adder_err_t par8_write(void *ctx, const uint8_t *wr, size_t len)
{
    bus_t *bus = ctx;
    sim_board_t *b = bus->board;
    sim_enter(b);
    if (!bus->open) {
        sim_leave(b);
        return ADDER_ERR_STATE;
    }
    for (size_t i = 0; len > 0 && i < b->part_count; i++)
        if (on_par8(&b->parts[i], bus) && sim_part_selected(b, &b->parts[i]))
            sim_part_par8(b, &b->parts[i], wr, len);
    bus->transactions++;
    sim_touch(b);
    bus->bytes_out += len;
    bus->busy_us += (double)len * 1e6 / bus->hz;
    sim_leave(b);
    return ADDER_OK;
}

static const adder_par8_ops_t par8_ops = {par8_write};

static adder_err_t par8_open(void *ctx, const uint16_t data[8], uint16_t write, uint16_t read, uint32_t hz,
                             adder_par8_t *out)
{
    sim_board_t *b = ctx;
    uint16_t pins[10];
    memcpy(pins, data, 8 * sizeof data[0]);
    pins[8] = write;
    pins[9] = read;
    for (unsigned i = 0; i < 9; i++)
        if (pins[i] >= b->mcu.pin_count)
            return ADDER_ERR_PIN;
    if (read != ADDER_PIN_NONE && read >= b->mcu.pin_count)
        return ADDER_ERR_PIN;
    sim_enter(b);
    bus_t *bus = obtain(b, BUS_PAR8, pins, 10);
    if (bus != NULL) {
        bus->open = true;
        /* The firmware strobes by writing port registers: about eight processor cycles a byte
         * whatever clock is asked for. */
        const uint32_t limit = b->mcu.cpu_hz / 8;
        bus->hz = hz == 0 || hz > limit ? limit : hz;
        for (unsigned i = 0; i < 8; i++)
            claim(b, pins[i], ADDER_PIN_OUT, false);
        claim(b, write, ADDER_PIN_OUT, true);
        claim(b, read, ADDER_PIN_OUT, true);
        *out = (adder_par8_t){&par8_ops, bus};
    }
    sim_leave(b);
    return bus == NULL ? ADDER_ERR_NOMEM : ADDER_OK;
}

const adder_mcu_bus_ops_t sim_bus_ops = {spi_open, i2c_open, uart_open, par8_open, bus_close};

void sim_mcu_forget_buses(sim_board_t *b)
{
    while (b->open_buses != NULL) {
        bus_t *next = b->open_buses->next;
        free(b->open_buses);
        b->open_buses = next;
    }
}
