"""Sockets of the native adafruit_esp32spi, of its pool and by the firmware's numbers, beside Adafruit's own: see
test_esp32spi_native.py."""

import hashlib
import socket
import ssl
import threading

from esp32spi_bench import (BODY, ask, echo_server, libraries, make_certificates, native, pages, run, same)  # noqa: F401
from held_port import hold_port

# --- sockets of the pool ---


def test_stream(same):
    port, _ = echo_server(count=2)
    lines = same("""
join()
info = pool.getaddrinfo("echo.test", 7, 0, pool.SOCK_STREAM)
print(info)
tries("port", pool.getaddrinfo, "echo.test", "7")
tries("name", pool.getaddrinfo, "nobody.test", 7)
tries("family", pool.socket, 10)
s = pool.socket(info[0][0], info[0][1])
s.settimeout(5)
print(s.connect(info[0][-1]), s.setsockopt(pool.SOL_SOCKET, pool.SO_REUSEADDR, 1))
print(s.send(b"hello"))
b = bytearray(10)
print(s.recv_into(b, 2), bytes(b), s.recv_into(memoryview(b)[5:8]), bytes(b))
tries("negative", s.recv_into, b, -1)
tries("beyond", s.recv_into, b, 11)
s.settimeout(0.2)
start = time.monotonic()
tries("timeout", s.recv_into, b)
print(0.15 < time.monotonic() - start < 1.5, errno.ETIMEDOUT)
s.settimeout(0)
print("nothing", s.recv_into(b))
s.setblocking(False)
print("nothing", s.recv_into(b), s.setblocking(True))
tries("negative", s.settimeout, -1)
print(s.close(), s.close())
""", network={"hosts": {"echo.test:7": f"127.0.0.1:{port}"}})
    assert r"2 b'ol\x00\x00\x00\x00\x00\x00\x00\x00' 3 b'ol\x00\x00\x00leh\x00\x00'" in lines
    assert "timeout raised OSError (116,)" in lines and lines.count("nothing 0") + lines.count("nothing 0 None") == 2


def test_what_was_received_and_the_end(native):
    """Adafruit's recv() gives as many bytes as were asked for, with zeros behind what came, and an end of the
    connection is waited out."""
    port, _ = echo_server(lambda data: b"abc")
    server = socket.create_server(("127.0.0.1", 0))

    def once():
        c, _ = server.accept()
        c.recv(10)
        c.sendall(b"last words")
        c.close()

    threading.Thread(target=once, daemon=True).start()
    assert native("""
join()
with pool.socket() as s:
    s.connect(("one.test", 1))
    s.send(b"?")
    print(s.recv(100))
with pool.socket() as s:
    s.connect(("two.test", 1))
    s.send(b"?")
    print(s.recv(100), s.recv(100), s.recv(100))
tries("closed", s.recv, 10)
""", network={"hosts": {"one.test:1": f"127.0.0.1:{port}", "two.test:1": f"127.0.0.1:{server.getsockname()[1]}"}}) == [
        "b'abc'", "b'last words' b'' b''", "closed raised OSError (9,)"]


def test_connecting_that_fails(same):
    nobody = hold_port()
    lines = same("""
join()
s = pool.socket()
for address in ("nobody.test", 9), (b"\\x7f\\x00\\x00\\x01", 9):
    try:
        s.connect(address)
    except OSError as error:
        print(isinstance(error, (ConnectionError, TimeoutError)))
s.close()
try:
    pool.socket().connect(("echo.test", 70000))
except Exception as error:
    print("port", type(error).__name__ in ("ValueError", "error"))
""", network={"hosts": {"nobody.test:9": f"127.0.0.1:{nobody}"}})
    assert lines == ["True", "True", "port True"]


