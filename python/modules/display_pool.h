/* The displays of the machine and the terminal: C objects in static storage, which Python's objects
 * stand for. display_pool.c, display_board.c, display_terminal.c, busdisplay.c and the buses share it.
 *
 * Slot 0 starts as the built-in display and outlives interpreters; the others (and slot 0 after
 * release_displays()) belong to BusDisplay objects of one VM. */
#ifndef ADDER_PYTHON_DISPLAY_POOL_H
#define ADDER_PYTHON_DISPLAY_POOL_H

#include "python/modules/display_int.h"

/* Displays at a time, the built-in one included. RAM: about 700 bytes and the buffer each. */
#ifndef DISPLAY_SLOTS
#define DISPLAY_SLOTS 2
#endif
/* Pixels sent at a time: at least one row of the widest panel. */
#ifndef DISPLAY_BUFFER_BYTES
#define DISPLAY_BUFFER_BYTES 8192
#endif
/* Pixels sent in one turn of background work; bounds how long a program is held up. */
#ifndef DISPLAY_SLICE_BYTES
#define DISPLAY_SLICE_BYTES 32768
#endif

typedef struct display_obj display_obj_t;

typedef struct {
    bool used, ready; /* ready: the engine's struct is initialised */
    adder_busdisplay_t display;
    py_background_t background;
    const adder_mcu_t *mcu;
    display_obj_t *owner;   /* the struct of the Python object, NULL = none in this VM */
    uint16_t backlight_pin; /* PWM; ADDER_PIN_NONE = not ours */
    uint32_t backlight_hz;
    bool backlight_on_high, backlight_started;
    double brightness; /* as it was set */
    uint32_t buffer[DISPLAY_BUFFER_BYTES / 4];
} display_slot_t;

extern display_slot_t display_slots[DISPLAY_SLOTS];

/* An unused slot, now used, with buffer and slice of *config filled in; NULL: none left. */
display_slot_t *display_slot_take(adder_busdisplay_config_t *config);
/* Backlight by PWM, if the pin can do that, else on and off. Call before adder_busdisplay_init(). */
void display_slot_backlight(display_slot_t *slot, const adder_mcu_t *mcu, uint16_t pin, uint32_t hz,
                            bool on_high, adder_busdisplay_config_t *config);
/* Take everything off the display and stop refreshing it. The owner, if any, is dead from now on. */
void display_slot_release(display_slot_t *slot);
/* Start (or go on with) refreshing by background work. */
void display_slot_run(display_slot_t *slot);

/* The terminal, shown on the slot's display unless another shows it. */
void terminal_show(display_slot_t *slot);
/* Lay it out for a display of this size and start it anew; _fit: only if it was not of this size. */
void terminal_layout(uint16_t width, uint16_t height);
void terminal_fit(uint16_t width, uint16_t height);
void terminal_write(const char *utf8, size_t len);
/* At 0, 0, unscaled otherwise than laid out, visible, and in no program's group. */
void terminal_restore(void);
adder_group_t *terminal_group(void);
adder_terminal_t *terminal_engine(void);

/* board.DISPLAY */
struct display_obj {
    display_slot_t *slot; /* NULL: released */
    py_field_t bus, root, sequence;
};
extern const py_class_t busdisplay_class;
py_t busdisplay_wrap(display_slot_t *slot, py_t bus);
/* Back to no display at all: buses closed, pins free. */
void display_board_release(void);
bool display_board_is(const display_slot_t *slot);
py_t display_board_bus(void);

/* ---- buses ---- */

enum { DISPLAY_BUS_PINS = 13 };

/* The start of FourWire, I2CDisplayBus and ParallelBus. */
typedef struct display_bus_obj {
    adder_display_bus_t bus;
    bool open;
    uint16_t pins[DISPLAY_BUS_PINS]; /* claimed */
    uint8_t pin_count;
    void *port;                   /* to close at the mcu's, NULL = none */
    struct display_bus_obj *next; /* all open ones */
    py_field_t shared;            /* the busio object */
    py_field_t pin_objects;       /* a list of DigitalInOut */
} display_bus_obj_t;

extern const py_class_t display_bus_class, fourwire_class, parallelbus_class, i2cdisplaybus_class;

/* Enter it in the list of open buses. */
void display_bus_opened(display_bus_obj_t *b);
/* Free pins and port; any number of times. */
void display_bus_close(display_bus_obj_t *b);
void display_bus_close_all(void);
/* Claim a pin for the displays: kept across VMs while they have it. */
bool display_claim_pin(py_t v, const char *name, uint16_t *out);
/* A Pin (claimed for this bus) or a DigitalInOut; optional ones may be None. `*out` .ops NULL = none. */
bool display_bus_pin(display_bus_obj_t *b, const py_val_t *a, const char *name, adder_pin_t *out);
bool display_bus_pulse_reset(display_bus_obj_t *b);

#endif
