"""The display libraries of the firmware beside Adafruit's, unmodified from PyPI: the same scenes with both on one
simulated board, the same pixels, the same answers, the same exceptions (display_libraries/compare.py)."""

import os
import re
import shutil
import struct
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
    subprocess.run([program, "lib", "add", "--project", folder, *PACKAGES, "adafruit_imageload"], check=True, timeout=300,
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


def _sheet(color):
    """A BMP of 3 by 3 tiles, 8 pixels wide and 6 high, all different; 4 colors, the first at the outer corners."""
    width, height = 24, 18
    pixels = bytes(0 if (x in (0, 23) and y in (0, 17)) else 1 + (x // 8 + y // 6 * 3 + (x + y) % 3) % 3
                   for y in reversed(range(height)) for x in range(width))
    palette = b"\0\0\0\0" + color + b"\x40\x40\x40\0" + b"\xe0\xe0\xe0\0"
    start = 54 + len(palette)
    return (struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, len(pixels), 0, 0, 4, 0) + palette + pixels)


@pytest.mark.parametrize("scenes", ["shapes_scenes", "text_scenes", "button_scenes"])
def test_same_pixels_and_answers(adder, drive, peers, scenes):
    shutil.copytree(peers, drive / "lib")
    for file in SCENES.glob("*.py"):
        shutil.copy(file, drive)
    (drive / "bmps").mkdir()
    for number, color in enumerate((b"\x20\x80\xff\0", b"\xff\x80\x20\0")):
        (drive / f"bmps/gradient_button_{number}.bmp").write_bytes(_sheet(color))
    run = adder(f"import compare, {scenes}\ncompare.run({scenes}.all_scenes())\n", seconds=60)
    assert "COMPARED" in run.out, run.out + run.err
    assert [line for line in run.out.splitlines() if line.startswith("DIFFERS")] == []
