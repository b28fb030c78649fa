/* The driver against a chip of a few lines: slots, READY, and what goes wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/airlift.h"

enum { CS, READY, RESET };
enum { HANDLE_US = 50 };

static adder_airlift_t a;
static uint64_t now;

static struct {
    const char *version;
    uint8_t rx[4096], tx[4096], last[4096]; /* last: the command before the version's */
    size_t rx_len, tx_len, tx_pos, last_len, reply_len;
    uint8_t reply[4096]; /* to anything but 37h; none = error frame */
    bool ready, selected, sending, dead, held;
    uint64_t due_us;  /* READY falls then */
    uint32_t slow_us; /* the next command takes this long */
    unsigned deaf;    /* selections not acknowledged */
    unsigned garble;  /* replies whose start is broken */
    uint8_t idle;     /* what comes in the command slot */
    unsigned commands;
} chip;

static void chip_arm(void)
{
    chip.ready = true;
    chip.due_us = now + HANDLE_US;
}

static void chip_poll(void)
{
    if (chip.due_us <= now && !chip.dead && !chip.held) {
        chip.due_us = UINT64_MAX;
        chip.ready = false;
    }
}

static void chip_answer(void)
{
    chip.commands++;
    memset(chip.tx, 0, sizeof chip.tx);
    if (chip.rx[0] == 0xE0 && chip.rx[1] == 0x37) {
        const size_t n = strlen(chip.version) + 1;
        memcpy(chip.tx, (const uint8_t[]){0xE0, 0xB7, 1, (uint8_t)n}, 4);
        memcpy(chip.tx + 4, chip.version, n);
        chip.tx[4 + n] = 0xEE;
    } else {
        memcpy(chip.last, chip.rx, chip.rx_len);
        chip.last_len = chip.rx_len;
        if (chip.rx[0] == 0xE0 && chip.reply_len > 0) {
            memcpy(chip.tx, chip.reply, chip.reply_len);
            chip.tx[1] = (uint8_t)(chip.rx[1] | 0x80);
        } else {
            memcpy(chip.tx, (const uint8_t[]){0xEF, 0, 0xEE}, 3);
        }
    }
    chip.tx_pos = 0;
    if (chip.garble > 0) {
        chip.garble--;
        chip.tx[0] ^= 0x10;
    }
    chip.sending = true;
    chip_arm();
    chip.due_us += chip.slow_us;
    chip.slow_us = 0;
}

static void chip_select(bool low)
{
    if (low == chip.selected || chip.dead || chip.held) {
        return;
    }
    if (low) {
        if (chip.ready) {
            return; /* not armed: sees nothing */
        }
        if (chip.deaf > 0) {
            chip.deaf--;
            return;
        }
        chip.selected = chip.ready = true;
        chip.rx_len = 0;
        return;
    }
    chip.selected = false;
    if (chip.sending) {
        chip.sending = false;
        chip_arm();
    } else if (chip.rx_len == 0) {
        chip_arm();
    } else {
        chip_answer();
    }
}

static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level);

static adder_err_t pin_write(void *ctx, uint16_t pin, bool level)
{
    return pin_mode(ctx, pin, ADDER_PIN_OUT, level);
}

static adder_err_t pin_read(void *ctx, uint16_t pin, bool *level_out)
{
    (void)ctx;
    (void)pin;
    chip_poll();
    *level_out = chip.ready || chip.dead || chip.held;
    return ADDER_OK;
}

static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    (void)ctx;
    (void)mode;
    chip_poll();
    if (pin == CS) {
        chip_select(!level);
    } else if (pin == RESET) {
        if (!level) {
            chip.held = true;
            chip.selected = chip.sending = false;
        } else if (chip.held) {
            chip.held = false;
            chip_arm();
            chip.due_us += 260000;
        }
    }
    return ADDER_OK;
}

static adder_err_t configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                             uint32_t *hz_out)
{
    (void)ctx;
    (void)hz_out;
    assert_int_equal(hz, 8000000);
    assert_int_equal(polarity + phase, 0);
    assert_int_equal(bits, 8);
    return ADDER_OK;
}

