/* Python's sockets in time: time-outs, polling, Ctrl-C in each wait, what a round trip costs, and that no
 * socket outlives its program. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"
#include "python/layer/test_vm.h"
#include "python/modules/test_peers.h"

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
        vm_outcome_t outcome = call_broken_by(VM_REQ_INTERRUPT, text);
        vm_stop();
        if (outcome != VM_DONE || strstr(console, "broken") == NULL)
            fail_msg("%s: %s", calls[i], console);
    }
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

/* Printed: blocking calls through the pump beside what the sockets alone take. */
static void round_trips(void **state)
{
    (void)state;
    char buf[8];
    int fd = dial(port_of(listeners[ECHO]), 0);
    assert_true(fd >= 0);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times), cmocka_unit_test(polling),     cmocka_unit_test(interrupts),
        cmocka_unit_test(lives), cmocka_unit_test(round_trips),
    };
    return cmocka_run_group_tests(tests, peers_up, drive_down);
}
