"""What adafruit_display_text, adafruit_display_shapes and adafruit_button do otherwise than Adafruit's
(docs/compatibility.md); that they are the same elsewhere is for tests/peers."""

import displayio
import terminalio
from adafruit_button import Button
from adafruit_display_shapes.arc import Arc
from adafruit_display_shapes.circle import Circle
from adafruit_display_shapes.filled_polygon import FilledPolygon
from adafruit_display_shapes.multisparkline import MultiSparkline
from adafruit_display_shapes.polygon import Polygon
from adafruit_display_shapes.rect import Rect
from adafruit_display_shapes.roundrect import RoundRect
from adafruit_display_shapes.sparkline import Sparkline
from adafruit_display_text import bitmap_label, label, wrap_text_to_pixels
from adafruit_display_text.text_box import TextBox

FONT = terminalio.FONT


def rows(bitmap, marks=".#=o"):
    return ["".join(marks[bitmap[x, y]] for x in range(bitmap.width)) for y in range(bitmap.height)]


def ink(group, value=1):
    """The box of a value's pixels in the label's only grid: x1, y1, x2, y2."""
    grid = group[0][0]
    spots = [(x, y) for y in range(grid.bitmap.height) for x in range(grid.bitmap.width) if grid.bitmap[x, y] == value]
    xs, ys = [x + grid.x for x, _ in spots], [y + grid.y for _, y in spots]
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


def raises(error, call):
    try:
        call()
    except error as e:
        return str(e)
    raise AssertionError("nothing raised")


def test_turned_lines_lie_beside_each_other():
    for direction, side in (("UPR", 1), ("DWR", -1)):
        one = label.Label(FONT, text="HH", label_direction=direction)
        two = label.Label(FONT, text="HH\nHH", label_direction=direction)
        assert two.height == one.height and two.width == one.width + 15
        a, b = ink(one), ink(two)
        assert (b[1], b[3]) == (a[1], a[3]) and (b[2] - a[2], a[0] - b[0]) == ((15, 0) if side > 0 else (0, 15))
        tight = label.Label(FONT, text="HH\nHH", label_direction=direction, background_color=5, background_tight=True)
        x, y, width, height = tight.bounding_box
        assert ink(tight, 2) == (x, y, x + width, y + height)


def test_font_and_spacing_show_at_once():
    class Tall:
        ascent, descent = 20, 4

        def get_bounding_box(self):
            return 6, 24, 0, -4

        def get_glyph(self, code):
            return FONT.get_glyph(code)

    changed, fresh = label.Label(FONT, text="a\nb"), label.Label(Tall(), text="a\nb", line_spacing=2)
    changed.font = Tall()
    changed.line_spacing = 2
    assert changed.bounding_box == fresh.bounding_box and ink(changed) == ink(fresh)


def test_directions_are_checked():
    for make in label.Label, bitmap_label.Label:
        assert "valid text direction" in raises(RuntimeError, lambda: make(FONT, text="a", label_direction="no"))


def test_texts_without_letters():
    for text in "", "\n", "\n\n":
        for options in {}, {"max_characters": 3}:
            shown = bitmap_label.Label(FONT, text=text, **options)
            assert shown.bounding_box == (0, 0, 0, 0) and len(shown[0]) == 0
    short = bitmap_label.Label(FONT, text="ab", max_characters=3)
    assert short.bounding_box == (0, -6, 12, 12)


def test_right_to_left_keeps_the_lines():
    shown = bitmap_label.Label(FONT, text="ab\n\ncd", label_direction="RTL")
    assert rows(shown.bitmap) == rows(bitmap_label.Label(FONT, text="ba\n\ndc").bitmap)


def test_an_outline_comes_and_goes():
    shown, fresh = bitmap_label.Label(FONT, text="Hi"), bitmap_label.Label(FONT, text="Hi", outline_color=0x123456)
    plain = rows(shown.bitmap)
    shown.outline_color = 0x123456
    assert shown.outline_color == 0x123456 and rows(shown.bitmap) == rows(fresh.bitmap)
    shown.outline_color = None
    assert shown.outline_color is None and "#" in "".join(plain) and "=" not in "".join(rows(shown.bitmap))


def test_accents_keep_the_letters_in_place():
    palette = displayio.Palette(6)
    shown = bitmap_label.Label(FONT, text="abc", color_palette=palette)
    before = [[shown.bitmap[x, y] for x in range(18)] for y in range(12)]
    assert shown.add_accent_to_substring("b", 4, 5) and not shown.add_accent_to_substring("x", 4, 5)
    for y in range(12):
        for x in range(18):
            expected = before[y][x] if not 6 <= x < 12 else 4 if before[y][x] else 5
            assert shown.bitmap[x, y] == expected, (x, y)
    assert shown.accent_ranges == [(1, 2, 4, 5, "foreground_background")]
    shown.remove_accent_range(1)
    assert shown.accent_ranges == [] and [[shown.bitmap[x, y] for x in range(18)] for y in range(12)] == before
    shown.add_accent_range(0, 1, 4, 5, "outline")
    assert any(5 in line for line in ([shown.bitmap[x, y] for x in range(shown.bitmap.width)] for y in range(14)))
    shown.clear_accent_ranges()


