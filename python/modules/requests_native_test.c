/* adafruit_requests over native sockets: the same answers as over sockets made of Python
 * (tests/python/test_requests.py), in as few calls of the stack as there can be. The radio is this computer's
 * network, the server a thread of this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"
#include "python/layer/test_vm.h"
#include "python/modules/test_radio.h"

/* ---- a radio that counts what is asked of its stack ---- */

static struct {
    adder_net_t below;
    adder_net_ops_t ops;
    unsigned sends, recvs; /* that moved something */
    size_t sent;
} radio;

static adder_err_t count_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                              size_t len, size_t *n_out)
{
    adder_err_t err = radio.below.ops->send(ctx, sock, to, bytes, len, n_out);
    radio.sends += err == ADDER_OK;
    radio.sent += err == ADDER_OK ? *n_out : 0;
    return err;
}

static adder_err_t count_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                              adder_endpoint_t *from)
{
    adder_err_t err = radio.below.ops->recv(ctx, sock, buf, cap, n_out, from);
    radio.recvs += err == ADDER_OK;
    return err;
}

static void count(adder_net_t *net)
{
    radio.below = *net;
    radio.ops = *net->ops;
    radio.ops.send = count_send;
    radio.ops.recv = count_recv;
    net->ops = &radio.ops;
}

static py_t testnet_counts(const py_val_t *a)
{
    (void)a;
    const py_t values[] = {py_int(radio.sends), py_int(radio.recvs)};
    radio.sends = radio.recvs = 0;
    return py_tuple(values, 2);
}

static uint16_t port;

static bool testnet_init(py_t module)
{
    return radio_up(module) && py_attr_set(module, "port", py_int(port));
}

static const py_function_t testnet_functions[] = {{"counts", testnet_counts, NULL, NULL}, PY_END};
static const py_module_t testnet = {
    .name = "testnet", .functions = testnet_functions, .init = testnet_init, .reset = radio_down};

/* ---- the server ---- */

enum { BIG = 1 << 20 };

