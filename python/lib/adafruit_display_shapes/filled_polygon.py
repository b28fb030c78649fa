"""Polygons that are filled."""

from displayio import Group, Palette
from vectorio import Polygon as Area

from adafruit_display_shapes.polygon import Polygon


class FilledPolygon(Group):
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
        super().__init__()
        self._points = points
        self._outline = outline
        self._fill = fill
        self._close = close
        self._stroke = stroke
        self._rebuild()

    def _rebuild(self) -> None:
        layers = []
        if self._fill is not None:
            palette = Palette(1)
            palette[0] = self._fill
            layers.append(Area(pixel_shader=palette, points=self._points, x=0, y=0))
        if self._outline is not None:
            layers.append(Polygon(self._points, outline=self._outline, close=self._close, colors=1, stroke=self._stroke))
        while len(self):
            self.pop()
        for layer in layers:
            self.append(layer)

    @property
    def points(self) -> "list[tuple[int, int]]":
        """The corners."""
        return self._points

    @points.setter
    def points(self, points: "list[tuple[int, int]]") -> None:
        self._points = points
        self._rebuild()

    @property
    def outline(self) -> "int | None":
        """The color of the outline, or None."""
        return self._outline

    @outline.setter
    def outline(self, color: "int | None") -> None:
        self._outline = color
        self._rebuild()

    @property
    def fill(self) -> "int | None":
        """The color inside, or None."""
        return self._fill

    @fill.setter
    def fill(self, color: "int | None") -> None:
        self._fill = color
        self._rebuild()
