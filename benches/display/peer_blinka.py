"""Draw a scene with adafruit-blinka-displayio on a bus that costs nothing and keeps the pixels.

    peer_blinka.py SCENE FRAMES OUT      (in the bench's own environment)

The controller behind the bus is the part of an ILI9341 that every contender uses: column and row
window, memory write. OUT gets what its memory holds after the last frame; the figures go to
standard output as JSON."""

import json
import struct
import sys
import time
import types

# Blinka looks for a board it runs on, and stops the import when it runs on a PC. Nothing of a board is
# used here: the names only have to exist.
for _name in ("digitalio", "busio", "microcontroller", "board", "pwmio"):
    sys.modules[_name] = types.ModuleType(_name)
sys.modules["digitalio"].DigitalInOut = sys.modules["busio"].SPI = sys.modules["busio"].I2C = object
sys.modules["microcontroller"].Pin = object
sys.modules["microcontroller"].pin = types.ModuleType("pin")

import busdisplay  # noqa: E402
import fourwire  # noqa: E402

import scenes  # noqa: E402

COLUMN, ROW, WRITE = 0x2A, 0x2B, 0x2C


class Bus(fourwire.FourWire):
    def __init__(self):  # no pins: everything that would touch them is below
        self.window = [0, 0, 0, 0]
        self.memory = bytearray(scenes.WIDTH * scenes.HEIGHT * 2)
        self.command = None
        self.bytes = self.transactions = 0

    def reset(self):
        pass

    def _free(self):
        return True

    def _begin_transaction(self):
        self.transactions += 1
        return True

    def _end_transaction(self):
        pass

    def _send(self, data_type, chip_select, data):
        self.bytes += len(data)
        if data_type == 0:
            self.command = data[0]
        elif self.command == COLUMN:
            self.window[0], self.window[2] = struct.unpack(">HH", data)
        elif self.command == ROW:
            self.window[1], self.window[3] = struct.unpack(">HH", data)
        elif self.command == WRITE:
            x1, y1, x2, y2 = self.window
            row = (x2 - x1 + 1) * 2
            for n, y in enumerate(range(y1, y2 + 1)):
                at = (y * scenes.WIDTH + x1) * 2
                self.memory[at:at + row] = data[n * row:(n + 1) * row]


def main():
    name, frames, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    bus = Bus()
    display = busdisplay.BusDisplay(bus, b"", width=scenes.WIDTH, height=scenes.HEIGHT, auto_refresh=False)
    group, step = scenes.SCENES[name]()
    display.root_group = group
    display.refresh()
    before = bus.bytes, bus.transactions
    times = []
    for i in range(frames):
        step(i)
        started = time.perf_counter_ns()
        display.refresh()
        times.append(time.perf_counter_ns() - started)
    with open(out, "wb") as f:
        f.write(bus.memory)
    print(json.dumps({"us": sorted(times)[frames // 2] / 1000, "bytes": (bus.bytes - before[0]) / frames,
                      "transactions": (bus.transactions - before[1]) / frames}))


main()
