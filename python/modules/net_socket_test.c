/* Python's sockets over this computer's stack: a radio of the test's own, whose pool the scripts use, and
 * plain sockets at the other end. Scripts run as code.py does, through adder_vm. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"
#include "python/layer/fake_mcu.h"
#include "python/layer/vm.h"
#include "python/modules/net_socket.h"

/* The table of all modules under another name, to add one. */
#define py_modules board_modules
extern const py_module_t *const board_modules[];
#include "python/modules/modules.c"
#undef py_modules

/* ---- the other end ---- */

typedef enum { ECHO, SILENT, RESET, TAIL, SINK, STUCK, PEERS } peer_t;

static int listeners[PEERS], refused, full, full_clients[2], datagrams;

static uint16_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static int bound(int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

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
        pthread_t thread;
        served_t *s = malloc(sizeof *s);
        *s = (served_t){fd, kind};
        others++;
        if (pthread_create(&thread, NULL, serve, s) == 0)
            pthread_detach(thread);
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

/* A name server: "ten.test" is 192.0.2.10, "six.test" has an IPv6 address alone; of the rest there is none.
 */
static int names = -1;

static void *answer_names(void *unused)
{
    uint8_t m[512];
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    ssize_t n;
    while ((n = recvfrom(names, m, sizeof m - 28, 0, (struct sockaddr *)&a, &len)) >= 17) {
        bool v6 = m[n - 3] == 28, ten = memcmp(m + 13, "ten", 3) == 0, six = memcmp(m + 13, "six", 3) == 0;
        m[2] |= 0x80; /* a response */
        if (!ten && !six)
            m[3] |= 3; /* NXDOMAIN */
        if ((ten && !v6) || (six && v6)) {
            static const uint8_t a4[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10};
            static const uint8_t a6[] = {0xC0, 12,   0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1,
                                         0xD,  0xB8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    6};
            m[7] = 1;
            memcpy(m + n, v6 ? a6 : a4, v6 ? sizeof a6 : sizeof a4);
            n += (ssize_t)(v6 ? sizeof a6 : sizeof a4);
        }
        (void)!sendto(names, m, (size_t)n, 0, (struct sockaddr *)&a, len);
    }
    return unused;
}

static int peers_up(void **state)
{
    pthread_t thread;
    (void)state;
    for (int i = 0; i < PEERS; i++) {
        listeners[i] = bound(SOCK_STREAM);
        listen(listeners[i], 64);
        pthread_create(&thread, NULL, accepting, (void *)(intptr_t)i);
        pthread_detach(thread);
    }
    refused = bound(SOCK_STREAM);
    datagrams = bound(SOCK_DGRAM);
    pthread_create(&thread, NULL, echo_datagrams, NULL);
    pthread_detach(thread);
    names = bound(SOCK_DGRAM);
    pthread_create(&thread, NULL, answer_names, NULL);
    pthread_detach(thread);
    /* A listener whose queue is full: a connection to it is never decided. */
    full = bound(SOCK_STREAM);
    listen(full, 0);
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port_of(full))};
        full_clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(full_clients[i], (struct sockaddr *)&a, sizeof a);
    }
    return 0;
}

/* A client of the program's server: connects, says "hi", waits for an answer. */
static void *client(void *ctx)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char buf[16];
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)(intptr_t)ctx)};
    usleep(20000);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        (void)!send(fd, "hi", 2, MSG_NOSIGNAL);
        (void)!recv(fd, buf, sizeof buf, 0);
    }
    close(fd);
    others--;
    return NULL;
}

/* ---- the radio ---- */

static adder_posix_sock_t slots[8];
static adder_posix_net_t posix;
static net_stack_t stack;

static const py_class_t radio_class = {.module = "testnet", .name = "Radio", .size = 1};

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
    pthread_t thread;
    others++;
    pthread_create(&thread, NULL, client, (void *)(intptr_t)a[0].i);
    pthread_detach(thread);
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

/* A stack without a resolver, on a network whose name server is the one above. */
static bool own_names;

static adder_err_t hook_route(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                              adder_endpoint_t *to_out)
{
    (void)ctx, (void)kind;
    *to_out = *to;
    if (to->port == 53)
        *to_out = (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = port_of(names)};
    return ADDER_OK;
}

