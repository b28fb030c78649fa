import board
import displayio
import vectorio
from check import pixels, raises, same, setter

display = board.DISPLAY
RED, GREEN = 0xF800, 0x07E0


def palette():
    p = displayio.Palette(2)
    p[0] = 0xFF0000
    p[1] = 0x00FF00
    return p


def show(*members, scale=1):
    display.auto_refresh = False
    g = displayio.Group(scale=scale)
    for m in members:
        g.append(m)
    display.root_group = g
    return g


def spans(y):
    """(first, length, colour) of each run of lit pixels in a row."""
    out = []
    for x, value in enumerate(pixels(display, y)):
        if value and out and out[-1][0] + out[-1][1] == x and out[-1][2] == value:
            out[-1] = (out[-1][0], out[-1][1] + 1, value)
        elif value:
            out.append((x, 1, value))
    return out


def test_rectangle():
    r = vectorio.Rectangle(pixel_shader=palette(), width=10, height=4, x=20, y=30, color_index=1)
    show(r)
    same(spans(29), [])
    same(spans(30), [(20, 10, GREEN)])
    same(spans(33), [(20, 10, GREEN)])
    same(spans(34), [])
    r.width = 5
    r.color_index = 0
    same(spans(30), [(20, 5, RED)])
    same((r.width, r.height, r.color_index, r.location), (5, 4, 0, (20, 30)))
    r.location = (1, 2)
    same((r.x, r.y), (1, 2))
    same(spans(2), [(1, 5, RED)])


def test_circle():
    c = vectorio.Circle(pixel_shader=palette(), radius=6, x=50, y=40)
    show(c)
    for dy in range(-8, 9):
        inside = [x for x in range(-8, 9) if x * x + dy * dy <= 36]
        wanted = [(50 + inside[0], len(inside), RED)] if inside else []
        same((dy, spans(40 + dy)), (dy, wanted))
    c.radius = 1
    same(spans(40), [(49, 3, RED)])
    same(spans(39), [(50, 1, RED)])


def test_polygon():
    points = [(0, 0), (10, 0), (10, 8), (0, 8)]
    p = vectorio.Polygon(pixel_shader=palette(), points=points, x=5, y=5)
    show(p)
    same(p.points, points)
    same(spans(4), [])
    same(spans(5), [(5, 10, RED)])
    same(spans(12), [(5, 10, RED)])
    p.points = [(0, 0), (4, 0), (0, 4)]
    same(spans(5), [(5, 4, RED)])
    same(len(spans(8)), 1)
    same(spans(9), [])


def test_scale_moves_but_does_not_enlarge():
    show(vectorio.Rectangle(pixel_shader=palette(), width=3, height=3, x=10, y=10), scale=2)
    same(spans(20), [(20, 3, RED)])
    same(spans(23), [])


def test_transparent_fill_shows_what_is_below():
    p = palette()
    p.make_transparent(0)
    below = vectorio.Rectangle(pixel_shader=palette(), width=10, height=1, color_index=1)
    show(below, vectorio.Rectangle(pixel_shader=p, width=5, height=1))
    same(spans(0), [(0, 10, GREEN)])


def test_hidden():
    r = vectorio.Rectangle(pixel_shader=palette(), width=3, height=3)
    g = show(r)
    r.hidden = True
    same((r.hidden, spans(0)), (True, []))
    r.hidden = False
    g.hidden = True
    same(spans(0), [])
    g.hidden = False
    same(spans(0), [(0, 3, RED)])


def test_contains():
    r = vectorio.Rectangle(pixel_shader=palette(), width=3, height=2, x=10, y=20)
    same(r.contains((10, 20)), True)
    same(r.contains((12, 21)), True)
    same(r.contains((13, 20)), False)
    c = vectorio.Circle(pixel_shader=palette(), radius=3, x=10, y=10)
    same((c.contains((13, 10)), c.contains((13, 11))), (True, False))


def test_errors():
    p = palette()
    raises(TypeError, "", vectorio.Circle, p, 3)
    raises(TypeError, "", vectorio.Circle, pixel_shader=p)
    raises(ValueError, "radius must be >= 1", vectorio.Circle, pixel_shader=p, radius=0)
    raises(ValueError, "width must be >= 1", vectorio.Rectangle, pixel_shader=p, width=0, height=1)
    raises(ValueError, "height must be >= 1", vectorio.Rectangle, pixel_shader=p, width=1, height=0)
    raises(TypeError, "pixel_shader", vectorio.Circle, pixel_shader=3, radius=3)
    raises(TypeError, "", vectorio.Polygon, pixel_shader=p, points=[(0, 0), (1, 1)])
    raises(TypeError, "", vectorio.Polygon, pixel_shader=p, points=[0, 1, 2])
    raises(TypeError, "", vectorio.Polygon, pixel_shader=p, points=None)
    raises(TypeError, "", vectorio.Polygon, pixel_shader=p, points=[(0, 0), (1, 1), (1, "2")])
    shape = vectorio.Polygon(pixel_shader=p, points=[(0, 0), (1, 1), (2, 0)])
    raises(TypeError, "", setter, shape, "points", [(0, 0)])
    same(len(shape.points), 3)  # a refused assignment changes nothing
    raises(ValueError, "radius must be >= 1", setter, vectorio.Circle(pixel_shader=p, radius=1), "radius", 0)


def test_color_converter_as_shader():
    show(vectorio.Rectangle(pixel_shader=displayio.ColorConverter(), width=3, height=1, color_index=0xFF0000))
    same(spans(0), [(0, 3, RED)])


def test_bounds():
    # Far off the screen and across its edges: nothing but what is visible.
    show(
        vectorio.Circle(pixel_shader=palette(), radius=3, x=-2, y=0),
        vectorio.Rectangle(pixel_shader=palette(), width=32767, height=1, x=-100, y=100),
        vectorio.Circle(pixel_shader=palette(), radius=16383, x=32767, y=-32768),
    )
    same(spans(0), [(0, 2, RED)])
    same(spans(100), [(0, display.width, RED)])
