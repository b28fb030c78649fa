/* The simulator core's own: what a board is made of. Chips include sim/chip.h only.
 *
 * One lock per board; every function here is called with it held unless it says otherwise. */
#ifndef SIM_INT_H
#define SIM_INT_H

#include <pthread.h>
#include <stdarg.h>

#include "sim/sim.h"

enum {
    PART_PINS_MAX = 32,
    PARTS_MAX = 64,
    PINS_MAX = 256,
    NET_CHIP_PINS_MAX = 16,
    LOG_LINES = 256,
    LOG_TEXT = 160,
    POWER_STATES_MAX = 8,
    NOTIFY_DEPTH_MAX = 16,
};
#define NET_NONE ((uint16_t)0xFFFF)

/* ---- wires ---- */

typedef enum { NET_GPIO, NET_BUS, NET_ADC, NET_DAC, NET_PWM } net_use_t;

typedef struct {
    struct sim_part *part;
    uint8_t pin;
} net_chip_pin_t;

/* One wire: an MCU pin, the chip pins soldered to it, a resistor. The two nets after the pins are
 * ground and supply. */
typedef struct {
    const char *name;
    sim_wire_t board_pull; /* FLOAT, PULL_LOW, PULL_HIGH */
    sim_level_t outside;   /* held by the page or the timeline */
    adder_pin_mode_t mode;
    bool level; /* of the MCU's driver */
    net_use_t use;
    uint32_t pwm_hz;
    uint16_t duty;   /* PWM and DAC */
    sim_wire_t wire; /* resolved */
    bool fighting;
    uint64_t toggles;
    uint64_t revision; /* board revision of the last change */
    net_chip_pin_t chip_pins[NET_CHIP_PINS_MAX];
    unsigned chip_pin_count;
} net_t;

/* ---- chips on the board ---- */

typedef struct {
    const char *name; /* in the chip's own table or the board file */
    double current_ua;
    uint64_t us;
} power_state_t;

/* Bits of a byte on their way over single pin writes. */
typedef struct {
    uint8_t in, out, count;
    bool driving; /* the adapter holds MISO */
} bit_spi_t;

typedef struct sim_part {
    sim_chip_t *chip;
    cJSON *config; /* board file + run */
    uint16_t nets[PART_PINS_MAX];
    sim_level_t drive[PART_PINS_MAX];
    unsigned pin_count;
    int cs, sck, mosi, miso, scl, sda, wr, dc, d0; /* pin numbers by name, -1 = has none */
    bool dead;                                     /* unplugged */
    bit_spi_t bits;
    uint64_t due_us;
    /* counters of the core */
    uint64_t spi_bytes, par8_bytes, i2c_transfers, i2c_bytes, faults_hit, selects;
    uint64_t seen_revision, changed_at; /* chip revision last noticed; board revision of that */
    power_state_t power[POWER_STATES_MAX];
    unsigned power_count, power_now;
    uint64_t power_since_us;
} part_t;

/* ---- buses ---- */

typedef enum { BUS_SPI, BUS_I2C, BUS_UART, BUS_PAR8 } bus_kind_t;

typedef struct sim_bus {
    struct sim_bus *next;
    sim_board_t *board;
    bus_kind_t kind;
    bool open;
    uint16_t pins[10]; /* spi: sck mosi miso; i2c: scl sda; uart: tx rx; par8: d0..d7 wr rd */
    unsigned pin_count;
    uint32_t hz;
    uint8_t polarity, phase;
    uint64_t transactions, bytes_out, bytes_in, errors;
    double busy_us;
    uint8_t rx[256]; /* uart */
    unsigned rx_head, rx_len;
} bus_t;

/* ---- bit-banged I2C as the wires show it ---- */

typedef enum { I2C_IDLE, I2C_ADDRESS, I2C_WRITE, I2C_READ, I2C_IGNORE } bit_i2c_state_t;

