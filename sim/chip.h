/* What a simulated chip is: a struct with registers, counters, fault knobs, and the few functions
 * through which it sees its bus. A chip knows its own pins, bytes and the time; it never learns who
 * drives it, on which board it sits, or that Python exists.
 *
 * A chip's file defines one `const sim_chip_class_t` and is listed in sim/chips/chips.c. Its own
 * struct starts with `sim_chip_t chip;`. The simulator core (sim/sim.h) calls every function with the
 * board's lock held, so a chip needs no lock of its own; a chip that starts a helper thread (DNS)
 * hands results over itself.
 *
 * Time is microseconds of the board's clock since power-on, passed in; a chip reads no clock. */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

typedef struct sim_chip sim_chip_t;
typedef struct sim_board sim_board_t;

/* A level on a wire as a chip's pin sees it. */
typedef enum { SIM_FLOAT, SIM_LOW, SIM_HIGH } sim_level_t;

/* Who holds a wire at its level: nobody, a pull resistor, or a driver. */
typedef enum {
    SIM_WIRE_FLOAT,
    SIM_WIRE_PULL_LOW,
    SIM_WIRE_PULL_HIGH,
    SIM_WIRE_LOW,
    SIM_WIRE_HIGH
} sim_wire_t;

/* A knob the outside world can turn. The core checks values against this table before control() is
 * called, and the page draws its sliders and switches from it. */
typedef enum {
    SIM_KNOB_NUMBER, /* min..max */
    SIM_KNOB_BOOL,
    SIM_KNOB_PRESS, /* bool, true while held */
    SIM_KNOB_TOUCH, /* [x, y] or {"x", "y"}, null = finger up; max is ignored: the chip checks */
    SIM_KNOB_TEXT,
} sim_knob_kind_t;

typedef struct {
    const char *name; /* key in control(); NULL ends a table */
    sim_knob_kind_t kind;
    const char *label, *unit; /* for the page; unit may be NULL */
    double min, max, step;
} sim_knob_t;

/* What the page and the report show of a chip: exact, repeatable counts. */
typedef struct {
    const char *name; /* "bytes_in", "frames", "pixels" */
    uint64_t value;
} sim_counter_t;

