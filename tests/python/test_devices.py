"""neopixel, adafruit_touchscreen and adafruit_adt7410, native: the same programs as on Adafruit's libraries, what they cost
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


def test_objects_whose_making_failed(native):
    """A subclass that swallows the exception has an object that can do nothing."""
    assert lines(native(HEAD + """
import neopixel, adafruit_touchscreen, adafruit_adt7410
from digitalio import DigitalInOut

def half(cls, *args, **kw):
    class Half(cls):
        def __init__(self):
            try:
                super().__init__(*args, **kw)
            except ValueError as error:
                print("-", error)
    return Half()

held = DigitalInOut(board.NEOPIXEL)
p = half(neopixel.NeoPixel, board.NEOPIXEL, 1)
for f in p.show, p.deinit, lambda: p[0], lambda: p.pin, lambda: p.n:
    print("-", attempt(f)[0])
get(half(adafruit_touchscreen.Touchscreen, 1, 2, 3, 4, samples=0), "touch_point")
t = half(adafruit_adt7410.ADT7410, board.I2C(), 0x49)
print("-", attempt(getattr, t, "temperature")[0], attempt(setattr, t, "high_resolution", 1)[0])
""")) == ["NEOPIXEL in use", *["ValueError"] * 5, "samples must be 1-65535",
          "touch_point ('ValueError', ['Object has been deinitialized and can no longer be used. Create a new object.'])",
          "No I2C device at address: 0x49", "ValueError ValueError"]


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


# ---- adafruit_adt7410 ----

ALL = """
import adafruit_adt7410
from adafruit_adt7410 import ADT7410

NAMES = ("temperature", "operation_mode", "resolution_mode", "alert_status", "comparator_mode", "high_temperature",
         "low_temperature", "critical_temperature", "hysteresis_temperature")
"""


def test_adt7410(both, tmp_path):
    said = lines(both(HEAD + ALL + """
i2c = board.I2C()
t = ADT7410(i2c)
for name in sorted(dir(adafruit_adt7410)):
    value = getattr(adafruit_adt7410, name)
    if name[0] != "_" and (isinstance(value, int) or isinstance(value, tuple)):
        print("-", name, value)
print("-", adafruit_adt7410.AlertStatus(1, 0, 1), t.alert_status.high_alert, type(t.i2c_device).__name__, t.i2c_device.device_address)
for name in NAMES:
    get(t, name)
for value in ("HIGH_RESOLUTION", 0, True, adafruit_adt7410.LOW_RESOLUTION, 2, -1, "high", None, (), [1]):
    put(t, "resolution_mode", value)
    get(t, "resolution_mode")
for value in ("ONE_SHOT", "SHUTDOWN", adafruit_adt7410.SPS, "CONTINUOUS", 4, "SLEEP", 10**30, b"SPS"):
    before = time.monotonic()
    put(t, "operation_mode", value)
    print("-", time.monotonic() - before >= 0.24, t.operation_mode)
for value in ("COMP_ENABLED", 0, adafruit_adt7410.COMP_ENABLED, 2, "on"):
    put(t, "comparator_mode", value)
    get(t, "comparator_mode")
for name in NAMES[5:]:
    for value in (0, 15, 16, -1, -55, 150, -56, 151, 7.5, "7", None, 10**30, True):
        if name == "critical_temperature" and value in (-56, 151, 7.5, "7", None, 10**30):
            continue  # the text has a slip
        put(t, name, value)
        get(t, name)
t.high_resolution = True
get(t, "resolution_mode")
until(lambda: t.temperature == -7.8125)
t.high_resolution = 0
get(t, "resolution_mode")
for name in "temperature", "alert_status":
    print("-", attempt(setattr, t, name, 1)[0])
t.mine = 3
with t.i2c_device as device:
    device.write(bytes([4, 0xF0, 0x40]))  # -31.5: setpoints are told rounded down
print("-", t.high_temperature, t.mine)
shown(ADT7410, i2c, 0x49)
shown(ADT7410, i2c, 200)
shown(ADT7410, i2c, "x")
shown(ADT7410, None)
i2c.deinit()
get(t, "temperature")
shown(ADT7410, i2c)
""", *timeline(tmp_path, [{"at": 0.5, "chip": "temperature", "celsius": -7.8125}]), seconds=20))
    assert "temperature 22.5" in said and "-32 3" in said
    assert "('ValueError', ['No I2C device at address: 0x49'])" in said


def test_adt7410_unplugged(both, tmp_path):
    events = [{"at": 0.3, "chip": "temperature", "fault": {"kind": "unplug"}},
              {"at": 1.3, "chip": "temperature", "fault": {"kind": "none"}}]
    said = lines(both(HEAD + ALL + """
t = ADT7410(board.I2C())
def works():
    try:
        return t.temperature is not None
    except OSError:
        return False
until(lambda: not works())
for name in NAMES:
    get(t, name)
for name, value in zip(NAMES[1:], ("SPS", 1, None, 1, 20, 20, 20, 3)):
    if value is not None:
        put(t, name, value)
