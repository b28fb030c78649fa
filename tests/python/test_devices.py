"""neopixel and adafruit_touchscreen, native: the same programs as on Adafruit's libraries, what they cost
in transactions and conversions beside them, and what is mended."""

import json

HEAD = """
import board, time

def shown(f, *a, **k):
    print("-", attempt(f, *a, **k))

def get(o, name):
    print("-", name, attempt(getattr, o, name))

def put(o, name, value):
    print("-", name, repr(value), attempt(setattr, o, name, value))

def until(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
"""


def timeline(tmp_path, events):
    path = tmp_path / "events.json"
    path.write_text(json.dumps(events))
    return "--input", str(path)


def lines(printed):
    return [line[2:] for line in printed if line.startswith("- ")]


def costs(adder, libraries, drive, tmp_path, code, chip, *options):
    """What a program makes a chip count: natively, on Adafruit's library."""
    import shutil

    counts = []
    for more in (), ("--no-native",):
        if more:
            shutil.copytree(libraries, drive / "lib", dirs_exist_ok=True)
        report = tmp_path / "report.json"
        run = adder(HEAD + code, *options, *more, "--report", str(report))
        assert run.code == 0 and "Traceback" not in run.out, run.out
        counts.append(json.loads(report.read_text())["chips"][chip]["counters"])
    return counts


# ---- neopixel ----


def test_neopixel(both):
    printed = both(HEAD + """
import neopixel, adafruit_pixelbuf
from digitalio import DigitalInOut

print("-", neopixel.RGB, neopixel.GRB, neopixel.BGR, neopixel.RGBW, neopixel.GRBW)
p = neopixel.NeoPixel(board.NEOPIXEL, 3)
print("-", isinstance(p, adafruit_pixelbuf.PixelBuf), p, p.n, len(p), p.bpp, p.byteorder, p.auto_write, p.brightness)
print("-", type(p.pin) is DigitalInOut, p.pin.direction, type(p).__name__, issubclass(neopixel.NeoPixel, adafruit_pixelbuf.PixelBuf))
p[0] = 0x102030
p[1] = (1, 2, 3)
p[-1] = (255, 0, 127)
print("-", p, repr(p), str(p), list(p), (1, 2, 3) in p)
p[:2] = [0x010101, 0x020202]
p.fill((4, 5, 6))
print("-", p[::2], p.write(), p.show())
p.note = "mine"
print("-", p.note)
shown(p.__setitem__, 3, 0)
shown(p.__setitem__, 0, (1, 2))
shown(neopixel.NeoPixel, board.NEOPIXEL, 1)
print("-", attempt(setattr, p, "n", 4)[0])
shown(p.deinit)
shown(p.fill, 0)
shown(p.deinit)
print("-", p.n, p)

with neopixel.NeoPixel(board.NEOPIXEL, 2, brightness=0.25, auto_write=False, pixel_order=neopixel.RGB) as p:
    p.fill(0xFFFFFF)
    print("-", p, p.brightness, p.auto_write, p.byteorder)
    p.show()
shown(p.show)
for more in (dict(bpp=4), dict(bpp=3), dict(bpp=5), dict(pixel_order=(1, 0, 2)), dict(pixel_order=(0, 1, 2, 3)), dict(pixel_order=()),
             dict(pixel_order=""), dict(pixel_order=None), dict(pixel_order="BGR", bpp=4), dict(pixel_order="PBGR"),
             dict(brightness=2), dict(brightness=-1), dict(brightness=1)):
    with neopixel.NeoPixel(board.NEOPIXEL, 1, auto_write=False, **more) as p:
        p.fill(0x203040)
        print("-", more, p, p.bpp, p.byteorder, p.brightness)
for bad in (dict(pixel_order="RGX"), dict(pixel_order=(0, 1, 9)), dict(pixel_order=(0, 0, 1)), dict(pixel_order=(0, 1, 2, 3, 0)),
            dict(pixel_order=7), dict(brightness="x")):
    shown(neopixel.NeoPixel, board.NEOPIXEL, 1, **bad)
shown(neopixel.NeoPixel, 3, 1)
held = DigitalInOut(board.D3)
shown(neopixel.NeoPixel, board.D3, 1)
neopixel.NeoPixel(board.NEOPIXEL, 0).deinit()
""")
    assert len(lines(printed)) == 37
    assert "('ValueError', ['NEOPIXEL in use'])" in lines(printed)
    assert "('ValueError', ['D3 in use'])" in lines(printed)


