/* TFT controllers of the MIPI DCS family: ILI9341 and ST7789 (the command set and the 240x320 frame
 * memory are the same; a few registers and defaults differ).
 *
 * Three coordinate systems, in the order data travels:
 *   window   column and page as the host counts them (CASET, PASET, after MADCTL's exchange)
 *   memory   240 columns x 320 rows of frame memory
 *   glass    what lies under the viewer's eye, then turned as the board has the panel mounted
 *
 * References: ILI9341 data sheet V1.11 chapters 7.1 (interfaces), 8 (commands), 9.3 (MADCTL);
 * ST7789V data sheet V1.6 chapters 8, 9. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chips/mipi_panel.h"

enum {
    PIN_CS,
    PIN_DC,
    PIN_WR,
    PIN_RD,
    PIN_RESET,
    PIN_TE,
    PIN_BACKLIGHT,
    PIN_SCK,
    PIN_MOSI,
    PIN_MISO,
    PIN_D0
};
static const char *const panel_pins[] = {"cs",  "dc",   "wr",   "rd", "reset", "te", "backlight",
                                         "sck", "mosi", "miso", "d0", "d1",    "d2", "d3",
                                         "d4",  "d5",   "d6",   "d7", NULL};

enum { /* DCS commands */
       NOP = 0x00,
       SWRESET = 0x01,
       RDDID = 0x04,
       RDDST = 0x09,
       RDDPM = 0x0A,
       RDDMADCTL = 0x0B,
       RDDCOLMOD = 0x0C,
       RDDIM = 0x0D,
       RDDSM = 0x0E,
       RDDSDR = 0x0F,
       SLPIN = 0x10,
       SLPOUT = 0x11,
       PTLON = 0x12,
       NORON = 0x13,
       INVOFF = 0x20,
       INVON = 0x21,
       DISPOFF = 0x28,
       DISPON = 0x29,
       CASET = 0x2A,
       PASET = 0x2B,
       RAMWR = 0x2C,
       RAMRD = 0x2E,
       PTLAR = 0x30,
       VSCRDEF = 0x33,
       TEOFF = 0x34,
       TEON = 0x35,
       MADCTL = 0x36,
       VSCRSADD = 0x37,
       IDMOFF = 0x38,
       IDMON = 0x39,
       COLMOD = 0x3A,
       RAMWRC = 0x3C,
       RAMRDC = 0x3E,
       DISCTRL = 0xB6, /* ILI9341: display function control */
       RDID1 = 0xDA,
       RDID2 = 0xDB,
       RDID3 = 0xDC,
       RDID4 = 0xD3
};

/* ---- power and reset ---- */

static void registers_default(panel_t *p)
{
    p->madctl = 0;
    p->colmod = 0x66;
    p->disctrl2 = 0x82;
    p->sc = p->sp = 0;
    p->ec = COLUMNS - 1;
    p->ep = ROWS - 1;
    p->tfa = p->bfa = p->vsp = 0;
    p->vsa = ROWS;
    p->sr = 0;
    p->er = ROWS - 1;
    p->sleeping = true;
    p->on = p->inverted = p->idle = p->partial = p->scrolling = p->te_on = false;
    p->command = NOP;
    p->arg_count = p->held_count = p->read_at = 0;
    p->column = p->page = 0;
    p->picture_revision++;
    sim_chip_changed(&p->chip);
}

static void panel_power_on(sim_chip_t *c, uint64_t now_us)
{
    panel_t *p = (panel_t *)c;
    uint32_t noise = 0x1234567;
    registers_default(p);
    p->awake_us = now_us;
    for (size_t i = 0; i < COLUMNS * ROWS; i++) { /* frame memory wakes with garbage in it */
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        p->memory[i] = noise & 0xFCFCFC;
    }
    p->backlight = p->has_backlight ? 0 : 1;
}