static void hook_link(void *ctx, adder_net_status_t *status)
{
    (void)ctx;
    status->dns[0] = adder_ip_v4(198, 51, 100, 53);
    status->n_dns = 1;
}

static const adder_posix_hooks_t hooks = {.route = hook_route, .link = hook_link};

static bool testnet_init(py_t module)
{
    static adder_net_ops_t no_names;
    adder_posix_net_config_t config = {.slots = slots, .n_slots = 8, .hooks = own_names ? &hooks : NULL};
    if (adder_posix_net_init(&posix, &config) != ADDER_OK)
        return py_fail(py_raise(PY_OSError, "no sockets"));
    adder_net_t net = adder_posix_net(&posix);
    if (own_names) {
        no_names = *net.ops;
        no_names.resolve = NULL;
        net.ops = &no_names;
    }
    net_stack_start(&stack, &net);
    socketpool_native(&radio_class, &stack);
    return py_attr_set(module, "radio", py_new(&radio_class, NULL));
}

static void testnet_reset(void)
{
    if (!stack.started)
        return;
    net_stack_stop(&stack);
    adder_posix_net_deinit(&posix);
}

static const py_arg_t socket_arg[] = {PY_REQ_OBJ("socket"), PY_END};
static const py_function_t testnet_functions[] = {{"port", testnet_port, port_args, NULL},
                                                  {"client", testnet_client, client_args, NULL},
                                                  {"local_port", testnet_local_port, socket_arg, NULL},
                                                  {"stream_send", testnet_stream_send, socket_arg, NULL},
                                                  PY_END};
static const py_module_t testnet = {
    .name = "testnet", .functions = testnet_functions, .init = testnet_init, .reset = testnet_reset};

const py_module_t *const py_modules[] = {
#define ENTRY(name) &name##_module,
    MODULES(ENTRY)
#undef ENTRY
        & testnet,
    NULL,
};

/* ---- scripts ---- */

static char console[65536];
static size_t console_len;
static atomic_bool inside; /* the script is about to wait */
static char drive[64] = "/tmp/adder-sockets-XXXXXX";

static void console_write(void *ctx, const char *utf8, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len && console_len + 1 < sizeof console; i++)
        console[console_len++] = utf8[i];
    console[console_len] = '\0';
    if (strstr(console, "now") != NULL)
        inside = true;
}

static void start(void)
{
    char msg[200] = "";
    vm_config_t config = {.mcu = &fake_mcu, .drive = drive, .native = true, .console_write = console_write};
    vm_stop(); /* of a test that failed */
    vm_clear();
    console_len = 0;
    console[0] = '\0';
    if (vm_start(&config, msg, sizeof msg) != ADDER_OK)
        fail_msg("%s", msg);
}

static vm_outcome_t run(const char *text)
{
    start();
    vm_outcome_t outcome = vm_call("run_code", text, NULL);
    vm_stop();
    return outcome;
}

static void expect(const char *text)
{
    vm_outcome_t outcome = run(text);
    if (outcome != VM_DONE)
        fail_msg("outcome %d: %s", (int)outcome, console);
}

#define HEAD                                                                                                 \
    "import errno, gc, time, select, socketpool, testnet\n"                                                  \
    "from testnet import port\n"                                                                             \
    "pool = socketpool.SocketPool(testnet.radio)\n"                                                          \
    "def raises(cls, what, f, *a, **k):\n"                                                                   \
    "    try: f(*a, **k)\n"                                                                                  \
    "    except cls as e: assert (e.errno == what if isinstance(what, int) else what in str(e)), repr(e)\n"  \
    "    else: assert False, 'no ' + cls.__name__\n"                                                         \
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
    "    return data\n"

/* ---- tests ---- */

