/* Power, reset, boot and the transaction model: strict alternation of command and reply slots.
 *
 *   READY ---\_______/------------------\_________/-----------\____
 *   CS    ------\_________/----------------\_________/-------------
 *            ARMED_RX  RX     HANDLING     ARMED_TX TX  REARMING
 *
 * A falling CS raises READY (the firmware's interrupt), a rising CS ends the slot whatever its length.
 * A command of no bytes re-arms the command slot; a reply slot is used up, read or not. */
#include "sim/chips/esp32_nina.h"

#include <string.h>

enum {
    BOOT_US = 260000,    /* RESET released .. first READY low */
    ACK_US = 4,          /* CS low .. READY high */
    TRANS_US = 24,       /* CS high .. the firmware's task goes on */
    REARM_US = 22,       /* buffer cleared, transaction queued */
    BYTE_NS = 40,        /* handling time per byte of a frame, copies and clearing */
    DATA_POLL_US = 1000, /* received frames wake the GPIO0 task */
    SILENT_POLL_US = 10000
};
#define NEVER UINT64_MAX

static nina_t *nina_of(sim_chip_t *c)
{
    return (nina_t *)(void *)c;
}

uint64_t nina_scaled(nina_t *n, uint64_t us)
{
    return (uint64_t)((double)us / sim_chip_network(&n->chip)->speed);
}

/* `ready` is the firmware's; a stuck line shows something else. */
void nina_ready_apply(nina_t *n)
{
    if (n->ready_driven) {
        const bool high = n->fault.ready == NINA_READY_FREE ? n->ready : n->fault.ready == NINA_READY_HIGH;
        sim_chip_drive(&n->chip, NINA_PIN_READY, high ? SIM_HIGH : SIM_LOW);
    }
}

static void drive_ready(nina_t *n, bool high)
{
    n->ready_due_us = NEVER;
    if (n->ready != high || !n->ready_driven) {
        n->ready = high;
        n->ready_driven = true;
        nina_ready_apply(n);
    }
}

static void drive_gpio0(nina_t *n, bool high)
{
    if (!n->gpio0_known || n->gpio0 != high) {
        n->gpio0_known = true;
        n->gpio0 = high;
        sim_chip_drive(&n->chip, NINA_PIN_GPIO0, high ? SIM_HIGH : SIM_LOW);
    }
}

/* ---- reset and boot ---- */

static void forget(nina_t *n)
{
    nina_op_cancel(n);
    nina_slots_reset(n);
    nina_conns_reset(n);
    nina_wifi_reset(n);
    n->command = NULL;
    n->rx_len = n->tx_len = n->tx_pos = 0;
    n->cert_set = n->key_set = false;
    memset(n->client_key, 0, sizeof n->client_key);
    memset(n->client_cert, 0, sizeof n->client_cert);
    memset(n->resolved, 0, sizeof n->resolved);
    memset(n->pins, 0, sizeof n->pins);
    n->data_due_us = NEVER;
    n->chip.revision++;
}

static void hold(nina_t *n)
{
    forget(n);
    n->state = NINA_HELD;
    n->due_us = n->ready_due_us = NEVER;
    n->gpio0_known = false;
    n->ready = true;
    n->ready_driven = false; /* the pin floats, the board pulls it */
    n->late_done = false;
    sim_chip_drive(&n->chip, NINA_PIN_READY, SIM_FLOAT);
    sim_chip_drive(&n->chip, NINA_PIN_GPIO0, SIM_FLOAT);
}

/* The straps are sampled as reset ends: GPIO0 low is the ROM loader; CS is read by the firmware. */
static void boot(nina_t *n, uint64_t now_us)
{
    n->count.resets++;
    n->selected = sim_chip_level(&n->chip, NINA_PIN_CS) == SIM_LOW;
    if (sim_chip_level(&n->chip, NINA_PIN_GPIO0) == SIM_LOW) {
        n->state = NINA_ROM;
        n->due_us = NEVER;
        sim_chip_log(&n->chip, "GPIO0 low at reset: in the ROM loader, silent until the next reset");
        return;
    }
    n->state = NINA_BOOTING;
    n->due_us = now_us + BOOT_US;
}

static void start_firmware(nina_t *n)
{
    drive_ready(n, true);
    drive_gpio0(n, false);
    if (n->selected) {
        n->state = NINA_BLE;
        n->due_us = NEVER;
        sim_chip_log(&n->chip, "CS low at boot: Bluetooth mode, no SPI until the next reset");
        return;
    }
    n->state = NINA_REARMING;
    n->due_us = n->now_us + REARM_US;
}

static void crash(nina_t *n)
{
    n->count.crashes++;
    n->count.errors++;
    sim_chip_log(&n->chip, "firmware crash in %s: the chip boots again",
                 n->command != NULL ? n->command->name : "a command");
    hold(n);
    boot(n, n->now_us);
}

/* ---- slots ---- */

static void arm(nina_t *n, nina_state_t armed, nina_state_t taken)
{
    n->state = n->selected ? taken : armed; /* CS already low: the slot opens in the middle */
    n->due_us = NEVER;
    n->tx_pos = 0;
    if (armed == NINA_ARMED_RX) {
        n->rx_len = 0;
        memset(n->rx, 0, sizeof n->rx);
    }
    drive_ready(n, false);
}

