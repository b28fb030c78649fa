"""Modules that CircuitPython has in a form of its own where CPython's would not do. Each function
gives the names of one module; importer calls it at the first import of a run."""

import sys as host_sys

import _adder_vm

from adder_vm import about, console, drive, errors, importer, names


def record(name: str, fields: "tuple[str, ...]", values: tuple) -> tuple:
    """A named tuple, as CircuitPython prints it; without the cost of importing collections."""
    members: "dict[str, object]" = {f: property(lambda s, i=i: s[i]) for i, f in enumerate(fields)}
    members["__repr__"] = lambda s: "(" + ", ".join(f"{f}={v!r}" for f, v in zip(fields, s)) + ")"
    return type(name, (tuple,), members)(values)


def _sys() -> dict:
    def print_exception(exc: BaseException, file: object = None) -> None:
        (console.stream if file is None else file).write(errors.format_exception(exc))

    return {
        "implementation": record("implementation", ("name", "version", "_machine", "_mpy"),
                                 ("circuitpython", about.VERSION, about.MACHINE, 0x0006)),
        "version": f"3.4.0; Adafruit CircuitPython {about.TAG} on {about.DATE}",
        "version_info": (3, 4, 0),
        "platform": _platform(),
        "byteorder": "little",
        "maxsize": 0x7FFFFFFF,
        "argv": [],
        "path": importer.path,
        "modules": importer.modules,
        "stdin": console.stream,
        "stdout": console.stream,
        "stderr": console.stream,
        "exit": host_sys.exit,
        "print_exception": print_exception,
        "exc_info": host_sys.exc_info,
    }


def _platform() -> str:
    chip = _adder_vm.chip_name.lower()
    for prefix, name in (("samd51", "MicroChip SAMD51"), ("samd21", "MicroChip SAMD21"), ("rp2040", "RP2040"),
                         ("rp2350", "RP2350"), ("esp32", "Espressif"), ("nrf52", "Nordic nRF52840"),
                         ("stm32", "STM32")):
        if chip.startswith(prefix):
            return name
    return _adder_vm.chip_name


def _os() -> dict:
    def getenv(key: str, default: object = None) -> object:
        from _adder_os_getenv import getenv as native

        return native(key, default)

    def uname() -> tuple:
        return record("uname_result", ("sysname", "nodename", "release", "version", "machine"),
                      (_platform(), _platform(), about.TAG, f"{about.TAG} on {about.DATE}", about.MACHINE))

    def urandom(size: int) -> bytes:
        if size < 0:
            raise ValueError("size must be >= 0")
        return drive.host_os.urandom(size)

    functions = ("chdir", "getcwd", "listdir", "mkdir", "remove", "rename", "rmdir", "stat", "statvfs", "sync", "utime")
    members: dict = {name: getattr(drive, name) for name in functions}
    members.update(unlink=drive.remove, uname=uname, urandom=urandom, getenv=getenv, sep="/")
    return members


def _io() -> dict:
    import io

    return {"open": drive.open, "BytesIO": io.BytesIO, "StringIO": io.StringIO, "IOBase": io.IOBase}


def _gc() -> dict:
    import gc

    # CPython has no heap limit to report. A board's worth, moved by what the program really holds,
    # keeps programs that print or compare these numbers sensible.
    heap = 192 * 1024
    at_start = host_sys.getallocatedblocks()

    def mem_alloc() -> int:
        return min(heap - 4096, max(8192, 8192 + (host_sys.getallocatedblocks() - at_start) * 16))

    return {
        "collect": lambda: gc.collect(),
        "enable": gc.enable,
        "disable": gc.disable,
        "isenabled": gc.isenabled,
        "mem_alloc": mem_alloc,
        "mem_free": lambda: heap - mem_alloc(),
        "threshold": lambda amount=-1: -1,
    }


def _collections() -> dict:
    import collections

    class deque(collections.deque):
        """CircuitPython's third argument (1 = an append to a full queue raises)."""

        def __init__(self, iterable: object = (), maxlen: "int | None" = None, flags: int = 0) -> None:
            super().__init__(iterable, maxlen)
            self._strict = bool(flags & 1)

        def _room(self) -> None:
            if self._strict and self.maxlen is not None and len(self) >= self.maxlen:
                raise IndexError("full")

        def append(self, value: object) -> None:
            self._room()
            super().append(value)

        def appendleft(self, value: object) -> None:
            self._room()
            super().appendleft(value)

    return {"deque": deque, "namedtuple": collections.namedtuple, "OrderedDict": collections.OrderedDict}


def _traceback() -> dict:
    def pick(exc: object, value: object, tb: object) -> BaseException:
        # Both forms: (exception) and (type, exception, traceback).
        found = value if value is not None else exc
        if not isinstance(found, BaseException):
            raise TypeError("exception expected")
        return found

    def print_exception(exc: object, /, value: object = None, tb: object = None, limit: "int | None" = None,
                        file: object = None, chain: bool = True) -> None:
        text = errors.format_exception(pick(exc, value, tb), limit, chain)
        (console.stream if file is None else file).write(text)

    def format_exception(exc: object, /, value: object = None, tb: object = None, limit: "int | None" = None,
                         chain: bool = True) -> "list[str]":
        return [errors.format_exception(pick(exc, value, tb), limit, chain)]

    return {"print_exception": print_exception, "format_exception": format_exception}


