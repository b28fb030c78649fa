/* Makes terminalio.FONT: C source of an adder_font_t from the 6x12 Terminus of the system.
 *
 *     mkfont OUT.c FONT.pcf.gz
 *
 * The glyphs, rising by code point: printable ASCII (tiles 0..94, as in every CircuitPython build), Latin-1,
 * then letters of Central European and Turkish, French ligatures, punctuation, the euro, arrows, light box
 * drawing and blocks. 255 in all, since a tilegrid with more tiles needs two bytes a cell. */
#include <ft2build.h>
#include FT_FREETYPE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GLYPHS_MAX = 255, RANGES_MAX = 128 };

typedef struct {
    unsigned long first, last;
} span_t;

static const span_t wanted[] = {
    {0x20, 0x7E},     {0xA0, 0xFF},     {0x104, 0x107},   {0x10C, 0x10D},   {0x118, 0x11B},
    {0x11E, 0x11F},   {0x130, 0x131},   {0x141, 0x144},   {0x152, 0x153},   {0x158, 0x15B},
    {0x15E, 0x161},   {0x16E, 0x16F},   {0x179, 0x17E},   {0x2013, 0x2014}, {0x2018, 0x2019},
    {0x201C, 0x201D}, {0x2022, 0x2022}, {0x2026, 0x2026}, {0x20AC, 0x20AC}, {0x2190, 0x2193},
    {0x2500, 0x2500}, {0x2502, 0x2502}, {0x250C, 0x250C}, {0x2510, 0x2510}, {0x2514, 0x2514},
    {0x2518, 0x2518}, {0x251C, 0x251C}, {0x2524, 0x2524}, {0x252C, 0x252C}, {0x2534, 0x2534},
    {0x253C, 0x253C}, {0x2588, 0x2588}, {0x2591, 0x2593},
};

typedef struct {
    unsigned long first;
    unsigned count, tile;
} range_t;

static unsigned long points[GLYPHS_MAX];
static range_t ranges[RANGES_MAX];
static unsigned point_count, range_count;

static int die(const char *what, const char *which)
{
    fprintf(stderr, "mkfont: %s: %s\n", which, what);
    return 1;
}

static void choose(FT_Face face)
{
    for (size_t s = 0; s < sizeof wanted / sizeof wanted[0]; s++)
        for (unsigned long c = wanted[s].first; c <= wanted[s].last; c++) {
            if (FT_Get_Char_Index(face, c) == 0 || point_count == GLYPHS_MAX)
                continue;
            range_t *r = range_count == 0 ? NULL : &ranges[range_count - 1];
            if (r != NULL && r->first + r->count == c)
                r->count++;
            else if (range_count < RANGES_MAX)
                ranges[range_count++] = (range_t){c, 1, point_count};
            points[point_count++] = c;
        }
}

/* The cell of one glyph into the strip. */
static int draw(FT_Face face, unsigned tile, unsigned width, unsigned height, int ascent, uint8_t *strip,
                size_t stride)
{
    if (FT_Load_Char(face, points[tile], FT_LOAD_RENDER | FT_LOAD_TARGET_MONO) != 0)
        return -1;
    const FT_GlyphSlot g = face->glyph;
    for (unsigned y = 0; y < g->bitmap.rows; y++)
        for (unsigned x = 0; x < g->bitmap.width; x++) {
            const uint8_t *row = g->bitmap.buffer + (ptrdiff_t)y * g->bitmap.pitch;
            const int cx = (int)x + g->bitmap_left, cy = (int)y + ascent - g->bitmap_top;
            if ((row[x / 8] >> (7 - x % 8) & 1) == 0 || cx < 0 || cy < 0 || cx >= (int)width ||
                cy >= (int)height)
                continue;
            const size_t at = (size_t)tile * width + (size_t)cx;
            strip[(size_t)cy * stride + at / 8] |= (uint8_t)(0x80u >> (at % 8));
        }
    return 0;
}

static void print_source(FILE *out, unsigned width, unsigned height, int ascent, const uint8_t *strip,
                         size_t stride)
{
    const size_t len = stride * height;
    fprintf(out,
            "/* Made by tools/mkfont.c from Terminus (SIL Open Font License 1.1). */\n"
            "#include \"adder/font.h\"\n\n"
            "static const _Alignas(4) uint8_t pixels[%zu] = {",
            len);
    for (size_t i = 0; i < len; i++)
        fprintf(out, "%s0x%02X,", i % 16 == 0 ? "\n    " : " ", strip[i]);
    fprintf(out, "\n};\n\nstatic const adder_font_range_t ranges[%u] = {\n", range_count);
    for (unsigned i = 0; i < range_count; i++)
        fprintf(out, "    {0x%lX, %u, %u},\n", ranges[i].first, ranges[i].count, ranges[i].tile);
    fprintf(out,
            "};\n\nconst adder_font_t adder_font_terminal = {\n"
            "    .width = %u, .height = %u, .ascent = %d, .glyph_count = %u, .bitmap_width = %u,\n"
            "    .pixels = pixels, .pixels_len = sizeof pixels, .ranges = ranges, .range_count = %u,\n};\n",
            width, height, ascent, point_count, point_count * width, range_count);
}

int main(int argc, char **argv)
{
    FT_Library library;
    FT_Face face;
    if (argc != 3)
        return die("usage: mkfont OUT.c FONT.pcf.gz", "arguments");
    if (FT_Init_FreeType(&library) != 0)
        return die("cannot start FreeType", "library");
    if (FT_New_Face(library, argv[2], 0, &face) != 0)
        return die("cannot read this font (Debian: xfonts-terminus)", argv[2]);
    if (face->num_fixed_sizes < 1 || FT_Select_Size(face, 0) != 0)
        return die("not a bitmap font", argv[2]);
    const unsigned width = (unsigned)(face->size->metrics.max_advance >> 6);
    const unsigned height = (unsigned)(face->size->metrics.height >> 6);
    const int ascent = (int)(face->size->metrics.ascender >> 6);
    if (width != 6 || height != 12)
        return die("cells are not 6x12", argv[2]);
    choose(face);
    if (point_count < 95 || ranges[0].count != 95)
        return die("printable ASCII is not complete", argv[2]);
    const size_t stride = ((size_t)point_count * width + 31) / 32 * 4;
    uint8_t *strip = calloc(stride, height);
    if (strip == NULL)
        return die("out of memory", argv[2]);
    for (unsigned i = 0; i < point_count; i++)
        if (draw(face, i, width, height, ascent, strip, stride) != 0)
            return die("a glyph cannot be drawn", argv[2]);
    FILE *out = fopen(argv[1], "w");
    if (out == NULL)
        return die("cannot write", argv[1]);
    print_source(out, width, height, ascent, strip, stride);
    free(strip);
    FT_Done_Face(face);
    FT_Done_FreeType(library);
    return fclose(out) == 0 ? 0 : die("cannot write", argv[1]);
}
