/* The terminal: logo, status bar and scrolling text, on a group in static storage that displays show
 * when no program's group is on them (displayio.CIRCUITPYTHON_TERMINAL). */
#include <string.h>

#include "python/modules/display_board.h"
#include "python/modules/display_pool.h"

/* A cell in CircuitPython's firmware is scaled by 2 where more than this many would fit in a row. */
enum { COLUMNS_MAX = 120, TEXT_CELLS_MAX = 8192, STATUS_CELLS_MAX = 256, LOGO_SIDE = 12, LOGO_SPACE = 16 };

/* Until there is a display. */
enum { DEFAULT_WIDTH = 320, DEFAULT_HEIGHT = 240 };

/* Leftmost pixel first, rows padded to 32 bits. An adder. */
static const uint8_t logo_pixels[LOGO_SIDE * 4]
    __attribute__((aligned(4))) = {0x3C, 0x00, 0, 0, 0x7E, 0x00, 0, 0, 0x6F, 0x00, 0, 0, 0xFF, 0x80, 0, 0,
                                   0x1F, 0x80, 0, 0, 0x0F, 0x80, 0, 0, 0x3F, 0x00, 0, 0, 0x7C, 0x00, 0, 0,
                                   0x70, 0x00, 0, 0, 0x78, 0x70, 0, 0, 0x3F, 0xE0, 0, 0, 0x1F, 0xC0, 0, 0};

static struct {
    bool ready;
    adder_group_t group;
    adder_tilegrid_t logo, status, text;
    adder_bitmap_t logo_bitmap, glyphs;
    adder_palette_t logo_palette, palette;
    adder_color_t logo_colors[2], colors[2];
    uint16_t status_cells[STATUS_CELLS_MAX], text_cells[TEXT_CELLS_MAX];
    adder_terminal_t engine;
    uint16_t width, height; /* laid out for */
    int16_t scale;
} t;

static void make_once(void)
{
    if (t.ready)
        return;
    adder_group_init(&t.group, 0, 0, 1);
    adder_font_bitmap(&adder_font_terminal, &t.glyphs);
    ADDER_IGNORE(
        adder_bitmap_init_const(&t.logo_bitmap, LOGO_SIDE, LOGO_SIDE, 1, logo_pixels, sizeof logo_pixels),
        "constant and right");
    adder_palette_init(&t.logo_palette, t.logo_colors, 2, false);
    adder_palette_set(&t.logo_palette, 1, 0x7CC576);
    adder_palette_init(&t.palette, t.colors, 2, false);
    adder_palette_set(&t.palette, 1, 0xFFFFFF);
    t.ready = true;
    terminal_layout(DEFAULT_WIDTH, DEFAULT_HEIGHT);
}

static adder_err_t grid(adder_tilegrid_t *g, adder_bitmap_t *bitmap, adder_palette_t *palette,
                        const adder_area_t *place, uint16_t tile_width, uint16_t tile_height, uint16_t *cells,
                        size_t cells_len)
{
    adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(bitmap),
                                 .shader = ADDER_SHADER_PALETTE(palette),
                                 .width = (uint16_t)(place->x2 - place->x1),
                                 .height = (uint16_t)(place->y2 - place->y1),
                                 .tile_width = tile_width,
                                 .tile_height = tile_height,
                                 .x = place->x1,
                                 .y = place->y1};
    return adder_tilegrid_init(g, &c, cells, cells_len);
}

static int16_t at_least_1(int v)
{
    return (int16_t)(v < 1 ? 1 : v);
}

