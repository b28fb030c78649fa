"""What every test of the built program shares.

    def test_prints(adder):
        run = adder("print(6 * 7)")
        assert run.code == 0 and "42" in run.out

The program under test is build/release/adder, or the one ADDER_PROGRAM names."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("ADDER_PROGRAM", ROOT / "build/release/adder"))


@dataclass
class Run:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def program():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    return PROGRAM


@pytest.fixture
def drive(tmp_path):
    """An empty CIRCUITPY drive."""
    folder = tmp_path / "CIRCUITPY"
    folder.mkdir()
    return folder


@pytest.fixture
def adder(program, drive, tmp_path):
    """Run code.py (its text, or a path) without a page until it ends or `seconds` are over."""

    def run(code, *options, seconds=10, files=None, timeout=60):
        target = code
        if not isinstance(code, Path):
            target = drive
            (drive / "code.py").write_text(code)
        for name, text in (files or {}).items():
            path = drive / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([program, "run", target, "--headless", "--for", str(seconds), *options],
                              cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              env={**os.environ, "ADDER_ROOT": str(ROOT)})
        return Run(done.returncode, done.stdout.decode(errors="replace"),
                   done.stderr.decode(errors="replace"))

    return run