def test_a_bitmap_of_the_same_size_stays():
    for make in label.Label, bitmap_label.Label:
        shown = make(FONT, text="21.0")
        bitmap = shown[0][0].bitmap
        shown.text = "21.5"
        assert shown[0][0].bitmap is bitmap and rows(bitmap) == rows(make(FONT, text="21.5")[0][0].bitmap)
        shown.text = "9.5"
        assert shown[0][0].bitmap is not bitmap


def test_text_boxes_wrap_what_was_given():
    box = TextBox(FONT, 60, TextBox.DYNAMIC_HEIGHT, text="one two three four")
    assert box.text == "one two\nthree\nfour" and box.height == 42
    box.width = 120
    assert box.text == "one two three four" and box.height == 12
    left = TextBox(FONT, 60, 20, text="a")
    left.align = TextBox.ALIGN_RIGHT
    right = TextBox(FONT, 60, 20, TextBox.ALIGN_RIGHT, text="a")
    assert rows(left.bitmap) == rows(right.bitmap) != rows(TextBox(FONT, 60, 20, text="a").bitmap)


def test_wrapping_at_line_ends():
    assert wrap_text_to_pixels("cc\nb b", 4) == ["cc", "b b"]
    assert wrap_text_to_pixels("\n\nca", 3) == ["", "", "ca"]
    assert max(len(line) for line in wrap_text_to_pixels("abcdefgh ij kl", 6, None, "> ", "- ")) <= 6


def test_colors_that_come_later():
    for shape in (Rect(0, 0, 9, 7, fill=1), RoundRect(0, 0, 9, 7, 2, fill=1), Polygon([(0, 0), (5, 3)])):
        before = rows(shape.bitmap)
        shape.outline = 0xFF0000
        assert rows(shape.bitmap) != before and shape.outline == 0xFF0000
    shape = RoundRect(0, 0, 9, 7, 2, outline=1)
    shape.fill = 0x00FF00
    assert rows(shape.bitmap) == rows(RoundRect(0, 0, 9, 7, 2, outline=1, fill=2).bitmap)
    shape = RoundRect(0, 0, 9, 7, 2, outline=1)
    shape.outline = 3
    assert shape.pixel_shader.is_transparent(2)


def test_strokes_are_cut():
    assert rows(Rect(0, 0, 3, 3, outline=1, stroke=9).bitmap) == ["###"] * 3
    Circle(5, 5, 3, outline=1, stroke=90)
    bitmap = displayio.Bitmap(4, 4, 2)
    Polygon.draw(bitmap, [(2, 2), (9, 2)], 1, False, 4)
    assert rows(bitmap) == ["....", "....", "..##", "..##"]


def test_arcs_tell_their_direction():
    arc = Arc(10, 90, 45, 4, arc_width=4, outline=1, fill=2)
    assert arc.direction == 45 and len(arc) == 2
    arc.fill = None
    assert arc.fill is None and len(arc) == 1
    area = FilledPolygon([(0, 0), (5, 0), (0, 5)], fill=3)
    area.fill = None
    assert len(area) == 0


def test_sparklines_at_zero():
    graph = Sparkline(20, 10, 3)
    for value in 0, -1, 5, 0:
        graph.add_value(value)
    assert (graph.y_top, graph.y_bottom, graph.values()) == (5, -1, [-1, 5, 0])
    one = Sparkline(20, 10, 1)
    one.add_value(1)
    one.add_value(2)
    assert one.values() == [2]
    lines = MultiSparkline(20, 10, 4, [1, 2])
    raises(IndexError, lambda: lines.add_values([1, 2, 3]))
    assert lines.values_of(0) == []


def test_buttons_without_a_label_or_while_selected():
    button = Button(x=1, y=2, width=60, height=30, fill_color=1, selected_fill=2, label_color=3, selected_label=4)
    button.label_color = 5
    button.selected = True
    assert button.label is None and button.selected_label == 4
    button.label = "ok"
    button.resize(80, 40)
    assert button.body.fill == 2 and button[-1].color == 4
    button.label_color = 7
    assert button[-1].color == 4
    button.selected = False
    assert button.body.fill == 1 and button[-1].color == 7


def test_no_font_makes_a_label_fall_over():
    class Wild:
        """Metrics at their limits, glyphs that are no glyphs."""

        def __init__(self, answer):
            self.answer = answer

        def get_bounding_box(self):
            return 6, 12

        def get_glyph(self, code):
            return self.answer

    sheet = displayio.Bitmap(4, 4, 2)
    gone = displayio.Bitmap(4, 4, 2)
    gone.deinit()
    for width, height, dx, dy, shift in ((4, 4, -32768, -32768, 32767), (0, 0, 0, 0, 5), (9, 9, 0, 0, 1), (4, 4, 0, 0, -32768)):
        for make in label.Label, bitmap_label.Label:
            try:
                make(Wild((sheet, 0, width, height, dx, dy, shift, 0)), text="ab\n" * 2000)
            except ValueError:
                pass
    for answer in (5, "glyph", (), (sheet,), (None, 0, 4, 4, 0, 0, 4, 0), (sheet, -1, 4, 4, 0, 0, 4, 0),
                   (sheet, 0, 4, 4, 0, 0, 1 << 40, 0), (gone, 0, 4, 4, 0, 0, 4, 0)):
        for make in label.Label, bitmap_label.Label:
            raises((TypeError, ValueError, IndexError, AttributeError, RuntimeError), lambda: make(Wild(answer), text="a"))
