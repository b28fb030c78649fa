"""The rows of ticks.py: a user's loop beside 1,000 messages a second, and what is done to their connections meanwhile."""

import os
import re
import subprocess
import threading
from pathlib import Path

import stand
from run import ROOT, Row

HERE = Path(__file__).resolve().parent
SECONDS = 10
BOARDS = {"wifi": "adafruit_feather_esp32s3_tft", "airlift": "pyportal"}


def run(context, broker_program, kind):
    """One run: what the program has printed."""
    folder = context.work / f"ticks-{kind}"
    folder.mkdir()
    stand.certificates(folder)
    broker = stand.Broker(folder, broker_program, tls=True)
    job = kind, broker.port, broker.tls_port, SECONDS
    drive = stand.drive(folder / "drive", HERE / "ticks.py", job, folder / "ca.pem")
    command = [context.program, "run", drive, "--board", BOARDS[kind], "--headless", "--for", "120"]
    said, restart = "", threading.Timer(SECONDS / 2, broker.restart)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "ADDER_ROOT": str(ROOT)}) as process:
        for line in process.stdout:
            said += line
            if line.startswith("under way"):
                restart.start()
    restart.cancel()
    broker.end()
    return said


def ticks(context, broker_program, notes):
    for kind in BOARDS:
        context.say(f"ticks, {kind}")
        said = run(context, broker_program, kind)
        m = re.search(r"^connects (\d+) (\d+)\nticks (\d+) over_2ms (\d+) p999_us (\d+) max_us (\d+)\n"
                      r"work (\d+) (\d+) (\d+) (\d+)$", said, re.M)
        if not m:
            raise SystemExit(f"ticks, {kind}: {said}")
        plain, safe, count, over, p999, longest, sent, received, lost, skipped = (int(word) for word in m.groups())
        case = f"1 ms ticks, {kind}"
        yield Row(case, "gaps under 2 ms", "%", 100 * (count - over) / count, less_is_better=False)
        yield Row(case, "99.9 % of gaps under", "us", p999)
        yield Row(case, "longest gap", "us", longest)
        notes.append(f"ticks, {kind}: {sent} messages sent and {received} received in {SECONDS} s, {lost} lost, {skipped} "
                     f"ticks without a connection or room; {plain} connections, and {safe} with TLS, one restart of the broker")
    notes.append(stand.idle(SECONDS))
