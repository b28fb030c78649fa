/* The built-in display without an interpreter: start, console, the end of runs, a bus that fails. */
#include "python/modules/display_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PINS = 32, RS = 1, CS = 2, WR = 3, RD = 4, RESET = 5, LIGHT = 6, D0 = 10 };

/* A panel of 320x240 that remembers what it was sent. */
static struct {
    bool rs;
    uint8_t command, parameters[4], high;
    size_t n; /* bytes since the command */
    uint16_t x1, x2, y1, x, y;
    uint16_t pixels[240][320];
    unsigned sleep_outs, resets, open;
    uint16_t light;
    /* the fault */
    size_t left;
    bool armed, fired;
    uint64_t now_us;
} panel;

static bool fault(void)
{
    if (!panel.armed || panel.fired || panel.left-- > 0)
        return false;
    panel.fired = true;
    return true;
}

static void data(uint8_t byte)
{
    size_t n = panel.n++;
    if ((panel.command == 0x2A || panel.command == 0x2B) && n < 4) {
        panel.parameters[n] = byte;
        uint16_t from = (uint16_t)(panel.parameters[0] << 8 | panel.parameters[1]);
        uint16_t to = (uint16_t)(panel.parameters[2] << 8 | panel.parameters[3]);
        if (n == 3 && panel.command == 0x2A) {
            panel.x1 = from;
            panel.x2 = to;
        } else if (n == 3) {
            panel.y1 = from;
        }
    } else if (panel.command == 0x2C && n % 2 == 0) {
        panel.high = byte;
    } else if (panel.command == 0x2C) {
        assert_true(panel.x < 320 && panel.y < 240);
        panel.pixels[panel.y][panel.x] = (uint16_t)(panel.high << 8 | byte);
        if (panel.x++ == panel.x2) {
            panel.x = panel.x1;
            panel.y++;
        }
    }
}

static adder_err_t port_write(void *ctx, const uint8_t *wr, size_t len)
{
    (void)ctx;
    if (fault())
        return ADDER_ERR_IO;
    for (size_t i = 0; i < len; i++) {
        if (panel.rs) {
            data(wr[i]);
            continue;
        }
        panel.command = wr[i];
        panel.n = 0;
        panel.x = panel.x1;
        panel.y = panel.y1;
        panel.sleep_outs += wr[i] == 0x11;
    }
    return ADDER_OK;
}

static const adder_par8_ops_t port_ops = {port_write};

static adder_err_t pin_write(void *ctx, uint16_t pin, bool level)
{
    (void)ctx;
    if (fault())
        return ADDER_ERR_IO;
    if (pin == RS)
        panel.rs = level;
    panel.resets += pin == RESET && !level;
    return ADDER_OK;
}

static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    return mode == ADDER_PIN_OUT ? pin_write(ctx, pin, level) : ADDER_OK;
}

static const adder_pin_ops_t gpio = {pin_mode, pin_write, NULL};

static adder_err_t par8_open(void *ctx, const uint16_t pins[8], uint16_t write, uint16_t read, uint32_t hz,
                             adder_par8_t *out)
{
    (void)ctx, (void)hz;
    assert_int_equal(pins[7], D0 + 7);
    assert_int_equal(write, WR);
    assert_int_equal(read, RD);
    if (fault())
        return ADDER_ERR_PIN;
    panel.open++;
    *out = (adder_par8_t){&port_ops, &panel};
    return ADDER_OK;
}

static void bus_close(void *ctx, void *bus)
{
    (void)ctx;
    assert_ptr_equal(bus, &panel);
    panel.open--;
}

static const adder_mcu_bus_ops_t buses = {.par8_open = par8_open, .close = bus_close};

static adder_err_t pwm_start(void *ctx, uint16_t pin, uint32_t hz, uint16_t duty, uint32_t *hz_out)
{
    (void)ctx;
    assert_int_equal(pin, LIGHT);
    panel.light = duty;
    *hz_out = hz;
    return fault() ? ADDER_ERR_PIN : ADDER_OK;
}

static adder_err_t pwm_duty(void *ctx, uint16_t pin, uint16_t duty)
{
    (void)ctx, (void)pin;
    panel.light = duty;
    return ADDER_OK;
}

static void pin_release(void *ctx, uint16_t pin)
{
    (void)ctx, (void)pin;
}

static const adder_mcu_pin_ops_t pin_ops = {
    .pwm_start = pwm_start, .pwm_duty = pwm_duty, .pin_release = pin_release};

static uint64_t now_us(void *ctx)
{
    (void)ctx;
    return panel.now_us += 10;
}

static void sleep_us(uint64_t us)
{
    panel.now_us += us;
}

static const adder_mcu_sys_ops_t sys = {.now_us = now_us};

static const uint8_t sequence[] = {0x01, 0x80, 0x80, 0x36, 0x01, 0x38, 0x3A,
                                   0x01, 0x55, 0x11, 0x80, 0x78, 0x29, 0x00};

