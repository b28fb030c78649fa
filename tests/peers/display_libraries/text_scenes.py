"""adafruit_display_text: both labels in every direction, changed after they were made; text boxes; wrapping."""

import random

import displayio
import terminalio

import odd_font

FONTS = [
    terminalio.FONT, odd_font.Odd(), odd_font.Odd((9, 8, 0, -1), 1), odd_font.Odd((9, 11), 0, (8, 3)), odd_font.Plain(),
    odd_font.Odd((7, 5, 0, 0), 2, (5, 1)),
]
TEXTS = [
    "Hello", "", " ", "a", "Hgy\nlo", "two  words ", "one\n\nthree", "tail\n", "\nhead", "a\tb", "a~b\u4e2dc", "gjpqy",
    "\u00e9\u00df\u2588", "1234567890", "MMM\nii\nMMMM", "x" * 30,
]
# Adafruit's bitmap_label finds no glyphs in a sheet of several rows.
ONE_ROW = [f for f in FONTS if not isinstance(f, odd_font.Plain)]
SINGLE = [t for t in TEXTS if "\n" not in t]
COLORS = (0xFF0000, 0x00FF00, (1, 200, 255), 0xFFFF00)


def options(r):
    o = {"color": r.choice(COLORS), "x": r.randint(0, 90), "y": r.randint(10, 120), "scale": r.choice((1, 1, 2, 3))}
    if r.random() < 0.6:
        o["background_color"] = r.choice(COLORS)
    if r.random() < 0.3:
        for side in ("top", "bottom", "left", "right"):
            o["padding_" + side] = r.randint(-1 if r.random() < 0.2 else 0, 7)
    if r.random() < 0.3:
        o["line_spacing"] = r.choice((0.5, 1, 1.0, 2.2))
    if r.random() < 0.3:
        o["base_alignment"] = True
    if r.random() < 0.4:
        o["anchor_point"] = (r.choice((0, 0.5, 1.0, 0.3)), r.choice((0, 0.5, 1.0, -1.0)))
        o["anchored_position"] = (r.randint(60, 200), r.randint(50, 150))
    if r.random() < 0.2:
        o["tab_replacement"] = (2, "-")
    return o


def says(o):
    return (o.x, o.y, o.bounding_box, o.width, o.height, o.scale, o.text, o.color, o.background_color, o.anchor_point,
            o.anchored_position, o.label_direction, o.line_spacing)


def changed(o, r, texts, still=()):
    """The label through some changes."""
    for _ in range(6):
        what = r.choice(("text", "text", "color", "background_color", "anchor_point", "anchored_position", "scale", "x"))
        if what in still:
            continue
        if what == "text":
            o.text = r.choice(texts)
        elif what == "color":
            o.color = r.choice(COLORS)
        elif what == "background_color":
            o.background_color = r.choice(COLORS + (None,))
        elif what == "anchor_point":
            o.anchor_point = (r.choice((0, 0.25, 1)), r.choice((0, 0.75, 1)))
        elif what == "anchored_position":
            o.anchored_position = (r.randint(90, 200), r.randint(70, 150))
        elif what == "scale":
            o.scale = r.randint(1, 3)
        else:
            o.x = r.randint(0, 60)
        yield o, (what, says(o))


def label(seed):
    def scene(L):
        r = random
        r.seed(seed)
        direction = r.choice(("LTR", "LTR", "LTR", "RTL", "UPR", "DWR", "TTB"))
        o = options(r)
        texts = TEXTS
        # Adafruit's writes the lines of turned text over each other, and a tight background not behind it.
        if direction in ("UPR", "DWR"):
            texts = SINGLE
        else:
            o["background_tight"] = r.random() < 0.3
        text = L.label.Label(r.choice(FONTS), text=r.choice(texts), label_direction=direction, **o)
        yield text, says(text)
        yield from changed(text, r, texts)

    return scene


def bitmap_label(seed):
    def scene(L):
        r = random
        r.seed(seed)
        o = options(r)
        o["background_tight"] = r.random() < 0.3
        direction = r.choice(("LTR", "LTR", "RTL", "UPR", "DWR", "UPD"))
        texts = SINGLE if direction == "RTL" else TEXTS  # Adafruit's turns the lines' order round, too
        text = L.bitmap_label.Label(r.choice(ONE_ROW), text=r.choice(texts), label_direction=direction, **o)
        yield text, says(text)
        yield from changed(text, r, texts)
        text.label_direction = r.choice(("LTR", "UPR", "DWR", "UPD"))
        yield text, says(text)
        text.line_spacing = r.choice((0.7, 1, 1.5))
        yield text, says(text)

    return scene


