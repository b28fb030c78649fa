/* The stack on chips of a few lines each, which answer at once and know what lwIP does with what is sent:
 * the pace of sending, lost replies, both kinds of firmware, and two chips at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/airlift_net.h"

enum { CS, READY, RESET };
enum { WINDOW = 5744, SLOTS = 10, TRACKED = 64 };

typedef struct {
    const char *version;
    bool ready, selected, sending;
    uint64_t due_us;
    uint8_t rx[4096], tx[4096];
    size_t rx_len, tx_len, tx_pos;
    bool joined;
    struct {
        uint8_t mode; /* 255 = free */
        bool up;
    } slots[SLOTS];
    /* what was sent and is not acknowledged */
    uint32_t round_trip_us;
    struct {
        uint64_t due_us;
        uint16_t len;
    } flying[TRACKED];
    size_t taken;      /* in order, as they should be */
    unsigned closures; /* for want of room */
    unsigned partial, sends;
    unsigned refuse; /* sends that TLS takes nothing of, but will count as taken */
    size_t half;     /* of the frame that it has in its own buffer */
    uint8_t lose_op; /* the reply to the next of these is later than is waited for */
    unsigned commands[256];
    adder_airlift_net_t net;
    uint8_t rx_pool[1500], tx_pool[4083];
} chip_t;

static chip_t chips[2];
static uint64_t now;

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 17);
}

static size_t in_flight(chip_t *c)
{
    size_t sum = 0;
    for (unsigned i = 0; i < TRACKED; i++) {
        if (c->flying[i].due_us <= now) {
            c->flying[i].len = 0;
        }
        sum += c->flying[i].len;
    }
    return sum;
}

static size_t take(chip_t *c, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], pattern(c->taken + i)); /* nothing twice, nothing left out */
    }
    c->taken += len;
    return len;
}

static uint16_t send_tcp(chip_t *c, uint8_t slot, const uint8_t *bytes, size_t len)
{
    const size_t used = in_flight(c), room = WINDOW - used, n = len < room ? len : room;
    c->sends++;
    c->partial += n < len;
    if (n == 0) {
        c->closures++;
        c->slots[slot].up = c->version[0] != '1';
        return 0;
    }
    for (unsigned i = 0; i < TRACKED; i++) {
        if (c->flying[i].len == 0) {
            c->flying[i].len = (uint16_t)n;
            c->flying[i].due_us = now + c->round_trip_us;
            break;
        }
    }
    return (uint16_t)take(c, bytes, n);
}

/* mbedtls_ssl_write() that had to wait: it has made a record of what it was given, and when it is called
 * again says that it took all it is then offered. */
static uint16_t send_tls(chip_t *c, const uint8_t *bytes, size_t len)
{
    if (c->refuse > 0) {
        c->refuse--;
        c->half = len;
        return 0;
    }
    if (c->half > 0) {
        assert_int_equal(len, c->half);
        c->half = 0;
    }
    return (uint16_t)take(c, bytes, len);
}

static void reply(chip_t *c, const uint8_t *bytes, size_t len)
{
    const uint8_t op = c->rx[1];
    memset(c->tx, 0, sizeof c->tx);
    c->tx[0] = 0xE0;
    c->tx[1] = op | 0x80;
    c->tx[2] = 1;
    c->tx[3] = (uint8_t)len;
    if (len > 0) {
        memcpy(c->tx + 4, bytes, len);
    }
    c->tx[4 + len] = 0xEE;
}

