"""adafruit_display_shapes: every class with its options, and changed after it was made."""

import random

import displayio

COLORS = (0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, None)


def choose(seed):
    r = random.Random(seed) if hasattr(random, "Random") else random
    random.seed(seed)
    return random


def moved(layer, x=40, y=40):
    group = displayio.Group(x=x, y=y)
    group.append(layer)
    return group


def rect(seed):
    r = choose(seed)
    a = (r.randint(-5, 200), r.randint(-5, 150), r.randint(-1, 90), r.randint(0, 80))
    fill, outline = r.choice(COLORS), r.choice(COLORS)
    stroke = r.randint(1, max(1, min(a[2], a[3])))

    def scene(L):
        o = L.rect.Rect(*a, fill=fill, outline=outline, stroke=stroke)
        yield o, (o.x, o.y, o.width, o.height, o.fill, o.outline)
        o.fill = 0x123456
        if outline is not None:
            o.outline = 0x654321
        yield o, (o.fill, o.outline)
        o.fill = None
        yield o, (o.fill, o.outline, o.contains((a[0] + 3, a[1] + 3)))
        if outline is not None:
            o.outline = None
        yield o, o.outline

    return scene


def roundrect(seed):
    r = choose(seed)
    w, h = r.randint(0, 60), r.randint(1, 60)
    radius = r.randint(0, min(w, h) // 2 + (seed % 7 == 0))
    fill, outline = r.choice(COLORS), r.choice(COLORS)
    stroke = r.randint(1, max(1, min(radius, min(w, h) // 2))) if seed % 3 else 1

    def scene(L):
        o = L.roundrect.RoundRect(30, 20, w, h, radius, fill=fill, outline=outline, stroke=stroke)
        yield o, (o.x, o.y, o.width, o.height, o.fill, o.outline)
        if fill is not None:
            o.fill = 0x123456
            if outline is not None:
                o.outline = 0x654321
        yield o, (o.fill, o.outline)

    return scene


def circle(seed):
    r = choose(seed)
    a = (r.randint(20, 200), r.randint(20, 150), r.randint(0, 50))
    fill, outline = r.choice(COLORS), r.choice(COLORS)
    stroke = r.randint(1, max(1, a[2]))

    def scene(L):
        o = L.circle.Circle(*a, fill=fill, outline=outline, stroke=stroke)
        yield o, (o.x, o.y, o.x0, o.y0, o.r, o.width, o.height)
        o.x0, o.y0 = 77, 66
        yield o, (o.x, o.y, o.x0, o.y0)

    return scene


def lines(seed):
    r = choose(seed)
    points = [(r.randint(-20, 200), r.randint(-20, 160)) for _ in range(r.randint(1, 8))]
    if seed % 5 == 0:
        points = [(x // 20, y // 20) for x, y in points]
    stroke, closed, colors = r.randint(1, 7), bool(r.randint(0, 1)), r.randint(1, 5)

    def scene(L):
        o = L.polygon.Polygon(points, outline=0xFF00FF, close=closed, colors=colors, stroke=stroke)
        yield o, (o.x, o.y, o.outline, o.bitmap.width, o.bitmap.height, o.bitmap.bits_per_value)
        o.outline = 0x112233
        yield o, o.outline
        o.outline = None
        yield o, o.outline
        o = L.line.Line(*points[0], *points[-1], 0xABCDEF)
        yield o, (o.x, o.y, o.color)
        o.color = 0x123456
        yield o, o.color
        bitmap = displayio.Bitmap(250, 250, colors + 1)
        shown = displayio.Palette(colors + 1)
        shown[1] = 0xFFFFFF
        L.polygon.Polygon.draw(bitmap, [(abs(x), abs(y)) for x, y in points], 1, closed, stroke)
        yield displayio.TileGrid(bitmap, pixel_shader=shown)

    return scene


def triangle(seed):
    r = choose(seed)
    reach = 9 if seed % 3 == 0 else 150
    a = [r.randint(-reach // 3, reach) for _ in range(6)]
    if seed % 11 == 0:
        a[3] = a[1]
    if seed % 13 == 0:
        a[5] = a[3] = a[1]
    fill, outline = r.choice(COLORS), r.choice(COLORS)

    def scene(L):
        o = L.triangle.Triangle(*a, fill=fill, outline=outline)
        yield o, (o.x, o.y, o.fill, o.outline)
        if fill is not None:
            o.fill = 0x998877
        if outline is not None:
            o.outline = 0x334455
        yield o, (o.fill, o.outline)

    return scene


def sparkline(seed):
    r = choose(seed)
    kind = r.randint(0, 3)
    low = r.choice((None, None, -5, 0, 2.5))
    high = r.choice((None, None, 20, 31, 7.25))
    items, dynamic = r.randint(2, 30), bool(r.randint(0, 1))
    width, height = r.randint(1, 200), r.randint(1, 120)
    # Not 0: an automatic limit of Adafruit's that is 0 is taken for one not yet set.
    values = [(r.randint(-10, 40) or 1) if kind else r.uniform(-10, 40) for _ in range(r.randint(0, 45))]
    if kind == 2:
        values = [values[0]] * len(values) if values else []

    def scene(L):
        o = L.sparkline.Sparkline(width, height, items, dynamic, low, high, 11, 12, 0xFF8800)
        for i, value in enumerate(values):
            o.add_value(value)
            if i % 7 == 0:
                yield o, (o.values(), o.y_top, o.y_bottom, o.width, o.height)
        yield o, (o.values(), o.y_top, o.y_bottom)
        o.add_value(3, update=False)
        yield o, o.values()
        o.update()
        yield o
        o.clear_values()
        yield o, o.values()

    return scene


def multi(seed):
    r = choose(seed)
    lines = r.randint(1, 5)
    lows = r.choice((None, [r.choice((None, -3, 0)) for _ in range(lines)]))
    highs = r.choice((None, [r.choice((None, 30, 15)) for _ in range(lines)]))
    rows = [[r.randint(-10, 40) or 1 for _ in range(lines)] for _ in range(20)]
    dynamic, items = bool(r.randint(0, 1)), r.randint(2, 24)

    def scene(L):
        colors = [0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0x00FFFF][:lines]
        o = L.multisparkline.MultiSparkline(180, 90, items, colors, dynamic, lows, highs, 5, 6)
        for i, row in enumerate(rows):
            o.add_values(row, i % 3 != 0)
            if i % 4 == 0:
                yield o, [o.values_of(k) for k in range(lines)]
        o.add_values(rows[0], False)
        o.update_line(0)
        yield o
        o.update_line()
        yield o
        o.clear_values()
        yield o

    return scene


def filled(seed):
    r = choose(seed)
    points = [(r.randint(0, 120), r.randint(0, 100)) for _ in range(r.randint(3, 7))]
    fill, outline = r.choice(COLORS), r.choice(COLORS)
    stroke, closed = r.randint(1, 4), bool(r.randint(0, 1))

    def scene(L):
        o = L.filled_polygon.FilledPolygon(points, fill=fill, outline=outline, stroke=stroke, close=closed)
        yield moved(o), (o.x, o.y, o.fill, o.outline, o.points, len(o))
        o.points = [(x // 2 + 3, y) for x, y in points]
        yield o, o.points
        if fill is not None:
            o.fill = 0x00AA55
        if outline is not None:
            o.outline = 0x1100AA
        yield o, (o.fill, o.outline)

    return scene


def arc(seed):
    r = choose(seed)
    a = (r.choice((30, 17.5, 60, 41)), r.choice((90, 45, 360, 123, 200)), r.randint(-180, 360), r.randint(1, 20))
    fill, outline, width = r.choice(COLORS), r.choice(COLORS), r.randint(1, 25)

    def scene(L):
        o = L.arc.Arc(*a, fill=fill, outline=outline, arc_width=width, x=100, y=110)
        yield o, (o.radius, o.angle, o.segments, o.fill, o.outline, o.arc_width, o.x, o.y)
        for name, value in (("radius", 50), ("angle", 77), ("direction", 33), ("segments", 7)):
            setattr(o, name, value)
            yield o
        if outline is not None:
            o.outline = 0x334455
            yield o, o.outline

    return scene


def failing(L):
    """How calls fail, by type and text."""
    said = []
    for call in (
        lambda: L.rect.Rect(0, 0, 0, 5), lambda: L.rect.Rect(0, 0, 5, -1), lambda: L.rect.Rect(0, 0, 5.5, 5),
        lambda: L.rect.Rect("a", 0, 5, 5), lambda: L.rect.Rect(0, 0, 5, 5, fill="x"),
        lambda: L.rect.Rect(0, 0, 5, 5, fill=-1), lambda: L.rect.Rect(0, 0, 5, 5, outline=0x1000000),
        lambda: setattr(L.rect.Rect(0, 0, 5, 5), "width", 4), lambda: setattr(L.rect.Rect(0, 0, 5, 5), "fill", 4.5),
        lambda: L.rect.Rect(0, 0, 5), lambda: L.rect.Rect(0, 0, 5, 5, 0xFF),
        lambda: L.roundrect.RoundRect(0, 0, 10, 10, 6), lambda: L.roundrect.RoundRect(0, 0, 0, 10, 0),
        lambda: L.roundrect.RoundRect(0, 0, 10, 10, 2, fill="a"), lambda: L.circle.Circle(0, 0, -1),
        lambda: L.circle.Circle(1, 1, 2.5), lambda: setattr(L.circle.Circle(5, 5, 2), "x0", 1.5),
        lambda: L.line.Line(1, 2, 3, 4), lambda: L.line.Line(1, 2, 3.5, 4, 5), lambda: L.line.Line(1, 2, 3, 4, "red"),
        lambda: L.polygon.Polygon([]), lambda: L.polygon.Polygon([(1, 2), (3,)]),
        lambda: L.polygon.Polygon([(1, 2), (1.5, 2)]), lambda: L.triangle.Triangle(0, 0, 5.5, 5, 0, 9),
        lambda: L.triangle.Triangle(0, 0, 5, 5, 0, 9, fill=-5), lambda: L.sparkline.Sparkline(0, 5, 5),
        lambda: L.sparkline.Sparkline(5.5, 5, 5), lambda: L.sparkline.Sparkline(5, 5, 5, color=None),
        lambda: L.sparkline.Sparkline(5, 5, 0).add_value(1), lambda: L.sparkline.Sparkline(5, 5, 5).add_value(None),
        lambda: setattr(L.sparkline.Sparkline(5, 5, 5), "y_top", 3),
        lambda: L.multisparkline.MultiSparkline(5, 5, 5, [1, 2]).add_values([1]),
        lambda: L.multisparkline.MultiSparkline(5, 5, 5, [1, 2]).add_values([1, 2, 3]),
        lambda: L.multisparkline.MultiSparkline(5, 5, 5, [1, 2]).values_of(2),
        lambda: L.multisparkline.MultiSparkline(5, 5, 5, [1, 2]).update_line(2),
        lambda: L.multisparkline.MultiSparkline(5, 5, 5, [1, None]),
        lambda: L.filled_polygon.FilledPolygon([(1, 2), (3, 4)], fill=3), lambda: L.filled_polygon.FilledPolygon([]),
        lambda: L.filled_polygon.FilledPolygon([], outline=3), lambda: L.arc.Arc(5, 90, 0, 0, outline=3),
        lambda: L.arc.Arc(5, 90), lambda: L.arc.Arc(5, 90, 0, 3, outline="a"),
        lambda: L.arc.Arc(5, 90, 0, 3, scale=0), lambda: setattr(L.arc.Arc(5, 90, 0, 3), "segments", 0),
    ):
        try:
            call()
            said.append("done")
        except Exception as e:
            said.append(f"{type(e).__name__}: {e}")
    for line in said:
        yield None, line


def subclassed(L):
    """Classes of a program, as libraries make them: their own attributes, added to a Group, used as any layer."""

    class Lamp(L.circle.Circle):
        def __init__(self, x, y):
            self.on = False
            super().__init__(x, y, 9, outline=0xFFFFFF, fill=0)
            self.note = "lamp"

        def toggle(self):
            self.on = not self.on
            self.fill = 0xFFAA00 if self.on else 0

    group = displayio.Group(scale=2, x=3, y=4)
    lamp, box = Lamp(30, 40), L.rect.Rect(5, 5, 20, 10, fill=0x00FF00)
    group.append(box)
    group.append(lamp)
    yield group, (lamp.note, lamp in group, group.index(lamp))
    lamp.toggle()
    box.hidden = True
    lamp.x += 20
    yield group, (lamp.on, lamp.x0, isinstance(lamp, displayio.TileGrid))
    group.remove(box)
    yield group, (len(group), lamp.contains((lamp.x + 1, lamp.y + 1)))


def all_scenes():
    for kind, count in (
        (rect, 30), (roundrect, 120), (circle, 60), (lines, 60), (triangle, 120), (sparkline, 80), (multi, 30),
        (filled, 30), (arc, 40),
    ):
        for seed in range(count):
            yield f"{kind.__name__} {seed}", kind(seed)
    yield "failing", failing
    yield "subclassed", subclassed
