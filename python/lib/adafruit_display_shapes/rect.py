"""Rectangles."""

from displayio import Bitmap, Palette, TileGrid

from adafruit_display_shapes import set_color
from adafruit_display_shapes._draw import frame

_FILL, _OUTLINE = 0, 1


class Rect(TileGrid):
    """A rectangle; the stroke of its outline goes inward. Colors may be None: not drawn."""

    def __init__(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        *,
        fill: "int | None" = None,
        outline: "int | None" = None,
        stroke: int = 1,
    ) -> None:
        if width <= 0 or height <= 0:
            raise ValueError("Rectangle dimensions must be larger than 0.")
        self._bitmap = Bitmap(width, height, 2)
        self._palette = Palette(2)
        self._stroke = stroke
        self._framed = outline is not None
        if self._framed:
            frame(self._bitmap, max(stroke, 0), _OUTLINE, _FILL)
            self._palette[_OUTLINE] = outline
        set_color(self._palette, _FILL, fill)
        super().__init__(self._bitmap, pixel_shader=self._palette, x=x, y=y)

    @property
    def fill(self) -> int:
        """The color inside, or None."""
        return self._palette[_FILL]

    @fill.setter
    def fill(self, color: "int | None") -> None:
        set_color(self._palette, _FILL, color)

    @property
    def outline(self) -> int:
        """The color of the outline, or None."""
        return self._palette[_OUTLINE]

    @outline.setter
    def outline(self, color: "int | None") -> None:
        set_color(self._palette, _OUTLINE, color)
        if color is not None and not self._framed:
            frame(self._bitmap, max(self._stroke, 0), _OUTLINE, _FILL)
            self._framed = True

    @property
    def width(self) -> int:
        """In pixels."""
        return self._bitmap.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._bitmap.height
