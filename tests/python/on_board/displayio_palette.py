from array import array

import displayio
from check import get, put, raises, same, setter


def test_forms():
    p = displayio.Palette(9)
    p[0] = 0x123456
    p[1] = b"\x12\x34\x56"
    p[2] = b"\x12\x34\x56\x00"
    p[3] = bytearray((0x12, 0x34, 0x56))
    p[4] = (0x12, 0x34, 0x56)
    p[5] = [0x12, 0x34, 0x56]
    p[6] = array("B", (0x12, 0x34, 0x56))
    p[7] = array("b", (0x12, 0x34, 0x56, 0))
    same(list(p), [0x123456] * 8 + [0])


def test_form_errors():
    p = displayio.Palette(2)
    raises(ValueError, "", put, p, 0, b"\x00\x00")
    raises(ValueError, "", put, p, 0, b"\x00\x00\x00\x00\x00")
    raises(ValueError, "", put, p, 0, array("H", (1, 2, 3)))
    raises(ValueError, "", put, p, 0, (1, 2))
    raises(TypeError, "", put, p, 0, "red")
    raises(TypeError, "", put, p, 0, 1.5)
    raises(TypeError, "", put, p, 0, None)
    raises(TypeError, "color must be between 0x000000 and 0xffffff", put, p, 0, 0x1000000)
    raises(TypeError, "color must be between 0x000000 and 0xffffff", put, p, 0, -1)


def test_index():
    p = displayio.Palette(3)
    p[-1] = 0xFF
    same(p[2], 0xFF)
    same(p[-1], 0xFF)
    same(len(p), 3)
    assert p
    raises(IndexError, "", get, p, 3)
    raises(IndexError, "", put, p, -4, 0)
    raises(TypeError, "", get, p, slice(0, 1))
    raises(TypeError, "", get, p, "a")


def test_count():
    raises(ValueError, "color_count must be 1-32767", displayio.Palette, 0)
    raises(ValueError, "color_count must be 1-32767", displayio.Palette, 32768)
    raises(TypeError, "", displayio.Palette)
    raises(TypeError, "", displayio.Palette, 1, True)  # dither is keyword-only
    same(len(displayio.Palette(32767)), 32767)
    same(displayio.Palette(1, dither=True).dither, True)


def test_transparency():
    p = displayio.Palette(2)
    p[0] = 0x010203
    same(p.is_transparent(0), False)
    p.make_transparent(0)
    same(p.is_transparent(0), True)
    same(p[0], 0x010203)
    p.make_opaque(0)
    same(p.is_transparent(0), False)
    raises(IndexError, "", p.make_transparent, 2)


def test_color_converter():
    c = displayio.ColorConverter()
    same(c.convert(0xFFFFFF), 0xFFFF)
    same(c.convert(0x80C040), 0x8608)
    same(c.dither, False)
    c.dither = True
    same(c.dither, True)
    c = displayio.ColorConverter(input_colorspace=displayio.Colorspace.RGB565)
    same(c.convert(0xF800), 0xF800)
    c = displayio.ColorConverter(input_colorspace=displayio.Colorspace.RGB565_SWAPPED)
    same(c.convert(0x00F8), 0xF800)
    c = displayio.ColorConverter(input_colorspace=displayio.Colorspace.BGR565)
    same(c.convert(0x001F), 0xF800)
    c = displayio.ColorConverter(input_colorspace=displayio.Colorspace.L8)
    same(c.convert(0xFF), 0xFFFF)
    raises(TypeError, "", displayio.ColorConverter, input_colorspace=3)
    raises(TypeError, "", displayio.ColorConverter, displayio.Colorspace.RGB565)


def test_one_transparent_colour():
    c = displayio.ColorConverter()
    c.make_transparent(0x123456)
    raises(RuntimeError, "Only one color can be transparent at a time", c.make_transparent, 0x112233)
    c.make_opaque(0)
    c.make_transparent(0x112233)


def test_colorspace_names():
    for name in ("RGB888", "RGB565", "RGB565_SWAPPED", "RGB555", "RGB555_SWAPPED", "BGR565", "BGR565_SWAPPED",
                 "BGR555", "BGR555_SWAPPED", "L8"):
        assert getattr(displayio.Colorspace, name) is getattr(displayio.Colorspace, name)
        same(repr(getattr(displayio.Colorspace, name)), "displayio.Colorspace." + name)