/* One bit of this reply, from a seeded generator (xorshift): the same seed, the same bits. */
static void flip_bit(nina_t *n)
{
    uint32_t x = n->fault.seed != 0 ? n->fault.seed : 0x2545F491u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    n->fault.seed = x;
    n->fault.flips--;
    const uint32_t bit = x % (uint32_t)(n->tx_len * 8);
    n->tx[bit / 8] = (uint8_t)(n->tx[bit / 8] ^ (1u << (bit % 8)));
    n->count.flipped++;
}

static void add_end(nina_t *n, nina_result_t result)
{
    n->tx[0] = 0xE0;
    n->tx[1] = (uint8_t)(0x80 | n->rx[1]);
    if (result == NINA_RAW) { /* the handler said where the frame ends */
        if (n->tx_len > 0) {
            n->tx[n->tx_len - 1] = 0xEE;
        }
    } else if (n->tx_len < NINA_BUF) {
        n->tx[n->tx_len++] = 0xEE;
    } else {
        n->tx[NINA_BUF - 1] = 0xEE;
    }
}

static void finish(nina_t *n, nina_result_t result)
{
    n->late_done = false;
    if (result == NINA_CRASH) {
        crash(n);
        return;
    }
    if (result == NINA_ERROR) {
        n->count.errors++;
        n->tx[0] = 0xEF;
        n->tx[1] = 0x00;
        n->tx[2] = 0xEE;
        n->tx_len = 3;
    } else {
        add_end(n, result);
    }
    while (n->tx_len % n->fw->reply_align != 0 && n->tx_len < NINA_BUF) {
        n->tx[n->tx_len++] = 0;
    }
    if (n->fault.flips > 0 && n->tx_len > 0) {
        flip_bit(n);
    }
    n->count.bytes_out += n->tx_len;
    n->data_due_us = n->now_us;
    n->chip.revision++;
    arm(n, NINA_ARMED_TX, NINA_TX);
}

/* Faults before the handler runs: never, or later. */
static bool held_back(nina_t *n)
{
    if (n->fault.silent) {
        n->due_us = n->now_us + SILENT_POLL_US; /* the knob may be turned back */
        return true;
    }
    if (n->fault.late_ms > 0 && !n->late_done && n->step == NULL) {
        n->late_done = true;
        n->due_us = n->now_us + (uint64_t)n->fault.late_ms * 1000u;
        return true;
    }
    return false;
}

/* The handler's effects are at the end of its time, where its reply is made. */
static void handle(nina_t *n)
{
    if (held_back(n)) {
        return;
    }
    if (n->step != NULL) {
        if (n->step(n, n->now_us)) {
            const nina_result_t result = n->op.overrun ? NINA_CRASH : NINA_DONE;
            n->step = NULL;
            nina_op_cancel(n);
            finish(n, result);
        }
        return;
    }
    memset(n->tx, 0, sizeof n->tx);
    n->tx_len = 0;
    const nina_result_t result = nina_handle(n, n->now_us);
    if (result == NINA_WAIT) {
        n->due_us = n->now_us;
        return;
    }
    finish(n, result);
}

static uint32_t service_us(const nina_t *n)
{
    const nina_command_t *cmd = n->rx[0] == 0xE0 ? nina_find_command(n, n->rx[1]) : NULL;
    return (cmd != NULL ? cmd->service_us : 20u) + (uint32_t)(n->rx_len * BYTE_NS / 1000u);
}

static void deselected(nina_t *n)
{
    switch (n->state) {
    case NINA_RX:
        drive_ready(n, true);
        if (n->rx_len == 0) {
            n->state = NINA_REARMING;
            n->due_us = n->now_us + TRANS_US + REARM_US;
            return;
        }
        n->count.frames++;
        n->state = NINA_HANDLING;
        n->due_us = n->now_us + TRANS_US + service_us(n);
        return;
    case NINA_TX:
        drive_ready(n, true);
        n->state = NINA_REARMING;
        n->due_us = n->now_us + TRANS_US + REARM_US;
        return;
    default:
        return;
    }
}

static void selected(nina_t *n)
{
    if (n->state == NINA_ARMED_RX || n->state == NINA_ARMED_TX) {
        n->state = n->state == NINA_ARMED_RX ? NINA_RX : NINA_TX;
        n->ready_due_us = n->now_us + ACK_US;
    }
}

/* ---- time ---- */

static uint64_t wait_hint(const nina_t *n)
{
    /* A waiting command looks at its sockets this often; its own time is in op.due_us. */
    return n->op.due_us > n->now_us ? n->op.due_us : n->now_us + 200;
}

static uint64_t next_due(nina_t *n)
{
    uint64_t next = n->due_us;
    if (n->state == NINA_HANDLING && n->step != NULL) {
        next = wait_hint(n);
    }
    next = n->ready_due_us < next ? n->ready_due_us : next;
    next = n->data_due_us < next ? n->data_due_us : next;
    return next;
}

