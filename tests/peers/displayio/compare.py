#!/usr/bin/env python3
"""The display engine beside Adafruit's displayio for CPython: random scenes, the same pixels.

    tests/peers/displayio/compare.py [--scenes 60] [--seed 1] [--library build/release/libadder_core.a]

adafruit-blinka-displayio comes from PyPI into build/peers/displayio/venv once. A scene that differs is
kept in build/peers/displayio/ as text for scene_runner.c. Exit status 0: every pixel of every scene is
the same."""

import argparse
import os
import random
import struct
import subprocess
import sys
import types
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
WORK = TOP / "build/peers/displayio"

# Not compared: RGB555 and L8, where Blinka 2.7.1 is behind the firmware (5 bits are widened there by
# repeating the top ones), and transparent vector fills, whose black hole Adder puts right.
COLORSPACES = {0: "RGB888", 1: "RGB565", 2: "RGB565_SWAPPED", 5: "BGR565", 6: "BGR565_SWAPPED"}


def in_environment():
    """Start again inside the peer's environment, made at the first call."""
    python = WORK / "venv/bin/python"
    if Path(sys.executable) == python:
        return
    if not (WORK / "venv/.ready").exists():
        print("installing adafruit-blinka-displayio into build/peers/displayio/venv", file=sys.stderr, flush=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", WORK / "venv"], check=True)
        subprocess.run([WORK / "venv/bin/pip", "install", "-q", "--disable-pip-version-check",
                        "adafruit-blinka-displayio==2.7.1"], check=True)
        (WORK / "venv/.ready").touch()
    os.execv(python, [str(python), "-B", *sys.argv])


def import_peer():
    # Blinka looks for a board and stops the import on a PC. Nothing of a board is used: the names suffice.
    for name in ("digitalio", "busio", "microcontroller", "board", "pwmio"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["digitalio"].DigitalInOut = sys.modules["busio"].SPI = sys.modules["busio"].I2C = object
    sys.modules["microcontroller"].Pin = object
    sys.modules["microcontroller"].pin = types.ModuleType("pin")
    global busdisplay, displayio, fourwire, vectorio
    import busdisplay
    import displayio
    import fourwire
    import vectorio


def memory_bus(width):
    """A bus with just enough of a controller behind it: column and row window, memory write."""

    class Bus(fourwire.FourWire):
        def __init__(self):
            self.window, self.rows, self.command = [0] * 4, {}, None

        def reset(self):
            pass

        def _free(self):
            return True

        _begin_transaction = _free
        _end_transaction = reset

        def _send(self, data_type, _select, data):
            if data_type == 0:
                self.command = data[0]
            elif self.command == 0x2A:
                self.window[0], self.window[2] = struct.unpack(">HH", data)
            elif self.command == 0x2B:
                self.window[1], self.window[3] = struct.unpack(">HH", data)
            elif self.command == 0x2C:
                x1, y1, x2, y2 = self.window
                size = (x2 - x1 + 1) * 2
                for n, y in enumerate(range(y1, y2 + 1)):
                    row = self.rows.setdefault(y, bytearray(width * 2))
                    row[x1 * 2:x1 * 2 + size] = data[n * size:(n + 1) * size]

    return Bus()


class Scene:
    """Built twice as it grows: in the peer, and as words for scene_runner."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.words, self.appends, self.layers = [], [], 0
        r = self.r
        self.width, self.height, self.rotation = r.randint(8, 48), r.randint(8, 40), r.choice((0, 90, 180, 270))
        self.say("screen", self.width, self.height, self.rotation)
        self.bitmaps = [self.bitmap() for _ in range(4)]
        self.palettes = [self.palette() for _ in range(2)]
        self.converters = [self.converter() for _ in range(2)]
        self.groups = [self.group(i == 0) for i in range(4)]
        for i in range(1, 4):
            self.append(self.groups[r.randrange(i)], self.groups[i])
        for _ in range(6):
            make = r.choice((self.grid, self.grid, self.circle, self.rectangle, self.polygon))
            self.append(r.choice(self.groups), make())

    def say(self, *words):
        self.words.append(" ".join(map(str, words)))

    def layer(self, peer):
        self.layers += 1
        return peer, self.layers - 1

    def append(self, group, layer):
        group[0].append(layer[0])
        self.appends.append(f"append {group[2]} {layer[1]}")

    def bitmap(self):
        r, bits = self.r, self.r.choice((1, 2, 4, 8, 16))
        width, height, most = r.randint(1, 20), r.randint(1, 16), min(1 << bits, 65535)
        peer = displayio.Bitmap(width, height, most)
        values = [r.randrange(most) for _ in range(width * height)]
        for i, v in enumerate(values):
            peer[i % width, i // width] = v
        self.say("bitmap", width, height, bits, *values)
        return peer, bits

    def palette(self):
        r, dither = self.r, self.r.random() < 0.3
        peer, colors = displayio.Palette(256, dither=dither), []
        for i in range(256):
            color = r.randrange(1 << 24)
            peer[i] = color
            if i < 4 and r.random() < 0.2:
                peer.make_transparent(i)
                color = -1 - color
            colors.append(color)
        self.say("palette", int(dither), 256, *colors)
        return peer

    def converter(self):
        space, dither = self.r.choice(list(COLORSPACES)), self.r.random() < 0.3
        self.say("converter", space, int(dither))
        return displayio.ColorConverter(input_colorspace=getattr(displayio.Colorspace, COLORSPACES[space]),
                                        dither=dither)

    def shader(self, bits):
        i = self.r.randrange(2)
        return (self.converters[i], f"c {i}") if bits == 16 else (self.palettes[i], f"p {i}")

    def group(self, root):
        r = self.r
        x, y, scale = (0, 0, 1) if root else (r.randint(-5, 20), r.randint(-5, 20), r.choice((1, 1, 2, 3)))
        self.say("group", x, y, scale, 0)
        self.group_count = getattr(self, "group_count", -1) + 1
        return (*self.layer(displayio.Group(x=x, y=y, scale=scale)), self.group_count)

    def place(self):
        return self.r.randint(-10, 40), self.r.randint(-10, 30)

    def grid(self):
        r, i = self.r, self.r.randrange(4)
        bitmap, bits = self.bitmaps[i]
        tile_w = r.choice([n for n in range(1, bitmap.width + 1) if bitmap.width % n == 0])
        tile_h = r.choice([n for n in range(1, bitmap.height + 1) if bitmap.height % n == 0])
        (x, y), width, height = self.place(), r.randint(1, 4), r.randint(1, 4)
        peer_shader, words = self.shader(bits)
        peer = displayio.TileGrid(bitmap, pixel_shader=peer_shader, width=width, height=height,
                                  tile_width=tile_w, tile_height=tile_h, x=x, y=y)
        count = bitmap.width // tile_w * (bitmap.height // tile_h)
        tiles = [r.randrange(min(count, 255)) for _ in range(width * height)]
        for n, tile in enumerate(tiles):
            peer[n] = tile
        turns = [int(r.random() < 0.4) for _ in range(3)]
        for name, turn in zip(("flip_x", "flip_y", "transpose_xy"), turns):
            if turn:
                setattr(peer, name, True)
        self.say("grid", i, words, width, height, tile_w, tile_h, x, y, *turns, *tiles)
        return self.layer(peer)

    def shape(self, kind, words, **sizes):
        (x, y), index = self.place(), self.r.randrange(4, 200)
        shader, name = self.shader(8)
        self.say(kind.__name__.lower(), name, index, x, y, *words)
        return self.layer(kind(pixel_shader=shader, x=x, y=y, color_index=index, **sizes))

    def circle(self):
        radius = self.r.randint(1, 20)
        return self.shape(vectorio.Circle, [radius], radius=radius)

    def rectangle(self):
        width, height = self.r.randint(1, 30), self.r.randint(1, 30)
        return self.shape(vectorio.Rectangle, [width, height], width=width, height=height)

    def polygon(self):
        points = [(self.r.randint(-15, 30), self.r.randint(-15, 30)) for _ in range(self.r.randint(3, 6))]
        return self.shape(vectorio.Polygon, [len(points), *(n for p in points for n in p)], points=points)

    def theirs(self):
        wide, high = (self.width, self.height) if self.rotation % 180 == 0 else (self.height, self.width)
        bus = memory_bus(wide)
        display = busdisplay.BusDisplay(bus, b"", width=self.width, height=self.height, rotation=self.rotation,
                                        auto_refresh=False)
        display.root_group = self.groups[0][0]
        display.refresh()
        displayio.release_displays()
        return b"".join(bytes(bus.rows[y]) for y in range(high))

    def text(self):
        return "\n".join(self.words + self.appends) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library", type=Path, default=TOP / "build/release/libadder_core.a")
    args = parser.parse_args()
    in_environment()
    import_peer()
    runner = WORK / "scene_runner"
    subprocess.run(["cc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{TOP / 'include'}",
                    HERE / "scene_runner.c", args.library, "-o", runner], check=True)
    differing = pixels = 0
    for seed in range(args.seed, args.seed + args.scenes):
        scene = Scene(seed)
        theirs = scene.theirs()
        ours = subprocess.run([runner], input=scene.text().encode(), stdout=subprocess.PIPE, check=True).stdout
        pixels += len(theirs) // 2
        if ours != theirs:
            differing += 1
            kept = WORK / f"scene_{seed}.txt"
            kept.write_text(scene.text())
            wrong = sum(ours[i:i + 2] != theirs[i:i + 2] for i in range(0, len(theirs), 2))
            print(f"scene {seed}: {wrong} of {len(theirs) // 2} pixels differ ({kept.relative_to(TOP)})")
    print(f"displayio beside Blinka: {args.scenes - differing} of {args.scenes} scenes the same, {pixels} pixels")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
