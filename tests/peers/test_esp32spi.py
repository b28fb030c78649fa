"""Adafruit's ESP32SPI library, unmodified from PyPI, drives the simulated co-processor with firmware 1.7.7
and 3.3.0: every way a Wi-Fi client uses it, against servers of this test.

What the library (11.1.4) itself gets wrong is left out, or looked at for one firmware only:

- mac_address, bssid: it turns the octets round, which 3.x no longer sends reversed.
- authmode of a scan: 3.x tells the radio driver's codes, which it shows as UNKNOWN.
- set_digital_read, set_analog_read: it looks at the second digit of the version only, finds "3.3.0" older than
  1.5.0 and refuses.
- set_pin_mode: its 1 for an output is an input to 3.x. PWM needs no mode and is used instead.
- create_AP: it waits for status 7, which 3.x never tells, and raises although the access point is up.
- create_AP's channel is that many zero bytes: 1.x ignores it, 3.x reads 0 and takes channel 1.
- set_certificate, set_private_key: TypeError before any byte is sent (a text is sought in bytes).
- get_remote_data: the port's two bytes are swapped."""

import hashlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from held_port import hold_port  # noqa: E402
from standins import make_certificates  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = ["adafruit_esp32spi", "adafruit_connection_manager", "adafruit_requests"]
SETTINGS = 'CIRCUITPY_WIFI_SSID = "home"\nCIRCUITPY_WIFI_PASSWORD = "secret123"\n'
BODY = bytes(i * 7 % 251 for i in range(100_000))

START = """
import time
from os import getenv
import board, busio
from digitalio import DigitalInOut
from adafruit_esp32spi import adafruit_esp32spi
import adafruit_esp32spi.adafruit_esp32spi_socketpool as socketpool

esp = adafruit_esp32spi.ESP_SPIcontrol(
    busio.SPI(board.SCK, board.MOSI, board.MISO),
    DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY), DigitalInOut(board.ESP_RESET),
    DigitalInOut(board.ESP_GPIO0))
pool = socketpool.SocketPool(esp)

def join():
    esp.connect_AP(getenv("CIRCUITPY_WIFI_SSID"), getenv("CIRCUITPY_WIFI_PASSWORD"))
"""


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(BODY)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"]))[::-1])


