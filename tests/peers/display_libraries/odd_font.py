"""Fonts with odd metrics: glyphs of many sizes, reaching left and below, that move on by other than their width."""

import displayio
from fontio import Glyph


class Odd:
    """No glyphs for ~ and Chinese. `shift`: how far apart from their width; `says`: (ascent, descent)."""

    def __init__(self, box=(9, 11, -1, -3), shift=0, says=None):
        self.box, self.shift, self.cache = box, shift, {}
        if says:
            self.ascent, self.descent = says

    def get_bounding_box(self):
        return self.box

    def get_glyph(self, c):
        if c > 0x3000 or c == 126:
            return None
        if c not in self.cache:
            w, h = (1, 1) if c == 32 else (3 + c % 5, 4 + c % 6)
            bitmap = displayio.Bitmap(w, h, 2)
            for i in range(w * h):
                bitmap[i] = int(c != 32 and (i * 7 + c) % 3 != 0)
            dx, dy, shift = (0, 0, 4) if c == 32 else (c % 4 - 1, -(c % 3), w + c % 3 - 1)
            self.cache[c] = Glyph(bitmap, 0, w, h, dx, dy, shift + self.shift, 0)
        return self.cache[c]


class Plain:
    """Cells of a sheet with several rows; a glyph is any object with the attributes."""

    class Cell:
        def __init__(self, bitmap, tile):
            self.bitmap, self.tile_index = bitmap, tile
            self.width, self.height, self.dx, self.dy, self.shift_x, self.shift_y = 5, 7, 0, -1, 6, 0

    def __init__(self):
        self.sheet = displayio.Bitmap(20, 28, 2)
        for i in range(20 * 28):
            self.sheet[i] = int(i * i % 7 in (1, 2))

    def get_bounding_box(self):
        return (5, 7, 0, -1)

    def get_glyph(self, c):
        return self.Cell(self.sheet, c % 16)


class Grey(Odd):
    """Four values a pixel, as fonts with smooth edges have."""

    def get_glyph(self, c):
        glyph = super().get_glyph(c)
        if glyph is None or c in self.grey:
            return glyph and self.grey[c]
        bitmap = displayio.Bitmap(glyph.width, glyph.height, 4)
        for i in range(glyph.width * glyph.height):
            bitmap[i] = (i * 5 + c) % 4
        self.grey[c] = Glyph(bitmap, *glyph[1:])
        return self.grey[c]

    grey = {}
