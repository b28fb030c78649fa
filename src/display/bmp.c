#include "adder/bmp.h"

#include <string.h>

#include "adder/bytes.h"

/* ---- headers ---- */

#define FILE_HEADER 14u
#define INFO_MAX 124u

typedef struct {
    int32_t width, height;
    uint16_t planes, bits;
    uint32_t compression, colors_used;
    uint32_t red, green, blue;
} info_t;

static adder_err_t fail(adder_err_t err, const char *what, const char **why_out)
{
    if (why_out != NULL)
        *why_out = what;
    return err;
}

static adder_err_t read_exactly(adder_bmp_t *b, uint32_t at, uint8_t *out, size_t len)
{
    size_t n = 0;
    if (len > UINT32_MAX - at)
        return ADDER_ERR_END;
    const adder_err_t err = b->priv.read_at(b->priv.ctx, at, out, len, &n);
    if (err != ADDER_OK)
        return err;
    return n < len ? ADDER_ERR_END : ADDER_OK;
}

/* The header after its own size field; `size` is one of those accepted. */
static void parse_info(adder_cursor_t *c, uint32_t size, info_t *i)
{
    memset(i, 0, sizeof *i);
    if (size == 12) {
        i->width = adder_cursor_le16(c);
        i->height = adder_cursor_le16(c);
        i->planes = adder_cursor_le16(c);
        i->bits = adder_cursor_le16(c);
        return;
    }
    i->width = (int32_t)adder_cursor_le32(c);
    i->height = (int32_t)adder_cursor_le32(c);
    i->planes = adder_cursor_le16(c);
    i->bits = adder_cursor_le16(c);
    i->compression = adder_cursor_le32(c);
    adder_cursor_skip(c, 12); /* image size, resolutions */
    i->colors_used = adder_cursor_le32(c);
    adder_cursor_skip(c, 4); /* important colours */
    /* The masks: part of the longer headers, right behind one of 40 bytes. The same place. */
    i->red = adder_cursor_le32(c);
    i->green = adder_cursor_le32(c);
    i->blue = adder_cursor_le32(c);
}

enum { BI_RGB = 0, BI_BITFIELDS = 3, BI_ALPHABITFIELDS = 6 };

static adder_err_t check_format(adder_bmp_t *b, const info_t *i, const char **why_out)
{
    const bool fields = i->compression == BI_BITFIELDS || i->compression == BI_ALPHABITFIELDS;
    if (i->compression != BI_RGB && !fields)
        return fail(ADDER_ERR_UNSUPPORTED, "RLE-compressed BMP not supported", why_out);
    if (i->bits != 1 && i->bits != 2 && i->bits != 4 && i->bits != 8 && i->bits != 16 && i->bits != 24 &&
        i->bits != 32)
        return fail(ADDER_ERR_FORMAT, "BMP bits per pixel must be 1, 2, 4, 8, 16, 24 or 32", why_out);
    if (fields && i->bits == 16) {
        b->priv.is_565 = i->red == 0xF800u && i->green == 0x07E0u && i->blue == 0x001Fu;
        if (!b->priv.is_565 && (i->red != 0x7C00u || i->green != 0x03E0u || i->blue != 0x001Fu))
            return fail(ADDER_ERR_UNSUPPORTED, "BMP colour masks must be 565 or 555", why_out);
    } else if (fields && (i->bits != 32 || i->red != 0xFF0000u || i->green != 0xFF00u || i->blue != 0xFFu)) {
        return fail(ADDER_ERR_UNSUPPORTED, "BMP colour masks not supported", why_out);
    }
    return ADDER_OK;
}

static adder_err_t check_size(adder_bmp_t *b, const info_t *i, const char **why_out)
{
    const int64_t height = i->height < 0 ? -(int64_t)i->height : i->height;
    if (i->width <= 0 || i->width > 32767 || height == 0 || height > 32767)
        return fail(ADDER_ERR_FORMAT, "BMP width and height must be 1-32767", why_out);
    b->width = (uint16_t)i->width;
    b->height = (uint16_t)height;
    b->top_down = i->height < 0;
    b->bits = (uint8_t)i->bits;
    b->stride = ((uint32_t)b->width * b->bits + 31u) / 32u * 4u; /* at most 128 KiB */
    /* Every pixel of every row must have an offset below 4 GiB. */
    if ((uint64_t)b->priv.pixels_at + (uint64_t)b->stride * b->height > UINT32_MAX)
        return fail(ADDER_ERR_FORMAT, "BMP pixels lie outside the file", why_out);
    return ADDER_OK;
}

