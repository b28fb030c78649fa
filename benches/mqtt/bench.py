"""Adder's MQTT clients beside their peers, with mosquitto on loopback.

C rows: the engine (adder/mqtt.h) over a socket, libmosquitto and Paho C, each as its own program with one command line
(client.h). py rows: adafruit_minimqtt and adder.mqtt on a simulated board with native Wi-Fi, beside Adafruit's MiniMQTT
and paho-mqtt in CPython.

All alike: MQTT 3.1.1, the same payloads and numbers of messages, no Nagle's delay on either side, a broker that drops
nothing. publish: with QoS 1 and 2 at most 20 messages are on their way and one counts when its last acknowledgement has
come; with QoS 0 the end is the acknowledgement of one message of QoS 1 behind them, so that the broker has read them all.
adafruit_minimqtt and MiniMQTT wait in publish(), so with one message on its way; adder.mqtt has 15. MiniMQTT has no
QoS 2. receive: another program fills the broker with packets made before, and the time is that from the first to the last
message. Peers are used in the way that was fastest here: see their programs.

Broker and libmosquitto are the newest release that Debian has (newest.py): the 2.0 of stable releases reads three times for
each message and takes no more of them than a libmosquitto sends. Rates on loopback are often the broker's all the same (the
note says what it takes when nobody but it works). So there is the client's CPU time too: user and system time of its whole
process, for adder on a board with all of the simulator.

Medians of ROUNDS rounds. The contenders take turns in each, so that none always comes behind the same one. The CPUs of a
virtual machine are now near to each other and now far: client and broker took 10 us for a message of 16 KiB while a word
went from CPU to CPU and back in 70 ns (core_to_core.c), and 16 us while that took 340, for some seconds each. A median of
both tells nothing. So a round between whose ends it took more than FAR times the least is not counted and another one
takes its place, up to twice as many; then those count in which it was least. The note says how many there were.

Instructions: the whole process in user space under callgrind, of 2000 messages less those of 1000; the engine's program does
not look before it sleeps there (mqtt_adder.c).

Ticks: a loop that wants to run each millisecond beside 1,000 messages a second (ticks.py), through a restart of the broker and
connections with TLS made again. These rows mean something only on a quiet machine, which the last note tells of."""

import os
import re
import subprocess
from pathlib import Path
from statistics import median

import stand
from newest import Mosquitto, mosquitto
from run import ROOT, Row
from tick_rows import ticks

HERE = Path(__file__).resolve().parent
CLIENTS = ROOT / "build/release"
NOTES = []
ROUNDS = {"C": 16, "py": 10}
FAR = 3
PATIENCE = 60
K16 = 16384

#        way, QoS, bytes: messages in C, through Python
CASES = {("publish", 0, 64): (60000, 50000), ("publish", 1, 64): (40000, 12000), ("publish", 2, 64): (20000, 8000),
         ("receive", 0, 64): (40000, 20000), ("receive", 1, 64): (40000, 10000),
         ("publish", 0, K16): (6000, 4000), ("publish", 1, K16): (20000, 8000), ("publish", 2, K16): (10000, 5000),
         ("receive", 0, K16): (20000, 5000), ("receive", 1, K16): (20000, 5000)}
COUNTED = [("publish", 0, 64), ("publish", 1, 64), ("publish", 2, 64), ("receive", 0, 64)]


