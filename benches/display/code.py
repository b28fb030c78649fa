"""Adder's side: draws the scene of /job.txt on the simulated board's own display."""

import time

import board

import scenes

with open("/job.txt") as job:
    name, frames, last = job.read().split()
display = board.DISPLAY
display.auto_refresh = False
group, step = scenes.SCENES[name]()
display.root_group = group
display.refresh()
spent = 0
for i in range(int(frames)):
    step(i)
    started = time.monotonic_ns()
    display.refresh()
    spent += time.monotonic_ns() - started
print("spent_ns", spent)
if int(last):  # the frame that is compared
    step(int(last) - 1)
    display.refresh()
print("drawn")
while True:
    time.sleep(1)
