"""Thousands of random, often foolish calls on what a display shows. Nothing may crash, hang or leave the
display in a state from which a sane program cannot go on."""

import gc

import board
import displayio
import terminalio
import vectorio
from check import pixels, same

display = board.DISPLAY

ALLOWED = (AttributeError, ValueError, IndexError, TypeError, RuntimeError, NotImplementedError)


class Dice:
    def __init__(self, seed):
        self.state = seed

    def __call__(self, n):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 12) % n

    def pick(self, things):
        return things[self(len(things))]


class Sprite(displayio.TileGrid):
    pass


def make(dice, kept):
    p = displayio.Palette(4)
    for i in range(4):
        p[i] = dice(0x1000000)
    kind = dice(8)
    if kind == 0:
        return displayio.Group(scale=1 + dice(3), x=dice(100) - 20, y=dice(100) - 20)
    if kind == 1:
        return vectorio.Circle(pixel_shader=p, radius=1 + dice(30), x=dice(300), y=dice(200), color_index=dice(4))
    if kind == 2:
        return vectorio.Rectangle(pixel_shader=p, width=1 + dice(90), height=1 + dice(90), x=dice(300), color_index=dice(4))
    if kind == 3:
        points = [(dice(120) - 20, dice(120) - 20) for i in range(3 + dice(4))]
        return vectorio.Polygon(pixel_shader=p, points=points, x=dice(200), y=dice(150))
    if kind == 4:
        return displayio.TileGrid(
            terminalio.FONT.bitmap, pixel_shader=p, tile_width=6, tile_height=12, width=1 + dice(9), height=1 + dice(3),
            default_tile=dice(90), x=dice(300))
    b = displayio.Bitmap(8 * (1 + dice(5)), 8 * (1 + dice(5)), 4)
    kept.append(b)
    shader = dice.pick((p, displayio.ColorConverter()))
    return Sprite(b, pixel_shader=shader, tile_width=8, tile_height=8, width=1 + dice(4), height=1 + dice(4), x=dice(300) - 20)


def step(dice, groups, layers, bitmaps):
    action = dice(16)
    if action < 4:
        layer = make(dice, bitmaps)
        dice.pick(groups).append(layer)
        (groups if isinstance(layer, displayio.Group) else layers).append(layer)
    elif action == 4:
        dice.pick(groups).append(dice.pick(layers + groups))
    elif action == 5:
        dice.pick(groups).pop(dice(6) - 2)
    elif action == 6:
        dice.pick(groups).insert(dice(4), make(dice, bitmaps))
    elif action == 7:
        layer = dice.pick(layers + groups)
        layer.x, layer.y, layer.hidden = dice(400) - 50, dice(300) - 50, dice(4) == 0
    elif action == 8:
        b = dice.pick(bitmaps)
        b[dice(b.width), dice(b.height)] = dice(5)
    elif action == 9:
        t = dice.pick(layers)
        t.flip_x, t.transpose_xy = dice(2) == 0, dice(2) == 0
        t[dice(4), dice(4)] = dice(30)
    elif action == 10:
        del layers[dice(len(layers))]
        del bitmaps[dice(len(bitmaps))]
    elif action == 11:
        g = dice.pick(groups)
        g.scale = dice(4)
        g.sort(key=lambda m: m.x)
    elif action == 12:
        display.root_group = dice.pick(groups + [None, displayio.CIRCUITPYTHON_TERMINAL])
    elif action == 13:
        dice.pick((bitmaps[0].deinit, gc.collect, lambda: display.fill_row(dice(240), bytearray(640))))()
    elif action == 14:
        g = dice.pick(groups)
        g.remove(g[dice(4)])
    else:
        display.refresh()


def storm(seed):
    dice = Dice(seed)
    groups, layers, bitmaps = [displayio.Group()], [], []
    display.root_group = groups[0]
    refused = 0
    for i in range(1500):
        try:
            step(dice, groups, layers, bitmaps)
        except ALLOWED:
            refused += 1
        except ZeroDivisionError:  # nothing to pick from yet
            pass
        if len(groups) > 12:
            del groups[1:6]
    assert refused < 1400, "hardly anything was done"


def after():
    p = displayio.Palette(1)
    p[0] = 0x00FF00
    g = displayio.Group()
    g.append(displayio.TileGrid(displayio.Bitmap(320, 240, 1), pixel_shader=p))
    display.root_group = g
    display.refresh()
    same(set(pixels(display, 100)), {0x07E0})


def test_painting_meanwhile():
    display.auto_refresh = True
    for seed in (1, 2, 3):
        storm(seed)
        after()


def test_painting_on_demand():
    display.auto_refresh = False
    for seed in (4, 5, 6):
        storm(seed)
        after()
    display.auto_refresh = True


def test_layers_made_anew_in_the_tree():
    p = displayio.Palette(2)
    for i in range(20):
        g = displayio.Group()
        display.root_group = g
        layers = [displayio.TileGrid(displayio.Bitmap(9, 9, 2), pixel_shader=p) for i in range(5)]
        for layer in layers:
            g.append(layer)
        layers[i % 5].__init__(displayio.Bitmap(3, 3, 2), pixel_shader=p)
        display.refresh()
        for action in (lambda: g.pop(), lambda: g.remove(layers[0]), lambda: g.sort(key=id), lambda: g.append(layers[i % 5])):
            try:
                action()
            except ALLOWED:
                pass
            display.refresh()
        g.__init__()
        display.refresh()
    after()