typedef struct {
    uint16_t scl, sda; /* nets */
    bit_i2c_state_t state;
    bool scl_high, sda_high, ack_phase;
    bool hold_low; /* the answering chip pulls SDA */
    uint8_t shift, count, addr7;
    uint8_t wr[256];
    size_t wr_len;
    uint8_t rd[32];
    size_t rd_at, rd_len;
    part_t *part;
} bit_i2c_t;

/* ---- timeline ---- */

typedef struct {
    uint64_t at_us;
    cJSON *event;
} timeline_event_t;

/* ---- the board ---- */

typedef struct {
    uint64_t n, t_us, revision;
    char from[24], text[LOG_TEXT];
} log_line_t;

struct sim_board {
    pthread_mutex_t lock;
    unsigned depth;
    cJSON *json, *run;
    char *name; /* of the file, for messages */
    adder_mcu_t mcu;
    adder_mcu_pin_t *pins;
    adder_mcu_alias_t *aliases;
    adder_mcu_bus_t *buses, *more_buses;
    size_t more_bus_count;
    uint8_t *init_sequence;
    unsigned adc_bits;
    double mcu_celsius, mcu_current_ua;

    net_t *nets;
    size_t net_count; /* pins + 2 */
    part_t parts[PARTS_MAX];
    size_t part_count;
    bus_t *open_buses;
    bit_i2c_t bit_i2c[4];
    unsigned bit_i2c_count;
    unsigned notify_depth;
    uint64_t conflicts;

    bool virtual_clock;
    _Atomic uint64_t
        clock_us;      /* virtual time, or the origin of the real one, which is read without the lock */
    uint64_t lived_us; /* power-on times before the last power cycle, for energy and events */
    int64_t rtc_offset_s;
    uint64_t random_state; /* 0 = real randomness */

    uint32_t watchdog_ms;
    bool watchdog_resets;
    uint64_t watchdog_due_us;

    sim_hooks_t hooks;
    bool want_reset, want_watchdog;
    adder_reset_reason_t want_reset_why;
    char *console;
    size_t console_len;

    uint8_t *nvm;
    char *nvm_path;
    bool nvm_loaded;

    timeline_event_t *timeline;
    size_t timeline_count, timeline_at;
    char *timeline_name;
    bool timeline_started;
    uint64_t timeline_origin_us; /* in lived time */

    uint64_t revision;
    log_line_t log[LOG_LINES];
    uint64_t log_n;

    struct sim_network *network;
};

/* Every public call: enter, work, leave. leave() makes the pending hook calls, lock released. */
void sim_enter(sim_board_t *b);
void sim_leave(sim_board_t *b);

