"""adafruit_minimqtt, native: the same programs as on Adafruit's library, against mosquitto; what is mended; and a
broker of Python that behaves oddly. Through the PyPortal's co-processor and the native radio of a Feather ESP32-S3."""

import getpass
import json
import shutil
import socket
import subprocess
import time

import loopback
import pytest
from held_port import hold_port

FEATHER = "adafruit_feather_esp32s3_tft"

START = """
import time
try:
    import wifi
    radio = wifi.radio
    radio.connect("home", "secret123")
except ImportError:
    import board, busio
    from digitalio import DigitalInOut
    from adafruit_esp32spi import adafruit_esp32spi
    radio = adafruit_esp32spi.ESP_SPIcontrol(busio.SPI(board.SCK, board.MOSI, board.MISO),
        DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY), DigitalInOut(board.ESP_RESET))
    radio.connect_AP("home", "secret123")
import adafruit_connection_manager
import adafruit_minimqtt.adafruit_minimqtt as MQTT
pool = adafruit_connection_manager.get_radio_socketpool(radio)

def client(broker="broker.test", **more):
    settings = dict(broker=broker, socket_pool=pool, socket_timeout=0.1, recv_timeout=2, connect_retries=1)
    settings.update(more)
    m = MQTT.MQTT(**settings)
    m.on_connect = lambda c, *a: print("- connected", a)
    m.on_disconnect = lambda c, *a: print("- disconnected", a)
    m.on_publish = lambda c, *a: print("- published", a)
    m.on_subscribe = lambda c, *a: print("- subscribed", a)
    m.on_unsubscribe = lambda c, *a: print("- unsubscribed", a)
    m.on_message = lambda c, *a: print("- message", a)
    return m

def attempt(function, *args, **kw):
    try:
        print("-", function(*args, **kw))
    except Exception as error:
        cause = type(error.__cause__).__name__ if error.__cause__ else ""
        print("-", type(error).__name__, error.args, getattr(error, "code", ""), cause)

def until(m, condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        m.loop(0.1)
"""


def lines_of(run):
    assert run.code == 0 and "Traceback" not in run.out, run.out + run.err
    return [line[2:] for line in run.out.replace("\r", "").splitlines() if line.startswith("- ")]


class Mosquitto:
    def __init__(self, folder):
        self.port, self.secret = hold_port(), hold_port()
        folder.mkdir()
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "me", "pw"], check=True, capture_output=True)
        (folder / "mosquitto.conf").write_text(
            f"user {getpass.getuser()}\nper_listener_settings true\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.secret} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n")
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(["mosquitto", "-v", "-c", folder / "mosquitto.conf"], stderr=self.log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.secret)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise AssertionError("mosquitto does not listen")

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory):
    broker = Mosquitto(tmp_path_factory.mktemp("broker") / "mosquitto")
    yield broker
    broker.close()


class OddBroker(loopback.Server):
    """`talk(broker, number, stream)` says what it does with a connection."""

    def __init__(self, talk):
        self.packets = []  # (connection, first byte, body)
        self.talk = talk
        super().__init__()

    def serve(self, connection, number):
        with connection.makefile("rwb", 0) as stream:
            self.talk(self, number, stream)

    def read(self, stream, number):
        first = stream.read(1)
        if not first:
            raise EOFError
        length = shift = 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
        self.packets.append((number, first[0], body))
        return first[0], body


@pytest.fixture
def odd():
    brokers = []

    def make(serve):
        brokers.append(OddBroker(serve))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()


@pytest.fixture
def run(adder, mosquitto):
    """Run START and the code with the native modules; the lines that begin with "- "."""

    def run(code, *options, board="pyportal", odd=None, **more):
        hosts = {"broker.test:1883": mosquitto.port, "secret.test:1883": mosquitto.secret}
        if odd is not None:
            hosts["odd.test:1883"] = odd.port
        files = {"network.json": json.dumps({
            "access_points": [{"ssid": "home", "password": "secret123"}], "outside": False, "speed": 5,
            "hosts": {name: f"127.0.0.1:{port}" for name, port in hosts.items()}})}
        done = adder(START + code, "--board", board, *options, files=files, seconds=60, timeout=120, **more)
        return lines_of(done)

    return run


