"""What a program does with labels, shapes and buttons: "times", or a label that is changed for /job.txt."""

import time

import board
import displayio
import terminalio
from adafruit_button import Button
from adafruit_display_shapes.circle import Circle
from adafruit_display_shapes.roundrect import RoundRect
from adafruit_display_shapes.sparkline import Sparkline
from adafruit_display_shapes.triangle import Triangle
from adafruit_display_text import bitmap_label, label

display = board.DISPLAY
display.auto_refresh = False
FONT = terminalio.FONT
TWENTY = "abcdefghijklmnopqrst"


def best(case, call, times=50, rounds=7):
    call(0)
    took = []
    for _ in range(rounds):
        started = time.monotonic_ns()
        for i in range(times):
            call(i)
        took.append((time.monotonic_ns() - started) // times)
    print(f"{case}: {min(took)} ns")


def times():
    for name, module in (("label", label), ("bitmap_label", bitmap_label)):
        best(f"{name}, made", lambda i: module.Label(FONT, text=TWENTY))
        shown = module.Label(FONT, text=TWENTY)

        def change(i):
            shown.text = f"value {i:014d}"

        best(f"{name}, changed", change)
    graph = Sparkline(200, 60, 100)
    for i in range(100):
        graph.add_value(i % 17 + 1, update=False)
    best("sparkline, a value more", lambda i: graph.add_value(i * 7 % 23 + 1))
    best("circle, made", lambda i: Circle(50, 50, 40, fill=1, outline=2), 10)
    best("roundrect, made", lambda i: RoundRect(0, 0, 300, 60, 8, fill=1, outline=2), 5)
    best("triangle, made", lambda i: Triangle(0, 0, 100, 20, 50, 90, fill=1, outline=2), 10)
    best("button, made", lambda i: Button(x=1, y=2, width=98, height=32, style=1, label="Turn on"), 10)


def changes(module, count):
    """A reading in big digits, drawn after each change."""
    shown = module.Label(FONT, text="21.0", scale=4, x=10, y=40)
    root = displayio.Group()
    root.append(shown)
    display.root_group = root
    display.refresh()
    for i in range(count):
        shown.text = f"{21 + i / 10:.1f}"
        display.refresh()


with open("/job.txt") as job:
    job = job.read()
if job == "times":
    times()
else:
    changes(bitmap_label if job.startswith("bitmap") else label, 0 if job.endswith("none") else 100)
print("measured")
while True:
    time.sleep(1)
