"""The rows of ticks.py: a user's loop beside 1,000 messages a second, and what is done to their connections meanwhile."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from run import ROOT, Row

HERE = Path(__file__).resolve().parent
SECONDS = 10
BOARDS = {"wifi": "adafruit_feather_esp32s3_tft", "airlift": "pyportal"}


def certificates(folder):
    """A CA, and a server that it vouches for."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Bench CA", "-days", "30")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bench.local")
    (folder / "san.txt").write_text("subjectAltName=DNS:bench.local\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "san.txt", "-out", "server.pem")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    """mosquitto, with and without TLS, which keeps its sessions over a restart."""

    def __init__(self, folder):
        self.port, self.tls_port = free_port(), free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"user {'root' if os.geteuid() == 0 else ''}\nallow_anonymous true\nset_tcp_nodelay true\nlog_type error\n"
            f"max_queued_messages 0\npersistence true\npersistence_location {folder}/\nlistener {self.port} 127.0.0.1\n"
            f"listener {self.tls_port} 127.0.0.1\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
            .replace("user \n", ""))
        self.start()

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self.config], stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def restart(self):
        self.stop()
        time.sleep(0.5)
        self.start()


def run(context, kind):
    """One run: what the program has printed."""
    folder = context.work / f"ticks-{kind}"
    drive = folder / "drive"
    drive.mkdir(parents=True)
    certificates(folder)
    broker = Broker(folder)
    shutil.copy(HERE / "ticks.py", drive / "code.py")
    (drive / "job.txt").write_text(f"{kind} {broker.port} {broker.tls_port} {SECONDS}")
    (drive / "network.json").write_text(json.dumps({
        "access_points": [{"ssid": "bench", "password": "benchbench"}], "hosts": {"bench.local": "127.0.0.1"},
        "outside": False, "speed": 20, "ca": str(folder / "ca.pem")}))
    command = [context.program, "run", drive, "--board", BOARDS[kind], "--headless", "--for", "120"]
    said, restart = "", threading.Timer(SECONDS / 2, broker.restart)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "ADDER_ROOT": str(ROOT)}) as process:
        for line in process.stdout:
            said += line
            if line.startswith("under way"):
                restart.start()
    restart.cancel()
    broker.stop()
    return said


def idle():
    """How well the machine keeps such a loop with nothing beside it."""
    gaps, last = [], time.monotonic_ns()
    end = last + SECONDS * 1000000000
    while last < end:
        time.sleep(0)
        now = time.monotonic_ns()
        if now - last >= 1000000:
            gaps.append(now - last)
            last = now
    return 100 * sum(gap < 2000000 for gap in gaps) / len(gaps)


def ticks(context, notes):
    for kind in BOARDS:
        context.say(f"ticks, {kind}")
        said = run(context, kind)
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
    notes.append(f"this machine itself keeps {idle():.2f} % of such gaps under 2 ms in a loop of CPython beside nothing: the "
                 "ticks mean something only where that is well above 99.9 %")
