"""The display modules on a simulated board.

The files of on_board/ run on the board, where they could also run on a real one; here each of their tests
is one test. What only the panel can tell is compared with the picture of the screen."""

import ast
import json
import struct
import zlib
from pathlib import Path

import pytest

ON_BOARD = Path(__file__).parent / "on_board"
NAMES = sorted(p.stem for p in ON_BOARD.glob("*.py") if p.stem != "check")


def _tests(name):
    tree = ast.parse((ON_BOARD / f"{name}.py").read_text())
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


_results = {}


@pytest.fixture
def on_board(adder):
    """The lines that a file's run on the board printed, by test; run once."""

    def run(name):
        if name not in _results:
            files = {f"{stem}.py": (ON_BOARD / f"{stem}.py").read_text() for stem in ("check", name)}
            done = adder(f"import check, {name}\ncheck.run({name})\n", files=files, seconds=50)
            assert "DONE" in done.out, done.out + done.err
            lines = [line.split(" ", 2) for line in done.out.replace("\r", "").splitlines()]
            _results[name] = {line[1]: line for line in lines if line[0] in ("PASS", "FAIL")}
        return _results[name]

    return run


@pytest.mark.parametrize("name,test", [(n, t) for n in NAMES for t in _tests(n)])
def test_on_board(on_board, name, test):
    line = on_board(name).get(test)
    assert line is not None, "did not run"
    assert line[0] == "PASS", " ".join(line)


# ---- the screen ----


def read_png(path):
    """(width, height, rows of (r, g, b)) of a PNG with 8 bits per channel."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, idat = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        at += 12 + size
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and color in (2, 6)
        elif kind == b"IDAT":
            idat += body
    n = 3 if color == 2 else 4
    raw, rows, before = zlib.decompress(idat), [], bytearray(width * n)
    for y in range(height):
        start = y * (width * n + 1)
        kind, line = raw[start], bytearray(raw[start + 1:start + 1 + width * n])
        for i in range(len(line)):
            left = line[i - n] if i >= n else 0
            corner = before[i - n] if i >= n else 0
            up = before[i]
            if kind == 1:
                line[i] = line[i] + left & 255
            elif kind == 2:
                line[i] = line[i] + up & 255
            elif kind == 3:
                line[i] = line[i] + (left + up) // 2 & 255
            elif kind == 4:
                p = left + up - corner
                line[i] = line[i] + min((left, up, corner), key=lambda v: abs(p - v)) & 255
        before = line
        rows.append([tuple(line[x * n:x * n + 3]) for x in range(width)])
    return width, height, rows


def rgb565(color):
    r, g, b = color if isinstance(color, tuple) else (color >> 16, color >> 8 & 255, color & 255)
    return r >> 3 << 11 | g >> 2 << 5 | b >> 3


@pytest.fixture
def screen(adder, tmp_path):
    """Run a program that shows something; the rows of the screen as RGB565 numbers."""

    def run(code, *options, seconds=2, size=(320, 240), **kwargs):
        path = tmp_path / "screen.png"
        done = adder(code, "--screenshot", str(path), *options, seconds=seconds, **kwargs)
        assert "Traceback" not in done.out, done.out
        width, height, rows = read_png(path)
        assert (width, height) == size
        return [[rgb565(p) for p in row] for row in rows]

    return run


def test_every_pixel_of_a_bitmap(screen):
    rows = screen("""
import board, displayio
b = displayio.Bitmap(320, 240, 256)
p = displayio.Palette(256)
for i in range(256):
    p[i] = i * 0x070503 & 0xFFFFFF
for y in range(240):
    for x in range(320):
        b[x, y] = (x * 7 + y * 13) & 255
g = displayio.Group()
g.append(displayio.TileGrid(b, pixel_shader=p))
board.DISPLAY.root_group = g
while True:
    pass
""")
    wanted = [[rgb565(((x * 7 + y * 13) & 255) * 0x070503 & 0xFFFFFF) for x in range(320)] for y in range(240)]
    assert rows == wanted


def test_only_changes_are_sent_and_all_of_them(screen):
    """A hundred moves of two overlapping squares: nothing of the old places stays."""
    rows = screen("""
import board, displayio, time
def square(color):
    p = displayio.Palette(1)
    p[0] = color
    return displayio.TileGrid(displayio.Bitmap(20, 20, 1), pixel_shader=p)
board.DISPLAY.auto_refresh = False
g = displayio.Group()
board.DISPLAY.root_group = g
a, b = square(0xFF0000), square(0x00FF00)
g.append(a)
inner = displayio.Group(scale=2)
inner.append(b)
g.append(inner)
for i in range(100):
    a.x, a.y = i * 3, (i * 7) % 200
    inner.x, b.y = 250 - i * 2, (i * 11) % 90
    b.hidden = i % 3 == 0
    board.DISPLAY.refresh()
