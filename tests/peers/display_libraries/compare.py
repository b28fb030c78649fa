"""Runs on the board: each scene with the firmware's libraries and with Adafruit's, which lie in lib/ under
names of their own (peer_display_text, ...); what the screen shows and what the objects say must be the same.

A scene is a function of a Libraries; it returns the layer to show, or (layer, anything with a repr). One that
is a generator shows several in turn."""

import board
import displayio

display = board.DISPLAY
display.auto_refresh = False


class Libraries:
    """ours.rect.Rect, ours.label.Label, ..."""

    def __init__(self, prefix):
        self.prefix = prefix

    def __getattr__(self, name):
        for package, modules in (
            ("display_shapes", "arc circle filled_polygon line multisparkline polygon rect roundrect sparkline triangle"),
            ("display_text", "bitmap_label label outlined_label scrolling_label text_box"),
            ("button", "button button_base sprite_button"),
        ):
            if name in modules.split():
                return getattr(__import__(f"{self.prefix}_{package}.{name}"), name)
            if name == package:
                return __import__(f"{self.prefix}_{package}")
        raise AttributeError(name)


def background():
    """A chequered ground, so that what is transparent is seen to be."""
    bitmap = displayio.Bitmap(320, 240, 2)
    for y in range(240):
        for x in range(y // 8 % 2 * 8, 320, 16):
            for i in range(8):
                bitmap[x + i, y] = 1
    palette = displayio.Palette(2)
    palette[0], palette[1] = 0x203040, 0x405060
    return displayio.TileGrid(bitmap, pixel_shader=palette)


ground = background()


def picture(layer):
    root = displayio.Group()
    root.append(ground)
    if layer is not None:
        root.append(layer)
    display.root_group = root
    display.refresh()
    rows = bytearray(320 * 240 * 2)
    view = memoryview(rows)
    for y in range(240):
        display.fill_row(y, view[y * 640:y * 640 + 640])
    display.root_group = None
    while len(root):
        root.pop()
    return rows


def outcome(scene, libraries):
    """What a scene shows and says, or how it fails."""
    seen = []
    try:
        steps = scene(libraries)
        if isinstance(steps, (displayio.Group, displayio.TileGrid, tuple)):
            steps = [steps]
        for step in steps or ():
            layer, said = step if isinstance(step, tuple) else (step, None)
            seen.append((repr(said), picture(layer) if layer is not None else b""))
    except Exception as e:
        seen.append((type(e).__name__ + ": " + str(e), b""))
    return seen


ours, theirs = Libraries("adafruit"), Libraries("peer")


def difference(a, b):
    """In words, None: they are the same."""
    if len(a) != len(b):
        return f"{len(a)} steps, not {len(b)}: {a[-1][0]} / {b[-1][0]}"
    for i, (mine, other) in enumerate(zip(a, b)):
        if mine[0] != other[0]:
            return f"step {i}: says {mine[0]}, not {other[0]}"
        if mine[1] != other[1]:
            pixels = [k for k in range(0, len(other[1]), 2) if mine[1][k:k + 2] != other[1][k:k + 2]]
            at = pixels[0] // 2
            return f"step {i}: {len(pixels)} pixels differ, the first at ({at % 320}, {at // 320})"
    return None


def run(scenes):
    """scenes: (name, scene) pairs."""
    count = 0
    for name, scene in scenes:
        count += 1
        wrong = difference(outcome(scene, ours), outcome(scene, theirs))
        if wrong:
            print("DIFFERS", name, wrong)
    print("COMPARED", count)
