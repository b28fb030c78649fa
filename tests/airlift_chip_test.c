/* The AirLift driver on the simulated PyPortal's ESP32 with real sockets behind it: bytes arrive, cost what
 * they should, and whatever transaction fails in whatever way, nothing hangs and no byte is wrong. */
#include "tests/airlift_peer.h"
#include "tests/airlift_survives.h"
#include "tests/airlift_wire.h"

static char msg[SIM_MSG_CAP];
static sim_board_t *board;
static wire_t wire;
static adder_airlift_t a;

static void open_board(void)
{
    cJSON *config = cJSON_Parse("{\"clock\": \"virtual\", \"network\": {\"outside\": false, \"speed\": 10,"
                                " \"access_points\": [{\"ssid\": \"home\", \"password\": \"secret123\"}]}}");
    board = sim_board_open("boards/pyportal.json", config, msg, sizeof msg);
    cJSON_Delete(config);
    if (board == NULL) {
        fail_msg("%s", msg);
    }
    const adder_airlift_config_t c = wire_open(&wire, board);
    assert_int_equal(adder_airlift_init(&a, &c), ADDER_OK);
}

static void close_board(void)
{
    wire_close(&wire);
    sim_board_close(board);
}

static adder_err_t run(void)
{
    const uint64_t end = sim_board_now_us(board) + 160000000;
    adder_err_t err;
    for (unsigned n = 0; (err = adder_airlift_tick(&a, sim_board_now_us(board))) == ADDER_ERR_AGAIN; n++) {
        /* what waits for the fault alone need not be done in small steps */
        const bool idle = wire_silent(&wire);
        sim_board_advance(board, idle ? 50000 : 50);
        if (n % 64 == 63 && !idle) { /* sockets live in real time */
            nap(200);
        }
        assert_true(sim_board_now_us(board) < end); /* never a hang */
    }
    return err;
}

#define RUN(begin) (err = (begin), err == ADDER_OK ? (err = run()) : err)

/* ---- sessions ---- */

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
            nap(100);
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
    close_board();
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
    close_board();
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
        close_board();
    }
    print_message("%s: %u transactions hit, %u healed unseen, %u reported\n", fault_names[kind], at - 1,
                  recovered, reported);
    assert_true(at > 10);
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
