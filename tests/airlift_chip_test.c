/* The AirLift driver on the simulated PyPortal's ESP32 with real sockets behind it: bytes arrive, cost what
 * they should, and whatever transaction fails in whatever way, nothing hangs and no byte is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "adder/airlift.h"
#include "sim/sim.h"

static char msg[SIM_MSG_CAP];
static sim_board_t *board;
static const adder_mcu_t *mcu;
static adder_airlift_t a;

/* ---- a bus that fails when told to ---- */

typedef enum { FAIL_BUS, LATE, UNPLUG, DEAF, FLIP, FAULTS } fault_t;
static const char *const fault_names[] = {"bus error", "late reply", "unplugged", "no acknowledge",
                                          "bit flip"};

static struct {
    adder_spi_t spi;
    fault_t kind;
    uint32_t at, transactions; /* the fault's; CS falls so far */
    uint64_t bytes, busy_until_us;
    bool armed, fired, on_now;
} wire;

static adder_err_t wire_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                                  uint32_t *hz_out)
{
    (void)ctx;
    return wire.spi.ops->configure(wire.spi.ctx, hz, polarity, phase, bits, hz_out);
}

static adder_err_t wire_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx;
    wire.bytes += len;
    if (wire.on_now && wire.kind == FAIL_BUS) {
        return ADDER_ERR_IO;
    }
    const adder_err_t err = wire.spi.ops->transfer(wire.spi.ctx, wr, rd, len, fill);
    if (wire.on_now && wire.kind == FLIP && rd != NULL) { /* of the frame around the data: its first bytes */
        rd[0] ^= 0x04;
        wire.on_now = false;
    }
    if (wire.fired && wire.kind == UNPLUG && rd != NULL) {
        memset(rd, 0xFF, len);
    }
    return err;
}

static adder_err_t cs_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    return mcu->gpio->mode(ctx, pin, mode, level);
}

static adder_err_t cs_write(void *ctx, uint16_t pin, bool level)
{
    if (!level) {
        wire.on_now = wire.armed && wire.transactions == wire.at;
        wire.fired |= wire.on_now;
        wire.transactions++;
        if (wire.on_now && wire.kind == DEAF) {
            return ADDER_OK;
        }
    } else if (wire.on_now) {
        wire.on_now = false;
        if (wire.kind == LATE) {
            wire.busy_until_us = sim_board_now_us(board) + 7000000; /* most limits are 5 s */
        }
    }
    return wire.fired && wire.kind == UNPLUG ? ADDER_OK : mcu->gpio->write(ctx, pin, level);
}

static adder_err_t ready_read(void *ctx, uint16_t pin, bool *level_out)
{
    const adder_err_t err = mcu->gpio->read(ctx, pin, level_out);
    *level_out |= sim_board_now_us(board) < wire.busy_until_us || (wire.fired && wire.kind == UNPLUG);
    return err;
}

static const adder_spi_ops_t wire_ops = {wire_configure, wire_transfer};
static adder_pin_ops_t cs_ops = {cs_mode, cs_write, NULL}, ready_ops = {NULL, NULL, ready_read};

/* ---- the board ---- */

static uint16_t pin_named(const char *name)
{
    for (size_t i = 0; i < mcu->alias_count; i++) {
        if (strcmp(mcu->aliases[i].name, name) == 0) {
            return mcu->aliases[i].pin;
        }
    }
    fail_msg("no pin %s", name);
    return 0;
}

static void open_board(void)
{
    cJSON *config = cJSON_Parse("{\"clock\": \"virtual\", \"network\": {\"outside\": false, \"speed\": 10,"
                                " \"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\"}]}}");
    board = sim_board_open("boards/pyportal.json", config, msg, sizeof msg);
    cJSON_Delete(config);
    if (board == NULL) {
        fail_msg("%s", msg);
    }
    mcu = sim_board_mcu(board);
    memset(&wire, 0, sizeof wire);
    assert_int_equal(
        mcu->bus->spi_open(mcu->ctx, pin_named("SCK"), pin_named("MOSI"), pin_named("MISO"), &wire.spi),
        ADDER_OK);
    cs_ops.read = mcu->gpio->read;
    ready_ops.mode = mcu->gpio->mode;
    ready_ops.write = mcu->gpio->write;
    const adder_airlift_config_t c = {.spi = {&wire_ops, NULL},
                                      .cs = {&cs_ops, mcu->ctx, pin_named("ESP_CS")},
                                      .ready = {&ready_ops, mcu->ctx, pin_named("ESP_BUSY")},
                                      .reset = {mcu->gpio, mcu->ctx, pin_named("ESP_RESET")},
                                      .gpio0 = {mcu->gpio, mcu->ctx, pin_named("ESP_GPIO0")}};
    assert_int_equal(adder_airlift_init(&a, &c), ADDER_OK);
}