static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        uint8_t in = chip.dead ? 0xFF : chip.idle;
        if (chip.selected && chip.sending) {
            in = chip.tx[chip.tx_pos++];
        } else if (chip.selected) {
            assert_true(chip.rx_len < 4092);
            chip.rx[chip.rx_len++] = wr != NULL ? wr[i] : fill;
        }
        if (rd != NULL) {
            rd[i] = in;
        }
    }
    return ADDER_OK;
}

static const adder_pin_ops_t pin_ops = {pin_mode, pin_write, pin_read};
static const adder_spi_ops_t spi_ops = {configure, transfer};

/* Tick to the end; never more than `limit_s` of the chip's time. */
static adder_err_t run(unsigned limit_s)
{
    const uint64_t end = now + limit_s * (uint64_t)1000000;
    adder_err_t err;
    while ((err = adder_airlift_tick(&a, now)) == ADDER_ERR_AGAIN) {
        uint64_t next = adder_airlift_due_us(&a);
        next = chip.due_us < next ? chip.due_us : next;
        now = next > now ? next : now + 1;
        assert_true(now < end);
    }
    assert_false(adder_airlift_holds_bus(&a));
    assert_true(adder_airlift_due_us(&a) == UINT64_MAX);
    assert_int_equal(adder_airlift_tick(&a, now), err);
    return err;
}

static adder_err_t ended(adder_err_t begun)
{
    assert_int_equal(begun, ADDER_OK);
    return run(200);
}

static void init(const char *version, bool with_reset)
{
    memset(&chip, 0, sizeof chip);
    chip.version = version;
    chip.ready = true;
    chip.due_us = now;
    adder_airlift_config_t c = {
        .spi = {&spi_ops, NULL}, .cs = {&pin_ops, NULL, CS}, .ready = {&pin_ops, NULL, READY}};
    if (with_reset) {
        c.reset = (adder_pin_t){&pin_ops, NULL, RESET};
    }
    assert_int_equal(adder_airlift_init(&a, &c), ADDER_OK);
}

static void start(const char *version)
{
    init(version, true);
    assert_int_equal(adder_airlift_begin_start(&a), ADDER_OK);
    assert_int_equal(run(1), ADDER_OK);
}

#define REPLY(...)                                                                                           \
    (memcpy(chip.reply, (const uint8_t[]){0xE0, 0, __VA_ARGS__},                                             \
            sizeof((const uint8_t[]){0xE0, 0, __VA_ARGS__})),                                                \
     chip.reply_len = sizeof((const uint8_t[]){0xE0, 0, __VA_ARGS__}))
#define SENT(...)                                                                                            \
    assert_memory_equal(chip.last, ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__}))

static void starts_and_tells_the_version(void **state)
{
    (void)state;
    assert_int_equal(sizeof a <= 1000, true);
    init("1.7.7", true);
    assert_int_equal(adder_airlift_tick(&a, now), ADDER_ERR_STATE);
    assert_int_equal(adder_airlift_begin_rssi(&a), ADDER_ERR_STATE);
    const uint64_t began = now;
    assert_int_equal(adder_airlift_begin_start(&a), ADDER_OK);
    assert_int_equal(adder_airlift_begin_start(&a), ADDER_ERR_STATE);
    assert_int_equal(run(1), ADDER_OK);
    assert_true(now - began < 280000); /* the chip's own time, not 750 ms */
    assert_int_equal(a.firmware.minor, 7);
    assert_int_equal(adder_airlift_slots(&a), 10);
    start("2.0.0-rc.0+adafruit");
    assert_int_equal(a.firmware.major, 2);
    assert_string_equal(a.firmware.text, "2.0.0-rc.0+adafruit");
    assert_int_equal(adder_airlift_slots(&a), 6);
    init("nonsense", true);
    assert_int_equal(ended(adder_airlift_begin_start(&a)), ADDER_ERR_NOT_FOUND);
    init("1.7.7", true);
    chip.dead = true;
    assert_int_equal(ended(adder_airlift_begin_start(&a)), ADDER_ERR_NOT_FOUND);
    assert_int_equal(adder_airlift_begin_rssi(&a), ADDER_ERR_STATE);
}

