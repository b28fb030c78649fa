"""Text in a box of a given width."""

from displayio import Bitmap

from adafruit_display_text import _layout, bitmap_label, wrap_text_to_pixels


class TextBox(bitmap_label.Label):
    """A text wrapped to `width` pixels; `height` may be DYNAMIC_HEIGHT, as high as the text needs. align: ALIGN_LEFT,
    ALIGN_CENTER or ALIGN_RIGHT. The other arguments are those of bitmap_label.Label."""

    ALIGN_LEFT = 0
    ALIGN_CENTER = 1
    ALIGN_RIGHT = 2

    DYNAMIC_HEIGHT = -1

    def __init__(self, font, width: int, height: int, align: int = ALIGN_LEFT, **kwargs) -> None:
        self._box_width = width
        self._box_height = height
        self._align = self._checked_align(align)
        super().__init__(font, **kwargs)

    def _checked_align(self, align: int) -> int:
        if align not in (self.ALIGN_LEFT, self.ALIGN_CENTER, self.ALIGN_RIGHT):
            raise ValueError("Align must be one of: ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT")
        return align

    def _padded(self, text: str) -> str:
        """The text as it is kept: in lines. What was given is kept too, for another width."""
        self._given = text
        return "\n".join(wrap_text_to_pixels(self._replace_tabs(text), self._room(), self._font))

    def _room(self) -> int:
        return self._box_width - self._padding_left - self._padding_right

    def _left(self, line: str) -> int:
        if self._align == self.ALIGN_LEFT:
            return self._padding_left
        free = self._room() - _layout.extent(self._font, line)[1]
        return self._padding_left + (free // 2 if self._align == self.ALIGN_CENTER else free)

    def _render(self) -> None:
        ascent, descent = self._loose_metrics()
        lines = self._full_text.split("\n")
        advance = int(self._line_height)
        left, top = self._padding_left, self._padding_top
        height = self._box_height
        inset = x = _layout.extent(self._font, self._full_text)[0]  # letters that reach out to the left
        if height != self.DYNAMIC_HEIGHT:
            x = 0
        else:
            height = ascent + descent + (len(lines) - 1) * advance + top + self._padding_bottom
        bitmap = Bitmap(self._box_width, height, len(self._palette))
        for number, line in enumerate(lines):
            _layout.draw(bitmap, self._font, line, self._left(line) - inset, top + ascent + number * advance, 0, -1)
        if self._outline_color is not None:
            _layout.outline(bitmap, self._outline_size)
        y = self._baseline - ascent
        self._bounding_box = (x, y, self._box_width, height)
        self._show(bitmap, x - left, y - top)
        self._anchor()

    @property
    def height(self) -> int:
        """Of the box."""
        return self._bounding_box[3]

    @height.setter
    def height(self, height: int) -> None:
        self._box_height = height
        self._render()

    @property
    def width(self) -> int:
        """Of the box."""
        return self._bounding_box[2]

    @width.setter
    def width(self, width: int) -> None:
        self._box_width = width
        self._full_text = self._padded(self._given)
        self._render()

    @property
    def align(self) -> int:
        """ALIGN_LEFT, ALIGN_CENTER or ALIGN_RIGHT."""
        return self._align

    @align.setter
    def align(self, align: int) -> None:
        self._align = self._checked_align(align)
        self._render()
