"""asyncio's streams over real sockets: native Wi-Fi and an AirLift, names and connecting included, side by side."""

import json
import socket

import loopback
import pytest

WIFI = """
import socketpool, wifi
wifi.radio.connect("home", "secret12")
pool = socketpool.SocketPool(wifi.radio)
"""
AIRLIFT = """
import board
from adafruit_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
from digitalio import DigitalInOut
esp = adafruit_esp32spi.ESP_SPIcontrol(board.SPI(), DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY),
                                       DigitalInOut(board.ESP_RESET), DigitalInOut(board.ESP_GPIO0))
esp.connect_AP("home", "secret12")
pool = adafruit_esp32spi_socketpool.SocketPool(esp)
"""
RADIOS = {"wifi": ("adafruit_feather_esp32s3_tft", WIFI), "airlift": ("pyportal", AIRLIFT)}


@pytest.fixture(params=list(RADIOS))
def radio(request):
    return RADIOS[request.param]


@pytest.fixture
def echo():
    """The port of a server that gives back lines in capitals, and says nothing to "hush"."""

    class Echo(loopback.Server):
        def serve(self, connection, number):
            with connection.makefile("rwb", 0) as stream:
                for line in stream:
                    if line != b"hush\n":
                        stream.write(line.upper())

    server = Echo()
    yield server.port
    server.close()


def run(adder, radio, port, body):
    board, setup = radio
    network = {"access_points": [{"ssid": "home", "password": "secret12"}], "hosts": {"there.test": "127.0.0.1"},
               "outside": False, "speed": 20}
    done = adder(f"import asyncio\n{setup}\nPORT = {port}\n{body}", "--board", board, seconds=30,
                 files={"network.json": json.dumps(network)})
    assert done.code == 0, done.out + done.err
    return done.out.split("code.py output:\n")[-1].split("\nCode done running.")[0].strip().splitlines()


def test_several_connections_by_name_at_once(adder, radio, echo):
    assert run(adder, radio, echo, """
async def ask(n):
    reader, writer = await asyncio.open_connection("there.test", PORT, pool=pool)
    answers = []
    for i in range(3):
        writer.write(b"line %d of %d\\n" % (i, n))
        await writer.drain()
        answers.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answers
async def main():
    for answers in await asyncio.gather(ask(1), ask(2), ask(3)):
        print(answers)
asyncio.run(main())
""") == [f"[b'LINE 0 OF {n}\\n', b'LINE 1 OF {n}\\n', b'LINE 2 OF {n}\\n']" for n in (1, 2, 3)]


def test_others_run_while_one_waits_and_what_is_given_up_is_closed(adder, radio, echo):
    assert run(adder, radio, echo, """
turns = 0
async def count():
    global turns
    while True:
        turns += 1
        await asyncio.sleep_ms(1)
async def main():
    counting = asyncio.create_task(count())
    reader, writer = await asyncio.open_connection("there.test", PORT, pool=pool)
    writer.write(b"hush\\n")
    await writer.drain()
    try:
        await asyncio.wait_for(reader.readline(), 0.3)
    except asyncio.TimeoutError:
        print("gave up", turns > 50)
    writer.write(b"again\\n")
    await writer.drain()
    print(await reader.readline())
    await writer.wait_closed()
    counting.cancel()
asyncio.run(main())
""") == ["gave up True", "b'AGAIN\\n'"]


def test_nobody_there(adder, radio, echo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(adder, radio, port, """
async def main():
    for host, port in (("there.test", PORT), ("nowhere.test", 80)):
        try:
            await asyncio.open_connection(host, port, pool=pool)
        except OSError:
            print("no connection to", host)
asyncio.run(main())
""") == ["no connection to there.test", "no connection to nowhere.test"]
