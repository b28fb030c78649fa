/* The WebSocket: the handshake with all that can be wrong in it, frames both ways, every broken one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/websocket/test_pipe.h"
#include "src/websocket/websocket_int.h"

typedef struct {
    test_pipe_t pipe;
    adder_websocket_t ws;
    adder_stream_t stream;
    uint8_t buf[512 + 4];
} bench_t;

/* The nonce of RFC 6455 section 1.3, then masks of 1, 2, 3, 4. */
static adder_err_t fill(void *ctx, uint8_t *buf, size_t len)
{
    (void)ctx;
    memcpy(buf, len == 16 ? "the sample nonce" : "\1\2\3\4", len);
    return ADDER_OK;
}

static const char good_answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
                                  "Connection: keep-alive, Upgrade\r\nX: y\r\n"
                                  "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"
                                  "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

static void set_up(bench_t *b, size_t cap)
{
    memset(b, 0, sizeof *b);
    memset(b->buf + cap, 0xa5, 4);
    const adder_websocket_config_t c = {
        .host = "h", .path = "/mqtt", .protocol = "mqtt", .random = fill, .buf = b->buf, .cap = cap};
    assert_int_equal(adder_websocket_init(&b->ws, &c, test_pipe_stream(&b->pipe)), ADDER_OK);
    b->stream = adder_websocket_stream(&b->ws);
}

static adder_err_t shake(bench_t *b, const char *answer)
{
    assert_true(test_pipe_give(&b->pipe, answer, strlen(answer)));
    adder_err_t err;
    unsigned i = 0;
    do {
        err = adder_websocket_handshake(&b->ws);
    } while (err == ADDER_ERR_AGAIN && ++i < 4000);
    return err;
}

static void is_open(bench_t *b)
{
    set_up(b, 512);
    assert_int_equal(shake(b, good_answer), ADDER_OK);
    b->pipe.out_len = 0;
}

static void key_and_answer_of_the_standard(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 40; chunk++) {
        bench_t b;
        set_up(&b, chunk % 2 == 0 ? 512 : 256);
        b.pipe.chunk = chunk;
        b.pipe.sleepy = chunk > 20;
        assert_int_equal(shake(&b, good_answer), ADDER_OK);
        assert_int_equal(b.ws.status, 101);
        static const char request[] =
            "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
        assert_int_equal(b.pipe.out_len, sizeof request - 1);
        assert_memory_equal(b.pipe.out, request, sizeof request - 1);
    }
}

static void sha1_and_base64_of_known_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } cases[] = {{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
                 {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
                 {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "84983e441c3bd26ebaae4aa1f95129e5e54670f1"}};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t hash[20];
        char text[41];
        websocket_sha1(cases[i].text, strlen(cases[i].text), hash);
        for (unsigned k = 0; k < 20; k++) {
            snprintf(text + 2 * k, 3, "%02x", hash[k]);
        }
        assert_string_equal(text, cases[i].hash);
    }
    char out[9] = {0};
    websocket_base64((const uint8_t *)"foob", 4, out);
    assert_string_equal(out, "Zm9vYg==");
}

#define LINES "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: mqtt\r\n"

static void answers_that_are_no_agreement(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        adder_err_t err;
    } cases[] = {
        {"HTTP/1.1 403 Forbidden\r\n\r\n", ADDER_ERR_REFUSED},
        {"HTTP/1.0 101 x\r\n", ADDER_ERR_FORMAT},
        {"HTTP/1.1 1x1 x\r\n", ADDER_ERR_FORMAT},
        {"HTTP/1.1 1011\r\n", ADDER_ERR_FORMAT},
        {"SSH-2.0-x\r\n", ADDER_ERR_FORMAT},
        {"HTTP/1.1 101 x\n", ADDER_ERR_FORMAT},
        {"\n", ADDER_ERR_FORMAT},
        {LINES PROTOCOL "\r\n", ADDER_ERR_FORMAT}, /* no accept */
        {LINES ACCEPT "\r\n", ADDER_ERR_FORMAT},   /* no protocol */
        {LINES ACCEPT PROTOCOL PROTOCOL "\r\n", ADDER_ERR_FORMAT},
        {LINES ACCEPT ACCEPT PROTOCOL "\r\n", ADDER_ERR_FORMAT},
        {LINES ACCEPT "Sec-WebSocket-Protocol: mqttv3.1\r\n\r\n", ADDER_ERR_FORMAT},
        {LINES "Sec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ADDER_ERR_FORMAT},
        {LINES ACCEPT PROTOCOL "Sec-WebSocket-Extensions: permessage-deflate\r\n", ADDER_ERR_FORMAT},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\n", ADDER_ERR_FORMAT},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n" ACCEPT PROTOCOL "\r\n",
         ADDER_ERR_FORMAT},
        {"HTTP/1.1 101 x\r\nno colon\r\n", ADDER_ERR_FORMAT},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_t b;
        set_up(&b, 256);
        assert_int_equal(shake(&b, cases[i].answer), cases[i].err);
        size_t n;
        assert_int_equal(b.stream.ops->send(b.stream.ctx, (const uint8_t *)"x", 1, &n), cases[i].err);
        assert_int_equal(n, 0);
    }
    bench_t b;
    set_up(&b, 256);
    b.pipe.ended = true;
    assert_int_equal(shake(&b, LINES), ADDER_ERR_CLOSED);
}