def test_what_subclasses_of_neopixel_see(both):
    assert lines(both(HEAD + """
import neopixel

class Loud(neopixel.NeoPixel):
    def __init__(self, *args, **kw):
        print("- made")
        super().__init__(*args, **kw)
        self.level = 1

    def show(self):
        print("- show")
        super().show()

    def fill(self, color):
        print("- fill", color)
        super().fill(color)

    def _transmit(self, buffer):
        print("- wire", type(buffer).__name__, bytes(buffer))
        super()._transmit(buffer)

p = Loud(board.NEOPIXEL, 1, brightness=0.5)
p[0] = (20, 40, 60)
p.write()
p.brightness = 1.0
p.deinit()
print("-", p.level)
""")) == ["made", "wire bytearray b'\\x14\\n\\x1e'", "show", "wire bytearray b'\\x14\\n\\x1e'", "wire bytearray b'(\\x14<'",
          "fill 0", "wire bytearray b'\\x00\\x00\\x00'", "show", "wire bytearray b'\\x00\\x00\\x00'", "1"]


def test_frames_of_a_neopixel(adder, libraries, drive, tmp_path):
    ours, theirs = costs(adder, libraries, drive, tmp_path, """
import neopixel
p = neopixel.NeoPixel(board.NEOPIXEL, 1, brightness=0.5)
for n in range(10):
    p[0] = (n, n, n)
p.fill(0xFF0000)
""", "neopixel")
    assert ours == theirs == {**ours, "frames": 11, "bytes": 33}


FEATHER = "adafruit_feather_esp32s3_tft"


def test_the_power_of_a_board_s_own_neopixel(both):
    assert lines(both(HEAD + """
import neopixel
from digitalio import DigitalInOut

p = neopixel.NeoPixel(board.NEOPIXEL, 1)
shown(DigitalInOut, board.NEOPIXEL_POWER)
p.deinit()
with DigitalInOut(board.NEOPIXEL_POWER) as switch:
    print("-", switch.direction)
    p = neopixel.NeoPixel(board.NEOPIXEL, 1)  # somebody else's switch
    p.deinit()
with neopixel.NeoPixel(board.D5, 1), DigitalInOut(board.NEOPIXEL_POWER):
    print("- another pin")
""", "--board", FEATHER)) == ["('ValueError', ['NEOPIXEL_POWER in use'])", "digitalio.Direction.INPUT", "another pin"]


# ---- adafruit_touchscreen ----

PANEL = """
import adafruit_touchscreen
from adafruit_touchscreen import Touchscreen, map_range

PINS = board.TOUCH_XL, board.TOUCH_XR, board.TOUCH_YD, board.TOUCH_YU
CALIBRATION = (5200, 59000), (5800, 57000)
SIZE = board.DISPLAY.width, board.DISPLAY.height

def settled(t, reads=50):
    last = 0
    while t.touch_point != last:
        last = t.touch_point
        time.sleep(0.03)
    return last
"""


