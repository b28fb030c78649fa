"""The display libraries of the firmware beside Adafruit's, unmodified from PyPI: the same scenes with both on one
simulated board, the same pixels, the same answers, the same exceptions (display_libraries/compare.py)."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCENES = Path(__file__).resolve().parent / "display_libraries"
PACKAGES = {"adafruit_display_text": "peer_display_text", "adafruit_display_shapes": "peer_display_shapes",
            "adafruit_button": "peer_button"}


@pytest.fixture(scope="session")
def peers(program, tmp_path_factory):
    """A lib folder with Adafruit's libraries under names of their own, so that both can be had in one program."""
    folder = tmp_path_factory.mktemp("peers")
    subprocess.run([program, "lib", "add", "--project", folder, *PACKAGES], check=True, timeout=300,
                   stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "ADDER_ROOT": str(ROOT)})
    lib = folder / "lib"
    for ours, peer in PACKAGES.items():
        (lib / ours).rename(lib / peer)
        for file in (lib / peer).glob("*.py"):
            text = file.read_text()
            for name, other in PACKAGES.items():
                text = re.sub(rf"\b{name}\b", other, text)
            file.write_text(text)
    return lib


@pytest.mark.parametrize("scenes", ["shapes_scenes", "text_scenes"])
def test_same_pixels_and_answers(adder, drive, peers, scenes):
    shutil.copytree(peers, drive / "lib")
    for file in SCENES.glob("*.py"):
        shutil.copy(file, drive)
    run = adder(f"import compare, {scenes}\ncompare.run({scenes}.all_scenes())\n", seconds=60)
    assert "COMPARED" in run.out, run.out + run.err
    assert [line for line in run.out.splitlines() if line.startswith("DIFFERS")] == []
