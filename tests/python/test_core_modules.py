"""CircuitPython's core modules on the simulated PyPortal: what programs see, and what reached the board.

The finer rules (names, defaults, exceptions of each member) are in python/modules/modules_test.c; here
is what needs a board, its chips, a console or a second run."""

import json
import time

HEAD = """
def raises(cls, text, f, *a, **k):
    try: f(*a, **k)
    except cls as e: assert text in str(e), repr(e)
    else: assert False, 'no ' + cls.__name__
"""


def ok(run):
    assert run.code == 0 and "Traceback" not in run.out, run.out + run.err
    return run.out


def timeline(tmp_path, events):
    path = tmp_path / "events.json"
    path.write_text(json.dumps(events))
    return "--input", str(path)


# ---- pins ----


def test_pins_are_given_back_between_runs(board):
    b = board("import board, digitalio\nled = digitalio.DigitalInOut(board.LED)\nled.switch_to_output(True)\nprint('on')\n")
    for _ in range(3):
        b.expect("on\n")
        b.expect("Code done running.")
        b.quiet(0.2)
        b.send("\x04")
        b.expect("soft reboot")


def test_pins_held_from_outside(adder, tmp_path):
    out = ok(adder(HEAD + """
import board, time, keypad
keys = keypad.Keys((board.D3, board.D4), value_when_pressed=False, interval=0.005)
end = time.monotonic() + 0.8
while time.monotonic() < end:
    e = keys.events.get()
    if e: print(e.key_number, e.pressed)
""", *timeline(tmp_path, [{"at": 0.2, "pin": "D4", "level": 0}, {"at": 0.4, "pin": "D4", "level": None},
                          {"at": 0.5, "pin": "D3", "level": 0}]), seconds=3))
    assert "1 True\n1 False\n0 True\n" in out


def test_pin_of_the_display_is_taken(adder):
    out = ok(adder(HEAD + """
import board, digitalio, analogio, pwmio
raises(ValueError, 'TFT_CS in use', digitalio.DigitalInOut, board.TFT_CS)
raises(ValueError, 'Invalid pin', analogio.AnalogIn, board.LED)
raises(ValueError, 'Invalid pin', pwmio.PWMOut, board.NEOPIXEL)
print(board.LED, board.D13 is board.L, board.board_id)
"""))
    assert "board.D13 True pyportal" in out


# ---- buses ----


def test_i2c_to_a_chip(adder, tmp_path):
    report = tmp_path / "report.json"
    out = ok(adder(HEAD + """
import board
from adafruit_bus_device.i2c_device import I2CDevice
i2c = board.I2C()
i2c.try_lock(); print(i2c.scan()); i2c.unlock()
device = I2CDevice(i2c, 0x48)
reg = bytearray(1)
with device: device.write_then_readinto(b'\\x0b', reg)
print(hex(reg[0]))
raises(ValueError, '0x49', I2CDevice, i2c, 0x49)
""", "--report", str(report)))
    assert "[72]\n0xcb\n" in out
    bus = next(b for b in json.loads(report.read_text())["buses"] if b["kind"] == "i2c")
    assert bus["hz"] == 100000 and bus["transactions"] > 100


def test_bit_banged_i2c_to_the_same_chip(adder):
    """Edge by edge, through the simulated wires."""
    out = ok(adder(HEAD + """
import board, bitbangio
i2c = bitbangio.I2C(board.SCL, board.SDA)
i2c.try_lock(); print(i2c.scan())
reg = bytearray(1); i2c.writeto_then_readfrom(0x48, b'\\x0b', reg); print(hex(reg[0]))
try: i2c.writeto(0x49, b'1')
except OSError as e: print(e.errno)
i2c.deinit()
"""))
    assert "[72]\n0xcb\n19\n" in out


def test_a_chip_that_goes_away(adder, tmp_path):
    out = ok(adder(HEAD + """
import board, time
i2c = board.I2C(); i2c.try_lock(); b = bytearray(2)
i2c.readfrom_into(0x48, b); print('there')
time.sleep(1.5)
try: i2c.readfrom_into(0x48, b)
except OSError as e: print('gone', e.errno)
time.sleep(1.5)
i2c.readfrom_into(0x48, b); print('back')
""", *timeline(tmp_path, [{"at": 1, "chip": "temperature", "fault": {"kind": "unplug"}},
                          {"at": 2.5, "chip": "temperature", "fault": {"kind": "none"}}]), seconds=9))
    assert "there\ngone 19\nback\n" in out


