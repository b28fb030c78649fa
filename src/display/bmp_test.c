/* BMP files of every depth and header, made here byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/bmp.h"

static uint8_t file[8192];
static size_t file_len;
static unsigned reads;
static uint8_t cache[4096];

static adder_err_t read_at(void *ctx, uint32_t at, uint8_t *out, size_t len, size_t *n_out)
{
    (void)ctx;
    reads++;
    *n_out = 0;
    if (at >= file_len)
        return ADDER_OK;
    if (len > file_len - at)
        len = file_len - at;
    memcpy(out, file + at, len);
    *n_out = len;
    return ADDER_OK;
}

static void put16(size_t at, uint32_t v)
{
    file[at] = (uint8_t)v;
    file[at + 1] = (uint8_t)(v >> 8);
}

static void put32(size_t at, uint32_t v)
{
    put16(at, v);
    put16(at + 2, v >> 16);
}

enum { W = 5, H = 3 };

/* What a pixel should be: its number, in the words of the depth. */
static uint32_t value(unsigned bits, unsigned x, unsigned y)
{
    const uint32_t n = y * W + x;
    if (bits <= 8)
        return n & ((1u << bits) - 1u);
    return n * 0x0A1B2Du & 0xFFFFFFu;
}

typedef struct {
    unsigned header, bits;
    bool top_down, is_565, is_bitfields;
} kind_t;

static void make(const kind_t *k)
{
    memset(file, 0, sizeof file);
    memcpy(file, "BM", 2);
    put32(14, k->header);
    if (k->header == 12) {
        put16(18, W);
        put16(20, H);
        put16(22, 1);
        put16(24, k->bits);
    } else {
        put32(18, W);
        put32(22, k->top_down ? (uint32_t)-H : H);
        put16(26, 1);
        put16(28, k->bits);
        put32(30, k->is_bitfields ? 3 : 0);
        if (k->is_bitfields && k->bits == 32) {
            put32(54, 0xFF0000);
            put32(58, 0xFF00);
            put32(62, 0xFF);
        } else if (k->is_bitfields) {
            put32(54, k->is_565 ? 0xF800 : 0x7C00);
            put32(58, k->is_565 ? 0x07E0 : 0x03E0);
            put32(62, 0x001F);
        }
    }
    size_t at = 14 + k->header + (k->is_bitfields && k->header == 40 ? 12 : 0);
    if (k->bits <= 8)
        for (unsigned i = 0; i < 1u << k->bits; i++) {
            put16(at, (i * 3 & 0xFFu) | (i * 5 & 0xFFu) << 8); /* blue, green */
            file[at + 2] = (uint8_t)(255 - i);
            at += k->header == 12 ? 3 : 4;
        }
    put32(10, (uint32_t)at);
    const size_t stride = (W * k->bits + 31) / 32 * 4;
    file_len = at + stride * H;
    for (unsigned y = 0; y < H; y++)
        for (unsigned x = 0; x < W; x++) {
            uint8_t *row = file + at + stride * (k->top_down ? y : H - 1 - y);
            const uint32_t v = value(k->bits, x, y);
            if (k->bits < 8) {
                row[x * k->bits / 8] |= (uint8_t)(v << (8 - k->bits - x * k->bits % 8));
            } else if (k->bits == 8) {
                row[x] = (uint8_t)v;
            } else if (k->bits == 16) {
                const uint32_t r = v >> 19, g = v >> 8 & 0xFF, b = v >> 3 & 0x1F;
                const uint32_t p = k->is_565 ? r << 11 | (g >> 2) << 5 | b : r << 10 | (g >> 3) << 5 | b;
                row[x * 2] = (uint8_t)p;
                row[x * 2 + 1] = (uint8_t)(p >> 8);
            } else {
                uint8_t *p = row + (size_t)x * k->bits / 8;
                p[0] = (uint8_t)v;
                p[1] = (uint8_t)(v >> 8);
                p[2] = (uint8_t)(v >> 16);
                if (k->bits == 32)
                    p[3] = 0xFF;
            }
        }
}

static uint32_t kept(const kind_t *k, uint32_t v)
{
    return k->bits != 16 ? v : k->is_565 ? v & 0xF8FCF8u : v & 0xF8F8F8u;
}

