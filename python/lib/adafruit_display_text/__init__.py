"""Labels for displayio under the names of Adafruit's library, laid out and drawn in C (docs/compatibility.md)."""

from displayio import Group

from adafruit_display_text import _layout


class _Lines:
    """Lines under way, each at most `room` wide; `line` is the last one. `measure` tells how wide a text is."""

    def __init__(self, room: int, first: str, indent: str, measure) -> None:
        self.done = []
        self.line = first
        self.room = room
        self.indent = indent
        self.measure = measure
        self.starts = True  # no word on this line yet

    def break_line(self) -> None:
        self.done.append(self.line)
        self.line = self.indent
        self.starts = True

    def add(self, word: str) -> None:
        gap = "" if self.starts else " "
        width = self.measure(word)
        if width > self.room:
            self.split(gap, word)
        elif self.starts or self.measure(self.line + gap + word) < self.room:
            self.line += gap + word
            self.starts = False
        else:
            self.break_line()
            self.line += word
            self.starts = False

    def split(self, gap: str, word: str) -> None:
        """A word that no line holds, with hyphens; at least a letter goes on each new line."""
        piece = ""
        fresh = False
        while word:
            if fresh and not piece and self.measure(self.line + word) <= self.room:
                break
            if self.measure(self.line + gap + piece + word[0] + "-") <= self.room or (fresh and not piece):
                piece += word[0]
                word = word[1:]
                continue
            if piece:
                self.line += gap + piece + "-"
            self.break_line()
            gap = piece = ""
            fresh = True
        self.line += gap + piece + word
        self.starts = False


def wrap_text_to_pixels(
    string: str,
    max_width: int,
    font=None,
    indent0: str = "",
    indent1: str = "",
    outline_accent_ranges: "list[tuple[int, int, int]] | None" = None,
) -> "list[str]":
    """The lines of a text that is at most max_width pixels wide (characters, without a font), broken at spaces.

    indent0 goes before the first line, indent1 before the others. outline_accent_ranges: (start, end, size) of
    letters whose outline takes room."""
    if font is None:
        measure = len
    else:

        def measure(text: str) -> int:
            return _layout.advance(font, text)

    lines = _Lines(max_width, indent0, indent1, measure)
    for number, paragraph in enumerate(string.split("\n")):
        if number:
            lines.break_line()
        for word in paragraph.split(" "):
            lines.add(word)
    return [*lines.done, lines.line]


def wrap_text_to_lines(string: str, max_chars: int) -> "list[str]":
    """The lines of a text of at most max_chars characters, broken at spaces; line ends in it are taken out."""
    lines = []
    line = ""
    for word in string.replace("\n", "").replace("\r", "").split(" "):
        if len(word) > max_chars:
            if line:
                lines.append(line)
            step = max(max_chars - 1, 1)
            pieces = [word[at : at + step] for at in range(0, len(word), step)]
            lines += [piece + "-" for piece in pieces[:-1]]
            line = pieces[-1]
        elif len(line) + 1 + len(word) <= max_chars:
            line += " " + word
        elif not line and len(word) == max_chars:
            lines.append(word)
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    if lines and lines[0].startswith(" "):
        lines[0] = lines[0][1:]
    return lines