static adder_err_t create(sim_chip_t *c, const cJSON *config, const model_t *model, char *msg, size_t cap)
{
    panel_t *p = (panel_t *)c;
    double mount = 0;
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(config, "glass");
    const cJSON *offset = cJSON_GetObjectItemCaseSensitive(config, "glass_offset");
    const cJSON *inverted = cJSON_GetObjectItemCaseSensitive(config, "inverted_glass");
    double wh[2] = {COLUMNS, ROWS}, at[2] = {0, 0};
    p->model = model;
    p->bgr_glass = model->bgr_glass;
    p->mirrored_glass = model->mirrored_glass;
    p->inverted_glass = inverted != NULL ? cJSON_IsTrue(inverted) : model->inverted_glass;
    adder_err_t err = chip_number(config, "mount", 0, 270, &mount, msg, cap);
    if (err == ADDER_OK && (int)mount % 90 != 0) {
        snprintf(msg, cap, "mount: 0, 90, 180 or 270 degrees are wanted");
        err = ADDER_ERR_FORMAT;
    }
    if (err == ADDER_OK && size != NULL)
        err = chip_pair(size, "glass", 1, ROWS, wh, msg, cap);
    if (err == ADDER_OK && offset != NULL)
        err = chip_pair(offset, "glass_offset", 0, ROWS - 1, at, msg, cap);
    if (err == ADDER_OK && (at[0] + wh[0] > COLUMNS || at[1] + wh[1] > ROWS)) {
        snprintf(msg, cap, "glass: does not fit into the %dx%d frame memory", COLUMNS, ROWS);
        err = ADDER_ERR_FORMAT;
    }
    p->mount = (unsigned)mount;
    const bool sideways = p->mount % 180 != 0;
    p->next_column = sideways ? ROWS : 1;
    p->next_row = sideways ? 1 : COLUMNS;
    p->glass_w = (unsigned)wh[0];
    p->glass_h = (unsigned)wh[1];
    p->left = (unsigned)at[0];
    p->top = (unsigned)at[1];
    const cJSON *light =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(config, "wires"), "backlight");
    p->has_backlight = cJSON_IsString(light);
    p->drawn_revision = UINT64_MAX;
    return err;
}

static const model_t ili9341 = {
    .id4 = {0x93, 0x41}, .bgr_glass = true, .mirrored_glass = true, .has_disctrl = true};
static const model_t st7789 = {.id = {0x85, 0x85, 0x52}, .inverted_glass = true};

static adder_err_t ili9341_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    return create(c, config, &ili9341, msg, cap);
}

static adder_err_t st7789_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    return create(c, config, &st7789, msg, cap);
}

/* ---- frame memory through the window ---- */

/* Window coordinates to a memory index as start and steps: one addition per pixel. */
typedef struct {
    int32_t start, per_column, per_page;
    unsigned columns, pages; /* how far the window's axes reach */
} walk_t;

static walk_t walk(const panel_t *p)
{
    const bool mv = (p->madctl & MV) != 0, mx = (p->madctl & MX) != 0, my = (p->madctl & MY) != 0;
    const int32_t x_step = mx ? -p->next_column : p->next_column;
    const int32_t y_step = my ? -p->next_row : p->next_row;
    return (walk_t){
        .start = (mx ? (COLUMNS - 1) * p->next_column : 0) + (my ? (ROWS - 1) * p->next_row : 0),
        .per_column = mv ? y_step : x_step,
        .per_page = mv ? x_step : y_step,
        .columns = mv ? ROWS : COLUMNS,
        .pages = mv ? COLUMNS : ROWS,
    };
}

static void advance(panel_t *p, unsigned pixels)
{
    p->column = (uint16_t)(p->column + pixels);
    if (p->column > p->ec) {
        p->column = p->sc;
        p->page = p->page >= p->ep ? p->sp : (uint16_t)(p->page + 1);
    }
}

static inline uint32_t from_565(uint32_t v)
{
    /* all three fields moved to the top of their bytes, then the top bits repeated below */
    const uint32_t r = (v & 0xF800) << 8, g = (v & 0x07E0) << 5, b = (v & 0x001F) << 3;
    return r | (r >> 5 & 0x070000) | g | (g >> 6 & 0x000300) | b | b >> 5;
}

static inline uint32_t from_666(const uint8_t *in)
{
    const uint32_t r = in[0] & 0xFCu, g = in[1] & 0xFCu, b = in[2] & 0xFCu;
    return (r | r >> 6) << 16 | (g | g >> 6) << 8 | (b | b >> 6);
}

/* Whole pixels of one window row, `count` at most up to its end. */
static void store_run(panel_t *p, const walk_t *w, const uint8_t *in, unsigned count,
                      unsigned bytes_per_pixel)
{
    if (p->page >= w->pages || p->column >= w->columns)
        return; /* outside the memory: goes nowhere */
    if (count > w->columns - p->column)
        count = w->columns - p->column;
    int32_t at = w->start + p->column * w->per_column + p->page * w->per_page;
    const int32_t step = w->per_column;
    if (bytes_per_pixel == 2)
        for (unsigned i = 0; i < count; i++, at += step)
            p->memory[at] = from_565((uint32_t)in[2 * i] << 8 | in[2 * i + 1]);
    else
        for (unsigned i = 0; i < count; i++, at += step)
            p->memory[at] = from_666(in + (size_t)3 * i);
}

