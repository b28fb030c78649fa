"""What the areas' stand-ins share: certificates, a broker, a drive for a board with a network, an idle machine."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from held_port import hold_port

ACCESS_POINT = {"ssid": "bench", "password": "benchbench"}


def certificates(folder):
    """A CA in ca.pem, and server.pem with its key, which it vouches for as bench.local."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Bench CA", "-days", "30")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bench.local")
    (folder / "san.txt").write_text("subjectAltName=DNS:bench.local\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "san.txt", "-out", "server.pem")


class Broker:
    """mosquitto that drops nothing. `program`: the words that start it. `tls`: also with the folder's certificate, on
    tls_port, and with sessions that outlast a restart."""

    def __init__(self, folder, program, tls=False):
        self.program = program
        self.port, self.tls_port = hold_port(), hold_port() if tls else None
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true", "log_type none",
                 "max_queued_messages 0", "max_queued_bytes 0", "max_inflight_messages 20"]
        if tls:
            lines += ["persistence true", f"persistence_location {folder}/", f"listener {self.tls_port} 127.0.0.1",
                      f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
            if os.geteuid() == 0:
                lines.append("user root")  # the folder is ours
        self.config = folder / "mosquitto.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen([*self.program, "-c", self.config], stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.05)
            if self.process.poll() is not None:
                raise SystemExit("mosquitto has ended")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise SystemExit("mosquitto does not listen")

    def end(self):
        self.process.terminate()
        self.process.wait(10)

    def restart(self):
        self.end()
        time.sleep(0.5)
        self.start()


def drive(folder, program, job="", ca=None):
    """A folder with a program for `adder run`, its words in job.txt, and a network where bench.local is this computer."""
    folder.mkdir(parents=True)
    shutil.copy(program, folder / "code.py")
    (folder / "job.txt").write_text(" ".join(map(str, job)))
    (folder / "network.json").write_text(json.dumps({
        "access_points": [ACCESS_POINT], "hosts": {"bench.local": "127.0.0.1"}, "outside": False, "speed": 20,
        **({"ca": str(ca)} if ca else {})}))
    return folder


def idle(seconds):
    """How well the machine keeps a tick of 1 ms in a loop of CPython that looks at the clock, with nothing beside it."""
    gaps, last = [], time.monotonic_ns()
    end = last + seconds * 1000000000
    while last < end:
        time.sleep(0)
        now = time.monotonic_ns()
        if now - last >= 1000000:
            gaps.append(now - last)
            last = now
    share = 100 * sum(gap < 2000000 for gap in gaps) / len(gaps)
    return (f"this machine itself, a loop of CPython beside nothing: {share:.2f} % of gaps under 2 ms, longest "
            f"{max(gaps) // 1000} us; the ticks mean something only where that is well above 99.9 %")
