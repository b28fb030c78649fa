/* Compose one scene, described in words on standard input; the frame (RGB565, big-endian) goes to
 * standard output. compare.py draws the same scene with another implementation. Numbers refer to objects
 * of the same letter by the order of their making:
 *
 *     screen W H ROTATION
 *     bitmap W H BITS value...            palette DITHER N colour...  (-1 - colour: transparent)
 *     converter COLORSPACE DITHER
 *     grid BITMAP SHADER WIDTH HEIGHT TILE_W TILE_H X Y FLIP_X FLIP_Y TRANSPOSE tile...
 *     circle SHADER INDEX X Y RADIUS      rectangle SHADER INDEX X Y W H
 *     polygon SHADER INDEX X Y N x y...   group X Y SCALE HIDDEN
 *     append GROUP LAYER                  (layers are counted over all kinds)
 *
 * SHADER: p or c and a number. Group 0 is the root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adder/display.h"

enum { MANY = 32, PIXELS = 128 * 128 };

static struct {
    adder_bitmap_t bitmaps[MANY];
    uint32_t pixels[MANY][PIXELS / 2];
    adder_palette_t palettes[MANY];
    adder_color_t colors[MANY][256];
    adder_converter_t converters[MANY];
    adder_tilegrid_t grids[MANY];
    uint16_t cells[MANY][256];
    adder_circle_t circles[MANY];
    adder_rectangle_t rectangles[MANY];
    adder_polygon_t polygons[MANY];
    adder_point_t points[MANY][64];
    adder_group_t groups[MANY];
    adder_layer_t *layers[MANY];
    unsigned bitmap_count, palette_count, converter_count, layer_count, group_count;
    int width, height, rotation;
    uint16_t frame[PIXELS];
} w;

static void stop(const char *what)
{
    fprintf(stderr, "scene_runner: %s\n", what);
    exit(1);
}

static void must(adder_err_t err)
{
    if (err != ADDER_OK)
        stop(adder_err_str(err));
}

static int number(int low, int high)
{
    int v;
    if (scanf("%d", &v) != 1 || v < low || v > high)
        stop("a number is missing or out of range");
    return v;
}

static uint16_t u16(int low, int high)
{
    return (uint16_t)number(low, high);
}
static int16_t i16(void)
{
    return (int16_t)number(-32768, 32767);
}
static bool yes(void)
{
    return number(0, 1) == 1;
}

static unsigned next(unsigned *count)
{
    if (*count == MANY)
        stop("too many objects");
    return (*count)++;
}

static adder_shader_t shader(void)
{
    char kind;
    if (scanf(" %c", &kind) != 1)
        stop("a shader is missing");
    const int i = number(0, MANY - 1);
    return kind == 'p' ? ADDER_SHADER_PALETTE(&w.palettes[i]) : ADDER_SHADER_CONVERTER(&w.converters[i]);
}

static void read_bitmap(void)
{
    const unsigned i = next(&w.bitmap_count);
    const uint16_t width = u16(1, 128), height = u16(1, 128);
    const uint8_t bits = (uint8_t)number(1, 16);
    must(adder_bitmap_init(&w.bitmaps[i], width, height, bits, w.pixels[i], sizeof w.pixels[i]));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            adder_bitmap_set(&w.bitmaps[i], x, y, (uint32_t)number(0, 65535));
}

static void read_palette(void)
{
    const unsigned i = next(&w.palette_count);
    const bool dither = yes();
    const uint16_t count = u16(1, 256);
    adder_palette_init(&w.palettes[i], w.colors[i], count, dither);
    for (uint32_t n = 0; n < count; n++) {
        const int v = number(-0x1000000, 0xFFFFFF);
        adder_palette_set(&w.palettes[i], n, (uint32_t)(v < 0 ? -1 - v : v));
        adder_palette_set_transparent(&w.palettes[i], n, v < 0);
    }
}

static void read_grid(unsigned i)
{
    adder_tilegrid_t *t = &w.grids[i];
    adder_tilegrid_config_t c = {.source = ADDER_SOURCE_BITMAP(&w.bitmaps[number(0, MANY - 1)])};
    c.shader = shader();
    c.width = u16(1, 16);
    c.height = u16(1, 16);
    c.tile_width = u16(1, 128);
    c.tile_height = u16(1, 128);
    c.x = i16();
    c.y = i16();
    must(adder_tilegrid_init(t, &c, w.cells[i], sizeof w.cells[i]));
    t->flip_x = yes();
    t->flip_y = yes();
    t->transpose_xy = yes();
    for (uint16_t y = 0; y < c.height; y++)
        for (uint16_t x = 0; x < c.width; x++)
            must(adder_tilegrid_set(t, x, y, u16(0, 65535)));
    w.layers[i] = &t->layer;
}

static void read_shape(unsigned i, char kind)
{
    const adder_shader_t s = shader();
    const uint32_t index = (uint32_t)number(0, 65535);
    const int16_t x = i16(), y = i16();
    if (kind == 'c') {
        must(adder_circle_init(&w.circles[i], s, index, x, y, u16(1, 1000)));
        w.layers[i] = &w.circles[i].shape.layer;
    } else if (kind == 'r') {
        const uint16_t width = u16(1, 1000);
        must(adder_rectangle_init(&w.rectangles[i], s, index, x, y, width, u16(1, 1000)));
        w.layers[i] = &w.rectangles[i].shape.layer;
    } else {
        const uint16_t count = u16(3, 64);
        for (int n = 0; n < count; n++) {
            w.points[i][n].x = i16();
            w.points[i][n].y = i16();
        }
        must(adder_polygon_init(&w.polygons[i], s, index, x, y, w.points[i], count));
        w.layers[i] = &w.polygons[i].shape.layer;
    }
}

static void read_group(unsigned i)
{
    adder_group_t *g = &w.groups[next(&w.group_count)];
    const int16_t x = i16(), y = i16();
    adder_group_init(g, x, y, u16(1, 100));
    g->layer.hidden = yes();
    w.layers[i] = &g->layer;
}

static void read_word(const char *word)
{
    if (strcmp(word, "screen") == 0) {
        w.width = number(1, 128);
        w.height = number(1, 128);
        w.rotation = number(0, 270);
    } else if (strcmp(word, "bitmap") == 0) {
        read_bitmap();
    } else if (strcmp(word, "palette") == 0) {
        read_palette();
    } else if (strcmp(word, "converter") == 0) {
        const unsigned i = next(&w.converter_count);
        const adder_colorspace_t cs = (adder_colorspace_t)number(0, ADDER_CS_COUNT - 1);
        adder_converter_init(&w.converters[i], cs, yes());
    } else if (strcmp(word, "append") == 0) {
        adder_group_t *g = &w.groups[number(0, MANY - 1)];
        must(adder_group_append(g, w.layers[number(0, (int)w.layer_count - 1)]));
    } else if (strcmp(word, "grid") == 0) {
        read_grid(next(&w.layer_count));
    } else if (strcmp(word, "group") == 0) {
        read_group(next(&w.layer_count));
    } else {
        read_shape(next(&w.layer_count), word[0]);
    }
}

int main(void)
{
    char word[16];
    const adder_pixel_format_t format = ADDER_FORMAT_RGB565;
    adder_scene_t scene;
    while (scanf("%15s", word) == 1)
        read_word(word);
    adder_scene_init(&scene, (uint16_t)w.width, (uint16_t)w.height, (uint16_t)w.rotation, &format);
    must(adder_scene_set_root(&scene, &w.groups[0]));
    adder_scene_collect(&scene);
    adder_scene_compose(&scene, &scene.dirty[0], w.frame);
    return fwrite(w.frame, 2, (size_t)(w.width * w.height), stdout) == (size_t)(w.width * w.height) ? 0 : 1;
}
