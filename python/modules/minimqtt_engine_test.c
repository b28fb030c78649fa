/* adafruit_minimqtt's engine over a stream that counts: what leaves in how many pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "python/modules/minimqtt_int.h"

static const uint8_t connack[] = {0x20, 2, 0, 0};

typedef struct {
    size_t given; /* of CONNACK */
    size_t n_sends, sends[8];
} line_t;

static adder_err_t line_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    line_t *line = ctx;
    (void)bytes;
    assert_true(line->n_sends < sizeof line->sends / sizeof line->sends[0]);
    line->sends[line->n_sends++] = len;
    *n_out = len;
    return ADDER_OK;
}

static adder_err_t line_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    line_t *line = ctx;
    const size_t left = sizeof connack - line->given;
    *n_out = left < cap ? left : cap;
    memcpy(buf, connack + line->given, *n_out);
    line->given += *n_out;
    return left > 0 ? ADDER_OK : ADDER_ERR_AGAIN;
}

static const adder_stream_ops_t line_ops = {line_send, line_recv};

static minimqtt_engine_t engine;
static uint8_t payload[30000];

static void connected(line_t *line)
{
    memset(&engine, 0, sizeof engine);
    minimqtt_engine_init(&engine);
    engine.stream = (adder_stream_t){&line_ops, line};
    engine.options = (adder_mqtt_connect_t){.client_id = {"me", 2}, .clean = true};
    assert_int_equal(adder_mqtt_connect(&engine.m, &engine.options, 0), ADDER_OK);
    assert_true(minimqtt_engine_move(&engine, true, 0));
    assert_true(engine.answered);
    line->n_sends = 0;
}

static void publish(uint32_t len)
{
    static adder_mqtt_msg_t msg;
    msg = (adder_mqtt_msg_t){.topic = {"a/topic/of/some/length", 22}, .payload = payload, .payload_len = len};
    assert_int_equal(adder_mqtt_publish(&engine.m, &msg, NULL), ADDER_OK);
    assert_true(minimqtt_engine_flush(&engine, 0));
}

/* Two sends are two packets of the network, and wake the broker twice. */
static void a_message_of_16_kib_leaves_in_one_piece(void **state)
{
    (void)state;
    line_t line = {0};
    connected(&line);
    publish(16384);
    assert_int_equal(line.n_sends, 1);
    assert_int_equal(line.sends[0], 1 + 3 + 2 + 22 + 16384);
}

static void a_longer_one_is_not_copied(void **state)
{
    (void)state;
    line_t line = {0};
    connected(&line);
    publish(sizeof payload);
    assert_int_equal(line.n_sends, 2);
    assert_int_equal(line.sends[0], 1 + 3 + 2 + 22);
    assert_int_equal(line.sends[1], sizeof payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_16_kib_leaves_in_one_piece),
        cmocka_unit_test(a_longer_one_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
