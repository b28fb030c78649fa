/* SSD1306: monochrome OLED controller on I2C. Solomon Systech data sheet rev. 1.1; chapter 9 lists the
 * commands. Each transfer starts with control bytes: bit 7 (Co) = one byte follows, then another
 * control byte; bit 6 (D/C#) = that is data for the memory, not a command. */
#include <string.h>

#include "sim/chips/chips.h"

enum { COLUMNS = 128, PAGES = 8, ROWS = 64 };
enum { PIN_SCL, PIN_SDA, PIN_RESET };
static const char *const oled_pins[] = {"scl", "sda", "reset", NULL};
enum { HORIZONTAL, VERTICAL, PAGE };

typedef struct {
    sim_chip_t chip;
    uint8_t addr7;
    unsigned width, height;
    uint8_t memory[PAGES][COLUMNS];

    uint8_t contrast, addressing, mux, start_line, offset, com_pins;
    bool on, inverted, all_on, remap_segments, remap_coms, charge_pump;
    uint8_t column, column_start, column_end, page, page_start, page_end;

    uint8_t command, args[6];
    unsigned args_have, args_want;

    uint64_t commands, data_bytes;
    sim_counter_t counters[2];
    uint64_t picture_revision, drawn_revision;
    uint32_t picture[COLUMNS * ROWS];
} oled_t;

static void registers_default(oled_t *o)
{
    o->contrast = 0x7F;
    o->addressing = PAGE;
    o->mux = ROWS - 1;
    o->start_line = o->offset = 0;
    o->com_pins = 0x12;
    o->on = o->inverted = o->all_on = o->remap_segments = o->remap_coms = o->charge_pump = false;
    o->column = o->column_start = o->page = o->page_start = 0;
    o->column_end = COLUMNS - 1;
    o->page_end = PAGES - 1;
    o->args_want = 0;
    o->picture_revision++;
    sim_chip_changed(&o->chip);
}

static adder_err_t oled_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    oled_t *o = (oled_t *)c;
    double address = 0x3C, width = COLUMNS, height = ROWS;
    adder_err_t err = chip_number(config, "address", 0x3C, 0x3D, &address, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "width", 1, COLUMNS, &width, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "height", 8, ROWS, &height, msg, cap);
    o->addr7 = (uint8_t)address;
    o->width = (unsigned)width;
    o->height = (unsigned)height;
    o->drawn_revision = UINT64_MAX;
    return err;
}

static void oled_power_on(sim_chip_t *c, uint64_t now_us)
{
    (void)now_us;
    registers_default((oled_t *)c);
}

static void oled_pin(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    (void)now_us;
    if (pin == PIN_RESET && level == SIM_LOW)
        registers_default((oled_t *)c);
}

/* ---- commands ---- */

static unsigned arguments_of(uint8_t command)
{
    switch (command) {
    case 0x20: /* addressing mode */
    case 0x81: /* contrast */
    case 0x8D: /* charge pump */
    case 0xA8: /* multiplex ratio */
    case 0xD3: /* display offset */
    case 0xD5: /* clock */
    case 0xD9: /* pre-charge */
    case 0xDA: /* COM pins */
    case 0xDB: /* VCOMH */
        return 1;
    case 0x21: /* column window */
    case 0x22: /* page window */
    case 0xA3: /* scroll area */
        return 2;
    case 0x26: /* scrolls; accepted, not shown */
    case 0x27:
        return 6;
    case 0x29:
    case 0x2A:
        return 5;
    default:
        return 0;
    }
}

static void execute(oled_t *o)
{
    const uint8_t c = o->command, *a = o->args;
    o->commands++;
    if (c <= 0x0F) {
        o->column = (uint8_t)((o->column & 0xF0) | c);
    } else if (c <= 0x1F) {
        o->column = (uint8_t)((o->column & 0x0F) | (c & 7) << 4);
    } else if (c == 0x20) {
        o->addressing = (a[0] & 3) == 3 ? PAGE : a[0] & 3;
    } else if (c == 0x21) {
        o->column = o->column_start = a[0] & 0x7F;
        o->column_end = a[1] & 0x7F;
    } else if (c == 0x22) {
        o->page = o->page_start = a[0] & 7;
        o->page_end = a[1] & 7;
    } else if (c >= 0x40 && c <= 0x7F) {
        o->start_line = c & 0x3F;
    } else if (c == 0x81) {
        o->contrast = a[0];
    } else if (c == 0x8D) {
        o->charge_pump = (a[0] & 4) != 0;
    } else if (c == 0xA0 || c == 0xA1) {
        o->remap_segments = c == 0xA1;
    } else if (c == 0xA4 || c == 0xA5) {
        o->all_on = c == 0xA5;
    } else if (c == 0xA6 || c == 0xA7) {
        o->inverted = c == 0xA7;
    } else if (c == 0xA8) {
        o->mux = (a[0] & 0x3F) >= 15 ? a[0] & 0x3F : o->mux;
    } else if (c == 0xAE || c == 0xAF) {
        o->on = c == 0xAF;
    } else if (c >= 0xB0 && c <= 0xB7) {
        o->page = c & 7;
    } else if (c == 0xC0 || c == 0xC8) {
        o->remap_coms = c == 0xC8;
    } else if (c == 0xD3) {
        o->offset = a[0] & 0x3F;
    } else if (c == 0xDA) {
        o->com_pins = a[0];
    }
    o->picture_revision++;
    sim_chip_changed(&o->chip);
}

