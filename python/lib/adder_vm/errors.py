"""Error output in CircuitPython's own form. Frames of the standard library and of Adder itself are
not shown: on a board they are C."""

import os as host_os

from adder_vm.drive import ERROR_TEXTS

# Frames of user code are those that run with the user's builtins (set by importer).
user_builtins: "dict | None" = None

# Classes that CPython makes of an error by itself.
NOT_ON_A_BOARD = {
    ModuleNotFoundError: "ImportError", RecursionError: "RuntimeError", TabError: "IndentationError",
    **{cls: "OSError" for cls in OSError.__subclasses__() if cls.__module__ == "builtins"
       and cls not in (ConnectionError, TimeoutError)},
    ConnectionRefusedError: "OSError", ConnectionResetError: "OSError", ConnectionAbortedError: "OSError",
}

CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def message(exc: BaseException) -> str:
    """What stands after "Type: "."""
    if isinstance(exc, SyntaxError):
        return exc.msg if isinstance(exc.msg, str) else str(exc)
    if isinstance(exc, OSError):
        return _os_message(exc)
    args = exc.args
    if type(exc).__str__ not in (BaseException.__str__, KeyError.__str__, UnicodeError.__str__):
        try:
            return str(exc)
        except Exception:
            return ""
    if len(args) == 1:
        return _text(args[0])
    return repr(args) if args else ""


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _os_message(exc: OSError) -> str:
    args = exc.args
    number = exc.errno if exc.errno is not None else args[0] if len(args) == 1 else None
    if not isinstance(number, int) or not args or len(args) > 2:
        return _text(args[0]) if len(args) == 1 else repr(args) if args else ""
    known = ERROR_TEXTS.get(number)
    system = host_os.strerror(number)
    if known is None and system.startswith("Unknown error"):
        return _text(args[0]) if len(args) == 1 else repr(args)
    said = args[1] if len(args) == 2 else None
    if said is not None and not isinstance(said, str):
        said = _text(said)
    text = f"[Errno {number}] {known or system}"
    if said and said not in (known, system):
        # A port that words it differently ("SPI: input/output error") is more use than the number's text.
        text = f"[Errno {number}] {said}" if known and known.lower() in said.lower() else f"{text}: {said}"
    return f"{text}: {exc.filename}" if exc.filename else text


def _frames(exc: BaseException, limit: "int | None") -> "list[str]":
    lines = []
    tb = exc.__traceback__
    while tb is not None:
        frame = tb.tb_frame
        if frame.f_builtins is user_builtins:
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {tb.tb_lineno}, in {code.co_name}\n')
        tb = tb.tb_next
    if isinstance(exc, SyntaxError) and exc.filename:
        lines.append(f'  File "{exc.filename}", line {exc.lineno or 1}\n')
    if limit is not None:
        lines = lines[:limit] if limit >= 0 else lines[limit:]
    return lines


def _one(exc: BaseException, limit: "int | None") -> str:
    name = NOT_ON_A_BOARD.get(type(exc)) or type(exc).__name__
    lines = _frames(exc, limit)
    head = "Traceback (most recent call last):\n" if lines else ""
    return f"{head}{''.join(lines)}{name}: {message(exc)}\n"


def format_exception(exc: BaseException, limit: "int | None" = None, chain: bool = True) -> str:
    """The whole text; chained errors first ones first. A ring of causes ends where it closes."""
    parts = [_one(exc, limit)]
    seen = {id(exc)}
    while chain:
        if exc.__cause__ is not None:
            exc, joint = exc.__cause__, CAUSE
        elif exc.__context__ is not None and not exc.__suppress_context__:
            exc, joint = exc.__context__, CONTEXT
        else:
            break
        if id(exc) in seen or len(seen) > 20:
            break
        seen.add(id(exc))
        parts.append(joint)
        parts.append(_one(exc, limit))
    return "".join(reversed(parts))
