"""The MQTT rows' peer: Adafruit's MiniMQTT in CPython, on CPython's sockets. Its publish() waits for PUBACK, so one message
of QoS 1 is on its way at a time; of QoS 2 it knows nothing."""

import socket
import sys
import time

import adafruit_minimqtt.adafruit_minimqtt as MQTT

port, way, qos, size, count = sys.argv[1:]
port, qos, size, count = int(port), int(qos), int(size), int(count)
TOPIC = "bench/room/temperature"
received = started = ended = cpu = 0


def begin():
    global started, cpu
    started, cpu = time.monotonic_ns(), time.process_time_ns()


def end():
    global ended, cpu
    ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu


def on_message(client, topic, message):
    global received
    received += 1
    if received == 1:
        begin()
    if received == count:
        end()


mqtt = MQTT.MQTT(broker="127.0.0.1", port=port, socket_pool=socket, use_binary_mode=True, socket_timeout=0.1)
mqtt.on_message = on_message
mqtt.connect()
mqtt._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if way == "receive":
    mqtt.subscribe(TOPIC, qos)
    print("ready", flush=True)
    while received < count:
        mqtt.loop(0.1)
else:
    payload = b"x" * size
    begin()
    for _ in range(count):
        mqtt.publish(TOPIC, payload, qos=qos)
    if qos == 0:
        mqtt.publish(TOPIC, payload, qos=1)
    end()
print("ns", ended - started, "cpu_us", cpu // 1000, flush=True)
mqtt.disconnect()