static unsigned pixel_bytes(const panel_t *p)
{
    return (p->colmod & 7) == 5 ? 2 : 3;
}

static void write_pixels(panel_t *p, const uint8_t *in, size_t len)
{
    const unsigned size = pixel_bytes(p);
    const walk_t w = walk(p);
    p->picture_revision++;
    while (len > 0 && p->held_count > 0) { /* a pixel cut by the end of the last transfer */
        p->held[p->held_count++] = *in++;
        len--;
        if (p->held_count == size) {
            store_run(p, &w, p->held, 1, size);
            advance(p, 1);
            p->pixels++;
            p->held_count = 0;
        }
    }
    while (len >= size) {
        const size_t row_left = p->column <= p->ec ? (size_t)(p->ec - p->column) + 1 : 1;
        const size_t have = len / size;
        const unsigned run = (unsigned)(have < row_left ? have : row_left);
        store_run(p, &w, in, run, size);
        advance(p, run);
        p->pixels += run;
        in += (size_t)run * size;
        len -= (size_t)run * size;
    }
    while (len-- > 0)
        p->held[p->held_count++] = *in++;
}

/* ---- commands ---- */

static uint16_t word(const panel_t *p, unsigned at)
{
    return (uint16_t)(p->args[at] << 8 | p->args[at + 1]);
}

static void show(panel_t *p)
{
    p->picture_revision++;
    sim_chip_changed(&p->chip);
}

static void flag(panel_t *p, bool *which, bool value)
{
    if (*which != value) {
        *which = value;
        show(p);
    }
}

/* Commands that act at once. */
static void begin_command(panel_t *p, uint8_t command)
{
    p->commands++;
    p->command = command;
    p->arg_count = p->read_at = 0;
    if (command != RAMWRC && command != RAMRDC)
        p->held_count = 0;
    switch (command) {
    case SWRESET:
        p->resets++;
        registers_default(p);
        break;
    case SLPIN:
        flag(p, &p->sleeping, true);
        break;
    case SLPOUT:
        flag(p, &p->sleeping, false);
        break;
    case PTLON:
        p->scrolling = false;
        flag(p, &p->partial, true);
        break;
    case NORON:
        p->partial = p->scrolling = false;
        show(p);
        break;
    case INVOFF:
    case INVON:
        flag(p, &p->inverted, command == INVON);
        break;
    case DISPOFF:
    case DISPON:
        flag(p, &p->on, command == DISPON);
        break;
    case IDMOFF:
    case IDMON:
        flag(p, &p->idle, command == IDMON);
        break;
    case TEOFF:
    case TEON:
        p->te_on = command == TEON;
        break;
    case RAMWR:
        p->areas++;
        p->column = p->sc;
        p->page = p->sp;
        break;
    case RAMRD:
        p->column = p->sc;
        p->page = p->sp;
        break;
    default:
        break;
    }
}

/* Each parameter as it comes: registers take effect when their last byte is there. */
static void take_argument(panel_t *p, uint8_t byte)
{
    if (p->arg_count >= sizeof p->args)
        return;
    p->args[p->arg_count++] = byte;
    const unsigned n = p->arg_count;
    switch (p->command) {
    case CASET:
        if (n == 2)
            p->sc = word(p, 0);
        else if (n == 4)
            p->ec = word(p, 2);
        p->rejected += n == 4 && p->sc > p->ec;
        break;
    case PASET:
        if (n == 2)
            p->sp = word(p, 0);
        else if (n == 4)
            p->ep = word(p, 2);
        p->rejected += n == 4 && p->sp > p->ep;
        break;
    case PTLAR:
        if (n == 4) {
            p->sr = word(p, 0);
            p->er = word(p, 2);
            show(p);
        }
        break;
    case VSCRDEF:
        if (n == 6) {
            p->tfa = word(p, 0);
            p->vsa = word(p, 2);
            p->bfa = word(p, 4);
            show(p);
        }
        break;
    case VSCRSADD:
        if (n == 2) {
            p->vsp = word(p, 0);
            p->scrolling = true;
            show(p);
        }
        break;
    case MADCTL:
        if (n == 1) {
            p->madctl = byte;
            show(p); /* the colour order acts at once */
        }
        break;
    case COLMOD:
        if (n == 1)
            p->colmod = byte;
        break;
    case DISCTRL:
        if (n == 2 && p->model->has_disctrl) {
            p->disctrl2 = byte;
            show(p);
        }
        break;
    default:
        break; /* gamma, power, timing: no effect that a viewer sees */
    }
}

