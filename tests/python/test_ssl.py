"""The `ssl` module on a board with Wi-Fi, with this computer's OpenSSL on the other end. Certificates are those of
tests/tls/certs.sh; the board's network trusts their root ("ca") unless a test says otherwise."""

import json
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import loopback
import pytest
from held_port import hold_port

ROOT = Path(__file__).resolve().parent.parent.parent
BOARD = ("--board", "adafruit_feather_esp32s3_tft")
HEAD = """
import wifi, socketpool, ssl, time, select, errno
wifi.radio.connect('home', 'correct horse')
pool = socketpool.SocketPool(wifi.radio)
context = ssl.create_default_context()
buf = bytearray(4096)
def plain(timeout=20):
    s = pool.socket(pool.AF_INET, pool.SOCK_STREAM)
    s.settimeout(timeout)
    return s
def dial(host='good.example', timeout=20, ctx=None, name=True):
    s = (ctx or context).wrap_socket(plain(timeout), server_hostname=name and host or None)
    s.connect((host, 8443))
    return s
def receive(s, n):
    data = b''
    while len(data) < n:
        got = s.recv_into(buf)
        if not got: break
        data += buf[:got]
    return data
def send_all(s, data):
    data = memoryview(data)
    while data: data = data[s.send(data):]
def raises(cls, what, f, *a, **k):
    try: f(*a, **k)
    except cls as e:
        assert (e.errno == what if isinstance(what, int) else what in str(e)), repr(e)
        return e
    else: assert False, 'no ' + cls.__name__
def file(name):
    with open(name) as f: return f.read()
"""


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    subprocess.run([ROOT / "tests/tls/certs.sh", folder], check=True, timeout=60)
    return folder