static void answer(chip_t *c)
{
    const uint8_t op = c->rx[1], *p = c->rx + 4;
    uint8_t one = 1, slot;
    uint16_t n;
    c->commands[op]++;
    switch (c->rx[0] == 0xE0 ? op : 0) {
    case 0x37:
        reply(c, (const uint8_t *)c->version, strlen(c->version) + 1);
        return;
    case 0x10:
    case 0x11:
    case 0x19:
        c->joined = true;
        break;
    case 0x30:
        c->joined = false;
        break;
    case 0x20:
        one = c->joined ? 3 : 0;
        break;
    case 0x21:
        memcpy(c->tx, (const uint8_t[]){0xE0, 0xA1, 3, 4, 10, 0, 0, 2, 4, 255, 0, 0, 0, 4, 10, 0, 0, 1, 0xEE},
               19);
        return;
    case 0x1E:
        memcpy(c->tx, (const uint8_t[]){0xE0, 0x9E, 2, 4, 9, 9, 9, 9, 4, 0, 0, 0, 0, 0xEE}, 14);
        return;
    case 0x3F:
        for (one = 0; one < SLOTS && c->slots[one].mode != 255; one++) {
        }
        break;
    case 0x2D: /* by address, or by a name */
        slot = c->rx[2] == 4 ? p[8] : p[c->rx[3] + 9];
        c->slots[slot].mode = c->rx[2] == 4 ? p[10] : p[c->rx[3] + 11];
        c->slots[slot].up = true;
        now += c->round_trip_us;
        break;
    case 0x34:
        break;
    case 0x35:
        reply(c, (const uint8_t[]){10, 0, 0, 9}, 4);
        return;
    case 0x2E:
        c->slots[p[0]].mode = 255;
        c->slots[p[0]].up = false;
        break;
    case 0x2F:
        one = c->slots[p[0]].up ? 4 : 0;
        break;
    case 0x44:
        slot = c->rx[5];
        n = (uint16_t)(c->rx[6] << 8 | c->rx[7]);
        assert_true(c->slots[slot].up);
        n = c->slots[slot].mode == 2 ? send_tls(c, c->rx + 8, n) : send_tcp(c, slot, c->rx + 8, n);
        reply(c, (const uint8_t[]){(uint8_t)n, (uint8_t)(n >> 8)}, 2);
        return;
    case 0x45:
        memcpy(c->tx, (const uint8_t[]){0xE0, 0xC5, 1, 0, 0, 0xEE}, 6);
        return;
    default:
        memcpy(c->tx, (const uint8_t[]){0xEF, 0, 0xEE}, 3);
        return;
    }
    reply(c, &one, 1);
}

static void set_ready(chip_t *c, bool high, uint32_t low_in_us)
{
    c->ready = high;
    c->due_us = now + low_in_us;
}

static adder_err_t pin_write(void *ctx, uint16_t pin, bool level)
{
    chip_t *c = ctx;
    if (pin == RESET && !level) {
        for (unsigned i = 0; i < SLOTS; i++) {
            c->slots[i].mode = 255;
            c->slots[i].up = false;
        }
        c->joined = c->sending = false;
        set_ready(c, true, 300000);
    }
    if (pin != CS || level == !c->selected) {
        return ADDER_OK;
    }
    c->selected = !level;
    if (!level) {
        c->rx_len = c->tx_pos = 0;
        c->ready = true;
        c->due_us = UINT64_MAX;
    } else if (c->sending || c->rx_len == 0) {
        c->sending = false;
        set_ready(c, true, 20);
    } else {
        answer(c);
        c->sending = true;
        const bool lost = c->lose_op != 0 && c->rx[1] == c->lose_op;
        c->lose_op = lost ? 0 : c->lose_op;
        set_ready(c, true, lost ? c->rx[1] == 0x44 ? 20000000 : 8000000 : 250);
    }
    return ADDER_OK;
}

static adder_err_t pin_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    return mode == ADDER_PIN_OUT ? pin_write(ctx, pin, level) : ADDER_OK;
}

static adder_err_t pin_read(void *ctx, uint16_t pin, bool *level_out)
{
    chip_t *c = ctx;
    (void)pin;
    if (c->due_us <= now) {
        c->ready = false;
        c->due_us = UINT64_MAX;
    }
    *level_out = c->ready;
    return ADDER_OK;
}

static adder_err_t configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                             uint32_t *hz_out)
{
    (void)ctx, (void)hz, (void)polarity, (void)phase, (void)bits, (void)hz_out;
    return ADDER_OK;
}

