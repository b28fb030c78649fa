/* ADT7410 and SSD1306 on one I2C bus. */
#include "sim/testing.h"

static const char i2c_board[] =
    "{\"id\": \"x\", \"name\": \"X\", \"mcu\": {\"chip\": \"m\", \"pins\": {\"SCL\": \"digital\", \"SDA\": "
    "\"digital\","
    "\"INT\": \"digital\", \"CT\": \"digital\"}}, \"pulls\": {\"SCL\": \"up\", \"SDA\": \"up\", \"INT\": "
    "\"up\", \"CT\": \"up\"},"
    "\"buses\": [{\"name\": \"I2C\", \"kind\": \"i2c\", \"scl\": \"SCL\", \"sda\": \"SDA\"}],"
    "\"chips\": [{\"id\": \"t\", \"type\": \"adt7410\", \"celsius\": 25, \"wires\": {\"scl\": \"SCL\", "
    "\"sda\": \"SDA\","
    "\"int\": \"INT\", \"ct\": \"CT\"}}, {\"id\": \"o\", \"type\": \"ssd1306\", \"wires\": {\"scl\": "
    "\"SCL\", \"sda\": \"SDA\"}}]}";

typedef struct {
    bench_t *t;
    adder_i2c_t i2c;
} link_t;

static int setup(void **state)
{
    link_t *l = calloc(1, sizeof *l);
    l->t = bench_open(i2c_board);
    OK(l->t->mcu->bus->i2c_open(l->t->mcu->ctx, 0, 1, 400000, &l->i2c));
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    link_t *l = *state;
    void *t = l->t;
    bench_teardown(&t);
    free(l);
    return 0;
}

static void write_reg(link_t *l, uint8_t reg, uint8_t value)
{
    const uint8_t bytes[2] = {reg, value};
    OK(l->i2c.ops->xfer(l->i2c.ctx, 0x48, bytes, 2, NULL, 0, 100));
}

static unsigned read_reg(link_t *l, uint8_t reg, size_t len)
{
    uint8_t bytes[2] = {0};
    OK(l->i2c.ops->xfer(l->i2c.ctx, 0x48, &reg, 1, bytes, len, 100));
    return len == 2 ? (unsigned)(bytes[0] << 8 | bytes[1]) : bytes[0];
}

static bool pin(link_t *l, const char *name)
{
    bool level;
    OK(l->t->mcu->gpio->read(l->t->mcu->ctx, bench_pin(l->t, name), &level));
    return level;
}

/* ---- ADT7410 ---- */

static void power_on_registers(void **state)
{
    link_t *l = *state;
    assert_int_equal(read_reg(l, 0x02, 1), 0x80); /* nothing converted yet */
    assert_int_equal(read_reg(l, 0x00, 2), 0);
    assert_int_equal(read_reg(l, 0x03, 1), 0);
    assert_int_equal(read_reg(l, 0x04, 2), 0x2000);
    assert_int_equal(read_reg(l, 0x06, 2), 0x0500);
    assert_int_equal(read_reg(l, 0x08, 2), 0x4980);
    assert_int_equal(read_reg(l, 0x0A, 1), 0x05);
    assert_int_equal(read_reg(l, 0x0B, 1), 0xCB);
}

static void resolutions_and_signs(void **state)
{
    static const struct {
        const char *knob;
        int bits13, bits16;
    } cases[] = {{"{\"celsius\": 25}", 400, 3200},
                 {"{\"celsius\": -0.0625}", -1, -8},
                 {"{\"celsius\": -40}", -640, -5120},
                 {"{\"celsius\": 63.9375}", 1023, 8184}};
    link_t *l = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_knob(l->t, "t", cases[i].knob);
        write_reg(l, 0x03, 0x00);
        sim_board_advance(l->t->board, 600000);
        assert_int_equal((int16_t)read_reg(l, 0x00, 2) >> 3, cases[i].bits13);
        assert_int_equal(read_reg(l, 0x02, 1) & 0x80, 0x80); /* read: the next one is not ready */
        write_reg(l, 0x03, 0x80);
        sim_board_advance(l->t->board, 600000);
        assert_int_equal(read_reg(l, 0x02, 1) & 0x80, 0);
        assert_int_equal((int16_t)read_reg(l, 0x00, 2), cases[i].bits16);
    }
}

static void one_shot_sleeps_again(void **state)
{
    link_t *l = *state;
    write_reg(l, 0x03, 0x60); /* shutdown */
    bench_knob(l->t, "t", "{\"celsius\": 30}");
    sim_board_advance(l->t->board, 2000000);
    const unsigned before = read_reg(l, 0x00, 2) >> 3;
    assert_int_not_equal(before, 480);
    write_reg(l, 0x03, 0x20);
    sim_board_advance(l->t->board, 239000);
    assert_int_equal(read_reg(l, 0x00, 2) >> 3, before);
    sim_board_advance(l->t->board, 1000);
    assert_int_equal(read_reg(l, 0x00, 2) >> 3, 480);
    assert_int_equal(read_reg(l, 0x03, 1), 0x60);
    bench_knob(l->t, "t", "{\"celsius\": 31}");
    sim_board_advance(l->t->board, 2000000);
    assert_int_equal(read_reg(l, 0x00, 2) >> 3, 480);
    const uint8_t reset = 0x2F;
    OK(l->i2c.ops->xfer(l->i2c.ctx, 0x48, &reset, 1, NULL, 0, 100));
    assert_int_equal(read_reg(l, 0x03, 1), 0);
}