def test_much_data_both_ways(run):
    """In few frames: Adafruit's writes 64 bytes a command."""
    body = bytes(i * 7 % 251 for i in range(30000))
    heard = hashlib.sha256()
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(2):
            c, _ = server.accept()
            left = len(body)
            while left > 0:
                data = c.recv(65536)
                heard.update(data)
                left -= len(data)
            c.sendall(body)
            c.close()

    threading.Thread(target=serve, daemon=True).start()
    code = """
import hashlib
join()
s = pool.socket()
s.settimeout(5)
s.connect(pool.getaddrinfo("bulk.test", 1)[0][-1])
print(s.send(bytes(i * 7 % 251 for i in range(30000))))
digest, got, b = hashlib.new("sha256"), 0, bytearray(3000)
while got < 30000:
    n = s.recv_into(b)
    digest.update(b[:n])
    got += n
print(got, digest.digest().hex())
s.close()
"""
    network = {"hosts": {"bulk.test:1": f"127.0.0.1:{server.getsockname()[1]}"}}
    theirs, their_chip = run(code, False, network=network)
    ours, our_chip = run(code, True, network=network)
    assert ours == theirs == ["30000", f"30000 {hashlib.sha256(body).hexdigest()}"]
    assert heard.hexdigest() == hashlib.sha256(body + body).hexdigest()
    assert our_chip["counters"]["frames"] * 4 < their_chip["counters"]["frames"]


