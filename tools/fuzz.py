#!/usr/bin/python3
"""The front of ./fuzz: targets of libFuzzer one after the other, what they found, and their corpus.

What a run finds goes on in the next one (build/fuzz-found/TARGET). --keep takes what reaches something new into
tests/fuzz/TARGET, as few files as do: ./check begins with these."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build/fuzz"
FOUND = ROOT / "build/fuzz-found"
ENV = {**os.environ, "ADDER_ROOT": str(ROOT)}
LIMITS = "-timeout=10", "-rss_limit_mb=2048"


def command(target, found, seconds, *more):
    """One target for so long, from what is kept for it and what is in `found`, where new inputs go."""
    kept = ROOT / "tests/fuzz" / target.name
    return [target, found, *([kept] if kept.is_dir() else []), f"-max_total_time={seconds}", *LIMITS,
            f"-artifact_prefix={found}-", "-print_final_stats=1", *more]


def broken_input(output):
    """The file with the input that broke the target, or None."""
    written = re.search(r"Test unit written to (\S+)", output)
    return written and written[1]


def build():
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", BUILT]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    return {p.name: p for p in sorted(BUILT.glob("*_fuzz")) if os.access(p, os.X_OK)}


def fuzz(target, seconds):
    """One target for so long: did it stay whole?"""
    found = FOUND / target.name
    found.mkdir(parents=True, exist_ok=True)
    log = FOUND / f"{target.name}.log"
    print(f"{target.name:22} {seconds / 60:5.1f} min ... ", end="", flush=True)
    with log.open("w") as out:
        done = subprocess.run(command(target, found, seconds), env=ENV, stdout=out, stderr=out)
    text = log.read_text(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    reached = re.findall(r" cov: (\d+)", text)
    figures = f"{int(runs[1]) if runs else 0:,} inputs, {reached[-1] if reached else '?'} edges"
    if done.returncode == 0:
        print(f"clean: {figures}", flush=True)
    else:
        print(f"BROKEN: {figures}\n  input: {broken_input(text) or '(none written)'}\n  log:   {log}", flush=True)
    return done.returncode == 0


def keep(target):
    """The corpus again, from the kept and the found inputs: the fewest that reach all that these reach."""
    kept, found, new = ROOT / "tests/fuzz" / target.name, FOUND / target.name, FOUND / f"{target.name}-new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    kept.mkdir(exist_ok=True)
    subprocess.run([target, "-set_cover_merge=1", *LIMITS, new, kept, found], env=ENV, check=True, capture_output=True)
    have = {p.read_bytes() for p in kept.iterdir()}
    added = [p for p in sorted(new.iterdir()) if p.read_bytes() not in have]
    for path in added:
        shutil.copy(path, kept / f"seed_{path.name[:8]}")
    print(f"{target.name:22} {len(added)} more inputs kept, {len(have) + len(added)} in all", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./fuzz", description="Look for inputs that break something.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all of them where none is named")
    parser.add_argument("--minutes", type=float, default=1, help="for each target (1)")
    parser.add_argument("--keep", action="store_true", help="take what reaches something new into tests/fuzz")
    parser.add_argument("--list", action="store_true", help="the targets")
    args = parser.parse_args()
    targets = build()
    if args.list:
        print(*targets, sep="\n")
        return 0
    unknown = set(args.targets) - set(targets)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))} (./fuzz --list)")
    chosen = [targets[name] for name in args.targets or targets]
    whole = [fuzz(target, int(args.minutes * 60)) for target in chosen]
    if args.keep:
        for target in chosen:
            keep(target)
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(main())
