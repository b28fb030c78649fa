"""Rectangles with round corners."""

from displayio import Bitmap, Palette, TileGrid

from adafruit_display_shapes import set_color
from adafruit_display_shapes._draw import round_rect

_OUTSIDE, _OUTLINE, _FILL = 0, 1, 2


class RoundRect(TileGrid):
    """A rectangle with corners of radius r; the stroke of its outline goes inward. Colors may be None: not drawn."""

    def __init__(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        r: int,
        *,
        fill: "int | None" = None,
        outline: "int | None" = None,
        stroke: int = 1,
    ) -> None:
        if width <= 0 or height <= 0:
            raise ValueError("Rectangle dimensions must be larger than 0.")
        if r > width // 2 or r > height // 2:
            raise ValueError("Radius cannot exceed half of the smaller side (width or height).")
        self._bitmap = Bitmap(width, height, 3)
        self._palette = Palette(3)
        self._palette.make_transparent(_OUTSIDE)
        self._radius = r
        self._stroke = stroke
        self._framed = outline is not None
        self._draw(fill is not None)
        if self._framed:
            self._palette[_OUTLINE] = outline
        set_color(self._palette, _FILL, fill)
        super().__init__(self._bitmap, pixel_shader=self._palette, x=x, y=y)

    def _draw(self, filled: bool) -> None:
        outline = _OUTLINE if self._framed else None
        round_rect(self._bitmap, max(self._radius, 0), max(self._stroke, 0), outline, _FILL if filled else None)
        self._filled = filled

    @property
    def fill(self) -> int:
        """The color inside, or None."""
        return self._palette[_FILL]

    @fill.setter
    def fill(self, color: "int | None") -> None:
        set_color(self._palette, _FILL, color)
        if color is not None and not self._filled:
            self._draw(True)

    @property
    def outline(self) -> int:
        """The color of the outline, or None."""
        return self._palette[_OUTLINE]

    @outline.setter
    def outline(self, color: "int | None") -> None:
        set_color(self._palette, _OUTLINE, color)
        if color is not None and not self._framed:
            self._framed = True
            self._draw(self._filled)

    @property
    def width(self) -> int:
        """In pixels."""
        return self._bitmap.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._bitmap.height
