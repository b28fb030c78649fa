"""Libraries from PyPI: names, what is needed and what is not, requirements.txt. pip gets its packages
from a folder, so nothing here needs the network."""

import zipfile

import pytest


@pytest.fixture
def shop(tmp_path):
    """A folder of wheels instead of PyPI; the environment that makes pip use it."""
    folder = tmp_path / "shop"
    folder.mkdir()

    def add(package, files, needs=(), version="1.0.0"):
        stem = f"{package.replace('-', '_')}-{version}"
        info = f"{stem}.dist-info"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as z:
            for name, text in files.items():
                z.writestr(name, text)
            z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
                       + "".join(f"Requires-Dist: {n}\n" for n in needs) + "\nRequires-Dist: in-the-description\n")
            z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            z.writestr(f"{info}/RECORD", "".join(f"{n},,\n" for n in files))

    add("adafruit-circuitpython-minimqtt", {"adafruit_minimqtt/__init__.py": "", "adafruit_minimqtt/x.py": "y = 1\n"},
        ["Adafruit-Blinka", "adafruit-circuitpython-connectionmanager (>=1.0)", "adafruit_circuitpython_ticks",
         "pyserial", 'adafruit-circuitpython-secret; extra == "optional"'])
    add("adafruit-circuitpython-connectionmanager", {"adafruit_connection_manager.py": "z = 2\n"})
    add("adafruit-circuitpython-ticks", {"adafruit_ticks.py": "", "examples/demo.py": ""}, ["Adafruit-Blinka"])
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}
    return add, env


OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}


@pytest.mark.parametrize("name", ["adafruit_minimqtt", "MiniMQTT", "adafruit-circuitpython-minimqtt",
                                  "Adafruit CircuitPython MiniMQTT", "Adafruit_CircuitPython_MiniMQTT>=1.0"])
def test_add_brings_what_is_needed_and_no_more(command, drive, shop, name):
    run = command("lib", "add", name, "--project", drive, env=shop[1])
    assert run.code == 0, run.err
    assert {p.name for p in (drive / "lib").iterdir()} == {
        "adafruit_minimqtt", "adafruit_connection_manager.py", "adafruit_ticks.py", ".adder.json"}
    assert "adafruit-circuitpython-ticks 1.0.0: adafruit_ticks.py" in run.err
    listed = command("lib", "list", "--project", drive).out
    assert "adafruit-circuitpython-minimqtt 1.0.0: adafruit_minimqtt\n" in listed


def test_twice_is_nothing_to_do_and_upgrade_brings_the_newest(command, drive, shop):
    add, env = shop
    assert command("lib", "add", "adafruit_ticks", "--project", drive, env=env).code == 0
    assert "already there" in command("lib", "add", "adafruit_ticks", "--project", drive, env=env).err
    add("adafruit-circuitpython-ticks", {"adafruit_ticks.py": "new = 1\n"}, version="2.0.0")
    assert command("lib", "add", "--upgrade", "adafruit_ticks", "--project", drive, env=env).code == 0
    assert (drive / "lib/adafruit_ticks.py").read_text() == "new = 1\n"


def test_module_names_with_words(command, drive, shop):
    run = command("lib", "add", "adafruit_connection_manager", "--project", drive, env=shop[1])
    assert run.code == 0 and (drive / "lib/adafruit_connection_manager.py").exists()


def test_what_the_board_has_is_not_brought(command, drive, shop):
    run = command("lib", "add", "adafruit_bus_device", "adafruit-blinka", "--project", drive, env=shop[1])
    assert run.code == 0 and run.err.count("nothing to do") == 2


def test_unknown_libraries(command, drive, shop):
    run = command("lib", "add", "adafruit_minimqt", "--project", drive, env=shop[1])
    assert run.code == 1 and "has no library adafruit-circuitpython-minimqt; did you mean adafruit_minimqtt?" in run.err
    assert command("lib", "add", "adafruit_ticks==9.9", "--project", drive, env=shop[1]).code == 1
    assert command("lib", "add", "!!", "--project", drive, env=shop[1]).code == 2


def test_remove(command, drive, shop):
    command("lib", "add", "adafruit_minimqtt", "--project", drive, env=shop[1])
    run = command("lib", "remove", "MiniMQTT", "--project", drive)
    assert run.code == 0 and not (drive / "lib/adafruit_minimqtt").exists()
    run = command("lib", "remove", "adafruit_tick", "--project", drive)
    assert run.code == 1 and "did you mean" in run.err
    assert command("lib", "remove", "../code.py", "--project", drive).code == 1