@pytest.fixture(scope="session")
def minimqtt(program, tmp_path_factory):
    """A lib folder with Adafruit's MiniMQTT and what it needs."""
    import os
    from pathlib import Path
    folder = tmp_path_factory.mktemp("minimqtt")
    root = Path(__file__).resolve().parent.parent.parent
    subprocess.run([program, "lib", "add", "--project", folder, "adafruit_minimqtt", "adafruit_connection_manager",
                    "adafruit_esp32spi", "adafruit_ticks"], check=True, timeout=300, stdin=subprocess.DEVNULL,
                   capture_output=True, env={**os.environ, "ADDER_ROOT": str(root)})
    return folder / "lib"


@pytest.fixture
def both(run, minimqtt, drive):
    """The same program natively and on Adafruit's libraries: what it printed, after the two were found alike."""

    def both(code):
        ours = run(code)
        shutil.copytree(minimqtt, drive / "lib", dirs_exist_ok=True)
        theirs = run(code, "--no-native")
        shutil.rmtree(drive / "lib")
        assert ours == theirs
        return ours

    return both


# ---- alike ----


def test_a_session(both):
    out = both("""
m = client(user_data="mine")
print("-", m.connect(), m.is_connected())
m.subscribe([("one/a/#", 1), ("one/b", 0)])
m.publish("one/a/x", "hello")
m.publish("one/a/y", 3.5, qos=1)
m.publish("one/b", b"bytes")
m.publish("one/nobody", 1, retain=False, qos=1)
print("-", m.loop(0.5))
print("-", m.ping())
print("-", m.loop(0.2))
m.add_topic_callback("one/a/+", lambda c, *a: print("- plus", a))
m.add_topic_callback("one/a/#", lambda c, *a: print("- hash", a))
m.add_topic_callback("one/a/z", lambda c, *a: print("- exact", a))
m.publish("one/a/z", 7)
m.publish("one/a/b/c", "deep")
m.loop(0.3)
m.remove_topic_callback("one/a/#")
m.publish("one/a/b/c", "")
m.loop(0.3)
m.unsubscribe("one/b")
m.subscribe(("one/c", 1))
print("-", m._subscribed_topics)
print("-", m.reconnect(), m._subscribed_topics)
m.publish("one/c", "x" * 3000, qos=1)
m.loop(0.3)
m.unsubscribe(["one/c", "one/a/#"])
m.disconnect()
print("-", m.is_connected(), m._subscribed_topics)
""")
    assert "published ('mine', 'one/a/y', 2)" in out and "exact ('one/a/z', '7')" in out
    i = out.index("exact ('one/a/z', '7')")
    assert out[i:i + 3] == ["exact ('one/a/z', '7')", "plus ('one/a/z', '7')", "hash ('one/a/z', '7')"]
    assert sum(line.startswith("message ('one/c', 'xxxx") for line in out) == 1


def test_refusals(both):
    out = both("""
for more in (dict(recv_timeout=1, socket_timeout=1), dict(connect_retries=0), dict(password="p" * 65536)):
    attempt(client, **more)
m = client()
attempt(m.publish, "t", "x")
attempt(m.loop)
attempt(m.disconnect)
attempt(m.unsubscribe, "t")
attempt(m.remove_topic_callback, "t")
attempt(m.remove_topic_callback, None)
attempt(m.add_topic_callback, "t", None)
attempt(m.will_set, "a/+", "x")
attempt(m.will_set, "a", None)
attempt(m.will_set, "a", [])
attempt(m.will_set, "a", "x", False, 3)
m.connect()
for topic in ("", None, "a/#", "+", "t" * 65536):
    attempt(m.publish, topic, "x")
for message in (None, bytearray(b"x"), [], m):
    attempt(m.publish, "t", message)
for qos in (3, -1, "1", 1.0):
    attempt(m.publish, "t", "x", False, qos)
    attempt(m.subscribe, "t", qos)
attempt(m.subscribe, "")
attempt(m.will_set, "a", "x")
attempt(m.username_pw_set, "me")
attempt(m.loop, 0.01)
attempt(m.unsubscribe, "never")
m.mqtt_msg = 10
m.mqtt_msg = 268435455
print("-", m.mqtt_msg)
attempt(m.publish, "t", "12345678901")
m.disconnect()
attempt(client("secret.test").connect)
attempt(client("secret.test", username="me", password="wrong").connect)
attempt(client("secret.test", username="me", password="pw").connect)
try:
    client("broker.test", port=9).connect()
except MQTT.MMQTTException as error:  # whose cause is the socket's own, of one driver or the other
    print("-", error.args, isinstance(error.__cause__, OSError))
attempt(client("broker.test", is_ssl=True).connect)
""")
    assert "ValueError ('recv_timeout must be strictly greater than socket_timeout',)  " in out
    assert "MMQTTStateError ('MiniMQTT is not connected', None) None " in out
    assert "MMQTTException ('Connection Refused - Unauthorized', 5) 5 " in out
    assert "connected (None, 0, 0)" in out and out[-1].startswith("ValueError ('ssl_context must be provided")
    assert "('Connect failure', None) True" in out


