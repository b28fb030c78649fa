"""Circles."""

from adafruit_display_shapes.roundrect import RoundRect


class Circle(RoundRect):
    """A circle around (x0, y0), 2 * r + 1 pixels wide; the stroke of its outline goes inward."""

    def __init__(
        self,
        x0: int,
        y0: int,
        r: int,
        *,
        fill: "int | None" = None,
        outline: "int | None" = None,
        stroke: int = 1,
    ) -> None:
        super().__init__(x0 - r, y0 - r, 2 * r + 1, 2 * r + 1, r, fill=fill, outline=outline, stroke=stroke)
        self.r = r

    @property
    def x0(self) -> int:
        """Column of the center."""
        return self.x + self.r

    @x0.setter
    def x0(self, x0: int) -> None:
        self.x = x0 - self.r

    @property
    def y0(self) -> int:
        """Row of the center."""
        return self.y + self.r

    @y0.setter
    def y0(self, y0: int) -> None:
        self.y = y0 - self.r