def test_tls(same, tmp_path):
    make_certificates(tmp_path / "tls", ["web.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls/server.pem", tmp_path / "tls/server.key")
    port, heard = echo_server(tls=context, count=6)
    lines = same("""
join()
a, b = pool.socket(), pool.socket()
a.settimeout(5)
a.connect(("web.test", 443), esp.TLS_MODE)
print(a.send(b"private"))
got = bytearray(7)
print(a.recv_into(got), got)
try:
    b.connect(("web.test", 443), esp.TLS_MODE)
except OSError as error:
    print("second", type(error).__name__, error.args)
a.close()
b.connect(("web.test", 443), esp.TLS_MODE)
b.settimeout(5)
b.send(b"second")
print(b.recv_into(got, 6), got)
b.close()
""", network={"hosts": {"web.test:443": f"127.0.0.1:{port}"}, "ca": str(tmp_path / "tls/ca.pem")})
    assert "second OSError (23, 'Only one open SSL connection allowed')" in lines
    assert heard == [b"private", b"second"] * 2


def test_datagrams(native):
    """send() tells bytes; Adafruit's tells pieces of 64."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(30)

    def answer():
        for _ in range(2):
            data, sender = peer.recvfrom(2000)
            peer.sendto(data[::-1], sender)
            peer.sendto(b"another", sender)

    threading.Thread(target=answer, daemon=True).start()
    assert native("""
join()
s = pool.socket(type=pool.SOCK_DGRAM)
s.settimeout(3)
s.connect(pool.getaddrinfo("udp.test", 5005)[0][4])
print(s.send(bytes(range(200))))
b = bytearray(300)
n = s.recv_into(b)
print(n, b[:n] == bytes(range(199, -1, -1)), s.recv(50))
print(s.sendto(b"xyz", ("udp.test", 5005)), s.recv(2), s.recv(100))
s.settimeout(0.1)
tries("none", s.recv, 10)
s.close()
""", network={"hosts": {"udp.test:5005": f"127.0.0.1:{peer.getsockname()[1]}"}}) == [
        "200", "200 True b'another'", "3 b'zy' b'another'", "none raised OSError (116,)"]


def test_server(native):
    """accept() never waits. The client's port is the right way round; Adafruit's swaps its bytes."""
    port = hold_port()
    answers = []
    asking = threading.Thread(target=ask, args=(port, b"what?", answers), daemon=True)
    asking.start()
    lines = native("""
join()
server = pool.socket()
server.bind((esp.ipv4_address, 80))
server.listen(1)
while True:
    try:
        client, address = server.accept()
        break
    except OSError as error:
        assert error.errno == errno.ECONNRESET, error
        time.sleep(0.02)
print(address[0], address[1])
b = bytearray(100)
n = client.recv_into(b)
print(b[:n], client.send(b"this"))
client.close()
""", network={"listen": {"80": port}})
    asking.join(20)
    assert lines == [f"127.0.0.1 {answers[0][0]}", "bytearray(b'what?') 4"] and answers[0][1] == b"this"


def test_poll(native):
    port, _ = echo_server(lambda data: [0.3, b"!"])
    assert native("""
import select
join()
s = pool.socket()
s.connect(("echo.test", 7))
poller = select.poll()
poller.register(s, select.POLLIN)
print(poller.poll(0))
s.send(b"x")
found = poller.poll(5000)
print(found[0][0] is s, found[0][1] & select.POLLIN, s.recv(10))
s.close()
""", network={"hosts": {"echo.test:7": f"127.0.0.1:{port}"}}) == ["[]", "True 1 b'!'"]


def test_two_sockets_before_either_is_connected(native):
    """With Adafruit's both get the firmware's lowest free number, and the second takes over the first's."""
    one, _ = echo_server()
    two, _ = echo_server()
    assert native("""
join()
a, b = pool.socket(), pool.socket()
n, m = esp.get_socket(), esp.get_socket()
print(n != m)
a.connect(("one.test", 1))
b.connect(("two.test", 1))
a.send(b"first")
b.send(b"second")
print(b.recv(10), a.recv(10))
""", network={"hosts": {"one.test:1": f"127.0.0.1:{one}", "two.test:1": f"127.0.0.1:{two}"}}) == [
        "True", "b'dnoces' b'tsrif'"]


def test_requests(same, tmp_path):
    make_certificates(tmp_path / "tls", ["web.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls/server.pem", tmp_path / "tls/server.key")
    lines = same("""
import hashlib, adafruit_connection_manager, adafruit_requests
join()
print(adafruit_connection_manager.get_radio_socketpool(esp) is pool)
session = adafruit_requests.Session(pool, adafruit_connection_manager.get_radio_ssl_context(esp))
for url in ("http://web.test/", "https://web.test/"):
    with session.get(url) as answer:
        print("got", url[:5], answer.status_code, hashlib.new("sha256", answer.content).digest().hex())
    with session.post(url, data="abc" * 500) as answer:
        print("posted", url[:5], answer.text == "cba" * 500)
    session._connection_manager._free_sockets(force=True)
""", network={"hosts": {"web.test:80": f"127.0.0.1:{pages()}", "web.test:443": f"127.0.0.1:{pages(context)}"},
              "ca": str(tmp_path / "tls/ca.pem")})
    assert lines.count("posted http: True") == lines.count("posted https True") == 1
    assert f"got https 200 {hashlib.sha256(BODY).hexdigest()}" in lines


# --- sockets by number ---


def test_sockets_by_number(same):
    port, heard = echo_server(count=2)
    lines = same("""
join()
n = esp.get_socket()
print(n, esp.socket_status(n), esp.socket_connected(n), esp.socket_available(n))
print(esp.socket_connect(n, esp.get_host_by_name("echo.test"), 7), esp.socket_status(n), esp.socket_connected(n))
print(esp.socket_write(n, b"hello there"), esp.server_state(n))
while esp.socket_available(n) < 11:
    pass
print(esp.socket_read(n, 5), esp.socket_available(n), esp.socket_read(n, 100), esp.socket_read(n, 100))
print(esp.socket_close(n), esp.socket_status(n), esp.get_socket())
""", network={"hosts": {"echo.test:7": f"127.0.0.1:{port}"}})
    assert lines == ["0 0 False 0", "True 4 True", "11 0", "b'ereht' 6 b' olleh' b''", "None 0 0"]
    assert heard == [b"hello there"] * 2


def test_servers_by_number(native):
    port = hold_port()
    answers = []
    asking = threading.Thread(target=ask, args=(port, b"what?", answers), daemon=True)
    asking.start()
    lines = native("""
join()
server = esp.get_socket()
esp.start_server(80, server)
print(esp.server_state(server))
client = 255
while client == 255:
    client = esp.socket_available(server)
remote = esp.get_remote_data(client)
print(remote["ip_addr"], remote["port"])
print(esp.socket_read(client, 100), esp.socket_write(client, b"this"))
esp.socket_close(client)
""", network={"listen": {"80": port}})
    asking.join(20)
    assert answers[0][1] == b"this"
    assert lines == ["1", rf"bytearray(b'\x7f\x00\x00\x01') {answers[0][0]}", "b'what?' 4"]


def test_by_number_and_by_name_at_once(native):
    """Firmware 1.x takes no names for TCP, so socket_open() of a name fails with Adafruit's."""
    one, _ = echo_server(size=3000)
    two, _ = echo_server()
    assert native("""
join()
n = esp.get_socket()
esp.socket_connect(n, "one.test", 1)
s = pool.socket()
s.connect(("two.test", 1))
s.send(b"pool")
print(esp.socket_write(n, b"x" * 3000), s.recv(10))
while esp.socket_available(n) < 3000:
    pass
print(len(esp.socket_read(n, 4000)))
esp.socket_close(n)
s.close()
""", network={"hosts": {"one.test:1": f"127.0.0.1:{one}", "two.test:1": f"127.0.0.1:{two}"}}) == ["3000 b'loop'", "3000"]
