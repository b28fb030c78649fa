"""The serial console as the program sees it: sys.stdout, sys.stdin, print() and input()."""

import _adder_vm

# Long enough to cost nothing, short enough that a lost wake-up is not noticed.
WAIT_S = 0.25


def read_byte() -> int:
    """The next byte typed, waiting for it."""
    while True:
        data = _adder_vm.console_read(1)
        if data:
            return data[0]
        _adder_vm.wait(WAIT_S)


class Console:
    """One object for all three standard streams."""

    encoding = "utf-8"
    errors = "replace"

    def write(self, text: "str | bytes") -> int:
        _adder_vm.console_write(text if isinstance(text, str) else bytes(text))
        return len(text)

    def flush(self) -> None:
        pass

    def read(self, count: int = -1) -> str:
        return bytes(self._read_raw(count)).decode("utf-8", "replace")

    def readinto(self, buffer: bytearray, count: int = -1) -> int:
        view = memoryview(buffer).cast("B")
        wanted = len(view) if count < 0 else min(count, len(view))
        for i in range(wanted):
            view[i] = read_byte()
        return wanted

    def readline(self, limit: int = -1) -> str:
        line = bytearray()
        while limit < 0 or len(line) < limit:
            byte = read_byte()
            line.append(0x0A if byte == 0x0D else byte)
            if line[-1] == 0x0A:
                break
        return line.decode("utf-8", "replace")

    def __iter__(self) -> "Console":
        return self

    def __next__(self) -> str:
        return self.readline()

    def poll_ready(self, events: int) -> int:
        """For select.poll: always writable, readable when something was typed."""
        ready = 4 if events & 4 else 0
        if events & 1 and _adder_vm.console_available():
            ready |= 1
        return ready

    def _read_raw(self, count: int) -> bytearray:
        data = bytearray()
        if count < 0:  # a serial line has no end: what is there now, at least one byte
            data.append(read_byte())
            data += _adder_vm.console_read(_adder_vm.console_available())
            return data
        while len(data) < count:
            data.append(read_byte())
            # Whole characters: a caller asking for one character must not get half of one.
            while data[-1] >= 0x80 and _adder_vm.console_available() and _incomplete(data):
                data += _adder_vm.console_read(1)
        return data


def _incomplete(data: bytearray) -> bool:
    """True while the last UTF-8 sequence lacks bytes."""
    for back in range(1, min(4, len(data)) + 1):
        lead = data[-back]
        if lead >= 0xC0:
            return back < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4)
        if lead < 0x80:
            return False
    return False


stream = Console()


def console_print(*values: object, sep: "str | None" = " ", end: "str | None" = "\n", file: object = None,
                  flush: bool = False) -> None:
    """print(): one write for the whole line, so that lines of the web page and the log stay whole."""
    text = (" " if sep is None else sep).join([str(v) for v in values]) + ("\n" if end is None else end)
    (stream if file is None else file).write(text)