def test_buses_of_the_board_are_singletons(adder):
    ok(adder(HEAD + """
import board, busio
assert board.SPI() is board.SPI() and board.I2C() is board.I2C()
raises(ValueError, 'SCK in use', busio.SPI, board.SCK, board.MOSI, board.MISO)
old = board.SPI(); old.deinit(); assert board.SPI() is not old
raises(ValueError, 'deinit', old.try_lock)
"""))


def test_neopixel_bytes_reach_the_pixel(adder, tmp_path):
    report = tmp_path / "report.json"
    ok(adder("""
import board, digitalio, neopixel_write
from adafruit_pixelbuf import PixelBuf
class Pixels(PixelBuf):
    def __init__(self):
        super().__init__(1, byteorder='GRB', auto_write=True, brightness=0.5)
    def _transmit(self, buffer): neopixel_write.neopixel_write(pin, buffer)
pin = digitalio.DigitalInOut(board.NEOPIXEL); pin.switch_to_output()
Pixels()[0] = 0xff8000
""", "--report", str(report)))
    chip = json.loads(report.read_text())["chips"]["neopixel"]
    assert chip["counters"]["frames"] >= 1


# ---- time, interrupts ----


def test_sleep_lasts_and_can_be_broken(board):
    b = board("import time\nt = time.monotonic()\ntime.sleep(0.5)\ntry:\n"
              "    print('slept', 0.5 <= time.monotonic() - t < 0.7)\n    time.sleep(1000)\n"
              "except KeyboardInterrupt:\n    print('broken')\ntime.sleep(1000)\n")
    b.expect("slept True\n")
    start = time.monotonic()
    b.send("\x03")
    b.expect("broken\n")
    b.send("\x03")
    b.expect("KeyboardInterrupt")
    assert time.monotonic() - start < 2


def test_a_tight_loop_can_be_broken(board):
    b = board("print('go')\nwhile True:\n    pass\n")
    b.expect("go\n")
    b.send("\x03")
    b.expect("KeyboardInterrupt", timeout=3)


def test_reload_ends_a_program_that_catches_everything(board):
    b = board("import supervisor\nprint('run', supervisor.runtime.run_reason)\n"
              "while True:\n    try:\n        while True: pass\n    except Exception: pass\n")
    b.expect("run supervisor.RunReason.STARTUP\n")
    b.send("\x03")
    b.expect("KeyboardInterrupt")
    b.expect("CTRL-D to reload.")
    b.send("\x04")
    b.expect("run supervisor.RunReason.REPL_RELOAD\n")


def test_clock_is_set_and_stays(board):
    b = board("import rtc, time\nprint('year', time.localtime().tm_year)\n"
              "rtc.RTC().datetime = time.struct_time((2031, 2, 3, 4, 5, 6, 0, 0, -1))\n")
    b.expect("year ")
    b.expect("CTRL-D to reload.")
    b.send("\x04")
    b.expect("year 2031\n")


# ---- watchdog, reset, nvm ----


def test_watchdog_raises(adder):
    out = ok(adder("""
import time
from microcontroller import watchdog
from watchdog import WatchDogMode, WatchDogTimeout
watchdog.timeout = 0.3; watchdog.mode = WatchDogMode.RAISE
for i in range(3): time.sleep(0.2); watchdog.feed()
print('fed')
t = time.monotonic()
try: time.sleep(5)
except WatchDogTimeout as e: print('raised', time.monotonic() - t < 1)
"""))
    assert "fed\nraised True\n" in out


