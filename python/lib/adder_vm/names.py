"""Names of modules that belong to CircuitPython itself, as opposed to its libraries."""

# Built into firmware: files on the drive cannot replace them.
CORE = frozenset("""
    _bleio _eve adafruit_bus_device adafruit_pixelbuf aesio alarm analogbufio analogio atexit audiobusio
    audiocore audiodelays audiofilters audiofreeverb audioio audiomixer audiomp3 audiopwmio aurora_epaper
    bitbangio bitmapfilter bitmaptools bitops board busdisplay busio camera canio codeop countio digitalio
    displayio dotclockframebuffer dualbank epaperdisplay espcamera espidf espnow espulp floppyio fontio
    fourwire framebufferio frequencyio getpass gifio gnss hashlib i2cdisplaybus i2ctarget imagecapture ipaddress
    is31fl3741 jpegio keypad keypad_demux locale lvfontio max3421e mcp4822 mdns memorymap memorymonitor microcontroller
    mipidsi msgpack neopixel_write nvm onewireio os paralleldisplaybus picodvi ps2io pulseio pwmio qrio
    qspibus rainbowio random rclcpy rgbmatrix rotaryio rp2pio rtc sdcardio sdioio sharpdisplay
    socketpool ssl storage struct supervisor synthio terminalio tilepalettemapper time touchio traceback uheap ulab usb
    usb_cdc usb_hid usb_host usb_midi usb_video ustack vectorio warnings watchdog wifi zlib
""".split())

# CPython's own serve as CircuitPython's.
SHARED_STDLIB = frozenset("""
    __future__ array binascii codeop errno hashlib json math random re struct zlib
""".split())

# Libraries that CircuitPython's users know under their module name; for "did you mean".
COMMON_LIBRARIES = """
    adafruit_adt7410 adafruit_ahtx0 adafruit_apds9960 adafruit_atecc adafruit_aws_iot adafruit_azureiot
    adafruit_binascii adafruit_bitmap_font adafruit_bme280 adafruit_bme680 adafruit_bmp280 adafruit_button
    adafruit_bus_device adafruit_connection_manager adafruit_datetime adafruit_debouncer adafruit_dht
    adafruit_display_button adafruit_display_shapes adafruit_display_text adafruit_displayio_layout
    adafruit_ds18x20 adafruit_ds3231 adafruit_esp32spi adafruit_fakerequests adafruit_fancyled
    adafruit_focaltouch adafruit_fruitjam adafruit_gc_iot_core adafruit_gps adafruit_hashlib
    adafruit_hid adafruit_httpserver adafruit_ili9341 adafruit_imageload adafruit_io adafruit_itertools
    adafruit_jwt adafruit_led_animation adafruit_lis3dh adafruit_logging adafruit_lsm6ds adafruit_max31865
    adafruit_mcp9808 adafruit_minimqtt adafruit_motor adafruit_mpu6050 adafruit_ntp adafruit_oauth2
    adafruit_pcf8523 adafruit_pixel_framebuf adafruit_portalbase adafruit_progressbar adafruit_pypixelbuf
    adafruit_pyportal adafruit_register adafruit_requests adafruit_rfm9x adafruit_rgb_display adafruit_rsa
    adafruit_rtttl adafruit_scd30 adafruit_scd4x adafruit_sdcard adafruit_seesaw adafruit_sgp30
    adafruit_sht31d adafruit_shtc3 adafruit_si7021 adafruit_simple_text_display adafruit_slideshow
    adafruit_ssd1306 adafruit_st7735r adafruit_st7789 adafruit_stmpe610 adafruit_ticks adafruit_tinylora
    adafruit_touchscreen adafruit_tsc2007 adafruit_tsl2591 adafruit_veml7700 adafruit_vl53l0x
    adafruit_wiznet5k asyncio neopixel simpleio
""".split()