while True:
    time.sleep(1)
""")
    red, green = rgb565(0xFF0000), rgb565(0x00FF00)
    ax, ay = 99 * 3, 99 * 7 % 200
    wanted = [[red if ax <= x < ax + 20 and ay <= y < ay + 20 else 0 for x in range(320)] for y in range(240)]
    assert 99 % 3 == 0  # the green one is hidden at the end
    assert rows == wanted
    assert green not in {v for row in rows for v in row}


def test_auto_refresh_while_python_computes(screen):
    rows = screen("""
import board, displayio
p = displayio.Palette(1)
g = displayio.Group()
g.append(displayio.TileGrid(displayio.Bitmap(320, 240, 1), pixel_shader=p))
board.DISPLAY.root_group = g
n = 0
while n < 200000:
    n += 1
p[0] = 0x0000FF
while True:
    n += 1
""")
    assert {v for row in rows for v in row} == {rgb565(0x0000FF)}


def test_console_on_the_screen(screen):
    """The terminal's text area starts below the status bar: line 1 is at y 12..23, in cells of 6."""
    rows = screen("print('\\n' * 3 + 'I')\nwhile True:\n    pass\n")
    lit = [(x, y) for y in range(12, 240) for x in range(320) if rows[y][x]]
    assert lit, "nothing was printed"
    bottom = max(y for x, y in lit) // 12 * 12
    last = [(x, y) for x, y in lit if y >= bottom]
    assert max(x for x, y in last) < 6  # one letter
    assert rgb565(0xFFFFFF) in {rows[y][x] for x, y in last}


def test_terminal_comes_back(board, tmp_path):
    """After the program's end, while the board waits for a key, the console is shown with what it said."""
    b = board("""
import board, displayio
p = displayio.Palette(1)
p[0] = 0xFF0000
g = displayio.Group()
g.append(displayio.TileGrid(displayio.Bitmap(320, 240, 1), pixel_shader=p))
board.DISPLAY.root_group = g
board.DISPLAY.refresh()
""", "--for", "3", "--screenshot", str(tmp_path / "screen.png"))
    b.expect("Code done running.")
    assert b.end() == 0
    colors = {rgb565(p) for row in read_png(tmp_path / "screen.png")[2] for p in row}
    assert rgb565(0xFF0000) not in colors and rgb565(0xFFFFFF) in colors


def test_on_disk_bitmap(screen, drive):
    width, height, stride = 5, 3, 16
    pixels = [[(x * 50, y * 80, 255 - x * 40) for x in range(width)] for y in range(height)]
    body = b"".join(b"".join(bytes((b, g, r)) for r, g, b in row).ljust(stride, b"\0") for row in reversed(pixels))
    header = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    (drive / "images").mkdir()
    (drive / "images/x.bmp").write_bytes(header + body)
    rows = screen("""
import board, displayio
g = displayio.Group()
for i, source in enumerate(("/images/x.bmp", "images/x.bmp", open("/images/x.bmp", "rb"))):
    o = displayio.OnDiskBitmap(source)
    assert (o.width, o.height) == (5, 3)
    g.append(displayio.TileGrid(o, pixel_shader=o.pixel_shader, x=i * 10))
board.DISPLAY.root_group = g
while True:
    pass
""")
    for y in range(height):
        for i in range(3):
            assert rows[y][i * 10:i * 10 + width] == [rgb565(p) for p in pixels[y]]


def test_on_disk_bitmap_errors(adder, drive):
    (drive / "bad.bmp").write_bytes(b"BM" + bytes(60))
    (drive / "empty.bmp").write_bytes(b"")
    run = adder("""
import displayio
for source in ("/none.bmp", "/bad.bmp", "/empty.bmp", open("/bad.bmp"), 3, None):
    try:
        displayio.OnDiskBitmap(source)
    except Exception as error:
        print("E:", type(error).__name__, error)
""")
    kinds = [line.split()[1] for line in run.out.splitlines() if line.startswith("E:")]
    assert kinds[1:] == ["ValueError", "ValueError", "TypeError", "TypeError", "TypeError"], run.out
    assert kinds[0] in ("OSError", "FileNotFoundError") and str(drive) not in run.out


