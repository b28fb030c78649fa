"""Triangles."""

from adafruit_display_shapes import set_color
from adafruit_display_shapes._draw import path, triangle
from adafruit_display_shapes.polygon import Polygon


class Triangle(Polygon):
    """A triangle. Colors may be None: not drawn."""

    def __init__(
        self,
        x0: int,
        y0: int,
        x1: int,
        y1: int,
        x2: int,
        y2: int,
        *,
        fill: "int | None" = None,
        outline: "int | None" = None,
    ) -> None:
        points = [(x0, y0), (x1, y1), (x2, y2)]
        super().__init__(points, outline=outline)
        self._corners = points
        self._palette.make_transparent(self._FILL)
        if fill is not None:
            self.fill = fill

    @property
    def fill(self) -> int:
        """The color inside, or None."""
        return self._palette[self._FILL]

    @fill.setter
    def fill(self, color: "int | None") -> None:
        set_color(self._palette, self._FILL, color)
        if color is None or self._corners is None:
            return
        (x0, y0), (x1, y1), (x2, y2) = self._corners
        left, top = min(x0, x1, x2), min(y0, y1, y2)
        triangle(self._bitmap, x0 - left, y0 - top, x1 - left, y1 - top, x2 - left, y2 - top, self._FILL)
        if self._path is None:
            path(self._bitmap, self._corners, left, top, self._OUTLINE, True, 1)
        self._corners = None