static void put(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void put_text(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

static void rest(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* The body of a request goes back in reverse; false = the connection ends. */
static bool echo(int fd, const char *head, const char *body, size_t have)
{
    const char *field = strstr(head, "Content-Length: ");
    size_t len = field == NULL ? 0 : strtoul(field + 16, NULL, 10);
    char *all = malloc(len + 1), line[80];
    memcpy(all, body, have);
    while (have < len) {
        ssize_t n = recv(fd, all + have, len - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    for (size_t i = 0; i < len / 2; i++) {
        char c = all[i];
        all[i] = all[len - 1 - i];
        all[len - 1 - i] = c;
    }
    snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    put_text(fd, line);
    put(fd, all, len);
    free(all);
    return true;
}

static bool serve_one(int fd, const char *head, const char *body, size_t have)
{
    static char big[BIG];
    if (strncmp(head, "POST", 4) == 0)
        return echo(fd, head, body, have);
    if (strncmp(head, "GET /big", 8) == 0) {
        memset(big, 'x', sizeof big);
        put_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
        put(fd, big, sizeof big);
    } else if (strncmp(head, "GET /chunks", 11) == 0) {
        put_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        rest(20);
        put_text(fd, "4\r\ndefg\r\n0\r\nLate: yes\r\n\r\n");
    } else if (strncmp(head, "GET /last", 9) == 0) { /* and the connection is gone afterwards, unsaid */
        put_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast");
        return false;
    } else if (strncmp(head, "GET /silent", 11) == 0) {
        rest(1500);
        return false;
    } else if (strncmp(head, "GET /slow", 9) == 0) {
        for (int i = 0; i < 5; i++) {
            rest(60);
            put_text(fd,
                     (const char *[]){"HTTP/1.1 200 OK\r\n", "Content-", "Length: 4\r\n\r\n", "sl", "ow"}[i]);
        }
    } else {
        put_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
    }
    return true;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[8192];
    size_t len = 0;
    bool open = true;
    while (open) {
        ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        buf[len] = '\0';
        char *end = strstr(buf, "\r\n\r\n");
        if (end == NULL)
            continue;
        open = serve_one(fd, buf, end + 4, len - (size_t)(end + 4 - buf));
        len = 0;
    }
    close(fd);
    return NULL;
}

static void *listen_for(void *arg)
{
    int fd;
    while ((fd = accept((int)(intptr_t)arg, NULL, NULL)) >= 0)
        go(serve, (void *)(intptr_t)fd);
    return NULL;
}

static int start_server(void **state)
{
    int fd = listener(16);
    port = port_of(fd);
    radio_change = count;
    go(listen_for, (void *)(intptr_t)fd);
    return drive_up(state);
}

#define HEAD                                                                                                 \
    "import testnet, socketpool, adafruit_requests, adafruit_connection_manager, time\n"                     \
    "pool = socketpool.SocketPool(testnet.radio)\n"                                                          \
    "session = adafruit_requests.Session(pool)\n"                                                            \
    "url = 'http://127.0.0.1:%d' % testnet.port\n"

/* ---- tests ---- */

static void few_calls(void **state)
{
    (void)state;
    expect(HEAD "with session.get(url + '/') as r: assert r.text == 'hello', r.text\n"
                "assert testnet.counts() == (1, 1)\n"
                "for n in range(5):\n"
                "    assert session.post(url, json={'n': n}).status_code == 200\n"
                "sends, receives = testnet.counts()\n"
                "assert sends == 5 and receives <= 10, (sends, receives)\n"
                "m = session._connection_manager\n"
                "assert session.get(url).text == 'hello' and m.managed_socket_count == 1\n");
}

static void bodies(void **state)
{
    (void)state;
    expect(HEAD
           "import io\n"
           "r = session.get(url + '/big')\n"
           "assert r.content == b'x' * 1048576 and r.socket is None\n"
           "n = 0\n"
           "for piece in session.get(url + '/big').iter_content(1000):\n"
           "    assert 1 <= len(piece) <= 1000; n += len(piece)\n"
           "assert n == 1048576\n"
           "r = session.get(url + '/chunks')\n"
           "assert r.text == 'abcdefg' and r.headers['late'] == 'yes', r.headers\n"
           "assert b''.join(session.get(url + '/chunks').iter_content(2)) == b'abcdefg'\n"
           "data = bytes(i * 7 % 256 for i in range(300000))\n"
           "assert session.post(url, data=data).content == data[::-1]\n"
           "assert session.post(url, data=io.BytesIO(data)).content == data[::-1]\n"
           "back = session.post(url, files={'f': ('a', io.BytesIO(data)), 'g': (None, 'v')}).content[::-1]\n"
           "assert data in back and back.count(b'form-data') == 2\n"
           "assert session._connection_manager.managed_socket_count == 1\n");
}

static void broken_connections(void **state)
{
    (void)state;
    expect(HEAD "assert session.get(url + '/last').text == 'last'\n"
                "time.sleep(0.05)\n"
                "assert session.get(url).text == 'hello'\n" /* on a new connection */
                "start = time.monotonic()\n"
                "try:\n"
                "    session.get(url + '/silent', timeout=0.2)\n"
                "except adafruit_requests.OutOfRetries as e: assert e.__cause__.errno == 116, e.__cause__\n"
                "else: assert False\n"
                "assert 0.35 < time.monotonic() - start < 1.4\n"
                "assert session._connection_manager.managed_socket_count == 0\n"
                "assert session.get(url + '/slow', timeout=0.25).text == 'slow'\n"
                "r = session.get(url + '/big')\n"
                "r.close()\n" /* unread: the connection is not kept */
                "assert session.get(url).text == 'hello'\n"
                "try: session.get('http://127.0.0.1:1/')\n"
                "except OSError as e: assert e.errno == 111, e\n"
                "else: assert False\n");
}

/* Awaited by hand, as another scheduler would: each next() is short, whatever the server does. */
static void awaited(void **state)
{
    (void)state;
    expect(HEAD
           "def run(*awaited):\n"
           "    results, longest = [None] * len(awaited), 0\n"
           "    todo = dict(enumerate(awaited))\n"
           "    while todo:\n"
           "        for n, a in list(todo.items()):\n"
           "            start = time.monotonic()\n"
           "            try: next(a)\n"
           "            except StopIteration as e: results[n] = e.value; del todo[n]\n"
           "            longest = max(longest, time.monotonic() - start)\n"
           "        time.sleep(0.001)\n"
           "    return results, longest\n"
           "start = time.monotonic()\n"
           "rs, longest = run(*(session.get_async(url + '/slow') for _ in range(4)))\n"
           "took = time.monotonic() - start\n"
           "assert [r.text for r in rs] == ['slow'] * 4 and took < 0.9, took\n" /* not one after another */
           "(r,), _ = run(session.request_async('GET', url + '/big'))\n"
           "(b,), _ = run(r.read_async())\n"
           "assert b == b'x' * 1048576 and r.content == b and len(r.text if 0 else 'x') == 1\n"
           "(r,), _ = run(session.post_async(url, data=b'abc'))\n"
           "assert r.text == 'cba'\n"
           "(r,), _ = run(session.get_async(url + '/last'))\n"
           "try: run(session.get_async(url + '/silent', timeout=0.2))\n"
           "except adafruit_requests.OutOfRetries as e: assert e.__cause__.errno == 116\n"
           "else: assert False\n"
           "a = session.get_async(url + '/silent')\n"
           "next(a); a.close()\n"
           "assert session._connection_manager.managed_socket_count == "
           "session._connection_manager.available_socket_count + 1, 'r itself'\n");
}

/* ADDER_BENCH=1: requests and bytes a second, for comparison with http.client (docs/requests.md). */
static void speed(void **state)
{
    (void)state;
    if (getenv("ADDER_BENCH") == NULL)
        skip();
    expect(HEAD "for _ in range(300): session.get(url).content\n"
                "best = 1e9\n"
                "for _ in range(5):\n"
                "    start = time.monotonic()\n"
                "    for _ in range(2000): session.get(url).content\n"
                "    best = min(best, time.monotonic() - start)\n"
                "print('small GETs a second', int(2000 / best))\n"
                "best = 1e9\n"
                "for _ in range(30):\n"
                "    start = time.monotonic()\n"
                "    assert len(session.get(url + '/big').content) == 1048576\n"
                "    best = min(best, time.monotonic() - start)\n"
                "print('1 MB in ms', best * 1000)\n");
    char command[1024];
    printf("%s", console);
    fflush(stdout);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"\n"
             "import http.client, time\n"
             "c = http.client.HTTPConnection('127.0.0.1', %u)\n"
             "def get(path):\n"
             "    c.request('GET', path); return c.getresponse().read()\n"
             "for _ in range(300): get('/')\n"
             "best = 1e9\n"
             "for _ in range(5):\n"
             "    start = time.monotonic()\n"
             "    for _ in range(2000): get('/')\n"
             "    best = min(best, time.monotonic() - start)\n"
             "print('http.client: small GETs a second', int(2000 / best))\n"
             "best = 1e9\n"
             "for _ in range(30):\n"
             "    start = time.monotonic()\n"
             "    assert len(get('/big')) == 1048576\n"
             "    best = min(best, time.monotonic() - start)\n"
             "print('http.client: 1 MB in ms', best * 1000)\n\"",
             port);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(few_calls, fresh),
        cmocka_unit_test_setup(bodies, fresh),
        cmocka_unit_test_setup(broken_connections, fresh),
        cmocka_unit_test_setup(awaited, fresh),
        cmocka_unit_test_setup(speed, fresh),
    };
    return cmocka_run_group_tests(tests, start_server, drive_down);
}
