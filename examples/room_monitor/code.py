"""Room monitor for the PyPortal: shows temperature and light, publishes them over MQTT, and has a
lamp that the button on the screen and the topic room/lamp/set both switch."""

import time
from os import getenv

import adafruit_adt7410
import adafruit_connection_manager
import adafruit_minimqtt.adafruit_minimqtt as MQTT
import adafruit_touchscreen
import board
import busio
import neopixel
from adafruit_esp32spi import adafruit_esp32spi
from analogio import AnalogIn
from digitalio import DigitalInOut

from screen import Screen

PUBLISH_EVERY = 2.0  # seconds
SAMPLE_EVERY = 0.5
RETRY_AFTER = 5.0
TOPIC = getenv("MQTT_TOPIC", "room")

# --- the board ---

screen = Screen(board.DISPLAY)
touch = adafruit_touchscreen.Touchscreen(
    board.TOUCH_XL,
    board.TOUCH_XR,
    board.TOUCH_YD,
    board.TOUCH_YU,
    calibration=((5200, 59000), (5800, 57000)),
    size=(board.DISPLAY.width, board.DISPLAY.height),
)
thermometer = adafruit_adt7410.ADT7410(board.I2C())
thermometer.high_resolution = True
light_sensor = AnalogIn(board.LIGHT)
pixel = neopixel.NeoPixel(board.NEOPIXEL, 1, brightness=0.6)

esp = adafruit_esp32spi.ESP_SPIcontrol(
    busio.SPI(board.SCK, board.MOSI, board.MISO),
    DigitalInOut(board.ESP_CS),
    DigitalInOut(board.ESP_BUSY),
    DigitalInOut(board.ESP_RESET),
)
mqtt = MQTT.MQTT(
    broker=getenv("MQTT_BROKER", "localhost"),
    port=int(getenv("MQTT_PORT", "1883")),
    username=getenv("MQTT_USERNAME"),
    password=getenv("MQTT_PASSWORD"),
    socket_pool=adafruit_connection_manager.get_radio_socketpool(esp),
    is_ssl=False,
    keep_alive=30,
    socket_timeout=0.05,
    recv_timeout=5,
    connect_retries=1,
)

# --- the lamp ---

lamp_on = False


def set_lamp(on):
    global lamp_on
    lamp_on = on
    pixel.fill((255, 170, 60) if on else (0, 0, 0))
    screen.show_lamp(on)
    if mqtt.is_connected():
        mqtt.publish(TOPIC + "/lamp", "on" if on else "off", retain=True)


def on_lamp_command(client, topic, message):
    command = message.strip().lower()
    if command in ("on", "off"):
        set_lamp(command == "on")
    elif command == "toggle":
        set_lamp(not lamp_on)
    else:
        print("lamp: I know on, off and toggle, not", repr(message))


mqtt.add_topic_callback(TOPIC + "/lamp/set", on_lamp_command)

# --- the network ---


def connect():
    """Join Wi-Fi and the broker; says on the screen how far it got. False: not now, try again."""
    ssid = getenv("CIRCUITPY_WIFI_SSID")
    try:
        if not esp.is_connected:
            screen.show_status("joining Wi-Fi", Screen.AMBER)
            esp.connect_AP(ssid, getenv("CIRCUITPY_WIFI_PASSWORD"))
            print("Wi-Fi:", esp.ap_info.ssid, "as", esp.pretty_ip(esp.ip_address))
    except (OSError, RuntimeError) as error:
        give_up("no Wi-Fi", error.args[0] if error.args else error)
        print("  Is", ssid, "in reach, and its password in settings.toml right?")
        return False
    try:
        screen.show_status("calling broker", Screen.AMBER)
        mqtt.connect()
        mqtt.subscribe(TOPIC + "/lamp/set")
        mqtt.publish(TOPIC + "/lamp", "on" if lamp_on else "off", retain=True)
    except (OSError, RuntimeError, MQTT.MMQTTException) as error:
        give_up("no broker", error.args[0] if error.args else error)
        print("  Does a broker listen on", mqtt.broker, "port", str(mqtt.port) + "?")
        return False
    print("MQTT: connected to", mqtt.broker)
    screen.show_status("online", Screen.GREEN)
    return True


def give_up(status, error):
    print("Network:", error, "- again in", int(RETRY_AFTER), "s")
    screen.show_status(status, Screen.RED)


# --- the loop ---

online = False
was_touched = False
next_sample = next_publish = next_try = time.monotonic()

set_lamp(False)
print("Room monitor: touch the lamp button, or publish on / off to", TOPIC + "/lamp/set")

while True:
    now = time.monotonic()

    if now >= next_sample:
        next_sample = now + SAMPLE_EVERY
        celsius = thermometer.temperature
        light = light_sensor.value * 100 / 65535
        screen.show_readings(celsius, light)

    point = touch.touch_point
    if point and not was_touched and screen.lamp_button.contains(point):
        screen.lamp_button.selected = True
        try:
            set_lamp(not lamp_on)
        except (OSError, RuntimeError, MQTT.MMQTTException) as error:
            online = False
            give_up("offline", error)
    elif not point:
        screen.lamp_button.selected = False
    was_touched = point is not None

    if not online and now >= next_try:
        online = connect()
        next_try = time.monotonic() + RETRY_AFTER
    if online:
        try:
            mqtt.loop(timeout=0.05)
            if now >= next_publish:
                next_publish = now + PUBLISH_EVERY
                if not esp.is_connected:  # what is written now would only fill a buffer
                    raise OSError("Wi-Fi is gone")
                mqtt.publish(TOPIC + "/temperature", f"{celsius:.2f}")
                mqtt.publish(TOPIC + "/light", f"{light:.1f}")
        except (OSError, RuntimeError, MQTT.MMQTTException) as error:
            online = False
            next_try = now + RETRY_AFTER
            give_up("offline", error)
    else:
        time.sleep(0.02)
