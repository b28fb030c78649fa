"""The include rules are only worth something if a breach is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).resolve().parents[2] / "tools/check_includes"


def check(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_clean_tree_passes(tmp_path):
    code, out = check(tmp_path, {
        "include/adder/display.h": '#include <stdint.h>\n',
        "src/display/display.c": '#include "adder/display.h"\n#include "display_int.h"\n#include <string.h>\n',
        "src/display/display_int.h": "",
        "src/display/display_test.c": '#include <cmocka.h>\n#include <stdio.h>\n#include "src/display/test_screen.h"\n',
        "src/display/test_screen.h": "#include <unistd.h>\n",
        "sim/board.c": '#include "adder/display.h"\n#include <pthread.h>\n',
        "python/layer/cpython.c": "#include <Python.h>\n",
    })
    assert code == 0, out


@pytest.mark.parametrize("name, text, complaint", [
    ("src/display/display.c", "#include <unistd.h>", "C language's own headers"),
    ("src/display/display.c", "#include <time.h>", "C language's own headers"),
    ("src/display/display.c", '#include "sim/sim.h"', "may not include"),
    ("src/display/display.c", "#include <Python.h>", "Python's own API"),
    ("python/modules/time.c", "#include <Python.h>", "Python's own API"),
    ("python/modules/time.c", '#include "sim/sim.h"', "may not include"),
    ("sim/board.c", '#include "host/web.h"', "may not include"),
    ("include/adder/display.h", '#include "src/base/base_int.h"', "may not include"),
    ("src/display/display.c", '#include "test_screen.h"', "belongs to a test"),
])
def test_breach_is_named(tmp_path, name, text, complaint):
    code, out = check(tmp_path, {"sim/sim.h": "", "host/web.h": "", "src/base/base_int.h": "", "src/display/test_screen.h": "",
                                 name: f"\n{text}\n"})
    assert code == 1
    assert f"{name}:2:" in out and complaint in out


def test_circle_of_modules(tmp_path):
    code, out = check(tmp_path, {
        "include/adder/a.h": "", "include/adder/b.h": "",
        "src/a/a.c": '#include "adder/b.h"\n',
        "src/b/b.c": '#include "adder/a.h"\n',
    })
    assert code == 1
    assert "a -> b -> a" in out and "src/a/a.c:1" in out
