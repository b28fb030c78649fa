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
    __future__ array binascii codeop hashlib math random re struct zlib
""".split())

# The board's C library (newlib) numbers some errors otherwise than Linux; the native modules raise these.
ERRNO = {
    "EPERM": 1, "ENOENT": 2, "EIO": 5, "EBADF": 9, "EAGAIN": 11, "ENOMEM": 12, "EACCES": 13, "EEXIST": 17,
    "ENODEV": 19, "ENOTDIR": 20, "EISDIR": 21, "EINVAL": 22, "ENOSPC": 28, "EROFS": 30, "EPIPE": 32,
    "EOPNOTSUPP": 95, "ECONNRESET": 104, "ENOBUFS": 105, "EAFNOSUPPORT": 106, "ECONNREFUSED": 111,
    "EADDRINUSE": 112, "ECONNABORTED": 113, "ETIMEDOUT": 116, "EHOSTUNREACH": 118, "EINPROGRESS": 119,
    "EALREADY": 120, "EISCONN": 127, "ENOTCONN": 128,
}
