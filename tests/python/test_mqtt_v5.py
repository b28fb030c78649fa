"""adder.mqtt and what MQTT 5.0 adds: with mosquitto, and with a broker of Python that shows the bytes."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_minimqtt import odd  # noqa: E402, F401
from test_mqtt import broker, run  # noqa: E402, F401


def test_properties_of_messages_both_ways(run):  # noqa: F811
    out = run("""
c = Client(radio, "broker.test", version=5).connect()
got = []
c.subscribe("p/#", got.append, qos=2)
c.publish("p/all", "{}", qos=2, user_properties=[("a", "1"), ("a", "zwei \\u00fc"), ("", "")], content_type="text/json",
          response_topic="r/1", correlation_data=b"\\x00\\xff", message_expiry=100, payload_is_text=True).wait(10)
c.publish("p/none", b"\\xff", qos=1).wait(10)
c.wait(lambda: len(got) == 2, 10)
for m in got:
    print("-", m.topic, m.user_properties, m.content_type, m.response_topic, m.correlation_data, m.message_expiry,
          m.payload_is_text)
print("-", got[0], got[0].text, got[0].qos, c.connects)
""")
    assert out == ["p/all [('a', '1'), ('a', 'zwei \u00fc'), ('', '')] text/json r/1 b'\\x00\\xff' 100 True",
                   "p/none [] None None None None False", "Message('p/all', b'{}') {} 2 1"]


def test_what_an_argument_may_be(run):  # noqa: F811
    out = run("""
def attempt(f, *a, **k):
    try:
        print("-", f(*a, **k))
    except Exception as e:
        print("-", type(e).__name__, e)
old = Client(radio, "broker.test")
attempt(old.publish, "a", "x", content_type="t")
attempt(old.publish, "a", "x", user_properties=[("a", "b")])
attempt(old.subscribe, "a", no_local=True)
attempt(old.messages, "a", retain_handling=2)
attempt(Client, radio, "broker.test", session_expiry=5)
attempt(Client, radio, "broker.test", topic_aliases=5)
attempt(Client, radio, "broker.test", user_properties=[("a", "b")])
attempt(Client, radio, "broker.test", auth=("m", bytes))
attempt(Client, radio, "broker.test", will=("w", "", 0, False, {"delay": 5}))
attempt(old.reauthenticate)
new = Client(radio, "broker.test", version=5)
attempt(new.publish, "a", "x", contenttype="t")
attempt(new.publish, "a", "x", content_type=5)
attempt(new.publish, "a", "x", user_properties=[("a",)])
attempt(new.publish, "a", "x", user_properties={"a": "b"})
attempt(new.publish, "a", "x", message_expiry=-1)
attempt(new.publish, "a", "x", message_expiry="1")
attempt(new.publish, "a", "x", correlation_data="text")
attempt(new.publish, "a", "x", content_type="x" * 3000)
attempt(new.publish, "a", "x", delay=5)
attempt(new.subscribe, "a", retain_handling=3)
attempt(new.publish, "a", "x", content_type=None, qos=1)
print("-", new.queued)
""")
    assert out[:9] == [f"ValueError {name} needs version=5" for name in (
        "content_type", "user_properties", "no_local", "retain_handling", "session_expiry", "topic_aliases",
        "user_properties", "auth", "delay")]
    assert out[9].startswith("ValueError reauthenticate() needs auth=")
    assert out[10] == "TypeError unexpected keyword argument 'contenttype'"
    assert out[11] == "TypeError content_type must be str, not int"
    assert out[12] == "ValueError user_properties must be a list of (name, value)" == out[13].replace("Type", "Value")
    assert out[14] == "ValueError message_expiry must be 0-4294967295" and out[15].startswith("TypeError")
    assert out[16].startswith("TypeError") and "all properties together" in out[17]
    assert out[18] == "TypeError unexpected keyword argument 'delay'" and out[19].startswith("ValueError retain_handling")
    assert out[20].startswith("<") and out[21] == "1"


def test_options_of_subscriptions(run):  # noqa: F811
    out = run("""
