#include "adder/display/terminal.h"

#include <string.h>

enum { ST_GROUND, ST_ESC, ST_CSI, ST_CSI_IGNORE, ST_OSC_NUMBER, ST_OSC_TEXT, ST_OSC_ESC };

enum { CHAR_BEL = 7, CHAR_BS = 8, CHAR_TAB = 9, CHAR_LF = 10, CHAR_CR = 13, CHAR_ESC = 27 };

#define TAB_SPACES 4
#define PARAM_MAX 9999u

/* ---- cells ---- */

static uint16_t rows(const adder_terminal_t *t)
{
    return t->text->height;
}
static uint16_t columns(const adder_terminal_t *t)
{
    return t->text->width;
}

/* Rows are counted as seen; the grid's own numbering turns under them when the text scrolls. */
static uint16_t grid_row(const adder_terminal_t *t, uint16_t row)
{
    return (uint16_t)(((uint32_t)row + t->text->scroll_y) % rows(t));
}

static void put_cell(adder_terminal_t *t, uint16_t x, uint16_t row, uint16_t tile)
{
    ADDER_IGNORE(adder_tilegrid_set(t->text, x, grid_row(t, row), tile), "inside by construction");
}

static void clear_cells(adder_terminal_t *t, uint16_t row, uint16_t from, uint16_t to)
{
    for (uint16_t x = from; x < to; x++)
        put_cell(t, x, row, t->priv.blank);
}

static void copy_row(adder_terminal_t *t, uint16_t to, uint16_t from)
{
    for (uint16_t x = 0; x < columns(t); x++) {
        uint16_t tile;
        if (adder_tilegrid_get(t->text, x, grid_row(t, from), &tile) == ADDER_OK)
            put_cell(t, x, to, tile);
    }
}

static bool region_is_all(const adder_terminal_t *t)
{
    return t->priv.region_top == 0 && t->priv.region_bottom == rows(t) - 1;
}

static void scroll_up(adder_terminal_t *t)
{
    if (region_is_all(t)) {
        t->text->scroll_y = grid_row(t, 1);
    } else {
        for (uint16_t row = t->priv.region_top; row < t->priv.region_bottom; row++)
            copy_row(t, row, (uint16_t)(row + 1));
    }
    clear_cells(t, t->priv.region_bottom, 0, columns(t));
}

static void scroll_down(adder_terminal_t *t)
{
    if (region_is_all(t)) {
        t->text->scroll_y = grid_row(t, (uint16_t)(rows(t) - 1));
    } else {
        for (uint16_t row = t->priv.region_bottom; row > t->priv.region_top; row--)
            copy_row(t, row, (uint16_t)(row - 1));
    }
    clear_cells(t, t->priv.region_top, 0, columns(t));
}

static void line_feed(adder_terminal_t *t)
{
    if (t->cursor_y == t->priv.region_bottom)
        scroll_up(t);
    else if (t->cursor_y < rows(t) - 1)
        t->cursor_y++;
}

static void reverse_feed(adder_terminal_t *t)
{
    if (t->cursor_y == t->priv.region_top)
        scroll_down(t);
    else if (t->cursor_y > 0)
        t->cursor_y--;
}

static void put_tile(adder_terminal_t *t, uint16_t tile)
{
    put_cell(t, t->cursor_x, t->cursor_y, tile);
    if (++t->cursor_x >= columns(t)) {
        t->cursor_x = 0;
        line_feed(t);
    }
}

static void put_character(adder_terminal_t *t, uint32_t code_point)
{
    uint16_t tile;
    if (adder_font_glyph(t->font, code_point, &tile))
        put_tile(t, tile);
}

/* ---- colours: the palette of the whole terminal, 0 background, 1 text ---- */

static adder_palette_t *palette_of(const adder_terminal_t *t)
{
    const adder_shader_t *s = &t->text->priv.shader;
    return s->kind == ADDER_SHADER_IS_PALETTE ? s->of.palette : NULL;
}

static uint32_t ansi_color(unsigned n)
{
    return ((n & 1u) != 0 ? 0xFF0000u : 0) | ((n & 2u) != 0 ? 0x00FF00u : 0) |
           ((n & 4u) != 0 ? 0x0000FFu : 0);
}

static void select_rendition(adder_terminal_t *t, uint16_t code)
{
    adder_palette_t *p = palette_of(t);
    if (p == NULL)
        return;
    if (code == 0) {
        adder_palette_set(p, 0, t->priv.default_bg);
        adder_palette_set(p, 1, t->priv.default_fg);
    } else if (code >= 30 && code <= 37) {
        adder_palette_set(p, 1, ansi_color(code - 30u));
    } else if (code >= 40 && code <= 47) {
        adder_palette_set(p, 0, ansi_color(code - 40u));
    }
}

