"""The Feather ESP32-S3 TFT: its parts as a program meets them."""

import json
import struct
import zlib


def run_on(adder, tmp_path, code, events=(), seconds=10):
    (tmp_path / "events.json").write_text(json.dumps(list(events)))
    run = adder(code, "--board", "adafruit_feather_esp32s3_tft", "--input", str(tmp_path / "events.json"), "--report",
                str(tmp_path / "report.json"), "--screenshot", str(tmp_path / "screen.png"), seconds=seconds)
    assert run.code == 0 and "Traceback" not in run.out, run.out + run.err
    return run.out, json.loads((tmp_path / "report.json").read_text())["chips"]


def pixels(path):
    """Rows of (r, g, b) of an 8-bit RGB picture whose rows are not interlaced."""
    data = path.read_bytes()
    at, idat, width, height, channels = 8, b"", 0, 0, 3
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, _, color = struct.unpack(">IIBB", body[:10])
            channels = {2: 3, 6: 4}[color]
        idat += body if kind == b"IDAT" else b""
        at += size + 12
    raw, rows, above = zlib.decompress(idat), [], bytearray(width * channels)
    stride = width * channels
    for y in range(height):
        how, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            a = line[i - channels] if i >= channels else 0
            b, c = above[i], above[i - channels] if i >= channels else 0
            p = a + b - c
            nearest = min((a, b, c), key=lambda v: (abs(p - v), (a, b, c).index(v)))
            line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[how]) & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, stride, channels)])
        above = line
    return rows


def test_display_stands_upright(adder, tmp_path):
    """Top left red, bottom right blue: the panel is mounted as the program sees it."""
    run_on(adder, tmp_path, """
import board, displayio, time
assert (board.DISPLAY.width, board.DISPLAY.height) == (240, 135)
b = displayio.Bitmap(240, 135, 3)
p = displayio.Palette(3)
p[0], p[1], p[2] = 0x00FF00, 0xFF0000, 0x0000FF
b[0, 0] = 1
b[239, 134] = 2
g = displayio.Group()
g.append(displayio.TileGrid(b, pixel_shader=p))
board.DISPLAY.root_group = g
time.sleep(60)
""", seconds=2)
    rows = pixels(tmp_path / "screen.png")
    assert len(rows) == 135 and len(rows[0]) == 240
    assert rows[0][0] == (255, 0, 0) and rows[134][239] == (0, 0, 255)
    assert {pixel for row in rows for pixel in row} == {(255, 0, 0), (0, 255, 0), (0, 0, 255)}


def test_button(adder, tmp_path):
    out, _ = run_on(adder, tmp_path, """
import board, keypad, time
keys = keypad.Keys((board.BUTTON,), value_when_pressed=False, pull=True)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    e = keys.events.get()
    if e: print('pressed' if e.pressed else 'released')
print(board.D0 is board.BOOT0)
""", [{"at": 0.5, "chip": "boot", "pressed": True}, {"at": 0.8, "chip": "boot", "pressed": False}])
    assert "pressed\nreleased\nTrue\n" in out


def test_neopixel_behind_its_switch(adder, tmp_path):
    _, chips = run_on(adder, tmp_path, """
import board, digitalio, neopixel_write
power = digitalio.DigitalInOut(board.NEOPIXEL_POWER)
assert power.value                        # on without a program's doing
pixel = digitalio.DigitalInOut(board.NEOPIXEL)
pixel.switch_to_output()
neopixel_write.neopixel_write(pixel, b'\\x01\\x02\\x03')
power.switch_to_output(False)
neopixel_write.neopixel_write(pixel, b'\\x01\\x02\\x03')
""")
    assert chips["neopixel"]["counters"]["frames"] == 1
    assert chips["neopixel"]["state"]["pixels"] == ["#000000"]


def test_battery(adder, tmp_path):
    out, _ = run_on(adder, tmp_path, """
import board, time
i2c = board.STEMMA_I2C()
while not i2c.try_lock(): pass
print([hex(a) for a in i2c.scan()])
def reg(n):
    b = bytearray(2)
    i2c.writeto_then_readfrom(0x36, bytes([n]), b)
    return b[0] << 8 | b[1]
print(reg(4) / 256, round(reg(2) * 78.125e-6, 2))
time.sleep(0.8)
print(reg(4) / 256)
""", [{"at": 0.5, "chip": "battery", "percent": 12.5}])
    assert "['0x36']\n76.0 3.99\n12.5\n" in out
