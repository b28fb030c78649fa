"""Error output, letter by letter as CircuitPython prints it."""


def trace(run):
    """From the first traceback to the end of the program."""
    return run.out.partition("output:\n")[2].rpartition("\nCode done running.")[0]


def test_a_traceback(adder):
    run = adder("def f():\n    return [1 / x for x in (0,)]\n\nf()\n")
    assert trace(run) == ("Traceback (most recent call last):\n"
                          '  File "code.py", line 4, in <module>\n'
                          '  File "code.py", line 2, in f\n'
                          '  File "code.py", line 2, in <listcomp>\n'
                          "ZeroDivisionError: division by zero\n")
    assert run.code == 1


def test_the_colon_stays_without_a_message(adder):
    assert trace(adder("raise ValueError\n")).endswith("\nValueError: \n")
    assert trace(adder("raise ValueError(1, 'two')\n")).endswith("\nValueError: (1, 'two')\n")
    assert trace(adder("{}['k']\n")).endswith("\nKeyError: k\n")


def test_frames_of_the_library_are_hidden(adder):
    run = adder("import json\njson.loads('{')\n")
    assert 'File "code.py", line 2' in run.out and "decoder" not in run.out and "adder" not in trace(run)


def test_a_syntax_error(adder):
    run = adder("x = 1\nif x\n    pass\n")
    assert trace(run) == ("Traceback (most recent call last):\n"
                          '  File "code.py", line 2\n'
                          "SyntaxError: expected ':'\n")
    assert run.code == 1


def test_a_syntax_error_in_a_library(adder):
    run = adder("import bad\n", files={"lib/bad.py": "\n\n)\n"})
    assert '  File "code.py", line 1, in <module>\n  File "/lib/bad.py", line 3\nSyntaxError: unmatched' in run.out


def test_indentation_and_bytes_that_are_no_text(adder, drive):
    assert "IndentationError: " in adder("if 1:\nx = 2\n").out
    (drive / "code.py").write_bytes(b"print('\xff\xfe')\n")
    run = adder(drive)
    assert "SyntaxError" in run.out and run.code == 1
    (drive / "code.py").write_bytes(b"print(1)\0\n")
    assert adder(drive).code == 1


def test_os_errors(adder):
    assert trace(adder("open('nope')\n")).endswith("\nOSError: [Errno 2] No such file/directory: nope\n")
    assert trace(adder("raise OSError(116)\n")).endswith("\nOSError: [Errno 116] ETIMEDOUT\n")
    assert trace(adder("raise OSError(19)\n")).endswith("OSError: [Errno 19] No such device\n")
    assert trace(adder("raise OSError(5, 'sensor')\n")).endswith("OSError: [Errno 5] Input/output error: sensor\n")
    assert trace(adder("raise OSError(70000)\n")).endswith("OSError: 70000\n")
    assert trace(adder("raise OSError('text')\n")).endswith("OSError: text\n")


def test_chained_errors(adder):
    run = adder("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e\n")
    assert trace(run) == ("Traceback (most recent call last):\n"
                          '  File "code.py", line 2, in <module>\n'
                          "ZeroDivisionError: division by zero\n"
                          "\nThe above exception was the direct cause of the following exception:\n\n"
                          "Traceback (most recent call last):\n"
                          '  File "code.py", line 4, in <module>\n'
                          "ValueError: v\n")
    run = adder("try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][1]\n")
    assert "\nDuring handling of the above exception, another exception occurred:\n\n" in run.out
    run = adder("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('v') from None\n")
    assert "ZeroDivisionError" not in run.out


def test_a_ring_of_causes_ends(adder):
    run = adder("a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a\n")
    assert run.code == 1 and run.out.count("ValueError: ") == 2


def test_deep_recursion(adder):
    run = adder("def f(): f()\nf()\n")
    assert "RuntimeError: maximum recursion depth exceeded" in run.out
    assert run.code == 1


def test_traceback_module(adder):
    run = adder("import traceback, io\ntry:\n    1 / 0\nexcept ZeroDivisionError as e:\n"
                "    traceback.print_exception(e)\n    traceback.print_exception(type(e), e, e.__traceback__)\n"
                "    print(traceback.format_exception(e) == [traceback.format_exception(e)[0]])\n"
                "    f = io.StringIO()\n    traceback.print_exception(e, file=f, limit=0)\n    print(repr(f.getvalue()))\n")
    assert run.out.count('Traceback (most recent call last):\n  File "code.py", line 3, in <module>\n') == 2
    assert "True\n'ZeroDivisionError: division by zero\\n'\n" in run.out


def test_an_error_whose_text_fails(adder):
    run = adder("class E(Exception):\n    def __str__(self): 1 / 0\nraise E(1)\n")
    assert trace(run).endswith("E: \n") and run.code == 1


def test_errors_leave_the_board_running(board):
    b = board("raise RuntimeError('x')\n")
    b.expect("RuntimeError: x\n")
    b.repl()
    assert b.command("1 + 1") == "2\n"


def test_an_os_error_with_one_argument_has_its_number(adder):
    run = adder(
        "import errno\n"
        "try:\n    raise OSError(errno.ETIMEDOUT)\nexcept OSError as e:\n    print(e.errno, e.errno == errno.ETIMEDOUT)\n"
        "try:\n    open('/none')\nexcept OSError as e:\n    print(e.errno)\n"
        "print(OSError('text').errno, OSError().errno)\n"
    )
    assert "116 True\n2\nNone None\n" in run.out
