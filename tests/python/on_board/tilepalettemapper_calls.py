import board
import displayio
import tilepalettemapper
from check import get, pixels, put, raises, same


def test_mapping():
    p = displayio.Palette(4)
    for i, color in enumerate((0, 0xFF0000, 0x00FF00, 0x0000FF)):
        p[i] = color
    m = tilepalettemapper.TilePaletteMapper(p, 2)
    raises(IndexError, "", get, m, (0, 0))  # no tiles yet
    b = displayio.Bitmap(2, 1, 2)
    b[1] = 1
    t = displayio.TileGrid(b, pixel_shader=m, width=3)
    same((m.width, m.height, len(m)), (3, 1, 3))
    same(m[0, 0], (0, 1))
    g = displayio.Group()
    g.append(t)
    board.DISPLAY.root_group = g
    same(pixels(board.DISPLAY, 0)[:6], [0, 0xF800] * 3)
    m[1, 0] = [3, 2]
    m[2] = (1, 0)
    same(m[1], (3, 2))
    same(pixels(board.DISPLAY, 0)[:6], [0, 0xF800, 0x001F, 0x07E0, 0xF800, 0])
    assert t.pixel_shader is m
    assert m.pixel_shader is p
    raises(RuntimeError, "bound to a TileGrid once", displayio.TileGrid, b, pixel_shader=m)
    raises(ValueError, "", put, m, (0, 0), [1])
    raises(ValueError, "", put, m, (0, 0), [1, 4])
    raises(IndexError, "", put, m, (3, 0), [1, 1])
    same(m[0, 0], (0, 1))
    raises(TypeError, "", tilepalettemapper.TilePaletteMapper, m, 2)