static adder_mcu_pin_t pins[PINS];

static adder_mcu_t machine(void)
{
    for (unsigned i = 0; i < PINS; i++)
        pins[i] = (adder_mcu_pin_t){"P", ADDER_CAP_DIGITAL | ADDER_CAP_PWM};
    return (adder_mcu_t){.gpio = &gpio,
                         .pin = &pin_ops,
                         .bus = &buses,
                         .sys = &sys,
                         .pins = pins,
                         .pin_count = PINS,
                         .display = {.kind = ADDER_MCU_DISPLAY_PAR8,
                                     .data = {D0, D0 + 1, D0 + 2, D0 + 3, D0 + 4, D0 + 5, D0 + 6, D0 + 7},
                                     .write = WR,
                                     .read = RD,
                                     .command = RS,
                                     .chip_select = CS,
                                     .reset = RESET,
                                     .hz = 20000000,
                                     .init_sequence = sequence,
                                     .init_sequence_len = sizeof sequence,
                                     .width = 320,
                                     .height = 240,
                                     .color_depth = 16,
                                     .backlight = LIGHT,
                                     .frames_per_second = 60}};
}

/* Frames until nothing is left to paint. */
static void settle(void)
{
    for (int i = 0; i < 20; i++) {
        panel.now_us += 20000;
        display_board_poll(panel.now_us);
    }
}

static unsigned lit(int y1, int y2)
{
    unsigned n = 0;
    for (int y = y1; y < y2; y++) {
        for (int x = 0; x < 320; x++)
            n += panel.pixels[y][x] == 0xFFFF;
    }
    return n;
}

static void say(const char *text)
{
    display_board_console(text, strlen(text));
}

static void test_shows_the_console(void **state)
{
    (void)state;
    adder_mcu_t mcu = machine();
    memset(&panel, 0, sizeof panel);
    assert_int_equal(display_board_start(&mcu, sleep_us), ADDER_OK);
    assert_int_equal(panel.sleep_outs, 1);
    assert_int_equal(panel.resets, 1);
    assert_int_equal(panel.light, 65535);
    assert_true(panel.now_us >= (128 + 120) * 1000); /* the delays of the sequence were waited for */
    say("\x1b[2J\x1b[1;1H");
    settle();
    assert_int_equal(lit(12, 240), 0);
    say("HHH\r\nH");
    settle();
    unsigned first = lit(12, 24), second = lit(24, 36);
    assert_true(second > 0);
    assert_int_equal(first, 3 * second);
    assert_int_equal(lit(36, 240), 0);
    say("\x1b]0;title\x1b\\");
    settle();
    assert_true(lit(0, 12) > 0);
    display_board_run_ended(); /* nothing ran: nothing changes */
    settle();
    assert_int_equal(lit(12, 24), first);
    display_board_stop();
    assert_int_equal(panel.open, 0);
    assert_int_equal(display_board_poll(1), UINT64_MAX);
    say("after the end"); /* harmless */
}

static void test_no_display(void **state)
{
    (void)state;
    adder_mcu_t mcu = machine();
    mcu.display.kind = ADDER_MCU_DISPLAY_NONE;
    assert_int_equal(display_board_start(&mcu, sleep_us), ADDER_OK);
    display_board_run_ended();
    assert_int_equal(display_board_poll(1), UINT64_MAX);
    display_board_stop();
}

static void test_bad_sequence(void **state)
{
    (void)state;
    static const uint8_t cut[] = {0x01, 0x80, 0x05, 0x36, 0x04, 0x38};
    adder_mcu_t mcu = machine();
    mcu.display.init_sequence = cut;
    mcu.display.init_sequence_len = sizeof cut;
    memset(&panel, 0, sizeof panel);
    assert_int_equal(display_board_start(&mcu, sleep_us), ADDER_ERR_FORMAT);
    assert_int_equal(panel.open, 0);
    assert_int_equal(display_board_poll(1), UINT64_MAX);
    display_board_stop();
}

/* Each call to the hardware fails once, in turn: start says so or the display works; never a hang, never a
 * bus left open by a failed start. */
static void test_every_fault(void **state)
{
    (void)state;
    adder_mcu_t mcu = machine();
    for (size_t n = 0;; n++) {
        memset(&panel, 0, sizeof panel);
        panel.armed = true;
        panel.left = n;
        adder_err_t err = display_board_start(&mcu, sleep_us);
        bool fired = panel.fired;
        panel.armed = false;
        if (err != ADDER_OK) {
            assert_true(fired);
            assert_int_equal(panel.open, 0);
            assert_int_equal(display_board_poll(1), UINT64_MAX);
        } else {
            say("\x1b[2J\x1b[1;1HX");
            settle();
            assert_true(lit(12, 24) > 0);
        }
        display_board_stop();
        assert_int_equal(panel.open, 0);
        if (!fired)
            break;
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shows_the_console),
        cmocka_unit_test(test_no_display),
        cmocka_unit_test(test_bad_sequence),
        cmocka_unit_test(test_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