exit_calls: "list[tuple]" = []  # atexit's, last registered last


def _atexit() -> dict:
    def register(function: object, *args: object, **kwargs: object) -> object:
        exit_calls.append((function, args, kwargs))
        return function

    def unregister(function: object) -> None:
        exit_calls[:] = [c for c in exit_calls if c[0] != function]

    return {"register": register, "unregister": unregister}


def _errno() -> dict:
    return {**names.ERRNO, "errorcode": {number: name for name, number in names.ERRNO.items()}}


def _json() -> dict:
    import json

    def load(stream: object) -> object:
        """By readinto() where there is one, as a board does: Requests takes read() for another wish."""
        readinto = getattr(stream, "readinto", None)
        if readinto is None:
            return json.load(stream)
        data, piece = bytearray(), bytearray(512)
        while n := readinto(piece):
            data += memoryview(piece)[:n]
        return json.loads(data)

    return {"load": load, "loads": json.loads, "dump": json.dump, "dumps": json.dumps}


def _micropython() -> dict:
    def same(value: object) -> object:
        return value

    return {"const": same, "native": same, "viper": same, "opt_level": lambda level=0: 0,
            "mem_info": lambda verbose=0: None, "heap_lock": lambda: None, "heap_unlock": lambda: 0,
            "kbd_intr": lambda char: None}


def _select() -> dict:
    from adder_vm import polling

    return {"poll": polling.poll, "select": polling.select, "POLLIN": polling.POLLIN, "POLLOUT": polling.POLLOUT,
            "POLLERR": polling.POLLERR, "POLLHUP": polling.POLLHUP}


def _warnings() -> dict:
    mode = ["default"]

    def warn(message: object, category: type = Warning, stacklevel: int = 1, **ignored: object) -> None:
        if mode[0] == "error":
            raise message if isinstance(message, Warning) else category(message)
        if mode[0] != "ignore":
            name = type(message).__name__ if isinstance(message, Warning) else category.__name__
            console.stream.write(f"{name}: {message}\n")

    def simplefilter(action: str, category: type = Warning, lineno: int = 0, append: bool = False) -> None:
        mode[0] = action

    return {"warn": warn, "simplefilter": simplefilter}


def _getpass() -> dict:
    def getpass(prompt: str = "Password: ", stream: object = None) -> str:
        (stream or console.stream).write(prompt)
        line = console.stream.readline().rstrip("\r\n")
        (stream or console.stream).write("\n")
        return line

    return {"getpass": getpass}


def _audiocore() -> dict:
    from adder_vm import sound

    return {"RawSample": sound.RawSample, "WaveFile": sound.WaveFile}


def _audioio() -> dict:
    from adder_vm import sound

    return {"AudioOut": sound.AudioOut}


def _sdcardio() -> dict:
    from adder_vm import sdcard

    return {"SDCard": sdcard.SDCard}


def _rainbowio() -> dict:
    def colorwheel(position: float) -> int:
        at = int(position) & 0xFF
        if at < 85:
            return (255 - at * 3) << 16 | (at * 3) << 8
        if at < 170:
            at -= 85
            return (255 - at * 3) << 8 | at * 3
        at -= 170
        return (at * 3) << 16 | (255 - at * 3)

    return {"colorwheel": colorwheel}


def _usb_cdc() -> dict:
    class Serial:
        connected = True
        timeout = None
        write_timeout = None

        @property
        def in_waiting(self) -> int:
            return _adder_vm.console_available()

        out_waiting = 0

        def read(self, size: int = 1) -> bytes:
            return bytes(console.stream._read_raw(size))

        def readinto(self, buffer: bytearray) -> int:
            return console.stream.readinto(buffer)

        def readline(self, size: int = -1) -> bytes:
            return console.stream.readline(size).encode()

        def write(self, data: bytes) -> int:
            return console.stream.write(data)

        def flush(self) -> None:
            pass

        def reset_input_buffer(self) -> None:
            _adder_vm.console_read(_adder_vm.console_available())

        def reset_output_buffer(self) -> None:
            pass

    def outside_boot(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Cannot change USB devices now")

    return {"console": Serial(), "data": None, "Serial": Serial, "enable": outside_boot, "disable": outside_boot}


def setup() -> None:
    importer.overlays.update(
        sys=_sys, os=_os, errno=_errno, json=_json, io=_io, gc=_gc, collections=_collections,
        traceback=_traceback, atexit=_atexit, micropython=_micropython, select=_select, warnings=_warnings,
        getpass=_getpass, rainbowio=_rainbowio, usb_cdc=_usb_cdc, audiocore=_audiocore, audioio=_audioio, sdcardio=_sdcardio, builtins=lambda: importer.builtins, locale=lambda: {"getlocale": lambda: ("en_US", "UTF-8")})
