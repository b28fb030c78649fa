import displayio
import fontio
import terminalio
from check import raises, same, setter

FONT = terminalio.FONT


def test_font():
    same(FONT.get_bounding_box(), (6, 12))
    assert isinstance(FONT, fontio.BuiltinFont)
    assert isinstance(FONT.bitmap, displayio.Bitmap)
    same((FONT.bitmap.height, FONT.bitmap.bits_per_value), (12, 1))
    same(FONT.bitmap.width % 6, 0)
    raises(TypeError, "", fontio.BuiltinFont)
    raises(RuntimeError, "", FONT.bitmap.fill, 0)


def test_glyph():
    g = FONT.get_glyph(ord("A"))
    assert isinstance(g, fontio.Glyph)
    same((g.width, g.height, g.dx, g.dy, g.shift_x, g.shift_y), (6, 12, 0, 0, 6, 0))
    same(g.tile_index, ord("A") - 32)
    assert g.bitmap is FONT.bitmap
    same(FONT.get_glyph(0x10FFFF), None)
    same(FONT.get_glyph(-1), None)
    raises(TypeError, "", FONT.get_glyph, "A")
    same(fontio.Glyph(1, 2, 3, 4, 5, 6, 7, 8).shift_y, 8)


def shape(character):
    g = FONT.get_glyph(ord(character))
    x0 = g.tile_index * 6
    return ["".join(".#"[FONT.bitmap[x0 + x, y]] for x in range(6)) for y in range(12)]


def test_terminus():
    # As Terminus 6x12 draws it: a plus is a cross of 5 by 5 in the middle.
    plus = shape("+")
    rows = [r for r in plus if "#" in r]
    same(len(rows), 5)
    same(rows[2].count("#"), 5)
    same([r.count("#") for r in rows], [1, 1, 5, 1, 1])
    same(shape(" "), ["......"] * 12)


def terminal(columns=10, rows=4):
    p = displayio.Palette(2)
    p[1] = 0xFFFFFF
    grid = displayio.TileGrid(FONT.bitmap, pixel_shader=p, width=columns, height=rows, tile_width=6, tile_height=12)
    return terminalio.Terminal(grid, FONT), grid


def text(grid):
    return ["".join(chr(grid[x, y] + 32) for x in range(grid.width)) for y in range(grid.height)]


def test_terminal():
    t, grid = terminal()
    same(t.write("Hello"), 5)
    same((t.cursor_x, t.cursor_y), (5, 0))
    same(text(grid)[0], "Hello     ")
    t.write(b"\r\nx\ty")
    same(text(grid)[1][0], "x")
    t.write("\x1b[2J\x1b[2;3HZ")
    same(text(grid), [" " * 10, "  Z       ", " " * 10, " " * 10])
    t.write("\x1b[1;1H" + "0123456789" * 2)
    same(text(grid)[0], "0123456789")


def test_terminal_errors():
    raises(TypeError, "scroll_area", terminalio.Terminal, 3, FONT)
    p = displayio.Palette(2)
    grid = displayio.TileGrid(FONT.bitmap, pixel_shader=p, tile_width=6, tile_height=12)
    raises(TypeError, "font", terminalio.Terminal, grid, 3)
    raises(TypeError, "", terminalio.Terminal(grid, FONT).write, 3)


def test_any_bytes():
    t, grid = terminal(3, 2)
    state = 1
    for i in range(3000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        t.write(bytes((state >> 16 & 255, 0x1B if state & 0x3000 == 0 else state >> 8 & 127)))
    same(len(text(grid)), 2)
