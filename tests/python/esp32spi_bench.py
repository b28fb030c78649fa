"""What the tests of the native adafruit_esp32spi share: programs run on it and on Adafruit's own, and servers of
this computer that they talk to."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/peers"))
from standins import make_certificates  # noqa: E402, F401

LIBRARIES = ["adafruit_esp32spi", "adafruit_connection_manager", "adafruit_requests"]
SETTINGS = 'CIRCUITPY_WIFI_SSID = "home"\nCIRCUITPY_WIFI_PASSWORD = "secret123"\n'
ACCESS_POINTS = [{"ssid": "home", "password": "secret123", "rssi": -51, "bssid": "02:11:22:33:44:55", "channel": 3},
                 {"ssid": "cafe", "rssi": -70, "channel": 11},
                 {"ssid": "old", "rssi": -80, "channel": 1, "security": "wep", "password": "abcde"},
                 {"ssid": "office", "security": "enterprise", "username": "ann", "password": "s3cret", "rssi": -60}]

START = """
import time, errno
import board, busio
from digitalio import DigitalInOut
from adafruit_esp32spi import adafruit_esp32spi
import adafruit_esp32spi.adafruit_esp32spi_socketpool as socketpool

spi = busio.SPI(board.SCK, board.MOSI, board.MISO)
pins = [DigitalInOut(p) for p in (board.ESP_CS, board.ESP_BUSY, board.ESP_RESET, board.ESP_GPIO0)]
esp = adafruit_esp32spi.ESP_SPIcontrol(spi, *pins)
pool = socketpool.SocketPool(esp)

def join():
    esp.connect_AP("home", "secret123")

def tries(what, f, *args, **kw):
    try:
        print(what, f(*args, **kw))
    except Exception as error:
        args = error.args[:1] if isinstance(error.args[0], int) else error.args     # no text of a number
        print(what, "raised", type(error).__name__, args)
"""


@pytest.fixture(scope="session")
def libraries(program, tmp_path_factory):
    """The lib folder with the peers, brought once."""
    folder = tmp_path_factory.mktemp("libraries")
    subprocess.run([program, "lib", "add", "--project", folder, *LIBRARIES], check=True, timeout=300,
                   stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    return folder / "lib"


@pytest.fixture
def run(adder, libraries, drive, tmp_path):
    """Run START and the code with the native module or without: (the lines it printed, its report on the chip)."""

    def go(code, native, *options, network=None, seconds=40, start=START):
        settings = {"access_points": ACCESS_POINTS, "outside": False, "speed": 10, **(network or {})}
        shutil.copytree(libraries, drive / "lib", dirs_exist_ok=True)
        report = tmp_path / f"report-{native}.json"
        done = adder(start + code, *options, *([] if native else ["--no-native"]), "--report", str(report),
                     seconds=seconds, timeout=150,
                     files={"settings.toml": SETTINGS, "network.json": json.dumps(settings)})
        assert done.code == 0 and "Traceback" not in done.out, done.out + done.err
        lines = done.out.partition("code.py output:\n")[2].partition("\nCode done running.")[0].splitlines()
        written = json.loads(report.read_text())
        return lines, {**written["chips"]["wifi"], "log": [event["text"] for event in written["events"]]}

    return go


@pytest.fixture
def same(run):
    """Both print the same; the lines."""

    def go(code, *options, **more):
        theirs, _ = run(code, False, *options, **more)
        ours, _ = run(code, True, *options, **more)
        assert ours == theirs
        return ours

    return go


@pytest.fixture
def native(run):
    return lambda code, *options, **more: run(code, True, *options, **more)[0]


@pytest.fixture
def v3(native):
    """With firmware 3.3.0, which Adafruit's library partly misreads."""
    return lambda code, *options, **more: native(code, "--chip", "wifi.firmware=3.3.0", *options, **more)


# --- the other side ---


def echo_server(reply=lambda data: data[::-1], count=1, tls=None, size=1):
    """Answers each connection once it has sent `size` bytes; (port, what it was sent)."""
    server = socket.create_server(("127.0.0.1", 0))
    heard = []

    def serve():
        for _ in range(count):
            c, _ = server.accept()
            with tls.wrap_socket(c, server_side=True) if tls else c as c:
                data = c.recv(4000)
                while len(data) < size:
                    data += c.recv(4000)
                heard.append(data)
                answer = reply(data)
                for piece in answer if isinstance(answer, list) else [answer]:
                    time.sleep(piece) if isinstance(piece, float) else c.sendall(piece)
                try:
                    c.recv(1)  # until the other side has closed
                except ConnectionResetError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1], heard


def ask(port, question=b"what?", answers=None, tries=200):
    for _ in range(tries):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as c:
                c.sendall(question)
                answers.append((c.getsockname()[1], c.recv(100)))
            return
        except ConnectionRefusedError:
            threading.Event().wait(0.1)


BODY = bytes(i * 7 % 251 for i in range(20_000))


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(b"hi" if self.path == "/hi" else BODY)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"]))[::-1])


def pages(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
