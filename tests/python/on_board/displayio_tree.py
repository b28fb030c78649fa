import displayio
import vectorio
from check import get, put, raises, same, setter


def sheet(width=8, height=4, values=16):
    return displayio.Bitmap(width, height, values)


def grid(bitmap=None, **kwargs):
    return displayio.TileGrid(bitmap or sheet(), pixel_shader=displayio.Palette(16), **kwargs)


def test_tilegrid_arguments():
    t = grid(x=3, y=-4)
    same((t.x, t.y, t.width, t.height, t.tile_width, t.tile_height), (3, -4, 1, 1, 8, 4))
    t = grid(width=3, height=2, tile_width=4, tile_height=2, default_tile=1)
    same((t.width, t.height, t.tile_width, t.tile_height), (3, 2, 4, 2))
    same([t[i] for i in range(6)], [1] * 6)
    raises(TypeError, "", displayio.TileGrid, sheet())
    raises(TypeError, "", displayio.TileGrid, sheet(), displayio.Palette(2))
    raises(TypeError, "pixel_shader", displayio.TileGrid, sheet(), pixel_shader=None)
    raises(TypeError, "pixel_shader", displayio.TileGrid, sheet(), pixel_shader=3)
    raises(TypeError, "bitmap", displayio.TileGrid, 3, pixel_shader=displayio.Palette(2))
    raises(TypeError, "bitmap", displayio.TileGrid, None, pixel_shader=displayio.Palette(2))
    raises(ValueError, "Tile width must exactly divide bitmap width", grid, tile_width=3)
    raises(ValueError, "Tile height must exactly divide bitmap height", grid, tile_height=3)
    raises(ValueError, "x must be -32768-32767", grid, x=40000)


def test_tiles():
    t = grid(width=3, height=2, tile_width=4, tile_height=2)
    t[2, 1] = 3
    same(t[5], 3)
    t[1] = 2
    same(t[1, 0], 2)
    raises(IndexError, "Tile index out of bounds", get, t, 6)
    raises(IndexError, "Tile index out of bounds", get, t, (3, 0))
    raises(IndexError, "Tile index out of bounds", put, t, (0, 2), 1)
    raises(IndexError, "Tile index out of bounds", put, t, (-1, 0), 1)
    raises(ValueError, "Tile index out of bounds", put, t, 0, 4)
    raises(ValueError, "Tile index out of bounds", put, t, 0, -1)
    raises(NotImplementedError, "Slices not supported", get, t, slice(0, 1))
    raises(NotImplementedError, "Slices not supported", put, t, slice(0, 1), 0)
    assert t


def test_many_tiles():
    b = displayio.Bitmap(320, 2, 2)  # 640 tiles of one pixel: two bytes a cell
    t = grid(b, width=20, height=20, tile_width=1, tile_height=1)
    for i in range(400):
        t[i] = (i * 37) % 640
    same([t[i] for i in range(400)], [(i * 37) % 640 for i in range(400)])


def test_tilegrid_properties():
    t = grid()
    for name in ("hidden", "flip_x", "flip_y", "transpose_xy"):
        same(getattr(t, name), False)
        setattr(t, name, True)
        same(getattr(t, name), True)
    for name in ("width", "height", "tile_width", "tile_height"):
        raises(AttributeError, "", setter, t, name, 1)
    b = sheet()
    t.bitmap = b
    assert t.bitmap is b
    raises(ValueError, "New bitmap must be same size as old bitmap", setter, t, "bitmap", sheet(4, 4))
    raises(TypeError, "bitmap", setter, t, "bitmap", 3)
    p = displayio.ColorConverter()
    t.pixel_shader = p
    assert t.pixel_shader is p
    raises(TypeError, "pixel_shader", setter, t, "pixel_shader", 3)
    assert t.bitmap is b
    t.x = -32768
    t.y = 32767
    same((t.x, t.y), (-32768, 32767))
    raises(ValueError, "x must be -32768-32767", setter, t, "x", 32768)


def test_tilegrid_contains():
    t = grid(x=10, y=20, width=2, tile_width=4, tile_height=4)
    same(t.contains((10, 20)), True)
    same(t.contains((17, 23)), True)
    same(t.contains((18, 20)), False)
    same(t.contains((10, 24)), False)
    same(t.contains((9, 20)), False)
    same(t.contains([11, 21, 500]), True)  # a touch point


def test_group_arguments():
    g = displayio.Group(scale=2, x=1, y=2)
    same((g.scale, g.x, g.y, g.hidden, len(g), bool(g)), (2, 1, 2, False, 0, False))
    raises(ValueError, "scale must be", displayio.Group, scale=0)
    raises(ValueError, "scale must be", displayio.Group, scale=32768)
    raises(ValueError, "scale must be", setter, g, "scale", 0)
    raises(TypeError, "", displayio.Group, 2)
    raises(TypeError, "", displayio.Group, max_size=4)
    raises(TypeError, "", displayio.Group, scale=1.5)
    g.hidden = True
    same(g.hidden, True)


