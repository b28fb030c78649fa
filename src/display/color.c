#include <string.h>

#include "display_int.h"

/* ---- colourspaces ---- */

static uint32_t widen5(uint32_t v)
{
    return v << 3 | v >> 2;
}

static bool is_swapped(adder_colorspace_t cs)
{
    return cs == ADDER_CS_RGB565_SWAPPED || cs == ADDER_CS_RGB555_SWAPPED || cs == ADDER_CS_BGR565_SWAPPED ||
           cs == ADDER_CS_BGR555_SWAPPED;
}

uint32_t adder_color_to_rgb(adder_colorspace_t cs, uint32_t value)
{
    if (is_swapped(cs))
        value = swap16(value);
    uint32_t high, mid, low;
    switch (cs) {
    case ADDER_CS_RGB565:
    case ADDER_CS_RGB565_SWAPPED:
    case ADDER_CS_BGR565:
    case ADDER_CS_BGR565_SWAPPED:
        /* Low bits stay zero: CircuitPython shows white 0xFFFF as 0xF8FCF8. */
        high = (value >> 11 & 0x1Fu) << 3;
        mid = (value >> 5 & 0x3Fu) << 2;
        low = (value & 0x1Fu) << 3;
        break;
    case ADDER_CS_RGB555:
    case ADDER_CS_RGB555_SWAPPED:
    case ADDER_CS_BGR555:
    case ADDER_CS_BGR555_SWAPPED:
        high = widen5(value >> 10 & 0x1Fu);
        mid = widen5(value >> 5 & 0x1Fu);
        low = widen5(value & 0x1Fu);
        break;
    case ADDER_CS_L8:
        return (value & 0xFFu) * 0x010101u;
    default:
        return value & 0xFFFFFFu;
    }
    const bool bgr = cs == ADDER_CS_BGR565 || cs == ADDER_CS_BGR565_SWAPPED || cs == ADDER_CS_BGR555 ||
                     cs == ADDER_CS_BGR555_SWAPPED;
    return bgr ? low << 16 | mid << 8 | high : high << 16 | mid << 8 | low;
}

static uint32_t pack565(uint32_t r, uint32_t g, uint32_t b)
{
    return (r & 0xF8u) << 8 | (g & 0xFCu) << 3 | b >> 3;
}
static uint32_t pack555(uint32_t r, uint32_t g, uint32_t b)
{
    return (r & 0xF8u) << 7 | (g & 0xF8u) << 2 | b >> 3;
}

uint32_t adder_color_from_rgb(adder_colorspace_t cs, uint32_t rgb)
{
    const uint32_t r = rgb >> 16 & 0xFFu, g = rgb >> 8 & 0xFFu, b = rgb & 0xFFu;
    uint32_t v;
    switch (cs) {
    case ADDER_CS_RGB565:
    case ADDER_CS_RGB565_SWAPPED:
        v = pack565(r, g, b);
        break;
    case ADDER_CS_BGR565:
    case ADDER_CS_BGR565_SWAPPED:
        v = pack565(b, g, r);
        break;
    case ADDER_CS_RGB555:
    case ADDER_CS_RGB555_SWAPPED:
        v = pack555(r, g, b);
        break;
    case ADDER_CS_BGR555:
    case ADDER_CS_BGR555_SWAPPED:
        v = pack555(b, g, r);
        break;
    case ADDER_CS_L8:
        return adder_color_luma(rgb);
    default:
        return rgb & 0xFFFFFFu;
    }
    return is_swapped(cs) ? swap16(v) : v;
}

uint8_t adder_color_luma(uint32_t rgb)
{
    return (uint8_t)(((rgb >> 16 & 0xFFu) * 19u + (rgb >> 8 & 0xFFu) * 182u + (rgb & 0xFFu) * 54u) / 255u);
}

/* ---- the display's pixels ---- */

static bool is_gray(const adder_pixel_format_t *f)
{
    return f->depth <= 8 && (f->grayscale || f->depth <= 2);
}

uint32_t adder_color_to_native(const adder_pixel_format_t *f, uint32_t rgb)
{
    const uint32_t r = rgb >> 16 & 0xFFu, g = rgb >> 8 & 0xFFu, b = rgb & 0xFFu;
    if (f->depth == 16) {
        /* Stored as a uint16_t of this machine: swap when its byte order is not the wire's. */
        const uint32_t v = pack565(r, g, b);
        return f->reverse_bytes_in_word != (MACHINE_IS_BIG_ENDIAN != 0) ? swap16(v) : v;
    }
    if (is_gray(f))
        return (uint32_t)adder_color_luma(rgb) >> (8u - f->depth);
    if (f->depth == 8)
        return (r & 0xE0u) | (g & 0xE0u) >> 3 | b >> 6;
    if (f->depth == 4)
        return (r >> 7) << 3 | (g >> 7) << 2 | (b >> 7) << 1;
    return rgb & 0xFFFFFFu;
}