def test_touchscreen(both, tmp_path):
    events = [{"at": 0.4, "touch": [17, 211]}, {"at": 1.9, "touch": [160, 120]}, {"at": 3.4, "release": True}]
    printed = both(HEAD + PANEL + """
start = time.monotonic()
t = Touchscreen(*PINS, calibration=CALIBRATION, size=SIZE)
print("-", t.touch_point, t.invert_pressure)
for more in (dict(), dict(samples=1), dict(samples=9), dict(x_resistance=300), dict(size=(240, 320)), dict(size=None),
             dict(calibration=None), dict(calibration=(), size=()), dict(calibration=[[59000, 5200], [57000, 5800]]),
             dict(calibration=((20000, 30000), (40000, 50000))), dict(calibration=((5200.5, 59000.5), (5800, 57000))),
             dict(z_threshold=0), dict(z_threshold=44000.5), dict(z_threshold=70000), dict(invert_pressure=False)):
    now = Touchscreen(*PINS, **{**dict(calibration=CALIBRATION, size=SIZE), **more})
    if not more:
        until(lambda: now.touch_point)
    print("-", more, settled(now))
t.invert_pressure = False
print("-", settled(t), t.invert_pressure)
t.invert_pressure = True
t.mine = 3
print("-", t.mine)
time.sleep(max(0, start + 2.2 - time.monotonic()))
print("-", settled(t))
until(lambda: not t.touch_point)
print("-", t.touch_point)
print("-", map_range(5, 0, 10, 0, 100), map_range(-5, 0, 10, 0, 100), map_range(5, 10, 0, 100, 0), map_range(50, 0, 10, 100, 0),
      map_range(2.5, 0, 10, -1, 1))
shown(map_range, 1, 2, 2, 0, 1)
print("-", attempt(setattr, t, "touch_point", 1)[0])
""", *timeline(tmp_path, events), seconds=20)
    said = lines(printed)
    assert said[0] == "None True" and said[1].startswith("{} (17, 211, ") and "(160, 120, " in said[-5] and said[-4] == "None"


def test_touchscreen_and_pins_of_others(both):
    said = lines(both(HEAD + PANEL + """
from analogio import AnalogIn
from digitalio import DigitalInOut

t = Touchscreen(*PINS)
for pin in PINS:
    with DigitalInOut(pin):
        get(t, "touch_point")
    with AnalogIn(pin):
        get(t, "touch_point")
with DigitalInOut(PINS[0]), DigitalInOut(PINS[1]), DigitalInOut(PINS[2]):
    get(t, "touch_point")
get(t, "touch_point")
for pin in PINS:  # free again between the reads
    DigitalInOut(pin).deinit()
get(Touchscreen(1, 2, 3, 4), "touch_point")
get(Touchscreen(PINS[0], "x2", PINS[2], PINS[3]), "touch_point")
get(Touchscreen(board.SCK, *PINS[1:]), "touch_point")
get(t, "touch_point")
print("-", attempt(Touchscreen, *PINS[:3])[0])
"""))
    assert said[0] == "touch_point ('ValueError', ['TOUCH_XL in use'])"
    assert said[8] == "touch_point ('ValueError', ['TOUCH_XR in use'])" and said[9] == "touch_point None"


def test_conversions_of_a_touch(adder, libraries, drive, tmp_path):
    code = PANEL + """
t = Touchscreen(*PINS, calibration=CALIBRATION, size=SIZE)
for n in range(100):
    t.touch_point
"""
    ours, theirs = costs(adder, libraries, drive, tmp_path, code, "touch")
    assert (ours["samples"], theirs["samples"]) == (200, 200)
    events = [{"at": 0, "touch": [100, 100]}]
    code = code.replace("for n", "time.sleep(0.5)\nfor n")
    ours, theirs = costs(adder, libraries, drive, tmp_path, code, "touch", *timeline(tmp_path, events))
    assert (ours["samples"], theirs["samples"]) == (600, 1000)


def test_touchscreens_that_cannot_be(native):
    """Adafruit's divides by zero at the first touch."""
    assert lines(native(HEAD + PANEL + """
shown(Touchscreen, *PINS, samples=0)
shown(Touchscreen, *PINS, calibration=((5, 5), (0, 65535)))
shown(Touchscreen, *PINS, size=(0, 240))
shown(Touchscreen, *PINS, size=(240,))
shown(Touchscreen, *PINS, calibration=5)
""")) == ["('ValueError', ['samples must be 1-65535'])", "('ValueError', ['calibration, size: invalid argument'])",
          "('ValueError', ['calibration, size: value out of range'])", "('IndexError', ['tuple index out of range'])",
          "('TypeError', [\"'int' object does not support indexing\"])"]