def outlined(seed):
    def scene(L):
        r = random
        r.seed(seed)
        o = options(r)
        o = {k: v for k, v in o.items() if not k.startswith("padding")}
        if seed % 4 == 0:
            o["padding_left"] = o["padding_right"] = o["padding_top"] = o["padding_bottom"] = r.randint(0, 6)
        text = L.bitmap_label.Label(r.choice(ONE_ROW), text=r.choice(TEXTS), outline_color=r.choice((0x123456, 0x80FF80)),
                                    outline_size=r.randint(1, 3), **o)
        yield text, (says(text), text.outline_size)
        yield from changed(text, r, TEXTS, ("scale",))

    return scene


def scrolling(seed):
    def scene(L):
        r = random
        r.seed(seed)
        text = L.bitmap_label.Label(r.choice(ONE_ROW), text=r.choice(("Hello World", "abcdefghi ", "Hello\nWorld", "ends in sp ")),
                                    max_characters=r.randint(2, 7), animate_time=100, x=20, y=30,
                                    current_index=r.randint(0, 2), background_color=0x003300)
        yield text, (says(text), text.full_text, text.max_characters, text.current_index, text.update(), text.update(True))
        text.current_index = r.randint(-5, 20)
        yield text, (text.current_index, text.text)
        text.text = "another text"
        yield text, (text.current_index, text.full_text)
        text.current_index = 3
        yield text, text.update(True)
        text.max_characters = 4
        yield None, (text.text, text.full_text, text.update(True))
        yield text
        text.full_text = "xyz of w"
        yield text, text.full_text

    return scene


def palettes(L):
    palette = displayio.Palette(6)
    for i in range(6):
        palette[i] = 0x301020 * i
    for font in (odd_font.Grey(), terminalio.FONT):
        text = L.bitmap_label.Label(font, text="abcd\nefgh", color_palette=palette, x=10, y=40, scale=2)
        yield text, says(text)
        text.text = "other"
        yield text, (text.bitmap.bits_per_value, text.tilegrid.x, text.tilegrid.y, text.bitmap is text.tilegrid.bitmap)
    text = L.label.Label(odd_font.Grey(), text="abcd", x=10, y=40)
    yield text, says(text)
    yield L.bitmap_label.Label(odd_font.Grey(), text="abcd", x=10, y=40)
    yield L.bitmap_label.Label(terminalio.FONT, text="none", color=None, x=10, y=40)
    yield L.label.Label(terminalio.FONT, text="none", color=None, background_color=5, x=10, y=40)
    for module in L.label, L.bitmap_label:
        text = module.Label(terminalio.FONT, text="none", x=10, y=40)
        text.color = None
        yield text, text.color
        text.color = 0x00FFFF
        yield text, text.color


def box(seed):
    def scene(L):
        r = random
        r.seed(seed)
        words = [r.choice(("a", "of", "word", "longer", "thermometer", "x-y", "")) for _ in range(r.randint(0, 9))]
        o = {k: v for k, v in options(r).items() if k not in ("line_spacing", "tab_replacement")}
        align = r.randint(0, 2)
        if align > 0:  # which Adafruit's reckons from the box without its paddings
            o = {k: v for k, v in o.items() if not k.startswith("padding")}
        T = L.text_box.TextBox
        # With letters that reach to the left the box moves by them when made, not when changed.
        font = r.choice(ONE_ROW) if seed % 2 else terminalio.FONT
        text = T(font, r.randint(60, 150), r.choice((-1, 150 if seed % 2 else 30)), align, text=" ".join(words), **o)
        yield text, (says(text), text.align)
        if font is not terminalio.FONT:
            return
        text.text = "another text of some words, and another one"
        yield text, says(text)
        text.align = align and 3 - align
        text.text = "other words in other lines of it"  # Adafruit's shows the new alignment with the next text
        yield text, (says(text), text.align, T.ALIGN_LEFT, T.ALIGN_CENTER, T.ALIGN_RIGHT, T.DYNAMIC_HEIGHT)
        text.height = r.choice((40, T.DYNAMIC_HEIGHT))
        text.text = "short"
        yield text, says(text)

    return scene