static void without_a_reset_pin_it_aligns(void **state)
{
    (void)state;
    for (unsigned idle = 0; idle < 256; idle += 15) { /* EF and E1, 00 and FF */
        init("1.7.7", false);
        chip.idle = (uint8_t)idle;
        assert_int_equal(ended(adder_airlift_begin_start(&a)), ADDER_OK);
    }
    init("1.7.7", false);
    chip.idle = 0xE0; /* the command slot looks like a frame */
    assert_int_equal(ended(adder_airlift_begin_start(&a)), ADDER_OK);
}

static void frames_are_those_of_the_sheet(void **state)
{
    (void)state;
    start("1.7.7");
    REPLY(1, 1, 1, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_join(&a, "net", "pass")), ADDER_OK);
    SENT(0xE0, 0x11, 2, 3, 'n', 'e', 't', 4, 'p', 'a', 's', 's', 0xEE, 0, 0, 0);
    assert_int_equal(chip.last_len, 16);
    assert_int_equal(
        ended(adder_airlift_begin_connect(&a, 2, (const uint8_t[]){1, 2, 3, 4}, 0x1234, ADDER_AIRLIFT_TCP)),
        ADDER_OK);
    SENT(0xE0, 0x2D, 4, 4, 1, 2, 3, 4, 2, 0x12, 0x34, 1, 2, 1, 0, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_access_point(&a, "ap", NULL, 6)), ADDER_OK);
    SENT(0xE0, 0x18, 2, 2, 'a', 'p', 1, 6, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_set_client_cert(&a, "PEM", 3)), ADDER_OK);
    SENT(0xE0, 0x40, 1, 3, 'P', 'E', 'M', 0, 0xEE, 0, 0, 0);
    REPLY(1, 2, 9, 1, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_available(&a, 3, false)), ADDER_OK);
    SENT(0xE0, 0x2B, 1, 1, 3, 0xEE, 0, 0);
    assert_int_equal(a.result.number, 265);
    static uint8_t big[5000], got[5000];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 7);
    }
    REPLY(1, 2, 0xF3, 0x0F, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_send(&a, 3, big, sizeof big)), ADDER_OK);
    assert_int_equal(a.result.number, 4083);
    assert_int_equal(chip.last_len, 4092);
    SENT(0xE0, 0x44, 2, 0, 1, 3, 0x0F, 0xF3);
    assert_memory_equal(chip.last + 8, big, 4083);
    chip.reply_len = 5 + 4086 + 1;
    memcpy(chip.reply, (const uint8_t[]){0xE0, 0, 1, 0x0F, 0xF6}, 5);
    memcpy(chip.reply + 5, big, 4086);
    chip.reply[4091] = 0xEE;
    assert_int_equal(ended(adder_airlift_begin_recv(&a, 3, got, sizeof got)), ADDER_OK);
    SENT(0xE0, 0x45, 2, 0, 1, 3, 0, 2, 0xF6, 0x0F, 0xEE, 0);
    assert_int_equal(a.result.len, 4086);
    assert_memory_equal(got, big, 4086);
    assert_int_equal(ended(adder_airlift_begin_recv(&a, 3, got, 4085)),
                     ADDER_ERR_IO); /* more than asked for */
}

static void firmwares_differ(void **state)
{
    (void)state;
    static const uint8_t forth[6] = {1, 2, 3, 4, 5, 6}, back[6] = {6, 5, 4, 3, 2, 1};
    static const char *const versions[] = {"1.7.7", "2.0.0", "3.3.0"};
    for (unsigned v = 0; v < 3; v++) {
        start(versions[v]);
        REPLY(1, 6, 1, 2, 3, 4, 5, 6, 0xEE);
        assert_int_equal(ended(adder_airlift_begin_mac(&a)), ADDER_OK);
        assert_memory_equal(a.result.mac, v == 2 ? forth : back, 6);
        REPLY(1, 1, 3, 0xEE);
        assert_int_equal(ended(adder_airlift_begin_scanned_encryption(&a, 0)), ADDER_OK);
        assert_int_equal(a.result.number, v == 2 ? ADDER_AIRLIFT_WPA2 : 3);
        REPLY(1, 4, 1, 0, 0, 0x80, 0xEE);
        assert_int_equal(ended(adder_airlift_begin_time(&a)), ADDER_OK);
        assert_true(a.result.number == 0x80000001);
        REPLY(1, 8, 1, 0, 0, 0x80, 1, 0, 0, 0, 0xEE);
        assert_int_equal(ended(adder_airlift_begin_time(&a)), ADDER_OK);
        assert_true(a.result.number == 0x180000001);
        REPLY(1, 1, 1, 0xEE);
        assert_int_equal(ended(adder_airlift_begin_pin_mode(&a, 2, ADDER_AIRLIFT_PIN_OUT)), ADDER_OK);
        SENT(0xE0, 0x50, 2, 1, 2, 1, v == 2 ? 3 : 1);
        assert_int_equal(adder_airlift_begin_connect_name(&a, 9, "h", 1, ADDER_AIRLIFT_TLS),
                         v == 0 ? ADDER_OK : ADDER_ERR_RANGE);
        adder_airlift_give_up(&a);
        assert_int_equal(adder_airlift_begin_reason(&a), v == 0 ? ADDER_ERR_UNSUPPORTED : ADDER_OK);
        adder_airlift_give_up(&a);
        assert_int_equal(adder_airlift_begin_connect_name(&a, 0, "h", 1, ADDER_AIRLIFT_TCP),
                         v == 0 ? ADDER_ERR_UNSUPPORTED : ADDER_OK);
        adder_airlift_give_up(&a);
    }
}

