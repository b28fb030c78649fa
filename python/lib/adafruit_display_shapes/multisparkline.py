"""Several lines of values over time in one graph."""

from displayio import Bitmap, Palette, TileGrid

from adafruit_display_shapes._draw import plot


class MultiSparkline(TileGrid):
    """One line for each of `colors`, of the last `max_items` values. Limits of None follow the values.

    With dyn_xpitch the lines fill the width; without, they grow until they do and then move to the left."""

    def __init__(
        self,
        width: int,
        height: int,
        max_items: int,
        colors: "list[int]",
        dyn_xpitch: "bool | None" = True,
        y_mins: "list[int | None] | None" = None,
        y_maxs: "list[int | None] | None" = None,
        x: int = 0,
        y: int = 0,
    ) -> None:
        count = len(colors)
        self._max_items = max_items
        self._values = [[] for _ in colors]
        self._bottoms = list(y_mins) if y_mins else [None] * count
        self._tops = list(y_maxs) if y_maxs else [None] * count
        self._auto_bottoms = [limit is None for limit in self._bottoms]
        self._auto_tops = [limit is None for limit in self._tops]
        self._shown = [None] * count
        self._pitch = None if dyn_xpitch else (width - 1) / (max_items - 1) if max_items > 1 else 0.0
        self._bitmap = Bitmap(width, height, count + 1)
        self._palette = Palette(count + 1)
        self._palette.make_transparent(0)
        for i, color in enumerate(colors, 1):
            self._palette[i] = color
        super().__init__(self._bitmap, pixel_shader=self._palette, x=x, y=y)

    def clear_values(self) -> None:
        """Forget all values."""
        self._bitmap.fill(0)
        for i, values in enumerate(self._values):
            values.clear()
            self._shown[i] = None

    def add_values(self, values: "list[float]", update: bool = True) -> None:
        """One value for each line. With many at once, update=False and an update_line() at the end are faster."""
        if len(values) > len(self._values):
            raise IndexError("list index out of range")
        for i, value in enumerate(values):
            line = self._values[i]
            if len(line) >= self._max_items:
                if not line:
                    raise RuntimeError("Trying to pop from empty buffer")
                line.pop(0)
            line.append(value)
            if self._auto_bottoms[i]:
                self._bottoms[i] = min(line)
            if self._auto_tops[i]:
                self._tops[i] = max(line)
        if update:
            self.update_line()

    def update_line(self, line: "int | None" = None) -> None:
        """Draw a line anew, or all of them."""
        for i in range(len(self._values)) if line is None else (line,):
            self._shown[i] = self._values[i].copy(), self._bottoms[i], self._tops[i]
        self._bitmap.fill(0)
        for color, shown in enumerate(self._shown, 1):
            if shown is not None and len(shown[0]) > 1:
                values, bottom, top = shown
                pitch = (self._bitmap.width - 1) / (len(values) - 1) if self._pitch is None else self._pitch
                plot(self._bitmap, values, pitch, bottom, top, color)

    def values_of(self, line: int) -> "list[float]":
        """What a line shows, the oldest value first."""
        return self._values[line].copy()

    @property
    def width(self) -> int:
        """In pixels."""
        return self._bitmap.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._bitmap.height
