"""adafruit_ntp, native: over sockets made of Python, and over the simulated co-processor to a server of this
test."""

import json
import shutil
import socket
import struct
import threading
import time

import pytest

# A UDP socket whose answers are made by `answer(request) -> list of datagrams`.
FAKE = """
import struct, time
import adafruit_ntp

NTP = 2208988800
START = 1750000000

def stamp(ns):
    return struct.pack("!II", (ns // 10**9 + NTP) & 0xFFFFFFFF, (ns % 10**9 << 32) // 10**9)

class Clock:
    offset = START * 10**9 - time.monotonic_ns()
    def __call__(self): return time.monotonic_ns() + self.offset
clock = Clock()

def reply(request, first=0x24, stratum=2, poll=4, origin=None, root=0, ref=b"LOCL", at=None, size=48):
    at = clock() if at is None else at
    return (bytes([first, stratum, poll, 0xEC]) + struct.pack("!II", root, 0) + ref + stamp(at)
            + (request[40:48] if origin is None else origin) + stamp(at) + stamp(at))[:size]

class Udp:
    def __init__(self, pool): self.pool, self.queue = pool, []
    def __enter__(self): return self
    def __exit__(self, *args): log.append("exit")
    def settimeout(self, value): log.append(("settimeout", value))
    def sendto(self, data, address):
        log.append(("sendto", len(data), data[0], bytes(data[1:40]) == bytes(39), address))
        self.queue = list(self.pool.answer(bytes(data)))
    def recv_into(self, buf):
        if not self.queue: raise OSError(116)
        data = self.queue.pop(0)
        buf[:len(data)] = data
        return len(data)

class UdpPool(Pool):
    def __init__(self, answer): self.answer = answer
    def getaddrinfo(self, host, port, *rest):
        log.append(("getaddrinfo", host, port))
        return [(2, 2, 0, "", ("10.0.0.9", port))]
    def socket(self, family, kind):
        log.append(("socket", family, kind))
        return Udp(self)

def near(ns, expected): return abs(ns - expected) < 5_000_000
"""


@pytest.fixture
def ntp(native):
    return lambda code, **more: native(FAKE + code, **more)


COMMON = """
ntp = adafruit_ntp.NTP(UdpPool(lambda r: [reply(r)]))
print(ntp.next_sync, near(ntp.utc_ns, clock()))
print(15.9e9 < ntp.next_sync - time.monotonic_ns() <= 16e9)
ntp.utc_ns, ntp.datetime                       # cached
print(len([e for e in log if e[0] == "sendto"]))
print(abs(time.mktime(ntp.datetime) - clock() // 10**9) <= 1, type(ntp.datetime).__name__)
ntp.next_sync = 0
ntp.datetime
for line in shown(): print(line)          # the name is looked up once
ntp = adafruit_ntp.NTP(UdpPool(lambda r: [reply(r, poll=6)]), server="ntp.test", port=1123, tz_offset=-7.5,
                       socket_timeout=3, cache_seconds=3600)
print(abs(time.mktime(ntp.datetime) - (clock() // 10**9 - 27000)) <= 1)
print(3599e9 < ntp.next_sync - time.monotonic_ns() <= 3600e9)
print(log[0], log[2], log[3][:3], log[3][4], log[4])
print(attempt(adafruit_ntp.NTP)[0], attempt(adafruit_ntp.NTP, Pool(), "server")[0], adafruit_ntp.PACKET_SIZE,
      adafruit_ntp.NTP_TO_UNIX_EPOCH)
log.clear()
silent = adafruit_ntp.NTP(UdpPool(lambda r: []))
print(attempt(lambda: silent.utc_ns), attempt(lambda: silent.datetime), silent.next_sync)
for line in shown(): print(line)
class Several(UdpPool):
    def getaddrinfo(self, host, port, *rest):
        log.append(("getaddrinfo", host))
        if host.startswith("no"): raise OSError(-2)
        return [(2, 2, 0, "", (host.upper(), port))]
several = Several(lambda r: [reply(r)] if len(log) % 4 == 0 else [])
ntp = adafruit_ntp.NTP(several, server=["a", "no.1", "b", "A"], port=5, socket_timeout=2)
for turn in range(3):
    ntp.next_sync = 0
    print(attempt(lambda: near(ntp.utc_ns, clock())))
for line in shown(): print(line)
print(attempt(lambda: adafruit_ntp.NTP(several, server=("no.1", "no.2")).utc_ns))
ntp = adafruit_ntp.NTP(Several(lambda r: [reply(r)]), server="a", reresolve_interval=0)
ntp.utc_ns, ntp.utc_ns
ntp.next_sync = 0
ntp.utc_ns
print([e for e in log if e[0] == "getaddrinfo"])
"""


def test_as_adafruits(both):
    out = both(FAKE + COMMON)
    assert out[:4] == ["0 True", "True", "1", "True struct_time"]
    assert "('getaddrinfo', 'ntp.test', 1123) ('settimeout', 3) ('sendto', 48, 35) ('10.0.0.9', 1123) exit" in out
    assert "TypeError TypeError 48 2208988800" in out and "('OSError', ['116']) ('OSError', ['116']) 0" in out
    assert out[-2] == "('OSError', ['NTP: could not resolve any server'])"


