"""Line editing on a serial terminal: cursor keys, home, end, history, completion, auto-indent.

The text being edited may hold several lines (a compound statement); only its last one can be
edited, as on a board."""

import _adder_vm

from adder_vm import console

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = 1, 2, 3, 4, 5
HISTORY_MAX = 32

history: "list[str]" = []

# Escape sequences that terminals send, after ESC.
KEYS = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "[H": "home", "[F": "end", "OA": "up", "OB": "down",
    "OC": "right", "OD": "left", "OH": "home", "OF": "end", "[1~": "home", "[7~": "home", "[4~": "end",
    "[8~": "end", "[3~": "delete", "[1;5C": "word_right", "[1;5D": "word_left",
}


def remember(line: str) -> None:
    if line.strip() and (not history or history[-1] != line):
        history.append(line)
        del history[:-HISTORY_MAX]


def indent_for(text: str) -> str:
    """The indentation of the next line: that of the last, one deeper after a colon; none after a
    blank line, so that Enter three times ends a statement."""
    lines = text.split("\n")
    if len(lines) < 2 or lines[-1]:
        return ""
    last = lines[-2]
    if not last.strip():
        return ""
    depth = (len(last) - len(last.lstrip(" "))) // 4
    return "    " * (depth + last.rstrip().endswith(":"))


def _write(text: str) -> None:
    _adder_vm.console_write(text)


def _read_escape() -> str:
    sequence = chr(console.read_byte())
    if sequence not in "[O":
        return ""
    while len(sequence) < 8:
        char = chr(console.read_byte())
        sequence += char
        if char.isalpha() or char == "~":
            break
    return KEYS.get(sequence, "")


def _read_char(first: int) -> str:
    data = bytes([first])
    more = 0 if first < 0xC0 or first >= 0xF8 else 1 if first < 0xE0 else 2 if first < 0xF0 else 3
    for _ in range(more):
        data += bytes([console.read_byte()])
    return data.decode("utf-8", "replace")


class _Editor:
    def __init__(self, prompt: str, text: str, complete: object) -> None:
        head, newline, last = text.rpartition("\n")
        self.fixed = head + newline  # earlier lines, no longer editable
        self.line = last
        self.at = len(last)
        self.prompt = prompt
        self.complete = complete
        self.shown_history = len(history)
        self.kept = last

    def text(self) -> str:
        return self.fixed + self.line

    def replace(self, line: str, at: int) -> None:
        """Show another line with the cursor at `at`; redraws from the first difference on."""
        same = 0
        while same < min(len(line), len(self.line)) and line[same] == self.line[same]:
            same += 1
        self._move(same)
        _write(line[same:] + ("\x1b[K" if len(line) < len(self.line) else ""))
        self.line, self.at = line, len(line)
        self._move(at)

    def _move(self, to: int) -> None:
        if to < self.at:
            _write("\b" * (self.at - to) if self.at - to < 4 else f"\x1b[{self.at - to}D")
        elif to > self.at:
            _write(self.line[self.at:to])
        self.at = to

    def insert(self, text: str) -> None:
        self.replace(self.line[:self.at] + text + self.line[self.at:], self.at + len(text))

    def erase_before(self) -> None:
        if self.at == 0:
            return
        count = 1
        lead = self.line[:self.at]
        if not lead.strip(" ") and len(lead) % 4 == 0:
            count = 4  # one step of indentation
        self.replace(self.line[:self.at - count] + self.line[self.at:], self.at - count)

    def erase_at(self) -> None:
        self.replace(self.line[:self.at] + self.line[self.at + 1:], self.at)

    def recall(self, step: int) -> None:
        wanted = self.shown_history + step
        if not 0 <= wanted <= len(history):
            return
        if self.shown_history == len(history):
            self.kept = self.line
        self.shown_history = wanted
        entry = self.kept if wanted == len(history) else history[wanted]
        if "\n" in entry:  # a whole statement: only fits an empty prompt
            entry = entry.split("\n")[0] if self.fixed else entry
        shown = entry.replace("\n", "\n... ")
        self.replace("", 0)
        if "\n" in entry:
            _write(shown)
            self.fixed, _, self.line = (self.fixed + entry).rpartition("\n")
            self.fixed += "\n"
            self.at = len(self.line)
        else:
            self.replace(entry, len(entry))

    def word(self, step: int) -> int:
        at = self.at
        while 0 <= at + min(step, 0) < len(self.line) and not self.line[at + min(step, 0)].isalnum():
            at += step
        while 0 <= at + min(step, 0) < len(self.line) and self.line[at + min(step, 0)].isalnum():
            at += step
        return at

    def tab(self) -> None:
        lead = self.line[:self.at]
        if self.complete is None or not lead.strip():
            self.insert("    ")
            return
        rest, choices = self.complete(lead)
        if rest:
            self.insert(rest)
        elif choices:
            width = max(16, max(len(c) for c in choices) + 2)
            columns = max(1, 72 // width)
            _write("\n")
            for i in range(0, len(choices), columns):
                _write("".join(c.ljust(width) for c in choices[i:i + columns]).rstrip() + "\n")
            _write(self.prompt + self.line)
            at, self.at = self.at, len(self.line)
            self._move(at)

    def key(self, name: str) -> None:
        if name == "up":
            self.recall(-1)
        elif name == "down":
            self.recall(1)
        elif name == "left":
            self._move(max(0, self.at - 1))
        elif name == "right":
            self._move(min(len(self.line), self.at + 1))
        elif name == "home":
            self._move(0)
        elif name == "end":
            self._move(len(self.line))
        elif name == "delete":
            self.erase_at()
        elif name == "word_left":
            self._move(self.word(-1))
        elif name == "word_right":
            self._move(self.word(1))


def read_line(prompt: str, text: str, complete: object = None, auto_indent: bool = False) -> "tuple[str, int]":
    """Edit and return (the whole text, 0), or (text, Ctrl key) for Ctrl-A..E that are not editing."""
    _write(prompt)
    editor = _Editor(prompt, text, complete)
    if auto_indent:
        editor.insert(indent_for(text))
    last_was_cr = False
    while True:
        byte = console.read_byte()
        if byte == 0x0A and last_was_cr:  # CR LF of a pasted text or a file is one line end
            last_was_cr = False
            continue
        last_was_cr = byte == 0x0D
        if CTRL_A <= byte <= CTRL_E and (byte == CTRL_C or not editor.line and not editor.fixed):
            return editor.text(), byte
        if byte in (0x0D, 0x0A):
            _write("\n")
            remember(editor.text())
            return editor.text(), 0
        if byte == 0x1B:
            editor.key(_read_escape())
        elif byte in (0x08, 0x7F):
            editor.erase_before()
        elif byte == 0x09:
            editor.tab()
        elif byte == CTRL_D:
            if not editor.line:
                return editor.text(), byte
            editor.erase_at()
        elif byte in (CTRL_A, CTRL_E):
            editor.key("home" if byte == CTRL_A else "end")
        elif byte == CTRL_B:
            editor.key("left")
        elif byte == 0x06:
            editor.key("right")
        elif byte == 0x0B:
            editor.replace(editor.line[:editor.at], editor.at)
        elif byte == 0x15:
            editor.replace(editor.line[editor.at:], 0)
        elif byte in (0x0E, 0x10):
            editor.key("down" if byte == 0x0E else "up")
        elif byte >= 0x20:
            editor.insert(_read_char(byte))
