"""Short name of adafruit_esp32spi_wifimanager."""

from .adafruit_esp32spi_wifimanager import *
