/* ILI9341 and ST7789 over SPI, by hardware and by single pin writes: what a driver sends and what a
 * viewer sees. Orientation is checked with one corner pixel per MADCTL value. */
#include "sim/testing.h"

static const char spi_board[] = "{\"id\": \"x\", \"name\": \"X\", \"mcu\": {\"chip\": \"m\", \"pins\": "
                                "{\"SCK\": \"digital\", \"MOSI\": \"digital\","
                                "\"MISO\": \"digital\", \"CS\": \"digital\", \"DC\": \"digital\", \"CS2\": "
                                "\"digital\", \"DC2\": \"digital\"}},"
                                "\"buses\": [{\"name\": \"SPI\", \"kind\": \"spi\", \"sck\": \"SCK\", "
                                "\"mosi\": \"MOSI\", \"miso\": \"MISO\"}],"
                                "\"chips\": [{\"id\": \"a\", \"type\": \"ili9341\", \"wires\": {\"sck\": "
                                "\"SCK\", \"mosi\": \"MOSI\", \"miso\": \"MISO\","
                                "\"cs\": \"CS\", \"dc\": \"DC\"}}, {\"id\": \"b\", \"type\": \"st7789\", "
                                "\"mount\": 270, \"glass\": [135, 240],"
                                "\"glass_offset\": [52, 40], \"wires\": {\"sck\": \"SCK\", \"mosi\": "
                                "\"MOSI\", \"cs\": \"CS2\", \"dc\": \"DC2\"}}]}";

typedef struct {
    bench_t *t;
    adder_spi_t spi;
    bool by_hand;
    const char *cs, *dc, *chip;
} link_t;

static uint8_t clock_byte(link_t *l, uint8_t out)
{
    uint8_t in = 0;
    for (int i = 7; i >= 0; i--) {
        bool bit;
        bench_line(l->t, "MOSI", (out >> i & 1) != 0);
        OK(l->t->mcu->gpio->read(l->t->mcu->ctx, bench_pin(l->t, "MISO"), &bit));
        in = (uint8_t)(in << 1 | bit);
        bench_line(l->t, "SCK", true);
        bench_line(l->t, "SCK", false);
    }
    return in;
}

static void send(link_t *l, uint8_t command, const uint8_t *args, size_t len, uint8_t *back, size_t back_len)
{
    bench_line(l->t, l->cs, false);
    bench_line(l->t, l->dc, false);
    if (l->by_hand)
        clock_byte(l, command);
    else
        OK(l->spi.ops->transfer(l->spi.ctx, &command, NULL, 1, 0));
    bench_line(l->t, l->dc, true);
    for (size_t i = 0; l->by_hand && i < len; i++)
        clock_byte(l, args[i]);
    if (!l->by_hand && len > 0)
        OK(l->spi.ops->transfer(l->spi.ctx, args, NULL, len, 0));
    for (size_t i = 0; l->by_hand && i < back_len; i++)
        back[i] = clock_byte(l, 0);
    if (!l->by_hand && back_len > 0)
        OK(l->spi.ops->transfer(l->spi.ctx, NULL, back, back_len, 0));
    bench_line(l->t, l->cs, true);
}

static void set(link_t *l, uint8_t command, uint8_t value)
{
    send(l, command, &value, 1, NULL, 0);
}

static void window(link_t *l, unsigned x0, unsigned y0, unsigned x1, unsigned y1)
{
    const uint8_t columns[4] = {(uint8_t)(x0 >> 8), (uint8_t)x0, (uint8_t)(x1 >> 8), (uint8_t)x1};
    const uint8_t rows[4] = {(uint8_t)(y0 >> 8), (uint8_t)y0, (uint8_t)(y1 >> 8), (uint8_t)y1};
    send(l, 0x2A, columns, 4, NULL, 0);
    send(l, 0x2B, rows, 4, NULL, 0);
}

static uint32_t pixel(link_t *l, unsigned x, unsigned y)
{
    const adder_err_t err = sim_board_picture(l->t->board, l->chip, &l->t->picture);
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
    assert_true(x < l->t->picture.width && y < l->t->picture.height);
    return l->t->picture.pixels[y * l->t->picture.width + x];
}

static link_t begin(bool by_hand, const char *chip)
{
    static const char *const outs[] = {"CS", "DC", "CS2", "DC2"};
    const bool first = chip[0] == 'a';
    link_t l = {.t = bench_open(spi_board), .by_hand = by_hand, .chip = chip};
    l.cs = first ? "CS" : "CS2";
    l.dc = first ? "DC" : "DC2";
    void *ctx = l.t->mcu->ctx;
    for (size_t i = 0; i < 4; i++)
        OK(l.t->mcu->gpio->mode(ctx, bench_pin(l.t, outs[i]), ADDER_PIN_OUT, true));
    if (by_hand) {
        OK(l.t->mcu->gpio->mode(ctx, bench_pin(l.t, "SCK"), ADDER_PIN_OUT, false));
        OK(l.t->mcu->gpio->mode(ctx, bench_pin(l.t, "MOSI"), ADDER_PIN_OUT, false));
        OK(l.t->mcu->gpio->mode(ctx, bench_pin(l.t, "MISO"), ADDER_PIN_IN_PULL_UP, false));
    } else {
        OK(l.t->mcu->bus->spi_open(ctx, bench_pin(l.t, "SCK"), bench_pin(l.t, "MOSI"), bench_pin(l.t, "MISO"),
                                   &l.spi));
    }
    send(&l, 0x11, NULL, 0, NULL, 0);
    send(&l, 0x29, NULL, 0, NULL, 0);
    set(&l, 0x3A, 0x55);
    return l;
}