static void the_pool(void **state)
{
    (void)state;
    expect(HEAD
           "raises(ValueError, 'wifi.radio', socketpool.SocketPool, 3)\n"
           "raises(TypeError, '', socketpool.Socket)\n"
           "for name, value in dict(AF_INET=2, AF_INET6=10, SOCK_STREAM=1, SOCK_DGRAM=2, SOCK_RAW=3,\n"
           "        SOL_SOCKET=0xFFF, SO_REUSEADDR=4, TCP_NODELAY=1, IP_MULTICAST_TTL=5, IPPROTO_IP=0,\n"
           "        IPPROTO_ICMP=1, IPPROTO_TCP=6, IPPROTO_UDP=17, IPPROTO_IPV6=41, IPPROTO_RAW=255,\n"
           "        EAI_NONAME=-2).items():\n"
           "    assert getattr(pool, name) == value == getattr(socketpool.SocketPool, name)\n"
           "assert not hasattr(pool, 'timeout')\n"
           "assert issubclass(pool.gaierror, OSError) and socketpool.SocketPool.gaierror is pool.gaierror\n"
           "raises(NotImplementedError, 'Unsupported', pool.socket, pool.AF_INET, pool.SOCK_RAW)\n"
           "raises(NotImplementedError, 'Unsupported', pool.socket, 99)\n"
           "assert pool.socket().type == pool.SOCK_STREAM\n"
           "assert pool.socket(type=pool.SOCK_DGRAM).type == pool.SOCK_DGRAM\n"
           "raises(AttributeError, '', setattr, pool.socket(), 'type', 2)\n"
           "assert not hasattr(pool.socket(), 'recv')\n"
           "s = pool.socket(); assert {s: 1}[s] == 1 and s != pool.socket()\n"
           "info = pool.getaddrinfo('127.0.0.1', 80)\n"
           "assert info == [(2, 1, 0, '', ('127.0.0.1', 80))], info\n"
           "assert pool.getaddrinfo('127.0.0.1', 80, 0, pool.SOCK_DGRAM)[0][1] == 2\n"
           "assert ('127.0.0.1', 8) in [i[4] for i in pool.getaddrinfo('localhost', 8, pool.AF_INET)]\n"
           "assert pool.getaddrinfo('::1', 5) == [(10, 1, 0, '', ('::1', 5, 0, 0))]\n"
           "try: pool.getaddrinfo('', 80)\n"
           "except pool.gaierror as e: assert e.args == (-2, 'Name or service not known'), e.args\n"
           "else: assert False\n"
           "raises(pool.gaierror, -2, pool.getaddrinfo, '::1', 80, pool.AF_INET)\n"
           "raises(ValueError, 'port must be', pool.getaddrinfo, 'x', -1)\n"
           "raises(TypeError, '', pool.getaddrinfo, 'x')\n");
}

static void streams(void **state)
{
    (void)state;
    expect(HEAD
           "s = connect('echo')\n"
           "assert s.send(b'hello') == 5\n"
           "assert receive(s, 5) == b'hello'\n"
           "s.sendall(b'')\n"
           "data = bytes(range(256)) * 40\n"
           "s.sendall(memoryview(data)); assert receive(s, len(data)) == data\n"
           "buf = bytearray(8)\n"
           "raises(ValueError, 'buffer too small', s.recv_into, buf, 9)\n"
           "assert s.recv_into(bytearray()) == 0\n"
           "s.send(b'abcdef'); assert s.recv_into(buf, 2) == 2 and buf[:2] == b'ab'\n"
           "assert s.recv_into(buf, 0) == 4 and s.recv_into(memoryview(buf)[:0]) == 0\n"
           "raises(OSError, 127, s.connect, ('127.0.0.1', port('echo')))\n"
           "assert s.setsockopt(pool.SOL_SOCKET, pool.SO_REUSEADDR, 1) is None\n"
           "assert s.setsockopt(pool.IPPROTO_TCP, pool.TCP_NODELAY, 1) is None\n"
           "raises(OSError, 95, s.setsockopt, 77, 77, 1)\n"
           "assert testnet.stream_send(s) == 0 and receive(s, 6) == b'stream'\n"
           "s.close(); s.close()\n"
           "for f, a in ((s.send, (b'x',)), (s.sendall, (b'x',)), (s.recv_into, (buf,)), (s.listen, (1,)),\n"
           "             (s.bind, (('', 0),)), (s.connect, (('127.0.0.1', 1),)), (s.accept, ()),\n"
           "             (s.sendto, (b'x', ('127.0.0.1', 1))), (s.recvfrom_into, (buf,))):\n"
           "    raises(OSError, errno.EBADF, f, *a)\n"
           "assert testnet.stream_send(s) != 0\n"
           "with connect('echo') as s: s.send(b'x')\n"
           "raises(OSError, 9, s.send, b'x')\n"
           "s = pool.socket()\n"
           "raises(BrokenPipeError, 32, s.send, b'x')\n"
           "raises(OSError, errno.ENOTCONN, s.recv_into, buf)\n"
           "raises(TypeError, '', s.connect, 'host'); raises(ValueError, '', s.connect, ('h',))\n"
           "raises(ValueError, 'port must be >= 0', s.connect, ('127.0.0.1', -1))\n"
           "raises(pool.gaierror, -2, s.connect, ('::1', 80))\n"
           "raises(TypeError, '', s.send, 'text')\n");
}

