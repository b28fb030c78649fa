"""Labels in one bitmap: with an outline, accents and scrolling."""

from displayio import Palette, TileGrid
from supervisor import ticks_ms

from adafruit_display_text import LabelBase, _layout

_TICKS = 1 << 29  # supervisor.ticks_ms() wraps there
_BACKGROUND, _TEXT, _OUTLINE = 0, 1, 2
_REVERSE, _ON_BASELINE = 1, 2  # to _layout.bitmap_label
# (transpose_xy, flip_x, flip_y) of the tile grid
_TURNS = {
    "LTR": (False, False, False),
    "RTL": (False, False, False),
    "UPD": (False, True, True),
    "UPR": (True, True, False),
    "DWR": (True, False, True),
}
_KINDS = ("foreground_background", "outline")


class Label(LabelBase):
    """A text in one bitmap. Arguments of LabelBase by name, and:

    save_text: False keeps font and line_spacing as they are. color_palette: at least 4 colors, for background, text,
    outline and accents. outline_color, outline_size: a stroke around the letters. max_characters: a longer text
    scrolls, one character every animate_time seconds, when update() is called; current_index is the first that shows.
    label_direction: LTR, RTL (the letters in reverse), UPR (upward), DWR (downward) or UPD (upside down)."""

    def __init__(
        self,
        font,
        save_text: bool = True,
        color_palette: "Palette | None" = None,
        outline_color: "int | None" = None,
        outline_size: int = 1,
        max_characters: "int | None" = None,
        animate_time: float = 0.3,
        current_index: int = 0,
        **kwargs,
    ) -> None:
        if outline_color is not None:
            for side in ("padding_left", "padding_right", "padding_top", "padding_bottom"):
                kwargs.setdefault(side, outline_size)
        self._save_text = save_text
        self._grid = None
        self._outline_color = outline_color
        self._outline_size = outline_size
        self._accents = []
        self._max_characters = max_characters
        self.animate_time = animate_time
        self._current_index = current_index
        self._last_step = ticks_ms()
        super().__init__(font, **kwargs)
        self._own_palette = color_palette is None
        if self._own_palette:
            self._palette = Palette(3)
            self._palette[_TEXT] = 0 if self._color is None else self._color
            self._palette[_OUTLINE] = 0x999999 if outline_color is None else outline_color
            self._set_background_palette()
        elif len(color_palette) < 4:
            raise ValueError(
                "color_palette should be at least 4 colors to provide enough for normal, accented, and outlined "
                "text. color_palette argument can be omitted if not using accents."
            )
        else:
            self._palette = color_palette
        text, self._text = self._text, ""
        self._full_text = self._padded(text)
        self._render()

    # --- drawing ---

    def _set_background_palette(self) -> None:
        if self._background_color is None:
            self._palette[_BACKGROUND] = 0
            self._palette.make_transparent(_BACKGROUND)
        else:
            self._palette[_BACKGROUND] = self._background_color
            self._palette.make_opaque(_BACKGROUND)

    def _padded(self, text: str) -> str:
        """A text that scrolls ends in a space."""
        long = self._max_characters is not None and len(text) > self._max_characters
        return text + " " if long and not text.endswith(" ") else text

    def _window(self) -> str:
        """What of the text is seen now."""
        text, most = self._full_text, self._max_characters
        if most is None or len(text) <= most:
            return text
        start = self._current_index
        return (text[start:] + text[:start])[:most]

    def _loose_metrics(self) -> "tuple[int, int]":
        """Ascent and descent of a loose background: the font's box where it says all, else the letters'."""
        box = self._font.get_bounding_box()
        if len(box) == 4:
            return box[1], -box[3]
        return self._ascent, self._descent

    def _render(self) -> None:
        ascent, descent = self._loose_metrics()
        bitmap, x, y, box, missing = _layout.bitmap_label(
            self._grid and self._grid.bitmap,
            self._font,
            self._replace_tabs(self._window()),
            self._ascent // 2,
            self._line_height,
            ascent,
            descent,
            bool(self._background_tight),
            (self._padding_top, self._padding_bottom, self._padding_left, self._padding_right),
            len(self._palette),
            0 if self._outline_color is None else self._outline_size,
            (_REVERSE if self._label_direction == "RTL" else 0) | (_ON_BASELINE if self._base_alignment else 0),
            self._accents_shown(),
        )
        for letter in missing or ():
            print("Glyph not found:", repr(letter))
        turned = bitmap is not None and _TURNS[self._label_direction][0]
        self._bounding_box = self._turned(box) if turned else box
        self._show(bitmap, x, y)
        self._anchor()

    def _turned(self, box: "tuple[int, int, int, int]") -> "tuple[int, int, int, int]":
        """The box of turned text: the tile grid stays where it was, so the paddings change sides."""
        x, y, width, height = box
        if not self._background_tight:
            x -= self._padding_left
            y -= self._padding_top
            if self._label_direction == "UPR":
                x += self._padding_top
                y += self._padding_right
            else:
                x += self._padding_bottom
                y += self._padding_left
        return x, y, height, width

    def _show(self, bitmap, x: int, y: int) -> None:
        grid = self._grid
        if bitmap is None:
            if grid is not None:
                self._local_group.remove(grid)
                self._grid = None
            return
        if grid is None or grid.bitmap is not bitmap:
            new = TileGrid(bitmap, pixel_shader=self._palette)
            if grid is None:
                self._local_group.insert(0, new)
            else:
                self._local_group[self._local_group.index(grid)] = new
            grid = self._grid = new
        grid.x, grid.y = x, y
        grid.transpose_xy, grid.flip_x, grid.flip_y = _TURNS[self._label_direction]

    # --- what LabelBase asks for ---

    def _set_text(self, new_text: str, scale: int) -> None:
        new_text = self._padded(self._checked(new_text))
        if new_text != self._full_text:
            self._full_text = new_text
            self._current_index = 0
            self._render()

    @staticmethod
    def _checked(text: str) -> str:
        text.find("\t")
        return text

    def _set_font(self, new_font) -> None:
        if not self._save_text:
            raise RuntimeError("font is immutable when save_text is False")
        self._font = new_font
        self._ascent, self._descent = self._get_ascent_descent()
        self._render()

    def _set_line_spacing(self, new_line_spacing: float) -> None:
        if not self._save_text:
            raise RuntimeError("line_spacing is immutable when save_text is False")
        self._line_spacing = new_line_spacing
        self._render()

    def _set_background_color(self, new_color: "int | None") -> None:
        self._background_color = new_color
        self._set_background_palette()

    def _set_label_direction(self, new_label_direction: str) -> None:
        if new_label_direction != self._label_direction:
            self._label_direction = new_label_direction
            self._render()

    def _get_valid_label_directions(self) -> "tuple[str, ...]":
        return tuple(_TURNS)

    # --- text, and scrolling ---

    @property
    def text(self) -> str:
        """The whole text; with max_characters it may be longer than what shows."""
        return self._full_text

    @text.setter
    def text(self, new_text: str) -> None:
        self._set_text(new_text, self.scale)

    @property
    def full_text(self) -> str:
        """The same as text."""
        return self._full_text

    @full_text.setter
    def full_text(self, new_text: str) -> None:
        self._set_text(new_text, self.scale)

    def update(self, force: bool = False) -> "bool | None":
        """Scroll on by a character, if animate_time is over; force: draw what is shown anew. True: the label has
        changed."""
        if self._max_characters is None or len(self._full_text) <= self._max_characters:
            return None
        now = ticks_ms()
        if not force:
            if ((now - self._last_step) & (_TICKS - 1)) < max(1, self.animate_time * 1000):
                return False
            self._current_index = (self._current_index + 1) % len(self._full_text)
        self._last_step = now
        self._render()
        return True

    @property
    def current_index(self) -> int:
        """The first character that shows, from the next update() on."""
        return self._current_index

    @current_index.setter
    def current_index(self, new_index: int) -> None:
        self._current_index = new_index % len(self._full_text) if self._full_text else 0

    @property
    def max_characters(self) -> "int | None":
        """How many characters show at once; None: all."""
        return self._max_characters

    @max_characters.setter
    def max_characters(self, new_max_characters: "int | None") -> None:
        self._max_characters = new_max_characters
        self._full_text = self._padded(self._full_text)
        self._render()

    # --- outline ---

    @property
    def outline_color(self) -> "int | tuple[int, int, int] | None":
        """Of the stroke around the letters; None: there is none."""
        return self._outline_color

    @outline_color.setter
    def outline_color(self, new_outline_color: "int | tuple[int, int, int] | None") -> None:
        was, self._outline_color = self._outline_color, new_outline_color
        if new_outline_color is not None:
            self._palette[_OUTLINE] = new_outline_color
            if was is None:
                self._make_room()
        if (was is None) != (new_outline_color is None):
            self._render()

    @property
    def outline_size(self) -> int:
        """Pixels of the stroke around the letters."""
        return self._outline_size

    @outline_size.setter
    def outline_size(self, new_outline_size: int) -> None:
        self._outline_size = new_outline_size
        self._padding_top = self._padding_bottom = new_outline_size
        self._padding_left = self._padding_right = new_outline_size
        self._render()

    def _make_room(self) -> None:
        for side in ("_padding_top", "_padding_bottom", "_padding_left", "_padding_right"):
            setattr(self, side, max(getattr(self, side), self._outline_size))

    # --- accents ---

    def _accents_shown(self) -> "list[tuple[int, int, int, int, int]]":
        """The accents as they lie on what of the text is seen."""
        shown = []
        length, start = len(self._full_text), self._current_index
        scrolls = self._max_characters is not None and length > self._max_characters
        for first, last, color, behind, kind in self._accents:
            size = self._outline_size if kind == "outline" else 0
            for shift in (-start, length - start) if scrolls else (0,):
                if last + shift > 0:
                    shown.append((max(first + shift, 0), last + shift, color, behind, size))
        return shown

    def add_accent_range(
        self,
        start: int,
        end: int,
        foreground_color: int,
        background_color: int,
        accent_type: str = "foreground_background",
    ) -> None:
        """Other colors for the characters from start on, before end: indexes into color_palette. accent_type
        "outline": background_color is that of an outline."""
        if accent_type not in _KINDS:
            raise ValueError("accent_type must be either 'foreground_background' or 'outline'")
        self._accents.append((start, end, foreground_color, background_color, accent_type))
        if accent_type == "outline":
            self._make_room()
        self._render()

    def remove_accent_range(self, start: int) -> None:
        """Take away the accent that starts there."""
        for i, accent in enumerate(self._accents):
            if accent[0] == start:
                del self._accents[i]
                break
        self._render()

    def add_accent_to_substring(
        self,
        substring: str,
        foreground_color: int,
        background_color: int,
        accent_type: str = "foreground_background",
        start: int = 0,
    ) -> bool:
        """An accent for the first place of the substring from start on. False: it is not there."""
        found = self._full_text.find(substring, start)
        if found < 0:
            return False
        self.add_accent_range(found, found + len(substring), foreground_color, background_color, accent_type)
        return True

    def remove_accent_from_substring(self, substring: str, start: int = 0) -> bool:
        """Take away the accent of the first place of the substring from start on. False: it is not there."""
        found = self._full_text.find(substring, start)
        if found < 0:
            return False
        self.remove_accent_range(found)
        return True

    @property
    def accent_ranges(self) -> "list[tuple[int, int, int, int, str]]":
        """(start, end, foreground_color, background_color, accent_type) of each accent."""
        return self._accents

    def clear_accent_ranges(self) -> None:
        """Take all accents away."""
        self._accents = []
        self._render()

    # --- the layer ---

    @property
    def bitmap(self):
        """The Bitmap with text and background."""
        return self._grid and self._grid.bitmap

    @property
    def tilegrid(self):
        """The TileGrid that shows it."""
        return self._grid
