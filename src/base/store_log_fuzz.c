/* Any content of the device, then writes, cuts and openings: the invariants of adder/store.h.
 *
 * First byte: bits 0-1 the unit. Then up to 512 bytes of the device (the first two tell how many), then
 * operations of two bytes. */
#include <stdlib.h>

#include "src/base/test_flash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

enum { KEYS = 8, LONGEST = 24 };

typedef struct {
    bool known[KEYS]; /* what a write that was OK left */
    uint8_t len[KEYS], fill[KEYS];
    bool erased[KEYS];
} model_t;

static void check_model(adder_store_log_t *log, const model_t *m)
{
    const adder_store_t s = adder_store_log(log);
    for (uint32_t key = 0; key < KEYS; key++) {
        uint8_t buf[LONGEST];
        size_t len;
        if (!m->known[key])
            continue;
        const adder_err_t err = s.ops->read(s.ctx, key, 0, buf, sizeof buf, &len);
        check(err == (m->erased[key] ? ADDER_ERR_NOT_FOUND : ADDER_OK)); /* 3 */
        if (err == ADDER_OK) {
            check(len == m->len[key]);
            for (size_t i = 0; i < len; i++)
                check(buf[i] == m->fill[key]);
        }
    }
    uint32_t cursor = 0, key, n = 0;
    size_t len;
    while (s.ops->next(s.ctx, &cursor, &key, &len) == ADDER_OK)
        check(++n < 200); /* it ends */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static test_flash_t f;
    adder_store_log_t log;
    model_t m = {0};
    if (size < 3)
        return 0;
    test_flash_init(&f, 512, 128, (uint16_t)(1u << (data[0] & 3) * 2));
    size_t n = (size_t)(data[1] | data[2] << 8) & 511;
    data += 3;
    size -= 3;
    n = n < size ? n : size;
    if (n > 0)
        memcpy(f.bytes, data, n);
    data += n;
    size -= n;
    check(adder_store_log_open(&log, &f.flash) == ADDER_OK); /* 2 */
    check_model(&log, &m);
    for (; size >= 2; data += 2, size -= 2) {
        const adder_store_t s = adder_store_log(&log);
        const uint32_t key = data[0] & 7;
        uint8_t value[LONGEST];
        memset(value, data[1], sizeof value);
        const adder_store_change_t c = {
            .key = key, .bytes = value, .len = data[1] % LONGEST, .erase = (data[0] & 8) != 0};
        if ((data[0] & 0xf0) == 0xf0)
            f.cut_at = f.ops + data[1] % 8;
        if ((data[0] & 0xf0) == 0xe0) {
            f.off = false;
            f.cut_at = SIZE_MAX;
            check(adder_store_log_open(&log, &f.flash) == ADDER_OK);
        }
        const adder_err_t err = s.ops->write(s.ctx, &c, 1);
        check(err == ADDER_OK || err == ADDER_ERR_IO || err == ADDER_ERR_NOSPACE);
        if (err == ADDER_OK) {
            m.known[key] = true;
            m.erased[key] = c.erase;
            m.len[key] = (uint8_t)c.len;
            m.fill[key] = data[1];
        } else if (err == ADDER_ERR_IO) {
            m.known[key] = false; /* wholly there or not at all */
        }
        if (!f.off)
            check_model(&log, &m);
    }
    check(!f.broke_rules); /* 1 */
    return 0;
}