static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    chip_t *c = ctx;
    now += len; /* 8 MHz */
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = 0;
        if (c->selected && c->sending) {
            byte = c->tx[c->tx_pos++];
        } else if (c->selected) {
            assert_true(c->rx_len < 4092);
            c->rx[c->rx_len++] = wr != NULL ? wr[i] : fill;
        }
        if (rd != NULL) {
            rd[i] = byte;
        }
    }
    return ADDER_OK;
}

static uint32_t random32(void *ctx)
{
    (void)ctx;
    return 4;
}

static const adder_pin_ops_t pin_ops = {pin_mode, pin_write, pin_read};
static const adder_spi_ops_t spi_ops = {configure, transfer};

static adder_net_t open_chip(chip_t *c, const char *version, uint32_t round_trip_us)
{
    memset(c, 0, sizeof *c);
    c->version = version;
    c->round_trip_us = round_trip_us;
    c->ready = true;
    c->due_us = UINT64_MAX;
    const adder_airlift_net_config_t config = {.chip = {.spi = {&spi_ops, c},
                                                        .cs = {&pin_ops, c, CS},
                                                        .ready = {&pin_ops, c, READY},
                                                        .reset = {&pin_ops, c, RESET}},
                                               .rx = c->rx_pool,
                                               .rx_size = sizeof c->rx_pool,
                                               .rx_count = 1,
                                               .tx = c->tx_pool,
                                               .tx_size = sizeof c->tx_pool,
                                               .tx_count = 1,
                                               .random = random32};
    assert_int_equal(adder_airlift_net_init(&c->net, &config), ADDER_OK);
    return adder_airlift_net(&c->net);
}

static adder_err_t pump(const adder_net_t *net)
{
    adder_net_wants_t wants;
    const adder_err_t err = net->ops->tick(net->ctx, now, &wants);
    now += wants.wait_us < 1000000 ? wants.wait_us : 1000000;
    return err;
}

static void join(chip_t *c, const adder_net_t *net)
{
    adder_net_status_t status = {0};
    assert_int_equal(adder_airlift_net_join(&c->net, &(adder_airlift_wifi_t){.ssid = "net"}), ADDER_OK);
    for (unsigned i = 0; status.link != ADDER_NET_LINK_UP; i++) {
        assert_true(i < 200000);
        (void)pump(net);
        net->ops->status(net->ctx, &status);
    }
}

static uint16_t connected(const adder_net_t *net, adder_net_kind_t kind)
{
    const adder_endpoint_t to = {.ip = adder_ip_v4(10, 0, 0, 9), .port = 80};
    uint16_t sock = 99;
    adder_err_t err;
    assert_int_equal(net->ops->open(net->ctx, kind, ADDER_IP_V4, &sock), ADDER_OK);
    while ((err = net->ops->connect(net->ctx, sock, kind == ADDER_NET_TLS ? "there" : NULL, &to)) ==
           ADDER_ERR_AGAIN) {
        (void)pump(net);
    }
    assert_int_equal(err, ADDER_OK);
    return sock;
}

/* The next of the pattern; what could be sent. */
static adder_err_t send_on(const adder_net_t *net, uint16_t sock, size_t *at, size_t total)
{
    uint8_t out[700];
    size_t n = total - *at < sizeof out ? total - *at : sizeof out;
    for (size_t i = 0; i < n; i++) {
        out[i] = pattern(*at + i);
    }
    const adder_err_t err = net->ops->send(net->ctx, sock, NULL, out, n, &n);
    *at += n;
    return err == ADDER_ERR_AGAIN ? ADDER_OK : err;
}

