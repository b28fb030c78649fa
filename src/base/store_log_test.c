/* The log: what was written is there, whatever operation the power was cut at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/test_flash.h"

enum { KEYS = 6, LONGEST = 40 };

/* What ought to be there. */
typedef struct {
    int len[KEYS]; /* -1 = nothing */
    uint8_t bytes[KEYS][LONGEST];
} model_t;

static void model_init(model_t *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < KEYS; i++) {
        m->len[i] = -1;
    }
}

static bool holds(adder_store_log_t *log, const model_t *m)
{
    const adder_store_t s = adder_store_log(log);
    unsigned live = 0, walked = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        uint8_t buf[LONGEST];
        size_t len;
        const adder_err_t err = s.ops->read(s.ctx, key, 0, buf, sizeof buf, &len);
        if (m->len[key] < 0
                ? err != ADDER_ERR_NOT_FOUND
                : err != ADDER_OK || len != (size_t)m->len[key] || memcmp(buf, m->bytes[key], len) != 0) {
            return false;
        }
        live += m->len[key] >= 0;
    }
    uint32_t cursor = 0, key;
    size_t len;
    while (s.ops->next(s.ctx, &cursor, &key, &len) == ADDER_OK) {
        if (key >= KEYS || m->len[key] != (int)len) {
            return false;
        }
        walked++;
    }
    return walked == live;
}

/* Round `i`: two changes at once, their values made from i. */
static adder_err_t change(adder_store_log_t *log, model_t *m, unsigned i)
{
    const adder_store_t s = adder_store_log(log);
    adder_store_change_t c[2];
    memset(c, 0, sizeof c);
    for (unsigned k = 0; k < 2; k++) {
        const uint32_t key = (i * (k + 1) + k) % KEYS;
        c[k].key = key;
        c[k].erase = (i + k) % 5 == 4;
        m->len[key] = c[k].erase ? -1 : (int)((i * 7 + k * 3) % LONGEST);
        memset(m->bytes[key], (int)(i * 3 + k + 1), LONGEST);
        if (!c[k].erase) {
            c[k].bytes = m->bytes[key];
            c[k].len = (size_t)m->len[key] / 2;
            c[k].more = m->bytes[key];
            c[k].more_len = (size_t)m->len[key] - c[k].len;
        }
    }
    if (c[0].key == c[1].key && !c[1].erase && !c[0].erase) {
        c[0].len = c[0].more_len = 0; /* the second counts, and its bytes are what m holds */
    }
    return s.ops->write(s.ctx, c, 2);
}

enum { ROUNDS = 30 };

static void survives_a_cut_at_each_operation(void **state)
{
    (void)state;
    static const struct {
        uint32_t size, block;
        uint16_t unit;
    } shapes[] = {{1024, 256, 4}, {1024, 512, 8}, {2048, 128, 32}};
    for (unsigned shape = 0; shape < 3; shape++) {
        size_t cuts = 0;
        for (size_t n = 0;; n++) {
            static test_flash_t f;
            adder_store_log_t log;
            model_t before, after;
            test_flash_init(&f, shapes[shape].size, shapes[shape].block, shapes[shape].unit);
            f.cut_at = n;
            f.seed = (uint32_t)n * 77u;
            f.fails = n % 3 == 0;
            model_init(&after);
            assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
            bool cut = false;
            for (unsigned i = 0; i < ROUNDS; i++) {
                before = after;
                const adder_err_t err = change(&log, &after, i);
                if (err != ADDER_OK) {
                    assert_int_equal(err, ADDER_ERR_IO);
                    assert_false(cut); /* one cut a run */
                    cut = true;
                    cuts++;
                    if (!f.fails) {
                        f.off = false; /* power is back */
                        assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
                    }
                    const bool old = holds(&log, &before), new = holds(&log, &after);
                    assert_true(old || new);
                    if (old) {
                        after = before;
                    }
                } else {
                    assert_true(holds(&log, &after));
                }
            }
            assert_false(f.broke_rules);
            assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
            assert_true(holds(&log, &after));
            if (f.ops <= n) {
                break;
            }
        }
        assert_true(cuts > 40);
    }
}