def test_a_program_brings_up_the_panel_itself(screen):
    """release_displays(), then ParallelBus and BusDisplay: what a driver library does."""
    rows = screen("""
import board, busdisplay, displayio, paralleldisplaybus
old = board.DISPLAY
displayio.release_displays()
try:
    old.width
    print("Traceback: a released display still answers")
except ValueError:
    pass
bus = paralleldisplaybus.ParallelBus(
    data0=board.LCD_DATA0, command=board.TFT_RS, chip_select=board.TFT_CS,
    write=board.TFT_WR, read=board.TFT_RD, reset=board.TFT_RESET)
INIT = (b"\\x01\\x80\\x80\\x36\\x01\\xa8\\x3a\\x01\\x55\\x11\\x80\\x78\\x29\\x80\\x78")
display = busdisplay.BusDisplay(bus, INIT, width=320, height=240, backlight_pin=board.TFT_BACKLIGHT)
assert display.root_group is displayio.CIRCUITPYTHON_TERMINAL
assert display.bus is bus
p = displayio.Palette(1)
p[0] = 0xFF00FF
g = displayio.Group()
g.append(displayio.TileGrid(displayio.Bitmap(100, 240, 1), pixel_shader=p))
display.root_group = g
del display, g
while True:
    pass
""")
    assert {row[50] for row in rows} == {rgb565(0xFF00FF)}
    assert {row[200] for row in rows} == {0}


def test_claims_of_the_display(adder):
    run = adder("""
import board, busdisplay, digitalio, displayio, paralleldisplaybus
def attempt(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
        print("E: none")
    except Exception as error:
        print("E:", type(error).__name__, error)
pins = dict(command=board.TFT_RS, chip_select=board.TFT_CS, write=board.TFT_WR, read=board.TFT_RD)
attempt(digitalio.DigitalInOut, board.TFT_CS)
attempt(paralleldisplaybus.ParallelBus, data0=board.LCD_DATA0, **pins)
displayio.release_displays()
displayio.release_displays()
digitalio.DigitalInOut(board.TFT_CS).deinit()
attempt(paralleldisplaybus.ParallelBus, **pins)
attempt(paralleldisplaybus.ParallelBus, data0=3, **pins)
bus = paralleldisplaybus.ParallelBus(data0=board.LCD_DATA0, **pins)
attempt(bus.reset)
attempt(busdisplay.BusDisplay, bus, b"\\x01", width=320, height=240)
attempt(busdisplay.BusDisplay, bus, b"\\x01\\x05", width=320, height=240)
attempt(busdisplay.BusDisplay, bus, b"", width=320, height=240, rotation=45)
attempt(busdisplay.BusDisplay, bus, b"", width=20000, height=240)
attempt(busdisplay.BusDisplay, 3, b"", width=320, height=240)
displays = [busdisplay.BusDisplay(bus, b"", width=32, height=24) for i in range(2)]
attempt(busdisplay.BusDisplay, bus, b"", width=32, height=24)
attempt(setattr, displays[0], "brightness", 0.5)
""")
    lines = [line[3:] for line in run.out.replace("\r", "").splitlines() if line.startswith("E:")]
    wanted = ["ValueError TFT_CS in use", "ValueError", "ValueError", "TypeError", "RuntimeError", "ValueError",
              "ValueError", "ValueError Display rotation must be in 90 degree increments", "ValueError", "TypeError",
              "RuntimeError Too many displays", "RuntimeError Brightness not adjustable"]
    assert len(lines) == len(wanted), run.out
    for line, start in zip(lines, wanted):
        assert line.startswith(start), (line, start)


def test_the_display_outlives_interpreters(board):
    b = board("""
import board, displayio, supervisor
d = board.DISPLAY
print("root is the terminal:", d.root_group is displayio.CIRCUITPYTHON_TERMINAL, d.width, d.auto_refresh)
d.root_group = displayio.Group()
d.auto_refresh = False
d.rotation = 90
""")
    for _ in range(3):
        b.expect("root is the terminal: True 320 True")
        b.expect("Code done running.")
        b.send("\x04")


# ---- displays on other buses ----

CHECKERS = """
p = displayio.Palette(2)
p[1] = 0xFFFFFF
b = displayio.Bitmap(display.width, display.height, 2)
for y in range(display.height):
    for x in range(display.width):
        b[x, y] = (x // 5 + y // 3) & 1
g = displayio.Group()
g.append(displayio.TileGrid(b, pixel_shader=p))
display.root_group = g
display.refresh()
for y in range(0, display.height, 7):  # and a change in the middle of bytes
    b[11, y] = 1
    b[12, y] = 1
while True:
    pass
"""


