/* ssl over this computer's stack, with OpenSSL's server as a child process: what tests/python/test_ssl.py
 * looks at from outside, here under the sanitizers, leaks included. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/tls/testing.h"

#include "ports/posix/net_posix.h"
#include "python/layer/test_vm.h"
#include "python/modules/test_radio.h"

/* ---- the other end: it sends each line back reversed, one connection after the other ---- */

static pid_t peer;
static uint16_t peer_port;

static int peer_up(void **state)
{
    int out[2];
    char text[512] = "";
    size_t len = 0;
    if (drive_up(state) != 0 || bench_make_files(state) != 0 || pipe(out) != 0 || (peer = fork()) < 0)
        return -1;
    if (peer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], 1);
        (void)!freopen("/dev/null", "w", stderr); /* it tells of each connection */
        if (chdir(bench_folder) == 0)
            execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "good.crt",
                   "-cert_chain", "good.pem", "-key", "good.key", "-rev", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    while (len < sizeof text - 1 && strstr(text, "ACCEPT 127.0.0.1:") == NULL) {
        const ssize_t n = read(out[0], text + len, 1);
        if (n <= 0)
            return -1;
        len++;
    }
    for (char c; read(out[0], &c, 1) == 1 && c >= '0' && c <= '9';)
        peer_port = (uint16_t)(peer_port * 10 + (c - '0'));
    return 0; /* the pipe stays open: it goes on talking */
}

static int peer_down(void **state)
{
    if (peer > 0) {
        kill(peer, SIGTERM);
        waitpid(peer, NULL, 0);
    }
    const int failed = drive_down(state);
    return bench_drop_files(state) != 0 ? -1 : failed;
}

/* ---- the programs' side ---- */

static py_t testnet_port(const py_val_t *a)
{
    (void)a;
    return py_int(peer_port);
}

static const py_arg_t file_args[] = {PY_REQ_STR("name"), PY_END};

static py_t testnet_file(const py_val_t *a)
{
    bench_file_t f = bench_read(a[0].str);
    py_t v = py_bytes(f.bytes, f.len);
    free(f.bytes);
    return v;
}

static const py_function_t testnet_functions[] = {
    {"port", testnet_port, NULL, NULL}, {"file", testnet_file, file_args, NULL}, PY_END};
static const py_module_t testnet = {
    .name = "testnet", .functions = testnet_functions, .init = radio_up, .reset = radio_down};

#define HEAD                                                                                                 \
    "import errno, gc, select, socketpool, ssl, testnet\n"                                                   \
    "pool = socketpool.SocketPool(testnet.radio)\n"                                                          \
    "context = ssl.create_default_context()\n"                                                               \
    "context.load_verify_locations(cadata=testnet.file('root.pem'))\n"                                       \
    "buf = bytearray(4096)\n"                                                                                \
    "where = ('127.0.0.1', testnet.port())\n"                                                                \
    "def plain(timeout=60):\n"                                                                               \
    "    s = pool.socket(); s.settimeout(timeout); return s\n"                                               \
    "def dial(host=None, sock=None):\n"                                                                      \
    "    s = context.wrap_socket(sock or plain(), server_hostname=host); s.connect(where); return s\n"       \
    "def ask(s, text):\n"                                                                                    \
    "    s.send(text + b'\\n'); data = b''\n"                                                                \
    "    while len(data) <= len(text): data += buf[:s.recv_into(buf)]\n"                                     \
    "    assert data == bytes(reversed(text)) + b'\\n', data\n"                                              \
    "class Wrapped:\n"                                                                                       \
    "    def __init__(self): self.s = plain()\n"                                                             \
    "    def connect(self, a): self.s.connect(a)\n"                                                          \
    "    def send(self, data): return self.s.send(data[:50])\n"                                              \
    "    def recv_into(self, b, n=0): return self.s.recv_into(memoryview(b)[:60])\n"                         \
    "    def close(self): self.s.close()\n" RAISES

static void native_and_not(void **state)
{
    (void)state;
    expect(HEAD "for i in range(12):\n"
                "    s = dial(*((), ('good.example',), (None, Wrapped()))[i % 3])\n"
                "    ask(s, b'x' * 700); ask(s, b'abc')\n"
                "    assert s.session_reused == (i >= 2), i\n" /* one session for each of two names */
                "    if i % 2: s.close()\n"
                "    s = None; gc.collect()\n"
                "held = dial()\n"); /* the run ends over it */
}

static void failures(void **state)
{
    (void)state;
    expect(HEAD
           "for i in range(10):\n" /* more than there are sockets */
           "    raises(OSError, 'another host name', dial, 'bad.example', Wrapped() if i % 2 else None)\n"
           "context.load_verify_locations(cadata=testnet.file('other.pem'))\n"
           "raises(OSError, 'issuer is not one', dial)\n"
           "raises(ValueError, 'PEM', context.load_verify_locations, cadata=b'x')\n"
           "context.load_verify_locations(cadata=b'')\n"
           "ask(dial('bad.example'), b'anyone')\n"
           "context.set_default_verify_paths()\n" /* this machine has none */
           "raises(OSError, 'no trusted certificates', dial)\n"
           "class Broken(Wrapped):\n"
           "    def recv_into(self, b, n=0): raise KeyError\n"
           "context.load_verify_locations(cadata=testnet.file('root.pem').decode())\n"
           "raises(KeyError, '', dial, None, Broken())\n"
           "class Closing(Wrapped):\n"
           "    def send(self, data): top.close(); return len(data)\n"
           "top = context.wrap_socket(Closing())\n"
           "raises(OSError, errno.EBADF, top.connect, where)\n");
}

static void without_waiting(void **state)
{
    (void)state;
    expect(HEAD "for i in range(4):\n"
                "    s = context.wrap_socket(plain(0))\n"
                "    try: s.connect(where)\n"
                "    except OSError as e: assert e.errno == errno.EINPROGRESS\n"
                "    if i == 3: break\n" /* left in the middle, and the run ends */
                "    p = select.poll(); p.register(s, select.POLLOUT)\n"
                "    assert p.poll(60000) == [(s, select.POLLOUT)] and s.version() == 'TLSv1.2'\n"
                "    p.modify(s, select.POLLIN)\n"
                "    while True:\n" /* an engine that is busy says "not now" */
                "        try: s.send(b'hello\\n'); break\n"
                "        except OSError as e: assert e.errno == errno.EAGAIN\n"
                "    assert p.poll(60000) == [(s, select.POLLIN)] and s.recv_into(buf) == 6\n"
                "    raises(OSError, errno.EAGAIN, s.recv_into, buf)\n"
                "    s.close()\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_and_not),
        cmocka_unit_test(failures),
        cmocka_unit_test(without_waiting),
    };
    return cmocka_run_group_tests(tests, peer_up, peer_down);
}
