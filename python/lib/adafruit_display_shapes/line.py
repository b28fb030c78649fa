"""Lines."""

from adafruit_display_shapes.polygon import Polygon


class Line(Polygon):
    """A line between two points, both drawn."""

    def __init__(self, x0: int, y0: int, x1: int, y1: int, color: "int | None") -> None:
        super().__init__([(x0, y0), (x1, y1)], outline=color, close=False)

    @property
    def color(self) -> int:
        """The color of the line, or None."""
        return self.outline

    @color.setter
    def color(self, color: "int | None") -> None:
        self.outline = color
