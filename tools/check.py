#!/usr/bin/python3
"""The steps of ./check, two at a time, with one line each and one summary at the end.

A step is a function that runs commands through its Step and adds to the counts. What a command
prints goes to build/check/STEP.log; the end of it is shown when the step fails."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import fuzz

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "check"
SOURCES = ("include", "src", "sim", "python", "host", "ports", "tests", "benches")
FUZZ_SECONDS = int(os.environ.get("ADDER_FUZZ_SECONDS", "5"))
STEP_SECONDS = 900


class Failed(Exception):
    """A step cannot go on; the text says why."""


class Step:
    def __init__(self, name, about, action, after=()):
        self.name, self.about, self.action, self.after = name, about, action, after
        self.passed = self.failed = self.skipped = 0
        self.problems, self.report, self.seconds = [], "", 0.0
        self.log_path = LOGS / f"{name}.log"
        self.log = None

    def run(self, *command, cwd=ROOT, env=None, seconds=STEP_SECONDS):
        """Run a command into the log; (exit code, output)."""
        command = [str(c) for c in command]
        self.log.write(f"$ {' '.join(command)}\n")
        self.log.flush()
        try:
            done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
            code, out = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as e:
            code, out = 124, (e.stdout or b"").decode(errors="replace") + f"\n(ended after {seconds} s)\n"
        except OSError as e:
            code, out = 127, f"{e}\n"
        self.log.write(out + f"(exit code {code})\n")
        self.log.flush()
        return code, out

    def must(self, *command, **options):
        code, out = self.run(*command, **options)
        if code:
            raise Failed(f"exit code {code}: {' '.join(map(str, command))}")
        return out

    def expect(self, what, ok, why=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.problems.append(f"{what}{': ' + why if why else ''}")

    def go(self):
        started = time.monotonic()
        with open(self.log_path, "w") as self.log:
            try:
                self.action(self)
            except Failed as e:
                self.expect("stopped", False, str(e))
            except Exception as e:  # a defect of the check itself must not pass for a success
                self.expect("the check itself failed", False, f"{type(e).__name__}: {e}")
        self.seconds = time.monotonic() - started
        return self

    def line(self):
        state = "FAIL" if self.failed else "ok" if self.passed else "skip"
        counts = f"{self.passed} passed" + (f", {self.failed} failed" if self.failed else "") + (
            f", {self.skipped} skipped" if self.skipped else "")
        return f"  {state:4} {self.name:13} {counts:32} {self.seconds:6.1f} s"


# ---- building ----

def configure(step, preset):
    """Configure a preset once; again when what it is made of changed, for the tool chain is cached."""
    folder = BUILD / preset
    mark = folder / ".configured"
    inputs = [ROOT / "CMakePresets.json", *ROOT.glob("tests/*/toolchain.cmake")]
    recipe = f"{ROOT}\n" + "".join(p.read_text() for p in inputs)
    if not mark.exists() or mark.read_text() != recipe:
        if preset != "release":  # ./adder's own build is left alone
            shutil.rmtree(folder, ignore_errors=True)
        launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        step.must("cmake", "--preset", preset, *launcher)
        mark.write_text(recipe)
    return folder


def build(step, preset, *targets):
    folder = configure(step, preset)
    step.must("ninja", "-C", folder, "-k", "20", *targets)
    step.passed += 1
    return folder


CMOCKA_OK = re.compile(r"\[\s+OK \]")
CMOCKA_BAD = re.compile(r"\[  FAILED  \] (\w+)$", re.M)
CMOCKA_SKIP = re.compile(r"\[  SKIPPED \] \w+$", re.M)


def unit_tests(step, folder, env=None):
    """ctest; the counts are of cmocka's tests, not of the programs that hold them."""
    code, out = step.run("ctest", "--test-dir", folder, "-V", "-j", "2", env=env)
    if "No tests were found" in out:
        return
    bad = set(CMOCKA_BAD.findall(out))
    programs = dict(re.findall(r"^\s*(\d+) - (\w+) \(", out, re.M))
    step.passed += len(CMOCKA_OK.findall(out))
    step.skipped += len(CMOCKA_SKIP.findall(out)) // 2
    for name in sorted(bad):
        step.expect(name, False)
    for number, name in programs.items():
        said = re.findall(rf"^{number}: (.*)$", out, re.M)
        if not bad:  # crashed or hung without naming a test
            step.expect(name, False, "ended badly")
        step.problems.append(f"{name} said:\n" + "\n".join(line[:160] for line in said[-25:]))
    if code and not bad and not programs:
        raise Failed("ctest failed")


# ---- the steps ----

def c_files():
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            if "node_modules" not in path.parts:
                yield path


def format_step(step):
    code, out = step.run("clang-format", "--dry-run", "-Werror", *c_files())
    files = sorted({os.path.relpath(m, ROOT) for m in re.findall(r"^(\S+?):\d+:\d+: error", out, re.M)})
    step.expect("clang-format -i would change", code == 0, ", ".join(files))