def serve(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def libraries(program, tmp_path_factory):
    """The lib folder with the peers, brought once."""
    folder = tmp_path_factory.mktemp("libraries")
    subprocess.run([program, "lib", "add", "--project", folder, *LIBRARIES], check=True, timeout=300,
                   stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    return folder / "lib"


@pytest.fixture(params=["1.7.7", "3.3.0"])
def firmware(request):
    return request.param


@pytest.fixture
def esp(adder, libraries, drive, firmware):
    """Run START and the code on a chip with this firmware; its output."""

    def run(code, *options, network=None):
        settings = {"access_points": [{"ssid": "home", "password": "secret123", "rssi": -51},
                                      {"ssid": "cafe", "rssi": -70, "channel": 11}],
                    "outside": False, "speed": 10, **(network or {})}
        shutil.copytree(libraries, drive / "lib")
        done = adder(START + code, "--no-native", "--chip", f"wifi.firmware={firmware}", *options, seconds=40, timeout=120,
                     files={"settings.toml": SETTINGS, "network.json": json.dumps(settings)})
        assert done.code == 0 and "Traceback" not in done.out, done.out + done.err
        return done.out

    return run


def test_joining(esp, firmware):
    out = esp("""
print("firmware", esp.firmware_version, esp.mac_address.hex(), esp.status)
for ap in esp.scan_networks():
    print("seen", ap.ssid, ap.rssi, ap.channel, ap.authmode)
for ssid, password in (("home", "not-it-at-all"), ("nowhere", "whatever1")):
    try:
        esp.connect_AP(ssid, password, timeout_s=2)
    except ConnectionError as error:
        print("refused", ssid, error.args[0])
join()
print("joined", esp.ipv4_address, esp.ap_info.ssid, esp.ap_info.rssi, esp.ap_info.authmode, esp.status)
print("resolved", esp.pretty_ip(esp.get_host_by_name("web.test")))
try:
    esp.get_host_by_name("elsewhere.test")
except ConnectionError as error:
    print("unresolved", error)
print("ping", 0 < esp.ping("192.168.1.1") < 1000)
while True:
    try:
        print("time", esp.get_time()[0] // 3600)
        break
    except OSError:
        time.sleep(0.1)
esp.set_hostname("peer")
esp.set_analog_write(26, 0.5)
if esp.firmware_version < "3":
    esp.set_pin_mode(26, 1)
    print("pins", esp.set_digital_read(4), esp.set_analog_read(36))
esp.disconnect()
print("left", esp.status)
""", network={"hosts": {"web.test": "127.0.0.9"}, "time": 1750000000})
    differing = {
        "1.7.7": ("firmware 1.7.7 240ac4adde01 0", "seen home -51 1 WPA2", "seen cafe -70 11 OPEN",
                  "refused nowhere Failed to connect to ssid", "pins False 0"),
        "3.3.0": ("firmware 3.3.0 01deadc40a24 254", "seen home -51 1 UNKNOWN", "seen cafe -70 11 UNKNOWN",
                  "refused nowhere No such ssid"),
    }[firmware]
    for line in (*differing, "refused home Failed to connect to ssid",
                 "joined 192.168.1.47 home -51 WPA2 3", "resolved 127.0.0.9",
                 "unresolved Failed to request hostname", "ping True", f"time {1750000000 // 3600}", "left 6"):
        assert line in out.splitlines(), out


def test_enterprise(esp, firmware):
    out = esp("""
for user, password in (("ann", "wrong"), ("bob", "s3cret"), ("ann", "s3cret")):
    esp.reset()
    esp.wifi_set_network(b"office")
    esp.wifi_set_entidentity(b"anon")
    esp.wifi_set_entusername(user.encode())
    esp.wifi_set_entpassword(password.encode())
    esp.wifi_set_entenable()
    time.sleep(1)
    print("office", user, password, esp.status)
""", network={"access_points": [{"ssid": "office", "security": "enterprise", "identity": "anon",
                                 "username": "ann", "password": "s3cret"}]})
    for line in ("office ann wrong 6", "office bob s3cret 6", "office ann s3cret 3"):
        assert line in out.splitlines(), out


def test_requests(esp, tmp_path):
    make_certificates(tmp_path / "tls", ["web.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls/server.pem", tmp_path / "tls/server.key")
    plain, tls = serve(), serve(context)
    out = esp("""
import hashlib
import adafruit_connection_manager, adafruit_requests
join()
session = adafruit_requests.Session(pool, adafruit_connection_manager.get_radio_ssl_context(esp))
for url in ("http://web.test/", "https://web.test/"):
    with session.get(url) as answer:
        print("got", url[:5], answer.status_code, hashlib.sha256(answer.content).hexdigest())
    with session.post(url, data="abc" * 500) as answer:
        print("posted", url[:5], answer.text == "cba" * 500)
    session._connection_manager._free_sockets(force=True)
""", network={"hosts": {"web.test:80": f"127.0.0.1:{plain.server_port}",
                        "web.test:443": f"127.0.0.1:{tls.server_port}"},
              "ca": str(tmp_path / "tls/ca.pem")})
    digest = hashlib.sha256(BODY).hexdigest()
    for line in (f"got http: 200 {digest}", f"got https 200 {digest}", "posted http: True", "posted https True"):
        assert line in out.splitlines(), out


def test_udp(esp):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(30)

    def answer():
        data, sender = peer.recvfrom(2000)
        peer.sendto(data[::-1], sender)

    threading.Thread(target=answer, daemon=True).start()
    out = esp("""
join()
with pool.socket(type=pool.SOCK_DGRAM) as s:
    s.settimeout(3)
    s.connect(pool.getaddrinfo("udp.test", 5005)[0][4])
    s.send(bytes(range(200)))
    buffer = bytearray(300)
    n = s.recv_into(buffer)
    print("datagram", n, bytes(buffer[:n]) == bytes(range(199, -1, -1)))
""", network={"hosts": {"udp.test:5005": f"127.0.0.1:{peer.getsockname()[1]}"}})
    assert "datagram 200 True" in out.splitlines()


def ask(request):
    """Connect to a port of this computer until a board serves it; the thread, the list its answer goes to, and
    the port."""
    port = hold_port()
    answers = []

    def go():
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as c:
                    c.sendall(request)
                    c.settimeout(30)
                    answer = b""
                    while more := c.recv(1000):
                        answer += more
                    answers.append(answer)
                return
            except ConnectionRefusedError:
                threading.Event().wait(0.1)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    return thread, answers, port


SERVE = """
server = esp.get_socket()
esp.start_server(80, server)
print("listening", esp.server_state(server))
client = 255
while client == 255:
    client = esp.socket_available(server)
while esp.socket_available(client) == 0:
    pass
print("asked", esp.socket_read(client, 100))
print("status", esp.status)
esp.socket_write(client, b"this")
esp.socket_close(client)
"""


def test_server(esp):
    asking, answers, port = ask(b"what?")
    out = esp("join()\n" + SERVE, network={"listen": {"80": port}})
    asking.join(10)
    assert "listening 1" in out and "asked b'what?'" in out
    assert answers == [b"this"]


def test_access_point(esp, firmware):
    """A program of this computer is the board's guest."""
    asking, answers, port = ask(b"GET / HTTP/1.0")
    out = esp("""
try:
    print("up", esp.create_AP("board", "long-enough", timeout=1))
except OSError as error:
    print("not told", error)
print("address", esp.ipv4_address)
""" + SERVE, network={"listen": {"80": port}})
    asking.join(10)
    expected = {"1.7.7": ("up 7", "address 192.168.4.1", "status 8"),
                "3.3.0": ("not told Unknown error 0xfe", "address 0.0.0.0", "status 254")}[firmware]
    for line in (*expected, "asked b'GET / HTTP/1.0'"):
        assert line in out.splitlines(), out
    assert answers == [b"this"]


def fails_and_comes_back(esp, tmp_path, broken, mended, mended_at, pause):
    """The knobs `broken` are turned while a program asks without end, `mended` at that time; it tries again after a
    pause. Both in seconds."""
    (tmp_path / "faults.json").write_text(json.dumps([
        {"at": 2.5, "chip": "wifi", **broken}, {"at": mended_at, "chip": "wifi", **mended}]))
    out = esp(f"""
join()
print("module there", esp.status)
try:
    while time.monotonic() < 60:
        esp.firmware_version
except (OSError, RuntimeError, ValueError, IndexError) as error:
    print("module gone", type(error).__name__)
time.sleep({pause})
esp.reset()
join()
print("joined", esp.status)
""", "--input", str(tmp_path / "faults.json"))
    lines = [" ".join(line.split()[:2]) for line in out.splitlines() if line.startswith(("module", "joined"))]
    assert lines == ["module there", "module gone", "joined 3"], out


@pytest.mark.parametrize("kind", ["unplug", "stuck", "bit_flip", "reset"])
def test_fails_and_comes_back(esp, tmp_path, kind):
    fails_and_comes_back(esp, tmp_path, {"fault": {"kind": kind, "after": 3}}, {"fault": {"kind": "none"}}, 4.0, 2)


@pytest.mark.parametrize("broken, mended", [
    ({"ready": "low"}, {"ready": "free"}),
    ({"flips": 1000000, "seed": 7}, {"flips": 0}),
    ({"silent": True}, {"silent": False}),
])
def test_its_own_faults(esp, tmp_path, broken, mended):
    """The knobs of this chip, from a timeline. The library waits 10 s for a silent one."""
    fails_and_comes_back(esp, tmp_path, broken, mended, 15.0 if "silent" in broken else 6.0, 4)


def test_late_replies_are_borne(esp, tmp_path):
    (tmp_path / "late.json").write_text(json.dumps([{"at": 0, "chip": "wifi", "late_ms": 1500}]))
    out = esp("""
begun = time.monotonic()
esp.firmware_version
print("late", time.monotonic() - begun >= 1.5)
""", "--input", str(tmp_path / "late.json"))
    assert "late True" in out.splitlines()
