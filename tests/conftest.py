"""What every test of the built program shares.

    def test_prints(adder):
        run = adder("print(6 * 7)")
        assert run.code == 0 and "42" in run.out

    def test_interrupts(board):
        b = board("while True: pass")
        b.expect("code.py output:")
        b.send("\x03")
        b.expect("KeyboardInterrupt")

The program under test is build/release/adder, or the one ADDER_PROGRAM names."""

import os
import pty
import select
import signal
import subprocess
import time
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
        pytest.fail(f"{PROGRAM} is not built")
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


class Board:
    """A running `adder run` and its console: a terminal (pty) or pipes."""

    def __init__(self, command, terminal, cwd, env):
        self.seen = ""  # all output so far, CR removed
        self.at = 0  # what expect() has passed
        self.terminal = terminal
        if terminal:
            self.console, theirs = pty.openpty()
            # A session of its own, with the pty as its terminal: as an interactive shell starts a program.
            self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=env,
                                            start_new_session=True, preexec_fn=_take_terminal)
            os.close(theirs)
            self.keys = self.console
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, cwd=cwd, env=env)
            self.console = self.process.stdout.fileno()
            self.keys = self.process.stdin.fileno()

    def send(self, text):
        os.write(self.keys, text.encode() if isinstance(text, str) else text)

    def read(self, seconds):
        """Take in what comes within the time; False at the end of the output."""
        if not select.select([self.console], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.console, 65536)
        except OSError:
            data = b""
        self.seen += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def expect(self, text, timeout=15):
        """Wait for the text after what was expected before; what stands in front of it."""
        end = time.monotonic() + timeout
        while text not in self.seen[self.at:]:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} within {timeout} s; the console since then:\n{self.seen[self.at:]}"
            if not self.read(min(left, 0.5)):
                assert text in self.seen[self.at:], f"ended without {text!r}:\n{self.seen[self.at:]}"
        start = self.at
        found = self.seen.index(text, start)
        self.at = found + len(text)
        return self.seen[start:found]

    def quiet(self, seconds):
        """What comes in that time."""
        end = time.monotonic() + seconds
        start = len(self.seen)
        while (left := end - time.monotonic()) > 0 and self.read(left):
            pass
        return self.seen[start:]

    def repl(self):
        """From the idle prompt into the REPL."""
        self.expect("Use CTRL-D to reload.\n")
        self.send("\r")
        self.expect(">>> ")

    def command(self, line):
        """A line typed in the REPL; what it printed."""
        self.send(line + "\r")
        self.expect("\n")
        return self.expect(">>> ")

    def end(self, timeout=10):
        """Wait for the end; the exit code. `seen` holds everything then."""
        deadline = time.monotonic() + timeout
        while self.read(0.2) and time.monotonic() < deadline:
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.terminal:
            os.close(self.console)
        else:
            self.process.stdin.close()
            self.process.stdout.close()


def _take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def board(program, drive, tmp_path):
    """Start code.py (its text; None = whatever is on the drive) and talk to it."""
    boards = []

    def start(code, *options, files=None, terminal=False, target=None, env=None):
        if code is not None:
            (drive / "code.py").write_text(code)
        for name, text in (files or {}).items():
            path = drive / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        b = Board([program, "run", target or drive, "--headless", *options], terminal, tmp_path,
                  {**os.environ, "ADDER_ROOT": str(ROOT), **(env or {})})
        boards.append(b)
        return b

    yield start
    for b in boards:
        b.close()


@pytest.fixture
def command(program, tmp_path):
    """Any command line of adder."""

    def run(*args, timeout=60, env=None, cwd=None):
        done = subprocess.run([program, *args], cwd=cwd or tmp_path, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, env={**os.environ, "ADDER_ROOT": str(ROOT), **(env or {})})
        return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    return run