shown(ADT7410, board.I2C())
until(works)
get(t, "high_temperature")
shown(lambda: type(ADT7410(board.I2C())).__name__)
print("-", board.I2C().try_lock())  # nobody kept it
""", *timeline(tmp_path, events), seconds=20))
    assert said[0].startswith("temperature ('OSError', ['19'") and said[-1] == "True"
    assert said[-4:-1] == ["('ValueError', ['No I2C device at address: 0x48'])", "high_temperature 64", "ADT7410"]


def test_adt7410_that_is_another_chip(both, tmp_path):
    assert lines(both(HEAD + ALL + """
time.sleep(0.3)
shown(ADT7410, board.I2C())
print("-", board.I2C().try_lock())
""", *timeline(tmp_path, [{"at": 0, "chip": "temperature", "fault": {"kind": "bit_flip"}}]))) == [
        "('RuntimeError', ['Failed to find ADT7410'])", "True"]


def test_adt7410_behind_any_bus(both):
    """A multiplexer's channel, say: whatever has the methods; and a bus that others hold for a while."""
    said = lines(both(HEAD + ALL + """
import bitbangio, busio

class Channel:
    def __init__(self, bus):
        self.bus, self.refused, self.broken = bus, 3, None

    def try_lock(self):
        self.refused -= 1
        return self.refused < 0 and self.bus.try_lock()

    def unlock(self):
        self.refused = 0
        self.bus.unlock()

    def _do(self, method, *args, **kw):
        if self.broken:
            raise self.broken
        return getattr(self.bus, method)(*args, **kw)

    def writeto(self, *args, **kw):
        return self._do("writeto", *args, **kw)

    def readfrom_into(self, *args, **kw):
        return self._do("readfrom_into", *args, **kw)

    def writeto_then_readfrom(self, *args, **kw):
        return self._do("writeto_then_readfrom", *args, **kw)

with bitbangio.I2C(board.SCL, board.SDA) as soft:
    t = ADT7410(soft)
    t.low_temperature = -3
    print("-", t.temperature, t.low_temperature)
channel = Channel(board.I2C())
t = ADT7410(channel)
t.resolution_mode = 1
print("-", t.resolution_mode, t.temperature)
t.high_temperature = 29
get(t, "high_temperature")
for error in OSError(5), RuntimeError("no"), ZeroDivisionError("odd"):
    channel.broken = error
    for name in "temperature", "comparator_mode":
        get(t, name)
    put(t, "low_temperature", 3)
    shown(ADT7410, channel)
class Dumb: pass
shown(ADT7410, Dumb())
"""))
    assert "22.5 -3" in said and "HIGH_RESOLUTION 22.5" in said and "temperature ('RuntimeError', ['no'])" in said


def test_transactions_of_an_adt7410(adder, libraries, drive, tmp_path):
    """(transactions, bytes without addresses), natively and with Adafruit's library."""

    def cost(body, times=1):
        base, counts = "t = ADT7410(board.I2C())\nt.resolution_mode = 1\n", []
        for code in base, base + f"for n in range({times}):\n    {body}\n":
            counts.append(costs(adder, libraries, drive, tmp_path, ALL + code, "temperature"))
        return [((many["i2c_transfers"] - few["i2c_transfers"]) / times, (many["i2c_bytes"] - few["i2c_bytes"]) / times)
                for few, many in zip(*counts)]

    assert cost("t.temperature", 10) == [(1, 3), (1, 3)]
    assert cost("t.alert_status", 10) == [(1, 2), (3, 6)]
    assert cost("t.resolution_mode", 10) == [(1, 2), (1, 2)]
    assert cost("t.high_temperature", 10) == [(1, 3), (1, 3)]
    assert cost("t.hysteresis_temperature", 10) == [(1, 2), (1, 2)]
    assert cost("t.high_resolution = 1", 10) == [(2, 4), (2, 4)]
    assert cost("t.low_temperature = 3", 10) == [(1, 3), (1, 3)]
    assert cost("ADT7410(board.I2C())", 10) == [(1, 2), (2, 2)]


def test_what_is_mended_of_adt7410(native, tmp_path):
    said = lines(native(HEAD + ALL + """
t = ADT7410(board.I2C())
time.sleep(0.6)
print("-", t.temperature)  # 13 bits: the chip's flags are in the low ones
status = t.alert_status
print("-", status)         # one read, which in interrupt mode clears the flags
t.high_resolution = True
print("-", t.high_resolution)
t.high_resolution = False
print("-", t.high_resolution)
t.high_temperature = 20.0
print("-", t.high_temperature)
put(t, "critical_temperature", 151)
""", *timeline(tmp_path, [{"at": 0, "chip": "temperature", "celsius": 148}])))
    assert said == ["148.0", "AlertStatus(high_alert=1, low_alert=0, critical_alert=1)", "True", "False", "20",
                    "critical_temperature 151 ('ValueError', ['Temperature should be between -55C and 150C'])"]
