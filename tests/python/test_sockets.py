"""Sockets' surroundings on a board without a radio of its own: addresses, the pool's refusal, select.poll on the
console, whose waits drive the pump. The sockets themselves: python/modules/net_socket_test.c."""

from test_core_modules import HEAD, ok


def test_addresses(adder):
    out = ok(adder(HEAD + """
import ipaddress, sys
a = ipaddress.ip_address("192.168.1.47")
print(a, a.packed == bytes((192, 168, 1, 47)), a.version, {a: 1}[ipaddress.IPv4Address(0xC0A8012F)])
raises(ValueError, 'Not a valid IP string', ipaddress.ip_address, "::1")
print(hasattr(ipaddress, "IPv6Address"), ipaddress.IPv4Address.__module__)
"""))
    assert "192.168.1.47 True 4 1\nFalse ipaddress\n" in out


def test_no_pool_without_the_native_radio(adder):
    ok(adder(HEAD + """
import socketpool
raises(ValueError, 'wifi.radio', socketpool.SocketPool, object())
raises(ValueError, 'wifi.radio', socketpool.SocketPool, None)
raises(TypeError, '', socketpool.SocketPool)
assert socketpool.SocketPool.gaierror.__mro__[1] is OSError
"""))


def test_poll_of_the_console(board):
    b = board("""
import select, sys, time
p = select.poll()
p.register(sys.stdin, select.POLLIN)
assert p.poll(0) == [] and p.poll(30) == []
print("ready")
while True:
    for stream, events in p.poll():
        print("got", repr(stream.read(1)), events)
""")
    b.expect("ready\n")
    for key in "abc":
        b.send(key)
        b.expect(f"got '{key}' 1\n")
    b.send("\x03")
    b.expect("KeyboardInterrupt")

