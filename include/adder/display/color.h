/* Colours: colourspaces, a display's pixel format, palettes, converters, tile palettes.
 *
 *     adder_color_t entries[2];
 *     adder_palette_t pal;
 *     adder_palette_init(&pal, entries, 2, false);
 *     adder_palette_set(&pal, 1, 0xFF8000);
 *     adder_palette_set_transparent(&pal, 0, true);
 *     adder_shader_t shader = ADDER_SHADER_PALETTE(&pal);
 *
 * Conversion is CircuitPython's, bit for bit (integer, truncating): luma is (19R + 182G + 54B) / 255,
 * RGB565 widens to RGB888 without repeating bits, RGB555 with. Any change of a palette, converter or
 * mapper repaints the layers that use it at the next refresh; no call is needed for that.
 *
 * RAM: 8 bytes per palette entry; mapper: 4 bytes per cell and input colour, from the caller. */
#ifndef ADDER_DISPLAY_COLOR_H
#define ADDER_DISPLAY_COLOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* ---- colourspaces of pixel values ---- */

typedef enum {
    ADDER_CS_RGB888,
    ADDER_CS_RGB565,
    ADDER_CS_RGB565_SWAPPED,
    ADDER_CS_RGB555,
    ADDER_CS_RGB555_SWAPPED,
    ADDER_CS_BGR565,
    ADDER_CS_BGR565_SWAPPED,
    ADDER_CS_BGR555,
    ADDER_CS_BGR555_SWAPPED,
    ADDER_CS_L8,
    ADDER_CS_COUNT
} adder_colorspace_t;

/* 0x00RRGGBB of a value in `cs`. */
uint32_t adder_color_to_rgb(adder_colorspace_t cs, uint32_t value);
/* The value in `cs` of 0x00RRGGBB (low bits dropped). */
uint32_t adder_color_from_rgb(adder_colorspace_t cs, uint32_t rgb);
uint8_t adder_color_luma(uint32_t rgb);

/* ---- what a display wants ---- */

typedef struct {
    uint8_t depth;                 /* bits per pixel sent: 1, 2, 4, 8, 16, 24, 32 */
    uint8_t bytes_per_cell;        /* addressing unit for depth < 8; 0 counts as 1 */
    bool grayscale;                /* depth <= 8: top bits of the luma. Depth 1, 2 are always so */
    bool pixels_in_byte_share_row; /* depth < 8: along a row, else down a column */
    bool reverse_pixels_in_byte;   /* first pixel in the most significant bits */
    bool reverse_bytes_in_word;    /* depth 16: most significant byte first on the wire */
} adder_pixel_format_t;

/* RGB565, big-endian on the wire: most colour panels. */
#define ADDER_FORMAT_RGB565                                                                                  \
    {                                                                                                        \
        .depth = 16, .bytes_per_cell = 1, .pixels_in_byte_share_row = true, .reverse_bytes_in_word = true    \
    }

/* The bits to store for one pixel: RGB565 (bytes swapped when the format asks), RGB332, grey, mono. */
uint32_t adder_color_to_native(const adder_pixel_format_t *format, uint32_t rgb);
/* The same after dithering: noise fixed by the source pixel's position, so frames repeat exactly. */
uint32_t adder_color_to_native_dithered(const adder_pixel_format_t *format, uint32_t rgb, uint32_t x,
                                        uint32_t y);

/* ---- palette ---- */

#define ADDER_COLOR_TRANSPARENT 0x80000000u

typedef struct {
    uint32_t rgb;    /* 0x00RRGGBB, | ADDER_COLOR_TRANSPARENT */
    uint32_t native; /* private: converted for the display that asked last */
} adder_color_t;

/* A pixel value at or above `count` is transparent. */
typedef struct {
    adder_color_t *colors;
    uint16_t count;
    bool dither; /* plain: may be written */
    struct {
        uint16_t transparent; /* how many entries are */
        uint32_t revision;
        adder_pixel_format_t format; /* of the cached native colours; depth 0 = none */
    } priv;
} adder_palette_t;