void terminal_layout(uint16_t width, uint16_t height)
{
    const adder_font_t *font = &adder_font_terminal;
    make_once();
    while (adder_group_count(&t.group) > 0)
        ADDER_IGNORE(adder_group_remove(&t.group, adder_group_at(&t.group, 0)), "a member");
    t.width = width;
    t.height = height;
    t.scale = width / font->width > COLUMNS_MAX ? 2 : 1;
    t.group.scale = (uint16_t)t.scale;
    int columns = at_least_1(width / t.scale / font->width);
    int rows = at_least_1(height / t.scale / font->height - 1);
    if (columns > STATUS_CELLS_MAX)
        columns = STATUS_CELLS_MAX;
    if (rows > TEXT_CELLS_MAX / columns)
        rows = TEXT_CELLS_MAX / columns;
    /* x2, y2: in cells from x1, y1 */
    adder_area_t logo = {1, 0, 2, 1};
    adder_area_t status = {LOGO_SPACE, 0, 0, 1};
    status.x2 = (int16_t)(LOGO_SPACE + at_least_1(columns - (LOGO_SPACE + font->width - 1) / font->width));
    adder_area_t text = {0, font->height, (int16_t)columns, (int16_t)(font->height + rows)};
    adder_err_t err = grid(&t.logo, &t.logo_bitmap, &t.logo_palette, &logo, LOGO_SIDE, LOGO_SIDE, NULL, 0);
    if (err == ADDER_OK)
        err = grid(&t.status, &t.glyphs, &t.palette, &status, font->width, font->height, t.status_cells,
                   sizeof t.status_cells);
    if (err == ADDER_OK)
        err = grid(&t.text, &t.glyphs, &t.palette, &text, font->width, font->height, t.text_cells,
                   sizeof t.text_cells);
    if (err != ADDER_OK)
        return; /* a font without glyphs: a blank terminal */
    ADDER_IGNORE(adder_group_append(&t.group, &t.logo.layer), "a fresh layer");
    ADDER_IGNORE(adder_group_append(&t.group, &t.status.layer), "a fresh layer");
    ADDER_IGNORE(adder_group_append(&t.group, &t.text.layer), "a fresh layer");
    adder_terminal_init(&t.engine, font, &t.text, &t.status);
}

void terminal_fit(uint16_t width, uint16_t height)
{
    if (t.width != width || t.height != height)
        terminal_layout(width, height);
}

void terminal_write(const char *utf8, size_t len)
{
    make_once();
    adder_terminal_write(&t.engine, utf8, len);
}

void terminal_restore(void)
{
    make_once();
    adder_group_t *parent = adder_layer_parent(&t.group.layer);
    if (parent != NULL)
        ADDER_IGNORE(adder_group_remove(parent, &t.group.layer), "a member");
    t.group.layer.x = t.group.layer.y = 0;
    t.group.layer.hidden = false;
    t.group.scale = (uint16_t)(t.scale > 0 ? t.scale : 1);
}

void terminal_show(display_slot_t *slot)
{
    make_once();
    for (size_t i = 0; i < DISPLAY_SLOTS; i++) {
        if (display_slots[i].ready && display_slots[i].display.scene.root == &t.group)
            return;
    }
    if (adder_layer_parent(&t.group.layer) != NULL)
        return;
    terminal_fit(slot->display.scene.width, slot->display.scene.height);
    ADDER_IGNORE(adder_busdisplay_set_root(&slot->display, &t.group), "it is free");
}

adder_group_t *terminal_group(void)
{
    make_once();
    return &t.group;
}

adder_terminal_t *terminal_engine(void)
{
    return &t.engine;
}

py_t terminal_group_object(void)
{
    py_t made = display_kept("terminal");
    if (!py_null(made))
        return made;
    make_once();
    py_t font = font_object();
    py_t glyphs = py_null(font) ? PY_NULL : py_attr(font, "bitmap");
    py_t palette = palette_wrap(&t.palette), logo_palette = palette_wrap(&t.logo_palette);
    if (py_null(glyphs) || py_null(palette) || py_null(logo_palette))
        return PY_NULL;
    py_t members[3] = {tilegrid_wrap(&t.logo, py_none(), logo_palette),
                       tilegrid_wrap(&t.status, glyphs, palette), tilegrid_wrap(&t.text, glyphs, palette)};
    if (py_null(members[0]) || py_null(members[1]) || py_null(members[2]))
        return PY_NULL;
    py_t group = group_wrap(&t.group, members, 3);
    return !py_null(group) && display_keep("terminal", group) ? group : PY_NULL;
}
