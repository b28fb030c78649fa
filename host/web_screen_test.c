/* Frames: a viewer that applies every frame it gets has the picture, whichever frames it missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/web_screen.h"

enum { W = 70, H = 37 }; /* no multiple of the tile */

typedef struct {
    uint32_t pixels[W * H];
    uint32_t seen;
} viewer_t;

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

/* Returns the number of pixels the frame carried. */
static size_t view(viewer_t *v, web_screen_t *s)
{
    size_t cap = web_screen_frame_max(s), len, carried = 0;
    uint8_t *frame = malloc(cap);
    assert_non_null(frame);
    assert_int_equal(web_screen_encode(s, v->seen, frame, cap, &len), ADDER_OK);
    if (len > 0) {
        assert_int_equal(frame[0], 1);
        assert_int_equal(frame[1], 1);
        v->seen = get16(frame + 4) | (uint32_t)get16(frame + 6) << 16;
        assert_int_equal(v->seen, s->revision);
        assert_int_equal(get16(frame + 8), W);
        assert_int_equal(get16(frame + 10), H);
        const uint8_t *p = frame + WEB_SCREEN_HEADER;
        for (unsigned n = get16(frame + 2); n > 0; n--) {
            unsigned x = get16(p), y = get16(p + 2), w = get16(p + 4), h = get16(p + 6);
            assert_true(w > 0 && h > 0 && x + w <= W && y + h <= H);
            p += WEB_SCREEN_RECT;
            carried += (size_t)w * h;
            for (unsigned i = 0; i < w * h; i++, p += 4) {
                assert_int_equal(p[3], 255);
                v->pixels[(y + i / w) * W + x + i % w] =
                    (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[2];
            }
        }
        assert_ptr_equal(p, frame + len);
    }
    free(frame);
    return carried;
}

static void test_any_order_of_viewers(void **state)
{
    (void)state;
    static viewer_t always, seldom;
    static uint32_t picture[W * H];
    web_screen_t s = {0};
    bool changed;
    uint32_t seed = 1;
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned n = round == 0 ? 0 : (round % 7) * 3; n > 0; n--) {
            seed = seed * 1664525u + 1013904223u;
            picture[(seed >> 8) % (W * H)] = seed & 0xFFFFFF;
        }
        assert_int_equal(web_screen_update(&s, picture, W, H, &changed), ADDER_OK);
        view(&always, &s);
        assert_memory_equal(always.pixels, picture, sizeof picture);
        if (round % 13 == 12) {
            view(&seldom, &s);
            assert_memory_equal(seldom.pixels, picture, sizeof picture);
        }
    }
    web_screen_free(&s);
}

static void test_only_what_changed(void **state)
{
    (void)state;
    static viewer_t v;
    static uint32_t picture[W * H];
    web_screen_t s = {0};
    bool changed;
    assert_int_equal(web_screen_update(&s, picture, W, H, &changed), ADDER_OK);
    assert_true(changed);
    assert_int_equal(view(&v, &s), W * H);
    assert_int_equal(web_screen_update(&s, picture, W, H, &changed), ADDER_OK);
    assert_false(changed);
    assert_int_equal(view(&v, &s), 0);
    picture[17 * W + 17] = 0xFF0000;
    picture[33 * W + 20] = 0x00FF00;
    assert_int_equal(web_screen_update(&s, picture, W, H, &changed), ADDER_OK);
    assert_true(changed);
    assert_int_equal(view(&v, &s), 16 * 16 + 16 * (H - 32)); /* one tile and the one under it, cut off */
    web_screen_free(&s);
}

static void test_errors(void **state)
{
    (void)state;
    static uint32_t picture[W * H];
    web_screen_t s = {0};
    bool changed;
    uint8_t small[100];
    size_t len;
    assert_int_equal(web_screen_encode(&s, 0, small, sizeof small, &len), ADDER_OK);
    assert_int_equal(len, 0);
    assert_int_equal(web_screen_update(&s, picture, 0, H, &changed), ADDER_ERR_RANGE);
    assert_int_equal(web_screen_update(&s, picture, W, WEB_SCREEN_SIDE_MAX + 1, &changed), ADDER_ERR_RANGE);
    assert_int_equal(web_screen_update(&s, picture, W, H, &changed), ADDER_OK);
    assert_int_equal(web_screen_encode(&s, 0, small, sizeof small, &len), ADDER_ERR_NOSPACE);
    /* A new size: all of it is new again. */
    uint32_t before = s.revision;
    assert_int_equal(web_screen_update(&s, picture, H, W, &changed), ADDER_OK);
    assert_true(changed);
    assert_int_equal(s.revision, before + 1);
    assert_int_equal(s.width, H);
    web_screen_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order_of_viewers),
        cmocka_unit_test(test_only_what_changed),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
