/* Hostile BMP files. The first byte picks the cache; the rest is the file. Asserts bmp.h's invariants. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "adder/bmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *bytes;
    size_t len;
    unsigned reads;
} file_t;

static adder_err_t read_at(void *ctx, uint32_t at, uint8_t *out, size_t len, size_t *n_out)
{
    file_t *f = ctx;
    f->reads++;
    assert(len <= UINT32_MAX - at); /* (2) */
    *n_out = 0;
    if (at >= f->len)
        return ADDER_OK;
    if (len > f->len - at)
        len = f->len - at;
    memcpy(out, f->bytes + at, len);
    *n_out = len;
    return ADDER_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    file_t f = {data + 1, size - 1, 0};
    const size_t cap = ADDER_BMP_CACHE_MIN + (size_t)data[0] * 8;
    uint8_t *cache = malloc(cap); /* its own block, so that the sanitizer sees every step outside: (1) */
    adder_bmp_t b;
    const char *why = NULL;
    if (cache != NULL && adder_bmp_open(&b, read_at, &f, cache, cap, &why) == ADDER_OK) {
        adder_color_t colors[256];
        adder_palette_t p;
        adder_palette_init(&p, colors, 256, false);
        if (b.color_count > 0)
            ADDER_IGNORE(adder_bmp_read_colors(&b, &p, b.color_count), "a short table is fine here");
        uint32_t row[64];
        f.reads = 0;
        unsigned rows = 0;
        for (unsigned y = 0; y < b.height && rows < 40; y += 1u + b.height / 32u, rows++)
            for (unsigned x = 0; x < b.width; x += 1u + b.width / 4u) {
                adder_bmp_read_row(&b, (uint16_t)x, (uint16_t)y, row, 64);
                for (unsigned i = 0; i < 64; i++)
                    assert(row[i] <= (b.bits <= 8 ? (1u << b.bits) - 1u : 0xFFFFFFu));
            }
        assert(f.reads <= rows * 5u * 66u); /* (3) */
    } else {
        assert(cache == NULL || (why != NULL && why[0] != '\0'));
    }
    free(cache);
    return 0;
}
