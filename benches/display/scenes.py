"""The scenes that are drawn by every contender: plain displayio, no names of any of them.

A scene is a function that returns (group, step); step(i) changes something before frame i. All of
it is arithmetic on small integers, so every contender draws the same thing."""

import displayio
import vectorio

try:
    from fontio import Glyph
except ImportError:  # the peer keeps it elsewhere
    from displayio import Glyph

WIDTH, HEIGHT = 320, 240


def ramp(n, shift=0):
    palette = displayio.Palette(n)
    for i in range(n):
        palette[i] = ((i * 40503 + shift) * 2654435761 >> 7) & 0xFFFFFF
    return palette


def palette_frame():
    """320x240, 256 colours; one colour changes, so every pixel is drawn and sent again."""
    bitmap = displayio.Bitmap(WIDTH, HEIGHT, 256)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            bitmap[x, y] = (x ^ y) & 255
    palette = ramp(256)
    group = displayio.Group()
    group.append(displayio.TileGrid(bitmap, pixel_shader=palette))

    def step(i):
        palette[7] = (i * 0x10F0F0 + 0x123456) & 0xFFFFFF

    return group, step


def sprites():
    """A tiled background and twenty 16x16 sprites with a transparent colour, each moving."""
    tiles = displayio.Bitmap(64, 16, 4)
    for y in range(16):
        for x in range(64):
            tiles[x, y] = (x // 4 + y // 4) % 4
    background = displayio.TileGrid(tiles, pixel_shader=ramp(4, 99), width=20, height=15, tile_width=16, tile_height=16)
    for n in range(300):
        background[n] = n * 7 % 4
    sheet = displayio.Bitmap(16, 16, 4)
    for y in range(16):
        for x in range(16):
            far = (2 * x - 15) ** 2 + (2 * y - 15) ** 2
            sheet[x, y] = 0 if far > 225 else 1 + far // 90
    colours = ramp(4, 5)
    colours.make_transparent(0)
    group = displayio.Group()
    group.append(background)
    balls = []
    for n in range(20):
        ball = displayio.TileGrid(sheet, pixel_shader=colours, x=n * 15, y=n * 37 % 220)
        group.append(ball)
        balls.append(ball)

    def step(i):
        for n, ball in enumerate(balls):
            ball.x = (n * 15 + i * (1 + n % 3)) % 300
            ball.y = (n * 37 + i * (1 + n % 2)) % 220

    return group, step


class Blocks:
    """A font of 5x7 glyphs made of a character's own bits, so that no font file is compared here."""

    def __init__(self):
        self.bitmap = displayio.Bitmap(5 * 96, 7, 2)
        for code in range(1, 96):
            for bit in range(35):
                if (code * 2654435761 + 12345) >> (bit % 29) & 1:
                    self.bitmap[code * 5 + bit % 5, bit // 5] = 1

    def get_bounding_box(self):
        return (5, 7, 0, -1)

    def load_glyphs(self, text):
        pass

    def get_glyph(self, code):
        return Glyph(self.bitmap, code - 32, 5, 7, 0, -1, 6, 0) if 32 <= code < 128 else None


def text():
    """Ten lines of text; one of them, a clock, changes."""
    font = Blocks()
    group = displayio.Group()
    palette = displayio.Palette(2)
    palette[1] = 0xF0F0A0

    def write(bitmap, words):
        for column, letter in enumerate(words):
            glyph = font.get_glyph(ord(letter))
            for y in range(7):
                for x in range(5):
                    bitmap[column * 6 + x, y] = font.bitmap[glyph.tile_index * 5 + x, y]

    lines = []
    for n in range(10):
        bitmap = displayio.Bitmap(40 * 6, 8, 2)
        write(bitmap, f"{n}: the quick brown fox jumps, number {n}")
        group.append(displayio.TileGrid(bitmap, pixel_shader=palette, x=8, y=8 + n * 22))
        lines.append(bitmap)

    def step(i):
        write(lines[4], f"{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}")

    return group, step


def scaled():
    """A 100x70 picture in a group of scale 3, moved by one pixel of the screen a frame."""
    bitmap = displayio.Bitmap(100, 70, 16)
    for y in range(70):
        for x in range(100):
            bitmap[x, y] = (x * y // 40 + x // 9) & 15
    inner = displayio.Group(scale=3, x=4, y=6)
    inner.append(displayio.TileGrid(bitmap, pixel_shader=ramp(16, 3)))
    group = displayio.Group()
    group.append(inner)

    def step(i):
        inner.x = 4 + i % 12

    return group, step


def shapes():
    """Rectangles, circles and polygons that move over each other."""
    group = displayio.Group()
    colours = ramp(8, 11)
    items = []
    for n in range(8):
        where = {"pixel_shader": colours, "color_index": n, "x": 20 + n * 36, "y": 30 + n * 22}
        if n % 3 == 0:
            item = vectorio.Rectangle(width=40 + n, height=24 + n, **where)
        elif n % 3 == 1:
            item = vectorio.Circle(radius=14 + n, **where)
        else:
            item = vectorio.Polygon(points=[(0, -20), (24, 6), (9, 25), (-22, 12)], **where)
        group.append(item)
        items.append(item)

    def step(i):
        for n, item in enumerate(items):
            item.x = 20 + n * 36 + (i * (n + 1)) % 17
            item.y = 30 + n * 22 - (i * (n + 2)) % 13

    return group, step


SCENES = {f.__name__: f for f in (palette_frame, sprites, text, scaled, shapes)}