static void never_fills_the_send_buffer_of_1_x(void **state)
{
    (void)state;
    static const uint32_t round_trips_us[] = {300, 2000, 5000, 30000, 150000, 700000};
    for (unsigned k = 0; k < sizeof round_trips_us / sizeof round_trips_us[0]; k++) {
        chip_t *c = &chips[0];
        const adder_net_t net = open_chip(c, "1.7.7", round_trips_us[k]);
        join(c, &net);
        const uint16_t sock = connected(&net, ADDER_NET_TCP);
        const size_t total = round_trips_us[k] > 100000 ? 60000 : 400000;
        const uint64_t began = now;
        for (size_t at = 0; c->taken < total;) {
            assert_int_equal(send_on(&net, sock, &at, total), ADDER_OK);
            (void)pump(&net);
            if (at > 100000 && at < 100700) {
                c->round_trip_us = round_trips_us[k] * 2; /* the way gets longer */
            }
        }
        print_message("round trip %u us: %.0f kB/s, %u sends, %u in part\n", (unsigned)round_trips_us[k],
                      (double)total * 1000 / (double)(now - began), c->sends, c->partial);
        assert_int_equal(c->closures, 0);
        if (round_trips_us[k] == 300) {
            assert_true((double)total / (double)(now - began) >= 0.85); /* MB/s */
        }
    }
}

static void a_peer_that_takes_nothing_ends_the_connection_of_1_x_but_not_of_2_x(void **state)
{
    (void)state;
    for (unsigned two = 0; two < 2; two++) {
        chip_t *c = &chips[0];
        const adder_net_t net = open_chip(c, two ? "2.0.0+adafruit" : "1.7.7", 1000);
        join(c, &net);
        const uint16_t sock = connected(&net, ADDER_NET_TCP);
        c->round_trip_us = two ? 30000000 : 300000000;
        adder_err_t err = ADDER_OK;
        const uint64_t began = now;
        size_t at = 0;
        while (err == ADDER_OK && now - began < 60000000) {
            err = send_on(&net, sock, &at, 20000);
            (void)pump(&net);
        }
        assert_int_equal(err, two ? ADDER_OK : ADDER_ERR_CLOSED);
        assert_int_equal(c->taken, two ? 2 * WINDOW : WINDOW); /* no more, and none of it twice */
        assert_true(now - began > 900000);
    }
}

static void offers_tls_the_same_again(void **state)
{
    (void)state;
    chip_t *c = &chips[0];
    const adder_net_t net = open_chip(c, "1.7.7", 1000);
    join(c, &net);
    const uint16_t sock = connected(&net, ADDER_NET_TLS);
    for (size_t at = 0; c->taken < 30000;) {
        assert_int_equal(send_on(&net, sock, &at, 30000), ADDER_OK);
        c->refuse = at % 2100 == 0 ? 2 : c->refuse;
        (void)pump(&net);
    }
    assert_true(c->commands[0x2F] > 0);
}

static void a_lost_reply_to_a_send_is_told(void **state)
{
    (void)state;
    static const uint8_t lost[] = {0x44, 0x45};
    for (unsigned k = 0; k < sizeof lost; k++) {
        chip_t *c = &chips[0];
        const adder_net_t net = open_chip(c, "1.7.7", 1000);
        join(c, &net);
        uint16_t sock = connected(&net, ADDER_NET_TCP);
        c->lose_op = lost[k];
        adder_err_t err = ADDER_OK;
        size_t at = 0, n;
        uint8_t in[4];
        for (unsigned i = 0; err == ADDER_OK || err == ADDER_ERR_AGAIN; i++) {
            assert_true(i < 2000000);
            err = lost[k] == 0x44 ? send_on(&net, sock, &at, 3000)
                                  : net.ops->recv(net.ctx, sock, in, 4, &n, NULL);
            (void)pump(&net);
        }
        assert_int_equal(err, ADDER_ERR_TIMEOUT);
        assert_int_equal(net.ops->send(net.ctx, sock, NULL, in, 1, &n), ADDER_ERR_TIMEOUT); /* sticks */
        assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
        c->taken = 0;
        sock = connected(&net, ADDER_NET_TCP); /* and the next one lives */
        for (at = 0; c->taken < 3000;) {
            assert_int_equal(send_on(&net, sock, &at, 3000), ADDER_OK);
            (void)pump(&net);
        }
    }
}

