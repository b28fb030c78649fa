"""adder.mqtt beside asyncio: callbacks come without being asked for, whoever awaits something is woken."""

import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_mqtt import BOARDS, broker, run  # noqa: E402, F401


@BOARDS
def test_callbacks_without_awaiting_the_client(run, board):  # noqa: F811
    out = run("""
async def main():
    c = Client(radio, "broker.test")
    c.on_connect = lambda c: print("- on", c.connected)
    c.on_disconnect = lambda c: print("- off")
    c.on_message = lambda m: print("- other", m.text)
    got = []
    c.subscribe("a/#", lambda m: got.append(m.text))
    c.subscribe("b")
    c.start()
    while not c.connected:
        await asyncio.sleep(0.01)
    for i in range(5):
        c.publish("a/%d" % i, i, qos=i % 3)
    c.publish("b", "x")
    while len(got) < 5:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    print("-", sorted(got), c.queued)
    c.stop()
    while c.state != "stopped":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    await c.connect_async()
    c.publish("b", "again")
    await asyncio.sleep(0.5)
    c.deinit()
    await asyncio.sleep(0.1)
asyncio.run(main())
""", board=board)
    assert out == ["on True", "other x", "['0', '1', '2', '3', '4'] 0", "off", "on True", "other again", "off"]


def test_nobody_looks_while_nothing_happens(run):  # noqa: F811
    """A task that waits for messages is woken by the pump's news; select.poll does not look now and then."""
    out = run("""
async def main():
    async with Client(radio, "broker.test") as c:
        looks = 0
        poller = asyncio.core._io_queue._poller
        ready = poller._ready
        def count():
            nonlocal looks
            looks += 1
            return ready()
        stream = c.messages("a")
        while c.granted("a") is None:
            await asyncio.sleep(0.01)
        poller._ready = count
        await asyncio.sleep(2)
        print("-", looks < 20)
        c.publish("a", "x")
        print("-", (await stream.__anext__()).text)
asyncio.run(main())
""")
    assert out == ["True", "x"]


def test_an_exception_of_a_callback_is_told_and_the_next_message_comes(run):  # noqa: F811
    out = run("""
def on_a(message):
    print("-", message.text)
    if message.text == "1":
        raise ValueError("oh")
async def main():
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: print("- told", repr(context["exception"])))
    async with Client(radio, "broker.test") as c:
        c.subscribe("a", on_a)
        for i in range(4):
            await c.publish("a", i, qos=1)
        await asyncio.sleep(0.3)
asyncio.run(main())
""")
    assert [line for line in out if line != "told ValueError('oh')"] == ["0", "1", "2", "3"]
    assert out.count("told ValueError('oh')") == 1


def test_a_slow_loop_keeps_the_broker_waiting_and_publishes_go_on(run):  # noqa: F811
    """Messages stay with the broker while a loop has enough of them; acknowledgements come all the same."""
    out = run("""
async def main():
    async with Client(radio, "broker.test", inbox=2048) as c, Client(radio, "broker.test") as other:
        got = []
        async def slow():
            async for message in c.messages("much", qos=1):
                await c.publish("echo", message.text[:3], qos=1)
                got.append(int(message.text[:3]))
                if len(got) == 300:
                    return
        task = asyncio.create_task(slow())
        while c.granted("much") is None:
            await asyncio.sleep(0.01)
        most = 0
        for i in range(300):
            await other.publish("much", "%03d" % i + "." * 50, qos=1)
            most = max([most] + [len(s._messages) for s in c._streams])
        await task
        print("-", got == list(range(300)), most <= 128, c.dropped)
asyncio.run(main())
""")
    assert out == ["True True 0"]


def test_what_finds_the_pump_busy_is_done_in_its_order(run):  # noqa: F811
    """A step of a handshake has the pump for milliseconds: nobody waits for it, and nothing is lost or overtaken."""
    out = run("""
class Busy:
    def __init__(self, core):
        self.core, self.calls, self.refused = core, 0, 0
    def __getattr__(self, name):
        return getattr(self.core, name)
    def refuses(self, may_wait):
        self.calls += 1
        refused = not may_wait and self.calls % 5 < 3
        self.refused += refused
        return refused
    def publish(self, *a):
        return -1 if self.refuses(a[-1]) else self.core.publish(*a)
    def subscribe(self, *a):
        return None if self.refuses(a[-1]) else self.core.subscribe(*a)
    def unsubscribe(self, *a):
        return not self.refuses(a[-1]) and self.core.unsubscribe(*a)
    def stop(self, *a):
        return not self.refuses(a[-1]) and self.core.stop(*a)
async def main():
    c = Client(radio, "broker.test")
    c._core = busy = Busy(c._core)
    await c.connect_async()
    got, other = [], []
    c.subscribe("a", lambda m: got.append(int(m.text)))
    for begin in range(0, 100, 25):  # no more than the queue has room for
        for p in [c.publish("a", i, qos=1) for i in range(begin, begin + 25)]:
            await p
    c.subscribe("b", other.append)
    c.unsubscribe("b")
    await c.publish("b", "unheard", qos=1)
    while len(got) < 100:
        await asyncio.sleep(0.01)
    c.stop()
    while c.state != "stopped":
        await asyncio.sleep(0.01)
    print("-", got == list(range(100)), len(other), busy.refused > 100, c._late)
    c.deinit()
asyncio.run(main())
""")
    assert out == ["True 0 True []"]


def test_it_lives_through_a_second_run_a_cancelled_wait_and_a_deinit_in_a_callback(run):  # noqa: F811
    out = run("""
c = Client(radio, "broker.test")
async def first():
    await c.connect_async()
    c.subscribe("a", lambda m: print("-", m.text))
    await c.publish("a", "first", qos=1)
    await asyncio.sleep(0.2)
async def second():
    stream = c.messages("never")
    task = asyncio.create_task(stream.__anext__())
    await asyncio.sleep(0.05)
    task.cancel()
    await c.publish("a", "second", qos=1)
    await asyncio.sleep(0.2)
    c.subscribe("end", lambda m: (print("- ends"), c.deinit()))
    c.publish("end")
    try:
        async for message in stream:
            print("- no")
    finally:
        print("- stream over")
    await asyncio.sleep(0.1)
asyncio.run(first())
asyncio.run(second())
asyncio.new_event_loop()
print("- over")
""")
    assert out == ["first", "second", "ends", "stream over", "over"]


def test_a_publication_awaited_through_a_restart_of_the_broker(run, broker, tmp_path):  # noqa: F811
    def outage():
        while b"SUBSCRIBE" not in (tmp_path / "mosquitto" / "log").read_bytes():
            time.sleep(0.05)
        broker.process.terminate()
        broker.process.wait(10)
        time.sleep(0.5)
        broker.process = subprocess.Popen(["mosquitto", "-c", tmp_path / "mosquitto" / "mosquitto.conf"],
                                          stderr=subprocess.DEVNULL)

    thread = threading.Thread(target=outage)
    thread.start()
    out = run("""
async def main():
    async with Client(radio, "broker.test") as c:
        turns = 0
        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)
        counting = asyncio.create_task(count())
        c.subscribe("back", lambda m: print("-", m.text))
        while c.connected:
            await asyncio.sleep(0.01)
        before = turns
        many = [c.publish("back", i, qos=1) for i in range(40)]
        for p in many:
            await p
        while c.queued:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        counting.cancel()
        print("-", c.connects, all(p.done for p in many), turns > before + 100)
asyncio.run(main())
""")
    thread.join()
    assert sorted(out[:-1], key=int) == [str(i) for i in range(40)] and out[-1] == "2 True True"
