/* The display engine through its buses onto register-level controllers: what a viewer sees must be what
 * the scene says, in every rotation, after any change, with the area buffer of a small board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adder/display.h"
#include "sim/sim.h"

static char msg[SIM_MSG_CAP];
static sim_board_t *board;
static adder_busdisplay_t display;
static uint32_t band[2 * 320 * 2 / 4]; /* two rows of the PyPortal */
static sim_picture_t picture;

/* ---- a scene with something of everything ---- */

static struct {
    adder_group_t root, inner;
    adder_color_t text_colors[2], colors[16];
    adder_palette_t text_pal, pal;
    adder_bitmap_t glyphs, image;
    uint32_t pixels[ADDER_BITMAP_WORDS(40, 30, 4)];
    uint8_t cells[20 * 3];
    adder_tilegrid_t text, sprite;
    adder_terminal_t terminal;
    adder_circle_t circle;
    adder_rectangle_t back;
    adder_polygon_t triangle;
} w;

static const adder_point_t corners[] = {{0, 0}, {30, 8}, {5, 25}};

static void append(adder_group_t *g, adder_layer_t *l)
{
    assert_int_equal(adder_group_append(g, l), ADDER_OK);
}

static void make_scene(void)
{
    memset(&w, 0, sizeof w);
    adder_group_init(&w.root, 0, 0, 1);
    adder_group_init(&w.inner, 5, 2, 2);
    adder_palette_init(&w.text_pal, w.text_colors, 2, false);
    adder_palette_set(&w.text_pal, 1, 0xFFFFFF);
    adder_palette_set_transparent(&w.text_pal, 0, true);
    adder_palette_init(&w.pal, w.colors, 16, false);
    for (uint32_t i = 0; i < 16; i++)
        adder_palette_set(&w.pal, i, i * 0x0F1A2Bu * 7u & 0xFFFFFFu);
    assert_int_equal(adder_rectangle_init(&w.back, ADDER_SHADER_PALETTE(&w.pal), 3, 0, 0, 200, 150),
                     ADDER_OK);
    assert_int_equal(adder_circle_init(&w.circle, ADDER_SHADER_PALETTE(&w.pal), 9, 60, 40, 25), ADDER_OK);
    assert_int_equal(adder_polygon_init(&w.triangle, ADDER_SHADER_PALETTE(&w.pal), 12, 90, 5, corners, 3),
                     ADDER_OK);
    assert_int_equal(adder_bitmap_init(&w.image, 40, 30, 4, w.pixels, sizeof w.pixels), ADDER_OK);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++)
            adder_bitmap_set(&w.image, x, y, (uint32_t)(x * 5 / (y + 3) + y));
    adder_font_bitmap(&adder_font_terminal, &w.glyphs);
    const adder_tilegrid_config_t text = {.source = ADDER_SOURCE_BITMAP(&w.glyphs),
                                          .shader = ADDER_SHADER_PALETTE(&w.text_pal),
                                          .width = 20,
                                          .height = 3,
                                          .tile_width = 6,
                                          .tile_height = 12};
    assert_int_equal(adder_tilegrid_init(&w.text, &text, w.cells, sizeof w.cells), ADDER_OK);
    const adder_tilegrid_config_t sprite = {.source = ADDER_SOURCE_BITMAP(&w.image),
                                            .shader = ADDER_SHADER_PALETTE(&w.pal),
                                            .width = 1,
                                            .height = 1,
                                            .tile_width = 40,
                                            .tile_height = 30};
    assert_int_equal(adder_tilegrid_init(&w.sprite, &sprite, NULL, 0), ADDER_OK);
    adder_terminal_init(&w.terminal, &adder_font_terminal, &w.text, NULL);
    adder_terminal_write(&w.terminal,
                         "Hello, world!\r\n\xC2\xB0"
                         "C",
                         18);
    append(&w.root, &w.back.shape.layer);
    append(&w.root, &w.circle.shape.layer);
    append(&w.root, &w.inner.layer);
    append(&w.inner, &w.sprite.layer);
    append(&w.root, &w.triangle.shape.layer);
    append(&w.root, &w.text.layer);
    assert_int_equal(adder_busdisplay_set_root(&display, &w.root), ADDER_OK);
}

