"""adafruit_requests, native, against a server that behaves oddly: through the simulated PyPortal's co-processor,
driven by Adafruit's ESP32SPI library from PyPI."""

import hashlib
import json
import shutil
import time

import loopback
import pytest

BIG = bytes(i * 7 % 251 for i in range(100_000))

START = """
import time
import board, busio
from digitalio import DigitalInOut
from peer_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
import adafruit_connection_manager, adafruit_requests

esp = adafruit_esp32spi.ESP_SPIcontrol(
    busio.SPI(board.SCK, board.MOSI, board.MISO),
    DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY), DigitalInOut(board.ESP_RESET))
esp.connect_AP("home", "secret123")
pool = adafruit_esp32spi_socketpool.SocketPool(esp)
session = adafruit_requests.Session(pool, adafruit_connection_manager.create_fake_ssl_context(pool, esp))
manager = adafruit_connection_manager.get_connection_manager(pool)
URL = "http://web.test"

def attempt(function, *args, **kw):
    try:
        return function(*args, **kw)
    except Exception as error:
        return "%s %s <- %s" % (type(error).__name__, error, error.__cause__)
"""


class OddServer(loopback.Server):
    """What it does with a request hangs on the path."""

    def __init__(self):
        self.requests = []  # (connection number, method, path, headers, body)
        super().__init__()

    def serve(self, connection, number):
        with connection.makefile("rwb", 0) as stream:
            while (line := stream.readline()):
                method, path, _ = line.decode().split(" ", 2)
                headers = {}
                while (field := stream.readline().decode().strip()):
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                body = b""
                while len(body) < int(headers.get("content-length", 0)):
                    body += stream.read(int(headers["content-length"]) - len(body))
                self.requests.append((number, method, path, headers, body))
                if self.answer(connection, stream, method, path, body) is False:
                    break

    def answer(self, connection, stream, method, path, body):
        def reply(body, status="200 OK", head=""):
            stream.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body)

        kind = path.split("?")[0].strip("/").split("/")
        if kind[0] == "chunked":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(BIG), 7777):
                piece = BIG[at:at + 7777]
                stream.write(b"%x;ext\r\n%b\r\n" % (len(piece), piece))
            stream.write(b"0\r\nX-Late: yes\r\n\r\n")
        elif kind[0] == "big":
            reply(BIG)
        elif kind[0] == "echo":
            reply(body[::-1], head="X-Method: " + method + "\r\n")
        elif kind[0] == "head":
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif kind[0] == "once":  # says keep-alive, and closes
            reply(b"once")
            return False
        elif kind[0] == "goodbye":
            reply(b"goodbye", head="Connection: close\r\n")
            return False
        elif kind[0] == "loop":
            reply(b"", "302 Found", f"Location: /loop/{int(kind[1]) + 1}\r\n")
        elif kind[0] == "hop":
            reply(b"moved" * 100, "301 Moved", "Location: ../echo\r\n")
        elif kind[0] == "cut":
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            return False
        elif kind[0] == "cutchunk":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this")
            return False
        elif kind[0] == "garbage":
            stream.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return False
        elif kind[0] == "badhead":
            stream.write(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")
        elif kind[0] == "continue":
            stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            reply(b"after 100")
        elif kind[0] == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndrip":
                stream.write(bytes([byte]))
                time.sleep(0.002)
        elif kind[0] == "slow":
            time.sleep(int(kind[1]) / 1000)
            reply(b"slow " + kind[1].encode())
        elif kind[0] == "nothing":
            return False
        else:
            reply(b"plain")
        return True


@pytest.fixture
def server():
    s = OddServer()
    yield s
    s.close()


@pytest.fixture
def esp(adder, libraries, drive, server):
    """Run START and the code natively; the lines that begin with "- "."""

    def run(code, *options, seconds=60):
        shutil.copytree(libraries, drive / "lib", dirs_exist_ok=True)
        done = adder(START + code, *options, seconds=seconds, timeout=seconds + 60, files={"network.json": json.dumps({
            "access_points": [{"ssid": "home", "password": "secret123", "rssi": -51}], "outside": False, "speed": 10,
            "hosts": {"web.test:80": f"127.0.0.1:{server.port}"}})})
        assert done.code == 0 and "Traceback" not in done.out, done.out + done.err
        return [line[2:] for line in done.out.replace("\r", "").splitlines() if line.startswith("- ")]

    return run


def test_bodies(esp, server):
    out = esp("""
import hashlib, io
def digest(data): return hashlib.new("sha256", bytes(data)).digest().hex()
print("-", digest(session.get(URL + "/big").content))
r = session.get(URL + "/chunked")
print("-", digest(r.content), r.headers["x-late"])
print("-", digest(b"".join(session.get(URL + "/chunked").iter_content(5000))))
print("-", digest(session.post(URL + "/echo", data=bytes(range(256)) * 40).content))
print("-", session.put(URL + "/echo", data=io.BytesIO(b"abc" * 3000)).text == "cba" * 3000)
print("-", session.head(URL + "/head").headers, session.delete(URL + "/echo").headers["x-method"])
print("-", session.get(URL + "/continue").text, session.get(URL + "/drip").text)
print("-", manager.managed_socket_count, manager.available_socket_count)
""")
    big = hashlib.sha256(BIG).hexdigest()
    assert out == [big, big + " yes", big, hashlib.sha256((bytes(range(256)) * 40)[::-1]).hexdigest(), "True",
                   "{'content-length': '1000'} DELETE", "after 100 drip", "1 1"]
    assert server.connections == 1


def test_connections(esp, server):
    out = esp("""
print("-", session.get(URL + "/once").text)
time.sleep(0.2)
print("-", session.get(URL + "/a").text)
print("-", session.get(URL + "/goodbye").text, manager.managed_socket_count)
print("-", session.get(URL + "/b").text)
with session.get(URL + "/big") as r: print("-", r.status_code)
print("-", manager.managed_socket_count, session.get(URL + "/c").text)
print("-", attempt(session.get, URL + "/loop/0"))
print("-", session.post(URL + "/hop", data=b"body").text)
print("-", attempt(session.get, URL + "/garbage"))
print("-", attempt(session.get, URL + "/badhead"))
print("-", manager.managed_socket_count, session.get(URL + "/d").text)
""")
    assert out == ["once", "plain", "goodbye 0", "plain", "200", "0 plain",
                   "RuntimeError Too many redirects <- None", "ydob",
                   "OutOfRetries Repeated socket failures <- no data from socket",
                   "RuntimeError Unable to read HTTP response. <- a header line without a colon"
                   ] + out[10:]
    assert out[10] == "0 plain"
    paths = [path for _, _, path, _, _ in server.requests]
    assert paths.count("/a") == 1 and sum(p.startswith("/loop") for p in paths) == 21 and paths.count("/garbage") == 2


def test_broken_off(esp):
    """Adafruit's socket cannot tell a closed connection from a quiet one: its time-out ends the wait."""
    out = esp("""
def brief(path, how):
    r = session.get(URL + path, timeout=1)
    try:
        return how(r)
    except OSError as error:
        return "OSError", error.errno
print("-", brief("/cut", lambda r: r.content), manager.managed_socket_count)
print("-", brief("/cutchunk", lambda r: r.text), manager.managed_socket_count)
print("-", brief("/cut", lambda r: list(r.iter_content(4)) and None))
print("-", attempt(session.get, URL + "/nothing", timeout=1))
print("-", manager.managed_socket_count, session.get(URL + "/x").text)
""")
    assert out == ["('OSError', 116) 0", "('OSError', 116) 0", "('OSError', 116)",
                   "OutOfRetries Repeated socket failures <- [Errno 116] ETIMEDOUT", "0 plain"]


def test_asyncio(esp, server):
    """Other tasks go on while an answer is awaited; answers come as the servers have them."""
    out = esp("""
import asyncio
ticks, order = 0, []
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep_ms(5)
async def fetch(path, **kw):
    r = await session.request_async("GET", URL + path, **kw)
    await r.read_async()
    order.append(path)
    return r.text
async def main():
    asyncio.create_task(tick())
    got = await asyncio.gather(fetch("/slow/600"), fetch("/slow/200"), fetch("/plain"))
    print("-", got, order, ticks > 20)
    r = await session.post_async(URL + "/echo", data="abc")
    print("-", r.status_code, await r.read_async(), r.text, r.socket)
    print("-", manager.managed_socket_count, manager.available_socket_count)
    two = await asyncio.gather(session.get_async(URL + "/one"), session.get_async(URL + "/two"))
    print("-", [await r.read_async() for r in two])
    task = asyncio.create_task(fetch("/slow/5000"))
    await asyncio.sleep_ms(300)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("- cancelled", manager.managed_socket_count, manager.available_socket_count)
    try:
        await fetch("/slow/5000", timeout=0.5)
    except adafruit_requests.OutOfRetries as error:
        print("-", error.__cause__)
asyncio.run(main())
""")
    assert out[0] == "['slow 600', 'slow 200', 'plain'] ['/plain', '/slow/200', '/slow/600'] True"
    assert out[1:3] == ["200 b'cba' cba None", "3 3"]
    assert out[3] == "[b'plain', b'plain']"
    assert out[4:] == ["cancelled 2 2", "[Errno 116] ETIMEDOUT"]
