/* The faults that are this chip's own. On a whole board, by a timeline: tests/peers/test_esp32spi.py. */
#include "sim/chips/esp32_nina_peer.h"

static int setup(void **state)
{
    return open_joined(*state, "") ? 0 : -1;
}

static void silence(void **state)
{
    (void)state;
    knob("{\"silent\": true}");
    assert_true(host_command(&bench, 0x20, 1, NULL, 0)); /* taken as ever */
    assert_false(host_ready_low(&bench, 12000000));
    assert_int_equal(bench_level(&bench, NINA_PIN_READY), SIM_HIGH);
    knob("{\"silent\": false}"); /* it comes to, and answers */
    host_receive(&bench, 0x20, 1, &r);
    expect_u8(r.params, 3);
    knob("{\"silent\": true}");
    assert_true(host_command(&bench, 0x20, 1, NULL, 0));
    host_reset(&bench); /* a reset does not help while it lasts */
    assert_true(host_ready_low(&bench, 1000000));
    assert_true(host_command(&bench, 0x37, 1, NULL, 0));
    assert_false(host_ready_low(&bench, 1000000));
}

static void ready_stuck(void **state)
{
    (void)state;
    knob("{\"ready\": \"high\"}");
    assert_false(host_ready_low(&bench, 1000000)); /* no command can begin */
    knob("{\"ready\": \"free\"}");
    expect_u8(CALL0(&bench, 0x20, &r), 3);
    knob("{\"ready\": \"low\"}");
    assert_true(host_ready_low(&bench, 0));
    assert_false(host_select(&bench, 1000000)); /* nobody acknowledges the select */
    host_deselect(&bench);
    knob("{\"ready\": \"free\"}");
    expect_u8(CALL0(&bench, 0x20, &r), 3);
}

static void late_replies(void **state)
{
    (void)state;
    knob("{\"late_ms\": 700}");
    for (int i = 0; i < 2; i++) {
        const uint64_t t0 = bench.now_us;
        expect_u8(CALL0(&bench, 0x20, &r), 3);
        assert_in_range(bench.now_us - t0, 700000, 710000);
    }
    knob("{\"late_ms\": 0}");
    const uint64_t t0 = bench.now_us;
    expect_u8(CALL0(&bench, 0x20, &r), 3);
    assert_true(bench.now_us - t0 < 20000);
}

static unsigned ones(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned n = 0;
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            n += ((a[i] ^ b[i]) >> bit) & 1;
        }
    }
    return n;
}

static void take(uint8_t out[12])
{
    assert_true(host_command(&bench, 0x37, 1, NULL, 0));
    assert_true(host_select(&bench, 1000000));
    host_bytes(&bench, NULL, out, 12);
    host_deselect(&bench);
}

static void spoiled_replies(void **state)
{
    (void)state;
    uint8_t good[12], bad[3][12], again[3][12];
    take(good);
    knob("{\"flips\": 3, \"seed\": 77}");
    for (int i = 0; i < 3; i++) {
        take(bad[i]);
        assert_int_equal(ones(good, bad[i], 12), 1); /* one bit of a reply */
    }
    take(again[0]);
    assert_memory_equal(again[0], good, 12); /* three, and no more */
    knob("{\"flips\": 3, \"seed\": 77}");
    for (int i = 0; i < 3; i++) {
        take(again[i]);
    }
    assert_memory_equal(again, bad, sizeof bad); /* the same seed, the same damage */
    assert_int_equal(bench_counter(&bench, "replies_spoiled"), 6);
}

static void bad_values_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"silent\": true, \"ready\": \"sideways\"}", "{\"late_ms\": -1}",
                                      "{\"flips\": \"many\"}", "{\"stall\": 1}", "{\"nonsense\": 1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char msg[128] = "";
        cJSON *knobs = cJSON_Parse(bad[i]);
        assert_int_equal(bench.chip->cls->control(bench.chip, knobs, msg, sizeof msg), ADDER_ERR_ARG);
        assert_true(strlen(msg) > 0);
        cJSON_Delete(knobs);
    }
    expect_u8(CALL0(&bench, 0x20, &r), 3); /* not silent */
}

/* Every fault has a knob in the table, and every knob that has a value shows it. */
static void the_table_knows_them(void **state)
{
    (void)state;
    cJSON *s = cJSON_CreateObject();
    bench.chip->cls->describe(bench.chip, s);
    static const char *const shown[] = {"silent", "late_ms", "ready", "flips", "stall"};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        bool listed = false;
        for (const sim_knob_t *k = bench.chip->cls->knobs; k->name != NULL; k++) {
            listed = listed || strcmp(k->name, shown[i]) == 0;
        }
        assert_true(listed);
        assert_non_null(cJSON_GetObjectItem(s, shown[i]));
    }
    cJSON_Delete(s);
}

int main(void)
{
#define BOTH(test) AT(test, 1), AT(test, 3)
    const struct CMUnitTest tests[] = {
        BOTH(silence),
        BOTH(ready_stuck),
        BOTH(late_replies),
        BOTH(spoiled_replies),
        AT(bad_values_change_nothing, 1),
        AT(the_table_knows_them, 1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