def test_attributes_and_constants(both):
    out = both("""
m = client(broker="b", client_id="me", keep_alive=7, user_data=5, username="u", password="p", is_ssl=False)
print("-", m.broker, m.port, m.client_id, m.keep_alive, m.user_data, m.session_id, m._username, m._password)
print("-", m._sock, m._subscribed_topics, m._last_msg_sent_timestamp, m._socket_pool is pool, m.mqtt_msg)
print("-", MQTT.MQTT(broker="b", socket_pool=pool, is_ssl=True).port, m.client_id[:3], type(m.logger).__name__)
names = ("MSG_MAX_SZ MSG_SZ_LIM TOPIC_LENGTH_LIMIT TCP_PORT TLS_PORT PINGREQ PINGRESP PUBLISH SUB SUBACK UNSUB "
         "UNSUBACK DISCONNECT PKT_TYPE_MASK").split()
print("-", [getattr(MQTT, "MQTT_" + name) for name in names])
print("-", MQTT.CONNACK_ERRORS, MQTT.CONNACK_ERROR_INCORECT_USERNAME_PASSWORD, MQTT.CONNACK_ERROR_UNAUTHORIZED)
e = MQTT.MMQTTException("text")
s = MQTT.MMQTTStateError("text", code=3)
print("-", e.args, e.code, s.args, s.code, isinstance(s, MQTT.MMQTTException), issubclass(MQTT.MMQTTException, Exception))
m.is_connected = lambda: "mine"
m.anything = 1
print("-", m.is_connected(), m.anything, m._connected())
class Log:
    def getLogger(self, name): print("-", name); return self
    def setLevel(self, level): print("-", level)
    def debug(self, text, *args): pass
    info = warning = error = critical = debug
print("-", type(m.enable_logger(Log())).__name__)
m.disable_logger()
print("-", type(m.logger).__name__, m.logger.debug("x"))
with_attribute = type("Mine", (MQTT.MQTT,), {"extra": lambda self: self.broker + "!"})(broker="x", socket_pool=pool)
print("-", with_attribute.extra(), MQTT.get_connection_manager(pool) is m._connection_manager, MQTT.ticks_ms() > 0)
""")
    assert out[0] == "b 1883 me 7 5 None u p"


def test_matcher(both):
    out = both("""
from adafruit_minimqtt.matcher import MQTTMatcher
m = MQTTMatcher()
for key in "a/b", "a/+", "a/#", "#", "+/b", "+", "a//b", "$SYS/x", "/", "a/b/c/d", "+/+/#":
    m[key] = key
for topic in "a/b", "a", "a/", "a//b", "$SYS/x", "$SYS", "/", "b", "a/b/c/d", "a/b/c/d/e", "x/y/z":
    print("-", topic, list(m.iter_match(topic)))
del m["a/b"]
print("-", m["a/b/c/d"], list(m.iter_match("a/b")))
for key in "a/b", "a", "a/b/c", "nothing":
    attempt(m.__getitem__, key)
    attempt(m.__delitem__, key)
""")
    assert "a/b ['a/b', 'a/+', 'a/#', '+/b', '+/+/#', '#']" in out


