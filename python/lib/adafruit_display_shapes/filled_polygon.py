"""Polygons that are filled."""

from adafruit_display_shapes._area import Area


class FilledPolygon(Area):
    """A polygon through points [(x, y), ...]: the outline a Polygon, the inside one of vectorio. Colors may be None."""

    def __init__(
        self,
        points: "list[tuple[int, int]]",
        *,
        outline: "int | None" = None,
        fill: "int | None" = None,
        close: "bool | None" = True,
        stroke: int = 1,
    ) -> None:
        super().__init__(outline, fill)
        self._points = points
        self._close = close
        self._stroke = stroke
        self._rebuild()

    def _rebuild(self) -> None:
        self._show(self._points, close=self._close, stroke=self._stroke)

    @property
    def points(self) -> "list[tuple[int, int]]":
        """The corners."""
        return self._points

    @points.setter
    def points(self, points: "list[tuple[int, int]]") -> None:
        self._points = points
        self._rebuild()
