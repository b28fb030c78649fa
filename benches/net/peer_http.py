"""The peers of the HTTP rows, in CPython: http.client, and Adafruit's requests on CPython's sockets."""

import http.client
import socket
import sys
import time

which, port, path, count = sys.argv[1:]
port, count = int(port), int(count)

if which == "http.client":
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def fetch():
        connection.request("GET", path)
        return len(connection.getresponse().read())
else:
    import adafruit_requests

    session = adafruit_requests.Session(socket)

    def fetch():
        with session.get(f"http://127.0.0.1:{port}{path}") as response:
            return len(response.content)

fetch()
times, size = [], 0
for _ in range(5):
    started = time.monotonic_ns()
    for _ in range(count):
        size = fetch()
    times.append(time.monotonic_ns() - started)
print("ns", sorted(times)[2] // count, size)
