"""examples/room_monitor as it is, on the firmware's libraries alone and on Adafruit's from PyPI, with mosquitto and its own
clients on the other side."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from held_port import hold_port

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = 'CIRCUITPY_WIFI_SSID = "home"\nCIRCUITPY_WIFI_PASSWORD = "secret123"\nMQTT_BROKER = "broker.test"\n'


@pytest.fixture
def broker(tmp_path):
    """mosquitto on a port of its own: (the port, what was published so far, a function that publishes)."""
    port = hold_port()
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    log = (tmp_path / "messages.txt").open("wb")
    server = subprocess.Popen(["mosquitto", "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    where = ["-h", "127.0.0.1", "-p", str(port)]
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    listener = subprocess.Popen(["mosquitto_sub", *where, "-t", "#", "-v"], stdout=log)

    def heard():
        return (tmp_path / "messages.txt").read_text().splitlines()

    def publish(topic, text):
        subprocess.run(["mosquitto_pub", *where, "-t", topic, "-m", text], check=True, timeout=20)

    yield port, heard, publish
    for process in listener, server:
        process.terminate()
        process.wait(10)
    log.close()


NO_PYPI = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}


@pytest.mark.parametrize("native", [True, False], ids=["native", "no-native"])
def test_room_monitor(program, board, drive, tmp_path, broker, native):
    port, heard, publish = broker
    shutil.copytree(ROOT / "examples/room_monitor", drive, dirs_exist_ok=True)
    shutil.rmtree(drive / ".adder", ignore_errors=True)
    network = {"access_points": [{"ssid": "home", "password": "secret123"}], "outside": False, "speed": 5,
               "hosts": {"broker.test:1883": f"127.0.0.1:{port}"}}
    b = board(None, *([] if native else ["--no-native"]), env=NO_PYPI if native else None,
              files={"settings.toml": SETTINGS, "network.json": json.dumps(network)})

    def until(condition, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no {what}: {heard()}\n{b.seen}"
            b.read(0.1)

    b.expect("MQTT: connected to broker.test", timeout=60 if native else 300)
    assert "PyPI" not in b.seen or not native
    until(lambda: any(line.startswith("room/temperature ") for line in heard()), "temperature")
    assert "room/lamp off" in heard()
    publish("room/lamp/set", "on")
    until(lambda: "room/lamp on" in heard(), "lamp")
    publish("room/lamp/set", "toggle")
    until(lambda: heard().count("room/lamp off") == 2, "second lamp")
    before = len([line for line in heard() if line.startswith("room/light ")])
    until(lambda: len([line for line in heard() if line.startswith("room/light ")]) > before + 1, "light")
    assert "Network:" not in b.seen and "Traceback" not in b.seen
