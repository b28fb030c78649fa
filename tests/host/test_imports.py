"""Which modules a program finds, and where."""

import pytest


def test_order_of_places(adder):
    run = adder("import one, two, sys\nprint(one.where, two.where, sys.path)\nprint(one.__file__, two.__file__)\n",
                files={"one.py": "where = 'top'\n", "lib/one.py": "where = 'lib'\n", "lib/two.py": "where = 'lib'\n"})
    assert "top lib ['', '/', '.frozen', '/lib']\none.py /lib/two.py\n" in run.out


def test_built_in_modules_cannot_be_replaced_from_the_drive(adder):
    run = adder("import json, math\nprint(json.dumps([1]), math.pi > 3)\n",
                files={"json.py": "raise 1", "lib/math.py": "raise 1"})
    assert "[1] True" in run.out


def test_modules_of_cpython_may_stand_on_the_drive(adder):
    """`secrets` was how settings were kept for years; CPython has a module of that name."""
    run = adder("from secrets import secrets\nprint(secrets['ssid'])\n",
                files={"secrets.py": "secrets = {'ssid': 'home'}\n"})
    assert "home" in run.out


@pytest.mark.parametrize("name", ["typing", "subprocess", "socket", "threading", "posix", "_thread", "ctypes", "_adder_vm",
                                  "_struct", "datetime", "importlib", "adder_vm", "pathlib", "logging"])
def test_what_circuitpython_lacks(adder, name):
    run = adder(f"try:\n    import {name}\nexcept ImportError as e:\n    print('right:', e)\n")
    assert f"right: no module named '{name}'\n" in run.out


def test_a_hint_with_an_uncaught_import_error(adder):
    run = adder("import subprocess\n")
    assert run.out.endswith(
        "Traceback (most recent call last):\n"
        '  File "code.py", line 1, in <module>\n'
        "ImportError: no module named 'subprocess'\n"
        "Hint: 'subprocess' is part of Python on a PC, but not of CircuitPython.\n"
        "\nCode done running.\n\nPress any key to enter the REPL. Use CTRL-D to reload.\n")
    assert "adder lib add adafruit_thing" in adder("import adafruit_thing\n").out


def test_packages(adder):
    run = adder("import pkg.sub.leaf\nfrom pkg import other\nfrom pkg.sub import *\n"
                "print(pkg.sub.leaf.x, other.y, pkg.__path__, starred, pkg.sub.leaf.up)\n",
                files={"lib/pkg/__init__.py": "top = 1\n", "lib/pkg/other.py": "from . import top\ny = top + 1\n",
                       "lib/pkg/sub/__init__.py": "starred = 's'\n",
                       "lib/pkg/sub/leaf.py": "from ..other import y as up\nfrom .. import top\nx = 'leaf'\n"})
    assert "leaf 2 /lib/pkg s 2\n" in run.out


def test_a_folder_without_init_is_a_package(adder):
    assert "deep 3" in adder("from a.b import c\nprint('deep', c.x)\n", files={"lib/a/b/c.py": "x = 3\n"}).out


def test_import_cycles(adder):
    run = adder("import a\nprint(a.x, a.b.y)\n", files={"a.py": "import b\nx = 1\n", "b.py": "import a\ny = 2\n"})
    assert "1 2\n" in run.out


def test_modules_of_a_package_that_import_each_other(adder):
    run = adder("import p\nprint(p.core.x, p.task.y)\n",
                files={"lib/p/__init__.py": "from . import core\n", "lib/p/core.py": "from . import task\nx = 1\n",
                       "lib/p/task.py": "from . import core\nimport p.core as again\ny = core is again\n"})
    assert "1 True\n" in run.out


def test_a_failed_import_can_be_tried_again(adder):
    run = adder("for _ in range(2):\n    try:\n        import bad\n    except ZeroDivisionError:\n        print('again')\n",
                files={"bad.py": "1 / 0\n"})
    assert run.out.count("again") == 2


