"""Buttons for displayio under the names of Adafruit's library (docs/compatibility.md)."""

from adafruit_button.button import Button
