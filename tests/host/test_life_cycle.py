"""The life of code.py: texts, order, reload, interrupts, ends."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_program_runs_and_ends(adder):
    run = adder("print('hello')")
    assert run.code == 0
    assert run.out == ("\nAuto-reload is on. Simply save files over USB to run them or enter REPL to disable.\n"
                       "code.py output:\nhello\n\nCode done running.\n\n"
                       "Press any key to enter the REPL. Use CTRL-D to reload.\n")


def test_the_order_of_names(adder, drive):
    for name in ("main.txt", "main.py", "code.txt"):
        (drive / name).write_text(f"print('I am {name}')")
    assert "I am code.txt" in adder("print('code.py')").out
    (drive / "code.txt").unlink()
    assert "code.py output:\nyes" in adder("print('yes')").out
    (drive / "code.py").unlink()
    assert "main.py output:\nI am main.py" in adder(drive).out


def test_two_extensions(adder, drive):
    (drive / "code.py.txt").write_text("print('found')")
    run = adder(drive)
    assert "WARNING: Your code filename has two extensions\ncode.py.txt output:\nfound" in run.out


def test_a_file_runs_as_code_under_its_own_name(adder, drive):
    (drive / "blink.py").write_text("import helper\nhelper.go()\n")
    (drive / "helper.py").write_text("def go():\n    1 / 0\n")
    (drive / "code.py").write_text("print('not me')")
    run = adder(drive / "blink.py")
    assert "blink.py output:\n" in run.out and "not me" not in run.out
    assert 'File "blink.py", line 2, in <module>\n  File "helper.py", line 2, in go\nZeroDivisionError' in run.out
    assert run.code == 1


def test_no_code(adder, drive):
    run = adder(drive)
    assert "no code.py" in run.err and str(drive) in run.err
    assert run.code == 0


def test_boot_py_writes_boot_out(adder, drive):
    run = adder("print('code')", files={"boot.py": "print('booting', 6 * 7)"})
    text = (drive / "boot_out.txt").read_text()
    assert text.startswith("Adafruit CircuitPython 10.") and "Board ID:pyportal\n" in text
    assert text.endswith("boot.py output:\nbooting 42\n")
    assert "booting" not in run.out and "code\n" in run.out
    before = os.stat(drive / "boot_out.txt").st_mtime_ns
    adder("print('code')")
    assert os.stat(drive / "boot_out.txt").st_mtime_ns == before  # rewritten only when it differs


def test_an_error_in_boot_py_does_not_stop_the_board(adder, drive):
    run = adder("print('code runs')", files={"boot.py": "1 / 0"})
    assert "code runs" in run.out and "boot_out.txt" in run.err
    assert 'File "boot.py", line 1, in <module>\nZeroDivisionError' in (drive / "boot_out.txt").read_text()


def test_sys_exit_is_silent(adder):
    run = adder("import sys\nprint('a')\nsys.exit(3)\n")
    assert run.code == 0 and "Traceback" not in run.out and "Code done running." in run.out


def test_for_zero_reaches_the_first_line(adder):
    begin = time.monotonic()
    run = adder("print('never')", seconds=0)
    assert run.code == 0 and "code.py output:" in run.out and "never" not in run.out
    assert time.monotonic() - begin < 5


def test_for_ends_a_program_that_goes_on(adder):
    run = adder("import time\nwhile True:\n    print('x')\n    time.sleep(0.1)\n", seconds=1)
    assert run.code == 0 and 5 <= run.out.count("x\n") <= 12


def test_for_ends_a_program_that_catches_everything(adder):
    run = adder("while True:\n    try:\n        while True: pass\n    except: pass\n", seconds=0.5)
    assert run.code == 0


@pytest.mark.parametrize("terminal", [False, True])
def test_ctrl_c_then_the_repl_then_ctrl_d(board, terminal):
    b = board("import time\nprint('go')\nwhile True:\n    time.sleep(1)\n", terminal=terminal)
    b.expect("go\n")
    b.quiet(0.2)
    b.send("\x03")
    b.expect('Traceback (most recent call last):\n  File "code.py", line 4, in <module>\nKeyboardInterrupt: \n')
    b.expect("\nCode done running.\n")
    b.expect("Press any key to enter the REPL. Use CTRL-D to reload.\n")
    b.send("x")
    b.expect("\nAdafruit CircuitPython 10.")
    b.expect("; Adafruit PyPortal with samd51j20\n>>> ")
    b.send("\x04")
    b.expect("soft reboot\n")
    b.expect("code.py output:\ngo\n")


def test_a_busy_loop_can_be_interrupted(board):
    b = board("print('go')\nwhile True:\n    pass\n")
    b.expect("go\n")
    b.send("\x03")
    b.expect("KeyboardInterrupt: \n", timeout=3)


def test_ctrl_d_when_idle_runs_again(board):
    b = board("import supervisor\nprint('reason', supervisor.runtime.run_reason)")
    b.expect("reason supervisor.RunReason.STARTUP\n")
    b.expect("Use CTRL-D to reload.\n")
    b.send("\x04")
    b.expect("soft reboot\n")
    b.expect("reason supervisor.RunReason.REPL_RELOAD\n")
    assert "Press any key" not in b.quiet(0.3)  # said once per connection


def test_auto_reload(board, drive):
    b = board("import time\nprint('one')\nwhile True:\n    time.sleep(0.01)\n")
    b.expect("one\n")
    time.sleep(0.2)
    begin = time.monotonic()
    (drive / "code.py").write_text("import supervisor\nprint('two', supervisor.runtime.run_reason)\n")
    b.expect("\nCode stopped by auto-reload. Reloading soon.\n", timeout=2)
    stopped = time.monotonic() - begin
    b.expect("soft reboot\n")
    b.expect("two supervisor.RunReason.AUTO_RELOAD\n")
    assert stopped < 0.4 and 0.7 < time.monotonic() - begin < 2


def test_auto_reload_when_idle_and_of_new_folders(board, drive):
    b = board("print('one')\n")
    b.expect("Use CTRL-D to reload.\n")
    (drive / "lib").mkdir()
    time.sleep(0.3)
    (drive / "lib" / "thing.py").write_text("x = 5\n")
    (drive / "code.py").write_text("import thing\nprint('thing', thing.x)\n")
    b.expect("thing 5\n")
    b.quiet(0.5)
    (drive / "lib" / "thing.py").write_text("x = 6\n")
    b.expect("thing 6\n")


def test_what_is_not_a_change(board, drive):
    b = board("print('one')\n")
    b.expect("Use CTRL-D to reload.\n")
    (drive / ".code.py.swp").write_text("x")
    (drive / "code.py~").write_text("x")
    (drive / "boot_out.txt").write_text("x")
    assert "soft reboot" not in b.quiet(1.2)


def test_auto_reload_can_be_off_and_rests_in_the_repl(board, drive):
    b = board("import supervisor\nsupervisor.runtime.autoreload = False\nprint('one')\n")
    b.expect("Use CTRL-D to reload.\n")
    (drive / "x.py").write_text("1")
    assert "soft reboot" not in b.quiet(1.2)
    b.send("\r")
    b.expect(">>> ")
    (drive / "x.py").write_text("2")
    assert "soft reboot" not in b.quiet(1.0)


def test_every_run_is_a_fresh_interpreter(board):
    b = board("import sys, os, json\nprint('clean', 'marker' not in dir(json), os.getcwd())\n"
              "json.marker = 1\nos.chdir('/lib')\n", files={"lib/a.py": ""})
    for _ in range(3):
        b.expect("clean True /\n")
        b.expect("Code done running.\n")
        b.quiet(0.2)
        b.send("\x04")


def test_supervisor_reload(board):
    b = board("import supervisor\nr = supervisor.runtime.run_reason\nprint(r)\n"
              "if r == supervisor.RunReason.STARTUP:\n    supervisor.reload()\n")
    b.expect("RunReason.STARTUP\n")
    b.expect("soft reboot\n")
    b.expect("RunReason.SUPERVISOR_RELOAD\n")
    b.expect("Code done running.\n")


def test_reset_boots_again(board):
    b = board("import microcontroller as m\nprint(m.cpu.reset_reason)\n"
              "if m.cpu.reset_reason == m.ResetReason.POWER_ON:\n    m.reset()\n", files={"boot.py": ""})
    b.expect("ResetReason.POWER_ON\n")
    b.expect("ResetReason.SOFTWARE\n")


def test_next_code_file_and_previous_traceback(board):
    b = board("import supervisor\nsupervisor.set_next_code_file('other.py')\nraise ValueError('first')\n",
              files={"other.py": "import supervisor\nprint(repr(supervisor.get_previous_traceback()))\n"})
    b.expect("ValueError: first\n")
    b.expect("Use CTRL-D to reload.\n")
    b.send("\x04")
    b.expect("other.py output:\n")
    said = b.expect("Code done")
    assert said.startswith("'Traceback (most recent call last):") and "ValueError: first" in said
    b.send("\x04")
    b.expect("code.py output:\n")  # not sticky


def test_next_code_file_reloads_and_sticks(board):
    b = board("import supervisor\nsupervisor.set_next_code_file('other.py', reload_on_success=True, sticky_on_success=True)\n",
              files={"other.py": "import os\nprint('other', os.getcwd())\n"})
    b.expect("Code done running.\n")
    b.expect("Use CTRL-D to reload.\n")
    b.send("\x04")
    for _ in range(3):
        b.expect("other.py output:\nother /\n")


def test_atexit_runs_at_every_kind_of_end(adder):
    run = adder("import atexit\natexit.register(print, 'first')\natexit.register(print, 'second')\n1 / 0\n")
    assert run.out.index("second") < run.out.index("first") < run.out.index("ZeroDivisionError")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_in_good_order(board, number, tmp_path):
    b = board("import time\nprint('go')\nwhile True: time.sleep(1)\n", "--report", "r.json", "--screenshot", "s.png")
    b.expect("go\n")
    b.process.send_signal(number)
    assert b.end() == 0
    assert (tmp_path / "r.json").stat().st_size > 10 and (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("where", ["idle", "repl", "repl busy", "boot", "input"])
def test_a_signal_ends_it_wherever_it_is(board, where):
    files = {"boot.py": "while True: pass\n"} if where == "boot" else {}
    b = board("x = input('? ')\n" if where == "input" else "print('go')\n", files=files)
    if where == "input":
        b.expect("? ")
    elif where == "boot":
        b.quiet(0.5)
    else:
        b.expect("Use CTRL-D to reload.\n")
    if where.startswith("repl"):
        b.send("\r")
        b.expect(">>> ")
    if where == "repl busy":
        b.send("while True: pass\r\r\r")
        b.quiet(0.3)
    b.process.send_signal(signal.SIGTERM)
    assert b.end() == 0


def test_a_lot_of_input_waits_for_the_program(program, drive):
    lines = 20000
    (drive / "code.py").write_text(f"n = 0\nfor i in range({lines}): n += len(input())\nprint('sum', n)\n")
    done = subprocess.run([program, "run", drive, "--headless"], input=b"0123456789\n" * lines, capture_output=True,
                          timeout=120, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    assert f"sum {10 * lines}\n".encode() in done.stdout and done.returncode == 0


def test_ctrl_x_and_double_ctrl_c_quit_a_terminal(board):
    b = board("print('go')\n", terminal=True)
    b.expect("Ctrl-X quits")
    b.expect("Use CTRL-D to reload.\n")
    b.send("\x03")
    b.expect("Ctrl-C again")
    b.send("\x03")
    assert b.end() == 0
    b = board("while True: pass\n", terminal=True)
    b.expect("code.py output:")
    b.send("\x18")
    assert b.end() == 0


def test_the_terminal_is_put_back(board):
    import termios

    b = board("print('go')\n", terminal=True)
    b.expect("Use CTRL-D to reload.\n")
    assert not termios.tcgetattr(b.console)[3] & termios.ECHO
    b.process.send_signal(signal.SIGTERM)
    b.end()
    assert termios.tcgetattr(b.console)[3] & termios.ECHO


def test_standard_input_is_typed(program, drive, tmp_path):
    (drive / "code.py").write_text("name = input('who? ')\nprint('hi', name)\n")
    done = subprocess.run([program, "run", drive, "--headless"], input=b"Ada\n", capture_output=True, timeout=30,
                          env={**os.environ, "ADDER_ROOT": str(ROOT)})
    assert b"hi Ada\n" in done.stdout and done.returncode == 0


def test_a_closed_pipe_does_not_end_the_board_badly(program, drive):
    (drive / "code.py").write_text("for i in range(20000): print('line', i)\n")
    p = subprocess.Popen([program, "run", drive, "--headless", "--for", "3"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    p.stdout.read(100)
    p.stdout.close()
    assert p.wait(20) == 0


def test_safe_mode_and_out_of_it(board):
    b = board("print('code ran')\nimport microcontroller as m\nif m.cpu.reset_reason == m.ResetReason.POWER_ON:\n"
              "    m.on_next_reset(m.RunMode.SAFE_MODE)\n    m.reset()\n")
    b.expect("code ran\n")
    b.expect("Auto-reload is off.\nRunning in safe mode! Not running saved code.\n")
    b.expect("Use CTRL-D to reload.\n")
    b.send("\r")
    b.expect(">>> ")
    assert b.command("import supervisor; print(supervisor.runtime.safe_mode_reason)").endswith("PROGRAMMATIC\n")
    b.send("import microcontroller; microcontroller.reset()\r")
    b.expect("code.py output:\ncode ran\n")


def test_the_watchdog_raises(adder):
    run = adder("import microcontroller, watchdog, time\nw = microcontroller.watchdog\nw.timeout = 0.3\n"
                "w.mode = watchdog.WatchDogMode.RAISE\ntry:\n    time.sleep(5)\nexcept watchdog.WatchDogTimeout:\n"
                "    print('barked')\nw.mode = None\n")
    assert "barked\n" in run.out and run.code == 0


def test_the_watchdog_resets(board):
    b = board("import microcontroller as m, watchdog\nprint(m.cpu.reset_reason)\n"
              "if m.cpu.reset_reason == m.ResetReason.POWER_ON:\n    m.watchdog.timeout = 0.3\n"
              "    m.watchdog.mode = watchdog.WatchDogMode.RESET\n    while True: pass\n")
    b.expect("POWER_ON\n")
    b.expect("ResetReason.WATCHDOG\n")


def test_nvm_outlives_the_process(adder):
    code = "import microcontroller as m\nprint('nvm', m.nvm[0])\nm.nvm[0] = 7\n"
    adder(code)
    assert "nvm 7\n" in adder(code).out


def test_the_clock_of_the_board_goes_on_between_runs(board):
    b = board("import time\nprint('clock', time.monotonic())\n")
    b.expect("clock ")
    first = float(b.expect("\n"))
    b.expect("Use CTRL-D to reload.\n")
    b.send("\x04")
    b.expect("clock ")
    assert float(b.expect("\n")) > first


def test_the_console_is_drawn_on_the_display(adder, tmp_path):
    from_text = adder("print('#' * 50)\nimport time\ntime.sleep(1)\n", "--screenshot", "a.png")
    blank = adder("import time\ntime.sleep(1)\n", "--screenshot", "b.png")
    assert from_text.code == blank.code == 0
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_what_a_short_program_drew_is_on_the_picture(adder, tmp_path):
    """Even when it ended before the display's next frame was due."""
    adder("print('#' * 50)\n", "--screenshot", "a.png")
    adder("pass\n", "--screenshot", "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    adder("import board, displayio\nboard.DISPLAY.root_group = None\n", "--screenshot", "c.png")
    assert (tmp_path / "c.png").stat().st_size < (tmp_path / "b.png").stat().st_size
