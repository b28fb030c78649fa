"""Shapes for displayio under the names of Adafruit's library, drawn in C (docs/compatibility.md)."""


def set_color(palette, index: int, color) -> None:
    """A color, or None: transparent, and read back as 0."""
    palette[index] = 0 if color is None else color
    if color is None:
        palette.make_transparent(index)
    else:
        palette.make_opaque(index)
