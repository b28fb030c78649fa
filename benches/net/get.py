"""Adder's side of the HTTP rows: `requests` on a board with native Wi-Fi."""

import time

import adafruit_connection_manager
import adafruit_requests
import wifi

with open("/job.txt") as job:
    port, path, count = job.read().split()

if not wifi.radio.connected:
    wifi.radio.connect("bench", "benchbench")
session = adafruit_requests.Session(adafruit_connection_manager.get_radio_socketpool(wifi.radio))
url = f"http://bench.local:{port}{path}"


def fetch():
    with session.get(url) as response:
        return len(response.content)


fetch()
times, size = [], 0
for _ in range(5):
    started = time.monotonic_ns()
    for _ in range(int(count)):
        size = fetch()
    times.append(time.monotonic_ns() - started)
print("ns", sorted(times)[2] // int(count), size)
