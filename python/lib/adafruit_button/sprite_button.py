"""Buttons drawn from a sheet of 3 by 3 tiles."""

from displayio import OnDiskBitmap, TileGrid

from adafruit_button.button_base import ButtonBase


def _load(path: str) -> tuple:
    """(bitmap, shader) of a picture. BMP files are the firmware's; others need adafruit_imageload in lib."""
    if path.lower().endswith(".bmp"):
        sheet = OnDiskBitmap(path)
        return sheet, sheet.pixel_shader
    from adafruit_imageload import load

    return load(path)


def _frame(path: str, width: int, height: int, transparent: "int | tuple | None") -> TileGrid:
    """Corners and edges of the sheet around its middle, which repeats; as many whole tiles as the size holds."""
    bitmap, shader = _load(path)
    for index in (transparent,) if isinstance(transparent, int) else transparent or ():
        shader.make_transparent(index)
    tile_width, tile_height = bitmap.width // 3, bitmap.height // 3
    columns, rows = width // tile_width, height // tile_height
    grid = TileGrid(
        bitmap, pixel_shader=shader, width=columns, height=rows, tile_width=tile_width, tile_height=tile_height
    )
    for y in range(rows):
        down = 2 if y == rows - 1 else 0 if y == 0 else 1
        for x in range(columns):
            across = 2 if x == columns - 1 else 0 if x == 0 else 1
            grid[x, y] = 3 * down + across
    return grid


class SpriteButton(ButtonBase):
    """A button of pictures: bmp_path is a sheet of 3 by 3 tiles, selected_bmp_path the one for when it is selected.
    The size in pixels is rounded down to whole tiles. transparent_index: one or several values of the sheet's palette
    that are not drawn."""

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
        bmp_path: "str | None" = None,
        selected_bmp_path: "str | None" = None,
        transparent_index: "int | tuple | None" = None,
        label_scale: "int | None" = 1,
    ) -> None:
        if bmp_path is None:
            raise ValueError("Please supply bmp_path. It cannot be None.")
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
        self._plain = _frame(bmp_path, width, height, transparent_index)
        self._pressed = self._plain
        if selected_bmp_path is not None:
            self._pressed = _frame(selected_bmp_path, width, height, transparent_index)
        self.append(self._plain)
        self.label = label

    @property
    def width(self) -> int:
        """In pixels."""
        return self._width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._height

    def _subclass_selected_behavior(self, value: bool) -> None:
        wanted = self._pressed if value else self._plain
        if self[0] is not wanted:
            self[0] = wanted