c = Client(radio, "broker.test", version=5).connect()
c.publish("o/old", "kept", qos=1, retain=True).wait(10)
got = []
def see(name):
    return lambda m: got.append((name, m.text, m.retain))
c.subscribe("o/+", see("plain"))
c.subscribe("o/#", see("others"), no_local=True)
c.subscribe("o/old", see("no retained"), retain_handling=2)
c.subscribe("+/old", see("as published"), retain_as_published=True)
c.wait(lambda: c.granted("+/old") is not None, 10)
c.wait(lambda: not c.poll(0.3), 10)
print("-", sorted(got))
got.clear()
c.publish("o/old", "new", qos=1, retain=True).wait(10)
c.wait(lambda: len(got) == 3, 10)
c.wait(lambda: not c.poll(0.3), 10)
print("-", sorted(got))
c.publish("o/old", "", qos=1, retain=True).wait(10)
""")
    assert out == ["[('as published', 'kept', True), ('others', 'kept', True), ('plain', 'kept', True)]",
                   "[('as published', 'new', True), ('no retained', 'new', False), ('plain', 'new', False)]"]


def test_will_with_properties(run):  # noqa: F811
    out = run("""
watcher = Client(radio, "broker.test", version=5).connect()
watcher.subscribe("will", lambda m: print("-", m.text, m.content_type, m.user_properties))
watcher.wait(lambda: watcher.granted("will") is not None, 10)
mortal = Client(radio, "broker.test", version=5, session_expiry=60, user_properties=[("who", "me")], will=(
    "will", "gone", 1, False, {"delay": 1, "content_type": "t", "user_properties": [("a", "b")]})).connect()
mortal._core.deinit()
watcher.poll(0.5)
print("- waits")
watcher.poll(10)
""")
    assert out == ["waits", "gone t [('a', 'b')]"]


# ---- a broker of Python ----


def props(*pairs):
    body = b"".join(pairs)
    return bytes([len(body)]) + body


def text(id, value):
    return bytes([id]) + len(value).to_bytes(2, "big") + value


def packet(first, body):
    assert len(body) < 128
    return bytes([first, len(body)]) + body


def test_topic_aliases(run, odd):  # noqa: F811
    """Outgoing: a repeated topic gets a number, anew on each connection and for what is sent again; never above the
    broker's maximum. Incoming: announced and resolved."""

    def serve(broker, number, stream):
        broker.read(stream, number)
        stream.write(packet(0x20, b"\0\0" + props(b"\x22\0\x02")))
        while True:
            first, body = broker.read(stream, number)
            if first == 0x82:
                stream.write(packet(0x90, body[:2] + b"\0\0"))
                stream.write(packet(0x30, b"\0\3in1" + props(b"\x23\0\x01") + b"one"))
                stream.write(packet(0x30, b"\0\0" + props(b"\x23\0\x01") + b"two"))
            if first & 0xF6 == 0x32 and len([p for p in broker.packets if p[0] == number and p[1] & 0xF0 == 0x30]) == 8:
                if number == 1:
                    return
                for _, first, body in broker.packets:  # all of it is acknowledged on the second connection
                    if first & 0xF6 == 0x32:
                        at = 2 + int.from_bytes(body[:2], "big")
                        stream.write(packet(0x40, body[at:at + 2]))

    server = odd(serve)
    out = run("""
c = Client(radio, "odd.test", 1883, version=5, topic_aliases=4).connect()
c.subscribe("in1", lambda m: print("-", m.topic, m.text))
c.wait(lambda: c.poll(0.2) == 0 and c.granted("in1") is not None, 10)
for i in range(2):
    for topic in "alpha", "beta", "gamma":
        c.publish(topic, i)
many = [c.publish("alpha", i, qos=1) for i in range(2)]
c.wait(lambda: c.connects == 2, 20)
print("-", c.queued)
""", hosts={"odd.test:1883": server.port})
    assert out == ["in1 one", "in1 two", "2"]
    connect = server.packets[0][2]
    assert b"\x22\0\x04" in connect
    sent = [[(p[2][2:2 + int.from_bytes(p[2][:2], "big")], re.search(rb"\x03\x23\x00([\x01-\x04])", p[2])) for p in server.packets
             if p[0] == n and p[1] & 0xF0 == 0x30] for n in (1, 2)]
    sent = [[(topic, alias and alias[1][0]) for topic, alias in each] for each in sent]
    assert sent[0] == [(b"alpha", None), (b"beta", None), (b"gamma", None), (b"alpha", 1), (b"beta", 2), (b"gamma", None),
                       (b"", 1), (b"", 1)]
    assert sent[1][:2] == [(b"alpha", 1), (b"", 1)]


