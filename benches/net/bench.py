"""Adder's networks beside their peers.

AirLift rows: the same program with the native driver and with Adafruit's ESP32SPI, on the same simulated chip.
Bytes and transactions are counted by the chip; those of a transfer of 64 KiB less those of 32 KiB, so that joining and
connecting do not count, but looking whether the connection lives does. "of data" are those of the commands that carry
bytes or ask about them, in the transfer of 32 KiB. The throughput is modelled: 8 MHz and 300 us a command.

HTTP rows: `requests` on a board with native Wi-Fi against CPython's http.client and Adafruit's requests in
CPython, all to one server.

Tick rows: a loop that wants to run each millisecond while networks work behind it, and the same work done
with Adafruit's libraries in the way they allow. The last note says what the machine does to a loop with nothing beside it:
these rows mean something only where that is well above 99.9 %."""

import json
import re
import subprocess
from pathlib import Path

import stand
from run import Row

HERE = Path(__file__).resolve().parent
NOTES = []
KIB = 32768
SECONDS = 10


class Server:
    def __init__(self, folder):
        self.process = subprocess.Popen(["/usr/bin/python3", HERE / "server.py", folder / "server.pem",
                                         folder / "server.key"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def board_run(context, name, program, job, board, *options, libraries=()):
    """One run of a board: what the program printed, and the report."""
    drive = stand.drive(context.work / name, HERE / program, job, context.work / "ca.pem")
    if libraries:
        (drive / "requirements.txt").write_text("\n".join(libraries) + "\n")
    report = context.work / f"{name}.json"
    out = context.run(context.program, "run", drive, "--board", board, "--headless", "--for", 120,
                      "--report", report, *options)
    return out, json.loads(report.read_text())


def airlift(context, ports):
    figures = {}
    for way, port in (("send", ports["sink"]), ("receive", ports["flood"])):
        for who, options, libraries in (("adder", (), ()),
                                        ("ESP32SPI", ("--no-native",), ("adafruit-circuitpython-esp32spi",))):
            seen = []
            for size in (KIB, 2 * KIB):
                name = f"{way}-{who}-{size}"
                context.say(f"AirLift: {name}")
                out, report = board_run(context, name, "airlift.py", (way, port, size), "pyportal", *options,
                                        libraries=libraries)
                if f"moved {size}" not in out:
                    raise SystemExit(f"{name}: {out}")
                seen.append(report["chips"]["wifi"]["counters"])
            figures[way, who] = {key: seen[1][key] - seen[0][key] for key in ("spi_bytes", "selects", "frames")}
            commands = ("send_data", "data_sent_tcp") if way == "send" else ("get_databuf", "avail_data")
            # The few bytes that say how much is to come are among them.
            figures[way, who]["data"] = 2 * sum(seen[0].get(c, 0) for c in commands)
    for way in ("send", "receive"):
        case = f"airlift {way}"
        mine, theirs = figures[way, "adder"], figures[way, "ESP32SPI"]
        yield Row(case, "bus bytes per byte", "", mine["spi_bytes"] / KIB, {"ESP32SPI": theirs["spi_bytes"] / KIB})
        yield Row(case, "transactions of data", "", mine["data"], {"ESP32SPI": theirs["data"]})
        yield Row(case, "transactions, all", "", mine["selects"], {"ESP32SPI": theirs["selects"]})

        def rate(f):
            return KIB / (f["spi_bytes"] + f["frames"] * 300)  # a byte takes 1 us

        yield Row(case, "modelled throughput", "MB/s", rate(mine), {"ESP32SPI": rate(theirs)}, less_is_better=False)


def nanoseconds(out):
    return int(re.search(r"^ns (\d+)", out, re.M)[1])


def http(context, ports):
    for case, path, count in (("http GET 200 B", "/small", 500), ("http GET 1 MB", "/mega", 5)):
        context.say(case)
        mine = nanoseconds(board_run(context, case.replace(" ", "-"), "get.py", (ports["http"], path, count),
                                     "adafruit_feather_esp32s3_tft")[0])
        peers = {who: nanoseconds(context.run(context.python, HERE / "peer_http.py", who, ports["http"], path, n))
                 for who, n in (("http.client", count), ("adafruit_requests", max(1, count // 5)))}
        yield Row(case, "time each", "us", mine / 1000, {who: ns / 1000 for who, ns in peers.items()})


LIBRARIES = ("adafruit-circuitpython-requests", "adafruit-circuitpython-connectionmanager",
             "adafruit-circuitpython-esp32spi")


def ticks(context, ports):
    for radio, board, brief in (("airlift", "pyportal", "brief"), ("wifi", "adafruit_feather_esp32s3_tft", "briefs")):
        found = {}
        for who, program, options, libraries in (("adder", "ticks.py", (), ()),
                                                 ("adafruit", "ticks_peer.py", ("--no-native",), LIBRARIES)):
            context.say(f"ticks, {radio}: {who}")
            job = (radio, ports["https"], ports[brief], ports["dead"], SECONDS)
            out, _ = board_run(context, f"ticks-{radio}-{who}", program, job, board, *options, libraries=libraries)
            if not (m := re.search(r"^ticks (\d+) over_2ms (\d+) p999_us (\d+) max_us (\d+)$", out, re.M)):
                raise SystemExit(f"ticks, {radio}, {who}: {out}")
            work = re.search(r"^work (\d+) (\d+) (\d+) (\d+)$", out, re.M)
            found[who] = [int(m[i]) for i in range(1, 5)]
            NOTES.append(f"{radio}, {who}: {m[1]} ticks in {SECONDS} s, beside {int(work[2]) / 1e6:.0f} MB over TLS ({work[1]} whole "
                         f"downloads of 10 MB), {work[3]} reconnections, {work[4]} dead peers given up")
        mine, theirs = found["adder"], found["adafruit"]

        def share(f):
            return 100 * (f[0] - f[1]) / f[0]

        case = f"1 ms ticks, {radio}"
        yield Row(case, "gaps under 2 ms", "%", share(mine), {"adafruit": share(theirs)}, less_is_better=False)
        yield Row(case, "99.9 % of gaps under", "us", mine[2], {"adafruit": theirs[2]})
        yield Row(case, "longest gap", "us", mine[3], {"adafruit": theirs[3]})
    NOTES.append(stand.idle(SECONDS))


def run(context):
    stand.certificates(context.work)
    server = Server(context.work)
    try:
        yield from airlift(context, server.ports)
        yield from http(context, server.ports)
        yield from ticks(context, server.ports)
    finally:
        server.end()