def test_watchdog_resets(board):
    b = board("import time, microcontroller\nfrom microcontroller import watchdog\nfrom watchdog import WatchDogMode\n"
              "print('reason', microcontroller.cpu.reset_reason)\n"
              "if microcontroller.cpu.reset_reason is microcontroller.ResetReason.POWER_ON:\n"
              "    watchdog.timeout = 0.3; watchdog.mode = WatchDogMode.RESET\n    while True: pass\n")
    b.expect("reason microcontroller.ResetReason.POWER_ON\n")
    b.expect("reason microcontroller.ResetReason.WATCHDOG\n", timeout=10)


def test_reset_keeps_nvm(board):
    b = board("import microcontroller\nn = microcontroller.nvm\nprint('boot', n[0])\n"
              "if n[0] != 7:\n    n[0] = 7\n    microcontroller.reset()\nprint('kept', microcontroller.cpu.reset_reason)\n")
    b.expect("boot 255\n")
    b.expect("boot 7\n")
    b.expect("kept microcontroller.ResetReason.SOFTWARE\n")


# ---- supervisor, storage, settings ----


def test_next_code_file(board):
    b = board("import supervisor\nprint('first')\nsupervisor.set_next_code_file('next.py', reload_on_success=True)\n"
              "supervisor.reload()\n", files={"next.py": "import supervisor\nprint('second', supervisor.runtime.run_reason)\n"})
    b.expect("first\n")
    b.expect("second supervisor.RunReason.SUPERVISOR_RELOAD\n")


def test_previous_traceback(board):
    b = board("import supervisor\nprint('before', repr(supervisor.get_previous_traceback()))\n1/0\n")
    b.expect("before None\n")
    b.expect("CTRL-D to reload.")
    b.send("\x04")
    b.expect("before 'Traceback")
    b.expect("ZeroDivisionError: division by zero\\n'\n")


def test_drive_is_read_only_until_boot_py_says_so(adder):
    ok(adder(HEAD + """
import storage
raises(OSError, '30', open, '/x.txt', 'w')
raises(RuntimeError, '', storage.remount, '/', False)
"""))
    out = ok(adder("with open('/x.txt', 'w') as f: f.write('hi')\nprint(open('/x.txt').read())\n",
                   files={"boot.py": "import storage\nstorage.remount('/', readonly=False)\n"}))
    assert "hi\n" in out


def test_settings(adder):
    out = ok(adder("import os, supervisor\nprint(os.getenv('A'), os.getenv('B'), os.getenv('C', 'c'))\n"
                   "print(supervisor.get_setting('B'))\n", files={"settings.toml": 'A = "x\\ty"\nB = 0x10\n'}))
    assert "x\ty 0x10 c\n16\n" in out


# ---- buffers and errors ----


def test_any_buffer_does(adder):
    ok(adder(HEAD + """
import board, array
spi = board.SPI(); spi.try_lock()
for data in (b'abc', bytearray(3), memoryview(b'abcdef')[1:4], array.array('H', [1, 2])): spi.write(data)
raises(TypeError, 'buffer', spi.write, 'abc')
raises(TypeError, 'buffer', spi.readinto, b'abc')
b = bytearray(4); spi.readinto(memoryview(b)[1:3]); b.extend(b'x')
"""))


def test_wrong_arguments(adder):
    ok(adder(HEAD + """
import board, time, busio, pwmio, digitalio
raises(TypeError, 'unexpected keyword', time.sleep, 1, x=2)
raises(TypeError, '', time.sleep)
raises(TypeError, '', time.sleep, 'a')
raises(TypeError, '', pwmio.PWMOut, board.D3, 100)
raises(ValueError, '0-65535', pwmio.PWMOut, board.D3, duty_cycle=70000)
raises(TypeError, 'pin must be of type Pin, not str', digitalio.DigitalInOut, 'D3')
raises(TypeError, '', board.I2C, 3)
digitalio.DigitalInOut(board.D3).deinit()
"""))


def test_memory_does_not_grow(adder):
    """Ten thousand objects made and dropped, some in cycles."""
    ok(adder("""
import board, digitalio, gc, adafruit_pixelbuf
from adafruit_bus_device.i2c_device import I2CDevice
i2c = board.I2C()
class Dev(I2CDevice):
    pass
for i in range(10000):
    d = Dev(i2c, 0x48, probe=False); d.me = d
    digitalio.DigitalInOut(board.D3).deinit()
gc.collect()
"""))