def test_what_the_broker_says(run, odd):  # noqa: F811
    def serve(broker, number, stream):
        broker.read(stream, number)
        if number == 1:
            stream.write(packet(0x20, b"\0\0" + props(text(0x12, b"given"), text(0x1F, b"welcome"))))
            broker.read(stream, number)
        else:
            stream.write(packet(0x20, b"\0\x9d" + props(text(0x1C, b"other.test"), text(0x1F, b"moved away"))))

    server = odd(serve)
    out = run("""
c = Client(radio, "odd.test", 1883, version=5, client_id="").connect()
print("-", c.client_id, c.server_reference, c.reason_string)
c.deinit()
c = Client(radio, "odd.test", 1883, version=5, client_id="mine", inbox=4096)
try:
    c.connect()
except MQTTError as e:
    print("-", e, e.reason, c.state)
print("-", c.client_id, c.server_reference)
""", hosts={"odd.test:1883": server.port})
    assert out == ["given None welcome", "odd.test refuses: server moved, moved away 157 failed", "mine other.test"]
    connect = [body for _, first, body in server.packets if first == 0x10][-1]
    assert b"\x21\0\x28" in connect and b"\x27\0\0\x0f\xf0" in connect  # receive maximum, longest packet: the inbox's


def test_enhanced_authentication(run, odd):  # noqa: F811
    """Two steps, then once more by reauthenticate(); on a second connection from the start."""

    def serve(broker, number, stream):
        def auth(reason, data):
            stream.write(packet(0xF0, bytes([reason]) + props(text(0x15, b"DOUBLE"), text(0x16, data))))

        broker.read(stream, number)
        auth(0x18, b"first?")
        broker.read(stream, number)
        auth(0x18, b"second?")
        broker.read(stream, number)
        stream.write(packet(0x20, b"\0\0" + props(text(0x15, b"DOUBLE"), text(0x16, b"ok"))))
        broker.read(stream, number)
        if number == 1:
            auth(0x18, b"again?")
            broker.read(stream, number)
            auth(0, b"fine")
        broker.read(stream, number)

    server = odd(serve)
    code = """
said = []
def word(data):
    said.append(data)
    print("-", data)
    return b"" if data == b"second?" else b"begin" if data is None else b"to " + data
"""
    out = run(code + """
c = Client(radio, "odd.test", 1883, version=5, auth=("DOUBLE", word), user_properties=[("u", "v")]).connect()
print("- connected")
c.reauthenticate()
c.wait(lambda: b"fine" in said, 10)
c.publish("a", "cuts", qos=1)
c.wait(lambda: c.connects == 2 and said[-1] == b"ok", 20)
""", hosts={"odd.test:1883": server.port})
    each = ["None", "b'first?'", "b'second?'"]
    assert out == each + ["connected", "b'ok'", "None", "b'again?'", "b'fine'"] + each + ["b'ok'"] or \
        out == each + ["b'ok'", "connected", "None", "b'again?'", "b'fine'"] + each + ["b'ok'"]
    sent = [p[2] for p in server.packets if p[0] == 1]
    assert text(0x15, b"DOUBLE") + text(0x16, b"begin") in sent[0] and b"\x26\0\x01u\0\x01v" in sent[0]
    assert sent[1][0] == 0x18 and sent[1].endswith(text(0x16, b"to first?")) and sent[2].endswith(text(0x16, b""))
    assert sent[3][0] == 0x19 and sent[4][0] == 0x18
    out = run(code + """
async def main():
    async with Client(radio, "odd.test", 1883, version=5, auth=("DOUBLE", word)) as c:
        print("- connected", c.connected)
asyncio.run(main())
""", hosts={"odd.test:1883": server.port})
    assert "connected True" in out
