#!/usr/bin/env python3
"""Run Adafruit's own example programs, unmodified, on the simulated PyPortal.

    tests/peers/run_examples.py [--seconds 10] [--jobs 4] [--only NAME] [--json OUT] [--no-native]

The source packages come from PyPI into build/peers/ once. Each example runs headless on a drive of its
own with the libraries that `adder lib add` brings, while a timeline touches the screen and local
stand-ins answer for the internet. Libraries that Adder has in native form are used so, unless
--no-native is given. An example passes when no exception ended it. Exit status: 0 when at
least nine in ten of those whose hardware a PyPortal has pass.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
WORK = TOP / "build" / "peers"
ADDER = TOP / "build" / "release" / "adder"

sys.path.insert(0, str(HERE))
from standins import Standins  # noqa: E402

SETTINGS = """\
CIRCUITPY_WIFI_SSID = "Peers"
CIRCUITPY_WIFI_PASSWORD = "peer-examples"
CIRCUITPY_WIFI_ENT_IDENT = "peer"
CIRCUITPY_WIFI_ENT_USER = "peer"
CIRCUITPY_TIMEZONE = "Europe/Berlin"
ADAFRUIT_AIO_USERNAME = "peer"
ADAFRUIT_AIO_KEY = "aio_peer"
broker = "io.adafruit.com"
broker_port = "1883"
"""


@dataclass
class Result:
    library: str
    example: str
    outcome: str  # "passed", "failed", "other hardware", "broken upstream"
    cause: str = ""


def fetch_sources(libraries: list[str]) -> None:
    """The source packages (they carry the examples) from PyPI, unpacked once."""
    sources = WORK / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    missing = [n for n in libraries if not list(sources.glob(f"adafruit_circuitpython_{n.replace('-', '_')}-*"))]
    if not missing:
        return
    venv = WORK / "venv"
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "-U", "setuptools>=77", "setuptools-scm", "wheel"], check=True)
    for name in missing:
        print(f"fetching adafruit-circuitpython-{name}", flush=True)
        subprocess.run([venv / "bin/pip", "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", ":all:",
                        f"adafruit-circuitpython-{name}", "-d", str(WORK / "sdist")], check=True)
    for archive in (WORK / "sdist").glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(sources, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))


def fetch_libraries(libraries: list[str]) -> Path:
    """A drive whose lib/ holds everything, brought by the program itself."""
    template = WORK / "template"
    stamp = template / "lib" / ".complete"
    if stamp.exists() and stamp.read_text().split() == sorted(libraries):
        return template
    shutil.rmtree(template, ignore_errors=True)
    (template / "lib").mkdir(parents=True)
    (template / "code.py").write_text("")
    subprocess.run([ADDER, "lib", "add", *(f"adafruit-circuitpython-{n}" for n in libraries)], cwd=template, check=True)
    stamp.write_text(" ".join(sorted(libraries)))
    return template


def touches() -> list[dict[str, object]]:
    events: list[dict[str, object]] = []
    for second in range(1, 9):
        x, y = 40 + (second * 67) % 240, 40 + (second * 45) % 160
        events += [{"at": second, "touch": [x, y]}, {"at": second + 0.3, "release": True}]
    return events


def run_one(library: str, example: Path, folder: Path, template: Path, network: Path, seconds: float,
            extra: list[str]) -> Result:
    name = str(example.relative_to(folder))
    drive = WORK / "drives" / library / name.replace("/", "_").removesuffix(".py")
    shutil.rmtree(drive, ignore_errors=True)
    shutil.copytree(template, drive)
    shutil.copytree(folder, drive, dirs_exist_ok=True)
    if example.parent != folder:
        shutil.copytree(example.parent, drive, dirs_exist_ok=True)
    for font in drive.glob("fonts/*.bdf"):  # some examples look for them at the top
        shutil.copy(font, drive)
    shutil.copy(example, drive / "code.py")
    (drive / "settings.toml").write_text(SETTINGS)
    (drive / "touches.json").write_text(json.dumps(touches()))
    log = drive.parent / (drive.name + ".log")
    command = [ADDER, "run", drive, "--headless", "--for", str(seconds), "--network", network,
               "--input", drive / "touches.json", "--screenshot", drive.parent / (drive.name + ".png"), *extra]
    with log.open("wb") as out:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            return Result(library, name, "failed", "did not stop at --for")
    text = log.read_text(errors="replace")
    if done.returncode == 0 and "Traceback (most recent call last)" not in text:
        return Result(library, name, "passed")
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line or "Exception" in line] or lines[-1:]
    return Result(library, name, "failed", f"exit {done.returncode}: {errors[-1].strip()[:150] if errors else '?'}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--only", default="", help="only examples whose library or file name contains this")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-native", action="store_true", help="Adafruit's libraries from PyPI alone")
    options = parser.parse_args()

    table = tomllib.loads((HERE / "examples.toml").read_text())
    fetch_sources(table["libraries"])
    template = fetch_libraries(table["libraries"] + table["also"])

    jobs: list[tuple[str, Path, Path]] = []
    results: list[Result] = []
    for library in table["libraries"]:
        (folder,) = (WORK / "sources").glob(f"adafruit_circuitpython_{library.replace('-', '_')}-*/examples")
        for example in sorted(folder.rglob("*.py")):
            name = str(example.relative_to(folder))
            if options.only not in name and options.only not in library:
                continue
            for section in ("other_hardware", "broken_upstream"):
                cause = next((c for p, c in table[section].items() if fnmatch.fnmatch(name, p)), None)
                if cause:
                    results.append(Result(library, name, section.replace("_", " "), cause))
                    break
            else:
                jobs.append((library, example, folder))

    extra = ["--no-native"] if options.no_native else []
    with Standins(WORK / "standins") as services, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        network = WORK / "network.json"
        network.write_text(json.dumps(services.network, indent=2))
        futures = [pool.submit(run_one, *job, template, network, options.seconds, extra) for job in jobs]
        for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
            result = future.result()
            results.append(result)
            print(f"[{n}/{len(jobs)}] {result.outcome:7} {result.library}/{result.example} {result.cause}", flush=True)

    passed = sum(r.outcome == "passed" for r in results)
    for outcome in ("failed", "broken upstream", "other hardware"):
        listed = sorted((r for r in results if r.outcome == outcome), key=lambda r: (r.library, r.example))
        if listed:
            print(f"\n{outcome} ({len(listed)}):")
            for r in listed:
                print(f"  {r.library}/{r.example}: {r.cause}")
    ours = passed + sum(r.outcome in ("failed", "broken upstream") for r in results)
    share = passed / ours if ours else 0.0
    print(f"\n{passed} of {ours} examples whose hardware a PyPortal has ran {options.seconds:g} s ({share:.0%})")
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=2))
    return 0 if share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
