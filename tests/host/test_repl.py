"""The REPL: for people (line editing, history, completion) and for tools (raw mode)."""

import pytest


@pytest.fixture
def repl(board):
    b = board("print('ready')\n")
    b.repl()
    return b


def test_expressions_and_statements(repl):
    assert repl.command("1 + 2") == "3\n"
    assert repl.command("x = 'a'") == ""
    assert repl.command("x") == "'a'\n"
    assert repl.command("_ * 2") == "'aa'\n"
    assert repl.command("None") == ""
    assert repl.command("") == ""
    assert repl.command("import os; print(os.getcwd())") == "/\n"


def test_errors_in_the_repl(repl):
    assert repl.command("1/0") == ('Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n'
                                   "ZeroDivisionError: division by zero\n")
    assert repl.command("a b").startswith('Traceback (most recent call last):\n  File "<stdin>", line 1\nSyntaxError: ')
    assert "no module named 'subprocess'" in repl.command("import subprocess")


def test_code_of_the_program_is_gone(board):
    b = board("x = 1\n")
    b.repl()
    assert "NameError" in b.command("x")


def test_compound_statements_indent_themselves(repl):
    repl.send("for i in range(2):\r")
    repl.expect("...     ")
    repl.send("print('i', i)\r\r\r")
    repl.expect("i 0\ni 1\n>>> ")


def test_backspace_removes_a_step_of_indentation(repl):
    repl.send("if True:\r")
    repl.expect("...     ")
    repl.send("x = 5\r")
    repl.expect("...     ")
    repl.send("\x7f\r")
    repl.expect(">>> ")
    assert repl.command("x") == "5\n"


def test_open_brackets_and_long_strings_go_on(repl):
    repl.send("y = [1,\r")
    repl.expect("... ")
    repl.send("2]\r")
    repl.expect(">>> ")
    assert repl.command("y") == "[1, 2]\n"
    repl.send("s = '''a\r")
    repl.expect("... ")
    repl.send("b'''\r")
    repl.expect(">>> ")
    assert repl.command("s") == "'a\\nb'\n"


@pytest.mark.parametrize("typed, value", [
    ("12\x1b[D3", "132"), ("34\x01\x1b[C5", "354"), ("23\x1b[H1", "123"), ("12\x1b[D\x1b[D\x1b[F3", "123"),
    ("129\x7f3", "123"), ("1923\x1b[D\x1b[D\x1b[D\x1b[3~", "123"), ("1 + 99\x1b[1;5D\x0b22", "23"),
    ("999\x15123", "123"), ("1\x1b[Z23", "123"), ("'\u00e9\x1b[D\u00fc'", "''\u00fc'"),
])
def test_line_editing(repl, typed, value):
    if value.startswith("''"):
        typed, value = "'\u00e9'\x1b[D\x1b[D\u00fc", "'\u00fc\u00e9'"
    assert repl.command(typed) == value + "\n"


def test_bytes_that_are_no_text(repl):
    repl.send(b"\xff\x80\xc3)\r")
    repl.expect(">>> ")
    assert repl.command("1") == "1\n"


def test_history(repl):
    repl.command("40 + 2")
    repl.command("'other'")
    assert repl.command("\x1b[A\x1b[A") == "42\n"
    assert repl.command("\x1b[A\x1b[A\x1b[A\x1b[B") == "'other'\n"


def test_completion(repl):
    repl.command("import sys")
    assert repl.command("sys.imple\t.name") == "'circuitpython'\n"
    repl.send("sys.std\t")
    repl.expect("stderr")
    repl.expect(">>> sys.std")
    repl.send("\x03")
    repl.expect(">>> ")
    repl.send("import microp\t\r")
    repl.expect(">>> ")
    assert repl.command("micropython.const(4)") == "4\n"


def test_ctrl_c_drops_the_line_and_interrupts(repl):
    repl.send("garbage(\x03")
    repl.expect("\n>>> ")
    repl.send("while True: pass\r\r\r")
    repl.expect("... ")
    repl.quiet(0.3)
    repl.send("\x03")
    repl.expect("KeyboardInterrupt: \n>>> ")


def test_paste_mode(repl):
    repl.send("\x05")
    repl.expect("paste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== ")
    repl.send("def f():\r\n    return 7\r\n\r\nprint(f())\r\n\x04")
    repl.expect("7\n>>> ")
    repl.send("\x05x = 1\x03")
    repl.expect(">>> ")
    assert "NameError" in repl.command("x")


def test_ctrl_b_shows_the_banner(repl):
    repl.send("\x02")
    repl.expect("Adafruit CircuitPython 10.")
    repl.expect(">>> ")


def test_input_in_the_repl(repl):
    repl.send("n = input('n? ')\r")
    repl.expect("n? ")
    repl.send("12\x7f3\r")
    repl.expect(">>> ")
    assert repl.command("n") == "'13'\n"


def test_help(repl):
    assert 'To list built-in modules type `help("modules")`.' in repl.command("help()")
    listed = repl.command("help('modules')").split()
    assert "json" in listed and "os" in listed and "subprocess" not in listed and "_adder_vm" not in listed
    assert "is of type dict" in repl.command("help({})")


def test_exit_leaves_the_repl(repl):
    repl.send("raise SystemExit\r")
    repl.expect("soft reboot\n")
    repl.expect("ready\n")


def test_repl_py_runs_first(board):
    b = board("pass\n", files={"repl.py": "greeting = 'hi'\n"})
    b.repl()
    assert b.command("greeting") == "'hi'\n"


# ---- raw ----


@pytest.fixture
def raw(repl):
    repl.send("\x01")
    repl.expect("raw REPL; CTRL-B to exit\n>")
    return repl


def test_raw_repl(raw):
    raw.send("print(1 +\n2)\x04")
    raw.expect("OK3\n\x04\x04>")
    raw.send("1/0\x04")
    raw.expect('OK\x04Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nZeroDivisionError: '
               "division by zero\n\x04>")
    raw.send("x = 5\x04")
    raw.expect("OK\x04\x04>")
    raw.send("garbage\x03print(x)\x04")
    raw.expect("OK5\n\x04\x04>")
    raw.send("\x02")
    raw.expect("Adafruit CircuitPython")
    raw.expect(">>> ")


def test_raw_repl_interrupt(raw):
    raw.send("while True: pass\x04")
    raw.expect("OK")
    raw.quiet(0.3)
    raw.send("\x03")
    raw.expect("\x04Traceback")
    raw.expect("KeyboardInterrupt: \n\x04>")


def test_raw_repl_soft_reset(raw):
    raw.send("\x04")
    raw.expect("OK\n")
    raw.expect("soft reboot\n")
    raw.expect("ready\n")


def test_raw_paste(raw):
    raw.send("\x05A\x01")
    raw.expect("R\x01")
    raw.expect("\x01")
    code = "print('" + "z" * 300 + "')\n"
    for i in range(0, len(code), 128):  # never more than the window ahead
        raw.send(code[i:i + 128])
        if i + 128 <= len(code):
            raw.expect("\x01")
    raw.send("\x04")
    raw.expect("\x04" + "z" * 300 + "\n\x04\x04>")


def test_unknown_raw_command_is_text(raw):
    raw.send("\x05B\x01")
    raw.expect("raw REPL; CTRL-B to exit\n>")
    raw.send("print(2)\x04")
    raw.expect("OK2\n\x04\x04>")
