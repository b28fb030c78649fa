"""One run: a file of the drive, or the REPL. Prints what went wrong, remembers it for
supervisor.get_previous_traceback(), and lets the exception through: vm_call() makes the outcome
of it."""

import builtins as host_builtins
import importlib
import sys as host_sys

import _adder_vm

from adder_vm import about, console, dialect, drive, errors, importer, overlays

_is_set_up = False


def _set_up() -> None:
    """Once in each interpreter."""
    global _is_set_up
    if _is_set_up:
        return
    _is_set_up = True
    host_sys.stdout = host_sys.stderr = host_sys.stdin = console.stream
    host_sys.dont_write_bytecode = True
    host_builtins.open = drive.open  # what a native module opens is on the drive, too
    importer.setup()
    overlays.setup()
    importer.builtins.update(print=console.console_print, input=_input, help=_help,
                             micropython=importer.load("micropython"))
    # @micropython.native is known to the compiler of a board, import or not; the module is not loaded.
    importer.modules.pop("micropython")


def _start_radio() -> None:
    """Join the network of settings.toml, beside the program."""
    if "_adder_wifi_start" in host_sys.builtin_module_names:
        importlib.import_module("_adder_wifi_start").start()


def _input(prompt: object = "") -> str:
    from adder_vm import lineedit

    if prompt != "":
        console.stream.write(str(prompt))
    _adder_vm.interrupt_char(False)
    try:
        line, key = lineedit.read_line("", "")
    finally:
        _adder_vm.interrupt_char(True)
    if key == lineedit.CTRL_C:
        raise KeyboardInterrupt
    if key == lineedit.CTRL_D and not line:
        raise EOFError
    return line


def _help(*what: object) -> None:
    write = console.stream.write
    if not what:
        write(f"Welcome to Adafruit CircuitPython {about.TAG}!\n\n"
              "Visit circuitpython.org for more information.\n\n"
              'To list built-in modules type `help("modules")`.\n')
        return
    if what[0] == "modules":
        names = sorted({n for n in importer.native_names() if "." not in n} | set(importer.overlays)
                       | set(importer.SHARED_STDLIB))
        for i in range(0, len(names), 4):
            write("".join(n.ljust(19) for n in names[i:i + 4]).rstrip() + "\n")
        write("Plus any modules on the filesystem\n")
        return
    write(f"object {what[0]!r} is of type {type(what[0]).__name__}\n")
    for name in dir(what[0]):
        if not name.startswith("__"):
            write(f"  {name} -- {getattr(what[0], name, None)!r}\n")


def main_module() -> object:
    module = importer.new_module("__main__")
    importer.modules["__main__"] = module
    return module


def run_exit_calls() -> None:
    """atexit, last registered first; an exception ends it."""
    calls = overlays.exit_calls
    while calls:
        function, args, kwargs = calls.pop()
        function(*args, **kwargs)


def report(exc: BaseException) -> None:
    """Print an uncaught exception and mark it as printed."""
    exc.adder_printed = True
    if isinstance(exc, (SystemExit, _adder_vm.Reload, _adder_vm.Reset, _adder_vm.Stop)):
        return
    text = errors.format_exception(exc)
    _adder_vm.set_traceback(text)
    console.stream.write(text)
    hint = getattr(exc, "adder_hint", None)
    if hint:
        console.stream.write(f"Hint: {hint}\n")


def run_file(path: str) -> None:
    """Run a file of the drive as code.py is run. A path from "/" with a folder makes that folder the
    working directory."""
    _set_up()
    _adder_vm.set_traceback(None)
    folder, _, name = path.rpartition("/")
    try:
        if folder:
            drive.chdir(folder)
        else:
            name = path.lstrip("/")
        _adder_vm.interrupt_char(True)
        _start_radio()
        try:
            module = main_module()
            module.__file__ = name
            importer.run_source(module, drive.host_path(name), name)
        finally:
            run_exit_calls()
    except BaseException as e:
        report(e)
        raise


def run_to_first_line(path: str) -> None:
    """Everything up to the first line of the program, which is not run any more."""

    def trace(frame: object, event: str, arg: object) -> object:
        if frame.f_builtins is errors.user_builtins and event == "line":
            host_sys.settrace(None)
            raise _adder_vm.Stop
        return trace

    host_sys.settrace(trace)
    try:
        run_file(path)
    finally:
        host_sys.settrace(None)


def run_code(source: str) -> None:
    """Run source text as a program: for tests and tools."""
    _set_up()
    try:
        exec(dialect.compile_user(source, "<stdin>"), main_module().__dict__)
        run_exit_calls()
    except BaseException as e:
        report(e)
        raise


def run_repl(start: "str | None" = None) -> None:
    """The REPL, until Ctrl-D; repl.py of the drive runs first."""
    _set_up()
    _start_radio()
    from adder_vm import repl

    try:
        repl.run(main_module())
    except BaseException as e:
        report(e)
        raise