static void long_lines_are_passed_over_and_endless_ones_refused(void **state)
{
    (void)state;
    bench_t b;
    static char answer[4000];
    for (unsigned len = 200; len < 900; len += 13) {
        set_up(&b, 256);
        snprintf(answer, sizeof answer, "%sSet-Cookie: %0*d\r\n%s", LINES, (int)len, 1,
                 ACCEPT PROTOCOL "\r\n");
        assert_int_equal(shake(&b, answer), ADDER_OK);
        assert_memory_equal(b.buf + 256, "\xa5\xa5\xa5\xa5", 4);
    }
    set_up(&b, 256);
    snprintf(answer, sizeof answer, "%sSec-WebSocket-Accept: %0600d\r\n", LINES, 1);
    assert_int_equal(shake(&b, answer), ADDER_ERR_FORMAT);
    set_up(&b, 256);
    memset(answer, 'x', 3000);
    answer[3000] = 0;
    adder_err_t err = shake(&b, LINES "X:");
    for (unsigned i = 0; i < 6 && err == ADDER_ERR_AGAIN; i++) {
        err = shake(&b, answer);
    }
    assert_int_equal(err, ADDER_ERR_FORMAT);
}

static void init_refuses_what_may_not_be(void **state)
{
    (void)state;
    bench_t b;
    const adder_websocket_config_t good = {.host = "h", .random = fill, .buf = b.buf, .cap = 256};
    for (unsigned i = 0; i < 6; i++) {
        adder_websocket_config_t c = good;
        c.host = i == 0 ? NULL : i == 1 ? "h\r\nX: y" : "h";
        c.path = i == 2 ? "/\n" : NULL;
        c.protocol = i == 3 ? "a\rb" : NULL;
        c.cap = i == 4 ? 255 : 256;
        c.random = i == 5 ? NULL : fill;
        assert_int_equal(adder_websocket_init(&b.ws, &c, test_pipe_stream(&b.pipe)), ADDER_ERR_ARG);
    }
    char path[200];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = 0;
    adder_websocket_config_t c = good;
    c.path = path;
    assert_int_equal(adder_websocket_init(&b.ws, &c, test_pipe_stream(&b.pipe)), ADDER_ERR_NOSPACE);
}

/* ---- frames ---- */

static void what_is_sent_is_masked(void **state)
{
    (void)state;
    bench_t b;
    size_t n;
    is_open(&b);
    assert_int_equal(b.stream.ops->send(b.stream.ctx, (const uint8_t *)"Hello", 5, &n), ADDER_OK);
    assert_int_equal(n, 5);
    static const uint8_t frame[] = {0x82, 0x85, 1, 2, 3, 4, 'H' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1};
    assert_int_equal(b.pipe.out_len, sizeof frame);
    assert_memory_equal(b.pipe.out, frame, sizeof frame);
    assert_int_equal(b.pipe.sends, 2); /* the request, and the frame in one */
    static uint8_t large[1000];
    b.pipe.out_len = 0;
    b.pipe.out_room = 100;
    assert_int_equal(b.stream.ops->send(b.stream.ctx, large, sizeof large, &n), ADDER_OK);
    assert_int_equal(n, 512 - CONTROL_MAX - 8);
    assert_true(adder_websocket_pending(&b.ws));
    assert_int_equal(b.stream.ops->send(b.stream.ctx, large, 1, &n), ADDER_ERR_AGAIN);
    b.pipe.out_room = 0;
    assert_int_equal(b.stream.ops->send(b.stream.ctx, large, 0, &n), ADDER_OK);
    assert_false(adder_websocket_pending(&b.ws));
    assert_int_equal(b.pipe.out_len, 8 + 512 - CONTROL_MAX - 8);
    assert_true(b.pipe.out[1] == (0x80 | 126) &&
                (b.pipe.out[2] << 8 | b.pipe.out[3]) == 512 - CONTROL_MAX - 8);
}

