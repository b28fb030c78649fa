"""Arcs: pieces of a ring."""

import math

from adafruit_display_shapes._area import Area


class Arc(Area):
    """An arc of `angle` degrees around (x, y), its middle at `direction`: 0 is to the right, 90 up.

    It is a polygon of `segments` pieces; with an arc_width above 1 it has an inner edge too and may be filled.
    Colors may be None. Setting `angle` keeps the end that lies clockwise."""

    def __init__(
        self,
        radius: float,
        angle: float,
        direction: float,
        segments: int,
        *args,
        arc_width: "int | None" = 1,
        outline: "int | None" = None,
        fill: "int | None" = None,
        **kwargs,
    ) -> None:
        super().__init__(outline, fill, *args, **kwargs)
        self._radius = radius
        self._angle = angle
        self._start = direction - angle / 2
        self._segments = segments
        self._arc_width = arc_width
        self._rebuild()

    def _points(self) -> "list[tuple[int, int]]":
        rim = [
            (self._start + i * self._angle / self._segments) / 180 * math.pi for i in range(self._segments + 1)
        ]
        points = [(int(self._radius * math.cos(a)), -int(self._radius * math.sin(a))) for a in rim]
        if self._arc_width > 1:
            inner = self._radius - self._arc_width
            points += [(int(inner * math.cos(a)), -int(inner * math.sin(a))) for a in reversed(rim)]
        return points

    def _rebuild(self) -> None:
        ring = self._arc_width > 1
        self._show(self._points(), hollow=not ring, close=ring)

    @property
    def direction(self) -> float:
        """Where the middle of the arc is, in degrees."""
        return self._start + self._angle / 2

    @direction.setter
    def direction(self, value: float) -> None:
        self._start = value - self._angle / 2
        self._rebuild()

    @property
    def radius(self) -> float:
        """Of the outer edge."""
        return self._radius

    @radius.setter
    def radius(self, value: float) -> None:
        self._radius = value
        self._rebuild()

    @property
    def angle(self) -> float:
        """How long the arc is, in degrees."""
        return self._angle

    @angle.setter
    def angle(self, value: float) -> None:
        self._angle = value
        self._rebuild()

    @property
    def segments(self) -> int:
        """How many straight pieces it has: more are rounder and slower."""
        return self._segments

    @segments.setter
    def segments(self, value: int) -> None:
        self._segments = value
        self._rebuild()

    @property
    def arc_width(self) -> int:
        """In pixels, inward."""
        return self._arc_width

    @arc_width.setter
    def arc_width(self, value: int) -> None:
        self._arc_width = value
        self._rebuild()