/* `colors` (count 1..32767, kept) start black and opaque. */
void adder_palette_init(adder_palette_t *p, adder_color_t *colors, uint16_t count, bool dither);
/* Indices at or above count are ignored (setters), black and opaque (getters). Setting an entry
 * keeps its transparency; setting what it was repaints nothing. */
void adder_palette_set(adder_palette_t *p, uint32_t index, uint32_t rgb);
uint32_t adder_palette_get(const adder_palette_t *p, uint32_t index);
void adder_palette_set_transparent(adder_palette_t *p, uint32_t index, bool transparent);
bool adder_palette_is_transparent(const adder_palette_t *p, uint32_t index);

/* ---- color converter ---- */

/* Pixel values are colours in `input`. */
typedef struct {
    adder_colorspace_t input;
    bool dither;
    struct {
        bool has_transparent;
        uint32_t transparent; /* input value */
        uint32_t revision;
    } priv;
} adder_converter_t;

void adder_converter_init(adder_converter_t *c, adder_colorspace_t input, bool dither);
/* ADDER_ERR_STATE: another value is transparent already. */
adder_err_t adder_converter_set_transparent(adder_converter_t *c, uint32_t value) ADDER_MUST_USE;
void adder_converter_set_opaque(adder_converter_t *c); /* no value is transparent */
void adder_converter_set_dither(adder_converter_t *c, bool dither);

/* ---- tile palette mapper ---- */

/* Replaces pixel values cell by cell before a palette or converter sees them. Bound to the one
 * tilegrid whose cells it covers. */
typedef struct adder_mapper adder_mapper_t;

/* ---- shader: one of the three ---- */

typedef enum {
    ADDER_SHADER_IS_NONE,
    ADDER_SHADER_IS_PALETTE,
    ADDER_SHADER_IS_CONVERTER,
    ADDER_SHADER_IS_MAPPER
} adder_shader_kind_t;

typedef struct {
    adder_shader_kind_t kind;
    union {
        adder_palette_t *palette;
        adder_converter_t *converter;
        adder_mapper_t *mapper;
    } of;
} adder_shader_t;

#define ADDER_SHADER_PALETTE(p) ((adder_shader_t){.kind = ADDER_SHADER_IS_PALETTE, .of = {.palette = (p)}})
#define ADDER_SHADER_CONVERTER(c)                                                                            \
    ((adder_shader_t){.kind = ADDER_SHADER_IS_CONVERTER, .of = {.converter = (c)}})
#define ADDER_SHADER_MAPPER(m) ((adder_shader_t){.kind = ADDER_SHADER_IS_MAPPER, .of = {.mapper = (m)}})

struct adder_mapper {
    adder_shader_t inner; /* palette or converter */
    uint16_t input_count; /* values 0..input_count-1 are mapped, others are transparent */
    uint16_t width, height;
    struct {
        uint32_t *map;
        uint32_t revision;
    } priv;
};

/* 32-bit words of `map` for a grid of cells; 0 when that does not fit in a size_t. */
size_t adder_mapper_words(uint16_t width, uint16_t height, uint16_t input_count);
/* `inner`'s object and `map` are kept. Every cell starts as the identity (value i -> i) over a palette
 * and as 0 over a converter.
 *   ADDER_ERR_ARG      inner is neither palette nor converter; a size of 0
 *   ADDER_ERR_NOSPACE  map_words too small */
adder_err_t adder_mapper_init(adder_mapper_t *m, adder_shader_t inner, uint16_t width, uint16_t height,
                              uint16_t input_count, uint32_t *map, size_t map_words) ADDER_MUST_USE;
/* ADDER_ERR_RANGE: no such cell or input value. */
adder_err_t adder_mapper_set(adder_mapper_t *m, uint16_t x, uint16_t y, uint16_t input,
                             uint32_t output) ADDER_MUST_USE;
adder_err_t adder_mapper_get(const adder_mapper_t *m, uint16_t x, uint16_t y, uint16_t input,
                             uint32_t *output_out) ADDER_MUST_USE;

#endif
