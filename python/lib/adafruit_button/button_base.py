"""What buttons have in common: a label, a name, and being selected."""

from adafruit_display_text.bitmap_label import Label
from displayio import Group
from terminalio import FONT


def as_int(color: "int | tuple[int, int, int] | None") -> "int | None":
    """The color of a tuple (red, green, blue) as one number; others as they are."""
    if isinstance(color, tuple):
        red, green, blue = color
        return red << 16 | green << 8 | blue
    return color


def inverse(color: "int | None") -> "int | None":
    return None if color is None else ~color & 0xFFFFFF


class ButtonBase(Group):
    """A group with a label in its middle. Subclasses draw the body, give the label after it (it lies on top), and say in
    `_subclass_selected_behavior` how the body looks when the button is selected."""

    def __init__(
        self,
        *,
        x: int,
        y: int,
        width: int,
        height: int,
        name: "str | None" = None,
        label: "str | None" = None,
        label_font=None,
        label_color: "int | tuple[int, int, int] | None" = 0x0,
        selected_label: "int | tuple[int, int, int] | None" = None,
        label_scale: "int | None" = 1,
    ) -> None:
        super().__init__(x=x, y=y)
        self._width = width
        self._height = height
        self._name = name
        self._font = label_font
        self._selected = False
        self._label = None
        self._label_scale = label_scale or 1
        self._label_color = as_int(label_color)
        self._selected_label = inverse(self._label_color) if selected_label is None else as_int(selected_label)
        self.label = label

    @property
    def label(self) -> "str | None":
        """The text, shortened to what fits; None: there is none."""
        return None if self._label is None else self._label.text

    @label.setter
    def label(self, newtext: "str | None") -> None:
        if self._label is not None:
            self.remove(self._label)
            self._label = None
        if not newtext:
            return
        font = self._font or FONT
        scale = self._label_scale
        color = self._selected_label if self._selected else self._label_color
        label = Label(font, text=newtext, scale=scale, color=color)
        _, _, width, height = label.bounding_box
        while width * scale >= self._width or height * scale > self._height:
            newtext = newtext[:-2] + "."
            if len(newtext) <= 1 or height * scale > self._height:
                raise RuntimeError("Button not large enough for label")
            label.text = newtext
            _, _, width, height = label.bounding_box
        label.x = (self._width - width * scale) // 2
        label.y = self._height // 2
        self._label = label
        self.append(label)

    def _subclass_selected_behavior(self, value: bool) -> None:
        pass

    @property
    def selected(self) -> bool:
        """Is it shown as pressed?"""
        return self._selected

    @selected.setter
    def selected(self, value: bool) -> None:
        if value == self._selected:
            return
        self._selected = value
        self._subclass_selected_behavior(value)
        self._color_label()

    def _color_label(self) -> None:
        if self._label is not None:
            self._label.color = self._selected_label if self._selected else self._label_color

    @property
    def selected_label(self) -> "int | None":
        """The text's color when selected; unless given, the inverse of label_color."""
        return self._selected_label

    @selected_label.setter
    def selected_label(self, new_color: "int | tuple[int, int, int]") -> None:
        self._selected_label = as_int(new_color)
        self._color_label()

    @property
    def label_color(self) -> "int | None":
        """The text's color."""
        return self._label_color

    @label_color.setter
    def label_color(self, new_color: "int | tuple[int, int, int]") -> None:
        self._label_color = as_int(new_color)
        self._color_label()

    @property
    def name(self) -> "str | None":
        """What the program calls it."""
        return self._name

    @name.setter
    def name(self, new_name: "str | None") -> None:
        self._name = new_name

    def contains(self, point) -> bool:
        """Is (x, y), [x, y], or one of a list of touches {"x": x, "y": y}, on the button? Edges count."""
        if isinstance(point, (tuple, list)) and not (point and isinstance(point[0], dict)):
            return self.x <= point[0] <= self.x + self._width and self.y <= point[1] <= self.y + self._height
        if isinstance(point, list):
            return any(self.contains((touch["x"], touch["y"])) for touch in point)
        return False