def test_will_and_retained(both, mosquitto):
    both("""
w = client(client_id="watcher")
w.connect(session_id="w")
w.subscribe([("will/#", 1)])
m = client(client_id="mortal")
m.will_set("will/gone", "bye")  # with QoS 1 Adafruit's uses up a packet id
m.connect()
m.publish("will/kept", "still here", retain=True, qos=1)
until(w, lambda: False, 0.3)
m._sock.close()
w.loop(1)
late = client(client_id="late")
late.connect(session_id="l")
late.subscribe("will/kept")
late.loop(0.5)
late.publish("will/kept", "", retain=True)
""")


def test_bytes_as_messages(both):
    assert "message ('raw', bytearray(b'\\x00\\xff'))" in both("""
m = client(use_binary_mode=True)
m.connect()
m.subscribe("raw")
m.publish("raw", b"\\x00\\xff")
m.loop(0.5)
""")


def test_sockets_made_of_python(adder, minimqtt, drive):
    """Any object will do: recv_into() or recv(), short reads and writes, a pool with a class `timeout`."""
    code = """
log = []
class Timeout(OSError): pass
class Socket:
    def __init__(self, replies, most, legacy, error):
        self.replies, self.most, self.sent, self.error = bytearray(replies), most, b"", error
        if legacy: self.recv = self._recv
        else: self.recv_into = self._recv_into
    def settimeout(self, value): pass
    def connect(self, where): log.append(where)
    def close(self): log.append("close")
    def send(self, data):
        n = min(len(data), self.most)
        self.sent += bytes(data[:n])
        return n
    def _recv(self, n):
        if not self.replies: raise self.error
        n = min(n, self.most)
        data = bytes(self.replies[:n])
        del self.replies[:n]
        return data
    def _recv_into(self, buf, n=0):
        data = self._recv(n or len(buf))
        buf[:len(data)] = data
        return len(data)
class Pool:
    AF_INET, SOCK_STREAM = 2, 1
    def __init__(self, *args): self.args, self.socks = args, []
    def getaddrinfo(self, host, port, *rest): return [(2, 1, 0, "", ("10.0.0.1", port))]
    def socket(self, *kind):
        self.socks.append(Socket(*self.args))
        return self.socks[-1]
import adafruit_minimqtt.adafruit_minimqtt as MQTT
replies = (b"\\x20\\2\\0\\0" b"\\x90\\3\\0\\1\\1" b"\\x30\\6\\0\\1tabc" b"\\x40\\2\\0\\2" b"\\x32\\7\\0\\1t\\0\\x09xy"
           b"\\xd0\\0" b"\\xb0\\2\\0\\3")
for legacy in False, True:
    for most in 10000, 1, 3:
        for with_timeout in False, True:
            pool = Pool(replies, most, legacy, Timeout("late") if with_timeout else OSError(116))
            if with_timeout: pool.timeout = Timeout
            m = MQTT.MQTT(broker="b", client_id="me", socket_pool=pool, socket_timeout=0.05, recv_timeout=1)
            m.on_message = lambda c, t, msg: print("-", t, msg)
            m.on_publish = lambda c, u, t, pid: print("- published", t, pid)
            m.connect()
            m.subscribe("t", 1)
            m.publish("t", "hello", qos=1)
            print("-", m.ping())
            m.unsubscribe("t")
            m.disconnect()
            print("-", pool.socks[0].sent, log)
            log.clear()
"""
    ours = lines_of(adder(code))
    shutil.copytree(minimqtt, drive / "lib")
    theirs = lines_of(adder(code, "--no-native"))
    assert [line for line in ours if "published" not in line] == [line for line in theirs if "published" not in line]
    assert len(ours) == 12 * 5


# ---- mended ----


@pytest.mark.parametrize("board", ["pyportal", FEATHER])
def test_exactly_once_both_ways(run, board):
    out = run("""
m = client()
m.connect()
m.subscribe("two", 2)
for i in range(3):
    m.publish("two", i, qos=2)
until(m, lambda: False, 0.5)
m.publish("two", "after", qos=0)
print("-", m.loop(0.5))
""", board=board)
    assert [line for line in out if line.startswith("published")] == [
        "published (None, 'two', 2)", "published (None, 'two', 3)", "published (None, 'two', 4)",
        "published (None, 'two', 4)"]
    assert [line for line in out if line.startswith("message")] == [f"message ('two', '{i}')" for i in "012"] + [
        "message ('two', 'after')"]


