"""An old name: bitmap_label.Label scrolls."""

from adafruit_display_text.bitmap_label import Label as ScrollingLabel