static void endings(void **state)
{
    (void)state;
    expect(HEAD "buf = bytearray(8)\n"
                "s = connect('tail')\n" /* the other side has closed its direction: an end, again and again */
                "assert receive(s, 9) == b'tail' and s.recv_into(buf) == 0 and s.recv_into(buf) == 0\n"
                "s.setblocking(False); assert s.recv_into(buf) == 0\n"
                "assert s.send(b'still') == 5\n"
                "s = connect('reset'); s.send(b'x')\n"
                "raises(OSError, errno.ECONNRESET, s.recv_into, buf)\n"
                "raises(OSError, errno.ECONNRESET, s.recv_into, buf)\n"
                "raises(BrokenPipeError, 32, s.send, b'x')\n"
                "s = pool.socket()\n"
                "raises(OSError, errno.ECONNREFUSED, s.connect, ('127.0.0.1', port('refused')))\n");
}

/* No upper bound is asserted: a busy machine may take any time. */
static void times(void **state)
{
    (void)state;
    expect(HEAD "buf = bytearray(8)\n"
                "def took(least, f, *a):\n"
                "    before = time.monotonic_ns()\n"
                "    try: f(*a)\n"
                "    except OSError as e: assert e.errno == errno.ETIMEDOUT == 116, e\n"
                "    else: assert False\n"
                "    assert time.monotonic_ns() - before >= least * 1e9\n"
                "s = connect('silent')\n"
                "for t in (0.001, 0.02, 0.1):\n"
                "    s.settimeout(t); took(t, s.recv_into, buf)\n"
                "s.settimeout(0); raises(OSError, errno.EAGAIN, s.recv_into, buf)\n"
                "s.setblocking(True); s.settimeout(0.0); raises(OSError, 11, s.recv_into, buf)\n"
                "s.setblocking(False); raises(OSError, 11, s.recv_into, buf)\n"
                "raises(ValueError, '', s.settimeout, -1); raises(TypeError, '', s.settimeout, 'x')\n"
                "s.settimeout(None)\n"
                "l = pool.socket(); l.bind(('127.0.0.1', 0)); l.listen(1)\n"
                "l.settimeout(0.02); took(0.02, l.accept)\n"
                "l.settimeout(0); raises(OSError, 11, l.accept)\n"
                "u = pool.socket(type=pool.SOCK_DGRAM); u.bind(('', 0))\n"
                "u.settimeout(0.02); took(0.02, u.recvfrom_into, buf)\n"
                "c = pool.socket(); c.settimeout(0.05); took(0.05, c.connect, ('127.0.0.1', port('full')))\n"
                "c.setblocking(False)\n"
                "raises(OSError, errno.EINPROGRESS, c.connect, ('127.0.0.1', port('full')))\n"
                "k = connect('sink'); k.settimeout(0.05)\n" /* takes all, and then one that takes nothing */
                "k.sendall(bytes(500000))\n"
                "del k; c.close(); u.close(); l.close()\n"
                "n = connect('stuck'); n.setblocking(False); sent = 0\n"
                "try:\n"
                "    while True: sent += n.send(bytes(65536))\n"
                "except OSError as e: assert e.errno == 11\n"
                "assert sent > 0\n");
}