def cpu_us(pid):
    """CPU time of a process, all of its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1000


def fill(port, case, count):
    _, qos, size = case
    return [CLIENTS / "mqtt_fill", "127.0.0.1", port, "publish", qos, size, count]


def measure(command, port, case, count, errors=None):
    """One run of a contender: microseconds a message, and of CPU. It says "begin" if its CPU time is to be looked at from
    here, "ready" when it wants to be sent messages, and in the end "ns TIME", perhaps with "cpu_us TIME"."""
    command = [str(c) for c in command]
    filler, before, said, ns = None, 0, "", None
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors or subprocess.STDOUT,
                          text=True, env={**os.environ, "ADDER_ROOT": str(ROOT)}) as process:
        try:
            for line in process.stdout:
                said += line
                if line.startswith("begin"):
                    before = cpu_us(process.pid)
                elif line.startswith("ready"):
                    filler = subprocess.Popen([str(c) for c in fill(port, case, count)], stdout=subprocess.DEVNULL)
                elif m := re.match(r"ns (\d+)(?: cpu_us (\d+))?", line):
                    cpu = int(m[2]) if m[2] else cpu_us(process.pid) - before
                    ns = int(m[1])
            if process.wait(PATIENCE) or (filler and filler.wait(PATIENCE)) or ns is None:
                raise SystemExit(f"{' '.join(command)}: failed\n{said}")
        finally:
            process.kill()
    return ns / 1000 / count, cpu / count


def names(case):
    way, qos, size = case
    return f"{way} {qos} {size if size < 1024 else f'{size // 1024}K'}"


class Distance:
    """Between the CPUs."""

    least = None
    rounds = far = kept_far = 0

    @classmethod
    def now(cls):
        ns = int(subprocess.run([CLIENTS / "core_to_core"], check=True, capture_output=True, text=True).stdout)
        cls.least = ns if cls.least is None else min(cls.least, ns)
        return ns

    @classmethod
    def is_far(cls, ns):
        return ns > FAR * cls.least

    @classmethod
    def note(cls):
        return (f"from CPU to CPU and back: {cls.least} ns at best; in {cls.far} of {cls.rounds} rounds it took more than "
                f"{FAR} times that, {cls.kept_far} of them counted all the same")


def compare(contenders, rounds, port, case, count):
    """Medians of each contender: {name: (microseconds a message, of CPU)}."""
    order, seen = list(contenders), []
    after = Distance.now()
    while sum(not Distance.is_far(ns) for ns, _ in seen) < rounds and len(seen) < 2 * rounds:
        order.append(order.pop(0))
        before = after
        found = {name: measure(contenders[name](case, count), port, case, count)
                 for name in (order if len(seen) % 2 else reversed(order))}
        after = Distance.now()
        seen.append((max(before, after), found))
    seen.sort(key=lambda entry: entry[0])
    Distance.rounds += len(seen)
    Distance.far += sum(Distance.is_far(ns) for ns, _ in seen)
    Distance.kept_far += sum(Distance.is_far(ns) for ns, _ in seen[:rounds])
    return {name: [median(column) for column in zip(*(found[name] for _, found in seen[:rounds]))] for name in contenders}


def compare_aloud(context, kind, contenders, port, case, count):
    context.say(f"{kind} {names(case)}")
    return compare(contenders, ROUNDS[kind], port, case, count)


# ---- C ----

def c_client(name, port):
    def command(case, count):
        way, qos, size = case
        return [CLIENTS / name, "127.0.0.1", port, way, qos, size, count]

    return command


def c_clients(port, newest):
    def libmosquitto(case, count):
        return [*newest.client(CLIENTS / "mqtt_mosquitto"), *c_client("mqtt_mosquitto", port)(case, count)[1:]]

    return {"adder": c_client("mqtt_adder", port), "libmosquitto": libmosquitto, "Paho C": c_client("mqtt_paho", port)}


def instructions(context, port, newest):
    for case in COUNTED:
        context.say(f"C {names(case)}: instructions")
        found = {}
        for name, command in c_clients(port, newest).items():
            seen = []
            for count in (1000, 2000):
                out = context.work / "callgrind.txt"
                with out.open("w") as errors:
                    measure(["env", "MQTT_LOOKS=0", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command(case, count)],
                            port, case, count, errors)
                seen.append(int(re.search(r"Collected : (\d+)", out.read_text())[1]))
            found[name] = (seen[1] - seen[0]) / 1000
        yield Row(f"C {names(case)}", "instructions each", "", found.pop("adder"), found)


def rows(case, label, found, mine):
    rates = {name: 1e6 / us for name, (us, _) in found.items()}
    cpus = {name: cpu for name, (_, cpu) in found.items()}
    yield Row(case, f"{label}messages", "1/s", rates.pop(mine), rates, less_is_better=False)
    yield Row(case, f"{label}CPU each", "us", cpus.pop(mine), cpus)


def in_c(context, port, newest):
    for case, (count, _) in CASES.items():
        yield from rows(f"C {names(case)}", "", compare_aloud(context, "C", c_clients(port, newest), port, case, count), "adder")


# ---- Python ----

def board(context, program, port):
    drive = stand.drive(context.work / program, HERE / f"{program}.py")

    def command(case, count):
        (drive / "job.txt").write_text(" ".join(map(str, (port, *case, count))))
        return [context.program, "run", drive, "--board", "adafruit_feather_esp32s3_tft", "--headless", "--for", PATIENCE]

    return command


def cpython(context, program, port):
    return lambda case, count: [context.python, HERE / f"{program}.py", port, *case, count]


def in_python(context, port, _):
    ours = {"minimqtt": board(context, "board_minimqtt", port), "adder.mqtt": board(context, "board_client", port)}
    peers = {"MiniMQTT": cpython(context, "peer_minimqtt", port), "paho-python": cpython(context, "peer_paho", port)}
    for case, (_, count) in CASES.items():
        contenders = {**ours, **peers}
        if case[1] == 2:
            del contenders["MiniMQTT"]
        found = compare_aloud(context, "py", contenders, port, case, count)
        for mine in ours:
            yield from rows(f"py {names(case)}", f"{mine}: ", {n: f for n, f in found.items() if n == mine or n in peers}, mine)


# ---- what was hoped for ----

def goals(timed):
    """A line for each goal: how many of the rates meet it, and those that do not."""
    rates = [row for row in timed if not row.less_is_better]
    wanted = [("C publish 0 64, the engine", "libmosquitto", 2, lambda row: row.case == "C publish 0 64" and
               row.metric == "messages"),
              ("C, the engine", "libmosquitto", 1, lambda row: row.case.startswith("C ") and row.metric == "messages")]
    for mine in ("minimqtt", "adder.mqtt"):
        for peer, factor in (("MiniMQTT", 5), ("paho-python", 1)):
            wanted.append((f"py, {mine}", peer, factor, lambda row, mine=mine: row.metric.startswith(f"{mine}:")))
    for text, peer, factor, belongs in wanted:
        ratios = {row.case: row.adder / row.peers[peer] for row in rates if belongs(row) and peer in row.peers}
        missed = [f"{case} {ratio:.2f}" for case, ratio in ratios.items() if ratio < factor]
        NOTES.append(f"goal, {text}: {factor} times {peer}'s rate; met by {len(ratios) - len(missed)} of {len(ratios)}"
                     + (f", not by {', '.join(missed)}" if missed else ""))
    ours = max(row.adder for row in rates if row.case.startswith("py "))
    best = max(row.peers["MiniMQTT"] for row in rates if "MiniMQTT" in row.peers)
    NOTES.append(f"goal, py, the best rate: 5 times MiniMQTT's; it is {ours / best:.1f} times ({ours:,.0f} and {best:,.0f})")


def broker_alone(port, version):
    limits = []
    for qos in (0, 1):
        for size, count in ((64, 40000), (K16, 4000)):
            case = ("publish", qos, size)
            us = compare({"fill": lambda case, count: fill(port, case, count)}, ROUNDS["C"], port, case, count)["fill"][0]
            limits.append(f"{1e6 / us:,.0f} of QoS {qos} and {size} bytes")
    NOTES.append(f"mosquitto {version}, fed with packets made before, takes this many messages a second: " + ", ".join(limits))


def installed_alone(context):
    """Why it is not the installed one that all this is measured with."""
    installed = Mosquitto()
    broker = stand.Broker(context.work, installed.broker)
    try:
        broker_alone(broker.port, installed.version)
    finally:
        broker.end()


def one_at_a_time(port):
    """What is there for those who wait in publish()."""
    case = ("publish", 1, 64)
    client = c_client("mqtt_adder", port)
    us = compare({"adder": lambda case, count: [*client(case, count), 1]}, ROUNDS["C"], port, case, 5000)["adder"][0]
    NOTES.append(f"one message of QoS 1 at a time, by the engine in C, as far as waiting in publish() may get: {1e6 / us:,.0f} "
                 "a second")


def run(context):
    context.run("cmake", "--preset", "release", cwd=ROOT)  # it may not have seen the libraries before
    context.run("cmake", "--build", CLIENTS, "--target", "mqtt_clients", cwd=ROOT)
    newest, missing = mosquitto(context)
    NOTES.extend([missing] if missing else [])
    NOTES.append(f"broker and libmosquitto: mosquitto {newest.version}")
    broker = stand.Broker(context.work, newest.broker)
    timed = []
    try:
        yield from instructions(context, broker.port, newest)
        for part in (in_c, in_python):
            for row in part(context, broker.port, newest):
                timed.append(row)
                yield row
        broker_alone(broker.port, newest.version)
        one_at_a_time(broker.port)
    finally:
        broker.end()
    installed_alone(context)
    NOTES.append(Distance.note())
    goals(timed)
    yield from ticks(context, newest.broker, NOTES)
