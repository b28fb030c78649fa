/* The built-in display: board.DISPLAY. See display_board.h. */
#include "python/modules/display_board.h"

#include "python/modules/display_pool.h"
#include "python/modules/pins.h"

static struct {
    const adder_mcu_t *mcu;
    void (*sleep_us)(uint64_t us);
    display_slot_t *slot; /* NULL: none, or released */
    adder_display_bus_t bus;
    adder_fourwire_t fourwire;
    adder_parallelbus_t parallel;
    void *port;
    uint16_t pins[DISPLAY_BUS_PINS + 2];
    uint8_t pin_count;
} board;

bool display_board_is(const display_slot_t *slot)
{
    return board.slot != NULL && board.slot == slot;
}

/* ---- bus and pins ---- */

static adder_pin_t keep(uint16_t pin)
{
    if (pin == ADDER_PIN_NONE)
        return (adder_pin_t){0};
    pins_keep(pin);
    board.pins[board.pin_count++] = pin;
    return (adder_pin_t){board.mcu->gpio, board.mcu->ctx, pin};
}

static adder_err_t open_parallel(const adder_mcu_display_t *d)
{
    const adder_mcu_t *mcu = board.mcu;
    adder_parallelbus_config_t c = {.command = keep(d->command),
                                    .chip_select = keep(d->chip_select),
                                    .read = keep(d->read),
                                    .reset = keep(d->reset)};
    keep(d->write);
    for (int i = 0; i < 8; i++)
        keep(d->data[i]);
    adder_err_t err = mcu->bus->par8_open(mcu->ctx, d->data, d->write, d->read, d->hz, &c.port);
    if (err != ADDER_OK)
        return err;
    board.port = c.port.ctx;
    return adder_parallelbus_init(&board.parallel, &c, &board.bus);
}

static adder_err_t open_fourwire(const adder_mcu_display_t *d)
{
    const adder_mcu_t *mcu = board.mcu;
    adder_fourwire_config_t c = {.command = keep(d->command),
                                 .chip_select = keep(d->chip_select),
                                 .reset = keep(d->reset),
                                 .hz = d->hz};
    keep(d->sck);
    keep(d->mosi);
    keep(d->miso);
    adder_err_t err = mcu->bus->spi_open(mcu->ctx, d->sck, d->mosi, d->miso, &c.spi);
    if (err != ADDER_OK)
        return err;
    board.port = c.spi.ctx;
    return adder_fourwire_init(&board.fourwire, &c, &board.bus);
}

static void close_bus(void)
{
    if (board.port != NULL)
        board.mcu->bus->close(board.mcu->ctx, board.port);
    board.port = NULL;
    while (board.pin_count > 0)
        pins_release(board.pins[--board.pin_count]);
    board.bus = (adder_display_bus_t){0};
}

/* ---- bringing it up ---- */

static uint64_t board_now(void)
{
    return board.mcu->sys->now_us(board.mcu->ctx);
}

static uint64_t sleep_until(void *ctx, uint64_t due_us)
{
    (void)ctx;
    uint64_t now = board_now();
    if (board.sleep_us == NULL)
        return due_us > now ? due_us : now;
    if (due_us > now)
        board.sleep_us(due_us - now);
    return board_now();
}

