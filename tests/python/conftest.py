"""What tests of the native libraries share: Adafruit's own from PyPI, and sockets made of Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = ["adafruit_connection_manager", "adafruit_requests", "adafruit_ntp", "adafruit_esp32spi", "asyncio", "neopixel",
             "adafruit_touchscreen", "adafruit_adt7410"]

# A pool and sockets as programs and test benches make them. What happens to them is in `log`.
FAKES = '''
log = []

class Socket:
    number, answered = 0, 1

    def __init__(self, script):
        Socket.number += 1
        self.name = "s%d" % Socket.number
        self.reply, self.connect_error, self.sent = script.get("reply", b""), script.get("connect"), b""
        self.later = list(script.get("later", ()))  # one reply for each further request
        self.send_error, self.recv_error, self.most = script.get("send"), script.get("recv"), script.get("most", 10**9)
        if script.get("only_recv"):
            self.recv = self._recv
        else:
            self.recv_into = self._recv_into
            if script.get("recv_too"):
                self.recv = self._recv

    def settimeout(self, value):
        log.append((self.name, "settimeout", value))

    def connect(self, *address):
        log.append((self.name, "connect") + address)
        if self.connect_error:
            raise self.connect_error

    def send(self, data):
        if self.send_error:
            raise self.send_error
        n = min(len(data), self.most)
        self.sent += bytes(data[:n])
        return n

    def _take(self, n):
        if not self.reply and self.recv_error:
            raise self.recv_error
        if self.later and not self.reply and self.sent.count(b" HTTP/1.1") > self.answered:
            self.reply = self.later.pop(0)
            self.answered += 1
        n = min(n, self.most)
        data, self.reply = self.reply[:n], self.reply[n:]
        return data

    def _recv(self, n):
        return self._take(n)

    def _recv_into(self, buf, n=0):
        data = self._take(n or len(buf))
        buf[:len(data)] = data
        return len(data)

    def close(self):
        log.append((self.name, "close"))

class Pool:
    AF_INET, SOCK_STREAM, SOCK_DGRAM = 2, 1, 2

    def __init__(self, *scripts):
        self.scripts, self.sockets = list(scripts), []

    def getaddrinfo(self, host, port, *rest):
        log.append(("getaddrinfo", host, port) + rest)
        return [(2, 1, 0, "", ("10.0.0.1", port))]

    def socket(self, *kind):
        log.append(("socket",) + kind)
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        self.sockets.append(Socket(script))
        return self.sockets[-1]

class Context:
    def wrap_socket(self, socket, server_hostname=None):
        log.append((socket.name, "wrap", server_hostname))
        return socket

def attempt(function, *args, **kw):
    """What a call came to, in words that are the same for every implementation."""
    try:
        result = function(*args, **kw)
        return getattr(result, "name", result)
    except Exception as error:
        return type(error).__name__, [str(a) for a in error.args]

def shown():
    lines = [repr(entry) for entry in log]
    log.clear()
    return lines
'''


@pytest.fixture(scope="session")
def libraries(program, tmp_path_factory):
    """A lib folder with Adafruit's libraries, brought once; and its driver of the ESP32 also as `peer_esp32spi`,
    which is Python whatever the firmware has under the library's own name."""
    folder = tmp_path_factory.mktemp("libraries")
    subprocess.run([program, "lib", "add", "--project", folder, *LIBRARIES], check=True, timeout=300,
                   stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    lib = folder / "lib"
    shutil.copytree(lib / "adafruit_esp32spi", lib / "peer_esp32spi")
    for file in (lib / "peer_esp32spi").glob("*.py"):
        file.write_text(file.read_text().replace("from adafruit_esp32spi", "from peer_esp32spi")
                        .replace("import adafruit_esp32spi.", "import peer_esp32spi."))
    return lib


@pytest.fixture
def native(adder):
    """Run FAKES and the code with the native modules; what it printed between its first line and the end."""
    return lambda code, *options, **more: _printed(adder(FAKES + code, *options, **more))


@pytest.fixture
def both(adder, libraries, drive):
    """The same program natively and on Adafruit's libraries: the native output, after the two were found
    alike."""

    def run(code, *options, **more):
        ours = _printed(adder(FAKES + code, *options, **more))
        shutil.copytree(libraries, drive / "lib", dirs_exist_ok=True)
        theirs = _printed(adder(FAKES + code, *options, "--no-native", **more))
        assert ours == theirs
        return ours

    return run


def _printed(run):
    assert run.code == 0 and "Traceback" not in run.out, run.out + run.err
    text = run.out.replace("\r", "").partition("code.py output:\n")[2]
    return text.partition("\nCode done running.")[0].splitlines()