/* ---- sequences ---- */

static uint16_t param(const adder_terminal_t *t, unsigned i, uint16_t otherwise)
{
    return i < t->priv.param_count && t->priv.params[i] != 0 ? t->priv.params[i] : otherwise;
}

static void erase_line(adder_terminal_t *t, uint16_t how)
{
    if (how == 0)
        clear_cells(t, t->cursor_y, t->cursor_x, columns(t));
    else if (how == 1)
        clear_cells(t, t->cursor_y, 0, (uint16_t)(t->cursor_x + 1));
    else if (how == 2)
        clear_cells(t, t->cursor_y, 0, columns(t));
}

static uint16_t at_most(uint16_t v, uint16_t most)
{
    return v < most ? v : most;
}

static void set_region(adder_terminal_t *t)
{
    const uint16_t last = (uint16_t)(rows(t) - 1);
    const uint16_t top = at_most((uint16_t)(param(t, 0, 1) - 1), last);
    const uint16_t bottom = at_most((uint16_t)(param(t, 1, rows(t)) - 1), last);
    t->priv.region_top = top < bottom ? top : 0;
    t->priv.region_bottom = top < bottom ? bottom : last;
    t->cursor_x = t->cursor_y = 0;
}

static void run_csi(adder_terminal_t *t, uint8_t final)
{
    switch (final) {
    case 'K':
        erase_line(t, param(t, 0, 0));
        break;
    case 'D':
        t->cursor_x = (uint16_t)(t->cursor_x - at_most(param(t, 0, 1), t->cursor_x));
        break;
    case 'J':
        if (param(t, 0, 0) == 2) {
            t->text->scroll_y = 0;
            t->cursor_x = t->cursor_y = 0;
            adder_tilegrid_set_all(t->text, t->priv.blank);
        }
        break;
    case 'H':
        t->cursor_y = at_most((uint16_t)(param(t, 0, 1) - 1), (uint16_t)(rows(t) - 1));
        t->cursor_x = at_most((uint16_t)(param(t, 1, 1) - 1), (uint16_t)(columns(t) - 1));
        break;
    case 'r':
        set_region(t);
        break;
    case 'm':
        if (t->priv.param_count == 0)
            select_rendition(t, 0);
        for (unsigned i = 0; i < t->priv.param_count; i++)
            select_rendition(t, t->priv.params[i]);
        break;
    default:
        break;
    }
}

static void begin_params(adder_terminal_t *t, uint8_t state)
{
    t->priv.state = state;
    t->priv.param_count = 0;
    t->priv.param_given = false;
    memset(t->priv.params, 0, sizeof t->priv.params);
}

static void add_digit(adder_terminal_t *t, uint8_t c)
{
    if (!t->priv.param_given) {
        t->priv.param_given = true;
        if (t->priv.param_count < ADDER_TERMINAL_PARAMS)
            t->priv.param_count++;
        else
            return; /* more than we keep: their values do not matter */
    }
    uint16_t *p = &t->priv.params[t->priv.param_count - 1];
    const uint32_t v = *p * 10u + (uint32_t)(c - '0');
    *p = (uint16_t)(v > PARAM_MAX ? PARAM_MAX : v);
}

static void end_param(adder_terminal_t *t)
{
    if (!t->priv.param_given && t->priv.param_count < ADDER_TERMINAL_PARAMS)
        t->priv.param_count++; /* an empty one: 0 */
    t->priv.param_given = false;
}

static void csi_byte(adder_terminal_t *t, uint8_t c)
{
    if (c == CHAR_ESC) {
        t->priv.state = ST_ESC;
    } else if (c >= 0x40 && c <= 0x7E) {
        const bool known = t->priv.state == ST_CSI;
        t->priv.state = ST_GROUND;
        if (known)
            run_csi(t, c);
    } else if (c >= '0' && c <= '9') {
        add_digit(t, c);
    } else if (c == ';') {
        end_param(t);
    } else {
        t->priv.state = ST_CSI_IGNORE; /* private and intermediate bytes: no sequence of ours has them */
    }
}

/* ---- the status bar ---- */

static void title_begin(adder_terminal_t *t)
{
    t->priv.status_x = t->priv.status_y = 0;
    if (t->status != NULL && t->priv.osc == 0)
        adder_tilegrid_set_all(t->status, t->priv.blank);
}