/* A hash whose top byte is the noise; the constants are those of the noise function CircuitPython uses,
 * so dithered frames are the same. */
static uint32_t noise(uint32_t x, uint32_t y)
{
    uint32_t n = x + y * 0xFFFFu;
    n = n >> 13 ^ n;
    n = (n * (n * n * 60493u + 19990303u) + 1376312589u) & 0x7FFFFFFFu;
    return (uint32_t)((uint64_t)n * 255u >> 31);
}

static uint32_t add_noise(uint32_t channel, uint32_t n, uint32_t lost)
{
    channel += n & lost;
    return channel > 255u ? 255u : channel;
}

uint32_t adder_color_to_native_dithered(const adder_pixel_format_t *f, uint32_t rgb, uint32_t x, uint32_t y)
{
    uint32_t lost_r, lost_g, lost_b;
    if (f->depth == 16) {
        lost_r = lost_b = 7;
        lost_g = 3;
    } else if (f->depth == 8 && !f->grayscale) {
        lost_r = lost_g = 0x1F;
        lost_b = 0x3F;
    } else {
        lost_r = lost_g = lost_b = f->depth > 8 ? 0 : 0xFFu >> f->depth;
    }
    const uint32_t r = add_noise(rgb >> 16 & 0xFFu, noise(x, y), lost_r);
    const uint32_t g = add_noise(rgb >> 8 & 0xFFu, noise(x + 33u, y), lost_g);
    const uint32_t b = add_noise(rgb & 0xFFu, noise(x, y + 33u), lost_b);
    return adder_color_to_native(f, r << 16 | g << 8 | b);
}

/* ---- palette ---- */

void adder_palette_init(adder_palette_t *p, adder_color_t *colors, uint16_t count, bool dither)
{
    memset(p, 0, sizeof *p);
    memset(colors, 0, count * sizeof *colors);
    p->colors = colors;
    p->count = count;
    p->dither = dither;
}

static uint32_t native_of(const adder_palette_t *p, uint32_t rgb)
{
    if ((rgb & ADDER_COLOR_TRANSPARENT) != 0)
        return ADDER_COLOR_TRANSPARENT;
    return adder_color_to_native(&p->priv.format, rgb);
}

static void palette_change(adder_palette_t *p, uint32_t index, uint32_t rgb)
{
    adder_color_t *c = &p->colors[index];
    if (c->rgb == rgb)
        return;
    c->rgb = rgb;
    if (p->priv.format.depth != 0)
        c->native = native_of(p, rgb);
    p->priv.revision++;
}

void adder_palette_set(adder_palette_t *p, uint32_t index, uint32_t rgb)
{
    if (index < p->count)
        palette_change(p, index, (p->colors[index].rgb & ADDER_COLOR_TRANSPARENT) | (rgb & 0xFFFFFFu));
}

uint32_t adder_palette_get(const adder_palette_t *p, uint32_t index)
{
    return index < p->count ? p->colors[index].rgb & 0xFFFFFFu : 0;
}

void adder_palette_set_transparent(adder_palette_t *p, uint32_t index, bool transparent)
{
    if (index >= p->count || adder_palette_is_transparent(p, index) == transparent)
        return;
    p->priv.transparent = (uint16_t)(p->priv.transparent + (transparent ? 1 : -1));
    palette_change(p, index, p->colors[index].rgb ^ ADDER_COLOR_TRANSPARENT);
}

bool adder_palette_is_transparent(const adder_palette_t *p, uint32_t index)
{
    return index < p->count && (p->colors[index].rgb & ADDER_COLOR_TRANSPARENT) != 0;
}

static bool same_colors(const adder_pixel_format_t *a, const adder_pixel_format_t *b)
{
    return a->depth == b->depth && a->grayscale == b->grayscale &&
           a->reverse_bytes_in_word == b->reverse_bytes_in_word;
}

void palette_prepare(adder_palette_t *p, const adder_pixel_format_t *format)
{
    if (same_colors(&p->priv.format, format))
        return;
    p->priv.format = *format;
    for (uint32_t i = 0; i < p->count; i++)
        p->colors[i].native = native_of(p, p->colors[i].rgb);
}

/* ---- converter ---- */

void adder_converter_init(adder_converter_t *c, adder_colorspace_t input, bool dither)
{
    memset(c, 0, sizeof *c);
    c->input = input;
    c->dither = dither;
}

adder_err_t adder_converter_set_transparent(adder_converter_t *c, uint32_t value)
{
    if (c->priv.has_transparent)
        return ADDER_ERR_STATE;
    c->priv.has_transparent = true;
    c->priv.transparent = value;
    c->priv.revision++;
    return ADDER_OK;
}

