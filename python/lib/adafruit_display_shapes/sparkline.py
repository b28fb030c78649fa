"""A line of values over time."""

from adafruit_display_shapes.multisparkline import MultiSparkline


class Sparkline(MultiSparkline):
    """The last `max_items` values as a line. Limits of None follow the values.

    With dyn_xpitch it fills the width; without, it grows until it does and then moves to the left."""

    def __init__(
        self,
        width: int,
        height: int,
        max_items: int,
        dyn_xpitch: "bool | None" = True,
        y_min: "int | None" = None,
        y_max: "int | None" = None,
        x: int = 0,
        y: int = 0,
        color: int = 0xFFFFFF,
    ) -> None:
        super().__init__(width, height, max_items, [color], dyn_xpitch, [y_min], [y_max], x, y)

    def add_value(self, value: float, update: bool = True) -> None:
        """With many values at once, update=False and an update() at the end are faster."""
        if value is not None:
            self.add_values([value], update)

    def update(self) -> None:
        """Draw the line anew."""
        self.update_line()

    def values(self) -> "list[float]":
        """The oldest value first."""
        return self.values_of(0)

    @property
    def y_top(self) -> "float | None":
        """The value of the first row."""
        return self._tops[0]

    @property
    def y_bottom(self) -> "float | None":
        """The value of the last row."""
        return self._bottoms[0]