static void two_chips_at_once(void **state)
{
    (void)state;
    const adder_net_t a = open_chip(&chips[0], "1.7.7", 2000), b = open_chip(&chips[1], "3.3.0", 700);
    join(&chips[0], &a);
    join(&chips[1], &b);
    const uint16_t on_a = connected(&a, ADDER_NET_TCP), on_b = connected(&b, ADDER_NET_TCP);
    size_t at_a = 0, at_b = 0;
    while (chips[0].taken < 50000 || chips[1].taken < 50000) {
        assert_int_equal(send_on(&a, on_a, &at_a, 50000), ADDER_OK);
        assert_int_equal(send_on(&b, on_b, &at_b, 50000), ADDER_OK);
        (void)pump(&a);
        (void)pump(&b);
    }
    adder_net_status_t s;
    b.ops->status(b.ctx, &s);
    assert_int_equal(s.n_dns, 1); /* which 3.x tells */
    assert_int_equal(chips[0].net.priv.chip.stats.resets, 1);
    assert_int_equal(chips[1].net.priv.chip.stats.resets, 1);
}

static void an_access_point_of_3_x_is_believed(void **state)
{
    (void)state;
    chip_t *c = &chips[0];
    const adder_net_t net = open_chip(c, "3.3.0", 1000);
    adder_net_status_t status = {0};
    assert_int_equal(adder_airlift_net_access_point(&c->net, "mine", "longenough", 6), ADDER_OK);
    for (unsigned i = 0; status.link != ADDER_NET_LINK_UP; i++) {
        assert_true(i < 200000);
        (void)pump(&net);
        net.ops->status(net.ctx, &status);
    }
    const adder_ip_t own = adder_ip_v4(192, 168, 4, 1);
    assert_true(adder_ip_equal(&status.ips[0], &own));
    assert_int_equal(c->commands[0x19], 1);
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    chip_t *c = &chips[0];
    const adder_net_t net = open_chip(c, "1.7.7", 1000);
    adder_airlift_net_config_t bad = c->net.priv.c;
    bad.rx_size = 1499;
    static adder_airlift_net_t other;
    assert_int_equal(adder_airlift_net_init(&other, &bad), ADDER_ERR_RANGE);
    bad = c->net.priv.c;
    bad.random = NULL;
    assert_int_equal(adder_airlift_net_init(&other, &bad), ADDER_ERR_ARG);
    uint16_t sock, more;
    size_t n;
    const adder_endpoint_t to = {.ip = adder_ip_v4(10, 0, 0, 9), .port = 80};
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V6, &sock), ADDER_ERR_UNSUPPORTED);
    for (unsigned i = 0; i < ADDER_AIRLIFT_NET_SOCKETS; i++) {
        assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &sock), ADDER_OK);
    }
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &more), ADDER_ERR_NOMEM);
    assert_int_equal(net.ops->send(net.ctx, sock, NULL, (const uint8_t *)"x", 1, &n), ADDER_ERR_STATE);
    assert_int_equal(net.ops->connect(net.ctx, sock, NULL, &to), ADDER_ERR_NOT_FOUND); /* no link */
    assert_int_equal(net.ops->connect(net.ctx, sock, NULL, &to), ADDER_ERR_NOT_FOUND);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_ERR_STATE);
    assert_int_equal(net.ops->close(net.ctx, 12, false), ADDER_ERR_STATE);
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &more), ADDER_OK);
    assert_int_equal(more, sock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_fills_the_send_buffer_of_1_x),
        cmocka_unit_test(a_peer_that_takes_nothing_ends_the_connection_of_1_x_but_not_of_2_x),
        cmocka_unit_test(offers_tls_the_same_again),
        cmocka_unit_test(a_lost_reply_to_a_send_is_told),
        cmocka_unit_test(two_chips_at_once),
        cmocka_unit_test(an_access_point_of_3_x_is_believed),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