def test_session_present_and_messages_kept(run):
    out = run("""
m = client(client_id="keeper")
print("-", m.connect(clean_session=False))
m.subscribe("kept", 1)
m.disconnect()
other = client()
other.connect()
other.publish("kept", "while away", qos=1)
print("-", m.connect(clean_session=False, session_id="k"))
m.loop(0.5)
print("-", m.reconnect())
""", board=FEATHER)
    assert out.count("connected (None, 1, 0)") == 1 and "message ('kept', 'while away')" in out
    assert out[1] == "0" and "1" in out and out[-1] == "0"


def test_second_client_deinit_and_username_alone(run, odd):
    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02\x00\x00")
        while True:
            broker.read(stream, number)

    broker = odd(serve)
    out = run("""
a, b = client(), client()
a.connect()
b.connect()
print("-", a.is_connected(), b.is_connected(), a._sock is b._sock)
a.connect()
print("-", a.is_connected())
with a:
    a.disconnect()
a.deinit()
with b:
    pass
client().deinit()
u = client("odd.test", username="just me")
print("-", u.connect())
u.disconnect()
""", odd=broker)
    assert out == ["connected (None, 0, 0)"] * 2 + ["True True False", "connected (None, 0, 0)", "True",
                                                   "disconnected (None, 0)", "disconnected (None, 0)",
                                                   "connected (None, 0, 0)", "0", "disconnected (None, 0)"]
    connect = broker.packets[0][2]
    assert connect[7] == 0x82 and connect.endswith(b"\0\7just me")


@pytest.mark.parametrize("board", ["pyportal", FEATHER])
def test_loop_of_nothing_returns_at_once(run, board):
    out = run("""
m = client(socket_timeout=1, recv_timeout=5)
m.connect()
m.subscribe("now")
before = time.monotonic()
results = [m.loop(0) for i in range(20)]
print("-", set(results), time.monotonic() - before < 0.5)
for i in range(5):
    m.publish("now", i)
end = time.monotonic() + 5
seen = []
while len(seen) < 5 and time.monotonic() < end:
    seen += m.loop(timeout=0) or []
print("-", seen)
""", board=board)
    assert "{None} True" in out and out[-1] == "[48, 48, 48, 48, 48]"


def test_keep_alive_of_none_and_of_one_second(run, mosquitto):
    out = run("""
never, often = client(keep_alive=0), client(keep_alive=1)
never.connect()
often.connect(session_id="2")
before = time.monotonic()
types = []
while time.monotonic() - before < 2.5:
    types.append(never.loop(0.1))
    seen = often.loop(0.1)
    types += seen or []
print("-", set(types) - {None}, never.is_connected(), often.is_connected(), never.ping())
""", board=FEATHER)
    assert out[-1] == "{208} True True [208]"


def test_a_callback_may_call_back(run):
    out = run("""
m = client()
def on_message(c, topic, message):
    print("-", topic, message)
    if topic == "ask":
        c.publish("answer", message + "!", qos=1)
        c.subscribe("more", 1)
        c.publish("more", "m", qos=1)
    if topic == "more":
        c.unsubscribe("more")
        c.disconnect()
m.on_message = on_message
m.connect()
m.subscribe([("ask", 1), ("answer", 1)])
try:
    m.publish("ask", "why", qos=1)
    until(m, lambda: False, 2)
except MQTT.MMQTTStateError as error:  # the calls around the one that disconnects
    print("- ended", error.args[0])
print("-", m.is_connected())
""", board=FEATHER)
    assert "ask why" in out and "answer why!" in out and "more m" in out and out[-1] == "False"


def test_an_exception_of_a_callback_comes_out(run):
    out = run("""
m = client()
def broken(c, topic, message):
    raise KeyError(message)
m.on_message = broken
m.connect()
m.subscribe("err", 1)
m.publish("err", 1)
attempt(m.loop, 2)
print("-", m.is_connected())
m.on_message = lambda c, t, message: print("- fine", message)
m.publish("err", 2, qos=1)
m.loop(0.3)
""", board=FEATHER)
    assert any(line.startswith("KeyError ('1',)") for line in out) and "True" in out and "fine 2" in out