static adder_err_t run(void)
{
    const uint64_t end = sim_board_now_us(board) + 160000000;
    adder_err_t err;
    for (unsigned n = 0; (err = adder_airlift_tick(&a, sim_board_now_us(board))) == ADDER_ERR_AGAIN; n++) {
        /* what waits for the fault alone need not be done in small steps */
        const uint64_t now = sim_board_now_us(board);
        const bool idle = wire.busy_until_us > now || (wire.fired && wire.kind == UNPLUG);
        sim_board_advance(board, idle ? 50000 : 50);
        if (n % 64 == 63 && !idle) { /* sockets live in real time */
            (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        }
        assert_true(sim_board_now_us(board) < end); /* never a hang */
    }
    return err;
}

#define RUN(begin) (err = (begin), err == ADDER_OK ? (err = run()) : err)

/* ---- a peer that echoes every connection ---- */

static int listener;
static uint16_t port;

static void *echo_one(void *arg)
{
    const int fd = (int)(intptr_t)arg;
    char buf[4096];
    ssize_t got;
    while ((got = recv(fd, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0, sent; at < got; at += sent) {
            sent = send(fd, buf + at, (size_t)(got - at), MSG_NOSIGNAL);
            if (sent <= 0) {
                got = at;
                sent = 0;
                break;
            }
        }
    }
    (void)close(fd);
    return NULL;
}

static void *echo(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t t;
        if (pthread_create(&t, NULL, echo_one, (void *)(intptr_t)fd) == 0) {
            (void)pthread_detach(t);
        }
    }
    return NULL;
}

static pthread_t echo_thread;

static int start_peer(void **state)
{
    (void)state;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&to, sizeof to) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&to, &len) != 0) {
        return -1;
    }
    port = ntohs(to.sin_port);
    return pthread_create(&echo_thread, NULL, echo, NULL);
}

static int stop_peer(void **state)
{
    (void)state;
    (void)shutdown(listener, SHUT_RDWR);
    (void)pthread_join(echo_thread, NULL);
    return close(listener);
}

/* ---- sessions ---- */

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
}

static adder_err_t join_and_connect(uint8_t *sock_out)
{
    static const uint8_t home[4] = {127, 0, 0, 1};
    adder_err_t err;
    if (RUN(adder_airlift_begin_join(&a, "home", "secret123")) != ADDER_OK) {
        return err;
    }
    for (unsigned i = 0; i < 200 && a.result.number != ADDER_AIRLIFT_CONNECTED; i++) {
        sim_board_advance(board, 20000);
        if (RUN(adder_airlift_begin_status(&a)) != ADDER_OK) {
            return err;
        }
    }
    if (a.result.number != ADDER_AIRLIFT_CONNECTED) {
        return ADDER_ERR_REFUSED;
    }
    if (RUN(adder_airlift_begin_socket(&a)) != ADDER_OK) {
        return err;
    }
    *sock_out = (uint8_t)a.result.number;
    return RUN(adder_airlift_begin_connect(&a, *sock_out, home, port, ADDER_AIRLIFT_TCP));
}

/* Send `total` bytes and take them back; each is looked at. */
static adder_err_t exchange(uint8_t sock, size_t total)
{
    static uint8_t out[ADDER_AIRLIFT_SEND_MAX], in[ADDER_AIRLIFT_RECV_MAX];
    size_t sent = 0, got = 0;
    adder_err_t err;
    for (unsigned idle = 0; got < total && idle < 3000;) {
        const size_t n = total - sent < sizeof out ? total - sent : sizeof out;
        if (n > 0 && sent - got < 4096) { /* less than the chip's buffers hold */
            for (size_t i = 0; i < n; i++) {
                out[i] = pattern(sent + i);
            }
            if (RUN(adder_airlift_begin_send(&a, sock, out, n)) != ADDER_OK) {
                return err;
            }
            assert_true(a.result.number >= 0 && (size_t)a.result.number <= n);
            sent += (size_t)a.result.number;
            if (a.result.number == 0) {
                return ADDER_ERR_CLOSED;
            }
        }
        if (RUN(adder_airlift_begin_recv(&a, sock, in, sizeof in)) != ADDER_OK) {
            return err;
        }
        assert_true(got + a.result.len <= sent);
        for (size_t i = 0; i < a.result.len; i++) {
            if (in[i] != pattern(got + i)) {
                fail_msg("%s at transaction %u: byte %zu is wrong", fault_names[wire.kind], wire.at, got + i);
            }
        }
        got += a.result.len;
        idle = a.result.len == 0 ? idle + 1 : 0;
        if (a.result.len == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        }
    }
    return got == total ? ADDER_OK : ADDER_ERR_END;
}