def test_missing_submodule_and_attribute(adder):
    run = adder("import pkg\nfor s in ('import pkg.nope', 'from pkg import nope', 'import pkg.x.y'):\n"
                "    try: exec(s)\n    except ImportError as e: print('E', e)\n", files={"lib/pkg/__init__.py": "x = 1\n"})
    assert "E no module named 'pkg.nope'\n" in run.out and "E cannot import name 'nope'" in run.out
    assert "E no module named 'pkg.x'" in run.out


def test_compiled_libraries_are_refused_kindly(adder):
    run = adder("import adafruit_old\n", files={"lib/adafruit_old.mpy": "C\x06"})
    assert "ImportError: '/lib/adafruit_old.mpy' is compiled for a board" in run.out
    assert "adder lib add adafruit_old" in run.out


def test_source_is_preferred_to_a_compiled_library(adder):
    run = adder("import thing\nprint(thing.x)\n", files={"thing.mpy": "C", "lib/thing.py": "x = 'source'\n"})
    assert "source\n" in run.out


def test_libraries_of_requirements_come_last(adder, drive):
    files = {".adder/lib/mine.py": "x = 'cache'\n", ".adder/lib/only.py": "x = 'cached'\n", "lib/mine.py": "x = 'lib'\n"}
    run = adder("import mine, only\nprint(mine.x, only.x, only.__file__)\n", files=files)
    assert "lib cached /lib/only.py\n" in run.out


def test_a_module_the_firmwares_package_lacks_comes_from_a_copy_of_the_library(adder):
    code = "from adafruit_display_text import newer, label\nprint(newer.x, label.__file__)\n"
    run = adder(code, files={"lib/adafruit_display_text/newer.py": "x = 'copy'\n", "lib/adafruit_display_text/label.py": ""})
    assert "copy adafruit_display_text/label.py\n" in run.out
    assert "no module named 'adafruit_display_text.none'" in adder("import adafruit_display_text.none\n").out


def test_sys_path_can_be_extended(adder):
    run = adder("import sys\nsys.path.append('/more')\nimport extra\nprint(extra.__file__)\n", files={"more/extra.py": ""})
    assert "/more/extra.py\n" in run.out


def test_annotations_are_not_evaluated(adder):
    run = adder("def f(x: Nothing, *y: 'Or'[1]) -> That.There:\n    z: Undefined = 1\n    return z\nprint(f(1))\n"
                "class A:\n    b: Missing\nc: AlsoMissing = 2\nprint(c)\n")
    assert "1\n2\n" in run.out


def test_micropython_decorators_without_an_import(adder):
    run = adder("from micropython import const\nX = const(7)\n@micropython.native\ndef f(): return X\nprint(f())\n")
    assert "7\n" in run.out


def test_sys_tells_circuitpython(adder):
    run = adder("import sys\nprint(sys.implementation.name, sys.implementation.version[0] >= 10, sys.argv, sys.byteorder)\n"
                "print(sys.implementation[0], 'one' in sys.modules)\nimport one\nprint('one' in sys.modules)\n"
                "print(__name__, sys.modules['one'] is one)\n", files={"one.py": ""})
    assert "circuitpython True [] little\ncircuitpython False\nTrue\n__main__ True\n" in run.out


def test_the_cache_follows_the_source(adder, drive):
    assert "one" in adder("print('one')").out
    assert list((drive / ".adder/cache").glob("*.bin"))
    assert "two" in adder("print('two')").out
    for f in (drive / ".adder/cache").glob("*.bin"):
        f.write_bytes(f.read_bytes()[:-3])  # cut short by a full disk
    assert "two" in adder("print('two')").out


def test_small_modules(adder):
    run = adder("import rainbowio, collections, errno, gc, io, select, warnings, locale\n"
                "print(hex(rainbowio.colorwheel(0)), hex(rainbowio.colorwheel(128)))\n"
                "d = collections.deque((), 2, 1)\nd.append(1); d.append(2)\n"
                "try: d.append(3)\nexcept IndexError: print('full')\n"
                "print(errno.ENOENT, gc.mem_free() > 0, gc.mem_alloc() > 0, io.StringIO('x').read())\n"
                "warnings.warn('careful')\n")
    assert "0xff0000 0x7e81\nfull\n2 True True x\nWarning: careful\n" in run.out


