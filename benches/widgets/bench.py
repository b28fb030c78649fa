"""The firmware's display libraries beside Adafruit's, unmodified from PyPI: one program on one simulated board, once
natively and once with --no-native. Times are the best of several rounds."""

import json
import re
import shutil
from pathlib import Path

from run import Row

HERE = Path(__file__).resolve().parent
PEER = "adafruit"
LIBRARIES = "adafruit_display_text", "adafruit_display_shapes", "adafruit_button"
CHANGED = "label", "bitmap_label"
NOTES = []


def measure(context, drive, job, *options):
    (drive / "job.txt").write_text(job)
    report = context.work / "report.json"
    out = context.run(context.program, "run", drive, "--headless", "--for", 20 if job == "times" else 4,
                      "--report", report, *options)
    if "measured" not in out:
        raise SystemExit(f"{job}: did not finish:\n{out}")
    sent = sum(bus["bytes_out"] for bus in json.loads(report.read_text())["buses"] if bus["kind"] == "par8")
    return {name: int(ns) / 1000 for name, ns in re.findall(r"(\w+, .*): (\d+) ns", out)}, sent


def run(context):
    drive = context.work / "drive"
    drive.mkdir()
    shutil.copy(HERE / "code.py", drive)
    context.run(context.program, "lib", "add", "--project", drive, *LIBRARIES)
    for case in CHANGED:
        context.say(case)
        ours, theirs = (measure(context, drive, case, *o)[1] - measure(context, drive, case + ", none", *o)[1]
                        for o in ((), ("--no-native",)))
        yield Row(case, "bytes, 100 changes", "B", ours, {PEER: theirs})
    context.say("times")
    ours, _ = measure(context, drive, "times")
    theirs, _ = measure(context, drive, "times", "--no-native")
    for name, us in ours.items():
        yield Row(*name.split(", "), "us", us, {PEER: theirs[name]})
