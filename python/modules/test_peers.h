/* What Python's sockets are tested against: peers of several kinds in threads, found by programs through
 * `testnet`, and short ways for programs to use them. The test includes before what test_radio.h wants. */
#ifndef TEST_PEERS_H
#define TEST_PEERS_H

#include <netinet/tcp.h>
#include <poll.h>

#include "python/modules/test_radio.h"

/* ---- the other end ---- */

typedef enum { ECHO, SILENT, RESET, TAIL, SINK, STUCK, PEERS } peer_t;

static int listeners[PEERS], refused, full, datagrams;

static atomic_bool unstuck;
static atomic_int others; /* descriptors of the other end that will close by themselves */

typedef struct {
    int fd;
    peer_t kind;
} served_t;

static void *serve(void *ctx)
{
    served_t s = *(served_t *)ctx;
    static const int on = 1;
    char buf[4096];
    ssize_t n;
    free(ctx);
    setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (s.kind == TAIL) {
        (void)!send(s.fd, "tail", 4, MSG_NOSIGNAL);
        shutdown(s.fd, SHUT_WR);
    }
    struct pollfd gone = {.fd = s.fd, .events = POLLRDHUP};
    while (s.kind == STUCK && !unstuck && poll(&gone, 1, 20) == 0)
        ; /* reads nothing, so it does not see the end behind what it does not read */
    while ((n = recv(s.fd, buf, sizeof buf, 0)) > 0) {
        if (s.kind == ECHO)
            (void)!send(s.fd, buf, (size_t)n, MSG_NOSIGNAL);
        if (s.kind == RESET) {
            struct linger now = {.l_onoff = 1, .l_linger = 0};
            setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            break;
        }
    }
    close(s.fd);
    others--;
    return NULL;
}

static void *accepting(void *ctx)
{
    peer_t kind = (peer_t)(intptr_t)ctx;
    int fd;
    while ((fd = accept4(listeners[kind], NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        served_t *s = malloc(sizeof *s);
        *s = (served_t){fd, kind};
        others++;
        go(serve, s);
    }
    return NULL;
}

static void *echo_datagrams(void *unused)
{
    char buf[2048];
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    ssize_t n;
    while ((n = recvfrom(datagrams, buf, sizeof buf, 0, (struct sockaddr *)&a, &len)) >= 0)
        (void)!sendto(datagrams, buf, (size_t)n, 0, (struct sockaddr *)&a, len);
    return unused;
}

/* A listener whose queue is full: a connection to it is never decided. */
static inline int full_listener(void)
{
    int fd = listener(0);
    for (int i = 0; i < 2; i++)
        assert_true(dial(port_of(fd), SOCK_NONBLOCK) >= 0);
    return fd;
}

static inline int peers_up(void **state)
{
    if (drive_up(state) != 0)
        return -1;
    for (int i = 0; i < PEERS; i++) {
        listeners[i] = listener(64);
        go(accepting, (void *)(intptr_t)i);
    }
    refused = bound(SOCK_STREAM);
    full = full_listener();
    datagrams = bound(SOCK_DGRAM);
    go(echo_datagrams, NULL);
    return 0;
}

/* A client of the program's server: connects, says "hi", waits for an answer. */
static void *client(void *ctx)
{
    char buf[16];
    usleep(20000);
    int fd = dial((uint16_t)(intptr_t)ctx, 0);
    if (fd >= 0) {
        (void)!send(fd, "hi", 2, MSG_NOSIGNAL);
        (void)!recv(fd, buf, sizeof buf, 0);
        close(fd);
    }
    others--;
    return NULL;
}

/* ---- the programs' side ---- */

static const py_arg_t port_args[] = {PY_REQ_STR("name"), PY_END};

static py_t testnet_port(const py_val_t *a)
{
    static const char *const names[] = {"echo", "silent", "reset", "tail", "sink", "stuck"};
    for (int i = 0; i < PEERS; i++) {
        if (strcmp(a[0].str, names[i]) == 0)
            return py_int(port_of(listeners[i]));
    }
    int fd = strcmp(a[0].str, "refused") == 0 ? refused : strcmp(a[0].str, "full") == 0 ? full : datagrams;
    return py_int(port_of(fd));
}

static const py_arg_t client_args[] = {PY_REQ_INT("port", 1, 65535), PY_END};

static py_t testnet_client(const py_val_t *a)
{
    others++;
    go(client, (void *)(intptr_t)a[0].i);
    return py_none();
}

static py_t testnet_local_port(const py_val_t *a)
{
    net_socket_t *s = net_socket_of(a[0].obj);
    adder_endpoint_t local = {0};
    if (s == NULL)
        return py_none();
    py_pump_lock();
    ADDER_IGNORE(s->stack->net.ops->endpoints(s->stack->net.ctx, s->handle, &local, NULL), "port 0 then");
    py_pump_unlock();
    return py_int(local.port);
}

/* Bytes by way of the stream that TLS stands on. */
static py_t testnet_stream_send(const py_val_t *a)
{
    adder_stream_t stream = net_socket_stream(net_socket_of(a[0].obj));
    size_t n;
    py_pump_lock();
    adder_err_t err = stream.ops->send(stream.ctx, (const uint8_t *)"stream", 6, &n);
    py_pump_unlock();
    return py_int(err);
}

static const py_arg_t socket_arg[] = {PY_REQ_OBJ("socket"), PY_END};
static const py_function_t testnet_functions[] = {{"port", testnet_port, port_args, NULL},
                                                  {"client", testnet_client, client_args, NULL},
                                                  {"local_port", testnet_local_port, socket_arg, NULL},
                                                  {"stream_send", testnet_stream_send, socket_arg, NULL},
                                                  PY_END};
static const py_module_t testnet = {
    .name = "testnet", .functions = testnet_functions, .init = radio_up, .reset = radio_down};

#define HEAD                                                                                                 \
    "import errno, gc, time, select, socketpool, testnet\n"                                                  \
    "from testnet import port\n"                                                                             \
    "pool = socketpool.SocketPool(testnet.radio)\n"                                                          \
    "def connect(name, timeout=20):\n"                                                                       \
    "    s = pool.socket(pool.AF_INET, pool.SOCK_STREAM)\n"                                                  \
    "    s.settimeout(timeout)\n"                                                                            \
    "    s.connect(('127.0.0.1', port(name)))\n"                                                             \
    "    return s\n"                                                                                         \
    "def send_now(s, data):\n" /* never waits, but another thread may have been stopped with the lock */     \
    "    while True:\n"                                                                                      \
    "        try: return s.send(data)\n"                                                                     \
    "        except OSError as e: assert e.errno == 11, e\n"                                                 \
    "def receive(s, n):\n"                                                                                   \
    "    data, buf = b'', bytearray(4096)\n"                                                                 \
    "    while len(data) < n:\n"                                                                             \
    "        got = s.recv_into(buf)\n"                                                                       \
    "        if not got: break\n"                                                                            \
    "        data += buf[:got]\n"                                                                            \
    "    return data\n" RAISES

#endif