static void servers(void **state)
{
    (void)state;
    expect(HEAD "l = pool.socket()\n"
                "raises(OSError, 22, l.listen, 1)\n"
                "l.bind(('127.0.0.1', 0)); l.listen(2)\n"
                "number = testnet.local_port(l)\n"
                "for i in range(3):\n"
                "    testnet.client(number)\n"
                "    s, (host, p) = l.accept()\n"
                "    assert isinstance(s, socketpool.Socket) and host == '127.0.0.1' and p > 0\n"
                "    assert receive(s, 2) == b'hi'\n"
                "    s.send(b'ok'); s.close()\n"
                "other = pool.socket()\n"
                "raises(OSError, errno.EADDRINUSE, other.bind, ('127.0.0.1', number))\n"
                /* no socket left: accept waits, and gets the connection once there is one */
                "l.settimeout(0.05)\n"
                "rest = []\n"
                "try:\n"
                "    while True: rest.append(pool.socket())\n"
                "except RuntimeError as e: assert 'Out of sockets' in str(e)\n"
                "testnet.client(number); time.sleep(0.05)\n"
                "raises(OSError, 116, l.accept)\n"
                "rest.pop(); gc.collect(); l.settimeout(20)\n"
                "assert receive(l.accept()[0], 2) == b'hi'\n");
}

static void datagram_sockets(void **state)
{
    (void)state;
    expect(HEAD "u = pool.socket(pool.AF_INET, pool.SOCK_DGRAM); u.settimeout(20)\n"
                "to, buf = ('127.0.0.1', port('datagrams')), bytearray(4)\n"
                "assert u.sendto(b'abcdef', to) == 6\n"
                "assert u.recvfrom_into(buf) == (4, to) and buf == b'abcd'\n" /* what is too long is lost */
                "assert u.sendto(b'', to) == 0 and u.recvfrom_into(buf) == (0, to)\n"
                "u.connect(to); assert u.send(b'xy') == 2 and u.recv_into(buf) == 2\n"
                "raises(OSError, 90, u.sendto, bytes(70000), to)\n"
                "m = bytes((239, 255, 1, 2, 0, 0, 0, 0))\n"
                "g = pool.socket(type=pool.SOCK_DGRAM); g.bind(('', 0))\n"
                "g.setsockopt(pool.IPPROTO_IP, pool.IP_MULTICAST_TTL, 3)\n"
                "raises(OSError, 22, g.setsockopt, pool.IPPROTO_IP, 3, bytes(8))\n");
}

static void polling(void **state)
{
    (void)state;
    expect(HEAD "s = connect('echo'); s.setblocking(False)\n"
                "l = pool.socket(); l.bind(('127.0.0.1', 0)); l.listen(1)\n"
                "p = select.poll()\n"
                "p.register(s, select.POLLIN); p.register(l, select.POLLIN)\n"
                "assert p.poll(0) == [] and p.poll(20) == []\n"
                "p.modify(s, select.POLLIN | select.POLLOUT)\n"
                "assert p.poll(1000) == [(s, select.POLLOUT)]\n"
                "p.modify(s, select.POLLIN)\n"
                "buf, n = bytearray(8), 500\n"
                "before = time.monotonic_ns()\n"
                "for i in range(n):\n"
                "    send_now(s, b'ping')\n"
                "    assert p.poll(20000) == [(s, select.POLLIN)]\n"
                "    assert s.recv_into(buf) == 4\n"
                "print((time.monotonic_ns() - before) // n // 1000, 'us an echo through select.poll')\n"
                "testnet.client(testnet.local_port(l))\n"
                "assert p.poll(20000) == [(l, select.POLLIN)]\n"
                "a, _ = l.accept()\n"
                "c = pool.socket(); c.setblocking(False)\n"
                "raises(OSError, errno.EINPROGRESS, c.connect, ('127.0.0.1', port('full')))\n"
                "q = select.poll(); q.register(c, select.POLLOUT)\n"
                "assert q.poll(10) == []\n"
                "c.close(); assert q.poll(10)[0][1] & select.POLLERR\n"
                "def begin(c, name):\n" /* on loopback it may be decided at once */
                "    try: c.connect(('127.0.0.1', port(name)))\n"
                "    except OSError as e: assert e.errno in (errno.EINPROGRESS, errno.ECONNREFUSED)\n"
                "c = pool.socket(); c.setblocking(False)\n" /* begun, waited for, used */
                "begin(c, 'echo')\n"
                "q = select.poll(); q.register(c, select.POLLOUT)\n"
                "assert q.poll(20000) == [(c, select.POLLOUT)]\n"
                "c.setblocking(True); c.sendall(b'abc'); assert receive(c, 3) == b'abc'\n"
                "c = pool.socket(); c.setblocking(False)\n"
                "begin(c, 'refused')\n"
                "q = select.poll(); q.register(c, select.POLLOUT)\n"
                "assert q.poll(20000)[0][1] & select.POLLERR\n"
                "raises(OSError, errno.ECONNREFUSED, c.recv_into, buf)\n");
    print_message("%s", console);
}

