"""Rectangles."""

from adafruit_display_shapes._box import Box
from adafruit_display_shapes._draw import frame


class Rect(Box):
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
        super().__init__(x, y, width, height, 2, fill, outline, stroke)

    def _draw(self) -> None:
        if self._framed:  # the rest of the bitmap is the inside as it is
            frame(self._bitmap, self._stroke, self._OUTLINE, self._FILL)
