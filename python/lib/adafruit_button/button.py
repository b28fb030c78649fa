"""Buttons of one color, with square or round corners."""

from adafruit_display_shapes.rect import Rect
from adafruit_display_shapes.roundrect import RoundRect

from adafruit_button.button_base import ButtonBase, as_int, inverse

_RADIUS = 10
_SHADOW = 2  # pixels to the right and down


class Button(ButtonBase):
    """A button to be touched: `contains()` tells whether it was, `selected` shows it.

    style: RECT, ROUNDRECT, SHADOWRECT or SHADOWROUNDRECT. Colors are 0xRRGGBB or (red, green, blue); those for the
    selected button are the inverse ones unless given. Without fill_color and outline_color there is only the label,
    which is shortened until it fits."""

    RECT = 0
    ROUNDRECT = 1
    SHADOWRECT = 2
    SHADOWROUNDRECT = 3

    def __init__(
        self,
        *,
        x: int,
        y: int,
        width: int,
        height: int,
        name: "str | None" = None,
        style: int = RECT,
        fill_color: "int | tuple[int, int, int] | None" = 0xFFFFFF,
        outline_color: "int | tuple[int, int, int] | None" = 0x0,
        label: "str | None" = None,
        label_font=None,
        label_color: "int | tuple[int, int, int] | None" = 0x0,
        selected_fill: "int | tuple[int, int, int] | None" = None,
        selected_outline: "int | tuple[int, int, int] | None" = None,
        selected_label: "int | tuple[int, int, int] | None" = None,
        label_scale: "int | None" = 1,
    ) -> None:
        super().__init__(
            x=x,
            y=y,
            width=width,
            height=height,
            name=name,
            label_font=label_font,
            label_color=label_color,
            selected_label=selected_label,
            label_scale=label_scale,
        )
        self.style = style
        self.body = self.shadow = None
        self._fill_color = as_int(fill_color)
        self._outline_color = as_int(outline_color)
        self._selected_fill = inverse(self._fill_color) if selected_fill is None else as_int(selected_fill)
        self._selected_outline = (
            inverse(self._outline_color) if selected_outline is None else as_int(selected_outline)
        )
        self._create_body()
        self.label = label

    def _create_body(self) -> None:
        if self._outline_color is None and self._fill_color is None:
            return
        fill, outline = self._colors()
        width, height = self._width, self._height
        rounded = self.style in (self.ROUNDRECT, self.SHADOWROUNDRECT)
        if self.style in (self.SHADOWRECT, self.SHADOWROUNDRECT):
            width, height = width - _SHADOW, height - _SHADOW
            self.shadow = self._shape(rounded, _SHADOW, width, height, outline, None)
            self.append(self.shadow)
        if self.style in (self.RECT, self.ROUNDRECT, self.SHADOWRECT, self.SHADOWROUNDRECT):
            self.body = self._shape(rounded, 0, width, height, fill, outline)
            self.append(self.body)

    @staticmethod
    def _shape(rounded: bool, at: int, width: int, height: int, fill: "int | None", outline: "int | None"):
        if rounded:
            return RoundRect(at, at, width, height, _RADIUS, fill=fill, outline=outline)
        return Rect(at, at, width, height, fill=fill, outline=outline)

    def _colors(self) -> "tuple[int | None, int | None]":
        """Fill and outline, as the button is now."""
        if self._selected:
            return self._selected_fill, self._selected_outline
        return self._fill_color, self._outline_color

    def _color_body(self) -> None:
        if self.body is not None:
            self.body.fill, self.body.outline = self._colors()

    def _subclass_selected_behavior(self, value: bool) -> None:
        self._color_body()

    @property
    def group(self) -> "Button":
        """The button itself."""
        return self

    @property
    def fill_color(self) -> "int | None":
        """Of the body."""
        return self._fill_color

    @fill_color.setter
    def fill_color(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._fill_color = as_int(new_color)
        self._color_body()

    @property
    def outline_color(self) -> "int | None":
        """Of the body's outline."""
        return self._outline_color

    @outline_color.setter
    def outline_color(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._outline_color = as_int(new_color)
        self._color_body()

    @property
    def selected_fill(self) -> "int | None":
        """Of the body when selected."""
        return self._selected_fill

    @selected_fill.setter
    def selected_fill(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._selected_fill = as_int(new_color)
        self._color_body()

    @property
    def selected_outline(self) -> "int | None":
        """Of the body's outline when selected."""
        return self._selected_outline

    @selected_outline.setter
    def selected_outline(self, new_color: "int | tuple[int, int, int] | None") -> None:
        self._selected_outline = as_int(new_color)
        self._color_body()

    @property
    def width(self) -> int:
        """In pixels."""
        return self._width

    @width.setter
    def width(self, new_width: int) -> None:
        self.resize(new_width, self._height)

    @property
    def height(self) -> int:
        """In pixels."""
        return self._height

    @height.setter
    def height(self, new_height: int) -> None:
        self.resize(self._width, new_height)

    def resize(self, new_width: int, new_height: int) -> None:
        """Another size, in pixels."""
        self._width = new_width
        self._height = new_height
        text = self.label
        while len(self):
            self.pop()
        self.body = self.shadow = self._label = None
        self._create_body()
        self.label = text
