"""Adder's side of the MQTT rows through adder.mqtt, on a board with native Wi-Fi."""

import time

import wifi
from adder.mqtt import Client

with open("/job.txt") as job:
    port, way, qos, size, count = job.read().split()
port, qos, size, count = int(port), int(qos), int(size), int(count)
TOPIC, WINDOW = "bench/room/temperature", 20
received = started = ended = 0


def on_message(message):
    global received, started, ended
    received += 1
    if received == 1:
        started = time.monotonic_ns()
    if received == count:
        ended = time.monotonic_ns()


if not wifi.radio.connected:
    wifi.radio.connect("bench", "benchbench")
with Client(wifi.radio, "bench.local", port, queue=1 << 20, inbox=1 << 20) as client:
    print("begin")
    time.sleep(0.1)
    if way == "receive":
        client.subscribe(TOPIC, on_message, qos)
        client.wait(lambda: client.granted(TOPIC) is not None)
        print("ready")
        client.wait(lambda: received >= count)
    else:
        payload = b"x" * size
        started = time.monotonic_ns()
        under_way = []
        for _ in range(count):
            publication = client.publish(TOPIC, payload, qos)
            if not publication.done:
                under_way.append(publication)
                if len(under_way) == (WINDOW if qos else 1):  # QoS 0: only what has no room in the queue
                    under_way.pop(0).wait()
        for publication in under_way:
            publication.wait()
        if qos == 0:
            client.publish(TOPIC, payload, 1).wait()
        ended = time.monotonic_ns()
    print("ns", ended - started)
    time.sleep(0.1)