/* All that comes until the stream says something else than OK. */
static adder_err_t receive_all(bench_t *b, size_t cap, uint8_t *out, size_t *len)
{
    *len = 0;
    adder_err_t err;
    size_t n;
    unsigned agains = 0;
    do {
        err = b->stream.ops->recv(b->stream.ctx, out + *len, cap, &n);
        assert_true(err == ADDER_OK ? n > 0 && n <= cap : n == 0);
        *len += n;
        agains = err == ADDER_ERR_AGAIN ? agains + 1 : 0;
    } while (err == ADDER_OK || (err == ADDER_ERR_AGAIN && agains < 3));
    return err;
}

static void what_comes_is_one_stream(void **state)
{
    (void)state;
    static uint8_t input[1200];
    size_t len = 0;
    static const uint8_t begin[] = {0x02, 2,    'a', 'b',  0x89, 2,    'p', 'q', 0x80, 1,
                                    'c',  0x82, 0,   0x8a, 0,    0x82, 126, 0,   200};
    memcpy(input, begin, sizeof begin);
    len = sizeof begin;
    memset(input + len, 'd', 200);
    len += 200;
    static const uint8_t end[] = {0x82, 1, 'e', 0x88, 2, 3, 0xe8, 0x82, 1, 'x'};
    memcpy(input + len, end, sizeof end);
    len += sizeof end;
    for (size_t chunk = 0; chunk < 30; chunk++) {
        for (size_t cap = 1; cap < 300; cap = cap * 3 + 1) {
            bench_t b;
            uint8_t out[600];
            size_t n;
            is_open(&b);
            b.pipe.chunk = chunk;
            assert_true(test_pipe_give(&b.pipe, input, len));
            assert_int_equal(receive_all(&b, cap, out, &n), ADDER_ERR_END);
            assert_int_equal(n, 204);
            assert_memory_equal(out, "abcddd", 6);
            assert_int_equal(out[203], 'e');
            assert_int_equal(b.ws.code, 1000);
            /* A Pong with the Ping's payload, and the Close given back. */
            static const uint8_t answers[] = {0x8a, 0x82, 1, 2, 3, 4, 'p' ^ 1, 'q' ^ 2,
                                              0x88, 0x82, 1, 2, 3, 4, 3 ^ 1,   0xe8 ^ 2};
            for (unsigned i = 0; i < 40; i++) {
                ADDER_IGNORE(adder_websocket_close(&b.ws), "until all is out");
            }
            assert_int_equal(b.pipe.out_len, sizeof answers);
            assert_memory_equal(b.pipe.out, answers, sizeof answers);
        }
    }
}

static void frames_behind_the_handshake_are_not_lost(void **state)
{
    (void)state;
    bench_t b;
    uint8_t out[32];
    size_t n;
    set_up(&b, 512);
    assert_true(test_pipe_give(&b.pipe, good_answer, sizeof good_answer - 1));
    assert_int_equal(shake(&b, "\x82\x03xyz\x82\x02"), ADDER_OK);
    assert_int_equal(b.stream.ops->send(b.stream.ctx, (const uint8_t *)"1", 1, &n), ADDER_OK);
    assert_int_equal(b.stream.ops->recv(b.stream.ctx, out, 2, &n), ADDER_OK);
    assert_true(n == 2 && out[0] == 'x' && out[1] == 'y');
    assert_true(test_pipe_give(&b.pipe, "vw", 2));
    assert_int_equal(receive_all(&b, 32, out, &n), ADDER_ERR_AGAIN);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "zvw", 3);
}