static void *interrupter(void *unused)
{
    (void)unused;
    while (!inside)
        usleep(1000);
    usleep(20000);
    vm_request(VM_REQ_INTERRUPT);
    return NULL;
}

/* Each call that may wait for ever ends by Ctrl-C, and the program may go on with its sockets. */
static void interrupts(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "connect('silent').recv_into(bytearray(4))",
        "l.accept()",
        "u.recvfrom_into(bytearray(4))",
        "pool.socket().connect(('127.0.0.1', port('full')))",
        "connect('stuck', None).sendall(bytes(30000000))",
        "p.poll()",
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        pthread_t thread;
        char text[4096];
        (void)snprintf(text, sizeof text,
                       HEAD "l = pool.socket(); l.bind(('127.0.0.1', 0)); l.listen(1)\n"
                            "u = pool.socket(type=pool.SOCK_DGRAM); u.bind(('', 0))\n"
                            "p = select.poll(); p.register(u, select.POLLIN)\n"
                            "try: print('now'); %s\n"
                            "except KeyboardInterrupt: print('broken')\n"
                            "s = connect('echo'); s.send(b'on'); assert receive(s, 2) == b'on'\n",
                       calls[i]);
        start();
        inside = false;
        pthread_create(&thread, NULL, interrupter, NULL);
        vm_outcome_t outcome = vm_call("run_code", text, NULL);
        pthread_join(thread, NULL);
        vm_stop();
        if (outcome != VM_DONE || strstr(console, "broken") == NULL)
            fail_msg("%s: %s", calls[i], console);
    }
}

/* Names over the stack's own datagrams. */
static void resolving(void **state)
{
    (void)state;
    own_names = true;
    expect(HEAD "assert pool.getaddrinfo('ten.test', 80) == [(2, 1, 0, '', ('192.0.2.10', 80))]\n"
                "assert pool.getaddrinfo('six.test', 80)[0][4] == ('2001:db8::6', 80, 0, 0)\n"
                "assert pool.getaddrinfo('localhost', 80)[0][4][0] == '127.0.0.1'\n" /* needs no server */
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'six.test', 80, pool.AF_INET)\n"
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'missing.test', 80)\n"
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'no such name', 80)\n"
                "s = pool.socket(type=pool.SOCK_DGRAM)\n"
                "s.sendto(b'x', ('ten.test', 9))\n"
                "rest = [pool.socket() for i in range(7)]\n" /* none left to ask with */
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'ten.test', 80)\n"
                "rest.pop().close()\n"
                "for i in range(20): pool.getaddrinfo('ten.test', 80)\n"); /* and none is lost */
    own_names = false;
}

/* Open, once the other end has closed what was ours: it does so when it sees it. */
static int descriptors(void)
{
    int n, before = -1;
    unstuck = true;
    for (;; before = n) {
        while (others > 0)
            usleep(1000);
        n = 0;
        for (int fd = 0; fd < 1024; fd++)
            n += dup2(fd, fd) == fd;
        if (n == before)
            return n;
        usleep(20000);
    }
}