def includes_step(step):
    code, out = step.run(ROOT / "tools/check_includes")
    step.expect("include rules", code == 0, out.strip())
    for header in sorted((ROOT / "include").rglob("*.h")):  # each stands alone, in any order
        code, _ = step.run("gcc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror",
                           "-fsyntax-only", "-I", ROOT / "include", "-x", "c", header)
        step.expect(f"{header.relative_to(ROOT)} alone", code == 0)


def gcc_step(step):
    unit_tests(step, build(step, "release"))


def clang_step(step):
    unit_tests(step, build(step, "clang"))


def asan_step(step):
    folder = build(step, "asan")
    unit_tests(step, folder, {"ASAN_OPTIONS": "detect_stack_use_after_return=1",
                              "LSAN_OPTIONS": f"suppressions={ROOT / 'tools/lsan.supp'}",
                              "UBSAN_OPTIONS": "print_stacktrace=1"})


def powerpc_step(step):
    unit_tests(step, build(step, "powerpc"))


def cortex_m3_step(step):
    unit_tests(step, build(step, "cortex-m3"))


def cortex_m4_step(step):
    unit_tests(step, build(step, "cortex-m4"))


def sizes_step(step):
    folders = [build(step, "cortex-m0plus"), build(step, "cortex-m4", "adder_core", "adder_mqtt_311")]
    code, out = step.run(ROOT / "tools/sizes.py", *folders)
    step.report = "\n".join(line for line in out.splitlines() if not line.startswith("src/")).rstrip()
    (LOGS / "sizes.txt").write_text(step.report + "\n")
    step.expect("the core's objects", code == 0, "\n".join(l for l in out.splitlines() if l.startswith("src/")))


def fuzz_step(step):
    """What is kept, and some seconds of the same inputs each time: a change is judged by what it changed. New ones are
    looked for by ./fuzz."""
    folder = build(step, "fuzz")
    targets = sorted(p for p in folder.glob("*_fuzz") if os.access(p, os.X_OK))
    for target in targets:
        found = LOGS / "fuzz" / target.name
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir(parents=True)
        code, out = step.run(*fuzz.command(target, found, FUZZ_SECONDS, "-seed=1"), seconds=FUZZ_SECONDS * 4 + 60,
                             env={"ADDER_ROOT": str(ROOT)})
        step.expect(target.name, code == 0, fuzz.broken_input(out) or f"exit code {code}")


def venv(step):
    """pytest in an environment of its own, made again when its list changes."""
    folder = BUILD / "venv"
    mark = folder / ".requirements"
    wanted = (ROOT / "tests/requirements.txt").read_text() + str(ROOT)
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        step.must("/usr/bin/python3", "-m", "venv", folder)
        step.must(folder / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r",
                  ROOT / "tests/requirements.txt")
        mark.write_text(wanted)
    return folder / "bin/python"


def pytest_step(step):
    python = venv(step)
    program = BUILD / "release/adder"
    code, out = step.run(python, "-m", "pytest", "-q", "-ra", "--color=no", "-p", "no:cacheprovider", ROOT / "tests",
                         seconds=2 * STEP_SECONDS, env={"ADDER_PROGRAM": str(program), "PYTHONDONTWRITEBYTECODE": "1"})
    tail = out.strip().splitlines()[-1] if out.strip() else ""
    for word, name in (("passed", "passed"), ("failed", "failed"), ("errors?", "failed"), ("skipped", "skipped")):
        if m := re.search(rf"(\d+) {word}\b", tail):
            setattr(step, name, getattr(step, name) + int(m[1]))
    step.problems += re.findall(r"^(?:FAILED|ERROR) (.+)$", out, re.M)
    if code not in (0, 1, 5):
        raise Failed(f"pytest: {tail}")


def peers_step(step):
    """Adafruit's own examples. The bar is nine in ten; the rest is listed with its cause either way."""
    results = LOGS / "peers.json"
    results.unlink(missing_ok=True)
    code, out = step.run("/usr/bin/python3", "-B", ROOT / "tests/peers/run_examples.py", "--json", results)
    if not results.exists():
        raise Failed((out.strip().splitlines() or ["no output"])[-1])
    found = json.loads(results.read_text())
    bad = [f"{r['library']}/{r['example']}: {r['cause']}" for r in found if r["outcome"] == "failed"]
    step.passed += sum(r["outcome"] == "passed" for r in found)
    step.skipped += sum(r["outcome"] in ("other hardware", "broken upstream") for r in found)
    step.report = "\n".join(["Adafruit's examples: " + out.strip().splitlines()[-1], *(f"  {b}" for b in bad)])
    if code:
        step.problems += bad
        step.failed += len(bad)
    else:
        step.skipped += len(bad)
    code, out = step.run("/usr/bin/python3", "-B", ROOT / "tests/peers/displayio/compare.py")
    *differing, summary = out.strip().splitlines() or ["displayio beside Blinka: no output"]
    step.report += "\n" + summary
    step.passed += code == 0
    if code:
        step.problems += differing or [summary]
        step.failed += 1