void adder_converter_set_opaque(adder_converter_t *c)
{
    if (c->priv.has_transparent)
        c->priv.revision++;
    c->priv.has_transparent = false;
}

void adder_converter_set_dither(adder_converter_t *c, bool dither)
{
    c->dither = dither; /* shader_revision() looks at it */
}

/* ---- mapper ---- */

size_t adder_mapper_words(uint16_t width, uint16_t height, uint16_t input_count)
{
    const uint64_t words = (uint64_t)width * height * input_count;
    return words > SIZE_MAX / sizeof(uint32_t) ? 0 : (size_t)words;
}

adder_err_t adder_mapper_init(adder_mapper_t *m, adder_shader_t inner, uint16_t width, uint16_t height,
                              uint16_t input_count, uint32_t *map, size_t map_words)
{
    memset(m, 0, sizeof *m);
    if ((inner.kind != ADDER_SHADER_IS_PALETTE && inner.kind != ADDER_SHADER_IS_CONVERTER) || width == 0 ||
        height == 0 || input_count == 0)
        return ADDER_ERR_ARG;
    const size_t words = adder_mapper_words(width, height, input_count);
    if (words == 0 || map == NULL || map_words < words)
        return ADDER_ERR_NOSPACE;
    m->inner = inner;
    m->input_count = input_count;
    m->width = width;
    m->height = height;
    m->priv.map = map;
    for (size_t i = 0; i < words; i++)
        map[i] = inner.kind == ADDER_SHADER_IS_PALETTE ? (uint32_t)(i % input_count) : 0;
    return ADDER_OK;
}

static uint32_t *mapper_at(const adder_mapper_t *m, uint16_t x, uint16_t y, uint16_t input)
{
    if (x >= m->width || y >= m->height || input >= m->input_count)
        return NULL;
    return &m->priv.map[((size_t)y * m->width + x) * m->input_count + input];
}

adder_err_t adder_mapper_set(adder_mapper_t *m, uint16_t x, uint16_t y, uint16_t input, uint32_t output)
{
    uint32_t *at = mapper_at(m, x, y, input);
    if (at == NULL)
        return ADDER_ERR_RANGE;
    if (*at != output)
        m->priv.revision++;
    *at = output;
    return ADDER_OK;
}

adder_err_t adder_mapper_get(const adder_mapper_t *m, uint16_t x, uint16_t y, uint16_t input,
                             uint32_t *output_out)
{
    const uint32_t *at = mapper_at(m, x, y, input);
    if (at == NULL)
        return ADDER_ERR_RANGE;
    *output_out = *at;
    return ADDER_OK;
}

/* ---- shaders ---- */

uint32_t shader_revision(const adder_shader_t *s)
{
    switch (s->kind) {
    case ADDER_SHADER_IS_PALETTE:
        return s->of.palette->priv.revision * 2u + s->of.palette->dither;
    case ADDER_SHADER_IS_CONVERTER:
        return s->of.converter->priv.revision * 2u + s->of.converter->dither;
    case ADDER_SHADER_IS_MAPPER: /* both only count up, so the sum changes when either does */
        return s->of.mapper->priv.revision + shader_revision(&s->of.mapper->inner);
    default:
        return 0;
    }
}

bool shader_opaque(const adder_shader_t *s, unsigned bits)
{
    if (s->kind == ADDER_SHADER_IS_PALETTE)
        return s->of.palette->priv.transparent == 0 && bits <= 16 && s->of.palette->count >= 1u << bits;
    if (s->kind == ADDER_SHADER_IS_CONVERTER)
        return !s->of.converter->priv.has_transparent;
    return false; /* a mapper could name any value */
}

uint32_t shader_solid(const adder_shader_t *s, const adder_pixel_format_t *format, uint32_t value)
{
    if (s->kind == ADDER_SHADER_IS_MAPPER)
        return shader_solid(&s->of.mapper->inner, format, value); /* inner is never a mapper */
    if (s->kind == ADDER_SHADER_IS_PALETTE) {
        if (value >= s->of.palette->count)
            return ADDER_COLOR_TRANSPARENT;
        const adder_color_t *color = &s->of.palette->colors[value];
        palette_prepare(s->of.palette, format);
        return s->of.palette->dither && color->native != ADDER_COLOR_TRANSPARENT
                   ? adder_color_to_native_dithered(format, color->rgb, 0, 0)
                   : color->native;
    }
    if (s->kind == ADDER_SHADER_IS_CONVERTER) {
        const adder_converter_t *c = s->of.converter;
        if (c->priv.has_transparent && c->priv.transparent == value)
            return ADDER_COLOR_TRANSPARENT;
        const uint32_t rgb = adder_color_to_rgb(c->input, value);
        return c->dither ? adder_color_to_native_dithered(format, rgb, 0, 0)
                         : adder_color_to_native(format, rgb);
    }
    return ADDER_COLOR_TRANSPARENT;
}
