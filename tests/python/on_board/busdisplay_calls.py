import time

import board
import busdisplay
import displayio
from check import pixels, raises, same, setter

display = board.DISPLAY


def filled(color, x=0, y=0, width=10, height=10):
    p = displayio.Palette(1)
    p[0] = color
    return displayio.TileGrid(displayio.Bitmap(width, height, 1), pixel_shader=p, x=x, y=y)


def test_the_board_has_one():
    assert board.DISPLAY is display
    assert isinstance(display, busdisplay.BusDisplay)
    assert (display.width, display.height) in ((320, 240), (240, 320))
    same(display.rotation % 90, 0)
    assert hasattr(display.bus, "send") and hasattr(display.bus, "reset")


def test_root_group():
    g = displayio.Group()
    display.root_group = g
    assert display.root_group is g
    display.root_group = g  # again: nothing happens
    inner = displayio.Group()
    g.append(inner)
    raises(ValueError, "Group already used", setter, display, "root_group", inner)
    raises(ValueError, "Layer already in a group", displayio.Group().append, g)
    raises(TypeError, "root_group", setter, display, "root_group", 3)
    raises(TypeError, "root_group", setter, display, "root_group", filled(0))
    display.root_group = None
    assert display.root_group is None
    same(pixels(display, 5), [0] * display.width)
    displayio.Group().append(g)  # free again


def test_terminal():
    display.root_group = displayio.CIRCUITPYTHON_TERMINAL
    assert display.root_group is displayio.CIRCUITPYTHON_TERMINAL
    t = displayio.CIRCUITPYTHON_TERMINAL
    assert isinstance(t, displayio.Group)
    assert len(t) == 3 and all(isinstance(m, displayio.TileGrid) for m in t)
    raises(RuntimeError, "", t.append, filled(0))
    raises(RuntimeError, "", t.pop)
    raises(RuntimeError, "", t.remove, t[0])
    raises(RuntimeError, "", setter, t[0], "bitmap", displayio.Bitmap(1, 1, 2))
    t[0].hidden = True
    same(t[0].hidden, True)
    t[0].hidden = False
    display.root_group = displayio.Group()
    g = displayio.Group(x=5)
    g.append(t)  # a program may show it as part of its own
    assert g[0] is t
    g.pop()


def test_what_is_seen():
    g = displayio.Group()
    display.auto_refresh = False
    display.root_group = g
    g.append(filled(0xFF0000, x=3, y=2))
    g.append(filled(0x0000FF, x=8, y=2))
    same(pixels(display, 2)[:20], [0] * 3 + [0xF800] * 5 + [0x001F] * 10 + [0] * 2)
    g[0], back = displayio.Group(), g[0]
    same(pixels(display, 2)[:10], [0] * 8 + [0x001F] * 2)
    g.append(back)  # now in front
    same(pixels(display, 2)[3:13], [0xF800] * 10)
    g.scale = 2
    same(pixels(display, 5)[:30], [0] * 6 + [0xF800] * 20 + [0x001F] * 4)
    g.scale = 1
    g.hidden = True
    same(pixels(display, 2), [0] * display.width)
    display.auto_refresh = True


def test_tiles_flips_transparency():
    b = displayio.Bitmap(4, 2, 4)
    for i in range(4):
        b[i, 0] = i
    p = displayio.Palette(4)
    for i, color in enumerate((0, 0xFF0000, 0x00FF00, 0x0000FF)):
        p[i] = color
    t = displayio.TileGrid(b, pixel_shader=p)
    g = displayio.Group()
    g.append(t)
    display.root_group = g
    row = [0, 0xF800, 0x07E0, 0x001F]
    same(pixels(display, 0)[:5], row + [0])
    t.flip_x = True
    same(pixels(display, 0)[:4], row[::-1])
    t.flip_x = False
    t.flip_y = True
    same(pixels(display, 1)[:4], row)
    t.flip_y = False
    t.transpose_xy = True
    same([pixels(display, y)[0] for y in range(4)], row)
    t.transpose_xy = False
    g.insert(0, filled(0xFFFFFF))
    p.make_transparent(2)
    same(pixels(display, 0)[:5], [0, 0xF800, 0xFFFF, 0x001F, 0xFFFF])
    tiles = displayio.TileGrid(b, pixel_shader=p, width=2, tile_width=2, tile_height=2)
    g.append(tiles)
    tiles[0], tiles[1] = 1, 0
    same(pixels(display, 0)[:4], [0, 0x001F, 0, 0xF800])
    t.hidden = True
    same(pixels(display, 0)[:4], [0xFFFF, 0x001F, 0, 0xF800])