class Server(loopback.Server):
    """Gives each connection to `talk(server, conn)`."""

    def __init__(self, certs, talk, cert="good", **options):
        self.seen, self.errors = [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if cert in ("sha1", "rsa1024"):
            self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.context.load_cert_chain(certs / f"{cert}.pem", certs / f"{cert}.key")
        if options.get("demand"):
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(certs / "root.pem")
        if options.get("alpn"):
            self.context.set_alpn_protocols(options["alpn"])
        if options.get("minimum"):
            self.context.minimum_version = options["minimum"]
        else:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.talk = talk
        super().__init__()

    def serve(self, conn, number):
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.talk(self, conn)
        except (OSError, ssl.SSLError) as e:
            self.errors.append(e)


def echo(server, conn):
    with server.context.wrap_socket(conn, server_side=True) as s:
        server.seen.append({"reused": s.session_reused, "alpn": s.selected_alpn_protocol(),
                            "peer": s.getpeercert(True), "cipher": s.cipher()})
        while data := s.recv(65536):
            s.sendall(data)
        s.unwrap()


@pytest.fixture
def board_tls(adder, certs):
    """run(code, server or port or None, ...) with that server as good.example:8443 and the like."""
    servers = []

    def run(code, talk=echo, *options, trust=True, files=None, seconds=60, cert="good", port=None, net=None, **more):
        server = None
        if talk is not None:
            server = Server(certs, talk, cert, **more)
            servers.append(server)
            port = server.port
        where = f"127.0.0.1:{port}"
        network = {"access_points": [{"ssid": "home", "password": "correct horse"}], "outside": False, "speed": 20,
                   "hosts": {f"{name}:8443": where for name in
                             ("good.example", "bad.example", "a.wild.example", "192.0.2.7")}, **(net or {})}
        if trust:
            network["ca"] = str(certs / "root.pem")
        result = adder(HEAD + code, *BOARD, *options, seconds=seconds, timeout=120,
                       files={"network.json": json.dumps(network), **(files or {})})
        assert result.code == 0 and "Traceback" not in result.out, result.out + result.err
        result.server = server
        return result

    yield run
    for server in servers:
        server.close()


# ---- the module ----


def test_surface(board_tls):
    board_tls("""
for name in 'SSLContext', 'SSLSocket': raises(TypeError, '', getattr(ssl, name))
assert sorted(n for n in dir(ssl) if n[0] != '_') == ['SSLContext', 'SSLSocket', 'create_default_context'], dir(ssl)
assert context.check_hostname is True
context.check_hostname = False
assert not context.check_hostname
s = context.wrap_socket(plain())
assert not hasattr(s, 'recv') and not hasattr(s, 'sendall')
assert {s: 1}[s] == 1
assert s.version() is s.cipher() is s.selected_alpn_protocol() is None and not s.session_reused
raises(RuntimeError, 'Invalid socket for TLS', context.wrap_socket, pool.socket(type=pool.SOCK_DGRAM))
raises(ValueError, 'hostname', context.wrap_socket, plain(), server_side=True, server_hostname='x')
raises(ValueError, 'load_cert_chain', context.wrap_socket, plain(), server_side=True)
raises(TypeError, '', context.wrap_socket, plain(), True)
raises(NotImplementedError, '', context.load_verify_locations, 'x.pem')
raises(NotImplementedError, '', context.load_verify_locations, None, 'x')
raises(ValueError, 'neither PEM', context.load_verify_locations, cadata='hello')
raises(ValueError, 'malformed PEM', context.load_verify_locations, cadata='-----BEGIN CERTIFICATE-----')
raises(OSError, 2, context.load_cert_chain, 'missing.pem')
raises(ValueError, '', context.set_alpn_protocols, [''])
for f, a in (s.send, (b'x',)), (s.recv_into, (buf,)):
    s = context.wrap_socket(plain())
s.close(); s.close()
for f, a in ((s.send, (b'x',)), (s.recv_into, (buf,)), (s.connect, (('good.example', 8443),)), (s.accept, ()),
             (s.bind, (('', 0),)), (s.listen, (1,)), (s.settimeout, (1,)), (s.setblocking, (True,))):
    raises(OSError, errno.EBADF, f, *a)
""", None, port=1)


def test_bad_files(board_tls, certs):
    read = lambda name: (certs / name).read_text()
    board_tls("""
context.load_cert_chain('good.pem', 'good.key')
context.load_cert_chain('both.pem')
context.load_cert_chain('good.pem', 'locked.key', 'adder')
raises(ValueError, 'encrypted', context.load_cert_chain, 'good.pem', 'locked.key')
raises(ValueError, 'does not belong', context.load_cert_chain, 'good.pem', 'rsa.key')
raises(ValueError, 'malformed', context.load_cert_chain, 'good.pem', 'good.pem')
raises(ValueError, 'not supported', context.load_cert_chain, 'good.pem', 'p521.key')
raises(ValueError, 'PEM', context.load_cert_chain, 'good.key', 'good.key')
context.wrap_socket(plain(), server_side=True)      # what was good before still is
""", None, port=1, files={**{n: read(n) for n in ("good.pem", "good.key", "rsa.key", "p521.key", "locked.key")},
                         "both.pem": read("good.pem") + read("good.key")})


# ---- clients ----


def test_talk(board_tls):
    run = board_tls("""
s = dial()
assert s.version() == 'TLSv1.2' and s.cipher()[0].startswith('TLS-ECDHE-ECDSA') and s.cipher()[2] in (128, 256)
assert len(s.getpeercert(True)) > 300
raises(NotImplementedError, '', s.getpeercert)
assert s.send(b'hello') == 5 and receive(s, 5) == b'hello'
assert s.recv_into(bytearray()) == 0
s.send(b'abcdef'); assert s.recv_into(buf, 2) == 2 and buf[:2] == b'ab' and s.recv_into(buf) == 4
raises(ValueError, 'buffer too small', s.recv_into, bytearray(3), 4)
s.settimeout(0.05)
before = time.monotonic()
raises(OSError, errno.ETIMEDOUT, s.recv_into, buf)
assert time.monotonic() - before >= 0.05
s.settimeout(0)
raises(OSError, errno.EAGAIN, s.recv_into, buf)
s.settimeout(20)
s.send(b'again'); assert receive(s, 5) == b'again'
with dial('a.wild.example') as t:
    t.send(b'x'); assert receive(t, 1) == b'x'
raises(OSError, errno.EBADF, t.send, b'x')
s.close()
""")
    assert len(run.server.seen) == 2
    assert not run.server.errors  # both said goodbye


def test_a_megabyte(board_tls):
    board_tls("""
data = bytes(range(251)) * 4178
s = dial()
got = sent = 0
view = memoryview(data)
while got < len(data):
    if sent < len(data) and sent - got < 100000:
        sent += s.send(view[sent:sent + 1 + got % 30000])
    else:
        n = s.recv_into(buf)
        assert buf[:n] == view[got:got + n]
        got += n
s.close()
""")


def test_the_name_is_checked(board_tls):
    board_tls("""
e = raises(OSError, 'another host name', dial, 'bad.example')
assert e.errno == -0x2700, e.errno
raises(OSError, 'another host name', dial, 'bad.example', name=False)       # the name connected to
dial('good.example', name=False).close()
context.check_hostname = False
dial('bad.example').close()
dial('bad.example', name=False).close()
""")


@pytest.mark.parametrize("cert, text", [
    ("foreign", "issuer is not one of the trusted"),
    ("selfsigned", "self-signed"),
    ("sha1", "weak hash"),
    ("rsa1024", "too weak"),
    ("usage", "not made for this use"),
    ("wronginter", "do not form a chain"),
])
def test_certificates_refused(board_tls, cert, text):
    run = board_tls(f"""
s = context.wrap_socket(plain(), server_hostname='good.example')
e = raises(OSError, {text!r}, s.connect, ('good.example', 8443))
assert e.errno < 0
raises(OSError, errno.EBADF, s.send, b'x')       # the failure closed it
""", cert=cert)
    assert not run.server.seen


def test_dates_by_the_boards_clock(board_tls):
    board_tls("""
import rtc
rtc.RTC().datetime = time.localtime(time.time() + 500 * 86400)
raises(OSError, 'has expired', dial)
rtc.RTC().datetime = time.localtime(time.time() - 505 * 86400 if time.time() > 1e9 + 8e8 + 505 * 86400 else 1740000000)
raises(OSError, 'not valid yet', dial)
rtc.RTC().datetime = time.localtime(946684800)   # a clock that nobody has set
dial().close()
""")


def test_who_is_trusted(board_tls, certs):
    board_tls("""
raises(OSError, 'issuer is not one of the trusted', dial)
context.load_verify_locations(cadata=file('root.pem'))
dial().close()
context.load_verify_locations(cadata=file('other.pem').encode())
raises(OSError, 'issuer is not one of the trusted', dial)
context.load_verify_locations(cadata='')
dial('bad.example').close()
context.set_default_verify_paths()
raises(OSError, 'issuer is not one of the trusted', dial)
""", trust=False, files={n: (certs / n).read_text() for n in ("root.pem", "other.pem")})


@pytest.mark.parametrize("name", ["deep", "client-rsa"])
def test_client_certificate(board_tls, certs, name):
    run = board_tls(f"""
context.load_cert_chain({name!r} + '.pem', {name!r} + '.key')
s = dial()
s.send(b'me'); assert receive(s, 2) == b'me'
s.close()
""", demand=True, files={f"{name}.{n}": (certs / f"{name}.{n}").read_text() for n in ("pem", "key")})
    der = ssl.PEM_cert_to_DER_cert((certs / f"{name}.crt").read_text())
    assert run.server.seen[0]["peer"] == der


def test_client_certificate_missing(board_tls):
    board_tls("e = raises(OSError, 'client certificate is required', dial); assert e.errno == -0x7780", demand=True)


def test_coming_back_and_alpn(board_tls):
    run = board_tls("""
context.set_alpn_protocols(['h2', 'x-amzn-mqtt-ca'])
for i in range(3):
    s = dial()
    assert s.selected_alpn_protocol() == 'x-amzn-mqtt-ca'
    assert s.session_reused == (i > 0), i
    s.send(b'x'); receive(s, 1)
    s.close()
context.check_hostname = True       # settings begin anew
s = dial(); assert not s.session_reused; s.close()
""", alpn=["x-amzn-mqtt-ca", "http/1.1"])
    assert [s["reused"] for s in run.server.seen] == [False, True, True, False]


def test_server_of_today_alone(board_tls):
    board_tls("e = raises(OSError, 'does not speak this TLS version', dial); assert e.errno == -0x7780",
              minimum=ssl.TLSVersion.TLSv1_3)


# ---- connections that end, or never begin ----


def test_no_tls_there(board_tls):
    def http(server, conn):
        conn.recv(4096)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    board_tls("raises(OSError, 'does not speak TLS', dial)", http)


def test_cut_in_the_handshake(board_tls):
    board_tls("""
e = raises(OSError, 'in the middle of the handshake', dial)
""", lambda server, conn: conn.recv(10))


def test_nobody_there(board_tls):
    board_tls("raises(OSError, errno.ECONNREFUSED, dial)", None, port=1)


def test_an_end_without_goodbye_reads_as_an_end(board_tls):
    def rude(server, conn):
        s = server.context.wrap_socket(conn, server_side=True)
        s.sendall(b"half")
        s.shutdown(socket.SHUT_WR)
        s.detach()

    board_tls("""
s = dial()
assert receive(s, 9) == b'half' and s.recv_into(buf) == 0 and s.recv_into(buf) == 0
""", rude)


def silent(server, conn):
    conn.recv(4096)
    time.sleep(30)


def test_handshake_times_out(board_tls):
    board_tls("""
before = time.monotonic()
raises(OSError, errno.ETIMEDOUT, dial, timeout=0.2)
assert time.monotonic() - before >= 0.2
""", silent)


def test_ctrl_c_in_the_handshake(board, drive, certs):
    server = Server(certs, silent)
    network = {"access_points": [{"ssid": "home", "password": "correct horse"}], "outside": False, "speed": 20,
               "hosts": {"good.example:8443": f"127.0.0.1:{server.port}"}, "ca": str(certs / "root.pem")}
    (drive / "network.json").write_text(json.dumps(network))
    b = board(HEAD + "print('now'); dial(timeout=None)", *BOARD)
    b.expect("\nnow")
    time.sleep(0.3)
    b.send("\x03")
    b.expect("KeyboardInterrupt")
    server.close()


# ---- without waiting ----


def test_non_blocking(board_tls):
    board_tls("""
s = context.wrap_socket(plain(0), server_hostname='good.example')
raises(OSError, errno.EINPROGRESS, s.connect, ('good.example', 8443))
p = select.poll()
p.register(s, select.POLLOUT)
assert p.poll(20000) == [(s, select.POLLOUT)]
assert s.version() == 'TLSv1.2'          # the pump has made the handshake
assert s.connect(('good.example', 8443)) is None
p.modify(s, select.POLLIN)
assert p.poll(50) == []
assert s.send(b'ping') == 4
assert p.poll(20000) == [(s, select.POLLIN)]
assert s.recv_into(buf) == 4
raises(OSError, errno.EAGAIN, s.recv_into, buf)
assert p.poll(50) == []
s.send(b'0123456789')
assert p.poll(20000) and s.recv_into(buf, 3) == 3
assert p.poll(0) == [(s, select.POLLIN)]  # decrypted already, nothing waits in the socket
assert receive(s, 7) == b'3456789'
s.close()
""")


def test_the_handshake_goes_on_beside_the_program(board_tls):
    board_tls("""
s = context.wrap_socket(plain(0), server_hostname='good.example')
raises(OSError, errno.EINPROGRESS, s.connect, ('good.example', 8443))
end = time.monotonic() + 20
while s.version() is None and time.monotonic() < end: pass
assert s.version() == 'TLSv1.2'
""")


def test_non_blocking_failure(board_tls):
    board_tls("""
s = context.wrap_socket(plain(0), server_hostname='bad.example')
raises(OSError, errno.EINPROGRESS, s.connect, ('bad.example', 8443))
p = select.poll()
p.register(s, select.POLLOUT)
assert p.poll(20000)[0][1] & select.POLLERR
raises(OSError, 'another host name', s.send, b'x')
""")


# ---- sockets of any kind ----

OBJECT = """
class Wrapped:
    type = 1
    def __init__(self, s): self.s, self.calls = s, []
    def connect(self, address): self.calls.append('connect'); self.s.connect(address)
    def send(self, data): return self.s.send(data[:SEND])
    def recv_into(self, buffer, n=0): return self.s.recv_into(memoryview(buffer)[:RECEIVE])
    def settimeout(self, t): self.calls.append(t); self.s.settimeout(t)
    def close(self): self.calls.append('close'); self.s.close()
"""


@pytest.mark.parametrize("send, receive", [(100000, 100000), (7, 11)])
def test_over_an_object(board_tls, send, receive):
    run = board_tls(f"SEND, RECEIVE = {send}, {receive}" + OBJECT + """
w = Wrapped(plain())
s = context.wrap_socket(w, server_hostname='good.example')
s.connect(('good.example', 8443))
data = bytes(range(256)) * 80
sent = got = 0
while got < len(data):
    if sent < len(data): sent += s.send(memoryview(data)[sent:sent + 5000])
    n = s.recv_into(buf); assert buf[:n] == data[got:got + n]; got += n
s.settimeout(0)
raises(OSError, errno.EAGAIN, s.recv_into, buf)
s.settimeout(0.05)
raises(OSError, errno.ETIMEDOUT, s.recv_into, buf)
s.close()
assert w.calls == ['connect', 0, 0.05, 'close'], w.calls
w = Wrapped(plain())
s = context.wrap_socket(w, server_hostname='bad.example')
raises(OSError, 'another host name', s.connect, ('bad.example', 8443))
assert w.calls == ['connect', 'close']
w.type = 2
raises(RuntimeError, 'Invalid socket', context.wrap_socket, w)
""")
    assert len(run.server.seen) == 1


def test_object_that_raises(board_tls):
    board_tls("SEND = RECEIVE = 5" + OBJECT + """
class Broken(Wrapped):
    def recv_into(self, buffer, n=0): raise KeyError('mine')
s = context.wrap_socket(Broken(plain()), server_hostname='good.example')
raises(KeyError, 'mine', s.connect, ('good.example', 8443))
class Closing(Wrapped):
    def send(self, data): s.close(); return len(data)
s = context.wrap_socket(Closing(plain()), server_hostname='good.example')
raises(OSError, errno.EBADF, s.connect, ('good.example', 8443))
""")


def test_wrap_what_is_connected(board_tls):
    board_tls("""
p = plain(); p.connect(('good.example', 8443))
s = context.wrap_socket(p, server_hostname='good.example')
assert s.version() is None
s.send(b'late'); assert receive(s, 4) == b'late'
p = plain(); p.connect(('good.example', 8443))
s = context.wrap_socket(p)
raises(ValueError, 'check_hostname requires server_hostname', s.send, b'x')
""")


# ---- servers ----


def client(certs, port, out, **options):
    context = ssl.create_default_context(cafile=certs / "root.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if "cert" in options:
        context.load_cert_chain(certs / f"{options['cert']}.pem", certs / f"{options['cert']}.key")
    conn = None
    for _ in range(400):
        try:
            conn = socket.create_connection(("127.0.0.1", port), timeout=20)
            break
        except OSError:
            time.sleep(0.05)
    if conn is None:
        return out.append("nobody listened")
    try:
        with context.wrap_socket(conn, server_hostname=options.get("host", "good.example")) as s:
            s.sendall(b"hi there")
            out.append(s.recv(100))
    except (OSError, ssl.SSLError) as e:
        out.append(e)


SERVE = """
context.load_cert_chain('good.pem', 'good.key')
listener = context.wrap_socket(plain(), server_side=True)
listener.bind(('0.0.0.0', 8443)); listener.listen(2)
"""


@pytest.mark.parametrize("verified", [False, True])
def test_server(board_tls, certs, verified):
    port, out = hold_port(), []
    thread = threading.Thread(target=client, args=(certs, port, out), kwargs={"cert": "deep"} if verified else {})
    thread.start()
    board_tls(("context.load_verify_locations(cadata=file('root.pem'))\n" if verified else "") + SERVE + """
s, address = listener.accept()
assert type(s) is ssl.SSLSocket and s.version() == 'TLSv1.2'
assert (s.getpeercert(True) is not None) == %r
assert receive(s, 8) == b'hi there'
s.send(b'hello yourself')
s.close(); listener.close()
""" % verified, None, port=1, net={"listen": {"8443": port}},
              files={n: (certs / n).read_text() for n in ("good.pem", "good.key", "root.pem")})
    thread.join(20)
    assert out == [b"hello yourself"]


def test_server_refuses(board_tls, certs):
    port, out = hold_port(), []
    thread = threading.Thread(target=client, args=(certs, port, out))
    thread.start()
    board_tls("context.load_verify_locations(cadata=file('root.pem'))\n" + SERVE + """
raises(OSError, 'sent no certificate', listener.accept)
""", None, port=1, net={"listen": {"8443": port}},
              files={n: (certs / n).read_text() for n in ("good.pem", "good.key", "root.pem")})
    thread.join(20)
    assert isinstance(out[0], ssl.SSLError)


# ---- nothing is left ----


def test_objects_come_and_go(board_tls):
    board_tls("""
import gc
for i in range(30):             # more than there are sockets
    s = dial()
    s.send(b'x'); receive(s, 1)
    s = None
    gc.collect()
held = [dial() for i in range(3)]   # and the run ends with these open
""")
