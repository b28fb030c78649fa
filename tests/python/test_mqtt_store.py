"""adder.mqtt with a store: what is published and not acknowledged survives kill -9, what came with QoS 2 comes once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_minimqtt import FEATHER, Mosquitto, OddBroker, lines_of  # noqa: E402
from test_mqtt import HEAD, broker, run  # noqa: E402, F401

ROOT = Path(__file__).resolve().parent.parent.parent
BOOT = {"boot.py": "import storage\nstorage.remount('/', False)\n"}


@pytest.fixture
def until_killed(program, drive, tmp_path):
    """Run a program and kill it without a warning once it has printed `word`; what it printed."""

    def until_killed(code, word, port):
        (drive / "code.py").write_text(HEAD + code)
        (drive / "boot.py").write_text(BOOT["boot.py"])
        (drive / "network.json").write_text(json.dumps({
            "access_points": [{"ssid": "home", "password": "secret123"}], "outside": False, "speed": 5,
            "hosts": {"broker.test:1883": f"127.0.0.1:{port}"}}))
        process = subprocess.Popen([program, "run", drive, "--headless", "--board", FEATHER, "--for", "60"], cwd=tmp_path,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env={**os.environ, "ADDER_ROOT": str(ROOT)})
        seen = ""
        while word not in seen:
            line = process.stdout.readline().decode()
            assert line, seen
            seen += line
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        return seen

    return until_killed


PUBLISHER = """
c = Client(radio, "broker.test", client_id="me", clean=False, store="/mqtt.log")
c.start()
for i in range(20):
    c.publish("kept/%d" % i, "m%d" % i, qos=1 + i % 2, retain=i == 0)
c.publish("kept/none", "lost", qos=0)
print("-", c.queued)
print("- kill me")
time.sleep(60)
"""


def test_published_without_a_broker_and_killed(until_killed, run, tmp_path, broker):  # noqa: F811
    broker.process.terminate()
    broker.process.wait(10)
    assert "- 21\n" in until_killed(PUBLISHER, "kill me", broker.port).replace("\r", "")
    broker.process = subprocess.Popen(["mosquitto", "-c", tmp_path / "mosquitto" / "mosquitto.conf"],
                                      stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    out = run("""
other = Client(radio, "broker.test").connect()
got = []
other.subscribe("kept/#", got.append, qos=2)
other.wait(lambda: other.granted("kept/#") is not None, 10)
c = Client(radio, "broker.test", client_id="me", clean=False, store="/mqtt.log")
print("-", c.queued)
c.connect()
other.wait(lambda: len(got) == 20, 20)
other.wait(lambda: not other.poll(0.3), 10)
print("-", sorted(m.text for m in got) == sorted("m%d" % i for i in range(20)), sorted(set(m.qos for m in got)))
c.wait(lambda: not c.queued, 10)
c.deinit()
c = Client(radio, "broker.test", client_id="me", clean=False, store="/mqtt.log")
print("-", c.queued)
""", files=BOOT)
    assert out == ["20", "True [1, 2]", "0"]


def test_received_once_over_a_kill(until_killed, run):  # noqa: F811
    """QoS 2: the program is killed between PUBLISH and PUBREL; the broker sends the message again, the program does not
    see it again."""
    message = b"\x00\x03two\x00\x07once"

    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02" + (b"\0\0" if number == 1 else b"\1\0"))
        while broker.read(stream, number)[0] not in (0x30, 0x82):
            pass
        stream.write(bytes([0x34 if number == 1 else 0x3C, len(message)]) + message)
        while broker.read(stream, number)[0] != 0x50:  # PUBREC
            pass
        if number > 1:
            stream.write(b"\x62\x02\x00\x07\x30\x06\x00\x03endx")
        while True:
            broker.read(stream, number)

    server = OddBroker(serve)
    code = """
c = Client(radio, "broker.test", 1883, client_id="me", clean=False, store="/mqtt.log")
c.on_message = lambda m: print("-", m.topic, m.text)
c.subscribe("#", qos=2)
c.connect()
if c.session_present:
    c.publish("knock")
c.poll(5)
c.poll(1)
print("- kill me")
time.sleep(5)
"""
    seen = until_killed(code, "kill me", server.port)
    assert "- two once" in seen
    out = run(code.replace("time.sleep(5)", ""), hosts={"broker.test:1883": server.port}, files=BOOT)
    assert out == ["end x", "kill me"]
    server.close()


HELD = """
got = []
def take(m):
    got.append(m.text)
    print("- took", m.text, m.duplicate)
    if m.text == "1" and not m.duplicate:
        time.sleep(0.5)
        print("- kill me")
        time.sleep(60)
c = Client(radio, "broker.test", client_id="me", clean=False, store="/mqtt.log")
c.subscribe("#", take, qos=2)
c.connect()
while "3" not in got:
    c.poll(5)
print("- rest", c.poll(0.5))
c.deinit()
c = Client(radio, "broker.test", client_id="me", clean=False, store="/mqtt.log")
print("- left", c.poll(0.1))
"""


def test_what_came_and_was_not_told_is_told_after_a_kill(until_killed, run):  # noqa: F811
    """The broker has its answers; the program is killed in the callback of the second message of four."""
    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(b"\x20\x02" + (b"\0\0" if number == 1 else b"\1\0"))
        while broker.read(stream, number)[0] != 0x82:
            pass
        if number == 1:
            for i in range(4):
                stream.write(bytes([0x34 if i % 2 else 0x32, 8]) + b"\0\3two" + bytes([0, 1 + i, 48 + i]))
            while broker.read(stream, number) != (0x50, b"\0\4"):
                pass
            stream.write(b"".join(bytes([0x62, 2, 0, i]) for i in (2, 4)))
        while True:
            broker.read(stream, number)

    server = OddBroker(serve)
    seen = until_killed(HELD, "kill me", server.port)
    assert "- took 0 False" in seen and "- took 2" not in seen
    out = run(HELD, hosts={"broker.test:1883": server.port}, files=BOOT)
    assert out == ["took 1 True", "took 2 True", "took 3 True", "rest 0", "left 0"]
    server.close()


def test_what_can_be_wrong(run):  # noqa: F811
    code = """
def attempt(*a, **k):
    try:
        print("-", Client(radio, "broker.test", *a, **k).state)
    except Exception as e:
        print("-", "OSError" if isinstance(e, OSError) else type(e).__name__, e)
"""
    out = run(code + """
attempt(store="/mqtt.log")
attempt(store="/a/b", store_size=8192)
attempt(store="/mqtt.log", store_size=10000)
attempt(store="/../../x.log")
c = Client(radio, "broker.test", store="/used.log", store_size=8192)
attempt(store="/used.log", store_size=8192)
c.deinit()
attempt(store="/used.log", store_size=8192)
""", files=BOOT)
    assert out == ["stopped", "OSError [Errno 2] No such file/directory", "ValueError store_size must be a multiple of 8192",
                   "stopped", "ValueError store: /used.log is in use", "stopped"]
    assert run(code + 'attempt(store="/mqtt.log")', files={"boot.py": ""}) == ["OSError [Errno 30] Read-only filesystem"]
