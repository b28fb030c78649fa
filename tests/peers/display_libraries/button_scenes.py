"""adafruit_button: every style, selected and not, changed after it was made."""

import random

import displayio
import terminalio

COLORS = (0xFF0000, 0x00FF00, (1, 200, 255), 0xFFFF00, None)
LABELS = (None, "OK", "Turn on", "a long label that does not fit", "")
SHEETS = ("/bmps/gradient_button_0.bmp", "/bmps/gradient_button_1.bmp")
POINTS = ((40, 30), (39, 30), [60, 50], (160, 100), (40.5, 30.5), (60, 50, 900), [{"x": 60, "y": 50}], {"x": 60, "y": 50},
          [{"x": 1, "y": 1}, {"x": 60, "y": 50}], [{"x": 1, "y": 1}], None)


def says(o):
    return (o.x, o.y, o.width, o.height, o.label, o.name, o.selected, o.label_color, o.selected_label,
            [o.contains(p) for p in POINTS])


def colors(o):
    return o.fill_color, o.outline_color, o.selected_fill, o.selected_outline


def button(seed):
    def scene(L):
        r = random
        r.seed(seed)
        o = {"x": 40, "y": 30, "width": r.randint(22, 120), "height": r.randint(24, 70), "style": r.randint(0, 3)}
        for name in ("fill_color", "outline_color", "selected_fill", "selected_outline"):
            if r.random() < 0.5:
                o[name] = r.choice(COLORS)
        for name in ("label_color", "selected_label"):
            if r.random() < 0.5:
                o[name] = r.choice(COLORS[:4])
        if r.random() < 0.3:
            o["name"] = "n"
        if r.random() < 0.2:
            o["label_scale"] = 2
        if r.random() < 0.2:
            o["label_font"] = terminalio.FONT
        b = L.button.Button(label=r.choice(LABELS), **o)
        # Adafruit's has no selected_label and takes no colors without a label, and shows none that was None at first.
        if not b.label:
            yield b, colors(b)
            return
        yield b, (says(b), colors(b))
        if o.get("fill_color", 1) is None or o.get("outline_color", 1) is None:
            return
        b.selected = True
        yield b, (says(b), colors(b))
        b.selected = False
        b.label = r.choice(LABELS[1:4])
        yield b, says(b)
        for name in r.sample(("fill_color", "outline_color", "selected_fill", "selected_outline", "label_color",
                              "selected_label"), 4):
            setattr(b, name, r.choice(COLORS[:4]))
            yield b, (name, says(b), colors(b))
        b.width = r.randint(60, 130)
        b.height = r.randint(30, 80)
        yield b, says(b)
        b.resize(100, 50)
        b.selected = True
        b.name = "other"
        yield b, (says(b), len(b), L.button.Button.ROUNDRECT, L.button.Button.SHADOWROUNDRECT)

    return scene


def sprite(seed):
    def scene(L):
        r = random
        r.seed(seed)
        o = {"x": 40, "y": 30, "width": r.randint(48, 120), "height": r.randint(32, 70), "bmp_path": SHEETS[0]}
        if r.random() < 0.6:
            o["selected_bmp_path"] = SHEETS[1]
        if r.random() < 0.6:
            o["transparent_index"] = r.choice((0, (0, 1)))
        b = L.sprite_button.SpriteButton(label=r.choice(LABELS[1:4]), **o)
        yield b, says(b)
        b.selected = True
        yield b, says(b)
        b.label = "M"
        b.label_color = 0xFF00FF
        b.selected = False
        yield b, says(b)

    return scene


def failing(L):
    size = {"x": 1, "y": 2, "width": 60, "height": 30}
    for call in (
        lambda: L.button.Button(**{**size, "width": 5}, label="abc"), lambda: L.button.Button(**{**size, "height": 5}, label="a"),
        lambda: L.button.Button(**{**size, "width": 0}), lambda: L.button.Button(x=1, y=2, width=3),
        lambda: L.button.Button(1, 2, 3, 4), lambda: L.button.Button(**{**size, "width": 15}, style=1),
        lambda: L.button.Button(**size, fill_color="a"), lambda: setattr(L.button.Button(**size), "fill_color", "a"),
        lambda: setattr(L.button.Button(**size), "label", 5), lambda: L.button.Button(**size).contains(()),
        lambda: L.button.Button(**size).contains((5,)), lambda: L.button.Button(**size).contains([]),
        lambda: L.sprite_button.SpriteButton(**size), lambda: L.sprite_button.SpriteButton(**size, bmp_path="/none.bmp"),
        lambda: L.sprite_button.SpriteButton(**{**size, "width": 5}, bmp_path=SHEETS[0]),
        lambda: setattr(L.sprite_button.SpriteButton(**size, bmp_path=SHEETS[0]), "width", 9),
        lambda: L.sprite_button.SpriteButton(**size, bmp_path=SHEETS[0], style=2),
    ):
        try:
            call()
            yield None, "done"
        except Exception as e:
            yield None, f"{type(e).__name__}: {e}"


def subclassed(L):
    class Key(L.button.Button):
        def __init__(self, letter, column):
            super().__init__(x=10 + 34 * column, y=20, width=30, height=30, label=letter, style=L.button.Button.SHADOWROUNDRECT)
            self.letter = letter

        def press(self):
            self.selected = not self.selected

    group = displayio.Group()
    keys = [Key(letter, i) for i, letter in enumerate("abc")]
    for key in keys:
        group.append(key)
    yield group, [key.letter for key in group]
    keys[1].press()
    yield group, ([key.selected for key in keys], isinstance(keys[0], L.button_base.ButtonBase), keys[0].group is keys[0])
    group.pop()
    yield group, [key.contains((50, 30)) for key in keys]


def all_scenes():
    for kind, count in ((button, 120), (sprite, 20)):
        for seed in range(count):
            yield f"{kind.__name__} {seed}", kind(seed)
    yield "failing", failing
    yield "subclassed", subclassed