void sim_say(char *msg, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sim_touch(sim_board_t *b); /* the page has news */

/* parse.c */
cJSON *sim_json_read(const char *path, char *msg, size_t cap);
cJSON *sim_json_parse(const char *name, const char *text, size_t len, char *msg, size_t cap);
adder_err_t sim_board_parse(sim_board_t *b, char *msg, size_t cap);
/* A pin by silicon or board name; NET_NONE. */
uint16_t sim_pin_find(const sim_board_t *b, const char *name);

/* net.c */
void sim_net_resolve(sim_board_t *b, net_t *n, const part_t *by);
void sim_net_set_mcu(sim_board_t *b, net_t *n, adder_pin_mode_t mode, bool level);
bool sim_net_high(sim_board_t *b, net_t *n);
double sim_net_voltage(sim_board_t *b, net_t *n);
static inline net_t *sim_part_net(sim_board_t *b, const part_t *p, int pin)
{
    return pin < 0 || p->nets[pin] == NET_NONE ? NULL : &b->nets[p->nets[pin]];
}
void sim_net_announce(sim_board_t *b, part_t *p); /* tell a chip the state of all its wires */

/* call.c: calls into chips, faults applied */
bool sim_part_selected(sim_board_t *b, part_t *p);
void sim_part_power_on(sim_board_t *b, part_t *p);
void sim_part_pin(sim_board_t *b, part_t *p, unsigned pin, sim_level_t level);
/* `out` filled with 0xFF by the caller; returns false when the chip drives nothing. */
bool sim_part_spi(sim_board_t *b, part_t *p, const uint8_t *in, uint8_t *out, size_t len);
void sim_part_par8(sim_board_t *b, part_t *p, const uint8_t *in, size_t len);
adder_err_t sim_part_i2c(sim_board_t *b, part_t *p, uint8_t addr7, const uint8_t *wr, size_t wr_len,
                         uint8_t *rd, size_t rd_len);
void sim_part_pulse(sim_board_t *b, part_t *p, unsigned pin, const uint8_t *bytes, size_t len);
void sim_part_pwm(sim_board_t *b, part_t *p, unsigned pin, uint32_t hz, uint16_t duty);
bool sim_part_analog(sim_board_t *b, part_t *p, unsigned pin, float *fraction);
uint64_t sim_part_poll(sim_board_t *b, part_t *p); /* when it is due again; UINT64_MAX = never */
void sim_part_after(sim_board_t *b, part_t *p);    /* notice revision and power state */
adder_err_t sim_part_fault(sim_board_t *b, part_t *p, const cJSON *fault, char *msg, size_t cap);
const char *sim_fault_name(sim_fault_t f);

/* bitbang.c: what single pin writes amount to */
void sim_bits_changed(sim_board_t *b, part_t *p, unsigned pin, sim_level_t level);
void sim_bits_i2c(sim_board_t *b, const net_t *n);
void sim_bits_reset(sim_board_t *b);

/* clock.c */
uint64_t sim_now(sim_board_t *b);
uint64_t sim_lived(sim_board_t *b); /* over power cycles */
uint64_t sim_poll(sim_board_t *b);

/* mcu*.c */
void sim_mcu_init(sim_board_t *b);
void sim_mcu_reset(sim_board_t *b);
void sim_mcu_forget_buses(sim_board_t *b);
extern const adder_pin_ops_t sim_gpio_ops;
extern const adder_mcu_pin_ops_t sim_pin_ops;
extern const adder_mcu_bus_ops_t sim_bus_ops;
extern const adder_mcu_sys_ops_t sim_sys_ops;
/* roots.c: the system's certificates and those of the network's "ca". */
void sim_roots(void *ctx, adder_mcu_take_fn take, void *take_ctx);
extern const adder_mcu_file_ops_t sim_files;

/* control.c */
adder_err_t sim_knobs_check(const sim_chip_t *c, const cJSON *knobs, const char *where, char *msg,
                            size_t cap);
adder_err_t sim_control(sim_board_t *b, part_t *p, const cJSON *knobs, char *msg, size_t cap);
adder_err_t sim_event_check(sim_board_t *b, const cJSON *event, const char *where, char *msg, size_t cap);
adder_err_t sim_event_play(sim_board_t *b, const cJSON *event, char *msg, size_t cap);
part_t *sim_part_find(sim_board_t *b, const char *id);

/* timeline.c */
void sim_timeline_free(sim_board_t *b);
uint64_t sim_timeline_due(const sim_board_t *b); /* board time of the next event, UINT64_MAX */
void sim_timeline_play(sim_board_t *b);

/* radio.c: a radio that is part of the microcontroller restarts with it */
void sim_radio_reset(sim_board_t *b);

/* look.c */
part_t *sim_first_display(sim_board_t *b);
void sim_add_number(cJSON *into, const char *name, double value);
void sim_add_counters(cJSON *into, part_t *p);
void sim_add_charge(sim_board_t *b, cJSON *into); /* "charge_uc": what all of the board took so far */
const char *sim_pin_label(const sim_board_t *b, uint16_t pin); /* its first board name, else its own */

/* log.c */
void sim_logv(sim_board_t *b, const char *from, const char *format, va_list args);

/* chips/chips.c: NULL-terminated */
extern const sim_chip_class_t *const sim_chip_classes[];
const sim_chip_class_t *sim_chip_class(const char *type);

#endif
