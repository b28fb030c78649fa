"""What rectangles have in common."""

from displayio import Bitmap, Palette, TileGrid

from adafruit_display_shapes import set_color


class Box(TileGrid):
    """A bitmap with one color for the inside and one for the outline. Either may be None: not drawn. Subclasses draw what is
    wanted so far (`_filled`, `_framed`) in `_draw`."""

    _FILL = 0  # its places in the palette
    _OUTLINE = 1

    def __init__(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        colors: int,
        fill: "int | None",
        outline: "int | None",
        stroke: int,
    ) -> None:
        if width <= 0 or height <= 0:
            raise ValueError("Rectangle dimensions must be larger than 0.")
        self._bitmap = Bitmap(width, height, colors)
        self._palette = Palette(colors)
        self._stroke = max(stroke, 0)
        self._filled = fill is not None
        self._framed = outline is not None
        self._draw()
        if outline is not None:
            self._palette[self._OUTLINE] = outline
        set_color(self._palette, self._FILL, fill)
        super().__init__(self._bitmap, pixel_shader=self._palette, x=x, y=y)

    @property
    def fill(self) -> int:
        """The color inside; None, which draws nothing, is read back as 0."""
        return self._palette[self._FILL]

    @fill.setter
    def fill(self, color: "int | None") -> None:
        set_color(self._palette, self._FILL, color)
        if color is not None and not self._filled:
            self._filled = True
            self._draw()

    @property
    def outline(self) -> int:
        """The color of the outline, likewise."""
        return self._palette[self._OUTLINE]

    @outline.setter
    def outline(self, color: "int | None") -> None:
        set_color(self._palette, self._OUTLINE, color)
        if color is not None and not self._framed:
            self._framed = True
            self._draw()

    @property
    def width(self) -> int:
        """In pixels."""
        return self._bitmap.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._bitmap.height
