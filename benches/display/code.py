"""Adder's side: draws the scene of /job.txt, first on a display bus with nothing behind it, as the peer
does, then on the simulated board's own display."""

import time

import board
import busdisplay
import busio
import fourwire

import scenes

with open("/job.txt") as job:
    name, frames, timed = job.read().split()


def measure(display):
    """The middle one of the times of a refresh, in ns."""
    display.auto_refresh = False
    group, step = scenes.SCENES[name]()
    display.root_group = group
    display.refresh()
    times = []
    for i in range(int(frames)):
        step(i)
        started = time.monotonic_ns()
        display.refresh()
        times.append(time.monotonic_ns() - started)
    return sorted(times)[len(times) // 2] if times else 0


if int(timed):
    bus = fourwire.FourWire(busio.SPI(board.SCK, board.MOSI, board.MISO), command=board.D3, chip_select=board.D4)
    free = busdisplay.BusDisplay(bus, b"", width=scenes.WIDTH, height=scenes.HEIGHT, auto_refresh=False)
    print("free_ns", measure(free))
    free.root_group = None
print("panel_ns", measure(board.DISPLAY))
print("drawn")
while True:
    time.sleep(1)
