"""What polygons with an inside have in common."""

from displayio import Group, Palette
from vectorio import Polygon as Inside

from adafruit_display_shapes.polygon import Polygon


class Area(Group):
    """An inside of vectorio and an outline of Polygon around it, either of them only with a color. Subclasses have
    `_rebuild`, which calls `_show`."""

    def __init__(self, outline: "int | None", fill: "int | None", *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._outline = outline
        self._fill = fill

    def _show(
        self, points: "list[tuple[int, int]]", *, hollow: bool = False, close: "bool | None" = True, stroke: int = 1
    ) -> None:
        """Draw it anew; `hollow`: without the inside."""
        layers = []
        if self._fill is not None and not hollow:
            palette = Palette(1)
            palette[0] = self._fill
            layers.append(Inside(pixel_shader=palette, points=points, x=0, y=0))
        if self._outline is not None:
            layers.append(Polygon(points, outline=self._outline, close=close, colors=1, stroke=stroke))
        while len(self):
            self.pop()
        for layer in layers:
            self.append(layer)

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
