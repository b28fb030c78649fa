"""adder.mqtt: the client that stays connected, against mosquitto, on the PyPortal and on native Wi-Fi."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_minimqtt import FEATHER, START, Mosquitto, lines_of  # noqa: E402

HEAD = START.partition("import adafruit_connection_manager")[0] + """
import asyncio
from adder.mqtt import Client, MQTTError
"""
BOARDS = pytest.mark.parametrize("board", ["pyportal", FEATHER])


@pytest.fixture
def broker(tmp_path):
    server = Mosquitto(tmp_path / "mosquitto")
    yield server
    server.close()


@pytest.fixture
def run(adder, broker):
    def run(code, *options, board=FEATHER, hosts=None, ca=None, files=None):
        all_hosts = {"broker.test:1883": broker.port, "secret.test:1883": broker.secret, **(hosts or {})}
        on_drive = {**(files or {}), "network.json": json.dumps({
            "access_points": [{"ssid": "home", "password": "secret123"}], "outside": False, "speed": 5,
            **({"ca": ca} if ca else {}),
            "hosts": {name: f"127.0.0.1:{port}" for name, port in all_hosts.items()}})}
        return lines_of(adder(HEAD + code, "--board", board, *options, files=on_drive, seconds=60,
                              timeout=120))

    return run


@BOARDS
def test_callbacks_and_qos(run, board):
    out = run("""
with Client(radio, "broker.test") as c:
    print("-", c.connected, c.state, c.error, c.connects)
    c.on_message = lambda m: print("- other", m.topic, m.payload)
    c.subscribe("m/+/set", lambda m: print("- set", m.topic, m.text, m.qos, m.retain), qos=2)
    c.subscribe("n")
    for qos in range(3):
        c.publish("m/x/set", qos, qos).wait(10)
    c.publish("n", b"\\xff").wait()
    c.wait(lambda: c.granted("n") is not None, 10)
    print("-", c.granted("n"), c.granted("m/+/set"), c.granted("never"))
    c.poll(0.5)
    while c.poll(0.2): pass
    c.unsubscribe("n")
    c.publish("n", "unheard", qos=1).wait(10)
    print("-", c.poll(0.2), c.queued, c.dropped)
print("- over")
""", board=board)
    assert out[0] == "True connected  1"
    assert [line for line in out if line.startswith("set")] == [f"set m/x/set {q} {q} False" for q in range(3)]
    assert "other n b'\\xff'" in out and "1 2 None" in out and out[-2:] == ["0 0 0", "over"]


@BOARDS
def test_async(run, board):
    out = run("""
async def listen(c, n, topic):
    async for message in c.messages(topic):
        print("-", n, message.topic, message.text)
        if message.text == "3":
            return
async def main():
    async with Client(radio, "broker.test", version=5) as c:
        tasks = [asyncio.create_task(listen(c, 1, "a/+/b")), asyncio.create_task(listen(c, 2, "a/#"))]
        await asyncio.sleep(0.1)
        for i in range(4):
            done = await c.publish("a/%d/b" % i, i, qos=1)
            assert done.done
        await asyncio.gather(*tasks)
        print("- reason", (await c.publish("nobody", "x", qos=1)).reason)
asyncio.run(main())
""", board=board)
    for n in "12":
        assert [line for line in out if line.startswith(n)] == [f"{n} a/{i}/b {i}" for i in range(4)]
    assert out[-1] == "reason 16"  # MQTT 5.0: no matching subscribers


def test_comes_back(run, tmp_path, broker):
    """The broker goes away and comes back: connected again, subscribed again, what was published meanwhile is sent."""

    def outage():
        broker.process.terminate()
        broker.process.wait(10)
        time.sleep(1)
        broker.process = subprocess.Popen(["mosquitto", "-c", tmp_path / "mosquitto" / "mosquitto.conf"],
                                          stderr=subprocess.DEVNULL)

    def watch():
        while b"SUBSCRIBE" not in (tmp_path / "mosquitto" / "log").read_bytes():
            time.sleep(0.05)
        outage()

    thread = threading.Thread(target=watch)
    thread.start()
    out = run("""
c = Client(radio, "broker.test")
c.on_connect = lambda c: print("- on")
c.on_disconnect = lambda c: print("- off")
c.connect()
c.subscribe("back", lambda m: print("-", m.text))
c.wait(lambda: not c.connected, 20)
c.poll()
print("-", c.state != "connected")
waiting = [c.publish("back", i, qos=1) for i in range(3)]
print("-", c.queued, [p.done for p in waiting])
for p in waiting:
    p.wait(30)
c.publish("back", "end", qos=1).wait(10)
c.wait(lambda: not c.poll(0.5), 10)
print("-", c.connects, c.queued)
c.deinit()
c.deinit()
""")
    thread.join()
    assert out[:4] == ["on", "off", "True", "3 [False, False, False]"] and out[4] == "on"
    assert out[5:] == ["0", "1", "2", "end", "2 0", "off"]


def test_errors_say_what_is_wrong(run):
    out = run("""
