"""The same work as ticks.py in the way that Adafruit's libraries allow: a loop that looks at the clock and does
a small piece of one job after another. `requests` and the connection manager are Adafruit's (--no-native)."""

import time

import adafruit_connection_manager
import adafruit_requests

with open("/job.txt") as job:
    radio, *numbers = job.read().split()
https, brief, dead, seconds = (int(number) for number in numbers)

if radio == "wifi":
    import socketpool
    import ssl
    import wifi

    if not wifi.radio.connected:
        wifi.radio.connect("bench", "benchbench")
    pool = socketpool.SocketPool(wifi.radio)
    context = ssl.create_default_context()
else:
    import board
    from adafruit_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
    from digitalio import DigitalInOut

    esp = adafruit_esp32spi.ESP_SPIcontrol(board.SPI(), DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY),
                                           DigitalInOut(board.ESP_RESET), DigitalInOut(board.ESP_GPIO0))
    esp.connect_AP("bench", "benchbench")
    pool = adafruit_esp32spi_socketpool.SocketPool(esp)
    context = adafruit_connection_manager.get_radio_ssl_context(esp)
brief_tls = radio == "wifi"  # an AirLift has one TLS at a time
session = adafruit_requests.Session(pool, context)
done = {"downloads": 0, "bytes": 0, "reconnects": 0, "given up": 0}
gaps = []


def download():
    while True:
        response = session.get(f"https://bench.local:{https}/ten")
        yield
        for piece in response.iter_content(4096):
            done["bytes"] += len(piece)
            yield
        response.close()
        done["downloads"] += 1
        pause = time.monotonic_ns() + 1000000000
        while time.monotonic_ns() < pause:
            yield


def reconnect():
    buffer = bytearray(16)
    manager = adafruit_connection_manager.get_connection_manager(pool)
    while True:
        s = manager.get_socket("bench.local", brief, "https:" if brief_tls else "http:", timeout=5, is_ssl=brief_tls,
                               ssl_context=context)
        yield
        s.send(b"ping\n")
        if s.recv_into(buffer) == 5:
            done["reconnects"] += 1
        manager.close_socket(s)
        pause = time.monotonic_ns() + 50000000
        while time.monotonic_ns() < pause:
            yield


def no_answer():
    while True:
        s = pool.socket(pool.AF_INET, pool.SOCK_STREAM)
        s.settimeout(1)
        s.connect(pool.getaddrinfo("bench.local", dead)[0][4])
        s.setblocking(False)
        give_up = time.monotonic_ns() + 200000000
        while time.monotonic_ns() < give_up:
            yield
            try:
                s.recv_into(bytearray(1))
            except OSError:
                pass
        done["given up"] += 1
        s.close()


work = [download(), reconnect(), no_answer()]
last = time.monotonic_ns()
end = last + seconds * 1000000000
turn = 0
while last < end:
    now = time.monotonic_ns()
    if now - last >= 1000000:
        gaps.append(now - last)
        last = now
    next(work[turn % 3])
    turn += 1
gaps.sort()
over = sum(gap >= 2000000 for gap in gaps)
print("ticks", len(gaps), "over_2ms", over, "p999_us", gaps[len(gaps) * 999 // 1000] // 1000, "max_us", gaps[-1] // 1000)
print("work", *(f"{value}" for value in done.values()))
