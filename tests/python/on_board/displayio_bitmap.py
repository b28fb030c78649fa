from array import array

import displayio
from check import get, put, raises, same


def test_sizes():
    b = displayio.Bitmap(5, 3, 2)
    same((b.width, b.height, b.bits_per_value), (5, 3, 1))
    for values, bits in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8), (257, 16), (65536, 16)):
        same(displayio.Bitmap(2, 2, values).bits_per_value, bits)
    same(displayio.Bitmap(0, 0, 2).width, 0)


def test_size_errors():
    raises(ValueError, "width must be 0-32767", displayio.Bitmap, 32768, 1, 2)
    raises(ValueError, "width must be 0-32767", displayio.Bitmap, -1, 1, 2)
    raises(ValueError, "height must be 0-32767", displayio.Bitmap, 1, 40000, 2)
    raises(ValueError, "value_count must be 1-65536", displayio.Bitmap, 1, 1, 0)
    raises(ValueError, "value_count must be 1-65536", displayio.Bitmap, 1, 1, 65537)
    raises(TypeError, "", displayio.Bitmap, 1, 1)
    raises(TypeError, "", displayio.Bitmap, 1, 1, 2, 3)
    raises(TypeError, "", displayio.Bitmap, 1, 1, 2, nope=3)
    raises(TypeError, "", displayio.Bitmap, "1", 1, 2)


def test_every_pixel():
    for values in (2, 4, 16, 256, 65536):
        b = displayio.Bitmap(37, 5, values)
        n = 0
        for y in range(5):
            for x in range(37):
                same(b[x, y], 0)
                b[x, y] = n * 7919 % values
                n += 1
        n = 0
        for i in range(37 * 5):
            same(b[i], n * 7919 % values)
            n += 1
        b[36 + 4 * 37] = 1
        same(b[36, 4], 1)


def test_range_is_by_bits():
    b = displayio.Bitmap(2, 2, 3)
    b[0, 0] = 3  # more than value_count allows, as much as the bits hold
    same(b[0, 0], 3)
    raises(ValueError, "value must be 0-3", put, b, (0, 0), 4)
    raises(ValueError, "value must be 0-3", put, b, (0, 0), -1)
    raises(ValueError, "value must be 0-1", displayio.Bitmap(1, 1, 2).fill, 2)
    raises(ValueError, "value must be 0-65535", put, displayio.Bitmap(1, 1, 65536), 0, 65536)


def test_index_errors():
    b = displayio.Bitmap(4, 3, 2)
    raises(IndexError, "x must be 0-3", get, b, (4, 0))
    raises(IndexError, "x must be 0-3", get, b, (-1, 0))
    raises(IndexError, "y must be 0-2", put, b, (0, 3), 1)
    raises(IndexError, "must be 0-", get, b, 12)
    raises(IndexError, "must be 0-", get, b, -1)
    raises(NotImplementedError, "Slices not supported", get, b, slice(0, 2))
    raises(NotImplementedError, "Slices not supported", put, b, slice(0, 2), 1)
    raises(TypeError, "", get, b, "x")
    raises(TypeError, "", put, b, (0, 0), "1")


def test_fill():
    for values in (2, 4, 16, 256, 65536):
        b = displayio.Bitmap(9, 4, values)
        b.fill(values - 1)
        same([b[i] for i in range(36)], [values - 1] * 36)


def test_buffer_layout():
    b = displayio.Bitmap(3, 2, 2)
    b[0, 0] = 1
    b[2, 0] = 1
    b[1, 1] = 1
    view = memoryview(b)
    same(len(bytes(view)), 8)  # rows padded to 32 bits
    b8 = displayio.Bitmap(3, 2, 256)
    b8[0, 0] = 1
    b8[2, 1] = 7
    same(bytes(memoryview(b8)), bytes((1, 0, 0, 0, 0, 0, 7, 0)))
    b16 = displayio.Bitmap(1, 1, 65536)
    memoryview(b16)[0] = 0x1234
    b16.dirty()
    same(b16[0, 0], 0x1234)
    same(memoryview(b16).format, "H")
    memoryview(b8)[1] = 9
    b8.dirty(1, 0, 2, 1)
    same(b8[1, 0], 9)


def test_packing_leftmost_high():
    b = displayio.Bitmap(8, 1, 2)
    b[0, 0] = 1
    data = bytes(memoryview(b))
    # The leftmost pixel is the top bit of its byte, wherever the word order puts the byte.
    same(sorted(set(data)), [0, 0x80])


def test_dirty_arguments():
    b = displayio.Bitmap(4, 4, 2)
    b.dirty()
    b.dirty(x1=1, y1=1, x2=2, y2=2)
    b.dirty(0, 0, -1, -1)


def test_deinit():
    b = displayio.Bitmap(4, 4, 2)
    b.deinit()
    b.deinit()
    raises(ValueError, "", get, b, (0, 0))
    raises(ValueError, "", b.fill, 0)
    raises(ValueError, "", lambda: b.width)
    raises(ValueError, "", displayio.TileGrid, b, pixel_shader=displayio.Palette(2))


def test_deinit_while_shown():
    b = displayio.Bitmap(4, 4, 2)
    t = displayio.TileGrid(b, pixel_shader=displayio.Palette(2))
    b.deinit()
    t.x = 3
    same(t.x, 3)


def test_truth():
    assert displayio.Bitmap(1, 1, 2)


def test_blit_of_older_programs():
    a, b = displayio.Bitmap(3, 2, 4), displayio.Bitmap(4, 4, 4)
    for i in range(6):
        a[i] = i & 3
    b.blit(1, 1, a, x1=1, skip_index=2)
    same([b[i] for i in range(16)], [0] * 5 + [1, 0, 0, 0, 0, 1] + [0] * 5)
    raises(ValueError, "x must be 0-4", b.blit, 5, 0, a)
    raises(TypeError, "source_bitmap", b.blit, 0, 0, 3)
