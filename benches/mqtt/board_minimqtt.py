"""Adder's side of the MQTT rows through adafruit_minimqtt, on a board with native Wi-Fi. A program for Adafruit's library
as it is, too; publish() waits for the acknowledgement, so one message is on its way at a time."""

import time

import adafruit_connection_manager
import adafruit_minimqtt.adafruit_minimqtt as MQTT
import wifi

with open("/job.txt") as job:
    port, way, qos, size, count = job.read().split()
port, qos, size, count = int(port), int(qos), int(size), int(count)
TOPIC = "bench/room/temperature"
received = started = ended = 0


def on_message(client, topic, message):
    global received, started, ended
    received += 1
    if received == 1:
        started = time.monotonic_ns()
    if received == count:
        ended = time.monotonic_ns()


if not wifi.radio.connected:
    wifi.radio.connect("bench", "benchbench")
mqtt = MQTT.MQTT(broker="bench.local", port=port, socket_pool=adafruit_connection_manager.get_radio_socketpool(wifi.radio),
                 use_binary_mode=True, socket_timeout=0.1)
mqtt.on_message = on_message
mqtt.connect()
print("begin")
time.sleep(0.1)
if way == "receive":
    mqtt.subscribe(TOPIC, qos)
    print("ready")
    while received < count:
        mqtt.loop(0.1)
else:
    payload = b"x" * size
    started = time.monotonic_ns()
    for _ in range(count):
        mqtt.publish(TOPIC, payload, qos=qos)
    if qos == 0:
        mqtt.publish(TOPIC, payload, qos=1)
    ended = time.monotonic_ns()
print("ns", ended - started)
time.sleep(0.1)
mqtt.disconnect()
