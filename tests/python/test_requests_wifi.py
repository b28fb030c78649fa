"""adafruit_requests over the native radio, plain and with TLS: all in C. The servers are this computer's."""

import json
import ssl
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from standins import make_certificates  # noqa: E402
from test_requests_server import BIG, OddServer  # noqa: E402

START = """
import time, hashlib, wifi
import adafruit_connection_manager, adafruit_requests
wifi.radio.connect("home", "secret123")
pool = adafruit_connection_manager.get_radio_socketpool(wifi.radio)
session = adafruit_requests.Session(pool, adafruit_connection_manager.get_radio_ssl_context(wifi.radio))
manager = adafruit_connection_manager.get_connection_manager(pool)
URLS = "http://web.test", "https://web.test"
"""


class TlsServer(OddServer):
    """Each handshake begins so many seconds late."""

    def __init__(self, folder, late=0):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.late = late
        super().__init__()

    def serve(self, connection, number):
        time.sleep(self.late)
        with self.context.wrap_socket(connection, server_side=True) as safe:
            super().serve(safe, number)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder, ["web.test", "late.test"])
    return folder


@pytest.fixture
def servers(certificates):
    """Plain, TLS, and TLS with slow handshakes."""
    found = OddServer(), TlsServer(certificates), TlsServer(certificates, late=0.6)
    yield found
    for server in found:
        server.close()


@pytest.fixture
def files(servers, certificates):
    plain, tls, late = servers
    hosts = {"web.test:80": plain.port, "web.test:443": tls.port, "late.test:443": late.port, "wrong.test:443": tls.port}
    return {"network.json": json.dumps({
        "access_points": [{"ssid": "home", "password": "secret123", "rssi": -51}], "outside": False,
        "ca": str(certificates / "ca.pem"), "hosts": {name: f"127.0.0.1:{port}" for name, port in hosts.items()}})}


@pytest.fixture
def wifi(adder, files):
    """Run START and the code; the lines that begin with "- "."""

    def run(code):
        done = adder(START + code, "--board", "adafruit_feather_esp32s3_tft", seconds=60, timeout=120, files=files)
        assert done.code == 0 and "Traceback" not in done.out, done.out + done.err
        return [line[2:] for line in done.out.replace("\r", "").splitlines() if line.startswith("- ")]

    return run


def test_bodies(wifi, servers):
    out = wifi("""
import io
for url in URLS:
    got = session.get(url + "/big").content
    pieces = b"".join(session.get(url + "/chunked").iter_content(777))
    chunked = session.get(url + "/chunked")
    print("-", len(got), chunked.content == got == pieces, chunked.headers["x-late"])
    data = bytes(range(256)) * 300
    print("-", session.post(url + "/echo", data=data).content == data[::-1],
          session.put(url + "/echo", data=io.BytesIO(data)).content == data[::-1])
    print("-", type(session.get(url + "/x").socket).__name__)
    try:
        print(session.get(url + "/cut").content)
    except OSError as error:
        print("-", error.errno)
    print("-", session.get(url + "/once").text, time.sleep(0.1), session.get(url + "/y").text)
print("-", manager.managed_socket_count, manager.available_socket_count)
""")
    assert out == [f"{len(BIG)} True yes", "True True", "Socket", "104", "once None plain",
                   f"{len(BIG)} True yes", "True True", "SSLSocket", "104", "once None plain", "2 2"]
    assert [s.connections for s in servers] == [3, 3, 0]  # a new one after /cut and after /once


def test_certificate_of_another(wifi):
    out = wifi("""
try:
    session.get("https://wrong.test/")
except OSError as error:
    print("-", "name" in str(error) or "host" in str(error), manager.managed_socket_count)
print("-", session.get("https://web.test/").text)
""")
    assert out == ["True 0", "plain"]


def test_asyncio(wifi, libraries, drive):
    """Other tasks run while names are looked up, connections made and TLS agreed on."""
    import shutil
    shutil.copytree(libraries, drive / "lib")
    out = wifi("""
import asyncio
order, ticks = [], 0
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep_ms(5)
async def fetch(url):
    r = await session.get_async(url)
    body = await r.read_async()
    order.append(url)
    return len(body)
async def main():
    asyncio.create_task(tick())
    print("-", await asyncio.gather(fetch("https://late.test/"), fetch("https://web.test/big"),
                                    fetch("http://web.test/slow/200"), fetch("http://web.test/slow/300")))
    print("-", order[-1], ticks > 30)
    for url in "https://wrong.test/", "http://nowhere.test/", "http://127.0.0.1:1/":
        try:
            await fetch(url)
        except OSError as error:
            print("-", type(error).__name__, manager.managed_socket_count)
asyncio.run(main())
""")
    assert out[2:] == ["OSError 4"] * 2 + ["ConnectionRefusedError 4"]
    assert out[:2] == [f"[5, {len(BIG)}, 8, 8]", "https://late.test/ True"]


def test_interrupt(board, files):
    """Ctrl-C ends a wait at once and leaves no connection behind."""
    b = board(START + """
print("- waiting")
try:
    session.get("http://web.test/slow/20000")
except KeyboardInterrupt:
    print("- interrupted", manager.managed_socket_count)
""", "--board", "adafruit_feather_esp32s3_tft", files=files)
    b.expect("- waiting")
    threading.Event().wait(0.3)
    started = time.monotonic()
    b.send("\x03")
    b.expect("- interrupted 0")
    assert time.monotonic() - started < 10