def test_error_numbers_are_the_boards(adder):
    run = adder("import errno\nprint(errno.ETIMEDOUT, errno.errorcode[116], OSError(errno.ETIMEDOUT).errno)\n"
                "try: open('/nope')\nexcept OSError as e: print(e.errno == errno.ENOENT)\n"
                "print(OSError(116), OSError(2), OSError('a'), OSError(), repr(OSError(5)))\n")
    assert ("116 ETIMEDOUT 116\nTrue\n[Errno 116] ETIMEDOUT [Errno 2] No such file/directory a  OSError(5)\n") in run.out


def test_str_of_a_str_with_an_encoding(adder):
    run = adder("print(str('abc', 'utf-8'), str(b'def', 'utf-8'), str(b'x', encoding='utf-8'), type('') is str)\n")
    assert "\nabc def x True\n" in run.out


def test_json_load_reads_by_readinto(adder):
    run = adder("import io, json\n"
                "class S:\n"
                "    data = io.BytesIO(b'[1, 2, {\"a\": null}]')\n"
                "    def readinto(self, b):\n        return self.data.readinto(b)\n"
                "    def read(self, n=-1):\n        raise ValueError('not this way')\n"
                "print(json.load(S()), json.load(io.StringIO('7')), json.dumps({'k': 1}))\n"
                "try:\n    json.loads('{')\nexcept ValueError:\n    print('bad')\n")
    assert "[1, 2, {'a': None}] 7 {\"k\": 1}\nbad\n" in run.out


def test_the_program_knows_its_file(adder):
    assert "\ncode.py __main__\n" in adder("print(__file__, __name__)\n").out


def test_sound_takes_its_time(adder, drive):
    import wave

    with wave.open(str(drive / "s.wav"), "wb") as w:
        w.setnchannels(1), w.setsampwidth(2), w.setframerate(8000)
        w.writeframes(bytes(2 * 2400))
    run = adder("import board, audiocore, audioio, time\na = audioio.AudioOut(board.SPEAKER)\n"
                "w = audiocore.WaveFile(open('s.wav', 'rb'))\nprint(w.sample_rate, w.bits_per_sample, w.channel_count)\n"
                "t = time.monotonic()\na.play(w)\nwhile a.playing: pass\nprint(0.28 < time.monotonic() - t < 0.5)\n"
                "try: audiocore.WaveFile(open('code.py', 'rb'))\nexcept ValueError as e: print(e)\n")
    assert "8000 16 1\nTrue\nInvalid wave file\n" in run.out


def test_an_empty_card_slot(adder):
    run = adder("import board, sdcardio\ntry: sdcardio.SDCard(board.SPI(), board.SD_CS)\nexcept OSError as e: print('E', e)\n")
    assert "E no SD card\n" in run.out


def test_libraries_of_the_firmware_that_are_written_in_python(adder):
    """They import by the program's rules, show in tracebacks as on a board, and give way to --no-native."""
    files = {"lib/adafruit_esp32spi/__init__.py": "", "lib/adafruit_esp32spi/PWMOut.py": "PWMOut = 'of the drive'\n"}
    code = ("from adafruit_esp32spi.PWMOut import PWMOut\nimport adafruit_esp32spi.PWMOut as module\n"
            "print(module.__file__)\nprint(PWMOut)\nPWMOut(None, 99)\n")
    run = adder(code, files=files)
    assert "adafruit_esp32spi/PWMOut.py\n<class" in run.out
    assert '  File "adafruit_esp32spi/PWMOut.py", line ' in run.out and "AttributeError: Pin 99" in run.out
    assert "/lib/adafruit_esp32spi/PWMOut.py\nof the drive\n" in adder(code, "--no-native", files=files).out