static void end(link_t *l)
{
    void *state = l->t;
    bench_teardown(&state);
}

static void registers_are_read_back(void **state)
{
    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        link_t l = begin(by_hand != 0, "a");
        uint8_t back[4];
        set(&l, 0x36, 0x48);
        send(&l, 0x0B, NULL, 0, back, 1); /* RDDMADCTL */
        assert_int_equal(back[0], 0x48);
        send(&l, 0x0A, NULL, 0, back, 1); /* RDDPM: booster, awake, normal, on */
        assert_int_equal(back[0], 0x9C);
        send(&l, 0xD3, NULL, 0, back, 4); /* RDID4 */
        assert_int_equal(back[2] << 8 | back[3], 0x9341);
        send(&l, 0x01, NULL, 0, NULL, 0); /* SWRESET */
        send(&l, 0x0C, NULL, 0, back, 1);
        assert_int_equal(back[0], 0x66);
        send(&l, 0x0A, NULL, 0, back, 1);
        assert_int_equal(back[0], 0x88);
        end(&l);
    }
}

static void pixels_are_written_and_read_back(void **state)
{
    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        link_t l = begin(by_hand != 0, "a");
        set(&l, 0x36, 0x48); /* MX, BGR: the usual portrait */
        const uint8_t two[4] = {0xF8, 0x00, 0x00, 0x1F};
        window(&l, 10, 20, 11, 20);
        send(&l, 0x2C, two, 4, NULL, 0);
        assert_int_equal(pixel(&l, 10, 20), 0xFF0000);
        assert_int_equal(pixel(&l, 11, 20), 0x0000FF);
        uint8_t back[7];
        send(&l, 0x2E, NULL, 0, back, 7); /* one dummy byte, then 18-bit pixels */
        assert_memory_equal(back + 1, ((const uint8_t[]){0xFC, 0, 0, 0, 0, 0xFC}), 6);
        end(&l);
    }
}

/* The first pixel of a full window, for the four ways round of the usual 2.4 inch panel. */
static void madctl_turns_the_picture(void **state)
{
    static const struct {
        uint8_t madctl;
        unsigned w, h, x, y, x2, y2; /* where the first and the second pixel land on the upright glass */
    } cases[] = {
        {0x48, 240, 320, 0, 0, 1, 0},         /* MX */
        {0x28, 320, 240, 239, 0, 239, 1},     /* MV */
        {0x88, 240, 320, 239, 319, 238, 319}, /* MY */
        {0xE8, 320, 240, 0, 319, 0, 318},     /* MX MY MV */
        {0x08, 240, 320, 239, 0, 238, 0},     /* none: mirrored glass */
    };
    link_t l = begin(false, "a");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t two[4] = {0x07, 0xE0, 0xFF, 0xFF}, none[4] = {0};
        set(&l, 0x36, cases[i].madctl);
        window(&l, 0, 0, cases[i].w - 1, cases[i].h - 1);
        send(&l, 0x2C, two, 4, NULL, 0);
        assert_int_equal(pixel(&l, cases[i].x, cases[i].y), 0x00FF00);
        assert_int_equal(pixel(&l, cases[i].x2, cases[i].y2), 0xFFFFFF);
        send(&l, 0x2C, none, 4, NULL, 0);
    }
    end(&l);
}

static void windows_wrap_and_odd_transfers_join(void **state)
{
    link_t l = begin(false, "a");
    (void)state;
    set(&l, 0x36, 0x48);
    window(&l, 0, 0, 1, 1);
    const uint8_t a[3] = {0xF8, 0x00, 0x07}, b[6] = {0xE0, 0x00, 0x1F, 0xFF, 0xFF, 0x00}, c[1] = {0x00};
    send(&l, 0x2C, a, 3, NULL, 0);
    send(&l, 0x3C, b, 6, NULL, 0); /* RAMWRC goes on in the middle of a pixel */
    send(&l, 0x3C, c, 1, NULL, 0); /* the fifth pixel is the first again */
    assert_int_equal(pixel(&l, 0, 0), 0x000000);
    assert_int_equal(pixel(&l, 1, 0), 0x00FF00);
    assert_int_equal(pixel(&l, 0, 1), 0x0000FF);
    assert_int_equal(pixel(&l, 1, 1), 0xFFFFFF);
    window(&l, 238, 318, 500, 600); /* beyond the memory: nothing breaks */
    static const uint8_t many[4000];
    send(&l, 0x2C, many, sizeof many, NULL, 0);
    window(&l, 9, 9, 3, 3);
    send(&l, 0x2C, many, sizeof many, NULL, 0);
    assert_int_equal(bench_counter(l.t, "a", "bad_windows"), 2);
    end(&l);
}