static void change(unsigned step)
{
    switch (step % 8) {
    case 0:
        w.circle.shape.layer.x = (int16_t)(w.circle.shape.layer.x + 7);
        break;
    case 1:
        adder_terminal_write(&w.terminal, "\r\nmore", 6);
        break;
    case 2:
        w.sprite.transpose_xy = !w.sprite.transpose_xy;
        break;
    case 3:
        adder_palette_set(&w.pal, 3, step * 0x123457u & 0xFFFFFFu);
        break;
    case 4:
        adder_draw_line(&w.image, 0, 29, 39, (int32_t)step % 30, 15);
        break;
    case 5:
        w.triangle.shape.layer.hidden = !w.triangle.shape.layer.hidden;
        break;
    case 6:
        w.inner.scale = (uint16_t)(1 + step % 3);
        break;
    default:
        w.text.layer.y = (int16_t)(step % 20);
        w.sprite.flip_x = !w.sprite.flip_x;
    }
}

static uint64_t sleep_until(void *ctx, uint64_t due_us)
{
    (void)ctx;
    const uint64_t now = sim_board_now_us(board);
    if (due_us > now)
        sim_board_advance(board, due_us - now);
    return due_us;
}

static void open_board(const char *path)
{
    cJSON *config = cJSON_Parse("{\"clock\": \"virtual\"}");
    board = sim_board_open(path, config, msg, sizeof msg);
    cJSON_Delete(config);
    if (board == NULL)
        fail_msg("%s", msg);
}

static adder_pin_t pin_of(const adder_mcu_t *mcu, uint16_t pin)
{
    return pin == ADDER_PIN_NONE ? (adder_pin_t){0} : (adder_pin_t){mcu->gpio, mcu->ctx, pin};
}

/* The picture a viewer has, which lies panel-wise, against the scene turned to the panel. */
static void compare(unsigned step)
{
    static uint8_t frame[320 * 240 * 2];
    const adder_err_t err = sim_board_picture(board, NULL, &picture);
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
    const int16_t pw = (int16_t)adder_scene_panel_width(&display.scene);
    const int16_t ph = (int16_t)adder_scene_panel_height(&display.scene);
    assert_int_equal(picture.width, pw);
    assert_int_equal(picture.height, ph);
    const bool mono = display.scene.format.depth == 1;
    adder_scene_compose(&display.scene, &(adder_area_t){0, 0, pw, ph}, frame);
    for (int y = 0; y < ph; y++)
        for (int x = 0; x < pw; x++) {
            const uint32_t seen = picture.pixels[y * pw + x];
            const int at = y * pw + x;
            uint32_t want, got;
            if (mono) {
                want = frame[y / 8 * pw + x] >> (y % 8) & 1u;
                got = seen != 0;
            } else {
                want = (uint32_t)frame[2 * at] << 8 | frame[2 * at + 1];
                got = (seen >> 8 & 0xF800u) | (seen >> 5 & 0x07E0u) | (seen >> 3 & 0x1Fu);
            }
            if (got != want)
                fail_msg("step %u, %d,%d: 0x%x seen, 0x%x composed", step, x, y, (unsigned)got,
                         (unsigned)want);
        }
}

static void exercise(void)
{
    unsigned step = 0;
    for (uint16_t rotation = 0; rotation < 360; rotation = (uint16_t)(rotation + 90)) {
        assert_int_equal(adder_busdisplay_set_rotation(&display, rotation), ADDER_OK);
        for (unsigned i = 0; i < 16; i++, step++) {
            change(step);
            if (i % 3 == 2)
                change(step * 5);
            assert_int_equal(adder_busdisplay_refresh_now(&display, sim_board_now_us(board)), ADDER_OK);
            compare(step);
        }
    }
    assert_int_equal(adder_busdisplay_set_root(&display, NULL), ADDER_OK);
    assert_int_equal(adder_busdisplay_refresh_now(&display, sim_board_now_us(board)), ADDER_OK);
    compare(999);
    sim_picture_free(&picture);
    sim_board_close(board);
}