static void command_byte(oled_t *o, uint8_t byte)
{
    if (o->args_want == 0) {
        o->command = byte;
        o->args_have = 0;
        o->args_want = arguments_of(byte);
    } else {
        o->args[o->args_have++] = byte;
    }
    if (o->args_have == o->args_want) {
        o->args_want = o->args_have = 0;
        execute(o);
    }
}

static void data_byte(oled_t *o, uint8_t byte)
{
    o->memory[o->page & 7][o->column & 0x7F] = byte;
    o->data_bytes++;
    switch (o->addressing) {
    case PAGE:
        o->column = (uint8_t)((o->column + 1) & 0x7F);
        break;
    case HORIZONTAL:
        if (o->column != o->column_end) {
            o->column = (uint8_t)((o->column + 1) & 0x7F);
            break;
        }
        o->column = o->column_start;
        o->page = o->page == o->page_end ? o->page_start : (uint8_t)((o->page + 1) & 7);
        break;
    default:
        if (o->page != o->page_end) {
            o->page = (uint8_t)((o->page + 1) & 7);
            break;
        }
        o->page = o->page_start;
        o->column = o->column == o->column_end ? o->column_start : (uint8_t)((o->column + 1) & 0x7F);
        break;
    }
}

static adder_err_t oled_xfer(sim_chip_t *c, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                             size_t rd_len, uint64_t now_us)
{
    oled_t *o = (oled_t *)c;
    (void)now_us;
    if (addr7 != o->addr7)
        return ADDER_ERR_NOT_FOUND;
    if (sim_chip_level(c, PIN_RESET) == SIM_LOW)
        return ADDER_ERR_NOT_FOUND;
    for (size_t i = 0; i < wr_len;) {
        const uint8_t control = wr[i++];
        const size_t n = (control & 0x80) != 0 ? (i < wr_len ? 1 : 0) : wr_len - i;
        for (size_t k = 0; k < n; k++)
            if ((control & 0x40) != 0)
                data_byte(o, wr[i + k]);
            else
                command_byte(o, wr[i + k]);
        i += n;
        if ((control & 0x40) != 0)
            o->picture_revision++;
    }
    if (rd_len > 0)
        memset(rd, o->on ? 0x00 : 0x40, rd_len); /* status: bit 6 = display off */
    return ADDER_OK;
}

/* ---- the picture ---- */

/* Module wiring as on the usual boards: with segment and COM remap on (A1, C8) the glass is upright. */
static void draw(oled_t *o)
{
    memset(o->picture, 0, sizeof o->picture);
    if (!o->on || !o->charge_pump)
        return;
    const uint32_t white = 0x010101u * (uint32_t)(96 + o->contrast * 159 / 255);
    for (unsigned y = 0; y < o->height; y++) {
        const unsigned com = o->remap_coms ? y : o->height - 1 - y;
        const unsigned row = (com + o->start_line + o->offset) % ROWS;
        for (unsigned x = 0; x < o->width; x++) {
            const unsigned column = o->remap_segments ? x : COLUMNS - 1 - x;
            bool lit = (o->memory[row / 8][column] >> (row % 8) & 1) != 0;
            lit = (lit || o->all_on) != o->inverted;
            o->picture[y * o->width + x] = lit && com <= o->mux ? white : 0;
        }
    }
}

static const uint32_t *oled_picture(sim_chip_t *c, unsigned *width_out, unsigned *height_out,
                                    uint64_t *revision_out)
{
    oled_t *o = (oled_t *)c;
    *width_out = o->width;
    *height_out = o->height;
    *revision_out = o->picture_revision;
    if (o->drawn_revision != o->picture_revision) {
        draw(o);
        o->drawn_revision = o->picture_revision;
    }
    return o->picture;
}

static void oled_describe(sim_chip_t *c, cJSON *into)
{
    const oled_t *o = (const oled_t *)c;
    cJSON_AddBoolToObject(into, "on", o->on);
    cJSON_AddBoolToObject(into, "inverted", o->inverted);
    cJSON_AddNumberToObject(into, "contrast", o->contrast);
}

static const sim_counter_t *oled_counters(sim_chip_t *c, size_t *n_out)
{
    oled_t *o = (oled_t *)c;
    o->counters[0] = (sim_counter_t){"commands", o->commands};
    o->counters[1] = (sim_counter_t){"data_bytes", o->data_bytes};
    *n_out = 2;
    return o->counters;
}

static const char *oled_power_state(sim_chip_t *c)
{
    return ((const oled_t *)c)->on ? "on" : "sleep";
}

const sim_chip_class_t sim_chip_ssd1306 = {
    .type = "ssd1306",
    .title = "OLED display, SSD1306",
    .pins = oled_pins,
    .size = sizeof(oled_t),
    .create = oled_create,
    .power_on = oled_power_on,
    .pin_changed = oled_pin,
    .i2c_xfer = oled_xfer,
    .describe = oled_describe,
    .counters = oled_counters,
    .picture = oled_picture,
    .power_state = oled_power_state,
};
