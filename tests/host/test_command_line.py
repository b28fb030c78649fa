"""The command line: options, help, bad input; each message says what, where and what to do."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from held_port import hold_port

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_the_commands(command):
    run = command("help")
    assert run.code == 0
    for name in ("run", "new", "lib", "boards", "version", "design", "test", "provision"):
        assert f"\n  {name} " in run.out
    assert "Exit codes" in run.out
    assert command().code == 0
    for name in ("run", "new", "lib"):
        assert "Example" in command("help", name).out and command(name, "--help").out == command("help", name).out


@pytest.mark.parametrize("args, text", [
    (("rnu",), 'did you mean "run"?'),
    (("help", "boads"), 'did you mean "boards"?'),
    (("blink.py",), "adder run blink.py"),
    (("run", "--headles"), "did you mean --headless?"),
    (("run", "--xyzzy"), "`adder help run`"),
    (("run", "--board"), "--board needs a value"),
    (("run", "--headless=1"), "--headless takes no value"),
    (("run", "--port", "web"), '--port: "web" is not a number from 1 to 65535'),
    (("run", "--port", "0"), "from 1 to 65535"),
    (("run", "--for", "-1"), "--for"),
    (("run", "--for", "nan"), "--for"),
    (("run", "a", "b"), "one program at a time"),
    (("run", "--board", "pyportl", "."), "did you mean pyportal?"),
    (("run", "--board", "./nope.json", "."), "no such board file: ./nope.json"),
    (("run", "--screenshot", "/nope/x.png", "."), "cannot write /nope/x.png: No such file or directory"),
    (("run", "--report", "/nope/x.json", "."), "cannot write /nope/x.json"),
    (("lib",), "add, list or remove"),
    (("lib", "ad", "x"), 'did you mean "lib add"?'),
    (("lib", "add"), "which libraries?"),
    (("lib", "add", "--project", "/nope", "x"), "no such folder: /nope"),
    (("new",), "give one name"),
    (("design",), "not built yet"),
    (("test",), "not built yet"),
    (("provision",), "not built yet"),
])
def test_wrong_use(command, args, text):
    run = command(*args)
    assert run.code == 2 and text in run.err and run.err.startswith("adder: ") and not run.out


def test_no_such_program(command, tmp_path):
    (tmp_path / "blink.py").write_text("")
    run = command("run", "blnik.py")
    assert run.code == 2 and run.err == "adder: no such program: blnik.py; did you mean blink.py?\n"
    (tmp_path / "notes.md").write_text("")
    assert "notes.md is no Python file" in command("run", "notes.md").err


def test_version_and_boards(command):
    assert "CircuitPython API 10." in command("version").out
    assert "pyportal " in command("boards").out


@pytest.mark.parametrize("text, where", [
    ("{", "bad.json:1:"), ('{\n"id": "x",\n!}', "bad.json:3:"), ("[]", "bad.json"), ('{"id": "x"}', "bad.json"),
])
def test_malformed_board_file(command, drive, tmp_path, text, where):
    (drive / "code.py").write_text("")
    (tmp_path / "bad.json").write_text(text)
    run = command("run", drive, "--headless", "--board", "./bad.json")
    assert run.code == 2 and where in run.err


@pytest.mark.parametrize("text, where", [
    ("{", "net.json:1: "), ("[]", "net.json:1: expected an object"),
    ('{"access_points": [{"ssid": ""}]}', "access_points[0].ssid"),
    ('{"network": {"hosts": {"x": "127.0.0"}}}', 'hosts["x"]'),
])
def test_malformed_network_file(command, drive, tmp_path, text, where):
    (drive / "code.py").write_text("")
    (tmp_path / "net.json").write_text(text)
    run = command("run", drive, "--headless", "--network", "net.json")
    assert run.code == 2 and where in run.err
    assert command("run", drive, "--headless", "--network", "nope.json").code == 2


def test_chip_settings(command, drive):
    (drive / "code.py").write_text("print('ran')")
    run = command("run", drive, "--headless", "--for", "5", "--chip", "wifi.firmware=3.3.0",
                  "--chip=wifi.mac=24:0a:c4:00:00:07", "--report", "out.json")
    assert run.code == 0 and "ran" in run.out
    assert '"3.3.0"' in (drive.parent / "out.json").read_text()
    for value, where in (("wifi.firmware=9.9", 'modelled are "1.7.7"'), ("wifi.firmware", "is not like"),
                         ("nope.firmware=3.3.0", "no such chip"), (".x=1", "is not like")):
        run = command("run", drive, "--headless", "--chip", value)
        assert run.code == 2 and where in run.err, run.err


@pytest.mark.parametrize("text, where", [
    ("{", "ev.json"), ('[{"at": 1, "touch": [1, 9999]}]', "ev.json: [0]"), ('[{"at": 1, "whatever": 1}]', "ev.json: [0]"),
])
def test_malformed_timeline(command, drive, tmp_path, text, where):
    (drive / "code.py").write_text("")
    (tmp_path / "ev.json").write_text(text)
    run = command("run", drive, "--headless", "--input", "ev.json")
    assert run.code == 2 and where in run.err


def test_the_timeline_types_on_the_console(adder, tmp_path):
    (tmp_path / "ev.json").write_text('[{"at": 0.2, "console": "Ada\\r"}]')
    run = adder("print('hi', input('who? '))\n", "--input", "ev.json")
    assert "who? Ada\nhi Ada\n" in run.out


def test_screenshot_and_report(adder, tmp_path):
    run = adder("print('x')\n", "--screenshot", "s.png", "--report", "r.json")
    assert run.code == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert isinstance(json.loads((tmp_path / "r.json").read_text()), dict)


def run_with_page(program, drive, *options):
    return subprocess.Popen([program, "run", drive, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "ADDER_ROOT": str(ROOT)})


def address(process):
    for line in process.stderr:
        if b"http://127.0.0.1:" in line:
            return int(line.split(b"127.0.0.1:")[1].split(b"/")[0])
    return None


def test_the_port_asked_for_is_taken(program, command, drive):
    (drive / "code.py").write_text("print('x')\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = command("run", drive, "--port", str(port), "--for", "2")
    assert run.code == 3 and f"port {port} is taken by" in run.err and f"(process {os.getpid()})" in run.err and "leave --port out" in run.err


def test_without_port_the_next_free_one_is_taken(program, drive):
    (drive / "code.py").write_text("print('x')\n")
    both = [run_with_page(program, drive) for _ in range(2)]
    try:
        ports = [address(p) for p in both]
        assert ports[0] and ports[1] and ports[0] != ports[1]
    finally:
        for p in both:
            p.send_signal(signal.SIGTERM)
        assert [p.wait(10) for p in both] == [0, 0]
        for p in both:
            for stream in (p.stdin, p.stdout, p.stderr):
                stream.close()


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_broker_starts_for_a_local_broker_and_leaves_no_orphan(program, drive, number):
    port = hold_port()
    (drive / "code.py").write_text("while True: pass\n")
    (drive / "settings.toml").write_text(f'MQTT_BROKER = "localhost"\nMQTT_PORT = {port}\n')
    p = subprocess.Popen([program, "run", drive, "--headless"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    try:
        said = b""
        for line in p.stderr:
            said += line
            if b"mosquitto" in line:
                break
        assert f"mosquitto on 127.0.0.1:{port}".encode() in said
        socket.create_connection(("127.0.0.1", port)).close()
        assert len(children_of(p.pid)) == 1
        p.send_signal(number)
    finally:
        if p.poll() is None and number == signal.SIGKILL:
            p.kill()
        p.terminate()
        p.wait(10)
        for stream in (p.stdin, p.stdout, p.stderr):
            stream.close()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("the broker outlived adder")


def test_no_broker_unless_named(adder):
    assert "mosquitto" not in adder("print('x')\n", files={"settings.toml": 'MQTT_BROKER = "io.example.com"\n'}).err


def test_new_makes_a_project_that_runs(command, tmp_path):
    run = command("new", "garden")
    assert run.code == 0 and "adder run garden" in run.out
    assert {p.name for p in (tmp_path / "garden").iterdir()} == {"code.py", "settings.toml", "lib", ".gitignore"}
    run = command("new", "garden")
    assert run.code == 2 and "already there" in run.err
    run = command("run", "garden", "--headless", "--for", "1.5")
    assert run.code == 0 and "color 0x20a060" in run.out


def test_a_drive_that_cannot_be_written_still_runs(command, drive, tmp_path):
    (drive / "code.py").write_text("print('runs')\n")
    (drive / "boot.py").write_text("print('b')\n")
    os.chmod(drive, 0o555)
    try:
        run = command("run", drive, "--headless")
        assert run.code == 0 and "runs" in run.out
    finally:
        os.chmod(drive, 0o755)
