"""A program that counts ticks of 1 ms while a 10 MB download over TLS, a connection that ends and is made
again, and a peer that never answers go on behind it. On native Wi-Fi, or on an AirLift."""

import asyncio
import time

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
    context = brief_context = ssl.create_default_context()
else:
    import adafruit_connection_manager
    import board
    from adafruit_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
    from digitalio import DigitalInOut

    esp = adafruit_esp32spi.ESP_SPIcontrol(board.SPI(), DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY),
                                           DigitalInOut(board.ESP_RESET), DigitalInOut(board.ESP_GPIO0))
    esp.connect_AP("bench", "benchbench")
    pool = adafruit_esp32spi_socketpool.SocketPool(esp)
    context, brief_context = adafruit_connection_manager.get_radio_ssl_context(esp), None  # one TLS at a time
done = {"downloads": 0, "bytes": 0, "reconnects": 0, "given up": 0}
gaps = []


async def download():
    buffer = bytearray(4096)
    loop = asyncio.get_event_loop()
    while True:
        reader, writer = await asyncio.open_connection("bench.local", https, ssl=context, pool=pool)
        writer.write(b"GET /ten HTTP/1.1\r\nHost: bench.local\r\n\r\n")
        await writer.drain()
        while await reader.readline() != b"\r\n":
            pass
        left = 10485760
        while left:
            n = await reader.readinto(memoryview(buffer)[:min(left, 4096)])
            left -= n
            done["bytes"] += n
        writer.close()
        await writer.wait_closed()
        done["downloads"] += 1
        await asyncio.sleep(1)


async def reconnect():
    while True:
        reader, writer = await asyncio.open_connection("bench.local", brief, ssl=brief_context, pool=pool)
        writer.write(b"ping\n")
        await writer.drain()
        if await reader.readline() == b"ping\n":
            done["reconnects"] += 1
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)


async def no_answer():
    while True:
        reader, writer = await asyncio.open_connection("bench.local", dead, pool=pool)
        try:
            await asyncio.wait_for(reader.read(1), 0.2)
        except asyncio.TimeoutError:
            done["given up"] += 1
        await writer.wait_closed()


async def main():
    work = [asyncio.create_task(job()) for job in (download, reconnect, no_answer)]
    last = time.monotonic_ns()
    end = last + seconds * 1000000000
    while last < end or not done["downloads"]:
        await asyncio.sleep(0)
        now = time.monotonic_ns()
        if now - last >= 1000000:
            gaps.append(now - last)
            last = now
    for task in work:
        task.cancel()


asyncio.run(main())
gaps.sort()
over = sum(gap >= 2000000 for gap in gaps)
print("ticks", len(gaps), "over_2ms", over, "p999_us", gaps[len(gaps) * 999 // 1000] // 1000, "max_us", gaps[-1] // 1000)
print("work", *(f"{value}" for value in done.values()))
