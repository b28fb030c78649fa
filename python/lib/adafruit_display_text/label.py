"""Labels that run in any direction."""

from displayio import Palette, TileGrid

from adafruit_display_text import LabelBase, _layout

_DIRECTIONS = ("LTR", "RTL", "UPR", "DWR", "TTB")
_TEXT, _BACKGROUND = 1, 2


class Label(LabelBase):
    """A text. Its origin is the left end of the first line, at half the height of a capital letter, or on the
    baseline with base_alignment. Arguments as those of LabelBase; label_direction LTR, RTL (first letter at the
    right), UPR (upward), DWR (downward) or TTB (letters below each other)."""

    def __init__(self, font, **kwargs) -> None:
        self._palette = Palette(3)
        self._palette.make_transparent(0)
        self._grid = None
        super().__init__(font, **kwargs)
        self._text = self._replace_tabs(self._text)
        self._palette[_TEXT] = 0 if self._color is None else self._color
        self._set_background_palette()
        self._lay_out()

    def _lay_out(self) -> None:
        self._render()
        self._anchor()

    def _set_background_palette(self) -> None:
        if self._background_color is not None:
            self._palette[_BACKGROUND] = self._background_color

    def _render(self) -> None:
        made = _layout.label(
            self._grid and self._grid.bitmap,
            self._font,
            self._text,
            self._baseline,
            self._line_height,
            self._ascent,
            self._descent,
            bool(self._background_tight),
            (self._padding_top, self._padding_bottom, self._padding_left, self._padding_right),
            _DIRECTIONS.index(self._label_direction),
            self._background_color is not None,
        )
        self._bounding_box = (0, 0, 0, 0)
        if made is None:
            if self._grid is not None:
                self._local_group.remove(self._grid)
                self._grid = None
        else:
            bitmap, x, y, self._bounding_box = made
            self._show(bitmap, x, y)

    def _show(self, bitmap, x: int, y: int) -> None:
        grid = self._grid
        if grid is not None and grid.bitmap is bitmap:
            grid.x, grid.y = x, y
            return
        new = TileGrid(bitmap, pixel_shader=self._palette, x=x, y=y)
        if grid is None:
            self._local_group.insert(0, new)
        else:
            self._local_group[self._local_group.index(grid)] = new
        self._grid = new

    def _set_text(self, new_text: str, scale: int) -> None:
        new_text = self._replace_tabs(new_text)
        if new_text != self._text:
            self._text = new_text
            self._lay_out()

    def _set_font(self, new_font) -> None:
        self._font = new_font
        self._ascent, self._descent = self._get_ascent_descent()
        self._lay_out()

    def _set_line_spacing(self, new_line_spacing: float) -> None:
        self._line_spacing = new_line_spacing
        self._lay_out()

    def _set_background_color(self, new_color: "int | None") -> None:
        was, self._background_color = self._background_color, new_color
        self._set_background_palette()
        if (was is None) != (new_color is None):
            self._render()

    def _set_label_direction(self, new_label_direction: str) -> None:
        if new_label_direction != self._label_direction:
            self._label_direction = new_label_direction
            self._lay_out()