def attempt(f, *a, **k):
    try:
        print("-", f(*a, **k))
    except Exception as e:
        print("-", type(e).__name__, e, getattr(e, "reason", ""))
attempt(Client(radio, "secret.test").connect, 10)
attempt(Client(radio, "secret.test", version=5, username="me", password="wrong").connect, 10)
attempt(Client(radio, "nowhere.test").connect, 0.5)
attempt(Client, 5, "broker.test")
attempt(Client, radio, "")
c = Client(radio, "broker.test")
attempt(c.publish, "a/#", "x")
attempt(c.publish, "", "x")
attempt(c.publish, "a", "x", 3)
attempt(c.publish, "a", "x" * 100000, 1)
attempt(c.subscribe, "a/#/b")
attempt(c.publish("a", "x", 1).wait, 0.1)
c.deinit()
attempt(c.publish, "a", "x")
good = Client(radio, "secret.test", username="me", password="pw").connect()
print("-", good.connected)
""")
    assert out[0].startswith("MQTTError secret.test refuses: ") and out[0].endswith(" 5")  # of 3.1.1
    assert out[1] == "MQTTError secret.test refuses: not authorized 135"
    assert out[2].startswith("TimeoutError MQTT: ")
    assert out[3].startswith("TypeError radio must be wifi.radio") and out[4].startswith("ValueError broker must be")
    assert out[5] == out[6] and out[5].startswith("ValueError Topic must be")
    assert out[7].startswith("ValueError") and out[8].startswith("ValueError The message is longer")
    assert out[9].startswith("ValueError Not a topic filter: a/#/b") and out[10].startswith("TimeoutError MQTT: stopped")
    assert out[11].startswith("ValueError") and out[12] == "True"


def test_more_than_there_is_room_for(run):
    """The inbox is full: nothing is lost, the broker waits. The queue is full: so does the program."""
    out = run("""
got = []
c = Client(radio, "broker.test", inbox=512, queue=512).connect()
c.subscribe("much", lambda m: got.append(m.text), qos=1)
last = None
for i in range(200):
    c.publish("much", "%03d" % i + "." * 40, qos=1).wait(10)
    if i % 50 == 0:
        time.sleep(0.2)
c.wait(lambda: len(got) == 200, 20)
print("-", [int(text[:3]) for text in got] == list(range(200)), c.dropped)
c.publish("much", "x" * 400, qos=1).wait(10)
c.wait(lambda: len(got) == 201, 10)
many = [c.publish("much", "m%d" % i, qos=1) for i in range(100)]
for p in many:
    p.wait(10)
c.wait(lambda: len(got) == 301, 10)
print("-", sorted(got[201:]) == sorted("m%d" % i for i in range(100)), c.queued)
c.deinit()
small = Client(radio, "broker.test", inbox=256).connect()
small.subscribe("big", lambda m: print("-", len(m.text)))
small.publish("big", "x" * 1000, qos=1).wait(10)
small.publish("big", "x" * 10, qos=1).wait(10)
small.wait(lambda: small.dropped, 10)
small.wait(lambda: not small.poll(0.3), 10)
print("-", small.dropped)
""")
    assert out == ["True 0", "True 0", "10", "1"]


def test_qos_0_waits_for_room_too(run):
    """Nothing acknowledges it: room in the queue itself is the news."""
    out = run("""
got = []
c = Client(radio, "broker.test", queue=512).connect()
c.subscribe("much", lambda m: got.append(int(m.text[:3])))
c.wait(lambda: c.granted("much") is not None, 10)
for i in range(300):
    c.publish("much", "%03d" % i + "." * 300).wait(5)
c.wait(lambda: len(got) == 300, 10)
print("-", got == list(range(300)), c.queued)
async def main():
    await c.connect_async()
    got.clear()
    for i in range(300):
        await c.publish("much", "%03d" % i + "." * 300)
    while len(got) < 300:
        await asyncio.sleep(0.01)
    print("-", got == list(range(300)), c.queued)
asyncio.run(main())
""")
    assert out == ["True 0", "True 0"]


def test_messages_while_the_program_computes(run):
    """Keep-alive goes on while nobody calls."""
    out = run("""
c = Client(radio, "broker.test", keep_alive=1).connect()
end = time.monotonic() + 3
while time.monotonic() < end:
    pass
c.poll()
print("-", c.connected, c.connects)
""")
    assert out == ["True 1"]


def test_will(run):
    out = run("""
watcher = Client(radio, "broker.test").connect()
watcher.subscribe("will", lambda m: print("-", m.text))
watcher.wait(lambda: watcher.granted("will") is not None, 10)
mortal = Client(radio, "broker.test", will=("will", "gone")).connect()
mortal._core.deinit()
watcher.poll(5)
""")
    assert out == ["gone"]