def test_sent_again_after_a_reconnection(run, odd):
    """No PUBACK comes on the first connection: DUP on the second, of the same session; then on_publish."""

    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02" + (b"\0" if number == 1 else b"\1") + b"\0")
        while True:
            first, body = broker.read(stream, number)
            if first & 0xF0 == 0x30 and number == 2:
                stream.write(b"\x40\x02" + body[5:7])

    broker = odd(serve)
    out = run("""
m = client("odd.test", recv_timeout=0.3, client_id="again")
m.connect(clean_session=False)
attempt(m.publish, "abc", "first", qos=1)
print("-", m.is_connected())
m.connect(clean_session=False)
until(m, lambda: False, 0.5)
""", board=FEATHER, odd=broker)
    assert out == ["connected (None, 0, 0)", "MMQTTException ('No data received from broker for 0.3 seconds.', None) None ",
                   "True", "connected (None, 1, 0)", "published (None, 'abc', 1)"]
    publishes = [(n, first, body) for n, first, body in broker.packets if first & 0xF0 == 0x30]
    assert publishes == [(1, 0x32, b"\0\3abc\0\1first"), (2, 0x3A, b"\0\3abc\0\1first")]


def test_late_and_broken_answers(run, odd):
    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02\0\0")
        if number == 1:  # a late SUBACK, then a message
            _, body = broker.read(stream, number)
            time.sleep(0.6)
            stream.write(b"\x90\x03" + body[:2] + b"\0" + b"\x30\x05\0\1tok")
            broker.read(stream, number)
        elif number == 2:  # refused
            _, body = broker.read(stream, number)
            stream.write(b"\x90\x03" + body[:2] + b"\x80")
            broker.read(stream, number)
        elif number == 3:  # a topic longer than its packet
            stream.write(b"\x30\x04\xff\xffab")
            broker.read(stream, number)
        elif number == 4:  # a length of five bytes
            stream.write(b"\x30\xff\xff\xff\xff\x7f")
            broker.read(stream, number)

    broker = odd(serve)
    out = run("""
m = client("odd.test", recv_timeout=0.3)
m.connect()
attempt(m.subscribe, "t")
until(m, lambda: False, 1)
for i in range(4):
    m.connect()
    attempt(m.subscribe, "t") if i == 0 else attempt(m.loop, 1)
    print("-", m.is_connected())
    attempt(m.publish, "t", "x") if i > 0 else None
""", board=FEATHER, odd=broker)
    assert "MMQTTException ('No data received from broker for 0.3 seconds.', None) None " in out
    assert "message ('t', 'ok')" in out and "MMQTTException ('SUBACK Failure for topic t: 0x80', None) None " in out
    broken = [line for line in out if "keep to the protocol" in line]
    assert len(broken) == 2 and any("closed the connection" in line for line in out)
    assert out.count("MMQTTStateError ('MiniMQTT is not connected', None) None ") == 3


def test_a_lost_link_and_reconnect(run, odd):
    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02\0\0")
        while True:
            first, body = broker.read(stream, number)
            if first == 0x82:
                stream.write(b"\x90\x03" + body[:2] + b"\0")
                if number == 1 and b"second" in body:
                    return

    broker = odd(serve)
    out = run("""
m = client("odd.test")
m.connect()
m.subscribe("first")
m.subscribe("second")
attempt(m.loop, 1)
print("-", m.is_connected(), m._subscribed_topics)
print("-", m.reconnect(), m.is_connected(), m._subscribed_topics)
""", board=FEATHER, odd=broker)
    assert out[3].startswith("MMQTTException ('The broker has closed the connection'")
    assert out[4] == "False ['first', 'second']"
    assert out[-1] == "0 True ['second', 'first']" and "disconnected (None, 0)" in out
    assert [b for n, first, b in broker.packets if n == 2 and first == 0x82] == [b"\0\3\0\6second\0",
                                                                               b"\0\4\0\5first\0"]


def test_big_messages(run):
    out = run("""
m = client(recv_timeout=20)
got = []
m.on_message = lambda c, topic, message: got.append(message)
m.connect()
m.subscribe("big", 1)
big = "".join(chr(97 + i % 26) for i in range(300_000))
m.on_publish = None
m.publish("big", big)
m.publish("big", big[::-1], qos=1)
until(m, lambda: len(got) == 2)
print("-", len(got), got[0] == big, got[1] == big[::-1])
""", board=FEATHER)
    assert out[-1] == "2 True True"
