#!/usr/bin/python3
"""The front of ./bench: an environment for the peers, the areas, one table, one JSON file.

An area is benches/AREA/ with a bench.py whose run(context) yields Row objects and a
requirements.txt with its peers. Rows of counts come before rows of times. A row that Adder loses
stays in the table."""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build"


@dataclass
class Row:
    case: str
    metric: str
    unit: str
    adder: float | None
    peers: dict = field(default_factory=dict)
    less_is_better: bool = True


class Context:
    """What an area may use: the program, the peers' Python, a folder for its files."""

    def __init__(self, area):
        self.root = ROOT
        self.program = BUILD / "release/adder"
        self.work = BUILD / "bench" / area
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.python = BUILD / "bench-venv/bin/python"

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def run(self, *command, **options):
        """Run a contender; its standard output."""
        done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env={**os.environ, "ADDER_ROOT": str(ROOT)}, **options)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def areas():
    return sorted(p.parent.name for p in HERE.glob("*/bench.py"))


def environment(names):
    wanted = "".join((HERE / n / "requirements.txt").read_text() for n in names)
    folder, mark = BUILD / "bench-venv", BUILD / "bench-venv/.requirements"
    if mark.exists() and mark.read_text() == wanted:
        return
    print("installing the peers into build/bench-venv", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
    packages = [name for line in wanted.splitlines() if (name := line.split("#")[0].strip())]
    if packages:
        subprocess.run([folder / "bin/pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
    mark.write_text(wanted)


def figure(value):
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 10 else f"{value:.4g}"


def table(rows):
    peers = list(dict.fromkeys(name for row in rows for name in row.peers))
    print(f"{'case':16} {'metric':22} {'unit':6} {'adder':>12} " + " ".join(f"{p:>18} {'ratio':>8}" for p in peers))
    for row in rows:
        line = f"{row.case:16} {row.metric:22} {row.unit:6} {figure(row.adder):>12} "
        for peer in peers:
            value = row.peers.get(peer)
            ratio = ""
            if value is not None and row.adder:
                ratio = f"{value / row.adder if row.less_is_better else row.adder / value:.2f}x"
            line += f"{figure(value):>18} {ratio:>8} "
        print(line.rstrip())


def main():
    parser = argparse.ArgumentParser(prog="./bench", description="Adder beside its peers, in one run.")
    parser.add_argument("areas", nargs="*", metavar="AREA")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        print("\n".join(areas()))
        return
    chosen = args.areas or areas()
    if unknown := set(chosen) - set(areas()):
        parser.error(f"no such area: {', '.join(sorted(unknown))} (there are: {', '.join(areas())})")
    environment(chosen)
    everything = []
    for area in chosen:
        print(f"{area}:", file=sys.stderr, flush=True)
        spec = importlib.util.spec_from_file_location(f"bench_{area}", HERE / area / "bench.py")
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(HERE / area))
        spec.loader.exec_module(module)
        rows = list(module.run(Context(area)))
        sys.path.pop(0)
        table(rows)
        for note in getattr(module, "NOTES", ()):
            print(note)
        everything += rows
    if args.json:
        Path(args.json).write_text(json.dumps(
            [{"case": r.case, "metric": r.metric, "unit": r.unit, "adder": r.adder, "peers": r.peers}
             for r in everything], indent=1) + "\n")


if __name__ == "__main__":
    sys.modules["run"] = sys.modules["__main__"]  # an area says `from run import Row`
    main()