static void ili9341_parallel(void **state)
{
    (void)state;
    open_board("boards/pyportal.json");
    const adder_mcu_t *mcu = sim_board_mcu(board);
    const adder_mcu_display_t *m = &mcu->display;
    adder_parallelbus_t pb;
    adder_parallelbus_config_t bus_config = {.command = pin_of(mcu, m->command),
                                             .chip_select = pin_of(mcu, m->chip_select),
                                             .read = pin_of(mcu, m->read),
                                             .reset = pin_of(mcu, m->reset)};
    assert_int_equal(mcu->bus->par8_open(mcu->ctx, m->data, m->write, m->read, m->hz, &bus_config.port),
                     ADDER_OK);
    adder_busdisplay_config_t c = {ADDER_BUSDISPLAY_DEFAULTS,
                                   .init_sequence = m->init_sequence,
                                   .init_sequence_len = m->init_sequence_len,
                                   .width = m->width,
                                   .height = m->height,
                                   .reset_first = true,
                                   .backlight_pin = pin_of(mcu, m->backlight),
                                   .buffer = band,
                                   .buffer_len = sizeof band};
    assert_int_equal(adder_parallelbus_init(&pb, &bus_config, &c.bus), ADDER_OK);
    assert_int_equal(adder_busdisplay_init(&display, &c), ADDER_OK);
    assert_int_equal(adder_busdisplay_run(&display, sim_board_now_us(board), sleep_until, NULL), ADDER_OK);
    adder_busdisplay_set_auto_refresh(&display, false);
    make_scene();
    exercise();
}

static void ssd1306_i2c(void **state)
{
    (void)state;
    static const uint8_t sequence[] = {0xAE, 0,    0xD5, 1,    0x80, 0xA8, 1,    31,   0xD3, 1,    0,
                                       0x40, 0,    0x8D, 1,    0x14, 0x20, 1,    0x00, 0xA1, 0,    0xC8,
                                       0,    0xDA, 1,    0x02, 0x81, 1,    0x8F, 0xD9, 1,    0xF1, 0xDB,
                                       1,    0x40, 0xA4, 0,    0xA6, 0,    0xAF, 0};
    open_board("boards/feather_m4_express.json");
    const adder_mcu_t *mcu = sim_board_mcu(board);
    const adder_mcu_bus_t *bus = NULL;
    for (size_t i = 0; i < mcu->bus_count && bus == NULL; i++)
        if (mcu->buses[i].kind == 'i')
            bus = &mcu->buses[i];
    assert_non_null(bus);
    adder_i2cdisplay_t id;
    adder_i2cdisplay_config_t bus_config = {.addr7 = 0x3C};
    assert_int_equal(mcu->bus->i2c_open(mcu->ctx, bus->pins[0], bus->pins[1], 400000, &bus_config.i2c),
                     ADDER_OK);
    adder_busdisplay_config_t c = {ADDER_BUSDISPLAY_DEFAULTS,
                                   .init_sequence = sequence,
                                   .init_sequence_len = sizeof sequence,
                                   .width = 128,
                                   .height = 32,
                                   .buffer = band,
                                   .buffer_len = sizeof band};
    c.format = (adder_pixel_format_t){.depth = 1, .bytes_per_cell = 1, .grayscale = true};
    c.set_column_command = 0x21;
    c.set_row_command = 0x22;
    c.brightness_command = 0x81;
    c.single_byte_bounds = c.data_as_commands = true;
    assert_int_equal(adder_i2cdisplay_init(&id, &bus_config, &c.bus), ADDER_OK);
    assert_int_equal(adder_i2cdisplay_probe(&id), ADDER_OK);
    assert_int_equal(adder_busdisplay_init(&display, &c), ADDER_OK);
    assert_int_equal(adder_busdisplay_run(&display, sim_board_now_us(board), sleep_until, NULL), ADDER_OK);
    adder_busdisplay_set_auto_refresh(&display, false);
    make_scene();
    exercise();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ili9341_parallel),
        cmocka_unit_test(ssd1306_i2c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
