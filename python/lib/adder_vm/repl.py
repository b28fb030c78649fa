"""The REPL: friendly for people, raw for tools such as mpremote."""

import sys as host_sys

import _adder_vm

from adder_vm import about, complete, console, dialect, drive, errors, importer, lineedit

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = 1, 2, 3, 4, 5
COMPOUND = ("if ", "while ", "for ", "try:", "with ", "def ", "class ", "async ", "@", "match ")
RAW_WINDOW = 128  # bytes a raw-paste sender may be ahead


def needs_more(text: str) -> bool:
    """Does a statement go on in the next line? MicroPython's rule: brackets and long strings open, a
    backslash at the end, or a compound statement whose last line is not empty."""
    depth, quote, i = 0, "", 0
    while i < len(text):
        if quote:
            if text[i] == "\\":
                i += 1
            elif text.startswith(quote, i):
                i += len(quote) - 1
                quote = ""
            elif text[i] == "\n" and len(quote) == 1:
                quote = ""
        elif text[i] in "'\"":
            quote = text[i] * 3 if text.startswith(text[i] * 3, i) else text[i]
            i += len(quote) - 1
        elif text[i] == "#":
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
            continue
        elif text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        i += 1
    if depth > 0 or len(quote) == 3 or text.endswith("\\"):
        return True
    return text.startswith(COMPOUND) and not text.endswith("\n") and text.split("\n")[-1] != ""


class Repl:
    def __init__(self, module: object) -> None:
        self.scope = module.__dict__
        host_sys.displayhook = self._show

    def _show(self, value: object) -> None:
        if value is not None:
            console.stream.write(repr(value) + "\n")
            self.scope["_"] = value

    def execute(self, source: "str | bytes", mode: str, raw: bool = False) -> None:
        """Compile and run with Ctrl-C interrupting; an exception is printed. Requests to end the VM
        pass through; in raw mode the traceback goes after the first end mark."""
        text = None
        try:
            _adder_vm.interrupt_char(True)
            try:
                exec(dialect.compile_user(source, "<stdin>", mode), self.scope)
            finally:
                _adder_vm.interrupt_char(False)
        except (SystemExit, _adder_vm.Reload, _adder_vm.Reset, _adder_vm.Stop):
            raise
        except BaseException as e:
            e.__context__ = e.__context__ if e.__context__ is not e else None
            text = errors.format_exception(e)
            hint = getattr(e, "adder_hint", None)
            if hint and not raw:
                text += f"Hint: {hint}\n"
        if raw:
            console.stream.write("\x04")
        if text is not None:
            console.stream.write(text)
        if raw:
            console.stream.write("\x04")

    # ---- friendly ----

    def friendly(self) -> int:
        """Until Ctrl-D (0) or Ctrl-A (CTRL_A)."""
        console.stream.write(f"\n{about.BANNER}\n")
        while True:
            text, key = lineedit.read_line(">>> ", "", self._complete)
            if key == CTRL_A:
                return CTRL_A
            if key == CTRL_B:
                console.stream.write(f"\n\n{about.BANNER}\n")
            elif key == CTRL_C:
                console.stream.write("\n")
            elif key == CTRL_D:
                console.stream.write("\n")
                return 0
            elif key == CTRL_E:
                self._paste()
            elif text.strip():
                self._statement(text)

    def _complete(self, lead: str) -> "tuple[str, list[str]]":
        return complete.complete(lead, self.scope)

    def _statement(self, text: str) -> None:
        while needs_more(text):
            text, key = lineedit.read_line("... ", text + "\n", self._complete, auto_indent=True)
            if key == CTRL_C:
                console.stream.write("\n")
                return
            if key == CTRL_D:
                break
            if not text.split("\n")[-1].strip() and not text.split("\n")[-1]:
                break
        self.execute(text + "\n", "single")

    def _paste(self) -> None:
        console.stream.write("\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== ")
        pasted = bytearray()
        while True:
            byte = console.read_byte()
            if byte == CTRL_C:
                console.stream.write("\n")
                return
            if byte == CTRL_D:
                console.stream.write("\n")
                break
            if byte == 0x0A and pasted[-1:] == b"\n":
                if getattr(self, "_cr", False):
                    self._cr = False
                    continue
            self._cr = byte == 0x0D
            pasted.append(0x0A if byte == 0x0D else byte)
            console.stream.write("\n=== " if pasted[-1] == 0x0A else bytes([byte]))
        self.execute(bytes(pasted), "exec")

    # ---- raw ----

    def raw(self) -> int:
        """Until Ctrl-B (CTRL_B) or a soft reset (0)."""
        console.stream.write("raw REPL; CTRL-B to exit\n>")
        source = bytearray()
        while True:
            byte = console.read_byte()
            if byte == CTRL_A:
                if source == b"\x05A":  # ^E A ^A asks for raw paste
                    source.clear()
                    pasted = self._raw_paste()
                    if pasted is not None:
                        self.execute(pasted, "exec", raw=True)
                    console.stream.write(">")
                    continue
                source.clear()
                console.stream.write("raw REPL; CTRL-B to exit\n>")
            elif byte == CTRL_B:
                console.stream.write("\n")
                return CTRL_B
            elif byte == CTRL_C:
                source.clear()
            elif byte == CTRL_D:
                console.stream.write("OK")
                if not source:
                    console.stream.write("\n")
                    return 0
                self.execute(bytes(source), "exec", raw=True)
                source.clear()
                console.stream.write(">")
            else:
                source.append(0x0A if byte == 0x0D else byte)

    def _raw_paste(self) -> "bytes | None":
        """Flow control: the sender may be RAW_WINDOW bytes ahead, more after each 0x01 of ours."""
        console.stream.write(b"R\x01" + RAW_WINDOW.to_bytes(2, "little") + b"\x01")
        source, room = bytearray(), RAW_WINDOW
        while True:
            byte = console.read_byte()
            if byte == CTRL_C:
                console.stream.write(b"\x04\x04\x04")
                return None
            if byte == CTRL_D:
                console.stream.write(b"\x04")
                return bytes(source)
            source.append(0x0A if byte == 0x0D else byte)
            room -= 1
            if room == 0:
                room = RAW_WINDOW
                console.stream.write(b"\x01")


def run(module: object) -> None:
    _adder_vm.interrupt_char(False)
    repl = Repl(module)
    if drive.host_os.path.isfile(drive.host_path("/repl.py")):
        with drive.open("/repl.py", "rb") as f:
            repl.execute(f.read(), "exec")
    mode = CTRL_B
    while mode:
        mode = repl.raw() if mode == CTRL_A else repl.friendly()
