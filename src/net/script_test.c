/* The scripted stack keeps the seam's contract: a small client over it, in pieces and with every call
 * failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/net/script.h"

static const net_script_step_t exchange[] = {
    {0, NET_SCRIPT_CONNECT, "192.0.2.1:80", 0, ADDER_OK},
    {0, NET_SCRIPT_TAKES, "question", 8, ADDER_OK},
    {0, NET_SCRIPT_GIVES, "answer", 6, ADDER_OK},
    {0, NET_SCRIPT_FAILS, NULL, 0, ADDER_ERR_END},
};

/* Sends the question, reads to the end. */
static adder_err_t client(net_script_t *s, const char *question, char *answer)
{
    adder_net_t net = net_script_net(s);
    adder_endpoint_t to = {adder_ip_v4(192, 0, 2, 1), 80};
    size_t n, len = strlen(question), got = 0;
    uint16_t sock;
    adder_err_t err = net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &sock);
    if (err != ADDER_OK)
        return err;
    do
        err = net.ops->connect(net.ctx, sock, NULL, &to);
    while (err == ADDER_ERR_AGAIN);
    while (len > 0 && (err == ADDER_OK || err == ADDER_ERR_AGAIN)) {
        err = net.ops->send(net.ctx, sock, NULL, (const uint8_t *)question, len, &n);
        question += n;
        len -= n;
    }
    while (err == ADDER_OK || err == ADDER_ERR_AGAIN) {
        err = net.ops->recv(net.ctx, sock, (uint8_t *)answer + got, 64 - got, &n, NULL);
        got += n;
    }
    answer[got] = '\0';
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_OK);
    assert_int_equal(net.ops->close(net.ctx, sock, false), ADDER_ERR_STATE);
    return err;
}

static void in_pieces(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 9; chunk++) {
        for (unsigned again = 0; again < 3; again++) {
            net_script_t s;
            char answer[65];
            net_script_init(&s, exchange, 4);
            s.chunk = chunk;
            s.again = again;
            assert_int_equal(client(&s, "question", answer), ADDER_ERR_END);
            assert_string_equal(answer, "answer");
            assert_string_equal(net_script_problem(&s), "");
            assert_int_equal(net_script_open_sockets(&s), 0);
        }
    }
}

static void every_call_fails(void **state)
{
    (void)state;
    for (size_t n = 0;; n++) {
        net_script_t s;
        char answer[65];
        net_script_init(&s, exchange, 4);
        s.chunk = 3;
        s.again = 1;
        s.fail_at = n;
        adder_err_t err = client(&s, "question", answer);
        assert_int_equal(net_script_open_sockets(&s), 0);
        if (s.calls <= n) {
            assert_int_equal(err, ADDER_ERR_END);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(err, ADDER_ERR_IO);
    }
}

static void off_script(void **state)
{
    (void)state;
    net_script_t s;
    char answer[65];
    net_script_init(&s, exchange, 4);
    assert_string_equal(net_script_problem(&s), "the script was not played to its end");
    assert_int_equal(client(&s, "quest?on", answer), ADDER_ERR_INTERNAL);
    assert_string_equal(net_script_problem(&s), "send() with other bytes than the script's");
    net_script_init(&s, exchange + 1, 3);
    assert_int_equal(client(&s, "question", answer), ADDER_ERR_INTERNAL);
    assert_string_equal(net_script_problem(&s), "connect() comes out of turn");
}

static void server_and_datagrams(void **state)
{
    (void)state;
    static const net_script_step_t steps[] = {
        {0, NET_SCRIPT_ACCEPT, NULL, 0, ADDER_OK},
        {1, NET_SCRIPT_GIVES, "hello", 5, ADDER_OK},
        {2, NET_SCRIPT_TAKES, "ping", 4, ADDER_OK},
        {2, NET_SCRIPT_GIVES, "pong pong", 9, ADDER_OK},
        {3, NET_SCRIPT_CONNECT, "example.org:443", 0, ADDER_ERR_REFUSED},
    };
    net_script_t s;
    net_script_init(&s, steps, 5);
    adder_net_t net = net_script_net(&s);
    adder_endpoint_t local = {.port = 80}, peer = {adder_ip_v4(192, 0, 2, 5), 7}, from;
    uint16_t listener, sock;
    uint8_t buf[8];
    size_t n;
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TCP, ADDER_IP_NONE, &listener), ADDER_OK);
    assert_int_equal(net.ops->bind(net.ctx, listener, &local), ADDER_OK);
    assert_int_equal(net.ops->listen(net.ctx, listener, 1), ADDER_OK);
    assert_int_equal(net.ops->accept(net.ctx, listener, &sock, &from), ADDER_OK);
    assert_int_equal(net.ops->recv(net.ctx, sock, buf, 8, &n, NULL), ADDER_OK);
    assert_int_equal(n, 5);
    assert_int_equal(net.ops->accept(net.ctx, listener, &sock, NULL), ADDER_ERR_AGAIN);
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &sock), ADDER_OK);
    assert_int_equal(net.ops->send(net.ctx, sock, &peer, (const uint8_t *)"ping", 4, &n), ADDER_OK);
    assert_int_equal(net.ops->recv(net.ctx, sock, buf, 8, &n, &from), ADDER_OK);
    assert_int_equal(n, 9); /* one byte was cut off */
    assert_memory_equal(buf, "pong pon", 8);
    assert_true(adder_endpoint_equal(&from, &peer));
    peer = (adder_endpoint_t){.port = 443};
    assert_int_equal(net.ops->open(net.ctx, ADDER_NET_TLS, ADDER_IP_NONE, &sock), ADDER_OK);
    assert_int_equal(net.ops->connect(net.ctx, sock, "example.org", &peer), ADDER_ERR_REFUSED);
    assert_int_equal(net.ops->send(net.ctx, sock, NULL, buf, 1, &n), ADDER_ERR_REFUSED); /* it sticks */
    assert_string_equal(net_script_problem(&s), "");
    assert_int_equal(net_script_open_sockets(&s), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_pieces),
        cmocka_unit_test(every_call_fails),
        cmocka_unit_test(off_script),
        cmocka_unit_test(server_and_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