adder_err_t adder_bmp_open(adder_bmp_t *b, adder_bmp_read_at_t read_at, void *ctx, uint8_t *cache,
                           size_t cache_len, const char **why_out)
{
    memset(b, 0, sizeof *b);
    if (why_out != NULL)
        *why_out = "";
    if (cache == NULL || cache_len < ADDER_BMP_CACHE_MIN)
        return fail(ADDER_ERR_ARG, "BMP row cache too small", why_out);
    b->priv.read_at = read_at;
    b->priv.ctx = ctx;
    b->priv.cache = cache;
    b->priv.cache_cap = cache_len > UINT32_MAX ? UINT32_MAX : cache_len;

    uint8_t head[FILE_HEADER + 4];
    adder_err_t err = read_exactly(b, 0, head, sizeof head);
    if (err != ADDER_OK)
        return fail(err, "BMP file too short", why_out);
    if (head[0] != 'B' || head[1] != 'M')
        return fail(ADDER_ERR_FORMAT, "Invalid BMP file: does not begin with BM", why_out);
    adder_cursor_t c = adder_cursor(head, sizeof head);
    adder_cursor_skip(&c, 10);
    b->priv.pixels_at = adder_cursor_le32(&c);
    const uint32_t size = adder_cursor_le32(&c);
    if (size != 12 && size != 40 && size != 52 && size != 56 && size != 108 && size != INFO_MAX)
        return fail(ADDER_ERR_UNSUPPORTED, "BMP header size must be 12, 40, 52, 56, 108 or 124", why_out);

    /* With the masks behind a 40-byte header; a file with no masks may end before them. */
    uint8_t bytes[INFO_MAX] = {0};
    const size_t want = size == 12 ? 8u : size == 40 ? 36u + 12u : size - 4u;
    size_t got = 0;
    err = read_at(ctx, FILE_HEADER + 4, bytes, want, &got);
    if (err == ADDER_OK && got < size - 4u)
        err = ADDER_ERR_END;
    if (err != ADDER_OK)
        return fail(err, "BMP file too short", why_out);
    info_t info;
    c = adder_cursor(bytes, sizeof bytes);
    parse_info(&c, size, &info);

    err = check_format(b, &info, why_out);
    if (err == ADDER_OK)
        err = check_size(b, &info, why_out);
    if (err != ADDER_OK)
        return err;
    if (b->bits <= 8) {
        const uint32_t most = 1u << b->bits;
        b->color_count =
            (uint16_t)(info.colors_used == 0 || info.colors_used > most ? most : info.colors_used);
        b->priv.color_bytes = size == 12 ? 3 : 4;
        const bool masks_behind = size == 40 && info.compression == BI_BITFIELDS;
        b->priv.colors_at = FILE_HEADER + size + (masks_behind ? 12u : 0u);
    }
    return ADDER_OK;
}

adder_err_t adder_bmp_read_colors(adder_bmp_t *b, adder_palette_t *palette, uint16_t count)
{
    if (count > b->color_count || count > palette->count)
        return ADDER_ERR_RANGE;
    for (uint16_t i = 0; i < count; i++) {
        uint8_t bgr[3];
        const adder_err_t err =
            read_exactly(b, b->priv.colors_at + (uint32_t)i * b->priv.color_bytes, bgr, sizeof bgr);
        if (err != ADDER_OK)
            return err;
        adder_palette_set(palette, i, (uint32_t)bgr[2] << 16 | (uint32_t)bgr[1] << 8 | bgr[0]);
    }
    return ADDER_OK;
}

/* ---- pixels ---- */

void adder_bmp_invalidate(adder_bmp_t *b)
{
    b->priv.window_len = 0;
    b->priv.revision++;
    b->failed = ADDER_OK;
}

/* Bytes at..at+len-1 of the file, which lie in one row: in the cache, or NULL. */
static const uint8_t *window(adder_bmp_t *b, uint32_t y, uint32_t in_row, uint32_t len)
{
    const uint32_t row = b->top_down ? y : (uint32_t)b->height - 1u - y;
    const uint32_t at = b->priv.pixels_at + row * b->stride + in_row;
    const uint32_t from = b->priv.window_at;
    if (at >= from && at - from < b->priv.window_len && len <= b->priv.window_len - (at - from))
        return b->priv.cache + (at - from);

    /* Fetch whole rows when they fit: those that painting downwards asks for next. */
    const uint32_t cap = (uint32_t)b->priv.cache_cap;
    uint32_t start = at, want = cap;
    if (cap >= b->stride) {
        const uint32_t rows = cap / b->stride;
        uint32_t first = row;
        if (!b->top_down)
            first = row + 1u >= rows ? row + 1u - rows : 0;
        const uint32_t n = b->height - first < rows ? b->height - first : rows;
        start = b->priv.pixels_at + first * b->stride;
        want = n * b->stride;
    } else if (want > b->stride - in_row) {
        want = b->stride - in_row;
    }
    size_t n = 0;
    const adder_err_t err = b->priv.read_at(b->priv.ctx, start, b->priv.cache, want, &n);
    if (n > want)
        n = want;
    if (err != ADDER_OK)
        n = 0;
    b->priv.window_at = start;
    b->priv.window_len = (uint32_t)n;
    if (at - start < n && len <= n - (at - start))
        return b->priv.cache + (at - start);
    if (b->failed == ADDER_OK)
        b->failed = err != ADDER_OK ? err : ADDER_ERR_END;
    return NULL;
}

static uint32_t value_at(const adder_bmp_t *b, const uint8_t *p, uint32_t x)
{
    uint32_t v;
    switch (b->bits) {
    case 1:
        return p[0] >> (7u - (x & 7u)) & 1u;
    case 2:
        return p[0] >> (6u - 2u * (x & 3u)) & 3u;
    case 4:
        return p[0] >> (4u - 4u * (x & 1u)) & 15u;
    case 8:
        return p[0];
    case 16:
        v = p[0] | (uint32_t)p[1] << 8;
        if (b->priv.is_565)
            return (v & 0xF800u) << 8 | (v & 0x07E0u) << 5 | (v & 0x1Fu) << 3;
        return (v & 0x7C00u) << 9 | (v & 0x03E0u) << 6 | (v & 0x1Fu) << 3;
    default:
        return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    }
}

void adder_bmp_read_row(adder_bmp_t *b, uint16_t x, uint16_t y, uint32_t *values_out, uint16_t n)
{
    const uint32_t bytes = b->bits < 8 ? 1u : b->bits / 8u;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t at = (uint32_t)x + i;
        values_out[i] = 0;
        if (at >= b->width || y >= b->height)
            continue;
        const uint8_t *p = window(b, y, at * b->bits / 8u, bytes);
        if (p == NULL) {
            /* Not one failing read per pixel: what is left of the row is missing too. */
            memset(values_out + i, 0, (n - i) * sizeof *values_out);
            return;
        }
        values_out[i] = value_at(b, p, at);
    }
}