static void limits_pull_int_and_ct(void **state)
{
    link_t *l = *state;
    sim_board_advance(l->t->board, 300000);
    assert_true(pin(l, "INT"));
    assert_true(pin(l, "CT"));
    bench_knob(l->t, "t", "{\"celsius\": 65}");
    sim_board_advance(l->t->board, 300000);
    assert_int_equal(read_reg(l, 0x00, 2) & 7, 2);
    assert_false(pin(l, "INT"));
    assert_true(pin(l, "CT"));
    assert_int_equal(read_reg(l, 0x02, 1) & 0x70, 0x20); /* reading clears in interrupt mode */
    assert_true(pin(l, "INT"));
    write_reg(l, 0x03, 0x10 | 0x03); /* comparator, four faults in a row */
    bench_knob(l->t, "t", "{\"celsius\": 5}");
    sim_board_advance(l->t->board, 240000 * 3);
    assert_true(pin(l, "INT"));
    sim_board_advance(l->t->board, 240000 * 2);
    assert_false(pin(l, "INT"));
    bench_knob(l->t, "t", "{\"celsius\": 149}");
    sim_board_advance(l->t->board, 240000 * 6);
    assert_false(pin(l, "CT"));
}

/* ---- SSD1306 ---- */

static void oled(link_t *l, const uint8_t *bytes, size_t len)
{
    OK(l->i2c.ops->xfer(l->i2c.ctx, 0x3C, bytes, len, NULL, 0, 100));
}

static bool lit(link_t *l, unsigned x, unsigned y)
{
    const adder_err_t err = sim_board_picture(l->t->board, "o", &l->t->picture);
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
    return l->t->picture.pixels[y * l->t->picture.width + x] != 0;
}

static void oled_shows_pages(void **state)
{
    link_t *l = *state;
    /* the usual start: horizontal addressing, both remaps, charge pump, on */
    static const uint8_t start[] = {0x00, 0xAE, 0x20, 0x00, 0x40, 0xA1, 0xA8, 0x3F, 0xC8,
                                    0xD3, 0x00, 0xDA, 0x12, 0xD5, 0x80, 0xD9, 0xF1, 0xDB,
                                    0x30, 0x81, 0xFF, 0xA4, 0xA6, 0x8D, 0x14, 0xAF};
    static const uint8_t area[] = {0x80, 0x21, 0x80, 10, 0x80, 11, 0x80, 0x22, 0x80, 1, 0x80, 2};
    static const uint8_t data[] = {0x40, 0x01, 0x80, 0xFF, 0x00};
    oled(l, start, sizeof start);
    oled(l, area, sizeof area);
    assert_false(lit(l, 10, 8));
    oled(l, data, sizeof data);
    assert_true(lit(l, 10, 8)); /* page 1, bit 0 on top */
    assert_false(lit(l, 10, 9));
    assert_true(lit(l, 11, 15));
    assert_true(lit(l, 10, 16));
    assert_true(lit(l, 10, 23));
    assert_false(lit(l, 11, 16));
    assert_int_equal(l->t->picture.width, 128);
    assert_int_equal(l->t->picture.height, 64);
    oled(l, (const uint8_t[]){0x00, 0xA7}, 2);
    assert_true(lit(l, 0, 0));
    oled(l, (const uint8_t[]){0x00, 0xAE}, 2);
    assert_false(lit(l, 0, 0));
    uint8_t status;
    OK(l->i2c.ops->xfer(l->i2c.ctx, 0x3C, NULL, 0, &status, 1, 100));
    assert_int_equal(status & 0x40, 0x40);
}

static void oled_addressing_modes(void **state)
{
    link_t *l = *state;
    static const uint8_t on[] = {0x00, 0x8D, 0x14, 0xA1, 0xC8, 0xAF};
    oled(l, on, sizeof on);
    /* page mode, the default at power-on: column nibbles, then along one page */
    oled(l, (const uint8_t[]){0x00, 0xB3, 0x05, 0x12}, 4);
    oled(l, (const uint8_t[]){0x40, 0x01, 0x02}, 3);
    assert_true(lit(l, 0x25, 24));
    assert_true(lit(l, 0x26, 25));
    /* vertical mode: down the pages first */
    oled(l, (const uint8_t[]){0x00, 0x20, 0x01, 0x21, 60, 61, 0x22, 0, 1}, 9);
    oled(l, (const uint8_t[]){0x40, 0x01, 0x02, 0x04}, 4);
    assert_true(lit(l, 60, 0));
    assert_true(lit(l, 60, 9));
    assert_true(lit(l, 61, 2));
    /* start line and offset move the picture, remap mirrors it */
    oled(l, (const uint8_t[]){0x00, 0x42}, 2);
    assert_true(lit(l, 61, 0));
    oled(l, (const uint8_t[]){0x00, 0x40, 0xA0}, 3);
    assert_true(lit(l, 127 - 61, 2));
    oled(l, (const uint8_t[]){0x00, 0xC0}, 2);
    assert_true(lit(l, 127 - 61, 61));
    oled(l, (const uint8_t[]){0x00, 0xA5}, 2);
    assert_true(lit(l, 3, 3));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(power_on_registers),     TEST(resolutions_and_signs), TEST(one_shot_sleeps_again),
        TEST(limits_pull_int_and_ct), TEST(oled_shows_pages),      TEST(oled_addressing_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
