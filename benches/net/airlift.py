"""Adder's side and, with --no-native, Adafruit's: bytes through the AirLift's socket, as /job.txt says."""

import board
import busio
from adafruit_esp32spi import adafruit_esp32spi, adafruit_esp32spi_socketpool
from digitalio import DigitalInOut

with open("/job.txt") as job:
    way, port, size = job.read().split()
size = int(size)

esp = adafruit_esp32spi.ESP_SPIcontrol(board.SPI(), DigitalInOut(board.ESP_CS), DigitalInOut(board.ESP_BUSY),
                                       DigitalInOut(board.ESP_RESET), DigitalInOut(board.ESP_GPIO0))
esp.connect_AP("bench", "benchbench")
pool = adafruit_esp32spi_socketpool.SocketPool(esp)
s = pool.socket()
s.settimeout(20)
s.connect(pool.getaddrinfo("bench.local", int(port))[0][4])
s.send(b"%d\n" % size)
if way == "send":
    data, at = bytes(size), 0
    while at < size:
        at += s.send(memoryview(data)[at:]) or size
    wanted = 1
else:
    wanted = size
buffer, got = bytearray(16384), 0
while got < wanted:
    n = s.recv_into(buffer, min(len(buffer), wanted - got))
    if not n:
        raise RuntimeError("the server has gone")
    got += n
print("moved", size)