static adder_err_t open_display(void)
{
    const adder_mcu_display_t *d = &board.mcu->display;
    adder_busdisplay_config_t config = {ADDER_BUSDISPLAY_DEFAULTS};
    display_slot_t *slot = display_slot_take(&config);
    if (slot == NULL)
        return ADDER_ERR_STATE;
    adder_err_t err = d->kind == ADDER_MCU_DISPLAY_PAR8 ? open_parallel(d) : open_fourwire(d);
    config.bus = board.bus;
    config.init_sequence = d->init_sequence;
    config.init_sequence_len = d->init_sequence_len;
    config.width = d->width;
    config.height = d->height;
    config.colstart = d->colstart;
    config.rowstart = d->rowstart;
    config.rotation = d->rotation;
    if (d->color_depth != 0)
        config.format.depth = d->color_depth;
    if (d->frames_per_second != 0)
        config.native_frames_per_second = d->frames_per_second;
    config.reset_first = d->reset != ADDER_PIN_NONE;
    if (d->backlight != ADDER_PIN_NONE)
        pins_keep(d->backlight);
    display_slot_backlight(slot, board.mcu, d->backlight, 50000, true, &config);
    if (err == ADDER_OK)
        err = adder_busdisplay_init(&slot->display, &config);
    if (err == ADDER_OK) {
        slot->ready = true;
        board.slot = slot;
        err = adder_busdisplay_run(&slot->display, board_now(), sleep_until, NULL);
        terminal_show(slot);
    }
    if (err != ADDER_OK) {
        board.slot = NULL;
        display_slot_release(slot);
        close_bus();
    }
    return err;
}

adder_err_t display_board_start(const adder_mcu_t *mcu, void (*sleep_us)(uint64_t us))
{
    display_board_stop();
    board.mcu = mcu;
    board.sleep_us = sleep_us;
    return mcu->display.kind == ADDER_MCU_DISPLAY_NONE ? ADDER_OK : open_display();
}

void display_board_release(void)
{
    display_slot_t *slot = board.slot;
    board.slot = NULL;
    if (slot != NULL)
        display_slot_release(slot);
    close_bus();
}

void display_board_stop(void)
{
    if (board.mcu != NULL)
        display_board_release();
    board.mcu = NULL;
}

/* ---- with runs ---- */

void display_board_run_begins(void)
{
    if (board.slot != NULL)
        display_slot_run(board.slot);
}

void display_board_paint_last(void)
{
    if (board.slot == NULL || !board.slot->display.config.auto_refresh)
        return;
    ADDER_IGNORE(adder_busdisplay_refresh_now(&board.slot->display, board.mcu->sys->now_us(board.mcu->ctx)),
                 "nobody is left to tell; the next refresh tries again");
}

void display_board_run_ended(void)
{
    if (board.mcu == NULL || board.mcu->display.kind == ADDER_MCU_DISPLAY_NONE)
        return;
    terminal_restore();
    if (board.slot == NULL) { /* the program released it: made anew, as a reset would */
        ADDER_IGNORE(open_display(), "the panel may be unplugged; the board goes on without");
        return;
    }
    adder_busdisplay_t *d = &board.slot->display;
    if (d->scene.rotation != board.mcu->display.rotation)
        ADDER_IGNORE(adder_busdisplay_set_rotation(d, board.mcu->display.rotation), "it was right before");
    if (d->scene.root != terminal_group()) {
        terminal_fit(d->scene.width, d->scene.height);
        ADDER_IGNORE(adder_busdisplay_set_root(d, terminal_group()), "it is free");
    }
    adder_busdisplay_set_auto_refresh(d, true);
}

uint64_t display_board_poll(uint64_t now_us)
{
    return board.slot != NULL ? adder_busdisplay_tick(&board.slot->display, now_us) : UINT64_MAX;
}

void display_board_console(const char *utf8, size_t len)
{
    terminal_write(utf8, len);
}

/* ---- for Python ---- */

/* The bus of board.DISPLAY.bus. */
static py_t wrap_bus(void)
{
    void *s;
    bool parallel = board.mcu->display.kind == ADDER_MCU_DISPLAY_PAR8;
    py_t self = py_new(parallel ? &parallelbus_class : &fourwire_class, &s);
    if (py_null(self))
        return PY_NULL;
    display_bus_obj_t *b = s;
    b->bus = board.bus;
    display_bus_opened(b);
    return self;
}

py_t display_board_object(void)
{
    if (board.slot == NULL)
        return PY_NULL;
    py_t made = display_kept("board");
    if (!py_null(made) && py_struct(made, &busdisplay_class) != NULL)
        return made;
    py_t bus = wrap_bus();
    py_t self = py_null(bus) ? PY_NULL : busdisplay_wrap(board.slot, bus);
    return !py_null(self) && display_keep("board", self) ? self : PY_NULL;
}