def test_group_list():
    g = displayio.Group()
    a, b, c, d = (grid() for i in range(4))
    g.append(a)
    g.append(b)
    g.insert(0, c)
    g.insert(-1, d)
    same([id(m) for m in g], [id(m) for m in (c, a, d, b)])
    same(g.index(d), 2)
    assert d in g
    assert g.pop() is b
    assert b not in g
    assert g.pop(0) is c
    assert g[0] is a
    assert g[-1] is d
    g[0] = c
    assert g[0] is c
    g.append(a)  # free again after it was replaced
    del g[0]
    same(len(g), 2)
    g.remove(d)
    same([id(m) for m in g], [id(a)])
    assert g
    raises(ValueError, "", g.remove, d)
    raises(ValueError, "", g.index, d)
    raises(IndexError, "", get, g, 1)
    raises(IndexError, "", g.pop, 4)
    raises(IndexError, "", displayio.Group().pop)
    raises(NotImplementedError, "Slices not supported", get, g, slice(0, 1))
    raises(NotImplementedError, "Slices not supported", put, g, slice(0, 1), a)
    g.insert(1, b)
    assert g[-1] is b
    raises(IndexError, "", g.insert, 99, c)


def test_group_members():
    g = displayio.Group()
    t = grid()
    g.append(t)
    raises(ValueError, "Layer already in a group", g.append, t)
    raises(ValueError, "Layer already in a group", displayio.Group().append, t)
    raises(ValueError, "Layer already in a group", put, g, 0, t)
    raises(ValueError, "Layer must be a Group or TileGrid subclass", g.append, 3)
    raises(ValueError, "Layer must be a Group or TileGrid subclass", g.append, displayio.Bitmap(1, 1, 2))
    raises(ValueError, "Layer must be a Group or TileGrid subclass", g.append, None)
    assert g[0] is t  # a refused replacement leaves the old one
    inner = displayio.Group()
    g.append(inner)
    raises(ValueError, "Layer already in a group", displayio.Group().append, inner)
    shape = vectorio.Circle(pixel_shader=displayio.Palette(1), radius=3)
    g.append(shape)
    raises(ValueError, "Layer already in a group", g.append, shape)
    g.remove(shape)
    g.append(shape)


def test_group_no_loops():
    a, b, c = displayio.Group(), displayio.Group(), displayio.Group()
    a.append(b)
    b.append(c)
    raises(ValueError, "", c.append, a)
    raises(ValueError, "", a.append, a)


def test_group_sort():
    g = displayio.Group()
    members = [grid(x=i * 7 % 5) for i in range(5)]
    for m in members:
        g.append(m)
    g.sort(key=lambda m: m.x)
    same([m.x for m in g], [0, 1, 2, 3, 4])
    g.sort(key=lambda m: m.x, reverse=True)
    same([m.x for m in g], [4, 3, 2, 1, 0])
    raises(TypeError, "", g.sort)  # members have no order of their own
    same(len(g), 5)
    raises(ZeroDivisionError, "", g.sort, lambda m: 1 // 0)
    same(len(g), 5)


def test_subclasses():
    class Sprite(displayio.TileGrid):
        def __init__(self, x):
            super().__init__(sheet(), pixel_shader=displayio.Palette(2), x=x)
            self.speed = 3

    class Scene(displayio.Group):
        def __init__(self):
            super().__init__(scale=2)
            self.hero = Sprite(5)
            self.append(self.hero)

        @property
        def x(self):
            return 77

    scene = Scene()
    outer = displayio.Group()
    outer.append(scene)
    assert outer[0] is scene
    assert scene[0] is scene.hero
    same((scene[0].x, scene[0].speed, scene.scale, scene.x), (5, 3, 2, 77))
    assert isinstance(scene, displayio.Group)
    outer.remove(scene)


def test_subclass_without_init():
    class Forgetful(displayio.TileGrid):
        def __init__(self):
            pass

    class ForgetfulGroup(displayio.Group):
        def __init__(self):
            pass

    raises(ValueError, "", displayio.Group().append, Forgetful())
    raises(ValueError, "", ForgetfulGroup().append, grid())
    raises(ValueError, "", lambda: Forgetful().x)


def test_lifetimes():
    import gc

    g = displayio.Group()
    for i in range(50):
        inner = displayio.Group()
        inner.append(grid())
        inner.append(vectorio.Rectangle(pixel_shader=displayio.Palette(1), width=3, height=3))
        g.append(inner)
    del inner
    gc.collect()
    same(len(g), 50)
    for inner in g:
        inner[0][0] = 0
        inner[0].bitmap.fill(1)
    kept = g[7][0]
    del g, inner
    gc.collect()
    kept.x = 9
    kept.bitmap.fill(2)
    displayio.Group().append(kept)  # its group is gone, so it is free


def test_cycle_is_collected():
    import gc

    class Owner(displayio.Group):
        pass

    for i in range(20):
        o = Owner()
        o.me = o
        o.append(grid())
        o.append(Owner())
        o[1].parent = o
    del o
    gc.collect()


def test_iteration_while_changing():
    g = displayio.Group()
    for i in range(4):
        g.append(grid())
    seen = 0
    for m in g:
        g.remove(m)
        seen += 1
    same((seen, len(g)), (2, 2))


def test_old_names():
    for name in ("release_displays", "CIRCUITPYTHON_TERMINAL"):
        assert hasattr(displayio, name)