static void eighteen_bits_inversion_idle_scroll(void **state)
{
    link_t l = begin(false, "a");
    (void)state;
    set(&l, 0x36, 0x48);
    set(&l, 0x3A, 0x66);
    const uint8_t rgb[3] = {0x80, 0x40, 0xFC};
    window(&l, 5, 0, 5, 0);
    send(&l, 0x2C, rgb, 3, NULL, 0);
    assert_int_equal(pixel(&l, 5, 0), 0x8241FF);
    send(&l, 0x21, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 5, 0), 0x7DBE00);
    send(&l, 0x20, NULL, 0, NULL, 0);
    send(&l, 0x39, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 5, 0), 0xFF00FF);
    send(&l, 0x38, NULL, 0, NULL, 0);
    const uint8_t area[6] = {0, 0, 320 >> 8, 320 & 0xFF, 0, 0}, by[2] = {0, 100};
    send(&l, 0x33, area, 6, NULL, 0);
    send(&l, 0x37, by, 2, NULL, 0);
    assert_int_equal(pixel(&l, 5, 220), 0x8241FF); /* memory row 0 now stands at line 320 - 100 */
    send(&l, 0x13, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 5, 0), 0x8241FF);
    send(&l, 0x28, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 5, 0), 0);
    end(&l);
}

static void partial_mode_leaves_the_rest_dark(void **state)
{
    link_t l = begin(false, "a");
    (void)state;
    static uint8_t white[240 * 2];
    memset(white, 0xFF, sizeof white);
    set(&l, 0x36, 0x48);
    window(&l, 0, 100, 239, 100);
    send(&l, 0x2C, white, sizeof white, NULL, 0);
    window(&l, 0, 200, 239, 200);
    send(&l, 0x2C, white, sizeof white, NULL, 0);
    const uint8_t lines[4] = {0, 90, 0, 110};
    send(&l, 0x30, lines, 4, NULL, 0);
    send(&l, 0x12, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 7, 100), 0xFFFFFF);
    assert_int_equal(pixel(&l, 7, 200), 0);
    send(&l, 0x13, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 7, 200), 0xFFFFFF);
    send(&l, 0x10, NULL, 0, NULL, 0); /* asleep */
    assert_int_equal(pixel(&l, 7, 200), 0);
    send(&l, 0x11, NULL, 0, NULL, 0);
    assert_int_equal(pixel(&l, 7, 200), 0xFFFFFF); /* the memory kept it */
    end(&l);
}

/* A 240x135 panel as on the Feather TFT boards: landscape, window offsets 40 and 52 or 53. */
static void st7789_with_a_small_glass(void **state)
{
    link_t l = begin(false, "b");
    (void)state;
    send(&l, 0x21, NULL, 0, NULL, 0);
    set(&l, 0x36, 0x60); /* MX, MV */
    const uint8_t white[2] = {0xFF, 0xFF};
    window(&l, 40, 53, 40, 53);
    send(&l, 0x2C, white, 2, NULL, 0);
    assert_int_equal(pixel(&l, 0, 0), 0xFFFFFF);
    assert_int_equal(l.t->picture.width, 240);
    assert_int_equal(l.t->picture.height, 135);
    window(&l, 40 + 239, 53 + 134, 40 + 239, 53 + 134);
    send(&l, 0x2C, white, 2, NULL, 0);
    assert_int_equal(pixel(&l, 239, 134), 0xFFFFFF);
    end(&l);
}

static void only_the_selected_chip_hears(void **state)
{
    link_t l = begin(false, "a");
    (void)state;
    const uint64_t before = bench_counter(l.t, "b", "commands");
    send(&l, 0x00, NULL, 0, NULL, 0);
    assert_int_equal(bench_counter(l.t, "b", "commands"), before);
    uint8_t floats;
    OK(l.spi.ops->transfer(l.spi.ctx, NULL, &floats, 1, 0)); /* nobody selected */
    assert_int_equal(floats, 0xFF);
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_read_back),
        cmocka_unit_test(pixels_are_written_and_read_back),
        cmocka_unit_test(madctl_turns_the_picture),
        cmocka_unit_test(windows_wrap_and_odd_transfers_join),
        cmocka_unit_test(eighteen_bits_inversion_idle_scroll),
        cmocka_unit_test(partial_mode_leaves_the_rest_dark),
        cmocka_unit_test(st7789_with_a_small_glass),
        cmocka_unit_test(only_the_selected_chip_hears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