static void data_in(panel_t *p, const uint8_t *in, size_t len)
{
    if (p->command == RAMWR || p->command == RAMWRC) {
        write_pixels(p, in, len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        take_argument(p, in[i]);
}

/* ---- reading (4-wire SPI) ---- */

static uint8_t power_mode(const panel_t *p)
{
    return (uint8_t)(0x80 | (p->idle ? 0x40 : 0) | (p->partial ? 0x20 : 0) | (p->sleeping ? 0 : 0x10) |
                     (p->partial ? 0 : 0x08) | (p->on ? 0x04 : 0));
}

/* The n-th byte the chip gives after a read command, before the dummy clock. */
static uint8_t register_byte(const panel_t *p, unsigned n)
{
    switch (p->command) {
    case RDDID:
        return n < 3 ? p->model->id[n] : 0;
    case RDDST:
        switch (n) {
        case 0:
            return (uint8_t)(0x80 | (p->madctl & 0xFC) >> 1);
        case 1:
            return (uint8_t)((p->colmod & 7) << 4 | (p->idle ? 8 : 0) | (p->partial ? 4 : 0) |
                             (p->sleeping ? 0 : 2) | (p->partial ? 0 : 1));
        case 2:
            return (uint8_t)((p->scrolling ? 0x80 : 0) | (p->inverted ? 0x20 : 0) | (p->on ? 4 : 0) |
                             (p->te_on ? 2 : 0));
        default:
            return 0;
        }
    case RDDPM:
        return power_mode(p);
    case RDDMADCTL:
        return p->madctl & 0xFC;
    case RDDCOLMOD:
        return p->colmod;
    case RDDIM:
        return p->inverted ? 0x20 : 0;
    case RDDSM:
        return p->te_on ? 0x80 : 0;
    case RDDSDR:
        return p->sleeping ? 0 : 0xC0;
    case RDID1:
    case RDID2:
    case RDID3:
        return p->model->id[p->command - RDID1];
    case RDID4: /* dummy byte, 00, then the model */
        return n == 2 ? p->model->id4[0] : n == 3 ? p->model->id4[1] : 0;
    default:
        return 0xFF;
    }
}

static bool is_read(const panel_t *p)
{
    return register_byte(p, 0) != 0xFF || p->command == RAMRD || p->command == RAMRDC;
}

static uint8_t memory_byte(panel_t *p, bool step)
{
    const walk_t w = walk(p);
    const unsigned n = p->read_at - 1; /* one dummy byte first */
    uint32_t pixel = 0;
    if (p->read_at == 0)
        return 0;
    if (p->page < w.pages && p->column < w.columns)
        pixel = p->memory[w.start + p->column * w.per_column + p->page * w.per_page];
    const uint8_t byte = (uint8_t)(pixel >> (16 - 8 * (n % 3))) & 0xFC; /* always 18 bits */
    if (step && n % 3 == 2)
        advance(p, 1);
    return byte;
}

static uint8_t next_out(panel_t *p, bool step)
{
    uint8_t byte;
    if (p->command == RAMRD || p->command == RAMRDC) {
        byte = memory_byte(p, step);
    } else if (p->command == RDDID || p->command == RDDST) { /* one dummy clock: all bits one later */
        const unsigned before = p->read_at > 0 ? register_byte(p, p->read_at - 1) : 0;
        byte = (uint8_t)(before << 7 | register_byte(p, p->read_at) >> 1);
    } else {
        byte = register_byte(p, p->read_at);
    }
    if (step)
        p->read_at++;
    return byte;
}

/* ---- what the core calls ---- */

static void panel_bytes(panel_t *p, const uint8_t *in, uint8_t *out, size_t len)
{
    if (sim_chip_level(&p->chip, PIN_RESET) == SIM_LOW)
        return;
    if (sim_chip_level(&p->chip, PIN_DC) == SIM_LOW) {
        for (size_t i = 0; i < len; i++)
            begin_command(p, in[i]);
    } else if (out != NULL && is_read(p)) {
        for (size_t i = 0; i < len; i++)
            out[i] = next_out(p, true);
    } else {
        data_in(p, in, len);
    }
}

static void panel_spi(sim_chip_t *c, const uint8_t *in, uint8_t *out, size_t len, uint64_t now_us)
{
    (void)now_us;
    panel_bytes((panel_t *)c, in, out, len);
}

static uint8_t panel_spi_peek(sim_chip_t *c)
{
    panel_t *p = (panel_t *)c;
    return sim_chip_level(c, PIN_DC) != SIM_LOW && is_read(p) ? next_out(p, false) : 0xFF;
}

static void panel_par8(sim_chip_t *c, const uint8_t *in, size_t len, uint64_t now_us)
{
    (void)now_us;
    panel_bytes((panel_t *)c, in, NULL, len);
}

static void set_backlight(panel_t *p, float level)
{
    if (p->backlight != level) {
        p->backlight = level;
        show(p);
    }
}

static void panel_pin(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    panel_t *p = (panel_t *)c;
    (void)now_us;
    if (pin == PIN_RESET && level == SIM_LOW) {
        p->resets++;
        registers_default(p);
    } else if (pin == PIN_BACKLIGHT) {
        set_backlight(p, level == SIM_HIGH ? 1 : 0);
    }
}

static void panel_pwm(sim_chip_t *c, unsigned pin, uint32_t hz, uint16_t duty)
{
    (void)hz;
    if (pin == PIN_BACKLIGHT)
        set_backlight((panel_t *)c, (float)duty / 65535.0F);
}

static const char *panel_power_state(sim_chip_t *c)
{
    const panel_t *p = (const panel_t *)c;
    if (p->backlight > 0)
        return p->sleeping ? "lit" : "on";
    return p->sleeping ? "sleep" : "dark";
}

static void panel_describe(sim_chip_t *c, cJSON *into)
{
    const panel_t *p = (const panel_t *)c;
    cJSON_AddBoolToObject(into, "on", p->on);
    cJSON_AddBoolToObject(into, "sleeping", p->sleeping);
    cJSON_AddBoolToObject(into, "inverted", p->inverted);
    cJSON_AddNumberToObject(into, "backlight", round((double)p->backlight * 1000) / 1000);
}

static const sim_counter_t *panel_counters(sim_chip_t *c, size_t *n_out)
{
    panel_t *p = (panel_t *)c;
    const uint64_t screen = (uint64_t)p->glass_w * p->glass_h;
    const sim_counter_t counters[] = {{"commands", p->commands}, {"areas", p->areas},
                                      {"pixels", p->pixels},     {"full_frames", p->pixels / screen},
                                      {"resets", p->resets},     {"bad_windows", p->rejected}};
    _Static_assert(sizeof counters == sizeof p->counters, "room for all");
    memcpy(p->counters, counters, sizeof counters);
    *n_out = sizeof counters / sizeof counters[0];
    return p->counters;
}

static const uint32_t *panel_picture(sim_chip_t *c, unsigned *width_out, unsigned *height_out,
                                     uint64_t *revision_out)
{
    panel_t *p = (panel_t *)c;
    const bool turned = p->mount % 180 != 0;
    *width_out = turned ? p->glass_h : p->glass_w;
    *height_out = turned ? p->glass_w : p->glass_h;
    *revision_out = p->picture_revision;
    if (p->drawn_revision != p->picture_revision) {
        panel_draw(p);
        p->drawn_revision = p->picture_revision;
    }
    return p->picture;
}

#define PANEL_CLASS(type_, title_)                                                                           \
    {                                                                                                        \
        .type = #type_, .title = title_, .pins = panel_pins, .size = sizeof(panel_t),                        \
        .create = type_##_create, .power_on = panel_power_on, .pin_changed = panel_pin,                      \
        .spi_transfer = panel_spi, .spi_peek = panel_spi_peek, .par8_write = panel_par8, .pwm = panel_pwm,   \
        .power_state = panel_power_state, .describe = panel_describe, .counters = panel_counters,            \
        .picture = panel_picture,                                                                            \
    }

const sim_chip_class_t sim_chip_ili9341 = PANEL_CLASS(ili9341, "TFT display, ILI9341");
const sim_chip_class_t sim_chip_st7789 = PANEL_CLASS(st7789, "TFT display, ST7789");