static void is_full_without_losing_anything(void **state)
{
    (void)state;
    static test_flash_t f;
    adder_store_log_t log;
    test_flash_init(&f, 256, 128, 4);
    assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
    const adder_store_t s = adder_store_log(&log);
    uint8_t value[128] = {1};
    size_t len;
    adder_store_change_t c = {.key = 1, .bytes = value, .len = 100};
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK); /* 12 + 8 + 8 + 100 = 128 */
    const size_t ops = f.ops;
    c.key = 2;
    c.len = 1;
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_ERR_NOSPACE);
    c.len = SIZE_MAX / 2;
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_ERR_NOSPACE);
    assert_int_equal(f.ops, ops); /* and without wearing the device */
    assert_int_equal(s.ops->read(s.ctx, 1, 99, value, 10, &len), ADDER_OK);
    assert_int_equal(len, 100);
    assert_int_equal(s.ops->read(s.ctx, 2, 0, value, 1, &len), ADDER_ERR_NOT_FOUND);
    uint32_t space, live;
    assert_int_equal(adder_store_log_space(&log, &space, &live), ADDER_OK);
    assert_true(space == 0 && live == 128);
    /* It can be replaced and erased all the same: that needs no room beside it. */
    c = (adder_store_change_t){.key = 1, .bytes = "x", .len = 1};
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
    assert_int_equal(s.ops->read(s.ctx, 1, 0, value, 10, &len), ADDER_OK);
    assert_int_equal(len, 1);
    c = (adder_store_change_t){.key = 1, .bytes = value, .len = 100};
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
    c = (adder_store_change_t){.key = 1, .erase = true};
    assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
    assert_int_equal(s.ops->read(s.ctx, 1, 0, value, 10, &len), ADDER_ERR_NOT_FOUND);
}

static void walks_in_the_order_of_writing(void **state)
{
    (void)state;
    static test_flash_t f;
    adder_store_log_t log;
    test_flash_init(&f, 512, 256, 1);
    assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
    const adder_store_t s = adder_store_log(&log);
    for (unsigned round = 0; round < 20; round++) { /* with copies in between */
        for (uint32_t key = 0; key < 4; key++) {
            const adder_store_change_t c = {.key = key * 7 % 4, .bytes = "abc", .len = 3};
            assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
        }
        uint32_t cursor = 0, key;
        size_t len;
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(s.ops->next(s.ctx, &cursor, &key, &len), ADDER_OK);
            assert_int_equal(key, i * 7 % 4);
        }
        assert_int_equal(s.ops->next(s.ctx, &cursor, &key, &len), ADDER_ERR_NOT_FOUND);
    }
    assert_true(f.ops > 100);
}

/* What a program that was cut left may begin with bytes that look erased. */
static void bytes_behind_an_erased_hole_are_not_programmed_again(void **state)
{
    (void)state;
    for (uint32_t at = 40; at < 256; at += 5) {
        static test_flash_t f;
        adder_store_log_t log;
        uint8_t value[3];
        size_t len;
        test_flash_init(&f, 512, 256, 1);
        assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
        adder_store_t s = adder_store_log(&log);
        adder_store_change_t c = {.key = 1, .bytes = "abc", .len = 3};
        assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
        f.bytes[log.priv.half + at] = 0x7f;
        assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
        s = adder_store_log(&log);
        c.key = 2;
        for (unsigned i = 0; i < 15; i++) {
            assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
        }
        assert_false(f.broke_rules);
        for (uint32_t key = 1; key <= 2; key++) {
            assert_int_equal(s.ops->read(s.ctx, key, 0, value, sizeof value, &len), ADDER_OK);
            assert_memory_equal(value, "abc", 3);
        }
    }
}

static void refuses_a_geometry_that_cannot_be(void **state)
{
    (void)state;
    static test_flash_t f;
    adder_store_log_t log;
    static const uint32_t shapes[][3] = {{0, 1, 1},     {256, 0, 1},  {256, 128, 0}, {256, 128, 257},
                                         {256, 128, 3}, {256, 96, 1}, {64, 32, 1}};
    for (unsigned i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        test_flash_init(&f, shapes[i][0], shapes[i][1], (uint16_t)shapes[i][2]);
        assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_ERR_ARG);
    }
    test_flash_init(&f, 256, 128, 1);
    f.off = true;
    assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_cut_at_each_operation),
        cmocka_unit_test(is_full_without_losing_anything),
        cmocka_unit_test(walks_in_the_order_of_writing),
        cmocka_unit_test(bytes_behind_an_erased_hole_are_not_programmed_again),
        cmocka_unit_test(refuses_a_geometry_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