static void advance(nina_t *n, uint64_t now_us)
{
    /* Several steps may be due at once (the board sleeps): each happens at its own time. */
    for (int guard = 0; guard < 8; guard++) {
        n->now_us = now_us;
        if (n->ready_due_us <= now_us) {
            drive_ready(n, true);
        }
        if (n->due_us > now_us) {
            break;
        }
        switch (n->state) {
        case NINA_BOOTING:
            start_firmware(n);
            break;
        case NINA_REARMING:
            arm(n, NINA_ARMED_RX, NINA_RX);
            break;
        case NINA_HANDLING:
            handle(n);
            break;
        default:
            n->due_us = NEVER;
            break;
        }
        if (n->step != NULL) {
            break;
        }
    }
    if (n->data_due_us <= now_us && n->state >= NINA_ARMED_RX) {
        drive_gpio0(n, nina_data_waiting(n));
        n->data_due_us = nina_online(n) ? now_us + DATA_POLL_US : NEVER;
    }
}

static uint64_t nina_poll(sim_chip_t *c, uint64_t now_us)
{
    nina_t *n = nina_of(c);
    if (n->state == NINA_HELD || n->state == NINA_ROM || n->state == NINA_BLE) {
        return NEVER;
    }
    uint64_t wifi = NEVER;
    n->now_us = now_us;
    if (n->state >= NINA_ARMED_RX) {
        wifi = nina_wifi_poll(n, now_us);
    }
    advance(n, now_us);
    const uint64_t next = next_due(n);
    return next < wifi ? next : wifi;
}

/* ---- wires ---- */

static void nina_pin_changed(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    nina_t *n = nina_of(c);
    (void)nina_poll(c, now_us);
    n->now_us = now_us;
    if (pin == NINA_PIN_RESET) {
        if (level == SIM_LOW && n->state != NINA_HELD) {
            hold(n);
        } else if (level != SIM_LOW && n->state == NINA_HELD) {
            boot(n, now_us);
        }
        return;
    }
    const bool low = level == SIM_LOW;
    if (pin != NINA_PIN_CS || low == n->selected) {
        return;
    }
    n->selected = low;
    if (low) {
        selected(n);
    } else {
        deselected(n);
    }
    (void)nina_poll(c, now_us);
}

static void nina_spi(sim_chip_t *c, const uint8_t *in, uint8_t *out, size_t len, uint64_t now_us)
{
    nina_t *n = nina_of(c);
    (void)nina_poll(c, now_us);
    if (n->state == NINA_RX) {
        const size_t room = NINA_BUF - n->rx_len;
        const size_t take = len < room ? len : room;
        memcpy(n->rx + n->rx_len, in, take);
        n->rx_len += take;
        n->count.bytes_in += len;
        memset(out, 0x00, len); /* undefined: DMA has nothing to send */
    } else if (n->state == NINA_TX) {
        for (size_t i = 0; i < len; i++) {
            out[i] = n->tx_pos < n->tx_len ? n->tx[n->tx_pos] : 0x00;
            n->tx_pos += n->tx_pos < n->tx_len;
        }
    } else {
        n->count.dropped += len;
    }
}

static uint8_t nina_spi_peek(sim_chip_t *c)
{
    const nina_t *n = nina_of(c);
    if (n->state == NINA_TX) {
        return n->tx_pos < n->tx_len ? n->tx[n->tx_pos] : 0x00;
    }
    return n->state == NINA_RX ? 0x00 : 0xFF;
}

static void nina_power_on(sim_chip_t *c, uint64_t now_us)
{
    nina_t *n = nina_of(c);
    n->now_us = now_us;
    hold(n);
    if (sim_chip_level(c, NINA_PIN_RESET) != SIM_LOW) {
        boot(n, now_us);
    }
}

static const char *nina_power_state(sim_chip_t *c)
{
    const nina_t *n = nina_of(c);
    if (n->state == NINA_HELD) {
        return "off";
    }
    if (n->state == NINA_HANDLING || n->wifi.joining) {
        return "active";
    }
    return nina_online(n) ? (n->wifi.power_save ? "modem_sleep" : "connected") : "idle";
}

/* ---- life ---- */

static void nina_destroy(sim_chip_t *c)
{
    nina_t *n = nina_of(c);
    forget(n);
    nina_trust_free(n);
}

static const char *const nina_pins[] = {"cs", "sck", "mosi", "miso", "ready", "reset", "gpio0", NULL};

const sim_chip_class_t sim_chip_esp32_nina = {
    .type = "esp32_nina",
    .title = "ESP32 Wi-Fi co-processor",
    .pins = nina_pins,
    .size = sizeof(nina_t),
    .create = nina_create,
    .destroy = nina_destroy,
    .power_on = nina_power_on,
    .pin_changed = nina_pin_changed,
    .spi_transfer = nina_spi,
    .spi_peek = nina_spi_peek,
    .poll = nina_poll,
    .control = nina_control,
    .describe = nina_describe,
    .counters = nina_counters,
    .knobs = nina_knobs,
    .power_state = nina_power_state,
};