def wrapping(seed):
    """Without line ends, and with indents only where no word is split: see docs/compatibility.md."""

    def scene(L):
        r = random
        r.seed(seed)
        text = "".join(r.choice("abcdefgh iiMM  ") for _ in range(r.randint(0, 80)))
        short = " ".join(r.choice(("a", "of", "word", "", "iiiii")) for _ in range(r.randint(0, 20)))
        for font in (None, *FONTS[:3]):
            width = r.randint(2, 40) if font is None else r.randint(20, 150)
            yield None, (text, width, L.display_text.wrap_text_to_pixels(text, width, font))
            width = r.randint(10, 40) if font is None else r.randint(80, 200)
            yield None, (short, width, L.display_text.wrap_text_to_pixels(short, width, font, "* ", "    "))
        yield None, L.display_text.wrap_text_to_lines(text + "\n" + short, r.randint(2, 30))

    return scene


def failing(L):
    label, bitmap = L.label.Label, L.bitmap_label.Label
    T = terminalio.FONT

    def put(make, name, value):
        return lambda: setattr(make(T, text="ab"), name, value)

    calls = []
    for make in label, bitmap:
        calls += [lambda make=make, k=k: make(T, **k) for k in (
            {"scale": 0}, {"scale": 1.5}, {"x": 1.5}, {"color": "a"}, {"bogus": 1}, {"tab_replacement": 4},
            {"background_color": 0x1000000}, {"color": -1})]
        calls += [lambda make=make: make(), lambda make=make: make(None, text="a")]
        calls += [put(make, *pair) for pair in (
            ("bounding_box", 3), ("width", 3), ("height", 3), ("scale", 0), ("scale", 1.5), ("color", "a"), ("color", -1),
            ("label_direction", "XX"), ("text", 5), ("text", None), ("x", 1.5), ("background_color", 2.5))]
    calls += [
        lambda: label(T, 5, 6), lambda: bitmap(T, color_palette=displayio.Palette(3)),
        lambda: put(lambda *a, **k: bitmap(*a, save_text=False, **k), "font", T)(),
        lambda: put(lambda *a, **k: bitmap(*a, save_text=False, **k), "line_spacing", 2)(),
        lambda: bitmap(T, text="a", outline_color=3, background_tight=True),
        lambda: bitmap(T, text="a", outline_color=3, padding_left=0),
        lambda: bitmap(T, text="a", color_palette=displayio.Palette(4)).add_accent_range(0, 1, 2, 3, "x"),
        lambda: L.text_box.TextBox(T, 50, 20, 7), lambda: setattr(L.text_box.TextBox(T, 50, 20), "align", 9),
        lambda: L.text_box.TextBox(T),
        lambda: L.display_text.wrap_text_to_pixels(5, 20, T), lambda: L.display_text.wrap_text_to_lines(None, 20),
    ]
    for call in calls:
        try:
            call()
            yield None, "done"
        except Exception as e:
            yield None, f"{type(e).__name__}: {e}"


def subclassed(L):
    """Labels of a program, in groups and with attributes of their own."""

    class Counter(L.label.Label):
        def __init__(self, *args, **kwargs):
            self.count = 0
            super().__init__(*args, **kwargs)

        def step(self):
            self.count += 1
            self.text = str(self.count)

    class Title(L.bitmap_label.Label):
        @property
        def text(self):
            return super().text

        @text.setter
        def text(self, value):
            L.bitmap_label.Label.text.fset(self, value.upper())

    group = displayio.Group(scale=2)
    counter, title = Counter(terminalio.FONT, text="0", x=5, y=20), Title(terminalio.FONT, text="title", x=5, y=40)
    group.append(counter)
    group.append(title)
    yield group, (counter.text, title.text, len(group))
    for _ in range(11):
        counter.step()
    title.text = "new title"
    yield group, (counter.text, title.text, isinstance(counter, L.display_text.LabelBase), counter in group)
    title.hidden = True
    yield group


def all_scenes():
    for kind, count in ((label, 150), (bitmap_label, 150), (outlined, 60), (scrolling, 30), (box, 60), (wrapping, 80)):
        for seed in range(count):
            yield f"{kind.__name__} {seed}", kind(seed)
    for scene in palettes, failing, subclassed:
        yield scene.__name__, scene