static void every_kind(void **state)
{
    (void)state;
    static const kind_t kinds[] = {
        {12, 1, false, false, false},  {12, 4, false, false, false},  {12, 8, false, false, false},
        {12, 24, false, false, false}, {40, 1, false, false, false},  {40, 2, true, false, false},
        {40, 4, false, false, false},  {40, 8, true, false, false},   {40, 16, false, false, false},
        {40, 16, false, true, true},   {40, 16, true, false, true},   {40, 24, false, false, false},
        {40, 32, false, false, false}, {40, 32, false, false, true},  {52, 16, false, true, true},
        {56, 32, false, false, true},  {108, 8, false, false, false}, {108, 16, false, true, true},
        {124, 16, false, false, true}, {124, 24, true, false, false}, {124, 32, false, false, true},
    };
    static const size_t caches[] = {64, 65, 100, sizeof cache};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (size_t c = 0; c < sizeof caches / sizeof caches[0]; c++) {
            adder_bmp_t b;
            const char *why = NULL;
            make(&kinds[i]);
            assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, caches[c], &why), ADDER_OK);
            assert_string_equal(why, "");
            assert_int_equal(b.width, W);
            assert_int_equal(b.height, H);
            assert_int_equal(b.bits, kinds[i].bits);
            for (unsigned y = 0; y < H; y++) {
                uint32_t row[W + 2];
                adder_bmp_read_row(&b, 0, (uint16_t)y, row, W + 2);
                for (unsigned x = 0; x < W; x++)
                    assert_int_equal(row[x], kept(&kinds[i], value(kinds[i].bits, x, y)));
                assert_int_equal(row[W], 0); /* outside */
                adder_bmp_read_row(&b, 3, (uint16_t)y, row, 2);
                assert_int_equal(row[1], kept(&kinds[i], value(kinds[i].bits, 4, y)));
            }
            assert_int_equal(b.failed, ADDER_OK);
            assert_int_equal(b.color_count, kinds[i].bits <= 8 ? 1u << kinds[i].bits : 0);
            if (kinds[i].bits <= 8) {
                adder_color_t colors[256];
                adder_palette_t p;
                adder_palette_init(&p, colors, b.color_count, false);
                assert_int_equal(adder_bmp_read_colors(&b, &p, b.color_count), ADDER_OK);
                for (uint32_t n = 0; n < b.color_count; n++)
                    assert_int_equal(adder_palette_get(&p, n),
                                     (255 - n) << 16 | (n * 5 & 0xFFu) << 8 | (n * 3 & 0xFFu));
                assert_int_equal(adder_bmp_read_colors(&b, &p, 257), ADDER_ERR_RANGE);
            }
        }
}

static void few_reads(void **state)
{
    (void)state;
    adder_bmp_t b;
    uint32_t row[W];
    make(&(kind_t){40, 24, false, false, false});
    assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, sizeof cache, NULL), ADDER_OK);
    reads = 0;
    for (unsigned y = 0; y < H; y++)
        adder_bmp_read_row(&b, 0, (uint16_t)y, row, W);
    assert_int_equal(reads, 1); /* the cache takes the whole picture */
    assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, 64, NULL), ADDER_OK);
    reads = 0;
    for (unsigned y = 0; y < H; y++)
        for (unsigned x = 0; x < W; x++)
            adder_bmp_read_row(&b, (uint16_t)x, (uint16_t)y, row, 1);
    assert_int_equal(reads, 1); /* 3 rows of 16 bytes */
}

static void refused(const char *want_why, adder_err_t want)
{
    adder_bmp_t b;
    const char *why = NULL;
    assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, sizeof cache, &why), want);
    assert_string_equal(why, want_why);
}

static void refusals(void **state)
{
    (void)state;
    const kind_t plain = {40, 24, false, false, false};
    adder_bmp_t b;
    make(&plain);
    assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, 63, NULL), ADDER_ERR_ARG);
    file[0] = 'P';
    refused("Invalid BMP file: does not begin with BM", ADDER_ERR_FORMAT);
    make(&plain);
    put32(14, 64);
    refused("BMP header size must be 12, 40, 52, 56, 108 or 124", ADDER_ERR_UNSUPPORTED);
    make(&plain);
    put32(30, 1);
    refused("RLE-compressed BMP not supported", ADDER_ERR_UNSUPPORTED);
    make(&plain);
    put16(28, 3);
    refused("BMP bits per pixel must be 1, 2, 4, 8, 16, 24 or 32", ADDER_ERR_FORMAT);
    make(&plain);
    put32(18, 0);
    refused("BMP width and height must be 1-32767", ADDER_ERR_FORMAT);
    make(&plain);
    put32(22, 0x80000000);
    refused("BMP width and height must be 1-32767", ADDER_ERR_FORMAT);
    make(&plain);
    put32(10, 0xFFFFFFF0);
    refused("BMP pixels lie outside the file", ADDER_ERR_FORMAT);
    make(&(kind_t){40, 16, false, true, true});
    put32(54, 0xF000);
    refused("BMP colour masks must be 565 or 555", ADDER_ERR_UNSUPPORTED);
    make(&plain);
    for (file_len = 0; file_len < 54; file_len++)
        refused("BMP file too short", ADDER_ERR_END);
}

/* Cut at every byte: what is there is shown, the rest is 0 and told once. */
static void truncated(void **state)
{
    (void)state;
    make(&(kind_t){40, 8, true, false, false});
    const size_t whole = file_len;
    for (file_len = 54; file_len < whole; file_len++) {
        adder_bmp_t b;
        uint32_t row[W];
        assert_int_equal(adder_bmp_open(&b, read_at, NULL, cache, 64, NULL), ADDER_OK);
        reads = 0;
        for (unsigned y = 0; y < H; y++)
            adder_bmp_read_row(&b, 0, (uint16_t)y, row, W);
        assert_true(reads <= 2 * H);
        if (file_len < whole - 3) /* the padding of the last row is not needed */
            assert_int_equal(b.failed, ADDER_ERR_END);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(few_reads),
        cmocka_unit_test(refusals),
        cmocka_unit_test(truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