static void lives(void **state)
{
    (void)state;
    static const char text[] = HEAD "keep = [connect('echo') for i in range(4)]\n"
                                    "ring = [pool.socket()]; ring.append(ring)\n"
                                    "class Mine(socketpool.SocketPool):\n"
                                    "    def __init__(self): pass\n"
                                    "raises(ValueError, 'deinit', Mine().socket)\n"
                                    "for i in range(50): connect('echo').send(b'x')\n"
                                    "import builtins; print(len(keep))\n";
    expect(text);
    int before = descriptors();
    for (int i = 0; i < 5; i++)
        expect(text);
    assert_true(descriptors() <= before); /* less: a connection of an earlier test was still ending */
}

static void ip_addresses(void **state)
{
    (void)state;
    expect(
        HEAD
        "import ipaddress\n"
        "from ipaddress import IPv4Address as A, ip_address\n"
        "a = A('192.168.1.47')\n"
        "assert str(a) == '192.168.1.47' == repr(a) and a.packed == bytes((192, 168, 1, 47)) and a.version "
        "== 4\n"
        "assert a == A(b'\\xc0\\xa8\\x01\\x2f') == ip_address('192.168.1.47') == A(0xC0A8012F)\n"
        "assert a != A('192.168.1.48') and a != '192.168.1.47' and hash(a) == hash(A(a.packed))\n"
        "assert {a: 1}[ip_address(0xC0A8012F)] == 1\n"
        "for bad in ('', '1.2.3', '1.2.3.256', '::1', '01.2.3.4', ' 1.2.3.4'):\n"
        "    raises(ValueError, 'Not a valid IP string', A, bad)\n"
        "    raises(ValueError, 'Not a valid IP string', ip_address, bad)\n"
        "raises(ValueError, 'Address must be 4 bytes long', A, b'123')\n"
        "raises(ValueError, 'Only int or string', ip_address, b'1234')\n"
        "raises(ValueError, '', A, -1); raises(ValueError, '', A, 1 << 32); raises(TypeError, '', A, None)\n"
        "raises(AttributeError, '', setattr, a, 'packed', b'')\n"
        "s = pool.socket(); s.connect((A('127.0.0.1'), port('echo'))); s.send(b'x'); receive(s, 1)\n");
}

/* Printed: blocking calls through the pump beside what the sockets alone take. */
static void round_trips(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(port_of(listeners[ECHO]))};
    char buf[8];
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    uint64_t t = fake_now(NULL);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(send(fd, "ping", 4, 0), 4);
        assert_int_equal(recv(fd, buf, 4, 0), 4);
    }
    t = fake_now(NULL) - t;
    close(fd);
    expect(HEAD "s = connect('echo'); buf = bytearray(4)\n"
                "before = time.monotonic_ns()\n"
                "for i in range(2000):\n"
                "    s.send(b'ping'); s.recv_into(buf)\n"
                "print((time.monotonic_ns() - before) / 2000000)\n"
                "s.setblocking(False)\n"
                "def gaps(traffic):\n" /* a loop that never waits, beside traffic and without */
                "    first = last = time.monotonic_ns(); worst = over = loops = 0\n"
                "    while last - first < 500000000:\n"
                "        now = time.monotonic_ns(); gap = now - last; last = now; loops += 1\n"
                "        over += gap > 1000000; worst = max(worst, gap)\n"
                "        if traffic and loops % 100 == 0: send_now(s, b'ping')\n"
                "    return 'longest gap %d us, %d over 1 ms' % (worst // 1000, over)\n"
                "print('a busy loop alone:', gaps(False)); print('beside traffic:', gaps(True))\n");
    print_message("an echo: %.1f us in C; in Python, blocking, us: %s", (double)t / 2000.0, console);
}

int main(void)
{
    fake_power_on();
    if (mkdtemp(drive) == NULL)
        return 1;
    *vm_state() = (vm_state_t){.autoreload = true, .safe_mode_reason = "NONE"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool), cmocka_unit_test(streams),      cmocka_unit_test(endings),
        cmocka_unit_test(times),    cmocka_unit_test(servers),      cmocka_unit_test(datagram_sockets),
        cmocka_unit_test(polling),  cmocka_unit_test(interrupts),   cmocka_unit_test(resolving),
        cmocka_unit_test(lives),    cmocka_unit_test(ip_addresses), cmocka_unit_test(round_trips),
    };
    int failed = cmocka_run_group_tests(tests, peers_up, NULL);
    rmdir(drive);
    return failed;
}
