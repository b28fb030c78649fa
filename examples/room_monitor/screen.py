"""What the room monitor draws: two readings, their history, and the lamp with its button."""

import terminalio
import vectorio
from adafruit_button import Button
from adafruit_display_shapes.circle import Circle
from adafruit_display_shapes.roundrect import RoundRect
from adafruit_display_shapes.sparkline import Sparkline
from adafruit_display_text import bitmap_label
from displayio import Bitmap, Group, Palette, TileGrid

BACKGROUND = 0x0B1020
CARD = 0x18213A
LINE = 0x2B3860
TEXT = 0xF2F5FF
DIM = 0x8C9AC0
WARM = 0xFF8A5C
COOL = 0x5CC8FF
LAMP = 0xFFC24D


def text(string, x, y, color=TEXT, scale=1, anchor=(0.0, 0.0)):
    return bitmap_label.Label(
        terminalio.FONT,
        text=string,
        color=color,
        scale=scale,
        anchor_point=anchor,
        anchored_position=(x, y),
    )


class Screen:
    """320 x 240 pixels, landscape."""

    GREEN = 0x4ADE80
    AMBER = 0xFBBF24
    RED = 0xF87171

    def __init__(self, display):
        self._root = Group()
        self._fill_background(display.width, display.height)
        self._header()
        self._readings()
        self._history()
        self._lamp()
        display.root_group = self._root

    # --- what the program calls ---

    def show_status(self, message, color):
        self._status_color[0] = color
        self._status.text = message
        self._dot.x = 298 - self._status.width

    def show_readings(self, celsius, light):
        """celsius in degrees, light in percent."""
        self._celsius.text = f"{celsius:.1f}"
        self._light.text = f"{light:.0f}"
        self._light_bar.width = max(1, round(126 * light / 100))
        self._graph.add_value(celsius)
        values = self._graph.values()
        self._low.text = f"{min(values):.1f}"
        self._high.text = f"{max(values):.1f}"

    def show_lamp(self, on):
        self._lamp_colors[0] = LAMP if on else 0x3A4568
        self._lamp_colors[1] = 0x5A4620 if on else CARD
        self._lamp_text.text = "Lamp is on" if on else "Lamp is off"
        self.lamp_button.label = "Turn off" if on else "Turn on"

    # --- the parts ---

    def _fill_background(self, width, height):
        palette = Palette(1)
        palette[0] = BACKGROUND
        bitmap = Bitmap(width // 8, height // 8, 1)
        background = Group(scale=8)
        background.append(TileGrid(bitmap, pixel_shader=palette))
        self._root.append(background)

    def _card(self, x, y, width, height, title):
        self._root.append(RoundRect(x, y, width, height, 8, fill=CARD, outline=LINE))
        if title:
            self._root.append(text(title, x + 12, y + 8, DIM))

    def _header(self):
        self._root.append(text("Room monitor", 10, 4, scale=2))
        self._status = text("starting", 308, 10, DIM, anchor=(1.0, 0.0))
        self._status_color = Palette(1)
        self._status_color[0] = self.AMBER
        self._root.append(self._status)
        self._dot = vectorio.Circle(pixel_shader=self._status_color, radius=4, x=250, y=15)
        self._root.append(self._dot)

    def _readings(self):
        self._card(8, 36, 148, 76, "TEMPERATURE")
        self._celsius = text("--", 18, 55, WARM, scale=4)
        self._root.append(self._celsius)
        self._root.append(Circle(126, 65, 3, outline=DIM))
        self._root.append(text("C", 132, 61, DIM, scale=2))

        self._card(164, 36, 148, 76, "LIGHT")
        self._light = text("--", 174, 55, COOL, scale=4)
        self._root.append(self._light)
        self._root.append(text("%", 288, 61, DIM, scale=2))
        colors = Palette(2)
        colors[0] = LINE
        colors[1] = COOL
        self._root.append(
            vectorio.Rectangle(pixel_shader=colors, width=126, height=4, x=175, y=102, color_index=0)
        )
        self._light_bar = vectorio.Rectangle(
            pixel_shader=colors, width=1, height=4, x=175, y=102, color_index=1
        )
        self._root.append(self._light_bar)

    def _history(self):
        self._card(8, 120, 304, 62, None)
        self._graph = Sparkline(width=244, height=44, max_items=60, x=18, y=129, color=WARM)
        self._root.append(self._graph)
        self._high = text("", 302, 128, DIM, anchor=(1.0, 0.0))
        self._low = text("", 302, 162, DIM, anchor=(1.0, 0.0))
        self._root.append(self._high)
        self._root.append(self._low)

    def _lamp(self):
        self._card(8, 190, 304, 44, None)
        self._lamp_colors = Palette(2)
        self._root.append(
            vectorio.Circle(pixel_shader=self._lamp_colors, radius=15, x=34, y=212, color_index=1)
        )
        self._root.append(
            vectorio.Circle(pixel_shader=self._lamp_colors, radius=8, x=34, y=212, color_index=0)
        )
        self._lamp_text = text("Lamp is off", 60, 206)
        self._root.append(self._lamp_text)
        self.lamp_button = Button(
            x=208,
            y=196,
            width=98,
            height=32,
            style=Button.ROUNDRECT,
            fill_color=0x2F6BFF,
            outline_color=0x2F6BFF,
            label="Turn on",
            label_font=terminalio.FONT,
            label_color=0xFFFFFF,
            selected_fill=0x9DBBFF,
            selected_outline=0x9DBBFF,
            selected_label=0x0B1020,
        )
        self._root.append(self.lamp_button)