static void title_character(adder_terminal_t *t, uint32_t code_point)
{
    uint16_t tile;
    if (t->status == NULL || t->priv.osc != 0 || t->priv.status_y >= t->status->height ||
        !adder_font_glyph(t->font, code_point, &tile))
        return;
    ADDER_IGNORE(adder_tilegrid_set(t->status, t->priv.status_x, t->priv.status_y, tile), "inside");
    if (++t->priv.status_x >= t->status->width) {
        t->priv.status_x = 0;
        t->priv.status_y++;
    }
}

/* ---- characters ---- */

static void control(adder_terminal_t *t, uint32_t c)
{
    switch (c) {
    case CHAR_CR:
        t->cursor_x = 0;
        break;
    case CHAR_LF:
        line_feed(t);
        break;
    case CHAR_BS:
        if (t->cursor_x > 0)
            t->cursor_x--;
        break;
    case CHAR_TAB:
        for (int i = 0; i < TAB_SPACES; i++)
            put_character(t, ' ');
        break;
    case CHAR_ESC:
        t->priv.state = ST_ESC;
        break;
    default:
        break;
    }
}

static void character(adder_terminal_t *t, uint32_t c)
{
    switch (t->priv.state) {
    case ST_GROUND:
        if (c < 0x20 || c == 0x7F)
            control(t, c);
        else
            put_character(t, c);
        break;
    case ST_ESC:
        t->priv.state = ST_GROUND;
        if (c == '[')
            begin_params(t, ST_CSI);
        else if (c == ']')
            begin_params(t, ST_OSC_NUMBER);
        else if (c == 'M')
            reverse_feed(t);
        else if (c == 'D')
            line_feed(t);
        else if (c == CHAR_ESC)
            t->priv.state = ST_ESC;
        break;
    case ST_CSI:
    case ST_CSI_IGNORE:
        csi_byte(t, (uint8_t)(c < 0x80 ? c : 0));
        break;
    case ST_OSC_NUMBER:
        if (c >= '0' && c <= '9') {
            add_digit(t, (uint8_t)c);
        } else if (c == ';') {
            t->priv.osc = t->priv.param_count > 0 ? t->priv.params[0] : 0;
            t->priv.state = ST_OSC_TEXT;
            title_begin(t);
        } else {
            t->priv.state = ST_GROUND;
        }
        break;
    case ST_OSC_TEXT:
        if (c == CHAR_BEL)
            t->priv.state = ST_GROUND;
        else if (c == CHAR_ESC)
            t->priv.state = ST_OSC_ESC;
        else
            title_character(t, c);
        break;
    default: /* ST_OSC_ESC: the backslash ends the title, another character belongs to it */
        t->priv.state = c == '\\' ? ST_GROUND : ST_OSC_TEXT;
        if (c != '\\')
            title_character(t, c);
        break;
    }
}

/* ---- public ---- */

void adder_font_bitmap(const adder_font_t *font, adder_bitmap_t *out)
{
    ADDER_IGNORE(
        adder_bitmap_init_const(out, font->bitmap_width, font->height, 1, font->pixels, font->pixels_len),
        "a font's own tables fit, or the bitmap stays empty");
}

void adder_terminal_init(adder_terminal_t *t, const adder_font_t *font, adder_tilegrid_t *text,
                         adder_tilegrid_t *status)
{
    memset(t, 0, sizeof *t);
    t->font = font;
    t->text = text;
    t->status = status;
    if (!adder_font_glyph(font, ' ', &t->priv.blank))
        t->priv.blank = 0;
    t->priv.region_bottom = (uint16_t)(text->height - 1);
    const adder_palette_t *p = palette_of(t);
    if (p != NULL) {
        t->priv.default_bg = adder_palette_get(p, 0);
        t->priv.default_fg = adder_palette_get(p, 1);
    }
    text->scroll_x = text->scroll_y = 0;
    adder_tilegrid_set_all(text, t->priv.blank);
    if (status != NULL)
        adder_tilegrid_set_all(status, t->priv.blank);
}

void adder_terminal_write(adder_terminal_t *t, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        const uint8_t b = p[i];
        if (t->priv.utf8_left > 0 && (b & 0xC0u) == 0x80u) {
            t->priv.code_point = t->priv.code_point << 6 | (b & 0x3Fu);
            if (--t->priv.utf8_left == 0)
                character(t, t->priv.code_point);
            continue;
        }
        t->priv.utf8_left = 0; /* a character cut short is dropped */
        if (b < 0x80) {
            character(t, b);
        } else if (b >= 0xC2 && b < 0xF5) {
            t->priv.utf8_left = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
            t->priv.code_point = b & (0x3Fu >> t->priv.utf8_left);
        }
    }
}