def web_step(step):
    web = ROOT / "web"
    if not (web / "package.json").exists():
        step.skipped += 1
        return
    lock = web / "node_modules/.package-lock.json"
    if not lock.exists() or lock.stat().st_mtime < (web / "package.json").stat().st_mtime:
        step.must("npm", "ci", "--no-audit", "--no-fund", cwd=web)
    scripts = step.must("npm", "run", cwd=web)
    step.must("npm", "run", "build", cwd=web)
    step.passed += 1
    for script in ("typecheck", "lint", "test", "browser"):
        if not re.search(rf"^  {script}$", scripts, re.M):
            continue
        code, out = step.run("npm", "run", script, cwd=web, env={
            "CI": "1", "NO_COLOR": "1", "ADDER_ROOT": str(ROOT), "ADDER_PROGRAM": str(BUILD / "release/adder"),
            "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"})
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        counts = re.findall(r"^\s*(?:Tests\s+)?(?:.*\| )?(\d+) passed", plain, re.M)
        if code:
            names = re.findall(r"^\s*(?:FAIL|\d+\))\s+(.+)$", plain, re.M)
            for name in names or [f"exit code {code}"]:
                step.expect(f"npm run {script}", False, name)
        else:
            step.passed += int(counts[-1]) if counts else 1


def docs_step(step):
    """Links inside the tree lead somewhere, and the README's program prints what the README says."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if not page.exists():
            continue
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text):
            if not re.match(r"https?:|mailto:", target):
                step.expect(f"{page.relative_to(ROOT)}: link", (page.parent / target).exists(), target)
    code, out = step.run(ROOT / "tools/check_readme")
    step.expect("README.md", code == 0, out.strip())


STEPS = [
    Step("format", "clang-format would change nothing", format_step),
    Step("includes", "who may include whom; public headers stand alone", includes_step),
    Step("gcc", "release build with gcc, unit tests", gcc_step),
    Step("pytest", "tests/: programs on the simulated board", pytest_step, ("gcc",)),
    Step("asan", "AddressSanitizer and UBSan, unit tests", asan_step),
    Step("clang", "release build with clang, unit tests", clang_step),
    Step("sizes", "Cortex-M0+ and M4 builds: code, data, stack; no heap, no globals", sizes_step),
    Step("cortex-m3", "unit tests of src/ on an emulated Cortex-M3", cortex_m3_step),
    Step("cortex-m4", "unit tests of src/ on an emulated Cortex-M4", cortex_m4_step, ("sizes",)),
    Step("powerpc", "unit tests of src/ on 32 bits, big-endian", powerpc_step),
    Step("peers", "Adafruit's own examples, unmodified (nine in ten)", peers_step, ("gcc",)),
    Step("fuzz", f"every fuzz target for {FUZZ_SECONDS} s", fuzz_step),
    Step("web", "the board view: types, unit tests, browser", web_step, ("gcc",)),
    Step("docs", "links, and the README's program", docs_step, ("gcc",)),
]


def run_all(steps):
    """Two at a time, in order, each after the steps it stands on (where those are chosen too)."""
    chosen = {s.name for s in steps}
    waiting, running, done = list(steps), {}, set()
    with ThreadPoolExecutor(2) as pool:
        while waiting or running:
            for step in list(waiting):
                if len(running) < 2 and all(n in done or n not in chosen for n in step.after):
                    waiting.remove(step)
                    running[pool.submit(step.go)] = step
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                step = running.pop(future)
                done.add(step.name)
                print(future.result().line(), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./check", description="Every test of this project.")
    parser.add_argument("--list", action="store_true", help="the steps")
    parser.add_argument("steps", nargs="*", metavar="NAME", help="only these")
    args = parser.parse_args()
    if args.list:
        for step in STEPS:
            print(f"{step.name:13} {step.about}")
        return 0
    unknown = set(args.steps) - {s.name for s in STEPS}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))} (./check --list)")
    steps = [s for s in STEPS if not args.steps or s.name in args.steps]
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    print(f"{len(steps)} steps, logs in build/check/", flush=True)
    run_all(steps)
    for step in steps:
        if step.report:
            print(f"\n{step.report}")
    for step in steps:
        if step.failed:
            print(f"\n{step.name} (build/check/{step.name}.log):")
            for text in step.problems[:20]:
                print("    " + text.replace("\n", "\n    "))
            log = step.log_path.read_text().splitlines()
            errors = [line for line in log if re.search(r": (fatal )?error: |undefined reference|ERROR: ", line)]
            print("    ... the log's errors:" if errors else "    ... and the log ends:")
            for text in errors[:10] or log[-15:]:
                print(f"    | {text[:160]}")
    passed, failed, skipped = (sum(getattr(s, k) for s in steps) for k in ("passed", "failed", "skipped"))
    print(f"\n{time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