static void limits_hold_before_the_chip(void **state)
{
    (void)state;
    start("1.7.7");
    static char text[300];
    memset(text, 'x', sizeof text - 1);
    const unsigned before = chip.commands;
    assert_int_equal(adder_airlift_begin_join_open(&a, text + 299 - 33), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_join_open(&a, ""), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_join(&a, "a", text + 299 - 65), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_join_wep(&a, "a", text + 299 - 27), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_enterprise_user(&a, text + 299 - 33), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_set_hostname(&a, text + 299 - 256), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_access_point(&a, "a", "1234567", 1), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_set_client_cert(&a, text, 1300), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_stop(&a, 10), ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_connect_name(&a, 0, text + 299 - 256, 1, ADDER_AIRLIFT_TLS),
                     ADDER_ERR_RANGE);
    assert_int_equal(adder_airlift_begin_add_datagram(&a, 0, (const uint8_t *)text, 1501), ADDER_ERR_RANGE);
    assert_int_equal(chip.commands, before);
    REPLY(1, 1, 1, 0xEE);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ended(adder_airlift_begin_add_datagram(&a, 0, (const uint8_t *)text, 290)),
                         ADDER_OK);
    }
    assert_int_equal(adder_airlift_begin_add_datagram(&a, 0, (const uint8_t *)text, 51), ADDER_ERR_RANGE);
    assert_int_equal(ended(adder_airlift_begin_send_datagram(&a, 0)), ADDER_OK);
    assert_int_equal(ended(adder_airlift_begin_add_datagram(&a, 0, (const uint8_t *)text, 51)), ADDER_OK);
    assert_int_equal(ended(adder_airlift_begin_connect_name(&a, 0, text + 299 - 255, 1, ADDER_AIRLIFT_TLS)),
                     ADDER_OK);
    assert_int_equal(ended(adder_airlift_begin_set_hostname(&a, text + 299 - 255)), ADDER_OK);
}

static void refusals_leave_the_link_alone(void **state)
{
    (void)state;
    start("1.7.7");
    REPLY(1, 1, 0, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_resolve(&a, "a")), ADDER_ERR_REFUSED);
    REPLY(0, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_connect_name(&a, 0, "a", 1, ADDER_AIRLIFT_TLS)),
                     ADDER_ERR_REFUSED);
    chip.reply_len = 0;
    assert_int_equal(ended(adder_airlift_begin_enterprise_enable(&a)), ADDER_ERR_UNSUPPORTED);
    REPLY(1, 1, 255, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_socket(&a)), ADDER_ERR_NOMEM);
    assert_int_equal(a.stats.realigned, 0);
    assert_int_equal(a.stats.bad_replies, 0);
}

static void scans_into_the_callers_buffer(void **state)
{
    (void)state;
    start("1.7.7");
    uint8_t names[8];
    REPLY(3, 2, 'a', 'b', 0, 4, 'l', 'o', 'n', 'g', 0xEE);
    assert_int_equal(ended(adder_airlift_begin_scan(&a, names, 8)), ADDER_OK);
    assert_int_equal(a.result.number, 3);
    assert_int_equal(a.result.len, 4);
    assert_memory_equal(names, "\2ab\0", 4);
    REPLY(0, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_scan(&a, names, 8)), ADDER_OK);
    assert_int_equal(a.result.number, 0);
    REPLY(0xFE, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_scan(&a, names, 8)), ADDER_ERR_REFUSED);
}