typedef struct {
    const char *type;        /* "type" in a board file: "ili9341", "esp32_nina", "adt7410" */
    const char *const *pins; /* names used in the board file's "wires"; NULL ends; index = pin number */
    size_t size;             /* bytes of the chip's own struct */

    /* `config` is the chip's object in the board file merged with the run's configuration. On error
     * write what is wrong and where to `msg`. */
    adder_err_t (*create)(sim_chip_t *c, const cJSON *config, char *msg, size_t msg_cap);
    void (*destroy)(sim_chip_t *c);
    void (*power_on)(sim_chip_t *c, uint64_t now_us);

    /* All below optional (NULL). */

    /* A wire of the chip's pin changed, driven by somebody else. */
    void (*pin_changed)(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us);
    /* SPI while the chip's "cs" pin is low (chips without a "cs" pin: always). `out` is what the chip
     * puts on MISO for these bytes; already filled with 0xFF. Select edges come by pin_changed. */
    void (*spi_transfer)(sim_chip_t *c, const uint8_t *in, uint8_t *out, size_t len, uint64_t now_us);
    /* The 8-bit parallel port, selected as above; `dc` as the wire stands. */
    void (*par8_write)(sim_chip_t *c, const uint8_t *in, size_t len, uint64_t now_us);
    /* I2C: one START..STOP to one of the chip's addresses. ADDER_ERR_NOT_FOUND: not this address. */
    adder_err_t (*i2c_xfer)(sim_chip_t *c, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                            size_t rd_len, uint64_t now_us);
    /* A one-wire pulse train (WS2812): one frame's bytes on `pin`. */
    void (*pulse_frame)(sim_chip_t *c, unsigned pin, const uint8_t *bytes, size_t len, uint64_t now_us);
    /* The voltage on a pin, 0..1 of the reference; false = the chip does not drive it now. */
    bool (*analog)(sim_chip_t *c, unsigned pin, float *fraction_out);
    /* PWM on a pin the chip listens to (backlight, buzzer). hz 0: a steady voltage (DAC), or PWM
     * ended (duty 0). A chip without this sees duty >= half as a high level. */
    void (*pwm)(sim_chip_t *c, unsigned pin, uint32_t hz, uint16_t duty);
    /* Time passed; also called before any pin the chip drives is read. Cheap when nothing is due.
     * Returns the next time it wants to be called, UINT64_MAX = no wish. */
    uint64_t (*poll)(sim_chip_t *c, uint64_t now_us);

    /* The outside world turns a knob: {"touch": {"x": 10, "y": 20}}, {"celsius": 23.5}, {"wifi": false}.
     * From the page, the input timeline or a test. ADDER_ERR_ARG with `msg` on an unknown key. */
    adder_err_t (*control)(sim_chip_t *c, const cJSON *knobs, char *msg, size_t msg_cap);
    /* What the page shows of its state ("knobs" and "state"): add members to `into`. Changes bump
     * c->revision so that the page asks again. */
    void (*describe)(sim_chip_t *c, cJSON *into);
    /* Counters, for the report and the page. *n_out entries, valid until the next call. */
    const sim_counter_t *(*counters)(sim_chip_t *c, size_t *n_out);
    /* A display's picture: width*height pixels, 0x00RRGGBB, as a viewer sees them (power, backlight,
     * orientation applied by the caller). *revision_out counts changes. */
    const uint32_t *(*picture)(sim_chip_t *c, unsigned *width_out, unsigned *height_out,
                               uint64_t *revision_out);
    /* Snapshot / restore of registers, for power-cut and replay tests. size 0 = unsupported. */
    size_t (*snapshot)(sim_chip_t *c, void *out, size_t cap);
    adder_err_t (*restore)(sim_chip_t *c, const void *bytes, size_t len);

    /* For bit-banged SPI: the byte the chip would put on MISO next, without side effects. */
    uint8_t (*spi_peek)(sim_chip_t *c);

    const sim_knob_t *knobs; /* what control() takes; NULL = control() checks everything itself */
    const char *title;       /* for people: "Resistive touch", NULL = the type */
    /* The state the chip is in, for energy: a name of the board file's "current_ua" table of the
     * part ("on", "sleep"). NULL function = "on". Called after every call into the chip. */
    const char *(*power_state)(sim_chip_t *c);
} sim_chip_class_t;

/* Faults every chip has, applied by the core around the calls above ("fault" knob). */
typedef enum {
    SIM_FAULT_NONE,
    SIM_FAULT_UNPLUGGED, /* drives nothing: MISO/reads float high, I2C NACKs */
    SIM_FAULT_NACK,      /* I2C address not acknowledged; SPI as unplugged */
    SIM_FAULT_BIT_FLIP,  /* one bit of each answer inverted, position from a seeded generator */
    SIM_FAULT_STUCK,     /* ignores everything, pins keep their levels */
    SIM_FAULT_RESET,     /* one shot: power_on in the middle of the next transfer */
} sim_fault_t;

struct sim_chip {
    const sim_chip_class_t *cls;
    sim_board_t *board;
    char id[24]; /* unique on the board: "display", "wifi", "touch" */
    uint64_t revision;
    sim_fault_t fault;
    uint32_t fault_after; /* transfers left before the fault strikes, 0 = now */
    uint32_t fault_seed;
    struct sim_part *part; /* the core's own */
};

/* ---- what a chip may call ---- */

/* Drive one of the chip's own pins; SIM_FLOAT releases it. */
void sim_chip_drive(sim_chip_t *c, unsigned pin, sim_level_t level);
/* The level on the wire of one of the chip's pins (all drivers and pulls resolved). */
sim_level_t sim_chip_level(sim_chip_t *c, unsigned pin);
/* The same with the strength: a resistive panel cares who drives. */
sim_wire_t sim_chip_wire(sim_chip_t *c, unsigned pin);
/* The chip's own state changed: the page should ask again. */
static inline void sim_chip_changed(sim_chip_t *c)
{
    c->revision++;
}
/* A line for the page's event log and --report; printf style, no newline, no secrets. */
void sim_chip_log(sim_chip_t *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A point in knobs: [x, y] or {"x": 1, "y": 2}; false = neither. */
bool sim_knob_point(const cJSON *v, double *x, double *y);
/* The run's "network" configuration (sim/network.h), never NULL. */
struct sim_network *sim_chip_network(sim_chip_t *c);

#endif
