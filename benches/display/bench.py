"""Adder's displayio beside Adafruit's for CPython: the same scenes, the same pixels.

Adder is measured as a user meets it: code.py, display.refresh(), the native modules. The peer draws
into a bus that costs nothing, and so does Adder for "refresh"; for "refresh, panel" the simulated
PyPortal's ILI9341 takes every byte besides, and it is that chip's picture which is compared with the
peer's, pixel by pixel. Times are the middle one of many frames."""

import json
import re
import shutil
import struct
import zlib
from pathlib import Path

from run import Row

HERE = Path(__file__).resolve().parent
PEER = "blinka-displayio"
PEER_FRAMES = 7
ADDER_FRAMES = 101
SCENES = ("palette_frame", "scaled", "sprites", "text", "shapes")
NOTES = []


def png_as_565(path):
    """The pixels of an 8-bit RGB(A) PNG as the display's own big-endian RGB565."""
    data = path.read_bytes()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            packed += chunk
        at += size + 12
    channels = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, stride = zlib.decompress(packed), width * channels
    out, above = bytearray(), bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        line = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - channels] if x >= channels else 0
            up = above[x]
            corner = above[x - channels] if x >= channels else 0
            if kind == 1:
                line[x] = (line[x] + left) & 255
            elif kind == 2:
                line[x] = (line[x] + up) & 255
            elif kind == 3:
                line[x] = (line[x] + (left + up) // 2) & 255
            elif kind == 4:
                p = left + up - corner
                best = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))
                line[x] = (line[x] + best[2]) & 255
        above = line
        for x in range(0, stride, channels):
            r, g, b = line[x:x + 3]
            out += struct.pack(">H", (r >> 3) << 11 | (g >> 2) << 5 | b >> 3)
    return bytes(out)


def adder(context, scene, frames, timed, seconds):
    drive = context.work / f"{scene}_{frames}"
    drive.mkdir(exist_ok=True)
    for name in ("code.py", "scenes.py"):
        shutil.copy(HERE / name, drive)
    (drive / "job.txt").write_text(f"{scene} {frames} {int(timed)}")
    picture, report = drive.with_suffix(".png"), drive.with_suffix(".json")
    out = context.run(context.program, "run", drive, "--headless", "--for", seconds,
                      "--screenshot", picture, "--report", report)
    if "drawn" not in out:
        raise SystemExit(f"{scene}: Adder did not finish in {seconds} s:\n{out}")
    figures = {name: int(ns) / 1000 for name, ns in re.findall(r"(\w+)_ns (\d+)", out)}
    return figures, picture, json.loads(report.read_text())


def sent(report):
    """(bytes, transactions) on the board's display bus."""
    buses = [bus for bus in report["buses"] if bus["kind"] == "par8"]
    return sum(bus["bytes_out"] for bus in buses), sum(bus["transactions"] for bus in buses)


def run(context):
    counts, times = [], []
    for scene in SCENES:
        context.say(scene)
        memory = context.work / f"{scene}.565"
        peer = json.loads(context.run(context.python, HERE / "peer_blinka.py", scene, PEER_FRAMES, memory))
        _, _, before = adder(context, scene, 0, False, 2)
        _, picture, after = adder(context, scene, PEER_FRAMES, False, 2)
        ours, theirs = png_as_565(picture), memory.read_bytes()
        wrong = len(theirs) // 2
        if len(ours) == len(theirs):
            wrong = sum(ours[i:i + 2] != theirs[i:i + 2] for i in range(0, len(theirs), 2))
        figures, _, _ = adder(context, scene, ADDER_FRAMES, True, 4)
        counts.append(Row(scene, "pixels that differ", "", wrong, {PEER: 0}))
        counts.append(Row(scene, "bytes on the bus", "B", (sent(after)[0] - sent(before)[0]) / PEER_FRAMES,
                          {PEER: peer["bytes"]}))
        times.append(Row(scene, "refresh", "us", figures["free"], {PEER: peer["us"]}))
        times.append(Row(scene, "refresh, panel", "us", figures["panel"], {PEER: peer["us"]}))
    yield from counts
    yield from times