def test_refresh():
    display.auto_refresh = False
    same(display.auto_refresh, False)
    same(display.refresh(), True)
    display.refresh(target_frames_per_second=20)  # sets the time from which the next is counted
    same(display.refresh(target_frames_per_second=20), True)
    start = time.monotonic()
    for i in range(4):
        display.refresh(target_frames_per_second=20)
    assert 0.12 < time.monotonic() - start < 0.35
    time.sleep(0.2)
    same(display.refresh(target_frames_per_second=20), False)  # called too late
    time.sleep(0.2)
    raises(
        RuntimeError,
        "Below minimum frame rate",
        display.refresh,
        target_frames_per_second=20,
        minimum_frames_per_second=10,
    )
    raises(TypeError, "", display.refresh, 20)
    display.auto_refresh = True
    same(display.refresh(minimum_frames_per_second=1), True)


def test_brightness():
    display.brightness = 0.5
    same(display.brightness, 0.5)
    display.brightness = 1
    same(display.brightness, 1.0)
    raises(ValueError, "brightness must be 0-1", setter, display, "brightness", 1.5)
    raises(ValueError, "brightness must be 0-1", setter, display, "brightness", -0.1)
    raises(TypeError, "", setter, display, "brightness", "1")
    same(display.brightness, 1.0)


def test_rotation():
    was, width, height = display.rotation, display.width, display.height
    display.rotation = was + 90
    same((display.width, display.height), (height, width))
    g = displayio.Group()
    g.append(filled(0xFF0000))
    display.root_group = g
    same(pixels(display, 0)[:11], [0xF800] * 10 + [0])
    display.refresh()
    raises(ValueError, "Display rotation must be in 90 degree increments", setter, display, "rotation", 45)
    display.rotation = was
    same((display.width, display.height), (width, height))


def test_fill_row_errors():
    raises(ValueError, "Buffer too small", display.fill_row, 0, bytearray(10))
    raises(ValueError, "y must be 0-", display.fill_row, display.height, bytearray(2 * display.width))
    raises(TypeError, "", display.fill_row, 0, b"0" * 1000)


def test_show_is_gone():
    raises(AttributeError, "root_group", display.show, displayio.Group())


def test_read_only():
    for name in ("width", "height", "bus"):
        raises(AttributeError, "", setter, display, name, 1)


def test_bus_send():
    display.bus.send(0x00, b"")  # NOP on every controller of these boards
    raises(ValueError, "command must be 0-255", display.bus.send, 256, b"")
    raises(TypeError, "", display.bus.send, 0, 3)


def test_a_group_shown_and_forgotten():
    import gc

    g = displayio.Group()
    g.append(filled(0x00FF00))
    display.root_group = g
    del g
    gc.collect()
    same(pixels(display, 0)[0], 0x07E0)
    same(len(display.root_group), 1)


def test_a_bad_program_cannot_break_it():
    g = displayio.Group()
    b = displayio.Bitmap(10, 10, 2)
    p = displayio.Palette(2)
    p[1] = 0xFFFFFF
    t = displayio.TileGrid(b, pixel_shader=p)
    g.append(t)
    display.root_group = g
    b.deinit()
    display.refresh()
    same(pixels(display, 0), [0] * display.width)
    t.__init__(displayio.Bitmap(2, 2, 2), pixel_shader=p)  # while it is shown
    display.refresh()
    g.__init__(scale=2)
    display.refresh()
    b.__init__(300, 300, 65536)
    display.refresh()
    p.__init__(1)
    display.refresh()
    display.root_group = None
