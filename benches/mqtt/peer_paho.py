"""The MQTT rows' peer: paho-mqtt for Python. Without its thread: publish() then writes to the socket itself, and no thread
waits for another, which is faster."""

import socket
import sys
import time

import paho.mqtt.client as paho

port, way, qos, size, count = sys.argv[1:]
port, qos, size, count = int(port), int(qos), int(size), int(count)
TOPIC, WINDOW = "bench/room/temperature", 20
received = started = ended = cpu = done = 0
on = subscribed = False


def begin():
    global started, cpu
    started, cpu = time.monotonic_ns(), time.process_time_ns()


def end():
    global ended, cpu
    ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu


def on_connect(client, userdata, flags, reason, properties):
    global on
    on = True


def on_subscribe(client, userdata, mid, reasons, properties):
    global subscribed
    subscribed = True


def on_publish(client, userdata, mid, reason, properties):
    global done
    done += 1


def on_message(client, userdata, message):
    global received
    received += 1
    if received == 1:
        begin()
    if received == count:
        end()


client = paho.Client(paho.CallbackAPIVersion.VERSION2, "paho-python")
client.max_inflight_messages_set(WINDOW)
client.max_queued_messages_set(0)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.on_socket_open = lambda client, userdata, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.connect("127.0.0.1", port)
while not on:
    client.loop()
if way == "receive":
    client.subscribe(TOPIC, qos)
    while not subscribed:
        client.loop()
    print("ready", flush=True)
    while received < count:
        client.loop()
else:
    payload = b"x" * size
    begin()
    if qos == 0:
        for _ in range(count):
            client.publish(TOPIC, payload)
            while client.want_write():  # what did not leave at once
                client.loop()
        last = client.publish(TOPIC, payload, 1)
        while not last.is_published():
            client.loop()
    else:
        client.on_publish = on_publish
        sent = 0
        while done < count:
            while sent < count and sent - done < WINDOW:
                client.publish(TOPIC, payload, qos)
                sent += 1
            client.loop()
    end()
print("ns", ended - started, "cpu_us", cpu // 1000, flush=True)
client.disconnect()