def test_replies_are_judged(ntp):
    out = ntp("""
def check(what, *replies, **fields):
    ntp = adafruit_ntp.NTP(UdpPool(lambda r: [x(r) for x in replies] + ([reply(r, **fields)] if fields else [])))
    print(what, attempt(lambda: near(ntp.utc_ns, clock())), log[-1])
wrong = lambda r: reply(r, origin=b"12345678", at=0)
check("zero stamps", lambda r: reply(r)[:32] + bytes(16))
check("stranger first", wrong, wrong, reply)
check("short first", lambda r: b"", reply)
check("only strangers", wrong)
check("not synchronized", leap := (lambda r: reply(r, first=0xE4)))
check("stratum", stratum=16)
check("far", root=0x00040000)
check("sent away", stratum=0, ref=b"DENY")
check("slow down", stratum=0, ref=b"RATE")
check("a client", lambda r: reply(r, first=0x23))
seen = set()
pool = UdpPool(lambda r: seen.add(r[40:48]) or [reply(r)])
for _ in range(3): adafruit_ntp.NTP(pool).utc_ns
print(len(seen), b"\\0" * 8 in seen)
""")
    assert out == [
        "zero stamps ('OSError', ['5', 'NTP server is not synchronized']) exit", "stranger first True exit", "short first True exit", "only strangers ('OSError', ['116']) exit",
        "not synchronized ('OSError', ['5', 'NTP server is not synchronized']) exit",
        "stratum ('OSError', ['5', 'NTP server is not synchronized']) exit",
        "far ('ArithmeticError', ['NTP response is not plausible']) exit",
        "sent away ('OSError', ['5', 'NTP server sends us away']) exit",
        "slow down ('OSError', ['5', 'NTP server sends us away']) exit", "a client ('OSError', ['116']) exit",
        "3 False"]


def test_details(ntp):
    """utc_ns is UTC whatever the zone; a poll of 2^255 s is not believed; the second era of NTP; sockets that are
    no context managers and only have recv()."""
    out = ntp("""
n = adafruit_ntp.NTP(UdpPool(lambda r: [reply(r)]), tz_offset=5)
print(near(n.utc_ns, clock()), abs(time.mktime(n.datetime) - clock() // 10**9 - 18000) <= 1)
n = adafruit_ntp.NTP(UdpPool(lambda r: [reply(r, poll=255)]))
n.utc_ns
print((n.next_sync - time.monotonic_ns()) // 10**9 in (2**17 - 1, 2**17))
n.next_sync = 12.5
print(n.next_sync)
for at in (2085978497, 2085978490, 4000000000, 946684801):
    n = adafruit_ntp.NTP(UdpPool(lambda r: [reply(r, at=at * 10**9 + 250_000_000)]))
    print(near(n.utc_ns, at * 10**9 + 250_000_000), time.mktime(n.datetime) - at)
class Bare:
    def __init__(self, pool): self.pool = pool
    def settimeout(self, value): pass
    def sendto(self, data, address): self.data = self.pool.answer(bytes(data))[0]
    def recv(self, n): return self.data[:n]
    def close(self): log.append("closed")
class BarePool(UdpPool):
    def socket(self, *kind): return Bare(self)
n = adafruit_ntp.NTP(BarePool(lambda r: [reply(r)]))
print(near(n.utc_ns, clock()), log[-1])
class Broken(UdpPool):
    def socket(self, *kind): raise RuntimeError("no socket")
print(attempt(lambda: adafruit_ntp.NTP(Broken(None)).datetime))
""")
    assert out == ["True True", "True", "12", "True 0", "True 0", "True 0", "True 0", "True closed",
                   "('RuntimeError', ['no socket'])"]


def test_over_the_coprocessor(adder, libraries, drive):
    """Adafruit's ESP32SPI as the pool, a server that sends a stranger's reply first."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(60)
    asked = []

    def answer():
        try:
            request, peer = server.recvfrom(512)
        except OSError:
            return
        asked.append(request)
        now = struct.pack("!II", int(time.time()) + 2_208_988_800, 0)
        head = bytes([0x24, 1, 4, 0xEC]) + bytes(8) + b"GPS\0" + now
        server.sendto(head + b"nonsense" + now + now, peer)
        server.sendto(head + request[40:48] + now + now, peer)

    threading.Thread(target=answer, daemon=True).start()
    shutil.copytree(libraries, drive / "lib")
    run = adder("""
import time, board, busio
from digitalio import DigitalInOut
from peer_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
import adafruit_ntp
esp = adafruit_esp32spi.ESP_SPIcontrol(busio.SPI(board.SCK, board.MOSI, board.MISO), DigitalInOut(board.ESP_CS),
                                       DigitalInOut(board.ESP_BUSY), DigitalInOut(board.ESP_RESET))
esp.connect_AP("home", "secret123")
ntp = adafruit_ntp.NTP(adafruit_esp32spi_socketpool.SocketPool(esp), server="ntp.test")
print("time", time.mktime(ntp.datetime))
""", seconds=30, files={"network.json": json.dumps({
        "access_points": [{"ssid": "home", "password": "secret123", "rssi": -51}], "outside": False,
        "hosts": {"ntp.test:123": f"127.0.0.1:{server.getsockname()[1]}"}})})
    server.close()
    assert run.code == 0, run.out + run.err
    (line,) = [x for x in run.out.splitlines() if x.startswith("time ")]
    assert abs(int(line.split()[1]) - time.time()) < 30
    assert len(asked) == 1 and asked[0][0] == 0x23 and len(asked[0]) == 48