def test_a_compiled_copy_gives_way(command, drive, shop):
    (drive / "lib").mkdir()
    (drive / "lib/adafruit_ticks.mpy").write_bytes(b"C")
    # present under its name: asked for by hand it is brought as source
    assert command("lib", "add", "adafruit_ticks", "--project", drive, env=shop[1]).code == 0
    assert (drive / "lib/adafruit_ticks.py").exists() and not (drive / "lib/adafruit_ticks.mpy").exists()


def test_offline(command, drive):
    run = command("lib", "add", "adafruit_ticks", "--project", drive, env=OFFLINE)
    assert run.code == 4 and "PyPI cannot be reached" in run.err


def test_requirements_are_brought_once(command, drive, shop):
    (drive / "requirements.txt").write_text("# what we need\nadafruit-circuitpython-minimqtt  # talk\nAdafruit-Blinka\n")
    (drive / "code.py").write_text("from adafruit_minimqtt import x\nimport adafruit_connection_manager as c\nprint(x.y, c.z)\n")
    run = command("run", drive, "--headless", "--no-native", env=shop[1])
    assert run.code == 0 and "1 2\n" in run.out
    assert "requirements.txt names 1 library not here yet" in run.err
    assert not (drive / "lib").exists()
    run = command("run", drive, "--headless", "--no-native", env=OFFLINE)
    assert run.code == 0 and "1 2\n" in run.out and "library" not in run.err


def test_requirements_that_the_firmware_has(command, drive, shop):
    """Nothing is brought but with --no-native; nor what another library needs."""
    shop[0]("adafruit-circuitpython-portal", {"adafruit_portal.py": "import adafruit_minimqtt.adafruit_minimqtt as m\n"},
            ["adafruit-circuitpython-minimqtt", "adafruit-circuitpython-ticks"])
    (drive / "requirements.txt").write_text("adafruit-circuitpython-minimqtt\nadafruit_connection_manager>=3\n")
    (drive / "code.py").write_text("import adafruit_minimqtt.adafruit_minimqtt as m\nprint(m.MQTT.__name__)\n")
    run = command("run", drive, "--headless", env=OFFLINE)
    assert run.code == 0 and "MQTT\n" in run.out and "PyPI" not in run.err
    (drive / "requirements.txt").write_text("adafruit-circuitpython-minimqtt\nadafruit_portal\n")
    (drive / "code.py").write_text("import adafruit_portal\nprint(adafruit_portal.m.MQTT.__name__)\n")
    run = command("run", drive, "--headless", env=shop[1])
    assert run.code == 0 and "MQTT\n" in run.out and "names 1 library" in run.err
    assert sorted(p.name for p in (drive / ".adder/lib").glob("*.py")) == ["adafruit_portal.py", "adafruit_ticks.py"]
    run = command("run", drive, "--headless", "--no-native", env=shop[1])
    assert "names 1 library" in run.err and (drive / ".adder/lib/adafruit_minimqtt").is_dir()


def test_requirements_in_lib_are_enough(command, drive, shop):
    (drive / "requirements.txt").write_text("adafruit_ticks\n")
    (drive / "lib").mkdir()
    (drive / "lib/adafruit_ticks.py").write_text("mine = 1\n")
    (drive / "code.py").write_text("import adafruit_ticks\nprint(adafruit_ticks.mine)\n")
    run = command("run", drive, "--headless", env=OFFLINE)
    assert run.code == 0 and "1\n" in run.out and "PyPI" not in run.err


def test_offline_the_program_runs_as_far_as_it_can(command, drive):
    (drive / "requirements.txt").write_text("adafruit-circuitpython-ticks\n")
    (drive / "code.py").write_text("print('begins')\nimport adafruit_ticks\n")
    run = command("run", drive, "--headless", env=OFFLINE)
    assert "PyPI cannot be reached" in run.err and "going on without" in run.err
    assert "begins" in run.out and "no module named 'adafruit_ticks'" in run.out and run.code == 1


def test_odd_lines_of_requirements(command, drive, shop):
    (drive / "requirements.txt").write_text("-r other.txt\nhttps://example.com/x.whl\n\nadafruit_ticks\n")
    (drive / "code.py").write_text("import adafruit_ticks\nprint('fine')\n")
    run = command("run", drive, "--headless", env=shop[1])
    assert "requirements.txt:1: only names" in run.err and "fine" in run.out
