/* Python's sockets over this computer's stack: what each call takes, gives and raises. Scripts run as code.py
 * does, through adder_vm. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"
#include "python/layer/test_vm.h"
#include "python/modules/test_peers.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool), cmocka_unit_test(streams),          cmocka_unit_test(endings),
        cmocka_unit_test(servers),  cmocka_unit_test(datagram_sockets), cmocka_unit_test(ip_addresses),
    };
    return cmocka_run_group_tests(tests, peers_up, drive_down);
}