class LabelBase(Group):
    """What all labels have in common. A label that derives from it writes `_set_text`, `_set_font`,
    `_set_line_spacing`, and so on."""

    def __init__(
        self,
        font,
        x: int = 0,
        y: int = 0,
        text: str = "",
        color: int = 0xFFFFFF,
        background_color: "int | None" = None,
        line_spacing: float = 1.25,
        background_tight: bool = False,
        padding_top: int = 0,
        padding_bottom: int = 0,
        padding_left: int = 0,
        padding_right: int = 0,
        anchor_point: "tuple[float, float] | None" = None,
        anchored_position: "tuple[int, int] | None" = None,
        scale: int = 1,
        base_alignment: bool = False,
        tab_replacement: "tuple[int, str]" = (4, " "),
        label_direction: str = "LTR",
        verbose: bool = False,
    ) -> None:
        super().__init__(x=x, y=y, scale=1)
        self._font = font
        self._text = text
        self._color = color
        self._background_color = background_color
        self._line_spacing = line_spacing
        self._background_tight = background_tight
        self._padding_top = padding_top
        self._padding_bottom = padding_bottom
        self._padding_left = padding_left
        self._padding_right = padding_right
        self._anchor_point = anchor_point
        self._anchored_position = anchored_position
        self._base_alignment = base_alignment
        self._tab_text = tab_replacement[1] * tab_replacement[0]
        if label_direction not in self._get_valid_label_directions():
            raise RuntimeError("Please provide a valid text direction")
        self._label_direction = label_direction
        self._verbose = verbose
        self._bounding_box = (0, 0, 0, 0)
        self._ascent, self._descent = self._get_ascent_descent()
        self.local_group = self._local_group = Group(scale=scale)
        self.append(self._local_group)

    def _get_ascent_descent(self) -> "tuple[int, int]":
        """Of the font, which may say so itself."""
        if hasattr(self._font, "ascent") and self._font.ascent is not None:
            return self._font.ascent, self._font.descent
        return _layout.metrics(self._font)

    @property
    def _baseline(self) -> int:
        """Rows from the origin to the first line's baseline."""
        return 0 if self._base_alignment else self._ascent // 2

    @property
    def _line_height(self) -> float:
        return self._font.get_bounding_box()[1] * self._line_spacing

    def _replace_tabs(self, text: str) -> str:
        return text if text.find("\t") < 0 else text.replace("\t", self._tab_text)

    # --- what a kind of label does its own way ---

    def _set_text(self, new_text: str, scale: int) -> None:
        pass

    def _set_font(self, new_font) -> None:
        pass

    def _set_line_spacing(self, new_line_spacing: float) -> None:
        pass

    def _set_background_color(self, new_color: "int | None") -> None:
        pass

    def _set_label_direction(self, new_label_direction: str) -> None:
        pass

    def _get_valid_label_directions(self) -> "tuple[str, ...]":
        return ("LTR", "RTL", "UPR", "DWR", "TTB")

    # --- properties ---

    def _anchor(self) -> None:
        if self._anchor_point is None or self._anchored_position is None:
            return
        (across, down), (x, y) = self._anchor_point, self._anchored_position
        left, top, width, height = self._bounding_box
        scale = self.scale
        self.x = int(x - left * scale - round(across * width * scale))
        if down == -1.0:  # the baseline
            self.y = int(y - self._baseline * scale)
        else:
            self.y = int(y - top * scale - round(down * height * scale))

    @property
    def font(self):
        """What has get_bounding_box() and get_glyph(codepoint)."""
        return self._font

    @font.setter
    def font(self, new_font) -> None:
        self._set_font(new_font)

    @property
    def color(self) -> "int | tuple[int, int, int] | None":
        """Of the text."""
        return self._color

    @color.setter
    def color(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._set_color(new_color)
        self._color = new_color

    def _set_color(self, color: "int | tuple[int, int, int] | None") -> None:
        palette = self._palette
        palette[1] = 0 if color is None else color
        if color is None:
            palette.make_transparent(1)
        else:
            palette.make_opaque(1)

    @property
    def background_color(self) -> "int | tuple[int, int, int] | None":
        """Of the rectangle behind the text; None: there is none."""
        return self._background_color

    @background_color.setter
    def background_color(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._set_background_color(new_color)

    @property
    def anchor_point(self) -> "tuple[float, float] | None":
        """What of the label is at anchored_position: (0, 0) its top left, (1.0, 0.5) the middle of its right side.
        -1.0 for y: the baseline."""
        return self._anchor_point

    @anchor_point.setter
    def anchor_point(self, new_anchor_point: "tuple[float, float] | None") -> None:
        self._anchor_point = new_anchor_point
        self._anchor()

    @property
    def anchored_position(self) -> "tuple[int, int] | None":
        """Where anchor_point is, in pixels of the parent."""
        return self._anchored_position

    @anchored_position.setter
    def anchored_position(self, new_position: "tuple[int, int] | None") -> None:
        self._anchored_position = new_position
        self._anchor()

    @property
    def scale(self) -> int:
        """Pixels of the screen for one of the text's."""
        return self._local_group.scale

    @scale.setter
    def scale(self, new_scale: int) -> None:
        self._local_group.scale = new_scale
        self._anchor()

    @property
    def text(self) -> str:
        """What is shown; lines end in a newline."""
        return self._text

    @text.setter
    def text(self, new_text: str) -> None:
        self._set_text(new_text, self.scale)

    @property
    def bounding_box(self) -> "tuple[int, int, int, int]":
        """(x, y, width, height) of the text, unscaled, x and y from the label's own."""
        return self._bounding_box

    @property
    def height(self) -> int:
        """Of the bounding box."""
        return self._bounding_box[3]

    @property
    def width(self) -> int:
        """Of the bounding box."""
        return self._bounding_box[2]

    @property
    def line_spacing(self) -> float:
        """From line to line, in heights of the font's bounding box."""
        return self._line_spacing

    @line_spacing.setter
    def line_spacing(self, new_line_spacing: float) -> None:
        self._set_line_spacing(new_line_spacing)

    @property
    def label_direction(self) -> str:
        """Where the text runs to."""
        return self._label_direction

    @label_direction.setter
    def label_direction(self, new_label_direction: str) -> None:
        if new_label_direction not in self._get_valid_label_directions():
            raise RuntimeError("Please provide a valid text direction")
        self._set_label_direction(new_label_direction)
