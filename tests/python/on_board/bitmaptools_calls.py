import bitmaptools
import displayio
from array import array
from check import raises, same


class Grid:
    """The same picture as plain lists, to compute what must come out."""

    def __init__(self, w, h, value=0):
        self.w, self.h = w, h
        self.rows = [[value] * w for i in range(h)]


def rows(b):
    return [[b[x, y] for x in range(b.width)] for y in range(b.height)]


def numbered(w, h, values):
    b = displayio.Bitmap(w, h, values)
    for i in range(w * h):
        b[i] = (i * 5 + i // w) % values
    return b


def test_blit():
    for values in (2, 16, 256, 65536):
        source = numbered(7, 5, values)
        for x, y, x1, y1, x2, y2, skip in (
            (0, 0, 0, 0, 7, 5, None),
            (3, 2, 1, 1, 5, 4, None),
            (9, 6, 0, 0, 7, 5, None),
            (2, 1, 2, 0, 7, 3, 0),
        ):
            dest = displayio.Bitmap(10, 8, values)
            dest.fill(1)
            wanted = rows(dest)
            for sy in range(y1, y2):
                for sx in range(x1, x2):
                    dx, dy = x + sx - x1, y + sy - y1
                    if dx < 10 and dy < 8 and (skip is None or source[sx, sy] != skip):
                        wanted[dy][dx] = source[sx, sy]
            bitmaptools.blit(dest, source, x, y, x1=x1, y1=y1, x2=x2, y2=y2, skip_source_index=skip)
            same(rows(dest), wanted)


def test_blit_skip_dest():
    source = displayio.Bitmap(4, 1, 4)
    source.fill(3)
    dest = displayio.Bitmap(4, 1, 4)
    dest[1] = 2
    bitmaptools.blit(dest, source, 0, 0, skip_dest_index=2)
    same(rows(dest), [[3, 2, 3, 3]])


def test_blit_onto_itself():
    for dx, dy in ((1, 0), (0, 1), (2, 1), (0, 0)):
        b = numbered(9, 6, 16)
        wanted = rows(b)
        before = rows(b)
        for y in range(6 - dy):
            for x in range(9 - dx):
                wanted[y + dy][x + dx] = before[y][x]
        bitmaptools.blit(b, b, dx, dy)
        same(rows(b), wanted)
    b = numbered(9, 6, 16)
    before = rows(b)
    bitmaptools.blit(b, b, 0, 0, x1=2, y1=1)
    same([row[:7] for row in rows(b)[:5]], [row[2:] for row in before[1:]])


def test_blit_errors():
    a, big = displayio.Bitmap(4, 4, 2), displayio.Bitmap(4, 4, 16)
    raises(ValueError, "source palette too large", bitmaptools.blit, a, big, 0, 0)
    raises(ValueError, "x must be 0-4", bitmaptools.blit, a, a, 5, 0)
    raises(ValueError, "y must be 0-4", bitmaptools.blit, a, a, 0, -1)
    raises(ValueError, "x1 must be 0-4", bitmaptools.blit, a, a, 0, 0, x1=9)
    raises(ValueError, "x2 must be", bitmaptools.blit, a, a, 0, 0, x2=9)
    raises(TypeError, "", bitmaptools.blit, a, 3, 0, 0)
    raises(TypeError, "", bitmaptools.blit, a, a, 0, 0, 0)  # x1 is keyword-only


def test_fill_region():
    b = displayio.Bitmap(8, 6, 4)
    bitmaptools.fill_region(b, 2, 1, 5, 4, 3)
    same(rows(b), [[3 if 2 <= x < 5 and 1 <= y < 4 else 0 for x in range(8)] for y in range(6)])
    bitmaptools.fill_region(b, 0, 0, 8, 6, 1)
    same(rows(b), [[1] * 8] * 6)
    raises(ValueError, "value must be 0-3", bitmaptools.fill_region, b, 0, 0, 1, 1, 4)
    raises(ValueError, "x2 must be", bitmaptools.fill_region, b, 0, 0, 9, 1, 0)
    raises(ValueError, "x1 must be", bitmaptools.fill_region, b, 5, 0, 2, 1, 0)


def test_draw_line():
    b = displayio.Bitmap(9, 9, 2)
    bitmaptools.draw_line(b, 1, 1, 7, 7, 1)
    same(rows(b), [[1 if x == y and 1 <= x <= 7 else 0 for x in range(9)] for y in range(9)])
    b.fill(0)
    bitmaptools.draw_line(b, 8, 3, 0, 3, 1)
    same(sum(map(sum, rows(b))), 9)
    b.fill(0)
    bitmaptools.draw_line(b, 4, 0, 4, 8, 1)
    same([b[4, y] for y in range(9)], [1] * 9)
    bitmaptools.draw_line(b, -5, -5, 20, 20, 1)  # clips
    same([b[i, i] for i in range(9)], [1] * 9)
    raises(ValueError, "value must be 0-1", bitmaptools.draw_line, b, 0, 0, 1, 1, 2)


def test_draw_circle():
    b = displayio.Bitmap(21, 21, 2)
    bitmaptools.draw_circle(b, 10, 10, 7, 1)
    for x, y in ((3, 10), (17, 10), (10, 3), (10, 17)):
        same(b[x, y], 1)
    for y in range(21):
        for x in range(21):
            same(b[x, y], b[20 - x, y])
            same(b[x, y], b[y, x])
            if b[x, y]:
                assert 36 <= (x - 10) ** 2 + (y - 10) ** 2 <= 64
    raises(ValueError, "x must be 0-21", bitmaptools.draw_circle, b, 30, 0, 3, 1)
    raises(ValueError, "radius", bitmaptools.draw_circle, b, 3, 3, -1, 1)


def test_draw_polygon():
    b = displayio.Bitmap(10, 10, 2)
    bitmaptools.draw_polygon(b, array("h", (1, 8, 8, 1)), array("h", (1, 1, 8, 8)), 1)
    same(rows(b), [[int(1 <= x <= 8 and 1 <= y <= 8 and (x in (1, 8) or y in (1, 8))) for x in range(10)] for y in range(10)])
    b.fill(0)
    bitmaptools.draw_polygon(b, bytes((1, 8, 8)), bytes((1, 1, 8)), 1, close=False)
    same(sum(map(sum, rows(b))), 15)
    raises(ValueError, "", bitmaptools.draw_polygon, b, bytes((1, 2)), bytes((1,)), 1)


def test_boundary_fill():
    b = displayio.Bitmap(9, 9, 4)
    bitmaptools.draw_circle(b, 4, 4, 3, 1)
    outside = b[0, 0]
    bitmaptools.boundary_fill(b, 4, 4, 2)
    same((b[4, 4], b[0, 0], b[4, 1]), (2, outside, 1))
    bitmaptools.boundary_fill(b, 0, 0, 3, 0)
    same((b[0, 0], b[8, 8], b[4, 4]), (3, 3, 2))
    bitmaptools.boundary_fill(b, 0, 0, 3)  # already that colour: returns
    big = displayio.Bitmap(300, 200, 2)
    for x in range(0, 300, 2):  # a comb: as bad as a region gets for a recursive fill
        bitmaptools.draw_line(big, x, x // 2 % 2, x, 198 + x // 2 % 2, 1)
    bitmaptools.boundary_fill(big, 1, 100, 1)
    same(big[1, 100], 1)
    raises(ValueError, "", bitmaptools.boundary_fill, b, 9, 0, 1)
    raises(ValueError, "", bitmaptools.boundary_fill, b, 0, 0, 4)


def test_replace_color():
    b = numbered(7, 5, 4)
    wanted = [[3 if v == 1 else v for v in row] for row in rows(b)]
    bitmaptools.replace_color(b, 1, 3)
    same(rows(b), wanted)
    bitmaptools.replace_color(bitmap=b, old_color=3, new_color=0)
    bitmaptools.replace_color(dest_bitmap=b, old_color=0, new_color=1)
    raises(ValueError, "", bitmaptools.replace_color, b, 1, 4)


def test_arrayblit():
    b = displayio.Bitmap(4, 3, 16)
    bitmaptools.arrayblit(b, bytes(range(12)))
    same(rows(b), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
    bitmaptools.arrayblit(b, array("L", (17, 2, 3, 4)), 1, 1, 3, 3, skip_index=3)
    same(rows(b), [[0, 1, 2, 3], [4, 1, 2, 7], [8, 9, 4, 11]])
    raises(IndexError, "", bitmaptools.arrayblit, b, bytes(3))


def test_readinto():
    import io

    b = displayio.Bitmap(10, 2, 2)
    data = b"\x05\x03\xaa\x00"  # the first pixel is the lowest bit, unless told otherwise
    bitmaptools.readinto(b, io.BytesIO(data), 1)
    same(rows(b), [[1, 0, 1, 0, 0, 0, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]])
    bitmaptools.readinto(b, io.BytesIO(data), 1, reverse_rows=True)
    same(rows(b)[1], [1, 0, 1, 0, 0, 0, 0, 0, 1, 1])
    bitmaptools.readinto(b, io.BytesIO(data), 1, reverse_pixels_in_element=True)
    same(rows(b), [[0, 0, 0, 0, 0, 1, 0, 1, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0, 0, 0]])
    b = displayio.Bitmap(3, 1, 65536)
    bitmaptools.readinto(b, io.BytesIO(b"\x01\x02\x03\x04\x05\x06"), 16, element_size=2)
    same(rows(b), [[0x0201, 0x0403, 0x0605]])
    bitmaptools.readinto(b, io.BytesIO(b"\x01\x02\x03\x04\x05\x06"), 16, element_size=2, swap_bytes_in_element=True)
    same(rows(b), [[0x0102, 0x0304, 0x0506]])
    b = displayio.Bitmap(3, 1, 16)
    bitmaptools.readinto(b, io.BytesIO(b"\x12\x30"), 4)
    same(rows(b), [[2, 1, 0]])
    bitmaptools.readinto(b, io.BytesIO(b"\x12\x30"), 4, reverse_pixels_in_element=True)
    same(rows(b), [[1, 2, 3]])
    raises(EOFError, "", bitmaptools.readinto, b, io.BytesIO(b"\x12"), 4)
    raises(ValueError, "", bitmaptools.readinto, b, io.BytesIO(b"\x12"), 3)
    raises(ValueError, "", bitmaptools.readinto, b, io.BytesIO(b"\x12"), 4, 3)


def test_rotozoom_copy():
    source = numbered(5, 5, 16)
    dest = displayio.Bitmap(5, 5, 16)
    bitmaptools.rotozoom(dest, source)
    same(rows(dest), rows(source))
    dest = displayio.Bitmap(10, 10, 16)
    bitmaptools.rotozoom(dest, source, ox=0, oy=0, px=0, py=0, scale=2.0)
    same(rows(dest), [[source[x // 2, y // 2] for x in range(10)] for y in range(10)])


def test_rotozoom_options():
    source = displayio.Bitmap(4, 4, 4)
    source.fill(2)
    dest = displayio.Bitmap(4, 4, 4)
    bitmaptools.rotozoom(dest, source, dest_clip0=(1, 1), dest_clip1=(3, 3))
    same(rows(dest), [[0, 0, 0, 0], [0, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 0]])
    dest.fill(1)
    bitmaptools.rotozoom(dest, source, skip_index=2)
    same(rows(dest), [[1] * 4] * 4)
    dest.fill(0)
    bitmaptools.rotozoom(dest, source, angle=3.14159265 / 2)
    assert sum(map(sum, rows(dest))) >= 2 * 9
    raises(ValueError, "source palette too large", bitmaptools.rotozoom, displayio.Bitmap(1, 1, 2), source)


def test_alphablend():
    a, b, d = (displayio.Bitmap(3, 1, 65536) for i in range(3))
    a.fill(0xF800)
    b.fill(0x001F)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565)
    # The second lies over the first: half of it, over half of what is left, of three quarters in all.
    red, blue = d[0] >> 11, d[0] & 31
    assert 9 <= red <= 11 and 19 <= blue <= 21, (red, blue)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565, 1.0, 0.0)
    same(d[0], 0xF800)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565, factor_1=1.0, factor_2=1.0)
    same(d[0], 0x001F)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565, factor1=0.0, factor2=1.0)
    same(d[0], 0x001F)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565, 1.0, 1.0, blendmode=bitmaptools.BlendMode.Screen)
    same(d[0], 0xF81F)
    bitmaptools.alphablend(d, a, b, displayio.Colorspace.RGB565, 1.0, 1.0, skip_source2_index=0x001F)
    same(d[0], 0xF800)
    raises(ValueError, "", bitmaptools.alphablend, d, a, b, displayio.Colorspace.RGB888)
    raises(ValueError, "", bitmaptools.alphablend, d, a, displayio.Bitmap(2, 1, 65536), displayio.Colorspace.RGB565)
    raises(ValueError, "", bitmaptools.alphablend, d, a, b, displayio.Colorspace.L8)
    g = [displayio.Bitmap(2, 1, 256) for i in range(3)]
    g[0].fill(100)
    g[1].fill(50)
    bitmaptools.alphablend(g[2], g[0], g[1], displayio.Colorspace.L8, 0.5, 0.5)
    assert 65 <= g[2][0] <= 68, g[2][0]


def test_dither():
    source, dest = displayio.Bitmap(16, 16, 256), displayio.Bitmap(16, 16, 2)
    for algorithm in (bitmaptools.DitherAlgorithm.Atkinson, bitmaptools.DitherAlgorithm.FloydStenberg):
        source.fill(0)
        bitmaptools.dither(dest, source, displayio.Colorspace.L8, algorithm)
        same(sum(map(sum, rows(dest))), 0)
        source.fill(255)
        bitmaptools.dither(dest, source, displayio.Colorspace.L8, algorithm)
        same(sum(map(sum, rows(dest))), 256)
        source.fill(128)
        bitmaptools.dither(dest, source, displayio.Colorspace.L8, algorithm)
        assert 90 < sum(map(sum, rows(dest))) < 166, sum(map(sum, rows(dest)))
    raises(ValueError, "", bitmaptools.dither, dest, dest, displayio.Colorspace.L8)
