"""A program that wants to run each millisecond, while two clients of adder.mqtt, one of them with TLS, send 1,000 messages
of QoS 1 a second in all, and get them back. The broker restarts meanwhile (the bench does that), and the connection
with TLS is left and made again."""

import asyncio
import ssl
import time

from adder.mqtt import Client

with open("/job.txt") as job:
    kind, *numbers = job.read().split()
port, tls_port, seconds = (int(number) for number in numbers)

if kind == "wifi":
    import wifi

    radio = wifi.radio
    radio.connect("bench", "benchbench")
else:
    import board
    from adafruit_esp32spi.adafruit_esp32spi import ESP_SPIcontrol
    from digitalio import DigitalInOut

    radio = ESP_SPIcontrol(board.SPI(), *(DigitalInOut(getattr(board, f"ESP_{name}"))
                                          for name in ("CS", "BUSY", "RESET", "GPIO0")))
    radio.connect_AP("bench", "benchbench")
done = {"sent": 0, "received": 0, "lost": 0, "skipped": 0}
sent = set()
gaps = []


async def listen(client):
    async for message in client.messages(f"ticks/{client.port}"):
        sent.discard(int(message.payload))
        done["received"] += 1


async def reconnect(client):
    """Leave and come back, again and again."""
    while True:
        await asyncio.sleep(seconds / 6)
        client.stop()
        while client.state != "stopped":
            await asyncio.sleep(0.01)
        client.start()


async def main():
    plain = Client(radio, "bench.local", port, client_id="plain", clean=False, queue=65536)
    safe = Client(radio, "bench.local", tls_port, tls=ssl.create_default_context(), client_id="safe",
                  clean=False, queue=65536)
    clients = [plain, safe]
    for client in clients:
        await client.connect_async()
    work = [asyncio.create_task(listen(client)) for client in clients] + [asyncio.create_task(reconnect(safe))]
    await asyncio.sleep(0.5)
    print("under way")
    last = time.monotonic_ns()
    end = last + seconds * 1000000000
    while last < end:
        await asyncio.sleep(0)
        now = time.monotonic_ns()
        if now - last >= 1000000:
            gaps.append(now - last)
            last = now
            client = clients[len(gaps) % 2]
            if client.connected and client.queued < 30:
                done["sent"] += 1
                client.publish(f"ticks/{client.port}", len(gaps), qos=1)
                sent.add(len(gaps))
            else:
                done["skipped"] += 1
    for _ in range(1000):
        if sent:
            await asyncio.sleep(0.01)
    done["lost"] = len(sent)
    for task in work:
        task.cancel()
    print("connects", *(client.connects for client in clients))


asyncio.run(main())
gaps.sort()
over = sum(gap >= 2000000 for gap in gaps)
print("ticks", len(gaps), "over_2ms", over, "p999_us", gaps[len(gaps) * 999 // 1000] // 1000, "max_us", gaps[-1] // 1000)
print("work", *(f"{value}" for value in done.values()))
