"""An old name: bitmap_label.Label draws outlines."""

from adafruit_display_text.bitmap_label import Label as OutlinedLabel
