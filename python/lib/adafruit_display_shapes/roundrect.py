"""Rectangles with round corners."""

from adafruit_display_shapes._box import Box
from adafruit_display_shapes._draw import round_rect

_OUTSIDE = 0


class RoundRect(Box):
    """A rectangle with corners of radius r; the stroke of its outline goes inward. Colors may be None: not drawn."""

    _FILL = 2

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
        if width > 0 and height > 0 and (r > width // 2 or r > height // 2):
            raise ValueError("Radius cannot exceed half of the smaller side (width or height).")
        self._radius = max(r, 0)
        super().__init__(x, y, width, height, 3, fill, outline, stroke)
        self._palette.make_transparent(_OUTSIDE)

    def _draw(self) -> None:
        outline = self._OUTLINE if self._framed else None
        round_rect(self._bitmap, self._radius, self._stroke, outline, self._FILL if self._filled else None)