static void echoes_256_kib(void **state)
{
    (void)state;
    adder_err_t err;
    uint8_t sock = 0;
    open_board();
    assert_int_equal(RUN(adder_airlift_begin_start(&a)), ADDER_OK);
    assert_string_equal(a.firmware.text, "1.7.7");
    assert_int_equal(RUN(adder_airlift_begin_mac(&a)), ADDER_OK);
    assert_memory_equal(a.result.mac, "\x24\x0A\xC4\xAD\xDE\x01", 6);
    assert_int_equal(join_and_connect(&sock), ADDER_OK);
    assert_int_equal(exchange(sock, 256 * 1024), ADDER_OK);
    assert_int_equal(RUN(adder_airlift_begin_stop(&a, sock)), ADDER_OK);
    assert_int_equal(a.stats.realigned, 0);
    assert_int_equal(a.stats.resets, 1);
    sim_board_close(board);
}

static void sends_32_kib_at_the_price(void **state)
{
    (void)state;
    static uint8_t out[32768], in[ADDER_AIRLIFT_RECV_MAX];
    adder_err_t err;
    uint8_t sock = 0;
    open_board();
    assert_int_equal(RUN(adder_airlift_begin_start(&a)), ADDER_OK);
    assert_int_equal(join_and_connect(&sock), ADDER_OK);
    uint64_t bytes = 0;
    uint32_t transactions = 0;
    size_t sent = 0, got = 0;
    while (sent < sizeof out) {
        const uint64_t bytes_before = wire.bytes;
        const uint32_t before = wire.transactions;
        assert_int_equal(RUN(adder_airlift_begin_send(&a, sock, out + sent, sizeof out - sent)), ADDER_OK);
        bytes += wire.bytes - bytes_before;
        transactions += wire.transactions - before;
        sent += (size_t)a.result.number;
        while (got < sent) { /* the echo, so that the chip's buffer is empty again */
            assert_int_equal(RUN(adder_airlift_begin_recv(&a, sock, in, sizeof in)), ADDER_OK);
            got += a.result.len;
        }
    }
    print_message("32 KiB sent: %u transactions, %.4f bus bytes per byte\n", transactions,
                  (double)bytes / sizeof out);
    assert_true(transactions <= 18);
    assert_true((double)bytes / sizeof out <= 1.006);
    sim_board_close(board);
}

/* ---- faults ---- */

static adder_err_t session(void)
{
    adder_err_t err;
    uint8_t sock = 0;
    if (RUN(adder_airlift_begin_start(&a)) != ADDER_OK || (err = join_and_connect(&sock)) != ADDER_OK ||
        (err = exchange(sock, 9000)) != ADDER_OK) {
        return err;
    }
    return RUN(adder_airlift_begin_stop(&a, sock));
}

static void sweep(fault_t kind)
{
    unsigned recovered = 0, reported = 0;
    uint32_t at = 0;
    for (bool fired = true; fired; at++) {
        assert_true(at < 1000);
        open_board();
        wire.kind = kind;
        wire.at = at;
        wire.armed = true;
        const adder_err_t first = session();
        fired = wire.fired;
        assert_true(first != ADDER_ERR_AGAIN);
        if (!fired) {
            assert_int_equal(first, ADDER_OK);
        }
        recovered += fired && first == ADDER_OK;
        reported += fired && first != ADDER_OK;
        if (fired && kind != UNPLUG) { /* gone: the link heals by itself, without another reset */
            adder_err_t err;
            wire.armed = false;
            const uint32_t resets = a.stats.resets;
            if (first != ADDER_ERR_NOT_FOUND) {
                if (RUN(adder_airlift_begin_version(&a)) != ADDER_OK) {
                    fail_msg("%s at transaction %u: version %d after %d", fault_names[kind], at, err, first);
                }
                assert_int_equal(a.stats.resets, resets);
                assert_string_equal(a.result.text, "1.7.7");
            }
        }
        sim_board_close(board);
    }
    print_message("%s: %u transactions hit, %u healed unseen, %u reported\n", fault_names[kind], at - 1,
                  recovered, reported);
    assert_true(at > 10);
}

static void survives_bus_errors(void **state)
{
    (void)state;
    sweep(FAIL_BUS);
}

static void survives_late_replies(void **state)
{
    (void)state;
    sweep(LATE);
}

static void survives_unplugging(void **state)
{
    (void)state;
    sweep(UNPLUG);
}

static void survives_missing_acknowledges(void **state)
{
    (void)state;
    sweep(DEAF);
}

static void survives_broken_frames(void **state)
{
    (void)state;
    sweep(FLIP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_256_kib),         cmocka_unit_test(sends_32_kib_at_the_price),
        cmocka_unit_test(survives_bus_errors),    cmocka_unit_test(survives_late_replies),
        cmocka_unit_test(survives_unplugging),    cmocka_unit_test(survives_missing_acknowledges),
        cmocka_unit_test(survives_broken_frames),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
