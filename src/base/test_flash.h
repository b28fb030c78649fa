/* A flash in memory whose power can be cut at any program or erase, for tests. It holds the rules: whole
 * units, only on erased bytes, in order within a half. */
#ifndef TEST_FLASH_H
#define TEST_FLASH_H

#include <stdlib.h>
#include <string.h>

#include "adder/store.h"

typedef struct {
    uint8_t bytes[2048];
    uint8_t buf[256];
    adder_flash_t flash;
    size_t ops;      /* programs and erases so far */
    size_t cut_at;   /* operation that is cut; SIZE_MAX = none */
    uint32_t seed;   /* how far the one that is cut gets */
    bool off, fails; /* power is off; `fails`: an error alone, the operation may be tried again */
    bool broke_rules;
} test_flash_t;

static inline uint32_t test_flash_random(test_flash_t *f)
{
    f->seed = f->seed * 1664525u + 1013904223u;
    return f->seed >> 8;
}

static inline adder_err_t test_flash_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    test_flash_t *f = ctx;
    if (at > f->flash.size || len > f->flash.size - at) {
        f->broke_rules = true;
        return ADDER_ERR_ARG;
    }
    memcpy(buf, f->bytes + at, len);
    return f->off ? ADDER_ERR_IO : ADDER_OK;
}

static inline adder_err_t test_flash_program(void *ctx, uint32_t at, const void *bytes, size_t len)
{
    test_flash_t *f = ctx;
    if (at > f->flash.size || len > f->flash.size - at || len % f->flash.unit != 0 ||
        at % f->flash.unit != 0) {
        f->broke_rules = true;
        return ADDER_ERR_ARG;
    }
    if (f->off) {
        return ADDER_ERR_IO;
    }
    const bool cut = f->ops++ == f->cut_at;
    const size_t whole = cut ? test_flash_random(f) % (len + 1) : len;
    for (size_t i = 0; i < whole; i++) {
        f->broke_rules |= f->bytes[at + i] != 0xff;
        f->bytes[at + i] = ((const uint8_t *)bytes)[i];
    }
    if (cut && whole < len) { /* of the next byte some bits */
        f->bytes[at + whole] = (uint8_t)(((const uint8_t *)bytes)[whole] | test_flash_random(f));
    }
    f->off = cut && !f->fails;
    return cut ? ADDER_ERR_IO : ADDER_OK;
}

static inline adder_err_t test_flash_erase(void *ctx, uint32_t at, uint32_t len)
{
    test_flash_t *f = ctx;
    if (at > f->flash.size || len > f->flash.size - at || at % f->flash.block != 0 ||
        len % f->flash.block != 0) {
        f->broke_rules = true;
        return ADDER_ERR_ARG;
    }
    if (f->off) {
        return ADDER_ERR_IO;
    }
    const bool cut = f->ops++ == f->cut_at;
    const uint32_t whole = cut ? test_flash_random(f) % len : len;
    memset(f->bytes + at, 0xff, whole);
    if (cut) {
        f->bytes[at + whole] = (uint8_t)test_flash_random(f);
    }
    f->off = cut && !f->fails;
    return cut ? ADDER_ERR_IO : ADDER_OK;
}

static inline void test_flash_init(test_flash_t *f, uint32_t size, uint32_t block, uint16_t unit)
{
    static const adder_flash_ops_t ops = {test_flash_read, test_flash_program, test_flash_erase, NULL};
    memset(f, 0, sizeof *f);
    memset(f->bytes, 0xff, sizeof f->bytes);
    f->cut_at = SIZE_MAX;
    f->flash = (adder_flash_t){&ops, f, size, block, unit, f->buf};
}

#endif
