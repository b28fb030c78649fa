"""Outlines of polygons."""

from displayio import Bitmap, Palette, TileGrid

from adafruit_display_shapes import set_color
from adafruit_display_shapes._draw import path


def _pen(stroke: int) -> int:
    """The pen of a stroke has an even width, from 2 pixels on."""
    return stroke // 2 * 2 if stroke > 1 else 1


class Polygon(TileGrid):
    """Lines through points [(x, y), ...], back to the first one with close=True. The color may be None: not drawn."""

    _OUTLINE = 1
    _FILL = 2

    def __init__(
        self,
        points: "list[tuple[int, int]]",
        *,
        outline: "int | None" = None,
        close: "bool | None" = True,
        colors: "int | None" = 2,
        stroke: int = 1,
    ) -> None:
        xs, ys = zip(*points)
        x, y = min(xs), min(ys)
        self._bitmap = Bitmap(max(xs) - x + 1 + stroke, max(ys) - y + 1 + stroke, colors + 1)
        self._palette = Palette(colors + 1)
        self._palette.make_transparent(0)
        self._path = (points, x, y, close, _pen(stroke))
        if outline is None:
            if colors > 0:
                self._palette.make_transparent(self._OUTLINE)
        else:
            self.outline = outline
        super().__init__(self._bitmap, pixel_shader=self._palette, x=x, y=y)

    @staticmethod
    def draw(
        bitmap: Bitmap,
        points: "list[tuple[int, int]]",
        color_id: int,
        close: "bool | None" = True,
        stroke: int = 1,
    ) -> None:
        """The lines alone, into any bitmap."""
        path(bitmap, points, 0, 0, color_id, bool(close), _pen(stroke))

    @property
    def outline(self) -> int:
        """The color of the lines, or None."""
        return self._palette[self._OUTLINE]

    @outline.setter
    def outline(self, color: "int | None") -> None:
        set_color(self._palette, self._OUTLINE, color)
        if color is not None and self._path is not None:
            points, x, y, close, pen = self._path
            path(self._bitmap, points, x, y, self._OUTLINE, bool(close), pen)
            self._path = None