static void broken_frames_end_it(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint8_t len;
        uint16_t code;
    } cases[] = {
        {"\x81\x01x", 3, 1003}, /* text [MQTT-6.0.0-1] */
        {"\xc2\x01x", 3, 1002}, /* reserved bits */
        {"\xa2\x01x", 3, 1002},
        {"\x92\x01x", 3, 1002},
        {"\x83\x01x", 3, 1002}, /* reserved opcodes */
        {"\x8b\x01x", 3, 1002},
        {"\x82\x81\1\2\3\4x", 7, 1002},  /* masked */
        {"\x80\x01x", 3, 1002},          /* continuation of nothing */
        {"\x02\x01x\x82\x01y", 6, 1002}, /* a message in a message */
        {"\x09\x01x", 3, 1002},          /* a ping in fragments */
        {"\x89\x7e\x00\x7e", 4, 1002},   /* a long ping */
        {"\x82\x7e\x00\x7d", 4, 1002},   /* a length in more bytes than needed */
        {"\x82\x7f\0\0\0\0\0\0\xff\xff", 10, 1002},
        {"\x82\x7f\x80\0\0\0\0\0\0\0", 10, 1002}, /* its highest bit */
        {"\x88\x01x", 3, 1002},                   /* half a code */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t chunk = 0; chunk < 2; chunk++) {
            bench_t b;
            uint8_t out[32];
            size_t n;
            is_open(&b);
            b.pipe.chunk = chunk;
            assert_true(test_pipe_give(&b.pipe, cases[i].bytes, cases[i].len));
            assert_int_equal(receive_all(&b, 32, out, &n), ADDER_ERR_FORMAT);
            assert_int_equal(receive_all(&b, 32, out, &n), ADDER_ERR_FORMAT);
            for (unsigned k = 0; k < 10; k++) {
                assert_int_equal(b.stream.ops->send(b.stream.ctx, out, 1, &n), ADDER_ERR_FORMAT);
            }
            assert_int_equal(b.pipe.out_len, 8);
            assert_true(b.pipe.out[0] == 0x88 && b.pipe.out[1] == 0x82);
            assert_int_equal((b.pipe.out[6] ^ 1) << 8 | (b.pipe.out[7] ^ 2), cases[i].code);
        }
    }
}

static void close_says_goodbye(void **state)
{
    (void)state;
    bench_t b;
    size_t n;
    is_open(&b);
    b.pipe.out_room = 3;
    assert_int_equal(b.stream.ops->send(b.stream.ctx, (const uint8_t *)"x", 1, &n), ADDER_OK);
    assert_int_equal(adder_websocket_close(&b.ws), ADDER_ERR_AGAIN);
    b.pipe.out_room = 0;
    assert_int_equal(adder_websocket_close(&b.ws), ADDER_OK);
    static const uint8_t frames[] = {0x82, 0x81, 1, 2, 3, 4,     'x' ^ 1, 0x88,
                                     0x82, 1,    2, 3, 4, 3 ^ 1, 0xe8 ^ 2};
    assert_int_equal(b.pipe.out_len, sizeof frames);
    assert_memory_equal(b.pipe.out, frames, sizeof frames);
    assert_int_equal(b.stream.ops->send(b.stream.ctx, (const uint8_t *)"x", 1, &n), ADDER_ERR_CLOSED);
}

static void the_stream_below_fails_at_each_call(void **state)
{
    (void)state;
    for (size_t fail = 1;; fail++) {
        bench_t b;
        uint8_t out[64];
        size_t n;
        set_up(&b, 256);
        b.pipe.fail_at = fail;
        b.pipe.chunk = 9;
        adder_err_t err = shake(&b, good_answer);
        if (err == ADDER_OK) {
            err = b.stream.ops->send(b.stream.ctx, (const uint8_t *)"12345678", 8, &n);
        }
        assert_true(test_pipe_give(&b.pipe, "\x82\x03xyz", 5));
        if (err == ADDER_OK) {
            err = receive_all(&b, 64, out, &n);
        }
        if (!b.pipe.failed) {
            assert_int_equal(err, ADDER_ERR_AGAIN);
            assert_memory_equal(out, "xyz", 3);
            break;
        }
        assert_int_equal(err, ADDER_ERR_CLOSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_and_answer_of_the_standard),
        cmocka_unit_test(sha1_and_base64_of_known_texts),
        cmocka_unit_test(answers_that_are_no_agreement),
        cmocka_unit_test(long_lines_are_passed_over_and_endless_ones_refused),
        cmocka_unit_test(init_refuses_what_may_not_be),
        cmocka_unit_test(what_is_sent_is_masked),
        cmocka_unit_test(what_comes_is_one_stream),
        cmocka_unit_test(frames_behind_the_handshake_are_not_lost),
        cmocka_unit_test(broken_frames_end_it),
        cmocka_unit_test(close_says_goodbye),
        cmocka_unit_test(the_stream_below_fails_at_each_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