/* The heart: a late reply, waited for by nobody, does not shift what follows. */
static void a_lost_reply_heals_without_a_reset(void **state)
{
    (void)state;
    start("1.7.7");
    uint8_t buf[16];
    REPLY(1, 0, 1, 'x', 0xEE);
    chip.slow_us = 20000000; /* recv's limit is 5 s */
    assert_int_equal(ended(adder_airlift_begin_recv(&a, 0, buf, sizeof buf)), ADDER_ERR_TIMEOUT);
    now += 16000000;
    REPLY(1, 4, 0xC8, 0xFF, 0xFF, 0xFF, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_rssi(&a)), ADDER_OK);
    assert_int_equal(a.result.number, -56);
    assert_int_equal(a.stats.realigned, 1);
    assert_int_equal(a.stats.resets, 1);
    /* the bytes of the lost reply are missing in that stream, and in no other */
    assert_int_equal(adder_airlift_begin_recv(&a, 0, buf, sizeof buf), ADDER_ERR_IO);
    REPLY(1, 0, 1, 'y', 0xEE);
    assert_int_equal(ended(adder_airlift_begin_recv(&a, 1, buf, sizeof buf)), ADDER_OK);
    REPLY(1, 1, 1, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_stop(&a, 0)), ADDER_OK);
    REPLY(1, 0, 1, 'z', 0xEE);
    assert_int_equal(ended(adder_airlift_begin_recv(&a, 0, buf, sizeof buf)), ADDER_OK);
    assert_int_equal(buf[0], 'z');
}

static void broken_transactions_heal_too(void **state)
{
    (void)state;
    for (unsigned idle = 0; idle < 256; idle += 16) { /* E0 among them */
        start("1.7.7");
        chip.idle = (uint8_t)idle;
        REPLY(1, 1, 3, 0xEE);
        chip.deaf = 1; /* nothing was sent: done all the same */
        assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_OK);
        assert_int_equal(a.stats.realigned, 1);
        chip.garble = 1;
        assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_ERR_IO);
        assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_OK);
        assert_int_equal(a.result.number, 3);
        for (unsigned phase = 0; phase < 4; phase++) { /* given up anywhere */
            assert_int_equal(adder_airlift_begin_status(&a), ADDER_OK);
            for (unsigned i = 0; i < phase; i++) {
                assert_int_equal(adder_airlift_tick(&a, now), ADDER_ERR_AGAIN);
                now += 30;
            }
            adder_airlift_give_up(&a);
            assert_int_equal(run(1), ADDER_ERR_TIMEOUT);
            assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_OK);
        }
        assert_int_equal(a.stats.resets, 1);
    }
}

static void a_dead_link_is_reset_and_says_so(void **state)
{
    (void)state;
    start("1.7.7");
    chip.ready = true;
    chip.due_us = UINT64_MAX; /* hung; a reset helps */
    REPLY(1, 1, 3, 0xEE);
    assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_ERR_CLOSED);
    assert_int_equal(a.stats.resets, 2);
    assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_OK);
    chip.dead = true;
    assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_ERR_NOT_FOUND);
    assert_int_equal(adder_airlift_begin_status(&a), ADDER_ERR_STATE);
    chip.dead = false;
    assert_int_equal(ended(adder_airlift_begin_start(&a)), ADDER_OK);
    assert_int_equal(ended(adder_airlift_begin_status(&a)), ADDER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_and_tells_the_version),  cmocka_unit_test(without_a_reset_pin_it_aligns),
        cmocka_unit_test(frames_are_those_of_the_sheet), cmocka_unit_test(firmwares_differ),
        cmocka_unit_test(limits_hold_before_the_chip),   cmocka_unit_test(refusals_leave_the_link_alone),
        cmocka_unit_test(scans_into_the_callers_buffer), cmocka_unit_test(a_lost_reply_heals_without_a_reset),
        cmocka_unit_test(broken_transactions_heal_too),  cmocka_unit_test(a_dead_link_is_reset_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