def checkers(width, height):
    white = rgb565(0xFFFFFF)
    lit = lambda x, y: (x // 5 + y // 3) & 1 or (x in (11, 12) and y % 7 == 0)  # noqa: E731
    return [[white if lit(x, y) else 0 for x in range(width)] for y in range(height)]


# As the SSD1306's data sheet gives it for 128x32.
OLED = """
import board, busdisplay, displayio, i2cdisplaybus
displayio.release_displays()
bus = i2cdisplaybus.I2CDisplayBus(board.I2C(), device_address=0x3C)
INIT = (b"\\xae\\x00" b"\\x20\\x01\\x00" b"\\x81\\x01\\xcf" b"\\xa1\\x00" b"\\xa6\\x00" b"\\xc8\\x00"
        b"\\xa8\\x01\\x1f" b"\\xd5\\x01\\x80" b"\\xd9\\x01\\xf1" b"\\xda\\x01\\x02" b"\\xdb\\x01\\x40"
        b"\\x8d\\x01\\x14" b"\\xaf\\x00")
display = busdisplay.BusDisplay(
    bus, INIT, width=128, height=32, color_depth=1, grayscale=True, pixels_in_byte_share_row=False,
    set_column_command=0x21, set_row_command=0x22, data_as_commands=True, brightness_command=0x81,
    single_byte_bounds=True)
"""


def test_oled_on_i2c(screen):
    rows = screen(OLED + CHECKERS, "--board", "feather_m4_express", size=(128, 32), seconds=3)
    lit = [[bool(v) for v in row] for row in rows]
    assert lit == [[bool(v) for v in row] for row in checkers(128, 32)]


def test_oled_errors(adder):
    run = adder(OLED + """
display.brightness = 0.25
print("E:", display.brightness)
try:
    display.fill_row(0, bytearray(300))
except ValueError as error:
    print("E:", error)
displayio.release_displays()
try:
    bus.send(0, b"")
except ValueError as error:
    print("E: closed")
board.I2C().unlock()
try:
    i2cdisplaybus.I2CDisplayBus(board.I2C(), device_address=0x50)
except ValueError as error:
    print("E:", error)
try:
    i2cdisplaybus.I2CDisplayBus(board.I2C(), device_address=0x3C).reset()
except RuntimeError as error:
    print("E: no reset pin")
""", "--board", "feather_m4_express")
    lines = [line[3:] for line in run.out.replace("\r", "").splitlines() if line.startswith("E:")]
    assert lines == ["0.25", "Display must have a 16 bit colorspace.", "closed", "Unable to find I2C Display at 50",
                     "no reset pin"], run.out


@pytest.fixture
def wing(tmp_path):
    """A Feather with an ILI9341 on its SPI bus instead of the OLED."""
    board = json.loads((Path(__file__).resolve().parents[2] / "boards/feather_m4_express.json").read_text())
    board["id"] = "feather_tft"
    board["chips"] = [{"id": "display", "type": "ili9341", "title": "TFT", "mount": 90,
                       "wires": {"sck": "SCK", "mosi": "MOSI", "miso": "MISO", "cs": "D9", "dc": "D10", "reset": "D6"}}]
    path = tmp_path / "feather_tft.json"
    path.write_text(json.dumps(board))
    return str(path)


TFT = """
import board, busdisplay, displayio, digitalio, fourwire
displayio.release_displays()
spi = board.SPI()
bus = fourwire.FourWire(spi, command=board.D10, chip_select=CS, reset=board.D6)
INIT = b"\\x01\\x80\\x80\\xb6\\x03\\x08\\xa2\\x27\\x36\\x01\\xa8\\x3a\\x01\\x55\\x11\\x80\\x78\\x29\\x80\\x78"
display = busdisplay.BusDisplay(bus, INIT, width=320, height=240)
"""


@pytest.mark.parametrize("select", ["board.D9", "digitalio.DigitalInOut(board.D9)"])
def test_tft_on_spi(screen, wing, select):
    rows = screen(TFT.replace("CS", select, 1) + CHECKERS, "--board", wing, seconds=6)
    assert rows == checkers(320, 240)


def test_a_locked_bus_is_left_alone(adder, wing):
    """No refresh while the program has the bus; afterwards everything is caught up."""
    run = adder(TFT.replace("CS", "board.D9", 1) + """
import time
display.auto_refresh = True
while not spi.try_lock():
    pass
p = displayio.Palette(1)
g = displayio.Group()
g.append(displayio.TileGrid(displayio.Bitmap(320, 240, 1), pixel_shader=p))
display.root_group = g
start = time.monotonic()
time.sleep(0.3)
display.refresh()  # does nothing, and does not wait
print("E: refreshed in time", time.monotonic() - start < 0.6)
print("E: still mine", not spi.try_lock())
spi.configure(baudrate=1000000)
spi.write(b"")
spi.unlock()
time.sleep(0.3)
print("E: free again", spi.try_lock())
""", "--board", wing)
    lines = [line[3:] for line in run.out.replace("\r", "").splitlines() if line.startswith("E:")]
    assert lines == ["refreshed in time True", "still mine True", "free again True"], run.out
